"""Questions with an answer in a passage, made by rule from the docstrings: which of four words belongs to a library.

A word is of a library if seven in ten of the documents that have it are that library's: "axes" of matplotlib, "spline"
of scipy. A passage names four words of four libraries, in any order, and the question asks for one of them. The words
of the test part occur in no question of the training part: to answer, one must know them from elsewhere.
"""

import re
from collections import Counter
from typing import NamedTuple

import numpy as np

from .manifest import LIBRARIES

WORDS = 24  # of each library, half of them for training
SHARE, DOCUMENTS = 0.7, 5  # a word is a library's from this share on, of at least so many documents
NAMED = 4  # words of a passage, of as many libraries
SUBJECTS = ("text", "page", "docstring", "chapter")
VERBS = ("names", "mentions", "describes", "explains")


class Question(NamedTuple):
    """``start``: where in the passage the answer's first character stands."""

    question: str
    passage: str
    answer: str
    start: int


def library_words(corpus):
    """For each library the words that are mostly its own, the most frequent first.

    Parameters
    ----------
    corpus : text.Corpus, the training part's

    Returns
    -------
    list of lists of str, WORDS for each of LIBRARIES

    Raises
    ------
    ValueError
        If a library has too few.
    """
    counts = [Counter() for _ in LIBRARIES]
    for document, label in zip(corpus.documents, corpus.y, strict=True):
        counts[label].update(set(re.findall(r"\b[a-z]{4,}\b", " ".join(document.sentences).lower())))
    total = sum(counts, Counter())
    found = []
    for library, count in zip(LIBRARIES, counts, strict=True):
        own = [w for w, n in count.items() if total[w] >= DOCUMENTS and n >= SHARE * total[w] and w != library]
        own = sorted(own, key=lambda word: (-count[word], word))[:WORDS]
        if len(own) < WORDS:
            raise ValueError(f"corpus must have {WORDS} words that are mostly {library}'s; it has {len(own)}.")
        found.append(own)
    return found


def sample_questions(words, part, n_samples, random_state):
    """Questions, in which library, words and their order are drawn with equal chances.

    Parameters
    ----------
    words : what ``library_words`` returns
    part : "train" or "test"; of another part are other words
    n_samples : int
    random_state : int or numpy Generator

    Returns
    -------
    list of Question

    Raises
    ------
    ValueError
        For another part.
    """
    if part not in ("train", "test"):
        raise ValueError(f"part must be 'train' or 'test'; got {part!r}.")
    of_part = [own[part == "test" :: 2] for own in words]  # every other one, so that both have as frequent words
    rng = np.random.default_rng(random_state)
    return [_question(of_part, rng) for _ in range(n_samples)]


def _question(words, rng):
    libraries = rng.choice(len(words), NAMED, replace=False)
    named = [words[library][rng.integers(len(words[library]))] for library in libraries]
    asked = int(rng.integers(NAMED))
    begin = f"The {SUBJECTS[rng.integers(len(SUBJECTS))]} {VERBS[rng.integers(len(VERBS))]} "
    phrases = [f"the {word}" for word in named]
    passage = f"{begin}{', '.join(phrases[:-1])} and {phrases[-1]}."
    start = len(begin) + sum(len(phrase) + 2 for phrase in phrases[:asked]) + 4
    start += 3 * (asked == NAMED - 1)  # " and " where there was ", "
    library = LIBRARIES[libraries[asked]]
    library = f"the {library}" if " " in library else library  # the standard library
    return Question(f"Which of them is of {library}?", passage, named[asked], start)

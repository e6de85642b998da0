"""Questions with an answer in a passage, made by rule from the docstrings.

A passage is two or more sentences of a docstring in a row. A question is what stands around one of its words, which
"what" takes the place of: "the mean of what along the given axis?" (a cloze test, Taylor 1953; such sets were made of
news by Hermann et al. 2015, "Teaching machines to read and comprehend"). The answer is the word, where it stands.
"""

import re
from typing import NamedTuple

import numpy as np

AROUND = 4  # words of the question on each side of the answer
WORDS = (12, 48)  # of a passage
COMMON = frozenset(
    "the and for with that this are not can from will have has been its which their than then they when where while "
    "should must may all any each both such only also into over under used use one two other some same but was were "
    "does did there these those what".split()
)


class Question(NamedTuple):
    """``start``: where in the passage the answer's first character stands."""

    question: str
    passage: str
    answer: str
    start: int


def sample_questions(documents, n_samples, random_state):
    """Questions about passages of the documents, each passage drawn with equal chances.

    Parameters
    ----------
    documents : iterable of ``text.Document``; one part's, for a question about a document is of the document's part
    n_samples : int
    random_state : int or numpy Generator

    Returns
    -------
    list of Question; no passage has the answer twice

    Raises
    ------
    ValueError
        If the documents have no passage to ask about.
    """
    passages = [found for document in documents for found in _passages(document.sentences)]
    if not passages:
        raise ValueError("documents must have two sentences in a row with a word to ask for; none has.")
    rng = np.random.default_rng(random_state)
    return [_ask(passages[rng.integers(len(passages))], rng) for _ in range(n_samples)]


def _passages(sentences):
    """From each sentence on, as many as fit into WORDS: the text and the words that can be asked for."""
    for first in range(len(sentences) - 1):
        last = first + 2
        while last < len(sentences) and _length(sentences[first : last + 1]) <= WORDS[1]:
            last += 1
        passage = " ".join(sentences[first:last])
        if WORDS[0] <= _length(sentences[first:last]) <= WORDS[1] and (words := answers(passage)):
            yield passage, words


def _length(sentences):
    return sum(len(sentence.split()) for sentence in sentences)


def answers(passage):
    """Words of four letters and more that stand once in a passage, and are not too common."""
    words = [word.lower() for word in re.findall(r"\w+", passage)]
    found = re.finditer(r"(?<=\s)[a-z]{4,}(?=[,;]?\s|\.(\s|$))", passage)
    return [word for word in found if words.count(word[0]) == 1 and word[0] not in COMMON]


def _ask(found, rng):
    passage, words = found
    answer = words[rng.integers(len(words))]
    before = passage[: answer.start()].split()[-AROUND:]
    after = ("what" + passage[answer.end() :]).split()[: AROUND + 1]  # the first one keeps a comma that follows
    # A word with a full stop ends a sentence, and the question is of the answer's own.
    before = before[max((i + 1 for i, word in enumerate(before) if word.endswith(".")), default=0) :]
    after = after[: min((i + 1 for i, word in enumerate(after) if word.endswith(".")), default=None)]
    return Question(" ".join([*before, *after]).rstrip(".,;") + "?", passage, answer[0], answer.start())

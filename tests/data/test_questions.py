"""Questions: the answer stands where it is said to, belongs to the library, and no other word of the passage does."""

import re
from collections import Counter

import numpy as np
import pytest

from course_utils.data.manifest import LIBRARIES
from course_utils.data.questions import DOCUMENTS, NAMED, SHARE, WORDS, library_words, sample_questions
from course_utils.data.text import Corpus, Document, docstrings

OWN = [[f"{library.split()[0]}{chr(97 + i)}" for i in range(WORDS)] for library in LIBRARIES]


class TestRules:
    def test_answers_stand_where_they_are_said_to(self):
        of = {word: library for library, words in zip(LIBRARIES, OWN, strict=True) for word in words}
        places = Counter()
        for question, passage, answer, start in sample_questions(OWN, "train", 600, 0):
            assert passage[start : start + len(answer)] == answer
            named = re.findall(r"the (\w+)[,. ]", passage)
            assert len(named) == NAMED
            assert question.removeprefix("Which of them is of ").removeprefix("the ") == f"{of[answer]}?"
            assert [of[word] for word in named].count(of[answer]) == 1
            places[named.index(answer)] += 1
        assert sorted(places) == list(range(NAMED))
        assert min(places.values()) > 600 / NAMED - 4 * np.sqrt(600 * 0.25 * 0.75)

    def test_words_of_the_test_are_in_no_training_question(self):
        seen = [
            {w for q in sample_questions(OWN, part, 2000, 0) for w in re.findall(r"the (\w+)[,. ]", q.passage)}
            for part in ("train", "test")
        ]
        assert not seen[0] & seen[1]
        assert seen[0] | seen[1] == {word for words in OWN for word in words}

    def test_the_state_decides(self):
        assert sample_questions(OWN, "test", 5, 1) == sample_questions(OWN, "test", 5, 1)
        assert sample_questions(OWN, "test", 5, 1) != sample_questions(OWN, "test", 5, 2)

    def test_another_part(self):
        with pytest.raises(ValueError, match="part must be 'train' or 'test'; got 'validation'"):
            sample_questions(OWN, "validation", 1, 0)

    def test_a_corpus_with_too_few_words(self):
        one = Document("Sort it.", ("Sort it.",), LIBRARIES[0], "a.py", "0" * 16)
        with pytest.raises(ValueError, match=f"corpus must have {WORDS} words that are mostly"):
            library_words(Corpus((one,), {}))


@pytest.mark.slow
def test_the_corpus():
    corpus = docstrings("train")
    words = library_words(corpus)
    assert [len(own) for own in words] == [WORDS] * len(LIBRARIES)
    texts = [" ".join(document.sentences).lower() for document in corpus.documents]
    for label, own in enumerate(words):
        for word in (own[0], own[-1]):
            has = np.array([re.search(rf"\b{word}\b", text) is not None for text in texts])
            assert has.sum() >= DOCUMENTS
            assert (corpus.y[has] == label).mean() >= SHARE

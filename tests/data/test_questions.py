"""Questions: the answer stands in the passage where it is said to, once, and the question is what stands around it."""

import re

import pytest

from course_utils.data.questions import AROUND, COMMON, WORDS, sample_questions
from course_utils.data.text import Document, docstrings

SENTENCES = (
    "Return the harmonic mean along the given axis of an array.",
    "Weights must be positive, finite numbers.",
    "See also the geometric average.",
)


def document(*sentences):
    return Document(" ".join(sentences), sentences, "numpy", "a.py", "0" * 16)


class TestRules:
    def test_all_questions_about_three_sentences(self):
        found = {(q.question, q.answer) for q in sample_questions([document(*SENTENCES)], 800, 0)}
        assert ("Return the harmonic what along the given axis?", "mean") in found
        assert ("Weights must be what, finite numbers?", "positive") in found
        assert ("See also the what average?", "geometric") in found
        assert ("must be positive, finite what?", "numbers") in found
        answers = {answer for _, answer in found}
        # Not "the" and "given" stands once; "must" and "also" are common; "Weights" begins a sentence.
        assert answers == {
            "harmonic", "mean", "along", "given", "axis", "array",
            "positive", "finite", "numbers", "geometric", "average",
        }  # fmt: skip

    def test_a_word_that_stands_twice_is_not_asked_for(self):
        twice = document(
            "Sort the Array in place, quickly and safely.", "The array must not be empty before that happens."
        )
        assert "array" not in {q.answer for q in sample_questions([twice], 300, 0)}

    def test_documents_without_a_passage(self):
        with pytest.raises(ValueError, match="documents must have two sentences in a row"):
            sample_questions([document(SENTENCES[0])], 1, 0)


@pytest.mark.slow
def test_the_corpus():
    questions = sample_questions(docstrings("test"), 400, 0)
    for question, passage, answer, start in questions:
        assert passage[start : start + len(answer)] == answer
        assert len(re.findall(rf"\b{answer}\b", passage, re.IGNORECASE)) == 1
        assert WORDS[0] <= len(passage.split()) <= WORDS[1]
        assert answer not in COMMON
        words = question.rstrip("?").split()
        assert len(words) <= 2 * AROUND + 1
        filled = re.sub(r"\bwhat\b", answer, question.rstrip("?"))
        assert " ".join(filled.split()) in " ".join(passage.split())
    assert len({q.passage for q in questions}) > 200
    assert sample_questions(docstrings("test"), 5, 1) == sample_questions(docstrings("test"), 5, 1)

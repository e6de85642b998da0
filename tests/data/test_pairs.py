"""Sentence pairs: who follows whom, what is cut, and that the label is not given away."""

import pytest
import torch
from scipy.stats import binomtest, chi2_contingency

from course_utils.data.pairs import SentencePairs
from course_utils.data.wordpiece import CLS, PAD, SEP, tokenizer_of, train_wordpiece

# Sentences of one word each, so that an id says which sentence of which document it is.
DOCUMENTS = [[f"{letter}{number}" for number in "123456"[: 2 + i]] for i, letter in enumerate("abcde")] + [["alone"]]


@pytest.fixture(scope="module")
def tokenizer():
    words = [sentence for sentences in DOCUMENTS for sentence in sentences]
    return tokenizer_of(train_wordpiece(words * 3, 49))


@pytest.fixture(scope="module")
def pairs(tokenizer):
    return SentencePairs(DOCUMENTS, tokenizer, length=40, size=6000, seed=1)


def words_of(tokenizer, ids):
    return tokenizer.decode(ids).split()


def read(tokenizer, pair):
    first, second, label = pair
    return words_of(tokenizer, first), words_of(tokenizer, second), label


class TestPairs:
    def test_b_follows_a_or_is_of_another_document(self, pairs, tokenizer):
        for index in range(400):
            first, second, label = read(tokenizer, pairs.pair(index))
            document = DOCUMENTS["abcde".index(first[0][0])]
            assert first == document[: len(first)]
            if label == 0:
                assert second == document[len(first) :]
            else:
                other = DOCUMENTS["abcde".index(second[0][0])]
                assert other is not document
                assert second == other[-len(second) :]
            assert len(second) < len(DOCUMENTS["abcde".index(second[0][0])])  # never a first sentence

    def test_labels_are_a_fair_coin(self, pairs):
        labels = pairs[range(6000)][2]
        assert binomtest(int(labels.sum()), 6000).pvalue > 1e-3

    def test_neither_text_alone_tells_the_label(self, tokenizer, pairs):
        """B of label 1 is drawn from the same places as that of label 0, but for those of A's own document."""
        begins = {0: [], 1: []}
        for index in range(6000):
            first, second, label = read(tokenizer, pairs.pair(index))
            begins[label].append((first[0][0], second[0]))
        names = [sorted({a for a, _ in begins[0]}), sorted({b for _, b in begins[0]})]
        for which, values in enumerate(names):
            table = [[sum(pair[which] == value for pair in begins[label]) for value in values] for label in (0, 1)]
            if which == 0:
                assert chi2_contingency(table).pvalue > 1e-3
            else:
                assert min(min(row) for row in table) > 0

    def test_every_place_occurs_alike(self, tokenizer, pairs):
        places = {}
        for index in range(6000):
            first, _, _ = pairs.pair(index)
            key = tuple(first)
            places[key] = places.get(key, 0) + 1
        assert len(places) == 1 + 2 + 3 + 4 + 5
        assert max(abs(n - 400) for n in places.values()) < 5 * 400**0.5


class TestBatches:
    def test_layout(self, pairs):
        tokens, segments, label = pairs[[3, 1, 4]]
        for row, index in enumerate([3, 1, 4]):
            first, second, expected = pairs.pair(index)
            n = len(first) + len(second)
            assert tokens[row, :n].tolist() == first + second
            assert first[0] == CLS
            assert first[-1] == second[-1] == SEP
            assert (tokens[row, n:] == PAD).all()
            assert segments[row].tolist() == [0] * len(first) + [1] * len(second) + [0] * (tokens.shape[1] - n)
            assert label[row] == expected
        assert tokens.dtype == segments.dtype == label.dtype == torch.int64

    def test_a_pair_does_not_depend_on_its_batch(self, pairs, tokenizer):
        again = SentencePairs(DOCUMENTS, tokenizer, length=40, size=6000, seed=1)
        tokens = pairs[torch.tensor([7, 8])][0]
        alone = again[torch.tensor([8])][0]
        assert torch.equal(tokens[1, : alone.shape[1]], alone[0])
        assert [pairs.pair(i) for i in range(20)] != [
            SentencePairs(DOCUMENTS, tokenizer, seed=2).pair(i) for i in range(20)
        ]

    @pytest.mark.parametrize("length", [5, 6, 7, 9])
    def test_a_loses_its_beginning_and_b_its_end_the_longer_first(self, length, tokenizer, pairs):
        cut = SentencePairs(DOCUMENTS, tokenizer, length=length, size=6000, seed=1)
        for index in range(300):
            (long_a, long_b, _), (a, b, _) = pairs.pair(index), cut.pair(index)
            assert a[1:-1] == long_a[1:-1][len(long_a) - len(a) :]
            assert b[:-1] == long_b[: len(b) - 1]
            assert len(a) > 2
            assert len(b) > 1
            assert len(a) + len(b) == min(length, len(long_a) + len(long_b))
            if len(a) < len(long_a) and len(b) < len(long_b):
                assert abs((len(a) - 2) - (len(b) - 1)) <= 1

    def test_errors(self, tokenizer):
        with pytest.raises(ValueError, match="at least two documents must have two sentences or more; 1 have"):
            SentencePairs([["a1", "a2"], ["b1"]], tokenizer)
        with pytest.raises(ValueError, match="length must be at least 5"):
            SentencePairs(DOCUMENTS, tokenizer, length=4)

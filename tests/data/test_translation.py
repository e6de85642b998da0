"""Tokens of both languages and lists of numbers: there and back, one reading, and the split."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_utils.data.numbers import LARGEST, number_pair, sample_pairs, sample_round_pairs, split_of
from course_utils.data.translation import (
    BEGIN,
    END,
    ENGLISH,
    KOREAN,
    LANGUAGES,
    PAD,
    SEPARATOR,
    Lists,
    pad,
    sample_lists,
)

number = st.integers(0, LARGEST)


class TestVocabulary:
    @given(st.lists(number, min_size=1, max_size=4))
    def test_every_list_reads_back(self, numbers):
        pairs = [number_pair(n) for n in numbers]
        for name, vocabulary in LANGUAGES.items():
            text = SEPARATOR[name].join(getattr(pair, name) for pair in pairs)
            assert vocabulary.decode(vocabulary.encode(text)) == text

    def test_tokens(self):
        assert [KOREAN.tokens[i] for i in KOREAN.encode("만 일, 백만")] == ["만", "일", ",", "백", "만"]
        words = [ENGLISH.tokens[i] for i in ENGLISH.encode("one million, two hundred and forty-five; six")]
        assert words == "one million , two hundred and forty - five ; six".split()
        assert (len(KOREAN), len(ENGLISH)) == (3 + 15, 3 + 28 + 3 + 4)
        assert KOREAN.tokens[:3] == ENGLISH.tokens[:3] == ("[PAD]", "[BEGIN]", "[END]")

    def test_spaces_may_be_left_out(self):
        assert KOREAN.encode("만일,백만") == KOREAN.encode(" 만 일,  백만 ")

    def test_decoding_stops_at_the_end_and_skips_what_fills(self):
        ids = [BEGIN, *ENGLISH.encode("forty-five"), END, *ENGLISH.encode("six"), PAD]
        assert ENGLISH.decode(ids) == ENGLISH.decode(torch.tensor(ids)) == "forty-five"

    @pytest.mark.parametrize(("vocabulary", "text", "token"), [(KOREAN, "삼x", "x"), (ENGLISH, "one dozen", "dozen")])
    def test_an_unknown_token_is_named(self, vocabulary, text, token):
        with pytest.raises(ValueError, match=f"'{token}' in '{text}' is no token of this language"):
            vocabulary.encode(text)


def test_english_lists_have_one_reading():
    """Two lists that a comma would make one: 1,000 and 200 beside 1,200."""
    two = SEPARATOR["english"].join(number_pair(n).english for n in (1000, 200))
    one = number_pair(1200).english
    assert (two, one) == ("one thousand; two hundred", "one thousand, two hundred")
    assert ENGLISH.encode(two) != ENGLISH.encode(one)


class TestSampleLists:
    def test_lengths_and_part(self):
        lists = sample_lists(60, "test", [1, 3], 0)
        lengths = [korean.count(",") + 1 for korean, _ in lists]
        assert set(lengths) == {1, 3}
        assert lengths == [english.count(";") + 1 for _, english in lists]

    def test_both_sides_say_the_same_numbers_of_the_part(self):
        back = {number_pair(n).korean: n for n in range(1000)}
        for korean, english in sample_lists(40, "test", 3, 1, digits=(2, 3)):
            numbers = [back[one] for one in korean.split(", ")]
            assert english == "; ".join(number_pair(n).english for n in numbers)
            assert {split_of(n) for n in numbers} == {"test"}

    def test_a_seed_repeats(self):
        assert sample_lists(5, "train", 2, 3) == sample_lists(5, "train", 2, 3) != sample_lists(5, "train", 2, 4)

    @pytest.mark.parametrize("bad", [0, [], 1.5, [2, 0]])
    def test_a_bad_length_is_named(self, bad):
        with pytest.raises(ValueError, match="numbers must be one or several positive integers"):
            sample_lists(3, "train", bad)


def test_pad():
    assert pad([[5, 6], [7]]).tolist() == [[5, 6], [7, PAD]]
    assert pad([[5], [7]]).dtype == torch.int64


class TestLists:
    @pytest.mark.parametrize(("source", "target"), [("korean", "english"), ("english", "korean")])
    def test_a_batch_is_lists_of_one_length_and_their_translations(self, source, target):
        lists = Lists(1000, 50, "validation", (1, 2, 3), source=source, target=target)
        pool = sample_pairs(50, "validation", 0, range(1, 8))
        known = {getattr(pair, source): getattr(pair, target) for pair in pool}
        seen = set()
        for start in range(0, 80, 8):
            sources, targets = lists[torch.arange(start, start + 8)]
            assert (targets[:, 0] == BEGIN).all()
            texts = [(LANGUAGES[source].decode(s), LANGUAGES[target].decode(t)) for s, t in zip(sources, targets)]
            items = [tuple(text.split(SEPARATOR[name])) for text, name in zip(sum(texts, ()), [source, target] * 8)]
            assert len({len(item) for item in items}) == 1
            seen.add(len(items[0]))
            for a, b in zip(items[::2], items[1::2]):
                assert [known[one] for one in a] == list(b)
        assert seen == {1, 2, 3}

    @pytest.mark.parametrize(("rounded", "share"), [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)])
    def test_a_share_of_the_pool_is_round(self, rounded, share):
        texts = [KOREAN.decode(row) for row in Lists(4000, 200, rounded=rounded, seed=3)[range(4000)][0]]
        round_ones = {pair.korean for pair in sample_round_pairs(3000, "train", 0)}
        plain = {pair.korean for pair in sample_pairs(200, "train", 3, range(1, 8))} & round_ones
        assert abs(np.mean([text in round_ones for text in texts]) - share) < 0.1 + len(plain) / 200

    def test_a_share_that_is_none(self):
        with pytest.raises(ValueError, match="rounded must be a share from 0 to 1; got 1.5"):
            Lists(10, 10, rounded=1.5)

    def test_every_target_ends_once(self):
        _, targets = Lists(100, 20)[range(16)]
        assert ((targets == END).sum(dim=1) == 1).all()
        after = (targets == END).cumsum(dim=1).bool() & (targets != END)
        assert (targets[after] == PAD).all()

    def test_a_batch_follows_from_its_indices_and_the_seed(self):
        lists = Lists(1000, 50, numbers=(2,), seed=1)
        again = Lists(1000, 50, numbers=(2,), seed=1)
        assert all(torch.equal(a, b) for a, b in zip(lists[[7, 8, 9]], again[[7, 8, 9]]))
        row = lists[[8]][0][0]
        assert torch.equal(lists[[7, 8, 9]][0][1, : len(row)], row)
        assert not torch.equal(
            pad(lists[range(9)][0].tolist()), pad(Lists(1000, 50, numbers=(2,))[range(9)][0].tolist())
        )
        assert len(lists) == 1000

    def test_lists_differ(self):
        sources, _ = Lists(10_000, 500, numbers=(3,))[range(300)]
        assert len(np.unique(sources.numpy(), axis=0)) > 295

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"pool": 0}, "size and pool must be at least 1"),
            ({"source": "german"}, "source must be one of korean, engl"),
        ],
    )
    def test_a_bad_argument_is_named(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            Lists(**{"size": 3, "pool": 3} | arguments)

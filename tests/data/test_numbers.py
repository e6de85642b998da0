"""The words of numbers, read back by parsers written here, and the fixed split."""

import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.data import numbers

KOREAN_DIGITS = {word: value for value, word in enumerate("영일이삼사오육칠팔구")}
KOREAN_UNITS = {"십": 10, "백": 100, "천": 1000}
ENGLISH = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
} | {word: 10 * value for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}


def korean_below_10000(words: str) -> int:
    """E.g. 이천삼백사십오: a digit multiplies the unit after it; a unit without a digit counts once."""
    total, digit = 0, None
    smallest = 10_000
    for letter in words:
        if letter in KOREAN_DIGITS:
            assert digit is None, f"two digits in a row in {words!r}"
            digit = KOREAN_DIGITS[letter]
        else:
            assert KOREAN_UNITS[letter] < smallest, f"units out of order in {words!r}"
            assert digit != 1, f"일 before a unit in {words!r}"
            smallest = KOREAN_UNITS[letter]
            total += (1 if digit is None else digit) * smallest
            digit = None
    return total + (digit or 0)


def parse_korean(words: str) -> int:
    """Ten thousands before 만, a space after it, the rest behind; 만 alone is 10,000."""
    if "만" not in words:
        return korean_below_10000(words)
    high, low = words.split("만")
    assert low == "" or low[0] == " ", f"no space after 만 in {words!r}"
    assert low != " "
    return 10_000 * (korean_below_10000(high) if high else 1) + korean_below_10000(low.strip())


def english_below_1000(words: str) -> int:
    total = 0
    if " hundred" in words or words.endswith("hundred"):
        hundreds, _, words = words.partition(" hundred")
        assert 1 <= ENGLISH[hundreds] <= 9
        total = 100 * ENGLISH[hundreds]
        if words:
            assert words.startswith(" and "), words
            words = words.removeprefix(" and ")
    if words:
        tens, _, ones = words.partition("-")
        if ones:
            assert ENGLISH[tens] % 10 == 0
            assert 1 <= ENGLISH[ones] <= 9
        total += ENGLISH[tens] + (ENGLISH[ones] if ones else 0)
    return total


def parse_english(words: str) -> int:
    """Groups of three digits, each with its scale, set apart by commas; the last joins by "and" below 100."""
    total = 0
    for scale, value in ((" million", 10**6), (" thousand", 1000)):
        if scale in words:
            group, _, words = words.partition(scale)
            total += value * english_below_1000(group)
            if words.startswith(" and "):
                words = words.removeprefix(" and ")
                assert english_below_1000(words) < 100
            elif words:
                assert words.startswith(", "), words
                words = words.removeprefix(", ")
    return total + (english_below_1000(words) if words else 0)


BOUNDARIES = sorted(
    {
        n
        for power in range(8)
        for lead in (1, 2, 9, 11)
        for step in (-11, -1, 0, 1, 10, 100, 1000, 10_000)
        if 0 <= (n := lead * 10**power + step) <= numbers.LARGEST
    }
    | {0, numbers.LARGEST}
)


@pytest.mark.parametrize("n", BOUNDARIES)
def test_every_kind_of_number_reads_back(n):
    pair = numbers.number_pair(n)
    assert (int(pair.digits), parse_korean(pair.korean), parse_english(pair.english)) == (n, n, n)


def test_ranges_read_back_and_no_two_numbers_share_their_words():
    rng = np.random.default_rng(0)
    chosen = [*range(3000), *range(9_990, 10_200), *rng.integers(0, numbers.LARGEST + 1, 4000).tolist()]
    pairs = {n: numbers.number_pair(n) for n in chosen}
    for n, pair in pairs.items():
        assert (int(pair.digits), parse_korean(pair.korean), parse_english(pair.english)) == (n, n, n)
    assert len({pair.korean for pair in pairs.values()}) == len({p.english for p in pairs.values()}) == len(pairs)


@given(st.integers(0, numbers.LARGEST))
def test_any_number_reads_back(n):
    pair = numbers.number_pair(n)
    assert (int(pair.digits), parse_korean(pair.korean), parse_english(pair.english)) == (n, n, n)


@pytest.mark.parametrize(
    ("n", "korean", "english"),
    [
        (0, "영", "zero"),
        (1, "일", "one"),
        (10, "십", "ten"),
        (110, "백십", "one hundred and ten"),
        (1001, "천일", "one thousand and one"),
        (10_000, "만", "ten thousand"),
        (10_001, "만 일", "ten thousand and one"),
        (110_000, "십일만", "one hundred and ten thousand"),
        (1_000_000, "백만", "one million"),
        (12_345, "만 이천삼백사십오", "twelve thousand, three hundred and forty-five"),
    ],
)
def test_the_words_themselves(n, korean, english):
    assert numbers.number_pair(n) == (str(n), korean, english)


@pytest.mark.parametrize("bad", [-1, 10_000_000, 10**8])
def test_a_number_out_of_range_is_named(bad):
    for function in (numbers.number_pair, numbers.split_of):
        with pytest.raises(ValueError, match="0 to 9,999,999"):
            function(bad)


@pytest.mark.parametrize("bad", [1.0, "7", None])
def test_what_is_no_integer_is_named(bad):
    with pytest.raises(TypeError, match="n must be an integer"):
        numbers.number_pair(bad)


def test_numpy_integers_are_integers():
    assert numbers.number_pair(np.int64(7)) == ("7", "칠", "seven")
    assert numbers.split_of(np.int32(7)) == numbers.split_of(7)


def test_the_split_is_fixed_and_80_10_10():
    counts = Counter(map(numbers.split_of, range(100_000)))
    for part, share in (("train", 0.8), ("validation", 0.1), ("test", 0.1)):
        assert abs(counts[part] - 100_000 * share) < 4 * np.sqrt(100_000 * share * (1 - share))
    assert [n for n in range(50) if numbers.split_of(n) == "test"] == FIRST_TEST
    assert [n for n in range(50) if numbers.split_of(n) == "validation"] == FIRST_VALIDATION


FIRST_TEST = [1, 12, 23, 45]
FIRST_VALIDATION = [8, 31, 42, 43]


def test_every_word_occurs_in_training():
    train = [numbers.number_pair(n) for n in range(100) if numbers.split_of(n) == "train"]
    train += [numbers.number_pair(n) for n in (100, 1000, 10_000, 10**6, 200, 2000) if numbers.split_of(n) == "train"]
    train += numbers.sample_pairs(200, "train", 0)
    assert set("".join(pair.korean for pair in train)) == set("영일이삼사오육칠팔구십백천만 ")
    english = " ".join(pair.english for pair in train).replace(",", " ").replace("-", " ").split()
    assert set(english) == {*ENGLISH, "hundred", "thousand", "million", "and"}


def test_the_split_does_not_depend_on_the_process():
    command = "from course_utils.data.numbers import split_of; print(*map(split_of, range(300)))"
    answers = {
        subprocess.run(
            [sys.executable, "-c", command],
            capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert answers == {" ".join(map(numbers.split_of, range(300))) + "\n"}


@pytest.mark.parametrize("part", numbers.PARTS)
def test_samples_are_of_their_part(part):
    pairs = numbers.sample_pairs(100, part, 0)
    assert len(pairs) == 100
    assert {numbers.split_of(int(pair.digits)) for pair in pairs} == {part}


def test_samples_are_uniform_over_the_part():
    values = np.array([int(pair.digits) for pair in numbers.sample_pairs(2000, "test", 1)])
    assert abs(values.mean() - numbers.LARGEST / 2) < 4 * numbers.LARGEST / np.sqrt(12 * 2000)
    assert abs((values >= 10**6).mean() - 0.9) < 4 * np.sqrt(0.09 / 2000)


def test_lengths_can_be_asked_for():
    assert {len(pair.digits) for pair in numbers.sample_pairs(30, "test", 0, digits=4)} == {4}
    counts = Counter(len(pair.digits) for pair in numbers.sample_pairs(700, "train", 0, digits=range(1, 8)))
    assert set(counts) == set(range(1, 8))
    assert all(abs(count - 100) < 4 * np.sqrt(700 * (1 / 7) * (6 / 7)) for count in counts.values())
    lengths = [len(pair.digits) for pair in numbers.sample_pairs(50, "train", 0, digits=(1, 7))]
    assert lengths != sorted(lengths)  # drawn in a mixed order


def test_a_seed_repeats_and_a_generator_goes_on():
    assert numbers.sample_pairs(20, "train", 3) == numbers.sample_pairs(20, "train", 3)
    rng = np.random.default_rng(3)
    assert numbers.sample_pairs(20, "train", rng) == numbers.sample_pairs(20, "train", 3)
    assert numbers.sample_pairs(20, "train", rng) != numbers.sample_pairs(20, "train", 3)
    assert numbers.sample_pairs(0) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"part": "all"}, "part must be"),
        ({"n_samples": -1}, "n_samples"),
        ({"digits": 8}, "digits must be"),
        ({"digits": 0}, "digits must be"),
        ({"digits": ()}, "digits must be"),
        ({"digits": 2.0}, "digits must be"),
    ],
)
def test_a_bad_argument_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        numbers.sample_pairs(**{"n_samples": 5} | arguments)


def test_a_part_without_such_a_number_is_said_so(monkeypatch):
    monkeypatch.setattr(numbers, "split_of", lambda n: "train")
    with pytest.raises(ValueError, match="'test' has no number from 0 to 9"):
        numbers.sample_pairs(1, "test", 0, digits=1)


class TestRoundNumbers:
    def test_one_or_two_digits_and_zeros_behind(self):
        found = [int(pair.digits) for pair in numbers.sample_round_pairs(2000, "train", 0)]
        assert {len(str(n)) for n in found} == set(range(2, 8))
        assert all(len(str(n).rstrip("0")) <= 2 and n % 10 == 0 for n in found)
        assert {10_000, 1_000_000} <= set(found)

    @pytest.mark.parametrize("part", ["train", "validation", "test"])
    def test_they_belong_to_the_part(self, part):
        assert {numbers.split_of(int(pair.digits)) for pair in numbers.sample_round_pairs(300, part, 0)} == {part}

    def test_the_seed_decides(self):
        assert numbers.sample_round_pairs(20, "train", 5) == numbers.sample_round_pairs(20, "train", 5)
        assert numbers.sample_round_pairs(20, "train", 5) != numbers.sample_round_pairs(20, "train", 6)
        assert numbers.sample_round_pairs(0) == []

    def test_what_it_refuses(self):
        with pytest.raises(ValueError, match="part must be"):
            numbers.sample_round_pairs(3, "training")
        with pytest.raises(ValueError, match="n_samples must be at least 0, got -1"):
            numbers.sample_round_pairs(-1)

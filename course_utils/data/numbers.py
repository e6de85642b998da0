"""Numbers from 0 to 9,999,999 in digits, in Sino-Korean words and in English words: lesson 6's translation task.

The words are those of the `num2words` library: 12345 is "만 이천삼백사십오" and "twelve thousand, three hundred and
forty-five". A space stands after 만 (10,000), as article 44 of the Korean orthography asks, and 10,000 is 만, not 일만.
The rule is exact, so every number has one right answer.
"""

import hashlib
import operator
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

LARGEST = 9_999_999
MOST_DIGITS = len(str(LARGEST))
PARTS = ("train", "validation", "test")


class NumberPair(NamedTuple):
    """One number three ways, e.g. ("10001", "만 일", "ten thousand and one")."""

    digits: str
    korean: str
    english: str


def number_pair(n: int) -> NumberPair:
    """The three writings of an integer 0 ≤ n ≤ 9,999,999; raises TypeError or ValueError for anything else."""
    from num2words import num2words

    n = _checked(n)
    return NumberPair(str(n), num2words(n, lang="ko"), num2words(n, lang="en"))


def split_of(n: int) -> str:
    """The part that a number belongs to, fixed by a hash: 80 % "train", 10 % "validation", 10 % "test".

    The hash is SHA-256 of the decimal digits, its first 8 hex digits modulo 10. One exception: 0 belongs to train,
    since no other number has the words 영 and "zero", and nobody can translate a word never seen.
    """
    n = _checked(n)
    tenth = int(hashlib.sha256(str(n).encode()).hexdigest()[:8], 16) % 10
    return "train" if n == 0 else PARTS[max(0, tenth - 7)]


def sample_pairs(
    n_samples: int, part: str = "train", random_state=None, digits: int | Sequence[int] | None = None
) -> list[NumberPair]:
    """Draw numbers of one part, with replacement.

    digits: None draws all numbers of the part alike, nine in ten of which have 7 digits; a number of digits from 1 to
    7, or several, draws first one of these, then a number of so many digits. random_state: a seed, or a
    `numpy.random.Generator`. About 0.1 ms a pair.

    Raises ValueError for another part, a negative n_samples, digits outside 1 … 7, or a part that has no such number.
    """
    _check_draw(n_samples, part)
    rng = np.random.default_rng(random_state)
    if digits is None:
        return [number_pair(n) for n in _draw(n_samples, part, 0, LARGEST + 1, rng)]
    lengths = np.atleast_1d(np.asarray(digits))
    if lengths.size == 0 or lengths.dtype.kind not in "iu" or lengths.min() < 1 or lengths.max() > MOST_DIGITS:
        raise ValueError(f"digits must be integers from 1 to {MOST_DIGITS}, got {digits!r}")
    drawn = rng.choice(lengths, n_samples)
    numbers = np.zeros(n_samples, dtype=np.int64)
    for length in np.unique(drawn).tolist():
        here = drawn == length
        lowest = 0 if length == 1 else 10 ** (length - 1)
        numbers[here] = _draw(int(here.sum()), part, lowest, 10**length, rng)
    return [number_pair(n) for n in numbers.tolist()]


def sample_round_pairs(n_samples: int, part: str = "train", random_state=None) -> list[NumberPair]:
    """Draw round numbers of one part, with replacement: one or two digits with zeros behind, as in 백만 or 2,500.

    They have 2 to 7 digits, each length alike. Drawn with all digits alike, hardly one number in a thousand is round,
    and people say the round ones first. random_state: a seed, or a `numpy.random.Generator`.

    Raises ValueError for another part or a negative n_samples.
    """
    _check_draw(n_samples, part)
    rng = np.random.default_rng(random_state)
    found: list[int] = []
    while len(found) < n_samples:
        zeros = int(rng.integers(1, MOST_DIGITS))
        n = int(rng.integers(1, 100 if zeros < MOST_DIGITS - 1 else 10)) * 10**zeros
        if split_of(n) == part:
            found.append(n)
    return [number_pair(n) for n in found]


def _draw(count: int, part: str, low: int, high: int, rng: np.random.Generator) -> list[int]:
    """count numbers of a part, uniform in low … high−1, by rejection."""
    if high - low <= 10 and part not in map(split_of, range(low, high)):
        raise ValueError(f"part {part!r} has no number from {low} to {high - 1}")
    found: list[int] = []
    while len(found) < count:
        batch = rng.integers(low, high, size=2 * (count - len(found)) + 16)
        found += [n for n in batch.tolist() if split_of(n) == part]
    return found[:count]


def _check_draw(n_samples: int, part: str) -> None:
    if part not in PARTS:
        raise ValueError(f"part must be 'train', 'validation' or 'test', got {part!r}")
    if n_samples < 0:
        raise ValueError(f"n_samples must be at least 0, got {n_samples}")


def _checked(n) -> int:
    try:
        n = operator.index(n)
    except TypeError:
        raise TypeError(f"n must be an integer, got {n!r}") from None
    if not 0 <= n <= LARGEST:
        raise ValueError(f"n must be from 0 to {LARGEST:,}, got {n:,}")
    return n

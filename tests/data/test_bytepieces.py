"""Byte-level BPE: every text is read back, and the pieces are those of the algorithm written out."""

import functools
import re
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.data import bytepieces
from course_utils.data.bytepieces import BYTES, docstring_pieces, docstring_prose, merges_of

# GPT-2's words: contractions, letters, digits or signs with the space before them, other white space.
WORDS = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")
SENTENCE = "Returns the eigenvalues of a (symmetric) matrix;\n\nit doesn't check that.  고유값 123"


@functools.cache
def visible():
    """Byte → the character that BYTES writes for it: itself where it can be seen, else the next free one from 256."""
    seen = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = [byte for byte in range(256) if byte not in seen]
    return {byte: chr(byte) for byte in seen} | {byte: chr(256 + n) for n, byte in enumerate(hidden)}


def words_of(text):
    """The words of a text, each a list of single bytes as BYTES writes them."""
    return [[visible()[byte] for byte in word.encode()] for word in WORDS.findall(text)]


def joined(word, merges):
    """A word after all merges, one after the other, as Sennrich et al. (2016) define them."""
    for left, right in merges:
        done = []
        for piece in word:
            if done and (done[-1], piece) == (left, right):
                done[-1] += piece
            else:
                done.append(piece)
        word = done
    return word


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_is_read_back(text):
    for vocabulary in (256, 4096):
        pieces = docstring_pieces(vocabulary)
        assert pieces.decode(pieces.encode(text)) == text
    assert len(docstring_pieces(256).encode(text)) == len(text.encode())


@pytest.mark.parametrize("vocabulary", [256, 300, 1024, 4096])
def test_the_pieces_are_those_of_the_algorithm(vocabulary):
    merges = [tuple(line.split(" ")) for line in bytepieces.PATH.read_text(encoding="utf-8").splitlines()]
    merges = merges[: vocabulary - 256]
    ids = {piece: i for i, piece in enumerate([*BYTES, *(left + right for left, right in merges)])}
    assert len(docstring_pieces(vocabulary)) == len(ids) == vocabulary
    expected = [ids[piece] for word in words_of(SENTENCE) for piece in joined(word, merges)]
    assert docstring_pieces(vocabulary).encode(SENTENCE).tolist() == expected


@pytest.mark.slow
def test_the_first_pair_is_the_most_frequent_of_the_docstrings():
    pairs = Counter()
    for word, count in Counter(WORDS.findall(docstring_prose("train"))).items():
        for pair in pairwise(word.encode()):
            pairs[pair] += count
    ((most, _),) = pairs.most_common(1)
    first = bytepieces.PATH.read_text(encoding="utf-8").splitlines()[0]
    assert first == " ".join(visible()[byte] for byte in most)


def test_pairs_are_found_in_the_order_of_their_frequency():
    assert merges_of("ab ab abc abc abc", 258) == [("a", "b"), ("Ġ", "ab")]


@pytest.mark.parametrize("vocabulary", [0, 255, 4097])
def test_other_vocabularies_are_named(vocabulary):
    with pytest.raises(ValueError, match=f"vocabulary must be from 256 to 4096; got {vocabulary}"):
        docstring_pieces(vocabulary)

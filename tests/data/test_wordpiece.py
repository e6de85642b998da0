"""WordPiece: its cut against the rule written out, its training by hand, its round trip."""

import pytest

from course_utils.data.wordpiece import (
    MASK,
    PAD,
    PATH,
    PIECES,
    SPECIAL,
    UNKNOWN,
    docstring_tokenizer,
    tokenizer_of,
    train_wordpiece,
)

TEXTS = [
    "Return the array of the given shape, filled with zeros.",
    "Return a new array of given shape and type, filled with ones.",
    "The shapes of the arrays must be the same; otherwise a ValueError is raised.",
    "Reshaping an array does not copy it.",
] * 5


@pytest.fixture(scope="module")
def tokenizer():
    return tokenizer_of(train_wordpiece(TEXTS, 90))


def longest_first(word, vocabulary):
    """The pieces of a word by the rule."""
    pieces, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = "##" * (start > 0) + word[start:end]
            if piece in vocabulary:
                break
        else:
            return ["[UNK]"]
        pieces.append(piece)
        start = end
    return pieces


def test_special_tokens_have_their_ids(tokenizer):
    assert [tokenizer.token_to_id(token) for token in SPECIAL] == list(range(5))
    assert (PAD, UNKNOWN, MASK) == (0, 1, 4)
    assert tokenizer.get_vocab_size() == 90


def test_a_word_is_cut_at_the_longest_piece_that_is_known(tokenizer):
    vocabulary = tokenizer.get_vocab()
    cut = 0
    for word in "array arrays reshaped unfilled the typeface zeros same copying ones".split():
        found = tokenizer.encode(word).tokens
        assert found == longest_first(word, vocabulary)
        cut += len(found) > 1
    assert cut >= 4


def test_frequent_words_are_whole_and_unknown_characters_are_named(tokenizer):
    assert tokenizer.encode("The ARRAY.").tokens == ["the", "array", "."]
    assert tokenizer.encode("한글").ids == [UNKNOWN]


def test_round_trip_of_lower_case_words(tokenizer):
    text = "the reshaped arrays of ones"
    assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_the_masks_name_is_one_token(tokenizer):
    assert tokenizer.encode("the [MASK] of ones").ids[1] == MASK


def test_training_joins_the_most_frequent_pair():
    """By hand: "##b ##c" four times, then "a ##bc" three times."""
    pieces = train_wordpiece(["abc"] * 3 + ["zbc"], 13)
    assert pieces[:5] == list(SPECIAL)
    assert sorted(pieces[5:11]) == ["##b", "##c", "a", "b", "c", "z"]
    assert pieces[11:] == ["##bc", "abc"]


def test_the_shipped_pieces():
    pieces = PATH.read_text(encoding="utf-8").split()
    assert len(pieces) == len(set(pieces)) == PIECES
    tokenizer = docstring_tokenizer()
    assert [tokenizer.id_to_token(i) for i in (0, 4, 500, PIECES - 1)] == [pieces[i] for i in (0, 4, 500, PIECES - 1)]
    text = "return the unbiased estimate of a gaussian's covariance matrix"
    assert tokenizer.decode(tokenizer.encode(text).ids).replace(" ' ", "'") == text
    assert tokenizer.encode("the covariance matrix").tokens == ["the", "covariance", "matrix"]
    # Every character of the corpus is known, so that no word of it is unknown.
    assert UNKNOWN not in tokenizer.encode("abcdefghijklmnopqrstuvwxyz0123456789 .,;:!?()'-/%&=+").ids


def test_special_tokens_come_first():
    with pytest.raises(ValueError, match=r"pieces must begin with \[PAD\], \[UNK\].*; got a, b"):
        tokenizer_of(["a", "b"])


def test_too_few_texts():
    with pytest.raises(ValueError, match=r"these texts yield \d+ pieces; vocabulary asks for 5000"):
        train_wordpiece(TEXTS, 5000)

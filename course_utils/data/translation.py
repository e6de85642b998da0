"""Number words as a translation task of lesson 6: tokens of both languages, single numbers and lists of several.

Korean is cut into syllables (which are its digits and powers of ten), English into words and punctuation. What
separates two numbers of a list is a comma in Korean and a semicolon in English, where numbers have commas of their own:
"one thousand, two hundred" would be one number or two.
"""

import re
from collections.abc import Sequence

import numpy as np
import torch

from .numbers import MOST_DIGITS, sample_pairs, sample_round_pairs

PAD, BEGIN, END = range(3)
SPECIAL = ("[PAD]", "[BEGIN]", "[END]")
DIGITS = range(1, MOST_DIGITS + 1)


class Vocabulary:
    """The tokens of one language, text to ids and back.

    Parameters
    ----------
    tokens : sequence of str, to which [PAD], [BEGIN] and [END] are added in front
    pattern : str, a regular expression whose matches are the tokens; spaces between them count for nothing
    spacing : list of (pattern, replacement), which put a text of tokens with spaces between into its proper form
    """

    def __init__(self, tokens, pattern, spacing):
        self.tokens = (*SPECIAL, *tokens)
        self._ids = {token: i for i, token in enumerate(self.tokens)}
        self._pattern, self._spacing = re.compile(pattern), spacing

    def __len__(self):
        return len(self.tokens)

    def encode(self, text: str) -> list[int]:
        """The ids of a text's tokens. Raises ValueError for one that is not in the vocabulary, and names it."""
        found = self._pattern.findall(text)
        for token in found:
            if token not in self._ids:
                raise ValueError(f"{token!r} in {text!r} is no token of this language: {' '.join(self.tokens[3:])}")
        return [self._ids[token] for token in found]

    def decode(self, ids) -> str:
        """The text of ids up to [END], without [PAD] and [BEGIN]; ids may be a list or a tensor of one dimension."""
        ids = [int(i) for i in ids]
        ids = ids[: ids.index(END)] if END in ids else ids
        text = " ".join(self.tokens[i] for i in ids if i not in (PAD, BEGIN))
        for pattern, replacement in self._spacing:
            text = re.sub(pattern, replacement, text)
        return text


KOREAN = Vocabulary(
    "영일이삼사오육칠팔구십백천만,",
    r"\S",
    [(" ", ""), (r"만(?=[^,])", "만 "), (",", ", ")],  # article 44 of the orthography: a space after 만
)
ENGLISH = Vocabulary(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million "
    "and , - ;".split(),
    r"\w+|[^\w\s]",
    [(" ([,;])", r"\1"), (" - ", "-")],
)
LANGUAGES = {"korean": KOREAN, "english": ENGLISH}
SEPARATOR = {"korean": ", ", "english": "; "}


def sample_lists(n_samples, part="train", numbers: int | Sequence[int] = 1, random_state=None, digits=DIGITS):
    """Draw lists of one part's numbers: ("삼백이십일, 오", "three hundred and twenty-one; five").

    numbers: how many are in a list, or several such lengths, of which one is drawn for each list. digits: of each
    number, all alike. random_state: a seed, or a `numpy.random.Generator`.

    Raises ValueError for a length below 1, and whatever `sample_pairs` refuses.
    """
    rng = np.random.default_rng(random_state)
    lengths = np.atleast_1d(np.asarray(numbers))
    if lengths.size == 0 or lengths.dtype.kind not in "iu" or lengths.min() < 1:
        raise ValueError(f"numbers must be one or several positive integers, got {numbers!r}")
    drawn = rng.choice(lengths, n_samples)
    pairs = iter(sample_pairs(int(drawn.sum()), part, rng, digits))
    lists = [[next(pairs) for _ in range(length)] for length in drawn.tolist()]
    return [
        tuple(SEPARATOR[language].join(getattr(pair, language) for pair in one) for language in LANGUAGES)
        for one in lists
    ]


def pad(rows) -> torch.Tensor:
    """Lists of ids as one tensor of int64, (rows, longest), with PAD behind the shorter ones."""
    longest = max(map(len, rows), default=0)
    return torch.tensor([[*row, *[PAD] * (longest - len(row))] for row in rows], dtype=torch.int64)


class Lists:
    """A training set of lists that are put together when they are asked for, from a pool of numbers.

    ``lists[indices]`` is a batch (source, target), (B, S) and (B, T): the target begins with BEGIN and ends with END.
    All lists of a batch have as many numbers, so that hardly anything is padding. Which number stands where follows
    from the indices alone.

    Parameters
    ----------
    size : int, number of different lists
    pool : int, number of different numbers
    part : "train", "validation" or "test"
    numbers : sequence of int, lengths of lists
    source, target : "korean" or "english"
    digits : sequence of int, lengths of numbers
    rounded : float, share of the pool that is round numbers, of any length
    seed : int
    """

    def __init__(
        self,
        size,
        pool,
        part="train",
        numbers=(1,),
        *,
        source="korean",
        target="english",
        digits=DIGITS,
        rounded=0.0,
        seed=0,
    ):
        self.size, self.numbers, self.seed = size, tuple(numbers), seed
        if size < 1 or pool < 1:
            raise ValueError(f"size and pool must be at least 1; got {size} and {pool}.")
        if not 0 <= rounded <= 1:
            raise ValueError(f"rounded must be a share from 0 to 1; got {rounded}.")
        n_round = round(rounded * pool)
        pairs = sample_pairs(pool - n_round, part, seed, digits) + sample_round_pairs(n_round, part, [seed, 0])
        sides = {"source": source, "target": target}
        for name, language in sides.items():
            if language not in LANGUAGES:
                raise ValueError(f"{name} must be one of {', '.join(LANGUAGES)}; got {language!r}.")
        self._pools = [[LANGUAGES[s].encode(getattr(pair, s)) for pair in pairs] for s in sides.values()]
        self._commas = [LANGUAGES[s].encode(SEPARATOR[s]) for s in sides.values()]

    def __len__(self):
        return self.size

    def __getitem__(self, indices):
        indices = np.atleast_1d(np.asarray(indices)).tolist()
        length = self.numbers[np.random.default_rng([self.seed, indices[0]]).integers(len(self.numbers))]
        chosen = [np.random.default_rng([self.seed, 1 + i]).integers(len(self._pools[0]), size=length) for i in indices]
        rows = []
        for pool, comma in zip(self._pools, self._commas, strict=True):
            rows.append([sum((comma + pool[i] for i in one[1:].tolist()), pool[one[0]]) for one in chosen])
        return pad(rows[0]), pad([[BEGIN, *row, END] for row in rows[1]])

"""Byte-level BPE: every text is a sequence of bytes, and the frequent ones in a row are joined to pieces.

`python -m course_utils.data.bytepieces` finds the docstrings' pieces anew and writes them to data/docstrings.bpe.
"""

import functools
import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from . import cache
from .text import docstrings

BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())  # a visible character for each of the 256
PATH = Path(__file__).parents[2] / "data" / "docstrings.bpe"
LARGEST = 4096  # pieces that the file has


class BytePieces:
    """Pieces and their ids; the first 256 are the bytes, so that every text can be written and read back.

    Byte-pair encoding (Sennrich, Haddow and Birch 2016) on bytes, within words, as in GPT-2 (Radford et al. 2019).

    Parameters
    ----------
    merges : sequence of (str, str), in the order in which pairs are joined, bytes written as in BYTES
    """

    def __init__(self, merges):
        pieces = [*BYTES, *(left + right for left, right in merges)]
        self._tokenizer = Tokenizer(models.BPE({piece: i for i, piece in enumerate(pieces)}, list(merges)))
        self._tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        self._tokenizer.decoder = decoders.ByteLevel()

    def __len__(self):
        return self._tokenizer.get_vocab_size()

    def encode(self, text):
        """The ids of a text's pieces, (n,) of int64."""
        return torch.tensor(self._tokenizer.encode(text).ids, dtype=torch.int64)

    def decode(self, ids):
        """The text of a list or a tensor of ids; bytes that are no UTF-8 become the replacement character."""
        return self._tokenizer.decode([int(i) for i in ids])


@functools.cache
def docstring_pieces(vocabulary):
    """The docstrings' first ``vocabulary`` pieces: those of a smaller vocabulary are among those of a larger one.

    Raises ValueError unless there are from 256, the bytes alone, to 4,096.
    """
    if not len(BYTES) <= vocabulary <= LARGEST:
        raise ValueError(f"vocabulary must be from {len(BYTES)} to {LARGEST}; got {vocabulary}.")
    lines = PATH.read_text(encoding="utf-8").splitlines()
    return BytePieces([tuple(line.split(" ")) for line in lines[: vocabulary - len(BYTES)]])


def docstring_prose(part):
    """The English sentences of the docstrings, an empty line between documents: one str."""
    documents = (" ".join(document.sentences) for document in docstrings(part).documents)
    return "\n\n".join(filter(None, documents))


def merges_of(text, vocabulary):
    """The pairs that byte-pair encoding joins in a text until there are ``vocabulary`` pieces, in order.

    The tokenizers library chooses between equally frequent pairs by chance: a model and its pieces belong together.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, initial_alphabet=BYTES, show_progress=False)
    tokenizer.train_from_iterator([text], trainer)
    return [tuple(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]


def main():
    """Find the docstrings' pieces in the training part and write them, a pair a line."""
    merges = merges_of(docstring_prose("train"), LARGEST)
    cache.write(PATH, "".join(f"{left} {right}\n" for left, right in merges).encode("utf-8"))


if __name__ == "__main__":
    main()

"""What BERT's next sentence prediction is asked: whether the second text follows the first, or comes from elsewhere."""

import numpy as np
import torch

from .wordpiece import CLS, PAD, SEP


class SentencePairs:
    """A training set of pairs that are put together when they are asked for: [CLS] A [SEP] B [SEP].

    ``pairs[indices]`` is a batch: tokens (B, T) and segments (B, T), 0 up to the first [SEP] and 1 after it, padded to
    the longest of the batch, and label (B,): 0 where B is what follows A, 1 where it is not, each with probability ½.
    B of another document begins, as the true one does, behind some other sentence: otherwise a document's first
    sentence, which is unlike the others, would give the answer away. Which pair has which index follows from the seed.

    Parameters
    ----------
    documents : sequence of sequences of str, sentences in order; those of a single sentence are left out
    tokenizer : tokenizers.Tokenizer, see ``wordpiece``
    length : int, most tokens of a pair; A is cut at its beginning, B at its end, the longer one first
    size : int, number of different pairs
    seed : int

    Raises
    ------
    ValueError
        If fewer than two documents have two sentences, or length leaves no room for both.
    """

    def __init__(self, documents, tokenizer, *, length=128, size=2**20, seed=0):
        documents = [sentences for sentences in documents if len(sentences) > 1]
        if len(documents) < 2:
            raise ValueError(f"at least two documents must have two sentences or more; {len(documents)} have.")
        if length < 5:
            raise ValueError(f"length must be at least 5, for [CLS] A [SEP] B [SEP]; got {length}.")
        self.length, self.size, self.seed = length, size, seed
        pieces = iter(tokenizer.encode_batch([s for sentences in documents for s in sentences]))
        self._documents = [[next(pieces).ids for _ in sentences] for sentences in documents]
        counts = [len(sentences) - 1 for sentences in documents]
        self._document_of = np.repeat(np.arange(len(documents)), counts)  # of each place between two sentences
        self._sentence_of = np.concatenate([np.arange(1, n + 1) for n in counts])  # with which it goes on there

    def __len__(self):
        return self.size

    def __getitem__(self, indices):
        pairs = [self.pair(int(i)) for i in np.atleast_1d(np.asarray(indices))]
        tokens, segments = _padded([(first, second) for first, second, _ in pairs])
        return tokens, segments, torch.tensor([label for *_, label in pairs])

    def pair(self, index):
        """[CLS] A [SEP] and B [SEP] as lists of ids, and the label."""
        rng = np.random.default_rng([self.seed, index])
        place, label = rng.integers(len(self._document_of)), int(rng.integers(2))
        document, k = self._document_of[place], self._sentence_of[place]
        first = [i for sentence in self._documents[document][:k] for i in sentence]
        if label:
            others = np.flatnonzero(self._document_of != document)
            place = rng.choice(others)
            document, k = self._document_of[place], self._sentence_of[place]
        second = [i for sentence in self._documents[document][k:] for i in sentence]
        room = self.length - 3
        a = max(room - len(second), (room + 1) // 2)
        first = first[max(len(first) - a, 0) :]
        return [CLS, *first, SEP], [*second[: room - len(first)], SEP], label


def pack(pairs, length):
    """[CLS] A [SEP] B [SEP] for each pair of texts, or [CLS] A [SEP] where there is no B, and which token is of B.

    Parameters
    ----------
    pairs : sequence of (A, B), lists of ids; B may be None
    length : int, most tokens of a row; the longer text is cut at its end

    Returns
    -------
    tokens, segments : (n, T) of int64 twice, padded to the longest row; segments are 0 up to the first [SEP], 1 for B

    Raises
    ------
    ValueError
        If length leaves no room for both texts.
    """
    if length < 5:
        raise ValueError(f"length must be at least 5, for [CLS] A [SEP] B [SEP]; got {length}.")
    rows = []
    for first, second in pairs:
        if second is None:
            rows.append(([CLS, *first[: length - 2], SEP], []))
            continue
        room = length - 3
        a = max(room - len(second), min(len(first), (room + 1) // 2))
        rows.append(([CLS, *first[:a], SEP], [*second[: room - min(len(first), a)], SEP]))
    return _padded(rows)


def _padded(rows):
    tokens = torch.full((len(rows), max(len(first) + len(second) for first, second in rows)), PAD)
    segments = torch.zeros_like(tokens)
    for row, (first, second) in enumerate(rows):
        a, b = len(first), len(first) + len(second)
        tokens[row, :b] = torch.tensor(first + second)
        segments[row, a:b] = 1
    return tokens, segments

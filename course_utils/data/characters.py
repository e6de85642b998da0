"""Text by characters, and windows of it, for language models that predict the next one."""

import string

import torch


class Alphabet:
    """Characters and their ids, by their place in ``characters``, a str without repetition."""

    def __init__(self, characters):
        self.characters = characters
        self._ids = {character: i for i, character in enumerate(characters)}

    def __len__(self):
        return len(self.characters)

    def encode(self, text):
        """The ids of a text's characters, (n,) of int64. Raises ValueError for characters that are not in it."""
        if unknown := sorted(set(text) - self._ids.keys()):
            raise ValueError(f"the alphabet lacks {unknown}; it has {self.characters!r}.")
        return torch.tensor([self._ids[character] for character in text], dtype=torch.int64)

    def decode(self, ids):
        """The text of a list or a tensor of ids."""
        return "".join(self.characters[int(i)] for i in ids)


SHAKESPEARE = Alphabet("\n !$&',-.3:;?" + string.ascii_uppercase + string.ascii_lowercase)  # tiny Shakespeare's 65


class Windows:
    """All stretches of ``length`` + 1 tokens: ``windows[indices]`` is (B, length + 1), inputs and their successors.

    Parameters
    ----------
    tokens : (n,) of int
    length : int
    stride : int, from the beginning of one to that of the next; ``length`` makes their predictions not overlap

    Raises
    ------
    ValueError
        If there are not length + 1 tokens.
    """

    def __init__(self, tokens, length, stride=1):
        if len(tokens) <= length:
            raise ValueError(f"there must be more than {length} tokens for windows of that length; got {len(tokens)}.")
        self._windows = tokens.unfold(0, length + 1, stride)  # a view

    def __len__(self):
        return len(self._windows)

    def __getitem__(self, indices):
        return self._windows[indices]

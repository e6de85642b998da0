"""Numbers that say how good a model is, each one value per example."""

from torch.nn import functional as F


def exact_match(found, wanted, *, pad=0):
    """Which rows are the same tokens from first to last: (B, n) and (B, m) of int, padded behind → (B,) of bool."""
    length = max(found.shape[1], wanted.shape[1])
    found, wanted = (F.pad(rows, (0, length - rows.shape[1]), value=pad) for rows in (found, wanted))
    return (found == wanted).all(dim=1)

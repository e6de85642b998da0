"""What may happen to queries and keys before they meet: rotary positions, and a norm; lessons 7 and 8 share it."""

import torch
from torch import nn
from torch.nn import functional as F


class QueryKey(nn.Module):
    """Queries and keys of a self-attention, normalised and turned.

    Parameters
    ----------
    width : int, d/H, even where there are rotary positions
    length : int, positions that there are angles for
    normalise : bool, queries and keys get the root mean square 1, so that no score exceeds √(d/H)
    rotate : bool, they are turned by an angle in proportion to the position, so that their product depends on the
        distance (Su et al. 2021, "RoFormer", section 3.2)
    base : float, the slowest pair turns 1/base as fast as the quickest, nearly
    """

    def __init__(self, width, length, *, normalise, rotate, base=10_000.0):
        super().__init__()
        if rotate and width % 2:
            raise ValueError(f"rotary positions turn pairs: the width of a head must be even; got {width}.")
        self.normalise, self.rotate = normalise, rotate
        pairs = width // 2
        rates = base ** (-torch.arange(pairs, dtype=torch.float64) / pairs)
        angles = torch.arange(length)[:, None] * rates  # (length, d/2H)
        self.register_buffer("cos", angles.cos().float(), persistent=False)
        self.register_buffer("sin", angles.sin().float(), persistent=False)

    def forward(self, query, key, start):
        """(B, H, T, d/H) twice → the same; the first token stands at position ``start``."""
        return self._prepared(query, start), self._prepared(key, start)

    def _prepared(self, x, start):
        if self.normalise:
            x = F.rms_norm(x, x.shape[-1:])
        if self.rotate:
            cos, sin = (table[start : start + x.shape[2]].type_as(x) for table in (self.cos, self.sin))  # (T, d/2H)
            a, b = x.chunk(2, dim=-1)  # the pairs (a_i, b_i) are turned: RoFormer's eq. 34
            x = torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)
        return x


def query_key(config):
    """What a configuration asks for with ``query_key_norm`` and ``positions``; None where it asks for nothing."""
    rotate = config.positions == "rotary"
    if not (rotate or config.query_key_norm):
        return None
    options = {"normalise": config.query_key_norm, "rotate": rotate, "base": config.rotary_base}
    return QueryKey(config.d // config.heads, config.length, **options)

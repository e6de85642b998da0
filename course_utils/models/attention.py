"""Attention, and the block that every Transformer is a stack of; lessons 6, 7 and 8 share them.

In a mask True means "may attend". It broadcasts against the scores, (B, H, T, S): queries, then keys.
"""

import contextlib
import math

import torch
from torch import nn
from torch.nn import functional as F


def attention(query, key, value, mask=None):
    """softmax(Q Kᵀ / √d) V, written out (Vaswani et al. 2017, eq. 1).

    Parameters
    ----------
    query : (…, T, d)
    key : (…, S, d)
    value : (…, S, d_v)
    mask : bool, broadcasts against (…, T, S), True = may attend; None hides nothing

    Returns
    -------
    output : (…, T, d_v), zeros for a query that may attend to nothing
    weights : (…, T, S); each row sums to one, or is all zeros where everything is hidden

    Raises ValueError if the mask is not boolean.
    """
    scores = torch.einsum("...td,...sd->...ts", query / math.sqrt(query.shape[-1]), key)  # (…, T, S)
    if mask is not None:  # the slides' "very large negative number", whose exp is exactly 0
        large = torch.finfo(scores.dtype).min
        scores = scores + torch.zeros_like(mask, dtype=scores.dtype).masked_fill(~_checked(mask), large)
    weights = scores.softmax(dim=-1)
    if mask is not None and not mask.any(dim=-1).all():  # a row with nothing else would be uniform
        weights = weights * mask.any(dim=-1, keepdim=True)
    return torch.einsum("...ts,...sv->...tv", weights, value), weights


def fused_attention(query, key, value, mask=None, *, causal=False):
    """The output of ``attention``, computed block by block without keeping the (T, S) weights.

    causal hides from each query the keys after it; it needs T = S and excludes a mask.
    """
    mask = None if mask is None else _checked(mask)
    return F.scaled_dot_product_attention(query, key, value, mask, is_causal=causal)


def causal_mask(queries, keys=None, device=None):
    """(queries, keys) of bool: the queries are the last of the keys, and each may attend to itself and those before."""
    keys = keys or queries
    return torch.ones(queries, keys, dtype=torch.bool, device=device).tril(keys - queries)


class MultiHeadAttention(nn.Module):
    """Attention in ``heads`` subspaces of width d/H at once: "several features at a time" (their section 3.2.2).

    Parameters
    ----------
    d : int, width of a token's vector
    heads : int, a divisor of d
    prepare : None, or what is done to queries and keys of a self-attention before they meet: a function (query, key,
        start) → (query, key), (B, H, T, d/H) twice, where ``start`` is the position of the first token

    Attributes
    ----------
    project : Linear, d → 3d: queries, keys and values of all heads, one above the other
    out : Linear, d → d
    record : None, or a function that is given the weights, (B, H, T, S); attention is then written out

    Raises ValueError if heads does not divide d.
    """

    def __init__(self, d, heads, *, prepare=None):
        super().__init__()
        if heads < 1 or d % heads:
            raise ValueError(f"heads must divide the width d = {d}; got {heads}.")
        self.heads, self.record, self.prepare = heads, None, prepare
        self.project, self.out = nn.Linear(d, 3 * d), nn.Linear(d, d)

    def forward(self, x, memory=None, mask=None, *, causal=False, cache=None):
        """Each token of x attends to x, or to memory: cross-attention.

        x : (B, T, d), and memory : (B, S, d) or None → (B, T, d)
        mask : bool, broadcasts against (B, H, T, S), True = may attend
        causal : bool, hide from each token those after it
        cache : decoding.Cache or None; the tokens of x follow those in it, and that of a memory is filled only once
        """
        if memory is None:
            query, key, value = self.split_heads(self.project(x))  # (B, H, T, d/H) each
            if self.prepare is not None:
                query, key = self.prepare(query, key, 0 if cache is None else cache.size)
            if cache is not None:
                key, value = cache.append(key, value)  # (B, H, S, d/H)
        else:
            weight, bias, d = self.project.weight, self.project.bias, x.shape[-1]
            (query,) = self.split_heads(F.linear(x, weight[:d], bias[:d]))
            if cache is None or cache.size == 0:
                key, value = self.split_heads(F.linear(memory, weight[d:], bias[d:]))  # (B, H, S, d/H)
            if cache is not None:
                key, value = cache.append(key, value) if cache.size == 0 else cache.read()
        output = self._attend(query, key, value, mask, causal)  # (B, H, T, d/H)
        return self.out(output.transpose(1, 2).flatten(2))  # heads side by side: (B, T, d)

    def split_heads(self, x):
        """(B, T, k·d) → k times (B, H, T, d/H)."""
        batch, length, _ = x.shape
        width = self.out.in_features // self.heads
        return x.view(batch, length, -1, self.heads, width).permute(2, 0, 3, 1, 4).unbind()

    def _attend(self, query, key, value, mask, causal):
        queries, keys = query.shape[2], key.shape[2]
        causal = causal and queries > 1  # from the last token nothing is hidden
        # torch 2.13's fused gradient on a CPU: five times as slow in bfloat16 as in float32. Written out it is not.
        written_out = self.record or (query.dtype == torch.bfloat16 and query.device.type == "cpu")
        if causal and (mask is not None or keys > queries or written_out):
            allowed = causal_mask(queries, keys, query.device)
            mask, causal = (allowed if mask is None else mask & allowed), False
        if not written_out:
            return fused_attention(query, key, value, mask, causal=causal)
        output, weights = attention(query, key, value, mask)
        if self.record:
            self.record(weights.detach())
        return output


class Block(nn.Module):
    """Self-attention, perhaps cross-attention, and an MLP, each with a residual connection and a norm.

    Parameters
    ----------
    d, heads, mlp : int, width, heads, width inside the MLP
    cross : bool, True adds attention to a memory: a decoder's block in an encoder–decoder
    norm_first : bool, True is x + f(norm(x)), "pre-norm"; False norm(x + f(x)), "post-norm", the paper's
    dropout : float, share of a sub-layer's output that is dropped in training (their section 5.4)
    activation : callable that makes the MLP's nonlinearity
    norm : callable that makes a norm of width d
    prepare : as in MultiHeadAttention, for the self-attention
    """

    def __init__(
        self, d, heads, mlp, *,
        cross=False, norm_first=True, dropout=0.0, activation=nn.ReLU, norm=nn.LayerNorm, prepare=None,
    ):  # fmt: skip
        super().__init__()
        self.norm_first = norm_first
        self.attention, self.attention_norm = MultiHeadAttention(d, heads, prepare=prepare), norm(d)
        if cross:
            self.cross, self.cross_norm = MultiHeadAttention(d, heads), norm(d)
        self.mlp, self.mlp_norm = nn.Sequential(nn.Linear(d, mlp), activation(), nn.Linear(mlp, d)), norm(d)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, memory=None, *, mask=None, memory_mask=None, causal=False, caches=(None, None)):
        """(B, T, d) → (B, T, d); masks and causal as in MultiHeadAttention; caches of x and of the memory."""
        own, other = caches
        x = self._residual(x, self.attention_norm, lambda y: self.attention(y, None, mask, causal=causal, cache=own))
        if memory is not None:
            x = self._residual(x, self.cross_norm, lambda y: self.cross(y, memory, memory_mask, cache=other))
        return self._residual(x, self.mlp_norm, self.mlp)

    def _residual(self, x, norm, sublayer):
        if self.norm_first:
            return x + self.dropout(sublayer(norm(x)))
        return norm(x + self.dropout(sublayer(x)))


@contextlib.contextmanager
def recorded(model):
    """Inside it attention is written out and its weights are kept; gives a dictionary that fills as the model runs.

    Name of each MultiHeadAttention in the model → (B, H, T, S), the weights of its last call.
    """
    maps = {}
    layers = {name: layer for name, layer in model.named_modules() if isinstance(layer, MultiHeadAttention)}
    try:
        for name, layer in layers.items():
            layer.record = lambda weights, name=name: maps.__setitem__(name, weights)
        yield maps
    finally:
        for layer in layers.values():
            layer.record = None


def _checked(mask):
    if mask.dtype != torch.bool:
        raise ValueError(f"mask must be boolean, True = may attend; got {mask.dtype}.")
    return mask

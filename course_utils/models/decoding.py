"""Decoding, a token at a time: the cache that saves computing the past again, greedy and beam search, and sampling."""

from typing import NamedTuple

import torch
from torch.nn import functional as F


class Cache:
    """Keys and values that one attention layer has computed, so that a later token need not compute them again.

    Parameters
    ----------
    length : int, tokens that it can hold; the buffers are made once, at the first ``append``
    """

    def __init__(self, length):
        self.length, self.size = length, 0

    def append(self, key, value):
        """Add (B, H, t, d/H) twice; returns all so far, (B, H, size, d/H) twice. Raises ValueError where it is full."""
        start, self.size = self.size, self.size + key.shape[2]
        if self.size > self.length:
            raise ValueError(f"the cache holds {self.length} tokens; this would be number {self.size}.")
        if start == 0:
            self.key, self.value = (t.new_empty(t.shape[0], t.shape[1], self.length, t.shape[3]) for t in (key, value))
        self.key.narrow(2, start, key.shape[2]).copy_(key)  # as self.key[:, :, start:size] = key, in half the time
        self.value.narrow(2, start, key.shape[2]).copy_(value)
        return self.read()

    def read(self):
        """Keys and values so far, (B, H, size, d/H) twice."""
        return self.key.narrow(2, 0, self.size), self.value.narrow(2, 0, self.size)

    def reorder(self, rows):
        """Row i goes on with the past of row rows[i], (B,) of int: what a beam search needs."""
        past = self.key[rows, :, : self.size], self.value[rows, :, : self.size]
        self.key[:, :, : self.size], self.value[:, :, : self.size] = past


class Translation(NamedTuple):
    """``tokens``: (B, n), padded after the end token. ``log_prob``: (B,), log p(tokens, end included) in nats."""

    tokens: torch.Tensor
    log_prob: torch.Tensor


def beam_search(step, rows, *, beams=1, begin, end, pad, max_length, device=None):
    """Keep the ``beams`` most probable beginnings of each row, one token longer at each step; one beam is greedy.

    Parameters
    ----------
    step : function of tokens and parents, (rows · beams,) of int each, that gives logits (rows · beams, V): the tokens
        go on from the past of their parents, those rows of the step before
    rows : int, sequences to find
    begin, end, pad : int, the tokens that begin, end and fill a sequence
    max_length : int, most tokens, the end token included; what has not ended there is given as it is

    Returns
    -------
    Translation

    Raises
    ------
    ValueError
        If beams or max_length is not positive.
    """
    if beams < 1 or max_length < 1:
        raise ValueError(f"beams and max_length must be at least 1; got {beams} and {max_length}.")
    score = torch.zeros(rows, beams, device=device)
    score[:, 1:] = -torch.inf  # all beams begin alike, so the first step chooses from one of them
    tokens = torch.full((rows * beams,), begin, device=device)
    parents = torch.arange(rows * beams, device=device)
    first = parents.view(rows, beams)[:, :1]  # (rows, 1), where the beams of a row begin
    found, done = tokens.new_empty(rows * beams, 0), torch.zeros_like(tokens, dtype=torch.bool)
    while found.shape[1] < max_length and not done.all():
        log_p = step(tokens, parents).log_softmax(dim=-1)  # (rows · beams, V)
        log_p[done] = -torch.inf  # a beam that has ended goes on with padding alone, which costs nothing
        log_p[done, pad] = 0.0
        candidates = (score.view(rows, beams, 1) + log_p.view(rows, beams, -1)).flatten(1)  # (rows, beams · V)
        score, best = candidates.topk(beams)
        parents = (first + best // log_p.shape[-1]).flatten()
        tokens = (best % log_p.shape[-1]).flatten()
        found = torch.cat([found[parents], tokens[:, None]], dim=1)
        done = done[parents] | (tokens == end)
    return Translation(found[first[:, 0]], score[:, 0])  # topk sorts: the first beam is the best


def next_token_probabilities(logits, temperature=1.0, top_k=None, top_p=None):
    """What the next token is drawn from: softmax(logits / temperature), cut to the likeliest tokens, (…, V) → (…, V).

    Parameters
    ----------
    logits : (…, V)
    temperature : float, below 1 sharper, above 1 flatter; 0 is all on the likeliest
    top_k : int or None, keep the k likeliest
    top_p : float or None, of these the fewest that have the probability p together: the "nucleus" (Holtzman et al.
        2020, "The curious case of neural text degeneration", section 3.1)

    Raises
    ------
    ValueError
        If temperature is negative, top_k is not positive, or top_p not in (0, 1].
    """
    if temperature < 0 or (top_k is not None and top_k < 1) or (top_p is not None and not 0 < top_p <= 1):
        raise ValueError(
            f"temperature must be at least 0, top_k at least 1, top_p in (0, 1]; got {temperature}, {top_k}, {top_p}."
        )
    if temperature == 0:
        return F.one_hot(logits.argmax(dim=-1), logits.shape[-1]).type_as(logits)
    logits = logits / temperature
    if top_k is not None:
        least = logits.topk(min(top_k, logits.shape[-1])).values[..., -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    p = logits.softmax(dim=-1)
    if top_p is not None:
        ordered, order = p.sort(descending=True, stable=True)
        before = ordered.cumsum(dim=-1) - ordered  # of the likelier ones together
        p = p.masked_fill((before >= top_p).gather(-1, order.argsort()), 0.0)
        p = p / p.sum(dim=-1, keepdim=True)
    return p


def penalise_repetition(logits, tokens, penalty):
    """Logits with those of the tokens that there have been made less likely, (B, V) and (B, T) of int → (B, V).

    Positive ones are divided by the penalty, negative ones multiplied with it. Keskar et al. (2019, "CTRL", section
    4.1) divide all, which makes a token with a negative logit likelier; the transformers library does as is done here.

    Raises ValueError if the penalty is not positive; 1 changes nothing, above 1 repetition becomes rarer.
    """
    if not penalty > 0:
        raise ValueError(f"penalty must be positive; got {penalty}.")
    there = logits.gather(-1, tokens)  # (B, T); a token that was there twice is penalised once
    return logits.scatter(-1, tokens, torch.where(there > 0, there / penalty, there * penalty))

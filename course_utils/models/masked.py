"""What can be done with p(x_t | all others) alone: fill gaps, score a text, and walk from text to text.

Each function takes ``log_p``: tokens (B, T) with gaps → log p of what stands at each position, (B, T, V) in nats. It
may be a BERT's or an exact answer's. Only the exact one is sure to have a joint distribution p(x) behind it.
"""

from typing import NamedTuple

import torch


class Candidate(NamedTuple):
    """What may stand in a gap, and its probability."""

    piece: str
    probability: float


def fill_mask(log_p, tokenizer, text, k=5):
    """The k most probable pieces for each [MASK] of a text.

    Parameters
    ----------
    log_p : function, (1, T) → (1, T, V)
    tokenizer : tokenizers.Tokenizer with [CLS], [SEP] and [MASK]
    text : str, one sentence or several, as in "Return the [MASK] of the array."
    k : int

    Returns
    -------
    list, for each [MASK] in order a list of k Candidates, the most probable first

    Raises
    ------
    ValueError
        If the text has no [MASK].
    """
    cls, sep, mask = (tokenizer.token_to_id(name) for name in ("[CLS]", "[SEP]", "[MASK]"))
    ids = [cls, *tokenizer.encode(text).ids, sep]
    gaps = [t for t, piece in enumerate(ids) if piece == mask]
    if not gaps:
        raise ValueError(f"text must have a [MASK] to fill; got {text!r}.")
    with torch.no_grad():
        best = log_p(torch.tensor([ids]))[0, gaps].exp().topk(k)  # (gaps, k)
    return [
        [Candidate(tokenizer.id_to_token(piece), p) for p, piece in zip(*row)]
        for row in zip(best.values.tolist(), best.indices.tolist())
    ]


@torch.no_grad()
def pseudo_log_likelihood(log_p, tokens, mask, positions=None):
    """Σ_t log p(x_t | all others), each position hidden in turn: (B, T) → (B,) in nats.

    It is no log p(x): each token helps to guess its neighbours and is then guessed with their help (Besag 1975,
    "Statistical analysis of non-lattice data"; Salazar et al. 2020, "Masked language model scoring").

    Parameters
    ----------
    log_p : function, (B, T) → (B, T, V)
    tokens : (B, T) of int
    mask : int, the id of [MASK]
    positions : sequence of int, those that count; None is all
    """
    total = 0.0
    for t in range(tokens.shape[1]) if positions is None else positions:
        shown = tokens.clone()
        shown[:, t] = mask
        total = total + log_p(shown)[:, t].gather(1, tokens[:, t, None])[:, 0]
    return total


@torch.no_grad()
def gibbs(log_p, tokens, mask, sweeps, *, positions=None, generator=None):
    """Hide one position after the other and draw it anew from p(x_t | all others): Gibbs sampling.

    With the conditionals of one joint distribution the texts become draws from it, whatever they were at the beginning
    (Geman and Geman 1984). A BERT's conditionals need not agree with one another: the chain goes somewhere, but where
    is written nowhere (Wang and Cho 2019, "BERT has a mouth, and it must speak", with Cho's later correction).

    Parameters
    ----------
    log_p : function, (B, T) → (B, T, V)
    tokens : (B, T) of int, where the chains begin; positions that are to be forgotten may hold [MASK]
    mask : int, the id of [MASK]
    sweeps : int, how often each position is drawn
    positions : sequence of int, those that are drawn, in this order; None is all from left to right
    generator : torch.Generator

    Returns
    -------
    (sweeps + 1, B, T), the beginning and what stands there after each sweep
    """
    tokens = tokens.clone()
    states = [tokens.clone()]
    for _ in range(sweeps):
        for t in range(tokens.shape[1]) if positions is None else positions:
            tokens[:, t] = mask
            tokens[:, t] = torch.multinomial(log_p(tokens)[:, t].exp(), 1, generator=generator)[:, 0]
        states.append(tokens.clone())
    return torch.stack(states)

"""What BERT's masked language model is asked: some tokens are chosen, and most of them hidden."""

import torch

CHOSEN = 0.15  # of the tokens (Devlin et al. 2019, section 3.1)
HIDDEN, RANDOM = 0.8, 0.1  # of the chosen ones: [MASK], any token; the rest stays as it is


def mask_tokens(tokens, maskable, *, mask, vocabulary, rate=CHOSEN, hidden=HIDDEN, random=RANDOM, generator=None):
    """Choose tokens, and replace of the chosen ones 80 % by [MASK] and 10 % by a random token; 10 % stay.

    The model is asked for the chosen ones, which it cannot tell from the others where they stay: so it must make
    something of every token, and not of [MASK] alone, which no later task will show it. One number decides the fate of
    a token: two draws of 10 % each would give 81, 10 and 9 %.

    Parameters
    ----------
    tokens : (B, T) of int
    maskable : (B, T) of bool, True where a token may be chosen: no [CLS], no [SEP], no padding
    mask : int, the id of [MASK]
    vocabulary : int, random tokens are drawn from 0 … vocabulary − 1
    rate : float, or (B, 1), the probability that a token is chosen
    hidden, random : float, shares of the chosen ones; 1 and 0 leave [MASK] alone
    generator : torch.Generator

    Returns
    -------
    shown : (B, T) of int, what the model reads
    chosen : (B, T) of bool, where it is asked for what stood in ``tokens``

    Raises
    ------
    ValueError
        If maskable is not bool of the tokens' shape, or the shares are no probabilities.
    """
    if maskable.shape != tokens.shape or maskable.dtype != torch.bool:
        raise ValueError(
            f"maskable must be bool of the tokens' shape {tuple(tokens.shape)}; got {tuple(maskable.shape)} of "
            f"{maskable.dtype}."
        )
    if min(hidden, random) < 0 or hidden + random > 1:
        raise ValueError(f"hidden and random must be shares of one whole; got {hidden} and {random}.")
    shape, device = tokens.shape, tokens.device
    chosen = maskable & (torch.rand(shape, generator=generator, device=device) < rate)
    fate = torch.rand(shape, generator=generator, device=device)
    anything = torch.randint(vocabulary, shape, generator=generator, device=device)
    shown = torch.where(chosen & (fate < hidden), mask, tokens)
    return torch.where(chosen & (hidden <= fate) & (fate < hidden + random), anything, shown), chosen

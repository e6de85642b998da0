"""Optimisers and a schedule that several recipes share."""

import math

import torch


def adamw(parameters, rate, *, weight_decay, betas):
    """AdamW that lets matrices decay, but neither biases nor gains, which have nothing to be small for."""
    parameters = list(parameters)
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=rate, betas=betas)


def muon_and_adamw(model, hidden, rate, muon_rate, *, weight_decay, betas):
    """Muon for the matrices of ``hidden``, a part of the model; AdamW for all else: embeddings, heads, biases, gains.

    Muon makes a matrix's step orthogonal, so that it moves in all directions alike (Jordan et al. 2024, "Muon: an
    optimizer for hidden layers in neural networks"). Embeddings and heads are tables of rows and not for it.
    """
    matrices = [p for p in hidden.parameters() if p.ndim == 2]
    taken = set(map(id, matrices))
    rest = [p for p in model.parameters() if id(p) not in taken]
    return [
        torch.optim.Muon(matrices, lr=muon_rate, weight_decay=weight_decay, momentum=0.95),
        adamw(rest, rate, weight_decay=weight_decay, betas=betas),
    ]


def adamw_or_muon(model, config):
    """What ``config.optimiser`` names: "adamw" for all, or "muon" for the matrices of ``model.blocks``.

    Raises ValueError for another name.
    """
    options = {"weight_decay": config.weight_decay, "betas": (0.9, config.beta2)}
    if config.optimiser == "muon":
        return muon_and_adamw(model, model.blocks, config.rate, config.muon_rate, **options)
    if config.optimiser != "adamw":
        raise ValueError(f"optimiser must be adamw or muon; got {config.optimiser!r}.")
    return adamw(model.parameters(), config.rate, **options)


def warm_linear(optimiser, steps, warmup, final=0.0):
    """Up along a line for ``warmup`` steps, then down along another to ``final``, a share of the rate."""

    def factor(step):
        down = final + (1 - final) * (steps - min(step, steps)) / max(steps - warmup, 1)
        return min((step + 1) / (warmup + 1), down)

    return torch.optim.lr_scheduler.LambdaLR(optimiser, factor)


def warm_cosine(optimiser, steps, warmup, final=0.0):
    """Up along a line for ``warmup`` steps, then down along half a cosine to ``final``, a share of the rate."""

    def factor(step):
        if step < warmup:
            return (step + 1) / (warmup + 1)
        progress = min((step - warmup) / max(steps - warmup, 1), 1.0)
        return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * progress))

    return torch.optim.lr_scheduler.LambdaLR(optimiser, factor)

"""The autoencoder with Muon on its hidden matrices and AdamW on all other parameters."""

import torch

from course_utils.recipes.autoencoder import PRESETS, Config, data, evaluate, loss, model, schedule  # noqa: F401


def optimiser(model, config):
    """A list of two."""
    first, last = model.encoder[0].weight, model.decoder[-1].weight
    hidden = [p for p in model.parameters() if p.ndim == 2 and p is not first and p is not last]
    others = [p for p in model.parameters() if all(p is not one for one in hidden)]
    return [torch.optim.Muon(hidden, lr=10 * config.rate), torch.optim.AdamW(others, lr=config.rate)]

"""The autoencoder with Muon on its hidden matrices and AdamW on all other parameters."""

import torch

from course_utils.recipes.autoencoder import PRESETS, Config, data, evaluate, loss, model, schedule  # noqa: F401


def optimiser(autoencoder, config):
    """A list of two."""
    first, last = autoencoder.encoder[0].weight, autoencoder.decoder[-1].weight
    hidden = [p for p in autoencoder.parameters() if p.ndim == 2 and p is not first and p is not last]
    others = [p for p in autoencoder.parameters() if all(p is not one for one in hidden)]
    return [torch.optim.Muon(hidden, lr=10 * config.rate), torch.optim.AdamW(others, lr=config.rate)]

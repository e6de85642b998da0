"""A game of two losses, each with optimisers and schedules of its own: momentum, Muon and AdamW."""

import torch
from torch import nn
from torch.nn.functional import softplus

from course_utils.training.config import Config

PRESETS = {"small": Config(steps=30, batch_size=8, rate=1e-2)}


def model(config):
    """A generator of pairs of numbers, and a discriminator."""
    return nn.ModuleDict(
        {
            "generator": nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2)),
            "discriminator": nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, 1)),
        }
    )


def data(config, source=None):
    """Pairs, with the square of their first number in a tensor of its own."""
    x = torch.randn(40, 2, generator=torch.Generator().manual_seed(1))
    dataset = torch.utils.data.TensorDataset(x, x[:, 0] ** 2)
    return dataset, dataset


def _samples(model, batch, generator):
    return model["generator"](torch.randn(len(batch[0]), 3, generator=generator))


def _discriminator(model, batch, generator):
    real, fake = model["discriminator"](batch[0]), model["discriminator"](_samples(model, batch, generator).detach())
    return (softplus(-real) + softplus(fake)).mean(), {"square": batch[1].mean()}


def _generator(model, batch, generator):
    return softplus(-model["discriminator"](_samples(model, batch, generator))).mean()


losses = {"discriminator": _discriminator, "generator": _generator}


def optimiser(model, config):
    """Muon for the generator's matrices, AdamW for the rest of it; momentum for the discriminator."""
    weights = [p for p in model["generator"].parameters() if p.ndim == 2]
    biases = [p for p in model["generator"].parameters() if p.ndim == 1]
    return {
        "generator": [torch.optim.Muon(weights, lr=config.rate), torch.optim.AdamW(biases, lr=config.rate)],
        "discriminator": torch.optim.SGD(model["discriminator"].parameters(), lr=config.rate, momentum=0.9),
    }


def schedule(optimiser, config):
    """Warm up, then step down: two schedules in a row."""
    schedules = torch.optim.lr_scheduler
    steps = [schedules.LinearLR(optimiser, 0.1, total_iters=5), schedules.MultiStepLR(optimiser, [3, 9], gamma=0.5)]
    return schedules.SequentialLR(optimiser, steps, [6])

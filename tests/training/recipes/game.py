"""A game on the pixels of digits: one network draws the lower half of an image, another tells it from the real one.

The noise is taken from the images themselves, so that it is the same however many processes share a batch.
"""

import os
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import softplus

from course_utils.recipes import autoencoder
from course_utils.training.config import Config as TrainingConfig


class Aborting:
    """Aborts the process when Python is taken down, as gloo's threads do now and then: it must not count."""

    def __del__(self):
        os.abort()


if "TORCHELASTIC_RUN_ID" in os.environ:
    last = Aborting()


@dataclass(frozen=True, kw_only=True)
class Config(TrainingConfig):
    """No more than every training has."""


PRESETS = {"game": Config(batch_size=128, rate=2e-3)}


def model(config):
    """Both players."""
    return nn.ModuleDict(
        {
            "generator": nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 32)),
            "discriminator": nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)),
        }
    )


def data(config, source=None):
    """Digits."""
    return autoencoder.data(autoencoder.PRESETS["digits"], source)


def _judged(model, batch, lower):
    return model["discriminator"](torch.cat([batch[:, :32], lower], dim=1)).squeeze(1)


def discriminator_loss(model, batch, generator):
    """The cross-entropy on real and drawn halves, and a metric of it."""
    drawn = model["generator"](batch[:, :32])  # not detached: its gradients must not reach the generator's optimiser
    real, fake = _judged(model, batch, batch[:, 32:]), _judged(model, batch, drawn)
    return (softplus(-real) + softplus(fake)).mean(), {"margin": (real - fake).mean()}


def generator_loss(model, batch, generator):
    """The non-saturating loss."""
    return softplus(-_judged(model, batch, model["generator"](batch[:, :32]))).mean()


losses = {"discriminator": discriminator_loss, "generator": generator_loss}


def optimiser(model, config):
    """One for each player."""
    return {name: torch.optim.AdamW(model[name].parameters(), lr=config.rate) for name in losses}

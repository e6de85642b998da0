"""Everything that a stopped run could lose: dropout, noise, BatchNorm's averages, tied weights, a schedule that counts.

Its log tells which example came first in a step, and what both generators gave.
"""

from dataclasses import dataclass

import torch
from torch import nn

from course_utils.training.config import Config as TrainingConfig


@dataclass(frozen=True, kw_only=True)
class Config(TrainingConfig):
    """``width``: of the hidden layer."""

    width: int = 6


PRESETS = {
    "small": Config(steps=30, batch_size=8, rate=1e-2, clip=1.0),
    # Long enough to be killed by the clock, and with weights that fill several pages of a disk.
    "long": Config(steps=120, batch_size=8, rate=1e-2, clip=1.0, width=40),
}


class Network(nn.Module):
    """Two layers with the same weights, BatchNorm and dropout between them."""

    def __init__(self, width):
        super().__init__()
        self.widen = nn.Linear(5, width)
        self.first, self.norm, self.second = nn.Linear(width, width), nn.BatchNorm1d(width), nn.Linear(width, width)
        self.second.weight = self.first.weight
        self.last = nn.Linear(width, 5)

    def forward(self, x):
        """(batch, 5) → (batch, 5)."""
        x = self.norm(self.first(self.widen(x)))
        return self.last(self.second(nn.functional.dropout(x.relu(), 0.3, self.training)))


def model(config):
    """The network."""
    return Network(config.width)


def data(config, source=None):
    """50 rows of five numbers, and in front of them the number of the row."""
    x = torch.randn(60, 5, generator=torch.Generator().manual_seed(1))
    rows = torch.cat([torch.arange(60.0)[:, None], x], dim=1)
    return rows[:50], rows[50:]


def loss(model, batch, generator):
    """Take the noise away again."""
    x = batch[:, 1:]
    noise = torch.randn(x.shape, generator=generator)
    value = (model(x + 0.1 * noise) - x).square().sum(dim=1).mean()
    drawn = {"noise": noise[0, 0], "generator": torch.rand((), generator=generator), "global": torch.rand(())}
    return value, {"example": batch[0, 0], **drawn}


def optimiser(model, config):
    """AdamW."""
    return torch.optim.AdamW(model.parameters(), lr=config.rate)


def schedule(optimiser, config):
    """Half the rate after steps 4 and 16."""
    return torch.optim.lr_scheduler.MultiStepLR(optimiser, [4, 16], gamma=0.5)


def evaluate(model, test_set, config):
    """The error without noise."""
    return {"test loss": (model(test_set[:, 1:]) - test_set[:, 1:]).square().sum(dim=1).mean()}

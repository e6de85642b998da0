"""The classifier of images that lesson 4 measures samples with: its last hidden layer are their features."""

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import TensorDataset

from course_utils.data import images
from course_utils.models.mlp import mlp
from course_utils.training.config import Config as TrainingConfig


@dataclass(frozen=True, kw_only=True)
class Config(TrainingConfig):
    """``hidden``: the widths between pixels and classes, the last of which is the number of features."""

    hidden: tuple[int, ...] = (64, 32)
    pixels: int = 64
    classes: int = 10
    weight_decay: float = 0.05


PRESETS = {
    "digits": Config(steps=600, batch_size=128, rate=3e-3),
    "mnist": Config(steps=4000, batch_size=128, rate=3e-3, pixels=784),
}


def model(config):
    """Pixels → hidden → the logits of the classes."""
    return mlp((config.pixels, *config.hidden, config.classes), nn.SiLU)


@torch.no_grad()
def features(model, x):
    """What the last hidden layer says of images: (n, pixels) → (n, features)."""
    return model[:-1](x)


def data(config, source=None):
    """Images and classes: ``--data digits`` (8 × 8, the default), ``mnist`` or ``fashion-mnist`` (28 × 28)."""
    read = {None: images.digits, "digits": images.digits, "mnist": images.mnist, "fashion-mnist": images.fashion_mnist}
    if source not in read:
        raise ValueError(f"--data must be digits, mnist or fashion-mnist; got {source!r}.")
    parts = [read[source](part) for part in ("train", "test")]
    if parts[0].X.shape[1] != config.pixels:
        raise ValueError(f"these images have {parts[0].X.shape[1]} pixels, the model {config.pixels}: --set pixels=…")
    return tuple(TensorDataset(torch.from_numpy(part.X).float(), torch.from_numpy(part.y)) for part in parts)


def loss(model, batch, generator):
    """The cross-entropy −log q(y | x) in nats, the mean over the batch."""
    x, y = batch
    return cross_entropy(model(x), y)


def optimiser(model, config):
    """AdamW."""
    return torch.optim.AdamW(model.parameters(), lr=config.rate, weight_decay=config.weight_decay, fused=True)


def schedule(optimiser, config):
    """The rate falls to zero along half a cosine."""
    return torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: 0.5 * (1 + math.cos(math.pi * min(step / config.steps, 1.0)))
    )


def evaluate(model, test_set, config):
    """The share of the test images that it gets right."""
    x, y = test_set[:]
    return {"test accuracy": (model(x).argmax(dim=1) == y).float().mean()}

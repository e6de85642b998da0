"""The autoencoder that lesson 5 opens with, on digits."""

import math
from dataclasses import dataclass

import torch

from course_utils.data import images
from course_utils.models.vae import Autoencoder, squared_error
from course_utils.training.config import Config as TrainingConfig


@dataclass(frozen=True, kw_only=True)
class Config(TrainingConfig):
    """``hidden``: the widths between pixels and latent. ``linear``: no activations, which makes it a PCA."""

    hidden: tuple[int, ...] = (128, 64)
    latent: int = 2
    pixels: int = 64
    linear: bool = False
    weight_decay: float = 0.0


PRESETS = {
    "digits": Config(steps=3000, batch_size=128, rate=2e-3),
    # "Neural networks and principal component analysis": the optimum is known, and the test compares with it.
    "baldi-hornik-1989": Config(steps=3000, batch_size=479, rate=0.1, hidden=(), linear=True),
    # "Reducing the dimensionality of data with neural networks": its layers, for --data mnist.
    "hinton-salakhutdinov-2006": Config(
        steps=20_000, batch_size=128, rate=1e-3, hidden=(1000, 500, 250), latent=30, pixels=784
    ),
}


def model(config):
    """Pixels → hidden → latent, and back."""
    return Autoencoder((config.pixels, *config.hidden, config.latent), linear=config.linear)


def data(config, source=None):
    """Rows of pixels in [0, 1]: ``--data digits`` (8 × 8, the default), ``mnist`` or ``fashion-mnist`` (28 × 28)."""
    read = {None: images.digits, "digits": images.digits, "mnist": images.mnist, "fashion-mnist": images.fashion_mnist}
    if source not in read:
        raise ValueError(f"--data must be digits, mnist or fashion-mnist; got {source!r}.")
    train, test = (torch.from_numpy(read[source](part).X).float() for part in ("train", "test"))
    if train.shape[1] != config.pixels:
        raise ValueError(f"these images have {train.shape[1]} pixels, the model {config.pixels}: --set pixels=…")
    return train, test


def loss(model, batch, generator):
    """The squared error of the reconstruction: the sum over pixels, the mean over the batch."""
    return squared_error(batch, model(batch)).mean()


def optimiser(model, config):
    """AdamW, each parameter with its own step size."""
    return torch.optim.AdamW(model.parameters(), lr=config.rate, weight_decay=config.weight_decay)


def schedule(optimiser, config):
    """The rate falls to zero along half a cosine."""
    return torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: 0.5 * (1 + math.cos(math.pi * min(step / config.steps, 1.0)))
    )


def evaluate(model, test_set, config):
    """The squared error on images that were not trained on."""
    return {"test loss": squared_error(test_set, model(test_set)).mean()}

"""The VAE of lesson 5, on binary images."""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.utils.data import TensorDataset

from course_utils.data import images
from course_utils.models.vae import VAE, elbo
from course_utils.training.config import Config as TrainingConfig

MNIST_SEED = 0
MNIST_TEST_SIZE = 2000
EVALUATION_SEED = 0  # of the latent draws by which the test set is measured: the same at each checkpoint


@dataclass(frozen=True, kw_only=True)
class Config(TrainingConfig):
    """What is trained, and against what.

    Attributes
    ----------
    hidden : widths between pixels and latent, of the encoder; the decoder has them in reverse
    latent, pixels : int
    classes : int, 10 for a model that knows the label
    weight_decay : float, AdamW's
    start_at_means : bool, training begins with the model of independent pixels, see ``start``
    beta : float, weight of the KL in the loss (Higgins et al. 2017): 1 for the ELBO, less for better reconstructions,
        more for a q nearer to the prior
    """

    hidden: tuple[int, ...] = (128,)
    latent: int = 16
    pixels: int = 64
    classes: int = 0
    weight_decay: float = 0.0
    start_at_means: bool = False
    beta: float = 1.0


_DIGITS = Config(steps=2000, batch_size=128, rate=4e-3)
PRESETS = {
    "digits": _DIGITS,
    "digits-2d": replace(_DIGITS, latent=2),
    "digits-by-class": replace(_DIGITS, latent=8, classes=10),
    "digits-linear": replace(_DIGITS, hidden=(), rate=1e-2),
    # Of 8,000 images 400 hidden units learn too much; the weights' decay holds them back.
    "mnist-10k": Config(
        steps=1500,
        batch_size=256,
        rate=1e-2,
        weight_decay=0.3,
        start_at_means=True,
        hidden=(400,),
        latent=30,
        pixels=784,
    ),
}


def model(config):
    """Pixels → hidden → latent, and back; it carries β, for the loss sees no configuration."""
    made = VAE((config.pixels, *config.hidden, config.latent), classes=config.classes)
    made.beta = config.beta
    return made


def data(config, source=None):
    """Rows of zeros and ones, each pixel drawn once by a fixed seed; with their labels where the model has classes.

    ``--data digits`` (8 × 8, the default); ``digits-validation``, for choices: it trains on four fifths of the training
    set and tests on the rest; ``mnist`` (28 × 28); ``mnist-10k``, MNIST's test images alone, 8,000 of them to train on.
    """
    if source not in SOURCES:
        raise ValueError(f"--data must be one of {', '.join(filter(None, SOURCES))}; got {source!r}.")
    parts = SOURCES[source]()
    if parts[0][0].shape[1] != config.pixels:
        raise ValueError(f"these images have {parts[0][0].shape[1]} pixels, the model {config.pixels}: --set pixels=…")
    tensors = [tuple(torch.from_numpy(part) for part in pair) for pair in parts]
    return tuple(TensorDataset(X, y) if config.classes else X for X, y in tensors)


def _digits(*parts):
    return [(part.X, part.y) for part in map(images.binarised_digits, parts)]


def _mnist():
    rng = np.random.default_rng(MNIST_SEED)
    return [(images.binarise(part.X, rng), part.y) for part in map(images.mnist, ("train", "test"))]


def _mnist_10k():
    rng = np.random.default_rng(MNIST_SEED)
    whole = images.mnist("test")
    X, order = images.binarise(whole.X, rng), rng.permutation(len(whole.X))
    return [(X[rows], whole.y[rows]) for rows in np.split(order, [-MNIST_TEST_SIZE])]


SOURCES = {
    None: lambda: _digits("train", "test"),
    "digits": lambda: _digits("train", "test"),
    "digits-validation": lambda: _digits("fit", "validation"),
    "mnist": _mnist,
    "mnist-10k": _mnist_10k,
}


@torch.no_grad()
def start(model, train_set, config):
    """With ``start_at_means`` the decoder's last bias becomes the log-odds of each pixel's mean.

    One image all ink and one all blank are added, which keeps them finite. A pixel that is blank in 8,000 images has a
    log-odds of −9, far from where the bias would start.
    """
    if config.start_at_means:
        x, _ = _split(train_set[:])
        model.decoder[-1].bias.copy_(torch.logit((x.sum(dim=0) + 1) / (len(x) + 2)))


def loss(model, batch, generator):
    """−E[log p(x | z)] + β KL in nats, the mean over the batch; and both terms for the log."""
    x, label = _split(batch)
    reconstruction, kl = (term.mean() for term in elbo(model, x, generator, **label))
    return model.beta * kl - reconstruction, {"reconstruction": reconstruction, "kl": kl}


def _split(batch):
    """(images, {"y": labels}) of a batch with labels, (images, {}) of one without."""
    return (batch[0], {"y": batch[1]}) if isinstance(batch, (tuple, list)) else (batch, {})


def optimiser(model, config):
    """AdamW in torch's fused form, which steps through all parameters at once."""
    return torch.optim.AdamW(
        model.parameters(), lr=config.rate, betas=(0.9, 0.99), weight_decay=config.weight_decay, fused=True
    )


def schedule(optimiser, config):
    """The rate rises over the first twentieth of the steps, then falls to zero along half a cosine."""
    rise = max(1, config.steps // 20)

    def factor(step):
        return min(1.0, (step + 1) / rise) * 0.5 * (1 + math.cos(math.pi * min(step / config.steps, 1.0)))

    return torch.optim.lr_scheduler.LambdaLR(optimiser, factor)


def evaluate(model, test_set, config):
    """The ELBO of images that were not trained on, in nats; β = 1, one draw of z for each, always the same."""
    x, label = _split(test_set[:])
    reconstruction, kl = elbo(model, x, torch.Generator(x.device).manual_seed(EVALUATION_SEED), **label)
    return {"test elbo": (reconstruction - kl).mean()}

"""The GANs of lesson 4: on a line where the optimum is known, on a ring of eight modes, on digits by class."""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from course_utils.metrics import mode_coverage
from course_utils.models.gan import LOSSES, Discriminator, Game, Generator
from course_utils.optima.games import Mixture, jensen_shannon, optimal_discriminator, value
from course_utils.recipes import classifier
from course_utils.training.config import Config as TrainingConfig

ACTIVATIONS = {"relu": nn.ReLU, "silu": nn.SiLU, "tanh": nn.Tanh}
LINE = Mixture([0.6, 0.4], [-1.5, 1.5], [0.5, 0.8])
EDGES = np.linspace(-4, 5, 199)  # of 200 bins, the outer two of which are open
MIDDLES = np.concatenate([EDGES[:1], (EDGES[1:] + EDGES[:-1]) / 2, EDGES[-1:]])  # (200,), where D is asked
RING = 2 * np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], axis=1)  # (8, 2), centres
RING_DEVIATION = 0.05
EXAMPLES = 2**16  # in the training set of a problem whose density is known
RECENT = 200  # steps that a symptom must last


@dataclass(frozen=True, kw_only=True)
class Config(TrainingConfig):
    """``rate`` is the discriminator's.

    Attributes
    ----------
    problem : "line", "ring", or "images", which ``--data`` then chooses
    generator_rate : float, the generator's learning rate
    beta1, beta2 : float, Adam's; momentum (β₁) makes a game that goes round go round faster
    decay : bool, both rates fall to zero along half a cosine
    loss, gamma, gamma_fake, stratified : the rules of ``models.gan.Game``
    latent, hidden, activation : numbers in z; widths between, and activation, of both networks
    pixels, classes : of the images
    start : float, added to the bias of the generator's last layer: its samples begin so far from where they would
    """

    problem: str = "line"
    generator_rate: float = 1e-3
    beta1: float = 0.0
    beta2: float = 0.99
    decay: bool = True
    loss: str = "non-saturating"
    gamma: float = 0.0
    gamma_fake: float = 0.0
    stratified: bool = False
    latent: int = 1
    hidden: tuple[int, ...] = (32, 32)
    activation: str = "tanh"
    pixels: int = 64
    classes: int = 10
    start: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        allowed = {"problem": ("line", "ring", "images"), "loss": LOSSES, "activation": tuple(ACTIVATIONS)}
        for name, values in allowed.items():
            if getattr(self, name) not in values:
                raise ValueError(f"{name} must be one of {', '.join(values)}; got {getattr(self, name)!r}.")


_LINE = Config(steps=3000, batch_size=256, rate=1e-2, gamma=0.1, stratified=True)
_RING = Config(
    problem="ring", steps=4000, batch_size=256, rate=3e-3, generator_rate=3e-3,
    latent=2, hidden=(64, 64, 64), activation="relu",
)  # fmt: skip
_TEXTBOOK = {"beta1": 0.5, "beta2": 0.999, "decay": False}  # Adam as in DCGAN, Radford, Metz and Chintala (2016)
_DIGITS = Config(
    problem="images", steps=5000, batch_size=128, gamma=1.0, latent=32, hidden=(128, 128), activation="relu"
)
PRESETS = {
    # D learns ten times as fast as G, and so stays near its optimum: two time-scales, Heusel et al. (2017).
    "line": _LINE,
    "line-equal-rates": replace(_LINE, rate=1e-3),
    "ring": replace(_RING, gamma=0.02),
    "ring-relativistic": replace(_RING, gamma=0.02, gamma_fake=0.02, loss="relativistic"),
    "ring-calm": _RING,
    "ring-plain": replace(_RING, **_TEXTBOOK),
    "ring-slow-discriminator": replace(_RING, **_TEXTBOOK, rate=1e-4, generator_rate=1e-3),
    "digits": _DIGITS,
    "mnist": replace(_DIGITS, pixels=784, hidden=(256, 256)),
}


def model(config):
    """Both players and their rules."""
    features = {"line": 1, "ring": 2, "images": config.pixels}[config.problem]
    both = {
        "classes": config.classes if config.problem == "images" else 0,
        "activation": ACTIVATIONS[config.activation],
    }
    generator = Generator(config.latent, config.hidden, features, squash=config.problem == "images", **both)
    with torch.no_grad():
        generator.layers[-1].bias += config.start
    return Game(
        generator,
        Discriminator(features, config.hidden, **both),
        loss=config.loss,
        gamma=config.gamma,
        gamma_fake=config.gamma_fake,
        stratified=config.stratified,
    )


def data(config, source=None):
    """Line and ring are made here; ``--data digits`` (8 × 8, the default), ``mnist`` or ``fashion-mnist`` for images.

    The line's are quantiles, so that the set by itself has the density; the ring's are drawn, from torch's generator.
    """
    if config.problem != "images":
        if source is not None:
            raise ValueError(f"--data chooses images, but the problem is {config.problem}; got {source!r}.")
        if config.problem == "line":
            x = torch.from_numpy(LINE.quantiles(EXAMPLES)).float()[:, None]  # (65536, 1)
            return x, x
        return draw_ring(EXAMPLES), draw_ring(10_000)
    return classifier.data(config, source)


def draw_ring(n):
    """n points of the ring of eight Gaussians, (n, 2), from torch's own generator."""
    centres = torch.from_numpy(RING).float()[torch.randint(len(RING), (n,))]
    return centres + RING_DEVIATION * torch.randn(n, 2)


def _pair(batch):
    """(x, y) of a batch, y None where there are no classes."""
    return batch if isinstance(batch, (tuple, list)) else (batch, None)


def prepare(model, batch, generator):
    """The batch and as many forged: (x, G(z), y). Both players see the same, D without the way back to G."""
    x, y = _pair(batch)
    return x, model.forge(len(x), y, generator), y


def discriminator_loss(model, batch, generator):
    """D's loss in nats, with the penalties; and D(x) and D(G(z)), the means over the batch, as on the slides."""
    loss, real, fake = model.discriminator_loss(*batch)
    return loss, {"D(x)": real.sigmoid().mean(), "D(G(z))": fake.sigmoid().mean()}


def generator_loss(model, batch, generator):
    """G's loss in nats."""
    return model.generator_loss(*batch)


losses = {"discriminator": discriminator_loss, "generator": generator_loss}


def optimiser(model, config):
    """Adam for each player, each with a rate of its own."""
    rates = {"discriminator": config.rate, "generator": config.generator_rate}
    betas = (config.beta1, config.beta2)
    return {
        name: torch.optim.Adam(getattr(model, name).parameters(), lr=rate, betas=betas, fused=True)
        for name, rate in rates.items()
    }


def schedule(optimiser, config):
    """Both rates fall to zero along half a cosine, unless ``decay`` is False."""

    def factor(step):
        return 0.5 * (1 + math.cos(math.pi * min(step / config.steps, 1.0))) if config.decay else 1.0

    return torch.optim.lr_scheduler.LambdaLR(optimiser, factor)


def line_measures(model, n=2**16):
    """The game on the line against its optimum, on 200 bins with open ends and n stratified z.

    Returns
    -------
    dict: "p" and "q", (200,) probabilities of the data and of G's samples; "discriminator", (200,) D in the bins'
    middles; "JSD" and "value", JSD(p‖q) and V(D, G) in nats; "distance", E|D − D*| under (p + q)/2
    """
    p = LINE.bins(EDGES)
    z = torch.special.ndtri((torch.arange(n, dtype=torch.float64) + 0.5) / n).float()[:, None]  # (n, 1)
    with torch.no_grad():
        x = torch.cat([model.generator(part) for part in z.split(2**16)])[:, 0].double().numpy()
        D = model.discriminator(torch.from_numpy(MIDDLES).float()[:, None]).double().sigmoid().numpy()
    q = np.bincount(np.searchsorted(EDGES, x), minlength=len(p)) / n
    distance = np.sum((p + q) / 2 * np.abs(D - optimal_discriminator(p, q)))
    measures = {"JSD": jensen_shannon(p, q), "value": value(p, q, D), "distance": float(distance)}
    return {"p": p, "q": q, "discriminator": D, **measures}


def evaluate(model, test_set, config):
    """How far the forged are from the real, and their ``spread``: their standard deviation over that of the real.

    On the line also JSD and value in nats and E|D − D*|, on the ring the modes and the share within 3 deviations.
    """
    x, y = _pair(test_set[:])
    forged = model.sample(len(x), torch.Generator(x.device).manual_seed(0), y)
    found = {"spread": spread(forged, y) / spread(x, y)}
    if config.problem == "line":
        measures = line_measures(model)
        found |= {name: measures[name] for name in ("JSD", "value", "distance")}
    elif config.problem == "ring":
        found["modes"], found["share"] = mode_coverage(forged.numpy(), RING, RING_DEVIATION)
    return found


def spread(x, y=None):
    """The root mean square distance from the mean of all, or of those of the same class: x (n, features), y (n,)."""
    y = torch.zeros(len(x), dtype=torch.int64) if y is None else y
    within = [(x[y == k] - x[y == k].mean(dim=0)).square().sum() for k in y.unique()]
    return math.sqrt(float(sum(within)) / len(x))


def diagnose(lines, config):
    """Two ends of a game that the losses do not show: {symptom: sentence}, read from the lines of the log."""
    found = {}
    spreads = [line["spread"] for line in lines if "spread" in line]
    if spreads and spreads[-1] < 0.05:
        found["collapse"] = (
            f"the generator has collapsed: its samples spread {spreads[-1]:.1%} as far as the data, so that almost "
            "every z is carried to one point. A gradient penalty (gamma), or a slower generator, often helps."
        )
    recent = [line for line in lines if line["step"] > lines[-1]["step"] - RECENT]
    if lines[-1]["step"] >= RECENT and all(line["D(x)"] > 0.99 and line["D(G(z))"] < 0.01 for line in recent):
        found["victory"] = (
            f"the discriminator wins outright: for {RECENT} steps D(x) has been above 0.99 and D(G(z)) below 0.01, so "
            "that its verdict says little of how to forge better. A gradient penalty (gamma) often helps."
        )
    return found

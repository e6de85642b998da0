"""Generative adversarial networks: two networks, their losses on logits, and what keeps their game from going round."""

import torch
from torch import nn
from torch.nn.functional import softplus

from .mlp import mlp


class Generator(nn.Module):
    """z to x, the forger: whatever density the noise has, x = G(z) has another, which nobody can write down.

    Parameters
    ----------
    latent : int, numbers in z
    hidden : sequence of int, widths between
    features : int, numbers in x
    classes : int, 0 for a generator without classes; else the class is given beside z, one-hot
    squash : bool, True puts x into (0, 1), for pixels
    """

    def __init__(self, latent=1, hidden=(64, 64), features=1, *, classes=0, squash=False):
        super().__init__()
        self.latent, self.classes, self.squash = latent, classes, squash
        self.layers = mlp((latent + classes, *hidden, features), nn.SiLU)

    def forward(self, z, y=None):
        """(batch, latent) and, with classes, (batch,) of int → (batch, features)."""
        x = self.layers(beside(z, y, self.classes))
        return torch.sigmoid(x) if self.squash else x


class Discriminator(nn.Module):
    """x to a logit, the police: σ(logit) = D(x), the probability that x is real; best where it is p/(p + q).

    Parameters
    ----------
    features : int, numbers in x
    hidden : sequence of int, widths between
    classes : int, 0 for a discriminator without classes; else the class is given beside x, one-hot
    """

    def __init__(self, features=1, hidden=(64, 64), *, classes=0):
        super().__init__()
        self.classes = classes
        self.layers = mlp((features + classes, *hidden, 1), nn.SiLU)

    def forward(self, x, y=None):
        """(batch, features) and, with classes, (batch,) of int → logits, (batch,)."""
        return self.layers(beside(x, y, self.classes)).squeeze(-1)  # (batch, 1) → (batch,)


def beside(x, y, classes):
    """x with its class beside it, one-hot: (batch, features) and (batch,) → (batch, features + classes).

    Raises
    ------
    ValueError
        If classes are given to a network that knows none, or are missing where it does.
    """
    if (y is None) != (classes == 0):
        raise ValueError(f"this network was made for {classes} classes, so y must be {'given' if classes else 'None'}.")
    if y is None:
        return x
    return torch.cat([x, nn.functional.one_hot(y, classes).to(x.dtype)], dim=-1)


def discriminator_loss(real_logits, fake_logits):
    """−V(D, G) = −E log D(x) − E log(1 − D(G(z))) in nats, the means over the batch; 2 log 2 where D says ½ of all.

    On logits, −log σ(s) = softplus(−s): no logarithm of a rounded zero where D is sure (Goodfellow et al. 2014, eq. 1).
    """
    return softplus(-real_logits).mean() + softplus(fake_logits).mean()


def minimax_generator_loss(fake_logits):
    """E log(1 − D(G(z))), which G minimises in the game as it is written; flat where D is sure that x is forged."""
    return -softplus(fake_logits).mean()


def generator_loss(fake_logits):
    """−E log D(G(z)), the non-saturating loss: steepest where D is sure that x is forged (section 3 of the paper)."""
    return softplus(-fake_logits).mean()


def r1_penalty(logits, x):
    """½ E‖∂ logit/∂x‖² on real data (Mescheder, Geiger and Nowozin 2018, eq. 9); times γ it joins D's loss.

    Parameters
    ----------
    logits : (batch,), computed from x
    x : (batch, features), which requires its gradient

    Raises
    ------
    ValueError
        If x does not require its gradient: set ``x.requires_grad_()`` before D sees it.
    """
    if not x.requires_grad:
        raise ValueError("x must require its gradient: call x.requires_grad_() before the discriminator sees it.")
    (gradient,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    return 0.5 * gradient.square().sum(dim=-1).mean()

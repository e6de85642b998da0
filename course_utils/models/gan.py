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
    activation : torch module class, between two layers; smooth ones bend slowly, with ReLU G can break sharply
    """

    def __init__(self, latent=1, hidden=(64, 64), features=1, *, classes=0, squash=False, activation=nn.SiLU):
        super().__init__()
        self.latent, self.squash = latent, squash
        self.register_buffer("one_hot", torch.eye(classes), persistent=False)
        self.layers = mlp((latent + classes, *hidden, features), activation)

    def forward(self, z, y=None):
        """(batch, latent) and, with classes, (batch,) of int → (batch, features)."""
        x = self.layers(beside(z, y, self.one_hot))
        return torch.sigmoid(x) if self.squash else x


class Discriminator(nn.Module):
    """x to a logit, the police: σ(logit) = D(x), the probability that x is real; best where it is p/(p + q).

    Parameters
    ----------
    features : int, numbers in x
    hidden : sequence of int, widths between
    classes : int, 0 for a discriminator without classes; else the class is given beside x, one-hot
    activation : torch module class, between two layers
    """

    def __init__(self, features=1, hidden=(64, 64), *, classes=0, activation=nn.SiLU):
        super().__init__()
        self.register_buffer("one_hot", torch.eye(classes), persistent=False)
        self.layers = mlp((features + classes, *hidden, 1), activation)

    def forward(self, x, y=None):
        """(batch, features) and, with classes, (batch,) of int → logits, (batch,)."""
        return self.layers(beside(x, y, self.one_hot)).squeeze(-1)  # (batch, 1) → (batch,)


LOSSES = ("non-saturating", "minimax", "relativistic")


class Game(nn.Module):
    """Both players, and the rules that they play by.

    Parameters
    ----------
    generator, discriminator : Generator and Discriminator
    loss : "non-saturating"; "minimax", the game as it is written; or "relativistic", which pairs real with forged
    gamma, gamma_fake : float, weights of the gradient penalty on real data (R1) and on forged (R2)
    stratified : bool, the noise of each training batch is spread evenly (``stratified_normal``)

    Raises
    ------
    ValueError
        For another loss, or a negative weight.
    """

    def __init__(self, generator, discriminator, *, loss="non-saturating", gamma=0.0, gamma_fake=0.0, stratified=False):
        super().__init__()
        if loss not in LOSSES:
            raise ValueError(f"loss must be one of {', '.join(LOSSES)}; got {loss!r}.")
        if min(gamma, gamma_fake) < 0:
            raise ValueError(f"gamma and gamma_fake must not be negative; got {gamma} and {gamma_fake}.")
        self.generator, self.discriminator = generator, discriminator
        self.loss, self.gamma, self.gamma_fake, self.stratified = loss, gamma, gamma_fake, stratified

    def forge(self, n, y, generator):
        """G(z) for a training batch of n, (n, features); z comes from the torch.Generator, y as in ``sample``."""
        draw = stratified_normal if self.stratified else normal
        return self.generator(draw(n, self.generator.latent, generator), y)

    def judge(self, x, forged, y):
        """The logits of real and of forged data, (batch,) each; in one pass of D where no gradient is penalised."""
        if x.requires_grad or forged.requires_grad:
            return self.discriminator(x, y), self.discriminator(forged, y)
        return self.discriminator(torch.cat([x, forged]), None if y is None else torch.cat([y, y])).chunk(2)

    def discriminator_loss(self, x, forged, y=None):
        """What D minimises, in nats.

        Parameters
        ----------
        x, forged : (batch, features), real and forged data; G's gradient stops here
        y : (batch,) of int, the classes of both; None without classes

        Returns
        -------
        loss, a scalar, and the logits of real and forged without gradient, (batch,) each
        """
        x, forged = x.detach().requires_grad_(self.gamma > 0), forged.detach().requires_grad_(self.gamma_fake > 0)
        real, fake = self.judge(x, forged, y)
        loss = (relativistic_discriminator_loss if self.loss == "relativistic" else discriminator_loss)(real, fake)
        if self.gamma:
            loss = loss + self.gamma * r1_penalty(real, x)
        if self.gamma_fake:
            loss = loss + self.gamma_fake * r1_penalty(fake, forged)
        return loss, real.detach(), fake.detach()

    def generator_loss(self, x, forged, y=None):
        """What G minimises, a scalar in nats; the real x matter to the relativistic loss alone."""
        fake = self.discriminator(forged, y)
        if self.loss == "relativistic":
            return relativistic_generator_loss(self.discriminator(x, y), fake)
        return minimax_generator_loss(fake) if self.loss == "minimax" else generator_loss(fake)

    @torch.no_grad()
    def sample(self, n, generator, y=None):
        """Draw x = G(z): n of them, with classes one for each of y, (n,) of int → (n, features)."""
        return self.generator(normal(n, self.generator.latent, generator), y)


def normal(n, latent, generator):
    """z from N(0, I), (n, latent), on the torch.Generator's device."""
    return torch.randn(n, latent, generator=generator, device=generator.device)


def stratified_normal(n, latent, generator):
    """Normal noise in which each number has one draw in each of n strata of equal probability: (n, latent).

    Each row by itself is N(0, I), but the rows together are spread as evenly as the density says: the Latin hypercube
    of McKay, Beckman and Conover (1979), put through the inverse of the normal's distribution function. It takes the
    noise of the mini-batch out of E over z, not the expectation.
    """
    place = {"generator": generator, "device": generator.device}
    stratum = torch.rand(n, latent, **place).argsort(dim=0)  # a permutation of 0 … n − 1 in each column
    u = (stratum + torch.rand(n, latent, dtype=torch.float64, **place)) / n  # (n, latent), in [0, 1]
    return torch.special.ndtri(u.clamp(1e-12, 1 - 1e-12)).float()


def beside(x, y, one_hot):
    """x with its class beside it, a row of the identity (K, K): (batch, features), (batch,) → (batch, features + K).

    Raises
    ------
    ValueError
        If classes are given to a network that knows none, or are missing where it does.
    """
    if (y is None) != (len(one_hot) == 0):
        wanted = "None" if len(one_hot) == 0 else "given"
        raise ValueError(f"this network was made for {len(one_hot)} classes, so y must be {wanted}.")
    return x if y is None else torch.cat([x, one_hot[y]], dim=-1)


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


def relativistic_discriminator_loss(real_logits, fake_logits):
    """−E log σ(D(x) − D(G(z))), logits paired in the batch: a real one need only look more real than a forged one.

    Jolicoeur-Martineau (2018), "The relativistic discriminator"; with ``r1_penalty`` on real and on forged data it is
    the loss of R3GAN (Huang et al. 2024). Where all of the mass sits on some modes the plain game can stay there; the
    paired one has no such local optimum (Sun, Fang and Schwing 2020).
    """
    return softplus(fake_logits - real_logits).mean()


def relativistic_generator_loss(real_logits, fake_logits):
    """−E log σ(D(G(z)) − D(x)), the same with the places of real and forged exchanged."""
    return softplus(real_logits - fake_logits).mean()


def r1_penalty(logits, x):
    """½ E‖∂ logit/∂x‖² on real data (Mescheder, Geiger and Nowozin 2018, eq. 9); times γ it joins D's loss.

    On forged data it is their R2.

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

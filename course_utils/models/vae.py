"""Autoencoders: images through a narrow latent space and back; and the variational one, which is a density."""

import math

import torch
from torch import nn
from torch.nn.functional import softplus

from .mlp import mlp

PORTION = 8192  # latent vectors that are decoded at once where many are drawn for each image


class Autoencoder(nn.Module):
    """x ≈ decode(encode(x)), with fewer latent numbers than pixels: a compression, not a density.

    With linear layers and the squared error the best it can do is principal component analysis: at the optimum the
    decoder spans the first principal components (Baldi and Hornik 1989). The deep one is that of Hinton and
    Salakhutdinov (2006). Neither says how likely an x is, nor where in the latent space to sample; the VAE does.

    Parameters
    ----------
    sizes : sequence of int, from pixels to latent, such as (64, 128, 64, 2); the decoder mirrors it
    linear : bool, leave out the activations

    Raises
    ------
    ValueError
        If there are fewer than two sizes, or one is not positive.
    """

    def __init__(self, sizes=(64, 128, 64, 2), *, linear=False):
        super().__init__()
        sizes = tuple(sizes)
        if len(sizes) < 2 or min(sizes) < 1:
            raise ValueError(f"sizes must be at least two positive numbers, pixels … latent; got {sizes}.")
        activation = None if linear else nn.ReLU
        self.encoder = mlp(sizes, activation)
        self.decoder = mlp(sizes[::-1], activation)

    def encode(self, x):
        """x to latent, (…, pixels) → (…, latent)."""
        return self.encoder(x)

    def decode(self, z):
        """Latent to x, (…, latent) → (…, pixels)."""
        return self.decoder(z)

    def forward(self, x):
        """The reconstruction, (…, pixels) → (…, pixels)."""
        return self.decode(self.encode(x))


def squared_error(x, reconstruction):
    """Σ_j (x_j − x̂_j)², the sum over pixels: (batch, pixels) twice → (batch,)."""
    return torch.sum((x - reconstruction) ** 2, dim=-1)


class VAE(nn.Module):
    """The variational autoencoder of Kingma and Welling (2014) for binary pixels: a density p(x) = ∫ p(x | z) p(z) dz.

    The prior is p(z) = N(0, I); the decoder gives the logits of the pixels, p(x | z) = Π_j Bernoulli(x_j; σ(logit_j));
    the encoder gives the approximate posterior q(z | x) = N(μ, diag(σ²)), as mean and log-variance. With ``classes``
    both know the label, p(x | y) = ∫ p(x | z, y) p(z) dz (Sohn, Lee and Yan 2015).

    Parameters
    ----------
    sizes : sequence of int, from pixels to latent, such as (64, 128, 16); the decoder mirrors it, and without a hidden
        layer it is linear in z
    classes : int, 0 for a model without classes; else y is given beside x and beside z, one-hot

    Raises
    ------
    ValueError
        If there are fewer than two sizes, or one is not positive.
    """

    def __init__(self, sizes=(64, 128, 16), *, classes=0):
        super().__init__()
        sizes = tuple(sizes)
        if len(sizes) < 2 or min(sizes) < 1:
            raise ValueError(f"sizes must be at least two positive numbers, pixels … latent; got {sizes}.")
        (self.pixels, *hidden, self.latent), self.classes = sizes, classes
        self.encoder = mlp((self.pixels + classes, *hidden, 2 * self.latent), nn.SiLU)
        self.decoder = mlp((self.latent + classes, *reversed(hidden), self.pixels), nn.SiLU)

    def encode(self, x, y=None):
        """μ and log σ² of q(z | x), (batch, pixels) → (batch, latent) twice.

        Raises
        ------
        ValueError
            If x is not of shape (batch, pixels), is empty, holds NaN, or a pixel outside [0, 1]; if y is missing in a
            model with classes, or given to one without.
        """
        check_pixels(x, self.pixels)
        return self.encoder(self._beside(x, y)).chunk(2, dim=-1)

    def decode(self, z, y=None):
        """The pixels' logits, (…, batch, latent) → (…, batch, pixels); their sigmoid is E[x | z], a grey picture."""
        return self.decoder(self._beside(z, y))

    def log_likelihood(self, x, z, y=None):
        """log p(x | z) = Σ_j x_j log σ(l_j) + (1 − x_j) log(1 − σ(l_j)) in nats, l the logits; (…, batch).

        A likelihood for x in {0, 1} alone: of grey pixels it is a cross-entropy, and exp of it sums to nothing.

        Parameters
        ----------
        x : (batch, pixels)
        z : (…, batch, latent)
        """
        logits = self.decode(z, y)
        return (x * logits - softplus(logits)).sum(dim=-1)  # log σ(l) = l − softplus(l), log(1 − σ(l)) = −softplus(l)

    def sample(self, n, generator=None, y=None, *, mean=False):
        """Draw z from the prior, then x: (n, pixels) of zeros and ones, or with ``mean`` the pixels' probabilities."""
        weight = self.decoder[-1].weight
        z = torch.randn(n, self.latent, generator=generator, device=weight.device, dtype=weight.dtype)
        probabilities = torch.sigmoid(self.decode(z, y))
        return probabilities if mean else torch.bernoulli(probabilities, generator=generator)

    def _beside(self, x, y):
        """x or z with its class beside it, one-hot: (…, batch, numbers) → (…, batch, numbers + classes)."""
        if (y is None) != (self.classes == 0):
            wanted = "given" if self.classes else "None"
            raise ValueError(f"this model was made for {self.classes} classes, so y must be {wanted}.")
        if y is None:
            return x
        one_hot = nn.functional.one_hot(y, self.classes).to(x.dtype)
        return torch.cat([x, one_hot.expand(*x.shape[:-1], self.classes)], dim=-1)


def check_pixels(x, pixels):
    """Raise a ValueError that names what is wrong unless x is (batch, pixels), not empty, with values in [0, 1]."""
    if x.ndim != 2 or x.shape[1] != pixels:
        raise ValueError(f"x must have shape (batch, {pixels}), flattened images; got {tuple(x.shape)}.")
    if len(x) == 0:
        raise ValueError(f"x must hold at least one image; got an empty batch, {tuple(x.shape)}.")
    least, greatest = torch.aminmax(x)
    if not (least >= 0 and greatest <= 1):  # false for NaN as well, which aminmax passes on
        found = "NaN" if torch.isnan(least) else f"values from {least:g} to {greatest:g}"
        raise ValueError(f"x must hold pixels in [0, 1]; got {found}.")


def gaussian_kl(mu, log_var):
    """KL(N(μ, diag(σ²)) ‖ N(0, I)) = ½ Σ_j (μ_j² + σ_j² − 1 − log σ_j²) in nats (Kingma and Welling 2014, appendix B).

    (…, latent) twice → (…,). Of each dimension alone: ``gaussian_kl(mu[..., None], log_var[..., None])``.
    """
    return 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(dim=-1)


def sample_latent(mu, log_var, generator=None, *, k=None):
    """z = μ + σ ε with ε ~ N(0, I): random, and yet differentiable in μ and log σ² (the reparameterisation).

    (batch, latent) twice → (batch, latent); with k, that many draws of each, (k, batch, latent).
    """
    shape = mu.shape if k is None else (k, *mu.shape)
    noise = torch.randn(shape, generator=generator, device=mu.device, dtype=mu.dtype)
    return mu + (0.5 * log_var).exp() * noise


def elbo(model, x, generator=None, *, y=None):
    """The two terms of the evidence lower bound in nats, log p(x) ≥ E_q[log p(x | z)] − KL(q(z | x) ‖ p(z)).

    The reconstruction is estimated by one draw of z, without bias; the KL is exact. The loss is
    ``-(reconstruction - kl).mean()``.

    Parameters
    ----------
    model : a VAE, or any model with ``encode`` and ``log_likelihood``
    x : (batch, pixels)
    generator : torch.Generator or None, from which z is drawn
    y : (batch,) of int, for a model with classes

    Returns
    -------
    reconstruction, kl : (batch,) each
    """
    label = () if y is None else (y,)
    mu, log_var = model.encode(x, *label)
    reconstruction = model.log_likelihood(x, sample_latent(mu, log_var, generator), *label)
    return reconstruction, gaussian_kl(mu, log_var)


def iwae_bound(model, x, k, generator=None, *, y=None):
    """An estimate of the importance-weighted bound in nats, log 1/k Σ_i p(x, z_i) / q(z_i | x), z_i ~ q; (batch,).

    Its expectation is a lower bound on log p(x), the ELBO for k = 1, does not fall as k grows, and tends to log p(x)
    (Burda, Grosse and Salakhutdinov 2016, theorem 1).

    Parameters
    ----------
    model, x, generator, y : as in ``elbo``
    k : int, draws of z for each image; they are decoded in portions, so that 5,000 need little memory

    Raises
    ------
    ValueError
        If k is not positive, or x is no batch of pixels.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1; got {k}.")
    label = () if y is None else (y,)
    mu, log_var = model.encode(x, *label)
    portion = max(1, PORTION // len(x))
    log_weights = []
    for start in range(0, k, portion):
        z = sample_latent(mu, log_var, generator, k=min(portion, k - start))  # (portion, batch, latent)
        # log p(z) − log q(z | x); what normalises the two Gaussians cancels, all but Σ_j log σ_j.
        log_ratio = 0.5 * ((z - mu) ** 2 / log_var.exp() + log_var - z**2).sum(dim=-1)
        log_weights.append(torch.logsumexp(model.log_likelihood(x, z, *label) + log_ratio, dim=0))
    return torch.logsumexp(torch.stack(log_weights), dim=0) - math.log(k)

"""The linear VAE: probabilistic PCA's model with an encoder, whose every term has a closed form."""

import math

import torch
from torch import nn

from .vae import gaussian_kl


class LinearVAE(nn.Module):
    """p(x | z) = N(W z + m, σ² I) and q(z | x) = N(V (x − m), diag(s²)), in float64.

    At its best the ELBO is the likelihood of probabilistic PCA, for there the posterior is a Gaussian with one diagonal
    covariance for all x, once W's columns lie along the principal components; and since q knows no other covariance,
    they have to (Lucas, Tucker, Grosse and Norouzi 2019).

    Parameters
    ----------
    features, latent : int, numbers in x and in z
    generator : torch.Generator or None, of the initial weights

    Attributes
    ----------
    weights : (features, latent), W
    encoder : (latent, features), V
    mean : (features,), m
    log_latent_variance : (latent,), log s²
    log_variance : (), log σ²
    """

    def __init__(self, features, latent, generator=None):
        super().__init__()
        if not 1 <= latent < features:
            raise ValueError(f"latent must be at least 1 and below features, {features}; got {latent}.")

        def small(*shape):
            return nn.Parameter(0.1 * torch.randn(shape, generator=generator, dtype=torch.float64))

        self.weights, self.encoder = small(features, latent), small(latent, features)
        self.log_latent_variance = nn.Parameter(torch.zeros(latent, dtype=torch.float64))
        self.log_variance = nn.Parameter(torch.zeros((), dtype=torch.float64))
        self.register_buffer("mean", torch.zeros(features, dtype=torch.float64))

    @property
    def variance(self):
        """σ², the variance of each feature given z: a number."""
        return self.log_variance.exp().item()

    def encode(self, x):
        """Mean and log-variance of q(z | x), (batch, features) → (batch, latent) twice.

        Raises
        ------
        ValueError
            If x is not of shape (batch, features), is empty, or holds a value that is not finite.
        """
        if x.ndim != 2 or x.shape[1] != len(self.mean):
            raise ValueError(f"x must have shape (batch, {len(self.mean)}); got {tuple(x.shape)}.")
        if len(x) == 0:
            raise ValueError(f"x must hold at least one row; got an empty batch, {tuple(x.shape)}.")
        if not torch.isfinite(x).all():
            raise ValueError("x must hold finite numbers; got NaN or infinity.")
        mu = (x - self.mean) @ self.encoder.T
        return mu, self.log_latent_variance.expand_as(mu)

    def decode(self, z):
        """E[x | z] = W z + m, (…, latent) → (…, features)."""
        return z @ self.weights.T + self.mean

    def log_likelihood(self, x, z):
        """log p(x | z) = log N(x; W z + m, σ² I) in nats, (batch, features) and (…, batch, latent) → (…, batch)."""
        return self._log_density(((x - self.decode(z)) ** 2).sum(dim=-1))

    def exact_elbo(self, x):
        """Both terms of the ELBO without a draw of z, reconstruction and KL in nats, (batch,) each.

        E_q‖x − W z − m‖² = ‖x − W μ − m‖² + Σ_j s_j² ‖w_j‖², with w_j the columns of W.
        """
        mu, log_var = self.encode(x)
        spread = (log_var[0].exp() * (self.weights**2).sum(dim=0)).sum()
        error = ((x - self.decode(mu)) ** 2).sum(dim=-1) + spread
        return self._log_density(error), gaussian_kl(mu, log_var)

    def sample(self, n, generator=None):
        """Draw z from the prior, then x: (n, features)."""
        latent, features = self.encoder.shape
        z, noise = (torch.randn(n, size, generator=generator, dtype=torch.float64) for size in (latent, features))
        return self.decode(z) + (0.5 * self.log_variance).exp() * noise

    def fit(self, x, iterations=1000):
        """Maximise the mean ELBO of (batch, features) by L-BFGS from where the weights are; m becomes the mean of x.

        Gradient descent would need far longer: the ELBO hardly changes as W turns within the space that it spans.
        """
        self.encode(x)  # for its checks
        self.mean.copy_(x.mean(dim=0))
        # The mean ELBO depends on x through Σ (x − m)(x − m)ᵀ / n alone; R of a QR decomposition has it in d rows.
        rows = torch.linalg.qr(x - self.mean, mode="r").R
        rows = rows * math.sqrt(len(rows) / len(x)) + self.mean
        optimiser = torch.optim.LBFGS(
            self.parameters(),
            max_iter=iterations,
            tolerance_grad=1e-8,
            tolerance_change=1e-13,
            history_size=20,
            line_search_fn="strong_wolfe",
        )

        def loss():
            optimiser.zero_grad()
            reconstruction, kl = self.exact_elbo(rows)
            negative = -(reconstruction - kl).mean()
            negative.backward()
            return negative

        optimiser.step(loss)
        return self

    def _log_density(self, squared_error):
        """log N with covariance σ² I, from the squared distance to its mean."""
        d = len(self.mean)
        return -0.5 * (d * (math.log(2 * math.pi) + self.log_variance) + squared_error / self.log_variance.exp())

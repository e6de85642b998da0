"""Two ways to estimate the gradient of E_q[f(z)] in the parameters of q = N(μ, diag(σ²)), from draws of z.

Both are right on average. Each draw is returned by itself, so that their variances can be compared.
"""

import torch

from .vae import sample_latent


def reparameterised_gradient(f, mu, log_var, n, generator=None):
    """z = μ + σ ε, so ∂f/∂μ = f'(z) and ∂f/∂log σ² = ½ σ ε f'(z): the derivative goes through the draw.

    Parameters
    ----------
    f : (n, latent) → (n,), each value from its own row alone, differentiable
    mu, log_var : (latent,)
    n : int, draws
    generator : torch.Generator or None

    Returns
    -------
    by_mu, by_log_var : (n, latent) each; their means estimate the gradient
    """
    z = sample_latent(mu.detach(), log_var.detach(), generator, k=n).requires_grad_()
    (slope,) = torch.autograd.grad(f(z).sum(), z)  # (n, latent)
    return slope, 0.5 * (z.detach() - mu) * slope


def score_function_gradient(f, mu, log_var, n, generator=None, *, baseline=0.0):
    """(f(z) − b) ∇ log q(z), REINFORCE (Williams 1992): f need not be differentiable, only q.

    ∂ log q / ∂μ = (z − μ) / σ² and ∂ log q / ∂log σ² = ½ ((z − μ)² / σ² − 1); both have mean zero, so no baseline b
    changes the mean of the estimate.

    Parameters
    ----------
    f, mu, log_var, n, generator : as in ``reparameterised_gradient``; f need not be differentiable
    baseline : float, b; a good one is near E f(z)

    Returns
    -------
    by_mu, by_log_var : (n, latent) each; their means estimate the gradient
    """
    z = sample_latent(mu.detach(), log_var.detach(), generator, k=n)
    value = (f(z) - baseline)[:, None]  # (n, 1)
    standard = (z - mu) / (0.5 * log_var).exp()
    return value * standard / (0.5 * log_var).exp(), value * 0.5 * (standard**2 - 1)

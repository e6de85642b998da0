"""Both estimators of the gradient are right on average; their variances are those of quadrature."""

import math

import numpy as np
import pytest
import torch

from course_utils.models.gradient_estimators import reparameterised_gradient, score_function_gradient
from course_utils.optima.ppca import ProbabilisticPCA

ESTIMATORS = [reparameterised_gradient, score_function_gradient]
N = 200_000


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_unbiased_for_the_exact_elbo(estimator):
    """The ELBO of probabilistic PCA, whose gradient is known: f(z) = log p(x, z) − log q(z)."""
    rng = np.random.default_rng(0)
    exact = ProbabilisticPCA(rng.normal(size=(4, 2)), np.zeros(4), 0.8)
    X, _ = exact.sample(1, rng)
    mean, log_var = rng.normal(size=(2, 1, 2))
    x, W = torch.from_numpy(X), torch.from_numpy(exact.weights)
    mu, log_variance = torch.from_numpy(mean[0]), torch.from_numpy(log_var[0])

    def f(z):
        log_likelihood = -0.5 * ((x - z @ W.T) ** 2).sum(dim=-1) / exact.variance
        log_q = -0.5 * ((z - mu) ** 2 / log_variance.exp() + log_variance).sum(dim=-1)
        return log_likelihood - 0.5 * (z**2).sum(dim=-1) - log_q

    found = estimator(f, mu, log_variance, N, torch.Generator().manual_seed(0))
    for draws, expected in zip(found, exact.elbo_gradient(X, mean, log_var), strict=True):
        assert draws.shape == (N, 2)
        error = draws.std(dim=0) / math.sqrt(N)
        assert ((draws.mean(dim=0) - torch.from_numpy(expected[0])).abs() < 4 * error).all()


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_variance_is_that_of_quadrature(estimator):
    """f(z) = −½ (z − 3)² under N(0.5, 0.7²): the single draws' variance in closed form by Gauss–Hermite."""
    m, s = 0.5, 0.7
    nodes, weights = np.polynomial.hermite_e.hermegauss(30)
    weights = weights / weights.sum()
    z = m + s * nodes
    value, slope = -0.5 * (z - 3) ** 2, 3 - z
    if estimator is reparameterised_gradient:
        by_mu, by_log_var = slope, 0.5 * s * nodes * slope
    else:
        by_mu, by_log_var = value * nodes / s, value * 0.5 * (nodes**2 - 1)
    mu, log_var = torch.tensor([m]), torch.tensor([2 * math.log(s)])
    found = estimator(lambda z: -0.5 * ((z - 3) ** 2).sum(dim=-1), mu, log_var, N, torch.Generator().manual_seed(0))
    for draws, exact in zip(found, (by_mu, by_log_var), strict=True):
        assert draws.mean().item() == pytest.approx(weights @ exact, abs=5 * draws.std().item() / math.sqrt(N))
        assert draws.var().item() == pytest.approx(weights @ (exact - weights @ exact) ** 2, rel=0.03)


def test_a_baseline_moves_the_variance_and_not_the_mean():
    mu, log_var = torch.zeros(3), torch.zeros(3)

    def f(z):
        return 30 - (z**2).sum(dim=-1)

    plain, mended = (
        score_function_gradient(f, mu + 1, log_var, N, torch.Generator().manual_seed(0), baseline=b)[0] for b in (0, 24)
    )
    assert mended.var(dim=0).max() < 0.7 * plain.var(dim=0).min()
    np.testing.assert_allclose(mended.mean(dim=0), [-2, -2, -2], atol=0.1)
    np.testing.assert_allclose(plain.mean(dim=0), [-2, -2, -2], atol=0.1)

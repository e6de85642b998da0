"""Probabilistic PCA: log p(x), the posterior and each term of the ELBO, by independent ways and to 1e-10."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal
from sklearn.decomposition import PCA

from course_utils.data.images import digits
from course_utils.optima.ppca import ProbabilisticPCA, entropy, gaussian_divergence, log_normal


def a_model(seed, d=5, k=3):
    rng = np.random.default_rng(seed)
    return ProbabilisticPCA(rng.normal(size=(d, k)), rng.normal(size=d), rng.uniform(0.2, 2)), rng


def any_q(rng, n, k):
    """Means (n, k) and a full covariance for each row, (n, k, k)."""
    A = rng.normal(size=(n, k, k))
    return rng.normal(size=(n, k)), A @ A.transpose(0, 2, 1) + 0.1 * np.eye(k)


def integrate(f, mean, deviation):
    """E f(z) for z ~ N(mean, deviation²) on the line, by 60 Gauss–Hermite nodes."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    return weights @ f(mean + deviation * nodes) / np.sqrt(2 * np.pi)


class TestDerivation:
    """The slides' lines, each with every term, agree with log p(x) for any Gaussian q."""

    @given(seed=st.integers(0, 2**32 - 1), d=st.integers(2, 9), k=st.integers(1, 4))
    def test_three_terms_add_up_on_each_example(self, seed, d, k):
        model, rng = a_model(seed, d, k)
        X, _ = model.sample(7, rng)
        q = any_q(rng, 7, k)
        exact = model.log_marginal(X)
        scale = 1 + np.abs(model.expected_log_likelihood(X, *q)) + model.kl_to_posterior(X, *q)
        bayes = (
            model.expected_log_likelihood(X, *q) + model.expected_log_prior(*q) - model.expected_log_posterior(X, *q)
        )
        terms = model.expected_log_likelihood(X, *q) - model.kl_to_prior(*q) + model.kl_to_posterior(X, *q)
        for line in (bayes, terms):
            np.testing.assert_array_less(np.abs(line - exact) / scale, 1e-10)
        np.testing.assert_array_less(model.elbo(X, *q), exact)  # a random q is never the posterior

    def test_on_digits_to_1e_10(self):
        X = digits("test").X
        model = ProbabilisticPCA.fit(digits("train").X, 4)
        q = any_q(np.random.default_rng(0), len(X), 4)
        terms = model.expected_log_likelihood(X, *q) - model.kl_to_prior(*q) + model.kl_to_posterior(X, *q)
        assert np.abs(terms - model.log_marginal(X)).max() < 1e-10

    def test_the_bound_is_tight_only_at_the_posterior(self):
        model, rng = a_model(1)
        X, _ = model.sample(50, rng)
        mean, covariance = model.posterior(X)
        assert np.abs(model.kl_to_posterior(X, mean, covariance)).max() < 1e-10
        assert np.abs(model.elbo(X, mean, covariance) - model.log_marginal(X)).max() < 1e-10
        for worse in ((mean + 1e-3, covariance), (mean, 1.01 * covariance), (mean, 0.99 * covariance)):
            gap = model.log_marginal(X) - model.elbo(X, *worse)
            assert gap.min() > 1e-7
            np.testing.assert_allclose(gap, model.kl_to_posterior(X, *worse), atol=1e-10)

    def test_terms_are_the_integrals_they_stand_for(self):
        """Quadrature over a latent line: nothing here uses the closed forms."""
        model, rng = a_model(2, d=3, k=1)
        x = rng.normal(size=(1, 3))
        m, s = 0.4, 0.7
        q = np.array([[m]]), np.array([[s**2]])
        true_mean, true_covariance = (part.item() for part in model.posterior(x))
        identity = model.variance * np.eye(3)

        def log_density(z, mean, variance):
            return -0.5 * (np.log(2 * np.pi * variance) + (z - mean) ** 2 / variance)

        def log_likelihood(z):
            centres = z[:, None] * model.weights[:, 0] + model.mean
            return np.array([multivariate_normal.logpdf(x[0], centre, identity) for centre in centres])

        assert model.expected_log_likelihood(x, *q).item() == pytest.approx(integrate(log_likelihood, m, s))
        for found, f in (
            (model.expected_log_prior(*q), lambda z: log_density(z, 0, 1)),
            (model.expected_log_posterior(x, *q), lambda z: log_density(z, true_mean, true_covariance)),
            (-entropy(q[1]), lambda z: log_density(z, m, s**2)),
            (model.kl_to_prior(*q), lambda z: log_density(z, m, s**2) - log_density(z, 0, 1)),
        ):
            assert np.squeeze(found).item() == pytest.approx(integrate(f, m, s), abs=1e-10)
        evidence = integrate(lambda z: np.exp(log_likelihood(z)), 0.0, 1.0)
        assert model.log_marginal(x).item() == pytest.approx(np.log(evidence), abs=1e-8)

    def test_posterior_is_bayes_theorem(self):
        model, rng = a_model(3, d=4, k=2)
        X, Z = model.sample(6, rng)
        mean, covariance = model.posterior(X)
        log_joint = log_normal(X - Z @ model.weights.T - model.mean, model.variance * np.eye(4))
        log_joint += log_normal(Z, np.eye(2))
        np.testing.assert_allclose(log_normal(Z - mean, covariance), log_joint - model.log_marginal(X), atol=1e-10)


class TestGradient:
    def test_is_that_of_the_elbo(self):
        model, rng = a_model(4)
        X, _ = model.sample(3, rng)
        mean, log_var = rng.normal(size=(2, 3, 3))

        def bound(mean, log_var):
            return model.elbo(X, mean, np.exp(log_var)[:, None, :] * np.eye(3))

        by_mean, by_log_var = model.elbo_gradient(X, mean, log_var)
        for j, step in enumerate(1e-5 * np.eye(3)):
            up, down = bound(mean + step, log_var), bound(mean - step, log_var)
            np.testing.assert_allclose(by_mean[:, j], (up - down) / 2e-5, atol=1e-6)
            up, down = bound(mean, log_var + step), bound(mean, log_var - step)
            np.testing.assert_allclose(by_log_var[:, j], (up - down) / 2e-5, atol=1e-6)


class TestFit:
    def test_likelihood_is_scikit_learns(self):
        """PCA.score divides the covariance by n − 1, which shifts the likelihood by a term of order d / n²."""
        X = digits("train").X
        for latent in (1, 2, 8):
            ours = ProbabilisticPCA.fit(X, latent).log_marginal(X).mean()
            theirs = PCA(latent).fit(X).score(X)
            assert 0 <= ours - theirs < 1e-4

    def test_no_other_parameters_are_likelier(self):
        X = digits("train").X[:, 2:12]
        best = ProbabilisticPCA.fit(X, 2)
        height = best.log_marginal(X).mean()
        rng = np.random.default_rng(0)
        for _ in range(20):
            near = ProbabilisticPCA(
                best.weights + 1e-2 * rng.normal(size=best.weights.shape),
                best.mean,
                best.variance * rng.uniform(0.9, 1.1),
            )
            assert near.log_marginal(X).mean() < height

    def test_sample_has_the_covariance(self):
        model, rng = a_model(5, d=3, k=2)
        X, Z = model.sample(100_000, rng)
        assert X.shape == (100_000, 3)
        assert Z.shape == (100_000, 2)
        np.testing.assert_allclose(np.cov(X.T), model.covariance, atol=0.05 * model.covariance.max())
        np.testing.assert_allclose(X.mean(axis=0), model.mean, atol=0.05)
        np.testing.assert_allclose(np.cov(X.T, Z.T)[:3, 3:], model.weights, atol=0.05)


def test_divergence_of_two_gaussians():
    """Zero of a Gaussian from itself; by draws elsewhere, within four standard errors."""
    rng = np.random.default_rng(0)
    mean, covariance = any_q(rng, 1, 3)
    other_mean, other_covariance = (part[0] for part in any_q(rng, 1, 3))
    assert gaussian_divergence(mean, covariance, mean[0], covariance[0]).item() == pytest.approx(0, abs=1e-12)
    z = rng.multivariate_normal(mean[0], covariance[0], 200_000)
    drawn = log_normal(z - mean, covariance[0]) - log_normal(z - other_mean, other_covariance)
    exact = gaussian_divergence(mean, covariance, other_mean, other_covariance).item()
    assert abs(drawn.mean() - exact) < 4 * drawn.std() / np.sqrt(len(z))


def test_entropy_is_scipys():
    covariance = any_q(np.random.default_rng(1), 2, 3)[1]
    expected = [multivariate_normal(cov=c).entropy() for c in covariance]
    np.testing.assert_allclose(entropy(covariance), expected)


class TestBadInput:
    @pytest.mark.parametrize(
        ("weights", "mean", "variance", "message"),
        [
            (np.ones((3, 2)), np.zeros(2), 1.0, r"\(d, k\) and \(d,\); got \(3, 2\) and \(2,\)"),
            (np.ones(3), np.zeros(3), 1.0, "weights and mean must have shapes"),
            (np.ones((3, 2)), np.zeros(3), 0.0, "variance must be positive; got 0"),
            (np.ones((3, 2)), np.zeros(3), np.nan, "variance must be positive; got nan"),
        ],
    )
    def test_parameters(self, weights, mean, variance, message):
        with pytest.raises(ValueError, match=message):
            ProbabilisticPCA(weights, mean, variance)

    def test_observations(self):
        model = ProbabilisticPCA(np.ones((3, 2)), np.zeros(3), 1.0)
        with pytest.raises(ValueError, match=r"X must have shape \(n, 3\); got \(4, 2\)"):
            model.log_marginal(np.ones((4, 2)))
        with pytest.raises(ValueError, match="NaN"):
            model.posterior([[0.0, np.nan, 1.0]])
        with pytest.raises(ValueError, match="latent from 1 to d − 1"):
            ProbabilisticPCA.fit(np.ones((4, 3)), 3)

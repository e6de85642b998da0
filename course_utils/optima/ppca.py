"""Probabilistic PCA: a model with a latent variable whose log p(x), p(z | x) and ELBO are exact, term by term."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

LOG_2PI = np.log(2 * np.pi)


@dataclass(frozen=True)
class ProbabilisticPCA:
    """z ~ N(0, I), x | z ~ N(W z + m, σ² I) (Tipping and Bishop 1999).

    Approximations q(z | x) = N(μ, S) are given by ``mean``, (n, k), and ``covariance``, (k, k) for all x or (n, k, k).
    Whatever is an integral over z below is exact, and one number in nats for each x, (n,).

    Attributes
    ----------
    weights : (d, k), W
    mean : (d,), m
    variance : float, σ²

    Raises
    ------
    ValueError
        If a shape does not fit or the variance is not positive.
    """

    weights: np.ndarray
    mean: np.ndarray
    variance: float

    def __post_init__(self):
        for name in ("weights", "mean"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))
        if self.weights.ndim != 2 or self.mean.shape != self.weights.shape[:1]:
            raise ValueError(
                f"weights and mean must have shapes (d, k) and (d,); got {self.weights.shape} and {self.mean.shape}."
            )
        if not self.variance > 0:
            raise ValueError(f"variance must be positive; got {self.variance}.")

    @classmethod
    def fit(cls, X, latent):
        """The maximum of the likelihood of X, (n, d), in closed form, with ``latent`` < d numbers in z.

        W = U (Λ − σ² I)^½ with the largest eigenvalues Λ of the covariance and their eigenvectors U; σ² is the mean of
        the others (Tipping and Bishop 1999, equations 7 and 8 with R = I).
        """
        X = np.asarray(X, dtype=np.float64)
        if X.ndim != 2 or not 1 <= latent < X.shape[1]:
            raise ValueError(f"X must be (n, d) and latent from 1 to d − 1; got X of shape {X.shape}, latent {latent}.")
        values, vectors = np.linalg.eigh(np.cov(X.T, bias=True))  # in increasing order
        values, vectors = values[::-1], vectors[:, ::-1]
        variance = values[latent:].mean()
        return cls(vectors[:, :latent] * np.sqrt(values[:latent] - variance), X.mean(axis=0), float(variance))

    @property
    def covariance(self):
        """Cov x = W Wᵀ + σ² I, (d, d)."""
        return self.weights @ self.weights.T + self.variance * np.eye(len(self.mean))

    def sample(self, n_samples, rng):
        """Draw with a numpy Generator: x (n_samples, d) and the z that it was made from (n_samples, k)."""
        z = rng.standard_normal((n_samples, self.weights.shape[1]))
        noise = np.sqrt(self.variance) * rng.standard_normal((n_samples, len(self.mean)))
        return z @ self.weights.T + self.mean + noise, z

    def log_marginal(self, X):
        """log p(x) = log ∫ p(x | z) p(z) dz = log N(x; m, W Wᵀ + σ² I), (n, d) → (n,)."""
        return log_normal(self._centred(X), self.covariance)

    def posterior(self, X):
        """p(z | x) = N(M⁻¹ Wᵀ (x − m), σ² M⁻¹), M = Wᵀ W + σ² I: means (n, k) and the covariance (k, k) of all."""
        M = self.weights.T @ self.weights + self.variance * np.eye(self.weights.shape[1])
        return np.linalg.solve(M, self.weights.T @ self._centred(X).T).T, self.variance * np.linalg.inv(M)

    def expected_log_likelihood(self, X, mean, covariance):
        """∫ q(z) log p(x | z) dz, the reconstruction: −½ [d log 2πσ² + (‖x − W μ − m‖² + tr W S Wᵀ) / σ²]."""
        error = ((self._centred(X) - mean @ self.weights.T) ** 2).sum(axis=-1)
        spread = trace(self.weights.T @ self.weights, covariance)
        return -0.5 * (len(self.mean) * (LOG_2PI + np.log(self.variance)) + (error + spread) / self.variance)

    def expected_log_prior(self, mean, covariance):
        """∫ q(z) log p(z) dz = log N(μ; 0, I) − ½ tr S."""
        identity = np.eye(self.weights.shape[1])
        return log_normal(mean, identity) - 0.5 * trace(identity, covariance)

    def expected_log_posterior(self, X, mean, covariance):
        """∫ q(z) log p(z | x) dz = log N(μ; μ*, S*) − ½ tr S*⁻¹ S: the term that a VAE can't compute."""
        true_mean, true_covariance = self.posterior(X)
        return log_normal(mean - true_mean, true_covariance) - 0.5 * trace(np.linalg.inv(true_covariance), covariance)

    def kl_to_prior(self, mean, covariance):
        """KL(q(z) ‖ p(z))."""
        k = self.weights.shape[1]
        return gaussian_divergence(mean, covariance, np.zeros(k), np.eye(k))

    def kl_to_posterior(self, X, mean, covariance):
        """KL(q(z) ‖ p(z | x)), the gap between log p(x) and the ELBO: zero only where q is the posterior."""
        return gaussian_divergence(mean, covariance, *self.posterior(X))

    def elbo(self, X, mean, covariance):
        """The evidence lower bound, reconstruction − KL(q(z) ‖ p(z)) ≤ log p(x)."""
        return self.expected_log_likelihood(X, mean, covariance) - self.kl_to_prior(mean, covariance)

    def elbo_gradient(self, X, mean, log_var):
        """∂ ELBO / ∂μ and ∂ ELBO / ∂ log s² for q = N(μ, diag(s²)): (n, d), (n, k), (n, k) → (n, k) twice."""
        by_mean = (self._centred(X) - mean @ self.weights.T) @ self.weights / self.variance - mean
        curvature = (self.weights**2).sum(axis=0) / self.variance + 1
        return by_mean, 0.5 * (1 - np.exp(log_var) * curvature)

    def _centred(self, X):
        X = np.asarray(X, dtype=np.float64)
        if X.ndim != 2 or X.shape[1] != len(self.mean):
            raise ValueError(f"X must have shape (n, {len(self.mean)}); got {X.shape}.")
        if not np.isfinite(X).all():
            raise ValueError("X must hold finite numbers; got NaN or infinity.")
        return X - self.mean


def entropy(covariance):
    """−∫ q log q = ½ (k (1 + log 2π) + log |S|) in nats, the entropy of a Gaussian: (…, k, k) → (…,)."""
    k = np.shape(covariance)[-1]
    return 0.5 * (k * (1 + LOG_2PI) + log_determinant(covariance))


def gaussian_divergence(mean, covariance, other_mean, other_covariance):
    """KL(N(μ, S) ‖ N(μ', S')) = ½ [tr S'⁻¹ S + (μ' − μ)ᵀ S'⁻¹ (μ' − μ) − k + log |S'| − log |S|] in nats.

    μ : (n, k). S : (k, k) or (n, k, k). μ' : (k,) or (n, k). S' : (k, k). Returns (n,).
    """
    precision = np.linalg.inv(other_covariance)
    difference = other_mean - mean  # (n, k)
    distance = np.einsum("ni,ij,nj->n", difference, precision, difference)
    volumes = log_determinant(other_covariance) - log_determinant(covariance)
    return 0.5 * (trace(precision, covariance) + distance - len(precision) + volumes)


def log_normal(difference, covariance):
    """log N(x; m, Σ) in nats from x − m, (n, d), and Σ, (d, d): (n,)."""
    factor = np.linalg.cholesky(covariance)
    z = solve_triangular(factor, np.asarray(difference).T, lower=True)  # (d, n)
    log_det = 2 * np.log(np.diag(factor)).sum()
    return -0.5 * (len(factor) * LOG_2PI + log_det + (z**2).sum(axis=0))


def log_determinant(covariance):
    """log |S| of a positive definite matrix or a stack of them, (…, k, k) → (…,); LinAlgError if one is not."""
    return 2 * np.log(np.diagonal(np.linalg.cholesky(covariance), axis1=-2, axis2=-1)).sum(axis=-1)


def trace(A, B):
    """tr A B of a symmetric A, (k, k), and B, (…, k, k) → (…,)."""
    return (A * B).sum(axis=(-2, -1))

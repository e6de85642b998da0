"""Gaussian classes with one covariance: the exact posterior, Fisher's directions, and what a linear rule loses."""

from dataclasses import dataclass

import numpy as np
from scipy.integrate import quad
from scipy.linalg import eigh, solve_triangular
from scipy.special import log_softmax, ndtr

REACH = 12.0  # standard deviations; beyond lies less than 1e-32 of the probability


@dataclass(frozen=True)
class LinearRule:
    """The log-odds of class 1 against class 0 are weights·x + intercept; class 1 where they are positive.

    Attributes
    ----------
    weights : (d,)
    intercept : float
    """

    weights: np.ndarray
    intercept: float

    def __call__(self, X):
        """The log-odds, (n, d) → (n,)."""
        return np.asarray(X) @ self.weights + self.intercept


@dataclass(frozen=True)
class SharedCovariance:
    """The joint distribution p(x, y = k) = π_k N(x; μ_k, Σ): what linear discriminant analysis takes for true.

    Attributes
    ----------
    priors : (K,), positive, sum to one
    means : (K, d)
    covariance : (d, d), positive definite

    Raises
    ------
    ValueError
        If a shape does not fit or the priors are no distribution.
    LinAlgError
        If the covariance is not positive definite.
    """

    priors: np.ndarray
    means: np.ndarray
    covariance: np.ndarray

    def __post_init__(self):
        for name in ("priors", "means", "covariance"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))
        if self.means.ndim != 2 or len(self.means) < 2:
            raise ValueError(f"means must have shape (K, d) with K > 1; got {self.means.shape}.")
        n_classes, d = self.means.shape
        if self.priors.shape != (n_classes,) or np.any(self.priors <= 0) or not np.isclose(self.priors.sum(), 1):
            raise ValueError(
                f"priors must be {n_classes} positive numbers that sum to one; got {self.priors.tolist()}."
            )
        if self.covariance.shape != (d, d):
            raise ValueError(f"covariance must have shape {(d, d)}; got {self.covariance.shape}.")
        object.__setattr__(self, "_factor", np.linalg.cholesky(self.covariance))

    def log_joint(self, X):
        """log p(x, y = k) = log π_k + log N(x; μ_k, Σ) in nats, (n, d) → (n, K)."""
        difference = np.asarray(X)[:, None, :] - self.means  # (n, K, d)
        z = solve_triangular(self._factor, difference.reshape(-1, self.means.shape[1]).T, lower=True)
        squared_distance = np.sum(z**2, axis=0).reshape(difference.shape[:2])
        log_det = 2 * np.log(np.diag(self._factor)).sum()
        return np.log(self.priors) - 0.5 * (len(z) * np.log(2 * np.pi) + log_det + squared_distance)

    def log_posterior(self, X):
        """log p(y = k | x) in nats by Bayes' theorem, (n, d) → (n, K)."""
        return log_softmax(self.log_joint(X), axis=1)

    def sample(self, n_samples, rng):
        """Draw (x, y) with a numpy Generator: (n_samples, d) and (n_samples,)."""
        y = rng.choice(len(self.priors), size=n_samples, p=self.priors)
        return self.means[y] + rng.standard_normal((n_samples, self.means.shape[1])) @ self._factor.T, y

    def directions(self):
        """Fisher's directions, the solutions w of B w = λ Σ w with B = Σ_k π_k (μ_k − μ)(μ_k − μ)ᵀ.

        Returns
        -------
        directions : (d, c), c = min(K − 1, d), with wᵀ Σ w = 1
        ratios : (c,), λ = wᵀ B w / wᵀ Σ w, falling: between-class over within-class variance along w
        """
        offset = self.means - self.priors @ self.means
        ratios, directions = eigh((self.priors[:, None] * offset).T @ offset, self.covariance)
        kept = slice(None, -1 - min(len(self.means) - 1, len(ratios)), -1)
        return directions[:, kept], ratios[kept]

    def bayes_rule(self):
        """For two classes, the exact log-odds: weights Σ⁻¹ (μ_1 − μ_0), zero halfway between the means if π_0 = π_1."""
        self._check_two_classes()
        weights = np.linalg.solve(self.covariance, self.means[1] - self.means[0])
        return LinearRule(weights, float(np.log(self.priors[1] / self.priors[0]) - weights @ self.means.mean(axis=0)))

    def error(self, rule):
        """For two classes, the exact probability that ``rule`` decides wrongly: no test set, so no noise."""
        mean, deviation = self._log_odds_distribution(rule)
        return float(self.priors[0] * ndtr(mean[0] / deviation) + self.priors[1] * ndtr(-mean[1] / deviation))

    def log_loss(self, rule):
        """For two classes, E[−log q(y | x)] in nats, q the posterior that ``rule`` states.

        The log-odds s are normal within each class, and −log q(y | x) = log(1 + exp(∓s)): two integrals over one
        variable, computed to 1e-10.
        """
        mean, deviation = self._log_odds_distribution(rule)
        total = 0.0
        for prior, m in ((self.priors[0], mean[0]), (self.priors[1], -mean[1])):

            def integrand(z, m=m):
                return np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi) * np.logaddexp(0.0, m + deviation * z)

            bend = [-m / deviation] if abs(m) < REACH * deviation else None
            total += prior * quad(integrand, -REACH, REACH, points=bend, epsabs=1e-12, epsrel=1e-12, limit=200)[0]
        return float(total)

    def excess_log_loss(self, rule):
        """E_x KL(p(y | x) ‖ q(y | x)) in nats: how far the posterior that ``rule`` states is from the exact one."""
        return self.log_loss(rule) - self.log_loss(self.bayes_rule())

    def calibration(self, rule):
        """How often a rule is right that says it is sure, in closed form.

        Returns
        -------
        slope, shift : float
            Where ``rule`` states log-odds s, those of y given s are slope·s + shift. A calibrated rule has 1 and 0; a
            slope below one is overconfidence.
        """
        mean, deviation = self._log_odds_distribution(rule)
        slope = (mean[1] - mean[0]) / deviation**2
        return float(slope), float(np.log(self.priors[1] / self.priors[0]) - slope * mean.mean())

    def _check_two_classes(self):
        if len(self.means) != 2:
            raise ValueError(f"log-odds are those of two classes; here are {len(self.means)}.")

    def _log_odds_distribution(self, rule):
        """The means (2,) of the stated log-odds in the two classes, and their common standard deviation."""
        self._check_two_classes()
        deviation = np.linalg.norm(self._factor.T @ rule.weights)
        return rule(self.means), max(deviation, 1e-150)  # a rule that says the same of every x divides by it, too

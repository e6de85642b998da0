"""The game of a GAN, solved: the best discriminator, what the game is worth there, and how the simplest game moves."""

from dataclasses import dataclass

import numpy as np
from scipy.special import entr, expit, ndtr, ndtri, xlogy


@dataclass(frozen=True)
class Mixture:
    """A mixture of Gaussians on the line, p(x) = Σ_i w_i N(x; m_i, s_i²).

    Attributes
    ----------
    weights : (c,), positive, sum to one
    means, deviations : (c,), the deviations positive

    Raises
    ------
    ValueError
        If the weights are no distribution, or a deviation is not positive.
    """

    weights: np.ndarray
    means: np.ndarray
    deviations: np.ndarray

    def __post_init__(self):
        for name in ("weights", "means", "deviations"):
            object.__setattr__(self, name, np.atleast_1d(np.asarray(getattr(self, name), dtype=np.float64)))
        if not self.weights.shape == self.means.shape == self.deviations.shape or self.weights.ndim != 1:
            raise ValueError("weights, means and deviations must have one number for each component.")
        if np.any(self.weights <= 0) or not np.isclose(self.weights.sum(), 1):
            raise ValueError(f"weights must be positive and sum to one; got {self.weights.tolist()}.")
        if np.any(self.deviations <= 0):
            raise ValueError(f"deviations must be positive; got {self.deviations.tolist()}.")

    def density(self, x):
        """p(x), any shape → the same shape."""
        z = (np.asarray(x)[..., None] - self.means) / self.deviations  # (…, c)
        return np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi) @ (self.weights / self.deviations)

    def cumulative(self, x):
        """P(X ≤ x), any shape → the same shape; x may be infinite."""
        return ndtr((np.asarray(x)[..., None] - self.means) / self.deviations) @ self.weights

    def bins(self, edges):
        """The probability of each bin between ``edges`` (m,), with an open one at either end: (m + 1,)."""
        return np.diff(np.concatenate([[0.0], self.cumulative(edges), [1.0]]))

    def quantiles(self, n):
        """n values that have the density without the noise of a draw, P(X ≤ x_i) = (i + ½)/n: (n,), by bisection."""
        u = (np.arange(n) + 0.5) / n
        reach = 1 + ndtri(1 - 0.5 / n) * self.deviations
        low = np.full(n, np.min(self.means - reach))
        high = np.full(n, np.max(self.means + reach))
        for _ in range(60):  # halves that leave nothing of float64
            middle = (low + high) / 2
            below = self.cumulative(middle) < u
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return high

    def sample(self, n_samples, rng):
        """Draw with a numpy Generator: (n_samples,)."""
        component = rng.choice(len(self.weights), size=n_samples, p=self.weights)
        return self.means[component] + self.deviations[component] * rng.standard_normal(n_samples)


def optimal_discriminator(p, q):
    """D*(x) = p(x) / (p(x) + q(x)), which maximises p log D + q log(1 − D) at every x.

    Goodfellow et al. (2014), proposition 1. ½ where both are zero: there D earns nothing, whatever it says.
    """
    p, q = np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64)
    total = p + q
    return np.divide(p, total, out=np.full(np.broadcast(p, q).shape, 0.5), where=total > 0)


def value(p, q, discriminator):
    """V(D, G) = Σ_i p_i log D_i + q_i log(1 − D_i), in nats.

    Parameters
    ----------
    p, q : (m,), probabilities of the data and of the generator's samples in m bins
    discriminator : (m,), D there
    """
    return float(np.sum(xlogy(p, discriminator) + xlogy(q, 1 - np.asarray(discriminator))))


def jensen_shannon(p, q):
    """JSD(p‖q) = H((p + q)/2) − (H(p) + H(q))/2 of two distributions over m bins, in nats: 0 … log 2.

    At the best discriminator V(D*, G) = −log 4 + 2 JSD(p‖q) (Goodfellow et al. 2014, theorem 1).
    """
    p, q = np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64)
    return float(np.sum(entr((p + q) / 2) - (entr(p) + entr(q)) / 2))


@dataclass(frozen=True)
class DiracGame:
    """The smallest GAN: the data are a point at 0, the generator one at θ, the discriminator's logit is ψ x.

    The discriminator follows the gradient of V − ½ γ ψ², V = log σ(ψ·0) + log σ(−ψθ), up, the generator that of its
    own loss down (Mescheder, Geiger and Nowozin 2018, "Which training methods for GANs do actually converge?"). In
    continuous time θ² + ψ² is conserved by the minimax game and falls by 2 θψ tanh(ψθ/2) in the non-saturating one:
    of the fourth order, so near the equilibrium (0, 0) both go round alike, and ever more slowly in.

    Attributes
    ----------
    step : float, the learning rate h of both
    gamma : float, γ, the weight of the R1 penalty
    alternating : bool, the generator answers to the discriminator's new ψ, not to its old one
    saturating : bool, True for the minimax game, in which the generator's loss is V; False for −log σ(ψθ)
    """

    step: float
    gamma: float = 0.0
    alternating: bool = False
    saturating: bool = True

    def update(self, theta, psi):
        """One update of both, (θ, ψ) → (θ, ψ)."""
        new_psi = psi - self.step * (theta * expit(psi * theta) + self.gamma * psi)
        seen = new_psi if self.alternating else psi
        slope = expit(seen * theta if self.saturating else -seen * theta)
        return theta + self.step * seen * slope, new_psi

    def orbit(self, theta, psi, steps):
        """(steps + 1, 2): θ and ψ from the start on."""
        points = [(theta, psi)]
        for _ in range(steps):
            points.append(self.update(*points[-1]))
        return np.array(points)

    def jacobian(self):
        """The update's derivative at the equilibrium, rows and columns (θ, ψ); σ(0) = ½."""
        h, gamma = self.step, self.gamma
        if self.alternating:
            discriminator = np.array([[1.0, 0.0], [-h / 2, 1 - h * gamma]])
            generator = np.array([[1.0, h / 2], [0.0, 1.0]])
            return generator @ discriminator
        return np.array([[1.0, h / 2], [-h / 2, 1 - h * gamma]])

    def eigenvalues(self):
        """Of the update at the equilibrium, (2,) complex: beyond the unit circle the game spirals out, within it in."""
        return np.linalg.eigvals(self.jacobian()).astype(complex)

    def spectral_radius(self):
        """The largest modulus of the eigenvalues: by what a step multiplies the distance, in the long run."""
        return float(np.abs(self.eigenvalues()).max())

"""Two Gaussian classes: the exact posterior, the Bayes error, and the exact error of any quadratic rule."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import logsumexp, ndtr

# The integral over one feature: from −REACH to +REACH standard deviations (beyond lies less than 1e-18 of the
# probability), in panels of Gauss–Legendre nodes. Against scipy.integrate.quad the error is below 1e-9 (see the tests).
REACH = 9.0
PANELS = 12
NODES, WEIGHTS = np.polynomial.legendre.leggauss(24)


@dataclass(frozen=True)
class QuadraticRule:
    """Decide for class 1 where xᵀ A x + bᵀ x + c > 0, for class 0 elsewhere; with A = 0 the rule is linear.

    Attributes
    ----------
    quadratic : (d, d), symmetric, A
    linear : (d,), b
    constant : float, c
    """

    quadratic: np.ndarray
    linear: np.ndarray
    constant: float

    @classmethod
    def from_linear(cls, weights, intercept):
        """The rule of a linear classifier, weights·x + intercept > 0, as logistic regression has it."""
        weights = np.ravel(np.asarray(weights, dtype=np.float64))
        return cls(np.zeros((len(weights), len(weights))), weights, float(np.squeeze(intercept)))

    def __call__(self, X):
        """xᵀ A x + bᵀ x + c, (n, d) → (n,)."""
        return np.einsum("ni,ij,nj->n", X, self.quadratic, X) + X @ self.linear + self.constant


@dataclass(frozen=True)
class GaussianClasses:
    """The joint distribution p(x, y) = π_y N(x; μ_y, Σ_y) of two classes y ∈ {0, 1} in one or two dimensions.

    Attributes
    ----------
    priors : (2,), positive, sum to one
    means : (2, d), d = 1 or 2
    covariances : (2, d, d), positive definite

    Raises
    ------
    ValueError
        If a shape does not fit or the priors are no distribution.
    LinAlgError
        If a covariance is not positive definite.
    """

    priors: np.ndarray
    means: np.ndarray
    covariances: np.ndarray

    def __post_init__(self):
        for name in ("priors", "means", "covariances"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))
        d = self.means.shape[-1]
        if self.priors.shape != (2,) or np.any(self.priors <= 0) or not np.isclose(self.priors.sum(), 1):
            raise ValueError(f"priors must be two positive numbers that sum to one; got {self.priors.tolist()}.")
        if self.means.shape not in {(2, 1), (2, 2)}:
            raise ValueError(f"means must have shape (2, 1) or (2, 2), classes × features; got {self.means.shape}.")
        if self.covariances.shape != (2, d, d):
            raise ValueError(f"covariances must have shape {(2, d, d)}; got {self.covariances.shape}.")
        object.__setattr__(self, "_factors", np.linalg.cholesky(self.covariances))

    def log_joint(self, X):
        """log p(x, y) = log π_y + log N(x; μ_y, Σ_y) in nats, (n, d) → (n, 2)."""
        columns = []
        for prior, mean, factor in zip(self.priors, self.means, self._factors, strict=True):
            z = solve_triangular(factor, (np.asarray(X) - mean).T, lower=True)  # (d, n)
            log_det = 2 * np.log(np.diag(factor)).sum()
            columns.append(np.log(prior) - 0.5 * (len(mean) * np.log(2 * np.pi) + log_det + (z**2).sum(axis=0)))
        return np.stack(columns, axis=1)

    def log_marginal(self, X):
        """log p(x) = log Σ_y p(x, y) in nats, (n, d) → (n,)."""
        return logsumexp(self.log_joint(X), axis=1)

    def posterior(self, X):
        """p(y = 1 | x) by Bayes' theorem, (n, d) → (n,)."""
        joint = self.log_joint(X)
        return np.exp(joint[:, 1] - logsumexp(joint, axis=1))

    def sample(self, n_samples, rng):
        """Draw (x, y) with a numpy Generator: (n_samples, d) and (n_samples,)."""
        y = (rng.random(n_samples) < self.priors[1]).astype(int)
        z = rng.standard_normal((n_samples, self.means.shape[1]))
        return self.means[y] + np.einsum("nij,nj->ni", self._factors[y], z), y

    def bayes_rule(self):
        """The rule with the least error: log p(x, y = 1) − log p(x, y = 0) > 0, a quadratic in x.

        With P = Σ⁻¹, the quadratic part is ½ (P_0 − P_1), the linear part P_1 μ_1 − P_0 μ_0; equal covariances cancel
        the quadratic part, and the boundary is a line.
        """
        precision = np.linalg.inv(self.covariances)
        pull = np.einsum("kij,kj->ki", precision, self.means)  # (2, d), Σ⁻¹ μ
        height = np.log(self.priors) - np.log(np.diagonal(self._factors, axis1=1, axis2=2)).sum(axis=1)
        height -= 0.5 * np.einsum("ki,ki->k", pull, self.means)
        return QuadraticRule(0.5 * (precision[0] - precision[1]), pull[1] - pull[0], float(height[1] - height[0]))

    def bayes_error(self):
        """The least error that any classifier can have, ∫ min_y p(x, y) dx; a probability."""
        return self.error(self.bayes_rule())

    def error(self, rule):
        """The exact probability that ``rule`` is wrong: no test set, so no noise.

        π_0 P(rule > 0 | y = 0) + π_1 P(rule ≤ 0 | y = 1).
        """
        positive = [self._positive(rule, y) for y in (0, 1)]
        return float(self.priors[0] * positive[0] + self.priors[1] * (1 - positive[1]))

    def posterior_divergence(self, rule):
        """E_x KL(p(y | x) ‖ q(y | x)) in nats, where q(y = 1 | x) = 1 / (1 + exp(−rule(x))): 0 if q is exact.

        ``rule`` gives log-odds, as those of a fitted model. What it loses in held-out log p(y | x) against the true
        posterior; by Gauss–Hermite quadrature under each class.
        """
        nodes, weights = np.polynomial.hermite_e.hermegauss(80)
        d = self.means.shape[1]
        z = np.stack(np.meshgrid(*[nodes] * d), axis=-1).reshape(-1, d)  # (80^d, d), standard normal coordinates
        weight = np.prod(np.stack(np.meshgrid(*[weights] * d), axis=-1).reshape(-1, d), axis=1) / (2 * np.pi) ** (d / 2)
        total = 0.0
        for y, sign in enumerate((-1, 1)):
            x = self.means[y] + z @ self._factors[y].T
            true_odds, odds = self.bayes_rule()(x), rule(x)
            # log p(y | x) = −log(1 + exp(∓ log-odds))
            gain = np.logaddexp(0, -sign * odds) - np.logaddexp(0, -sign * true_odds)
            total += self.priors[y] * np.sum(weight * gain)
        return float(total)

    def _positive(self, rule, y):
        """P(rule > 0 | y): with x = μ + L z, z is standard normal and the rule is still a quadratic in z."""
        factor, mean = self._factors[y], self.means[y]
        quadratic = factor.T @ rule.quadratic @ factor
        linear = factor.T @ (2 * rule.quadratic @ mean + rule.linear)
        constant = rule(mean[None])[0]
        if not quadratic.any():  # b·z is normal with standard deviation |b|
            return _normal_quadratic_positive(0.0, np.linalg.norm(linear), np.array([constant]))[0]
        # Rotated to the axes of the quadratic the cross term is gone: Σ_i a_i z_i² + b_i z_i + c, z_i independent.
        a, axes = np.linalg.eigh(quadratic)
        b = axes.T @ linear
        if len(a) == 1:
            return _normal_quadratic_positive(a[0], b[0], np.array([constant]))[0]
        # The feature that the rule depends on most goes inside, where the probability is exact; the outer integrand
        # then never changes faster than a normal density does.
        outer, inner = np.argsort(np.abs(a) + np.abs(b))
        return _integrate_outer((a[outer], b[outer]), (a[inner], b[inner]), constant)


def _integrate_outer(outer, inner, constant):
    """P(Σ_i a_i z_i² + b_i z_i + c > 0) = ∫ N(z_o) P(a_i z_i² + b_i z_i > −(a_o z_o² + b_o z_o + c)) dz_o."""
    # Where the discriminant of the inner quadratic changes sign, its roots appear or vanish like a square root. The
    # integral is cut there; with z = low + (high − low) sin²(π t / 2) each piece is smooth in t up to both its ends.
    discriminant = np.array(
        [-4 * inner[0] * outer[0], -4 * inner[0] * outer[1], inner[1] ** 2 - 4 * inner[0] * constant]
    )
    roots = np.roots(discriminant) if discriminant[:2].any() else np.empty(0)
    cuts = np.real(roots)  # a complex pair close to the axis is a kink just rounded off: cut there, too
    edges = np.unique(np.concatenate([[-REACH], cuts[np.abs(cuts) < REACH], [REACH]]))
    t = ((np.arange(PANELS)[:, None] + (NODES + 1) / 2) / PANELS).ravel()  # (PANELS · nodes,), in (0, 1)
    weight = np.tile(WEIGHTS / (2 * PANELS), PANELS)
    total = 0.0
    for low, high in pairwise(edges):
        z = low + (high - low) * np.sin(np.pi / 2 * t) ** 2
        slope = (high - low) * np.pi / 2 * np.sin(np.pi * t)
        density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
        rest = outer[0] * z**2 + outer[1] * z + constant
        total += np.sum(weight * slope * density * _normal_quadratic_positive(inner[0], inner[1], rest))
    return total


def _normal_quadratic_positive(a, b, c):
    """P(a z² + b z + c > 0) for standard normal z, with a and b scalars and c of shape (m,) → (m,)."""
    discriminant = b**2 - 4 * a * c
    # The two roots without cancellation (Press et al. 2007, section 5.6); as a → 0 the first goes to ∓∞.
    q = -0.5 * (b + (1 if b >= 0 else -1) * np.sqrt(np.maximum(discriminant, 0.0)))
    with np.errstate(divide="ignore", invalid="ignore"):
        first = q / a if a != 0 else np.full_like(q, -np.inf if b >= 0 else np.inf)
        second = c / q
    between = np.abs(ndtr(first) - ndtr(second))
    crosses = between if a < 0 else 1 - between
    has_roots = (discriminant > 0) & (q != 0)
    return np.where(has_roots, crosses, (a > 0) if a != 0 else (c > 0))

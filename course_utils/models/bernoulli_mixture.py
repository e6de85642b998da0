"""A mixture of Bernoulli distributions, fitted by expectation–maximisation: naive Bayes whose classes are not told."""

import numpy as np
from scipy.special import logsumexp
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data


class BernoulliMixture(DensityMixin, BaseEstimator):
    """p(x) = Σ_k w_k Π_j θ_kj^x_j (1 − θ_kj)^(1 − x_j), x_j ∈ {0, 1} (Bishop 2006, section 9.3.3).

    The maximum of the likelihood times the priors Dirichlet(α + 1) of w and Beta(α + 1, α + 1) of each θ_kj, as
    ``BernoulliNB`` smooths. Each iteration of EM raises it; where it ends depends on where it began.

    Parameters
    ----------
    n_components : int, K
    alpha : float, positive
    max_iter : int
    tol : float, stop when an iteration raises the objective by less, in nats per row
    n_init : int, beginnings from random rows; the best end is kept
    random_state : int, RandomState or None

    Attributes
    ----------
    weights_ : (K,), w
    means_ : (K, d), θ
    history_ : (iterations,), the objective in nats per row; it never falls
    n_iter_ : int
    """

    def __init__(self, n_components=10, *, alpha=1.0, max_iter=500, tol=1e-5, n_init=1, random_state=None):
        self.n_components = n_components
        self.alpha = alpha
        self.max_iter = max_iter
        self.tol = tol
        self.n_init = n_init
        self.random_state = random_state

    def fit(self, X, y=None):
        """Fit to rows of zeros and ones, (n, d); y is ignored.

        Raises
        ------
        ValueError
            If X holds anything else, or fewer rows than components; if a parameter is out of its range.
        """
        X = self._zeros_and_ones(X, reset=True)
        for name in ("n_components", "max_iter", "n_init"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1; got {getattr(self, name)!r}.")
        if not self.alpha > 0:
            raise ValueError(f"alpha must be positive; got {self.alpha!r}.")
        if len(X) < self.n_components:
            raise ValueError(f"n_components must be at most the number of rows, {len(X)}; got {self.n_components}.")
        random_state = check_random_state(self.random_state)
        ends = [self._climb(X, random_state) for _ in range(self.n_init)]
        self.weights_, self.means_, self.history_ = max(ends, key=lambda end: end[2][-1])
        self.n_iter_ = len(self.history_)
        return self

    def _climb(self, X, random_state):
        """EM from random rows, drawn half way to ½: weights, means and the history of the objective."""
        means = 0.25 + 0.5 * X[random_state.choice(len(X), self.n_components, replace=False)]
        weights, history = np.full(self.n_components, 1 / self.n_components), []
        while len(history) < self.max_iter:
            joint = log_joint(X, weights, means)  # (n, K)
            log_p = logsumexp(joint, axis=1)
            log_prior = self.alpha * (np.log(weights).sum() + np.log(means * (1 - means)).sum())
            history.append((log_p.sum() + log_prior) / len(X))
            if len(history) > 1 and history[-1] - history[-2] < self.tol:
                break
            responsibility = np.exp(joint - log_p[:, None])  # E: p(k | x), (n, K)
            count = responsibility.sum(axis=0)  # M: the modes of the posterior, given the responsibilities
            weights = (count + self.alpha) / (len(X) + self.n_components * self.alpha)
            means = (responsibility.T @ X + self.alpha) / (count + 2 * self.alpha)[:, None]
        return weights, means, np.array(history)

    def score_samples(self, X):
        """log p(x) in nats, (n, d) → (n,)."""
        check_is_fitted(self)
        return logsumexp(log_joint(self._zeros_and_ones(X), self.weights_, self.means_), axis=1)

    def score(self, X, y=None):
        """The mean of log p(x) over the rows, in nats."""
        return float(self.score_samples(X).mean())

    def sample(self, n_samples=1, random_state=None):
        """Draw a component, then the pixels: x (n_samples, d) of zeros and ones, and the components (n_samples,)."""
        check_is_fitted(self)
        random_state = check_random_state(random_state)
        component = random_state.choice(len(self.weights_), n_samples, p=self.weights_ / self.weights_.sum())
        return (random_state.random_sample((n_samples, self.n_features_in_)) < self.means_[component]) * 1.0, component

    def _zeros_and_ones(self, X, reset=False):
        X = validate_data(self, X, reset=reset, dtype=np.float64)
        if not np.all((X == 0) | (X == 1)):
            raise ValueError("X must hold only zeros and ones: binarise it first (course_utils.data.images.binarise).")
        return X


def log_joint(X, weights, means):
    """log w_k + log p(x | k), (n, d), (K,) and (K, d) → (n, K): linear in x, so one product of matrices."""
    log_odds = np.log(means) - np.log1p(-means)
    return X @ log_odds.T + np.log1p(-means).sum(axis=1) + np.log(weights)

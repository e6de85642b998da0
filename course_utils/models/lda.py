"""Linear discriminant analysis: Gaussian classes that share one covariance, and Fisher's directions from them."""

from numbers import Real

import numpy as np
from scipy.linalg import lapack, solve_triangular
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.covariance import ledoit_wolf
from sklearn.preprocessing import StandardScaler

from .class_means import ClassMeans
from .gaussian import SAFE_RECIPROCAL_CONDITION
from .generative_classifier import check_priors, log, row_blocks
from .incremental_classifier import IncrementalClassifier

EPS = np.finfo(np.float64).eps


def within_class_factor(X, labels, n_classes):
    """The class means, and a factor of the scatter of the rows about them, S_w = Σ_i (x_i − m_yi)(x_i − m_yi)ᵀ.

    Parameters
    ----------
    X : (n, d)
    labels : (n,) of int, 0 … n_classes − 1

    Returns
    -------
    classes : ClassMeans
    factor : (d, d), R, upper triangular, RᵀR = S_w
    """
    d = X.shape[1]
    classes, scatter = ClassMeans(n_classes, d), np.zeros((d, d))
    for block in row_blocks(X):
        centred, shift = classes.add(X[block], labels[block])
        scatter += centred.T @ centred + shift.T @ shift
    factor = _cholesky(scatter)
    if factor is None:  # read X a second time and never square it: slower, but the digits are kept
        classes, factor = ClassMeans(n_classes, d), np.zeros((d, d))
        for block in row_blocks(X, least=d):
            factor = _triangular(factor, *classes.add(X[block], labels[block]))
    return classes, factor


def _cholesky(scatter):
    """Upper triangular R, RᵀR = scatter; None if it is singular or squaring has cost too many digits."""
    scale = np.sqrt(np.diag(scatter))  # to a unit diagonal: units of measurement are no reason to lose digits
    if np.all(scale > 0):
        factor, failed = lapack.dpotrf(scatter / np.outer(scale, scale), clean=1)
        if not failed and lapack.dpocon(factor, 1.0)[0] > SAFE_RECIPROCAL_CONDITION:
            return factor * scale
    return None


def _triangular(*arrays):
    """Upper triangular R, (d, d), with RᵀR the sum of AᵀA over the given A, (…, d) each: by QR, without AᵀA."""
    return np.linalg.qr(np.vstack(arrays), mode="r")


def ledoit_wolf_factor(X, labels):
    """R, RᵀR = Σ_k n_k/n Σ_k, each class's covariance shrunk by the formula of Ledoit and Wolf, (d, d)."""
    covariance = np.zeros((X.shape[1], X.shape[1]))
    for k in np.unique(labels):
        rows = X[labels == k]
        if len(rows) > 1:
            scaler = StandardScaler().fit(rows)
            shrunk, _ = ledoit_wolf(scaler.transform(rows))
            covariance += len(rows) / len(X) * np.outer(scaler.scale_, scaler.scale_) * shrunk
    scale = np.sqrt(np.diag(covariance))
    scale[scale == 0] = 1.0
    variances, axes = np.linalg.eigh(covariance / np.outer(scale, scale))
    # Where nothing was shrunk (two rows a class), variances that are rounding must not become standard deviations.
    variances[variances < len(scale) * EPS * variances[-1]] = 0.0
    return _triangular(np.sqrt(variances)[:, None] * axes.T * scale)


def whiten(factor, rounding):
    """The coordinates z in which N(m, Σ), Σ = RᵀR, is N(0, I_r), with r the rank of Σ.

    Parameters
    ----------
    factor : (d, d), R, upper triangular
    rounding : (d,), the standard deviation that rounding alone may give each feature

    Returns
    -------
    whitening : (d, r), z = (x − m) whitening
    colouring : (r, d), x = m + z colouring
    log_det : float, the logarithm of the product of the r eigenvalues of Σ that are not zero
    """
    d = factor.shape[1]
    scale = np.linalg.norm(factor, axis=0)  # (d,), standard deviations
    constant = scale == 0
    scale[constant] = 1.0
    scaled = np.where(constant, 0.0, factor / scale)  # a factor of the matrix of correlations
    if not constant.any() and lapack.dtrcon(scaled)[0] > SAFE_RECIPROCAL_CONDITION**2:
        return solve_triangular(factor, np.eye(d)), factor, 2 * np.log(np.abs(np.diag(factor))).sum()
    # Rank-revealing: along the rows of V the standardised features have the standard deviations s. What is no
    # larger than the rounding of the data in that direction, or of this computation, is not spread.
    _, s, V = np.linalg.svd(scaled)
    kept = s > np.maximum(np.linalg.norm(V * rounding / scale, axis=1), 64 * d * EPS * s[0])
    s, V = s[kept, None], np.where(constant, 0.0, V[kept])
    colouring = s * V * scale
    log_det = 2 * np.log(np.abs(np.diag(np.linalg.qr(colouring.T, mode="r")))).sum()
    return (V / (s * scale)).T, colouring, log_det


class LinearDiscriminantAnalysis(ClassNamePrefixFeaturesOutMixin, TransformerMixin, IncrementalClassifier):
    """Gaussian classes with one covariance, p(x, y = k) = π_k N(x; m_k, Σ), fitted by maximum likelihood.

    With Σ shared, xᵀ Σ⁻¹ x is the same for all classes and cancels in Bayes' theorem: the log-odds of two classes,
    and with them the boundary, are linear in x (Hastie, Tibshirani and Friedman 2009, section 4.3). The directions
    in which the class means differ most, in units of the spread within the classes, are Fisher's (1936).

    Parameters
    ----------
    priors : (K,) or None
        p(y), in the order of ``classes_``; None takes the classes' shares of the training data.
    shrinkage : float in [0, 1], 'auto' or None
        Draws the covariance towards a multiple of I, (1 − shrinkage) Σ + shrinkage tr(Σ)/d I: needed where there
        are fewer rows than features. 'auto' takes the shrinkage of Ledoit and Wolf (2004) for the standardised
        rows of each class, from scikit-learn, and averages the classes by their shares.
    n_components : int or None
        How many directions ``transform`` keeps; None keeps all min(K − 1, d).

    Attributes
    ----------
    classes_, priors_ : (K,)
    means_ : (K, d)
    covariance_ : (d, d), Σ, divided by n and not by n − K; shrunk
    rank_ : int, r, the rank of Σ. Where r < d (features that are constant in every class, or linear combinations
        of others) x counts only by its r coordinates in the span of Σ, and p(x) is the density on that span.
    xbar_ : (d,), Σ_k π_k m_k
    scalings_ : (d, c), Fisher's directions, each of unit variance within the classes, its largest entry positive
    eigenvalues_ : (c,), the variance of the class means along them, falling: the eigenvalues of S_w⁻¹ S_b, where
        S_b is the scatter of the class means, each taken n_k times
    explained_variance_ratio_ : (c,), eigenvalues divided by the sum of all
    coef_, intercept_ : (K, d) and (K,), for two classes (1, d) and (1,), as in scikit-learn
    """

    def __init__(self, *, priors=None, shrinkage=None, n_components=None):
        self.priors = priors
        self.shrinkage = shrinkage
        self.n_components = n_components

    def fit(self, X, y):
        """Fit by maximum likelihood: the classes' shares, their means, and the covariance about them.

        Parameters
        ----------
        X : (n, d), finite
        y : (n,), at least two classes; n > K

        Raises
        ------
        ValueError
            For fewer than two classes, no more rows than classes, or parameters that do not fit.
        """
        super().fit(X, y)
        if self._classes.counts.sum() <= len(self.classes_):
            raise ValueError(
                "The number of samples must be more than the number of classes: else nothing varies in a class."
            )
        return self

    def partial_fit(self, X, y, classes=None):
        """Learn from further rows, (n, d) and (n,); ``classes`` lists all labels, and the first call needs it.

        Raises
        ------
        ValueError
            As ``fit``; and for shrinkage='auto', which depends on more than sums over the rows.
        """
        if self.shrinkage == "auto":
            raise ValueError("shrinkage='auto' needs all rows at once: use fit, or a number for shrinkage.")
        return super().partial_fit(X, y, classes)

    def _validate_for_fit(self, X, y, first):
        number = isinstance(self.shrinkage, Real) and 0 <= self.shrinkage <= 1
        if not (self.shrinkage is None or number or self.shrinkage == "auto"):
            raise ValueError(f"shrinkage must be None, 'auto' or in [0, 1]; got {self.shrinkage!r}.")
        return super()._validate_for_fit(X, y, first)

    def _start(self, n_classes):
        if n_classes < 2:
            raise ValueError("y must hold at least two classes; got one class.")
        most = min(n_classes - 1, self.n_features_in_)
        if self.n_components is not None and not 1 <= self.n_components <= most:
            raise ValueError(
                "n_components cannot be larger than min(n_features, n_classes - 1) "
                f"= {most}, nor less than one; got {self.n_components}."
            )
        self._classes = self._factor = None

    def _add(self, X, labels, weights=None):
        classes, factor = within_class_factor(X, labels, len(self.classes_))
        if self._classes is None:
            self._classes, self._factor = classes, factor
        else:
            shift = self._classes.merge(classes.counts, classes.means)
            self._factor = _triangular(self._factor, factor, shift)
        if self.shrinkage == "auto":
            self._shrunk_factor = ledoit_wolf_factor(X, labels)

    def _estimate(self):
        self.means_ = self._classes.means
        self.priors_ = check_priors(self.priors, self._classes.counts)
        self.xbar_ = self.priors_ @ self.means_
        factor = self._covariance_factor()
        self.covariance_ = factor.T @ factor
        rounding = 4 * EPS * np.abs(self.means_).max(axis=0)
        self._whitening, self._colouring, self._log_det = whiten(factor, rounding)
        self.rank_ = self._whitening.shape[1]
        # In z = (x − x̄) W every class is N(μ_k, I), and all that follows is geometry of the μ_k, (K, r).
        means = (self.means_ - self.xbar_) @ self._whitening
        self._set_discriminants(means)
        self._set_directions(means)

    def _covariance_factor(self):
        """R, (d, d), with RᵀR = Σ, shrunk."""
        if self.shrinkage == "auto":
            return self._shrunk_factor
        factor = self._factor / np.sqrt(self._classes.counts.sum())
        if not self.shrinkage:
            return factor
        d = factor.shape[1]
        mean_variance = np.sum(factor**2) / d  # tr(Σ) / d
        sphere = np.sqrt(self.shrinkage * mean_variance) * np.eye(d)
        return _triangular(np.sqrt(1 - self.shrinkage) * factor, sphere)

    def _set_discriminants(self, means):
        """log π_k − ½ |z − μ_k|² = z·μ_k − ½ |μ_k|² + log π_k − ½ |z|², of which the last is no matter of k."""
        self._weights = self._whitening @ means.T  # (d, K)
        self._biases = log(self.priors_) - 0.5 * np.sum(means**2, axis=1) - self.xbar_ @ self._weights
        self._biases[self._classes.counts == 0] = -np.inf  # a class not seen yet has no density
        self.coef_, self.intercept_ = self._weights.T, self._biases
        if len(self.intercept_) == 2:
            self.coef_, self.intercept_ = np.diff(self.coef_, axis=0), np.diff(self.intercept_)

    def _set_directions(self, means):
        """Fisher's directions: in z the spread within is the same all round, so the principal ones of the means."""
        weighted = np.sqrt(self.priors_)[:, None] * means
        _, singular_values, directions = np.linalg.svd(weighted, full_matrices=False)
        kept = min(self.n_components or len(means) - 1, self.rank_)
        scalings = self._whitening @ directions[:kept].T
        largest = np.abs(scalings).argmax(axis=0)
        self.scalings_ = scalings * np.sign(scalings[largest, np.arange(kept)])
        self.eigenvalues_ = singular_values[:kept] ** 2
        self.explained_variance_ratio_ = self.eigenvalues_ / (np.sum(singular_values**2) or 1.0)
        self._n_features_out = kept

    def _discriminants(self, X):
        scores = X @ self._weights
        scores += self._biases
        return scores

    def _joint_log_likelihood(self, X):
        joint = self._discriminants(X)
        for block in row_blocks(X):
            z = (X[block] - self.xbar_) @ self._whitening
            shared = self.rank_ * np.log(2 * np.pi) + self._log_det + np.einsum("nr,nr->n", z, z)
            joint[block] -= 0.5 * shared[:, None]
        return joint

    def decision_function(self, X):
        """The linear scores: log p(y = k | x) up to a term that is the same for all k, (n, d) → (n, K).

        For two classes log p(y = 1 | x) − log p(y = 0 | x), (n,).
        """
        scores = self._discriminants(self._validate_for_prediction(X))
        return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores

    def transform(self, X):
        """x − x̄ along Fisher's directions, (n, d) → (n, c); within a class the covariance of the result is I."""
        return (self._validate_for_prediction(X) - self.xbar_) @ self.scalings_

    def _sample_class(self, k, n_samples, random_state):
        return self.means_[k] + random_state.standard_normal((n_samples, self.rank_)) @ self._colouring

"""The full Gaussian joint distribution: one Gaussian a class, fitted by maximum likelihood."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, lapack, solve_triangular
from scipy.linalg.blas import dtrmm
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from .generative_classifier import GenerativeClassifier, check_priors, log_sum_exp

# Rows whitened at a time: a block of this many rows and its K results stay in the processor's cache.
BLOCK_ROWS = 1024

# Forming XᵀX squares the condition number of X. Below this reciprocal condition number of XᵀX, its Cholesky factor
# would lose more than four of the sixteen digits where X itself loses two, and the factor comes from X.
SAFE_RECIPROCAL_CONDITION = 1e-4


@dataclass(frozen=True)
class Gaussian:
    """A Gaussian with a covariance of full rank, N(mean, covariance).

    Attributes
    ----------
    mean : (d,)
    factor : (d, d), upper triangular, covariance = factorᵀ factor (Cholesky)
    """

    mean: np.ndarray
    factor: np.ndarray

    def __post_init__(self):
        # z = (x − μ) R⁻¹ is standard normal. Column-major, so that BLAS takes it without a copy.
        inverse = solve_triangular(self.factor, np.eye(len(self.mean)))
        object.__setattr__(self, "whitening", np.asfortranarray(inverse))
        object.__setattr__(self, "log_det", 2.0 * np.log(np.abs(np.diag(self.factor))).sum())

    @property
    def covariance(self):
        """Σ = RᵀR, (d, d)."""
        return self.factor.T @ self.factor

    @classmethod
    def from_covariance(cls, mean, covariance):
        """N(mean, covariance), (d,) and (d, d). Raises LinAlgError where the covariance is not positive definite."""
        return cls(np.asarray(mean, dtype=np.float64), np.linalg.cholesky(covariance).T)

    @classmethod
    def fit(cls, X, weights=None, reg_param=0.0):
        """Maximum likelihood: the mean and the covariance (divided by n, not n − 1) of the rows of X.

        Parameters
        ----------
        X : (n, d)
        weights : (n,), non-negative, or None; a row of weight w counts as w rows
        reg_param : float in [0, 1]; the covariance becomes (1 − reg_param) Σ + reg_param I

        Raises
        ------
        LinAlgError
            If the (regularised) covariance is singular: then there is no density.
        """
        total = len(X) if weights is None else weights.sum()
        # Two passes: after the first, what rounding left of a large offset is a small number, and the second takes it.
        mean = np.average(X, axis=0, weights=weights)
        centred = X - mean
        rest = np.average(centred, axis=0, weights=weights)
        mean, centred = mean + rest, np.subtract(centred, rest, out=centred)
        if weights is not None:
            centred *= np.sqrt(weights)[:, None]
        # A spread of less than this is the rounding of a constant feature's mean, not a spread.
        rounding = 4 * np.finfo(np.float64).eps * np.abs(mean)
        return cls(mean, _covariance_factor(centred, total, reg_param, rounding))

    def log_prob(self, X):
        """log N(x; μ, Σ) = −½ (d log 2π + log|Σ| + (x − μ)ᵀ Σ⁻¹ (x − μ)) in nats, (n, d) → (n,)."""
        # Whitened in place, by a triangular product: half the work of a full one.
        z = dtrmm(1.0, self.whitening, (X - self.mean).T, trans_a=1, overwrite_b=1)  # (d, n)
        squared_distance = np.einsum("dn,dn->n", z, z)
        return -0.5 * (len(self.mean) * np.log(2 * np.pi) + self.log_det + squared_distance)

    def sample(self, n_samples, random_state):
        """Draw n_samples rows, (n_samples, d): x = μ + Rᵀ z with z standard normal."""
        z = random_state.standard_normal((n_samples, len(self.mean)))
        return self.mean + z @ self.factor

    def marginal(self, index):
        """The Gaussian of the features ``index`` alone: those entries of the mean and of the covariance."""
        return Gaussian(self.mean[index], np.linalg.qr(self.factor[:, index], mode="r"))

    def condition(self, observed, values):
        """The mean of the other features given x[observed] = values, and their covariance.

        For a Gaussian, with o observed and m missing (Bishop 2006, equations 2.81 and 2.82),

            μ_m|o = μ_m + Σ_mo Σ_oo⁻¹ (x_o − μ_o)
            Σ_m|o = Σ_mm − Σ_mo Σ_oo⁻¹ Σ_om.

        Parameters
        ----------
        observed : (d,) of bool
        values : (n, number observed)

        Returns
        -------
        mean : (n, number missing)
        covariance : (number missing, number missing); it depends on which features are seen, not on their values
        """
        covariance = self.covariance
        observed_covariance = covariance[np.ix_(observed, observed)]
        cross = covariance[np.ix_(observed, ~observed)]
        regression = np.linalg.solve(observed_covariance, cross)  # (number observed, number missing)
        mean = self.mean[~observed] + (values - self.mean[observed]) @ regression
        return mean, covariance[np.ix_(~observed, ~observed)] - cross.T @ regression


def _covariance_factor(centred, total, reg_param, rounding):
    """Upper triangular R with RᵀR = (1 − reg_param) centredᵀ centred / total + reg_param I, (n, d) → (d, d).

    A feature whose standard deviation is not above ``rounding`` (d,) is constant.
    """
    d = centred.shape[1]
    covariance = (1 - reg_param) / total * (centred.T @ centred)
    covariance.flat[:: d + 1] += reg_param
    # Scaled to a unit diagonal first: metres beside millimetres are no reason to call a covariance singular.
    scale = np.sqrt(np.diag(covariance))
    if np.all(scale > rounding):
        factor, failed = lapack.dpotrf(covariance / np.outer(scale, scale), clean=1)
        if not failed and lapack.dpocon(factor, 1.0)[0] > SAFE_RECIPROCAL_CONDITION:
            return factor * scale
    return _factor_without_squaring(centred, total, reg_param, rounding)


def _factor_without_squaring(centred, total, reg_param, rounding):
    """The same R by a QR decomposition of the data: it never forms XᵀX, so the condition number is not squared."""
    d = centred.shape[1]
    rows = np.vstack([np.sqrt((1 - reg_param) / total) * centred, np.sqrt(reg_param) * np.eye(d)])  # (n + d, d)
    scale = np.linalg.norm(rows, axis=0)
    if np.all(scale > rounding):
        factor = np.linalg.qr(rows / scale, mode="r")
        singular_values = np.linalg.svd(factor, compute_uv=False)
        if singular_values[-1] > max(rows.shape) * np.finfo(np.float64).eps * singular_values[0]:
            return factor * scale
    constant = int(np.sum(scale <= rounding))
    because = (
        f"{constant} of {d} features are constant in it" if constant else "its features are linearly dependent in it"
    )
    raise LinAlgError(f"the covariance is singular, so there is no density: {because}.")


class QuadraticDiscriminantAnalysis(GenerativeClassifier):
    """One Gaussian a class, p(x, y = k) = π_k N(x; μ_k, Σ_k): the full Gaussian joint.

    Classified by Bayes' theorem, the boundary between two classes is a quadric, hence the name
    (Hastie, Tibshirani and Friedman 2009, section 4.3).

    Parameters
    ----------
    priors : (K,) or None
        p(y), in the order of ``classes_``; None takes the classes' shares of the training data.
    reg_param : float in [0, 1]
        Each covariance becomes (1 − reg_param) Σ_k + reg_param I, as in scikit-learn. More than zero is needed where a
        class has no more rows than features, or features that are constant or linearly dependent.

    Attributes
    ----------
    classes_, priors_ : (K,)
    means_ : (K, d)
    covariance_ : (K, d, d), the maximum-likelihood estimates (divided by n_k), regularised
    gaussians_ : list of K ``Gaussian``
    """

    def __init__(self, *, priors=None, reg_param=0.0):
        self.priors = priors
        self.reg_param = reg_param

    def fit(self, X, y):
        """Fit by maximum likelihood: each class's share, mean and covariance.

        Parameters
        ----------
        X : (n, d), finite
        y : (n,), at least two classes with at least two rows each

        Raises
        ------
        ValueError
            For fewer than two classes, a class with one row, a ``reg_param`` outside [0, 1] or wrong ``priors``.
        LinAlgError
            If a class's covariance is singular; the message names the class.
        """
        X, y = self._validate_for_fit(X, y)
        self.classes_, labels, counts = np.unique(y, return_inverse=True, return_counts=True)
        self._check_classes(counts)
        self.priors_ = check_priors(self.priors, counts)
        # One stable sort puts each class into one run of rows; K masks would read all of y and X K times.
        rows_of_class = np.split(np.argsort(labels, kind="stable"), np.cumsum(counts)[:-1])
        self._set_gaussians([self._fit_class(k, X[rows]) for k, rows in enumerate(rows_of_class)])
        return self

    def fit_semi_supervised(self, X, y, max_iter=100, tol=1e-6, callback=None):
        """Fit to labelled and unlabelled rows together, by expectation–maximisation.

        An unlabelled row adds log p(x) = log Σ_k p(x, y = k) to the log-likelihood, a labelled one log p(x, y).
        From the fit to the labelled rows, each iteration gives every unlabelled row to the classes by its posterior (E)
        and fits all classes to the rows so weighted (M). With reg_param = 0 the log-likelihood never falls (Dempster,
        Laird and Rubin 1977; for classifiers, Nigam et al. 2000).

        Parameters
        ----------
        X : (n, d)
        y : (n,) of int; −1 marks an unlabelled row, as in sklearn.semi_supervised
        max_iter : int
        tol : float, stops when the mean log-likelihood rises by less, nats per row
        callback : called with the model after the start and after each iteration; to draw how it moves

        Attributes set besides those of ``fit``
        ---------------------------------------
        log_likelihoods_ : list, mean log-likelihood (nats per row) at the start and after each iteration
        """
        X, y = self._validate_for_fit(X, y)
        labelled = y != -1
        self.fit(X[labelled], y[labelled])
        if labelled.all():
            raise ValueError("y marks no row as unlabelled (-1): use fit.")
        responsibility = np.zeros((len(X), len(self.classes_)))  # (n, K), p(y = k | x) of each row
        responsibility[labelled, np.searchsorted(self.classes_, y[labelled])] = 1.0
        known = responsibility.copy()

        def expectation():
            joint = self._joint_log_likelihood(X)
            evidence = log_sum_exp(joint)  # (n,), log p(x)
            responsibility[~labelled] = np.exp(joint - evidence[:, None])[~labelled]
            log_likelihood = np.where(labelled, np.sum(np.where(known > 0, joint, 0.0), axis=1), evidence)
            return log_likelihood.mean()

        self.log_likelihoods_ = [expectation()]
        if callback:
            callback(self)
        for _ in range(max_iter):
            counts = responsibility.sum(axis=0)
            self.priors_ = check_priors(self.priors, counts)
            self._set_gaussians([self._fit_class(k, X, responsibility[:, k]) for k in range(len(counts))])
            self.log_likelihoods_.append(expectation())
            if callback:
                callback(self)
            if self.log_likelihoods_[-1] - self.log_likelihoods_[-2] < tol:
                break
        return self

    def decision_function(self, X):
        """log p(x, y = k) for K > 2, (n, K); for two classes log p(y = 1 | x) − log p(y = 0 | x), (n,)."""
        joint = self.predict_joint_log_proba(X)
        return joint[:, 1] - joint[:, 0] if joint.shape[1] == 2 else joint

    def impute(self, X):
        """Fill each missing value (NaN) with its expectation given what is seen in its row, (n, d) → (n, d).

        E[x_m | x_o] = Σ_k p(y = k | x_o) E[x_m | x_o, y = k]: the marginal p(x_o, y) weighs the classes, the
        conditional Gaussian predicts within each. A row without any value gets the mean of x.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan", copy=True)
        patterns, pattern_of_row = np.unique(~np.isnan(X), axis=0, return_inverse=True)
        for i, observed in enumerate(patterns):
            if observed.all():
                continue
            rows = np.flatnonzero(pattern_of_row.ravel() == i)
            values = X[np.ix_(rows, observed)]
            joint = np.log(self.priors_) + np.zeros((len(rows), 1))  # (rows, K), log p(x_o, y = k)
            if observed.any():
                joint = joint + np.stack([g.marginal(observed).log_prob(values) for g in self.gaussians_], axis=1)
            posterior = np.exp(joint - log_sum_exp(joint)[:, None])
            means = np.stack([g.condition(observed, values)[0] for g in self.gaussians_])  # (K, rows, missing)
            X[np.ix_(rows, ~observed)] = np.einsum("nk,knm->nm", posterior, means)
        return X

    def _validate_for_fit(self, X, y):
        if not 0 <= self.reg_param <= 1:
            raise ValueError(f"reg_param must lie in [0, 1]; got {self.reg_param!r}.")
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        return X, y

    def _check_classes(self, counts):
        if len(counts) < 2:
            raise ValueError(f"y must hold at least two classes; got one class, {self.classes_[0]}.")
        if counts.min() < 2:
            alone = self.classes_[counts.argmin()]
            raise ValueError(f"each class needs at least two rows for a covariance; class {alone} has 1 sample.")

    def _fit_class(self, k, X, weights=None):
        try:
            return Gaussian.fit(X, weights, self.reg_param)
        except LinAlgError as error:
            raise LinAlgError(
                f"Class {self.classes_[k]} ({len(X)} rows, {X.shape[1]} features): {error} "
                f"Give reg_param a value above {self.reg_param}, or leave such features out."
            ) from None

    def _set_gaussians(self, gaussians):
        self.gaussians_ = gaussians
        self.means_ = np.stack([g.mean for g in gaussians])
        self.covariance_ = np.stack([g.covariance for g in gaussians])

    def _joint_log_likelihood(self, X):
        with np.errstate(divide="ignore"):  # a prior of zero is a log of −inf, rightly
            log_priors = np.log(self.priors_)
        joint = np.empty((len(X), len(self.classes_)))
        for start in range(0, len(X), BLOCK_ROWS):
            block = slice(start, start + BLOCK_ROWS)
            for k, gaussian in enumerate(self.gaussians_):
                joint[block, k] = log_priors[k] + gaussian.log_prob(X[block])
        return joint

    def _sample_class(self, k, n_samples, random_state):
        return self.gaussians_[k].sample(n_samples, random_state)

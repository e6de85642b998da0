"""What every generative classifier can do, derived from one function: log p(x, y)."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

# Rows are taken in blocks of about this many numbers (2 MB): one block and its result stay in the processor's cache,
# and no step needs a second array of the size of X.
BLOCK_NUMBERS = 2**18


def row_blocks(X, least=1):
    """Slices that cover the rows of X in order, each of about BLOCK_NUMBERS numbers and of at least ``least`` rows."""
    n, d = X.shape
    rows = max(BLOCK_NUMBERS // d, least, 1)
    return [slice(start, start + rows) for start in range(0, n, rows)]


def log(probabilities):
    """The natural logarithm with log 0 = −inf, which is right and no reason for a warning."""
    with np.errstate(divide="ignore"):
        return np.log(probabilities)


def log_sum_exp(log_terms):
    """log Σ_k exp(log_terms[:, k]), (n, K) → (n,), without overflow: the largest term is taken out first.

    A row of −inf only gives −inf.
    """
    found = np.empty(len(log_terms))
    for block in row_blocks(log_terms):
        largest = log_terms[block].max(axis=1)
        shift = np.where(np.isfinite(largest), largest, 0.0)
        found[block] = shift + log(np.exp(log_terms[block] - shift[:, None]).sum(axis=1))
    return found


class GenerativeClassifier(ClassifierMixin, BaseEstimator):
    """A model of the joint distribution p(x, y) = p(y) p(x | y) that classifies by Bayes' theorem.

    A subclass sets ``classes_`` (K,) and ``priors_`` (K,) in ``fit`` and writes two methods,

    - ``_joint_log_likelihood(X)`` → log p(x, y = k) in nats, (n, K);
    - ``_sample_class(k, n_samples, random_state)`` → n_samples draws from p(x | y = k), (n_samples, d).

    Everything below follows from these two by the rules of probability. All logarithms are natural.
    """

    def _joint_log_likelihood(self, X):
        raise NotImplementedError

    def _sample_class(self, k, n_samples, random_state):
        raise NotImplementedError

    def _discriminants(self, X):
        """log p(x, y = k) up to a term that is the same for every k, (n, K): enough for p(y | x), where it cancels.

        A subclass overrides this where leaving such a term out saves work.
        """
        return self._joint_log_likelihood(X)

    def _validate_for_prediction(self, X):
        check_is_fitted(self)
        return validate_data(self, X, reset=False, dtype=np.float64)

    def predict_joint_log_proba(self, X):
        """log p(x, y = k) in nats, (n, d) → (n, K), columns in the order of ``classes_``."""
        return self._joint_log_likelihood(self._validate_for_prediction(X))

    def score_samples(self, X):
        """log p(x) = log Σ_k p(x, y = k) in nats, (n, d) → (n,): what no discriminative model can say."""
        return log_sum_exp(self.predict_joint_log_proba(X))

    def predict(self, X):
        """The class with the largest posterior, (n, d) → (n,); p(x) cancels, so the joint is enough."""
        joint = self._discriminants(self._validate_for_prediction(X))
        return self.classes_[joint.argmax(axis=1)]

    def predict_log_proba(self, X):
        """log p(y = k | x) = log p(x, y = k) − log p(x) in nats, (n, d) → (n, K): Bayes' theorem.

        NaN where p(x) = 0: there Bayes' theorem says nothing.
        """
        joint = self._discriminants(self._validate_for_prediction(X))
        with np.errstate(invalid="ignore"):
            joint -= log_sum_exp(joint)[:, None]
        return joint

    def predict_proba(self, X):
        """p(y = k | x), (n, d) → (n, K); each row sums to one."""
        log_proba = self.predict_log_proba(X)
        return np.exp(log_proba, out=log_proba)

    def sample(self, n_samples=1, random_state=None, **options):
        """Draw (x, y) from the fitted joint distribution: first y ~ p(y), then x ~ p(x | y).

        Parameters
        ----------
        n_samples : int, at least 1
        random_state : int, numpy RandomState or None, as everywhere in scikit-learn
        options : what drawing from p(x | y) needs besides; most models need nothing

        Returns
        -------
        X : (n_samples, d)
        y : (n_samples,), labels out of ``classes_``
        """
        check_is_fitted(self)
        if not isinstance(n_samples, (int, np.integer)) or n_samples < 1:
            raise ValueError(f"n_samples must be a whole number, at least 1; got {n_samples!r}.")
        random_state = check_random_state(random_state)
        drawn = random_state.choice(len(self.classes_), size=n_samples, p=self.priors_)
        X = np.empty((n_samples, self.n_features_in_))
        for k in range(len(self.classes_)):
            rows = np.flatnonzero(drawn == k)
            X[rows] = self._sample_class(k, len(rows), random_state, **options)
        return X, self.classes_[drawn]


def check_priors(priors, class_counts):
    """The class probabilities p(y), (K,): as given, or the maximum-likelihood ones n_k / n.

    Raises
    ------
    ValueError
        If ``priors`` has not one entry for each class, or a negative one, or does not sum to one.
    """
    if priors is None:
        return class_counts / class_counts.sum()
    priors = np.array(priors, dtype=np.float64)  # a copy: the caller's array may change
    if priors.shape != class_counts.shape:
        raise ValueError(
            f"priors must hold one number for each of {len(class_counts)} classes; got shape {priors.shape}."
        )
    if np.any(priors < 0) or not np.isclose(priors.sum(), 1.0):
        raise ValueError(f"priors must be non-negative and sum to one; got {priors.tolist()}.")
    return priors

"""Naive Bayes: given the class, the features are independent, p(x | y) = Π_j p(x_j | y)."""

import numpy as np
from scipy.sparse import issparse
from sklearn.preprocessing import binarize
from sklearn.utils.validation import check_is_fitted, check_non_negative, validate_data

from .class_means import ClassMeans, class_sums
from .generative_classifier import check_priors, log, row_blocks
from .incremental_classifier import IncrementalClassifier


class GaussianNB(IncrementalClassifier):
    """Gaussian features, p(x, y = k) = π_k Π_j N(x_j; θ_kj, σ²_kj): a Gaussian of diagonal covariance a class.

    The boundary is quadratic, and linear where all classes have the same variances.

    Parameters
    ----------
    priors : (K,) or None
        p(y), in the order of ``classes_``; None takes the classes' shares of the training data.
    var_smoothing : float, not negative
        This share of the largest variance of a feature over all rows is added to every variance: without it, a
        feature that is constant in a class has no density there.

    Attributes
    ----------
    classes_ : (K,)
    priors_, class_prior_ : (K,), the same under our name and under scikit-learn's
    class_count_ : (K,), rows of each class, or the sum of their weights
    theta_, var_ : (K, d), means and (smoothed) variances, divided by n_k and not by n_k − 1
    epsilon_ : float, what is added to the variances
    """

    def __init__(self, *, priors=None, var_smoothing=1e-9):
        self.priors = priors
        self.var_smoothing = var_smoothing

    def _validate_for_fit(self, X, y, first):
        if not self.var_smoothing >= 0:
            raise ValueError(f"var_smoothing must not be negative; got {self.var_smoothing!r}.")
        return super()._validate_for_fit(X, y, first)

    def _start(self, n_classes):
        self._classes = ClassMeans(n_classes, self.n_features_in_)
        self._scatter = np.zeros((n_classes, self.n_features_in_))  # Σ_i (x_ij − θ_kj)²

    def _add(self, X, labels, weights):
        for block in row_blocks(X):
            block_weights = None if weights is None else weights[block]
            centred, shift = self._classes.add(X[block], labels[block], block_weights)
            squares = np.square(centred, out=centred)
            self._scatter += class_sums(squares, labels[block], len(shift), block_weights) + shift**2

    def _estimate(self):
        counts, self.theta_ = self._classes.counts, self._classes.means
        self.class_count_ = counts
        self.priors_ = self.class_prior_ = check_priors(self.priors, counts)
        # The variance of each feature over all rows: that within the classes and that between them.
        offset = self.theta_ - counts @ self.theta_ / counts.sum()
        variance = (self._scatter.sum(axis=0) + counts @ offset**2) / counts.sum()
        self.epsilon_ = self.var_smoothing * variance.max()
        self.var_ = self._scatter / np.where(counts > 0, counts, 1.0)[:, None] + self.epsilon_

    def _joint_log_likelihood(self, X):
        seen = self.class_count_ > 0
        if np.any(self.var_[seen] == 0):
            k, j = np.argwhere((self.var_ == 0) & seen[:, None])[0]
            raise ValueError(
                f"feature {j} is constant in class {self.classes_[k]}, which leaves it no density there: "
                f"give var_smoothing a value above {self.var_smoothing}, or leave the feature out."
            )
        joint = np.full((len(X), len(seen)), -np.inf)  # a class not seen yet has no density
        for block in row_blocks(X):
            for k in np.flatnonzero(seen):
                # Differences, then squares: expanded to products of matrices, small variances lose their digits.
                squared_distance = np.square(X[block] - self.theta_[k]) @ (1 / self.var_[k])
                joint[block, k] = -0.5 * (squared_distance + np.log(2 * np.pi * self.var_[k]).sum())
        return joint + log(self.priors_)

    def _sample_class(self, k, n_samples, random_state):
        return random_state.normal(self.theta_[k], np.sqrt(self.var_[k]), (n_samples, self.n_features_in_))


class CountingNB(IncrementalClassifier):
    """What the models of counts share: sums of the features by class, smoothed by α; priors; sparse matrices.

    A subclass says in ``_log_probabilities()`` what the counts mean: log p_kj and log q_kj, such that

        log p(x | y = k) = Σ_j x_j log p_kj + (1 − x_j) log q_kj,

    and in ``_as_counts(X)`` how X becomes x, if it is not x. The posterior's logarithm is linear in x, up to a
    constant.
    """

    _accept_sparse = "csr"

    def __init__(self, *, alpha=1.0, fit_prior=True, class_prior=None):
        self.alpha = alpha
        self.fit_prior = fit_prior
        self.class_prior = class_prior

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.poor_score = True  # on scikit-learn's test data, which are no counts
        return tags

    def _log_probabilities(self):
        raise NotImplementedError

    def _as_counts(self, X):
        return X

    def _validate_for_fit(self, X, y, first):
        X, y = super()._validate_for_fit(X, y, first)
        alpha = np.asarray(self.alpha, dtype=np.float64)
        if alpha.shape not in {(), (X.shape[1],)}:
            raise ValueError(
                f"alpha must be one number or one for each of {X.shape[1]} features; got shape {alpha.shape}."
            )
        if not np.all(alpha >= 0):
            raise ValueError(f"alpha must not be negative; got {self.alpha!r}.")
        return self._as_counts(X), y

    def _validate_for_prediction(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64, accept_sparse=self._accept_sparse)
        return self._as_counts(X)

    def _start(self, n_classes):
        self.class_count_ = np.zeros(n_classes)
        # By columns, so that the transposed weights lie by rows, which is how sparse products read them.
        self.feature_count_ = np.zeros((n_classes, self.n_features_in_), order="F")

    def _add(self, X, labels, weights):
        n_classes = len(self.classes_)
        self.class_count_ += np.bincount(labels, weights, minlength=n_classes)
        self.feature_count_ += class_sums(X, labels, n_classes, weights)

    def _estimate(self):
        n_classes = len(self.classes_)
        priors = self.class_prior
        if priors is None and not self.fit_prior:
            priors = np.full(n_classes, 1 / n_classes)
        self.priors_ = check_priors(priors, self.class_count_)
        self.class_log_prior_ = log(self.priors_)
        self.feature_log_prob_, log_q = self._log_probabilities()
        # x_j log 0 is 0 where x_j = 0 and −inf elsewhere, which no product of matrices knows: such terms, which only
        # α = 0 can bring, are taken out and remembered.
        self._never, self._always = np.isneginf(self.feature_log_prob_), np.isneginf(log_q)
        log_q = np.where(self._always, 0.0, log_q)
        weights = np.where(self._never, 0.0, self.feature_log_prob_)
        weights -= log_q
        self._weights = np.ascontiguousarray(weights.T)  # (d, K)
        self._biases = self.class_log_prior_ + log_q.sum(axis=1)

    def _joint_log_likelihood(self, X):
        joint = X @ self._weights
        joint += self._biases
        if self._never.any() or self._always.any():
            contradictions = X @ (self._never.astype(float) - self._always).T + self._always.sum(axis=1)
            joint[contradictions > 0] = -np.inf
        return joint


class MultinomialNB(CountingNB):
    """Counts of words, p(x, y = k) = π_k Π_j θ_kj^x_j: every word of a document is drawn from its class's θ_k.

    θ_kj is estimated by (N_kj + α) / (N_k + αd), where N_kj counts word j in class k and N_k is their sum over j:
    the posterior mean of θ_k under the prior Dirichlet(α), and the mode under Dirichlet(α + 1). α = 0 is maximum
    likelihood, which calls impossible in a class what it has not seen there.

    p(x) is the probability of the document as a *sequence* of words, given its length; over all sequences of that
    length it sums to one, as for a language model. The *bag* of these words is likelier by the number of their
    orders, N! / Π_j x_j!; that factor is the same for all classes and left out, as in scikit-learn. Counts that
    are not whole (tf-idf) are accepted, but then p(x) is no probability.

    Parameters
    ----------
    alpha : float or (d,), not negative
    fit_prior : bool
        True: p(y) is the classes' shares of the training data. False: it is uniform.
    class_prior : (K,) or None
        p(y), in the order of ``classes_``, whatever ``fit_prior`` says.

    Attributes
    ----------
    classes_, priors_, class_log_prior_ : (K,)
    class_count_ : (K,), documents of each class, or the sum of their weights
    feature_count_ : (K, d), N_kj
    feature_log_prob_ : (K, d), log θ_kj
    """

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        return tags

    def _validate_for_fit(self, X, y, first):
        X, y = super()._validate_for_fit(X, y, first)
        check_non_negative(X, "MultinomialNB (input X)")
        return X, y

    def _log_probabilities(self):
        counts = self.feature_count_ + self.alpha
        log_theta = log(counts)
        log_theta -= log(counts.sum(axis=1, keepdims=True))
        return log_theta, np.zeros((len(counts), 1))  # a word that does not come adds nothing

    def sample(self, n_samples=1, random_state=None, length=None):
        """Draw documents from the fitted joint distribution, as counts, and their classes.

        Parameters
        ----------
        n_samples : int, at least 1
        random_state : int, numpy RandomState or None
        length : int or None
            Words in each document, of which the model says nothing; None takes the mean of the training
            documents, rounded.

        Returns
        -------
        X : (n_samples, d), dense
        y : (n_samples,)
        """
        check_is_fitted(self)
        if length is None:
            length = max(1, round(self.feature_count_.sum() / self.class_count_.sum()))
        return super().sample(n_samples, random_state, length=length)

    def _sample_class(self, k, n_samples, random_state, length):
        theta = np.exp(self.feature_log_prob_[k])
        return random_state.multinomial(length, theta / theta.sum(), n_samples)


class BernoulliNB(CountingNB):
    """Features present or absent, p(x, y = k) = π_k Π_j θ_kj^x_j (1 − θ_kj)^(1 − x_j), x_j ∈ {0, 1}.

    Here absence counts as well. θ_kj is estimated by (n_kj + α) / (n_k + 2α), where n_kj of the n_k rows of class k
    have feature j: the posterior mean under the prior Beta(α, α), and the mode under Beta(α + 1, α + 1).

    Parameters
    ----------
    alpha, fit_prior, class_prior : as in ``MultinomialNB``
    binarize : float or None
        A feature is present where it is larger than this; None takes X as zeros and ones.

    Attributes
    ----------
    classes_, priors_, class_log_prior_ : (K,)
    class_count_ : (K,), n_k, rows of each class, or the sum of their weights
    feature_count_ : (K, d), n_kj
    feature_log_prob_ : (K, d), log θ_kj
    """

    def __init__(self, *, alpha=1.0, binarize=0.0, fit_prior=True, class_prior=None):
        super().__init__(alpha=alpha, fit_prior=fit_prior, class_prior=class_prior)
        self.binarize = binarize

    def _as_counts(self, X):
        if self.binarize is not None:
            return binarize(X, threshold=self.binarize)
        values = X.data if issparse(X) else X
        if not np.all((values == 0) | (values == 1)):
            raise ValueError("X must hold only zeros and ones if binarize is None; give binarize a threshold.")
        return X

    def _log_probabilities(self):
        n, alpha = self.class_count_[:, None], np.asarray(self.alpha)
        log_present, log_absent = log(self.feature_count_ + alpha), log(n - self.feature_count_ + alpha)
        for log_count in (log_present, log_absent):
            log_count -= log(n + 2 * alpha)
        return log_present, log_absent

    def _sample_class(self, k, n_samples, random_state):
        theta = np.exp(self.feature_log_prob_[k])
        return random_state.random_sample((n_samples, self.n_features_in_)) < theta

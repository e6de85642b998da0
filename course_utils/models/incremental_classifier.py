"""What the classifiers share that need no more of the data than sums over its rows."""

import numpy as np
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import _check_sample_weight, validate_data

from .generative_classifier import GenerativeClassifier


class IncrementalClassifier(GenerativeClassifier):
    """A generative classifier whose fit depends on the data through sums over the rows alone.

    Sums over batches add up, so ``partial_fit`` over any batches in any order gives the same model as ``fit`` to
    all rows, up to rounding, in memory that does not grow with their number. A subclass writes, besides what
    ``GenerativeClassifier`` asks for,

    - ``_start(n_classes)``: forget all rows; ``n_features_in_`` is known;
    - ``_add(X, labels, weights)``: add the rows of X to the sums, labels (n,) being indices into ``classes_``;
    - ``_estimate()``: set the parameters that follow from the sums.
    """

    _accept_sparse = False

    def _start(self, n_classes):
        raise NotImplementedError

    def _add(self, X, labels, weights):
        raise NotImplementedError

    def _estimate(self):
        raise NotImplementedError

    def fit(self, X, y, sample_weight=None):
        """Fit to these rows alone; what was learned before is forgotten.

        Parameters
        ----------
        X : (n, d), finite
        y : (n,)
        sample_weight : (n,), non-negative and not all zero, or None; a row of weight w counts as w rows

        Raises
        ------
        ValueError
            For parameters, data or weights that do not fit; the message says which.
        """
        X, y = self._validate_for_fit(X, y, first=True)
        self._begin(np.unique(y))
        return self._learn(X, y, sample_weight)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Learn from further rows; the model is then the one that ``fit`` to all rows so far would give.

        Parameters
        ----------
        X : (n, d), finite
        y : (n,)
        classes : all labels that will ever come; needed in the first call
        sample_weight : (n,), non-negative and not all zero, or None

        Raises
        ------
        ValueError
            As ``fit``; and for a label that is none of the classes, or other classes than in the first call.
        """
        first = not hasattr(self, "classes_")
        if first and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        X, y = self._validate_for_fit(X, y, first)
        if first:
            self._begin(unique_labels(classes))
        elif classes is not None and not np.array_equal(unique_labels(classes), self.classes_):
            raise ValueError(f"classes={classes} is not the same as on last call to partial_fit, was: {self.classes_}")
        return self._learn(X, y, sample_weight)

    def _validate_for_fit(self, X, y, first):
        X, y = validate_data(self, X, y, reset=first, dtype=np.float64, accept_sparse=self._accept_sparse)
        check_classification_targets(y)
        return X, y

    def _begin(self, classes):
        self._start(len(classes))
        self.classes_ = classes

    def _learn(self, X, y, sample_weight):
        labels = np.searchsorted(self.classes_, y)
        unknown = self.classes_[np.minimum(labels, len(self.classes_) - 1)] != y
        if np.any(unknown):
            raise ValueError(
                f"The target label(s) {np.unique(y[unknown])} in y do not exist in the initial classes {self.classes_}"
            )
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        self._add(X, labels, sample_weight)
        self._estimate()
        return self

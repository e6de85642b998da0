"""Sums, counts and means of each class, built up batch by batch, and the same as from all rows at once."""

import numpy as np
from scipy.sparse import csc_array, issparse


def class_sums(values, labels, n_classes, weights=None):
    """Σ_i weights_i values_i over the rows i of each class, (n, d) → (n_classes, d), in one reading of the values.

    Parameters
    ----------
    values : (n, d), dense or sparse; the sums are dense
    labels : (n,) of int, 0 … n_classes − 1
    weights : (n,) or None
    """
    n = len(labels)
    weights = np.ones(n) if weights is None else weights
    # A product with the indicators of the classes, (n, n_classes). One of the two may be sparse.
    if issparse(values):
        indicators = np.zeros((n, n_classes))
        indicators[np.arange(n), labels] = weights
        return (values.T @ indicators).T
    return csc_array((weights, labels, np.arange(n + 1)), shape=(n_classes, n)) @ values


class ClassMeans:
    """The count and the mean of each class, of all rows added so far.

    Attributes
    ----------
    counts : (K,), numbers of rows, or sums of their weights
    means : (K, d); zero for a class of which nothing was added
    """

    def __init__(self, n_classes, n_features):
        self.counts = np.zeros(n_classes)
        self.means = np.zeros((n_classes, n_features))

    def add(self, X, labels, weights=None):
        """Merge the rows of X into the counts and means, and return what the scatter about the means grows by.

        Returns
        -------
        centred : (n, d), the rows minus the means of their classes *within X*
        shift : (K, d), what ``merge`` returns
        """
        n_classes = len(self.counts)
        # Differences to some row of the class, here the last: small where the features have an offset, which sums of
        # the rows themselves would keep the rounding of, and exactly zero for a feature that is constant in the class.
        last = np.zeros(n_classes, dtype=int)
        last[labels] = np.arange(len(X))
        origins = X[last]
        centred = X - origins.take(labels, axis=0)
        counts = np.bincount(labels, weights, minlength=n_classes)
        sums = class_sums(centred, labels, n_classes, weights)
        means = np.divide(sums, counts[:, None], out=np.zeros_like(sums), where=counts[:, None] > 0)
        centred -= means.take(labels, axis=0)
        return centred, self.merge(counts, np.where(counts[:, None] > 0, origins + means, 0.0))

    def merge(self, counts, means):
        """Merge the counts (K,) and means (K, d) of other rows into these.

        With n rows of mean m on one side and n′ rows of mean m′ on the other, the mean of both is

            m + n′/(n + n′) (m′ − m),

        and the scatter about it is the sum of the two scatters plus n n′/(n + n′) (m′ − m)(m′ − m)ᵀ (Chan, Golub
        and LeVeque 1983, "Algorithms for computing the sample variance", The American Statistician 37).

        Returns
        -------
        shift : (K, d), √(n n′/(n + n′)) (m′ − m) of each class: its outer product is that third term
        """
        total = self.counts + counts
        share = np.divide(counts, total, out=np.zeros_like(total), where=total > 0)[:, None]
        difference = means - self.means
        shift = np.sqrt(self.counts[:, None] * share) * difference
        self.counts, self.means = total, self.means + share * difference
        return shift

"""Sums, counts and means of each class, built up batch by batch, and exactly the same as from all rows at once."""

import numpy as np
from scipy.sparse import csc_array, issparse


def class_sums(values, labels, n_classes, weights=None):
    """Σ_{i: labels_i = k} weights_i values_i for each class k, (n, d) → (n_classes, d), in one pass over the values.

    Parameters
    ----------
    values : (n, d), dense or sparse; the sums are dense
    labels : (n,) of int, 0 … n_classes − 1
    weights : (n,) or None
    """
    n = len(labels)
    entries = np.ones(n) if weights is None else weights
    members = csc_array((entries, labels, np.arange(n + 1)), shape=(n_classes, n))  # column i: row i's class
    return (members.tocsr() @ values).toarray() if issparse(values) else members @ values


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
        # Differences to the first row are small and exact where the features have a large offset; sums of the rows
        # themselves would round it into the means. A constant feature becomes exactly zero.
        origin = X[0]
        centred = X - origin
        counts = np.bincount(labels, weights, minlength=n_classes)
        sums = class_sums(centred, labels, n_classes, weights)
        means = np.divide(sums, counts[:, None], out=np.zeros_like(sums), where=counts[:, None] > 0)
        centred -= means[labels]
        return centred, self.merge(counts, means + origin)

    def merge(self, counts, means):
        """Merge the counts (K,) and means (K, d) of other rows into these.

        With n rows of mean m on one side and n′ rows of mean m′ on the other, the mean of both is

            m + n′/(n + n′) (m′ − m),

        and the scatter about it is the sum of the two scatters plus n n′/(n + n′) (m′ − m)(m′ − m)ᵀ (Chan, Golub and
        LeVeque 1983, "Algorithms for computing the sample variance", The American Statistician 37, equation 2.1).

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

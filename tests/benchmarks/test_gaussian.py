"""Lesson 1's promise: 3 times scikit-learn's speed in fit, 2 times in predict (n = 100,000, d = 50, K = 10).

The figure is printed and stands in the README; enforced is only that nothing hangs (a tenth of the promise).
"""

import numpy as np
import pytest
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis as SklearnQDA

from course_utils.models.gaussian import QuadraticDiscriminantAnalysis

from .ratio import ratio

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    n, d, n_classes = 100_000, 50, 10
    y = rng.integers(n_classes, size=n)
    factors = np.eye(d) + 0.5 * rng.normal(size=(n_classes, d, d)) / np.sqrt(d)
    means = rng.normal(size=(n_classes, d))
    X = np.empty((n, d))
    for k in range(n_classes):
        X[y == k] = means[k] + rng.normal(size=(np.sum(y == k), d)) @ factors[k]
    return X, y


def test_fit(rows):
    found = ratio("QDA fit", lambda: QuadraticDiscriminantAnalysis().fit(*rows), lambda: SklearnQDA().fit(*rows))
    assert found.median > 0.3


def test_predict(rows):
    X, y = rows
    ours, peer = QuadraticDiscriminantAnalysis().fit(X, y), SklearnQDA().fit(X, y)
    found = ratio("QDA predict", lambda: ours.predict(X), lambda: peer.predict(X))
    assert found.median > 0.2
    np.testing.assert_array_equal(ours.predict(X), peer.predict(X))

"""Lesson 1's promise: 3 times scikit-learn's speed in fit, 2 times in predict (n = 100,000, d = 50, K = 10)."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis as SklearnQDA

from course_utils.models.gaussian import QuadraticDiscriminantAnalysis

pytestmark = pytest.mark.slow

AGAINST = {"lesson": 1, "against": "scikit-learn"}


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


def test_fit(rows, compare, threads):
    ours, peer = QuadraticDiscriminantAnalysis(), SklearnQDA()
    compare(
        "QDA fit", lambda: ours.fit(*rows), lambda: peer.fit(*rows), promise=3, threads=threads, rounds=15, **AGAINST
    )


def test_predict(rows, compare, threads):
    X, y = rows
    ours, peer = QuadraticDiscriminantAnalysis().fit(X, y), SklearnQDA().fit(X, y)
    compare(
        "QDA predict",
        lambda: ours.predict(X),
        lambda: peer.predict(X),
        promise=2,
        threads=threads,
        rounds=15,
        **AGAINST,
    )
    np.testing.assert_array_equal(ours.predict(X), peer.predict(X))

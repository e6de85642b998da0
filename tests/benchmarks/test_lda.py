"""Lesson 2's promise: 5 times the speed of scikit-learn's default solver in fit, 0.95 in predict, no more memory.

At n = 200,000, d = 100, K = 10.
"""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis as SklearnLDA

from course_utils.models.lda import LinearDiscriminantAnalysis

pytestmark = pytest.mark.slow

AGAINST = {"lesson": 2, "against": "scikit-learn"}


def test_fit(ten_classes, compare, threads):
    ours, peer = LinearDiscriminantAnalysis(), SklearnLDA()
    compare(
        "LDA fit",
        lambda: ours.fit(*ten_classes),
        lambda: peer.fit(*ten_classes),
        promise=5,
        threads=threads,
        rounds=3,
        **AGAINST,
    )


def test_predict(ten_classes, compare, threads):
    X, y = ten_classes
    ours, peer = LinearDiscriminantAnalysis().fit(X, y), SklearnLDA().fit(X, y)
    compare(
        "LDA predict",
        lambda: ours.predict(X),
        lambda: peer.predict(X),
        promise=0.95,
        threads=threads,
        rounds=25,
        **AGAINST,
    )
    np.testing.assert_array_equal(ours.predict(X), peer.predict(X))


def test_memory(ten_classes, compare_memory):
    X, y = ten_classes
    ours, peer = LinearDiscriminantAnalysis(), SklearnLDA(solver="eigen")  # their leanest: svd copies X several times
    compare_memory("LDA fit", lambda: ours.fit(X, y), lambda: peer.fit(X, y), **AGAINST)
    for name in ("predict", "predict_proba"):
        f, g = getattr(ours, name), getattr(peer, name)
        compare_memory(f"LDA {name}", lambda f=f: f(X), lambda g=g: g(X), **AGAINST)


def test_growth(ten_classes, growth):
    """Linear in n, and in d between linear (reading X) and quadratic (the scatter)."""
    X, y = ten_classes
    model = LinearDiscriminantAnalysis()
    sizes = [12_500, 25_000, 50_000, 100_000, 200_000]
    assert growth("LDA fit", "n", lambda n: model.fit(X[:n], y[:n]), sizes, lesson=2) < 1.5
    features = {d: np.ascontiguousarray(X[:50_000, :d]) for d in (12, 25, 50, 100)}
    assert growth("LDA fit", "d", lambda d: model.fit(features[d], y[:50_000]), list(features), lesson=2) < 2.5

"""Lesson 3's promise, against scikit-learn: speed of GaussianNB and of the text models on sparse counts, and memory.

GaussianNB at n = 200,000, d = 100, K = 10: twice its speed in fit, 3 times in the joint log-likelihood. MultinomialNB
and BernoulliNB on a sparse matrix of 50,000 × 50,000: 0.95 times.
"""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn import naive_bayes as sklearns

from course_utils.models.naive_bayes import BernoulliNB, GaussianNB, MultinomialNB

pytestmark = pytest.mark.slow

AGAINST = {"lesson": 3, "against": "scikit-learn"}


@pytest.fixture(scope="module")
def documents():
    """50,000 documents of 100 words out of 50,000, the j-th of which is drawn in proportion to 1/j, as in language."""
    rng = np.random.default_rng(0)
    n, d, length = 50_000, 50_000, 100
    cumulative = np.cumsum(1 / np.arange(1, d + 1))
    words = np.searchsorted(cumulative, rng.uniform(0, cumulative[-1], size=n * length))
    X = csr_array((np.ones(n * length), words, np.arange(0, n * length + 1, length)), shape=(n, d))
    X.sum_duplicates()
    return X, rng.integers(10, size=n)


def test_gaussian_fit(ten_classes, compare, threads):
    ours, peer = GaussianNB(), sklearns.GaussianNB()
    compare(
        "GaussianNB fit",
        lambda: ours.fit(*ten_classes),
        lambda: peer.fit(*ten_classes),
        promise=2,
        threads=threads,
        rounds=15,
        **AGAINST,
    )


def test_gaussian_joint(ten_classes, compare, threads):
    ours, peer = (model.fit(*ten_classes).predict_joint_log_proba for model in (GaussianNB(), sklearns.GaussianNB()))
    X, _ = ten_classes
    what = "GaussianNB joint log-likelihood"
    compare(what, lambda: ours(X), lambda: peer(X), promise=3, threads=threads, rounds=5, **AGAINST)


@pytest.mark.parametrize("method", ["fit", "predict", "predict_joint_log_proba"])
@pytest.mark.parametrize("model", [MultinomialNB(), BernoulliNB()], ids=str)
def test_counting(model, method, documents, compare, threads):
    peer = getattr(sklearns, type(model).__name__)()
    X, y = documents
    arguments = (X, y) if method == "fit" else (X,)
    ours, theirs = getattr(model.fit(X, y), method), getattr(peer.fit(X, y), method)
    compare(
        f"{model} {method}, sparse".replace("()", ""),
        lambda: ours(*arguments),
        lambda: theirs(*arguments),
        promise=0.95,
        threads=threads,
        rounds=25,
        **AGAINST,
    )


@pytest.mark.parametrize("model", [GaussianNB(), MultinomialNB(), BernoulliNB()], ids=str)
def test_memory(model, ten_classes, documents, compare_memory):
    X, y = ten_classes if isinstance(model, GaussianNB) else documents
    peer = getattr(sklearns, type(model).__name__)()
    name = type(model).__name__
    compare_memory(f"{name} fit", lambda: model.fit(X, y), lambda: peer.fit(X, y), **AGAINST)
    ours, theirs = model.predict_joint_log_proba, peer.predict_joint_log_proba
    compare_memory(f"{name} joint log-likelihood", lambda: ours(X), lambda: theirs(X), **AGAINST)


def test_growth(ten_classes, documents, growth):
    """Linear in n and, for Gaussian features, in d."""
    X, y = ten_classes
    model, sizes = GaussianNB(), [12_500, 25_000, 50_000, 100_000, 200_000]
    assert growth("GaussianNB fit", "n", lambda n: model.fit(X[:n], y[:n]), sizes, lesson=3) < 1.5
    features = {d: np.ascontiguousarray(X[:50_000, :d]) for d in (12, 25, 50, 100)}
    assert growth("GaussianNB fit", "d", lambda d: model.fit(features[d], y[:50_000]), list(features), lesson=3) < 1.5
    X, y = documents
    model, sizes = MultinomialNB(), [6_250, 12_500, 25_000, 50_000]
    assert growth("MultinomialNB fit", "n", lambda n: model.fit(X[:n], y[:n]), sizes, lesson=3) < 1.5

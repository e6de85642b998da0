"""Ten million rows, batch by batch: constant memory, and the model that one fit to all of them gives."""

import tracemalloc

import numpy as np
import pytest

from course_utils.models.lda import LinearDiscriminantAnalysis
from course_utils.models.naive_bayes import BernoulliNB, GaussianNB, MultinomialNB

pytestmark = pytest.mark.slow

ROWS, BATCH, FEATURES, CLASSES = 10_000_000, 100_000, 4, 3
MEANS = np.random.default_rng(0).normal(50, 2, size=(CLASSES, FEATURES))


def measurements(y, rng):
    """Correlated features far from zero, where sums of squares would lose half their digits."""
    X = rng.standard_normal((len(y), FEATURES))
    X[:, 1:] += 0.5 * X[:, :1]
    X += MEANS[y]
    return X


def counts(y, rng):
    return rng.poisson(MEANS[y] / 50).astype(np.float64)


def batch(rows, i):
    rng = np.random.default_rng(i)
    y = rng.integers(CLASSES, size=BATCH)
    return rows(y, rng), y


def learn(model, rows, n_batches):
    """Partial fits to that many batches; returns the most memory held on the way, in bytes."""
    tracemalloc.start()
    for i in range(n_batches):
        model.partial_fit(*batch(rows, i), classes=np.arange(CLASSES))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize(
    ("model", "rows", "learned"),
    [
        (LinearDiscriminantAnalysis, measurements, ["means_", "covariance_", "coef_", "scalings_"]),
        (GaussianNB, measurements, ["theta_", "var_"]),
        (MultinomialNB, counts, ["feature_log_prob_"]),
        (BernoulliNB, counts, ["feature_log_prob_"]),
    ],
)
def test_ten_million_rows(model, rows, learned):
    stream = model()
    few = learn(model(), rows, 5)
    assert learn(stream, rows, ROWS // BATCH) < 1.02 * few

    X, y = np.empty((ROWS, FEATURES)), np.empty(ROWS, dtype=int)
    for i in range(ROWS // BATCH):
        part = slice(i * BATCH, (i + 1) * BATCH)
        X[part], y[part] = batch(rows, i)
    once = model().fit(X, y)
    for name in ["priors_", *learned]:
        np.testing.assert_allclose(getattr(stream, name), getattr(once, name), rtol=1e-8, err_msg=name)
    np.testing.assert_allclose(
        stream.predict_joint_log_proba(X[:1000]), once.predict_joint_log_proba(X[:1000]), rtol=1e-8, atol=1e-8
    )

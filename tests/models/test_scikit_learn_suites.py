"""scikit-learn's own tests of these estimators, from the installed wheel, with our classes put in place of theirs."""

import importlib.util
from unittest import mock

import numpy as np
import pytest

from course_utils.models import gaussian, lda, naive_bayes


class LinearDiscriminantAnalysis(lda.LinearDiscriminantAnalysis):
    """Ours, called as theirs: there is one way of solving, and the covariance is always kept."""

    def __init__(self, solver=None, shrinkage=None, priors=None, n_components=None, store_covariance=True):
        super().__init__(shrinkage=shrinkage, priors=priors, n_components=n_components)
        self.solver, self.store_covariance = solver, store_covariance


class QuadraticDiscriminantAnalysis(gaussian.QuadraticDiscriminantAnalysis):
    """Ours, called as theirs, with the same two arguments that say nothing here."""

    def __init__(self, solver=None, priors=None, reg_param=0.0, store_covariance=True):
        super().__init__(priors=priors, reg_param=reg_param)
        self.solver, self.store_covariance = solver, store_covariance


OURS = {
    "discriminant_analysis": [LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis],
    "naive_bayes": [naive_bayes.GaussianNB, naive_bayes.MultinomialNB, naive_bayes.BernoulliNB],
}

NOT_RUN = {
    "test_cnb": "of ComplementNB, which the course has not",
    "test_categoricalnb": "of CategoricalNB, which the course has not",
    "test_categoricalnb_with_min_categories": "of CategoricalNB",
    "test_categoricalnb_min_categories_errors": "of CategoricalNB",
    "test_gnb_array_api_compliance": "of arrays of torch and others; ours compute on NumPy's alone",
}

ESTIMATOR = "takes no covariance_estimator; that 'auto' is Ledoit and Wolf's is tested in test_lda.py"
QDA_SHRINKAGE = "QDA has reg_param, but not shrinkage nor covariance_estimator"
STORED = "covariance_ is what the model learns, and is there without store_covariance"
FORCE_ALPHA = "takes no force_alpha: alpha=0 is exact here and needs no lower bound; see test_naive_bayes.py"
NOT_RAISED = pytest.fail.Exception

# By the name of a test or of one of its cases: what it must fail with, so that it passes up to there, and why.
EXPECTED_FAILURES = {
    "test_lda_predict": (NOT_RAISED, "ends with errors of solver='svd' with shrinkage; ours has one solver"),
    "test_lda_transform": (NOT_RAISED, "ends with solver='lsqr' refusing to transform; ours has one solver"),
    "test_lda_priors": (NOT_RAISED, "ends with priors that sum to 1.1: theirs warns and divides, ours refuses"),
    "test_lda_store_covariance": (AssertionError, STORED),
    "test_lda_shrinkage": (TypeError, ESTIMATOR),
    "test_lda_ledoitwolf": (TypeError, ESTIMATOR),
    "test_lda_dtype_match[float32-float32]": (AssertionError, "computes in float64, whatever comes in"),
    "test_qda_covariance_estimator": (TypeError, QDA_SHRINKAGE),
    "test_qda_ledoitwolf": (TypeError, QDA_SHRINKAGE),
    "test_qda_shrinkage_performance": (TypeError, QDA_SHRINKAGE),
    "test_qda_coefs": (AttributeError, "has Cholesky factors, not rotations_ and scalings_"),
    "test_qda_store_covariance": (AssertionError, STORED),
    "test_qda_regularization[svd]": (NOT_RAISED, "ends with reg_param refused if n_k <= d; it is what ours is for"),
    "test_qda_regularization[eigen]": (TypeError, QDA_SHRINKAGE),
    "test_gnb_check_update_with_no_data": (AttributeError, "calls a private method of theirs"),
    "test_alpha": (TypeError, FORCE_ALPHA),
    "test_alpha_vector": (TypeError, FORCE_ALPHA),
    "test_check_alpha": (TypeError, FORCE_ALPHA),
}

SINGULAR = "The covariance matrix of class .+ is not full rank."

# The same error in other words: their pattern → ours.
WORDING = {
    "Priors must be non-negative": "priors must be non-negative",
    "The sum of the priors should be 1": "priors must be non-negative and sum to one",
    "Number of priors must match number of classes": "priors must hold one number for each of [23] classes",
    "y has only 1 sample in class": "class b has 1 sample",
    SINGULAR: "Class .+ the covariance is singular",
    SINGULAR + " When using `solver='svd'`": "Class .+ the covariance is singular",
}


class PytestInOurWords:
    """What their tests know as ``pytest``: the same, but for the WORDING of errors."""

    def __getattr__(self, name):
        return getattr(pytest, name)

    def raises(self, error, match=None):
        return pytest.raises(error, match=WORDING.get(match, match))


def load(name):
    """The module sklearn.tests.test_NAME, for which scikit-learn's classes are ours."""
    spec = importlib.util.find_spec(f"sklearn.tests.test_{name}")
    module = importlib.util.module_from_spec(spec)
    with mock.patch.multiple(f"sklearn.{name}", **{c.__name__: c for c in OURS[name]}):
        spec.loader.exec_module(module)
    module.pytest = PytestInOurWords()
    # Many tests go through these two lists. What is still scikit-learn's there would pass and prove nothing.
    for classes in ("DISCRETE_NAIVE_BAYES_CLASSES", "ALL_NAIVE_BAYES_CLASSES"):
        if hasattr(module, classes):
            getattr(module, classes)[:] = [c for c in getattr(module, classes) if c in OURS[name]]
    return module


for _name in OURS:
    for _test, _function in vars(load(_name)).items():
        if _test.startswith("test_") and _test not in NOT_RUN:
            assert _test not in globals()
            globals()[_test] = _function


@pytest.fixture(autouse=True)
def _expect_failure(request):
    for name in (request.node.name, request.node.originalname):
        if name in EXPECTED_FAILURES:
            error, reason = EXPECTED_FAILURES[name]
            request.applymarker(pytest.mark.xfail(strict=True, raises=error, reason=reason))


@pytest.fixture
def global_random_seed():
    return 42


@pytest.fixture
def global_dtype():
    return np.float64


def test_every_expected_failure_is_a_test_of_theirs():
    """So that none outlives the test it excuses."""
    assert {name.split("[")[0] for name in EXPECTED_FAILURES} | set(NOT_RUN) <= {
        name for suite in OURS for name in vars(load(suite))
    }

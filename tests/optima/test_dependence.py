"""The exact two-feature case of lesson 3: where naive Bayes decides rightly and is wrong in every probability."""

import numpy as np
import pytest

from course_utils.models.naive_bayes import GaussianNB
from course_utils.optima.dependence import correlated_pair, without_covariances
from course_utils.optima.gaussians import GaussianClasses


class TestCorrelatedPair:
    @pytest.mark.parametrize("r", [-0.8, 0.0, 0.6])
    def test_log_odds_are_those_of_the_lesson(self, r):
        X = np.random.default_rng(0).normal(size=(6, 2))
        problem = correlated_pair(r)
        np.testing.assert_allclose(problem.bayes_rule()(X), 1.6 * X.sum(axis=1) / (1 + r), atol=1e-12)
        np.testing.assert_allclose(without_covariances(problem).bayes_rule()(X), 1.6 * X.sum(axis=1), atol=1e-12)

    def test_the_decision_is_right_and_the_posterior_wrong(self):
        costs = []
        for r in (0.0, 0.3, 0.6, 0.9):
            problem = correlated_pair(r)
            naive = without_covariances(problem).bayes_rule()
            assert problem.error(naive) == pytest.approx(problem.bayes_error(), abs=1e-12)
            costs.append(problem.posterior_divergence(naive))
        assert costs[0] == pytest.approx(0.0, abs=1e-12)
        assert np.all(np.diff(costs) > 0.005)

    def test_a_feature_twice_is_counted_twice(self):
        """As ρ → 1 the second feature says nothing new, and the naive log-odds are twice the true ones."""
        once = GaussianClasses([0.5, 0.5], [[-0.8], [0.8]], [[[1.0]], [[1.0]]])
        twice = correlated_pair(1 - 1e-9)
        x = np.linspace(-2, 2, 5)[:, None]
        naive = without_covariances(twice).bayes_rule()
        np.testing.assert_allclose(naive(np.hstack([x, x])), 2 * once.bayes_rule()(x), atol=1e-12)
        assert twice.bayes_error() == pytest.approx(once.bayes_error(), abs=1e-6)

    @pytest.mark.parametrize("r", [1.0, -1.0, 1.5, np.nan])
    def test_an_impossible_correlation(self, r):
        with pytest.raises(ValueError, match="correlation must lie between -1 and 1"):
            correlated_pair(r)


class TestWithoutCovariances:
    def test_unequal_features_cost_decisions_too(self):
        problem = GaussianClasses([0.5, 0.5], [[-1, 0], [1, 0]], [[[1, 0.8], [0.8, 1]]] * 2)
        naive = without_covariances(problem)
        assert problem.error(naive.bayes_rule()) > problem.bayes_error() + 0.05
        np.testing.assert_array_equal(naive.covariances, [np.eye(2)] * 2)

    def test_is_the_limit_of_naive_bayes(self):
        problem = GaussianClasses([0.3, 0.7], [[-1, 0], [1, 0.5]], [[[1, 0.8], [0.8, 2]], [[0.5, -0.3], [-0.3, 1]]])
        X, y = problem.sample(400_000, np.random.default_rng(0))
        model, limit = GaussianNB().fit(X, y), without_covariances(problem)
        np.testing.assert_allclose(model.theta_, limit.means, atol=0.02)
        np.testing.assert_allclose(model.var_, np.diagonal(limit.covariances, axis1=1, axis2=2), rtol=0.02)

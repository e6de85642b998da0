"""The exact answers of lessons 2 and 3, against scipy, quadrature over the plane, Monte Carlo and limits."""

import numpy as np
import pytest
from scipy.linalg import LinAlgError
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import multivariate_normal

from course_utils.optima.dependence import correlated_features, naive_rule, overconfidence
from course_utils.optima.gaussians import GaussianClasses, QuadraticRule
from course_utils.optima.shared_covariance import LinearRule, SharedCovariance


def random_problem(seed, n_classes=2, d=2):
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(d, d)) + np.eye(d)
    priors = rng.dirichlet(np.full(n_classes, 5.0))
    return SharedCovariance(priors, rng.normal(size=(n_classes, d)), factor @ factor.T + 0.1 * np.eye(d))


def plane(problem, points=1201, reach=9.0):
    """A grid over both classes, (n, 2), and the area of a cell."""
    deviation = np.sqrt(np.diag(problem.covariance))
    low, high = problem.means.min(0) - reach * deviation, problem.means.max(0) + reach * deviation
    axes = [np.linspace(a, b, points) for a, b in zip(low, high)]
    area = np.prod([axis[1] - axis[0] for axis in axes])
    return np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2), area


class TestPosterior:
    def test_joint_is_prior_times_scipys_density(self):
        problem = random_problem(0, n_classes=4, d=3)
        X = np.random.default_rng(1).normal(size=(20, 3))
        for k in range(4):
            density = multivariate_normal(problem.means[k], problem.covariance).logpdf(X)
            np.testing.assert_allclose(problem.log_joint(X)[:, k], np.log(problem.priors[k]) + density, rtol=1e-12)
        np.testing.assert_allclose(np.exp(problem.log_posterior(X)).sum(axis=1), 1.0)

    def test_the_bayes_rule_states_the_exact_log_odds(self):
        problem = random_problem(3, d=4)
        X = np.random.default_rng(1).normal(size=(20, 4))
        posterior = problem.log_posterior(X)
        np.testing.assert_allclose(problem.bayes_rule()(X), posterior[:, 1] - posterior[:, 0], rtol=1e-10)

    def test_samples_have_the_moments(self):
        problem = random_problem(2, n_classes=3)
        X, y = problem.sample(200_000, np.random.default_rng(0))
        np.testing.assert_allclose(np.bincount(y) / len(y), problem.priors, atol=0.005)
        for k in range(3):
            np.testing.assert_allclose(X[y == k].mean(0), problem.means[k], atol=0.05)
            np.testing.assert_allclose(np.cov(X[y == k].T), problem.covariance, rtol=0.05, atol=0.05)


class TestDirections:
    def test_maximise_fishers_ratio(self):
        problem = random_problem(5, n_classes=3, d=4)
        directions, ratios = problem.directions()
        offset = problem.means - problem.priors @ problem.means
        between = offset.T @ np.diag(problem.priors) @ offset

        def ratio(w):
            return (w @ between @ w) / (w @ problem.covariance @ w)

        best = max(-minimize(lambda w: -ratio(w), start).fun for start in np.eye(4) + 0.1)
        assert ratios[0] == pytest.approx(best, rel=1e-6)
        assert directions.shape == (4, 2)
        np.testing.assert_allclose([ratio(w) for w in directions.T], ratios, rtol=1e-9)
        np.testing.assert_allclose(directions.T @ problem.covariance @ directions, np.eye(2), atol=1e-10)

    def test_of_two_classes_is_that_of_the_bayes_rule(self):
        problem = random_problem(6, d=5)
        directions, ratios = problem.directions()
        weights = problem.bayes_rule().weights
        cosine = directions[:, 0] @ weights / np.linalg.norm(directions[:, 0]) / np.linalg.norm(weights)
        assert abs(cosine) == pytest.approx(1.0, abs=1e-12)
        squared_distance = weights @ (problem.means[1] - problem.means[0])
        assert ratios[0] == pytest.approx(problem.priors.prod() * squared_distance)


class TestLinearRules:
    @pytest.mark.parametrize("seed", range(4))
    def test_error_agrees_with_the_quadrature_of_lesson_1(self, seed):
        problem, rng = random_problem(seed), np.random.default_rng(seed)
        rule = LinearRule(rng.normal(size=2), rng.normal())
        other = GaussianClasses(problem.priors, problem.means, [problem.covariance, problem.covariance])
        expected = other.error(QuadraticRule.from_linear(rule.weights, rule.intercept))
        assert problem.error(rule) == pytest.approx(expected, abs=1e-10)
        assert problem.error(problem.bayes_rule()) == pytest.approx(other.bayes_error(), abs=1e-10)

    @pytest.mark.parametrize("seed", range(3))
    def test_excess_log_loss_is_the_mean_divergence_over_the_plane(self, seed):
        problem = random_problem(seed)
        exact = problem.bayes_rule()
        rule = LinearRule(exact.weights * [1.7, 0.6], exact.intercept + 0.4)
        X, area = plane(problem)
        p, t, s = expit(exact(X)), exact(X), rule(X)
        divergence = p * (np.logaddexp(0, -s) - np.logaddexp(0, -t))
        divergence += (1 - p) * (np.logaddexp(0, s) - np.logaddexp(0, t))
        expected = np.sum(np.exp(problem.log_joint(X)).sum(axis=1) * divergence) * area
        assert problem.excess_log_loss(rule) == pytest.approx(expected, abs=1e-8)

    @pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
    def test_log_loss_by_monte_carlo_and_in_its_limits(self, scale):
        problem = random_problem(9)
        rule = LinearRule(scale * np.array([1.0, -0.5]), 0.2)
        X, y = problem.sample(400_000, np.random.default_rng(0))
        losses = np.logaddexp(0.0, np.where(y == 1, -1, 1) * rule(X))
        assert problem.log_loss(rule) == pytest.approx(losses.mean(), abs=5 * losses.std() / np.sqrt(len(y)))

    def test_a_rule_that_says_the_same_of_every_x(self):
        problem = SharedCovariance([0.3, 0.7], [[0.0], [1.0]], [[1.0]])
        rule = LinearRule(np.zeros(1), np.log(0.7 / 0.3))
        assert problem.error(rule) == pytest.approx(0.3)
        entropy = -0.3 * np.log(0.3) - 0.7 * np.log(0.7)
        assert problem.log_loss(rule) == pytest.approx(entropy, abs=1e-10)

    def test_calibration_states_the_log_odds_given_the_score(self):
        problem = random_problem(4)
        rule = LinearRule(np.array([0.8, 1.3]), -0.2)
        slope, shift = problem.calibration(rule)
        X, y = problem.sample(1_000_000, np.random.default_rng(0))
        scores = rule(X)
        for low in np.quantile(scores, [0.1, 0.3, 0.5, 0.7, 0.9]):
            near = np.abs(scores - low) < 0.05
            expected = expit(slope * low + shift)
            assert y[near].mean() == pytest.approx(expected, abs=4 * 0.5 / np.sqrt(near.sum()) + 0.01)
        assert problem.calibration(problem.bayes_rule()) == pytest.approx((1.0, 0.0), abs=1e-10)


class TestDependence:
    @pytest.mark.parametrize(("correlation", "d"), [(0.0, 2), (0.5, 2), (0.95, 2), (-0.5, 2), (0.6, 5), (-0.2, 4)])
    def test_the_naive_log_odds_are_too_large_by_the_factor(self, correlation, d):
        problem = correlated_features(correlation, separation=1.4, n_features=d)
        factor = overconfidence(correlation, d)
        X = np.random.default_rng(0).normal(size=(10, d))
        np.testing.assert_allclose(naive_rule(problem)(X), factor * problem.bayes_rule()(X), rtol=1e-9, atol=1e-12)
        assert problem.calibration(naive_rule(problem)) == pytest.approx((1 / factor, 0.0), abs=1e-10)

    def test_the_decision_is_right_and_the_posterior_wrong(self):
        costs = []
        for correlation in (0.0, 0.3, 0.6, 0.9):
            problem = correlated_features(correlation)
            naive = naive_rule(problem)
            assert problem.error(naive) == pytest.approx(problem.error(problem.bayes_rule()), abs=1e-12)
            costs.append(problem.excess_log_loss(naive))
        assert costs[0] == pytest.approx(0.0, abs=1e-10)
        assert np.all(np.diff(costs) > 0.005)

    def test_unequal_features_cost_decisions_too(self):
        problem = SharedCovariance([0.5, 0.5], [[0, 0], [2, 0.5]], [[1, 0.8], [0.8, 1]])
        assert problem.error(naive_rule(problem)) > problem.error(problem.bayes_rule()) + 0.02

    def test_a_feature_twice_is_counted_twice(self):
        """As ρ → 1 the second feature says nothing new, and the naive log-odds are twice the true ones."""
        once = correlated_features(0.0, n_features=1)
        twice = correlated_features(1 - 1e-9)
        X = np.linspace(-2, 2, 5)[:, None]
        np.testing.assert_allclose(naive_rule(twice)(np.hstack([X, X])), 2 * once.bayes_rule()(X), atol=1e-12)
        assert twice.error(twice.bayes_rule()) == pytest.approx(once.error(once.bayes_rule()), abs=1e-8)


class TestErrors:
    @pytest.mark.parametrize(
        ("priors", "means", "covariance", "message"),
        [
            ([1.0], [[0.0]], [[1.0]], "K > 1"),
            ([0.5, 0.6], [[0.0], [1.0]], [[1.0]], "2 positive numbers that sum to one"),
            ([0.5, 0.5], [[0.0], [1.0]], np.eye(2), r"covariance must have shape \(1, 1\)"),
        ],
    )
    def test_wrong_shapes_are_named(self, priors, means, covariance, message):
        with pytest.raises(ValueError, match=message):
            SharedCovariance(priors, means, covariance)

    def test_an_indefinite_covariance_and_too_many_classes(self):
        with pytest.raises(LinAlgError):
            SharedCovariance([0.5, 0.5], [[0.0, 0], [1, 1]], [[1.0, 2.0], [2.0, 1.0]])
        with pytest.raises(ValueError, match="those of two classes; here are 3"):
            random_problem(0, n_classes=3).bayes_rule()

    @pytest.mark.parametrize("correlation", [1.0, -1.0, 1.5])
    def test_an_impossible_correlation(self, correlation):
        with pytest.raises(ValueError, match="correlation must lie between -1 and 1"):
            correlated_features(correlation)

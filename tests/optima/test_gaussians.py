"""The exact answers of lesson 1, against closed forms, nested quadrature, Monte Carlo and invariances."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm

from course_utils.optima.gaussians import GaussianClasses, QuadraticRule, _normal_quadratic_positive


def random_problem(seed, d=2):
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(2, d, d)) + np.eye(d)
    prior = rng.uniform(0.2, 0.8)
    covariances = factors @ factors.transpose(0, 2, 1) + 0.1 * np.eye(d)
    return GaussianClasses([1 - prior, prior], 1.5 * rng.normal(size=(2, d)), covariances)


class TestBayesError:
    @pytest.mark.parametrize("d", [1, 2])
    @pytest.mark.parametrize("prior", [0.5, 0.8])
    def test_equal_covariances_closed_form(self, d, prior):
        """With Δ the Mahalanobis distance and τ = log(π_0/π_1): π_0 Φ(−Δ/2 − τ/Δ) + π_1 Φ(−Δ/2 + τ/Δ)."""
        rng = np.random.default_rng(d)
        factor = rng.normal(size=(d, d)) + 2 * np.eye(d)
        covariance, means = factor @ factor.T, rng.normal(size=(2, d)) * 2
        difference = means[1] - means[0]
        delta = np.sqrt(difference @ np.linalg.solve(covariance, difference))
        tau = np.log((1 - prior) / prior)
        expected = (1 - prior) * norm.cdf(-delta / 2 - tau / delta) + prior * norm.cdf(-delta / 2 + tau / delta)
        problem = GaussianClasses([1 - prior, prior], means, [covariance, covariance])
        assert problem.bayes_error() == pytest.approx(expected, abs=1e-12)

    @pytest.mark.parametrize("seed", range(6))
    def test_is_the_integral_of_the_smaller_joint_density(self, seed):
        """∫ min_y p(x, y) dx, the definition, in one dimension by adaptive quadrature."""
        problem = random_problem(seed, d=1)
        roots = np.roots(
            [
                problem.bayes_rule().quadratic[0, 0],
                problem.bayes_rule().linear[0],
                problem.bayes_rule().constant,
            ]
        )
        points = sorted(np.real(roots[np.isreal(roots)]))

        def smaller(x):
            return np.exp(problem.log_joint([[x]])).min()

        edges = [-60, *[p for p in points if -60 < p < 60], 60]
        pieces = pairwise(edges)
        expected = sum(quad(smaller, low, high, epsabs=1e-13, limit=400)[0] for low, high in pieces)
        assert problem.bayes_error() == pytest.approx(expected, abs=1e-10)

    @pytest.mark.parametrize("seed", range(3))
    def test_is_the_integral_of_the_smaller_joint_density_in_the_plane(self, seed):
        problem = random_problem(seed)
        reach = np.abs(problem.means).max() + 8 * np.sqrt(problem.covariances.max())
        axis = np.linspace(-reach, reach, 1501)
        grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
        expected = np.exp(problem.log_joint(grid)).min(axis=1).sum() * (axis[1] - axis[0]) ** 2
        assert problem.bayes_error() == pytest.approx(expected, abs=1e-5)

    def test_no_rule_does_better(self):
        problem, rng = random_problem(1), np.random.default_rng(0)
        best = problem.bayes_rule()
        for _ in range(50):
            step = rng.normal(size=(2, 2)) * 0.1
            rule = QuadraticRule(best.quadratic + step + step.T, best.linear + rng.normal(size=2) * 0.1, best.constant)
            assert problem.error(rule) >= problem.bayes_error() - 1e-12


class TestErrorOfARule:
    @pytest.mark.parametrize("seed", range(20))
    def test_agrees_with_adaptive_quadrature(self, seed):
        """Random quadratic rules against scipy.integrate.quad over the first feature, the last one by its roots.

        No whitening, no rotation: another route than the code's.
        """
        problem, rng = random_problem(seed), np.random.default_rng(100 + seed)
        half = rng.normal(size=(2, 2))
        (p, r), (_, s) = quadratic = half + half.T
        linear, constant = rng.normal(size=2), float(rng.normal())

        def positive(x, mean, covariance):
            """P(rule > 0 | x_1 = x), from the conditional normal of x_2."""
            centre = mean[1] + covariance[0, 1] / covariance[0, 0] * (x - mean[0])
            spread = np.sqrt(covariance[1, 1] - covariance[0, 1] ** 2 / covariance[0, 0])
            b, c = 2 * r * x + linear[1], p * x**2 + linear[0] * x + constant
            if b**2 < 4 * s * c:
                return float(s > 0)
            low, high = sorted((-b + sign * np.sqrt(b**2 - 4 * s * c)) / (2 * s) for sign in (-1, 1))
            between = norm.cdf(high, centre, spread) - norm.cdf(low, centre, spread)
            return 1 - between if s > 0 else between

        found = []
        for mean, covariance in zip(problem.means, problem.covariances, strict=True):
            deviation = np.sqrt(covariance[0, 0])
            turns = np.roots([r**2 - p * s, r * linear[1] - s * linear[0], linear[1] ** 2 / 4 - s * constant])
            turns = np.real(turns[np.isreal(turns)])
            grid = np.linspace(mean[0] - 9 * deviation, mean[0] + 9 * deviation, 60)
            grid = np.union1d(grid, turns[np.abs(turns - mean[0]) < 9 * deviation])
            density = norm(mean[0], deviation).pdf
            pieces = [
                quad(lambda x: density(x) * positive(x, mean, covariance), *ends, epsabs=1e-12, limit=200)[0]  # noqa: B023
                for ends in pairwise(grid)
            ]
            found.append(sum(pieces))
        expected = problem.priors[0] * found[0] + problem.priors[1] * (1 - found[1])
        assert problem.error(QuadraticRule(quadratic, linear, constant)) == pytest.approx(expected, abs=1e-8)

    @pytest.mark.parametrize("seed", range(5))
    def test_agrees_with_monte_carlo(self, seed):
        problem, rng = random_problem(seed), np.random.default_rng(seed)
        quadratic = rng.normal(size=(2, 2))
        rule = QuadraticRule(quadratic + quadratic.T, rng.normal(size=2), float(rng.normal()))
        X, y = problem.sample(400_000, rng)
        observed = np.mean((rule(X) > 0) != y)
        assert problem.error(rule) == pytest.approx(observed, abs=5 * 0.5 / np.sqrt(400_000))

    def test_does_not_depend_on_the_coordinates(self):
        """x → M x + t moves problem and rule together; the error stays."""
        problem, rng = random_problem(7), np.random.default_rng(7)
        quadratic = rng.normal(size=(2, 2))
        rule = QuadraticRule(quadratic + quadratic.T, rng.normal(size=2), 0.3)
        M, t = np.array([[1.2, -0.7], [0.4, 0.9]]), np.array([3.0, -2.0])
        back = np.linalg.inv(M)
        moved = GaussianClasses(problem.priors, problem.means @ M.T + t, M @ problem.covariances @ M.T)
        A = back.T @ rule.quadratic @ back
        b = back.T @ rule.linear - 2 * A @ t
        c = rule.constant - (back.T @ rule.linear) @ t + t @ A @ t
        assert moved.error(QuadraticRule(A, b, c)) == pytest.approx(problem.error(rule), abs=1e-9)

    def test_constant_rules(self):
        problem = random_problem(0)
        always_one = QuadraticRule.from_linear([0.0, 0.0], 1.0)
        never_one = QuadraticRule.from_linear([0.0, 0.0], -1.0)
        assert problem.error(always_one) == pytest.approx(problem.priors[0], abs=1e-12)
        assert problem.error(never_one) == pytest.approx(problem.priors[1], abs=1e-12)

    def test_linear_rule_closed_form(self):
        problem, weights = random_problem(2), np.array([0.3, -1.1])
        z = (problem.means @ weights + 0.2) / np.sqrt(np.einsum("i,kij,j->k", weights, problem.covariances, weights))
        expected = problem.priors[0] * norm.cdf(z[0]) + problem.priors[1] * norm.cdf(-z[1])
        assert problem.error(QuadraticRule.from_linear(weights, 0.2)) == pytest.approx(expected, abs=1e-12)
        vertical = QuadraticRule.from_linear([2.0, 0.0], -0.5)
        z = (2 * problem.means[:, 0] - 0.5) / np.sqrt(4 * problem.covariances[:, 0, 0])
        expected = problem.priors[0] * norm.cdf(z[0]) + problem.priors[1] * norm.cdf(-z[1])
        assert problem.error(vertical) == pytest.approx(expected, abs=1e-12)


class TestPosteriorDivergence:
    @pytest.mark.parametrize("d", [1, 2])
    def test_agrees_with_its_definition_on_draws(self, d):
        problem, rng = random_problem(6, d), np.random.default_rng(0)
        best = problem.bayes_rule()
        rule = QuadraticRule(0.9 * best.quadratic, best.linear + 0.4, best.constant - 0.5)
        X, _ = problem.sample(400_000, rng)
        p, q = problem.posterior(X), 1 / (1 + np.exp(-rule(X)))
        divergence = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
        noise = 4 * divergence.std() / np.sqrt(len(X))
        assert problem.posterior_divergence(rule) == pytest.approx(divergence.mean(), abs=noise)

    def test_zero_for_the_true_posterior_alone(self):
        problem = random_problem(6)
        best = problem.bayes_rule()
        assert problem.posterior_divergence(best) == pytest.approx(0.0, abs=1e-12)
        assert problem.posterior_divergence(QuadraticRule(best.quadratic, best.linear * 2, best.constant)) > 1e-3


class TestDensities:
    def test_joint_marginal_and_posterior_are_scipys(self):
        problem = random_problem(3)
        X = np.random.default_rng(0).normal(size=(50, 2)) * 3
        joint = np.stack(
            [
                p * multivariate_normal(m, c).pdf(X)
                for p, m, c in zip(problem.priors, problem.means, problem.covariances, strict=True)
            ],
            axis=1,
        )
        np.testing.assert_allclose(np.exp(problem.log_joint(X)), joint, rtol=1e-10)
        np.testing.assert_allclose(np.exp(problem.log_marginal(X)), joint.sum(1), rtol=1e-10)
        np.testing.assert_allclose(problem.posterior(X), joint[:, 1] / joint.sum(1), rtol=1e-10)

    def test_bayes_rule_is_the_log_ratio(self):
        problem = random_problem(4)
        X = np.random.default_rng(0).normal(size=(50, 2)) * 3
        joint = problem.log_joint(X)
        np.testing.assert_allclose(problem.bayes_rule()(X), joint[:, 1] - joint[:, 0], rtol=1e-9, atol=1e-9)

    def test_sample_has_the_moments(self):
        problem = random_problem(5)
        X, y = problem.sample(300_000, np.random.default_rng(0))
        assert y.mean() == pytest.approx(problem.priors[1], abs=0.005)
        np.testing.assert_allclose(np.cov(X[y == 1].T), problem.covariances[1], atol=0.1)

    @pytest.mark.parametrize(
        ("priors", "means", "covariances", "message"),
        [
            ([0.5, 0.6], np.zeros((2, 2)), [np.eye(2)] * 2, "sum to one"),
            ([0.5, 0.5], np.zeros((2, 3)), [np.eye(3)] * 2, r"shape \(2, 1\) or \(2, 2\)"),
            ([0.5, 0.5], np.zeros((2, 2)), np.eye(2), r"covariances must have shape \(2, 2, 2\)"),
        ],
    )
    def test_bad_input_is_named(self, priors, means, covariances, message):
        with pytest.raises(ValueError, match=message):
            GaussianClasses(priors, means, covariances)


@pytest.mark.parametrize(
    ("a", "b", "c"),
    [
        (1, 0, -1),
        (-1, 0, 1),
        (1, 3, 1),
        (1e-13, 1, 0.5),
        (-1e-13, -2, 0.5),
        (0, 2, -1),
        (0, -2, -1),
        (1, 0, 1),
        (-1, 0, -1),
        (0, 0, 2),
        (0, 0, -2),
    ],
)
def test_quadratic_of_a_standard_normal(a, b, c):
    z = np.linspace(-10, 10, 2_000_001)
    expected = np.sum(norm.pdf(z) * (a * z**2 + b * z + c > 0)) * (z[1] - z[0])
    found = _normal_quadratic_positive(float(a), np.array([float(b)]), np.array([float(c)]))[0]
    assert found == pytest.approx(expected, abs=1e-5)

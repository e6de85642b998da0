"""QuadraticDiscriminantAnalysis against scikit-learn, scipy, rational arithmetic and the rules of probability."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from scipy.linalg import LinAlgError
from scipy.stats import multivariate_normal
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis as SklearnQDA
from sklearn.naive_bayes import GaussianNB
from sklearn.utils.estimator_checks import parametrize_with_checks

from course_utils.models.gaussian import Gaussian, QuadraticDiscriminantAnalysis


def gaussian_classes(seed=0, n=600, d=5, n_classes=3, offset=0.0):
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.repeat(np.arange(n_classes), 3 * d), rng.integers(n_classes, size=n)])
    factors = np.eye(d) + 0.5 * rng.normal(size=(n_classes, d, d)) / np.sqrt(d)
    noise = np.einsum("ni,nij->nj", rng.normal(size=(len(y), d)), factors[y])
    return rng.normal(size=(n_classes, d))[y] + noise + offset, y


@parametrize_with_checks([QuadraticDiscriminantAnalysis()])
def test_is_a_scikit_learn_estimator(estimator, check):
    check(estimator)


class TestAgainstScikitLearn:
    @pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer])
    def test_same_posterior_on_real_data(self, load):
        X, y = load(return_X_y=True)
        ours, theirs = QuadraticDiscriminantAnalysis().fit(X, y), SklearnQDA(tol=0).fit(X, y)
        np.testing.assert_allclose(ours.predict_log_proba(X), theirs.predict_log_proba(X), rtol=1e-8, atol=1e-8)

    @pytest.mark.parametrize(("offset", "tolerance"), [(0.0, 1e-8), (1e6, 1e-6)])
    def test_same_posterior_at_an_offset(self, offset, tolerance):
        X, y = gaussian_classes(offset=offset)
        ours, theirs = QuadraticDiscriminantAnalysis().fit(X, y), SklearnQDA().fit(X, y)
        np.testing.assert_allclose(
            ours.predict_log_proba(X), theirs.predict_log_proba(X), rtol=tolerance, atol=tolerance
        )

    def test_same_posterior_with_regularisation_and_priors(self):
        X, y = load_digits(return_X_y=True)
        options = {"reg_param": 0.1, "priors": np.arange(1, 11) / 55}
        ours = QuadraticDiscriminantAnalysis(**options).fit(X, y)
        theirs = SklearnQDA(**options).fit(X, y)
        np.testing.assert_allclose(ours.predict_log_proba(X), theirs.predict_log_proba(X), rtol=1e-8, atol=1e-8)

    def test_no_further_from_the_offset_free_answer_than_scikit_learn(self):
        X, y = gaussian_classes()
        X = np.round(X * 2**10) / 2**10  # so that adding 1e6 is exact
        exact = QuadraticDiscriminantAnalysis().fit(X, y).predict_log_proba(X)
        moved = QuadraticDiscriminantAnalysis().fit(X + 1e6, y).predict_log_proba(X + 1e6)
        np.testing.assert_allclose(moved, exact, rtol=1e-7, atol=1e-7)


def exact_log_posterior(X, y, x):
    """log p(y | x) of the maximum-likelihood Gaussian classes, in rational arithmetic up to the logarithm."""
    X = [[Fraction(float(value)) for value in row] for row in X]
    x = [Fraction(float(value)) for value in x]
    joint = []
    for k in np.unique(y):
        rows = [row for row, label in zip(X, y, strict=True) if label == k]
        n, d = len(rows), len(x)
        mean = [sum(column) / n for column in zip(*rows, strict=True)]
        centred = [[value - m for value, m in zip(row, mean, strict=True)] for row in rows]
        system = [[sum(row[i] * row[j] for row in centred) / n for j in range(d)] + [x[i] - mean[i]] for i in range(d)]
        determinant = Fraction(1)
        for i in range(d):  # Gaussian elimination, exact; a covariance's pivots are positive
            determinant *= system[i][i]
            for j in range(i + 1, d):
                ratio = system[j][i] / system[i][i]
                system[j] = [a - ratio * b for a, b in zip(system[j], system[i], strict=True)]
        # With U the eliminated matrix and c the eliminated right side, (x−μ)ᵀ Σ⁻¹ (x−μ) = Σ c_i² / U_ii.
        squared_distance = sum(row[d] ** 2 / row[i] for i, row in enumerate(system))
        as_mp = [mpmath.mpf(v.numerator) / v.denominator for v in (determinant, squared_distance, Fraction(n, len(X)))]
        joint.append(mpmath.log(as_mp[2]) - mpmath.log(as_mp[0]) / 2 - as_mp[1] / 2)
    evidence = mpmath.log(sum(mpmath.exp(value) for value in joint))
    return np.array([float(value - evidence) for value in joint])


class TestNearlySingular:
    @pytest.mark.parametrize("condition", [1e2, 1e6, 1e10, 1e14, 1e20])
    def test_as_close_to_the_exact_posterior_as_the_condition_number_allows(self, condition):
        """``condition`` is the covariance's; the data's is its square root, and only that one costs digits."""
        rng = np.random.default_rng(3)
        y = np.repeat([0, 1], [14, 11])
        X = rng.normal(size=(25, 3)) * np.array([[1.0, 0.7, 1.3], [0.8, 1.1, 0.9]])[y]
        X[:, 2] = X[:, 0] + X[:, 2] / np.sqrt(condition)
        model = QuadraticDiscriminantAnalysis().fit(X, y)
        with mpmath.workdps(60):
            exact = np.array([exact_log_posterior(X, y, x) for x in X[::4]])
        ours = model.predict_log_proba(X[::4])
        np.testing.assert_allclose(ours, exact, atol=200 * np.finfo(float).eps * np.sqrt(condition) + 1e-13, rtol=1e-12)

    @pytest.mark.parametrize("exponent", [-4, -8, -12])
    def test_stays_finite_and_sums_to_one(self, exponent):
        X, y = gaussian_classes()
        X[:, 4] = X[:, 0] + 10.0**exponent * X[:, 4]
        model = QuadraticDiscriminantAnalysis().fit(X, y)
        far = np.vstack([X, X * 1e6, np.zeros((1, 5))])
        assert np.isfinite(model.predict_log_proba(far)[: len(X)]).all()
        np.testing.assert_allclose(model.predict_proba(far).sum(axis=1), 1.0, rtol=1e-12)

    def test_features_in_different_units_are_not_singular(self):
        X, y = gaussian_classes()
        units = np.array([1e-9, 1e9, 1.0, 1e-3, 1e6])
        plain = QuadraticDiscriminantAnalysis().fit(X, y).predict_log_proba(X)
        scaled = QuadraticDiscriminantAnalysis().fit(X * units, y).predict_log_proba(X * units)
        np.testing.assert_allclose(scaled, plain, rtol=1e-9, atol=1e-9)

    def test_a_singular_class_is_named_with_the_way_out(self):
        X, y = load_digits(return_X_y=True)
        with pytest.raises(LinAlgError, match=r"Class 0 .*features are constant.*reg_param"):
            QuadraticDiscriminantAnalysis().fit(X, y)
        X, y = gaussian_classes()
        X[y == 1, 3] = 0.1  # no binary fraction: its computed mean is off by a rounding, and must not pass for a spread
        with pytest.raises(LinAlgError, match="Class 1 .*1 of 5 features are constant"):
            QuadraticDiscriminantAnalysis().fit(X, y)
        X, y = gaussian_classes()
        X[y == 2, 4] = X[y == 2, 0] - X[y == 2, 1]
        with pytest.raises(LinAlgError, match="Class 2 .*linearly dependent"):
            QuadraticDiscriminantAnalysis().fit(X, y)


class TestRulesOfProbability:
    def test_joint_is_prior_times_scipys_density(self):
        X, y = gaussian_classes()
        model = QuadraticDiscriminantAnalysis().fit(X, y)
        for k in range(3):
            rows = X[y == k]
            density = multivariate_normal(rows.mean(0), np.cov(rows.T, bias=True))
            expected = np.log(len(rows) / len(X)) + density.logpdf(X)
            np.testing.assert_allclose(model.predict_joint_log_proba(X)[:, k], expected, rtol=1e-10)

    def test_p_of_x_integrates_to_one(self):
        X, y = gaussian_classes(d=2)
        model = QuadraticDiscriminantAnalysis().fit(X, y)
        axis = np.linspace(-12, 12, 601)
        grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
        mass = np.exp(model.score_samples(grid)).sum() * (axis[1] - axis[0]) ** 2
        assert mass == pytest.approx(1.0, abs=1e-9)

    def test_diagonal_gaussian_classes_are_gaussian_naive_bayes(self):
        """With uncorrelated features inside each class the two models are one."""
        rng = np.random.default_rng(1)
        blocks, y = [], np.repeat([0, 1], 64)
        for _ in range(2):  # the columns of a Hadamard matrix: exactly uncorrelated, exactly centred
            hadamard = np.array([[1]])
            for _ in range(6):
                hadamard = np.block([[hadamard, hadamard], [hadamard, -hadamard]])
            blocks.append(hadamard[:, 1:6] * rng.uniform(0.5, 2, size=5) + rng.normal(size=5))
        X = np.vstack(blocks)
        naive = GaussianNB(var_smoothing=0).fit(X, y)
        ours = QuadraticDiscriminantAnalysis().fit(X, y)
        np.testing.assert_allclose(ours.predict_log_proba(X), naive.predict_log_proba(X), rtol=1e-9, atol=1e-9)

    def test_order_of_rows_and_of_blocks_does_not_matter(self):
        X, y = gaussian_classes(n=3000)
        order = np.random.default_rng(0).permutation(len(X))
        model = QuadraticDiscriminantAnalysis().fit(X, y)
        shuffled = QuadraticDiscriminantAnalysis().fit(X[order], y[order])
        np.testing.assert_allclose(shuffled.predict_log_proba(X), model.predict_log_proba(X), atol=1e-10)
        one_by_one = np.vstack([model.predict_log_proba(x[None]) for x in X[1020:1030]])  # across a block's edge
        np.testing.assert_allclose(one_by_one, model.predict_log_proba(X)[1020:1030], atol=1e-12)

    def test_does_not_change_its_input(self):
        X, y = gaussian_classes()
        before = X.copy()
        model = QuadraticDiscriminantAnalysis().fit(X, y)
        model.predict_proba(X)
        model.impute(X)
        np.testing.assert_array_equal(X, before)


class TestSample:
    def test_moments_and_class_shares(self):
        X, y = gaussian_classes()
        model = QuadraticDiscriminantAnalysis(priors=[0.2, 0.3, 0.5]).fit(X, y)
        samples, labels = model.sample(200_000, random_state=0)
        np.testing.assert_allclose(np.bincount(labels) / 200_000, [0.2, 0.3, 0.5], atol=0.005)
        for k in range(3):
            rows = samples[labels == k]
            np.testing.assert_allclose(rows.mean(0), model.means_[k], atol=0.04)
            np.testing.assert_allclose(np.cov(rows.T), model.covariance_[k], atol=0.08)

    def test_refitting_to_its_own_samples_returns_the_model(self):
        X, y = load_iris(return_X_y=True)
        model = QuadraticDiscriminantAnalysis().fit(X, y)
        again = QuadraticDiscriminantAnalysis().fit(*model.sample(300_000, random_state=1))
        np.testing.assert_allclose(again.means_, model.means_, atol=0.01)
        np.testing.assert_allclose(again.covariance_, model.covariance_, atol=0.01)

    def test_same_seed_same_sample(self):
        model = QuadraticDiscriminantAnalysis().fit(*gaussian_classes())
        np.testing.assert_array_equal(model.sample(9, random_state=5)[0], model.sample(9, random_state=5)[0])

    def test_string_labels_come_back(self):
        X, y = gaussian_classes()
        _, labels = QuadraticDiscriminantAnalysis().fit(X, np.array(["a", "b", "c"])[y]).sample(50, random_state=0)
        assert set(labels) == {"a", "b", "c"}

    @pytest.mark.parametrize("n_samples", [0, -1, 2.5, "3"])
    def test_n_samples_is_checked(self, n_samples):
        with pytest.raises(ValueError, match="n_samples must be a whole number"):
            QuadraticDiscriminantAnalysis().fit(*gaussian_classes()).sample(n_samples)


class TestMissingValues:
    def test_condition_agrees_with_the_ratio_of_densities(self):
        """p(x_m | x_o) = p(x_m, x_o) / p(x_o), the definition, with scipy's densities."""
        rng = np.random.default_rng(0)
        factor = rng.normal(size=(4, 4)) + 2 * np.eye(4)
        gaussian = Gaussian.from_covariance(rng.normal(size=4), factor @ factor.T)
        observed = np.array([True, False, True, False])
        x = rng.normal(size=4)
        mean, covariance = gaussian.condition(observed, x[None, observed])
        joint = multivariate_normal(gaussian.mean, gaussian.covariance).logpdf(x)
        seen = multivariate_normal(gaussian.mean[observed], gaussian.covariance[np.ix_(observed, observed)])
        expected = joint - seen.logpdf(x[observed])
        assert multivariate_normal(mean[0], covariance).logpdf(x[~observed]) == pytest.approx(expected, rel=1e-10)
        assert gaussian.marginal(observed).log_prob(x[None, observed])[0] == pytest.approx(seen.logpdf(x[observed]))

    def test_impute_is_the_conditional_expectation_of_the_mixture(self):
        """Against numerical integration of x_m p(x_m, x_o) over a line."""
        X, y = gaussian_classes(d=3)
        model = QuadraticDiscriminantAnalysis().fit(X, y)
        line = np.linspace(-15, 15, 20_001)
        x = np.tile(X[7], (len(line), 1))
        x[:, 1] = line
        weight = np.exp(model.score_samples(x))
        holed = X[7:8].copy()
        holed[0, 1] = np.nan
        assert model.impute(holed)[0, 1] == pytest.approx((line * weight).sum() / weight.sum(), abs=1e-9)

    def test_all_patterns_at_once_and_what_is_seen_stays(self):
        X, y = gaussian_classes()
        model = QuadraticDiscriminantAnalysis().fit(X, y)
        holed = X[:40].copy()
        holed[np.random.default_rng(0).random(holed.shape) < 0.4] = np.nan
        holed[3] = np.nan
        filled = model.impute(holed)
        assert np.isfinite(filled).all()
        np.testing.assert_array_equal(filled[~np.isnan(holed)], holed[~np.isnan(holed)])
        np.testing.assert_allclose(filled[3], model.priors_ @ model.means_)
        alone = np.vstack([model.impute(row[None]) for row in holed])
        np.testing.assert_allclose(filled, alone, rtol=1e-10)


class TestSemiSupervised:
    def half_labelled(self, n_labelled=20):
        X, y = gaussian_classes(n=2000, d=2, n_classes=2, seed=4)
        X[y == 1] += 3
        partly = np.full(len(y), -1)
        for k in range(2):
            rows = np.flatnonzero(y == k)[: n_labelled // 2]
            partly[rows] = k
        return X, y, partly

    def test_likelihood_never_falls_and_unlabelled_rows_help(self):
        X, y, partly = self.half_labelled()
        few = QuadraticDiscriminantAnalysis().fit(X[partly >= 0], partly[partly >= 0])
        many = QuadraticDiscriminantAnalysis().fit_semi_supervised(X, partly)
        assert np.all(np.diff(many.log_likelihoods_) > -1e-12)
        assert many.score(X, y) > few.score(X, y)

    def test_likelihood_reported_is_that_of_the_rows(self):
        X, _, partly = self.half_labelled()
        model = QuadraticDiscriminantAnalysis().fit_semi_supervised(X, partly)
        joint, evidence = model.predict_joint_log_proba(X), model.score_samples(X)
        labelled = partly >= 0
        total = joint[labelled, partly[labelled]].sum() + evidence[~labelled].sum()
        assert model.log_likelihoods_[-1] == pytest.approx(total / len(X), rel=1e-12)

    def test_one_step_equals_its_formula(self):
        X, _, partly = self.half_labelled()
        start = QuadraticDiscriminantAnalysis().fit(X[partly >= 0], partly[partly >= 0])
        weight = np.where(partly >= 0, partly == 1, start.predict_proba(X)[:, 1])
        step = QuadraticDiscriminantAnalysis().fit_semi_supervised(X, partly, max_iter=1)
        np.testing.assert_allclose(step.means_[1], np.average(X, axis=0, weights=weight), rtol=1e-10)
        np.testing.assert_allclose(step.covariance_[1], np.cov(X.T, aweights=weight, bias=True), rtol=1e-10)
        assert step.priors_[1] == pytest.approx(weight.mean())

    def test_needs_an_unlabelled_row(self):
        X, y = gaussian_classes()
        with pytest.raises(ValueError, match="no row as unlabelled"):
            QuadraticDiscriminantAnalysis().fit_semi_supervised(X, y)


class TestErrors:
    def test_weights_count_rows(self):
        X, _ = gaussian_classes()
        weights = np.random.default_rng(0).integers(0, 4, size=len(X))
        weighted, repeated = Gaussian.fit(X, weights), Gaussian.fit(np.repeat(X, weights, axis=0))
        np.testing.assert_allclose(weighted.mean, repeated.mean, rtol=1e-12)
        np.testing.assert_allclose(weighted.covariance, repeated.covariance, rtol=1e-12)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"reg_param": 1.5}, r"reg_param must lie in \[0, 1\]; got 1.5"),
            ({"priors": [0.5, 0.5]}, "one number for each of 3 classes"),
            ({"priors": [0.9, 0.9, -0.8]}, "non-negative and sum to one"),
        ],
    )
    def test_bad_parameters_are_named(self, options, message):
        with pytest.raises(ValueError, match=message):
            QuadraticDiscriminantAnalysis(**options).fit(*gaussian_classes())

    def test_a_class_with_one_row_is_named(self):
        X, y = gaussian_classes()
        y[0] = 7
        with pytest.raises(ValueError, match="class .*7.* has 1 sample"):
            QuadraticDiscriminantAnalysis().fit(X, y)

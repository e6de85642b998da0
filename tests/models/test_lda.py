"""LinearDiscriminantAnalysis: against scikit-learn's, exact rational arithmetic, scipy, and what follows by algebra."""

import tracemalloc
import warnings
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import eigh
from scipy.stats import multivariate_normal
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis as SklearnLDA
from sklearn.feature_selection import f_classif
from sklearn.utils.estimator_checks import parametrize_with_checks

from course_utils.models.lda import LinearDiscriminantAnalysis


@parametrize_with_checks([LinearDiscriminantAnalysis(), LinearDiscriminantAnalysis(shrinkage=0.3)])
def test_is_a_scikit_learn_estimator(estimator, check):
    check(estimator)


def shared_covariance(seed=0, n=600, d=5, n_classes=3, condition=10.0, offset=0.0, spread=1.0):
    """Gaussian classes; ``condition`` is that of the within-class data, its square that of the covariance."""
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.repeat(np.arange(n_classes), 3), rng.integers(n_classes, size=n)])
    left, right = (np.linalg.qr(rng.normal(size=(d, d)))[0] for _ in range(2))
    factor = left * np.geomspace(1, 1 / condition, d) @ right
    means = spread * rng.normal(size=(n_classes, d)) @ factor  # apart in every direction, as seen from within
    return means[y] + rng.normal(size=(len(y), d)) @ factor + offset, y


def log_odds(scores):
    """Against the first class: their scores differ from ours by a constant, and their log p(y | x) ends at −708."""
    return scores if scores.ndim == 1 else scores[:, 1:] - scores[:, :1]


def scatters(X, y):
    """S_w and S_b, unnormalised."""
    means = np.stack([X[y == k].mean(axis=0) for k in np.unique(y)])
    centred = X - means[np.searchsorted(np.unique(y), y)]
    offset = means - X.mean(axis=0)
    counts = np.unique(y, return_counts=True)[1]
    return centred.T @ centred, (counts[:, None] * offset).T @ offset


class TestAgainstScikitLearn:
    @pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_digits])
    def test_same_posterior_on_real_data(self, load):
        X, y = load(return_X_y=True)
        # Their tol = 1e-4 drops directions of little spread, which breast cancer has; 1e-10 drops the constant ones.
        ours, theirs = LinearDiscriminantAnalysis().fit(X, y), SklearnLDA(tol=1e-10).fit(X, y)
        np.testing.assert_allclose(ours.predict_log_proba(X), theirs.predict_log_proba(X), rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), rtol=1e-8, atol=1e-8)

    @pytest.mark.parametrize("condition", [1.0, 10.0, 100.0, 1000.0])
    @pytest.mark.parametrize("n_classes", [2, 4])
    def test_same_posterior_up_to_a_condition_number_of_a_thousand(self, condition, n_classes):
        X, y = shared_covariance(condition=condition, n_classes=n_classes)
        ours, theirs = LinearDiscriminantAnalysis().fit(X, y), SklearnLDA(tol=0).fit(X, y)
        np.testing.assert_allclose(ours.predict_log_proba(X), theirs.predict_log_proba(X), rtol=1e-8, atol=1e-8)

    @pytest.mark.parametrize("condition", [1.0, 30.0])
    def test_same_posterior_at_an_offset(self, condition):
        X, y = shared_covariance(condition=condition, offset=1e6)
        ours, theirs = LinearDiscriminantAnalysis().fit(X, y), SklearnLDA(tol=0).fit(X, y)
        np.testing.assert_allclose(ours.predict_log_proba(X), theirs.predict_log_proba(X), rtol=1e-6, atol=1e-6)

    @pytest.mark.parametrize("load", [load_wine, load_breast_cancer, load_digits])
    @pytest.mark.parametrize("shrinkage", [0.01, 0.5, 1.0, "auto"])
    def test_same_posterior_with_shrinkage(self, load, shrinkage):
        X, y = load(return_X_y=True)
        # Their lsqr loses seven digits on breast cancer (see the next test), their eigen fails on constant pixels.
        solver = "eigen" if load is load_breast_cancer else "lsqr"
        theirs = SklearnLDA(solver=solver, shrinkage=shrinkage).fit(X, y)
        ours = LinearDiscriminantAnalysis(shrinkage=shrinkage).fit(X, y)
        np.testing.assert_allclose(ours.covariance_, theirs.covariance_, rtol=1e-8, atol=1e-10)
        odds = [log_odds(model.decision_function(X)) for model in (ours, theirs)]
        np.testing.assert_allclose(*odds, rtol=1e-8, atol=1e-8)

    def test_shrunk_coefficients_solve_their_equation_to_the_last_digits(self):
        """Σ w = m_1 − m_0 with the covariance of breast cancer shrunk by Ledoit and Wolf, in 50 digits."""
        X, y = load_breast_cancer(return_X_y=True)
        ours = LinearDiscriminantAnalysis(shrinkage="auto").fit(X, y)
        with mpmath.workdps(50):
            difference = mpmath.matrix(list(ours.means_[1] - ours.means_[0]))
            solution = mpmath.lu_solve(mpmath.matrix(ours.covariance_.tolist()), difference)
        np.testing.assert_allclose(ours.coef_[0], [float(w) for w in solution], rtol=1e-10)

    def test_nothing_shrunk_is_nothing_made_up(self):
        """Two rows a class are mirror images about their mean, for which the formula's shrinkage is zero."""
        rng = np.random.default_rng(0)
        X, y = rng.normal(size=(20, 64)), np.repeat(np.arange(10), 2)
        plain, automatic = (LinearDiscriminantAnalysis(shrinkage=shrinkage).fit(X, y) for shrinkage in (None, "auto"))
        assert plain.rank_ == automatic.rank_ == 10
        np.testing.assert_allclose(automatic.predict_log_proba(X + 0.1), plain.predict_log_proba(X + 0.1), atol=1e-6)

    @pytest.mark.filterwarnings("ignore:Only one sample available")  # theirs
    def test_a_class_of_one_row_adds_nothing_to_the_spread(self):
        X, y = shared_covariance(n_classes=2)
        X, y = np.vstack([X, 5 + X[:1]]), np.append(y, 2)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ours = LinearDiscriminantAnalysis(shrinkage="auto").fit(X, y)
        theirs = SklearnLDA(solver="lsqr", shrinkage="auto").fit(X, y)
        np.testing.assert_allclose(ours.covariance_, theirs.covariance_, rtol=1e-10)

    def test_more_features_than_rows(self):
        X, y = shared_covariance(n=30, d=80, condition=3.0)
        ours = LinearDiscriminantAnalysis(shrinkage="auto").fit(X, y)
        theirs = SklearnLDA(solver="lsqr", shrinkage="auto").fit(X, y)
        np.testing.assert_allclose(ours.predict_log_proba(X), theirs.predict_log_proba(X), rtol=1e-8, atol=1e-8)

    @pytest.mark.parametrize("load", [load_iris, load_wine, load_digits])
    def test_same_directions(self, load):
        X, y = load(return_X_y=True)
        ours, theirs = LinearDiscriminantAnalysis(n_components=2).fit(X, y), SklearnLDA(n_components=2).fit(X, y)
        np.testing.assert_allclose(np.abs(ours.transform(X)), np.abs(theirs.transform(X)), rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(ours.explained_variance_ratio_, theirs.explained_variance_ratio_, rtol=1e-8)
        assert list(ours.get_feature_names_out()) == list(theirs.get_feature_names_out())

    def test_priors(self):
        X, y = load_wine(return_X_y=True)
        priors = [0.2, 0.5, 0.3]
        ours, theirs = LinearDiscriminantAnalysis(priors=priors).fit(X, y), SklearnLDA(priors=priors).fit(X, y)
        np.testing.assert_allclose(ours.predict_log_proba(X), theirs.predict_log_proba(X), rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-8)
        np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-8)


def exact_log_posterior(X, y, points):
    """log p(y | x) of maximum-likelihood LDA at the points, in rational arithmetic up to the logarithm."""
    X = [[Fraction(float(value)) for value in row] for row in X]
    n, d, classes = len(X), len(X[0]), np.unique(y)
    means = []
    for k in classes:
        rows = [row for row, label in zip(X, y) if label == k]
        means.append([sum(column) / len(rows) for column in zip(*rows)])
    centred = [[v - m for v, m in zip(row, means[int(np.searchsorted(classes, k))])] for row, k in zip(X, y)]
    covariance = [[sum(row[i] * row[j] for row in centred) / n for j in range(d)] for i in range(d)]
    found = []
    for point in points:
        point = [Fraction(float(value)) for value in point]
        joint = []
        for k, mean in zip(classes, means):
            # Gaussian elimination of [Σ | x − m]: with pivots U and right side c, the distance is Σ c_i² / U_ii.
            system = [covariance[i] + [point[i] - mean[i]] for i in range(d)]
            for i in range(d):
                for j in range(i + 1, d):
                    ratio = system[j][i] / system[i][i]
                    system[j] = [a - ratio * b for a, b in zip(system[j], system[i])]
            distance = sum(row[d] ** 2 / row[i] for i, row in enumerate(system))
            joint.append(
                mpmath.log(mpmath.mpf(int(np.sum(y == k))) / n)
                - mpmath.mpf(distance.numerator) / distance.denominator / 2
            )
        evidence = mpmath.log(sum(mpmath.exp(value) for value in joint))
        found.append([float(value - evidence) for value in joint])
    return np.array(found)


class TestNearlySingular:
    @pytest.mark.parametrize("condition", [1e1, 1e3, 1e5, 1e7, 1e9])
    def test_as_close_to_the_exact_posterior_as_the_condition_number_allows(self, condition):
        X, y = shared_covariance(n=20, d=3, n_classes=2, condition=condition, seed=3, spread=2.0)
        model = LinearDiscriminantAnalysis().fit(X, y)
        with mpmath.workdps(60):
            exact = exact_log_posterior(X, y, X[::3])
        np.testing.assert_allclose(
            model.predict_log_proba(X[::3]), exact, rtol=1e-12, atol=200 * np.finfo(float).eps * condition + 1e-13
        )

    def test_where_scikit_learns_solvers_are_nats_apart(self):
        """At 1e9 their svd drops the direction, their lsqr and eigen square the condition number away."""
        X, y = shared_covariance(n=20, d=3, n_classes=2, condition=1e9, seed=3, spread=2.0)
        with mpmath.workdps(60):
            exact = exact_log_posterior(X, y, X)
        found = {solver: SklearnLDA(solver=solver).fit(X, y).predict_log_proba(X) for solver in ("svd", "lsqr")}
        assert np.abs(found["svd"] - found["lsqr"]).max() > 1 or np.abs(found["svd"] - exact).max() > 1
        assert np.abs(LinearDiscriminantAnalysis().fit(X, y).predict_log_proba(X) - exact).max() < 1e-4

    def test_nearer_the_exact_answer_than_scikit_learn_where_a_large_offset_meets_a_small_spread(self):
        X, y = shared_covariance(n=100, d=3, condition=1000, offset=1e6)
        with mpmath.workdps(60):
            exact = exact_log_posterior(X, y, X[::5])
        models = LinearDiscriminantAnalysis().fit(X, y), SklearnLDA(tol=0).fit(X, y)
        ours, theirs = (np.abs(model.predict_log_proba(X[::5]) - exact).max() for model in models)
        assert ours < 1e-6
        assert ours < theirs

    def test_a_stream_keeps_the_digits_too(self):
        """The factor is merged by QR, never squared, so batches cost no more digits than all rows at once."""
        X, y = shared_covariance(n=300, d=3, n_classes=2, condition=1e6, seed=1)
        once = LinearDiscriminantAnalysis().fit(X, y)
        stream = LinearDiscriminantAnalysis()
        for rows in np.array_split(np.arange(len(X)), 20):
            stream.partial_fit(X[rows], y[rows], classes=[0, 1])
        np.testing.assert_allclose(stream.predict_log_proba(X), once.predict_log_proba(X), atol=1e-8, rtol=1e-8)

    def test_features_in_different_units(self):
        X, y = shared_covariance()
        units = np.array([1e-9, 1e9, 1.0, 1e-3, 1e6])
        plain = LinearDiscriminantAnalysis().fit(X, y).predict_log_proba(X)
        scaled = LinearDiscriminantAnalysis().fit(X * units, y).predict_log_proba(X * units)
        np.testing.assert_allclose(scaled, plain, rtol=1e-9, atol=1e-9)


class TestSingular:
    def test_constant_pixels_of_the_digits_carry_nothing(self):
        X, y = load_digits(return_X_y=True)
        varying = X.std(axis=0) > 0
        model, without = LinearDiscriminantAnalysis().fit(X, y), LinearDiscriminantAnalysis().fit(X[:, varying], y)
        assert model.rank_ == without.rank_ == 61
        np.testing.assert_allclose(
            model.predict_joint_log_proba(X), without.predict_joint_log_proba(X[:, varying]), rtol=1e-9
        )
        assert model.sample(5, random_state=0)[0][:, ~varying].tolist() == X[:5][:, ~varying].tolist()

    @pytest.mark.parametrize("offset", [0.0, 0.1, 1e6])
    def test_a_sum_of_other_features_changes_no_posterior(self, offset):
        X, y = shared_covariance(offset=offset)
        dependent = np.column_stack([X, X[:, 0] + 2 * X[:, 1]])
        model = LinearDiscriminantAnalysis().fit(dependent, y)
        assert model.rank_ == 5
        np.testing.assert_allclose(
            model.predict_log_proba(dependent),
            LinearDiscriminantAnalysis().fit(X, y).predict_log_proba(X),
            rtol=1e-6,
            atol=1e-6 if offset else 1e-10,
        )

    def test_a_feature_constant_in_every_class_has_no_density_and_is_left_out(self):
        X, y = shared_covariance()
        labelled = np.column_stack([X, np.array([0.1, 0.7, 0.3])[y]])  # no binary fractions: their sums are rounded
        without = LinearDiscriminantAnalysis().fit(X, y).predict_joint_log_proba(X)
        once, stream = LinearDiscriminantAnalysis().fit(labelled, y), LinearDiscriminantAnalysis()
        for rows in np.array_split(np.arange(len(X)), 7):
            stream.partial_fit(labelled[rows], y[rows], classes=[0, 1, 2])
        for model in (once, stream):
            assert model.rank_ == 5
            np.testing.assert_allclose(model.predict_joint_log_proba(labelled), without, rtol=1e-9)

    def test_density_on_the_span_is_scipys(self):
        X, y = shared_covariance()
        X = np.column_stack([X, X[:, 0] - X[:, 1]])
        model = LinearDiscriminantAnalysis().fit(X, y)
        points, _ = model.sample(20, random_state=0)
        for k in range(3):
            scipys = multivariate_normal(model.means_[k], model.covariance_, allow_singular=True)
            expected = np.log(model.priors_[k]) + scipys.logpdf(points)
            np.testing.assert_allclose(model.predict_joint_log_proba(points)[:, k], expected, rtol=1e-7)

    def test_fewer_rows_than_features_without_shrinkage(self):
        X, y = shared_covariance(n=10, d=40)
        model = LinearDiscriminantAnalysis().fit(X, y)
        assert model.rank_ == len(X) - 3
        assert np.isfinite(model.predict_joint_log_proba(X)).all()


class TestRulesOfProbability:
    def test_joint_is_prior_times_scipys_density(self):
        X, y = shared_covariance()
        model = LinearDiscriminantAnalysis().fit(X, y)
        within, _ = scatters(X, y)
        np.testing.assert_allclose(model.covariance_, within / len(X), rtol=1e-12, atol=1e-15)
        for k in range(3):
            density = multivariate_normal(X[y == k].mean(axis=0), within / len(X))
            expected = np.log(np.mean(y == k)) + density.logpdf(X)
            np.testing.assert_allclose(model.predict_joint_log_proba(X)[:, k], expected, rtol=1e-10)

    def test_p_of_x_integrates_to_one(self):
        X, y = shared_covariance(d=2)
        model = LinearDiscriminantAnalysis().fit(X, y)
        axis = np.linspace(-12, 12, 1201)
        grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
        assert np.exp(model.score_samples(grid)).sum() * (axis[1] - axis[0]) ** 2 == pytest.approx(1.0, abs=1e-9)

    @pytest.mark.parametrize("n_classes", [2, 3])
    def test_log_odds_are_linear_and_the_same_by_every_road(self, n_classes):
        X, y = shared_covariance(n_classes=n_classes)
        model = LinearDiscriminantAnalysis().fit(X, y)
        posterior, joint = model.predict_log_proba(X), model.predict_joint_log_proba(X)
        odds = posterior[:, 1] - posterior[:, 0]
        np.testing.assert_allclose(odds, joint[:, 1] - joint[:, 0], rtol=1e-9, atol=1e-10)
        by_hand = X @ model.coef_.T + model.intercept_
        decision = by_hand[:, 0] if n_classes == 2 else by_hand[:, 1] - by_hand[:, 0]
        np.testing.assert_allclose(odds, decision, rtol=1e-9, atol=1e-10)
        np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)
        np.testing.assert_array_equal(model.predict(X), posterior.argmax(axis=1))

    def test_tails_stay_finite(self):
        X, y = shared_covariance()
        far = LinearDiscriminantAnalysis().fit(X, y).predict_log_proba(X * 1e6)
        assert np.isfinite(far).all()
        assert far.min() < -1e5

    def test_does_not_change_its_input(self):
        X, y = shared_covariance()
        before = X.copy()
        LinearDiscriminantAnalysis().fit(X, y).predict_joint_log_proba(X)
        np.testing.assert_array_equal(X, before)


class TestFisher:
    def test_directions_solve_the_generalised_eigenproblem(self):
        X, y = load_wine(return_X_y=True)
        model = LinearDiscriminantAnalysis().fit(X, y)
        within, between = scatters(X, y)
        np.testing.assert_allclose(model.eigenvalues_, eigh(between, within, eigvals_only=True)[:-3:-1], rtol=1e-9)
        for w, value in zip(model.scalings_.T, model.eigenvalues_):
            assert (w @ between @ w) / (w @ within @ w) == pytest.approx(value, rel=1e-9)

    def test_of_two_classes_the_direction_is_that_of_the_means_whitened(self):
        X, y = load_breast_cancer(return_X_y=True)
        model = LinearDiscriminantAnalysis().fit(X, y)
        within, _ = scatters(X, y)
        w = np.linalg.solve(within, model.means_[1] - model.means_[0])
        for found in (model.scalings_[:, 0], model.coef_[0]):
            np.testing.assert_allclose(
                found / np.linalg.norm(found), w / np.linalg.norm(w) * np.sign(found @ w), rtol=1e-5
            )

    def test_with_one_feature_the_eigenvalue_is_that_of_anova(self):
        """λ = F (K − 1) / (n − K)."""
        X, y = load_iris(return_X_y=True)
        for j, f in enumerate(f_classif(X, y)[0]):
            model = LinearDiscriminantAnalysis().fit(X[:, [j]], y)
            assert model.eigenvalues_[0] == pytest.approx(f * (3 - 1) / (len(X) - 3), rel=1e-10)

    def test_with_several_they_give_wilks_lambda(self):
        """Π 1/(1 + λ) = |S_w| / |S_w + S_b|."""
        X, y = load_iris(return_X_y=True)
        model = LinearDiscriminantAnalysis().fit(X, y)
        within, between = scatters(X, y)
        wilks = np.linalg.det(within) / np.linalg.det(within + between)
        assert np.prod(1 / (1 + model.eigenvalues_)) == pytest.approx(wilks, rel=1e-9)

    def test_within_a_class_the_projection_is_white(self):
        X, y = load_digits(return_X_y=True)
        model = LinearDiscriminantAnalysis().fit(X, y)
        within, between = scatters(model.transform(X), y)
        np.testing.assert_allclose(within / len(X), np.eye(9), atol=1e-10)
        np.testing.assert_allclose(between / len(X), np.diag(model.eigenvalues_), atol=1e-9)
        np.testing.assert_allclose(model.transform(X).mean(axis=0), 0, atol=1e-10)

    def test_sign_does_not_depend_on_the_order_of_the_rows(self):
        X, y = load_wine(return_X_y=True)
        order = np.random.default_rng(0).permutation(len(X))
        one, other = (LinearDiscriminantAnalysis().fit(X[rows], y[rows]) for rows in (np.arange(len(X)), order))
        np.testing.assert_allclose(one.scalings_, other.scalings_, rtol=1e-8)
        assert np.all(one.scalings_[np.abs(one.scalings_).argmax(axis=0), [0, 1]] > 0)

    def test_no_difference_between_the_means(self):
        X = np.array([[-1.0, 0.5], [1.0, -0.5], [-2.0, 0.0], [2.0, 0.0]])
        model = LinearDiscriminantAnalysis().fit(np.vstack([X, X]), np.repeat([0, 1], 4))
        assert model.eigenvalues_ == pytest.approx([0.0], abs=1e-30)
        np.testing.assert_allclose(model.predict_proba(X), 0.5)


class TestStream:
    @given(st.data())
    def test_any_batches_in_any_order_give_the_same_model(self, data):
        n_classes, offset = data.draw(st.integers(2, 4)), data.draw(st.sampled_from([0.0, 1e3]))
        X, y = shared_covariance(seed=data.draw(st.integers(0, 50)), n=80, d=3, n_classes=n_classes, offset=offset)
        order = np.random.default_rng(data.draw(st.integers(0, 50))).permutation(len(X))
        cuts = sorted(data.draw(st.lists(st.integers(1, len(X) - 1), max_size=6, unique=True)))
        once, stream = LinearDiscriminantAnalysis().fit(X, y), LinearDiscriminantAnalysis()
        for rows in np.split(order, cuts):
            stream.partial_fit(X[rows], y[rows], classes=range(n_classes))
        np.testing.assert_allclose(stream.means_, once.means_, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(stream.covariance_, once.covariance_, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(
            stream.predict_joint_log_proba(X), once.predict_joint_log_proba(X), atol=1e-8, rtol=1e-8
        )

    def test_more_rows_than_a_block(self):
        """Blocks inside one fit are merged as batches are; row by row is the same."""
        X, y = shared_covariance(n=30_000, d=10)
        model = LinearDiscriminantAnalysis().fit(X, y)
        within, _ = scatters(X, y)
        np.testing.assert_allclose(model.covariance_, within / len(X), rtol=1e-10, atol=1e-13)
        one_by_one = np.vstack([model.predict_joint_log_proba(x[None]) for x in X[26_200:26_230]])
        np.testing.assert_allclose(model.predict_joint_log_proba(X)[26_200:26_230], one_by_one, rtol=1e-12)

    def test_classes_not_seen_yet(self):
        X, y = shared_covariance()
        model = LinearDiscriminantAnalysis().partial_fit(X[y < 2], y[y < 2], classes=[0, 1, 2])
        assert np.all(model.predict_proba(X)[:, 2] == 0)
        believed = LinearDiscriminantAnalysis(priors=[0.2, 0.2, 0.6]).partial_fit(X[y < 2], y[y < 2], classes=[0, 1, 2])
        assert np.all(believed.predict_proba(X)[:, 2] == 0)
        np.testing.assert_allclose(
            model.predict_proba(X)[:, :2],
            LinearDiscriminantAnalysis().fit(X[y < 2], y[y < 2]).predict_proba(X),
            rtol=1e-9,
        )
        model.partial_fit(X[y == 2], y[y == 2])
        np.testing.assert_allclose(
            model.predict_log_proba(X), LinearDiscriminantAnalysis().fit(X, y).predict_log_proba(X), rtol=1e-8
        )

    def test_starts_with_a_single_row_and_goes_on_after_fit(self):
        X, y = shared_covariance()
        model = LinearDiscriminantAnalysis(shrinkage=0.2).partial_fit(X[:1], y[:1], classes=[0, 1, 2])
        assert model.rank_ == 0
        assert np.all(model.predict(X) == y[0])
        model.fit(X[:100], y[:100])
        model.partial_fit(X[100:], y[100:])
        once = LinearDiscriminantAnalysis(shrinkage=0.2).fit(X, y)
        np.testing.assert_allclose(model.predict_log_proba(X), once.predict_log_proba(X), rtol=1e-8)

    @pytest.mark.slow
    def test_ten_million_rows_in_constant_memory(self):
        """d = 6; the rows are drawn batch by batch, and again all at once for the one-shot fit."""
        batches, rows, d = 100, 100_000, 6

        def batch(i):
            rng = np.random.default_rng([7, i])
            y = rng.integers(3, size=rows)
            return rng.standard_normal((rows, d)) @ np.tri(d) + y[:, None] + 50.0, y

        stream, peaks = LinearDiscriminantAnalysis(), []
        tracemalloc.start()
        for i in range(batches):
            X, y = batch(i)
            stream.partial_fit(X, y, classes=[0, 1, 2])
            if i in {9, batches - 1}:
                peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert peaks[1] < 1.05 * peaks[0] < 60e6
        X, y = np.empty((batches * rows, d)), np.empty(batches * rows, dtype=int)
        for i in range(batches):
            X[i * rows : (i + 1) * rows], y[i * rows : (i + 1) * rows] = batch(i)
        once = LinearDiscriminantAnalysis().fit(X, y)
        np.testing.assert_allclose(stream.means_, once.means_, rtol=1e-10)
        np.testing.assert_allclose(stream.covariance_, once.covariance_, rtol=1e-8)
        np.testing.assert_allclose(
            stream.predict_log_proba(X[:1000]), once.predict_log_proba(X[:1000]), rtol=1e-8, atol=1e-8
        )


class TestInvariance:
    def test_order_of_the_rows(self):
        X, y = shared_covariance(n=3000, offset=100.0)
        order = np.random.default_rng(0).permutation(len(X))
        one, other = LinearDiscriminantAnalysis().fit(X, y), LinearDiscriminantAnalysis().fit(X[order], y[order])
        np.testing.assert_allclose(one.predict_log_proba(X), other.predict_log_proba(X), atol=1e-9, rtol=1e-9)

    @pytest.mark.parametrize("offset", [1e3, 1e6, -1e6])
    def test_offset(self, offset):
        X, y = shared_covariance()
        X = np.round(X * 2**20) / 2**20  # so that adding the offset is exact
        one, other = LinearDiscriminantAnalysis().fit(X, y), LinearDiscriminantAnalysis().fit(X + offset, y)
        expected = one.predict_joint_log_proba(X)
        np.testing.assert_allclose(other.predict_joint_log_proba(X + offset), expected, rtol=1e-7, atol=1e-7)
        np.testing.assert_allclose(other.transform(X + offset), one.transform(X), rtol=1e-7, atol=1e-7)


class TestSample:
    def test_moments_and_class_shares(self):
        X, y = shared_covariance()
        model = LinearDiscriminantAnalysis(priors=[0.2, 0.3, 0.5]).fit(X, y)
        samples, labels = model.sample(200_000, random_state=0)
        np.testing.assert_allclose(np.bincount(labels) / len(labels), [0.2, 0.3, 0.5], atol=0.005)
        for k in range(3):
            np.testing.assert_allclose(samples[labels == k].mean(axis=0), model.means_[k], atol=0.02)
            np.testing.assert_allclose(np.cov(samples[labels == k].T), model.covariance_, atol=0.02)

    def test_refitting_to_its_own_samples_returns_the_model(self):
        X, y = load_iris(return_X_y=True)
        model = LinearDiscriminantAnalysis().fit(X, y)
        again = LinearDiscriminantAnalysis().fit(*model.sample(300_000, random_state=1))
        np.testing.assert_allclose(again.means_, model.means_, atol=0.01)
        np.testing.assert_allclose(again.covariance_, model.covariance_, atol=0.01)


class TestErrors:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"shrinkage": 1.5}, r"shrinkage must be None, 'auto' or in \[0, 1\]; got 1.5"),
            ({"shrinkage": "ledoit"}, "got 'ledoit'"),
            ({"n_components": 3}, r"n_components cannot be larger than .* = 2.*got 3"),
            ({"n_components": 0}, "nor less than one; got 0"),
            ({"priors": [0.5, 0.5]}, "one number for each of 3 classes"),
            ({"priors": [0.9, 0.9, -0.8]}, "non-negative and sum to one"),
        ],
    )
    def test_bad_parameters_are_named(self, options, message):
        with pytest.raises(ValueError, match=message):
            LinearDiscriminantAnalysis(**options).fit(*shared_covariance())

    def test_data_driven_shrinkage_cannot_be_streamed(self):
        X, y = shared_covariance()
        with pytest.raises(ValueError, match="shrinkage='auto' needs all rows at once"):
            LinearDiscriminantAnalysis(shrinkage="auto").partial_fit(X, y, classes=[0, 1, 2])

    def test_classes(self):
        X, y = shared_covariance()
        with pytest.raises(ValueError, match="at least two classes"):
            LinearDiscriminantAnalysis().fit(X, np.zeros(len(X)))
        with pytest.raises(ValueError, match="classes must be passed on the first call"):
            LinearDiscriminantAnalysis().partial_fit(X, y)
        with pytest.raises(ValueError, match=r"target label\(s\) \[2\] in y do not exist"):
            LinearDiscriminantAnalysis().partial_fit(X, y, classes=[0, 1])
        model = LinearDiscriminantAnalysis().partial_fit(X, y, classes=[0, 1, 2])
        with pytest.raises(ValueError, match="is not the same as on last call"):
            model.partial_fit(X, y, classes=[0, 1, 2, 3])
        with pytest.raises(ValueError, match="number of samples must be more than"):
            LinearDiscriminantAnalysis().fit(X[:2], [0, 1])

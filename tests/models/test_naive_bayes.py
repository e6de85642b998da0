"""The three naive Bayes models: against scikit-learn's, exact arithmetic, enumeration, and the rules of probability."""

import tracemalloc
from fractions import Fraction
from itertools import product
from math import factorial

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csc_array, csr_array, csr_matrix
from scipy.stats import beta, norm
from sklearn import naive_bayes as sklearns
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.utils.estimator_checks import parametrize_with_checks

from course_utils.models.gaussian import QuadraticDiscriminantAnalysis
from course_utils.models.naive_bayes import BernoulliNB, GaussianNB, MultinomialNB

ALL = [GaussianNB, MultinomialNB, BernoulliNB]
COUNTING = [MultinomialNB, BernoulliNB]


@parametrize_with_checks([GaussianNB(), MultinomialNB(), BernoulliNB()])
def test_is_a_scikit_learn_estimator(estimator, check):
    check(estimator)


def peer(model):
    """scikit-learn's estimator of that name and parameters."""
    return getattr(sklearns, type(model).__name__)(**model.get_params())


def documents(seed=0, n=200, d=30, n_classes=3, length=20):
    """Counts of words, (n, d), with class-dependent probabilities, and the classes."""
    rng = np.random.default_rng(seed)
    theta = rng.dirichlet(np.full(d, 0.5), size=n_classes)
    y = np.concatenate([np.arange(n_classes), rng.integers(n_classes, size=n - n_classes)])
    return np.stack([rng.multinomial(length, theta[k]) for k in y]), y


def gaussian_rows(seed=0, n=600, d=5, n_classes=3, condition=10.0, offset=0.0):
    """Independent features, the largest standard deviation ``condition`` times the least."""
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.arange(n_classes), np.arange(n_classes), rng.integers(n_classes, size=n)])
    deviations = np.geomspace(1, 1 / condition, d) * rng.uniform(0.5, 2, size=(n_classes, d))
    means = rng.normal(size=(n_classes, d)) * np.geomspace(1, 1 / condition, d)
    return means[y] + rng.normal(size=(len(y), d)) * deviations[y] + offset, y


class TestAgainstScikitLearn:
    @pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_digits])
    @pytest.mark.parametrize("model", [GaussianNB(), MultinomialNB(), BernoulliNB(binarize=4.0, alpha=0.3)], ids=str)
    @pytest.mark.parametrize("weighted", [False, True])
    def test_same_joint_on_real_data(self, load, model, weighted):
        X, y = load(return_X_y=True)
        weights = np.random.default_rng(0).uniform(size=len(X)) if weighted else None
        theirs = peer(model)
        if weighted and isinstance(model, GaussianNB):  # theirs smooths by the variance of the rows without weights
            model, theirs = GaussianNB(var_smoothing=0), sklearns.GaussianNB(var_smoothing=0)
            X = X + np.random.default_rng(1).normal(scale=0.1, size=X.shape)  # digits have constant pixels
        model, theirs = model.fit(X, y, weights), theirs.fit(X, y, weights)
        np.testing.assert_allclose(
            model.predict_joint_log_proba(X), theirs.predict_joint_log_proba(X), rtol=1e-8, atol=1e-8
        )
        np.testing.assert_allclose(model.predict_log_proba(X), theirs.predict_log_proba(X), rtol=1e-8, atol=1e-8)
        assert np.mean(model.predict(X) == theirs.predict(X)) > 0.999

    @pytest.mark.parametrize(
        ("condition", "offset", "tolerance"),
        [
            (1, 0, 1e-8),
            (30, 0, 1e-8),
            (1000, 0, 1e-8),
            (1, 1e4, 1e-8),
            (30, 1e4, 1e-8),
            (1, 1e6, 1e-6),
            (30, 1e6, 1e-6),
        ],
    )
    def test_gaussian_at_an_offset(self, condition, offset, tolerance):
        X, y = gaussian_rows(condition=condition, offset=offset)
        model = GaussianNB(var_smoothing=0).fit(X, y)
        np.testing.assert_allclose(
            model.predict_log_proba(X), peer(model).fit(X, y).predict_log_proba(X), rtol=tolerance, atol=tolerance
        )

    @pytest.mark.parametrize(
        "model",
        [
            GaussianNB(priors=[0.2, 0.3, 0.5]),
            MultinomialNB(class_prior=[0.2, 0.3, 0.5]),
            MultinomialNB(fit_prior=False),
            MultinomialNB(alpha=np.linspace(0.1, 2, 30)),
            BernoulliNB(class_prior=[0.2, 0.3, 0.5], fit_prior=False),
            BernoulliNB(binarize=None, alpha=0.01),
        ],
        ids=str,
    )
    def test_parameters(self, model):
        X, y = documents()
        if isinstance(model, BernoulliNB):
            X = np.minimum(X, 1)
        theirs = peer(model).fit(X, y)
        np.testing.assert_allclose(
            model.fit(X, y).predict_joint_log_proba(X), theirs.predict_joint_log_proba(X), rtol=1e-10, atol=1e-10
        )

    @pytest.mark.parametrize("name", ["theta_", "var_", "class_prior_", "class_count_", "epsilon_"])
    def test_gaussian_attributes(self, name):
        X, y = load_wine(return_X_y=True)
        np.testing.assert_allclose(
            getattr(GaussianNB().fit(X, y), name), getattr(sklearns.GaussianNB().fit(X, y), name), rtol=1e-10
        )

    @pytest.mark.parametrize("name", ["feature_count_", "feature_log_prob_", "class_log_prior_", "class_count_"])
    @pytest.mark.parametrize("model", [MultinomialNB(), BernoulliNB()], ids=str)
    def test_counting_attributes(self, model, name):
        X, y = documents()
        np.testing.assert_allclose(getattr(model.fit(X, y), name), getattr(peer(model).fit(X, y), name), rtol=1e-12)

    @pytest.mark.parametrize("container", [csr_array, csr_matrix, csc_array])
    @pytest.mark.parametrize("model", [MultinomialNB(), BernoulliNB(), BernoulliNB(binarize=1.0)], ids=str)
    @pytest.mark.parametrize("weighted", [False, True])
    def test_sparse_is_dense(self, container, model, weighted):
        X, y = documents()
        weights = np.random.default_rng(0).uniform(size=len(X)) if weighted else None
        dense = model.fit(X, y, weights).predict_joint_log_proba(X)
        sparse = model.fit(container(X), y, weights).predict_joint_log_proba(container(X))
        np.testing.assert_allclose(sparse, dense, rtol=1e-12)


def exact_joint(X, y, points):
    """log p(x, y) of maximum-likelihood Gaussian naive Bayes at the points, in rational arithmetic but for the logs."""

    def mp(fraction):
        return mpmath.mpf(fraction.numerator) / fraction.denominator

    def fractions(rows):
        return [[Fraction(float(value)) for value in row] for row in rows]

    joint = np.empty((len(points), len(np.unique(y))))
    for k in range(joint.shape[1]):
        columns = list(zip(*fractions(X[y == k])))
        means = [sum(c) / len(c) for c in columns]
        variances = [sum((v - m) ** 2 for v in c) / len(c) for c, m in zip(columns, means)]
        with mpmath.workdps(40):
            constant = mpmath.log(mpmath.mpf(len(columns[0])) / len(X))
            constant -= sum(mpmath.log(2 * mpmath.pi * mp(v)) for v in variances) / 2
            for i, x in enumerate(fractions(points)):
                distance = sum((a - m) ** 2 / v for a, m, v in zip(x, means, variances))
                joint[i, k] = float(constant - mp(distance) / 2)
    return joint


class TestGaussian:
    def test_joint_is_prior_times_the_densities_of_the_features(self):
        X, y = gaussian_rows()
        model = GaussianNB(var_smoothing=0).fit(X, y)
        for k in range(3):
            rows = X[y == k]
            expected = np.log(len(rows) / len(X)) + norm(rows.mean(0), rows.std(0)).logpdf(X).sum(axis=1)
            np.testing.assert_allclose(model.predict_joint_log_proba(X)[:, k], expected, rtol=1e-10)

    def test_is_quadratic_discriminant_analysis_with_diagonal_covariances(self):
        """Of features exactly uncorrelated in each class: columns of a Hadamard matrix."""
        hadamard = np.array([[1]])
        for _ in range(6):
            hadamard = np.block([[hadamard, hadamard], [hadamard, -hadamard]])
        rng = np.random.default_rng(1)
        X = np.vstack([hadamard[:, 1:6] * rng.uniform(0.5, 2, size=5) + rng.normal(size=5) for _ in range(2)])
        y = np.repeat([0, 1], 64)
        np.testing.assert_allclose(
            GaussianNB(var_smoothing=0).fit(X, y).predict_log_proba(X),
            QuadraticDiscriminantAnalysis().fit(X, y).predict_log_proba(X),
            rtol=1e-9,
            atol=1e-9,
        )

    def test_log_odds_are_linear_if_the_variances_are_equal_and_quadratic_else(self):
        X, y = gaussian_rows(n_classes=2)
        model = GaussianNB().fit(X, y)
        line = X[:1] + np.linspace(-3, 3, 7)[:, None] * np.random.default_rng(0).normal(size=5)

        def differences(order):
            joint = model.predict_joint_log_proba(line)
            return np.abs(np.diff(joint[:, 1] - joint[:, 0], order)).max()

        assert differences(2) > 0.1
        assert differences(3) < 1e-9
        model.var_[1] = model.var_[0]
        assert differences(2) < 1e-9

    def test_small_variances_keep_their_digits(self):
        """A class of standard deviation 1e-6 seen from one of 1: products of matrices would lose 12 of 16 digits."""
        rng = np.random.default_rng(0)
        y = np.repeat([0, 1], 20)
        X = rng.normal(size=(40, 2)) * np.where(y == 0, 1.0, 1e-6)[:, None] + 3.0
        model = GaussianNB(var_smoothing=0).fit(X, y)
        np.testing.assert_allclose(model.predict_joint_log_proba(X[::5]), exact_joint(X, y, X[::5]), rtol=1e-9)

    def test_nearer_the_exact_answer_than_scikit_learn_where_a_large_offset_meets_a_small_spread(self):
        X, y = gaussian_rows(n=100, condition=1000, offset=1e6)
        exact = exact_joint(X, y, X[::5])
        model = GaussianNB(var_smoothing=0).fit(X, y)
        ours, theirs = (np.abs(m.predict_joint_log_proba(X[::5]) - exact).max() for m in (model, peer(model).fit(X, y)))
        assert ours < 1e-6
        assert ours < theirs

    def test_a_constant_feature_without_smoothing_is_named(self):
        X, y = gaussian_rows()
        X[y == 1, 3] = 0.1
        model = GaussianNB(var_smoothing=0).fit(X, y)
        with pytest.raises(ValueError, match="feature 3 is constant in class 1.*var_smoothing a value above 0"):
            model.predict(X)
        assert GaussianNB().fit(X, y).score(X, y) > 0.5

    def test_smoothing_is_a_share_of_the_largest_variance_of_all_rows(self):
        X, y = gaussian_rows(offset=1e3)
        model, plain = GaussianNB(var_smoothing=0.1).fit(X, y), GaussianNB(var_smoothing=0).fit(X, y)
        assert model.epsilon_ == pytest.approx(0.1 * X.var(axis=0).max())
        np.testing.assert_allclose(model.var_, plain.var_ + model.epsilon_, rtol=1e-12)

    def test_offset_and_order_do_not_matter(self):
        X, y = gaussian_rows(n=3000)
        X = np.round(X * 2**20) / 2**20
        order = np.random.default_rng(0).permutation(len(X))
        expected = GaussianNB().fit(X, y).predict_joint_log_proba(X)
        moved = GaussianNB().fit(X + 1e6, y).predict_joint_log_proba(X + 1e6)
        np.testing.assert_allclose(moved, expected, rtol=1e-7, atol=1e-7)
        shuffled = GaussianNB().fit(X[order], y[order]).predict_joint_log_proba(X)
        np.testing.assert_allclose(shuffled, expected, rtol=1e-11)


class TestMultinomial:
    def test_p_of_x_sums_to_one_over_the_sequences_of_a_length(self):
        X, y = documents(d=3)
        model = MultinomialNB(alpha=0.5).fit(X, y)
        sequences = np.array(list(product(range(3), repeat=5)))
        counts = np.stack([(sequences == j).sum(axis=1) for j in range(3)], axis=1)
        assert np.exp(model.score_samples(counts)).sum() == pytest.approx(1.0, abs=1e-12)

    def test_and_with_the_number_of_orders_over_the_bags(self):
        X, y = documents(d=3)
        model = MultinomialNB().fit(X, y)
        bags = np.array([(a, b, 6 - a - b) for a in range(7) for b in range(7 - a)])
        orders = [factorial(6) / np.prod([factorial(c) for c in bag]) for bag in bags]
        assert np.sum(np.exp(model.score_samples(bags)) * orders) == pytest.approx(1.0, abs=1e-12)

    def test_alpha_is_the_posterior_mean_and_one_less_the_mode(self):
        """With two words Dirichlet(α, α) is Beta(α, α), and its posterior Beta(N_1 + α, N_2 + α)."""
        X, y = np.array([[7, 2], [1, 1], [0, 3]]), [0, 0, 1]
        for alpha in (0.5, 1.0, 3.0):
            theta = np.exp(MultinomialNB(alpha=alpha).fit(X, y).feature_log_prob_)
            np.testing.assert_allclose(theta.sum(axis=1), 1.0)
            grid = np.linspace(1e-6, 1 - 1e-6, 200_001)
            for k, (a, b) in enumerate([(8, 3), (0, 3)]):
                assert theta[k, 0] == pytest.approx(beta(a + alpha, b + alpha).mean(), rel=1e-12)
                mode = grid[beta(a + alpha + 1, b + alpha + 1).logpdf(grid).argmax()]
                assert theta[k, 0] == pytest.approx(mode, abs=1e-5)

    def test_alpha_zero_is_maximum_likelihood_and_exact(self):
        X, y = np.array([[3, 1, 0], [1, 0, 0], [0, 2, 2]]), [0, 0, 1]
        model = MultinomialNB(alpha=0).fit(X, y)
        np.testing.assert_allclose(np.exp(model.feature_log_prob_), [[4 / 5, 1 / 5, 0], [0, 1 / 2, 1 / 2]])
        found = np.exp(model.predict_joint_log_proba([[0, 2, 0], [1, 1, 0], [0, 0, 1], [1, 0, 1]]))
        expected = [[2 / 3 / 25, 1 / 3 / 4], [2 / 3 * 4 / 25, 0], [0, 1 / 3 / 2], [0, 0]]
        np.testing.assert_allclose(found, expected)
        np.testing.assert_array_equal(model.predict_proba([[1, 1, 0], [0, 0, 1]]), [[1, 0], [0, 1]])
        sparse = np.exp(model.predict_joint_log_proba(csr_array([[0, 2, 0], [1, 1, 0], [0, 0, 1], [1, 0, 1]])))
        np.testing.assert_allclose(sparse, expected)
        assert np.isnan(model.predict_proba([[1, 0, 1]])).all()  # impossible in both classes: no posterior
        assert model.score_samples([[1, 0, 1]]) == -np.inf

    def test_the_values_of_scikit_learns_test_of_alpha(self):
        """Those of test_alpha and test_alpha_vector, which stand on our list as they need force_alpha."""
        X, y = [[1, 0], [1, 1]], [0, 1]
        np.testing.assert_allclose(MultinomialNB(alpha=0).fit(X, y).predict_proba(X), [[2 / 3, 1 / 3], [0, 1]])
        np.testing.assert_allclose(BernoulliNB(alpha=0).fit(X, y).predict_proba(X), [[1, 0], [0, 1]], atol=1e-12)
        model = MultinomialNB(alpha=[1, 2]).fit(X, y)
        np.testing.assert_allclose(np.exp(model.feature_log_prob_), [[1 / 2, 1 / 2], [2 / 5, 3 / 5]])
        np.testing.assert_allclose(model.predict_proba(X), [[5 / 9, 4 / 9], [25 / 49, 24 / 49]])

    def test_sample_has_the_length_and_the_probabilities(self):
        X, y = documents(d=6)
        model = MultinomialNB().fit(X, y)
        samples, labels = model.sample(20_000, random_state=0, length=7)
        np.testing.assert_array_equal(samples.sum(axis=1), 7)
        for k in range(3):
            np.testing.assert_allclose(
                samples[labels == k].mean(axis=0) / 7, np.exp(model.feature_log_prob_[k]), atol=0.01
            )
        np.testing.assert_array_equal(model.sample(5, random_state=0)[0].sum(axis=1), 20)

    def test_negative_counts_are_refused(self):
        X, y = documents()
        with pytest.raises(ValueError, match="Negative values in data passed to MultinomialNB"):
            MultinomialNB().fit(-X, y)
        with pytest.raises(ValueError, match="Negative values in data passed to MultinomialNB"):
            MultinomialNB().partial_fit(csr_array(-X), y, classes=range(3))


class TestBernoulli:
    @pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
    def test_p_of_x_sums_to_one(self, alpha):
        X, y = documents(d=6, length=3)
        model = BernoulliNB(alpha=alpha).fit(X, y)
        everything = np.array(list(product([0, 1], repeat=6)))
        assert np.exp(model.score_samples(everything)).sum() == pytest.approx(1.0, abs=1e-12)

    def test_alpha_zero_is_exact_for_what_never_and_what_always_comes(self):
        X, y = np.array([[1, 0, 1], [1, 1, 0], [0, 0, 1]]), [0, 0, 1]
        model = BernoulliNB(alpha=0).fit(X, y)
        points = [[1, 0, 1], [0, 0, 1], [1, 1, 1]]
        expected = [[2 / 3 * 1 / 4, 0], [0, 1 / 3], [2 / 3 * 1 / 4, 0]]
        np.testing.assert_allclose(np.exp(model.predict_joint_log_proba(points)), expected)
        np.testing.assert_allclose(np.exp(model.predict_joint_log_proba(csr_array(points))), expected)

    def test_a_probability_close_to_one_keeps_its_complement(self):
        """log(1 − θ) from the counts, not from 1 − exp(log θ): θ = 1 − 1e-13 would keep three digits of it."""
        X, y = np.array([[1.0], [0.0]]), [0, 1]
        model = BernoulliNB(alpha=1e-13).fit(X, y)
        expected = np.log(0.5) + np.log(1e-13) - np.log1p(2e-13)
        assert model.predict_joint_log_proba([[0.0]])[0, 0] == pytest.approx(expected, rel=1e-12)

    def test_sample(self):
        X, y = documents(d=6, length=3)
        model = BernoulliNB().fit(X, y)
        samples, labels = model.sample(50_000, random_state=0)
        assert set(np.unique(samples)) == {0.0, 1.0}
        for k in range(3):
            np.testing.assert_allclose(samples[labels == k].mean(axis=0), np.exp(model.feature_log_prob_[k]), atol=0.02)

    def test_binarize_none_takes_zeros_and_ones_only(self):
        X, y = documents()
        for data in (X, csr_array(X)):
            with pytest.raises(ValueError, match="X must hold only zeros and ones if binarize is None"):
                BernoulliNB(binarize=None).fit(data, y)


class TestLinear:
    @pytest.mark.parametrize("model", [MultinomialNB(), BernoulliNB(binarize=None)], ids=str)
    def test_log_odds_of_counts_are_linear_in_x(self, model):
        X = np.minimum(documents(n_classes=2)[0], 1)
        y = documents(n_classes=2)[1]
        joint = model.fit(X, y).predict_joint_log_proba(X)
        design = np.column_stack([X, np.ones(len(X))])
        residual = np.linalg.lstsq(design, joint[:, 1] - joint[:, 0])[1]
        assert residual.sum() < 1e-18


class TestStream:
    @given(st.data())
    def test_any_batches_in_any_order_give_the_same_model(self, data):
        model = data.draw(
            st.sampled_from([GaussianNB(), GaussianNB(var_smoothing=0.1), MultinomialNB(), BernoulliNB()])
        )
        gaussian = isinstance(model, GaussianNB)
        X, y = (gaussian_rows if gaussian else documents)(n=80, seed=data.draw(st.integers(0, 50)))
        rng = np.random.default_rng(data.draw(st.integers(0, 50)))
        weights = rng.uniform(0.1, 2, size=len(X)) if data.draw(st.booleans()) else None
        order = rng.permutation(len(X))
        cuts = sorted(data.draw(st.lists(st.integers(1, len(X) - 1), max_size=6, unique=True)))
        stream = type(model)(**model.get_params())
        for rows in np.split(order, cuts):
            stream.partial_fit(X[rows], y[rows], range(3), None if weights is None else weights[rows])
        once = model.fit(X, y, weights)
        np.testing.assert_allclose(
            stream.predict_joint_log_proba(X), once.predict_joint_log_proba(X), rtol=1e-9, atol=1e-9
        )

    def test_more_rows_than_a_block(self):
        X, y = gaussian_rows(n=60_000)
        weights = np.random.default_rng(0).integers(0, 3, size=len(X))
        for w in (None, weights):
            model = GaussianNB(var_smoothing=0).fit(X, y, w)
            for k in range(3):
                rows = X[y == k] if w is None else np.repeat(X[y == k], w[y == k], axis=0)
                np.testing.assert_allclose(model.theta_[k], rows.mean(axis=0), rtol=1e-10, atol=1e-13)
                np.testing.assert_allclose(model.var_[k], rows.var(axis=0), rtol=1e-10)

    @pytest.mark.parametrize("make", ALL)
    def test_classes_not_seen_yet(self, make):
        X, y = documents()
        model = make().partial_fit(X[y < 2], y[y < 2], classes=[0, 1, 2])
        assert np.all(model.predict_proba(X)[:, 2] == 0)
        model.partial_fit(X[y == 2], y[y == 2])
        np.testing.assert_allclose(model.predict_log_proba(X), make().fit(X, y).predict_log_proba(X), rtol=1e-8)

    def test_a_believed_class_without_rows_has_no_density(self):
        X, y = documents()
        model = GaussianNB(priors=[0.2, 0.2, 0.6]).partial_fit(X[y < 2], y[y < 2], classes=[0, 1, 2])
        assert np.all(model.predict_proba(X)[:, 2] == 0)

    @pytest.mark.parametrize("make", ALL)
    def test_weights_count_rows(self, make):
        X, y = documents()
        weights = np.random.default_rng(0).integers(0, 4, size=len(X))
        weighted, repeated = make().fit(X, y, weights), make().fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
        np.testing.assert_allclose(weighted.predict_joint_log_proba(X), repeated.predict_joint_log_proba(X), rtol=1e-9)

    @pytest.mark.slow
    def test_ten_million_rows_in_constant_memory(self):
        """d = 6; the rows are drawn batch by batch, and again all at once for the one-shot fit."""
        batches, rows, d = 100, 100_000, 6

        def batch(i):
            rng = np.random.default_rng([7, i])
            y = rng.integers(3, size=rows)
            return rng.standard_normal((rows, d)) * (1 + y)[:, None] + y[:, None] + 50.0, y

        stream, peaks = GaussianNB(), []
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
        once = GaussianNB().fit(X, y)
        np.testing.assert_allclose(stream.theta_, once.theta_, rtol=1e-10)
        np.testing.assert_allclose(stream.var_, once.var_, rtol=1e-8)
        np.testing.assert_allclose(
            stream.predict_joint_log_proba(X[:1000]), once.predict_joint_log_proba(X[:1000]), rtol=1e-8, atol=1e-8
        )


class TestSampleGaussian:
    def test_moments_and_class_shares(self):
        X, y = gaussian_rows()
        model = GaussianNB(priors=[0.2, 0.3, 0.5]).fit(X, y)
        samples, labels = model.sample(200_000, random_state=0)
        np.testing.assert_allclose(np.bincount(labels) / len(labels), [0.2, 0.3, 0.5], atol=0.005)
        for k in range(3):
            np.testing.assert_allclose(samples[labels == k].mean(axis=0), model.theta_[k], atol=0.04)
            covariance = np.cov(samples[labels == k].T)
            np.testing.assert_allclose(np.diag(covariance), model.var_[k], rtol=0.03)
            correlation = np.corrcoef(samples[labels == k].T)
            np.testing.assert_allclose(correlation, np.eye(5), atol=0.02)  # independence given the class


class TestErrors:
    @pytest.mark.parametrize(
        ("model", "message"),
        [
            (GaussianNB(var_smoothing=-1.0), "var_smoothing must not be negative; got -1.0"),
            (GaussianNB(priors=[0.5, 0.5]), "one number for each of 3 classes"),
            (MultinomialNB(alpha=-1.0), "alpha must not be negative; got -1.0"),
            (MultinomialNB(alpha=[1.0, 2.0]), r"one for each of 30 features; got shape \(2,\)"),
            (BernoulliNB(class_prior=[0.9, 0.9, -0.8]), "non-negative and sum to one"),
        ],
        ids=str,
    )
    def test_bad_parameters_are_named(self, model, message):
        with pytest.raises(ValueError, match=message):
            model.fit(*documents())

    @pytest.mark.parametrize("make", ALL)
    def test_weights_and_classes(self, make):
        X, y = documents()
        with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
            make().fit(X, y, -np.ones(len(X)))
        with pytest.raises(ValueError, match="classes must be passed on the first call"):
            make().partial_fit(X, y)
        with pytest.raises(ValueError, match=r"target label\(s\) \[2\] in y do not exist"):
            make().partial_fit(X, y, classes=[0, 1])

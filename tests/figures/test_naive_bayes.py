"""Lesson 3's figures, by the numbers that they draw and tell."""

import numpy as np
import pytest
from scipy.stats import beta

from course_utils.data import tables
from course_utils.experiments.results import load
from course_utils.figures import naive_bayes as draw
from course_utils.models.naive_bayes import GaussianNB, MultinomialNB
from course_utils.optima.dependence import correlated_pair


class TestBaseRate:
    def test_people_are_counted_and_the_posterior_told(self):
        fig, caption = draw.base_rate(prior=0.01, hit=0.9, false_alarm=0.09)
        drawn = [len(c.get_offsets()) for c in fig.axes[0].collections]
        assert drawn == [9, 1, 89, 901]
        assert "98 test positive and 9 of these are ill" in caption
        assert "9.2%" in caption  # 0.009 / (0.009 + 0.0891)
        assert "0.11%" in caption  # 0.001 / (0.001 + 0.9009)

    def test_curves_are_the_posterior_of_every_prior(self):
        fig, _ = draw.base_rate(prior=0.2, hit=0.8, false_alarm=0.1)
        log_odds, after_positive = fig.axes[1].lines[0].get_data()
        np.testing.assert_allclose(np.log(after_positive / (1 - after_positive)), log_odds + np.log(8))

    @pytest.mark.parametrize("values", [(0.005, 0.5, 0.0), (0.6, 1.0, 0.3), (0.005, 1.0, 0.0), (0.6, 0.5, 0.3)])
    def test_draws_at_the_ends_of_its_sliders(self, values):
        fig, caption = draw.base_rate(*values)
        assert sum(len(c.get_offsets()) for c in fig.axes[0].collections) == draw.PEOPLE
        assert "nan" not in caption

    def test_a_sign_that_never_comes_has_no_posterior(self):
        assert draw.bayes(np.array(0.5), 0.0, 0.0) == 0


def test_naive_step_tells_the_correlations_that_it_draws():
    iris = tables.iris()
    model = GaussianNB().fit(iris.X[:, :2], iris.y)
    fig, caption = draw.naive_step(iris, [0, 1], 0, model)
    rows, drawn = (ax.collections[0].get_offsets() for ax in fig.axes)
    np.testing.assert_array_equal(rows, iris.X[iris.y == 0, :2])
    assert drawn.shape == rows.shape
    for values in (rows, drawn):
        assert f"{np.corrcoef(np.asarray(values).T)[0, 1]:.2f}" in caption


class TestSmoothing:
    def test_mean_and_share_are_drawn_and_told(self):
        fig, caption = draw.smoothing(seen=2, trials=10, alpha=0.5)
        positions = [line.get_xdata()[0] for line in fig.axes[0].lines[2:]]
        assert positions == pytest.approx([0.2, 2.5 / 11])
        assert "= 0.227" in caption
        assert f"probability {beta(2.5, 8.5).cdf(0.01):.3f}" in caption

    @pytest.mark.parametrize(("seen", "trials", "alpha"), [(40, 1, 0.1), (0, 40, 0.1), (40, 40, 5.0), (0, 1, 0.1)])
    def test_draws_at_the_ends_of_its_sliders(self, seen, trials, alpha):
        fig, caption = draw.smoothing(seen, trials, alpha)
        assert np.isfinite(fig.axes[0].get_ylim()).all()
        assert f"{min(seen, trials)} of {trials}" in caption


class TestBoundaries:
    @pytest.fixture
    def drawn(self):
        iris = tables.iris()
        X, y = iris.X[:100, 2:], iris.y[:100]
        shared = GaussianNB().fit(X, y)
        shared.var_[:] = shared.var_.mean(axis=0)
        counts = np.array([[3.0, 0], [2, 1], [0, 4], [1, 5]])
        labels = np.array([0, 0, 1, 1])
        cases = [
            ("counts", counts, labels, MultinomialNB().fit(counts, labels), ("a", "b"), True),
            ("shared", X, y, shared, ("a", "b"), False),
            ("own", X, y, GaussianNB().fit(X, y), ("a", "b"), False),
        ]
        return draw.boundaries(cases, np.random.default_rng(0))

    def test_boundaries_are_straight_where_the_lesson_says_so(self, drawn):
        fig, caption = drawn
        residuals = []
        for ax in fig.axes:
            (path,) = ax.collections[-1].get_paths()  # the contour of zero, drawn last
            points = path.vertices - path.vertices.mean(axis=0)
            residuals.append(np.linalg.svd(points, compute_uv=False)[1] / len(points))
        assert max(residuals[:2]) < 1e-6
        assert residuals[2] > 1e-3
        assert "counts: 0%; shared: 0%; own: 0%" in caption


class TestTextLearningCurve:
    def test_means_drawn_are_those_of_the_record(self):
        record = load("text_learning_curve")
        live = {"logistic regression, tf-idf": (0.2, 0.8)}
        fig, caption = draw.text_learning_curve(record, (600, live))
        result = record["results"]
        errors = np.mean(result["errors"][0], axis=1) / result["test_documents"]
        np.testing.assert_allclose(fig.axes[0].lines[0].get_ydata(), errors)
        np.testing.assert_allclose(fig.axes[1].lines[3].get_ydata(), np.mean(result["log_losses"][3], axis=1))
        assert f"at 6 documents, {errors[-1]:.0%}, " in caption
        assert "1.79 nats" in caption

    def test_the_lesson_tells_what_the_record_holds(self):
        record = load("text_learning_curve")
        result, names = record["results"], list(record["config"]["models"])
        errors = np.mean(result["errors"], axis=2) / result["test_documents"]  # (models, sizes)
        losses = np.mean(result["log_losses"], axis=2)
        bayes, default, bernoulli, tfidf, counts = range(len(names))
        assert np.all(errors[counts] > errors[bayes])
        assert 0.12 < np.max(errors[counts] - errors[bayes]) < 0.14
        assert np.all(errors[tfidf, 5:9] > errors[bayes, 5:9])
        assert abs(errors[tfidf, -1] - errors[bayes, -1]) < 0.005
        assert 0.11 < np.max(errors[default] - errors[bayes]) < 0.14
        behind = errors[bernoulli] - errors[bayes]
        assert np.all(behind > 0)
        assert 0.06 < behind[5:].min() < behind[5:].max() < 0.08
        assert np.all(losses[[bayes, default, bernoulli]] > np.log(6))  # worse than knowing nothing
        assert np.all(losses[tfidf] < np.log(6))


class TestReliability:
    def test_bins_hold_the_mean_claim_and_the_share_right(self):
        confidence = np.array([0.15] * 10 + [0.95] * 20 + [0.55] * 9)
        right = np.array([True] * 4 + [False] * 6 + [True] * 20 + [True] * 9)
        claimed, share = draw.reliability_bins(confidence, right, np.linspace(0, 1, 11))
        np.testing.assert_allclose(claimed, [0.15, 0.95])  # nine cases are too few to draw
        np.testing.assert_allclose(share, [0.4, 1.0])

    def test_caption_tells_confidence_and_accuracy(self):
        log_q = np.log(np.tile([0.9, 0.1], (20, 1)))
        _, caption = draw.reliability({"a model": log_q}, np.repeat([0, 1], [12, 8]))
        assert "a model is 90% sure on average and 60% right" in caption


class TestOverconfidence:
    def test_numbers_of_the_exact_case(self):
        fig, caption = draw.overconfidence(correlation=0.6, angle=45, distance=1.6 * np.sqrt(2))
        problem = correlated_pair(0.6)
        assert f"errs {problem.bayes_error():.1%} where the Bayes error is {problem.bayes_error():.1%}" in caption
        exact, claimed = np.concatenate([np.asarray(c.get_offsets()) for c in fig.axes[1].collections]).T
        odds, naive_odds = (np.log(p) - np.log1p(-p) for p in (exact, claimed))
        np.testing.assert_allclose(naive_odds, 1.6 * odds, rtol=1e-6)  # equation (16): 1 + r

    @pytest.mark.parametrize("values", [(-0.9, -90, 0.5), (0.9, 90, 4.0), (0.9, -45, 4.0), (0.0, 0, 0.5)])
    def test_draws_at_the_ends_of_its_sliders(self, values):
        _, caption = draw.overconfidence(*values)
        assert "nan" not in caption


class TestGenerator:
    def test_gallery_labels_each_row_and_tells_the_correlations(self):
        images = np.full((2, 10, 8, 8), 0.5)
        fig, caption = draw.digit_gallery(
            images[0], {"one": images, "two": images}, {"real": 0.43, "one": 0, "two": 0.4}
        )
        assert sum(bool(ax.images) for ax in fig.axes) == 50
        assert "by 0.43 on average in the training digits, by 0.00 in those of one, by 0.40 in those of two" in caption

    def test_correlations_are_compared_by_root_mean_square(self):
        real = np.array([0.3, -0.4, 0.0])
        _, caption = draw.pixel_correlations(real, {"none": np.zeros(3), "all": real})
        assert "none 0.29, all 0.00; of the real correlations themselves 0.29" in caption


def test_distance_drawn_is_that_of_the_record():
    record = load("naive_bayes_optimum")
    config = record["config"]
    live = {name: {model: [0.01] * len(config["sizes"]) for model in config["models"]} for name in record["results"]}
    r = np.array([-0.5, 0.0, 0.5])
    fig, caption = draw.distance_to_posterior(record, live, (r, np.array([0.03, 0, 0.02]), np.array([0.1, 0, 0.2])))
    expected = np.median(record["results"]["correlated given the class"]["nats"][0], axis=1)
    np.testing.assert_allclose(fig.axes[1].lines[0].get_ydata(), expected)
    np.testing.assert_allclose(fig.axes[2].lines[0].get_ydata(), [0.13, 0, 0.22])
    assert "at most 0.03 nats for the posterior in this range (at correlation -0.50), and 0.10 nats" in caption

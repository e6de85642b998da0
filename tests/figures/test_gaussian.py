"""Lesson 1's figures, by the numbers that they draw and tell."""

import numpy as np
import pytest

from course_utils.data import tables
from course_utils.experiments.results import load
from course_utils.figures import gaussian as draw
from course_utils.figures.grids import image_grid
from course_utils.figures.taxonomy import NODES, taxonomy
from course_utils.models.gaussian import QuadraticDiscriminantAnalysis


class TestTaxonomy:
    def test_every_lesson_has_its_place_and_boxes_do_not_overlap(self):
        _, caption = taxonomy()
        for number in range(1, 9):
            assert str(number) in caption
        from course_utils.figures.taxonomy import _size

        boxes = []
        for name, lessons, x, y, _, kind in NODES.values():
            width, height = _size(name, lessons)
            if kind != "branch":
                boxes.append((x - width / 2, x + width / 2, y - height / 2, y + height / 2))
        for i, (left, right, low, high) in enumerate(boxes):
            assert left >= -1
            assert right <= 101
            for other in boxes[:i]:
                apart = right <= other[0] or other[1] <= left or high <= other[2] or other[3] <= low
                assert apart, (boxes[i], other)

    def test_children_stand_below_their_parents(self):
        for *_, y, parent, _ in NODES.values():
            assert parent is None or y < NODES[parent][3]


class TestJoint:
    def test_caption_tells_exact_errors(self):
        _, caption = draw.joint_marginal_posterior(distance=2.0, ratio=1.0, correlation=0.0, prior=0.5)
        assert "Bayes error is 15.9%" in caption  # Φ(−1)

    def test_boundaries_drawn_are_where_the_rules_change_sign(self):
        fig, _ = draw.joint_marginal_posterior(distance=2.0, ratio=1.0, correlation=0.0, prior=0.5)
        right = fig.axes[2]
        optimum = next(c for c in right.collections if hasattr(c, "get_paths") and len(c.get_paths()) == 1)
        drawn = optimum.get_paths()[0].vertices
        np.testing.assert_allclose(drawn[:, 0], 0.0, atol=1e-6)  # equal classes: the line x_1 = 0

    @pytest.mark.parametrize(
        ("distance", "ratio", "correlation", "prior"),
        [(0, 1, 0, 0.5), (4, 2.5, 0.8, 0.1), (0, 0.5, -0.8, 0.9)],
    )
    def test_draws_at_the_ends_of_its_sliders(self, distance, ratio, correlation, prior):
        _, caption = draw.joint_marginal_posterior(distance, ratio, correlation, prior)
        assert "%" in caption


def test_image_grid_needs_a_label_a_row():
    with pytest.raises(ValueError, match="one for each of 1 rows; got 2"):
        image_grid([np.zeros((3, 8, 8))], ["a", "b"])


def test_image_grid_draws_each_image_with_the_same_grey_scale():
    rows = [np.full((3, 8, 8), 0.5), np.full((3, 8, 8), np.nan)]
    fig = image_grid(rows, ["half", "missing"])
    drawn = [ax.images[0] for ax in fig.axes if ax.images]
    assert len(drawn) == 6
    assert {image.get_clim() for image in drawn} == {(0.0, 1.0)}


class TestCrossing:
    def test_found_between_significant_leads(self):
        rng = np.random.default_rng(0)
        first = np.array([0.1, 0.1, 0.1, 0.1])[:, None] + 0.01 * rng.normal(size=(4, 400))
        second = np.array([0.2, 0.1, 0.1, 0.05])[:, None] + 0.01 * rng.normal(size=(4, 400))
        low, high = draw.crossing(first, second)
        assert low in (0, 1, 2)
        assert high == 3

    def test_none_if_one_leads_everywhere_or_the_order_is_turned(self):
        rng = np.random.default_rng(0)
        low, high = (0.1 * k + 0.01 * rng.normal(size=(3, 100)) for k in (1, 2))
        assert draw.crossing(low, high) is None
        assert draw.crossing(high, low) is None


class TestStored:
    def test_means_drawn_are_those_of_the_record(self):
        record = load("ng_jordan")
        names = record["config"]["models"]
        fig, caption = draw.naive_bayes_against_logistic(record, names[1], names[2])
        ax = fig.axes[0]
        result = record["results"]["iris"]
        expected = np.mean(result["errors"][1], axis=1) / result["test_rows"]
        np.testing.assert_allclose(ax.lines[0].get_ydata(), expected)
        assert "digits logistic regression leads throughout" in caption
        assert "iris not overtaken" in caption

    def test_excess_drawn_is_that_of_the_record(self):
        record = load("excess_error")
        fig, _ = draw.excess_over_bayes(record)
        expected = np.mean(record["results"]["two covariances"]["excess"][0], axis=1)
        np.testing.assert_allclose(fig.axes[1].lines[0].get_ydata(), expected)


def test_iris_caption_counts_the_errors():
    iris = tables.iris()
    model = QuadraticDiscriminantAnalysis().fit(iris.X[:, :2], iris.y)
    wrong = int(np.sum(model.predict(iris.X[:, :2]) != iris.y))
    _, caption = draw.iris_boundaries(iris, [0, 1], model, model)
    assert f"misplaces {wrong} of 150" in caption

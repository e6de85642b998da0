"""Lesson 2's figures, by the numbers that they draw and tell."""

import numpy as np
import pytest
from scipy.linalg import eigh
from sklearn.decomposition import PCA

from course_utils.experiments.results import load
from course_utils.figures import lda as draw
from course_utils.models.lda import LinearDiscriminantAnalysis
from course_utils.optima.gaussians import GaussianClasses


@pytest.fixture(scope="module")
def rows():
    problem = GaussianClasses([0.5, 0.5], [[-0.9, 0.0], [0.9, 0.0]], [[[2.0, 1.6], [1.6, 2.0]]] * 2)
    return problem.sample(300, np.random.default_rng(0))


def test_fisher_ratio_is_the_generalised_rayleigh_quotient(rows):
    X, y = rows
    centred = np.concatenate([X[y == k] - X[y == k].mean(axis=0) for k in (0, 1)])
    within, total = centred.T @ centred, (X - X.mean(axis=0)).T @ (X - X.mean(axis=0))
    values, vectors = eigh(total - within, within)
    np.testing.assert_allclose(draw.fisher_ratio(X, y, vectors.T), values, atol=1e-12)


def test_the_curve_of_the_turning_axis_peaks_at_ldas_direction(rows):
    X, y = rows
    fig, caption = draw.turning_axis(X, y, 20)
    curve = fig.axes[2].lines[0]
    direction = LinearDiscriminantAnalysis().fit(X, y)
    assert curve.get_xdata()[curve.get_ydata().argmax()] == pytest.approx(
        draw.angle_of(direction.scalings_[:, 0]), abs=0.25
    )
    assert curve.get_ydata().max() == pytest.approx(direction.eigenvalues_[0], rel=1e-3)
    assert f"{draw.angle_of(PCA(1).fit(X).components_[0]):.0f} degrees" in caption


@pytest.mark.parametrize("angle", [-90, 0, 90])
def test_the_axis_turns_to_the_ends_of_its_slider(rows, angle):
    assert f"At {angle} degrees" in draw.turning_axis(*rows, angle)[1]


@pytest.mark.parametrize(("vector", "angle"), [([1, 0], 0), ([-1, 0], 0), ([1, 1], 45), ([-1, -1], 45), ([0, 1], -90)])
def test_an_axis_has_no_sign(vector, angle):
    assert draw.angle_of(np.array(vector)) == pytest.approx(angle)


def test_medians_drawn_are_those_of_the_record():
    record = load("lda_optimum")
    fig, caption = draw.distance_to_optimum(record, 3.0)
    measures = np.array(record["results"]["3.0"]["measures"])
    for ax, values in zip(fig.axes, measures, strict=True):
        np.testing.assert_allclose(ax.lines[0].get_ydata(), np.median(values[0], axis=-1))
    assert f"LDA {np.median(measures[0, 0, -1]):.1f} degrees" in caption


def test_anova_bars_are_in_the_order_of_f():
    fig, caption = draw.anova_beside_lda(["a", "b", "c"], np.array([3.0, 9.0, 1.0]), np.array([-0.5, 0.1, 0.2]))
    widths = [[bar.get_width() for bar in ax.patches] for ax in fig.axes]
    np.testing.assert_allclose(widths[0], [1.0, 3.0, 9.0])
    np.testing.assert_allclose(widths[1], [0.2, 0.5, 0.1])
    assert "b has the largest F alone (9)" in caption
    assert "a the largest weight" in caption


def test_failures_tell_each_share():
    X, y = np.random.default_rng(0).normal(size=(40, 2)), np.repeat([0, 1], 20)
    model = LinearDiscriminantAnalysis().fit(X, y)
    _, caption = draw.failures(
        {"one": (X, y, {"LDA": (model, 0.5), "QDA": (model, 0.75)})}
        | {"two": (X, y, {"LDA": (model, 0.25), "QDA": (model, 1.0)})}
    )
    assert "one: LDA 50%, QDA 75%" in caption
    assert "two: LDA 25%, QDA 100%" in caption

"""Lesson 6's stored experiments as they are drawn: every number of the figure is one of the record."""

import numpy as np
import pytest

from course_utils.experiments import attention_cost, length_generalisation, translation_lists
from course_utils.figures import transformer_results as draw


def rows(*right, parameters=500_000):
    return [{"right": list(one), "parameters": parameters, "seconds": 60.0} for one in right]


@pytest.fixture
def lists():
    """A record of three lengths and two seeds."""
    return {
        "config": {"lengths": [1, 2, 3], "lists": 50, "seeds": 2},
        "results": {
            "models": {
                "GRU": rows([40, 10, 0], [50, 20, 2]),
                "GRU with attention": rows([50, 40, 30], [48, 40, 20]),
                "Transformer": rows([50, 50, 45], [50, 48, 35]),
            },
            "widths": {"56": rows([10, 0, 0]), "112": rows([30, 5, 0])},
        },
    }


class TestListsByLength:
    def test_lines_are_means_over_the_seeds(self, lists):
        fig, caption = draw.lists_by_length(lists)
        left, right = fig.axes
        drawn = {line.get_label(): line.get_ydata() for line in (*left.lines, *right.lines)}
        np.testing.assert_allclose(drawn["GRU"], [0.9, 0.3, 0.02])
        np.testing.assert_allclose(drawn["Transformer"], [1, 0.98, 0.8])
        np.testing.assert_allclose(drawn["state of 112"], [0.6, 0.1, 0])
        assert "Transformer (0.50 M parameters) 100% and 80%" in caption
        assert "56: 7%" in caption

    def test_every_model_of_the_experiment_has_a_look_of_its_own(self):
        assert set(draw.MODELS) == set(translation_lists.CONFIG["models"])
        assert len(set(draw.MODELS.values())) == len(draw.MODELS)


def test_distance_is_the_mean_over_the_lists():
    nats = [np.array([0.0, 0.2]), np.array([1.0, 3.0])]
    exact = [np.array([True, True]), np.array([True, False])]
    fig, caption = draw.distance([1, 8], nats, exact)
    np.testing.assert_allclose(fig.axes[0].lines[0].get_ydata(), [0.1, 2.0])
    np.testing.assert_allclose(fig.axes[1].lines[0].get_ydata(), [1.0, 0.5])
    points = fig.axes[0].collections[0].get_offsets()
    assert points[:, 1].min() == draw.FLOOR  # a list without any loss is still drawn, on a logarithmic axis
    assert "from 0.100 nats over the optimum for lists of 1 to 2.00 for lists of 8" in caption
    assert "75.0% of all right, 50% of the longest" in caption


class TestGeneralisation:
    RECORD = {  # noqa: RUF012, is not changed
        "config": {"lengths": [1, 8, 12], "lists": 20, "training": {"numbers": [1, 8]}},
        "results": {
            "as shipped": [20, 18, 0],
            "trained on as before": [[20, 20, 0], [20, 18, 0]],
            "trained on with shifted positions": [[20, 18, 10], [20, 16, 6]],
        },
    }

    def test_lines_are_shares(self):
        fig, caption = draw.generalisation(self.RECORD)
        drawn = {line.get_label(): line.get_ydata() for line in fig.axes[0].lines}
        np.testing.assert_allclose(drawn["as shipped"], [1, 0.9, 0])
        np.testing.assert_allclose(drawn["trained on with shifted positions"], [1, 0.85, 0.4])
        assert "lists of 12: as shipped 0%; trained on as before 0%; trained on with shifted positions 40%" in caption

    def test_the_experiments_ways_are_those_drawn(self):
        assert {"as shipped", *length_generalisation.CONFIG["shifts"]} == set(self.RECORD["results"])


class TestCost:
    def record(self):
        lengths = [64, 128, 256]
        laws = {
            "attention, written out": [1e-3, 1e-6, 1e-8],
            "attention, fused": [1e-3, 2e-6, 0.0],
            "GRU": [0.0, 1e-5, 0.0],
        }
        results = {}
        for name, (a, b, c) in laws.items():
            values = [a + b * T + c * T**2 for T in lengths]
            results[name] = {"seconds": values, "seconds_law": [a, b, c], "bytes": values, "bytes_law": [a, b, c]}
        return {"config": {"lengths": lengths, "d": 128}, "results": results}

    def test_lines_are_the_fitted_laws_and_points_what_was_measured(self):
        record = self.record()
        fig, caption = draw.cost(record)
        for line, points, name in zip(fig.axes[0].lines, fig.axes[0].collections, draw.COSTS, strict=True):
            a, b, c = record["results"][name]["seconds_law"]
            T = line.get_xdata()
            np.testing.assert_allclose(line.get_ydata(), 1e3 * (a + b * T + c * T**2))
            np.testing.assert_allclose(points.get_offsets()[:, 1], 1e3 * np.array(record["results"][name]["seconds"]))
        first, last = (1e-3 + 1e-6 * T + 1e-8 * T**2 for T in (128, 256))
        assert f"attention, written out {1e3 * last:.0f} ms, {last / first:.1f} times that at 128" in caption

    def test_every_layer_of_the_experiment_has_a_look_of_its_own(self):
        assert set(draw.COSTS) == set(attention_cost.CONFIG["layers"])

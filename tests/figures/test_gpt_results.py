"""Lesson 8's results as they are drawn: every number of a figure is one of the record."""

import numpy as np
import pytest

from course_utils.figures import gpt_results as draw
from course_utils.figures.gpt import MODEL, OTHER, PAST


def test_curve_draws_the_training_and_the_lines():
    fig, caption = draw.curve([50, 100], [2.2, 2.1], {"frequencies": (OTHER, 2.58), "exact": (PAST, 2.01)})
    training, *lines = fig.axes[0].lines
    assert training.get_xydata().tolist() == [[50, 2.2], [100, 2.1]]
    assert [set(line.get_ydata()) for line in lines] == [{2.58}, {2.01}]
    assert caption.endswith("nats a word: frequencies 2.58, exact 2.01.")  # nothing that was trained here


def test_by_position_and_the_largest_distance():
    exact = np.array([2.6, 2.2, 2.0, 2.0])
    fig, caption = draw.by_position(exact, exact + np.array([0, 0.011, 0, 0.004]), 1.99, shown=4)
    assert fig.axes[0].lines[0].get_ydata().tolist() == exact.tolist()
    np.testing.assert_allclose(fig.axes[0].collections[0].get_offsets()[1], [2, 2.211])
    assert "exactly 2.60 at the first, 2.20 at the second, 2.00 on average from position 3 on" in caption
    assert "nowhere more than 0.02 away. The entropy rate is 1.99" in caption


PANELS = {
    "tokens": {"x": [1000, 2000], "gap": [[0.2, 0.3], [0.1, 0.1]], "fit": ([1000, 2000], [0.25, 0.1], "fit")},
    "context": {"x": [1, 4], "gap": [[0.4], [0.2]], "floor": ([1, 4], [0.3, 0.1], "exact")},
}


class TestScaling:
    def test_a_point_for_each_seed(self):
        fig, caption = draw.scaling(PANELS)
        points = [ax.collections[0].get_offsets().tolist() for ax in fig.axes]
        assert points == [[[1000, 0.2], [1000, 0.3], [2000, 0.1], [2000, 0.1]], [[1, 0.4], [4, 0.2]]]
        assert "tokens, from 1,000 to 2,000: 0.250 to 0.100; context, from 1 to 4: 0.400 to 0.200" in caption

    def test_fits_and_floors_are_those_given(self):
        fig, _ = draw.scaling(PANELS)
        assert [list(ax.lines[0].get_ydata()) for ax in fig.axes] == [[0.25, 0.1], [0.3, 0.1]]
        assert [ax.get_legend().get_texts()[0].get_text() for ax in fig.axes] == ["fit", "exact"]

    def test_sizes_are_short(self):
        assert [draw._short(n) for n in (8, 3200, 12_800_000)] == ["8", "3.2k", "12.8M"]


def test_distance_puts_each_at_its_value_beside_the_target():
    fig, caption = draw.distance({"one": (OTHER, 0.5), "GPT": (MODEL, 0.004)}, 0.005)
    assert [points.get_offsets().tolist() for points in fig.axes[0].collections] == [[[0.5, 0]], [[0.004, 1]]]
    assert set(fig.axes[0].lines[-1].get_xdata()) == {0.005}
    assert caption.endswith("one 0.500, GPT 0.004.")


def test_one_direction_draws_each_loss():
    rows = {"the past, exact": ("past", 2.0), "GPT": ("past", 2.02), "BERT": ("both", 1.7)}
    fig, caption = draw.one_direction(rows)
    assert [bar.get_width() for bar in fig.axes[0].patches] == [2.0, 2.02, 1.7]
    assert len({bar.get_facecolor() for bar in fig.axes[0].patches}) == 3
    assert "the past, exact 2.00, GPT 2.02, BERT 1.70" in caption


def test_cache_draws_milliseconds_and_tells_the_saving_at_the_end():
    record = {"small": {"position": [1, 100], "with": [0.001, 0.002], "without": [0.001, 0.04]}}
    fig, caption = draw.cache(record, {"small": "a small one"})
    without, kept = fig.axes[0].lines
    assert without.get_xydata().tolist() == [[1, 1.0], [100, 40.0]]
    assert kept.get_ydata().tolist() == [1.0, 2.0]
    assert "a small one: at position 100 40.0 ms without the cache and 2.0 with it, 20 times less" in caption


RECORD = {
    "plain": [2.3, 2.4],
    "recipe": [1.8, 1.9],
    "plain plus": {"Muon": [2.1, 2.15], "RMSNorm": [2.31, 2.42], "higher rate": [2.2, 2.2]},
    "recipe without": {"Muon": [2.0, 2.05], "RMSNorm": [1.83, 1.91]},
}


class TestAblation:
    def test_effects_are_of_the_same_seeds(self):
        found = draw.effects(RECORD)
        np.testing.assert_allclose(found["Muon"], [[-0.2, -0.25], [-0.2, -0.15]])

    def test_what_the_recipe_leaves_out_is_added_there(self):
        np.testing.assert_allclose(draw.effects(RECORD)["RMSNorm"], [[0.01, 0.02], [0.03, 0.01]])

    def test_what_the_recipe_has_not(self):
        added, last = draw.effects(RECORD)["higher rate"]
        np.testing.assert_allclose(added, [-0.1, -0.2])
        assert last is None

    def test_what_was_measured_on_one_side_alone(self):
        record = {**RECORD, "plain plus": {}}
        assert draw.effects(record)["Muon"][0] is None
        assert "higher rate" not in draw.effects(record)
        assert "Muon −0.175; RMSNorm (left out) +0.020." in draw.ablation(record)[1]

    def test_bars_are_means_and_points_are_seeds(self):
        fig, caption = draw.ablation(RECORD)
        names = [label.get_text() for label in fig.axes[0].get_yticklabels()]
        assert names == ["Muon", "RMSNorm (left out)", "higher rate of AdamW"]  # the best one first
        np.testing.assert_allclose([bar.get_width() for bar in fig.axes[0].patches], [-0.225, 0.015, -0.15])
        np.testing.assert_allclose([bar.get_width() for bar in fig.axes[1].patches], [-0.175, 0.02])
        np.testing.assert_allclose(fig.axes[1].collections[0].get_offsets(), [[-0.2, 0], [-0.15, 0]])
        assert "mean of 2 seeds" in caption.replace("means", "mean")
        assert "Muon −0.225 and −0.175; RMSNorm (left out) +0.015 and +0.020; higher rate of AdamW −0.150." in caption


class TestRaces:
    def runs(self, loss, tokens, seconds):
        curve = {"steps": [10, 20], "curve": [2.5, loss]}
        return [curve | {"validation loss": loss + d, "tokens": tokens, "cpu seconds": seconds} for d in (0, 0.02)]

    @pytest.fixture
    def record(self):
        return {"nanoGPT": self.runs(1.88, 2_000_000, 60.0), "recipe": self.runs(1.86, 400_000, 15.0)}

    def test_ends_are_the_losses_of_the_whole_part(self, record):
        fig, caption = draw.races(record, 1.8857)
        ends = [points.get_offsets() for points in fig.axes[0].collections]
        np.testing.assert_allclose(ends[0], [[2.0, 1.88], [2.0, 1.90]])
        np.testing.assert_allclose(ends[1], [[0.4, 1.86], [0.4, 1.88]])
        np.testing.assert_allclose(fig.axes[1].collections[1].get_offsets()[:, 0], [15, 15])
        assert "nanoGPT: 1.890 nats (seeds from 1.880 to 1.900) after 2.00 million characters and 60 s" in caption

    def test_curves_are_spread_over_tokens_and_seconds(self, record):
        fig, _ = draw.races(record, 1.8857)
        np.testing.assert_allclose(fig.axes[0].lines[0].get_xydata(), [[1.0, 2.5], [2.0, 1.88]])
        np.testing.assert_allclose(fig.axes[1].lines[0].get_xdata(), [30, 60])
        assert set(fig.axes[0].lines[-1].get_ydata()) == {1.8857}

"""Lesson 8's pictures: every number and every word that is drawn is the model's, the language's, or the caller's."""

import math

import numpy as np
import pytest
import torch
from matplotlib.patches import FancyArrowPatch

from course_utils.data.characters import SHAKESPEARE
from course_utils.figures import gpt as draw
from course_utils.models.gpt import GPT, GPTConfig
from course_utils.optima.hmm import HiddenMarkov

LANGUAGE = HiddenMarkov([[0.9, 0.1], [0.3, 0.7]], [[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])


def words_in(ax):
    return [text.get_text() for text in ax.texts]


class TestShifted:
    def test_targets_are_the_inputs_moved_by_one(self):
        fig, caption = draw.shifted(["a", "b", "c", "d"])
        texts = words_in(fig.axes[0])
        assert [texts.count(word) for word in "abcd"] == [2, 3, 3, 1]  # row, column, target
        assert "after a comes b, and so on to d" in caption

    def test_the_cells_above_the_diagonal_are_hidden(self):
        fig, caption = draw.shifted(["a", "b", "c", "d"])
        hidden = {text.get_position() for text in fig.axes[0].texts if text.get_text() == "−∞"}
        assert hidden == {(1, 0), (2, 0), (2, 1)}  # (key, query)
        assert "6 of 9" in caption


class TestStack:
    def test_names_and_sizes_are_the_configuration_s(self):
        fig, caption = draw.stack(GPTConfig(vocabulary=9, d=64, heads=2, layers=3))
        assert "3 × Block: causal self-attention, MLP" in words_in(fig.axes[0])
        assert "norm, head = embedding transposed" in words_in(fig.axes[0])
        assert "3 blocks of width 64 and 2 heads" in caption

    def test_a_head_of_its_own_and_rotary_positions(self):
        fig, caption = draw.stack(GPTConfig(vocabulary=9, tied=False, positions="rotary"))
        assert "norm, head" in words_in(fig.axes[0])
        assert "a matrix of its own" in caption
        assert any("positions turn queries and keys" in text for text in words_in(fig.axes[0]))

    def test_no_arrow_goes_back_in_time(self):
        fig, _ = draw.stack(GPTConfig(vocabulary=9))
        arrows = [patch.get_path().vertices for patch in fig.axes[0].patches if isinstance(patch, FancyArrowPatch)]
        assert len(arrows) == 6 * 4 + 6 * 7 // 2
        assert all(points[2, 0] >= points[0, 0] for points in arrows)  # of a Bézier curve: its end and its beginning


def test_beginning_draws_the_prediction_and_what_was_measured():
    fig, caption = draw.beginning([0.01, 0.1], {"own": [3.2, 4.0], "tied": [3.3, 9.0]}, 3.0, 128)
    curve, level = fig.axes[0].lines
    np.testing.assert_allclose(curve.get_ydata()[[0, -1]], [3.0 + 64e-4, 3.0 + 0.64])
    assert set(level.get_ydata()) == {3.0}
    own, tied = fig.axes[0].collections
    np.testing.assert_allclose(own.get_offsets(), [[0.01, 3.2], [0.1, 4.0]])
    np.testing.assert_allclose(tied.get_offsets(), [[0.01, 3.3], [0.1, 9.0]])
    assert "tied 3.3 at 0.01, 9.0 at 0.1" in caption


class TestNextWord:
    x = np.array([[0, 2, 2, 0, 1], [1, 1, 0, 2, 2]])

    def test_bars_are_the_two_distributions_in_the_exact_order(self):
        fig, caption = draw.next_word(
            LANGUAGE, self.x, lambda x: np.log(np.full((1, 5, 3), [0.5, 0.2, 0.3])), sentence=2, position=4, top=3
        )
        exact = np.exp(LANGUAGE.log_past(self.x)[1, 3])
        order = np.argsort(-exact)
        by_exact, by_model = ([bar.get_height() for bar in bars] for bars in fig.axes[0].containers)
        np.testing.assert_allclose(by_exact, exact[order])
        np.testing.assert_allclose(by_model, np.array([0.5, 0.2, 0.3])[order])
        assert f'"c" came. Its probability given the words before, exactly {exact[2]:.2f}, by GPT 0.30' in caption
        assert f"{-(exact * np.log(exact)).sum():.2f} nats" in caption

    def test_the_title_shows_only_the_past(self):
        fig, _ = draw.next_word(LANGUAGE, self.x, lambda x: LANGUAGE.log_past(x), sentence=1, position=3, top=3)
        assert fig.axes[0].get_title("left") == "a c ▁"


def test_blank_shows_the_words_that_the_first_and_the_last_find_likeliest():
    first, last = np.array([0.9, 0.05, 0.03, 0.02]), np.array([0.02, 0.03, 0.05, 0.9])
    rows = {"past": (draw.PAST, first), "both": (draw.BOTH, last)}
    fig, caption = draw.blank(rows, np.array([1, 3, 0]), 1, top=2)
    labels = [label.get_text() for label in fig.axes[0].get_xticklabels()]
    assert sorted(labels) == ["a", "d\n(stood there)"]
    heights = [[bar.get_height() for bar in bars] for bars in fig.axes[0].containers]
    assert sorted(heights[0]) == [0.02, 0.9]
    assert 'where "d" stood. Its probability, by who fills it: past 0.02, both 0.90' in caption
    assert fig.axes[0].get_title("left") == "… b ▁ a …"


class TestDecoding:
    @pytest.fixture
    def model(self):
        torch.manual_seed(0)
        model = GPT(GPTConfig(vocabulary=len(SHAKESPEARE), length=16, d=16, heads=2, layers=1, mlp=16)).eval()
        with torch.no_grad():
            model.head.weight.mul_(20)
        return model

    def probabilities(self, model, prompt):
        with torch.no_grad():
            return model(SHAKESPEARE.encode(prompt)[None, -16:])[0, -1].softmax(0).numpy()

    def test_bars_before_and_after(self, model):
        fig, caption = draw.decoding(model, SHAKESPEARE, "My lord", temperature=0.5, top=65)
        before, after = ([bar.get_height() for bar in bars] for bars in fig.axes[0].containers)
        p = np.sort(self.probabilities(model, "My lord"))[::-1]
        np.testing.assert_allclose(before, p, rtol=1e-5)
        np.testing.assert_allclose(after, p**2 / (p**2).sum(), rtol=1e-4)
        assert "65 of 65 characters remain" in caption

    def test_top_k_zero_is_off_and_what_is_cut_has_a_cross(self, model):
        fig, caption = draw.decoding(model, SHAKESPEARE, "My lord", top_k=3, top=10)
        assert "3 of 65 characters remain" in caption
        assert words_in(fig.axes[0]).count("×") == 7

    def test_the_penalty_reaches_the_characters_of_the_prompt(self, model):
        plain, penalised = (
            draw.decoding(model, SHAKESPEARE, "aaaa", repetition_penalty=rho, top=65)[0] for rho in (1.0, 2.0)
        )
        heights = [[bar.get_height() for bar in fig.axes[0].containers[1]] for fig in (plain, penalised)]
        names = [label.get_text() for label in plain.axes[0].get_xticklabels()]
        at = names.index("a")
        assert heights[1][at] < heights[0][at]

    def test_entropies_are_told_in_nats(self, model):
        _, caption = draw.decoding(model, SHAKESPEARE, "My lord", top_k=1)
        p = self.probabilities(model, "My lord").astype(float)
        assert f"from {-(p * np.log(p)).sum():.2f} to 0.00 nats" in caption

    def test_a_prompt_that_is_longer_than_the_context(self, model):
        fig, _ = draw.decoding(model, SHAKESPEARE, "My lord, " * 5, top=65)
        np.testing.assert_allclose(
            fig.axes[0].containers[0][0].get_height(), self.probabilities(model, "My lord, " * 5).max(), rtol=1e-5
        )

    def test_an_empty_prompt(self, model):
        with pytest.raises(ValueError, match="prompt must have a character"):
            draw.decoding(model, SHAKESPEARE, "")


def test_low_bars_are_seen_and_the_axis_ends_at_one():
    assert draw._high(np.array([0.1, 0.2])) == pytest.approx(0.26)
    assert draw._high(np.array([0.1, 0.99])) == 1.05


def test_visible_characters():
    assert [draw.visible(one) for one in " \na"] == ["␣", "↵", "a"]
    assert draw.spelt([0, 23]) == ["a", "x"]


def test_entropy_of_certainty_is_zero_without_a_sign():
    assert math.copysign(1, draw._entropy(np.array([0.0, 1.0]))) == 1

"""Lesson 6's figures of attention, by the numbers that they draw and tell."""

import numpy as np
import pytest
import torch

from course_utils.data.translation import BEGIN, END, ENGLISH, KOREAN
from course_utils.figures import attention as draw
from course_utils.models.attention import causal_mask
from course_utils.models.transformer import Transformer, TransformerConfig


@pytest.fixture(scope="module")
def model():
    """Not trained: what it writes is nonsense, but it ends, for the end token has a large bias."""
    torch.manual_seed(3)
    config = TransformerConfig(source_vocabulary=len(KOREAN), target_vocabulary=len(ENGLISH), d=16, heads=2, mlp=16)
    model = Transformer(config).eval()
    with torch.no_grad():
        model.head.weight.normal_(0, 0.5)
        model.head.bias[END] = 1.5
    return model


def heat(ax):
    return np.asarray(ax.images[0].get_array())


class TestScaling:
    def test_the_deviation_grows_with_the_root_of_the_width_and_scaling_takes_it_away(self):
        for d in (4, 64):
            (unscaled, scaled), _, _ = draw.score_statistics(d)
            assert unscaled == pytest.approx(np.sqrt(d), rel=0.05)
            assert scaled == pytest.approx(1, rel=0.05)

    def test_without_scaling_the_largest_weight_takes_all_and_the_derivative_vanishes(self):
        _, (largest, _), (slope, scaled_slope) = draw.score_statistics(512)
        assert largest > 0.9
        assert slope < 0.1 * scaled_slope

    def test_caption_tells_what_is_drawn(self):
        fig, caption = draw.scaling()
        unscaled, scaled = (line.get_ydata()[-1] for line in fig.axes[0].lines)
        assert f"deviation {unscaled:.1f}" in caption
        assert f"deviation {scaled:.1f}" in caption


class TestTemperature:
    def test_bars_are_the_softmax(self):
        fig, caption = draw.temperature(tau=0.5, first=1.0)
        heights = [bar.get_height() for bar in fig.axes[1].patches]
        scores = torch.tensor([1.0, *draw.SCORES[1:]], dtype=torch.float64)
        np.testing.assert_allclose(heights, (scores / 0.5).softmax(dim=0))
        assert f"largest weight is {max(heights):.2f}" in caption

    @pytest.mark.parametrize(("tau", "first"), [(0.05, -3.0), (0.05, 6.0), (5.0, 6.0), (5.0, -3.0)])
    def test_draws_at_the_ends_of_its_sliders(self, tau, first):
        fig, caption = draw.temperature(tau, first)
        assert sum(bar.get_height() for bar in fig.axes[1].patches) == pytest.approx(1)
        assert "nan" not in caption


def test_masks_are_crossed_where_hidden_and_rows_sum_to_one():
    mask = causal_mask(4)
    fig, caption = draw.masks({"causal": mask, "none": torch.ones(4, 4, dtype=torch.bool)})
    causal, plain = fig.axes
    crossed = {(int(text.get_position()[1]), int(text.get_position()[0])) for text in causal.texts}
    assert crossed == {tuple(place) for place in np.argwhere(~mask.numpy())}
    assert not plain.texts
    for ax in fig.axes:
        np.testing.assert_allclose(heat(ax).sum(axis=1), 1, rtol=1e-6)
    assert (heat(causal)[~mask.numpy()] == 0).all()
    assert "causal, 10 of 16 pairs allowed" in caption


class TestPositions:
    def test_hands_are_turned_by_the_shift_alone(self):
        for position in (0, 11):
            fig, caption = draw.positions(position=position, shift=4, pair=2, d=8)
            angles = [np.arctan2(*reversed([data[1] for data in line.get_data()])) for line in fig.axes[1].lines[1:]]
            turned = np.degrees(angles[1] - angles[0]) % 360
            assert turned == pytest.approx(np.degrees(4 * 10_000 ** (-2 / 8)))
            assert f"turns pair 2 by {turned:.1f}°" in caption

    @pytest.mark.parametrize("values", [(0, 0, 1), (40, 19, 16), (40, 0, 16), (0, 19, 1)])
    def test_draws_at_the_ends_of_its_sliders(self, values):
        fig, caption = draw.positions(*values)
        assert heat(fig.axes[0]).shape == (60, 32)
        assert "nan" not in caption


class TestMaps:
    KOREAN = "삼백이십일, 오"

    @pytest.mark.parametrize("which", list(draw.WHICH))
    def test_rows_are_the_weights_of_one_query(self, model, which):
        fig, caption = draw.attention_map(model, self.KOREAN, which, layer=2, head=1)
        weights = heat(fig.axes[0])
        written = draw.greedy(model, self.KOREAN)
        shape = {"encoder": (7, 7), "decoder": (len(written),) * 2, "cross": (len(written), 7)}
        assert weights.shape == shape[which]
        np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)
        if which == "decoder":
            assert np.triu(weights, 1).max() == 0
        assert "layer 2, head 1" in caption

    def test_they_are_those_of_the_model_by_hand(self, model):
        source, target, maps = draw.written_maps(model, self.KOREAN)
        assert source == list("삼백이십일,오")
        tokens = [ENGLISH.tokens.index(token) for token in target]
        memory = model.encode(torch.tensor([KOREAN.encode(self.KOREAN)]))
        block, given = model.decoder[0], torch.tensor([[BEGIN, *tokens[:-1]]])
        x = model.target_embedding(given) * 4 + model.positions[: given.shape[1]]  # 4 is the root of d
        x = x + block.attention(block.attention_norm(x), causal=True)
        query = block.cross.split_heads(block.cross.project(block.cross_norm(x)))[0]
        key = block.cross.split_heads(block.cross.project(memory))[1]
        weights = (query @ key.transpose(-1, -2) / 8**0.5).softmax(dim=-1)[0]
        np.testing.assert_allclose(maps["decoder.0.cross"], weights.detach(), atol=1e-5)

    def test_all_heads_are_drawn_in_their_place(self, model):
        fig, caption = draw.all_heads(model, self.KOREAN)
        maps = draw.written_maps(model, self.KOREAN)[2]
        for ax, (layer, head) in zip(fig.axes, [(0, 0), (0, 1), (1, 0), (1, 1)], strict=True):
            np.testing.assert_array_equal(heat(ax), maps[f"decoder.{layer}.cross"][head])
        largest = maps["decoder.1.cross"][1].max(axis=-1).mean()
        assert caption.endswith(f"{largest:.2f}.")

    def test_no_tick_is_hangul(self, model):
        for fig, _ in (draw.attention_map(model, self.KOREAN), draw.all_heads(model, self.KOREAN)):
            ticks = [tick.get_text() for ax in fig.axes for tick in (*ax.get_xticklabels(), *ax.get_yticklabels())]
            assert not any("가" <= letter <= "힣" for text in ticks for letter in text)

    def test_a_sentence_too_long_to_draw_is_refused_with_its_length(self, model):
        with pytest.raises(ValueError, match=r"at most 64 tokens can be drawn, got 79 in Korean"):
            draw.attention_map(model, ", ".join(["일"] * 40))


class TestTyping:
    def test_digits_are_spelt_out(self):
        assert draw.read_korean("321, 오") == KOREAN.encode("삼백이십일, 오")

    @pytest.mark.parametrize("text", ["", "   "])
    def test_nothing_typed_is_said_so(self, text):
        with pytest.raises(ValueError, match="type a number in Korean"):
            draw.read_korean(text)

    def test_what_is_no_number_is_named(self):
        with pytest.raises(ValueError, match="'과' in '사과'"):
            draw.read_korean("사과")

    def test_translated_tells_the_probability_of_the_whole(self, model):
        fig, caption = draw.translated(model, "삼백")
        heights = [bar.get_height() for bar in fig.axes[0].patches]
        assert len(heights) == len(draw.greedy(model, "삼백"))
        assert f"the whole sentence has {draw.certainty(np.prod(heights))}" in caption
        log_prob = model.translate(torch.tensor([KOREAN.encode("삼백")])).log_prob.item()
        assert np.sum(np.log(heights)) == pytest.approx(log_prob, abs=1e-4)


class TestDecodingStep:
    def test_bars_are_the_next_tokens_probabilities_largest_first(self, model):
        fig, caption = draw.decoding_step(model, "삼백이", step=2, top=4)
        first = draw.greedy(model, "삼백이")[:1]
        p = draw.next_probabilities(model, "삼백이", first)
        widths = [bar.get_width() for bar in fig.axes[0].patches]
        np.testing.assert_allclose(widths, np.sort(p)[::-1][:4])
        assert p.sum() == pytest.approx(1, abs=1e-5)
        assert f'is "{ENGLISH.tokens[p.argmax()]}", with' in caption

    def test_a_step_after_the_end_is_the_last(self, model):
        length = len(draw.greedy(model, "삼백이"))
        _, caption = draw.decoding_step(model, "삼백이", step=40)
        assert caption.startswith(f"Step {length} of {length}")

    def test_every_bar_is_seen(self, model):
        fig, _ = draw.decoding_step(model, "삼백이", step=2, top=6)
        ax = fig.axes[0]
        assert min(bar.get_width() for bar in ax.patches) > ax.get_xlim()[0]

    def test_a_probability_near_one_is_not_written_as_one(self):
        assert draw.certainty(0.5) == "0.50"
        assert draw.certainty(0.99996) == "more than 0.99"

    def test_small_probabilities_are_written_with_powers_of_ten(self):
        assert draw.small(0.000234) == "2·10⁻⁴"
        assert draw.small(4e-12) == "4·10⁻¹²"

"""Lesson 6's drawings: every part is there, under the name that it has in the code."""

import pytest
import torch
from matplotlib.patches import Ellipse

from course_utils.data.translation import KOREAN
from course_utils.figures import transformer as draw
from course_utils.models.attention import Block, MultiHeadAttention
from course_utils.models.transformer import Transformer, TransformerConfig

SOURCE, TARGET = list("삼백이십일"), ["three", "hundred", "and", "twenty", "-", "one"]


def texts(fig):
    return [text.get_text() for ax in fig.axes for text in ax.texts]


def test_every_korean_token_has_latin_letters_of_its_own():
    shown = draw.latin(KOREAN.tokens)
    assert len(set(shown)) == len(shown)
    assert all(token.isascii() for token in shown)
    assert draw.latin(["삼", ",", "백"], numbers=False) == ["sam", ",", "baek"]


def test_no_figure_holds_hangul_which_no_font_on_a_bare_system_has():
    for fig, _ in (draw.ovals(SOURCE, TARGET), draw.bottleneck(SOURCE, TARGET), draw.architecture(), draw.derived()):
        assert not any("가" <= letter <= "힣" for text in texts(fig) for letter in text)


def test_ovals_ask_for_the_last_token():
    fig, caption = draw.ovals(SOURCE, TARGET[:4])
    assert sum(isinstance(patch, Ellipse) for patch in fig.axes[0].patches) == 2
    assert "[BEGIN] three hundred and" in texts(fig)
    assert "next:\ntwenty" in texts(fig)
    assert "all 5 source tokens" in caption


def test_bottleneck_draws_one_vector_above_and_all_states_below():
    fig, caption = draw.bottleneck(SOURCE, TARGET)
    above, below = fig.axes
    assert "c" in [text.get_text() for text in above.texts]
    assert "c" not in [text.get_text() for text in below.texts]
    assert (len(above.lines), len(below.lines)) == (0, len(SOURCE))
    assert "6 words" in caption


class TestArchitecture:
    def test_every_part_of_a_block_is_drawn_once(self):
        block = Block(8, 2, 16, cross=True)
        parts = {name for name, _ in block.named_children()} - {"dropout"}
        drawn = " ".join(code for _, code, _ in draw.DECODER_PARTS)
        assert {name for name in parts if f"block.{name}" in drawn} == parts
        without = {name for name, _ in Block(8, 2, 16).named_children()} - {"dropout"}
        drawn = " ".join(code for _, code, _ in draw.ENCODER_PARTS)
        assert {name for name in without if f"block.{name}" in drawn} == without

    def test_names_in_the_figure_are_names_in_the_code(self):
        model = Transformer(TransformerConfig(source_vocabulary=5, target_vocabulary=6, d=8, heads=2, mlp=8))
        block = model.decoder[0]
        for _, code, _ in (*draw.ENCODER_PARTS, *draw.DECODER_PARTS):
            name, _, kind = code.removeprefix("block.").replace(",", ":").partition(":")
            part = getattr(block, name)
            assert kind.strip() in (type(part).__name__, "causal=True", "")
        shown = texts(draw.architecture()[0])
        assert "model.head: nn.Linear, (B, T, V)" in shown
        assert isinstance(model.head, torch.nn.Linear)
        for _, code, _ in draw.DECODER_PARTS:
            assert code in shown


class TestMultiHead:
    @pytest.fixture
    def drawn(self):
        torch.manual_seed(0)
        layer = MultiHeadAttention(6, 2)
        x = torch.randn(4, 6)
        return x, layer, draw.multi_head(x, layer)

    def test_the_last_panel_is_the_layers_output(self, drawn):
        x, layer, (fig, caption) = drawn
        shown = {ax.get_title("left"): torch.tensor(ax.images[0].get_array()) for ax in fig.axes}
        torch.testing.assert_close(shown["mixed"], layer(x[None])[0].detach())
        torch.testing.assert_close(shown["tokens x"], x)
        assert "4 tokens of width 6 go through 2 heads of width 3" in caption

    def test_weights_of_each_head_sum_to_one_and_give_the_weighted_values(self, drawn):
        _, layer, (fig, _) = drawn
        panels = [ax for ax in fig.axes if ax.get_xlabel().startswith("(4, ")]
        matrices = [torch.tensor(ax.images[0].get_array()) for ax in panels]
        for head in (matrices[:5], matrices[5:]):
            query, key, value, weights, output = head
            torch.testing.assert_close(weights.sum(dim=1), torch.ones(4))
            torch.testing.assert_close((query @ key.T / 3**0.5).softmax(dim=1), weights)
            torch.testing.assert_close(weights @ value, output)
        mixed = layer.out(torch.cat([matrices[4], matrices[9]], dim=1)).detach()
        shown = {ax.get_title("left"): torch.tensor(ax.images[0].get_array()) for ax in fig.axes}
        torch.testing.assert_close(shown["mixed"], mixed)


@pytest.mark.parametrize("lesson", [6, 7, 8])
def test_derived_models_name_the_lessons_that_treat_them(lesson):
    fig, caption = draw.derived(lesson)
    shown = " ".join(texts(fig))
    for number, text in {6: "{}\nBART", 7: "BERT (2018): {}", 8: "GPT (2018): {}"}.items():
        assert text.format("this lesson" if number == lesson else f"lesson {number}") in shown
    assert shown.count("this lesson") == caption.count("this lesson") == 1


def test_a_lesson_without_a_family():
    with pytest.raises(ValueError, match="lesson must be 6, 7 or 8.*got 5"):
        draw.derived(5)

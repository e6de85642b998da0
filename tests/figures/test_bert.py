"""Lesson 7's figures of what BERT reads and of one blank: what they draw is what the data say."""

import numpy as np
import pytest
import torch

from course_utils.data.masking import mask_tokens
from course_utils.data.wordpiece import CLS, MASK, SEP, docstring_tokenizer
from course_utils.figures import bert as draw
from course_utils.models.bert import Bert, BertConfig
from course_utils.optima.hmm import course_language


@pytest.fixture(scope="module")
def tokenizer():
    return docstring_tokenizer()


def texts(fig):
    return [text.get_text() for ax in fig.axes for text in ax.texts]


class TestTwoWays:
    def test_arrows_come_from_what_may_be_used(self):
        fig, caption = draw.two_ways(list("abcde"), blank=1)
        past, both = ([text.xyann[0] for text in ax.texts if text.get_text() == ""] for ax in fig.axes)
        assert past == [0]
        assert both == [0, 2, 3, 4]
        assert "the 1 words before it, a; BERT uses all 4 others, also c d e" in caption

    def test_the_blank_is_not_shown(self):
        fig, _ = draw.two_ways(list("abcde"), blank=1)
        assert [[text.get_text() for text in ax.texts].count("?") for ax in fig.axes] == [1, 1]
        assert "b" not in texts(fig)


class TestReading:
    def test_pair(self, tokenizer):
        ids, segments = draw.pair_of(tokenizer, "the array", "a sum of it")
        assert ids == [CLS, *tokenizer.encode("the array").ids, SEP, *tokenizer.encode("a sum of it").ids, SEP]
        assert segments == [0, 0, 0, 0, 1, 1, 1, 1, 1]

    def test_one_text_has_one_segment(self, tokenizer):
        ids, segments = draw.pair_of(tokenizer, "the array")
        assert (ids[0], ids[-1], set(segments)) == (CLS, SEP, {0})

    def test_pieces_segments_and_positions_are_drawn(self, tokenizer):
        fig, caption = draw.reading(tokenizer, "the array", "preconditioned")
        shown = texts(fig)
        pieces = ["[CLS]", "the", "array", "[SEP]", *tokenizer.encode("preconditioned").tokens, "[SEP]"]
        n = len(pieces)
        assert shown[: 3 * n : 3] == pieces
        assert shown[1 : 3 * n : 3] == ["A"] * 4 + ["B"] * (n - 4)
        assert shown[2 : 3 * n : 3] == [str(t) for t in range(n)]
        cut = sum(piece.startswith("##") for piece in pieces)
        assert cut > 0
        assert f"{cut} of them go on with a word" in caption

    def test_a_long_text_is_cut_and_says_so(self, tokenizer):
        fig, caption = draw.reading(tokenizer, "the array " * 30)
        assert f"Only the first {draw.MOST_PIECES} are drawn" in caption
        assert str(draw.MOST_PIECES) not in texts(fig)


class TestMasking:
    tokens = torch.tensor([CLS, 70, 71, 72, 73, SEP])
    shown = torch.tensor([CLS, MASK, 99, 72, 73, SEP])
    chosen = torch.tensor([False, True, True, True, False, False])

    def test_fates(self):
        expected = ["left alone", "[MASK]", "random", "stays", "left alone", "left alone"]
        assert draw.fates(self.tokens, self.shown, self.chosen) == expected

    def test_what_is_asked_stands_below_the_chosen(self, tokenizer):
        fig, caption = draw.masking(tokenizer, self.tokens, self.shown, self.chosen)
        names = [tokenizer.id_to_token(i) for i in (70, 71, 72)]
        below = [text for text in texts(fig) if text.endswith("?")]
        assert below == [f"{names[0]}?", f"≠ {names[1]}?", f"= {names[2]}?"]
        assert "6 tokens, 3 of them chosen: 1 hidden by [MASK], 1 replaced by a random piece, 1 left" in caption

    def test_fates_of_the_courses_masking(self):
        tokens = torch.randint(5, 900, (40, 50), generator=torch.Generator().manual_seed(0))
        shown, chosen = mask_tokens(
            tokens, tokens > 0, mask=MASK, vocabulary=900, generator=torch.Generator().manual_seed(1)
        )
        names = [name for row in zip(tokens, shown, chosen, strict=True) for name in draw.fates(*row)]
        assert names.count("left alone") == (~chosen).sum()
        assert names.count("[MASK]") == (shown == MASK).sum()


@pytest.mark.parametrize("positions", ["learned", "rotary"])
def test_names_in_the_stack_are_names_in_the_code(positions):
    config = BertConfig(vocabulary=30, d=8, heads=2, mlp=8, positions=positions)
    fig, caption = draw.stack(config)
    model, words = Bert(config), " ".join(texts(fig))
    assert ("+ positions +" in words) == (model.positions is not None)
    assert ("turned by position" in words) == (model.positions is None)
    assert f"the sum of {'three' if positions == 'learned' else 'two'} embeddings" in caption
    for name, _ in model.named_children():
        if name not in ("dropout", "blocks", "norm"):
            assert name in words
    assert f"{config.layers} × Block" in words
    assert "4 blocks of width 8 and 2 heads" in caption


class TestBlank:
    language = course_language()
    x = language.sample(3, 12, np.random.default_rng(0))[0]

    def test_bars_are_the_exact_probabilities(self):
        fig, caption = draw.blank(self.language, self.x, sentence=2, position=5)
        past, both = np.exp(self.language.log_past(self.x)[1, 4]), np.exp(self.language.log_both_sides(self.x)[1, 4])
        heights = [[patch.get_height() for patch in group] for group in fig.axes[0].containers]
        order = [draw.WORDS.index(label.get_text()[0]) for label in fig.axes[0].get_xticklabels()]
        np.testing.assert_allclose(heights[0], past[order])
        np.testing.assert_allclose(heights[1], both[order])
        assert both[order[0]] == both.max()
        true = self.x[1, 4]
        assert f"the past, exact {past[true]:.2f}, both sides, exact {both[true]:.2f}" in caption

    def test_a_models_bars_stand_beside_them(self):
        calls = []

        def predict(x, hidden):
            calls.append((x.copy(), hidden.copy()))
            return np.log(np.full((1, 12, 24), 1 / 24))

        fig, _ = draw.blank(self.language, self.x, predict, sentence=3, position=12)
        np.testing.assert_allclose([patch.get_height() for patch in fig.axes[0].containers[2]], 1 / 24)
        ((x, hidden),) = calls
        np.testing.assert_array_equal(x, self.x[2:])
        assert np.flatnonzero(hidden).tolist() == [11]


def test_by_share_draws_curves_and_points():
    curves = {"past": (draw.PAST, [2.0, 2.5]), "both": (draw.BOTH, [1.5, 2.4])}
    fig, caption = draw.by_share([0.15, 1.0], curves, [("BERT", draw.MODEL, [1.6, 2.45])])
    ax = fig.axes[0]
    assert [line.get_ydata().tolist() for line in ax.lines] == [[2.0, 2.5], [1.5, 2.4]]
    np.testing.assert_allclose(ax.collections[0].get_offsets(), [[0.15, 1.6], [1.0, 2.45]])
    assert "from 15% to 100% hidden: past 2.00 to 2.50; both 1.50 to 2.40; BERT 1.60 to 2.45" in caption


def test_scored_is_the_mean_of_the_hidden_words():
    log_p = np.log(np.array([[[0.5, 0.5], [0.25, 0.75]], [[0.1, 0.9], [0.2, 0.8]]]))
    x, hidden = np.array([[0, 1], [1, 0]]), np.array([[True, False], [False, True]])
    assert draw.scored(log_p, x, hidden) == pytest.approx(-(np.log(0.5) + np.log(0.2)) / 2)

"""Lesson 7's results as they are drawn: every number of a figure is one of the record, or of the model."""

import contextlib

import numpy as np
import pytest
import torch

from course_utils.data.wordpiece import MASK, PIECES, docstring_tokenizer
from course_utils.figures import bert_results as draw
from course_utils.figures.bert import BOTH, MODEL, PAST, pair_of
from course_utils.models.attention import recorded
from course_utils.models.bert import Bert, BertConfig


@pytest.fixture(scope="module")
def tokenizer():
    return docstring_tokenizer()


class TestCurve:
    log = ({"step": 1, "loss": 3.0}, {"step": 10, "test loss": 2.5}, {"step": 20, "test loss": 2.0})

    def test_points_are_those_of_the_log_that_were_evaluated(self):
        fig, caption = draw.curve(self.log, "test loss", {"known": (BOTH, 1.8)}, ylabel="nats")
        lines = {line.get_label(): line for line in fig.axes[0].lines}
        assert lines["the shipped model"].get_xydata().tolist() == [[10, 2.5], [20, 2.0]]
        assert set(lines["known, 1.80"].get_ydata()) == {1.8}
        assert "from 2.50 at step 10 to 2.00 at step 20. Beside it: known 1.80" in caption

    def test_a_live_training_beside_it(self):
        fig, _ = draw.curve(self.log, "test loss", {}, ylabel="nats", live=("here", [5, 6], [2.4, 2.3]))
        assert fig.axes[0].lines[1].get_ydata().tolist() == [2.4, 2.3]


def test_against_shows_each_word_and_the_mean_excess():
    exact, found, known = np.array([-1.0, -2.0, -0.5]), np.array([-1.2, -1.95, -0.7]), np.array([-1.5, -2.5, -1.0])
    fig, caption = draw.against(exact, found, known)
    np.testing.assert_allclose(fig.axes[0].collections[0].get_offsets(), np.column_stack([exact, found]))
    assert sum(patch.get_height() for patch in fig.axes[1].containers[0]) == 3
    assert "BERT is 0.117 nats over the optimum on average and within 0.1 nats for 33% of them" in caption
    assert "0.50 nats over it" in caption


def test_floors_draws_each_models_accuracy_and_nats():
    rows = {"frequencies": {"nats": 6.0, "accuracy": 0.05}, "BERT": {"nats": 3.0, "accuracy": 0.4}}
    fig, caption = draw.floors(rows)
    assert [[patch.get_width() for patch in ax.patches] for ax in fig.axes] == [[0.05, 0.4], [6.0, 3.0]]
    assert f"BERT 40.0%, 3.00 nats, perplexity {np.exp(3):.0f}" in caption


class TestCandidates:
    def functions(self):
        def one(tokens):
            assert tokens.tolist()[0][2] == MASK
            return torch.full((1, tokens.shape[1], PIECES), 1e-4).index_fill(2, torch.tensor([700]), 0.6).log()

        def two(tokens):
            return torch.full((1, tokens.shape[1], PIECES), 1e-4).index_fill(2, torch.tensor([800]), 0.3).log()

        return {"BERT": one, "before": two}

    def test_each_models_own_candidates(self, tokenizer):
        fig, caption = draw.candidates(self.functions(), tokenizer, "the [MASK] array")
        tops = [(ax.get_title("left"), ax.patches[0].get_width()) for ax in fig.axes]
        assert [name for name, _ in tops] == ["BERT", "before"]
        np.testing.assert_allclose([p for _, p in tops], [0.6, 0.3], rtol=1e-6)
        assert f"BERT: {tokenizer.id_to_token(700)} 0.60" in caption
        assert f"before: {tokenizer.id_to_token(800)} 0.30" in caption

    def test_a_text_without_a_gap(self, tokenizer):
        with pytest.raises(ValueError, match=r"write \[MASK\] where BERT is to guess"):
            draw.candidates(self.functions(), tokenizer, "the array")


class TestAttention:
    @pytest.fixture
    def model(self):
        torch.manual_seed(0)
        config = BertConfig(vocabulary=PIECES, length=32, d=16, heads=2, layers=2, mlp=16)
        return Bert(config).eval()

    def test_map_is_the_heads_weights(self, model, tokenizer):
        fig, caption = draw.attention_map(model, tokenizer, "the mean", "of it", layer=2, head=1)
        ids, segments = pair_of(tokenizer, "the mean", "of it")
        with torch.no_grad(), recorded(model) as maps:
            model(torch.tensor([ids]), torch.tensor([segments]))
        np.testing.assert_allclose(fig.axes[0].images[0].get_array(), maps["blocks.1.attention"][0, 0].numpy())
        assert [label.get_text() for label in fig.axes[0].get_xticklabels()][:3] == ["[CLS]", "the", "mean"]
        assert caption.startswith("Layer 2, head 1: ")

    def test_the_step_is_the_median_one(self, model, tokenizer, monkeypatch):
        weights = torch.eye(6).roll(-1, dims=1)  # each piece looks at the one before it, the first at the last
        monkeypatch.setattr(
            draw, "recorded", lambda _: contextlib.nullcontext({"blocks.0.attention": weights[None, None]})
        )
        _, caption = draw.attention_map(model, tokenizer, "the mean of it")
        assert "the median step from a piece to where it looks most is −1." in caption

    def test_profiles_are_stacked_to_one(self):
        profiles = {"special": np.array([[0.2, 0.9]]), "others": np.array([[0.8, 0.1]])}
        fig, caption = draw.head_profiles(profiles)
        special, others = ([patch.get_height() for patch in group] for group in fig.axes[0].containers)
        np.testing.assert_allclose(np.add(special, others), 1)
        assert special == [0.2, 0.9]
        assert "special 90% in layer 1, head 2; others 80% in layer 1, head 1" in caption


def test_fine_tuned_draws_means_and_extremes():
    task = {
        "sizes": [10, 100],
        "kinds": {"from scratch": [[0.2, 0.4], [0.5, 0.7]], "fine-tuned": [[0.6, 0.8], [0.8, 0.9]]},
        "floor": ("chance", 1 / 3),
    }
    fig, caption = draw.fine_tuned({"NLI": task})
    drawn = {group.get_label(): group for group in fig.axes[0].containers}
    np.testing.assert_allclose(drawn["from scratch"].lines[0].get_ydata(), [0.3, 0.6])
    low, high = (cap.get_ydata() for cap in drawn["fine-tuned"].lines[1])
    np.testing.assert_allclose(low, [0.6, 0.8])
    np.testing.assert_allclose(high, [0.8, 0.9])
    np.testing.assert_allclose(drawn["fine-tuned"].lines[0].get_xdata(), [10, 100])
    assert "NLI with 100 labels: from scratch 60%, fine-tuned 85%, chance 33%" in caption


def test_kinds_of_one_size_stand_side_by_side():
    task = {"sizes": [100], "kinds": {"from scratch": [[0.2]], "frozen": [[0.2]]}, "floor": ("chance", 0.25)}
    fig, _ = draw.fine_tuned({"QA": task})
    places = [group.lines[0].get_xdata()[0] for group in fig.axes[0].containers]
    np.testing.assert_allclose(np.prod(places), 100**2)
    assert places[0] < 100 < places[1]


def test_scores_draws_sentences_and_the_odd_one():
    likelihood, values = np.array([-2.0, -1.5]), np.array([-1.6, -1.2])
    fig, caption = draw.scores(likelihood, {"exact": (BOTH, values)}, [("odd", -3.0, -1.3)])
    sentences, odd = fig.axes[0].collections
    np.testing.assert_allclose(sentences.get_offsets(), np.column_stack([likelihood, values]))
    np.testing.assert_allclose(odd.get_offsets(), [[-3.0, -1.3]])
    assert "exact log p(x) −1.75 on average" in caption
    assert "odd: log p(x) −3.00, pseudo −1.30" in caption


def test_signed_leaves_hyphens_alone():
    assert draw.signed("pseudo-2 of -1.5, x-y, (-3)") == "pseudo-2 of −1.5, x-y, (−3)"


def test_chains_draws_each_sweep():
    row = {"log p": [-4.0, -2.1], "distance": [0.7, 0.1]}
    record = {"bert": row, "exact": {"log p": [-4.0, -2.0], "distance": [0.7, 0.05]}}
    record["language"] = {"log p": [-1.9], "distance": [0.02]}
    fig, caption = draw.chains(record)
    assert fig.axes[0].lines[1].get_ydata().tolist() == [-4.0, -2.1]
    assert fig.axes[1].lines[0].get_ydata().tolist() == [0.7, 0.05]
    assert set(fig.axes[1].lines[2].get_ydata()) == {0.02}
    assert "log p(x) a word −4.00, then −2.10 (exact −2.00, the language −1.90)" in caption
    assert "total variation of the pairs of neighbours 0.70, then 0.10 (exact 0.05, the language 0.02)" in caption


def test_excess_is_over_the_optimum_of_the_same_words():
    def row(over):
        return {"optimum": [1.7, 0.01], "left": [2.05, 0.01], "frequencies": [2.6, 0.01], "over": [over, 0.001]}

    record = {"one blank": {k: v for k, v in row(0.01).items() if k != "frequencies"}}
    record["shares"] = {"0.05": row(0.012), "0.15": row(0.018)}
    fig, caption = draw.excess(record)
    frequencies, past, over = (line.get_ydata() for line in fig.axes[0].lines[:3])
    np.testing.assert_allclose(frequencies, [np.nan, 0.9, 0.9])
    np.testing.assert_allclose(past, 0.35)
    np.testing.assert_allclose(over, [0.01, 0.012, 0.018])
    assert "0.018 nats over the optimum (standard error 0.001), the best reader of the past 0.35" in caption
    assert [MODEL.color, PAST.color] == [fig.axes[0].lines[2].get_color(), fig.axes[0].lines[1].get_color()]

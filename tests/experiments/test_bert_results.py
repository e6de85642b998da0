"""Lesson 7's stored experiments: measured again in part, and what they show."""

import numpy as np
import pytest
import torch

from course_utils.data.pairs import SentencePairs
from course_utils.data.shipped import checkpoint
from course_utils.data.text import docstrings
from course_utils.data.wordpiece import CLS, SEP, docstring_tokenizer
from course_utils.experiments import bert_docstrings, bert_hmm
from course_utils.experiments.results import load
from course_utils.recipes import bert
from course_utils.training.loop import load as load_model


class TestHmm:
    def test_the_shipped_model_again(self):
        """Fewer sentences, so within four standard errors of the stored excess; the optimum is below everybody."""
        model = load_model(checkpoint("bert-hmm"), bert)
        stored = load("bert_hmm")["results"]["shares"]["0.15"]
        again = bert_hmm.by_share(model, bert_hmm.CONFIG | {"sentences": 256, "shares": [0.15]})["0.15"]
        assert abs(again["over"][0] - stored["over"][0]) < 4 * np.hypot(again["over"][1], stored["over"][1])
        assert again["optimum"][0] < again["bert"][0] < again["left"][0] < again["frequencies"][0]

    def test_the_excess_is_small_for_every_share(self):
        results = load("bert_hmm")["results"]
        for row in (*results["shares"].values(), results["one blank"]):
            mean, error = row["over"]
            assert mean - 2 * error > 0
            assert mean + 2 * error < 0.05
            assert row["left"][0] - row["optimum"][0] > 5 * mean

    def test_the_walks_begin_alike_and_come_near_to_the_language(self):
        walks = load("bert_hmm")["results"]["gibbs"]
        assert walks["bert"]["log p"][0] == walks["exact"]["log p"][0]
        assert walks["language"]["log p"][0] - walks["bert"]["log p"][-1] < 0.15
        assert walks["bert"]["distance"][-1] < 0.25 * walks["bert"]["distance"][0]

    def test_pairs_of_neighbours_are_a_distribution_and_those_of_long_texts(self):
        p = bert_hmm.pairs_of_neighbours()
        assert p.sum() == pytest.approx(1)
        np.testing.assert_allclose(p.sum(axis=1), p.sum(axis=0), atol=1e-12)  # the language is stationary
        assert bert_hmm.distance(bert.LANGUAGE.sample(400, 300, np.random.default_rng(0))[0]) < 0.03


class TestBigrams:
    rows = ([CLS, 10, 11, 10, 12, SEP], [CLS, 11, 10, SEP])

    def test_rows_are_distributions(self):
        bigrams = bert_docstrings.Bigrams(self.rows)
        np.testing.assert_allclose(bigrams.after(np.array([10, 12, 4000])).sum(axis=1), 1)
        between = bigrams.between(np.array([10, 11]), np.array([12, 10]))
        np.testing.assert_allclose(between.sum(axis=1), 1)

    def test_both_neighbours_by_bayes_theorem(self):
        bigrams = bert_docstrings.Bigrams(self.rows)
        some = np.array([10, 11, 12, 700])
        joint = bigrams.after(np.array([11]))[0, some] * bigrams.after(some)[:, 12]  # p(· | 11) p(12 | ·)
        found = bigrams.between(np.array([11]), np.array([12]))[0, some]
        np.testing.assert_allclose(found / found.sum(), joint / joint.sum())


@pytest.mark.slow
def test_held_out_pieces_and_pairs_again():
    """The first 256 of the stored 2,048 pairs: within four standard errors, and ahead of the piece before."""
    tokenizer, model = docstring_tokenizer(), load_model(checkpoint("bert-docstrings"), bert)
    sentences = {part: [document.sentences for document in docstrings(part)] for part in ("train", "test")}
    rows = tokenizer.encode_batch([" ".join(text) for text in sentences["train"]])
    bigrams = bert_docstrings.Bigrams([[CLS, *row.ids, SEP] for row in rows])
    test = SentencePairs(sentences["test"], tokenizer, length=model.config.length, size=2048)
    with torch.no_grad():
        again = bert_docstrings.measure({"pairs": 256}, model, test, bigrams)
    stored = load("bert_docstrings")["results"]
    for name, row in stored["mlm"].items():
        assert abs(again["mlm"][name]["accuracy"] - row["accuracy"]) < 4 * np.sqrt(0.25 / again["tokens"]), name
        assert again["mlm"][name]["nats"] == pytest.approx(row["nats"], abs=0.25), name
    assert abs(again["nsp"]["bert"] - stored["nsp"]["bert"]) < 4 * np.sqrt(0.14 / 256)
    kinds = stored["mlm by shown"]
    assert sum(kind["tokens"] for kind in kinds.values()) == stored["tokens"]
    for name, row in stored["mlm"].items():  # the whole is the mean of its parts
        for measured in ("nats", "accuracy"):
            parts = sum(kind["tokens"] * kind[name][measured] for kind in kinds.values())
            assert parts / stored["tokens"] == pytest.approx(row[measured], abs=1e-4)
    order = ["bert", "both neighbours", "piece before", "frequencies"]
    nats = [stored["mlm"][name]["nats"] for name in order]
    assert nats == sorted(nats)


class TestFineTuning:
    def test_pre_training_pays_by_more_than_the_seeds_spread(self):
        tasks = load("bert_tasks")["results"]
        for name in ("nli", "qa"):
            scratch, tuned = (
                np.array([run["accuracy"] for run in tasks[name][kind][-1]]) for kind in ("from scratch", "fine-tuned")
            )
            assert tuned.min() > scratch.max(), name

    def test_libraries_with_few_labels(self):
        results = load("bert_library")["results"]
        tuned, bayes, scratch = (
            np.array(results[name]) for name in ("fine-tuned", "naive Bayes, whole docstrings", "from scratch")
        )
        assert (tuned[:3].min(axis=1) > bayes[:3].max(axis=1)).all()  # 10, 30 and 100 labels
        assert (tuned.min(axis=1) > scratch.max(axis=1)).all()

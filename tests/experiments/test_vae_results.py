"""Lesson 5's stored experiments: two seeds repeated give what is stored, and the lesson's claims hold in them."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from course_utils.data import images
from course_utils.experiments import linear_vae, vae_beta, vae_digits, vae_mnist
from course_utils.experiments.comparison import comparison_rows
from course_utils.experiments.results import load

SUPPLIED = Path(os.environ.get("COURSE_SUPPLIED_DATA", "no such folder"))


def silent(line):
    """No report."""


class TestLinearVAE:
    def test_two_seeds_again(self):
        config = linear_vae.CONFIG
        again = linear_vae.run(config | {"seeds": 2, "latent": [2], "iterations": [1000]}, silent)["2"]
        stored = load("linear_vae")["results"]["2"]
        assert again["optimum"] == pytest.approx(stored["optimum"], abs=1e-9)
        assert again["score"] == pytest.approx(stored["score"], abs=1e-9)
        # Where L-BFGS stands after so many iterations depends on roundings; where it goes does not.
        assert -1e-9 < np.max(again["nats"]) < 1e-3
        assert -1e-9 < np.max(stored["nats"][-1]) < 1e-3
        assert min(np.min(again["cosine"]), np.min(stored["cosine"][-1])) > 0.999

    def test_the_optimum_is_reached_and_the_columns_are_components(self):
        for result in load("linear_vae")["results"].values():
            nats, cosine = np.array(result["nats"]), np.array(result["cosine"])
            assert nats.min() > -1e-9  # no bound exceeds the maximum of the likelihood
            assert nats[-1].max() < 0.01
            assert cosine[-1].min() > 0.99
            assert 0 < result["optimum"] - result["score"] < 1e-4

    def test_the_bound_is_there_before_the_columns_are(self):
        result = load("linear_vae")["results"]["4"]
        at = load("linear_vae")["config"]["iterations"].index(300)
        assert np.max(result["nats"][at]) < 0.01
        assert np.min(result["cosine"][at]) < 0.99


class TestDigits:
    @pytest.fixture
    def results(self):
        return load("vae_digits")["results"]

    @pytest.mark.slow
    def test_two_seeds_again(self, results):
        chosen = {
            name: model | {"choices": {key: [value] for key, value in results["chosen"][name].items()}}
            for name, model in vae_digits.CONFIG["models"].items()
        }
        again = vae_digits.run(vae_digits.CONFIG | {"seeds": 2, "models": chosen, "k": [1, 10, 1000]}, silent)
        for name, asked in results["log p"].items():
            tolerance = 1e-3 if name == "naive Bayes" else 0.05  # a training goes its own way on another processor
            found = again["log p"][name]
            np.testing.assert_allclose(found["held out"], asked["held out"][:2], atol=tolerance)
            np.testing.assert_allclose(found["upside down"], asked["upside down"][:2], rtol=0.03)
            np.testing.assert_allclose(found["noise"], asked["noise"][:2], rtol=0.15)
        columns = [vae_digits.CONFIG["k"].index(k) for k in (1, 10, 1000)]
        for name, stored in results["bounds"].items():
            np.testing.assert_allclose(again["bounds"][name], np.array(stored)[:2, columns], atol=0.05)

    def test_the_best_on_the_validation_set_was_chosen(self, results):
        for name, table in results["choices"].items():
            assert [choice for choice, _ in table] == vae_digits.combinations(vae_digits.CONFIG["models"][name])
            assert results["chosen"][name] == max(table, key=lambda row: row[1])[0]

    def test_the_vae_beats_the_others_by_more_than_two_standard_errors(self, results):
        per_image = {name: np.array(asked["held out"]) for name, asked in results["images"].items()}
        for other in ("naive Bayes", "mixture", "linear VAE"):
            difference = per_image["VAE"] - per_image[other]
            assert difference.mean() > 2 * difference.std() / np.sqrt(len(difference)), other
            assert min(results["log p"]["VAE"]["held out"]) > max(results["log p"][other]["held out"]), other
        for name, asked in results["log p"].items():
            assert per_image[name].mean() == pytest.approx(asked["held out"][0], abs=0.01)

    def test_the_bound_rises_with_k_and_its_noise_is_small(self, results):
        for name, bounds in results["bounds"].items():
            assert np.diff(np.mean(bounds, axis=0)).min() > -0.01
            assert np.mean(bounds, axis=0)[-1] - np.mean(bounds, axis=0)[0] > 0.1
            assert results["monte carlo"][name] < 0.01

    def test_noise_and_digits_upside_down_are_less_likely(self, results):
        for asked in results["log p"].values():
            assert np.mean(asked["held out"]) > np.mean(asked["upside down"]) > np.mean(asked["noise"])

    def test_upside_down_is_half_a_turn(self):
        asked = vae_digits.questions(vae_digits.CONFIG)
        turned = asked["upside down"].reshape(-1, 8, 8)
        np.testing.assert_array_equal(turned, np.rot90(images.binarised_digits("test").images, 2, axes=(1, 2)))
        assert set(np.unique(asked["noise"])) == {0, 1}
        assert abs(asked["noise"].mean() - 0.5) < 0.01

    def test_classes_are_summed_with_their_priors(self, monkeypatch):
        """A model that gives every image of class y the density e^y: log p(x) = log Σ_y p(y) e^y."""
        monkeypatch.setattr(vae_digits, "iwae_bound", lambda model, x, k, generator, y: y.float())
        fixed = vae_digits.CONFIG["models"]["VAE by class"]["fixed"] | {"steps": 1}
        score = vae_digits.fit("VAE by class", fixed, ("fit", "validation"), seed=0)
        share = np.bincount(images.binarised_digits("fit").y) / 1149
        found = score(np.zeros((3, 64)), 10, torch.Generator())
        np.testing.assert_allclose(found, np.log(share @ np.exp(np.arange(10.0))), rtol=1e-5)


class TestBeta:
    @pytest.mark.slow
    def test_two_seeds_again(self):
        again = vae_beta.run(vae_beta.CONFIG | {"seeds": 2, "betas": [1.0, 4.0]}, silent)
        stored = load("vae_beta")["results"]
        for beta, found in again.items():
            np.testing.assert_allclose(np.sum(found["kl"], axis=1), np.sum(stored[beta]["kl"], axis=1)[:2], atol=0.3)
            np.testing.assert_allclose(found["elbo"], stored[beta]["elbo"][:2], atol=0.15)

    def test_the_kl_falls_with_beta_until_nothing_is_left(self):
        stored = load("vae_beta")["results"]
        total = [np.mean(np.sum(found["kl"], axis=1)) for found in stored.values()]
        assert np.all(np.diff(total) < 0)
        assert total[-1] < 0.01
        assert stored["8.0"]["active"] == [0, 0, 0]
        for found in stored.values():
            np.testing.assert_array_equal(found["kl"], -np.sort(-np.array(found["kl"])))
            elbo = np.array(found["reconstruction"]) - np.sum(found["kl"], axis=1)
            np.testing.assert_allclose(found["elbo"], elbo, atol=2e-3)
        best = max(stored, key=lambda beta: np.mean(stored[beta]["elbo"]))
        assert best == "1.0"  # the bound is highest where the loss is the bound


class TestMNIST:
    def test_the_promises(self):
        """The peer's ELBO after 20 epochs in a third of its time, and 105 nats in three times its time."""
        results = load("vae_mnist")["results"]
        for seed in range(load("vae_mnist")["config"]["seeds"]):
            end, peer = results["peer"]["seconds"][seed][-1], results["peer"]["test elbo"][seed][-1]
            for name, bound, share in (("quick", peer, 1 / 3), ("ours", -105, 3)):
                assert results[name]["test elbo"][seed][-1] >= bound
                assert results[name]["seconds"][seed][-1] <= share * end

    @pytest.mark.slow
    def test_one_seed_again(self, monkeypatch):
        if not (SUPPLIED / "mnist-t10k-images-idx3-ubyte.gz").exists():
            pytest.skip("COURSE_DATA has no MNIST test images")
        monkeypatch.setenv("COURSE_DATA", str(SUPPLIED))
        again = vae_mnist.run(vae_mnist.CONFIG | {"seeds": 1}, silent)
        stored = load("vae_mnist")["results"]
        for name, tolerance in (("peer", 0.5), ("quick", 0.7), ("ours", 0.7)):
            assert again[name]["test elbo"][0][-1] == pytest.approx(stored[name]["test elbo"][0][-1], abs=tolerance)
        assert np.diff(again["ours"]["seconds"][0]).min() > 0

    def test_the_peer_estimates_the_same_bound(self):
        """Its formula for the two terms, on its own network, is that of ``elbo`` on the same draw."""
        torch.manual_seed(0)
        peer = vae_mnist.Peer(5, 3, pixels=12)
        x = torch.bernoulli(torch.full((4, 12), 0.5))
        torch.manual_seed(1)
        found = peer(x)
        torch.manual_seed(1)
        hidden = torch.relu(peer.hidden(x))
        q = torch.distributions.Normal(peer.mu(hidden), (0.5 * peer.log_var(hidden)).exp())
        z = q.mean + q.stddev * torch.randn(4, 3)
        logits = peer.pixels(torch.relu(peer.widen(z)))
        log_likelihood = torch.distributions.Bernoulli(logits=logits).log_prob(x).sum()
        kl = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum()
        torch.testing.assert_close(found, kl - log_likelihood)
        with torch.no_grad():
            torch.manual_seed(1)
            assert vae_mnist.peer_elbo(peer, x) == pytest.approx(-found.item() / 4)


def test_the_row_of_the_table_is_what_was_found():
    (row,) = (row for row in comparison_rows() if row["lesson"] == 5)
    nats = [np.max(result["nats"][-1]) for result in load("linear_vae")["results"].values()]
    assert "less than 0.0001 nats" in row["distance"]
    assert max(nats) < 1e-4
    for model in ("VAE", "naive Bayes"):
        mean = np.mean(load("vae_digits")["results"]["log p"][model]["held out"])
        assert f"{mean:.2f}".replace("-", "−") in row["distance"]

"""Lesson 5's measurements as they are drawn; and what its text says of the stored results."""

import numpy as np
import pytest

from course_utils.experiments.results import load
from course_utils.figures import vae_results as draw


class TestBeta:
    def test_what_is_drawn_are_means_of_the_record(self):
        record = load("vae_beta")
        fig, caption = draw.kl_by_dimension(record, np.zeros(16))
        left, right = fig.axes
        shown = dict(zip((line.get_label() for line in left.lines), left.lines))
        np.testing.assert_allclose(shown["β = 2"].get_ydata(), np.mean(record["results"]["2.0"]["kl"], axis=0))
        copies, total, bound = (line.get_ydata() for line in right.lines)
        np.testing.assert_allclose(copies + total, bound, atol=1e-3)  # stored with four decimals
        assert "best at β = 1," in caption

    def test_the_lesson_tells_what_the_record_holds(self):
        results = load("vae_beta")["results"]
        bounds = {float(beta): np.mean(found["elbo"]) for beta, found in results.items()}
        assert max(bounds, key=bounds.get) == 1.0
        for beta in ("4.0", "8.0"):  # nothing of x is left in z
            assert np.max(np.sum(results[beta]["kl"], axis=1)) < 0.01
        by_dimension = np.mean(results["1.0"]["kl"], axis=0)
        assert np.sum(by_dimension < 0.05) >= 2  # "a few dimensions carry next to nothing"
        assert 5.5 < by_dimension.sum() < 6.5  # "about six nats"


class TestBounds:
    def test_exact_value_and_bounds_are_drawn(self):
        record = load("vae_digits")
        ks, bounds = [1, 10], [1.0, 2.5]
        fig, caption = draw.rising_bounds(ks, 3.0, {"a q": bounds}, record, ([1, 100], [-23.4, -23.0]))
        left, right = fig.axes
        assert set(left.lines[0].get_ydata()) == {3.0}
        np.testing.assert_allclose(left.lines[1].get_ydata(), bounds)
        np.testing.assert_allclose(right.lines[1].get_ydata(), np.mean(record["results"]["bounds"]["VAE"], axis=0))
        assert "with a q the bound rises from 1.00 to 2.50 nats, where log p(x) is 3.00" in caption

    def test_stored_bounds_rise_with_k(self):
        for values in load("vae_digits")["results"]["bounds"].values():
            steps = np.diff(np.mean(values, axis=0))
            assert np.all(steps > -0.01)  # estimates: the noise of the draws
            assert steps.sum() > 0.2

    def test_the_gap_is_what_the_lesson_says(self):
        values = np.mean(load("vae_digits")["results"]["bounds"]["VAE"], axis=0)
        assert 0.35 < values[-1] - values[0] < 0.5  # "about 0.4 nats"


class TestOptimum:
    def test_distances_are_those_of_the_record(self):
        record = load("linear_vae")
        fig, caption = draw.distance_to_pca(record, {8: (1000, 1e-3, 0.5)})
        nats = np.array(record["results"]["8"]["nats"])
        shown = fig.axes[0].lines[record["config"]["latent"].index(8)]
        np.testing.assert_allclose(shown.get_ydata(), np.median(np.maximum(nats, draw.FLOOR), axis=1))
        stars = [
            collection.get_offsets()[0] for collection in (fig.axes[0].collections[-1], fig.axes[1].collections[-1])
        ]
        np.testing.assert_allclose(stars, [(1000, 1e-3), (1000, 0.5)])
        assert f"{nats[-1].max():.1g} nats" in caption

    def test_the_optimum_is_reached(self):
        for result in load("linear_vae")["results"].values():
            assert np.max(result["nats"][-1]) < 0.01
            assert np.min(result["cosine"][-1]) > 0.99


class TestHeldOut:
    def test_means_and_this_lessons_run(self):
        record = load("vae_digits")
        fig, caption = draw.held_out(record, {"VAE": -23.1})
        names = [label.get_text() for label in fig.axes[0].get_yticklabels()]
        assert names == list(draw.ORDER[::-1])
        mean = np.mean(record["results"]["log p"]["mixture"]["held out"])
        assert f"mixture {draw.signed(mean, 2)}" in caption
        offsets = np.concatenate([collection.get_offsets() for collection in fig.axes[0].collections])
        assert any(np.allclose(place, (-23.1, names.index("VAE"))) for place in offsets)

    def test_the_lesson_tells_what_the_record_holds(self):
        result = load("vae_digits")["results"]
        mean = {name: np.mean(values["held out"]) for name, values in result["log p"].items()}
        for rival, lead in (("naive Bayes", 1.0), ("linear VAE", 0.6), ("mixture", 0.3)):
            assert mean["VAE"] - mean[rival] == pytest.approx(lead, abs=0.05)
        assert mean["VAE by class"] - mean["VAE"] == pytest.approx(0.5, abs=0.05)
        assert max(mean.values()) - min(mean.values()) < 2
        ahead = np.subtract(*(result["images"][name]["held out"] for name in ("VAE", "mixture")))
        assert ahead.std() / np.sqrt(len(ahead)) == pytest.approx(0.1, abs=0.05)
        assert result["chosen"]["mixture"]["n_components"] == 30

    def test_what_is_said_of_strange_images(self):
        images = load("vae_digits")["results"]["images"]
        ahead = {}
        for name in ("naive Bayes", "mixture", "linear VAE", "VAE"):
            familiar = np.array(images[name]["held out"])[:, None]
            assert np.all(familiar > np.array(images[name]["noise"]))
            ahead[name] = np.mean(familiar > np.array(images[name]["upside down"]))
        assert max(ahead, key=ahead.get) == "mixture"
        assert np.mean(images["VAE"]["held out"]) > np.mean(images["mixture"]["held out"])


def test_opinions_tell_means_and_the_middle_of_each_kind():
    values = np.linspace(-30, -20, 101)
    fig, caption = draw.opinions({"one": {"a b": values, "c": values - 50}, "two": {"a b": values, "c": values}})
    bar = fig.axes[0].patches[1]
    assert (bar.get_y(), bar.get_y() + bar.get_height()) == pytest.approx((-79.5, -70.5))
    assert "one −25.0, −75.0; two −25.0, −25.0" in caption


class TestRace:
    def test_ends_are_means_over_the_seeds(self):
        runs = {
            "peer": {"seconds": [[1.0, 2.0], [1.0, 4.0]], "test elbo": [[-130.0, -110.0], [-130.0, -112.0]]},
            "quick": {"seconds": [[0.5, 1.0]] * 2, "test elbo": [[-120.0, -110.5], [-119.0, -109.5]]},
            "ours": {"seconds": [[1.0, 6.0], [1.5, 8.0]], "test elbo": [[-120.0, -104.0]] * 2},
        }
        fig, caption = draw.race({"results": runs, "config": {"seeds": 2}})
        assert "pytorch/examples, 20 epochs −111.0 nats after 3.0 s" in caption
        assert "cut short −110.0 nats after 1.0 s" in caption
        assert "recipe −104.0 nats after 7.0 s" in caption
        assert len(fig.axes[0].lines) == 3 * 2 + 2

    def test_the_record_keeps_what_was_promised(self):
        results = load("vae_mnist")["results"]
        for (peer_seconds, peer), (seconds, quick), (whole_seconds, whole) in zip(
            *(zip(results[name]["seconds"], results[name]["test elbo"], strict=True) for name in draw.RUNNERS),
            strict=True,
        ):
            assert quick[-1] >= peer[-1]
            assert seconds[-1] < peer_seconds[-1] / 3
            assert whole[-1] > -105
            assert whole_seconds[-1] < 3 * peer_seconds[-1]

"""Lesson 8's stored experiments: what they show holds in them, and a small run of each goes through."""

import dataclasses
import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from course_utils.experiments import gpt_cache, gpt_docstrings, gpt_hmm, gpt_nanogpt, gpt_recipe
from course_utils.experiments.results import load
from course_utils.models.gpt import GPT, GPTConfig
from course_utils.recipes import gpt

SUPPLIED = Path(os.environ.get("COURSE_SUPPLIED_DATA", "no such folder"))
SMALL = {"d": 16, "heads": 2, "layers": 1, "mlp": 64, "batch_size": 8}


@pytest.fixture
def shakespeare(monkeypatch):
    if not (SUPPLIED / "tinyshakespeare.txt").exists():
        pytest.skip("COURSE_DATA has no tiny Shakespeare")
    monkeypatch.setenv("COURSE_DATA", str(SUPPLIED))


@pytest.fixture
def reports():
    return []


class TestNanoGPT:
    @pytest.fixture
    def results(self):
        return load("gpt_nanogpt")["results"]

    def test_each_row_is_of_its_run(self, results):
        assert {name: len(rows) for name, rows in results.items()} == dict.fromkeys(gpt_nanogpt.CONFIG["runs"], 3)
        for name, rows in results.items():
            steps = gpt_nanogpt.CONFIG["runs"][name]["steps"]
            for row in rows:
                assert row["steps"][-1] == steps
                assert row["tokens"] == steps * 12 * 64
                assert len(row["curve"]) == len(row["train loss"]) == len(row["steps"])
                assert row["curve"][-1] == pytest.approx(row["validation loss"], abs=0.05)  # of some of the windows

    def test_the_promises(self, results):
        mean = {name: np.mean([row["validation loss"] for row in rows]) for name, rows in results.items()}
        seconds = {name: np.mean([row["cpu seconds"] for row in rows]) for name, rows in results.items()}
        assert mean["recipe, 360 steps"] < 1.8857  # what nanoGPT states for its 2,000 steps
        assert mean["recipe, 2,000 steps"] < mean["nanoGPT"] - 0.2
        assert seconds["recipe, 360 steps"] < 0.3 * seconds["nanoGPT"]

    @pytest.mark.slow
    def test_a_small_run(self, shakespeare, reports):
        presets = {name: preset | SMALL for name, preset in gpt_nanogpt.CONFIG["presets"].items()}
        runs = {name: run | {"steps": 12} for name, run in gpt_nanogpt.CONFIG["runs"].items()}
        changes = {"seeds": 1, "presets": presets, "runs": runs, "points": 4, "windows": 16}
        found = gpt_nanogpt.run(gpt_nanogpt.CONFIG | changes, reports.append)
        assert len(reports) == 3
        for (row,), name in zip(found.values(), runs, strict=True):
            assert row["steps"] == [3, 6, 9, 12], name
            assert 3 < row["validation loss"] < math.log(65)
            assert row["curve"][-1] < row["curve"][0]
            assert row["cpu seconds"] > 0

    def test_a_curve_is_of_the_windows_and_its_time_is_not_counted(self, monkeypatch):
        clock = iter([1.0, 3.0, 10.0, 11.0])
        monkeypatch.setattr(gpt_nanogpt.time, "process_time", lambda: next(clock))
        monkeypatch.setattr(gpt_nanogpt.gpt, "mean_loss", lambda model, rows: float(rows.sum()))
        observer = gpt_nanogpt.Observer(torch.ones(3))
        observer(None, 0)
        observer(None, 5)
        assert observer.seconds == [1.0, 8.0]
        assert observer.losses == [3.0, 3.0]


class TestRecipe:
    @pytest.fixture
    def results(self):
        return load("gpt_recipe")["results"]

    def test_one_change_is_one_change(self):
        """Each training differs from its end by what its name says; a rate for AdamW goes with it."""
        ends = gpt_recipe.CONFIG["presets"]
        for where, name, values in gpt_recipe.trainings(gpt_recipe.CONFIG):
            end = ends[where.split()[0]]
            changed = {key for key in end if end[key] != values[key]}
            expected = set() if name is None else gpt_recipe.CONFIG["changes"][name][where.startswith("recipe")].keys()
            assert changed == set(expected), (where, name)

    def test_all_seeds_of_all_changes_are_there(self, results):
        for where in ("plain plus", "recipe without"):
            names = [name for place, name, _ in gpt_recipe.trainings(gpt_recipe.CONFIG) if place == where]
            assert list(results[where]) == names
            assert all(len(nats) == 3 for nats in results[where].values())
        assert len(results["plain"]) == len(results["recipe"]) == 3

    def test_muon_and_rotary_positions_matter_most(self, results):
        assert max(results["recipe"]) < min(results["plain"]) - 0.3
        without = {name: np.mean(nats) for name, nats in results["recipe without"].items()}
        added = {name: np.mean(nats) for name, nats in results["plain plus"].items()}
        assert set(sorted(without, key=without.get)[-2:]) == {"Muon", "rotary"}
        assert set(sorted(added, key=added.get)[:2]) == {"Muon", "rotary"}

    @pytest.mark.slow
    def test_a_small_run(self, shakespeare, reports):
        presets = {name: preset | SMALL for name, preset in gpt_recipe.CONFIG["presets"].items()}
        changes = {name: gpt_recipe.CONFIG["changes"][name] for name in ("Muon", "higher rate")}
        small = {"seeds": 2, "steps": 4, "presets": presets, "changes": changes}
        found = gpt_recipe.run(gpt_recipe.CONFIG | small, reports.append)
        assert found["plain plus"].keys() == found["recipe without"].keys() == {"Muon", "higher rate"}
        numbers = [*found["plain"], *found["recipe"], *found["plain plus"]["Muon"], *found["recipe without"]["Muon"]]
        assert len(set(numbers)) == len(numbers) == 8
        assert len(found["bfloat16"]["nats"]) == 2
        assert all(seconds > 0 for seconds in found["bfloat16"]["seconds"] + found["bfloat16"]["seconds float32"])


class TestDocstrings:
    @pytest.fixture
    def results(self):
        return load("gpt_docstrings")["results"]

    def test_bits_count_the_same_bytes(self, results):
        assert [int(name) for name in results] == gpt_docstrings.CONFIG["vocabularies"]
        for rows in results.values():
            assert len(rows) == 3
            for row in rows:
                assert row["bits per byte"] * math.log(2) * row["bytes a token"] == pytest.approx(row["nats"], rel=1e-3)
                assert row["bytes read"] == pytest.approx(600 * 12 * 64 * row["bytes a token"], rel=1e-3)

    def test_what_the_lesson_says_of_them(self, results):
        """The loss a token rises with the pieces' length, while the bits per byte fall."""
        nats, bits = ([[row[key] for row in rows] for rows in results.values()] for key in ("nats", "bits per byte"))
        assert max(nats[0]) < min(nats[1]) < max(nats[1]) < min(nats[2])
        assert min(bits[0]) > max(bits[1]) > min(bits[1]) > max(bits[2])

    @pytest.mark.slow
    def test_a_small_run(self, reports):
        small = {"seeds": 1, "vocabularies": [256, 300], "steps": 4, "preset": gpt_docstrings.CONFIG["preset"] | SMALL}
        found = gpt_docstrings.run(gpt_docstrings.CONFIG | small, reports.append)
        assert found["256"][0]["bytes a token"] == 1 < found["300"][0]["bytes a token"]
        assert found["300"][0]["parameters"] == found["256"][0]["parameters"] + 2 * 44 * SMALL["d"]
        assert len(reports) == 2


class TestHiddenMarkov:
    @pytest.fixture
    def results(self):
        return load("gpt_hmm")["results"]

    def test_the_shipped_model_is_measured_again(self, results):
        found, exact = gpt_hmm.shipped(gpt_hmm.CONFIG)
        stored = results["checkpoint"]
        assert exact == pytest.approx(results["exact"], abs=1e-5)
        assert found["over"] == pytest.approx(stored["over"], abs=2e-5)
        assert found["error"] == pytest.approx(stored["error"], abs=2e-5)
        assert (found["seconds"], found["tokens"]) == (stored["seconds"], stored["tokens"])

    def test_the_promise(self, results):
        assert 0 < results["checkpoint"]["over"] <= 0.005
        assert results["checkpoint"]["tokens"] == 3600 * 32 * 64

    def test_the_entropy_rate_is_below_the_exact_value(self, results):
        """A sentence's first words have little past; and its sample is not the language."""
        rate = results["entropy rate"]
        assert rate["lower"] <= rate["upper"] < results["exact"]
        assert rate["upper"] - rate["lower"] < 0.001

    def test_the_curves_fall(self, results):
        for name, least in (("tokens", 5), ("parameters", 4), ("context", 5)):
            rows = results[name]
            gaps = np.array([row["gap"] for row in rows])
            assert gaps.shape == (len(rows), 3)
            assert len(rows) >= least
            assert gaps.mean(axis=1)[0] > 2 * gaps.mean(axis=1)[-1] > 0
            assert np.diff([row["x"] for row in rows]).min() > 0

    def test_no_model_is_better_than_the_optimum_of_its_context(self, results):
        for row in results["context"]:
            assert min(row["gap"]) > row["optimum"] - 1e-4
        assert np.diff([row["optimum"] for row in results["context"]]).max() < 0

    def test_the_optimum_of_a_context_is_exact_where_the_past_is_whole(self):
        config = gpt_hmm.CONFIG | {"context": gpt_hmm.CONFIG["context"] | {"sentences": 4}}
        rows, everything, some = gpt_hmm.last_words(config, 32)
        assert rows.shape == (4 * 32, 34)
        assert (rows[:, 0] == gpt.BEGIN).all()
        words = gpt.sentences(4, 64, [3, 0])[:, 1:]
        assert torch.equal(rows[31, 1:], words[0, 31:])  # the last window of the first sentence
        expected = gpt.LANGUAGE.log_past(words[:1].numpy())[0, 63, words[0, 63]]
        assert everything[31] == pytest.approx(expected)
        np.testing.assert_allclose(some[:2], gpt.LANGUAGE.log_conditionals(words[:1, :34].numpy())[0, 32:], atol=0.2)

    def test_a_small_run(self, reports):
        changes = {
            "seeds": 2, "preset": gpt_hmm.CONFIG["preset"] | SMALL | {"length": 8},
            "entropy rate": {"length": 8, "sentences": 10}, "tokens": {"steps": [2, 4]},
            "parameters": {"steps": 2, "widths": [8, 16]}, "context": {"steps": 2, "words": [1, 3], "sentences": 8},
        }  # fmt: skip
        found = gpt_hmm.run(gpt_hmm.CONFIG | changes, reports.append)
        assert [row["x"] for row in found["tokens"]] == [2 * 64, 4 * 64]
        model = gpt.model(dataclasses.replace(gpt.PRESETS["hmm"], **SMALL | {"length": 8}))
        assert found["parameters"][1]["x"] == sum(p.numel() for p in model.parameters())
        assert [row["x"] for row in found["context"]] == [1, 3]
        assert all(len(row["gap"]) == 2 and min(row["gap"]) > 0.1 for row in found["context"])


class TestCache:
    def test_without_the_cache_the_time_grows_and_with_it_hardly(self):
        for name, result in load("gpt_cache")["results"].items():
            cached, whole = np.array(result["with"]), np.array(result["without"])
            assert result["position"] == gpt_cache.CONFIG["positions"][name]
            assert result["identical"]
            assert whole[-1] > 5 * cached[-1]
            assert whole[-1] / whole[1] > 3 * cached[-1] / cached[1]

    def test_both_ways_compute_the_same(self):
        torch.manual_seed(0)
        model = GPT(GPTConfig(**gpt_cache.CONFIG["sizes"]["lesson"])).eval()
        tokens = torch.randint(65, (1, 20), generator=torch.Generator().manual_seed(0))
        with torch.inference_mode():
            for t in (1, 20):
                step = gpt_cache.cached_step(model, tokens[:, :t])
                for _ in range(2):  # again: the token is not appended twice
                    torch.testing.assert_close(step(), gpt_cache.whole_pass(model, tokens[:, :t])())

    def test_a_small_run(self, reports):
        sizes = gpt_cache.CONFIG["sizes"]["lesson"] | {"length": 8, "d": 16}
        changes = {"sizes": {"tiny": sizes}, "positions": {"tiny": [1, 8]}, "repeats": {"tiny": 1}}
        found = gpt_cache.run(gpt_cache.CONFIG | changes, reports.append)["tiny"]
        assert found["identical"]
        assert len(found["with"]) == len(found["without"]) == 2
        assert len(reports) == 2

"""Stored results: they fit their configuration, and two seeds repeated give what is stored."""

import importlib
import json

import numpy as np
import pytest

from course_utils.experiments import ng_jordan, results
from course_utils.experiments.__main__ import experiments, main
from course_utils.experiments.comparison import comparison_rows, comparison_table


@pytest.mark.parametrize("name", sorted(experiments()))
def test_every_experiment_has_a_result_of_its_present_configuration(name):
    record = results.load(name)
    assert {"command", "config", "config_hash", "seeds", "versions", "seconds", "results"} <= record.keys()


def test_no_result_is_left_of_an_experiment_that_is_gone():
    assert {path.stem for path in results.FOLDER.glob("*.json")} == set(experiments())


class TestTwoSeedsAgain:
    def test_excess_error(self):
        module = importlib.import_module("course_utils.experiments.excess_error")
        sizes = [26, 160, 1000]
        again = module.run(module.CONFIG | {"seeds": 2, "sizes": sizes}, lambda line: None)
        for name, result in results.load("excess_error")["results"].items():
            stored = np.array(result["excess"])
            columns = [module.CONFIG["sizes"].index(size) for size in sizes]
            # QDA is a closed form; logistic regression stops where its solver's tolerance says, which differs by CPU.
            found = np.array(again[name]["excess"])
            np.testing.assert_allclose(found[0], stored[0][columns, :2], atol=2e-6)
            np.testing.assert_allclose(found[1:], stored[1:][:, columns, :2], atol=2e-3)
            assert again[name]["bayes_error"] == pytest.approx(result["bayes_error"], abs=1e-10)

    def test_ng_jordan(self):
        config = ng_jordan.CONFIG
        sizes = {name: per_class[1:4] for name, per_class in config["rows_per_class"].items()}
        again = ng_jordan.run(config | {"seeds": 2, "rows_per_class": sizes}, lambda line: None)
        for name, result in results.load("ng_jordan")["results"].items():
            stored = np.array(result["errors"])[:, 1:4, :2]
            # Wrong predictions out of test_rows: naive Bayes to the row, logistic regression to one in twenty.
            np.testing.assert_array_equal(np.array(again[name]["errors"])[:2], stored[:2])
            difference = np.abs(np.array(again[name]["errors"])[2:] - stored[2:])
            assert difference.max() <= max(1, 0.05 * result["test_rows"])


TINY = {"seeds": 2, "size": 3}


class TestStore:
    def test_round_trip_and_staleness(self, tmp_path, monkeypatch):
        monkeypatch.setattr(ng_jordan, "CONFIG", TINY)
        results.store("ng_jordan", TINY, {"a": [1, 2]}, 3.2, folder=tmp_path)
        assert results.load("ng_jordan", folder=tmp_path)["results"] == {"a": [1, 2]}
        monkeypatch.setattr(ng_jordan, "CONFIG", TINY | {"size": 4})
        with pytest.raises(results.StaleResultError, match=r"another configuration.*experiments ng_jordan"):
            results.load("ng_jordan", folder=tmp_path)

    def test_edited_configuration_in_the_file_is_noticed(self, tmp_path, monkeypatch):
        monkeypatch.setattr(ng_jordan, "CONFIG", TINY)
        path = results.store("ng_jordan", TINY, {}, 1.0, folder=tmp_path)
        record = json.loads(path.read_text())
        path.write_text(json.dumps(record | {"config": TINY | {"size": 5}}))
        with pytest.raises(results.StaleResultError):
            results.load("ng_jordan", folder=tmp_path)

    def test_missing_result_says_how(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="python -m course_utils.experiments nothing"):
            results.load("nothing", folder=tmp_path)

    def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_beside_it(self, tmp_path):
        path = results.store("ng_jordan", TINY, {"old": True}, 1.0, folder=tmp_path)
        before = path.read_bytes()
        with pytest.raises(ValueError, match="JSON compliant"):
            results.store("ng_jordan", TINY, {"bad": float("nan")}, 1.0, folder=tmp_path)
        assert path.read_bytes() == before
        assert [p.name for p in tmp_path.iterdir()] == [path.name]

    def test_hash_does_not_depend_on_the_order_of_keys(self):
        assert results.config_hash({"a": 1, "b": [2]}) == results.config_hash({"b": [2], "a": 1})
        assert results.config_hash({"a": 1}) != results.config_hash({"a": 2})


class TestCommand:
    def test_lists_without_a_name(self, capsys):
        assert main([]) is None
        listed = capsys.readouterr().out
        assert "ng_jordan" in listed
        assert "excess_error" in listed

    def test_unknown_name_is_refused(self, capsys):
        with pytest.raises(SystemExit):
            main(["no_such_experiment"])
        assert "excess_error" in capsys.readouterr().err


class TestNgJordan:
    def test_shared_variance_is_the_pooled_one_and_gives_a_linear_boundary(self):
        X, y = ng_jordan.load_data()["iris"]
        model = ng_jordan.fit(ng_jordan.CONFIG["models"][1], X, y, ng_jordan.CONFIG)
        pooled = np.mean([X[y == k].var(axis=0) for k in range(3)], axis=0)
        np.testing.assert_allclose(model.var_, np.tile(pooled, (3, 1)), rtol=1e-6)
        points = np.random.default_rng(0).normal(size=(3, 4)) + X.mean(axis=0)
        joint = model.predict_joint_log_proba(np.vstack([points, points.mean(axis=0)]))
        odds = joint[:, 0] - joint[:, 1]
        assert odds[3] == pytest.approx(odds[:3].mean())  # an affine function commutes with the mean


class TestComparison:
    def test_lesson_1_says_what_the_experiment_found(self):
        generative, discriminative = (row["distance"] for row in comparison_rows() if row["lesson"] == 1)
        stored = results.load("excess_error")["results"]
        two = np.array(stored["two covariances"]["excess"])[:, -1].mean(axis=1)
        one = np.array(stored["one covariance"]["excess"])[:, -1].mean(axis=1)
        assert f"{100 * two[0]:.3f} percentage points" in generative
        assert f"{100 * two[1]:.3f} points" in discriminative
        assert f"{100 * one[1]:.3f} points" in discriminative

    def test_table_is_markdown_with_a_row_a_model(self):
        lines = comparison_table(1).splitlines()
        assert len(lines) == 2 + sum(row["lesson"] == 1 for row in comparison_rows())
        assert len({line.count("|") for line in lines}) == 1
        with pytest.raises(ValueError, match="lesson must be one that has a row"):
            comparison_table(99)


class TestLdaOptimum:
    def test_two_seeds_again(self):
        module = importlib.import_module("course_utils.experiments.lda_optimum")
        again = module.run(module.CONFIG | {"seeds": 2, "sizes": [100, 640], "deltas": [2.0]}, lambda line: None)
        columns = [module.CONFIG["sizes"].index(size) for size in (100, 640)]
        stored = np.array(results.load("lda_optimum")["results"]["2.0"]["measures"])[:, :, columns, :2]
        found = np.array(again["2.0"]["measures"])
        np.testing.assert_allclose(found[:, [0, 2]], stored[:, [0, 2]], atol=2e-6)  # LDA and QDA: closed forms
        np.testing.assert_allclose(found[:, 1], stored[:, 1], rtol=0.05, atol=2e-3)  # a solver's tolerance

    def test_efficiency_is_efrons(self):
        """Efron (1975): in the limit LDA has 0.899 of logistic regression's excess at Δ = 2, 0.641 at Δ = 3."""
        for delta, expected in (("2.0", 0.899), ("3.0", 0.641)):
            excess = np.array(results.load("lda_optimum")["results"][delta]["measures"])[2]
            lda, logistic = (excess[k, -2:].sum(axis=0) for k in (0, 1))
            ratio = lda.mean() / logistic.mean()
            resampled = np.random.default_rng(0).integers(len(lda), size=(500, len(lda)))
            noise = np.std(lda[resampled].mean(axis=1) / logistic[resampled].mean(axis=1))
            assert abs(ratio - expected) < 3 * noise

    def test_the_row_of_the_table_is_what_was_found(self):
        (row,) = (row for row in comparison_rows() if row["lesson"] == 2)
        measures = np.array(results.load("lda_optimum")["results"]["3.0"]["measures"])
        assert row["distance"].startswith(f"{measures[1, 0, -1].mean():.4f} nats")
        assert row["distance"].endswith(f"{measures[1, 1, -1].mean():.4f}")

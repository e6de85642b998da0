"""The loop: a run that was stopped ends like one that never was, and one that goes wrong says where."""

import contextlib
import dataclasses
import itertools
import json
import math
import os
import re
import signal
import types

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from course_utils.training import checkpoints
from course_utils.training.batches import Batches, step_seed
from course_utils.training.config import Config
from course_utils.training.loop import (
    EXPLODED,
    RunFolderError,
    TrainingDivergedError,
    TrainingWarning,
    load,
    train,
)
from tests.training.recipes import noisy, two_losses
from tests.training.runs import EVERY, changed, happening, interrupted, leftovers, outcome

SMALL = {recipe.__name__: recipe.PRESETS["small"] for recipe in (noisy, two_losses)}
STEPS = 30


@pytest.fixture(autouse=True)
def _unflushed(monkeypatch):
    """Flushing takes most of the time here; that it is done is tested with the checkpoints."""
    monkeypatch.setattr(checkpoints, "flush", lambda path: None)


@pytest.fixture(scope="module", params=[noisy, two_losses], ids=["noisy", "two losses"])
def uninterrupted(request, tmp_path_factory):
    """A recipe, and what a run of it leaves that is never stopped: its files, its history, its model."""
    recipe, folder = request.param, tmp_path_factory.mktemp("uninterrupted")
    trained = train(recipe, SMALL[recipe.__name__], out=folder / "run", **EVERY)
    return recipe, outcome(folder / "run"), trained


def same_history(one, other):
    assert one.keys() == other.keys()
    for name in one.keys() - {"seconds"}:
        np.testing.assert_array_equal(one[name], other[name], strict=True)


def same_weights(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


class TestTraining:
    def test_a_hand_written_loop_gives_the_same_bits(self):
        config = dataclasses.replace(SMALL[noisy.__name__], steps=20)
        trained = train(noisy, config, log_every=1)

        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            model = noisy.model(config)
            adamw = torch.optim.AdamW(model.parameters(), lr=0.01)
            x, losses, generator = noisy.data(config)[0], [], torch.Generator()
            for step in range(20):
                torch.manual_seed(step_seed(0, step))
                generator.manual_seed(step_seed(0, step))
                adamw.param_groups[0]["lr"] = 0.01 if step < 4 else 0.005 if step < 16 else 0.0025
                adamw.zero_grad()
                loss, _ = noisy.loss(model, x[Batches(50, 8, 0)(step)], generator)
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                adamw.step()
                losses.append(loss.item())
        same_weights(trained.model.state_dict(), model.state_dict())
        assert trained.history["loss"].tolist() == losses
        rates = [0.01] * 3 + [0.005] * 12 + [0.0025] * 5  # of the step that comes next
        assert trained.history["rate"].tolist() == rates

    def test_it_learns(self, uninterrupted):
        recipe, _, trained = uninterrupted
        if recipe is noisy:
            assert trained.history["test loss"][-1] < 0.9 * trained.history["test loss"][1]
        assert trained.step == STEPS
        assert trained.stopped is None

    def test_each_player_of_a_game_is_moved_by_its_own_loss(self):
        def still(model, batch, generator):
            return 0.0 * sum(p.sum() for p in model.parameters())

        start = two_losses.model(SMALL[two_losses.__name__]).state_dict().keys()
        for player, other in (("generator", "discriminator"), ("discriminator", "generator")):
            config = Config(steps=3, batch_size=8, rate=0.1)

            def plain(model, config):
                return {name: torch.optim.SGD(model[name].parameters(), lr=config.rate) for name in two_losses.losses}

            recipe = changed(two_losses, losses={**two_losses.losses, other: still}, optimiser=plain)
            after = train(recipe, config).model.state_dict()
            with torch.random.fork_rng([]):
                torch.manual_seed(0)
                before = two_losses.model(config).state_dict()
            assert start == after.keys() == before.keys()
            moved = {name.split(".")[0] for name in start if not torch.equal(before[name], after[name])}
            assert moved == {player}

    def test_the_log_has_the_mean_of_each_interval_and_the_test_set_at_each_checkpoint(self, uninterrupted):
        recipe, _, trained = uninterrupted
        assert trained.history["step"].tolist() == [5, 7, 10, 14, 15, 20, 21, 25, 28, 30]
        every = train(recipe, SMALL[recipe.__name__], log_every=1, save_every=30)
        for name in {"loss", "noise", "generator", "discriminator", "square"} & trained.history.keys():
            bounds = [0, *trained.history["step"].tolist()]
            means = [every.history[name][a:b].mean() for a, b in itertools.pairwise(bounds)]
            np.testing.assert_allclose(trained.history[name], means, rtol=1e-12)
        if recipe is noisy:
            measured = ~np.isnan(trained.history["test loss"])
            assert trained.history["step"][measured].tolist() == [7, 14, 21, 28, 30]
            assert trained.history["test loss"][-1] == every.history["test loss"][-1]
        assert np.all(np.diff(trained.history["seconds"]) >= 0)

    def test_watchers_see_the_lines_as_they_come(self):
        seen = []
        train(noisy, SMALL[noisy.__name__], watch=lambda lines, steps: seen.append((len(lines), steps)), **EVERY)
        assert seen == [(n, STEPS) for n in range(11)]

    def test_seeds_make_another_run_and_the_same_seed_the_same(self):
        runs = [train(noisy, dataclasses.replace(SMALL[noisy.__name__], seed=seed)) for seed in (0, 0, 1)]
        same_weights(runs[0].model.state_dict(), runs[1].model.state_dict())
        assert not torch.equal(runs[0].model.first.weight, runs[2].model.first.weight)
        assert runs[0].history["example"].tolist() != runs[2].history["example"].tolist()

    def test_evaluation_leaves_the_modes_of_the_model_as_they_were(self):
        def frozen(config):
            model = noisy.model(config)
            model.norm.eval()
            return model

        modes = []

        def evaluate(model, test_set, config):
            modes.append([module.training for module in model.modules()])
            return {}

        trained = train(changed(noisy, model=frozen, evaluate=evaluate), SMALL[noisy.__name__], save_every=7)
        assert not trained.model.norm.training
        assert trained.model.training
        assert trained.model.first.training
        assert trained.model.norm.num_batches_tracked == 0
        assert modes == [[False] * 6] * 5

    def test_no_gradient_is_kept_while_evaluating(self):
        found = []

        def evaluate(model, test_set, config):
            found.append(model(test_set[:, 1:]).requires_grad)
            return {}

        train(changed(noisy, evaluate=evaluate), noisy.Config(steps=1, batch_size=8))
        assert found == [False]


class TestObserved:
    def test_it_sees_the_model_at_rest_at_the_beginning_and_with_each_line(self):
        seen = []

        def observe(model, step):
            value = model(torch.zeros(2, 5))
            seen.append((step, value.requires_grad, model.training, model.norm.training))

        trained = train(noisy, SMALL[noisy.__name__], observe=observe, **EVERY)
        assert seen == [(step, False, False, False) for step in (0, *trained.history["step"])]
        assert trained.model.training

    def test_the_run_stays_the_same_whatever_it_draws(self, uninterrupted):
        recipe, _, trained = uninterrupted
        again = train(recipe, SMALL[recipe.__name__], observe=lambda model, step: torch.rand(step + 3), **EVERY)
        same_weights(trained.model.state_dict(), again.model.state_dict())

    def test_a_run_that_goes_on_shows_where(self, tmp_path):
        train(interrupted(noisy, 9, signal.SIGINT), SMALL[noisy.__name__], out=tmp_path, **EVERY)
        seen = []
        train(noisy, SMALL[noisy.__name__], out=tmp_path, resume=True, observe=lambda _, t: seen.append(t), **EVERY)
        assert seen[:2] == [9, 10]


class TestDiagnosed:
    def test_each_symptom_is_told_once_and_the_run_goes_on(self, uninterrupted):
        recipe, _, whole = uninterrupted
        asked = []

        def diagnose(lines, config):
            asked.append(lines[-1]["step"])
            told = {"late": f"it is late, of {config.steps}."} if lines[-1]["step"] >= 10 else {}
            return told | ({"later": "it is later."} if lines[-1]["step"] >= 20 else {})

        with pytest.warns(TrainingWarning) as caught:
            trained = train(changed(recipe, diagnose=diagnose), SMALL[recipe.__name__], **EVERY)
        assert [str(warning.message) for warning in caught] == [
            "After step 10: it is late, of 30.",
            "After step 20: it is later.",
        ]
        assert caught[0].filename == __file__  # where train was called
        assert asked == trained.history["step"].tolist()
        same_weights(whole.model.state_dict(), trained.model.state_dict())


class TestRandomState:
    def run(self, recipe, expected, **options):
        torch.manual_seed(7)
        before = torch.get_rng_state()
        with pytest.raises(expected) if expected else contextlib.nullcontext():
            train(recipe, SMALL[noisy.__name__], **options)
        assert torch.equal(torch.get_rng_state(), before)

    def test_the_readers_stays_as_it_is(self, tmp_path):
        self.run(noisy, None)
        self.run(interrupted(noisy, 9, signal.SIGINT), None, out=tmp_path, **EVERY)
        self.run(noisy, None, out=tmp_path, resume=True, **EVERY)
        self.run(interrupted(noisy, 9, signal.SIGINT, signal.SIGINT), KeyboardInterrupt)
        self.run(happening(noisy, 3, lambda: 1 / 0), ZeroDivisionError)

    def test_the_readers_changes_nothing(self, uninterrupted):
        recipe, _, trained = uninterrupted
        with torch.random.fork_rng([]):
            torch.manual_seed(99)
            again = train(recipe, SMALL[recipe.__name__], **EVERY)
        same_weights(trained.model.state_dict(), again.model.state_dict())

    def test_data_may_be_drawn_from_torchs_own_generator(self):
        def data(config, source):
            return torch.arange(20.0)[:, None] + torch.zeros(20, 6), torch.rand(10, 6)

        recipe = changed(noisy, data=data)
        one, two = (train(recipe, SMALL[noisy.__name__]).history["test loss"] for _ in range(2))
        np.testing.assert_array_equal(one, two)


class TestInterrupted:
    """Ctrl-C and SIGTERM, in the first step, between lines of the log, at them, at a checkpoint, in the last step."""

    @pytest.mark.parametrize(
        ("step", "number"), [*zip((1, 5, 7, 12, 29, 30), 3 * [signal.SIGINT, signal.SIGTERM], strict=True)]
    )
    def test_a_run_that_goes_on_ends_with_the_same_bits(self, tmp_path, uninterrupted, step, number):
        recipe, files, whole = uninterrupted
        config, folder = SMALL[recipe.__name__], tmp_path / "run"
        first = train(interrupted(recipe, step, number), config, out=folder, **EVERY)
        assert (first.step, first.stopped) == (step, number.name)
        assert not (folder / "model.safetensors").exists()
        assert checkpoints.latest(folder / "checkpoints")[1]["step"] == step
        last = train(recipe, config, out=folder, resume=True, **EVERY)
        assert (last.step, last.stopped) == (STEPS, None)
        assert outcome(folder) == files
        same_history(last.history, whole.history)
        same_weights(last.model.state_dict(), whole.model.state_dict())
        assert leftovers(folder) == []

    def test_again_and_again(self, tmp_path, uninterrupted):
        recipe, files, whole = uninterrupted
        config, steps = SMALL[recipe.__name__], 0
        for more in (3, 1, 7, 2, 12):
            stopped = train(interrupted(recipe, more, signal.SIGINT), config, out=tmp_path, resume=True, **EVERY)
            steps += more
            assert (stopped.step, stopped.stopped) == (steps, "SIGINT")
            assert [*stopped.history.get("step", ())] == [s for s in whole.history["step"].tolist() if s <= steps]
        assert train(recipe, config, out=tmp_path, resume=True, **EVERY).step == STEPS
        assert outcome(tmp_path) == files

    def test_what_is_measured_and_when_it_is_saved_change_nothing_of_the_training(self, tmp_path, uninterrupted):
        recipe, _, whole = uninterrupted
        config = SMALL[recipe.__name__]
        train(interrupted(recipe, 13, signal.SIGINT), config, out=tmp_path, log_every=2, save_every=4, keep=1)
        trained = train(recipe, config, out=tmp_path, resume=True, log_every=3, save_every=100)
        same_weights(trained.model.state_dict(), whole.model.state_dict())

    def test_the_model_of_a_stopped_run_is_usable(self):
        trained = train(interrupted(noisy, 4, signal.SIGINT), SMALL[noisy.__name__], log_every=2)
        assert (trained.step, trained.stopped) == (4, "SIGINT")
        assert trained.model.eval()(torch.zeros(2, 5)).shape == (2, 5)
        assert trained.history["step"].tolist() == [2, 4]
        assert all(isinstance(values, np.ndarray) for values in trained.history.values())

    def test_watchers_are_told(self, tmp_path):
        seen = []
        recipe = interrupted(noisy, 6, signal.SIGTERM)
        train(recipe, SMALL[noisy.__name__], out=tmp_path, watch=lambda _, *more: seen.append(more), **EVERY)
        assert seen == [(STEPS,), (STEPS,), (STEPS, "SIGTERM")]

    def test_a_second_signal_stops_at_once_and_costs_the_steps_since_the_checkpoint(self, tmp_path, uninterrupted):
        recipe, files, _ = uninterrupted
        config = SMALL[recipe.__name__]
        with pytest.raises(KeyboardInterrupt):
            train(interrupted(recipe, 17, signal.SIGINT, signal.SIGTERM), config, out=tmp_path, **EVERY)
        assert checkpoints.latest(tmp_path / "checkpoints")[1]["step"] == 14
        train(recipe, config, out=tmp_path, resume=True, **EVERY)
        assert outcome(tmp_path) == files

    def test_a_damaged_checkpoint_costs_its_steps_only(self, tmp_path, uninterrupted):
        recipe, files, _ = uninterrupted
        config = SMALL[recipe.__name__]
        train(interrupted(recipe, 20, signal.SIGINT), config, out=tmp_path, **EVERY)
        os.truncate(tmp_path / "checkpoints" / "step-000000020" / "model.safetensors", 50)
        with pytest.warns(UserWarning, match="step-000000020 is damaged: model.safetensors"):
            stopped = train(interrupted(recipe, 1, signal.SIGINT), config, out=tmp_path, resume=True, **EVERY)
        assert stopped.step == 15
        for step, damaged in ((20, "state.json"), (15, "optimiser.safetensors"), (14, "SHA256SUMS")):
            os.truncate(tmp_path / "checkpoints" / f"step-{step:09d}" / damaged, 50)
        with pytest.warns(UserWarning, match="is damaged") as caught:
            train(recipe, config, out=tmp_path, resume=True, **EVERY)  # from the beginning: there is no other
        assert [re.search(r"step-0+(\d+)", str(warning.message))[1] for warning in caught] == ["20", "15", "14"]
        assert outcome(tmp_path) == files

    def test_a_finished_run_goes_on_with_nothing(self, tmp_path, uninterrupted):
        recipe, files, whole = uninterrupted
        for _ in range(2):
            trained = train(recipe, SMALL[recipe.__name__], out=tmp_path, resume=True, **EVERY)
            assert outcome(tmp_path) == files
        same_history(trained.history, whole.history)


class TestFolder:
    def test_what_a_run_leaves(self, tmp_path):
        train(noisy, SMALL[noisy.__name__], source="anything", out=tmp_path / "a" / "b", **EVERY)
        found = sorted(str(path.relative_to(tmp_path / "a" / "b")) for path in (tmp_path / "a" / "b").rglob("*"))
        files = ["SHA256SUMS", "model.safetensors", "optimiser.safetensors", "state.json"]
        steps = ["checkpoints/step-000000028", "checkpoints/step-000000030"]
        inside = [f"{step}/{name}" for step in steps for name in files]
        top = [".lock", "checkpoints", "config.json", "log.jsonl", "model.safetensors"]
        assert found == sorted([*top, *steps, *inside])
        assert json.loads((tmp_path / "a" / "b" / "config.json").read_text()) == {
            "recipe": "tests.training.recipes.noisy",
            "source": "anything",
            "config": {"steps": 30, "batch_size": 8, "rate": 0.01, "seed": 0, "clip": 1.0, "width": 6},
        }

    def test_nothing_is_written_without_one(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        train(noisy, SMALL[noisy.__name__], **EVERY)
        assert list(tmp_path.iterdir()) == []

    def test_its_model_can_be_loaded(self, tmp_path, uninterrupted):
        recipe, _, _ = uninterrupted
        trained = train(recipe, SMALL[recipe.__name__], out=tmp_path, **EVERY)
        model = load(tmp_path, recipe)
        assert not model.training
        same_weights(model.state_dict(), trained.model.state_dict())

    def test_a_model_with_sizes_can_be_loaded(self, tmp_path):
        @dataclasses.dataclass(frozen=True, kw_only=True)
        class Own(Config):
            sizes: tuple[int, ...] = (6, 3)

        recipe = types.SimpleNamespace(
            __name__="own",
            Config=Own,
            model=lambda config: {(6, 3): nn.Linear(6, 3), (6, 2): nn.Linear(6, 2)}[config.sizes],
            data=noisy.data,
            loss=lambda model, batch, generator: model(batch).square().mean(),
            optimiser=lambda model, config: torch.optim.SGD(model.parameters(), lr=config.rate),
        )
        train(recipe, Own(steps=1, sizes=(6, 2), batch_size=5), out=tmp_path)
        assert load(tmp_path, recipe).weight.shape == (2, 6)
        train(recipe, Own(steps=1, sizes=(6, 2), batch_size=5), out=tmp_path, resume=True)

    def test_an_unfinished_one_has_no_model(self, tmp_path):
        train(interrupted(noisy, 3, signal.SIGINT), SMALL[noisy.__name__], out=tmp_path)
        for folder in (tmp_path, tmp_path / "nowhere"):
            with pytest.raises(FileNotFoundError, match=f"{folder} holds no finished run: train it, or go on"):
                load(folder, noisy)

    def test_one_that_is_taken(self, tmp_path):
        train(interrupted(noisy, 3, signal.SIGINT), SMALL[noisy.__name__], out=tmp_path)
        before = outcome(tmp_path)
        with pytest.raises(RunFolderError, match=r"holds a run already: go on with it \(--resume\), or choose"):
            train(noisy, SMALL[noisy.__name__], out=tmp_path)
        assert outcome(tmp_path) == before

    @pytest.mark.parametrize(
        ("changes", "source", "named"),
        [
            ({"rate": 0.02}, None, "rate"),
            ({"seed": 1, "clip": None}, None, "seed and clip"),
            ({}, "other", "source"),
            ({"width": 7}, "other", "width and source"),
        ],
    )
    def test_one_of_another_configuration(self, tmp_path, changes, source, named):
        train(interrupted(noisy, 3, signal.SIGINT), SMALL[noisy.__name__], out=tmp_path)
        before = outcome(tmp_path)
        config = dataclasses.replace(SMALL[noisy.__name__], **changes)
        with pytest.raises(RunFolderError, match=f"was trained with another {named}: resume with what its config.json"):
            train(noisy, config, source=source, out=tmp_path, resume=True)
        assert outcome(tmp_path) == before

    def test_one_of_another_recipe(self, tmp_path):
        train(interrupted(noisy, 3, signal.SIGINT), SMALL[noisy.__name__], out=tmp_path)
        with pytest.raises(RunFolderError, match="was trained with another width and recipe"):
            train(two_losses, dataclasses.replace(SMALL[two_losses.__name__], clip=1.0), out=tmp_path, resume=True)

    @pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"config": 3}', "\0\0"])
    def test_one_whose_configuration_is_damaged(self, tmp_path, content):
        (tmp_path / "config.json").write_text(content)
        with pytest.raises(RunFolderError, match=r"config.json is damaged: put it right, or choose another folder\."):
            train(noisy, SMALL[noisy.__name__], out=tmp_path, resume=True)

    def test_one_in_progress(self, tmp_path):
        config, told = SMALL[noisy.__name__], []

        def another():
            with pytest.raises(
                RunFolderError, match="is being trained by another process: wait for it, or stop it"
            ) as error:
                train(noisy, config, out=tmp_path, resume=True)
            told.append(str(error.value))

        assert train(happening(noisy, 9, another), config, out=tmp_path, **EVERY).step == STEPS
        assert len(told) == 1
        train(noisy, config, out=tmp_path, resume=True)  # given up at the end

    def test_one_is_given_up_by_a_run_that_fails(self, tmp_path):
        with pytest.raises(ZeroDivisionError):
            train(happening(noisy, 9, lambda: 1 / 0), SMALL[noisy.__name__], out=tmp_path, **EVERY)
        assert train(noisy, SMALL[noisy.__name__], out=tmp_path, resume=True, **EVERY).step == STEPS

    def test_one_that_is_a_file(self, tmp_path):
        (tmp_path / "run").write_text("")
        with pytest.raises(OSError, match=r"run can't be written: File exists\."):
            train(noisy, SMALL[noisy.__name__], out=tmp_path / "run")

    @pytest.mark.parametrize("name", ["log_every", "save_every", "keep"])
    def test_intervals_of_nothing(self, name):
        with pytest.raises(ValueError, match=rf"{name} must be at least 1; got 0\."):
            train(noisy, SMALL[noisy.__name__], **{name: 0})


class TestDiverging:
    """It names the step, the batch's seed and the last good checkpoint; and no checkpoint holds the bad step."""

    MESSAGE = re.compile(
        r"Training stopped: (?P<what>.*)\. The batch's seed is (?P<seed>\d+); "
        r"the last good checkpoint is (?P<last>.*)\. A smaller rate, or clip=1, often helps\."
    )

    def spoiled(self, recipe, step, spoil):
        """The recipe whose first loss is spoiled at a step; and the noise that its loss drew there."""
        noise = []

        def loss(model, batch, generator):
            state = generator.get_state()
            found = first(model, batch, generator)
            value, metrics = found if isinstance(found, tuple) else (found, {})
            loss.step += 1
            if loss.step == step + 1:
                again = torch.Generator()
                again.set_state(state)
                noise.append(torch.randn(batch[0].shape, generator=again))
                noise.append(batch)
                return spoil(value, model), metrics
            return value, metrics

        losses = getattr(recipe, "losses", None) or {"loss": recipe.loss}
        name, first = next(iter(losses.items()))
        loss.step = 0
        return changed(recipe, losses={**losses, name: loss}), name, noise

    def stop(self, recipe, folder):
        with pytest.raises(TrainingDivergedError) as caught:
            train(recipe, SMALL[recipe.__name__], out=folder, **EVERY)
        return self.MESSAGE.fullmatch(str(caught.value)).groupdict()

    @pytest.mark.parametrize("recipe", [noisy, two_losses], ids=["noisy", "two losses"])
    @pytest.mark.parametrize(
        ("step", "saved", "value", "text"),
        [
            (3, None, math.nan, "nan"),
            (7, None, 1e30, "1e+30"),
            (13, 7, -math.inf, "-inf"),
            (14, 7, math.nan, "nan"),
            (18, 14, -1e9, "-1e+09"),
            (29, 28, math.inf, "inf"),
        ],
    )
    def test_a_loss(self, tmp_path, recipe, step, saved, value, text):
        spoiled, name, _ = self.spoiled(recipe, step, lambda loss, model: loss * 0 + value)
        told = self.stop(spoiled, tmp_path)
        assert told["what"] == f"at step {step} the {name} was {text}"
        good = tmp_path / "checkpoints" / f"step-{saved:09d}" if saved else "none, for there is none before"
        assert told["last"] == str(good)
        steps = [number for number, _ in checkpoints.found(tmp_path / "checkpoints")]
        assert steps == [s for s in (7, 14, 21, 28) if s <= step][-2:]  # of weights from before that step's update
        assert not (tmp_path / "model.safetensors").exists()

    def test_the_seed_gives_the_batch_and_its_noise_again(self, tmp_path):
        recipe, _, noise = self.spoiled(noisy, 11, lambda loss, model: loss * math.nan)
        told = self.stop(recipe, tmp_path)
        drawn, batch = noise
        assert torch.equal(torch.randn(6, generator=torch.Generator().manual_seed(int(told["seed"]))), drawn)
        assert torch.equal(noisy.data(None)[0][Batches(50, 8, 0)(11)], batch)

    def test_nothing_bad_is_in_the_log(self, tmp_path):
        recipe, _, _ = self.spoiled(noisy, 12, lambda loss, model: loss * math.nan)
        self.stop(recipe, tmp_path)
        lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
        assert [line["step"] for line in lines] == [5, 7, 10]
        assert all(math.isfinite(value) for line in lines for value in line.values())

    def test_resuming_tells_the_same(self, tmp_path):
        recipe, _, _ = self.spoiled(noisy, 12, lambda loss, model: loss * math.nan)
        told = self.stop(recipe, tmp_path)
        again, _, _ = self.spoiled(noisy, 12 - 7, lambda loss, model: loss * math.nan)
        with pytest.raises(TrainingDivergedError) as caught:
            train(again, SMALL[noisy.__name__], out=tmp_path, resume=True, **EVERY)
        assert self.MESSAGE.fullmatch(str(caught.value)).groupdict() == told

    def test_the_limit_of_what_has_exploded_is_that_of_the_first_step_also_in_a_resumed_run(self, tmp_path):
        config = SMALL[noisy.__name__]
        first = train(noisy, dataclasses.replace(config, steps=1), log_every=1).history["loss"][0]
        limit = EXPLODED * (1 + first)
        for factor, stops in ((0.99, False), (1.01, True)):
            folder = tmp_path / f"{factor}"
            train(interrupted(noisy, 3, signal.SIGINT), config, out=folder, **EVERY)
            spoiled, _, _ = self.spoiled(noisy, 0, lambda loss, model, factor=factor: loss * 0 + factor * limit)
            expected = pytest.raises(TrainingDivergedError, match="at step 3 the loss was") if stops else None
            with expected or contextlib.nullcontext():
                train(spoiled, config, out=folder, resume=True, **EVERY)

    @pytest.mark.parametrize("step", [6, 13, 27, 29])
    def test_a_gradient_that_is_no_number_just_before_a_checkpoint(self, tmp_path, step):
        def spoil(loss, model):  # d√x/dx at 0: the loss is sound, its gradient is not
            return loss + (model.last.bias * 0).sum().abs().sqrt()

        recipe, _, _ = self.spoiled(changed(noisy, evaluate=None), step, spoil)
        told = self.stop(recipe, tmp_path)
        assert told["what"] == f"step {step} left weights that are not finite"
        saved = [number for number, _ in checkpoints.found(tmp_path / "checkpoints")]
        assert saved == [s for s in (7, 14, 21, 28) if s <= step][-2:]
        good = tmp_path / "checkpoints" / f"step-{saved[-1]:09d}" if saved else "none, for there is none before"
        assert told["last"] == str(good)
        assert int(told["seed"]) == step_seed(0, step)

    def test_an_explosion_of_the_weights_themselves(self, tmp_path):
        def model(config):
            return nn.Linear(6, 6)

        recipe = changed(
            noisy,
            model=model,
            losses={"loss": lambda model, batch, generator: model(batch).square().sum(1).mean()},
            optimiser=lambda model, config: torch.optim.SGD(model.parameters(), lr=config.rate),
            schedule=None,
            evaluate=None,
        )
        with pytest.raises(TrainingDivergedError) as caught:
            train(recipe, dataclasses.replace(SMALL[noisy.__name__], rate=1.0, clip=None), out=tmp_path, **EVERY)
        told = self.MESSAGE.fullmatch(str(caught.value)).groupdict()
        assert re.fullmatch(r"at step [12] the loss was \S+", told["what"])
        assert told["last"] == "none, for there is none before"
        assert checkpoints.found(tmp_path / "checkpoints") == []

    def test_a_metric_and_the_test_set(self, tmp_path):
        def loss(model, batch, generator):
            return model.first.weight.square().sum(), {"strange": torch.tensor(math.inf)}

        with pytest.raises(TrainingDivergedError, match="at step 0 the strange was inf"):
            train(changed(noisy, loss=loss), SMALL[noisy.__name__])
        bad = changed(noisy, evaluate=lambda *_: {"test loss": torch.tensor(math.nan)})
        told = self.stop(bad, tmp_path)
        assert told["what"] == "after step 6 the test loss was nan"
        assert checkpoints.found(tmp_path / "checkpoints") == []

    def test_a_metric_may_grow(self):
        def loss(model, batch, generator):
            loss.calls += 1
            return model.first.weight.square().sum(), {"calls": 10.0**loss.calls}

        loss.calls = 0
        train(changed(noisy, loss=loss), SMALL[noisy.__name__])

    def test_without_a_folder(self):
        recipe, _, _ = self.spoiled(noisy, 3, lambda loss, model: loss * math.nan)
        assert self.stop(recipe, None)["last"] == "none, for there is none before"


def test_final_weights_are_those_of_the_last_checkpoint(tmp_path):
    train(noisy, SMALL[noisy.__name__], out=tmp_path, **EVERY)
    last = tmp_path / "checkpoints" / f"step-{STEPS:09d}" / "model.safetensors"
    assert (tmp_path / "model.safetensors").read_bytes() == last.read_bytes()
    assert safetensors.torch.load_file(last).keys() >= {"first.weight", "norm.running_mean"}

"""The command line of training: what it says, what it refuses, and that it goes on after a kill."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from course_utils import train as command
from course_utils.recipes import autoencoder
from course_utils.training import checkpoints
from tests.training.runs import Moments, full

FAST = ["--set", "steps=40", "--set", "batch_size=32", "--set", "hidden=16", "--save-every", "10"]


def run(*arguments):
    return command.main([str(argument) for argument in arguments])


class TestHelp:
    def test_it_teaches(self, capsys):
        with pytest.raises(SystemExit) as ended:
            run("--help")
        assert ended.value.code == 0
        told = " ".join(capsys.readouterr().out.split())
        for word in ("--preset", "--resume", "torchrun --nproc-per-node=2", "log.jsonl", "copy one to make the next"):
            assert word in told
        for name in command.RECIPES:
            assert f" {name} " in told
        assert autoencoder.__doc__.splitlines()[0] in told

    @pytest.mark.parametrize("line", command.__doc__.splitlines()[2:5])
    def test_its_examples_parse(self, line):
        options = command.parser().parse_args(line.split()[3:])
        config = command.override(command._preset(autoencoder, options.preset), options.set)
        assert isinstance(config, autoencoder.Config)


class TestRun:
    def test_a_run_from_start_to_end(self, tmp_path, capsys):
        assert run("autoencoder", "--out", tmp_path / "run", *FAST) == 0
        captured = capsys.readouterr()
        assert f"Trained to step 40: {tmp_path / 'run' / 'model.safetensors'}" in captured.out
        bar = captured.err.split("\r")[-1]
        assert "40/40" in bar
        assert "loss=" in bar
        assert "rate=" in bar
        assert "<00:00" in bar  # time left
        config = json.loads((tmp_path / "run" / "config.json").read_text())
        assert config["recipe"] == "course_utils.recipes.autoencoder"
        assert config["config"]["hidden"] == [16]
        lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
        assert [line["step"] for line in lines] == [10, 20, 30, 40]
        assert {"loss", "rate", "seconds", "test loss"} <= lines[-1].keys()
        assert len(checkpoints.found(tmp_path / "run" / "checkpoints")) == 3

    def test_a_recipe_of_ones_own(self, tmp_path, capsys):
        shutil.copy(autoencoder.__file__, tmp_path / "torch.py")  # even under a bad name
        assert run(tmp_path / "torch.py", "--out", tmp_path / "run", *FAST) == 0
        assert "Trained to step 40" in capsys.readouterr().out
        assert sys.modules["torch"].__name__ == "torch"
        assert sys.modules["torch"].__file__ != str(tmp_path / "torch.py")

    def test_what_a_diagnosis_finds_is_told_in_words(self, tmp_path, capsys):
        lost = ["steps=250", "loss=minimax", "gamma=0", "start=40"]  # a generator that the game gives no gradient
        changes = [word for change in lost for word in ("--set", change)]
        assert run("gan", "--preset", "line", *changes, "--out", tmp_path, "--save-every", 250) == 0
        told = capsys.readouterr().err
        assert told.count("the discriminator wins outright: for 200 steps") == 1
        assert "Note: After step" in told

    def test_a_damaged_checkpoint_is_named_and_passed_over(self, tmp_path, capsys):
        out = ["autoencoder", "--out", tmp_path / "run", *FAST]
        assert run(*out) == 0
        weights = (tmp_path / "run" / "model.safetensors").read_bytes()
        damaged = tmp_path / "run" / "checkpoints" / "step-000000040"
        (damaged / "model.safetensors").write_bytes(b"cut")
        (tmp_path / "run" / "model.safetensors").unlink()
        assert run(*out, "--resume") == 0
        assert f"Note: The checkpoint {damaged} is damaged: model.safetensors" in capsys.readouterr().err
        assert (tmp_path / "run" / "model.safetensors").read_bytes() == weights


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["nothing"], "RECIPE must be one of autoencoder"),
            (["missing.py"], "or the path of a .py file; got 'missing.py'"),
            (["autoencoder", "--preset", "big"], "--preset must be one of digits, baldi-hornik-1989"),
            (["autoencoder", "--set", "stepz=3"], "expected NAME=VALUE with NAME one of"),
            (["autoencoder", "--set", "steps=many"], "steps must be int; got 'many'"),
            (["autoencoder", "--set", "steps=0"], "steps must be at least 1; got 0"),
            (["autoencoder", "--data", "cats"], "--data must be digits, mnist or fashion-mnist; got 'cats'"),
            (["autoencoder", "--set", "batch_size=5000"], "at most the number of examples, 1437; got 5000"),
            (["autoencoder", "--device", "abacus"], "device must be 'auto', 'cpu' or 'cuda'; got 'abacus'"),
            (["autoencoder", "--log-every", "0"], "log_every must be at least 1; got 0"),
        ],
    )
    def test_one_sentence_says_what_was_expected(self, tmp_path, capsys, arguments, message):
        assert run(*arguments, "--out", tmp_path / "run") == 1
        told = capsys.readouterr().err
        assert message in told
        assert told.count("\n") == 1
        assert not (tmp_path / "run").exists()

    def test_a_recipe_without_presets(self, tmp_path, capsys):
        (tmp_path / "mine.py").write_text("")
        assert run(tmp_path / "mine.py", "--out", tmp_path / "run") == 1
        assert capsys.readouterr().err == ("the recipe recipe_mine must have PRESETS, a dictionary of name → Config.\n")

    def test_a_recipe_that_is_not_whole(self, tmp_path, capsys):
        (tmp_path / "mine.py").write_text(
            "from course_utils.training.config import Config\nPRESETS = {'mine': Config()}\nmodel = data = None\n"
        )
        assert run(tmp_path / "mine.py", "--out", tmp_path / "run") == 1
        assert capsys.readouterr().err == (
            "the recipe recipe_mine must have optimiser(…): see help(course_utils.recipes).\n"
        )

    def test_a_folder_that_can_not_be_written(self, tmp_path, capsys):
        (tmp_path / "run").write_text("")
        assert run("autoencoder", "--out", tmp_path / "run", *FAST) == 1
        assert capsys.readouterr().err == f"{tmp_path / 'run'} can't be written: File exists.\n"

    def test_a_disk_that_is_full(self, tmp_path, capsys):
        with Moments(tmp_path / "run", 40, full):
            assert run("autoencoder", "--out", tmp_path / "run", *FAST) == 1
        told = capsys.readouterr().err.splitlines()[-1]
        assert told.startswith(f"The disk is full: {tmp_path / 'run'}")
        assert told.endswith("Checkpoints that are there are whole: make room, then go on with --resume (resume=True).")
        assert run("autoencoder", "--out", tmp_path / "run", *FAST, "--resume") == 0

    def test_a_folder_that_is_taken(self, tmp_path, capsys):
        assert run("autoencoder", "--out", tmp_path, *FAST) == 0
        assert run("autoencoder", "--out", tmp_path, *FAST) == 1
        assert "holds a run already: go on with it (--resume)" in capsys.readouterr().err

    def test_a_loss_that_explodes(self, tmp_path, capsys):
        assert run("autoencoder", "--out", tmp_path, "--set", "rate=1e4", "--set", "batch_size=32") == 1
        told = capsys.readouterr().err
        assert "Training stopped: at step" in told
        assert "The batch's seed is" in told


class TestSignals:
    """A recipe that is sent signals in its 15th step."""

    @pytest.fixture
    def recipe(self, tmp_path):
        def make(*names):
            (tmp_path / "own.py").write_text(
                "import signal\n"
                "from course_utils.recipes.autoencoder import *\n"
                "from course_utils.recipes.autoencoder import loss as usual\n"
                "steps = []\n"
                "def loss(model, batch, generator):\n"
                "    steps.append(1)\n"
                f"    for number in {names} if len(steps) == 15 else ():\n"
                "        signal.raise_signal(getattr(signal, number))\n"
                "    return usual(model, batch, generator)\n"
            )
            return tmp_path / "own.py"

        return make

    @pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143)])
    def test_one(self, tmp_path, capsys, recipe, name, status):
        assert run(recipe(name), "--out", tmp_path / "run", *FAST) == status
        captured = capsys.readouterr()
        assert captured.out == f"Stopped by {name} after step 15: --resume goes on from there.\n"
        assert run(recipe(), "--out", tmp_path / "run", *FAST, "--resume") == 0
        assert run(recipe(), "--out", tmp_path / "whole", *FAST) == 0
        weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("run", "whole")]
        assert weights[0] == weights[1]

    def test_a_second_one(self, tmp_path, capsys, recipe):
        assert run(recipe("SIGINT", "SIGINT"), "--out", tmp_path / "run", *FAST) == 130
        told = capsys.readouterr().err.splitlines()[-1]
        assert told == "Interrupted at once: --resume goes on from the last checkpoint, or from the beginning."


COMMAND = [sys.executable, "-m", "course_utils.train", "autoencoder", "--set", "steps=1500", "--save-every", "20"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The weights of a run that was never stopped."""
    folder = tmp_path_factory.mktemp("whole")
    subprocess.run([*COMMAND, "--out", folder], check=True, capture_output=True)
    return (folder / "model.safetensors").read_bytes()


@pytest.mark.slow
class TestStopped:
    """The real command, in a process of its own."""

    @pytest.mark.parametrize(
        ("number", "status", "told"),
        [
            (signal.SIGKILL, -9, ""),
            (signal.SIGTERM, 143, "Stopped by SIGTERM after step"),
            (signal.SIGINT, 130, "Stopped by SIGINT after step"),
        ],
    )
    def test_it_goes_on_bit_for_bit(self, tmp_path, whole, number, status, told):
        child = subprocess.Popen([*COMMAND, "--out", tmp_path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while not checkpoints.found(tmp_path / "checkpoints"):
            assert child.poll() is None
            time.sleep(0.05)
        os.kill(child.pid, number)
        stdout, stderr = child.communicate(timeout=60)
        assert child.returncode == status
        assert told in stdout.decode()
        assert b"Traceback" not in stderr
        subprocess.run([*COMMAND, "--out", tmp_path, "--resume"], check=True, capture_output=True)
        assert (tmp_path / "model.safetensors").read_bytes() == whole

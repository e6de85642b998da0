"""Two processes have the losses of one, and each its part of the data; what happens when one of them is stopped."""

import json
import os
import re
import signal
import socket
import time
import types
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import distributed
from torch.distributed.elastic.multiprocessing.errors import ProcessFailure

from course_utils.recipes import autoencoder
from course_utils.train import main
from course_utils.training import processes as module
from course_utils.training.batches import Batches, step_seed
from course_utils.training.checkpoints import found
from course_utils.training.loop import train
from course_utils.training.processes import Processes, ProcessLostError, processes
from tests.training.torchrun import LOOPBACK, torchrun

RECIPES = Path(__file__).parent / "recipes"
STEPS = 50
COMMAND = ("--set", f"steps={STEPS}", "--log-every", "1", "--save-every", "10", "--out", "run")

on_two_processes = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="signals and torchrun's store are otherwise on Windows"),
]


def start(recipe, folder, *arguments, happens="nothing 0 0", options=(), **environ):
    """Train a recipe of this folder on two processes that work in ``folder``."""
    return torchrun(
        *("-m", "course_utils.train", RECIPES / f"{recipe}.py", *COMMAND, *arguments),
        options=options,
        cwd=folder,
        environ={"WATCHED": str(folder), "HAPPENS": happens, **environ},
    )


def log(run):
    """The lines of a run's log, without the time that they took."""
    lines = [json.loads(text) for text in (run / "log.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def weights(file):
    return safetensors.torch.load_file(file)


def assert_identical(first, second):
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def times_told(text, done):
    """How often the processes say a sentence; torchrun's report of who failed repeats it as a "traceback"."""
    return len(re.findall(rf"(?<!traceback : ){re.escape(text)}", done.stderr))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The folder of a run on two processes to which nothing happens."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "elsewhere-1").mkdir()
    done = start("watched", folder, ELSEWHERE="yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"Trained to step {STEPS}: run/model.safetensors\n"
    return folder


@pytest.fixture(scope="module")
def alone():
    """The batches of the same run on one process, and its losses."""
    batches = []

    def loss(model, batch, generator):
        batches.append(batch.numpy())
        return autoencoder.loss(model, batch, generator)

    recipe = types.SimpleNamespace(**{**vars(autoencoder), "loss": loss})
    config = autoencoder.Config(**{**vars(autoencoder.PRESETS["digits"]), "steps": STEPS})
    history = train(recipe, config, log_every=1).history
    return np.array(batches), history["loss"]


class TestTwoProcessesAreAsOne:
    pytestmark = on_two_processes

    def test_losses_with_adamw(self, undisturbed, alone):
        losses = np.array([line["loss"] for line in log(undisturbed / "run")])
        assert losses.shape == (STEPS,)
        np.testing.assert_allclose(losses, alone[1], rtol=0, atol=1e-5)
        assert losses[-1] < losses[0] / 2

    @pytest.mark.parametrize(
        ("recipe", "names", "tolerance"),
        [
            ("muon", ["loss"], 0.01),  # its matrices are orthogonalised in bf16
            ("game", ["discriminator", "generator", "margin"], 1e-5),
        ],
    )
    def test_losses_with_two_optimisers(self, recipe, names, tolerance, tmp_path, monkeypatch):
        done = start(recipe, tmp_path)
        assert done.returncode == 0, done.stderr
        two = log(tmp_path / "run")
        (tmp_path / "alone").mkdir()
        monkeypatch.chdir(tmp_path / "alone")
        assert main([str(RECIPES / f"{recipe}.py"), *COMMAND]) == 0
        one = log(Path("run"))
        for name in names:
            first, second = ([line[name] for line in lines] for lines in (one, two))
            assert len(first) == STEPS
            np.testing.assert_allclose(second, first, rtol=0, atol=tolerance)

    def test_each_has_its_own_part_of_every_batch(self, undisturbed, alone):
        parts = [np.load(undisturbed / f"batches-{rank}.npy") for rank in (0, 1)]
        assert parts[0].shape == parts[1].shape == (STEPS, 64, 64)
        np.testing.assert_array_equal(np.concatenate(parts, axis=1), alone[0])

    def test_both_end_with_the_same_weights(self, undisturbed):
        first, second = (weights(undisturbed / f"weights-{rank}.safetensors") for rank in (0, 1))
        assert_identical(first, second)
        assert_identical(first, weights(undisturbed / "run" / "model.safetensors"))

    def test_only_the_first_writes(self, undisturbed):
        """The second works in another folder, where ``--out run`` would have made a run of its own."""
        assert list((undisturbed / "elsewhere-1").iterdir()) == []
        assert {path.name for path in (undisturbed / "run").iterdir()} == {
            ".lock",
            "checkpoints",
            "config.json",
            "log.jsonl",
            "model.safetensors",
        }


@pytest.mark.parametrize("world", [2, 3, 4, 8])
def test_the_parts_of_a_batch_are_disjoint_and_make_it_up(world):
    n, size = 100, 24
    whole = Batches(n, size, seed=3)
    parts = [Batches(n, size, seed=3, rank=rank, world=world) for rank in range(world)]
    for step in range(9):
        taken = torch.cat([part(step) for part in parts])
        assert len(set(taken.tolist())) == size
        assert torch.equal(taken, whole(step))


class TestWhatStopsAJob:
    pytestmark = on_two_processes

    def test_a_batch_that_cannot_be_shared_out(self, tmp_path):
        done = start("watched", tmp_path, "--set", "batch_size=127")
        assert done.returncode == 1
        sentence = "batch_size must be a multiple of the number of processes, 2; got 127."
        assert times_told(sentence, done) == 1
        assert done.stderr.startswith(sentence)
        assert not (tmp_path / "run").exists()

    def test_a_folder_that_is_taken(self, tmp_path):
        """Only the first process looks, and all stop with what it found."""
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "config.json").write_text("{}")
        done = start("watched", tmp_path)
        assert done.returncode == 1
        assert times_told("run holds a run already: go on with it (--resume), or choose another folder.", done) == 1
        assert "another process of this job" not in done.stderr

    def test_nan_on_one_process(self, tmp_path):
        done = start("watched", tmp_path, happens="nan 1 25")
        assert done.returncode == 1
        sentence = (
            f"Training stopped: at step 25 the loss was nan (on process 1). The batch's seed is {step_seed(0, 25, 1)}; "
            f"the last good checkpoint is {Path('run', 'checkpoints', 'step-000000020')}."
        )
        assert times_told(sentence, done) == 1
        assert done.stderr.count(f"traceback : {sentence}") == 2  # torchrun reports both, with the same words
        assert [line["step"] for line in log(tmp_path / "run")] == list(range(1, 26))

    def test_an_error_of_one_process(self, tmp_path):
        """It is told, the other process stops too, and torchrun's report has the cause."""
        done = start("watched", tmp_path, happens="fail 1 25")
        assert done.returncode == 1
        assert times_told("no more of this disk", done) == 1
        assert times_told("another process of this job has ended", done) == 1
        assert done.stderr.count("traceback : no more of this disk\n") == 1

    @pytest.mark.parametrize("rank", [0, 1])
    def test_a_killed_process(self, rank, tmp_path):
        done = start("watched", tmp_path, happens=f"kill {rank} 25")
        assert time.time() - float((tmp_path / "happened").read_text()) < 20
        assert done.returncode == 1
        sentence = (
            "Training stopped: another process of this job has ended, or can't be reached, so this one stops too; the "
            f"last checkpoint is {Path('run', 'checkpoints', 'step-000000020')}, from which --resume goes on.\n"
        )
        assert times_told(sentence, done) == 1
        assert "gloo" not in done.stderr
        assert done.stderr.count("Traceback (most recent call last)") == 1  # torchrun's own

    def test_a_killed_process_and_max_restarts(self, undisturbed, tmp_path):
        done = start("watched", tmp_path, happens="kill 1 25", options=["--max-restarts=1"])
        assert done.returncode == 0, done.stderr
        assert times_told("another process of this job has ended", done) == 1
        assert log(tmp_path / "run") == log(undisturbed / "run")
        assert_identical(*(weights(folder / "run" / "model.safetensors") for folder in (tmp_path, undisturbed)))

    @pytest.mark.parametrize(("happens", "name"), [("Ctrl-C", "SIGINT"), ("scancel", "SIGTERM")])
    def test_a_stopped_job_goes_on(self, happens, name, undisturbed, tmp_path):
        done = start("watched", tmp_path, happens=f"{happens} 0 25")
        match = re.fullmatch(
            rf"Stopped by {name} after step (\d+): --resume goes on from there\.\n", done.stdout
        )  # torchrun passes the signal on when it gets round to it
        assert match, done.stdout + done.stderr
        stopped = int(match[1])
        assert 26 <= stopped < STEPS
        assert found(tmp_path / "run" / "checkpoints")[-1][0] == stopped
        resumed = start("watched", tmp_path, "--resume")
        assert resumed.returncode == 0, resumed.stderr
        assert log(tmp_path / "run") == log(undisturbed / "run")
        assert_identical(*(weights(folder / "run" / "model.safetensors") for folder in (tmp_path, undisturbed)))


class TestOneProcess:
    def test_nothing_of_it_is_there(self, tmp_path, monkeypatch):
        """No process group, no DDP, no port."""

        def refuse(*_, **__):
            raise AssertionError("not on one process")

        monkeypatch.setattr(module, "DistributedDataParallel", refuse)
        monkeypatch.setattr(distributed, "rendezvous", refuse)
        monkeypatch.setattr(distributed, "init_process_group", refuse)
        monkeypatch.setattr(socket, "socket", refuse)
        monkeypatch.chdir(tmp_path)
        before = sockets()
        seen = []

        def evaluate(model, test_set, config):
            seen.append(sockets())
            return {}

        monkeypatch.setattr(autoencoder, "evaluate", evaluate)
        assert main(["autoencoder", "--set", "steps=3", "--out", "run"]) == 0
        assert seen == [before]
        assert not distributed.is_initialized()

    def test_its_answers_are_its_own(self):
        job = Processes()
        assert job.writes
        assert job.any(True)
        assert not job.any(False)
        assert job.where(True) == [0]
        assert job.where(False) == []
        assert job.first(lambda: "found") == "found"
        values = torch.tensor([1.0, 2.0])
        assert job.mean(values) is values
        loss = object()
        assert job.wrap(loss, []) is loss


def sockets():
    """The sockets that this process holds, compiled code's too, where the system tells."""
    folder = Path("/proc/self/fd")
    links = [os.readlink(path) for path in folder.iterdir() if path.is_symlink()] if folder.is_dir() else []
    return sorted(link for link in links if link.startswith("socket:"))


@pytest.fixture
def torchrun_environment(monkeypatch, tmp_path):
    """What torchrun tells a process that is the only one of its job."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    told = {
        "TORCHELASTIC_RUN_ID": "test",
        "TORCHELASTIC_RESTART_COUNT": "2",
        "TORCHELASTIC_MAX_RESTARTS": "3",
        "TORCHELASTIC_USE_AGENT_STORE": "False",
        "TORCHELASTIC_ERROR_FILE": str(tmp_path / "error.json"),
        "GROUP_WORLD_SIZE": "1",
        "WORLD_SIZE": "1",
        "RANK": "0",
        "LOCAL_RANK": "0",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "GLOO_SOCKET_IFNAME": LOOPBACK,
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    before = signal.getsignal(signal.SIGTERM)
    yield told
    signal.signal(signal.SIGTERM, before)


class TestJob:
    def test_a_job_of_one(self, torchrun_environment):
        with processes("cpu") as job:
            assert (job.rank, job.world, job.restarts) == (0, 1, 2)
            assert distributed.is_initialized()
        assert not distributed.is_initialized()

    def test_the_engines_error_is_told_from_a_mistake_in_a_recipe(self, torchrun_environment):
        with pytest.raises(RuntimeError, match="^shapes cannot be multiplied$") as mistake, processes("cpu"):
            raise RuntimeError("shapes cannot be multiplied")
        assert not isinstance(mistake.value, ProcessLostError)
        with pytest.raises(ProcessLostError, match="^another process of this job has ended"), processes("cpu"):
            raise RuntimeError("[/pytorch/third_party/gloo/gloo/transport/tcp/pair.cc:553] Connection closed by peer")
        with pytest.raises(ProcessLostError, match="^another process of this job has ended"), processes("cpu"):
            raise distributed.DistNetworkError("Broken pipe")

    def test_restarts_on_several_machines_need_a_store_of_their_own(self, torchrun_environment, monkeypatch):
        monkeypatch.setenv("GROUP_WORLD_SIZE", "2")
        monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")
        with pytest.raises(ValueError, match=r"needs .* TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1"), processes("cpu"):
            pass
        assert not distributed.is_initialized()

    def test_an_attempt_does_not_see_what_the_one_before_has_stored(self, torchrun_environment, monkeypatch):
        """torchrun keeps its store; in it are addresses at which nobody is any more."""
        store = distributed.HashStore()
        monkeypatch.setattr(distributed, "rendezvous", lambda url: iter([(store, 0, 1)]))
        monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")
        for attempt in ("0", "1"):
            monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", attempt)
            with processes("cpu") as job:
                assert not job.store.check(["address"])
                job.store.set("address", "here")

    def test_a_sentence_is_told_once(self, torchrun_environment, capsys):
        store = distributed.HashStore()
        for rank in (0, 1, 2):
            Processes(rank, world=3, store=store).tell(ValueError("one sentence"))
        Processes(1, world=3, store=store).tell(ValueError("another"))
        assert capsys.readouterr().err == "one sentence\nanother\n"

    def test_torchruns_report_has_the_sentence_of_the_cause(self, torchrun_environment):
        job = Processes(world=2, store=distributed.HashStore())
        file = torchrun_environment["TORCHELASTIC_ERROR_FILE"]
        job.tell(ProcessLostError("another process"))
        assert not os.path.exists(file)
        job.tell(ValueError("the cause"))
        failure = ProcessFailure(local_rank=0, pid=1, exitcode=1, error_file=file)
        assert failure.message["extraInfo"]["py_callstack"] == "the cause"

"""The training loop of lessons 4 to 8: in a notebook, by command, on one process or many."""

import contextlib
import dataclasses
import json
import math
import time
import warnings
from pathlib import Path

import filelock
import numpy as np
import safetensors.torch
import torch

from . import checkpoints
from .batches import step_seed
from .log import Log
from .processes import Processes
from .signals import StopSignals
from .task import Task

EXPLODED = 1000.0  # a loss that has grown by this factor, over one more than its first value, will not come back


class TrainingDivergedError(RuntimeError):
    """A loss that is no number any more, or has exploded."""


class TrainingWarning(UserWarning):
    """A training that goes on, but not where it should: what a recipe's ``diagnose`` has found."""


class RunFolderError(RuntimeError):
    """A folder that holds another run, or one that is being trained by another process."""


@dataclasses.dataclass(frozen=True)
class Trained:
    """What ``train`` gives back.

    Attributes
    ----------
    model : torch.nn.Module, as the last step left it
    history : dict, name → (intervals,) array: "step", the mean of each loss since the line before, "rate", "seconds",
        and what the recipe's ``evaluate`` found (NaN between)
    step : int, updates made
    stopped : None, or the name of the signal that ended the run early
    """

    model: torch.nn.Module
    history: dict[str, np.ndarray]
    step: int
    stopped: str | None


def train(
    recipe,
    config,
    *,
    source=None,
    out=None,
    resume=False,
    watch=None,
    observe=None,
    log_every=10,
    save_every=100,
    keep=3,
    processes=Processes(),  # noqa: B008, it is frozen
):
    """Train a recipe's model to ``config.steps`` updates.

    Order of the data, noise and dropout of a step follow from (seed, step), so a run that was stopped, by whatever,
    and goes on from its checkpoint ends with the bits of one that was never stopped (same machine and threads, CPU).

    Parameters
    ----------
    recipe : a module of ``course_utils.recipes``, or one of your own that has the same functions
    config : the recipe's ``Config``
    source : str or None, what the recipe's ``data`` reads; None takes its default
    out : path or None; where log, checkpoints, configuration and final weights are written
    resume : bool, go on from the last checkpoint in ``out``; from the beginning where there is none yet
    watch : callable or None; ``watch(lines, steps)`` after each interval with all lines so far, and
        ``watch(lines, steps, stopped)`` at the end of a run that a signal or an error has stopped, with its name
    log_every, save_every : int, steps from line to line of the log, and from checkpoint to checkpoint, where there is
        a line too, with what the recipe's ``evaluate`` finds
    keep : int, how many checkpoints are kept
    processes : Processes, where torchrun has started several

    Returns
    -------
    Trained

    Raises
    ------
    TrainingDivergedError
        If a loss is NaN, infinite, or has exploded; the message names step, seed and last good checkpoint.
    RunFolderError
        If ``out`` holds a run already (and resume is False), one of another configuration, or one in progress.
    OSError
        If the disk is full; what was saved before stays usable.
    """
    for name, value in (("log_every", log_every), ("save_every", save_every), ("keep", keep)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1; got {value}.")
    folder = None if out is None else Path(out)
    with contextlib.ExitStack() as stack:
        task = Task(recipe, config, source, processes)
        found = None
        if folder is not None:

            def begin():
                stack.enter_context(_owned(folder))
                _identify(folder, recipe, config, source, resume)
                return checkpoints.latest(folder / "checkpoints")

            found = processes.first(begin)
        log = folder / "log.jsonl" if folder is not None and processes.writes else None
        progress = Progress(task, found, Log(log, step=0 if found is None else found[1]["step"]))
        gpus = [processes.device] if processes.device.type == "cuda" else []
        stack.enter_context(torch.random.fork_rng(gpus))  # the reader's own random numbers stay as they are
        stop = stack.enter_context(StopSignals(patient=processes.world > 1))
        stopped = None
        if watch is not None:

            def tell_end(kind, *_):
                if stopped or kind:
                    watch(progress.log.lines, config.steps, stopped or kind.__name__)

            stack.push(tell_end)
            watch(progress.log.lines, config.steps)
        if observe is not None:
            progress.show(observe)
        while progress.step < config.steps and not stopped:
            progress.advance()
            step = progress.step
            saves = step % save_every == 0 or step == config.steps
            logs = step % log_every == 0 or saves
            if logs or (stop.requested and processes.world == 1):
                progress.check(folder)
                if processes.any(stop.requested is not None):
                    stopped = stop.requested or "another process's signal"
                    logs = logs or folder is None  # no run goes on from here and measures the interval whole
                if logs:
                    progress.write_line(folder, evaluate=saves)
                    if watch is not None:
                        watch(progress.log.lines, config.steps)
                    if observe is not None:
                        progress.show(observe)
                if folder is not None and processes.writes and (saves or stopped):
                    progress.save(folder, keep)
        if folder is not None and processes.writes and not stopped:
            with checkpoints.replacing(folder / "model.safetensors") as aside:
                safetensors.torch.save_model(task.model, str(aside))
    return Trained(task.model, progress.log.history(), progress.step, stopped)


def load(out, recipe):
    """The model of a finished run: ``load("runs/digits", autoencoder)``.

    Raises
    ------
    FileNotFoundError
        If the run has not ended; the message says how to go on with it.
    """
    folder = Path(out)
    if not (folder / "model.safetensors").exists():
        raise FileNotFoundError(f"{folder} holds no finished run: train it, or go on with --resume.")
    content = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    model = recipe.model(_config(recipe, content["config"]))
    safetensors.torch.load_model(model, str(folder / "model.safetensors"))
    return model.eval()


class Progress:
    """How far a run has come: its step, and the sums of the losses since the last line of the log."""

    def __init__(self, task, found, log):
        self.task, self.log = task, log
        self.step, self._sums, self._count, self._seconds, self._limits = 0, {}, 0, 0.0, {}
        if found is not None:
            path, state = found
            checkpoints.restore(path, state, task.model, task.optimisers)
            for schedule, content in zip(task.schedules, state["schedules"], strict=True):
                schedule.load_state_dict(checkpoints.from_json(content, schedule.state_dict()))
            self.step, self._seconds, self._limits = state["step"], state["seconds"], state["limits"]
            self._sums, self._count = state["sums"], state["count"]
        self._since, self._unread, self._told = time.perf_counter(), [], set()

    def advance(self):
        """One update. Its losses are left where they are computed: to read them at every step would make a GPU wait."""
        self._unread.append(self.task.update(self.step))
        self.step += 1

    def check(self, folder):
        """Read the losses since the last check, the mean over all processes, and see that each is a sound number."""
        if not self._unread:
            return
        names = list(self._unread[0])
        for line in self._unread:
            if list(line) != names:
                raise ValueError(f"the losses must give the same numbers at each step; got {names}, then {list(line)}.")
        values = torch.stack([torch.stack([line[name].float() for name in names]) for line in self._unread])
        rows = self.task.processes.mean(values.clone()).tolist()  # (steps, names)
        first = self.step - len(rows)
        self._unread = []
        for i, row in enumerate(rows):
            for name, value, own in zip(names, row, values[i].tolist(), strict=True):
                limit = self._limits.setdefault(name, EXPLODED * (1 + abs(value)))
                if not math.isfinite(value) or (name in self.task.names and abs(value) > limit):
                    step = first + i
                    bad = self.task.processes.where(not math.isfinite(own) or abs(own) > limit) or [0]
                    where = f" (on process {bad[0]})" if self.task.processes.world > 1 else ""
                    raise self._diverged(
                        folder, f"at step {step} the {name} was {value:g}{where}", step, bad=step, rank=bad[0]
                    )
                self._sums[name] = self._sums.get(name, 0.0) + value
            self._count += 1

    def _diverged(self, folder, what, step, bad, rank=0):
        """The error that names the step; weights that have had ``bad`` updates, or more, are not to be trusted."""
        saved = checkpoints.found(folder / "checkpoints") if folder is not None else []
        good = [path for updates, path in saved if updates < bad]
        seed = step_seed(self.task.config.seed, step, rank)
        return TrainingDivergedError(
            f"Training stopped: {what}. The batch's seed is {seed}; the last good checkpoint is "
            f"{good[-1] if good else 'none, for there is none before'}. A smaller rate, or clip=1, often helps."
        )

    def write_line(self, folder, evaluate):
        """Add a line to the log: the means since the last one, and the test set's measures where asked for."""
        line = {"step": self.step, **{name: total / self._count for name, total in self._sums.items()}}
        line |= {"rate": self.task.rate, "seconds": round(self.seconds(), 3)}
        if evaluate and self.task.processes.writes:
            for name, value in self.task.evaluate().items():
                if name in line:
                    raise ValueError(f"what evaluate finds must have names of its own; {name!r} is taken.")
                if not math.isfinite(value):
                    last = self.step - 1
                    raise self._diverged(folder, f"after step {last} the {name} was {value:g}", last, bad=self.step)
                line[name] = value
        self.log.add(line)
        self._sums, self._count = {}, 0
        if self.task.processes.writes:
            for symptom, sentence in self.task.diagnose(self.log.lines).items():
                if symptom not in self._told:
                    self._told.add(symptom)
                    warnings.warn(f"After step {self.step}: {sentence}", TrainingWarning, stacklevel=3)

    def show(self, observe):
        """Call ``observe(model, step)`` while the model rests."""
        with self.task.resting() as model:
            observe(model, self.step)

    def seconds(self):
        """Time spent in training, over all the times that the run was started."""
        return self._seconds + time.perf_counter() - self._since

    def save(self, folder, keep):
        """Write the checkpoint of this step, unless it has weights that are no numbers: no later loss has told yet."""
        if not all(torch.isfinite(weights).all() for weights in self.task.model.parameters()):
            last = self.step - 1
            raise self._diverged(folder, f"step {last} left weights that are not finite", last, bad=self.step)
        state = {
            "schedules": [schedule.state_dict() for schedule in self.task.schedules],
            "seconds": self.seconds(),
            "limits": self._limits,
            "sums": self._sums,
            "count": self._count,
        }
        checkpoints.save(folder / "checkpoints", self.step, self.task.model, self.task.optimisers, state, keep)


@contextlib.contextmanager
def _owned(folder):
    """The run's folder, made if need be, for this process alone; a process that is killed gives it up."""
    lock = filelock.FileLock(folder / ".lock", timeout=0)
    with checkpoints.writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise RunFolderError(f"{folder} is being trained by another process: wait for it, or stop it.") from None
    try:
        yield
    finally:
        lock.release()


def _identify(folder, recipe, config, source, resume):
    """Write what is trained to config.json, or see that it is what was trained there before."""
    path = folder / "config.json"
    content = json.loads(
        json.dumps({"recipe": recipe.__name__, "source": source, "config": dataclasses.asdict(config)})
    )
    if not path.exists():
        with checkpoints.replacing(path) as aside:
            aside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        return
    if not resume:
        raise RunFolderError(f"{folder} holds a run already: go on with it (--resume), or choose another folder.")
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
        old, new = ({**it["config"], "recipe": it["recipe"], "source": it["source"]} for it in (before, content))
    except (ValueError, KeyError, TypeError):
        raise RunFolderError(f"{path} is damaged: put it right, or choose another folder.") from None
    differing = [name for name in {**old, **new} if name not in old or name not in new or old[name] != new[name]]
    if differing:
        raise RunFolderError(
            f"{folder} was trained with another {' and '.join(differing)}: resume with what its config.json says, or "
            "choose another folder."
        )


def _config(recipe, values):
    return recipe.Config(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})

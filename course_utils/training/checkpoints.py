"""Checkpoints: written aside, flushed and renamed, so that each is whole or is not there.

A checkpoint is a folder ``step-000001200`` with ``model.safetensors``, ``optimiser.safetensors`` and ``state.json``,
which holds the SHA-256 of the former two, so that a damaged one is known.
"""

import hashlib
import json
import os
import re
import shutil
import warnings
from pathlib import Path

import safetensors.torch

STEP = re.compile(r"step-(\d{9})")
TENSOR_FILES = ("model.safetensors", "optimiser.safetensors")


class DamagedCheckpointError(RuntimeError):
    """A checkpoint whose files are not those that were written."""


def save(folder, step, model, optimisers, state, keep=3):
    """Write the checkpoint of a step; then delete all but the last ``keep``. An older one stays until this is whole.

    Parameters
    ----------
    folder : Path, which holds the checkpoints of one run
    step : int, updates made so far
    model : torch.nn.Module
    optimisers : list of torch.optim.Optimizer
    state : dict, what else the loop needs, as JSON
    keep : int, at least 1

    Raises
    ------
    OSError
        If the disk is full or can't be written; nothing of this checkpoint is left then.
    """
    path, aside = folder / f"step-{step:09d}", folder / f".step-{step:09d}.part"
    shutil.rmtree(aside, ignore_errors=True)  # what a killed run has left
    try:
        aside.mkdir(parents=True)
        tensors, rest = flatten(optimisers)
        safetensors.torch.save_model(model, str(aside / TENSOR_FILES[0]))
        safetensors.torch.save_file(tensors, aside / TENSOR_FILES[1])
        digests = {name: digest(aside / name) for name in TENSOR_FILES}
        content = json.dumps({"step": step, "sha256": digests, "optimisers": rest, **state}, allow_nan=False)
        (aside / "state.json").write_text(content + "\n", encoding="utf-8")
        for name in (*TENSOR_FILES, "state.json", "."):
            flush(aside / name)
        if path.exists():  # a damaged one, or the same step saved twice
            shutil.rmtree(path)
        os.replace(aside, path)
        flush(folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    for _, old in found(folder)[:-keep]:
        shutil.rmtree(old, ignore_errors=True)
    return path


def latest(folder):
    """The last checkpoint that is whole, as (path, state); None if there is none.

    A damaged one is named in a warning and the one before it is taken.
    """
    for _, path in reversed(found(folder)):
        try:
            return path, read(path)
        except DamagedCheckpointError as error:
            warnings.warn(f"{error} It is passed over, and the one before it is used.", stacklevel=2)
    return None


def found(folder):
    """The checkpoints of a run as (step, path), in order, whole or damaged."""
    paths = Path(folder).iterdir() if Path(folder).is_dir() else ()
    return sorted((int(match[1]), path) for path in paths if (match := STEP.fullmatch(path.name)))


def read(path):
    """The state of a checkpoint, whose files are compared with their digests.

    Raises
    ------
    DamagedCheckpointError
        If a file is missing, cut or altered.
    """
    try:
        state = json.loads((path / "state.json").read_text(encoding="utf-8"))
        digests = state["sha256"]
        for name in TENSOR_FILES:
            if digest(path / name) != digests[name]:
                raise DamagedCheckpointError(f"The checkpoint {path} is damaged: {name} is not what was written.")
    except FileNotFoundError as error:
        name = Path(error.filename).name
        raise DamagedCheckpointError(f"The checkpoint {path} is damaged: {name} is missing.") from None
    except (ValueError, KeyError, TypeError):
        raise DamagedCheckpointError(f"The checkpoint {path} is damaged: state.json can't be read.") from None
    return state


def restore(path, state, model, optimisers):
    """Put weights and the optimisers' state back from a checkpoint that ``read`` or ``latest`` has found whole."""
    safetensors.torch.load_model(model, str(path / TENSOR_FILES[0]))
    unflatten(optimisers, safetensors.torch.load_file(path / TENSOR_FILES[1]), state["optimisers"])


def flatten(optimisers):
    """The optimisers' state as tensors for safetensors, named "optimiser/parameter/name", and the rest for JSON."""
    tensors, rest = {}, []
    for i, optimiser in enumerate(optimisers):
        content = optimiser.state_dict()
        for j, entries in content["state"].items():
            # No momentum yet is a None, which is also what an optimiser takes a missing entry for.
            tensors |= {f"{i}/{j}/{name}": value.contiguous() for name, value in entries.items() if value is not None}
        rest.append(content["param_groups"])
    return tensors, rest


def unflatten(optimisers, tensors, rest):
    """Load what ``flatten`` gave into optimisers of the same kind."""
    for i, (optimiser, groups) in enumerate(zip(optimisers, rest, strict=True)):
        state = {}
        for key, value in tensors.items():
            owner, parameter, name = key.split("/")
            if int(owner) == i:
                state.setdefault(int(parameter), {})[name] = value
        for group, fresh in zip(groups, optimiser.state_dict()["param_groups"], strict=True):
            for name, value in fresh.items():
                if isinstance(value, tuple):  # JSON knows lists only
                    group[name] = tuple(group[name])
        optimiser.load_state_dict({"state": state, "param_groups": groups})


def digest(path):
    """SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def flush(path):
    """Have the disk hold a file or folder, and not only the system's memory."""
    if os.name == "nt" and path.is_dir():  # Windows flushes no folders
        return
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

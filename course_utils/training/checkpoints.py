"""Checkpoints: written aside, flushed and renamed, so that each is whole or is not there.

A checkpoint is a folder ``step-000001200`` with ``model.safetensors``, ``optimiser.safetensors``, ``state.json`` and
``SHA256SUMS``, by which a damaged one is known (``sha256sum -c SHA256SUMS`` checks it by hand).
"""

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import warnings
from pathlib import Path

import safetensors.torch

STEP = re.compile(r"step-(\d{9,})")
FILES = MODEL, OPTIMISER, STATE = ("model.safetensors", "optimiser.safetensors", "state.json")
SUMS = "SHA256SUMS"
FULL = (errno.ENOSPC, errno.EDQUOT, *([112] if os.name == "nt" else []))  # what a full disk, or a quota, answers


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
        If the disk is full or can't be written; nothing half-written is left then.
    """
    path, aside = folder / f"step-{step:09d}", folder / f".step-{step:09d}.part"
    for left in folder.glob(".step-*.part"):  # by a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    try:
        with writing(folder):
            aside.mkdir(parents=True)
            tensors, rest = flatten(optimisers)
            safetensors.torch.save_model(model, str(aside / MODEL))
            safetensors.torch.save_file(tensors, aside / OPTIMISER)
            content = json.dumps({"step": step, "optimisers": rest, **state}, allow_nan=False)
            (aside / STATE).write_text(content + "\n", encoding="utf-8")
            sums = "".join(f"{digest(aside / name)}  {name}\n" for name in FILES)
            (aside / SUMS).write_text(sums, encoding="utf-8")
            for name in (*FILES, SUMS, "."):
                flush(aside / name)
            if path.exists():  # a damaged one, or the same step saved twice
                shutil.rmtree(path)
            os.replace(aside, path)
            flush(folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    # One of a later step is damaged, or the run would have gone on from it: it counts for nothing.
    for _, old in [item for item in found(folder) if item[0] <= step][:-keep]:
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
            warnings.warn(f"{error} The one before it is used, or the beginning.", stacklevel=2)
    return None


def found(folder):
    """The checkpoints of a run as (step, path), in order, whole or damaged."""
    paths = Path(folder).iterdir() if Path(folder).is_dir() else ()
    return sorted((int(match[1]), path) for path in paths if (match := STEP.fullmatch(path.name)))


def read(path):
    """The state of a checkpoint, whose files are compared with their SHA-256.

    Raises
    ------
    DamagedCheckpointError
        If a file is missing, cut or altered.
    """
    name = SUMS
    try:
        sums = (path / SUMS).read_text(encoding="utf-8", errors="replace").splitlines()
        for name in FILES:
            if f"{digest(path / name)}  {name}" not in sums:
                raise DamagedCheckpointError(f"The checkpoint {path} is damaged: {name} is not what {SUMS} says.")
        return json.loads((path / STATE).read_text(encoding="utf-8"))
    except OSError as error:
        reason = f"{name} can't be read ({error.strerror})"
        raise DamagedCheckpointError(f"The checkpoint {path} is damaged: {reason}.") from None


def restore(path, state, model, optimisers):
    """Put weights and the optimisers' state back from a checkpoint that ``read`` or ``latest`` has found whole."""
    safetensors.torch.load_model(model, str(path / MODEL))
    unflatten(optimisers, safetensors.torch.load_file(path / OPTIMISER), state["optimisers"])


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
                # A copy: what safetensors reads stays tied to the file, and is not aligned as torch's own tensors are.
                state.setdefault(int(parameter), {})[name] = value.clone()
        groups = from_json(groups, optimiser.state_dict()["param_groups"])
        optimiser.load_state_dict({"state": state, "param_groups": groups})


def from_json(value, like):
    """A value that JSON gave back, with the tuples and the numbers as keys that ``like`` has and JSON lacks."""
    if isinstance(value, dict) and isinstance(like, dict):
        keys = {str(key): key for key in like}
        items = {keys.get(key, key): from_json(part, like.get(keys.get(key))) for key, part in value.items()}
        return type(like)(items)  # a MultiStepLR counts in a Counter
    if isinstance(value, list) and isinstance(like, (list, tuple)):
        return type(like)(from_json(part, like[i] if i < len(like) else None) for i, part in enumerate(value))
    return value


@contextlib.contextmanager
def replacing(path):
    """What is written to the path that this gives takes the place of the file at the end, whole or not at all."""
    aside = path.with_name(path.name + ".part")
    try:
        with writing(path.parent):
            yield aside
            flush(aside)
            os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


@contextlib.contextmanager
def writing(folder):
    """Say of an error in writing which folder it was, and whether the disk is full."""
    try:
        yield
    except (OSError, safetensors.SafetensorError) as error:
        number = getattr(error, "errno", None) or int((re.findall(r"os error (\d+)", str(error)) or [0])[0])
        if number in FULL:
            raise OSError(
                f"The disk is full: {folder} can't be written. Checkpoints that are there are whole: make room, then "
                "go on with --resume (resume=True)."
            ) from error
        raise OSError(f"{folder} can't be written: {getattr(error, 'strerror', None) or error}.") from error


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

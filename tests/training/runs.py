"""What tests do to runs: compare them bit for bit, and do something to one at any moment that it writes."""

import builtins
import contextlib
import errno
import functools
import hashlib
import io
import json
import os
import signal
import types
from pathlib import Path

import safetensors.torch

from course_utils.training import checkpoints

real_open = open
EVERY = {"log_every": 5, "save_every": 7, "keep": 2}


def outcome(folder):
    """What a run has left, {path: content}: the last checkpoint, all else, and no times."""
    last = checkpoints.found(folder / "checkpoints")[-1][1]
    found = {}
    for path in sorted(folder.rglob("*")):
        older = path.is_relative_to(folder / "checkpoints") and not path.is_relative_to(last)
        if path.is_dir() or older or path.name in (".lock", checkpoints.SUMS):  # the sums are also those of the times
            continue
        content = path.read_bytes()
        if path.suffix == ".safetensors":
            content = hashlib.sha256(content).hexdigest()
        elif path.name != "config.json":
            content = [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in content.splitlines()]
        found[str(path.relative_to(folder))] = content
    return found


def leftovers(folder):
    """What was written aside and never renamed."""
    return [path for path in folder.rglob("*") if path.suffix == ".part"]


def changed(recipe, **parts):
    """The recipe with other functions, under its own name."""
    return types.SimpleNamespace(**{**vars(recipe), **parts})


def happening(recipe, step, act):
    """The recipe, in whose loss ``act()`` is called once, at that step of this run (counted from 1)."""
    calls = []

    def wrapped(loss):
        @functools.wraps(loss)
        def compute(*arguments):
            value = loss(*arguments)
            calls.append(1)
            if len(calls) == step * len(losses):
                act()
            return value

        return compute

    losses = getattr(recipe, "losses", None) or {"loss": recipe.loss}
    return changed(recipe, losses={name: wrapped(loss) for name, loss in losses.items()})


def interrupted(recipe, step, *signals):
    """The recipe that is sent signals within a step."""
    return happening(recipe, step, lambda: [signal.raise_signal(number) for number in signals])


class Moments:
    """Within it, every call by which a run changes its folder is noted, and ``act()`` called at one of them.

    Before a file is made, renamed, removed or flushed; but in the middle of what is written to it.

    Parameters
    ----------
    folder : Path
    at : int or None, the number of the moment, from 0
    act : callable; what it raises comes out of the call
    only : set of str or None, the kinds of moments that count

    Attributes
    ----------
    seen : list of (kind, whether it was within the saving of a checkpoint)
    """

    def __init__(self, folder, at=None, act=None, only=None):
        self.folder, self.at, self.act, self.only = Path(folder), at, act, only
        self.seen, self._saving = [], False

    def note(self, kind):
        """A moment has come."""
        if self.only is None or kind in self.only:
            self.seen.append((kind, self._saving))
            if len(self.seen) - 1 == self.at:
                self.act()

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            for name in ("mkdir", "fsync", "replace", "unlink", "rmdir"):
                self._patch(stack, self._noted(name, getattr(os, name)), (os, name))
            self._patch(stack, self._opener(open), (builtins, "open"), (io, "open"))
            self._patch(stack, self._locker(os.open), (os, "open"))
            serialize = self._serializer(safetensors.torch.serialize_file)
            self._patch(stack, serialize, (safetensors.torch, "serialize_file"))
            self._patch(stack, self._saver(checkpoints.save), (checkpoints, "save"))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def _patch(self, stack, new, *places):
        for owner, name in places:
            stack.callback(setattr, owner, name, getattr(owner, name))
            setattr(owner, name, new)

    def _ours(self, what):
        """Whether a path, or the number of an open file, may be of the folder."""
        return isinstance(what, int) or not Path(what).is_absolute() or Path(what).is_relative_to(self.folder)

    def _noted(self, kind, function):
        def call(what, *arguments, **options):
            if self._ours(what):
                self.note(kind)
            return function(what, *arguments, **options)

        return call

    def _locker(self, function):
        def call(path, flags, *arguments, **options):
            if flags & os.O_CREAT and self._ours(path):
                self.note("lock")
            return function(path, flags, *arguments, **options)

        return call

    def _opener(self, function):
        def call(path, mode="r", *arguments, **options):
            ours = self._ours(path) and mode[0] in "wa"
            if ours:
                self.note("open")
            file = function(path, mode, *arguments, **options)
            if ours:
                write = file.write

                def in_two(content):
                    write(content[: len(content) // 2])
                    file.flush()
                    self.note("write")
                    return write(content[len(content) // 2 :])

                file.write = in_two
            return file

        return call

    def _serializer(self, function):
        def call(tensors, path, *arguments, **options):
            whole = safetensors.torch.serialize(tensors, *arguments, **options)
            with real_open(path, "wb") as file:
                file.write(whole[: len(whole) // 2])
                file.flush()
                self.note("serialize")
            function(tensors, path, *arguments, **options)

        return call

    def _saver(self, function):
        def call(*arguments, **options):
            self._saving = True
            try:
                return function(*arguments, **options)
            finally:
                self._saving = False

        return call


def full():
    """What a full disk answers."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

"""The student's progress: one small JSON file for each exercise solved and each question answered.

A file of its own for each fact needs no lock: two kernels write the same content or different files, on every
operating system. The folder is COURSE_PROGRESS, or else the user's data folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

EXERCISE = "exercise"  # solved
QUESTION = "question"  # a right option was chosen; older folders hold no other fact on questions
MISSED = "missed"  # a wrong option was chosen
_FILE = re.compile(rf"({EXERCISE}|{QUESTION}|{MISSED})\.([a-z0-9_]+\.[a-z0-9_]+)\.json")


@dataclass(frozen=True)
class Progress:
    """The names of the exercises solved, of the questions answered, and of those answered rightly at least once.

    `problems` has a sentence on every file that does not count.
    """

    solved: frozenset[str] = frozenset()
    answered: frozenset[str] = frozenset()
    right: frozenset[str] = frozenset()
    problems: tuple[str, ...] = ()


def folder() -> Path:
    """Where progress is kept, read anew each time: COURSE_PROGRESS, or else the user's data folder."""
    if chosen := os.environ.get("COURSE_PROGRESS"):
        return Path(chosen).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("generative-models-course", appauthor=False))


def remember(kind: str, name: str) -> None:
    """Note the fact `kind` (EXERCISE, QUESTION or MISSED) on `name`; OSError if the folder cannot be written."""
    path = folder() / f"{kind}.{name}.json"
    state = _state(path, kind, name)
    if state == "sound":
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if state == "damaged":
        _set_aside(path)
    handle, temporary = tempfile.mkstemp(prefix=".new-", suffix=".tmp", dir=path.parent)
    try:
        with open(handle, "w", encoding="utf-8") as file:
            json.dump({"kind": kind, "name": name, "done": True}, file)
        _replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def load() -> Progress:
    """All that is noted, and a sentence on every damaged file.

    A damaged file is renamed, so that it is named once and the exercise can be solved again.
    """
    found: dict[str, set[str]] = {EXERCISE: set(), QUESTION: set(), MISSED: set()}
    problems = []
    for path in _files():
        kind, name = _FILE.fullmatch(path.name).groups()
        state = _state(path, kind, name)
        if state == "sound":
            found[kind].add(name)
        elif state == "damaged":
            problems.append(_set_aside(path))
        elif state == "unreadable":
            problems.append(f"The file {path.name} in the progress folder cannot be read.")
    answered = found[QUESTION] | found[MISSED]
    return Progress(frozenset(found[EXERCISE]), frozenset(answered), frozenset(found[QUESTION]), tuple(problems))


def forget(names: Iterable[str] | None = None) -> None:
    """Delete all progress, or that of `names`; OSError if a file cannot be deleted."""
    names = None if names is None else set(names)
    for path in _files():
        if names is None or _FILE.fullmatch(path.name).group(2) in names:
            path.unlink(missing_ok=True)


def _files() -> list[Path]:
    try:
        return sorted(path for path in folder().iterdir() if _FILE.fullmatch(path.name))
    except OSError:  # not there yet, or not readable: nothing is known
        return []


def _state(path: Path, kind: str, name: str) -> str:
    """One of "sound", "damaged", "missing", "unreadable"."""
    try:
        fact = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return "missing"
    except OSError:
        return "unreadable"
    except ValueError:  # neither UTF-8 nor JSON
        return "damaged"
    return "sound" if fact == {"kind": kind, "name": name, "done": True} else "damaged"


def _set_aside(path: Path) -> str:
    aside = path.with_name(path.name + ".damaged")
    try:
        os.replace(path, aside)
    except OSError:
        return f"The file {path.name} in the progress folder is damaged and does not count."
    return f"The file {path.name} in the progress folder was damaged. It is now {aside.name} and does not count."


def _replace(temporary: str, path: Path) -> None:
    """os.replace, patient with Windows, which refuses while another kernel has the same file open."""
    for attempts_left in reversed(range(10)):
        try:
            os.replace(temporary, path)
            return
        except PermissionError:
            if not attempts_left:
                raise
            time.sleep(0.02)

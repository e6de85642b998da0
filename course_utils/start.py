"""What the start page shows: whether this computer has what the course needs, and the lessons with their minutes."""

from __future__ import annotations

import itertools
import json
import os
import re
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import psutil

from course_utils.exercises.engine import screen, store

ROOT = Path(__file__).resolve().parents[1]
OLDEST, NEWEST = (3, 11), (3, 14)  # as in pyproject.toml's requires-python
LEAST_MEMORY = 1.0  # GB free; below it a kernel with torch may be stopped by the system


class Lesson(NamedTuple):
    """A lesson as its notebook's header describes it: its file, its title, and the effort in words."""

    file: str
    title: str
    reading: str
    running: str
    exercises: str


def environment() -> None:
    """Say in words what is wrong with Python, the packages, the memory or the folders; or that nothing is."""
    found = [
        *python_problems(sys.version_info),
        *package_problems(ROOT / "requirements.txt"),
        *memory_problems(psutil.virtual_memory().available / 1e9),
        *folder_problems({"your progress": store.folder(), "your notebooks": Path.cwd()}),
    ]
    if found:
        screen.show("Something is not as the course needs it", found, "wrong")
    else:
        screen.show("Everything is in place", ["Python, packages, memory and folders are as the course needs them."])


def python_problems(version: tuple[int, ...]) -> list[str]:
    """A sentence where the course does not run on this version of Python."""
    if OLDEST <= tuple(version[:2]) <= NEWEST:
        return []
    wanted, here = (".".join(map(str, pair)) for pair in (OLDEST, version[:2]))
    return [f"This is Python {here}; the course needs {wanted} to {NEWEST[0]}.{NEWEST[1]}. Start it by `make lab`."]


def package_problems(requirements: Path) -> list[str]:
    """A sentence on each package of a requirements file that is missing, or that has another version."""
    if not requirements.exists():  # installed without the repository, so there is nothing to compare with
        return []
    found = []
    pins = re.findall(r"^([\w.-]+)==(\S+)", requirements.read_text(encoding="utf-8"), re.MULTILINE)
    for name, wanted in pins:
        try:
            here = metadata.version(name)
        except metadata.PackageNotFoundError:
            found.append(f"The package `{name}` is missing. Stop JupyterLab and type `make lab`, which installs it.")
            continue
        if here.partition("+")[0] != wanted:  # torch writes its build behind a plus
            found.append(f"The package `{name}` is {here}, the course was made with {wanted}: numbers may differ.")
    return found


def memory_problems(free: float) -> list[str]:
    """A sentence where less than LEAST_MEMORY of memory, in GB, is free."""
    if free >= LEAST_MEMORY:
        return []
    return [f"Only {free:.1f} GB of memory are free. Shut down other notebooks (Kernel → Shut Down All Kernels)."]


def folder_problems(folders: dict[str, Path]) -> list[str]:
    """A sentence on each folder in which no file can be written; keys say what it is for."""
    found = []
    for purpose, folder in folders.items():
        there = next(parent for parent in (folder, *folder.parents) if parent.exists())  # the rest can be made in it
        try:
            with tempfile.TemporaryFile(dir=there):
                pass
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            found.append(f"Nothing can be written for {purpose}, in the folder {there.name}: {reason}.")
    return found


def lessons(folder: str | Path | None = None) -> None:
    """Show the lessons in `folder` (the present one) with their minutes, as their headers give them."""
    from IPython.display import display

    rows = ["| lesson | read | run | exercises |", "|---|---|---|---|"]
    for lesson in read_lessons(Path.cwd() if folder is None else Path(folder)):
        rows.append(f"| [{lesson.title}]({lesson.file}) | {lesson.reading} | {lesson.running} | {lesson.exercises} |")
    table = "\n".join(rows)
    display({"text/plain": table, "text/markdown": table}, raw=True)


def read_lessons(folder: Path) -> list[Lesson]:
    """The lessons in a folder: notebooks called 01_… and so on, without new versions that lie beside a copy."""
    paths = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    return [_lesson(path) for path in paths if "_new_version" not in path.stem]


def _lesson(path: Path) -> Lesson:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    above_code = itertools.takewhile(lambda cell: cell["cell_type"] == "markdown", cells)
    header = "\n\n".join("".join(cell["source"]) for cell in above_code)
    title = re.match(r"# (.+)", header)
    reading = re.search(r"reading \| (\d+) min", header)
    running = re.search(r"running \| (?:about )?(\d+) sec", header)
    exercises = re.search(r"exercises \| (\d+), about (\d+) min", header)
    return Lesson(
        path.name,
        title[1] if title else path.stem,
        f"{reading[1]} min" if reading else "–",
        f"{running[1]} s" if running else "–",
        "{}, {} min".format(*exercises.groups()) if exercises else "–",
    )

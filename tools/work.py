"""Make or update work/, the student's own copy of the notebooks: ``make work``, or ``python tools/work.py``.

A copy that the student did not change is replaced when the course is updated. One that they did change
stays as it is, and the new version is laid beside it. A change is one of the cells' sources or attachments:
running a notebook changes its outputs only, and those are made again by running the new one.

work/.course.json remembers which version of the course each file was copied from.
"""

import hashlib
import json
import os
import sys
from itertools import count
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def version(content: bytes) -> str:
    """A hash of what the cells of a notebook say; of all its bytes where it is no notebook."""
    try:
        cells = json.loads(content)["cells"]
        said = [(cell["cell_type"], "".join(cell["source"]), cell.get("attachments") or {}) for cell in cells]
    except (ValueError, KeyError, TypeError):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(content)
    os.replace(new, path)


def read_state(path: Path) -> dict[str, dict[str, str]]:
    """What is remembered of earlier updates; nothing where the file is missing or damaged.

    `copied`: file in work/ -> version that it was copied from. `offered`: notebook -> the last version that
    was laid beside it. To remember nothing is safe: an unknown copy counts as changed and stays.
    """
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        return {key: dict(state[key]) for key in ("copied", "offered")}
    except (OSError, ValueError, KeyError, TypeError):
        return {"copied": {}, "offered": {}}


def lay_beside(copy: Path, content: bytes, copied: dict[str, str]) -> Path:
    """Write the course's version under the first name that is free, or whose file nobody has changed."""

    def is_ours(path: Path) -> bool:
        return not path.exists() or version(path.read_bytes()) in (version(content), copied.get(path.name))

    suffixes = ("_new_version" if number == 1 else f"_new_version_{number}" for number in count(1))
    names = (copy.with_name(copy.stem + suffix + copy.suffix) for suffix in suffixes)
    beside = next(path for path in names if is_ours(path))
    if not beside.exists() or version(beside.read_bytes()) != version(content):
        write(beside, content)
    copied[beside.name] = version(content)
    return beside


def update_one(source: Path, copy: Path, state: dict[str, dict[str, str]]) -> str:
    """Bring one copy up to date without losing anything; return what was done, in words."""
    content = source.read_bytes()
    new = version(content)
    known = state["copied"].get(copy.name)
    there = version(copy.read_bytes()) if copy.exists() else None
    if there not in (None, new, known):
        if new == known:
            return "changed by you, and not by the course"
        if state["offered"].get(copy.name) == new:
            return "changed by you; the course's new version was laid beside it before"
        beside = lay_beside(copy, content, state["copied"])
        state["offered"][copy.name] = new
        return f"changed by you, so it stays; the course's new version is beside it: {beside.name}"
    if there != new:
        write(copy, content)
    state["copied"][copy.name] = new
    if there is None:
        return "copied"
    return "up to date" if there == new else "replaced by the course's new version; you had not changed it"


def update(root: Path = ROOT) -> list[str]:
    """Make or update work/ and return a line about each notebook."""
    work = root / "work"
    work.mkdir(exist_ok=True)
    state = read_state(work / ".course.json")
    lines = []
    for source in sorted((root / "notebooks").glob("*.ipynb")):
        lines.append(f"{source.name}: {update_one(source, work / source.name, state)}")
        # After each one, so that an interrupted update forgets nothing.
        write(work / ".course.json", (json.dumps(state, indent=1, sort_keys=True) + "\n").encode())
    return lines


if __name__ == "__main__":
    try:
        print(*update(), sep="\n")
    except OSError as error:
        sys.exit(f"work/ could not be updated: {error}")
    print("\nYour copy of the course is in work/, and `make lab` opens it.")

"""Which lessons have exercises, and the exercise or question of a name.

A lesson is a module of the package, named by its topic, that defines LESSON (number, title), EXERCISES and
QUIZ. Modules are imported when one of their exercises is asked for; names and counts are read from the
source, so that `progress()` need not import torch for them.
"""

from __future__ import annotations

import ast
import difflib
import functools
import importlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from course_utils.exercises.engine.exercise import Exercise, Question


class UnknownName(LookupError):
    """No lesson, exercise or question has that name; the message says so and names the nearest."""


@dataclass(frozen=True)
class Outline:
    """A lesson without its module: its topic, number, title, and the names of its exercises and questions."""

    topic: str
    number: int
    title: str
    exercises: tuple[str, ...]
    questions: tuple[str, ...]


class Catalogue:
    """The lessons in a package, such as "course_utils.exercises"."""

    def __init__(self, package: str) -> None:
        self.package = package

    @functools.cached_property
    def lessons(self) -> tuple[Outline, ...]:
        """Every lesson's outline, in the lessons' order."""
        spec = importlib.util.find_spec(self.package)
        folders = [Path(folder) for folder in spec.submodule_search_locations]
        files = [file for folder in folders for file in folder.glob("*.py") if not file.name.startswith("_")]
        return tuple(sorted(map(outline, files), key=lambda lesson: lesson.number))

    def module(self, topic: str) -> ModuleType:
        """The lesson's module, imported and checked; ValueError names what its author must mend."""
        module = importlib.import_module(f"{self.package}.{topic}")
        for field, kind in (("EXERCISES", Exercise), ("QUIZ", Question)):
            items = getattr(module, field, None)
            if not isinstance(items, tuple) or not all(isinstance(item, kind) for item in items):
                raise ValueError(f"{module.__name__}: {field} must be a tuple of {kind.__name__}, got {items!r}")
            names = [item.name for item in items]
            foreign = [name for name in names if not name.startswith(f"{topic}.")]
            if foreign or len(set(names)) < len(names):
                raise ValueError(f'{module.__name__}: names must differ and start with "{topic}.", got {names}')
        return module

    def exercise(self, name: str) -> Exercise:
        """The exercise called "topic.name"; UnknownName if there is none."""
        return self._find(name, "exercises", "EXERCISES", "exercise")

    def questions(self, name: str) -> tuple[Question, ...]:
        """The question called "topic.name", or all of a topic's; UnknownName if there is none."""
        if any(lesson.topic == name for lesson in self.lessons):
            return self.module(name).QUIZ
        return (self._find(name, "questions", "QUIZ", "question"),)

    def _find(self, name: str, kind: str, field: str, noun: str) -> Exercise | Question:
        names = [each for lesson in self.lessons for each in getattr(lesson, kind)]
        if name not in names:
            raise UnknownName(_unknown(name, names, noun))
        return next(item for item in getattr(self.module(name.split(".")[0]), field) if item.name == name)


def outline(file: Path) -> Outline:
    """The outline of a lesson's source file, read without running it; ValueError where LESSON is missing."""
    tree = ast.parse(file.read_text(encoding="utf-8"), filename=file.name)
    assigned = {}
    for statement in tree.body:
        for target in [statement.target] if isinstance(statement, ast.AnnAssign) else getattr(statement, "targets", []):
            if isinstance(target, ast.Name):
                assigned[target.id] = statement.value
    lesson = ast.literal_eval(assigned["LESSON"]) if "LESSON" in assigned else None
    if not (isinstance(lesson, tuple) and len(lesson) == 2):
        raise ValueError(f"{file.name}: LESSON must be written as (number, title), got {lesson!r}")
    names = [tuple(_names(assigned.get(field), assigned)) for field in ("EXERCISES", "QUIZ")]
    return Outline(file.stem, *lesson, *names)


def _names(items: ast.expr | None, assigned: dict[str, ast.expr]) -> Iterator[str]:
    """The literal names in a tuple of Exercise(...), of Question(...), or of variables that hold them."""
    for item in getattr(items, "elts", []):
        call = assigned.get(item.id) if isinstance(item, ast.Name) else item
        if isinstance(call, ast.Call):
            given = [word.value for word in call.keywords if word.arg == "name"] or call.args[:1]
            yield from (value.value for value in given if isinstance(value, ast.Constant))


def _unknown(name: object, names: list[str], noun: str) -> str:
    if not isinstance(name, str):
        return f"The name of the {noun} comes first, as text in quotation marks."
    near = sorted(names, key=lambda each: -_likeness(name, each))[:3]
    near = [each for each in near if _likeness(name, each) > 0.5]
    meant = f" Did you mean {' or '.join(f'`{each}`' for each in near)}?" if near else ""
    return f"There is no {noun} {name!r}.{meant}"


def _likeness(asked: str, name: str) -> float:
    """How alike two names are, 0 to 1; the part after the point counts, a right topic breaks ties."""
    asked_topic, _, asked_end = asked.lower().rpartition(".")
    topic, end = name.split(".")
    ratio = difflib.SequenceMatcher(None, asked_end, end).ratio()
    return ratio - 0.01 * (1 - difflib.SequenceMatcher(None, asked_topic, topic).ratio())

"""What an author writes: an exercise with its known wrong answers, and a quiz question with its options.

Everything here checks itself when it is built: an author's slip fails on import, not in a student's hands.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


@dataclass(frozen=True, eq=False)
class Mistake:
    """A wrong answer that people really give.

    `answer` is the wrong answer itself, of the same kind as the exercise's `reference`: a function with the
    same parameters, or a value. `message` is said to the student who gives it: what went wrong, where to
    look.
    """

    name: str
    answer: Any
    message: str

    def __post_init__(self) -> None:
        _text(self.name, "Mistake.name", "a short name")
        _text(self.message, f"Mistake {self.name!r}: message", "what the student should hear")


@dataclass(frozen=True, eq=False, kw_only=True)
class Exercise:
    """One exercise: what is right, which wrong answers are known, and the hints.

    A **function exercise** has `cases`, a tuple of argument tuples; the answer, `reference` and every
    `Mistake.answer` are functions of those arguments, by position. The reference's parameter names are the
    ones the student is told. Give arguments of shapes that are not symmetric, such as (3, 2), so that a
    transposition cannot pass. A **value exercise** has no cases; answer, reference and mistakes are values.

    name        "topic.exercise", lower case, as in check("gaussian.posterior", ...)
    title       a few words, shown in the verdict
    difficulty  1 (one line), 2 (some thought), 3 (hard)
    minutes     for a student who has read the lesson
    reference   the right answer
    hints       from a nudge to nearly the solution
    cases       ((first, second, ...), ...); every call gets fresh copies. Random generators are copied too,
                so that every call starts from one state
    mistakes    known wrong answers, looked through in order. One matches if it gives the student's results
                on all cases, or the student's results and then the same exception with the same message
    rtol, atol  |result - expected| <= atol + rtol * |expected|, as numpy.allclose; with float32 involved at
                least 1e-5, and 1e-6 times the largest expected value. Integers must equal integers
    compare     compare(result, expected) -> bool replaces the comparison by value; for a sampler it compares
                moments. It recognises mistakes too: compare(result, mistake's result). An exception in it
                counts as False
    criterion   with `compare`: one sentence on what is compared, shown when it fails
    use         use(answer, *arguments) -> result replaces answer(*arguments), for instance to build a class
                that the student wrote and call its method. Answer and reference must both be classes, or
                neither
    time_limit  seconds for all cases together
    """

    name: str
    title: str
    difficulty: int
    minutes: float
    reference: Any
    hints: tuple[str, ...]
    cases: tuple[tuple, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    rtol: float = 1e-6
    atol: float = 1e-9
    compare: Callable[[Any, Any], bool] | None = None
    criterion: str = ""
    use: Callable[..., Any] | None = None
    time_limit: float = 5.0

    @property
    def is_function(self) -> bool:
        """Whether the answer is called with the cases, rather than compared as it is."""
        return bool(self.cases)

    def __post_init__(self) -> None:
        _name(self.name, "Exercise.name")
        here = f"Exercise {self.name!r}"
        _text(self.title, f"{here}: title", "a few words")
        if self.difficulty not in (1, 2, 3):
            raise ValueError(f"{here}: difficulty must be 1, 2 or 3, got {self.difficulty!r}")
        for field in ("minutes", "time_limit"):
            if not getattr(self, field) > 0:
                raise ValueError(f"{here}: {field} must be positive, got {getattr(self, field)!r}")
        for field in ("rtol", "atol"):
            if not getattr(self, field) >= 0:
                raise ValueError(f"{here}: {field} must not be negative, got {getattr(self, field)!r}")
        if not _tuple_of(self.hints, str) or not all(hint.strip() for hint in self.hints):
            raise ValueError(f"{here}: hints must be a tuple of at least one sentence, got {self.hints!r}")
        if self.cases != () and not _tuple_of(self.cases, tuple):
            raise TypeError(f"{here}: cases must be a tuple of argument tuples, such as ((x, 2),), got {self.cases!r}")
        if self.mistakes != () and not _tuple_of(self.mistakes, Mistake):
            raise TypeError(f"{here}: mistakes must be a tuple of Mistake, got {self.mistakes!r}")
        names = [mistake.name for mistake in self.mistakes]
        if len(set(names)) < len(names):
            raise ValueError(f"{here}: mistakes must have different names, got {names}")
        self._check_answers(here)

    def _check_answers(self, here: str) -> None:
        answers = {"reference": self.reference} | {f"mistake {m.name!r}": m.answer for m in self.mistakes}
        for label, answer in answers.items():
            if not self.is_function:
                if callable(answer):
                    raise TypeError(f"{here}: {label} is callable, but there are no cases to call it with")
                continue
            if not callable(answer):
                raise TypeError(f"{here}: {label} must be callable, because there are cases; got {answer!r}")
            if self.use is None:
                for case in self.cases:
                    if problem := does_not_take(answer, case):
                        raise TypeError(f"{here}: {label} does not take the arguments of a case: {problem}")


@dataclass(frozen=True, eq=False)
class Option:
    """One option of a question. `explanation` says why it is right or wrong, to whoever chose it."""

    text: str
    correct: bool
    explanation: str

    def __post_init__(self) -> None:
        _text(self.text, "Option.text", "the option")
        if not isinstance(self.correct, bool):
            raise TypeError(f"Option {self.text!r}: correct must be True or False, got {self.correct!r}")
        _text(self.explanation, f"Option {self.text!r}: explanation", "why it is right or wrong")


@dataclass(frozen=True, eq=False)
class Question:
    """A quiz question, named "topic.question". The student chooses one option; not all may be correct."""

    name: str
    text: str
    options: tuple[Option, ...]

    def __post_init__(self) -> None:
        _name(self.name, "Question.name")
        here = f"Question {self.name!r}"
        _text(self.text, f"{here}: text", "the question")
        if not _tuple_of(self.options, Option) or not 2 <= len(self.options) <= 26:
            raise ValueError(f"{here}: options must be a tuple of 2 to 26 Option, got {self.options!r}")
        if len({option.text for option in self.options}) < len(self.options):
            raise ValueError(f"{here}: two options have the same text")
        correct = sum(option.correct for option in self.options)
        if not 1 <= correct < len(self.options):
            raise ValueError(f"{here}: at least one option must be correct and one wrong, got {correct} correct")

    @property
    def letters(self) -> str:
        """The options' letters, in their order: "abc" for three options."""
        return "abcdefghijklmnopqrstuvwxyz"[: len(self.options)]


def does_not_take(function: Callable, arguments: tuple) -> str:
    """Why `function` cannot be called with these arguments; empty if it can, or if nobody can tell."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some functions written in C have no signature
        return ""
    try:
        signature.bind(*arguments)
    except TypeError as error:
        return str(error)
    return ""


def _name(value: object, label: str) -> None:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise ValueError(f'{label} must be "topic.name" in lower-case letters, digits and underscores, got {value!r}')


def _text(value: object, label: str, expected: str) -> None:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{label} must be text ({expected}), got {value!r}")


def _tuple_of(value: object, kind: type) -> bool:
    return isinstance(value, tuple) and len(value) > 0 and all(isinstance(item, kind) for item in value)

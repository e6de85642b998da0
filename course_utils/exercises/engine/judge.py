"""Judge an answer: run it on every case, compare it with the reference, recognise a known mistake."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from course_utils.exercises.engine import sandbox
from course_utils.exercises.engine.compare import Difference, difference
from course_utils.exercises.engine.copies import fresh, snapshot, unchanged
from course_utils.exercises.engine.describe import (
    arguments,
    clip,
    code,
    describe,
    exception,
    is_tensor,
    line_of,
    number,
    parameters,
)
from course_utils.exercises.engine.exercise import Exercise, does_not_take
from course_utils.exercises.engine.symptoms import symptom

STATUSES = ("right", "wrong", "not attempted")


@dataclass(frozen=True)
class Verdict:
    """What is said about an answer.

    status      "right", "wrong" or "not attempted"
    kind        what decided: "right", "stub", "mistake", "value", "shape", "exception", "time" ...
    paragraphs  the sentences for the student; `code` stands between backticks
    mistake     the name of the known mistake, if it was one
    """

    status: str
    kind: str
    paragraphs: tuple[str, ...] = ()
    mistake: str | None = None


@dataclass
class _Run:
    """What a function did on the cases, in order, up to its first exception."""

    results: list[Any] = field(default_factory=list)
    error: BaseException | None = None
    changed: str = ""  # the first argument that was changed in place


def judge(exercise: Exercise, answer: Any) -> Verdict:
    """Judge `answer`. Never raises because of it; an interrupt by the user (KeyboardInterrupt) passes through."""
    verdict = _unsuitable(exercise, answer)
    if verdict:
        return verdict
    if not exercise.is_function:
        return _judge_results(exercise, answer, _Run([answer]), ())
    run = _Run()
    outcome = sandbox.run(lambda: _call(exercise, answer, run), exercise.time_limit)
    if outcome.timed_out:
        return _too_slow(exercise, run, outcome.left_behind)
    run.error = outcome.error
    return _judge_results(exercise, answer, run, tuple(outcome.warned))

"""Judge an answer: run it on every case, compare it with the reference, recognise a known mistake."""

from __future__ import annotations

import contextlib
import inspect
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
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
    dots_among_locals,
    exception,
    line_of,
    number,
    own_code,
    parameters,
)
from course_utils.exercises.engine.exercise import Exercise, does_not_take
from course_utils.exercises.engine.symptoms import symptom


@dataclass(frozen=True)
class Verdict:
    """What is said about an answer.

    status      "right", "wrong" or "not attempted"
    kind        what decided: "right", "stub", "mistake", "exception", "time", "changed", "signature", or a
                Difference's kind ("shape", "value" ...)
    paragraphs  the sentences for the student; code stands between backticks
    mistake     the name of the known mistake, if it was one
    """

    status: str
    kind: str
    paragraphs: tuple[str, ...] = ()
    mistake: str | None = None


@dataclass
class _Run:
    """What a function did on the cases, in order, up to its first exception."""

    arguments: list[tuple] = field(default_factory=list)
    results: list[Any] = field(default_factory=list)
    error: BaseException | None = None


def judge(exercise: Exercise, answer: Any) -> Verdict:
    """Judge `answer`. Nothing it does raises here, except the user's own interrupt (KeyboardInterrupt)."""
    if unsuitable := _unsuitable(exercise, answer):
        return unsuitable
    if not exercise.is_function:
        return _judge_run(exercise, answer, _Run(results=[answer]))
    run = _Run()
    outcome = sandbox.run(lambda: _call(exercise, answer, run), exercise.time_limit)
    if outcome.timed_out:
        return _too_slow(exercise, len(run.results), outcome.left_behind)
    run.error = outcome.error
    verdict = _judge_run(exercise, answer, run)
    if outcome.warned and verdict.status == "wrong":
        told = ", ".join(code(clip(text, 150)) for text in outcome.warned[:2])
        return replace(verdict, paragraphs=(*verdict.paragraphs, f"While it ran, Python warned: {told}."))
    return verdict


def _call(exercise: Exercise, function: Callable, run: _Run) -> None:
    for case in exercise.cases:
        run.arguments.append(fresh(case))
        call = (function, *run.arguments[-1])
        run.results.append(snapshot(exercise.use(*call) if exercise.use else call[0](*call[1:])))


def _author_run(exercise: Exercise, answer: Any) -> _Run:
    """The run of the reference or of a known mistake, on this thread, without warnings."""
    if not exercise.is_function:
        return _Run(results=[answer])
    run = _Run()
    with _quiet():
        try:
            _call(exercise, answer, run)
        except Exception as error:
            run.error = error
    return run


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def _judge_run(exercise: Exercise, answer: Any, run: _Run) -> Verdict:
    if stub := _stub(answer, run):
        return stub
    reference = _author_run(exercise, exercise.reference)
    if reference.error:
        raise RuntimeError(f"the reference of exercise {exercise.name!r} fails") from reference.error
    right = [_agree(exercise, *pair) for pair in zip(run.results, reference.results, strict=False)]
    changed = _changed(exercise, run)
    if len(right) == len(reference.results) and all(right):
        return Verdict("wrong", "changed", (changed,)) if changed else Verdict("right", "right")
    if known := _known_mistake(exercise, answer, run):
        return known
    if run.error:
        return Verdict("wrong", "exception", (_call_text(exercise, len(run.results)), _error_text(run.error, answer)))
    case = right.index(False)
    found = _difference(exercise, run.results[case], reference.results[case])
    paragraphs = [f"{sum(right)} of {len(right)} cases are right; the first that is not:" if any(right) else ""]
    paragraphs += [_call_text(exercise, case), found.text]
    if found.kind == "value" and exercise.is_function and not exercise.compare:
        paragraphs.append(symptom(run.results, reference.results, exercise.rtol))
    paragraphs.append(changed)
    return Verdict("wrong", found.kind, tuple(filter(None, paragraphs)))


def _agree(exercise: Exercise, result: Any, expected: Any) -> bool:
    if exercise.compare is None:
        return difference(result, expected, exercise.rtol, exercise.atol) is None
    with _quiet():
        try:
            return bool(exercise.compare(result, expected))
        except Exception:  # the result is of a kind that compare cannot handle
            return False


def _difference(exercise: Exercise, result: Any, expected: Any) -> Difference:
    label = "The result" if exercise.is_function else "Your answer"
    if result is None and exercise.is_function:
        return Difference("none", "The function returned `None`. Is the `return` missing?")
    if inspect.isgenerator(result):
        return Difference("type", "The function contains `yield`, so calling it makes a generator. Use `return`.")
    found = difference(result, expected, exercise.rtol, exercise.atol, label=label, reveal=exercise.is_function)
    if exercise.compare and (found is None or found.kind == "value"):
        return Difference("value", exercise.criterion or f"{label} does not do what the exercise asks for.")
    assert found is not None  # _agree has said that they differ
    return found


def _known_mistake(exercise: Exercise, answer: Any, run: _Run) -> Verdict | None:
    for mistake in exercise.mistakes:
        other = _author_run(exercise, mistake.answer)
        if len(run.results) != len(other.results) or not _same_error(run.error, other.error):
            continue
        if all(_agree(exercise, *pair) for pair in zip(run.results, other.results, strict=True)):
            where = (_error_text(run.error, answer),) if run.error else ()
            return Verdict("wrong", "mistake", (mistake.message, *where), mistake.name)
    return None


def _same_error(one: BaseException | None, other: BaseException | None) -> bool:
    return type(one) is type(other) and (one is None or exception(one) == exception(other))


def _stub(answer: Any, run: _Run) -> Verdict | None:
    """The verdict on a stub: `...` in the result or in a line, or its own NotImplementedError."""
    error = run.error
    if isinstance(error, NotImplementedError) and error.__traceback__:
        *_, (frame, _line) = traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == getattr(own_code(answer), "co_filename", None):
            return Verdict("not attempted", "stub")
    if error and ("ellipsis" in exception(error).lower() or dots_among_locals(error, answer)):
        line = line_of(error, answer)
        return Verdict("not attempted", "stub", (f"A `...` is still to be replaced: {line}.",) if line else ())
    if any(map(_has_ellipsis, run.results)):
        return Verdict("not attempted", "stub")
    return None


def _has_ellipsis(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.dtype == object and any(map(_has_ellipsis, value.ravel().tolist()))
    if isinstance(value, (list, tuple)):
        return any(map(_has_ellipsis, value))
    if isinstance(value, Mapping):
        return any(map(_has_ellipsis, value.values()))
    return value is ...


def _unsuitable(exercise: Exercise, answer: Any) -> Verdict | None:
    """The verdict on an answer that cannot be what was asked for, before anything is run."""
    if answer is ...:
        return Verdict("not attempted", "stub")
    if not exercise.is_function:
        if callable(answer):
            text = f"A value is expected, but {describe(answer)} came. Call it, with parentheses."
            return Verdict("wrong", "type", (text,))
        return Verdict("wrong", "none", ("The answer is `None`.",)) if answer is None else None
    if inspect.isclass(answer) != inspect.isclass(exercise.reference):
        wanted = "class" if inspect.isclass(exercise.reference) else "function"
        if callable(answer):
            return Verdict("wrong", "type", (f"A {wanted} is expected, but {describe(answer)} came.",))
    if not callable(answer):
        came = f"The function itself is expected, but {describe(answer)} came."
        return Verdict("wrong", "type", (came, "Give its name, without parentheses and quotation marks."))
    if inspect.iscoroutinefunction(answer) or inspect.isasyncgenfunction(answer):
        return Verdict("wrong", "type", ("The function is defined by `async def`. Use `def`.",))
    return None if exercise.use else _signature(exercise, answer)


def _signature(exercise: Exercise, answer: Callable) -> Verdict | None:
    wanted, came = parameters(exercise.reference), parameters(answer)
    takes = f"Your function has the parameters ({', '.join(map(code, came))})"
    for case in exercise.cases:
        if problem := does_not_take(answer, case):
            text = f"{takes}, but it is called with ({', '.join(map(code, wanted[: len(case)]))}): {problem}."
            return Verdict("wrong", "signature", (text,))
    if came != wanted and sorted(came) == sorted(wanted):
        return Verdict("wrong", "signature", (f"{takes}, but their order must be ({', '.join(map(code, wanted))}).",))
    return None


def _changed(exercise: Exercise, run: _Run) -> str:
    names = _parameters(exercise)
    for now, before in zip(run.arguments, exercise.cases, strict=False):
        for i, pair in enumerate(zip(now, before, strict=True)):
            if not unchanged(*pair):
                name = code(names[i]) if i < len(names) else f"number {i + 1}"
                return (
                    f"The function changes its argument {name} in place, so the caller's data are spoiled. "
                    "`+=`, `*=`, `x[...] = ` and `.sort()` do so: work on a new array."
                )
    return ""


def _parameters(exercise: Exercise) -> list[str]:
    return parameters(exercise.use)[1:] if exercise.use else parameters(exercise.reference)


def _call_text(exercise: Exercise, case: int) -> str:
    if not exercise.is_function or not exercise.cases[case]:
        return ""
    return f"Called with {arguments(_parameters(exercise), exercise.cases[case])}:"


def _error_text(error: BaseException, answer: Any) -> str:
    line = line_of(error, answer)
    at = f", in {line}" if line else ""
    if isinstance(error, SystemExit):
        return f"The function ended with {exception(error)}{at}. It should end with `return`."
    if isinstance(error, RecursionError):
        return f"The function calls itself without end ({exception(error)}){at}."
    return f"The function raised {exception(error)}{at}."


def _too_slow(exercise: Exercise, case: int, left_behind: bool) -> Verdict:
    text = (
        f"The function was stopped after {number(exercise.time_limit)} seconds. "
        "Is there a loop that never ends, or one over single elements where one array operation would do?"
    )
    paragraphs = [_call_text(exercise, min(case, len(exercise.cases) - 1)), text]
    if left_behind:
        paragraphs.append(
            "It could not be stopped, for it waits in a call outside of Python or catches every exception. "
            "It goes on in the background: if the notebook becomes slow, restart the kernel (menu Kernel)."
        )
    return Verdict("wrong", "time", tuple(filter(None, paragraphs)))

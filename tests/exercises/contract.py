"""What every exercise, question and lesson's notebook must fulfil, as functions that return the faults."""

import ast
from types import SimpleNamespace

import numpy as np

from course_utils.exercises.engine.judge import judge

BAD_ANSWERS = {  # of no exercise the right answer, whatever it asks for
    "returns None": lambda *_: None,
    "returns text": lambda *_: "text",
    "returns NaN": lambda *_: float("nan"),
    "returns an odd shape": lambda *_: np.full((7, 11), 0.123),
    "returns a list of odd parts": lambda *_: [[1, 2], [3]],
    "returns a generator": lambda *_: (i for i in range(3)),
    "returns a function": lambda *_: len,
    "raises": lambda *_: 1 / 0,
    "takes nothing": lambda: 0,
    "is None": None,
    "is text": "text",
    "is NaN": float("nan"),
    "is a class": SimpleNamespace,
    "is an object": object(),
}


def exercise_faults(exercise):
    """The reference passes, stubs are met politely, each mistake gets its own message, nothing raises."""
    faults = []
    if judge(exercise, exercise.reference).status != "right":
        faults.append(f"the reference does not pass: {judge(exercise, exercise.reference)}")
    for label, stub in _stubs(exercise).items():
        if judge(exercise, stub).status != "not attempted":
            faults.append(f"the stub {label} is answered by {judge(exercise, stub)}")
    if not exercise.mistakes:
        faults.append("knows no mistake")
    for mistake in exercise.mistakes:
        verdict = judge(exercise, mistake.answer)
        if verdict.mistake != mistake.name or verdict.paragraphs[0] != mistake.message:
            faults.append(f"the mistake {mistake.name!r} is answered by {verdict}")
    for label, answer in BAD_ANSWERS.items():
        verdict = judge(exercise, answer)
        if verdict.status != "wrong" or not verdict.paragraphs:
            faults.append(f"an answer that {label} is answered by {verdict}")
    return faults


def _stubs(exercise):
    def dots(*_):
        return ...

    def not_implemented(*_):
        raise NotImplementedError

    def dots_inside(*_):
        return 2 * ...

    if not exercise.is_function or isinstance(exercise.reference, type):
        return {"...": ...}
    return {"...": ..., "return ...": dots, "raise": not_implemented, "2 * ...": dots_inside}


def notebook_faults(notebook, exercises, quiz_topic):
    """Stub, check and solution of each exercise, the verdicts that are stored with them, and the quiz."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    calls = [_calls(cell.source) for cell in cells]
    faults = []
    if not any(("quiz", quiz_topic, False) in found for found in calls):
        faults.append(f'no cell calls quiz("{quiz_topic}")')
    for cell, found in zip(cells, calls):
        shows_progress = any(function == "progress" for function, *_ in found)
        if shows_progress and "nbval-ignore-output" not in cell.metadata.get("tags", []):
            faults.append("a cell calls progress() without the tag nbval-ignore-output")
    for name in exercises:
        for solution in (False, True):
            places = [i for i, found in enumerate(calls) if ("check", name, solution) in found]
            kind = "solution" if solution else "check"
            if len(places) != 1:
                faults.append(f"{name}: {len(places)} cells with its {kind}, expected one")
                continue
            cell, before = cells[places[0]], cells[max(places[0] - 1, 0)]
            faults += [f"{name}: {f}" for f in (_solution(cell) if solution else _check(cell, before))]
    return faults


def order(notebook):
    """The names of the exercises, in the order in which the notebook checks them."""
    calls = [call for cell in notebook.cells if cell.cell_type == "code" for call in _calls(cell.source)]
    return [name for function, name, solution in calls if function == "check" and not solution]


def _check(cell, stub):
    if not any(isinstance(n, ast.Constant) and n.value is ... for n in ast.walk(ast.parse(stub.source))):
        yield "the code cell before its check is no stub, for it has no `...`"
    if not _shown(cell).startswith("○ Not attempted yet"):
        yield f"the stored verdict on its stub is {_shown(cell)!r}"


def _solution(cell):
    if "solution" not in cell.metadata.get("tags", []):
        yield "its solution has no tag `solution`"
    if not cell.metadata.get("jupyter", {}).get("source_hidden"):
        yield "its solution is not collapsed (jupyter.source_hidden)"
    if not cell.source.startswith("# "):
        yield "its solution does not begin with a title, a comment"
    if "✓ Right" not in _shown(cell):
        yield f"the stored verdict on its solution is {_shown(cell)!r}"


def _shown(cell):
    return "".join(output.get("data", {}).get("text/plain", "") for output in cell.outputs)


def _calls(source):
    """(function, first argument, solution=True?) of each call by name in a cell; magics have no calls."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    return [
        (
            call.func.id,
            call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None,
            any(word.arg == "solution" and getattr(word.value, "value", None) is True for word in call.keywords),
        )
        for call in calls
    ]

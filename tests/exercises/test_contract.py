"""The contract that lessons are tested by finds the faults it is there to find."""

from dataclasses import replace

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from course_utils.exercises import Mistake
from tests.exercises.contract import exercise_faults, notebook_faults
from tests.exercises.example_course.sums import EXERCISES

ROWS, TOTAL, _ = EXERCISES


def test_a_mistake_that_is_no_mistake():
    same = Mistake("same", lambda x: np.array([row.sum() for row in x]), "never heard")
    assert len(exercise_faults(replace(ROWS, mistakes=(same,)))) == 1


def test_two_mistakes_that_cannot_be_told_apart():
    twins = (TOTAL.mistakes[0], replace(TOTAL.mistakes[0], name="twin"))
    assert len(exercise_faults(replace(TOTAL, mistakes=twins))) == 1


def test_no_mistakes():
    assert exercise_faults(replace(TOTAL, mistakes=())) == ["knows no mistake"]


def test_a_comparison_that_accepts_anything():
    faults = exercise_faults(replace(ROWS, compare=lambda result, expected: True))
    assert any("returns None" in fault for fault in faults)
    assert any("'columns'" in fault for fault in faults)


def lesson(stub="def f(x):\n    return ...", said="○ Not attempted yet: Row sums", **solution):
    """A notebook with the one exercise sums.rows, as it should be unless told otherwise."""
    shown = [new_output("display_data", data={"text/plain": said})]
    right = [new_output("display_data", data={"text/plain": solution.get("said", "✓ Right: Row sums")})]
    return new_notebook(
        cells=[
            new_code_cell("%matplotlib inline"),
            new_code_cell(stub),
            new_code_cell('check("sums.rows", f)', outputs=shown),
            new_code_cell(
                solution.get("source", '# Solution\nf = row_sums\ncheck("sums.rows", f, solution=True)'),
                outputs=right,
                metadata=solution.get("metadata", {"tags": ["solution"], "jupyter": {"source_hidden": True}}),
            ),
            new_code_cell('quiz("sums")'),
        ]
    )


def test_a_sound_notebook_has_no_faults():
    nbformat.validate(lesson())
    assert notebook_faults(lesson(), ["sums.rows"], "sums") == []


@pytest.mark.parametrize(
    ("notebook", "fault"),
    [
        (lesson(stub="def f(x):\n    return x"), "is no stub"),
        (lesson(said="✗ Not right yet"), "verdict on its stub"),
        (lesson(metadata={"tags": ["solution"]}), "not collapsed"),
        (lesson(metadata={"jupyter": {"source_hidden": True}}), "no tag"),
        (lesson(source='check("sums.rows", f, solution=True)'), "title"),
        (lesson(said="○ Not attempted yet", source='# S\ncheck("sums.rows", f)'), "2 cells with its check"),
    ],
)
def test_faults_of_a_notebook(notebook, fault):
    assert any(fault in each for each in notebook_faults(notebook, ["sums.rows"], "sums"))


def test_a_solution_that_fails_a_quiz_that_is_missing_and_a_progress_that_is_shown():
    notebook = lesson()
    notebook.cells[3].outputs[0].data["text/plain"] = "✗ Not right yet"
    notebook.cells[4].source = "progress()"
    faults = notebook_faults(notebook, ["sums.rows"], "sums")
    assert len(faults) == 3

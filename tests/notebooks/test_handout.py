"""The hand-outs: no solution and nothing that needs one is left, they run, and the key has what was taken out."""

import ast
import builtins
import re

import pytest
from bs4 import BeautifulSoup
from nbconvert.filters import markdown2html
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_utils.exercises.engine.catalogue import Catalogue
from course_utils.exercises.engine.screen import inline
from tools.handout import _plain, hand_out, key, links, main, students
from tools.notebooks import ROOT, execute, read

COURSE = Catalogue("course_utils.exercises")
LESSONS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
every_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


def topic(path):
    """The exercises' outline of the lesson at `path`."""
    return next(lesson for lesson in COURSE.lessons if lesson.number == int(path.name[:2]))


def solutions(nb):
    return [cell for cell in nb.cells if "solution" in cell.metadata.get("tags", [])]


def undefined(nb):
    """Names that the notebook's code reads and that nothing in it binds."""
    tree = ast.parse("\n".join(cell.source for cell in nb.cells if cell.cell_type == "code"))
    bound, used = set(dir(builtins)), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            bound.add(node.name)
    return used - bound


def words(cell):
    """All that the outputs of a cell say as text."""
    return "".join(one.get("text", "") + one.get("data", {}).get("text/plain", "") for one in cell.get("outputs", []))


def small(*cells):
    return new_notebook(cells=[new_markdown_cell("# Lesson 9: Sums"), *cells])


def task():
    text = "### Exercise 1: a sum · easy · 2 minutes\n\nReturn $a + b$.\n\n### Another heading\n\nNot the task."
    return new_markdown_cell(text)


def solution(last='check("gaussian.posterior", right, solution=True)'):
    return new_code_cell(f"# Solution of exercise 1\nright = sum\n{last}", metadata={"tags": ["solution"]})


@every_lesson
def test_no_solution_is_left(path):
    nb = read(path)
    left = students(nb)
    assert len(solutions(nb)) == len(topic(path).exercises)
    assert len(left.cells) == len(nb.cells) - len(solutions(nb))
    assert solutions(left) == []
    assert nb == read(path)  # the lesson itself is as it was
    said = "\n".join(cell.source + words(cell) for cell in left.cells)
    assert not re.search(r"\bsolution_|solution=True|lesson's own solution|solution of exercise|folded away", said)


@every_lesson
def test_nothing_that_is_left_needs_a_solution(path):
    assert undefined(students(read(path))) == set()


def test_a_name_that_only_a_solution_defines_is_found():
    nb = small(task(), solution(), new_code_cell("print(right)"))
    assert undefined(nb) == {"check"}
    assert undefined(students(nb)) == {"right"}


@every_lesson
def test_figures_and_verdicts_stay(path):
    nb, left = read(path), students(read(path))
    code = [cell for cell in left.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    results = [(cell, one) for cell in code for one in cell.outputs if one.output_type == "execute_result"]
    assert results
    assert all(one.execution_count == cell.execution_count for cell, one in results)
    kept = {cell.id: words(cell) for cell in nb.cells}
    assert all(words(cell) == kept[cell.id] for cell in code)
    verdicts = [words(cell) for cell in code if cell.source.startswith("check(")]
    assert len(verdicts) == len(topic(path).exercises)
    assert all(verdict.startswith("○ Not attempted yet") for verdict in verdicts)


def test_every_link_of_a_hand_out_leads_to_a_file_in_it(tmp_path):
    written = [hand_out(path, tmp_path)[0] for path in LESSONS]
    for notebook in written:
        found = links(read(notebook))
        assert found  # the notation and the glossary at least
        for target in found:
            file = (notebook.parent / target).resolve()
            assert file.is_file(), target
            assert file.is_relative_to((tmp_path / "students").resolve()), target
    assert list((tmp_path / "students").rglob("*key*")) == []


@every_lesson
def test_the_key_has_what_was_taken_out(path):
    text, nb, lesson = key(read(path)), read(path), topic(path)
    for name in lesson.exercises:
        exercise = COURSE.exercise(name)
        section = text.split(f"Checked as `{name}`.")[1].split("\n## ")[0]
        assert all(f"- *{_plain(one.name)}*: {_plain(one.message)}" in section for one in exercise.mistakes)
        assert all(_plain(one) in section for one in exercise.hints)
    for cell in solutions(nb):
        assert cell.source.partition("\ncheck(")[0].strip() in text
    for name in lesson.questions:
        (question,) = COURSE.questions(name)
        section = text.split(f"### `{name}`\n")[1].split("\n### ")[0]
        right = [letter for letter, option in zip(question.letters, question.options) if option.correct]
        assert re.findall(r"^- ✓ (\w)\)", section, re.MULTILINE) == right
        assert section.count("\n- ") == len(question.options)


def test_a_task_ends_at_the_next_heading():
    text = key(small(task(), solution()))
    assert "Return $a + b$." in text
    assert "Not the task" not in text


@pytest.mark.parametrize(
    ("cells", "complaint"),
    [
        ((task(), task()), "no solution of 'Exercise 1: a sum"),
        ((solution(),), "has no task"),
        ((task(), solution(), solution()), "has no task"),
        ((task(), solution(last="")), "no check of its own"),
    ],
)
def test_a_task_without_its_solution_is_refused(cells, complaint):
    with pytest.raises(ValueError, match=complaint):
        key(small(*cells))


@every_lesson
def test_the_key_shows_messages_as_the_notebook_does(path):
    module = COURSE.module(topic(path).topic)
    said = [text for one in module.EXERCISES for text in (*one.hints, *(m.message for m in one.mistakes))]
    said += [text for one in module.QUIZ for option in one.options for text in (option.text, option.explanation)]
    for text in said:
        shown = BeautifulSoup(markdown2html(_plain(text)), "html.parser").get_text().strip()
        assert shown == BeautifulSoup(inline(text), "html.parser").get_text().strip()


def test_a_name_that_is_no_notebook_is_refused():
    with pytest.raises(SystemExit, match="no notebook is called 'nowhere'"):
        main(["nowhere"])


@pytest.mark.slow
def test_a_hand_out_runs_and_says_what_is_stored_in_it(tmp_path):
    path = next(path for path in LESSONS if path.name.startswith("02"))
    notebook, _ = hand_out(path, tmp_path)
    stored = read(notebook)
    ran = execute(stored, notebook.parent, notebook.name)
    compared = [cell.id for cell in stored.cells if "nbval-ignore-output" not in cell.metadata.get("tags", [])]
    said = [{cell.id: words(cell) for cell in nb.cells} for nb in (stored, ran)]
    assert [said[0][one] for one in compared] == [said[1][one] for one in compared]

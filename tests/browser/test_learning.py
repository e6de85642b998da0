"""A student in a browser: an exercise solved, a hint opened, a quiz answered; and all of it remembered."""

import shutil

import pytest

from course_utils.exercises.engine.interface import COURSE
from tests.browser.lab import browser, lab, open_notebook, scroll_to
from tools.notebooks import ROOT, read

LESSON = ROOT / "notebooks" / "01_generative_vs_discriminative.ipynb"
STUB, CHECK = "def my_posterior(joint):", 'check("gaussian.posterior", my_posterior)'
WRONG = "def my_posterior(joint): return joint / joint.sum(axis=0)"
RIGHT = "def my_posterior(joint): return joint / joint.sum(axis=1, keepdims=True)"

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]


def place(beginning):
    """Index of the lesson's cell whose code begins with this."""
    cells = read(LESSON).cells
    return next(i for i, cell in enumerate(cells) if cell.cell_type == "code" and cell.source.startswith(beginning))


def outputs(page, index):
    """The element with the outputs of the cell of this index, in sight."""
    scroll_to(page, index)
    get = "index => jupyterapp.shell.currentWidget.content.widgets[index].node.querySelector('.jp-Cell-outputWrapper')"
    return page.evaluate_handle(get, index).as_element()


def run(page, index):
    """Run one cell; the text of its outputs."""
    scroll_to(page, index)
    page.evaluate("async () => { await jupyterapp.commands.execute('notebook:run-cell') }")
    return outputs(page, index).inner_text()


def write(page, index, code):
    """Write code in place of what stands in a cell, by keyboard, and run it."""
    scroll_to(page, index)
    get = "index => jupyterapp.shell.currentWidget.content.widgets[index].node.querySelector('.cm-content')"
    page.evaluate_handle(get, index).as_element().click()
    page.keyboard.press("Control+A")
    page.keyboard.type(code)
    page.keyboard.press("Escape")
    return run(page, index)


def add(page, code):
    """Run code in a new cell at the end; the text of its outputs."""
    index = page.evaluate(
        """source => {
            const model = jupyterapp.shell.currentWidget.content.model.sharedModel;
            model.insertCell(model.cells.length, { cell_type: 'code', source, metadata: {} });
            return model.cells.length - 1;
        }""",
        code,
    )
    return run(page, index)


def test_what_was_learnt_is_told_and_kept(tmp_path):
    folder, progress = tmp_path / "course", tmp_path / "progress"
    folder.mkdir()
    shutil.copy(LESSON, folder)
    imports, stub, check, quiz, told = map(place, ("# Imports", STUB, CHECK, "quiz(", "progress("))
    question = COURSE.questions("gaussian")[0]
    right = next(k for k, option in enumerate(question.options) if option.correct)
    exercises, questions = len(COURSE.lessons[0].exercises), len(COURSE.lessons[0].questions)
    expected = f"Lesson 1: 1 of {exercises} exercises, 1 of {questions} questions answered, 1 right"

    with lab(folder, COURSE_PROGRESS=str(progress)) as url, browser() as page:
        open_notebook(page, url, LESSON.name)
        run(page, imports)
        run(page, stub)
        assert "Not attempted yet" in run(page, check)
        write(page, stub, WRONG)
        assert "Not right yet" in run(page, check)
        assert "Hint 1 of" in add(page, 'hint("gaussian.posterior")')
        write(page, stub, RIGHT)
        assert "✓ Right" in run(page, check)

        run(page, quiz)
        element = outputs(page, quiz)
        buttons = element.query_selector_all(".widget-button")
        for choice, reply in ((right - 1 if right else right + 1, "Not right"), (right, "✓ Right")):
            buttons[choice].click()
            page.wait_for_function("([one, reply]) => one.innerText.includes(reply)", arg=[element, reply])
        assert expected in run(page, told)

        page.evaluate("async () => { await jupyterapp.shell.currentWidget.sessionContext.restartKernel() }")
        run(page, imports)
        assert expected in run(page, told)
        page.evaluate("async () => { await jupyterapp.shell.currentWidget.context.save() }")
        assert page.errors == []

    with lab(folder, COURSE_PROGRESS=str(progress)) as url, browser() as page:  # another server, another browser
        open_notebook(page, url, LESSON.name)
        run(page, imports)
        assert expected in run(page, told)
        run(page, stub)
        assert "✓ Right" in run(page, check)  # by what was written and saved
        assert page.errors == []

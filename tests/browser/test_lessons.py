"""Every lesson in real JupyterLab at a projector's size: it runs, every widget moves, nothing complains.

The screenshots are kept in build/screenshots, to be looked at: NAME-light-05-…png is cell 5 in the light theme.
"""

import shutil
from functools import partial

import pytest

from tests.browser.lab import browser, clear_outputs, errors, lab, open_notebook, run_all, scroll_to, theme
from tests.browser.presentation import complaints, contents, headings
from tools.notebooks import ROOT, read

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SCREENSHOTS = ROOT / "build" / "screenshots"

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """JupyterLab on a copy of the notebooks, for it saves what it opens."""
    folder = tmp_path_factory.mktemp("lab")
    for path in NOTEBOOKS:
        shutil.copy(path, folder)
    with lab(folder) as url:
        yield url


def cells_with(page, mime):
    """Indices of the cells that have an output of this MIME type."""
    return page.evaluate(
        """mime => jupyterapp.shell.currentWidget.content.model.sharedModel.cells
            .map((cell, i) => (cell.outputs || []).some(output => output.data && mime in output.data) ? i : -1)
            .filter(i => i >= 0)""",
        mime,
    )


def cell(page, index):
    """The element of the cell of this index, its outputs at the top of the window."""
    scroll_to(page, index)
    get = "index => jupyterapp.shell.currentWidget.content.widgets[index].node"
    element = page.evaluate_handle(get, index).as_element()
    element.query_selector(".jp-Cell-outputWrapper").evaluate("outputs => outputs.scrollIntoView()")
    page.wait_for_timeout(300)
    return element


def sources(element):
    """Addresses of the pictures in the element."""
    return element.eval_on_selector_all("img", "images => images.map(image => image.src)")


def changed(page, element, before):
    """Whether a picture in the element changes within ten seconds."""
    for _ in range(100):
        page.wait_for_timeout(100)
        if sources(element) != before:
            return True
    return False


def settled(page):
    """Wait until the kernel is done with what it was asked, so that no late picture is taken for the next one."""
    quiet = 0
    while quiet < 5:
        page.wait_for_timeout(100)
        status = page.evaluate("jupyterapp.shell.currentWidget.sessionContext.session.kernel.status")
        quiet = quiet + 1 if status == "idle" else 0


def ways(page, element):
    """What a reader can do in a cell: (name, what to try, of which one must change a picture, what to do then)."""

    def press(handle, key):
        handle.focus()
        page.keyboard.press(key)

    def write(field, text):
        field.focus()
        page.keyboard.press("End")
        page.keyboard.type(text)
        page.keyboard.press("Enter")

    def nothing():
        pass

    for number, handle in enumerate(element.query_selector_all(".noUi-handle"), 1):
        keys = [partial(press, handle, key) for key in ("ArrowRight", "ArrowLeft")]
        yield f"slider {number}", keys, nothing
    if play := element.query_selector(".widget-play button"):
        yield "player", [play.click], play.click
        return  # its list is of speeds
    for number, choice in enumerate(element.query_selector_all(".widget-dropdown select"), 1):
        yield f"list {number}", [partial(choice.select_option, index=index) for index in (1, 0)], nothing
    for number, box in enumerate(element.query_selector_all(".widget-checkbox input"), 1):
        yield f"box {number}", [box.click], nothing
    for number, field in enumerate(element.query_selector_all(".widget-text input"), 1):
        more = ", 42" if "Korean" in field.evaluate("one => one.parentElement.innerText") else " array"
        yield f"field {number}", [partial(write, field, more)], nothing


def works(page, element, things, then):
    """Whether a picture in the cell changes when one of the things is done; then what is to be done then."""
    for thing in things:
        settled(page)
        before = sources(element)
        thing()
        if changed(page, element, before):
            then()
            settled(page)
            return True
    return False


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_lesson_works_in_jupyterlab(server, path):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for old in SCREENSHOTS.glob(f"{path.stem}-*.png"):
        old.unlink()

    def picture(page, what):
        page.screenshot(path=SCREENSHOTS / f"{path.stem}-{what}.png")

    with browser() as page:
        open_notebook(page, server, path.name)
        theme(page, "JupyterLab Light")  # the server keeps the last lesson's
        assert contents(page) == headings(read(path))
        picture(page, "light-00-top")
        clear_outputs(page)
        run_all(page)
        assert errors(page) == []

        still, wide = [], []
        live = cells_with(page, "application/vnd.jupyter.widget-view+json")
        for index in live:
            element = cell(page, index)
            picture(page, f"light-{index:02d}-before")
            for name, things, then in ways(page, element):
                if not works(page, element, things, then):
                    still.append(f"cell {index}, {name}")
            picture(page, f"light-{index:02d}-moved")
        misfits = complaints(page, read(path), picture)
        for mode in ("light", "dark"):
            theme(page, f"JupyterLab {mode.capitalize()}")
            for index in cells_with(page, "image/png"):
                element = cell(page, index)
                if mode == "dark" or index not in live:
                    picture(page, f"{mode}-{index:02d}")
                if element.eval_on_selector_all(
                    "img", "is => is.some(i => i.getBoundingClientRect().right > innerWidth)"
                ):
                    wide.append(f"cell {index}")
        assert still == [], "moving these changed no picture"
        assert misfits == [], "in Presentation Mode"
        assert wide == [], "these pictures are wider than the window"
        assert page.errors == []

"""Every lesson in JupyterLab's Presentation Mode at a projector's 1280 × 720.

The screenshots are kept in build/screenshots, to be looked at: NAME-presentation-05.png is cell 5.
"""

import re
import shutil

import pytest

from tests.browser.lab import browser, lab, open_notebook, scroll_to, theme
from tools.notebooks import ROOT, read

LESSONS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
SCREENSHOTS = ROOT / "build" / "screenshots"
WIDTH, HEIGHT = 1280, 720

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """JupyterLab on a copy of the lessons, for it saves what it opens."""
    folder = tmp_path_factory.mktemp("lab")
    for path in LESSONS:
        shutil.copy(path, folder)
    with lab(folder) as url:
        yield url


def headings(nb):
    """The lesson's headings as they are read, from the top."""
    text = "\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return [plain(title) for title in re.findall(r"^#{1,6} (.+)$", text, re.MULTILINE)]


def plain(title):
    """A heading without what marks emphasis, code and mathematics, and without spaces."""
    return re.sub(r"[\s*`$\\{}]", "", title)


def contents(page):
    """The entries of JupyterLab's table of contents."""
    page.evaluate("() => { jupyterapp.commands.execute('toc:show-panel') }")
    page.wait_for_selector(".jp-tocItem-content")
    page.wait_for_timeout(1000)
    entries = page.eval_on_selector_all(".jp-tocItem-content", "them => them.map(one => one.innerText)")
    page.evaluate("() => { jupyterapp.shell.collapseLeft() }")
    return [plain(entry) for entry in entries]


def boxes(page, index):
    """Of the cell of this index: its height, and of each picture the right edge and the height, in CSS pixels."""
    return page.evaluate(
        """index => {
            const node = jupyterapp.shell.currentWidget.content.widgets[index].node;
            const box = one => one.getBoundingClientRect();
            return {
                height: box(node).height,
                pictures: [...node.querySelectorAll('.jp-OutputArea img')].map(one => [box(one).right, box(one).height])
            };
        }""",
        index,
    )


def folded(page, index):
    """The line that stands for the folded code of this cell, or None where its code is seen."""
    return page.evaluate(
        """index => {
            const node = jupyterapp.shell.currentWidget.content.widgets[index].node;
            const editor = node.querySelector('.jp-InputArea-editor');
            if (editor && editor.getBoundingClientRect().height > 0) return null;
            return node.querySelector('.jp-Placeholder')?.innerText ?? null;
        }""",
        index,
    )


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_the_lesson_can_be_presented(server, path):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for old in SCREENSHOTS.glob(f"{path.stem}-presentation-*.png"):
        old.unlink()
    nb = read(path)
    with browser(WIDTH, HEIGHT) as page:
        open_notebook(page, server, path.name)
        theme(page, "JupyterLab Light")
        assert contents(page) == headings(nb)

        page.evaluate("() => { jupyterapp.commands.execute('application:toggle-presentation-mode') }")
        page.wait_for_timeout(500)
        view = page.evaluate("jupyterapp.shell.currentWidget.content.node.getBoundingClientRect().height")
        too_wide, too_high, unfolded, tall = [], [], [], []
        for index, cell in enumerate(nb.cells):
            scroll_to(page, index)
            seen = boxes(page, index)
            for right, height in seen["pictures"]:
                too_wide += [index] * (right > WIDTH)
                too_high += [index] * (height > view)
            if cell.metadata.get("jupyter", {}).get("source_hidden"):
                first = cell.source.splitlines()[0]
                if folded(page, index) is None or first.lstrip("# ") not in folded(page, index):
                    unfolded.append(index)
            elif seen["height"] > view and cell.metadata.slideshow.slide_type in ("slide", "subslide"):
                tall.append((index, round(seen["height"])))
            if seen["pictures"] or index < 2 or (index, round(seen["height"])) in tall:
                page.screenshot(path=SCREENSHOTS / f"{path.stem}-presentation-{index:02d}.png")
        print(f"{path.stem}: {view:.0f} pixels high, cells that are taller: {tall}")
        assert too_wide == [], "pictures wider than the screen"
        assert too_high == [], "pictures higher than the screen"
        assert unfolded == [], "folded code that is seen, or whose first line is not"
        assert page.errors == []

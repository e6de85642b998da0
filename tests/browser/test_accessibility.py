"""The exported pages checked by axe-core, and the widgets used by keyboard alone in JupyterLab."""

from itertools import pairwise

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.browser.lab import browser, errors, lab, open_notebook, run_all, theme
from tools.export_html import export
from tools.notebooks import KERNELSPEC, ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SHORTEST_ALT = 20  # characters

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]


def findings(page, context=None):
    """What axe complains of: rule, impact, element, and what is wrong with it."""
    result = Axe().run(page, context=context, options={"resultTypes": ["violations"]})
    return [
        f"{rule['id']} ({rule['impact']}): {node['target']}: {node['failureSummary']}"
        for rule in result.response["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_exported_page_has_no_findings(path, tmp_path):
    exported = export(path, tmp_path)
    with browser() as page:
        page.goto(exported.as_uri())
        page.wait_for_function("window.MathJax?.isReady && MathJax.Hub.queue.pending === 0", timeout=120_000)
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")  # the solutions
        assert findings(page) == []
        alts = page.eval_on_selector_all("img", "images => images.map(image => image.alt)")
        levels = page.eval_on_selector_all("h1, h2, h3, h4, h5, h6", "them => them.map(one => +one.tagName[1])")
    assert [alt for alt in alts if len(alt) < SHORTEST_ALT] == []
    assert len(alts) > 0 or path.stem == "index"
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels)), levels


DRAW = """
from ipywidgets import Checkbox, Dropdown
from course_utils.exercises import check, quiz
from course_utils.figures import figure, interactive, player

def draw(height=1.0, look="line", flipped=False):
    fig, ax = figure(height=2.0)
    ax.plot([0, -height if flipped else height], "o" if look == "points" else "-")
    return fig, f"A {look} that rises to {height:.1f}, {'flipped' if flipped else 'upright'}."
"""
CELLS = (
    DRAW,
    "interactive(draw, height=(0.0, 2.0, 0.5, 1.0), look=Dropdown(options=['line', 'points']), flipped=Checkbox())",
    "player(draw, [0.5, 1.0, 1.5, 2.0])",
    'quiz("gaussian")\ncheck("gaussian.log_density", lambda x, mean, variance: x)',
)
BUTTON = ".jp-OutputArea button.widget-button"  # not those of Play, which ipywidgets names otherwise


@pytest.fixture
def server(tmp_path):
    cells = [new_markdown_cell("# Keys"), *(new_code_cell(source.strip()) for source in CELLS)]
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": KERNELSPEC}), tmp_path / "keys.ipynb")
    with lab(tmp_path) as url:
        yield url


def tab_to(page, selector, most=150):
    """Press Tab until the element of this selector has the focus; Escape leaves an editor, in which Tab indents."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement?.matches(s)", selector):
            return
        if page.evaluate("document.activeElement?.closest('.cm-editor') !== null"):
            page.keyboard.press("Escape")
    raise AssertionError(f"{most} times Tab did not lead to {selector}")


def pictures(page):
    return page.eval_on_selector_all(".jp-OutputArea img", "images => images.map(image => image.src)")


def changes(page, press):
    """Whether a picture changes within ten seconds of this key."""
    before = pictures(page)
    page.keyboard.press(press)
    for _ in range(100):
        page.wait_for_timeout(100)
        if pictures(page) != before:
            return True
    return False


def test_widgets_are_used_by_keyboard_alone(server):
    with browser(height=2400) as page:  # so tall that every output is in the page
        open_notebook(page, server, "keys.ipynb")
        run_all(page)
        assert errors(page) == []
        tab_to(page, ".noUi-handle")
        assert changes(page, "ArrowRight"), "the slider"
        tab_to(page, ".widget-dropdown select")
        assert changes(page, "p"), "the choice, by its first letter: JupyterLab keeps the arrows for its cells"
        tab_to(page, ".widget-checkbox input")
        assert changes(page, "Space"), "the box to tick"
        tab_to(page, ".widget-play button")
        assert changes(page, "Space"), "play"
        page.keyboard.press("Space")  # pause
        tab_to(page, BUTTON)
        assert changes(page, "Space"), "one frame back"
        tab_to(page, BUTTON)  # one frame on
        tab_to(page, BUTTON)  # the first option of the first question
        told = page.locator(".jp-OutputArea").last.inner_text()
        page.keyboard.press("Space")
        page.wait_for_function(
            "told => [...document.querySelectorAll('.jp-OutputArea')].at(-1).innerText !== told", arg=told
        )
        for name in ("Light", "Dark"):
            theme(page, f"JupyterLab {name}")
            assert findings(page, ".jp-OutputArea .jp-RenderedHTMLCommon") == [], f"our messages, {name}"
        assert page.errors == []

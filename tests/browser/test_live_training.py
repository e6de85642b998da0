"""The live view of a training, in real JupyterLab: it moves while the cell runs, and the stop button ends it well.

The screenshots are kept in build/screenshots, to be looked at.
"""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests.browser.lab import browser, errors, lab, open_notebook, theme
from tools.notebooks import KERNELSPEC, ROOT

SCREENSHOTS = ROOT / "build" / "screenshots"

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

TRAIN = """
from course_utils.figures.training import Live
from course_utils.recipes import autoencoder
from course_utils.training.loop import train

trained = train(autoencoder, autoencoder.Config(steps=1_000_000), watch=Live())
"""
READ = "print(trained.stopped, trained.step < 1_000_000, len(trained.history['loss']) > 0)"


@pytest.fixture
def server(tmp_path):
    cells = [new_code_cell(TRAIN.strip()), new_code_cell(READ)]
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": KERNELSPEC}), tmp_path / "train.ipynb")
    with lab(tmp_path) as url:
        yield url


def test_it_moves_and_the_stop_button_ends_it(server):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with browser() as page:
        open_notebook(page, server, "train.ipynb")
        theme(page, "JupyterLab Light")
        page.evaluate("() => { jupyterapp.commands.execute('notebook:run-all-cells') }")
        text, picture, bar = (
            page.locator(f".jp-OutputArea {name}").first for name in (".widget-html", "img", ".progress-bar")
        )
        page.wait_for_function("document.querySelector('.jp-OutputArea img')?.src.startsWith('blob:')", timeout=60_000)
        picture.wait_for(state="visible")
        told, shown, width = text.inner_text(), picture.get_attribute("src"), bar.bounding_box()["width"]
        place = picture.bounding_box()
        page.wait_for_function("src => document.querySelector('.jp-OutputArea img').src !== src", arg=shown)
        page.wait_for_function(
            "told => document.querySelector('.jp-OutputArea .widget-html').innerText !== told", arg=told
        )
        assert bar.bounding_box()["width"] >= width
        assert picture.bounding_box() == place  # nothing jumps
        assert "steps/s" in text.inner_text()
        assert " left" in text.inner_text()
        page.screenshot(path=SCREENSHOTS / "training-light-running.png")
        page.evaluate("() => { jupyterapp.commands.execute('notebook:interrupt-kernel') }")
        page.get_by_text("SIGINT True True").wait_for(timeout=30_000)
        assert "stopped by the stop button (SIGINT)" in text.inner_text()
        page.screenshot(path=SCREENSHOTS / "training-light-stopped.png")
        theme(page, "JupyterLab Dark")
        page.screenshot(path=SCREENSHOTS / "training-dark-stopped.png")
        assert errors(page) == []
        assert page.errors == []

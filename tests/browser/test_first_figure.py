"""How long it takes from `make lab` on an installed clone to the first figure, stored and live.

The seconds are printed (``pytest -s``) and stand in the README. The limit is wide, for a machine may be busy.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time

import pytest

from tests.browser.lab import browser, open_notebook
from tools.notebooks import ROOT

LESSON = "notebooks/01_generative_vs_discriminative.ipynb"
LONGEST = 300  # seconds
PICTURE = ".jp-OutputArea img"

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(2 * LONGEST)]


@pytest.fixture
def environment(tmp_path):
    """A user of its own for JupyterLab, who never saves: the notebook is that of the repository."""
    folders = ("CONFIG", "DATA", "RUNTIME")
    variables = {f"JUPYTER_{one}_DIR": str(tmp_path / one.lower()) for one in folders}
    settings = tmp_path / "settings" / "@jupyterlab" / "docmanager-extension"
    settings.mkdir(parents=True)
    (settings / "plugin.jupyterlab-settings").write_text(json.dumps({"autosave": False}), encoding="utf-8")
    labs = {"JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces"}
    return {**os.environ, **variables, **{name: str(tmp_path / one) for name, one in labs.items()}}


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_make_lab_leads_to_a_figure(environment):
    before = (ROOT / LESSON).read_bytes()
    start = time.perf_counter()
    command = [
        "make",
        "lab",
        f"LESSON={LESSON}",
        "LAB_ARGS=--no-browser --ServerApp.port=0 --LabApp.expose_app_in_browser=True",
    ]
    server = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    reader = threading.Thread(target=server.stdout.read, daemon=True)
    try:
        address = re.compile(r"http://127\.0\.0\.1:\d+/lab\S*token=\w+")
        found = next(match[0] for line in server.stdout if (match := address.search(line)))
        reader.start()  # so that the server never waits to write
        listening = time.perf_counter() - start
        with browser() as page:
            origin, token = found.split("/lab")[0], re.search(r"token=\w+", found)[0]
            page.goto(f"{origin}/lab/tree/{LESSON}?{token}", wait_until="domcontentloaded")
            page.wait_for_selector(PICTURE, timeout=LONGEST * 1e3)
            stored = time.perf_counter() - start
            open_notebook(page, f"{origin}/lab?{token}", LESSON)  # waits for the kernel
            page.evaluate("() => { jupyterapp.commands.execute('notebook:run-all-cells') }")
            # what the kernel draws for widgets comes as a blob, what is stored as data
            page.wait_for_selector(f'{PICTURE}[src^="blob:"]', timeout=LONGEST * 1e3, state="attached")
            live = time.perf_counter() - start
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=60)
        if reader.ident:  # it was started
            reader.join()
        server.stdout.close()
    print(
        f"make lab: listening after {listening:.1f} s, a stored figure seen after {stored:.1f} s, "
        f"a live one after {live:.1f} s"
    )
    assert (ROOT / LESSON).read_bytes() == before
    assert live < LONGEST

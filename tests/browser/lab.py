"""Drive real JupyterLab in headless Chromium: start it, open a notebook, run it, look at it.

``with lab(folder) as url, browser() as page: ...``. Everything the server and the browser write lies in a
temporary folder: the user's own settings are neither read nor changed.
"""

import contextlib
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
)
START, RUN = 120, 600  # seconds
# what JupyterLab itself says in the console, and we can do nothing about
THEIRS = re.compile(r"/api/(me|contents/.*checkpoints)|favicon|preload|ResizeObserver|service-worker|/lsp/|manifest")


@contextlib.contextmanager
def lab(folder, **environment):
    """A JupyterLab server on `folder`; its URL with the token.

    Parameters
    ----------
    folder : Path
    **environment : str
        Environment variables of the server and its kernels.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        own = Path(temporary)
        token, port = secrets.token_hex(16), _free_port()
        settings = own / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        (settings / "notification.jupyterlab-settings").write_text(
            json.dumps({"fetchNews": "false", "checkForUpdates": False}), encoding="utf-8"
        )
        folders = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
            "COURSE_PROGRESS": "progress",
        }
        variables = {name: str(own / one) for name, one in folders.items()}
        # the token goes through the environment: a command line can be read by every user of the machine
        variables |= {"JUPYTER_TOKEN": token, "OMP_NUM_THREADS": "1"} | environment
        options = [f"--ServerApp.port={port}", "--ServerApp.ip=127.0.0.1", "--ServerApp.port_retries=0"]
        options += [
            "--LabApp.expose_app_in_browser=True",
            "--no-browser",
            f"--ServerApp.root_dir={folder}",
            "--ServerApp.allow_root=True",
        ]
        with (own / "log").open("w", encoding="utf-8") as log:
            server = subprocess.Popen(
                [sys.executable, "-m", "jupyter", "lab", *options],
                env={**os.environ, **variables},
                cwd=own,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            _wait(server, f"http://127.0.0.1:{port}/api/status?token={token}", own / "log")
            yield f"http://127.0.0.1:{port}/lab?token={token}"
        finally:
            _stop(server, f"http://127.0.0.1:{port}/api/shutdown?token={token}")


@contextlib.contextmanager
def browser(width=1280, height=720, **options):
    """A page of headless Chromium with a new profile; `page.errors` holds what its console complains of."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # the system's Chromium where there is one, or else what `playwright install chromium` has fetched
        chromium = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS, headless=True)
        try:
            page = chromium.new_context(viewport={"width": width, "height": height}, **options).new_page()
            page.errors = []
            page.on("pageerror", lambda error: page.errors.append(str(error)))
            page.on("console", lambda message: page.errors.extend(_complaint(message)))
            yield page
        finally:
            chromium.close()


def chromium_path():
    """The system's Chromium or Chrome, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next((found for found in map(shutil.which, names) if found), None)


def open_notebook(page, url, name):
    """Open the notebook `name` alone, and wait until it and its kernel are there."""
    address, _, query = url.partition("?")
    page.goto(f"{address}/tree/{name}?{query}&reset", wait_until="domcontentloaded")
    page.wait_for_function("window.jupyterapp && jupyterapp.shell.currentWidget?.context?.isReady", timeout=START * 1e3)
    page.evaluate("async () => { await jupyterapp.shell.currentWidget.context.ready }")
    page.evaluate("async () => { await jupyterapp.shell.currentWidget.sessionContext.ready }")
    page.evaluate("async () => { await jupyterapp.shell.currentWidget.sessionContext.session.kernel.info }")
    # the file browser beside it takes a third of a projector's width
    page.evaluate("() => { jupyterapp.shell.collapseLeft() }")


def run_all(page, timeout=RUN):
    """Run every cell, and wait until each code cell has its count and the kernel is idle."""
    page.evaluate("() => { jupyterapp.commands.execute('notebook:run-all-cells') }")  # in braces: not awaited
    page.wait_for_function(
        """() => {
            const notebook = jupyterapp.shell.currentWidget;
            const cells = notebook.content.model.sharedModel.cells.filter(
                cell => cell.cell_type === 'code' && cell.source.trim());
            const failed = cells.some(cell => cell.outputs.some(output => output.output_type === 'error'));
            const idle = notebook.sessionContext.session.kernel.status === 'idle';
            return idle && (failed || cells.every(cell => cell.execution_count !== null));
        }""",
        timeout=timeout * 1e3,
    )


def clear_outputs(page):
    """Forget the stored outputs and counts, so that what is seen next is what runs now."""
    page.evaluate("async () => { await jupyterapp.commands.execute('notebook:clear-all-cell-outputs') }")


def errors(page):
    """Error outputs of the notebook: (cell index, name, value)."""
    return page.evaluate(
        """() => jupyterapp.shell.currentWidget.content.model.sharedModel.cells.flatMap((cell, i) =>
            (cell.outputs || []).filter(output => output.output_type === 'error')
                .map(output => [i, output.ename, output.evalue]))"""
    )


def theme(page, name):
    """Switch to the theme "JupyterLab Light" or "JupyterLab Dark"."""
    page.evaluate("async theme => { await jupyterapp.commands.execute('apputils:change-theme', { theme }) }", name)
    light = "false" if "Dark" in name else "true"
    page.wait_for_selector(f'body[data-jp-theme-light="{light}"]', state="attached")
    page.wait_for_selector("#jupyterlab-splash", state="detached")  # covers the page until the style sheets are there


def scroll_to(page, cell):
    """Scroll to the cell of this index, and wait until its outputs are attached."""
    page.evaluate(
        """async index => {
            const content = jupyterapp.shell.currentWidget.content;
            content.activeCellIndex = index;
            await content.scrollToItem(index, 'start');
        }""",
        cell,
    )
    page.wait_for_timeout(300)


def _complaint(message):
    where = message.location.get("url", "")
    return (
        [f"{message.text} ({where})"]
        if message.type == "error" and not THEIRS.search(f"{message.text} {where}")
        else []
    )


def _free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _wait(server, address, log):
    end = time.monotonic() + START
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5):
            return
        time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text(encoding='utf-8')[-2000:]}")


def _stop(server, shutdown):
    # asked to, the server ends its kernels as well, which a signal does not do on every system
    with contextlib.suppress(OSError):
        urllib.request.urlopen(urllib.request.Request(shutdown, method="POST"), timeout=5).close()
    try:
        server.wait(timeout=20)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()

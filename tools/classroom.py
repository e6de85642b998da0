"""What a lesson asks of a class's server: ``python tools/classroom.py [NAME …] [--kernels N]``.

Each notebook runs from top to bottom in a kernel of its own, with one thread, as docs/teaching/server.md sets it for
every student, and the peak of the kernel's memory, its processor time and the wall time are printed as rows of that
guide's table. With ``--kernels 8`` each notebook runs once alone and then eight times at once: what is printed is how
much longer the slowest of the eight took. A cell that fails, anywhere, is named and makes the command fail.

The peak is the kernel's resident memory (VmHWM of Linux, else the system's `ru_maxrss`). It counts pages of shared
libraries in full for every kernel, so it is more than each further student takes. JupyterLab's own server, one for
each student on a JupyterHub, comes on top: ``--server`` measures it.
"""

import argparse
import asyncio
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import NamedTuple

import nbformat
import psutil
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from tools.notebooks import ROOT, CellFailed, client_of, last_line, lessons, read

TIMEOUT = 1800  # seconds a cell: eight kernels on two cores take several times as long as one
START = 120  # seconds for JupyterLab to answer

# Run by the kernel after the last cell: its peak of memory in bytes, and its processor time with that of its children.
ASK = """
import json, os, re, sys
try:
    with open("/proc/self/status") as _status:
        _peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", _status.read())[1]) * 1024
except OSError:
    import resource
    _peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps({"peak": _peak, "processor": sum(os.times()[:4])}))
"""


class Cost(NamedTuple):
    """What one run took: bytes at the peak, seconds of processor time, seconds on the clock."""

    peak: int
    processor: float
    wall: float


async def run(path):
    """Run the notebook at `path` in a kernel of its own; its `Cost`. The file stays as it is.

    Raises
    ------
    CellFailed
        Names the notebook, the cell, and the last line of the error.
    """
    nb = read(path)
    nb.cells.append(nbformat.v4.new_code_cell(ASK))
    running = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        client = client_of(nb, path.parent, running, TIMEOUT)
        start = time.perf_counter()
        try:
            await client.async_execute(env=environment(Path(temporary)))
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            where = f"cell {running['index']} ({running['cell'].id})" if running else "before its first cell"
            raise CellFailed(f"{path.name}, {where}: {last_line(error)}") from error
        wall = time.perf_counter() - start
    seen = json.loads("".join(output.text for output in nb.cells[-1].outputs))
    return Cost(seen["peak"], seen["processor"], wall)


def environment(temporary):
    """Environment variables of a student's kernel on the server: one thread, and a progress folder of its own."""
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    own = {"COURSE_PROGRESS": "progress", "IPYTHONDIR": "ipython"}
    return {
        **os.environ,
        **dict.fromkeys(threads, "1"),
        "OMP_WAIT_POLICY": "PASSIVE",
        **{name: str(temporary / folder) for name, folder in own.items()},
    }


async def at_once(path, kernels):
    """Run the notebook at `path` in this many kernels at once; the `Cost` of each. CellFailed if one fails."""
    done = await asyncio.gather(*(run(path) for _ in range(kernels)), return_exceptions=True)
    failed = [one for one in done if isinstance(one, BaseException)]
    if failed:
        raise CellFailed(f"{len(failed)} of {kernels} kernels failed; the first: {failed[0]}") from failed[0]
    return done


def server():
    """Bytes that JupyterLab's server holds, at the peak, when it has served its page and the first lesson."""
    token = secrets.token_hex(16)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_WORKSPACES_DIR")
        folders = {name: str(Path(temporary) / name.lower()) for name in names}
        options = [f"--ServerApp.port={port}", "--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={ROOT}"]
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--ServerApp.allow_root=True", *options],
            env={**os.environ, **folders, "JUPYTER_TOKEN": token},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            first = lessons([])[0].relative_to(ROOT).as_posix()
            for page in ("lab", f"api/contents/{first}"):
                _answer(f"http://127.0.0.1:{port}/{page}?token={token}", process)
            return psutil.Process(process.pid).memory_info().rss
        finally:
            process.terminate()
            process.wait(timeout=30)


def _answer(address, process):
    end = time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=10) as page:
                return page.read()
        except OSError:
            time.sleep(0.2)
    raise SystemExit("JupyterLab did not start")


def alone_row(path):
    """The row of the guide's table for one notebook that runs alone."""
    cost = asyncio.run(run(path))
    return f"| {int(path.name[:2])} | {cost.peak / 1e6:.0f} MB | {cost.processor:.0f} s | {cost.wall:.0f} s |"


def class_row(path, kernels):
    """The row of the guide's table for a class: this notebook alone, and in `kernels` kernels at once."""
    alone = asyncio.run(run(path))
    costs = asyncio.run(at_once(path, kernels))
    slowest = max(cost.wall for cost in costs)
    peak = max(cost.peak for cost in costs)
    return (
        f"| {int(path.name[:2])} | {alone.wall:.0f} s | {slowest:.0f} s | {slowest / alone.wall:.1f} | "
        f"{peak / 1e6:.0f} MB |"
    )


def main(arguments=None):
    """Measure the notebooks named, or all, one after another."""
    parser = argparse.ArgumentParser(description="Measure what a lesson asks of a class's server.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a path, or the beginning of a notebook's name")
    parser.add_argument("--kernels", type=int, default=1, help="how many run the same lesson at once (default: 1)")
    parser.add_argument("--server", action="store_true", help="measure JupyterLab's own server as well")
    options = parser.parse_args(arguments)
    if options.kernels < 1:
        parser.error(f"--kernels must be at least 1, got {options.kernels}")
    if options.server:
        print(f"JupyterLab's server: {server() / 1e6:.0f} MB")
    if options.kernels == 1:
        print("| lesson | peak memory | processor time | on the clock, alone |\n|---|---|---|---|", flush=True)
    else:
        print(
            f"| lesson | alone | slowest of {options.kernels} | times as long | largest peak |\n|---|---|---|---|---|"
        )
    for path in lessons(options.names):
        try:
            print(alone_row(path) if options.kernels == 1 else class_row(path, options.kernels), flush=True)
        except CellFailed as error:
            raise SystemExit(str(error)) from None
    return 0


if __name__ == "__main__":
    sys.exit(main())

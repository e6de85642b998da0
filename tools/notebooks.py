"""Refresh the lessons' stored outputs: ``make notebooks``, or ``python tools/notebooks.py [NAME …]``.

Each notebook is executed from top to bottom in a fresh kernel of this environment (one thread, no network, a
temporary progress folder), brought into one normal form, and written; a cell that fails stops everything, and
its notebook stays as it was.

The notebook's metadata say what its outputs came from: `course` holds hashes of its code, of the
course_utils modules and the shipped files that the kernel read, and of the outputs. Where none of them has
changed, nothing is executed and no byte changes. The outputs of cells tagged `nbval-ignore-output` cannot be
had twice: they are kept until something that they may come from has changed.
"""

import argparse
import asyncio
import hashlib
import json
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path

import ipykernel.kernelspec
import nbformat
import zmq
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from traitlets import default

ROOT = Path(__file__).resolve().parents[1]
TIMEOUT = 600  # seconds a cell

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {  # without Python's version, which would change with the machine
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}
NOTEBOOK_METADATA = {"authors", "course", "title"}
CELL_METADATA = {"deletable", "editable", "slideshow", "tags"}
PNG_METADATA = {"alt", "filmstrip", "height", "width"}
WIDGETS = "application/vnd.jupyter.widget-"

# Run by the kernel before the first cell: notes which files are opened. Leaves no name behind.
WATCH = """
__import__("sys")._course_opened = set()
__import__("sys").addaudithook(
    lambda event, args, opened=__import__("sys")._course_opened:
        opened.add(args[0]) if event == "open" and isinstance(args[0], str) else None
)
"""
# Run after the last cell, and not stored: what the outputs may have come from.
ASK = """
import json, os, sys
print(json.dumps({
    "modules": sorted(name for name in sys.modules if name.split(".")[0] == "course_utils"),
    "files": sorted({os.path.realpath(name) for name in sys._course_opened}),
}))
"""


# --- the normal form


def normalise(nb):
    """The notebook in its normal form; `nb` itself is left as it is."""
    nb = nbformat.from_dict(json.loads(json.dumps(nb)))
    nb.nbformat, nb.nbformat_minor = 4, 5
    nb.metadata = {
        **{key: value for key, value in nb.metadata.items() if key in NOTEBOOK_METADATA},
        "kernelspec": KERNELSPEC,
        "language_info": LANGUAGE,
    }
    for number, cell in enumerate(nb.cells):
        cell.setdefault("id", f"cell-{number}")
        cell.source = cell.source.rstrip()
        hidden = cell.metadata.get("jupyter", {}).get("source_hidden")
        cell.metadata = {key: value for key, value in cell.metadata.items() if key in CELL_METADATA and value != []}
        if hidden:
            cell.metadata["jupyter"] = {"source_hidden": True}
        if cell.cell_type == "code":
            cell.outputs = [_output(one, cell) for one in _merged(cell.outputs)]
    return nbformat.from_dict(nb)


def _merged(outputs):
    """Neighbouring pieces of one stream in one piece: where a stream was cut is chance."""
    merged = []
    for output in outputs:
        last = merged[-1] if merged else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            merged.append(output)
    return merged


def _output(output, cell):
    if output.output_type == "execute_result":
        output.execution_count = cell.execution_count
    if "data" in output:
        # a widget's model lives in a kernel that is gone; the picture beside it stays
        output.data = {kind: value for kind, value in output.data.items() if not kind.startswith(WIDGETS)}
        output.metadata = {
            kind: {key: value for key, value in output.metadata[kind].items() if key in PNG_METADATA}
            for kind in output.data
            if kind == "image/png" and kind in output.metadata
        }
        if "image/png" in output.data:
            output.data["image/png"] = "".join(output.data["image/png"].split())
    return output


def text(nb):
    """The notebook as it is written: keys sorted, one line feed at the end."""
    return nbformat.writes(nb, version=4).rstrip("\n") + "\n"


def read(path):
    """The notebook at `path`."""
    return nbformat.reads(Path(path).read_text(encoding="utf-8"), as_version=4)


def write(path, nb):
    """Write the notebook in one step; False if the file already holds these bytes."""
    path, data = Path(path), text(nb).encode("utf-8")
    if path.exists() and path.read_bytes() == data:
        return False
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, path.stat().st_mode if path.exists() else 0o644)  # mkstemp's own is 0600
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return True


# --- what the stored outputs came from


def code_hash(nb):
    """Hash of the code cells' sources, in order."""
    return _digest([cell.source.rstrip() for cell in nb.cells if cell.cell_type == "code"])


def outputs_hash(nb):
    """Hash of the stored outputs and execution counts of a notebook in normal form."""
    return _digest([[c.execution_count, c.outputs] for c in nb.cells if c.cell_type == "code"])


def stamp(nb, modules, files, root=ROOT):
    """What `course` holds in the notebook's metadata.

    Parameters
    ----------
    nb : NotebookNode
        In normal form.
    modules : iterable of str
        Names of the course_utils modules that its kernel imported.
    files : iterable of str
        Paths, relative to `root`, of the shipped files that it read.
    root : Path
        The repository.
    """
    return {
        "code": code_hash(nb),
        "modules": {name: _hash_of(_source(root, name)) for name in sorted(modules)},
        "files": {name: _hash_of(root / name) for name in sorted(files)},
        "outputs": outputs_hash(nb),
    }


def stale(nb, root=ROOT):
    """Why the stored outputs of `nb` are not those of the committed code: reasons, none if they are."""
    old = nb.metadata.get("course")
    if not old:
        return ["its outputs were not written by `make notebooks`"]
    new = stamp(normalise(nb), old.get("modules", {}), old.get("files", {}), root)
    reasons = []
    if new["code"] != old.get("code"):
        reasons.append("its code has changed")
    for kind in ("modules", "files"):
        reasons += [f"{name} has changed" for name in new[kind] if new[kind][name] != old[kind][name]]
    if new["outputs"] != old.get("outputs"):
        reasons.append("its outputs were changed after the refresh")
    return reasons


def _source(root, module):
    path = root.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _hash_of(path):
    # without CR, so that a checkout on Windows has the same hash
    return _sha(path.read_bytes().replace(b"\r\n", b"\n")) if path.is_file() else "missing"


def _digest(value):
    return _sha(json.dumps(value, sort_keys=True).encode("utf-8"))


def _sha(data):
    return hashlib.sha256(data).hexdigest()[:16]


# --- execution


class ThisEnvironment(KernelSpecManager):
    """Every kernel is of this interpreter, whatever kernel of that name the user has installed."""

    def get_kernel_spec(self, kernel_name):
        return self.kernel_spec_class(
            resource_dir=ipykernel.kernelspec.RESOURCES, **ipykernel.kernelspec.get_kernel_dict()
        )


class Kernel(AsyncKernelManager):
    """A kernel of this interpreter, whose messages are encrypted where that can be had."""

    @default("kernel_spec_manager")
    def _this_environment(self):
        return ThisEnvironment()

    @default("transport_encryption")
    def _where_possible(self):
        return "auto" if zmq.has("curve") else "disabled"


class CellFailed(Exception):
    """A cell raised, took too long, or its kernel died."""


def client_of(nb, folder, running, timeout):
    """What runs `nb` in `folder` by a kernel of this interpreter; `running` holds the cell that runs, and its index."""
    return NotebookClient(
        nb,
        timeout=timeout,
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
        kernel_name="python3",
        kernel_manager_class=Kernel,
        on_cell_start=lambda cell, cell_index: running.update(cell=cell, index=cell_index),
    )


def execute(nb, folder, name, root=ROOT):
    """Run `nb` in `folder`; the executed notebook in normal form, stamped.

    Raises
    ------
    CellFailed
        Naming the notebook, the cell and the error.
    """
    nb = nbformat.from_dict(json.loads(json.dumps(nb)))
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    asking = nbformat.v4.new_code_cell(ASK, id="course-ask")
    nb.cells.append(asking)
    running = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        client = client_of(nb, folder, running, TIMEOUT)
        try:
            client.execute(env=environment(Path(temporary), root))
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            cell = running.get("cell")
            where = f"cell {running['index']} ({cell.id})" if cell else "before its first cell"
            raise CellFailed(f"{name}, {where}: {last_line(error)}") from error
    seen = json.loads("".join(output.text for output in nb.cells.pop().outputs))
    nb = normalise(nb)
    nb.metadata["course"] = stamp(nb, seen["modules"], _shipped(seen["files"], root), root)
    return nb


def environment(temporary, root=ROOT):
    """Environment variables of the kernel: one thread, no network, nothing of the user's."""
    startup = temporary / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00-watch.py").write_text(WATCH, encoding="utf-8")
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
    path = [str(root / "tests" / "offline"), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        **dict.fromkeys(threads, "1"),
        "COURSE_PROGRESS": str(temporary / "progress"),
        "IPYTHONDIR": str(temporary / "ipython"),
        "PYTHONPATH": os.pathsep.join(part for part in path if part),
    }


def _shipped(files, root):
    """Those of `files` that lie in the repository's data folder, relative to `root`, with forward slashes."""
    data = root / "data"
    return [Path(one).relative_to(root).as_posix() for one in files if Path(one).is_relative_to(data)]


def last_line(error):
    """What went wrong in a cell, on one line."""
    if isinstance(error, CellExecutionError):
        return f"{error.ename}: {error.evalue}"
    return str(error).strip().splitlines()[0]


def refresh(path, *, force=False, root=ROOT):
    """Bring one notebook up to date; a sentence that says what was done.

    Raises
    ------
    CellFailed
        The file is then as it was.
    """
    old = read(path)
    if not force and not stale(old, root):
        return "in normal form now" if write(path, normalise(old)) else "up to date"
    start = time.monotonic()
    new = execute(old, path.parent, path.name, root)
    before, after = old.metadata.get("course", {}), new.metadata["course"]
    if all(before.get(key) == after[key] for key in ("code", "modules", "files")):
        stored = {cell.id: cell for cell in normalise(old).cells}
        for cell in new.cells:
            if "nbval-ignore-output" in cell.metadata.get("tags", []) and cell.id in stored:
                cell.outputs = stored[cell.id].outputs
        after["outputs"] = outputs_hash(new)
    changed = write(path, new)
    return f"executed in {time.monotonic() - start:.0f} s, {'written' if changed else 'nothing changed'}"


def chosen(names, root=ROOT):
    """Paths of the notebooks named by a path or by the beginning of their name; all where none is named."""
    every = sorted((root / "notebooks").glob("*.ipynb"))
    if not names:
        return every
    paths = []
    for name in names:
        found = [Path(name)] if Path(name).is_file() else [p for p in every if p.name.startswith(name)]
        if not found:
            raise SystemExit(f"no notebook is called {name!r}; there are {', '.join(p.name for p in every) or 'none'}")
        paths += found
    return paths


def lessons(names):
    """``chosen`` without the start page, which is no lesson."""
    return [path for path in chosen(names) if path.name[0].isdigit()]


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Execute the lessons, and store their outputs in one normal form.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="a notebook, or the beginning of its name; all by default"
    )
    parser.add_argument("--check", action="store_true", help="only say what is out of date")
    parser.add_argument("--force", action="store_true", help="execute even where nothing has changed")
    options = parser.parse_args(arguments)
    if (
        sys.platform == "win32"
    ):  # pyzmq needs a loop with add_reader; 3.14 deprecates the policy and keeps it until 3.16
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy())
    failed = False
    for path in chosen(options.names):
        if options.check:
            nb = read(path)
            reasons = stale(nb)
            if text(normalise(nb)) != path.read_text(encoding="utf-8"):
                reasons.append("it is not in normal form")
            failed |= bool(reasons)
            print(
                f"{path.name}: {'; '.join(reasons) + ': run make notebooks' if reasons else 'up to date'}",
                flush=True,
            )
            continue
        try:
            print(f"{path.name}: ", end="", flush=True)
            print(refresh(path, force=options.force), flush=True)
        except CellFailed as error:
            print("failed, and stays as it was", flush=True)
            raise SystemExit(str(error)) from None
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

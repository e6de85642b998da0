"""The course outside of `make lab`: Binder, a dev container, Colab's first cell, and a class's server."""

import asyncio
import json
import os
import re
import subprocess
import sys

import nbformat
import pytest

from tools import classroom
from tools.missing import missing
from tools.notebooks import ROOT, CellFailed, lessons, write

SERVER = (ROOT / "docs" / "teaching" / "server.md").read_text(encoding="utf-8")


def test_binder_has_the_torch_of_the_requirements():
    asked = re.search(r"^torch==(.+)$", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)[1]
    environment = (ROOT / "binder" / "environment.yml").read_text(encoding="utf-8")
    assert f"- pytorch-cpu={asked}\n" in environment
    assert re.search(r"- python=3\.(1[1-4])\n", environment)


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_binder_s_scripts_can_be_run(name):
    path = ROOT / "binder" / name
    assert path.read_text(encoding="utf-8").startswith("#!/usr/bin/env bash\n")
    listed = subprocess.run(["git", "ls-files", "-s", f"binder/{name}"], cwd=ROOT, capture_output=True, text=True)
    assert listed.stdout.startswith("100755") or (not listed.stdout and os.access(path, os.X_OK))


def test_the_dev_container_installs_what_make_lab_installs():
    settings = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    assert settings["postCreateCommand"] == "python3 tools/environment.py lab"
    assert re.search(r":3\.(1[1-4])-", settings["image"])


def test_missing_names_what_is_not_installed_and_no_other_version(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text("# a comment\nnumpy==0.0.1\nno-such-package==1.2\njupyterlab==4.6.6\n-e .\n", encoding="utf-8")
    assert missing(path) == ["no-such-package==1.2"]


def test_colab_s_cell_is_python_and_finds_the_course(tmp_path):
    cell = re.search(r"```python\n(import sys\n.+?)```", SERVER, re.DOTALL)[1]
    assert "tools/missing.py" in cell
    last = cell.strip().splitlines()[-1].replace("/content/course", str(ROOT))
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys\n{last}\nimport course_utils\nprint(course_utils.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(ROOT) in done.stdout


def test_every_lesson_has_its_row_in_the_sizing_table():
    for row in (r"\d+ MB \| \d+ s \| \d+ s", r"\d+ s \| \d+ s \| \d+\.\d \| \d+ MB"):
        rows = re.findall(rf"^\| (\d) \| {row} \|$", SERVER, re.MULTILINE)
        assert rows == [str(int(path.name[:2])) for path in lessons([])]


def notebook(folder, *sources):
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    write(folder / "01_small.ipynb", nb)
    return folder / "01_small.ipynb"


@pytest.mark.slow
def test_the_cost_of_a_lesson_is_its_memory_and_its_processor_time(tmp_path):
    block = "block = bytearray(b'1') * 300_000_000\ndel block"  # gone again: it is the peak that counts
    busy = "import time\nend = time.process_time() + 1\nwhile time.process_time() < end: pass"
    plain = asyncio.run(classroom.run(notebook(tmp_path, "x = 1")))
    large = asyncio.run(classroom.run(notebook(tmp_path, block, busy)))
    assert 280e6 < large.peak - plain.peak < 340e6
    assert 0.9 < large.processor - plain.processor < 2
    assert large.wall > 1


@pytest.mark.slow
def test_a_kernel_that_fails_among_several_is_told(tmp_path):
    path = notebook(tmp_path, "import os, time", "open('first', 'x').close(); time.sleep(0.1)")  # the second cannot
    with pytest.raises(CellFailed, match=r"1 of 2 kernels failed; the first: 01_small\.ipynb, cell 1.*FileExistsError"):
        asyncio.run(classroom.at_once(path, 2))

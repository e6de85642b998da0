"""`make notebooks`: run, brought into one form, written in one step; and again without a changed byte."""

import json
import os
import subprocess
import sys

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.notebooks.fixture import lesson
from tools import notebooks
from tools.notebook_rules import RULES
from tools.notebooks import ROOT, CellFailed, normalise, read, refresh, stale, text, write


@pytest.fixture
def copy(executed, tmp_path):
    """The executed fixture lesson, to be changed."""
    path = tmp_path / "small.ipynb"
    path.write_bytes(executed.read_bytes())
    return path


@pytest.fixture
def runs(monkeypatch):
    """Names of the notebooks executed; nothing else is changed."""
    names, run = [], notebooks.execute

    def noted(nb, folder, name, *rest):
        names.append(name)
        return run(nb, folder, name, *rest)

    monkeypatch.setattr(notebooks, "execute", noted)
    return names


def edit(path, change):
    nb = read(path)
    change(nb)
    path.write_text(text(nb), encoding="utf-8", newline="\n")


def small(tmp_path, *sources):
    """A notebook of these code cells, which imports nothing that takes time."""
    path = tmp_path / "one.ipynb"
    write(path, new_notebook(cells=[new_markdown_cell("# One"), *(new_code_cell(source) for source in sources)]))
    return path


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_an_executed_notebook_keeps_every_rule(executed, rule):
    assert rule(read(executed)) == []


def test_its_figures_are_stored_as_pictures(executed):
    outputs = [output for cell in read(executed).cells for output in cell.get("outputs", [])]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 3
    assert all(set(output.data) == {"image/png", "text/plain"} for output in pictures)
    assert pictures[2].metadata["image/png"]["filmstrip"]["frames"] == 9


def test_a_second_refresh_runs_nothing_and_changes_no_byte(copy, runs):
    before = copy.read_bytes()
    assert refresh(copy) == "up to date"
    assert (copy.read_bytes(), runs) == (before, [])


def test_a_forced_refresh_changes_no_byte_either(copy, runs):
    # its last cell prints the process id, and is tagged nbval-ignore-output
    before = copy.read_bytes()
    assert refresh(copy, force=True).endswith("nothing changed")
    assert (copy.read_bytes(), runs) == (before, ["small.ipynb"])


def test_changed_prose_runs_nothing(copy, runs):
    def change(nb):
        nb.cells[0].source += "\n\nMore prose."
        nb.metadata["widgets"] = {}

    edit(copy, change)
    assert refresh(copy) == "in normal form now"
    assert "widgets" not in read(copy).metadata
    assert runs == []


def test_changed_code_runs_it_and_renews_what_was_kept(tmp_path):
    path = small(tmp_path, "1 + 1", "import os\n\nos.getpid()")
    edit(path, lambda nb: nb.cells[2].metadata.update(tags=["nbval-ignore-output"]))
    refresh(path)
    before = read(path)
    edit(path, lambda nb: nb.cells[1].update(source="1 + 2"))
    assert stale(read(path)) == ["its code has changed"]
    assert refresh(path).endswith("written")
    after = read(path)
    assert after.cells[1].outputs[0].data["text/plain"] == "3"
    assert after.cells[2].outputs != before.cells[2].outputs  # another process, another id
    assert stale(after) == []


def test_saving_from_an_editor_is_noticed(tmp_path):
    path = small(tmp_path, "1 + 1")
    refresh(path)
    edit(path, lambda nb: nb.cells[1].outputs[0].data.update({"text/plain": "3"}))
    assert stale(read(path)) == ["its outputs were changed after the refresh"]
    assert refresh(path).endswith("written")
    assert read(path).cells[1].outputs[0].data["text/plain"] == "2"


def test_the_stamp_names_what_the_kernel_imported_and_read(tmp_path):
    shipped = min(path for path in (ROOT / "data").rglob("*") if path.is_file())
    path = small(tmp_path, "import course_utils\n\nimport json", f"len(open({str(shipped)!r}, 'rb').read()) > 0")
    refresh(path)
    stamp = read(path).metadata["course"]
    assert list(stamp["modules"]) == ["course_utils"]
    assert list(stamp["files"]) == [shipped.relative_to(ROOT).as_posix()]


def test_a_changed_module_or_file_makes_the_outputs_stale(tmp_path):
    root = tmp_path / "repository"
    for name in ("course_utils/__init__.py", "course_utils/models/gan.py", "data/results/gan.json"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"one\ntwo\n")
    nb = normalise(new_notebook(cells=[new_code_cell("1")]))
    names = ["course_utils", "course_utils.models.gan"]
    nb.metadata["course"] = notebooks.stamp(nb, names, ["data/results/gan.json"], root)
    assert stale(nb, root) == []
    (root / "course_utils/models/gan.py").write_bytes(b"one\r\ntwo\r\n")  # a checkout on Windows
    assert stale(nb, root) == []
    (root / "course_utils/models/gan.py").write_bytes(b"one\nthree\n")
    (root / "data/results/gan.json").unlink()
    assert stale(nb, root) == ["course_utils.models.gan has changed", "data/results/gan.json has changed"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{}['key']", "KeyError: 'key'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import os; os._exit(1)", "died"),
    ],
)
def test_a_cell_that_fails_is_named_and_nothing_is_written(tmp_path, source, message):
    path = small(tmp_path, "1 + 1", source, "print('not reached')")
    before = path.read_bytes()
    with pytest.raises(CellFailed, match=rf"one\.ipynb, cell 2 \(.*{message}"):
        refresh(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["one.ipynb"]


def test_a_cell_that_takes_too_long_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "TIMEOUT", 1)
    with pytest.raises(CellFailed, match=r"one\.ipynb, cell 1 .*[Tt]ime"):
        refresh(small(tmp_path, "import time\ntime.sleep(60)"))


def test_a_notebook_has_no_network_and_nothing_of_the_users(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "mine"))
    source = """
import os, socket
try:
    socket.create_connection(("192.0.2.1", 80), timeout=1)
except Exception as error:
    print(type(error).__name__)
print(os.environ["OMP_NUM_THREADS"], os.environ["COURSE_PROGRESS"] == MINE, os.getcwd() == HERE)
"""
    here = os.path.realpath(tmp_path)
    path = small(tmp_path, source.strip().replace("MINE", repr(str(tmp_path / "mine"))).replace("HERE", repr(here)))
    refresh(path)
    assert read(path).cells[1].outputs[0].text == "NetworkRefused\n1 False True\n"


def test_a_notebook_finds_no_name_that_it_did_not_make(tmp_path):
    path = small(tmp_path, "sorted(name for name in globals() if name in ('sys', 'json', 'os', '_course_opened'))")
    refresh(path)
    assert read(path).cells[1].outputs[0].data["text/plain"] == "[]"


def test_normalising_twice_is_normalising_once():
    once = normalise(lesson())
    assert text(normalise(once)) == text(once)


def test_ids_and_allowed_metadata_stay_and_the_rest_goes():
    nb = lesson()
    nb.cells[9].metadata |= {
        "collapsed": True,
        "editable": False,
        "slideshow": {"slide_type": "skip"},
        "vscode": {},
    }
    nb.cells[9].metadata["jupyter"]["outputs_hidden"] = True
    nb.cells[3].metadata["tags"] = []
    nb.metadata |= {"title": "Small", "vscode": {}}
    after = normalise(nb)
    assert [cell.id for cell in after.cells] == [cell.id for cell in nb.cells]
    assert after.cells[9].metadata == {
        "editable": False,
        "jupyter": {"source_hidden": True},
        "slideshow": {"slide_type": "skip"},
        "tags": ["solution"],
    }
    assert after.cells[3].metadata == {}
    assert set(after.metadata) == {"kernelspec", "language_info", "title"}


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = small(tmp_path, "1")
    before = path.read_bytes()

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space left"):
        write(path, lesson())
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["one.ipynb"]


def test_check_only_reports(copy, monkeypatch, capsys):
    monkeypatch.setattr(notebooks, "execute", None)
    assert notebooks.main(["--check", str(copy)]) == 0
    assert capsys.readouterr().out == "small.ipynb: up to date\n"
    edit(copy, lambda nb: nb.cells[1].update(source="x = 1"))
    before = copy.read_bytes()
    assert notebooks.main(["--check", str(copy)]) == 1
    assert capsys.readouterr().out == "small.ipynb: its code has changed: run make notebooks\n"
    assert copy.read_bytes() == before


def test_names_may_be_short_and_must_exist(tmp_path):
    (tmp_path / "notebooks").mkdir()
    for name in ("01_one.ipynb", "02_two.ipynb"):
        (tmp_path / "notebooks" / name).touch()
    assert [path.name for path in notebooks.chosen([], tmp_path)] == ["01_one.ipynb", "02_two.ipynb"]
    assert [path.name for path in notebooks.chosen(["02"], tmp_path)] == ["02_two.ipynb"]
    with pytest.raises(SystemExit, match="no notebook is called '03'; there are 01_one.ipynb, 02_two.ipynb"):
        notebooks.chosen(["03"], tmp_path)


def nbval(path, *options):
    """Run nbval on `path` as `make test` does; (exit status, output)."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "--rootdir",
        str(ROOT),
    ]
    command += [
        "-c",
        str(ROOT / "pyproject.toml"),
        "--nbval",
        "--nbval-current-env",
        "--nbval-cell-timeout=240",
    ]
    command += ["--nbval-sanitize-with", "tests/nbval.cfg", *options, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_strict_nbval_passes_what_a_refresh_has_stored(executed):
    status, output = nbval(executed)
    assert status == 0, output
    assert "6 passed" in output


@pytest.mark.slow
def test_strict_nbval_fails_where_an_output_differs(copy):
    def change(nb):
        nb.cells[9].outputs[0].data["text/plain"] = "5051"
        nb.cells[5].outputs[1].data["text/markdown"] = "*Another caption.*"

    edit(copy, change)
    status, output = nbval(copy)
    assert status == 1
    assert "2 failed, 4 passed" in output


@pytest.mark.slow
def test_the_sanitiser_hides_addresses_and_nothing_else(tmp_path):
    path = small(tmp_path, "object()", "print('a picture of 300x200, at 0x10')")
    refresh(path)
    assert " at 0x" in read(path).cells[1].outputs[0].data["text/plain"]
    assert nbval(path)[0] == 0
    edit(path, lambda nb: nb.cells[2].outputs[0].update(text="a picture of 300x201, at 0x10\n"))
    assert "1 failed, 1 passed" in nbval(path)[1]


def test_the_stored_file_is_json_with_sorted_keys_and_line_feeds(executed):
    data = executed.read_bytes()
    assert b"\r" not in data
    assert data.endswith(b"}\n")
    assert data.decode("utf-8") == json.dumps(json.loads(data), indent=1, sort_keys=True, ensure_ascii=False) + "\n"

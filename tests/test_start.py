"""The start page: it lists every lesson as its header has it, and says in words what is wrong with a computer."""

import re

import pytest

from course_utils import start
from tools.environment import NEWEST, OLDEST
from tools.notebooks import ROOT, read

LESSONS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))


def stored(identity):
    """The stored output of a cell of the start page, as text."""
    (cell,) = (cell for cell in read(ROOT / "notebooks" / "index.ipynb").cells if cell.id == identity)
    return "".join(output.data["text/plain"] for output in cell.outputs)


def test_the_stored_table_has_every_lesson():
    table = stored("start-lessons")
    for lesson in start.read_lessons(ROOT / "notebooks"):
        cells = [f"[{lesson.title}]({lesson.file})", lesson.reading, lesson.running, lesson.exercises]
        assert f"| {' | '.join(cells)} |" in table, "run tools/notebooks.py --force index"
    assert table.count("\n") == len(LESSONS) + 1


def test_the_efforts_are_those_of_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for lesson in start.read_lessons(ROOT / "notebooks"):
        assert "–" not in lesson
        assert f"(notebooks/{lesson.file}) | {lesson.reading} | {lesson.running} | {lesson.exercises} |" in readme


def test_a_header_without_numbers_and_a_new_version_beside_a_copy(tmp_path):
    cell = '{"cells": [{"cell_type": "markdown", "source": ["# Lesson 9: Sums\\n", "\\n", "in preparation"]}]}'
    (tmp_path / "09_sums.ipynb").write_text(cell, encoding="utf-8")
    (tmp_path / "09_sums_new_version.ipynb").write_text(cell, encoding="utf-8")
    (tmp_path / "index.ipynb").write_text(cell, encoding="utf-8")
    assert start.read_lessons(tmp_path) == [("09_sums.ipynb", "Lesson 9: Sums", "–", "–", "–")]


def test_make_lab_opens_it():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^LESSON \?= .*work/index\.ipynb.* notebooks/index\.ipynb", makefile, re.MULTILINE)


def test_the_right_pythons_pass():
    assert (start.OLDEST, start.NEWEST) == (OLDEST, NEWEST)
    assert start.python_problems((3, 11, 7)) == start.python_problems((3, 14, 0)) == []


@pytest.mark.parametrize("version", [(3, 10, 14), (3, 15, 0), (2, 7, 18)])
def test_another_python_is_named(version):
    (said,) = start.python_problems(version)
    assert said.startswith(f"This is Python {version[0]}.{version[1]}; the course needs 3.11 to 3.14.")


def test_missing_and_other_packages_are_named(tmp_path):
    file = tmp_path / "requirements.txt"
    file.write_text("# pins\nnumpy==0.0.1\nno-such-package==1.0\n-e .\n", encoding="utf-8")
    other, missing = start.package_problems(file)
    assert re.match(r"The package `numpy` is \d+\.\d+\.\d+, the course was made with 0\.0\.1", other)
    assert missing.startswith("The package `no-such-package` is missing.")


def test_this_environment_has_what_the_course_imports():
    assert start.package_problems(ROOT / "requirements.txt") == []
    assert start.package_problems(ROOT / "no-such-file.txt") == []


def test_low_memory_is_told_in_gigabytes():
    assert start.memory_problems(start.LEAST_MEMORY) == []
    assert start.memory_problems(0.42)[0].startswith("Only 0.4 GB of memory are free.")


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    assert start.folder_problems({"your progress": tmp_path / "not" / "yet"}) == []
    assert list(tmp_path.iterdir()) == []

    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(start.tempfile, "TemporaryFile", refuse)
    (said,) = start.folder_problems({"your progress": tmp_path})
    assert said == f"Nothing can be written for your progress, in the folder {tmp_path.name}: Permission denied."


@pytest.mark.parametrize(("free", "title"), [(8e9, "Everything is in place"), (1e8, "Something is not as the course")])
def test_the_page_says_it(free, title, monkeypatch, capsys):
    monkeypatch.setattr(start.psutil, "virtual_memory", lambda: type("Memory", (), {"available": free}))
    start.environment()
    assert capsys.readouterr().out.startswith(title)

"""`make work`: the student's copy is updated, and nothing that the student wrote is ever lost."""

import json
from pathlib import Path

import pytest

from tools import work

LESSON = "01_lesson.ipynb"
BESIDE = "01_lesson_new_version.ipynb"


def notebook(*sources: str, outputs: tuple = (), **more) -> bytes:
    cells = [
        {
            "cell_type": "code",
            "id": f"c{i}",
            "source": source,
            "outputs": list(outputs),
            "metadata": {},
            **more,
        }
        for i, source in enumerate(sources)
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


@pytest.fixture
def course(tmp_path: Path) -> Path:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / LESSON).write_bytes(notebook("version 1"))
    work.update(tmp_path)
    return tmp_path


def publish(course: Path, content: bytes) -> str:
    """The course's lesson changes, and the student updates; returns what the student is told."""
    (course / "notebooks" / LESSON).write_bytes(content)
    (line,) = work.update(course)
    return line


def mine(course: Path, name: str = LESSON) -> bytes:
    return (course / "work" / name).read_bytes()


def edit(course: Path, content: bytes, name: str = LESSON) -> None:
    (course / "work" / name).write_bytes(content)


def files(course: Path) -> set[str]:
    return {path.name for path in (course / "work").iterdir()} - {".course.json"}


def test_the_first_time_copies_everything(course):
    assert mine(course) == notebook("version 1")
    assert files(course) == {LESSON}


def test_nothing_happens_where_nothing_changed(course):
    (line,) = work.update(course)
    assert line == f"{LESSON}: up to date"


def test_an_unchanged_copy_is_replaced(course):
    assert "replaced" in publish(course, notebook("version 2"))
    assert mine(course) == notebook("version 2")
    assert files(course) == {LESSON}


def test_outputs_are_not_a_change(course):
    edit(course, notebook("version 1", outputs=({"output_type": "stream", "name": "stdout", "text": "1"},)))
    assert "replaced" in publish(course, notebook("version 2"))


def test_a_source_kept_as_lines_is_not_a_change(course):
    edit(course, mine(course).replace(b'"version 1"', b'["vers", "ion 1"]'))
    assert "replaced" in publish(course, notebook("version 2"))


def test_outputs_of_the_student_survive_where_the_course_did_not_change(course):
    run = notebook("version 1", outputs=({"output_type": "stream", "name": "stdout", "text": "1"},))
    edit(course, run)
    work.update(course)
    assert mine(course) == run


def test_a_changed_copy_stays_and_the_new_version_is_laid_beside_it(course):
    edit(course, notebook("my answer"))
    line = publish(course, notebook("version 2"))
    assert "changed by you, so it stays" in line
    assert line.endswith(BESIDE)
    assert mine(course) == notebook("my answer")
    assert mine(course, BESIDE) == notebook("version 2")


def test_a_picture_pasted_into_a_cell_is_a_change(course):
    edit(course, notebook("version 1", attachments={"a.png": {"image/png": "AAAA"}}))
    assert "changed by you" in publish(course, notebook("version 2"))


def test_a_changed_copy_of_an_unchanged_lesson_stays(course):
    edit(course, notebook("my answer"))
    assert work.update(course) == [f"{LESSON}: changed by you, and not by the course"]
    assert files(course) == {LESSON}


def test_a_version_is_laid_beside_once_also_when_the_student_throws_it_away(course):
    edit(course, notebook("my answer"))
    publish(course, notebook("version 2"))
    (course / "work" / BESIDE).unlink()
    (line,) = work.update(course)
    assert "before" in line
    assert files(course) == {LESSON}


def test_a_later_version_takes_the_place_of_one_that_was_laid_beside(course):
    edit(course, notebook("my answer"))
    publish(course, notebook("version 2"))
    publish(course, notebook("version 3"))
    assert mine(course, BESIDE) == notebook("version 3")
    assert files(course) == {LESSON, BESIDE}


def test_work_in_a_version_laid_beside_is_kept_too(course):
    edit(course, notebook("my answer"))
    publish(course, notebook("version 2"))
    edit(course, notebook("my other answer"), BESIDE)
    line = publish(course, notebook("version 3"))
    assert line.endswith("01_lesson_new_version_2.ipynb")
    assert mine(course, BESIDE) == notebook("my other answer")
    assert mine(course, "01_lesson_new_version_2.ipynb") == notebook("version 3")


def test_a_file_of_the_student_under_the_telling_name_is_kept(course):
    edit(course, notebook("my answer"))
    edit(course, notebook("my own file"), BESIDE)
    publish(course, notebook("version 2"))
    assert mine(course, BESIDE) == notebook("my own file")


def test_taking_over_the_new_version_by_hand_makes_the_copy_current(course):
    edit(course, notebook("my answer"))
    publish(course, notebook("version 2"))
    edit(course, mine(course, BESIDE))
    assert work.update(course) == [f"{LESSON}: up to date"]
    assert "replaced" in publish(course, notebook("version 3"))


def test_a_deleted_copy_comes_back(course):
    (course / "work" / LESSON).unlink()
    assert work.update(course) == [f"{LESSON}: copied"]


def test_a_lesson_that_left_the_course_stays_in_work(course):
    (course / "notebooks" / LESSON).unlink()
    assert work.update(course) == []
    assert mine(course) == notebook("version 1")


@pytest.mark.parametrize("state", [None, b"", b"{", b"[]", b'{"copied": 1, "offered": {}}', b"\xff"])
def test_without_its_memory_it_keeps_whatever_it_cannot_be_sure_of(course, state):
    path = course / "work" / ".course.json"
    path.unlink() if state is None else path.write_bytes(state)
    assert "stays" in publish(course, notebook("version 2"))
    assert mine(course) == notebook("version 1")
    assert mine(course, BESIDE) == notebook("version 2")


@pytest.mark.parametrize("content", [b"", b"not json", b"[]", b'{"cells": [1]}', b'{"cells": null}'])
def test_a_damaged_copy_counts_as_changed(course, content):
    edit(course, content)
    publish(course, notebook("version 2"))
    assert mine(course) == content


def test_an_interrupted_write_leaves_the_old_file(course, monkeypatch):
    def crash(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(work.os, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        publish(course, notebook("version 2"))
    assert mine(course) == notebook("version 1")
    monkeypatch.undo()
    assert "replaced" in publish(course, notebook("version 2"))
    assert files(course) == {LESSON}

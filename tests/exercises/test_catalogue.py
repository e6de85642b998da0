"""Lessons are found and read without being imported; an author's slips are named."""

import subprocess
import sys

import pytest

from course_utils.exercises.engine.catalogue import Catalogue, outline


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A function that writes a course of one lesson, `tiny`, and returns its catalogue."""

    def write(source):
        package = f"course_{tmp_path.name}"
        folder = tmp_path / package
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        head = "from course_utils.exercises import Exercise, Option, Question\n"
        (folder / "tiny.py").write_text(head + source, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        return Catalogue(package)

    return write


EXERCISE = "Exercise(name='tiny.{}', title='T', difficulty=1, minutes=1, reference=3, hints=('h',))"


def test_outline(course):
    source = (
        f"LESSON: tuple = (2, 'Tiny')\nONE = {EXERCISE.format('one')}\nEXERCISES = (ONE, {EXERCISE.format('two')})\n"
    )
    (lesson,) = course(f"{source}QUIZ = ()\nraise SystemExit('imported')\n").lessons
    assert (lesson.number, lesson.title, lesson.exercises) == (2, "Tiny", ("tiny.one", "tiny.two"))


@pytest.mark.parametrize("source", ["", "LESSON = 3", "LESSON = (1, 2, 3)"])
def test_a_lesson_without_number_and_title(tmp_path, source):
    (tmp_path / "tiny.py").write_text(source)
    with pytest.raises(ValueError, match=r"tiny.py: LESSON must be written as \(number, title\)"):
        outline(tmp_path / "tiny.py")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("EXERCISES = ()", "QUIZ must be a tuple of Question, got None"),
        ("EXERCISES = [1]\nQUIZ = ()", "EXERCISES must be a tuple of Exercise"),
        (f"EXERCISES = ({EXERCISE.format('a')}, {EXERCISE.format('a')})\nQUIZ = ()", "names must differ"),
        (f"EXERCISES = ({EXERCISE.format('a').replace('tiny', 'vae')},)\nQUIZ = ()", 'start with "tiny."'),
    ],
    ids=range(4),
)
def test_slips_of_authors(course, source, message):
    with pytest.raises(ValueError, match=message):
        course(f"LESSON = (2, 'Tiny')\n{source}\n").module("tiny")


def test_neither_torch_nor_a_lesson_is_imported_for_progress():
    code = (
        "import sys\n"
        "from course_utils.exercises import check, hint, quiz, progress\n"
        "from course_utils.exercises.engine.interface import COURSE\n"
        "progress()\n"
        "heavy = {'torch', 'matplotlib', 'ipywidgets', 'scipy', 'sklearn'} & set(sys.modules)\n"
        "lessons = [each.topic for each in COURSE.lessons if f'course_utils.exercises.{each.topic}' in sys.modules]\n"
        "assert not heavy and not lessons, (heavy, lessons)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)

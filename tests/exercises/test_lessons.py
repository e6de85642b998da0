"""Every lesson's exercises: solution, stub and known mistakes; the quiz; their place in the notebook.

The lessons are found, not listed: a new course_utils/exercises/TOPIC.py is tested as soon as it is there.
"""

from pathlib import Path

import nbformat
import pytest

from course_utils.exercises.engine.catalogue import Catalogue
from tests.exercises.contract import exercise_faults, notebook_faults, order

ROOT = Path(__file__).parents[2]
COURSES = [Catalogue("course_utils.exercises"), Catalogue("tests.exercises.example_course")]
LESSONS = [pytest.param(course, lesson, id=lesson.topic) for course in COURSES for lesson in course.lessons]
EXERCISES = [
    pytest.param(course, name, id=name) for course in COURSES for lesson in course.lessons for name in lesson.exercises
]


@pytest.mark.parametrize(("course", "name"), EXERCISES)
def test_solution_stub_and_mistakes(course, name):
    assert exercise_faults(course.exercise(name)) == []


@pytest.mark.parametrize(("course", "lesson"), LESSONS)
def test_outline_read_from_the_source_is_that_of_the_module(course, lesson):
    module = course.module(lesson.topic)
    assert (lesson.number, lesson.title) == module.LESSON
    assert tuple(exercise.name for exercise in module.EXERCISES) == lesson.exercises
    assert tuple(question.name for question in module.QUIZ) == lesson.questions


@pytest.mark.parametrize("lesson", COURSES[0].lessons, ids=lambda lesson: lesson.topic)
def test_a_lesson_has_five_exercises_and_five_questions(lesson):
    assert len(lesson.exercises) >= 5
    assert len(lesson.questions) >= 5


@pytest.mark.parametrize("lesson", COURSES[0].lessons, ids=lambda lesson: lesson.topic)
def test_notebook_has_stub_check_and_solution_of_each_exercise(lesson):
    paths = list((ROOT / "notebooks").glob(f"{lesson.number:02}_*.ipynb"))
    assert len(paths) == 1, f"lesson {lesson.number} must have one notebook, found {paths}"
    notebook = nbformat.read(paths[0], as_version=4)
    assert notebook_faults(notebook, lesson.exercises, lesson.topic) == []
    difficulties = [COURSES[0].exercise(name).difficulty for name in order(notebook)]
    assert difficulties == sorted(difficulties), "the exercises must go from easy to hard"


def test_lessons_are_numbered_one_by_one():
    numbers = [lesson.number for lesson in COURSES[0].lessons]
    assert numbers == sorted(set(numbers))
    assert set(numbers) <= set(range(1, 9))

"""An author's slips fail when the exercise is built, with an error that names them."""

import pytest

from course_utils.exercises import Exercise, Mistake, Option, Question

RIGHT, WRONG = Option("yes", True, "Because."), Option("no", False, "Because not.")


def exercise(**changes):
    fields = {
        "name": "a.b",
        "title": "A",
        "difficulty": 1,
        "minutes": 2,
        "reference": abs,
        "hints": ("Look.",),
    }
    return Exercise(**(fields | {"cases": ((1,),)} | changes))


def test_a_sound_exercise():
    assert exercise().is_function
    assert not exercise(reference=3, cases=()).is_function


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "b"}, "Exercise.name"),
        ({"name": "A.b"}, "Exercise.name"),
        ({"name": "a/../b.c"}, "Exercise.name"),
        ({"title": " "}, "title"),
        ({"difficulty": 4}, "difficulty must be 1, 2 or 3, got 4"),
        ({"minutes": 0}, "minutes must be positive"),
        ({"time_limit": -1}, "time_limit"),
        ({"rtol": -1e-6}, "rtol"),
        ({"hints": ()}, "at least one"),
        ({"hints": "Look."}, "hints must be a tuple"),
        ({"cases": (1, 2)}, "cases must be a tuple of argument tuples"),
        ({"cases": ((1, 2),)}, "reference does not take the arguments"),
        ({"cases": ()}, "reference is callable, but there are no cases"),
        ({"reference": 3}, "reference must be callable"),
        ({"mistakes": (abs,)}, "mistakes must be a tuple of Mistake"),
        ({"mistakes": (Mistake("m", 3, "No."),)}, "mistake 'm' must be callable"),
        ({"mistakes": (Mistake("m", lambda: 1, "No."),)}, "mistake 'm' does not take"),
        ({"mistakes": (Mistake("m", abs, "No."), Mistake("m", abs, "No."))}, "different names"),
    ],
)
def test_slips_in_an_exercise(changes, message):
    with pytest.raises((ValueError, TypeError), match=message):
        exercise(**changes)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Mistake("m", 1, ""), "message"),
        (lambda: Option("yes", 1, "Because."), "correct must be True or False"),
        (lambda: Option("yes", True, ""), "explanation"),
        (lambda: Question("q", "Is it?", (RIGHT, WRONG)), "Question.name"),
        (lambda: Question("a.q", "", (RIGHT, WRONG)), "text"),
        (lambda: Question("a.q", "Is it?", (RIGHT,)), "2 to 26"),
        (lambda: Question("a.q", "Is it?", (WRONG, Option("maybe", False, "No."))), "got 0 correct"),
        (lambda: Question("a.q", "Is it?", (RIGHT, Option("oh yes", True, "Yes."))), "got 2 correct"),
        (lambda: Question("a.q", "Is it?", (RIGHT, Option("yes", False, "No."))), "same text"),
    ],
)
def test_slips_in_a_mistake_and_a_question(build, message):
    with pytest.raises((ValueError, TypeError), match=message):
        build()

"""What a lesson calls: check, hint, quiz, progress. Each displays its answer and returns None."""

from __future__ import annotations

import weakref
from typing import Any

from course_utils.exercises.engine import quizzes, screen, store
from course_utils.exercises.engine.catalogue import Catalogue, Outline, UnknownName
from course_utils.exercises.engine.describe import code
from course_utils.exercises.engine.exercise import Exercise, Question
from course_utils.exercises.engine.judge import Verdict, judge

COURSE = Catalogue("course_utils.exercises")
TITLES = {"right": "✓ Right", "wrong": "✗ Not right yet", "not attempted": "○ Not attempted yet"}

_solutions: weakref.WeakSet[Any] = weakref.WeakSet()  # functions that a solution's cell has checked
_told_that_nothing_is_kept = False


def check(name: str, answer: Any, *, solution: bool = False) -> None:
    """Check your answer to the exercise `name`, such as "gaussian.posterior".

    `answer` is the function or the value that the exercise asks for. A right answer is noted in your
    progress, unless it is the lesson's own solution (`solution=True`).
    """
    __tracebackhide__ = True  # IPython then shows an interrupt in the student's cell, without our frames
    try:
        exercise = COURSE.exercise(name)
    except UnknownName as unknown:
        screen.show(str(unknown))
        return
    try:
        verdict = judge(exercise, answer)
    except KeyboardInterrupt as stop:
        raise stop.with_traceback(None) from None
    title = f"{TITLES[verdict.status]}: {exercise.title} (`{name}`)"
    if solution:
        _note_solution(answer)
        note = "This was the lesson's own solution; it does not count as your progress."
        screen.show(title, [*verdict.paragraphs, note], verdict.status)
        return
    screen.show(title, [*verdict.paragraphs, *_advice(exercise, answer, verdict)], verdict.status)


def hint(name: str, step: int = 1) -> None:
    """Show hint number `step` of the exercise `name`; each says more than the one before."""
    try:
        hints = COURSE.exercise(name).hints
    except UnknownName as unknown:
        screen.show(str(unknown))
        return
    if isinstance(step, bool) or not isinstance(step, int) or not 1 <= step <= len(hints):
        screen.show(f"`{name}` has {_count(len(hints), 'hint')}: step goes from 1 to {len(hints)}.")
        return
    more = [f'Next: `hint("{name}", {step + 1})`'] if step < len(hints) else []
    screen.show(f"Hint {step} of {len(hints)}: {name}", [hints[step - 1], *more])


def quiz(name: str, choice: str | None = None) -> None:
    """Show the quiz of a lesson ("gaussian") or one question ("gaussian.joint").

    Without widgets, answer by letter: quiz("gaussian.joint", "b").
    """
    try:
        questions = COURSE.questions(name)
    except UnknownName as unknown:
        screen.show(str(unknown))
        return
    if choice is None:
        quizzes.show(questions, _remember_answer)
    elif name != questions[0].name:
        first = questions[0].name if questions else f"{name}.question"
        screen.show(f'Which question of {name} do you answer? For example: `quiz("{first}", {choice!r})`')
    else:
        _answer(questions[0], choice)


def progress(*, reset: bool = False) -> None:
    """Show how many exercises you have solved, and how many questions you have answered and got right, by lesson.

    A question is right once you have chosen a right option, and open until then. `reset=True` forgets everything.
    It is kept in the folder named by the environment variable COURSE_PROGRESS, or else in your user folder.
    """
    if reset:
        try:
            store.forget()
        except OSError as error:
            screen.show("Progress could not be reset", [_reason(error)], "wrong")
            return
    done = store.load()
    screen.show("Your progress", [*(_progress_line(lesson, done) for lesson in COURSE.lessons), *done.problems])


def _progress_line(lesson: Outline, done: store.Progress) -> str:
    solved, answered = done.solved.intersection(lesson.exercises), done.answered.intersection(lesson.questions)
    right = done.right.intersection(lesson.questions)
    line = (
        f"Lesson {lesson.number}: {len(solved)} of {_count(len(lesson.exercises), 'exercise')}, "
        f"{len(answered)} of {_count(len(lesson.questions), 'question')} answered"
    )
    if not solved and not answered:
        return line
    if answered:
        line += f", {len(right)} right"
    todo = [each for each in lesson.exercises if each not in solved]
    todo += [each for each in lesson.questions if each not in right]
    return f"{line}. Open: {', '.join(map(code, todo))}" if todo else line


def _answer(question: Question, choice: str) -> None:
    letter = choice.strip().strip(")").lower() if isinstance(choice, str) else ""
    if len(letter) != 1 or letter not in question.letters:
        screen.show(f"The answer to `{question.name}` is a letter from a to {question.letters[-1]}.")
        return
    right, title, paragraphs = quizzes.reply(question, letter)
    screen.show(title, [*paragraphs, *_remember_answer(question, right)], "right" if right else "wrong")


def _advice(exercise: Exercise, answer: Any, verdict: Verdict) -> list[str]:
    """What stands below a student's verdict: where the hints are, or what became of the progress."""
    if verdict.status == "right":
        if _is_solution(answer):
            return ["This is the function of the lesson's own solution, so it does not count as your progress."]
        return _remember(store.EXERCISE, exercise.name)
    hints = f'{_count(len(exercise.hints), "hint")}: `hint("{exercise.name}")`'
    if verdict.kind == "stub":
        effort = f"Difficulty {exercise.difficulty} of 3, about {_count(exercise.minutes, 'minute')}"
        return [f"Write your answer in place of the `...`, run that cell, then this one. {effort}, {hints}"]
    return [f"Stuck? There {'is' if len(exercise.hints) == 1 else 'are'} {hints}"]


def _remember_answer(question: Question, right: bool) -> list[str]:
    return _remember(store.QUESTION if right else store.MISSED, question.name)


def _remember(kind: str, name: str) -> list[str]:
    """Note the progress. Where it cannot be kept, that is said once in the life of the kernel."""
    global _told_that_nothing_is_kept
    try:
        store.remember(kind, name)
    except OSError as error:
        if not _told_that_nothing_is_kept:
            _told_that_nothing_is_kept = True
            return [f"Your progress cannot be kept, but everything else works. {_reason(error)}"]
    return []


def _reason(error: OSError) -> str:
    return f"The folder {store.folder()} cannot be written ({error.strerror or type(error).__name__})."


def _note_solution(answer: Any) -> None:
    try:
        _solutions.add(answer)
    except TypeError:  # values, unlike functions, have no identity of their own
        return


def _is_solution(answer: Any) -> bool:
    try:
        return answer in _solutions
    except TypeError:
        return False


def _count(number: float, noun: str) -> str:
    return f"{number:g} {noun}" if number == 1 else f"{number:g} {noun}s"

"""Exercises and quizzes: `from course_utils.exercises import check, hint, quiz, progress`.

**For authors.** The exercises of a lesson stand in a module named by its topic, such as `gaussian.py`:

    LESSON = (1, "Generative versus discriminative models")
    EXERCISES = (
        Exercise(
            name="gaussian.posterior",
            title="Bayes' theorem on a table",
            difficulty=1,
            minutes=4,
            reference=lambda joint: joint / joint.sum(axis=1, keepdims=True),
            cases=((np.array([[0.10, 0.20, 0.05], [0.30, 0.15, 0.20]]),),),
            mistakes=(
                Mistake(
                    "divided by p(y)",
                    lambda joint: joint / joint.sum(axis=0),
                    "Your columns sum to one, so this is p(x | y). Divide by p(x), the sum over y, axis 1.",
                ),
            ),
            hints=("What does the denominator sum over?", "`joint.sum(axis=1, keepdims=True)`"),
        ),
    )
    QUIZ = (Question("gaussian.joint", "Which of these is ...?", (Option("...", True, "Because ..."), ...)),)

LESSON and all names are written as literals, for `progress()` reads them without importing the module.
What each field means is said in `engine/exercise.py`. A value instead of a function is asked for by leaving
`cases` out; the verdict then never shows the right value.

In the notebook stand, in this order, for each exercise:

- a Markdown cell with the task, the difficulty and the minutes;
- the stub, a code cell that defines the answer with `...` where the student writes (`return ...`). Its
  parameters have the names of the reference's;
- right after it, a code cell that ends with `check("gaussian.posterior", posterior)`;
- the solution: a code cell, tag `solution`, `jupyter.source_hidden`, first line a comment that is its
  title, last line `check("gaussian.posterior", posterior, solution=True)`. It may define the same name as
  the stub: a function checked with `solution=True` never counts as the student's.

`quiz("gaussian")` stands in a cell of its own. A cell that calls `progress()` has the tag
`nbval-ignore-output`, for its output differs from student to student.

tests/exercises/test_lessons.py finds every such module and shows for each exercise that the reference
passes, that stubs are answered politely, and that each mistake is caught with its own message; and that the
notebook is as described here, easy to hard, its stored verdicts being "not attempted" for the stub and
"right" for the solution.

Messages and hints are plain sentences, in which code stands between backticks. A mistake is one that people
make; its message says what they did and what to think about, not the answer.
"""

from course_utils.exercises.engine.exercise import Exercise, Mistake, Option, Question
from course_utils.exercises.engine.interface import check, hint, progress, quiz

__all__ = ["Exercise", "Mistake", "Option", "Question", "check", "hint", "progress", "quiz"]

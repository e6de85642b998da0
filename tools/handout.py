"""Hand-outs for a class: ``make handout``, or ``python tools/handout.py [NAME …]``.

handout/students/notebooks holds the lessons without their solutions, the stored outputs of all other cells kept:
they are figures to read by, and verdicts that say "not attempted". Beside it lies what the lessons link to, at the
same relative place. handout/teacher holds a key for each lesson: every exercise with its solution, its hints and the
mistakes that its check knows, and the quiz with its answers.

A hand-out keeps the solutions out of sight, no more: whoever reads `course_utils/exercises` finds them there.
"""

import argparse
import re
import shutil
import sys

from nbconvert.preprocessors import TagRemovePreprocessor

from course_utils.exercises.engine.catalogue import Catalogue
from tools.notebooks import ROOT, lessons, normalise, read, write

TO = ROOT / "handout"
# What the lessons' text says of the cells that are removed.
OF_SOLUTIONS = re.compile(r" ?The solution is folded away below each check\.")
EXERCISE = re.compile(r"^### (Exercise \d+: .+)$", re.MULTILINE)
SOLVED = re.compile(r'^check\("([\w.]+)", .+, solution=True\)$', re.MULTILINE)
QUIZ = re.compile(r'^quiz\("(\w+)"\)$', re.MULTILINE)
LINK = re.compile(r"\]\((?!\w+:|#)([^)#]+)")
COURSE = Catalogue("course_utils.exercises")


def students(nb):
    """The lesson `nb` without its solutions; `nb` itself is left as it is."""
    nb = normalise(nb)
    nb, _ = TagRemovePreprocessor(remove_cell_tags={"solution"}).preprocess(nb, {})
    nb.metadata.pop("course", None)  # says what the whole lesson's outputs came from
    counts = iter(range(1, len(nb.cells) + 1))
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            cell.source = OF_SOLUTIONS.sub("", cell.source)
            continue
        cell.execution_count = next(counts)
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = cell.execution_count
    return nb


def links(nb):
    """The relative addresses, without anchors, that the text of the lesson `nb` links to."""
    return {target for cell in nb.cells if cell.cell_type == "markdown" for target in LINK.findall(cell.source)}


def key(nb):
    """The teacher's key to the lesson `nb`, as Markdown.

    Raises
    ------
    ValueError
        If a solution's cell does not end with its check, or a task has no solution.
    """
    title = nb.cells[0].source.splitlines()[0].lstrip("# ")
    parts, task = [f"# Key: {title}"], None
    for cell in nb.cells:
        if cell.cell_type == "markdown" and (found := EXERCISE.search(cell.source)):
            if task:
                raise ValueError(f"{title}: there is no solution of {task[0]!r}")
            task = found[1], re.split(r"^#", cell.source[found.end() :], maxsplit=1, flags=re.MULTILINE)[0].strip()
        elif "solution" in cell.metadata.get("tags", []):
            if not task or not (checked := SOLVED.search(cell.source)):
                raise ValueError(f"{title}: the solution in cell {cell.id} has no task, or no check of its own")
            parts += _answer(*task, cell.source[: checked.start()].strip(), COURSE.exercise(checked[1]))
            task = None
        elif cell.cell_type == "code" and (asked := QUIZ.search(cell.source)):
            parts += ["## Quiz", *map(_question, COURSE.questions(asked[1]))]
    return "\n\n".join(parts) + "\n"


def _answer(heading, task, solution, exercise):
    mistakes = "\n".join(f"- *{_plain(mistake.name)}*: {_plain(mistake.message)}" for mistake in exercise.mistakes)
    hints = "\n".join(f"{number}. {_plain(hint)}" for number, hint in enumerate(exercise.hints, start=1))
    yield f"## {heading}"
    yield f"Checked as `{exercise.name}`."
    yield task
    yield f"```python\n{solution}\n```"
    yield f"Mistakes that the check knows, and what it says to them:\n\n{mistakes}"
    yield f"Hints:\n\n{hints}"


def _question(question):
    lines = [f"### `{question.name}`\n", f"{_plain(question.text)}\n"]
    for letter, option in zip(question.letters, question.options):
        mark = "✓ " if option.correct else ""
        lines.append(f"- {mark}{letter}) *{_plain(option.text)}*: {_plain(option.explanation)}")
    return "\n".join(lines)


def _plain(text):
    """A message as Markdown: code between backticks and a *word* between stars, as in the notebook, else plain."""
    pieces = re.split(r"(`[^`]+`|(?<![\w*])\*\w+\*(?![\w*]))", text)
    pieces[::2] = [re.sub(r"([\\*_<$\[])", r"\\\1", piece) for piece in pieces[::2]]
    return "".join(pieces)


def hand_out(path, to=TO):
    """Write the hand-out and the key of the notebook at `path`; their paths."""
    nb = read(path)
    notebook, answers = to / "students" / "notebooks" / path.name, to / "teacher" / f"{path.stem}_key.md"
    for file in (notebook, answers):
        file.parent.mkdir(parents=True, exist_ok=True)
    shorter = students(nb)
    write(notebook, shorter)
    for target in links(shorter):
        if not target.endswith(".ipynb"):  # the other lessons are hand-outs, too
            copy = (notebook.parent / target).resolve()
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path.parent / target, copy)
    answers.write_text(key(nb), encoding="utf-8", newline="\n")
    return notebook, answers


def main(arguments=None):
    """Write the hand-outs of the notebooks named, or of all."""
    parser = argparse.ArgumentParser(description="Write the lessons without their solutions, and keys for the teacher.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a path, or the beginning of a notebook's name")
    for path in lessons(parser.parse_args(arguments).names):
        print(*(file.relative_to(ROOT).as_posix() for file in hand_out(path)), sep=" and ")
    print("Give the class handout/students, and keep handout/teacher.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

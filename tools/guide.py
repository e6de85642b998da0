"""The teacher's guides as data: docs/teaching/NN_NAME.md holds a plan, questions, and what they stand for.

The plan is the table below "## Minutes", a row for each section of the lesson (`## 3. …` in the notebook) or for what
else a class takes time for, with the minutes of a student alone, of a class of 90 minutes, and of one of 50; "–" is
none. The questions are the list below "## Questions": `- **Section 3.** Question? *Answer.*`
"""

import re
from pathlib import Path
from typing import NamedTuple

GUIDES = Path(__file__).resolve().parents[1] / "docs" / "teaching"
MINUTES = re.compile(r"^\| (.+?) \| (\d+|–) \| (\d+|–) \| (\d+|–) \| (.*) \|$", re.MULTILINE)
QUESTION = re.compile(r"^- \*\*Section (\d+)\.\*\* (.+?) \*(.+)\*$", re.MULTILINE)


class Row(NamedTuple):
    """One row of a plan: its name, the minutes alone, in a class of 90 and in one of 50, and what is done in class."""

    name: str
    alone: int
    long: int
    short: int
    done: str


class Question(NamedTuple):
    """A question to ask in class, with the number of its section and the answer."""

    section: int
    text: str
    answer: str


def guide(stem):
    """The text of the guide to the lesson whose notebook is called `stem`, or "" where there is none."""
    path = GUIDES / f"{stem}.md"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def part(text, title):
    """What stands below the heading `## title`, to the next of that level."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def plan(text):
    """The rows of the plan in a guide."""
    return [
        Row(name, *(0 if one == "–" else int(one) for one in minutes), done)
        for name, *minutes, done in MINUTES.findall(part(text, "Minutes"))
    ]


def questions(text):
    """The questions in a guide."""
    return [Question(int(section), ask, answer) for section, ask, answer in QUESTION.findall(part(text, "Questions"))]

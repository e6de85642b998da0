"""The course's comparison table: one row a lesson, kept in ``data/comparison.json``."""

import json
from pathlib import Path

PATH = Path(__file__).parents[2] / "data" / "comparison.json"
COLUMNS = {
    "lesson": "lesson",
    "model": "model",
    "family": "family",
    "models": "models",
    "samples": "can it sample?",
    "density": "can it say p(x)?",
    "distance": "distance to its optimum",
}


def comparison_rows():
    """The rows, a list of dictionaries with the keys of ``COLUMNS``, in the order of the lessons."""
    return json.loads(PATH.read_text(encoding="utf-8"))


def comparison_table(lesson=None):
    """The table as Markdown; ``lesson`` (a number) chooses one lesson's rows.

    Raises ValueError where that lesson has no row yet.
    """
    rows = [row for row in comparison_rows() if lesson in (None, row["lesson"])]
    if not rows:
        raise ValueError(f"lesson must be one that has a row in {PATH.name}; got {lesson!r}.")
    lines = [" | ".join(COLUMNS.values()), " | ".join("---" for _ in COLUMNS)]
    lines += [" | ".join(str(row[key]) for key in COLUMNS) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)

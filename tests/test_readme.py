"""What the README shows is what the course is: its picture, its table, its lessons."""

import base64
import io
import re

import nbformat
import numpy as np
from matplotlib.image import imread

from course_utils.experiments.comparison import comparison_table
from tools.notebooks import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
LESSONS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))


def test_the_picture_is_lesson_1s():
    """But for a few pixels, which another processor rounds to the next shade of grey."""
    notebook = nbformat.read(LESSONS[0], as_version=4)
    outputs = [output.data for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    stored = [imread(io.BytesIO(base64.b64decode(data["image/png"]))) for data in outputs if "image/png" in data]
    picture = imread(ROOT / "docs" / "lesson_01.png")
    assert any(picture.shape == image.shape and np.abs(picture - image).max() < 0.02 for image in stored), (
        "save the picture of lesson 1's first interactive figure as docs/lesson_01.png"
    )


def test_the_comparison_table_is_the_courses():
    assert comparison_table() in README, "copy the table that comparison_table() gives into the README"


def test_every_relative_link_leads_somewhere():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target

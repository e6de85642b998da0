"""The teacher's guides name what is in the notebooks, and their minutes add up."""

import re

import pytest

from course_utils.exercises.engine.catalogue import Catalogue
from tools.guide import GUIDES, guide, part, plan, questions
from tools.notebooks import ROOT, read

COURSE = Catalogue("course_utils.exercises")
STEMS = sorted(path.stem for path in GUIDES.glob("[0-9]*.md"))
every_guide = pytest.mark.parametrize("stem", STEMS)
CAUGHT = re.compile(r"`(\w+\.\w+)`,\s+\*(.+?)\*(?=[),])")


def text_cells(stem):
    return [cell.source for cell in read(ROOT / "notebooks" / f"{stem}.ipynb").cells if cell.cell_type == "markdown"]


def sections(stem):
    """Number → heading of each section of the lesson."""
    return dict(re.findall(r"^## (\d+)(\. .+)$", "\n".join(text_cells(stem)), re.MULTILINE))


def named(text, title):
    """The sections that the list below a heading of the guide names."""
    return re.findall(r"^- \*\*Section (\d+)\.\*\*", part(text, title), re.MULTILINE)


def test_each_guide_is_of_a_lesson_and_listed():
    readme = (GUIDES / "README.md").read_text(encoding="utf-8")
    assert len(STEMS) >= 5
    for stem in STEMS:
        assert (ROOT / "notebooks" / f"{stem}.ipynb").exists()
        assert f"]({stem}.md)" in readme


@every_guide
def test_minutes_add_up(stem):
    rows = plan(guide(stem))
    reading = int(re.search(r"reading \| (\d+) minutes", "\n".join(text_cells(stem)))[1])
    assert [sum(row[column] for row in rows) for column in (1, 2, 3)] == [reading, 90, 50]
    assert all(row.done for row in rows)


@every_guide
def test_the_plan_goes_through_the_lesson_s_sections(stem):
    rows = [row.name for row in plan(guide(stem))]
    headings = [number + title for number, title in sections(stem).items()]
    assert rows == [heading for heading in headings if heading in rows]
    left = [heading for heading in headings if heading not in rows]
    assert all(heading.endswith("Quiz") for heading in left), left
    table = [line for line in part(guide(stem), "Minutes").splitlines() if line.startswith("|")]
    assert len(table) == len(rows) + 2  # no row that the plan does not understand


@every_guide
def test_questions_and_pages_belong_to_sections(stem):
    text = guide(stem)
    asked = questions(text)
    assert len(asked) == len(part(text, "Questions").strip().splitlines()) >= 5
    assert all(one.text.endswith("?") or "?" in one.text for one in asked)
    for number in [*(str(one.section) for one in asked), *named(text, "The deck")]:
        assert number in sections(stem)
    assert named(text, "The deck")


@every_guide
def test_errata_are_those_of_the_lesson(stem):
    here, found = None, []
    for source in text_cells(stem):
        for line in source.splitlines():
            if heading := re.match(r"## (\d+)\. ", line):
                here = heading[1]
            if re.search(r"<b>Errat(um|a)", line):
                found.append(here)
    assert named(guide(stem), "Errata") == found


@every_guide
def test_every_slip_is_known_to_the_check_named_beside_it(stem):
    lesson = next(lesson for lesson in COURSE.lessons if lesson.number == int(stem[:2]))
    text = part(guide(stem), "What students get wrong")
    caught = CAUGHT.findall(text)
    assert len(caught) == len(re.findall(r"`\w+\.\w+`", text))
    assert {name for name, _ in caught} == set(lesson.exercises)
    for name, mistake in caught:
        assert mistake in {one.name for one in COURSE.exercise(name).mistakes}, (name, mistake)


@every_guide
def test_an_exercise_takes_as_long_in_its_heading_as_in_its_check(stem):
    """In the order of the lesson: the heading's minutes, then the cell that checks it."""
    said, checked = [], []
    for cell in read(ROOT / "notebooks" / f"{stem}.ipynb").cells:
        said += map(int, re.findall(r"^### Exercise \d+: .+ · (\d+) minutes$", cell.source, re.MULTILINE))
        if "solution" not in cell.metadata.get("tags", []):
            checked += re.findall(r'^check\("([\w.]+)"', cell.source, re.MULTILINE)
    assert [COURSE.exercise(name).minutes for name in checked] == said
    assert len(said) >= 5
    header = re.search(r"exercises \| (\d+), about (\d+) min", "\n".join(text_cells(stem)))
    assert header.groups() == (str(len(said)), str(sum(said)))

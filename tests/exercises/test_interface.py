"""What a student sees: check, hint, quiz, progress."""

import json

import ipywidgets
import numpy as np
import pytest

from course_utils.exercises import check, hint, progress, quiz
from course_utils.exercises.engine import interface, screen, store
from course_utils.exercises.engine.quizzes import WIDGET_VIEW


def right(x):
    return x.sum(axis=1)


def wrong(x):
    return x.sum(axis=0)


def text(shown, i=-1):
    return shown[i][0]


def counts(shown):
    progress()
    return text(shown).splitlines()[1].split(".")[0]


NOTHING = "Lesson 9: 0 of 3 exercises, 0 of 2 questions answered"


def test_check_right(shown):
    assert check("sums.rows", right) is None
    assert text(shown) == "✓ Right: Row sums (`sums.rows`)"
    assert counts(shown) == "Lesson 9: 1 of 3 exercises, 0 of 2 questions answered"


def test_check_wrong(shown):
    check("sums.rows", wrong)
    assert text(shown) == (
        "✗ Not right yet: Row sums (`sums.rows`)\n"
        "You summed the columns: that is `axis=0`.\n"
        'Stuck? There are 2 hints: `hint("sums.rows")`'
    )
    assert counts(shown) == NOTHING


def test_check_stub(shown):
    check("sums.rows", lambda x: ...)
    check("sums.total", ...)
    assert text(shown, 0) == (
        "○ Not attempted yet: Row sums (`sums.rows`)\n"
        "Write your answer in place of the `...`, run that cell, then this one. "
        'Difficulty 1 of 3, about 2 minutes, 2 hints: `hint("sums.rows")`'
    )
    assert "about 1 minute, 1 hint:" in text(shown, 1)
    assert counts(shown) == NOTHING


def test_the_solutions_check_never_counts_and_takes_nothing_away(shown):
    check("sums.rows", right, solution=True)
    assert text(shown).startswith("✓ Right: Row sums")
    assert text(shown).endswith("it does not count as your progress.")
    assert counts(shown) == NOTHING
    check("sums.total", 5050)
    check("sums.total", 4950, solution=True)
    check("sums.total", 5050, solution=True)
    assert counts(shown) == "Lesson 9: 1 of 3 exercises, 0 of 2 questions answered"


def test_the_solutions_function_checked_again_from_the_students_cell_does_not_count(shown):
    def solution(x):
        return x.sum(axis=1)

    check("sums.rows", solution, solution=True)
    check("sums.rows", solution)
    assert text(shown).startswith("✓ Right")
    assert "does not count" in text(shown)
    assert counts(shown) == NOTHING
    check("sums.rows", lambda x: x.sum(axis=1))
    assert counts(shown) == "Lesson 9: 1 of 3 exercises, 0 of 2 questions answered"


def test_a_verdict_does_not_depend_on_progress(shown):
    for _ in range(2):
        check("sums.rows", right)
        check("sums.rows", wrong)
        quiz("sums.empty", "a")
        quiz("sums")
    first, second = ([(each[0], each[1]) for each in half] for half in (shown[:4], shown[4:]))
    assert first == second


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sums.row", "Did you mean `sums.rows`"),
        ("rows", "Did you mean `sums.rows`"),
        ("Sums.Rows", "Did you mean `sums.rows`"),
        ("sum.total", "Did you mean `sums.total`"),
        ("sums", "There is no exercise 'sums'."),
        ("quite.different", "There is no exercise 'quite.different'."),
        ("", "There is no exercise ''."),
        pytest.param(right, "The name of the exercise comes first", id="a function"),  # its str holds an address
    ],
)
def test_unknown_names(shown, name, words):
    check(name, right)
    hint(name)
    assert all(words in each[0] for each in shown)


def test_hints(shown):
    hint("sums.rows")
    hint("sums.rows", 2)
    assert text(shown, 0) == 'Hint 1 of 2: sums.rows\nWhich axis runs along a row?\nNext: `hint("sums.rows", 2)`'
    assert text(shown, 1) == "Hint 2 of 2: sums.rows\nIt is axis 1."


@pytest.mark.parametrize("step", [0, 3, -1, 1.0, True, "1", None], ids=str)
def test_hints_that_are_not_there(shown, step):
    hint("sums.rows", step)
    assert text(shown) == "`sums.rows` has 2 hints: step goes from 1 to 2."


def test_quiz_as_text_html_and_widget(shown):
    quiz("sums")
    plain, markup, rest = shown[0]
    assert plain.startswith("`sums.empty`: What is the sum of no numbers?\n  a) 0\n  b) 1\n  c) undefined\n")
    assert 'quiz("sums.order", "a")' in plain
    assert "floats &amp; ints &lt; 3" in markup
    assert list(rest) == [WIDGET_VIEW]
    quiz("sums.order")
    assert "sums.empty" not in text(shown)


def buttons(shown):
    """The buttons of the one question shown last, and where it replies."""
    box = ipywidgets.Widget._widgets if hasattr(ipywidgets.Widget, "_widgets") else ipywidgets.widgets.widget._instances
    (question,) = box[shown[-1][2][WIDGET_VIEW]["model_id"]].children
    _, *rows, said = question.children
    return [row.children[0] for row in rows], said


def test_quiz_buttons_explain_every_option(shown):
    quiz("sums.empty")
    (zero, one, undefined), said = buttons(shown)
    one.click()
    assert "✗ Not right: b) 1" in said.value
    assert "<em>product</em>" in said.value
    assert "<code>math.prod([])</code>" in said.value
    undefined.click()
    assert "sums of parts" in said.value
    assert counts(shown) == "Lesson 9: 0 of 3 exercises, 1 of 2 questions answered, 0 right"
    zero.click()
    assert "✓ Right: a) 0" in said.value
    assert counts(shown) == "Lesson 9: 0 of 3 exercises, 1 of 2 questions answered, 1 right"


def test_markup_is_code_and_emphasis_and_nothing_else():
    text = "is *not* `a *b* c`, 2 * x * y, **kwargs and <b>"
    assert screen.inline(text) == "is <em>not</em> <code>a *b* c</code>, 2 * x * y, **kwargs and &lt;b&gt;"


def test_quiz_without_ipywidgets(shown, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ipywidgets", None)
    quiz("sums")
    assert shown[0][2] == {}


def test_quiz_answered_as_text(shown):
    quiz("sums.order", "a")
    assert text(shown) == "✗ Not right: a) yes\nEach addition rounds."
    assert counts(shown) == "Lesson 9: 0 of 3 exercises, 1 of 2 questions answered, 0 right"
    quiz("sums.order", " B) ")
    assert text(shown) == "✓ Right: b) no\nRounding depends on the order."
    assert counts(shown) == "Lesson 9: 0 of 3 exercises, 1 of 2 questions answered, 1 right"


@pytest.mark.parametrize("choice", ["c", "", "ab", 1, ["a"]], ids=str)
def test_quiz_answers_that_are_none(shown, choice):
    quiz("sums.order", choice)
    assert text(shown) == "The answer to `sums.order` is a letter from a to b."


def test_quiz_names(shown):
    quiz("sums", "a")
    assert "Which question of sums do you answer? For example: `quiz(\"sums.empty\", 'a')`" in text(shown)
    quiz("sums.ordr")
    assert "Did you mean `sums.order`" in text(shown)


def test_progress_says_what_is_open_and_can_be_reset(shown):
    check("sums.total", 5050)
    progress()
    assert text(shown) == (
        "Your progress\nLesson 9: 1 of 3 exercises, 0 of 2 questions answered. "
        "Open: `sums.rows`, `sums.draw`, `sums.empty`, `sums.order`"
    )
    quiz("sums.empty", "b")
    quiz("sums.order", "b")
    progress()
    assert text(shown) == (
        "Your progress\nLesson 9: 1 of 3 exercises, 2 of 2 questions answered, 1 right. "
        "Open: `sums.rows`, `sums.draw`, `sums.empty`"
    )
    progress(reset=True)
    assert text(shown) == f"Your progress\n{NOTHING}"
    assert counts(shown) == NOTHING


def test_progress_that_cannot_be_kept_is_said_once(shown, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "file" / "progress"))
    check("sums.rows", right)
    assert text(shown).startswith("✓ Right")
    assert "cannot be kept" in text(shown)
    check("sums.rows", right)
    quiz("sums.order", "b")
    assert all("cannot be kept" not in each[0] for each in shown[1:])
    assert counts(shown) == NOTHING


def test_a_damaged_file_is_named_once_and_set_aside(shown):
    check("sums.rows", right)
    path = store.folder() / "exercise.sums.rows.json"
    path.write_bytes(b'{"kind": "exerc')
    progress()
    assert "The file exercise.sums.rows.json in the progress folder was damaged." in text(shown)
    assert NOTHING in text(shown)
    progress()
    assert "damaged" not in text(shown)
    check("sums.rows", right)
    assert counts(shown).startswith("Lesson 9: 1 of 3")


def test_html_is_escaped(shown):
    def dangerous(x):
        raise ValueError("<script>alert(1)</script> & `code`")

    check("sums.rows", dangerous)
    assert "<script>" not in shown[0][1]
    assert "&lt;script&gt;" in shown[0][1]
    assert "ValueError: &lt;script&gt;alert(1)&lt;/script&gt; &amp; &#x27;code&#x27;</code>" in shown[0][1]


def test_colours_are_the_themes_and_symbols_say_the_same(shown):
    for answer in (right, wrong, ...):
        check("sums.rows", answer)
    symbols = [each[0][0] for each in shown]
    assert symbols == ["✓", "✗", "○"]
    assert all("background" not in each[1] and "var(--jp-" in each[1] for each in shown)


def test_outside_of_ipython_the_text_is_printed(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path))
    monkeypatch.setattr("IPython.get_ipython", lambda: None)
    screen.show("✓ Right", ["so it is"])
    assert capsys.readouterr().out == "✓ Right\nso it is\n"


def test_interface_of_the_course_itself():
    assert interface.COURSE.package == "course_utils.exercises"
    assert json.dumps(sorted(screen.BARS)) == '["not attempted", "note", "right", "wrong"]'
    assert np.all([name in screen.BARS for name in interface.TITLES])

"""Each rule passes a good notebook, and finds what it is there to find."""

import copy

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import notebook_rules
from tools.notebook_rules import RULES
from tools.notebooks import ROOT, normalise, stamp

ALT = "A line that rises from 0 to 1."


def picture(alt=ALT):
    data = {"image/png": "iVBORw0KGgo=", "text/plain": f"[figure] {alt}"}
    return new_output("display_data", data=data, metadata={"image/png": {"alt": alt, "width": 400}})


def caption(alt=ALT):
    return new_output("display_data", data={"text/markdown": f"*{alt}*", "text/plain": alt})


def printed(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def finished(nb):
    """`nb` as a refresh would leave it."""
    nb = normalise(nb)
    nb.metadata["course"] = stamp(nb, ["course_utils"], ["pyproject.toml"])
    return nb


@pytest.fixture
def nb():
    cells = [
        new_markdown_cell("# Title\n\n```\n# no heading\n```\n\n## Part", id="title"),
        new_code_cell("print(1)", id="one", execution_count=1, outputs=[printed("1\n")]),
        new_markdown_cell("### Detail", id="detail"),
        new_code_cell("x = 1", id="silent", execution_count=2),
        new_code_cell("show(*draw())", id="two", execution_count=3, outputs=[picture(), caption()]),
    ]
    return finished(new_notebook(cells=cells))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_good_notebook_passes(nb, rule):
    before = copy.deepcopy(nb)
    assert rule(nb) == []
    assert nb == before


def test_every_rule_is_listed_and_explained():
    public = {
        name
        for name, value in vars(notebook_rules).items()
        if callable(value) and getattr(value, "__module__", "") == notebook_rules.__name__ and name[0] != "_"
    }
    assert {rule.__name__ for rule in RULES} == public
    assert all(rule.__doc__ for rule in RULES)


# each breaks one thing in the good notebook; the rule that must complain, and what it must say


def an_old_format(nb):
    nb.nbformat_minor = 4


def one_id_twice(nb):
    nb.cells[4].id = "one"


def a_number_for_a_title(nb):
    nb.cells[0].source = 1


def an_empty_cell(nb):
    nb.cells[1].source = " \n"


def a_foreign_kernel(nb):
    nb.metadata.kernelspec = {"name": "mine", "display_name": "Mine", "language": "python"}


def a_python_version(nb):
    nb.metadata.language_info["version"] = "3.12.1"


def timings(nb):
    nb.cells[1].metadata["execution"] = {"iopub.status.busy": "2026-01-01"}


def a_stream_in_pieces(nb):
    nb.cells[1].outputs = [printed("1"), printed("\n")]


def widget_state(nb):
    nb.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {}}


def a_widget_view(nb):
    nb.cells[4].outputs[0].data["application/vnd.jupyter.widget-view+json"] = {"model_id": "1"}


def a_cell_not_run(nb):
    nb.cells[4].execution_count = None


def cells_run_out_of_order(nb):
    nb.cells[1].execution_count, nb.cells[4].execution_count = 3, 1


def other_code(nb):
    nb.cells[1].source = "print(2)"


def other_outputs(nb):
    nb.cells[1].outputs[0].text = "2\n"


def another_module(nb):
    nb.metadata.course.modules["course_utils"] = "0" * 16


def a_module_that_is_gone(nb):
    nb.metadata.course.modules["course_utils.gone"] = "0" * 16


def another_file(nb):
    nb.metadata.course.files["pyproject.toml"] = "0" * 16


def no_stamp(nb):
    del nb.metadata["course"]


def an_error(nb):
    nb.cells[1].outputs = [new_output("error", ename="KeyError", evalue="x", traceback=[])]


def a_warning(nb):
    nb.cells[1].outputs.append(printed("UserWarning: old", name="stderr"))


def the_path_of_this_repository(nb):
    nb.cells[1].outputs = [printed(f"saved to {ROOT}\n")]


def a_home_in_a_result(nb):
    data = {"text/plain": "PosixPath('/home/ann/data')", "text/html": "x"}
    nb.cells[1].outputs = [new_output("execute_result", data=data, execution_count=1)]


def a_windows_home_in_the_text(nb):
    nb.cells[2].source += r" in C:\Users\ann"


def a_temporary_file_in_the_code(nb):
    nb.cells[1].source = "open('/tmp/x')"


def a_picture_of_pyplot(nb):
    nb.cells[4].outputs[0].metadata = {}
    nb.cells[4].outputs[0].data["text/plain"] = "<Figure size 640x480 with 1 Axes>"


def another_text_form(nb):
    nb.cells[4].outputs[0].data["text/plain"] = "[figure] something else"


def no_caption(nb):
    del nb.cells[4].outputs[1]


def another_caption(nb):
    nb.cells[4].outputs[1] = caption("A line that falls from 1 to 0.")


def a_jpeg(nb):
    data = nb.cells[4].outputs[0].data
    data["image/jpeg"] = data.pop("image/png")


def a_long_cell(nb):
    nb.cells[1].source = "x = 1\n" * 26


def a_long_solution(nb):
    nb.cells[1].source = "x = 1\n" * 41
    nb.cells[1].metadata["tags"] = ["solution"]


def imports_in_sight(nb):
    nb.cells[1].source, nb.cells[1].outputs = "import os", []


def folded_behind_code(nb):
    nb.cells[4].metadata["jupyter"] = {"source_hidden": True}


def no_title(nb):
    nb.cells[0].source = "## Part"


def code_before_the_title(nb):
    nb.cells = [nb.cells[1], nb.cells[0]]


def two_titles(nb):
    nb.cells[2].source = "# Another"


def a_level_left_out(nb):
    nb.cells[2].source = "#### Detail"


def three_megabytes(nb):
    nb.cells[4].outputs[0].data["image/png"] = "A" * 3_000_000


@pytest.mark.parametrize(
    ("rule", "fault", "complaint"),
    [
        ("valid", an_old_format, "nbformat 4.4"),
        ("valid", one_id_twice, "two cells have the id 'one'"),
        ("valid", a_number_for_a_title, "not a valid notebook"),
        ("valid", an_empty_cell, "cell 1 (one) is empty"),
        ("normal_form", a_foreign_kernel, "normal form"),
        ("normal_form", a_python_version, "normal form"),
        ("normal_form", timings, "normal form"),
        ("normal_form", a_stream_in_pieces, "normal form"),
        ("normal_form", widget_state, "normal form"),
        ("normal_form", a_widget_view, "normal form"),
        ("without_widget_state", widget_state, "metadata hold widget state"),
        ("without_widget_state", a_widget_view, "cell 4 (two) stores a widget view"),
        ("executed_in_order", a_cell_not_run, "cell 4 (two) has execution count None, not 3"),
        ("executed_in_order", cells_run_out_of_order, "cell 1 (one) has execution count 3, not 1"),
        ("fresh", other_code, "its code has changed"),
        ("fresh", other_outputs, "its outputs were changed after the refresh"),
        ("fresh", another_module, "course_utils has changed"),
        ("fresh", a_module_that_is_gone, "course_utils.gone has changed"),
        ("fresh", another_file, "pyproject.toml has changed"),
        ("fresh", no_stamp, "not written by `make notebooks`"),
        ("without_errors", an_error, "cell 1 (one) stores an error: KeyError"),
        ("without_stderr", a_warning, "cell 1 (one) writes to stderr: 'UserWarning: old'"),
        ("without_machine_paths", the_path_of_this_repository, "cell 1 (one) names a path of a machine"),
        ("without_machine_paths", a_home_in_a_result, "/home/ann"),
        (
            "without_machine_paths",
            a_windows_home_in_the_text,
            r"cell 2 (detail) names a path of a machine: C:\Users",
        ),
        ("without_machine_paths", a_temporary_file_in_the_code, "/tmp/x"),
        ("figures_described", a_picture_of_pyplot, "cell 4 (two) shows a picture without alt text"),
        ("figures_described", another_text_form, "text form is not its alt text"),
        ("figures_described", no_caption, "without its caption below it"),
        ("figures_described", another_caption, "without its caption below it"),
        ("figures_described", a_jpeg, "as image/jpeg: store PNG only"),
        ("short_cells", a_long_cell, "cell 1 (one) has 26 lines, more than 25"),
        ("short_cells", a_long_solution, "cell 1 (one) has 41 lines, more than 40"),
        ("folded_behind_a_line", imports_in_sight, "cell 1 (one) only imports"),
        ("folded_behind_a_line", folded_behind_code, "cell 4 (two) is folded, and its first line says nothing"),
        ("headings_in_order", no_title, "does not begin with a title"),
        ("headings_in_order", code_before_the_title, "does not begin with a title"),
        ("headings_in_order", two_titles, "a second title: 'Another'"),
        ("headings_in_order", a_level_left_out, "'Detail' of level 4 follows one of level 2"),
        ("small", three_megabytes, "it has 3.0 MB, more than 3"),
    ],
)
def test_a_fault_is_found(nb, rule, fault, complaint):
    fault(nb)
    complaints = getattr(notebook_rules, rule)(nb)
    assert any(complaint in one for one in complaints), complaints


@pytest.mark.parametrize(
    "source",
    [
        "x = 1\n" * 25,
        "url = 'https://example.org/home/ann'",
        "a / tmp / b",
        "ratio = 1/root/2",
        "s = 'and/var/or'",
    ],
)
def test_what_is_no_fault_is_let_be(nb, source):
    nb.cells[1].source = source.rstrip()
    nb = finished(nb)
    assert [complaint for rule in RULES for complaint in rule(nb)] == []


def test_a_solution_may_be_longer(nb):
    nb.cells[1].source = "\n".join(["x = 1"] * 40)
    nb.cells[1].metadata["tags"] = ["solution"]
    assert notebook_rules.short_cells(nb) == []

"""What every committed notebook keeps to: a rule takes a notebook and returns its complaints, one each."""

import ast
import json
import re
import sys
from itertools import pairwise
from pathlib import Path

import nbformat

from tools.notebooks import ROOT, WIDGETS, normalise, stale, text

LONGEST_CELL, LONGEST_SOLUTION = 25, 40  # lines
LARGEST = 3_000_000  # bytes
SHORTEST_ALT = 20  # characters
PATHS = re.compile(r"(?<![\w.:/])(?:/home/|/Users/|/root/|/tmp/|/var/|/private/|[A-Z]:\\\\?(?:Users|Windows))[\w.-]*")


def valid(nb):
    """The notebook is valid nbformat 4.5, each cell with an id of its own, and no code cell is empty."""
    ids = [cell.get("id") for cell in nb.cells]
    complaints = [f"two cells have the id {one!r}" for one in dict.fromkeys(ids) if one and ids.count(one) > 1]
    if (nb.nbformat, nb.nbformat_minor) != (4, 5):
        complaints.append(f"it is nbformat {nb.nbformat}.{nb.nbformat_minor}, not 4.5")
    if not complaints:  # the validator would repair these, and only warn
        try:
            nbformat.validate(nb)
        except nbformat.ValidationError as error:
            complaints.append(f"it is not a valid notebook: {str(error).splitlines()[0]}")
    return complaints + [f"{_name(i, cell)} is empty" for i, cell in _code(nb) if not cell.source.strip()]


def normal_form(nb):
    """Normalising it again changes nothing."""
    return [] if text(normalise(nb)) == text(nb) else ["it is not in normal form"]


def without_widget_state(nb):
    """No widget state and no widget views: GitHub calls a notebook with them invalid."""
    complaints = ["its metadata hold widget state"] if "widgets" in nb.metadata else []
    for i, cell, output in _outputs(nb):
        if any(kind.startswith(WIDGETS) for kind in output.get("data", {})):
            complaints.append(f"{_name(i, cell)} stores a widget view")
    return complaints


def executed_in_order(nb):
    """Execution counts are 1 to n from top to bottom; nbval does not compare a cell that has none."""
    return [
        f"{_name(i, cell)} has execution count {cell.execution_count}, not {n}"
        for n, (i, cell) in enumerate(_code(nb), start=1)
        if cell.execution_count != n
    ]


def fresh(nb):
    """The outputs are those of the committed code."""
    return stale(nb)


def without_errors(nb):
    """No cell ended in an exception."""
    return [
        f"{_name(i, cell)} stores an error: {output.ename}"
        for i, cell, output in _outputs(nb)
        if output.output_type == "error"
    ]


def without_stderr(nb):
    """Nothing was written to stderr: a warning holds a process id and a path."""
    return [
        f"{_name(i, cell)} writes to stderr: {output.text.strip()[:60]!r}"
        for i, cell, output in _outputs(nb)
        if output.output_type == "stream" and output.name == "stderr"
    ]


def without_machine_paths(nb):
    """No path of one machine in a source or an output."""
    here = [str(path) for path in (ROOT, Path.home(), sys.prefix) if len(str(path)) > 5]
    complaints = []
    for i, cell in enumerate(nb.cells):
        for place in [cell.source, *(_words(output) for output in cell.get("outputs", []))]:
            found = [path for path in here if path in place] or PATHS.findall(place)
            complaints += [f"{_name(i, cell)} names a path of a machine: {path}" for path in found]
    return complaints


def figures_described(nb):
    """Each picture is a PNG with alt text, the same as its text form, and its visible caption comes next."""
    complaints = []
    for i, cell in _code(nb):
        for output, after in zip(cell.outputs, [*cell.outputs[1:], {}], strict=False):
            data = output.get("data", {})
            kinds = [kind for kind in data if kind.startswith("image/") or kind == "application/pdf"]
            if not kinds:
                continue
            if kinds != ["image/png"]:
                complaints.append(f"{_name(i, cell)} stores a picture as {', '.join(kinds)}: store PNG only")
            alt = output.metadata.get("image/png", {}).get("alt", "")
            if len(alt) < SHORTEST_ALT:
                complaints.append(f"{_name(i, cell)} shows a picture without alt text: use course_utils.figures.show")
                continue
            if data.get("text/plain") != f"[figure] {alt}":
                complaints.append(f"{_name(i, cell)} has a picture whose text form is not its alt text")
            caption = after.get("data", {})
            if "text/markdown" not in caption or caption.get("text/plain") != alt:
                complaints.append(f"{_name(i, cell)} shows a picture without its caption below it")
    return complaints


def short_cells(nb):
    """One idea a cell: at most 25 lines of code, 40 in a solution; the line that names a folded cell is not counted."""
    complaints = []
    for i, cell in _code(nb):
        lines = len(cell.source.splitlines()) - _folded(cell)
        most = LONGEST_SOLUTION if "solution" in cell.metadata.get("tags", []) else LONGEST_CELL
        if lines > most:
            complaints.append(f"{_name(i, cell)} has {lines} lines, more than {most}")
    return complaints


def folded_behind_a_line(nb):
    """In class what is only imported is folded; what is folded says in its first line what it is."""
    complaints = []
    for i, cell in _code(nb):
        first = cell.source.partition("\n")[0]
        if _folded(cell) and not first.startswith("# "):
            complaints.append(f"{_name(i, cell)} is folded, and its first line says nothing: begin it with # …")
        if not _folded(cell) and _only_imports(cell.source):
            complaints.append(f"{_name(i, cell)} only imports: fold it behind a first line that says so, # Imports: …")
    return complaints


def headings_in_order(nb):
    """One title, first of all; below it no level is left out."""
    levels = [(level, title) for cell in nb.cells if cell.cell_type == "markdown" for level, title in _headings(cell)]
    complaints = []
    if not levels or levels[0][0] != 1 or nb.cells[0].cell_type != "markdown":
        complaints.append("it does not begin with a title (# …)")
    complaints += [f"it has a second title: {title!r}" for level, title in levels[1:] if level == 1]
    for (above, _), (level, title) in pairwise(levels):
        if level > above + 1:
            complaints.append(f"heading {title!r} of level {level} follows one of level {above}")
    return complaints


def small(nb):
    """Less than 3 MB."""
    size = len(text(nb).encode("utf-8"))
    return [f"it has {size / 1e6:.1f} MB, more than {LARGEST / 1e6:.0f}"] if size >= LARGEST else []


RULES = (
    valid,
    normal_form,
    without_widget_state,
    executed_in_order,
    fresh,
    without_errors,
    without_stderr,
    without_machine_paths,
    figures_described,
    short_cells,
    folded_behind_a_line,
    headings_in_order,
    small,
)


def _code(nb):
    return [(i, cell) for i, cell in enumerate(nb.cells) if cell.cell_type == "code"]


def _folded(cell):
    return bool(cell.metadata.get("jupyter", {}).get("source_hidden"))


def _only_imports(source):
    try:
        body = ast.parse(source).body
    except SyntaxError:  # IPython's own
        return False
    return bool(body) and all(isinstance(one, ast.Import | ast.ImportFrom) for one in body)


def _outputs(nb):
    return [(i, cell, output) for i, cell in _code(nb) for output in cell.outputs]


def _name(i, cell):
    return f"cell {i} ({cell.get('id')})"


def _words(output):
    """All that an output says in words."""
    data = {kind: value for kind, value in output.get("data", {}).items() if not kind.startswith("image/")}
    said = [output.get("text", ""), *output.get("traceback", []), output.get("evalue", "")]
    return "\n".join([*said, *(v if isinstance(v, str) else json.dumps(v) for v in data.values())])


def _headings(cell):
    fenced = False
    for one in cell.source.splitlines():
        fenced ^= one.lstrip().startswith(("```", "~~~"))
        match = re.match(r"(#{1,6})\s+(.+)", one)
        if match and not fenced:
            yield len(match[1]), match[2].strip()

"""Decks for a memory stick: ``make slides``, or ``python tools/slides.py [NAME …]``.

Each lesson becomes build/slides/NAME.html, a reveal.js deck of the same cells by their slideshow metadata: figures
inside as pictures, filmstrips with a player, solutions left out, the code of figures folded under its first line. The
speaker's view (key S) shows for each section the minutes and the questions of the teacher's guide, and the text of
cells of type "notes". reveal.js and MathJax lie beside the decks, copied from the packages pyreveal and
jupyter_server_mathjax: nothing comes from the network.
"""

import argparse
import importlib.util
import re
import shutil
import sys
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter

from tools.export_html import HTML, MATHJAX, mathjax, title, write
from tools.guide import guide, plan, questions
from tools.notebooks import ROOT, lessons, read

SLIDES = Path(__file__).resolve().parent / "slides"
TO = ROOT / "build" / "slides"
REVEAL = ("LICENSE", "dist/reveal.js", "dist/reveal.css", "dist/theme/white.css", "dist/plugin/notes.js")
SECTION = re.compile(r"^## ((\d+)\. .+)$", re.MULTILINE)


def deck(nb, name, notes=""):
    """The notebook as the text of one HTML deck.

    Parameters
    ----------
    nb : NotebookNode
    name : str
    notes : str
        The text of the teacher's guide to it.
    """
    nb = nbformat.from_dict(nb)
    nb.metadata.pop("widgets", None)
    nb.metadata.setdefault("title", title(nb) or name)
    timed = timing(notes)
    cells = []
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"(\]\([\w./-]+)\.ipynb(?=[)#])", r"\1.html", cell.source)  # from deck to deck
            cell.source = re.sub(r"\[([^]]+)\]\(\.\./[^)]+\)", r"\1", cell.source)  # docs/ is not on the stick
        elif label := _fold(cell):
            cell.metadata["course_folded"] = label
        cells.append(cell)
        said = [timed[heading] for heading, _ in SECTION.findall(cell.source) if heading in timed]
        if cell.cell_type == "markdown" and said:
            cells.append(_notes("\n\n".join(said), f"{cell.id}-notes"))
    nb.cells = cells
    exporter = SlidesExporter(
        extra_template_basedirs=[str(SLIDES.parent)],
        extra_template_paths=[str(SLIDES.parent)],  # for html/parts.html.j2
        template_name=SLIDES.name,
        embed_images=True,
        mathjax_url=MATHJAX,
        reveal_url_prefix="reveal",
        reveal_theme="white",
    )
    texts = {"css": [HTML / "page.css", SLIDES / "deck.css"], "js": [HTML / "player.js", SLIDES / "deck.js"]}
    course = {kind: "\n".join(one.read_text(encoding="utf-8") for one in files) for kind, files in texts.items()}
    resources = {"metadata": {"name": name, "path": str(ROOT / "notebooks")}, "course": course}
    return exporter.from_notebook_node(nb, resources)[0]


def timing(text):
    """For each section of a guide that has minutes in class, what the speaker is told, as Markdown."""
    told, long, short = {}, 0, 0
    asked = questions(text)
    for row in plan(text):
        in_long = f"**{row.long} minutes** of 90, from {long} to {long + row.long}" if row.long else "at home, of 90"
        in_short = f"{row.short} of 50, from {short} to {short + row.short}" if row.short else "left out of 50"
        long, short = long + row.long, short + row.short
        lines = [f"{in_long}; {in_short}. {row.done}"]
        number = row.name.partition(".")[0]
        lines += [f"**Ask:** {one.text} *{one.answer}*" for one in asked if str(one.section) == number]
        told[row.name] = "\n\n".join(lines)
    return told


def _notes(text, identity):
    return nbformat.v4.new_markdown_cell(text, id=identity, metadata={"slideshow": {"slide_type": "notes"}})


def _fold(cell):
    """The line behind which the code is folded, where a class needn't see it: it draws a figure, or says so itself."""
    if cell.metadata.get("jupyter", {}).get("source_hidden"):
        return cell.source.partition("\n")[0].lstrip("# ")
    if not any("image/png" in output.get("data", {}) for output in cell.outputs):
        return None
    live = " (in JupyterLab its sliders move)" if re.search(r"^interactive\(", cell.source, re.MULTILINE) else ""
    return f"Code{live}: {' '.join(cell.source.split())}"  # the style sheet cuts it where the line ends


def export(path, to=TO):
    """Write the deck of one notebook into the folder `to`; its path."""
    path, to = Path(path), Path(to)
    to.mkdir(parents=True, exist_ok=True)
    mathjax(to)
    package = Path(importlib.util.find_spec("pyreveal").origin).parent / "revealjs"
    for name in REVEAL:
        copy = to / "reveal" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(package / name, copy)
    return write(to / f"{path.stem}.html", deck(read(path), path.stem, guide(path.stem)))


def main(arguments=None):
    """Export the notebooks named, or all."""
    parser = argparse.ArgumentParser(description="Export the lessons to reveal.js decks that need no network.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a path, or the beginning of a notebook's name")
    for path in lessons(parser.parse_args(arguments).names):
        done = export(path)
        print(f"{done.relative_to(ROOT).as_posix()}: {done.stat().st_size / 1e6:.1f} MB")
    print("Copy the whole folder build/slides; the speaker's view opens with the key S.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Export the lessons to pages that need no kernel: ``make html``, or ``python tools/export_html.py [NAME …]``.

Each becomes build/html/NAME.html: pictures inside, real alt text (nbconvert 7.17 leaves it out), a player for every
filmstrip, solutions that open on a click. Mathematics is set by MathJax, which lies beside the pages in
build/html/mathjax, copied from the package jupyter_server_mathjax: nothing comes from the network.
"""

import argparse
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from jupyter_server_mathjax.app import STATIC_ASSETS_PATH
from nbconvert import HTMLExporter

from tools.notebooks import ROOT, chosen

HTML = Path(__file__).resolve().parent / "html"
TO = ROOT / "build" / "html"
MATHJAX = "mathjax/MathJax.js?config=TeX-AMS-MML_HTMLorMML-full,Safe"


def page(nb, name):
    """The notebook as the text of one HTML page."""
    exporter = HTMLExporter(
        extra_template_basedirs=[str(HTML.parent)],
        extra_template_paths=[str(HTML.parent)],  # for html/parts.html.j2
        template_name=HTML.name,
        embed_images=True,
        mathjax_url=MATHJAX,
    )
    nb = nbformat.from_dict(nb)
    nb.metadata.pop("widgets", None)
    nb.metadata.setdefault("title", title(nb) or name)
    for cell in nb.cells:
        if cell.cell_type == "markdown":  # from lesson to lesson
            cell.source = re.sub(r"(\]\([\w./-]+)\.ipynb(?=[)#])", r"\1.html", cell.source)
    course = {"css": _text("page.css"), "js": _text("player.js")}
    resources = {"metadata": {"name": name, "path": str(ROOT / "notebooks")}, "course": course}
    text = exporter.from_notebook_node(nb, resources)[0]
    return text.replace("<th></th>", "<td></td>")  # Markdown has no table without a header; a screen reader tells it


def export(path, to=TO):
    """Write the page of one notebook into the folder `to`; its path."""
    path, to = Path(path), Path(to)
    to.mkdir(parents=True, exist_ok=True)
    nb = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
    mathjax(to)
    return write(to / f"{path.stem}.html", page(nb, path.stem))


def mathjax(to):
    """Put the installed copy of MathJax into the folder `to`, unless it is there."""
    copy = to / "mathjax"
    if not (copy / "MathJax.js").exists():
        with tempfile.TemporaryDirectory(dir=to) as temporary:
            unused = shutil.ignore_patterns("a11y", "localization")
            shutil.copytree(STATIC_ASSETS_PATH, Path(temporary) / "mathjax", ignore=unused)
            os.replace(Path(temporary) / "mathjax", copy)


def title(nb):
    """The title with which the notebook begins, or None."""
    first = next((cell.source for cell in nb.cells if cell.cell_type == "markdown"), "")
    match = re.match(r"#\s+(.+)", first)
    return match and match[1].strip()


def write(path, text):
    """Write the text of a page in one step; its path."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    os.chmod(temporary, 0o644)
    os.replace(temporary, path)
    return path


def _text(name):
    return (HTML / name).read_text(encoding="utf-8")


def main(arguments=None):
    """Export the notebooks named, or all."""
    parser = argparse.ArgumentParser(description="Export the lessons to HTML pages that need no kernel.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a path, or the beginning of a notebook's name")
    for path in chosen(parser.parse_args(arguments).names):
        done = export(path)
        print(f"{done.relative_to(ROOT)}: {done.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

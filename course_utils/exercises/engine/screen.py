"""Show a message in the notebook, as HTML and as plain text in one bundle.

Messages are plain sentences with code between backticks. The text has the colour of the theme; the bar
beside it says by colour what the title says in words and by a symbol. (JupyterLab's own `alert` boxes set
orange on orange.)
"""

from __future__ import annotations

import html
import re
import sys
from collections.abc import Sequence

BARS = {
    "right": "var(--jp-success-color1, #388e3c)",
    "wrong": "var(--jp-warn-color1, #f57c00)",
    "not attempted": "var(--jp-info-color1, #0097a7)",
    "note": "var(--jp-info-color1, #0097a7)",
}


def show(title: str, paragraphs: Sequence[str] = (), box: str = "note") -> None:
    """Display a title and paragraphs beside a bar of the kind `box` (a key of BARS)."""
    display("\n".join([title, *paragraphs]), as_html(title, paragraphs, box))


def display(text: str, markup: str, **others: object) -> None:
    """Display one bundle of text/plain, text/html and others; outside of IPython, print the text."""
    from IPython import get_ipython

    if get_ipython() is None:
        encoding = sys.stdout.encoding or "utf-8"  # a console may lack ✓
        print(text.encode(encoding, "replace").decode(encoding))
        return
    from IPython.display import display as show_bundle

    show_bundle({"text/plain": text, "text/html": markup} | others, raw=True)


def as_html(title: str, paragraphs: Sequence[str], box: str) -> str:
    """The box as HTML."""
    parts = "".join(f"<p>{inline(paragraph)}</p>" for paragraph in paragraphs)
    style = f"border-left: 0.3em solid {BARS[box]}; padding: 0.1em 1em;"
    return f'<div style="{style}"><p><strong>{inline(title)}</strong></p>{parts}</div>'


def inline(text: str) -> str:
    """`text` escaped for HTML, with what stands between backticks as code, and a *word* between stars emphasised."""
    pieces = re.split(r"`([^`]+)`", html.escape(text))  # outside and inside of backticks in turn
    pieces[::2] = [re.sub(r"(?<![\w*])\*(\w+)\*(?![\w*])", r"<em>\1</em>", piece) for piece in pieces[::2]]
    pieces[1::2] = [f"<code>{piece}</code>" for piece in pieces[1::2]]
    return "".join(pieces)

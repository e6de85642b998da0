"""What a class sees of an open notebook in JupyterLab's Presentation Mode: whether each idea has room on the screen."""

import re

from tests.browser.lab import scroll_to

# What is read from the top to the bottom, and may be longer than a screen.
LISTS = re.compile(r"^(## References|quiz\(|.*Markdown\(comparison_table)", re.MULTILINE | re.DOTALL)


def headings(nb):
    """The notebook's headings from the top, as they are read, without spaces."""
    text = "\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return [_plain(title) for title in re.findall(r"^#{1,6} (.+)$", text, re.MULTILINE)]


def contents(page):
    """The entries of JupyterLab's table of contents, without spaces."""
    page.evaluate("() => { jupyterapp.commands.execute('toc:show-panel') }")
    page.wait_for_selector(".jp-tocItem-content")
    page.wait_for_timeout(1000)
    entries = page.eval_on_selector_all(".jp-tocItem-content", "them => them.map(one => one.innerText)")
    page.evaluate("() => { jupyterapp.shell.collapseLeft() }")
    return [_plain(entry) for entry in entries]


def complaints(page, nb, picture):
    """Switch Presentation Mode on, go through the cells, switch it off; a sentence on each cell that does not fit.

    ``nb``: what the page shows, run. ``picture(page, name)`` keeps a screenshot of each figure and of each misfit.
    """
    _toggle(page)
    view = page.evaluate("jupyterapp.shell.currentWidget.content.node.getBoundingClientRect().height")
    found = []
    for index, cell in enumerate(nb.cells):
        scroll_to(page, index)
        seen = page.evaluate(MEASURE, index)
        said = list(_misfits(cell, seen, view)) if not LISTS.search(cell.source) else []
        found += [f"cell {index} ({cell.id}) {one}" for one in said]
        if said or seen["right"] or index == 0:
            if seen["right"]:  # the figure, not the code above it
                page.evaluate(SHOW, index)
                page.wait_for_timeout(200)
            picture(page, f"presented-{index:02d}")
    _toggle(page)
    return found


MEASURE = """index => {
    const node = jupyterapp.shell.currentWidget.content.widgets[index].node;
    const box = one => one.getBoundingClientRect();
    const editor = node.querySelector('.jp-InputArea-editor');
    const outputs = node.querySelector('.jp-Cell-outputWrapper');
    return {
        height: box(node).height,
        outputs: outputs ? box(outputs).height : 0,
        right: Math.max(0, ...[...node.querySelectorAll('.jp-OutputArea img')].map(one => box(one).right)),
        label: editor && box(editor).height > 0 ? null : node.querySelector('.jp-Placeholder')?.innerText ?? null,
        width: innerWidth,
    };
}"""
SHOW = """index => jupyterapp.shell.currentWidget.content.widgets[index].node
    .querySelector('.jp-Cell-outputWrapper').scrollIntoView()"""


def _misfits(cell, seen, view):
    if cell.cell_type == "markdown":
        if seen["height"] > view:
            yield f"is {seen['height']:.0f} pixels high, the screen {view:.0f}: split it"
        return
    if seen["outputs"] > view:
        yield f"has outputs of {seen['outputs']:.0f} pixels, the screen {view:.0f}"
    if seen["right"] > seen["width"]:
        yield "has a picture wider than the screen"
    if cell.metadata.get("jupyter", {}).get("source_hidden"):
        first = cell.source.partition("\n")[0].lstrip("# ")
        if first not in (seen["label"] or ""):
            yield f"is to be folded behind {first!r}; to be seen is {seen['label']!r}"


def _toggle(page):
    page.evaluate("() => { jupyterapp.commands.execute('application:toggle-presentation-mode') }")
    page.wait_for_timeout(500)


def _plain(title):
    """A heading without what marks emphasis, code and mathematics, and without spaces."""
    return re.sub(r"[\s*`$\\{}]", "", title)

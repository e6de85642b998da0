"""A small lesson made in code: a picture, an interactive figure, a player, a solution, an unstable output."""

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

DRAW = """
# A bell curve, and what draws it
import numpy as np

from course_utils.figures import drawing, figure, interactive, line, player, show

x = np.linspace(-4, 4, 161)


@drawing
def bell(mean=0.0, spread=1.0, width=6.0, height=3.4):
    fig, ax = figure(width=width, height=height)
    density = np.exp(-((x - mean) ** 2) / (2 * spread**2)) / (spread * np.sqrt(2 * np.pi))
    ax.plot(x, density, **line(0))
    ax.set(xlabel="x in cm", ylabel="density", ylim=(0, 1))
    peak = density.max()
    return fig, f"Normal density with mean {mean:.1f} cm, spread {spread:.1f} cm and peak {peak:.2f} per cm."
"""


def lesson():
    """The fixture notebook, not yet executed."""
    cells = [
        new_markdown_cell(
            "# A small lesson\n\nThe density is $p(x) = \\frac{1}{\\sigma\\sqrt{2\\pi}} e^{-(x-\\mu)^2/2\\sigma^2}$."
        ),
        new_code_cell(DRAW.strip()),
        new_markdown_cell("## A picture"),
        new_code_cell("show(*bell(mean=1.0))"),
        new_markdown_cell("## A figure that moves"),
        new_code_cell(
            "interactive(\n"
            "    bell,\n"
            '    mean=(-3.0, 3.0, 0.1, 0.0, "mean", "cm"),\n'
            '    spread=(0.4, 2.0, 0.1, 1.0, "spread", "cm"),\n'
            ")"
        ),
        new_markdown_cell("## A history"),
        new_code_cell(
            "means = np.linspace(-2, 2, 9)\n"
            "player(\n"
            "    lambda mean: bell(mean, width=3.4, height=2.6),\n"
            "    means,\n"
            '    labels=[f"step {k}" for k in range(9)],\n'
            ")"
        ),
        new_markdown_cell("## An exercise"),
        new_code_cell("# Solution: the sum of the first hundred numbers\nsum(range(101))"),
        new_code_cell("import os\n\nprint(os.getpid())"),
    ]
    cells[1].metadata = {"jupyter": {"source_hidden": True}}
    cells[-2].metadata = {"tags": ["solution"], "jupyter": {"source_hidden": True}}
    cells[-1].metadata = {"tags": ["nbval-ignore-output"], "trusted": True}
    for number, cell in enumerate(cells):
        cell.id = f"fixture-{number}"
    return new_notebook(cells=cells)

"""Boxes with words in them, and arrows between them: what the pictures of networks are drawn from."""

from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from course_utils.figures.style import INK


def box(ax, x, y, width, height, words="", *, edge=INK, face="white", color=INK, size=12, rounding=0.8, linewidth=1.8):
    """A box with round corners about (x, y), perhaps with words in its middle."""
    corner = (x - width / 2, y - height / 2)
    shape, style = f"round,pad=0,rounding_size={rounding}", {"facecolor": face, "edgecolor": edge}
    ax.add_patch(FancyBboxPatch(corner, width, height, boxstyle=shape, linewidth=linewidth, **style))
    if words:
        ax.text(x, y, words, ha="center", va="center", fontsize=size, color=color)


def arrow(ax, start, end, *, color=INK, linewidth=1.6, **style):
    """An arrow from point to point; ``style`` goes to matplotlib's FancyArrowPatch."""
    look = {"arrowstyle": "-|>", "mutation_scale": 12, "shrinkA": 0, "shrinkB": 0} | style
    ax.add_patch(FancyArrowPatch(start, end, color=color, linewidth=linewidth, **look))

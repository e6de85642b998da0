"""Figures: one style, one way to show, and interactive versions from the same drawing functions.

A drawing function returns ``(fig, caption)``: a figure made by `figure`, and one sentence made from the
numbers in it. ``show(*draw(...))`` displays it, ``interactive(draw, **controls)`` lets sliders redraw it, and
``player(draw, frames)`` plays a history of it.
"""

from course_utils.figures.interactive import interactive
from course_utils.figures.player import player
from course_utils.figures.show import png, show
from course_utils.figures.style import (
    GREY,
    INK,
    LOOKS,
    OPTIMUM,
    bars,
    between,
    drawing,
    figure,
    line,
    points,
    shades,
)

__all__ = [
    "GREY",
    "INK",
    "LOOKS",
    "OPTIMUM",
    "bars",
    "between",
    "drawing",
    "figure",
    "interactive",
    "line",
    "player",
    "png",
    "points",
    "shades",
    "show",
]

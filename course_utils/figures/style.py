"""The one style of all figures: colours, markers, sizes; and figures made without pyplot.

The colours are those of Okabe and Ito (2008, https://jfly.uni-koeln.de/color/) that have a contrast of at
least 3:1 to white (WCAG 2.2, 1.4.11), and a dark olive. tests/figures/test_style.py measures the contrast,
and that each pair stays apart under simulated protanopia, deuteranopia and tritanopia.
"""

import functools
from dataclasses import dataclass

import matplotlib
import matplotlib.style
from cycler import cycler
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

INK = "#222222"  # text, axes, and the known optimum
GREY = "#6E6E6E"  # what stands in the background: unlabelled data, guide lines
PAPER = "#FFFFFF"  # opaque, so that a figure reads in the dark theme too


@dataclass(frozen=True)
class Look:
    """How one class, or one model, is drawn: never by its colour alone."""

    name: str
    color: str
    marker: str
    linestyle: str | tuple
    hatch: str


LOOKS = (
    Look("blue", "#0072B2", "o", "-", "//"),
    Look("vermillion", "#D55E00", "^", "--", "\\\\"),
    Look("green", "#009E73", "s", "-.", ".."),
    Look("purple", "#CC79A7", "D", (0, (1, 1)), "xx"),
    Look("olive", "#454E0A", "v", (0, (5, 1, 1, 1, 1, 1)), "++"),
)
OPTIMUM = Look("optimum", INK, "*", (0, (6, 2)), "")

DPI = 96  # one point of type is one CSS point on the screen
SHARP = 2  # device pixels for each CSS pixel, for projectors and dense screens
WIDTH, HEIGHT = 8.0, 4.5  # inches: 768 x 432 CSS pixels, which fits JupyterLab on a 1280 x 720 screen

STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that every machine draws the same letters
    "mathtext.fontset": "dejavusans",
    "font.size": 13,
    "axes.titlesize": 14,
    "axes.labelsize": 13,
    "xtick.labelsize": 12,
    "ytick.labelsize": 12,
    "legend.fontsize": 12,
    "legend.title_fontsize": 12,
    "figure.titlesize": 15,
    "figure.dpi": DPI,
    "figure.figsize": (WIDTH, HEIGHT),
    "figure.facecolor": PAPER,
    "figure.constrained_layout.w_pad": 0.08,
    "figure.constrained_layout.h_pad": 0.06,
    "savefig.dpi": "figure",
    "savefig.facecolor": PAPER,
    "savefig.transparent": False,
    "axes.facecolor": PAPER,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=[look.color for look in LOOKS], linestyle=[look.linestyle for look in LOOKS]),
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": "#DDDDDD",
    "lines.linewidth": 2.2,
    "lines.markersize": 7,
    "hatch.linewidth": 0.8,
    "legend.frameon": True,
    "legend.framealpha": 0.9,
    "legend.edgecolor": "#DDDDDD",
    "image.cmap": "cividis",
}


def style():
    """The style as a context: matplotlib's own defaults and STYLE over them, whatever the user has set.

    Use: ``with style(): ...``. Parameters that matplotlib reads late (line widths, legends) need it around
    the drawing; `drawing` puts it around a whole function.
    """
    return matplotlib.style.context(STYLE, after_reset=True)


def drawing(draw):
    """Decorator: the function draws under the course's style."""

    @functools.wraps(draw)
    def styled(*args, **kwargs):
        with style():
            return draw(*args, **kwargs)

    return styled


def figure(nrows=1, ncols=1, *, width=WIDTH, height=HEIGHT, **kwargs):
    """A figure and its axes, made without pyplot, so that nothing is shown or kept alive unasked.

    Parameters
    ----------
    nrows, ncols : int
    width, height : float
        Inches at the size shown; one inch is 96 CSS pixels.
    **kwargs
        For `Figure.subplots`: sharex, sharey, squeeze, width_ratios, height_ratios, subplot_kw, gridspec_kw.

    Returns
    -------
    fig : matplotlib.figure.Figure
        With constrained layout.
    axes : Axes or array of Axes
        As `matplotlib.pyplot.subplots` returns them.
    """
    with style():
        fig = Figure(figsize=(width, height), layout="constrained")
        return fig, fig.subplots(nrows, ncols, **kwargs)


def line(k):
    """Keywords of ``ax.plot`` for a curve of class `k`: colour and line style."""
    look = _look(k)
    return {"color": look.color, "linestyle": look.linestyle}


def points(k, *, filled=True):
    """Keywords of ``ax.scatter`` for points of class `k`: colour and marker; hollow ones for sampled data."""
    look = _look(k)
    if filled:
        return {"c": look.color, "marker": look.marker, "edgecolors": PAPER, "linewidths": 0.5}
    return {"facecolors": "none", "marker": look.marker, "edgecolors": look.color, "linewidths": 1.3}


def bars(k):
    """Keywords of ``ax.bar`` and ``ax.fill_between`` for class `k`: colour and hatching."""
    look = _look(k)
    return {"facecolor": look.color, "edgecolor": PAPER, "hatch": look.hatch}


def shades(k):
    """Colour map from white (0) to the colour of class `k` (1), for a density."""
    return LinearSegmentedColormap.from_list(f"course_{_look(k).name}", [PAPER, _look(k).color])


def between(j=0, k=1):
    """Colour map from class `j` (0) over white (½) to class `k` (1), for a posterior probability."""
    ends = [_look(j), _look(k)]
    name = f"course_{ends[0].name}_{ends[1].name}"
    return LinearSegmentedColormap.from_list(name, [ends[0].color, PAPER, ends[1].color])


def _look(k):
    if isinstance(k, Look):
        return k
    if not 0 <= k < len(LOOKS):
        raise ValueError(f"k must be a class from 0 to {len(LOOKS) - 1}, or a Look; got {k!r}")
    return LOOKS[k]

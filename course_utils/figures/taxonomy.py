"""Goodfellow's tree of generative models (2017), with the lessons in it and what has grown since."""

from course_utils.figures.style import GREY, INK, LOOKS, drawing, figure

# (name, lessons, x, y, parent, kind); x and y in a 100 × 60 field. Kinds: "branch", "leaf", "since" (after 2017).
NODES = {
    "likelihood": ("maximum likelihood", "", 56, 57, None, "branch"),
    "explicit": ("explicit density\np(x) is written down", "", 35, 46, "likelihood", "branch"),
    "implicit": ("implicit density\nonly samples come out", "", 85, 46, "likelihood", "branch"),
    "tractable": ("tractable", "", 19.8, 35, "explicit", "branch"),
    "approximate": ("approximate", "", 53, 35, "explicit", "branch"),
    "direct": ("in one step", "", 78, 35, "implicit", "branch"),
    "chain": ("Markov chain", "", 93, 35, "implicit", "branch"),
    "classical": (
        "Gaussian classes,\ntheir linear and\nnaive forms",
        "lessons 1, 2, 3",
        8.6,
        20.5,
        "tractable",
        "leaf",
    ),
    "autoregressive": ("autoregressive:\nTransformer, GPT", "lessons 6, 8", 31, 20.5, "tractable", "leaf"),
    "flows": ("change of\nvariables (flows)", "", 19.8, 4, "tractable", "leaf"),
    "variational": ("variational:\nVAE", "lesson 5", 46.5, 20.5, "approximate", "leaf"),
    "boltzmann": ("Markov chain:\nBoltzmann m.", "", 61.5, 20.5, "approximate", "leaf"),
    "diffusion": ("diffusion,\nscore-based", "grown since", 46.5, 4, "variational", "since"),
    "energy": ("deep energy-\nbased", "grown since", 61.5, 4, "boltzmann", "since"),
    "gan": ("GAN", "lesson 4", 77.3, 20.5, "direct", "leaf"),
    "gsn": ("generative\nstochastic\nnetwork", "", 93, 20.5, "chain", "leaf"),
}
BERT = ("BERT: lesson 7", "outside the tree: a conditional for\neach masked token, and no p(x)", 86.5, 4)


LINE = 2.5  # height of a line of text, in units of the axes


@drawing
def taxonomy():
    """The tree as a figure, (fig, caption)."""
    fig, ax = figure(width=11, height=4.8)
    ax.set_axis_off()
    ax.set(xlim=(-1, 101), ylim=(-1, 60))
    for name, lessons, x, y, parent, kind in NODES.values():
        if parent:
            above = NODES[parent]
            ends = [x, above[2]], [y + _size(name, lessons)[1] / 2, above[3] - _size(*above[:2])[1] / 2]
            ax.plot(*ends, color=GREY, linewidth=1.3, linestyle="--" if kind == "since" else "-", zorder=1)
        _box(ax, x, y, name, lessons, kind)
    name, why, x, y = BERT
    ax.text(x, y + 2.6, name, ha="center", va="center", fontsize=12, weight="bold", color=INK, zorder=3)
    ax.text(x, y - 1.4, why, ha="center", va="center", fontsize=11, color=INK, zorder=3)
    ax.add_patch(_rounded(x - 14, y - 4.4, 28, 8.8, {"facecolor": "white", "edgecolor": GREY, "linestyle": ":"}))

    def told(kind):
        chosen = [node for node in NODES.values() if node[5] == kind and node[1]]
        return [f"{node[0].replace('-' + chr(10), '-').replace(chr(10), ' ')} ({node[1]})" for node in chosen]

    taught, since = told("leaf"), told("since")
    caption = (
        f"The tree of generative models after Goodfellow (2017). Explicit densities stand on the left, implicit ones "
        f"on the right; {len(taught)} leaves are taught here: {'; '.join(taught)}. Since then: {'; '.join(since)}. "
        f"BERT (lesson 7) stands outside."
    )
    return fig, caption


def _box(ax, x, y, name, lessons, kind):
    styles = {
        "branch": {"facecolor": "white", "edgecolor": "none"},
        "leaf": {
            "facecolor": "#E8F1F8" if lessons else "white",
            "edgecolor": LOOKS[0].color if lessons else GREY,
        },
        "since": {"facecolor": "#FFF4E5", "edgecolor": LOOKS[1].color, "linestyle": "--"},
    }
    width, height = _size(name, lessons)
    ax.add_patch(_rounded(x - width / 2, y - height / 2, width, height, {**styles[kind], "linewidth": 1.4}))
    shift = LINE / 2 if lessons else 0.0
    ax.text(x, y + shift, name, ha="center", va="center", fontsize=11.5, color=INK, zorder=3)
    if lessons:
        below = y - height / 2 + 0.5 + LINE / 2
        color = LOOKS[1].color if kind == "since" else LOOKS[0].color
        ax.text(x, below, lessons, ha="center", va="center", fontsize=11.5, weight="bold", color=color, zorder=3)


def _size(name, lessons):
    """Width and height of a box in units of the axes."""
    lines = [*name.split("\n"), *([lessons] if lessons else [])]
    return 0.88 * max(map(len, lines)) + 2.2, LINE * len(lines) + 1.0


def _rounded(x, y, width, height, style):
    from matplotlib.patches import FancyBboxPatch

    return FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0,rounding_size=0.8", zorder=2, **style)

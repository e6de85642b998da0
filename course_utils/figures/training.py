"""Training: a bar and the losses while it runs, and the losses when it has ended."""

import html
import time

import ipywidgets as widgets
import numpy as np

from course_utils.figures.interactive import Picture, publish_with
from course_utils.figures.show import css_width, png
from course_utils.figures.style import drawing, figure, line

BESIDE = ("step", "rate", "seconds")  # what a line of the log holds besides losses and measures
PAUSE = 0.5  # seconds between two drawings, at least
SHARE = 0.05  # of the time that drawing may take


@drawing
def losses(history):
    """Each loss, and each measure on the test set, against steps.

    ``history``: name → (intervals,), as ``train`` gives it. The axis is logarithmic where all are positive and differ
    tenfold.
    """
    fig, ax = figure(width=8.0, height=3.6)
    steps, told, seen = np.asarray(history["step"]), [], []
    for k, name in enumerate(name for name in history if name not in BESIDE):
        values = np.asarray(history[name], dtype=float)
        there = np.isfinite(values)
        if not there.any():
            continue
        sparse = there.sum() < len(values)
        ax.plot(steps[there], values[there], label=name, marker="o" if sparse else None, markersize=5, **line(k))
        told.append(f"{name} {values[there][0]:.3g} → {values[there][-1]:.3g}")
        seen.append(values[there])
    every = np.concatenate(seen)
    if every.min() > 0 and every.max() > 10 * every.min():
        ax.set_yscale("log")
    ax.set(xlabel="step", ylabel="mean since the point before")
    ax.legend()
    return fig, f"Training from step {steps[0]:.0f} to {steps[-1]:.0f}: {', '.join(told)}."


class Live:
    """``train(recipe, config, watch=Live())``: a bar with loss, rate and time left, and the losses, redrawn in place.

    The picture is redrawn at most twice a second, and less often where drawing would take more than a twentieth of the
    time. Stored in a notebook it is one line of text, the same in every run.
    """

    def __init__(self):
        self.bar = widgets.IntProgress(min=0, layout=widgets.Layout(width="24em"))
        self.text = widgets.HTML()
        self.image = Picture(b"", 0)
        self.image.layout.display = "none"  # until there is something to see
        top = widgets.Box([self.bar, self.text], layout=widgets.Layout(flex_flow="row wrap"))
        self.box = widgets.VBox([top, self.image], layout=widgets.Layout(align_items="flex-start"))
        self._start = self._next = None

    def __call__(self, lines, steps, stopped=None):
        """Show the lines of the log so far; the first call displays the view."""
        now = time.monotonic()
        done = lines[-1]["step"] if lines else 0
        if self._start is None:
            self.bar.max, self._start, self._next = steps, (now, done), now + PAUSE
            publish_with(self.box, {"text/plain": "[training] Live, a bar and the losses stand here."}, {})
        self.bar.value = done
        ended = stopped is not None or done >= steps
        if stopped is not None:
            self.bar.bar_style = "warning"
        elif ended:
            self.bar.bar_style = "success"
        self.text.value = html.escape(self._told(lines, steps, done, stopped, now))
        if len(lines) > 1 and (ended or now >= self._next):
            self._draw(lines)

    def _told(self, lines, steps, done, stopped, now):
        """Step of steps, the last line's numbers, and the time that is left at the speed so far."""
        numbers = lines[-1] if lines else {}
        told = [
            f"step {done} of {steps}",
            *(f"{k} {v:.3g}" for k, v in numbers.items() if k not in ("step", "seconds")),
        ]
        began, first = self._start
        if stopped is not None:
            told.append(f"stopped by {stopped}; the model is as the last step left it")
        elif done >= steps:
            told.append(f"done in {now - began:.0f} s")
        elif done > first:
            told.append(f"{(now - began) * (steps - done) / (done - first):.0f} s left")
        return ", ".join(told)

    def _draw(self, lines):
        began = time.monotonic()
        names = dict.fromkeys(name for one in lines for name in one)
        fig, caption = losses({name: np.array([one.get(name, np.nan) for one in lines]) for name in names})
        self.image.value = png(fig)
        self.image.layout.width, self.image.layout.display = f"{css_width(fig)}px", None
        self.image.tooltip = caption
        ended = time.monotonic()
        self._next = ended + max(PAUSE, (ended - began) / SHARE)

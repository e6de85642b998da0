"""Training: a bar and the losses while it runs, and the losses when it has ended."""

import html
import time

import ipywidgets as widgets
import numpy as np
from matplotlib.ticker import LogLocator, NullLocator

from course_utils.figures.interactive import Picture, publish_with
from course_utils.figures.show import css_width, png
from course_utils.figures.style import LOOKS, drawing, figure, line

BESIDE = ("step", "rate", "seconds")  # what a line of the log holds besides losses and measures
LABEL = "[live] A progress bar and the losses, drawn while the training runs."
LOGARITHMIC = 5  # times the lowest value, beyond which the axis is logarithmic
MARKED = 25  # a curve of more points has no markers
PAUSE = 0.5  # seconds between two views, at least
SHARE = 0.05  # of the time that drawing may take
WORDS = {"SIGINT": "the stop button (SIGINT)"}  # what has stopped a run


@drawing
def losses(history, names=None):
    """The losses, and what ``evaluate`` found, against steps.

    The axis is logarithmic where all values are positive and differ more than fivefold.

    Parameters
    ----------
    history : dict, name → (intervals,) array, as ``train`` gives it; NaN where there is no such number
    names : sequence of str, which of them to draw, at most five; by default the first five

    Raises
    ------
    ValueError
        If there are more names, one that the history has not, or no value at all.
    """
    known = [name for name in history if name not in BESIDE]
    names = known[: len(LOOKS)] if names is None else list(names)
    if not set(names) <= set(known) or len(names) > len(LOOKS):
        raise ValueError(f"names must be at most {len(LOOKS)} of {', '.join(known) or 'none yet'}; got {names}")
    curves = {name: (np.asarray(history["step"]), np.asarray(history[name], dtype=float)) for name in names}
    curves = {name: (steps[np.isfinite(y)], y[np.isfinite(y)]) for name, (steps, y) in curves.items()}
    curves = {name: (steps, y) for name, (steps, y) in curves.items() if len(y)}
    if not curves:
        raise ValueError("history holds no losses: no interval has ended")
    fig, ax = figure(height=3.4)
    # the same margins whatever the numbers, so that nothing jumps from one drawing to the next; quicker, too
    ax.set_position((0.12, 0.18, 0.86, 0.75))
    told = []
    for k, (name, (steps, y)) in enumerate(curves.items()):
        ax.plot(steps, y, label=name, marker=LOOKS[k].marker if len(y) <= MARKED else None, **line(k))
        told.append(f"{name} from {_number(y[0])} to {_number(y[-1])} (lowest {_number(y.min())})")
    every = np.concatenate([y for _, y in curves.values()])
    if every.min() > 0 and every.max() > LOGARITHMIC * every.min():
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if every.max() < 1000 * every.min() else (1,)))
        ax.yaxis.set_minor_locator(NullLocator())
        ax.yaxis.set_major_formatter("{x:g}")
    ax.set(xlabel="step", ylabel="loss" if all("loss" in name for name in curves) else "loss or measure")
    ax.legend(loc="upper right")
    first, last = (f"{history['step'][i]:.0f}" for i in (0, -1))
    return fig, f"Training, from step {first} to step {last}: {'; '.join(told)}."


class Live:
    """``train(recipe, config, watch=Live())``: a bar with loss, rate and time left, and the losses, redrawn in place.

    Bar and picture are renewed at most twice a second, the picture less often where drawing it would take more than a
    twentieth of the time. Each run that is watched has a view of its own. Stored in a notebook it is one line of text,
    the same in every run: show ``losses(trained.history)`` in the next cell.

    Parameters
    ----------
    names : sequence of str, which losses and measures to draw, at most five; by default the first five
    """

    def __init__(self, names=None):
        self.names = names
        self._lines = None

    def __call__(self, lines, steps, stopped=None):
        """Show the lines of the log so far; the first call of a run displays the view.

        Parameters
        ----------
        lines : list of dict, the same list in each call of one run
        steps : int, of the whole run
        stopped : None, or what has ended the run early: the name of a signal or of an error
        """
        done = lines[-1]["step"] if lines else 0
        now = time.perf_counter()
        if lines is not self._lines:
            self._open(lines, steps)
            self._start = self._next = now
            self._next_picture, self._first = now + PAUSE, done
        ended = stopped is not None or done >= steps
        if now < self._next and not ended:
            return
        self._next = now + PAUSE
        self.bar.value = done
        if ended:
            self.bar.bar_style = "warning" if stopped else "success"
        told = self._told(lines, steps, done, stopped, now - self._start)
        self.text.value = html.escape(told)
        self.bar.tooltip = told
        if lines and (ended or now >= self._next_picture):
            self._draw(lines, ended)

    def _open(self, lines, steps):
        self._lines, self._read, self._numbers = lines, 0, {}
        self.bar = widgets.IntProgress(min=0, max=steps, layout=widgets.Layout(width="24em"))
        self.text = widgets.HTML()
        self.image = Picture(b"", 0)
        self.image.layout.display = "none"  # until there is something to see
        # the text below the bar: beside it, it would be wrapped now and then, and the picture jump
        self.box = widgets.VBox([self.bar, self.text, self.image], layout=widgets.Layout(align_items="flex-start"))
        publish_with(self.box, {"text/plain": LABEL}, {})

    def _told(self, lines, steps, done, stopped, seconds):
        """How far the run is, the last that is known of each number, and the time that is left at the speed so far."""
        for one in lines[self._read :]:
            self._numbers |= {name: value for name, value in one.items() if name not in ("step", "seconds")}
        self._read = len(lines)
        told = [f"step {done} of {steps}", *(f"{name} {_number(value)}" for name, value in self._numbers.items())]
        if stopped is not None:
            told.append(f"stopped by {WORDS.get(stopped, stopped)}; the model is as the last step left it")
        elif done >= steps:
            told.append(f"done in {_duration(seconds)}")
        elif done > self._first and seconds > 0:
            speed = (done - self._first) / seconds
            told.append(f"{_number(speed)} steps/s")
            told.append(f"{_duration((steps - done) / speed)} left")
        return ", ".join(told)

    def _draw(self, lines, ended):
        began = time.perf_counter()
        names = dict.fromkeys(name for one in lines for name in one)
        try:
            fig, caption = losses({name: [one.get(name, np.nan) for one in lines] for name in names}, self.names)
            # while it runs each pixel once: twice as quick
            self.image.value = png(fig) if ended else png(fig, sharp=1)
        except Exception as error:  # told to the reader; a picture is no reason to end a training
            self.text.value += html.escape(f" (no picture: {type(error).__name__}: {error})")
        else:
            self.image.layout.width, self.image.layout.display = f"{css_width(fig)}px", None
            self.image.tooltip = caption
        now = time.perf_counter()
        self._next_picture = now + max(PAUSE, (now - began) / SHARE)


def _number(value):
    """Three digits, and no exponent where it can be read without."""
    return f"{value:.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"


def _duration(seconds):
    """Seconds in words that are read at a glance."""
    minutes = round(seconds) // 60
    if minutes < 2:
        return f"{seconds:.0f} s"
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"

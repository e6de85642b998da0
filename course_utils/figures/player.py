"""A history that can be played: live with play, pause and step; stored as a filmstrip on one sheet."""

import html
import io

import ipywidgets as widgets
from matplotlib.figure import Figure
from matplotlib.image import imread

from course_utils.figures.interactive import Picture, failed, publish_with
from course_utils.figures.show import described, picture, png, words
from course_utils.figures.style import DPI, INK, PAPER, SHARP, style

SHEET_WIDTH = 1056  # CSS pixels: what JupyterLab has beside its prompts on a 1280 pixel screen
ROWS = 4  # of the stored sheet
LIVE_WIDTH, LIVE_HEIGHT = 768, 400  # CSS pixels: a single frame, in view with its buttons
BAND = 26  # CSS pixels above each frame, for its label
SPEEDS = (0.5, 1, 2, 4)


def player(draw, frames, *, labels=None, columns=4, speed=2.0):
    """Display a history: ``player(draw, states, labels=[f"step {s}" for s in steps])``.

    Parameters
    ----------
    draw : callable
        Takes one frame, returns (fig, caption); every figure of the same size. Draw small: at most 2.7 inches
        wide for four frames in a row, 3.6 for three, 5.5 for two.
    frames : sequence
        What `draw` takes, in order.
    labels : sequence of str, optional
        One for each frame; "1 of 9" and so on by default.
    columns : int
        Most frames in a row of the stored sheet. There are fewer where the row would be wider than a screen.
    speed : float
        Frames a second.

    Raises
    ------
    ValueError
        If there are fewer than two frames, or labels do not fit them, or figures differ in size.
    Exception
        Whatever `draw` raises at a frame that is stored.

    Notes
    -----
    Live, every frame can be seen. The stored sheet has four rows at most: it holds all frames, or evenly
    chosen ones with the first and the last. Its metadata say how to cut it:
    ``filmstrip: {frames, columns, width, height, shown, speed, labels, captions}``, with the width and height
    of one frame and its label, and the width at which one is shown alone, in CSS pixels; tools/export_html.py
    makes a player of it.
    """
    Film(draw, frames, labels=labels, columns=columns, speed=speed).publish()


class Film:
    """The widgets of `player`, and what they show: `.slider`, `.play`, `.image`, `.text`, `.box`."""

    def __init__(self, draw, frames, *, labels=None, columns=4, speed=2.0):
        self.draw, self.frames, self.speed = draw, list(frames), speed
        n = len(self.frames)
        if n < 2:
            raise ValueError(f"frames must hold at least two frames, got {n}")
        self.labels = [f"{k + 1} of {n}" for k in range(n)] if labels is None else [str(one) for one in labels]
        if len(self.labels) != n:
            raise ValueError(f"labels must be as many as the {n} frames, got {len(self.labels)}")
        if not (isinstance(columns, int) and columns >= 1):
            raise ValueError(f"columns must be a whole number of at least 1, got {columns!r}")
        if not speed > 0:
            raise ValueError(f"speed must be a positive number of frames a second, got {speed!r}")
        self._kept = {}
        self._store(columns)
        self._build()

    def publish(self):
        """Display the player, then the caption: each live, and as it is stored."""
        publish_with(self.box, *self.stored)
        publish_with(self.text, *words(self.stored[1]["image/png"]["alt"]))

    def frame(self, k):
        """(PNG bytes, caption, (width, height) in CSS pixels) of frame `k`, drawn once."""
        if k not in self._kept:
            with style():
                fig, caption = self.draw(self.frames[k])
            size = tuple(round(inches * DPI) for inches in fig.get_size_inches())
            self._kept[k] = png(fig), described(caption), size
        return self._kept[k]

    def _store(self, columns):
        width, height = self.frame(0)[2]
        columns = max(1, min(columns, SHEET_WIDTH // width, len(self.frames)))
        chosen = evenly(len(self.frames), columns * ROWS)
        images, captions, sizes = zip(*(self.frame(k) for k in chosen), strict=True)
        if len(set(sizes)) > 1:
            raise ValueError(f"draw must give every frame the same size, got {sorted(set(sizes))} CSS pixels")
        labels = [self.labels[k] for k in chosen]
        # alone, a frame is shown larger than on the sheet: as large as its pixels and a projector allow
        shown = round(width * max(1, min(SHARP, LIVE_WIDTH / width, LIVE_HEIGHT / height)))
        n = len(self.frames)
        of = f"{n} frames" if len(chosen) == n else f"{len(chosen)} of {n} frames"
        alt = f"Filmstrip, {of}, from {labels[0]} to {labels[-1]}. The last: {captions[-1]}"
        strip = {
            "frames": len(chosen),
            "columns": columns,
            "width": width,
            "height": height + BAND,
            "shown": shown,
            "speed": self.speed,
            "labels": labels,
            "captions": list(captions),
        }
        image = sheet(images, labels, columns, width, height)
        self.stored = picture(image, alt, width=columns * width, filmstrip=strip)
        self.shown = shown

    def _build(self):
        last = len(self.frames) - 1
        interval = round(1000 / self.speed)
        self.play = widgets.Play(min=0, max=last, value=0, interval=interval, show_repeat=False)
        self.slider = widgets.IntSlider(
            min=0,
            max=last,
            value=0,
            description="frame",
            readout=False,
            style={"description_width": "initial"},
            layout=widgets.Layout(width="24em", max_width="100%"),
        )
        self.pace = widgets.Dropdown(
            options=[(f"{factor:g} ×", factor) for factor in SPEEDS],
            value=1,
            description="speed",  # a list without a name is nothing to a screen reader
            style={"description_width": "initial"},
            layout=widgets.Layout(width="9em"),
        )
        self.label = widgets.Label()
        self.image = Picture(b"", self.shown)
        self.text = widgets.HTML()
        # in the browser, so that the kernel's work never holds the clock up
        widgets.jslink((self.play, "value"), (self.slider, "value"))
        self.slider.observe(self._turn, names="value")
        self.pace.observe(self._hurry, names="value")
        steps = [self._button("◀ step", "one frame back", -1), self._button("step ▶", "one frame on", 1)]
        row = [self.play, *steps, self.slider, self.label, self.pace]
        buttons = widgets.Box(row, layout=widgets.Layout(flex_flow="row wrap"))
        self.box = widgets.VBox([buttons, self.image], layout=widgets.Layout(align_items="flex-start"))
        self._turn(None)

    def _button(self, description, tooltip, by):
        button = widgets.Button(description=description, tooltip=tooltip, layout=widgets.Layout(width="5em"))
        button.on_click(lambda _button: self.step(by))
        return button

    def step(self, by):
        """Stop, and turn `by` frames."""
        self.play.playing = False
        self.slider.value += by  # which the slider keeps within its ends

    def _hurry(self, _change):
        self.play.interval = round(1000 / (self.speed * self.pace.value))

    def _turn(self, _change):
        k = self.slider.value
        self.label.value = self.labels[k]
        try:
            self.image.value, caption, _ = self.frame(k)
        except Exception as error:  # told to the reader
            caption = failed(error)
        self.text.value = f"<em>{html.escape(caption)}</em>"
        self.image.tooltip = f"{self.labels[k]}: {caption}"


def evenly(n, most):
    """At most `most` of the indices 0 … n − 1, evenly spaced, with the first and the last."""
    if n <= most:
        return list(range(n))
    if most == 1:
        return [n - 1]
    return [round(k * (n - 1) / (most - 1)) for k in range(most)]


def sheet(images, labels, columns, width, height):
    """PNG bytes of the frames in rows, left to right, each under its label.

    Parameters
    ----------
    images : sequence of bytes
        PNG files of `width` × `height` CSS pixels.
    labels : sequence of str
    columns, width, height : int

    Returns
    -------
    bytes
        A PNG; frame k stands at column k % columns, row k // columns, in cells of width × (height + BAND).
    """
    rows = -(-len(images) // columns)
    total = rows * (height + BAND)
    with style():
        fig = Figure(figsize=(columns * width / DPI, total / DPI), facecolor=PAPER, dpi=DPI * SHARP)
        for k, (image, label) in enumerate(zip(images, labels, strict=True)):
            row, column = divmod(k, columns)
            top = total - row * (height + BAND)
            pixels = imread(io.BytesIO(image), format="png")
            fig.figimage(pixels, column * width * SHARP, (top - BAND) * SHARP - pixels.shape[0], origin="upper")
            fig.text((column + 0.5) / columns, (top - BAND / 2) / total, label, ha="center", va="center", color=INK)
    return png(fig)

"""A figure that sliders redraw: live it moves, stored it is a picture."""

import html
import math

import ipywidgets as widgets
from traitlets import Unicode

from course_utils.figures.show import css_width, described, picture, png, publish, words
from course_utils.figures.style import style

VIEW = "application/vnd.jupyter.widget-view+json"


def interactive(draw, **controls):
    """Display ``draw(**values)`` with its controls above it and its caption below.

    ``interactive(draw, mean=(-3.0, 3.0, 0.1, 0.0, "mean of class 1", "cm"), equal=widgets.Checkbox())``

    Parameters
    ----------
    draw : callable
        Takes one keyword for each control, returns (fig, caption).
    **controls : tuple or ipywidgets widget with a value
        A tuple is a slider: (min, max, step, value[, description[, unit]]); four ints make one for ints.

    Raises
    ------
    ValueError
        If a control is neither, or a tuple does not fit.
    Exception
        Whatever `draw` raises at the first values. Later, while a slider moves, an exception of `draw`
        is told in the caption, and the last picture stays.

    Notes
    -----
    No Output widget and no `interact`: their outputs differ from run to run, so strict nbval refuses them.
    """
    Panel(draw, **controls).publish()


class Panel:
    """The widgets of `interactive`, and what they show: `.controls`, `.caption`, `.image`, `.box`."""

    def __init__(self, draw, **controls):
        self.draw = draw
        self.controls = {name: control(name, given) for name, given in controls.items()}
        fig, caption = self._drawn()
        self.caption = described(caption)
        image, width = png(fig), css_width(fig)
        self.stored = picture(image, self.caption, width=width)
        self.image = Picture(image, width)
        self.text = widgets.HTML()
        self._tell(self.caption)
        # two sliders in a row where there is room, so that a projector shows them and the picture at once
        knobs = widgets.Box([*self.controls.values()], layout=widgets.Layout(flex_flow="row wrap"))
        # a box stretches its children to its own width unless told otherwise
        self.box = widgets.VBox([knobs, self.image], layout=widgets.Layout(align_items="flex-start"))
        for widget in self.controls.values():
            widget.observe(self._redraw, names="value")

    def values(self):
        """The value of each control, by name."""
        return {name: widget.value for name, widget in self.controls.items()}

    def publish(self):
        """Display the picture with its controls, then the caption: each live, and as it is stored."""
        publish_with(self.box, *self.stored)
        publish_with(self.text, *words(self.stored[1]["image/png"]["alt"]))

    def _drawn(self):
        with style():
            return self.draw(**self.values())

    def _redraw(self, _change):
        # While a slider moves, the browser holds the next value back until the kernel is done with the last,
        # and then sends only the newest: values in between are dropped there, and no queue grows here.
        try:
            fig, caption = self._drawn()
            image = png(fig)
            self.caption = described(caption)
        except Exception as error:  # told to the reader, who has moved the slider there
            self._tell(failed(error))
            return
        self.image.value = image
        self.image.layout.width = f"{css_width(fig)}px"
        self._tell(self.caption)

    def _tell(self, sentence):
        self.text.value = f"<em>{html.escape(sentence)}</em>"
        self.image.tooltip = sentence


def control(name, given):
    """The widget for one keyword of `interactive`."""
    if isinstance(given, widgets.Widget):
        if not given.has_trait("value"):
            raise ValueError(f"control {name!r} must be a widget with a value, got {type(given).__name__}")
        return given
    if not isinstance(given, tuple) or not 4 <= len(given) <= 6:
        raise ValueError(
            f"control {name!r} must be a widget or a tuple (min, max, step, value[, description[, unit]]), "
            f"got {given!r}"
        )
    defaults = (name.replace("_", " "), "")
    low, high, step, value, description, unit = given + defaults[len(given) - 4 :]
    if not low <= value <= high or step <= 0:
        raise ValueError(f"control {name!r} needs min <= value <= max and step > 0, got {given!r}")
    whole = all(isinstance(number, int) for number in (low, high, step, value))
    decimals = max(0, math.ceil(-math.log10(step) - 1e-9))
    return (widgets.IntSlider if whole else widgets.FloatSlider)(
        value=value,
        min=low,
        max=high,
        step=step,
        description=f"{description} ({unit})" if unit else description,
        readout_format="d" if whole else f".{decimals}f",
        style={"description_width": "13em"},
        layout=widgets.Layout(width="38em", max_width="100%"),
    )


class Picture(widgets.Image):
    """A PNG, `width` CSS pixels wide or as wide as its column; its tooltip is its description.

    The Image widget has no alt text; a tooltip becomes the title of the <img>, which a screen reader takes
    instead. In ipywidgets 8.1 the view of a widget with a tooltip reads its `description` and fails where
    there is none, as in Image.
    """

    description = Unicode("").tag(sync=True)

    def __init__(self, image, width):
        layout = widgets.Layout(width=f"{width}px", max_width="100%", height="auto")
        super().__init__(value=image, format="png", layout=layout)


def publish_with(widget, data, metadata):
    """Publish one bundle that is `widget` where there is a kernel, and `data` where there is none."""
    publish({VIEW: {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}, **data}, metadata)


def failed(error):
    """What the caption says when `draw` raises."""
    return (
        f"There is no picture for these values ({type(error).__name__}: {error}); "
        "the one above is the last that was drawn."
    )

"""Show a figure with a description: as alt text, as its text form, and as a caption that is seen."""

import base64
import io
import re

from matplotlib.backends.backend_agg import FigureCanvasAgg

from course_utils.figures.style import DPI, SHARP, style

SHORTEST = 20  # characters: less than this describes no figure


def png(fig, *, sharp=SHARP):
    """The figure as the bytes of a PNG file; figures drawn alike give the same bytes.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    sharp : float
        Pixels of the file for each CSS pixel of the screen.
    """
    target, dpi = io.BytesIO(), fig.dpi
    fig.dpi = DPI * sharp
    try:
        with style():
            # savefig would draw it twice where there is a layout to find, and write its version into the file
            FigureCanvasAgg(fig).print_png(target, metadata={"Software": None})
    finally:
        fig.dpi = dpi
    return target.getvalue()


def show(fig, caption):
    """Display `fig`, then `caption` below it: ``show(*draw(...))``.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    caption : str
        One sentence made from the numbers drawn; it is the alt text as well.

    Raises
    ------
    TypeError, ValueError
        If the caption is no text, or too short to describe a figure.
    """
    caption = described(caption)
    publish(*picture(png(fig), caption, width=css_width(fig)))
    publish(*words(caption))


def described(caption):
    """`caption` on one line; TypeError if it is no text, ValueError if it is too short for one."""
    if not isinstance(caption, str):
        raise TypeError(f"caption must be a sentence (str), got {type(caption).__name__}")
    caption = " ".join(caption.split())
    if len(caption) < SHORTEST:
        raise ValueError(f"caption must describe the figure, in {SHORTEST} characters or more, got {caption!r}")
    return caption


def css_width(fig):
    """Width at which a figure is shown, in CSS pixels."""
    return round(fig.get_figwidth() * DPI)


def picture(image, caption, *, width, **more):
    """(data, metadata) of the output for the bytes of a PNG, shown `width` CSS pixels wide."""
    data = {"image/png": base64.b64encode(image).decode("ascii"), "text/plain": f"[figure] {caption}"}
    return data, {"image/png": {"alt": caption, "width": width, **more}}


def words(caption):
    """(data, metadata) of the output for a visible caption."""
    plain = re.sub(r"([\\`*_\[\]<>$])", r"\\\1", caption)
    return {"text/markdown": f"*{plain}*", "text/plain": caption}, {}


def publish(data, metadata):
    """Display one output with these MIME types."""
    from IPython.display import publish_display_data

    publish_display_data(data, metadata)

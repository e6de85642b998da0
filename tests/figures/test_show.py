"""What `show` displays: a PNG with alt text, its text form, and a caption that is seen."""

import base64
import struct

import pytest

from course_utils.figures import figure, png, show


def drawn(label="x in cm"):
    fig, ax = figure(width=4, height=3)
    ax.plot([0, 1], [0, 1])
    ax.set(xlabel=label)
    return fig


def test_a_figure_has_alt_text_and_a_visible_caption(displayed):
    picture, caption = displayed(lambda: show(drawn(), "A line from 0 to 1,\n  rising."))
    data, metadata = picture
    assert set(data) == {"image/png", "text/plain"}
    assert data["text/plain"] == "[figure] A line from 0 to 1, rising."
    assert metadata == {"image/png": {"alt": "A line from 0 to 1, rising.", "width": 384}}
    assert caption[0] == {
        "text/markdown": "*A line from 0 to 1, rising.*",
        "text/plain": "A line from 0 to 1, rising.",
    }


def test_the_picture_is_sharper_than_it_is_wide(displayed):
    (data, metadata), _ = displayed(lambda: show(drawn(), "A line from 0 to 1, rising."))
    width, height = struct.unpack(">II", base64.b64decode(data["image/png"])[16:24])
    assert (width, height) == (2 * metadata["image/png"]["width"], 2 * 288)


def test_marks_in_a_caption_are_not_read_as_markdown(displayed):
    _, (data, _) = displayed(lambda: show(drawn(), "x_1 * y_1 costs $5 in [0, 1] < 2 `here`"))
    assert data["text/markdown"] == r"*x\_1 \* y\_1 costs \$5 in \[0, 1\] \< 2 \`here\`*"


@pytest.mark.parametrize("caption", ["", "   \n ", "a plot", "x" * 19])
def test_a_caption_that_describes_nothing_is_refused(caption):
    with pytest.raises(ValueError, match="caption must describe the figure"):
        show(drawn(), caption)


@pytest.mark.parametrize("caption", [None, 3, ["A line from 0 to 1, rising."]])
def test_a_caption_that_is_no_text_is_refused(caption):
    with pytest.raises(TypeError, match="caption must be a sentence"):
        show(drawn(), caption)


def test_figures_drawn_alike_give_the_same_bytes():
    assert png(drawn()) == png(drawn())
    assert png(drawn()) != png(drawn("y in cm"))


def test_the_file_holds_no_version_and_no_date():
    image = png(drawn())
    assert b"Matplotlib" not in image
    assert b"tEXt" not in image
    assert b"tIME" not in image


def test_the_figure_stays_as_it_was():
    fig = drawn()
    before = fig.dpi
    png(fig)
    assert fig.dpi == before == 96


def test_the_same_figure_can_be_made_less_sharp():
    width, height = struct.unpack(">II", png(drawn(), sharp=1)[16:24])
    assert (width, height) == (384, 288)

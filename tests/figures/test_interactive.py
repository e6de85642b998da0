"""A panel redraws when a value changes, says what it shows, and stays itself when drawing fails."""

import base64

import ipywidgets as widgets
import pytest

from course_utils.figures import drawing, figure
from course_utils.figures.interactive import VIEW, Panel, control


@pytest.fixture
def panel():
    return Panel(bell, mean=(-1.0, 3.0, 0.5, 0.0), spread=(1, 5, 1, 2))


calls = []


@drawing
def bell(mean=0.0, spread=1):
    calls.append((mean, spread))
    if mean == 3.0:
        raise ZeroDivisionError("no <bell> there")
    fig, ax = figure(width=3 if spread < 5 else 4, height=2)
    ax.plot([0, mean, spread], [0, 1, 0])
    return fig, f"A bell at {mean:.1f} of spread {spread}."


def test_moving_a_slider_redraws_the_picture_and_the_caption(panel):
    before = panel.image.value
    panel.controls["mean"].value = 1.5
    assert panel.image.value != before
    assert panel.caption == "A bell at 1.5 of spread 2."
    assert panel.text.value == "<em>A bell at 1.5 of spread 2.</em>"
    assert panel.image.tooltip == panel.caption


def test_setting_the_same_value_draws_nothing(panel):
    calls.clear()
    panel.controls["mean"].value = 0.0
    assert calls == []
    panel.controls["mean"].value = 0.5
    assert calls == [(0.5, 2)]


def test_going_back_gives_the_stored_picture_again(panel):
    stored = base64.b64decode(panel.stored[0]["image/png"])
    panel.controls["mean"].value = 1.5
    panel.controls["mean"].value = 0.0
    assert panel.image.value == stored


def test_a_wider_figure_is_shown_wider(panel):
    assert panel.image.layout.width == "288px"
    panel.controls["spread"].value = 5
    assert panel.image.layout.width == "384px"


def test_an_error_while_drawing_is_told_and_the_picture_stays(panel):
    before = panel.image.value
    panel.controls["mean"].value = 3.0
    assert panel.image.value == before
    assert "ZeroDivisionError: no &lt;bell&gt; there" in panel.text.value
    panel.controls["mean"].value = 1.0
    assert panel.text.value == "<em>A bell at 1.0 of spread 2.</em>"


def test_an_error_at_the_first_values_is_the_authors():
    with pytest.raises(ZeroDivisionError):
        Panel(bell, mean=(0.0, 3.0, 1.0, 3.0))


def test_the_stored_output_is_a_picture_and_its_caption(panel, displayed):
    panel.controls["mean"].value = 1.0
    (picture, metadata), (caption, _) = displayed(panel.publish)
    assert set(picture) == {VIEW, "image/png", "text/plain"}
    assert picture[VIEW]["model_id"] == panel.box.model_id
    assert picture["text/plain"] == f"[figure] {metadata['image/png']['alt']}"
    assert caption[VIEW]["model_id"] == panel.text.model_id
    assert caption["text/plain"] == metadata["image/png"]["alt"]


def test_a_figure_without_a_caption_is_refused():
    with pytest.raises(ValueError, match="caption must describe"):
        Panel(lambda k: (figure()[0], "short"), k=(0, 1, 1, 0))


def test_a_tuple_is_a_slider_with_its_name_and_unit():
    slider = control("class_mean", (-2.0, 2.0, 0.05, 0.5, "mean of class 1", "cm"))
    assert isinstance(slider, widgets.FloatSlider)
    assert (slider.min, slider.max, slider.step, slider.value) == (-2.0, 2.0, 0.05, 0.5)
    assert slider.description == "mean of class 1 (cm)"
    assert slider.readout_format == ".2f"
    assert control("class_mean", (0.0, 1.0, 0.1, 0.0)).description == "class mean"
    assert control("class_mean", (0.0, 1.0, 0.1, 0.0)).readout_format == ".1f"


def test_whole_numbers_make_a_slider_of_whole_numbers():
    assert isinstance(control("n", (1, 9, 2, 3)), widgets.IntSlider)
    assert isinstance(control("n", (1, 9, 2, 3.0)), widgets.FloatSlider)


def test_a_widget_is_taken_as_it_is():
    box = widgets.Checkbox(value=True)
    assert control("equal", box) is box


@pytest.mark.parametrize(
    "given",
    [3, (0, 1), (0, 1, 1), (0, 1, 0, 0), (0, 1, -1, 0), (0, 1, 1, 2), (1, 0, 1, 0), widgets.Layout(), None],
)
def test_a_control_that_does_not_fit_is_named(given):
    with pytest.raises(ValueError, match="control 'mean'"):
        control("mean", given)

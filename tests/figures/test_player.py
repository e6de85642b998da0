"""A history: every frame live, evenly chosen ones on the stored sheet, which can be cut again."""

import base64
import io

import numpy as np
import pytest
from matplotlib.image import imread

from course_utils.figures import drawing, figure
from course_utils.figures.player import BAND, Film, evenly

drawn = []


@drawing
def frame(step):
    drawn.append(step)
    fig, ax = figure(width=2.5, height=2)
    ax.bar([0], [step + 1])
    ax.set(ylim=(0, 40))
    ax.set_axis_off()  # quicker
    return fig, f"After step {step} the bar is {step + 1} high."


@pytest.fixture
def film():
    return Film(frame, range(7), labels=[f"step {k}" for k in range(7)], columns=3)


def strip(film):
    return film.stored[1]["image/png"]["filmstrip"]


def cells(film):
    """The frames cut from the stored sheet, without their labels, as an exported page cuts them."""
    sheet = imread(io.BytesIO(base64.b64decode(film.stored[0]["image/png"])), format="png")
    how = strip(film)
    width, height = 2 * how["width"], 2 * how["height"]
    for k in range(how["frames"]):
        row, column = divmod(k, how["columns"])
        yield sheet[row * height + 2 * BAND : (row + 1) * height, column * width : (column + 1) * width, :3]


def test_the_sheet_can_be_cut_into_its_frames(film):
    assert strip(film) | {"captions": 0} == {
        "frames": 7,
        "columns": 3,
        "width": 240,
        "height": 192 + BAND,
        "shown": 480,
        "speed": 2.0,
        "labels": [f"step {k}" for k in range(7)],
        "captions": 0,
    }
    assert film.stored[1]["image/png"]["width"] == 720
    for k, cell in enumerate(cells(film)):
        single = imread(io.BytesIO(film.frame(k)[0]), format="png")[..., :3]
        assert np.abs(cell - single).max() < 0.01, k


def test_each_frame_has_its_label_above_it(film):
    sheet = imread(io.BytesIO(base64.b64decode(film.stored[0]["image/png"])), format="png")[..., :3]
    for k in range(7):
        row, column = divmod(k, 3)
        top = row * 2 * (192 + BAND)
        band = sheet[top : top + 2 * BAND, column * 480 : (column + 1) * 480]
        assert band.min() < 0.5, f"no label above frame {k}"
        assert (band[:, :60] == 1).all(), f"the label of frame {k} is not in the middle"


def test_a_long_history_is_stored_as_evenly_chosen_frames():
    drawn.clear()
    film = Film(frame, range(40), columns=3)
    assert strip(film)["frames"] == 12
    assert strip(film)["labels"][0] == "1 of 40"
    assert strip(film)["labels"][-1] == "40 of 40"
    assert drawn == [round(k * 39 / 11) for k in range(12)]
    assert film.stored[1]["image/png"]["alt"] == (
        "Filmstrip, 12 of 40 frames, from 1 of 40 to 40 of 40. The last: After step 39 the bar is 40 high."
    )


@pytest.mark.parametrize(("n", "most"), [(1, 5), (5, 5), (6, 5), (100, 12), (13, 12), (3, 1)])
def test_chosen_frames_are_distinct_in_order_and_reach_the_end(n, most):
    chosen = evenly(n, most)
    assert len(chosen) == min(n, most)
    assert chosen == sorted(set(chosen))
    assert chosen[-1] == n - 1
    assert most == 1 or chosen[0] == 0


def test_wide_frames_stand_in_fewer_columns():
    def wide(step):
        fig, ax = figure(width=5, height=2)
        ax.plot([0, step])
        ax.set_axis_off()
        return fig, f"A line to {step}, on wide paper."

    film = Film(wide, range(10), columns=4)
    assert strip(film)["columns"] == 2
    assert strip(film)["frames"] == 8


def test_every_frame_can_be_seen_and_is_drawn_once(film):
    drawn.clear()
    film.slider.value = 5
    assert film.label.value == "step 5"
    assert film.text.value == "<em>After step 5 the bar is 6 high.</em>"
    assert film.image.value == film.frame(5)[0]
    film.slider.value = 2
    film.slider.value = 5
    assert drawn == []  # all seven were drawn for the sheet


def test_stepping_stops_at_the_ends(film):
    film.play.playing = True
    film.step(-1)
    assert (film.slider.value, film.play.playing) == (0, False)
    for _ in range(9):
        film.step(1)
    assert film.slider.value == 6


def test_the_speed_can_be_chosen(film):
    assert film.play.interval == 500
    film.pace.value = 4
    assert film.play.interval == 125


def test_an_error_while_playing_is_told():
    def fragile(step):
        if step == 1:
            raise ValueError("nothing here")
        return frame(step)

    film = Film(fragile, range(40), columns=2)
    before = film.image.value
    film.slider.value = 1
    assert "ValueError: nothing here" in film.text.value
    assert film.image.value == before


def test_frames_of_two_sizes_are_refused():
    def growing(step):
        fig, _ = figure(width=2 + step, height=2)
        return fig, f"Paper of size {step}, and nothing on it."

    with pytest.raises(ValueError, match="same size"):
        Film(growing, range(3))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"frames": [0]}, "at least two frames, got 1"),
        ({"labels": ["a"]}, "as many as the 3 frames, got 1"),
        ({"columns": 0}, "columns must be"),
        ({"columns": 2.0}, "columns must be"),
        ({"speed": 0}, "speed must be"),
    ],
)
def test_options_that_do_not_fit_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        Film(frame, **{"frames": range(3)} | options)

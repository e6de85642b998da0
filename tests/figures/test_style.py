"""The palette can be read by every eye, and a figure on a projector, whatever the user has set."""

import itertools

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from course_utils.figures import (
    GREY,
    INK,
    LOOKS,
    OPTIMUM,
    bars,
    between,
    drawing,
    figure,
    line,
    png,
    points,
    shades,
)
from course_utils.figures.style import PAPER, STYLE

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB
VISION = {
    "normal": [1, 0, 0, 0, 1, 0, 0, 0, 1],
    "protanopia": [
        0.152286,
        1.052583,
        -0.204868,
        0.114503,
        0.786281,
        0.099216,
        -0.003882,
        -0.048116,
        1.051998,
    ],
    "deuteranopia": [
        0.367322,
        0.860646,
        -0.227968,
        0.280085,
        0.672501,
        0.047413,
        -0.011820,
        0.042940,
        0.968881,
    ],
    "tritanopia": [
        1.255528,
        -0.076749,
        -0.178779,
        -0.078411,
        0.930809,
        0.147602,
        0.004733,
        0.691367,
        0.303900,
    ],
}
# sRGB with the white point D65
XYZ = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]


def linear(color):
    rgb = np.array(to_rgb(color))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(color):
    """Contrast ratio to white, WCAG 2.2."""
    return 1.05 / (linear(color) @ [0.2126, 0.7152, 0.0722] + 0.05)


def lab(rgb):
    t = np.array(XYZ) @ np.clip(rgb, 0, 1) / [0.95047, 1.0, 1.08883]
    f = np.where(t > 216 / 24389, np.cbrt(t), (24389 / 27 * t + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def ciede2000(one, two):
    """Colour difference of two CIELAB colours, Sharma, Wu and Dalal (2005)."""
    (l1, a1, b1), (l2, a2, b2) = one, two
    c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = 0.5 * (1 - np.sqrt(c7 / (c7 + 25**7)))
    a1, a2 = (1 + g) * a1, (1 + g) * a2
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    dl, dc, dh = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    light, c, h = (l1 + l2) / 2, (c1 + c2) / 2, (h1 + turn / 2) % 360 if c1 * c2 else h1 + h2
    t = (
        1
        - 0.17 * np.cos(np.radians(h - 30))
        + 0.24 * np.cos(np.radians(2 * h))
        + 0.32 * np.cos(np.radians(3 * h + 6))
        - 0.20 * np.cos(np.radians(4 * h - 63))
    )
    sl, sc, sh = (
        1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2),
        1 + 0.045 * c,
        1 + 0.015 * c * t,
    )
    rt = -2 * np.sqrt(c**7 / (c**7 + 25**7)) * np.sin(np.radians(60 * np.exp(-(((h - 275) / 25) ** 2))))
    return np.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dh / sh) ** 2 + rt * (dc / sc) * (dh / sh))


@pytest.mark.parametrize(
    ("one", "two", "expected"),  # from the test data of Sharma, Wu and Dalal (2005)
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_colour_difference_is_ciede2000(one, two, expected):
    assert ciede2000(one, two) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("look", [*LOOKS, OPTIMUM], ids=lambda look: look.name)
def test_a_line_that_carries_meaning_stands_out_from_white(look):
    assert contrast(look.color) >= 3.0


@pytest.mark.parametrize("color", [INK, GREY])
def test_text_stands_out_from_white(color):
    assert contrast(color) >= 4.5


@pytest.mark.parametrize("vision", VISION)
def test_each_pair_of_colours_stays_apart(vision):
    seen = {look.name: lab(np.reshape(VISION[vision], (3, 3)) @ linear(look.color)) for look in [*LOOKS, OPTIMUM]}
    apart = {pair: ciede2000(seen[pair[0]], seen[pair[1]]) for pair in itertools.combinations(seen, 2)}
    assert min(apart.values()) >= 12, min(apart, key=apart.get)


@pytest.mark.parametrize("way", ["color", "marker", "linestyle", "hatch"])
def test_no_two_classes_share_a_way_of_being_drawn(way):
    looks = [getattr(look, way) for look in [*LOOKS, OPTIMUM]]
    assert len(set(looks)) == len(looks)


def test_type_is_large_enough_for_a_projector():
    sizes = {name: value for name, value in STYLE.items() if "size" in name and "figsize" not in name}
    del sizes["lines.markersize"]
    assert len(sizes) >= 7
    assert min(sizes.values()) >= 12


@drawing
def draw():
    fig, (left, right) = figure(1, 2, width=6, height=3, width_ratios=[2, 1])
    for k in range(len(LOOKS)):
        left.plot([0, 1], [k, k + 1], **line(k), label=f"class {k}")
        left.scatter([0.5], [k], **points(k))
        left.scatter([0.7], [k], **points(k, filled=False))
        right.bar(k, 1, **bars(k))
    left.legend()
    return fig


def test_a_figure_is_the_same_whatever_the_user_has_set():
    plain = png(draw())
    with matplotlib.rc_context({"font.size": 30, "lines.linewidth": 9, "savefig.transparent": True, "figure.dpi": 50}):
        assert png(draw()) == plain
    with matplotlib.rc_context({"axes.grid": True, "savefig.dpi": 30, "savefig.bbox": "tight"}):
        assert png(draw()) == plain


def test_drawing_leaves_the_users_settings_alone():
    before = dict(matplotlib.rcParams)
    png(draw())
    assert dict(matplotlib.rcParams) == before


def test_no_figure_is_left_to_pyplot():
    import matplotlib.pyplot as plt

    draw()
    assert plt.get_fignums() == []


def test_the_axes_come_as_from_pyplot():
    assert not isinstance(figure()[1], np.ndarray)
    assert figure(2, 3)[1].shape == (2, 3)
    fig, axes = figure(2, 1, width=5, height=4, sharex=True)
    assert axes.shape == (2,)
    assert tuple(fig.get_size_inches()) == (5, 4)


def test_the_paper_is_white_and_opaque():
    import io

    from matplotlib.image import imread

    pixels = imread(io.BytesIO(png(draw())), format="png")
    assert pixels.shape[:2] == (3 * 96 * 2, 6 * 96 * 2)
    assert pixels.shape[2] == 3 or (pixels[..., 3] == 1).all()
    assert (pixels[0, 0, :3] == 1).all()


def test_colour_maps_run_between_white_and_the_classes():
    assert to_rgb(shades(1)(0.0)) == to_rgb(PAPER)
    assert to_rgb(shades(1)(1.0)) == pytest.approx(to_rgb(LOOKS[1].color))
    middle = between(0, 1)
    assert to_rgb(middle(0.0)) == pytest.approx(to_rgb(LOOKS[0].color))
    assert np.allclose(to_rgb(middle(0.5)), 1, atol=0.01)
    assert to_rgb(middle(1.0)) == pytest.approx(to_rgb(LOOKS[1].color))


def test_a_look_can_stand_for_its_class():
    assert line(OPTIMUM) == {"color": INK, "linestyle": OPTIMUM.linestyle}
    assert line(LOOKS[2]) == line(2)


def test_a_class_that_has_no_look_is_refused():
    with pytest.raises(ValueError, match="k must be a class from 0 to 4"):
        line(5)

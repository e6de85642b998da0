"""Lesson 5's pictures of digits, by what they show and tell."""

import numpy as np
import pytest
from scipy.stats import norm

from course_utils.figures import vae_digits as draw

CODES = np.array([[0.0, 0.0], [2.0, 4.0], [4.0, 8.0], [2.0, 0.0]])
LABELS = np.array([0, 3, 7, 3])


def decode(z):
    """A picture whose first two pixels are the latent numbers, a tenth of them."""
    pictures = np.zeros((len(z), 8, 8))
    pictures[:, 0, :2] = np.asarray(z) / 10
    return pictures


@pytest.fixture
def plane():
    return draw.Plane("model", CODES, LABELS, decode)


class TestPlanes:
    def test_positions_are_standard_deviations_from_the_mean(self, plane):
        np.testing.assert_allclose(plane.at((0, 0)), CODES.mean(axis=0))
        np.testing.assert_allclose(plane.at((1, -2)), CODES.mean(axis=0) + CODES.std(axis=0) * [1, -2])

    def test_what_is_decoded_is_what_stands_at_the_cross(self, plane):
        fig, caption = draw.latent_planes([plane, plane], 1.0, 0.0)
        z = plane.at((1.0, 0.0))
        for shown in fig.axes[1::2]:
            np.testing.assert_allclose(shown.images[0].get_array()[0, :2], z / 10)
        cross = fig.axes[0].collections[-1].get_offsets()
        np.testing.assert_allclose(cross[0], z)
        assert caption.count("in the plane of the model") == 2

    def test_nearest_code(self, plane):
        _, caption = draw.latent_planes([plane], *((CODES[2] - plane.centre) / plane.scale))
        assert "nearest code is 0.00 away and belongs to a 7" in caption

    @pytest.mark.parametrize("corner", [(-2.5, -2.5), (2.5, 2.5)])
    def test_the_cross_is_never_out_of_sight(self, plane, corner):
        ax = draw.latent_planes([plane], *corner)[0].axes[0]
        z = plane.at(corner)
        assert ax.get_xlim()[0] < z[0] < ax.get_xlim()[1]
        assert ax.get_ylim()[0] < z[1] < ax.get_ylim()[1]

    def test_clouds_are_one_standard_deviation_wide(self, plane):
        mean, deviation = CODES / 4, np.tile([0.25, 0.5], (4, 1))
        fig, caption = draw.clouds(plane, mean, deviation, np.full(4, 1.5))
        ellipses = fig.axes[1].patches
        assert [(e.width, e.height) for e in ellipses] == [(0.5, 1.0)] * 4
        np.testing.assert_allclose([e.center for e in ellipses], mean)
        assert "codes reach from 0 to 8" in caption
        assert "KL to the prior of 1.5 nats" in caption
        assert "75% of the means" in caption  # of (0, 0), (½, 1), (1, 2), (½, 0) the third is √5 away


class TestManifold:
    def test_grid_cuts_the_prior_into_equal_shares(self):
        grid = draw.prior_grid(5).reshape(5, 5, 2)
        np.testing.assert_allclose(norm.cdf(grid[0, :, 0]), [0.1, 0.3, 0.5, 0.7, 0.9])
        np.testing.assert_allclose(norm.cdf(grid[:, 0, 1]), [0.9, 0.7, 0.5, 0.3, 0.1])  # z_2 falls downwards

    def test_each_picture_stands_at_its_place(self):
        pictures = np.arange(9).reshape(9, 1, 1) / 10 * np.ones((9, 8, 8))
        fig, _ = draw.manifold(pictures)
        sheet = fig.axes[0].images[0].get_array()
        assert sheet.shape == (28, 28)
        for i in range(3):
            for j in range(3):
                assert sheet[10 * i + 3, 10 * j + 3] == pytest.approx((3 * i + j) / 10)


def test_draws_tell_the_share_that_cannot_be_read():
    rows = {"real": np.zeros((3, 8, 8)), "drawn": np.ones((3, 8, 8))}
    fig, caption = draw.draws(rows, {"real": 0.04, "drawn": 0.375})
    assert "real 4%, drawn 38%" in caption
    assert sum(bool(ax.images) for ax in fig.axes) == 6


def test_interpolation_shows_both_ways_and_tells_what_is_read():
    pair = np.zeros((9, 8, 8)), np.ones((9, 8, 8))
    fig, caption = draw.interpolation([pair, pair], {"pixels": 0.57, "codes": 0.49})
    assert sum(bool(ax.images) for ax in fig.axes) == 36
    assert "2 pairs of test digits and 7 steps" in caption
    assert "57% of the mixed pixels and 49% of the decoded codes" in caption


def test_completions_hatch_what_was_not_given():
    truth = np.full((2, 8, 8), 0.5)
    seen = truth.copy()
    seen[:, 4:] = np.nan
    fig, caption = draw.completions(seen, truth, np.stack([truth] * 3), np.array([128.0, 300.0]))
    assert sum(bool(ax.images) for ax in fig.axes) == 10
    assert sum(bool(ax.collections) for ax in fig.axes) == 2  # the hatching
    assert "3 draws" in caption
    assert "at least 120" in caption


def test_hands_are_one_row_each():
    fig, caption = draw.hands(np.zeros((10, 8, 8)), np.ones((3, 10, 8, 8)), 0.934)
    assert sum(bool(ax.images) for ax in fig.axes) == 40
    assert "reads 93% as the class" in caption


def test_gallery_names_each_model_once_and_tells_both_numbers():
    drawn = {"naive Bayes": np.zeros((2, 10, 8, 8)), "GAN": np.ones((2, 10, 8, 8))}
    measured = {"training digits": (0.94, 0.996), "naive Bayes": (4.12, 0.84), "GAN": (1.06, 0.979)}
    fig, caption = draw.gallery(np.zeros((10, 8, 8)), drawn, measured)
    assert sum(bool(ax.images) for ax in fig.axes) == 5 * 10
    labels = [text.get_text() for ax in fig.axes for text in ax.texts]
    assert labels == ["test digits", "naive Bayes", "", "GAN", ""]
    assert caption.endswith("training digits 0.9 and 100%; naive Bayes 4.1 and 84%; GAN 1.1 and 98%.")

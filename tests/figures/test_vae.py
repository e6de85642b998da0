"""Lesson 5's figures of the bound, the divergence and the gradients, by the numbers that they draw and tell."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from course_utils.figures import vae as draw


class TestNetworks:
    def test_caption_tells_the_error_and_the_widths(self):
        image = np.zeros((8, 8))
        copy = image.copy()
        copy[0, :2] = 1.0
        _, caption = draw.networks(image, image, copy, image, (1.0, -2.0), (0.1, 0.2), (0.2, 0.7))
        assert "squared error of 2.0" in caption
        assert "0.2 and 0.7" in caption

    def test_both_rows_show_the_image_and_what_came_of_it(self):
        shown = [np.full((8, 8), value) for value in (0.1, 0.2, 0.3, 0.4)]
        fig, _ = draw.networks(*shown, (0, 0), (0, 0), (1, 1))
        found = [[float(picture.get_array()[0, 0]) for picture in ax.images] for ax in fig.axes]
        assert found == [[0.1, 0.3], [0.2, 0.4]]


class TestBound:
    @pytest.mark.parametrize(("mean", "deviation"), [(0.0, 1.0), (-1.0, 0.1), (2.5, 1.5), (0.92, 0.48)])
    def test_three_steps_end_at_log_p(self, mean, deviation):
        fig, caption = draw.bound(mean, deviation)
        bars = fig.axes[1].patches
        assert len(bars) == 3
        heights = [bar.get_height() for bar in bars]
        starts = [bar.get_y() for bar in bars]
        exact = draw.SMALL.log_marginal(draw.OBSERVED)[0]
        assert sum(heights) == pytest.approx(exact, abs=1e-10)
        np.testing.assert_allclose(starts, np.concatenate([[0.0], np.cumsum(heights)[:2]]), atol=1e-12)
        assert heights[1] <= 0 <= heights[2] + 1e-12
        assert f"{draw.signed(exact, 3)} = log p(x)" in caption

    def test_terms_are_those_of_numerical_integration(self):
        fig, _ = draw.bound(0.4, 0.7)
        q = norm(0.4, 0.7)
        W, sd = draw.SMALL.weights[:, 0], np.sqrt(draw.SMALL.variance)

        def reconstruction(z):
            return q.pdf(z) * norm.logpdf(draw.OBSERVED[0], W * z, sd).sum()

        def divergence(z):
            return q.pdf(z) * (q.logpdf(z) - norm.logpdf(z))

        heights = [bar.get_height() for bar in fig.axes[1].patches]
        assert heights[0] == pytest.approx(quad(reconstruction, -6, 7)[0], abs=1e-7)
        assert heights[1] == pytest.approx(-quad(divergence, -6, 7)[0], abs=1e-7)

    def test_the_gap_closes_at_the_posterior(self):
        mean, covariance = draw.SMALL.posterior(draw.OBSERVED)
        fig, _ = draw.bound(mean[0, 0], np.sqrt(covariance[0, 0]))
        assert fig.axes[1].patches[2].get_height() == pytest.approx(0, abs=1e-12)

    def test_every_slider_position_stays_inside_the_axis(self):
        for mean in (-1.0, 2.5):
            for deviation in (0.1, 1.5):
                ax = draw.bound(mean, deviation)[0].axes[1]
                assert min(bar.get_y() + min(bar.get_height(), 0) for bar in ax.patches) > ax.get_ylim()[0]


class TestDivergence:
    def test_curves(self):
        fig, caption = draw.wrong_divergences(0.0)
        right, halfless, negative, narrow = fig.axes[0].lines[:4]
        deviation = right.get_xdata()
        expected = 0.5 * (deviation**2 - 1) - np.log(deviation)
        np.testing.assert_allclose(right.get_ydata(), expected, atol=1e-12)
        np.testing.assert_allclose(halfless.get_ydata(), 2 * expected, atol=1e-12)
        assert negative.get_ydata().min() < -0.19 < right.get_ydata().min()  # ½ (2 − 1 − log 4) = −0.193 at σ = 2
        assert np.all(narrow.get_ydata() >= 0)
        assert "lowest at σ = 2.0, −0.19 nats" in caption

    def test_sum_and_mean_over_dimensions(self):
        total, mean = draw.wrong_divergences(1.0)[0].axes[1].lines
        np.testing.assert_allclose(total.get_ydata() / total.get_xdata(), mean.get_ydata())

    @pytest.mark.parametrize("mean", [-2.0, 2.0])
    def test_draws_at_the_ends_of_its_slider(self, mean):
        assert f"μ = {draw.signed(mean)}" in draw.wrong_divergences(mean)[1]


class TestGrey:
    @pytest.mark.parametrize("p", [0.01, 0.3, 0.5, 0.5 + 1e-9, 0.8])
    def test_integral(self, p):
        by_quadrature = quad(lambda x: p**x * (1 - p) ** (1 - x), 0, 1)[0]
        assert float(draw.grey_integral(p)) == pytest.approx(by_quadrature, rel=1e-9)

    def test_sum_over_levels_and_least_cost(self):
        fig, caption = draw.grey_pixels()
        total = fig.axes[0].lines[2].get_ydata()
        assert total[len(total) // 2] == pytest.approx(8.5)  # 17 levels, each ½
        least = fig.axes[1].lines[0].get_ydata()
        assert least[0] == least[-1] == 0
        assert least.max() == pytest.approx(np.log(2))
        assert "up to 0.693 nats" in caption


def test_gradient_noise_tells_the_last_variances():
    fig, caption = draw.gradient_noise([1, 2, 4], {"one": np.array([1.0, 2, 3]), "other": np.array([10.0, 20, 300])})
    assert "At 4 latent dimensions: one 3, other 3e+02" in caption
    assert [list(line.get_ydata()) for line in fig.axes[0].lines] == [[1, 2, 3], [10, 20, 300]]


@pytest.mark.parametrize(
    ("value", "decimals", "plus", "text"),
    [(-0.04, 1, False, "0.0"), (-1.25, 2, False, "−1.25"), (0.5, 1, True, "+0.5"), (-0.001, 2, True, "+0.00")],
)
def test_signed(value, decimals, plus, text):
    assert draw.signed(value, decimals, plus=plus) == text

"""Lesson 4's figures of the game, by the numbers that they draw and tell."""

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm

from course_utils.figures import gan as draw
from course_utils.models.gan import generator_loss, minimax_generator_loss
from course_utils.optima.games import DiracGame, Mixture

DATA = Mixture([0.6, 0.4], [-1.5, 1.5], [0.5, 0.8])


def curves(ax):
    """The lines of a panel by their labels: name → (x, y)."""
    return {line.get_label(): line.get_data() for line in ax.lines}


def test_players_shows_what_each_gets_and_gives():
    fig, caption = draw.players()
    said = "\n".join(text.get_text() for text in fig.axes[0].texts)
    for word in ("forger", "police", "noise", "data", "G(z)"):
        assert word in said
    assert "never sees the data" in caption


class TestBestDiscriminator:
    def test_curves_are_the_densities_and_the_posterior(self):
        fig, _ = draw.best_discriminator(DATA, mean=0.5, deviation=1.0, x=-1.0)
        shown = curves(fig.axes[0])
        x, best = shown["best D*"]
        p, q = DATA.density(x), norm.pdf(x, 0.5, 1.0)
        np.testing.assert_allclose(shown["data p"][1], p)
        np.testing.assert_allclose(shown["forger q"][1], q)
        np.testing.assert_allclose(best, p / (p + q))

    def test_the_marked_point_is_the_highest_of_the_sum(self):
        fig, caption = draw.best_discriminator(DATA, mean=0.5, deviation=1.0, x=-1.0)
        d, total = curves(fig.axes[1])["their sum"]
        ((best, height),) = fig.axes[1].collections[0].get_offsets()
        assert best == pytest.approx(d[total.argmax()], abs=0.003)
        assert height == pytest.approx(total.max(), abs=1e-5)
        assert f"p / (p + q) = {best:.3f}" in caption

    def test_value_and_divergence_told_are_those_of_quadrature(self):
        _, caption = draw.best_discriminator(DATA, mean=-1.0, deviation=2.0, x=0.0)

        def integrand(x):
            p, q = DATA.density(x), norm.pdf(x, -1.0, 2.0)
            return p * np.log(p / (p + q)) + q * np.log(q / (p + q))

        worth = quad(integrand, -12, 12, limit=200)[0]
        assert f"V(D*, G) = {worth:.3f} = -1.386 + 2 × {(worth + np.log(4)) / 2:.3f} nats" in caption

    @pytest.mark.parametrize("values", [(-3, 0.3, 4), (3, 0.3, -4), (3, 3, 4), (-3, 0.3, -4)])
    def test_draws_at_the_ends_of_its_sliders(self, values):
        fig, caption = draw.best_discriminator(DATA, *values)
        assert "nan" not in caption
        assert np.isfinite(fig.axes[1].get_ylim()).all()


class TestSlideFrame:
    @pytest.fixture
    def frame(self):
        x = np.linspace(-4, 4, 50)
        p, q = DATA.density(x), norm.pdf(x)
        measures = {"V": np.array([-1.0, -1.2, -1.38]), "jsd": np.array([0.2, 0.1, 0.004])}
        places = {"k": 1, "steps": [0, 100, 200], "z": np.array([-1.0, 0.0, 1.0]), "G": np.array([-2.0, 0.1, 99.0])}
        return {"x": x, "p": p, "q": q, "D": p / (p + q), "gap": np.array([0.3, 0.17, 0.02]), **places, **measures}

    def test_colours_and_lines_are_those_of_the_slides(self, frame):
        fig, caption = draw.slide_frame(frame)
        looks = {line.get_label(): (line.get_color(), line.get_linestyle()) for line in fig.axes[0].lines}
        # matplotlib calls every pattern of dashes "--"; the dots of the data are such a pattern
        assert looks["data"] == (draw.INK, "--")
        assert looks["generator"] == (draw.GENERATOR.color, "-")
        assert looks["D"] == (draw.DISCRIMINATOR.color, "--")
        dots, dashes = draw.DATA.linestyle[1], draw.DISCRIMINATOR.linestyle[1]
        assert dots[0] == 1 < dashes[0]
        np.testing.assert_array_equal(curves(fig.axes[0])["D"][1], frame["D"])
        np.testing.assert_allclose(curves(fig.axes[0])["D*"][1], frame["p"] / (frame["p"] + frame["q"]))
        assert caption.startswith("Step 100: V = -1.20 (its end is -1.39), JSD = 0.10 nats, E|D − D*| below 0.2.")

    def test_arrows_lead_from_z_to_its_x_and_stay_in_the_picture(self, frame):
        fig, _ = draw.slide_frame(frame, limits=(-4, 4))
        arrows = [text for text in fig.axes[0].texts if getattr(text, "arrow_patch", None) is not None]
        assert [arrow.xy[0] for arrow in arrows] == [-2.0, 0.1, 4.0]
        assert [arrow.xyann[0] for arrow in arrows] == [-1.0, 0.0, 1.0]

    def test_history_is_drawn_up_to_the_frame(self, frame):
        fig, _ = draw.slide_frame(frame)
        steps, jsd = curves(fig.axes[1])["JSD"]
        np.testing.assert_array_equal(steps, [0, 100])
        np.testing.assert_allclose(jsd, [0.2, 0.1])
        _, excess = curves(fig.axes[1])["|V + log 4|"]
        np.testing.assert_allclose(excess, np.abs([-1.0 + np.log(4), -1.2 + np.log(4)]))


class TestSaturation:
    def test_slopes_drawn_are_the_derivatives_of_the_losses(self):
        fig, caption = draw.saturation([0, 10], {"log(1 − D)": [0.1, 0.0012], "−log D": [0.1, 9.0]})
        s = torch.linspace(-8, 8, 401, dtype=torch.float64, requires_grad=True)
        for name, loss in (("log(1 − D)", minimax_generator_loss), ("−log D", generator_loss)):
            (slope,) = torch.autograd.grad(len(s) * loss(s), s)
            np.testing.assert_allclose(curves(fig.axes[0])[name][1], slope.abs().numpy(), atol=1e-12)
        assert "slope of log(1 − D) is 0.0025 and that of −log D 0.9975" in caption

    def test_measured_norms_are_drawn_and_told_by_their_order(self):
        fig, caption = draw.saturation([0, 10, 20], {"a": [0.1, 0.02, 0.0012], "b": [0.1, 2.0, 9.0]})
        np.testing.assert_array_equal(fig.axes[1].lines[0].get_ydata(), [0.1, 0.02, 0.0012])
        assert "of a from 0.1 to about 10^-3 and of b from 0.1 to about 10^1" in caption


class TestDirac:
    def test_prediction_is_the_power_of_the_jacobian(self):
        game = DiracGame(0.2, 0.3)
        orbit = draw.linear_orbit(game, (0.5, -0.1), 7)
        np.testing.assert_allclose(orbit[7], np.linalg.matrix_power(game.jacobian(), 7) @ [0.5, -0.1])
        # near the equilibrium the game does what is predicted
        near = draw.linear_orbit(game, (1e-5, 0.0), 50)
        np.testing.assert_allclose(near, game.orbit(1e-5, 0.0, 50), atol=1e-13)

    def test_eigenvalues_and_distances_are_those_of_the_game(self):
        fig, caption = draw.dirac(step=0.4, gamma=0.5, alternating=True, saturating=False, steps=60)
        game = DiracGame(0.4, 0.5, alternating=True, saturating=False)
        drawn = np.asarray(fig.axes[1].collections[0].get_offsets())
        expected = game.eigenvalues()
        np.testing.assert_allclose(np.sort(drawn[:, 1]), np.sort(expected.imag))
        np.testing.assert_allclose(drawn[:, 0], expected.real)
        distance = np.linalg.norm(game.orbit(0.5, 0.0, 60), axis=1)
        np.testing.assert_allclose(curves(fig.axes[2])["played"][1], distance)
        assert f"modulus is {game.spectral_radius():.4f}" in caption
        assert "Alternating steps, non-saturating loss, R1 with γ = 0.50" in caption

    @pytest.mark.parametrize("step", [0.05, 1.0])
    @pytest.mark.parametrize("gamma", [0.0, 2.0])
    @pytest.mark.parametrize("alternating", [False, True])
    @pytest.mark.parametrize("saturating", [False, True])
    def test_draws_at_the_ends_of_its_sliders(self, step, gamma, alternating, saturating):
        fig, caption = draw.dirac(step, gamma, alternating, saturating)
        assert "nan" not in caption
        assert np.all(np.abs(fig.axes[1].collections[0].get_offsets()) <= 1.2)  # the eigenvalues are in the picture

    def test_fates_are_told(self):
        games = {"out": DiracGame(0.1), "in": DiracGame(0.1, 0.3)}
        fig, caption = draw.dirac_fates(games, steps=200)
        assert len(fig.axes) == 2
        for name, game in games.items():
            assert f"{name}: {np.linalg.norm(game.orbit(0.5, 0.0, 200)[-1]):.3f}" in caption
        dots = curves(fig.axes[0])["played"]
        np.testing.assert_allclose(np.transpose(dots), games["out"].orbit(0.5, 0.0, 200)[::2])

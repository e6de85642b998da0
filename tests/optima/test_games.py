"""The game's exact answers: against quadrature, scipy, automatic differentiation of the real losses, and simulation."""

import dataclasses

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.spatial.distance import jensenshannon
from scipy.stats import norm

from course_utils.models.gan import discriminator_loss, generator_loss, minimax_generator_loss
from course_utils.optima.games import DiracGame, Mixture, jensen_shannon, optimal_discriminator, value

DATA = Mixture([0.6, 0.4], [-1.5, 1.5], [0.5, 0.8])


class TestMixture:
    def test_density_is_that_of_scipy_and_integrates_to_the_cumulative(self):
        x = np.linspace(-4, 4, 9)
        expected = 0.6 * norm.pdf(x, -1.5, 0.5) + 0.4 * norm.pdf(x, 1.5, 0.8)
        np.testing.assert_allclose(DATA.density(x), expected, rtol=1e-13)
        assert quad(DATA.density, -10, 1)[0] == pytest.approx(DATA.cumulative(1.0), abs=1e-9)

    def test_bins_have_open_ends_and_sum_to_one(self):
        bins = DATA.bins(np.linspace(-1, 1, 4))
        assert bins.shape == (5,)
        assert bins.sum() == pytest.approx(1.0)
        assert bins[0] == pytest.approx(DATA.cumulative(-1.0))
        assert np.all(bins >= 0)

    def test_samples_fall_into_the_bins(self):
        edges = np.linspace(-3, 4, 15)
        x = DATA.sample(200_000, np.random.default_rng(0))
        counts = np.bincount(np.searchsorted(edges, x), minlength=16)
        expected = 200_000 * DATA.bins(edges)
        assert np.sum((counts - expected) ** 2 / expected) < 40  # χ² of 15 degrees of freedom

    def test_quantiles_have_the_density_without_noise(self):
        x = DATA.quantiles(1000)
        np.testing.assert_allclose(DATA.cumulative(x), (np.arange(1000) + 0.5) / 1000, atol=1e-12)
        assert Mixture([1.0], [0.0], [1.0]).quantiles(3) == pytest.approx(norm.ppf([1 / 6, 0.5, 5 / 6]))

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (([0.5, 0.6], [0, 1], [1, 1]), "positive and sum to one"),
            (([0.5, 0.5], [0, 1], [1, 0]), "deviations must be positive"),
            (([0.5, 0.5], [0, 1, 2], [1, 1]), "one number for each component"),
        ],
    )
    def test_errors(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            Mixture(*arguments)


class TestTheGame:
    def test_best_discriminator_is_found_by_search_too(self):
        for p, q in ((0.3, 0.1), (0.05, 0.6), (0.2, 0.2)):
            best = minimize_scalar(
                lambda d, p=p, q=q: -p * np.log(d) - q * np.log(1 - d), bounds=(1e-9, 1 - 1e-9), method="bounded"
            ).x
            assert optimal_discriminator(p, q) == pytest.approx(best, abs=1e-5)
        np.testing.assert_array_equal(optimal_discriminator([0, 0, 1], [0, 1, 0]), [0.5, 0, 1])

    def test_value_at_the_best_discriminator_is_the_divergence(self):
        rng = np.random.default_rng(0)
        p, q = rng.dirichlet(np.ones(30)), rng.dirichlet(np.ones(30))
        best = optimal_discriminator(p, q)
        assert value(p, q, best) == pytest.approx(-np.log(4) + 2 * jensen_shannon(p, q), abs=1e-12)
        for _ in range(20):  # and no other is better
            other = np.clip(best + rng.normal(scale=0.05, size=30), 1e-6, 1 - 1e-6)
            assert value(p, q, other) < value(p, q, best)

    def test_at_the_end_it_says_one_half_and_the_game_is_worth_minus_log_4(self):
        p = np.random.default_rng(1).dirichlet(np.ones(9))
        np.testing.assert_allclose(optimal_discriminator(p, p), 0.5)
        assert value(p, p, np.full(9, 0.5)) == pytest.approx(-np.log(4))

    def test_divergence_is_the_square_of_scipys_distance(self):
        rng = np.random.default_rng(2)
        p, q = rng.dirichlet(np.ones(12)), rng.dirichlet(np.ones(12))
        assert jensen_shannon(p, q) == pytest.approx(jensenshannon(p, q) ** 2, abs=1e-12)
        assert jensen_shannon([1, 0], [0, 1]) == pytest.approx(np.log(2))


GAMES = [
    DiracGame(0.1),
    DiracGame(0.1, alternating=True),
    DiracGame(0.1, gamma=0.3),
    DiracGame(0.1, gamma=0.3, alternating=True),
    DiracGame(0.3, gamma=0.6),
]


class TestDiracGame:
    @pytest.mark.parametrize("game", GAMES, ids=str)
    @pytest.mark.parametrize(("loss", "saturating"), [(generator_loss, False), (minimax_generator_loss, True)])
    def test_update_and_jacobian_are_those_of_the_real_losses(self, game, loss, saturating):
        """By torch's differentiation of the course's own losses, and of the update that training would make."""
        game = dataclasses.replace(game, saturating=saturating)

        def discriminator(psi, theta):
            return discriminator_loss((psi * 0.0)[None], (psi * theta)[None]) + 0.5 * game.gamma * psi**2

        def update(point):
            theta, psi = point
            new_psi = psi - game.step * torch.func.grad(discriminator)(psi, theta)
            seen = new_psi if game.alternating else psi
            slope = torch.func.grad(lambda theta, seen: loss((seen * theta)[None]))(theta, seen)
            return torch.stack([theta - game.step * slope, new_psi])

        point = torch.tensor([0.7, -1.3], dtype=torch.float64)
        np.testing.assert_allclose(update(point).numpy(), game.update(0.7, -1.3), rtol=1e-12)
        jacobian = torch.func.jacrev(update)(torch.zeros(2, dtype=torch.float64))
        np.testing.assert_allclose(jacobian.numpy(), game.jacobian(), atol=1e-12)

    @pytest.mark.parametrize("game", GAMES, ids=str)
    def test_simulated_radius_is_the_predicted_one(self, game):
        """Near the equilibrium the distance grows by |λ| a step, averaged over a whole number of turns."""
        eigenvalue = game.eigenvalues()[0]
        assert eigenvalue.imag != 0
        orbit = game.orbit(1e-7, 0.0, 2000)
        # In the coordinates of the eigenvectors the orbit is a spiral: its modulus is multiplied by |λ| at each step.
        _, vectors = np.linalg.eig(game.jacobian())
        modulus = np.abs(np.linalg.solve(vectors, orbit.T)[0])
        simulated = (modulus[-1] / modulus[0]) ** (1 / 2000)
        assert simulated == pytest.approx(game.spectral_radius(), abs=1e-9)

    def test_the_three_fates(self):
        assert DiracGame(0.1).spectral_radius() == pytest.approx(np.sqrt(1 + 0.05**2), abs=1e-12)  # out
        assert DiracGame(0.1, alternating=True).spectral_radius() == pytest.approx(1.0, abs=1e-12)  # round
        assert DiracGame(0.1, gamma=0.3).spectral_radius() == pytest.approx(np.sqrt(0.97 + 0.05**2), abs=1e-12)  # in

    def test_an_orbit_that_runs_away_stays_a_number(self):
        orbit = DiracGame(1.0, gamma=2.5, alternating=True).orbit(3.0, 40.0, 200)
        assert np.isfinite(orbit).all()

    def test_far_from_the_equilibrium_it_goes_where_theory_says(self):
        distance = np.linalg.norm(DiracGame(0.1).orbit(0.5, 0.0, 3000), axis=1)
        assert distance[-1] > 2 * distance[0]
        distance = np.linalg.norm(DiracGame(0.1, gamma=0.3).orbit(0.5, 0.0, 3000), axis=1)
        assert distance[-1] < 1e-9

    def test_the_non_saturating_loss_draws_in_by_the_fourth_order(self):
        """d(θ² + ψ²)/dt = −2 θψ tanh(ψθ/2): as much at half the distance takes sixteen times as long."""
        theta, psi, step = 0.4, 0.9, 1e-6
        new = DiracGame(step, saturating=False).update(theta, psi)
        found = (new[0] ** 2 + new[1] ** 2 - theta**2 - psi**2) / step
        assert found == pytest.approx(-2 * theta * psi * np.tanh(psi * theta / 2), rel=1e-4)
        new = DiracGame(step).update(theta, psi)
        assert abs(new[0] ** 2 + new[1] ** 2 - theta**2 - psi**2) < 2 * step**2

"""The networks and losses of lesson 4: by hand, against binary cross-entropy, and in their limits."""

import math

import pytest
import torch
from scipy.stats import kstest
from torch.nn.functional import binary_cross_entropy_with_logits

from course_utils.models.gan import (
    LOSSES,
    Discriminator,
    Game,
    Generator,
    discriminator_loss,
    generator_loss,
    minimax_generator_loss,
    normal,
    r1_penalty,
    relativistic_discriminator_loss,
    relativistic_generator_loss,
    stratified_normal,
)

LOGITS = torch.tensor([-40.0, -3.0, 0.0, 0.5, 60.0], requires_grad=True)


class TestLosses:
    def test_discriminator_loss_is_cross_entropy_summed_over_both_kinds(self):
        real, fake = torch.tensor([0.3, -2.0, 4.0]), torch.tensor([1.0, -0.5])
        expected = binary_cross_entropy_with_logits(real, torch.ones(3))
        expected += binary_cross_entropy_with_logits(fake, torch.zeros(2))
        torch.testing.assert_close(discriminator_loss(real, fake), expected)
        assert discriminator_loss(torch.zeros(3), torch.zeros(2)).item() == pytest.approx(2 * math.log(2))

    def test_generator_losses_are_those_of_the_paper(self):
        fake = torch.tensor([1.0, -0.5, 3.0], dtype=torch.float64)
        D = torch.sigmoid(fake)
        torch.testing.assert_close(generator_loss(fake), -torch.log(D).mean())
        torch.testing.assert_close(minimax_generator_loss(fake), torch.log(1 - D).mean())

    @pytest.mark.parametrize("loss", [generator_loss, minimax_generator_loss])
    def test_finite_where_the_discriminator_is_sure(self, loss):
        (gradient,) = torch.autograd.grad(loss(LOGITS), LOGITS)
        assert torch.isfinite(gradient).all()

    def test_where_the_discriminator_is_sure_only_one_of_them_has_a_gradient(self):
        """The derivatives by the logit s are −σ(−s) and −σ(s): they add up to −1."""
        (saturating,) = torch.autograd.grad(minimax_generator_loss(LOGITS), LOGITS)
        (steep,) = torch.autograd.grad(generator_loss(LOGITS), LOGITS)
        torch.testing.assert_close(5 * saturating, -torch.sigmoid(LOGITS.detach()))
        torch.testing.assert_close(5 * steep, -torch.sigmoid(-LOGITS.detach()))
        assert abs(saturating[0]) < 1e-15
        assert steep[0].item() == pytest.approx(-0.2)


class TestPenalty:
    def test_of_a_quadratic_logit_is_known(self):
        """The logit Σ a_j x_j² has the gradient 2 a_j x_j."""
        a = torch.tensor([1.0, -2.0, 0.5])
        x = torch.randn(7, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
        penalty = r1_penalty((a * x**2).sum(dim=1), x)
        torch.testing.assert_close(penalty, 0.5 * ((2 * a * x) ** 2).sum(dim=1).mean())

    def test_reaches_the_discriminators_weights(self):
        D, x = Discriminator(3, (8,)), torch.randn(5, 3).requires_grad_()
        r1_penalty(D(x), x).backward()
        assert D.layers[0].weight.grad.abs().sum() > 0

    def test_needs_the_gradient_of_x(self):
        D, x = Discriminator(3, (8,)), torch.randn(5, 3)
        with pytest.raises(ValueError, match="x must require its gradient"):
            r1_penalty(D(x), x)


class TestNetworks:
    def test_shapes(self):
        G, D = Generator(4, (8, 9), 6, classes=3, squash=True), Discriminator(6, (7,), classes=3)
        y = torch.tensor([0, 2, 2, 1, 0])
        x = G(torch.randn(5, 4), y)
        assert x.shape == (5, 6)
        assert torch.all((x > 0) & (x < 1))
        assert D(x, y).shape == (5,)
        assert Generator(2, (8,), 6)(torch.randn(5, 2)).shape == (5, 6)

    def test_the_class_matters(self):
        torch.manual_seed(0)
        G, z = Generator(4, (8,), 6, classes=3), torch.randn(1, 4)
        one, other = (G(z, torch.tensor([k])) for k in (0, 1))
        assert not torch.allclose(one, other)

    @pytest.mark.parametrize("network", [Generator(4, (8,), 6, classes=3), Discriminator(4, (8,), classes=3)])
    def test_a_missing_class_is_named(self, network):
        with pytest.raises(ValueError, match="made for 3 classes, so y must be given"):
            network(torch.randn(5, 4))

    def test_a_class_too_many_is_named(self):
        with pytest.raises(ValueError, match="made for 0 classes, so y must be None"):
            Generator(4, (8,), 6)(torch.randn(5, 4), torch.zeros(5, dtype=torch.int64))


class TestRelativisticLosses:
    def test_are_cross_entropies_of_the_paired_difference(self):
        real, fake = torch.tensor([0.3, -2.0, 4.0]), torch.tensor([1.0, -0.5, -3.0])
        ones = torch.ones(3)
        torch.testing.assert_close(
            relativistic_discriminator_loss(real, fake), binary_cross_entropy_with_logits(real - fake, ones)
        )
        torch.testing.assert_close(
            relativistic_generator_loss(real, fake), binary_cross_entropy_with_logits(fake - real, ones)
        )

    def test_only_the_difference_counts(self):
        """A discriminator that adds the same to every logit has learnt nothing by it."""
        real, fake = torch.tensor([0.3, -2.0]), torch.tensor([1.0, -0.5])
        for loss in (relativistic_discriminator_loss, relativistic_generator_loss):
            torch.testing.assert_close(loss(real + 7, fake + 7), loss(real, fake))
            assert loss(torch.zeros(2), torch.zeros(2)).item() == pytest.approx(math.log(2))


class TestStratifiedNormal:
    def test_one_draw_in_each_stratum_of_each_number(self):
        z = stratified_normal(100, 3, torch.Generator().manual_seed(0)).double()
        assert z.shape == (100, 3)
        strata = (torch.special.ndtr(z) * 100).floor().sort(dim=0).values
        torch.testing.assert_close(strata, torch.arange(100.0, dtype=torch.float64)[:, None].expand(-1, 3))
        assert not torch.equal(z[:, 0].argsort(), z[:, 1].argsort())  # each number in an order of its own

    def test_each_row_by_itself_is_normal(self):
        """Row 0 of many batches, against the normal distribution: Kolmogorov's test."""
        generator = torch.Generator().manual_seed(1)
        first = [stratified_normal(8, 1, generator)[0, 0].item() for _ in range(2000)]
        assert kstest(first, "norm").pvalue > 0.01

    def test_takes_the_noise_of_the_batch_out_of_a_mean(self):
        generator = torch.Generator().manual_seed(2)
        spread = [
            torch.stack([draw(256, 1, generator).sigmoid().mean() for _ in range(200)]).std().item()
            for draw in (normal, stratified_normal)
        ]
        assert spread[1] < 0.05 * spread[0]


def small_game(**rules):
    torch.manual_seed(0)
    return Game(Generator(2, (8,), 3, classes=4), Discriminator(3, (7,), classes=4), **rules)


class TestGame:
    X = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    Y = torch.tensor([0, 3, 1, 1, 2])

    @pytest.mark.parametrize("gamma", [0.0, 0.7])
    @pytest.mark.parametrize("gamma_fake", [0.0, 1.3])
    @pytest.mark.parametrize("loss", LOSSES)
    def test_losses_are_their_parts_summed(self, loss, gamma, gamma_fake):
        game = small_game(loss=loss, gamma=gamma, gamma_fake=gamma_fake)
        forged = game.forge(5, self.Y, torch.Generator().manual_seed(1))
        x, f = self.X.clone().requires_grad_(), forged.detach().requires_grad_()
        real, fake = game.discriminator(x, self.Y), game.discriminator(f, self.Y)
        if loss == "relativistic":
            expected = relativistic_discriminator_loss(real, fake), relativistic_generator_loss(real, fake)
        else:
            expected = (
                discriminator_loss(real, fake),
                (minimax_generator_loss if loss == "minimax" else generator_loss)(fake),
            )
        penalties = gamma * r1_penalty(real, x) + gamma_fake * r1_penalty(fake, f)
        found, real_logits, fake_logits = game.discriminator_loss(self.X, forged, self.Y)
        torch.testing.assert_close(found, expected[0] + penalties)
        torch.testing.assert_close((real_logits, fake_logits), (real.detach(), fake.detach()))
        torch.testing.assert_close(game.generator_loss(self.X, forged, self.Y), expected[1])
        assert not self.X.requires_grad  # the batch is left as it was

    def test_the_discriminators_loss_does_not_reach_the_generator(self):
        game = small_game(gamma=1.0, gamma_fake=1.0)
        forged = game.forge(5, self.Y, torch.Generator())
        game.discriminator_loss(self.X, forged, self.Y)[0].backward()
        assert all(p.grad is None for p in game.generator.parameters())
        assert all(p.grad is not None for p in game.discriminator.parameters())
        game.generator_loss(self.X, forged, self.Y).backward()
        assert all(p.grad is not None for p in game.generator.parameters())

    def test_forged_and_sampled_come_from_the_given_generator(self):
        game = small_game()
        drawn = game.sample(5, torch.Generator().manual_seed(3), self.Y)
        assert not drawn.requires_grad
        torch.testing.assert_close(game.forge(5, self.Y, torch.Generator().manual_seed(3)).detach(), drawn)
        stratified = small_game(stratified=True)
        z = stratified_normal(5, 2, torch.Generator().manual_seed(3))
        torch.testing.assert_close(
            stratified.forge(5, self.Y, torch.Generator().manual_seed(3)), stratified.generator(z, self.Y)
        )

    @pytest.mark.parametrize(
        ("rules", "message"),
        [
            ({"loss": "hinge"}, "loss must be one of non-saturating, minimax, relativistic; got 'hinge'"),
            ({"gamma": -1.0}, "must not be negative; got -1.0 and 0.0"),
            ({"gamma_fake": -2.0}, "must not be negative; got 0.0 and -2.0"),
        ],
    )
    def test_errors(self, rules, message):
        with pytest.raises(ValueError, match=message):
            small_game(**rules)

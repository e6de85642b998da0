"""The networks and losses of lesson 4: by hand, against binary cross-entropy, and in their limits."""

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from course_utils.models.gan import (
    Discriminator,
    Generator,
    discriminator_loss,
    generator_loss,
    minimax_generator_loss,
    r1_penalty,
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

"""The autoencoder of lesson 5: shapes, what it is made of, and its error."""

import pytest
import torch
from torch import nn

from course_utils.models.vae import Autoencoder, squared_error


class TestAutoencoder:
    def test_shapes_there_and_back(self):
        model, x = Autoencoder((12, 7, 3)), torch.randn(5, 12)
        assert model.encode(x).shape == (5, 3)
        assert model.decode(torch.randn(4, 3)).shape == (4, 12)
        assert model(x).shape == (5, 12)
        torch.testing.assert_close(model(x), model.decode(model.encode(x)))

    def test_the_decoder_mirrors_the_encoder(self):
        model = Autoencoder((12, 7, 5, 3))
        sizes = [
            [(m.in_features, m.out_features) for m in half if isinstance(m, nn.Linear)] for half in model.children()
        ]
        assert sizes == [[(12, 7), (7, 5), (5, 3)], [(3, 5), (5, 7), (7, 12)]]
        kinds = [type(m) for m in model.encoder]
        assert kinds == [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]  # no activation on the latent numbers

    def test_the_linear_one_is_affine(self):
        torch.manual_seed(0)
        model = Autoencoder((6, 4, 2), linear=True).double()
        x, y = torch.randn(2, 9, 6, dtype=torch.float64)
        torch.testing.assert_close(model(0.3 * x + 0.7 * y), 0.3 * model(x) + 0.7 * model(y))
        assert not torch.allclose(Autoencoder((6, 4, 2))(x.float()) * 2, Autoencoder((6, 4, 2))(2 * x.float()))

    def test_number_of_parameters(self):
        weights, biases = 2 * (12 * 7 + 7 * 3), (7 + 3) + (7 + 12)
        for linear in (False, True):
            assert sum(p.numel() for p in Autoencoder([12, 7, 3], linear=linear).parameters()) == weights + biases

    @pytest.mark.parametrize("sizes", [(), (5,), (5, 0), (-5, 2)])
    def test_too_few_sizes_are_named(self, sizes):
        with pytest.raises(ValueError, match="sizes must be at least two positive numbers"):
            Autoencoder(sizes)


def test_squared_error_is_a_sum_over_pixels():
    x = torch.arange(6.0).reshape(2, 3)
    torch.testing.assert_close(squared_error(x, torch.ones(2, 3)), torch.tensor([1.0 + 0 + 1, 4.0 + 9 + 16]))
    torch.testing.assert_close(squared_error(torch.ones(2, 3), x), torch.tensor([2.0, 29.0]))

"""The autoencoders of lesson 5: shapes, what they are made of; the VAE's bounds against quadrature and exact models."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from course_utils.models import vae
from course_utils.models.linear_vae import LinearVAE
from course_utils.models.vae import VAE, Autoencoder, elbo, gaussian_kl, iwae_bound, sample_latent, squared_error
from course_utils.optima.ppca import ProbabilisticPCA


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


def binary(n, pixels, seed=0):
    """Random zeros and ones, (n, pixels)."""
    return torch.bernoulli(torch.full((n, pixels), 0.4), generator=torch.Generator().manual_seed(seed))


def large(model, seed=0):
    """The same model with every parameter drawn from N(0, 0.5²): at its small initial values little depends on z."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(0.5 * torch.randn(p.shape, generator=generator))
    return model


def exact_log_marginal(model, x, y=None):
    """log ∫ p(x | z) p(z) dz of a model with two latent numbers, by a 40 × 40 Gauss–Hermite rule: (batch,)."""
    nodes, weights = (torch.from_numpy(part).to(x.dtype) for part in np.polynomial.hermite_e.hermegauss(40))
    z = torch.cartesian_prod(nodes, nodes)[:, None].expand(-1, len(x), -1)  # (1600, batch, 2)
    log_weights = torch.log(torch.outer(weights, weights).reshape(-1, 1) / (2 * math.pi))
    label = () if y is None else (y,)
    return torch.logsumexp(model.log_likelihood(x, z, *label) + log_weights, dim=0)


class TestGaussianKL:
    @given(seed=st.integers(0, 2**32 - 1), shape=st.sampled_from([(1, 1), (3, 2), (2, 5)]))
    def test_is_torchs(self, seed, shape):
        generator = torch.Generator().manual_seed(seed)
        mu, log_var = 2 * torch.randn((2, *shape), generator=generator, dtype=torch.float64)
        q = torch.distributions.Normal(mu, (0.5 * log_var).exp())
        p = torch.distributions.Normal(torch.zeros_like(mu), torch.ones_like(mu))
        torch.testing.assert_close(gaussian_kl(mu, log_var), torch.distributions.kl_divergence(q, p).sum(dim=-1))

    def test_zero_only_at_the_prior(self):
        assert gaussian_kl(torch.zeros(1, 4), torch.zeros(1, 4)).item() == 0
        assert gaussian_kl(torch.zeros(1, 4), torch.tensor([[0, 0, 0.01, 0]])) > 0
        assert gaussian_kl(torch.tensor([[0, 0.01, 0, 0]]), torch.zeros(1, 4)) > 0

    def test_of_each_dimension(self):
        mu, log_var = torch.randn(2, 5, 3)
        each = gaussian_kl(mu[..., None], log_var[..., None])
        assert each.shape == (5, 3)
        torch.testing.assert_close(each.sum(dim=1), gaussian_kl(mu, log_var))


class TestVAE:
    def test_shapes(self):
        model, x = VAE((12, 7, 3)), binary(5, 12)
        mu, log_var = model.encode(x)
        assert mu.shape == log_var.shape == (5, 3)
        assert model.decode(torch.randn(4, 5, 3)).shape == (4, 5, 12)
        assert model.log_likelihood(x, torch.randn(4, 5, 3)).shape == (4, 5)
        assert [part.shape for part in elbo(model, x)] == [(5,), (5,)]
        assert iwae_bound(model, x, 4).shape == (5,)
        assert model.sample(6).shape == (6, 12)

    def test_likelihood_is_bernoulli(self):
        model, x, z = large(VAE((12, 7, 3))), binary(5, 12), torch.randn(4, 5, 3)
        expected = torch.distributions.Bernoulli(logits=model.decode(z)).log_prob(x.expand(4, 5, 12)).sum(dim=-1)
        torch.testing.assert_close(model.log_likelihood(x, z), expected)

    def test_likelihood_is_a_distribution_over_all_images(self):
        """Sums to one over the 2⁶ images of six pixels, for p(x | z) and, by quadrature, for p(x)."""
        images = torch.tensor(list(itertools.product([0.0, 1.0], repeat=6)), dtype=torch.float64)
        model = large(VAE((6, 4, 2))).double()
        z = torch.randn(3, 1, 2, dtype=torch.float64).expand(3, 64, 2)
        total = model.log_likelihood(images, z).exp().sum(dim=-1)
        torch.testing.assert_close(total, torch.ones(3, dtype=torch.float64))
        assert exact_log_marginal(model, images).exp().sum().item() == pytest.approx(1, abs=1e-6)

    def test_no_probability_is_rounded_to_zero(self):
        model = VAE((4, 2))
        with torch.no_grad():
            model.decoder[-1].weight.zero_()
            model.decoder[-1].bias.copy_(torch.tensor([-500.0, 500, -500, 500]))
        x = torch.tensor([[1.0, 0, 0, 1]])
        assert model.log_likelihood(x, torch.zeros(1, 2)).item() == -1000

    def test_without_a_hidden_layer_the_logits_are_affine_in_z(self):
        model, (a, b) = large(VAE((6, 2))), torch.randn(2, 5, 2)
        torch.testing.assert_close(model.decode(0.3 * a + 0.7 * b), 0.3 * model.decode(a) + 0.7 * model.decode(b))

    def test_sample_has_the_models_pixel_means(self):
        model = large(VAE((6, 4, 2)))
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            drawn, means = (model.sample(40_000, generator, mean=mean) for mean in (False, True))
        assert drawn.unique().tolist() == [0, 1]
        assert means.std(dim=0).max() > 0.05
        np.testing.assert_allclose(drawn.mean(dim=0), means.mean(dim=0), atol=0.015)
        expected = exact_pixel_means(model)
        np.testing.assert_allclose(means.mean(dim=0), expected, atol=0.01)

    def test_classes_change_what_is_drawn_and_are_demanded(self):
        model, x, y = large(VAE((12, 7, 3), classes=4)), binary(5, 12), torch.tensor([0, 1, 2, 3, 0])
        z = torch.randn(2, 5, 3)
        by_class = model.log_likelihood(x, z, y)
        for i in range(5):  # broadcast over the draws, each row with its own label
            alone = model.log_likelihood(x[i : i + 1], z[:, i : i + 1], y[i : i + 1])
            torch.testing.assert_close(alone[:, 0], by_class[:, i])
        assert not torch.allclose(by_class, model.log_likelihood(x, z, y.flip(0).roll(1)))
        reconstruction, kl = elbo(model, x, y=y)
        assert reconstruction.shape == kl.shape == iwae_bound(model, x, 3, y=y).shape == (5,)
        assert model.sample(5, y=y).shape == (5, 12)
        with pytest.raises(ValueError, match="made for 4 classes, so y must be given"):
            model.encode(x)
        with pytest.raises(ValueError, match="made for 0 classes, so y must be None"):
            VAE((12, 7, 3)).encode(x, y)

    @pytest.mark.parametrize(
        ("x", "message"),
        [
            (torch.zeros(12), r"x must have shape \(batch, 12\), flattened images; got \(12,\)"),
            (torch.zeros(2, 3, 4), r"x must have shape \(batch, 12\).*got \(2, 3, 4\)"),
            (torch.zeros(2, 11), r"x must have shape \(batch, 12\).*got \(2, 11\)"),
            (torch.zeros(0, 12), "at least one image; got an empty batch"),
            (torch.full((2, 12), 1.5), r"pixels in \[0, 1\]; got values from 1.5 to 1.5"),
            (torch.linspace(-1, 1, 12)[None], r"pixels in \[0, 1\]; got values from -1 to 1"),
            (torch.full((2, 12), math.nan), r"pixels in \[0, 1\]; got NaN"),
        ],
    )
    def test_bad_images_are_named(self, x, message):
        model = VAE((12, 7, 3))
        for call in (model.encode, lambda x: elbo(model, x), lambda x: iwae_bound(model, x, 2)):
            with pytest.raises(ValueError, match=message):
                call(x)

    def test_bad_arguments_are_named(self):
        with pytest.raises(ValueError, match="sizes must be at least two positive numbers"):
            VAE((5,))
        with pytest.raises(ValueError, match="k must be at least 1; got 0"):
            iwae_bound(VAE((12, 3)), binary(2, 12), 0)


def exact_pixel_means(model):
    """E σ(logits(z)) under the prior, by quadrature."""
    nodes, weights = (torch.from_numpy(part).float() for part in np.polynomial.hermite_e.hermegauss(40))
    with torch.no_grad():
        probabilities = torch.sigmoid(model.decode(torch.cartesian_prod(nodes, nodes)))
    return (torch.outer(weights, weights).reshape(1, -1) / (2 * math.pi) @ probabilities).squeeze(0)


class TestBounds:
    @pytest.fixture
    def model(self):
        return large(VAE((6, 5, 2))).double()

    def test_elbo_plus_gap_is_the_evidence(self, model):
        """log p(x) − ELBO = KL(q ‖ p(z | x)), every term by quadrature over the plane of z."""
        x = binary(5, 6).double()
        with torch.no_grad():
            mu, log_var = model.encode(x)
            nodes, weights = (torch.from_numpy(part) for part in np.polynomial.hermite_e.hermegauss(40))
            weight = torch.outer(weights, weights).reshape(-1, 1) / (2 * math.pi)
            z = mu + (0.5 * log_var).exp() * torch.cartesian_prod(nodes, nodes)[:, None]  # (1600, 5, 2), under q
            log_likelihood, exact = model.log_likelihood(x, z), exact_log_marginal(model, x)
            log_prior = torch.distributions.Normal(0, 1).log_prob(z).sum(dim=-1)
            log_q = torch.distributions.Normal(mu, (0.5 * log_var).exp()).log_prob(z).sum(dim=-1)
            gap = (weight * (log_q - log_likelihood - log_prior + exact)).sum(dim=0)
            reconstruction = (weight * log_likelihood).sum(dim=0)
            torch.testing.assert_close(reconstruction - gaussian_kl(mu, log_var) + gap, exact)
            assert gap.min() > 0.01
            draws = torch.stack([elbo(model, x, torch.Generator().manual_seed(i))[0] for i in range(4000)])
        error = draws.std(dim=0) / len(draws) ** 0.5
        assert ((draws.mean(dim=0) - reconstruction).abs() < 4 * error).all()

    def test_iwae_rises_from_the_elbo_to_the_evidence(self, model):
        x, generator = binary(5, 6).double(), torch.Generator().manual_seed(0)
        with torch.no_grad():
            exact = exact_log_marginal(model, x)
            means, errors = [], []
            for k in (1, 3, 10, 100):
                # Many estimates at once: the rows of x are repeated.
                found = iwae_bound(model, x.repeat(2000, 1), k, generator).reshape(2000, 5)
                means.append(found.mean(dim=0))
                errors.append(found.std(dim=0) / 2000**0.5)
            reconstruction, kl = elbo(model, x.repeat(2000, 1), generator)
        for (low, e), (high, f) in itertools.pairwise(zip(means, errors, strict=True)):
            assert (high - low > -4 * (e**2 + f**2).sqrt()).all()
        assert (means[0] < exact - 0.01).all()
        assert (exact - means[-1] < 0.1 * (exact - means[0])).all()
        assert (exact - means[-1] > -4 * errors[-1]).all()
        assert ((means[0] - (reconstruction - kl).reshape(2000, 5).mean(dim=0)).abs() < 8 * errors[0]).all()

    def test_iwae_of_one_draw_is_the_log_weight(self, model):
        x = binary(5, 6).double()
        mu, log_var = model.encode(x)
        z = sample_latent(mu, log_var, torch.Generator().manual_seed(3), k=1)[0]
        normal = torch.distributions.Normal
        log_weight = model.log_likelihood(x, z) + normal(0, 1).log_prob(z).sum(dim=-1)
        log_weight -= normal(mu, (0.5 * log_var).exp()).log_prob(z).sum(dim=-1)
        torch.testing.assert_close(iwae_bound(model, x, 1, torch.Generator().manual_seed(3)), log_weight)

    def test_portions_are_joined_as_one(self, model, monkeypatch):
        x = binary(5, 6).double()
        monkeypatch.setattr(vae, "PORTION", 20 * len(x))
        joined = iwae_bound(model, x, 33, torch.Generator().manual_seed(0))
        generator = torch.Generator().manual_seed(0)
        parts = [iwae_bound(model, x, k, generator) + math.log(k) for k in (20, 13)]
        torch.testing.assert_close(joined, torch.logaddexp(*parts) - math.log(33))

    def test_exact_on_probabilistic_pca(self):
        """With the posterior as q each draw's weight is p(x), whatever k: no other q does that."""
        rng = np.random.default_rng(0)
        W, s = np.linalg.qr(rng.normal(size=(5, 2)))[0] * [1.5, 0.8], 0.3  # orthogonal: the posterior is diagonal
        exact = ProbabilisticPCA(W, np.zeros(5), s)
        X, _ = exact.sample(4, rng)
        model = LinearVAE(5, 2)
        mean, covariance = exact.posterior(X)
        with torch.no_grad():
            model.weights.copy_(torch.from_numpy(W))
            model.log_variance.fill_(math.log(s))
            model.encoder.copy_(torch.from_numpy(np.linalg.lstsq(X, mean, rcond=None)[0].T))
            model.log_latent_variance.copy_(torch.from_numpy(np.log(np.diag(covariance))))
            x, expected = torch.from_numpy(X), torch.from_numpy(exact.log_marginal(X))
            for k in (1, 7):
                torch.testing.assert_close(iwae_bound(model, x, k), expected, atol=1e-9, rtol=0)
            model.log_latent_variance += 0.5
            assert (iwae_bound(model, x, 1) - expected).abs().max() > 0.01

    def test_gradient_reaches_every_parameter(self):
        model = VAE((12, 7, 3))
        reconstruction, kl = elbo(model, binary(5, 12))
        (kl - reconstruction).mean().backward()
        assert all(p.grad.abs().sum() > 0 for p in model.parameters())

    def test_the_generator_decides_the_draw(self):
        model, x = large(VAE((12, 7, 3))), binary(5, 12)
        first, again, other = (elbo(model, x, torch.Generator().manual_seed(seed))[0] for seed in (1, 1, 2))
        torch.testing.assert_close(first, again, rtol=0, atol=0)
        assert not torch.allclose(first, other)


class TestSampleLatent:
    def test_moments_and_shapes(self):
        mu, log_var = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.0, math.log(0.25)]])
        assert sample_latent(mu, log_var).shape == (1, 2)
        z = sample_latent(mu, log_var, torch.Generator().manual_seed(0), k=100_000)
        assert z.shape == (100_000, 1, 2)
        np.testing.assert_allclose(z.mean(dim=0), mu, atol=0.02)
        np.testing.assert_allclose(z.std(dim=0), [[1.0, 0.5]], atol=0.01)

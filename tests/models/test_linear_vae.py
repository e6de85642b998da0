"""The linear VAE: its closed-form bound, and that at its best it is probabilistic PCA."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from course_utils.data.images import digits
from course_utils.models.linear_vae import LinearVAE
from course_utils.models.vae import elbo
from course_utils.optima.ppca import ProbabilisticPCA


@pytest.fixture
def model():
    made = LinearVAE(5, 3, torch.Generator().manual_seed(1))
    with torch.no_grad():
        for p in made.parameters():
            p.copy_(0.7 * torch.randn(p.shape, generator=torch.Generator().manual_seed(2), dtype=p.dtype))
    made.mean += 0.3
    return made


class TestExactElbo:
    def test_is_the_exact_models_bound(self, model):
        x = torch.randn(7, 5, dtype=torch.float64)
        exact = ProbabilisticPCA(model.weights.detach().numpy(), model.mean.numpy(), model.variance)
        mu, log_var = (part.detach().numpy() for part in model.encode(x))
        covariance = np.exp(log_var)[:, None] * np.eye(3)
        reconstruction, kl = (part.detach().numpy() for part in model.exact_elbo(x))
        np.testing.assert_allclose(reconstruction, exact.expected_log_likelihood(x.numpy(), mu, covariance), atol=1e-10)
        np.testing.assert_allclose(kl, exact.kl_to_prior(mu, covariance), atol=1e-10)

    def test_is_the_mean_of_the_estimate_by_draws(self, model):
        x = torch.randn(3, 5, dtype=torch.float64)
        with torch.no_grad():
            exact, exact_kl = model.exact_elbo(x)
            drawn, kl = elbo(model, x.repeat(20_000, 1), torch.Generator().manual_seed(0))
        drawn = drawn.reshape(-1, 3)
        assert ((drawn.mean(dim=0) - exact).abs() < 4 * drawn.std(dim=0) / len(drawn) ** 0.5).all()
        torch.testing.assert_close(kl[:3], exact_kl)


class TestFit:
    @pytest.mark.parametrize("latent", [2, 4])
    def test_reaches_the_optimum_of_principal_component_analysis(self, latent):
        X = digits("train").X
        x = torch.from_numpy(X)
        model = LinearVAE(64, latent, torch.Generator().manual_seed(0)).fit(x)
        reconstruction, kl = model.exact_elbo(x)
        pca = PCA(latent).fit(X)
        assert abs((reconstruction - kl).mean().item() - pca.score(X)) < 0.01
        W = model.weights.detach().numpy()
        cosines = np.abs(pca.components_ @ W / np.linalg.norm(W, axis=0))  # (components, columns)
        np.testing.assert_allclose(np.sort(cosines.max(axis=0)), 1, atol=1e-3)
        assert sorted(cosines.argmax(axis=0)) == list(range(latent))  # each component once
        # There q is the posterior itself, for every image.
        exact = ProbabilisticPCA(W, model.mean.numpy(), model.variance)
        mu, log_var = (part.detach().numpy() for part in model.encode(x))
        assert exact.kl_to_posterior(X, mu, np.exp(log_var)[:, None] * np.eye(latent)).max() < 1e-2

    def test_the_few_rows_it_fits_have_the_bound_of_all(self):
        """From an optimum of all rows, fit finds nothing better: its d rows stand for the n."""
        x = torch.randn(200, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(3)) @ torch.randn(
            6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(4)
        )
        model = LinearVAE(6, 2, torch.Generator().manual_seed(0)).fit(x)
        optimum = ProbabilisticPCA.fit(x.numpy(), 2).log_marginal(x.numpy()).mean()
        reconstruction, kl = model.exact_elbo(x)
        assert (reconstruction - kl).mean().item() == pytest.approx(optimum, abs=1e-4)


def test_sample_has_the_models_covariance(model):
    x = model.sample(100_000, torch.Generator().manual_seed(0)).detach().numpy()
    exact = ProbabilisticPCA(model.weights.detach().numpy(), model.mean.numpy(), model.variance)
    np.testing.assert_allclose(np.cov(x.T), exact.covariance, atol=0.04 * exact.covariance.max())
    np.testing.assert_allclose(x.mean(axis=0), exact.mean, atol=0.05)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.zeros(5), r"x must have shape \(batch, 5\); got \(5,\)"),
        (torch.zeros(2, 4), r"x must have shape \(batch, 5\); got \(2, 4\)"),
        (torch.zeros(0, 5), "at least one row; got an empty batch"),
        (torch.full((2, 5), torch.nan), "finite numbers; got NaN"),
    ],
)
def test_bad_input_is_named(model, x, message):
    for call in (model.encode, model.exact_elbo, model.fit):
        with pytest.raises(ValueError, match=message):
            call(x.double())


def test_a_latent_space_as_large_as_the_data_is_refused():
    with pytest.raises(ValueError, match="latent must be at least 1 and below features, 5; got 5"):
        LinearVAE(5, 5)

"""The Bernoulli mixture: EM only climbs, the density is one, and what was drawn is found again."""

import itertools

import numpy as np
import pytest

from course_utils.models.bernoulli_mixture import BernoulliMixture
from course_utils.models.naive_bayes import BernoulliNB


def two_groups(n, seed=0):
    """Rows of 7 pixels from two components, and which."""
    rng = np.random.default_rng(seed)
    means = np.array([[0.9, 0.8, 0.9, 0.7, 0.2, 0.1, 0.1], [0.1, 0.3, 0.1, 0.2, 0.8, 0.9, 0.6]])
    component = (rng.random(n) < 0.3).astype(int)
    return (rng.random((n, 7)) < means[component]) * 1.0, component, means


class TestEM:
    @pytest.mark.parametrize("alpha", [0.1, 1.0, 5.0])
    def test_the_objective_never_falls(self, alpha):
        X, _, _ = two_groups(300)
        model = BernoulliMixture(6, alpha=alpha, tol=-np.inf, max_iter=80, random_state=0).fit(X)
        assert model.n_iter_ == 80
        assert np.diff(model.history_).min() > -1e-12
        assert model.history_[-1] - model.history_[0] > 0.1

    def test_ends_where_the_gradient_is_zero(self):
        """A stationary point of log-likelihood plus log-prior: no small step improves it."""
        X, _, _ = two_groups(200)
        model = BernoulliMixture(2, alpha=0.5, tol=0, max_iter=5000, random_state=0).fit(X)

        def objective(weights, means):
            model.weights_, model.means_ = weights, means
            log_prior = np.log(weights).sum() + (np.log(means) + np.log1p(-means)).sum()
            return model.score_samples(X).sum() + 0.5 * log_prior

        weights, means = model.weights_, model.means_
        best = objective(weights, means)
        assert best / len(X) == pytest.approx(model.history_[-1], abs=1e-9)
        rng = np.random.default_rng(0)
        for _ in range(20):
            turned = weights + 1e-3 * rng.choice([-1, 1]) * np.array([1, -1])
            assert objective(turned, np.clip(means + 1e-3 * rng.normal(size=means.shape), 1e-6, 1 - 1e-6)) < best

    def test_finds_what_it_was_drawn_from(self):
        X, component, means = two_groups(5000)
        model = BernoulliMixture(2, alpha=0.1, random_state=0).fit(X)
        order = np.argsort(model.means_[:, 4])
        np.testing.assert_allclose(model.means_[order], means, atol=0.05)
        np.testing.assert_allclose(model.weights_[order], [0.7, 0.3], atol=0.03)
        assert np.bincount(component).tolist() == [len(X) - component.sum(), component.sum()]

    def test_one_component_is_naive_bayes_of_one_class(self):
        X, _, _ = two_groups(50)
        alone = BernoulliNB(alpha=1.0, binarize=None).fit(X, np.zeros(50))
        np.testing.assert_allclose(BernoulliMixture(1).fit(X).score_samples(X), alone.score_samples(X))

    def test_the_best_of_several_beginnings_is_kept(self):
        X, _, _ = two_groups(100)
        one, several = (BernoulliMixture(8, n_init=n, random_state=0).fit(X) for n in (1, 5))
        assert several.history_[-1] > one.history_[-1]
        again = BernoulliMixture(8, n_init=5, random_state=0).fit(X)
        np.testing.assert_array_equal(again.means_, several.means_)


def test_density_sums_to_one():
    X, _, _ = two_groups(100)
    every = np.array(list(itertools.product([0.0, 1.0], repeat=7)))
    assert np.exp(BernoulliMixture(4, random_state=0).fit(X).score_samples(every)).sum() == pytest.approx(1)


def test_sample_has_the_models_moments():
    X, _, _ = two_groups(300)
    model = BernoulliMixture(3, random_state=0).fit(X)
    drawn, component = model.sample(40_000, random_state=1)
    assert set(np.unique(drawn)) == {0, 1}
    np.testing.assert_allclose(np.bincount(component) / 40_000, model.weights_, atol=0.02)
    for k in range(3):
        np.testing.assert_allclose(drawn[component == k].mean(axis=0), model.means_[k], atol=0.03)


@pytest.mark.parametrize(
    ("parameters", "X", "message"),
    [
        ({}, [[0.5, 1.0]], "X must hold only zeros and ones: binarise"),
        ({}, [[0.0, np.nan]], "NaN"),
        ({}, np.zeros((0, 3)), "0 sample"),
        ({"n_components": 3}, [[0.0, 1.0]], "n_components must be at most the number of rows, 1; got 3"),
        ({"n_components": 0}, [[0.0, 1.0]], "n_components must be at least 1; got 0"),
        ({"n_components": 1, "alpha": 0.0}, [[0.0, 1.0]], "alpha must be positive; got 0.0"),
    ],
)
def test_bad_input_is_named(parameters, X, message):
    with pytest.raises(ValueError, match=message):
        BernoulliMixture(**parameters).fit(X)

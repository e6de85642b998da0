"""The autoencoder's recipe against its known optimum: with linear layers, principal component analysis."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.linalg import subspace_angles

from course_utils.data import images
from course_utils.data.images import digits
from course_utils.models.vae import squared_error
from course_utils.recipes import autoencoder
from course_utils.training.loop import train

SUPPLIED = Path(os.environ.get("COURSE_SUPPLIED_DATA", "no such folder"))
SOURCES = {"digits": "digits", "baldi-hornik-1989": None, "hinton-salakhutdinov-2006": "mnist"}  # of the presets


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])  # the preset leads there, and not the luck of its seed
def test_the_linear_one_is_principal_component_analysis(seed):
    """Baldi and Hornik (1989): no other local minimum, and there the decoder spans the first components."""
    trained = train(autoencoder, dataclasses.replace(autoencoder.PRESETS["baldi-hornik-1989"], seed=seed))
    X = digits("train").X
    centred = X - X.mean(axis=0)
    _, s, components = np.linalg.svd(centred, full_matrices=False)
    optimum = np.sum(s[2:] ** 2) / len(X)
    with torch.no_grad():
        x = torch.from_numpy(X).float()
        reached = squared_error(x, trained.model(x)).mean().item()
    assert optimum * (1 - 1e-5) < reached < optimum * (1 + 1e-5)
    (decoder,) = trained.model.decoder
    angles = subspace_angles(decoder.weight.detach().double().numpy(), components[:2].T)
    assert angles.max() < 0.005


def test_the_loss_is_a_sum_over_pixels_and_a_mean_over_the_batch():
    config = autoencoder.Config()
    model, (x, _) = autoencoder.model(config), autoencoder.data(config)
    alone = [autoencoder.loss(model, row[None], None) for row in x[:6]]
    torch.testing.assert_close(autoencoder.loss(model, x[:6], None), torch.stack(alone).mean())
    torch.testing.assert_close(alone[0], ((x[0] - model(x[:1])[0]) ** 2).sum())


def test_a_deep_one_beats_every_linear_one():
    """Two latent numbers and curved layers: less error on digits than the first two principal components leave."""
    trained = train(autoencoder, autoencoder.Config(steps=300, batch_size=128, rate=2e-3))
    X = digits("train").X
    variances = np.linalg.eigvalsh(np.cov(X.T, bias=True))  # in increasing order
    assert trained.history["test loss"][-1] < 0.9 * variances[:-2].sum()


def test_data_are_the_digits_and_their_split():
    train_set, test_set = autoencoder.data(autoencoder.Config(), "digits")
    assert train_set.dtype == torch.float32
    np.testing.assert_array_equal(train_set.numpy(), digits("train").X.astype(np.float32))
    assert test_set.shape == (360, 64)


def test_other_data_are_named():
    with pytest.raises(ValueError, match="--data must be digits, mnist or fashion-mnist; got 'cats'"):
        autoencoder.data(autoencoder.Config(), "cats")
    with pytest.raises(ValueError, match="these images have 64 pixels, the model 784: --set pixels="):
        autoencoder.data(autoencoder.PRESETS["hinton-salakhutdinov-2006"], "digits")


@pytest.mark.parametrize("preset", autoencoder.PRESETS)
def test_the_pixels_of_the_presets_are_those_of_their_images(preset, monkeypatch):
    if SOURCES[preset] == "mnist":
        if not (SUPPLIED / "mnist-t10k-images-idx3-ubyte.gz").exists():
            pytest.skip("COURSE_DATA has no MNIST test images")
        monkeypatch.setenv("COURSE_DATA", str(SUPPLIED))
        tested = images.mnist("test")
        monkeypatch.setattr(images, "mnist", lambda part: tested)  # the training images may not be there
    config = autoencoder.PRESETS[preset]
    _, x = autoencoder.data(config, SOURCES[preset])
    assert autoencoder.model(config)(x[:3]).shape == (3, config.pixels)
    assert 0 <= x.min() < x.max() <= 1


def test_the_rate_falls_to_zero_along_half_a_cosine():
    config = autoencoder.Config(steps=8, rate=0.1)
    optimiser = autoencoder.optimiser(autoencoder.model(config), config)
    schedule = autoencoder.schedule(optimiser, config)
    rates = []
    for _ in range(9):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    np.testing.assert_allclose(rates, 0.05 * (1 + np.cos(np.pi * np.arange(9) / 8)), atol=1e-15)

"""The VAE's recipe: its data, its loss, and that training brings it closer to the digits."""

import dataclasses
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from course_utils.data import images
from course_utils.models.vae import elbo, gaussian_kl
from course_utils.recipes import vae
from course_utils.training.loop import train

SUPPLIED = Path(os.environ.get("COURSE_SUPPLIED_DATA", "no such folder"))
SHORT = dataclasses.replace(vae.PRESETS["digits"], steps=200)


class TestData:
    def test_digits_are_bits_drawn_once(self):
        train_set, test_set = vae.data(SHORT)
        assert train_set.shape == (1437, 64)
        assert test_set.shape == (360, 64)
        assert train_set.unique().tolist() == [0, 1]
        np.testing.assert_array_equal(test_set.numpy(), images.binarised_digits("test").X)
        again, _ = vae.data(dataclasses.replace(SHORT, seed=5), "digits")
        assert torch.equal(again, train_set)  # the seed of a training draws no other bits

    def test_the_validation_set_is_a_part_of_the_training_set(self):
        whole, _ = (part.numpy() for part in vae.data(SHORT))
        fit, validation = (part.numpy() for part in vae.data(SHORT, "digits-validation"))
        assert (len(fit), len(validation)) == (1149, 288)
        np.testing.assert_array_equal(np.unique(np.vstack([fit, validation]), axis=0), np.unique(whole, axis=0))
        assert len(fit) + len(validation) == len(whole)

    def test_labels_come_where_the_model_has_classes(self):
        train_set, _ = vae.data(vae.PRESETS["digits-by-class"])
        X, y = train_set[torch.arange(3)]
        np.testing.assert_array_equal(y.numpy(), images.digits("train").y[:3])
        assert X.shape == (3, 64)

    def test_other_data_are_named(self):
        with pytest.raises(
            ValueError, match="--data must be one of digits, digits-validation, mnist, mnist-10k; got 'x'"
        ):
            vae.data(SHORT, "x")
        with pytest.raises(ValueError, match="these images have 64 pixels, the model 784: --set pixels="):
            vae.data(vae.PRESETS["mnist-10k"], "digits")

    def test_mnist_10k_is_a_random_split_of_fixed_bits(self, monkeypatch):
        if not (SUPPLIED / "mnist-t10k-images-idx3-ubyte.gz").exists():
            pytest.skip("COURSE_DATA has no MNIST test images")
        monkeypatch.setenv("COURSE_DATA", str(SUPPLIED))
        train_set, test_set = vae.data(vae.PRESETS["mnist-10k"], "mnist-10k")
        assert (train_set.shape, test_set.shape) == ((8000, 784), (2000, 784))
        assert train_set.unique().tolist() == [0, 1]
        # Half the file is of easier writers; a random split has as much ink on either side.
        ink = [part.sum(dim=1) for part in (train_set, test_set)]
        error = (ink[0].var() / 8000 + ink[1].var() / 2000).sqrt()
        assert (ink[0].mean() - ink[1].mean()).abs() < 4 * error


class TestLoss:
    def test_is_the_negative_elbo_and_beta_weighs_the_kl(self):
        x = vae.data(SHORT)[1][:7]
        for beta in (1.0, 3.0):
            model = vae.model(dataclasses.replace(SHORT, beta=beta))
            value, terms = vae.loss(model, x, torch.Generator().manual_seed(1))
            reconstruction, kl = elbo(model, x, torch.Generator().manual_seed(1))
            torch.testing.assert_close(value, (beta * kl - reconstruction).mean())
            torch.testing.assert_close(terms["kl"], gaussian_kl(*model.encode(x)).mean())
            torch.testing.assert_close(terms["reconstruction"], reconstruction.mean())

    def test_the_rate_rises_and_falls(self):
        config = dataclasses.replace(SHORT, steps=40, rate=0.1)
        optimiser = vae.optimiser(vae.model(config), config)
        schedule = vae.schedule(optimiser, config)
        rates = []
        for _ in range(41):
            rates.append(optimiser.param_groups[0]["lr"])
            optimiser.step()
            schedule.step()
        np.testing.assert_allclose(rates[:2], [0.05, 0.1 * 0.5 * (1 + np.cos(np.pi / 40))])
        assert np.argmax(rates) == 1
        assert np.all(np.diff(rates[1:]) < 0)
        assert rates[-1] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", ["digits", "digits-by-class", "digits-2d"])
def test_two_hundred_steps_beat_independent_pixels(name):
    """The same log p(x) that pixels without a latent variable reach, passed by the bound alone."""
    trained = train(vae, dataclasses.replace(vae.PRESETS[name], steps=200), save_every=200)
    train_set, test_set = vae.data(SHORT)
    p = (train_set.sum(dim=0) + 1) / (len(train_set) + 2)
    independent = (test_set * p.log() + (1 - test_set) * (1 - p).log()).sum(dim=1).mean().item()
    assert trained.history["test elbo"][-1] > independent + 0.3
    assert trained.history["loss"][-1] < trained.history["loss"][0]
    gap = trained.history["reconstruction"] - trained.history["kl"] + trained.history["loss"]
    np.testing.assert_allclose(gap, 0, atol=1e-3)


def test_a_start_at_the_means_is_the_model_of_independent_pixels():
    config = dataclasses.replace(SHORT, start_at_means=True, steps=1, rate=1e-9)
    trained = train(vae, config)
    train_set, _ = vae.data(SHORT)
    p = (train_set.sum(dim=0) + 1) / (len(train_set) + 2)
    torch.testing.assert_close(torch.sigmoid(trained.model.decoder[-1].bias), p)
    independent = (train_set * p.log() + (1 - train_set) * (1 - p).log()).sum(dim=1).mean().item()
    elsewhere = train(vae, dataclasses.replace(config, start_at_means=False))
    assert abs(-trained.history["loss"][0] - independent) < 3 < abs(-elsewhere.history["loss"][0] - independent)
    labelled = train(vae, dataclasses.replace(config, classes=10))
    torch.testing.assert_close(labelled.model.decoder[-1].bias, trained.model.decoder[-1].bias)


def test_a_resumed_run_ends_with_the_same_bits(tmp_path):
    """The start at the means is the first step's alone: what a checkpoint holds is not overwritten."""
    config = dataclasses.replace(SHORT, start_at_means=True, steps=6)
    whole = train(vae, config, out=tmp_path, save_every=3).model
    shutil.rmtree(tmp_path / "checkpoints" / "step-000000006")
    (tmp_path / "model.safetensors").unlink()
    resumed = train(vae, config, out=tmp_path, save_every=3, resume=True)
    assert resumed.step == 6
    for one, other in zip(whole.parameters(), resumed.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_evaluation_draws_the_same_at_each_checkpoint():
    model = vae.model(SHORT).eval()
    _, test_set = vae.data(SHORT)
    first, second = (vae.evaluate(model, test_set, SHORT)["test elbo"] for _ in range(2))
    assert first == second

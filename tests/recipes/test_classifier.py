"""The classifier whose features measure samples: what it is, what it reaches, and that the shipped one is it."""

import dataclasses

import pytest
import torch

from course_utils.data.images import digits
from course_utils.data.shipped import checkpoint
from course_utils.recipes import classifier
from course_utils.training.loop import load, train


def test_features_are_the_last_hidden_layer():
    config = classifier.PRESETS["digits"]
    torch.manual_seed(0)
    model = classifier.model(config)
    x = torch.rand(5, 64)
    h = classifier.features(model, x)
    assert h.shape == (5, 32)
    assert not h.requires_grad
    torch.testing.assert_close(h @ model[-1].weight.T + model[-1].bias, model(x).detach())


def test_the_loss_is_the_cross_entropy():
    model = classifier.model(classifier.Config())
    x, y = torch.rand(4, 64), torch.tensor([3, 1, 0, 9])
    expected = -torch.log_softmax(model(x), dim=1)[torch.arange(4), y].mean()
    torch.testing.assert_close(classifier.loss(model, (x, y), None), expected)


def test_it_learns_the_digits():
    config = dataclasses.replace(classifier.PRESETS["digits"], steps=200)
    assert train(classifier, config).history["test accuracy"][-1] > 0.9


def test_the_shipped_one_gets_the_test_digits_right():
    model, test = load(checkpoint("classifier-digits"), classifier), digits("test")
    with torch.no_grad():
        right = (model(torch.from_numpy(test.X).float()).argmax(dim=1).numpy() == test.y).mean()
    assert right == pytest.approx(0.961, abs=0.003)


def test_the_shipped_one_was_trained_with_the_preset():
    trained = load(checkpoint("classifier-digits"), classifier)
    again = train(classifier, classifier.PRESETS["digits"], save_every=600).model
    x = torch.from_numpy(digits("test").X).float()
    one, two = (classifier.features(model, x) for model in (trained, again))
    assert (one - two).norm() < 0.05 * one.norm()  # on this machine to the bit; another rounds otherwise


def test_a_model_that_is_not_shipped_is_named():
    with pytest.raises(FileNotFoundError, match="name must be a shipped model, .*classifier-digits.*; got 'vae'"):
        checkpoint("vae")

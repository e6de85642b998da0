"""The GANs' recipe: its measures against games that are solved by hand, its words, and runs that go on."""

import dataclasses
import math
import os
import signal
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from course_utils.data import images
from course_utils.optima.games import Mixture, jensen_shannon, optimal_discriminator
from course_utils.recipes import gan
from course_utils.training.loop import TrainingWarning, load, train
from tests.training.runs import EVERY, interrupted, outcome

SUPPLIED = Path(os.environ.get("COURSE_SUPPLIED_DATA", "no such folder"))


def game(preset="line", **changes):
    """The preset's game, untrained."""
    torch.manual_seed(0)
    return gan.model(dataclasses.replace(gan.PRESETS[preset], **changes))


class TestMeasures:
    def test_on_the_line_are_those_of_a_generator_that_is_known(self):
        """x = 1.5 z − 0.3 has the density N(−0.3, 1.5²); and a discriminator that says ½ is worth −log 4."""
        model = game(hidden=())
        with torch.no_grad():
            model.generator.layers[0].weight.fill_(1.5)
            model.generator.layers[0].bias.fill_(-0.3)
            for parameter in model.discriminator.parameters():
                parameter.zero_()
        found = gan.line_measures(model, 10**6)
        p, q = gan.LINE.bins(gan.EDGES), Mixture([1.0], [-0.3], [1.5]).bins(gan.EDGES)
        np.testing.assert_allclose(found["p"], p)
        np.testing.assert_allclose(found["q"], q, atol=3e-6)  # in a stratum of 10⁻⁶ a sample lies on either side
        assert found["JSD"] == pytest.approx(jensen_shannon(p, q), abs=1e-5)
        assert found["value"] == pytest.approx(-math.log(4), abs=1e-9)
        expected = np.sum((p + q) / 2 * np.abs(0.5 - optimal_discriminator(p, q)))
        assert found["distance"] == pytest.approx(expected, abs=1e-4)

    def test_the_discriminator_is_asked_in_the_middle_of_each_bin(self):
        """log D/(1 − D) = 2 x: D* of N(1, 1) against N(−1, 1)."""
        model = game(hidden=())
        with torch.no_grad():
            model.discriminator.layers[0].weight.fill_(2.0)
            model.discriminator.layers[0].bias.zero_()
        D = gan.line_measures(model)["discriminator"]
        np.testing.assert_allclose(D, 1 / (1 + np.exp(-2 * gan.MIDDLES)), rtol=1e-5)
        width = gan.EDGES[1] - gan.EDGES[0]
        np.testing.assert_allclose(gan.MIDDLES[1:-1], gan.EDGES[:-1] + width / 2)
        assert len(gan.MIDDLES) == 200

    def test_spread_is_within_the_classes(self):
        x = torch.tensor([[0.0, 0.0], [2.0, 0.0], [10.0, 5.0], [10.0, 9.0]])
        y = torch.tensor([0, 0, 7, 7])
        assert gan.spread(x, y) == pytest.approx(math.sqrt((1 + 1 + 4 + 4) / 4))
        assert gan.spread(x) == pytest.approx(math.sqrt(float((x - x.mean(dim=0)).square().sum()) / 4))

    @pytest.mark.parametrize(
        ("preset", "names"),
        [
            ("line", {"spread", "JSD", "value", "distance"}),
            ("ring", {"spread", "modes", "share"}),
            ("digits", {"spread"}),
        ],
    )
    def test_each_problem_has_its_own(self, preset, names):
        config = gan.PRESETS[preset]
        _, test_set = gan.data(config)
        found = gan.evaluate(game(preset), test_set, config)
        assert set(found) == names
        assert found == gan.evaluate(game(preset), test_set, config)


class TestData:
    def test_the_lines_set_has_the_density_by_itself(self):
        x, _ = gan.data(gan.PRESETS["line"])
        assert x.shape == (2**16, 1)
        q = np.bincount(np.searchsorted(gan.EDGES, x[:, 0].double().numpy()), minlength=200) / len(x)
        assert jensen_shannon(gan.LINE.bins(gan.EDGES), q) < 5e-5  # a draw of as many would have 4e-4

    def test_the_rings_is_eight_gaussians(self):
        torch.manual_seed(0)
        x, _ = gan.data(gan.PRESETS["ring"])
        distance = torch.cdist(x, torch.from_numpy(gan.RING).float())
        nearest = distance.argmin(dim=1)
        assert torch.bincount(nearest).min() > 0.9 * len(x) / 8
        assert (distance.min(dim=1).values < 0.15).float().mean().item() == pytest.approx(0.989, abs=2e-3)
        np.testing.assert_allclose(np.linalg.norm(gan.RING, axis=1), 2.0)

    def test_images_come_with_their_class(self):
        train_set, test_set = gan.data(gan.PRESETS["digits"], "digits")
        x, y = train_set[:]
        np.testing.assert_array_equal(x.numpy(), images.digits("train").X.astype(np.float32))
        np.testing.assert_array_equal(y.numpy(), images.digits("train").y)
        assert len(test_set) == 360

    @pytest.mark.parametrize(
        ("preset", "source", "message"),
        [
            ("line", "digits", "--data chooses images, but the problem is line; got 'digits'"),
            ("digits", "cats", "--data must be digits, mnist or fashion-mnist; got 'cats'"),
            ("mnist", "digits", "these images have 64 pixels, the model 784"),
        ],
    )
    def test_other_data_are_named(self, preset, source, message):
        with pytest.raises(ValueError, match=message):
            gan.data(gan.PRESETS[preset], source)

    @pytest.mark.slow
    def test_mnist(self, monkeypatch):
        if not (SUPPLIED / "mnist-t10k-images-idx3-ubyte.gz").exists():
            pytest.skip("COURSE_DATA has no MNIST test images")
        monkeypatch.setenv("COURSE_DATA", str(SUPPLIED))
        tested = images.mnist("test")
        monkeypatch.setattr(images, "mnist", lambda part: tested)  # the training images may not be there
        config = dataclasses.replace(gan.PRESETS["mnist"], steps=400)
        trained = train(gan, config, source="mnist", save_every=400)
        x = trained.model.sample(3, torch.Generator().manual_seed(0), torch.tensor([1, 2, 3]))
        assert x.shape == (3, 784)
        assert 0.3 < trained.history["spread"][-1] < 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"problem": "circle"}, "problem must be one of line, ring, images; got 'circle'"),
        ({"loss": "hinge"}, "loss must be one of non-saturating, minimax, relativistic; got 'hinge'"),
        ({"activation": "step"}, "activation must be one of relu, silu, tanh; got 'step'"),
    ],
)
def test_configuration_is_checked(changes, message):
    with pytest.raises(ValueError, match=message):
        gan.Config(**changes)


@pytest.mark.parametrize("preset", ["line", "ring-relativistic", "digits"])
def test_a_run_that_goes_on_ends_with_the_same_bits(tmp_path, preset):
    config = dataclasses.replace(gan.PRESETS[preset], steps=20, batch_size=32)
    train(gan, config, out=tmp_path / "whole", **EVERY)
    stopped = train(interrupted(gan, 9, signal.SIGINT), config, out=tmp_path / "run", **EVERY)
    assert stopped.step == 9
    train(gan, config, out=tmp_path / "run", resume=True, **EVERY)
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")
    model = load(tmp_path / "run", gan)
    assert model.gamma == config.gamma
    assert model.loss == config.loss


def test_each_player_has_its_rate_and_both_fall_to_zero():
    config = gan.Config(steps=4, rate=0.2, generator_rate=0.1)
    optimisers = gan.optimiser(gan.model(config), config)
    for name, rate in (("discriminator", 0.2), ("generator", 0.1)):
        schedule = gan.schedule(optimisers[name], config)
        rates = []
        for _ in range(5):
            rates.append(optimisers[name].param_groups[0]["lr"])
            optimisers[name].step()
            schedule.step()
        np.testing.assert_allclose(rates, rate / 2 * (1 + np.cos(np.pi * np.arange(5) / 4)), atol=1e-15)
    config = dataclasses.replace(config, decay=False)
    optimisers = gan.optimiser(gan.model(config), config)
    schedule = gan.schedule(optimisers["generator"], config)
    optimisers["generator"].step()
    schedule.step()
    assert optimisers["generator"].param_groups[0]["lr"] == 0.1


def test_start_moves_the_generator():
    model, moved = game(), game(start=6.0)
    z = torch.randn(5, 1)
    torch.testing.assert_close(moved.generator(z), model.generator(z) + 6)


class TestWords:
    def lines(self, steps, **values):
        return [{"step": step, "D(x)": 0.5, "D(G(z))": 0.5, "spread": 1.0} | values for step in steps]

    def test_a_sound_game_is_not_talked_about(self):
        assert gan.diagnose(self.lines(range(10, 1001, 10)), gan.PRESETS["line"]) == {}
        sure = {"D(x)": 0.999, "D(G(z))": 0.001}
        early = self.lines(range(10, 101, 10), **sure)  # at the beginning it may well be sure
        assert gan.diagnose(early, gan.PRESETS["line"]) == {}
        won = self.lines(range(10, 301, 10), **sure)
        half = self.lines(range(10, 301, 10), **{"D(x)": 0.999})  # it takes everything for real
        assert gan.diagnose(half, gan.PRESETS["line"]) == {}
        assert (
            gan.diagnose([*won[:-2], *self.lines([290, 300])], gan.PRESETS["line"]) == {}
        )  # it has lost its certainty

    def test_collapse_and_victory_are_told_from_the_log(self):
        told = gan.diagnose(self.lines([100, 200], spread=0.02), gan.PRESETS["line"])
        assert list(told) == ["collapse"]
        assert "its samples spread 2.0% as far as the data" in told["collapse"]
        told = gan.diagnose(self.lines(range(10, 301, 10), **{"D(x)": 0.999, "D(G(z))": 0.001}), gan.PRESETS["line"])
        assert list(told) == ["victory"]

    @pytest.mark.slow
    def test_a_collapse_is_told_while_it_trains(self):
        """A discriminator that hardly learns: the generator follows it to one mode."""
        config = dataclasses.replace(gan.PRESETS["ring-slow-discriminator"], steps=1500)
        with pytest.warns(TrainingWarning, match="the generator has collapsed: its samples spread"):
            trained = train(gan, config, save_every=100)
        assert trained.history["modes"][-1] <= 1

    def test_a_victory_is_told_while_it_trains(self):
        """The game as it is written, from afar and without penalty: a sure discriminator leaves no gradient."""
        config = dataclasses.replace(gan.PRESETS["line"], steps=600, loss="minimax", gamma=0.0, start=40.0)
        with pytest.warns(TrainingWarning, match="the discriminator wins outright: for 200 steps D"):
            trained = train(gan, config, save_every=600)
        assert trained.history["JSD"][-1] > 0.6  # of at most log 2 = 0.69

    def test_a_game_that_goes_well_gets_no_words(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error", TrainingWarning)
            trained = train(gan, dataclasses.replace(gan.PRESETS["line"], steps=600), save_every=100)
        assert trained.history["JSD"][-1] < 0.1  # it begins at 0.2 and more


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_the_line_is_learnt(seed):
    trained = train(gan, dataclasses.replace(gan.PRESETS["line"], seed=seed), save_every=3000)
    found = gan.line_measures(trained.model, 10**6)
    assert found["JSD"] < 0.01
    assert found["distance"] < 0.03
    assert found["value"] == pytest.approx(-math.log(4) + 2 * found["JSD"], abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["ring", "ring-relativistic"])
def test_the_ring_is_learnt(preset):
    trained = train(gan, gan.PRESETS[preset], save_every=4000)
    assert trained.history["modes"][-1] == 8
    assert trained.history["share"][-1] > 0.95

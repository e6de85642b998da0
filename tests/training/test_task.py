"""A recipe made ready: what it may be, and what is said of one with a mistake in it."""

import types

import pytest
import torch
from torch import nn

from course_utils.training.batches import step_seed
from course_utils.training.config import Config
from course_utils.training.loop import train
from course_utils.training.processes import Processes
from course_utils.training.task import Task
from tests.training.recipes import noisy, two_losses
from tests.training.runs import changed

CONFIG = Config(steps=3, batch_size=4)


def data(config, source):
    return torch.arange(20.0).reshape(10, 2) / 10, torch.zeros(2, 2)


def loss(model, batch, generator):
    return model(batch).square().mean()


def optimiser(model, config):
    return torch.optim.SGD(model.parameters(), lr=0.01)


def recipe(**parts):
    """The shortest recipe that there is, with other parts."""
    parts = {"model": lambda config: nn.Linear(2, 1), "data": data, "loss": loss, "optimiser": optimiser} | parts
    return types.SimpleNamespace(__name__="short", **{name: part for name, part in parts.items() if part is not None})


def test_the_shortest_recipe_trains():
    trained = train(recipe(), Config(steps=3, batch_size=10), log_every=1)
    assert list(trained.history) == ["step", "loss", "rate", "seconds"]
    assert trained.history["loss"][2] < trained.history["loss"][0]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"model": None}, "the recipe short must have model(…): see help(course_utils.recipes)."),
        ({"data": None}, "the recipe short must have data(…): see help(course_utils.recipes)."),
        ({"optimiser": None}, "the recipe short must have optimiser(…): see help(course_utils.recipes)."),
        ({"loss": None}, "the recipe short must have loss(…), or losses, a dictionary of functions."),
        ({"losses": {"a": 3}}, "the recipe short must have loss(…), or losses, a dictionary of functions."),
        (
            {"losses": {"a": loss, "b": loss}, "optimiser": lambda m, c: {"a": optimiser(m, c), "c": optimiser(m, c)}},
            "optimiser must give one for each of ['a', 'b']; got ['a', 'c'].",
        ),
        (
            {"losses": {"a": loss, "b": loss}},
            "optimiser must give one for each of ['a', 'b']; got ['a'].",
        ),
        (
            {"loss": lambda model, batch, generator: model(batch).square()},
            "a loss must be one number, the mean over the batch; got shape (4, 1).",
        ),
        (
            {"loss": lambda *a: (loss(*a), {"seconds": 1.0, "step": 3})},
            "a metric must have a name of its own; seconds, step is taken.",
        ),
        (
            {"loss": lambda *a: (loss(*a), {"loss": 1.0})},
            "a metric must have a name of its own; loss is taken.",
        ),
        (
            {"evaluate": lambda model, test_set, config: {"rate": 3.0}},
            "what evaluate finds must have names of its own; 'rate' is taken.",
        ),
    ],
)
def test_a_mistake_in_a_recipe_is_named(tmp_path, parts, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011, the whole message is compared
        train(recipe(**parts), CONFIG, out=tmp_path)
    assert str(caught.value) == message


def test_metrics_must_be_the_same_at_each_step():
    def sometimes(model, batch, generator):
        sometimes.calls += 1
        return loss(model, batch, generator), {"odd": 1.0} if sometimes.calls == 2 else {}

    sometimes.calls = 0
    with pytest.raises(ValueError, match=r"same numbers at each step; got \['loss'\], then \['loss', 'odd'\]"):
        train(recipe(loss=sometimes), CONFIG)


def test_metrics_may_be_numbers_or_tensors_with_gradients():
    def two(model, batch, generator):
        value = loss(model, batch, generator)
        return value, {"number": 3, "tensor": 2 * value, "count": torch.tensor(7)}

    history = train(recipe(loss=two), CONFIG, log_every=1).history
    assert history["number"].tolist() == [3.0] * 3
    assert history["tensor"].tolist() == (2 * history["loss"]).tolist()
    assert history["count"].tolist() == [7.0] * 3


def test_a_batch_may_be_several_tensors():
    seen = []

    def look(model, batch, generator):
        seen.append(batch)
        return two_losses.losses["generator"](model, batch, generator)

    task = Task(changed(two_losses, losses={**two_losses.losses, "generator": look}), CONFIG, None, Processes())
    task.update(0)
    ((first, second),) = seen
    assert first.shape == (4, 2)
    assert torch.equal(second, first[:, 0] ** 2)


def test_both_generators_are_seeded_by_the_step_alone():
    seen = []

    def draw(model, batch, generator):
        seen.append((generator.initial_seed(), torch.rand(2, generator=generator).tolist(), torch.rand(2).tolist()))
        return loss(model, batch, generator)

    task = Task(recipe(loss=draw), CONFIG, None, Processes())
    with torch.random.fork_rng([]):
        for step in (0, 1, 2, 1):
            task.update(step)
    assert [seed for seed, _, _ in seen] == [step_seed(0, step) for step in (0, 1, 2, 1)]
    assert seen[1] == seen[3]
    assert len({seed for seed, _, _ in seen}) == 3
    for seed, own, common in seen:
        assert own == torch.rand(2, generator=torch.Generator().manual_seed(seed)).tolist() == common


def test_initial_weights_follow_from_the_seed_alone():
    weights = []
    for seed, readers in ((0, 1), (0, 2), (5, 1)):
        with torch.random.fork_rng([]):
            torch.manual_seed(readers)
            config = Config(steps=1, batch_size=4, seed=seed)
            before = torch.get_rng_state()
            weights.append(Task(recipe(), config, None, Processes()).model.weight.detach())
            assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


@pytest.mark.parametrize("clip", [None, 1e-3])
def test_gradients_are_clipped_to_their_norm(clip):
    config = Config(steps=1, batch_size=4, clip=clip)
    task = Task(recipe(optimiser=lambda m, c: torch.optim.SGD(m.parameters(), lr=1.0)), config, None, Processes())
    before = [p.detach().clone() for p in task.model.parameters()]
    task.update(0)
    moved = torch.cat([(a - b).flatten() for a, b in zip(before, task.model.parameters(), strict=True)]).norm().item()
    assert moved == pytest.approx(clip, rel=1e-4) if clip else moved > 0.1


def test_the_rate_is_that_of_the_next_step():
    task = Task(noisy, noisy.PRESETS["small"], None, Processes())
    rates = []
    with torch.random.fork_rng([]):
        for step in range(6):
            rates.append(task.rate)
            task.update(step)
    assert rates == [0.01] * 4 + [0.005] * 2


def test_what_the_losses_of_a_step_share_is_prepared_once():
    prepared, seen = [], []

    def prepare(model, batch, generator):
        prepared.append((batch, torch.rand((), generator=generator)))
        return prepared[-1]

    def look(model, batch, generator):
        seen.append(batch)
        return loss(model, batch[0], generator)

    both = {"losses": {"a": look, "b": look}, "optimiser": lambda m, c: {name: optimiser(m, c) for name in "ab"}}
    task = Task(recipe(prepare=prepare, **both), CONFIG, None, Processes())
    with torch.random.fork_rng([]):
        task.update(3)
    assert len(prepared) == 1
    assert seen == [prepared[0], prepared[0]]
    first = torch.rand((), generator=torch.Generator().manual_seed(step_seed(0, 3)))
    assert torch.equal(prepared[0][1], first)


def test_a_loss_leaves_no_gradient_with_another_player():
    own = []

    def look(model, batch, generator):
        own.append([p.grad.clone() for p in model["discriminator"].parameters()])
        return two_losses.losses["generator"](model, batch, generator)

    recipe = changed(two_losses, losses={**two_losses.losses, "generator": look})
    task = Task(recipe, two_losses.PRESETS["small"], None, Processes())
    with torch.random.fork_rng([]):
        task.update(0)
    for before, parameter in zip(own[0], task.model["discriminator"].parameters(), strict=True):
        assert torch.equal(before, parameter.grad)

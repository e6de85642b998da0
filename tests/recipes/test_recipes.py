"""What every recipe must have, so that the loop can train it and a reader can copy it."""

import importlib
import pkgutil

import pytest
import torch

import course_utils.recipes as package
from course_utils.training.config import Config

RECIPES = [importlib.import_module(f"{package.__name__}.{m.name}") for m in pkgutil.iter_modules(package.__path__)]


def losses_of(recipe):
    """The recipe's losses by name."""
    return getattr(recipe, "losses", None) or {"loss": recipe.loss}


def optimisers(recipe, model, config):
    """The recipe's optimisers in a row: it may give one, a list, or either by the name of a loss."""
    found = recipe.optimiser(model, config)
    found = list(found.values()) if isinstance(found, dict) else [found]
    return [o for one in found for o in (one if isinstance(one, (list, tuple)) else [one])]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.__name__.rpartition(".")[2])
class TestEveryRecipe:
    def test_has_what_the_folder_says(self, recipe):
        for name in ("model", "data", "optimiser"):
            assert getattr(recipe, name).__doc__
        assert hasattr(recipe, "loss") != hasattr(recipe, "losses")
        assert all(loss.__doc__ for loss in losses_of(recipe).values())
        assert recipe.PRESETS
        assert issubclass(recipe.Config, Config)
        assert all(isinstance(preset, recipe.Config) for preset in recipe.PRESETS.values())
        assert recipe.__doc__

    def test_its_default_trains_every_parameter(self, recipe):
        config = next(iter(recipe.PRESETS.values()))
        torch.manual_seed(0)
        model, (train, test) = recipe.model(config), recipe.data(config, None)
        assert min(len(train), len(test)) >= config.batch_size
        batch = train[torch.arange(config.batch_size)]
        if hasattr(recipe, "prepare"):
            batch = recipe.prepare(model, batch, torch.Generator().manual_seed(0))
        for loss in losses_of(recipe).values():
            found = loss(model, batch, torch.Generator().manual_seed(0))
            value = found[0] if isinstance(found, tuple) else found
            assert value.shape == ()
            value.backward()
        idle = ("bert.mlm_", "bert.nsp_")  # heads of pre-training, which a fine-tuned model carries along
        learning = [p for name, p in model.named_parameters() if not name.startswith(idle)]
        assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in learning)

    def test_presets_build(self, recipe):
        for preset in recipe.PRESETS.values():
            model = recipe.model(preset)
            moved = [p for o in optimisers(recipe, model, preset) for group in o.param_groups for p in group["params"]]
            assert sorted(map(id, moved)) == sorted(map(id, model.parameters()))  # each by one optimiser

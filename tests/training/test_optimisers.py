"""Which optimiser moves what, and the schedule."""

import math

import pytest
import torch

from course_utils.models.gpt import GPT, GPTConfig
from course_utils.training.optimisers import adamw, muon_and_adamw, warm_cosine, warm_linear

OPTIONS = {"weight_decay": 0.1, "betas": (0.9, 0.95)}


@pytest.fixture
def model():
    torch.manual_seed(0)
    return GPT(GPTConfig(vocabulary=11, d=16, heads=2, layers=2, mlp=24))


def test_adamw_lets_matrices_decay_alone(model):
    groups = adamw(model.parameters(), 1e-3, **OPTIONS).param_groups
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]
    assert all(p.ndim == 2 for p in groups[0]["params"])
    assert all(p.ndim == 1 for p in groups[1]["params"])
    assert sum(len(group["params"]) for group in groups) == len(list(model.parameters()))


def test_muon_has_the_blocks_matrices_and_adamw_the_rest(model):
    muon, rest = muon_and_adamw(model, model.blocks, 1e-3, 0.02, **OPTIONS)
    names = {id(p): name for name, p in model.named_parameters()}
    moved = {names[id(p)] for group in muon.param_groups for p in group["params"]}
    assert moved == {
        name for name in names.values() if name.startswith("blocks") and "norm" not in name and "bias" not in name
    }
    others = [names[id(p)] for group in rest.param_groups for p in group["params"]]
    assert sorted(others) == sorted(set(names.values()) - moved)
    assert (muon.param_groups[0]["lr"], rest.param_groups[0]["lr"]) == (0.02, 1e-3)


def test_warm_cosine():
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    schedule, rates = warm_cosine(optimiser, 13, warmup=3, final=0.1), []
    for _ in range(15):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    assert rates[:4] == pytest.approx([0.5, 1.0, 1.5, 2.0])
    assert rates[8] == pytest.approx(2 * 0.55)  # half way down
    assert rates[5] == pytest.approx(2 * (0.1 + 0.45 * (1 + math.cos(0.2 * math.pi))))
    assert rates[13] == rates[14] == pytest.approx(0.2)


@pytest.mark.parametrize("final", [0.0, 0.2])
def test_warm_linear(final):
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    schedule, rates = warm_linear(optimiser, 13, warmup=3, final=final), []
    for _ in range(15):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    assert rates[:4] == pytest.approx([0.5, 1.0, 1.5, 2.0])
    assert rates[8] == pytest.approx(2 * (1 + final) / 2)  # half way down
    assert rates[5] == pytest.approx(2 * (0.8 + 0.2 * final))
    assert rates[13] == rates[14] == pytest.approx(2 * final)

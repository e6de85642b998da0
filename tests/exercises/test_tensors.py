"""Torch tensors as answers, arguments and expected values."""

import copy

import numpy as np
import pytest
import torch

from course_utils.exercises import Exercise, Mistake
from course_utils.exercises.engine.judge import judge


def exercise(reference, *cases, **fields):
    return Exercise(
        name="a.b", title="A", difficulty=1, minutes=1, reference=reference, cases=cases, hints=("h",), **fields
    )


MU, LOG_VAR = torch.tensor([[0.5, -1.0, 2.0], [0.0, 0.25, 1.0]]), torch.tensor([[0.0, 1.0, -1.0], [0.5, 0.0, 2.0]])


def kl(mu, log_var):
    return 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(dim=1)


KL = exercise(
    kl,
    (MU, LOG_VAR),
    (MU[:1].double(), LOG_VAR[:1].double()),
    mistakes=(Mistake("no half", lambda mu, log_var: 2 * kl(mu, log_var), "The ½ is missing."),),
)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (kl, "right"),
        (lambda m, v: 0.5 * torch.sum(m * m + torch.exp(v) - 1 - v, 1), "right"),
        (lambda m, v: 2 * kl(m, v), "mistake"),
        (lambda m, v: ..., "stub"),
        (lambda m, v: torch.exp(...), "stub"),
        (lambda m, v: kl(m, v).sum(), "shape"),
        (lambda m, v: kl(m, v).numpy(), "type"),
        (lambda m, v: kl(m, v).tolist(), "type"),
        (lambda m, v: kl(m, v).int(), "dtype"),
        (lambda m, v: kl(m, v).bfloat16(), "dtype"),
        (lambda m, v: (-kl(m, v)).log(), "nan"),
        (lambda m, v: m.add_(1) * 0 + kl(m - 1, v)[:, None], "shape"),
        (lambda m, v: kl(m, v) + m.zero_()[:, 0], "changed"),
        (lambda m, v: m @ v, "exception"),
        (lambda m, v: kl(m, v).sum, "type"),
        (lambda m, v: kl(m, v).to_sparse(), "right"),
    ],
    ids=range(16),
)
def test_verdicts(answer, kind):
    assert judge(KL, answer).kind == kind


def test_gradients():
    x = torch.tensor([1.0, 2.0, 4.0], requires_grad=True)
    loss = exercise(lambda x: (x**2).mean(), (x,))
    assert judge(loss, lambda x: x.pow(2).sum() / 3).status == "right"
    verdict = judge(loss, lambda x: (x.detach() ** 2).mean())
    assert verdict.kind == "gradient"
    assert "no gradient" in verdict.paragraphs[-1]
    array = exercise(lambda x: x.detach().numpy() ** 2, (x,))
    assert judge(array, lambda x: x**2).status == "right"  # an array is expected: a tensor will do
    assert judge(array, lambda x: [each**2 for each in x]).status == "right"


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (lambda x: x.square().mean().item(), "right", ""),
        (lambda x: np.mean(x.numpy() ** 2), "right", ""),  # a numpy scalar
        (lambda x: np.array(float((x**2).mean())), "right", ""),  # an array without dimensions
        (lambda x: float(x.sum()), "mistake", "the sum of x"),
        (lambda x: -float((x**2).mean()), "value", "is -2.875, but 2.875 is expected"),
        (lambda x: (x**2).numpy(), "shape", "has shape (4,), but one number is expected"),
        (lambda x: [(x**2).mean().item()], "shape", "has shape (1,), but one number is expected"),
        (lambda x: "2.875", "type", "must be a number (float or tensor), but '2.875' came"),
        (lambda x: {"mean": 2.875}, "type", "must be a number (float or tensor), but"),
    ],
    ids=range(9),
)
def test_a_number_may_be_of_any_library(answer, kind, words):
    mistakes = (Mistake("sum", lambda x: x.sum(), "This is the sum of x."),)
    mean = exercise(lambda x: (x**2).mean(), (torch.tensor([1.0, -2.5, 2.0, -0.5]),), mistakes=mistakes)
    verdict = judge(mean, answer)
    assert verdict.kind == kind
    assert words in " ".join(verdict.paragraphs)


def test_a_number_that_must_carry_a_gradient_is_a_tensor():
    loss = exercise(lambda x: (x**2).mean(), (torch.tensor([1.0, 2.0], requires_grad=True),))
    verdict = judge(loss, lambda x: (x**2).mean().item())
    assert (verdict.kind, verdict.paragraphs[-1]) == ("type", "The result must be a torch tensor, but 2.5 came.")


def test_half_precision_where_it_is_expected():
    half = exercise(lambda x: x.bfloat16() * 2, (MU,))
    assert judge(half, lambda x: x.bfloat16() + x.bfloat16()).status == "right"


def test_generators():
    draw = exercise(lambda g, n: torch.randn(n, generator=g), (torch.Generator().manual_seed(0), 5))
    assert judge(draw, lambda g, n: torch.randn(n, generator=g)).status == "right"
    assert judge(draw, lambda g, n: torch.randn(n)).kind == "value"
    assert copy.deepcopy(draw.cases[0][0]).initial_seed() == 0


def test_a_module_as_answer():
    torch.manual_seed(0)
    layer = torch.nn.Linear(3, 2)
    linear = exercise(lambda x: x @ layer.weight.T + layer.bias, (MU,))
    assert judge(linear, layer).status == "right"
    assert judge(linear, torch.nn.Linear).kind == "type"


def test_values():
    value = exercise(1.5)
    assert judge(value, torch.tensor(1.5)).status == "right"
    assert judge(value, torch.tensor([1.5])).kind == "shape"
    assert judge(exercise(np.array([1.0, 2.0])), torch.tensor([1.0, 2.0])).status == "right"
    assert judge(exercise(torch.tensor([1.0, 2.0])), torch.tensor([1.0, 2.5])).kind == "value"

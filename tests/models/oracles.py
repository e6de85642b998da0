"""What the tests of BERT and GPT share: models of the transformers library with weights in which every fault shows."""

import logging
from types import SimpleNamespace

import pytest
import torch

# At its default initialisation biases are zero and gains one, so that a dropped bias or a swapped norm changes nothing.
INITIALISATIONS = ("default", "N(0, 0.3)")
TOLERANCE = {torch.float32: {"rtol": 0, "atol": 2e-6}, torch.float64: {"rtol": 0, "atol": 1e-10}}
both = pytest.mark.parametrize("initialisation", INITIALISATIONS)
precisions = pytest.mark.parametrize("dtype", TOLERANCE, ids=["float32", "float64"])


def build(kind, config, initialisation, dtype=torch.float64):
    """A model of the class ``kind`` in evaluation mode."""
    logging.getLogger("transformers").setLevel(logging.ERROR)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = kind(config).to(dtype).eval()
        if initialisation == "N(0, 0.3)":
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.normal_(std=0.3)
    return model


def altered(model, **tensors):
    """The model's config and tensors with some exchanged, or left out where they are None; names with __ for a dot."""
    changed = {**model.state_dict(), **{name.replace("__", "."): tensor for name, tensor in tensors.items()}}
    changed = {name: tensor for name, tensor in changed.items() if tensor is not None}
    return SimpleNamespace(config=model.config, state_dict=lambda: changed)

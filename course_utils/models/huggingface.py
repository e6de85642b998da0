"""Weights under the names of the transformers library, brought into a model of the course."""

from typing import NamedTuple

import torch


class Origin(NamedTuple):
    """Where a parameter's values stand: tensors of these names, stacked; transposed where theirs is x W, ours W x."""

    names: tuple[str, ...]
    transposed: bool = False


@torch.no_grad()
def fill(model, tensors, origins):
    """Copy tensors into all parameters of a model.

    Parameters
    ----------
    model : torch.nn.Module
    tensors : dict, name → tensor
    origins : dict, parameter's name → Origin

    Raises
    ------
    ValueError
        If a tensor is missing, has not the shape that its parameter asks for, or is one that no parameter asks for; the
        message names them all.
    """
    faults, used = [], set()
    for name, parameter in model.named_parameters():
        names, transposed = origins[name]
        used.update(names)
        shape = (parameter.shape[0] // len(names), *parameter.shape[1:])
        shape = shape[::-1] if transposed else shape
        parts = []
        for theirs in names:
            if theirs not in tensors:
                faults.append(f"{theirs} is missing")
            elif tuple(tensors[theirs].shape) != shape:
                faults.append(f"{theirs} has shape {tuple(tensors[theirs].shape)}, expected {shape}")
            else:
                parts.append(tensors[theirs].T if transposed else tensors[theirs])
        if len(parts) == len(names):
            parameter.copy_(torch.cat(parts))
    faults += [f"{name} has no place in this model" for name in tensors if name not in used]
    if faults:
        raise ValueError(f"these weights do not fit a {type(model).__name__}: {'; '.join(faults)}.")


def require(config, values):
    """Raise ValueError where an attribute of a configuration is there and is not the value that is built here."""
    for name, value in values.items():
        if (found := getattr(config, name, value)) != value:
            raise ValueError(f"{name} must be {value!r}, nothing else is built here; got {found!r}.")

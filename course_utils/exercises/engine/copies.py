"""Fresh copies of arguments, and whether a call has changed them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from course_utils.exercises.engine.describe import is_tensor


def fresh(value: Any) -> Any:
    """A deep copy; random generators are copied with their state."""
    return copy.deepcopy(value)


def snapshot(result: Any) -> Any:
    """A copy of a result, so that a later call cannot change it; itself where it cannot be copied."""
    try:
        return copy.deepcopy(result)
    except Exception:  # generators, tensors inside a graph and others refuse
        return result


def unchanged(now: Any, before: Any) -> bool:
    """Whether `now` holds what its earlier copy `before` holds: arrays, tensors, containers, numbers, text.

    Anything else counts as unchanged: whoever draws from a random generator changes it, and rightly so.
    """
    if is_tensor(before) or isinstance(before, np.ndarray):
        if type(now) is not type(before) or (now.shape, now.dtype) != (before.shape, before.dtype):
            return False
        both_nan = (now != now) & (before != before)
        return bool(((now == before) | both_nan).all())
    if isinstance(before, (list, tuple)):
        return type(now) is type(before) and len(now) == len(before) and all(map(unchanged, now, before))
    if isinstance(before, Mapping):
        return list(now) == list(before) and all(unchanged(now[key], before[key]) for key in before)
    if isinstance(before, (int, float, complex, str, set)):
        return type(now) is type(before) and (now == before or now != now)
    return True

"""Regularities in a wrong result that name its cause: a factor, a sign, a logarithm."""

from __future__ import annotations

from typing import Any

import numpy as np

from course_utils.exercises.engine.describe import is_tensor, number


def symptom(results: list[Any], expected: list[Any], rtol: float) -> str:
    """One sentence on how all results differ from all expected values in one way; empty if they do not.

    Looks at real numbers, over all cases together, so that a function with scalar results has several.
    """
    pairs = [_flat(result, wanted) for result, wanted in zip(results, expected, strict=True)]
    if any(pair is None for pair in pairs):
        return ""
    got, want = (np.concatenate(side) for side in zip(*pairs, strict=True))
    if np.unique(want[want != 0]).size < 2 or not np.isfinite(got).all() or not np.isfinite(want).all():
        return ""  # too few different values to speak of a rule
    rtol = max(rtol, 1e-5)
    nonzero = want != 0
    factor = np.median(got[nonzero] / want[nonzero])
    if factor != 0 and np.allclose(got, factor * want, rtol=rtol, atol=0):
        if np.isclose(factor, -1, rtol=rtol):
            return "Every value has the wrong sign."
        return f"Every value is {number(factor)} times the expected one."
    offset = np.median(got - want)
    if np.allclose(got - want, offset, rtol=10 * rtol, atol=0):
        return f"Every value is {number(abs(offset))} too {'large' if offset > 0 else 'small'}."
    with np.errstate(all="ignore"):
        if np.allclose(got, np.log(want), rtol=rtol, atol=0):
            return "Every value is the logarithm of the expected one."
        if np.allclose(got, np.exp(want), rtol=rtol, atol=0):
            return "Every value is the exponential of the expected one."
    return ""


def _flat(result: Any, wanted: Any) -> tuple[np.ndarray, np.ndarray] | None:
    try:
        got, want = (np.asarray(x.detach().cpu() if is_tensor(x) else x) for x in (result, wanted))
    except Exception:
        return None
    if got.shape != want.shape or got.dtype.kind not in "if" or want.dtype.kind not in "if":
        return None
    return got.astype(float).ravel(), want.astype(float).ravel()

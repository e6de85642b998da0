"""How a result differs from what is expected, in one sentence."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_utils.exercises.engine.describe import describe, is_tensor, number

_WORDS = {
    "b": "booleans",
    "i": "integers",
    "f": "floating-point numbers",
    "c": "complex numbers",
    "U": "text",
    "O": "Python objects",
}
_CAUSES = {  # (expected, came): where such a type usually comes from
    ("f", "i"): "`//` and arrays made from integers, as by `np.zeros_like`, cut off what follows the point.",
    ("f", "c"): "For a symmetric matrix `eigh` gives real numbers, where `eig` may give complex ones.",
    ("b", "i"): "A comparison, such as `x > 0`, gives booleans.",
    ("b", "f"): "A comparison, such as `x > 0`, gives booleans.",
}


@dataclass(frozen=True)
class Difference:
    """What is wrong and the sentence that says so.

    `kind` is one of none, type, count, keys, shape, dtype, nan, infinite, value, gradient.
    """

    kind: str
    text: str


class _NotNumbers(Exception):
    """A value that is no array of numbers; the message says what it is."""


def difference(
    result: Any, expected: Any, rtol: float, atol: float, *, label: str = "The result", reveal: bool = True
) -> Difference | None:
    """The first difference between `result` and `expected`, or None if they agree.

    Arrays, tensors, lists and numbers are compared by shape, kind of dtype and value; a tuple is several
    outputs, a dict is compared by keys. Where floats are expected, numbers alone and in lists may be
    integers, and the other way round; arrays and tensors may not. Where a tensor is expected, nothing else
    will do; only where it has no dimensions and need not carry a gradient, any number will. `label` begins the
    sentence; `reveal=False` keeps the expected values out of it.
    """
    again = functools.partial(difference, rtol=rtol, atol=atol, reveal=reveal)
    if isinstance(expected, Mapping):
        if not isinstance(result, Mapping):
            return Difference("type", f"{label} must be a dict, but {describe(result)} came.")
        if set(result) != set(expected):
            keys = f"the keys {', '.join(map(repr, expected))} are expected, {', '.join(map(repr, result))} came"
            return Difference("keys", f"{label} has other keys than expected: {keys}.")
        parts = ((result[key], expected[key], f"The entry {key!r}") for key in expected)
        return next(filter(None, (again(r, e, label=name) for r, e, name in parts)), None)
    if isinstance(expected, tuple) or (isinstance(expected, list) and not _is_numeric(expected)):
        if not isinstance(result, (tuple, list)) or len(result) != len(expected):
            came = f"{len(result)} came" if isinstance(result, (tuple, list)) else f"{describe(result)} came"
            return Difference("count", f"{label} must be {len(expected)} values, but {came}.")
        parts = ((r, e, f"Value {i} of {len(expected)}") for i, (r, e) in enumerate(zip(result, expected), 1))
        return next(filter(None, (again(r, e, label=name) for r, e, name in parts)), None)
    if result is None and expected is not None:
        return Difference("none", f"{label} is `None`.")
    if not _is_numeric(expected):
        return _other(result, expected, label, reveal)
    return _numeric(result, expected, rtol, atol, label, reveal)


def _other(result: Any, expected: Any, label: str, reveal: bool) -> Difference | None:
    if isinstance(expected, str) and not isinstance(result, str):
        return Difference("type", f"{label} must be text, but {describe(result)} came.")
    if _equal(result, expected):
        return None
    came = f"{describe(result)} came"
    return Difference("value", f"{label}: {describe(expected)} is expected, {came}." if reveal else f"{label}: {came}.")


def _numeric(result: Any, expected: Any, rtol: float, atol: float, label: str, reveal: bool) -> Difference | None:
    want, half_wanted = _as_array(expected)
    if is_tensor(expected) and not is_tensor(result) and (expected.ndim or expected.requires_grad):
        return Difference("type", f"{label} must be a torch tensor, but {describe(result)} came.")
    if isinstance(result, tuple) and np.shape(want) != (len(result),):
        comma = " A comma at the end of `return x,` makes a tuple." if len(result) == 1 else ""
        text = f"{label} must be one value, but a tuple of {len(result)} came.{comma}"
        return Difference("count", text)
    try:
        got, half = _as_array(result)
    except _NotNumbers as problem:
        call = " Call it, with parentheses." if callable(result) else ""
        return Difference("type", f"{label} must be {_noun(expected)}, but {problem} came.{call}")
    if got.shape != want.shape:
        text = f"{label} has shape {got.shape}, but {want.shape if want.ndim else 'one number'} is expected."
        return Difference("shape", text + _shape_cause(got, want, rtol, atol))
    alone = not is_tensor(result) and not (isinstance(result, np.ndarray) and result.ndim)
    if problem := _dtype_problem(got, want, half and not half_wanted, alone):
        return Difference("dtype", f"{label} {problem}")
    if _kind(want) in "OU":
        bad = np.asarray(got != want)
    elif _kind(want) in "bi" and _kind(got) in "bi":
        bad = got != want
    else:
        if problem := _not_finite(got, want):
            return Difference(problem[0], f"{label} {problem[1]}")
        bad = ~_close(got, want, rtol, atol)
    if bad.any():
        return Difference("value", _value_text(got, want, bad, label, reveal))
    if is_tensor(expected) and expected.requires_grad and not result.requires_grad:
        cause = "`.detach()`, `.item()`, `.data` and `no_grad` cut it off."
        return Difference("gradient", f"{label} has the right value but carries no gradient: {cause}")
    return None


def _as_array(value: Any) -> tuple[np.ndarray, bool]:
    """`value` as an array, and whether it was in half precision; raises _NotNumbers."""
    if is_tensor(value):
        torch = sys.modules["torch"]
        half = value.dtype in (torch.float16, torch.bfloat16)
        try:
            value = value.detach().cpu().to_dense().resolve_conj().resolve_neg()
            return (value.float() if half else value).numpy(), half
        except Exception as error:
            raise _NotNumbers(describe(value)) from error
    if not isinstance(value, (list, tuple, int, float, complex)) and not hasattr(value, "__array__"):
        raise _NotNumbers(describe(value))
    try:
        array = np.asarray([_plain(item) for item in value] if isinstance(value, (list, tuple)) else value)
    except Exception as error:
        raise _NotNumbers("a list of parts with different shapes") from error
    return array, array.dtype == np.float16


def _plain(item: Any) -> Any:
    """Tensors as arrays, in nested lists too: numpy refuses those that carry a gradient."""
    if is_tensor(item):
        return _as_array(item)[0]
    return [_plain(each) for each in item] if isinstance(item, (list, tuple)) else item


def _is_numeric(expected: Any) -> bool:
    try:
        array, _ = _as_array(expected)
    except _NotNumbers:
        return False
    return array.dtype.kind in "biufc" or isinstance(expected, np.ndarray)


def _kind(array: np.ndarray) -> str:
    return {"u": "i", "S": "U"}.get(array.dtype.kind, array.dtype.kind)


def _noun(expected: Any) -> str:
    if is_tensor(expected):
        return "a torch tensor" if expected.ndim or expected.requires_grad else "a number (float or tensor)"
    if isinstance(expected, (np.ndarray, list)) and np.ndim(expected):
        return "an array"
    return "a number"


def _dtype_problem(got: np.ndarray, want: np.ndarray, too_coarse: bool, alone: bool) -> str:
    came, wanted = _kind(got), _kind(want)
    if came == wanted:
        return "is in half precision (16 bits), which is too coarse here." if too_coarse else ""
    if (alone and {came, wanted} == {"i", "f"}) or (wanted == "c" and came in "if"):
        return ""
    dtypes = f"holds {_WORDS[came]} (dtype {got.dtype}), but {_WORDS[wanted]} are expected."
    return f"{dtypes} {_CAUSES.get((wanted, came), '')}".rstrip()


def _close(got: np.ndarray, want: np.ndarray, rtol: float, atol: float) -> np.ndarray:
    if any(array.dtype in (np.float16, np.float32, np.complex64) for array in (got, want)):
        largest = np.abs(want[np.isfinite(want)]).max(initial=0.0)
        rtol, atol = max(rtol, 1e-5), max(atol, 1e-6 * float(largest))
    with np.errstate(all="ignore"):
        return np.isclose(got, want, rtol, atol, equal_nan=True)


def _not_finite(got: np.ndarray, want: np.ndarray) -> tuple[str, str] | None:
    nan = np.isnan(got) & ~np.isnan(want)
    if nan.any():
        return "nan", f"is not a number (NaN){_places(nan)}: 0/0, inf - inf or the log of a negative number."
    infinite = np.isinf(got) & (got != want)
    if infinite.any():
        return (
            "infinite",
            f"is infinite{_places(infinite)}: log(0), a division by zero, or exp of a large number.",
        )
    return None


def _places(bad: np.ndarray) -> str:
    if bad.ndim == 0:
        return ""
    return f" in {bad.sum()} of {bad.size} places, first at {np.argwhere(bad)[0].tolist()}"


def _value_text(got: np.ndarray, want: np.ndarray, bad: np.ndarray, label: str, reveal: bool) -> str:
    first = tuple(np.argwhere(bad)[0])
    came, wanted = number(got[first]), number(want[first])
    if came == wanted:  # they differ after the sixth digit
        came, wanted = repr(got[first].item()), repr(want[first].item())
    if bad.ndim == 0:
        return f"{label} is {came}, but {wanted} is expected." if reveal else f"{label} is {came}: not the right value."
    text = f"{label} is wrong{_places(bad)}: {came} came"
    return f"{text}, {wanted} is expected." if reveal else f"{text}."


def _shape_cause(got: np.ndarray, want: np.ndarray, rtol: float, atol: float) -> str:
    if got.size != want.size or _kind(got) not in "bif" or _kind(want) not in "bif":
        return ""
    if got.T.shape == want.shape and _close(got.T, want, rtol, atol).all():
        return " Its transpose would be right."
    if _close(got.reshape(want.shape), want, rtol, atol).all():
        return " The numbers are right, only their shape is not."
    return ""


def _equal(result: Any, expected: Any) -> bool:
    try:
        return bool(result == expected)
    except Exception:  # an object without a truth value, such as an array
        return False

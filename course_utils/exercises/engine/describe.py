"""Values, arguments and exceptions in a few words, the same on every platform."""

from __future__ import annotations

import functools
import inspect
import linecache
import sys
import traceback
from collections.abc import Callable, Mapping
from types import CodeType, FrameType
from typing import Any

import numpy as np

FEW = 6  # this many numbers are shown; of more, type and shape


def is_tensor(value: object) -> bool:
    """Whether `value` is a torch tensor. Imports nothing: before torch is imported there are none."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def clip(text: str, length: int) -> str:
    """`text` on one line, cut to `length` characters."""
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"


def code(text: str) -> str:
    """`text` marked as code; backticks inside would end the mark."""
    return "`" + text.replace("`", "'") + "`"


def number(value: Any) -> str:
    """A number with six significant digits, without the name of its numpy type."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return f"{float(value):.6g}"
    if isinstance(value, (complex, np.complexfloating)):
        return f"{complex(value):.6g}"
    return clip(repr(value), 60)


def numbers(value: Any) -> str:
    """Nested lists of numbers, as Python writes them."""
    if isinstance(value, list):
        return "[" + ", ".join(map(numbers, value)) + "]"
    return number(value)


def describe(value: Any) -> str:
    """`value` in a few words: its numbers if they are few, else its type and shape."""
    if is_tensor(value) or isinstance(value, np.ndarray):
        size = value.numel() if is_tensor(value) else value.size
        if 0 < size <= FEW and not getattr(value, "is_sparse", False):
            return numbers(value.tolist())
        dtype = str(value.dtype).removeprefix("torch.")
        what = "tensor" if is_tensor(value) else "array"
        return f"{'an' if dtype[0] in 'aeiou' else 'a'} {dtype} {what} of shape {tuple(value.shape)}"
    if isinstance(value, str):
        return clip(repr(value), 60)
    if isinstance(value, (list, tuple)):
        if len(value) <= FEW and all(isinstance(item, (int, float, complex, np.number)) for item in value):
            return numbers(list(value))
        return f"a {type(value).__name__} of length {len(value)}"
    if isinstance(value, Mapping):
        return f"a {type(value).__name__} with the keys {clip(', '.join(map(repr, value)), 60)}"
    if isinstance(value, type):
        return f"the class {code(value.__name__)}"
    if callable(value):
        return f"the function {code(getattr(value, '__name__', type(value).__name__))}"
    if value is None or isinstance(value, (int, float, complex, np.generic)):
        return number(value)
    return f"an object of type {code(type(value).__name__)}"


def parameters(function: Callable) -> list[str]:
    """The names of the positional parameters of `function`; empty where nobody can tell."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some functions written in C have no signature
        return []
    return [each.name for each in found if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]


def arguments(names: list[str], values: tuple) -> str:
    """A call's arguments: "`x` = a float64 array of shape (3, 2), `k` = 4"."""
    names = names + [f"argument {i + 1}" for i in range(len(names), len(values))]
    return ", ".join(f"{code(name)} = {describe(value)}" for name, value in zip(names, values, strict=False))


def exception(error: BaseException) -> str:
    """An exception's type and message, as the last line of its traceback says them."""
    try:
        message = str(error)
    except Exception:  # a student's own exception class may fail to print itself
        message = ""
    return code(clip(f"{type(error).__name__}: {message}" if message else type(error).__name__, 300))


def own_code(function: Any) -> CodeType | None:
    """The code object behind a function, method, partial or object with __call__; None without one."""
    while isinstance(function, functools.partial):
        function = function.func
    for candidate in (inspect.unwrap(function) if callable(function) else None, type(function).__call__):
        found = getattr(candidate, "__code__", None)
        if found:
            return found
    return None


def line_of(error: BaseException, function: Callable) -> str:
    """Where in the student's code `error` came from: the innermost line that is theirs, not a library's.

    Empty where no line of theirs was reached.
    """
    for frame, line in reversed(_own_frames(error, function)):
        source = linecache.getline(frame.f_code.co_filename, line).strip()
        where = f"line {line} of its cell ({code(frame.f_code.co_name)})"
        return f"{where}: {code(clip(source, 120))}" if source else where
    return ""


def dots_among_locals(error: BaseException, function: Callable) -> bool:
    """Whether a variable of the student's was still `...` when `error` came: a blank not filled in."""
    frames = _own_frames(error, function)
    return any(value is ... for frame, _line in frames for value in frame.f_locals.values())


def _own_frames(error: BaseException, function: Callable) -> list[tuple[FrameType, int]]:
    """The frames that are the student's, outermost first.

    Theirs is what was typed in the notebook (module `__main__`), or stands in the file of `function`.
    """
    file = getattr(own_code(function), "co_filename", None)
    return [
        (frame, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_globals.get("__name__") == "__main__" or frame.f_code.co_filename == file
    ]

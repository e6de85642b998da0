"""The docstrings in the source files of installed libraries, read with `ast`: nothing is imported or executed."""

import ast
import importlib.util
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path

from .prose import clean

STANDARD_LIBRARY = "standard library"

# Calls that give a docstring to a function written in C: numpy.add_newdoc, torch's add_docstr.
_ADDERS = {"add_newdoc", "add_newdoc_for_scalar_type", "add_docstr"}


def library_folder(library: str) -> Path | None:
    """Where a library's source files lie; None where it is not installed. `library` is an import name."""
    if library == STANDARD_LIBRARY:
        return Path(sysconfig.get_path("stdlib"))
    spec = importlib.util.find_spec(library)
    places = spec and spec.submodule_search_locations
    return Path(next(iter(places))) if places else None


def read_docstrings(file: Path) -> list[str]:
    """The cleaned docstrings of one source file, in their order there, those of nested definitions included.

    A file that is absent, unreadable or written in a newer Python's syntax has none.
    """
    try:
        source = file.read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in other people's strings
            tree = ast.parse(source)
    except (OSError, SyntaxError, ValueError, RecursionError):
        return []
    return [clean(text) for text in _docstrings(tree)]


def _docstrings(node: ast.AST) -> Iterator[str]:
    # Only statements are visited: a file has ten times as many expressions, and they hold no definitions.
    if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        text = ast.get_docstring(node, clean=False)
        if text:
            yield text
    elif isinstance(node, (ast.Expr, ast.Assign)) and isinstance(node.value, ast.Call):
        name = getattr(node.value.func, "id", getattr(node.value.func, "attr", ""))
        if name.lstrip("_") in _ADDERS:
            arguments = [part for arg in node.value.args for part in getattr(arg, "elts", [arg])]
            strings = [a.value for a in arguments if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            if strings:
                yield max(strings, key=len)
    for field in ("body", "handlers", "orelse", "finalbody", "cases"):
        for child in getattr(node, field, ()):
            yield from _docstrings(child)

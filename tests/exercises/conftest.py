"""The engine on the example course, with a progress folder of each test's own."""

import weakref

import pytest

from course_utils.exercises.engine import interface, screen
from course_utils.exercises.engine.catalogue import Catalogue


@pytest.fixture
def shown(tmp_path, monkeypatch):
    """What check, hint, quiz and progress display: a list of (text, HTML, other parts of the bundle)."""
    displays = []
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress"))
    monkeypatch.setattr(interface, "COURSE", Catalogue("tests.exercises.example_course"))
    monkeypatch.setattr(interface, "_solutions", weakref.WeakSet())
    monkeypatch.setattr(interface, "_told_that_nothing_is_kept", False)
    monkeypatch.setattr(screen, "display", lambda text, markup, **rest: displays.append((text, markup, rest)))
    return displays

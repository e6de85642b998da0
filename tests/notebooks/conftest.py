"""The small lesson of fixture.py, executed once a session."""

import pytest

from tests.notebooks.fixture import lesson
from tools.notebooks import refresh, write


@pytest.fixture(scope="session")
def executed(tmp_path_factory):
    """Path of the executed fixture notebook; copy it to change it."""
    path = tmp_path_factory.mktemp("lessons") / "small.ipynb"
    write(path, lesson())
    assert refresh(path).endswith("written")
    return path

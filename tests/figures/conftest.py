"""Outputs of a display, as a notebook would store them."""

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config


@pytest.fixture
def displayed():
    """Call something that displays and returns nothing; (data, metadata) of each output."""
    InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))  # no file of the user's

    def run(display):
        with capture_output() as captured:
            assert display() is None
        return [(output.data, output.metadata) for output in captured.outputs]

    return run

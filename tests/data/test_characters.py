"""Characters and windows."""

import os
from pathlib import Path

import pytest
import torch

from course_utils.data import text
from course_utils.data.characters import SHAKESPEARE, Alphabet, Windows

SUPPLIED = Path(os.environ.get("COURSE_SUPPLIED_DATA", "no such folder"))


def test_round_trip():
    line = "O, brave new world!\n"
    assert SHAKESPEARE.decode(SHAKESPEARE.encode(line)) == line
    assert SHAKESPEARE.encode("\nz").tolist() == [0, 64]
    assert len(SHAKESPEARE) == len(set(SHAKESPEARE.characters)) == 65


def test_an_unknown_character_is_named():
    with pytest.raises(ValueError, match=r"the alphabet lacks \['q', '한'\]"):
        Alphabet("abc").encode("aq한")


def test_the_alphabet_is_that_of_tiny_shakespeare(monkeypatch):
    if not (SUPPLIED / "tinyshakespeare.txt").exists():
        pytest.skip("COURSE_DATA has no tiny Shakespeare")
    monkeypatch.setenv("COURSE_DATA", str(SUPPLIED))
    assert "".join(sorted(set(text.tiny_shakespeare()))) == SHAKESPEARE.characters


def test_windows():
    windows = Windows(torch.arange(10), 4)
    assert len(windows) == 6
    assert windows[torch.tensor([0, 5])].tolist() == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    apart = Windows(torch.arange(13), 4, stride=4)
    assert apart[torch.arange(3)][:, 1:].flatten().tolist() == list(range(1, 13))
    assert len(apart) == 3
    with pytest.raises(ValueError, match="more than 10 tokens for windows of that length; got 10"):
        Windows(torch.arange(10), 10)

"""A line for each interval, in memory and in a file that a stopped run goes on with."""

import json

import numpy as np
import pytest

from course_utils.training.log import Log
from tests.training.runs import Moments, full

LINES = [{"step": 5, "loss": 1 / 3}, {"step": 10, "loss": 0.1, "test loss": 2.5}, {"step": 15, "loss": -1e-300}]


@pytest.fixture
def path(tmp_path):
    """A log of three lines."""
    log = Log(tmp_path / "log.jsonl")
    for line in LINES:
        log.add(line)
    return log.path


def read(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_line_is_in_the_file_as_soon_as_it_is_added(tmp_path):
    log = Log(tmp_path / "log.jsonl")
    for i, line in enumerate(LINES):
        log.add(line)
        assert read(log.path) == LINES[: i + 1] == log.lines  # the same floats, bit for bit


def test_without_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    log = Log()
    log.add(LINES[0])
    assert log.lines == LINES[:1]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("step", "kept"), [(0, 0), (4, 0), (5, 1), (12, 2), (15, 3), (100, 3)])
def test_a_run_that_goes_on_forgets_what_lies_beyond_its_step(path, step, kept):
    log = Log(path, step)
    assert log.lines == LINES[:kept] == read(path)
    log.add({"step": 99, "loss": 0.5})
    assert read(path) == [*LINES[:kept], {"step": 99, "loss": 0.5}]


def test_a_new_run_begins_with_an_empty_file(path):
    assert Log(path).lines == []
    assert path.read_bytes() == b""


def test_a_last_line_that_was_cut_anywhere_is_dropped(path):
    whole = path.read_bytes()
    start = whole[:-1].rindex(b"\n") + 1
    for cut in range(start, len(whole) - 1):
        path.write_bytes(whole[:cut])
        assert Log(path, 100).lines == LINES[:2]
        assert read(path) == LINES[:2]
    path.write_bytes(whole[:-1])  # all of it but the line's end
    log = Log(path, 100)
    log.add({"step": 20})
    assert read(path) == [*LINES, {"step": 20}]


@pytest.mark.parametrize("garbage", [b"\0\0\0\n", b"\xff\xfe\n", b'{"step": \n{"step": 10, "loss": 0.1}\n', b"17\n"])
def test_nothing_counts_from_a_damaged_line_on(path, garbage):
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + garbage + lines[1])
    assert Log(path, 100).lines == LINES[:1]


def test_a_full_disk_at_any_moment_takes_nothing_of_a_log_that_is_opened_again(path):
    before = path.read_bytes()
    for at in range(100):
        with Moments(path.parent, at, full, only={"open", "write", "fsync", "replace"}) as moments:
            try:
                Log(path, 100)
            except OSError as error:
                told = str(error)
            else:
                break
        assert told.startswith(f"The disk is full: {path.parent} can't be written.")
        assert path.read_bytes() == before
        assert list(path.parent.iterdir()) == [path]
    assert [kind for kind, _ in moments.seen] == ["open", "write", "fsync", "replace"]


def test_only_numbers_are_written(path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        Log(path, 100).add({"step": 20, "loss": float("nan")})


def test_history_has_an_array_for_each_name():
    log = Log()
    assert log.history() == {}
    for line in LINES:
        log.add(line)
    history = log.history()
    assert list(history) == ["step", "loss", "test loss"]
    np.testing.assert_array_equal(history["step"], [5, 10, 15])
    np.testing.assert_array_equal(history["loss"], [1 / 3, 0.1, -1e-300])
    np.testing.assert_array_equal(history["test loss"], [np.nan, 2.5, np.nan])

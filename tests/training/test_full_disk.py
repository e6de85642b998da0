"""A disk that is full at any moment: it is said so, what was saved stays whole, and the run goes on bit for bit."""

import contextlib
import dataclasses
import os
import shutil
import subprocess
import sys

import pytest

from course_utils.training import checkpoints
from course_utils.training.loop import train
from tests.training.recipes import noisy
from tests.training.runs import Moments, full, leftovers, outcome

CONFIG = dataclasses.replace(noisy.PRESETS["small"], steps=8)
EVERY = {"log_every": 2, "save_every": 3, "keep": 2}
WRITING = {"mkdir", "lock", "open", "write", "serialize", "fsync", "replace"}


def go_on(folder, config=CONFIG):
    return train(noisy, config, out=folder, resume=True, **EVERY)


def told(folder, config=CONFIG):
    """What an OSError says that comes of training; None if none comes."""
    try:
        go_on(folder, config)
    except OSError as error:
        return str(error)
    return None


def assert_sound(folder, text, before):
    """The error is clear, and what there is is whole."""
    assert text.startswith(f"The disk is full: {folder}")
    assert "make room, then go on with --resume" in text
    saved = checkpoints.found(folder / "checkpoints")
    assert [checkpoints.read(path)["step"] for _, path in saved] == [step for step, _ in saved]
    assert [step for step, _ in saved] >= before
    assert leftovers(folder) == []


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """What a run leaves that never met a full disk, and the moments at which it wrote."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    with Moments(folder, only=WRITING) as moments:
        go_on(folder)
    return outcome(folder), len(moments.seen)


def at_each(moments, expected, tmp_path):
    unnoticed = []
    for at in moments:
        folder = tmp_path / f"run {at}"
        with Moments(folder, at, full, only=WRITING):
            text = told(folder)
        if text is None:  # as where a folder could not be made that is there already
            unnoticed.append(at)
        else:
            assert_sound(folder, text, [])
            go_on(folder)
        assert outcome(folder) == expected
        assert leftovers(folder) == []
        shutil.rmtree(folder)
    assert len(unnoticed) <= 1


def test_a_disk_that_is_full_once(tmp_path, expected):
    files, count = expected
    at_each(range(0, count, 11), files, tmp_path)


@pytest.mark.slow
def test_a_disk_that_is_full_once_at_every_moment(tmp_path, expected):
    files, count = expected
    assert count > 60
    at_each(range(count), files, tmp_path)


@contextlib.contextmanager
def disk(folder, size):
    """A file system of that many bytes."""
    folder.mkdir()
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("only root on Linux can make a small disk")
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, text=True
    )
    if made.returncode != 0:
        pytest.skip(f"no disk can be made here: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.slow
def test_a_small_disk(tmp_path):
    """One page more of free space each time, until the run fits."""
    config = dataclasses.replace(noisy.PRESETS["long"], steps=8)
    go_on(tmp_path / "whole", config)
    expected = outcome(tmp_path / "whole")
    page, failed = os.sysconf("SC_PAGE_SIZE"), []
    with disk(tmp_path / "disk", 100 * page) as small:
        for free in range(1, 100):
            folder, ballast = small / "run", small / "ballast"
            ballast.write_bytes(b"0" * page * (100 - free))
            text = told(folder, config)
            if text is not None:
                failed.append([step for step, _ in checkpoints.found(folder / "checkpoints")])
                assert_sound(folder, text, max(failed[-2:-1], default=[]))
                ballast.unlink()
                go_on(folder, config)
            assert outcome(folder) == expected
            assert leftovers(folder) == []
            shutil.rmtree(folder)
            ballast.unlink(missing_ok=True)
            if text is None:
                break
    assert {tuple(steps) for steps in failed} >= {(), (3,), (3, 6)}  # full before, between and after checkpoints
    assert text is None


def test_a_disk_that_may_only_be_read(tmp_path):
    with disk(tmp_path / "disk", 2**20) as folder:
        go_on(folder / "finished")
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        for run in (folder / "finished", folder / "new"):
            assert told(run) == f"{run} can't be written: Read-only file system."


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_only_be_read(tmp_path):
    tmp_path.chmod(0o555)
    for run in (tmp_path, tmp_path / "new"):
        assert told(run) == f"{run} can't be written: Permission denied."

"""Whole files or none, in folders that are full, read-only, or shared by several processes."""

import errno
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from course_utils.data import cache, folders


def run(script, *arguments, **options):
    """Start a Python of its own on a script, which finds its arguments in sys.argv."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip


def test_the_folder_is_the_one_named(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    assert folders.data_folder() == tmp_path
    monkeypatch.setenv("COURSE_DATA", "~/data")
    assert folders.data_folder() == Path.home() / "data"
    monkeypatch.setenv("COURSE_DATA", "here")
    assert folders.data_folder() == Path.cwd() / "here"


@pytest.mark.parametrize("unset", [None, "", " "])
def test_without_a_name_it_is_a_user_folder(monkeypatch, unset):
    monkeypatch.delenv("COURSE_DATA") if unset is None else monkeypatch.setenv("COURSE_DATA", unset)
    assert folders.data_folder().is_absolute()
    assert "generative-models-course" in str(folders.data_folder())


def test_write_replaces_and_leaves_nothing_else(tmp_path):
    for content in (b"old and longer", b"new"):
        cache.write(tmp_path / "x", content)
        assert (tmp_path / "x").read_bytes() == content
    assert os.listdir(tmp_path) == ["x"]


def full_disk(monkeypatch, after=1000):
    """Make every file that the cache opens for writing fail as on a full disk."""

    class File:
        def __init__(self, path, mode):
            self.file = path.open(mode)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, data):
            self.file.write(data[:after])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(cache, "open", File, raising=False)


def test_a_full_disk_is_named_and_the_old_file_stays(monkeypatch, tmp_path):
    cache.write(tmp_path / "x", b"old")
    full_disk(monkeypatch)
    with pytest.raises(folders.DataFolderError) as caught:
        cache.write(tmp_path / "x", b"n" * 10_000)
    for part in (str(tmp_path), "COURSE_DATA", os.strerror(errno.ENOSPC), "x", "Free some space"):
        assert part in str(caught.value)
    assert os.listdir(tmp_path) == ["x"]
    assert (tmp_path / "x").read_bytes() == b"old"


LIMITED = """
import pathlib, resource, sys
from course_utils.data import cache, folders
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    cache.write(pathlib.Path(sys.argv[1]), bytes(10_000))
except folders.DataFolderError as error:
    print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
def test_a_file_that_may_not_grow_is_an_error_and_not_a_part(tmp_path):
    process = run(LIMITED, tmp_path / "x")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "COURSE_DATA" in out
    assert os.listdir(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for attempt in (lambda p: cache.lock(p).__enter__(), lambda p: cache.write(p, b"")):
        with pytest.raises(folders.DataFolderError, match="COURSE_DATA to a folder that you can write"):
            attempt(tmp_path / "file" / "below" / "x")


def test_a_read_only_file_system_is_named(monkeypatch, tmp_path):
    def refuse(*_args, **_kwargs):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(folders.DataFolderError, match=os.strerror(errno.EROFS)), cache.lock(tmp_path / "a" / "x"):
        pass


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_a_folder_without_write_permission_is_named(tmp_path):
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(folders.DataFolderError, match="COURSE_DATA"), cache.lock(tmp_path / "x"):
            pass
        with pytest.raises(folders.DataFolderError, match="COURSE_DATA"):
            cache.write(tmp_path / "x", b"")
    finally:
        tmp_path.chmod(0o755)


def test_an_error_of_the_builder_is_not_taken_for_the_folders(tmp_path):
    with pytest.raises(FileNotFoundError, match="mine"), cache.lock(tmp_path / "x"):
        raise FileNotFoundError("mine")
    with cache.lock(tmp_path / "x", seconds=5):  # and the lock was given back
        pass


BUILDER = """
import pathlib, sys, time
from course_utils.data import cache
path, log = map(pathlib.Path, sys.argv[1:3])
seconds = float(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
with cache.lock(path, seconds):
    if not path.exists():
        with open(log, "a") as file:
            file.write("built\\n")
        time.sleep(0.5)
        cache.write(path, b"content" * 100_000)
assert path.read_bytes() == b"content" * 100_000
"""


@pytest.mark.parametrize(("seconds", "builds"), [(60, [1]), (0, [1, 2, 3])])
def test_processes_that_build_at_once_end_with_one_good_file(tmp_path, seconds, builds):
    """With the lock one of them builds; where none can be had they all may, and the file is whole all the same."""
    path, log = tmp_path / "x", tmp_path / "log"
    processes = [run(BUILDER, path, log, seconds, stdin=subprocess.PIPE) for _ in range(3)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    assert log.read_text().count("built") in builds
    assert path.read_bytes() == b"content" * 100_000
    assert set(os.listdir(tmp_path)) <= {"x", "log", ".x.lock"}


def test_a_killed_builder_does_not_hold_the_lock(tmp_path):
    script = "import pathlib, sys, time; from course_utils.data import cache\n" + (
        "with cache.lock(pathlib.Path(sys.argv[1])):\n    print('held', flush=True); time.sleep(60)"
    )
    process = run(script, tmp_path / "x")
    assert process.stdout.readline() == "held\n"
    process.kill()
    process.communicate()
    start = time.monotonic()
    with cache.lock(tmp_path / "x", seconds=20):
        assert time.monotonic() - start < 10


def test_readers_never_see_a_part(tmp_path):
    path = tmp_path / "x"
    contents = {bytes([k]) * 200_000 for k in range(5)}
    cache.write(path, min(contents))
    done = threading.Event()
    seen = set()

    def read():
        while not done.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for content in sorted(contents) * 20:
        cache.write(path, content)
    done.set()
    reader.join()
    assert seen <= contents

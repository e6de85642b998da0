"""Writing into the data folder: whole files or none, one builder at a time, and errors that name COURSE_DATA."""

import errno
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .folders import DataFolderError

LOCK_SECONDS = 120.0


def _numbers(*names: str) -> set[int]:
    return {getattr(errno, name) for name in names if hasattr(errno, name)}  # no system has them all


_FULL = _numbers("ENOSPC", "EDQUOT", "EFBIG")
_NO_LOCKS = _numbers("ENOSYS", "ENOTSUP", "EOPNOTSUPP", "ENOLCK")


@contextmanager
def folder_errors(folder: Path, doing: str) -> Iterator[None]:
    """Turn an OSError of the body into a `DataFolderError` that says what was being done, where, and what to do."""
    try:
        yield
    except DataFolderError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in _FULL:
            cure = "Free some space there, or set COURSE_DATA to a folder on a disk that has it."
        else:
            cure = "Set COURSE_DATA to a folder that you can write to."
        raise DataFolderError(f"could not {doing} in the data folder {folder}: {reason}. {cure}") from error


@contextmanager
def lock(path: Path, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Let one process at a time build `path`; its folder is made if it is missing.

    The lock saves work, it is not what keeps files whole (`write` is): where it cannot be had within `seconds`, or the
    file system has no locks, the caller goes on without it. The lock is the operating system's, so it ends with its
    process. Raises `DataFolderError` where the folder cannot be made or written.
    """
    import filelock

    waiting = filelock.FileLock(path.with_name(f".{path.name}.lock"), fallback_to_soft=False)
    with folder_errors(path.parent, f"prepare {path.name}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            waiting.acquire(timeout=seconds)
        except (filelock.Timeout, NotImplementedError):
            pass
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
    try:
        yield
    finally:
        waiting.release()


def write(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old one, or the new one, never a part.

    Raises `DataFolderError` when the folder is read-only or full; nothing is left behind then.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")  # not mkstemp: a shared folder's rights count
    with folder_errors(path.parent, f"write {path.name}"):
        try:
            with open(temporary, "xb") as file:
                file.write(data)
            replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise


def replace(temporary: Path, path: Path) -> None:
    """`os.replace`, tried for a second: on Windows it is refused while another process reads the old file."""
    for attempt in range(20):
        try:
            os.replace(temporary, path)
            return
        except PermissionError:
            if os.name != "nt" or attempt == 19:
                raise
            time.sleep(0.05)

"""Run a student's function with a time limit, on every operating system.

The function runs in a daemon thread of the kernel's process, for it needs the notebook's objects. Windows
has no alarm signal and no fork, so an endless loop is stopped by CPython's `PyThreadState_SetAsyncExc`,
which raises an exception between two bytecodes of that thread. A call that sits in C code (a sleep, a large
matrix product) sees it only when it comes back; such a thread is left behind and the student told.
"""

from __future__ import annotations

import contextvars
import ctypes
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

STACK_BYTES = 64 * 2**20  # reserved, not used: deep recursion must end in RecursionError, not in a crash
GRACE_SECONDS = 1.0  # how long to try to stop a thread before it is left behind
POLL_SECONDS = 0.05  # a wait without end cannot be interrupted on Windows


class _Stop(SystemExit):
    """Raised inside the worker when its time is over.

    Not an Exception, so that `except Exception` lets it through; a SystemExit, so that the threading module
    keeps silent should one arrive in the thread's last bytecodes, outside of every `except` of ours.
    """


@dataclass
class Outcome:
    """How a run ended: by itself (`error` is what it raised, if anything), or at the time limit."""

    error: BaseException | None = None
    timed_out: bool = False
    left_behind: bool = False
    warned: list[str] = field(default_factory=list)


class _Worker(threading.Thread):
    def __init__(self, function: Callable[[], object]) -> None:
        super().__init__(name="exercise", daemon=True)
        self.error: BaseException | None = None
        self.done = threading.Event()
        self._function = function
        self._context = contextvars.copy_context()  # output goes to the cell that asked; numpy's errstate is kept
        self._lock = threading.Lock()  # a stop is only sent before `done`

    def run(self) -> None:
        started = False
        while not self.done.is_set():
            try:
                if not started:
                    started = True
                    try:
                        self._context.run(self._function)
                    except BaseException as error:  # a SystemExit, too, is for the student to read about
                        self.error = error
                with self._lock:
                    self._raise(None)  # takes back a stop under way: it would hit threading's own last lines
                    self.done.set()
            except _Stop:
                continue

    def _stop(self) -> None:
        with self._lock:
            if not self.done.is_set():
                self._raise(ctypes.py_object(_Stop))

    def _raise(self, exception: ctypes.py_object | None) -> None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.ident), exception)

    def stop_for(self, seconds: float) -> bool:
        """Send stops until the thread has ended or the time is over: a bare `except:` swallows some."""
        deadline, pause = time.monotonic() + seconds, 0.001
        while self.is_alive() and not self.done.is_set() and time.monotonic() < deadline:
            self._stop()
            self.done.wait(pause)
            pause = min(1.5 * pause, POLL_SECONDS)
        return self.done.is_set() or not self.is_alive()


def run(function: Callable[[], object], time_limit: float) -> Outcome:
    """Call `function()` in a thread for at most `time_limit` seconds.

    Its warnings are collected instead of printed. An interrupt by the user stops it and is raised here.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")  # the default shows a warning once per place, so the second check would differ
        worker = _start(function)
        try:
            deadline = time.monotonic() + time_limit
            while not worker.done.wait(POLL_SECONDS) and time.monotonic() < deadline:
                pass
            timed_out = not worker.done.is_set()
            left_behind = timed_out and not worker.stop_for(GRACE_SECONDS)
        except KeyboardInterrupt:
            worker.stop_for(GRACE_SECONDS)
            raise
    silent = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)
    warned = dict.fromkeys(str(each.message) for each in caught if not issubclass(each.category, silent))
    return Outcome(None if timed_out else worker.error, timed_out, left_behind, list(warned))


def _start(function: Callable[[], object]) -> _Worker:
    worker = _Worker(function)
    before = threading.stack_size()
    try:
        threading.stack_size(STACK_BYTES)
        worker.start()
    except (ValueError, RuntimeError):  # the system refuses that size, or has no room for it
        threading.stack_size(before)
        worker = _Worker(function)
        worker.start()
    finally:
        threading.stack_size(before)
    return worker

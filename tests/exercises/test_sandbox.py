"""The time limit, with loops that let themselves be stopped and calls that do not; the user's interrupt."""

import _thread
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from course_utils.exercises import Exercise
from course_utils.exercises.engine import sandbox
from course_utils.exercises.engine.judge import judge

LIMIT = 0.15


def timed(answer, limit=LIMIT):
    """The verdict on `answer`, a function of one number, and the seconds it took."""
    double = Exercise(
        name="a.b",
        title="A",
        difficulty=1,
        minutes=1,
        reference=lambda x: 2 * x,
        cases=((1.0,), (3.0,)),
        hints=("Look.",),
        time_limit=limit,
    )
    start = time.monotonic()
    return judge(double, answer), time.monotonic() - start


def workers():
    return [thread for thread in threading.enumerate() if thread.name == "exercise"]


@pytest.fixture(autouse=True)
def no_thread_stays():
    yield
    deadline = time.monotonic() + 20
    while workers() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not workers()


def plain_loop(x):
    while True:
        pass


def loop_that_swallows_exceptions(x):
    while True:
        try:
            time.sleep(0.001)  # a stop that is an Exception would always arrive here
        except Exception:
            pass


def loop_with_a_bare_except(x):
    while True:
        try:
            x += 1
        except:  # noqa: E722
            x = 0


def loop_of_short_sleeps(x):
    while True:
        time.sleep(0.01)


def loop_in_numpy(x):
    while True:
        x += np.ones(100).sum()


def loop_in_the_second_case(x):
    while x > 2:
        pass
    return 2 * x


LOOPS = [
    plain_loop,
    loop_that_swallows_exceptions,
    loop_with_a_bare_except,
    loop_of_short_sleeps,
    loop_in_numpy,
    loop_in_the_second_case,
]


@pytest.mark.parametrize("loop", LOOPS, ids=lambda loop: loop.__name__)
def test_an_endless_loop_is_stopped(loop):
    verdict, seconds = timed(loop)
    text = " ".join(verdict.paragraphs)
    assert (verdict.status, verdict.kind) == ("wrong", "time")
    assert "stopped after 0.15 seconds" in text
    assert f"`x` = {3 if loop is loop_in_the_second_case else 1}:" in text
    assert "restart" not in text
    assert seconds < LIMIT + sandbox.GRACE_SECONDS


def test_a_call_in_c_is_left_behind(monkeypatch):
    monkeypatch.setattr(sandbox, "GRACE_SECONDS", 0.1)
    verdict, seconds = timed(lambda x: time.sleep(1.0))
    assert verdict.kind == "time"
    assert "restart the kernel" in " ".join(verdict.paragraphs)
    assert seconds < 0.8
    assert timed(lambda x: 2 * x, limit=30)[0].status == "right"  # the one left behind disturbs nothing


def test_an_answer_that_ends_at_the_limit_does_no_harm(capfd):
    """Stops are sent to threads that are just ending; none may reach the next check, or stderr."""
    for wait in np.linspace(LIMIT - 0.01, LIMIT + 0.01, 11):
        verdict, _ = timed(lambda x, wait=wait: time.sleep(wait / 2) or 2 * x)
        assert verdict.kind in ("right", "time")
    assert timed(lambda x: 2 * x, limit=30)[0].status == "right"
    assert capfd.readouterr().err == ""


def test_many_threads_stopped_while_they_clean_up(capfd):
    def cleans_up(x):
        try:
            while True:
                pass
        finally:
            for _ in range(20_000):
                pass

    for _ in range(3):
        assert timed(cleans_up)[0].kind == "time"
    assert capfd.readouterr().err == ""


@pytest.fixture
def interruptible():
    """A process that a shell has started in the background ignores SIGINT; this one shall not."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("answer", [plain_loop, loop_that_swallows_exceptions], ids=lambda loop: loop.__name__)
def test_an_interrupt_reaches_the_user_and_ends_the_answer(answer):
    slow = Exercise(
        name="a.b", title="A", difficulty=1, minutes=1, reference=abs, cases=((1.0,),), hints=("Look.",), time_limit=60
    )
    timer = threading.Timer(0.2, _thread.interrupt_main)
    timer.start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        judge(slow, answer)
    assert time.monotonic() - start < 10
    timer.join()


def test_deep_recursion_is_an_exception():
    class Deep:
        def __getattr__(self, name):  # recursion through C code, which uses the thread's stack
            return getattr(self, name + "x")

    verdict, _ = timed(lambda x: Deep().y, limit=30)
    assert "RecursionError" in " ".join(verdict.paragraphs)


def test_a_large_stack_for_the_answer_and_for_no_other_thread(monkeypatch):
    sizes, stack_size = [], threading.stack_size
    before = stack_size()
    monkeypatch.setattr(sandbox.threading, "stack_size", lambda *size: sizes.append(size) or stack_size(*size))
    timed(lambda x: 2 * x, limit=30)
    assert sizes == [(), (sandbox.STACK_BYTES,), (before,)]
    assert stack_size() == before


def test_a_call_left_behind_does_not_keep_the_process_alive():
    code = (
        "import time\n"
        "from course_utils.exercises.engine import sandbox\n"
        "sandbox.GRACE_SECONDS = 0.1\n"
        "assert sandbox.run(lambda: time.sleep(100), 0.1).left_behind\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=50)


def test_a_system_without_room_for_a_large_stack(monkeypatch):
    start = threading.Thread.start

    def refuse(thread):
        if threading.stack_size() == sandbox.STACK_BYTES:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(sandbox._Worker, "start", refuse)
    assert timed(lambda x: 2 * x, limit=30)[0].status == "right"

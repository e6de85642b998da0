"""What the benchmarks share: three ways to measure, and a record of what was found.

A speed is a ratio against a named peer, both timed in turn in one process so that they meet the same noise. It is
printed and recorded; enforced is only that nothing hangs, a tenth of the promise. Memory is counted and not timed,
so it is enforced. `make bench` stores the record in data/benchmarks.json, and the README's table and picture with it.
"""

import gc
import statistics
import time
import tracemalloc

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from . import report

FOUND = pytest.StashKey[list]()


def pytest_addoption(parser):
    parser.addoption("--store", action="store_true", help="store what was measured, and the README's table and picture")


def pytest_configure(config):
    config.stash[FOUND] = []


def pytest_terminal_summary(terminalreporter, exitstatus, config):
    if found := config.stash[FOUND]:
        terminalreporter.section("what was measured")
        for record in found:
            terminalreporter.line(report.sentence(record))
        if config.getoption("--store") and exitstatus == pytest.ExitCode.OK:
            report.store(found)


@pytest.fixture
def found(request):
    """The list of records, for a test that measures in processes of its own."""
    return request.config.stash[FOUND]


@pytest.fixture(params=[1, 2], ids=["one thread", "two threads"])
def threads(request):
    with threadpool_limits(request.param):
        yield request.param


@pytest.fixture(scope="session")
def ten_classes():
    """200,000 rows of 100 Gaussian features in 10 classes of one covariance, X and y."""
    rng = np.random.default_rng(0)
    n, d, n_classes = 200_000, 100, 10
    y = rng.integers(n_classes, size=n)
    return rng.normal(size=(n_classes, d))[y] + rng.normal(size=(n, d)), y


@pytest.fixture
def compare(benchmark, request):
    """A function that measures how many times as fast as its peer ours() is, the median over rounds."""

    def measure(what, ours, peer, *, lesson, against, promise, threads=1, rounds=7):
        peer_seconds = []

        def time_peer():
            gc.collect()
            start = time.perf_counter()
            peer()
            peer_seconds.append(time.perf_counter() - start)

        peer()
        benchmark.pedantic(ours, setup=time_peer, rounds=rounds, warmup_rounds=1)
        seconds = benchmark.stats.stats.data
        quotients = [p / o for p, o in zip(peer_seconds[-rounds:], seconds, strict=True)]
        record = {
            "kind": "ratio",
            "lesson": lesson,
            "what": what,
            "against": against,
            "promise": promise,
            "threads": threads,
            "ratio": statistics.median(quotients),
            "least": min(quotients),
            "greatest": max(quotients),
            "seconds": statistics.median(seconds),
            "peer_seconds": statistics.median(peer_seconds[-rounds:]),
        }
        request.config.stash[FOUND].append(record)
        benchmark.extra_info.update(record)
        assert record["ratio"] > promise / 10
        return record["ratio"]

    return measure


def peak(call):
    """The most bytes that call() holds at once, over what was held before, by NumPy's own account of its arrays."""
    tracemalloc.start()
    call()
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


@pytest.fixture
def compare_memory(request):
    """A function that asserts that ours() holds no more memory at its peak than its peer does."""

    def measure(what, ours, peer, *, lesson, against):
        record = {"kind": "memory", "lesson": lesson, "what": what, "against": against}
        record |= {"bytes": peak(ours), "peer_bytes": peak(peer)}
        request.config.stash[FOUND].append(record)
        assert record["bytes"] <= 1.01 * record["peer_bytes"]

    return measure


@pytest.fixture
def growth(request):
    """A function that times call(size) for each size and returns the slope of log time on log size."""

    def measure(what, variable, call, sizes, *, lesson, rounds=5):
        seconds = np.empty((rounds, len(sizes)))
        for i in range(rounds):
            for j, size in enumerate(sizes):
                start = time.perf_counter()
                call(size)
                seconds[i, j] = time.perf_counter() - start
        median = np.median(seconds, axis=0)
        slope = float(np.polyfit(np.log(sizes), np.log(median), 1)[0])
        record = {"kind": "growth", "lesson": lesson, "what": what, "variable": variable, "slope": slope}
        request.config.stash[FOUND].append(record | {"sizes": list(sizes), "seconds": median.tolist()})
        return slope

    return measure

"""How the time of a call grows with the size of what it is given."""

import time

import numpy as np


def growth(name, call, sizes, rounds=5):
    """Time call(size) for each size in turn, ``rounds`` times; print and return the slope of log time on log size."""
    seconds = np.empty((rounds, len(sizes)))
    for i in range(rounds):
        for j, size in enumerate(sizes):
            start = time.perf_counter()
            call(size)
            seconds[i, j] = time.perf_counter() - start
    median = np.median(seconds, axis=0)
    slope = np.polyfit(np.log(sizes), np.log(median), 1)[0]
    times = ", ".join(f"{size}: {t:.4f} s" for size, t in zip(sizes, median))
    print(f"\n{name}: time grows as size to the {slope:.2f} ({times})")
    return slope

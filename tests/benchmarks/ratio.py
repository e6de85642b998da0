"""One way to time two things against each other: in turn, in one process, so that both meet the same noise."""

import statistics
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    """How many times as fast as its peer something is: the median over rounds, with the least and the greatest."""

    name: str
    median: float
    least: float
    greatest: float
    seconds: float
    peer_seconds: float

    def __str__(self):
        return (
            f"{self.name}: {self.median:.2f} times its peer's speed (rounds {self.least:.2f} to {self.greatest:.2f}; "
            f"{self.seconds:.3f} s against {self.peer_seconds:.3f} s)"
        )


def ratio(name, ours, peer, rounds=7):
    """Call peer() and ours() in turn ``rounds`` times after one warm-up each, print and return the Ratio."""
    ours(), peer()
    pairs = []
    for _ in range(rounds):
        start = time.perf_counter()
        peer()
        middle = time.perf_counter()
        ours()
        pairs.append((middle - start, time.perf_counter() - middle))
    quotients = [p / o for p, o in pairs]
    result = Ratio(
        name,
        statistics.median(quotients),
        min(quotients),
        max(quotients),
        seconds=statistics.median(o for _, o in pairs),
        peer_seconds=statistics.median(p for p, _ in pairs),
    )
    print(f"\n{result}")
    return result

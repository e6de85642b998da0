"""Throughput of two processes with a thread each against one process with two threads; nothing is promised.

Hinton and Salakhutdinov's autoencoder, 2.8 million parameters, on random rows of 784 pixels. The fewer examples a step
has, the more of its time two processes spend on summing their gradients.
"""

import json
import statistics
from pathlib import Path

import pytest

from tests.training.torchrun import torchrun

pytestmark = pytest.mark.slow

SIZES = (128, 512, 2048)


def test_throughput(found, tmp_path):
    script = Path(__file__).with_name("two_processes.py")
    done = torchrun(script, "times.json", *map(str, SIZES), cwd=tmp_path, environ={"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    times = json.loads((tmp_path / "times.json").read_text())
    for size in SIZES:
        two, one = times[str(size)]["two"], times[str(size)]["one"]
        ratios = [p / o for p, o in zip(one, two, strict=True)]
        found.append(
            {
                "kind": "ratio",
                "lesson": "4–8",
                "what": f"training on two processes, batches of {size}",
                "against": "one process, two threads",
                "promise": None,
                "threads": 2,
                "ratio": statistics.median(ratios),
                "least": min(ratios),
                "greatest": max(ratios),
                "seconds": statistics.median(two),
                "peer_seconds": statistics.median(one),
            }
        )
        assert found[-1]["ratio"] > 0.02  # nothing hangs

"""The training loop's promise: at most 3 % slower a step than a bare loop written by hand, at steps of about 5 ms.

The two take turns of ten steps, so that both meet the same noise: as many quotients as turns, and their median.
"""

import statistics
import time
import types

import pytest
import torch
from threadpoolctl import threadpool_limits

from course_utils.models.vae import Autoencoder, squared_error
from course_utils.training.config import Config
from course_utils.training.loop import train

pytestmark = pytest.mark.slow

TURNS, TURN, WARM_UP = 100, 10, 5
BATCH = 128
SIZES = (784, 400, 100, 20)
PROMISE = 0.97


def optimiser(model, config=None):
    return torch.optim.AdamW(model.parameters(), lr=1e-3)


def bare_loop(X):
    """What one writes by hand; each next() is a step."""
    model = Autoencoder(SIZES)
    adamw, losses, step = optimiser(model), [], 0
    while True:
        position = step % (len(X) // BATCH)
        if position == 0:
            order = torch.randperm(len(X))
        batch = X[order[position * BATCH : (position + 1) * BATCH]]
        adamw.zero_grad()
        loss = squared_error(batch, model(batch)).mean()
        loss.backward()
        adamw.step()
        losses.append(loss.item())
        step += 1
        yield


class Turns:
    """A watcher of our loop that lets the bare one make as many steps after each interval, and times both."""

    def __init__(self, bare):
        self.bare, self.ours_seconds, self.bare_seconds = bare, [], []

    def __call__(self, lines, steps):
        now = time.perf_counter()
        if lines:
            self.ours_seconds.append(now - self.since)
        for _ in range(TURN):
            next(self.bare)
        self.since = time.perf_counter()
        self.bare_seconds.append(self.since - now)


def test_overhead(found):
    X = torch.rand(5000, SIZES[0], generator=torch.Generator().manual_seed(0))
    recipe = types.SimpleNamespace(
        __name__="overhead",
        model=lambda config: Autoencoder(SIZES),
        data=lambda config, source: (X, X[:100]),
        loss=lambda model, batch, generator: squared_error(batch, model(batch)).mean(),
        optimiser=optimiser,
    )
    turns = Turns(bare_loop(X))
    threads = torch.get_num_threads()
    with threadpool_limits(1):
        torch.set_num_threads(1)
        try:
            train(recipe, Config(steps=TURNS * TURN, batch_size=BATCH), watch=turns, log_every=TURN, save_every=10**6)
        finally:
            torch.set_num_threads(threads)
    ours, bare = turns.ours_seconds[WARM_UP:], turns.bare_seconds[WARM_UP:]
    # each turn of ours lies between two of the bare loop's
    quotients = [(before + after) / 2 / own for own, before, after in zip(ours, bare, bare[1:], strict=False)]
    quarters = statistics.quantiles(quotients)
    found.append(
        {
            "kind": "ratio",
            "lesson": "4–8",
            "what": "training loop",
            "against": "a bare loop",
            "promise": PROMISE,
            "threads": 1,
            "ratio": statistics.median(quotients),
            "least": quarters[0],
            "greatest": quarters[2],
            "seconds": statistics.median(ours),
            "peer_seconds": statistics.median(bare),
        }
    )
    assert found[-1]["ratio"] > PROMISE / 10

"""The training loop's promise: at most 3 % slower than a bare loop written by hand, at steps of about 5 ms."""

import types

import pytest
import torch
from threadpoolctl import threadpool_limits

from course_utils.models.vae import Autoencoder, squared_error
from course_utils.training.config import Config
from course_utils.training.loop import train

pytestmark = pytest.mark.slow

STEPS, BATCH = 500, 128
SIZES = (784, 400, 100, 20)


def test_overhead(compare):
    generator = torch.Generator().manual_seed(0)
    X = torch.rand(5000, SIZES[0], generator=generator)

    def optimiser(model, config=None):
        return torch.optim.AdamW(model.parameters(), lr=1e-3)

    recipe = types.SimpleNamespace(
        __name__="overhead",
        model=lambda config: Autoencoder(SIZES),
        data=lambda config, source: (X, X[:100]),
        loss=lambda model, batch, generator: squared_error(batch, model(batch)).mean(),
        optimiser=optimiser,
    )

    def ours():
        assert train(recipe, Config(steps=STEPS, batch_size=BATCH)).step == STEPS

    def bare():
        model = Autoencoder(SIZES)
        adamw, losses = optimiser(model), []
        for step in range(STEPS):
            position = step % (len(X) // BATCH)
            if position == 0:
                order = torch.randperm(len(X))
            batch = X[order[position * BATCH : (position + 1) * BATCH]]
            adamw.zero_grad()
            loss = squared_error(batch, model(batch)).mean()
            loss.backward()
            adamw.step()
            losses.append(loss.item())

    with threadpool_limits(1):
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            compare("training loop", ours, bare, lesson="4–8", against="a bare loop", promise=0.97, rounds=9)
        finally:
            torch.set_num_threads(threads)

"""The VAE on MNIST's 10,000 images against that of pytorch/examples: the time to the peer's ELBO, and to 105 nats."""

import os
from pathlib import Path

import pytest
import torch
from threadpoolctl import threadpool_limits

from course_utils.experiments.vae_mnist import CONFIG, our_config, peer_elbo, peer_epochs
from course_utils.recipes import vae
from course_utils.training.loop import train

pytestmark = pytest.mark.slow

SUPPLIED = Path(os.environ.get("COURSE_SUPPLIED_DATA", "no such folder"))


@pytest.fixture
def mnist(monkeypatch):
    if not (SUPPLIED / "mnist-t10k-images-idx3-ubyte.gz").exists():
        pytest.skip("COURSE_DATA has no MNIST test images")
    monkeypatch.setenv("COURSE_DATA", str(SUPPLIED))
    threads = torch.get_num_threads()
    with threadpool_limits(1):
        torch.set_num_threads(1)
        yield vae.data(vae.PRESETS["mnist-10k"], "mnist-10k")
    torch.set_num_threads(threads)


@pytest.mark.parametrize(
    ("what", "name", "promise"), [("VAE, to the peer's ELBO", "quick", 3.0), ("VAE, to 105 nats", "ours", 0.33)]
)
def test_vae(compare, mnist, what, name, promise):
    train_set, test_set = mnist
    config = our_config(CONFIG, name, seed=0)
    found = {}

    def ours():
        found["ours"] = train(vae, config, source="mnist-10k", save_every=config.steps).history["test elbo"][-1]

    def peer():
        with torch.random.fork_rng([]):
            *_, model = peer_epochs(CONFIG["peer"], train_set, seed=0)
            found["peer"] = peer_elbo(model, test_set)

    compare(what, ours, peer, lesson=5, against="pytorch/examples", promise=promise, rounds=3)
    assert found["ours"] >= (found["peer"] if name == "quick" else -105)

"""The lesson's VAE on 8,000 MNIST digits against the VAE of pytorch/examples: ELBO of 2,000 others against time.

The same split and the same bits, drawn once, for both; one after the other in one process, one thread. The peer has 400
hidden units and 20 latent numbers, and learns by Adam at a fixed rate; what the lesson's does instead its preset says.
It is trained twice: in few steps, to be where the peer ends in a fraction of the time, and in more, to be better. The
images are an optional download (``COURSE_DATA``); the result ships, and is repeated only where they are.
"""

import dataclasses
import time

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy

from course_utils.recipes import vae
from course_utils.training.loop import train

CONFIG = {
    "seeds": 3,
    "peer": {"hidden": 400, "latent": 20, "rate": 1e-3, "batch_size": 128, "epochs": 20},
    "preset": dataclasses.asdict(vae.PRESETS["mnist-10k"]),
    "steps": {"ours": 1500, "quick": 300},
    "tests": 20,
}


class Peer(nn.Module):
    """The network of pytorch/examples, ``vae/main.py``: ReLU, and probabilities where ours has logits."""

    def __init__(self, hidden, latent, pixels=784):
        super().__init__()
        self.hidden, self.mu, self.log_var = (
            nn.Linear(pixels, hidden),
            nn.Linear(hidden, latent),
            nn.Linear(hidden, latent),
        )
        self.widen, self.pixels = nn.Linear(latent, hidden), nn.Linear(hidden, pixels)

    def forward(self, x):
        """The negative ELBO, the sum over the batch, by one draw of z."""
        hidden = torch.relu(self.hidden(x))
        mu, log_var = self.mu(hidden), self.log_var(hidden)
        z = mu + torch.exp(0.5 * log_var) * torch.randn_like(mu)
        probabilities = torch.sigmoid(self.pixels(torch.relu(self.widen(z))))
        kl = -0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp())
        return binary_cross_entropy(probabilities, x, reduction="sum") + kl


def peer_epochs(settings, train_set, seed):
    """Train the peer as its own script does, and give it out after each epoch, where it would be tested."""
    torch.manual_seed(seed)
    model = Peer(settings["hidden"], settings["latent"])
    optimiser = torch.optim.Adam(model.parameters(), lr=settings["rate"])
    for _ in range(settings["epochs"]):
        for rows in torch.randperm(len(train_set)).split(settings["batch_size"]):
            optimiser.zero_grad()
            loss = model(train_set[rows])
            loss.backward()
            optimiser.step()
        yield model


@torch.no_grad()
def peer_elbo(model, test_set):
    """The peer's ELBO in nats, the mean over the images."""
    return -model(test_set).item() / len(test_set)


def our_config(config, name, seed):
    """The preset's configuration with this seed and the steps of that name."""
    changed = {"seed": seed, "steps": config["steps"][name], "hidden": tuple(config["preset"]["hidden"])}
    return vae.Config(**config["preset"] | changed)


def run(config, report):
    """results["peer" | "ours" | "quick"]: "seconds" and "test elbo", (seed, test) each; the tests' time is counted."""
    results = {name: {"seconds": [], "test elbo": []} for name in ("peer", *config["steps"])}
    for seed in range(config["seeds"]):
        train_set, test_set = vae.data(our_config(config, "ours", seed), "mnist-10k")
        seconds, elbos, start = [], [], time.perf_counter()
        with torch.random.fork_rng([]):
            for model in peer_epochs(config["peer"], train_set, seed):
                elbos.append(peer_elbo(model, test_set))
                seconds.append(time.perf_counter() - start)
        found = {"peer": {"seconds": seconds, "test elbo": elbos}}
        for name in config["steps"]:
            ours = our_config(config, name, seed)
            every = -(-ours.steps // config["tests"])
            found[name] = train(vae, ours, source="mnist-10k", log_every=every, save_every=every).history
        for name, history in found.items():
            for column, rows in results[name].items():
                rows.append(np.round(history[column], 2).tolist())
            report(f"seed {seed}, {name}: {history['test elbo'][-1]:.2f} nats after {history['seconds'][-1]:.1f} s")
    return results

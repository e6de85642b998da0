"""Where the time of a training step goes: the course's loop, and a plain one, on the networks of the digits' GAN.

Both play the game without penalty, one thread. Shares are those of torch's profiler, which itself slows a step down:
"ms" is measured without it. The times are of one machine, so a repetition elsewhere gives others.
"""

import dataclasses
import itertools
import time
import types

import torch
from torch import nn
from torch.nn.functional import one_hot
from torch.profiler import ProfilerActivity, profile

from course_utils.recipes import gan
from course_utils.training.loop import train

CONFIG = {
    "seeds": 5,  # rounds, in each of which both loops run
    "preset": dataclasses.asdict(dataclasses.replace(gan.PRESETS["digits"], gamma=0.0, steps=300)),
}
MATRIX = ("aten::addmm", "aten::mm")
PARTS = ("matrix products", "optimisers", "other tensor operations", "Python and autograd")


def plain_loop(config, data):
    """The loop of PyTorch's DCGAN example on this network: three passes of D, each with its own backward, every step.

    Parameters
    ----------
    config : course_utils.recipes.gan.Config
    data : TensorDataset of (n, pixels) and (n,) of int

    Returns
    -------
    list of [D's loss, G's loss, D(x), D(G(z)) before and after D's step], a row a step
    """
    torch.manual_seed(config.seed)
    (X, Y), n = data[:], len(data) // config.batch_size * config.batch_size
    netG = _network((config.latent + config.classes, *config.hidden, config.pixels))
    netD = _network((config.pixels + config.classes, *config.hidden, 1))
    criterion, betas, told = nn.BCELoss(), (config.beta1, config.beta2), []
    optimiserD = torch.optim.Adam(netD.parameters(), lr=config.rate, betas=betas)
    optimiserG = torch.optim.Adam(netG.parameters(), lr=config.generator_rate, betas=betas)
    ones, zeros = torch.ones(config.batch_size), torch.zeros(config.batch_size)
    while True:
        for rows in torch.randperm(len(X))[:n].split(config.batch_size):
            x, classes = X[rows], one_hot(Y[rows], config.classes).float()
            netD.zero_grad()
            real = netD(torch.cat([x, classes], 1)).view(-1)
            error_real = criterion(real, ones)
            error_real.backward()
            noise = torch.randn(config.batch_size, config.latent)
            fake = netG(torch.cat([noise, classes], 1))
            judged = netD(torch.cat([fake.detach(), classes], 1)).view(-1)
            error_fake = criterion(judged, zeros)
            error_fake.backward()
            optimiserD.step()
            netG.zero_grad()
            again = netD(torch.cat([fake, classes], 1)).view(-1)
            error_G = criterion(again, ones)
            error_G.backward()
            optimiserG.step()
            probabilities = [judgement.mean().item() for judgement in (real, judged, again)]
            told.append([error_real.item() + error_fake.item(), error_G.item(), *probabilities])
            if len(told) == config.steps:
                return told


def _network(sizes):
    layers = []
    for n_in, n_out in itertools.pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1], nn.Sigmoid())


def loops(config):
    """The course's loop and the plain one, ready to run: name → function; the data are read before."""
    data = gan.data(config)
    ready = types.SimpleNamespace(**{**vars(gan), "data": lambda config, source: data})
    return {
        "the course's loop": lambda: train(ready, config, log_every=50, save_every=config.steps),
        "a plain loop": lambda: plain_loop(config, data[0]),
    }


def shares(call):
    """The share of each of PARTS in the time of call(), (4,), by torch's profiler; the last has what is left."""
    with profile(activities=[ProfilerActivity.CPU]) as found:
        start = time.perf_counter()
        call()
        total = time.perf_counter() - start
    matrix = optimiser = other = 0.0  # microseconds
    for event in found.events():
        if event.name.startswith("Optimizer."):
            optimiser += event.cpu_time_total
        elif event.name.startswith("aten::") and not _within_optimiser(event):
            if event.name in MATRIX:
                matrix += event.self_cpu_time_total
            else:
                other += event.self_cpu_time_total
    parts = [part / 1e6 / total for part in (matrix, optimiser, other)]
    return [*parts, 1 - sum(parts)]


def _within_optimiser(event):
    while event is not None:
        if event.name.startswith("Optimizer."):
            return True
        event = event.cpu_parent
    return False


def run(config, report):
    """results[loop]: "ms" a step, by round; "shares" of PARTS, (round, 4)."""
    preset = gan.Config(**config["preset"])
    results = {name: {"ms": [], "shares": []} for name in loops(preset)}
    for number in range(config["seeds"]):
        for name, call in loops(dataclasses.replace(preset, seed=number)).items():
            call()
            start = time.perf_counter()
            call()
            results[name]["ms"].append(round(1000 * (time.perf_counter() - start) / preset.steps, 3))
            results[name]["shares"].append([round(share, 4) for share in shares(call)])
            report(f"{name}: {results[name]['ms'][-1]} ms a step, {results[name]['shares'][-1]}")
    return results

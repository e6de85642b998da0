"""The ring of eight Gaussians from twenty seeds: how many modes the plain game reaches, and how many two mends do.

A mode counts from 1 % of 10,000 samples within 3 standard deviations of it; of the data themselves 98.9 % lie within.
"""

import dataclasses

import numpy as np
import torch

from course_utils.experiments.runs import train_whole
from course_utils.metrics import mode_coverage
from course_utils.recipes import gan

CONFIG = {
    "seeds": 20,
    "settings": {
        name: dataclasses.asdict(gan.PRESETS[preset])
        for name, preset in {
            "slow discriminator": "ring-slow-discriminator",
            "plain": "ring-plain",
            "no momentum, falling rates": "ring-calm",
            "with R1": "ring",
            "relativistic with R1 and R2": "ring-relativistic",
        }.items()
    },
    "samples": 10_000,
    "kept": 150,  # of them, to be drawn
    "every": 1000,
    "good": {"modes": 8, "share": 0.95},
}


def run(config, report):
    """results[setting], by seed: "modes", "share" at the end; both at "steps" in "history"; "samples" (150, 2).

    "seconds" is the time of each training, on the machine that ran it.
    """
    results = {}
    for name, preset in config["settings"].items():
        found = {key: [] for key in ("modes", "share", "modes over time", "share over time", "samples", "seconds")}
        for seed in range(config["seeds"]):
            seeded = gan.Config(**{**preset, "seed": seed})
            trained = train_whole(gan, seeded, log_every=config["every"], save_every=config["every"])
            x = trained.model.sample(config["samples"], torch.Generator().manual_seed(seed)).numpy()
            modes, share = mode_coverage(x, gan.RING, gan.RING_DEVIATION)
            history = trained.history
            found["modes"].append(modes)
            found["share"].append(round(share, 4))
            found["modes over time"].append(history["modes"].astype(int).tolist())
            found["share over time"].append(np.round(history["share"], 3).tolist())
            found["samples"].append(np.round(x[: config["kept"]].astype(float), 2).tolist())
            found["seconds"].append(round(float(history["seconds"][-1]), 1))
        results[name] = {"steps": history["step"].tolist(), **found}
        report(f"{name}: {good(found, config['good'])} of {config['seeds']} good, modes {found['modes']}")
    return results


def good(found, limits):
    """How many seeds have at least as many modes, and as large a share, as the limits say."""
    return sum(
        modes >= limits["modes"] and share >= limits["share"]
        for modes, share in zip(found["modes"], found["share"], strict=True)
    )

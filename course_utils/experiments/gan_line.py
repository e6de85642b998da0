"""The GAN on the line from twenty seeds, under the rules of the lesson and with one of them changed at a time.

Data density and optimum are known: each run is measured by JSD(p‖q) and V(D, G) in nats and by E|D − D*| under
(p + q)/2, at every hundredth step on 2¹⁶ stratified z, and at the end on 10⁶.
"""

import dataclasses

import numpy as np

from course_utils.experiments.runs import train_whole
from course_utils.recipes import gan

CONFIG = {
    "seeds": 20,
    "preset": dataclasses.asdict(gan.PRESETS["line"]),
    "settings": {
        "the lesson's": {},
        "equal rates": {"rate": gan.PRESETS["line"].generator_rate},
        "no penalty": {"gamma": 0.0},
        "independent noise": {"stratified": False},
        "momentum": {"beta1": 0.9},
        "from afar, −log D": {"start": 6.0},
        "from afar, log(1 − D)": {"start": 6.0, "loss": "minimax"},
    },
    "every": 100,
    "final_z": 10**6,
    "good": {"JSD": 0.01, "distance": 0.03},  # what counts as a good end
}


def run(config, report):
    """results[setting]: "steps"; "JSD", "value" and "distance", (seed, step) each; "final", the same by seed."""
    results = {}
    for name, changes in config["settings"].items():
        found = {measure: [] for measure in ("JSD", "value", "distance")}
        final = {measure: [] for measure in ("JSD", "value", "distance")}
        for seed in range(config["seeds"]):
            preset = gan.Config(**{**config["preset"], **changes, "seed": seed})
            trained = train_whole(gan, preset, log_every=config["every"], save_every=config["every"])
            end = gan.line_measures(trained.model, config["final_z"])
            for measure in found:
                found[measure].append(np.round(trained.history[measure], 5).tolist())
                final[measure].append(round(end[measure], 6))
        results[name] = {"steps": trained.history["step"].tolist(), **found, "final": final}
        report(f"{name}: {good(final, config['good'])} of {config['seeds']} good")
    return results


def good(final, limits):
    """How many seeds end below all limits."""
    return int(np.sum(np.all([np.array(final[name]) < limit for name, limit in limits.items()], axis=0)))

"""Tiny Shakespeare at nanoGPT's CPU size: its published settings against lesson 8's recipe, validation loss and time.

4 layers, 4 heads, 128 wide, context 64, 12 × 64 characters a step. nanoGPT's settings take 2,000 steps of AdamW; the
recipe is trained in few steps, to be where they end, and in as many, to be better. The validation loss is the mean
over the whole validation part, in windows of 64 that do not overlap; its curve is over some of them. The text is an
optional download (``COURSE_DATA``); the result ships, and is repeated only where it is.
"""

import dataclasses
import time

import torch

from course_utils.experiments.runs import train_whole
from course_utils.recipes import gpt

CONFIG = {
    "seeds": 3,
    "runs": {
        "nanoGPT": {"preset": "nanogpt-cpu", "steps": 2000},
        "recipe, 360 steps": {"preset": "nanogpt-cpu-recipe", "steps": 360},
        "recipe, 2,000 steps": {"preset": "nanogpt-cpu-recipe", "steps": 2000},
    },
    "presets": {name: dataclasses.asdict(gpt.PRESETS[name]) for name in ("nanogpt-cpu", "nanogpt-cpu-recipe")},
    "points": 20,  # of a curve
    "windows": 256,  # that each of them is the mean of
    "threads": 1,
}


class Observer:
    """Measures the model between two intervals of a training, and how much processor time the training takes.

    Attributes
    ----------
    losses : list of float, on ``rows``, one a call
    seconds : list of float, processor time of the training alone up to each call
    """

    def __init__(self, rows):
        self.rows, self.losses, self.seconds, self._aside = rows, [], [], 0.0

    def __call__(self, model, step):
        """What ``train`` calls with the resting model."""
        now = time.process_time()
        self.seconds.append(now - self._aside)
        self.losses.append(gpt.mean_loss(model, self.rows))
        self._aside += time.process_time() - now


def settings(config, name, seed):
    """The recipe's configuration of one run of CONFIG."""
    run = config["runs"][name]
    return gpt.Config(**config["presets"][run["preset"]] | {"steps": run["steps"], "seed": seed, "evaluated": 0})


def train_one(config, name, seed):
    """One run of CONFIG; seconds are of one processor, in the training alone, which other work does not stretch."""
    chosen = settings(config, name, seed)
    test_set = gpt.data(chosen)[1]
    observer = Observer(test_set[torch.linspace(0, len(test_set) - 1, config["windows"]).long()])
    every = chosen.steps // config["points"]
    history = train_whole(gpt, chosen, log_every=every, save_every=chosen.steps, observe=observer).history
    return {
        "steps": [int(step) for step in history["step"]],
        "train loss": [round(value, 4) for value in history["loss"].tolist()],
        "curve": [round(value, 4) for value in observer.losses[1:]],
        "validation loss": round(float(history["test loss"][-1]), 4),
        # The last interval has the evaluation in it: its time is taken to be that of the others.
        "cpu seconds": round((observer.seconds[-2] - observer.seconds[0]) * chosen.steps / int(history["step"][-2]), 2),
        "tokens": chosen.steps * chosen.batch_size * chosen.length,
    }


def run(config, report):
    """results[name]: a list of what ``train_one`` stores, one for each seed; the runs of a seed follow one another."""
    threads = torch.get_num_threads()
    torch.set_num_threads(config["threads"])
    results = {name: [] for name in config["runs"]}
    try:
        for seed in range(config["seeds"]):
            for name, rows in results.items():
                rows.append(train_one(config, name, seed))
                row = rows[-1]
                report(f"{name}, seed {seed}: {row['validation loss']:.4f} nats, {row['cpu seconds']:.0f} s")
    finally:
        torch.set_num_threads(threads)
    return results

"""What torchrun starts for test_processes.py: the same training on two processes and on one with two threads, in turn.

The first process writes FILE: batch size → seconds a step of each round, on two processes and on one.
"""

import dataclasses
import json
import sys
import types
from pathlib import Path

import torch
from torch import distributed

from course_utils.recipes import autoencoder
from course_utils.training.loop import train
from course_utils.training.processes import Processes, processes

ROUNDS = 5
INTERVALS = 4  # the first one, with its allocations, is not counted
EXAMPLES = 2048  # in an interval


def seconds_a_step(batch_size, job):
    """Seconds of one step of Hinton and Salakhutdinov's autoencoder on random rows."""
    config = autoencoder.PRESETS["hinton-salakhutdinov-2006"]
    rows = torch.rand(4096, config.pixels, generator=torch.Generator().manual_seed(0))
    recipe = types.SimpleNamespace(**{**vars(autoencoder), "data": lambda config, source: (rows, rows[:1])})
    interval = EXAMPLES // batch_size
    config = dataclasses.replace(config, batch_size=batch_size, steps=INTERVALS * interval)
    seconds = train(recipe, config, processes=job, log_every=interval, save_every=config.steps).history["seconds"]
    return (seconds[-1] - seconds[0]) / (config.steps - interval)


def main(file, sizes):
    """Measure in turn, so that both meet the same noise; the second process sleeps while the first works alone."""
    found = {size: {"two": [], "one": []} for size in sizes}
    with processes("cpu") as job:
        for size in sizes:
            for _ in range(ROUNDS):
                torch.set_num_threads(1)
                distributed.barrier()
                found[size]["two"].append(seconds_a_step(size, job))
                distributed.barrier()
                if job.writes:
                    torch.set_num_threads(2)
                    found[size]["one"].append(seconds_a_step(size, Processes()))
        distributed.barrier()
    if job.writes:
        Path(file).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], [int(size) for size in sys.argv[2:]])

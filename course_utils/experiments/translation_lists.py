"""Lists of numbers, Korean to English: GRU, GRU with attention and Transformer, by the length of the list.

All have about the same number of parameters and see the same lists; each has as many steps as fit into the same time on
one thread of the machine that stored the result, and its own learning rate. Stored is how many of the test lists, of
numbers that no training list has, are translated exactly, by the number of numbers in the list. A second part squeezes
the source through states of several widths, without attention.
"""

import time

import torch

from course_utils.data.translation import BEGIN, END, ENGLISH, KOREAN, pad, sample_lists
from course_utils.recipes import translation
from course_utils.training.loop import train

CONFIG = {
    "seeds": 3,
    "models": {
        "GRU": {"kind": "gru", "d": 304, "steps": 2000, "rate": 2e-3},
        "GRU with attention": {"kind": "gru-attention", "d": 288, "steps": 1000, "rate": 2e-3},
        "Transformer": {"kind": "transformer", "d": 128, "steps": 1500, "rate": 2e-3, "bf16": True},
    },
    "widths": [64, 128, 304],
    "training": {"batch_size": 32, "numbers": [1, 2, 3, 4, 5, 6, 7, 8], "pool": 50_000},
    "lengths": [1, 2, 3, 4, 5, 6, 7, 8],
    "lists": 200,
}


def batches_by_length(lengths, n_lists):
    """One batch (source, target) of test numbers for each length of list, from seeds of their own."""
    batches = []
    for length in lengths:
        texts = sample_lists(n_lists, "test", length, random_state=length)
        source = pad([KOREAN.encode(korean) for korean, _ in texts])
        batches.append((source, pad([[BEGIN, *ENGLISH.encode(english), END] for _, english in texts])))
    return batches


def right(model, batches, **options):
    """How many rows of each batch the model translates exactly, a list of int."""
    return [round(len(batch[0]) * translation.share_exact(model, [batch], **options)) for batch in batches]


def train_one(name, seed, config, width=None):
    """Train that model of CONFIG with that seed; returns what is stored of it."""
    numbers = {**config["training"], **config["models"][name], "seed": seed}
    numbers["numbers"] = tuple(numbers["numbers"])
    if width is not None:
        numbers["d"] = width
    settings = translation.Config(**numbers)
    start = time.process_time()
    trained = train(translation, settings, log_every=100, save_every=settings.steps)
    seconds = time.process_time() - start
    return {
        "right": right(trained.model.eval(), batches_by_length(config["lengths"], config["lists"])),
        "seconds": round(seconds, 1),
        "parameters": sum(p.numel() for p in trained.model.parameters()),
        "loss": [round(value, 4) for value in trained.history["loss"].tolist()],
    }


def run(config, report):
    """results["models"][name] and results["widths"][d]: a list of what ``train_one`` stores, one for each seed."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    results = {"models": {name: [] for name in config["models"]}, "widths": {str(d): [] for d in config["widths"]}}
    try:
        for seed in range(config["seeds"]):
            for name, rows in results["models"].items():
                rows.append(train_one(name, seed, config))
                report(f"{name}, seed {seed}: {rows[-1]['right']} right of {config['lists']}")
            for width, rows in results["widths"].items():
                name = "GRU"
                same = int(width) == config["models"][name]["d"]
                rows.append(results["models"][name][-1] if same else train_one(name, seed, config, int(width)))
                report(f"state of {width}, seed {seed}: {rows[-1]['right']} right of {config['lists']}")
    finally:
        torch.set_num_threads(threads)
    return results

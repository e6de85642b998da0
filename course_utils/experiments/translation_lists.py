"""Lists of numbers, Korean to English: GRU, GRU with attention and Transformer, by the length of the list.

Numbers from 10 to 9,999. All have about the same number of parameters and see the same lists; each has as many steps
as fit into the same time on one thread of the machine that stored the result. Stored is how many of the test lists, of
numbers that no training list has, are translated exactly, by the number of numbers in the list. A second part squeezes
the source through states of several widths, without attention.
"""

import time
import types

import torch

from course_utils.data.translation import BEGIN, END, ENGLISH, KOREAN, Lists, pad, sample_lists
from course_utils.recipes import translation
from course_utils.training.loop import train

CONFIG = {
    "seeds": 3,
    "models": {
        "GRU": {"kind": "gru", "d": 224, "steps": 1200, "rate": 2e-3},
        "GRU with attention": {"kind": "gru-attention", "d": 212, "steps": 600, "rate": 2e-3},
        "Transformer": {"kind": "transformer", "d": 96, "mlp": 384, "steps": 1200, "rate": 3e-3},
    },
    "widths": {"of": "GRU", "d": [56, 112, 224], "seeds": 1},
    "training": {"batch_size": 32, "numbers": [1, 2, 3, 4, 5, 6, 7, 8], "pool": 5000},
    "digits": [2, 3, 4],  # the only one-digit number of the test part is 1, which would be a quarter of all
    "lengths": [1, 2, 3, 4, 5, 6, 7, 8],
    "lists": 200,
}


def batches_by_length(lengths, n_lists, digits):
    """One batch (source, target) of test numbers for each length of list, from seeds of their own."""
    batches = []
    for length in lengths:
        texts = sample_lists(n_lists, "test", length, length, digits)
        source = pad([KOREAN.encode(korean) for korean, _ in texts])
        batches.append((source, pad([[BEGIN, *ENGLISH.encode(english), END] for _, english in texts])))
    return batches


def right(model, batches, **options):
    """How many rows of each batch the model translates exactly, a list of int; options of ``translate``."""
    return [round(len(batch[0]) * translation.share_exact(model, [batch], **options)) for batch in batches]


def train_one(config, name, seed, width=None):
    """Train that model of CONFIG, with another state where a width is given; returns what is stored of it."""
    numbers = {**config["training"], **config["models"][name], "seed": seed}
    settings = translation.Config(**numbers | {"numbers": tuple(numbers["numbers"])} | ({"d": width} if width else {}))
    lists = Lists(2**20, settings.pool, "train", settings.numbers, digits=config["digits"], seed=seed)
    recipe = types.SimpleNamespace(
        __name__="lists",
        model=translation.model,
        data=lambda config, source: (lists, None),
        loss=translation.loss,
        optimiser=translation.optimiser,
        schedule=translation.schedule,
    )
    start = time.process_time()
    trained = train(recipe, settings, log_every=50)
    seconds = time.process_time() - start
    batches = batches_by_length(config["lengths"], config["lists"], config["digits"])
    return {
        "right": right(trained.model.eval(), batches),
        "seconds": round(seconds, 1),  # of one processor, which other work on the machine does not stretch
        "parameters": sum(p.numel() for p in trained.model.parameters()),
        "loss": [round(value, 4) for value in trained.history["loss"].tolist()],
    }


def run(config, report):
    """results["models"][name] and results["widths"][d]: a list of what ``train_one`` stores, one for each seed."""
    threads, widths = torch.get_num_threads(), config["widths"]
    torch.set_num_threads(1)
    results = {"models": {name: [] for name in config["models"]}, "widths": {str(d): [] for d in widths["d"]}}
    try:
        for seed in range(config["seeds"]):
            for name, rows in results["models"].items():
                rows.append(train_one(config, name, seed))
                report(f"{name}, seed {seed}: {rows[-1]['right']} right of {config['lists']}")
            for width, rows in results["widths"].items() if seed < widths["seeds"] else ():
                rows.append(train_one(config, widths["of"], seed, int(width)))
                report(f"{widths['of']} with a state of {width}, seed {seed}: {rows[-1]['right']} right")
    finally:
        torch.set_num_threads(threads)
    return results

"""How the Transformer that was trained on lists of 1 to 8 numbers does on longer ones, and one mend.

The shipped translator is trained on for a while in two ways: as before, and with positions that begin anywhere, the
same shift for source and target, so that the positions that only longer lists reach are no longer new. Stored is how
many of the test lists are translated exactly, by the number of numbers in the list.
"""

import types

import torch

from course_utils.data.shipped import checkpoint
from course_utils.data.translation import Lists
from course_utils.experiments.translation_lists import batches_by_length, right
from course_utils.recipes import translation
from course_utils.training.loop import load, train

CONFIG = {
    "seeds": 2,
    # The test lists of 8 numbers have up to 124 English tokens, those of 12 up to 166.
    "shifts": {"trained on as before": 0, "trained on with shifted positions": 64},
    "training": {"steps": 1200, "batch_size": 32, "rate": 1e-3, "numbers": [1, 2, 3, 4, 5, 6, 7, 8], "pool": 50_000},
    "lengths": [1, 2, 4, 6, 8, 9, 10, 11, 12],
    "digits": [2, 3, 4, 5, 6, 7],  # of one digit the test part has 1 alone, which no training list has
    "lists": 100,
    "weights": "214050cd7f26e928",  # SHA-256 of the shipped model.safetensors, its first 16 digits
}


def shifted_loss(model, batch, generator, shift):
    """The recipe's loss with all positions moved on by one number drawn from 0 … shift."""
    source, target = batch
    by = torch.randint(shift + 1, (), generator=generator)
    positions = torch.arange(source.shape[1]) + by, torch.arange(target.shape[1] - 1) + by
    return translation.loss(model, batch, generator, positions=positions)


def train_on(config, shift, seed):
    """The shipped model after ``steps`` more updates, with positions that are shifted by up to so many."""
    recipe = types.SimpleNamespace(
        __name__="longer",
        model=lambda settings: load(checkpoint("translation-lists"), translation).train(),
        data=lambda settings, source: (Lists(2**20, settings.pool, "train", settings.numbers, seed=seed), None),
        loss=lambda model, batch, generator: shifted_loss(model, batch, generator, shift),
        optimiser=translation.optimiser,
        schedule=translation.schedule,
    )
    numbers = config["training"] | {"seed": seed, "numbers": tuple(config["training"]["numbers"])}
    return train(recipe, translation.Config(**numbers), log_every=100).model.eval()


def run(config, report):
    """results["as shipped"]: right rows by length; for each way of training on, a list of those, one for each seed."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        batches = batches_by_length(config["lengths"], config["lists"], config["digits"])
        results = {"as shipped": right(load(checkpoint("translation-lists"), translation), batches)}
        report(f"as shipped: {results['as shipped']}")
        for name, shift in config["shifts"].items():
            results[name] = []
            for seed in range(config["seeds"]):
                results[name].append(right(train_on(config, shift, seed), batches))
                report(f"{name}, seed {seed}: {results[name][-1]}")
    finally:
        torch.set_num_threads(threads)
    return results

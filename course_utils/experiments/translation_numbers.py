"""Single numbers from 0 to 9,999,999 by a Transformer, one for each direction: how many unseen ones are exactly right.

The recipe's presets, on one thread. The test numbers are drawn from the part of the split that is neither trained on
nor looked at: uniformly, so that nine in ten have seven digits, and with one to seven digits alike. In the second test
a seventh of the numbers are 1, the only one of one digit in that part.
"""

import dataclasses
import time

import torch

from course_utils.data.numbers import sample_pairs
from course_utils.data.translation import BEGIN, END, LANGUAGES, pad
from course_utils.recipes import translation
from course_utils.training.loop import train

CONFIG = {
    "seeds": 2,
    "presets": {name: dataclasses.asdict(translation.PRESETS[name]) for name in ("numbers", "numbers-english-korean")},
    "tests": {"uniform": None, "digits alike": [1, 2, 3, 4, 5, 6, 7]},
    "numbers": 2000,
}


def held_out(source, target, count, digits):
    """(source, target) tokens of so many test numbers."""
    pairs = sample_pairs(count, "test", 0, digits)
    texts = [[getattr(pair, language) for pair in pairs] for language in (source, target)]
    return (
        pad([LANGUAGES[source].encode(text) for text in texts[0]]),
        pad([[BEGIN, *LANGUAGES[target].encode(text), END] for text in texts[1]]),
    )


def train_one(name, seed, config):
    """Train that preset with that seed; returns what is stored of it."""
    numbers = config["presets"][name] | {"seed": seed}
    settings = translation.Config(**numbers | {"numbers": tuple(numbers["numbers"])})
    start, cpu = time.perf_counter(), time.process_time()
    trained = train(translation, settings, log_every=50, save_every=settings.steps)
    found = {"seconds": round(time.perf_counter() - start, 1), "cpu_seconds": round(time.process_time() - cpu, 1)}
    model = trained.model.eval()
    for test, digits in config["tests"].items():
        batch = held_out(settings.source, settings.target, config["numbers"], digits)
        found[test] = round(config["numbers"] * translation.share_exact(model, [batch]))
    return found


def run(config, report):
    """results[preset]: for each seed the seconds of training and how many numbers of each test are right."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    results = {name: [] for name in config["presets"]}
    try:
        for seed in range(config["seeds"]):
            for name, rows in results.items():
                rows.append(train_one(name, seed, config))
                report(f"{name}, seed {seed}: {rows[-1]}")
    finally:
        torch.set_num_threads(threads)
    return results

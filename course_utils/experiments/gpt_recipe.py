"""Lesson 8's recipe, one change at a time: each added to plain AdamW, and each taken from the whole recipe.

nanoGPT's CPU size on tiny Shakespeare, 160 steps of 12 × 64 characters; the validation loss is the mean over the whole
validation part, in windows of 64 that do not overlap. The plain training has nanoGPT's settings, but a schedule that
rises in 20 steps and ends with the last. RMSNorm and squared ReLU are no part of the recipe: "without" adds them, to
see what they would change there. The recipe's rate for AdamW is one for embeddings and head, 20 times nanoGPT's; where
AdamW trains the matrices too, the higher rate is three times nanoGPT's.
"""

import dataclasses
import time

import torch

from course_utils.experiments.runs import train_whole
from course_utils.recipes import gpt

PLAIN, RECIPE = (dataclasses.asdict(gpt.PRESETS[name]) for name in ("nanogpt-cpu", "nanogpt-cpu-recipe"))
CONFIG = {
    "seeds": 3,
    "steps": 160,
    "presets": {"plain": PLAIN | {"warmup": RECIPE["warmup"]}, "recipe": RECIPE},
    "changes": {  # name → what is added to the plain training, what is changed in the recipe
        "Muon": [{"optimiser": "muon"}, {"optimiser": "adamw", "rate": 3e-3}],
        "zero residual": [{"zero_residual": True}, {"zero_residual": False}],
        "query-key norm": [{"query_key_norm": True}, {"query_key_norm": False}],
        "rotary": [{"positions": "rotary"}, {"positions": "learned"}],
        "squared ReLU": [{"activation": "relu2"}, {"activation": "relu2"}],
        "RMSNorm": [{"norm": "rms"}, {"norm": "rms"}],
        "linear decay": [{"decay": "linear", "final": 0.0}, {"decay": "cosine", "final": 0.1}],
        "untied head": [{"tied": False}, {"tied": True}],
        "higher rate": [{"rate": 3e-3}, {"rate": 1e-3}],
    },
    "threads": 1,
}


def trainings(config):
    """(where the result belongs, what it is of, the changes): all trainings of one seed."""
    plain, recipe = config["presets"].values()
    found = [("plain", None, plain | {}), ("recipe", None, recipe | {})]
    for name, (added, taken) in config["changes"].items():
        found += [("plain plus", name, plain | added), ("recipe without", name, recipe | taken)]
    return found


def train_one(config, values, seed):
    """(validation loss, seconds of one processor in the training alone) of one training."""
    chosen = gpt.Config(**values | {"steps": config["steps"], "seed": seed, "evaluated": 0})
    marks = []
    history = train_whole(
        gpt, chosen, log_every=chosen.steps // 4, save_every=chosen.steps,
        observe=lambda model, step: marks.append(time.process_time()),
    ).history  # fmt: skip
    # The last quarter has the evaluation in it: its time is taken to be that of the others.
    return round(float(history["test loss"][-1]), 4), round((marks[3] - marks[0]) * 4 / 3, 2)


def run(config, report):
    """results: "plain" and "recipe", lists of nats, one a seed; "plain plus" and "recipe without"[change], such lists.

    "bfloat16" is of the recipe with autocast: "nats", "seconds", and "seconds float32" without it.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(config["threads"])
    results = {"plain": [], "recipe": [], "plain plus": {}, "recipe without": {}}
    bfloat16 = {"nats": [], "seconds": [], "seconds float32": []}
    try:
        for seed in range(config["seeds"]):
            for where, name, values in trainings(config):
                nats, seconds = train_one(config, values, seed)
                (results[where] if name is None else results[where].setdefault(name, [])).append(nats)
                report(f"seed {seed}, {where} {name or ''}: {nats:.4f} nats, {seconds:.0f} s")
                if where == "recipe":
                    bfloat16["seconds float32"].append(seconds)
            nats, seconds = train_one(config, config["presets"]["recipe"] | {"bfloat16": True}, seed)
            bfloat16["nats"].append(nats)
            bfloat16["seconds"].append(seconds)
            report(f"seed {seed}, bfloat16: {nats:.4f} nats, {seconds:.0f} s")
    finally:
        torch.set_num_threads(threads)
    return results | {"bfloat16": bfloat16}

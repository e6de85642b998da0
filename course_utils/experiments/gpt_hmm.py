"""GPT on the hidden Markov language: the shipped model against the forward algorithm, and how the gap scales.

The gap is the mean of −log p(x_t | x_{<t}) of the model less that of the forward algorithm, on the same tokens, in
nats. Three scaling curves, each point trained anew with a schedule of its own, on sentences that come only once:

- training tokens, at the shipped model's size;
- parameters, all there are, by the width, at a fixed number of tokens;
- context, the words before that the model sees: as the language is stationary, a model of sentences of c + 1 words
  says p(x | c words before), and its gap is to the forward algorithm that sees all; "optimum" is the gap of the
  forward algorithm that sees c words, which no model with that context can go below.
"""

import dataclasses
import hashlib
import json

import numpy as np
import torch

from course_utils.data.shipped import checkpoint
from course_utils.experiments.runs import train_whole
from course_utils.recipes import gpt
from course_utils.training.loop import load

MODEL = "gpt-hmm"
CONFIG = {
    "seeds": 3,
    "model": hashlib.sha256((checkpoint(MODEL) / "model.safetensors").read_bytes()).hexdigest()[:16],
    "preset": dataclasses.asdict(gpt.PRESETS["hmm"]),
    "entropy rate": {"length": 64, "sentences": 20_000},
    "tokens": {"steps": [50, 100, 200, 400, 800]},
    "parameters": {"steps": 300, "widths": [8, 16, 32, 64]},
    "context": {"steps": 200, "words": [1, 2, 4, 8, 16], "sentences": 512},
}


def shipped(config):
    """results["checkpoint"]: "nats", "over" the exact value with its standard error, "seconds", "tokens"; "exact"."""
    folder = checkpoint(MODEL)
    model, chosen = load(folder, gpt), gpt.Config(**json.loads((folder / "config.json").read_text())["config"])
    rows = gpt.data(dataclasses.replace(chosen, sequences=chosen.batch_size))[1]
    with torch.no_grad():
        nats = torch.cat([gpt.next_token_losses(model, part) for part in rows.split(64)]).double().numpy()
    exact = -gpt.LANGUAGE.log_conditionals(rows[:, 1:].numpy())
    over = (nats - exact).mean(axis=1)  # sentences are independent, the words of one are not
    last = json.loads((folder / "log.jsonl").read_text().splitlines()[-1])
    found = {
        "nats": round(float(nats.mean()), 5),
        "over": round(float(over.mean()), 5),
        "error": round(float(over.std(ddof=1) / np.sqrt(len(over))), 5),
        "seconds": last["seconds"],
        "tokens": chosen.steps * chosen.batch_size * chosen.length,
    }
    return found, round(float(exact.mean()), 5)


def trained(config, seed, steps, **changes):
    """The preset's model trained for so many steps, on sentences that come only once, and what it was trained with."""
    chosen = gpt.Config(**config["preset"] | {"steps": steps, "seed": seed, "evaluated": 0} | changes)
    chosen = dataclasses.replace(chosen, sequences=steps * chosen.batch_size)
    result = train_whole(gpt, chosen, log_every=steps, save_every=steps)
    return result.model.eval(), float(result.history["over the optimum"][-1]), chosen


def by_tokens(config, seed):
    """{training tokens: gap}."""
    per_step = config["preset"]["batch_size"] * config["preset"]["length"]
    return {steps * per_step: trained(config, seed, steps)[1] for steps in config["tokens"]["steps"]}


def by_parameters(config, seed):
    """{parameters: gap}."""
    found = {}
    for d in config["parameters"]["widths"]:
        model, gap, _ = trained(config, seed, config["parameters"]["steps"], d=d, mlp=4 * d)
        found[sum(p.numel() for p in model.parameters())] = gap
    return found


def last_words(config, context):
    """The windows of context + 1 words that end in the second half of test sentences, and log p of their last words.

    Returns
    -------
    rows : (n, context + 2) of int, BEGIN before each window
    everything, some : (n,), log p of the last word given all words of the sentence before it, and given the window's
    """
    length = config["preset"]["length"]
    words = gpt.sentences(config["context"]["sentences"], length, [3, 0])[:, 1:]
    windows = words.unfold(1, context + 1, 1)[:, -(length // 2) :].flatten(0, 1)  # (n, context + 1)
    everything = gpt.LANGUAGE.log_conditionals(words.numpy())[:, length // 2 :].ravel()
    some = gpt.LANGUAGE.log_conditionals(windows.numpy())[:, -1]
    return torch.nn.functional.pad(windows, (1, 0), value=gpt.BEGIN), everything, some


def by_context(config, seed):
    """{words: (gap, the gap of the optimum with that context)}."""
    preset, found = config["preset"], {}
    for context in config["context"]["words"]:
        length = context + 1
        batch = preset["batch_size"] * preset["length"] // length  # as many tokens a step
        model = trained(config, seed, config["context"]["steps"], length=length, batch_size=batch)[0]
        rows, everything, some = last_words(config, context)
        with torch.no_grad():
            nats = torch.cat([gpt.next_token_losses(model, part)[:, -1] for part in rows.split(512)]).double().numpy()
        found[context] = (float((nats + everything).mean()), float((everything - some).mean()))
    return found


def run(config, report):
    """results: "checkpoint" and "exact" as ``shipped`` gives them, "entropy rate", and the curves.

    "tokens", "parameters" and "context" are lists of {"x", "gap": one a seed}, that of the context with "optimum".
    """
    found, exact = shipped(config)
    report(f"shipped: {found['over']:.5f} ± {found['error']:.5f} nats over the exact {exact:.5f}")
    asked = config["entropy rate"]
    rate = gpt.LANGUAGE.entropy_rate(asked["sentences"], asked["length"], np.random.default_rng([3, 1]))
    results = {"checkpoint": found, "exact": exact}
    results["entropy rate"] = {name: round(value, 5) for name, value in rate._asdict().items()}
    for name, curve in (("tokens", by_tokens), ("parameters", by_parameters), ("context", by_context)):
        seeds = [curve(config, seed) for seed in range(config["seeds"])]
        results[name] = [{"x": x, "gap": [row[x] for row in seeds]} for x in seeds[0]]
        for row in results[name]:
            if name == "context":
                row["optimum"] = round(row["gap"][0][1], 5)
                row["gap"] = [gap for gap, _ in row["gap"]]
            row["gap"] = [round(gap, 5) for gap in row["gap"]]
            report(f"{name}, {row}")
    return results

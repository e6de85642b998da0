"""Sentence pairs and questions with few labels: BERT from random weights, frozen, and fine-tuned.

Each kind has the same examples, steps and shape, and a rate that was chosen for it beforehand and not tuned; the
test examples are the same for all. Stored are the shares of them that are right, of answers also the F1 of their
tokens, and what can be had without a network: for pairs by logistic regression on the hypothesis' words, and on the
words of both sentences, each with its neighbour; for questions by taking any of the words that the passage names.
"""

import dataclasses
import hashlib
import time

from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from course_utils.data import manifest, questions
from course_utils.data.entailment import sample_entailment
from course_utils.data.shipped import checkpoint
from course_utils.experiments.runs import train_whole
from course_utils.recipes import finetuning

KINDS = {
    "from scratch": {"initial": "none", "rate": 1e-3},
    "frozen": {"frozen": True, "head_rate": 1e-2},
    "fine-tuned": {},
}
CONFIG = {
    "seeds": 3,
    "model": hashlib.sha256((checkpoint("bert-docstrings") / "model.safetensors").read_bytes()).hexdigest()[:16],
    "corpus": hashlib.sha256(manifest.PATH.read_bytes()).hexdigest()[:16],
    "kinds": KINDS,
    "tasks": {
        "nli": {"sizes": [300, 1000], "steps": 400},
        "qa": {"sizes": [2000], "steps": 300},
    },
}


def fine_tune(task, seed, **changes):
    """Train that task's preset with changes; returns {"accuracy", perhaps "f1", "seconds" of one processor}."""
    config = dataclasses.replace(finetuning.PRESETS[task], seed=seed, **changes)
    start = time.process_time()
    history = train_whole(finetuning, config, log_every=config.steps, save_every=config.steps).history
    found = {name: round(float(history[name][-1]), 4) for name in ("accuracy", "f1") if name in history}
    return found | {"seconds": round(time.process_time() - start, 1)}


def words_alone(size, seed, read):
    """The share of test examples that logistic regression gets right from the words, and pairs of words, of a text."""
    train, test = (
        sample_entailment(n, part, finetuning.random_state(part, seed))
        for part, n in (("train", size), ("test", finetuning.PRESETS["nli"].tested))
    )
    model = make_pipeline(CountVectorizer(ngram_range=(1, 2)), LogisticRegression(max_iter=300))
    model.fit([read(example) for example in train], [example.label for example in train])
    return round(model.score([read(example) for example in test], [example.label for example in test]), 4)


def run(config, report):
    """results[task][kind][size index]: a list over seeds of what ``fine_tune`` returns; results["floors"]: shares."""
    results = {
        task: {kind: [[] for _ in options["sizes"]] for kind in config["kinds"]}
        for task, options in config["tasks"].items()
    }
    results["floors"] = {
        "hypothesis alone": [], "words of both": [], "any word": 1 / questions.NAMED,
    }  # fmt: skip
    for seed in range(config["seeds"]):
        for task, options in config["tasks"].items():
            settings = {name: value for name, value in options.items() if name != "sizes"}
            for i, size in enumerate(options["sizes"]):
                for kind, changes in config["kinds"].items():
                    found = fine_tune(task, seed, examples=size, **settings | changes)
                    results[task][kind][i].append(found)
                    report(f"{task}, {size} examples, {kind}, seed {seed}: {found}")
        if "nli" in config["tasks"]:
            size = max(config["tasks"]["nli"]["sizes"])
            results["floors"]["hypothesis alone"].append(words_alone(size, seed, lambda e: e.hypothesis))
            results["floors"]["words of both"].append(words_alone(size, seed, lambda e: f"{e.premise} {e.hypothesis}"))
    return results

"""The same docstrings in bytes, in 1,024 and in 4,096 pieces: what losses a token can be compared by.

Each vocabulary trains a GPT of the same blocks on as many tokens, so on more text where the pieces are longer. The
loss is over the whole validation part, in windows that do not overlap; bits per byte count its bytes.
"""

import dataclasses

from course_utils.data.bytepieces import docstring_prose
from course_utils.experiments.runs import train_whole
from course_utils.metrics import bits_per_byte
from course_utils.recipes import gpt

CONFIG = {
    "seeds": 3,
    "vocabularies": [256, 1024, 4096],
    "preset": dataclasses.asdict(gpt.PRESETS["docstrings"]),
    "steps": 600,
}


def train_one(config, vocabulary, seed):
    """One training: nats a token, bits per byte, bytes a token, bytes read in training, parameters."""
    changes = {"text": f"docstrings-{vocabulary}", "steps": config["steps"], "seed": seed, "evaluated": 0}
    chosen = gpt.Config(**config["preset"] | changes)
    trained = train_whole(gpt, chosen, save_every=chosen.steps)
    nats = float(trained.history["test loss"][-1])
    text = docstring_prose("validation")
    tokens = len(gpt.alphabet(chosen.text).encode(text))
    bytes_a_token = len(text.encode()) / tokens
    return {
        "nats": round(nats, 4),
        "bits per byte": round(bits_per_byte(nats, tokens, len(text.encode())), 4),
        "bytes a token": round(bytes_a_token, 3),
        "bytes read": round(chosen.steps * chosen.batch_size * chosen.length * bytes_a_token),
        "parameters": sum(parameter.numel() for parameter in trained.model.parameters()),
    }


def run(config, report):
    """results[vocabulary, as str]: a list of what ``train_one`` stores, one for each seed."""
    results = {str(vocabulary): [] for vocabulary in config["vocabularies"]}
    for seed in range(config["seeds"]):
        for vocabulary in config["vocabularies"]:
            row = train_one(config, vocabulary, seed)
            results[str(vocabulary)].append(row)
            report(
                f"{vocabulary} pieces, seed {seed}: {row['nats']:.3f} nats, {row['bits per byte']:.3f} bits per byte"
            )
    return results

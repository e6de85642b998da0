"""Time of the next token against its position, with a cache of keys and values and without, at two sizes.

Without the cache all tokens so far are read again for each new one, as nanoGPT's ``generate`` does; the head reads the
last one alone in both. Weights are random: what they are does not change the time. The times are of one machine.
Sizes: "lesson", and "gpt2", that of GPT-2 small.
"""

import time

import numpy as np
import torch

from course_utils.models.decoding import Cache
from course_utils.models.gpt import GPT, GPTConfig

CONFIG = {
    "seeds": 1,
    "sizes": {
        "lesson": {"vocabulary": 65, "length": 256, "d": 128, "heads": 4, "layers": 4, "mlp": 512},
        "gpt2": {"vocabulary": 50_257, "length": 1024, "d": 768, "heads": 12, "layers": 12, "mlp": 3072},
    },
    "positions": {
        "lesson": [1, 16, 32, 64, 96, 128, 160, 192, 224, 256],
        "gpt2": [1, 64, 128, 256, 384, 512, 640, 768, 896, 1024],
    },
    "repeats": {"lesson": 50, "gpt2": 5},
    "threads": 1,
}


def timed(call, repeats):
    """The median time of a call, the first one left out, and what it gives."""
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        found = call()
        seconds.append(time.perf_counter() - start)
    return float(f"{np.median(seconds[1:]):.4g}"), found


def cached_step(model, tokens):
    """A function that computes the logits after tokens (1, t) from a cache of the first t − 1, again and again."""
    caches, before = [Cache(model.config.length) for _ in model.blocks], tokens.shape[1] - 1
    if before:
        model.encode(tokens[:, :-1], caches)

    def step():
        for cache in caches:
            cache.size = before
        return model.head(model.encode(tokens[:, -1:], caches)[:, -1])

    return step


def whole_pass(model, tokens):
    """A function that computes the same logits from all tokens."""
    return lambda: model.head(model.encode(tokens)[:, -1])


@torch.inference_mode()
def run(config, report):
    """results[size]: "position" in tokens, "with" and "without" the cache, seconds a token, and "identical".

    That is whether the likeliest next token is the same at all positions.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(config["threads"])
    results = {}
    try:
        for size, sizes in config["sizes"].items():
            with torch.random.fork_rng([]):
                torch.default_generator.manual_seed(0)
                model = GPT(GPTConfig(**sizes)).eval()
            generator = torch.Generator().manual_seed(0)
            tokens = torch.randint(sizes["vocabulary"], (1, sizes["length"]), generator=generator)
            found = {"position": config["positions"][size], "with": [], "without": [], "identical": True}
            for t in found["position"]:
                likeliest = []
                for name, make in (("with", cached_step), ("without", whole_pass)):
                    seconds, logits = timed(make(model, tokens[:, :t]), config["repeats"][size])
                    found[name].append(seconds)
                    likeliest.append(int(logits.argmax()))
                found["identical"] &= likeliest[0] == likeliest[1]
                report(f"{size}, position {t}: {found['with'][-1]} s with, {found['without'][-1]} s without")
            results[size] = found
    finally:
        torch.set_num_threads(threads)
    return results

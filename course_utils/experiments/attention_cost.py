"""What attention costs as the sequence grows: time and memory, written out and fused, beside a GRU of the same width.

One layer reads a sequence of T vectors, forwards and backwards through autograd. Time is the least of several rounds,
in turn. Memory is what autograd keeps for the backward pass, counted in bytes of distinct storage; it is the same on
every machine. The laws are a + b T + c T², fitted by least squares of the relative errors.
"""

import time

import numpy as np
import torch
from torch import nn

from course_utils.models.attention import MultiHeadAttention

CONFIG = {
    "seeds": 1,
    "lengths": [64, 128, 256, 512, 1024, 2048, 4096],
    "batch": 1,
    "d": 128,
    "heads": 4,
    "rounds": 5,
    "layers": ["attention, written out", "attention, fused", "GRU"],
    "threads": 1,
}


def layer(name, config):
    """A layer of CONFIG: (B, T, d) → (B, T, d)."""
    if name == "GRU":
        gru = nn.GRU(config["d"], config["d"], batch_first=True)
        return gru, lambda x: gru(x)[0]
    attention = MultiHeadAttention(config["d"], config["heads"])
    if name == "attention, written out":
        attention.record = lambda weights: None
    return attention, attention


def kept(call, x, parameters):
    """Bytes that autograd keeps between call(x) and its backward pass, without the parameters themselves."""
    sizes, own = {}, {p.untyped_storage().data_ptr() for p in parameters}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        output = call(x)
    del output
    return sum(sizes.values())


def seconds(call, x):
    """Time of one pass forwards and backwards."""
    start = time.perf_counter()
    call(x).sum().backward()
    return time.perf_counter() - start


def law(lengths, values):
    """(a, b, c) of value = a + b T + c T², none negative, by least squares of the relative errors."""
    from scipy.optimize import nnls

    T, value = np.asarray(lengths, dtype=float), np.asarray(values)
    terms = np.stack([np.ones_like(T), T, T**2], axis=1)
    scale = np.abs(terms).max(axis=0)
    return (nnls(terms / scale / value[:, None], np.ones_like(value))[0] / scale).tolist()


def run(config, report):
    """For each layer: seconds and bytes by length, the fitted law of both."""
    threads = torch.get_num_threads()
    torch.set_num_threads(config["threads"])
    try:
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            layers = {name: layer(name, config) for name in config["layers"]}
        generator = torch.Generator().manual_seed(0)
        times = {name: np.full(len(config["lengths"]), np.inf) for name in layers}
        memory = {name: [] for name in layers}
        for j, length in enumerate(config["lengths"]):
            x = torch.randn(config["batch"], length, config["d"], generator=generator)
            for name, (module, call) in layers.items():
                memory[name].append(kept(call, x, module.parameters()))
            for _ in range(config["rounds"]):
                for name, (_, call) in layers.items():
                    times[name][j] = min(times[name][j], seconds(call, x))
            report(f"{length} tokens: " + ", ".join(f"{name} {1000 * times[name][j]:.1f} ms" for name in layers))
    finally:
        torch.set_num_threads(threads)
    return {
        name: {
            "seconds": np.round(times[name], 7).tolist(),
            "bytes": memory[name],
            "seconds_law": law(config["lengths"], times[name]),
            "bytes_law": law(config["lengths"], memory[name]),
        }
        for name in layers
    }

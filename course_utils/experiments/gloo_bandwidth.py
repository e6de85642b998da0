"""How long two processes on one machine take to sum a gradient (gloo's all-reduce), and one to compute it.

From these follow latency and bandwidth, and from them what p processes would cost: the cost model is here too. The
times are of one machine, so a repetition elsewhere gives others; docs/cluster.md says what they are good for.
"""

import functools
import json
import math
import os
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import torch
from torch import distributed, nn
from torch.multiprocessing import start_processes

from course_utils.models.vae import Autoencoder, squared_error

CONFIG = {
    "seeds": 7,  # rounds, each with other numbers to sum and other weights
    "processes": 2,
    "threads": 1,  # of each process
    "bytes": [4**k * 1000 for k in range(1, 10)],
    "seconds": 0.3,  # of all-reduces of one size in a round, and of steps of one model; at least three each
    "models": {
        "autoencoder, digits": {"sizes": [64, 128, 64, 2], "batch": 128},
        "autoencoder, baldi-hornik-1989": {"sizes": [64, 2], "batch": 479, "linear": True},
        "autoencoder, hinton-salakhutdinov-2006": {"sizes": [784, 1000, 500, 250, 30], "batch": 128},
        # Blocks of a Transformer as large as the GPTs of lesson 8 may be: the batch is of sequences.
        "Transformer blocks, 1 M": {"width": 128, "layers": 5, "heads": 4, "length": 128, "batch": 16},
        "Transformer blocks, 10 M": {"width": 384, "layers": 6, "heads": 6, "length": 128, "batch": 16},
    },
}


def step_of(model, seed):
    """The parameters of a model of CONFIG, and a function that computes one gradient."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        if "sizes" in model:
            net = Autoencoder(model["sizes"], linear=model.get("linear", False))
            batch = torch.rand(model["batch"], model["sizes"][0])
        else:
            width = model["width"]
            layer = nn.TransformerEncoderLayer(width, model["heads"], 4 * width, dropout=0.0, batch_first=True)
            net = nn.TransformerEncoder(layer, model["layers"], enable_nested_tensor=False)
            batch = torch.randn(model["batch"], model["length"], width)

    def step():
        net.zero_grad()
        squared_error(batch, net(batch)).mean().backward()

    return sum(p.numel() for p in net.parameters()), step


def timed(call, seconds, together=lambda: None):
    """Seconds of one call, the least of the calls that take ``seconds`` in all; ``together()`` comes before each.

    Other programs only make a call longer, so the least is what this machine can do.
    """
    call()
    found, start = [], time.perf_counter()
    while True:
        together()
        before = time.perf_counter()
        call()
        found.append(time.perf_counter() - before)
        enough = torch.tensor(float(len(found) >= 3 and time.perf_counter() - start > seconds))
        if distributed.is_initialized():
            distributed.broadcast(enough, src=0)  # all make the same number of calls
        if enough:
            return min(found)


def measure(rank, config, folder):
    """What each process does: the all-reduces of every round; the first one leaves their times in the folder."""
    torch.set_num_threads(config["threads"])
    store = distributed.FileStore(f"{folder}/store", config["processes"])
    wait = timedelta(minutes=10)
    distributed.init_process_group("gloo", store=store, rank=rank, world_size=config["processes"], timeout=wait)
    try:
        times = np.empty((len(config["bytes"]), config["seeds"]))
        for seed in range(config["seeds"]):
            for i, size in enumerate(config["bytes"]):
                values = torch.zeros(size // 4)  # zeros stay zeros, however often they are summed
                reduce = functools.partial(distributed.all_reduce, values)
                times[i, seed] = timed(reduce, config["seconds"], together=distributed.barrier)
    finally:
        distributed.destroy_process_group()
    if rank == 0:
        Path(folder, "times.json").write_text(json.dumps(times.tolist()), encoding="utf-8")


def fit(sizes, seconds, processes=2):
    """Latency (s) and bandwidth (bytes/s) of the ring by least squares of the relative errors, and their largest.

    Parameters
    ----------
    sizes : (n,) bytes that were summed
    seconds : (n,) how long that took
    """
    sizes, seconds = np.asarray(sizes, dtype=float), np.asarray(seconds)
    terms = np.stack([np.full_like(sizes, 2 * (processes - 1)), moved(processes, sizes)], axis=1)
    (latency, per_byte), *_ = np.linalg.lstsq(terms / seconds[:, None], np.ones_like(seconds), rcond=None)
    worst = np.abs(terms @ [latency, per_byte] / seconds - 1).max()
    return float(latency), float(1 / per_byte), float(worst)


def moved(processes, size):
    """Bytes that each process sends in a ring all-reduce of ``size`` bytes, 2(p − 1)/p · size; it receives as many."""
    return 2 * (processes - 1) / processes * size


def communication(processes, parameters, latency, bandwidth):
    """Seconds of one all-reduce of float32 gradients: 2(p − 1) messages, one after the other, on a ring of p."""
    return 2 * (processes - 1) * latency + moved(processes, 4 * parameters) / bandwidth


def speed_up(processes, step, parameters, latency, bandwidth, overlap=False):
    """How many times as fast p processes share one batch, whose step takes one of them ``step`` seconds.

    ``overlap``: the communication hides behind the computation as far as it can, which is the best that DDP could do.
    """
    compute, wait = step / processes, communication(processes, parameters, latency, bandwidth)
    return step / (np.maximum(compute, wait) if overlap else compute + wait)


def half_efficiency(step, parameters, latency, bandwidth, overlap=False):
    """The number of processes, a real one, at which each does half of what it would do alone.

    There p · T(p) = 2 · T(1): without overlap p · communication(p) = T(1), with it p · communication(p) = 2 · T(1).
    """
    whole, per_process = (2 if overlap else 1) * step, 8 * parameters / bandwidth
    b = per_process - 2 * latency  # 2 latency p² + b p = whole + per_process
    return (math.sqrt(b * b + 8 * latency * (whole + per_process)) - b) / (4 * latency)


def fastest(step, parameters, latency, bandwidth):
    """The number of processes beyond which one more makes the step longer, without overlap; 1 if the second does."""
    return max(1.0, math.sqrt(max(0.0, step - 8 * parameters / bandwidth) / (2 * latency)))


def run(config, report):
    """results: the all-reduces' times (size, round), latency and bandwidth, and the steps' times by model."""
    with tempfile.TemporaryDirectory() as folder:
        start_processes(measure, (config, folder), nprocs=config["processes"], start_method="spawn")
        times = np.array(json.loads(Path(folder, "times.json").read_text(encoding="utf-8")))
    latency, bandwidth, worst = fit(config["bytes"], np.median(times, axis=1), config["processes"])
    report(f"latency {1e6 * latency:.0f} µs, bandwidth {bandwidth / 1e9:.2f} GB/s")
    steps, threads = {}, torch.get_num_threads()
    torch.set_num_threads(config["threads"])
    try:
        for name, model in config["models"].items():
            found = []
            for seed in range(config["seeds"]):
                parameters, step = step_of(model, seed)
                found.append(timed(step, config["seconds"]))
            steps[name] = {"parameters": parameters, "seconds": found}
            report(f"{name}: {parameters:,} parameters, {1e3 * statistics.median(found):.2f} ms a step")
    finally:
        torch.set_num_threads(threads)
    return {
        "cores": os.cpu_count(),
        "all-reduce": np.round(times, 9).tolist(),
        "latency": latency,
        "bandwidth": bandwidth,
        "largest relative error of the fit": worst,
        "steps": steps,
    }

"""Write the numbers and the picture of docs/cluster.md: ``python tools/cluster.py``.

They come from data/results/gloo_bandwidth.json, which ``python -m course_utils.experiments gloo_bandwidth`` writes.
"""

import os
import statistics
from pathlib import Path

import numpy as np

from course_utils.experiments import gloo_bandwidth as cost
from course_utils.experiments.results import load
from course_utils.figures.cluster import costs

ROOT = Path(__file__).resolve().parents[1]
PAGE, PICTURE = ROOT / "docs" / "cluster.md", ROOT / "docs" / "cluster.png"
BEGIN, END = "<!-- {}: written by python tools/cluster.py -->\n", "<!-- end of {} -->\n"
# Latency in seconds and bandwidth in bytes a second of networks that nobody measured here.
ASSUMED = {"1 Gbit/s": (50e-6, 0.125e9), "10 Gbit/s": (50e-6, 1.25e9)}
PROCESSES = np.arange(1, 129)


def blocks(record):
    """Name → Markdown, what the page shows of a stored result."""
    return {"all-reduce": _all_reduce(record), "models": _models(record), "networks": _networks(record)}


def filled(page, record):
    """The page with the numbers of a stored result."""
    for name, text in blocks(record).items():
        before, rest = page.split(BEGIN.format(name))
        page = before + BEGIN.format(name) + text + END.format(name) + rest.split(END.format(name))[1]
    return page


def draw(record):
    """The page's picture."""
    found, sizes = record["results"], record["config"]["bytes"]
    speed_ups = {}
    for name, (parameters, step) in _steps(found).items():
        speed_ups[name] = cost.speed_up(PROCESSES, step, parameters, found["latency"], found["bandwidth"])
    return costs(sizes, found["all-reduce"], [_fitted(found, size) for size in sizes], PROCESSES, speed_ups)


def _fitted(found, size):
    return cost.communication(2, size / 4, found["latency"], found["bandwidth"])


def _steps(found):
    """Name → (parameters, median seconds of a step)."""
    return {name: (it["parameters"], statistics.median(it["seconds"])) for name, it in found["steps"].items()}


def _all_reduce(record):
    found, versions = record["results"], record["versions"]
    rows = [
        [f"{size:,}", _ms(statistics.median(times)), _ms(_fitted(found, size))]
        for size, times in zip(record["config"]["bytes"], found["all-reduce"], strict=True)
    ]
    worst = 100 * found["largest relative error of the fit"]
    return (
        f"Measured between 2 processes of one thread on one machine with {found['cores']} cores, over loopback, with "
        f"torch {versions['torch']} (the shortest of a round's calls, median of {record['config']['seeds']} rounds): "
        f"latency **{1e6 * found['latency']:.0f} µs** a message, bandwidth **{found['bandwidth'] / 1e9:.2f} GB/s**; no "
        f"size is further than {worst:.0f} % from what these two say.\n\n"
    ) + _table(["bytes summed", "measured, ms", "latency and bandwidth, ms"], rows)


def _models(record):
    found, batches = record["results"], record["config"]["models"]
    rows = []
    for name, (parameters, step) in _steps(found).items():
        given = parameters, found["latency"], found["bandwidth"]
        rows.append(
            [
                name,
                f"{parameters:,}",
                str(batches[name]["batch"]),
                _ms(step),
                _ms(cost.communication(2, *given)),
                f"{cost.speed_up(2, step, *given):.2f}",
                f"{cost.half_efficiency(step, *given):.1f}",
                f"{cost.half_efficiency(step, *given, overlap=True):.1f}",
                f"{cost.fastest(step, *given):.1f}",
            ]
        )
    head = ["model", "n", "batch", "T(1), ms", "C(2), ms", "S(2)", "p½", "p½, overlapped", "p*"]
    return _table(head, rows)


def _networks(record):
    rows = []
    for name, (parameters, step) in _steps(record["results"]).items():
        numbers = [f"{cost.half_efficiency(step, parameters, *network):.1f}" for network in ASSUMED.values()]
        rows.append([name, *numbers])
    return _table(["model", *(f"p½ at {name}, 50 µs" for name in ASSUMED)], rows)


def _ms(seconds):
    """Milliseconds with three digits that count."""
    return f"{float(f'{1e3 * seconds:.3g}'):,g}"


def _table(head, rows):
    align = ["---"] + ["---:"] * (len(head) - 1)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in [head, align, *rows])


def main():
    """Fill the page and draw the picture."""
    record = load("gloo_bandwidth")
    page = filled(PAGE.read_text(encoding="utf-8"), record)
    aside = PAGE.with_name(PAGE.name + ".part")
    aside.write_text(page, encoding="utf-8")
    os.replace(aside, PAGE)
    draw(record).savefig(PICTURE, metadata={"Software": None})


if __name__ == "__main__":
    main()

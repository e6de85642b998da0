"""What `make bench` tells: a sentence a measurement, the README's table, and time against size on a log–log plot."""

import json
import os
from importlib import metadata
from pathlib import Path

import numpy as np

from course_utils.figures.style import GREY, figure, line, style

ROOT = Path(__file__).parents[2]
RECORD, README, PICTURE = ROOT / "data" / "benchmarks.json", ROOT / "README.md", ROOT / "docs" / "growth.png"
BEGIN, END = "<!-- speed: written by make bench -->\n", "<!-- end of speed -->\n"
IDENTITY = ("kind", "lesson", "what", "variable", "threads")


def sentence(record):
    """One line for the terminal."""
    told = f"lesson {record['lesson']}: {record['what']}"
    if record["kind"] == "memory":
        ours, peer = record["bytes"] / 1e6, record["peer_bytes"] / 1e6
        return f"{told} holds {ours:.1f} MB at its peak, {record['against']} {peer:.1f} MB"
    if record["kind"] == "growth":
        times = ", ".join(f"{n}: {t:.4f} s" for n, t in zip(record["sizes"], record["seconds"], strict=True))
        return f"{told}: time grows as {record['variable']} to the {record['slope']:.2f} ({times})"
    promised = "nothing promised" if record["promise"] is None else f"promised {record['promise']:g}"
    return (
        f"{told}, threads: {record['threads']}: {record['ratio']:.2f} times the speed of {record['against']} "
        f"({promised}; rounds {record['least']:.2f} to {record['greatest']:.2f}; "
        f"{record['seconds']:.4f} s against {record['peer_seconds']:.4f} s)"
    )


def table(records):
    """The ratios as a Markdown table, a row for each thing measured, a column for one thread and for two."""
    rows = {}
    for record in records:
        if record["kind"] == "ratio":
            rows.setdefault((record["lesson"], record["what"], record["against"], record["promise"]), {})[
                record["threads"]
            ] = f"{record['ratio']:.3g}×"
    lines = ["| lesson | what | against | promised | one thread | two threads |", "|---|---|---|---|---|---|"]
    for (lesson, what, against, promise), found in sorted(rows.items(), key=lambda item: str(item[0][0])):
        promised = "" if promise is None else f"{promise:g}×"
        cells = [str(lesson), what, against, promised, found.get(1, ""), found.get(2, "")]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def draw(growths):
    """Time against n and against d, log–log: a line for each model."""
    with style():
        fig, panels = figure(1, 2, width=11, height=4.5, sharey=True)
        for ax, variable, label in zip(panels, "nd", ("rows n", "features d"), strict=True):
            for k, record in enumerate(r for r in growths if r["variable"] == variable):
                name = f"{record['what']}, slope {record['slope']:.2f}"
                ax.plot(record["sizes"], record["seconds"], label=name, **line(k))
            ax.set(xscale="log", yscale="log", xlabel=label)
            sizes = sorted({size for r in growths if r["variable"] == variable for size in r["sizes"]})
            ax.set_xticks(sizes, [f"{size:,}" for size in sizes], rotation=30)
            ax.minorticks_off()
            span = np.array([sizes[0], sizes[-1]])
            ax.plot(span, 2e-3 * span / span[0], color=GREY, linestyle=":", label="slope 1: linear")
            ax.legend()
        panels[0].set_ylabel("seconds")
    return fig


def store(found):
    """Replace the stored records of what was measured now, keep the others, and write README and picture from all."""
    records = {}
    for record in (*load(), *found):
        records[tuple(record.get(name) for name in IDENTITY)] = record
    records = list(records.values())
    versions = {p: metadata.version(p).split("+")[0] for p in ("numpy", "scipy", "scikit-learn", "torch")}
    content = {"command": "make bench", "cores": os.cpu_count(), "versions": versions, "records": records}
    _write(RECORD, json.dumps(content, indent=1) + "\n")
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _write(README, before + BEGIN + table(records) + END + rest.split(END)[1])
    if growths := [record for record in records if record["kind"] == "growth"]:
        draw(growths).savefig(PICTURE, metadata={"Software": None})


def load():
    """The records that are stored, a list of dictionaries."""
    return json.loads(RECORD.read_text(encoding="utf-8"))["records"] if RECORD.exists() else []


def _write(path, text):
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)

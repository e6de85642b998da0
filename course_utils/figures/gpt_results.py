"""Lesson 8's results: trained GPTs against what is known, their scaling, the cache, and the recipe piece by piece."""

import numpy as np

from course_utils.figures.gpt import BERT, BOTH, MODEL, OTHER, PAST
from course_utils.figures.style import GREY, INK, LOOKS, bars, drawing, figure, line

CHANGES = {  # as the experiments name them → as the figure does
    "Muon": "Muon",
    "zero residual": "residuals begin at 0",
    "query-key norm": "query–key norm",
    "rotary": "rotary positions",
    "squared ReLU": "ReLU² (left out)",
    "RMSNorm": "RMSNorm (left out)",
    "linear decay": "linear decay to 0",
    "untied head": "untied head",
    "higher rate": "higher rate of AdamW",
}
LEFT_OUT = ("squared ReLU", "RMSNorm")  # no part of the recipe: there "without" holds the recipe with them


# Against the optimum ────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def curve(steps, losses, lines, *, name="trained in this notebook"):
    """Held-out loss while a GPT is trained, beside what is known; ``lines``: name → (look, nats)."""
    fig, ax = figure(width=8.5, height=4.3)
    ax.plot(steps, losses, marker=MODEL.marker, markersize=5, label=name, **line(MODEL))
    for label, (look, value) in lines.items():
        ax.axhline(value, color=look.color, linestyle=look.linestyle, linewidth=2, label=f"{label}, {value:.2f}")
    ax.set(xlabel="step", ylabel="nats a word, held out")
    ax.legend(loc="upper right", bbox_to_anchor=(1, 0.94))
    told = ", ".join(f"{label} {value:.2f}" for label, (_, value) in lines.items())
    return fig, f"A GPT's loss on held-out sentences while it is trained, beside what is known, nats a word: {told}."


@drawing
def by_position(exact, found, rate, shown=40):
    """Nats that the word at each position costs in expectation, at best and by GPT; they fall, for the past grows.

    ``exact``, ``found``: (T,), entropies and cross-entropies given the past, means over sentences. ``rate``: the
    entropy rate.
    """
    n = min(shown, len(exact))
    fig, ax = figure(width=8.5, height=4.2)
    at = np.arange(1, n + 1)
    ax.plot(at, exact[:n], label="entropy given the past, exact", **line(PAST))
    ax.scatter(at, found[:n], s=30, color=MODEL.color, marker=MODEL.marker, label="cross-entropy, GPT", zorder=3)
    ax.axhline(rate, color=GREY, linestyle=":", linewidth=2, label=f"entropy rate, {rate:.2f}")
    ax.set(xlabel="position in the sentence", ylabel="nats, given the words before")
    ax.legend(loc="upper right")
    gap = np.abs(np.subtract(found, exact)).max()
    caption = (
        f"Nats of the word at each position: exactly {exact[0]:.2f} at the first, {exact[1]:.2f} at the second, "
        f"{np.mean(exact[n // 2 : n]):.2f} on average from position {n // 2 + 1} on; GPT is nowhere more than "
        f"{np.ceil(gap * 100) / 100:.2f} away. The entropy rate is {rate:.2f}."
    )
    return fig, caption


@drawing
def scaling(panels, ylabel="nats a word over the optimum"):
    """The gap to the optimum against one size after another, each point a seed, with the lines that were fitted.

    ``panels``: title → {"x": …, "gap": (points, seeds), "fit": None or (grid, values, label), "floor": None or
    (x, values, label)}.
    """
    fig, axes = figure(1, len(panels), width=3.9 * len(panels), height=4.3, sharey=True, squeeze=False)
    told = []
    for ax, (title, panel) in zip(axes[0], panels.items(), strict=True):
        x, gap = np.asarray(panel["x"]), np.asarray(panel["gap"])
        ax.scatter(np.repeat(x, gap.shape[1]), gap.ravel(), s=36, color=MODEL.color, marker=MODEL.marker, zorder=3)
        if panel.get("fit"):
            grid, values, label = panel["fit"]
            ax.plot(grid, values, label=label, **line(OTHER))
        if panel.get("floor"):
            grid, values, label = panel["floor"]
            ax.plot(grid, values, label=label, **line(PAST))
        ax.set(xscale="log", yscale="log", xlabel=title)
        ax.set_xticks(x, [_short(one) for one in x], fontsize=11)
        ax.minorticks_off()
        if panel.get("fit") or panel.get("floor"):
            ax.legend(loc="upper right", fontsize=11)
        mean = gap.mean(axis=1)
        told.append(f"{title}, from {x[0]:,} to {x[-1]:,}: {mean[0]:.3f} to {mean[-1]:.3f}")
    axes[0, 0].set_ylabel(ylabel)
    return fig, f"Gap to the optimum in nats a word, means over the seeds. {'; '.join(told)}."


def _short(number):
    """12,800,000 as 12.8M, 3,200 as 3.2k."""
    for unit, letter in ((1e6, "M"), (1e3, "k")):
        if number >= unit:
            return f"{number / unit:.3g}{letter}"
    return f"{number:g}"


@drawing
def distance(rows, target):
    """How far each is over the exact value on the same tokens, on a logarithmic axis.

    ``rows``: name → (look, nats), the farthest first. ``target``: nats, a guide line.
    """
    fig, ax = figure(width=9, height=0.62 * len(rows) + 1.2)
    for i, (look, value) in enumerate(rows.values()):
        ax.plot([target / 8, value], [i, i], color="#DDDDDD", linestyle="-", linewidth=6, zorder=1)
        ax.scatter(value, i, s=90, color=look.color, marker=look.marker, zorder=3)
        ax.text(value * 1.18, i, f"{value:.3f}", va="center", fontsize=13)
    ax.axvline(target, color=GREY, linestyle=":", linewidth=2)
    ax.set(xscale="log", xlim=(target / 8, 3.5 * max(value for _, value in rows.values())))
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set_xlabel(f"nats a word over the exact value (dotted: {target:g})")
    told = ", ".join(f"{name} {value:.3f}" for name, (_, value) in rows.items())
    return fig, f"Nats a word over the exact value on the same words: {told}."


# One direction ──────────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def one_direction(rows):
    """Nats for the same blanks, by who fills them and what they may see.

    ``rows``: name → ("past" or "both", nats); the exact ones are those whose name ends in "exact".
    """
    fig, ax = figure(width=9.5, height=0.62 * len(rows) + 1.1)
    for i, (name, (sees, value)) in enumerate(rows.items()):
        exact = name.endswith("exact")
        look = (PAST if sees == "past" else BOTH) if exact else BERT if "BERT" in name else MODEL
        ax.barh(i, value, height=0.64, **bars(look))
        ax.text(value, i, f"  {value:.2f}", va="center", fontsize=13)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.invert_yaxis()
    ax.set(xlabel="−log p of the word that stood there, nats", xlim=(0, 1.15 * max(v for _, v in rows.values())))
    told = ", ".join(f"{name} {value:.2f}" for name, (_, value) in rows.items())
    return fig, f"Nats for one blank in a clean sentence, the same blanks for all: {told}."


# Decoding ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def cache(record, titles):
    """Seconds for one more token against its position, with the cache and without.

    ``record``: size → {"position", "with", "without"}. ``titles``: size → title of its panel.
    """
    fig, axes = figure(1, len(titles), width=5.2 * len(titles), height=4.1, squeeze=False)
    told = []
    for ax, (size, title) in zip(axes[0], titles.items(), strict=True):
        row = record[size]
        for key, label, look in (("without", "all tokens again", OTHER), ("with", "with the cache", MODEL)):
            ax.plot(row["position"], 1000 * np.asarray(row[key]), marker=look.marker, label=label, **line(look))
        ax.set(yscale="log", xlabel="position of the token", ylabel="milliseconds a token", title=title)
        ax.legend(loc="upper left")
        low, high = 1000 * np.min([row["with"], row["without"]]), 1000 * np.max([row["with"], row["without"]])
        ax.set_ylim(low / 1.6, high * 5)
        told.append(
            f"{title}: at position {row['position'][-1]:,} {1000 * row['without'][-1]:.1f} ms without the cache and "
            f"{1000 * row['with'][-1]:.1f} with it, {row['without'][-1] / row['with'][-1]:.0f} times less"
        )
    return fig, f"Time of one more token. {'; '.join(told)}."


# The recipe ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def effects(record):
    """What each change does, in nats: name → (added to the plain model, added to the rest of the recipe), of the seeds.

    None stands for what was not measured, or is no part of the recipe. Both are differences of the same seeds, with the
    change minus without it: negative is better.
    """
    plain, recipe, found = np.asarray(record["plain"]), np.asarray(record["recipe"]), {}
    for name in CHANGES:
        added, without = (record[side].get(name) for side in ("plain plus", "recipe without"))
        first = None if added is None else np.asarray(added) - plain
        last = None if without is None else recipe - np.asarray(without)
        if name in LEFT_OUT and last is not None:
            last = -last
        if not (first is None and last is None):
            found[name] = first, last
    return found


@drawing
def ablation(record):
    """The recipe, one change at a time: its effect when added to the plain model, and when it is the last one added.

    A point is a seed, the bar their mean; to the left of zero the change lowers the loss.
    """
    found = effects(record)
    names = sorted(found, key=lambda name: np.inf if found[name][1] is None else found[name][1].mean())
    fig, axes = figure(1, 2, width=11, height=0.38 * len(names) + 1.2, sharex=True, sharey=True)
    titles = ("added to the plain model", "added to the rest of the recipe")
    for side, (ax, title) in enumerate(zip(axes, titles, strict=True)):
        for i, name in enumerate(names):
            change = found[name][side]
            if change is None:
                ax.text(0, i, "not measured  ", va="center", ha="right", fontsize=11, color=GREY)
                continue
            ax.barh(i, change.mean(), height=0.6, **bars(MODEL if change.mean() < 0 else OTHER))
            ax.scatter(change, np.full(len(change), i), s=26, facecolors=INK, edgecolors="white", zorder=3)
        ax.axvline(0, color=INK, linewidth=1.4)
        ax.set(title=title, xlabel="change of the loss, nats")
    axes[0].set_yticks(range(len(names)), [CHANGES[name] for name in names])
    axes[0].invert_yaxis()
    told = "; ".join(
        f"{CHANGES[name]} " + " and ".join(f"{side.mean():+.3f}" for side in found[name] if side is not None)
        for name in names
    )
    caption = (
        f"Change of the validation loss in nats by each part of the recipe, added to the plain model and added last "
        f"(means of {len(record['plain'])} seeds): {told.replace('-0', '−0')}."
    )
    return fig, caption


@drawing
def races(record, target):
    """nanoGPT's settings and the recipe at the same size and batch: loss against characters, and against time.

    ``record``: name → list over the seeds of {"steps", "curve", "validation loss", "tokens", "cpu seconds"}; the curve
    is over some windows of the validation part, the point at its end over all of it. ``target``: nats.
    """
    fig, axes = figure(1, 2, width=11, height=4.4, sharey=True)
    told = []
    for k, (name, runs) in enumerate(record.items()):
        look = LOOKS[(1, 0, 2)[k % 3]]
        loss = np.array([run["validation loss"] for run in runs])
        for ax, key, unit in zip(axes, ("tokens", "cpu seconds"), (1e6, 1), strict=True):
            for run in runs:
                share = np.asarray(run["steps"][: len(run["curve"])]) / run["steps"][-1]
                ax.plot(share * run[key] / unit, run["curve"], linewidth=1.2, alpha=0.7, **line(look))
            x = np.array([run[key] for run in runs]) / unit
            ax.scatter(x, loss, s=60, color=look.color, marker=look.marker, label=name, zorder=3)
        seconds = np.mean([run["cpu seconds"] for run in runs])
        told.append(
            f"{name}: {loss.mean():.3f} nats (seeds from {loss.min():.3f} to {loss.max():.3f}) after "
            f"{runs[0]['tokens'] / 1e6:.2f} million characters and {seconds:.0f} s"
        )
    for ax in axes:
        ax.axhline(target, color=GREY, linestyle=":", linewidth=2, label=f"{target:.4f}")
        ax.set_xlim(left=0)
    axes[0].set(xlabel="characters trained on, millions", ylabel="validation loss, nats a character", ylim=(1.4, 2.8))
    axes[1].set(xlabel="seconds of one processor")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return fig, f"Tiny Shakespeare at the same size and batch. {'; '.join(told)}."

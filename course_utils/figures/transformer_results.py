"""Lesson 6's stored experiments: lists by length, what attention costs, and sentences longer than those trained on."""

import numpy as np

from course_utils.figures.style import GREY, INK, LOOKS, OPTIMUM, drawing, figure, line

FLOOR = 1e-5  # nats: lists that are right with less are drawn here
MODELS = {"GRU": 1, "GRU with attention": 3, "Transformer": 0}  # name → look


def shares(rows, lists):
    """Stored rows, one for each seed → (seeds, lengths): the share of the test lists that is right."""
    return np.array([row["right"] for row in rows]) / lists


@drawing
def lists_by_length(record):
    """The stored experiment ``translation_lists``: exact match against the numbers in a list.

    Left the three models, right the GRU by the width of its state; lines are means, bands go from worst to best seed.
    """
    config, results = record["config"], record["results"]
    lengths = config["lengths"]
    fig, (left, right) = figure(1, 2, width=10, height=4.6, sharey=True)
    told = []
    for name, rows in results["models"].items():
        exact = shares(rows, config["lists"])
        _band(left, lengths, exact, name, MODELS[name])
        size = rows[0]["parameters"] / 1e6
        told.append(f"{name} ({size:.2f} M parameters) {exact[:, 0].mean():.0%} and {exact[:, -1].mean():.0%}")
    squeezed = []
    for k, (width, rows) in enumerate(results["widths"].items()):
        exact = shares(rows, config["lists"])
        _band(right, lengths, exact, f"state of {width}", (1, 2, 3, 4)[k])
        squeezed.append(f"{width}: {exact.mean():.0%}")
    for ax, title in ((left, "three models"), (right, "GRU without attention")):
        ax.set(xlabel="numbers in the list", title=title, ylim=(-0.03, 1.03), xticks=lengths)
        ax.legend(loc=(0.33, 0.12) if ax is left else "upper right")
    left.set_ylabel("exact match, whole lists")
    left.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
    caption = (
        f"Share of test lists translated exactly, {config['lists']} of each length, mean of {config['seeds']} seeds; "
        f"lists of {lengths[0]} and of {lengths[-1]}: {'; '.join(told)}. GRU by width of "
        f"its state, one seed each, over all lengths: {', '.join(squeezed)}."
    )
    return fig, caption


def _band(ax, x, exact, name, look):
    mean = exact.mean(axis=0)
    ax.plot(x, mean, marker=LOOKS[look].marker, label=name, **line(look))
    ax.fill_between(x, exact.min(axis=0), exact.max(axis=0), color=LOOKS[look].color, alpha=0.2, linewidth=0)


@drawing
def distance(lengths, nats, exact):
    """How far a translator is from the rule, by the numbers in a list.

    ``nats``: for each length −log p(right | x) of test lists, (lists,) each; ``exact``: which of them greedy decoding
    gets right from first to last token.
    """
    mean = np.array([values.mean() for values in nats])
    share = np.array([values.mean() for values in exact])
    fig, (left, right) = figure(1, 2, width=10.5, height=4.4)
    for length, values in zip(lengths, nats, strict=True):
        left.scatter(np.full(len(values), length), np.maximum(values, FLOOR), s=14, c=GREY, alpha=0.5, linewidths=0)
    left.plot(lengths, mean, marker=LOOKS[0].marker, label="mean", **line(0))
    left.set(yscale="log", xlabel="numbers in the list", xticks=list(lengths), title="nats a list over the optimum, 0")
    left.set_ylabel("−log p(right | source), nats")
    left.legend(loc="upper left")
    right.plot(lengths, share, marker=LOOKS[0].marker, **line(0))
    right.axhline(1, color=INK, linestyle=OPTIMUM.linestyle, linewidth=1.6)
    right.set(xlabel="numbers in the list", xticks=list(lengths), ylim=(0, 1.05), title="whole lists right")
    right.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
    first, last = lengths[0], lengths[-1]
    least = f"{mean[0]:.3f}" if mean[0] >= 0.0005 else "less than 0.001"
    caption = (
        f"{len(nats[0])} unseen test lists of each length: from {least} nats over the optimum for lists of "
        f"{first} to {mean[-1]:.2f} for lists of {last}; greedy decoding gets {np.mean(np.concatenate(exact)):.1%} of "
        f"all right, {share[-1]:.0%} of the longest."
    )
    return fig, caption


@drawing
def generalisation(record):
    """The stored experiment ``length_generalisation``: lists longer than those trained on, and a mend."""
    config, results = record["config"], record["results"]
    lengths, trained = config["lengths"], max(config["training"]["numbers"])
    fig, ax = figure(width=8.5, height=4.5)
    told = []
    for k, (name, rows) in enumerate(results.items()):
        exact = np.atleast_2d(rows) / config["lists"]  # (seeds, lengths)
        _band(ax, lengths, exact, name, (0, 2, 1)[k])
        told.append(f"{name} {exact[:, -1].mean():.0%}")
    ax.axvspan(lengths[0], trained + 0.5, color=GREY, alpha=0.12, linewidth=0)
    ax.text(lengths[0] + 0.1, 0.03, "lengths seen in training", fontsize=12, color=INK)
    ax.set(xlabel="numbers in the list", ylabel="exact match, whole lists", ylim=(-0.03, 1.05), xticks=lengths)
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
    fig.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=len(results), columnspacing=1.2)
    caption = (
        f"Share of {config['lists']} test lists of each length translated exactly, by a Transformer trained on lists "
        f"of 1 to {trained}; lists of {lengths[-1]}: {'; '.join(told)}."
    )
    return fig, caption


COSTS = {"attention, written out": 1, "attention, fused": 0, "GRU": 2}  # name → look


@drawing
def cost(record):
    """The stored experiment ``attention_cost``: time and memory against length, with the fitted laws."""
    lengths = np.array(record["config"]["lengths"])
    fine = np.geomspace(lengths[0], lengths[-1], 100)
    fig, panels = figure(1, 2, width=10, height=4.6)
    told = []
    for ax, key, unit, scale in zip(panels, ("seconds", "bytes"), ("ms", "MB"), (1e3, 1e-6), strict=True):
        for name, k in COSTS.items():
            result = record["results"][name]
            ax.scatter(lengths, scale * np.array(result[key]), s=52, c=LOOKS[k].color, marker=LOOKS[k].marker, zorder=3)
            a, b, c = result[f"{key}_law"]
            ax.plot(fine, scale * (a + b * fine + c * fine**2), label=name, **line(k))
            growth = result[key][-1] / result[key][-2]
            told.append(f"{name} {scale * result[key][-1]:.0f} {unit}, {growth:.1f} times that at {lengths[-2]}")
        ax.set(xscale="log", yscale="log", xlabel="tokens T")
        ax.set_xticks([64, 256, 1024, 4096], ["64", "256", "1024", "4096"])
        ax.minorticks_off()
    panels[0].set(ylabel="ms, forwards and backwards", title="time")
    panels[1].set(ylabel="MB kept for the backward pass", title="memory")
    fig.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    caption = (
        f"One layer of width {record['config']['d']} on one thread, points measured, lines a + b T + c T² fitted. At "
        f"{lengths[-1]} tokens, time: {'; '.join(told[:3])}; memory: {'; '.join(told[3:])}."
    )
    return fig, caption

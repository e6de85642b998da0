"""Lesson 7: trained BERTs against what is known of their texts, what they look at, and what fine-tuning gives."""

import re

import numpy as np
import torch

from course_utils.data.wordpiece import MASK, SPECIAL
from course_utils.figures.bert import BOTH, MODEL, PAST, pair_of
from course_utils.figures.style import GREY, INK, LOOKS, PAPER, bars, drawing, figure, line, points
from course_utils.models.attention import recorded

KINDS = {  # name → look
    "from scratch": 1,
    "frozen": 3,
    "fine-tuned": 0,
    "naive Bayes, whole docstrings": 2,
    "naive Bayes, what BERT reads": 4,
}
MOST_TOKENS = 30  # that an attention map draws


# Against the optimum ────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def curve(log, key, lines, *, ylabel, live=None):
    """A model's test loss while it was trained, beside what is known.

    ``log``: lines of a run's log.jsonl. ``key``: what ``evaluate`` found there. ``lines``: name → (look, value).
    ``live``: None, or (label, steps, values) of a training in the notebook.
    """
    found = [(each["step"], each[key]) for each in log if each.get(key) is not None]
    steps, values = np.array(found).T
    fig, ax = figure(width=8.5, height=4.3)
    ax.plot(steps, values, label="the shipped model", marker=MODEL.marker, markersize=5, **line(MODEL))
    if live is not None:
        ax.plot(live[1], live[2], label=live[0], marker=LOOKS[3].marker, markersize=5, **line(3))
    for name, (look, value) in lines.items():
        ax.axhline(value, color=look.color, linestyle=look.linestyle, linewidth=2, label=f"{name}, {value:.2f}")
    ax.set(xlabel="step", ylabel=ylabel)
    ax.legend(loc="upper right")
    told = ", ".join(f"{name} {value:.2f}" for name, (_, value) in lines.items())
    caption = (
        f"{ylabel[:1].upper()}{ylabel[1:]} while the shipped model was trained: from {values[0]:.2f} at step "
        f"{int(steps[0])} to {values[-1]:.2f} at step {int(steps[-1])}. Beside it: {told}."
    )
    return fig, caption


@drawing
def against(exact, found, known):
    """A model's log p of hidden words against the exact one, a point a word, and the histogram of the difference.

    ``exact``, ``found``: (n,) in nats. ``known``: (n,), the exact log p from the past.
    """
    fig, (left, right) = figure(1, 2, width=11, height=4.4)
    low = min(exact.min(), found.min()) - 0.3
    some = np.linspace(0, len(exact) - 1, min(len(exact), 1500)).astype(int)
    left.scatter(exact[some], found[some], s=9, alpha=0.35, c=MODEL.color, linewidths=0)
    left.plot([low, 0], [low, 0], color=INK, linewidth=1.4)
    left.set(
        xlabel="exact log p, from both sides (nats)", ylabel="BERT's log p (nats)", xlim=(low, 0.1), ylim=(low, 0.1)
    )
    left.set_title("hidden words")
    edges = np.linspace(-1.0, 1.0, 61)
    right.hist(np.clip(found - exact, -1, 1), edges, label="BERT", **bars(MODEL))
    right.hist(
        np.clip(known - exact, -1, 1), edges, histtype="step", color=PAST.color, linewidth=2, label="the past, exact"
    )
    right.axvline(0, color=INK, linewidth=1.4)
    right.set(xlabel="log p minus the exact one, nats (the ends: beyond)", ylabel="words", title="difference")
    right.legend(loc="upper right")
    difference = exact - found
    caption = (
        f"{len(exact)} hidden words. BERT is {difference.mean():.3f} nats over the optimum on average and within 0.1 "
        f"nats for {np.mean(np.abs(difference) < 0.1):.0%} of them; the best that can be done from the past alone is "
        f"{(exact - known).mean():.2f} nats over it."
    )
    return fig, caption


# Real text ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def floors(rows):
    """Chosen pieces of held-out docstrings: accuracy and nats of each model.

    ``rows``: name → {"nats", "accuracy"}, from the simplest to BERT.
    """
    fig, (left, right) = figure(1, 2, width=10.5, height=3.8, sharey=True)
    names = list(rows)
    looks = [LOOKS[2], PAST, LOOKS[3], MODEL][-len(names) :]
    for ax, key, form in ((left, "accuracy", "{:.0%}"), (right, "nats", "{:.2f}")):
        for i, (name, look) in enumerate(zip(names, looks, strict=True)):
            value = rows[name][key]
            ax.barh(i, value, height=0.62, **bars(look))
            ax.text(value, i, "  " + form.format(value), va="center", ha="left", fontsize=13)
        ax.set_xlim(0, 1.22 * max(row[key] for row in rows.values()))
        ax.set_yticks(range(len(names)), names)
    left.invert_yaxis()
    left.set(title="right at the first guess", xlabel="share of chosen pieces")
    right.set(title="−log p", xlabel="nats a chosen piece")
    told = "; ".join(
        f"{name} {row['accuracy']:.1%}, {row['nats']:.2f} nats, perplexity {np.exp(row['nats']):.0f}"
        for name, row in rows.items()
    )
    return fig, f"Chosen pieces of held-out docstrings, accuracy and −log p: {told}."


@drawing
def candidates(models, tokenizer, text, top=6):
    """Two models' most probable pieces for the first [MASK] of a text, side by side.

    ``models``: name → function, ids (1, T) → log p (1, T, V); the second one's bars are drawn for its own candidates.
    """
    ids, _ = pair_of(tokenizer, text)
    if MASK not in ids:
        raise ValueError("write [MASK] where BERT is to guess")
    tokens, t = torch.tensor([ids]), ids.index(MASK)
    fig, axes = figure(1, len(models), width=10.5, height=3.9)
    told = []
    for ax, (name, log_p), look in zip(axes, models.items(), (MODEL, PAST), strict=True):
        with torch.no_grad():
            p = log_p(tokens)[0, t].exp().numpy()
        best = np.argsort(-p, kind="stable")[:top]
        pieces = [tokenizer.id_to_token(int(i)) for i in best]
        ax.barh(range(top), p[best], height=0.66, **bars(look))
        for i, value in enumerate(p[best]):
            ax.text(value, i, f"  {value:.3f}", va="center", fontsize=12)
        ax.set_yticks(range(top), pieces)
        ax.invert_yaxis()
        ax.set(xlim=(0, max(0.05, 1.25 * p[best[0]])), xlabel="p(piece)", title=name)
        told.append(
            f"{name}: {', '.join(f'{one} {value:.2f}' for one, value in zip(pieces[:3], p[best], strict=False))}"
        )
    return fig, f"{text} — most probable at the first [MASK], {'; '.join(told)}."


@drawing
def attention_map(model, tokenizer, first, second="", layer=1, head=1):
    """One head's weights over one or two texts: queries down, keys across; ``layer`` and ``head`` count from 1."""
    ids, segments = pair_of(tokenizer, first, second)
    ids, segments = ids[:MOST_TOKENS], segments[:MOST_TOKENS]
    with torch.no_grad(), recorded(model) as maps:
        model(torch.tensor([ids]), torch.tensor([segments]))
    weights = maps[f"blocks.{layer - 1}.attention"][0, head - 1].numpy()  # (T, T)
    pieces = [tokenizer.id_to_token(i) for i in ids]
    fig, ax = figure(width=0.3 * len(pieces) + 2.8, height=min(0.135 * len(pieces) + 1.6, 4.5))  # controls above
    ax.imshow(weights, cmap="gray_r", vmin=0, vmax=1, aspect="auto")
    size = max(6, min(10, 210 // len(pieces)))
    ax.set_xticks(range(len(pieces)), pieces, rotation=90, fontsize=size)
    ax.set_yticks(range(len(pieces)), pieces, fontsize=size)
    ax.spines[:].set_visible(True)
    ax.set(title=f"layer {layer}, head {head}", xlabel="attends to (key)", ylabel="piece (query)")
    special = np.isin(ids, range(len(SPECIAL)))
    places = np.arange(len(ids))
    step = np.median(weights.argmax(axis=1) - places)  # the first rows spread far to the right and would drag a mean
    told = ", ".join(f'"{pieces[t]}" to "{pieces[int(weights[t].argmax())]}"' for t in range(1, min(5, len(pieces))))
    caption = (
        f"Layer {layer}, head {head}: {weights[:, special].sum(axis=1).mean():.0%} of the weight goes to special "
        f"tokens, and the median step from a piece to where it looks most is {step:+g}. Most: {told}."
    )
    return fig, signed(caption)


@drawing
def head_profiles(profiles):
    """Where each head looks on average: shares of its weight.

    ``profiles``: name of a target → (layers, heads), shares that sum to one over the names.
    """
    names = list(profiles)
    values = np.stack([profiles[name] for name in names])  # (targets, layers, heads)
    layers, heads = values.shape[1:]
    fig, ax = figure(width=11, height=4)
    x = np.arange(layers * heads) + np.repeat(np.arange(layers), heads) * 0.8
    bottom = np.zeros(layers * heads)
    for k, name in enumerate(names):
        share = values[k].reshape(-1)
        look = bars(k) if k < len(names) - 1 else {"facecolor": "#DDDDDD", "edgecolor": PAPER}
        ax.bar(x, share, bottom=bottom, width=0.85, label=name, **look)
        bottom += share
    ax.set_xticks(x, [str(h + 1) for _ in range(layers) for h in range(heads)], fontsize=11)
    for i in range(layers):
        ax.text(x[i * heads : (i + 1) * heads].mean(), 1.03, f"layer {i + 1}", ha="center", va="bottom", fontsize=12)
    ax.set(ylim=(0, 1.12), xlabel="head", ylabel="share of its attention")
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
    fig.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=len(names))
    most = {name: np.unravel_index(values[k].argmax(), (layers, heads)) for k, name in enumerate(names)}
    told = "; ".join(
        f"{name} {values[k][most[name]]:.0%} in layer {most[name][0] + 1}, head {most[name][1] + 1}"
        for k, name in enumerate(names)
    )
    return fig, f"Mean share of each head's attention over the texts; the largest share of each kind: {told}."


# Fine-tuning ────────────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def fine_tuned(tasks):
    """Accuracy against the number of labelled examples, one panel a task; whiskers go from worst to best seed.

    ``tasks``: title → {"sizes": …, "kinds": name → (sizes, seeds) of shares, "floor": (name, share)}.
    """
    fig, axes = figure(1, len(tasks), width=3.9 * len(tasks), height=4.6, sharey=True, squeeze=False)
    told = []
    for ax, (title, task) in zip(axes[0], tasks.items(), strict=True):
        apart = np.linspace(-0.2, 0.2, len(task["kinds"])) if len(task["sizes"]) == 1 else np.zeros(len(task["kinds"]))
        for (name, shares), shift in zip(task["kinds"].items(), apart, strict=True):
            shares, look = np.asarray(shares), LOOKS[KINDS[name]]
            mean = shares.mean(axis=1)
            spread = np.stack([mean - shares.min(axis=1), shares.max(axis=1) - mean])
            sizes = np.array(task["sizes"]) * np.exp(shift)  # those of one size stand side by side
            ax.errorbar(sizes, mean, spread, marker=look.marker, label=name, capsize=4, **line(look))
        floor, value = task["floor"]
        ax.axhline(value, color=GREY, linestyle=":", linewidth=2)
        ax.text(0.03, value - 0.015, floor, ha="left", va="top", fontsize=11, transform=ax.get_yaxis_transform())
        ax.set(xscale="log", xlabel="labelled examples", title=title, ylim=(0, 1.02))
        ax.set_xticks(task["sizes"], [f"{size:,}" for size in task["sizes"]], fontsize=11)
        if len(task["sizes"]) == 1:
            ax.set_xlim(task["sizes"][0] / 2, task["sizes"][0] * 2)
        ax.minorticks_off()
        ends = ", ".join(f"{name} {np.mean(shares[-1]):.0%}" for name, shares in task["kinds"].items())
        told.append(f"{title} with {task['sizes'][-1]:,} labels: {ends}, {floor} {value:.0%}")
    axes[0, 0].set_ylabel("right, of the test examples")
    axes[0, 0].set_yticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
    handles = {}
    for ax in axes[0]:
        handles |= dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    fig.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3)
    return fig, f"Means over the seeds. {'; '.join(told)}."


# No density ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def scores(likelihood, pseudo, odd=()):
    """Σ log p(x_t | others) of whole sentences against their exact log p(x), both in nats a word.

    ``likelihood``: (n,). ``pseudo``: name → (look, values (n,)). ``odd``: (label, log p(x), pseudo) of odd sentences.
    """
    fig, ax = figure(width=8.5, height=4.6)
    for name, (look, values) in pseudo.items():
        ax.scatter(likelihood, values, s=34, label=name, **points(look, filled=look is not BOTH))
    low = min([*likelihood, *(x for _, x, _ in odd)]) - 0.15
    high = max(likelihood) + 0.3
    ax.plot([low, high], [low, high], color=GREY, linewidth=1.4, linestyle=":", label="equal")
    for label, x, y in odd:
        ax.scatter(x, y, s=70, **points(1))
        ax.annotate(f"  {label}", (x, y), fontsize=12, va="center")
    ax.set(
        xlabel="exact log p(x), nats a word",
        ylabel="pseudo-log-likelihood, nats a word",
        xlim=(low, max(likelihood) + 0.4),
    )
    ax.legend(loc="lower right")
    told = "; ".join(f"{name} {np.mean(values):.2f}" for name, (_, values) in pseudo.items())
    strange = "".join(f"; {label}: log p(x) {x:.2f}, pseudo {y:.2f}" for label, x, y in odd)
    caption = (
        f"{len(likelihood)} sentences of the language, nats a word: exact log p(x) {np.mean(likelihood):.2f} on "
        f"average, pseudo-log-likelihood {told}{strange}."
    )
    return fig, signed(caption)


def signed(sentence):
    """A sentence whose negative numbers have a minus, not a hyphen."""
    return re.sub(r"(?<![\w-])-(?=\d)", "−", sentence)


@drawing
def chains(record):
    """The stored walks of ``bert_hmm``: log p(x) and pairs of neighbours after each sweep of Gibbs sampling.

    ``record``: {"language", "bert", "exact"} → {"log p", "distance"}, each a list over the sweeps; the distance is the
    total variation of the pairs of neighbouring words from the language's.
    """
    fig, panels = figure(1, 2, width=10.5, height=4.2)
    told = []
    for ax, key, label in (
        (panels[0], "log p", "exact log p(x), nats a word"),
        (panels[1], "distance", "total variation of the pairs"),
    ):
        for name, who, look in (("exact", "exact conditionals", BOTH), ("bert", "BERT's conditionals", MODEL)):
            ax.plot(record[name][key], marker=look.marker, label=who, **line(look))
        own = record["language"][key][-1]
        ax.axhline(own, color=GREY, linestyle=":", linewidth=2.2, label="the language's own sentences")
        ax.set(xlabel="sweep", ylabel=label)
        first, last = (record["bert"][key][i] for i in (0, -1))
        name = {"log p": "log p(x) a word", "distance": "total variation of the pairs of neighbours"}[key]
        told.append(
            f"{name} {first:.2f}, then {last:.2f} (exact {record['exact'][key][-1]:.2f}, the language {own:.2f})"
        )
    panels[1].set_ylim(0, None)
    fig.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    caption = (
        f"Gibbs sampling from words drawn by frequency, at the beginning and after {len(record['bert']['log p']) - 1} "
        f"sweeps, with BERT's conditionals: {'; '.join(told)}."
    )
    return fig, signed(caption)


@drawing
def excess(record):
    """The stored ``bert_hmm``: nats over the optimum on the same hidden words, by the share of words that are hidden.

    ``record``: its results, with "one blank" and "shares".
    """
    rows = {"one": record["one blank"]} | {f"{float(share):.0%}": row for share, row in record["shares"].items()}
    places = np.arange(len(rows))
    fig, ax = figure(width=8.5, height=4.5)
    for name, key, look in (("frequencies", "frequencies", LOOKS[2]), ("the past, exact", "left", PAST)):
        values = [row[key][0] - row["optimum"][0] if key in row else np.nan for row in rows.values()]
        ax.plot(places, values, marker=look.marker, label=name, **line(look))
    over, error = np.array([row["over"] for row in rows.values()]).T
    ax.errorbar(
        places, over, 2 * error, marker=MODEL.marker, capsize=4, label="BERT, ± 2 standard errors", **line(MODEL)
    )
    ax.set(yscale="log", xlabel="hidden words of a sentence", ylabel="nats a hidden word over the optimum")
    ax.set_xticks(places, rows)
    low = 10.0 ** np.floor(np.log10(over.min()))
    ax.set_ylim(low, 2)
    ticks = [tick for tick in (0.001, 0.01, 0.1, 1.0) if tick >= low]
    ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    fig.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    at = list(rows).index("15%")
    left = rows["15%"]["left"][0] - rows["15%"]["optimum"][0]
    caption = (
        f"With 15% of the words hidden BERT is {over[at]:.3f} nats over the optimum (standard error {error[at]:.3f}), "
        f"the best reader of the past {left:.2f}; over all shares BERT is {over.min():.3f} to {over.max():.3f} over it."
    )
    return fig, caption

"""Lesson 6: what the softmax does with scores, masks, positions, and what trained heads look at."""

import textwrap

import numpy as np
import torch

from course_utils.data.numbers import number_pair
from course_utils.data.translation import BEGIN, END, ENGLISH, KOREAN
from course_utils.figures.style import GREY, INK, LOOKS, bars, drawing, figure, line
from course_utils.figures.transformer import latin
from course_utils.models.attention import attention, recorded
from course_utils.models.transformer import sinusoidal_positions

# Scores and softmax ─────────────────────────────────────────────────────────────────────────────────────────────────

WIDTHS = (2, 4, 8, 16, 32, 64, 128, 256, 512)
KEYS = 10


def score_statistics(d, draws=4000, seed=0):
    """Scores of standard normal queries and keys of width d, as they are and divided by √d.

    Returns (3, 2): rows are their deviation, the mean largest of ten weights, and the mean derivative w (1 − w) of the
    softmax; columns are unscaled and scaled.
    """
    generator = torch.Generator().manual_seed(seed)
    query = torch.randn(draws, 1, d, generator=generator)
    key = torch.randn(draws, KEYS, d, generator=generator)
    scores = (query * key).sum(dim=-1)  # (draws, KEYS)
    rows = []
    for each in (scores, scores / d**0.5):
        weights = each.softmax(dim=-1)
        slope = (weights * (1 - weights)).mean()  # ∂w_s/∂score_s
        rows.append((float(each.std()), float(weights.max(dim=-1).values.mean()), float(slope)))
    return np.array(rows).T


@drawing
def scaling():
    """The scores' deviation, the largest weight and the softmax's derivative against d, without and with √d."""
    values = np.stack([score_statistics(d) for d in WIDTHS], axis=-1)  # (3, 2, widths)
    fig, panels = figure(1, 3, width=11.5, height=4.2)
    names = ("deviation of the scores", f"largest of {KEYS} weights", "derivative w (1 − w)")
    for ax, pair, name in zip(panels, values, names, strict=True):
        for k, label in enumerate(("q · k", "q · k / √d")):
            ax.plot(WIDTHS, pair[k], marker=LOOKS[1 - k].marker, label=label, **line(1 - k))
        ax.set(xscale="log", xlabel="width d", title=name)
        ax.set_xticks([2, 8, 32, 128, 512], ["2", "8", "32", "128", "512"])
        ax.minorticks_off()
    panels[0].set_yscale("log")
    panels[0].set_yticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    panels[0].minorticks_off()
    panels[1].set_ylim(0, 1.02)
    panels[2].set_ylim(0, None)
    fig.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    wide = WIDTHS.index(512)
    caption = (
        f"Standard normal queries and keys. At width 512 the scores q · k have deviation {values[0, 0, wide]:.1f}, the "
        f"largest of {KEYS} weights is {values[1, 0, wide]:.2f} on average and the softmax's derivative "
        f"{values[2, 0, wide]:.3f}; divided by √d, deviation {values[0, 1, wide]:.1f}, largest weight "
        f"{values[1, 1, wide]:.2f}, derivative {values[2, 1, wide]:.3f}."
    )
    return fig, caption


SCORES = np.array([2.0, 1.2, 0.5, 0.0, -0.6, -1.5])


@drawing
def temperature(tau=1.0, first=2.0):
    """softmax(scores / τ) of six scores, the first of which can be moved."""
    scores = SCORES.copy()
    scores[0] = first
    log_w = scores / tau - np.logaddexp.reduce(scores / tau)
    weights = np.exp(log_w)
    entropy = -np.sum(weights * log_w)
    fig, (left, right) = figure(1, 2, width=9.5, height=3.9)
    places = np.arange(1, len(scores) + 1)
    left.bar(places, scores, width=0.7, **bars(0))
    left.axhline(0, color=INK, linewidth=1)
    left.set(title="scores", xlabel="key", ylabel="score", ylim=(-3.2, 6.2), xticks=places)
    right.bar(places, weights, width=0.7, **bars(1))
    for x, w in zip(places, weights, strict=True):
        right.text(x, w + 0.015, f"{w:.2f}", ha="center", va="bottom", fontsize=12)
    right.set(title=f"softmax(scores / τ), τ = {tau:.2f}", xlabel="key", ylabel="weight", ylim=(0, 1.09), xticks=places)
    caption = (
        f"Six scores and their softmax at temperature {tau:.2f}: the largest weight is {weights.max():.2f}, the "
        f"entropy {entropy:.2f} nats of at most log 6 = {np.log(6):.2f}."
    )
    return fig, caption


# Masks ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def masks(cases, seed=0):
    """The weights of one attention under several masks.

    ``cases``: name → mask (T, S) of bool, True = may attend. Hidden places are crossed.
    """
    fig, panels = figure(1, len(cases), width=3.4 * len(cases), height=3.9)
    told = []
    for ax, (name, mask) in zip(np.atleast_1d(panels), cases.items(), strict=True):
        queries, keys = mask.shape
        generator = torch.Generator().manual_seed(seed)  # the same scores under each mask
        query, key = (torch.randn(n, 16, generator=generator) for n in (queries, keys))
        weights = attention(query, key, key, mask)[1].numpy()
        _heat(ax, weights)
        for t, s in np.argwhere(~mask.numpy()):
            ax.text(s, t, "×", ha="center", va="center", fontsize=14, color=LOOKS[1].color)
        ax.set(title=name, xlabel="key s", xticks=range(keys), yticks=range(queries))
        ax.set_xticklabels(range(1, keys + 1))
        ax.set_yticklabels(range(1, queries + 1))
        told.append(f"{name}, {int(mask.sum())} of {mask.numel()} pairs allowed")
    np.atleast_1d(panels)[0].set_ylabel("query t")
    caption = (
        f"Weights under {len(cases)} masks, dark is large, × is hidden: {'; '.join(told)}. Every row that may attend "
        f"to anything sums to one."
    )
    return fig, caption


def _heat(ax, values, high=1.0):
    ax.imshow(values, cmap="gray_r", vmin=0, vmax=high)
    ax.spines[:].set_visible(True)


# Positions ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def positions(position=6, shift=5, pair=3, d=32, length=60):
    """Sinusoidal positions: the table, one pair as a point on a circle that a shift turns, and all dot products.

    ``position`` p, ``shift`` k, ``pair`` i from 1 to d/2; the pair's angle at p is p · 10000^(−2(i−1)/d).
    """
    table = sinusoidal_positions(torch.arange(length), d).numpy()  # (length, d)
    rate = 10_000.0 ** (-2 * (pair - 1) / d)
    here, there = position * rate, (position + shift) * rate
    fig, (left, middle, right) = figure(1, 3, width=11.5, height=4.3, width_ratios=(1.25, 1, 1.2))
    left.imshow(table, cmap="cividis", aspect="auto", vmin=-1, vmax=1)
    left.axvspan(2 * pair - 2.5, 2 * pair - 0.5, edgecolor=LOOKS[1].color, facecolor="none", linewidth=2.4)
    for p in (position, position + shift):
        left.plot([-0.5, d - 0.5], [p, p], "-", color="white", linewidth=1.6)
    left.set(xlabel=f"entry, 1 to {d}", ylabel="position p", title="the table", xticks=[0, 7, 15, 23, 31])
    left.set_xticklabels([1, 8, 16, 24, 32])
    angle = np.linspace(0, 2 * np.pi, 200)
    middle.plot(np.cos(angle), np.sin(angle), color=GREY, linewidth=1)
    for value, name, k in ((here, "p", 0), (there, "p + k", 1)):
        middle.plot([0, np.cos(value)], [0, np.sin(value)], **line(k))
        middle.scatter(
            np.cos(value), np.sin(value), s=80, c=LOOKS[k].color, marker=LOOKS[k].marker, zorder=3, label=name
        )
    middle.set(aspect="equal", xlim=(-1.25, 1.25), ylim=(-1.25, 1.25), xlabel="cos", ylabel="sin", title=f"pair {pair}")
    products = table @ table[position] / (d / 2)
    right.plot(np.arange(length), products, **line(0))
    right.axvline(position, color=GREY, linewidth=1.2)
    right.scatter(
        position + shift, products[position + shift], s=80, c=LOOKS[1].color, marker=LOOKS[1].marker, zorder=3
    )
    right.set(xlabel="position", ylabel="cosine to position p", title="how alike two positions are", ylim=(-0.1, 1.05))
    fig.legend(*middle.get_legend_handles_labels(), loc="outside lower center", ncols=2, handletextpad=0.2)
    told = np.degrees(shift * rate)
    caption = (
        f"A shift by {shift} turns pair {pair} by {told:.1f}°, from any position, here from {position} to "
        f"{position + shift}; the cosine between the two whole vectors is {products[position + shift]:.2f}. "
        f"In the table yellow is 1 and dark blue −1; pairs are counted from 1."
    )
    return fig, caption


# What trained heads look at ─────────────────────────────────────────────────────────────────────────────────────────

MOST_TOKENS = 64  # of a sentence whose maps are drawn
WHICH = {"encoder": "encoder.{}.attention", "decoder": "decoder.{}.attention", "cross": "decoder.{}.cross"}


def written_maps(model, korean):
    """A greedy translation and the weights of every head that made it.

    Returns (source, target, maps): tokens read, tokens written without BEGIN, and name → (H, T, S) of array.

    Raises ValueError for text that is no Korean number, or where there is too much to draw.
    """
    source, tokens = read_korean(korean), greedy(model, korean)
    if max(len(source), len(tokens)) > MOST_TOKENS:
        raise ValueError(
            f"at most {MOST_TOKENS} tokens can be drawn, got {len(source)} in Korean and {len(tokens)} in English"
        )
    with torch.no_grad(), recorded(model) as maps:
        model(torch.tensor([source]), torch.tensor([[BEGIN, *tokens[:-1]]]))
    found = {name: weights[0].numpy() for name, weights in maps.items()}
    return [KOREAN.tokens[i] for i in source], [ENGLISH.tokens[i] for i in tokens], found


def greedy(model, korean):
    """The greedy translation of a Korean text: ids, with END where it has come to an end."""
    tokens = model.translate(torch.tensor([read_korean(korean)])).tokens[0].tolist()
    return tokens[: tokens.index(END) + 1] if END in tokens else tokens


def read_korean(korean):
    """Korean number words → ids; digits are spelt out first. Raises ValueError where there is no number."""
    text = ", ".join(number_pair(int(part)).korean if part.strip().isdecimal() else part for part in korean.split(","))
    source = KOREAN.encode(text)
    if not source:
        raise ValueError("type a number in Korean, such as 삼백이십일, or in digits")
    return source


@drawing
def attention_map(model, korean, which="cross", layer=1, head=1):
    """One head's weights over a sentence: queries down, keys across.

    ``which``: "encoder", "decoder" (self-attention) or "cross"; ``layer`` and ``head`` count from 1.
    """
    source, target, maps = written_maps(model, korean)
    weights = maps[WHICH[which].format(layer - 1)][head - 1]  # (T, S)
    rows = latin(source) if which == "encoder" else ["[BEGIN]", *target[:-1]]
    columns = ["[BEGIN]", *target[:-1]] if which == "decoder" else latin(source)
    height = min(max(3.0, 0.19 * len(rows) + 1.6), 4.4)  # so that a projector shows it with its controls
    fig, ax = figure(width=max(5.2, 0.36 * len(columns) + 3.2), height=height)
    _heat(ax, weights)
    size = max(6, min(10, 180 // max(len(rows), len(columns))))
    ax.set_xticks(range(len(columns)), columns, rotation=90, fontsize=size)
    asks = [f"{row}  → {word}" for row, word in zip(rows, target, strict=True)] if which == "cross" else rows
    ax.set_yticks(range(len(rows)), asks, fontsize=size)
    names = {"encoder": "encoder self-attention", "decoder": "decoder self-attention", "cross": "cross-attention"}
    ax.set_title(f"{names[which]}, layer {layer}, head {head}")
    ax.set_xlabel("attends to (key)")
    ax.set_ylabel("token (query)" if which != "cross" else "last token → next token")
    told = ", ".join(f'"{row}" to "{columns[int(w.argmax())]}"' for row, w in list(zip(rows, weights, strict=True))[:4])
    caption = (
        f"{names[which].capitalize()}, layer {layer}, head {head}, while {' '.join(latin(source, numbers=False))} "
        f'became "{english(target)}". The first rows look most at: {told}.'
    )
    return fig, caption


@drawing
def all_heads(model, korean, which="cross"):
    """Every layer and head of one kind of attention, for one sentence, in small."""
    source, target, maps = written_maps(model, korean)
    layers = [maps[WHICH[which].format(i)] for i in range(model.config.layers)]
    heads = len(layers[0])
    rows, columns = layers[0].shape[1:]
    fig, axes = figure(len(layers), heads, width=11, height=0.5 + 2.2 * len(layers), squeeze=False)
    for i, (row, weights) in enumerate(zip(axes, layers, strict=True)):
        for h, ax in enumerate(row):
            _heat(ax, weights[h])
            ax.set_title(f"layer {i + 1}, head {h + 1}", fontsize=12)
            ax.set_xticks(
                range(columns), latin(source, numbers=False) if i == len(layers) - 1 else [], rotation=90, fontsize=10
            )
            labels = target if which == "cross" else latin(source, numbers=False)
            ax.set_yticks(range(rows), labels if h == 0 else [], fontsize=10)
    focus = [[float(w.max(axis=-1).mean()) for w in weights] for weights in layers]
    told = "; ".join(f"layer {i + 1}: " + ", ".join(f"{f:.2f}" for f in one) for i, one in enumerate(focus))
    caption = (
        f'All heads over one sentence, {" ".join(latin(source, numbers=False))} to "{english(target)}"; rows are the '
        f"{'words written' if which == 'cross' else 'queries'}, columns the source. Mean largest weight of a row, head "
        f"by head: {told}."
    )
    return fig, caption


def english(tokens):
    """English tokens, an end token perhaps among them, as a text."""
    ids = [ENGLISH.tokens.index(token) for token in tokens]
    return ENGLISH.decode(ids)


# Decoding, step by step ─────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def translated(model, korean):
    """The greedy translation of what the reader typed, with the probability of each token."""
    tokens = greedy(model, korean)
    source = torch.tensor([read_korean(korean)])
    with torch.no_grad():
        log_p = model(source, torch.tensor([[BEGIN, *tokens[:-1]]])).log_softmax(dim=-1)[0].numpy()
    chosen = np.exp(log_p[np.arange(len(tokens)), tokens])
    shown = min(len(tokens), MOST_TOKENS)
    names = [ENGLISH.tokens[i] for i in tokens]
    fig, ax = figure(width=11, height=3.6)
    ax.bar(range(shown), chosen[:shown], width=0.7, **bars(0))
    ax.set_xticks(range(shown), names[:shown], rotation=90, fontsize=12 if shown <= 36 else 9)
    ax.set(ylim=(0, 1.05), xlim=(-0.6, shown - 0.4), ylabel="p of each token")
    words = " ".join(latin([KOREAN.tokens[i] for i in source[0]], numbers=False))
    text = ENGLISH.decode(tokens)
    ax.set_title(textwrap.fill(text, 100, max_lines=3), fontsize=13)
    worst = int(chosen.argmin())
    caption = (
        f"{words} → {text}. The least sure of its {len(tokens)} tokens is number {worst + 1}, "
        f'"{names[worst]}", with probability {certainty(chosen[worst])}; the whole sentence has '
        f"{certainty(chosen.prod(dtype=float))}."
    )
    return fig, caption


def next_probabilities(model, korean, written):
    """p(next token | source, ``written``), (V,): ``written`` are ids after BEGIN."""
    source = torch.tensor([read_korean(korean)])
    with torch.no_grad():
        logits = model(source, torch.tensor([[BEGIN, *written]]))[0, -1]
    return logits.softmax(dim=-1).numpy()


def small(value):
    """A small number, as 2·10⁻⁴."""
    digit, exponent = f"{value:.0e}".split("e")
    return f"{digit}·10{str(int(exponent)).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}"


def certainty(p):
    """A probability as 0.87; "1.00" would say less than there is to say."""
    return f"{p:.2f}" if p < 0.99 else "more than 0.99"


@drawing
def decoding_step(model, korean, step=1, top=6):
    """The greedy translation up to a step, and the most probable next tokens there."""
    tokens = greedy(model, korean)
    step = min(step, len(tokens))
    before = tokens[: step - 1]
    p = next_probabilities(model, korean, before)
    best = np.argsort(-p, kind="stable")[:top]
    fig, ax = figure(width=8.5, height=3.9)
    names = [ENGLISH.tokens[i] for i in best]
    ax.barh(range(top), p[best], height=0.66, **bars(0))
    for i, value in enumerate(p[best]):
        ax.text(value * 1.4, i, f"{value:.3f}" if value >= 0.001 else small(value), va="center", fontsize=12)
    ax.set_yticks(range(top), names)
    ax.invert_yaxis()
    words = " ".join(ENGLISH.tokens[i] for i in before[-7:])
    least = max(p[best].min(), 1e-30) / 10  # so that the shortest bar is seen, too
    ax.set(xscale="log", xlim=(least, least**-0.15), xlabel="p(next token | source, words so far), logarithmic")
    ax.set_xticks([tick for tick in ax.get_xticks() if least <= tick <= 1])
    ax.minorticks_off()
    ax.set_title(f"step {step}: [BEGIN] {'… ' if len(before) > 7 else ''}{words}", fontsize=13)
    caption = (
        f'Step {step} of {len(tokens)}: after "{ENGLISH.decode(before) or "[BEGIN]"}" the most probable next token is '
        f'"{names[0]}", with probability {certainty(p[best[0]])}.'
    )
    return fig, caption

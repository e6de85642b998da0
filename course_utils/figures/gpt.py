"""Lesson 8: what a GPT is asked, its stack, its first loss, the next word, a blank, and what a token is drawn from."""

import numpy as np
import torch
from matplotlib.patches import Rectangle

from course_utils.figures.boxes import arrow, box
from course_utils.figures.style import GREY, INK, LOOKS, OPTIMUM, PAPER, bars, drawing, figure, line
from course_utils.models.decoding import next_token_probabilities, penalise_repetition

PAST, MODEL, BOTH, BERT = OPTIMUM, LOOKS[0], LOOKS[2], LOOKS[3]  # exact from the past, GPT, exact from both sides, BERT
OTHER = LOOKS[1]
WORDS = tuple("abcdefghijklmnopqrstuvwxyz")  # names of the hidden Markov language's words in figures


def spelt(words):
    """Words of the hidden Markov language as letters."""
    return [WORDS[int(w)] for w in words]


def visible(character):
    """A character as figures and prints name it: a blank and the end of a line can be seen."""
    return {" ": "␣", "\n": "↵"}.get(character, character)


# What is asked ──────────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def shifted(words):
    """T questions in one pass: the input, each token's successor, and what each may look at.

    ``words``: sequence of T + 1 str.
    """
    inputs, targets = list(words[:-1]), list(words[1:])
    n = len(inputs)
    fig, ax = figure(width=11, height=0.55 * n + 1.5)
    ax.set_axis_off()
    ax.set(xlim=(-3.4, n + 4.6), ylim=(n + 0.2, -1.9), aspect="auto")
    for t in range(n):
        for s in range(n):
            allowed = s <= t
            face = MODEL.color if s == t else "#9CC7E2" if allowed else PAPER
            ax.add_patch(Rectangle((s - 0.46, t - 0.42), 0.92, 0.84, facecolor=face, edgecolor="#BBBBBB"))
            if not allowed:
                ax.text(s, t, "−∞", ha="center", va="center", fontsize=11, color=GREY)
        ax.text(-0.75, t, inputs[t], ha="right", va="center", fontsize=13)
        ax.text(t, -0.65, inputs[t], ha="left", va="bottom", fontsize=12, rotation=35, rotation_mode="anchor")
        ax.annotate("", (n + 0.7, t), (n - 0.3, t), arrowprops={"arrowstyle": "-|>", "color": INK})
        ax.text(n + 0.9, t, targets[t], ha="left", va="center", fontsize=13, weight="bold", color=OTHER.color)
    ax.text(-0.75, -0.75, "query", ha="right", va="center", fontsize=12, color=GREY)
    ax.text(n + 0.9, -0.75, "asked for", ha="left", va="center", fontsize=12, color=GREY)
    caption = (
        f"{n} tokens in, {n} questions in one pass: after {inputs[0]} comes {targets[0]}, and so on to {targets[-1]}. "
        f"Row t is a query; the filled cells are the keys that it may attend to, itself and those before: "
        f"{n * (n + 1) // 2} of {n * n}."
    )
    return fig, caption


@drawing
def stack(config):
    """GPT: the embedding, the blocks under a causal mask, and the head, with their names in the code."""
    fig, ax = figure(width=11, height=4.9)
    ax.set_axis_off()
    ax.set(xlim=(0, 112), ylim=(0, 52))
    places = np.linspace(15, 81, 6)
    tokens = ("BEGIN", "c", "i", "r", "c", "u", "r")
    for i, x in enumerate(places):
        box(ax, x, 4.5, 9.4, 5, tokens[i], edge=GREY, face=PAPER)
        for bottom, top in ((7, 10), (16, 19), (31, 34), (40, 43)):
            arrow(ax, (x, bottom), (x, top), linewidth=1.4)
        for key in places[: i + 1]:  # what the mask lets through
            arrow(ax, (key, 19.4), (x, 30.6), color="#9BB4C8", linewidth=0.9)
        box(ax, x, 45.7, 9.4, 5, f"{tokens[i + 1]}?", edge=OTHER.color, face=PAPER)
    adds = " + positions" if config.positions == "learned" else ", positions turn queries and keys"
    box(ax, 48, 13, 80, 6, f"embedding(tokens){adds}", face="#F6E3EC", size=13)
    box(ax, 48, 25, 80, 12, face="none")
    words = f"{config.layers} × Block: causal self-attention, MLP"
    ax.text(48, 25, words, ha="center", va="center", fontsize=13, bbox={"facecolor": "#E3EEF9", "edgecolor": "none"})
    box(ax, 48, 37, 80, 6, f"norm, head{' = embedding transposed' if config.tied else ''}", face="#EAF4EC", size=13)
    for y, words in ((4.5, "(B, T)"), (13, "(B, T, d)"), (25, "(B, T, d)"), (45.7, "(B, T, V) logits")):
        ax.text(90, y, words, ha="left", va="center", fontsize=12)
    tied = "the same table as the embedding" if config.tied else "a matrix of its own"
    caption = (
        f"GPT with {config.layers} blocks of width {config.d} and {config.heads} heads: each token's vector sees its "
        f"own and the earlier ones, and the head, {tied}, asks each of them for the token that follows."
    )
    return fig, caption


@drawing
def beginning(spreads, losses, log_v, d):
    """The loss before the first step against the standard deviation of the head's matrix.

    ``losses``: name → nats at each of ``spreads``. ``log_v``: ln V. ``d``: the width, for the line ln V + d σ²/2.
    """
    fig, ax = figure(width=8.5, height=4)
    grid = np.geomspace(min(spreads), max(spreads), 200)
    ax.plot(grid, log_v + d * grid**2 / 2, label=r"$\ln V + d\,\sigma^2/2$", **line(MODEL))
    ax.axhline(log_v, label=rf"$\ln V$ = {log_v:.2f}", **line(OPTIMUM))
    for (name, values), look in zip(losses.items(), (MODEL, OTHER), strict=False):
        ax.scatter(spreads, values, s=60, color=look.color, marker=look.marker, zorder=3, label=name)
    ax.set(xscale="log", xlabel="σ, standard deviation of the head's numbers", ylabel="first loss, nats a token")
    ax.set_xticks(spreads, [f"{one:g}" for one in spreads])
    ax.minorticks_off()
    ax.legend(loc="upper left")
    told = "; ".join(
        f"{name} " + ", ".join(f"{loss:.1f} at {one:g}" for one, loss in zip(spreads, values, strict=True))
        for name, values in losses.items()
    )
    return fig, f"The loss before the first step by σ, in nats a token: {told}. ln V is {log_v:.2f}."


# The hidden Markov language ─────────────────────────────────────────────────────────────────────────────────────────


@drawing
def next_word(language, sentences, predict, *, sentence=1, position=20, top=8):
    """The next word's distribution: exact, and a GPT's.

    ``sentences``: (n, T) of words. ``predict``: words (1, T) → log p of each place's word given those before (1, T, V).
    ``sentence`` and ``position`` count from 1.
    """
    x, t = np.asarray(sentences)[sentence - 1 : sentence], position - 1
    exact, found = np.exp(language.log_past(x)[0, t]), np.exp(predict(x)[0, t])
    order = np.argsort(-exact, kind="stable")[:top]
    fig, ax = figure(width=10, height=4.2)
    for shift, (name, look, p) in zip((-0.2, 0.2), (("exact", PAST, exact), ("GPT", MODEL, found)), strict=True):
        ax.bar(np.arange(top) + shift, p[order], width=0.38, label=name, **bars(look))
    true = spelt(x[0, t : t + 1])[0]
    ax.set_xticks(range(top), [f"{name}\n(came)" if name == true else name for name in spelt(order)])
    ax.set(ylim=(0, _high(exact, found)), ylabel="p(next word)")
    ax.set_title(" ".join([*spelt(x[0, max(t - 16, 0) : t]), "▁"]))
    ax.legend(loc="upper right")
    caption = (
        f'Sentence {sentence}, word {position}: "{true}" came. Its probability given the words before, exactly '
        f"{exact[x[0, t]]:.2f}, by GPT {found[x[0, t]]:.2f}; the exact entropy is {_entropy(exact):.2f} nats."
    )
    return fig, caption


@drawing
def blank(rows, x, t, top=7):
    """One blank, and what each way of filling it gives the likeliest words.

    ``rows``: name → (look, p (V,)); the words are those that the first and the last one together find likeliest.
    ``x``: (T,) of words. ``t``: index of the blank.
    """
    names, distributions = list(rows), [p for _, p in rows.values()]
    order = np.argsort(-(distributions[0] + distributions[-1]), kind="stable")[:top]
    width = 0.84 / len(names)
    fig, ax = figure(width=11, height=4.3)
    for k, (name, (look, p)) in enumerate(rows.items()):
        at = np.arange(top) + (k - (len(names) - 1) / 2) * width
        ax.bar(at, p[order], width=width, label=name, **bars(look))
    true, near = spelt(x[t : t + 1])[0], spelt(x)
    ax.set_xticks(range(top), [f"{name}\n(stood there)" if name == true else name for name in spelt(order)])
    around = " ".join([*near[max(t - 8, 0) : t], "▁", *near[t + 1 : t + 9]])
    ax.set(ylim=(0, _high(*distributions)), ylabel="p(word)", title=f"… {around} …")
    ax.legend(loc="upper right")
    told = ", ".join(f"{name} {p[x[t]]:.2f}" for name, (_, p) in rows.items())
    return fig, f'The blank in … {around} …, where "{true}" stood. Its probability, by who fills it: {told}.'


# Decoding ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def decoding(
    model, alphabet, prompt, *, temperature=1.0, top_k=0, top_p=1.0, repetition_penalty=1.0, top=14
):  # fmt: skip
    """What the next character is drawn from: the model's distribution, and what the settings make of it.

    ``top_k`` 0 cuts nothing. The penalty is on every character that the prompt has.
    """
    if not prompt:
        raise ValueError("prompt must have a character at least; got ''")
    tokens = alphabet.encode(prompt)[None, -model.config.length :]
    with torch.no_grad():
        logits = model(tokens)[:, -1]
    before = logits.softmax(dim=-1)[0].numpy()
    changed = penalise_repetition(logits, tokens, repetition_penalty)
    after = next_token_probabilities(changed, temperature, top_k or None, top_p)[0].numpy()
    order = np.argsort(-before, kind="stable")[:top]
    names = [visible(alphabet.characters[i]) for i in order]
    fig, ax = figure(width=10.5, height=4.2)
    ax.bar(np.arange(top) - 0.2, before[order], width=0.4, label="the model's", **bars(LOOKS[4]))
    settings = f"temperature {temperature:g}, top-k {top_k or 'off'}, top-p {top_p:g}"
    label = f"drawn from: penalty {repetition_penalty:g},\n{settings}"
    ax.bar(np.arange(top) + 0.2, after[order], width=0.4, label=label, **bars(MODEL))
    for i, one in enumerate(after[order]):
        if one == 0:
            ax.text(i + 0.2, 0, "×", ha="center", va="bottom", fontsize=13, color=OTHER.color, weight="bold")
    last = "".join(visible(character) for character in prompt[-42:])
    ax.set_xticks(range(top), names, fontsize=14)
    ax.set(ylim=(0, _high(before, after)), ylabel="p(next character)", title=f"…{last}▁")
    ax.legend(loc="upper right")
    left = int(np.count_nonzero(after))
    caption = (
        f'After "{last}": the likeliest character is {names[0]} with {before[order[0]]:.2f}; with penalty '
        f"{repetition_penalty:g}, {settings} it has "
        f"{after[order[0]]:.2f}, {left} of {len(after)} characters remain, and the entropy goes from "
        f"{_entropy(before):.2f} to {_entropy(after):.2f} nats."
    )
    return fig, caption


# Pieces ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _entropy(p):
    positive = p[p > 0].astype(np.float64)
    return float(-(positive * np.log(positive)).sum()) + 0.0  # no −0.00


def _high(*distributions):
    """Where the axis of probabilities ends: low bars are to be seen, too."""
    return min(1.05, 1.3 * max(p.max() for p in distributions))

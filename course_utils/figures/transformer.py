"""Lesson 6, drawn by hand: encoder and decoder, the one vector between them, and every part of the Transformer."""

import numpy as np
import torch
from matplotlib.patches import Ellipse

from course_utils.figures.boxes import arrow, box
from course_utils.figures.style import GREY, INK, LOOKS, between, drawing, figure
from course_utils.models.attention import attention

ENCODER, DECODER, BOTTLENECK = LOOKS[0], LOOKS[2], LOOKS[1]
FILL = {"attention": "#FDE9D9", "mlp": "#E3EEF9", "norm": "#FFF9D9", "embedding": "#F6E3EC", "head": "#E2F1EA"}

# Korean number words in Latin letters (Revised Romanization) and as numbers: a bare system has no font for Hangul.
LATIN = {
    "영": "yeong 0",
    "일": "il 1",
    "이": "i 2",
    "삼": "sam 3",
    "사": "sa 4",
    "오": "o 5",
    "육": "yuk 6",
    "칠": "chil 7",
    "팔": "pal 8",
    "구": "gu 9",
    "십": "sip 10",
    "백": "baek 100",
    "천": "cheon 1000",
    "만": "man 10000",
}


def latin(tokens, *, numbers=True):
    """Tokens as figures show them: Korean ones in Latin letters, by default with their number; others as they are."""
    shown = [LATIN.get(token, token) for token in tokens]
    return shown if numbers else [token.split()[0] for token in shown]


# Encoder and decoder ────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def ovals(source, target):
    """The slides' two ovals, with one sentence going through them.

    ``source``, ``target``: sequences of tokens; the target without its end.
    """
    source = latin(source)
    fig, ax = _field(11, 3.4, 110, 38)
    ax.set_ylim(8, 38)
    for x, name, what, look in (
        (33, "ENCODER", "grasps the context\nof the input sentence", ENCODER),
        (77, "DECODER", "predicts the next word well,\ngiven the source and\nthe words so far", DECODER),
    ):
        ax.add_patch(Ellipse((x, 20), 33, 19, facecolor="#E8F1F8", edgecolor=look.color, linewidth=2.2))
        ax.text(x, 24.2, name, ha="center", va="center", fontsize=14, weight="bold")
        ax.text(x, 17.2, what, ha="center", va="center", fontsize=11.5)
    ax.text(5, 20, "\n".join(source), ha="center", va="center", fontsize=12, linespacing=1.35)
    arrow(ax, (10.5, 20), (16.3, 20))
    arrow(ax, (49.7, 20), (60.3, 20))
    ax.text(55, 25.5, "what it\nhas read", ha="center", va="center", fontsize=11.5)
    *before, last = target
    ax.text(77, 35.5, "[BEGIN] " + " ".join(before), ha="center", va="center", fontsize=12, color=GREY)
    arrow(ax, (77, 33.6), (77, 29.9), color=GREY)
    arrow(ax, (93.7, 20), (99.3, 20))
    ax.text(100, 20, f"next:\n{last}", ha="left", va="center", fontsize=12.5, weight="bold")
    caption = (
        f"The encoder reads all {len(source)} source tokens, {' '.join(source)}; the decoder has the encoder's result "
        f"and the words so far, {' '.join(before)}, and is to say that the next is {last}."
    )
    return fig, caption


@drawing
def bottleneck(source, target):
    """Seq2Seq above, Seq2Seq with attention below: what the decoder may look at when it writes its last word."""
    source, target = latin(source, numbers=False), list(target)
    fig, axes = figure(2, 1, width=10, height=5.2)
    titles = ("Seq2Seq: everything must fit into one vector", "with attention: every step looks at all states again")
    left, right = np.linspace(6, 44, len(source)), np.linspace(68, 104, len(target))
    for ax, title in zip(axes, titles, strict=True):
        ax.set_axis_off()
        ax.set(xlim=(0, 110), ylim=(0, 26), title=title)
        for places, words, look in ((left, source, ENCODER), (right, target, DECODER)):
            for i, (x, word) in enumerate(zip(places, words, strict=True)):
                box(ax, x, 12, 5.4, 6, "", edge=look.color)
                ax.text(x, 2, word, ha="center", va="center", fontsize=12)
                arrow(ax, *(((x, 4.2), (x, 9)) if look is ENCODER else ((x, 9), (x, 4.2))))
                if i:
                    arrow(ax, (places[i - 1] + 2.7, 12), (x - 2.7, 12), color=look.color)
        ax.text(3.3, 18 if ax is axes[0] else 19.5, "encoder states", ha="left", fontsize=12, color=ENCODER.color)
        ax.text(65.3, 16.3, "decoder states", ha="left", fontsize=12, color=DECODER.color)
    top, bottom = axes
    arrow(top, (left[-1] + 2.7, 12), (53, 12), color=ENCODER.color)
    box(top, 56, 12, 6, 12, "c", edge=BOTTLENECK.color, face="#FDE9D9", size=15)
    top.text(56, 20.5, "d numbers", ha="center", va="center", fontsize=12, color=BOTTLENECK.color)
    arrow(top, (59, 12), (right[0] - 2.7, 12), color=BOTTLENECK.color)
    for i, x in enumerate(left):
        weight = 3.2 if i == len(left) - 1 else 1.2
        bottom.plot([x, 57], [15, 22.5], "-", color=BOTTLENECK.color, linewidth=weight)
    arrow(bottom, (57, 22.5), (right[-1], 15), color=BOTTLENECK.color, linewidth=2.4)
    bottom.text(58, 23.3, "weighted mean of all states", ha="left", va="bottom", fontsize=12, color=BOTTLENECK.color)
    caption = (
        f"Above, the {len(source)} tokens of the source reach the {len(target)} words of the target through one vector "
        f"c; below, each word looks at all {len(source)} encoder states, with weights of its own (drawn for the last)."
    )
    return fig, caption


# The architecture ───────────────────────────────────────────────────────────────────────────────────────────────────

# (name, class or attribute, kind); from the bottom up, as the paper draws them.
ENCODER_PARTS = (
    ("multi-head self-attention", "block.attention: MultiHeadAttention", "attention"),
    ("add & LayerNorm", "block.attention_norm", "norm"),
    ("MLP, token by token", "block.mlp", "mlp"),
    ("add & LayerNorm", "block.mlp_norm", "norm"),
)
DECODER_PARTS = (
    ("masked multi-head self-attention", "block.attention, causal=True", "attention"),
    ("add & LayerNorm", "block.attention_norm", "norm"),
    ("multi-head cross-attention", "block.cross: MultiHeadAttention", "attention"),
    ("add & LayerNorm", "block.cross_norm", "norm"),
    ("MLP, token by token", "block.mlp", "mlp"),
    ("add & LayerNorm", "block.mlp_norm", "norm"),
)
STEP, HEIGHT, WIDE = 9.2, 6.8, 39  # from part to part; height and width of one


@drawing
def architecture():
    """The slides' figure of the Transformer: every part, with its name in our code below it."""
    fig, ax = _field(11, 5.3, 110, 95)
    ax.set_ylim(-2, 96.5)
    bottom = 25
    columns = ((26, ENCODER_PARTS, ENCODER, "encoder"), (84, DECODER_PARTS, DECODER, "decoder"))
    centres = {}
    for x, parts, look, name in columns:
        embedded = "source" if name == "encoder" else "target, shifted right"
        ax.text(
            x, -0.3, f"{embedded}: (B, {'S' if name == 'encoder' else 'T'})", ha="center", va="center", fontsize=11.5
        )
        _part(ax, x, 7.2, f"{'source' if name == 'encoder' else 'target'} embedding", "nn.Embedding", "embedding")
        arrow(ax, (x, 1.4), (x, 3.8))
        ax.text(x, 14.6, "+  positions: sinusoidal_positions", ha="center", va="center", fontsize=11.5)
        arrow(ax, (x, 10.6), (x, 13))
        heights = [bottom + STEP * i for i in range(len(parts))]
        top = heights[-1] + HEIGHT / 2 + 1.4
        box(
            ax,
            x,
            (bottom - HEIGHT / 2 - 2.6 + top) / 2,
            WIDE + 7,
            top - bottom + HEIGHT / 2 + 2.6,
            "",
            edge=look.color,
            face="white",
        )
        side = {"rotation": 270, "ha": "center", "va": "center", "fontsize": 12.5, "color": look.color}
        ax.text(x + WIDE / 2 + 5.2, (bottom + top) / 2, f"{name}: N times Block", **side)
        arrow(ax, (x, 16.2), (x, bottom - HEIGHT / 2))
        for i, (part, y) in enumerate(zip(parts, heights, strict=True)):
            _part(ax, x, y, *part)
            if i:
                arrow(ax, (x, heights[i - 1] + HEIGHT / 2), (x, y - HEIGHT / 2))
            if part[2] == "norm":  # the residual connection, around the sub-layer below
                _residual(ax, x, heights[i - 1] - HEIGHT / 2 - 1.3, y)
        centres[name] = dict(zip((part[0] for part in parts), heights, strict=True)), top
    memory, cross = centres["encoder"][1], centres["decoder"][0]["multi-head cross-attention"]
    ax.plot([26, 26, 55, 55], [memory, memory + 4, memory + 4, cross], "-", color=INK, linewidth=1.8)
    arrow(ax, (55, cross), (84 - WIDE / 2, cross))
    ax.text(40.5, memory + 8, "memory (B, S, d):\nkeys and values", ha="center", va="center", fontsize=11.5)
    top = centres["decoder"][1]
    _part(ax, 84, top + 5.2, "linear: logits of the next token", "model.head: nn.Linear, (B, T, V)", "head")
    arrow(ax, (84, top), (84, top + 1.8))
    ax.text(84, top + 12.6, "softmax: p(next token | words so far, source)", ha="center", va="center", fontsize=11.5)
    arrow(ax, (84, top + 8.6), (84, top + 10.9))
    note = "post-norm, as the paper draws it;\nour default is pre-norm, x + f(norm(x))"
    ax.text(26, 92, note, ha="center", va="top", fontsize=11.5, color=GREY)
    caption = (
        f"The Transformer: an encoder of N blocks with {len(ENCODER_PARTS)} parts each, a decoder of N blocks with "
        f"{len(DECODER_PARTS)}, embeddings and positions below, the linear map to the logits on top. Below each part "
        f"stands its name in Transformer and Block."
    )
    return fig, caption


def _part(ax, x, y, name, code, kind):
    box(ax, x, y, WIDE, HEIGHT, "", edge=INK, face=FILL[kind])
    ax.text(x, y + 1.5, name, ha="center", va="center", fontsize=11)
    ax.text(x, y - 1.7, code, ha="center", va="center", fontsize=9.5, family="DejaVu Sans Mono", color="#444444")


def _residual(ax, x, low, y):
    """A line that leaves the stream at height low, goes round the sub-layer, and comes in at the norm."""
    side = x - WIDE / 2 - 1.7
    ax.plot([x, side, side], [low, low, y], "-", color=INK, linewidth=1.3)
    arrow(ax, (side, y), (x - WIDE / 2, y), linewidth=1.3)


# Several heads ──────────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def multi_head(x, layer):
    """How one MultiHeadAttention computes, in its own numbers: from x, through each head, to the output.

    ``x``: (T, d) tensor; ``layer``: a MultiHeadAttention. Orange is positive, blue negative; weights are grey.
    """
    length, d = x.shape
    width = d // layer.heads
    with torch.no_grad():
        query, key, value = (part[0] for part in layer.split_heads(layer.project(x[None])))  # (H, T, d/H) each
        output, weights = attention(query, key, value)
        result = layer(x[None])[0]  # (T, d)
    columns = (query, key, value, weights, output)
    names = ("queries Q", "keys K", "values V", "weights", "weighted V")
    ratios = (d, width, width, width, length, width, d)
    fig, axes = figure(layer.heads, 7, width=11.5, height=1.0 + 1.75 * layer.heads, width_ratios=ratios)
    spec = axes[0, 0].get_gridspec()
    for j, matrix, name in ((0, x, "tokens x"), (6, result, "mixed")):
        for ax in axes[:, j]:
            ax.remove()
        ax = fig.add_subplot(spec[:, j])
        _matrix(ax, matrix)
        ax.set_title(name, fontsize=13)
        ax.set_xlabel(f"(T, d) = ({length}, {d})")
    for h, row in enumerate(axes):
        for ax, matrix, name in zip(row[1:6], columns, names, strict=True):
            _matrix(ax, matrix[h], grey=matrix is weights)
            if h == 0:
                ax.set_title(name, fontsize=13)
            rows, wide = matrix[h].shape
            ax.set_xlabel(f"({rows}, {wide})")
        row[1].set_ylabel(f"head {h + 1}")
    most = weights.argmax(dim=-1)
    told = "; ".join(f"head {h + 1} to {', '.join(str(int(s) + 1) for s in most[h])}" for h in range(layer.heads))
    caption = (
        f"{length} tokens of width {d} go through {layer.heads} heads of width {width} at once, each with its own "
        f"queries, keys, values and weights; the heads' outputs are put side by side and mixed by one more linear map. "
        f"The tokens 1 to {length} attend most, {told}."
    )
    return fig, caption


def _matrix(ax, values, *, grey=False):
    values = values.detach().numpy()
    limit = 1.0 if grey else np.abs(values).max()
    ax.imshow(values, cmap="gray_r" if grey else between(0, 1), vmin=0 if grey else -limit, vmax=limit)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(True)


# What has come of it ────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def derived(lesson=6):
    """The derived models of the slides: which half of the Transformer each family keeps.

    ``lesson``: the one that draws it, 6, 7 or 8, is called "this lesson".

    Raises ValueError where ``lesson`` treats none of the families.
    """
    if lesson not in (6, 7, 8):
        raise ValueError(f"lesson must be 6, 7 or 8, which treat the three families; got {lesson!r}.")
    names = {number: "this lesson" if number == lesson else f"lesson {number}" for number in (6, 7, 8)}
    fig, ax = _field(11, 3.9, 110, 46)
    ax.set_ylim(5, 46)
    ax.add_patch(Ellipse((55, 39), 40, 10, facecolor="#F1F1F1", edgecolor=INK, linewidth=1.8))
    ax.text(55, 39, "Transformer (2017)\nencoder and decoder", ha="center", va="center", fontsize=12.5)
    families = (
        (18, "encoder only", "every token sees all others", f"BERT (2018): {names[7]}\nRoBERTa, ELECTRA", ENCODER),
        (55, "encoder and decoder", "reads all, then writes", f"{names[6]}\nBART, T5 (2019)", BOTTLENECK),
        (92, "decoder only", "every token sees those before", f"GPT (2018): {names[8]}\nGPT-2, GPT-3, Llama", DECODER),
    )
    for x, name, sees, models, look in families:
        arrow(ax, (55 + 0.4 * (x - 55), 34 if x == 55 else 35.6), (x, 29))
        box(ax, x, 17, 34, 23, "", edge=look.color)
        ax.text(x, 25, name, ha="center", va="center", fontsize=13, weight="bold", color=look.color)
        ax.text(x, 19.6, sees, ha="center", va="center", fontsize=12)
        ax.text(x, 11.3, models, ha="center", va="center", fontsize=12, linespacing=1.5)
    caption = (
        f"Three families descend from the Transformer: those that keep the encoder only (BERT, {names[7]}), those that "
        f"keep the decoder only (GPT, {names[8]}), and those that keep both, as in {names[6]}."
    )
    return fig, caption


# Pieces ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _field(width, height, units, tall):
    """A figure that is one blank field, ``units`` wide and ``tall`` high."""
    fig, ax = figure(width=width, height=height)
    ax.set_axis_off()
    ax.set(xlim=(0, units), ylim=(0, tall))
    return fig, ax

"""Lesson 7: what BERT reads, what becomes of chosen tokens, and one blank in a language whose answer is known."""

import numpy as np

from course_utils.data.wordpiece import CLS, MASK, SEP, SPECIAL
from course_utils.figures.boxes import arrow, box
from course_utils.figures.style import GREY, INK, LOOKS, OPTIMUM, bars, drawing, figure, line
from course_utils.optima.hmm import at_words

BOTH, PAST, MODEL = OPTIMUM, LOOKS[1], LOOKS[0]  # the looks of: exact from both sides, exact from the past, BERT
SEGMENTS = ("#DCEBF7", "#FBE6D4")  # fills of the first and the second text
SMALL = {"rounding": 0.12, "linewidth": 1.5}  # of boxes in figures whose unit is a word
FATES = {  # what becomes of a token → fill, edge, mark
    "left alone": ("white", "#BBBBBB", ""),
    "[MASK]": ("#222222", INK, ""),
    "random": ("#FBE6D4", LOOKS[1].color, "≠"),
    "stays": ("#DDF1E9", LOOKS[2].color, "="),
}
WORDS = tuple("abcdefghijklmnopqrstuvwxyz")  # names of the hidden Markov language's words in figures
MOST_PIECES = 26  # that are drawn of a pair


@drawing
def two_ways(words, blank):
    """One blank, and what may be used to fill it: the words before it, or all others.

    ``words``: sequence of str. ``blank``: index of the word that is hidden.
    """
    fig, axes = figure(2, 1, width=11, height=5)
    places = np.arange(len(words))
    cases = (
        (axes[0], r"from the past, $p(x_t \mid x_{<t})$: lesson 8", places[:blank], PAST),
        (axes[1], r"from both sides, $p(x_t \mid x_{\backslash t})$: this lesson", places[places != blank], MODEL),
    )
    for ax, title, seen, look in cases:
        ax.set_axis_off()
        ax.set(xlim=(-0.7, len(words) - 0.3), ylim=(-0.5, 2.2), title=title)
        for i, word in enumerate(words):
            hidden = i == blank
            lit = hidden or i in seen
            edge, color = (look.color, INK) if lit else ("#CCCCCC", GREY)
            box(ax, i, 0, 0.88, 0.72, "?" if hidden else word, edge=edge, color=color, size=13, **SMALL)
        for i in seen:
            bend = -0.38 if i < blank else 0.38
            arrow = {"arrowstyle": "-|>", "color": look.color, "linewidth": 1.5, "connectionstyle": f"arc3,rad={bend}"}
            ax.annotate("", (blank, 0.42), (i, 0.42), arrowprops={**arrow, "shrinkA": 0, "shrinkB": 0})
    caption = (
        f'To fill the blank at "{words[blank]}" a model of the past may use the {blank} words before it, '
        f"{' '.join(words[:blank])}; BERT uses all {len(words) - 1} others, also {' '.join(words[blank + 1 :])}."
    )
    return fig, caption


# What BERT reads ────────────────────────────────────────────────────────────────────────────────────────────────────


def pair_of(tokenizer, first, second=""):
    """Texts → ids and segments as BERT reads them, [CLS] A [SEP] B [SEP], or [CLS] A [SEP]: two lists of int."""
    a, b = tokenizer.encode(first).ids, tokenizer.encode(second).ids
    tokens, segments = [CLS, *a, SEP], [0] * (len(a) + 2)
    return ([*tokens, *b, SEP], segments + [1] * (len(b) + 1)) if b else (tokens, segments)


@drawing
def reading(tokenizer, first, second=""):
    """What BERT makes of one or two texts: pieces, segments and positions, whose vectors are added."""
    ids, segments = pair_of(tokenizer, first, second)
    pieces = [tokenizer.id_to_token(i) for i in ids]
    shown = min(len(pieces), MOST_PIECES)
    fig, ax = figure(width=11, height=4.3)
    ax.set_axis_off()
    ax.set(xlim=(-2.6, shown - 0.3), ylim=(-0.6, 6.1))
    small = 12 if shown <= 16 else 10
    for t in range(shown):
        special = pieces[t] in SPECIAL
        face = SEGMENTS[segments[t]]
        box(ax, t, 4.4, 0.88, 3.0, edge=INK if special else GREY, face=face, **SMALL)
        weight = "bold" if special else "normal"
        ax.text(t, 4.4, pieces[t], rotation=90, ha="center", va="center", fontsize=13, weight=weight)
        for y, words in ((1.7, "AB"[segments[t]]), (0.3, str(t))):
            box(ax, t, y, 0.88, 0.8, words, edge=GREY, face=face, size=small + 1, **SMALL)
    for y, words in ((4.4, "pieces"), (2.5, "+"), (1.7, "segments"), (1.0, "+"), (0.3, "positions")):
        ax.text(-0.8, y, words, ha="right", va="center", fontsize=13)
    cut = sum(piece.startswith("##") for piece in pieces)
    unknown = pieces.count("[UNK]")
    caption = (
        f"BERT reads {len(pieces)} pieces, {pieces[0]} {' '.join(pieces[1:8])} …: {cut} of them go on with a word "
        f"(##), {unknown} {'is' if unknown == 1 else 'are'} unknown; {segments.count(0)} are in segment A, "
        f"{segments.count(1)} in B." + (f" Only the first {shown} are drawn." if shown < len(pieces) else "")
    )
    return fig, caption


# Masking ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def fates(tokens, shown, chosen, mask=MASK):
    """The fate of each token, keys of FATES: three (T,) → list. A random token may by chance be the same one."""
    names = []
    for before, after, asked in zip(tokens.tolist(), shown.tolist(), chosen.tolist(), strict=True):
        changed = "[MASK]" if after == mask else "random" if after != before else "stays"
        names.append(changed if asked else "left alone")
    return names


@drawing
def masking(tokenizer, tokens, shown, chosen, columns=9):
    """A text as the model reads it in training, and below each chosen token what it is asked for.

    ``tokens``, ``shown``, ``chosen``: (T,), as data.masking makes them.
    """
    names = fates(tokens, shown, chosen)
    rows = -(-len(names) // columns)
    fig, ax = figure(width=11, height=0.9 + 0.78 * rows)
    ax.set_axis_off()
    ax.set(xlim=(-0.55, columns - 0.45), ylim=(-1.35 * rows - 0.75, 0.55))
    for t, name in enumerate(names):
        x, y = t % columns, -1.35 * (t // columns)
        face, edge, mark = FATES[name]
        piece = tokenizer.id_to_token(int(shown[t]))
        color = "white" if name == "[MASK]" else INK
        box(ax, x, y, 0.94, 0.66, piece, edge=edge, face=face, color=color, size=_fitting(piece), **SMALL)
        if name != "left alone":
            asked = tokenizer.id_to_token(int(tokens[t]))
            ax.text(
                x, y - 0.58, f"{mark} {asked}?".strip(), ha="center", va="center",
                fontsize=_fitting(asked + "  "), color=INK, weight="bold",
            )  # fmt: skip
    for i, (name, (face, edge, mark)) in enumerate(FATES.items()):
        x, y = i * columns / 4, -1.35 * rows - 0.35
        box(ax, x - 0.175, y, 0.45, 0.4, edge=edge, face=face, **SMALL)
        ax.text(x + 0.2, y, f"{name} {mark}", ha="left", va="center", fontsize=12)
    counts = {name: names.count(name) for name in list(FATES)[1:]}
    caption = (
        f"{len(names)} tokens, {sum(counts.values())} of them chosen: {counts['[MASK]']} hidden by [MASK], "
        f"{counts['random']} replaced by a random piece, {counts['stays']} left as they are. Bold below them is what "
        "the model is asked for; at the others it is asked nothing."
    )
    return fig, caption


@drawing
def stack(config):
    """BERT: embeddings, the blocks, and the two heads, with their names in the code."""
    fig, ax = figure(width=11, height=5.2)
    ax.set_axis_off()
    ax.set(xlim=(0, 110), ylim=(0, 54))
    places = np.linspace(14, 82, 7)
    tokens = ("[CLS]", "return", "the", "[MASK]", "[SEP]", "it", "[SEP]")
    for x, token, segment in zip(places, tokens, (0, 0, 0, 0, 0, 1, 1), strict=True):
        box(ax, x, 4.5, 9.4, 5, token, edge=GREY, face=SEGMENTS[segment])
        for bottom, top in ((7, 10), (16, 19), (31, 34)):
            arrow(ax, (x, bottom), (x, top))
    rotary = config.positions == "rotary"
    sum_of = ("embedding(tokens)", *(() if rotary else ("positions",)), "segments(segments)")
    attention = "self-attention without a causal mask" + (",\nqueries and keys turned by position" if rotary else "")
    parts = (
        (13, 6, f"{' + '.join(sum_of)}, embedding_norm", "#F6E3EC"),
        (25, 12, f"{config.layers} × Block: {attention}, MLP", "#E3EEF9"),
    )
    for y, height, words, face in parts:
        box(ax, 48, y, 80, height, words, face=face, size=13)
    for x in places:
        ax.text(x, 36, "h", ha="center", va="center", fontsize=13, style="italic")
    heads = (
        (places[0], 21, "pooler, nsp_head\nis it next?", LOOKS[2]),
        (places[3], 34, "mlm_transform, mlm_head\nwhat stood here?", LOOKS[1]),
    )
    for x, width, words, look in heads:
        arrow(ax, (x, 38), (x, 41))
        box(ax, x, 45, width, 8, words, edge=look.color)
    for y, words in ((4.5, "(B, T)"), (25, "(B, T, d)"), (36, "(B, T, d)"), (45, "(B, 2) and (B, T, V)")):
        ax.text(90, y, words, ha="left", va="center", fontsize=12, color=INK)
    caption = (
        f"BERT with {config.layers} blocks of width {config.d} and {config.heads} heads: the sum of "
        f"{'two' if rotary else 'three'} embeddings goes through the blocks"
        f"{', which learn of positions by turning queries and keys' if rotary else ''}; "
        "next-sentence prediction is read off [CLS], the masked token off its own place."
    )
    return fig, caption


# One blank ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def spelt(words):
    """Words of the hidden Markov language as letters."""
    return [WORDS[int(w)] for w in words]


@drawing
def blank(language, sentences, predict=None, *, sentence=1, position=20, top=7):
    """One blank in a clean context: the exact p from the past and from both sides, and a model's beside them.

    ``sentences``: (n, T) of words. ``predict``: words (1, T) and hidden places (1, T) → log p (1, T, V), or None.
    ``sentence`` and ``position`` count from 1.
    """
    x = np.asarray(sentences)[sentence - 1 : sentence]
    t = position - 1
    hidden = np.arange(x.shape[1])[None] == t
    rows = [
        ("the past, exact", PAST, np.exp(language.log_past(x)[0, t])),
        ("both sides, exact", BOTH, np.exp(language.log_both_sides(x, hidden)[0, t])),
    ]
    if predict is not None:
        rows.append(("both sides, BERT", MODEL, np.exp(predict(x, hidden)[0, t])))
    order = np.argsort(-(rows[1][2] + 1e-3 * rows[0][2]), kind="stable")[:top]
    fig, ax = figure(width=10, height=4.4)
    width = 0.8 / len(rows)
    for k, (name, look, p) in enumerate(rows):
        ax.bar(np.arange(top) + (k - (len(rows) - 1) / 2) * width, p[order], width=width, label=name, **bars(look))
    names = spelt(order)
    true = spelt(x[0, t : t + 1])[0]
    ax.set_xticks(range(top), [f"{name}\n(stood there)" if name == true else name for name in names])
    near = spelt(x[0])
    around = " ".join([*near[max(t - 8, 0) : t], "▁", *near[t + 1 : t + 9]])
    ax.set(ylim=(0, 1.05), ylabel="p(word)", title=f"… {around} …")
    ax.legend(loc="upper right")
    told = ", ".join(f"{name} {p[x[0, t]]:.2f}" for name, _, p in rows)
    caption = f'Sentence {sentence}, word {position}: "{true}" stood there. Its probability, by what is used: {told}.'
    return fig, caption


@drawing
def by_share(shares, curves, points=()):
    """Nats for a hidden word against the share of words that are hidden.

    ``curves``: name → (look, values). ``points``: (name, look, values) of a model at the same shares.
    """
    fig, ax = figure(width=8.5, height=4.4)
    for name, (look, values) in curves.items():
        ax.plot(shares, values, label=name, **line(look))
    for name, look, values in points:
        ax.scatter(shares, values, s=60, color=look.color, marker=look.marker, label=name, zorder=3)
    ax.set(xlabel="share of words that are hidden", ylabel="−log p of a hidden word, nats")
    ax.set_xticks(shares, [f"{share:.0%}" for share in shares], fontsize=11)
    ax.legend(loc="upper left")
    told = [f"{name} {values[0]:.2f} to {values[-1]:.2f}" for name, (_, values) in curves.items()]
    told += [f"{name} {values[0]:.2f} to {values[-1]:.2f}" for name, _, values in points]
    caption = f"Nats for a hidden word, from {shares[0]:.0%} to {shares[-1]:.0%} hidden: {'; '.join(told)}."
    return fig, caption


def scored(log_p, x, hidden):
    """Mean −log p of the hidden words, in nats: (n, T, V), (n, T) of int, (n, T) of bool → float."""
    return float(-at_words(log_p, x)[hidden].mean())


# Pieces ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _fitting(piece):
    return 13 if len(piece) <= 9 else 11 if len(piece) <= 12 else 9

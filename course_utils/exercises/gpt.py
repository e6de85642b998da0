"""Lesson 8: what is asked of a GPT, its mask and loss, perplexity, what a token is drawn from, the cache, a blank."""

import math

import torch
from torch.nn import functional as F

from course_utils.exercises.engine.exercise import Exercise, Mistake, Option, Question

LESSON = (8, "GPT")


def _double(values):
    return torch.tensor(values, dtype=torch.float64)


def _normal(shape, seed, spread=1.0):
    return spread * torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# 1 ── Inputs and successors ─────────────────────────────────────────────────────────────────────────────────────────


def shift(tokens):
    return tokens[:, :-1], tokens[:, 1:]


SHIFT = Exercise(
    name="gpt.shift",
    title="Inputs and their successors",
    difficulty=1,
    minutes=4,
    reference=shift,
    cases=((torch.tensor([[5, 1, 7, 2, 9], [3, 8, 0, 4, 6]]),), (torch.tensor([[2, 4, 6], [1, 3, 5], [9, 8, 7]]),)),
    mistakes=(
        Mistake(
            "the other way round",
            lambda tokens: (tokens[:, 1:], tokens[:, :-1]),
            "Your targets are the tokens *before* the inputs: the model would learn to say what it has just read. Off "
            "by one, in the wrong direction.",
        ),
        Mistake(
            "no shift",
            lambda tokens: (tokens[:, :-1], tokens[:, :-1]),
            "Each token is its own target. The model sees it, so it only has to copy: the loss falls to zero and "
            "nothing is learnt.",
        ),
        Mistake(
            "all tokens twice",
            lambda tokens: (tokens, tokens),
            "Inputs and targets are the same tokens. What follows the last one is not known, and the first one follows "
            "none: each of the two has one token less.",
        ),
        Mistake(
            "rolled",
            lambda tokens: (tokens, tokens.roll(-1, dims=1)),
            "`roll` puts the first token behind the last one: one question of each row has a wrong answer. Leave the "
            "last token out of the inputs.",
        ),
        Mistake(
            "shifted by two",
            lambda tokens: (tokens[:, :-2], tokens[:, 2:]),
            "Your targets are two places ahead. What is asked after a token is the very next one.",
        ),
        Mistake(
            "along the batch",
            lambda tokens: (tokens[:-1], tokens[1:]),
            "You shifted along the batch: the target of a text is another text. Tokens run along axis 1.",
        ),
    ),
    hints=(
        "Which tokens have a successor? Which tokens are one?",
        "All but the last of each row go in; all but the first are asked for.",
        "return tokens[:, :-1], tokens[:, 1:]",
    ),
)


# 2 ── The causal mask ───────────────────────────────────────────────────────────────────────────────────────────────


def mask(queries, keys):
    return torch.ones(queries, keys, dtype=torch.bool).tril(keys - queries)


MASK = Exercise(
    name="gpt.mask",
    title="Who may look at whom",
    difficulty=1,
    minutes=6,
    reference=mask,
    cases=((4, 4), (2, 5), (1, 3)),
    mistakes=(
        Mistake(
            "inverted",
            lambda queries, keys: ~mask(queries, keys),
            "Your mask is inverted: True where the key is hidden. In this course True means *may attend* (as in "
            "`scaled_dot_product_attention`; `nn.MultiheadAttention` has it the other way).",
        ),
        Mistake(
            "the future",
            lambda queries, keys: torch.ones(queries, keys, dtype=torch.bool).triu(keys - queries),
            "Each token sees itself and those *after* it: upper triangular. The past is on the left: lower triangular.",
        ),
        Mistake(
            "not itself",
            lambda queries, keys: torch.ones(queries, keys, dtype=torch.bool).tril(keys - queries - 1),
            "The diagonal is missing. A token may look at itself: what is asked for is the *next* one. (And the first "
            "one would have nothing to look at.)",
        ),
        Mistake(
            "cache forgotten",
            lambda queries, keys: torch.ones(queries, keys, dtype=torch.bool).tril(),
            "Right where there are as many keys as queries. With a cache the queries are the *last* of the keys: the "
            "first query stands at position keys − queries, not at 0, and your newest token cannot see its past.",
        ),
        Mistake(
            "transposed",
            lambda queries, keys: mask(queries, keys).T,
            "Rows and columns are exchanged. Queries are rows, keys are columns: (queries, keys).",
        ),
        Mistake(
            "everything",
            lambda queries, keys: torch.ones(queries, keys, dtype=torch.bool),
            "Everything may be attended to. That is an encoder, which sees the answer to its question.",
        ),
        Mistake(
            "added to the scores",
            lambda queries, keys: torch.zeros(queries, keys).masked_fill(~mask(queries, keys), -torch.inf),
            "That is what is *added to the scores*, 0 and −∞. Asked is the mask itself, of bool.",
        ),
    ),
    hints=(
        "The last query is the last key. At which position does the first query stand?",
        "Query i stands at position keys − queries + i and may attend to keys up to there: a lower triangle, moved.",
        "torch.ones(queries, keys, dtype=torch.bool).tril(keys - queries)",
    ),
)


# 3 ── The loss ──────────────────────────────────────────────────────────────────────────────────────────────────────


def loss(logits, tokens):
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())


def _loss_of(log_p, tokens):
    """−log p of the tokens, (B, T, V) and (B, T)."""
    return -log_p.gather(2, tokens[..., None])[..., 0]


LOSS = Exercise(
    name="gpt.loss",
    title="The loss of a text",
    difficulty=2,
    minutes=8,
    reference=loss,
    cases=(
        (_normal((2, 5, 4), 1, 2.0), torch.tensor([[1, 3, 0, 2, 2], [3, 0, 1, 1, 0]])),
        (_normal((3, 4, 6), 2, 2.0), torch.tensor([[5, 0, 1, 4], [2, 2, 3, 1], [0, 4, 5, 3]])),
    ),
    mistakes=(
        Mistake(
            "no shift",
            lambda logits, tokens: _loss_of(logits.log_softmax(2), tokens).mean(),
            "You asked each place for its own token. The logits at place t are of the token at t + 1: off by one.",
        ),
        Mistake(
            "shifted the wrong way",
            lambda logits, tokens: _loss_of(logits[:, 1:].log_softmax(2), tokens[:, :-1]).mean(),
            "You shifted the wrong way: each place is asked for the token before it.",
        ),
        Mistake(
            "softmax over the positions",
            lambda logits, tokens: _loss_of(logits[:, :-1].log_softmax(1), tokens[:, 1:]).mean(),
            "Your softmax runs over the positions. The probabilities of the *words* sum to one: the last axis.",
        ),
        Mistake(
            "softmax over the batch",
            lambda logits, tokens: _loss_of(logits[:, :-1].log_softmax(0), tokens[:, 1:]).mean(),
            "Your softmax runs over the batch. The probabilities of the *words* sum to one: the last axis.",
        ),
        Mistake(
            "softmax twice",
            lambda logits, tokens: loss(logits.softmax(2), tokens),
            "The softmax was taken twice: `cross_entropy` wants logits and does it itself. With probabilities for "
            "logits the loss stays near ln V whatever the model does.",
        ),
        Mistake(
            "wrong sign",
            lambda logits, tokens: -loss(logits, tokens),
            "The sign is turned: a mean of −log p is not negative.",
        ),
        Mistake(
            "sum",
            lambda logits, tokens: loss(logits, tokens) * tokens[:, 1:].numel(),
            "This is the sum over all tokens. Asked is nats a token: the mean over those that are predicted.",
        ),
        Mistake(
            "sum over the text",
            lambda logits, tokens: loss(logits, tokens) * (tokens.shape[1] - 1),
            "This is a text's −log p(x), summed over its tokens. Divide by the number of tokens that are predicted.",
        ),
        Mistake(
            "divided by all tokens",
            lambda logits, tokens: loss(logits, tokens) * (tokens.shape[1] - 1) / tokens.shape[1],
            "You divided by T. Only T − 1 tokens of a row of T are predicted: the first one follows nothing.",
        ),
        Mistake(
            "bits",
            lambda logits, tokens: loss(logits, tokens) / math.log(2),
            "This is in bits. Asked is nats: the natural logarithm.",
        ),
        Mistake(
            "mean of the probabilities",
            lambda logits, tokens: -_loss_of(logits[:, :-1].log_softmax(2), tokens[:, 1:]).neg().exp().mean().log(),
            "You averaged probabilities and took the logarithm of the mean. The loss is the mean of the logarithms.",
        ),
    ),
    hints=(
        "Which logits are of which token? Those of the last place are of a token that is not here.",
        "logits[:, :-1] are of tokens[:, 1:].",
        "torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())",
    ),
)


# 4 ── Perplexity and bits per byte ──────────────────────────────────────────────────────────────────────────────────


def units(losses, n_bytes):
    every = torch.cat(losses)
    return every.mean().exp(), every.sum() / (n_bytes * math.log(2))


def _units(perplexity=None, bits=None):
    """A wrong answer that differs from the right one in one of its two numbers."""

    def wrong(losses, n_bytes):
        right, given = units(losses, n_bytes), (losses, n_bytes)
        parts = zip(right, (perplexity, bits), strict=True)
        return tuple(part if change is None else change(*given) for part, change in parts)

    return wrong


UNITS = Exercise(
    name="gpt.units",
    title="Perplexity and bits per byte",
    difficulty=2,
    minutes=8,
    reference=units,
    cases=(
        ([_double([1.2, 0.3, 2.5]), _double([0.7, 3.1, 0.2, 1.9, 0.4])], 31),
        ([_double([2.0]), _double([0.1, 0.5]), _double([4.0, 1.0, 0.3, 0.2])], 12),
    ),
    mistakes=(
        Mistake(
            "mean of the texts' perplexities",
            _units(perplexity=lambda losses, n_bytes: torch.stack([one.mean().exp() for one in losses]).mean()),
            "You averaged the perplexities of the texts. Perplexity is exp of the mean: first the mean over all "
            "tokens, then exp.",
        ),
        Mistake(
            "mean of the tokens' perplexities",
            _units(perplexity=lambda losses, n_bytes: torch.cat(losses).exp().mean()),
            "You averaged exp over the tokens. Perplexity is exp of the mean, and exp of a mean is less than the mean "
            "of exp.",
        ),
        Mistake(
            "mean of the texts' means",
            _units(perplexity=lambda losses, n_bytes: torch.stack([one.mean() for one in losses]).mean().exp()),
            "You averaged the texts' means, so that a short text counts as much as a long one. The mean is over "
            "tokens.",
        ),
        Mistake(
            "two to the nats",
            _units(perplexity=lambda losses, n_bytes: 2 ** torch.cat(losses).mean()),
            "2 to the power of *bits* is the perplexity, and the losses are in nats: exp.",
        ),
        Mistake(
            "logarithm to base e",
            _units(bits=lambda losses, n_bytes: torch.cat(losses).sum() / n_bytes),
            "Your second number is in nats a byte, logarithms to base e. One bit is ln 2 nats.",
        ),
        Mistake(
            "multiplied by ln 2",
            _units(bits=lambda losses, n_bytes: torch.cat(losses).sum() * math.log(2) / n_bytes),
            "You multiplied by ln 2. A nat is more than a bit, 1.44 of them, so the number of bits is the larger one.",
        ),
        Mistake(
            "bits a token",
            _units(bits=lambda losses, n_bytes: torch.cat(losses).mean() / math.log(2)),
            "These are bits a token. Divide the bits of the whole text by its bytes, so that models with other tokens "
            "can be compared.",
        ),
        Mistake(
            "mean over the bytes",
            _units(bits=lambda losses, n_bytes: torch.cat(losses).mean() / (n_bytes * math.log(2))),
            "You divided twice: the mean over the tokens, and then by the bytes. It is the *sum* that is divided by "
            "the bytes.",
        ),
    ),
    hints=(
        "torch.cat(losses) has the losses of all tokens. Of which do you need the mean, of which the sum?",
        "Perplexity is exp of the mean over all tokens. The text's length in bits is the sum divided by ln 2.",
        "every = torch.cat(losses); return every.mean().exp(), every.sum() / (n_bytes * math.log(2))",
    ),
)


# 5 ── The repetition penalty ────────────────────────────────────────────────────────────────────────────────────────


def penalty(logits, tokens, factor):
    seen = torch.zeros(len(logits), dtype=torch.bool)
    seen[tokens] = True
    return torch.where(seen, torch.where(logits > 0, logits / factor, logits * factor), logits)


def _each_time(logits, tokens, factor):
    logits = logits.clone()
    for token in tokens:
        logits[token] = logits[token] / factor if logits[token] > 0 else logits[token] * factor
    return logits


def _seen(logits, tokens):
    return torch.zeros(len(logits), dtype=torch.bool).index_fill(0, tokens, True)


PENALTY = Exercise(
    name="gpt.penalty",
    title="A penalty on what was said",
    difficulty=2,
    minutes=7,
    reference=penalty,
    cases=(
        (_double([2.0, -1.5, 0.7, 3.1, -0.4, 1.0]), torch.tensor([3, 1, 3, 0]), 1.3),
        (_double([-0.2, 0.9, -2.0, 1.4]), torch.tensor([2, 2, 2, 3]), 2.0),
    ),
    mistakes=(
        Mistake(
            "all divided",
            lambda logits, tokens, factor: torch.where(_seen(logits, tokens), logits / factor, logits),
            "You divided negative logits as well. Divided by 1.3, −1.5 becomes −1.15: the token has become *likelier*. "
            "Negative ones are multiplied.",
        ),
        Mistake(
            "all multiplied",
            lambda logits, tokens, factor: torch.where(_seen(logits, tokens), logits * factor, logits),
            "You multiplied: a positive logit rises, and the token comes more often. Positive ones are divided.",
        ),
        Mistake(
            "the other way round",
            lambda logits, tokens, factor: torch.where(
                _seen(logits, tokens), torch.where(logits > 0, logits * factor, logits / factor), logits
            ),
            "Both cases are exchanged: you reward repetition. A penalised logit is smaller than before.",
        ),
        Mistake(
            "once for each time",
            _each_time,
            "A token that was there twice was penalised twice. The penalty does not count: it is there or it is not.",
        ),
        Mistake(
            "the unseen ones",
            lambda logits, tokens, factor: torch.where(
                _seen(logits, tokens), logits, torch.where(logits > 0, logits / factor, logits * factor)
            ),
            "You penalised the tokens that were *not* there.",
        ),
        Mistake(
            "subtracted",
            lambda logits, tokens, factor: torch.where(_seen(logits, tokens), logits - factor, logits),
            "You subtracted the penalty. That is another rule, the presence penalty; here 1 must change nothing.",
        ),
        Mistake(
            "everything",
            lambda logits, tokens, factor: torch.where(logits > 0, logits / factor, logits * factor),
            "All tokens were penalised. Only those in `tokens` are.",
        ),
        Mistake(
            "probabilities",
            lambda logits, tokens, factor: penalty(logits, tokens, factor).softmax(dim=0),
            "You returned probabilities. Asked are the logits, before any softmax.",
        ),
    ),
    hints=(
        "What does a division do to a negative logit?",
        "seen = torch.zeros(len(logits), dtype=torch.bool); seen[tokens] = True",
        "torch.where(seen, torch.where(logits > 0, logits / factor, logits * factor), logits)",
    ),
)


# 6 ── Temperature and nucleus ───────────────────────────────────────────────────────────────────────────────────────


def nucleus(logits, temperature, top_p):
    p = (logits / temperature).softmax(dim=-1)
    ordered, order = p.sort(dim=-1, descending=True)
    kept = torch.where(ordered.cumsum(dim=-1) - ordered < top_p, ordered, 0.0)
    kept = kept / kept.sum(dim=-1, keepdim=True)
    return torch.zeros_like(p).scatter(-1, order, kept)


def _nucleus_with(scale=lambda z, t: z / t, keep=None, restore=True, normalise=True, axis=-1, descending=True):
    def wrong(logits, temperature, top_p):
        p = scale(logits, temperature).softmax(dim=axis)
        ordered, order = p.sort(dim=-1, descending=descending)
        rule = keep or (lambda ordered, top_p: ordered.cumsum(dim=-1) - ordered < top_p)
        kept = torch.where(rule(ordered, top_p), ordered, 0.0)
        if normalise:
            kept = kept / kept.sum(dim=-1, keepdim=True)
        return torch.zeros_like(p).scatter(-1, order, kept) if restore else kept

    return wrong


def _warm_after(logits, temperature, top_p):
    cut = nucleus(logits, 1.0, top_p)
    return (cut.log() / temperature).softmax(dim=-1)


NUCLEUS = Exercise(
    name="gpt.nucleus",
    title="Temperature and nucleus",
    difficulty=2,
    minutes=12,
    reference=nucleus,
    cases=(
        (_double([[0.3, 2.1, -1.0, 1.2, 0.9], [1.5, -0.2, 0.8, 2.4, -0.6]]), 0.7, 0.8),
        (_double([[2.0, 1.0, 0.5], [0.1, 0.3, 1.9], [-1.0, 0.4, 0.2]]), 1.6, 0.6),
        (_double([[0.1, 0.0, -0.05, 0.05], [1.0, 0.2, 0.9, 0.5]]), 1.0, 0.9),  # nearly uniform: nothing is cut
    ),
    mistakes=(
        Mistake(
            "multiplied by the temperature",
            _nucleus_with(scale=lambda z, t: z * t),
            "You multiplied the logits by the temperature. They are *divided* by it: below 1 the distribution becomes "
            "sharper.",
        ),
        Mistake(
            "no temperature",
            _nucleus_with(scale=lambda z, t: z),
            "The temperature is not used.",
        ),
        Mistake(
            "without the token that crosses p",
            _nucleus_with(keep=lambda ordered, top_p: ordered.cumsum(-1) <= top_p),
            "You dropped the token that crosses p. The nucleus is the smallest set with *at least* the probability p: "
            "keep a token as long as the likelier ones together have less than p.",
        ),
        Mistake(
            "a threshold for each token",
            _nucleus_with(keep=lambda ordered, top_p: ordered >= 1 - top_p),
            "You compared each token's own probability with 1 − p. Top-p asks for the probability of the likeliest "
            "ones *together*: a cumulative sum.",
        ),
        Mistake(
            "a share of the likeliest",
            _nucleus_with(keep=lambda ordered, top_p: ordered >= top_p * ordered[..., :1]),
            "You kept the tokens that have at least the share p of the likeliest one's probability (a rule that is "
            "known as min-p). Top-p asks for the probability of the likeliest ones *together*.",
        ),
        Mistake(
            "not normalised",
            _nucleus_with(normalise=False),
            "What is left does not sum to one. Divide by its sum.",
        ),
        Mistake(
            "left in sorted order",
            _nucleus_with(restore=False),
            "Your probabilities are in sorted order: the first is that of the likeliest token, not that of token 0. "
            "Put them back: `scatter` with the order that `sort` gives.",
        ),
        Mistake(
            "from the least likely",
            _nucleus_with(descending=False),
            "You summed from the least likely token upwards, so the tail is kept and the likeliest ones may go.",
        ),
        Mistake(
            "softmax over the batch",
            _nucleus_with(axis=0),
            "Your softmax runs over the batch. Each row is a distribution: the last axis.",
        ),
        Mistake(
            "temperature after the cut",
            _warm_after,
            "You cut first and applied the temperature to what was left. Here the temperature comes first: it decides "
            "how many tokens the nucleus has.",
        ),
    ),
    hints=(
        "Temperature, softmax, sort, a cumulative sum. Which tokens have less than p *before* them?",
        "ordered, order = p.sort(dim=-1, descending=True); keep where ordered.cumsum(-1) - ordered < top_p.",
        "torch.zeros_like(p).scatter(-1, order, kept / kept.sum(-1, keepdim=True))",
    ),
)


# 7 ── One step with a cache ─────────────────────────────────────────────────────────────────────────────────────────


def step(token, keys, values, embedding, positions, W_q, W_k, W_v):
    return _step(token, keys, values, embedding, positions, W_q, W_k, W_v)


def _step(
    token, keys, values, embedding, positions, W_q, W_k, W_v, *,
    place=lambda past: past, positioned=True, own=True, scale=True, see=lambda scores: scores,
    join=lambda past, new: (past, new), kept=True, turned=False,
):  # fmt: skip
    x = embedding[token] + positioned * positions[place(len(keys))]  # (d,)
    query, key, value = (x @ (W.T if turned else W) for W in (W_q, W_k, W_v))
    all_keys, all_values = torch.cat(join(keys, key[None])), torch.cat(join(values, value[None]))  # (t + 1, d)
    seen_keys, seen_values = (all_keys, all_values) if own else (keys, values)
    scores = seen_keys @ query / (math.sqrt(len(query)) if scale else 1)
    output = see(scores).softmax(dim=0) @ seen_values
    return (output, all_keys, all_values) if kept else (output, keys, values)


def _step_with(**change):
    def wrong(token, keys, values, embedding, positions, W_q, W_k, W_v):
        return _step(token, keys, values, embedding, positions, W_q, W_k, W_v, **change)

    return wrong


def _only_first(scores):
    """A causal mask of T × T cut to one row: the newest token sees the first key alone."""
    return scores.masked_fill(torch.arange(len(scores)) > 0, -torch.inf)


_TABLES = (_normal((7, 3), 5), _normal((9, 3), 6), *(_normal((3, 3), seed) for seed in (7, 8, 9)))

STEP = Exercise(
    name="gpt.step",
    title="One step with a cache",
    difficulty=3,
    minutes=15,
    reference=step,
    cases=(
        (4, _normal((5, 3), 3), _normal((5, 3), 4), *_TABLES),
        (1, _normal((2, 3), 10), _normal((2, 3), 11), *_TABLES),
    ),
    mistakes=(
        Mistake(
            "position forgotten",
            _step_with(place=lambda past: 0),
            "The position of the newest token was forgotten: you gave it position 0, because it is the only one that "
            "is read. It stands behind all that are in the cache, at position len(keys).",
        ),
        Mistake(
            "no position",
            _step_with(positioned=False),
            "The row of `positions` is not added at all: the token would stand nowhere. It stands at len(keys).",
        ),
        Mistake(
            "position off by one",
            _step_with(place=lambda past: past + 1),
            "The position is off by one. There are len(keys) tokens before it, at 0 … len(keys) − 1.",
        ),
        Mistake(
            "position of the last token",
            _step_with(place=lambda past: past - 1),
            "You gave it the position of the token before. That is taken: the newest one stands at len(keys).",
        ),
        Mistake(
            "does not see itself",
            _step_with(own=False),
            "The newest token attends to the cache alone. It may see itself, too: append its key and value first, then "
            "attend.",
        ),
        Mistake(
            "sees the first token alone",
            _step_with(see=_only_first),
            "A causal mask of one row hides all but the first key. For the newest token nothing is hidden, so no mask "
            "is needed.",
        ),
        Mistake(
            "not scaled",
            _step_with(scale=False),
            "The scores are not divided by √d.",
        ),
        Mistake(
            "put in front",
            _step_with(join=lambda past, new: (new, past)),
            "You put the newest key and value in front. The output is the same, but the cache is in the wrong order.",
        ),
        Mistake(
            "cache not kept",
            _step_with(kept=False),
            "The output is right, but you gave back the old cache. The next token would not know of this one.",
        ),
        Mistake(
            "matrices transposed",
            _step_with(turned=True),
            "The matrices are transposed. A token is a row: x @ W.",
        ),
    ),
    hints=(
        "Position first: how many tokens are in the cache already?",
        "x = embedding[token] + positions[len(keys)]; then its query, key and value; append; attend; no mask.",
        "keys = torch.cat([keys, (x @ W_k)[None]]); weights = (keys @ query / math.sqrt(len(query))).softmax(0)",
    ),
)


# 8 ── A blank, filled from the left ─────────────────────────────────────────────────────────────────────────────────


def fill(log_p, tokens, t, words):
    return _scores(log_p, tokens, t, words).log_softmax(dim=0)


def _scores(log_p, tokens, t, words, places=None):
    """log p of the text with each word at t, or of some of its places: (words,)."""
    texts = tokens.repeat(words, 1)
    texts[:, t] = torch.arange(words)
    each = log_p(texts).gather(2, texts[..., None])[..., 0]  # (words, T)
    return (each if places is None else each[:, places(t)]).sum(dim=1)


def _toy(tokens):
    """log p of each place's word given those before it, (B, T) → (B, T, 5): of their mean, and of the last one."""
    words = F.one_hot(tokens, 5).double()
    before = F.pad(words, (0, 0, 1, 0))[:, :-1]  # (B, T, 5)
    mean = before.cumsum(dim=1) / torch.arange(1, tokens.shape[1] + 1, dtype=torch.float64)[:, None]
    mix = _double([[(3 * i + 2 * j * j + i * j) % 7 / 2 for j in range(5)] for i in range(5)])
    return (before @ mix + mean @ mix.T).log_softmax(dim=-1)


def _shifted_again(log_p, tokens, t, words):
    texts = tokens.repeat(words, 1)
    texts[:, t] = torch.arange(words)
    each = log_p(texts)[:, :-1].gather(2, texts[:, 1:, None])[..., 0]  # (words, T - 1)
    return each.sum(dim=1).log_softmax(dim=0)


def _mean_score(log_p, tokens, t, words):
    return (_scores(log_p, tokens, t, words) / len(tokens)).log_softmax(dim=0)


FILL = Exercise(
    name="gpt.fill",
    title="A blank, filled by a reader of the past",
    difficulty=3,
    minutes=15,
    reference=fill,
    cases=((_toy, torch.tensor([0, 3, 1, 4, 2, 2]), 2, 5), (_toy, torch.tensor([4, 1, 0, 3]), 0, 5)),
    mistakes=(
        Mistake(
            "the past alone",
            lambda log_p, tokens, t, words: log_p(tokens[None])[0, t],
            "This is p(x_t | the words before), one call of the model. The words after t have not been used.",
        ),
        Mistake(
            "not normalised",
            lambda log_p, tokens, t, words: _scores(log_p, tokens, t, words),
            "These are log p of the whole text with each word in turn, a joint probability. Given the rest, the "
            "probabilities of the words at t sum to one: log_softmax over them.",
        ),
        Mistake(
            "the words after alone",
            lambda log_p, tokens, t, words: _scores(log_p, tokens, t, words, lambda t: slice(t + 1, None)).log_softmax(
                dim=0
            ),
            "You left out the factor of the blank itself, p(x_t | x_<t): this is what the words after t say of it, "
            "the likelihood without the prior.",
        ),
        Mistake(
            "one word ahead",
            lambda log_p, tokens, t, words: _scores(log_p, tokens, t, words, lambda t: slice(t, t + 2)).log_softmax(
                dim=0
            ),
            "You stopped one word behind the blank. Every later word depends on it: all factors from t on.",
        ),
        Mistake(
            "shifted once more",
            _shifted_again,
            "You shifted, as for a model's logits. This `log_p` has been shifted: at place t it is of the word at t.",
        ),
        Mistake(
            "mean of the logarithms",
            _mean_score,
            "You took the mean over the words instead of the sum. After the softmax that is a temperature of T: the "
            "distribution is much too flat. log p(x) is a sum.",
        ),
        Mistake(
            "logarithm missing",
            lambda log_p, tokens, t, words: fill(log_p, tokens, t, words).exp(),
            "You returned probabilities. Asked is their logarithm.",
        ),
        Mistake(
            "the word that stands there",
            lambda log_p, tokens, t, words: (
                log_p(tokens[None]).gather(2, tokens[None, :, None])[0, :, 0].sum().repeat(words).log_softmax(dim=0)
            ),
            "Every candidate has the same score: the text was not changed. Put each word at t in turn.",
        ),
    ),
    hints=(
        "p(x_t = v | the rest) ∝ p(the text with v at t). A GPT can say the right side.",
        "texts = tokens.repeat(words, 1); texts[:, t] = torch.arange(words). log p of a text is a sum over its places.",
        "log_p(texts).gather(2, texts[..., None])[..., 0].sum(dim=1).log_softmax(dim=0)",
    ),
)


EXERCISES = (SHIFT, MASK, LOSS, UNITS, PENALTY, NUCLEUS, STEP, FILL)


QUIZ = (
    Question(
        "gpt.nsp",
        "The slide says that GPT is pre-trained with NSP only. What is meant?",
        (
            Option(
                "BERT's next-sentence prediction",
                False,
                "That asks whether one text follows another, yes or no. GPT never sees such a question.",
            ),
            Option(
                "Predicting a sentence at once",
                False,
                "A sentence comes out in the end, but a token at a time, and each token is one question.",
            ),
            Option(
                "Next-token prediction: the distribution of each token given those before it",
                True,
                "Yes, as the slide's own next line says. The abbreviation is BERT's, the task is not.",
            ),
            Option("Filling gaps", False, "That is a masked language model, lesson 7."),
        ),
    ),
    Question(
        "gpt.exact",
        "Why can GPT say p(x) of a whole text exactly, and BERT cannot?",
        (
            Option(
                "Its factors p(x_t | x_<t) are those of the chain rule, whose product is p(x) for any numbers in them",
                True,
                "Yes: each factor is normalised, and no variable is used before it has been predicted.",
            ),
            Option("It has more parameters", False, "The smallest GPT can, and the largest BERT cannot."),
            Option(
                "It was trained by maximum likelihood",
                False,
                "Even an untrained GPT is a distribution over texts: it sums to one, only badly.",
            ),
            Option(
                "It has no masks",
                False,
                "It has one, and it is the mask that makes the factors those of the chain rule.",
            ),
        ),
    ),
    Question(
        "gpt.first_loss",
        "A GPT of 50,257 tokens starts training with a loss of 27 nats. What is likely?",
        (
            Option("Nothing is wrong: ln 50,257 is about 27", False, "ln 50,257 is 10.8."),
            Option(
                "The logits are far too large at the beginning: it is confidently wrong",
                True,
                "Yes. Small embeddings give small logits, a nearly uniform distribution, and 10.8 nats.",
            ),
            Option("The learning rate is too high", False, "Before the first step the learning rate has done nothing."),
            Option(
                "The targets are shifted by one too many",
                False,
                "Before training a token two places ahead is as hard as the next one: about ln V.",
            ),
        ),
    ),
    Question(
        "gpt.mask",
        "Someone trains a GPT without the causal mask. What will be seen?",
        (
            Option("A loss that does not fall", False, "It falls, and faster than ever."),
            Option(
                "A loss near zero, and nonsense when it generates",
                True,
                "Yes: the answer stands one place to the right in the input, and it learns to copy it. When it "
                "generates, nothing stands there.",
            ),
            Option("The same as with it, only slower", False, "It answers another question altogether."),
            Option("A BERT", False, "BERT hides what it asks for. Here the answer is in plain sight."),
        ),
    ),
    Question(
        "gpt.direction",
        "In the hidden Markov language the clue to a blank stands on its right. What can a GPT do?",
        (
            Option(
                "Nothing: it cannot use words that come later",
                False,
                "Not in one pass. But it has the joint distribution, and that contains every conditional.",
            ),
            Option(
                "Read the sentence backwards",
                False,
                "It was not trained for that, and would then lack the left side.",
            ),
            Option("Remove the mask when it is asked", False, "No weight has learnt what to do with later tokens."),
            Option(
                "Try every word in the blank and compare log p of the whole sentence",
                True,
                "Yes: Bayes' theorem. It costs one pass for each word of the vocabulary, where BERT needs one in all.",
            ),
        ),
    ),
    Question(
        "gpt.perplexity",
        "Model A has 1.0 nats a character, model B 3.4 nats a token on the same English text; B's tokens have 4 "
        "characters on average. Which is better?",
        (
            Option("A: its loss is smaller", False, "The tokens differ: B says four characters with its 3.4 nats."),
            Option(
                "B: 3.4 / 4 = 0.85 nats a character",
                True,
                "Yes. Bits per byte, or nats a character, compare models that cut the text differently.",
            ),
            Option(
                "A: its perplexity is smaller", False, "e^1.0 is among 65 characters, e^3.4 among thousands of tokens."
            ),
            Option("It cannot be said", False, "Both give the same text a probability, and those can be compared."),
        ),
    ),
    Question(
        "gpt.cache",
        "What does the KV cache save, and what does it cost?",
        (
            Option(
                "It computes each token's keys and values once, for memory in proportion to the length",
                True,
                "Yes, and it changes no result: under a causal mask no later token changes an earlier one.",
            ),
            Option("It stores answers, so that a prompt need not be read twice", False, "It stores keys and values."),
            Option("It makes attention independent of the length", False, "The newest query still meets all keys."),
            Option("It approximates the distant past", False, "It is exact."),
        ),
    ),
    Question(
        "gpt.recipe",
        "A change lowers the validation loss by 0.004 nats in one run; three seeds of the same setting spread by 0.01. "
        "What follows?",
        (
            Option("It helps: 0.004 is more than 0", False, "Another seed moves the loss by more than that."),
            Option("It harms", False, "That has not been shown either."),
            Option(
                "Nothing yet: run it with several seeds, and compare the same seeds with and without it",
                True,
                "Yes. And keep the result if it is negative: the next one need not try it again.",
            ),
            Option("The seed should be chosen for which it is best", False, "That measures the seed, not the change."),
        ),
    ),
)

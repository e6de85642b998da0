"""Lesson 6: scores, masks, heads, positions, norms, the shifted target, and a step of beam search."""

import math

import torch

from course_utils.exercises.engine.exercise import Exercise, Mistake, Option, Question

LESSON = (6, "The Transformer")


def _normal(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# 1 ── Scaled scores ─────────────────────────────────────────────────────────────────────────────────────────────────


def scaled_scores(query, key):
    return query @ key.T / math.sqrt(query.shape[1])


SCORES = Exercise(
    name="transformer.scores",
    title="Scaled scores",
    difficulty=1,
    minutes=4,
    reference=scaled_scores,
    cases=((_normal(0, 3, 8), _normal(1, 5, 8)), (_normal(2, 4, 6), _normal(3, 2, 6))),
    mistakes=(
        Mistake(
            "not scaled",
            lambda query, key: query @ key.T,
            "These are the dot products. Their deviation grows like √d; divide by it, equation (7).",
        ),
        Mistake(
            "divided by d",
            lambda query, key: query @ key.T / query.shape[1],
            "You divided by d. The *variance* of a dot product of d standard normal numbers is d, so its deviation is "
            "√d.",
        ),
        Mistake(
            "multiplied by the root",
            lambda query, key: query @ key.T * math.sqrt(query.shape[1]),
            "You multiplied by √d, which makes the scores spread wider still. Divide.",
        ),
        Mistake(
            "root of the number of keys",
            lambda query, key: query @ key.T / math.sqrt(key.shape[0]),
            "You divided by the root of the number of keys. What is summed over in a dot product are the d entries, "
            "`query.shape[1]`.",
        ),
        Mistake(
            "root of the number of queries",
            lambda query, key: query @ key.T / math.sqrt(query.shape[0]),
            "You divided by the root of the number of queries, `query.shape[0]` or `len(query)`. What is summed over "
            "are the d entries, `query.shape[1]`.",
        ),
        Mistake(
            "keys in rows",
            lambda query, key: scaled_scores(query, key).T,
            "The table is turned: queries are rows and keys are columns, (T, S).",
        ),
        Mistake(
            "cosine",
            lambda query, key: (query / query.norm(dim=1, keepdim=True)) @ (key / key.norm(dim=1, keepdim=True)).T,
            "These are cosines: you divided by the lengths of the vectors. Scaled dot products keep the lengths, and "
            "divide by √d alone.",
        ),
    ),
    hints=(
        "All dot products of T queries with S keys are one matrix product.",
        "`query @ key.T` has shape (T, S). Then divide by the root of the width.",
        "query @ key.T / math.sqrt(query.shape[1])",
    ),
)


# 2 ── Softmax under a mask ──────────────────────────────────────────────────────────────────────────────────────────


def masked_weights(scores, mask):
    return scores.masked_fill(~mask, -torch.inf).softmax(dim=1)


def _renormalised_over_queries(scores, mask):
    return scores.masked_fill(~mask, -1e30).softmax(dim=0)


_MASKS = (
    torch.tensor([[1, 0, 1, 1, 0], [1, 1, 0, 0, 1], [0, 1, 1, 0, 1]], dtype=torch.bool),
    torch.tensor([[1, 1], [0, 1], [1, 0], [1, 1]], dtype=torch.bool),
)

WEIGHTS = Exercise(
    name="transformer.weights",
    title="Softmax under a mask",
    difficulty=1,
    minutes=6,
    reference=masked_weights,
    cases=((_normal(4, 3, 5), _MASKS[0]), (_normal(5, 4, 2), _MASKS[1])),
    mistakes=(
        Mistake(
            "over the queries",
            _renormalised_over_queries,
            "Your columns sum to one: you took the softmax over the queries. Each *query* spreads one unit of "
            "attention over the keys, so the rows must sum to one: the last axis.",
        ),
        Mistake(
            "mask flipped",
            lambda scores, mask: scores.masked_fill(mask, -torch.inf).softmax(dim=1).nan_to_num(0.0),
            "You hid what may be attended to. In this course True means *may attend*; so `masked_fill` needs `~mask`. "
            "(torch's `nn.MultiheadAttention` has it the other way round.)",
        ),
        Mistake(
            "no mask",
            lambda scores, mask: scores.softmax(dim=1),
            "The hidden keys still get weight: the mask is not used.",
        ),
        Mistake(
            "zeros after the softmax",
            lambda scores, mask: scores.softmax(dim=1) * mask,
            "You set the hidden weights to zero after the softmax, so the rows no longer sum to one, and hidden keys "
            "still count in the denominator. Hide the *scores*, before the softmax.",
        ),
        Mistake(
            "scores set to zero",
            lambda scores, mask: (scores * mask).softmax(dim=1),
            "You set hidden scores to 0, or nearly 0. That is no small score: exp(0) = 1. It must be −∞, or a very "
            "large *negative* number, as `torch.finfo(dtype).min`; `torch.finfo(dtype).tiny` is positive.",
        ),
        Mistake(
            "mask added",
            lambda scores, mask: (scores + mask).softmax(dim=1),
            "You added the mask itself, 0 or 1, to the scores. What is added must be 0 where a query may attend and −∞ "
            "where it may not.",
        ),
    ),
    hints=(
        "What must a score be, so that its exponential is zero?",
        "`scores.masked_fill(~mask, -torch.inf)` hides; then the softmax, over the keys.",
        "scores.masked_fill(~mask, -torch.inf).softmax(dim=1)",
    ),
)


# 3 ── The causal mask ───────────────────────────────────────────────────────────────────────────────────────────────


def causal(queries, keys):
    return torch.ones(queries, keys, dtype=torch.bool).tril(keys - queries)


CAUSAL = Exercise(
    name="transformer.causal",
    title="The causal mask",
    difficulty=1,
    minutes=6,
    reference=causal,
    cases=((4, 4), (3, 7), (1, 5)),
    mistakes=(
        Mistake(
            "transposed",
            lambda queries, keys: torch.ones(queries, keys, dtype=torch.bool).triu(keys - queries),
            "Each of your tokens attends to itself and to the tokens *after* it: the triangle is the wrong one.",
        ),
        Mistake(
            "True blocks",
            lambda queries, keys: ~causal(queries, keys),
            "You marked what is hidden. In this course True means *may attend*.",
        ),
        Mistake(
            "not itself",
            lambda queries, keys: torch.ones(queries, keys, dtype=torch.bool).tril(keys - queries - 1),
            "Off by one: your tokens may not attend to themselves, and the first may attend to nothing at all.",
        ),
        Mistake(
            "one too many",
            lambda queries, keys: torch.ones(queries, keys, dtype=torch.bool).tril(keys - queries + 1),
            "Off by one: your tokens see the next token, which is the one they are to predict.",
        ),
        Mistake(
            "aligned at the beginning",
            lambda queries, keys: torch.ones(queries, keys, dtype=torch.bool).tril(),
            "Right where there are as many queries as keys. Where there are fewer, the queries are the *last* tokens: "
            "query 0 stands at position S − T, and sees all that came before.",
        ),
        Mistake(
            "numbers",
            lambda queries, keys: causal(queries, keys).long(),
            "The numbers are right; a mask is made of `bool`. With integers, `~mask` would be −1 and −2.",
        ),
        Mistake(
            "everything",
            lambda queries, keys: torch.ones(queries, keys, dtype=torch.bool),
            "Nothing is hidden here.",
        ),
    ),
    hints=(
        "Query t stands at position (keys − queries) + t. It may attend to the keys up to that one, itself included.",
        "`torch.ones(..., dtype=torch.bool).tril(k)` keeps what lies on or below the k-th diagonal.",
        "torch.ones(queries, keys, dtype=torch.bool).tril(keys - queries)",
    ),
)


# 4 ── The shifted target ────────────────────────────────────────────────────────────────────────────────────────────


def _token_losses(logits, labels):
    return -logits.log_softmax(dim=-1).gather(-1, labels[..., None]).squeeze(-1)  # (B, T)


def teacher_forced_loss(logits, target, pad):
    losses, real = _token_losses(logits, target[:, 1:]), target[:, 1:] != pad
    return (losses * real).sum() / real.sum()


def _masked_mean(losses, real):
    return (losses * real).sum() / real.sum()


_TARGETS = (
    torch.tensor([[1, 5, 3, 2, 0, 0], [1, 4, 4, 6, 3, 2]]),
    torch.tensor([[1, 3, 2, 0, 0], [1, 6, 5, 3, 2], [1, 2, 0, 0, 0]]),
)

LOSS = Exercise(
    name="transformer.loss",
    title="The shifted target",
    difficulty=2,
    minutes=8,
    reference=teacher_forced_loss,
    cases=((2 * _normal(6, 2, 5, 7), _TARGETS[0], 0), (_normal(7, 3, 4, 7), _TARGETS[1], 0)),
    mistakes=(
        Mistake(
            "not shifted",
            lambda logits, target, pad: _masked_mean(_token_losses(logits, target[:, :-1]), target[:, :-1] != pad),
            "You compared each prediction with the token that was *put in*, `target[:, :-1]`. The logits at place t "
            "are of the token after it: compare with `target[:, 1:]`.",
        ),
        Mistake(
            "padding counted",
            lambda logits, target, pad: _token_losses(logits, target[:, 1:]).mean(),
            "The padding counts, too: the mean is over all places. Only real tokens are predicted; leave out those "
            "where the label is `pad`, in the sum and in the count.",
        ),
        Mistake(
            "padding left in the count",
            lambda logits, target, pad: (_token_losses(logits, target[:, 1:]) * (target[:, 1:] != pad)).mean(),
            "The padding costs nothing, but is still counted: divide the sum by the number of real tokens, not of all "
            "places.",
        ),
        Mistake(
            "a sum",
            lambda logits, target, pad: (_token_losses(logits, target[:, 1:]) * (target[:, 1:] != pad)).sum(),
            "This is the sum over all tokens. Asked for is the mean over the tokens that are predicted.",
        ),
        Mistake(
            "mean of the sentences' means",
            lambda logits, target, pad: torch.stack(
                [
                    _masked_mean(row, real)
                    for row, real in zip(_token_losses(logits, target[:, 1:]), target[:, 1:] != pad)
                ]
            ).mean(),
            "You took the mean of each sentence, and then the mean of these: a token of a short sentence counts more "
            "than one of a long one. Put all tokens together.",
        ),
        Mistake(
            "padding of the input",
            lambda logits, target, pad: _masked_mean(_token_losses(logits, target[:, 1:]), target[:, :-1] != pad),
            "You left out the places where the *input* is padding. After the end token comes one place whose input is "
            "real and whose label is padding; look at the labels.",
        ),
        Mistake(
            "sign",
            lambda logits, target, pad: -teacher_forced_loss(logits, target, pad),
            "This is the mean log-probability. A loss is its negative.",
        ),
        Mistake(
            "bits",
            lambda logits, target, pad: teacher_forced_loss(logits, target, pad) / math.log(2),
            "This is the answer in bits. In this course logarithms are natural: nats.",
        ),
        Mistake(
            "no softmax",
            lambda logits, target, pad: _masked_mean(
                -logits.gather(-1, target[:, 1:, None]).squeeze(-1), target[:, 1:] != pad
            ),
            "You used the logits as if they were log-probabilities. Take `log_softmax` over the vocabulary first.",
        ),
    ),
    hints=(
        "The decoder was given `target[:, :-1]`. What should it have said at each of these places?",
        "The labels are `target[:, 1:]`; those that are `pad` do not count.",
        "torch.nn.functional.cross_entropy takes logits (N, V), labels (N,) and `ignore_index`, and gives the mean.",
        "F.cross_entropy(logits.flatten(0, 1), target[:, 1:].flatten(), ignore_index=pad)",
    ),
)


# 5 ── Heads ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def split_heads(x, heads):
    batch, length, d = x.shape
    return x.view(batch, length, heads, d // heads).transpose(1, 2)


HEADS = Exercise(
    name="transformer.heads",
    title="One vector, several heads",
    difficulty=2,
    minutes=6,
    reference=split_heads,
    cases=((_normal(8, 2, 5, 12), 3), (_normal(9, 3, 4, 8), 2)),
    mistakes=(
        Mistake(
            "a view alone",
            lambda x, heads: x.reshape(x.shape[0], heads, x.shape[1], -1),
            "The shape is right and the numbers are mixed up: `view` to (B, H, T, d/H) cuts the memory where it lies, "
            "so that a head gets entries of several tokens. Cut the last axis first, then *exchange* two axes.",
        ),
        Mistake(
            "not exchanged",
            lambda x, heads: x.view(*x.shape[:2], heads, -1),
            "This is (B, T, H, d/H): cut rightly, but the head's axis must come before the tokens', so that matrix "
            "products run over tokens and width.",
        ),
        Mistake(
            "every H-th entry",
            lambda x, heads: x.view(*x.shape[:2], -1, heads).permute(0, 3, 1, 2),
            "Your head h gets the entries h, h + H, h + 2H … . Heads are neighbouring entries: head 0 has the first "
            "d/H. Cut into (H, d/H), not (d/H, H).",
        ),
        Mistake(
            "tokens and width exchanged",
            lambda x, heads: x.view(*x.shape[:2], heads, -1).permute(0, 2, 3, 1),
            "The last two axes are exchanged: (B, H, d/H, T) came, which is the transpose that the keys need later.",
        ),
        Mistake(
            "heads before the batch",
            lambda x, heads: torch.stack(x.chunk(heads, dim=-1)),
            "The heads stand before the batch: (H, B, T, d/H). `stack` takes `dim=1`.",
        ),
    ),
    hints=(
        "Head h of a token is entries h·d/H to (h+1)·d/H of its vector. Which axis is to be cut?",
        "`x.view(B, T, H, d // H)` cuts the last axis into heads. What is still in the wrong place?",
        "x.view(B, T, heads, d // heads).transpose(1, 2)",
    ),
)


# 6 ── Positions ─────────────────────────────────────────────────────────────────────────────────────────────────────


def position_table(length, d):
    rates = 10_000.0 ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)
    angles = torch.arange(length, dtype=torch.float64)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


def _table(length, d, rates=None, start=0, first=torch.sin, second=torch.cos):
    rates = 10_000.0 ** (-torch.arange(0, d, 2, dtype=torch.float64) / d) if rates is None else rates
    angles = torch.arange(start, length + start, dtype=torch.float64)[:, None] * rates
    return torch.stack([first(angles), second(angles)], dim=-1).flatten(1)


def _halves(length, d):
    table = position_table(length, d)
    return torch.cat([table[:, ::2], table[:, 1::2]], dim=1)


POSITIONS = Exercise(
    name="transformer.positions",
    title="Sines and cosines",
    difficulty=2,
    minutes=10,
    reference=position_table,
    cases=((7, 6), (3, 10)),
    mistakes=(
        Mistake(
            "first all sines, then all cosines",
            _halves,
            "The numbers are right and their order is not: a sine and its cosine stand side by side, as one pair. "
            "(Some libraries do put all sines first; a trained model must keep to one.)",
        ),
        Mistake(
            "exponent i/d",
            lambda length, d: _table(length, d, 10_000.0 ** (-torch.arange(d // 2, dtype=torch.float64) / d)),
            "Your rates fall from 1 only to about 1/100: the exponent of pair i is 2i/d, not i/d.",
        ),
        Mistake(
            "a rate for each entry",
            lambda length, d: _entries(length, d),
            "Your sine and cosine of a pair turn at different rates, so they are no point on one circle. Entries 2i "
            "and 2i + 1 share one.",
        ),
        Mistake(
            "sine and cosine exchanged",
            lambda length, d: _table(length, d, first=torch.cos, second=torch.sin),
            "Sine and cosine are exchanged: the sine comes first.",
        ),
        Mistake(
            "from 1",
            lambda length, d: _table(length, d, start=1),
            "Your first token stands at position 1. Positions are counted from 0.",
        ),
        Mistake(
            "rates that grow",
            lambda length, d: _table(length, d, 10_000.0 ** (torch.arange(0, d, 2, dtype=torch.float64) / d)),
            "The sign of the exponent: your rates grow to nearly 10,000 radians a token. They fall from 1 to nearly "
            "1/10,000.",
        ),
        Mistake(
            "degrees",
            lambda length, d: _table(
                length, d, math.pi / 180 * 10_000.0 ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)
            ),
            "You turned the angles from degrees to radians. They are radians already.",
        ),
        Mistake(
            "turned",
            lambda length, d: position_table(length, d).T,
            "The table is turned: positions are rows, (length, d).",
        ),
    ),
    hints=(
        "There are d/2 rates, 10000^(−2i/d) for i = 0, 1 … d/2 − 1, and (length, d/2) angles.",
        "`torch.arange(0, d, 2) / d` is 2i/d. Sine and cosine of the angles are to alternate along the last axis.",
        "`torch.stack([a, b], dim=-1).flatten(1)` makes a pair of each entry of a and b.",
        "angles = torch.arange(length)[:, None] * 10_000.0 ** (-torch.arange(0, d, 2).double() / d); "
        "torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)",
    ),
)


def _entries(length, d):
    rates = 10_000.0 ** (-torch.arange(d, dtype=torch.float64) / d)
    angles = torch.arange(length, dtype=torch.float64)[:, None] * rates
    even = torch.arange(d) % 2 == 0
    return torch.where(even, angles.sin(), angles.cos())


# 7 ── LayerNorm ─────────────────────────────────────────────────────────────────────────────────────────────────────


def layer_norm(x, eps):
    mean, variance = x.mean(dim=-1, keepdim=True), x.var(dim=-1, keepdim=True, correction=0)
    return (x - mean) / torch.sqrt(variance + eps)


def _normed(x, eps, dims, correction=0):
    mean, variance = x.mean(dim=dims, keepdim=True), x.var(dim=dims, keepdim=True, correction=correction)
    return (x - mean) / torch.sqrt(variance + eps)


NORM = Exercise(
    name="transformer.norm",
    title="LayerNorm",
    difficulty=2,
    minutes=8,
    reference=layer_norm,
    cases=((3 * _normal(10, 2, 5, 4) + 1, 1e-5), (0.1 * _normal(11, 3, 4, 6), 1e-2)),
    mistakes=(
        Mistake(
            "over the tokens",
            lambda x, eps: _normed(x, eps, 1),
            "You took mean and variance over the tokens. Then a token's output would depend on its neighbours, and in "
            "a decoder on those after it. LayerNorm looks at the d entries of one token.",
        ),
        Mistake(
            "over the batch",
            lambda x, eps: _normed(x, eps, 0),
            "You took mean and variance over the batch, as BatchNorm does. LayerNorm looks at the d entries of one "
            "token.",
        ),
        Mistake(
            "over tokens and entries",
            lambda x, eps: _normed(x, eps, (1, 2)),
            "You took one mean and variance for all tokens of a sequence. Each token has its own.",
        ),
        Mistake(
            "unbiased variance",
            lambda x, eps: _normed(x, eps, -1, correction=1),
            "You divided the squares by d − 1, which is `var`'s and `std`'s default. LayerNorm divides by d: "
            "`correction=0`.",
        ),
        Mistake(
            "eps outside the root",
            lambda x, eps: (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True, correction=0) + eps),
            "You added ε to the standard deviation. It stands inside the root, beside the variance.",
        ),
        Mistake(
            "eps outside, unbiased",
            lambda x, eps: (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + eps),
            "Two things: ε stands inside the root, beside the variance; and `std` divides by d − 1 unless told "
            "`correction=0`.",
        ),
        Mistake(
            "mean left in",
            lambda x, eps: x / torch.sqrt(x.var(-1, keepdim=True, correction=0) + eps),
            "The mean is not subtracted.",
        ),
        Mistake(
            "RMSNorm",
            lambda x, eps: x / torch.sqrt((x**2).mean(-1, keepdim=True) + eps),
            "This is RMSNorm: divided by the root of the mean square, without subtracting the mean. LayerNorm "
            "subtracts it.",
        ),
        Mistake(
            "divided by the variance",
            lambda x, eps: (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True, correction=0) + eps),
            "You divided by the variance. Its root makes the deviation one.",
        ),
        Mistake(
            "no eps",
            lambda x, eps: (x - x.mean(-1, keepdim=True)) / x.std(-1, keepdim=True, correction=0),
            "ε is missing; it keeps a token whose entries are all alike from dividing by zero.",
        ),
    ),
    hints=(
        "Each token is brought to mean 0 and variance 1 on its own. Over which axis is the mean?",
        "`x.mean(dim=-1, keepdim=True)`; the variance likewise, dividing by d: `correction=0`.",
        "(x - mean) / torch.sqrt(variance + eps)",
    ),
)


# 8 ── A step of beam search ─────────────────────────────────────────────────────────────────────────────────────────


def beam_step(score, log_p):
    beams, vocabulary = log_p.shape
    best, place = (score[:, None] + log_p).flatten().topk(beams)
    return best, place // vocabulary, place % vocabulary


def _each_its_own(score, log_p):
    best, token = log_p.max(dim=1)
    return score + best, torch.arange(len(score)), token


def _without_score(score, log_p):
    _, parent, token = beam_step(torch.zeros_like(score), log_p)
    return log_p[parent, token], parent, token


def _score_added_late(score, log_p):
    best, parent, token = _without_score(score, log_p)
    return score[parent] + best, parent, token


def _from_the_best_beam(score, log_p):
    parent = score.argmax()
    best, token = log_p[parent].topk(len(score))
    return score[parent] + best, parent.expand(len(score)), token


def _wrong_divisor(score, log_p):
    beams = len(score)
    best, place = (score[:, None] + log_p).flatten().topk(beams)
    return best, place % beams, place // beams


def _multiplied(score, log_p):
    beams, vocabulary = log_p.shape
    best, place = (score[:, None] * log_p).flatten().topk(beams)
    return best, place // vocabulary, place % vocabulary


def _swapped(score, log_p):
    best, parent, token = beam_step(score, log_p)
    return best, token, parent


def _worst(score, log_p):
    beams, vocabulary = log_p.shape
    best, place = (score[:, None] + log_p).flatten().topk(beams, largest=False)
    return best, place // vocabulary, place % vocabulary


_BEAMS = (
    (
        torch.tensor([-0.5, -1.2, -4.0], dtype=torch.float64),
        torch.tensor(
            [[0.30, 0.28, 0.22, 0.15, 0.05], [0.02, 0.90, 0.03, 0.03, 0.02], [0.01, 0.01, 0.01, 0.01, 0.96]],
            dtype=torch.float64,
        ).log(),
    ),
    (
        torch.tensor([-2.0, -0.1], dtype=torch.float64),
        torch.tensor([[0.1, 0.6, 0.1, 0.2], [0.05, 0.15, 0.45, 0.35]], dtype=torch.float64).log(),
    ),
)

BEAM = Exercise(
    name="transformer.beam",
    title="A step of beam search",
    difficulty=3,
    minutes=12,
    reference=beam_step,
    cases=_BEAMS,
    mistakes=(
        Mistake(
            "each beam its own best",
            _each_its_own,
            "You let each beam go on with its own best token: that is greedy search from several beginnings. Beam "
            "search compares *all* continuations of *all* beams; one beam may have two heirs, and another none.",
        ),
        Mistake(
            "scores of the past left out",
            _without_score,
            "You ranked by the last token's log-probability alone. A continuation is worth the score of its past "
            "*plus* that of its token.",
        ),
        Mistake(
            "score added after choosing",
            _score_added_late,
            "You chose by the last token alone and added the past's score afterwards. Add before you choose.",
        ),
        Mistake(
            "only the best beam goes on",
            _from_the_best_beam,
            "You continued the best beam only. The others are kept because one of their continuations may overtake it.",
        ),
        Mistake(
            "divided by the number of beams",
            _wrong_divisor,
            "The scores are right, but not where they come from: in a (beams, V) table laid out flat, entry i stands "
            "in row i // V and column i % V. You divided by the number of beams.",
        ),
        Mistake(
            "multiplied",
            _multiplied,
            "You multiplied logarithms. The probability of both is a product, so logarithms add.",
        ),
        Mistake(
            "parents and tokens exchanged",
            _swapped,
            "Parents and tokens are exchanged: first which beam a continuation comes from, then which token it adds.",
        ),
        Mistake(
            "the least probable",
            _worst,
            "You kept the least probable continuations. Log-probabilities are negative; the best is the *largest*.",
        ),
    ),
    hints=(
        "Every beam can go on with every token: that makes beams × V candidates. What is each worth?",
        "`score[:, None] + log_p` is their table. `flatten().topk(beams)` gives the best and where they stand.",
        "Place i of the flat table is row i // V (the parent) and column i % V (the token).",
        "best, place = (score[:, None] + log_p).flatten().topk(len(score)); return best, place // V, place % V",
    ),
)


EXERCISES = (SCORES, WEIGHTS, CAUSAL, LOSS, HEADS, POSITIONS, NORM, BEAM)


QUIZ = (
    Question(
        "transformer.bottleneck",
        "Which idea removed the single-vector bottleneck of Seq2Seq?",
        (
            Option(
                "attention, in a recurrent network",
                True,
                "Yes: Bahdanau et al. (2015) let the decoder look at every encoder state. The recurrence stayed.",
            ),
            Option(
                "the Transformer",
                False,
                "When it came, attention had removed the bottleneck already; the Transformer removed the recurrence.",
            ),
            Option(
                "a wider state",
                False,
                "It moves the limit and does not remove it: the vector stays one, however long the source.",
            ),
            Option(
                "reading the source backwards",
                False,
                "That shortens some paths, and everything still goes through one vector.",
            ),
        ),
    ),
    Question(
        "transformer.scale",
        "Without the division by √d, at large d,",
        (
            Option(
                "the softmax is nearly one-hot and its gradient nearly zero",
                True,
                "Yes: the scores' deviation is √d, so one of them is far ahead, and w (1 − w) vanishes.",
            ),
            Option("the weights no longer sum to one", False, "A softmax sums to one whatever its input."),
            Option(
                "all weights are nearly equal",
                False,
                "That is what dividing by too much does. Large scores make weights unequal.",
            ),
            Option(
                "nothing changes, for the softmax ignores a common factor",
                False,
                "It ignores a common *summand*. A common factor is a temperature.",
            ),
        ),
    ),
    Question(
        "transformer.order",
        "You shuffle the tokens of a source, without positions. The encoder's output",
        (
            Option("does not change", False, "Each token's vector moves along with it, so the rows are shuffled too."),
            Option(
                "is shuffled in the same way",
                True,
                "Yes: permutation *equivariance*. What is unchanged is the set of rows, and so the encoder cannot tell "
                "the two orders apart.",
            ),
            Option("changes in every row", False, "Scores depend on pairs of vectors, not on where these stand."),
            Option("is undefined", False, "Attention takes keys in any order."),
        ),
    ),
    Question(
        "transformer.heads",
        "Eight heads of width d/8 instead of one head of width d",
        (
            Option(
                "need eight times the parameters",
                False,
                "The projections are d × d in both cases, only cut differently.",
            ),
            Option(
                "give eight weight patterns at about the same number of parameters",
                True,
                "Yes: each head has its own softmax over the keys, in a subspace of width d/8.",
            ),
            Option(
                "are the only way to use queries, keys and values",
                False,
                "One head has them as well: this is the slide's loose wording.",
            ),
            Option(
                "look at one eighth of the tokens each", False, "Every head sees all tokens; what is cut is the vector."
            ),
        ),
    ),
    Question(
        "transformer.causal",
        "A decoder is trained on all T places of a target at once. Why does it not simply copy the next token?",
        (
            Option(
                "the causal mask hides it, and the input is shifted by one",
                True,
                "Yes: at place t it sees the tokens up to t, and is asked for token t + 1.",
            ),
            Option("dropout removes it", False, "Dropout removes entries at random, not the future."),
            Option(
                "cross-attention has no access to it", False, "True, but self-attention would have it, without a mask."
            ),
            Option("the loss forbids it", False, "The loss would be delighted: copying would cost nothing."),
        ),
    ),
    Question(
        "transformer.cache",
        "Decoding keeps keys and values of the past in a cache. Why is that exact?",
        (
            Option(
                "under a causal mask a later token changes nothing at earlier places",
                True,
                "Yes: what was computed there stays valid, up to the rounding of another kernel.",
            ),
            Option(
                "keys and values do not depend on the tokens", False, "They are linear maps of the tokens' vectors."
            ),
            Option("the softmax is linear", False, "It is not; each new query has a softmax of its own over all keys."),
            Option(
                "it is not: it is an approximation that works well",
                False,
                "It computes the same numbers. It would be wrong in an *encoder*, where each new token changes all "
                "rows.",
            ),
        ),
    ),
    Question(
        "transformer.beam",
        "Beam search with 8 beams finds a translation that",
        (
            Option(
                "is the most probable of all under the model",
                False,
                "Not always: the best one may have begun with a token that fell out of the eight.",
            ),
            Option(
                "is usually, not always, at least as probable as the greedy one",
                True,
                "Yes: it keeps more beginnings, but the greedy one may drop out on the way.",
            ),
            Option(
                "is always better than the greedy one", False, "More probable under the model is not the same as right."
            ),
            Option("is random", False, "It is deterministic: it keeps the eight best at each step."),
        ),
    ),
    Question(
        "transformer.cost",
        "The source becomes four times as long. In self-attention with all weights written out, the weights need",
        (
            Option(
                "4 times the memory",
                False,
                "That holds of the tokens' vectors. The weights are a table of tokens by tokens.",
            ),
            Option(
                "16 times the memory",
                True,
                "Yes: (4S)² = 16 S². The fused kernel never stores the table; its time still grows so.",
            ),
            Option("64 times the memory", False, "That would be a cube. There is one weight for each pair of tokens."),
            Option("the same memory", False, "Only a recurrent state has a fixed size, and that was the bottleneck."),
        ),
    ),
)

"""Lesson 7: pairs of sentences, masking, the two losses, spans, forward–backward, and what is no likelihood."""

import numpy as np
import torch
from torch.nn import functional as F

from course_utils.exercises.engine.exercise import Exercise, Mistake, Option, Question

LESSON = (7, "BERT")


def _double(values):
    return torch.tensor(values, dtype=torch.float64)


def _log_p(shape, seed):
    """Rows of log-probabilities over the last axis."""
    return (
        (2 * torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64))
        .log_softmax(dim=-1)
        .clone()
    )


# 1 ── A pair of sentences ───────────────────────────────────────────────────────────────────────────────────────────


def pair(first, second, is_next, cls, sep):
    tokens = [cls, *first, sep, *second, sep]
    segments = [0] * (len(first) + 2) + [1] * (len(second) + 1)
    return tokens, segments, 0 if is_next else 1


def _with(tokens=None, segments=None, label=None):
    """A wrong answer that differs from the right one in one of its three parts."""

    def wrong(first, second, is_next, cls, sep):
        right = pair(first, second, is_next, cls, sep)
        changes = (tokens, segments, label)
        given = (first, second, is_next, cls, sep)
        return tuple(part if change is None else change(*given) for part, change in zip(right, changes, strict=True))

    return wrong


PAIR = Exercise(
    name="bert.pair",
    title="Two sentences as BERT reads them",
    difficulty=1,
    minutes=6,
    reference=pair,
    cases=(([17, 25, 9], [31, 8, 12, 40, 6], True, 2, 3), ([14, 11], [29], False, 2, 3)),
    mistakes=(
        Mistake(
            "flipped label",
            _with(label=lambda first, second, is_next, cls, sep: int(is_next)),
            "Your labels are turned round. BERT's label is 0 where the second text *is* the next one and 1 where it is "
            "not: `int(is_next)` is the other way about. With it a model trained elsewhere would be wrong on nearly "
            "every pair.",
        ),
        Mistake(
            "no last [SEP]",
            lambda first, second, is_next, cls, sep: (
                [cls, *first, sep, *second],
                [0] * (len(first) + 2) + [1] * len(second),
                int(not is_next),
            ),
            "The second sentence has its [SEP] as well: [CLS] A [SEP] B [SEP].",
        ),
        Mistake(
            "[SEP] counted to the second segment",
            _with(segments=lambda first, second, *_: [0] * (len(first) + 1) + [1] * (len(second) + 2)),
            "The [SEP] between the sentences belongs to the first of them, segment 0; yours is in segment 1.",
        ),
        Mistake(
            "[CLS] left out",
            lambda first, second, is_next, cls, sep: (
                [*first, sep, *second, sep],
                [0] * (len(first) + 1) + [1] * (len(second) + 1),
                int(not is_next),
            ),
            "[CLS] is missing. Without it next-sentence prediction has no vector of its own to be read off.",
        ),
        Mistake(
            "[CLS] before each sentence",
            lambda first, second, is_next, cls, sep: (
                [cls, *first, sep, cls, *second, sep],
                [0] * (len(first) + 2) + [1] * (len(second) + 2),
                int(not is_next),
            ),
            "There is one [CLS], at the very beginning. A second one does not come before the second sentence.",
        ),
        Mistake(
            "segments 1 and 2",
            _with(segments=lambda first, second, *_: [1] * (len(first) + 2) + [2] * (len(second) + 1)),
            "Your segments are 1 and 2. They are indices into an embedding of two rows: 0 and 1.",
        ),
        Mistake(
            "one segment",
            _with(segments=lambda first, second, *_: [0] * (len(first) + len(second) + 3)),
            "All of your segments are 0. The second sentence and its [SEP] are segment 1.",
        ),
        Mistake(
            "segments exchanged",
            _with(segments=lambda first, second, *_: [1] * (len(first) + 2) + [0] * (len(second) + 1)),
            "Your segments are exchanged: the *first* sentence is segment 0.",
        ),
    ),
    hints=(
        "Three special tokens: one at the beginning, one after each sentence. Which sentence does each [SEP] close?",
        "There are len(first) + 2 tokens in segment 0, with [CLS] and the first [SEP]. The label of a true pair is 0.",
        "tokens = [cls, *first, sep, *second, sep]; segments = [0] * (len(first) + 2) + [1] * (len(second) + 1)",
    ),
)


# 2 ── What looking right is worth ───────────────────────────────────────────────────────────────────────────────────


def _at(log_p, x):
    """The entries of the words that stand there: (n, T, V), (n, T) → (n, T)."""
    return np.take_along_axis(log_p, x[..., None], axis=2)[..., 0]


def worth(log_past, log_both, x):
    return (_at(log_both, x) - _at(log_past, x)).mean()


_X = np.array([[1, 3, 0, 2, 4], [4, 0, 2, 2, 1]])  # (2, 5) of 6 words

WORTH = Exercise(
    name="bert.worth",
    title="What looking right is worth",
    difficulty=1,
    minutes=5,
    reference=worth,
    cases=(
        (_log_p((2, 5, 6), 1).numpy(), _log_p((2, 5, 6), 2).numpy(), _X),
        (_log_p((3, 2, 4), 3).numpy(), _log_p((3, 2, 4), 4).numpy(), np.tile(_X[:1, :2] % 4, (3, 1))),
    ),
    mistakes=(
        Mistake(
            "wrong sign",
            lambda log_past, log_both, x: -worth(log_past, log_both, x),
            "The sign is turned. What is known from both sides makes the word *more* probable on average, so the worth "
            "is log p with both sides minus log p with the past.",
        ),
        Mistake(
            "the whole distribution",
            lambda log_past, log_both, x: (np.exp(log_both) * (log_both - log_past)).sum(axis=2).mean(),
            "That is the right side of (11), a KL divergence at each place, which equals the worth only in "
            "expectation. Here the words are given: use those that stand there, `x`.",
        ),
        Mistake(
            "all words, not those that stand there",
            lambda log_past, log_both, x: (log_both - log_past).mean(),
            "You averaged over all words of the vocabulary. The loss looks at one of them, the word that stands there: "
            "`at_words`, or `np.take_along_axis` along the last axis.",
        ),
        Mistake(
            "the best words, not those that stand there",
            lambda log_past, log_both, x: (log_both.max(axis=2) - log_past.max(axis=2)).mean(),
            "You compared the most probable words. Asked is the probability of the word that stands there, x.",
        ),
        Mistake(
            "sum",
            lambda log_past, log_both, x: worth(log_past, log_both, x) * x.size,
            "This is the sum over all tokens. The worth is given for one token: take the mean.",
        ),
        Mistake(
            "a sum for each sentence",
            lambda log_past, log_both, x: worth(log_past, log_both, x) * x.shape[1],
            "You took the mean over the sentences of the sum over their tokens. The worth is per token: divide by the "
            "length as well.",
        ),
        Mistake(
            "probabilities",
            lambda log_past, log_both, x: worth(np.exp(log_past), np.exp(log_both), x),
            "You subtracted probabilities. In nats it is the difference of their logarithms, which are given.",
        ),
        Mistake(
            "bits",
            lambda log_past, log_both, x: worth(log_past, log_both, x) / np.log(2),
            "This is in bits. The arguments are in nats, and so is the answer: no logarithm of 2 is needed.",
        ),
        Mistake(
            "only the past",
            lambda log_past, log_both, x: -_at(log_past, x).mean(),
            "This is the loss with the past alone. Subtract the loss with both sides.",
        ),
        Mistake(
            "logarithm of the mean",
            lambda log_past, log_both, x: (
                np.log(np.exp(_at(log_both, x)).mean()) - np.log(np.exp(_at(log_past, x)).mean())
            ),
            "You averaged the probabilities and then took the logarithm. A loss in nats is the mean of logarithms.",
        ),
    ),
    hints=(
        "Which entry of the last axis belongs to the word that stands there?",
        "`at_words(log_both, x)`, or np.take_along_axis(log_both, x[..., None], axis=2) and away with the last axis, "
        "has shape (n, T).",
        "(at_words(log_both, x) - at_words(log_past, x)).mean()",
    ),
)


# 3 ── 80, 10, 10 ────────────────────────────────────────────────────────────────────────────────────────────────────


def masked(tokens, maskable, u, fate, anything, mask):
    chosen = maskable & (u < 0.15)
    shown = torch.where(chosen & (fate < 0.8), mask, tokens)
    return torch.where(chosen & (fate >= 0.8) & (fate < 0.9), anything, shown), chosen


def _masked_with(choose=lambda maskable, u: maskable & (u < 0.15), hide=0.8, swap=0.9, asked=None):
    """A wrong answer: other tokens chosen, or other shares, or another answer to what is asked."""

    def wrong(tokens, maskable, u, fate, anything, mask):
        chosen = choose(maskable, u)
        shown = torch.where(chosen & (fate < hide), mask, tokens)
        shown = torch.where(chosen & (fate >= hide) & (fate < swap), anything, shown)
        return shown, chosen if asked is None else asked(tokens, shown, chosen, fate)

    return wrong


def _of_all(tokens, maskable, u, fate, anything, mask):
    """12 % of all tokens hidden, 1.5 % random, both drawn apart from what is asked."""
    hidden, random = maskable & (fate < 0.12), maskable & (fate >= 0.12) & (fate < 0.135)
    return torch.where(random, anything, torch.where(hidden, mask, tokens)), maskable & (u < 0.15)


def _random_first(tokens, maskable, u, fate, anything, mask):
    chosen = maskable & (u < 0.15)
    shown = torch.where(chosen & (fate < 0.1), anything, tokens)
    return torch.where(chosen & (fate >= 0.2), mask, shown), chosen


def _masking_case(rows, length, seed):
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randint(5, 40, (rows, length), generator=generator)
    tokens[:, 0], tokens[:, -1], tokens[:, length // 2] = 2, 3, 3
    u, fate = torch.rand(2, rows, length, generator=generator)
    u = u / 3  # nearly half of the tokens are chosen, so that every fate occurs
    return tokens, tokens >= 5, u, fate, torch.randint(5, 40, (rows, length), generator=generator), 4


MASKING = Exercise(
    name="bert.masking",
    title="80, 10, 10",
    difficulty=2,
    minutes=10,
    reference=masked,
    cases=(_masking_case(6, 23, 0), _masking_case(3, 40, 1)),
    mistakes=(
        Mistake(
            "special tokens masked",
            _masked_with(choose=lambda maskable, u: u < 0.15),
            "You choose among all tokens, [CLS], [SEP] and padding too. They are the same in every text: nothing is "
            "learnt from guessing them, and a hidden [SEP] hides where the sentence ends. Use `maskable`.",
        ),
        Mistake(
            "[MASK] always",
            _masked_with(hide=1.0, swap=1.0),
            "Every chosen token becomes [MASK]. That is 100/0/0: the model would learn to be asked only where [MASK] "
            "stands, which it never does after pre-training. Let `fate` decide.",
        ),
        Mistake(
            "none stays",
            _masked_with(hide=0.8, swap=1.0),
            "You replace a fifth of the chosen tokens by random ones, and none stays as it is: 80/20/0.",
        ),
        Mistake(
            "none random",
            _masked_with(hide=0.8, swap=0.8),
            "No token becomes a random one: 80/0/20. Then the model could trust every token that it sees.",
        ),
        Mistake(
            "asked only where something changed",
            _masked_with(asked=lambda tokens, shown, chosen, fate: shown != tokens),
            "`chosen` must be true for the tokens that stay, too. They are asked for like the others; left out of the "
            "loss, the 10 % that stay would do nothing at all.",
        ),
        Mistake(
            "asked only at [MASK]",
            _masked_with(asked=lambda tokens, shown, chosen, fate: chosen & (fate < 0.8)),
            "You ask only where [MASK] stands. All chosen tokens are asked for, also those that became random or "
            "stayed: that is what makes the model distrust, and remember, what it sees.",
        ),
        Mistake(
            "85 % chosen",
            _masked_with(choose=lambda maskable, u: maskable & (u >= 0.15)),
            "You choose where `u` is at least 0.15, 85 % of the tokens. Chosen are those below it.",
        ),
        Mistake(
            "15 % of all against 80 % of the chosen",
            _of_all,
            "You took 12 and 1.5 % of *all* tokens by `fate`, apart from the choice by `u`. The shares 80/10/10 are "
            "of the chosen tokens: first `u` chooses, then `fate` decides what becomes of those.",
        ),
        Mistake(
            "fates in another order",
            _random_first,
            "The shares are right, but the order of the fates is not the one asked for: below 0.8 [MASK], from 0.8 to "
            "0.9 a random token, from 0.9 on the token itself. With given random numbers the order can be checked.",
        ),
        Mistake(
            "10 % of what is left",
            _masked_with(hide=0.8, swap=0.82),
            "Your random tokens are 10 % of what [MASK] leaves over, 2 % of the chosen. All three shares are of the "
            "chosen tokens: 80, 10 and 10 %.",
        ),
    ),
    hints=(
        "First who is chosen: a token that may be, with `u` below 0.15. Then what becomes of these, by `fate`.",
        "torch.where(condition, a, b) takes a where the condition holds. `chosen` holds for all three fates.",
        "shown = torch.where(chosen & (fate < 0.8), mask, tokens); then `anything` where chosen & (fate >= 0.8) & "
        "(fate < 0.9)",
    ),
)


# 4 ── The masked loss ───────────────────────────────────────────────────────────────────────────────────────────────


def mlm_loss(logits, tokens, chosen):
    return F.cross_entropy(logits[chosen], tokens[chosen])


def _everywhere(logits, tokens):
    """−log p of every token, (B, T)."""
    return -logits.log_softmax(dim=-1).gather(2, tokens[..., None])[..., 0]


def _among(logits, tokens, chosen):
    """Softmax over the chosen positions, not over the vocabulary."""
    log_p = logits[chosen].log_softmax(dim=0)
    return -log_p.gather(1, tokens[chosen][:, None]).mean()


_LOGITS = 2 * torch.randn(3, 5, 7, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
_TOKENS = torch.tensor([[2, 6, 0, 5, 3], [1, 1, 4, 6, 2], [5, 3, 6, 0, 4]])
_CHOSEN = torch.tensor([[0, 1, 0, 0, 0], [1, 0, 1, 1, 0], [0, 0, 1, 0, 1]], dtype=torch.bool)

MLM_LOSS = Exercise(
    name="bert.mlm_loss",
    title="The masked loss",
    difficulty=2,
    minutes=6,
    reference=mlm_loss,
    cases=((_LOGITS, _TOKENS, _CHOSEN), (_LOGITS[:2, 1:] - 1, _TOKENS[:2, 1:], _CHOSEN[1:, :4])),
    mistakes=(
        Mistake(
            "over all positions",
            lambda logits, tokens, chosen: _everywhere(logits, tokens).mean(),
            "You averaged over all positions. Where nothing was chosen the token stands in the input: the model would "
            "mostly be praised for copying. Ask only where `chosen` is true.",
        ),
        Mistake(
            "over unmasked positions",
            lambda logits, tokens, chosen: _everywhere(logits, tokens)[~chosen].mean(),
            "This is the loss over the positions that were *not* chosen. `chosen` is true where the model is asked; "
            "no `~` is needed.",
        ),
        Mistake(
            "divided by all positions",
            lambda logits, tokens, chosen: (_everywhere(logits, tokens) * chosen).mean(),
            "The sum is right, and divided by the number of all positions. Divide by the number of the chosen ones, or "
            "the loss gets small by choosing fewer.",
        ),
        Mistake(
            "sum",
            lambda logits, tokens, chosen: (_everywhere(logits, tokens) * chosen).sum(),
            "This is the sum over the chosen tokens. Take the mean, so that batches can be compared.",
        ),
        Mistake(
            "mean of the sentences' means",
            lambda logits, tokens, chosen: (
                (_everywhere(logits, tokens) * chosen).sum(dim=1) / chosen.sum(dim=1)
            ).mean(),
            "You averaged within each sentence first. Then one of three chosen tokens counts a third of a sentence's "
            "only one. The mean runs over all chosen tokens of the batch alike.",
        ),
        Mistake(
            "softmax over masks only",
            _among,
            "Your softmax runs over the chosen positions. Each position has a distribution of its own, over the "
            "vocabulary: the last axis.",
        ),
        Mistake(
            "softmax over the sentence",
            lambda logits, tokens, chosen: (
                -logits.log_softmax(dim=1).gather(2, tokens[..., None])[..., 0][chosen].mean()
            ),
            "Your softmax runs over the positions of the sentence, axis 1. It must run over the vocabulary, axis 2.",
        ),
        Mistake(
            "wrong sign",
            lambda logits, tokens, chosen: -mlm_loss(logits, tokens, chosen),
            "The sign is turned: a loss is −log p, which is never negative.",
        ),
        Mistake(
            "softmax twice",
            lambda logits, tokens, chosen: mlm_loss(logits.softmax(dim=-1), tokens, chosen),
            "`F.cross_entropy` takes logits and applies the softmax itself. You applied it before, so it acts twice.",
        ),
        Mistake(
            "logits for log-probabilities",
            lambda logits, tokens, chosen: -logits.gather(2, tokens[..., None])[..., 0][chosen].mean(),
            "You took the logit for the log-probability. Subtract the logarithm of the normaliser: `log_softmax`.",
        ),
    ),
    hints=(
        "A boolean index keeps the positions where it is true: logits[chosen] is (number chosen, V).",
        "F.cross_entropy of logits (n, V) and tokens (n,) is the mean of −log p in nats.",
        "F.cross_entropy(logits[chosen], tokens[chosen])",
    ),
)


# 5 ── Both losses ───────────────────────────────────────────────────────────────────────────────────────────────────


def both_losses(mlm_logits, nsp_logits, labels, is_next, ignored):
    mlm = F.cross_entropy(mlm_logits.flatten(0, 1), labels.flatten(), ignore_index=ignored)
    return mlm + F.cross_entropy(nsp_logits, (~is_next).long())


def _both(mlm=None, nsp=None, join=lambda mlm, nsp: mlm + nsp):
    """A wrong answer in one of the two losses, or in how they are joined."""
    right_mlm = lambda logits, labels, ignored: F.cross_entropy(  # noqa: E731
        logits.flatten(0, 1), labels.flatten(), ignore_index=ignored
    )
    right_nsp = lambda logits, is_next, ignored: F.cross_entropy(logits, (~is_next).long())  # noqa: E731
    first, second = mlm or right_mlm, nsp or right_nsp

    def wrong(mlm_logits, nsp_logits, labels, is_next, ignored):
        return join(first(mlm_logits, labels, ignored), second(nsp_logits, is_next, ignored))

    return wrong


_LABELS = torch.where(_CHOSEN, _TOKENS.clamp(min=1), 0)
_PAIRS = torch.tensor([True, False, False])
_NSP = _double([[1.5, -0.25], [0.5, 0.25], [-1.0, 0.75]])

BOTH = Exercise(
    name="bert.both_losses",
    title="Both losses of pre-training",
    difficulty=2,
    minutes=8,
    reference=both_losses,
    cases=((_LOGITS, _NSP, _LABELS, _PAIRS, 0), (_LOGITS[:2] / 2, _NSP[1:] - 1, _LABELS[:2], _PAIRS[:2], 0)),
    mistakes=(
        Mistake(
            "one ignore_index for both losses",
            _both(
                nsp=lambda logits, is_next, ignored: F.cross_entropy(logits, (~is_next).long(), ignore_index=ignored)
            ),
            "You passed `ignore_index` to both losses. Here it is 0, and 0 is also the label of a true pair: all pairs "
            "that *do* follow each other are left out, and the model learns to say no every time.",
        ),
        Mistake(
            "flipped label, and one ignore_index for both",
            _both(nsp=lambda logits, is_next, ignored: F.cross_entropy(logits, is_next.long(), ignore_index=ignored)),
            "Two things: the label of a true pair is 0, not 1; and `ignore_index`, which is 0 here, leaves out pairs "
            "as well as tokens when it is passed to both losses.",
        ),
        Mistake(
            "flipped label",
            _both(nsp=lambda logits, is_next, ignored: F.cross_entropy(logits, is_next.long())),
            "Your pairs are labelled the wrong way round: the label is 0 where the second text is the next one, 1 "
            "where it is not. `is_next.long()` is the opposite.",
        ),
        Mistake(
            "nothing ignored",
            _both(mlm=lambda logits, labels, ignored: F.cross_entropy(logits.flatten(0, 1), labels.flatten())),
            "You ask at every position: `F.cross_entropy` ignores −100 unless told otherwise, and here the positions "
            "that are not asked carry `ignored`.",
        ),
        Mistake(
            "mean of the two",
            _both(join=lambda mlm, nsp: (mlm + nsp) / 2),
            "You took the mean of the two losses. BERT's loss is their sum.",
        ),
        Mistake("only the masked loss", _both(join=lambda mlm, nsp: mlm), "The loss of the pairs is missing."),
        Mistake("only the pairs' loss", _both(join=lambda mlm, nsp: nsp), "The loss of the masked tokens is missing."),
        Mistake(
            "divided by all positions",
            _both(
                mlm=lambda logits, labels, ignored: F.cross_entropy(
                    logits.flatten(0, 1), labels.flatten(), ignore_index=ignored, reduction="none"
                ).mean()
            ),
            "The masked loss is divided by the number of all positions, the ignored ones included. Leave the mean to "
            "`F.cross_entropy`: with `ignore_index` it counts only those that are asked.",
        ),
        Mistake(
            "sums",
            _both(
                mlm=lambda logits, labels, ignored: F.cross_entropy(
                    logits.flatten(0, 1), labels.flatten(), ignore_index=ignored, reduction="sum"
                ),
                nsp=lambda logits, is_next, ignored: F.cross_entropy(logits, (~is_next).long(), reduction="sum"),
            ),
            "You summed. Each loss is a mean, over the tokens that are asked and over the pairs; then they are added.",
        ),
    ),
    hints=(
        "Two calls of F.cross_entropy and a sum. Which of the two has something to ignore?",
        "Labels of pairs: 0 where `is_next` is True. Logits must be (n, V) beside labels (n,): flatten them.",
        "F.cross_entropy(mlm_logits.flatten(0, 1), labels.flatten(), ignore_index=ignored) + "
        "F.cross_entropy(nsp_logits, (~is_next).long())",
    ),
)


# 6 ── The best span ─────────────────────────────────────────────────────────────────────────────────────────────────


def best_span(start, end, passage):
    scores = start[:, None] + end[None, :]
    allowed = passage[:, None] & passage[None, :] & torch.ones_like(scores, dtype=torch.bool).triu()
    best = int(scores.masked_fill(~allowed, float("-inf")).argmax())
    return best // len(end), best % len(end)


def _span_with(allowed, scores=lambda start, end: start[:, None] + end[None, :]):
    def wrong(start, end, passage):
        table = scores(start, end)
        best = int(table.masked_fill(~allowed(passage, table), float("-inf")).argmax())
        return best // len(end), best % len(end)

    return wrong


def _rectangle(passage, table):
    return passage[:, None] & passage[None, :]


def _triangle(table):
    return torch.ones_like(table, dtype=torch.bool).triu()


def _end_after_best_start(start, end, passage):
    hidden = torch.full_like(start, float("-inf"))
    i = int(torch.where(passage, start, hidden).argmax())
    return i, i + int(torch.where(passage, end, hidden)[i:].argmax())


def _apart(start, end, passage):
    hidden = torch.full_like(start, float("-inf"))
    return int(torch.where(passage, start, hidden).argmax()), int(torch.where(passage, end, hidden).argmax())


_PASSAGE = torch.tensor([False, False, False, True, True, True, True, True, False])

SPAN = Exercise(
    name="bert.span",
    title="Where the answer stands",
    difficulty=2,
    minutes=10,
    reference=best_span,
    cases=(
        (  # the best start lies after the best end
            _double([5.0, 0.5, 0.0, 1.0, 2.2, 0.1, 2.5, 0.3, 4.0]),
            _double([0.0, 4.0, 0.2, 0.3, 0.1, 2.4, 0.2, 0.6, 6.0]),
            _PASSAGE,
        ),
        (  # one token is the best answer
            _double([0.0, 6.0, 0.0, 0.1, 0.2, 3.0, 0.2, 0.1, 0.0]),
            _double([0.0, 0.0, 7.0, 1.0, 0.5, 2.0, 1.5, 0.2, 0.0]),
            _PASSAGE,
        ),
    ),
    mistakes=(
        Mistake(
            "start and end apart",
            _apart,
            "You took the best start and the best end apart. Together they may be no span: here the best end lies "
            "before the best start. Look for the best *pair* with start ≤ end.",
        ),
        Mistake(
            "best start first",
            _end_after_best_start,
            "You fixed the best start and looked for the best end after it. The best pair may begin elsewhere: a "
            "start that is a little worse may have a much better end.",
        ),
        Mistake(
            "outside the passage",
            _span_with(lambda passage, table: _triangle(table)),
            "Your answer lies in the question or on a special token. Only tokens where `passage` is True can answer.",
        ),
        Mistake(
            "at least two tokens",
            _span_with(lambda passage, table: _rectangle(passage, table) & _triangle(table).triu(1)),
            "One token may be an answer: start = end is allowed, the diagonal belongs to the triangle.",
        ),
        Mistake(
            "first after last",
            lambda start, end, passage: best_span(start, end, passage)[::-1],
            "You returned the end before the start.",
        ),
        Mistake(
            "past the end",
            lambda start, end, passage: (best_span(start, end, passage)[0], best_span(start, end, passage)[1] + 1),
            "Your end is one too far. Asked is the *last* token of the answer, not the first after it.",
        ),
    ),
    hints=(
        "Score every pair (i, j) at once: start[:, None] + end[None, :] is (T, T). Which pairs are allowed?",
        "Allowed: i and j in the passage, i ≤ j (`triu`). Set the others to −inf, then take the largest.",
        "best = int(scores.masked_fill(~allowed, float('-inf')).argmax()); start and end are best // T and best % T",
    ),
)


# 7 ── Forward and backward ──────────────────────────────────────────────────────────────────────────────────────────


def between(likelihood, transition, initial):
    length, _ = likelihood.shape
    before, after = np.empty_like(likelihood), np.ones_like(likelihood)
    before[0] = initial
    for t in range(1, length):
        state = (before[t - 1] * likelihood[t - 1]) @ transition
        before[t] = state / state.sum()
    for t in range(length - 2, -1, -1):
        message = transition @ (likelihood[t + 1] * after[t + 1])
        after[t] = message / message.sum()
    both = before * after
    return both / both.sum(axis=1, keepdims=True)


def _sweeps(
    *, scale=True, forward=True, backward=True, own=False, turned_forward=False, turned_backward=False, first=None,
    skip=False,
):  # fmt: skip
    """Forward–backward with one thing wrong."""

    def wrong(likelihood, transition, initial):
        length, states = likelihood.shape
        words = np.ones_like(likelihood) if skip else likelihood
        ahead, back = transition.T if turned_forward else transition, transition.T if turned_backward else transition
        before, after = np.ones_like(likelihood), np.ones_like(likelihood)
        before[0] = initial if first is None else np.full_like(initial, first / states)
        for t in range(1, length):
            state = (before[t - 1] * words[t - 1]) @ ahead
            before[t] = state / (state.sum() if scale else 1)
        for t in range(length - 2, -1, -1):
            message = back @ (words[t + 1] * after[t + 1])
            after[t] = message / (message.sum() if scale else 1)
        both = (before if forward else 1) * (after if backward else 1) * (likelihood if own else 1)
        return both / both.sum(axis=1, keepdims=True)

    return wrong


def _not_normalised(likelihood, transition, initial):
    right = between(likelihood, transition, initial)
    before = np.empty_like(right)
    before[0] = initial
    for t in range(1, len(right)):
        state = (before[t - 1] * likelihood[t - 1]) @ transition
        before[t] = state / state.sum()
    after = np.ones_like(right)
    for t in range(len(right) - 2, -1, -1):
        message = transition @ (likelihood[t + 1] * after[t + 1])
        after[t] = message / message.sum()
    return before * after


_TRANSITION = np.array([[0.8, 0.15, 0.05], [0.1, 0.6, 0.3], [0.35, 0.05, 0.6]])
_INITIAL = np.array([0.5, 0.2, 0.3])
_LONG = 1e-4 + 1e-3 * np.random.default_rng(2).random((130, 3))
_LONG[4] = 1.0  # a blank

BETWEEN = Exercise(
    name="bert.between",
    title="Forward and backward",
    difficulty=3,
    minutes=15,
    reference=between,
    cases=((_LONG[:6], _TRANSITION, _INITIAL), (_LONG, _TRANSITION, _INITIAL)),
    mistakes=(
        Mistake(
            "without scaling",
            _sweeps(scale=False),
            "Right for a short sentence; for the long one both sweeps underflow, and 0/0 is not a number. The sums "
            "cancel in the end: divide each row by its sum as you go.",
        ),
        Mistake(
            "with the word itself",
            _sweeps(own=True),
            "You multiplied by the likelihood of the word at t as well. That is p(z_t | *all* words). To guess the "
            "word it must not be used: all words but the one at t.",
        ),
        Mistake(
            "forward only",
            _sweeps(backward=False),
            "This is p(z_t | words before t), the forward sweep alone. The words after t are missing.",
        ),
        Mistake(
            "backward only",
            _sweeps(forward=False),
            "This uses the words after t alone. Multiply with the forward sweep.",
        ),
        Mistake(
            "transposed transition",
            _sweeps(turned_forward=True, turned_backward=True),
            "Your transition is turned, in both sweeps: its *rows* are where the chain comes from, its columns where "
            "it goes. Forward `… @ transition`, backward `transition @ …`.",
        ),
        Mistake(
            "transposed transition, forward",
            _sweeps(turned_forward=True),
            "In the forward sweep the transition is the wrong way round. Its rows are where the chain comes from, and "
            "the sum over z_t runs over them: `… @ transition`.",
        ),
        Mistake(
            "transposed transition, backward",
            _sweeps(turned_backward=True),
            "In the backward sweep the transition is the wrong way round. Row i of it is p(z_{t+1} | z_t = i), and the "
            "message to z_t = i sums over z_{t+1}: `transition @ …`.",
        ),
        Mistake(
            "uniform beginning",
            _sweeps(first=1.0),
            "You began with the uniform distribution. The first state is drawn from `initial`.",
        ),
        Mistake(
            "no words used",
            _sweeps(skip=True),
            "Your sweeps move the state and never look at a word: the likelihoods are missing.",
        ),
        Mistake(
            "rows not normalised",
            _not_normalised,
            "The proportions are right, the rows do not sum to one. Divide each by its sum at the end.",
        ),
    ),
    hints=(
        "Two sweeps. Forward: p(z_t | words before t). Backward: a number for each state that is proportional to "
        "p(words after t | z_t), 1 at the end.",
        "before[t] ∝ (before[t−1] · likelihood[t−1]) @ transition; after[t] ∝ transition @ (likelihood[t+1] · "
        "after[t+1]). Divide each by its sum.",
        "both = before * after; return both / both.sum(axis=1, keepdims=True)",
    ),
)


# 8 ── A score that is no likelihood ─────────────────────────────────────────────────────────────────────────────────


def pseudo(log_p, tokens, mask):
    total = torch.zeros(len(tokens), dtype=torch.float64)
    for t in range(tokens.shape[1]):
        shown = tokens.clone()
        shown[:, t] = mask
        total = total + log_p(shown)[:, t].gather(1, tokens[:, t, None])[:, 0]
    return total


def _pseudo_with(hide):
    """Σ log p of each token, with what ``hide(shown, t, mask)`` leaves to see; the sum over positions."""

    def wrong(log_p, tokens, mask):
        total = torch.zeros(len(tokens), dtype=torch.float64)
        for t in range(tokens.shape[1]):
            shown = tokens.clone()
            hide(shown, t, mask)
            total = total + log_p(shown)[:, t].gather(1, tokens[:, t, None])[:, 0]
        return total

    return wrong


def _hide_from(shown, t, mask):
    shown[:, t:] = mask


def _hide_up_to(shown, t, mask):
    shown[:, : t + 1] = mask


def _hide_all(shown, t, mask):
    shown[:] = mask


def _toy(tokens):
    """Log-probabilities of 5 words that depend on every other token and its distance, and on the token itself."""
    places = torch.arange(tokens.shape[1], dtype=torch.float64)
    near = 1 / (1 + (places[:, None] - places[None, :] * 1.25).abs())  # (T, T), not symmetric
    words = torch.nn.functional.one_hot(tokens, 6).double()  # (B, T, 6), the sixth is [MASK]
    mix = _double([[(3 * i + 2 * j * j) % 7 / 2 for j in range(5)] for i in range(6)])
    return (near @ words @ mix).log_softmax(dim=-1)


PSEUDO = Exercise(
    name="bert.pseudo",
    title="A score that is no likelihood",
    difficulty=3,
    minutes=10,
    reference=pseudo,
    cases=(
        (_toy, torch.tensor([[0, 3, 1, 4], [2, 2, 0, 1], [4, 1, 3, 3]]), 5),
        (_toy, torch.tensor([[1, 0], [3, 4]]), 5),
    ),
    mistakes=(
        Mistake(
            "nothing hidden",
            lambda log_p, tokens, mask: log_p(tokens).gather(2, tokens[..., None])[..., 0].sum(dim=1),
            "You called the model once, on the whole text. Then it sees each token while it is asked for it. Hide one "
            "token at a time: T calls.",
        ),
        Mistake(
            "everything hidden",
            _pseudo_with(_hide_all),
            "You hid all tokens at once: that scores each by its place alone. Hide one, show all others.",
        ),
        Mistake(
            "the future hidden",
            _pseudo_with(_hide_from),
            "You hid the token and all after it. Each factor is then p(x_t | past), as in a GPT, but from a model "
            "that was trained to see both sides. Here only the token itself is hidden.",
        ),
        Mistake(
            "not shown again",
            _pseudo_with(_hide_up_to),
            "The tokens before t are hidden, too. Where `shown` is one copy for the whole loop, what was hidden stays "
            "hidden: make a new copy of `tokens` at each position.",
        ),
        Mistake(
            "mean",
            lambda log_p, tokens, mask: pseudo(log_p, tokens, mask) / tokens.shape[1],
            "This is the mean over the tokens. Asked is the sum.",
        ),
        Mistake(
            "one number",
            lambda log_p, tokens, mask: pseudo(log_p, tokens, mask).sum(),
            "You summed over the batch as well. Each text has its own score, (B,).",
        ),
        Mistake(
            "wrong sign",
            lambda log_p, tokens, mask: -pseudo(log_p, tokens, mask),
            "The sign is turned: a sum of log-probabilities is not positive.",
        ),
        Mistake(
            "the most probable token",
            lambda log_p, tokens, mask: sum(
                log_p(torch.where(torch.arange(tokens.shape[1]) == t, mask, tokens))[:, t].max(dim=1).values
                for t in range(tokens.shape[1])
            ),
            "You took the largest log-probability at each place. Asked is that of the token that stands there: gather.",
        ),
    ),
    hints=(
        "A loop over the positions. In each turn: copy, hide one column, call the model, read off one number a text.",
        "log_p(shown)[:, t] is (B, V). The token's entry: .gather(1, tokens[:, t, None])[:, 0].",
        "shown = tokens.clone(); shown[:, t] = mask; total += log_p(shown)[:, t].gather(1, tokens[:, t, None])[:, 0]",
    ),
)


EXERCISES = (PAIR, WORTH, MASKING, MLM_LOSS, BOTH, SPAN, BETWEEN, PSEUDO)


QUIZ = (
    Question(
        "bert.fifteen",
        "Of 1,000 maskable tokens, how many become [MASK] in a training example, on average?",
        (
            Option("150", False, "That many are *chosen*, and asked for. Of these, 80 % become [MASK]."),
            Option("120", True, "Yes: 15 % are chosen, 80 % of these hidden. 15 become random tokens, and 15 stay."),
            Option("800", False, "80 % is a share of the chosen tokens, not of all."),
            Option("135", False, "That many change or are hidden, if a random token is never the same by chance."),
        ),
    ),
    Question(
        "bert.stay",
        "Why do 10 % of the chosen tokens stay as they are?",
        (
            Option(
                "To make the task harder", False, "It makes it easier: where the token stays it can nearly be read."
            ),
            Option(
                "To save computation",
                False,
                "The cost is the same: a chosen token goes through all layers, and is asked for, whatever its fate.",
            ),
            Option(
                "So that the loss is a likelihood of the text",
                False,
                "It is none with any shares: no product of these conditionals is a p(x).",
            ),
            Option(
                "So that a token which is not hidden must be represented as well as a hidden one",
                True,
                "Yes: the model cannot tell a kept token that is asked for from all the others that are not, and after "
                "pre-training there is no [MASK] at all.",
            ),
        ),
    ),
    Question(
        "bert.label",
        "Next-sentence prediction returns two logits. A checkpoint says (3.2, −3.0) for a pair. What does it claim?",
        (
            Option("The second sentence is the next one", True, "Yes: label 0, the first logit, means *is next*."),
            Option(
                "It is not the next one",
                False,
                "That would be label 1, the second logit. Yes and no stand in the other order than in most data sets.",
            ),
            Option("The sentences mean the same", False, "Nothing of the kind was asked in pre-training."),
            Option("The second sentence is probable", False, "It is a classifier of pairs. It gives no p(sentence)."),
        ),
    ),
    Question(
        "bert.both",
        "In what sense is BERT bidirectional?",
        (
            Option(
                "Two models, one from the left and one from the right, are joined at the top",
                False,
                "That is ELMo. Neither of its halves ever uses both sides at once.",
            ),
            Option("It can write from right to left as well", False, "It does not write at all."),
            Option(
                "In every layer each token may attend to every other, on either side",
                True,
                "Yes: no causal mask. It is why the token itself has to be hidden.",
            ),
            Option(
                "It reads a pair of sentences in both orders", False, "The order of a pair is fixed; NSP asks for it."
            ),
        ),
    ),
    Question(
        "bert.worth",
        "In the hidden Markov language, a word costs 2.01 nats given its past and 1.65 given both sides. A perfect "
        "BERT is scored with 15 % of the words hidden at once. It will have",
        (
            Option("1.65 nats", False, "That is for one blank in a clean context. Here neighbours may be hidden, too."),
            Option(
                "a little more than 1.65 nats",
                True,
                "Yes, 1.72: some of the words that would help are hidden themselves. The optimum is computed for the "
                "same blanks.",
            ),
            Option("2.01 nats", False, "It sees the words to the right as well."),
            Option(
                "0 nats, for it is perfect",
                False,
                "The language itself is random. Perfect means: no better is possible.",
            ),
        ),
    ),
    Question(
        "bert.other_optimum",
        "The optimum of 80/10/10 is 1.61 nats a chosen token, of [MASK] alone 1.72, on the same places. So 80/10/10",
        (
            Option(
                "trains the better model", False, "The two numbers answer different questions and cannot be compared."
            ),
            Option("has a bug: no optimum can be lower", False, "It is exact: the kept tokens are information."),
            Option(
                "hides fewer words, which makes all others easier",
                False,
                "It hides fewer, but makes some of the others wrong: a hidden one costs nearly as much as before.",
            ),
            Option(
                "is another question: a token that stays tells nearly what it is",
                True,
                "Yes: one chosen token in ten costs only a third of a nat. Models need one and the same question.",
            ),
        ),
    ),
    Question(
        "bert.no_density",
        "Two texts have pseudo-log-likelihoods of −40 and −45 nats under a BERT. Then",
        (
            Option(
                "the first is e⁵ times as probable", False, "Probable under which distribution? There need be none."
            ),
            Option(
                "their log-likelihoods are at least that", False, "It bounds nothing: each token is used many times."
            ),
            Option(
                "BERT finds the tokens of the first easier to guess, each from all its others",
                True,
                "Yes, and no more. A text that repeats itself makes all its tokens easy to guess, and scores well.",
            ),
            Option(
                "BERT would generate the first more often",
                False,
                "It depends on how one generates; BERT says nothing of it.",
            ),
        ),
    ),
    Question(
        "bert.frozen",
        'Fine-tuning changes all weights, "frozen" only a new last layer. When would you freeze?',
        (
            Option(
                "When labels or compute are scarce, or one encoder must serve many tasks",
                True,
                "Yes. What it costs in accuracy has to be measured: the lesson does, on three tasks.",
            ),
            Option(
                "Never: fine-tuning has more parameters, so it is better",
                False,
                "With few labels it may overfit or be unstable, and costs more.",
            ),
            Option(
                "When the task is next-sentence prediction",
                False,
                "That is the one task whose layer is already trained.",
            ),
            Option(
                "When the text is longer than the positions",
                False,
                "Then neither works: there is no embedding for them.",
            ),
        ),
    ),
)

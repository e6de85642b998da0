"""Lesson 7's BERT: the hidden Markov language, where its optimum is known, and the docstrings of Python libraries."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from course_utils.data.masking import CHOSEN, mask_tokens
from course_utils.data.pairs import SentencePairs
from course_utils.data.text import docstrings
from course_utils.data.wordpiece import MASK, PIECES, SPECIAL, docstring_tokenizer
from course_utils.models.bert import Bert, BertConfig
from course_utils.optima.hmm import at_words, course_language
from course_utils.training.config import Config as TrainingConfig
from course_utils.training.config import settings_of
from course_utils.training.optimisers import adamw_or_muon, warm_cosine

LANGUAGE = course_language()
HMM_MASK = LANGUAGE.words  # [MASK] of the hidden Markov language
# The share of tokens that is chosen in training. More than BERT's 15 % asks for more in a step (Wettig et al. 2023,
# "Should you mask 15 % in masked language modeling?"). Whatever was trained on, ``evaluate`` chooses 15 %.
HMM_SHARES = (0.15, 0.45)  # between these, drawn anew for each sentence
DOCSTRING_SHARE = 0.3


@dataclass(frozen=True, kw_only=True)
class Config(TrainingConfig):
    """``text``: hmm or docstrings. ``sequences``: of the hidden Markov language, to train on.

    ``length`` … ``bfloat16``: as in BertConfig.
    ``optimiser``: adamw, or muon, for the blocks' matrices with the rate ``muon_rate``, and AdamW for the rest.
    ``warmup``: steps in which the rates rise, before they fall to zero along half a cosine.
    ``evaluated``: examples of the test set that ``evaluate`` reads.
    """

    text: str = "hmm"
    sequences: int = 2**17
    length: int = 64
    d: int = 128
    heads: int = 4
    layers: int = 4
    mlp: int = 512
    dropout: float = 0.0
    norm_first: bool = True
    positions: str = "rotary"
    rotary_base: float = 100.0
    query_key_norm: bool = True
    tied: bool = True
    bfloat16: bool = False
    optimiser: str = "muon"
    muon_rate: float = 0.02
    weight_decay: float = 0.01
    beta2: float = 0.98
    warmup: int = 100
    evaluated: int = 512
    clip: float | None = 1.0


PRESETS = {
    "hmm": Config(
        steps=5000, batch_size=32, rate=1e-2, muon_rate=0.03, warmup=20, layers=4, d=64, heads=2, mlp=128,
        rotary_base=30.0, tied=False, weight_decay=0.0, sequences=5000 * 32,
    ),
    "docstrings": Config(
        text="docstrings", steps=9000, batch_size=32, rate=4e-3, muon_rate=0.02, warmup=50, length=64, layers=3, d=192,
        heads=6, mlp=768, bfloat16=True,
    ),
}  # fmt: skip


def model(config):
    """Tokens → logits of the token that stands, or stood, at each position; of the docstrings also of what follows."""
    kinds = {"hmm": {"vocabulary": HMM_MASK + 1, "segments": 0, "pad": None}, "docstrings": {"vocabulary": PIECES}}
    if config.text not in kinds:
        raise ValueError(f"text must be hmm or docstrings; got {config.text!r}.")
    return Bert(BertConfig(**kinds[config.text], **settings_of(BertConfig, config)))


def data(config, source=None):
    """Sentences of the hidden Markov language, or pairs of texts. There is nothing to choose by ``--data``."""
    if source is not None:
        raise ValueError(f"--data: this recipe's texts are named by --set text=…; got {source!r}.")
    if config.text == "hmm":
        return tuple(
            torch.from_numpy(LANGUAGE.sample(n, config.length, np.random.default_rng(seed))[0])
            for n, seed in ((config.sequences, [1, config.seed]), (1024, 0))
        )
    parts = [[document.sentences for document in docstrings(part)] for part in ("train", "validation")]
    tokenizer, sizes = docstring_tokenizer(), {"length": config.length}
    return (
        SentencePairs(parts[0], tokenizer, seed=config.seed, **sizes),
        SentencePairs(parts[1], tokenizer, seed=0, size=4096, **sizes),
    )


def loss(model, batch, generator):
    """−log p of the chosen tokens, the mean over them, and of whether the second text follows the first; in nats.

    Of several processes each takes the mean over the tokens chosen in its own part of the batch, and their gradients
    are averaged: a token counts a little more in a part with few of them.
    """
    if isinstance(batch, torch.Tensor):  # sentences of the hidden Markov language
        low, high = HMM_SHARES
        shares = low + (high - low) * torch.rand(len(batch), 1, generator=generator, device=batch.device)
        shown, chosen = hide(batch, shares, generator)
        return masked_losses(model, model.encode(shown), batch, chosen).sum() / chosen.sum().clamp(min=1)
    tokens, segments, label = batch
    shown, chosen = choose(tokens, model.config.vocabulary, generator, DOCSTRING_SHARE)
    hidden = model.encode(shown, segments, tokens != model.config.pad)
    mlm = masked_losses(model, hidden, tokens, chosen).sum() / chosen.sum().clamp(min=1)
    nsp = F.cross_entropy(model.nsp(hidden).float(), label)
    return mlm + nsp, {"mlm": mlm.detach(), "nsp": nsp.detach()}


def hide(words, rate, generator):
    """Words of the hidden Markov language with [MASK] alone, for which the optimum is known: shown and chosen."""
    everywhere = torch.ones_like(words, dtype=torch.bool)
    return mask_tokens(
        words, everywhere, mask=HMM_MASK, vocabulary=HMM_MASK, rate=rate, hidden=1.0, random=0.0, generator=generator
    )


def choose(tokens, vocabulary, generator, share=CHOSEN):
    """BERT's 80/10/10 of 15 %, or another share, of the pieces; special tokens left alone: shown and chosen."""
    maskable = tokens >= len(SPECIAL)
    return mask_tokens(tokens, maskable, mask=MASK, vocabulary=vocabulary, rate=share, generator=generator)


def masked_losses(model, hidden, tokens, chosen):
    """−log p(token) in nats at the chosen positions: (B, T, d), (B, T) and (B, T) of bool → (n,)."""
    return F.cross_entropy(model.mlm(hidden[chosen]).float(), tokens[chosen], reduction="none")


def optimiser(model, config):
    """AdamW for all, or Muon for the blocks' matrices."""
    return adamw_or_muon(model, config)


def schedule(optimiser, config):
    """Up in the first steps, then down along half a cosine to zero."""
    return warm_cosine(optimiser, config.steps, config.warmup)


def evaluate(model, test_set, config):
    """Masked tokens of texts that were not trained on, always the same, 15 % of them, in nats, and how many are right.

    Of the hidden Markov language also what the nats exceed the optimum by, which forward–backward finds for the same
    tokens; of the docstrings also the share of pairs that are told apart.
    """
    if config.text == "hmm":
        words = test_set[: config.evaluated]
        shown, chosen = hide(words, CHOSEN, torch.Generator().manual_seed(0))
        found = masked_losses(model, model.encode(shown), words, chosen).double().mean().item()
        optimum = at_words(LANGUAGE.log_both_sides(words.numpy(), chosen.numpy()), words.numpy())[chosen.numpy()]
        return {"test loss": found, "over the optimum": found + optimum.mean()}
    nats = right = count = paired = 0.0
    for tokens, segments, label, shown, chosen in asked(test_set, config.evaluated):
        hidden = model.encode(shown, segments, tokens != model.config.pad)
        logits, wanted = model.mlm(hidden[chosen]), tokens[chosen]
        nats += F.cross_entropy(logits, wanted, reduction="sum").item()
        right += (logits.argmax(dim=1) == wanted).sum().item()
        count += len(wanted)
        paired += (model.nsp(hidden).argmax(dim=1) == label).sum().item()
    return {"test mlm": nats / count, "mlm accuracy": right / count, "nsp accuracy": paired / config.evaluated}


def asked(pairs, n):
    """The first n pairs in batches, always with the same tokens chosen: tokens, segments, label, shown and chosen."""
    generator = torch.Generator().manual_seed(0)
    for start in range(0, n, 64):
        tokens, segments, label = pairs[range(start, min(start + 64, n))]
        yield tokens, segments, label, *choose(tokens, PIECES, generator)

"""Lesson 7's fine-tuning: a BERT that was pre-trained, one new layer, and a task with few labels."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.data import TensorDataset

from course_utils.data.entailment import LABELS, sample_entailment
from course_utils.data.manifest import LIBRARIES
from course_utils.data.pairs import pack
from course_utils.data.questions import library_words, sample_questions
from course_utils.data.shipped import checkpoint
from course_utils.data.tables import stratified_order
from course_utils.data.text import docstrings
from course_utils.data.wordpiece import PAD, SEP, docstring_tokenizer
from course_utils.models.bert import Bert, Classifier, SpanReader, best_spans
from course_utils.recipes import bert
from course_utils.training.config import Config as TrainingConfig
from course_utils.training.loop import load
from course_utils.training.optimisers import adamw, warm_cosine

LONGEST = 8  # pieces of an answer


@dataclass(frozen=True, kw_only=True)
class Config(TrainingConfig):
    """``task``: nli, qa, or library. ``examples``: labelled ones to train on; ``tested``: to test on, 0 is all.

    ``initial``: the shipped BERT to begin with, or none for random weights of the same shape.
    ``frozen``: BERT stays as it is, and the new layer alone learns.
    ``length``: pieces of a text, or a pair of texts.
    ``head_rate``: the new layer's learning rate; ``rate`` is that of the rest.
    """

    task: str = "nli"
    examples: int = 1000
    tested: int = 1000
    initial: str = "bert-docstrings"
    frozen: bool = False
    length: int = 64
    head_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup: int = 20
    clip: float | None = 1.0


PRESETS = {
    "nli": Config(steps=400, batch_size=32, rate=3e-4),
    "qa": Config(task="qa", examples=2000, steps=300, batch_size=32, rate=5e-4),
    "library": Config(task="library", steps=200, batch_size=16, rate=3e-4, tested=0),
}


def model(config):
    """BERT of the shipped one's shape with a new layer; ``start`` gives it its weights."""
    body = Bert(load(checkpoint("bert-docstrings"), bert).config)
    if config.task == "qa":
        return SpanReader(body)
    classes = {"nli": len(LABELS), "library": len(LIBRARIES)}
    if config.task not in classes:
        raise ValueError(f"task must be nli, qa or library; got {config.task!r}.")
    return Classifier(body, classes[config.task])


def start(model, train_set, config):
    """The pre-trained weights."""
    if config.initial != "none":
        model.bert.load_state_dict(load(checkpoint(config.initial), bert).state_dict())


def data(config, source=None):
    """Examples of the training part and of the test part. There is nothing to choose by ``--data``."""
    if source is not None:
        raise ValueError(f"--data: this recipe's tasks are named by --set task=…; got {source!r}.")
    rows = {"nli": entailment, "qa": questions, "library": libraries}
    if config.task not in rows:
        raise ValueError(f"task must be nli, qa or library; got {config.task!r}.")
    return tuple(
        rows[config.task](part, n, config) for part, n in (("train", config.examples), ("test", config.tested))
    )


def random_state(part, seed):
    """Seeds of a part's examples: the run's seed changes the training part, and the test part stays the same."""
    return [1, seed] if part == "train" else [0]


def entailment(part, n, config):
    """TensorDataset of tokens, segments (n, T) and label (n,): the premise is text A, the hypothesis text B."""
    examples = sample_entailment(n, part, random_state(part, config.seed))
    tokenizer = docstring_tokenizer()
    premises, hypotheses = (tokenizer.encode_batch([e[i] for e in examples]) for i in (0, 1))
    tokens, segments = pack([(a.ids, b.ids) for a, b in zip(premises, hypotheses)], config.length)
    return TensorDataset(tokens, segments, torch.tensor([e.label for e in examples]))


def questions(part, n, config):
    """TensorDataset of tokens, segments (n, T) and span (n, 2), the answer's first and last token."""
    examples = sample_questions(library_words(docstrings("train")), part, n, random_state(part, config.seed))
    tokenizer, pairs, spans = docstring_tokenizer(), [], []
    for example in examples:
        question, passage = tokenizer.encode(example.question), tokenizer.encode(example.passage)
        end = example.start + len(example.answer) - 1
        before = len(question.ids) + 2  # [CLS] question [SEP]
        spans.append([before + passage.char_to_token(i) for i in (example.start, end)])
        pairs.append((question.ids, passage.ids))
    tokens, segments = pack(pairs, config.length)
    spans = torch.tensor(spans)
    fits = spans[:, 1] < tokens.shape[1]  # an answer may stand where a long passage is cut
    return TensorDataset(tokens[fits], segments[fits], spans[fits])


def libraries(part, n, config):
    """TensorDataset of tokens, segments (n, T) and library (n,): the first n documents of a stratified order."""
    corpus = docstrings(part)
    order = np.arange(len(corpus))
    if part == "train":
        order = stratified_order(corpus.y, np.random.default_rng(config.seed))
    order = order[: n or len(order)]
    tokenizer = docstring_tokenizer()
    texts = tokenizer.encode_batch([" ".join(corpus.documents[i].sentences) for i in order])
    tokens, segments = pack([(text.ids, None) for text in texts], config.length)
    return TensorDataset(tokens, segments, torch.from_numpy(corpus.y[order]))


def loss(model, batch, generator):
    """−log p of the label, or the mean of those of the answer's first and last token, in nats."""
    tokens, segments, wanted = trimmed(batch)
    logits = model(tokens, segments).float()
    return F.cross_entropy(logits, wanted)  # (B, classes) and (B,), or (B, T, 2) and (B, 2): over the tokens T


def trimmed(batch):
    """A batch without the columns in which all rows have padding."""
    tokens, segments, wanted = batch
    longest = int((tokens != PAD).sum(dim=1).max())
    return tokens[:, :longest], segments[:, :longest], wanted


def optimiser(model, config):
    """AdamW with a rate for BERT and another for the new layer; of a frozen BERT for the new layer alone."""
    options = {"weight_decay": config.weight_decay, "betas": (0.9, 0.98)}
    head = adamw(model.head.parameters(), config.head_rate, **options)
    if config.frozen:
        model.bert.requires_grad_(False)
        return head
    return [adamw(model.bert.parameters(), config.rate, **options), head]


def schedule(optimiser, config):
    """Up in the first steps, then down along half a cosine to zero."""
    return warm_cosine(optimiser, config.steps, config.warmup)


def evaluate(model, test_set, config):
    """The share of test examples that are right; of answers also the F1 of their tokens, as SQuAD counts it."""
    right = overlap = 0.0
    for start in range(0, len(test_set), 64):
        tokens, segments, wanted = trimmed(test_set[start : start + 64])
        logits = model(tokens, segments)
        if config.task != "qa":
            right += (logits.argmax(dim=1) == wanted).sum().item()
            continue
        found = best_spans(logits, (segments == 1) & (tokens != SEP), LONGEST)
        right += (found == wanted).all(dim=1).sum().item()
        overlap += span_f1(found, wanted).sum().item()
    shares = {"accuracy": right / len(test_set)}
    return shares | {"f1": overlap / len(test_set)} if config.task == "qa" else shares


def span_f1(found, wanted):
    """2 · shared / (tokens found + tokens wanted), (B, 2) and (B, 2) → (B,)."""
    shared = (torch.minimum(found[:, 1], wanted[:, 1]) - torch.maximum(found[:, 0], wanted[:, 0]) + 1).clamp(min=0)
    return 2 * shared / (found[:, 1] - found[:, 0] + wanted[:, 1] - wanted[:, 0] + 2)

"""BERT: the Transformer's encoder, pre-trained on what was masked and on whether two sentences follow each other.

As published (Devlin et al. 2019, "BERT: pre-training of deep bidirectional Transformers for language understanding"),
and equal to the transformers library's BertForPreTraining.
"""

import functools
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

from . import huggingface
from .attention import Block
from .huggingface import Origin
from .query_key import query_key


@dataclass(frozen=True, kw_only=True)
class BertConfig:
    """What a BERT is made of. The switches' defaults are BERT's; the sizes' are for a CPU.

    Attributes
    ----------
    vocabulary : int
    length : int, tokens that there are positions for
    d, heads, layers, mlp : int, width, heads, blocks, width inside the MLPs
    segments : int, kinds of segments, 2 for pairs of sentences; 0 leaves out their embedding, the pooler and next
        sentence prediction
    dropout : float, of the embedded tokens and of every sub-layer's output
    norm_first : bool, False is BERT's post-norm; True trains without a warm-up and has a last norm
    positions : "learned", a vector for each, or "rotary": queries and keys are turned by an angle in proportion to the
        position, with ``rotary_base`` as in QueryKey, so that their product depends on the distance
    query_key_norm : bool, queries and keys have the root mean square 1, so that no score exceeds √(d/H)
    tied : bool, the MLM head's matrix is that of the embedding; its bias is its own
    pad : int or None, the token that fills a sequence and is not attended to
    bfloat16 : bool, matrix products in bfloat16 while training, which pays where the processor has it
    epsilon : float, of the norms
    """

    vocabulary: int
    length: int = 128
    d: int = 128
    heads: int = 4
    layers: int = 4
    mlp: int = 512
    segments: int = 2
    dropout: float = 0.0
    norm_first: bool = False
    positions: str = "learned"
    rotary_base: float = 10_000.0
    query_key_norm: bool = False
    tied: bool = True
    pad: int | None = 0
    bfloat16: bool = False
    epsilon: float = 1e-12

    def __post_init__(self):
        if self.positions not in ("learned", "rotary"):
            raise ValueError(f"positions must be learned or rotary; got {self.positions!r}.")


class BertOutput(NamedTuple):
    """``mlm_logits``: (B, T, vocabulary). ``nsp_logits``: (B, 2), of "is next" and "is not". ``hidden``: (B, T, d)."""

    mlm_logits: torch.Tensor
    nsp_logits: torch.Tensor | None
    hidden: torch.Tensor


class Bert(nn.Module):
    """p(x_t | all tokens that are shown), for every t at once. No product of these is a p(x)."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        norm = functools.partial(nn.LayerNorm, eps=config.epsilon)
        self.embedding = nn.Embedding(config.vocabulary, config.d)
        self.positions = nn.Embedding(config.length, config.d) if config.positions == "learned" else None
        self.segments = nn.Embedding(config.segments, config.d) if config.segments else None
        self.embedding_norm, self.dropout = norm(config.d), nn.Dropout(config.dropout)
        options = {"norm_first": config.norm_first, "dropout": config.dropout, "activation": nn.GELU, "norm": norm}
        options["prepare"] = query_key(config)
        self.blocks = nn.ModuleList(Block(config.d, config.heads, config.mlp, **options) for _ in range(config.layers))
        self.norm = norm(config.d) if config.norm_first else nn.Identity()
        self.mlm_transform = nn.Sequential(nn.Linear(config.d, config.d), nn.GELU(), norm(config.d))
        self.mlm_head = nn.Linear(config.d, config.vocabulary)
        if config.tied:
            self.mlm_head.weight = self.embedding.weight
        self.pooler = nn.Sequential(nn.Linear(config.d, config.d), nn.Tanh()) if config.segments else None
        self.nsp_head = nn.Linear(config.d, 2) if config.segments else None
        initialise(self)

    def forward(self, tokens, segments=None, mask=None):
        """Everything that BERT says of a batch.

        Parameters
        ----------
        tokens : (B, T) of int
        segments : (B, T) of int, 0 for the first sentence, 1 for the second; None is all 0
        mask : (B, T) of bool, True = may be attended to; None hides the padding

        Returns
        -------
        BertOutput; nsp_logits is None without segments

        Raises
        ------
        ValueError
            If there are more tokens than positions, or segments where the model has none.
        """
        hidden = self.encode(tokens, segments, mask)
        return BertOutput(self.mlm(hidden), self.nsp(hidden) if self.config.segments else None, hidden)

    def encode(self, tokens, segments=None, mask=None):
        """One vector a token, made with all others in sight: (B, T) → (B, T, d)."""
        length = tokens.shape[1]
        if length > self.config.length:
            raise ValueError(f"there are {self.config.length} positions; got a sequence of {length} tokens.")
        if segments is not None and self.segments is None:
            raise ValueError("this model has no segments, for its configuration says segments=0; got some.")
        if mask is None and self.config.pad is not None:
            mask = tokens != self.config.pad
        if mask is not None:
            mask = mask[:, None, None]  # (B, 1, 1, T): the same for all heads and queries
        x = self.embedding(tokens)  # (B, T, d)
        if self.positions is not None:
            x = x + self.positions.weight[:length]
        if self.segments is not None:
            x = x + self.segments(torch.zeros_like(tokens) if segments is None else segments)
        x = self.dropout(self.embedding_norm(x))
        with self._precision(x):
            for block in self.blocks:
                x = block(x, mask=mask)
            return self.norm(x)

    def mlm(self, hidden):
        """Logits of the token that stands, or stood, there: (…, d) → (…, vocabulary).

        Pre-training asks at the chosen positions alone, some 15 %, and saves the rest of the largest matrix product.
        """
        with self._precision(hidden):
            return self.mlm_head(self.mlm_transform(hidden))

    def nsp(self, hidden):
        """Logits of "is the next sentence" and "is not", read off the first token, [CLS]: (B, T, d) → (B, 2)."""
        return self.nsp_head(self.pooler(hidden[:, 0]))

    def _precision(self, x):
        return torch.autocast(x.device.type, torch.bfloat16, enabled=self.config.bfloat16 and self.training)

    @classmethod
    def from_huggingface(cls, model):
        """The same model as a BertForPreTraining, or as any object with its ``config`` and ``state_dict()``.

        Raises ValueError where the configuration asks for what BERT has not, or for weights that do not fit (named).
        """
        theirs, tensors = model.config, model.state_dict()
        huggingface.require(theirs, {"hidden_act": "gelu", "is_decoder": False, "tie_word_embeddings": True})
        huggingface.require(theirs, {"position_embedding_type": "absolute"})
        config = BertConfig(
            vocabulary=theirs.vocab_size, length=theirs.max_position_embeddings,
            d=theirs.hidden_size, heads=theirs.num_attention_heads, layers=theirs.num_hidden_layers,
            mlp=theirs.intermediate_size, segments=theirs.type_vocab_size, dropout=theirs.hidden_dropout_prob,
            pad=theirs.pad_token_id, epsilon=theirs.layer_norm_eps,
        )  # fmt: skip
        # Old files call a norm's weight gamma and its bias beta; the decoder is the embedding and the bias once more.
        old = ((".gamma", ".weight"), (".beta", ".bias"))
        for before, after in old:
            tensors = {
                name.removesuffix(before) + after * name.endswith(before): tensor for name, tensor in tensors.items()
            }
        again = ("cls.predictions.decoder.weight", "cls.predictions.decoder.bias", "bert.embeddings.position_ids")
        tensors = {name: tensor for name, tensor in tensors.items() if name not in again}
        bert = cls(config).to(next(iter(tensors.values())).dtype)
        huggingface.fill(bert, tensors, _origins(config))
        return bert.eval()


class Classifier(nn.Module):
    """BERT with a new last layer that names a text's class, or what one text says of another, from [CLS].

    Parameters
    ----------
    bert : Bert with segments
    classes : int
    dropout : float, of the pooled [CLS] while training
    """

    def __init__(self, bert, classes, dropout=0.1):
        super().__init__()
        self.bert, self.dropout = bert, nn.Dropout(dropout)
        self.head = new_head(bert.config.d, classes)

    def forward(self, tokens, segments=None, mask=None):
        """Logits of the classes: (B, T) → (B, classes). The parameters are those of ``Bert``."""
        return self.head(self.dropout(self.bert.pooler(self.bert.encode(tokens, segments, mask)[:, 0])))


class SpanReader(nn.Module):
    """BERT with a new last layer that finds where in a passage the answer to a question begins and ends.

    p(start = i) ∝ exp(S · T_i) over all tokens, and the same for the end with a vector of its own (Devlin et al. 2019,
    section 4.2); T_i is BERT's vector of token i.
    """

    def __init__(self, bert):
        super().__init__()
        self.bert, self.head = bert, new_head(bert.config.d, 2)

    def forward(self, tokens, segments=None, mask=None):
        """Logits of start and end: (B, T) → (B, T, 2), −inf at padding. The parameters are those of ``Bert``."""
        logits = self.head(self.bert.encode(tokens, segments, mask))
        if mask is None and self.bert.config.pad is not None:
            mask = tokens != self.bert.config.pad
        return logits if mask is None else logits.masked_fill(~mask[..., None], float("-inf"))


def new_head(d, outputs):
    """A last layer that has learnt nothing yet: weights N(0, 0.02), biases 0."""
    head = nn.Linear(d, outputs)
    nn.init.normal_(head.weight, std=0.02)
    nn.init.zeros_(head.bias)
    return head


def best_spans(logits, passage, longest):
    """The most probable span of each passage: the greatest S · T_i + E · T_j with i ≤ j < i + longest.

    Parameters
    ----------
    logits : (B, T, 2), of start and end
    passage : (B, T) of bool, True where an answer may stand
    longest : int, most tokens of an answer

    Returns
    -------
    (B, 2) of int, first and last token
    """
    start, end = logits.masked_fill(~passage[..., None], float("-inf")).unbind(dim=-1)
    length = logits.shape[1]
    ordered = torch.ones(length, length, dtype=torch.bool, device=logits.device).triu().tril(longest - 1)  # i ≤ j
    scores = (start[:, :, None] + end[:, None, :]).masked_fill(~ordered, float("-inf"))  # (B, T, T)
    best = scores.flatten(1).argmax(dim=1)
    return torch.stack([best // length, best % length], dim=1)


def initialise(bert):
    """BERT's: N(0, 0.02) for matrices and embeddings, biases 0, gains 1."""
    for module in bert.modules():
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)


def _origins(config):
    """Our parameters' names → theirs; queries, keys and values are three matrices there."""
    embeddings = {
        "embedding": "word_embeddings",
        "positions": "position_embeddings",
        "segments": "token_type_embeddings",
    }
    origins = {f"{ours}.weight": Origin((f"bert.embeddings.{theirs}.weight",)) for ours, theirs in embeddings.items()}
    layers = {
        "embedding_norm": ("bert.embeddings.LayerNorm",),
        "mlm_transform.0": ("cls.predictions.transform.dense",),
        "mlm_transform.2": ("cls.predictions.transform.LayerNorm",),
        "pooler.0": ("bert.pooler.dense",),
        "nsp_head": ("cls.seq_relationship",),
    }
    for i in range(config.layers):
        ours, theirs = f"blocks.{i}", f"bert.encoder.layer.{i}"
        projections = tuple(f"{theirs}.attention.self.{name}" for name in ("query", "key", "value"))
        layers |= {
            f"{ours}.attention.project": projections,
            f"{ours}.attention.out": (f"{theirs}.attention.output.dense",),
            f"{ours}.attention_norm": (f"{theirs}.attention.output.LayerNorm",),
            f"{ours}.mlp.0": (f"{theirs}.intermediate.dense",),
            f"{ours}.mlp.2": (f"{theirs}.output.dense",),
            f"{ours}.mlp_norm": (f"{theirs}.output.LayerNorm",),
        }
    for ours, theirs in layers.items():
        for kind in ("weight", "bias"):
            origins[f"{ours}.{kind}"] = Origin(tuple(f"{name}.{kind}" for name in theirs))
    origins["mlm_head.bias"] = Origin(("cls.predictions.bias",))
    return origins

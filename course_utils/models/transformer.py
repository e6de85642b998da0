"""The Transformer, encoder and decoder (Vaswani et al. 2017, "Attention is all you need")."""

import math
from dataclasses import dataclass

import torch
from torch import nn

from .attention import Block
from .decoding import Cache, beam_search


def sinusoidal_positions(positions, d):
    """Sines and cosines of position · 10000^(−2i/d), in turn (their section 3.5): (…,) → (…, d) of float64, d even.

    Each pair is a point on a circle, and a shift by k tokens turns it by the angle k · 10000^(−2i/d).
    """
    rates = 10_000.0 ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)  # (d/2,)
    angles = positions[..., None] * rates  # (…, d/2)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)  # (…, d)


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """What a Transformer is made of; the defaults are about a hundredth of the paper's base model.

    Attributes
    ----------
    source_vocabulary, target_vocabulary : int, tokens of either side
    d, heads, layers, mlp : int, width, heads, blocks in each of encoder and decoder, width inside the MLPs
    dropout : float
    norm_first : bool, pre-norm, which trains without a warm-up; the paper has post-norm
    positions : "sinusoidal", or "none", with which the encoder knows no order
    length : int, positions that there are
    pad, begin, end : int, tokens that fill, begin and end a sequence
    """

    source_vocabulary: int
    target_vocabulary: int
    d: int = 128
    heads: int = 4
    layers: int = 2
    mlp: int = 512
    dropout: float = 0.0
    norm_first: bool = True
    positions: str = "sinusoidal"
    length: int = 1024
    pad: int = 0
    begin: int = 1
    end: int = 2

    def __post_init__(self):
        if self.positions not in ("sinusoidal", "none"):
            raise ValueError(f"positions must be 'sinusoidal' or 'none'; got {self.positions!r}.")
        if self.d % 2:
            raise ValueError(f"d must be even, for sines and cosines come in pairs; got {self.d}.")


class Transformer(nn.Module):
    """log p(target | source), a token at a time: the encoder reads the whole source at once, the decoder what it wrote.

    Pre-norm leaves the residual stream without a norm at its end, so each stack has a last one then; the paper's
    post-norm stacks have none.
    """

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.source_embedding = nn.Embedding(config.source_vocabulary, config.d)
        self.target_embedding = nn.Embedding(config.target_vocabulary, config.d)
        shape = {"norm_first": config.norm_first, "dropout": config.dropout}
        self.encoder, self.decoder = (
            nn.ModuleList(Block(config.d, config.heads, config.mlp, cross=cross, **shape) for _ in range(config.layers))
            for cross in (False, True)
        )
        self.encoder_norm, self.decoder_norm = (
            nn.LayerNorm(config.d) if config.norm_first else nn.Identity() for _ in range(2)
        )
        self.head = nn.Linear(config.d, config.target_vocabulary)
        self.dropout = nn.Dropout(config.dropout)
        positions = sinusoidal_positions(torch.arange(config.length), config.d).float()
        self.register_buffer("positions", positions * (config.positions == "sinusoidal"), persistent=False)
        self.apply(initialise)
        nn.init.zeros_(self.head.weight)  # so that training begins at a loss of log V exactly

    def forward(self, source, target, source_mask=None, positions=(None, None)):
        """Logits of the token after each of the target's.

        Parameters
        ----------
        source, target : (B, S) and (B, T) of int; the target begins with ``config.begin``
        source_mask : (B, S) of bool, True = may attend; None hides the padding
        positions : two tensors, (S,) and (T,) of int: where the tokens are said to stand; None is 0, 1, 2 …

        Returns
        -------
        (B, T, target_vocabulary)
        """
        source_mask = self._mask(source, source_mask)
        return self.decode(target, self.encode(source, source_mask, positions[0]), source_mask, positions[1])

    def encode(self, source, source_mask=None, positions=None):
        """The memory: one vector a token of the source, made with all of them in sight, (B, S) → (B, S, d)."""
        mask = self._mask(source, source_mask)[:, None, None]  # (B, 1, 1, S): the same for all heads and queries
        x = self._embed(self.source_embedding, source, positions)
        for block in self.encoder:
            x = block(x, mask=mask)
        return self.encoder_norm(x)

    def decode(self, target, memory, source_mask, positions=None, caches=None):
        """Logits (B, T, V) of the token after each of the target's, (B, T), which follow those in the caches."""
        x = self._embed(self.target_embedding, target, positions, 0 if caches is None else caches[0][0].size)
        mask = source_mask[:, None, None]
        for block, own in zip(self.decoder, caches or [(None, None)] * len(self.decoder), strict=True):
            x = block(x, memory, memory_mask=mask, causal=True, caches=own)
        return self.head(self.decoder_norm(x))

    @torch.no_grad()
    def translate(self, source, source_mask=None, *, max_length=200, beams=1, positions=(None, None)):
        """The most probable translation that a beam search finds; one beam is greedy.

        source, source_mask, positions : as in ``forward``, with (max_length,) positions of the target
        max_length : int, most tokens, the end token included
        returns : Translation, tokens (B, n) and log_prob (B,) in nats
        """
        source_mask = self._mask(source, source_mask)
        memory = self.encode(source, source_mask, positions[0]).repeat_interleave(beams, dim=0)
        mask = source_mask.repeat_interleave(beams, dim=0)
        caches = [(Cache(max_length), Cache(source.shape[1])) for _ in self.decoder]

        def step(tokens, parents):
            if beams > 1 and caches[0][0].size:
                for own, _ in caches:
                    own.reorder(parents)
            t = caches[0][0].size
            here = None if positions[1] is None else positions[1][t : t + 1]
            return self.decode(tokens[:, None], memory, mask, here, caches)[:, -1]

        special = {"begin": self.config.begin, "end": self.config.end, "pad": self.config.pad}
        return beam_search(step, len(source), beams=beams, max_length=max_length, device=source.device, **special)

    def _embed(self, embedding, tokens, positions, start=0):
        """Token and position, (B, T) → (B, T, d); √d makes both alike in size (their section 3.4)."""
        end = start + tokens.shape[1]
        if end > self.config.length:
            raise ValueError(f"there are {self.config.length} positions; got a sequence of {end} tokens.")
        where = self.positions[start:end] if positions is None else self.positions[positions]  # (T, d)
        return self.dropout(embedding(tokens) * math.sqrt(self.config.d) + where)

    def _mask(self, source, source_mask):
        return source != self.config.pad if source_mask is None else source_mask


def initialise(module):
    """Linear: Xavier uniform, as torch's own Transformer, and bias 0. Embedding: N(0, 1/d), which √d makes N(0, 1)."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=module.embedding_dim**-0.5)

"""Lesson 6's promise, against torch's nn.Transformer with the same weights: steps of training, and tokens of decoding.

Training: 0.95 times its steps a second. Decoding: 3 times the tokens a second of the usual loop, which encodes the
source once and computes the whole target again for every token.
"""

import math
import warnings

import pytest
import torch
from threadpoolctl import threadpool_limits
from torch import nn
from torch.nn import functional as F

from course_utils.data.translation import END, ENGLISH, KOREAN, PAD, Lists
from course_utils.models.transformer import Transformer, TransformerConfig, sinusoidal_positions
from tests.models.test_attention import copy_block

pytestmark = pytest.mark.slow

AGAINST = {"lesson": 6, "against": "nn.Transformer"}
CONFIG = TransformerConfig(source_vocabulary=len(KOREAN), target_vocabulary=len(ENGLISH))
BATCH, LENGTH, STEPS = 32, 64, 3


class Peer(nn.Module):
    """nn.Transformer, with embeddings, positions and a head around it."""

    def __init__(self):
        super().__init__()
        c = CONFIG
        self.source, self.target = nn.Embedding(len(KOREAN), c.d), nn.Embedding(len(ENGLISH), c.d)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that pre-norm cannot use nested tensors
            self.stacks = nn.Transformer(
                c.d, c.heads, c.layers, c.layers, c.mlp, dropout=0.0, batch_first=True, norm_first=True
            )
        self.head = nn.Linear(c.d, len(ENGLISH))
        self.register_buffer("positions", sinusoidal_positions(torch.arange(c.length), c.d).float())

    def embed(self, embedding, tokens):
        return embedding(tokens) * math.sqrt(CONFIG.d) + self.positions[: tokens.shape[1]]

    def encode(self, source):
        return self.stacks.encoder(self.embed(self.source, source), src_key_padding_mask=source == PAD)

    def decode(self, target, memory, source):
        blocked = torch.ones(target.shape[1], target.shape[1], dtype=torch.bool).triu(1)
        states = self.stacks.decoder(
            self.embed(self.target, target), memory,
            tgt_mask=blocked, tgt_is_causal=True, memory_key_padding_mask=source == PAD,
        )  # fmt: skip
        return self.head(states)

    def forward(self, source, target):
        return self.decode(target, self.encode(source), source)

    @torch.no_grad()
    def translate(self, source, max_length):
        memory, target = self.encode(source), torch.full((len(source), 1), CONFIG.begin)
        for _ in range(max_length):
            best = self.decode(target, memory, source)[:, -1].argmax(dim=-1)
            target = torch.cat([target, best[:, None]], dim=1)
        return target[:, 1:]


@pytest.fixture(params=[1, 2], ids=["one thread", "two threads"])
def torch_threads(request):
    before = torch.get_num_threads()
    with threadpool_limits(request.param):
        torch.set_num_threads(request.param)
        yield request.param
        torch.set_num_threads(before)


@pytest.fixture(scope="module")
def both():
    """Ours and its peer with the same random weights, which never write the end: each sequence has its full length."""
    torch.manual_seed(0)
    peer, ours = Peer(), Transformer(CONFIG)
    with torch.no_grad():
        for parameter in peer.parameters():
            parameter.normal_(std=0.1)
        peer.head.bias[[PAD, END]] = -1000.0
    for blocks, stack, cross in (
        (ours.encoder, peer.stacks.encoder, False),
        (ours.decoder, peer.stacks.decoder, True),
    ):
        for block, layer in zip(blocks, stack.layers, strict=True):
            copy_block(block, layer, cross)
    for mine, theirs in (
        (ours.source_embedding, peer.source),
        (ours.target_embedding, peer.target),
        (ours.encoder_norm, peer.stacks.encoder.norm),
        (ours.decoder_norm, peer.stacks.decoder.norm),
        (ours.head, peer.head),
    ):
        mine.load_state_dict(theirs.state_dict())
    return ours, peer


@pytest.mark.parametrize(("what", "numbers", "rows"), [("numbers", (1,), 128), ("lists of four", (4,), 32)])
def test_training(what, numbers, rows, both, compare, torch_threads):
    lists = Lists(1000, 500, numbers=numbers)
    batches = [lists[range(i * rows, (i + 1) * rows)] for i in range(STEPS)]

    def steps(model):
        adamw = torch.optim.AdamW(model.parameters(), lr=0.0)

        def run():
            for source, target in batches:
                adamw.zero_grad()
                logits = model(source, target[:, :-1])
                F.cross_entropy(logits.flatten(0, 1), target[:, 1:].flatten(), ignore_index=PAD).backward()
                adamw.step()

        return run

    ours, peer = both
    source, target = batches[0]
    torch.testing.assert_close(ours(source, target), peer(source, target), rtol=1e-3, atol=1e-3)
    what = f"Transformer, training on {what}"
    compare(what, steps(ours), steps(peer), promise=0.95, threads=torch_threads, rounds=9, **AGAINST)


def test_decoding(both, compare, torch_threads):
    ours, peer = (model.eval() for model in both)
    source, _ = Lists(1000, 500, numbers=(4,))[range(BATCH)]
    found, expected = ours.translate(source, max_length=LENGTH).tokens, peer.translate(source, LENGTH)
    assert found.shape == expected.shape == (BATCH, LENGTH)
    assert (found == expected).float().mean() > 0.9  # rounding may turn a tie, and what follows it

    compare(
        "Transformer, decoding 64 tokens",
        lambda: ours.translate(source, max_length=LENGTH),
        lambda: peer.translate(source, LENGTH),
        promise=3,
        threads=torch_threads,
        rounds=5,
        **AGAINST,
    )

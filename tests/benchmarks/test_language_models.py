"""The promises of lessons 7 and 8, against transformers' models of the same size, for GPT with the same weights.

BERT's pre-training: 1.2 times its tokens a second. Greedy generation with a cache: twice as fast at the lesson's size,
as fast at GPT-2 small's, where reading the weights takes the time; there 15 times as fast as without a cache.
"""

import dataclasses
import logging

import pytest
import torch
import transformers

from course_utils.data.wordpiece import PIECES
from course_utils.experiments.gpt_cache import cached_step, whole_pass
from course_utils.models.gpt import GPT
from course_utils.recipes import bert
from course_utils.training.optimisers import adamw
from tests.models.oracles import build

pytestmark = pytest.mark.slow

LESSON = {"vocab_size": 65, "n_positions": 256, "n_embd": 128, "n_head": 4, "n_layer": 4}
GPT2_SMALL = {"vocab_size": 50_257, "n_positions": 1024, "n_embd": 768, "n_head": 12, "n_layer": 12}
PROMPT = torch.tensor([[3, 1, 4, 1, 5]])
AGAINST = {"against": "transformers"}


@pytest.fixture(params=[1, 2], ids=["one thread", "two threads"])
def torch_threads(request):
    threads = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(threads)


def two_gpts(sizes):
    """Transformers' GPT-2 with random weights, and ours with the same."""
    config = transformers.GPT2Config(**sizes, bos_token_id=0, eos_token_id=None)
    theirs = build(transformers.GPT2LMHeadModel, config, "default", torch.float32)
    return theirs, GPT.from_huggingface(theirs)


@pytest.mark.parametrize(
    ("what", "sizes", "n", "promise", "rounds"),
    [("GPT, 200 tokens", LESSON, 200, 2, 7), ("GPT-2 small, 1,000 tokens", GPT2_SMALL, 1000, 1, 1)],
    ids=["lesson", "gpt2"],
)
def test_generation(compare, torch_threads, what, sizes, n, promise, rounds):
    theirs, ours = two_gpts(sizes)
    found = {}
    options = {"attention_mask": torch.ones_like(PROMPT), "do_sample": False, "pad_token_id": 0}

    def generate():
        found["ours"] = ours.generate(PROMPT, n, temperature=0)

    def peer():
        found["theirs"] = theirs.generate(PROMPT, max_new_tokens=n, **options)

    compare(what, generate, peer, lesson=8, promise=promise, threads=torch_threads, rounds=rounds, **AGAINST)
    assert torch.equal(found["ours"], found["theirs"])


def test_the_cache(compare, torch_threads):
    """One token at each of ten positions among the first thousand, against reading all before it again, as nanoGPT."""
    ours, positions = two_gpts(GPT2_SMALL)[1], range(50, 1000, 100)
    tokens = ours.generate(PROMPT, 1000 - PROMPT.shape[1], temperature=0)
    with torch.inference_mode():
        steps = [cached_step(ours, tokens[:, :t]) for t in positions]
        passes = [whole_pass(ours, tokens[:, :t]) for t in positions]
        found = {}

        def cached():
            found["cached"] = [int(step().argmax()) for step in steps]

        def recomputed():
            found["recomputed"] = [int(whole().argmax()) for whole in passes]

        what = "GPT-2 small, a token at ten positions"
        options = {"promise": 15, "against": "no cache", "threads": torch_threads, "rounds": 3}
        compare(what, cached, recomputed, lesson=8, **options)
    assert found["cached"] == found["recomputed"] == [int(tokens[0, t]) for t in positions]


def test_pre_training(compare, torch_threads):
    """Steps at the docstrings preset's size, 32 × 128 tokens in single precision: one loss, optimiser, no dropout."""
    logging.getLogger("transformers").setLevel(logging.ERROR)
    config, generator = bert.PRESETS["docstrings"], torch.Generator().manual_seed(0)
    config = dataclasses.replace(config, length=128, bfloat16=False)  # both in single precision
    config = dataclasses.replace(config, positions="learned", query_key_norm=False)  # and the published model
    torch.manual_seed(0)
    ours = bert.model(config).train()
    theirs = transformers.BertForPreTraining(
        transformers.BertConfig(
            vocab_size=PIECES, max_position_embeddings=config.length,
            hidden_size=config.d, intermediate_size=config.mlp, num_hidden_layers=config.layers,
            num_attention_heads=config.heads, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
        )
    ).train()  # fmt: skip
    counts = [sum(p.numel() for p in model.parameters()) for model in (ours, theirs)]
    assert abs(counts[0] - counts[1]) <= 2 * config.d  # ours may have a last norm
    tokens = torch.randint(5, PIECES, (32, config.length), generator=generator)
    segments = (torch.arange(config.length) >= 60).long().expand_as(tokens).contiguous()
    label = torch.randint(2, (32,), generator=generator)
    shown, chosen = bert.choose(tokens, PIECES, generator, bert.DOCSTRING_SHARE)
    labels = torch.where(chosen, tokens, -100)
    options = {"weight_decay": 0.01, "betas": (0.9, 0.98)}
    our_adamw, their_adamw = (adamw(model.parameters(), 1e-3, **options) for model in (ours, theirs))

    def step(optimiser, loss):
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    def our_step():
        step(our_adamw, bert.loss(ours, (tokens, segments, label), generator)[0])

    def their_step():
        inputs = {"attention_mask": torch.ones_like(shown), "token_type_ids": segments}
        step(their_adamw, theirs(shown, labels=labels, next_sentence_label=label, **inputs).loss)

    what = "BERT, pre-training"
    compare(what, our_step, their_step, lesson=7, promise=1.2, threads=torch_threads, rounds=9, **AGAINST)

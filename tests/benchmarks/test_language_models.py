"""The promises of lessons 7 and 8, against transformers' models of the same size, for GPT with the same weights.

BERT's pre-training: 1.2 times its tokens a second. Greedy generation with a cache: as fast at GPT-2 small's size, where
reading the weights takes the time, twice as fast at the lesson's, and 15 times as fast as computing the past again.
"""

import logging
import statistics
import time

import pytest
import torch
import transformers

from course_utils.data.wordpiece import PIECES
from course_utils.models.gpt import GPT
from course_utils.recipes import bert
from course_utils.training.optimisers import adamw
from tests.models.oracles import build

pytestmark = pytest.mark.slow

SIZES = {"GPT-2 small's size": (50_257, 1024, 768, 12, 12), "the lesson's size": (65, 256, 128, 4, 4)}
AGAINST = {"against": "transformers"}


@pytest.fixture(params=[1, 2], ids=["one thread", "two threads"])
def torch_threads(request):
    threads = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(threads)


def pair_of_gpts(size):
    """Transformers' GPT-2 with random weights, and ours with the same."""
    vocabulary, length, d, heads, layers = SIZES[size]
    config = transformers.GPT2Config(
        vocab_size=vocabulary,
        n_positions=length,
        n_embd=d,
        n_head=heads,
        n_layer=layers,
        bos_token_id=0,
        eos_token_id=None,
    )
    theirs = build(transformers.GPT2LMHeadModel, config, "default", torch.float32)
    return theirs, GPT.from_huggingface(theirs)


def generators(theirs, ours):
    """Greedy generation of n tokens by both, as functions of n."""
    prompt = torch.tensor([[3, 1, 4, 1, 5]])
    options = {"attention_mask": torch.ones_like(prompt), "do_sample": False, "pad_token_id": 0}
    return (
        lambda n: ours.generate(prompt, n, temperature=0),
        lambda n: theirs.generate(prompt, max_new_tokens=n, **options),
    )


def test_generation(compare, torch_threads):
    ours, theirs = generators(*pair_of_gpts("the lesson's size"))
    what, n = "GPT, 200 tokens at the lesson's size", 200
    compare(what, lambda: ours(n), lambda: theirs(n), lesson=8, promise=2, threads=torch_threads, **AGAINST)
    assert torch.equal(ours(n), theirs(n))


@pytest.mark.timeout(900)
def test_long_generation(found, torch_threads):
    """Each once, for it takes a minute.

    What computing the past again would take is the time of whole passes, at some lengths, with trapezoids between.
    """
    size, n, lengths = "GPT-2 small's size", 1000, [6, 100, 250, 500, 750, 1005]
    theirs, model = pair_of_gpts(size)
    ours, peer = generators(theirs, model)
    for generate in (ours, peer):
        generate(5)  # warms up
    tokens, seconds = [], []
    for generate in (ours, peer):
        start = time.perf_counter()
        tokens.append(generate(n))
        seconds.append(time.perf_counter() - start)
    assert torch.equal(*tokens)
    passes = []
    with torch.inference_mode():
        for length in lengths:
            times = []
            for _ in range(3):
                start = time.perf_counter()
                model.head(model.encode(tokens[0][:, :length])[:, -1])
                times.append(time.perf_counter() - start)
            passes.append(statistics.median(times))
    seconds.append(float(torch.trapezoid(torch.tensor(passes), torch.tensor(lengths))))
    peers = (("", "transformers", seconds[1], 1), (", with a cache", "without one", seconds[2], 15))
    for addition, what, other, promise in peers:
        ratio = other / seconds[0]
        record = {"kind": "ratio", "lesson": 8, "what": f"GPT, {n} tokens at {size}{addition}", "against": what}
        record |= {"promise": promise, "threads": torch_threads, "ratio": ratio, "least": ratio, "greatest": ratio}
        found.append(record | {"seconds": seconds[0], "peer_seconds": other})
        assert ratio > promise / 10


def test_pre_training(compare, torch_threads):
    """Steps of the docstrings preset at 32 × 128 tokens: the same loss, chosen tokens, and optimiser; no dropout."""
    logging.getLogger("transformers").setLevel(logging.ERROR)
    config, generator = bert.PRESETS["docstrings"], torch.Generator().manual_seed(0)
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
    shown, chosen = bert.choose(tokens, PIECES, generator)
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

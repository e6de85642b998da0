"""GPT against transformers' GPT-2, and by its causality, its cache, its switches and its sampling."""

import json
import math

import pytest
import torch
import transformers
from safetensors.torch import save_file
from torch.nn import functional as F

from course_utils.data import weights
from course_utils.models.attention import recorded
from course_utils.models.decoding import Cache, next_token_probabilities
from course_utils.models.gpt import GPT, GPTConfig, SquaredReLU
from tests.models.oracles import TOLERANCE, altered, both, build, precisions
from tests.models.test_attention import EXACT, scrambled

V, LENGTH = 61, 24
SIZE = {"vocabulary": V, "length": LENGTH, "d": 20, "heads": 2, "layers": 3, "mlp": 36}
SWITCHES = {
    "as published": {},
    "rotary": {"positions": "rotary"},
    "everything": {
        "positions": "rotary", "query_key_norm": True, "norm": "rms", "activation": "relu2", "zero_residual": True,
        "tied": False,
    },
}  # fmt: skip
switched = pytest.mark.parametrize("switches", SWITCHES.values(), ids=SWITCHES)


def small(**switches):
    """A small GPT in float64 with every parameter N(0, 0.3)."""
    return scrambled(GPT(GPTConfig(**SIZE | switches)))


def enlivened(model):
    """The model whose greedy continuation keeps changing: with biases N(0, 0.3) it soon says one token for ever."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 1:
                parameter.fill_(float(name.endswith("weight")))
            else:
                parameter.mul_(3)
    return model


def various(tokens):
    """See that it is not one token for ever, and that the rows differ."""
    assert len(tokens.unique()) > 3
    assert len(tokens.unique(dim=0)) == len(tokens)
    return True


def published(initialisation="N(0, 0.3)", dtype=torch.float64, **changes):
    sizes = {"vocab_size": V, "n_positions": LENGTH, "n_embd": 20, "n_head": 2, "n_layer": 3, "n_inner": 36}
    config = transformers.GPT2Config(**{**sizes, "bos_token_id": 0, "eos_token_id": None, **changes})
    return build(transformers.GPT2LMHeadModel, config, initialisation, dtype)


@pytest.fixture
def tokens():
    return torch.randint(V, (3, 17), generator=torch.Generator().manual_seed(0))


class TestAgainstTransformers:
    @precisions
    @both
    def test_logits_and_every_block_are_those_of_gpt2(self, initialisation, dtype, tokens):
        theirs = published(initialisation, dtype)
        ours = GPT.from_huggingface(theirs)
        states = []
        for block in ours.blocks:
            block.register_forward_hook(lambda module, inputs, output: states.append(output))
        found, expected = ours(tokens), theirs(tokens, output_hidden_states=True)
        assert found.dtype == dtype
        torch.testing.assert_close(found, expected.logits, **TOLERANCE[dtype])
        for state, hidden in zip(states[:-1], expected.hidden_states[1:-1], strict=True):  # their last is normalised
            torch.testing.assert_close(state, hidden, **TOLERANCE[dtype])

    def test_gradients_too(self, tokens):
        theirs = published()
        ours = GPT.from_huggingface(theirs)
        for logits in (ours(tokens), theirs(tokens).logits):  # their own loss is computed in float32
            F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten()).backward()
        torch.testing.assert_close(ours.embedding.weight.grad, theirs.transformer.wte.weight.grad, **EXACT)
        ours_grad = ours.blocks[1].attention.project.weight.grad
        torch.testing.assert_close(ours_grad.T, theirs.transformer.h[1].attn.c_attn.weight.grad, **EXACT)

    @pytest.mark.parametrize("inner", [None, 36])
    def test_the_configuration_is_read(self, inner):
        ours = GPT.from_huggingface(published(n_inner=inner, layer_norm_epsilon=1e-3, resid_pdrop=0.2))
        expected = GPTConfig(**SIZE | {"mlp": inner or 80}, epsilon=1e-3, dropout=0.2)
        assert ours.config == expected
        assert ours.norm.eps == ours.blocks[0].mlp_norm.eps == 1e-3

    def test_parameters_are_as_many_as_gpt2_smalls(self):
        with torch.device("meta"):
            gpt = GPT(GPTConfig(vocabulary=50_257, length=1024, d=768, heads=12, layers=12, mlp=3072))
        assert sum(p.numel() for p in gpt.parameters()) == 124_439_808

    @pytest.mark.parametrize("prefix", ["transformer.", ""])
    def test_files_are_read_with_and_without_the_prefix(self, prefix, tokens, tmp_path):
        """The bare model's file has no head, and masks as buffers."""
        theirs = published(dtype=torch.float32)
        tensors = {name.removeprefix("transformer."): t.contiguous() for name, t in theirs.state_dict().items()}
        del tensors["lm_head.weight"]
        tensors["h.0.attn.bias"] = torch.ones(1, 1, LENGTH, LENGTH)
        save_file({prefix + name: t for name, t in tensors.items()}, tmp_path / "model.safetensors")
        (tmp_path / "config.json").write_text(json.dumps(theirs.config.to_dict()))
        ours = GPT.from_huggingface(weights.read(tmp_path))
        torch.testing.assert_close(ours(tokens), theirs(tokens).logits, **TOLERANCE[torch.float32])
        assert ours.head.weight is ours.embedding.weight

    def test_a_head_of_its_own(self, tokens):
        theirs = published(tie_word_embeddings=False)
        ours = GPT.from_huggingface(theirs)
        assert not torch.equal(ours.head.weight, ours.embedding.weight)
        torch.testing.assert_close(ours(tokens), theirs(tokens).logits, **EXACT)

    def test_what_does_not_fit_is_named(self):
        theirs = published()
        prefix = "transformer__h__1__"
        tensors = {
            prefix + "mlp__c_fc__weight": None,
            prefix + "attn__c_attn__weight": torch.zeros(60, 20),
            "extra": torch.zeros(2),
        }
        with pytest.raises(ValueError, match="do not fit a GPT") as raised:
            GPT.from_huggingface(altered(theirs, **tensors))
        told = str(raised.value)
        assert "h.1.mlp.c_fc.weight is missing" in told
        assert "h.1.attn.c_attn.weight has shape (60, 20), expected (20, 60)" in told
        assert "extra has no place in this model" in told
        assert told.count(";") == 2

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (
                {"activation_function": "gelu"},
                "activation_function must be 'gelu_new', nothing else is built here; got 'gelu'",
            ),
            ({"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx must be False"),
        ],
    )
    def test_what_is_not_built_is_named(self, change, message):
        with pytest.raises(ValueError, match=message):
            GPT.from_huggingface(published(**change))


class TestTheModel:
    @switched
    def test_the_future_changes_no_bit(self, switches, tokens):
        model = small(**switches)
        logits = model(tokens)
        for t in (1, 8, 16):
            other = tokens.clone()
            other[:, t:] = (other[:, t:] + 1) % V
            assert torch.equal(model(other)[:, :t], logits[:, :t])
            assert not torch.equal(model(other)[:, t], logits[:, t])

    @switched
    def test_loss_at_the_beginning_is_that_of_a_guess(self, switches, tokens):
        torch.manual_seed(0)
        logits = GPT(GPTConfig(**SIZE | switches))(tokens)
        loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())
        assert loss.item() == pytest.approx(math.log(V), abs=0.05)

    def test_laws_of_the_initial_weights(self):
        torch.manual_seed(0)
        model = GPT(GPTConfig(vocabulary=500, layers=8, d=64))
        spreads = {name: parameter.std().item() for name, parameter in model.named_parameters() if parameter.ndim == 2}
        assert spreads["embedding.weight"] == pytest.approx(0.02, rel=0.02)
        assert spreads["blocks.3.attention.project.weight"] == pytest.approx(0.02, rel=0.04)
        for name in ("attention.out", "mlp.2"):
            assert spreads[f"blocks.3.{name}.weight"] == pytest.approx(0.02 / 4, rel=0.04)
        assert all(not p.any() for name, p in model.named_parameters() if name.endswith("bias"))
        assert all((p == 1).all() for name, p in model.named_parameters() if name.endswith("norm.weight"))

    def test_zero_residuals_leave_the_embedded_tokens_alone(self, tokens):
        model = GPT(GPTConfig(**SIZE, zero_residual=True, positions="rotary")).double()
        expected = model.norm(model.embedding(tokens))
        torch.testing.assert_close(model.encode(tokens), expected, **EXACT)

    def test_a_tied_head_is_the_embedding_and_is_counted_once(self):
        tied, own = GPT(GPTConfig(**SIZE)), GPT(GPTConfig(**SIZE, tied=False))
        assert tied.head.weight is tied.embedding.weight
        count = [sum(p.numel() for p in model.parameters()) for model in (tied, own)]
        assert count[1] - count[0] == V * SIZE["d"]

    def test_one_batch_is_learned_by_heart(self, tokens):
        torch.manual_seed(0)
        model = GPT(GPTConfig(**SIZE | SWITCHES["everything"] | {"d": 32}))
        adamw = torch.optim.AdamW(model.parameters(), lr=1e-2)
        for _ in range(150):
            adamw.zero_grad()
            loss = F.cross_entropy(model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())
            loss.backward()
            adamw.step()
        assert loss.item() < 0.05

    def test_bfloat16_is_for_training_alone(self, tokens):
        model = GPT(GPTConfig(**SIZE, bfloat16=True, query_key_norm=True, positions="rotary"))
        scrambled(model).float()
        exact = model.eval()(tokens)
        assert exact.dtype == torch.float32
        rough = model.train()(tokens)
        assert rough.dtype == torch.bfloat16
        assert 0 < (rough - exact).abs().max() < 0.5

    def test_errors(self, tokens):
        with pytest.raises(ValueError, match="there are 24 positions; got a sequence of 34 tokens"):
            small()(torch.cat([tokens, tokens], dim=1))
        for name, options in (("positions", "learned, rotary"), ("norm", "layer, rms"), ("activation", "gelu, relu2")):
            with pytest.raises(ValueError, match=f"{name} must be one of {options}; got 'no'"):
                GPTConfig(vocabulary=V, **{name: "no"})


def test_the_squared_relu():
    x = torch.tensor([-2.0, 0.0, 3.0])
    assert SquaredReLU()(x).tolist() == [0, 0, 9]
    assert isinstance(small(activation="relu2").blocks[0].mlp[1], SquaredReLU)


def test_queries_and_keys_are_prepared(tokens):
    """A model without the switches and with the same weights attends differently."""
    plain = small(positions="learned")
    for switches in ({"query_key_norm": True}, {"positions": "rotary"}):
        other = GPT(GPTConfig(**SIZE | switches)).double()
        other.load_state_dict(plain.state_dict(), strict=False)
        maps = []
        for model in (plain, other):
            with recorded(model) as found:
                model(tokens)
            maps.append(found["blocks.0.attention"])
        assert (maps[0] - maps[1]).abs().max() > 0.01


class TestGenerate:
    @switched
    def test_the_cache_gives_what_a_whole_pass_gives(self, switches, tokens):
        model = small(**switches)
        expected, caches = model.encode(tokens), [Cache(LENGTH) for _ in model.blocks]
        parts = [model.encode(part, caches) for part in tokens.split([5, 1, 1, 4, 6], dim=1)]
        torch.testing.assert_close(torch.cat(parts, dim=1), expected, **EXACT)

    @switched
    def test_greedy_is_the_likeliest_at_each_step(self, switches, tokens):
        model, prompt = enlivened(small(**switches)), tokens[:, :4]
        found = model.generate(prompt, 15, temperature=0)
        assert found.shape == (3, 19)
        assert various(found[:, 4:])
        assert torch.equal(found[:, :4], prompt)
        assert torch.equal(model(found)[:, 3:-1].argmax(dim=-1), found[:, 4:])

    def test_greedy_is_that_of_transformers(self, tokens):
        theirs, prompt = enlivened(published()), tokens[:, :4]
        expected = theirs.generate(
            prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=20, do_sample=False, pad_token_id=0
        )
        assert various(expected[:, 4:])
        assert torch.equal(GPT.from_huggingface(theirs).generate(prompt, 20, temperature=0), expected)

    def test_a_sample_has_the_models_distribution(self):
        model = small()
        prompt = torch.tensor([[3, 1, 4]])
        rows = 20_000
        found = model.generate(prompt.expand(rows, 3), 2, 0.7, 6, generator=torch.Generator().manual_seed(0))
        first = next_token_probabilities(model(prompt)[0, -1], 0.7, 6)
        likeliest = int(first.argmax())
        second = next_token_probabilities(model(torch.tensor([[3, 1, 4, likeliest]]))[0, -1], 0.7, 6)
        after = found[found[:, 3] == likeliest, 4]
        for drawn, p in ((found[:, 3], first), (after, second)):
            n, keep = len(drawn), p > 0
            counts = torch.bincount(drawn, minlength=V)
            assert not counts[~keep].any()
            chi2 = ((counts - n * p)[keep] ** 2 / (n * p)[keep]).sum()
            assert chi2 < 25  # 5 degrees of freedom: exceeded with probability 1e-4

    def test_the_generator_decides_and_torchs_own_is_left_alone(self, tokens):
        model, state = small(), torch.random.get_rng_state()
        one, two, three = (
            model.generate(tokens, 6, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
        )
        assert torch.equal(one, two)
        assert not torch.equal(one, three)
        assert torch.equal(torch.random.get_rng_state(), state)

    @switched
    def test_past_the_end_of_the_context_it_goes_on_from_its_half(self, switches, tokens):
        model = enlivened(small(**switches))
        found = model.generate(tokens, 40, temperature=0)
        assert found.shape == (3, 57)
        assert various(found[:, 17:])
        begin = 0
        for end in range(17, 57):
            if end - begin > LENGTH:
                begin = end - LENGTH // 2
            assert torch.equal(model(found[:, begin:end])[:, -1].argmax(dim=-1), found[:, end])

    def test_a_prompt_longer_than_the_context_is_read_from_its_end(self, tokens):
        model = enlivened(small())
        prompt = torch.cat([tokens, tokens.flip(0)], dim=1)
        found = model.generate(prompt, 3, temperature=0)
        assert torch.equal(found[:, :34], prompt)
        assert len(found[:, 34].unique()) == 3
        assert torch.equal(found[:, 34], model(prompt[:, -LENGTH:])[:, -1].argmax(dim=-1))

    def test_each_step_reads_one_token(self, tokens, monkeypatch):
        model, read = small(), []
        encode = model.encode
        monkeypatch.setattr(
            model, "encode", lambda tokens, caches: read.append(tokens.shape[1]) or encode(tokens, caches)
        )
        model.generate(tokens, 5)
        assert read == [17, 1, 1, 1, 1]

    def test_what_it_gives_can_be_trained_on(self, tokens):
        model = small()
        found = model.generate(tokens, 2)
        F.cross_entropy(model(found).flatten(0, 1), found.flatten()).backward()
        assert model.embedding.weight.grad.any()

    def test_nothing_more_and_nothing_at_all(self, tokens):
        assert torch.equal(small().generate(tokens, 0), tokens)
        with pytest.raises(ValueError, match=r"tokens must be \(B, T\) with T at least 1; got \(3, 0\)"):
            small().generate(tokens[:, :0], 1)


class TestNextTokenProbabilities:
    LOGITS = torch.tensor([0.5, 0.2, 0.15, 0.1, 0.05], dtype=torch.float64).log()[None]

    def kept(self, **options):
        return next_token_probabilities(self.LOGITS, **options)[0].tolist()

    def test_by_hand(self):
        assert self.kept() == pytest.approx([0.5, 0.2, 0.15, 0.1, 0.05])
        assert self.kept(top_k=2) == pytest.approx([5 / 7, 2 / 7, 0, 0, 0])
        assert self.kept(top_p=0.69) == pytest.approx([5 / 7, 2 / 7, 0, 0, 0])
        assert self.kept(top_p=0.71) == pytest.approx([50 / 85, 20 / 85, 15 / 85, 0, 0])
        assert self.kept(top_p=0.01) == self.kept(temperature=0) == [1, 0, 0, 0, 0]
        squares = [0.25, 0.04, 0.0225, 0.01, 0.0025]
        assert self.kept(temperature=0.5) == pytest.approx([p / sum(squares) for p in squares])
        assert self.kept(top_k=99, top_p=1.0) == pytest.approx(self.kept())

    @pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
    @pytest.mark.parametrize("top_k", [None, 1, 7])
    @pytest.mark.parametrize("top_p", [None, 0.2, 0.9])
    def test_equals_transformers_warpers(self, temperature, top_k, top_p):
        logits = 2 * torch.randn(50, V, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        expected = transformers.TemperatureLogitsWarper(temperature)(None, logits)
        if top_k:
            expected = transformers.TopKLogitsWarper(top_k)(None, expected)
        if top_p:
            expected = transformers.TopPLogitsWarper(top_p)(None, expected)
        torch.testing.assert_close(
            next_token_probabilities(logits, temperature, top_k, top_p), expected.softmax(-1), **EXACT
        )

    @pytest.mark.parametrize("wrong", [{"temperature": -1}, {"top_k": 0}, {"top_p": 0}, {"top_p": 1.1}])
    def test_errors(self, wrong):
        with pytest.raises(
            ValueError, match=r"temperature must be at least 0, top_k at least 1, top_p in \(0, 1\]; got"
        ):
            next_token_probabilities(self.LOGITS, **wrong)

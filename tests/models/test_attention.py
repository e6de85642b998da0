"""Attention and the block against torch's own, with every parameter N(0, 0.3) in float64, and by themselves.

At torch's default initialisation biases are zero and norms are the identity, so that swapped or missing ones would
not be seen.
"""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_utils.models.attention import (
    Block,
    MultiHeadAttention,
    attention,
    causal_mask,
    fused_attention,
    recorded,
)

B, T, S, D, H, MLP = 3, 5, 7, 12, 3, 20
EXACT = {"rtol": 0, "atol": 1e-10}


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def normal(generator):
    """A function of sizes: a float64 tensor of N(0, 1)."""
    return lambda *sizes: torch.randn(*sizes, dtype=torch.float64, generator=generator)


def scrambled(module, seed=1):
    """The module in float64 with every parameter drawn from N(0, 0.3)."""
    module, generator = module.double(), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape, dtype=torch.float64, generator=generator))
    return module.eval()


def copy_attention(ours, theirs):
    """nn.MultiheadAttention's weights into a MultiHeadAttention."""
    ours.project.load_state_dict({"weight": theirs.in_proj_weight, "bias": theirs.in_proj_bias})
    ours.out.load_state_dict(theirs.out_proj.state_dict())


def copy_block(ours, theirs, cross):
    """The weights of nn.TransformerEncoderLayer or nn.TransformerDecoderLayer into a Block."""
    copy_attention(ours.attention, theirs.self_attn)
    ours.attention_norm.load_state_dict(theirs.norm1.state_dict())
    if cross:
        copy_attention(ours.cross, theirs.multihead_attn)
        ours.cross_norm.load_state_dict(theirs.norm2.state_dict())
    ours.mlp[0].load_state_dict(theirs.linear1.state_dict())
    ours.mlp[2].load_state_dict(theirs.linear2.state_dict())
    ours.mlp_norm.load_state_dict((theirs.norm3 if cross else theirs.norm2).state_dict())


def masks(queries, keys):
    """(name, our mask, torch's attn_mask, torch's key_padding_mask), which say the same; torch's True = blocked."""
    generator = torch.Generator().manual_seed(2)
    lengths = torch.tensor([keys, keys - 1, 2])[:, None]
    padding = torch.arange(keys) < lengths  # (B, keys)
    any_mask = torch.rand(queries, keys, generator=generator) < 0.6
    any_mask[:, 0] = True
    by_head = torch.rand(B, H, queries, keys, generator=generator) < 0.6
    by_head[..., 0] = True
    causal = causal_mask(queries, keys)
    return {
        "none": (None, None, None),
        "padding": (padding[:, None, None], None, ~padding),
        "any": (any_mask, ~any_mask, None),
        "a head each": (by_head, ~by_head.flatten(0, 1), None),
        "causal": (causal, ~causal, None),
        "causal and padding": (causal & padding[:, None, None], ~causal, ~padding),
    }


class TestAttention:
    def test_by_hand(self):
        """Two keys with scores 0 and log 3 after the division by √4: weights ¼ and ¾."""
        query, key = torch.tensor([[2.0, 0, 0, 0]]), torch.tensor([[0.0, 5, 5, 5], [math.log(3), 0, 0, 0]])
        value = torch.tensor([[4.0, 8.0, 0.0], [0.0, 4.0, 4.0]])
        output, weights = attention(query, key, value)
        torch.testing.assert_close(weights, torch.tensor([[0.25, 0.75]]))
        torch.testing.assert_close(output, torch.tensor([[1.0, 5.0, 3.0]]))

    @pytest.mark.parametrize("name", masks(T, S))
    def test_equals_the_fused_one_with_its_gradients(self, name, normal):
        tensors = [normal(B, H, n, 4).requires_grad_() for n in (T, S, S)]
        mask, above = masks(T, S)[name][0], normal(B, H, T, 4)
        ours, weights = attention(*tensors, mask)
        fused = fused_attention(*tensors, mask)
        torch.testing.assert_close(ours, fused, **EXACT)
        for a, b in zip(torch.autograd.grad(ours, tensors, above), torch.autograd.grad(fused, tensors, above)):
            torch.testing.assert_close(a, b, **EXACT)
        torch.testing.assert_close(weights.sum(dim=-1), torch.ones(B, H, T, dtype=torch.float64), **EXACT)

    @pytest.mark.parametrize("function", [lambda *a: attention(*a)[0], fused_attention], ids=["written out", "fused"])
    def test_a_query_that_may_see_nothing_gives_zeros_and_no_nan(self, function, normal):
        tensors = [normal(B, H, n, 4).requires_grad_() for n in (T, S, S)]
        mask = torch.ones(T, S, dtype=torch.bool)
        mask[2] = False
        output = function(*tensors, mask)
        assert torch.equal(output[:, :, 2], torch.zeros(B, H, 4, dtype=torch.float64))
        assert (output[:, :, [0, 1, 3, 4]] != 0).all()
        gradients = torch.autograd.grad(output.sum(), tensors)
        assert all(torch.isfinite(g).all() for g in gradients)
        assert torch.equal(gradients[0][:, :, 2], torch.zeros(B, H, 4, dtype=torch.float64))

    def test_what_is_hidden_has_no_weight_at_all(self, normal):
        query, key, value = 100 * normal(T, 4), normal(S, 4), normal(S, 4)
        mask = causal_mask(T, S)
        weights = attention(query, key, value, mask)[1]
        assert torch.equal(weights[~mask], torch.zeros(int((~mask).sum()), dtype=torch.float64))

    @pytest.mark.parametrize("function", [attention, fused_attention])
    def test_a_mask_that_is_no_bool_is_named(self, function, normal):
        with pytest.raises(ValueError, match="mask must be boolean, True = may attend; got torch.float64"):
            function(normal(T, 4), normal(S, 4), normal(S, 4), normal(T, S))

    def test_without_the_scaling_the_softmax_saturates(self):
        """Scores of N(0, 1) vectors have the variance d, and 1 after the division by √d."""
        generator = torch.Generator().manual_seed(0)
        query, key = torch.randn(2, 2000, 64, generator=generator)
        scores = query @ key.T
        assert scores.var().item() == pytest.approx(64, rel=0.1)
        _, weights = attention(query, key, key)
        torch.testing.assert_close(weights, (scores / 8).softmax(dim=-1), rtol=1e-4, atol=1e-7)


def test_causal_mask():
    assert causal_mask(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    assert causal_mask(2, 4).tolist() == [[True, True, True, False], [True] * 4]


class TestMultiHeadAttention:
    @pytest.mark.parametrize("written_out", [False, True])
    @pytest.mark.parametrize("name", masks(T, S))
    def test_equals_torchs(self, name, written_out, normal):
        theirs, ours = scrambled(nn.MultiheadAttention(D, H, batch_first=True)), MultiHeadAttention(D, H).double()
        copy_attention(ours, theirs)
        ours.record = (lambda weights: None) if written_out else None
        x, memory = normal(B, T, D), normal(B, S, D)
        mask, blocked, padding = masks(T, S)[name]
        expected, _ = theirs(x, memory, memory, attn_mask=blocked, key_padding_mask=padding)
        torch.testing.assert_close(ours(x, memory, mask), expected, **EXACT)
        mask, blocked, padding = masks(T, T)[name]
        expected, _ = theirs(x, x, x, attn_mask=blocked, key_padding_mask=padding)
        torch.testing.assert_close(ours(x, None, mask), expected, **EXACT)

    def test_weights_are_torchs(self, normal):
        theirs, ours = scrambled(nn.MultiheadAttention(D, H, batch_first=True)), MultiHeadAttention(D, H).double()
        copy_attention(ours, theirs)
        x, memory = normal(B, T, D), normal(B, S, D)
        with recorded(nn.ModuleDict({"layer": ours})) as maps:
            ours(x, memory)
        _, expected = theirs(x, memory, memory, average_attn_weights=False)
        torch.testing.assert_close(maps["layer"], expected, **EXACT)

    @pytest.mark.parametrize("mask", [None, torch.tensor([[True] * 4 + [False]] * B)[:, None, None]])
    @pytest.mark.parametrize("written_out", [False, True])
    def test_causal_is_the_causal_mask(self, mask, written_out, normal):
        layer, x = scrambled(MultiHeadAttention(D, H)), normal(B, T, D)
        layer.record = (lambda weights: None) if written_out else None
        both = causal_mask(T) if mask is None else causal_mask(T) & mask
        torch.testing.assert_close(layer(x, mask=mask, causal=True), layer(x, mask=both), **EXACT)

    def test_knows_no_order(self, normal):
        """A permutation of the tokens permutes the output: without positions attention sees a set."""
        layer, x = scrambled(MultiHeadAttention(D, H)), normal(B, T, D)
        order = torch.tensor([3, 0, 4, 1, 2])
        torch.testing.assert_close(layer(x[:, order]), layer(x)[:, order], **EXACT)
        assert not torch.allclose(layer(x[:, order], causal=True), layer(x, causal=True)[:, order])

    @pytest.mark.parametrize("heads", [0, 5])
    def test_heads_that_do_not_divide_are_named(self, heads):
        with pytest.raises(ValueError, match="heads must divide the width d = 12; got"):
            MultiHeadAttention(12, heads)


@pytest.mark.parametrize("norm_first", [False, True], ids=["post-norm", "pre-norm"])
class TestBlock:
    @pytest.mark.parametrize("name", masks(T, T))
    def test_equals_torchs_encoder_layer(self, name, norm_first, normal):
        theirs = scrambled(nn.TransformerEncoderLayer(D, H, MLP, batch_first=True, norm_first=norm_first))
        ours = Block(D, H, MLP, norm_first=norm_first).double()
        copy_block(ours, theirs, cross=False)
        x, (mask, blocked, padding) = normal(B, T, D), masks(T, T)[name]
        expected = theirs(x, src_mask=blocked, src_key_padding_mask=padding)
        torch.testing.assert_close(ours(x, mask=mask), expected, **EXACT)

    @pytest.mark.parametrize("name", masks(T, T))
    @pytest.mark.parametrize("memory_name", masks(T, S))
    def test_equals_torchs_decoder_layer(self, name, memory_name, norm_first, normal):
        theirs = scrambled(nn.TransformerDecoderLayer(D, H, MLP, batch_first=True, norm_first=norm_first))
        ours = Block(D, H, MLP, cross=True, norm_first=norm_first).double()
        copy_block(ours, theirs, cross=True)
        x, memory = normal(B, T, D), normal(B, S, D)
        (mask, blocked, padding), (mask_2, blocked_2, padding_2) = masks(T, T)[name], masks(T, S)[memory_name]
        expected = theirs(
            x, memory,
            tgt_mask=blocked, tgt_key_padding_mask=padding,
            memory_mask=blocked_2, memory_key_padding_mask=padding_2,
        )  # fmt: skip
        torch.testing.assert_close(ours(x, memory, mask=mask, memory_mask=mask_2), expected, **EXACT)

    def test_where_torch_gives_nan_ours_is_finite(self, norm_first, normal):
        """A row whose keys are all padding."""
        theirs = scrambled(nn.TransformerEncoderLayer(D, H, MLP, batch_first=True, norm_first=norm_first)).train()
        theirs.dropout.p = theirs.dropout1.p = theirs.dropout2.p = theirs.self_attn.dropout = 0.0
        ours = Block(D, H, MLP, norm_first=norm_first).double()
        copy_block(ours, theirs, cross=False)
        x, padding = normal(B, T, D), torch.ones(B, T, dtype=torch.bool)
        padding[1] = False
        found = ours(x, mask=padding[:, None, None])
        assert torch.isfinite(found).all()
        expected = theirs(x, src_key_padding_mask=~padding)
        torch.testing.assert_close(found[[0, 2]], expected[[0, 2]], **EXACT)

    def test_dropout_works_in_training_alone(self, norm_first, normal):
        block, x = scrambled(Block(D, H, MLP, norm_first=norm_first, dropout=0.5)), normal(B, T, D)
        assert torch.equal(block(x), block(x))
        assert not torch.equal(block.train()(x), block(x))


class TestRecorded:
    def test_the_output_stays_the_same_and_the_record_ends(self, normal):
        block, x, memory = scrambled(Block(D, H, MLP, cross=True)), normal(B, T, D), normal(B, S, D)
        expected = block(x, memory, causal=True)
        with recorded(block) as maps:
            torch.testing.assert_close(block(x, memory, causal=True), expected, **EXACT)
        assert {name: tuple(m.shape) for name, m in maps.items()} == {"attention": (B, H, T, T), "cross": (B, H, T, S)}
        assert torch.equal(maps["attention"].triu(1), torch.zeros_like(maps["attention"]))
        assert block.attention.record is None
        before = dict(maps)
        block(2 * x, memory)
        assert all(maps[name] is before[name] for name in before)


def test_the_scores_are_scaled_by_the_width_of_a_head(normal):
    layer, x = scrambled(MultiHeadAttention(D, H)), normal(B, T, D)
    query, key, _ = layer.project(x).chunk(3, dim=-1)
    first = F.softmax(query[..., : D // H] @ key[..., : D // H].mT / math.sqrt(D // H), dim=-1)
    with recorded(layer) as maps:
        layer(x)
    torch.testing.assert_close(maps[""][:, 0], first, **EXACT)

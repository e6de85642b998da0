"""The recurrent translators: what their decoder may know, Bahdanau's formulas by hand, padding, and decoding."""

import pytest
import torch
from torch import nn

from course_utils.models.seq2seq import Seq2Seq, Seq2SeqConfig
from tests.models.test_attention import EXACT, scrambled
from tests.models.test_transformer import END, SOURCE, TARGET, greedy_by_recomputation, talkative, tokens  # noqa: F401

SMALL = {"source_vocabulary": SOURCE, "target_vocabulary": TARGET, "d": 10, "embedding": 6}
KINDS = pytest.mark.parametrize("attention", [0, 7], ids=["one vector", "attention"])


def small(attention=0, seed=1):
    """A small model in float64 with every parameter N(0, 0.3), but that it never writes padding."""
    return talkative(scrambled(Seq2Seq(Seq2SeqConfig(**SMALL, attention=attention)), seed), "out")


class Unbatched:
    """The same network a row and a step at a time, with the equations of GRU and attention written down here."""

    def __init__(self, model):
        self.model, self.parts = model, dict(model.named_parameters())

    def gru(self, layer, x, h, suffix=""):
        """r, u, n as torch defines them: (d_in,) and (d,) → (d,)."""
        get = lambda kind, side: self.parts[f"{layer}.{kind}_{side}_l0{suffix}"].chunk(3)  # noqa: E731
        (W_r, W_u, W_n), (b_r, b_u, b_n) = get("weight", "ih"), get("bias", "ih")
        (U_r, U_u, U_n), (c_r, c_u, c_n) = get("weight", "hh"), get("bias", "hh")
        reset = torch.sigmoid(W_r @ x + b_r + U_r @ h + c_r)
        update = torch.sigmoid(W_u @ x + b_u + U_u @ h + c_u)
        new = torch.tanh(W_n @ x + b_n + reset * (U_n @ h + c_n))
        return (1 - update) * new + update * h

    def logits(self, source, target):
        """(S,) and (T,) → (T, V)."""
        p, half = self.parts, 5
        x = p["source_embedding.weight"][source]
        forwards, backwards = [torch.zeros(half).double()], [torch.zeros(half).double()]
        for t in range(len(source)):
            forwards.append(self.gru("encoder", x[t], forwards[-1]))
            backwards.append(self.gru("encoder", x[-1 - t], backwards[-1], "_reverse"))
        memory = torch.cat([torch.stack(forwards[1:]), torch.stack(backwards[:0:-1])], dim=1)  # (S, d)
        context = torch.cat([forwards[-1], backwards[-1]])
        state, found = torch.tanh(self.model.begin_state(context)), []
        for token in target:
            if self.model.config.attention:
                energies = torch.stack(
                    [
                        p["attend_score.weight"][0]
                        @ torch.tanh(
                            p["attend_state.weight"] @ state + p["attend_state.bias"] + p["attend_memory.weight"] @ h
                        )
                        for h in memory
                    ]
                )
                context = energies.softmax(dim=0) @ memory
            state = self.gru("decoder", torch.cat([p["target_embedding.weight"][token], context]), state)
            found.append(p["out.weight"] @ torch.cat([state, context]) + p["out.bias"])
        return torch.stack(found)


@KINDS
class TestSeq2Seq:
    def test_is_what_its_equations_say(self, attention, tokens):  # noqa: F811
        source, target = tokens
        model = small(attention)
        logits, by_hand = model(source, target), Unbatched(model)
        for row, length in ((1, 5), (3, 1)):
            expected = by_hand.logits(source[row, :length], target[row])
            torch.testing.assert_close(logits[row], expected, **EXACT)

    def test_the_future_changes_no_bit(self, attention, tokens):  # noqa: F811
        source, target = tokens
        model = small(attention)
        logits, other = model(source, target), target.clone()
        other[:, 3:] = 3 + (other[:, 3:] - 2) % (TARGET - 3)
        assert torch.equal(model(source, other)[:, :3], logits[:, :3])
        assert not torch.equal(model(source, other)[:, 3], logits[:, 3])

    def test_padding_changes_nothing(self, attention, tokens):  # noqa: F811
        source, target = tokens
        model = small(attention)
        longer = nn.functional.pad(source, (0, 4))
        torch.testing.assert_close(model(longer, target), model(source, target), **EXACT)

    def test_greedy_is_the_usual_loop(self, attention, tokens):  # noqa: F811
        source, _ = tokens
        for seed in range(2):
            model = small(attention, seed)
            call = lambda source, target, positions, model=model: model(source, target)  # noqa: E731
            found = model.translate(source, max_length=15)
            assert torch.equal(found.tokens, greedy_by_recomputation(call, source, 15))

    @pytest.mark.parametrize("beams", [1, 3])
    def test_its_log_probability_is_that_of_its_tokens(self, attention, beams, tokens):  # noqa: F811
        source, _ = tokens
        for seed in range(6):
            model = small(attention, seed)
            found, log_prob = model.translate(source, max_length=8, beams=beams)
            target = torch.cat([torch.ones(4, 1, dtype=torch.int64), found], dim=1)
            log_p = model(source, target[:, :-1]).log_softmax(dim=-1).gather(-1, target[:, 1:, None])[..., 0]
            torch.testing.assert_close(log_prob.double(), (log_p * (found != 0)).sum(dim=1), rtol=1e-5, atol=1e-5)


def test_without_attention_the_source_is_known_by_one_vector(tokens):  # noqa: F811
    """The decoder's logits depend on the source through the encoder's last states alone."""
    source, target = tokens
    model = small()
    _, last = model.encode(source, source != 0)
    assert last.shape == (4, 10)
    other = torch.full_like(last, 0.5)
    model.encode = lambda source, mask: (torch.full((4, 7, 10), torch.nan).double(), other)  # nothing else is read
    logits = model(source, target)
    assert torch.isfinite(logits).all()
    torch.testing.assert_close(logits[0], model(source[[1, 0, 2, 3]], target)[0], **EXACT)


class TestAlignment:
    def test_rows_are_distributions_over_the_tokens(self, tokens):  # noqa: F811
        source, target = tokens
        weights = small(7).alignment(source, target)
        assert weights.shape == (4, 6, 7)
        torch.testing.assert_close(weights.sum(dim=-1), torch.ones(4, 6).double(), **EXACT)
        assert (weights[(source == 0)[:, None].expand_as(weights)] == 0).all()
        assert (weights[3, :, 0] == 1).all()  # a source of one token

    def test_a_model_without_attention_is_named(self, tokens):  # noqa: F811
        with pytest.raises(ValueError, match="this model has no attention: its config.attention is 0"):
            small().alignment(*tokens)


def test_an_odd_width_is_named():
    with pytest.raises(ValueError, match="d must be even, half of it for either direction; got 7"):
        Seq2SeqConfig(source_vocabulary=5, target_vocabulary=5, d=7)


def test_end_is_the_same_everywhere():
    assert Seq2SeqConfig(source_vocabulary=5, target_vocabulary=5).end == END

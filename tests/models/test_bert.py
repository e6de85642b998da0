"""BERT against transformers' BertForPreTraining, and by its symmetries: both sides, padding, segments."""

import json
import math

import pytest
import torch
import transformers
from safetensors.torch import save_file
from torch.nn import functional as F

from course_utils.data import weights
from course_utils.models.bert import Bert, BertConfig, Classifier, SpanReader, best_spans
from tests.models.oracles import TOLERANCE, altered, both, build, precisions
from tests.models.test_attention import EXACT, scrambled

V, LENGTH = 61, 24
SIZE = {"vocabulary": V, "length": LENGTH, "d": 20, "heads": 2, "layers": 3, "mlp": 36}


def small(**switches):
    """A small BERT in float64 with every parameter N(0, 0.3)."""
    return scrambled(Bert(BertConfig(**SIZE | switches)))


def published(initialisation="N(0, 0.3)", dtype=torch.float64, **changes):
    sizes = {"vocab_size": V, "max_position_embeddings": LENGTH, "hidden_size": 20, "num_attention_heads": 2}
    sizes |= {"num_hidden_layers": 3, "intermediate_size": 36}
    return build(transformers.BertForPreTraining, transformers.BertConfig(**sizes | changes), initialisation, dtype)


@pytest.fixture
def batch():
    """Tokens, segments and mask, (4, 17) each; the rows have 17, 12, 5 and 1 tokens."""
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(1, V, (4, 17), generator=generator)
    mask = torch.arange(17) < torch.tensor([17, 12, 5, 1])[:, None]
    tokens[~mask] = 0
    segments = (torch.arange(17) >= torch.tensor([8, 3, 4, 1])[:, None]).long()
    return tokens, segments, mask


class TestAgainstTransformers:
    @precisions
    @both
    def test_logits_and_every_block_are_theirs(self, initialisation, dtype, batch):
        tokens, segments, mask = batch
        theirs = published(initialisation, dtype)
        ours = Bert.from_huggingface(theirs)
        states = []
        for block in ours.blocks:
            block.register_forward_hook(lambda module, inputs, output: states.append(output))
        found = ours(tokens, segments)
        expected = theirs(tokens, mask.long(), segments, output_hidden_states=True)
        for state, hidden in zip(states, expected.hidden_states[1:], strict=True):
            torch.testing.assert_close(state[mask], hidden[mask], **TOLERANCE[dtype])
        assert found.hidden.dtype == dtype
        torch.testing.assert_close(found.hidden[mask], expected.hidden_states[-1][mask], **TOLERANCE[dtype])
        torch.testing.assert_close(found.mlm_logits[mask], expected.prediction_logits[mask], **TOLERANCE[dtype])
        torch.testing.assert_close(found.nsp_logits, expected.seq_relationship_logits, **TOLERANCE[dtype])

    def test_without_segments_and_with_a_mask_of_ones(self, batch):
        tokens, _, _ = batch
        theirs = published()
        found = Bert.from_huggingface(theirs)(tokens, mask=torch.ones_like(tokens, dtype=torch.bool))
        torch.testing.assert_close(found.mlm_logits, theirs(tokens).prediction_logits, **EXACT)

    def test_gradients_too(self, batch):
        tokens, segments, mask = batch
        theirs = published()
        ours = Bert.from_huggingface(theirs)
        found, expected = ours(tokens, segments), theirs(tokens, mask.long(), segments)
        for mlm, nsp in ((found[0], found[1]), (expected.prediction_logits, expected.seq_relationship_logits)):
            (F.cross_entropy(mlm[mask], tokens[mask]) + F.cross_entropy(nsp, torch.tensor([0, 1, 1, 0]))).backward()
        embeddings = theirs.bert.embeddings
        torch.testing.assert_close(ours.embedding.weight.grad, embeddings.word_embeddings.weight.grad, **EXACT)
        torch.testing.assert_close(ours.segments.weight.grad, embeddings.token_type_embeddings.weight.grad, **EXACT)
        key = theirs.bert.encoder.layer[1].attention.self.key.weight.grad
        torch.testing.assert_close(ours.blocks[1].attention.project.weight.grad[20:40], key, **EXACT)

    def test_the_configuration_is_read(self):
        theirs = published(layer_norm_eps=1e-3, hidden_dropout_prob=0.2, pad_token_id=7, type_vocab_size=3)
        ours = Bert.from_huggingface(theirs)
        assert ours.config == BertConfig(**SIZE, epsilon=1e-3, dropout=0.2, pad=7, segments=3)
        assert ours.embedding_norm.eps == ours.blocks[0].mlp_norm.eps == ours.mlm_transform[2].eps == 1e-3

    def test_parameters_are_as_many_as_berts(self):
        with torch.device("meta"):
            bert = Bert(BertConfig(vocabulary=30_522, length=512, d=768, heads=12, layers=12, mlp=3072))
        assert sum(p.numel() for p in bert.parameters()) == 110_106_428

    def test_files_with_the_old_names_are_read(self, batch, tmp_path):
        tokens, segments, mask = batch
        theirs = published(dtype=torch.float32)
        old = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
        tensors = {}
        for name, tensor in theirs.state_dict().items():
            if "decoder" not in name:
                for new, before in old.items():
                    name = name.replace(new, before)
                tensors[name] = tensor.contiguous()
        tensors["bert.embeddings.position_ids"] = torch.arange(LENGTH)
        save_file(tensors, tmp_path / "model.safetensors")
        (tmp_path / "config.json").write_text(json.dumps(theirs.config.to_dict()))
        ours = Bert.from_huggingface(weights.read(tmp_path))
        expected = theirs(tokens, mask.long(), segments)
        found = ours(tokens, segments)
        torch.testing.assert_close(found.nsp_logits, expected.seq_relationship_logits, **TOLERANCE[torch.float32])
        torch.testing.assert_close(found.mlm_logits[mask], expected.prediction_logits[mask], **TOLERANCE[torch.float32])

    def test_what_does_not_fit_is_named(self):
        tensors = {
            "bert__encoder__layer__2__attention__self__key__weight": None,
            "cls__predictions__bias": torch.zeros(60),
            "extra": torch.zeros(2),
        }
        with pytest.raises(ValueError, match="do not fit a Bert") as raised:
            Bert.from_huggingface(altered(published(), **tensors))
        told = str(raised.value)
        assert "bert.encoder.layer.2.attention.self.key.weight is missing" in told
        assert "cls.predictions.bias has shape (60,), expected (61,)" in told
        assert "extra has no place in this model" in told
        assert told.count(";") == 2

    def test_what_is_not_built_is_named(self):
        with pytest.raises(ValueError, match="hidden_act must be 'gelu', nothing else is built here; got 'relu'"):
            Bert.from_huggingface(published(hidden_act="relu"))


class TestTheModel:
    def test_every_token_sees_both_sides(self, batch):
        tokens, segments, _ = batch
        model = small()
        before = model(tokens, segments).hidden
        for t in (0, 8, 16):
            other = tokens.clone()
            other[0, t] = other[0, t] % (V - 1) + 1
            changed = (model(other, segments).hidden != before).any(dim=-1)
            assert changed[0].all()
            assert not changed[1:].any()

    @pytest.mark.parametrize("norm_first", [False, True])
    def test_padding_changes_nothing(self, norm_first, batch):
        tokens, segments, mask = batch
        model = small(norm_first=norm_first)
        whole = model(tokens, segments)
        for row, length in enumerate([17, 12, 5, 1]):
            alone = model(tokens[row : row + 1, :length], segments[row : row + 1, :length])
            torch.testing.assert_close(alone.mlm_logits[0], whole.mlm_logits[row, :length], **EXACT)
            torch.testing.assert_close(alone.nsp_logits[0], whole.nsp_logits[row], **EXACT)
        junk = torch.where(mask, tokens, 5)
        torch.testing.assert_close(model(junk, segments, mask).hidden[mask], whole.hidden[mask], **EXACT)

    def test_the_padding_is_what_the_configuration_says(self, batch):
        tokens, segments, mask = batch
        other = torch.where(tokens == 7, 8, tokens)
        model = small(pad=7)
        found = model(torch.where(mask, other, 7), segments).hidden
        torch.testing.assert_close(found[mask], model(other, segments, mask).hidden[mask], **EXACT)
        everything = torch.ones_like(mask)
        seen = small(pad=None)(other, segments).hidden
        torch.testing.assert_close(seen, model(other, segments, everything).hidden, **EXACT)
        assert not torch.allclose(seen[mask], found[mask])

    def test_without_positions_the_order_is_unknown(self, batch):
        model, order = small(), torch.randperm(17, generator=torch.Generator().manual_seed(0))
        tokens, segments = batch[0][:1], batch[1][:1]
        assert not torch.allclose(
            model(tokens[:, order], segments[:, order]).hidden, model(tokens, segments).hidden[:, order]
        )
        with torch.no_grad():
            model.positions.weight.zero_()
        found, expected = model(tokens[:, order], segments[:, order]).hidden, model(tokens, segments).hidden
        torch.testing.assert_close(found, expected[:, order], **EXACT)

    def test_rotary_positions_know_distances_alone(self, batch):
        """Moved along, behind padding, a text has the same vectors; turned round it has not."""
        model = small(positions="rotary", segments=0)
        assert not [name for name, _ in model.named_parameters() if name.startswith("positions")]
        tokens = batch[0][:1]
        expected = model(tokens).hidden
        moved = model(F.pad(tokens, (6, 0))).hidden[:, 6:]
        torch.testing.assert_close(moved, expected, rtol=0, atol=1e-5)  # the angles are kept in single precision
        assert not torch.allclose(model(tokens.flip(1)).hidden.flip(1), expected, atol=1e-3)
        learned = small(segments=0)
        assert not torch.allclose(learned(F.pad(tokens, (6, 0))).hidden[:, 6:], learned(tokens).hidden, atol=1e-3)

    def test_the_base_and_the_norm_reach_queries_and_keys(self, batch):
        model = small(positions="rotary")
        for switches in ({"rotary_base": 100.0}, {"query_key_norm": True}):
            other = Bert(BertConfig(**SIZE | {"positions": "rotary"} | switches)).double().eval()
            other.load_state_dict(model.state_dict())
            assert not torch.allclose(other(*batch).hidden, model(*batch).hidden, atol=1e-3), switches

    def test_positions_of_another_kind(self):
        with pytest.raises(ValueError, match="positions must be learned or rotary; got 'waves'"):
            BertConfig(vocabulary=V, positions="waves")

    def test_asking_at_the_chosen_positions_alone_is_the_same(self, batch):
        tokens, segments, mask = batch
        model = small()
        chosen = mask & (tokens % 3 == 0)
        found = model.mlm(model.encode(tokens, segments)[chosen])
        torch.testing.assert_close(found, model(tokens, segments).mlm_logits[chosen], **EXACT)

    def test_without_segments_there_is_no_next_sentence(self, batch):
        model = small(segments=0, pad=None)
        found = model(batch[0])
        assert found.nsp_logits is None
        assert found.mlm_logits.shape == (4, 17, V)
        assert not [name for name, _ in model.named_parameters() if name.startswith(("segments", "pooler", "nsp"))]
        with pytest.raises(ValueError, match="this model has no segments"):
            model(batch[0], batch[1])

    def test_pre_norm_is_norm_after_the_last_block(self, batch):
        model, states = small(norm_first=True), []
        assert isinstance(model.norm, torch.nn.LayerNorm)
        model.blocks[-1].register_forward_hook(lambda module, inputs, output: states.append(output))
        torch.testing.assert_close(model(*batch).hidden, model.norm(states[0]), **EXACT)

    def test_the_head_is_the_embedding_with_a_bias_of_its_own(self):
        model = small()
        assert model.mlm_head.weight is model.embedding.weight
        names = [name for name, _ in model.named_parameters()]
        assert "mlm_head.bias" in names
        assert "mlm_head.weight" not in names
        apart = small(tied=False)
        assert apart.mlm_head.weight is not apart.embedding.weight
        assert "mlm_head.weight" in [name for name, _ in apart.named_parameters()]

    def test_at_the_beginning_it_guesses(self, batch):
        torch.manual_seed(0)
        model = Bert(BertConfig(**SIZE)).eval()
        tokens, segments, mask = batch
        found = model(tokens, segments)
        assert F.cross_entropy(found.mlm_logits[mask], tokens[mask]).item() == pytest.approx(math.log(V), abs=0.05)
        assert F.cross_entropy(found.nsp_logits, torch.tensor([0, 1, 1, 0])).item() == pytest.approx(
            math.log(2), abs=0.05
        )

    def test_laws_of_the_initial_weights(self):
        torch.manual_seed(0)
        model = Bert(BertConfig(vocabulary=500, d=64))
        for name, parameter in model.named_parameters():
            if parameter.ndim == 2 and parameter.numel() > 2000:
                assert parameter.std().item() == pytest.approx(0.02, rel=0.05), name
            elif name.endswith("bias"):
                assert not parameter.any(), name

    def test_bfloat16_is_for_training_alone(self, batch):
        model = scrambled(Bert(BertConfig(**SIZE, bfloat16=True))).float()
        exact = model.eval()(*batch)
        rough = model.train()(*batch)
        assert exact.mlm_logits.dtype == torch.float32
        assert rough.mlm_logits.dtype == torch.bfloat16
        assert rough.hidden.dtype == torch.float32
        assert 0 < (rough.hidden - exact.hidden)[batch[2]].abs().max() < 0.5

    def test_too_many_tokens(self, batch):
        tokens = torch.cat([batch[0], batch[0]], dim=1)
        with pytest.raises(ValueError, match="there are 24 positions; got a sequence of 34 tokens"):
            small()(tokens)


def with_their_head(kind, ours, their_layer, **changes):
    """Transformers' model of a task, and ours with the same weights; both in float64."""
    base = published()
    theirs = build(kind, transformers.BertConfig(**base.config.to_diff_dict() | changes), "N(0, 0.3)")
    theirs.bert.load_state_dict(base.bert.state_dict(), strict=False)  # a reader of spans has no pooler
    model = ours(Bert.from_huggingface(base)).double().eval()
    layer = getattr(theirs, their_layer)
    with torch.no_grad():
        model.head.weight.copy_(layer.weight)
        model.head.bias.copy_(layer.bias)
    return theirs, model


class TestClassifier:
    def test_logits_are_those_of_transformers(self, batch):
        tokens, segments, mask = batch
        kind = transformers.BertForSequenceClassification
        theirs, ours = with_their_head(kind, lambda bert: Classifier(bert, 5), "classifier", num_labels=5)
        expected = theirs(tokens, mask.long(), segments).logits
        assert expected.shape == (4, 5)
        torch.testing.assert_close(ours(tokens, segments), expected, **EXACT)
        torch.testing.assert_close(ours(tokens, segments, mask), expected, **EXACT)

    def test_dropout_is_between_pooler_and_head(self, batch):
        model = Classifier(small(), 3, dropout=1.0).double()
        assert (model(batch[0]) == 0).all()  # the new layer's bias is 0
        assert (model.eval()(batch[0]) != 0).all()


class TestSpanReader:
    def test_logits_are_those_of_transformers(self, batch):
        tokens, segments, mask = batch
        theirs, ours = with_their_head(transformers.BertForQuestionAnswering, SpanReader, "qa_outputs")
        expected = theirs(tokens, mask.long(), segments)
        expected = torch.stack([expected.start_logits, expected.end_logits], dim=-1)
        found = ours(tokens, segments)
        torch.testing.assert_close(found[mask], expected[mask], **EXACT)
        assert (found[~mask] == -math.inf).all()
        torch.testing.assert_close(ours(tokens, segments, mask), found)

    def test_best_spans_are_those_of_trying_all(self):
        generator = torch.Generator().manual_seed(3)
        logits = torch.randn(50, 9, 2, generator=generator)
        passage = (torch.arange(9) > 2) & (torch.arange(9) < 8)
        for row, (i, j) in zip(logits, best_spans(logits, passage.expand(50, 9), 3).tolist(), strict=True):
            spans = [(a, b) for a in range(3, 8) for b in range(a, min(a + 3, 8))]
            assert (i, j) == max(spans, key=lambda span: row[span[0], 0] + row[span[1], 1])

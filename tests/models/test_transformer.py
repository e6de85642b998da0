"""The Transformer against torch's stacks, its causality, its padding, its cache, and its search."""

import itertools
import math

import pytest
import torch
from torch import nn

from course_utils.models import decoding
from course_utils.models.decoding import Cache, beam_search
from course_utils.models.transformer import Transformer, TransformerConfig, sinusoidal_positions
from tests.models.test_attention import EXACT, copy_block, scrambled

SOURCE, TARGET, END = 11, 9, 2
SMALL = {"source_vocabulary": SOURCE, "target_vocabulary": TARGET, "d": 12, "heads": 3, "layers": 2, "mlp": 20}


def small(seed=1, **changes):
    """A small Transformer in float64 with every parameter N(0, 0.3), but for its head."""
    return talkative(scrambled(Transformer(TransformerConfig(**SMALL | changes)), seed))


def talkative(model, head="head"):
    """The model with a head that seldom ends and writes no padding, so that there is a past to get wrong."""
    with torch.no_grad():
        getattr(model, head).weight.mul_(6)
        getattr(model, head).bias[[0, END]] = torch.tensor([-100.0, -4.0], dtype=torch.float64)
    return model


@pytest.fixture
def tokens():
    """Source (4, 7), the rows of which have 7, 5, 3 and 1 tokens, and target (4, 6)."""
    generator = torch.Generator().manual_seed(0)
    source = torch.randint(3, SOURCE, (4, 7), generator=generator)
    source[torch.arange(7) >= torch.tensor([7, 5, 3, 1])[:, None]] = 0
    target = torch.randint(3, TARGET, (4, 6), generator=generator)
    target[:, 0] = 1
    return source, target


class TestPositions:
    def test_of_the_paper(self):
        found = sinusoidal_positions(torch.arange(50), 8)
        for position, i in itertools.product((0, 1, 17, 49), range(4)):
            angle = position / 10_000 ** (2 * i / 8)
            assert found[position, 2 * i : 2 * i + 2].tolist() == pytest.approx([math.sin(angle), math.cos(angle)])

    def test_a_shift_is_a_rotation(self):
        """PE(t + k) = R(k) PE(t), with one R for all t: a rotation in each plane by k times its rate."""
        d, k = 8, 5
        rates = 10_000.0 ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)
        rotation = torch.block_diag(
            *(torch.stack([torch.stack([a.cos(), a.sin()]), torch.stack([-a.sin(), a.cos()])]) for a in k * rates)
        )
        t = torch.arange(40)
        shifted = sinusoidal_positions(t, d) @ rotation.T
        torch.testing.assert_close(shifted, sinusoidal_positions(t + k, d), **EXACT)

    def test_the_dot_product_of_two_depends_on_their_distance(self):
        table = sinusoidal_positions(torch.arange(30), 16)
        products = table @ table.T
        for distance in range(10):
            along = products.diagonal(distance)
            torch.testing.assert_close(along, along[:1].expand_as(along))


class TestStacks:
    @pytest.mark.parametrize("norm_first", [False, True], ids=["post-norm", "pre-norm"])
    def test_equal_torchs_with_copied_weights(self, norm_first, tokens):
        """Post-norm has no last norm, as in the paper; nn.Transformer adds one."""
        source, target = tokens
        ours = small(norm_first=norm_first)
        last = {"norm": None}
        encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(12, 3, 20, 0.0, batch_first=True, norm_first=norm_first), 2,
            **last, enable_nested_tensor=False,
        )  # fmt: skip
        decoder = nn.TransformerDecoder(
            nn.TransformerDecoderLayer(12, 3, 20, 0.0, batch_first=True, norm_first=norm_first), 2, **last
        )
        scrambled(encoder, 5), scrambled(decoder, 6)
        for stack, theirs, cross in ((ours.encoder, encoder, False), (ours.decoder, decoder, True)):
            for block, layer in zip(stack, theirs.layers, strict=True):
                copy_block(block, layer, cross)
        table = sinusoidal_positions(torch.arange(7), 12).float().double()
        x = ours.source_embedding(source) * math.sqrt(12) + table
        y = ours.target_embedding(target) * math.sqrt(12) + table[:6]
        blocked = torch.ones(6, 6, dtype=torch.bool).triu(1)
        memory = ours.encoder_norm(encoder(x, src_key_padding_mask=source == 0))
        expected = ours.head(
            ours.decoder_norm(decoder(y, memory, tgt_mask=blocked, memory_key_padding_mask=source == 0))
        )
        torch.testing.assert_close(ours(source, target), expected, **EXACT)

    def test_post_norm_has_no_last_norm(self):
        assert isinstance(Transformer(TransformerConfig(**SMALL, norm_first=False)).encoder_norm, nn.Identity)
        assert isinstance(Transformer(TransformerConfig(**SMALL)).decoder_norm, nn.LayerNorm)

    def test_loss_at_the_beginning_is_that_of_a_guess(self):
        torch.manual_seed(0)
        model = Transformer(TransformerConfig(source_vocabulary=50, target_vocabulary=40))
        logits = model(torch.randint(3, 50, (8, 20)), torch.randint(3, 40, (8, 20)))
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), torch.randint(3, 40, (160,)))
        assert loss.item() == pytest.approx(math.log(40), abs=1e-5)

    def test_one_batch_is_learned_by_heart(self, tokens):
        torch.manual_seed(0)
        source, target = tokens
        model = Transformer(TransformerConfig(**SMALL | {"d": 32, "heads": 4}))
        adamw = torch.optim.AdamW(model.parameters(), lr=3e-3)
        for _ in range(150):
            adamw.zero_grad()
            loss = nn.functional.cross_entropy(model(source, target[:, :-1]).flatten(0, 1), target[:, 1:].flatten())
            loss.backward()
            adamw.step()
        assert loss.item() < 0.01


class TestWhatItSees:
    def test_the_future_changes_no_bit(self, tokens):
        source, target = tokens
        for model in (small(), small(norm_first=False), small().float()):
            logits = model(source, target)
            for t in range(1, 6):
                other = target.clone()
                other[:, t:] = 3 + (other[:, t:] - 2) % (TARGET - 3)
                assert (other[:, t:] != target[:, t:]).all()
                assert torch.equal(model(source, other)[:, :t], logits[:, :t])
                assert not torch.equal(model(source, other)[:, t], logits[:, t])

    def test_padding_changes_nothing(self, tokens):
        source, target = tokens
        model = small()
        logits = model(source, target)
        longer = nn.functional.pad(source, (0, 6))
        torch.testing.assert_close(model(longer, target), logits, **EXACT)
        for row, length in enumerate([7, 5, 3, 1]):
            alone = model(source[row : row + 1, :length], target[row : row + 1])
            torch.testing.assert_close(alone[0], logits[row], **EXACT)
        mask, junk = source != 0, source.clone()
        junk[source == 0] = 5
        assert torch.equal(model(junk, target, mask), logits)  # what stands behind the mask is not read

    def test_without_positions_the_encoder_sees_a_set(self, tokens):
        source, target = tokens
        order = torch.tensor([3, 1, 6, 0, 2, 5, 4])
        none, sinusoidal = small(positions="none"), small()
        torch.testing.assert_close(none(source[:, order], target), none(source, target), **EXACT)
        assert not torch.allclose(sinusoidal(source[:, order], target), sinusoidal(source, target))

    def test_given_positions_are_used(self, tokens):
        source, target = tokens
        model = small()
        usual = (torch.arange(7), torch.arange(6))
        torch.testing.assert_close(model(source, target, positions=usual), model(source, target), **EXACT)
        for side in (0, 1):
            other = list(usual)
            other[side] = 3 * other[side]
            assert not torch.allclose(model(source, target, positions=other), model(source, target))

    def test_a_sequence_beyond_the_positions_is_named(self, tokens):
        source, target = tokens
        with pytest.raises(ValueError, match="there are 6 positions; got a sequence of 7 tokens"):
            small(length=6)(source, target)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"positions": "learned"}, "positions must be 'sinusoidal' or 'none'; got 'learned'"),
            ({"d": 9}, "d must be"),
        ],
    )
    def test_a_bad_configuration_is_named(self, changes, message):
        with pytest.raises(ValueError, match=message):
            TransformerConfig(**SMALL | changes)


def greedy_by_recomputation(model, source, length, positions=(None, None)):
    """The usual loop: the whole target again for each token. (B, length), padded after the end."""
    target, done = torch.ones(len(source), 1, dtype=torch.int64), torch.zeros(len(source), dtype=torch.bool)
    while target.shape[1] <= length and not done.all():
        here = (positions[0], None if positions[1] is None else positions[1][: target.shape[1]])
        best = model(source, target, positions=here)[:, -1].argmax(dim=-1)
        best[done] = 0
        target, done = torch.cat([target, best[:, None]], dim=1), done | (best == END)
    return target[:, 1:]


class TestTranslate:
    def test_the_cache_gives_the_logits_of_the_full_forward(self, tokens):
        source, target = tokens
        for model in (small(), small(norm_first=False)):
            memory, mask = model.encode(source), source != 0
            caches = [(Cache(6), Cache(7)) for _ in model.decoder]
            parts = [target[:, :1], target[:, 1:4], target[:, 4:5], target[:, 5:]]  # several at once, too
            found = torch.cat([model.decode(part, memory, mask, caches=caches) for part in parts], dim=1)
            torch.testing.assert_close(found, model(source, target), **EXACT)

    @pytest.mark.parametrize("positions", [(None, None), (2 * torch.arange(7), 3 + torch.arange(20))])
    def test_greedy_is_the_usual_loop(self, positions, tokens):
        source, _ = tokens
        for seed in range(4):
            model = small(seed)
            found = model.translate(source, max_length=20, positions=positions)
            assert torch.equal(found.tokens, greedy_by_recomputation(model, source, 20, positions))

    @pytest.mark.parametrize("beams", [1, 3])
    def test_its_log_probability_is_that_of_its_tokens(self, beams, tokens):
        source, _ = tokens
        for seed in range(4):
            model = small(seed)
            found, log_prob = model.translate(source, max_length=12, beams=beams)
            target = torch.cat([torch.ones(4, 1, dtype=torch.int64), found], dim=1)
            log_p = model(source, target[:, :-1]).log_softmax(dim=-1).gather(-1, target[:, 1:, None])[..., 0]
            expected = (log_p * (found != 0)).sum(dim=1)
            torch.testing.assert_close(log_prob.double(), expected, rtol=1e-5, atol=1e-5)

    def test_a_row_is_translated_as_it_is_alone(self, tokens):
        source, _ = tokens
        model = small()
        together = model.translate(source, max_length=15, beams=2)
        for row, length in enumerate([7, 5, 3, 1]):
            alone = model.translate(source[row : row + 1, :length], max_length=15, beams=2)
            width = alone.tokens.shape[1]
            assert torch.equal(together.tokens[row, :width], alone.tokens[0])
            assert (together.tokens[row, width:] == 0).all()


class Table:
    """A language whose next token depends on the last one alone, (V, V) of probabilities, for every row the same."""

    def __init__(self, rows, vocabulary=5, seed=0):
        logits = 2 * torch.randn(rows, vocabulary, vocabulary, generator=torch.Generator().manual_seed(seed))
        logits[:, :, :2] = -torch.inf  # neither padding nor another beginning
        self.logits, self.rows = logits, rows

    def step(self, beams):
        owner = torch.arange(self.rows).repeat_interleave(beams)
        return lambda tokens, parents: self.logits[owner, tokens]

    def best(self, row, max_length):
        """The most probable sequence of at most max_length tokens and its log-probability, by trying all."""
        log_p, found = self.logits[row].log_softmax(dim=-1), []
        for n in range(1, max_length + 1):
            for words in itertools.product((3, 4), repeat=n - 1):
                for last in (END, 3, 4) if n == max_length else (END,):
                    path = [1, *words, last]
                    found.append((sum(log_p[a, b].item() for a, b in itertools.pairwise(path)), path[1:]))
        return max(found)


OPTIONS = {"begin": 1, "end": END, "pad": 0, "max_length": 5}


class TestBeamSearch:
    def test_a_beam_as_wide_as_the_tree_finds_the_best(self):
        table, greedy_misses = Table(20), 0
        found = beam_search(table.step(64), 20, beams=64, **OPTIONS)
        greedy = beam_search(table.step(1), 20, **OPTIONS)
        for row in range(20):
            log_prob, path = table.best(row, 5)
            assert found.tokens[row].tolist() == path + [0] * (found.tokens.shape[1] - len(path))
            assert found.log_prob[row].item() == pytest.approx(log_prob, abs=1e-5)
            assert greedy.log_prob[row].item() <= log_prob + 1e-5
            greedy_misses += greedy.log_prob[row].item() < log_prob - 1e-5
        assert greedy_misses > 0

    def test_one_beam_takes_the_most_probable_token_each_time(self):
        table = Table(6, seed=1)
        found = beam_search(table.step(1), 6, **OPTIONS).tokens
        for row in range(6):
            last = 1
            for token in found[row].tolist():
                assert token == (0 if last in (END, 0) else table.logits[row, last].argmax().item())
                last = token

    def test_parents_name_the_past(self):
        """A model that carries its own past, moved by parents alone, is given each beam's last token."""
        beams, table = 4, Table(3)
        past = torch.zeros(3 * beams, 0, dtype=torch.int64)

        def step(tokens, parents):
            nonlocal past
            past = torch.cat([past[parents], tokens[:, None]], dim=1)
            return table.step(beams)(past[:, -1], None)

        found = beam_search(step, 3, beams=beams, **OPTIONS)
        assert torch.equal(found.tokens, beam_search(table.step(beams), 3, beams=beams, **OPTIONS).tokens)

    @pytest.mark.parametrize("bad", [{"beams": 0}, {"max_length": 0}])
    def test_a_number_below_one_is_named(self, bad):
        with pytest.raises(ValueError, match="beams and max_length must be at least 1; got"):
            beam_search(None, 1, **OPTIONS | bad)


class TestCache:
    def test_keeps_what_is_appended_and_follows_the_beams(self):
        key, value = torch.randn(2, 3, 2, 5, 4).unbind()  # (B, H, t, d/H)
        cache = decoding.Cache(6)
        cache.append(key[:, :, :2], value[:, :, :2])
        found = cache.append(key[:, :, 2:], value[:, :, 2:])
        assert torch.equal(torch.stack(found), torch.stack([key, value]))
        cache.reorder(torch.tensor([2, 0, 0]))
        assert torch.equal(torch.stack(cache.read()), torch.stack([key, value])[:, [2, 0, 0]])

    def test_one_token_too_many_is_named(self):
        cache = decoding.Cache(3)
        cache.append(torch.zeros(1, 1, 2, 4), torch.zeros(1, 1, 2, 4))
        with pytest.raises(ValueError, match="the cache holds 3 tokens; this would be number 4"):
            cache.append(torch.zeros(1, 1, 2, 4), torch.zeros(1, 1, 2, 4))

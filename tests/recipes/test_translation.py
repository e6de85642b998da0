"""The translators' recipe: what it builds, what its loss is, and that a minute's training translates."""

import math

import pytest
import torch

from course_utils.data.translation import ENGLISH, KOREAN, PAD
from course_utils.models.decoding import Translation
from course_utils.models.seq2seq import Seq2Seq
from course_utils.models.transformer import Transformer
from course_utils.recipes import translation
from course_utils.recipes.translation import PRESETS, Config, share_exact
from course_utils.training.loop import train

TINY = {"steps": 4, "batch_size": 8, "d": 16, "heads": 2, "layers": 1, "mlp": 32, "pool": 64, "warmup": 2}


class TestModel:
    def test_kinds(self):
        kinds = {kind: translation.model(Config(kind=kind)) for kind in ("transformer", "gru", "gru-attention")}
        assert isinstance(kinds["transformer"], Transformer)
        assert isinstance(kinds["gru"], Seq2Seq)
        assert [kinds[kind].config.attention > 0 for kind in ("gru", "gru-attention")] == [False, True]
        with pytest.raises(ValueError, match="kind must be transformer, gru or gru-attention; got 'lstm'"):
            translation.model(Config(kind="lstm"))

    def test_the_presets_for_lists_have_equally_many_parameters(self):
        sizes = {
            name: sum(p.numel() for p in translation.model(config).parameters())
            for name, config in PRESETS.items()
            if name.startswith("lists")
        }
        assert len(sizes) == 3
        assert max(sizes.values()) < 1.05 * min(sizes.values()), sizes

    def test_directions(self):
        model = translation.model(PRESETS["numbers-english-korean"])
        assert model.source_embedding.num_embeddings == len(ENGLISH)
        assert model.head.out_features == len(KOREAN)


class TestLoss:
    def test_it_begins_at_the_logarithm_of_the_vocabulary(self):
        config = Config(**TINY)
        batch = translation.data(config)[0][range(8)]
        loss = translation.loss(translation.model(config), batch, torch.Generator())
        assert loss.item() == pytest.approx(math.log(len(ENGLISH)), abs=1e-5)

    def test_padding_does_not_count(self):
        config = Config(**TINY, kind="gru")
        model = translation.model(config)
        source, target = translation.data(config)[0][range(8)]
        longer = torch.nn.functional.pad(target, (0, 5), value=PAD)
        losses = [translation.loss(model, (source, t), torch.Generator()).item() for t in (target, longer)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-6)

    def test_bfloat16_is_near(self):
        config = Config(**TINY)
        model = translation.model(config)
        torch.nn.init.normal_(model.head.weight, std=0.3)
        batch = translation.data(config)[0][range(8)]
        exact = translation.loss(model, batch, torch.Generator())
        model.bf16 = True
        rounded = translation.loss(model, batch, torch.Generator())
        assert rounded.dtype == torch.float32
        assert 0 < abs(rounded.item() - exact.item()) < 0.05


def test_the_rate_rises_and_falls_along_lines():
    config = Config(steps=10, warmup=4, rate=2.0)
    parameter = torch.nn.Linear(1, 1)
    adamw = translation.optimiser(parameter, config)
    schedule, rates = translation.schedule(adamw, config), []
    for _ in range(10):
        rates.append(adamw.param_groups[0]["lr"])
        adamw.step()
        schedule.step()
    assert rates == pytest.approx([0.5, 1.0, 1.5, 2.0, 2.0, 5 / 3, 4 / 3, 1.0, 2 / 3, 1 / 3])


def test_share_exact_counts_whole_rows():
    class Translator:
        """Whatever the source, the same two rows: the second has a wrong token."""

        def translate(self, source, max_length, beams=1):
            assert (len(source), beams) == (2, 3)
            return Translation(torch.tensor([[5, 2, 0], [6, 8, 2]]), torch.zeros(2))

    source, target = torch.zeros(2, 3), torch.tensor([[1, 5, 2, 0], [1, 6, 7, 2]])
    assert share_exact(Translator(), [(source, target), (source, target)], beams=3) == 0.5


def test_data_has_nothing_to_choose():
    with pytest.raises(ValueError, match="--data: this recipe makes its own numbers; got 'mnist'"):
        translation.data(Config(**TINY), "mnist")


@pytest.mark.parametrize("kind", ["transformer", "gru", "gru-attention"])
def test_training_runs_and_is_evaluated(kind):
    trained = train(translation, Config(**TINY, kind=kind, numbers=(1, 2)), log_every=4, save_every=4)
    assert 0 <= trained.history["exact match"][-1] <= 1
    assert trained.history["loss"][-1] < math.log(len(ENGLISH)) + 0.5


@pytest.mark.slow
def test_it_learns_to_translate():
    """A small model on numbers of few digits would be too easy; this is the preset with a quarter of its steps."""
    config = Config(steps=200, batch_size=64, rate=3e-3, pool=5000)
    trained = train(translation, config, log_every=100, save_every=200)
    assert trained.history["exact match"][-1] > 0.5

"""Fine-tuning: where the weights come from, which of them learn, and that each task is read as it is meant."""

import dataclasses

import pytest
import torch

from course_utils.data import shipped
from course_utils.data.entailment import LABELS, sample_entailment
from course_utils.data.text import docstrings
from course_utils.data.wordpiece import CLS, SEP, docstring_tokenizer
from course_utils.models.bert import Classifier, SpanReader
from course_utils.recipes import bert, finetuning
from course_utils.training.loop import load, train
from course_utils.training.processes import Processes
from course_utils.training.task import Task

SMALL = {"steps": 4, "batch_size": 8, "examples": 40, "tested": 20}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """In place of the shipped BERT a small one, not trained."""
    folder = tmp_path_factory.mktemp("checkpoints")
    config = dataclasses.replace(bert.PRESETS["docstrings"], d=16, heads=2, layers=1, mlp=24, length=96, steps=1)
    recipe = type("Untrained", (), {"__name__": "bert", "model": bert.model, "optimiser": bert.optimiser})
    recipe.data = lambda config, source: (torch.arange(64), None)
    recipe.loss = lambda model, batch, generator: sum(p.sum() for p in model.parameters())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shipped, "FOLDER", folder)
        train(recipe, config, out=folder / "run")
        shipped.ship(folder / "run", "bert-docstrings")
        yield folder


def built(preset, **changes):
    return Task(finetuning, dataclasses.replace(finetuning.PRESETS[preset], **SMALL | changes), None, Processes())


def weights_of(model):
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


@pytest.mark.usefixtures("folder")
class TestWeights:
    def test_they_begin_as_the_shipped_ones_or_random(self):
        expected = load(shipped.checkpoint("bert-docstrings"), bert).state_dict()
        for name, tensor in built("nli").model.bert.state_dict().items():
            assert torch.equal(tensor, expected[name])
        scratch = built("nli", initial="none").model.bert
        assert not torch.equal(scratch.embedding.weight, expected["embedding.weight"])

    def test_a_frozen_bert_stays_and_a_fine_tuned_one_moves(self):
        for frozen in (True, False):
            task = built("nli", frozen=frozen)
            before = weights_of(task.model)
            task.update(0)
            moved = {name for name, tensor in weights_of(task.model).items() if not torch.equal(tensor, before[name])}
            assert {"head.weight", "head.bias"} <= moved
            assert any(name.startswith("bert.") for name in moved) is not frozen

    def test_rates(self):
        task = built("nli", rate=0.25, head_rate=0.5, warmup=0)
        assert [o.param_groups[0]["initial_lr"] for o in task.optimisers] == [0.25, 0.5]
        (only,) = built("nli", head_rate=0.5, frozen=True).optimisers
        assert sum(p.numel() for group in only.param_groups for p in group["params"]) == 16 * 3 + 3

    def test_a_run_is_loaded(self, tmp_path):
        config = dataclasses.replace(finetuning.PRESETS["nli"], **SMALL)
        trained = train(finetuning, config, out=tmp_path / "run")
        tokens = torch.tensor([[CLS, 70, 80, SEP, 90, SEP]])
        assert torch.equal(load(tmp_path / "run", finetuning)(tokens), trained.model.eval()(tokens))


@pytest.mark.usefixtures("folder")
class TestTasks:
    def test_pairs_of_sentences(self):
        train_set, test_set = finetuning.data(dataclasses.replace(finetuning.PRESETS["nli"], **SMALL))
        assert (len(train_set), len(test_set)) == (40, 20)
        tokens, segments, label = train_set[3]
        example = sample_entailment(40, "train", finetuning.random_state("train", 0))[3]
        decode = docstring_tokenizer().decode
        assert decode(tokens[segments == 0].tolist()) == example.premise.lower().replace(".", "") + "."
        assert decode(tokens[segments == 1].tolist()) == example.hypothesis.lower()
        assert label == example.label < len(LABELS)

    def test_the_loss_of_a_span_is_that_of_both_its_ends(self):
        model = SpanReader(load(shipped.checkpoint("bert-docstrings"), bert)).eval()
        tokens = torch.tensor([[2, 10, 3, 11, 12, 13, 3, 0, 0], [2, 10, 3, 14, 15, 16, 17, 3, 0]])
        segments = (torch.arange(9) > 2).long().expand(2, 9)
        spans = torch.tensor([[3, 5], [6, 6]])
        log_p = model(tokens, segments).log_softmax(dim=1)
        expected = -(log_p[0, 3, 0] + log_p[0, 5, 1] + log_p[1, 6, 0] + log_p[1, 6, 1]) / 4
        found = finetuning.loss(model, (tokens, segments, spans), None)
        torch.testing.assert_close(found, expected)

    def test_f1_of_spans(self):
        found = torch.tensor([[3, 5], [3, 3], [4, 6], [7, 8]])
        wanted = torch.tensor([[3, 5], [3, 5], [5, 7], [3, 5]])
        assert finetuning.span_f1(found, wanted).tolist() == pytest.approx([1, 2 * 1 / 4, 2 * 2 / 6, 0])

    def test_other_tasks_and_data_are_named(self):
        config = dataclasses.replace(finetuning.PRESETS["nli"], task="translation")
        for function in (finetuning.model, finetuning.data):
            with pytest.raises(ValueError, match="task must be nli, qa or library; got 'translation'"):
                function(config)
        with pytest.raises(ValueError, match="this recipe's tasks are named by --set task=…; got 'x'"):
            finetuning.data(finetuning.PRESETS["nli"], "x")

    @pytest.mark.slow
    def test_questions_and_libraries(self):
        decode = docstring_tokenizer().decode
        train_set, test_set = finetuning.data(dataclasses.replace(finetuning.PRESETS["qa"], **SMALL))
        assert len(test_set) == 20
        for tokens, segments, (first, last) in train_set:
            question, passage = (decode(tokens[segments == k].tolist()) for k in (0, 1))
            answer = decode(tokens[first : last + 1].tolist())
            assert question.startswith("which of them is of ")
            assert f"the {answer}" in passage
        config = dataclasses.replace(finetuning.PRESETS["library"], examples=12)
        train_set, test_set = finetuning.data(config)
        assert train_set.tensors[2].bincount().tolist() == [2] * 6
        assert torch.equal(test_set.tensors[2], torch.from_numpy(docstrings("test").y))
        assert test_set.tensors[0].shape[1] == config.length
        for preset, kind in (("qa", SpanReader), ("library", Classifier)):
            task = built(preset)
            assert isinstance(task.model, kind)
            task.update(0)
            assert all(0 <= value <= 1 for value in task.evaluate().values())

"""The recipes of GPT and BERT: what is measured is right, they learn, and a run that was stopped ends the same."""

import dataclasses
import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from course_utils.data.bytepieces import docstring_prose
from course_utils.data.wordpiece import CLS, MASK, PIECES, SEP
from course_utils.models.bert import BertOutput
from course_utils.optima.hmm import at_words
from course_utils.recipes import bert, gpt
from course_utils.train import main
from course_utils.training import checkpoints
from course_utils.training.loop import load, train
from tests.training.runs import happening, outcome
from tests.training.torchrun import torchrun

SUPPLIED = Path(os.environ.get("COURSE_SUPPLIED_DATA", "no such folder"))
TINY = {"steps": 12, "batch_size": 8, "d": 16, "heads": 2, "layers": 1, "mlp": 24, "length": 12, "sequences": 64}
EVERY = {"log_every": 4, "save_every": 4}


def tiny(recipe, preset="hmm", **changes):
    return dataclasses.replace(recipe.PRESETS[preset], **TINY | changes)


class Oracle(torch.nn.Module):
    """Says what the exact answer says, in place of a GPT or a BERT of the hidden Markov language."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, tokens):
        return torch.from_numpy(self.answer(tokens.numpy()))

    def encode(self, tokens):
        return self(tokens)

    def mlm(self, hidden):
        return hidden


@pytest.mark.parametrize("recipe", [gpt, bert], ids=["gpt", "bert"])
class TestBoth:
    def test_a_stopped_run_goes_on_to_the_same_bits(self, recipe, tmp_path):
        config = tiny(recipe)
        train(recipe, config, out=tmp_path / "whole", **EVERY)
        with pytest.raises(KeyboardInterrupt):
            train(_failing(recipe, 7), config, out=tmp_path / "stopped", **EVERY)
        train(recipe, config, out=tmp_path / "stopped", resume=True, **EVERY)
        assert outcome(tmp_path / "whole") == outcome(tmp_path / "stopped")

    def test_a_finished_run_is_loaded(self, recipe, tmp_path):
        trained = train(recipe, tiny(recipe), out=tmp_path / "run", **EVERY)
        tokens = torch.randint(24, (2, 12), generator=torch.Generator().manual_seed(0))
        found, expected = load(tmp_path / "run", recipe)(tokens), trained.model.eval()(tokens)
        if isinstance(found, BertOutput):
            found, expected = found.mlm_logits, expected.mlm_logits
        assert torch.equal(found, expected)

    def test_it_learns(self, recipe):
        """Below what word frequencies alone give, which takes context."""
        config = dataclasses.replace(recipe.PRESETS["hmm"], steps=300, sequences=8192, layers=1, length=32, warmup=10)
        trained = train(recipe, config, save_every=300)
        frequencies = np.log(recipe.LANGUAGE.initial @ recipe.LANGUAGE.emission)
        unigram = -np.exp(frequencies) @ frequencies
        assert trained.history["test loss"][-1] < unigram - 0.15
        assert trained.history["over the optimum"][-1] > 0

    def test_the_optimisers_are_named(self, recipe):
        config = tiny(recipe, optimiser="adamw")
        assert isinstance(recipe.optimiser(recipe.model(config), config), torch.optim.AdamW)
        with pytest.raises(ValueError, match="optimiser must be adamw or muon; got 'sgd'"):
            recipe.optimiser(recipe.model(config), tiny(recipe, optimiser="sgd"))

    def test_other_texts_and_data_are_named(self, recipe):
        with pytest.raises(ValueError, match="text must be hmm.*; got 'poems'"):
            recipe.model(tiny(recipe, text="poems"))
        with pytest.raises(ValueError, match="this recipe's texts are named by --set text=…; got 'x'"):
            recipe.data(tiny(recipe), "x")

    def test_another_seed_has_other_sentences_and_the_test_set_stays(self, recipe):
        (one, test), (two, other) = (recipe.data(tiny(recipe, seed=seed)) for seed in (0, 1))
        assert not torch.equal(one, two)
        assert torch.equal(test, other)


class TestDocstringsInPieces:
    """GPT on the docstrings, cut into byte-level pieces."""

    CONFIG = dataclasses.replace(gpt.PRESETS["docstrings"], text="docstrings-300", d=16, heads=2, layers=1, mlp=64)

    def test_windows_are_of_the_corpus(self):
        windows, test = gpt.data(self.CONFIG)
        pieces = gpt.alphabet("docstrings-300")
        assert docstring_prose("train").startswith(pieces.decode(windows[torch.tensor([0])][0]))
        rows = test[torch.arange(len(test))]  # each begins where the last one ends
        assert torch.equal(rows[1:, 0], rows[:-1, -1])
        assert docstring_prose("validation").startswith(pieces.decode(torch.cat([rows[:40, :-1].flatten()])))

    def test_every_piece_has_a_logit(self):
        assert gpt.model(self.CONFIG)(torch.zeros(2, 3, dtype=torch.int64)).shape == (2, 3, 300)

    @pytest.mark.parametrize("text", ["docstrings", "docstrings-", "docstrings-many", "books-300"])
    def test_other_names_are_refused(self, text):
        with pytest.raises(ValueError, match=f"text must be hmm, shakespeare or docstrings-N .*; got '{text}'"):
            gpt.model(dataclasses.replace(self.CONFIG, text=text))

    def test_it_learns(self):
        trained = train(gpt, dataclasses.replace(self.CONFIG, steps=60), save_every=60)
        counts = gpt.alphabet("docstrings-300").encode(docstring_prose("train")).bincount()
        unigram = torch.distributions.Categorical(counts.double()).entropy()
        assert trained.history["test loss"][-1] < unigram - 0.3


def _failing(recipe, step):
    def fail():
        raise KeyboardInterrupt

    return happening(recipe, step, fail)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals and torchrun's store are otherwise on Windows")
class TestTheGPTCommand:
    """The real command, in processes of its own, with every switch of the recipe on."""

    COMMAND = ("gpt", "--set", "d=32", "--set", "mlp=64", "--set", "length=24", "--set", "batch_size=16")

    def test_killed_it_goes_on_bit_for_bit(self, tmp_path):
        """Killed in the middle of a step, after a checkpoint and before the next one; with dropout."""
        command = (*self.COMMAND, "--set", "steps=30", "--set", "dropout=0.1", "--save-every", "10", "--log-every", "5")
        killing = """
import os, signal, sys
from course_utils.recipes import gpt
from course_utils.train import main
losses = []
loss = gpt.loss
def dying(*arguments):
    losses.append(loss(*arguments))
    if len(losses) == 17:
        os.kill(os.getpid(), signal.SIGKILL)
    return losses[-1]
gpt.loss = dying
main(sys.argv[1:])
"""
        killed = subprocess.run([sys.executable, "-c", killing, *command, "--out", tmp_path / "killed"], check=False)
        assert killed.returncode == -signal.SIGKILL
        assert [step for step, _ in checkpoints.found(tmp_path / "killed" / "checkpoints")] == [10]
        for name, options in (("killed", ["--resume"]), ("whole", [])):
            module = [sys.executable, "-m", "course_utils.train", *command, "--out", tmp_path / name, *options]
            subprocess.run(module, check=True, capture_output=True)
        assert outcome(tmp_path / "killed") == outcome(tmp_path / "whole")

    @pytest.mark.parametrize(("optimiser", "tolerance"), [("adamw", 1e-5), ("muon", 0.01)])  # Muon works in bfloat16
    def test_two_processes_are_as_one(self, optimiser, tolerance, tmp_path):
        rate = 3e-3 if optimiser == "adamw" else 2e-2
        command = (*self.COMMAND, "--set", "steps=50", "--set", f"optimiser={optimiser}", "--set", f"rate={rate}")
        command += ("--log-every", "1", "--save-every", "50", "--out")
        done = torchrun("-m", "course_utils.train", *command, "two", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert main([*command, str(tmp_path / "one")]) == 0
        logs = [(tmp_path / name / "log.jsonl").read_text().splitlines() for name in ("one", "two")]
        one, two = ([json.loads(line)["loss"] for line in lines] for lines in logs)
        assert len(one) == 50
        np.testing.assert_allclose(two, one, rtol=0, atol=tolerance)
        assert one[-1] < one[0] - 0.3


class TestGPT:
    def test_the_exact_answer_is_at_the_optimum(self):
        """An oracle in the model's place is over the optimum by nothing: BEGIN, shift and mean are in their places."""

        def answer(tokens):
            assert (tokens[:, 0] == gpt.BEGIN).all()
            words = np.pad(tokens[:, 1:], ((0, 0), (0, 1)))  # the last one's answer does not depend on its own word
            return gpt.LANGUAGE.log_past(words)

        config = tiny(gpt, evaluated=0)
        found = gpt.evaluate(Oracle(answer), gpt.data(config)[1], config)
        assert found["over the optimum"] == pytest.approx(0, abs=1e-6)
        assert 1.9 < found["test loss"] < 2.2

    def test_losses_are_those_of_the_next_token(self):
        model = gpt.model(tiny(gpt)).eval()
        batch = gpt.sentences(3, 12, 5)
        expected = F.cross_entropy(model(batch[:, :-1])[1, 4], batch[1, 5])
        assert gpt.next_token_losses(model, batch)[1, 4].item() == pytest.approx(expected.item(), rel=1e-5)
        assert gpt.mean_loss(model, batch, batch=2) == pytest.approx(gpt.loss(model, batch, None).item(), rel=1e-5)

    def test_evaluated_windows_are_at_equal_distances(self, monkeypatch):
        seen = []
        monkeypatch.setattr(gpt, "mean_loss", lambda model, rows: seen.append(rows) or 0.0)
        rows = torch.arange(100)[:, None].expand(100, 13)
        gpt.evaluate(None, rows, tiny(gpt, "shakespeare", evaluated=20))
        gpt.evaluate(None, rows, tiny(gpt, "shakespeare", evaluated=0))
        assert seen[0][:, 0].tolist() == list(range(0, 100, 5))
        assert len(seen[1]) == 100

    def test_shakespeare(self, monkeypatch):
        if not (SUPPLIED / "tinyshakespeare.txt").exists():
            pytest.skip("COURSE_DATA has no tiny Shakespeare")
        monkeypatch.setenv("COURSE_DATA", str(SUPPLIED))
        config = tiny(gpt, "nanogpt-cpu", length=64)
        train_set, test_set = gpt.data(config)
        assert len(train_set) == 1_003_854 - 64
        assert len(test_set) == 111_540 // 64
        trained = train(gpt, config, save_every=12)
        assert trained.history["test loss"][-1] < math.log(65)

    def test_decays_are_named(self):
        config = tiny(gpt, decay="square")
        with pytest.raises(ValueError, match="decay must be one of cosine, linear; got 'square'"):
            gpt.schedule(None, config)

    def test_nanogpts_size(self):
        """0.80 million parameters, positions not counted, as nanoGPT prints it; its biases are left out, ours not."""
        for preset in ("nanogpt-cpu", "nanogpt-cpu-recipe"):
            config = gpt.PRESETS[preset]
            assert (config.layers, config.heads, config.d, config.length, config.batch_size) == (4, 4, 128, 64, 12)
            matrices = [
                p.numel() for name, p in gpt.model(config).named_parameters() if p.ndim == 2 and "positions" not in name
            ]
            assert sum(matrices) == 4 * 12 * 128**2 + 65 * 128 * (1 if config.tied else 2)


class TestBert:
    def test_the_exact_answer_is_at_the_optimum(self):
        def answer(shown):
            return bert.LANGUAGE.log_both_sides(shown, shown == bert.HMM_MASK)

        config = tiny(bert)
        found = bert.evaluate(Oracle(answer), bert.data(config)[1], config)
        assert found["over the optimum"] == pytest.approx(0, abs=1e-6)
        left = Oracle(lambda shown: bert.LANGUAGE.log_past(shown, shown == bert.HMM_MASK))
        assert bert.evaluate(left, bert.data(config)[1], config)["over the optimum"] > 0.1

    def test_only_masked_words_count(self):
        config = tiny(bert)
        model, words = bert.model(config).eval(), bert.data(config)[1][:4]
        shown, chosen = bert.hide(words, 0.5, torch.Generator().manual_seed(0))
        assert torch.equal(shown == bert.HMM_MASK, chosen)
        expected = F.cross_entropy(model(shown).mlm_logits[chosen], words[chosen], reduction="none")
        torch.testing.assert_close(bert.masked_losses(model, model.encode(shown), words, chosen), expected)
        assert at_words(bert.LANGUAGE.log_past(words.numpy()), words.numpy()).shape == words.shape

    def test_a_batch_in_which_nothing_is_chosen_costs_nothing(self, monkeypatch):
        monkeypatch.setattr(bert, "HMM_SHARES", (0.0, 0.0))
        config = tiny(bert)
        assert bert.loss(bert.model(config), bert.data(config)[0][:4], torch.Generator().manual_seed(0)).item() == 0

    def test_the_docstrings_loss_by_its_parts(self):
        config = tiny(bert, "docstrings", length=32)
        torch.manual_seed(0)
        model = bert.model(config).eval()
        tokens = torch.randint(5, PIECES, (6, 20), generator=torch.Generator().manual_seed(1))
        tokens[:, 0], tokens[:, 9], tokens[:, -1] = CLS, SEP, SEP
        tokens[2, 15:] = 0
        segments = (torch.arange(20) > 9).long().expand(6, 20)
        label = torch.tensor([0, 1, 1, 0, 0, 1])
        total, parts = bert.loss(model, (tokens, segments, label), torch.Generator().manual_seed(2))
        shown, chosen = bert.choose(tokens, PIECES, torch.Generator().manual_seed(2), bert.DOCSTRING_SHARE)
        output = model(shown, segments, tokens != 0)
        torch.testing.assert_close(parts["nsp"], F.cross_entropy(output.nsp_logits, label))
        torch.testing.assert_close(parts["mlm"], F.cross_entropy(output.mlm_logits[chosen], tokens[chosen]))
        torch.testing.assert_close(total, parts["mlm"] + parts["nsp"])
        assert not chosen[tokens < 5].any()
        assert (shown == MASK).any()

    def test_masked_shares_of_sentences_lie_between_the_two(self, monkeypatch):
        """Of 400 sentences of 250 words: binomial around a share that is uniform on 0.15 … 0.45."""
        seen = []
        monkeypatch.setattr(
            bert, "masked_losses", lambda model, hidden, words, chosen: seen.append(chosen) or chosen[0]
        )
        config = tiny(bert, length=250)
        words = torch.zeros(400, 250, dtype=torch.int64)
        bert.loss(bert.model(config), words, torch.Generator().manual_seed(0))
        shares = seen[0].float().mean(dim=1)
        assert shares.mean().item() == pytest.approx(0.3, abs=0.02)
        assert shares.std().item() == pytest.approx(math.sqrt(0.3**2 / 12 + 0.3 * 0.7 / 250), rel=0.1)

    def test_evaluation_chooses_fifteen_per_cent(self):
        pairs = [(torch.full((64, 100), 7), None, None)] * 2
        for *_, chosen in bert.asked(type("", (), {"__getitem__": lambda self, rows: pairs[0]})(), 128):
            assert chosen.float().mean().item() == pytest.approx(0.15, abs=0.02)

    def test_positions_are_rotary_and_can_be_learned(self):
        config = tiny(bert)
        model = bert.model(config)
        assert model.positions is None
        assert model.blocks[0].attention.prepare.normalise
        angle = model.blocks[0].attention.prepare.cos[1].acos()  # of the first step, for each pair
        torch.testing.assert_close(angle, config.rotary_base ** (-torch.arange(len(angle)) / len(angle)))
        assert bert.model(tiny(bert, positions="learned")).positions is not None

    @pytest.mark.slow
    def test_docstrings(self):
        config = tiny(bert, "docstrings", length=48, evaluated=128)
        trained = train(bert, config, save_every=12)
        history = trained.history
        assert history["test mlm"][-1] < math.log(PIECES)
        assert 0.3 < history["nsp accuracy"][-1] < 0.7
        train_set, _ = bert.data(config)
        tokens, segments, label = train_set[range(40)]
        assert tokens.shape[1] <= 48
        assert (segments[tokens == SEP].view(-1, 2) == torch.tensor([0, 1])).all()
        assert 8 <= label.sum() <= 32

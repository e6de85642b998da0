"""Shipping a run: what is copied, in which precision, and that the loop reads it again."""

import json

import pytest
import torch
from safetensors.torch import load_file

from course_utils.data import shipped
from course_utils.recipes import classifier
from course_utils.training.loop import load, train


def test_a_shipped_run_is_loaded_in_single_precision(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "checkpoints")
    config = classifier.Config(steps=3, batch_size=16)
    trained = train(classifier, config, out=tmp_path / "run")
    folder = shipped.ship(tmp_path / "run", "mine")
    assert folder == shipped.checkpoint("mine")
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "log.jsonl", "model.safetensors"]
    assert {tensor.dtype for tensor in load_file(folder / "model.safetensors").values()} == {torch.float16}
    assert json.loads((folder / "config.json").read_text())["config"]["steps"] == 3
    for found, expected in zip(load(folder, classifier).parameters(), trained.model.parameters(), strict=True):
        assert found.dtype == torch.float32
        assert torch.equal(found, expected.half().float())


def test_a_run_that_has_not_ended_is_not_shipped(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "checkpoints")
    with pytest.raises(FileNotFoundError):
        shipped.ship(tmp_path / "run", "mine")
    assert not (tmp_path / "checkpoints").exists()

"""Reading weights: what a folder holds, and what is said where one is missing, damaged, or not the published one."""

import hashlib
import json

import pytest
import torch
from safetensors.torch import save_file

from course_utils.data import weights
from course_utils.data.weights import MissingWeights, Published


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A data folder with a small "gpt2" in it."""
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    folder = tmp_path / "gpt2"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"n_embd": 3}))
    (folder / "tokenizer.json").write_text("{}")
    save_file({"wte.weight": torch.arange(6.0).view(2, 3)}, folder / "model.safetensors")
    return folder


def publish(monkeypatch, folder):
    """Let the folder's file be the published one."""
    content = (folder / "model.safetensors").read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    monkeypatch.setitem(weights.PUBLISHED, "gpt2", Published("https://example.org/gpt2", sha256, len(content)))


def test_a_folder_is_read(folder):
    found = weights.read(folder)
    assert found.config.n_embd == 3
    assert torch.equal(found.state_dict()["wte.weight"], torch.arange(6.0).view(2, 3))


def test_the_published_file_is_taken(folder, monkeypatch):
    publish(monkeypatch, folder)
    assert weights.published("gpt2").config.n_embd == 3


def test_another_file_is_named_and_not_taken(folder):
    with pytest.raises(ValueError, match=r"model.safetensors \(SHA-256 [0-9a-f]{64}\) is not the published file"):
        weights.published("gpt2")


def test_what_is_missing_is_named_with_the_way_to_get_it(folder):
    (folder / "tokenizer.json").unlink()
    with pytest.raises(MissingWeights) as raised:
        weights.published("gpt2")
    message = str(raised.value)
    assert "lacks tokenizer.json" in message
    assert f"curl -L --create-dirs -o '{folder / 'tokenizer.json'}' https://huggingface.co/openai-community/" in message
    assert "config.json" not in message


def test_damaged_files_are_named(folder):
    (folder / "model.safetensors").write_bytes(b"cut")
    with pytest.raises(ValueError, match="holds a damaged config.json or model.safetensors"):
        weights.read(folder)
    (folder / "config.json").write_text("[1]")
    with pytest.raises(ValueError, match="holds a damaged"):
        weights.read(folder)


@pytest.mark.parametrize("name", weights.PUBLISHED)
def test_addresses_name_a_commit(name):
    published = weights.PUBLISHED[name]
    assert len(published.address.rpartition("/")[2]) == 40
    assert len(published.sha256) == 64

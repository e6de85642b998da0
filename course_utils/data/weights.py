"""GPT-2's and BERT's published weights: optional, placed by hand in the data folder; no lesson and no test needs them.

They are read as safetensors, which hold numbers and no code, and compared with their published SHA-256.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from .folders import data_folder


class MissingWeights(FileNotFoundError):
    """Published weights are not on this machine; the message says how to get them."""


@dataclass(frozen=True)
class Published:
    """A model of a hub: ``address`` is the folder of its files at a fixed commit; SHA-256 and bytes of its weights."""

    address: str
    sha256: str
    size: int


# The hashes are those of the hub's large-file pointers at these commits, and stand in many public projects.
PUBLISHED = {
    "gpt2": Published(
        "https://huggingface.co/openai-community/gpt2/resolve/607a30d783dfa663caf39e06633721c8d4cfcd7e",
        "248dfc3911869ec493c76e65bf2fcf7f615828b0254c12b473182f0f81d3a707",
        548_105_171,
    ),
    "bert-base-uncased": Published(
        "https://huggingface.co/google-bert/bert-base-uncased/resolve/86b5e0934494bd15c9632b12f734a8a67f723594",
        "68d45e234eb4a928074dfd868cead0219ab85354cc53d20e772753c6bb9169d3",
        440_449_768,
    ),
}
CONFIG, WEIGHTS, TOKENIZER = FILES = ("config.json", "model.safetensors", "tokenizer.json")


class Weights:
    """A folder's configuration and tensors, as ``GPT.from_huggingface`` and ``Bert.from_huggingface`` take them.

    Attributes
    ----------
    config : SimpleNamespace, what config.json holds
    folder : Path
    """

    def __init__(self, config, tensors, folder):
        self.config, self._tensors, self.folder = config, tensors, folder

    def state_dict(self):
        """Name → tensor."""
        return self._tensors

    def tokenizer(self):
        """The ``tokenizers.Tokenizer`` of the folder's tokenizer.json."""
        from tokenizers import Tokenizer

        return Tokenizer.from_file(str(self.folder / TOKENIZER))


def published(name: str) -> Weights:
    """The weights of PUBLISHED, "gpt2" or "bert-base-uncased", from the data folder's folder of that name.

    Raises KeyError for another name, `MissingWeights` where they are not there, and ValueError where they are not the
    published ones.
    """
    expected, folder = PUBLISHED[name], data_folder() / name
    if missing := [file for file in FILES if not (folder / file).is_file()]:
        lines = "\n".join(f"  curl -L --create-dirs -o '{folder / file}' {expected.address}/{file}" for file in missing)
        raise MissingWeights(
            f"{name} ({expected.size / 1e6:.0f} MB) is not on this machine: {folder} lacks {', '.join(missing)}. "
            f"No lesson needs it. To get it:\n{lines}"
        )
    with open(folder / WEIGHTS, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected.sha256:
        raise ValueError(f"{folder / WEIGHTS} (SHA-256 {found}) is not the published file; delete it and get it anew.")
    return read(folder)


def read(folder) -> Weights:
    """The configuration and the tensors of a folder that holds config.json and model.safetensors.

    Raises FileNotFoundError where one is not there, and ValueError where one is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    folder = Path(folder)
    try:
        config = SimpleNamespace(**json.loads((folder / CONFIG).read_text(encoding="utf-8")))
        return Weights(config, load_file(folder / WEIGHTS), folder)
    except (ValueError, TypeError, SafetensorError) as error:
        raise ValueError(f"{folder} holds a damaged {CONFIG} or {WEIGHTS}: {error}") from None

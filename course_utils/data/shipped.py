"""The trained models that come with the course, as run folders for ``training.loop.load``."""

from pathlib import Path

FOLDER = Path(__file__).parents[2] / "data" / "checkpoints"


def checkpoint(name):
    """The folder of a shipped model, ``load(checkpoint("gan-digits"), gan)``; data/README.md has a card for each.

    Raises
    ------
    FileNotFoundError
        If there is none of that name; the message lists those that there are.
    """
    path = FOLDER / name
    if not (path / "model.safetensors").is_file():
        known = sorted(found.parent.name for found in FOLDER.glob("*/model.safetensors"))
        raise FileNotFoundError(
            f"name must be a shipped model, {', '.join(known) or 'of which there is none'}; got {name!r}."
        )
    return path

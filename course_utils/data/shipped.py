"""The trained models that come with the course, as run folders for ``training.loop.load``.

`python -c "from course_utils.data.shipped import ship; ship('RUN', 'NAME')"` makes one of a finished run.
"""

import shutil
from pathlib import Path

from . import cache

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


def ship(run, name):
    """Copy a finished run's configuration, log and weights, these in half precision, into the folder of that name.

    Numbers of half precision keep 11 binary digits; ``load`` makes single precision of them again.

    Returns
    -------
    Path of the folder

    Raises
    ------
    FileNotFoundError
        If the run has not ended.
    """
    from safetensors.torch import load_file, save

    run, folder = Path(run), FOLDER / name
    tensors = load_file(run / "model.safetensors")
    folder.mkdir(parents=True, exist_ok=True)
    for file in ("config.json", "log.jsonl"):
        shutil.copyfile(run / file, folder / file)
    cache.write(folder / "model.safetensors", save({key: tensor.half() for key, tensor in tensors.items()}))
    return folder

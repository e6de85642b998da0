"""Stored results: what ran, with which configuration, versions and seeds, and what came out."""

import hashlib
import importlib
import json
import os
import platform
from importlib import metadata
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "data" / "results"
PACKAGES = ("numpy", "scipy", "scikit-learn", "torch")


class StaleResultError(RuntimeError):
    """A stored result whose configuration is no longer that of the experiment."""


def config_hash(config):
    """SHA-256 of the configuration as canonical JSON; any change of a number or a name changes it."""
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()


def store(name, config, results, seconds, folder=FOLDER):
    """Write ``folder/NAME.json`` beside what identifies the run; the old file stays until the new one is whole."""
    record = {
        "command": f"python -m course_utils.experiments {name}",
        "config": config,
        "config_hash": config_hash(config),
        "seeds": f"0 to {config['seeds'] - 1}",
        "versions": {
            "python": platform.python_version(),
            **{p: metadata.version(p).split("+")[0] for p in PACKAGES},
        },
        "seconds": round(seconds),
        "results": results,
    }
    folder.mkdir(parents=True, exist_ok=True)
    path, temporary = folder / f"{name}.json", folder / f"{name}.json.{os.getpid()}.part"
    try:
        with open(temporary, "w", encoding="utf-8", newline="\n") as file:
            json.dump(record, file, allow_nan=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def load(name, folder=FOLDER):
    """The stored record of an experiment, a dictionary with ``config`` and ``results`` among its keys.

    Raises
    ------
    FileNotFoundError
        If the experiment has not been run; the message says how.
    StaleResultError
        If its configuration has changed since.
    """
    path = folder / f"{name}.json"
    how = f"run `python -m course_utils.experiments {name}`"
    if not path.exists():
        raise FileNotFoundError(f"There is no stored result of the experiment {name!r}: {how}.")
    record = json.loads(path.read_text(encoding="utf-8"))
    current = importlib.import_module(f"course_utils.experiments.{name}").CONFIG
    if not record["config_hash"] == config_hash(record["config"]) == config_hash(current):
        raise StaleResultError(f"The stored result of {name!r} was made with another configuration: {how}.")
    return record

"""The autoencoder, which writes down what each process of a job is given, and in which something can happen.

``WATCHED`` names the folder that this is written to. ``HAPPENS``, such as "kill 1 20", says what happens, on which
process, at which of its steps; only in the first attempt. With ``ELSEWHERE`` each process but the first works in a
folder of its own, to which it writes what it writes to a relative path.
"""

import atexit
import math
import os
import signal
import time
from pathlib import Path

import numpy as np
import safetensors.torch

from course_utils.recipes import autoencoder
from course_utils.recipes.autoencoder import PRESETS, Config, data, evaluate, optimiser, schedule  # noqa: F401

RANK = int(os.environ.get("RANK", 0))
FOLDER = Path(os.environ["WATCHED"]).resolve()
WHAT, WHERE, WHEN = os.environ.get("HAPPENS", "nothing 0 0").split()
FIRST_ATTEMPT = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") == "0"

if os.environ.get("ELSEWHERE") and RANK > 0:
    os.chdir(FOLDER / f"elsewhere-{RANK}")

batches = []


def model(config):
    """The autoencoder's; its final weights and the batches are written down at the end of the process."""
    made = autoencoder.model(config)

    @atexit.register
    def write_down():
        np.save(FOLDER / f"batches-{RANK}.npy", np.array(batches))
        safetensors.torch.save_model(made, str(FOLDER / f"weights-{RANK}.safetensors"))

    return made


def loss(model, batch, generator):
    """The autoencoder's, unless it is time for something else."""
    batches.append(batch.numpy())
    value = autoencoder.loss(model, batch, generator)
    if FIRST_ATTEMPT and WHAT != "nothing" and int(WHERE) == RANK and int(WHEN) == len(batches) - 1:
        (FOLDER / "happened").write_text(f"{time.time()}")
        if WHAT == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif WHAT == "fail":
            raise OSError("no more of this disk")
        elif WHAT == "nan":
            value = value * math.nan
        elif WHAT == "Ctrl-C":
            os.kill(os.getppid(), signal.SIGINT)
        elif WHAT == "scancel":  # Slurm signals every process of a step, and torchrun passes its own on
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getppid(), signal.SIGTERM)
    return value

"""A warm process that runs trainings in children of its own, so that a test of kills need not import torch each time.

``with Nursery() as nursery: nursery(recipe, folder, …)``. It is a process apart, because children may be forked
only from one that has a single thread.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Nursery:
    """Starts the process, and ends it."""

    def __enter__(self):
        command = [sys.executable, "-m", "tests.training.nursery"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def __call__(self, recipe, folder, *, preset, seconds=None, at=None):
        """Run or resume a training, perhaps killed after some seconds, or at a moment (see ``runs.Moments``).

        Returns {"status": −9 for a kill, "seconds": how long it took, "seen": its moments, if it came to the end}.
        """
        job = {"recipe": recipe, "folder": str(folder), "preset": preset, "seconds": seconds, "at": at}
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def train(job, told):
    """What a child does."""
    from course_utils.training import loop
    from tests.training.runs import EVERY, Moments

    recipe = importlib.import_module(f"tests.training.recipes.{job['recipe']}")
    moments = Moments(job["folder"], job["at"], lambda: os.kill(os.getpid(), signal.SIGKILL))
    with moments:
        loop.train(recipe, recipe.PRESETS[job["preset"]], out=job["folder"], resume=True, **EVERY)
    os.write(told, json.dumps(moments.seen).encode())


def main():
    """Fork a child for each line of stdin, and say on stdout how it ended."""
    import torch

    torch.set_num_threads(1)
    torch.optim.SGD([torch.zeros(1, requires_grad=True)])  # the first optimiser imports for two seconds
    for name in ("course_utils.training.loop", "tests.training.recipes.noisy", "tests.training.recipes.two_losses"):
        importlib.import_module(name)
    for line in sys.stdin:
        job = json.loads(line)
        hears, told = os.pipe()
        start = time.perf_counter()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                train(job, told)
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(status)
        os.close(told)
        if job["seconds"] is not None:
            time.sleep(job["seconds"])
            os.kill(child, signal.SIGKILL)
        with open(hears, "rb") as pipe:
            seen = pipe.read()  # to the end of the child
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        answer = {"status": status, "seconds": time.perf_counter() - start, "seen": json.loads(seen or "[]")}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

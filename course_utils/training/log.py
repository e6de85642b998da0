"""The log of a run: a line of JSON for each interval, in memory and in a file that a stopped run goes on with."""

import json

import numpy as np

from .checkpoints import replacing, writing


class Log:
    """What was measured at each interval.

    Parameters
    ----------
    path : Path or None; None keeps the lines in memory only
    step : int, lines beyond it are cut: a run that goes on from its checkpoint measures those again
    """

    def __init__(self, path=None, step=0):
        self.path, self.lines = path, []
        if path is None:
            return
        if path.exists():
            for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
                try:
                    line = json.loads(text)
                    beyond = line["step"] > step
                except (ValueError, TypeError, KeyError):  # cut by whatever stopped the run
                    break
                if not beyond:
                    self.lines.append(line)
        with replacing(path) as aside:
            aside.write_text("".join(json.dumps(line) + "\n" for line in self.lines), encoding="utf-8")

    def add(self, line):
        """Append a line, a dictionary of numbers."""
        self.lines.append(line)
        if self.path is not None:
            with writing(self.path.parent), open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps(line, allow_nan=False) + "\n")

    def history(self):
        """name → (lines,) array; NaN where a line has no such number."""
        names = dict.fromkeys(name for line in self.lines for name in line)
        return {name: np.array([line.get(name, np.nan) for line in self.lines]) for name in names}

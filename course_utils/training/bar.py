"""The progress bar of the command line: loss, rate and time left."""

import sys

from tqdm import tqdm


class Bar:
    """``train(…, watch=Bar())``; ``close()`` when the run has ended."""

    def __init__(self):
        self._bar = None

    def __call__(self, lines, steps, stopped=None):
        """Show the last line; the first call sets the length."""
        done = lines[-1]["step"] if lines else 0
        if self._bar is None:
            seconds = 0.1 if sys.stderr.isatty() else 10.0  # in a log file each refresh is a line
            self._bar = tqdm(total=steps, initial=done, unit="step", dynamic_ncols=True, mininterval=seconds)
        if not lines:  # at the beginning, or stopped before the first interval has ended
            return
        told = {name: f"{value:.4g}" for name, value in lines[-1].items() if name not in ("step", "seconds")}
        self._bar.set_postfix(told, refresh=False)
        self._bar.update(done - self._bar.n)

    def close(self):
        """Leave the bar as it stands."""
        if self._bar is not None:
            self._bar.close()

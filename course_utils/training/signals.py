"""Ctrl-C and SIGTERM as a wish to stop, which the loop grants after the step that it is in."""

import signal
import threading


class StopSignals:
    """``with StopSignals() as stop:`` notes in ``stop.requested`` the name of the signal that came, None before.

    A second signal raises KeyboardInterrupt at once. Only the main thread can receive signals; elsewhere nothing is
    changed.

    Parameters
    ----------
    patient : bool, further signals change nothing: in a job of several processes a cluster's signal comes twice, from
        the cluster and through torchrun, which itself kills what does not end in time
    """

    def __init__(self, patient=False):
        self.requested, self._patient = None, patient
        self._before = {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number, frame):
        if self.requested is None:
            self.requested = signal.Signals(number).name
        elif not self._patient:
            raise KeyboardInterrupt

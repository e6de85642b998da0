"""Make .venv and install into it what `make lab` or `make test` needs.

Usage: python tools/environment.py [lab|test]. This file must parse on every Python, also on those it
refuses, so it uses nothing newer than 2.7; tools/install.py does the work.
"""

import os
import subprocess
import sys

OLDEST, NEWEST = (3, 11), (3, 14)  # as in pyproject.toml's requires-python
WANTED = ["python3.%d" % minor for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]


def works(python):
    """Whether `python` starts: a version manager's placeholder may stand on PATH and not start."""
    with open(os.devnull, "w") as nothing:
        try:
            return subprocess.call([python, "-c", "pass"], stdout=nothing, stderr=nothing) == 0
        except OSError:  # not on PATH
            return False


def refusal(version, kind="lab"):
    """The sentence that refuses this Python version, or None where the course runs on it."""
    if OLDEST <= tuple(version[:2]) <= NEWEST:
        return None
    here = [python for python in WANTED if works(python)]
    if here:
        advice = "{0} is here too, so type `make PYTHON={0} {1}`"
        advice += " (without make: `{0} tools/environment.py {1}`)"
        advice = advice.format(here[0], kind)
    else:
        advice = "install one of these and type `make PYTHON=python3.{0} {1}`"
        advice += " (Windows: `py -3.{0} tools/environment.py {1}`)"
        advice = advice.format(NEWEST[1] - 1, kind)
    return "This course needs Python {0}.{1} to {2}.{3} and was started with {4}.{5}: {6}.".format(
        *(OLDEST + NEWEST + tuple(version[:2]) + (advice,))
    )


if __name__ == "__main__":
    complaint = refusal(sys.version_info, *sys.argv[1:2])
    if complaint:
        sys.exit(complaint)
    import install

    sys.exit(install.main(*sys.argv[1:]))

"""Install what the course needs and this Python lacks: ``python tools/missing.py``, for Colab's first cell.

A package that is there stays, whatever its version: Colab's own torch, IPython and ipywidgets belong to its pages.
docs/teaching/server.md has the cell.
"""

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SERVERS = {"jupyterlab"}  # what shows the notebooks; where this runs, something else does


def missing(requirements):
    """The pins of a requirements file whose package is not installed in any version."""
    found = []
    for pin, name in re.findall(r"^(([\w.-]+)==\S+)", requirements.read_text(encoding="utf-8"), re.MULTILINE):
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            if name not in SERVERS:
                found.append(pin)
    return found


def main():
    """Install them, or say that nothing is missing."""
    pins = missing(ROOT / "requirements.txt")
    if not pins:
        print("Nothing is missing.")
        return 0
    print("Installing", ", ".join(pins))
    return subprocess.call([sys.executable, "-m", "pip", "install", "--quiet", *pins])


if __name__ == "__main__":
    sys.exit(main())

"""Make .venv and install the course into it, at the versions in constraints.txt; environment.py calls this.

A stamp in .venv, written last, says what is installed. Without the right stamp the installation is gone
through again: pip keeps what is complete, so that an interrupted one goes on where it stopped.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERSION = "{}.{}".format(*sys.version_info)
REQUIREMENTS = {"lab": ["requirements.txt"], "test": ["requirements.txt", "requirements-test.txt"]}


class InstallError(Exception):
    """What went wrong and what to do, in a sentence."""


def python_of(venv: Path, windows: bool = os.name == "nt") -> Path:
    """The Python in the virtual environment `venv`."""
    return venv / ("Scripts/python.exe" if windows else "bin/python")


def digest(kind: str, root: Path) -> str:
    """A hash of everything that an installation of `kind` depends on.

    The folder belongs to it: an editable install and a virtual environment's scripts hold absolute paths.
    So does the platform: a folder can be seen from a container or another machine.
    """
    parts = [f"{VERSION} {sysconfig.get_platform()} {root}".encode()]
    parts += [(root / name).read_bytes() for name in (*REQUIREMENTS[kind], "constraints.txt", "pyproject.toml")]
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def stamp_lines(kind: str, root: Path) -> list[str]:
    """The lines that a finished installation of `kind` earns: `test` contains `lab`."""
    kinds = ["lab", "test"] if kind == "test" else ["lab"]
    return [f"{one} {digest(one, root)}" for one in kinds]


def is_done(kind: str, root: Path) -> bool:
    """Whether .venv holds a finished installation of `kind`, made from the files as they are now."""
    venv = root / ".venv"
    try:
        stamp = (venv / "course.stamp").read_text().splitlines()
    except OSError:
        return False
    return python_of(venv).exists() and stamp_lines(kind, root)[-1] in stamp


def is_usable(venv: Path) -> bool:
    """Whether `venv` was made in this place, for this Python, and has a pip that works."""
    try:
        settings = (venv / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
        # The command that made it ends with its place.
        here = any(line.startswith("command =") and line.endswith(f" {venv}") for line in settings)
        pip = subprocess.run([python_of(venv), "-I", "-m", "pip", "--version"], capture_output=True, text=True)
    except OSError:
        return False
    return here and f"(python {VERSION})" in pip.stdout


def make_venv(venv: Path) -> None:
    """Make `venv` anew."""
    inside = Path(sys.prefix).resolve() == venv  # started by the very Python that is about to be deleted
    python = sys._base_executable if inside else sys.executable
    if subprocess.run([python, "-m", "venv", "--clear", venv]).returncode:
        raise InstallError(
            "Python could not make .venv: the lines above say why (on Debian and Ubuntu "
            "`apt install python3-venv` usually helps); then type the same command again."
        )


def sweep(site_packages: Path) -> None:
    """Forget the packages that an interrupted pip left half-installed, which pip itself takes for complete.

    Among the last things that pip writes for a package is the file INSTALLER. A name with a tilde is an
    old version on its way out.
    """
    for info in site_packages.glob("*.dist-info"):
        if not (info / "INSTALLER").exists():
            shutil.rmtree(info)
    for leftover in site_packages.glob("~*"):
        shutil.rmtree(leftover, ignore_errors=True)


def pip_install(python: Path, requirements: str, root: Path) -> None:
    """Install a requirements file under constraints.txt; packages outside the environment do not count."""
    pip = [python, "-I", "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--no-user"]
    if subprocess.run([*pip, "-c", "constraints.txt", "-r", requirements], cwd=root).returncode:
        raise InstallError(
            "The installation failed: pip's lines above say why (most often the network, or a full disk); "
            "put that right and type the same command again, and what is installed already is kept."
        )


def install(kind: str, root: Path) -> None:
    """Bring .venv to a finished installation of `kind`."""
    venv = root / ".venv"
    stamp = venv / "course.stamp"
    stamp.unlink(missing_ok=True)
    if not is_usable(venv):
        make_venv(venv)
    sweep(Path(sysconfig.get_path("purelib", "venv", {"base": str(venv)})))
    pip_install(python_of(venv), REQUIREMENTS[kind][-1], root)
    new = venv / "course.stamp.new"
    new.write_text("\n".join(stamp_lines(kind, root)) + "\n")
    os.replace(new, stamp)


def main(kind: str = "lab", *rest: str, root: Path = ROOT) -> int:
    """Install unless it is done; return the exit status."""
    if rest or kind not in REQUIREMENTS:
        print("usage: python tools/environment.py [lab|test]", file=sys.stderr)
        return 2
    if is_done(kind, root):
        return 0
    try:
        install(kind, root)
    except InstallError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"\nThe installation failed: {error}; put that right and try again.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted: the same command goes on from here.", file=sys.stderr)
        return 130
    return 0

"""The environment: refused Pythons, and an installation that is whole or does not count."""

import os
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from tools import environment, install

ROOT = Path(__file__).parents[1]


class TestRefusal:
    @pytest.mark.parametrize("version", [(3, 11), (3, 11, 2), (3, 14, 9)])
    def test_the_supported_versions_are_not_refused(self, version):
        assert environment.refusal(version) is None

    @pytest.mark.parametrize("version", [(2, 7), (3, 6), (3, 10, 99), (3, 15), (4, 0)])
    def test_others_are_refused_in_one_sentence(self, version, monkeypatch):
        monkeypatch.setattr(environment, "works", lambda python: False)
        sentence = environment.refusal(version)
        assert sentence.startswith("This course needs Python 3.11 to 3.14 and was started with ")
        assert "install one of these" in sentence
        assert "\n" not in sentence

    def test_a_python_that_is_there_is_named_the_newest_first(self, monkeypatch):
        monkeypatch.setattr(environment, "works", lambda python: python in ("python3.11", "python3.12"))
        assert "`make PYTHON=python3.12 test`" in environment.refusal((3, 9), "test")

    def test_works_tells_a_python_from_a_placeholder(self, tmp_path):
        assert environment.works(sys.executable)
        assert not environment.works("no-such-python")
        placeholder = tmp_path / "python"
        placeholder.write_text("#!/bin/sh\nexit 127\n")
        placeholder.chmod(0o755)
        assert not environment.works(str(placeholder))

    def test_the_bounds_are_those_of_the_package(self):
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        upper = (environment.NEWEST[0], environment.NEWEST[1] + 1)
        assert project["requires-python"] == ">={}.{},<{}.{}".format(*environment.OLDEST, *upper)

    @pytest.mark.parametrize("version", ["2.7", "3.6", "3.7", "3.8", "3.9", "3.10"])
    def test_a_real_old_python_prints_the_sentence(self, version):
        pythons = [
            shutil.which(f"python{version}"),
            *sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python")),
        ]
        python = next((python for python in pythons if python and environment.works(python)), None)
        if python is None:
            pytest.skip(f"no Python {version} here")
        command = [python, "-B", ROOT / "tools" / "environment.py", "lab"]
        done = subprocess.run(command, capture_output=True, text=True, env={"PATH": os.defpath})
        assert done.returncode == 1
        assert f"was started with {version}: " in done.stderr
        assert done.stderr.count("\n") == 1


class Pip:
    """Stands for pip and venv: notes what it was asked for, and fails or breaks off when it is told to."""

    def __init__(self):
        self.calls, self.fails = [], None

    def make_venv(self, venv):
        self.calls.append("venv")
        shutil.rmtree(venv, ignore_errors=True)
        python = install.python_of(venv)
        python.parent.mkdir(parents=True)
        python.touch()

    def pip_install(self, python, requirements, root):
        self.calls.append(requirements)
        if self.fails:
            raise self.fails


@pytest.fixture
def project(tmp_path):
    for name in ("requirements.txt", "requirements-test.txt", "constraints.txt", "pyproject.toml"):
        (tmp_path / name).write_text(f"{name}\n")
    return tmp_path


@pytest.fixture
def pip(monkeypatch):
    pip = Pip()
    monkeypatch.setattr(install, "make_venv", pip.make_venv)
    monkeypatch.setattr(install, "pip_install", pip.pip_install)
    monkeypatch.setattr(install, "is_usable", lambda venv: install.python_of(venv).exists())
    return pip


class TestInstall:
    def test_the_first_time_makes_everything_and_the_second_nothing(self, project, pip):
        assert install.main("lab", root=project) == 0
        assert pip.calls == ["venv", "requirements.txt"]
        assert install.main("lab", root=project) == 0
        assert pip.calls == ["venv", "requirements.txt"]

    def test_an_installation_for_tests_is_one_for_lab(self, project, pip):
        install.main("test", root=project)
        install.main("lab", root=project)
        install.main("test", root=project)
        assert pip.calls == ["venv", "requirements-test.txt"]

    def test_one_for_lab_is_none_for_tests(self, project, pip):
        install.main("lab", root=project)
        install.main("test", root=project)
        assert pip.calls == ["venv", "requirements.txt", "requirements-test.txt"]

    @pytest.mark.parametrize("name", ["requirements.txt", "constraints.txt", "pyproject.toml"])
    def test_a_changed_file_installs_again_into_the_same_environment(self, project, pip, name):
        install.main("test", root=project)
        (project / name).write_text("changed\n")
        install.main("lab", root=project)
        assert pip.calls == ["venv", "requirements-test.txt", "requirements.txt"]

    def test_what_only_tests_require_does_not_concern_lab(self, project, pip):
        install.main("test", root=project)
        (project / "requirements-test.txt").write_text("changed\n")
        install.main("lab", root=project)
        assert pip.calls == ["venv", "requirements-test.txt"]
        install.main("test", root=project)
        assert pip.calls == ["venv", "requirements-test.txt", "requirements-test.txt"]

    def test_a_moved_folder_does_not_count(self, project, pip, tmp_path_factory):
        install.main("lab", root=project)
        moved = tmp_path_factory.mktemp("elsewhere") / "course"
        shutil.copytree(project, moved)
        assert install.is_done("lab", project)
        assert not install.is_done("lab", moved)

    def test_another_python_does_not_count(self, project, pip, monkeypatch):
        install.main("lab", root=project)
        monkeypatch.setattr(install, "VERSION", "3.99")
        assert not install.is_done("lab", project)

    def test_a_missing_python_does_not_count(self, project, pip):
        install.main("lab", root=project)
        install.python_of(project / ".venv").unlink()
        assert not install.is_done("lab", project)

    @pytest.mark.parametrize(
        ("failure", "status"),
        [(install.InstallError("pip failed"), 1), (OSError("disk full"), 1), (KeyboardInterrupt(), 130)],
    )
    def test_what_fails_leaves_no_stamp_and_a_sentence(self, project, pip, capsys, failure, status):
        install.main("lab", root=project)
        (project / "requirements.txt").write_text("changed\n")
        pip.fails = failure
        assert install.main("lab", root=project) == status
        assert not (project / ".venv" / "course.stamp").exists()
        assert str(failure) in capsys.readouterr().err
        (project / "requirements.txt").write_text("requirements.txt\n")  # as before: it still does not count
        assert not install.is_done("lab", project)
        pip.fails = None
        assert install.main("lab", root=project) == 0
        assert install.is_done("lab", project)
        assert pip.calls.count("venv") == 1

    def test_one_killed_before_the_stamp_is_taken_up_again(self, project, pip, monkeypatch):
        monkeypatch.setattr(install.os, "replace", lambda *_: sys.exit("killed"))
        with pytest.raises(SystemExit):
            install.main("lab", root=project)
        monkeypatch.undo()
        assert not install.is_done("lab", project)

    @pytest.mark.parametrize("arguments", [("labs",), ("lab", "test"), ("--help",)])
    def test_other_arguments_are_refused(self, project, capsys, arguments):
        assert install.main(*arguments, root=project) == 2
        assert "usage:" in capsys.readouterr().err

    def test_a_finished_one_is_seen_within_half_a_second(self, tmp_path):
        shutil.copytree(ROOT / "tools", tmp_path / "tools")
        for name in ("requirements.txt", "requirements-test.txt", "constraints.txt", "pyproject.toml"):
            shutil.copy(ROOT / name, tmp_path)
        python = install.python_of(tmp_path / ".venv")
        python.parent.mkdir(parents=True)
        python.touch()
        (tmp_path / ".venv" / "course.stamp").write_text("\n".join(install.stamp_lines("test", tmp_path)))
        command = [sys.executable, tmp_path / "tools" / "environment.py", "test"]
        seconds = []
        for _ in range(4):
            start = time.perf_counter()
            subprocess.run(command, check=True, timeout=20)
            seconds.append(time.perf_counter() - start)
        assert min(seconds) < 0.5


class TestIsUsable:
    """On the environment that the tests run in, and on what becomes of one that is moved or broken."""

    @pytest.fixture
    def venv(self, tmp_path):
        venv = tmp_path.resolve() / ".venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
        return venv

    def test_without_pip_it_is_not(self, venv):
        assert not install.is_usable(venv)

    def test_with_a_pip_that_starts_it_is(self, venv, monkeypatch):
        self.give_pip(venv)
        assert install.is_usable(venv)
        monkeypatch.setattr(install, "VERSION", "3.99")
        assert not install.is_usable(venv)

    def test_moved_it_is_not(self, venv):
        self.give_pip(venv)
        moved = venv.parent / "moved"
        moved.mkdir()
        shutil.move(venv, moved)
        assert not install.is_usable(moved / ".venv")

    def test_missing_it_is_not(self, tmp_path):
        assert not install.is_usable(tmp_path / ".venv")

    @staticmethod
    def give_pip(venv):
        """A pip that only knows its version."""
        pip = Path(install.sysconfig.get_path("purelib", "venv", {"base": str(venv)})) / "pip"
        pip.mkdir()
        (pip / "__main__.py").write_text("import sys\nprint('pip 1 (python {}.{})'.format(*sys.version_info))\n")


def test_a_half_installed_package_is_forgotten(tmp_path):
    whole, half = tmp_path / "whole-1.dist-info", tmp_path / "half-1.dist-info"
    for info in (whole, half, tmp_path / "~hole"):
        info.mkdir()
        (info / "METADATA").touch()
    (whole / "INSTALLER").touch()
    install.sweep(tmp_path)
    assert list(tmp_path.iterdir()) == [whole]


def test_the_python_of_an_environment():
    assert install.python_of(Path(".venv"), windows=False) == Path(".venv/bin/python")
    assert install.python_of(Path(".venv"), windows=True) == Path(".venv/Scripts/python.exe")

"""The project's own rules: what it needs, what may import what, and the commands that CI and people type."""

import ast
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def pins(name: str) -> list[Requirement]:
    """The requirements in a file, without comments and options."""
    return [Requirement(line) for line in text(name).splitlines() if line and line[0] not in "#-"]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


OUR_OWN = {"conftest", "course_utils", "install", "no_network", "tests", "tools"}


def sources() -> list[Path]:
    folders = ("course_utils", "tests", "tools")
    return [ROOT / "conftest.py", *(path for folder in folders for path in (ROOT / folder).rglob("*.py"))]


def top_level_imports(path: Path) -> set[str]:
    """The first part of the name of every module that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(node.module.partition(".")[0])
    return found


class TestVersions:
    @pytest.mark.parametrize("name", ["requirements.txt", "requirements-test.txt", "constraints.txt"])
    def test_everything_is_pinned_exactly(self, name):
        for pin in pins(name):
            assert re.fullmatch(r"==[\d.]+", str(pin.specifier)), pin

    def test_the_lock_and_the_requirements_agree(self):
        locked = {(normal(pin.name), str(pin.specifier)) for pin in pins("constraints.txt")}
        asked = {
            (normal(pin.name), str(pin.specifier))
            for name in ("requirements.txt", "requirements-test.txt")
            for pin in pins(name)
        }
        assert asked <= locked

    def test_what_is_imported_is_pinned(self):
        pinned = {normal(pin.name) for name in ("requirements.txt", "requirements-test.txt") for pin in pins(name)}
        imported = {name for path in sources() for name in top_level_imports(path)}
        distributions = metadata.packages_distributions()
        for name in imported - sys.stdlib_module_names - OUR_OWN:
            assert {normal(one) for one in distributions[name]} & pinned, f"{name} is imported and not pinned"

    def test_the_lock_is_what_is_installed(self):
        for pin in pins("constraints.txt"):
            if pin.marker is None or pin.marker.evaluate():
                try:
                    installed = metadata.version(pin.name)
                except metadata.PackageNotFoundError:  # such as the CUDA libraries of another build of torch
                    continue
                assert pin.specifier.contains(installed), f"{pin.name} is {installed}: type make test"

    def test_the_lock_names_no_host_and_no_file(self):
        assert not re.search(r"://|--hash|--index|@ |\+", text("constraints.txt"))


class TestImport:
    PROGRAM = (
        "import sys, time; before = set(sys.modules); start = time.perf_counter(); import course_utils; "
        "print(time.perf_counter() - start, *sorted(set(sys.modules) - before))"
    )

    def test_is_light(self):
        seconds = []
        for _ in range(5):
            done = subprocess.run([sys.executable, "-c", self.PROGRAM], capture_output=True, text=True, check=True)
            took, *loaded = done.stdout.split()
            seconds.append(float(took))
            assert not {"numpy", "torch", "matplotlib", "sklearn", "IPython"} & set(loaded)
        assert min(seconds) < 0.05


# Who may import whom (True), one case for each sentence of the rule.
IMPORTS = {
    ("models", "data"): False,
    ("data", "optima"): False,
    ("training", "models"): False,
    ("metrics", "optima"): False,
    ("models", "figures"): False,
    ("figures", "exercises"): False,
    ("exercises", "recipes"): False,
    ("recipes", "train"): False,
    ("figures", "experiments"): False,
    ("figures", "models"): True,
    ("exercises", "optima"): True,
    ("recipes", "training"): True,
    ("train", "recipes"): True,
    ("experiments", "figures"): True,
}


@pytest.fixture
def skeleton(tmp_path):
    """A course_utils with every part of the design and nothing in it, under this project's import rules."""
    (tmp_path / "pyproject.toml").write_text(text("pyproject.toml"), encoding="utf-8")
    package = tmp_path / "course_utils"
    for part in ("", *{part for pair in IMPORTS for part in pair}):
        (package / part).mkdir()
        (package / part / "__init__.py").touch()
    return package


def broken(package: Path) -> list[str]:
    """The import rules that the package breaks."""
    program = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=package.parent, capture_output=True, text=True)
    names = re.findall(r"^(.*) BROKEN$", done.stdout, re.MULTILINE)
    assert bool(names) == bool(done.returncode), done.stdout + done.stderr
    return names


class TestImportRule:
    @pytest.mark.parametrize(("importer", "imported"), IMPORTS)
    def test_layers(self, skeleton, importer, imported):
        (skeleton / importer / "__init__.py").write_text(f"import course_utils.{imported}\n")
        assert bool(broken(skeleton)) is not IMPORTS[importer, imported]

    def test_models_do_not_draw(self, skeleton):
        (skeleton / "models" / "__init__.py").write_text("import matplotlib.figure\n")
        assert broken(skeleton) == ["What is taught, and what is measured, draws nothing"]

    def test_the_package_runs_without_the_test_tools(self, skeleton):
        (skeleton / "exercises" / "__init__.py").write_text("import pytest\n")
        assert broken(skeleton) == ["The package needs nothing of requirements-test.txt"]

    def test_a_new_part_must_find_its_place(self, skeleton):
        (skeleton / "utils.py").touch()
        assert broken(skeleton) == ["Layers: what stands on what, and what knows nothing of its neighbours"]


class TestCommands:
    @pytest.mark.parametrize("target", ["lab", "test", "work", "notebooks", "html", "bench", "clean", "help"])
    def test_the_makefile_has(self, target):
        assert re.search(rf"^{target}:.*## \w", text("Makefile"), re.MULTILINE)

    def test_every_script_of_the_makefile_is_there(self):
        scripts = set(re.findall(r"tools/\w+\.py", text("Makefile")))
        assert "tools/environment.py" in scripts
        for script in scripts:
            assert (ROOT / script).exists(), script

    @pytest.mark.parametrize("name", [".ci/run", ".github/workflows/test.yml"])
    def test_ci_types_what_a_person_types(self, name):
        assert re.search(r"^\s*(- run: |run: )?make test$", text(name), re.MULTILINE)

    def test_the_slow_ones_are_left_to_ci(self):
        assert '-m "not slow and not browser"' in text("Makefile")
        assert '-m "slow and not browser" tests' in text(".ci/run")
        assert "-m browser tests" in text(".ci/run")

    @pytest.mark.parametrize("name", ["LICENSE", "LICENSE-TEXT", "CITATION.cff"])
    def test_says_who_and_under_what_licence(self, name):
        assert "The generative models course authors" in text(name)

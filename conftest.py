"""What every test and every notebook under pytest runs in: one thread, no network, folders of its own."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

OFFLINE = Path(__file__).parent / "tests" / "offline"

# Before anything that reads these is imported; pytest-xdist's workers and Jupyter's kernels inherit them.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# A folder of data that the caller supplies is kept under another name: tests that want real MNIST or tiny
# Shakespeare read COURSE_SUPPLIED_DATA, and everything else starts from an empty folder.
home = None
if "COURSE_TEST_HOME" not in os.environ:  # not a process that one of ours has started
    home = tempfile.mkdtemp(prefix="course-tests-")
    os.environ["COURSE_TEST_HOME"] = home
    if os.environ.get("COURSE_DATA"):
        os.environ["COURSE_SUPPLIED_DATA"] = os.path.abspath(os.environ["COURSE_DATA"])
    os.environ["COURSE_DATA"] = os.path.join(home, "data")
    os.environ["COURSE_PROGRESS"] = os.path.join(home, "progress")
    os.environ["IPYTHONDIR"] = os.path.join(home, "ipython")  # a kernel reads no start-up file of the user's

# No network: a hook in this process, and through sitecustomize.py in every Python that it starts.
folders = os.environ.get("PYTHONPATH", "").split(os.pathsep)
if str(OFFLINE) not in folders:
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(OFFLINE), *folders]))
if str(OFFLINE) not in sys.path:
    sys.path.insert(0, str(OFFLINE))
import no_network  # noqa: E402
from hypothesis import settings  # noqa: E402

no_network.install()

# Where results are compared between machines the examples must be the same; elsewhere new ones are welcome.
settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
settings.register_profile("local", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_unconfigure():
    """Remove the folder of this run, in the process that made it."""
    if home is not None:
        shutil.rmtree(home, ignore_errors=True)

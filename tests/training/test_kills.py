"""kill −9 at any moment, also within a save: what goes on ends with the bits of what was never stopped."""

import random
import signal

import pytest

from course_utils.training import checkpoints
from tests.training.nursery import Nursery
from tests.training.runs import leftovers, outcome

pytestmark = pytest.mark.slow

KILLS, BY_THE_CLOCK = 40, 12


@pytest.fixture(scope="module")
def nursery():
    with Nursery() as nursery:
        yield nursery


def kept(folder):
    """The steps of its checkpoints."""
    return [step for step, _ in checkpoints.found(folder / "checkpoints")]


@pytest.mark.parametrize("recipe", ["noisy", "two_losses"])
def test_killed_anywhere_it_goes_on_bit_for_bit(nursery, recipe, tmp_path):
    whole = nursery(recipe, tmp_path / "whole", preset="small")
    assert whole["status"] == 0
    expected = outcome(tmp_path / "whole")
    rng = random.Random(f"kills of {recipe}")
    saving = [at for at, (_, saves) in enumerate(whole["seen"]) if saves]
    moments = rng.sample(saving, KILLS // 2) + rng.sample(range(len(whole["seen"])), KILLS - KILLS // 2)
    for k, at in enumerate(moments):
        folder = tmp_path / f"killed {k}"
        assert nursery(recipe, folder, preset="small", at=at)["status"] == -signal.SIGKILL
        last = max(kept(folder), default=0)
        resumed = nursery(recipe, folder, preset="small")
        assert resumed["status"] == 0
        assert outcome(folder) == expected, f"killed at moment {at}, {whole['seen'][at]}"
        assert kept(folder) in ([28, 30], [21, 28, 30])  # the last save was to remove one, and there is no other save
        assert leftovers(folder) == []
        # It has gone on from the last checkpoint, and not begun again.
        assert resumed["seen"].count(["replace", True]) == sum(step > last for step in (7, 14, 21, 28, 30))


def test_killed_by_the_clock_it_goes_on_bit_for_bit(nursery, tmp_path):
    whole = nursery("noisy", tmp_path / "whole", preset="long")
    expected = outcome(tmp_path / "whole")
    rng, killed = random.Random("the clock"), 0
    for k in range(BY_THE_CLOCK):
        folder = tmp_path / f"killed {k}"
        status = nursery("noisy", folder, preset="long", seconds=rng.uniform(0, 0.9 * whole["seconds"]))["status"]
        killed += status == -signal.SIGKILL
        assert nursery("noisy", folder, preset="long")["status"] == 0
        assert outcome(folder) == expected
        assert leftovers(folder) == []
    assert killed >= BY_THE_CLOCK // 2  # not all came too late


def test_killed_again_and_again(nursery, tmp_path):
    whole = nursery("noisy", tmp_path / "whole", preset="small")
    rng, folder = random.Random("again"), tmp_path / "killed"
    statuses = [nursery("noisy", folder, preset="small", at=rng.randrange(60))["status"] for _ in range(10)]
    assert -signal.SIGKILL in statuses
    assert nursery("noisy", folder, preset="small")["status"] == 0
    assert whole["status"] == 0
    assert outcome(folder) == outcome(tmp_path / "whole")

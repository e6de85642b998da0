"""Checkpoints: bit-exact, the last few kept, whole or not counted."""

import json
import os
import shutil
import subprocess

import pytest
import torch
from torch import nn

from course_utils.training import checkpoints
from tests.training.runs import Moments, full, leftovers

OPTIMISERS = {
    "AdamW": lambda p: [torch.optim.AdamW(p, lr=1e-2, betas=(0.8, 0.95))],
    "Adam, amsgrad": lambda p: [torch.optim.Adam(p, lr=1e-2, amsgrad=True)],
    "SGD": lambda p: [torch.optim.SGD(p, lr=1e-2)],
    "momentum": lambda p: [torch.optim.SGD(p, lr=1e-2, momentum=0.9, nesterov=True)],
    "Muon": lambda p: [torch.optim.Muon(p[:1], lr=1e-2), torch.optim.AdamW(p[1:], lr=1e-2)],
    "groups": lambda p: [torch.optim.AdamW([{"params": p[:2]}, {"params": p[2:], "lr": 0.1, "weight_decay": 0.5}])],
    "RMSprop": lambda p: [torch.optim.RMSprop(p, centered=True, momentum=0.5)],
    "Adagrad": lambda p: [torch.optim.Adagrad(p)],
    "Adamax": lambda p: [torch.optim.Adamax(p)],
    "NAdam": lambda p: [torch.optim.NAdam(p)],
    "RAdam": lambda p: [torch.optim.RAdam(p)],
    "Rprop": lambda p: [torch.optim.Rprop(p)],
    "Adadelta": lambda p: [torch.optim.Adadelta(p)],
    "Adafactor": lambda p: [torch.optim.Adafactor(p)],
}
schedules = torch.optim.lr_scheduler
SCHEDULES = {
    "lambda": lambda o: schedules.LambdaLR(o, lambda step: 1 / (1 + step)),
    "steps": lambda o: schedules.MultiStepLR(o, [2, 5, 5, 7], gamma=0.5),
    "cosine": lambda o: schedules.CosineAnnealingLR(o, 10),
    "restarts": lambda o: schedules.CosineAnnealingWarmRestarts(o, 3),
    "one cycle": lambda o: schedules.OneCycleLR(o, 0.1, 20),
    "cyclic": lambda o: schedules.CyclicLR(o, 0.01, 0.1, step_size_up=2, mode="triangular2"),
    "in a row": lambda o: schedules.SequentialLR(o, [schedules.LinearLR(o), schedules.MultiStepLR(o, [2, 4])], [2]),
    "chained": lambda o: schedules.ChainedScheduler([schedules.LinearLR(o), schedules.MultiStepLR(o, [2, 4])]),
}
OTHER_SCHEDULES = [("momentum", name) for name in SCHEDULES if name != "lambda"]


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.norm = nn.Linear(4, 4), nn.Linear(4, 4), nn.BatchNorm1d(4)
        self.second.weight = self.first.weight
        self.mask = nn.Buffer(torch.full((2, 2), -torch.inf))

    def forward(self, x):
        return self.second(self.norm(self.first(x)).relu())


def built(seed=0, kind="AdamW", schedule="lambda"):
    """A model with tied weights, its optimisers and their schedules."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        model = Tied()
    optimisers = OPTIMISERS[kind](list(model.parameters()))
    return model, optimisers, [SCHEDULES[schedule](optimiser) for optimiser in optimisers]


def update(parts, steps):
    model, optimisers, made = parts
    for step in steps:
        x = torch.randn(8, 4, generator=torch.Generator().manual_seed(step))
        model.zero_grad()
        (model(x) - x).square().mean().backward()
        for part in (*optimisers, *made):
            part.step()


def same(one, other):
    """Whether two nested states are equal bit for bit, in their types too."""
    if isinstance(one, torch.Tensor):
        return (
            one.dtype == other.dtype and one.shape == other.shape and one.numpy().tobytes() == other.numpy().tobytes()
        )
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and (one is other or one == other or callable(one))


def states(parts):
    model, optimisers, made = parts
    return [part.state_dict() for part in (model, *optimisers, *made)]


@pytest.mark.parametrize(("kind", "schedule"), [*((kind, "lambda") for kind in OPTIMISERS), *OTHER_SCHEDULES])
def test_what_is_read_is_what_was_written_and_goes_on_the_same(tmp_path, kind, schedule):
    first, second = built(0, kind, schedule), built(1, kind, schedule)
    assert not same(states(first)[0], states(second)[0])
    update(first, range(4))
    state = {"schedules": [made.state_dict() for made in first[2]]}
    written = checkpoints.save(tmp_path, 4, first[0], first[1], state)
    path, state = checkpoints.latest(tmp_path)
    assert path == written == tmp_path / "step-000000004"
    assert state["step"] == 4
    checkpoints.restore(path, state, second[0], second[1])
    for made, content in zip(second[2], state["schedules"], strict=True):
        made.load_state_dict(checkpoints.from_json(content, made.state_dict()))
    assert second[0].first.weight is second[0].second.weight
    assert same(states(first), states(second))
    shutil.rmtree(path)  # nothing is read from the file any more
    for parts in (first, second):
        update(parts, range(4, 10))
    assert same(states(first), states(second))


def test_before_the_first_step_there_is_nothing_to_flatten():
    tensors, rest = checkpoints.flatten(built(kind="momentum")[1])
    assert tensors == {}
    assert json.loads(json.dumps(rest)) == rest


def test_restored_numbers_are_apart_from_the_file_and_aligned(tmp_path):
    parts = built()
    update(parts, range(2))
    checkpoints.save(tmp_path, 2, *parts[:2], {})
    checkpoints.restore(*checkpoints.latest(tmp_path), *parts[:2])
    tensors = [value for values in parts[1][0].state.values() for value in values.values()]
    assert len(tensors) > 10
    assert all(value.data_ptr() % 64 == 0 for value in tensors)


@pytest.mark.parametrize(
    ("value", "like"),
    [
        ({2: 1, 5: 3}, {2: 0}),
        ({"a": (1, 2.5), "b": [1, None]}, {"a": (0, 0), "b": []}),
        ([{"x": {1: (2,)}}, 4], [{"x": {1: (0,)}}, 0]),
        ({"new": [1, {"2": 3}]}, {}),
        (None, (1,)),
        ((0.1, -0.0), (1.0, 1.0)),
    ],
)
def test_what_json_cannot_say_comes_back(value, like):
    found = checkpoints.from_json(json.loads(json.dumps(value)), like)
    if isinstance(value, dict):  # keys that ``like`` does not have stay text
        value = {key if key in like or isinstance(key, str) else str(key): part for key, part in value.items()}
    assert repr(found) == repr(value)


@pytest.mark.parametrize("keep", [1, 2, 5])
def test_the_last_few_are_kept(tmp_path, keep):
    parts = built()
    for step in (3, 10, 1000, 2_000_000_000, 2_000_000_001):
        update(parts, [step])
        checkpoints.save(tmp_path, step, *parts[:2], {}, keep)
    kept = [step for step, _ in checkpoints.found(tmp_path)]
    assert kept == [3, 10, 1000, 2_000_000_000, 2_000_000_001][-keep:]
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"step-{step:09d}" for step in kept]
    assert checkpoints.latest(tmp_path)[1]["step"] == kept[-1]


def test_no_checkpoint_yet(tmp_path):
    assert checkpoints.latest(tmp_path) is None
    assert checkpoints.latest(tmp_path / "nowhere") is None
    (tmp_path / ".step-000000003.part").mkdir()
    (tmp_path / "step-3").mkdir()
    assert checkpoints.latest(tmp_path) is None


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder of three checkpoints, and what made them."""
    folder, parts = tmp_path_factory.mktemp("whole"), built()
    for step in (1, 2, 3):
        update(parts, [step])
        checkpoints.save(folder, step, *parts[:2], {"count": step})
    return folder


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def emptied(path):
    path.write_bytes(b"")


def altered(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def garbled(path):
    path.write_bytes(b"\xff\0garbage\n")


def a_folder(path):
    path.unlink()
    path.mkdir()


def missing(path):
    path.unlink()


DAMAGES = [cut, emptied, altered, garbled, a_folder, missing]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", [*checkpoints.FILES, checkpoints.SUMS])
def test_a_damaged_one_is_named_and_the_one_before_it_is_used(tmp_path, whole, name, damage):
    folder = tmp_path / "run"
    shutil.copytree(whole, folder)
    if (name, damage) == (checkpoints.SUMS, cut):  # the end of its last line says nothing
        damage = emptied
    damage(folder / "step-000000003" / name)
    with pytest.warns(UserWarning, match="is damaged") as caught:
        path, state = checkpoints.latest(folder)
    assert path == folder / "step-000000002"
    assert state["count"] == state["step"] == 2
    (warning,) = caught
    text = str(warning.message)
    assert text.startswith(f"The checkpoint {folder / 'step-000000003'} is damaged: ")
    assert name in text
    assert text.endswith("The one before it is used, or the beginning.")


@pytest.mark.parametrize("damage", DAMAGES)
def test_where_all_are_damaged_there_is_none(tmp_path, whole, damage):
    folder = tmp_path / "run"
    shutil.copytree(whole, folder)
    for (_, path), name in zip(checkpoints.found(folder), checkpoints.FILES, strict=True):
        damage(path / name)
    with pytest.warns(UserWarning, match="is damaged") as caught:
        assert checkpoints.latest(folder) is None
    assert ["step-00000000" + step in str(warning.message) for step, warning in zip("321", caught, strict=True)]


def test_an_empty_folder_is_a_damaged_checkpoint(tmp_path, whole):
    shutil.copytree(whole, tmp_path / "run")
    (tmp_path / "run" / "step-000000009").mkdir()
    with pytest.warns(UserWarning, match="step-000000009 is damaged: SHA256SUMS can't be read"):
        assert checkpoints.latest(tmp_path / "run")[1]["step"] == 3


def test_a_damaged_one_of_a_later_step_takes_nobodys_place(tmp_path, whole):
    shutil.copytree(whole, tmp_path / "run")
    for step in (2, 3):
        altered(tmp_path / "run" / f"step-00000000{step}" / checkpoints.MODEL)
    parts = built()
    checkpoints.save(tmp_path / "run", 2, *parts[:2], {}, keep=1)
    assert [step for step, _ in checkpoints.found(tmp_path / "run")] == [2, 3]
    with pytest.warns(UserWarning, match="step-000000003 is damaged"):
        assert checkpoints.latest(tmp_path / "run")[1]["step"] == 2
    checkpoints.save(tmp_path / "run", 3, *parts[:2], {}, keep=1)
    assert checkpoints.latest(tmp_path / "run")[1]["step"] == 3
    assert [step for step, _ in checkpoints.found(tmp_path / "run")] == [3]


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="there is no sha256sum")
def test_the_sums_can_be_checked_by_hand(whole):
    command = ["sha256sum", "-c", checkpoints.SUMS]
    done = subprocess.run(command, cwd=whole / "step-000000003", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{name}: OK" for name in checkpoints.FILES]


def test_everything_is_flushed_before_it_is_renamed(tmp_path):
    parts = built()
    flushed, renamed = [], []
    with Moments(tmp_path) as moments, pytest.MonkeyPatch.context() as patch:
        real = checkpoints.flush

        def flush(path):
            flushed.append(path.resolve().name)
            renamed.append(checkpoints.found(tmp_path) != [])
            real(path)

        patch.setattr(checkpoints, "flush", flush)
        checkpoints.save(tmp_path, 7, *parts[:2], {})
    assert flushed == [*checkpoints.FILES, checkpoints.SUMS, ".step-000000007.part", tmp_path.name]
    assert renamed == [False] * 5 + [True]
    kinds = [kind for kind, _ in moments.seen]
    assert kinds == ["mkdir", *["serialize"] * 2, *["open", "write"] * 2, *["fsync"] * 5, "replace", "fsync"]


def test_what_a_killed_run_has_left_aside_is_removed(tmp_path):
    for name in (".step-000000001.part", ".step-000000002.part"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").write_bytes(b"half")
    checkpoints.save(tmp_path, 2, *built()[:2], {})
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000002"]


WRITING = {"mkdir", "open", "write", "serialize", "fsync", "replace"}


def test_a_full_disk_at_any_moment_leaves_what_was_there(tmp_path, whole):
    parts = built()
    for at in range(100):
        folder = tmp_path / f"{at}"
        shutil.copytree(whole, folder)
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        moments = Moments(folder, at, full, only=WRITING)
        told = None
        try:
            with moments:
                checkpoints.save(folder, 4, *parts[:2], {}, keep=1)
        except OSError as error:
            told = str(error)
        if told is None:
            break
        assert told.startswith(f"The disk is full: {folder} can't be written. Checkpoints that are there are whole")
        assert all(path.read_bytes() == content for path, content in before.items())
        assert leftovers(folder) == []
        expected = 4 if moments.seen[-2:] == [("replace", True), ("fsync", True)] else 3
        assert checkpoints.latest(folder)[1]["step"] == expected
    assert at == len(moments.seen) == 14


def test_an_interrupt_in_a_save_leaves_what_was_there(tmp_path, whole):
    def interrupt():
        raise KeyboardInterrupt

    shutil.copytree(whole, tmp_path / "run")
    with pytest.raises(KeyboardInterrupt), Moments(tmp_path, 4, interrupt):
        checkpoints.save(tmp_path / "run", 4, *built()[:2], {}, keep=1)
    assert leftovers(tmp_path / "run") == []
    assert checkpoints.latest(tmp_path / "run")[1]["step"] == 3


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(OSError, match=r"can't be written: Permission denied\."):
        checkpoints.save(tmp_path, 1, *built()[:2], {})


def test_a_file_takes_the_place_of_another_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.json"
    for content in ("one", "two"):
        with checkpoints.replacing(path) as aside:
            aside.write_text(content)
        assert path.read_text() == content
    with pytest.raises(ZeroDivisionError), checkpoints.replacing(path) as aside:
        aside.write_text(f"thr{1 // 0}")
    assert path.read_text() == "two"
    assert list(tmp_path.iterdir()) == [path]

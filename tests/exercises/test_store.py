"""Progress survives restarts, concurrent kernels, damage and folders that cannot be written."""

import json
import subprocess
import sys

import pytest

from course_utils.exercises.engine import store
from course_utils.exercises.engine.store import Progress


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "a" / "progress"))
    return tmp_path / "a" / "progress"


def test_remembers_and_forgets(folder):
    assert store.load() == Progress()
    store.remember(store.EXERCISE, "vae.kl")
    store.remember(store.EXERCISE, "vae.kl")
    store.remember(store.QUESTION, "vae.kl")
    assert store.load() == Progress({"vae.kl"}, {"vae.kl"}, {"vae.kl"})
    assert sorted(path.name for path in folder.iterdir()) == ["exercise.vae.kl.json", "question.vae.kl.json"]
    store.forget()
    assert store.load() == Progress()


def test_a_question_missed_is_answered_and_right_once_it_is_got_right():
    store.remember(store.MISSED, "vae.kl")
    assert store.load() == Progress(answered={"vae.kl"})
    store.remember(store.QUESTION, "vae.kl")
    store.remember(store.MISSED, "vae.kl")
    assert store.load() == Progress(answered={"vae.kl"}, right={"vae.kl"})
    store.forget()
    assert store.load() == Progress()


def test_a_question_in_an_older_folder_was_answered_rightly(folder):
    folder.mkdir(parents=True)
    (folder / "question.vae.kl.json").write_text('{"kind": "question", "name": "vae.kl", "done": true}')
    assert store.load() == Progress(answered={"vae.kl"}, right={"vae.kl"})


def test_the_file_is_json(folder):
    store.remember(store.EXERCISE, "vae.kl")
    fact = json.loads((folder / "exercise.vae.kl.json").read_text(encoding="utf-8"))
    assert fact == {"kind": "exercise", "name": "vae.kl", "done": True}


def test_foreign_files_are_left_alone(folder):
    folder.mkdir(parents=True)
    (folder / "notes.json").write_text("mine")
    (folder / ".new-1.tmp").write_text("cut off")
    assert store.load() == Progress()
    store.forget()
    assert len(list(folder.iterdir())) == 2


DAMAGE = [b"", b"{", b"\xff\xfe", b"[]", b'{"kind": "exercise", "name": "gan.loss", "done": true}', b"\0" * 64]


@pytest.mark.parametrize("content", DAMAGE, ids=range(6))
def test_damage_is_set_aside_and_named(folder, content):
    store.remember(store.EXERCISE, "gan.loss")
    (folder / "exercise.vae.kl.json").write_bytes(content)
    found = store.load()
    assert found.solved == {"gan.loss"}
    assert len(found.problems) == 1
    assert "exercise.vae.kl.json.damaged" in found.problems[0]
    assert (folder / "exercise.vae.kl.json.damaged").read_bytes() == content
    assert store.load().problems == ()


def test_damage_is_mended_by_solving_again(folder):
    folder.mkdir(parents=True)
    (folder / "exercise.vae.kl.json").write_bytes(b"{")
    store.remember(store.EXERCISE, "vae.kl")
    assert store.load() == Progress({"vae.kl"})
    assert (folder / "exercise.vae.kl.json.damaged").read_bytes() == b"{"


def test_what_is_known_is_not_written_again(monkeypatch):
    store.remember(store.EXERCISE, "vae.kl")
    monkeypatch.setattr(store.tempfile, "mkstemp", lambda **_: pytest.fail("written again"))
    store.remember(store.EXERCISE, "vae.kl")


def test_a_write_that_fails_leaves_nothing_behind(folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.json, "dump", full)
    with pytest.raises(OSError, match="No space"):
        store.remember(store.EXERCISE, "vae.kl")
    assert list(folder.iterdir()) == []


def test_patience_while_another_kernel_has_the_file_open(folder, monkeypatch):
    replace, refusals = store.os.replace, [PermissionError, PermissionError]

    def sometimes(*paths):
        if refusals:
            raise refusals.pop()
        replace(*paths)

    monkeypatch.setattr(store.os, "replace", sometimes)
    store.remember(store.EXERCISE, "vae.kl")
    assert store.load().solved == {"vae.kl"}


def test_no_patience_without_end(monkeypatch):
    def never(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(store.os, "replace", never)
    monkeypatch.setattr(store.time, "sleep", lambda _: None)
    with pytest.raises(PermissionError):
        store.remember(store.EXERCISE, "vae.kl")


def test_kernels_at_once_lose_nothing(folder):
    write = (
        "import sys; from course_utils.exercises.engine import store\n"
        "for i in range(40): store.remember('exercise', f'vae.n{i % int(sys.argv[1])}')"
    )
    kernels = [subprocess.Popen([sys.executable, "-c", write, str(n)]) for n in (30, 40, 40)]
    assert [kernel.wait(timeout=60) for kernel in kernels] == [0, 0, 0]
    assert store.load() == Progress({f"vae.n{i}" for i in range(40)})
    assert len(list(folder.iterdir())) == 40  # no temporary file stays


def test_default_folder_is_the_users(monkeypatch):
    monkeypatch.delenv("COURSE_PROGRESS")
    assert "generative-models-course" in str(store.folder())
    assert store.folder().is_absolute()

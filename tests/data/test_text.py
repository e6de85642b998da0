"""The docstring corpus: on a small false library tree, and, slowly, the one that is shipped."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from course_utils.data import cache, folders, manifest, prose, sources, text

LONG = "This sentence is here to make the document long enough to be chosen for the corpus."


@pytest.fixture
def tree(monkeypatch, tmp_path):
    """Six small libraries, an empty data folder, and no manifest yet."""
    files = {
        "standard library/one.py": f'"""Module one of it. {LONG}"""\nx = 1\n',
        "standard library/test/two.py": f'"""This is a test. {LONG} It is skipped."""\n',
        "numpy/a.py": f'''
def f():
    """Return f of the array. {LONG}

    >>> f()
    """
    def inner():
        "An inner function has one too. {LONG}"

class C:
    """
    A class of numpy.

    {LONG}
    """
    if True:
        async def g(self):
            r"""Raw \\strings are read. Raw strings are read by it. {LONG}"""

short = "no docstring"
add_newdoc("numpy", "ones", ("method", """Documents what is written in C. {LONG}"""))
''',
        "numpy/sub/b.py": f'"""Module b of numpy is here. {LONG}"""\r\n',
        "scipy/c.py": f'"""Module c of scipy. {LONG}"""\ndef f():\n    """Too short to be chosen here."""\n',
        "sklearn/d.py": f'"""Module d of sklearn. {LONG}"""\ndef f():\n  """The same in two libraries. {LONG}"""\n',
        "matplotlib/e.py": f'"""Module e of it here. {LONG}"""\n'
        + f'def f():\n  """The SAME in two libraries. {LONG}\n  """\n'
        + f'class C:\n  """The same in two libraries. {LONG}"""\n',
        "matplotlib/f.py": f'"""Module e of it here. {LONG}  """\n',  # says what e.py says
        "torch/g.py": f'"""Module g of torch. {LONG}"""\n',
        "torch/_private/h.py": f'"""A private module. {LONG}"""\n',
        "torch/newer.py": f'"""Newer syntax. {LONG}"""\ndef f(:\n',
        "torch/latin.py": f'# coding: latin-1\n"""Module in Latin \xe9. {LONG} It has a sentence of its own."""\n',
    }
    for name, content in files.items():
        path = tmp_path / "lib" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode("latin-1"))
    monkeypatch.setattr(sources, "library_folder", lambda library: tmp_path / "lib" / library)
    monkeypatch.setattr(manifest, "PATH", tmp_path / "docstrings.manifest")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "data"))
    return tmp_path


def write_manifest():
    manifest.PATH.write_text(manifest.write(manifest.choose(), ["a test"]), encoding="utf-8")


def builds(monkeypatch):
    """Count how often the corpus is built."""
    calls = []
    build = text.build
    monkeypatch.setattr(text, "build", lambda chosen: calls.append(1) or build(chosen))
    return calls


def test_which_documents_are_chosen(tree):
    write_manifest()
    corpus = text.docstrings()
    starts = {(d.library, d.source, d.text.split(".")[0].strip()) for d in corpus}
    assert starts == {
        ("standard library", "one.py", "Module one of it"),
        ("numpy", "a.py", "Return f of the array"),
        ("numpy", "a.py", "An inner function has one too"),
        ("numpy", "a.py", "A class of numpy"),
        ("numpy", "a.py", "Raw \\strings are read"),
        ("numpy", "a.py", "Documents what is written in C"),
        ("numpy", "sub/b.py", "Module b of numpy is here"),
        ("scipy", "c.py", "Module c of scipy"),
        ("sklearn", "d.py", "Module d of sklearn"),
        ("matplotlib", "e.py", "Module e of it here"),
        ("torch", "g.py", "Module g of torch"),
        ("torch", "latin.py", "Module in Latin é"),
    }
    assert len(corpus) == 12
    assert corpus.missing == dict.fromkeys(text.LIBRARIES, 0)


def test_a_document_has_its_text_sentences_label_and_hash(tree):
    write_manifest()
    corpus = text.docstrings()
    document = next(d for d in corpus if d.text.startswith("Return f"))
    assert document.text == f"Return f of the array. {LONG}\n\n>>> f()"
    assert document.sentences == ("Return f of the array.", LONG)
    assert document.digest == manifest.digest_of(document.text)
    assert corpus.y.dtype == np.int64
    assert [corpus.class_names[label] for label in corpus.y] == [d.library for d in corpus]
    assert "12 documents" in repr(corpus)


def test_the_order_is_the_manifests(tree):
    write_manifest()
    listed = [d for digests in manifest.parse(manifest.PATH.read_bytes()).values() for d in digests]
    assert [d.digest for d in text.docstrings()] == listed


def test_the_parts_are_a_partition(tree):
    write_manifest()
    parts = {part: text.docstrings(part) for part in text.PARTS}
    assert sorted(d.digest for p in parts.values() for d in p) == sorted(d.digest for d in text.docstrings())
    assert all(d.part == part for part, corpus in parts.items() for d in corpus)


def test_the_split_is_80_10_10():
    counts = Counter(text.part_of(manifest.digest_of(str(k))) for k in range(20_000))
    for part, share in (("train", 0.8), ("validation", 0.1), ("test", 0.1)):
        assert abs(counts[part] - 20_000 * share) < 4 * np.sqrt(20_000 * share * (1 - share))
    assert text.part_of("0" * 16) == "train"
    assert text.part_of("0" * 15 + "8") == "validation"
    assert text.part_of("0" * 15 + "9") == "test"


def test_documents_that_other_systems_lack_are_left_out(tree):
    other = tree / "other"
    (other / "sub").mkdir(parents=True)
    source = (tree / "lib" / "numpy" / "a.py").read_text(encoding="latin-1")
    (other / "a.py").write_text(source.replace("A class of numpy", "A changed class"), newline="\r\n")
    chosen = manifest.choose({"numpy": [other]})
    assert len(chosen["numpy", "a.py"]) == 4
    assert ("numpy", "sub/b.py") not in chosen


def test_a_large_library_gives_whole_files_up_to_its_share(tree, monkeypatch):
    monkeypatch.setattr(manifest, "DOCUMENTS_PER_LIBRARY", 1)
    chosen = manifest.choose()
    assert [key for key in chosen if key[0] == "numpy"] == [("numpy", "sub/b.py")]
    assert Counter(library for library, _ in chosen) == dict.fromkeys(manifest.LIBRARIES, 1)


def test_it_is_built_once_and_then_read(tree, monkeypatch):
    write_manifest()
    calls = builds(monkeypatch)
    first, second = text.docstrings(), text.docstrings()
    assert first == second
    assert len(calls) == 1
    assert text.docstrings(use_cache=False) == first
    assert len(calls) == 2


def test_without_the_cache_nothing_is_written(tree):
    write_manifest()
    text.docstrings(use_cache=False)
    assert not (tree / "data").exists()


def test_a_new_manifest_is_built_anew(tree, monkeypatch):
    write_manifest()
    calls = builds(monkeypatch)
    assert len(text.docstrings()) == 12
    listed = manifest.PATH.read_text(encoding="utf-8")
    manifest.PATH.write_text("".join(line for line in listed.splitlines(True) if "sub/b.py" not in line))
    assert len(text.docstrings()) == 11
    assert len(calls) == 2


def test_new_rules_are_applied_anew(tree, monkeypatch):
    write_manifest()
    text.docstrings()
    rules = tree / "prose.py"
    rules.write_bytes(Path(prose.__file__).read_bytes() + b"# changed\n")
    monkeypatch.setattr(prose, "__file__", str(rules))
    calls = builds(monkeypatch)
    text.docstrings()
    assert len(calls) == 1


DAMAGE = {
    "last byte lost": lambda data: data[:-1],
    "half lost": lambda data: data[: len(data) // 2],
    "head cut": lambda data: data[:40],
    "empty": lambda data: b"",
    "one letter": lambda data: data[:-200] + bytes([data[-200] ^ 1]) + data[-199:],
    "another head": lambda data: b"[1]\n" + data.partition(b"\n")[2],
    "no text": lambda data: b"\xff\xfe" + data,
    "no keys": lambda data: b"{}\n{}",
    "something after": lambda data: data + b" ",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_cache_is_named_and_built_again(tree, damage):
    write_manifest()
    good = text.docstrings()
    path = tree / "data" / text.CACHE_NAME
    stored = path.read_bytes()
    path.write_bytes(damage(stored))
    with pytest.warns(UserWarning, match="docstrings.json is damaged .* built again"):
        assert text.docstrings() == good
    assert path.read_bytes() == stored


def test_nothing_in_the_cache_is_executed(tree):
    """It is JSON: two lines of ASCII text, no pickle."""
    write_manifest()
    text.docstrings()
    head, body = (tree / "data" / text.CACHE_NAME).read_bytes().split(b"\n")
    assert set(json.loads(head)) == {"identity", "sha256", "environment"}
    assert set(json.loads(body)) == {"documents", "missing"}
    assert body.isascii()


def test_what_is_missing_is_counted_warned_of_and_can_be_an_error(tree):
    write_manifest()
    (tree / "lib" / "numpy" / "sub" / "b.py").unlink()
    path = tree / "lib" / "numpy" / "a.py"
    path.write_text(path.read_text(encoding="latin-1").replace("A class", "Another class"))
    message = r"lacks 2 of its 12 documents on this machine: 2 of numpy \(Python 3"
    for _ in range(2):  # built, and from the cache
        with pytest.warns(text.MissingDocuments, match=message):
            corpus = text.docstrings()
        assert len(corpus) == 10
        assert corpus.missing["numpy"] == 2
    with pytest.raises(LookupError, match=message):
        text.docstrings("train", on_missing="raise")
    assert text.docstrings(on_missing="ignore").missing == {**dict.fromkeys(text.LIBRARIES, 0), "numpy": 2}


def test_a_library_that_is_not_installed_is_missing_whole(tree, monkeypatch):
    write_manifest()
    there = sources.library_folder
    monkeypatch.setattr(sources, "library_folder", lambda name: None if name == "numpy" else there(name))
    with pytest.warns(text.MissingDocuments, match="6 of numpy"):
        text.docstrings()
    with pytest.raises(LookupError, match="numpy is not installed"):
        manifest.choose()


def test_what_was_missing_is_looked_for_again_when_versions_change(tree, monkeypatch):
    write_manifest()
    path = tree / "lib" / "numpy" / "sub" / "b.py"
    content = path.read_bytes()
    path.unlink()
    assert text.docstrings(on_missing="ignore").missing["numpy"] == 1
    path.write_bytes(content)
    assert text.docstrings(on_missing="ignore").missing["numpy"] == 1  # nothing tells of the change
    monkeypatch.setattr(text, "_environment", lambda: ["numpy 99"])
    assert len(text.docstrings()) == 12


@pytest.mark.parametrize(("argument", "value"), [("part", "dev"), ("on_missing", "hide")])
def test_a_bad_argument_is_named(argument, value):
    with pytest.raises(ValueError, match=f"{argument} must be .* got '{value}'"):
        text.docstrings(**{argument: value})


def test_a_folder_that_cannot_be_written_is_named_before_the_work(tree, monkeypatch):
    write_manifest()
    (tree / "file").write_bytes(b"")
    monkeypatch.setenv("COURSE_DATA", str(tree / "file" / "below"))
    calls = builds(monkeypatch)
    with pytest.raises(folders.DataFolderError, match="COURSE_DATA"):
        text.docstrings()
    assert not calls


def test_a_full_disk_is_named(tree, monkeypatch):
    write_manifest()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache, "open", full, raising=False)
    with pytest.raises(folders.DataFolderError, match="No space left .* Free some space"):
        text.docstrings()
    assert not (tree / "data" / text.CACHE_NAME).exists()


BUILDER = """
import sys
from pathlib import Path
from course_utils.data import manifest, sources, text
root = Path(sys.argv[1])
sources.library_folder = lambda library: root / "lib" / library
manifest.PATH = root / "docstrings.manifest"
build = text.build
def counted(chosen):
    with open(root / "log", "a") as log:
        log.write("built\\n")
    import time; time.sleep(0.5)
    return build(chosen)
text.build = counted
print("ready", flush=True)
sys.stdin.readline()
print(len(text.docstrings()))
"""


def test_two_processes_build_one_cache(tree):
    write_manifest()
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen([sys.executable, "-c", BUILDER, str(tree)], **pipes) for _ in range(2)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60)[0] for process in processes] == ["12\n", "12\n"]
    assert (tree / "log").read_text() == "built\n"
    assert {name for name in os.listdir(tree / "data") if not name.endswith(".lock")} == {text.CACHE_NAME}


@pytest.mark.parametrize(
    "bad",
    ["a.py 0123456789abcdef", "[numpy]\na.py", "[numpy]\na.py 0123", "[numpy]\na.py 0123456789abcdeg", "[pandas]"],
)
def test_a_bad_manifest_line_is_named(bad):
    with pytest.raises(ValueError, match=f"manifest line {1 + bad.count(chr(10))}: "):
        manifest.parse(bad.encode())


def test_the_command_line_writes_the_manifest_and_prints_counts(tree, capsys):
    text.main(["--write-manifest"])
    out = capsys.readouterr().out.splitlines()
    assert out[0].split()[:3] == ["library", "documents", "train"]
    assert out[-1].split()[:2] == ["all", "12"]
    assert manifest.PATH.read_bytes().count(b"\n[") == 6
    with pytest.raises(SystemExit):
        text.main(["--write-manifest", "--also-site-packages", str(tree / "nowhere")])


# --- the shipped manifest --------------------------------------------------------------------------------------------


def shipped():
    return manifest.parse(manifest.PATH.read_bytes())


def test_the_shipped_manifest_is_large_balanced_and_without_doubles():
    chosen = shipped()
    digests = [digest for row in chosen.values() for digest in row]
    assert len(digests) == len(set(digests))
    assert 10_000 <= len(digests) <= 12_000
    train = Counter(lib for (lib, _), row in chosen.items() for d in row if text.part_of(d) == "train")
    assert set(train) == set(text.LIBRARIES)
    assert min(train.values()) >= 834  # so that 5,000 can be drawn from train with equal classes
    assert manifest.PATH.stat().st_size < 250_000


def test_the_shipped_manifest_names_files_in_the_same_way_everywhere():
    for _, file in shipped():
        assert file.endswith(".py")
        assert "\\" not in file
        assert not file.startswith("/")
        assert ".." not in file.split("/")


def test_the_card_states_the_manifests_counts():
    card = (manifest.PATH.parent / "README.md").read_text(encoding="utf-8")
    stated = {}
    for line in card.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 8 and cells[1].replace(",", "").isdigit():
            stated[cells[0]] = [int(cell.replace(",", "")) for cell in cells[1:5]]
    for library in text.LIBRARIES:
        parts = Counter(text.part_of(d) for (name, _), row in shipped().items() for d in row if name == library)
        name = {"sklearn": "scikit-learn"}.get(library, library)
        assert stated.pop(name) == [parts.total(), *(parts[part] for part in text.PARTS)]
    assert stated.pop("all")[0] == sum(map(len, shipped().values()))
    assert not stated


SUBSET = """
import sys
from course_utils.data import manifest, text
chosen = {}
for (library, file), digests in manifest.parse(manifest.PATH.read_bytes()).items():
    if library not in {name for name, _ in chosen}:
        chosen[library, file] = digests
corpus = text.build(chosen)
assert not any(corpus.missing.values()), corpus.missing
assert len(corpus) == sum(map(len, chosen.values()))
assert set(corpus.y) == set(range(6))
loaded = {"scipy", "sklearn", "matplotlib", "torch"} & set(sys.modules)
assert not loaded, loaded
"""


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="the manifest was made from Python 3.11 to 3.13")
def test_one_file_of_each_library_is_read_without_importing_it():
    subprocess.run([sys.executable, "-c", SUBSET], check=True, timeout=60)


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info >= (3, 14), reason="the manifest was made from Python 3.11 to 3.13")
def test_the_whole_corpus(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    start = time.process_time()
    corpus = text.docstrings(on_missing="raise")
    assert time.process_time() - start < 30
    start = time.process_time()
    assert text.docstrings() == corpus
    assert time.process_time() - start < 2  # below 1 s where nothing else runs; the comparison is counted too
    assert len(corpus) == sum(map(len, shipped().values()))
    assert all(prose.is_english(sentence) for document in corpus for sentence in document.sentences)
    assert all(document.sentences for document in corpus)
    said = [" ".join(document.sentences).lower() for document in corpus]
    assert len(said) == len(set(said))
    assert 9e6 < sum(len(document.text) for document in corpus) < 13e6
    everything = "".join(d.text + "\n".join(d.sentences) for d in corpus)
    assert manifest.digest_of(everything) == "bc709439035caff9"  # the same on every system

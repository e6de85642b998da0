"""English text: the docstrings of installed libraries (no download), and tiny Shakespeare (an optional download).

`python -m course_utils.data.text` builds the corpus and prints its counts; with `--write-manifest` it first chooses
the documents anew.
"""

import hashlib
import json
import platform
import warnings
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path

import numpy as np

from . import cache, manifest, prose, sources
from .folders import data_folder
from .manifest import LIBRARIES, digest_of

PARTS = ("train", "validation", "test")
CACHE_NAME = "docstrings.json"


class MissingDocuments(UserWarning):
    """Documents of the manifest are not on this machine; the message says how many of which library."""


@dataclass(frozen=True)
class Document:
    """One docstring.

    text: as people read it (dedented; code and tables included). sentences: its English sentences, in order.
    library: one of LIBRARIES. source: the file in that library. digest: the first 16 hex digits of text's SHA-256.
    """

    text: str
    sentences: tuple[str, ...]
    library: str
    source: str
    digest: str

    @property
    def part(self) -> str:
        """The part of the split: "train", "validation" or "test"."""
        return part_of(self.digest)


@dataclass(frozen=True)
class Corpus:
    """Documents in the manifest's order, and how many of the manifest's documents each library lacks here."""

    documents: tuple[Document, ...]
    missing: dict[str, int]
    class_names: tuple[str, ...] = LIBRARIES

    @cached_property
    def y(self) -> np.ndarray:
        """(n,) int64: each document's library, an index into class_names."""
        return np.array([self.class_names.index(document.library) for document in self.documents], dtype=np.int64)

    def __len__(self):
        return len(self.documents)

    def __iter__(self):
        return iter(self.documents)

    def __repr__(self):
        return f"Corpus({len(self)} documents, {len(self.class_names)} classes, {sum(self.missing.values())} missing)"


def part_of(digest: str) -> str:
    """The fixed split of a document, by its digest's last 8 hex digits: 80 % train, 10 % validation, 10 % test."""
    tenth = int(digest[-8:], 16) % 10
    return PARTS[max(0, tenth - 7)]


def docstrings(part: str = "all", *, on_missing: str = "warn", use_cache: bool = True) -> Corpus:
    """The docstring corpus: about 10,000 documents, labelled by library, split into sentences.

    The shipped manifest decides which documents, so every machine has the same ones in the same order, or says what
    is missing. They are read from the libraries' source files once (about ten seconds), then kept in the data folder.

    part: "all", "train", "validation" or "test" (80, 10, 10 %, by hash). on_missing: "warn" (a `MissingDocuments`
    warning), "raise" (LookupError) or "ignore"; `Corpus.missing` has the counts in any case. use_cache: False neither
    reads nor writes the data folder.

    Raises ValueError for another part or on_missing, and `DataFolderError` where the data folder cannot be written.
    """
    if part not in ("all", *PARTS):
        raise ValueError(f"part must be 'all', 'train', 'validation' or 'test', got {part!r}")
    if on_missing not in ("warn", "raise", "ignore"):
        raise ValueError(f"on_missing must be 'warn', 'raise' or 'ignore', got {on_missing!r}")
    listed = manifest.PATH.read_bytes()
    corpus = _cached(listed) if use_cache else build(manifest.parse(listed))
    if any(corpus.missing.values()) and on_missing != "ignore":
        message = _missing_sentence(corpus)
        if on_missing == "raise":
            raise LookupError(message)
        warnings.warn(message, MissingDocuments, stacklevel=2)
    if part == "all":
        return corpus
    return Corpus(tuple(d for d in corpus.documents if d.part == part), corpus.missing)


def _missing_sentence(corpus: Corpus) -> str:
    lacking = sum(corpus.missing.values())
    of_each = ", ".join(f"{count} of {library}" for library, count in corpus.missing.items() if count)
    return (
        f"the docstring corpus lacks {lacking} of its {len(corpus) + lacking} documents on this machine: {of_each} "
        f"(Python {platform.python_version()}). Numbers computed from it will differ from the course's. "
        "Python 3.11 to 3.13 with the versions of requirements.txt have them all."
    )


def build(chosen: manifest.Chosen) -> Corpus:
    """Read the chosen documents from the source files of the installed libraries; only the files named are opened."""
    folders = {library: sources.library_folder(library) for library in LIBRARIES}
    documents = []
    missing = dict.fromkeys(LIBRARIES, 0)
    for (library, file), digests in chosen.items():
        folder = folders[library]
        texts = {digest_of(text): text for text in (sources.read_docstrings(folder / file) if folder else ())}
        missing[library] += len(set(digests) - texts.keys())
        for digest in digests:
            if digest in texts:
                sentences = tuple(prose.sentences(texts[digest]))
                documents.append(Document(texts[digest], sentences, library, file, digest))
    return Corpus(tuple(documents), missing)


# The cache is two lines of JSON: what the second line is, with its checksum; and the corpus.


def _cached(listed: bytes) -> Corpus:
    path = data_folder() / CACHE_NAME
    rules = b"".join(Path(module.__file__).read_bytes() for module in (prose, sources))
    identity = hashlib.sha256(listed + rules).hexdigest()  # which documents, and how they are read
    corpus = _load(path, identity)
    if corpus is None:
        with cache.lock(path):
            corpus = _load(path, identity)  # another process may have built it meanwhile
            if corpus is None:
                corpus = build(manifest.parse(listed))
                cache.write(path, _pack(corpus, identity))
    return corpus


def _environment() -> list[str]:
    """What decides which documents are missing: the versions of Python and of the libraries."""
    found = [f"Python {platform.python_version()}"]
    for library in LIBRARIES[1:]:
        try:
            found.append(f"{library} {metadata.version({'sklearn': 'scikit-learn'}.get(library, library))}")
        except metadata.PackageNotFoundError:
            found.append(f"{library} absent")
    return found


def _pack(corpus: Corpus, identity: str) -> bytes:
    rows = [(LIBRARIES.index(d.library), d.source, d.text, d.sentences) for d in corpus.documents]
    body = json.dumps({"documents": rows, "missing": corpus.missing}, separators=(",", ":")).encode("ascii")
    head = {"identity": identity, "sha256": hashlib.sha256(body).hexdigest(), "environment": _environment()}
    return json.dumps(head).encode("ascii") + b"\n" + body


def _load(path: Path, identity: str) -> Corpus | None:
    """The cached corpus; None where there is none, or it is out of date, or damaged (of which a warning tells)."""
    try:
        head, _, body = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    try:
        head = json.loads(head)
        if head["identity"] != identity:
            return None
        if hashlib.sha256(body).hexdigest() != head["sha256"]:
            raise ValueError("its content does not match its checksum")
        content = json.loads(body)
    except (ValueError, KeyError, TypeError) as error:
        warnings.warn(f"the cache {path} is damaged ({error}); it is built again", stacklevel=4)
        return None
    if any(content["missing"].values()) and head["environment"] != _environment():
        return None  # what was missing then may be there now
    documents = tuple(
        Document(text, tuple(sentences), LIBRARIES[label], source, digest_of(text))
        for label, source, text, sentences in content["documents"]
    )
    return Corpus(documents, content["missing"])


def tiny_shakespeare(part: str = "all") -> str:
    """1,115,394 characters of Shakespeare's plays in 65 distinct ones (Karpathy 2015); an optional download.

    part: "all", "train" (the first 90 %) or "validation" (the last 10 %), as nanoGPT splits it. Raises ValueError for
    another part, and `downloads.DownloadError` or `DataFolderError` where it is not there and cannot be had.
    """
    from . import downloads

    if part not in ("all", "train", "validation"):
        raise ValueError(f"part must be 'all', 'train' or 'validation', got {part!r}")
    text = downloads.read("tinyshakespeare.txt").decode("ascii")
    cut = int(0.9 * len(text))
    return {"all": text, "train": text[:cut], "validation": text[cut:]}[part]


def report(corpus: Corpus) -> str:
    """The corpus's counts, by library and part, as a table of text."""
    rows = [("library", "documents", *PARTS, "missing", "text MB", "prose MB", "sentences")]
    for name in (*corpus.class_names, "all"):
        mine = [d for d in corpus.documents if name in (d.library, "all")]
        parts = Counter(d.part for d in mine)
        missing = sum(corpus.missing.values()) if name == "all" else corpus.missing[name]
        text = sum(len(d.text.encode("utf-8", "surrogatepass")) for d in mine) / 1e6
        english = sum(len(" ".join(d.sentences)) for d in mine) / 1e6
        sentences = sum(len(d.sentences) for d in mine)
        counts = (len(mine), *(parts[part] for part in PARTS), missing, f"{text:.2f}", f"{english:.2f}", sentences)
        rows.append((name, *map(str, counts)))
    return "\n".join(f"{row[0]:<18}" + "".join(f"{cell:>12}" for cell in row[1:]) for row in rows)


def main(arguments: list[str] | None = None) -> None:
    """The command line: print the corpus's counts, or choose its documents anew and print them."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m course_utils.data.text", description=main.__doc__)
    parser.add_argument(
        "--write-manifest", action="store_true", help=f"choose the documents anew: {manifest.PATH.name}"
    )
    for option, what in (
        ("--also-standard-library", "another Python's lib/python3.x"),
        ("--also-site-packages", "another system's site-packages, for the libraries it has"),
    ):
        what += ": choose only documents that it has too; may be given several times"
        parser.add_argument(option, type=Path, action="append", default=[], metavar="FOLDER", help=what)
    options = parser.parse_args(arguments)
    if options.write_manifest:
        also = {name: [f / name for f in options.also_site_packages if (f / name).is_dir()] for name in LIBRARIES[1:]}
        also[sources.STANDARD_LIBRARY] = options.also_standard_library
        for folder in options.also_standard_library + options.also_site_packages:
            if not folder.is_dir():
                parser.error(f"no such folder: {folder}")
        text = manifest.write(manifest.choose(also), _environment())
        cache.write(manifest.PATH, text.encode("utf-8"))
    print(report(docstrings()))


if __name__ == "__main__":
    main()

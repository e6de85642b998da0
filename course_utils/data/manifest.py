"""Which docstrings the corpus consists of: the shipped list of hashes, and the rules by which it was made."""

import hashlib
from collections import Counter
from pathlib import Path

from . import prose, sources

LIBRARIES = (sources.STANDARD_LIBRARY, "numpy", "scipy", "sklearn", "matplotlib", "torch")
PATH = Path(__file__).parents[2] / "data" / "docstrings.manifest"
HEX_DIGITS = 16  # of a SHA-256: 64 bits, so that any two of 10^4 documents agree with probability below 3e-12

DOCUMENTS_PER_LIBRARY = 2000
SHORTEST_PROSE = 60  # characters of English sentences
LONGEST_TEXT = 50_000  # characters

# Folders that hold tests, copies of other projects, or parts that some systems leave out.
SKIPPED_FOLDERS = frozenset(
    "tests test testing _vendor _internal externals _external array_api_compat array_api_extra _uarray "
    "site-packages dist-packages idlelib lib2to3 turtledemo tkinter ensurepip distutils pydoc_data".split()
)

Chosen = dict[tuple[str, str], list[str]]  # (library, file in it) → digests of its documents, in their order


def digest_of(text: str) -> str:
    """The first 16 hex digits of the SHA-256 of a cleaned docstring's UTF-8 bytes."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:HEX_DIGITS]


def parse(data: bytes) -> Chosen:
    """Read a manifest: a line `[library]`, then for each file a line `path digest digest …`; # starts a comment.

    Raises ValueError, naming the line, for anything else.
    """
    chosen: Chosen = {}
    library = None
    for number, line in enumerate(data.decode("utf-8").splitlines(), 1):
        line = line.partition("#")[0].strip()
        if not line:
            continue
        if line.startswith("["):
            library = line.strip("[]")
            if library not in LIBRARIES:
                raise ValueError(f"manifest line {number}: the library must be one of {LIBRARIES}, got {library!r}")
            continue
        file, *digests = line.split()
        if library is None or not digests or not all(map(_is_digest, digests)):
            raise ValueError(f"manifest line {number}: expected a file and {HEX_DIGITS}-digit digests, got {line!r}")
        chosen[library, file] = digests
    return chosen


def _is_digest(word: str) -> bool:
    return len(word) == HEX_DIGITS and set(word) <= set("0123456789abcdef")


def write(chosen: Chosen, made_from: list[str]) -> str:
    """The text of a manifest, which `parse` reads. made_from: the versions that it was chosen from, as a comment."""
    lines = [
        f"# The documents of the docstring corpus: the first {HEX_DIGITS} hex digits of the SHA-256 of each",
        "# cleaned docstring, by library and file. Written by `python -m course_utils.data.text --write-manifest`.",
        f"# Chosen from: {', '.join(made_from)}",
    ]
    for library in LIBRARIES:
        lines += ["", f"[{library}]"]
        lines += [f"{file} {' '.join(digests)}" for (name, file), digests in chosen.items() if name == library]
    return "\n".join(lines) + "\n"


def choose(also: dict[str, list[Path]] | None = None) -> Chosen:
    """Choose the corpus's documents from the libraries installed here.

    also: library → further folders of the same library, of other Python versions or systems; only documents that all
    of them have, in the same file, are chosen. A document qualifies if it has 60 characters or more of English
    sentences and no document before it, and none of another library, has the same. Where a library has more than
    2,000, whole files are taken in the order of their names' hashes while they fit: fewer files to parse make the
    corpus faster to build. Of torch only public packages are taken.

    Raises LookupError where a library is not installed.
    """
    unique = _without_copies({library: _candidates(library, (also or {}).get(library, [])) for library in LIBRARIES})
    chosen: Chosen = {}
    for library, files in unique.items():
        room, kept = DOCUMENTS_PER_LIBRARY, []
        for file in sorted(files, key=lambda file: digest_of(f"{library}/{file}")):
            if len(files[file]) <= room:
                kept.append(file)
                room -= len(files[file])
        chosen |= {(library, file): files[file] for file in sorted(kept)}
    return chosen


def _candidates(library: str, others: list[Path]) -> dict[str, dict[str, str]]:
    """file → {digest: its English} of the documents of one library that are long enough and in all the folders."""
    folder = sources.library_folder(library)
    if folder is None:
        raise LookupError(f"{library} is not installed; a manifest needs all of {', '.join(LIBRARIES)}")
    found = {}
    for path in sorted(folder.rglob("*.py")):
        file = path.relative_to(folder)
        folders = file.parts[:-1]
        if SKIPPED_FOLDERS.intersection(folders) or (library == "torch" and any(f.startswith("_") for f in folders)):
            continue
        texts = {digest_of(text): text for text in sources.read_docstrings(path) if len(text) <= LONGEST_TEXT}
        for other in others:
            theirs = {digest_of(text) for text in sources.read_docstrings(other / file)} if texts else set()
            texts = {digest: text for digest, text in texts.items() if digest in theirs}
        english = {digest: " ".join(prose.sentences(text)) for digest, text in texts.items()}
        found[file.as_posix()] = {digest: words for digest, words in english.items() if len(words) >= SHORTEST_PROSE}
    return found


def _without_copies(found: dict[str, dict[str, dict[str, str]]]) -> dict[str, dict[str, list[str]]]:
    """library → {file: digests}: the first of the documents that say the same, and none that two libraries have."""
    said_in = Counter(
        words for files in found.values() for words in {w.lower() for rows in files.values() for w in rows.values()}
    )
    unique: dict[str, dict[str, list[str]]] = {}
    for library, files in found.items():
        seen: set[str] = set()
        unique[library] = {}
        for file, rows in files.items():
            fresh = []
            for digest, words in rows.items():
                if said_in[words.lower()] == 1 and words.lower() not in seen:
                    seen.add(words.lower())
                    fresh.append(digest)
            if fresh:
                unique[library][file] = fresh
    return unique

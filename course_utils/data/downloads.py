"""Optional files from the network, each known by a published SHA-256; nothing that does not match one is ever used.

No lesson and no test needs them. A file placed by hand in the data folder serves as well as a downloaded one.
"""

import gzip
import hashlib
import io
import tempfile
import time
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import cache
from .folders import data_folder

READ_SECONDS = 20.0  # of silence, before an answer or within it
TOTAL_SECONDS = 600.0  # for a whole file; the largest has 26 MB


class DownloadError(Exception):
    """A file could not be fetched, or what came was not the published file; the message says what to do."""


@dataclass(frozen=True)
class Download:
    """A file of the data folder.

    sha256, size: of the file as `url` serves it, in hex and bytes. content_size: in bytes, gunzipped where the
    name ends in .gz. content_sha256: of that content, where it is published too: a copy that was compressed anew
    differs in a date and is as good.
    """

    file: str
    url: str
    sha256: str
    size: int
    content_size: int
    content_sha256: str = ""


_MNIST = "https://storage.googleapis.com/cvdf-datasets/mnist/"
_FASHION = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
_SHAKESPEARE = (  # a fixed commit, so that the address keeps meaning the same bytes
    "https://raw.githubusercontent.com/karpathy/char-rnn/6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/"
    "data/tinyshakespeare/input.txt"
)

# Where the hashes are published: TensorFlow Datasets, url_checksums/mnist.txt and fashion_mnist.txt (with these
# addresses and sizes); the MNIST contents' in several public projects, and here checked against a copy of the two
# test files; tiny Shakespeare's likewise.
DOWNLOADS = {
    download.file: download
    for download in (
        Download(
            "mnist-train-images-idx3-ubyte.gz",
            _MNIST + "train-images-idx3-ubyte.gz",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            9_912_422,
            47_040_016,
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        ),
        Download(
            "mnist-train-labels-idx1-ubyte.gz",
            _MNIST + "train-labels-idx1-ubyte.gz",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            28_881,
            60_008,
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
        Download(
            "mnist-t10k-images-idx3-ubyte.gz",
            _MNIST + "t10k-images-idx3-ubyte.gz",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            1_648_877,
            7_840_016,
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        ),
        Download(
            "mnist-t10k-labels-idx1-ubyte.gz",
            _MNIST + "t10k-labels-idx1-ubyte.gz",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            4_542,
            10_008,
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
        Download(
            "fashion-mnist-train-images-idx3-ubyte.gz",
            _FASHION + "train-images-idx3-ubyte.gz",
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            26_421_880,
            47_040_016,
        ),
        Download(
            "fashion-mnist-train-labels-idx1-ubyte.gz",
            _FASHION + "train-labels-idx1-ubyte.gz",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            29_515,
            60_008,
        ),
        Download(
            "fashion-mnist-t10k-images-idx3-ubyte.gz",
            _FASHION + "t10k-images-idx3-ubyte.gz",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            4_422_102,
            7_840_016,
        ),
        Download(
            "fashion-mnist-t10k-labels-idx1-ubyte.gz",
            _FASHION + "t10k-labels-idx1-ubyte.gz",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            5_148,
            10_008,
        ),
        Download(
            "tinyshakespeare.txt",
            _SHAKESPEARE,
            "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
            1_115_394,
            1_115_394,
        ),
    )
}


def read(file: str) -> bytes:
    """The content of a file of DOWNLOADS, gunzipped where its name ends in .gz; fetched first if it is not there.

    The very bytes returned are the ones whose hash was compared. A file of that name in the data folder that does
    not match is warned of and replaced by a fresh download; while there is none, it is an error.

    Raises KeyError for another name, `DownloadError` where the file cannot be had, and `DataFolderError` where the
    data folder cannot be written.
    """
    download = DOWNLOADS[file]
    path = data_folder() / file
    content, fault = _stored(path, download)
    if content is None:
        with cache.lock(path):
            content, fault = _stored(path, download)  # another process may have fetched it meanwhile
            if content is None:
                content = _fetch(path, download, fault)
    return content


def _stored(path: Path, download: Download) -> tuple[bytes | None, str]:
    """The content, where the file in the data folder is the published one; else None and what is the matter."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None, f"{path.name} ({download.size / 1e6:.2f} MB) is not in the data folder {path.parent}"
    except OSError as error:
        return None, f"{path} cannot be read ({error.strerror or error})"
    content = _content(data, download)
    if content is None:
        return None, f"{path} ({len(data)} bytes, SHA-256 {_sha256(data)}) is not the published file and is not used"
    return content, ""


def _content(data: bytes, download: Download) -> bytes | None:
    """The content of a file's bytes; None unless they, or it, have the published SHA-256."""
    published = _sha256(data) == download.sha256
    if not download.file.endswith(".gz"):
        return data if published else None
    if not (published or download.content_sha256):
        return None
    try:
        with gzip.open(io.BytesIO(data)) as unpacked:
            content = unpacked.read(download.content_size + 1)  # bounded: the bytes are not trusted yet
    except (OSError, EOFError, zlib.error):
        return None
    return content if published or _sha256(content) == download.content_sha256 else None


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _fetch(path: Path, download: Download, fault: str) -> bytes:
    """Download into a temporary folder beside the file's place, compare, and only then put it there."""
    import pooch

    if path.exists():
        warnings.warn(f"{fault}; it is downloaded again", stacklevel=3)
    try:
        with (
            cache.folder_errors(path.parent, f"store {path.name}"),
            tempfile.TemporaryDirectory(
                prefix=f".{path.name}.", dir=path.parent, ignore_cleanup_errors=True
            ) as temporary,
        ):
            fetched = pooch.retrieve(
                download.url, f"sha256:{download.sha256}", path.name, temporary, downloader=_transfer(download)
            )
            data = Path(fetched).read_bytes()
        content = _content(data, download)
        if content is None:
            raise DownloadError("it changed on the disk after it was written")
    except (DownloadError, ValueError) as error:  # pooch says with ValueError that the hash differs
        reason = error if isinstance(error, DownloadError) else f"what came was altered and was deleted ({error})"
        raise DownloadError(
            f"{fault}, and could not be fetched from {download.url}: {reason}. To place it by hand, save that "
            f"address as {path} (COURSE_DATA names the folder). No lesson needs it."
        ) from error
    cache.write(path, data)
    return content


def _transfer(download: Download):
    """A pooch downloader that stops at the published size and at the time limits."""

    def transfer(url, output_file, _pooch, check_only=False):
        received = 0
        with open(output_file, "wb") as file:
            for chunk in _chunks(url):
                received += len(chunk)
                if received > download.size:
                    raise DownloadError(
                        f"what came was larger than the published {download.size} bytes and was deleted"
                    )
                file.write(chunk)
        if received < download.size:
            raise DownloadError(f"what came was cut at {received} of {download.size} bytes and was deleted")

    return transfer


def _chunks(url: str) -> Iterator[bytes]:
    """The bytes of an http(s) answer as they come. Raises `DownloadError` for whatever the network does."""
    import requests
    import urllib3

    deadline = time.monotonic() + TOTAL_SECONDS
    try:
        with requests.get(url, stream=True, timeout=READ_SECONDS, headers={"Accept-Encoding": "identity"}) as answer:
            answer.raise_for_status()
            # read1 returns what one receive gives: a server that drips bytes cannot hold us past the deadline
            while chunk := answer.raw.read1(65536, decode_content=True):
                yield chunk
                if time.monotonic() > deadline:
                    raise DownloadError(f"it took longer than {TOTAL_SECONDS:g} s")
    except requests.HTTPError as error:
        raise DownloadError(f"the server answered {error.response.status_code} {error.response.reason}") from error
    except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        raise DownloadError(f"the server was silent for {READ_SECONDS:g} s") from error
    except requests.ConnectionError as error:
        cause = getattr(error.args[0], "reason", error) if error.args else error
        raise DownloadError(f"no connection to the server; is this machine offline? ({cause})") from error
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        if isinstance(error.args[-1], urllib3.exceptions.IncompleteRead):
            got = error.args[-1].partial
            raise DownloadError(f"what came was cut at {got} bytes, fewer than announced, and was deleted") from error
        raise DownloadError(f"the connection failed ({error})") from error

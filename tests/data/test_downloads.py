"""Downloads against a real server on loopback that cuts, alters, stalls and refuses."""

import dataclasses
import errno
import gzip
import hashlib
import os
import re
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from course_utils.data import cache, downloads, text
from course_utils.data.folders import DataFolderError

CONTENT = bytes(range(256)) * 40
PACKED = gzip.compress(CONTENT, mtime=0)
SUPPLIED = Path(os.environ.get("COURSE_SUPPLIED_DATA", "no such folder"))


class Handler(BaseHTTPRequestHandler):
    """The path says how to answer; the body is CONTENT, or PACKED below /gz."""

    def do_GET(self):
        server = self.server
        server.requests.append(self.path)
        body = PACKED if self.path.endswith("gz") else CONTENT
        behaviour = self.path.split("/")[1]
        if behaviour in ("404", "500"):
            self.send_error(int(behaviour))
            return
        if behaviour == "silent":
            server.over.wait(30)
            return
        if behaviour == "redirect":
            self.send_response(302)
            self.send_header("Location", "/good/x")
            self.end_headers()
            return
        if behaviour == "altered":
            body = body[:100] + bytes([body[100] ^ 1]) + body[101:]
        if behaviour == "longer":
            body += b"more"
        if behaviour == "slow":
            time.sleep(0.5)
        self.send_response(200)
        if behaviour != "unsized":
            self.send_header("Content-Length", str(len(body) + (behaviour == "cut") * 1000))
        self.end_headers()
        if behaviour == "shorter":
            body = body[:-1]
        if behaviour == "unsized":
            body = body[:50]
        try:
            if behaviour == "stall":
                self.wfile.write(body[:50])
                server.over.wait(30)
            elif behaviour == "drip":
                for byte in body:
                    if server.over.wait(0.05):
                        return
                    self.wfile.write(bytes([byte]))
            else:
                self.wfile.write(body)
        except OSError:
            pass  # the client has gone, as it should

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch, tmp_path):
    """A server on loopback, and an empty data folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.requests = []
    server.over = threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "*")
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()
    thread.join()


def offer(monkeypatch, url, content=CONTENT, file="file.txt", **changes):
    """Enter a file into DOWNLOADS that the server has at url."""
    unpacked = gzip.decompress(content) if file.endswith(".gz") else content
    sha256 = hashlib.sha256(content).hexdigest()
    download = downloads.Download(file, url, sha256, len(content), len(unpacked))
    monkeypatch.setitem(downloads.DOWNLOADS, file, dataclasses.replace(download, **changes))
    return file


def left(folder):
    """What is in the folder besides locks."""
    return sorted(name for name in os.listdir(folder) if not name.endswith(".lock"))


def test_a_file_is_fetched_once(server, monkeypatch, tmp_path):
    file = offer(monkeypatch, server.url + "/good/x")
    assert downloads.read(file) == CONTENT
    assert downloads.read(file) == CONTENT
    assert server.requests == ["/good/x"]
    assert left(tmp_path) == [file]


def test_a_packed_file_is_unpacked_and_kept_packed(server, monkeypatch, tmp_path):
    file = offer(monkeypatch, server.url + "/good/gz", PACKED, "file.gz")
    assert downloads.read(file) == CONTENT
    assert (tmp_path / file).read_bytes() == PACKED


def test_a_redirect_is_followed(server, monkeypatch):
    assert downloads.read(offer(monkeypatch, server.url + "/redirect/x")) == CONTENT


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("cut", f"cut at {len(CONTENT)} bytes, fewer than announced, and was deleted"),
        ("shorter", f"cut at {len(CONTENT) - 1} bytes, fewer than announced, and was deleted"),
        ("unsized", f"cut at 50 of {len(CONTENT)} bytes and was deleted"),
        ("altered", "altered and was deleted"),
        ("longer", "larger than the published"),
        ("stall", "silent for 0.5 s"),
        ("silent", "silent for 0.5 s"),
        ("drip", "longer than 0.8 s"),
        ("404", "404 Not Found"),
        ("500", "500 Internal Server Error"),
    ],
)
def test_a_bad_answer_is_named_and_never_kept(server, monkeypatch, tmp_path, behaviour, reason):
    url = f"{server.url}/{behaviour}/x"
    file = offer(monkeypatch, url)
    if behaviour in ("stall", "silent", "drip"):  # only here: a busy machine may make an honest server slow
        monkeypatch.setattr(downloads, "READ_SECONDS", 0.5)
        monkeypatch.setattr(downloads, "TOTAL_SECONDS", 0.8)
    start = time.monotonic()
    with pytest.raises(downloads.DownloadError, match=reason) as caught:
        downloads.read(file)
    assert time.monotonic() - start < 10
    for part in (file, url, str(tmp_path / file), "COURSE_DATA", "by hand", "No lesson needs it"):
        assert part in str(caught.value)
    assert left(tmp_path) == []


def test_a_refused_connection_says_offline(server, monkeypatch, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    file = offer(monkeypatch, f"http://127.0.0.1:{port}/x")
    with pytest.raises(downloads.DownloadError, match="is this machine offline") as caught:
        downloads.read(file)
    assert file in str(caught.value)
    assert left(tmp_path) == []


def test_a_failed_download_can_be_repeated(server, monkeypatch):
    file = offer(monkeypatch, server.url + "/500/x")
    with pytest.raises(downloads.DownloadError):
        downloads.read(file)
    offer(monkeypatch, server.url + "/good/x")
    assert downloads.read(file) == CONTENT


@pytest.mark.parametrize("wrong", [CONTENT[:-1], b"", CONTENT[:9] + b"!" + CONTENT[10:]])
def test_a_wrong_file_is_named_and_replaced(server, monkeypatch, tmp_path, wrong):
    file = offer(monkeypatch, server.url + "/good/x")
    (tmp_path / file).write_bytes(wrong)
    message = f"{re.escape(str(tmp_path / file))} .* is not the published file and is not used; it is downloaded again"
    with pytest.warns(UserWarning, match=message):
        assert downloads.read(file) == CONTENT
    assert (tmp_path / file).read_bytes() == CONTENT


def test_a_wrong_file_is_refused_while_there_is_no_other(server, monkeypatch, tmp_path):
    file = offer(monkeypatch, server.url + "/404/x")
    (tmp_path / file).write_bytes(b"mine")
    with (
        pytest.warns(UserWarning, match="is not the published file"),
        pytest.raises(downloads.DownloadError, match=r"file.txt \(4 bytes.*is not used.*404"),
    ):
        downloads.read(file)
    assert (tmp_path / file).read_bytes() == b"mine"


def test_a_copy_packed_anew_is_as_good_where_its_contents_hash_is_published(server, monkeypatch, tmp_path):
    again = gzip.compress(CONTENT, mtime=1_700_000_000)
    assert again != PACKED
    published = hashlib.sha256(CONTENT).hexdigest()
    file = offer(monkeypatch, server.url + "/404/gz", PACKED, "file.gz", content_sha256=published)
    (tmp_path / file).write_bytes(again)
    assert downloads.read(file) == CONTENT
    assert server.requests == []


@pytest.mark.parametrize(
    "wrong",
    [PACKED[:-9], b"not packed", gzip.compress(CONTENT + b"!"), gzip.compress(b"")],
    ids=["cut", "not packed", "longer", "empty"],
)
def test_a_broken_packed_file_is_refused(server, monkeypatch, tmp_path, wrong):
    published = hashlib.sha256(CONTENT).hexdigest()
    file = offer(monkeypatch, server.url + "/404/gz", PACKED, "file.gz", content_sha256=published)
    (tmp_path / file).write_bytes(wrong)
    with pytest.warns(UserWarning, match="not the published"), pytest.raises(downloads.DownloadError):
        downloads.read(file)


def test_a_read_only_folder_serves_for_reading(server, monkeypatch, tmp_path):
    file = offer(monkeypatch, server.url + "/404/x")
    (tmp_path / file).write_bytes(CONTENT)

    def refuse(*_args, **_kwargs):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "mkdir", refuse)
    monkeypatch.setattr(cache, "open", refuse, raising=False)
    assert downloads.read(file) == CONTENT
    assert os.listdir(tmp_path) == [file]  # not even a lock
    (tmp_path / file).unlink()
    with pytest.raises(DataFolderError, match="COURSE_DATA"):
        downloads.read(file)


def test_a_folder_that_cannot_be_made_is_named(server, monkeypatch, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "file" / "below"))
    with pytest.raises(DataFolderError, match="COURSE_DATA"):
        downloads.read(offer(monkeypatch, server.url + "/good/x"))
    assert server.requests == []


CLIENT = """
import sys
from course_utils.data import downloads
if "limited" in sys.argv:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
url, sha256, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
downloads.DOWNLOADS["x"] = downloads.Download("x", url, sha256, size, size)
print("ready", flush=True)
sys.stdin.readline()
try:
    print(len(downloads.read("x")))
except OSError as error:
    print(type(error).__name__, error)
"""


def client(url, *arguments):
    process = subprocess.Popen(
        [sys.executable, "-c", CLIENT, url, hashlib.sha256(CONTENT).hexdigest(), str(len(CONTENT)), *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "ready\n", process.communicate()
    return process


def test_two_processes_that_fetch_at_once_end_with_one_good_file(server, tmp_path):
    processes = [client(server.url + "/slow/x") for _ in range(2)]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60)[0] for process in processes] == [f"{len(CONTENT)}\n"] * 2
    assert server.requests == ["/slow/x"]  # the second waited for the first
    assert (tmp_path / "x").read_bytes() == CONTENT
    assert left(tmp_path) == ["x"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
def test_a_full_disk_is_named_and_nothing_is_left(server, tmp_path):
    out, _ = client(server.url + "/good/x", "limited").communicate("go\n", timeout=60)
    assert out.startswith("DataFolderError")
    assert "COURSE_DATA" in out
    assert left(tmp_path) == []


def test_the_list_is_well_formed():
    assert len(downloads.DOWNLOADS) == 9
    for file, download in downloads.DOWNLOADS.items():
        assert file == download.file
        assert re.fullmatch(r"[a-z0-9.-]+", file)
        assert re.fullmatch(r"[0-9a-f]{64}", download.sha256)
        assert re.fullmatch(r"[0-9a-f]{64}|", download.content_sha256)
        assert download.url.startswith("http")
        assert 0 < download.size <= download.content_size
    assert len({download.sha256 for download in downloads.DOWNLOADS.values()}) == 9


@pytest.mark.skipif(not (SUPPLIED / "tinyshakespeare.txt").exists(), reason="COURSE_DATA has no tiny Shakespeare")
def test_the_real_tiny_shakespeare(monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(SUPPLIED))
    whole = text.tiny_shakespeare()
    assert len(whole) == 1_115_394
    assert len(set(whole)) == 65
    assert whole.startswith("First Citizen:\nBefore we proceed any further, hear me speak.")
    assert text.tiny_shakespeare("train") + text.tiny_shakespeare("validation") == whole
    assert len(text.tiny_shakespeare("train")) == 1_003_854
    with pytest.raises(ValueError, match="part must be"):
        text.tiny_shakespeare("test")

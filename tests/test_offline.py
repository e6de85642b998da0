"""No network: proved in this process, in a Python that it starts, and in a Jupyter kernel."""

import os
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import no_network
import pytest
from jupyter_client.manager import start_new_kernel

# 192.0.2.0/24 is reserved for documentation: nobody has it. No test waits for an answer from outside.
ROOT = Path(__file__).parents[1]
OUTSIDE = ("192.0.2.1", 80)

TCP, UDP, TCP6 = (socket.AF_INET, socket.SOCK_STREAM), (socket.AF_INET, socket.SOCK_DGRAM), (socket.AF_INET6,)


def on(kind, method, *arguments):
    """An attempt that calls a method of a socket, which is closed again."""

    def attempt():
        with socket.socket(*kind) as one:
            getattr(one, method)(*arguments)

    return attempt


ATTEMPTS = {
    "connect": on(TCP, "connect", OUTSIDE),
    "connect_ex": on(TCP, "connect_ex", OUTSIDE),
    "connect, IPv6": on(TCP6, "connect", ("2001:db8::1", 80, 0, 0)),
    "sendto": on(UDP, "sendto", b"", OUTSIDE),
    "sendmsg": on(UDP, "sendmsg", [b""], [], 0, OUTSIDE),
    "create_connection": lambda: socket.create_connection(OUTSIDE, timeout=1),
    "getaddrinfo": lambda: socket.getaddrinfo("example.org", 443),
    "gethostbyname": lambda: socket.gethostbyname("example.org"),
    "gethostbyname_ex": lambda: socket.gethostbyname_ex("example.org"),
    "gethostbyaddr": lambda: socket.gethostbyaddr("192.0.2.1"),
    "getnameinfo": lambda: socket.getnameinfo(OUTSIDE, 0),
    "urlopen": lambda: urllib.request.urlopen("http://example.org", timeout=1),
}
if not hasattr(socket.socket, "sendmsg"):  # Windows
    del ATTEMPTS["sendmsg"]


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_this_process_is_refused(attempt):
    with pytest.raises(no_network.NetworkRefused, match="notebooks and tests need no network"):
        attempt()


def test_a_thread_is_refused():
    refused = []

    def look_up():
        try:
            socket.getaddrinfo("example.org", 443)
        except no_network.NetworkRefused as error:
            refused.append(error)

    thread = threading.Thread(target=look_up)
    thread.start()
    thread.join()
    assert len(refused) == 1


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_loopback_is_allowed(name):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = name, server.getsockname()[1]
        with socket.create_connection(address, timeout=10) as client, server.accept()[0] as accepted:
            client.sendall(b"here")
            assert accepted.recv(4) == b"here"


def test_a_local_socket_is_allowed(tmp_path, monkeypatch):
    if not hasattr(socket, "AF_UNIX"):
        pytest.skip("this platform has no AF_UNIX in Python")
    monkeypatch.chdir(tmp_path)  # such a path may not be long
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind("local")
        server.listen()
        client.connect("local")


@pytest.mark.parametrize("host", [None, "", 0, b"127.0.0.1", "127.8.8.8", "::1", "::1%lo", "localhost", "0.0.0.0"])
def test_local_hosts(host):
    assert no_network.is_local(host)


@pytest.mark.parametrize("host", ["10.0.0.1", b"8.8.8.8", "fe80::1%eth0", "localhost.example.org", "0", "1"])
def test_hosts_that_are_not_local(host):
    assert not no_network.is_local(host)


PROGRAM = """
import socket
try:
    socket.getaddrinfo("example.org", 443)
except RuntimeError as error:
    print("refused:", error)
"""


def test_a_python_started_from_here_is_refused():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("refused: socket.getaddrinfo to 'example.org' refused")


def test_a_jupyter_kernel_is_refused():
    manager, client = start_new_kernel(startup_timeout=60)
    printed = []
    try:
        reply = client.execute_interactive(
            PROGRAM,
            timeout=60,
            output_hook=lambda message: printed.append(message["content"].get("text", "")),
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert reply["content"]["status"] == "ok"
    assert "".join(printed).startswith("refused: socket.getaddrinfo to 'example.org' refused")


def test_a_sitecustomize_that_ours_hides_is_run_too(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("print('the other one')\n")
    path = os.pathsep.join([os.environ["PYTHONPATH"], str(tmp_path)])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    first, second = done.stdout.splitlines()
    assert first == "the other one"
    assert second.startswith("refused:")


def test_what_every_test_runs_in():
    home = Path(os.environ["COURSE_TEST_HOME"])
    assert Path(os.environ["COURSE_DATA"]).parent == home
    assert Path(os.environ["COURSE_PROGRESS"]).parent == home
    assert os.environ["OMP_NUM_THREADS"].isdigit()


def environment_of_a_caller(data: Path) -> dict[str, str]:
    """The environment in which somebody who has set COURSE_DATA starts pytest."""
    ours = {name for name in os.environ if name.startswith(("COURSE_", "PYTEST_"))}
    return {name: value for name, value in os.environ.items() if name not in ours} | {"COURSE_DATA": str(data)}


# What pytest does with conftest.py, and what a worker of pytest-xdist does with it: import it, and end.
RUN = """
import os, subprocess, sys
import conftest
print(os.environ["COURSE_SUPPLIED_DATA"], os.environ["COURSE_DATA"], flush=True)
if len(sys.argv) < 2:
    subprocess.run([sys.executable, __file__, "worker"], check=True)
print(os.path.isdir(os.environ["COURSE_TEST_HOME"]), flush=True)
conftest.pytest_unconfigure()
print(os.path.isdir(os.environ["COURSE_TEST_HOME"]), flush=True)
"""


def test_the_data_of_the_caller_are_kept_under_another_name(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(RUN)
    env = environment_of_a_caller(tmp_path)
    env["PYTHONPATH"] = os.pathsep.join([str(ROOT), env["PYTHONPATH"]])
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    folders, same, *states = done.stdout.splitlines()
    supplied, data = folders.split()
    assert supplied == str(tmp_path)
    assert not Path(data).is_relative_to(tmp_path)
    assert same == folders  # the worker uses what the run has made
    assert states == ["True", "True", "True", "False"]  # and only the run removes it

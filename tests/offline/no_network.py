"""Refuse every connection and name look-up that would leave this machine.

The rule of this repository: no notebook and no test needs the network. `install()` adds an audit hook
(PEP 578), which sees what Python's `socket` module does in this process, whichever library asks. It does not
see sockets that compiled code opens by itself, nor programs that are no Python or a Python with -I or -E. A
name given to `connect` itself, which libraries do not do, is looked up before the hook hears of it.
"""

import ipaddress
import sys

TO_ADDRESS = {"socket.connect", "socket.sendto", "socket.sendmsg", "socket.getnameinfo"}
TO_NAME = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
RULE = "notebooks and tests need no network, so tests/offline/no_network.py allows loopback only"

installed = False


class NetworkRefused(RuntimeError):
    """Not an OSError, which code that tries the network and can do without would swallow."""


def is_local(host: object) -> bool:
    """Whether a host, as an event names it, is this machine (None and numbers name no other one)."""
    if isinstance(host, (bytes, bytearray)):
        host = host.decode("ascii", "replace")
    if not isinstance(host, str) or host in ("", "localhost"):
        return True
    try:
        ip = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:  # a name: asking for its address is already a question to the network
        return False
    return ip.is_loopback or ip.is_unspecified


def hook(event: str, arguments: tuple) -> None:
    """The audit hook: raise NetworkRefused for an event that would leave this machine."""
    if event in TO_NAME:
        host = arguments[0]
    elif event in TO_ADDRESS:
        address = arguments[-1]
        if not isinstance(address, tuple):  # the path of a local socket
            return
        host = address[0]
    else:
        return
    if not is_local(host):
        raise NetworkRefused(f"{event} to {host!r} refused: {RULE}")


def install() -> None:
    """Install the hook, once a process; it cannot be taken away again."""
    global installed
    if not installed:
        sys.addaudithook(hook)
        installed = True

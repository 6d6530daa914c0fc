"""What all parts of the local environment need: one error, progress lines, ports, programs."""

import asyncio
import contextlib
import fcntl
import os
import random
import shutil
import socket
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

# Outgoing connections draw their source port from 32768 up: a port below cannot be taken by one
# while the server that owns it is down for a moment.
_PORT_RANGE = range(15000, 32000)

Say = Callable[[str], None]
"""Receives one line of progress for the person who waits."""


class DevError(Exception):
    """A part of the local environment cannot be had or started; the message says what to do."""


def find_program(name: str, *, install: str) -> Path:
    """Find a program, first next to the Python that runs us, then on the PATH.

    Args:
        name: File name of the program.
        install: What a person should do when it is missing.

    Raises:
        DevError: The program is in neither place.
    """
    beside = Path(sys.executable).parent / name
    if beside.is_file():
        return beside
    found = shutil.which(name)
    if found is None:
        raise DevError(f"`{name}` is neither next to {sys.executable} nor on the PATH: {install}")
    return Path(found)


def free_port() -> int:
    """Return a loopback port on which nothing listens, and reserve it for this process.

    The program that is to listen there may start much later, while other environments and tests on
    this machine look for ports, too.
    """
    while True:
        port = random.choice(_PORT_RANGE)  # noqa: S311 - not a secret
        if _is_free(port) and reserve_port(port):
            return port


def reserve_port(port: int) -> bool:
    """Reserve a port for this process until it ends; returns whether the port was free."""
    return _PORTS.reserve(port)


class _PortReservations:
    """Locks of one byte for each port, in one file for all processes of a user.

    The kernel releases them when the process ends, however it ends.
    """

    def __init__(self) -> None:
        # Kept open until the process ends: closing it would give all ports back.
        self._descriptor: int | None = None
        # A lock does not hold against the process that has it.
        self._own: set[int] = set()

    def reserve(self, port: int) -> bool:
        """Return whether no one had reserved the port."""
        if port in self._own:
            return False
        try:
            fcntl.lockf(self._opened(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
        except OSError:
            return False
        self._own.add(port)
        return True

    def _opened(self) -> int:
        if self._descriptor is None:
            # Not in TMPDIR, which differs between processes that are to know of each other.
            path = f"/tmp/stackchain-ports-{os.getuid()}"  # noqa: S108 - nothing is written to it
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._descriptor = os.open(path, flags, 0o600)
        return self._descriptor


_PORTS = _PortReservations()


def free_ports(count: int) -> list[int]:
    """Return that many different free loopback ports."""
    return [free_port() for _ in range(count)]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


async def is_listened_on(port: int) -> bool:
    """Whether something takes connections on a loopback port."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def http_status(url: str, *, token: str = "", ca_file: Path | None = None) -> int:
    """GET a URL and return the status, or 0 while nothing answers."""
    return await asyncio.to_thread(_http_status, url, token, ca_file)


def _http_status(url: str, token: str, ca_file: Path | None) -> int:
    request = urllib.request.Request(url)  # noqa: S310 - only loopback URLs that we made
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    context = ssl.create_default_context(cafile=str(ca_file)) if ca_file else None
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if context:
        handlers.append(urllib.request.HTTPSHandler(context=context))
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=2) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


@contextlib.contextmanager
def timed(say: Say, text: str) -> Iterator[None]:
    """Say what was done and how long it took, once it is done."""
    started = time.monotonic()
    yield
    say(f"{text} ({time.monotonic() - started:.1f} s)")

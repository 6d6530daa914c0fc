"""What all parts of the local environment need: one error, progress lines, ports, programs."""

import asyncio
import contextlib
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
    """A part of the local environment cannot be had or started; the text says what to do."""


def find_program(name: str, *, install: str) -> Path:
    """Find a program, first beside the Python that runs us, then on the PATH.

    Args:
        name: File name of the program.
        install: What to tell a person to do when it is missing.

    Raises:
        DevError: The program is in neither place.
    """
    beside = Path(sys.executable).parent / name
    if beside.is_file():
        return beside
    found = shutil.which(name)
    if found is None:
        raise DevError(f"`{name}` was not found beside {sys.executable} or on the PATH: {install}")
    return Path(found)


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    while True:
        port = random.choice(_PORT_RANGE)  # noqa: S311 - not a secret
        if _is_free(port):
            return port


def free_ports(count: int) -> list[int]:
    """Return that many different free loopback ports."""
    ports: dict[int, None] = {}
    while len(ports) < count:
        ports[free_port()] = None
    return list(ports)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


async def http_status(url: str, *, token: str = "", ca_file: Path | None = None) -> int:
    """GET a URL and return the status, or 0 while nobody answers."""
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
def step(say: Say, text: str) -> Iterator[None]:
    """Say what was done and how long it took, once it is done."""
    started = time.monotonic()
    yield
    say(f"{text} ({time.monotonic() - started:.1f} s)")

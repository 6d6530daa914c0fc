"""The product with its modules loaded, which forks a process of it for each request.

`tests.support.fork_server` starts it and sends the requests. A child is what `python -m` and the
same arguments would have become: it leads its own session and process group, reads nothing from
standard input, and writes into the log. It has the environment and the folder of the request, and
no descriptors of anyone else. It belongs to the process that asked, which must be a subreaper: the
child is forked twice, and the process between ends at once.
"""

import ctypes
import gc
import importlib
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

# A request has the whole environment.
LIMIT_BYTES = 1 << 20

# What the programs import only when they start, or in what they call.
MODULES = (
    "controller.__main__",
    "controller.cli",
    "controller.plugin.cli",
    "controller.plugin.program",
    "controller.roles.operator",
    "controller.roles.webhook",
    "controller.roles.worker",
)

_PR_SET_PDEATHSIG = 1
_PARENT_POLL_SECONDS = 0.0005


def main() -> None:
    """Load the modules, then fork until the other end is closed; a child becomes what is asked."""
    connection = socket.socket(fileno=os.dup(0))
    for module in MODULES:
        importlib.import_module(module)
    if (threads := len(list(Path("/proc/self/task").iterdir()))) != 1:
        # A child would lack the threads, but keep the locks that they held.
        raise AssertionError(f"{threads} threads run after imports alone")
    gc.collect()
    gc.freeze()
    if (request := _serve(connection)) is not None:
        _run(request)


def _serve(connection: socket.socket) -> dict[str, Any] | None:
    """Answer requests with process ids; returns in each child with what it has to become."""
    while True:
        message, descriptors, *_ = socket.recv_fds(connection, LIMIT_BYTES, 3)
        if not message:
            return None
        request: dict[str, Any] = json.loads(message)
        reader, writer = os.pipe()
        if (middle := os.fork()) == 0:
            middle = os.getpid()
            if os.fork():
                os._exit(0)
            _settle(middle, request, descriptors, writer)
            # It is closed by its number, which something else may have by the time of a collection.
            connection.detach()
            return request
        os.close(writer)
        for descriptor in descriptors:
            os.close(descriptor)
        os.waitpid(middle, 0)
        connection.send(os.read(reader, 32) or b"0")
        os.close(reader)


def _settle(middle: int, request: dict[str, Any], streams: list[int], ready: int) -> None:
    """Take the place in the system that the child of a start would have."""
    os.setsid()
    while os.getppid() == middle:
        time.sleep(_PARENT_POLL_SECONDS)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != request["parent"]:
        os._exit(1)
    os.chdir(request["directory"])
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.write(ready, str(os.getpid()).encode())
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))


def _run(request: dict[str, Any]) -> None:
    """Run what the module's file or console script would, in the environment of the request."""
    os.environ.clear()  # noqa: TID251 - in the place of the system's exec
    os.environ.update(request["environment"])  # noqa: TID251 - as above
    time.tzset()
    program = importlib.import_module(request["module"])
    sys.argv = [str(program.__file__), *request["arguments"]]
    program.main()


if __name__ == "__main__":
    main()

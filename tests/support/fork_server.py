"""Starts processes of the product from one that has its modules loaded.

Importing them takes 0.7 s of processor time, and the tests start hundreds of roles. The result is
the same process (`tests/devenv/test_fork_server.py`), except for variables that Python itself reads
when it starts. Tests about the start itself, of console scripts and of images start the real
program.
"""

import ctypes
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Self

from devenv import managed_process, processes, tools
from tests.support import fork_server_program

_PR_SET_CHILD_SUBREAPER = 36
# The modules load meanwhile.
_ANSWER_SECONDS = 60


class ForkServer:
    """Its children are children of this process, as those of `processes.Process.start` are."""

    def __init__(self) -> None:
        """Start the server; its modules load meanwhile."""
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
        # One packet is one message.
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._connection.settimeout(_ANSWER_SECONDS)
        # A separate session: Ctrl-C is for pytest, which still starts and ends roles then.
        self._server = subprocess.Popen(
            [sys.executable, "-m", fork_server_program.__name__],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            cwd=managed_process.PACKAGE_PARENT,
            start_new_session=True,
        )
        theirs.close()

    @property
    def pid(self) -> int:
        """Id of the server's process."""
        return self._server.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the server; what it has started stays."""
        self._connection.close()
        self._server.wait()

    def start(self, command: processes.Command) -> processes.Process:
        """Start a child whose output is appended to its log file.

        Args:
            command: `python -m` with a package of the product and its arguments.
        """
        python, flag, module, *arguments = command.argv
        if (python, flag) != (sys.executable, "-m"):
            raise tools.DevError(f"{command.argv} is not `python -m`")
        inherited = dict(os.environ)  # noqa: TID251 - what a child inherits
        changed = inherited | dict(command.environment)
        command.log_file.parent.mkdir(parents=True, exist_ok=True)
        with Path(os.devnull).open("rb") as nothing, command.log_file.open("ab") as log:
            child = self.run(
                f"{module}.__main__",
                *arguments,
                environment={name: value for name, value in changed.items() if value is not None},
                directory=command.directory,
                streams=(nothing, log, log),
            )
        return processes.Process(command, child)

    def run(
        self,
        module: str,
        *arguments: str,
        environment: Mapping[str, str],
        streams: tuple[IO[bytes], IO[bytes], IO[bytes]],
        directory: Path | None = None,
    ) -> processes.Child:
        """Call `main` of a module in a child with these arguments, variables and streams."""
        request = {
            "module": module,
            "arguments": arguments,
            "directory": str(directory or Path.cwd()),
            "environment": dict(environment),
            "parent": os.getpid(),
        }
        descriptors = [stream.fileno() for stream in streams]
        socket.send_fds(self._connection, [json.dumps(request).encode()], descriptors)
        pid = int(self._connection.recv(32) or 0)
        if pid == 0:
            raise tools.DevError("the fork server has started nothing; its stderr says why")
        return _Child(pid)


class _Child:
    """A child that this process did not fork itself."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal, or none while it runs."""
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code

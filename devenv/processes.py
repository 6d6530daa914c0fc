"""Child processes of the local environment: none outlives the program that started it.

Each child leads its own session. So Ctrl-C reaches only the parent, which then ends its children in
the right order, and a signal to the group also reaches what a child started. If the parent dies
without ending anything, Linux kills the child.
"""

import asyncio
import collections
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from devenv import tools

# Runs between fork and exec, in a fresh interpreter, because code after a fork of a process with
# threads may hang. The second check covers a parent that died before the request was made.
# 1 is PR_SET_PDEATHSIG. Without prctl the child ends only when someone ends it.
# Variables come through standard input because others could read arguments there.
_EXEC_TIED_TO_PARENT = """
import json, os, sys
if sys.platform == "linux":
    import ctypes
    ctypes.CDLL(None).prctl(1, 9)
    if os.getppid() != int(sys.argv[1]):
        os._exit(1)
for name, value in json.load(sys.stdin).items():
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
os.execv(sys.argv[2], sys.argv[2:])
"""

_POLL_SECONDS = 0.02


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """What to run; the program is an absolute path."""

    name: str
    argv: tuple[str, ...]
    log_file: Path
    environment: Mapping[str, str | None] = field(default_factory=dict)
    """Variables to set, or with None to remove, in what the child inherits."""
    directory: Path | None = None


class Child(Protocol):
    """A child process as the system knows it."""

    @property
    def pid(self) -> int:
        """Its id, and that of its group."""

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal, or none while it runs."""


class Process:
    """One running child: its whole process group ends with `terminate` or `kill`."""

    def __init__(self, command: Command, child: Child) -> None:
        self.command = command
        self._child = child
        self._group_is_gone = False

    @classmethod
    def start(cls, command: Command) -> "Process":
        """Start a child whose output is appended to its log file.

        Call it from the main thread: Linux ties the child to the thread that starts it.
        """
        command.log_file.parent.mkdir(parents=True, exist_ok=True)
        tied = (sys.executable, "-I", "-S", "-c", _EXEC_TIED_TO_PARENT, str(os.getpid()))
        with command.log_file.open("ab") as log:
            popen = subprocess.Popen(  # noqa: S603 - the callers name fixed programs
                (*tied, *command.argv),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=command.directory,
                start_new_session=True,
            )
        if popen.stdin is not None:
            # A child that is already gone is reported by whoever waits for it.
            with contextlib.suppress(BrokenPipeError), popen.stdin:
                popen.stdin.write(json.dumps(dict(command.environment)).encode())
        return cls(command, popen)

    @property
    def pid(self) -> int:
        """Id of the process and of its group."""
        return self._child.pid

    @property
    def returncode(self) -> int | None:
        """Exit code, negative for a signal, or none while it runs."""
        return self._child.poll()

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self.returncode is None

    def log_tail(self, lines: int = 20) -> str:
        """Return the last lines of the log."""
        return log_tail(self.command.log_file, lines=lines)

    async def wait(self) -> int:
        """Wait until the process has ended and return its exit code."""
        while (code := self.returncode) is None:  # noqa: ASYNC110 - no event announces it
            await asyncio.sleep(_POLL_SECONDS)
        return code

    async def wait_until(
        self, condition: Callable[[], Awaitable[bool]], *, timeout_seconds: float, what: str
    ) -> None:
        """Wait until a condition of this process holds.

        Raises:
            DevError: The process ended, or the time is over; with the tail of its log.
        """
        deadline = time.monotonic() + timeout_seconds
        while not await condition():
            if not self.is_running:
                raise self._failure(f"ended with code {self.returncode} before it was {what}")
            if time.monotonic() > deadline:
                raise self._failure(f"was not {what} after {timeout_seconds:g} s")
            await asyncio.sleep(_POLL_SECONDS)

    async def terminate(self, *, timeout_seconds: float = 10) -> None:
        """Ask the process to end, and kill its group if it does not do so in time."""
        self.signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.wait(), timeout_seconds)
        await self.kill()

    async def kill(self) -> None:
        """Kill the process and all that is left of its group, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        await self.wait()
        # From here on the system may give the id to another group.
        self._group_is_gone = True

    async def freeze(self) -> None:
        """Stop the group where it is, and wait until no thread of the process runs any more.

        The signal alone is not enough: until each thread was interrupted, others still answer.
        """
        self.signal(signal.SIGSTOP)
        while self.is_running and not self._is_frozen():  # noqa: ASYNC110 - as for `wait`
            await asyncio.sleep(_POLL_SECONDS)

    def thaw(self) -> None:
        """Let a frozen group continue."""
        self.signal(signal.SIGCONT)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group, if anything of it is left."""
        if self._group_is_gone:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def _is_frozen(self) -> bool:
        # The system reports a stop when the last thread has come to it; WNOWAIT leaves the report.
        report = os.WSTOPPED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.pid, report) is not None

    def _failure(self, what: str) -> tools.DevError:
        log_file = self.command.log_file
        return tools.DevError(
            f"{self.command.name} {what}; the end of {log_file}:\n{self.log_tail()}"
        )


Start = Callable[[Command], Process]
"""Starts a child whose output is appended to its log file."""


def log_tail(log_file: Path, *, lines: int = 20) -> str:
    """Return the last lines of a log file, or nothing while there is no such file."""
    try:
        with log_file.open(encoding="utf-8", errors="replace") as log:
            return "".join(collections.deque(log, maxlen=lines)).rstrip("\n")
    except FileNotFoundError:
        return ""


async def run(command: Command, *, timeout_seconds: float) -> None:
    """Run a command to its end.

    Raises:
        DevError: It failed or took too long; with the tail of its log.
    """
    process = Process.start(command)
    try:
        async with asyncio.timeout(timeout_seconds):
            code = await process.wait()
    except TimeoutError:
        raise process._failure(f"did not end in {timeout_seconds:g} s") from None
    finally:
        await process.kill()
    if code != 0:
        raise process._failure(f"failed with code {code}")

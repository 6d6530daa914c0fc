"""Our own programs as child processes: the Spacelift simulator and the roles of the product."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from devenv import processes, settings, tools

_START_SECONDS = 60
_STOP_SECONDS = 10
# `python -m controller` has to find this very package, installed or in a clone.
_PACKAGE_PARENT = Path(__file__).parents[1]


def cleared_environment() -> dict[str, str | None]:
    """Return the removal of every setting that a person may have in the shell.

    A local environment must not reach the real account that the shell may be set up for.
    """
    return dict.fromkeys(sorted(settings.variables_of_roles()))


class Child:
    """One of our programs; it may be stopped, killed and started again under the same identity."""

    def __init__(self, command: processes.Command) -> None:
        self.command = command
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
        self._process = processes.Process.start(self.command)

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


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """Key of the simulated account."""

    id: str
    secret: str = field(repr=False)


# The same at each start, so that an account taken up from its state file knows it. It opens
# nothing but a simulator on loopback.
API_KEY = ApiKey(id="01STACKCHAIN0LOCAL0KEY0000", secret="loopback-only")  # noqa: S106

# Signs the deliveries of simulated accounts, at loopback as well.
WEBHOOK_SECRET = "loopback-only-webhook-secret"  # noqa: S105


def with_api_key(scenario: Mapping[str, Any]) -> dict[str, Any]:
    """Return a scenario with our key beside those that it has."""
    key = {"id": API_KEY.id, "secret": API_KEY.secret, "name": "stackchain"}
    others = [k for k in scenario.get("keys") or [] if k.get("id") != API_KEY.id]
    return {**scenario, "keys": [*others, key]}


class Simulator(Child):
    """The Spacelift simulator as a program of its own."""

    api_key = API_KEY

    def __init__(
        self, directory: Path, *, scenario: Path | None = None, keeps_state: bool = False
    ) -> None:
        """Prepare a simulator without starting it.

        Args:
            directory: Where its files are kept.
            scenario: YAML file with the account it begins with; an empty account by default.
            keeps_state: Whether a later start goes on with what the account was.
        """
        self._directory = directory
        self._scenario = scenario
        self._ready_file = directory / "simulator.json"
        files = {"scenario": directory / "scenario.json", "ready-file": self._ready_file}
        if keeps_state:
            files["state-file"] = directory / "simulator.state"
        # A restart must not move the account to another address.
        arguments = [f"--port={tools.free_port()}", *(f"--{k}={v}" for k, v in files.items())]
        super().__init__(
            processes.Command(
                name="simulator",
                argv=(sys.executable, "-m", "devenv.simulator", *arguments),
                log_file=directory / "log" / "simulator.log",
                directory=_PACKAGE_PARENT,
            )
        )

    def start_without_waiting(self) -> None:
        """Start the simulator anew; what an earlier one wrote says nothing about it."""
        self._ready_file.unlink(missing_ok=True)
        self._directory.mkdir(parents=True, exist_ok=True)
        text = self._scenario.read_text(encoding="utf-8") if self._scenario else ""
        document = with_api_key(yaml.safe_load(text) or {})
        # JSON is YAML, and unlike dates and the like it survives the way there and back.
        (self._directory / "scenario.json").write_text(
            json.dumps(document, default=str), encoding="utf-8"
        )
        super().start_without_waiting()

    async def is_ready(self) -> bool:
        """Whether it has written where it listens, which it does last."""
        return bool(self._ready())

    @property
    def url(self) -> str:
        """Base URL of the simulated account."""
        return str(self._ready()["url"])

    @property
    def admin_url(self) -> str:
        """Base URL of the API that scripts the simulated account."""
        return str(self._ready()["admin_url"])

    def _ready(self) -> Mapping[str, Any]:
        try:
            ready: Mapping[str, Any] = json.loads(self._ready_file.read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return ready


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleOptions:
    """One role instance: which role, who it is, where its files go."""

    role: str
    """Command of the product: operator, worker, webhook."""
    directory: Path
    environment: Mapping[str, str]
    instance: int = 0
    health_port: int = field(default_factory=tools.free_port)

    @property
    def name(self) -> str:
        """Stable identity, as a pod of the release would have it."""
        return f"stackchain-{self.role}-{self.instance}"


class Role(Child):
    """One role of the product, ready when its own readiness probe says so."""

    def __init__(self, options: RoleOptions) -> None:
        self.options = options
        self.health_url = f"http://127.0.0.1:{options.health_port}"
        super().__init__(
            processes.Command(
                name=options.name,
                argv=(sys.executable, "-m", "controller", options.role),
                log_file=options.directory / "log" / f"{options.name}.log",
                directory=_PACKAGE_PARENT,
                environment=cleared_environment()
                | {
                    "STACKCHAIN_POD_NAME": options.name,
                    "HEALTH_ADDRESS": f"127.0.0.1:{options.health_port}",
                }
                | dict(options.environment),
            )
        )

    async def is_ready(self) -> bool:
        """Whether /readyz answers 200."""
        return await tools.http_status(f"{self.health_url}/readyz") == 200

    async def is_alive(self) -> bool:
        """Whether /healthz answers 200."""
        return await tools.http_status(f"{self.health_url}/healthz") == 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoints:
    """Where the roles find what they talk to."""

    kubeconfig: Path
    temporal_address: str
    spacelift_url: str
    api_key: ApiKey = API_KEY
    temporal_namespace: str = "default"
    temporal_ui_url: str = ""
    release_namespace: str = "default"
    watch_namespaces: tuple[str, ...] = ()
    installation: str = ""
    poll_seconds: float = 1
    log_format: str = "console"
    webhook_address: str = "127.0.0.1:8090"
    webhook_secret: str = field(default=WEBHOOK_SECRET, repr=False)

    @property
    def webhook_url(self) -> str:
        """Where the receiver takes the deliveries of the account."""
        return f"http://{self.webhook_address}/webhooks/spacelift/default"

    def variables(self, role: str) -> dict[str, str]:
        """Return the settings of one role; each gets what its pod would get, and no more."""
        common = {
            "TEMPORAL_ADDRESS": self.temporal_address,
            "TEMPORAL_NAMESPACE": self.temporal_namespace,
            "TEMPORAL_UI_URL": self.temporal_ui_url,
            "SPACELIFT_API_KEY_ENDPOINT": self.spacelift_url,
            # The account is simulated: nothing that is destroyed in it is missed by anybody.
            "SPACELIFT_ALLOWED_OPERATIONS": "Apply,Plan,Destroy",
            "STACKCHAIN_NAMESPACE": self.release_namespace,
            "STACKCHAIN_WATCH_NAMESPACES": ",".join(self.watch_namespaces),
            "STACKCHAIN_INSTALLATION": self.installation,
            "LOG_FORMAT": self.log_format,
        }
        if role == "operator":
            return common | {"KUBECONFIG": str(self.kubeconfig)}
        if role == "worker":
            return common | {
                "SPACELIFT_API_KEY_ID": self.api_key.id,
                "SPACELIFT_API_KEY_SECRET": self.api_key.secret,
                "SPACELIFT_POLL_SECONDS": f"{self.poll_seconds:g}",
            }
        if role == "webhook":
            return common | {
                "SPACELIFT_WEBHOOK_SECRET": self.webhook_secret,
                "WEBHOOK_ADDRESS": self.webhook_address,
                # There is no load balancer that would have to learn of its end.
                "WEBHOOK_DRAIN_SECONDS": "0.1",
            }
        return common

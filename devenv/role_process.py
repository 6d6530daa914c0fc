"""A role of the product as a child process, and the settings that it gets."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devenv import managed_process, processes, settings, simulator_process, tools

SIGNING_KEY = "only-in-local-environments-0123456789"


def cleared_environment() -> dict[str, str | None]:
    """Return the removal of every setting that a person may have in the shell.

    A local environment must not reach the real account that the shell may be set up for.
    """
    return dict.fromkeys(sorted(settings.variables_of_roles()))


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


class Role(managed_process.ManagedProcess):
    """One role of the product, ready when its own readiness probe says so."""

    def __init__(
        self, options: RoleOptions, start: processes.Start = processes.Process.start
    ) -> None:
        self.options = options
        self.health_url = f"http://127.0.0.1:{options.health_port}"
        super().__init__(
            processes.Command(
                name=options.name,
                argv=(sys.executable, "-m", "controller", options.role),
                log_file=options.directory / "log" / f"{options.name}.log",
                directory=managed_process.PACKAGE_PARENT,
                environment=cleared_environment()
                | {
                    "STACKCHAIN_POD_NAME": options.name,
                    "HEALTH_ADDRESS": f"127.0.0.1:{options.health_port}",
                }
                | dict(options.environment),
            ),
            start,
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
    api_key: simulator_process.AccountKey = simulator_process.API_KEY
    temporal_namespace: str = "default"
    temporal_ui_url: str = ""
    release_namespace: str = "default"
    watch_namespaces: tuple[str, ...] = ()
    installation: str = ""
    poll_seconds: float = 1
    log_format: str = "console"
    webhook_address: str = "127.0.0.1:8090"
    webhook_secret: str = field(default=simulator_process.WEBHOOK_SECRET, repr=False)

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
            "SPACELIFT_ALLOWED_NAMESPACES": "*",
            # The account is simulated: no one misses what is destroyed in it.
            "SPACELIFT_ALLOWED_OPERATIONS": "Apply,Plan,Destroy",
            "STACKCHAIN_SIGNING_KEYS": SIGNING_KEY,
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

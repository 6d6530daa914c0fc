"""The Spacelift simulator as a separate program, and the key that its account has for us."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from devenv import managed_process, processes, tools


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountKey:
    """Key of the simulated account."""

    id: str
    secret: str = field(repr=False)


# The same at each start, so that an account taken up from its state file knows it. It opens
# nothing but a simulator on loopback.
API_KEY = AccountKey(id="01STACKCHAIN0LOCAL0KEY0000", secret="loopback-only")  # noqa: S106

# Signs the deliveries of simulated accounts, at loopback as well.
WEBHOOK_SECRET = "loopback-only-webhook-secret"  # noqa: S105


def with_api_key(scenario: Mapping[str, Any]) -> dict[str, Any]:
    """Return a scenario with our key added to those that it has."""
    key = {"id": API_KEY.id, "secret": API_KEY.secret, "name": "stackchain"}
    others = [k for k in scenario.get("keys") or [] if k.get("id") != API_KEY.id]
    return {**scenario, "keys": [*others, key]}


class SimulatorProcess(managed_process.ManagedProcess):
    """The simulator as a process that may be killed and started again."""

    api_key = API_KEY

    def __init__(
        self, directory: Path, *, scenario: Path | None = None, keeps_state: bool = False
    ) -> None:
        """Prepare a simulator without starting it.

        Args:
            directory: Where its files are kept.
            scenario: YAML file with the account it starts with; an empty account by default.
            keeps_state: Whether a later start continues with what the account was.
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
                directory=managed_process.PACKAGE_PARENT,
            )
        )

    def start_without_waiting(self) -> None:
        """Start the simulator again; what an earlier one wrote says nothing about it."""
        self._ready_file.unlink(missing_ok=True)
        self._directory.mkdir(parents=True, exist_ok=True)
        text = self._scenario.read_text(encoding="utf-8") if self._scenario else ""
        document = with_api_key(yaml.safe_load(text) or {})
        # JSON is YAML, and unlike dates and the like it survives the round trip.
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

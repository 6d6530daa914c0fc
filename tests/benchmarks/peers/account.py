"""Spacelift as a script uses it: trigger a run, and read its state until it has ended.

The programs of this folder run in other environments, so this module imports only httpx.
"""

import dataclasses
import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

_LOG_IN = (
    "mutation LogIn($id: ID!, $secret: String!) { apiKeyUser(id: $id, secret: $secret) { jwt } }"
)
_TRIGGER = "mutation Trigger($stack: ID!) { runTrigger(stack: $stack) { id } }"
_STATE = (
    "query State($stack: ID!, $run: ID!) { stack(id: $stack) { run(id: $run) { state finished } } }"
)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Rollout:
    """What to run, as a program gets it in a file."""

    url: str
    key_id: str
    secret: str
    upstreams: Mapping[str, Sequence[str]]
    parallelism: int
    poll_seconds: float

    @classmethod
    def read(cls, path: Path) -> "Rollout":
        """Read the file that `write` wrote."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def write(self, path: Path) -> None:
        """Write it for a program; no one else may read the key."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(dataclasses.asdict(self), file)


class Failed(Exception):
    """A run did not finish, or Spacelift answered with an error."""


class Account:
    """A key's view of the account. Threads may share it."""

    def __init__(self, rollout: Rollout) -> None:
        self._rollout = rollout
        self._http = httpx.Client(timeout=30, trust_env=False)
        answer = self._ask(_LOG_IN, {"id": rollout.key_id, "secret": rollout.secret})
        self._http.headers["Authorization"] = f"Bearer {answer['apiKeyUser']['jwt']}"

    def run(self, stack: str) -> None:
        """Trigger a run of a stack, and return once it has finished.

        Raises:
            Failed: it ended otherwise.
        """
        run = self._ask(_TRIGGER, {"stack": stack})["runTrigger"]["id"]
        while True:
            time.sleep(self._rollout.poll_seconds)
            found = self._ask(_STATE, {"stack": stack, "run": run})["stack"]["run"]
            if found["finished"]:
                break
        if found["state"] != "FINISHED":
            raise Failed(f"run {run} of {stack} ended {found['state']}")

    def _ask(self, query: str, variables: Mapping[str, str]) -> Any:
        body = {"query": query, "variables": variables}
        answer = self._http.post(f"{self._rollout.url}/graphql", json=body)
        answer.raise_for_status()
        found = answer.json()
        if found.get("errors"):
            raise Failed(f"{found['errors'][0]['message']}")
        return found["data"]

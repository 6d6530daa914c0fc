"""The simulated account of a benchmark: its stacks, its runs, and the requests that it had."""

from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx

Body = dict[str, Any]


class Failed(Exception):
    """Something did not do what it should, so its numbers would mean nothing."""


class SimulatedAccount:
    """Asks the simulator what only it knows."""

    def __init__(self, admin_url: str) -> None:
        self._admin_url = admin_url
        self._http = httpx.AsyncClient(timeout=60, trust_env=False)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def seed(self, stacks: Mapping[str, Any]) -> None:
        await self._admin("POST", "/seed", {"stacks": stacks})

    async def runs(self, **only: str) -> list[Body]:
        """Return all runs, or those of a state or stack, with their histories, oldest first."""
        found: list[Body] = (await self._admin("GET", f"/runs?{urlencode(only)}"))["runs"]
        return found

    async def count_runs(self, state: str = "") -> int:
        """Return how many runs there are, or how many are in a state: cheap enough to poll."""
        summary = await self._admin("GET", "/summary")
        return int(summary["byState"].get(state, 0) if state else summary["runs"])

    async def forget_requests(self) -> None:
        await self._admin("DELETE", "/requests")

    async def requests(self) -> tuple[int, Counter[str]]:
        """Return how many requests came, and how often each root field was asked for."""
        counters = await self._admin("GET", "/requests/counters")
        return counters["requests"], Counter(counters["byField"])

    async def confirm(self, run_id: str) -> None:
        await self._admin("POST", f"/runs/{run_id}/confirm", {})

    async def break_all(self, **fault: Any) -> None:
        """Let every request go wrong in a way, until `heal`."""
        await self._admin("POST", "/faults", {"count": 0, **fault})

    async def heal(self) -> None:
        await self._admin("DELETE", "/faults")

    async def _admin(self, method: str, path: str, body: Any = None) -> Body:
        url = f"{self._admin_url}{path}"
        response = await self._http.request(method, url, json=body)
        if response.is_error:
            raise Failed(f"simulator: {method} {path}: {response.status_code} {response.text}")
        answer: Body = response.json()
        return answer

"""A real Prometheus that reads the metrics of roles on this machine, and answers queries.

No registry of Python has it; it comes with Debian's package `prometheus`.
"""

import os
import shutil
from pathlib import Path
from typing import Any

import httpx
import yaml

from devenv import managed_process, processes, role_process, tools
from tests.support import promql

# Settings of the tests, not of the product.
PROGRAM = os.environ.get("PROMETHEUS") or shutil.which("prometheus")  # noqa: TID251
NAMESPACE = "stackchain-system"
"""The namespace of the release, as Prometheus gets it."""


class Prometheus(managed_process.ManagedProcess):
    """It reads each role every second, with the labels that the chart's monitors give."""

    def __init__(self, directory: Path, roles: list[role_process.Role]) -> None:
        directory.mkdir()
        self.url = f"http://127.0.0.1:{tools.free_port()}"
        rules = directory / "rules"
        rules.mkdir()
        for path in promql.CHART.glob("alerts/*.yaml"):
            text = path.read_text(encoding="utf-8").replace("RELEASE_NAMESPACE", NAMESPACE)
            (rules / path.name).write_text(text, encoding="utf-8")
        config = directory / "prometheus.yaml"
        config.write_text(yaml.safe_dump(_configuration(rules, roles)), encoding="utf-8")
        super().__init__(
            processes.Command(
                name="prometheus",
                argv=(
                    str(PROGRAM),
                    f"--config.file={config}",
                    f"--storage.tsdb.path={directory / 'data'}",
                    f"--web.listen-address={self.url.removeprefix('http://')}",
                ),
                log_file=directory / "prometheus.log",
            )
        )

    async def is_ready(self) -> bool:
        """Whether it has loaded its rules and answers queries."""
        return await tools.http_status(f"{self.url}/-/ready") == httpx.codes.OK

    async def query(self, text: str) -> list[dict[str, Any]]:
        """Return what a query finds now."""
        answer = await self._get("/api/v1/query", query=text)
        found: list[dict[str, Any]] = answer["result"]
        return found

    async def query_range(self, text: str, *, since: float, until: float) -> list[dict[str, Any]]:
        """Return the results of a query for each second of a period."""
        answer = await self._get(
            "/api/v1/query_range", query=text, start=f"{since}", end=f"{until}", step="1"
        )
        found: list[dict[str, Any]] = answer["result"]
        return found

    async def rules(self) -> list[dict[str, Any]]:
        """Return all alerting rules with their health."""
        answer = await self._get("/api/v1/rules")
        return [rule for group in answer["groups"] for rule in group["rules"]]

    async def _get(self, path: str, **parameters: str) -> dict[str, Any]:
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as http:
            answer = (await http.get(path, params=parameters)).json()
        assert answer["status"] == "success", (parameters, answer)
        data: dict[str, Any] = answer["data"]
        return data


def _configuration(rules: Path, roles: list[role_process.Role]) -> dict[str, Any]:
    targets = [
        {
            "targets": [role.health_url.removeprefix("http://")],
            "labels": {
                "namespace": NAMESPACE,
                "pod": role.options.name,
                "component": role.options.role,
            },
        }
        for role in roles
    ]
    return {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [f"{rules}/*.yaml"],
        "scrape_configs": [{"job_name": "stackchain", "static_configs": targets}],
    }

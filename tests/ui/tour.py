"""The page of a local environment in a real browser, led from here."""

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from devenv import environment, example_account, settings
from devenv.demo import kubectl, walkthrough

CHAIN = walkthrough.CHAIN
NAMESPACE = "default"
# Two cores may be shared with other tests.
_PATIENCE_SECONDS = 150


def find_chromium() -> str | None:
    """Return the browser that is driven, None if there is none."""
    return settings.variables_of_shell().get("CHROMIUM") or shutil.which("chromium")


class Tour:
    """A browser that has opened the page of an environment."""

    def __init__(
        self, local: environment.LocalEnvironment, process: asyncio.subprocess.Process
    ) -> None:
        self.local = local
        self._process = process
        self._kubectl = kubectl.Kubectl(local.kubeconfig, local.logs)

    async def answer(self) -> list[str]:
        """Return what the page has complained of since the last answer."""
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), _PATIENCE_SECONDS)
        if not line:
            raise AssertionError("the browser ended")
        problems: list[str] = json.loads(line)["problems"]
        return problems

    async def do(self, **command: Any) -> list[str]:
        """Have a command of `browser/tour.mjs` carried out."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        return await self.answer()

    async def sees(self, text: str, *, at: str | None = None) -> None:
        """Wait until the page shows a string, without a complaint."""
        problems = await self.do(sees=text, **({} if at is None else {"open": at}))
        assert problems == [], "\n".join(problems)

    async def kubectl(self, *arguments: str) -> str:
        return await self._kubectl.run(*arguments)

    async def confirm(self, stack_id: str, name: str = CHAIN) -> None:
        """Press Confirm in the simulated Spacelift, once the status has the link."""
        path = f'{{.status.stacks[?(@.id=="{stack_id}")].runUrl}}'
        link = await self.kubectl("get", "schain", name, "-n", NAMESPACE, "-o", f"jsonpath={path}")
        await _post(f"{link}/confirm")

    async def heal(self, stack_id: str) -> None:
        """Have the next runs of a stack succeed."""
        await self._end_with(stack_id, "changes")

    async def fail(self, stack_id: str) -> None:
        """Have the next runs of a stack fail."""
        await self._end_with(stack_id, "fail")

    async def _end_with(self, stack_id: str, outcome: str) -> None:
        url = f"{self.local.simulator.admin_url}/stacks/{stack_id}/outcomes"
        await _post(url, {"outcomes": [outcome]})


async def _post(url: str, body: object = None) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(url, json=body)
    assert not answer.is_error or answer.is_redirect, answer.text


@contextlib.asynccontextmanager
async def touring(dev: settings.DevSettings, ui: Path) -> AsyncIterator[Tour]:
    """Start an environment with the demo's account, and a browser that has opened its page.

    Args:
        dev: where programs are kept.
        ui: the sources of the page, with the packages installed.
    """
    options = environment.DevOptions(
        dev=dev, say=lambda _: None, scenario=example_account.FILE, poll_seconds=0.5, has_page=True
    )
    async with environment.LocalEnvironment(options) as local:
        process = await asyncio.create_subprocess_exec(
            *("node", "browser/tour.mjs", local.page.address),
            cwd=ui,
            env={**settings.variables_of_shell(), "CHROMIUM": find_chromium() or ""},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            tour = Tour(local, process)
            problems = await tour.answer()
            assert problems == [], "\n".join(problems)
            yield tour
        finally:
            assert process.stdin is not None
            process.stdin.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 20)
            if process.returncode is None:
                process.kill()
                await process.wait()


def part(name: str, more: str = "") -> str:
    """Return the address of a chain, below the page's."""
    return f"?namespace={NAMESPACE}&chain={name}{more}"

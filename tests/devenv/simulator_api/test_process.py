"""The simulator as a program: start, ready file, TLS, end, and a restart that knows what was."""

import asyncio
import contextlib
import json
import signal
import ssl
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from tests.support import waiting
from tests.support.simulator_client import KEY, LOGIN, TRIGGER

SCENARIO = {"keys": [KEY], "stacks": {"a": {"durations": {"planning": 600}}}}
START_SECONDS = 30


@contextlib.asynccontextmanager
async def simulator(folder: Path, *options: str) -> AsyncIterator[Any]:
    """Run the program until the block is left; gives the process and what its ready file says."""
    scenario, ready = folder / "account.yaml", folder / "ready.json"
    scenario.write_text(yaml.safe_dump(SCENARIO))
    ready.unlink(missing_ok=True)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "devenv.simulator",
        *("--scenario", str(scenario), "--ready-file", str(ready), *options),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        await waiting.eventually(ready.exists, START_SECONDS, what="the ready file is there")
        yield process, json.loads(ready.read_text())
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def ask(url: str, document: str, token: str = "", **variables: Any) -> Any:
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session,
        session.post(f"{url}/graphql", json={"query": document, "variables": variables}) as got,
    ):
        return (await got.json())["data"]


async def login(url: str) -> str:
    data = await ask(url, LOGIN, id=KEY["id"], secret=KEY["secret"])
    token: str = data["apiKeyUser"]["jwt"]
    return token


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_at_once_and_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    async with simulator(tmp_path) as (process, ready):
        token = await login(ready["url"])
        fault = {"action": "timeout", "seconds": 600}
        async with aiohttp.ClientSession() as session:
            await session.post(f"{ready['admin_url']}/faults", json=fault)
        hanging = asyncio.create_task(ask(ready["url"], TRIGGER, token, s="a"))

        process.send_signal(number)
        # What hangs would hang for ten minutes.
        async with asyncio.timeout(30):
            code = await process.wait()

        with pytest.raises(aiohttp.ClientError):
            await hanging
    assert code == 0


async def test_a_killed_simulator_comes_back_with_all_that_was_answered(tmp_path: Path) -> None:
    state = ("--state-file", str(tmp_path / "state"))
    async with simulator(tmp_path, *state) as (process, ready):
        token = await login(ready["url"])
        runs = [(await ask(ready["url"], TRIGGER, token, s="a"))["runTrigger"] for _ in range(5)]
        process.kill()
        await process.wait()

    async with simulator(tmp_path, *state) as (_, ready):
        document = '{ stack(id: "a") { runs { id } } }'
        known = (await ask(ready["url"], document, token))["stack"]["runs"]
        new = (await ask(ready["url"], TRIGGER, token, s="a"))["runTrigger"]["id"]

    assert [run["id"] for run in known] == [run["id"] for run in runs][::-1]
    assert new > known[0]["id"]


async def test_tls_is_trusted_with_the_ca_that_the_ready_file_names(tmp_path: Path) -> None:
    async with simulator(tmp_path, "--tls-port", "0") as (_, ready):
        context = ssl.create_default_context(cafile=ready["ca_file"])
        url = ready["tls_url"]
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{url}/graphql", json={"query": "{ viewer { id } }"}, ssl=context) as got,
        ):
            answer = await got.json()

    assert url.startswith("https://localhost:")
    assert answer == {"data": {"viewer": None}}


async def test_a_taken_port_is_told(tmp_path: Path) -> None:
    async with simulator(tmp_path) as (_, ready):
        port = ready["url"].rpartition(":")[2]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "devenv.simulator", "--port", port),
            stderr=asyncio.subprocess.PIPE,
        )
        _, error = await process.communicate()

    assert process.returncode == 1
    assert "cannot listen" in error.decode()

"""Clients that we did not write, against the simulator: it must not only fit our own client.

Witnesses: the API client of Spacelift's Backstage plugin (over TLS, which it insists on), the
package `spacelift` of the Python index, and Spacelift's command line client if SPACECTL names one.
Each runs with the defaults, and with every behavior set to the other possible answer.
"""

import asyncio
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gql.transport import exceptions as gql_exceptions
from spacelift import Spacelift

from devenv import settings
from tests.support import simulator_client
from tests.support.simulator_client import KEY, Wire, until_state

PLUGIN = "@spacelift-io/backstage-integration-backend@0.3.3"
PLUGIN_INTEGRITY = (
    "sha512-jeGDg9lXXOAXtBl68tS1ovzhxoaymOY9x5w"
    "+LX6KS7WxJ4lDchlom1bXSEvfqP+6enEhAXiGVEVAsMXKMDzpsw=="
)
FOLDER = Path(__file__).with_name("witness")
SPACECTL = os.environ.get("SPACECTL")  # noqa: TID251 - a setting of the tests, not of the product

OTHER_ANSWERS = {
    "unauthorizedMode": "B",
    "wrongSecret": "null",
    "fanOut": False,
    "onUpstreamFailure": "CANCELED",
    "forceApplySingleSuppressesFanOut": True,
    "retryRunId": "same",
    "dependencyWaitHoldsStack": False,
    "lockHoldsQueuedRuns": False,
    "stopDuringApply": "stopped",
    "destroyPlans": True,
    "exposeMetadata": True,
    "invisibleEdges": "hidden",
}
both_answers = pytest.mark.parametrize(
    "behavior", [{}, OTHER_ANSWERS], ids=["defaults", "other-answers"]
)


def scenario(behavior: dict[str, Any]) -> dict[str, Any]:
    """An account whose stacks show all kinds of states."""
    return {
        "behavior": behavior,
        "defaults": {"durations": 0.1},
        "edges": ["a -> b"],
        "stacks": {
            "a": {"description": "the first", "labels": ["x"]},
            "canceled": {"requiresApproval": True},
            "performing": {"durations": {"performing": 600}},
            "planning": {"durations": {"planning": 600}},
            "failed": {"outcomes": ["fail"]},
            "waits": {},
        },
    }


async def fill(wire: Wire) -> None:
    """Put runs into states that a stack itself does not have."""
    await wire.login()
    canceled = await wire.admin("POST", "/stacks/canceled/trigger")
    await wire.admin("POST", f"/runs/{canceled['runs'][0]['id']}/cancel")
    task = await wire.admin("POST", "/stacks/performing/task", {"command": "ls"})
    ends = {"planning": "PLANNING", "failed": "FAILED", "waits": "UNCONFIRMED"}
    for stack, state in ends.items():
        await until_state(wire, await wire.trigger(stack), state)
    await wire.admin("POST", "/stacks/waits/trigger")
    await until_state(wire, task["runs"][0]["id"], "PERFORMING")


async def output_of(*command: str, cwd: Path) -> str:
    """Run a program that has to succeed, and return what it printed."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, f"{' '.join(command)}: {output.decode()}{errors.decode()}"
    return output.decode()


# -- Spacelift's Backstage plugin ----------------------------------------------------------------


@pytest.fixture(scope="session")
async def plugin(dev_settings: settings.DevSettings) -> Path:
    """A folder with the plugin's client and what it needs, made once per machine.

    The package itself is unpacked and not installed: its dependencies are the whole of Backstage,
    and the client needs three of them.
    """
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.fail(
            "this test runs Spacelift's Backstage plugin: install node 20 or newer with npm",
            pytrace=False,
        )
    lock = (FOLDER / "package-lock.json").read_bytes()
    digest = hashlib.sha256(lock + PLUGIN_INTEGRITY.encode()).hexdigest()[:16]
    folder = dev_settings.cache_dir.absolute() / f"witness-{digest}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as draft:
            await install(Path(draft) / "witness")
            # In one step: another test run may be at the same.
            try:
                (Path(draft) / "witness").rename(folder)
            except OSError:
                assert folder.exists()
    return folder


async def install(folder: Path) -> None:
    leave_out = shutil.ignore_patterns("*.js", "*.sh")
    shutil.copytree(FOLDER, folder, ignore=leave_out)
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    await output_of("npm", "ci", *quiet, cwd=folder)
    packed = json.loads(await output_of("npm", "pack", "--json", *quiet, PLUGIN, cwd=folder))
    archive = packed[0]
    assert archive["integrity"] == PLUGIN_INTEGRITY
    await output_of("tar", "xzf", archive["filename"], cwd=folder)


@pytest.fixture
def run_plugin(plugin: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """List stacks and trigger a run with the plugin's client."""

    async def run(wire: Wire, *, secret: str = KEY["secret"]) -> Any:
        url = wire.server.tls_url or ""
        monkeypatch.setenv("NODE_EXTRA_CA_CERTS", str(wire.server.ca_file))
        monkeypatch.setenv("SIM_TLS_HOST", url.removeprefix("https://"))
        monkeypatch.setenv("SIM_KEY_ID", KEY["id"])
        monkeypatch.setenv("SIM_KEY_SECRET", secret)
        monkeypatch.setenv("SIM_STACK", "a")
        # Read from here and not from the cache: the script is ours and may have changed.
        script = (FOLDER / "backstage.js").read_text().replace("./package/", f"{plugin}/package/")
        return json.loads(await output_of("node", "-e", script, cwd=plugin))

    return run


@both_answers
async def test_the_backstage_plugin_lists_stacks_and_triggers(
    run_plugin: Callable[..., Any], behavior: dict[str, Any]
) -> None:
    """It refuses the whole listing if a single stack has a state that it does not know."""
    async with simulator_client.connect(scenario(behavior), tls_port=0) as wire:
        await fill(wire)

        result = await run_plugin(wire)

        assert "error" not in result, result["error"]
        run = wire.simulator.account.latest_tracked_run("a")
        assert run is not None
        assert {s["id"]: s["state"] for s in result["stacks"]}.items() >= {
            ("canceled", "NONE"),
            ("performing", "NONE"),
            ("planning", "PLANNING"),
            ("failed", "FAILED"),
            ("waits", "UNCONFIRMED"),
        }
        assert result["run"] == {"id": run.id, "state": "QUEUED"}
        assert run.triggered_by == f"api::{KEY['id']}"


@both_answers
async def test_the_backstage_plugin_is_told_of_a_wrong_secret(
    run_plugin: Callable[..., Any], behavior: dict[str, Any]
) -> None:
    async with simulator_client.connect(scenario(behavior), tls_port=0) as wire:
        result = await run_plugin(wire, secret="wrong")

    assert "Failed to authenticate" in result["error"]


# -- PyPI: spacelift -----------------------------------------------------------------------------


def client_of(wire: Wire, *, secret: str = KEY["secret"]) -> Spacelift:
    return Spacelift(base_url=f"{wire.server.url}/graphql", key_id=KEY["id"], key_secret=secret)


@both_answers
async def test_the_python_client_reads_and_triggers(behavior: dict[str, Any]) -> None:
    fields = ["id", "state", "labels", "blocker { id state }", "trackedCommit { hash }"]
    async with simulator_client.connect(scenario(behavior)) as wire:
        await fill(wire)
        client = client_of(wire)
        try:
            stacks = await asyncio.to_thread(client.get_stacks, fields)
            stack = await asyncio.to_thread(client.get_stack_by_id, "a", fields)
            none = await asyncio.to_thread(client.get_stack_by_id, "x", fields)
            spaces = await asyncio.to_thread(client.get_spaces)
            run = await asyncio.to_thread(client.trigger_run, "a", ["id", "state", "type"])
        finally:
            client.transport.close()

    assert len(stacks) == 7
    assert (stack["id"], stack["labels"], stack["state"]) == ("a", ["x"], "NONE")
    assert none is None
    assert spaces == [{"id": "root", "name": "root"}]
    assert (run["state"], run["type"]) == ("QUEUED", "PROPOSED")


@both_answers
async def test_the_python_client_is_told_of_wrong_secrets_and_fields(
    behavior: dict[str, Any],
) -> None:
    async with simulator_client.connect(scenario(behavior)) as wire:
        wrong, client = client_of(wire, secret="wrong"), client_of(wire)
        try:
            with pytest.raises((gql_exceptions.TransportQueryError, ValueError)):
                await asyncio.to_thread(wrong.get_stacks)
            with pytest.raises(gql_exceptions.TransportQueryError, match="shoe"):
                await asyncio.to_thread(client.get_stacks, ["shoe"])
        finally:
            wrong.transport.close()
            client.transport.close()


# -- spacectl ------------------------------------------------------------------------------------

if SPACECTL:
    # No package registry has it, so it is a witness only where someone has installed it.
    @both_answers
    async def test_spacectl_deploys_and_reads(
        behavior: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with simulator_client.connect(scenario(behavior)) as wire:
            monkeypatch.setenv("SIM", wire.server.url)
            monkeypatch.setenv("SIM_KEY_ID", KEY["id"])
            monkeypatch.setenv("SPACECTL", str(SPACECTL))
            monkeypatch.setenv("SPACELIFT_CONFIG_DIR", str(tmp_path))

            output = await output_of("sh", str(FOLDER / "spacectl.sh"), cwd=tmp_path)

            run = wire.simulator.account.latest_tracked_run("a")
            assert run is not None
            assert run.metadata == ["chain=demo", "chain=demo"]
        assert output.rstrip().endswith("ALL OK")

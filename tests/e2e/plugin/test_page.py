"""`ui` through the real kubectl: the page of a user, on the real API server."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from controller.plugin.exit_codes import ExitCode
from devenv.control_plane import server
from tests.support import kube as kube_support
from tests.support.faulty_api import FaultyApi
from tests.support.plugin import FAILED, SECONDS, SPEC, WAITING, Kubectl, Operator, ended
from tests.ui import viewers


@contextlib.asynccontextmanager
async def page_of(kubectl: Kubectl, *words: str) -> AsyncIterator[str]:
    """The address of a page, until the block ends and Ctrl-C is pressed."""
    process = await kubectl.start(
        "stackchain", "ui", *words, "--no-browser", "-n", kubectl.namespace
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), SECONDS)
        if not line:
            pytest.fail((await process.stderr.read()).decode())
        yield line.decode().strip()
        process.send_signal(signal.SIGINT)
        assert (await ended(process)).code == ExitCode.INTERRUPTED
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def stream_of(namespace: str, name: str) -> str:
    return f"api/stream?namespace={namespace}&name={name}"


async def test_the_page_follows_a_chain_from_its_creation_to_its_deletion(
    kubectl: Kubectl, stackchains: kube_support.StackChains, operator: Operator
) -> None:
    path = stream_of(kubectl.namespace, "prod")
    async with (
        page_of(kubectl, "prod") as address,
        viewers.viewer(address) as session,
        viewers.streaming(session, address, path) as stream,
    ):
        rows = await stream.until("chains")
        await stream.until("missing")
        await stackchains.create("prod", SPEC)
        created = await stream.until("detail")
        await operator.write("prod", WAITING)
        waiting = await until(stream, "person")
        await operator.write("prod", FAILED)
        failed = await until(stream, "failed")
        await stackchains.delete("prod")
        await stream.until("missing")

    assert address.endswith(f"&namespace={kubectl.namespace}&chain=prod")
    assert rows == []
    assert created["state"] == "idle"
    assert {stack["id"] for stack in waiting["stacks"]} == {"vpc", "eks", "app"}
    assert [need["id"] for need in waiting["detail"]["needs"]] == ["eks"]
    assert {stack["id"]: stack["phase"] for stack in failed["stacks"]}["app"] == "Skipped"


async def until(stream: viewers.Stream, state: str) -> Any:
    while True:
        change = await stream.until("change")
        if change["detail"]["state"] == state:
            return change


async def test_the_page_survives_an_api_server_that_is_away(
    control_plane: server.ControlPlane,
    kubectl: Kubectl,
    stackchains: kube_support.StackChains,
    operator: Operator,
    tmp_path: Path,
) -> None:
    await stackchains.create("prod", SPEC)
    async with FaultyApi(control_plane, tmp_path) as api:
        kubectl.environment["KUBECONFIG"] = str(api.kubeconfig)
        async with (
            page_of(kubectl) as address,
            viewers.viewer(address) as session,
            viewers.streaming(session, address, stream_of(kubectl.namespace, "prod")) as stream,
        ):
            await stream.until("detail")
            await api.refuse()
            problem = await stream.until("problem")
            await operator.write("prod", WAITING)
            await api.listen()
            await stream.until_solved()
            change = await until(stream, "person")

    assert "does not answer" in problem["text"]
    assert change["detail"]["needs"][0]["id"] == "eks"


async def test_events_of_the_chain_are_shown(
    kubectl: Kubectl, stackchains: kube_support.StackChains
) -> None:
    created = await stackchains.create("prod", SPEC)
    event = {
        "metadata": {"name": "prod.1"},
        "involvedObject": {
            "kind": "StackChain",
            "namespace": kubectl.namespace,
            "name": "prod",
            "uid": created["metadata"]["uid"],
        },
        "reason": "RunStarted",
        "message": "Run 1 was started.",
        "type": "Normal",
        "lastTimestamp": "2026-03-01T10:00:00Z",
    }
    await stackchains.kube.create(f"/api/v1/namespaces/{kubectl.namespace}/events", event)
    async with page_of(kubectl) as address, viewers.viewer(address) as session:
        query = {"namespace": kubectl.namespace, "name": "prod"}
        url = f"{viewers.origin(address)}/api/events"
        async with session.get(url, params=query) as answer:
            found = await answer.json()

    assert [(one["reason"], one["message"]) for one in found["events"]] == [
        ("RunStarted", "Run 1 was started.")
    ]


@pytest.mark.parametrize(
    ("verbs", "words", "expected"),
    [
        pytest.param(("get",), (), "list and watch", id="no list"),
        pytest.param(("list", "watch"), ("-A",), "all namespaces", id="not all namespaces"),
    ],
)
async def test_a_user_without_the_right_learns_which_one(
    verbs: tuple[str, ...],
    words: tuple[str, ...],
    expected: str,
    restricted: Callable[..., Awaitable[Kubectl]],
) -> None:
    kubectl = await restricted(*verbs)

    refused = await kubectl("ui", "--no-browser", *words)

    assert refused.code == ExitCode.REFUSED
    assert expected in refused.err
    assert refused.err.startswith("kubectl stackchain: you may not list and watch")


async def test_a_user_sees_the_namespace_that_they_may_see(
    restricted: Callable[..., Awaitable[Kubectl]], stackchains: kube_support.StackChains
) -> None:
    kubectl = await restricted("list", "watch")
    await stackchains.create("prod", SPEC)
    async with (
        page_of(kubectl) as address,
        viewers.viewer(address) as session,
        viewers.streaming(session, address) as stream,
    ):
        rows = await stream.until("chains")
        query = {"namespace": kubectl.namespace, "name": "prod"}
        url = f"{viewers.origin(address)}/api/events"
        async with session.get(url, params=query) as answer:
            events = await answer.json()

    assert [row["name"] for row in rows] == ["prod"]
    assert "ask for the verb list on events" in events["error"]

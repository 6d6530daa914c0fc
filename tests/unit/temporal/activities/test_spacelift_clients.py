"""A worker serves a connection only if it means the same account by it."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
import temporalio.exceptions

from controller.config import connections, settings
from controller.spacelift import errors, models
from controller.temporal import messages
from controller.temporal.activities import spacelift_clients
from tests.support.builders import make_use

FILE = """
connections:
  default:
    endpoint: {endpoint}
    allowedNamespaces: ["*"]
"""


def make_clients(
    tmp_path: Path, endpoint: str, *, on_refusal: Callable[[str], None] = lambda _: None
) -> spacelift_clients.SpaceliftClients:
    file = tmp_path / "connections.yaml"
    file.write_text(FILE.format(endpoint=endpoint))
    catalog = connections.ConnectionCatalog(settings.SpaceliftSettings(connections_file=file))
    return spacelift_clients.SpaceliftClients(
        catalog,
        poll_seconds=10,
        request_timeout_seconds=5,
        ca_file=None,
        observer=lambda *_: None,
        call_slots=4,
        wait_slots=20,
        on_refusal=on_refusal,
    )


def wanted(name: str = "default") -> messages.AccountRef:
    return messages.AccountRef(
        name=name,
        endpoint="https://acme.app.spacelift.io",
        account="acme",
        grant=messages.Grant(use=make_use()),
    )


async def test_one_client_serves_all_calls_of_a_connection(tmp_path: Path) -> None:
    clients = make_clients(tmp_path, "https://acme.app.spacelift.io")

    served = clients.get(wanted())

    assert clients.get(wanted()) is served
    assert clients.followed == 0
    await clients.aclose()


@pytest.mark.parametrize(
    ("name", "endpoint", "words"),
    [
        ("other", "https://acme.app.spacelift.io", "has no such connection"),
        ("default", "https://else.app.spacelift.io", "has https://else.app.spacelift.io"),
    ],
)
async def test_another_account_of_the_same_name_is_not_served(
    tmp_path: Path, name: str, endpoint: str, words: str
) -> None:
    clients = make_clients(tmp_path, endpoint)

    with pytest.raises(temporalio.exceptions.ApplicationError, match=words) as caught:
        clients.get(wanted(name))

    assert (caught.value.type, caught.value.non_retryable) == ("ConnectionMismatch", False)


TWO = f"""{FILE}
  other:
    endpoint: https://other.app.spacelift.io
    allowedNamespaces: ["*"]
"""


@pytest.mark.parametrize(
    ("slots", "alone", "next_to_another"),
    [("for_call", 4, 2), ("for_wait", 20, 18)],
    ids=["calls", "waits"],
)
async def test_a_connection_leaves_slots_as_soon_as_there_is_another(
    tmp_path: Path, slots: str, alone: int, next_to_another: int
) -> None:
    refused: list[str] = []
    clients = make_clients(tmp_path, "https://acme.app.spacelift.io", on_refusal=refused.append)

    async def most() -> int:
        count = 0
        with (
            contextlib.ExitStack() as taken,
            contextlib.suppress(temporalio.exceptions.ApplicationError),
        ):
            for _ in range(alone):
                taken.enter_context(getattr(clients, slots)(wanted()))
                count += 1
        return count

    assert await most() == alone
    text = TWO.format(endpoint="https://acme.app.spacelift.io")
    (tmp_path / "connections.yaml").write_text(text)
    assert await most() == next_to_another
    assert refused == ["worker" if slots == "for_call" else "follow"]
    await clients.aclose()


async def test_a_setting_of_a_connection_that_changes_counts_at_once(tmp_path: Path) -> None:
    clients = make_clients(tmp_path, "https://acme.app.spacelift.io")
    before = clients.get(wanted())
    file = tmp_path / "connections.yaml"
    file.write_text(
        FILE.format(endpoint="https://acme.app.spacelift.io")
        + "    dependencyLabelPrefixes: ['after:']\n"
    )

    after = clients.get(wanted())

    assert after.client is before.client
    assert before.connection.dependency_label_prefixes == ("dependsOn:",)
    assert after.connection.dependency_label_prefixes == ("after:",)
    await clients.aclose()


@pytest.mark.parametrize(
    "after",
    [FILE.format(endpoint="https://else.app.spacelift.io"), "connections: {}"],
    ids=["another endpoint", "removed"],
)
async def test_an_account_that_the_file_no_longer_has_is_closed_and_its_follows_end(
    tmp_path: Path, after: str
) -> None:
    clients = make_clients(tmp_path, "https://acme.app.spacelift.io")
    old = clients.get(wanted())
    key = models.RunKey(stack_id="a", run_id="01R")
    before = asyncio.all_tasks()

    async with (
        old.poller.follow(key, read_now=False) as readings,
        old.hold_poller.follow("a", read_now=False) as holds,
    ):
        (tmp_path / "connections.yaml").write_text(after)
        with pytest.raises(temporalio.exceptions.ApplicationError):
            clients.get(wanted())
        async with asyncio.timeout(60):
            ends = [(await readings.get()).error, (await holds.get()).error]

    assert {type(error) for error in ends} == {errors.Unreachable}
    async with old.poller.follow(key, read_now=True) as readings:
        assert readings.get_nowait().error is ends[0]
    await clients.aclose()
    with pytest.raises(errors.Unreachable, match="another endpoint"):
        await old.client.get_run(key)
    assert asyncio.all_tasks() <= before


async def test_waits_of_all_kinds_count_as_taken(tmp_path: Path) -> None:
    clients = make_clients(tmp_path, "https://acme.app.spacelift.io")

    with clients.for_wait(wanted()), clients.for_turn(), clients.for_call(wanted()):
        assert clients.waits == 2

    assert clients.waits == 0
    await clients.aclose()

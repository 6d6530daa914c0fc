"""The client against the Spacelift simulator: real HTTP, a real GraphQL engine, real run states."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from controller.config import connections
from controller.spacelift import account_session, client, endpoints, errors
from controller.spacelift.models import RunKey, RunRecord, StackEdge, StackHold
from devenv import simulator_process

ADMIN = "01JKEYADM00000000000000000"
READER = "01JKEYRDR00000000000000000"
NET = "01JKEYNET00000000000000000"
SLOW = {"planning": 300}
SCENARIO: dict[str, Any] = {
    "keys": [
        {"id": ADMIN, "secret": "admin", "role": "admin"},
        {"id": READER, "secret": "reader", "role": "reader"},
        {"id": NET, "secret": "net", "spaces": ["net"]},
    ],
    "spaces": {"net": {}, "apps": {}},
    "defaults": {"durations": 0.05},
    "stacks": {
        "vpc": {"space": "net", "labels": ["team:net"], "autodeploy": True},
        "eks": {"space": "net", "labels": ["team:net-2"], "dependsOn": ["vpc"]},
        "app": {"space": "apps", "labels": ["dependsOn:eks", "team:apps"]},
        "slow": {"space": "net", "durations": SLOW},
        "asks": {"space": "net"},
        "bulk": {"space": "net"},
        "locked": {"space": "net"},
        "off": {"space": "net"},
        "reviewed": {"space": "net"},
        "doomed": {"space": "net"},
        "parent": {"space": "net", "durations": SLOW},
        "child": {"space": "net", "dependsOn": ["parent"]},
    },
}

# Each stack of this table has one fault, at its first trigger: the fault, what the client
# concludes, and whether there is a run all the same.
FAULTS: dict[str, tuple[dict[str, Any], type[errors.SpaceliftError], bool]] = {
    "reset-before": ({"action": "reset", "when": "before"}, errors.AmbiguousOutcome, False),
    "reset-after": ({"action": "reset", "when": "after"}, errors.AmbiguousOutcome, True),
    "silent-after": ({"action": "timeout", "when": "after"}, errors.AmbiguousOutcome, True),
    "html-before": ({"action": "status", "status": 502}, errors.AmbiguousOutcome, False),
    "html-after": (
        {"action": "status", "status": 504, "when": "after"},
        errors.AmbiguousOutcome,
        True,
    ),
    "garbage-after": ({"action": "malformed", "when": "after"}, errors.AmbiguousOutcome, True),
    "panic-after": ({"action": "error", "when": "after"}, errors.AmbiguousOutcome, True),
    "limited": (
        {"action": "status", "status": 429, "retryAfter": 7},
        errors.RateLimited,
        False,
    ),
    "refused": (
        {"action": "error", "message": "stack has 1 error: no commit"},
        errors.SpaceliftRefused,
        False,
    ),
}
SCENARIO["stacks"].update({name: {"space": "net"} for name in FAULTS})
SCENARIO["faults"] = [
    {"field": "runTrigger", "stack": name, "seconds": 30} | fault
    for name, (fault, _, _) in FAULTS.items()
]
Connect = Callable[..., client.SpaceliftClient]


def api_key(key_id: str, secret: str) -> Callable[[], connections.ApiKey]:
    return lambda: connections.ApiKey(key_id=key_id, secret=secret)


@pytest.fixture(scope="module")
async def account(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[simulator_process.SimulatorProcess]:
    directory: Path = tmp_path_factory.mktemp("simulator")
    scenario = directory / "scenario.yaml"
    scenario.write_text(yaml.safe_dump(SCENARIO), encoding="utf-8")
    async with simulator_process.SimulatorProcess(directory, scenario=scenario) as running:
        yield running


@pytest.fixture(scope="module")
async def connect(account: simulator_process.SimulatorProcess) -> AsyncIterator[Connect]:
    """Make a client of one of the keys."""
    opened: list[client.SpaceliftClient] = []

    def make(key_id: str, secret: str, *, seconds: float = 30) -> client.SpaceliftClient:
        opened.append(
            client.SpaceliftClient(
                account_session.AccountSession(
                    endpoint=account.url,
                    read_api_key=api_key(key_id, secret),
                    request_timeout_seconds=seconds,
                )
            )
        )
        return opened[-1]

    yield make
    for spacelift in opened:
        await spacelift.aclose()


@pytest.fixture(scope="module")
def spacelift(connect: Connect) -> client.SpaceliftClient:
    """A client of the key that may do everything."""
    return connect(ADMIN, "admin")


Person = Callable[..., Awaitable[None]]


@pytest.fixture
def person(account: simulator_process.SimulatorProcess) -> Person:
    """Act as a person in Spacelift's web interface."""

    async def act(kind: str, name: str, act: str, **body: Any) -> None:
        url = f"{account.url}/admin/{kind}/{name}/{act}"
        async with aiohttp.ClientSession() as session, session.post(url, json=body) as answer:
            assert answer.status == 200, await answer.text()

    return act


async def wait_for(
    spacelift: client.SpaceliftClient, key: RunKey, is_reached: Callable[[RunRecord], bool]
) -> RunRecord:
    async with asyncio.timeout(60):
        while True:
            run = await spacelift.get_run(key)
            if run is not None and is_reached(run):
                return run
            await asyncio.sleep(0.05)


async def test_the_key_is_accepted(spacelift: client.SpaceliftClient) -> None:
    assert (await spacelift.get_viewer()).id


async def test_a_wrong_secret_is_rejected(connect: Connect) -> None:
    with pytest.raises(errors.CredentialsRejected):
        await connect(ADMIN, "wrong").get_viewer()


async def test_an_unknown_key_is_rejected(connect: Connect) -> None:
    with pytest.raises(errors.CredentialsRejected):
        await connect("01JKEYNON00000000000000000", "admin").get_stacks(["vpc"])


async def test_stacks_come_with_their_edges(spacelift: client.SpaceliftClient) -> None:
    stacks = await spacelift.get_stacks(["vpc", "eks", "gone"])

    vpc, eks = stacks["vpc"], stacks["eks"]
    edge = StackEdge(upstream_id="vpc", dependent_id="eks")
    assert vpc is not None
    assert eks is not None
    assert (vpc.is_depended_on_by, eks.depends_on) == ((edge,), (edge,))
    assert not vpc.is_disabled
    assert stacks["gone"] is None


async def test_stacks_in_other_spaces_are_missing(connect: Connect) -> None:
    stacks = await connect(NET, "net").get_stacks(["vpc", "app"])

    assert stacks["vpc"] is not None
    assert stacks["app"] is None


async def test_labels_match_verbatim(spacelift: client.SpaceliftClient) -> None:
    stacks = await spacelift.list_stacks_by_labels(["team:net", "dependsOn:eks"])

    assert [stack.id for stack in stacks] == ["app", "vpc"]


async def test_a_tracked_run_finishes_and_its_native_dependent_is_queued(
    spacelift: client.SpaceliftClient,
) -> None:
    run = await spacelift.trigger_run("vpc", marker="chain-1")
    native = (await spacelift.list_runs_after("eks", run.run_id))[0]
    done = await wait_for(spacelift, run.key, lambda record: record.is_terminal)

    assert run.state == "QUEUED"
    assert endpoints.is_own_run(run.triggered_by, ADMIN)
    assert native.triggered_by == "vpc"
    assert done.state == "FINISHED"
    assert done.finished
    assert done.delta is not None


async def test_a_run_waits_for_a_person_and_is_confirmed(
    spacelift: client.SpaceliftClient,
) -> None:
    run = await spacelift.trigger_run("asks", marker="chain-2")
    await wait_for(spacelift, run.key, lambda record: record.state == "UNCONFIRMED")
    hold = (await spacelift.get_stack_holds(["asks"]))["asks"]

    confirmed = await spacelift.confirm_run(run.key, note="by chain 2")
    done = await wait_for(spacelift, run.key, lambda record: record.is_terminal)

    assert hold is not None
    assert hold.blocker_id == run.run_id
    assert confirmed.run_id == run.run_id
    assert done.state == "FINISHED"
    with pytest.raises(errors.SpaceliftRefused):
        await spacelift.confirm_run(run.key, note="twice")


async def test_a_run_is_discarded_with_a_note(spacelift: client.SpaceliftClient) -> None:
    run = await spacelift.trigger_run("asks", marker="chain-3")
    await wait_for(spacelift, run.key, lambda record: record.state == "UNCONFIRMED")

    await spacelift.discard_run(run.key, note="chain 3 canceled")
    done = await wait_for(spacelift, run.key, lambda record: record.is_terminal)

    assert (done.state, done.note) == ("DISCARDED", "chain 3 canceled")


async def test_a_planning_run_is_stopped_and_a_queued_one_canceled(
    spacelift: client.SpaceliftClient,
) -> None:
    first = await spacelift.trigger_run("slow", marker="chain-4")
    second = await spacelift.trigger_run("slow", marker="chain-5")
    await wait_for(spacelift, first.key, lambda record: record.state == "PLANNING")

    canceled = await spacelift.cancel_run(second.key, note="not needed")
    await spacelift.stop_run(first.key, note="not needed")
    stopped = await wait_for(spacelift, first.key, lambda record: record.is_terminal)

    assert canceled.state == "CANCELED"
    assert stopped.state == "STOPPED"


async def test_runs_are_listed_after_a_run_and_read_together(
    spacelift: client.SpaceliftClient,
) -> None:
    runs = [await spacelift.trigger_run("bulk", marker=f"chain-{n}") for n in range(60)]
    newest_first = [run.run_id for run in reversed(runs)]

    listed = await spacelift.list_runs_after("bulk", runs[0].run_id)
    read = await spacelift.get_runs([run.key for run in runs])
    missing = RunKey(stack_id="gone", run_id=runs[0].run_id)

    assert [run.run_id for run in listed] == newest_first[:-1]
    assert {run.run_id for run in read.values() if run is not None} == set(newest_first)
    assert await spacelift.get_runs([missing]) == {missing: None}
    assert await spacelift.get_run(missing) is None


async def test_proposed_runs_are_listed_apart(spacelift: client.SpaceliftClient) -> None:
    run = await spacelift.trigger_run("bulk", marker="plan", run_type="PROPOSED")

    tracked = await spacelift.list_runs_after("bulk", None)
    proposed = await spacelift.list_runs_after("bulk", None, run_type="PROPOSED")

    assert run.run_id not in {each.run_id for each in tracked}
    assert [each.run_id for each in proposed] == [run.run_id]


async def test_a_proposed_run_goes_beside_the_run_that_blocks_and_queues_nothing(
    spacelift: client.SpaceliftClient,
) -> None:
    blocking = await spacelift.trigger_run("parent", marker="apply")
    await wait_for(spacelift, blocking.key, lambda record: record.state == "PLANNING")
    native = (await spacelift.list_runs_after("child", None))[0]

    run = await spacelift.trigger_run("parent", marker="plan", run_type="PROPOSED")
    done = await wait_for(spacelift, run.key, lambda record: record.state == "PLANNING")
    _, hold = await spacelift.get_newest_run("parent", run_type="PROPOSED")
    await spacelift.stop_run(run.key, note="enough")
    stopped = await wait_for(spacelift, run.key, lambda record: record.is_terminal)

    assert (done.type, stopped.state) == ("PROPOSED", "STOPPED")
    assert hold.blocker_id == blocking.run_id
    assert await spacelift.list_runs_after("child", native.run_id) == []


async def test_a_proposed_run_in_review_is_ended_by_its_reviewers_only(
    spacelift: client.SpaceliftClient, person: Person
) -> None:
    await person("stacks", "reviewed", "outcomes", outcomes=[{"approval": True}])
    run = await spacelift.trigger_run("reviewed", marker="plan", run_type="PROPOSED")

    held = await wait_for(spacelift, run.key, lambda record: record.state == "PENDING_REVIEW")
    for refused in (spacelift.stop_run, spacelift.discard_run, spacelift.cancel_run):
        with pytest.raises(errors.SpaceliftRefused):
            await refused(run.key, note="not needed")
    await person("runs", run.run_id, "approve")

    assert held.needs_approval
    assert (await wait_for(spacelift, run.key, lambda run: run.is_terminal)).state == "FINISHED"


async def test_a_destroy_run_blocks_its_stack_and_is_listed_with_the_tracked_ones(
    spacelift: client.SpaceliftClient,
) -> None:
    run = await spacelift.trigger_run("doomed", marker="destroy", run_type="DESTROY")
    second = await spacelift.trigger_run("doomed", marker="apply")
    listed = await spacelift.list_runs_after("doomed", None, run_type="DESTROY")

    done = await wait_for(spacelift, run.key, lambda record: record.is_terminal)

    assert [each.run_id for each in listed] == [second.run_id, run.run_id]
    assert (done.type, done.state) == ("DESTROY", "FINISHED")


async def test_a_locked_stack_names_its_owner_refuses_others_and_holds_their_runs(
    spacelift: client.SpaceliftClient, person: Person
) -> None:
    await person("stacks", "locked", "lock", user="jane", note="mending it")

    _, hold = await spacelift.get_newest_run("locked")
    with pytest.raises(errors.SpaceliftRefused):
        await spacelift.trigger_run("locked", marker="chain-11")
    read = await spacelift.get_stack_holds(["locked"])
    await person("stacks", "locked", "unlock", user="jane")

    assert (hold.locked_by, hold.lock_note, hold.is_disabled) == ("jane", "mending it", False)
    assert hold.locked_at is not None
    assert read == {"locked": hold}
    assert (await spacelift.get_stack_holds(["locked"]))["locked"] == StackHold()


async def test_a_disabled_stack_says_so_and_creates_no_run(
    spacelift: client.SpaceliftClient, person: Person
) -> None:
    await person("stacks", "off", "disable")

    _, hold = await spacelift.get_newest_run("off")
    with pytest.raises(errors.SpaceliftRefused):
        await spacelift.trigger_run("off", marker="chain-12")

    assert hold == StackHold(is_disabled=True)


async def test_a_queued_run_comes_with_the_run_that_blocks_it(
    spacelift: client.SpaceliftClient,
) -> None:
    first = await spacelift.trigger_run("asks", marker="chain-13")
    await wait_for(spacelift, first.key, lambda record: record.state == "UNCONFIRMED")
    second = await spacelift.trigger_run("asks", marker="chain-14")

    read = (await spacelift.get_runs([second.key]))[second.key]
    for key in (second.key, first.key):
        await spacelift.discard_run(key, note="over")

    assert read is not None
    assert read.hold is not None
    assert (read.state, read.hold.blocker_id) == ("QUEUED", first.run_id)
    assert read.hold.blocker_state == "UNCONFIRMED"


async def test_a_run_takes_variables_of_its_own(spacelift: client.SpaceliftClient) -> None:
    run = await spacelift.trigger_run("bulk", marker="env", environment={"WAVE": "7"})

    assert run.type == "TRACKED"


async def test_a_key_that_may_only_read_cannot_trigger(connect: Connect) -> None:
    reader = connect(READER, "reader")

    assert (await reader.get_stacks(["vpc"]))["vpc"] is not None
    with pytest.raises(errors.PermissionDenied):
        await reader.trigger_run("vpc", marker="chain-6")


async def test_what_is_missing_cannot_be_triggered_or_listed(
    spacelift: client.SpaceliftClient,
) -> None:
    with pytest.raises(errors.SpaceliftObjectNotFound):
        await spacelift.list_runs_after("gone", None)
    with pytest.raises((errors.SpaceliftObjectNotFound, errors.PermissionDenied)):
        await spacelift.trigger_run("gone", marker="chain-7")


async def test_nothing_listens_is_unreachable() -> None:
    nobody = client.SpaceliftClient(
        account_session.AccountSession(
            endpoint="http://127.0.0.1:1", read_api_key=api_key(ADMIN, "admin")
        )
    )

    with pytest.raises(errors.Unreachable):
        await nobody.trigger_run("vpc", marker="chain-8")

    await nobody.aclose()


@pytest.mark.parametrize("stack_id", FAULTS)
async def test_a_failed_trigger_never_hides_that_there_may_be_a_run(
    spacelift: client.SpaceliftClient, connect: Connect, stack_id: str
) -> None:
    fault, expected, has_run = FAULTS[stack_id]
    # There is no need to wait for a missing answer as long as a busy machine may take for one.
    impatient = connect(ADMIN, "admin", seconds=3)
    caller = impatient if fault["action"] == "timeout" else spacelift

    with pytest.raises(expected) as caught:
        await caller.trigger_run(stack_id, marker="chain-9")
    runs = await spacelift.list_runs_after(stack_id, None)

    assert type(caught.value) is expected
    assert len(runs) == has_run
    if isinstance(caught.value, errors.RateLimited):
        assert caught.value.retry_after_seconds == 7


@pytest.mark.parametrize("mode", ["A", "B"])
async def test_a_token_that_is_over_too_early_is_replaced_unseen(tmp_path: Path, mode: str) -> None:
    """The client believes its clock, which stands still, and so never renews on its own."""
    scenario = tmp_path / "scenario.yaml"
    # Longer than a busy machine takes from a login to the request that it is for.
    behavior = {"tokenLife": 3, "unauthorizedMode": mode}
    scenario.write_text(yaml.safe_dump(SCENARIO | {"faults": [], "behavior": behavior}), "utf-8")
    operations: list[str] = []
    async with simulator_process.SimulatorProcess(tmp_path, scenario=scenario) as running:
        spacelift = client.SpaceliftClient(
            account_session.AccountSession(
                endpoint=running.url,
                read_api_key=api_key(ADMIN, "admin"),
                clock=lambda: 0.0,
                observer=lambda operation, _outcome, _seconds: operations.append(operation),
            )
        )
        await spacelift.get_viewer()
        for call in (
            lambda: spacelift.trigger_run("bulk", marker="chain-10"),
            lambda: spacelift.list_stacks_by_labels(["team:net"]),
        ):
            await asyncio.sleep(3.2)
            assert await call()
        runs = await spacelift.list_runs_after("bulk", None)
        await spacelift.aclose()

    assert len(runs) == 1
    # One more, where a busy machine takes as long over the list as a token lives.
    assert operations.count("ExchangeToken") >= 3

"""Workers and operators are asked to end and others take over: no run twice, no heartbeat missed.

A worker drains: it ends its current calls to Spacelift, and hands the rest over at once.
"""

import asyncio
import signal
from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from temporalio.api.enums.v1 import EventType, RetryState
from temporalio.api.history.v1 import History

from controller.temporal.workflows import activity_calls
from devenv import role_process
from tests.support import chains
from tests.support.chains import account_document
from tests.support.waiting import eventually

# Longer than a heartbeat may be missing, and than the rest is handed over on a busy machine.
SLOW_SECONDS = activity_calls.HEARTBEAT_TIMEOUT.total_seconds() + 10
# As a release has them.
PATIENT = {
    "WORKER_GRACEFUL_SHUTDOWN_SECONDS": "30",
    "SPACELIFT_REQUEST_TIMEOUT_SECONDS": "30",
}
# A workflow task may time out: now and then a worker that ends has been given a task that it does
# not answer, and another worker has it after ten seconds. docs/limits.md says it.
TIMED_OUT = {
    EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
    EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
}


@pytest.fixture
async def release(
    parts: chains.Parts, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[chains.Installation]:
    """An installation whose processes a test replaces."""
    options = chains.Options(settings=PATIENT)
    async with chains.installed(parts, tmp_path_factory.mktemp("rolling"), options) as running:
        yield running


async def histories(release: chains.Installation) -> dict[str, History]:
    """Return the history of every execution."""
    client = await release.temporal()
    found = {}
    for item in await release.executions():
        handle = client.get_workflow_handle(item.id, run_id=item.run_id)
        found[item.id] = History(events=(await handle.fetch_history()).events)
    return found


def timed_out(history: History) -> list[str]:
    """Name what ended by a time-out, including failed tries of activities that succeeded later."""
    late = [str(item) for item in history.events if item.event_type in TIMED_OUT]
    for item in history.events:
        ended = item.activity_task_timed_out_event_attributes
        if ended.retry_state == RetryState.RETRY_STATE_CANCEL_REQUESTED:
            # It was no longer wanted, such as a publish of what has changed since.
            late.remove(str(item))
            late.append(f"an activity that was canceled: {ended.failure.message}")
        failure = item.activity_task_started_event_attributes.last_failure
        if failure.HasField("timeout_failure_info"):
            late.append(f"a try of an activity: {failure.message}")
    return late


def timed_out_but_unanswered(history: History) -> list[str]:
    """Name what ended by a time-out, except for tries of which no heartbeat ever came.

    When many tasks are handed out while a worker ends, one may go to it, as above.
    """
    return [late for late in timed_out(history) if not late.endswith("activity Heartbeat timeout")]


def attempts(history: History, activity: str) -> list[int]:
    """Return with how many tries each of these activities ended."""
    scheduled = {
        item.event_id
        for item in history.events
        if item.activity_task_scheduled_event_attributes.activity_type.name == activity
    }
    started = [item.activity_task_started_event_attributes for item in history.events]
    return [item.attempt for item in started if item.scheduled_event_id in scheduled]


async def follows(role: role_process.Role) -> float:
    """Return how many runs a worker follows, as its metrics say."""
    async with httpx.AsyncClient(base_url=role.health_url, trust_env=False) as http:
        text = (await http.get("/metrics")).text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    return families["stackchain_runs_followed"].samples[0].value


async def who_triggers(release: chains.Installation, stack_id: str) -> role_process.Role:
    """Return the worker that is at the trigger of a stack, as Temporal knows it."""
    (execution,) = await release.listed(f"/{stack_id}", "WorkflowType = 'StackExecutionWorkflow'")
    handle = (await release.temporal()).get_workflow_handle(execution.id)

    async def found() -> role_process.Role | None:
        described = (await handle.describe()).raw_description
        identities = [item.last_worker_identity for item in described.pending_activities]
        workers = [role for role in release.roles if role.options.role == "worker"]
        return next((r for r in workers if f"{r.options.name}@" in "".join(identities)), None)

    role = await eventually(found, chains.SECONDS, what=f"a worker triggers {stack_id}")
    assert role is not None
    return role


async def test_a_worker_that_is_asked_to_end_ends_its_triggers_and_hands_over_what_it_follows(
    release: chains.Installation,
) -> None:
    """Spacelift takes longer over the trigger than a heartbeat may be missing."""
    await release.role("worker", instance=1).start()
    waiting = [f"w{number}" for number in range(8)]
    account = await release.add_account(
        "drain",
        account_document("slow -> x", stacks={item: {"autodeploy": False} for item in waiting}),
    )
    followed = await release.create("followed", *waiting, account=account)
    for stack_id in waiting:
        await account.run_in(stack_id, "UNCONFIRMED")
    await followed.until(
        lambda status: set(chains.phases(status).values()) == {"AwaitingConfirmation"}
    )
    fault = await account.fault(
        action="latency", field="runTrigger", stack="slow", seconds=SLOW_SECONDS
    )
    triggering = await release.create("triggering", "slow", account=account)

    async def is_sent() -> bool:
        return await account.hits(fault) == 1

    await eventually(is_sent, chains.SECONDS, what="the trigger is on its way")
    leaving = await who_triggers(release, "slow")
    (staying,) = {role for role in release.roles if role.options.role == "worker"} - {leaving}
    handed_over = await follows(leaving)
    leaving.process.signal(signal.SIGTERM)

    async def has_all() -> bool:
        return await follows(staying) == len(waiting)

    await eventually(has_all, chains.SECONDS, what="the other worker follows all")
    # Sooner than the trigger ended, and so sooner than a missing heartbeat would have shown.
    assert leaving.is_running
    assert await leaving.process.wait() == 0
    for stack_id in waiting:
        await account.act((await account.only_run(stack_id))["id"], "confirm")
    for chain in (followed, triggering):
        await chain.ends("RunSucceeded")
    for stack_id in (*waiting, "slow", "x"):
        await account.only_run(stack_id)
    found = await histories(release)
    assert {name: late for name, history in found.items() if (late := timed_out(history))} == {}
    (slow,) = [history for name, history in found.items() if name.endswith("/slow")]
    assert attempts(slow, "trigger_stack_run") == [1]
    again = [n for one in found.values() for n in attempts(one, "follow_stack_run") if n > 1]
    assert again == [2] * int(handed_over)


async def test_a_release_that_is_replaced_under_load_loses_nothing(
    release: chains.Installation,
) -> None:
    """Each process has its successor next to it before it is asked to end, as in a rolling update.

    Chains start all the while, and one waits for a person from start to finish.
    """
    old = [release.operator, release.worker]
    old += [release.role("operator", instance=1), release.role("worker", instance=1)]
    await asyncio.gather(*(role.start() for role in old[2:]))
    account = await release.add_account(
        "upgrade",
        account_document(
            "from -> person -> to",
            stacks={"person": {"autodeploy": False}},
            defaults={"durations": 0.5},
        ),
    )
    spanning = await release.create("spanning", "from", account=account)
    waits = await account.run_in("person", "UNCONFIRMED")
    made = [spanning]

    async def apply(name: str) -> None:
        for stack_id in (f"{name}-a", f"{name}-b"):
            await account.add_stack(stack_id)
        made.append(await release.create(name, f"{name}-a", f"{name}-b", account=account))

    for number, role in enumerate(old):
        successor = release.role(role.options.role, instance=number + 2)
        await apply(f"beside-{number}")
        await successor.start()
        await apply(f"before-{number}")
        role.process.signal(signal.SIGTERM)
        await apply(f"after-{number}")
        assert await role.process.wait() == 0
    await account.act(waits["id"], "confirm")
    ended = [await chain.ends("RunSucceeded") for chain in made]

    assert [status["latestRun"]["number"] for status in ended] == [1] * len(made)
    expected = {"from", "person", "to"} | {row["id"] for one in ended for row in one["stacks"]}
    assert sorted(run["stackId"] for run in await account.runs()) == sorted(expected)
    found = await histories(release)
    late = {name: timed_out_but_unanswered(history) for name, history in found.items()}
    assert not any(late.values()), late

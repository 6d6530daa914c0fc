"""Signals, queries and updates with whatever arguments: none of them stops a workflow."""

import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import temporalio.client
import temporalio.worker
from temporalio import workflow
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution
from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.api.workflowservice import v1 as workflowservice
from temporalio.client import Client

from controller.api.v1alpha1 import Phase
from controller.temporal import ids, worker
from tests.workflows import harness as harnesses
from tests.workflows.harness import Harness
from tests.workflows.world import World

CLASSES = (*worker.WORKFLOWS, *worker.NOTIFY_WORKFLOWS)
SIGNALS = sorted(
    {
        name
        for cls in CLASSES
        for name in workflow._Definition.must_from_class(cls).signals
        if name is not None
    }
)


def payload(data: bytes, encoding: str = "json/plain") -> Payload:
    return Payload(metadata={"encoding": encoding.encode()}, data=data)


def value(content: Any) -> Payload:
    return payload(json.dumps(content).encode())


REPORT = {"stack_id": "a", "phase": "Running", "reason": "RunInProgress"}
JUNK: dict[str, list[Payload]] = {
    "nothing": [],
    "null": [payload(b"", "binary/null")],
    "null as JSON": [value(None)],
    "broken JSON": [payload(b'{"parallelism"')],
    "bytes": [payload(b"\x00", "binary/plain")],
    "an unknown encoding": [payload(b"x", "of/tomorrow")],
    "a text": [value("3")],
    "an empty object": [value({})],
    "a field of another type": [value({"parallelism": "many", **REPORT, "attempts": {}})],
    "no parallelism": [value({"parallelism": 0})],
    "a negative parallelism": [value({"parallelism": -1})],
    "too much parallelism": [value({"parallelism": 10**30})],
    "a phase of tomorrow": [value({**REPORT, "phase": "Sleeping"})],
    "two arguments": [value({"parallelism": 2}), value(REPORT)],
    "a request of tomorrow": [value({"kind": "Destroy", "token": "1", "number": 1})],
    "a request for another run": [value({"kind": "Retry", "token": "2", "number": 2})],
    "a request that is too long": [value({"kind": "Retry", "token": "x" * 5000, "number": 1})],
    "an unknown stack": [value({**REPORT, "stack_id": "nobody"})],
}


@pytest.fixture
async def chain(temporal_client: Client, has_failed: Callable[[], bool]) -> AsyncIterator[Harness]:
    """A chain whose only stack runs; what the SDK cannot decode it logs as an error."""
    world = World()
    world.held = {"a"}
    harness = harnesses.new_harness(temporal_client, world)
    async with harnesses.workers(harness):
        yield harness
        if not has_failed():
            await harnesses.finish(harness)


async def send(client: Client, workflow_id: str, name: str, arguments: list[Payload]) -> None:
    await client.workflow_service.signal_workflow_execution(
        workflowservice.SignalWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id),
            signal_name=name,
            input=Payloads(payloads=arguments),
        ),
        retry=True,
    )


def failed_tasks(history: temporalio.client.WorkflowHistory) -> int:
    """Count the tasks at which a worker failed; others fail as news came while they ended."""
    return sum(
        event.workflow_task_failed_event_attributes.cause
        == WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE
        for event in history.events
    )


def test_the_signals_are_those_that_are_known() -> None:
    assert (
        sorted(
            {
                ids.PARALLELISM_SIGNAL,
                ids.SUSPEND_SIGNAL,
                ids.RESUME_SIGNAL,
                ids.ORPHAN_SIGNAL,
                ids.REQUEST_SIGNAL,
                ids.MAY_TRIGGER_SIGNAL,
                ids.REPORT_SIGNAL,
                ids.WAKE_SIGNAL,
                ids.CANCEL_SIGNAL,
                ids.MAY_STOP_SIGNAL,
                ids.MAY_TRIGGER_SIGNAL,
                ids.JOIN_LINE_SIGNAL,
            }
        )
        == SIGNALS
    )


async def test_no_signal_stops_a_chain_or_a_stack(chain: Harness) -> None:
    handle = await chain.start(memo=None)
    await chain.stack_shows(handle, "a", Phase.RUNNING)
    stack = chain.execution("a")

    for arguments in JUNK.values():
        for name in SIGNALS:
            if name != ids.ORPHAN_SIGNAL:
                for workflow_id in (handle.id, stack.id):
                    await send(chain.client, workflow_id, name, arguments)
    known = await chain.known(handle)
    await send(chain.client, handle.id, ids.RESUME_SIGNAL, [])
    await chain.world.move("a", "FINISHED")
    end = await handle.result()

    assert known.policies.parallelism == 10
    assert end.phase is Phase.SUCCEEDED
    assert failed_tasks(await handle.fetch_history()) == 0
    assert failed_tasks(await stack.fetch_history()) == 0


# The SDK drops what it cannot decode.
DROPPED = ("broken JSON", "an unknown encoding")


@pytest.mark.parametrize("name", JUNK)
async def test_a_signal_without_an_argument_is_followed_whatever_is_sent_with_it(
    chain: Harness, name: str
) -> None:
    handle = await chain.start()
    await chain.stack_shows(handle, "a", Phase.RUNNING)

    await send(chain.client, handle.id, ids.ORPHAN_SIGNAL, JUNK[name])
    known = await chain.known(handle)
    await chain.world.move("a", "FINISHED")

    assert known.is_orphan is (name not in DROPPED)
    assert (await handle.result()).phase is Phase.SUCCEEDED
    assert failed_tasks(await handle.fetch_history()) == 0


async def test_an_orphan_may_have_any_memo(chain: Harness) -> None:
    handle = await chain.start(memo="junk")
    await chain.stack_shows(handle, "a", Phase.RUNNING)

    await handle.signal(ids.ORPHAN_SIGNAL)
    await chain.world.move("a", "FINISHED")

    assert (await handle.result()).is_orphan
    assert failed_tasks(await handle.fetch_history()) == 0


async def test_a_query_or_an_update_with_junk_fails_alone(chain: Harness) -> None:
    handle = await chain.start()
    await chain.stack_shows(handle, "a", Phase.RUNNING)

    for target in (handle, chain.execution("a")):
        for name in (ids.PROGRESS_QUERY, ids.RUN_ID_QUERY, "nobody"):
            for arguments in ([], [None], [1, "x"]):
                with contextlib.suppress(temporalio.client.WorkflowQueryFailedError):
                    await target.query(name, args=arguments)
        with pytest.raises(temporalio.client.WorkflowUpdateFailedError):
            await target.execute_update("nobody", {"x": 1})
    await chain.world.move("a", "FINISHED")

    assert (await handle.result()).phase is Phase.SUCCEEDED
    assert failed_tasks(await handle.fetch_history()) == 0

"""What others keep in the Temporal namespace: junk of every kind is skipped, counted, never fatal.

Each test has a separate namespace, so no other test's operator has to read what is in it.
"""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import temporalio.client
import temporalio.common
import temporalio.worker
from temporalio import workflow
from temporalio.api.common.v1 import Memo, Payload, Payloads, WorkflowType
from temporalio.api.schedule.v1 import Schedule, ScheduleAction, ScheduleSpec, ScheduleState
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import NewWorkflowExecutionInfo
from temporalio.api.workflowservice import v1 as workflowservice
from temporalio.client import Client

from controller.api import v1alpha1
from controller.api.reasons import StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.requests import executions
from controller.chain.run import progress
from controller.temporal import ids, messages, schedule_list, start_messages, worker
from controller.temporal.operator import run_use, schedules, starter
from controller.temporal.receiver import sweep_wakes
from controller.temporal.workflows import stack_dependency_chain
from tests.support import temporal as temporal_support
from tests.support.builders import make_progress, make_stack
from tests.support.waiting import eventually
from tests.workflows import harness
from tests.workflows.turns import turn_at
from tests.workflows.world import World

HERE = "here"
REF = v1alpha1.Ref(namespace="team", name="ours", uid="uid-ours", generation=1)
MEMO = messages.ChainMemo(
    installation=HERE,
    ref=REF,
    number=1,
    attempt=1,
    cause="Spec",
    handled=v1alpha1.Handled(),
)


def payload(data: bytes, encoding: str = "json/plain", **metadata: bytes) -> Payload:
    return Payload(metadata={"encoding": encoding.encode(), **metadata}, data=data)


JUNK = {
    "none": None,
    "broken JSON": payload(b'{"installation": "here", '),
    "not text": payload(b"\xff\xfe\x00"),
    "null": payload(b"null"),
    "a number": payload(b"7"),
    "an empty object": payload(b"{}"),
    "a missing field": payload(b'{"installation":"here","number":1,"attempt":1,"cause":"x"}'),
    "a field of another type": payload(
        b'{"installation":"here","ref":[],"number":"x","attempt":1,"cause":"x","handled":{}}'
    ),
    "a number that is none": payload(
        b'{"installation":"here","ref":{"namespace":"a","name":"b","uid":"c","generation":Infinity},'
        b'"number":1,"attempt":1,"cause":"x","handled":{}}'
    ),
    "deeper than anyone reads": payload(b"[" * 100_000),
    "encrypted": payload(b"\x00\x01", "binary/encrypted"),
    "no encoding": Payload(data=b"{}"),
    "an unknown protobuf type": payload(b"\x0a\x01a", "binary/protobuf", messageType=b"no.Such"),
    "protobuf as JSON": payload(b"{}", "json/protobuf", messageType=b"no.Such"),
    "empty": payload(b"", "binary/null"),
    "another resource's": payload(
        b'{"installation":"here","ref":{"namespace":"team","name":"ours","uid":"uid-ours",'
        b'"generation":1},"number":9,"attempt":1,"cause":"Spec","handled":{}}'
    ),
}


@pytest.fixture
async def client(temporal_client: Client, temporal_namespace: str) -> Client:
    """A client of a namespace of the test's own."""
    target_host = temporal_client.service_client.config.target_host
    return await Client.connect(target_host, namespace=temporal_namespace)


async def start_raw(client: Client, workflow_id: str, memo: Payload | None) -> None:
    """Start what looks like a chain to visibility, with whatever memo."""
    await client.workflow_service.start_workflow_execution(
        workflowservice.StartWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_id=workflow_id,
            workflow_type=WorkflowType(name=ids.CHAIN_WORKFLOW),
            task_queue=TaskQueue(name="nobody"),
            request_id=temporal_support.unique("request"),
            input=Payloads(payloads=[payload(b"{")]),
            memo=Memo(fields={ids.MEMO: memo}) if memo is not None else None,
        ),
        retry=True,
    )


async def create_schedule_raw(client: Client, schedule_id: str, memo: Payload | None) -> None:
    await client.workflow_service.create_schedule(
        workflowservice.CreateScheduleRequest(
            namespace=client.namespace,
            schedule_id=schedule_id,
            request_id=temporal_support.unique("request"),
            memo=Memo(fields={ids.MEMO: memo}) if memo is not None else None,
            schedule=Schedule(
                spec=ScheduleSpec(),
                state=ScheduleState(paused=True),
                action=ScheduleAction(
                    start_workflow=NewWorkflowExecutionInfo(
                        workflow_id="x",
                        workflow_type=WorkflowType(name="x"),
                        task_queue=TaskQueue(name="nobody"),
                    )
                ),
            ),
        ),
        retry=True,
    )


def make_workflows(client: Client) -> starter.ChainWorkflows:
    return starter.ChainWorkflows(lambda: client, installation=HERE, task_queue="queue")


async def start_ours(client: Client) -> None:
    await client.start_workflow(
        ids.CHAIN_WORKFLOW,
        id=starter._id_of(REF),
        task_queue="nobody",
        memo={ids.MEMO: MEMO},
    )


async def test_our_run_is_listed_among_junk_of_every_kind(client: Client) -> None:
    for name, memo in JUNK.items():
        await start_raw(client, f"stackchain/junk/{name}/uid", memo)
    await start_ours(client)
    workflows = make_workflows(client)

    async def listed() -> starter.RunningChains:
        found = await workflows.list_running()
        assert len(found.unreadable) == len(JUNK)
        assert len(found.executions) == 1
        return found

    found = await eventually(listed)
    assert found.executions[0].memo == MEMO
    assert set(found.unreadable) == {f"stackchain/junk/{name}/uid" for name in JUNK}


@pytest.mark.parametrize("name", [key for key in JUNK if key != "another resource's"])
async def test_a_foreign_workflow_in_the_place_of_a_run_is_named(client: Client, name: str) -> None:
    """Otherwise a run would be started over and over: Temporal allows one of the id."""
    await start_raw(client, starter._id_of(REF), JUNK[name])
    workflows = make_workflows(client)

    with pytest.raises(starter.UnreadableExecution) as found:
        await workflows.latest(REF)
    await workflows.cancel(found.value.workflow_id, found.value.workflow_run_id)
    await client.get_workflow_handle(starter._id_of(REF)).terminate()

    assert starter._id_of(REF) in str(found.value)
    assert await workflows.latest(REF) is None


async def test_our_schedules_are_listed_among_junk_of_every_kind(client: Client) -> None:
    memo = start_messages.ScheduleMemo(
        installation=HERE,
        ref=REF,
        kind=ids.TRIGGERS_KIND,
        digest="d",
        account="acme",
        roots=v1alpha1.Roots(stack_ids=("a",)),
    )
    (ours,) = await client.data_converter.encode([memo])
    own_id = ids.schedule_id(
        namespace=REF.namespace, name=REF.name, uid=REF.uid, kind=ids.TRIGGERS_KIND
    )
    for name, junk in {**JUNK, "another's": ours}.items():
        await create_schedule_raw(client, f"stackchain/junk/{name}/uid/schedule", junk)
    await create_schedule_raw(client, own_id, ours)

    async def listed() -> schedule_list.ScheduleListing:
        found = await schedules.ChainSchedules(lambda: client).list_all()
        assert len(found.unreadable) == len(JUNK) + 1
        assert len(found.schedules) == 1
        return found

    found = await eventually(listed)
    assert found.schedules[0].memo == memo
    assert await sweep_wakes.TemporalSweepWaker(lambda: client).find("acme", "a", []) == []


# What workers answer

ANSWERS: dict[str, Callable[[], Any]] = {
    "broken JSON": lambda: payload(b"{"),
    "not text": lambda: payload(b'"\xff"'),
    "a number": lambda: payload(b"7"),
    "null": lambda: payload(b"null"),
    "a missing field": lambda: payload(b'{"number": 1}'),
    "another type": lambda: payload(b'{"number": "one"}'),
    "encrypted": lambda: payload(b"\x00", "binary/encrypted"),
    "an unknown protobuf type": lambda: payload(b"\x0a", "binary/protobuf", messageType=b"no.Such"),
    "nothing": lambda: payload(b"", "binary/null"),
    "bytes": lambda: payload(b"abc", "binary/plain"),
}
_ANSWER: dict[str, str] = {}


@workflow.defn(name=ids.CHAIN_WORKFLOW, sandboxed=False)
class OddChain:
    """Answers, and ends, with something odd."""

    def __init__(self) -> None:
        self._is_over = False

    @workflow.query(name=ids.PROGRESS_QUERY)
    def get_progress(self) -> temporalio.common.RawValue:
        return temporalio.common.RawValue(ANSWERS[_ANSWER["name"]]())

    @workflow.query(name=ids.RUN_ID_QUERY)
    def run_id(self) -> temporalio.common.RawValue:
        return temporalio.common.RawValue(ANSWERS[_ANSWER["name"]]())

    @workflow.signal
    def end(self) -> None:
        self._is_over = True

    @workflow.run
    async def run(self) -> temporalio.common.RawValue:
        await workflow.wait_condition(lambda: self._is_over)
        return temporalio.common.RawValue(ANSWERS[_ANSWER["name"]]())


@pytest.fixture
async def odd(client: Client) -> AsyncIterator[Client]:
    async with temporalio.worker.Worker(
        client, task_queue="odd", workflows=[OddChain], max_cached_workflows=100
    ):
        yield client


async def test_an_answer_and_a_result_that_do_not_decode_are_told_as_that(odd: Client) -> None:
    workflows = make_workflows(odd)
    for name in ANSWERS:
        _ANSWER["name"] = name
        handle = await odd.start_workflow(
            OddChain.run, id=starter._id_of(REF), task_queue="odd", memo={ids.MEMO: MEMO}
        )
        live = await workflows.latest(REF)
        assert live is not None
        listed = starter.ChainExecution(
            memo=MEMO, workflow_id=live.workflow_id, workflow_run_id=live.workflow_run_id
        )

        with pytest.raises(starter.UnreadableProgress):
            await workflows.get_progress(live)
        with pytest.raises(starter.UnreadableProgress):
            await workflows.is_orphan(listed)
        assert await workflows.is_answering(listed), name
        await handle.signal(OddChain.end)
        await workflows.await_close(live.workflow_id, live.workflow_run_id)
        closed = await workflows.latest(REF)
        assert closed is not None
        assert closed.state is executions.ExecutionState.CLOSED
        assert await workflows.get_progress(closed) is None, name


async def test_a_stacks_execution_that_does_not_decode_holds_no_run_for_good(odd: Client) -> None:
    held = run_use.RunUseReader(lambda: odd)
    run = start_messages.FinishedRun(run_id="01A", is_own=False, triggered_by="")
    for name in ANSWERS:
        _ANSWER["name"] = name
        workflow_id = ids.execution_workflow_id(account="acme", stack_id="a")
        handle = await odd.start_workflow(OddChain.run, id=workflow_id, task_queue="odd")

        live = await held.use_of("acme", "a", run)
        waiting = asyncio.create_task(turn_at(odd, workflow_id))
        await handle.signal(OddChain.end)
        await asyncio.wait_for(waiting, 60)

        if name != "nothing":  # which says that there is no run yet
            assert live is run_use.RunUse.UNDECIDED, name
        assert await held.use_of("acme", "a", run) is run_use.RunUse.UNUSED, name


async def test_junk_that_runs_keeps_no_root_from_being_judged(client: Client) -> None:
    for name, memo in JUNK.items():
        await start_raw(client, f"stackchain/junk/{name}/uid", memo)
    held = run_use.RunUseReader(lambda: client)
    run = start_messages.FinishedRun(run_id="01A", is_own=False, triggered_by="b")

    async def listed() -> bool:
        return len((await make_workflows(client).list_running()).unreadable) == len(JUNK)

    await eventually(listed)
    assert await held.use_of("acme", "a", run) is run_use.RunUse.UNUSED


@workflow.defn(name=ids.CHAIN_WORKFLOW, sandboxed=False)
class NewerChain:
    """Says what a newer version would: phases that are unknown here, and more fields."""

    @workflow.query(name=ids.PROGRESS_QUERY)
    def get_progress(self) -> dict[str, Any]:
        known = dataclasses.asdict(make_progress(make_stack("a", Phase.RUNNING), number=1))
        known["phase"] = known["stacks"][0]["phase"] = "Hovering"
        return {**known, "altitude": 7}

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)


@workflow.defn(name=ids.EXECUTION_WORKFLOW, sandboxed=False)
class NewerExecution:
    """Ends in a phase that is unknown here."""

    @workflow.run
    async def run(self, argument: messages.StackExecutionInput) -> dict[str, Any]:
        report = progress.StackReport(
            stack_id=argument.target.stack_id, phase=Phase.SUCCEEDED, reason="RunFinished"
        )
        return {**dataclasses.asdict(report), "phase": "Landed", "run_id": "01A"}


async def test_a_stack_that_a_newer_worker_ended_is_not_run_again(temporal_client: Client) -> None:
    chain = harness.new_harness(temporal_client, World("a>b"))
    async with (
        harness.operator(chain),
        temporalio.worker.Worker(
            temporal_client,
            task_queue=chain.task_queue,
            workflows=[stack_dependency_chain.StackDependencyChainWorkflow, NewerExecution],
            activities=chain.world.calls_queue(),
            workflow_runner=worker.workflow_runner(),
        ),
    ):
        known = await chain.run()

    stack = harness.stack_of(known, "a")
    assert (stack.phase, stack.reason, stack.run_id) == (
        Phase.FAILED,
        StackReason.EXECUTION_ENDED,
        "01A",
    )
    assert known.phase is Phase.FAILED
    assert not chain.world.calls("await_stack_release")


async def test_a_phase_that_this_version_does_not_know_counts_as_running(client: Client) -> None:
    workflows = make_workflows(client)
    async with temporalio.worker.Worker(client, task_queue="newer", workflows=[NewerChain]):
        await client.start_workflow(
            NewerChain.run, id=starter._id_of(REF), task_queue="newer", memo={ids.MEMO: MEMO}
        )
        live = await workflows.latest(REF)
        assert live is not None
        known = await workflows.get_progress(live)

    assert known is not None
    assert (known.phase, known.stacks[0].phase) == (Phase.RUNNING, Phase.RUNNING)

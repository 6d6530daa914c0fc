"""Runs chains against a scripted world on a real Temporal server, and looks at their histories."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import temporalio.client
import temporalio.common
import temporalio.worker
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.worker import workflow_sandbox

from controller.api import v1alpha1
from controller.chain.run import progress
from controller.temporal import ids, messages, worker
from tests.support import temporal as temporal_support
from tests.support.builders import make_scope, make_use, with_policies
from tests.support.waiting import eventually
from tests.workflows import listener
from tests.workflows.world import World

REF = v1alpha1.Ref(namespace="team", name="demo", uid="uid", generation=1)

ChainHandle = WorkflowHandle[Any, progress.ChainProgress]

# More than the busiest machine takes to end a chain for which everything has been done.
_END_SECONDS = 120

# A workflow that closes while news comes in is asked to look again, and one may be terminated while
# it works: neither is a fault of the workflow's code.
_HARMLESS = (
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
)


@dataclasses.dataclass
class Harness:
    """One account and its workers; chains of a test share both."""

    client: Client
    world: World
    task_queue: str
    account: str
    endpoint: str
    handles: list[ChainHandle] = dataclasses.field(default_factory=list)
    # Executions that a test started directly.
    executions: list[WorkflowHandle[Any, Any]] = dataclasses.field(default_factory=list)

    @property
    def connection(self) -> messages.AccountRef:
        return messages.AccountRef(
            name="default",
            endpoint=self.endpoint,
            account=self.account,
            grant=messages.Grant(use=make_use()),
        )

    async def start(
        self,
        name: str = "demo",
        *,
        number: int = 1,
        roots: Sequence[str] | None = None,
        exclude: Sequence[str] = (),
        max_stacks: int = 500,
        operation: str = "Apply",
        stages: Sequence[v1alpha1.Stage] = (),
        window: v1alpha1.Window | None = None,
        memo: messages.ChainMemo | None = None,
        cause: str = "Spec",
        **fields: Any,
    ) -> ChainHandle:
        """Start a chain; `fields` are more of its input, and of its policies."""
        argument = messages.ChainInput(
            ref=dataclasses.replace(REF, name=name),
            number=number,
            attempt=1,
            cause=cause,
            operator_queue=self.operator_queue,
            connection=self.connection,
            scope=make_scope(
                *(roots or self.world.roots),
                exclude=exclude,
                max_stacks=max_stacks,
                operation=operation,
                stages=stages,
                window=window,
            ),
            **with_policies(fields),
        )
        handle: ChainHandle = await self.client.start_workflow(
            ids.CHAIN_WORKFLOW,
            argument,
            id=f"{self.account}/{name}",
            task_queue=self.task_queue,
            memo={ids.MEMO: memo} if memo else None,
            result_type=progress.ChainProgress,
        )
        self.handles.append(handle)
        return handle

    @property
    def operator_queue(self) -> str:
        return f"{self.task_queue}-operator"

    async def run(self, **arguments: Any) -> progress.ChainProgress:
        return await (await self.start(**arguments)).result()

    async def cancel_when(self, handle: ChainHandle, called: str, stack_id: str = "") -> None:
        """Cancel a chain once an activity was called for a stack."""
        await self.called(called, stack_id)
        await handle.cancel()

    async def called(self, name: str, stack_id: str = "", *, times: int = 1) -> None:
        await eventually(
            lambda: self.world.log.count((name, stack_id)) >= times,
            what=f"{name} called {times} times for {stack_id!r}",
        )

    def execution(self, stack_id: str) -> WorkflowHandle[Any, Any]:
        workflow_id = ids.execution_workflow_id(account=self.account, stack_id=stack_id)
        return self.client.get_workflow_handle(workflow_id)

    async def at_rest(self, execution: WorkflowHandle[Any, Any]) -> None:
        """Wait until an execution has handled every signal, and nothing but a follow is open.

        The answer to a query is not enough: an activity that was scheduled may not have started.
        """

        async def rests() -> bool:
            described = (await execution.describe()).raw_description
            open_activities = {item.activity_type.name for item in described.pending_activities}
            has_task = described.HasField("pending_workflow_task")
            return not has_task and open_activities <= {"follow_stack_run"}

        await eventually(rests, what=f"{execution.id} is at rest")

    async def has_scheduled(self, handle: WorkflowHandle[Any, Any], name: str) -> bool:
        """Whether a workflow has asked for an activity, whoever has it."""
        history = await handle.fetch_history()
        return any(
            event.activity_task_scheduled_event_attributes.activity_type.name == name
            for event in history.events
        )

    async def known(self, handle: ChainHandle) -> progress.ChainProgress:
        known: progress.ChainProgress = await handle.query(
            ids.PROGRESS_QUERY, result_type=progress.ChainProgress
        )
        return known

    async def stack_shows(
        self, handle: ChainHandle, stack_id: str, phase: v1alpha1.Phase, reason: str = ""
    ) -> progress.StackProgress:
        """Wait until a stack of a chain shows a phase, and a reason if one is given."""

        async def shows() -> progress.StackProgress | None:
            stack = stack_of(await self.known(handle), stack_id)
            assert (stack.phase, stack.reason) == (phase, reason or stack.reason), stack
            return stack

        found = await eventually(shows, what=f"{stack_id} shows {phase} {reason}")
        assert found is not None
        return found

    async def histories(self) -> list[WorkflowHistory]:
        """Return the histories of all chains and of all children that they started."""
        found = [await execution.fetch_history() for execution in self.executions]
        for handle in self.handles:
            history = await handle.fetch_history()
            found.append(history)
            for event in history.events:
                if event.HasField("child_workflow_execution_started_event_attributes"):
                    child = event.child_workflow_execution_started_event_attributes
                    execution = child.workflow_execution
                    found.append(
                        await self.client.get_workflow_handle(
                            execution.workflow_id, run_id=execution.run_id
                        ).fetch_history()
                    )
        return found


def stack_of(known: progress.ChainProgress, stack_id: str) -> progress.StackProgress:
    found = [stack for stack in known.stacks if stack.id == stack_id]

    assert found, f"no stack {stack_id} yet"
    return found[0]


def phases(known: progress.ChainProgress) -> dict[str, str]:
    return {stack.id: str(stack.phase) for stack in known.stacks}


@contextlib.asynccontextmanager
async def workers(
    harness: Harness,
    *,
    max_cached_workflows: int = 100,
    max_concurrent_activities: int = 100,
    has_sandbox: bool = True,
) -> AsyncIterator[None]:
    """Serve the three queues as the roles do, with the real sandbox and the world's activities.

    Large chains spend most of their time on the sandbox, so they may do without.
    """
    world = harness.world
    calls = _worker(
        harness,
        harness.task_queue,
        world.calls_queue(),
        workflows=list(worker.WORKFLOWS),
        max_cached_workflows=max_cached_workflows,
        max_concurrent_activities=max_concurrent_activities,
        workflow_runner=sandbox_runner() if has_sandbox else worker.workflow_runner(),
    )
    follows = _worker(harness, ids.follow_queue(harness.task_queue), world.follows_queue())
    async with operator(harness), calls, follows:
        yield


@contextlib.asynccontextmanager
async def operator(harness: Harness) -> AsyncIterator[None]:
    """Serve the operator's queue only, and whatever stands in for a chain."""
    harness.world.connect(harness.client)
    async with _worker(
        harness,
        harness.operator_queue,
        [harness.world.publish_chain_status, harness.world.request_run],
        workflows=[listener.ReportListener],
    ):
        yield


def _worker(
    harness: Harness, task_queue: str, activities: list[Any], **options: Any
) -> temporalio.worker.Worker:
    return temporalio.worker.Worker(
        harness.client,
        task_queue=task_queue,
        activities=activities,
        max_heartbeat_throttle_interval=timedelta(milliseconds=200),
        **options,
    )


def sandbox_runner() -> temporalio.worker.WorkflowRunner:
    """Return a sandbox, in which workflow code that is not deterministic fails.

    The worker role does without. Our own pure modules pass through: they keep no state.
    """
    return workflow_sandbox.SandboxedWorkflowRunner(
        restrictions=workflow_sandbox.SandboxRestrictions.default.with_passthrough_modules(
            "controller.api", "controller.chain"
        )
    )


def assert_sound(history: WorkflowHistory) -> None:
    """No workflow task of it failed, and no payload is near a limit."""
    failed = [event for event in history.events if _is_failed_task(event)]

    assert not failed, failed
    assert max(event.ByteSize() for event in history.events) < 256_000


def _is_failed_task(event: HistoryEvent) -> bool:
    failed = event.workflow_task_failed_event_attributes
    return (
        event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
        and failed.cause not in _HARMLESS
    )


async def finish(harness: Harness) -> None:
    """Check what every scenario must leave behind: sound histories that can be replayed."""
    for handle in [*harness.handles, *harness.executions]:
        await _end_of(handle)
    histories = await harness.histories()
    replayer = temporalio.worker.Replayer(
        workflows=list(worker.WORKFLOWS),
        workflow_runner=temporalio.worker.UnsandboxedWorkflowRunner(),
    )
    for history in histories:
        assert_sound(history)
        await replayer.replay_workflow(history)


async def _end_of(handle: WorkflowHandle[Any, Any]) -> None:
    try:
        async with asyncio.timeout(_END_SECONDS):
            with contextlib.suppress(temporalio.client.WorkflowFailureError):
                await handle.result()
    except TimeoutError:
        raise AssertionError(f"after {_END_SECONDS} s still running: {handle.id}") from None


def new_harness(
    client: Client, world: World, *, endpoint: str = "https://x.app.spacelift.io"
) -> Harness:
    return Harness(
        client=client,
        world=world,
        task_queue=temporal_support.unique("queue"),
        account=temporal_support.unique("account"),
        endpoint=endpoint,
    )

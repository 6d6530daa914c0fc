"""One execution in the memory of a worker: the SDK's own instance, driven as its core drives it.

The same code applies new events and replays old ones. A replay that asks for anything else than the
history has is a fault of the workflow.
"""

import asyncio
import zlib
from collections.abc import Callable, Sequence
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.failure.v1 import Failure
from temporalio.bridge.proto.common import NamespacedWorkflowExecution
from temporalio.bridge.proto.workflow_activation import (
    CancelWorkflow,
    InitializeWorkflow,
    QueryWorkflow,
    RemoveFromCache,
    SignalWorkflow,
    UpdateRandomSeed,
    WorkflowActivation,
)
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.worker._workflow_instance import WorkflowInstance

from tests.simulation.temporal.history import Command, Event, History, Kind, Signal, TaskEnd
from tests.simulation.temporal.machines import Machines
from tests.simulation.temporal.records import Query, Start
from tests.simulation.temporal.resolutions import Job

Create = Callable[[WorkflowActivation, InitializeWorkflow], WorkflowInstance]

_NANOSECONDS = 1_000_000_000
# Above it the server suggests a new execution.
_LONG_HISTORY = 4096

_EARLY = {
    "initialize_workflow": 0,
    "notify_has_patch": 1,
    "update_random_seed": 2,
    "signal_workflow": 3,
}


class NotDeterministic(Exception):
    """A replay asks for other commands than the history has."""


class TaskFailed(Exception):
    """The workflow's code, or the SDK, has failed at a workflow task."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class WorkflowRun:
    """An instance and how far into the history it is."""

    def __init__(
        self, history: History, start: Start, *, namespace: str, epoch: float, create: Create
    ) -> None:
        self._history = history
        self._start = start
        self._namespace = namespace
        self._epoch = epoch
        self._create = create
        self._machines = Machines(namespace)
        self._instance: WorkflowInstance | None = None
        self._applied = 0
        self._seen_tasks = 0

    def catch_up(self) -> None:
        """Replay the completed workflow tasks that this instance does not know.

        Raises:
            NotDeterministic: a difference between the commands and the history.
        """
        tasks = self._history.tasks
        while self._seen_tasks < len(tasks):
            started_id, completed_id = tasks[self._seen_tasks]
            made = self._apply(started_id, is_replaying=True)
            end: TaskEnd = self._history.events[completed_id - 1].data
            _compare(end.commands, made, self._start, completed_id)
            self._seen_tasks += 1

    def do_task(self, started_id: int) -> list[Command]:
        """Do the workflow task that was started with an event, and return its commands.

        Raises:
            TaskFailed: it is to be tried again.
        """
        commands = self._apply(started_id, is_replaying=False)
        self._seen_tasks += 1
        return commands

    def answer(self, query: Query) -> Payload | Failure:
        """Return what a query handler returns or raises."""
        job = QueryWorkflow(query_id="q", query_type=query.name, arguments=query.arguments)
        completion = self._activate([Job(query_workflow=job)], self._applied, is_replaying=False)
        for command in completion.successful.commands:
            answer = command.respond_to_query
            if answer.HasField("failed"):
                return answer.failed
            return answer.succeeded.response
        raise TaskFailed(completion.failed.failure)

    def evict(self) -> None:
        """Take the instance apart, as core does before it drops one."""
        if self._instance is not None:
            self._run([Job(remove_from_cache=RemoveFromCache())], self._applied, False)
            self._instance = None

    def _apply(self, started_id: int, *, is_replaying: bool) -> list[Command]:
        events = self._history.events[self._applied : started_id]
        jobs = self._jobs(events)
        self._applied = started_id
        while True:
            completion = self._activate(jobs, started_id, is_replaying=is_replaying)
            is_over = self._take(completion)
            jobs = self._machines.jobs_at_once()
            if not jobs or is_over:
                return self._machines.end_task()

    def _jobs(self, events: Sequence[Event]) -> list[Job]:
        jobs = [job for event in events if (job := self._job(event)) is not None]
        jobs.sort(key=lambda job: _EARLY.get(job.WhichOneof("variant") or "", 4))
        return jobs

    def _job(self, event: Event) -> Job | None:
        match event.kind:
            case Kind.STARTED:
                return Job(initialize_workflow=self._initialize())
            case Kind.SIGNALED:
                signal: Signal = event.data
                return Job(
                    signal_workflow=SignalWorkflow(
                        signal_name=signal.name,
                        input=signal.input,
                        identity=signal.identity,
                        headers=signal.header,
                        originating_event_id=event.id,
                    )
                )
            case Kind.CANCEL_REQUESTED:
                return Job(cancel_workflow=CancelWorkflow(reason=event.data))
            case Kind.TASK_FAILED if event.data.new_run_id:
                seed = _seed_of(event.data.new_run_id)
                return Job(update_random_seed=UpdateRandomSeed(randomness_seed=seed))
            case _:
                return self._machines.jobs_for(event)

    def _initialize(self) -> InitializeWorkflow:
        start = self._start
        message = InitializeWorkflow(
            workflow_type=start.workflow_type,
            workflow_id=start.workflow_id,
            arguments=start.input,
            randomness_seed=_seed_of(start.original_run_id),
            first_execution_run_id=start.first_run_id,
            original_execution_run_id=start.original_run_id,
            continued_from_execution_run_id=start.continued_from,
            attempt=1,
            start_time=self._stamp(start.time),
        )
        message.workflow_task_timeout.FromSeconds(10)
        if start.memo:
            for key, value in start.memo.items():
                message.memo.fields[key].CopyFrom(value)
        if start.search_attributes:
            for key, value in start.search_attributes.items():
                message.search_attributes.indexed_fields[key].CopyFrom(value)
        if start.execution_timeout:
            message.workflow_execution_timeout.FromMilliseconds(int(start.execution_timeout * 1000))
        if start.parent is not None:
            message.parent_workflow_info.CopyFrom(
                NamespacedWorkflowExecution(
                    namespace=self._namespace,
                    workflow_id=start.parent.workflow_id,
                    run_id=start.parent.run_id,
                )
            )
        if start.last_result is not None:
            message.last_completion_result.CopyFrom(Payloads(payloads=start.last_result))
        return message

    def _activate(
        self, jobs: list[Job], started_id: int, *, is_replaying: bool
    ) -> WorkflowActivationCompletion:
        completion = self._run(jobs, started_id, is_replaying)
        if completion.HasField("failed"):
            raise TaskFailed(completion.failed.failure)
        return completion

    def _run(
        self, jobs: list[Job], started_id: int, is_replaying: bool
    ) -> WorkflowActivationCompletion:
        time = self._history.events[started_id - 1].time if started_id else self._start.time
        activation = WorkflowActivation(
            run_id=self._start.run_id,
            timestamp=self._stamp(time),
            is_replaying=is_replaying,
            history_length=started_id,
            continue_as_new_suggested=started_id > _LONG_HISTORY,
            jobs=jobs,
        )
        if self._instance is None:
            self._instance = self._create(activation, jobs[0].initialize_workflow)
        loop = asyncio.get_running_loop()
        try:
            return self._instance.activate(activation)
        finally:
            # The instance is an event loop itself, and leaves none running behind it.
            asyncio._set_running_loop(loop)

    def _take(self, completion: WorkflowActivationCompletion) -> bool:
        """Take over the commands, the one that ends the execution last; return if there is one."""
        end: tuple[str, Any] | None = None
        for command in completion.successful.commands:
            variant = command.WhichOneof("variant") or ""
            body = getattr(command, variant)
            if variant not in ENDS:
                self._machines.take(variant, body)
            elif end is None:
                end = variant, body
        if end is not None:
            self._machines.take(*end)
        return end is not None

    def _stamp(self, time: float) -> Timestamp:
        nanoseconds = round((self._epoch + time) * 1_000_000) * 1000
        return Timestamp(seconds=nanoseconds // _NANOSECONDS, nanos=nanoseconds % _NANOSECONDS)


ENDS = frozenset(
    {
        "complete_workflow_execution",
        "fail_workflow_execution",
        "cancel_workflow_execution",
    }
)
"""The commands after which there is nothing more."""


def _seed_of(run_id: str) -> int:
    return zlib.crc32(run_id.encode())


def _compare(
    written: Sequence[Command], made: Sequence[Command], start: Start, completed_id: int
) -> None:
    if [(one.kind, one.body) for one in written] == [(one.kind, one.body) for one in made]:
        return
    if start.before_resets and _without_run_ids(written, start) == _without_run_ids(made, start):
        return
    lines = [f"{start.workflow_type} {start.workflow_id}: a replay differs at event {completed_id}"]
    lines += [f"  history: {one.kind} {_short(one)}" for one in written if one not in made]
    lines += [f"  replay:  {one.kind} {_short(one)}" for one in made if one not in written]
    raise NotDeterministic("\n".join(lines))


def _without_run_ids(commands: Sequence[Command], start: Start) -> list[tuple[str, bytes]]:
    """Return commands without the ids of runs: after a reset a workflow names its new run."""
    found = []
    for command in commands:
        body = command.body.SerializeToString(deterministic=True)
        for run_id in (*start.before_resets, start.run_id):
            body = body.replace(run_id.encode(), b"")
        found.append((command.kind, body))
    return found


def _short(command: Command) -> str:
    return " ".join(str(command.body).split())[:400]

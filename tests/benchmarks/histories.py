"""What Temporal's histories show: how many events there are, and where a hop spends its time."""

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from typing import Any

import temporalio.client
from temporalio.api.enums.v1 import EventType, TimeoutType, WorkflowTaskFailedCause

CHAIN, EXECUTION = "StackDependencyChainWorkflow", "StackExecutionWorkflow"

_AT_ONCE = 20
_CAUSE = "WORKFLOW_TASK_FAILED_CAUSE_"
TIMED_OUT = frozenset({"SCHEDULE_TO_START", "START_TO_CLOSE"})
"""Workflow tasks that a killed worker had taken, or that only it could take, from its cache."""
_FAILED_TASKS = (
    EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
)


@dataclasses.dataclass(frozen=True, slots=True)
class History:
    """One execution's history."""

    workflow_id: str
    type: str
    events: Sequence[Any]
    size: int

    @property
    def failed_tasks(self) -> int:
        return sum(event.event_type in _FAILED_TASKS for event in self.events)

    @property
    def task_problems(self) -> Counter[str]:
        """Return how many workflow tasks failed or timed out, by Temporal's own reasons."""
        found = Counter[str]()
        for event in self.events:
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
                cause = event.workflow_task_failed_event_attributes.cause
                found[WorkflowTaskFailedCause.Name(cause).removeprefix(_CAUSE)] += 1
            elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
                kind = event.workflow_task_timed_out_event_attributes.timeout_type
                found[TimeoutType.Name(kind).removeprefix("TIMEOUT_TYPE_")] += 1
        return found

    @property
    def workflow_tasks(self) -> int:
        kind = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
        return sum(event.event_type == kind for event in self.events)

    def tasks_within(self, since: float, until: float) -> int:
        """Return how many workflow tasks were completed in a time."""
        kind = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
        return sum(event.event_type == kind for event in self._within(since, until))

    def activities_within(self, since: float, until: float) -> list[str]:
        """Return the names of the activities that were scheduled in a time."""
        return [
            event.activity_task_scheduled_event_attributes.activity_type.name
            for event in self._within(since, until)
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
        ]

    def _within(self, since: float, until: float) -> list[Any]:
        return [event for event in self.events if since <= _at(event) <= until]

    @property
    def started_at(self) -> float:
        return _at(self.events[0])

    @property
    def ended_at(self) -> float:
        return _at(self.events[-1])

    @property
    def last_completed(self) -> float:
        """Return when the last of its activities was completed."""
        kind = EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED
        return max(_at(event) for event in self.events if event.event_type == kind)

    def activity(self, name: str) -> "Activity":
        """Return the times of the first activity of a name."""
        found = (
            event
            for event in self.events
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
            and event.activity_task_scheduled_event_attributes.activity_type.name == name
        )
        return self._activity(next(found))

    def _activity(self, scheduled: Any) -> "Activity":
        started = completed = 0.0
        for event in self.events:
            kind = event.event_type
            if kind == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
                attributes = event.activity_task_started_event_attributes
                if attributes.scheduled_event_id == scheduled.event_id:
                    started = _at(event)
            elif kind == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                attributes = event.activity_task_completed_event_attributes
                if attributes.scheduled_event_id == scheduled.event_id:
                    completed = _at(event)
        return Activity(scheduled=_at(scheduled), started=started, completed=completed)

    def child_ended(self, workflow_id: str) -> float:
        """Return when this execution learned of a child's end."""
        for event in self.events:
            if event.event_type == EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
                attributes = event.child_workflow_execution_completed_event_attributes
                if attributes.workflow_execution.workflow_id == workflow_id:
                    return _at(event)
        raise LookupError(workflow_id)

    def child_initiated(self, workflow_id: str) -> float:
        """Return when this execution asked for a child."""
        kind = EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED
        for event in self.events:
            if event.event_type == kind:
                attributes = event.start_child_workflow_execution_initiated_event_attributes
                if attributes.workflow_id == workflow_id:
                    return _at(event)
        raise LookupError(workflow_id)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """When an activity was scheduled, started and completed, in Unix seconds."""

    scheduled: float
    started: float
    completed: float


async def read(
    client: temporalio.client.Client, executions: Iterable[tuple[str, str]]
) -> list[History]:
    """Read the histories of (workflow id, type)."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(workflow_id: str, kind: str) -> History:
        async with slots:
            fetched = await client.get_workflow_handle(workflow_id).fetch_history()
        size = sum(event.ByteSize() for event in fetched.events)
        return History(workflow_id, kind, fetched.events, size)

    return await asyncio.gather(*(one(*execution) for execution in executions))


async def read_all(
    client: temporalio.client.Client, *, wanted: int, names: Container[str] | None = None
) -> list[History]:
    """Read all histories, or those of chains and stacks, once visibility knows of so many."""
    found: list[tuple[str, str]] = []
    for _ in range(100):
        found = [
            (item.id, item.workflow_type)
            async for item in client.list_workflows()
            if names is None or any(part in names for part in item.id.split("/"))
        ]
        if len(found) >= wanted:
            break
        await asyncio.sleep(0.1)
    return await read(client, found)


def _at(event: Any) -> float:
    return float(event.event_time.ToMicroseconds()) / 1e6

"""What the server keeps of executions while they run."""

import asyncio
import collections
import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure

from tests.simulation.temporal.history import Event, History, Kind

if TYPE_CHECKING:
    from tests.simulation.temporal.workers import Worker


class Status(enum.IntEnum):
    """The states of an execution, with the numbers that the server gives them."""

    RUNNING = 1
    COMPLETED = 2
    FAILED = 3
    CANCELED = 4
    TERMINATED = 5
    TIMED_OUT = 7


@dataclass(slots=True, frozen=True)
class Parent:
    """The execution that has started this one, with its number of it."""

    workflow_id: str
    run_id: str
    seq: int
    initiated_id: int


@dataclass(slots=True)
class Start:
    """What an execution was started with."""

    workflow_id: str
    workflow_type: str
    task_queue: str
    input: list[Payload]
    run_id: str = ""
    first_run_id: str = ""
    original_run_id: str = ""
    continued_from: str = ""
    request_id: str = ""
    time: float = 0.0
    reset_at: float | None = None
    """When a reset made it, which counts as its start for those who look from outside."""
    before_resets: tuple[str, ...] = ()
    """The runs whose history it continues."""
    execution_timeout: float = 0.0
    memo: dict[str, Payload] = field(default_factory=dict)
    search_attributes: dict[str, Payload] = field(default_factory=dict)
    parent: Parent | None = None
    last_result: list[Payload] | None = None
    identity: str = ""

    @property
    def shown_time(self) -> float:
        """When the execution began, for those who look from outside."""
        return self.time if self.reset_at is None else self.reset_at


@dataclass(slots=True, eq=False)
class Query:
    """A query on its way; `answer` is set by whoever answers it."""

    name: str
    arguments: list[Payload]
    answer: "asyncio.Future[Payload | Failure]"


@dataclass(slots=True, eq=False)
class WorkflowTask:
    """A workflow task that is scheduled, or started if it has a worker."""

    attempt: int
    scheduled_at: float
    started_id: int = 0
    worker: "Worker | None" = None
    timer: asyncio.TimerHandle | None = None
    is_sticky: bool = False


class ActivityState(enum.Enum):
    """Where an activity is."""

    QUEUED = 1
    RUNNING = 2
    PAUSING = 3
    """It has failed and waits for its next attempt."""


@dataclass(slots=True, eq=False)
class Activity:
    """An activity that has not ended; `body` is the command that asked for it."""

    execution: "Execution"
    body: Any
    scheduled_id: int
    scheduled_at: float
    queue: str
    attempt: int = 1
    attempt_scheduled_at: float = 0.0
    state: ActivityState = ActivityState.QUEUED
    started_at: float = 0.0
    last_heartbeat_at: float = 0.0
    worker: "Worker | None" = None
    identity: str = ""
    details: list[Payload] | None = None
    last_failure: Failure | None = None
    is_cancel_requested: bool = False
    timers: dict[str, asyncio.TimerHandle] = field(default_factory=dict)

    def stop_timers(self, *names: str) -> None:
        """Cancel some timers, or all."""
        for name in names or tuple(self.timers):
            timer = self.timers.pop(name, None)
            if timer is not None:
                timer.cancel()


@dataclass(slots=True, eq=False)
class Child:
    """A child that was asked for and has not ended; one without a run id has not started."""

    body: Any
    initiated_id: int
    run_id: str = ""
    started: Event | None = None


class Execution:
    """One run of a workflow id."""

    def __init__(self, start: Start) -> None:
        self.start = start
        self.history = History()
        self.status = Status.RUNNING
        self.close_time: float | None = None
        # The run that a reset has made of this one.
        self.reset_run_id = ""
        self.memo = dict(start.memo)
        # What came in while a workflow task was done.
        self.held_back: list[Event] = []
        self.task: WorkflowTask | None = None
        self.task_attempt = 1
        self.task_failure: Failure | None = None
        self.sticky: Worker | None = None
        self.activities: dict[int, Activity] = {}
        self.timers: dict[int, asyncio.TimerHandle] = {}
        self.children: dict[int, Child] = {}
        self.is_cancel_requested = False
        self.cancel_request_id = ""
        self.signal_ids: set[str] = set()
        self.queries: list[Query] = []
        self.closing_timer: asyncio.TimerHandle | None = None
        self.waiters: collections.deque[asyncio.Future[None]] = collections.deque()

    @property
    def workflow_id(self) -> str:
        """The id that it shares with other runs."""
        return self.start.workflow_id

    @property
    def run_id(self) -> str:
        """The id that nothing else has."""
        return self.start.run_id

    @property
    def is_running(self) -> bool:
        """Whether it has not closed."""
        return self.status is Status.RUNNING

    @property
    def has_started_task(self) -> bool:
        """Whether a worker does a workflow task of it now."""
        return self.task is not None and self.task.worker is not None

    def write(self, kind: Kind, time: float, data: Any = None) -> Event:
        """Add what has happened to the history, or hold it back until the current task is done."""
        if self.has_started_task:
            event = Event(0, kind, time, data)
            self.held_back.append(event)
            return event
        return self.history.add(kind, time, data)

    def wake_waiters(self) -> None:
        """Wake whoever waits for an event."""
        while self.waiters:
            waiter = self.waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)

"""The history of one execution, as the server would write it, in light objects.

An event carries the command that led to it, or one of the small records below. It becomes a message
only for callers that ask for the history itself.
"""

import enum
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure


class Kind(enum.IntEnum):
    """The types of events, with the numbers that the server gives them."""

    STARTED = 1
    COMPLETED = 2
    FAILED = 3
    TIMED_OUT = 4
    TASK_SCHEDULED = 5
    TASK_STARTED = 6
    TASK_COMPLETED = 7
    TASK_TIMED_OUT = 8
    TASK_FAILED = 9
    ACTIVITY_SCHEDULED = 10
    ACTIVITY_STARTED = 11
    ACTIVITY_COMPLETED = 12
    ACTIVITY_FAILED = 13
    ACTIVITY_TIMED_OUT = 14
    TIMER_STARTED = 17
    TIMER_FIRED = 18
    ACTIVITY_CANCEL_REQUESTED = 15
    ACTIVITY_CANCELED = 16
    TIMER_CANCELED = 19
    CANCEL_REQUESTED = 20
    CANCELED = 21
    CANCEL_EXTERNAL_INITIATED = 22
    CANCEL_EXTERNAL_FAILED = 23
    EXTERNAL_CANCEL_REQUESTED = 24
    SIGNALED = 26
    TERMINATED = 27
    CHILD_INITIATED = 29
    CHILD_START_FAILED = 30
    CHILD_STARTED = 31
    CHILD_COMPLETED = 32
    CHILD_FAILED = 33
    CHILD_CANCELED = 34
    CHILD_TIMED_OUT = 35
    CHILD_TERMINATED = 36
    SIGNAL_EXTERNAL_INITIATED = 37
    SIGNAL_EXTERNAL_FAILED = 38
    EXTERNAL_SIGNALED = 39
    PROPERTIES_MODIFIED = 46


ENDS_OF_OTHERS = frozenset(
    {
        Kind.ACTIVITY_COMPLETED,
        Kind.ACTIVITY_FAILED,
        Kind.ACTIVITY_TIMED_OUT,
        Kind.ACTIVITY_CANCELED,
        Kind.CHILD_COMPLETED,
        Kind.CHILD_FAILED,
        Kind.CHILD_CANCELED,
        Kind.CHILD_TIMED_OUT,
        Kind.CHILD_TERMINATED,
    }
)
"""What the server writes last of all that came in while a workflow task was done."""


@dataclass(slots=True)
class Command:
    """What a workflow asks for, in the words of the SDK's core."""

    kind: str
    body: Message


@dataclass(slots=True)
class Event:
    """One event; `id` is its place in the history, from 1."""

    id: int
    kind: Kind
    time: float
    data: Any = None


@dataclass(slots=True)
class TaskEnd:
    """The commands of a workflow task that was completed."""

    commands: list[Command]
    started_id: int
    identity: str = ""


@dataclass(slots=True)
class TaskFailure:
    """Why a workflow task has failed."""

    cause: int
    failure: Failure
    base_run_id: str = ""
    new_run_id: str = ""
    identity: str = ""


@dataclass(slots=True)
class ActivityStart:
    """The attempt of an activity that was its last one."""

    scheduled_id: int
    attempt: int
    last_failure: Failure | None
    identity: str = ""


@dataclass(slots=True)
class ActivityEnd:
    """How an activity has ended; `seq` is the SDK's number of it."""

    seq: int
    scheduled_id: int
    started: Event | None = None
    result: Payload | None = None
    failure: Failure | None = None
    details: list[Payload] | None = None
    retry_state: int = 0
    identity: str = ""

    @property
    def started_id(self) -> int:
        """The event of the attempt that ended; 0 if no worker had it."""
        return self.started.id if self.started is not None else 0


@dataclass(slots=True)
class ChildEvent:
    """What became of a child; `seq` is the SDK's number of it."""

    seq: int
    workflow_id: str
    workflow_type: str
    run_id: str = ""
    result: Payload | None = None
    failure: Failure | None = None
    retry_state: int = 0
    cause: int = 0
    initiated_id: int = 0
    started: Event | None = None

    @property
    def started_id(self) -> int:
        """The event of the child's start; 0 if it has not started."""
        return self.started.id if self.started is not None else 0


@dataclass(slots=True)
class ExternalEvent:
    """What became of a signal to another execution, or of a cancel; `seq` 0 is a cancel of core."""

    seq: int
    workflow_id: str
    run_id: str
    initiated_id: int
    cause: int = 0


@dataclass(slots=True)
class Signal:
    """A signal as it came in."""

    name: str
    input: list[Payload]
    identity: str = ""
    header: dict[str, Payload] = field(default_factory=dict)


class History:
    """Events in order; `tasks` are the completed workflow tasks, by the ids of start and end."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.tasks: list[tuple[int, int]] = []

    @property
    def length(self) -> int:
        """How many events there are, which is the id of the last one."""
        return len(self.events)

    def add(self, kind: Kind, time: float, data: Any = None) -> Event:
        """Append an event."""
        event = Event(len(self.events) + 1, kind, time, data)
        self.events.append(event)
        return event

    def append(self, event: Event) -> Event:
        """Append an event that was held back."""
        event.id = len(self.events) + 1
        self.events.append(event)
        return event

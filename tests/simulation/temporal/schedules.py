"""Schedules: what they start at their times, and what they skip or keep for later."""

import asyncio
import datetime
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import ScheduleOverlapPolicy
from temporalio.api.schedule.v1 import Schedule as ScheduleMessage

from tests.simulation import virtual_time
from tests.simulation.temporal.activities import seconds_of
from tests.simulation.temporal.calendars import Times
from tests.simulation.temporal.records import Execution, Start
from tests.simulation.temporal.refusals import NotSimulated, only

if TYPE_CHECKING:
    from tests.simulation.temporal.server import TemporalServer

SKIP = ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_SKIP
BUFFER_ONE = ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE
_UNSPECIFIED = ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_UNSPECIFIED

_YEAR = 365 * 86_400.0
_SHORTEST_CATCH_UP = 10.0


@dataclass(slots=True, eq=False)
class Schedule:
    """One schedule; `waiting` are due times that have to wait for a run to end."""

    schedule_id: str
    message: ScheduleMessage
    memo: dict[str, Payload]
    request_id: str
    times: Times
    created_at: float
    running: Execution | None = None
    waiting: list[float] = field(default_factory=list)
    timer: asyncio.TimerHandle | None = None
    actions: int = 0
    skipped: int = 0
    missed: int = 0
    recent: list[tuple[float, float, str, str]] = field(default_factory=list)
    """Of the last actions: when they were due and when they came, and what they started."""


class Schedules:
    """All schedules of a server."""

    def __init__(self, server: "TemporalServer") -> None:
        self._server = server
        self._schedules: dict[str, Schedule] = {}

    def find(self, schedule_id: str) -> Schedule | None:
        """Return a schedule; None: there is none."""
        return self._schedules.get(schedule_id)

    def ids(self) -> list[str]:
        """Return the ids of all schedules."""
        return sorted(self._schedules)

    def add(
        self, schedule_id: str, message: ScheduleMessage, memo: dict[str, Payload], request_id: str
    ) -> Schedule:
        """Set a schedule up, whose id is free."""
        _check(message)
        schedule = Schedule(
            schedule_id, message, memo, request_id, Times(message.spec), self._server.time()
        )
        self._schedules[schedule_id] = schedule
        self._wait(schedule, self._now())
        return schedule

    def remove(self, schedule: Schedule) -> None:
        """Remove a schedule; what it has started continues."""
        if schedule.timer is not None:
            schedule.timer.cancel()
        self._schedules.pop(schedule.schedule_id, None)

    def trigger(self, schedule: Schedule, overlap: int) -> None:
        """Act now, also if it is paused."""
        self._act(schedule, float(int(self._now())), overlap)

    def set_paused(self, schedule: Schedule, *, is_paused: bool, note: str) -> None:
        """Act no longer at its times, or again."""
        schedule.message.state.paused = is_paused
        schedule.message.state.notes = note

    def ended(self, execution: Execution) -> None:
        """Do what waited for the end of an execution."""
        for schedule in self._schedules.values():
            if schedule.running is execution:
                schedule.running = None
                if schedule.waiting:
                    self._start(schedule, schedule.waiting.pop(0))

    def next_times(self, schedule: Schedule, count: int) -> list[float]:
        """Return the next times of a schedule."""
        found: list[float] = []
        moment = schedule.times.after(self._now())
        while moment is not None and len(found) < count:
            found.append(moment)
            moment = schedule.times.after(moment)
        return found

    def _now(self) -> float:
        return virtual_time.EPOCH + self._server.time()

    def _wait(self, schedule: Schedule, after: float) -> None:
        due = schedule.times.after(after)
        if due is not None:
            schedule.timer = self._server.on_time(
                max(due - self._now(), 0.0), self._is_due, schedule, due
            )

    def _is_due(self, schedule: Schedule, due: float) -> None:
        self._wait(schedule, due)
        if schedule.message.state.paused:
            return
        catch_up = seconds_of(schedule.message.policies.catchup_window) or _YEAR
        if self._now() - due > max(catch_up, _SHORTEST_CATCH_UP):
            schedule.missed += 1
            return
        self._act(schedule, due, _UNSPECIFIED)

    def _act(self, schedule: Schedule, due: float, overlap: int) -> None:
        overlap = overlap or schedule.message.policies.overlap_policy or SKIP
        if schedule.running is None:
            self._start(schedule, due)
        elif overlap == BUFFER_ONE and not schedule.waiting:
            schedule.waiting.append(due)
        elif overlap in (SKIP, BUFFER_ONE):
            schedule.skipped += 1
        else:
            raise NotSimulated(f"the overlap policy {overlap}")

    def _start(self, schedule: Schedule, due: float) -> None:
        action = schedule.message.action.start_workflow
        workflow_id = f"{action.workflow_id}-{_text_of(due)}"
        latest = self._server.latest(workflow_id)
        if latest is not None and latest.is_running:
            return
        execution = self._server.start_execution(
            Start(
                workflow_id=workflow_id,
                workflow_type=action.workflow_type.name,
                task_queue=action.task_queue.name,
                input=list(action.input.payloads),
                execution_timeout=seconds_of(action.workflow_execution_timeout),
                memo=dict(action.memo.fields),
                search_attributes={
                    "TemporalScheduledStartTime": _attribute(_text_of(due), "Datetime"),
                    "TemporalScheduledById": _attribute(schedule.schedule_id, "Keyword"),
                },
            )
        )
        schedule.running = execution
        schedule.actions += 1
        schedule.recent = [
            *schedule.recent[-9:],
            (due, self._now(), execution.workflow_id, execution.run_id),
        ]


def _check(message: ScheduleMessage) -> None:
    only(message, "spec", "action", "policies", "state")
    only(message.policies, "overlap_policy", "catchup_window")
    only(message.state, "paused", "notes")
    only(message.action, "start_workflow")
    only(
        message.action.start_workflow,
        "workflow_id",
        "workflow_type",
        "task_queue",
        "input",
        "workflow_execution_timeout",
        "memo",
        "user_metadata",
        "priority",
        "header",
    )
    if message.policies.overlap_policy not in (_UNSPECIFIED, SKIP, BUFFER_ONE):
        raise NotSimulated(f"the overlap policy {message.policies.overlap_policy}")


def _text_of(moment: float) -> str:
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _attribute(text: str, kind: str) -> Payload:
    made: Any = Payload(data=f'"{text}"'.encode())
    made.metadata["encoding"] = b"json/plain"
    made.metadata["type"] = kind.encode()
    return made  # type: ignore[no-any-return]

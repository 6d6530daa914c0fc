"""Activities as the server sees them: queued, tried, timed out, tried again, and ended."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import RetryState, TimeoutType
from temporalio.api.failure.v1 import Failure

from tests.simulation.temporal import failures, retries, task_queues
from tests.simulation.temporal.history import ActivityEnd, ActivityStart, Event, Kind
from tests.simulation.temporal.records import Activity, ActivityState, Execution
from tests.simulation.temporal.refusals import only

if TYPE_CHECKING:
    from tests.simulation.temporal.server import TemporalServer
    from tests.simulation.temporal.workers import Worker

_START_TO_CLOSE = TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE
_SCHEDULE_TO_START = TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START
_SCHEDULE_TO_CLOSE = TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE
_HEARTBEAT = TimeoutType.TIMEOUT_TYPE_HEARTBEAT

_KNOWN = (
    "seq",
    "activity_id",
    "activity_type",
    "task_queue",
    "arguments",
    "schedule_to_close_timeout",
    "schedule_to_start_timeout",
    "start_to_close_timeout",
    "heartbeat_timeout",
    "retry_policy",
    "cancellation_type",
    "do_not_eagerly_execute",
    "priority",
)


class Activities:
    """The activities of all executions."""

    def __init__(self, server: "TemporalServer") -> None:
        self._server = server
        self.on_start: list[Callable[[Activity], None]] = []
        """Called when an attempt is given to a worker."""

    def schedule(self, execution: Execution, body: Any, scheduled_id: int) -> None:
        """Queue the first attempt."""
        only(body, *_KNOWN)
        now = self._server.time()
        activity = Activity(
            execution=execution,
            body=body,
            scheduled_id=scheduled_id,
            scheduled_at=now,
            queue=body.task_queue or execution.start.task_queue,
        )
        execution.activities[body.seq] = activity
        if seconds := seconds_of(body.schedule_to_close_timeout):
            self._time_out_after(activity, "schedule to close", seconds, _SCHEDULE_TO_CLOSE)
        self._enqueue(activity)

    def _enqueue(self, activity: Activity) -> None:
        activity.state = ActivityState.QUEUED
        activity.attempt_scheduled_at = self._server.time()
        if seconds := seconds_of(activity.body.schedule_to_start_timeout):
            self._time_out_after(activity, "schedule to start", seconds, _SCHEDULE_TO_START)
        attempt = activity.attempt
        item = task_queues.Item(
            assign=lambda poller: self._start(activity, poller),  # type: ignore[arg-type]
            is_stale=lambda: (
                not (
                    activity.state is ActivityState.QUEUED
                    and activity.attempt == attempt
                    and is_open(activity)
                )
            ),
            added_at=activity.attempt_scheduled_at,
        )
        self._server.queue(activity.queue, task_queues.ACTIVITY).add(item)

    def _start(self, activity: Activity, worker: "Worker") -> None:
        activity.state = ActivityState.RUNNING
        activity.worker, activity.identity = worker, worker.identity
        activity.started_at = activity.last_heartbeat_at = self._server.time()
        activity.stop_timers("schedule to start")
        if seconds := seconds_of(activity.body.start_to_close_timeout):
            self._time_out_after(activity, "start to close", seconds, _START_TO_CLOSE)
        self._await_heartbeat(activity)
        worker.take_activity(activity, activity.attempt)
        for listener in tuple(self.on_start):
            listener(activity)

    # From workers

    def heartbeat(self, activity: Activity, attempt: int, details: list[Payload]) -> bool | None:
        """Take over a heartbeat; return whether a cancel is asked for, None if no one waits."""
        if not _is_current(activity, attempt):
            return None
        activity.details = details
        activity.last_heartbeat_at = self._server.time()
        self._await_heartbeat(activity)
        return activity.is_cancel_requested

    def complete(self, activity: Activity, attempt: int, result: Payload) -> bool:
        """Take over a result; False if no one waits for it any more."""
        if not _is_current(activity, attempt):
            return False
        self._end(activity, Kind.ACTIVITY_COMPLETED, result=result)
        return True

    def cancel(self, activity: Activity, attempt: int, failure: Failure) -> bool:
        """Take over that it was canceled; False if no one has asked for that, or waits."""
        if not _is_current(activity, attempt) or not activity.is_cancel_requested:
            return False
        details = list(failure.canceled_failure_info.details.payloads)
        self._end(activity, Kind.ACTIVITY_CANCELED, details=details)
        return True

    def fail(self, activity: Activity, attempt: int, failure: Failure) -> bool:
        """Take over a failure; False if no one waits for it any more."""
        if not _is_current(activity, attempt):
            return False
        state, delay = self._next_attempt(activity, failure)
        if state is None:
            self._try_again(activity, failure, delay)
        else:
            self._end(activity, Kind.ACTIVITY_FAILED, failure=failure, retry_state=state)
        return True

    # From the workflow

    def request_cancel(self, execution: Execution, seq: int) -> bool:
        """Ask for an end; True if it is canceled at once, since no worker has it."""
        activity = execution.activities.get(seq)
        if activity is None:
            return False
        activity.is_cancel_requested = True
        if activity.state is ActivityState.RUNNING:
            return False
        self._finish(activity)
        # Written once all commands of the task are done, unless one of them closes the execution.
        end = ActivityEnd(seq, activity.scheduled_id)
        execution.held_back.append(Event(0, Kind.ACTIVITY_CANCELED, self._server.time(), end))
        return True

    def drop_all(self, execution: Execution) -> None:
        """Drop all activities of an execution that has closed: workers find no one waiting."""
        for activity in tuple(execution.activities.values()):
            self._finish(activity)

    # Time-outs and further attempts

    def _time_out_after(
        self, activity: Activity, name: str, seconds: float, kind: TimeoutType.ValueType
    ) -> None:
        activity.stop_timers(name)
        activity.timers[name] = self._server.later(seconds, self._timed_out, activity, kind)

    def _await_heartbeat(self, activity: Activity) -> None:
        if seconds := seconds_of(activity.body.heartbeat_timeout):
            self._time_out_after(activity, "heartbeat", seconds, _HEARTBEAT)

    def _timed_out(self, activity: Activity, kind: TimeoutType.ValueType) -> None:
        if not is_open(activity):
            return
        failure = failures.timed_out(kind, details=activity.details)
        state: int = RetryState.RETRY_STATE_TIMEOUT
        if kind in (_START_TO_CLOSE, _HEARTBEAT):
            found, delay = self._next_attempt(activity, failure)
            if found is None:
                self._try_again(activity, failure, delay)
                return
            state = found
            if state == RetryState.RETRY_STATE_TIMEOUT:
                failure = failures.no_time_left(details=activity.details)
        elif kind == _SCHEDULE_TO_CLOSE:
            failure = self._out_of_time(activity)
        self._end(activity, Kind.ACTIVITY_TIMED_OUT, failure=failure, retry_state=state)

    def _out_of_time(self, activity: Activity) -> Failure:
        """Return the failure when the time for all attempts is over.

        The server allows no time-out to be longer than that time. In the first attempt the shorter
        time-outs come at the same moment, and count.
        """
        is_first = activity.attempt == 1
        if is_first and activity.state is ActivityState.QUEUED:
            return failures.timed_out(_SCHEDULE_TO_START, details=activity.details)
        if is_first and activity.state is ActivityState.RUNNING:
            return failures.no_time_left(details=activity.details)
        return failures.timed_out(
            _SCHEDULE_TO_CLOSE, cause=activity.last_failure, details=activity.details
        )

    def _next_attempt(self, activity: Activity, failure: Failure) -> tuple[int | None, float]:
        """Return why there is none, or None and in how many seconds there is one."""
        if activity.is_cancel_requested:
            return RetryState.RETRY_STATE_CANCEL_REQUESTED, 0.0
        limit = seconds_of(activity.body.schedule_to_close_timeout)
        left = activity.scheduled_at + limit - self._server.time() if limit else None
        return retries.next_attempt(
            activity.body.retry_policy, failure, attempt=activity.attempt, seconds_left=left
        )

    def _try_again(self, activity: Activity, failure: Failure, delay: float) -> None:
        activity.stop_timers("start to close", "heartbeat", "schedule to start")
        activity.attempt += 1
        activity.state, activity.worker = ActivityState.PAUSING, None
        activity.last_failure = failure
        activity.timers["pause"] = self._server.later(delay, self._continue, activity)

    def _continue(self, activity: Activity) -> None:
        if is_open(activity) and activity.state is ActivityState.PAUSING:
            self._enqueue(activity)

    # Ends

    def _end(self, activity: Activity, kind: Kind, *, retry_state: int = 0, **how: Any) -> None:
        """Write the end, and only now the start of the last attempt, as the server does."""
        execution = activity.execution
        end = ActivityEnd(
            activity.body.seq,
            activity.scheduled_id,
            identity=activity.identity,
            retry_state=retry_state,
            **how,
        )
        if activity.state is ActivityState.RUNNING:
            start = ActivityStart(
                activity.scheduled_id, activity.attempt, activity.last_failure, activity.identity
            )
            started = execution.write(Kind.ACTIVITY_STARTED, activity.started_at, start)
            # The number that a held back event gets is known once it is written.
            end.started = started
        self._finish(activity)
        self._server.workflow_tasks.add_event(execution, kind, end)

    def _finish(self, activity: Activity) -> None:
        activity.stop_timers()
        activity.execution.activities.pop(activity.body.seq, None)


def is_open(activity: Activity) -> bool:
    """Whether the workflow still waits for an activity."""
    return activity.execution.activities.get(activity.body.seq) is activity


def _is_current(activity: Activity, attempt: int) -> bool:
    return (
        is_open(activity)
        and activity.state is ActivityState.RUNNING
        and activity.attempt == attempt
    )


def seconds_of(duration: Any) -> float:
    """Return a duration in seconds; 0 means that there is no limit."""
    return float(duration.seconds + duration.nanos / 1e9)

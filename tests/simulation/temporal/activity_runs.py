"""The activities that a worker runs: the SDK's own code, with this instead of its core."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.failure.v1 import Failure
from temporalio.bridge.proto import ActivityHeartbeat, ActivityTaskCompletion
from temporalio.bridge.proto.activity_task import ActivityCancellationDetails, Cancel
from temporalio.bridge.proto.activity_task import Start as StartMessage
from temporalio.client import Client
from temporalio.common import MetricMeter
from temporalio.worker import Interceptor
from temporalio.worker._activity import _ActivityWorker, _RunningActivity

from tests.simulation import processes, virtual_time
from tests.simulation.temporal import chance
from tests.simulation.temporal.activities import seconds_of
from tests.simulation.temporal.heartbeats import Heartbeats
from tests.simulation.temporal.records import Activity
from tests.simulation.temporal.refusals import NotSimulated

if TYPE_CHECKING:
    from tests.simulation.temporal.server import TemporalServer

# What core adds to a time-out before it takes an attempt for lost on its own.
_GRACE_SECONDS = 5.0


@dataclass(slots=True, eq=False)
class _Attempt:
    activity: Activity
    number: int
    token: bytes
    heartbeats: Heartbeats
    running: _RunningActivity
    on_end: Callable[[], None]
    timers: dict[str, asyncio.TimerHandle] = field(default_factory=dict)
    is_canceled: bool = False
    heard_at: float = 0.0
    """When the newest heartbeat that was sent is heard."""


class ActivityRuns:
    """The attempts that one worker has under way."""

    def __init__(
        self,
        server: "TemporalServer",
        client: Client,
        *,
        task_queue: str,
        activities: list[Callable[..., Any]],
        interceptors: list[Interceptor],
        longest_pause: float,
        default_pause: float,
    ) -> None:
        self._server = server
        self._pauses = (longest_pause, default_pause)
        self._attempts: dict[bytes, _Attempt] = {}
        self._numbers = 0
        self._process: processes.Process | None = None
        self._worker = _ActivityWorker(
            bridge_worker=lambda: self,  # type: ignore[return-value]
            task_queue=task_queue,
            activities=activities,
            activity_executor=None,
            shared_state_manager=None,
            data_converter=client.data_converter,
            interceptors=interceptors,
            metric_meter=MetricMeter.noop,
            client=client,
            encode_headers=False,
        )

    def use_client(self, client: Client) -> None:
        """Give activities another client from now on."""
        self._worker._client = client

    def enter(self, process: processes.Process) -> None:
        """Run all attempts in a process from now on."""
        self._process = process

    def start(self, activity: Activity, number: int, on_end: Callable[[], None]) -> None:
        """Run an attempt; `on_end` is called once its slot is free again."""
        assert self._process is not None
        self._numbers += 1
        token = self._numbers.to_bytes(8, "big")
        longest, default = self._pauses
        attempt = _Attempt(
            activity=activity,
            number=number,
            token=token,
            heartbeats=Heartbeats(
                self._loop,
                lambda details: self._send_heartbeat(attempt, details),
                timeout_seconds=seconds_of(activity.body.heartbeat_timeout),
                longest_pause=longest,
                default_pause=default,
            ),
            running=_RunningActivity(),
            on_end=on_end,
        )
        self._attempts[token] = attempt
        self._worker._running_activities[token] = attempt.running
        attempt.running.task = self._process.start(
            self._worker._handle_start_activity_task(
                token, self._start_message(activity), attempt.running
            )
        )
        self._watch(attempt, "start to close", seconds_of(activity.body.start_to_close_timeout))
        self._watch(attempt, "heartbeat", seconds_of(activity.body.heartbeat_timeout))

    @property
    def count(self) -> int:
        """How many attempts are under way."""
        return len(self._attempts)

    def notify_shutdown(self) -> None:
        """Let activities that ask know that the worker ends."""
        self._worker.notify_shutdown()

    def cancel_all(self) -> None:
        """Cancel what runs, since the worker ends."""
        for attempt in tuple(self._attempts.values()):
            self._cancel(attempt, is_worker_shutdown=True)

    async def wait(self) -> None:
        """Return once no attempt is under way."""
        while self._attempts:
            tasks = [one.running.task for one in self._attempts.values() if one.running.task]
            await asyncio.wait(tasks)

    # What the SDK calls

    def record_activity_heartbeat(self, heartbeat: ActivityHeartbeat) -> None:
        """Take over a heartbeat."""
        attempt = self._attempts.get(heartbeat.task_token)
        if attempt is not None:
            attempt.heartbeats.record(list(heartbeat.details))

    async def complete_activity_task(self, completion: ActivityTaskCompletion) -> None:
        """Take over the end of an attempt, and send it to the server."""
        attempt = self._attempts.pop(completion.task_token)
        for timer in attempt.timers.values():
            timer.cancel()
        held = attempt.heartbeats.close()
        answer: asyncio.Future[None] = self._loop.create_future()
        seconds = self._server.chance.delay(chance.COMPLETION)
        # Core sends the end of an attempt only after its heartbeats.
        seconds += max(0.0, attempt.heard_at - self._server.time())
        if not self._server.chance.happens(chance.COMPLETION_LOST):
            self._server.later(seconds, self._server.deliver, self._end, attempt, completion, held)
        self._loop.call_later(seconds, answer.set_result, None)
        await answer
        attempt.on_end()

    # Between worker and server

    @property
    def _loop(self) -> virtual_time.VirtualLoop:
        return self._server.loop

    def _end(
        self, attempt: _Attempt, completion: ActivityTaskCompletion, held: list[Payload] | None
    ) -> None:
        result, activities = completion.result, self._server.activities
        if held is not None:
            activities.heartbeat(attempt.activity, attempt.number, held)
        match result.WhichOneof("status"):
            case "completed":
                activities.complete(attempt.activity, attempt.number, result.completed.result)
            case "failed":
                activities.fail(attempt.activity, attempt.number, result.failed.failure)
            case "cancelled":
                failure = result.cancelled.failure
                if not activities.cancel(attempt.activity, attempt.number, failure):
                    self._stopped(attempt)
            case status:
                raise NotSimulated(f"activities that end with {status}")

    def _stopped(self, attempt: _Attempt) -> None:
        """An attempt was canceled by the end of its worker, and by no workflow."""
        failure = Failure(message="Worker is shutting down", source="CoreSDK")
        failure.application_failure_info.type = "WorkerShutdown"
        self._server.activities.fail(attempt.activity, attempt.number, failure)

    def _send_heartbeat(self, attempt: _Attempt, details: list[Payload]) -> None:
        self._watch(attempt, "heartbeat", seconds_of(attempt.activity.body.heartbeat_timeout))
        seconds = self._server.chance.delay(chance.CALL)
        attempt.heard_at = self._server.time() + seconds
        self._server.later(seconds, self._hear_heartbeat, attempt, details)

    def _hear_heartbeat(self, attempt: _Attempt, details: list[Payload]) -> None:
        if not self._server.is_up:
            return
        answer = self._server.activities.heartbeat(attempt.activity, attempt.number, details)
        if answer is not False:
            assert self._process is not None
            self._loop.call_later(
                self._server.chance.delay(chance.ANSWER),
                self._cancel_if_running,
                attempt,
                "is_not_found" if answer is None else "is_cancelled",
                context=self._process.context,
            )

    def _cancel_if_running(self, attempt: _Attempt, why: str) -> None:
        if attempt.token in self._attempts:
            self._cancel(attempt, **{why: True})

    def _cancel(self, attempt: _Attempt, **details: bool) -> None:
        if attempt.is_canceled:
            return
        attempt.is_canceled = True
        message = Cancel(details=ActivityCancellationDetails(**details))
        self._worker._handle_cancel_activity_task(attempt.token, message)

    def _watch(self, attempt: _Attempt, name: str, seconds: float) -> None:
        """Cancel an attempt here once the server is sure to have given it up."""
        if not seconds or self._process is None or attempt.token not in self._attempts:
            return
        if (timer := attempt.timers.pop(name, None)) is not None:
            timer.cancel()
        attempt.timers[name] = self._loop.call_later(
            seconds + _GRACE_SECONDS,
            self._cancel_if_running,
            attempt,
            "is_timed_out",
            context=self._process.context,
        )

    def _start_message(self, activity: Activity) -> StartMessage:
        body, execution = activity.body, activity.execution
        return StartMessage(
            workflow_namespace=self._server.namespace,
            workflow_type=execution.start.workflow_type,
            workflow_execution=WorkflowExecution(
                workflow_id=execution.workflow_id, run_id=execution.run_id
            ),
            activity_id=body.activity_id,
            activity_type=body.activity_type,
            input=body.arguments,
            heartbeat_details=activity.details or (),
            scheduled_time=self._stamp(activity.scheduled_at),
            current_attempt_scheduled_time=self._stamp(activity.attempt_scheduled_at),
            started_time=self._stamp(activity.started_at),
            attempt=activity.attempt,
            schedule_to_close_timeout=body.schedule_to_close_timeout,
            start_to_close_timeout=body.start_to_close_timeout,
            heartbeat_timeout=body.heartbeat_timeout,
            retry_policy=body.retry_policy,
        )

    def _stamp(self, time: float) -> Timestamp:
        stamp = Timestamp()
        stamp.FromMicroseconds(round((virtual_time.EPOCH + time) * 1_000_000))
        return stamp

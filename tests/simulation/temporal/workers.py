"""Workers, instead of `temporalio.worker.Worker`: polls, slots, cache and shutdown.

A worker belongs to the process that runs it, and dies with it: what it had started times out.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

import temporalio.worker
from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure
from temporalio.client import Client

from tests.simulation import processes
from tests.simulation.temporal import chance, task_queues
from tests.simulation.temporal.activity_runs import ActivityRuns
from tests.simulation.temporal.connections import connection_of
from tests.simulation.temporal.history import Command
from tests.simulation.temporal.instances import Instances
from tests.simulation.temporal.records import Activity, Execution, Query, WorkflowTask
from tests.simulation.temporal.refusals import NotSimulated
from tests.simulation.temporal.workflow_run import NotDeterministic, TaskFailed

_SLOTS = 100
# What the SDK keeps open of each kind, and how long the server lets a poll wait.
_POLLS = 5
_LONGEST_POLL_SECONDS = 60.0
_FAILED = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE
_NOT_DETERMINISTIC = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR


class Worker:
    """One worker of one task queue."""

    def __init__(
        self,
        client: Client,
        *,
        task_queue: str,
        activities: Sequence[Callable[..., Any]] = (),
        workflows: Sequence[type] = (),
        workflow_runner: temporalio.worker.WorkflowRunner | None = None,
        interceptors: Sequence[temporalio.worker.Interceptor] = (),
        identity: str | None = None,
        build_id: str | None = None,
        max_cached_workflows: int = 1000,
        max_concurrent_workflow_tasks: int | None = None,
        max_concurrent_activities: int | None = None,
        max_concurrent_activity_task_polls: int = _POLLS,
        nonsticky_to_sticky_poll_ratio: float = 0.2,
        graceful_shutdown_timeout: timedelta = timedelta(),
        max_heartbeat_throttle_interval: timedelta = timedelta(seconds=60),
        default_heartbeat_throttle_interval: timedelta = timedelta(seconds=30),
    ) -> None:
        if client.data_converter.payload_codec is not None:
            raise NotSimulated("workers with a payload codec")
        self._connection = connection_of(client)
        self._server = self._connection.server
        self._client = client
        self.identity = identity or client.identity
        self.build_id = build_id
        self._task_queue = task_queue
        self._grace_seconds = graceful_shutdown_timeout.total_seconds()
        self._slots = {
            task_queues.WORKFLOW: (max_concurrent_workflow_tasks or _SLOTS) if workflows else 0,
            task_queues.ACTIVITY: (max_concurrent_activities or _SLOTS) if activities else 0,
        }
        self._polls = {
            task_queues.WORKFLOW: _POLLS,
            task_queues.ACTIVITY: max_concurrent_activity_task_polls,
        }
        # How many polls a worker that hangs has left open: they are answered all the same.
        self._open_polls = dict.fromkeys(self._polls, 0)
        self._polls_end_at = 0.0
        self._kinds = [kind for kind, slots in self._slots.items() if slots]
        self.sticky_queue = task_queues.TaskQueue("", task_queues.WORKFLOW, self._server.chance)
        self._is_polling = False
        self._process: processes.Process | None = None
        self._stop = asyncio.Event()
        self._ended = asyncio.Event()
        self._instances = Instances(
            self._server,
            client,
            task_queue=task_queue,
            workflows=workflows,
            interceptors=interceptors,
            most=max_cached_workflows,
        )
        self._activities = ActivityRuns(
            self._server,
            client,
            task_queue=task_queue,
            activities=list(activities),
            interceptors=list(interceptors),
            longest_pause=max_heartbeat_throttle_interval.total_seconds(),
            default_pause=default_heartbeat_throttle_interval.total_seconds(),
        )

    # What the SDK's worker has

    @property
    def client(self) -> Client:
        """The client whose connection it polls through."""
        return self._client

    @client.setter
    def client(self, client: Client) -> None:
        self._client = client
        self._connection = connection_of(client)
        self._activities.use_client(client)
        self._server.match()

    @property
    def is_running(self) -> bool:
        """Whether it polls."""
        return self._is_polling

    async def run(self) -> None:
        """Poll until it is shut down, or canceled."""
        self._enter(processes.OWNER.get())
        try:
            await self._stop.wait()
        finally:
            await self._leave()

    async def shutdown(self) -> None:
        """Stop polling, give activities their time, cancel them, and return once all have ended."""
        self._stop.set()
        await self._ended.wait()

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self.run())
        await asyncio.sleep(0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.shutdown()
        await self._running

    def _enter(self, process: processes.Process) -> None:
        self._process = process
        self._activities.enter(process)
        process.on_kill.append(self._on_kill)
        process.on_freeze.append(self._on_freeze)
        process.on_thaw.append(self._on_thaw)
        self._is_polling = True
        self.sticky_queue.pollers.append(self)
        for kind in self._kinds:
            queue = self._server.queue(self._task_queue, kind)
            queue.pollers.append(self)
            queue.match()

    async def _leave(self) -> None:
        self._leave_queues()
        # Those that know of this worker only wait for no other one in vain.
        for execution in tuple(self._server.executions()):
            if execution.sticky is self:
                self._server.workflow_tasks.release_worker(execution)
        self._activities.notify_shutdown()
        if self._activities.count:
            waiting = asyncio.create_task(self._activities.wait())
            await asyncio.wait([waiting], timeout=self._grace_seconds)
            self._activities.cancel_all()
            await waiting
        self._instances.evict_all()
        self._ended.set()

    def _on_kill(self) -> None:
        """Its process was killed."""
        self._leave_queues()
        self._instances.evict_all()

    def _on_freeze(self) -> None:
        """Its process hangs."""
        self._open_polls = dict(self._polls)
        self._polls_end_at = self._server.loop.time() + _LONGEST_POLL_SECONDS

    def _on_thaw(self) -> None:
        """Its process runs on, and asks for tasks again."""
        self.sticky_queue.match()
        self._server.match()

    def _leave_queues(self) -> None:
        self._is_polling = False
        self.sticky_queue.pollers.clear()
        for kind in self._kinds:
            pollers = self._server.queue(self._task_queue, kind).pollers
            if self in pollers:
                pollers.remove(self)

    # What the server sees

    @property
    def caches(self) -> bool:
        """Whether it keeps executions in memory between their tasks."""
        return self._instances.are_kept

    def is_polling(self, kind: str) -> bool:
        """Whether it would do tasks of this kind, once it has time."""
        return self._is_polling and self._connection.is_up and kind in self._kinds

    def has_slot(self, kind: str) -> bool:
        """Whether it could do a task of this kind now."""
        process = self._process
        return (
            self._slots[kind] > 0
            and self.is_polling(kind)
            and process is not None
            and process.is_alive
            and (not process.is_frozen or self._has_open_poll(kind))
        )

    def _has_open_poll(self, kind: str) -> bool:
        return self._open_polls[kind] > 0 and self._server.loop.time() < self._polls_end_at

    def _take(self, kind: str) -> None:
        self._slots[kind] -= 1
        self._open_polls[kind] -= 1

    def take_workflow_task(
        self, execution: Execution, task: WorkflowTask, queries: list[Query]
    ) -> None:
        """Be given a workflow task, with the queries that wait for it."""
        self._take(task_queues.WORKFLOW)
        self._dispatch(self._do_workflow_task, execution, task, queries)

    def take_query(self, execution: Execution, query: Query) -> None:
        """Be given a query of an execution that has no news."""
        self._take(task_queues.WORKFLOW)
        self._dispatch(self._do_query, execution, query)

    def take_activity(self, activity: Activity, attempt: int) -> None:
        """Be given an attempt of an activity."""
        self._take(task_queues.ACTIVITY)
        self._dispatch(self._do_activity, activity, attempt)

    def evict(self, execution: Execution) -> None:
        """Drop an execution that has closed."""
        self._instances.evict(execution.run_id)

    # What its process does

    def _dispatch(self, callback: Callable[..., None], *args: Any) -> None:
        assert self._process is not None
        self._server.loop.call_later(
            self._server.chance.delay(chance.DISPATCH),
            callback,
            *args,
            context=self._process.context,
        )

    def _send(self, what: str, callback: Callable[..., None], *args: Any) -> None:
        """Have the server do something; it is sent, whatever becomes of this process."""
        self._server.later(self._server.chance.delay(what), self._server.deliver, callback, *args)

    def _free(self, kind: str) -> None:
        self._slots[kind] += 1
        self.sticky_queue.match()
        self._server.queue(self._task_queue, kind).match()

    def _do_activity(self, activity: Activity, attempt: int) -> None:
        self._activities.start(activity, attempt, lambda: self._free(task_queues.ACTIVITY))

    def _do_workflow_task(
        self, execution: Execution, task: WorkflowTask, queries: list[Query]
    ) -> None:
        if execution.task is not task:
            self._free(task_queues.WORKFLOW)
            return
        try:
            run = self._instances.get(execution)
            commands = run.do_task(task.started_id)
            answers = {query: run.answer(query) for query in queries}
        except (TaskFailed, NotDeterministic) as error:
            self.evict(execution)
            self._fail(execution, task, error)
            return
        self._instances.unconfirmed.add(execution.run_id)
        if self._server.chance.happens(chance.COMPLETION_LOST):
            self._free(task_queues.WORKFLOW)
            return
        self._send(chance.WORKFLOW_TASK, self._complete, execution, task, commands, answers)

    def _complete(
        self, execution: Execution, task: WorkflowTask, commands: list[Command], answers: Any
    ) -> None:
        is_known = self._server.workflow_tasks.complete(execution, task, commands, answers)
        self._instances.unconfirmed.discard(execution.run_id)
        if not is_known or not self.caches:
            self.evict(execution)
        self._free(task_queues.WORKFLOW)

    def _fail(
        self, execution: Execution, task: WorkflowTask, error: TaskFailed | NotDeterministic
    ) -> None:
        cause, failure = _NOT_DETERMINISTIC, Failure(message=str(error))
        if isinstance(error, TaskFailed):
            cause, failure = _FAILED, error.failure
        self._server.add_fault(f"{execution.workflow_id}: {failure.message}")

        def report() -> None:
            self._server.workflow_tasks.fail(execution, task, cause, failure)
            self._free(task_queues.WORKFLOW)

        self._send(chance.WORKFLOW_TASK, report)

    def _do_query(self, execution: Execution, query: Query) -> None:
        try:
            run = self._instances.get(execution)
            answer = run.answer(query)
        except (TaskFailed, NotDeterministic) as error:
            self.evict(execution)
            self._server.add_fault(f"{execution.workflow_id}: {error}")
            answer = Failure(message=str(error))

        def report() -> None:
            if not query.answer.done():
                query.answer.set_result(answer)
            self._free(task_queues.WORKFLOW)

        self._send(chance.WORKFLOW_TASK, report)

"""Workflow tasks: scheduled when there is news, started by a worker, completed or tried again."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure

from tests.simulation.temporal import task_queues
from tests.simulation.temporal.history import (
    ENDS_OF_OTHERS,
    Command,
    Event,
    Kind,
    TaskEnd,
    TaskFailure,
)
from tests.simulation.temporal.records import Execution, Query, WorkflowTask
from tests.simulation.temporal.workflow_run import ENDS

if TYPE_CHECKING:
    from tests.simulation.temporal.server import TemporalServer
    from tests.simulation.temporal.workers import Worker

# How long a worker that knows an execution has to take up its task, and how long a task may take.
STICKY_SECONDS = 10.0
TASK_SECONDS = 10.0

_UNHANDLED = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND
# From this attempt on the server waits between attempts.
_PATIENT_ATTEMPTS = 3
_FIRST_WAIT = 5.0
_LONGEST_WAIT = 600.0
# From this attempt on no caller has to wait for an answer to a query.
FAILING_ATTEMPTS = 3


class WorkflowTasks:
    """The workflow tasks of all executions."""

    def __init__(self, server: "TemporalServer") -> None:
        self._server = server

    def add_event(self, execution: Execution, kind: Kind, data: Any = None) -> Event:
        """Write what has happened, and let the workflow know."""
        event = execution.write(kind, self._server.time(), data)
        self.schedule(execution)
        execution.wake_waiters()
        return event

    def schedule(self, execution: Execution) -> None:
        """Schedule a task, unless there is one already."""
        if not execution.is_running or execution.task is not None:
            return
        now = self._server.time()
        task = WorkflowTask(attempt=execution.task_attempt, scheduled_at=now)
        execution.task = task
        if task.attempt == 1:
            execution.history.add(Kind.TASK_SCHEDULED, now, execution.start.task_queue)
        self._enqueue(execution, task)

    def _enqueue(self, execution: Execution, task: WorkflowTask) -> None:
        item = task_queues.Item(
            assign=lambda poller: self._start(execution, task, poller),  # type: ignore[arg-type]
            is_stale=lambda: execution.task is not task or task.worker is not None,
            added_at=task.scheduled_at,
        )
        sticky = execution.sticky
        if sticky is not None and task.attempt == 1:
            task.is_sticky = True
            task.timer = self._server.later(
                STICKY_SECONDS, self._not_taken_up, execution, task, item
            )
            sticky.sticky_queue.add(item)
        else:
            self._server.queue(execution.start.task_queue, task_queues.WORKFLOW).add(item)

    def _not_taken_up(
        self, execution: Execution, task: WorkflowTask, item: task_queues.Item
    ) -> None:
        if item.is_stale():
            return
        execution.sticky = None
        execution.task = None
        execution.history.add(Kind.TASK_TIMED_OUT, self._server.time(), "schedule to start")
        self.schedule(execution)

    def release_worker(self, execution: Execution) -> None:
        """Give the task of an execution to any worker: the one that knew it has signed off."""
        execution.sticky = None
        task = execution.task
        if task is None or task.worker is not None or not task.is_sticky:
            return
        if task.timer is not None:
            task.timer.cancel()
        replacement = WorkflowTask(attempt=task.attempt, scheduled_at=task.scheduled_at)
        execution.task = replacement
        self._enqueue(execution, replacement)

    def _start(self, execution: Execution, task: WorkflowTask, worker: "Worker") -> None:
        now = self._server.time()
        if task.timer is not None:
            task.timer.cancel()
        if task.attempt > 1:
            # Only written for good if the attempt is completed.
            execution.history.add(Kind.TASK_SCHEDULED, task.scheduled_at, None)
        task.started_id = execution.history.add(Kind.TASK_STARTED, now, worker.identity).id
        task.worker = worker
        task.timer = self._server.later(
            _task_seconds(task.attempt), self._timed_out, execution, task
        )
        queries, execution.queries = execution.queries, []
        worker.take_workflow_task(execution, task, queries)

    def complete(
        self,
        execution: Execution,
        task: WorkflowTask,
        commands: list[Command],
        answers: Mapping[Query, Payload | Failure],
    ) -> bool:
        """Take over what a worker makes of a task; False if it comes too late, or too early."""
        if execution.task is not task or not execution.is_running:
            return False
        assert task.worker is not None
        if execution.held_back and any(command.kind in ENDS for command in commands):
            self._fail(execution, task, _UNHANDLED, Failure(message="UnhandledCommand"))
            for query in answers:
                self._server.ask(execution, query)
            return False
        self._end(task)
        execution.task, execution.task_attempt, execution.task_failure = None, 1, None
        execution.sticky = task.worker if task.worker.caches else None
        end = TaskEnd(commands, task.started_id, task.worker.identity)
        completed = execution.history.add(Kind.TASK_COMPLETED, self._server.time(), end)
        execution.history.tasks.append((task.started_id, completed.id))
        is_due = self._server.commands.apply(execution, commands)
        for query, answer in answers.items():
            if not query.answer.done():
                query.answer.set_result(answer)
        if self._let_in(execution) or is_due:
            self.schedule(execution)
        # Those that came after the task was started.
        self._server.queries.ask_again(execution)
        execution.wake_waiters()
        return True

    def fail(self, execution: Execution, task: WorkflowTask, cause: int, failure: Failure) -> None:
        """Take over that a worker could not do a task."""
        if execution.task is not task or not execution.is_running:
            return
        execution.task_failure = failure
        if task.attempt == 1:
            self._fail(execution, task, cause, failure)
        # Core is silent about further ones, so that the server waits until their time is over.

    def _fail(self, execution: Execution, task: WorkflowTask, cause: int, failure: Failure) -> None:
        self._withdraw(execution, task)
        if task.attempt == 1:
            execution.history.add(
                Kind.TASK_FAILED,
                self._server.time(),
                TaskFailure(cause, failure, identity=task.worker.identity if task.worker else ""),
            )
        self._try_again(execution, task)

    def _timed_out(self, execution: Execution, task: WorkflowTask) -> None:
        if execution.task is not task:
            return
        self._withdraw(execution, task)
        if task.attempt == 1:
            execution.history.add(Kind.TASK_TIMED_OUT, self._server.time(), "start to close")
        self._try_again(execution, task)

    def _withdraw(self, execution: Execution, task: WorkflowTask) -> None:
        self._end(task)
        execution.task, execution.sticky = None, None
        if task.attempt > 1:
            del execution.history.events[-2:]

    def _try_again(self, execution: Execution, task: WorkflowTask) -> None:
        # With news it is another task, and not one that has failed before.
        execution.task_attempt = 1 if self._let_in(execution) else task.attempt + 1
        self.schedule(execution)
        execution.wake_waiters()

    def _end(self, task: WorkflowTask) -> None:
        if task.timer is not None:
            task.timer.cancel()

    def _let_in(self, execution: Execution) -> bool:
        """Write what was held back; return whether there was anything."""
        held_back, execution.held_back = execution.held_back, []
        if not execution.is_running:
            return False
        held_back.sort(key=lambda event: event.kind in ENDS_OF_OTHERS)
        for event in held_back:
            execution.history.append(event)
        return bool(held_back)


def _task_seconds(attempt: int) -> float:
    if attempt <= _PATIENT_ATTEMPTS:
        return TASK_SECONDS
    wait = _FIRST_WAIT * 2.0 ** (attempt - _PATIENT_ATTEMPTS)
    return TASK_SECONDS + min(wait, _LONGEST_WAIT)

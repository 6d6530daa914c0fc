"""The stand-in for the Temporal server: one namespace, in memory, under virtual time.

It acts as the real server does in whatever the product uses, and refuses everything else
(`NotSimulated`).
"""

import asyncio
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from temporalio.api.enums.v1 import WorkflowIdReusePolicy

from tests.simulation import virtual_time
from tests.simulation.temporal import chance as chances
from tests.simulation.temporal import task_queues
from tests.simulation.temporal.activities import Activities
from tests.simulation.temporal.chance import Chance
from tests.simulation.temporal.children import Children, refuse_policy
from tests.simulation.temporal.commands import Commands
from tests.simulation.temporal.history import Kind
from tests.simulation.temporal.queries import Queries
from tests.simulation.temporal.records import Execution, Query, Start, Status
from tests.simulation.temporal.refusals import GONE
from tests.simulation.temporal.schedules import Schedules
from tests.simulation.temporal.service import Service
from tests.simulation.temporal.visibility import Visibility
from tests.simulation.temporal.workflow_tasks import WorkflowTasks

DAY = 86_400.0

_STATUS = {
    Kind.COMPLETED: Status.COMPLETED,
    Kind.FAILED: Status.FAILED,
    Kind.CANCELED: Status.CANCELED,
    Kind.TERMINATED: Status.TERMINATED,
    Kind.TIMED_OUT: Status.TIMED_OUT,
}


class TemporalServer:
    """Executions, task queues and schedules; `faults` are faults of workflows that it has seen."""

    def __init__(
        self,
        loop: virtual_time.VirtualLoop,
        chance: Chance,
        *,
        namespace: str = "default",
        retention_seconds: float = DAY,
    ) -> None:
        self.loop = loop
        self.chance = chance
        self.namespace = namespace
        self.retention_seconds = retention_seconds
        self.faults: list[str] = []
        self.is_up = True
        self.workflow_tasks = WorkflowTasks(self)
        self.commands = Commands(self)
        self.activities = Activities(self)
        self.children = Children(self)
        self.visibility = Visibility(self)
        self.queries = Queries(self)
        self.schedules = Schedules(self)
        self.service = Service(self)
        # What workers send while no one answers: they try on.
        self._undelivered: list[Callable[[], object]] = []
        self._waiting: list[asyncio.Future[Any]] = []
        self._queues: dict[tuple[str, str], task_queues.TaskQueue] = {}
        # All runs of a workflow id, the oldest first.
        self._executions: dict[str, list[Execution]] = {}

    # Time

    def time(self) -> float:
        """Return the seconds since the world began."""
        return self.loop.time()

    def later(
        self, seconds: float, callback: Callable[..., Any], *args: Any
    ) -> asyncio.TimerHandle:
        """Do something after exactly so many seconds."""
        return self.loop.call_later(seconds, callback, *args, context=self.loop.world.context)

    def on_time(
        self, seconds: float, callback: Callable[..., Any], *args: Any
    ) -> asyncio.TimerHandle:
        """Do something after so many seconds, or somewhat later, as timers do."""
        return self.later(seconds + self.chance.delay(chances.TIMER), callback, *args)

    def transfer(self, callback: Callable[..., Any], *args: Any) -> None:
        """Do soon what one execution wants of another one."""
        self.later(self.chance.delay(chances.TRANSFER), callback, *args)

    # Outages

    def go_down(self) -> None:
        """Answer no one, and hand out no tasks; time continues for all executions."""
        self.is_up = False
        waiting, self._waiting = self._waiting, []
        for answer in waiting:
            if not answer.done():
                answer.set_result(GONE)

    def come_up(self) -> None:
        """Answer again."""
        self.is_up = True
        undelivered, self._undelivered = self._undelivered, []
        for callback in undelivered:
            self.later(self.chance.delay(chances.COMPLETION), self.deliver, callback)
        self.match()

    def match(self) -> None:
        """Hand out what waits, after something has changed about those who poll."""
        for queue in tuple(self._queues.values()):
            queue.match()

    def add_waiting(self, answer: "asyncio.Future[Any]") -> None:
        """Note an answer that someone waits for: an outage ends the wait."""
        self._waiting = [one for one in self._waiting if not one.done()]
        self._waiting.append(answer)

    def deliver(self, callback: Callable[..., object], *args: Any) -> None:
        """Do what a worker has sent, now or once there is someone to answer."""
        if self.is_up:
            callback(*args)
        else:
            self._undelivered.append(lambda: callback(*args))

    # What there is

    def queue(self, name: str, kind: str) -> task_queues.TaskQueue:
        """Return a task queue, which is there as soon as someone names it."""
        found = self._queues.get((name, kind))
        if found is None:
            found = self._queues[name, kind] = task_queues.TaskQueue(name, kind, self.chance)
        return found

    def executions(self) -> Iterator[Execution]:
        """Give all runs of all ids."""
        for runs in self._executions.values():
            yield from runs

    def latest(self, workflow_id: str) -> Execution | None:
        """Return the newest run of an id."""
        runs = self._executions.get(workflow_id)
        return runs[-1] if runs else None

    def find_run(self, workflow_id: str, run_id: str) -> Execution | None:
        """Return one run, or the newest one if no run id is given."""
        if not run_id:
            return self.latest(workflow_id)
        runs = self._executions.get(workflow_id, ())
        return next((run for run in runs if run.run_id == run_id), None)

    def after_resets(self, execution: Execution | None) -> Execution | None:
        """Return the run that resets have made of an execution; it is itself if there were none."""
        while execution is not None and execution.reset_run_id:
            execution = self.find_run(execution.workflow_id, execution.reset_run_id)
        return execution

    # Starts

    def is_free(self, workflow_id: str, reuse_policy: int) -> bool:
        """Whether an id may be used (again), now that nothing else is asked for."""
        refuse_policy(reuse_policy)
        latest = self.latest(workflow_id)
        if latest is None:
            return True
        if latest.is_running:
            return False
        match reuse_policy:
            case WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE:
                return False
            case WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY:
                return latest.status is not Status.COMPLETED
            case _:
                return True

    def start_execution(self, start: Start) -> Execution:
        """Start an execution, whose id is free."""
        run_id = self.chance.token()
        start = dataclasses.replace(
            start,
            run_id=run_id,
            first_run_id=start.first_run_id or run_id,
            original_run_id=start.original_run_id or run_id,
            time=start.time or self.time(),
        )
        execution = Execution(start)
        self._executions.setdefault(start.workflow_id, []).append(execution)
        execution.history.add(Kind.STARTED, self.time(), start)
        if start.execution_timeout:
            execution.closing_timer = self.later(
                start.execution_timeout, self.close_if_open, execution, Kind.TIMED_OUT, None
            )
        self.visibility.update(execution)
        self.workflow_tasks.schedule(execution)
        return execution

    def add_run(self, execution: Execution) -> None:
        """Add a run that was made of another one by a reset."""
        self._executions.setdefault(execution.workflow_id, []).append(execution)
        self.visibility.update(execution)

    # Ends

    def request_cancel(self, execution: Execution, *, reason: str, request_id: str = "") -> None:
        """Ask an execution to end; asked again it hears nothing."""
        if execution.is_running and not execution.is_cancel_requested:
            execution.is_cancel_requested = True
            execution.cancel_request_id = request_id
            self.workflow_tasks.add_event(execution, Kind.CANCEL_REQUESTED, reason)

    def terminate(self, execution: Execution, *, reason: str) -> None:
        """End an execution at once, whatever it does."""
        self.close_if_open(execution, Kind.TERMINATED, reason)

    def close_if_open(self, execution: Execution, kind: Kind, data: Any) -> None:
        """End an execution from outside; what has come in meanwhile is written first."""
        if not execution.is_running:
            return
        task = execution.task
        if task is not None and task.timer is not None:
            task.timer.cancel()
        execution.task = None
        for event in execution.held_back:
            execution.history.append(event)
        execution.held_back = []
        self.close(execution, kind, data)

    def close(self, execution: Execution, kind: Kind, data: Any) -> None:
        """Write the last event, and let all know."""
        execution.history.add(kind, self.time(), data)
        execution.status = _STATUS[kind]
        execution.close_time = self.time()
        for timer in execution.timers.values():
            timer.cancel()
        execution.timers.clear()
        if execution.closing_timer is not None:
            execution.closing_timer.cancel()
        self.activities.drop_all(execution)
        if execution.sticky is not None:
            execution.sticky.evict(execution)
        execution.wake_waiters()
        self.visibility.update(execution)
        if not execution.reset_run_id:
            self.transfer(self.children.ended, execution)
            if execution.children:
                self.transfer(self.children.parent_closed, execution)
        self.transfer(self.schedules.ended, execution)
        self.later(self.retention_seconds, self.delete, execution)
        self.queries.ask_again(execution)

    def delete(self, execution: Execution) -> None:
        """Delete an execution, as its retention or someone wants it."""
        if execution.is_running:
            self.terminate(execution, reason="deleted")
        runs = self._executions.get(execution.workflow_id, [])
        if execution in runs:
            runs.remove(execution)
        if not runs:
            self._executions.pop(execution.workflow_id, None)
        self.visibility.remove(execution)

    def ask(self, execution: Execution, query: Query) -> None:
        """Have a worker answer a query."""
        self.queries.ask(execution, query)

    # Problems

    def add_fault(self, text: str) -> None:
        """Note a fault of a workflow: whoever runs the simulation looks."""
        self.faults.append(text)

"""Builds the workers of each role: which workflows and activities run on which queue.

See ADR 0009 and 0019.
"""

import asyncio
import contextlib
import functools
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol

import temporalio.client
import temporalio.exceptions
import temporalio.worker

from controller.config import connections, settings
from controller.notify import sinks
from controller.observability import metrics
from controller.spacelift import account_session
from controller.temporal import ids, messages, signing
from controller.temporal.activities import (
    chain_status,
    earlier_executions,
    earlier_stacks,
    execution_waits,
    newest_runs,
    notifications,
    operator_asks,
    root_runs,
    spacelift_clients,
    stack_dependencies,
    stack_operations,
    window_reading,
)
from controller.temporal.workflows import notification, stack_dependency_chain, stack_execution
from controller.temporal.workflows import scheduled_workflows as run_request_workflows

logger = logging.getLogger(__name__)

WORKFLOWS = (
    stack_dependency_chain.StackDependencyChainWorkflow,
    stack_execution.StackExecutionWorkflow,
    run_request_workflows.RequestRunWorkflow,
    run_request_workflows.RootSweepWorkflow,
)
NewWorker = Callable[..., temporalio.worker.Worker]
"""Makes a worker, as the SDK's class does.

With a build id: the SDK's own is a hash of the code of all modules, which it reads from their files
for 0.2 s at each start.
"""

NOTIFY_WORKFLOWS = (notification.NotificationWorkflow,)


# The share of the polls for workflow tasks that asks for the first tasks of new executions.
# By default it is one poll of five, through which the executions of a whole level of the graph
# start.
_FIRST_TASK_POLLS = 0.5

# How many polls an operator keeps open. Temporal hands a call to each of them also while the
# operator hangs, and makes it again once heartbeats are missed: with the five polls that the SDK
# has by default, a first publish, which all triggers wait for, took up to 50 s longer.
_OPERATOR_POLLS = 2

# How long an end is waited for once no activity runs: with Temporal it takes less than a second.
_IDLE_SECONDS = 4.0
_LOOK_SECONDS = 0.1


class _Counters:
    """Records the facts of activities in the worker's metrics."""

    def __init__(self, counters: metrics.Metrics) -> None:
        self._counters = counters

    def run_triggered(self) -> None:
        self._counters.runs_triggered.inc()

    def run_adopted(self) -> None:
        self._counters.runs_adopted.inc()

    def trigger_ambiguous(self) -> None:
        self._counters.trigger_ambiguous.inc()


def workflow_runner() -> temporalio.worker.WorkflowRunner:
    """Return what workflows run in: nothing that watches them, since tests do (docs/adr/0019).

    The sandbox loads a workflow's modules anew for each execution, which took most of the time of
    its first task.
    """
    return temporalio.worker.UnsandboxedWorkflowRunner()


class RunningActivities(temporalio.worker.Interceptor):
    """Counts the activities that run now, and those that refuse what they are to do."""

    def __init__(self, counters: metrics.Metrics) -> None:
        self.count = 0
        self._counters = counters

    def note_failure(self, error: temporalio.exceptions.ApplicationError) -> None:
        """Count a failure that is a refusal."""
        if error.type in metrics.WORK_REFUSALS:
            self._counters.work_refused.labels(error.type).inc()

    def intercept_activity(
        self,
        next: temporalio.worker.ActivityInboundInterceptor,  # noqa: A002 - the SDK's name
    ) -> temporalio.worker.ActivityInboundInterceptor:
        """Return what counts before and after the next one."""
        return _CountingInterceptor(next, self)


class _CountingInterceptor(temporalio.worker.ActivityInboundInterceptor):
    def __init__(
        self, inner: temporalio.worker.ActivityInboundInterceptor, running: RunningActivities
    ) -> None:
        super().__init__(inner)
        self._running = running

    async def execute_activity(self, input: temporalio.worker.ExecuteActivityInput) -> Any:  # noqa: A002
        self._running.count += 1
        try:
            return await super().execute_activity(input)
        except temporalio.exceptions.ApplicationError as error:
            self._running.note_failure(error)
            raise
        finally:
            self._running.count -= 1


class SpaceliftWorker:
    """The worker role: short calls and workflows on one queue, long waits on another.

    Notifications have a third one, if there are any sinks.
    """

    def __init__(
        self,
        client: temporalio.client.Client,
        *,
        all_settings: settings.Settings,
        catalog: connections.ConnectionCatalog,
        sink_catalog: sinks.SinkCatalog,
        counters: metrics.Metrics,
        new_worker: NewWorker = temporalio.worker.Worker,
        new_session: spacelift_clients.NewSession = account_session.AccountSession,
    ) -> None:
        """Take what the worker works with; the last two make what reaches outside."""
        self._client = client
        self._earlier = earlier_executions.EarlierExecutions(client)
        self._running = RunningActivities(counters)
        spacelift = all_settings.spacelift
        signing_keys = signing.SigningKeys(all_settings.temporal.signing_keys)
        self._grace_seconds = all_settings.worker.graceful_shutdown_seconds
        self.clients = spacelift_clients.SpaceliftClients(
            catalog,
            poll_seconds=spacelift.poll_seconds,
            request_timeout_seconds=spacelift.request_timeout_seconds,
            ca_file=str(spacelift.ca_file) if spacelift.ca_file else None,
            observer=functools.partial(_observe, counters),
            call_slots=all_settings.worker.max_concurrent_activities,
            wait_slots=all_settings.worker.max_concurrent_follows,
            on_refusal=lambda queue: counters.slots_refused.labels(queue).inc(),
            signing_keys=signing_keys,
            new_session=new_session,
        )
        counters.runs_followed.set_function(lambda: self.clients.followed)
        counters.follow_slots_taken.set_function(lambda: self.clients.waits)
        counters.follow_slots.set(all_settings.worker.max_concurrent_follows)
        operations = stack_operations.StackOperations(
            self.clients,
            limits=stack_operations.WaitLimits(
                adopt_settle=spacelift.adopt_settle_seconds,
                trigger_grace=spacelift.trigger_grace_seconds,
            ),
            counters=_Counters(counters),
            await_turn=self._await_turn,
            find_earlier=self._find_earlier,
            check_awaited=self._check_awaited,
        )
        earlier_stacks_finder = earlier_stacks.EarlierStackFinder(
            self._find_earlier_stacks, self._find_stack_ends
        )
        self._delivery = notifications.NotificationDelivery(
            sink_catalog, counters, signing_keys=signing_keys
        )
        identity = ids.worker_identity(all_settings.installation.pod_name, catalog.endpoints())
        make = functools.partial(
            new_worker,
            client,
            identity=identity,
            build_id=metrics.version(),
            interceptors=[self._running],
        )
        self._workers = _workers(
            make, all_settings, operations, earlier_stacks_finder, self.clients
        )
        if all_settings.notifications.file is not None:
            self._workers.append(_notify_worker(make, all_settings, self._delivery))

    def use_client(self, client: temporalio.client.Client) -> None:
        """Continue with another connection to Temporal."""
        self._client = client
        self._earlier = earlier_executions.EarlierExecutions(client)
        for one in self._workers:
            one.client = client

    async def _await_turn(self, argument: messages.AwaitTurnInput) -> messages.AwaitTurnResult:
        wait = execution_waits.TurnWait(self._client, argument, execution_waits.Pace())
        with self.clients.for_turn():
            return await wait.wait()

    async def _find_earlier(
        self, argument: messages.FindStackRunInput
    ) -> messages.EarlierRun | None:
        return await self._earlier.find(argument)

    async def _check_awaited(self, first_run_id: str) -> None:
        await self._earlier.check_awaited(first_run_id)

    async def _find_earlier_stacks(
        self, chain: messages.ChainExecutionRef
    ) -> list[messages.EarlierStack]:
        return await self._earlier.find_stacks(chain)

    async def _find_stack_ends(
        self, awaited: list[messages.AwaitedExecution]
    ) -> list[messages.StackEnd]:
        return await self._earlier.find_ends(awaited)

    @property
    def is_running(self) -> bool:
        """Whether all queues are polled."""
        return all(worker.is_running for worker in self._workers)

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set; running activities get time to end."""
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self.clients.aclose)
            stack.push_async_callback(self._delivery.aclose)
            runs = [asyncio.create_task(worker.run()) for worker in self._workers]
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait([*runs, stopping], return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            await self._end(runs)

    async def _end(self, runs: list[asyncio.Task[None]]) -> None:
        """Give what runs its time; while Temporal is away the SDK would wait for it, too."""
        loop = asyncio.get_running_loop()
        shutdowns = [asyncio.create_task(worker.shutdown()) for worker in self._workers]
        pending: set[asyncio.Task[None]] = {*shutdowns, *runs}
        until = loop.time() + self._grace_seconds + 10
        idle_until = loop.time() + _IDLE_SECONDS
        while pending and loop.time() < until:
            if self._running.count:
                idle_until = loop.time() + _IDLE_SECONDS
            elif loop.time() > idle_until:
                break
            _, pending = await asyncio.wait(pending, timeout=_LOOK_SECONDS)
        for task in pending:
            task.cancel()
        if pending:
            logger.warning("Temporal does not answer, leaving without its confirmation")
        for task in {*shutdowns, *runs} - pending:
            task.result()


def _workers(
    make: NewWorker,
    all_settings: settings.Settings,
    operations: stack_operations.StackOperations,
    finder: earlier_stacks.EarlierStackFinder,
    clients: spacelift_clients.SpaceliftClients,
) -> list[temporalio.worker.Worker]:
    worker = all_settings.worker
    queue = all_settings.temporal.task_queue
    # Calls learn of a cancel through heartbeats, and have to hear of it within seconds.
    heartbeats = timedelta(seconds=2)
    grace = timedelta(seconds=worker.graceful_shutdown_seconds)
    calls = make(
        task_queue=queue,
        workflows=list(WORKFLOWS),
        workflow_runner=workflow_runner(),
        activities=[
            stack_dependencies.StackDependencies(clients).fetch_dependent_stacks,
            operations.find_stack_run,
            operations.read_stack_run,
            operations.trigger_stack_run,
            operations.confirm_stack_run,
            operations.stop_stack_run,
            operations.stop_native_runs,
            operations.find_triggered_run,
            finder.find_earlier_stacks,
            finder.find_stack_ends,
            window_reading.WindowReader().read_windows,
            root_runs.RootRunFinder(clients).find_root_runs,
            newest_runs.NewestRunFinder(clients).find_newest_runs,
        ],
        max_concurrent_activities=worker.max_concurrent_activities,
        max_concurrent_workflow_tasks=worker.max_concurrent_workflow_tasks,
        max_cached_workflows=worker.max_cached_workflows,
        nonsticky_to_sticky_poll_ratio=_FIRST_TASK_POLLS,
        graceful_shutdown_timeout=grace,
        max_heartbeat_throttle_interval=heartbeats,
    )
    follows = make(
        task_queue=ids.follow_queue(queue),
        activities=[
            operations.follow_stack_run,
            operations.await_stack_release,
            operations.await_turn,
        ],
        max_concurrent_activities=worker.max_concurrent_follows,
        # A follow holds nothing worth waiting for: another worker takes it up at once.
        graceful_shutdown_timeout=timedelta(0),
        max_heartbeat_throttle_interval=heartbeats,
    )
    return [calls, follows]


def _notify_worker(
    make: NewWorker,
    all_settings: settings.Settings,
    delivery: notifications.NotificationDelivery,
) -> temporalio.worker.Worker:
    """Return the worker of notifications: what hangs there takes nothing from chains."""
    grace = all_settings.worker.graceful_shutdown_seconds
    return make(
        task_queue=ids.notify_queue(all_settings.temporal.task_queue),
        workflows=list(NOTIFY_WORKFLOWS),
        workflow_runner=workflow_runner(),
        activities=[delivery.deliver_notification],
        max_concurrent_activities=all_settings.notifications.max_concurrent,
        # Two tasks each, a moment apart or a day: not worth keeping in memory.
        max_cached_workflows=0,
        # One that is cut off is delivered again, which its receiver may see twice.
        graceful_shutdown_timeout=timedelta(seconds=min(sinks.DEFAULT_TIMEOUT_SECONDS, grace)),
    )


class OperatorCalls(chain_status.Publisher, operator_asks.RunDecider, Protocol):
    """What the activities of the operator queue call."""


def operator_worker(
    client: temporalio.client.Client,
    *,
    operator_queue: str,
    operator: OperatorCalls,
    new_worker: NewWorker = temporalio.worker.Worker,
) -> temporalio.worker.Worker:
    """Return the operator's worker: statuses and asks of this installation."""
    return new_worker(
        client,
        task_queue=operator_queue,
        activities=[
            chain_status.ChainStatus(operator).publish_chain_status,
            operator_asks.OperatorAsks(operator).request_run,
        ],
        max_concurrent_activities=200,
        max_concurrent_activity_task_polls=_OPERATOR_POLLS,
        # A write takes less; what is cut off is done again by the next operator, who waits.
        graceful_shutdown_timeout=timedelta(milliseconds=500),
        build_id=metrics.version(),
        max_heartbeat_throttle_interval=timedelta(seconds=1),
    )


def _observe(counters: metrics.Metrics, operation: str, outcome: str, seconds: float) -> None:
    counters.spacelift_requests.labels(operation, outcome).inc()
    counters.spacelift_request_duration.labels(operation).observe(seconds)

"""The executions that a worker has in memory, as instances of the SDK."""

import collections
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import temporalio.worker
from temporalio.client import Client
from temporalio.common import MetricMeter
from temporalio.worker._workflow import _WorkflowWorker

from tests.simulation import virtual_time
from tests.simulation.temporal import chance
from tests.simulation.temporal.records import Execution
from tests.simulation.temporal.workflow_run import WorkflowRun

if TYPE_CHECKING:
    from tests.simulation.temporal.server import TemporalServer


class Instances:
    """Instances by run id; the most recently used ones are kept.

    `unconfirmed` are those that did a task of which the server does not know yet.
    """

    def __init__(
        self,
        server: "TemporalServer",
        client: Client,
        *,
        task_queue: str,
        workflows: Sequence[type],
        interceptors: Sequence[temporalio.worker.Interceptor],
        most: int,
    ) -> None:
        self._server = server
        self._most = most
        self._runs: collections.OrderedDict[str, WorkflowRun] = collections.OrderedDict()
        self.unconfirmed: set[str] = set()
        self._sdk = _workflow_worker(client, task_queue, workflows, interceptors)

    @property
    def are_kept(self) -> bool:
        """Whether any are kept between two tasks."""
        return self._most > 0

    def get(self, execution: Execution) -> WorkflowRun:
        """Return the instance of an execution, up to date; recreated from time to time.

        Raises:
            NotDeterministic: it does not repeat what it has done.
        """
        is_unconfirmed = execution.run_id in self.unconfirmed
        if is_unconfirmed or self._server.chance.happens(chance.REPLAY):
            self.evict(execution.run_id)
        run = self._runs.get(execution.run_id)
        if run is None:
            run = WorkflowRun(
                execution.history,
                execution.start,
                namespace=self._server.namespace,
                epoch=virtual_time.EPOCH,
                create=self._sdk._create_workflow_instance,
            )
            self._runs[execution.run_id] = run
        self._runs.move_to_end(execution.run_id)
        run.catch_up()
        while len(self._runs) > max(self._most, 1):
            self._runs.popitem(last=False)[1].evict()
        return run

    def evict(self, run_id: str) -> None:
        """Drop an instance, if it is there."""
        run = self._runs.pop(run_id, None)
        if run is not None:
            run.evict()

    def evict_all(self) -> None:
        """Drop all instances."""
        while self._runs:
            self._runs.popitem()[1].evict()


def _workflow_worker(
    client: Client,
    task_queue: str,
    workflows: Sequence[type],
    interceptors: Sequence[temporalio.worker.Interceptor],
) -> _WorkflowWorker:
    """Return the SDK's part that makes instances; its threads and polls are not used."""
    runner = temporalio.worker.UnsandboxedWorkflowRunner()
    return _WorkflowWorker(
        bridge_worker=cast(Any, None),
        namespace=client.namespace,
        task_queue=task_queue,
        workflows=workflows,
        workflow_task_executor=cast(Any, object()),
        max_concurrent_workflow_tasks=None,
        workflow_runner=runner,
        unsandboxed_workflow_runner=runner,
        data_converter=client.data_converter,
        interceptors=interceptors,
        workflow_failure_exception_types=[],
        patch_activation_callback=None,
        debug_mode=False,
        disable_eager_activity_execution=True,
        metric_meter=MetricMeter.noop,
        on_eviction_hook=None,
        disable_safe_eviction=False,
        should_enforce_versioning_behavior=False,
        assert_local_activity_valid=lambda _: None,
        encode_headers=False,
        max_workflow_task_external_storage_concurrency=1,
    )

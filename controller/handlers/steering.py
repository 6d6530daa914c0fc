"""Steering: starts chain executions, and tells live ones what has changed for them."""

import logging

from controller.api import v1alpha1
from controller.chain import progress, requests
from controller.handlers import chain_inputs, live_executions, operator_identity, serving
from controller.observability import metrics
from controller.temporal import starter

logger = logging.getLogger(__name__)


class Steering:
    """Knows what each live execution goes by, so that it is told changes and nothing else."""

    def __init__(
        self,
        *,
        workflows: starter.ChainWorkflows,
        served: serving.Serving,
        live: live_executions.LiveExecutions,
        identity: operator_identity.OperatorIdentity,
        counters: metrics.Metrics,
    ) -> None:
        self._workflows = workflows
        self._served = served
        self._live = live
        self._identity = identity
        self._counters = counters

    def settings_of(
        self, execution: requests.Execution | None, known: progress.ChainProgress | None
    ) -> requests.Live | None:
        """Return what a live run goes by; of one that does not answer, what it was told last."""
        if execution is None or execution.state is not requests.ExecutionState.RUNNING:
            return None
        if known is None:
            return self._live.told(execution.workflow_run_id)
        return requests.Live(parallelism=known.parallelism, is_suspended=known.is_suspended)

    async def start(
        self, chain: v1alpha1.StackChain, request: requests.Request
    ) -> requests.Execution:
        """Start what was decided, for a resource that is served.

        Raises:
            AlreadyStarted: the resource has a live execution.
            TemporalUnreachable: call again later.
        """
        execution = await self._workflows.start(
            chain.ref,
            request,
            chain_inputs.chain_input(
                chain,
                request,
                self._served.connection_of(chain),
                operator_queue=self._identity.operator_queue,
            ),
        )
        self._live.note_told(
            execution.workflow_run_id,
            parallelism=chain.spec.parallelism,
            is_suspended=chain.spec.suspend,
        )
        self._counters.chain_starts.inc()
        _log_start(chain.ref, request, execution)
        return execution

    async def steer(self, execution: requests.Execution, decision: requests.Decision) -> None:
        """Tell a live run what has changed for it; each of it may be told twice.

        Raises:
            TemporalUnreachable: call again later.
        """
        run_id = execution.workflow_run_id
        if decision.cancel and self._live.may_cancel(run_id):
            await self._workflows.cancel(execution.workflow_id, run_id)
        if decision.set_parallelism is not None:
            await self._workflows.set_parallelism(execution, decision.set_parallelism)
            self._live.note_told(run_id, parallelism=decision.set_parallelism)
        if decision.set_suspended is not None:
            await self._workflows.set_suspended(execution, decision.set_suspended)
            self._live.note_told(run_id, is_suspended=decision.set_suspended)


def _log_start(ref: v1alpha1.Ref, request: requests.Request, execution: requests.Execution) -> None:
    logger.info(
        "Chain started",
        extra={
            "namespace": ref.namespace,
            "chain": ref.name,
            "workflow_id": execution.workflow_id,
            "workflow_run_id": execution.workflow_run_id,
            "request": request.key,
            "run_number": request.number,
        },
    )

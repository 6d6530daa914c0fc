"""Act: starts chain executions, and sends live ones what has changed for them."""

import logging

from controller.api import v1alpha1
from controller.chain.requests import decide, executions, next_request
from controller.chain.run import progress
from controller.config import connections
from controller.observability import metrics
from controller.operator import chain_inputs, live_executions, operator_identity
from controller.temporal.operator import starter

logger = logging.getLogger(__name__)

_RESET_IN_VAIN = "The chain's run is over, or has a newer one; a reset does not run it again."


class ExecutionCommands:
    """Knows the settings of each live execution, so that it is sent changes and nothing else."""

    def __init__(
        self,
        *,
        workflows: starter.ChainWorkflows,
        live: live_executions.LiveExecutions,
        identity: operator_identity.OperatorIdentity,
        counters: metrics.Metrics,
    ) -> None:
        self._workflows = workflows
        self._live = live
        self._identity = identity
        self._counters = counters

    def settings_of(
        self, execution: executions.Execution | None, known: progress.ChainProgress | None
    ) -> executions.LiveSettings | None:
        """Return what a live run goes by; of one that does not answer, what it was sent last."""
        if execution is None or execution.state is not executions.ExecutionState.RUNNING:
            return None
        if known is None:
            return self._live.last_sent(execution.workflow_run_id)
        return executions.LiveSettings(
            parallelism=known.policies.parallelism, is_suspended=known.is_suspended
        )

    async def start(
        self,
        chain: v1alpha1.StackChain,
        request: next_request.Request,
        connection: connections.Connection,
    ) -> executions.Execution:
        """Start what was decided, over the connection that the resource may use.

        Raises:
            AlreadyStarted: the resource has a live execution.
            TemporalUnreachable: call again later.
        """
        argument = chain_inputs.chain_input(
            chain, request, connection, operator_queue=self._identity.operator_queue
        )
        execution = await self._workflows.start(
            chain.ref, request, self._identity.signing_keys.signed_input(argument)
        )
        self._live.note_sent(
            execution.workflow_run_id,
            parallelism=chain.spec.policies.parallelism,
            is_suspended=chain.spec.suspend,
        )
        self._counters.chain_starts.inc()
        _log_start(chain.ref, request, execution)
        return execution

    async def end_reset(self, execution: executions.Execution) -> None:
        """End what a reset has made of a run that is over (ADR 0043).

        Raises:
            TemporalUnreachable: call again later.
        """
        await self._workflows.terminate(execution, reason=_RESET_IN_VAIN)
        logger.warning(
            "Reset of a run that is over was ended",
            extra={
                "workflow_id": execution.workflow_id,
                "workflow_run_id": execution.workflow_run_id,
                "run_number": execution.number,
            },
        )

    async def apply(self, execution: executions.Execution, decision: decide.Decision) -> None:
        """Send a live run what has changed for it; each change may be sent twice.

        Raises:
            TemporalUnreachable: call again later.
        """
        run_id = execution.workflow_run_id
        if decision.cancel and self._live.may_cancel(run_id):
            await self._workflows.cancel(execution.workflow_id, run_id)
        for request in decision.requests:
            if self._live.may_request(run_id, request):
                await self._workflows.request_stacks(execution, request)
        if decision.settings.parallelism is not None:
            await self._workflows.set_parallelism(execution, decision.settings.parallelism)
            self._live.note_sent(run_id, parallelism=decision.settings.parallelism)
        if decision.settings.is_suspended is not None:
            await self._workflows.set_suspended(execution, decision.settings.is_suspended)
            self._live.note_sent(run_id, is_suspended=decision.settings.is_suspended)


def _log_start(
    ref: v1alpha1.Ref, request: next_request.Request, execution: executions.Execution
) -> None:
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

"""RequestRunWorkflow and RootSweepWorkflow: what the schedules of resources start.

Both pass their findings on to the operator's queue, which keeps them while there is no operator.
They decide nothing: the operator knows what was handled already.
"""

import asyncio
import dataclasses
from datetime import timedelta

import temporalio.common
import temporalio.exceptions
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from controller import times
    from controller.temporal import ids, start_messages
    from controller.temporal.activities import operator_asks, root_runs
    from controller.temporal.workflows import activity_calls

_SCHEDULED_TIME = temporalio.common.SearchAttributeKey.for_datetime("TemporalScheduledStartTime")

# A sweep that Spacelift does not answer in this time fails, for all to see; the next one tries.
_SWEEP_LIMIT = timedelta(minutes=5)
# A chain that may adopt a run does so within a few looks at Spacelift; later sweeps look again.
_UNDECIDED_PAUSE_SECONDS = 15
_UNDECIDED_TRIES = 20


@workflow.defn(name=ids.REQUEST_RUN_WORKFLOW)
class RequestRunWorkflow:
    """A time of the schedule has come."""

    @workflow.run
    async def run(
        self, argument: start_messages.RequestRunInput
    ) -> start_messages.RequestRunResult:
        """Return what became of it."""
        due = workflow.info().typed_search_attributes.get(_SCHEDULED_TIME) or workflow.now()
        return await _request(
            argument.operator_queue,
            start_messages.RequestRunCall(
                ref=argument.ref,
                scheduled_time=times.rfc3339(due),
            ),
        )


@workflow.defn(name=ids.ROOT_SWEEP_WORKFLOW)
class RootSweepWorkflow:
    """Look at the roots of a chain: has a run finished that is not the chain's?"""

    @workflow.run
    async def run(self, argument: start_messages.RootSweepInput) -> start_messages.RequestRunResult:
        """Return what became of what was found."""
        call = start_messages.RequestRunCall(ref=argument.ref, account=argument.connection.account)
        try:
            found = await _find(argument)
        except temporalio.exceptions.ActivityError as error:
            if not temporalio.exceptions.is_cancelled_exception(error):
                problem = activity_calls.cause_of(error)[1]
                await _request(argument.operator_queue, dataclasses.replace(call, problem=problem))
            raise
        call = dataclasses.replace(call, root_runs=found.roots, hidden=found.hidden)
        result = await _request(argument.operator_queue, call)
        for _ in range(_UNDECIDED_TRIES):
            if not result.undecided:
                break
            await asyncio.sleep(_UNDECIDED_PAUSE_SECONDS)
            result = await _request(argument.operator_queue, call)
        return result


async def _find(argument: start_messages.RootSweepInput) -> start_messages.FindRootRunsResult:
    return await workflow.execute_activity_method(
        root_runs.RootRunFinder.find_root_runs,
        start_messages.FindRootRunsInput(connection=argument.connection, roots=argument.roots),
        start_to_close_timeout=activity_calls.CALL_TIMEOUT,
        schedule_to_close_timeout=_SWEEP_LIMIT,
        heartbeat_timeout=activity_calls.HEARTBEAT_TIMEOUT,
        retry_policy=activity_calls.PATIENT,
        summary="read the newest runs of the roots",
    )


async def _request(
    operator_queue: str, argument: start_messages.RequestRunCall
) -> start_messages.RequestRunResult:
    return await workflow.execute_activity_method(
        operator_asks.OperatorAsks.request_run,
        argument,
        task_queue=operator_queue,
        start_to_close_timeout=activity_calls.CALL_TIMEOUT,
        heartbeat_timeout=activity_calls.HEARTBEAT_TIMEOUT,
        retry_policy=activity_calls.PUBLISH,
        summary="tell the operator",
    )

"""How a chain learns its graph: it reads until Spacelift answers, or refuses for good."""

from collections.abc import Mapping

import temporalio.exceptions
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from controller.api import reasons
    from controller.chain.graph import resolve
    from controller.config import permissions
    from controller.temporal import messages, signing
    from controller.temporal.activities import errors, stack_dependencies
    from controller.temporal.workflows import activity_calls, chain_messages

_REASONS = {
    "CredentialsRejected": reasons.ChainReason.CREDENTIALS_REJECTED,
    "PermissionDenied": reasons.ChainReason.SPACELIFT_REFUSED,
    "NotFound": reasons.ChainReason.SPACELIFT_REFUSED,
    "Refused": reasons.ChainReason.SPACELIFT_REFUSED,
    **dict.fromkeys(errors.NOT_SIGNED, reasons.ChainReason.SIGNATURE_INVALID),
}


async def discover(
    argument: messages.ChainInput, *, on_problem: activity_calls.OnProblem
) -> tuple[resolve.ChainGraph, Mapping[str, str]]:
    """Read the stacks, and return the ordered graph of those that the chain runs, with permits.

    Raises:
        GraphProblem: the graph is not valid, or Spacelift does not let it be read.
        ActivityError: canceled.
    """
    try:
        found = await _read(argument, on_problem)
    except temporalio.exceptions.ActivityError as error:
        if temporalio.exceptions.is_cancelled_exception(error):
            raise
        kind, message = activity_calls.cause_of(error)
        reason = _REASONS.get(kind, reasons.ChainReason.SPACELIFT_REFUSED)
        raise resolve.GraphProblem(reason, message) from error
    kept = frozenset(item.stack_id for item in argument.kept)
    graph = resolve.resolve(
        found, argument.scope, native_runs=chain_messages.native_runs(argument), kept=kept
    )
    if forbidden := {stack.id for stack in graph.stacks}.intersection(found.forbidden) - kept:
        refusal = permissions.stack_refusal(argument.connection.name, forbidden)
        raise resolve.GraphProblem(reasons.ChainReason.STACK_NOT_ALLOWED, refusal.message)
    return graph, found.permits


async def _read(
    argument: messages.ChainInput, on_problem: activity_calls.OnProblem
) -> resolve.Discovery:
    roots = argument.scope.roots
    return await activity_calls.persist(
        stack_dependencies.StackDependencies.fetch_dependent_stacks,
        messages.FetchDependentStacksInput(
            connection=argument.connection,
            scope=argument.scope,
            input_digest=signing.input_digest(argument),
        ),
        summary="discover the stacks around " + ", ".join((roots.stack_ids or roots.labels)[:5]),
        on_problem=on_problem,
        start_to_close=activity_calls.BULK_TIMEOUT,
    )

"""How a chain learns its graph: it reads until Spacelift answers, or refuses for good."""

import dataclasses
from collections.abc import Mapping, Sequence

import temporalio.exceptions
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from controller.api import reasons
    from controller.chain.graph import packed_reading, problems, resolve
    from controller.chain.run import failures, lost_stacks, newer_runs, progress
    from controller.config import permissions
    from controller.temporal import messages, signing
    from controller.temporal.activities import newest_runs, stack_dependencies
    from controller.temporal.workflows import activity_calls, chain_messages


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Discovered:
    """The ordered graph of a chain's stacks, those of them that it keeps, and their permits.

    `lost` are stacks that a retry was to run or to leave and that are not in the graph.
    """

    graph: resolve.ChainGraph
    kept: list[progress.Kept]
    lost: list[progress.LostStack]
    permits: Mapping[str, str]


async def discover(
    argument: messages.ChainInput, *, on_problem: activity_calls.OnProblem
) -> Discovered:
    """Read the stacks, and order those that the chain runs.

    Raises:
        GraphProblem: the graph is not valid, or Spacelift does not let it be read.
        ActivityError: canceled.
    """
    try:
        found = await _read(argument, on_problem)
        graph, kept = _resolved(argument, found, argument.kept), list(argument.kept)
        lost = lost_stacks.of_retry(graph, [*argument.retried, *argument.left])
        newest = await _read_newest_runs(argument, lost, on_problem)
    except temporalio.exceptions.ActivityError as error:
        if temporalio.exceptions.is_cancelled_exception(error):
            raise
        kind, message = activity_calls.cause_of(error)
        if kind == failures.PAYLOAD_TOO_LARGE:
            raise problems.too_large_answer() from error
        raise resolve.GraphProblem(failures.chain_end(kind), message) from error
    if newer := newer_runs.newly_kept(
        graph, kept=kept, retried=argument.retried, newest=newest.runs
    ):
        # What is kept takes no part in a wave.
        kept += newer
        graph = _resolved(argument, found, kept)
    running = {stack.id for stack in graph.stacks} - _not_run(argument, kept)
    if forbidden := running.intersection(found.forbidden):
        refusal = permissions.stack_refusal(argument.connection.name, forbidden)
        raise resolve.GraphProblem(reasons.ChainReason.STACK_NOT_ALLOWED, refusal.message)
    if argument.policies.confirmation_limits is not None:
        autodeploying = {stack.id for stack in found.stacks if stack.is_autodeploy}
        if unjudged := running.intersection(autodeploying):
            raise problems.limits_not_enforceable(unjudged)
    return Discovered(
        graph=graph,
        kept=kept,
        lost=lost_stacks.named(lost, hidden=newest.hidden),
        permits=found.permits,
    )


def _resolved(
    argument: messages.ChainInput, found: resolve.Discovery, kept: Sequence[progress.Kept]
) -> resolve.ChainGraph:
    return resolve.resolve(
        found,
        argument.scope,
        native_runs=chain_messages.native_runs(argument),
        kept=_not_run(argument, kept),
        finished=[root.stack_id for root in argument.finished_roots],
    )


def _not_run(argument: messages.ChainInput, kept: Sequence[progress.Kept]) -> frozenset[str]:
    """Return the stacks that are kept, or that a retry of others leaves as they ended."""
    ids = {item.stack_id for item in kept}
    return frozenset(ids.union(item.stack_id for item in argument.left))


async def _read_newest_runs(
    argument: messages.ChainInput,
    lost: Sequence[lost_stacks.NotSucceeded],
    on_problem: activity_calls.OnProblem,
) -> messages.FindNewestRunsResult:
    retried = [item.stack_id for item in argument.retried if item.may_have_newer]
    stack_ids = list(dict.fromkeys([*retried, *(item.stack_id for item in lost)]))
    if not stack_ids:
        return messages.FindNewestRunsResult(runs=[])
    return await activity_calls.persist(
        newest_runs.NewestRunFinder.find_newest_runs,
        messages.FindNewestRunsInput(
            connection=argument.connection,
            stack_ids=stack_ids,
        ),
        summary="find what has succeeded since outside of the chain",
        on_problem=on_problem,
        start_to_close=activity_calls.BULK_TIMEOUT,
    )


async def _read(
    argument: messages.ChainInput, on_problem: activity_calls.OnProblem
) -> resolve.Discovery:
    roots = argument.scope.roots
    packed = await activity_calls.persist(
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
    return packed_reading.unpack(packed)

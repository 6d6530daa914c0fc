"""For act: what a chain's workflow is started with. Spec, request and connection in one message."""

from controller.api import v1alpha1
from controller.chain.requests import decide
from controller.chain.run import progress
from controller.config import connections
from controller.spacelift import endpoints
from controller.temporal import messages


def chain_input(
    chain: v1alpha1.StackChain,
    request: decide.Request,
    connection: connections.Connection,
    *,
    operator_queue: str,
) -> messages.ChainInput:
    """Return the input of the run that a request asks for."""
    spec, ref = chain.spec, chain.ref
    # Below runs of roots: these roots are all that the run starts from, and they belong to it.
    below = sorted(item.stack_id for item in request.root_runs)
    return messages.ChainInput(
        namespace=ref.namespace,
        name=ref.name,
        uid=ref.uid,
        generation=ref.generation,
        number=request.number,
        attempt=request.attempt,
        cause=request.cause,
        operator_queue=operator_queue,
        connection=messages.Connection(
            name=connection.name,
            endpoint=connection.endpoint,
            account=endpoints.account_of(connection.endpoint),
        ),
        roots=below or sorted(spec.roots.stack_ids),
        root_labels=[] if below else sorted(spec.roots.labels),
        sources=sorted(spec.graph.sources),
        direction=spec.graph.direction,
        include_roots=spec.graph.include_roots or bool(below),
        max_depth=spec.graph.max_depth,
        max_stacks=spec.graph.max_stacks,
        exclude_stack_ids=sorted(spec.graph.exclude.stack_ids),
        exclude_labels=sorted(spec.graph.exclude.labels),
        operation=spec.operation,
        commit_sha=None if below else spec.commit_sha,
        environment={item.name: item.value for item in spec.runtime_environment},
        parallelism=spec.parallelism,
        native_runs=spec.native_runs,
        failure_policy=spec.failure_policy,
        confirmation_policy=spec.confirmation_policy,
        confirmation_deadline_seconds=spec.confirmation_deadline_seconds,
        active_deadline_seconds=spec.active_deadline_seconds,
        stack_deadline_seconds=spec.stack_deadline_seconds,
        retry=messages.RetryPolicy(
            limit=spec.retry.limit,
            backoff_seconds=spec.retry.backoff_seconds,
            max_backoff_seconds=spec.retry.max_backoff_seconds,
        ),
        is_suspended=spec.suspend,
        kept=list(request.kept),
        finished_roots=_finished_roots(request, connection),
    )


def _finished_roots(
    request: decide.Request, connection: connections.Connection
) -> list[progress.FinishedRoot]:
    """A retry keeps the roots as it keeps others: what their runs queued has ended since."""
    if request.cause is v1alpha1.Cause.RETRY:
        return []
    return [
        progress.FinishedRoot(
            stack_id=item.stack_id,
            run_id=item.run_id,
            url=endpoints.run_url(connection.endpoint, item.stack_id, item.run_id),
        )
        for item in request.root_runs
    ]

"""For act: what a chain's workflow is started with. Spec, request and connection in one message."""

import dataclasses
from collections.abc import Sequence

from controller.api import v1alpha1
from controller.chain.graph import selection
from controller.chain.requests import next_request
from controller.chain.run import progress
from controller.chain.status import stack_durations
from controller.config import connections
from controller.operator import connection_access
from controller.spacelift import endpoints
from controller.temporal import messages, signing


def chain_input(
    chain: v1alpha1.StackChain,
    request: next_request.Request,
    connection: connections.Connection,
    *,
    operator_queue: str,
) -> messages.ChainInput:
    """Return the input of the run that a request asks for."""
    spec = chain.spec
    below = sorted(item.stack_id for item in request.root_runs)
    scope, commit_sha = _scope(spec, below), None if below else spec.commit_sha
    environment = {item.name: item.value for item in spec.runtime_environment}
    return messages.ChainInput(
        ref=chain.ref,
        number=request.number,
        attempt=request.attempt,
        cause=request.cause,
        operator_queue=operator_queue,
        connection=messages.AccountRef(
            name=connection.name,
            endpoint=connection.endpoint,
            account=endpoints.account_of(connection.endpoint),
            grant=messages.Grant(
                use=connection_access.use_of(chain),
                commit_sha=commit_sha,
                confirmation_limits=spec.policies.confirmation_limits,
                scope_digest=signing.digest(scope),
                environment_digest=signing.digest(environment),
            ),
        ),
        scope=scope,
        commit_sha=commit_sha,
        environment=environment,
        policies=spec.policies,
        is_suspended=spec.suspend,
        kept=list(request.kept),
        retried=_retried(spec, request),
        left=list(request.left),
        finished_roots=_finished_roots(request, connection),
        durations=stack_durations.of_operation(chain.status.durations, spec.operation),
    )


def _scope(spec: v1alpha1.StackChainSpec, below: Sequence[str]) -> selection.Scope:
    if not below:
        return selection.Scope(
            roots=spec.roots,
            graph=spec.graph,
            operation=spec.operation,
            stages=spec.stages,
            window=spec.window,
        )
    # Below runs of roots: these roots are all that the run starts from, and they belong to it.
    return selection.Scope(
        roots=v1alpha1.Roots(stack_ids=tuple(below)),
        graph=dataclasses.replace(spec.graph, include_roots=True),
        operation=spec.operation,
        stages=spec.stages,
        window=spec.window,
    )


def _retried(
    spec: v1alpha1.StackChainSpec, request: next_request.Request
) -> list[progress.Retried]:
    """Return the stacks that are retried, and whether a run outside of the chain may count.

    No such run counts if it would not have been what the chain runs: another commit of the root, a
    run without the chain's environment, or a plan.
    """
    is_as_outside = spec.operation is v1alpha1.Operation.APPLY and not spec.runtime_environment
    given = spec.roots.stack_ids if spec.commit_sha else ()
    return [
        dataclasses.replace(item, may_have_newer=is_as_outside and item.stack_id not in given)
        for item in request.retried
    ]


def _finished_roots(
    request: next_request.Request, connection: connections.Connection
) -> list[progress.FinishedRoot]:
    """A retry keeps the roots as it keeps others: what their runs queued has ended since."""
    if request.cause is v1alpha1.Cause.RETRY:
        return []
    return [
        progress.FinishedRoot(
            stack_id=item.stack_id,
            run_id=item.run_id,
            run_url=endpoints.run_url(connection.endpoint, item.stack_id, item.run_id),
        )
        for item in request.root_runs
    ]

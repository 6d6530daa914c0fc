"""What a chain tells its activities and executions: messages out of its input, no commands."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from controller.api.v1alpha1 import ConfirmationPolicy, NativeRuns
    from controller.chain.graph import resolve
    from controller.chain.run import progress, unwanted_runs
    from controller.temporal import ids, messages


def fetch_dependent_stacks(argument: messages.ChainInput) -> messages.FetchDependentStacksInput:
    """Return what the discovery reads."""
    return messages.FetchDependentStacksInput(
        connection=argument.connection,
        roots=argument.roots,
        root_labels=argument.root_labels,
        sources=argument.sources,
        direction=argument.direction,
        include_roots=argument.include_roots,
        max_depth=argument.max_depth,
        max_stacks=argument.max_stacks,
        exclude_stack_ids=argument.exclude_stack_ids,
        exclude_labels=argument.exclude_labels,
        operation=argument.operation,
    )


def selection(argument: messages.ChainInput, discovery: resolve.Discovery) -> resolve.Selection:
    """Return which of the discovered stacks the chain runs."""
    is_adopting = argument.native_runs == NativeRuns.ADOPT and not argument.environment
    return resolve.Selection(
        roots=tuple(argument.roots or discovery.roots),
        root_labels=tuple(argument.root_labels),
        sources=tuple(argument.sources),
        direction=argument.direction,
        include_roots=argument.include_roots,
        max_depth=argument.max_depth,
        max_stacks=argument.max_stacks,
        exclude_stack_ids=frozenset(argument.exclude_stack_ids),
        exclude_labels=frozenset(argument.exclude_labels),
        operation=argument.operation,
        is_adopting=is_adopting,
        kept=frozenset(item.stack_id for item in argument.kept),
    )


def title(argument: messages.ChainInput) -> str:
    """Return how people call the chain run."""
    return f"{argument.namespace}/{argument.name} run {argument.number}"


def execution_id(argument: messages.ChainInput, stack_id: str) -> str:
    """Return the workflow id of a stack's execution; one for all chains that run the stack."""
    return ids.execution_workflow_id(
        account=argument.connection.account, stack_id=stack_id, operation=argument.operation
    )


def stack_execution(
    argument: messages.ChainInput,
    stack: progress.StackProgress,
    waves: unwanted_runs.Waves,
    *,
    origin: str | None,
) -> messages.StackExecutionInput:
    """Return what a stack's execution is started with.

    Args:
        argument: the chain's.
        stack: the stack.
        waves: what Spacelift has queued by itself so far.
        origin: the run whose wave the stack adopts from; None: it gets a run of its own.
    """
    return messages.StackExecutionInput(
        connection=argument.connection,
        stack_id=stack.id,
        chain_workflow_id=workflow.info().workflow_id,
        chain_workflow_run_id=workflow.info().run_id,
        marker=f"stackchain {title(argument)}",
        adopt_origin=origin,
        surplus_origins=[] if origin else waves.run_ids(stack.id),
        queuers=waves.queuers(stack.id),
        operation=argument.operation,
        commit_sha=argument.commit_sha if stack.id in argument.roots else None,
        environment=argument.environment,
        is_confirming=argument.confirmation_policy == ConfirmationPolicy.AUTO,
        confirmation_deadline_seconds=argument.confirmation_deadline_seconds,
        stack_deadline_seconds=argument.stack_deadline_seconds,
        retry=argument.retry,
    )

"""What a chain sends to its activities and executions: messages out of its input, no commands."""

from collections.abc import Mapping

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from controller.api.v1alpha1 import NativeRuns
    from controller.chain.run import progress, stack_lines, unwanted_runs
    from controller.temporal import ids, messages


def native_runs(argument: messages.ChainInput) -> NativeRuns:
    """Return what happens to runs that Spacelift queues; these have no environment of the chain."""
    return NativeRuns.REPLACE if argument.environment else argument.policies.native_runs


def title(argument: messages.ChainInput) -> str:
    """Return how people call the chain run."""
    return f"{argument.ref.namespace}/{argument.ref.name} run {argument.number}"


def chain_execution() -> messages.ChainExecutionRef:
    """Return the execution that is at the run of the chain now."""
    info = workflow.info()
    return messages.ChainExecutionRef(
        workflow_id=info.workflow_id,
        workflow_run_id=info.run_id,
        first_run_id=info.first_execution_run_id,
    )


def execution_id(argument: messages.ChainInput, stack_id: str) -> str:
    """Return the workflow id of a stack's execution; one for all chains that run the stack."""
    return ids.execution_workflow_id(
        account=argument.connection.account, stack_id=stack_id, operation=argument.scope.operation
    )


def target(
    argument: messages.ChainInput, stack: progress.StackProgress, permits: Mapping[str, str]
) -> messages.StackRef:
    """Return a stack of the chain's account, with the windows in which it may be acted on."""
    return messages.StackRef(
        connection=argument.connection,
        stack_id=stack.id,
        permit=permits.get(stack.id, ""),
        windows=argument.scope.windows_of(stack.stage),
    )


def stack_execution(
    argument: messages.ChainInput,
    stack: progress.StackProgress,
    queued: unwanted_runs.QueuedByRuns,
    stacks: Mapping[str, progress.StackProgress],
    *,
    permits: Mapping[str, str],
    origin: str | None,
    line: list[stack_lines.WaitingChain],
    is_canceled: bool,
) -> messages.StackExecutionInput:
    """Return what a stack's execution is started with.

    Args:
        argument: the chain's.
        stack: the stack.
        queued: what runs of the chain have made Spacelift queue so far.
        stacks: all stacks of the chain.
        permits: what the worker that read the stacks handed out for them.
        origin: the run that made Spacelift queue the one to adopt; None: the chain triggers one.
        line: the chains that wait for the stack.
        is_canceled: only what there is of before a reset is wanted, to be stopped.
    """
    return messages.StackExecutionInput(
        target=target(argument, stack, permits),
        chain=chain_execution(),
        marker=f"stackchain {title(argument)}",
        adopt_origin=origin,
        queuers=queued.queuers(stack.id, [origin]) if origin else [],
        ahead_runs=queued.usable_runs(stack, stacks),
        upstream_runs=queued.upstream_runs(stack, stacks) if stack.ahead_runs else [],
        operation=argument.scope.operation,
        commit_sha=argument.commit_sha if stack.id in argument.scope.roots.stack_ids else None,
        environment=argument.environment,
        policies=argument.policies,
        line=line,
        is_canceled=is_canceled,
        earlier_run_id=stack.earlier_run_id or "",
    )

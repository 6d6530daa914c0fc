"""Root fields of `Mutation` that concern runs.

No call is deduplicated: two triggers make two runs. An omitted `run` means the run that blocks
the stack.
"""

from collections.abc import Callable
from typing import Any

import yaml
from graphql import GraphQLResolveInfo

from devenv.simulator.gql.context import Context
from devenv.simulator.model import creation, queueing, run_actions, stack_actions
from devenv.simulator.model.errors import Refusal
from devenv.simulator.model.run_entities import Comment, Review, Run
from devenv.simulator.model.states import RunType

# GraphQL's argument names arrive as they are, hence the names of keyword arguments below.
# ruff: noqa: N803

_Acted = Callable[..., Run]


def run_trigger(
    _root: None,
    info: GraphQLResolveInfo,
    *,
    stack: str,
    commitSha: str | None = None,
    runType: str | None = None,
    runtimeConfig: dict[str, Any] | None = None,
    forceApply: str | None = None,
) -> Run:
    """Create a run; by default a tracked one of the tracked commit."""
    context: Context = info.context
    record = context.stack_to_change(stack)
    user = context.require_writer()
    environment, text = _runtime(runtimeConfig or {})
    order = creation.Order(
        stack=record,
        type=RunType(runType or RunType.TRACKED),
        triggered_by=user.login,
        commit=stack_actions.find_commit(record, commitSha),
        force_apply=forceApply,
        metadata=_metadata(context),
        environment=environment,
        runtime_yaml=text,
    )
    return stack_actions.trigger(context.engine, [order], user)[0]


def run_trigger_batch(
    _root: None,
    info: GraphQLResolveInfo,
    *,
    input: dict[str, Any],  # noqa: A002
) -> dict[str, Any]:
    """Create tracked runs as one wave; the answer also lists those queued on dependents."""
    context: Context = info.context
    user = context.require_writer()
    orders = []
    for item in input["stacks"]:
        record = context.stack_to_change(item["stack"])
        order = creation.Order(
            stack=record,
            type=RunType.TRACKED,
            triggered_by=user.login,
            commit=stack_actions.find_commit(record, item.get("commitSha")),
            force_apply=input.get("forceApply"),
            metadata=_metadata(context),
        )
        orders.append(order)
    if not orders:
        raise Refusal("no stacks given")
    runs = stack_actions.trigger(context.engine, orders, user)
    return {"runs": [_batch_item(context, run) for run in runs]}


def task_create(
    _root: None,
    info: GraphQLResolveInfo,
    *,
    stack: str,
    command: str,
    skipInitialization: bool | None = None,
) -> Run:
    """Run a command."""
    context: Context = info.context
    record = context.stack_to_change(stack)
    user = context.require_writer()
    creation.check_may_create(record, user.login)
    order = creation.Order(
        stack=record,
        type=RunType.TASK,
        triggered_by=user.login,
        command=command,
        skip_initialization=bool(skipInitialization),
        metadata=_metadata(context),
    )
    return creation.make(context.engine, order)


def propose_local_workspace(
    _root: None,
    info: GraphQLResolveInfo,
    *,
    stack: str,
    workspace: str,
    environmentVarsOverrides: list[dict[str, str]] | None = None,
) -> Run:
    """Preview an uploaded workspace."""
    context: Context = info.context
    record = context.stack_to_change(stack)
    if not record.local_preview_enabled:
        raise Refusal("local preview is not enabled on the stack")
    if not workspace:
        raise Refusal("workspace not found")
    user = context.require_writer()
    order = creation.Order(
        stack=record,
        type=RunType.PROPOSED,
        triggered_by=user.login,
        metadata=_metadata(context),
        environment={pair["key"]: pair["value"] for pair in environmentVarsOverrides or ()},
    )
    return stack_actions.trigger(context.engine, [order], user)[0]


def run_confirm(
    _root: None,
    info: GraphQLResolveInfo,
    *,
    stack: str,
    run: str | None = None,
    note: str | None = None,
) -> Run:
    """Accept a plan; the metadata of this request is added to the run's."""
    context: Context = info.context
    record = _run_or_blocker(context, stack, run)
    confirmed = run_actions.confirm(
        context.engine, record, username=context.require_writer().login, note=note
    )
    record.metadata.extend(_metadata(context))
    return confirmed


def _acting(operation: _Acted) -> Callable[..., Run]:
    """Return the resolver of an operation on a run, given or blocking, with a note."""

    def resolve(
        _root: None,
        info: GraphQLResolveInfo,
        *,
        stack: str,
        run: str | None = None,
        note: str | None = None,
    ) -> Run:
        context: Context = info.context
        record = _run_or_blocker(context, stack, run)
        user = context.require_writer()
        return operation(context.engine, record, username=user.login, note=note)

    return resolve


def _acting_plainly(operation: _Acted) -> Callable[..., Run]:
    """Return the resolver of an operation on a run that takes no note."""

    def resolve(_root: None, info: GraphQLResolveInfo, *, stack: str, run: str) -> Run:
        context: Context = info.context
        record = context.run_to_change(stack, run)
        return operation(context.engine, record, username=context.require_writer().login)

    return resolve


def run_replan(
    _root: None, info: GraphQLResolveInfo, *, stack: str, run: str, targets: list[str]
) -> Run:
    """Plan once more, for some resources."""
    context: Context = info.context
    record = context.run_to_change(stack, run)
    login = context.require_writer().login
    return run_actions.targeted_replan(context.engine, record, targets, username=login)


def run_review(
    _root: None,
    info: GraphQLResolveInfo,
    *,
    stack: str,
    decision: str,
    run: str | None = None,
    note: str | None = None,
) -> Review:
    """Approve or reject."""
    context: Context = info.context
    record = _run_or_blocker(context, stack, run)
    login = context.require_writer().login
    return run_actions.review(context.engine, record, decision, username=login, note=note)


def run_comment(
    _root: None, info: GraphQLResolveInfo, *, stack: str, run: str, body: str
) -> Comment:
    """Comment on a run."""
    context: Context = info.context
    record = context.run_to_change(stack, run)
    login = context.require_writer().login
    return run_actions.comment(context.engine, record, body, username=login)


def run_prioritize(
    _root: None, info: GraphQLResolveInfo, *, stack: str, run: str, prioritize: bool
) -> Run:
    """Let a run jump the queue."""
    context: Context = info.context
    record = context.run_to_change(stack, run)
    return run_actions.prioritize(context.engine, record, is_prioritized=prioritize)


def run_discard_all(
    _root: None, info: GraphQLResolveInfo, *, stack: str, note: str | None = None
) -> dict[str, Any]:
    """Discard all that can be discarded."""
    context: Context = info.context
    record = context.stack_to_change(stack)
    login = context.require_writer().login
    done, failed = run_actions.discard_all(context.engine, record.id, username=login, note=note)
    return {"discarded_runs": done, "failed_discarding": failed}


def mark_external_dependency(
    _root: None, info: GraphQLResolveInfo, *, dependency: str, status: str
) -> dict[str, Any]:
    """No run declares external dependencies here, so any name is a phantom."""
    info.context.require_writer()
    return {"phantom": True, "status": status}


def _run_or_blocker(context: Context, stack_id: str, run_id: str | None) -> Run:
    record = context.stack_to_change(stack_id)
    if run_id:
        return context.run_to_change(stack_id, run_id)
    blocker = queueing.blocker(context.engine, record)
    if blocker is None:
        raise Refusal("stack is not blocked by a run")
    return blocker


def _metadata(context: Context) -> tuple[str, ...]:
    return (context.metadata,) if context.metadata else ()


def _runtime(config: dict[str, Any]) -> tuple[dict[str, str], str | None]:
    """Return the environment of a runtime configuration and its text."""
    environment = {pair["key"]: pair["value"] for pair in config.get("environment") or ()}
    text = config.get("yaml")
    if text is None:
        return environment, None
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Refusal("runtime configuration is not valid YAML") from error
    if not isinstance(document, dict):
        raise Refusal("runtime configuration is not a mapping")
    declared = document.get("environment") or {}
    return {**{str(k): str(v) for k, v in declared.items()}, **environment}, text


def _batch_item(context: Context, run: Run) -> dict[str, Any]:
    is_visible = context.visible_stack(run.stack_id) is not None
    return {"run_id": run.id, "run": run if is_visible else None}


FIELDS: dict[str, Callable[..., Any]] = {
    "Mutation.runTrigger": run_trigger,
    "Mutation.runTriggerBatch": run_trigger_batch,
    "Mutation.taskCreate": task_create,
    "Mutation.runProposeLocalWorkspace": propose_local_workspace,
    "Mutation.runConfirm": run_confirm,
    "Mutation.runDiscard": _acting(run_actions.discard),
    "Mutation.runCancel": _acting(run_actions.cancel),
    "Mutation.runStop": _acting(run_actions.stop),
    "Mutation.runKill": _acting(run_actions.kill),
    "Mutation.runRetry": _acting_plainly(run_actions.retry),
    "Mutation.runPromote": _acting_plainly(run_actions.promote),
    "Mutation.runTargetedReplan": run_replan,
    "Mutation.runReview": run_review,
    "Mutation.runComment": run_comment,
    "Mutation.runPrioritizeSet": run_prioritize,
    "Mutation.runDiscardAll": run_discard_all,
    "Mutation.runExternalDependencyMarkAsCompleted": mark_external_dependency,
}

"""Fields of `Run` and what hangs below it, where they are more than an attribute of the record."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLResolveInfo

from devenv.simulator.gql.context import Context
from devenv.simulator.model import run_actions
from devenv.simulator.model.run_entities import PlannedDelta, Run, Transition
from devenv.simulator.model.states import LOGGED

_END_OF_LOG = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDependencyView:
    """A run that another one waits for; the API is not known to show more of it than its id."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsView:
    """A page of the log of one phase."""

    exists: bool
    finished: bool
    next_token: str | None = None
    messages: list[dict[str, Any]] = field(default_factory=list)
    expired: bool = False
    has_more: bool = False


def is_most_recent(run: Run, info: GraphQLResolveInfo) -> bool:
    """Whether no later run of this type is on the stack."""
    context: Context = info.context
    return context.account.latest_run_of_type(run.stack_id, run.type) is run


def can_confirm(run: Run, _info: GraphQLResolveInfo) -> bool:
    """Whether `runConfirm` would be accepted."""
    return run_actions.confirm_blocker(run) is None


def confirm_blocker(run: Run, _info: GraphQLResolveInfo) -> str | None:
    """Why it would not."""
    return run_actions.confirm_blocker(run)


def can_retry(run: Run, _info: GraphQLResolveInfo) -> bool:
    """Whether `runRetry` would be accepted."""
    return run_actions.retry_blocker(run) is None


def retry_blocker(run: Run, _info: GraphQLResolveInfo) -> str | None:
    """Why it would not."""
    return run_actions.retry_blocker(run)


def can_promote(run: Run, info: GraphQLResolveInfo) -> bool:
    """Whether `runPromote` would be accepted."""
    return run_actions.promote_blocker(info.context.engine, run) is None


def promote_blocker(run: Run, info: GraphQLResolveInfo) -> str | None:
    """Why it would not."""
    return run_actions.promote_blocker(info.context.engine, run)


def history(run: Run, _info: GraphQLResolveInfo) -> list[Transition]:
    """Newest first: clients walk it from the end."""
    return run.history[::-1]


def has_logs(transition: Transition, _info: GraphQLResolveInfo) -> bool:
    """A worker leaves a log."""
    return transition.state in LOGGED


def depends_on(run: Run, _info: GraphQLResolveInfo) -> list[RunDependencyView]:
    """The runs of the same wave that this one waited for."""
    return [RunDependencyView(id=run_id) for run_id in run.upstream_runs]


def is_depended_on_by(run: Run, info: GraphQLResolveInfo) -> list[RunDependencyView]:
    """The runs of the same wave that waited for this one."""
    account = info.context.account
    return [
        RunDependencyView(id=other.id)
        for edge in account.dependent_edges(run.stack_id)
        for other in account.runs_of(edge.stack_id)
        if run.id in other.upstream_runs
    ]


def changes(run: Run, info: GraphQLResolveInfo, **_arguments: Any) -> list[dict[str, Any]]:
    """One for each resource that the plan would change."""
    planned = run.planned or PlannedDelta()
    kinds = [
        *["added"] * planned.add_count,
        *["changed"] * planned.change_count,
        *["deleted"] * planned.delete_count,
        *["destroy-Before-create-replaced"] * planned.replace_count,
    ]
    names_actions = info.context.account.behavior.change_types == "action"
    resources = [
        {
            "address": f"null_resource.item[{number}]",
            "previous_address": "",
            "metadata": {"type": kind if names_actions else "null_resource"},
        }
        for number, kind in enumerate(kinds)
    ]
    return [{"resources": resources}]


def logs(
    run: Run,
    info: GraphQLResolveInfo,
    *,
    state: str,
    token: str | None = None,
    stateVersion: int | None = None,  # noqa: N803 - GraphQL's name
) -> LogsView:
    """The log of one phase; that of a past phase is finished, or clients would never stop."""
    fitting = [
        place
        for place, entry in enumerate(run.history)
        if entry.state == state and stateVersion in (None, entry.state_version)
    ]
    if not fitting or run.history[fitting[-1]].state not in LOGGED:
        return LogsView(exists=False, finished=True)
    entry = run.history[fitting[-1]]
    is_past = fitting[-1] < len(run.history) - 1
    lines = [] if token == _END_OF_LOG else _lines(run, entry, info.context.account.name)
    return LogsView(
        exists=True,
        finished=is_past,
        next_token=None if is_past else _END_OF_LOG,
        messages=lines,
    )


def _lines(run: Run, entry: Transition, account: str) -> list[dict[str, Any]]:
    text = f"{entry.state.capitalize()} {run.stack_id} of {account}, commit {run.commit.hash[:8]}"
    return [{"timestamp": int(entry.at), "message": text + "\n"}]


FIELDS: dict[str, Callable[..., Any]] = {
    "Run.isMostRecent": is_most_recent,
    "Run.canConfirm": can_confirm,
    "Run.confirmBlocker": confirm_blocker,
    "Run.canRetry": can_retry,
    "Run.retryBlocker": retry_blocker,
    "Run.canPromote": can_promote,
    "Run.promoteBlocker": promote_blocker,
    "Run.history": history,
    "Run.dependsOn": depends_on,
    "Run.isDependedOnBy": is_depended_on_by,
    "Run.logs": logs,
    "Run.changesV3": changes,
    "RunStateTransition.hasLogs": has_logs,
    "RunStateTransition.timestamp": lambda transition, _info: int(transition.at),
    "Run.userProvidedMetadata": lambda run, _info: run.metadata,
}

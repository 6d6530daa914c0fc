"""Root fields of `Query`.

Without a valid token, lists are empty and `viewer` is null, while single objects are
`unauthorized`. With the behavior `unauthorizedMode: B` a request does not get that far (API facts,
1.6).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLResolveInfo

from devenv.simulator.gql import account_fields, searching
from devenv.simulator.gql.context import Context
from devenv.simulator.model.entities import ApiKey, Space, Stack, WorkerPool
from devenv.simulator.model.errors import Refusal
from devenv.simulator.model.run_entities import Run

_STACKS = searching.Index(
    key=lambda stack: stack.id,
    text=lambda stack: [stack.id, stack.name, stack.description or "", *stack.labels],
    predicates={
        "administrative": ("booleanEquals", lambda stack: stack.administrative),
        "locked": ("booleanEquals", lambda stack: stack.locked_by is not None),
        "branch": ("stringMatches", lambda stack: stack.branch),
        "commit": ("stringMatches", lambda stack: stack.tracked_commit.hash),
        "label": ("stringMatches", lambda stack: stack.labels),
        "name": ("stringMatches", lambda stack: stack.name),
        "projectRoot": ("stringMatches", lambda stack: stack.project_root or ""),
        "repository": ("stringMatches", lambda stack: stack.repository),
        "workerPool": ("stringMatches", lambda stack: stack.worker_pool_id or ""),
        "state": ("enumEquals", lambda stack: stack.state),
        "vendor": ("enumEquals", lambda stack: stack.vendor.upper()),
    },
    orders={
        "name": lambda stack: stack.name,
        "createdAt": lambda stack: stack.created_at,
        "starred": lambda stack: False,
    },
)

_RUNS = searching.Index(
    key=lambda node: node.run.id,
    text=lambda node: [node.run.id, node.run.title],
    predicates={"state": ("enumEquals", lambda node: node.run.state)},
    orders={"createdAt": lambda node: node.run.created_at},
    is_newest_first=True,
)

_POOLS = searching.Index(
    key=lambda pool: pool.id,
    text=lambda pool: [pool.id, pool.name, pool.description],
    predicates={
        "name": ("stringMatches", lambda pool: pool.name),
        "label": ("stringMatches", lambda pool: pool.labels),
    },
    orders={"name": lambda pool: pool.name, "createdAt": lambda pool: pool.created_at},
)

_AUDIT = searching.Index(
    key=lambda entry: entry.id,
    text=lambda entry: [entry.action, entry.username],
    predicates={
        "action": ("stringMatches", lambda entry: entry.action),
        "actor": ("stringMatches", lambda entry: entry.username),
    },
    orders={"createdAt": lambda entry: entry.at},
    is_newest_first=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserView:
    """GraphQL's `User`: an API key, with a token after an exchange."""

    id: str
    name: str
    login: str
    type: str = "api-key"
    jwt: str | None = None
    valid_until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHit:
    """A hit of `searchRuns`."""

    run: Run
    stack: Stack
    is_module: bool = False


def user_view(key: ApiKey) -> UserView:
    """Show a key as a user."""
    return UserView(id=key.id, name=key.name, login=key.login)


def viewer(_root: None, info: GraphQLResolveInfo) -> UserView | None:
    """Who asks; null when no one is logged in."""
    key = info.context.key
    return user_view(key) if key else None


def stack(_root: None, info: GraphQLResolveInfo, *, id: str) -> Stack | None:  # noqa: A002
    """One stack; null when it is missing or invisible."""
    context: Context = info.context
    context.require_key()
    return context.visible_stack(id)


def run_stack(_root: None, info: GraphQLResolveInfo, *, runId: str) -> Stack:  # noqa: N803
    """The stack of a run; clients do match on this message."""
    context: Context = info.context
    context.require_key()
    run = context.account.runs.get(runId)
    found = context.visible_stack(run.stack_id) if run else None
    if found is None:
        raise Refusal("not found")
    return found


def search_stacks(
    _root: None,
    info: GraphQLResolveInfo,
    *,
    input: dict[str, Any],  # noqa: A002
) -> searching.Page:
    """A page of stacks."""
    return searching.search(info.context.visible_stacks(), input, _STACKS)


def search_runs(
    _root: None,
    info: GraphQLResolveInfo,
    *,
    input: dict[str, Any],  # noqa: A002
) -> searching.Page:
    """A page of runs of all visible stacks, newest first."""
    context: Context = info.context
    hits = [
        RunHit(run=run, stack=stack)
        for stack in context.visible_stacks()
        for run in context.account.runs_of(stack.id)
        if context.is_listed(run)
    ]
    return searching.search(hits, input, _RUNS)


def visible_pools(context: Context) -> list[WorkerPool]:
    """Return the private pools that the caller sees."""
    if context.key is None:
        return []
    pools = context.account.pools.values()
    return [pool for pool in pools if context.account.is_visible(context.key, pool.space)]


def worker_pool(_root: None, info: GraphQLResolveInfo, *, id: str) -> WorkerPool | None:  # noqa: A002
    """One private pool; null when it is missing or inaccessible."""
    info.context.require_key()
    return next((pool for pool in visible_pools(info.context) if pool.id == id), None)


def visible_spaces(context: Context) -> list[Space]:
    """Return the spaces that the caller sees."""
    if context.key is None:
        return []
    spaces = context.account.spaces.values()
    return [space for space in spaces if context.account.is_visible(context.key, space.id)]


def space(_root: None, info: GraphQLResolveInfo, *, id: str) -> Space | None:  # noqa: A002
    """One space."""
    info.context.require_key()
    return next((space for space in visible_spaces(info.context) if space.id == id), None)


def public_pool(_root: None, info: GraphQLResolveInfo) -> account_fields.PublicPool:
    """The public worker pool."""
    info.context.require_key()
    return account_fields.PublicPool()


def search_pools(
    _root: None,
    info: GraphQLResolveInfo,
    *,
    input: dict[str, Any],  # noqa: A002
) -> searching.Page:
    """A page of private pools."""
    return searching.search(visible_pools(info.context), input, _POOLS)


def usage(_root: None, info: GraphQLResolveInfo) -> dict[str, int]:
    """Figures of the billing period."""
    info.context.require_key()
    return account_fields.usage(info.context)


def metrics(_root: None, info: GraphQLResolveInfo) -> dict[str, list[dict[str, Any]]]:
    """Figures of the dashboard."""
    info.context.require_key()
    return account_fields.metrics(info.context)


def search_audit(
    _root: None,
    info: GraphQLResolveInfo,
    *,
    input: dict[str, Any],  # noqa: A002
) -> searching.Page:
    """A page of the audit trail; only admins of the account may read it."""
    info.context.require_writer()
    return searching.search(list(info.context.account.audit), input, _AUDIT)


FIELDS: dict[str, Callable[..., Any]] = {
    "Query.viewer": viewer,
    "Query.stack": stack,
    "Query.stacks": lambda _root, info: info.context.visible_stacks(),
    "Query.runStack": run_stack,
    "Query.searchStacks": search_stacks,
    "Query.searchRuns": search_runs,
    # Empty means the hosted product.
    "Query.debugInfo": lambda _root, _info: {"self_hosted_version": ""},
    "Query.space": space,
    "Query.spaces": lambda _root, info: visible_spaces(info.context),
    "Query.workerPools": lambda _root, info: visible_pools(info.context),
    "Query.workerPool": worker_pool,
    "Query.publicWorkerPool": public_pool,
    "Query.searchWorkerPools": search_pools,
    "Query.usage": usage,
    "Query.metrics": metrics,
    "Query.searchAuditTrailEntries": search_audit,
}

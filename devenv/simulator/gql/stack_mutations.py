"""Root fields of `Mutation` that concern stacks, their edges, worker pools and the login."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from graphql import GraphQLResolveInfo

from devenv.simulator.gql import queries
from devenv.simulator.gql.context import Context
from devenv.simulator.model import queueing, stack_actions
from devenv.simulator.model.entities import (
    ConfigElement,
    Edge,
    Reference,
    Stack,
    Worker,
    WorkerPool,
)
from devenv.simulator.model.errors import Refusal, unauthorized

# GraphQL's argument names arrive as they are, hence the names of keyword arguments below.
# ruff: noqa: N803, A002


def api_key_user(
    _root: None, info: GraphQLResolveInfo, *, id: str, secret: str
) -> queries.UserView | None:
    """Exchange a key for a token; null for an unknown key."""
    context: Context = info.context
    grant = context.tokens.exchange(id, secret, audience=context.base_url)
    if grant is None:
        return None
    user = queries.user_view(context.account.keys[id])
    return replace(user, jwt=grant[0], valid_until=grant[1])


def oauth_user(_root: None, _info: GraphQLResolveInfo, *, token: str) -> None:
    """GitHub is not the identity provider of this account."""
    raise unauthorized()


def stack_lock(_root: None, info: GraphQLResolveInfo, *, id: str, note: str | None = None) -> Stack:
    """Reserve a stack."""
    context: Context = info.context
    stack = context.stack_to_change(id)
    return stack_actions.lock(context.engine, stack, context.require_writer(), note)


def stack_unlock(_root: None, info: GraphQLResolveInfo, *, id: str) -> Stack:
    """End a reservation."""
    context: Context = info.context
    stack = context.stack_to_change(id)
    return stack_actions.unlock(context.engine, stack, context.require_writer())


def stack_enable(_root: None, info: GraphQLResolveInfo, *, id: str) -> Stack:
    """Allow new runs."""
    stack = info.context.stack_to_change(id)
    return stack_actions.set_disabled(info.context.engine, stack, is_disabled=False)


def stack_disable(_root: None, info: GraphQLResolveInfo, *, id: str) -> Stack:
    """Forbid new runs."""
    stack = info.context.stack_to_change(id)
    return stack_actions.set_disabled(info.context.engine, stack, is_disabled=True)


def stack_set_current_commit(_root: None, info: GraphQLResolveInfo, *, id: str, sha: str) -> Stack:
    """Choose the commit of later runs."""
    context: Context = info.context
    stack = context.stack_to_change(id)
    return stack_actions.set_current_commit(context.engine, stack, sha, context.require_writer())


def stack_sync_commit(_root: None, info: GraphQLResolveInfo, *, id: str) -> Stack:
    """Track the head of the branch again."""
    context: Context = info.context
    stack = context.stack_to_change(id)
    return stack_actions.sync_commit(context.engine, stack, context.require_writer())


def stack_delete(
    _root: None, info: GraphQLResolveInfo, *, id: str, destroyResources: bool | None = None
) -> Stack:
    """Start a deletion; the stack is `deleting` for a while and then null."""
    context: Context = info.context
    return stack_actions.delete(context.engine, context.stack_to_change(id))


def dependency_create(_root: None, info: GraphQLResolveInfo, *, input: dict[str, Any]) -> Edge:
    """Add an edge; the upstream stack has to be visible only."""
    context: Context = info.context
    stack = context.stack_to_change(input["stackId"])
    upstream = context.visible_stack(input["dependsOnStackId"])
    if upstream is None:
        missing = input["dependsOnStackId"]
        raise Refusal(f"dependency stack {missing} not found: stack {missing} not found")
    always = bool(input.get("triggerAlways"))
    return stack_actions.add_edge(context.engine, stack, upstream, trigger_always=always)


def dependency_update(_root: None, info: GraphQLResolveInfo, *, input: dict[str, Any]) -> Edge:
    """Change an edge."""
    context: Context = info.context
    edge = context.edge_to_change(input["id"])
    edge.trigger_always = input["triggerAlways"]
    context.account.touch("edge", edge.id)
    return edge


def dependency_delete(_root: None, info: GraphQLResolveInfo, *, id: str) -> Edge:
    """Remove an edge."""
    context: Context = info.context
    edge = context.edge_to_change(id)
    context.account.remove_edge(edge.id)
    return edge


def reference_add(
    _root: None, info: GraphQLResolveInfo, *, stackDependencyID: str, reference: dict[str, Any]
) -> Reference:
    """Hand an output over an edge."""
    context: Context = info.context
    edge = context.edge_to_change(stackDependencyID)
    record = Reference(
        id=context.engine.ids.next(context.engine.now),
        output_name=reference["outputName"],
        input_name=reference["inputName"],
        type=reference["type"],
        trigger_always=bool(reference.get("triggerAlways")),
    )
    return stack_actions.add_reference(context.engine, edge, record)


def reference_update(
    _root: None, info: GraphQLResolveInfo, *, reference: dict[str, Any]
) -> Reference:
    """Change a reference; it then counts as new."""
    context: Context = info.context
    edge, record = _find_reference(context, reference["id"])
    record.output_name = reference["outputName"]
    record.input_name = reference["inputName"]
    record.trigger_always = bool(reference.get("triggerAlways"))
    record.seen_version = None
    context.account.touch("edge", edge.id)
    return record


def reference_delete(_root: None, info: GraphQLResolveInfo, *, id: str) -> Reference:
    """Remove a reference."""
    edge, record = _find_reference(info.context, id)
    edge.references.remove(record)
    info.context.account.touch("edge", edge.id)
    return record


def config_add(
    _root: None, info: GraphQLResolveInfo, *, stack: str, config: dict[str, Any]
) -> ConfigElement:
    """Set an environment variable or mounted file."""
    context: Context = info.context
    record = context.stack_to_change(stack)
    element = ConfigElement(
        id=config["id"],
        value=config["value"],
        checksum=hashlib.sha256(config["value"].encode()).hexdigest(),
        created_at=context.engine.now,
        type=config["type"],
        write_only=config["writeOnly"],
    )
    record.config = [known for known in record.config if known.id != element.id] + [element]
    context.account.touch("stack", record.id)
    return element


def config_delete(
    _root: None, info: GraphQLResolveInfo, *, stack: str, id: str
) -> ConfigElement | None:
    """Remove an environment variable or mounted file."""
    context: Context = info.context
    record = context.stack_to_change(stack)
    element = next((known for known in record.config if known.id == id), None)
    if element is None:
        raise Refusal(f"config element {id} not found")
    record.config.remove(element)
    context.account.touch("stack", record.id)
    return element


def state_download_url(
    _root: None, info: GraphQLResolveInfo, *, input: dict[str, Any]
) -> dict[str, str]:
    """Where the stack's state can be fetched without a token."""
    stack = info.context.stack_to_change(input["stackId"])
    return {"url": f"{info.context.base_url}/state/{stack.id}"}


def upload_local_workspace(_root: None, info: GraphQLResolveInfo, *, stack: str) -> dict[str, Any]:
    """Where a workspace can be put without a token."""
    context: Context = info.context
    context.stack_to_change(stack)
    workspace = context.engine.ids.next(context.engine.now)
    url = f"{context.base_url}/workspace/{workspace}"
    return {"id": workspace, "upload_url": url, "upload_headers": {"entries": []}}


def worker_drain(
    _root: None, info: GraphQLResolveInfo, *, workerPool: str, id: str, drain: bool
) -> Worker:
    """Let a worker take no more runs, or take them again."""
    pool = _pool_to_change(info.context, workerPool)
    worker = next((worker for worker in pool.workers if worker.id == id), None)
    if worker is None:
        raise Refusal(f"worker {id} not found")
    engine = info.context.engine
    worker.drained = drain
    engine.account.touch("pool", pool.id)
    engine.later(lambda: queueing.assign_workers(engine, pool.id))
    return worker


def worker_pool_cycle(_root: None, info: GraphQLResolveInfo, *, id: str) -> bool:
    """Replace the workers; nothing to be seen of it here."""
    _pool_to_change(info.context, id)
    return True


def _pool_to_change(context: Context, pool_id: str) -> WorkerPool:
    context.require_writer()
    for pool in queries.visible_pools(context):
        if pool.id == pool_id:
            return pool
    raise Refusal(f"worker pool {pool_id} not found")


def _find_reference(context: Context, reference_id: str) -> tuple[Edge, Reference]:
    context.require_writer()
    for edge in context.account.edges.values():
        for record in edge.references:
            if record.id == reference_id:
                return context.edge_to_change(edge.id), record
    raise Refusal(f"stack dependency reference {reference_id} not found")


FIELDS: dict[str, Callable[..., Any]] = {
    "Mutation.apiKeyUser": api_key_user,
    "Mutation.oauthUser": oauth_user,
    "Mutation.stackLock": stack_lock,
    "Mutation.stackUnlock": stack_unlock,
    "Mutation.stackEnable": stack_enable,
    "Mutation.stackDisable": stack_disable,
    "Mutation.stackSetCurrentCommit": stack_set_current_commit,
    "Mutation.stackSyncCommit": stack_sync_commit,
    "Mutation.stackDelete": stack_delete,
    "Mutation.stackDependencyCreate": dependency_create,
    "Mutation.stackDependencyUpdate": dependency_update,
    "Mutation.stackDependencyDelete": dependency_delete,
    "Mutation.stackDependenciesAddReference": reference_add,
    "Mutation.stackDependenciesUpdateReference": reference_update,
    "Mutation.stackDependenciesDeleteReference": reference_delete,
    "Mutation.stackConfigAdd": config_add,
    "Mutation.stackConfigDelete": config_delete,
    "Mutation.stateDownloadUrl": state_download_url,
    "Mutation.uploadLocalWorkspace": upload_local_workspace,
    "Mutation.workerDrainSet": worker_drain,
    "Mutation.workerPoolCycle": worker_pool_cycle,
}

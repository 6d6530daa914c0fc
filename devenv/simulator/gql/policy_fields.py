"""Fields of policies: documents of a space. Only those of type NOTIFICATION have an effect here."""

from collections.abc import Callable
from typing import Any

from graphql import GraphQLResolveInfo

from devenv.simulator.gql import searching
from devenv.simulator.gql.context import Context
from devenv.simulator.model import webhook_actions
from devenv.simulator.model.account import ROOT_SPACE
from devenv.simulator.model.errors import Refusal, unauthorized
from devenv.simulator.model.webhooks import Policy

# GraphQL's argument names arrive as they are, hence the names of keyword arguments below.
# ruff: noqa: A002

_POLICIES = searching.Index(
    key=lambda policy: policy.id,
    text=lambda policy: [policy.id, policy.name, policy.description or "", *policy.labels],
    predicates={
        "name": ("stringMatches", lambda policy: policy.name),
        "label": ("stringMatches", lambda policy: policy.labels),
        "space": ("stringMatches", lambda policy: policy.space),
        "type": ("enumEquals", lambda policy: policy.type),
    },
    orders={"name": lambda policy: policy.name, "createdAt": lambda policy: policy.created_at},
)


def policies(_root: None, info: GraphQLResolveInfo) -> list[Policy]:
    """All visible policies."""
    return _visible(info.context)


def policy(_root: None, info: GraphQLResolveInfo, *, id: str) -> Policy | None:
    """One policy; null when it is missing or invisible."""
    context: Context = info.context
    context.require_key()
    return next((policy for policy in _visible(context) if policy.id == id), None)


def search_policies(
    _root: None, info: GraphQLResolveInfo, *, input: dict[str, Any]
) -> searching.Page:
    """A page of policies."""
    return searching.search(_visible(info.context), input, _POLICIES)


def policy_create(_root: None, info: GraphQLResolveInfo, *, input: dict[str, Any]) -> Policy:
    """Add a policy to a space."""
    context: Context = info.context
    naming, draft = _naming(input, ROOT_SPACE), _draft(input)
    context.require_space(naming.space)
    return webhook_actions.create_policy(context.engine, naming, draft, policy_type=input["type"])


def policy_update(
    _root: None, info: GraphQLResolveInfo, *, id: str, input: dict[str, Any]
) -> Policy:
    """Change a policy; without a space it stays where it is."""
    context: Context = info.context
    record = _to_change(context, id)
    naming = _naming(input, record.space)
    context.require_space(naming.space)
    return webhook_actions.update_policy(context.engine, record, naming, _draft(input))


def policy_delete(_root: None, info: GraphQLResolveInfo, *, id: str) -> Policy:
    """Remove a policy."""
    context: Context = info.context
    record = _to_change(context, id)
    context.account.remove_policy(record.id)
    return record


def _visible(context: Context) -> list[Policy]:
    known = context.account.policies.values()
    return [policy for policy in known if context.sees_space(policy.space)]


def _to_change(context: Context, policy_id: str) -> Policy:
    context.require_writer()
    record = context.account.policies.get(policy_id)
    if record is None:
        raise Refusal(f"policy {policy_id} not found")
    if not context.sees_space(record.space):
        raise unauthorized()
    return record


def _naming(values: dict[str, Any], space: str) -> webhook_actions.Naming:
    return webhook_actions.Naming(
        name=values["name"],
        space=values.get("space") or space,
        labels=values.get("labels") or [],
    )


def _draft(values: dict[str, Any]) -> webhook_actions.PolicyDraft:
    return webhook_actions.PolicyDraft(
        body=values["body"],
        description=values.get("description"),
        engine_type=values.get("engineType"),
    )


FIELDS: dict[str, Callable[..., Any]] = {
    "Query.policies": policies,
    "Query.policy": policy,
    "Query.searchPolicies": search_policies,
    "Mutation.policyCreatev2": policy_create,
    "Mutation.policyUpdatev2": policy_update,
    "Mutation.policyDelete": policy_delete,
}

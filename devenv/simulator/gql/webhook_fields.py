"""Fields of webhooks: those of a stack, the named ones, and the one of the audit trail.

Stack webhooks follow the rules of their stack: people who may read the stack may read their
secrets. Named webhooks follow the rules of their space. The audit trail belongs to admins of the
whole account.
"""

from collections.abc import Callable
from typing import Any

from graphql import GraphQLResolveInfo

from devenv.simulator.gql import searching
from devenv.simulator.gql.context import Context
from devenv.simulator.model import webhook_actions
from devenv.simulator.model.entities import Space, Stack
from devenv.simulator.model.errors import Refusal, unauthorized
from devenv.simulator.model.webhooks import AUDIT_ID, Webhook, WebhookKind

# GraphQL's argument names arrive as they are, hence the names of keyword arguments below.
# ruff: noqa: N803, A002

_NAMED = searching.Index(
    key=lambda webhook: webhook.id,
    text=lambda webhook: [webhook.id, webhook.name, webhook.endpoint, *webhook.labels],
    predicates={
        "name": ("stringMatches", lambda webhook: webhook.name),
        "label": ("stringMatches", lambda webhook: webhook.labels),
        "space": ("stringMatches", lambda webhook: webhook.space),
        "enabled": ("booleanEquals", lambda webhook: webhook.enabled),
    },
    orders={"name": lambda webhook: webhook.name, "createdAt": lambda webhook: webhook.created_at},
)


# -- webhooks of a stack -------------------------------------------------------------------------


def of_stack(stack: Stack, info: GraphQLResolveInfo) -> list[Webhook]:
    """The webhooks of a stack, oldest first."""
    context: Context = info.context
    return sorted(context.account.webhooks_of(stack.id), key=lambda webhook: webhook.id)


def stack_webhook_create(
    _root: None, info: GraphQLResolveInfo, *, stack: str, input: dict[str, Any]
) -> Webhook:
    """Add a webhook to a stack."""
    context: Context = info.context
    record = context.stack_to_change(stack)
    return webhook_actions.create_stack_webhook(context.engine, record, _draft(input))


def stack_webhook_update(
    _root: None, info: GraphQLResolveInfo, *, stack: str, id: str, input: dict[str, Any]
) -> Webhook:
    """Change a webhook of a stack; this also enables one that failures disabled."""
    context: Context = info.context
    record = context.stack_to_change(stack)
    return webhook_actions.update_stack_webhook(context.engine, record, id, _draft(input))


def stack_webhook_delete(_root: None, info: GraphQLResolveInfo, *, stack: str, id: str) -> Webhook:
    """Remove a webhook of a stack."""
    context: Context = info.context
    return webhook_actions.delete_stack_webhook(context.engine, context.stack_to_change(stack), id)


# -- named webhooks ------------------------------------------------------------------------------


def named(_root: None, info: GraphQLResolveInfo, *, id: str) -> Webhook | None:
    """One named webhook; null when it is missing or invisible."""
    context: Context = info.context
    context.require_key()
    return next((webhook for webhook in _visible(context) if webhook.id == id), None)


def search_named(_root: None, info: GraphQLResolveInfo, *, input: dict[str, Any]) -> searching.Page:
    """A page of named webhooks."""
    return searching.search(_visible(info.context), input, _NAMED)


def named_create(_root: None, info: GraphQLResolveInfo, *, input: dict[str, Any]) -> Webhook:
    """Add a named webhook to a space."""
    context: Context = info.context
    context.require_space(input["space"])
    return webhook_actions.create_named_webhook(context.engine, _naming(input), _draft(input))


def named_update(
    _root: None, info: GraphQLResolveInfo, *, id: str, input: dict[str, Any]
) -> Webhook:
    """Change a named webhook; this also enables one that failures disabled."""
    context: Context = info.context
    webhook = _to_change(context, id)
    context.require_space(input["space"])
    naming, draft = _naming(input), _draft(input)
    return webhook_actions.update_named_webhook(context.engine, webhook, naming, draft)


def named_delete(_root: None, info: GraphQLResolveInfo, *, id: str) -> Webhook:
    """Remove a named webhook; policies that name it then send nothing."""
    context: Context = info.context
    webhook = _to_change(context, id)
    context.account.remove_webhook(webhook.id)
    return webhook


def set_headers(
    _root: None, info: GraphQLResolveInfo, *, id: str, input: dict[str, Any]
) -> Webhook:
    """Add secret headers."""
    context: Context = info.context
    return webhook_actions.set_headers(context.engine, _to_change(context, id), _pairs(input))


def delete_headers(
    _root: None, info: GraphQLResolveInfo, *, id: str, headerKeys: list[str]
) -> Webhook:
    """Remove secret headers."""
    context: Context = info.context
    return webhook_actions.delete_headers(context.engine, _to_change(context, id), headerKeys)


def named_space(webhook: Webhook, info: GraphQLResolveInfo) -> Space:
    """The record of the webhook's space."""
    spaces = info.context.account.spaces
    return spaces.get(webhook.space) or Space(id=webhook.space, name=webhook.space)


def named_secret(webhook: Webhook, info: GraphQLResolveInfo) -> str:
    """The secret, or nothing: sources leave it open."""
    is_shown = info.context.account.behavior.named_webhook_secret == "shown"  # noqa: S105 - a mode
    return webhook.secret if is_shown else ""


# -- the audit trail webhook ---------------------------------------------------------------------


def audit(_root: None, info: GraphQLResolveInfo) -> Webhook | None:
    """The audit trail webhook; null when there is none."""
    context: Context = info.context
    context.require_account_admin()
    return context.account.webhooks.get(AUDIT_ID)


def audit_set(_root: None, info: GraphQLResolveInfo, *, input: dict[str, Any]) -> Webhook:
    """Create or change the audit trail webhook; an enabled one must have answered a probe."""
    context: Context = info.context
    context.require_account_admin()
    problem = context.probes.get(input["endpoint"])
    if input["enabled"] and problem is not None:
        raise Refusal(f"could not deliver the payload to {input['endpoint']}: {problem}")
    headers = input.get("customHeaders")
    return webhook_actions.set_audit_webhook(
        context.engine,
        _draft(input),
        include_runs=input["includeRuns"],
        headers=_pairs(headers) if headers is not None else None,
    )


def audit_delete(_root: None, info: GraphQLResolveInfo) -> Webhook:
    """Remove the audit trail webhook."""
    context: Context = info.context
    context.require_account_admin()
    webhook = context.account.webhooks.get(AUDIT_ID)
    if webhook is None:
        raise Refusal("audit trail webhook not found")
    context.account.remove_webhook(webhook.id)
    return webhook


# -- inner ---------------------------------------------------------------------------------------


def _visible(context: Context) -> list[Webhook]:
    return [
        webhook
        for webhook in context.account.webhooks.values()
        if webhook.kind is WebhookKind.NAMED and context.sees_space(webhook.space)
    ]


def _to_change(context: Context, webhook_id: str) -> Webhook:
    context.require_writer()
    webhook = context.account.webhooks.get(webhook_id)
    if webhook is None or webhook.kind is not WebhookKind.NAMED:
        raise Refusal(f"webhook {webhook_id} not found")
    if not context.sees_space(webhook.space):
        raise unauthorized()
    return webhook


def _draft(values: dict[str, Any]) -> webhook_actions.WebhookDraft:
    return webhook_actions.WebhookDraft(
        endpoint=values["endpoint"],
        enabled=values["enabled"],
        secret=values.get("secret"),
        retry_on_failure=bool(values.get("retryOnFailure")),
    )


def _naming(values: dict[str, Any]) -> webhook_actions.Naming:
    return webhook_actions.Naming(
        name=values["name"], space=values["space"], labels=values.get("labels") or []
    )


def _pairs(values: dict[str, Any]) -> dict[str, str]:
    return {entry["key"]: entry["value"] for entry in values["entries"]}


FIELDS: dict[str, Callable[..., Any]] = {
    "StackIntegrations.webhooks": lambda source, info: of_stack(source["stack"], info),
    "Query.namedWebhooksIntegration": named,
    "Query.searchNamedWebhooksIntegrations": search_named,
    "Query.auditTrailWebhook": audit,
    "NamedWebhooksIntegration.space": named_space,
    "NamedWebhooksIntegration.secret": named_secret,
    "Mutation.webhooksIntegrationCreate": stack_webhook_create,
    "Mutation.webhooksIntegrationUpdate": stack_webhook_update,
    "Mutation.webhooksIntegrationDelete": stack_webhook_delete,
    "Mutation.namedWebhooksIntegrationCreate": named_create,
    "Mutation.namedWebhooksIntegrationUpdate": named_update,
    "Mutation.namedWebhooksIntegrationDelete": named_delete,
    "Mutation.namedWebhooksIntegrationSetHeaders": set_headers,
    "Mutation.namedWebhooksIntegrationDeleteHeaders": delete_headers,
    "Mutation.auditTrailSetWebhook": audit_set,
    "Mutation.auditTrailDeleteWebhook": audit_delete,
}

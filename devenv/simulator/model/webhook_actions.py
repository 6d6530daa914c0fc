"""What people do to webhooks and policies: create, change, delete them.

The rules: the endpoint of a stack's webhook is unique on that stack. The id of a named webhook or
of a policy is made from its name and never changes. An update enables a webhook again that failures
have disabled (API facts, 6.1 and 6.4).
"""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from devenv.simulator.model.account import Account
from devenv.simulator.model.engine import Engine
from devenv.simulator.model.entities import Stack
from devenv.simulator.model.errors import Refusal
from devenv.simulator.model.webhooks import AUDIT_ID, Policy, Webhook, WebhookKind


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDraft:
    """A webhook as someone wants it; a secret that is None or empty leaves the known one."""

    endpoint: str
    enabled: bool = True
    secret: str | None = None
    retry_on_failure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """What named webhooks and policies have in common."""

    name: str
    space: str = "root"
    labels: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDraft:
    """The rules of a policy, and what goes with them."""

    body: str
    description: str | None = None
    engine_type: str | None = None


def change(engine: Engine, webhook: Webhook, draft: WebhookDraft) -> Webhook:
    """Change what all kinds have in common."""
    return _apply(engine.account, webhook, draft)


# -- webhooks of a stack -------------------------------------------------------------------------


def create_stack_webhook(engine: Engine, stack: Stack, draft: WebhookDraft) -> Webhook:
    """Notify an endpoint of every state change of a stack's runs."""
    _check_unique_endpoint(engine.account, stack, draft.endpoint)
    webhook = Webhook(
        id=engine.ids.next(engine.now),
        kind=WebhookKind.STACK,
        endpoint=draft.endpoint,
        created_at=engine.now,
        stack_id=stack.id,
    )
    return _apply(engine.account, webhook, draft)


def update_stack_webhook(
    engine: Engine, stack: Stack, webhook_id: str, draft: WebhookDraft
) -> Webhook:
    """Change a webhook of a stack."""
    webhook = stack_webhook(engine.account, stack, webhook_id)
    if draft.endpoint != webhook.endpoint:
        _check_unique_endpoint(engine.account, stack, draft.endpoint)
    return _apply(engine.account, webhook, draft)


def delete_stack_webhook(engine: Engine, stack: Stack, webhook_id: str) -> Webhook:
    """Remove a webhook of a stack."""
    webhook = stack_webhook(engine.account, stack, webhook_id)
    webhook.deleted = True
    engine.account.remove_webhook(webhook.id)
    return webhook


def stack_webhook(account: Account, stack: Stack, webhook_id: str) -> Webhook:
    """Return a webhook of this stack."""
    webhook = account.webhooks.get(webhook_id)
    if webhook is None or webhook.stack_id != stack.id:
        raise Refusal(f"webhook {webhook_id} not found")
    return webhook


# -- named webhooks ------------------------------------------------------------------------------


def create_named_webhook(engine: Engine, naming: Naming, draft: WebhookDraft) -> Webhook:
    """Add a webhook for notification policies to name."""
    webhook = Webhook(
        id=_new_slug(naming.name, engine.account.webhooks),
        kind=WebhookKind.NAMED,
        endpoint=draft.endpoint,
        created_at=engine.now,
    )
    return _apply(engine.account, _named(webhook, naming), draft)


def update_named_webhook(
    engine: Engine, webhook: Webhook, naming: Naming, draft: WebhookDraft
) -> Webhook:
    """Change a named webhook; its id stays."""
    return _apply(engine.account, _named(webhook, naming), draft)


def set_headers(engine: Engine, webhook: Webhook, headers: dict[str, str]) -> Webhook:
    """Add headers to what is sent, or change the values of existing ones."""
    webhook.headers.update(headers)
    engine.account.touch("webhook", webhook.id)
    return webhook


def delete_headers(engine: Engine, webhook: Webhook, names: list[str]) -> Webhook:
    """Take headers away from what is sent."""
    for name in names:
        webhook.headers.pop(name, None)
    engine.account.touch("webhook", webhook.id)
    return webhook


# -- the audit trail webhook ---------------------------------------------------------------------


def set_audit_webhook(
    engine: Engine,
    draft: WebhookDraft,
    *,
    include_runs: bool = False,
    headers: dict[str, str] | None = None,
) -> Webhook:
    """Create or change the account's audit trail webhook; headers that are None stay."""
    webhook = engine.account.webhooks.get(AUDIT_ID) or Webhook(
        id=AUDIT_ID, kind=WebhookKind.AUDIT, endpoint=draft.endpoint, created_at=engine.now
    )
    webhook.include_runs = include_runs
    if headers is not None:
        webhook.headers = dict(headers)
    return _apply(engine.account, webhook, draft)


# -- policies ------------------------------------------------------------------------------------


def create_policy(
    engine: Engine, naming: Naming, draft: PolicyDraft, *, policy_type: str
) -> Policy:
    """Add a policy. Its body is not compiled, so broken Rego is accepted here."""
    policy = Policy(
        id=_new_slug(naming.name, engine.account.policies),
        name=naming.name,
        body=draft.body,
        type=policy_type,
        created_at=engine.now,
        updated_at=engine.now,
    )
    return update_policy(engine, policy, naming, draft)


def update_policy(engine: Engine, policy: Policy, naming: Naming, draft: PolicyDraft) -> Policy:
    """Change a policy; its id and type stay."""
    if not draft.body.strip():
        raise Refusal("policy has 1 error: body: cannot be empty")
    policy.name, policy.space, policy.labels = naming.name, naming.space, list(naming.labels)
    policy.body, policy.description = draft.body, draft.description
    policy.engine_type = draft.engine_type or policy.engine_type
    policy.updated_at = engine.now
    engine.account.policies[policy.id] = policy
    engine.account.touch("policy", policy.id)
    return policy


# -- inner ---------------------------------------------------------------------------------------


def _apply(account: Account, webhook: Webhook, draft: WebhookDraft) -> Webhook:
    check_endpoint(draft.endpoint)
    webhook.endpoint = draft.endpoint
    webhook.enabled = draft.enabled
    webhook.retry_on_failure = draft.retry_on_failure
    webhook.secret = draft.secret or webhook.secret
    if draft.enabled:
        webhook.failures, webhook.disabled_at = 0, None
    account.webhooks[webhook.id] = webhook
    account.touch("webhook", webhook.id)
    return webhook


def check_endpoint(endpoint: str) -> None:
    """Refuse an endpoint that is not an address to post to."""
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Refusal("webhook has 1 error: endpoint: is not a valid URL")


def _named(webhook: Webhook, naming: Naming) -> Webhook:
    webhook.name, webhook.space, webhook.labels = naming.name, naming.space, list(naming.labels)
    return webhook


def _check_unique_endpoint(account: Account, stack: Stack, endpoint: str) -> None:
    if any(known.endpoint == endpoint for known in account.webhooks_of(stack.id)):
        raise Refusal("webhook has 1 error: endpoint: has already been taken")


def _new_slug(name: str, taken: dict[str, Webhook] | dict[str, Policy]) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not slug:
        raise Refusal("name: cannot be empty")
    if slug in taken:
        raise Refusal(f"name: {name} has already been taken")
    return slug

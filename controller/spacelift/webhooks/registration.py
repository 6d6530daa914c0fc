"""Brings an account from what is there to what is wanted, one object after the other.

The order matters when it is broken off: a policy never names a webhook that is not there, since
Spacelift would report an error for each run.
"""

import dataclasses
from collections.abc import AsyncIterator
from typing import Any

from controller.spacelift.webhooks import plan
from controller.spacelift.webhooks.plan import Action, Policy, Step, Webhook
from controller.spacelift.webhooks.registry import WebhookRegistry


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of the webhook or the policy, or would have become of it."""

    kind: str
    """`webhook` or `policy`."""
    name: str
    id: str
    """Empty if it is not there."""
    action: Action
    differences: tuple[str, ...] = ()
    space: str = ""
    uncovered: tuple[str, ...] = ()
    """Of a policy: visible spaces, sorted, whose runs it is not asked about."""


async def register(
    registry: WebhookRegistry,
    wanted: plan.Wanted,
    *,
    secret: str,
    is_dry_run: bool = False,
) -> AsyncIterator[Outcome]:
    """Register webhook and policy, and yield what became of each one as soon as it is done.

    Raises:
        SpaceliftError: what was yielded before is done; running it again goes on from there.
        CannotSetUp: nothing was changed.
    """
    spaces = await registry.list_spaces()
    webhook, policy = await _find(registry, wanted.name)
    step = plan.webhook_step(wanted, webhook)
    expected_id = step.item.id or plan.slug(wanted.name)
    policy_step = plan.policy_step(wanted, policy, endpoint_id=expected_id)
    for space in {step.item.space, policy_step.item.space}:
        plan.check_space(space, spaces)
    uncovered = plan.uncovered_spaces(spaces, of=policy_step.item.space)
    webhook_id, policy_id = step.item.id, policy_step.item.id
    if not is_dry_run:
        webhook_id = await registry.carry_out_webhook(step, secret=secret)
    yield _outcome("webhook", step, webhook_id)
    if not is_dry_run:
        # Decided anew: Spacelift chooses the id of a new webhook.
        policy_step = plan.policy_step(wanted, policy, endpoint_id=webhook_id)
        policy_id = await registry.carry_out_policy(policy_step)
    yield _outcome("policy", policy_step, policy_id, uncovered=uncovered)


async def unregister(
    registry: WebhookRegistry, name: str, *, is_dry_run: bool = False
) -> AsyncIterator[Outcome]:
    """Remove policy and webhook; what it yields and raises is as with `register`."""
    webhook, policy = await _find(registry, name)
    policy_step = plan.policy_removal(name, policy)
    step = plan.webhook_removal(name, webhook)
    if not is_dry_run:
        await registry.carry_out_policy(policy_step)
    yield _outcome("policy", policy_step, policy_step.item.id)
    if not is_dry_run:
        await registry.carry_out_webhook(step, secret="")
    yield _outcome("webhook", step, step.item.id)


async def _find(registry: WebhookRegistry, name: str) -> tuple[Webhook | None, Policy | None]:
    webhooks = await registry.list_webhooks()
    policies = await registry.list_policies()
    return (
        plan.one_named(name, webhooks, kind="webhooks"),
        plan.one_named(name, policies, kind="policies"),
    )


def _outcome(
    kind: str, step: Step[Any], item_id: str, *, uncovered: tuple[str, ...] = ()
) -> Outcome:
    return Outcome(
        kind=kind,
        name=step.item.name,
        id=item_id,
        action=step.action,
        differences=step.differences,
        space=step.item.space,
        uncovered=uncovered,
    )

"""Registers or removes webhook and policy: carries out the plan, one object after the other.

The order matters if it is interrupted: a policy never names a webhook that does not exist, since
Spacelift would report an error for each run.
"""

import dataclasses
from collections.abc import AsyncIterator
from typing import Any

from controller.spacelift.webhooks import plan
from controller.spacelift.webhooks.client import WebhookClient
from controller.spacelift.webhooks.plan import Policy, SetupAction, SetupStep, Webhook


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class SetupOutcome:
    """What became of the webhook or the policy, or would have become of it."""

    kind: str
    """`webhook` or `policy`."""
    name: str
    id: str
    """Empty if it is not there."""
    action: SetupAction
    differences: tuple[str, ...] = ()
    space: str = ""
    uncovered: tuple[str, ...] = ()
    """Of a policy: visible spaces, sorted, whose runs it is not asked about."""


async def set_up(
    webhook_client: WebhookClient,
    wanted: plan.DesiredSetup,
    *,
    secret: str,
    is_dry_run: bool = False,
) -> AsyncIterator[SetupOutcome]:
    """Register webhook and policy, and yield what became of each one as soon as it is done.

    Raises:
        SpaceliftError: what was yielded before is done; running it again continues from there.
        CannotSetUp: nothing was changed.
    """
    spaces = await webhook_client.list_spaces()
    webhook, policy = await _find(webhook_client, wanted.name)
    step = plan.webhook_step(wanted, webhook)
    expected_id = step.item.id or plan.slug(wanted.name)
    policy_step = plan.policy_step(wanted, policy, endpoint_id=expected_id)
    for space in {step.item.space, policy_step.item.space}:
        plan.check_space(space, spaces)
    uncovered = plan.uncovered_spaces(spaces, of=policy_step.item.space)
    webhook_id, policy_id = step.item.id, policy_step.item.id
    if not is_dry_run:
        webhook_id = await webhook_client.carry_out_webhook(step, secret=secret)
    yield _outcome("webhook", step, webhook_id)
    if not is_dry_run:
        # Decided again: Spacelift chooses the id of a new webhook.
        policy_step = plan.policy_step(wanted, policy, endpoint_id=webhook_id)
        policy_id = await webhook_client.carry_out_policy(policy_step)
    yield _outcome("policy", policy_step, policy_id, uncovered=uncovered)


async def remove(
    webhook_client: WebhookClient, name: str, *, is_dry_run: bool = False
) -> AsyncIterator[SetupOutcome]:
    """Remove policy and webhook; what it yields and raises is as with `register`."""
    webhook, policy = await _find(webhook_client, name)
    policy_step = plan.policy_removal(name, policy)
    step = plan.webhook_removal(name, webhook)
    if not is_dry_run:
        await webhook_client.carry_out_policy(policy_step)
    yield _outcome("policy", policy_step, policy_step.item.id)
    if not is_dry_run:
        await webhook_client.carry_out_webhook(step, secret="")
    yield _outcome("webhook", step, step.item.id)


async def _find(webhook_client: WebhookClient, name: str) -> tuple[Webhook | None, Policy | None]:
    webhooks = await webhook_client.list_webhooks()
    policies = await webhook_client.list_policies()
    return (
        plan.one_named(name, webhooks, kind="webhooks"),
        plan.one_named(name, policies, kind="policies"),
    )


def _outcome(
    kind: str, step: SetupStep[Any], item_id: str, *, uncovered: tuple[str, ...] = ()
) -> SetupOutcome:
    return SetupOutcome(
        kind=kind,
        name=step.item.name,
        id=item_id,
        action=step.action,
        differences=step.differences,
        space=step.item.space,
        uncovered=uncovered,
    )

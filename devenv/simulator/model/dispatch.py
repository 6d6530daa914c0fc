"""Who learns what happens in the account: from an event to the deliveries that it causes."""

from dataclasses import dataclass, replace
from typing import Any

from devenv.simulator.model import delivery_behavior, payloads, policies, policy_inputs
from devenv.simulator.model.engine import Engine
from devenv.simulator.model.entities import AuditEntry, Stack
from devenv.simulator.model.outbox import Outbox
from devenv.simulator.model.run_entities import Run, Transition
from devenv.simulator.model.webhooks import (
    AUDIT_ID,
    Delivery,
    DeliveryState,
    Policy,
    Webhook,
    WebhookKind,
)

_AUDIT_SET = "auditTrailSetWebhook"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """What a delivery is about, for its record."""

    event: str
    stack_id: str | None = None
    run_id: str | None = None
    run_state: str | None = None
    state_version: int | None = None


@dataclass(slots=True, kw_only=True)
class Dispatch:
    """Makes deliveries of one account; with a policy engine its policies are really run."""

    engine: Engine
    outbox: Outbox
    policy_engine: policies.PolicyEngine | None = None

    # -- runs --------------------------------------------------------------------------------

    def run_changed(self, run: Run, transition: Transition) -> None:
        """Notify everyone who wants to know that a run came to a state."""
        account = self.engine.account
        stack = account.stacks.get(run.stack_id)
        if stack is None or not account.webhooks:
            return
        payload = payloads.run_event(account, stack, run, transition)
        number = self.outbox.last_number + 1
        if transition.terminal and delivery_behavior.is_stale(account.delivery_behavior, number):
            payload["stateVersion"] = max(0, transition.state_version - 1)
        event = _Event(
            event="run",
            stack_id=stack.id,
            run_id=run.id,
            run_state=transition.state,
            state_version=payload["stateVersion"],
        )
        body = payloads.text(payload)
        for webhook in account.webhooks_of(stack.id):
            self._send(webhook, body, event)
        for policy in policies.effective(account, stack.space):
            webhooks = policies.endpoints(account, policy)
            given = policy_inputs.run_updated(account, stack, run, transition, webhooks=webhooks)
            self._send_by(policy, given, body, event)
        audit = account.webhooks.get(AUDIT_ID)
        if audit is not None and audit.include_runs:
            self._send(audit, body, event)

    def policy_input(self, run: Run) -> dict[str, Any]:
        """Return what a policy was given at a run's last change."""
        account = self.engine.account
        stack = account.stacks[run.stack_id]
        webhooks = [one for one in account.webhooks.values() if one.kind is WebhookKind.NAMED]
        last = run.history[-1]
        return policy_inputs.run_updated(account, stack, run, last, webhooks=webhooks)

    # -- noise -------------------------------------------------------------------------------

    def internal_error(self, stack: Stack) -> None:
        """Let an error inside of Spacelift happen; policies that ask for such errors send it."""
        account = self.engine.account
        payload = payloads.internal_error(account)
        event = _Event(event="internal-error")
        for policy in policies.effective(account, stack.space):
            webhooks = policies.endpoints(account, policy)
            given = policy_inputs.internal_error(account, payload, webhooks=webhooks)
            self._send_by(policy, given, payloads.text(payload), event)

    def noise(self, webhook: Webhook, *, kind: str) -> Delivery:
        """Send what is not about a run of a stack to a webhook, whoever routed it there."""
        account, now = self.engine.account, self.engine.now
        if kind == "module":
            payload = payloads.module_event(account, self.engine.ids.next(now), at=now)
        else:
            payload = payloads.internal_error(account)
        return self._add(webhook, payloads.text(payload), _Event(event=kind), due=now)

    # -- the audit trail ---------------------------------------------------------------------

    def audited(
        self,
        entry: AuditEntry,
        arguments: dict[str, Any],
        *,
        remote_ip: str,
        before: Webhook | None,
    ) -> None:
        """Notify the audit trail webhook of a mutation; `before` is what it was until then.

        A webhook that is disabled or deleted is still notified of that. The probe has already
        reported that one was set and enabled.
        """
        account = self.engine.account
        webhook = account.webhooks.get(AUDIT_ID)
        is_on = webhook is not None and webhook.enabled
        if is_on and entry.action == _AUDIT_SET:
            return
        target = webhook if is_on else before
        if target is None or not target.enabled:
            return
        payload = payloads.audit_event(account, entry, arguments, remote_ip=remote_ip)
        body = payloads.text(payload)
        if is_on:
            self._send(target, body, _Event(event="audit"))
        else:
            due = self.engine.now
            self._add(target, body, _Event(event="audit"), due=due, is_farewell=True)

    def audit_webhook(self) -> Webhook | None:
        """Return the audit trail webhook as it is now, for `before`."""
        webhook = self.engine.account.webhooks.get(AUDIT_ID)
        return replace(webhook) if webhook is not None else None

    def probe(self, arguments: dict[str, Any], *, username: str, remote_ip: str) -> Delivery:
        """Return the delivery that an audit trail webhook must take before it is enabled."""
        account, now = self.engine.account, self.engine.now
        values = arguments["input"]
        known = account.webhooks.get(AUDIT_ID)
        entry = AuditEntry(
            id="", action=_AUDIT_SET, username=username, resource_id=None, resource_type="", at=now
        )
        webhook = Webhook(
            id=AUDIT_ID,
            kind=WebhookKind.AUDIT,
            endpoint=values["endpoint"],
            created_at=now,
            secret=values.get("secret") or (known.secret if known else ""),
            headers=_headers(values) if values.get("customHeaders") else {},
        )
        payload = payloads.audit_event(account, entry, arguments, remote_ip=remote_ip)
        return self._add(webhook, payloads.text(payload), _Event(event="audit"), due=None)

    # -- again -------------------------------------------------------------------------------

    def replay(self, *, webhook_id: str | None = None, run_id: str | None = None) -> list[Delivery]:
        """Send again what was sent before, byte for byte and in the old order."""
        sent = [
            delivery
            for delivery in self.engine.account.deliveries.values()
            if delivery.attempts
            and delivery.replay_of is None
            and delivery.duplicate_of is None
            and webhook_id in (None, delivery.webhook_id)
            and run_id in (None, delivery.run_id)
        ]
        return [self._copy(delivery, due=self.engine.now, is_replay=True) for delivery in sent]

    # -- inner -------------------------------------------------------------------------------

    def _send_by(self, policy: Policy, given: dict[str, Any], body: str, event: _Event) -> None:
        account = self.engine.account
        if self.policy_engine is not None:
            messages = policies.run_engine(self.policy_engine, policy, given)
        else:
            messages = policies.read(policy, given, account.delivery_behavior)
        known = {endpoint["id"] for endpoint in given["webhook_endpoints"]}
        for message in messages:
            if message.endpoint_id not in known:
                self._lose(policy, message, event)
                continue
            text = body if message.payload is None else payloads.text(message.payload)
            webhook = account.webhooks[message.endpoint_id]
            self._send(webhook, text, event, method=message.method, headers=message.headers)

    def _send(
        self,
        webhook: Webhook,
        body: str,
        event: _Event,
        *,
        method: str = "POST",
        headers: dict[str, str] | None = None,
    ) -> None:
        if not webhook.enabled:
            return
        account, now = self.engine.account, self.engine.now
        number = self.outbox.next_number()
        plan = delivery_behavior.plan(account.delivery_behavior, number)
        if plan.has_noise:
            self.noise(webhook, kind="module" if number % 2 else "internal-error")
        due = delivery_behavior.due(account.delivery_behavior, now, plan.seconds)
        delivery = self._add(
            webhook,
            body,
            event,
            number=number,
            due=None if plan.is_dropped else due,
            method=method,
            headers=headers or {},
            state=DeliveryState.DROPPED if plan.is_dropped else DeliveryState.PENDING,
        )
        if plan.is_doubled and not plan.is_dropped:
            self._copy(delivery, due=due)
        if plan.is_replayed and not plan.is_dropped:
            late = due + account.delivery_behavior.replay_seconds
            self._copy(delivery, due=late, is_replay=True)

    def _add(
        self,
        webhook: Webhook,
        body: str,
        event: _Event,
        *,
        due: float | None,
        number: int | None = None,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> Delivery:
        number = number or self.outbox.next_number()
        delivery = Delivery(
            id=f"{number:08}",
            number=number,
            webhook_id=webhook.id,
            endpoint=webhook.endpoint,
            secret=webhook.secret,
            body=body,
            event=event.event,
            created_at=self.engine.now,
            headers={**webhook.headers, **(headers or {})},
            stack_id=event.stack_id,
            run_id=event.run_id,
            run_state=event.run_state,
            state_version=event.state_version,
            due=due,
            **more,
        )
        self.outbox.add(delivery)
        return delivery

    def _copy(self, delivery: Delivery, *, due: float, is_replay: bool = False) -> Delivery:
        number = self.outbox.next_number()
        copy = replace(
            delivery,
            id=f"{number:08}",
            number=number,
            created_at=self.engine.now,
            state=DeliveryState.PENDING,
            due=due,
            attempts=[],
            duplicate_of=None if is_replay else delivery.id,
            replay_of=delivery.id if is_replay else None,
            note=None,
        )
        self.outbox.add(copy)
        return copy

    def _lose(self, policy: Policy, message: policies.Message, event: _Event) -> None:
        """Note that a policy names a webhook that is not there: nothing is sent."""
        nowhere = Webhook(id=message.endpoint_id, kind=WebhookKind.NAMED, endpoint="", created_at=0)
        note = f"policy {policy.id} names a webhook that it cannot see"
        self._add(nowhere, "", event, due=None, state=DeliveryState.DISCARDED, note=note)


def _headers(values: dict[str, Any]) -> dict[str, str]:
    return {entry["key"]: entry["value"] for entry in values["customHeaders"]["entries"]}

"""From the documents of webhooks and policies to the records of an account."""

from devenv.simulator import webhook_specs
from devenv.simulator.model import webhook_actions
from devenv.simulator.model.engine import Engine
from devenv.simulator.model.errors import Refusal
from devenv.simulator.model.policies import NOTIFICATION
from devenv.simulator.model.webhooks import Policy, Webhook

_BODIES = {
    "default": """package spacelift

webhook contains {{"endpoint_id": "{id}"}} if input.run_updated
""",
    "documented": """package spacelift

webhook contains {{"endpoint_id": "{id}", "payload": {{
  "account": input.account.name,
  "stack_id": u.stack.id, "stack_labels": u.stack.labels,
  "run_id": u.run.id, "type": u.run.type, "state": u.run.state,
  "ordinal": count(u.run.states_history), "updated_at_ns": u.run.updated_at,
  "metadata": u.run.user_provided_metadata, "triggered_by": u.run.triggered_by
}}}} if u := input.run_updated
""",
}


def put_webhook(engine: Engine, spec: webhook_specs.WebhookSpec) -> Webhook:
    """Add a webhook, with the policy that makes a named one hear of runs; no probe is sent.

    Raises:
        Refusal: the account does not take it: a stack or space that is not there, a taken name.
    """
    draft = webhook_actions.WebhookDraft(
        endpoint=spec.endpoint,
        enabled=spec.enabled,
        secret=spec.secret,
        retry_on_failure=spec.retry_on_failure,
    )
    match spec.kind:
        case "stack":
            stack = engine.account.stacks.get(spec.stack or "")
            if stack is None:
                raise Refusal(f"webhook: stack {spec.stack} not found")
            webhook = webhook_actions.create_stack_webhook(engine, stack, draft)
        case "named":
            webhook = _put_named(engine, spec, draft)
        case _:
            runs = spec.include_runs
            webhook = webhook_actions.set_audit_webhook(engine, draft, include_runs=runs)
    return webhook_actions.set_headers(engine, webhook, spec.headers)


def put_policy(engine: Engine, spec: webhook_specs.PolicySpec) -> Policy:
    """Add a policy."""
    _check_space(engine, spec.space)
    naming = webhook_actions.Naming(name=spec.name, space=spec.space, labels=spec.labels)
    draft = webhook_actions.PolicyDraft(body=spec.body)
    return webhook_actions.create_policy(engine, naming, draft, policy_type=spec.type)


def change_webhook(
    engine: Engine, webhook: Webhook, change: webhook_specs.WebhookChange
) -> Webhook:
    """Change a webhook as its update mutation does."""
    retries = change.retry_on_failure
    draft = webhook_actions.WebhookDraft(
        endpoint=change.endpoint or webhook.endpoint,
        enabled=webhook.enabled if change.enabled is None else change.enabled,
        secret=change.secret,
        retry_on_failure=webhook.retry_on_failure if retries is None else retries,
    )
    return webhook_actions.change(engine, webhook, draft)


def _put_named(
    engine: Engine, spec: webhook_specs.WebhookSpec, draft: webhook_actions.WebhookDraft
) -> Webhook:
    _check_space(engine, spec.space)
    naming = webhook_actions.Naming(name=spec.name, space=spec.space, labels=spec.labels)
    webhook = webhook_actions.create_named_webhook(engine, naming, draft)
    if spec.policy != "none":
        body = _BODIES[spec.policy].format(id=webhook.id)
        policy = webhook_specs.PolicySpec(name=spec.name, body=body, space=spec.space)
        put_policy(engine, policy.model_copy(update={"type": NOTIFICATION}))
    return webhook


def _check_space(engine: Engine, space_id: str) -> None:
    if space_id not in engine.account.spaces:
        raise Refusal(f"space {space_id} not found")

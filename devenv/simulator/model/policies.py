"""Which named webhooks a notification policy sends to, and what.

No Rego is run here. Instead, the text of a policy decides. For the events that it names
(`run_updated`, `internal_error`) it sends to each named webhook whose id it has as a string. If it
has a `"payload"`, it sends the one of the behavior. A test that has an engine can use that instead
(`PolicyEngine`).
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from devenv.simulator.model.account import Account
from devenv.simulator.model.delivery_behavior import DeliveryBehavior
from devenv.simulator.model.webhooks import Policy, Webhook, WebhookKind

NOTIFICATION = "NOTIFICATION"

_COMMENT = re.compile(r"#.*")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ENDPOINT = re.compile(r'"?endpoint_id"?\s*:?[:=]\s*"([^"]*)"')
_EVENTS = ("run_updated", "internal_error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One element of a policy's rule `webhook`; no payload means the event's default one."""

    endpoint_id: str
    payload: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"


PolicyEngine = Callable[[str, dict[str, Any]], list[dict[str, Any]]]
"""Runs a policy's body on an input and returns the elements of its rule `webhook`."""


def effective(account: Account, space_id: str) -> list[Policy]:
    """Return the notification policies for what happens in a space: its own and inherited ones."""
    spaces = reach(account, space_id)
    return [
        policy
        for policy in account.policies.values()
        if policy.type == NOTIFICATION and policy.space in spaces
    ]


def endpoints(account: Account, policy: Policy) -> list[Webhook]:
    """Return the named webhooks that a policy may name: of its space, and inherited ones."""
    spaces = reach(account, policy.space)
    return [
        webhook
        for webhook in account.webhooks.values()
        if webhook.kind is WebhookKind.NAMED and webhook.space in spaces
    ]


def reach(account: Account, space_id: str) -> list[str]:
    """Return a space and those whose policies and webhooks it inherits."""
    spaces = [space_id]
    space = account.spaces.get(space_id)
    while space is not None and space.inherit_entities and space.parent_space is not None:
        spaces.append(space.parent_space)
        space = account.spaces.get(space.parent_space)
    return spaces


def read(policy: Policy, given: dict[str, Any], behavior: DeliveryBehavior) -> list[Message]:
    """Return what a policy sends, going by its text."""
    code = _COMMENT.sub("", policy.body)
    event = next(name for name in _EVENTS if name in given)
    if event not in code:
        return []
    strings = set(_STRING.findall(code))
    payload = None
    if "payload" in strings and event == "run_updated":
        if given[event]["state"] in behavior.policy_skips:
            return []
        payload = {key: pick(given, path) for key, path in behavior.policy_payload.items()}
    known = {endpoint["id"] for endpoint in given["webhook_endpoints"]}
    # A webhook that it names but that is not there counts as well: people should see that mistake.
    named = (strings & known) | set(_ENDPOINT.findall(code))
    return [Message(endpoint_id=endpoint, payload=payload) for endpoint in sorted(named)]


def run_engine(engine: PolicyEngine, policy: Policy, given: dict[str, Any]) -> list[Message]:
    """Return what a policy sends, as an engine finds it."""
    return [
        Message(
            endpoint_id=element["endpoint_id"],
            payload=element.get("payload"),
            headers=element.get("headers") or {},
            method=element.get("method") or "POST",
        )
        # Plain JSON: an engine need not know this program's types.
        for element in engine(policy.body, json.loads(json.dumps(given)))
    ]


def pick(document: Any, path: str) -> Any:
    """Return what is at a dotted path, or null; `count(path)` is the length of what is there."""
    if path.startswith("count("):
        found = pick(document, path.removeprefix("count(").removesuffix(")"))
        return len(found) if isinstance(found, list | dict | str) else 0
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document

"""What programs read: `-o json` and `-o yaml`, in the names that the resource itself has."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from controller.api import v1alpha1
from controller.display import tree
from controller.plugin.exit_codes import ExitCode
from controller.plugin.outcomes import CommandOutcome
from controller.plugin.user_requests import UserRequest

Document = dict[str, Any]


def render(document: Mapping[str, Any], output: str, *, is_stream: bool = False) -> str:
    """Return a document as text; in a stream each JSON document is one line."""
    if output == "yaml":
        text = yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True, width=100)
        return f"---\n{text}" if is_stream else text
    return json.dumps(document, ensure_ascii=False, indent=None if is_stream else 2) + "\n"


def chain_of(chain: v1alpha1.StackChain) -> Document:
    """Return what every document begins with."""
    return {"namespace": chain.ref.namespace, "name": chain.ref.name}


def tree_document(chain: v1alpha1.StackChain) -> Document:
    """Return what `tree` shows."""
    stored = v1alpha1.status_to_dict(chain.status)
    stacks = len(tree.current_stacks(chain.status))
    return {
        "chain": chain_of(chain),
        "ready": ready_of(chain.status),
        "suspended": chain.spec.suspend,
        "graph": stored.get("graph") if stacks else None,
        "run": stored.get("latestRun"),
        "pendingRun": stored.get("pendingRun"),
        # Until the latest run has read its stacks, the status has those of the run before.
        "stacks": stored.get("stacks", []) if stacks else [],
    }


def history_document(chain: v1alpha1.StackChain) -> Document:
    """Return what `history` shows."""
    stored = v1alpha1.status_to_dict(chain.status)
    latest = [stored["latestRun"]] if "latestRun" in stored else []
    return {"chain": chain_of(chain), "runs": [*latest, *stored.get("history", [])]}


def request_document(
    chain: v1alpha1.StackChain, request: UserRequest, *, outcome: CommandOutcome | None
) -> Document:
    """Return what was asked for, and with --wait how it ended."""
    stored = v1alpha1.status_to_dict(chain.status)
    return {
        "chain": chain_of(chain),
        "action": str(request.kind),
        "changed": bool(request.changes),
        "token": request.token,
        **dict(request.details),
        "run": stored.get("latestRun"),
        "outcome": _outcome(outcome) if outcome is not None else None,
    }


def _outcome(outcome: CommandOutcome) -> Document:
    return {"succeeded": outcome.code is ExitCode.DONE, "message": outcome.text}


def plan_document(
    namespace: str, name: str, chain: v1alpha1.StackChain, order: Sequence[str]
) -> Document:
    """Return what `plan` shows."""
    stored = v1alpha1.status_to_dict(chain.status)
    kept = ("id", "name", "level", "dependsOn", "reason", "message")
    stacks = [
        {key: stack[key] for key in kept if key in stack} for stack in stored.get("stacks", [])
    ]
    return {
        "chain": {"namespace": namespace, "name": name},
        "operation": str(chain.spec.operation),
        "graph": stored.get("graph"),
        "order": list(order),
        "stacks": stacks,
    }


def ready_of(status: v1alpha1.Status) -> Document | None:
    """Return the condition Ready, None before the operator has seen the chain."""
    ready = status.condition("Ready")
    if ready is None:
        return None
    return {"status": ready.status, "reason": ready.reason, "message": ready.message}

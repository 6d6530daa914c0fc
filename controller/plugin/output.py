"""What programs read: `-o json` and `-o yaml`, in the names that the resource itself has."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import yaml

from controller.api import v1alpha1
from controller.chain.run import attention
from controller.display import tree, tree_rows
from controller.plugin.exit_codes import ExitCode

if TYPE_CHECKING:
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
    """Return what every document starts with."""
    return {"namespace": chain.ref.namespace, "name": chain.ref.name}


def tree_document(chain: v1alpha1.StackChain, selection: tree.Selection = tree.ALL) -> Document:
    """Return what `tree` shows."""
    stored = v1alpha1.status_to_dict(chain.status)
    current = tree.current_stacks(chain.status)
    chosen = selection.of(current)
    ids = {stack.id for stack in chosen}
    stages = tree.current_stages(chain.status) if selection.is_whole else ()
    decision = attention.Need.DECISION.name.title()
    return {
        "chain": chain_of(chain),
        "ready": ready_of(chain.status),
        "suspended": chain.spec.suspend,
        "graph": stored.get("graph") if current else None,
        "run": stored.get("latestRun"),
        "pendingRun": stored.get("pendingRun"),
        # Until the latest run has read its stacks, the status has those of the run before.
        "stacks": [one for one in stored.get("stacks", []) if one["id"] in ids],
        "needs": [
            {
                "stack": stack.id,
                "need": need.name.title(),
                "text": tree.describe_stack(stack, current),
                "link": attention.link_of(stack),
            }
            for need, stack in attention.by_need(chosen)
        ]
        + [
            {"stage": stage.name, "need": decision, "text": stage.message, "link": None}
            for stage in attention.to_approve(stages)
        ],
        "rows": [_row(row, current) for row in tree.rows_for(chosen, selection)],
    }


def _row(row: tree_rows.Row, stacks: Sequence[v1alpha1.StackStatus]) -> Document:
    """Return a row as `tree` shows it: a stack, or many alike."""
    level = max(0, len(row.is_last) - 1)
    if isinstance(row, tree_rows.StackRow):
        text = tree.describe_stack(row.stack, stacks)
        return {"level": level, "stack": row.stack.id, "others": list(row.others), "text": text}
    return {
        "level": level,
        "folded": str(row.kind) if row.kind is not None else "Deeper",
        "stacks": [stack.id for stack in row.stacks],
        "text": tree_rows.phase_counts(row.stacks),
    }


def list_document(chains: Sequence[v1alpha1.StackChain]) -> Document:
    """Return what `list` shows."""
    return {
        "chains": [
            {
                "chain": chain_of(chain),
                "ready": ready_of(chain.status),
                "suspended": chain.spec.suspend,
                "run": v1alpha1.status_to_dict(chain.status).get("latestRun"),
                "needs": tree.needs(chain.status),
            }
            for chain in chains
        ]
    }


def history_document(chain: v1alpha1.StackChain) -> Document:
    """Return what `history` shows."""
    stored = v1alpha1.status_to_dict(chain.status)
    latest = [stored["latestRun"]] if "latestRun" in stored else []
    return {"chain": chain_of(chain), "runs": [*latest, *stored.get("history", [])]}


def request_document(
    chain: v1alpha1.StackChain, request: "UserRequest", *, outcome: "CommandOutcome | None"
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


def _outcome(outcome: "CommandOutcome") -> Document:
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

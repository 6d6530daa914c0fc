"""Bodies of notifications in Spacelift's own forms (API facts, 6.2 to 6.4).

Values of `event_source`, `event_type` and `vcs`, and the whole of module events, are guesses;
everything else is documented or read by an official client.
"""

import hashlib
import json
import re
from typing import Any

from devenv.simulator.model.account import Account
from devenv.simulator.model.entities import AuditEntry, Stack
from devenv.simulator.model.run_entities import Commit, Delta, Run, Transition

_VERBS = frozenset(
    re.findall(
        r"\w+",
        "Add Attach Cancel Comment Confirm Create Cycle Delete Detach Disable Discard Drain Enable"
        " Kill Lock Mark Promote Retry Review Set Stop Sync Trigger Unlock Update Upload",
    )
)
_SECRETS = frozenset({"secret", "token", "jwt"})


def text(document: Any) -> str:
    """Write a document as Spacelift's bodies are written: compact."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def web_url(account: Account, *path: str) -> str:
    """Return an address of the account's web interface."""
    return "/".join((f"https://{account.name}.app.spacelift.io", *path))


def run_event(account: Account, stack: Stack, run: Run, transition: Transition) -> dict[str, Any]:
    """Return the default payload of a run that came to a state."""
    pool = account.pools.get(stack.worker_pool_id or "")
    return {
        "account": account.name,
        "state": transition.state,
        "stateVersion": transition.state_version,
        "timestamp": int(transition.at),
        "timestamp_millis": int(transition.at * 1000),
        "note": transition.note or "",
        "event_source": "spacelift.io",
        "event_type": "run_state_changed_event",
        "run": _run(account, run),
        "stack": {
            "id": stack.id,
            "name": stack.name,
            "description": stack.description or "",
            "labels": list(stack.labels),
            "repository": stack.repository,
            "url": web_url(account, "stack", stack.id),
            "vcs": stack.provider.lower(),
        },
        "workerPool": {"id": pool.id, "name": pool.name} if pool else None,
    }


def internal_error(account: Account) -> dict[str, Any]:
    """Return the payload of an error inside of Spacelift; it names no run."""
    return {
        "title": "Invalid Stack Slug Triggered",
        "body": "policy tried to trigger Stack 'nowhere' which doesn't exist",
        "error": "policy triggered for Stack that doesn't exist",
        "severity": "ERROR",
        "account": account.name,
    }


def module_event(account: Account, run_id: str, *, at: float) -> dict[str, Any]:
    """Return a made-up event of a module's test run: a run, and no stack."""
    return {
        "account": account.name,
        "state": "FINISHED",
        "stateVersion": 5,
        "timestamp": int(at),
        "event_source": "spacelift.io",
        "event_type": "run_state_changed_event",
        "run": {"id": run_id, "type": "TESTING", "createdAt": int(at), "delta": None},
        "module": {"id": "terraform-null-label", "name": "label", "labels": []},
    }


def audit_event(
    account: Account, entry: AuditEntry, arguments: dict[str, Any], *, remote_ip: str
) -> dict[str, Any]:
    """Return the payload of a line of the audit trail; secrets show as their hashes."""
    data: dict[str, Any] = {"args": _sanitized(arguments)}
    if entry.resource_id is not None:
        data["ID"] = entry.resource_id
    return {
        "account": account.name,
        "action": action_of(entry.action),
        "actor": entry.username,
        "context": {"mutation": entry.action},
        "data": data,
        "remoteIP": remote_ip,
        "timestamp": int(entry.at * 1000),
    }


def action_of(mutation: str) -> str:
    """Name an action as the audit trail does: `auditTrailSetWebhook` is audit_trail_webhook.set."""
    words = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", mutation.removesuffix("v2"))
    verbs = [word for word in words if word in _VERBS]
    verb = verbs[-1] if verbs else words[-1]
    words.remove(verb)
    return f"{'_'.join(words).lower()}.{verb.lower()}"


def _run(account: Account, run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "branch": run.branch,
        "command": run.command,
        "commit": _commit(run.commit),
        "createdAt": int(run.created_at),
        "delta": _delta(run.delta),
        "driftDetection": run.drift_detection,
        "triggeredBy": run.triggered_by,
        "type": run.type,
        "url": web_url(account, "stack", run.stack_id, "run", run.id),
    }


def _commit(commit: Commit) -> dict[str, Any]:
    return {
        "authorLogin": commit.author_login,
        "authorName": commit.author_name,
        "hash": commit.hash,
        "message": commit.message,
        "timestamp": commit.timestamp,
        "url": commit.url,
    }


def _delta(delta: Delta | None) -> dict[str, int] | None:
    if delta is None:
        return None
    return {
        "added": delta.add_count,
        "changed": delta.change_count,
        "deleted": delta.delete_count,
        "resources": delta.resources,
    }


def _sanitized(value: Any) -> Any:
    if isinstance(value, list):
        return [_sanitized(one) for one in value]
    if not isinstance(value, dict):
        return value
    shown: dict[str, Any] = {}
    for name, one in value.items():
        title = name[:1].upper() + name[1:]
        if name in _SECRETS or (name == "value" and "key" in value):
            digest = hashlib.sha256(str(one or "").encode()).hexdigest()
            shown[f"{title}SHA"] = digest
        else:
            shown[title] = _sanitized(one)
    return shown

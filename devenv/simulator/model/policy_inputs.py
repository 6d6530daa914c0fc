"""What a notification policy gets: the event in the form that policies see (API facts, 6.3).

Unlike the default payload it is in snake case and in nanoseconds, and it carries the metadata that
came with the trigger.
"""

import itertools
from typing import Any

from devenv.simulator.model.account import Account
from devenv.simulator.model.entities import Space, Stack
from devenv.simulator.model.payloads import web_url
from devenv.simulator.model.run_entities import Commit, Run, Transition
from devenv.simulator.model.webhooks import Webhook

_HOOKS = [
    f"{moment}_{phase}"
    for moment in ("before", "after")
    for phase in ("apply", "destroy", "init", "perform", "plan")
]


def run_updated(
    account: Account, stack: Stack, run: Run, transition: Transition, *, webhooks: list[Webhook]
) -> dict[str, Any]:
    """Return the input of a policy that hears of a run which came to a state."""
    return _frame(account, webhooks) | {
        "run_updated": {
            "state": transition.state,
            "note": transition.note or "",
            "username": transition.username or "",
            "plan_policy_decision": {"deny": [], "warn": []},
            "policy_receipts": [],
            "timing": [
                {"state": earlier.state, "duration": nanoseconds(later.at - earlier.at)}
                for earlier, later in itertools.pairwise(run.history)
            ],
            "urls": {"run": web_url(account, "stack", run.stack_id, "run", run.id)},
            "run": _run(run),
            "stack": _stack(account, stack),
        }
    }


def internal_error(
    account: Account, payload: dict[str, Any], *, webhooks: list[Webhook]
) -> dict[str, Any]:
    """Return the input of a policy that hears of an error inside of Spacelift."""
    error = {
        "error": payload["error"],
        "message": payload["body"],
        "severity": payload["severity"],
    }
    return _frame(account, webhooks) | {"internal_error": error}


def nanoseconds(seconds: float) -> int:
    """Turn seconds into what policies count in."""
    return int(seconds * 1_000_000) * 1000


def _frame(account: Account, webhooks: list[Webhook]) -> dict[str, Any]:
    endpoints = [{"id": webhook.id, "labels": list(webhook.labels)} for webhook in webhooks]
    return {"account": {"name": account.name}, "webhook_endpoints": endpoints}


def _run(run: Run) -> dict[str, Any]:
    login = run.triggered_by or ""
    return {
        "id": run.id,
        "type": run.type,
        "state": run.state,
        "branch": run.branch,
        "commit": _commit(run.commit, run.branch),
        "created_at": nanoseconds(run.created_at),
        "updated_at": nanoseconds(run.updated_at),
        "command": run.command or "",
        "changes": [],
        "creator_session": {
            "admin": True,
            "creator_ip": "127.0.0.1",
            "login": login,
            "name": login,
            "teams": [],
            "machine": login.startswith("api::"),
        },
        "drift_detection": run.drift_detection,
        "flags": [],
        "runtime_config": {
            **{name: [] for name in (*_HOOKS, "after_run")},
            "environment": dict(run.environment),
            "project_root": "",
            "runner_image": "",
            "terraform_version": "",
        },
        "states_history": [{"new_state": entry.state} for entry in run.history],
        "triggered_by": run.triggered_by,
        "user_provided_metadata": list(run.metadata),
        "based_on_local_workspace": False,
    }


def _stack(account: Account, stack: Stack) -> dict[str, Any]:
    space = account.spaces.get(stack.space) or Space(id=stack.space, name=stack.space)
    pool = account.pools.get(stack.worker_pool_id or "")
    return {
        "id": stack.id,
        "name": stack.name,
        "state": stack.state,
        "labels": list(stack.labels),
        "space": {"id": space.id, "name": space.name, "labels": list(space.labels)},
        "autodeploy": stack.autodeploy,
        "autoretry": stack.autoretry,
        "administrative": stack.administrative,
        "branch": stack.branch,
        "locked_by": stack.locked_by,
        "repository": stack.repository,
        "namespace": stack.namespace,
        "project_root": stack.project_root,
        "terraform_version": None,
        "tracked_commit": _commit(stack.tracked_commit, stack.branch),
        "worker_pool": {
            "public": pool is None,
            "id": pool.id if pool else "",
            "name": pool.name if pool else "",
            "labels": list(pool.labels) if pool else [],
        },
    }


def _commit(commit: Commit, branch: str) -> dict[str, Any]:
    return {
        "author": commit.author_login or "",
        "branch": branch,
        "created_at": nanoseconds(commit.timestamp),
        "hash": commit.hash,
        "message": commit.message,
        "url": commit.url or "",
    }

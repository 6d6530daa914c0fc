"""The account as the admin API shows it: everything, with fractions of seconds, nothing hidden."""

from collections import Counter
from typing import Any

from devenv.simulator import faults, journal
from devenv.simulator.model.account import Account
from devenv.simulator.model.engine import Engine
from devenv.simulator.model.entities import Edge, Stack
from devenv.simulator.model.run_entities import Delta, Run


def run(record: Run) -> dict[str, Any]:
    """Show a run with its whole history, oldest state first."""
    return {
        "id": record.id,
        "stackId": record.stack_id,
        "type": record.type,
        "state": record.state,
        "finished": record.finished,
        "triggeredBy": record.triggered_by,
        "createdAt": record.created_at,
        "updatedAt": record.updated_at,
        "title": record.title,
        "branch": record.branch,
        "commit": record.commit.hash,
        "command": record.command,
        "metadata": list(record.metadata),
        "environment": dict(record.environment),
        "runtimeYaml": record.runtime_yaml,
        "forceApply": record.force_apply,
        "driftDetection": record.drift_detection,
        "needsApproval": record.needs_approval,
        "delta": _delta(record.delta),
        "originId": record.origin_id,
        "upstreamRuns": list(record.upstream_runs),
        "retryOf": record.retry_of,
        "stopRequested": record.stop_requested,
        "comments": [
            {"body": c.body, "createdAt": c.created_at, "username": c.username}
            for c in record.comments
        ],
        "history": [
            {
                "state": entry.state,
                "stateVersion": entry.state_version,
                "at": entry.at,
                "note": entry.note,
                "username": entry.username,
            }
            for entry in record.history
        ],
    }


def stack(account: Account, record: Stack) -> dict[str, Any]:
    """Show a stack with its edges."""
    return {
        "id": record.id,
        "name": record.name,
        "state": record.state,
        "space": record.space,
        "labels": list(record.labels),
        "autodeploy": record.autodeploy,
        "disabled": record.is_disabled,
        "deleting": record.deleting,
        "lockedBy": record.locked_by,
        "lockNote": record.lock_note,
        "workerPool": record.worker_pool_id,
        "trackedCommit": record.tracked_commit.hash,
        "activeRun": record.active_run_id,
        "outputs": {name: output.value for name, output in sorted(record.outputs.items())},
        "outcomesLeft": len(record.script),
        "dependsOn": [edge(one) for one in account.upstream_edges(record.id)],
        "dependents": sorted(one.stack_id for one in account.dependent_edges(record.id)),
    }


def edge(record: Edge) -> dict[str, Any]:
    """Show an edge with its references."""
    return {
        "id": record.id,
        "stack": record.stack_id,
        "dependsOn": record.depends_on_stack_id,
        "triggerAlways": record.trigger_always,
        "references": [
            {
                "id": reference.id,
                "output": reference.output_name,
                "input": reference.input_name,
                "triggerAlways": reference.trigger_always,
            }
            for reference in record.references
        ],
    }


def summary(account: Account) -> dict[str, Any]:
    """Count runs, for the whole account and by stack."""
    stacks: dict[str, dict[str, Any]] = {}
    states: Counter[str] = Counter()
    for record in account.runs.values():
        states[record.state] += 1
        counts = stacks.setdefault(
            record.stack_id,
            {"runs": 0, "byState": Counter(), "byTriggeredBy": Counter(), "byType": Counter()},
        )
        counts["runs"] += 1
        counts["byState"][record.state] += 1
        counts["byTriggeredBy"][record.triggered_by or ""] += 1
        counts["byType"][record.type] += 1
    return {"runs": len(account.runs), "byState": dict(states), "stacks": stacks}


def request(record: journal.RequestRecord) -> dict[str, Any]:
    """Show a logged request."""
    return {
        "number": record.number,
        "at": record.at,
        "key": record.key,
        "operation": record.operation,
        "operationName": record.operation_name,
        "fields": [
            {"name": root.name, "alias": root.alias, "stacks": list(root.stacks)}
            for root in record.fields
        ],
        "variables": record.variables,
        "headers": record.headers,
        "document": record.document,
        "outcome": record.outcome,
        "errors": record.errors,
        "committed": record.committed,
        "fault": record.fault,
        "seconds": record.seconds,
    }


def counters(log: journal.Journal) -> dict[str, Any]:
    """Show the counters of the request log."""
    return {
        "requests": log.requests,
        "byField": dict(log.by_field),
        "byOutcome": dict(log.by_outcome),
        "byClient": dict(log.by_client),
    }


def fault(record: faults.Fault) -> dict[str, Any]:
    """Show a fault and how often it struck."""
    spec = record.spec.model_dump(mode="json", by_alias=True)
    return {"id": record.id, "matched": record.matched, "hits": record.hits, **spec}


def overview(engine: Engine, *, next_due: float | None) -> dict[str, Any]:
    """Show the state of the account."""
    account = engine.account
    return {
        "account": account.name,
        "now": engine.now,
        "nextDue": next_due,
        "speed": account.speed,
        "stacks": len(account.stacks),
        "runs": len(account.runs),
        "unfinishedRuns": sum(not record.finished for record in account.runs.values()),
        "behavior": account.behavior.model_dump(mode="json", by_alias=True),
    }


def _delta(record: Delta | None) -> dict[str, int] | None:
    if record is None:
        return None
    return {
        "add": record.add_count,
        "change": record.change_count,
        "delete": record.delete_count,
        "resources": record.resources,
    }

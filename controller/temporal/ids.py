"""Workflow ids, task queues and the names that are Temporal's API: one place for each.

See ADR 0003.
"""

import hashlib
import re
from collections.abc import Iterable

from controller.api import v1alpha1

CHAIN_WORKFLOW = "StackDependencyChainWorkflow"
EXECUTION_WORKFLOW = "StackExecutionWorkflow"
NOTIFICATION_WORKFLOW = "NotificationWorkflow"
CHAIN_PREFIX = "stackchain/"
NOTIFICATION_PREFIX = "stackchain-notification/"

REPORT_SIGNAL = "report_stack_progress"
PARALLELISM_SIGNAL = "set_parallelism"
SUSPEND_SIGNAL = "suspend"
RESUME_SIGNAL = "resume"
ORPHAN_SIGNAL = "orphan"
REQUEST_SIGNAL = "request_stacks"
WAKE_SIGNAL = "wake"
CANCEL_SIGNAL = "cancel"
MAY_STOP_SIGNAL = "may_stop"
MAY_TRIGGER_SIGNAL = "may_trigger"
JOIN_LINE_SIGNAL = "join_line"
PROGRESS_QUERY = "progress"
RUN_ID_QUERY = "run_id"
HOLDER_QUERY = "holder"

# Activities that are looked for in histories.
FIND_ACTIVITY = "find_stack_run"
TRIGGER_ACTIVITY = "trigger_stack_run"

REQUEST_RUN_WORKFLOW = "RequestRunWorkflow"
ROOT_SWEEP_WORKFLOW = "RootSweepWorkflow"
# The kinds of Temporal Schedules: one asks at its times, the other looks at the roots.
SCHEDULE_KIND = "schedule"
TRIGGERS_KIND = "triggers"
# Which schedules are this program's, of whatever installation.
SCHEDULES_QUERY = f"ScheduleId STARTS_WITH '{CHAIN_PREFIX}'"

# Keys of the memo that every chain workflow carries, and every schedule.
MEMO = "stackchain"
# That of an execution's memo which has the chains that wait for the stack.
LINE_MEMO = "stackchain-line"

_IDENTITY = re.compile(r".+@accounts-([0-9a-f]{12})")


def chain_workflow_id(*, namespace: str, name: str, uid: str) -> str:
    """One id per resource, so that Temporal itself allows one live run of it."""
    return f"{CHAIN_PREFIX}{namespace}/{name}/{uid}"


def chain_of(workflow_id: str) -> str:
    """Return the namespace and name in a chain's workflow id; "" for any other id."""
    parts = workflow_id.removeprefix(CHAIN_PREFIX).split("/")
    is_chain = workflow_id.startswith(CHAIN_PREFIX) and len(parts) == len(("ns", "name", "uid"))
    return "/".join(parts[:2]) if is_chain else ""


def schedule_id(*, namespace: str, name: str, uid: str, kind: str) -> str:
    """The id of a resource's schedule of a kind; what it starts has it too, with the time."""
    return f"{chain_workflow_id(namespace=namespace, name=name, uid=uid)}/{kind}"


def execution_workflow_id(
    *, account: str, stack_id: str, operation: str = v1alpha1.Operation.APPLY
) -> str:
    """One id per stack: Temporal lets one execution at a time have it, whatever the chain.

    Plans change nothing and block nothing, so they have another id.
    """
    plan = "/plan" if operation == v1alpha1.Operation.PLAN else ""
    return f"spacelift/{account}/{stack_id}{plan}"


def worker_identity(pod_name: str, endpoints: Iterable[str]) -> str:
    """What a worker calls itself, so that readers of its queue see which accounts it serves.

    Each event of a history carries it, so it has only a mark of the accounts.
    """
    return f"{pod_name}@accounts-{accounts_mark(endpoints)}"


def accounts_mark(endpoints: Iterable[str]) -> str:
    """Return what differs between workers with different Spacelift accounts."""
    return hashlib.sha256("\n".join(sorted(set(endpoints))).encode()).hexdigest()[:12]


def mark_of(identity: str) -> str | None:
    """Return the mark of the accounts that a worker serves; None if the worker is not ours."""
    found = _IDENTITY.fullmatch(identity)
    return found[1] if found else None


def operator_queue(installation: str) -> str:
    """The queue of the activities that only this installation's operator may run."""
    return f"stackchain-operator-{installation}"


def follow_queue(task_queue: str) -> str:
    """The queue of long waits, whose slots are apart from those of short calls."""
    return f"{task_queue}-follow"


def notify_queue(task_queue: str) -> str:
    """The queue of notifications, apart from all that chains wait for."""
    return f"{task_queue}-notify"


def notification_workflow_id(notification_id: str) -> str:
    """One id per notification, so that a repeated request does not send it again."""
    return f"{NOTIFICATION_PREFIX}{notification_id}"


def workflow_url(
    *, ui_url: str, temporal_namespace: str, workflow_id: str, workflow_run_id: str
) -> str | None:
    """The page of an execution in Temporal's web UI, if its address is known.

    The timeline shows stacks by name, each in one row; the history of 500 has thousands of events.
    """
    if not ui_url:
        return None
    escaped = workflow_id.replace("%", "%25").replace("/", "%2F")
    return (
        f"{ui_url.rstrip('/')}/namespaces/{temporal_namespace}/workflows/{escaped}"
        f"/{workflow_run_id}/timeline"
    )

"""Statuses of chains of any size in which stacks have failed, wait, are blocked, or still run."""

import dataclasses
from typing import Any

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase
from controller.chain.run import progress
from controller.chain.status import latest_run
from tests.support.builders import (
    make_progress,
    make_shown_status,
    make_stack_status,
)

_URL = "https://acme.app.spacelift.io/stack"
_SERVICES = ("network", "cluster", "database", "ingress", "monitoring")
_T0 = "2026-03-01T10:00:00Z"
_END = "2026-03-01T10:02:00Z"


def make_status(number: int, *, is_quiet: bool = False) -> v1alpha1.Status:
    """Return a chain of so many stacks: one base, regions below it, and teams below services.

    Unless it is quiet, one stack failed, one waits for a person, one is locked, and one is behind
    the run of someone else. Stacks that depend on these were skipped or are pending.
    """
    stacks = _graph(number)
    done = number if is_quiet else number // 3
    shown = tuple(_with_facts(stack, place, done, is_quiet) for place, stack in enumerate(stacks))
    shown = tuple(_behind(stack, {one.id: one for one in shown}) for stack in shown)
    run = make_progress(*map(_progress_of, shown), number=7)
    message = f"{run.message} [Run 7: {number // 3}/{number} done.]"
    ready = ("Unknown", "AwaitingConfirmation", message)
    if is_quiet:
        ready = ("True", "RunSucceeded", f"{number} stacks succeeded.")
    return make_shown_status(
        *shown,
        ready=ready,
        number=7,
        phase=Phase.SUCCEEDED if is_quiet else Phase.AWAITING_CONFIRMATION,
        progress=f"{number if is_quiet else number // 3}/{number}",
        summary=latest_run.summarize(shown),
    )


def _progress_of(stack: v1alpha1.StackStatus) -> progress.StackProgress:
    """Return the stack as its run had it, for the message that the run has of all of them."""
    return progress.StackProgress(
        id=stack.id,
        name=stack.name or stack.id,
        level=stack.level,
        depends_on=list(stack.depends_on),
        phase=stack.phase,
        reason=stack.reason or "",
        message=stack.message or "",
        blocked_by=stack.blocked_by,
        run_id=stack.run_id,
        run_url=stack.run_url,
        held_by=stack.held_by,
    )


def _graph(number: int) -> list[v1alpha1.StackStatus]:
    stacks = [make_stack_status("prod-base")]
    region = 0
    while len(stacks) < number:
        region += 1
        names = [f"prod-eu-west-{region}-{service}" for service in _SERVICES]
        stacks.append(make_stack_status(names[0], 1, "prod-base"))
        stacks.append(make_stack_status(names[1], 2, names[0]))
        stacks += [make_stack_status(service, 3, names[1]) for service in names[2:]]
        for team in range(30):
            service = names[2 + team % 3]
            stacks.append(make_stack_status(f"{service}-team-{team:03}", 4, service))
    return stacks[:number]


def _with_facts(
    stack: v1alpha1.StackStatus, place: int, done_until: int, is_quiet: bool
) -> v1alpha1.StackStatus:
    run_id = f"01M8{place:022}"
    url = f"{_URL}/{stack.id}/run/{run_id}"
    ran: dict[str, Any] = {"run_id": run_id, "run_url": url, "start_time": _T0}
    done = ran | {
        "phase": Phase.SUCCEEDED,
        "reason": "RunFinished",
        "completion_time": _END,
        "delta": v1alpha1.Delta(added=1, changed=place % 3, deleted=0),
    }
    facts: dict[int, dict[str, Any]] = {
        5: ran
        | {
            "phase": Phase.FAILED,
            "reason": "RunFailed",
            "completion_time": _END,
            "message": "The run failed (Error: creating EC2 VPC: VpcLimitExceeded: The maximum "
            "number of VPCs has been reached.).",
        },
        7: ran
        | {
            "phase": Phase.AWAITING_CONFIRMATION,
            "reason": "NeedsConfirmation",
            "message": "The run has planned changes and waits for a person.",
            "delta": v1alpha1.Delta(added=1, changed=0, deleted=2),
        },
        9: {
            "phase": Phase.WAITING,
            "reason": "StackLocked",
            "message": "The stack has been locked by jane since 2026-03-01T08:00:00Z (migration); "
            "it runs once it is unlocked.",
            "held_by": v1alpha1.Holder(needs_person=True, url=f"{_URL}/{stack.id}"),
        },
        10: ran
        | {
            "phase": Phase.WAITING,
            "reason": "RunBlocked",
            "message": f"Another run of the stack, 01B, has to end first; it is UNCONFIRMED and "
            f"waits for a person: {_URL}/{stack.id}/run/01B",
            "held_by": v1alpha1.Holder(needs_person=True, url=f"{_URL}/{stack.id}/run/01B"),
        },
        13: ran | {"phase": Phase.RUNNING, "reason": "RunInProgress"},
    }
    if is_quiet or (place < done_until and place not in facts):
        return make_stack_status(stack.id, stack.level, *stack.depends_on, **done)
    values = facts.get(place, {"reason": "SlotPending", "message": "Waits for a free slot."})
    return make_stack_status(stack.id, stack.level, *stack.depends_on, **values)


def _behind(
    stack: v1alpha1.StackStatus, by_id: dict[str, v1alpha1.StackStatus]
) -> v1alpha1.StackStatus:
    """Return the stack as it is because of what it depends on."""
    seen = stack
    while seen.depends_on:
        seen = by_id[seen.depends_on[0]]
        if seen.phase is Phase.FAILED:
            return make_stack_status(
                stack.id,
                stack.level,
                *stack.depends_on,
                phase=Phase.SKIPPED,
                reason="UpstreamNotSucceeded",
                blocked_by=seen.id,
                message=f"Not run because '{seen.id}' failed.",
            )
        if not seen.phase.is_over and not stack.phase.is_over:
            return make_stack_status(
                stack.id,
                stack.level,
                *stack.depends_on,
                reason="UpstreamPending",
                message=f"Waits for '{stack.depends_on[0]}'.",
            )
    return stack


def with_stacks(
    status: v1alpha1.Status, stacks: tuple[v1alpha1.StackStatus, ...]
) -> v1alpha1.Status:
    """Return the status with these stacks."""
    return dataclasses.replace(status, stacks=stacks)


STAGES = (
    v1alpha1.StageStatus(name="dev", phase=Phase.SUCCEEDED, progress="12/12"),
    v1alpha1.StageStatus(
        name="canary", phase=Phase.RUNNING, progress="1/3", approved_time="2026-03-01T10:02:00Z"
    ),
    v1alpha1.StageStatus(
        name="qa",
        phase=Phase.SKIPPED,
        progress="0/0",
        message="No stack of the chain belongs to it.",
    ),
    v1alpha1.StageStatus(
        name="office-hours-of-europe",
        phase=Phase.WAITING,
        progress="0/4",
        waits_for="Soak",
        message="Waits for its soak time of 3600 seconds (`soakSeconds`) until "
        "2026-03-01T11:00:00Z.",
        since="2026-03-01T10:00:00Z",
        until="2026-03-01T11:00:00Z",
    ),
    v1alpha1.StageStatus(
        name="prod",
        phase=Phase.WAITING,
        progress="0/40",
        waits_for="Approval",
        message="Waits for a person to approve it: set the annotation `stackchain.dev/approve` to "
        '"7: prod".',
        since="2026-03-01T10:01:00Z",
    ),
    v1alpha1.StageStatus(
        name="later",
        phase=Phase.PENDING,
        progress="0/2",
        waits_for="EarlierStages",
        message="Waits for 40 stacks of the earlier stage 'prod' to succeed.",
        since="2026-03-01T10:00:00Z",
    ),
)
"""One of each kind, which no run has at one time."""


def with_stages(
    status: v1alpha1.Status, stages: tuple[v1alpha1.StageStatus, ...] = STAGES
) -> v1alpha1.Status:
    """Return the status with stages of its run."""
    assert status.latest_run is not None
    run = dataclasses.replace(status.latest_run, stages=stages)
    return dataclasses.replace(status, latest_run=run)

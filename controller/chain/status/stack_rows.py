"""The rows of a status, one for each stack of its run. Pure."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence

from controller import outside_text
from controller.api import v1alpha1, wording
from controller.api.reasons import StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.requests import executions, request_tokens
from controller.chain.run import progress, reports_without_reading, unwanted_runs

# Of a dense graph the status lists this many upstreams per stack, since an object has a size limit.
LISTED_UPSTREAMS = 20
LISTED_UNUSED_RUNS = 20


def not_run(
    old: v1alpha1.Status, execution: executions.Execution | None
) -> tuple[v1alpha1.StackStatus, ...]:
    """Return the stacks that a retry of the latest run does not run, as the retry shows them.

    See ADR 0013. `execution` is the retry's, if it is known.
    """
    number = old.latest_run.number if old.latest_run else 0
    parts = request_tokens.retry_parts(
        old.stacks,
        number=number,
        named=execution.named if execution else (),
        bypassed=execution.bypassed if execution else (),
    )
    kept = {item.stack_id: item for item in parts.kept}
    left = {item.stack_id for item in parts.left}
    rows: list[v1alpha1.StackStatus] = []
    for stack in old.stacks:
        if stack.id in kept:
            rows.append(_kept(stack, number, is_bypassed=kept[stack.id].is_bypassed))
        elif stack.id in left:
            message = progress.left_message(number, stack.message or "")
            rows.append(dataclasses.replace(stack, message=outside_text.clean(message, most=512)))
    return tuple(rows)


def _kept(stack: v1alpha1.StackStatus, number: int, *, is_bypassed: bool) -> v1alpha1.StackStatus:
    if stack.reason in (StackReason.KEPT, StackReason.BYPASSED):
        return stack
    row = dataclasses.replace(stack, run_state=None, attempts=None, delta=None, unused_runs=())
    if not is_bypassed:
        message = progress.kept_message(number)
        return dataclasses.replace(
            row, phase=Phase.SUCCEEDED, reason=StackReason.KEPT, message=message
        )
    return dataclasses.replace(
        row,
        phase=Phase.SKIPPED,
        reason=StackReason.BYPASSED,
        message=progress.BYPASSED_BEFORE,
        blocked_by=None,
        run_id=None,
        run_source=None,
        run_url=None,
        start_time=None,
    )


def lost(stack: v1alpha1.StackStatus, *, run_ended_at: str | None) -> v1alpha1.StackStatus:
    """Return what is left to report of a stack once its run of the chain is gone.

    What the status has of it was read before the chain's workflow ended or disappeared.
    """
    if stack.phase.is_over:
        return stack
    if stack.phase is Phase.PENDING:
        phase = Phase.SKIPPED
        message = (
            "The chain had not started it when the chain's workflow was lost. A run that Spacelift "
            "queued on its own may continue. Check the stack in Spacelift."
        )
    else:
        phase = Phase.FAILED
        message = (
            "How it ended is not known, since the chain's workflow was lost. "
            f"{reports_without_reading.last_read(stack, before=run_ended_at)} Check the stack in "
            "Spacelift."
        )
    return dataclasses.replace(
        stack, phase=phase, reason=StackReason.EXECUTION_ENDED, message=message
    )


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StartLimits:
    """What may keep a stack from starting whose upstreams have ended.

    `is_suspended` is the run's; `is_by_spec`: that is what the spec wants. `is_ending`: it starts
    nothing more, since it was canceled, or its deadline has passed. `waiting_stages` are those
    whose stacks may not start; `closed_window` says what those without a stage wait for.
    """

    is_suspended: bool
    has_slot: bool
    is_by_spec: bool = True
    is_ending: bool = False
    is_timed_out: bool = False
    waiting_stages: Mapping[str, progress.StageProgress] = dataclasses.field(default_factory=dict)
    stages: Collection[str] = frozenset()
    closed_window: str = ""


def of_progress(
    stack: progress.StackProgress,
    waits_for: Sequence[str],
    limits: StartLimits,
) -> v1alpha1.StackStatus:
    """Return the message about a stack of a run whose stacks are known.

    `waits_for` are the stacks that have to end before it may start.
    """
    reason, message = stack.reason, stack.message
    if stack.phase is Phase.PENDING:
        pending = _pending(stack, waits_for, limits)
        reason, message = pending.reason, pending.message
    unused = unwanted_runs.unused_runs(stack)
    if unused or stack.dropped_ahead_runs:
        note = unwanted_runs.unused_note(stack.id, unused, dropped=stack.dropped_ahead_runs)
        message = f"{message} {note}".strip()
    return v1alpha1.StackStatus(
        id=outside_text.visible(stack.id),
        name=outside_text.clean(stack.name) if stack.name != stack.id else None,
        level=stack.level,
        depends_on=tuple(map(outside_text.visible, sorted(stack.depends_on)[:LISTED_UPSTREAMS])),
        phase=stack.phase,
        reason=outside_text.visible(reason) or None,
        message=outside_text.clean(message, most=512) or None,
        blocked_by=_visible(stack.blocked_by),
        held_by=_held_by(stack),
        run_id=_visible(stack.run_id),
        run_source=_visible(stack.run_source),
        run_state=_visible(stack.run_state),
        run_url=outside_text.link(stack.run_url),
        attempts=stack.attempts if stack.attempts > 1 else None,
        start_time=stack.start_time,
        completion_time=stack.completion_time,
        delta=stack.delta,
        unused_runs=tuple(
            v1alpha1.UnusedRun(
                run_id=outside_text.visible(run.run_id),
                stack_id=_visible(run.stack_id if run.stack_id != stack.id else None),
                run_state=_visible(run.state or None),
                run_url=outside_text.link(run.run_url),
                other_run_url=outside_text.link(run.other_run_url),
            )
            for run in unused[:LISTED_UNUSED_RUNS]
        ),
    )


def _held_by(stack: progress.StackProgress) -> v1alpha1.Holder | None:
    if stack.phase is not Phase.WAITING or stack.held_by is None:
        return None
    return dataclasses.replace(stack.held_by, url=outside_text.link(stack.held_by.url))


def _visible(text: str | None) -> str | None:
    return None if text is None else outside_text.visible(text)


def _pending(
    stack: progress.StackProgress,
    waits_for: Sequence[str],
    limits: StartLimits,
) -> progress.StackMeaning:
    if limits.is_timed_out:
        text = "The chain's deadline has passed, so this stack does not start."
        return _waits(StackReason.CHAIN_DEADLINE_EXCEEDED, text)
    if limits.is_ending:
        text = "The chain is being canceled, so this stack does not start."
        return _waits(StackReason.CHAIN_CANCELED, text)
    stage = limits.waiting_stages.get(stack.stage)
    if not waits_for and stage is not None:
        is_closed = stage.waits_for == v1alpha1.StageWait.WINDOW
        reason = StackReason.WINDOW_CLOSED if is_closed else StackReason.STAGE_PENDING
        return _waits(reason, f"Stage '{stage.name}': {stage.message}")
    if not waits_for and limits.is_suspended and not limits.is_by_spec:
        message = "The run starts no more stacks for now; the condition `Ready` says why."
        return _waits(StackReason.SUSPENDED, message)
    if not waits_for and limits.is_suspended:
        return _waits(StackReason.SUSPENDED, "The chain is suspended (`spec.suspend`).")
    if not waits_for and limits.closed_window and stack.stage not in limits.stages:
        return _waits(StackReason.WINDOW_CLOSED, limits.closed_window)
    if not waits_for and (limits.has_slot or stack.adopts_from is not None):
        return _waits(StackReason.STARTING)
    if not waits_for:
        return _waits(StackReason.SLOT_PENDING, "Waits for a free slot (`spec.parallelism`).")
    names = wording.listed(wording.quoted(sorted(waits_for)), most=5)
    text = f"Waits for {names}."
    if stack.is_disabled:
        text += " The stack was disabled in Spacelift when this run of the chain started."
    return _waits(StackReason.UPSTREAM_PENDING, text)


def _waits(reason: StackReason, message: str = "") -> progress.StackMeaning:
    return progress.StackMeaning(phase=Phase.PENDING, reason=reason, message=message)

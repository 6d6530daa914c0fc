"""What people do to a run: confirm, discard, cancel, stop, review and the rest.

Each is allowed from certain states only; sections 3.4 and 4.2 of the API facts list them. Every
function takes the acting user's name, which ends up in the run's history.
"""

from devenv.simulator.model import creation, lifecycle, native_runs, queueing, run_outcomes
from devenv.simulator.model.engine import Engine
from devenv.simulator.model.errors import Refusal
from devenv.simulator.model.run_entities import Comment, Review, Run
from devenv.simulator.model.states import STOPPABLE, UNSTOPPABLE_WORK, RunState, RunType

_NOT_STARTED = (RunState.QUEUED, RunState.READY)
_DISCARDABLE = (RunState.UNCONFIRMED, *_NOT_STARTED)
_RETRYABLE = (RunState.FAILED, RunState.STOPPED, RunState.DISCARDED, RunState.CANCELED)


# -- what may be done (also shown in GraphQL) ----------------------------------------------------


def confirm_blocker(run: Run) -> str | None:
    """Say why a run cannot be confirmed; None if it can."""
    if run.type not in (RunType.TRACKED, RunType.DESTROY):
        return "only tracked runs can be confirmed"
    if run.state is not RunState.UNCONFIRMED:
        return f"run is {run.state}, not UNCONFIRMED"
    return "run needs approval" if run.needs_approval else None


def retry_blocker(run: Run) -> str | None:
    """Say why a run cannot be retried; None if it can."""
    return None if run.state in _RETRYABLE else f"run is {run.state}"


def promote_blocker(engine: Engine, run: Run) -> str | None:
    """Say why a proposed run cannot be promoted; None if it can."""
    stack = engine.account.stacks.get(run.stack_id)
    if run.type is not RunType.PROPOSED:
        return "only proposed runs can be promoted"
    if stack is None or not stack.allow_promotion:
        return "run promotion is not enabled on the stack"
    if run.state is not RunState.FINISHED:
        return f"run is {run.state}"
    return "the stack tracks this commit" if run.commit.hash == stack.tracked_commit.hash else None


# -- doing it ------------------------------------------------------------------------------------


def confirm(engine: Engine, run: Run, *, username: str, note: str | None = None) -> Run:
    """Accept the plan of a run."""
    _refuse_if(confirm_blocker(run))
    engine.move(run, RunState.CONFIRMED, note=note, username=username)
    queueing.seek_worker(engine, run)
    return run


def discard(engine: Engine, run: Run, *, username: str, note: str | None = None) -> Run:
    """Reject the plan of a run, or a run that has not started."""
    if run.state not in _DISCARDABLE:
        raise Refusal(f"run cannot be discarded: it is {run.state}")
    engine.move(run, RunState.DISCARDED, note=note, username=username)
    return run


def cancel(engine: Engine, run: Run, *, username: str, note: str | None = None) -> Run:
    """Take back a run that has not started."""
    if run.state not in _NOT_STARTED:
        raise Refusal(f"run cannot be canceled: it is {run.state}")
    engine.move(run, RunState.CANCELED, note=note, username=username)
    return run


def stop(engine: Engine, run: Run, *, username: str, note: str | None = None) -> Run:
    """Ask the worker to stop; it may continue regardless."""
    late = engine.account.behavior.stop_during_apply
    is_late = run.state in UNSTOPPABLE_WORK
    if run.state not in STOPPABLE and (not is_late or late == "error"):
        raise Refusal(f"run cannot be stopped: it is {run.state}")
    run.stop_requested = True
    run.stop_note, run.stop_username = note, username
    engine.account.touch("run", run.id)
    ignored = run_outcomes.script_of(run).stop_ignored or (is_late and late == "ignored")
    if not ignored:
        run.is_stopping = True
        engine.schedule(run, engine.duration(run, "stopping"))
    return run


def kill(engine: Engine, run: Run, *, username: str, note: str | None = None) -> Run:
    """End a run by force; only after it was asked to stop and did not."""
    if run.finished or not run.stop_requested:
        raise Refusal("run cannot be killed: stop it first")
    engine.move(run, RunState.FAILED, note=note or "killed", username=username)
    return run


def retry(engine: Engine, run: Run, *, username: str) -> Run:
    """Run once more what did not succeed."""
    blocker = retry_blocker(run)
    if blocker:
        raise Refusal(f"run cannot be retried: {blocker}")
    stack = engine.account.stacks.get(run.stack_id)
    if stack is None:
        raise Refusal(f"stack {run.stack_id} not found")
    creation.check_may_create(stack, username)
    return creation.retry(engine, run, username=username)


def promote(engine: Engine, run: Run, *, username: str) -> Run:
    """Turn a proposed run into a tracked one of the same commit."""
    _refuse_if(promote_blocker(engine, run))
    stack = engine.stack_of(run)
    stack.tracked_commit = run.commit
    order = creation.Order(stack=stack, type=RunType.TRACKED, triggered_by=username)
    return native_runs.make_with_dependents(engine, [order])[0]


def targeted_replan(engine: Engine, run: Run, targets: list[str], *, username: str) -> Run:
    """Plan once more, for some resources."""
    if run.state is not RunState.UNCONFIRMED:
        raise Refusal(f"run cannot be replanned: it is {run.state}")
    if not targets:
        raise Refusal("no targets given")
    run.targets = list(targets)
    lifecycle.enter(engine, run, RunState.REPLAN_REQUESTED, username=username)
    return run


def review(
    engine: Engine, run: Run, decision: str, *, username: str, note: str | None = None
) -> Review:
    """Approve or reject a run that asks for it."""
    if run.finished:
        raise Refusal(f"run is {run.state}")
    if not run.needs_approval:
        raise Refusal("run does not need approval")
    entry = Review(
        id=engine.ids.next(engine.now),
        author=username,
        decision=decision,
        note=note,
        state=run.state,
        timestamp=engine.now,
    )
    run.reviews.append(entry)
    run.needs_approval = False
    engine.account.touch("run", run.id)
    if decision == "REJECT":
        engine.move(run, RunState.FAILED, note=note or "rejected", username=username)
    elif run.state is RunState.PENDING_REVIEW:
        engine.move(run, RunState.FINISHED, note=note, username=username)
    else:
        engine.later(lambda: queueing.consider(engine, run.stack_id))
    return entry


def comment(engine: Engine, run: Run, body: str, *, username: str) -> Comment:
    """Add a comment."""
    entry = Comment(body=body, created_at=engine.now, username=username)
    run.comments.append(entry)
    engine.account.touch("run", run.id)
    return entry


def prioritize(engine: Engine, run: Run, *, is_prioritized: bool) -> Run:
    """Let a run of a private pool jump the queue, or no longer."""
    if run.finished:
        raise Refusal(f"run is {run.state}")
    if engine.stack_of(run).worker_pool_id is None:
        raise Refusal("runs can be prioritized on private worker pools only")
    run.prioritized = is_prioritized
    engine.account.touch("run", run.id)
    return run


def discard_all(
    engine: Engine, stack_id: str, *, username: str, note: str | None = None
) -> tuple[list[Run], list[str]]:
    """Discard whatever can be discarded; the second list has the ids of runs that could not be."""
    discarded = [
        discard(engine, run, username=username, note=note)
        for run in engine.account.runs_of(stack_id)
        if run.state in _DISCARDABLE
    ]
    return discarded, []


def _refuse_if(reason: str | None) -> None:
    if reason:
        raise Refusal(reason)

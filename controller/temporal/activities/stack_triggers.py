"""How a run is created once, whatever happens to the answer or to the process that asked.

Spacelift has no idempotency key. Only one execution at a time has a stack (`ids`). So a run is ours
if it is newer than the one found before, and was triggered with our key. That is how a trigger
whose answer was lost is found again instead of being sent twice (ADR 0003).
"""

import dataclasses
import logging
from datetime import timedelta

import temporalio.activity as activity
import temporalio.exceptions

from controller import clock
from controller.chain.run import holds, windows
from controller.spacelift import errors as spacelift_errors
from controller.spacelift import models
from controller.temporal import messages
from controller.temporal.activities import (
    errors,
    spacelift_clients,
    triggered_runs,
    window_reading,
)

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class AttemptTime:
    """Temporal's time during an attempt: the next one may be on a worker with another clock."""

    started_at: float
    since: float

    @classmethod
    def of_this(cls) -> "AttemptTime":
        """Return the time of the attempt that is just beginning."""
        started_at = activity.info().started_time.timestamp()
        return cls(started_at=started_at, since=clock.monotonic())

    def now(self) -> float:
        """Return the time as seconds since 1970."""
        return self.started_at + clock.monotonic() - self.since


async def find_lost(
    account: spacelift_clients.SpaceliftAccount,
    argument: messages.TriggerStackRunInput,
    *,
    left: float,
) -> models.RunRecord | None:
    """Return the run of a trigger whose answer was lost; None once the grace has passed.

    `left` is how many seconds of the grace are left.

    Raises:
        ApplicationError: not found yet, or Spacelift cannot be asked. The latter must neither end
            in giving up nor pass for "nothing was sent", since the run may exist. Or the stack is
            gone, which is final once the grace has passed.
    """
    try:
        own = await triggered_runs.find(account, triggered_runs.SoughtRun.of(argument))
    except spacelift_errors.SpaceliftError as error:
        if left <= 0 and isinstance(error, spacelift_errors.SpaceliftObjectNotFound):
            # A stack that is gone has no run to wait for; it may only have been out of sight.
            raise errors.to_application_error(error) from error
        kind = type(error).__name__
        as_type = errors.AMBIGUOUS if kind in errors.NOTHING_SENT else kind
        raise errors.to_application_error(error, as_type=as_type) from error
    if own is not None:
        logger.info("Run of a lost trigger found", extra={"stack_id": argument.target.stack_id})
        return own
    if left <= 0:
        return None
    raise temporalio.exceptions.ApplicationError(
        f"The answer to the trigger of '{argument.target.stack_id}' was lost; looking for its run "
        f"for {left:.0f} s more before triggering again.",
        type=errors.AMBIGUOUS,
        next_retry_delay=timedelta(seconds=min(left, 2.0)),
    )


async def send(
    account: spacelift_clients.SpaceliftAccount, argument: messages.TriggerStackRunInput
) -> models.RunRecord:
    """Create the run.

    Raises:
        ApplicationError: nothing was created, since the stack is locked or disabled.
        SpaceliftError: any other failure; only `AmbiguousOutcome` leaves open whether it is there.
    """
    try:
        return await account.client.trigger_run(
            argument.target.stack_id,
            marker=argument.marker,
            run_type=triggered_runs.type_of(argument.operation),
            commit_sha=argument.commit_sha,
            environment=argument.environment or None,
        )
    except (spacelift_errors.SpaceliftRefused, spacelift_errors.PermissionDenied) as refusal:
        # How Spacelift refuses a run of a locked stack is not documented, so the stack is asked.
        await _raise_if_held(account, argument.target.stack_id, refusal)
        raise


def raise_if_closed(argument: messages.TriggerStackRunInput, *, now: float) -> None:
    """Check whether a run may be created at a time.

    Raises:
        ApplicationError: nothing was created, since a window of the stack is closed.
    """
    closed = window_reading.closed_window(argument.target, now=now)
    if closed is not None:
        raise temporalio.exceptions.ApplicationError(
            f"Not triggered outside of its window, {windows.closed_text(closed.until)}.",
            type=errors.STACK_HELD,
            non_retryable=True,
        )


async def _raise_if_held(
    account: spacelift_clients.SpaceliftAccount,
    stack_id: str,
    refusal: spacelift_errors.SpaceliftError,
) -> None:
    try:
        found = (await account.client.get_stack_holds([stack_id]))[stack_id]
    except spacelift_errors.SpaceliftError as error:
        # Nothing was created, so that all may be tried again.
        raise errors.to_application_error(error, as_type=errors.UNREACHABLE) from error
    held = holds.of_creation(account.hold(stack_id, found)) if found else None
    if held is not None:
        raise temporalio.exceptions.ApplicationError(
            f"{held.message} {refusal}", type=errors.STACK_HELD, non_retryable=True
        ) from refusal


def raise_if_lost(lost_at: float | None, refusal: temporalio.exceptions.ApplicationError) -> None:
    """Keep a refusal of this attempt from saying that nothing was sent while a run may be there.

    Raises:
        ApplicationError: an earlier attempt may have sent it.
    """
    if lost_at is not None and refusal.type in errors.NOTHING_SENT:
        raise temporalio.exceptions.ApplicationError(
            refusal.message, type=errors.AMBIGUOUS, category=refusal.category
        ) from refusal


def note_failure(lost_at: float | None) -> None:
    """Tell the next attempt since when there may be a run that no one knows of; None: none is.

    The SDK delivers the last heartbeat of an attempt that fails on its own, and only such an
    attempt writes details: whatever else a later attempt finds comes from a worker that died.
    """
    activity.heartbeat(activity.info().attempt, lost_at)


def lost_since(argument: messages.TriggerStackRunInput, *, now: float) -> float | None:
    """Return since when there may be a run that no one knows of; None if there cannot be one.

    Without word from the attempt before, assume that its worker died just now, with the request
    sent. The same goes for an execution that looked for runs and was reset before this one
    triggers.
    """
    info = activity.info()
    if info.attempt == 1:
        was_reset = argument.found_in not in ("", info.workflow_run_id)
        return now if argument.was_attempted or was_reset else None
    match list(info.heartbeat_details):
        case [attempt, lost_at] if attempt == info.attempt - 1:
            return None if lost_at is None else float(lost_at)
        case _:
            return now

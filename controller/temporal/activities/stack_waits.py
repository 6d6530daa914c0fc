"""How news of a run, or of what holds a stack, is waited for: by the pollers of the connection."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import TypeVar

import temporalio.activity as activity
import temporalio.exceptions

from controller import clock
from controller.api import v1alpha1
from controller.chain.run import holds, run_snapshots, run_states, stack_reports
from controller.spacelift import errors as spacelift_errors
from controller.spacelift import models
from controller.temporal import messages
from controller.temporal.activities import (
    errors,
    heartbeats,
    run_poller,
    spacelift_clients,
)

logger = logging.getLogger(__name__)

# Less than what Temporal gives such a read, so that no worker keeps working on one that is given
# up.
_LONGEST_READ_SECONDS = 4.0
# As many as of a call (`activity_calls.FIRST_TRIES`): most slots are free again soon.
_TRIES_UNSEEN = 3

_Record = TypeVar("_Record")


async def await_release(
    account: spacelift_clients.SpaceliftAccount,
    argument: messages.AwaitStackReleaseInput,
    *,
    limit: float,
) -> None:
    """Return once what holds the stack is another than the one known, or nothing, or unknown."""
    async with account.hold_poller.follow(argument.target.stack_id, read_now=False) as readings:
        async for reading in _readings(readings, limit):
            if reading.record is None:
                if argument.is_patient and errors.may_pass(reading.error):
                    continue
                return
            held = holds.of_creation(account.hold(argument.target.stack_id, reading.record))
            if (held.message if held else "") != argument.hold_message:
                return
    if argument.is_patient:
        raise errors.still_waiting(argument.hold_message)


async def follow(
    account: spacelift_clients.SpaceliftAccount,
    argument: messages.FollowStackRunInput,
    *,
    limit: float,
    lost_after: float,
) -> run_snapshots.RunSnapshot | None:
    """Return at the next change that matters to the chain; None if none came for long."""
    key = models.RunKey(stack_id=argument.target.stack_id, run_id=argument.run_id)
    missing_since: float | None = None
    async with account.poller.follow(key, read_now=argument.read_now) as readings:
        async for reading in _readings(readings, limit):
            if reading.error is not None:
                if type(reading.error).__name__ != argument.known_problem:
                    return _unread(argument.run_id, reading.error)
            elif reading.record is None:
                missing_since = missing_since or clock.monotonic()
                _check_lost(argument, missing_since, lost_after)
            else:
                missing_since = None
                news = await _news(account, argument, reading.record)
                if news is not None:
                    return news
    return None


def is_slot_news(
    argument: messages.FollowStackRunInput, error: temporalio.exceptions.ApplicationError
) -> bool:
    """Whether a failed follow is to be shown: it still has no slot, and the chain does not know.

    Not while the run waits for a person: that is what its stack has to say then.
    """
    is_known = error.type == argument.known_problem
    is_for_person = argument.known_summary.startswith(f"{v1alpha1.Phase.AWAITING_CONFIRMATION}/")
    if error.type != errors.CONNECTION_BUSY or is_known or is_for_person:
        return False
    return activity.info().attempt >= _TRIES_UNSEEN


def without_slot(
    run_id: str, error: temporalio.exceptions.ApplicationError
) -> run_snapshots.RunSnapshot:
    """Return the news that a run is not followed; of it only the problem counts."""
    return run_snapshots.RunSnapshot(
        run_id=run_id,
        state="",
        problem_reason=errors.CONNECTION_BUSY,
        problem_message=error.message,
    )


async def read(
    account: spacelift_clients.SpaceliftAccount, argument: messages.FollowStackRunInput
) -> run_snapshots.RunSnapshot | None:
    """Return the state of a run, read together with all that are due; None if it is known.

    The caller waits for the run and retries, so this does not.

    Raises:
        ApplicationError: it cannot be read now.
        SpaceliftError: Spacelift said so.
    """
    key = models.RunKey(stack_id=argument.target.stack_id, run_id=argument.run_id)
    try:
        async with asyncio.timeout(_LONGEST_READ_SECONDS):
            async with account.poller.follow(key, read_now=True) as readings:
                reading = await readings.get()
            if reading.error is not None:
                raise reading.error
            if reading.record is None:
                raise _given_up("The run cannot be seen.")
            return await _news(account, argument, reading.record)
    except TimeoutError as error:
        raise _given_up("Spacelift does not answer at once.") from error


async def _news(
    account: spacelift_clients.SpaceliftAccount,
    argument: messages.FollowStackRunInput,
    record: models.RunRecord,
) -> run_snapshots.RunSnapshot | None:
    news = account.snapshot(record)
    _log_unknown_state(record)
    if not argument.known_problem and stack_reports.summary(news) == argument.known_summary:
        return None
    noted = await _with_note(account, record, news)
    is_known = noted.problem_reason and noted.problem_reason == argument.known_problem
    return None if is_known else noted


def _given_up(why: str) -> temporalio.exceptions.ApplicationError:
    """Return the error that leaves a read to whoever waits; it is not reported."""
    return temporalio.exceptions.ApplicationError(
        why,
        type="ReadGivenUp",
        non_retryable=True,
        category=temporalio.exceptions.ApplicationErrorCategory.BENIGN,
    )


def _check_lost(
    argument: messages.FollowStackRunInput, missing_since: float, lost_after: float
) -> None:
    if clock.monotonic() - missing_since >= lost_after:
        raise temporalio.exceptions.ApplicationError(
            f"The run {argument.run_id} of stack '{argument.target.stack_id}' can no longer be "
            "found; check whether the stack was deleted, renamed or moved.",
            type="RunLost",
            non_retryable=True,
        )


async def _readings(
    queue: asyncio.Queue[run_poller.PolledRecord[_Record]], limit: float
) -> AsyncIterator[run_poller.PolledRecord[_Record]]:
    """Yield readings until the activity should end."""
    until = clock.monotonic() + limit
    while (left := until - clock.monotonic()) > 0:
        try:
            async with asyncio.timeout(left):
                reading = await queue.get()
        except TimeoutError:
            return
        except asyncio.CancelledError:
            if heartbeats.is_nobody_waiting():
                return
            raise
        yield reading


def _unread(run_id: str, error: spacelift_errors.SpaceliftError) -> run_snapshots.RunSnapshot:
    return run_snapshots.RunSnapshot(
        run_id=run_id, state="", problem_reason=type(error).__name__, problem_message=str(error)
    )


async def _with_note(
    account: spacelift_clients.SpaceliftAccount,
    record: models.RunRecord,
    last: run_snapshots.RunSnapshot,
) -> run_snapshots.RunSnapshot:
    """Add the note of an end that is not a success, if it can be read.

    Without it, no one knows what a skip means.
    """
    if not last.is_over or last.state == run_states.RunState.FINISHED:
        return last
    try:
        noted = await account.client.get_run(record.key)
    except spacelift_errors.SpaceliftError as error:
        logger.warning("The run's note cannot be read", extra={"error": str(error)})
        if last.state == run_states.RunState.SKIPPED:
            return _unread(record.run_id, error)
        return last
    return account.snapshot(noted) if noted is not None else last


def _log_unknown_state(run: models.RunRecord) -> None:
    if not run.is_known_state:
        logger.warning(
            "Unknown run state, treated as running",
            extra={"run_id": run.run_id, "run_state": run.state},
        )

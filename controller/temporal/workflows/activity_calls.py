"""How workflows call activities: time-outs and retry policies, each with its reason.

Business deadlines are not time-outs here: a Temporal time-out kills without clean-up.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

import temporalio.common
import temporalio.exceptions
from temporalio import workflow

from controller import outside_text
from controller.chain.run import failures
from controller.temporal import ids
from controller.temporal.activities import errors
from controller.temporal.workflows import wakes

# A call and its look-ups take seconds, the search for a lost run a grace period; many stacks at a
# time take minutes.
CALL_TIMEOUT = timedelta(minutes=2)
BULK_TIMEOUT = timedelta(minutes=30)
# All activities heartbeat while they wait, so that a killed worker is noticed: of a call soon.
HEARTBEAT_TIMEOUT = timedelta(seconds=10)
# Of a wait it depends on what is waited for, since heartbeats are all that a wait costs (ADR 0047).
WORK_HEARTBEAT_TIMEOUT = timedelta(seconds=30)
OTHERS_HEARTBEAT_TIMEOUT = timedelta(seconds=150)
# Waits return on their own before this, so that no worker holds one forever.
WAIT_TIMEOUT = timedelta(hours=1)

# A read that another, more patient call follows if it fails; the limit counts the wait for a slot.
_READ_TIMEOUT = timedelta(seconds=5)
_READ_LIMIT = timedelta(seconds=10)

# A few tries before the status says that something is wrong: short faults stay unseen.
FIRST_TRIES = temporalio.common.RetryPolicy(
    initial_interval=timedelta(seconds=1),
    maximum_interval=timedelta(seconds=5),
    maximum_attempts=3,
    # Reported at once: the next try is minutes away, or as useless as this one.
    non_retryable_error_types=[errors.LONG_PAUSE, failures.PAYLOAD_TOO_LARGE],
)
# For an activity that must report what became of it.
ONCE = temporalio.common.RetryPolicy(maximum_attempts=1)
# After that forever: giving up would turn an outage of Spacelift into failed stacks.
PATIENT = temporalio.common.RetryPolicy(
    initial_interval=timedelta(seconds=1),
    maximum_interval=timedelta(seconds=60),
    non_retryable_error_types=[failures.PAYLOAD_TOO_LARGE],
)
# The operator may be replaced at any moment; its queue keeps the call.
PUBLISH = temporalio.common.RetryPolicy(
    initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=15)
)

# What a status has room for.
_LONGEST_MESSAGE = 1024

# From the answer of Temporal to the end of the task that waits for it, with one to spare.
_STEPS_TO_AN_END = 4

_Argument = TypeVar("_Argument")
_Result = TypeVar("_Result")

# (type, message) of what went wrong, or None when it is over.
OnProblem = Callable[[tuple[str, str] | None], None]


def wait_options(summary: str, *, is_for_others: bool) -> dict[str, Any]:
    """Return how an activity that waits is called.

    No cancel waits for its answer: the activity itself hears of that with its next heartbeat.

    Args:
        summary: what the Temporal web UI shows.
        is_for_others: it is a person that is waited for, a lock, another run or another chain.
    """
    return {
        "task_queue": ids.follow_queue(workflow.info().task_queue),
        "start_to_close_timeout": WAIT_TIMEOUT,
        "heartbeat_timeout": OTHERS_HEARTBEAT_TIMEOUT if is_for_others else WORK_HEARTBEAT_TIMEOUT,
        "retry_policy": PATIENT,
        "cancellation_type": workflow.ActivityCancellationType.TRY_CANCEL,
        "summary": summary,
    }


def cause_of(error: temporalio.exceptions.FailureError) -> tuple[str, str]:
    """Return the type and message of what really failed, in the words of our error.

    What is below that, an exception of httpx for instance, means nothing to anyone else.
    """
    inner: BaseException = error
    while (
        isinstance(inner, temporalio.exceptions.FailureError)
        and not isinstance(inner, temporalio.exceptions.ApplicationError)
        and inner.cause is not None
    ):
        inner = inner.cause
    if isinstance(inner, temporalio.exceptions.ApplicationError):
        return inner.type or "Unknown", outside_text.clean(inner.message, most=_LONGEST_MESSAGE)
    if isinstance(inner, temporalio.exceptions.TimeoutError):
        return failures.WORKER_TIMEOUT, "no worker answered in time"
    return type(inner).__name__, outside_text.clean(str(inner), most=_LONGEST_MESSAGE)


def is_final(error: temporalio.exceptions.ActivityError) -> bool:
    """Whether trying again cannot help."""
    return error.retry_state == temporalio.exceptions.RetryState.NON_RETRYABLE_FAILURE


def delay_of(error: temporalio.exceptions.FailureError) -> timedelta:
    """Return how long to wait after a failed try that no policy repeats."""
    cause = error.cause
    asked = getattr(cause, "next_retry_delay", None)
    return asked if isinstance(asked, timedelta) else FIRST_TRIES.initial_interval


def was_never_started(error: temporalio.exceptions.ActivityError) -> bool:
    """Whether an activity of one try was canceled before any worker had it."""
    return temporalio.exceptions.is_cancelled_exception(error) and error.started_event_id == 0


async def end_of(attempt: "asyncio.Task[_Result]") -> _Result:
    """Return what became of an activity that a cancel of the caller cancels, too.

    An end that comes together with the cancel is some steps of the event loop away; for a cancel of
    the activity the SDK would drop it.
    """
    try:
        return await asyncio.shield(attempt)
    except asyncio.CancelledError:
        for _ in range(_STEPS_TO_AN_END):
            await asyncio.sleep(0)
        if not attempt.done():
            attempt.cancel()
        return await attempt


async def outcome_of(attempt: "asyncio.Task[_Result]") -> _Result:
    """Return what an activity returned; a cancel of the caller ends the wait at once.

    To await the activity itself would not do: for a cancel the SDK waits for the activity's own
    end, and a result in the same workflow task would hide the cancel for good.

    Raises:
        ActivityError: it failed.
        CancelledError: the caller was canceled; so is the activity.
    """
    try:
        await workflow.wait([attempt])
    except asyncio.CancelledError:
        wakes.give_up(attempt)
        raise
    return attempt.result()


async def try_once(
    activity: Callable[[Any, _Argument], Awaitable[_Result]], argument: _Argument, *, summary: str
) -> _Result | None:
    """Read something in one short try, and not in a local activity (ADR 0064); None if it failed.

    Raises:
        CancelledError: canceled.
    """
    attempt = workflow.start_activity_method(
        activity,
        argument,
        start_to_close_timeout=_READ_TIMEOUT,
        schedule_to_close_timeout=_READ_LIMIT,
        retry_policy=ONCE,
        summary=summary,
    )
    try:
        return await outcome_of(attempt)
    except temporalio.exceptions.ActivityError:
        return None


async def persist(
    activity: Callable[[Any, _Argument], Awaitable[_Result]],
    argument: _Argument,
    *,
    summary: str,
    on_problem: OnProblem,
    then: Callable[[str], _Argument] | None = None,
    start_to_close: timedelta = CALL_TIMEOUT,
) -> _Result:
    """Run an activity until it succeeds; after the first few tries say what is wrong.

    Args:
        activity: the activity, a method.
        argument: its input.
        summary: what the Temporal web UI shows.
        on_problem: called with the problem, and with None once it is over.
        then: gives the input for the tries after the first few, from the type of the last failure.
        start_to_close: how long one try may take.

    Raises:
        ActivityError: a failure that no retry can fix.
        CancelledError: canceled.
    """

    def start(value: _Argument, policy: temporalio.common.RetryPolicy) -> "asyncio.Task[_Result]":
        return workflow.start_activity_method(
            activity,
            value,
            start_to_close_timeout=start_to_close,
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            retry_policy=policy,
            summary=summary,
        )

    try:
        return await outcome_of(start(argument, FIRST_TRIES))
    except temporalio.exceptions.ActivityError as error:
        kind, message = cause_of(error)
        is_long = kind == errors.LONG_PAUSE
        if temporalio.exceptions.is_cancelled_exception(error) or (is_final(error) and not is_long):
            raise
        on_problem((kind, message))
        if is_long:
            await asyncio.sleep(delay_of(error).total_seconds())
    result = await outcome_of(start(then(kind) if then is not None else argument, PATIENT))
    on_problem(None)
    return result

"""find_, trigger_, follow_ and stop_stack_run, and what goes with them: one stack at a time.

Spacelift has no idempotency key. Since one execution at a time has a stack (`ids`), a run that is
newer than the one found before, and was triggered with our key, is ours: that is how a trigger
whose answer was lost is found again instead of being sent twice.
"""

import asyncio
import dataclasses
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

import temporalio.activity as activity
import temporalio.exceptions

from controller.chain import runs
from controller.spacelift import errors as spacelift_errors
from controller.spacelift import models
from controller.temporal import messages
from controller.temporal.activities import errors, run_poller, spacelift_clients

logger = logging.getLogger(__name__)

# Ids of a stack's runs are compared as text; any ULID is above this.
_BEFORE_ALL = "0"
# How often a run is read again while an activity waits for the effect of its own call.
_EFFECT_SECONDS = 1.0
# After this the workflow follows on: a worker may ignore a stop.
_EFFECT_LIMIT_SECONDS = 20.0
# A run that was there and is not to be seen: read-after-write lag at first, then it is lost.
_LOST_AFTER_SECONDS = 30.0
# A follow hands over before its activity times out.
_FOLLOW_LIMIT_SECONDS = 3300.0
_HEARTBEAT_SECONDS = 3.0
_STOPS_AT_ONCE = 10


class Counters(Protocol):
    """The facts that the worker's metrics record."""

    def run_triggered(self) -> None:
        """A chain has a run that it triggered."""

    def run_adopted(self) -> None:
        """A chain uses a run that Spacelift queued."""

    def trigger_ambiguous(self) -> None:
        """The answer to a trigger was lost."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How long, in seconds, what may come late is waited for."""

    adopt_settle: float
    trigger_grace: float


class StackOperations:
    """The activities on one stack; `clients` guards which connection they act on."""

    def __init__(
        self,
        clients: spacelift_clients.SpaceliftClients,
        *,
        patience: Patience,
        counters: Counters,
        await_execution_end: Callable[[str], Awaitable[None]],
    ) -> None:
        self._clients = clients
        self._patience = patience
        self._counters = counters
        self._await_execution_end = await_execution_end

    @activity.defn(name="find_stack_run")
    async def find_stack_run(
        self, argument: messages.FindStackRunInput
    ) -> messages.FindStackRunResult:
        """Return the newest run, and the one to adopt, which is waited for a settable while."""
        served = self._clients.get(argument.connection)
        try:
            if argument.adopt_origin is None:
                newest = await served.client.list_runs_after(argument.stack_id, None)
                return messages.FindStackRunResult(
                    newest_run_id=newest[0].id if newest else _BEFORE_ALL
                )
            native = await self._find_native(
                served, argument.stack_id, argument.adopt_origin, argument.queuers
            )
        except spacelift_errors.SpaceliftError as error:
            raise errors.to_application_error(error) from error
        if native is not None:
            self._counters.run_adopted()
        return messages.FindStackRunResult(
            newest_run_id=native.run_id if native else argument.adopt_origin,
            adopted_run_id=native.run_id if native else None,
        )

    async def _find_native(
        self,
        served: spacelift_clients.Served,
        stack_id: str,
        origin_run_id: str,
        queuers: list[str],
    ) -> runs.Candidate | None:
        async for _ in _repeat(self._patience.adopt_settle):
            records = await served.client.list_runs_after(stack_id, origin_run_id)
            native = runs.native_run(
                [_candidate(run) for run in records],
                origin_run_id=origin_run_id,
                queuers=queuers,
            )
            if native is not None:
                return native
        return None

    @activity.defn(name="trigger_stack_run")
    async def trigger_stack_run(self, argument: messages.TriggerStackRunInput) -> runs.RunSnapshot:
        """Create a run once, whatever happens to the answer or to this process."""
        served = self._clients.get(argument.connection)
        lost_at = _lost_at(was_attempted=argument.was_attempted)
        if lost_at is not None:
            activity.heartbeat(lost_at)
            found = await self._find_own(served, argument, lost_at)
            if found is not None:
                self._counters.run_triggered()
                return served.snapshot(found)
        # Known to Temporal before the request leaves, so that a later attempt looks first.
        activity.heartbeat(time.time())
        try:
            run = await served.client.trigger_run(argument.stack_id, marker=argument.marker)
        except spacelift_errors.AmbiguousOutcome as error:
            self._counters.trigger_ambiguous()
            raise errors.to_application_error(error) from error
        except spacelift_errors.SpaceliftError as error:
            activity.heartbeat(None)
            raise errors.to_application_error(error) from error
        self._counters.run_triggered()
        logger.info("Run triggered", extra={"stack_id": argument.stack_id, "run_id": run.id})
        return served.snapshot(run)

    async def _find_own(
        self,
        served: spacelift_clients.Served,
        argument: messages.TriggerStackRunInput,
        lost_at: float,
    ) -> models.RunRecord | None:
        """Return the run of a trigger whose answer was lost; None once the grace has passed.

        Raises:
            ApplicationError: not found yet; or Spacelift cannot be asked, which must not end in
                giving up, since the run may be there.
        """
        try:
            records = await served.client.list_runs_after(argument.stack_id, argument.newest_run_id)
        except spacelift_errors.SpaceliftError as error:
            raise errors.to_application_error(error, as_type=errors.AMBIGUOUS) from error
        own = [run for run in records if served.owns(run) and run.type == "TRACKED"]
        if own:
            logger.info("Run of a lost trigger found", extra={"stack_id": argument.stack_id})
            return min(own, key=lambda run: run.id)
        left = lost_at + self._patience.trigger_grace - time.time()
        if left <= 0:
            return None
        raise temporalio.exceptions.ApplicationError(
            f"The answer to the trigger of '{argument.stack_id}' was lost; looking for its run "
            f"for {left:.0f} s more before triggering again.",
            type=errors.AMBIGUOUS,
            next_retry_delay=timedelta(seconds=min(left, 2.0)),
        )

    @activity.defn(name="follow_stack_run")
    async def follow_stack_run(self, argument: messages.FollowStackRunInput) -> runs.RunSnapshot:
        """Return at the next change that matters to the chain."""
        served = self._clients.get(argument.connection)
        key = models.RunKey(stack_id=argument.stack_id, run_id=argument.run_id)
        last = runs.RunSnapshot(run_id=argument.run_id, state="QUEUED")
        missing_since: float | None = None
        async with served.poller.follow(key, read_now=argument.read_now) as readings:
            async for reading in _readings(readings):
                if reading is None:
                    return last
                if reading.error is not None:
                    if type(reading.error).__name__ != argument.known_problem:
                        return _with_problem(last, reading.error)
                elif reading.record is None:
                    missing_since = missing_since or time.monotonic()
                    _check_lost(argument, missing_since)
                else:
                    missing_since = None
                    last = served.snapshot(reading.record)
                    _log_unknown_state(reading.record)
                    if argument.known_problem or runs.view(last) != argument.known_view:
                        return await _with_note(served, reading.record, last)
        raise AssertionError("readings end only by a return")

    @activity.defn(name="stop_stack_run")
    async def stop_stack_run(self, argument: messages.StopStackRunInput) -> runs.RunSnapshot | None:
        """Stop the run by the call that fits its state, and return how it stands then.

        None: no run was found that a trigger could have created.
        """
        served = self._clients.get(argument.connection)
        try:
            run_id = argument.run_id or await self._find_possible(served, argument)
            if run_id is None:
                return None
            key = models.RunKey(stack_id=argument.stack_id, run_id=run_id)
            return await _stop(served, key, note=argument.note)
        except spacelift_errors.SpaceliftError as error:
            raise errors.to_application_error(error, is_stop=True) from error

    async def _find_possible(
        self, served: spacelift_clients.Served, argument: messages.StopStackRunInput
    ) -> str | None:
        async for _ in _repeat(self._patience.trigger_grace):
            records = await served.client.list_runs_after(argument.stack_id, argument.newest_run_id)
            own = [run.id for run in records if served.owns(run) and run.type == "TRACKED"]
            if own:
                return min(own)
        return None

    @activity.defn(name="stop_native_runs")
    async def stop_native_runs(
        self, argument: messages.StopNativeRunsInput
    ) -> messages.StopNativeRunsResult:
        """Stop what Spacelift queued on stacks that must not run it."""
        served = self._clients.get(argument.connection)
        slots = asyncio.Semaphore(_STOPS_AT_ONCE)

        async def stop(
            target: messages.NativeRunTarget, origin_run_id: str
        ) -> messages.NativeRunEnd | None:
            async with slots:
                return await self._stop_native(served, target, origin_run_id, argument.note)

        try:
            ends = await asyncio.gather(
                *(
                    stop(target, origin)
                    for target in argument.targets
                    for origin in target.origin_run_ids
                )
            )
        except spacelift_errors.SpaceliftError as error:
            raise errors.to_application_error(error, is_stop=True) from error
        return messages.StopNativeRunsResult(runs=[end for end in ends if end is not None])

    async def _stop_native(
        self,
        served: spacelift_clients.Served,
        target: messages.NativeRunTarget,
        origin_run_id: str,
        note: str,
    ) -> messages.NativeRunEnd | None:
        native = await self._find_native(served, target.stack_id, origin_run_id, target.queuers)
        if native is None or native.run_id == target.keep_run_id:
            return None
        key = models.RunKey(stack_id=target.stack_id, run_id=native.run_id)
        end = await _stop(served, key, note=note)
        return messages.NativeRunEnd(
            stack_id=target.stack_id,
            run_id=native.run_id,
            state=end.state,
            url=end.url,
            is_left=not end.is_over,
        )

    @activity.defn(name="await_execution_end")
    async def await_execution_end(self, argument: messages.AwaitExecutionInput) -> None:
        """Return once no execution has the workflow id: another chain runs the stack until then."""
        waiting = asyncio.ensure_future(self._await_execution_end(argument.workflow_id))
        try:
            while not (await asyncio.wait({waiting}, timeout=_HEARTBEAT_SECONDS))[0]:
                activity.heartbeat()
            waiting.result()
        finally:
            waiting.cancel()


async def _stop(
    served: spacelift_clients.Served, key: models.RunKey, *, note: str
) -> runs.RunSnapshot:
    """Call what stops the run until it has ended, cannot be stopped, or ignores it."""
    calls = {
        "cancel": served.client.cancel_run,
        "discard": served.client.discard_run,
        "stop": served.client.stop_run,
    }
    called: set[str] = set()
    current = runs.RunSnapshot(run_id=key.run_id, state="QUEUED")
    async for _ in _repeat(_EFFECT_LIMIT_SECONDS):
        record = await served.client.get_run(key)
        if record is None:
            raise spacelift_errors.NotFound(f"run '{key.run_id}' of stack '{key.stack_id}' is gone")
        current = served.snapshot(record)
        call = runs.stop_call(current)
        if call is None:
            return current
        if call not in called:
            try:
                await calls[call](key, note=note)
                called.add(call)
            except spacelift_errors.Refused:
                # The state moved on between reading and calling: read it again.
                logger.debug("Stopping came too late", extra={"run_id": key.run_id})
    return current


async def _repeat(limit_seconds: float) -> AsyncIterator[None]:
    """Yield at once, then again every second at most, until the limit has passed."""
    until = time.monotonic() + limit_seconds
    pause = min(_EFFECT_SECONDS, max(limit_seconds / 5, 0.05))
    while True:
        activity.heartbeat()
        yield
        if time.monotonic() >= until:
            return
        await asyncio.sleep(pause)


async def _readings(
    queue: asyncio.Queue[run_poller.Reading],
) -> AsyncIterator[run_poller.Reading | None]:
    """Yield readings, with heartbeats between them; None when the activity should end."""
    until = time.monotonic() + _FOLLOW_LIMIT_SECONDS
    while time.monotonic() < until:
        activity.heartbeat()
        try:
            async with asyncio.timeout(_HEARTBEAT_SECONDS):
                reading = await queue.get()
        except TimeoutError:
            continue
        yield reading
    yield None


def _lost_at(*, was_attempted: bool) -> float | None:
    """Return when a trigger of this stack may have left without an answer, None if none has.

    The heartbeat of the attempt before has the time of its request, or None when that is known to
    have changed nothing. Without one, a worker that died is taken to have sent it just before.
    """
    info = activity.info()
    details = list(info.heartbeat_details)
    if info.attempt > 1 and details:
        return None if details[0] is None else float(details[0])
    if info.attempt > 1 or was_attempted:
        return _epoch(info.current_attempt_scheduled_time)
    return None


def _epoch(instant: datetime) -> float:
    return instant.astimezone(UTC).timestamp()


def _candidate(run: models.RunRecord) -> runs.Candidate:
    return runs.Candidate(run_id=run.id, triggered_by=run.triggered_by, is_over=run.is_terminal)


def _with_problem(
    last: runs.RunSnapshot, error: spacelift_errors.SpaceliftError
) -> runs.RunSnapshot:
    return dataclasses.replace(
        last, problem_reason=type(error).__name__, problem_message=str(error)
    )


async def _with_note(
    served: spacelift_clients.Served, record: models.RunRecord, last: runs.RunSnapshot
) -> runs.RunSnapshot:
    """Add the words that go with an end that is no success, if they can be had."""
    if not last.is_over or last.state == "FINISHED":
        return last
    try:
        noted = await served.client.get_run(record.key)
    except spacelift_errors.SpaceliftError as error:
        logger.warning("The run's note cannot be read", extra={"error": str(error)})
        return last
    return served.snapshot(noted) if noted is not None else last


def _check_lost(argument: messages.FollowStackRunInput, missing_since: float) -> None:
    if time.monotonic() - missing_since >= _LOST_AFTER_SECONDS:
        raise temporalio.exceptions.ApplicationError(
            f"The run {argument.run_id} of stack '{argument.stack_id}' can no longer be found; "
            "see whether the stack was deleted, renamed or moved.",
            type="RunLost",
            non_retryable=True,
        )


def _log_unknown_state(run: models.RunRecord) -> None:
    if not run.is_known_state:
        logger.warning(
            "Unknown run state, taken for running",
            extra={"run_id": run.id, "run_state": run.state},
        )

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
from datetime import timedelta
from typing import Protocol

import temporalio.activity as activity
import temporalio.exceptions

from controller.chain import runs
from controller.spacelift import errors as spacelift_errors
from controller.spacelift import models
from controller.temporal import messages
from controller.temporal.activities import errors, heartbeats, run_poller, spacelift_clients

logger = logging.getLogger(__name__)

# Ids of a stack's runs are compared as text; any ULID is above this.
_BEFORE_ALL = "0"
# How often a run is read again while an activity waits for the effect of its own call.
_EFFECT_SECONDS = 1.0
# A follow hands over before its activity times out.
_FOLLOW_LIMIT_SECONDS = 3300.0
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
    """How long, in seconds, what may come late is waited for.

    `stop_effect`: a worker may ignore a stop, so after this the run is followed on. `lost_after`: a
    run that is not to be seen may be new to the server that was asked, and is then lost.
    """

    adopt_settle: float
    trigger_grace: float
    stop_effect: float = 20.0
    lost_after: float = 30.0


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
            async with heartbeats.kept_alive():
                return await self._find(served, argument)
        except spacelift_errors.SpaceliftError as error:
            raise errors.to_application_error(error) from error

    async def _find(
        self, served: spacelift_clients.Served, argument: messages.FindStackRunInput
    ) -> messages.FindStackRunResult:
        origin = argument.adopt_origin
        if origin is None:
            newest = await served.client.list_runs_after(argument.stack_id, None)
            return messages.FindStackRunResult(
                newest_run_id=newest[0].id if newest else _BEFORE_ALL
            )
        natives = await self._find_natives(served, argument.stack_id, [origin], argument.queuers)
        if not natives:
            return messages.FindStackRunResult(newest_run_id=origin)
        self._counters.run_adopted()
        adopted = natives[0].run_id
        return messages.FindStackRunResult(newest_run_id=adopted, adopted_run_id=adopted)

    async def _find_natives(
        self,
        served: spacelift_clients.Served,
        stack_id: str,
        origin_run_ids: list[str],
        queuers: list[str],
    ) -> list[runs.Candidate]:
        """Return what the origins made Spacelift queue; what is late is waited for."""
        found: list[runs.Candidate] = []
        async for _ in _repeat(self._patience.adopt_settle):
            records = await served.client.list_runs_after(stack_id, min(origin_run_ids))
            found = runs.native_runs(
                [_candidate(run) for run in records],
                origin_run_ids=origin_run_ids,
                queuers=queuers,
            )
            if len(found) == len(origin_run_ids):
                break
        return found

    @activity.defn(name="trigger_stack_run")
    async def trigger_stack_run(self, argument: messages.TriggerStackRunInput) -> runs.RunSnapshot:
        """Create a run once, whatever happens to the answer or to this process."""
        lost_at = _lost_at(was_attempted=argument.was_attempted)
        try:
            served = self._clients.get(argument.connection)
            async with heartbeats.kept_alive():
                run = await self._find_own(served, argument, lost_at) if lost_at else None
                if run is None:
                    lost_at = None
                    run = await served.client.trigger_run(argument.stack_id, marker=argument.marker)
        except spacelift_errors.AmbiguousOutcome as error:
            self._counters.trigger_ambiguous()
            _note_failure(time.time())
            raise errors.to_application_error(error) from error
        except spacelift_errors.SpaceliftError as error:
            _note_failure(None)
            raise errors.to_application_error(error) from error
        except temporalio.exceptions.ApplicationError:
            # Not found yet, or this worker does not serve the connection: all is as it was.
            _note_failure(lost_at)
            raise
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
            ApplicationError: not found yet; or Spacelift cannot be asked, which must neither end in
                giving up nor pass for "nothing was sent", since the run may be there.
        """
        left = lost_at + self._patience.trigger_grace - time.time()
        try:
            records = await served.client.list_runs_after(argument.stack_id, argument.newest_run_id)
        except spacelift_errors.SpaceliftError as error:
            kind = type(error).__name__
            as_type = errors.AMBIGUOUS if kind in errors.NOTHING_SENT else kind
            raise errors.to_application_error(error, as_type=as_type) from error
        own = [run for run in records if served.owns(run) and run.type == models.RunType.TRACKED]
        if own:
            logger.info("Run of a lost trigger found", extra={"stack_id": argument.stack_id})
            return min(own, key=lambda run: run.id)
        if left <= 0:
            return None
        raise temporalio.exceptions.ApplicationError(
            f"The answer to the trigger of '{argument.stack_id}' was lost; looking for its run "
            f"for {left:.0f} s more before triggering again.",
            type=errors.AMBIGUOUS,
            next_retry_delay=timedelta(seconds=min(left, 2.0)),
        )

    @activity.defn(name="follow_stack_run")
    async def follow_stack_run(
        self, argument: messages.FollowStackRunInput
    ) -> runs.RunSnapshot | None:
        """Return at the next change that matters to the chain; None if none came for long.

        A run that cannot be read is news too; of such a snapshot only the problem counts.
        """
        served = self._clients.get(argument.connection)
        key = models.RunKey(stack_id=argument.stack_id, run_id=argument.run_id)
        missing_since: float | None = None
        async with (
            heartbeats.kept_alive(),
            served.poller.follow(key, read_now=argument.read_now) as readings,
        ):
            async for reading in _readings(readings):
                if reading.error is not None:
                    if type(reading.error).__name__ != argument.known_problem:
                        return _unread(argument.run_id, reading.error)
                elif reading.record is None:
                    missing_since = missing_since or time.monotonic()
                    self._check_lost(argument, missing_since)
                else:
                    missing_since = None
                    news = served.snapshot(reading.record)
                    _log_unknown_state(reading.record)
                    if argument.known_problem or runs.view(news) != argument.known_view:
                        return await _with_note(served, reading.record, news)
        return None

    def _check_lost(self, argument: messages.FollowStackRunInput, missing_since: float) -> None:
        if time.monotonic() - missing_since >= self._patience.lost_after:
            raise temporalio.exceptions.ApplicationError(
                f"The run {argument.run_id} of stack '{argument.stack_id}' can no longer be found; "
                "see whether the stack was deleted, renamed or moved.",
                type="RunLost",
                non_retryable=True,
            )

    @activity.defn(name="stop_stack_run")
    async def stop_stack_run(self, argument: messages.StopStackRunInput) -> runs.RunSnapshot | None:
        """Stop the run by the call that fits its state, and return how it stands then.

        None: no run was found that a trigger could have created.
        """
        served = self._clients.get(argument.connection)
        try:
            async with heartbeats.kept_alive():
                run_id = argument.run_id or await self._find_possible(served, argument)
                if run_id is None:
                    return None
                key = models.RunKey(stack_id=argument.stack_id, run_id=run_id)
                return await self._stop(served, key, note=argument.note)
        except spacelift_errors.SpaceliftError as error:
            raise errors.to_application_error(error, is_stop=True) from error

    async def _find_possible(
        self, served: spacelift_clients.Served, argument: messages.StopStackRunInput
    ) -> str | None:
        async for _ in _repeat(self._patience.trigger_grace):
            records = await served.client.list_runs_after(argument.stack_id, argument.newest_run_id)
            own = [
                run.id for run in records if served.owns(run) and run.type == models.RunType.TRACKED
            ]
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

        async def stop(target: messages.NativeRunTarget) -> list[messages.NativeRunEnd]:
            async with slots:
                return await self._stop_natives_of(served, target, argument.note)

        async with heartbeats.kept_alive():
            # One that fails must not keep the others from being stopped.
            ends = await asyncio.gather(*map(stop, argument.targets), return_exceptions=True)
        for end in ends:
            if isinstance(end, spacelift_errors.SpaceliftError):
                raise errors.to_application_error(end, is_stop=True) from end
            if isinstance(end, BaseException):
                raise end
        found = [end for group in ends if isinstance(group, list) for end in group]
        return messages.StopNativeRunsResult(runs=found)

    async def _stop_natives_of(
        self, served: spacelift_clients.Served, target: messages.NativeRunTarget, note: str
    ) -> list[messages.NativeRunEnd]:
        ends: list[messages.NativeRunEnd] = []
        try:
            natives = await self._find_natives(
                served, target.stack_id, target.origin_run_ids, target.queuers
            )
            for native in natives:
                # Of those that are over, one that was carried out must be told of.
                is_of_note = native.has_finished or not native.is_over
                if native.run_id != target.keep_run_id and is_of_note:
                    key = models.RunKey(stack_id=target.stack_id, run_id=native.run_id)
                    ends.append(
                        _native_end(target.stack_id, await self._stop(served, key, note=note))
                    )
        except errors.FINAL_STOP as error:
            # Trying again cannot help this stack; the others are not its business.
            ends.append(
                messages.NativeRunEnd(
                    stack_id=target.stack_id,
                    run_id="",
                    state="",
                    url="",
                    is_left=False,
                    problem=str(error),
                )
            )
        return ends

    async def _stop(
        self, served: spacelift_clients.Served, key: models.RunKey, *, note: str
    ) -> runs.RunSnapshot:
        """Call what stops the run until it has ended, cannot be stopped, or ignores it."""
        calls = {
            "cancel": served.client.cancel_run,
            "discard": served.client.discard_run,
            "stop": served.client.stop_run,
        }
        called: set[str] = set()
        current = runs.RunSnapshot(run_id=key.run_id, state="QUEUED")
        async for _ in _repeat(self._patience.stop_effect):
            record = await served.client.get_run(key)
            if record is None:
                raise spacelift_errors.NotFound(
                    f"run '{key.run_id}' of stack '{key.stack_id}' is gone"
                )
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

    @activity.defn(name="await_execution_end")
    async def await_execution_end(self, argument: messages.AwaitExecutionInput) -> None:
        """Return once no execution has the workflow id: another chain runs the stack until then."""
        async with heartbeats.kept_alive():
            await self._await_execution_end(argument.workflow_id)


async def _repeat(limit_seconds: float) -> AsyncIterator[None]:
    """Yield at once, then again every second at most, until the limit has passed."""
    until = time.monotonic() + limit_seconds
    pause = min(_EFFECT_SECONDS, max(limit_seconds / 5, 0.05))
    while True:
        yield
        if time.monotonic() >= until:
            return
        await asyncio.sleep(pause)


async def _readings(
    queue: asyncio.Queue[run_poller.Reading],
) -> AsyncIterator[run_poller.Reading]:
    """Yield readings until the activity should end."""
    until = time.monotonic() + _FOLLOW_LIMIT_SECONDS
    while (left := until - time.monotonic()) > 0:
        try:
            async with asyncio.timeout(left):
                reading = await queue.get()
        except TimeoutError:
            return
        yield reading


def _note_failure(lost_at: float | None) -> None:
    """Tell the next attempt since when a run may be there that nobody knows of; None: none is.

    The SDK delivers the last heartbeat of an attempt that fails by itself, and only such an attempt
    writes details: whatever else a later attempt finds comes from a worker that died.
    """
    activity.heartbeat(activity.info().attempt, lost_at)


def _lost_at(*, was_attempted: bool) -> float | None:
    """Return since when a run may be there that nobody knows of; None if there cannot be one.

    Without word from the attempt before, its worker is taken to have died just now and with the
    request sent.
    """
    info = activity.info()
    if info.attempt == 1:
        return time.time() if was_attempted else None
    match list(info.heartbeat_details):
        case [attempt, lost_at] if attempt == info.attempt - 1:
            return None if lost_at is None else float(lost_at)
        case _:
            return time.time()


def _candidate(run: models.RunRecord) -> runs.Candidate:
    return runs.Candidate(
        run_id=run.id,
        triggered_by=run.triggered_by,
        is_over=run.is_terminal,
        has_finished=run.state == models.RunState.FINISHED,
    )


def _native_end(stack_id: str, end: runs.RunSnapshot) -> messages.NativeRunEnd:
    return messages.NativeRunEnd(
        stack_id=stack_id,
        run_id=end.run_id,
        state=end.state,
        url=end.url,
        is_left=not end.is_over,
    )


def _unread(run_id: str, error: spacelift_errors.SpaceliftError) -> runs.RunSnapshot:
    return runs.RunSnapshot(
        run_id=run_id, state="", problem_reason=type(error).__name__, problem_message=str(error)
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


def _log_unknown_state(run: models.RunRecord) -> None:
    if not run.is_known_state:
        logger.warning(
            "Unknown run state, taken for running",
            extra={"run_id": run.id, "run_state": run.state},
        )

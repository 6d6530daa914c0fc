"""How runs are stopped: by the call that fits the state, read again until it took effect."""

import asyncio
import dataclasses
import logging
import time
from collections.abc import AsyncIterator

from controller.chain.graph import adoption
from controller.chain.run import run_snapshots, unwanted_runs
from controller.chain.run.run_states import RunState, StopCall
from controller.spacelift import errors as spacelift_errors
from controller.spacelift import models
from controller.temporal import messages
from controller.temporal.activities import errors, spacelift_clients, triggered_runs

logger = logging.getLogger(__name__)

# How often a run is read again while an activity waits for the effect of its own call.
_EFFECT_SECONDS = 1.0
_STOPS_AT_ONCE = 10


async def repeat(limit_seconds: float) -> AsyncIterator[None]:
    """Yield at once, then again every second at most, until the limit has passed."""
    until = time.monotonic() + limit_seconds
    pause = min(_EFFECT_SECONDS, max(limit_seconds / 5, 0.05))
    while True:
        yield
        if time.monotonic() >= until:
            return
        await asyncio.sleep(pause)


async def read(
    account: spacelift_clients.SpaceliftAccount, key: models.RunKey
) -> run_snapshots.RunSnapshot:
    """Return how a run stands.

    Raises:
        SpaceliftObjectNotFound: it is gone.
    """
    record = await account.client.get_run(key)
    if record is None:
        raise spacelift_errors.SpaceliftObjectNotFound(
            f"run '{key.run_id}' of stack '{key.stack_id}' is gone"
        )
    return account.snapshot(record)


async def stop_run(
    account: spacelift_clients.SpaceliftAccount, key: models.RunKey, *, note: str, seconds: float
) -> run_snapshots.RunSnapshot:
    """Call what stops the run until it has ended, cannot be stopped, or ignores it."""
    calls = {
        StopCall.CANCEL: account.client.cancel_run,
        StopCall.DISCARD: account.client.discard_run,
        StopCall.STOP: account.client.stop_run,
    }
    called: set[StopCall] = set()
    refused: set[tuple[str, StopCall]] = set()
    current = run_snapshots.RunSnapshot(run_id=key.run_id, state=RunState.QUEUED)
    async for _ in repeat(seconds):
        current = await read(account, key)
        possible = current.stop_calls
        left = [call for call in possible if (current.state, call) not in refused]
        if not left and current.state == RunState.PENDING_REVIEW:
            return current
        # The state may have moved on between reading and calling: what was refused is tried again.
        if not possible:
            return current
        call = (left or possible)[0]
        if call not in called:
            try:
                answer = await calls[call](key, note=note)
                called.add(call)
                if answer.is_terminal:
                    # Not read again: whatever this run waited for is stopped after it, and soon.
                    return _ended(current, account.snapshot(answer))
            except spacelift_errors.SpaceliftRefused:
                refused.add((current.state, call))
                logger.debug("Stopping was refused", extra={"run_id": key.run_id})
    return current


def _ended(
    before: run_snapshots.RunSnapshot, answer: run_snapshots.RunSnapshot
) -> run_snapshots.RunSnapshot:
    """Return how a run ended; the answer to a call does not tell what the run had planned."""
    return dataclasses.replace(
        before, state=answer.state, finished=answer.finished, note=answer.note, hold=None
    )


async def find_possible(
    account: spacelift_clients.SpaceliftAccount,
    argument: messages.StopStackRunInput,
    *,
    seconds: float,
) -> str | None:
    """Return the run that a trigger of which nobody knows the outcome has created."""
    async for _ in repeat(seconds):
        run = await triggered_runs.find(account, triggered_runs.SoughtRun.of(argument))
        if run is not None:
            return run.run_id
    return None


async def find_natives(
    account: spacelift_clients.SpaceliftAccount,
    stack_id: str,
    origin_run_ids: list[str],
    queuers: list[str],
    *,
    seconds: float,
) -> list[adoption.Candidate]:
    """Return what the origins made Spacelift queue; what is late is waited for."""
    found: list[adoption.Candidate] = []
    async for _ in repeat(seconds):
        records = await account.client.list_runs_after(stack_id, min(origin_run_ids))
        found = adoption.native_runs(
            [_candidate(run) for run in records], origin_run_ids=origin_run_ids, queuers=queuers
        )
        if len(found) == len(origin_run_ids):
            break
    return found


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Natives:
    """The runs on one stack that are to be stopped, or what kept them from being found."""

    target: unwanted_runs.UnwantedRuns
    run_ids: list[str] = dataclasses.field(default_factory=list)
    problem: Exception | None = None


class NativeStops:
    """Stops what Spacelift queued on stacks that must not run it."""

    def __init__(
        self,
        account: spacelift_clients.SpaceliftAccount,
        *,
        note: str,
        settle: float,
        effect: float,
    ) -> None:
        self._account = account
        self._note = note
        self._settle = settle
        self._effect = effect
        self._slots = asyncio.Semaphore(_STOPS_AT_ONCE)

    async def run(self, targets: list[unwanted_runs.UnwantedRuns]) -> list[messages.NativeRunEnd]:
        """Stop all, the deepest first, and return what was found.

        A run that ends lets Spacelift start those that wait for it, so these must be gone before.

        Raises:
            SpaceliftError: one could not be stopped now; the others were tried.
        """
        # One that fails must not keep the others from being stopped.
        found = await asyncio.gather(*map(self._find, targets), return_exceptions=True)
        results: list[list[messages.NativeRunEnd] | BaseException] = [
            item for item in found if isinstance(item, BaseException)
        ]
        natives = [item for item in found if not isinstance(item, BaseException)]
        for depth in sorted({item.target.depth for item in natives}, reverse=True):
            level = [self._stop(item) for item in natives if item.target.depth == depth]
            results += await asyncio.gather(*level, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return [end for result in results if isinstance(result, list) for end in result]

    async def _find(self, target: unwanted_runs.UnwantedRuns) -> _Natives:
        async with self._slots:
            try:
                runs_found = await find_natives(
                    self._account,
                    target.stack_id,
                    target.origin_run_ids,
                    target.queuers,
                    seconds=self._settle,
                )
            except errors.FINAL_STOP as error:
                return _Natives(target=target, problem=error)
        # Of those that are over, one that was carried out must be told of.
        of_note = [
            native.run_id
            for native in runs_found
            if native.run_id != target.keep_run_id and (native.has_finished or not native.is_over)
        ]
        return _Natives(target=target, run_ids=of_note)

    async def _stop(self, natives: _Natives) -> list[messages.NativeRunEnd]:
        stack_id, ends = natives.target.stack_id, list[messages.NativeRunEnd]()
        if natives.problem is not None:
            return [_problem(stack_id, natives.problem)]
        async with self._slots:
            try:
                for run_id in natives.run_ids:
                    key = models.RunKey(stack_id=stack_id, run_id=run_id)
                    stopped = await stop_run(
                        self._account, key, note=self._note, seconds=self._effect
                    )
                    ends.append(_native_end(stack_id, stopped))
            except errors.FINAL_STOP as error:
                # Trying again cannot help this stack; the others are not its business.
                ends.append(_problem(stack_id, error))
        return ends


def _candidate(run: models.RunRecord) -> adoption.Candidate:
    return adoption.Candidate(
        run_id=run.run_id,
        triggered_by=run.triggered_by,
        is_over=run.is_terminal,
        has_finished=run.state == RunState.FINISHED,
    )


def _native_end(stack_id: str, end: run_snapshots.RunSnapshot) -> messages.NativeRunEnd:
    return messages.NativeRunEnd(
        stack_id=stack_id,
        run_id=end.run_id,
        state=end.state,
        run_url=end.run_url,
        is_left=not end.is_over,
    )


def _problem(stack_id: str, error: Exception) -> messages.NativeRunEnd:
    return messages.NativeRunEnd(
        stack_id=stack_id, run_id="", state="", run_url="", is_left=False, problem=str(error)
    )

"""How runs are stopped: by the call that fits the state, read again until it took effect."""

import asyncio
import dataclasses
import logging
from collections.abc import AsyncIterator, Mapping, Sequence

from controller import clock
from controller.chain.graph import adoption
from controller.chain.run import run_snapshots
from controller.chain.run.run_states import RunState, StopCall
from controller.spacelift import errors as spacelift_errors
from controller.spacelift import models
from controller.temporal import messages
from controller.temporal.activities import (
    native_run_finding,
    spacelift_clients,
    triggered_runs,
)

logger = logging.getLogger(__name__)

# How often a run is read again while an activity waits for the effect of its call.
_EFFECT_SECONDS = 1.0


async def repeat(limit_seconds: float) -> AsyncIterator[None]:
    """Yield at once, then again every second at most, until the limit has passed, and once then."""
    until = clock.monotonic() + limit_seconds
    pause = min(_EFFECT_SECONDS, max(limit_seconds / 5, 0.05))
    while True:
        yield
        if clock.monotonic() >= until:
            return
        await asyncio.sleep(pause)


async def read(
    account: spacelift_clients.SpaceliftAccount, key: models.RunKey
) -> run_snapshots.RunSnapshot:
    """Return the state of a run.

    Raises:
        SpaceliftObjectNotFound: it is gone.
    """
    record = await account.client.get_run(key)
    if record is None:
        raise gone(key)
    return account.snapshot(record)


def gone(key: models.RunKey) -> spacelift_errors.SpaceliftObjectNotFound:
    """Return the error of a run that is no longer there."""
    return spacelift_errors.SpaceliftObjectNotFound(
        f"run '{key.run_id}' of stack '{key.stack_id}' is gone"
    )


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
    """Return how a run ended; the answer to a call does not say what the run had planned."""
    return dataclasses.replace(
        before, state=answer.state, finished=answer.finished, note=answer.note, hold=None
    )


async def find_possible(
    account: spacelift_clients.SpaceliftAccount,
    argument: messages.FindTriggeredRunInput,
    *,
    seconds: float,
) -> models.RunRecord | None:
    """Return the run that a trigger with an unknown outcome has created."""
    async for _ in repeat(seconds):
        run = await triggered_runs.find(account, triggered_runs.SoughtRun.of(argument))
        if run is not None:
            return run
    return None


async def find_in_order(
    account: spacelift_clients.SpaceliftAccount,
    ahead_runs: Sequence[adoption.AheadRun],
    upstream_runs: Sequence[adoption.UpstreamRun],
) -> str | None:
    """Return the newest of the runs that Spacelift carried out after all upstream runs had ended.

    It is the stack's run, as it would have been had the chain triggered it then.
    """
    keys = [models.RunKey(stack_id=run.stack_id, run_id=run.run_id) for run in ahead_runs]
    if not keys:
        return None
    keys += [models.RunKey(stack_id=run.stack_id, run_id=run.run_id) for run in upstream_runs]
    read = await account.client.get_run_times(keys)
    times = {key.run_id: found for key, found in read.items() if found is not None}
    return max(
        (run.run_id for run in ahead_runs if adoption.in_order(run, upstream_runs, times)),
        default=None,
    )


async def find_native(
    account: spacelift_clients.SpaceliftAccount,
    stack_id: str,
    origin_run_id: str,
    queuers: list[str],
    *,
    seconds: float,
) -> str | None:
    """Return the run that an origin made Spacelift queue; what is late is waited for."""
    spacelift = account.client

    async def find(
        runs: Sequence[models.RunRecord], newest: Mapping[str, Sequence[models.RunRecord]]
    ) -> adoption.FoundNativeRuns:
        return await native_run_finding.NativeRunFinder(spacelift, newest).find(
            stack_id,
            runs,
            origin_run_ids=[origin_run_id],
            own_run_ids=[origin_run_id],
            queuers=queuers,
        )

    async for _ in repeat(seconds):
        newest = await native_run_finding.newest_runs(spacelift, [stack_id, *queuers])
        runs = newest[stack_id]
        matched = await find(runs, newest)
        if native_run_finding.may_be_cut_off(
            runs, origin_run_id, is_all_found=origin_run_id in matched.found
        ):
            runs = await spacelift.list_runs_after(stack_id, origin_run_id)
            matched = await find(runs, await native_run_finding.newest_runs(spacelift, queuers))
        if origin_run_id in matched.found:
            return matched.found[origin_run_id].run_id
    return None

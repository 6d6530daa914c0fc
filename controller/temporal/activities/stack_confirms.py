"""How the chain confirms a run: by what its state is now, so that a lost answer does no harm."""

import logging
from collections.abc import Callable, Sequence

from controller.api import v1alpha1
from controller.chain.run import confirmation_limits, run_snapshots, windows
from controller.spacelift import errors as spacelift_errors
from controller.spacelift import models
from controller.temporal import messages
from controller.temporal.activities import spacelift_clients, stack_stops

logger = logging.getLogger(__name__)


async def confirm_run(
    account: spacelift_clients.SpaceliftAccount,
    key: models.RunKey,
    *,
    limits: v1alpha1.ConfirmationLimits | None,
    closed_window: Callable[[], windows.WindowState | None],
    note: str,
    seconds: float,
) -> messages.ConfirmStackRunResult:
    """Confirm the run unless it waits for something else by now, or its plan exceeds the limits.

    Nor is it confirmed while its window is closed, which `closed_window` checks right before.

    Raises:
        SpaceliftRefused: the run still waits for confirmation, and Spacelift refuses ours.
        SpaceliftError: any other failure.
    """
    # This try judges what it read just before it confirms: another plan may have replaced one that
    # was read earlier.
    current, kinds = await _read(account, key, is_limited=limits is not None)
    if not current.needs_confirmation:
        return messages.ConfirmStackRunResult(run=current)
    excess = confirmation_limits.excess(limits, current.delta, kinds) if limits is not None else ""
    if excess:
        return messages.ConfirmStackRunResult(run=current, excess=excess)
    if (closed := closed_window()) is not None:
        return messages.ConfirmStackRunResult(run=current, closed_window=closed)
    confirmed = await _confirm(account, key, note=note, seconds=seconds)
    return messages.ConfirmStackRunResult(run=confirmed)


async def _read(
    account: spacelift_clients.SpaceliftAccount, key: models.RunKey, *, is_limited: bool
) -> tuple[run_snapshots.RunSnapshot, Sequence[str]]:
    """Return how the run stands and, if that matters, the kinds of its changes, read together."""
    if not is_limited:
        return await stack_stops.read(account, key), ()
    try:
        planned = await account.client.get_planned_run(key)
    except spacelift_errors.SpaceliftRefused as error:
        # If no list says what may be replaced, the delta alone is judged as strictly.
        logger.warning("The planned changes cannot be read", extra={"error": str(error)})
        return await stack_stops.read(account, key), ()
    if planned is None:
        raise stack_stops.gone(key)
    return account.snapshot(planned.run), planned.kinds


async def _confirm(
    account: spacelift_clients.SpaceliftAccount, key: models.RunKey, *, note: str, seconds: float
) -> run_snapshots.RunSnapshot:
    try:
        confirmed = account.snapshot(await account.client.confirm_run(key, note=note))
    except spacelift_errors.SpaceliftRefused:
        current = await stack_stops.read(account, key)
        if current.needs_confirmation:
            raise
        # Someone else was faster.
        return current
    if not confirmed.needs_confirmation:
        return confirmed
    # The answer may be from before the change; what is read later is not.
    async for _ in stack_stops.repeat(seconds):
        confirmed = await stack_stops.read(account, key)
        if not confirmed.needs_confirmation:
            break
    return confirmed

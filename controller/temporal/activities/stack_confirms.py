"""How the chain confirms a run: by what its state is now, so that a lost answer does no harm."""

from controller.chain.run import run_snapshots
from controller.spacelift import errors as spacelift_errors
from controller.spacelift import models
from controller.temporal.activities import spacelift_clients, stack_stops


async def confirm_run(
    account: spacelift_clients.SpaceliftAccount, key: models.RunKey, *, note: str, seconds: float
) -> run_snapshots.RunSnapshot:
    """Confirm the run unless it waits for something else by now, and return how it stands then.

    Raises:
        SpaceliftRefused: the run still waits for confirmation, and Spacelift refuses ours.
        SpaceliftError: any other failure.
    """
    current = await stack_stops.read(account, key)
    if not current.needs_confirmation:
        return current
    try:
        confirmed = account.snapshot(await account.client.confirm_run(key, note=note))
    except spacelift_errors.SpaceliftRefused:
        current = await stack_stops.read(account, key)
        if current.needs_confirmation:
            raise
        # Somebody else was faster.
        return current
    if not confirmed.needs_confirmation:
        return confirmed
    # The answer may be from before the change; what is read later is not.
    async for _ in stack_stops.repeat(seconds):
        confirmed = await stack_stops.read(account, key)
        if not confirmed.needs_confirmation:
            break
    return confirmed

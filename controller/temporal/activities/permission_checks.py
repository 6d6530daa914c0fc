"""Refuses what this worker's own connection does not allow, whoever put it on the queue.

The operator has judged by the same rules (`config.permissions`) before it started anything. Runs
that exist are followed and stopped all the same: a right that was withdrawn interrupts nothing.
"""

import temporalio.exceptions

from controller.config import permissions
from controller.temporal.activities import spacelift_clients


def check_use(account: spacelift_clients.SpaceliftAccount, use: permissions.ConnectionUse) -> None:
    """Check what is to be done.

    Raises:
        ApplicationError: it is not allowed; it may be later, or by a worker with newer connections.
    """
    refusal = account.connection.refusal_of(use)
    if refusal is not None:
        raise _refused(refusal)


async def check_stack(account: spacelift_clients.SpaceliftAccount, stack_id: str) -> None:
    """Check which stack it is to be done to.

    Raises:
        ApplicationError: the stack may not be run.
        SpaceliftError: its labels cannot be read.
    """
    allowed = account.connection.allowed
    labels: tuple[str, ...] = ()
    if not allowed.may_run(stack_id, labels) and allowed.stack_labels:
        found = (await account.client.get_stacks([stack_id]))[stack_id]
        labels = found.labels if found is not None else ()
    if not allowed.may_run(stack_id, labels):
        raise _refused(permissions.stack_refusal(account.connection.name, [stack_id]))


def _refused(refusal: permissions.Refusal) -> temporalio.exceptions.ApplicationError:
    return temporalio.exceptions.ApplicationError(
        f"Refused by the worker's own connection: {refusal.message}", type=refusal.reason
    )

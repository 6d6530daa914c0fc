"""Refuses what no operator has granted, or what this worker's own connection does not allow.

The operator has checked the same rules (`config.permissions`) before it started anything. Existing
runs are followed and stopped whatever the connection says: a withdrawn right interrupts nothing.
"""

from collections.abc import Iterable

import temporalio.exceptions

from controller.api import v1alpha1
from controller.config import permissions
from controller.temporal import messages, signing, start_messages
from controller.temporal.activities import spacelift_clients


def check_scope(
    clients: spacelift_clients.SpaceliftClients, argument: messages.FetchDependentStacksInput
) -> None:
    """Check whether a chain has the input that was signed, and reads what that is about.

    Raises:
        ApplicationError: it has another one.
    """
    grant, keys = argument.connection.grant, clients.signing_keys
    with spacelift_clients.signature_failures():
        keys.check_covers(grant, grant.scope_digest, actual=argument.scope)
        keys.check_covers(grant, signing.digest(grant.input_digest), actual=argument.input_digest)


def check_roots(
    clients: spacelift_clients.SpaceliftClients, argument: start_messages.FindRootRunsInput
) -> None:
    """Check whether a sweep reads the roots that were signed; raises as `check_scope` does."""
    grant = argument.connection.grant
    with spacelift_clients.signature_failures():
        clients.signing_keys.check_covers(grant, grant.scope_digest, actual=argument.roots)


def check_trigger(
    clients: spacelift_clients.SpaceliftClients, argument: messages.TriggerStackRunInput
) -> None:
    """Check whether what is to be sent was signed; raises as `check_scope` does."""
    grant = argument.target.connection.grant
    granted = (grant.use.operation, grant.commit_sha, grant.environment_digest)
    # The commit is the root's alone.
    commit_sha = argument.commit_sha or grant.commit_sha
    sent = (argument.operation, commit_sha, signing.digest(argument.environment))
    with spacelift_clients.signature_failures():
        clients.signing_keys.check_permit(argument.target)
        clients.signing_keys.check_covers(grant, signing.digest(granted), actual=sent)


def check_confirmation(
    clients: spacelift_clients.SpaceliftClients, argument: messages.ConfirmStackRunInput
) -> None:
    """Check whether confirming was signed; raises as `check_scope` does."""
    grant = argument.target.connection.grant
    policy = grant.use.confirmation_policy
    with spacelift_clients.signature_failures():
        clients.signing_keys.check_permit(argument.target)
        clients.signing_keys.check_covers(
            grant, signing.digest(policy), actual=v1alpha1.ConfirmationPolicy.AUTO
        )


def check_stops(
    clients: spacelift_clients.SpaceliftClients, stacks: Iterable[messages.StackRef]
) -> None:
    """Check whether runs of stacks may be stopped for what was signed.

    Raises:
        ApplicationError: as `check_scope` does.
    """
    with spacelift_clients.signature_failures():
        for stack in stacks:
            clients.signing_keys.check_stop_permit(stack)


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

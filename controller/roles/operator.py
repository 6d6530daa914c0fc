"""The role of `stackchain operator`: all of it for the holder of the Lease, nothing else."""

import asyncio
import contextlib
import logging

from controller.config import settings
from controller.kube import client as kube_client
from controller.kube import definition_check, installation_id, lease, stackchains
from controller.kube import errors as kube_errors
from controller.roles import operator_parts, process

logger = logging.getLogger(__name__)


async def operate(role: process.Process, outside: operator_parts.Outside | None = None) -> int:
    """The role of `stackchain operator`: all of it for the holder of the Lease, nothing else."""
    outside = outside or operator_parts.Outside()
    client = outside.new_kube_client(role.settings.kubernetes)
    installation = role.settings.installation
    leader = lease.LeaderLease(
        client,
        namespace=installation.namespace,
        identity=installation.pod_name,
        new_client=lambda: outside.new_kube_client(role.settings.kubernetes),
        new_thread=outside.new_lease_thread,
        duration_seconds=role.settings.operator.lease_duration_seconds,
    )
    # A standby as well: one that never reaches Temporal must not replace an operator that does.
    role.server.add_ready_check("temporal", role.link.check)
    role.server.add_ready_check("lease", leader.check)
    try:
        await client.load_credentials()
    except kube_errors.Denied as error:
        raise settings.SettingsError(f"KUBECONFIG: {error}") from error
    linking = asyncio.create_task(role.link.run())
    if not await process.done_before(_acquire(role, leader), role.stop.wait()):
        return 0
    role.counters.lease_held.set(1)
    # What needs no Lease comes after it: a standby waits for that, and Temporal may be away.
    async with contextlib.AsyncExitStack() as afterwards:
        try:
            code = await _lead(role, outside, client, leader, afterwards)
        finally:
            role.counters.lease_held.set(0)
            linking.cancel()
            await leader.release()
            await client.close()
    logger.info("Operator stopped")
    return code


async def _acquire(role: process.Process, leader: lease.LeaderLease) -> None:
    await leader.acquire()

    async def does_not_watch() -> str | None:
        return "The StackChains have not been listed yet."

    # With the Lease a standby's checks are not enough. The parts, which come later, replace this.
    role.server.add_ready_check("watch", does_not_watch)


async def _lead(
    role: process.Process,
    outside: operator_parts.Outside,
    client: kube_client.KubeClient,
    leader: lease.LeaderLease,
    afterwards: contextlib.AsyncExitStack,
) -> int:
    served = definition_check.Definition(client)
    role.server.add_ready_check("definition", served.check)
    if not await process.done_before(served.wait(), role.stop.wait(), leader.lost.wait()):
        return 0 if role.stop.is_set() else 1
    stack_chains = stackchains.StackChains(
        client,
        namespaces=role.settings.installation.watch_namespaces,
        reporting_instance=role.settings.installation.pod_name,
    )
    installation = installation_id.InstallationId(role.settings.installation, stack_chains)
    role.server.add_ready_check("installation", installation.check)
    finding = asyncio.create_task(installation.find())
    if not await process.done_before(finding, role.stop.wait(), leader.lost.wait()):
        return 0 if role.stop.is_set() else 1
    parts = operator_parts.OperatorParts(role, outside, stack_chains, finding.result())
    afterwards.push_async_callback(parts.aclose)
    async with parts.running() as ends:
        await process.wait_for_first(role.stop.wait(), leader.lost.wait(), *ends)
        if leader.lost.is_set():
            # Another operator may act already: do nothing more, not even in an orderly way.
            logger.error("Lease lost, leaving")
            outside.leave(1)
    return 0 if role.stop.is_set() else 1

"""The role of `stackchain worker`: runs chains, and the Spacelift activities that they call."""

import asyncio
import logging

import temporalio.worker

from controller.roles import process
from controller.spacelift import account_session
from controller.temporal import worker
from controller.temporal.activities import spacelift_clients

logger = logging.getLogger(__name__)


async def work(
    role: process.Process,
    *,
    new_worker: worker.NewWorker = temporalio.worker.Worker,
    new_session: spacelift_clients.NewSession = account_session.AccountSession,
) -> int:
    """The role of `stackchain worker`; a simulation makes other workers and sessions."""
    spacelift_worker: worker.SpaceliftWorker | None = None

    async def polls() -> str | None:
        is_polling = spacelift_worker is not None and spacelift_worker.is_running
        return None if is_polling else "The task queues are not polled."

    role.server.add_ready_check("temporal", role.link.check)
    role.server.add_ready_check("worker", polls)
    linking = asyncio.create_task(role.link.run())
    connecting = asyncio.create_task(role.link.connected())
    # What ends the wait is canceled after it, and the link stays.
    ends = (role.stop.wait(), asyncio.shield(linking))
    if not await process.done_before(connecting, *ends):
        return 0 if role.stop.is_set() else 1
    spacelift_worker = worker.SpaceliftWorker(
        connecting.result(),
        all_settings=role.settings,
        catalog=role.catalog,
        sink_catalog=role.sink_catalog,
        counters=role.counters,
        new_worker=new_worker,
        new_session=new_session,
    )
    if role.settings.temporal.signing_keys is None:
        logger.warning(
            "Work is not signed: workers obey anyone who can write to the Temporal namespace"
        )
    for problem in role.sink_catalog.target_problems():
        # No reason not to start: chains need no sink.
        logger.error("Sink cannot be notified", extra={"why": problem})
    role.link.on_new_client.append(spacelift_worker.use_client)
    renewing = asyncio.create_task(role.link.keep_credentials())
    await spacelift_worker.run(role.stop)
    renewing.cancel()
    linking.cancel()
    logger.info("Worker stopped")
    return 0 if role.stop.is_set() else 1

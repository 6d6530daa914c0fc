"""The role of `stackchain webhook`: takes deliveries, whether Temporal is there or not."""

import asyncio
import logging
from collections.abc import Callable

from controller import clock
from controller.roles import process
from controller.temporal.receiver import execution_wakes, sweep_wakes
from controller.webhook import dispatch, wake_queue
from controller.webhook.receiver import Receiver
from controller.webhook.server import WebhookServer

logger = logging.getLogger(__name__)

# What is queued takes milliseconds each; while Temporal is down it takes forever.
_WAKES_STOP_SECONDS = 2.0


NewServer = Callable[[str, Receiver], WebhookServer]
"""Makes what listens at an address for a receiver."""


async def receive(role: process.Process, *, new_server: NewServer = WebhookServer) -> int:
    """The role of `stackchain webhook`: it takes deliveries whether Temporal is there or not."""
    webhook, counters = role.settings.webhook, role.counters
    queue = wake_queue.WakeQueue(webhook.queue_size, clock=clock.monotonic)
    dispatcher = dispatch.WakeDispatcher(
        queue,
        executions=execution_wakes.TemporalExecutionWaker(role.link.get),
        root_sweeps=sweep_wakes.TemporalSweepWaker(role.link.get),
        counters=counters,
    )
    counters.webhook_queue_depth.set_function(lambda: dispatcher.queued)
    receiver = Receiver(
        catalog=role.catalog,
        queue=queue,
        counters=counters,
        max_body_bytes=webhook.max_body_bytes,
    )
    server = new_server(webhook.address, receiver)
    role.server.add_ready_check("webhook", server.check)
    receiver.open_counters()
    try:
        await server.start()
    except OSError as error:
        logger.error("WEBHOOK_ADDRESS cannot be listened on", extra={"why": str(error)})
        return 2
    dispatcher.start()
    linking = asyncio.create_task(_keep_linked(role.link))
    await process.wait_for_first(role.stop.wait(), linking)
    receiver.is_stopping = True
    if role.stop.is_set():
        # Senders learn late that this process is gone.
        await asyncio.sleep(webhook.drain_seconds)
    await server.stop()
    lost = await dispatcher.stop(drain_seconds=_WAKES_STOP_SECONDS)
    linking.cancel()
    logger.info("Receiver stopped", extra={"lost_wakes": lost})
    return 0 if role.stop.is_set() else 1


async def _keep_linked(link: process.TemporalLink) -> None:
    """Connect, and keep the connection's credentials and metric up to date; never returns."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(link.run())
        tasks.create_task(link.keep_credentials())

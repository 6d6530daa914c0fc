"""Takes deliveries over HTTP: checks each one, queues the wake that it means, and answers at once.

Spacelift disables a webhook after ten failures in a row. What is wrong with a delivery is answered
4xx, what is wrong here never 5xx: a delivery is a wake-up, and polling finds what one missed.
"""

import asyncio
import contextlib
import enum
import logging
import time
from collections.abc import AsyncIterator

from aiohttp import web

from controller.config import connections
from controller.observability import metrics
from controller.spacelift import endpoints
from controller.webhook import payload, refusals, secrets, signature, wake_queue

logger = logging.getLogger(__name__)

BODY_SECONDS = 5.0
"""How long a body may take. Spacelift sends one in a single write."""
SMALL_BODY_BYTES = 64 * 1024
"""Up to this size any number of bodies is read at a time, as the connections buffer it anyway."""
LARGE_BODIES = 16
"""Bodies beyond that size which are read at a time: they bound what a flood takes of the memory."""
FAILED = "failed"
"""The result of a delivery at which this program failed."""


class DeliveryRefused(Exception):
    """A delivery that is answered with an error of its sender."""

    def __init__(self, reason: refusals.RefusalReason, why: str = "") -> None:
        super().__init__(why or reason)
        self.reason = reason
        self.why = why


class Receiver:
    """Answers deliveries; everything that it needs to know about one is in the delivery."""

    def __init__(
        self,
        *,
        catalog: connections.ConnectionCatalog,
        queue: wake_queue.WakeQueue,
        counters: metrics.Metrics,
        max_body_bytes: int,
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        self._catalog = catalog
        self._secrets = secrets.WebhookSecrets(catalog)
        self._queue = queue
        self._counters = counters
        self._max_body_bytes = max_body_bytes
        self._body_seconds = body_seconds
        self._large_slots = asyncio.Semaphore(LARGE_BODIES)
        self._large = 0
        self._log = refusals.RefusalLog(clock=time.monotonic)
        self.is_stopping = False

    @property
    def large_bodies(self) -> int:
        """How many large bodies are being read."""
        return self._large

    def open_counters(self) -> None:
        """Begin all series, so that a rate is known from the first delivery on."""
        self._secrets.log_connections()
        for name in self._catalog.names():
            for result in (
                *wake_queue.QueueResult,
                *payload.OtherNotification,
                *refusals.OF_A_CONNECTION,
            ):
                self._counters.webhook_deliveries.labels(name, result)
            # An alert on its age has to hold back after a start as it does after a delivery.
            self._counters.webhook_last_delivery.labels(name).set_to_current_time()

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one delivery."""
        name = request.match_info["connection"]
        try:
            connection = self._catalog.get(name)
            if connection is None:
                # Not its name: labels have to be bounded, whatever is sent.
                name = ""
                raise DeliveryRefused(refusals.RefusalReason.UNKNOWN_CONNECTION)
            result = self._take(connection, await self._signed_body(request, connection))
        except DeliveryRefused as refused:
            return self.refuse(request, refused.reason, connection=name, why=refused.why)
        self._counters.webhook_deliveries.labels(name, result).inc()
        self._counters.webhook_last_delivery.labels(name).set_to_current_time()
        return self._close_if_stopping(web.Response(status=202))

    def refuse(
        self,
        request: web.BaseRequest,
        reason: refusals.RefusalReason,
        *,
        connection: str,
        why: str = "",
    ) -> web.Response:
        """Count and log a refusal, and return the answer."""
        self._counters.webhook_deliveries.labels(connection, reason).inc()
        self._log.log(reason, connection=connection, remote=request.remote, why=why)
        answer = web.Response(status=reason.status, text=f"{reason.text}\n")
        if reason in refusals.WITH_UNREAD_BODY:
            answer.force_close()
        return self._close_if_stopping(answer)

    def refuse_bytes(self) -> None:
        """Count and log what is no request."""
        self._counters.webhook_deliveries.labels("", refusals.RefusalReason.NOT_HTTP).inc()
        self._log.log(refusals.RefusalReason.NOT_HTTP, connection="", remote=None, why="")

    def give_up(self, error: Exception) -> web.Response:
        """Count and log a mistake of this program, and return the answer."""
        self._counters.webhook_deliveries.labels("", FAILED).inc()
        logger.error("Delivery failed", exc_info=error)
        return self._close_if_stopping(web.Response(status=202))

    def _close_if_stopping(self, answer: web.Response) -> web.Response:
        if self.is_stopping:
            answer.force_close()
        return answer

    async def _signed_body(self, request: web.Request, connection: connections.Connection) -> bytes:
        if not _is_plain_json(request):
            raise DeliveryRefused(refusals.RefusalReason.CONTENT_TYPE)
        if (request.content_length or 0) > self._max_body_bytes:
            raise DeliveryRefused(refusals.RefusalReason.TOO_LARGE)
        body = await self._body(request)
        valid = self._secrets.of(connection)
        given = request.headers.get(signature.HEADER)
        if not signature.is_signed(body, given, valid):
            # The answer is the same for all of them; only the log says which.
            why = "no secret" if not valid else "not signed" if given is None else "wrong signature"
            raise DeliveryRefused(refusals.RefusalReason.SIGNATURE, why)
        return body

    async def _body(self, request: web.Request) -> bytes:
        try:
            async with asyncio.timeout(self._body_seconds):
                return await self._read(request)
        except TimeoutError as error:
            raise DeliveryRefused(refusals.RefusalReason.SLOW) from error
        except (web.RequestPayloadError, ConnectionError, EOFError) as error:
            raise DeliveryRefused(
                refusals.RefusalReason.BROKEN_OFF, type(error).__name__
            ) from error

    async def _read(self, request: web.Request) -> bytes:
        body = bytearray()
        async with contextlib.AsyncExitStack() as slot:
            async for chunk in request.content.iter_any():
                is_first_beyond = len(body) <= SMALL_BODY_BYTES < len(body) + len(chunk)
                body += chunk
                if len(body) > self._max_body_bytes:
                    raise DeliveryRefused(refusals.RefusalReason.TOO_LARGE)
                if is_first_beyond:
                    await slot.enter_async_context(self._large_slot())
            return bytes(body)

    @contextlib.asynccontextmanager
    async def _large_slot(self) -> AsyncIterator[None]:
        async with self._large_slots:
            self._large += 1
            try:
                yield
            finally:
                self._large -= 1

    def _take(self, connection: connections.Connection, body: bytes) -> enum.StrEnum:
        """Queue what a delivery means; returns the result that it is counted by."""
        try:
            event = payload.parse(body)
        except payload.PayloadError as error:
            raise DeliveryRefused(refusals.RefusalReason.MALFORMED, str(error)) from error
        if isinstance(event, payload.OtherNotification):
            return event
        result = self._queue.put(
            wake_queue.Wake(
                account=endpoints.account_of(connection.endpoint),
                stack_id=event.stack_id,
                # Up to 10,000 of them are kept for minutes; the others have no use for labels.
                labels=event.labels if event.is_finished_tracked_run else (),
                is_root_run_finished=event.is_finished_tracked_run,
            )
        )
        fields = {
            "connection": connection.name,
            "stack_id": event.stack_id,
            "run_id": event.run_id,
            "run_state": event.state,
        }
        logger.debug("Delivery taken", extra={**fields, "result": result})
        return result


def _is_plain_json(request: web.Request) -> bool:
    kind = request.content_type
    is_json = kind == "application/json" or kind.endswith("+json")
    return is_json and request.headers.get("Content-Encoding", "identity") == "identity"

"""Takes deliveries over HTTP: checks each one, queues the wake that it means, and answers at once.

Spacelift disables a webhook after ten failures in a row. A wrong delivery is answered with 4xx, but
a problem here never with 5xx: a delivery is a wake-up, and polling finds what one missed.
"""

import enum
import logging

from aiohttp import web

from controller import clock
from controller.config import connections
from controller.observability import metrics
from controller.spacelift import endpoints
from controller.webhook import bodies, payload, refusals, secrets, signature, wake_queue

logger = logging.getLogger(__name__)

FAILED = "failed"
"""The result of a delivery at which this program failed."""


class Receiver:
    """Answers deliveries; everything that it needs to know about one is in the delivery."""

    def __init__(
        self,
        *,
        catalog: connections.ConnectionCatalog,
        queue: wake_queue.WakeQueue,
        counters: metrics.Metrics,
        max_body_bytes: int,
        body_seconds: float = bodies.SECONDS,
    ) -> None:
        self._catalog = catalog
        self._secrets = secrets.WebhookSecrets(catalog)
        self._queue = queue
        self._counters = counters
        self._bodies = bodies.UnsignedBodies(max_body_bytes=max_body_bytes, seconds=body_seconds)
        self._log = refusals.RefusalLog(clock=clock.monotonic)
        self.is_stopping = False

    @property
    def held_bytes(self) -> int:
        """What is held of bodies that are being read."""
        return self._bodies.held_bytes

    def open_counters(self) -> None:
        """Start all series, so that a rate is known from the first delivery on."""
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
                # Not its name: labels have to be limited, whatever is sent.
                name = ""
                raise refusals.DeliveryRefused(refusals.RefusalReason.UNKNOWN_CONNECTION)
            result = self._take(connection, await self._signed_body(request, connection))
        except refusals.DeliveryRefused as refused:
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
        """Count and log what is not a request."""
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
            raise refusals.DeliveryRefused(refusals.RefusalReason.CONTENT_TYPE)
        body = await self._bodies.read(request)
        valid = self._secrets.of(connection)
        given = request.headers.get(signature.HEADER)
        if not signature.is_signed(body, given, valid):
            # The answer is the same for all of them; only the log says which.
            why = "no secret" if not valid else "not signed" if given is None else "wrong signature"
            raise refusals.DeliveryRefused(refusals.RefusalReason.SIGNATURE, why)
        return body

    def _take(self, connection: connections.Connection, body: bytes) -> enum.StrEnum:
        """Queue what a delivery means; returns the result that it is counted by."""
        try:
            event = payload.parse(body)
        except payload.PayloadError as error:
            raise refusals.DeliveryRefused(refusals.RefusalReason.MALFORMED, str(error)) from error
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

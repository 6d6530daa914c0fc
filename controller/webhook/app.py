"""Takes deliveries over HTTP: checks each one, queues the wake that it means, and answers at once.

Spacelift disables a webhook after ten failures in a row. What is wrong with a delivery is answered
4xx, what is wrong here never 5xx: a delivery is a wake-up, and polling finds what one should have
told.
"""

import asyncio
import contextlib
import enum
import logging
import time
from collections.abc import AsyncIterator

from aiohttp import typedefs, web

from controller.config import connections
from controller.observability import logging as log_setup
from controller.observability import metrics
from controller.spacelift import endpoints
from controller.webhook import payload, refusals, secrets, signature, wake_queue

logger = logging.getLogger(__name__)

PATH = "/webhooks/spacelift/{connection}"

BODY_SECONDS = 5.0
"""How long a body may take. Spacelift sends one in a single write."""
IDLE_SECONDS = 30.0
"""How long a connection may be without a request, or with the half of a request's head."""
SMALL_BODY_BYTES = 64 * 1024
"""Up to this size any number of bodies is read at a time, as the connections buffer it anyway."""
LARGE_BODIES = 16
"""Bodies beyond that size which are read at a time: they bound what a flood takes of the memory."""
FAILED = "failed"
"""The result of a delivery at which this program failed."""
# What is left of a refused body is read for this long, so that the sender sees the answer.
_LINGER_SECONDS = 1.0
_STOP_SECONDS = 3.0


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
        self._secrets.tell()
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
        self._log.tell(reason, connection=connection, remote=request.remote, why=why)
        answer = web.Response(status=reason.status, text=f"{reason.text}\n")
        if reason in refusals.WITH_UNREAD_BODY:
            answer.force_close()
        return self._close_if_stopping(answer)

    def refuse_bytes(self) -> None:
        """Count and log what is no request."""
        self._counters.webhook_deliveries.labels("", refusals.RefusalReason.NOT_HTTP).inc()
        self._log.tell(refusals.RefusalReason.NOT_HTTP, connection="", remote=None, why="")

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
            # The answer is the same for all of them; only the log tells.
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
            log_setup.CONNECTION: connection.name,
            log_setup.STACK_ID: event.stack_id,
            log_setup.RUN_ID: event.run_id,
            log_setup.RUN_STATE: event.state,
        }
        logger.debug("Delivery taken", extra={**fields, "result": result})
        return result


class WebhookServer:
    """Listens from `start` to `stop`."""

    def __init__(
        self, address: str, receiver: Receiver, *, idle_seconds: float = IDLE_SECONDS
    ) -> None:
        host, _, port = address.rpartition(":")
        self._host, self._port = host.strip("[]"), int(port)
        self._receiver = receiver
        self._idle_seconds = idle_seconds
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """The port that is listened on, also where the address said 0."""
        return int(self._runner.addresses[0][1]) if self._runner is not None else self._port

    @property
    def connections(self) -> int:
        """How many senders are connected."""
        server = self._runner.server if self._runner is not None else None
        return len(server.connections) if server is not None else 0

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the address cannot be listened on.
        """
        app = web.Application(middlewares=[_never_5xx(self._receiver)])
        app.router.add_post(PATH, self._receiver.answer)
        app.on_response_prepare.append(_without_versions)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=_http_log(self._receiver),
            # The signature is over the bytes as they come, and they do not grow by unpacking.
            auto_decompress=False,
            keepalive_timeout=self._idle_seconds,
            lingering_time=_LINGER_SECONDS,
            shutdown_timeout=_STOP_SECONDS,
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

    async def stop(self) -> None:
        """Stop listening, and answer what has come."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def check(self) -> str | None:
        """Return what is wrong, for readiness; whether Temporal is there makes no difference."""
        if self._runner is None:
            return "Deliveries are not listened for."
        return "The process is about to end." if self._receiver.is_stopping else None


def _is_plain_json(request: web.Request) -> bool:
    kind = request.content_type
    is_json = kind == "application/json" or kind.endswith("+json")
    return is_json and request.headers.get("Content-Encoding", "identity") == "identity"


def _never_5xx(receiver: Receiver) -> typedefs.Middleware:
    """Return a middleware that answers what has no handler, and what a handler failed at."""

    @web.middleware
    async def answer(request: web.Request, handler: typedefs.Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPMethodNotAllowed as error:
            answer = receiver.refuse(request, refusals.RefusalReason.METHOD, connection="")
            answer.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
            return answer
        except web.HTTPException:
            return receiver.refuse(request, refusals.RefusalReason.UNKNOWN_PATH, connection="")
        except Exception as error:
            # The edge of the process. The sender cannot mend it, and polling does the work.
            return receiver.give_up(error)

    return answer


def _http_log(receiver: Receiver) -> logging.Logger:
    """Return where aiohttp tells of bytes that are no request; it quotes them, so none is kept."""
    log = logging.Logger(f"{__name__}.http")  # noqa: LOG001 - nobody else is to find it

    def take(record: logging.LogRecord) -> bool:
        if record.getMessage().startswith("Error handling request"):
            receiver.refuse_bytes()
        elif record.levelno >= logging.ERROR:
            logger.error("HTTP server failed", exc_info=record.exc_info)
        return False

    log.addFilter(take)
    return log


async def _without_versions(_: web.BaseRequest, response: web.StreamResponse) -> None:
    response.headers.popall("Server", None)

"""The HTTP server in front of the receiver: it listens, and answers what no handler answers.

It bounds how long senders may take, and it never answers 5xx: Spacelift disables a webhook after
ten failures in a row, and what this program fails at, polling makes good.
"""

import logging

from aiohttp import typedefs, web

from controller.webhook import refusals
from controller.webhook.receiver import Receiver

logger = logging.getLogger(__name__)

PATH = "/webhooks/spacelift/{connection}"

IDLE_SECONDS = 30.0
"""How long a connection may be without a request, or with the half of a request's head."""
# What is left of a refused body is read for this long, so that the sender sees the answer.
_LINGER_SECONDS = 1.0
_STOP_SECONDS = 3.0


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
    """Return where aiohttp logs bytes that are not a request; it quotes them, so none is kept."""
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

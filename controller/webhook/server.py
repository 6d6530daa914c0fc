"""The HTTP server in front of the receiver: it listens, and answers what no handler answers.

It bounds how long senders may take, and it never answers 5xx: Spacelift disables a webhook after
ten failures in a row, and what this program fails at, polling makes good.
"""

from aiohttp import typedefs, web

from controller import http_server
from controller.config import connection_names
from controller.webhook import refusals
from controller.webhook.receiver import Receiver

CONNECTIONS = 256
"""Senders that are connected at a time. What each can hold makes up most of the memory limit."""


class WebhookServer:
    """Listens from `start` to `stop`."""

    def __init__(
        self, address: str, receiver: Receiver, *, idle_seconds: float = http_server.IDLE_SECONDS
    ) -> None:
        self._receiver = receiver
        app = web.Application(middlewares=[_never_5xx(receiver)])
        app.router.add_post(connection_names.webhook_path("{connection}"), receiver.answer)
        app.on_response_prepare.append(_without_versions)
        self._http = http_server.HttpServer(
            address,
            app,
            on_not_http=receiver.refuse_bytes,
            max_connections=CONNECTIONS,
            idle_seconds=idle_seconds,
            trusts_answered=True,
        )

    @property
    def port(self) -> int:
        """The port that is listened on, even if the address said 0."""
        return self._http.port

    @property
    def connections(self) -> int:
        """How many senders are connected."""
        return self._http.connections

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the address cannot be listened on.
        """
        await self._http.start()

    async def stop(self) -> None:
        """Stop listening, and answer what has come."""
        await self._http.stop()

    async def check(self) -> str | None:
        """Return what is wrong, for readiness; whether Temporal is there makes no difference."""
        if not self._http.is_listening:
            return "The receiver is not listening."
        return "The process is about to stop." if self._receiver.is_stopping else None


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
            # The edge of the process. The sender cannot fix it, and polling does the work.
            return receiver.give_up(error)

    return answer


async def _without_versions(_: web.BaseRequest, response: web.StreamResponse) -> None:
    response.headers.popall("Server", None)

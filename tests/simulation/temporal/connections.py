"""The connection of one process to the stand-in: a service client of the SDK, without its core."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import temporalio.client
import temporalio.service
from google.protobuf.message import Message
from temporalio.service import RPCStatusCode

from tests.simulation.temporal import chance, quick_json
from tests.simulation.temporal.refusals import GONE, NotSimulated, rpc_error

if TYPE_CHECKING:
    from tests.simulation.temporal.server import TemporalServer

_Response = TypeVar("_Response", bound=Message)

# How long the SDK's core tries on while no one answers, and how long it waits in between.
_TRY_SECONDS = 6.0
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0


_TIMED_OUT = (
    lambda: rpc_error(RPCStatusCode.CANCELLED, "Timeout expired"),
    lambda: rpc_error(RPCStatusCode.DEADLINE_EXCEEDED, "context deadline exceeded"),
)


class Connection(temporalio.service.ServiceClient):
    """What a client and its workers talk through; `cut` ends only this one."""

    def __init__(self, server: "TemporalServer", *, identity: str) -> None:
        config = temporalio.service.ConnectConfig(target_host="simulated:7233", identity=identity)
        super().__init__(config)
        self.server = server
        self._is_cut = False

    @property
    def is_up(self) -> bool:
        """Whether the server hears what is sent."""
        return self.server.is_up and not self._is_cut

    def cut(self) -> None:
        """Let nothing through any more."""
        self._is_cut = True

    def restore(self) -> None:
        """Let all through again."""
        self._is_cut = False
        self.server.match()

    @property
    def worker_service_client(self) -> Any:
        """Refuse: the SDK's own workers need its core.

        Raises:
            NotSimulated: use `workers.Worker`.
        """
        raise NotSimulated("the SDK's own workers")

    def update_rpc_metadata(self, metadata: Mapping[str, str | bytes]) -> None:
        """Do nothing: there is no one who reads it."""

    def update_api_key(self, api_key: str | None) -> None:
        """Do nothing: there is no one who reads it."""

    async def _rpc_call(
        self,
        rpc: str,
        req: Message,
        resp_type: type[_Response],
        *,
        service: str,
        retry: bool,
        metadata: Mapping[str, str | bytes],
        timeout: timedelta | None,  # noqa: ASYNC109 - the SDK's name
    ) -> _Response:
        answering = self._answer(rpc, req, retry=retry)
        if timeout is None:
            return await answering  # type: ignore[no-any-return]
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                return await answering  # type: ignore[no-any-return]
        except TimeoutError as error:
            # Whether client or server gives up first is a matter of chance.
            raise _TIMED_OUT[self.server.chance.pick(len(_TIMED_OUT))]() from error

    async def _answer(self, rpc: str, request: Message, *, retry: bool) -> Any:
        loop = self.server.loop
        until, pause = loop.time() + _TRY_SECONDS, _FIRST_PAUSE
        while True:
            answer = await self._try(rpc, request)
            if answer is not GONE:
                return answer
            if not retry or loop.time() + pause > until:
                raise rpc_error(RPCStatusCode.UNAVAILABLE, "tcp connect error")
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _try(self, rpc: str, request: Message) -> Any:
        """Return the answer to one call, or that it, or its answer, has got lost."""
        decide = self.server.chance
        there, back = decide.delay(chance.CALL), decide.delay(chance.ANSWER)
        is_lost = decide.happens(chance.ANSWER_LOST)

        def serve() -> Any:
            return self.server.service.answer(rpc, request) if self.is_up else GONE

        answer = await self.server.loop.exchange(serve, there=there, back=back)
        if isinstance(answer, asyncio.Future):
            self.server.add_waiting(answer)
            answer = await answer
        return GONE if is_lost or not self.is_up else answer


def connect(
    server: "TemporalServer", *, identity: str = "simulated", **options: Any
) -> temporalio.client.Client:
    """Return a client of the SDK whose calls end in the stand-in.

    Args:
        server: the stand-in.
        identity: how the client names itself.
        options: more of `temporalio.client.Client`; its payloads are those of the SDK by default.
    """
    options.setdefault("data_converter", quick_json.DATA_CONVERTER)
    return temporalio.client.Client(
        Connection(server, identity=identity), namespace=server.namespace, **options
    )


def connection_of(client: temporalio.client.Client) -> Connection:
    """Return what a client talks through.

    Raises:
        NotSimulated: it is one of the real server.
    """
    connection = client.service_client
    if not isinstance(connection, Connection):
        raise NotSimulated("workers of a real client")
    return connection

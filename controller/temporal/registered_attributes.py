"""Which search attributes a Temporal namespace has, and adding those that it lacks."""

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Iterable
from datetime import timedelta

import temporalio.client
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice import v1 as operatorservice
from temporalio.service import RPCError

from controller import clock
from controller.temporal import search_attributes

logger = logging.getLogger(__name__)

_TIMEOUT = timedelta(seconds=5)
# Attributes are added once in the life of a namespace.
_KNOWN_SECONDS = 600.0
_UNKNOWN_SECONDS = 60.0


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Registered:
    """What a namespace has of the attributes of this product."""

    missing: tuple[str, ...]
    other_types: tuple[str, ...]
    """Those that are there and are not keywords, so that nothing can be set in them."""

    @property
    def are_complete(self) -> bool:
        """Whether all can be set."""
        return not self.missing and not self.other_types


async def look(client: temporalio.client.Client) -> Registered:
    """Ask which of the attributes the client's namespace has.

    Raises:
        RPCError: Temporal does not say.
    """
    answer = await client.operator_service.list_search_attributes(
        operatorservice.ListSearchAttributesRequest(namespace=client.namespace), timeout=_TIMEOUT
    )
    found = dict(answer.custom_attributes)
    keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
    return Registered(
        missing=tuple(name for name in search_attributes.NAMES if name not in found),
        other_types=tuple(
            name for name in search_attributes.NAMES if found.get(name, keyword) != keyword
        ),
    )


async def add(client: temporalio.client.Client, names: Iterable[str]) -> None:
    """Add attributes to the client's namespace.

    Raises:
        RPCError: Temporal refuses it, or does not answer.
    """
    await client.operator_service.add_search_attributes(
        operatorservice.AddSearchAttributesRequest(
            namespace=client.namespace,
            search_attributes=dict.fromkeys(names, IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD),
        ),
        timeout=_TIMEOUT,
    )


class KnownAttributes:
    """Whether the namespace has the attributes, asked again once in a while."""

    def __init__(self, get_client: Callable[[], temporalio.client.Client]) -> None:
        self._get_client = get_client
        self._are_there = False
        self._until: float | None = None
        # Many runs may start at once: the first asks, and the others wait for the answer.
        self._asking = asyncio.Lock()

    async def are_there(self) -> bool:
        """Whether all attributes can be set; false also where Temporal does not say."""
        async with self._asking:
            if self._until is None or clock.monotonic() >= self._until:
                await self._ask()
        return self._are_there

    def refused(self) -> None:
        """Set none for a while: the server did not take them."""
        self._are_there = False
        self._until = clock.monotonic() + _KNOWN_SECONDS

    async def _ask(self) -> None:
        seconds = _KNOWN_SECONDS
        try:
            self._are_there = (await look(self._get_client())).are_complete
        except RPCError as error:
            # A server may keep it to itself; what needs Temporal's answer says so elsewhere.
            logger.debug("Search attributes are not known", extra={"why": error.status.name})
            seconds = _UNKNOWN_SECONDS
        self._until = clock.monotonic() + seconds

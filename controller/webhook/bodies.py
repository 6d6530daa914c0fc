"""Reads bodies whose signature is not known yet: within a time, and all of them within a budget."""

import asyncio
import dataclasses

from aiohttp import web

from controller.webhook import refusals

SECONDS = 5.0
"""How long a body may take. Spacelift sends one in a single write."""
BUDGET_BYTES = 16 * 1024 * 1024
"""What all bodies together may hold; a run event takes a few kilobytes."""


@dataclasses.dataclass(kw_only=True, slots=True, eq=False)
class _Reading:
    timeout: asyncio.Timeout
    body: bytearray = dataclasses.field(default_factory=bytearray)
    is_crowded_out: bool = False

    def crowd_out(self) -> None:
        self.is_crowded_out = True
        self.body = bytearray()
        if not self.timeout.expired():
            self.timeout.reschedule(asyncio.get_running_loop().time())

    def check(self) -> None:
        if self.is_crowded_out:
            raise refusals.DeliveryRefused(refusals.RefusalReason.CROWDED_OUT)


class UnsignedBodies:
    """Holds at most its budget: a body that does not fit ends the one that has taken longest.

    A sender who floods the receiver with slow bodies makes room for one who sends a body in a
    single write.
    """

    def __init__(
        self, *, max_body_bytes: int, seconds: float = SECONDS, budget_bytes: int = BUDGET_BYTES
    ) -> None:
        self._max_body_bytes = max_body_bytes
        self._seconds = seconds
        # One of the largest always fits.
        self._budget_bytes = max(budget_bytes, max_body_bytes)
        # Oldest first.
        self._readings: dict[_Reading, None] = {}
        self._held = 0

    @property
    def held_bytes(self) -> int:
        """What is held of all bodies."""
        return self._held

    async def read(self, request: web.Request) -> bytes:
        """Return the body of a request.

        Raises:
            DeliveryRefused: it is too large or too slow, does not come whole, or made room.
        """
        if (request.content_length or 0) > self._max_body_bytes:
            raise refusals.DeliveryRefused(refusals.RefusalReason.TOO_LARGE)
        reading = _Reading(timeout=asyncio.timeout(self._seconds))
        self._readings[reading] = None
        try:
            async with reading.timeout:
                await self._fill(reading, request)
        except TimeoutError as error:
            reading.check()
            raise refusals.DeliveryRefused(refusals.RefusalReason.SLOW) from error
        except (web.RequestPayloadError, ConnectionError, EOFError) as error:
            raise refusals.DeliveryRefused(
                refusals.RefusalReason.BROKEN_OFF, type(error).__name__
            ) from error
        except RuntimeError as error:
            # What aiohttp raises if the connection was closed before anything was read from it.
            if request.transport is not None:
                raise
            raise refusals.DeliveryRefused(
                refusals.RefusalReason.BROKEN_OFF, "closed before it was read"
            ) from error
        finally:
            self._forget(reading)
        return bytes(reading.body)

    async def _fill(self, reading: _Reading, request: web.Request) -> None:
        async for chunk in request.content.iter_any():
            # It may have made room while the chunk was on its way.
            reading.check()
            if len(reading.body) + len(chunk) > self._max_body_bytes:
                raise refusals.DeliveryRefused(refusals.RefusalReason.TOO_LARGE)
            reading.body += chunk
            self._held += len(chunk)
            self._make_room()
        reading.check()

    def _make_room(self) -> None:
        while self._held > self._budget_bytes:
            oldest = next(iter(self._readings))
            self._forget(oldest)
            oldest.crowd_out()

    def _forget(self, reading: _Reading) -> None:
        if reading in self._readings:
            del self._readings[reading]
            self._held -= len(reading.body)

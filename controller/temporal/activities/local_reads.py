"""Reads within a workflow task: they give up early, and the ordinary activity goes on (ADR 0048).

Temporal takes a task of ten seconds for lost, and no other news reaches the workflow meanwhile.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import temporalio.activity as activity
import temporalio.exceptions

from controller import clock
from controller.spacelift import errors as spacelift_errors

_LONGEST_SECONDS = 1.5
# After one that failed, none is tried for so long: each would take a slot of workflow tasks, and a
# request that Spacelift may have asked us not to send.
_PAUSE_SECONDS = 30.0


def given_up(why: str) -> temporalio.exceptions.ApplicationError:
    """Return what leaves a read to the ordinary activity; nobody is told of it."""
    return temporalio.exceptions.ApplicationError(
        why,
        type="GivenUpLocally",
        non_retryable=True,
        category=temporalio.exceptions.ApplicationErrorCategory.BENIGN,
    )


class LocalReads:
    """Those of one account, in one worker."""

    def __init__(self, *, monotonic: Callable[[], float] = clock.monotonic) -> None:
        self._monotonic = monotonic
        self._again_at = 0.0

    @contextlib.asynccontextmanager
    async def limited(self) -> AsyncIterator[None]:
        """Limit a read where it is done within a workflow task, and there alone.

        Raises:
            ApplicationError: it was too slow, or Spacelift has failed, now or just before.
        """
        if not activity.info().is_local:
            yield
            return
        if self._monotonic() < self._again_at:
            raise given_up("Spacelift has failed just now.")
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                yield
        except (TimeoutError, spacelift_errors.SpaceliftError) as error:
            self._again_at = self._monotonic() + _PAUSE_SECONDS
            raise given_up(f"Spacelift does not answer at once: {error}") from error

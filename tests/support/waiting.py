"""Waiting for a condition, never for a time."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

import httpx
import temporalio.service

T = TypeVar("T")

_POLL_SECONDS = 0.05
_Code = temporalio.service.RPCStatusCode
# A server that starts or is late, and not one that refuses.
_LATE = frozenset({_Code.DEADLINE_EXCEEDED, _Code.UNAVAILABLE, _Code.CANCELLED})
# After a long wait, looking often is no use: each look costs the test and the API server time.
_RARE_POLL_SECONDS = 0.1


@overload
async def eventually(
    condition: Callable[[], Awaitable[T]],
    timeout: float = ...,  # noqa: ASYNC109
    *,
    what: str = ...,
) -> T: ...
@overload
async def eventually(
    condition: Callable[[], T],
    timeout: float = ...,  # noqa: ASYNC109
    *,
    what: str = ...,
) -> T: ...
async def eventually(
    condition: Callable[[], T | Awaitable[T]],
    timeout: float = 120,  # noqa: ASYNC109 - the failure text is the point of it
    *,
    what: str = "",
) -> T:
    """Call a condition until it returns something true, and return that.

    An AssertionError of the condition counts as "not yet", so a condition may hold several asserts.
    So does an answer that does not come: the other side may be starting, or slow on a busy machine.

    Args:
        condition: A function, plain or async, without arguments.
        timeout: Seconds until the test fails; more than the busiest machine takes.
        what: What the test waits for, in words; the name of the condition by default.
    """
    started = time.monotonic()
    while True:
        last: object
        try:
            result = condition()
            value = await result if inspect.isawaitable(result) else result
            if value:
                return value
            last = value
        except AssertionError as error:
            last = error
        except httpx.TransportError as error:
            last = AssertionError(f"{type(error).__name__}: {error}")
        except temporalio.service.RPCError as error:
            if error.status not in _LATE:
                raise
            last = AssertionError(f"{error.status.name}: {error}")
        waited = time.monotonic() - started
        if waited > timeout:
            name = what or getattr(condition, "__qualname__", repr(condition))
            text = f"{last}" if isinstance(last, AssertionError) else f"last value: {last!r}"
            raise AssertionError(f"after {timeout:g} s still not: {name}\n{text}")
        await asyncio.sleep(_POLL_SECONDS if waited < 1 else _RARE_POLL_SECONDS)


@overload
async def stays(condition: Callable[[], Awaitable[T]], seconds: float, *, what: str = ...) -> T: ...
@overload
async def stays(condition: Callable[[], T], seconds: float, *, what: str = ...) -> T: ...
async def stays(condition: Callable[[], T | Awaitable[T]], seconds: float, *, what: str = "") -> T:
    """Assert that a condition holds the whole time: for "nothing happens", which has no event."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        value = await result if inspect.isawaitable(result) else result
        name = what or getattr(condition, "__qualname__", repr(condition))
        assert value, f"held no longer: {name}, value: {value!r}"
        if time.monotonic() > deadline:
            return value
        await asyncio.sleep(_POLL_SECONDS)

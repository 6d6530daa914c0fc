"""A real part that all workers of a test run use: the first that needs it starts it.

pytest-xdist's workers are processes, and each has its own session fixtures. A control plane and a
Temporal server for each of them would take a gigabyte, and the processor time that the tests need.
"""

import asyncio
import contextlib
import fcntl
import pickle
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import IO, Protocol, TypeVar

import pytest

_POLL_SECONDS = 0.1


class Part(Protocol):
    """What can be ended."""

    async def stop(self) -> None: ...


T = TypeVar("T", bound=Part)


def folder(tmp_path_factory: pytest.TempPathFactory, name: str) -> Path:
    """Return a folder of this test run, which is the same for all workers."""
    base = tmp_path_factory.getbasetemp()
    # A worker's own folder is in that of the run.
    found = (base.parent if base.name.startswith("popen-") else base) / name
    found.mkdir(exist_ok=True)
    return found


async def shared(
    config: pytest.Config,
    there: Path,
    make: Callable[[], T],
    start: Callable[[T], Awaitable[None]],
) -> T:
    """Return a part that one of the workers starts, and that ends when no worker uses it any more.

    It ends after the session: the wait for the other workers must not count for a test's time-out.
    A worker that dies releases its locks, and what it started dies with it.

    Args:
        config: That of the worker.
        there: The folder of the part.
        make: Makes the part without starting it. The other workers get a pickled copy, so the part
            has to know by then where it will be.
        start: Starts the part.
    """
    users = (there / "users").open("w")
    config.add_cleanup(users.close)
    async with _locked(there / "lock"):
        known = there / "part"
        if known.exists():
            part: T = pickle.loads(known.read_bytes())  # noqa: S301 - the file is ours
        else:
            part = make()
            copy = pickle.dumps(part)
            await start(part)
            known.write_bytes(copy)
            config.add_cleanup(lambda: asyncio.run(_end(part, there, users)))
        fcntl.flock(users, fcntl.LOCK_SH)
    return part


async def _end(part: Part, there: Path, users: IO[str]) -> None:
    while True:
        async with _locked(there / "lock"):
            if _try_lock(users):
                # A worker that asks later starts the part anew.
                (there / "part").unlink()
                await part.stop()
                return
        await asyncio.sleep(_POLL_SECONDS)


@contextlib.asynccontextmanager
async def _locked(path: Path) -> AsyncIterator[None]:
    with path.open("w") as file:
        while not _try_lock(file):  # noqa: ASYNC110 - no event announces it
            await asyncio.sleep(_POLL_SECONDS)
        yield


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

"""The Temporal server that benchmarks run on: the dev server, or one on PostgreSQL."""

import contextlib
import enum
from collections.abc import AsyncIterator
from pathlib import Path

from devenv import settings, temporal_server
from tests.support import temporal_database


class Kind(enum.Enum):
    """What `--temporal` names."""

    DEV_SERVER = "dev-server"
    POSTGRES = "postgres"

    @property
    def text(self) -> str:
        """Name it to the reader of a table."""
        if self is Kind.DEV_SERVER:
            return "Temporal's dev server, in memory"
        return f"Temporal {temporal_database.PROGRAM.version()} on PostgreSQL, mutual TLS"


Server = temporal_server.TemporalServer | temporal_database.DatabaseTemporal

_choice = [Kind.DEV_SERVER]


def chosen() -> Kind:
    """Return what the benchmarks of this process run on."""
    return _choice[0]


def choose(kind: Kind) -> None:
    """Let all benchmarks of this process run on servers of a kind.

    Raises:
        DevError: it cannot be had on this machine.
    """
    if kind is Kind.POSTGRES:
        temporal_database.obtain()
    _choice[0] = kind


@contextlib.asynccontextmanager
async def prepared(logs: Path) -> AsyncIterator[Server]:
    """Give a server that is not started; in the end nothing of it is left."""
    if chosen() is Kind.DEV_SERVER:
        yield temporal_server.TemporalServer(
            temporal_server.TemporalOptions(
                log_file=logs / "temporal.log", has_ui=False, has_metrics=True
            )
        )
        return
    programs = temporal_database.PROGRAM.find(settings.load_dev_settings().cache_dir)
    if programs is None:
        raise AssertionError("the server is compiled when it is chosen")
    server = temporal_database.DatabaseTemporal(programs, logs)
    try:
        await server.prepare()
        yield server
    finally:
        await server.end()


@contextlib.asynccontextmanager
async def started(logs: Path) -> AsyncIterator[Server]:
    """Give a server that runs while the block does."""
    async with prepared(logs) as server:
        await server.start()
        try:
            yield server
        finally:
            await server.stop()

"""Temporal on PostgreSQL is away in the middle of a chain: it continues, and no stack runs twice.

Only with `make e2e ARGS=--temporal=postgres`.
"""

import pytest

from tests.support import release as releases
from tests.support import temporal_database, waiting


@pytest.fixture
def temporal(
    database_temporal: temporal_database.DatabaseTemporal | None,
) -> temporal_database.DatabaseTemporal:
    assert database_temporal is not None
    return database_temporal


async def in_the_middle(apply: releases.Apply, name: str) -> releases.Applied:
    applied = apply(name)
    await waiting.eventually(applied.is_in_the_middle)
    return applied


async def says_why_it_waits(applied: releases.Applied) -> str:
    """Wait until Ready says that Temporal cannot be reached, and return the message."""

    def message() -> str:
        ready = {item["type"]: item for item in applied.status()["conditions"]}["Ready"]
        assert ready["reason"] == "TemporalUnreachable", ready
        return str(ready["message"])

    return await waiting.eventually(message)


def succeeds_with_one_run_of_each_stack(
    applied: releases.Applied, release: releases.Release
) -> None:
    applied.wait_until_ready()
    assert applied.row()[5] == "7/7"
    assert set(release.account.runs_per_stack(releases.graph(applied.name)).values()) == {1}


async def test_a_killed_server_is_waited_for(
    apply: releases.Apply, release: releases.Release, temporal: temporal_database.DatabaseTemporal
) -> None:
    applied = await in_the_middle(apply, "server-killed")

    await temporal.kill()
    await says_why_it_waits(applied)
    await temporal.start()

    succeeds_with_one_run_of_each_stack(applied, release)


async def test_a_crashed_database_is_waited_for_though_its_server_lives(
    apply: releases.Apply, release: releases.Release, temporal: temporal_database.DatabaseTemporal
) -> None:
    applied = await in_the_middle(apply, "database-crashed")

    await temporal.stop_database()
    message = await says_why_it_waits(applied)
    await temporal.start_database()

    assert "database" in message
    succeeds_with_one_run_of_each_stack(applied, release)


async def test_pods_that_start_while_the_database_is_away_go_on_once_it_is_back(
    apply: releases.Apply, release: releases.Release, temporal: temporal_database.DatabaseTemporal
) -> None:
    applied = await in_the_middle(apply, "all-killed")
    before = {part: release.pods(part) for part in ("worker", "operator")}

    def have_started() -> bool:
        return all(
            len(set(release.started_pods(part)) - set(names)) == len(names)
            for part, names in before.items()
        )

    await temporal.stop_database()
    for part in before:
        release.kill(part)
    await waiting.eventually(have_started)
    await temporal.start_database()

    succeeds_with_one_run_of_each_stack(applied, release)

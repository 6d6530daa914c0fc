"""Announcer: which transitions become notifications, and what it costs where no one wants any.

Temporal is away in these tests, so what is handed over waits, and can be counted.
"""

from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase
from controller.chain.news import transitions
from controller.chain.run import progress
from controller.chain.status import projection
from controller.kube import stackchains
from controller.notify import sinks
from controller.observability import metrics
from controller.operator import announcer
from controller.temporal import client as temporal_client
from controller.temporal.operator import notifier
from tests.support.builders import (
    T2,
    T3,
    make_body,
    make_execution,
    make_facts,
    make_progress,
    make_ref,
    make_stack,
)


class SilentApi:
    """Asked for nothing in these tests."""

    async def request(self, method: str, path: str, **_: Any) -> NoReturn:
        raise AssertionError(f"{method} {path}")


def away() -> NoReturn:
    raise temporal_client.TemporalUnreachable("Temporal is away.")


def unasked() -> NoReturn:
    raise AssertionError("Temporal was asked")


def shown(*stacks: progress.StackProgress, old: v1alpha1.Status | None = None) -> v1alpha1.Status:
    facts = make_facts(make_execution(1), make_progress(*stacks))
    return projection.project(make_ref(), old or v1alpha1.Status(), facts, now=T3)


def failures() -> list[transitions.Transition]:
    """Return what happens when two of three stacks fail: two failures and nothing else."""
    old = shown(*(make_stack(name, Phase.RUNNING) for name in "abc"))
    failed = (make_stack(name, Phase.FAILED) for name in "ab")
    return transitions.transitions(old, shown(*failed, make_stack("c", Phase.RUNNING), old=old))


async def handed_over(file: Path | None, get_client: Any, **metadata: Any) -> float:
    counters = metrics.Metrics()
    announcing = announcer.Announcer(
        stack_chains=stackchains.StackChains(SilentApi()),
        catalog=sinks.SinkCatalog(file),
        notifier=notifier.Notifier(get_client, task_queue="queue", counters=counters),
        installation="prod",
    )
    await announcing.notify(make_body({}, **metadata), failures(), sequence=1, now=T2)
    return float(counters.notifications_waiting._value.get())


def sinks_file(directory: Path, *entries: dict[str, Any]) -> Path:
    file = directory / "n.yaml"
    common = {"type": "Slack", "url": "https://example.com", "transitions": ["StackFailed"]}
    document = [{"name": f"sink-{number}", **common, **e} for number, e in enumerate(entries)]
    file.write_text(yaml.safe_dump({"sinks": document}))
    return file


@pytest.mark.parametrize(
    ("entries", "count"),
    [
        ([{}], 2),
        # One notification for all sinks that want it.
        ([{}, {}], 2),
        ([{"namespaces": ["other"]}, {}], 2),
        ([{"matchLabels": {"tier": "prod"}}], 2),
    ],
)
async def test_each_stack_that_fails_is_one_notification(
    tmp_path: Path, entries: list[dict[str, Any]], count: int
) -> None:
    file = sinks_file(tmp_path, *entries)

    assert await handed_over(file, away, labels={"tier": "prod"}) == count


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [{"transitions": ["RunFailed"]}],
        [{"namespaces": ["other"]}],
        [{"matchLabels": {"tier": "prod"}}],
    ],
    ids=["no sink", "other transitions", "other namespaces", "other labels"],
)
async def test_what_nobody_wants_asks_nothing_of_temporal(
    tmp_path: Path, entries: list[dict[str, Any]]
) -> None:
    assert await handed_over(sinks_file(tmp_path, *entries), unasked) == 0


async def test_without_a_file_nothing_is_asked_of_temporal() -> None:
    assert await handed_over(None, unasked) == 0

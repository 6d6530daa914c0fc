"""notifications: equal transitions have equal ids, different ones do not, and no fact is lost."""

import dataclasses
import itertools
import re
from collections.abc import Iterator

import pytest

from controller.api import v1alpha1
from controller.api.reasons import ChainReason, StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.news import notifications, transitions
from controller.chain.run import progress
from controller.chain.status import projection
from tests.support.builders import (
    T0,
    T2,
    T3,
    UID,
    make_execution,
    make_facts,
    make_progress,
    make_ref,
    make_stack,
)
from tests.support.golden import Golden

EMPTY = v1alpha1.Status()


def shown(
    *stacks: progress.StackProgress, old: v1alpha1.Status = EMPTY, now: str = T3, number: int = 1
) -> v1alpha1.Status:
    facts = make_facts(make_execution(number), make_progress(*stacks, number=number))
    return projection.project(make_ref(), old, facts, now=now)


def unreachable(old: v1alpha1.Status, now: str = T3) -> v1alpha1.Status:
    problem = projection.Problem(
        reason=ChainReason.TEMPORAL_UNREACHABLE, message="Out of reach.", is_retrying=True
    )
    return projection.project(make_ref(), old, make_facts(None, problem=problem), now=now)


def ids(old: v1alpha1.Status, new: v1alpha1.Status) -> list[str]:
    return [notifications.notification_id(t, UID) for t in transitions.transitions(old, new)]


def waiting(reason: StackReason) -> progress.StackProgress:
    return make_stack("a", Phase.AWAITING_CONFIRMATION, reason=reason)


def story(old: v1alpha1.Status, number: int) -> Iterator[v1alpha1.Status]:
    """Yield the statuses of a run with an outage in it."""
    steps = (
        [make_stack("a"), make_stack("b")],
        [make_stack("a", Phase.RUNNING), make_stack("b")],
        [waiting(StackReason.NEEDS_APPROVAL), make_stack("b")],
        [waiting(StackReason.NEEDS_CONFIRMATION), make_stack("b", Phase.RUNNING)],
        [make_stack(name, Phase.FAILED) for name in "ab"],
    )
    for place, stacks in enumerate(steps):
        old = shown(*stacks, old=old, number=number, now=f"2026-03-0{number}T10:0{place}:00Z")
        yield old
        if place == 1:
            old = unreachable(old, now=f"2026-03-0{number}T10:0{place}:30Z")
            yield old


def test_whatever_happens_in_a_chains_life_has_an_id_of_its_own() -> None:
    found: list[str] = []
    old = EMPTY
    for number in (1, 2):
        for new in story(old, number):
            found += ids(old, new)
            old = new

    assert len(found) > 20
    assert len(set(found)) == len(found)


def test_the_same_outage_twice_is_two_outages() -> None:
    running = make_stack("a", Phase.RUNNING)
    times = [f"2026-03-01T10:0{minute}:00Z" for minute in range(5)]
    old = shown(running, now=times[0])
    states = [
        unreachable(old, now=times[1]),
        shown(running, old=unreachable(old, now=times[1]), now=times[2]),
    ]
    states.append(unreachable(states[1], now=times[3]))
    states.append(shown(running, old=states[2], now=times[4]))

    found = [one for pair in itertools.pairwise([old, *states]) for one in ids(*pair)]
    assert len(found) == 4
    assert len(set(found)) == 4


def test_looking_again_later_finds_the_same_ids() -> None:
    """The operator was killed before the status was written; more has happened since."""
    old = shown(make_stack("a", Phase.RUNNING), make_stack("b", Phase.RUNNING))
    first = shown(make_stack("a", Phase.FAILED), make_stack("b", Phase.RUNNING), old=old, now=T2)
    later = shown(make_stack("a", Phase.FAILED), make_stack("b", Phase.FAILED), old=old, now=T3)

    assert set(ids(old, first)) < set(ids(old, later))


def test_an_id_can_be_read() -> None:
    started, *_ = ids(EMPTY, shown(make_stack("a")))
    old = shown(make_stack("a", Phase.RUNNING))
    failed, ended = ids(old, shown(make_stack("a", Phase.FAILED), old=old))

    assert started == f"{UID}-1-1-RunStarted"
    assert re.fullmatch(rf"{UID}-1-1-StackFailed-[0-9a-f]{{16}}", failed)
    assert re.fullmatch(rf"{UID}-1-1-RunFailed-[0-9a-f]{{16}}", ended)


def test_a_notification_carries_who_what_when_and_the_order() -> None:
    old = shown(make_stack("a", Phase.RUNNING))
    new = shown(make_stack("a", Phase.FAILED), old=old)
    failed = transitions.transitions(old, new)[0]
    source = notifications.NotificationSource(
        ref=make_ref(), installation="prod", sequence=7, time=T2
    )

    told = notifications.notification(failed, source)

    assert (told.namespace, told.chain, told.uid, told.generation) == ("team", "chain", UID, 1)
    assert told.source == "/stackchain/prod/team/chain"
    assert (told.transition, told.reason, told.severity) == (failed.kind, failed.kind, "Warning")
    assert (told.message, told.time, told.sequence) == ("The run failed.", T2, 7)
    assert told.run is not None
    assert told.stack is not None
    assert (told.run.number, told.run.attempt, told.run.start_time) == (1, 1, T0)
    assert (told.stack.id, told.stack.run_id, told.stack.phase) == ("a", "01RUNA", Phase.FAILED)


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("", None),
        ("https://page.example.com", "https://page.example.com/?namespace=team&chain=chain"),
        ("https://example.com/s/", "https://example.com/s/?namespace=team&chain=chain"),
    ],
)
def test_a_notification_links_to_the_page_of_the_cluster(page: str, expected: str | None) -> None:
    old = shown(make_stack("a b&c", Phase.RUNNING))
    failed, ended = transitions.transitions(old, shown(make_stack("a b&c", Phase.FAILED), old=old))
    source = notifications.NotificationSource(
        ref=make_ref(), installation="prod", sequence=1, time=T2, page=page
    )

    assert notifications.notification(ended, source).page_url == expected
    of_stack = f"{expected}&stack=a+b%26c" if expected else None
    assert notifications.notification(failed, source).page_url == of_stack


def test_a_stack_without_a_message_is_told_in_words(golden: Golden) -> None:
    old = shown(make_stack("a"), make_stack("b"))
    new = shown(make_stack("a", Phase.RUNNING), make_stack("b"), old=old)
    (started,) = transitions.transitions(old, new)
    source = notifications.NotificationSource(
        ref=make_ref(), installation="prod", sequence=1, time=T2
    )

    assert not started.message
    message = notifications.notification(started, source).message
    golden("events").check("a notification of a stack without a message", message)


def test_before_the_first_run_there_is_no_run_to_tell_of() -> None:
    (problem,) = transitions.transitions(EMPTY, unreachable(EMPTY))
    source = notifications.NotificationSource(
        ref=make_ref(), installation="prod", sequence=0, time=T2
    )

    told = notifications.notification(problem, source)

    assert dataclasses.asdict(told)["run"] is None
    assert told.id.startswith(f"{UID}-0-0-Problem-")

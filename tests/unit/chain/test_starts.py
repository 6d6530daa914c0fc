"""What asks for runs by itself: which times of a schedule, and which runs of roots."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.api import v1alpha1
from controller.api.v1alpha1 import RootRun
from controller.chain.requests import automatic
from controller.chain.requests.automatic import Asks, Reading
from tests.support.builders import handled, make_spec, make_stack_chain, make_status

DEADLINE = 90
EVERY_MINUTE = v1alpha1.Schedule(cron="* * * * *", starting_deadline_seconds=DEADLINE)
WATCHING = make_spec(
    "a",
    "b",
    schedule=EVERY_MINUTE,
    triggers=(v1alpha1.StartTrigger(type=v1alpha1.StartTriggerType.ROOT_RUN_FINISHED),),
)


def minute(number: int, seconds: int = 0) -> str:
    return f"2026-03-01T10:{number:02}:{seconds:02}Z"


def run(stack_id: str, run_id: str) -> RootRun:
    return RootRun(stack_id=stack_id, run_id=run_id)


KNOWN = v1alpha1.ScheduleStatus(digest="d", checked_time=minute(0), next_time=minute(1))


# Times of the schedule


@pytest.mark.parametrize(
    ("passed", "now", "ask", "missed"),
    [
        pytest.param([], minute(0, 30), None, 0, id="none has come"),
        pytest.param([1], minute(1), 1, 0, id="on the second"),
        pytest.param([1], minute(2, 30), 1, 0, id="at the deadline"),
        pytest.param([1], minute(2, 31), None, 1, id="a second after the deadline"),
        pytest.param([1, 2], minute(2, 30), 2, 0, id="the newest asks for both"),
        pytest.param([1, 2], minute(2, 40), 2, 1, id="down over two, one is too late"),
        pytest.param([1, 2], minute(3, 31), None, 2, id="down over two, both are too late"),
        pytest.param([1, 2, 3, 4], minute(4, 30), 4, 2, id="down over four"),
        pytest.param([2], minute(1, 58), 2, 0, id="the clock here is behind Temporal's"),
    ],
)
def test_the_newest_time_that_is_not_too_late_asks_and_those_too_late_are_missed(
    passed: list[int], now: str, ask: int | None, missed: int
) -> None:
    times = [minute(number) for number in passed]

    new, asked = automatic.served(KNOWN, EVERY_MINUTE, times, now=now)

    assert asked == (None if ask is None else minute(ask))
    assert new == dataclasses.replace(
        KNOWN,
        checked_time=times[-1] if times else KNOWN.checked_time,
        last_time=asked,
        missed=missed,
        last_missed_time=times[missed - 1] if missed else None,
    )


def test_what_was_missed_before_is_counted_on() -> None:
    known = dataclasses.replace(KNOWN, missed=3, last_missed_time=minute(0), last_time=minute(0))

    new, ask = automatic.served(known, EVERY_MINUTE, [minute(1)], now=minute(9))

    assert (new.missed, new.last_missed_time, new.last_time) == (4, minute(1), minute(0))
    assert ask is None


@given(looks=st.lists(st.integers(min_value=1, max_value=400), min_size=1, max_size=12))
def test_however_often_and_late_it_is_looked_each_time_is_served_folded_or_missed_once(
    looks: list[int],
) -> None:
    """The asks and the missed times are what one look at each moment makes of its times alone."""
    begin = datetime(2026, 3, 1, 10, tzinfo=UTC)
    known, now, asked = KNOWN, begin, list[str]()
    late = 0
    for pause in looks:
        now += timedelta(seconds=pause)
        text = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        after = datetime.fromisoformat(known.checked_time)
        number = int((now - begin).total_seconds() // 60)
        all_times = [begin + timedelta(minutes=item) for item in range(1, number + 1)]
        times = [item for item in all_times if item > after]
        late += sum((now - item).total_seconds() > DEADLINE for item in times)
        known, ask = automatic.served(
            known, EVERY_MINUTE, [t.strftime("%Y-%m-%dT%H:%M:%SZ") for t in times], now=text
        )
        asked += [ask] if ask else []

    assert known.missed == late
    assert len(set(asked)) == len(asked)
    assert asked == sorted(asked)


# Finished runs of roots


@pytest.mark.parametrize(
    ("reading", "seen", "waiting", "mark", "ask"),
    [
        pytest.param(
            Reading(stack_id="a", newest_run_id="7", looked_up_to="5", finished=("5",)),
            None,
            None,
            "7",
            None,
            id="seen for the first time: an old run starts nothing",
        ),
        pytest.param(
            Reading(stack_id="a", newest_run_id="0", looked_up_to=""),
            None,
            None,
            "0",
            None,
            id="a root that never ran",
        ),
        pytest.param(
            Reading(stack_id="a", newest_run_id="3", looked_up_to="3", finished=("3",)),
            "0",
            None,
            "0",
            "3",
            id="its first run",
        ),
        pytest.param(
            Reading(stack_id="a", newest_run_id="7", looked_up_to="7", finished=("7",)),
            "5",
            None,
            "5",
            "7",
            id="a run of somebody else",
        ),
        pytest.param(
            Reading(stack_id="a", newest_run_id="7", looked_up_to="7"),
            "5",
            None,
            "7",
            None,
            id="a run of a chain",
        ),
        pytest.param(
            Reading(stack_id="a", newest_run_id="7", looked_up_to="7", finished=("7",)),
            "7",
            None,
            "7",
            None,
            id="a replay",
        ),
        pytest.param(
            Reading(stack_id="a", newest_run_id="9", looked_up_to="3", finished=("3",)),
            "7",
            None,
            "7",
            None,
            id="a newer one has not finished",
        ),
        pytest.param(
            Reading(stack_id="a", newest_run_id="7", looked_up_to="7", finished=("7",)),
            "5",
            "7",
            "5",
            None,
            id="it asks already",
        ),
        pytest.param(
            Reading(stack_id="a", newest_run_id="9", looked_up_to="9", finished=("9", "7")),
            "5",
            "7",
            "5",
            "9",
            id="the next one of the same root",
        ),
        pytest.param(
            Reading(stack_id="a", newest_run_id="9", looked_up_to="9", finished=("7",)),
            "5",
            None,
            "5",
            "7",
            id="below a run of a chain",
        ),
        pytest.param(
            Reading(stack_id="a", newest_run_id="", looked_up_to=""),
            "5",
            "7",
            "5",
            None,
            id="nobody can tell yet",
        ),
    ],
)
def test_a_run_asks_once_and_only_if_it_is_newer_than_what_was_looked_at(
    reading: Reading, seen: str | None, waiting: str | None, mark: str, ask: str | None
) -> None:
    looked, asks = automatic.judge(
        [reading],
        [run("a", seen)] if seen is not None else [],
        [run("a", waiting)] if waiting is not None else [],
    )

    assert looked == (run("a", mark),)
    assert asks == (() if ask is None else (run("a", ask),))


def test_each_root_has_a_mark_of_its_own() -> None:
    """An older run that takes longer is not passed over because of a newer one elsewhere."""
    a = Reading(stack_id="a", newest_run_id="5", looked_up_to="5", finished=("5",))
    b = Reading(stack_id="b", newest_run_id="7", looked_up_to="7", finished=("7",))
    marks = (run("a", "1"), run("b", "2"))

    looked, asks = automatic.judge(
        [b, dataclasses.replace(a, looked_up_to="1", finished=())], marks, ()
    )
    assert (looked, asks) == (marks, (run("b", "7"),))

    _, more = automatic.judge([a, b], (run("a", "1"), run("b", "7")), ())
    assert more == (run("a", "5"),)


def test_a_root_that_is_no_longer_one_is_forgotten() -> None:
    reading = Reading(stack_id="a", newest_run_id="5", looked_up_to="5")

    looked, asks = automatic.judge([reading], [run("a", "5"), run("b", "7")], ())

    assert (looked, asks) == ((run("a", "5"),), ())


def test_a_root_about_which_nobody_can_tell_yet_gets_no_mark() -> None:
    """It was out of sight for a sweep while its run waited; an old run must not ask now."""
    undecided = Reading(stack_id="a", newest_run_id="", looked_up_to="")

    assert automatic.judge([undecided], (), [run("a", "5")]) == ((), ())


# What waits


def pending(**fields: object) -> v1alpha1.PendingRun:
    return v1alpha1.PendingRun(cause="Schedule", message="", **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("waits", "done", "spec", "asks"),
    [
        pytest.param(None, {}, WATCHING, Asks(), id="nothing"),
        pytest.param(
            pending(scheduled_time=minute(2), root_runs=(run("a", "5"),)),
            {},
            WATCHING,
            Asks(scheduled_time=minute(2), root_runs=(run("a", "5"),)),
            id="both",
        ),
        pytest.param(
            pending(scheduled_time=minute(2)),
            {"schedule": minute(2)},
            WATCHING,
            Asks(),
            id="a time that became a run before a crash",
        ),
        pytest.param(
            pending(root_runs=(run("a", "5"), run("b", "7"))),
            {"root_runs": (run("a", "5"), run("b", "6"))},
            WATCHING,
            Asks(root_runs=(run("b", "7"),)),
            id="a root's run that became a run before a crash",
        ),
        pytest.param(
            pending(scheduled_time=minute(2), root_runs=(run("a", "5"),)),
            {},
            make_spec("a"),
            Asks(),
            id="schedule and triggers were removed",
        ),
        pytest.param(
            pending(root_runs=(run("a", "5"), run("c", "6"))),
            {},
            WATCHING,
            Asks(root_runs=(run("a", "5"),)),
            id="one is of a stack that is no root any more",
        ),
    ],
)
def test_what_waits_counts_until_it_is_handled_or_no_longer_wanted(
    waits: v1alpha1.PendingRun | None,
    done: dict[str, object],
    spec: v1alpha1.StackChainSpec,
    asks: Asks,
) -> None:
    chain = make_stack_chain(spec=spec, status=make_status(pending_run=waits))
    asked = dataclasses.replace(handled(spec), **done)  # type: ignore[arg-type]

    assert automatic.open_asks(chain, asked) == asks


def test_roots_by_label_are_whatever_the_sweep_found() -> None:
    spec = WATCHING.model_copy(update={"roots": v1alpha1.Roots(labels=("x",))})
    status = make_status(pending_run=pending(root_runs=(run("c", "5"),)))

    asks = automatic.open_asks(make_stack_chain(spec=spec, status=status), handled(spec))

    assert asks == Asks(root_runs=(run("c", "5"),))


def test_new_asks_join_those_that_wait() -> None:
    waits = pending(scheduled_time=minute(2), root_runs=(run("a", "5"), run("b", "6")))
    asks = Asks(scheduled_time=minute(3), root_runs=(run("a", "7"),))

    joined = automatic.with_asks(waits, asks)

    assert joined is not None
    assert joined.scheduled_time == minute(3)
    assert joined.root_runs == (run("a", "7"), run("b", "6"))
    assert automatic.with_asks(None, Asks()) is None
    assert automatic.only_asks(joined) == joined
    assert automatic.only_asks(pending()) is None

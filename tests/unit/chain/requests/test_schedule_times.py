"""schedule_times: what is done about a schedule, and which of its times ask for a run."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.api import v1alpha1
from controller.chain.requests import schedule_times
from controller.chain.requests.schedule_times import ScheduleStep

DEADLINE = 90
EVERY_MINUTE = v1alpha1.Schedule(cron="* * * * *", starting_deadline_seconds=DEADLINE)


def minute(number: int, seconds: int = 0) -> str:
    return f"2026-03-01T10:{number:02}:{seconds:02}Z"


KNOWN = v1alpha1.ScheduleStatus(digest="d", checked_time=minute(0), next_time=minute(1))
WITHOUT_NEXT = dataclasses.replace(KNOWN, next_time=None)
REFUSED = dataclasses.replace(KNOWN, next_time=None, problem="Temporal refuses it.")
BEFORE, AFTER = minute(0, 59), minute(1)


# What is done


@pytest.mark.parametrize(
    ("wanted", "known", "now", "state", "step"),
    [
        pytest.param(None, None, BEFORE, "", ScheduleStep.NOTHING, id="there is none"),
        pytest.param(None, KNOWN, BEFORE, "", ScheduleStep.REMOVE, id="it is taken away"),
        pytest.param(None, KNOWN, AFTER, "", ScheduleStep.REMOVE, id="taken away, a time passed"),
        pytest.param(None, None, BEFORE, "renewing", ScheduleStep.REMOVE, id="none, for certain"),
        pytest.param("d", None, BEFORE, "", ScheduleStep.SET_UP, id="it is new"),
        pytest.param("d", None, BEFORE, "suspended", ScheduleStep.SET_UP, id="new and suspended"),
        pytest.param("e", KNOWN, BEFORE, "", ScheduleStep.SET_UP, id="it is edited"),
        pytest.param("e", WITHOUT_NEXT, AFTER, "", ScheduleStep.SET_UP, id="edited twice at once"),
        pytest.param(
            "e", KNOWN, AFTER, "", ScheduleStep.TAKE_TIMES_THEN_SET_UP, id="edited, a time passed"
        ),
        pytest.param(
            "e",
            KNOWN,
            AFTER,
            "suspended",
            ScheduleStep.TAKE_TIMES_THEN_SET_UP,
            id="suspended, a time passed before",
        ),
        pytest.param("d", KNOWN, BEFORE, "", ScheduleStep.NOTHING, id="nothing has changed"),
        pytest.param("d", KNOWN, AFTER, "", ScheduleStep.TAKE_TIMES, id="a time has passed"),
        pytest.param("d", REFUSED, AFTER, "", ScheduleStep.NOTHING, id="it was refused"),
        pytest.param("e", REFUSED, AFTER, "", ScheduleStep.SET_UP, id="refused, then edited"),
        pytest.param("d", REFUSED, AFTER, "renewing", ScheduleStep.SET_UP, id="refused, once more"),
        pytest.param(
            "d", WITHOUT_NEXT, BEFORE, "", ScheduleStep.RESTORE_AND_TAKE_TIMES, id="edit taken back"
        ),
        pytest.param("d", WITHOUT_NEXT, BEFORE, "suspended", ScheduleStep.NOTHING, id="suspended"),
        pytest.param(
            "d",
            KNOWN,
            BEFORE,
            "renewing",
            ScheduleStep.RESTORE_AND_TAKE_TIMES,
            id="it may be missing",
        ),
        pytest.param(
            "d",
            WITHOUT_NEXT,
            AFTER,
            "suspended renewing",
            ScheduleStep.RESTORE,
            id="missing and suspended: times that pass are none",
        ),
        pytest.param(
            "e", KNOWN, BEFORE, "renewing", ScheduleStep.SET_UP, id="edited while it was missing"
        ),
    ],
)
def test_what_is_done_about_a_schedule_follows_from_what_is_known(
    wanted: str | None,
    known: v1alpha1.ScheduleStatus | None,
    now: str,
    state: str,
    step: ScheduleStep,
) -> None:
    situation = schedule_times.ScheduleFacts(
        wanted_digest=wanted,
        known=known,
        now=now,
        is_suspended="suspended" in state,
        is_renewing="renewing" in state,
    )

    assert schedule_times.next_step(situation) is step


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

    served = schedule_times.take_passed_times(KNOWN, EVERY_MINUTE, times, now=now)

    assert served.ask == (None if ask is None else minute(ask))
    assert served.known == dataclasses.replace(
        KNOWN,
        checked_time=times[-1] if times else KNOWN.checked_time,
        last_time=served.ask,
        missed=missed,
        last_missed_time=times[missed - 1] if missed else None,
    )


def test_what_was_missed_before_is_counted_on() -> None:
    known = dataclasses.replace(KNOWN, missed=3, last_missed_time=minute(0), last_time=minute(0))

    served = schedule_times.take_passed_times(known, EVERY_MINUTE, [minute(1)], now=minute(9))

    new = served.known
    assert (new.missed, new.last_missed_time, new.last_time) == (4, minute(1), minute(0))
    assert served.ask is None


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
        served = schedule_times.take_passed_times(
            known, EVERY_MINUTE, [t.strftime("%Y-%m-%dT%H:%M:%SZ") for t in times], now=text
        )
        known = served.known
        asked += [served.ask] if served.ask else []

    assert known.missed == late
    assert len(set(asked)) == len(asked)
    assert asked == sorted(asked)

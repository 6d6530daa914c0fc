"""automatic: which asks wait and still count, and which runs of roots ask."""

import dataclasses

import pytest

from controller.api import v1alpha1
from controller.api.v1alpha1 import RootRun
from controller.chain.requests import automatic_asks
from controller.chain.requests.automatic_asks import AutomaticAsks, RootReading
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


# Finished runs of roots


def root(newest: str, looked_up_to: str, *finished: str) -> RootReading:
    return RootReading(
        stack_id="a", newest_run_id=newest, looked_up_to=looked_up_to, finished=finished
    )


# What was read of a root, its mark and the run that asks already -> its new mark, the run that asks
ROOTS: dict[str, tuple[RootReading, str | None, str | None, str, str | None]] = {
    "seen for the first time: an old run starts nothing": (
        root("7", "5", "5"),
        None,
        None,
        "7",
        None,
    ),
    "a root that never ran": (root("0", ""), None, None, "0", None),
    "its first run": (root("3", "3", "3"), "0", None, "0", "3"),
    "a run of somebody else": (root("7", "7", "7"), "5", None, "5", "7"),
    "a run of a chain": (root("7", "7"), "5", None, "7", None),
    "a replay": (root("7", "7", "7"), "7", None, "7", None),
    "a newer one has not finished": (root("9", "3", "3"), "7", None, "7", None),
    "it asks already": (root("7", "7", "7"), "5", "7", "5", None),
    "the next one of the same root": (root("9", "9", "9", "7"), "5", "7", "5", "9"),
    "below a run of a chain": (root("9", "9", "7"), "5", None, "5", "7"),
    "nobody can tell yet": (root("", ""), "5", "7", "5", None),
}


@pytest.mark.parametrize(("reading", "seen", "waiting", "mark", "ask"), ROOTS.values(), ids=ROOTS)
def test_a_run_asks_once_and_only_if_it_is_newer_than_what_was_looked_at(
    reading: RootReading, seen: str | None, waiting: str | None, mark: str, ask: str | None
) -> None:
    looked, asks = automatic_asks.find_asking_runs(
        [reading],
        [run("a", seen)] if seen is not None else [],
        [run("a", waiting)] if waiting is not None else [],
    )

    assert looked == (run("a", mark),)
    assert asks == (() if ask is None else (run("a", ask),))


def test_each_root_has_a_mark_of_its_own() -> None:
    """An older run that takes longer is not passed over because of a newer one elsewhere."""
    a = RootReading(stack_id="a", newest_run_id="5", looked_up_to="5", finished=("5",))
    b = RootReading(stack_id="b", newest_run_id="7", looked_up_to="7", finished=("7",))
    marks = (run("a", "1"), run("b", "2"))

    looked, asks = automatic_asks.find_asking_runs(
        [b, dataclasses.replace(a, looked_up_to="1", finished=())], marks, ()
    )
    assert (looked, asks) == (marks, (run("b", "7"),))

    _, more = automatic_asks.find_asking_runs([a, b], (run("a", "1"), run("b", "7")), ())
    assert more == (run("a", "5"),)


def test_a_root_that_is_no_longer_one_is_forgotten() -> None:
    reading = RootReading(stack_id="a", newest_run_id="5", looked_up_to="5")

    looked, asks = automatic_asks.find_asking_runs([reading], [run("a", "5"), run("b", "7")], ())

    assert (looked, asks) == ((run("a", "5"),), ())


def test_a_root_about_which_nobody_can_tell_yet_gets_no_mark() -> None:
    """It was out of sight for a sweep while its run waited; an old run must not ask now."""
    undecided = RootReading(stack_id="a", newest_run_id="", looked_up_to="")

    assert automatic_asks.find_asking_runs([undecided], (), [run("a", "5")]) == ((), ())


# What waits


def pending(**fields: object) -> v1alpha1.PendingRun:
    return v1alpha1.PendingRun(cause="Schedule", message="", **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("waits", "done", "spec", "asks"),
    [
        pytest.param(None, {}, WATCHING, AutomaticAsks(), id="nothing"),
        pytest.param(
            pending(scheduled_time=minute(2), root_runs=(run("a", "5"),)),
            {},
            WATCHING,
            AutomaticAsks(scheduled_time=minute(2), root_runs=(run("a", "5"),)),
            id="both",
        ),
        pytest.param(
            pending(scheduled_time=minute(2)),
            {"schedule": minute(2)},
            WATCHING,
            AutomaticAsks(),
            id="a time that became a run before a crash",
        ),
        pytest.param(
            pending(root_runs=(run("a", "5"), run("b", "7"))),
            {"root_runs": (run("a", "5"), run("b", "6"))},
            WATCHING,
            AutomaticAsks(root_runs=(run("b", "7"),)),
            id="a root's run that became a run before a crash",
        ),
        pytest.param(
            pending(scheduled_time=minute(2), root_runs=(run("a", "5"),)),
            {},
            make_spec("a"),
            AutomaticAsks(),
            id="schedule and triggers were removed",
        ),
        pytest.param(
            pending(root_runs=(run("a", "5"), run("c", "6"))),
            {},
            WATCHING,
            AutomaticAsks(root_runs=(run("a", "5"),)),
            id="one is of a stack that is no root any more",
        ),
    ],
)
def test_what_waits_counts_until_it_is_handled_or_no_longer_wanted(
    waits: v1alpha1.PendingRun | None,
    done: dict[str, object],
    spec: v1alpha1.StackChainSpec,
    asks: AutomaticAsks,
) -> None:
    chain = make_stack_chain(spec=spec, status=make_status(pending_run=waits))
    asked = dataclasses.replace(handled(spec), **done)  # type: ignore[arg-type]

    assert automatic_asks.open_asks(chain, asked) == asks


def test_roots_by_label_are_whatever_the_sweep_found() -> None:
    spec = dataclasses.replace(WATCHING, roots=v1alpha1.Roots(labels=("x",)))
    status = make_status(pending_run=pending(root_runs=(run("c", "5"),)))

    asks = automatic_asks.open_asks(make_stack_chain(spec=spec, status=status), handled(spec))

    assert asks == AutomaticAsks(root_runs=(run("c", "5"),))


def test_new_asks_join_those_that_wait() -> None:
    waits = pending(scheduled_time=minute(2), root_runs=(run("a", "5"), run("b", "6")))
    asks = AutomaticAsks(scheduled_time=minute(3), root_runs=(run("a", "7"),))

    joined = automatic_asks.with_asks(waits, asks)

    assert joined is not None
    assert joined.scheduled_time == minute(3)
    assert joined.root_runs == (run("a", "7"), run("b", "6"))
    assert automatic_asks.with_asks(None, AutomaticAsks()) is None
    assert automatic_asks.only_asks(joined) == joined
    assert automatic_asks.only_asks(pending()) is None

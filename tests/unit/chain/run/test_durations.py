"""durations: what counts as the time that a stack takes."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest

from controller.api import v1alpha1
from controller.api.reasons import StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.graph import adoption
from controller.chain.run import durations, progress
from tests.support.builders import T0, make_progress, make_stack

START = datetime.datetime.fromisoformat(T0)

Change = Callable[[progress.StackProgress], object]


def shows(phase: Phase, reason: StackReason, **fields: Any) -> Change:
    """Return what has a stack show a phase and a reason."""
    report = progress.StackReport(stack_id="a", phase=phase, reason=reason, **fields)
    return lambda stack: progress.apply_report(stack, report, now=T0)


def starts(stack: progress.StackProgress) -> None:
    stack.is_started = True
    stack.phase, stack.reason = Phase.WAITING, StackReason.STARTING


def is_held(stack: progress.StackProgress) -> None:
    meaning = progress.StackMeaning(phase=Phase.WAITING, reason=StackReason.STACK_LOCKED)
    progress.set_aside(stack, meaning)


RUNS = shows(Phase.RUNNING, StackReason.RUN_IN_PROGRESS, run_id="01A")
QUEUED = shows(Phase.WAITING, StackReason.RUN_QUEUED, run_id="01A")
BLOCKED = shows(
    Phase.WAITING,
    StackReason.RUN_BLOCKED,
    run_id="01A",
    held_by=v1alpha1.Holder(needs_person=False),
)
NEEDS_CONFIRMATION = shows(
    Phase.AWAITING_CONFIRMATION, StackReason.NEEDS_CONFIRMATION, run_id="01A"
)
AWAY = shows(Phase.RUNNING, StackReason.SPACELIFT_UNREACHABLE, run_id="01A")
REFUSED = shows(Phase.RUNNING, StackReason.CREDENTIALS_REJECTED, run_id="01A")
FAILED_ONCE = shows(Phase.WAITING, StackReason.RETRY_PENDING, run_id="01A", wants_slot=True)
FINISHED = shows(Phase.SUCCEEDED, StackReason.RUN_FINISHED, run_id="01A")
FAILED = shows(Phase.FAILED, StackReason.RUN_FAILED, run_id="01A")
UNCHANGED = shows(Phase.SKIPPED, StackReason.OUTPUT_UNCHANGED, run_id="01A")


def play(stack: progress.StackProgress, *changes: tuple[int, Change]) -> progress.StackProgress:
    """Return a stack after changes, each at so many seconds from the start."""
    run = make_progress()
    run.stacks = [stack]
    for seconds, change in changes:
        change(stack)
        durations.update(run, now=START + datetime.timedelta(seconds=seconds))
    return stack


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param([(0, starts), (5, RUNS), (30, FINISHED)], 30, id="from its start to its end"),
        pytest.param(
            [(0, starts), (5, QUEUED), (25, RUNS), (30, FINISHED)], 30, id="the queue counts"
        ),
        pytest.param(
            [(0, starts), (10, RUNS), (20, NEEDS_CONFIRMATION), (90, RUNS), (100, FINISHED)],
            30,
            id="a wait for a person does not",
        ),
        pytest.param(
            [(0, starts), (10, RUNS), (20, NEEDS_CONFIRMATION), (90, FINISHED)],
            20,
            id="it ends in the moment in which the person is seen to have acted",
        ),
        pytest.param(
            [(0, starts), (5, BLOCKED), (60, RUNS), (70, FINISHED)],
            15,
            id="nor does a run of others, which ends by itself",
        ),
        pytest.param(
            [(0, starts), (5, RUNS), (10, AWAY), (100, RUNS), (110, FINISHED)],
            20,
            id="nor does an outage",
        ),
        pytest.param(
            [(0, starts), (5, REFUSED), (100, RUNS), (110, FINISHED)],
            15,
            id="nor does what a person has to allow",
        ),
        pytest.param(
            [
                (0, starts),
                (5, RUNS),
                (50, FAILED_ONCE),
                (80, progress.give_slot),
                (85, RUNS),
                (100, FINISHED),
            ],
            20,
            id="nor does a run that failed before",
        ),
        pytest.param(
            [
                (0, starts),
                (5, is_held),
                (60, progress.set_pending),
                (70, starts),
                (80, FINISHED),
            ],
            10,
            id="nor does what came before a lock",
        ),
        pytest.param([(0, starts), (0, FINISHED)], 1, id="never nothing"),
    ],
)
def test_what_a_stack_takes_is_the_time_in_which_its_run_works(
    changes: list[tuple[int, Change]], expected: int
) -> None:
    assert play(make_stack("a"), *changes).took_seconds == expected


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param([(0, starts), (30, RUNS)], id="it still runs"),
        pytest.param([(0, starts), (30, FAILED)], id="it failed"),
        pytest.param([(0, starts), (30, UNCHANGED)], id="Spacelift skipped it"),
        pytest.param(
            [
                (0, starts),
                (30, FAILED),
                (40, lambda stack: progress.set_bypassed(stack, "", now=T0)),
            ],
            id="a person vouches for it",
        ),
        pytest.param(
            [(0, starts), (30, FAILED), (40, progress.reopen)],
            id="it is asked for once more",
        ),
    ],
)
def test_a_stack_that_has_not_succeeded_took_no_time(changes: list[tuple[int, Change]]) -> None:
    assert play(make_stack("a"), *changes).took_seconds is None


def test_a_stack_that_is_asked_for_once_more_counts_anew() -> None:
    stack = play(
        make_stack("a"),
        (0, starts),
        (50, FAILED),
        (60, progress.reopen),
        (100, starts),
        (110, FINISHED),
    )

    assert stack.took_seconds == 10


@pytest.mark.parametrize(
    "reason", [StackReason.KEPT, StackReason.ROOT_RUN_FINISHED], ids=["kept", "root"]
)
def test_a_stack_that_the_run_does_not_run_took_no_time(reason: StackReason) -> None:
    stack = make_stack("a", Phase.SUCCEEDED, reason=reason, is_started=False)

    assert play(stack, (10, lambda _: None)).took_seconds is None


def test_a_run_that_spacelift_carried_out_on_its_own_took_what_no_one_saw() -> None:
    stack = make_stack("a")
    stack.ahead_runs = [adoption.AheadRun(stack_id="a", run_id="01A", origin_run_id="00X")]

    assert play(stack, (0, starts), (1, FINISHED)).took_seconds is None


def test_so_far_a_stack_has_taken_what_it_has_worked() -> None:
    stack = play(make_stack("a"), (0, starts), (10, RUNS), (20, NEEDS_CONFIRMATION), (50, RUNS))

    now = START + datetime.timedelta(seconds=65)
    assert durations.seconds_at_work(stack, now=now) == 35

"""gates: what a stage waits for, since when and until when; and what that means for its stacks."""

import dataclasses
import datetime
from typing import Any

import pytest

from controller.api import v1alpha1
from controller.api.reasons import StackReason
from controller.api.v1alpha1 import Operation, Phase
from controller.chain.graph import selection
from controller.chain.run import gates, next_stacks, outcome, policy, progress, windows
from controller.chain.status import projection
from tests.support.builders import (
    T0,
    T1,
    T2,
    T3,
    make_execution,
    make_facts,
    make_progress,
    make_ref,
    make_stack,
)
from tests.support.golden import Golden

SPEC = (
    v1alpha1.Stage(name="dev", labels=("dev",)),
    v1alpha1.Stage(name="qa", labels=("qa",), soak_seconds=60),
    v1alpha1.Stage(name="prod", labels=("prod",), soak_seconds=600),
)
LATER = "2026-03-01T11:00:00Z"


def run_of(*stacks: progress.StackProgress, now: str = T3, **fields: Any) -> progress.ChainProgress:
    stages = gates.stages_of(SPEC, Operation(fields.get("operation", "Apply")))
    # Rows of the tables share stacks.
    own = [dataclasses.replace(stack) for stack in stacks]
    return make_progress(*own, stages=stages, now=now, **fields)


def staged(stack_id: str, phase: Phase = Phase.PENDING, **fields: Any) -> progress.StackProgress:
    """Return a stack whose stage is the first part of its id."""
    return make_stack(stack_id, phase, stage=stack_id.partition("-")[0], **fields)


DONE = staged("dev-1", Phase.SUCCEEDED, completion_time=T1)
SOAKED = [DONE, staged("qa-1"), staged("prod-1")]


@pytest.mark.parametrize(
    ("stacks", "now", "expected"),
    [
        pytest.param(
            [staged("dev-1"), staged("qa-1")],
            T0,
            [("Running", ""), ("Pending", "EarlierStages"), ("Skipped", "")],
            id="nothing has started; a stage has no stacks",
        ),
        pytest.param(
            [DONE, staged("qa-1")],
            T1,
            [("Succeeded", ""), ("Waiting", "Soak"), ("Skipped", "")],
            id="the first has just succeeded",
        ),
        pytest.param(
            [DONE, staged("qa-1"), staged("prod-1")],
            T2,
            [("Succeeded", ""), ("Running", ""), ("Pending", "EarlierStages")],
            id="the soak time has passed, to the second",
        ),
        pytest.param(
            [DONE, staged("prod-1")],
            T2,
            [("Succeeded", ""), ("Skipped", ""), ("Waiting", "Soak")],
            id="a stage without stacks is passed over",
        ),
        pytest.param(
            [staged("qa-1"), staged("prod-1")],
            T2,
            [("Skipped", ""), ("Running", ""), ("Pending", "EarlierStages")],
            id="nothing comes before it, so nothing soaks",
        ),
        pytest.param(
            [DONE, staged("qa-1", Phase.AWAITING_CONFIRMATION), staged("prod-1")],
            T1,
            [("Succeeded", ""), ("AwaitingConfirmation", ""), ("Pending", "EarlierStages")],
            id="a run waits for a person",
        ),
        pytest.param(
            [DONE, staged("qa-1", Phase.WAITING), staged("qa-2")],
            T1,
            [("Succeeded", ""), ("Running", ""), ("Skipped", "")],
            id="what has started goes on",
        ),
        pytest.param(
            [staged("dev-1", Phase.SKIPPED), staged("qa-1")],
            T3,
            [("Succeeded", ""), ("Running", ""), ("Skipped", "")],
            id="a stack without changes has succeeded",
        ),
        pytest.param(
            [staged("dev-1", Phase.FAILED), staged("dev-2", Phase.RUNNING), staged("qa-1")],
            T3,
            [("Running", ""), ("Pending", "EarlierStages"), ("Skipped", "")],
            id="one has failed and another one runs",
        ),
        *(
            pytest.param(
                [staged("dev-1", phase), staged("dev-2", Phase.SUCCEEDED)],
                T3,
                [(str(phase), ""), ("Skipped", ""), ("Skipped", "")],
                id=f"one ended {phase}",
            )
            for phase in (Phase.FAILED, Phase.TIMED_OUT, Phase.CANCELED)
        ),
    ],
)
def test_a_stage_waits_for_one_thing_at_a_time(
    stacks: list[progress.StackProgress], now: str, expected: list[tuple[str, str]]
) -> None:
    run = run_of(*stacks, now=now)

    assert [(str(stage.phase), str(stage.waits_for)) for stage in run.stages] == expected


def test_a_wait_says_since_when_and_until_when(golden: Golden) -> None:
    run = run_of(*SOAKED, now=T1)

    soaking, pending = run.stages[1:]
    assert (soaking.since, soaking.until) == (T1, T2)
    assert (pending.since, pending.until) == (T0, None)
    assert gates.next_time(run) == T2
    pages = golden("stage_messages")
    pages.check("soak", soaking.message)
    pages.check("earlier stages", pending.message)


APPROVED = (
    v1alpha1.Stage(name="dev", labels=("dev",), approval=v1alpha1.StageApproval.REQUIRED),
    v1alpha1.Stage(
        name="prod",
        labels=("prod",),
        soak_seconds=60,
        approval=v1alpha1.StageApproval.REQUIRED,
    ),
)


def approvable(
    *stacks: progress.StackProgress, now: str = T3, **fields: Any
) -> progress.ChainProgress:
    own = [dataclasses.replace(stack) for stack in stacks]
    operation = Operation(fields.get("operation", "Apply"))
    return make_progress(
        *own, stages=gates.stages_of(APPROVED, operation), now=now, number=3, **fields
    )


def test_the_approval_is_asked_for_after_the_soak_time_and_counts_for_one_stage(
    golden: Golden,
) -> None:
    run = approvable(DONE, staged("prod-1"), now=T1)
    assert run.stages[1].waits_for == v1alpha1.StageWait.SOAK
    assert gates.why_not_approved(run, ["prod"])

    gates.update(run, now=datetime.datetime.fromisoformat(T2))

    stage = run.stages[1]
    assert (stage.waits_for, stage.since, stage.until) == ("Approval", T2, None)
    assert gates.next_time(run) is None
    golden("stage_messages").check("approval", stage.message)
    assert gates.why_not_approved(run, ["prod"]) == ""
    gates.approve(run, ["prod"], now=T3)
    gates.update(run, now=datetime.datetime.fromisoformat(T3))
    assert (stage.waits_for, stage.approved_at, run.stages[0].approved_at) == ("", T3, None)


def test_the_first_stage_may_need_an_approval() -> None:
    run = approvable(staged("dev-1"), staged("prod-1"))

    first = run.stages[0]
    assert (first.waits_for, first.since) == ("Approval", T0)
    assert next_stacks.ready_stacks(run, remaining=dict.fromkeys(ids(run), 1)) == []


@pytest.mark.parametrize(
    ("stacks", "name"),
    [
        pytest.param([DONE, staged("prod-1")], "prd", id="an unknown stage"),
        pytest.param([staged("dev-1"), staged("prod-1")], "prod", id="earlier stages go on"),
        pytest.param([DONE, staged("prod-1", Phase.RUNNING)], "prod", id="it runs"),
        pytest.param(
            [DONE, staged("prod-1", Phase.SUCCEEDED)], "prod", id="it has nothing left to run"
        ),
        pytest.param([DONE], "prod", id="it has no stacks"),
    ],
)
def test_an_approval_of_a_stage_that_does_not_wait_says_why(
    stacks: list[progress.StackProgress], name: str, case: str, golden: Golden
) -> None:
    why = gates.why_not_approved(approvable(*stacks), [name])

    golden("stage_messages").check(f"not approved: {case}", why)


def test_an_approval_that_is_not_needed_or_was_given_says_so(golden: Golden) -> None:
    pages = golden("stage_messages")
    pages.check("not approved: not needed", gates.why_not_approved(run_of(DONE), ["dev"]))
    run = approvable(DONE, staged("prod-1"), now=LATER)
    gates.approve(run, ["prod"], now=T3)
    pages.check("not approved: given before", gates.why_not_approved(run, ["prod"]))


def test_a_plan_asks_for_no_approval() -> None:
    assert not gates.waiting(approvable(staged("dev-1"), operation="Plan"))


def test_the_soak_time_counts_from_the_last_stack_of_all_earlier_stages() -> None:
    late = staged("dev-2", Phase.SUCCEEDED, completion_time=T2)
    run = run_of(DONE, late, staged("qa-1"), now=T2)

    assert run.stages[1].since == T2
    assert run.stages[1].until == T3


@pytest.mark.parametrize(
    ("now", "ready"),
    [(T1, ["free"]), (T2, ["free", "qa-1"])],
)
def test_a_stack_starts_only_when_its_stage_may_and_one_without_a_stage_at_once(
    now: str, ready: list[str]
) -> None:
    run = run_of(*SOAKED, make_stack("free"), now=now)

    found = next_stacks.ready_stacks(run, remaining=dict.fromkeys(("free", *ids(run)), 1))

    assert [stack.id for stack in found] == ready


def test_a_stack_waits_for_its_upstreams_besides_its_stage() -> None:
    run = run_of(DONE, make_stack("free"), staged("qa-1", depends_on=["free"]), now=LATER)

    assert not run.stages[1].waits_for
    found = next_stacks.ready_stacks(run, remaining=dict.fromkeys(ids(run), 1))
    assert [stack.id for stack in found] == ["free"]


def test_no_stage_of_a_plan_waits() -> None:
    run = run_of(staged("dev-1"), staged("qa-1"), staged("prod-1"), now=T0, operation="Plan")

    assert not gates.waiting(run)
    found = next_stacks.ready_stacks(run, remaining=dict.fromkeys(ids(run), 1))
    assert [stack.id for stack in found] == ["dev-1", "prod-1", "qa-1"]


def test_a_failure_in_a_stage_of_a_plan_skips_nothing() -> None:
    run = run_of(staged("dev-1", Phase.FAILED), staged("qa-1"), operation="Plan")

    assert policy.skip_unwanted(run, now=T2) == []


def test_to_destroy_the_order_is_reversed_and_the_soak_time_stays_between_the_same_stages() -> None:
    def order(operation: Operation) -> list[tuple[str, int]]:
        return [(stage.name, stage.soak_seconds) for stage in gates.stages_of(SPEC, operation)]

    assert order(Operation.APPLY) == [("dev", 0), ("qa", 60), ("prod", 600)]
    assert order(Operation.DESTROY) == [("prod", 0), ("qa", 600), ("dev", 60)]
    assert gates.stages_of((), Operation.DESTROY) == []


def test_a_bad_end_skips_all_later_stages_and_they_name_the_stack(golden: Golden) -> None:
    run = run_of(
        staged("dev-1", Phase.FAILED),
        staged("dev-2", Phase.RUNNING),
        staged("dev-3"),
        staged("qa-1"),
        staged("prod-1"),
        make_stack("free"),
        make_stack("behind", depends_on=["prod-1"]),
    )

    skipped = policy.skip_unwanted(run, now=T2)

    by_id = {stack.id: stack for stack in run.stacks}
    assert sorted(skipped) == ["behind", "prod-1", "qa-1"]
    for stack_id in ("qa-1", "prod-1"):
        assert by_id[stack_id].reason == StackReason.STAGE_NOT_SUCCEEDED
        assert by_id[stack_id].blocked_by == "dev-1"
    assert by_id["behind"].reason == StackReason.UPSTREAM_NOT_SUCCEEDED
    assert by_id["behind"].blocked_by == "dev-1"
    golden("stack_messages").check("skipped: a later stage", by_id["qa-1"].message)


def test_what_is_skipped_in_a_stage_skips_later_ones_whose_levels_are_lower() -> None:
    run = run_of(
        make_stack("free", Phase.FAILED),
        staged("dev-1", depends_on=["free"]),
        staged("prod-1"),
    )

    skipped = policy.skip_unwanted(run, now=T2)

    assert skipped == ["dev-1", "prod-1"]
    assert {stack.blocked_by for stack in run.stacks if stack.stage} == {"free"}


def test_when_a_stack_is_pending_again_so_are_the_gates() -> None:
    """Nothing of a gate is remembered."""
    run = run_of(*SOAKED, now=T2)
    assert not run.stages[1].waits_for

    progress.set_pending(run.stacks[0])
    gates.update(run, now=datetime.datetime.fromisoformat(T2))

    assert gates.waiting(run)["qa"].waits_for == v1alpha1.StageWait.EARLIER_STAGES


def test_without_stages_nothing_waits() -> None:
    run = make_progress(make_stack("a"))

    assert (gates.waiting(run), gates.next_time(run), gates.empty(run)) == ({}, None, [])


def ids(run: progress.ChainProgress) -> list[str]:
    return [stack.id for stack in run.stacks]


# Windows

OPEN = windows.WindowState(is_open=True, until=LATER)
CLOSED = windows.WindowState(is_open=False, until=LATER)
OFFICE = v1alpha1.Window(cron="0 9 * * 1-5", duration_seconds=3600)
NO_ROOTS = v1alpha1.Roots(stack_ids=("a",))


def windowed(
    *stacks: progress.StackProgress,
    states: dict[str, windows.WindowState] | None = None,
    now: str = T3,
    window: v1alpha1.Window | None = None,
    operation: Operation = Operation.APPLY,
    soak_seconds: int = 0,
) -> progress.ChainProgress:
    """Return a run in which `dev` and `prod` follow each other and `prod` has a window."""
    stages = (
        v1alpha1.Stage(name="dev", labels=("dev",)),
        v1alpha1.Stage(name="prod", labels=("prod",), window=OFFICE, soak_seconds=soak_seconds),
    )
    own = [dataclasses.replace(stack) for stack in stacks]
    run = make_progress(*own, stages=gates.stages_of(stages, operation), operation=operation)
    scope = selection.Scope(roots=NO_ROOTS, operation=operation, stages=stages, window=window)
    gates.add_windows(run, scope)
    if states is not None:
        gates.take_windows(run, states, now=T2)
    gates.update(run, now=datetime.datetime.fromisoformat(now))
    return run


def ready(run: progress.ChainProgress) -> list[str]:
    found = next_stacks.ready_stacks(run, remaining={stack.id: 1 for stack in run.stacks})
    return [stack.id for stack in found]


def test_a_stage_waits_for_its_window_after_all_else() -> None:
    early = windowed(staged("dev-1"), staged("prod-1"), states={"prod": CLOSED})
    late = windowed(DONE, staged("prod-1"), states={"prod": CLOSED})

    assert early.stages[1].waits_for == v1alpha1.StageWait.EARLIER_STAGES
    stage = late.stages[1]
    assert (stage.waits_for, stage.phase) == (v1alpha1.StageWait.WINDOW, Phase.WAITING)
    assert (stage.since, stage.until) == (T2, LATER)
    assert gates.next_time(late) == LATER
    assert ready(late) == []


def test_an_open_window_lets_its_stacks_start_and_is_not_waited_for() -> None:
    run = windowed(DONE, staged("prod-1"), states={"prod": OPEN})

    assert run.stages[1].waits_for == ""
    assert ready(run) == ["prod-1"]
    assert gates.next_time(run) is None


@pytest.mark.parametrize("states", [None, {"prod": OPEN}, {"prod": CLOSED}])
def test_what_is_not_known_of_a_window_any_more_is_read_and_starts_nothing(
    states: dict[str, windows.WindowState] | None,
) -> None:
    run = windowed(DONE, staged("prod-1"), states=states, now=LATER)

    assert gates.must_read_windows(run)
    assert ready(run) == []
    assert gates.next_time(run) is None


def test_a_window_is_not_read_while_nothing_could_start() -> None:
    earlier = windowed(staged("dev-1"), staged("prod-1"), now=LATER)
    confirming = staged("prod-1", Phase.AWAITING_CONFIRMATION, is_started=True)
    behind = staged("prod-2", depends_on=["prod-1"])
    started = windowed(DONE, confirming, behind, states={"prod": OPEN}, now=LATER)

    assert not gates.must_read_windows(earlier)
    assert not gates.must_read_windows(started)


def test_a_window_that_closes_holds_back_what_is_left_of_a_stage() -> None:
    running = staged("prod-1", Phase.RUNNING, is_started=True)
    busy = windowed(DONE, running, staged("prod-2"), states={"prod": CLOSED})
    done = dataclasses.replace(DONE, id="prod-1", stage="prod")
    idle = windowed(DONE, done, staged("prod-2"), states={"prod": CLOSED})

    assert [run.stages[1].waits_for for run in (busy, idle)] == ["Window", "Window"]
    assert [run.stages[1].phase for run in (busy, idle)] == [Phase.RUNNING, Phase.WAITING]
    assert ready(busy) == ready(idle) == []


def test_the_window_of_the_chain_holds_back_stacks_without_a_stage() -> None:
    states = {"": CLOSED, "dev": CLOSED, "prod": OPEN}
    run = windowed(make_stack("other"), states=states, window=OFFICE)

    assert ready(run) == []
    assert gates.next_time(run) == LATER
    assert gates.closed_window(run) is run.window


def test_the_window_of_the_chain_is_that_of_all_stages() -> None:
    run = windowed(make_stack("other"), staged("dev-1"), window=OFFICE)

    assert all(stage.window is not None for stage in run.stages)


def test_a_plan_has_no_windows() -> None:
    run = windowed(staged("dev-1"), staged("prod-1"), window=OFFICE, operation=Operation.PLAN)

    assert ready(run) == ["dev-1", "prod-1"]
    assert run.window is None


def test_that_nothing_but_a_window_is_waited_for_is_the_reason_of_the_run() -> None:
    held = staged("prod-1", Phase.WAITING, is_started=True, reason=StackReason.WINDOW_CLOSED)
    failed = make_stack("other", Phase.FAILED, reason=StackReason.RUN_FAILED, completion_time=T1)
    running = staged("prod-2", Phase.RUNNING, is_started=True)
    cases = {
        "nothing has started": [DONE, staged("prod-1")],
        "a plan waits to be confirmed": [DONE, held],
        "another stack runs": [DONE, staged("prod-1"), running],
        "a stack failed": [DONE, staged("prod-1"), failed],
        "another chain has a stack": [DONE, staged("prod-1"), set_aside(StackReason.STACK_BUSY)],
    }
    found = {}
    for name, stacks in cases.items():
        run = windowed(*stacks, states={"prod": CLOSED})
        outcome.set_outcome(run)
        found[name] = str(run.reason)

    assert found == {
        "nothing has started": "WindowClosed",
        "a plan waits to be confirmed": "WindowClosed",
        "another stack runs": "Progressing",
        "a stack failed": "StackFailed",
        "another chain has a stack": "Progressing",
    }


def test_a_stack_that_waits_for_a_window_takes_no_slot_of_another() -> None:
    states = {"prod": CLOSED}
    run = windowed(DONE, staged("prod-1"), make_stack("zz"), states=states)
    run.policies = dataclasses.replace(run.policies, parallelism=1)

    assert ready(run) == ["zz"]


def test_what_is_said_of_windows(golden: Golden) -> None:
    stage = windowed(DONE, staged("prod-1"), states={"prod": CLOSED})
    chain = windowed(
        make_stack("other"), states={"": CLOSED, "dev": CLOSED, "prod": CLOSED}, window=OFFICE
    )
    for name, run in {"a stage": stage, "the chain": chain}.items():
        outcome.set_outcome(run)
        facts = make_facts(make_execution(), run)
        status = projection.project(make_ref(), v1alpha1.Status(), facts, now=T3)
        condition = status.condition("Ready")
        assert condition is not None
        rows = [f"{row.id}: {row.reason} {row.message}" for row in status.stacks]
        golden("stage_messages").check(f"window of {name}", "\n".join([condition.message, *rows]))


def test_while_a_stage_soaks_its_time_is_said_and_the_window_of_the_others() -> None:
    run = windowed(
        *(DONE, staged("prod-1"), make_stack("other")),
        states={"": CLOSED, "dev": CLOSED, "prod": CLOSED},
        window=OFFICE,
        soak_seconds=86400,
    )
    outcome.set_outcome(run)

    assert run.reason == "Progressing"
    assert run.message == (
        "Stage 'prod': Waits for its soak time of 86400 seconds (`soakSeconds`) until "
        "2026-03-02T10:01:00Z. Stacks without a stage wait for the chain's window, which is closed "
        f"until {LATER}."
    )


UNAPPROVED = progress.StageProgress(name="prod", needs_approval=True)
SOAKING = progress.StageProgress(name="prod", soak_seconds=3600)
WELL = make_stack("d", Phase.SUCCEEDED, stage="dev", completion_time=T0)
OF_PROD = make_stack("p", stage="prod")


def set_aside(reason: StackReason) -> progress.StackProgress:
    """Return a stack that is in use elsewhere; it counts as not started meanwhile."""
    return make_stack("h", Phase.WAITING, reason=reason, is_started=False)


@pytest.mark.parametrize(
    ("stage", "others", "is_orphan", "expected"),
    [
        pytest.param(UNAPPROVED, [WELL], True, "prod", id="nothing else is left"),
        pytest.param(UNAPPROVED, [WELL], False, "", id="it has its resource"),
        pytest.param(SOAKING, [WELL], True, "", id="it soaks"),
        pytest.param(UNAPPROVED, [make_stack("r", Phase.RUNNING)], True, "", id="another one runs"),
        pytest.param(UNAPPROVED, [make_stack("n")], True, "", id="another one is about to start"),
        pytest.param(UNAPPROVED, [make_stack("w")], True, "", id="one waits for its window"),
        *(
            pytest.param(UNAPPROVED, [set_aside(reason)], True, "", id=f"one waits: {reason}")
            for reason in (StackReason.STACK_LOCKED, StackReason.STACK_BUSY)
        ),
        pytest.param(
            UNAPPROVED,
            [WELL, dataclasses.replace(set_aside(StackReason.STACK_LOCKED), stage="prod")],
            True,
            "prod",
            id="one waits that cannot start then either",
        ),
        pytest.param(
            UNAPPROVED,
            [make_stack("d", Phase.RUNNING, stage="dev")],
            True,
            "",
            id="it does not wait for it yet",
        ),
        pytest.param(
            dataclasses.replace(UNAPPROVED, approved_at=T1), [WELL], True, "", id="it is approved"
        ),
    ],
)
def test_an_orphan_has_nothing_left_but_a_stage_that_no_one_can_approve(
    stage: progress.StageProgress,
    others: list[progress.StackProgress],
    is_orphan: bool,
    expected: str,
) -> None:
    stages = [progress.StageProgress(name="dev"), dataclasses.replace(stage)]
    chain = make_progress(*others, OF_PROD, stages=stages, is_orphan=is_orphan)
    if others and others[0].id == "w":
        chain.window = progress.WindowProgress(until=T1, holds_back=True)

    assert gates.unapprovable_stage(chain) == expected

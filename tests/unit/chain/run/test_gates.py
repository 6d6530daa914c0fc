"""gates: what a stage waits for, since when and until when; and what that means for its stacks."""

import dataclasses
import datetime
from typing import Any

import pytest

from controller.api import v1alpha1
from controller.api.reasons import StackReason
from controller.api.v1alpha1 import Operation, Phase
from controller.chain.run import gates, next_stacks, policy, progress
from tests.support.builders import T0, T1, T2, T3, make_progress, make_stack
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
    """Return a stack of the stage that its id begins with."""
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

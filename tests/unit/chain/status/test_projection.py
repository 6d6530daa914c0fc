"""projection.project: from the facts to the run, the stacks and the history."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.api import reasons, v1alpha1
from controller.api.reasons import ChainReason, StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.requests.executions import ExecutionState
from controller.chain.run import outcome, policy, progress
from controller.chain.status import latest_run, stack_rows
from tests.support.builders import (
    RUN_URL,
    T0,
    T1,
    T2,
    handled,
    make_execution,
    make_facts,
    make_progress,
    make_run,
    make_stack,
    make_stack_status,
    make_status,
)
from tests.support.golden import Golden
from tests.unit.chain.status.projecting import (
    PENDING,
    PROGRESSING,
    RUNNING,
    SUCCEEDED,
    condition,
    ended,
    executed,
    failed_graph,
    live,
    problem,
    project,
    verdict,
)

# The run


def test_the_latest_run_tells_who_asked_when_and_where() -> None:
    execution = make_execution(
        4, state=ExecutionState.CLOSED, cause="RunToken", generation=2, start_time=T0
    )
    known = make_progress(SUCCEEDED, make_stack("b", Phase.SKIPPED), number=4, completion_time=T2)

    run = project(make_facts(execution, known, workflow_url="https://temporal/4")).latest_run

    assert run == v1alpha1.RunStatus(
        number=4,
        attempt=1,
        cause="RunToken",
        generation=2,
        phase=Phase.SUCCEEDED,
        reason="RunSucceeded",
        message=known.message,
        start_time=T0,
        completion_time=T2,
        progress="2/2",
        summary=v1alpha1.Summary(total=2, succeeded=1, skipped=1),
        workflow_id=execution.workflow_id,
        workflow_run_id=execution.workflow_run_id,
        workflow_url="https://temporal/4",
    )


def test_no_progress_is_shown_before_the_stacks_are_known() -> None:
    run = project(live()).latest_run

    assert run is not None
    assert (run.phase, run.progress, run.summary) == (Phase.PENDING, "", v1alpha1.Summary())


def test_the_summary_counts_every_phase() -> None:
    stacks = [make_stack(f"s{place}", phase) for place, phase in enumerate(Phase)]

    counted = dataclasses.asdict(latest_run.summarize(stacks))

    assert counted.pop("total") == len(Phase)
    assert set(counted.values()) == {1}


@given(st.lists(st.sampled_from(list(Phase)), min_size=1, max_size=30))
def test_the_summary_adds_up_to_its_total(phases: list[Phase]) -> None:
    facts = live(*(make_stack(f"s{place}", phase) for place, phase in enumerate(phases)))

    found = project(facts)

    assert found.latest_run is not None
    counted = dataclasses.asdict(found.latest_run.summary)
    assert counted.pop("total") == sum(counted.values()) == len(found.stacks)


def test_what_was_handled_is_what_the_decision_says() -> None:
    asks = handled(run="token")

    assert project(make_facts(make_execution(1), handled=asks)).last_handled == asks


# The stacks


def test_stacks_are_sorted_by_level_and_id() -> None:
    found = project(
        live(make_stack("z"), make_stack("b", depends_on="z"), make_stack("a", depends_on="zb"))
    )

    assert [(stack.id, stack.level) for stack in found.stacks] == [("z", 0), ("b", 1), ("a", 2)]
    assert found.stacks[2].depends_on == ("b", "z")


def test_a_stack_tells_of_its_run() -> None:
    stack = make_stack(
        "a",
        Phase.SUCCEEDED,
        name="VPC",
        run_source="Adopted",
        run_state="FINISHED",
        delta=v1alpha1.Delta(added=1, changed=2, deleted=3),
    )

    (found,) = project(ended(stack)).stacks

    assert found == v1alpha1.StackStatus(
        id="a",
        level=0,
        phase=Phase.SUCCEEDED,
        name="VPC",
        reason="RunFinished",
        run_id="01RUNA",
        run_source="Adopted",
        run_state="FINISHED",
        run_url=RUN_URL.format(stack="a", run="01RUNA"),
        start_time=T0,
        completion_time=T1,
        delta=v1alpha1.Delta(added=1, changed=2, deleted=3),
    )


def test_a_name_that_is_the_id_and_an_unknown_delta_are_left_out() -> None:
    (found,) = project(live(make_stack("a", Phase.RUNNING))).stacks

    assert (found.name, found.delta) == (None, None)


@pytest.mark.parametrize(
    ("upstreams", "reason"),
    [
        pytest.param([], StackReason.SLOT_PENDING, id="a slot"),
        pytest.param(["a"], StackReason.UPSTREAM_PENDING, id="one upstream"),
        pytest.param(list("abcdefg"), StackReason.UPSTREAM_PENDING, id="many upstreams"),
    ],
)
def test_a_pending_stack_says_what_it_waits_for(
    upstreams: list[str], reason: str, case: str, golden: Golden
) -> None:
    running = [make_stack(name, Phase.RUNNING) for name in upstreams or "y"]

    found = project(live(*running, make_stack("z", depends_on=upstreams), parallelism=1)).stacks[-1]

    assert found.reason == reason
    golden("stack_messages").check(f"pending: {case}", found.message or "")


@pytest.mark.parametrize(
    ("parallelism", "reason"), [(1, StackReason.SLOT_PENDING), (2, StackReason.STARTING)]
)
def test_a_stack_of_a_plan_waits_for_a_slot_at_most(parallelism: int, reason: str) -> None:
    running = make_stack("y", Phase.RUNNING)
    stacks = (running, make_stack("z", depends_on="y"))

    found = project(live(*stacks, parallelism=parallelism, operation="Plan")).stacks[-1]

    assert (found.reason, found.depends_on) == (reason, ("y",))


@pytest.mark.parametrize(
    ("parallelism", "adopts_from"),
    [pytest.param(2, None, id="a slot is free"), pytest.param(1, "y", id="it needs no slot")],
)
def test_a_stack_that_is_about_to_start_does_not_say_that_it_waits_for_a_slot(
    parallelism: int, adopts_from: str | None
) -> None:
    running = make_stack("y", Phase.RUNNING)

    found = project(
        live(running, make_stack("z", adopts_from=adopts_from), parallelism=parallelism)
    ).stacks[-1]

    assert (found.phase, found.reason, found.message) == (Phase.PENDING, StackReason.STARTING, None)


def test_a_pending_stack_does_not_wait_for_what_has_ended(golden: Golden) -> None:
    found = project(
        live(
            make_stack("a", Phase.SUCCEEDED),
            make_stack("b", Phase.RUNNING),
            make_stack("c", depends_on="ab"),
        )
    )

    message = found.stacks[-1].message or ""
    golden("stack_messages").check("pending: one of two upstreams has ended", message)


def test_a_skipped_stack_names_its_culprit() -> None:
    known = make_progress(make_stack("a", Phase.FAILED), make_stack("b", depends_on="a"))
    policy.skip_unwanted(known, now=T2)
    outcome.set_outcome(known)

    found = project(make_facts(make_execution(1), known)).stacks[-1]

    assert (found.phase, found.reason, found.blocked_by) == (
        Phase.SKIPPED,
        StackReason.UPSTREAM_NOT_SUCCEEDED,
        "a",
    )


def test_texts_are_cut_to_what_the_schema_takes() -> None:
    stack = make_stack("a", Phase.FAILED, message="m" * 5000, name="n" * 5000)

    found = project(ended(stack))

    assert len(found.stacks[0].message or "") == 512
    assert len(found.stacks[0].name or "") == 256
    assert found.latest_run is not None
    assert len(found.latest_run.message) <= 1024


def test_of_a_dense_graph_only_some_upstreams_are_listed() -> None:
    """An object may have 1.5 MB; 500 stacks may have 124,750 edges."""
    ups = [make_stack(f"u{number:03}") for number in range(100)]
    last = make_stack("z", depends_on=[stack.id for stack in ups])

    found = project(live(*ups, last))

    assert len(found.stacks[-1].depends_on) == stack_rows.LISTED_UPSTREAMS
    assert found.graph is not None
    assert found.graph.edges == 100


def test_the_graph_is_what_was_read_last() -> None:
    found = project(live(make_stack("a", Phase.SUCCEEDED), make_stack("b", depends_on="a")))

    assert found.graph == v1alpha1.GraphStatus(stacks=2, edges=1, levels=2, resolved_time=T0)
    assert project(live(number=2), found).graph == found.graph


# A new run


def test_a_new_run_does_not_show_the_stacks_of_the_one_before() -> None:
    first = project(ended(make_stack("a", Phase.FAILED)))
    started = make_facts(make_execution(2))

    for facts in (started, live(number=2)):
        second = project(facts, first)

        assert second.stacks == ()
        assert second.latest_run is not None
        assert (second.latest_run.number, second.latest_run.phase) == (2, Phase.PENDING)
        assert verdict(second) == PROGRESSING
        assert condition(second, "GraphResolved").status == "Unknown"


def test_a_graph_that_cannot_be_run_any_more_leaves_no_stacks() -> None:
    first = project(ended(SUCCEEDED))
    known = failed_graph(ChainReason.GRAPH_CYCLE, number=2)

    second = project(make_facts(make_execution(2), known), first)

    assert second.stacks == ()
    assert condition(second, "GraphResolved").status == "False"


def test_stacks_stay_while_no_worker_answers() -> None:
    before = project(live(RUNNING))
    facts = executed(
        ExecutionState.RUNNING, problem=problem(ChainReason.WORKER_UNAVAILABLE, is_retrying=True)
    )

    after = project(facts, before)

    assert after.stacks == before.stacks
    assert after.latest_run == before.latest_run


# History


def test_the_run_before_moves_to_the_history() -> None:
    old = make_status(make_run(2), history=(make_run(1),))

    found = project(make_facts(make_execution(3)), old)

    assert found.latest_run is not None
    assert found.latest_run.number == 3
    assert [run.number for run in found.history] == [2, 1]


@pytest.mark.parametrize("limit", [0, 1, 2, 50])
def test_the_history_is_as_long_as_the_spec_wants(limit: int) -> None:
    old = make_status(make_run(4), history=tuple(make_run(number) for number in (3, 2, 1)))

    found = project(make_facts(make_execution(5), history_limit=limit), old)

    assert [run.number for run in found.history] == [4, 3, 2, 1][:limit]


def replaced(*stacks: v1alpha1.StackStatus, **fields: Any) -> v1alpha1.Status:
    """A run that was canceled, as a request waited for its end."""
    canceled = make_run(2, phase=Phase.CANCELED, reason=reasons.ChainReason.RUN_CANCELED)
    old = make_status(canceled, stacks=stacks, history=(make_run(1),))
    return dataclasses.replace(old, **{"pending_run": PENDING, **fields})


NOT_RUN = {"phase": Phase.CANCELED, "reason": StackReason.CHAIN_CANCELED}
KEPT = {"phase": Phase.SUCCEEDED, "reason": StackReason.KEPT, "run_id": "01RUN"}


@pytest.mark.parametrize(
    ("stacks", "is_left_out"),
    [
        pytest.param((), True, id="before its stacks were read"),
        pytest.param((make_stack_status("a", **NOT_RUN),), True, id="before it triggered any"),
        pytest.param(
            (make_stack_status("a", **KEPT), make_stack_status("b", **NOT_RUN)),
            True,
            id="a retry that kept some",
        ),
        pytest.param(
            (make_stack_status("a", **NOT_RUN, run_id="01RUN"),), False, id="a run was stopped"
        ),
        pytest.param(
            (make_stack_status("a", **NOT_RUN, unused_runs=(v1alpha1.UnusedRun(run_id="01RUN"),)),),
            False,
            id="Spacelift carried out a run",
        ),
    ],
)
def test_a_run_that_was_replaced_before_it_did_anything_is_left_out(
    stacks: tuple[v1alpha1.StackStatus, ...], is_left_out: bool
) -> None:
    found = project(make_facts(make_execution(3)), replaced(*stacks))

    assert [run.number for run in found.history] == ([1] if is_left_out else [2, 1])


def test_a_run_that_a_person_canceled_is_in_the_history() -> None:
    found = project(make_facts(make_execution(3)), replaced(pending_run=None))

    assert [run.number for run in found.history] == [2, 1]


def test_what_can_be_done_about_a_run_is_not_in_the_history() -> None:
    """A retry of any but the latest run is refused."""
    ended = executed(ExecutionState.TERMINATED)
    after = project(make_facts(make_execution(2)), project(ended))

    assert [run.reason for run in after.history] == ["WorkflowTerminated"]
    assert "annotation" not in (after.history[0].message or "")


def test_the_attempts_of_one_run_are_one_run_in_the_history() -> None:
    bad = make_run(1, phase=Phase.FAILED, reason=reasons.ChainReason.UNKNOWN_STACK)

    found = project(make_facts(make_execution(1, attempt=2, start_time=T2)), make_status(bad))

    assert found.history == ()


# Suspended, not requested, several attempts


def suspended(*stacks: progress.StackProgress) -> v1alpha1.Status:
    facts = live(*stacks, is_suspended=True)
    return project(dataclasses.replace(facts, is_suspended=True))


def test_a_suspended_chain_that_is_idle_waits_for_nobody_but_the_spec(golden: Golden) -> None:
    done = make_stack("a", Phase.SUCCEEDED)

    found = suspended(done, make_stack("b"), make_stack("c", depends_on="b"))

    assert verdict(found) == ("Unknown", "Suspended", "False", "False")
    assert [stack.reason for stack in found.stacks[1:]] == ["Suspended", "UpstreamPending"]
    shown = condition(found, "Suspended")
    assert (shown.status, shown.reason) == ("True", "Suspended")
    golden("chain_conditions").check("Suspended", shown.message)
    golden("stack_messages").check("pending: suspended", found.stacks[1].message or "")


def test_a_suspended_chain_is_still_busy_while_a_run_ends(golden: Golden) -> None:
    found = suspended(make_stack("a", Phase.RUNNING), make_stack("b"))

    assert verdict(found) == ("Unknown", "Suspended", "True", "False")
    message = condition(found, "Ready").message
    golden("chain_conditions").check("Ready: suspended while a run ends", message)


def test_a_suspended_chain_with_nothing_left_to_start_is_in_progress_as_any_other() -> None:
    found = suspended(make_stack("a", Phase.RUNNING))

    assert verdict(found) == ("Unknown", "Progressing", "True", "False")


@pytest.mark.parametrize(
    ("latest", "asks"),
    [
        pytest.param(None, v1alpha1.Handled(), id="never ran"),
        pytest.param(make_run(3), handled(), id="ran another spec"),
        pytest.param(None, handled(), id="restored, or created to destroy"),
    ],
)
def test_what_is_to_run_on_request_says_that_nobody_asked(
    latest: v1alpha1.RunStatus | None, asks: v1alpha1.Handled, case: str, golden: Golden
) -> None:
    old = make_status(latest) if latest else v1alpha1.Status()
    execution = make_execution(3, state=ExecutionState.CLOSED) if latest else None

    found = project(make_facts(execution, handled=asks, is_not_requested=True), old)

    assert verdict(found) == ("Unknown", "NotRequested", "False", "False")
    message = condition(found, "Ready").message
    golden("chain_conditions").check(f"Ready: not requested, {case}", message)


def test_a_second_attempt_shows() -> None:
    found = project(live(make_stack("a", Phase.RUNNING, attempts=2), make_stack("b")))

    assert [stack.attempts for stack in found.stacks] == [2, None]


def test_a_stack_that_was_disabled_says_so_while_it_waits() -> None:
    known = make_progress(
        make_stack("a", Phase.RUNNING), make_stack("b", depends_on="a", is_disabled=True)
    )

    row = project(make_facts(make_execution(1), known)).stacks[1]

    assert (row.phase, row.reason) == (Phase.PENDING, StackReason.UPSTREAM_PENDING)
    assert "was disabled in Spacelift" in (row.message or "")


def test_a_retry_keeps_nothing_of_what_spacelift_carried_out_besides() -> None:
    unused = v1alpha1.UnusedRun(run_id="01N")
    succeeded = v1alpha1.StackStatus(
        id="a", level=0, phase=Phase.SUCCEEDED, reason="RunFinished", unused_runs=(unused,)
    )

    (kept,) = stack_rows.not_run(v1alpha1.Status(stacks=(succeeded,)), None)

    assert kept.unused_runs == ()


def test_a_retry_keeps_the_source_of_a_run_but_not_of_one_that_is_bypassed() -> None:
    rows = tuple(
        v1alpha1.StackStatus(
            id=name, level=0, phase=phase, run_id=f"01{name}", run_source="Adopted"
        )
        for name, phase in (("a", Phase.SUCCEEDED), ("b", Phase.FAILED), ("c", Phase.FAILED))
    )
    execution = dataclasses.replace(make_execution(2), named=("d",), bypassed=("c",))

    found = stack_rows.not_run(v1alpha1.Status(stacks=rows), execution)

    assert {row.id: row.run_source for row in found} == {"a": "Adopted", "b": "Adopted", "c": None}


def test_stages_are_shown_in_their_order_with_what_they_wait_for(golden: Golden) -> None:
    stages = [
        progress.StageProgress(name="dev"),
        progress.StageProgress(name="qa"),
        progress.StageProgress(name="prod", soak_seconds=3600),
    ]
    done = make_stack("d", Phase.SUCCEEDED, stage="dev", completion_time=T2)
    facts = live(done, make_stack("p", stage="prod"), stages=stages, now=T2)

    found = project(facts)

    run = found.latest_run
    assert run is not None
    shown = [(str(stage.phase), stage.progress, stage.waits_for) for stage in run.stages]
    assert shown == [
        ("Succeeded", "1/1", None),
        ("Skipped", "0/0", None),
        ("Waiting", "0/1", "Soak"),
    ]
    assert (run.stages[2].since, run.stages[2].until) == (T2, "2026-03-01T11:02:00Z")
    assert found.stacks[1].reason == StackReason.STAGE_PENDING
    pages = golden("stage_messages")
    pages.check("a stack whose stage waits", found.stacks[1].message or "")
    pages.check("the run while only a stage waits", run.message)
    resolved = found.condition("GraphResolved")
    pages.check("a stage without stacks", resolved.message if resolved else "")


def test_the_stages_of_a_run_whose_end_is_unknown_are_not_shown() -> None:
    facts = live(make_stack("d", stage="dev"), stages=[progress.StageProgress(name="dev")])
    old = project(facts)

    found = project(executed(ExecutionState.TERMINATED), old)

    assert found.latest_run is not None
    assert found.latest_run.stages == ()

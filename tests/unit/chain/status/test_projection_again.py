"""projection.project: runs that are tried again, unreported ends, and what always holds."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.api import reasons, v1alpha1
from controller.api.reasons import ChainReason, StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.requests import executions
from controller.chain.requests.executions import ExecutionState
from controller.chain.run import progress
from controller.chain.status import latest_run, projection
from tests.support.builders import (
    T0,
    T1,
    T2,
    T3,
    execution_run_id,
    make_execution,
    make_facts,
    make_progress,
    make_run,
    make_stack,
    make_status,
)
from tests.support.golden import Golden
from tests.unit.chain.status.projecting import (
    EMPTY,
    PENDING,
    PROGRESSING,
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

# Rechecks


def bad_root() -> v1alpha1.Status:
    return project(
        make_facts(
            make_execution(1, state=ExecutionState.CLOSED),
            failed_graph(ChainReason.UNKNOWN_STACK),
        ),
        now=T1,
    )


def second_attempt(
    known: progress.ChainProgress | None = None, *, state: ExecutionState = ExecutionState.RUNNING
) -> projection.ChainFacts:
    return make_facts(make_execution(1, attempt=2, state=state, start_time=T2), known)


@pytest.mark.parametrize(
    "known",
    [
        pytest.param(None, id="started a moment ago"),
        pytest.param(make_progress(attempt=2), id="reading the stacks"),
    ],
)
def test_a_recheck_changes_nothing_until_it_has_news(known: progress.ChainProgress | None) -> None:
    before = bad_root()

    after = project(second_attempt(known), before, now=T3)

    assert after.conditions == before.conditions
    assert after.latest_run is not None
    assert before.latest_run is not None
    assert after.latest_run.attempt == 2
    assert after.latest_run.workflow_run_id == execution_run_id(1, 2)
    assert after.latest_run.start_time == before.latest_run.start_time
    assert after.latest_run.completion_time == before.latest_run.completion_time


def test_a_recheck_that_finds_the_same_keeps_the_conditions() -> None:
    before = bad_root()
    during = project(second_attempt(), before, now=T2)
    same = failed_graph(ChainReason.UNKNOWN_STACK, attempt=2, completion_time=T3)

    after = project(second_attempt(same), during, now=T3)

    assert after.conditions == before.conditions
    assert after.latest_run is not None
    assert (after.latest_run.start_time, after.latest_run.completion_time) == (T0, T3)


def test_a_recheck_that_finds_the_stacks_goes_on_as_that_run() -> None:
    during = project(second_attempt(), bad_root())
    known = make_progress(make_stack("a", Phase.RUNNING), attempt=2)

    after = project(second_attempt(known), during)

    assert verdict(after) == PROGRESSING
    assert after.latest_run is not None
    assert (after.latest_run.number, after.latest_run.attempt) == (1, 2)
    assert after.latest_run.completion_time is None


def test_a_recheck_that_was_terminated_is_told() -> None:
    """Otherwise the problem would stay forever, and nothing would check it again."""
    during = project(second_attempt(), bad_root())

    after = project(second_attempt(state=ExecutionState.TERMINATED), during)

    assert verdict(after)[1] == ChainReason.WORKFLOW_TERMINATED


def test_a_recheck_whose_result_nobody_wrote_is_harvested() -> None:
    during = project(second_attempt(), bad_root())
    known = make_progress(SUCCEEDED, attempt=2, completion_time=T3)

    after = project(second_attempt(known, state=ExecutionState.CLOSED), during)

    assert verdict(after)[:2] == ("True", "RunSucceeded")


def after_a_failed_run() -> v1alpha1.Status:
    return project(
        ended(
            make_stack(
                "a",
                Phase.SUCCEEDED,
                attempts=2,
                delta=v1alpha1.Delta(added=1, changed=0, deleted=0),
            ),
            make_stack("b", Phase.SKIPPED, reason=StackReason.OUTPUT_UNCHANGED, has_run=True),
            make_stack("c", Phase.FAILED),
        )
    )


def retry_that(known: progress.ChainProgress | None, *, attempt: int = 1) -> projection.ChainFacts:
    execution = make_execution(
        2, cause=v1alpha1.Cause.RETRY, attempt=attempt, state=ExecutionState.RUNNING
    )
    return make_facts(execution, known)


@pytest.mark.parametrize(
    "known",
    [
        pytest.param(None, id="nothing is known of it"),
        pytest.param(make_progress(number=2, cause="Retry"), id="it reads the stacks"),
        pytest.param(
            failed_graph(ChainReason.CREDENTIALS_REJECTED, number=2, cause="Retry"),
            id="it cannot read the stacks",
        ),
    ],
)
def test_a_retry_shows_what_it_keeps_even_if_it_cannot_read_the_stacks(
    known: progress.ChainProgress | None,
) -> None:
    """What comes after it knows from this alone which stacks are not to run again."""
    before = after_a_failed_run()

    after = project(retry_that(known), before)
    again = project(retry_that(None, attempt=2), after)

    assert [(row.id, row.phase, row.reason) for row in after.stacks] == [
        ("a", Phase.SUCCEEDED, StackReason.KEPT),
        ("b", Phase.SUCCEEDED, StackReason.KEPT),
    ]
    assert [row.run_id for row in after.stacks] == [row.run_id for row in before.stacks[:2]]
    assert after.stacks[0].message == progress.kept_message(1)
    assert (after.stacks[0].delta, after.stacks[0].attempts) == (None, None)
    assert again.stacks == after.stacks
    assert condition(after, "GraphResolved").status != "True"


def test_another_run_than_a_retry_does_not_show_the_stacks_of_the_run_before() -> None:
    after = project(
        make_facts(make_execution(2, state=ExecutionState.RUNNING)), after_a_failed_run()
    )

    assert after.stacks == ()


def test_an_ask_during_a_recheck_shows_as_progress() -> None:
    facts = dataclasses.replace(second_attempt(), pending=PENDING, has_unhandled=True)

    assert verdict(project(facts, bad_root(), generation=2)) == PROGRESSING


def test_a_recheck_that_does_not_reach_spacelift_says_so() -> None:
    known = make_progress(
        attempt=2, problem_reason=ChainReason.SPACELIFT_UNREACHABLE, problem_message="Time-out."
    )

    assert verdict(project(second_attempt(known), bad_root()))[1] == "SpaceliftUnreachable"


# Unreported ends


def in_progress() -> v1alpha1.Status:
    return project(
        live(
            make_stack("a", Phase.SUCCEEDED),
            make_stack("b", Phase.RUNNING),
            make_stack("c", depends_on="b"),
        )
    )


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(executed(ExecutionState.TERMINATED), id="terminated"),
        pytest.param(
            executed(ExecutionState.TERMINATED, termination="cleaning up"),
            id="terminated with a reason",
        ),
        pytest.param(
            executed(ExecutionState.TERMINATED, termination="Workflow history size exceeds limit."),
            id="terminated by Temporal",
        ),
        pytest.param(executed(ExecutionState.FAILED), id="failed"),
        pytest.param(make_facts(None), id="gone from Temporal"),
        pytest.param(
            make_facts(make_execution(1, workflow_run_id="other")), id="ended before a duplicate"
        ),
    ],
)
def test_a_run_that_ended_without_a_word_leaves_nothing_in_progress(
    facts: projection.ChainFacts, case: str, golden: Golden
) -> None:
    after = project(facts, in_progress())

    assert {stack.id: (stack.phase, stack.reason) for stack in after.stacks} == {
        "a": (Phase.SUCCEEDED, StackReason.RUN_FINISHED),
        "b": (Phase.FAILED, StackReason.EXECUTION_ENDED),
        "c": (Phase.SKIPPED, StackReason.EXECUTION_ENDED),
    }
    assert after.latest_run is not None
    assert after.latest_run.summary == v1alpha1.Summary(total=3, succeeded=1, failed=1, skipped=1)
    assert after.latest_run.completion_time == T3
    golden("run_messages").check(f"ended without a word: {case}", after.latest_run.message)
    for stack in after.stacks[1:]:
        said = f"ended without a word: {stack.phase}"
        golden("stack_messages").check(said, stack.message or "")
    assert project(facts, after, now="later") == after


@pytest.mark.parametrize(
    "known",
    [
        pytest.param(None, id="no worker answers yet"),
        pytest.param(make_progress(), id="reading the stacks again"),
    ],
)
def test_a_run_that_was_reset_stays_as_it_was_until_it_has_read_its_stacks_again(
    known: progress.ChainProgress | None,
) -> None:
    before = in_progress()
    made = make_execution(1, workflow_run_id="made", start_time=T2, is_reset=True)

    after = project(make_facts(made, known), before)

    assert after.stacks == before.stacks
    assert after.latest_run is not None
    assert before.latest_run is not None
    assert after.latest_run.workflow_run_id == "made"
    assert after.latest_run.start_time == before.latest_run.start_time
    assert not after.latest_run.phase.is_over


def test_a_run_that_was_reset_says_that_it_reads_its_stacks() -> None:
    made = make_execution(1, workflow_run_id="made", start_time=T2, is_reset=True)

    after = project(make_facts(made, make_progress()), in_progress())

    assert condition(after, "Ready").message == "Run 1: reading the stacks from Spacelift."


def test_a_run_that_was_reset_and_cannot_read_its_stacks_says_that_their_end_is_not_known() -> None:
    made = make_execution(1, state=ExecutionState.CLOSED, workflow_run_id="made", is_reset=True)
    known = failed_graph(ChainReason.UNKNOWN_STACK, completion_time=T3)

    after = project(make_facts(made, known), in_progress())

    assert verdict(after)[1] == ChainReason.UNKNOWN_STACK
    assert {stack.id: stack.reason for stack in after.stacks} == {
        "a": StackReason.RUN_FINISHED,
        "b": StackReason.EXECUTION_ENDED,
        "c": StackReason.EXECUTION_ENDED,
    }


def test_an_end_that_was_told_stands_though_the_workflow_was_terminated_after() -> None:
    before = project(live(SUCCEEDED))

    assert project(executed(ExecutionState.TERMINATED), before).latest_run == before.latest_run


def test_past_retention_the_status_stays_as_it_is() -> None:
    before = project(ended(SUCCEEDED))

    assert project(make_facts(None), before) == before


@pytest.mark.parametrize(
    "reason",
    [ChainReason.TEMPORAL_UNREACHABLE, ChainReason.DELETING, ChainReason.INVALID_SPEC],
)
def test_a_run_that_nobody_could_ask_about_is_not_called_lost(reason: ChainReason) -> None:
    before = in_progress()

    after = project(make_facts(None, problem=problem(reason, is_retrying=True)), before)

    assert after.latest_run == before.latest_run
    assert after.stacks == before.stacks


# Two operators for a moment


def test_an_execution_that_the_resource_has_superseded_shows_nothing() -> None:
    before = project(ended(SUCCEEDED, make_stack("b", Phase.SUCCEEDED)))
    duplicate = make_execution(1, workflow_run_id="other")
    known = make_progress(make_stack("a"), make_stack("b"))

    assert project(make_facts(duplicate, known), before) == before


def test_the_newest_history_deleted_leaves_the_status_as_it_is() -> None:
    before = project(ended(SUCCEEDED, number=2))
    older = make_execution(1, state=ExecutionState.CLOSED)

    after = project(make_facts(older, make_progress(make_stack("a", Phase.FAILED))), before)

    assert after == before


# Properties


@st.composite
def facts_of_a_run(draw: st.DrawFn) -> projection.ChainFacts:
    """Any facts that can come together, of a run of up to six stacks in a row."""
    number = draw(st.integers(min_value=1, max_value=3))
    attempt = draw(st.integers(min_value=1, max_value=2))
    state = draw(st.sampled_from(list(ExecutionState)))
    execution = make_execution(
        number, attempt=attempt, state=state, start_time=draw(st.sampled_from([T0, T2]))
    )
    fields: dict[str, object] = {}
    if draw(st.booleans()):
        fields["problem"] = projection.Problem(
            reason=draw(st.sampled_from(list(ChainReason))),
            message="It is so.",
            is_retrying=draw(st.booleans()),
        )
    if state is ExecutionState.RUNNING and draw(st.booleans()):
        fields["pending"] = PENDING
    if draw(st.booleans()):
        return make_facts(draw(st.sampled_from([None, execution])), **fields)
    if state not in (ExecutionState.RUNNING, ExecutionState.CLOSED):
        return make_facts(execution, **fields)
    known = draw(_known(number, attempt, is_closed=state is ExecutionState.CLOSED))
    return make_facts(execution, known, **fields)


def _known(
    number: int, attempt: int, *, is_closed: bool
) -> st.SearchStrategy[progress.ChainProgress]:
    phases = [phase for phase in Phase if phase.is_over or not is_closed]

    def build(
        chosen: list[Phase], reason: ChainReason, is_stopping: bool
    ) -> progress.ChainProgress:
        if not chosen and is_closed:
            return failed_graph(reason, number=number, attempt=attempt)
        stacks = [make_stack(f"s{place}", phase) for place, phase in enumerate(chosen)]
        known = make_progress(*stacks, number=number, attempt=attempt)
        if is_stopping and not is_closed:
            known.completion_time = None
        return known

    return st.builds(
        build,
        st.lists(st.sampled_from(phases), max_size=6),
        st.sampled_from(sorted(reasons.RECHECKED)),
        st.booleans(),
    )


@st.composite
def histories(draw: st.DrawFn) -> v1alpha1.Status:
    """A status that came about by looking at some facts one after the other."""
    found = EMPTY
    for facts in draw(st.lists(facts_of_a_run(), max_size=4)):
        found = project(facts, found, now=draw(st.sampled_from([T0, T1, T2])))
    return found


@given(histories(), facts_of_a_run())
def test_projecting_twice_writes_once(old: v1alpha1.Status, facts: projection.ChainFacts) -> None:
    once = project(facts, old, now=T2)

    assert project(facts, once, now=T3) == once


@given(histories(), facts_of_a_run())
def test_a_status_survives_being_stored(old: v1alpha1.Status, facts: projection.ChainFacts) -> None:
    found = project(facts, old)

    assert v1alpha1.read_status(v1alpha1.status_to_dict(found)) == found


@given(histories(), facts_of_a_run())
def test_ready_is_true_only_if_a_run_succeeded_and_nothing_is_asked(
    old: v1alpha1.Status, facts: projection.ChainFacts
) -> None:
    found = project(facts, old)

    if condition(found, "Ready").status == "True":
        assert not facts.has_unhandled
        assert facts.problem is None
        assert found.latest_run is not None
        assert found.latest_run.phase is Phase.SUCCEEDED
        assert all(stack.phase in (Phase.SUCCEEDED, Phase.SKIPPED) for stack in found.stacks)


@given(histories(), facts_of_a_run())
def test_whatever_happens_the_status_holds_together(
    old: v1alpha1.Status, facts: projection.ChainFacts
) -> None:
    found = project(facts, old)

    run = found.latest_run
    reconciling, stalled = condition(found, "Reconciling"), condition(found, "Stalled")
    assert (reconciling.status, stalled.status) != ("True", "True")
    assert not found.stacks or run is not None
    if run is None:
        return
    before = old.latest_run
    assert before is None or run.number >= before.number
    counted = dataclasses.asdict(run.summary)
    assert counted.pop("total") == sum(counted.values())
    assert run.summary == latest_run.summarize(found.stacks)
    if run.phase.is_over:
        assert run.completion_time is not None
        assert all(stack.phase.is_over for stack in found.stacks)


@given(histories(), facts_of_a_run())
def test_runs_never_go_back(old: v1alpha1.Status, facts: projection.ChainFacts) -> None:
    """An execution that is older than what the status shows changes no run."""
    latest = old.latest_run
    if latest is None or facts.execution is None:
        return
    if not executions.is_duplicate(facts.execution, latest):
        return

    found = project(facts, old)

    assert found.latest_run is not None
    assert found.latest_run.workflow_run_id == latest.workflow_run_id


def test_an_empty_status_of_a_resource_that_nobody_serves_has_no_run() -> None:
    facts = make_facts(None, problem=problem(ChainReason.CONNECTION_UNKNOWN, is_retrying=False))

    found = project(facts)

    assert found.latest_run is None
    assert found.stacks == ()


def test_a_run_is_made_up_of_what_the_description_tells_while_nobody_answers() -> None:
    found = project(executed(ExecutionState.RUNNING), make_status())

    assert found.latest_run == make_run(
        1, phase=Phase.PENDING, reason=ChainReason.PROGRESSING, message=""
    )

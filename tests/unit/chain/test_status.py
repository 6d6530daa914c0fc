"""status.project: from the facts to the status, row by row of what can be the case."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.api import reasons, v1alpha1
from controller.api.reasons import ChainReason, StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.requests import executions
from controller.chain.requests.executions import ExecutionState
from controller.chain.run import outcome, policy, progress
from controller.chain.status import projection, stack_rows
from tests.support.builders import (
    RUN_URL,
    T0,
    T1,
    T2,
    T3,
    execution_run_id,
    handled,
    make_execution,
    make_facts,
    make_progress,
    make_ref,
    make_run,
    make_stack,
    make_status,
)

NOW = T3
EMPTY = v1alpha1.Status()
PENDING = v1alpha1.PendingRun(cause="Spec", message="Waits for run 1 to end.")


def project(
    facts: projection.ChainFacts,
    old: v1alpha1.Status = EMPTY,
    *,
    generation: int = 1,
    now: str = NOW,
) -> v1alpha1.Status:
    return projection.project(make_ref(generation=generation), old, facts, now=now)


def condition(found: v1alpha1.Status, type_: str) -> v1alpha1.Condition:
    result = found.condition(type_)
    assert result is not None
    return result


def verdict(found: v1alpha1.Status) -> tuple[str, str, str, str]:
    """Return Ready, its reason, Reconciling and Stalled, as the table of situations has them."""
    ready = condition(found, "Ready")
    stalled, reconciling = condition(found, "Stalled"), condition(found, "Reconciling")
    assert {ready.reason} == {stalled.reason, reconciling.reason}
    return ready.status, ready.reason, reconciling.status, stalled.status


def kstatus(found: v1alpha1.Status, generation: int) -> str:
    """Return what tools that know kstatus make of a status."""
    if found.observed_generation != generation:
        return "InProgress"
    if condition(found, "Reconciling").status == "True":
        return "InProgress"
    if condition(found, "Stalled").status == "True":
        return "Failed"
    return "Current" if condition(found, "Ready").status == "True" else "InProgress"


def problem(reason: ChainReason, *, is_retrying: bool) -> projection.Problem:
    return projection.Problem(reason=reason, message="It is so.", is_retrying=is_retrying)


def live(*stacks: progress.StackProgress, **fields: object) -> projection.ChainFacts:
    known = make_progress(*stacks, **fields)  # type: ignore[arg-type]
    return make_facts(make_execution(known.number, attempt=known.attempt), known)


def ended(*stacks: progress.StackProgress, **fields: object) -> projection.ChainFacts:
    known = make_progress(*stacks, **fields)  # type: ignore[arg-type]
    execution = make_execution(known.number, attempt=known.attempt, state=ExecutionState.CLOSED)
    return make_facts(execution, known)


def failed_graph(reason: ChainReason, **fields: object) -> progress.ChainProgress:
    return make_progress(
        phase=Phase.FAILED,
        reason=reason,
        message="Mend it.",
        **fields,  # type: ignore[arg-type]
    )


def known_problem(reason: ChainReason) -> projection.ChainFacts:
    return live(problem_reason=reason, problem_message="It is so.")


def executed(state: ExecutionState, **fields: object) -> projection.ChainFacts:
    return make_facts(make_execution(1, state=state), **fields)


PROGRESSING = ("Unknown", "Progressing", "True", "False")
RUNNING = make_stack("a", Phase.RUNNING)
SUCCEEDED = make_stack("a", Phase.SUCCEEDED)

SITUATIONS = [
    pytest.param(executed(ExecutionState.RUNNING), PROGRESSING, id="started a moment ago"),
    pytest.param(live(), PROGRESSING, id="reading the stacks"),
    pytest.param(live(RUNNING), PROGRESSING, id="running"),
    pytest.param(
        live(make_stack("a", Phase.FAILED), make_stack("b", Phase.RUNNING)),
        PROGRESSING,
        id="running on after a failure",
    ),
    pytest.param(
        live(make_stack("a", Phase.AWAITING_CONFIRMATION), make_stack("b", Phase.RUNNING)),
        ("Unknown", "AwaitingConfirmation", "True", "False"),
        id="waiting for a person",
    ),
    pytest.param(
        ended(SUCCEEDED), ("True", "RunSucceeded", "False", "False"), id="succeeded, nothing waits"
    ),
    pytest.param(
        live(SUCCEEDED), ("True", "RunSucceeded", "False", "False"), id="succeeded, about to close"
    ),
    *(
        pytest.param(
            live(make_stack("a", phase), is_stopping=True),
            PROGRESSING,
            id=f"{phase}, and unwanted runs are still being stopped",
        )
        for phase in (Phase.SUCCEEDED, Phase.FAILED)
    ),
    pytest.param(
        dataclasses.replace(live(SUCCEEDED), pending=PENDING, has_unhandled=True),
        PROGRESSING,
        id="succeeded, and a request waits",
    ),
    pytest.param(
        dataclasses.replace(live(RUNNING), pending=PENDING, has_unhandled=True),
        PROGRESSING,
        id="running, and a request waits",
    ),
    pytest.param(
        dataclasses.replace(
            live(make_stack("a", Phase.FAILED)), pending=PENDING, has_unhandled=True
        ),
        PROGRESSING,
        id="failed, and a request waits",
    ),
    pytest.param(
        ended(make_stack("a", Phase.FAILED)),
        ("False", "StackFailed", "False", "True"),
        id="a stack failed",
    ),
    pytest.param(
        ended(make_stack("a", Phase.CANCELED)),
        ("False", "StackCanceled", "False", "True"),
        id="a run was discarded",
    ),
    pytest.param(
        ended(
            make_stack("a", Phase.CANCELED, reason=StackReason.CHAIN_CANCELED), is_canceling=True
        ),
        ("False", "RunCanceled", "False", "True"),
        id="the chain was canceled",
    ),
    *(
        pytest.param(
            make_facts(make_execution(1), failed_graph(reason)),
            ("False", reason.value, "False", "True"),
            id=f"discovery ended: {reason}",
        )
        for reason in sorted(reasons.RECHECKED)
    ),
    *(
        pytest.param(
            make_facts(None, problem=problem(reason, is_retrying=False)),
            ("False", reason.value, "False", "True"),
            id=f"a person has to act: {reason}",
        )
        for reason in (
            ChainReason.CONNECTION_UNKNOWN,
            ChainReason.NAMESPACE_NOT_ALLOWED,
            ChainReason.INVALID_SPEC,
        )
    ),
    *(
        pytest.param(
            make_facts(None, problem=problem(reason, is_retrying=True)),
            ("False", reason.value, "True", "False"),
            id=f"retrying: {reason}",
        )
        for reason in (ChainReason.TEMPORAL_UNREACHABLE, ChainReason.DELETING)
    ),
    pytest.param(
        executed(
            ExecutionState.RUNNING,
            problem=problem(ChainReason.WORKER_UNAVAILABLE, is_retrying=True),
        ),
        ("False", "WorkerUnavailable", "True", "False"),
        id="no worker answers",
    ),
    pytest.param(
        known_problem(ChainReason.SPACELIFT_UNREACHABLE),
        ("False", "SpaceliftUnreachable", "True", "False"),
        id="discovery does not reach Spacelift",
    ),
    *(
        pytest.param(
            live(make_stack("a", Phase.RUNNING, reason=stack_reason, message="It is so.")),
            ("False", chain_reason.value, "True", "False"),
            id=f"a stack cannot go on: {stack_reason}",
        )
        for stack_reason, chain_reason in (
            (StackReason.SPACELIFT_UNREACHABLE, ChainReason.SPACELIFT_UNREACHABLE),
            (StackReason.CREDENTIALS_REJECTED, ChainReason.CREDENTIALS_REJECTED),
            (StackReason.PERMISSION_DENIED, ChainReason.SPACELIFT_REFUSED),
        )
    ),
    pytest.param(
        executed(ExecutionState.TERMINATED),
        ("False", "WorkflowTerminated", "False", "True"),
        id="terminated from outside",
    ),
    pytest.param(
        executed(ExecutionState.FAILED),
        ("False", "WorkflowFailed", "False", "True"),
        id="the workflow failed",
    ),
    pytest.param(
        executed(ExecutionState.CLOSED),
        ("False", "WorkflowFailed", "False", "True"),
        id="the workflow left no result",
    ),
]


@pytest.mark.parametrize(("facts", "expected"), SITUATIONS)
def test_each_situation_has_its_conditions(
    facts: projection.ChainFacts, expected: tuple[str, str, str, str]
) -> None:
    assert verdict(project(facts)) == expected


@pytest.mark.parametrize(("facts", "expected"), SITUATIONS)
def test_kstatus_reads_each_situation_right(
    facts: projection.ChainFacts, expected: tuple[str, str, str, str]
) -> None:
    ready, _, reconciling, stalled = expected
    meant = "Current" if ready == "True" else "Failed" if stalled == "True" else "InProgress"

    assert kstatus(project(facts, generation=3), generation=3) == meant
    assert (reconciling, stalled).count("True") == (0 if ready == "True" else 1)


@pytest.mark.parametrize(("facts", "expected"), SITUATIONS)
def test_every_message_says_something_and_every_condition_names_its_generation(
    facts: projection.ChainFacts, expected: tuple[str, str, str, str]
) -> None:
    found = project(facts, generation=7)

    assert found.observed_generation == 7
    assert [item.type for item in found.conditions] == [
        "Ready",
        "Reconciling",
        "Stalled",
        "GraphResolved",
        "AwaitingConfirmation",
        "Suspended",
    ]
    for item in found.conditions:
        assert item.message.strip()
        assert "None" not in item.message
        assert item.reason
        assert item.observed_generation == 7


@pytest.mark.parametrize(("facts", "expected"), SITUATIONS)
def test_equal_facts_give_an_equal_status(
    facts: projection.ChainFacts, expected: tuple[str, str, str, str]
) -> None:
    once = project(facts, now=T0)

    assert project(facts, once, now=T3) == once


# Messages of a run in progress


def message_of(facts: projection.ChainFacts, old: v1alpha1.Status = EMPTY) -> str:
    return condition(project(facts, old), "Ready").message


def test_progress_is_told_in_numbers() -> None:
    facts = live(
        make_stack("a", Phase.SUCCEEDED),
        make_stack("b", Phase.SKIPPED),
        make_stack("c", Phase.RUNNING),
        make_stack("d", Phase.WAITING),
        make_stack("e", depends_on="c"),
        make_stack("f", Phase.FAILED),
        make_stack("g", Phase.SKIPPED, reason=StackReason.UPSTREAM_NOT_SUCCEEDED, blocked_by="f"),
        make_stack("h", Phase.CANCELED),
    )

    assert message_of(facts) == (
        "Run 1: 2/8 done, 1 running, 1 waiting, 1 pending, 1 failed, 1 canceled, 1 skipped."
    )


def test_before_the_stacks_are_read_the_message_says_so() -> None:
    assert message_of(live()) == "Run 1: reading the stacks from Spacelift."


def test_a_request_that_waits_is_mentioned() -> None:
    facts = dataclasses.replace(live(RUNNING), pending=PENDING, has_unhandled=True)

    assert message_of(facts).endswith(" Another run waits for its end.")
    assert project(facts).pending_run == PENDING


def test_a_request_after_an_ended_run_is_about_to_start() -> None:
    facts = dataclasses.replace(live(SUCCEEDED), pending=PENDING, has_unhandled=True)

    assert message_of(facts) == "A run is about to start."


def test_a_wait_for_a_person_has_link_and_progress() -> None:
    facts = live(make_stack("a", Phase.AWAITING_CONFIRMATION), make_stack("b", Phase.RUNNING))
    link = RUN_URL.format(stack="a", run="01RUNA")

    assert message_of(facts) == (
        f"The run of 'a' waits for a person to confirm or discard it: {link} "
        "[Run 1: 0/2 done, 1 waiting for a person, 1 running.]"
    )


def test_a_chain_that_is_being_canceled_says_so() -> None:
    facts = live(make_stack("a", Phase.AWAITING_CONFIRMATION), is_canceling=True)

    assert "is being canceled" in message_of(facts)
    assert condition(project(facts), "AwaitingConfirmation").status == "False"


def test_a_stack_that_cannot_go_on_is_named() -> None:
    stack = make_stack(
        "a", Phase.RUNNING, reason=StackReason.SPACELIFT_UNREACHABLE, message="Time-out."
    )

    assert message_of(live(stack)) == "'a': Time-out."


def test_a_run_that_only_stops_others_says_so() -> None:
    facts = live(SUCCEEDED, is_stopping=True)

    assert message_of(facts) == (
        "All stacks have ended; runs that Spacelift queued and nobody wants are being stopped. "
        "[Run 1: 1/1 done.]"
    )
    run = project(facts).latest_run
    assert run is not None
    assert (run.phase, run.completion_time) == (Phase.RUNNING, None)


# Other conditions


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param(live(), ("Unknown", "Progressing"), id="not read yet"),
        pytest.param(live(RUNNING), ("True", "Resolved"), id="known"),
        pytest.param(
            make_facts(make_execution(1), failed_graph(ChainReason.GRAPH_CYCLE)),
            ("False", "GraphCycle"),
            id="a cycle",
        ),
        pytest.param(
            make_facts(None, problem=problem(ChainReason.TEMPORAL_UNREACHABLE, is_retrying=True)),
            ("Unknown", "TemporalUnreachable"),
            id="nobody could look",
        ),
    ],
)
def test_graph_resolved_tells_whether_the_order_is_known(
    facts: projection.ChainFacts, expected: tuple[str, str]
) -> None:
    found = condition(project(facts), "GraphResolved")

    assert (found.status, found.reason) == expected


def test_graph_resolved_counts_the_stacks() -> None:
    assert condition(project(live(RUNNING)), "GraphResolved").message == (
        "The order of 1 stack is known."
    )


def test_awaiting_confirmation_has_the_links_of_all_who_wait() -> None:
    found = condition(
        project(live(*(make_stack(name, Phase.AWAITING_CONFIRMATION) for name in "abcdefg"))),
        "AwaitingConfirmation",
    )

    assert (found.status, found.reason) == ("True", "NeedsConfirmation")
    assert found.message.startswith("'a': https://acme.app.spacelift.io/stack/a/run/01RUNA; 'b': ")
    assert found.message.endswith("; and 2 more")


def test_awaiting_confirmation_is_false_while_nobody_is_wanted() -> None:
    found = condition(project(live(RUNNING)), "AwaitingConfirmation")

    assert (found.status, found.reason) == ("False", "NoneWaits")


# Transition times


def test_a_condition_keeps_its_time_while_only_reason_and_message_change() -> None:
    before = project(live(), now=T0)

    after = project(live(make_stack("a", Phase.AWAITING_CONFIRMATION)), before, now=T2)

    assert condition(after, "Ready").reason != condition(before, "Ready").reason
    assert condition(after, "Ready").last_transition_time == T0
    assert condition(after, "AwaitingConfirmation").last_transition_time == T2


def test_a_condition_has_the_time_of_its_last_change() -> None:
    running = project(live(RUNNING), now=T0)
    done = project(ended(SUCCEEDED), running, now=T2)

    assert condition(done, "Ready").last_transition_time == T2
    assert condition(done, "Reconciling").last_transition_time == T2
    assert condition(done, "Stalled").last_transition_time == T0


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
        message="1 stack succeeded, 1 skipped because no input changed.",
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

    counted = dataclasses.asdict(projection.summarize(stacks))

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
    ("upstreams", "reason", "message"),
    [
        pytest.param(
            [], StackReason.SLOT_PENDING, "Waits for a free slot (`spec.parallelism`).", id="a slot"
        ),
        pytest.param(["a"], StackReason.UPSTREAM_PENDING, "Waits for 'a'.", id="one"),
        pytest.param(
            list("abcdefg"),
            StackReason.UPSTREAM_PENDING,
            "Waits for 'a', 'b', 'c', 'd', 'e' and 2 more.",
            id="many",
        ),
    ],
)
def test_a_pending_stack_says_what_it_waits_for(
    upstreams: list[str], reason: str, message: str
) -> None:
    running = [make_stack(name, Phase.RUNNING) for name in upstreams or "y"]

    found = project(live(*running, make_stack("z", depends_on=upstreams), parallelism=1)).stacks[-1]

    assert (found.reason, found.message) == (reason, message)


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


def test_a_pending_stack_does_not_wait_for_what_has_ended() -> None:
    found = project(
        live(
            make_stack("a", Phase.SUCCEEDED),
            make_stack("b", Phase.RUNNING),
            make_stack("c", depends_on="ab"),
        )
    )

    assert found.stacks[-1].message == "Waits for 'b'."


def test_a_skipped_stack_names_its_culprit() -> None:
    known = make_progress(make_stack("a", Phase.FAILED), make_stack("b", depends_on="a"))
    policy.skip_unwanted(known, now=T2)
    outcome.settle(known)

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
    """Else the problem would stand for ever, and nobody would look again."""
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


# Ends that nobody told


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
        pytest.param(executed(ExecutionState.FAILED), id="failed"),
        pytest.param(make_facts(None), id="gone from Temporal"),
        pytest.param(
            make_facts(make_execution(1, workflow_run_id="other")), id="ended before a duplicate"
        ),
    ],
)
def test_a_run_that_ended_without_a_word_leaves_nothing_in_progress(
    facts: projection.ChainFacts,
) -> None:
    after = project(facts, in_progress())

    assert {stack.id: (stack.phase, stack.reason) for stack in after.stacks} == {
        "a": (Phase.SUCCEEDED, StackReason.RUN_FINISHED),
        "b": (Phase.CANCELED, StackReason.EXECUTION_ENDED),
        "c": (Phase.CANCELED, StackReason.CHAIN_CANCELED),
    }
    assert after.latest_run is not None
    assert after.latest_run.summary == v1alpha1.Summary(total=3, succeeded=1, canceled=2)
    assert after.latest_run.completion_time == T3
    assert "To run again" in after.latest_run.message
    assert project(facts, after, now="later") == after


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
    assert run.summary == projection.summarize(found.stacks)
    if run.phase.is_over:
        assert run.completion_time is not None
        assert all(stack.phase.is_over for stack in found.stacks)


@given(histories(), facts_of_a_run())
def test_runs_never_go_back(old: v1alpha1.Status, facts: projection.ChainFacts) -> None:
    """An execution that is older than what the status tells changes no run."""
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


def test_the_attempts_of_one_run_are_one_run_in_the_history() -> None:
    bad = make_run(1, phase=Phase.FAILED, reason=reasons.ChainReason.UNKNOWN_STACK)

    found = project(make_facts(make_execution(1, attempt=2, start_time=T2)), make_status(bad))

    assert found.history == ()


# Suspended, not requested, several attempts


def suspended(*stacks: progress.StackProgress) -> v1alpha1.Status:
    facts = live(*stacks, is_suspended=True)
    return project(dataclasses.replace(facts, is_suspended=True))


def test_a_suspended_chain_that_is_idle_waits_for_nobody_but_the_spec() -> None:
    done = make_stack("a", Phase.SUCCEEDED)

    found = suspended(done, make_stack("b"), make_stack("c", depends_on="b"))

    assert verdict(found) == ("Unknown", "Suspended", "False", "False")
    assert [stack.reason for stack in found.stacks[1:]] == ["Suspended", "UpstreamPending"]
    shown = condition(found, "Suspended")
    assert (shown.status, shown.reason) == ("True", "Suspended")


def test_a_suspended_chain_is_still_busy_while_a_run_ends() -> None:
    found = suspended(make_stack("a", Phase.RUNNING), make_stack("b"))

    assert verdict(found) == ("Unknown", "Suspended", "True", "False")
    assert "1 stack in progress ends" in condition(found, "Ready").message


def test_a_suspended_chain_with_nothing_left_to_start_is_in_progress_as_any_other() -> None:
    found = suspended(make_stack("a", Phase.RUNNING))

    assert verdict(found) == ("Unknown", "Progressing", "True", "False")


@pytest.mark.parametrize("latest", [None, make_run(3)], ids=["never ran", "ran another spec"])
def test_what_is_to_run_on_request_says_that_nobody_asked(
    latest: v1alpha1.RunStatus | None,
) -> None:
    old = make_status(latest) if latest else v1alpha1.Status()
    execution = make_execution(3, state=ExecutionState.CLOSED) if latest else None

    found = project(make_facts(execution, is_not_requested=True), old)

    assert verdict(found) == ("Unknown", "NotRequested", "False", "False")
    assert "stackchain.dev/run" in condition(found, "Ready").message


def test_a_second_attempt_shows() -> None:
    found = project(live(make_stack("a", Phase.RUNNING, attempts=2), make_stack("b")))

    assert [stack.attempts for stack in found.stacks] == [2, None]

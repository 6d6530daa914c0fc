"""conditions: row by row of what can be the case."""

import dataclasses

import pytest

from controller.api import reasons, v1alpha1
from controller.api.reasons import ChainReason, StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.graph import resolve
from controller.chain.requests import chain_waits
from controller.chain.requests.executions import ExecutionState
from controller.chain.run import progress
from controller.chain.status import projection
from tests.support.builders import (
    T0,
    T2,
    T3,
    make_execution,
    make_facts,
    make_stack,
)
from tests.support.golden import Golden
from tests.unit.chain.status.projecting import (
    EMPTY,
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


def kstatus(found: v1alpha1.Status, generation: int) -> str:
    """Return what tools that know kstatus make of a status."""
    if found.observed_generation != generation:
        return "InProgress"
    if condition(found, "Reconciling").status == "True":
        return "InProgress"
    if condition(found, "Stalled").status == "True":
        return "Failed"
    return "Current" if condition(found, "Ready").status == "True" else "InProgress"


def known_problem(reason: ChainReason) -> projection.ChainFacts:
    return live(problem_reason=reason, problem_message="It is so.")


SITUATIONS = [
    pytest.param(executed(ExecutionState.RUNNING), PROGRESSING, id="started a moment ago"),
    pytest.param(live(), PROGRESSING, id="reading the stacks"),
    pytest.param(live(RUNNING), PROGRESSING, id="running"),
    pytest.param(
        live(make_stack("a", Phase.FAILED), make_stack("b", Phase.RUNNING)),
        ("Unknown", "StackFailed", "True", "False"),
        id="running on after a failure",
    ),
    pytest.param(
        live(make_stack("a", Phase.FAILED), make_stack("b", Phase.AWAITING_CONFIRMATION)),
        ("Unknown", "AwaitingConfirmation", "True", "False"),
        id="waiting for a person after a failure",
    ),
    *(
        pytest.param(
            live(make_stack("a", phase, reason=reason), make_stack("b", Phase.RUNNING)),
            ("Unknown", "Blocked", "True", "False"),
            id=f"only someone outside can go on: {reason}",
        )
        for phase, reason in (
            (Phase.WAITING, StackReason.STACK_LOCKED),
            (Phase.WAITING, StackReason.STACK_DISABLED),
            (Phase.RUNNING, StackReason.NOT_ALLOWED),
        )
    ),
    *(
        pytest.param(
            live(
                make_stack(
                    "a",
                    Phase.WAITING,
                    reason=reason,
                    held_by=v1alpha1.Holder(needs_person=needs_person),
                )
            ),
            ("Unknown", "Blocked" if needs_person else "Progressing", "True", "False"),
            id=f"{reason}, which {'needs a person' if needs_person else 'ends on its own'}",
        )
        for reason in (StackReason.RUN_BLOCKED, StackReason.STACK_BUSY)
        for needs_person in (True, False)
    ),
    pytest.param(
        live(
            make_stack("a", Phase.FAILED),
            make_stack("b", Phase.RUNNING, reason=StackReason.RATE_LIMITED, message="It is so."),
        ),
        ("Unknown", "StackFailed", "True", "False"),
        id="what passes does not hide a failure",
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
            ("Unknown", reason, "True", "False"),
            id=f"{phase}, and unwanted runs are still being stopped",
        )
        for phase, reason in ((Phase.SUCCEEDED, "Progressing"), (Phase.FAILED, "StackFailed"))
    ),
    pytest.param(
        live(
            make_stack("a", Phase.TIMED_OUT, reason=StackReason.CONFIRMATION_DEADLINE_EXCEEDED),
            make_stack("b", Phase.CANCELED, reason=StackReason.CHAIN_DEADLINE_EXCEEDED),
            is_canceling=True,
            is_timed_out=True,
            is_stopping=True,
        ),
        ("Unknown", "StackTimedOut", "True", "False"),
        id="a stack timed out, then the chain, and unwanted runs are still being stopped",
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
            (StackReason.RATE_LIMITED, ChainReason.RATE_LIMITED),
            (StackReason.CREDENTIALS_REJECTED, ChainReason.CREDENTIALS_REJECTED),
            (StackReason.PERMISSION_DENIED, ChainReason.SPACELIFT_REFUSED),
            (StackReason.SIGNATURE_INVALID, ChainReason.SIGNATURE_INVALID),
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

PAGE = "chain_conditions"


def message_of(facts: projection.ChainFacts, old: v1alpha1.Status = EMPTY) -> str:
    return condition(project(facts, old), "Ready").message


def test_progress_is_told_in_numbers(golden: Golden) -> None:
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

    golden(PAGE).check("Ready: progress", message_of(facts))


def test_before_the_stacks_are_read_the_message_says_so(golden: Golden) -> None:
    golden(PAGE).check("Ready: the stacks are being read", message_of(live()))


def test_a_request_that_waits_is_mentioned(golden: Golden) -> None:
    facts = dataclasses.replace(live(RUNNING), pending=PENDING, has_unhandled=True)

    golden(PAGE).check("Ready: running, and a request waits", message_of(facts))
    assert project(facts).pending_run == PENDING


def test_a_request_after_an_ended_run_is_about_to_start(golden: Golden) -> None:
    facts = dataclasses.replace(live(SUCCEEDED), pending=PENDING, has_unhandled=True)

    golden(PAGE).check("Ready: a run is about to start", message_of(facts))


NETWORK = chain_waits.ChainWait(name="network", which="is running or about to run")
DNS = chain_waits.ChainWait(name="dns", which="does not exist in this namespace", needs_person=True)


@pytest.mark.parametrize(
    ("waits", "reason"),
    [((NETWORK,), "WaitingForChain"), ((DNS,), "Blocked"), ((NETWORK, DNS), "Blocked")],
    ids=["one that runs", "one that is absent", "both"],
)
@pytest.mark.parametrize("is_first", [True, False], ids=["the first run", "a later run"])
def test_a_run_that_waits_for_other_chains_says_for_which(
    waits: tuple[chain_waits.ChainWait, ...], reason: str, is_first: bool, golden: Golden
) -> None:
    asked = dataclasses.replace(make_facts(None) if is_first else ended(SUCCEEDED), pending=PENDING)
    facts = dataclasses.replace(asked, has_unhandled=True, waiting=chain_waits.Waiting(waits=waits))

    found = project(facts)

    assert verdict(found) == ("Unknown", reason, "True", "False")
    case = ", ".join(wait.name for wait in waits)
    golden(PAGE).check(f"Ready: waits for {case}", condition(found, "Ready").message)


def test_a_wait_for_a_person_has_link_and_progress(golden: Golden) -> None:
    facts = live(make_stack("a", Phase.AWAITING_CONFIRMATION), make_stack("b", Phase.RUNNING))

    golden(PAGE).check("Ready: a stack waits for a person", message_of(facts))


FAILED = make_stack("f", Phase.FAILED, message="The run failed (no token).")
WAITS = make_stack("w", Phase.AWAITING_CONFIRMATION)
LOCKED = make_stack(
    "l",
    Phase.WAITING,
    reason=StackReason.STACK_LOCKED,
    message="The stack is locked by jane; it runs once it is unlocked.",
    has_run=False,
    held_by=v1alpha1.Holder(needs_person=True, url="https://acme.app.spacelift.io/stack/l"),
)
BEHIND = make_stack(
    "r",
    Phase.WAITING,
    reason=StackReason.RUN_BLOCKED,
    message="Another run of the stack, 01B, has to end first; it is UNCONFIRMED and waits for a "
    "person: https://acme.app.spacelift.io/stack/r/run/01B",
    held_by=v1alpha1.Holder(needs_person=True, url="https://acme.app.spacelift.io/stack/r/run/01B"),
)
LIMITED = make_stack("x", Phase.RUNNING, reason=StackReason.RATE_LIMITED, message="A pause of 9 s.")
REFUSED = make_stack(
    "k", Phase.RUNNING, reason=StackReason.CREDENTIALS_REJECTED, message="The key was refused."
)


@pytest.mark.parametrize(
    "stacks",
    [
        pytest.param((FAILED, RUNNING), id="a failed stack, and one runs"),
        pytest.param((FAILED, WAITS), id="a failed stack, and one waits for a person"),
        pytest.param((LOCKED, RUNNING), id="a locked stack"),
        pytest.param((LOCKED, BEHIND), id="a locked stack, and a foreign run"),
        pytest.param((FAILED, WAITS, LOCKED), id="failed, waiting and locked stacks"),
        pytest.param((FAILED, LIMITED), id="a failed stack, and a pause"),
        pytest.param((FAILED, WAITS, REFUSED), id="failed and waiting stacks, and a bad key"),
        pytest.param(
            (FAILED, make_stack("t", Phase.TIMED_OUT), make_stack("c", Phase.CANCELED), WAITS),
            id="stacks that ended in each way, and one waits",
        ),
    ],
)
def test_the_message_names_all_that_needs_a_person(
    stacks: tuple[progress.StackProgress, ...], case: str, golden: Golden
) -> None:
    message = message_of(live(*stacks))

    golden(PAGE).check(f"Ready: {case}", message)
    for stack in stacks:
        if stack is not RUNNING:
            assert f"'{stack.id}'" in message


def test_many_stacks_that_need_a_person_leave_room_for_each_other(golden: Golden) -> None:
    ids = [f"prod-eu-west-1-ingress-team-{number:03}" for number in range(9)]
    text = "The run failed (" + "the provider does not answer, " * 9 + ")."
    facts = live(
        *(make_stack(f"f-{one}", Phase.FAILED, message=text) for one in ids),
        *(make_stack(f"w-{one}", Phase.AWAITING_CONFIRMATION) for one in ids),
        *(dataclasses.replace(LOCKED, id=f"l-{one}") for one in ids),
        make_stack("s", stage="live-" * 12),
        stages=[progress.StageProgress(name="live-" * 12, needs_approval=True)],
    )

    golden(PAGE).check("Ready: many of each", message_of(facts))
    run = project(facts).latest_run
    assert run is not None
    assert not run.message.endswith("...")


APPROVAL = {
    "nothing else": (),
    "a stack": (WAITS,),
    "a failed stack": (FAILED,),
    "a locked stack": (LOCKED,),
    "all of these": (WAITS, FAILED, LOCKED),
}


@pytest.mark.parametrize("is_suspended", [False, True], ids=["", "suspended"])
@pytest.mark.parametrize("case", APPROVAL)
def test_a_stage_that_waits_for_approval_is_named_whatever_else_waits(
    case: str, is_suspended: bool, golden: Golden
) -> None:
    stages = [progress.StageProgress(name="live", needs_approval=True)]
    staged = make_stack("s", stage="live")

    message = message_of(live(*APPROVAL[case], staged, stages=stages, is_suspended=is_suspended))

    suspended = ", suspended" if is_suspended else ""
    golden(PAGE).check(f"Ready: a stage and {case}{suspended}", message)
    assert "Stage 'live': Waits for a person to approve it" in message


@pytest.mark.parametrize("is_timed_out", [False, True], ids=["canceled", "timed out"])
def test_a_stack_that_will_not_run_any_more_waits_for_no_other(
    is_timed_out: bool, case: str, golden: Golden
) -> None:
    facts = live(
        RUNNING, make_stack("b", depends_on="a"), is_canceling=True, is_timed_out=is_timed_out
    )

    found = project(facts).stacks[1]

    assert found.reason == (
        StackReason.CHAIN_DEADLINE_EXCEEDED if is_timed_out else StackReason.CHAIN_CANCELED
    )
    golden(PAGE).check(f"Stack: pending while the chain ends: {case}", found.message or "")


@pytest.mark.parametrize(
    ("facts", "is_told"),
    [
        pytest.param(
            make_facts(None, handled=v1alpha1.Handled(), is_not_requested=True),
            True,
            id="never ran",
        ),
        pytest.param(make_facts(None, is_not_requested=True), True, id="restored"),
        pytest.param(ended(SUCCEEDED), True, id="succeeded"),
        pytest.param(ended(make_stack("a", Phase.FAILED)), True, id="failed"),
        pytest.param(live(RUNNING), False, id="running"),
        pytest.param(
            dataclasses.replace(ended(SUCCEEDED), is_suspended=True), False, id="suspended"
        ),
    ],
)
def test_a_chain_at_rest_says_when_its_schedule_starts_it(
    facts: projection.ChainFacts, is_told: bool, case: str, golden: Golden
) -> None:
    schedule = v1alpha1.ScheduleStatus(digest="d", checked_time=T0, next_time=T3)
    schedules = projection.SchedulesStatus(schedule=schedule)

    message = message_of(dataclasses.replace(facts, schedules=schedules))

    assert (T3 in message) is is_told
    golden(PAGE).check(f"Ready: with a schedule, {case}", message)


def test_a_chain_that_is_being_canceled_says_so(golden: Golden) -> None:
    facts = live(make_stack("a", Phase.AWAITING_CONFIRMATION), is_canceling=True)

    golden(PAGE).check("Ready: canceling", message_of(facts))
    assert condition(project(facts), "AwaitingConfirmation").status == "False"


def test_a_stack_that_cannot_go_on_is_named(golden: Golden) -> None:
    stack = make_stack(
        "a", Phase.RUNNING, reason=StackReason.SPACELIFT_UNREACHABLE, message="Time-out."
    )

    golden(PAGE).check("Ready: a stack cannot continue", message_of(live(stack)))


def test_a_run_that_only_stops_others_says_so(golden: Golden) -> None:
    facts = live(SUCCEEDED, is_stopping=True)

    golden(PAGE).check("Ready: unwanted runs are being stopped", message_of(facts))
    failed = live(make_stack("a", Phase.FAILED), is_stopping=True)
    golden(PAGE).check("Ready: the same, and a stack failed", message_of(failed))
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
    facts: projection.ChainFacts, expected: tuple[str, str], case: str, golden: Golden
) -> None:
    found = condition(project(facts), "GraphResolved")

    assert (found.status, found.reason) == expected
    golden(PAGE).check(f"GraphResolved: {case}", found.message)


def with_look_alikes(*labels: str) -> projection.ChainFacts:
    facts = live(RUNNING)
    assert facts.known is not None
    facts.known.look_alikes = [resolve.LookAlike(stack_id="b", label=label) for label in labels]
    return facts


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param(["depends-on:a"], id="one label that looks like a dependency"),
        pytest.param(
            ["dependsOn:a,c", *(f"depends_on:{name}\x1b" for name in "cdefg")],
            id="several labels that look like dependencies",
        ),
    ],
)
def test_graph_resolved_names_labels_that_look_like_dependencies(
    labels: list[str], case: str, golden: Golden
) -> None:
    found = condition(project(with_look_alikes(*labels)), "GraphResolved")

    assert (found.status, found.reason) == ("True", "Resolved")
    golden(PAGE).check(f"GraphResolved: {case}", found.message)


def test_labels_that_look_like_dependencies_stay_told_once_temporal_forgets_the_run() -> None:
    before = project(with_look_alikes("depends-on:a"))

    after = project(make_facts(make_execution(1)), before)

    found = condition(after, "GraphResolved")
    assert found.message == condition(before, "GraphResolved").message
    assert "'depends-on:a' of 'b'" in found.message


@pytest.mark.parametrize(
    "excluded",
    [
        pytest.param(["stage-eu-west-3-databas"], id="excluded, and misspelled"),
        pytest.param(["stage-eu-west-1-databas"], id="excluded, and of another region"),
        pytest.param([f"gone-{place}" for place in range(7)], id="excluded, and gone"),
    ],
)
def test_graph_resolved_names_what_is_excluded_and_no_stack(
    excluded: list[str], case: str, golden: Golden
) -> None:
    facts = live(make_stack("stage-eu-west-3-database", Phase.RUNNING))
    assert facts.known is not None
    facts.known.unmatched_exclusions = excluded

    found = condition(project(facts), "GraphResolved")

    assert (found.status, found.reason) == ("True", "Resolved")
    golden(PAGE).check(f"GraphResolved: {case}", found.message)


def test_awaiting_confirmation_has_the_links_of_all_who_wait(golden: Golden) -> None:
    found = condition(
        project(live(*(make_stack(name, Phase.AWAITING_CONFIRMATION) for name in "abcdefg"))),
        "AwaitingConfirmation",
    )

    assert (found.status, found.reason) == ("True", "NeedsConfirmation")
    golden(PAGE).check("AwaitingConfirmation: seven stacks", found.message)


def test_awaiting_confirmation_is_false_while_nobody_is_wanted(golden: Golden) -> None:
    found = condition(project(live(RUNNING)), "AwaitingConfirmation")

    assert (found.status, found.reason) == ("False", "NoneWaits")
    golden(PAGE).check("AwaitingConfirmation: none", found.message)


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


def planned(*deltas: int | None, **fields: object) -> projection.ChainFacts:
    """Return a plan that is over: so many resources added, and one changed, in each stack."""
    stacks = [
        make_stack(
            f"s{place}",
            Phase.SUCCEEDED,
            delta=None
            if added is None
            else v1alpha1.Delta(added=added, changed=min(added, 1), deleted=0),
        )
        for place, added in enumerate(deltas)
    ]
    values = {"operation": "Plan", "cause": v1alpha1.Cause.SCHEDULE, **fields}
    facts = ended(*stacks, **values)
    assert facts.execution is not None
    execution = dataclasses.replace(
        facts.execution, operation=str(values["operation"]), cause=str(values["cause"])
    )
    return dataclasses.replace(facts, execution=execution)


@pytest.mark.parametrize(
    "deltas",
    [
        pytest.param((2, 1, 0), id="two of three"),
        pytest.param((0, 0), id="none"),
        pytest.param((1, None), id="one is not known"),
        pytest.param((None,), id="nothing is known"),
    ],
)
def test_a_plan_says_in_how_many_stacks_what_would_change(
    deltas: tuple[int | None, ...], case: str, golden: Golden
) -> None:
    found = project(planned(*deltas))

    golden(PAGE).check(f"Ready: a plan, {case}", condition(found, "Ready").message)
    assert found.latest_run is not None
    changes = found.latest_run.changes
    known = [delta for delta in deltas if delta is not None]
    assert (changes is None) == (not known)
    if changes is not None:
        counted = (changes.stacks, changes.added, changes.changed, changes.deleted)
        assert counted == (sum(map(bool, known)), sum(known), sum(map(bool, known)), 0)


def test_changes_of_a_run_are_those_that_it_has_made() -> None:
    delta = v1alpha1.Delta(added=1, changed=2, deleted=3)
    facts = live(
        make_stack("a", Phase.SUCCEEDED, delta=delta),
        make_stack("b", Phase.AWAITING_CONFIRMATION, delta=delta),
        make_stack("c", Phase.SUCCEEDED, reason=StackReason.KEPT, delta=delta),
        make_stack("d", Phase.FAILED, delta=delta),
    )

    run = project(facts).latest_run

    assert run is not None
    assert run.changes == v1alpha1.Changes(stacks=1, added=1, changed=2, deleted=3, text="+1 ~2 -3")


FOUND, NONE = ("True", "ChangesFound"), ("False", "NoChanges")
UNKNOWN = ("Unknown", "NotPlanned")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param(planned(2, 0), FOUND, id="a plan of the schedule found changes"),
        pytest.param(planned(0), NONE, id="a plan of the schedule found none"),
        pytest.param(planned(2, cause=v1alpha1.Cause.RUN_TOKEN), None, id="somebody asked"),
        pytest.param(planned(2, operation="Apply"), None, id="not a plan"),
        pytest.param(live(RUNNING), None, id="in progress"),
    ],
)
def test_drift_is_what_a_plan_of_the_schedule_finds(
    facts: projection.ChainFacts,
    expected: tuple[str, str] | None,
    case: str,
    golden: Golden,
) -> None:
    found = project(facts).condition("DriftDetected")

    assert (found and (found.status, found.reason)) == expected
    if found is not None:
        golden(PAGE).check(f"DriftDetected: {case}", found.message)


def test_drift_is_known_until_something_else_than_a_plan_runs() -> None:
    old = project(planned(2, 0))
    planning = planned(1, number=2, cause=v1alpha1.Cause.RUN_TOKEN)

    by_hand = project(planning, old).condition("DriftDetected")
    applied = project(planned(1, number=2, operation="Apply"), old).condition("DriftDetected")

    assert by_hand is not None
    assert applied is not None
    assert (by_hand.status, by_hand.reason) == FOUND
    assert (applied.status, applied.reason) == UNKNOWN

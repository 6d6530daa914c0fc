"""Each invariant fails when the product has a mistake, or the record says that it had one."""

import asyncio
import contextlib
import dataclasses
import random
from collections.abc import Iterator
from typing import Any

import pytest
from temporalio import workflow

from controller.api import v1alpha1
from controller.chain.graph import adoption
from controller.chain.requests import decide, other_chains
from controller.chain.run import (
    confirmation_limits,
    gates,
    live_requests,
    native_stops,
    next_stacks,
    outcome,
    policy,
    progress,
    run_sources,
    unwanted_runs,
    windows,
)
from controller.kube import lease
from controller.operator import deletion
from controller.spacelift import models
from controller.temporal import ids
from controller.temporal.activities import (
    native_run_finding,
    native_run_stops,
    stack_stops,
    stack_triggers,
    triggered_runs,
    window_reading,
)
from controller.temporal.workflows import interruption, publishing, stack_execution
from tests.simulation import role_processes
from tests.simulation.account import transport
from tests.simulation.world import (
    finding,
    invariants,
    playing,
    records,
    regressions,
    settling,
    worlds,
    written,
)
from tests.simulation.world.invariants import moves, triggers, work, writes
from tests.simulation.world.plans import Actor, ChainPlan, Event, Plan, StackPlan

LINE = Plan(
    seed=1,
    slowest=0.1,
    stacks=(
        StackPlan(id="a"),
        StackPlan(id="b", labels=("a",)),
        StackPlan(id="c", upstreams=("b",)),
    ),
    chains=(ChainPlan(name="chain", spec={"roots": {"stackIds": ["a"]}}),),
)
FAILING = dataclasses.replace(
    LINE, stacks=(StackPlan(id="a", outcomes=("fail:planning",)), *LINE.stacks[1:])
)
PERSON_ABOVE_A_STACK_THAT_WAS_DISABLED = regressions.FIXED[
    "a stack that was disabled is run natively by a person before the chain ends"
]


STAGED = written.SCHEDULES["stages that hang on each other natively soak and are approved"]


def patched(owner: Any, name: str, value: object) -> playing.Bug:
    """Return a mistake: something of the product does something else."""

    @contextlib.contextmanager
    def put() -> Iterator[None]:
        before = getattr(owner, name)
        setattr(owner, name, value)
        try:
            yield
        finally:
            setattr(owner, name, before)

    return put


def both(*bugs: playing.Bug) -> playing.Bug:
    """Return several mistakes as one."""

    @contextlib.contextmanager
    def put() -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for bug in bugs:
                stack.enter_context(bug())
            yield

    return put


def some_order(chain: progress.ChainProgress, **options: Any) -> list[progress.StackProgress]:
    found = [stack for stack in chain.stacks if not stack.is_started and not stack.phase.is_over]
    return random.sample(found, min(len(found), random.randint(0, 1)))


def always_well(stack: progress.StackProgress, report: progress.StackReport, *, now: str) -> bool:
    changed = apply_report(stack, report, now=now)
    if stack.phase is stack.phase.FAILED:
        stack.phase = stack.phase.SUCCEEDED
    return changed


apply_report = progress.apply_report


def always_adopted(
    report: progress.StackReport, source: v1alpha1.RunSource | None
) -> progress.StackReport:
    return told(report, source and v1alpha1.RunSource.ADOPTED)


told = run_sources.told


def always_over(stack: progress.StackProgress, report: progress.StackReport, *, now: str) -> bool:
    changed = apply_report(stack, report, now=now)
    if stack.phase is stack.phase.RUNNING:
        stack.phase = stack.phase.SUCCEEDED
    return changed


def id_of_its_own(*, account: str, stack_id: str, operation: str = "Apply") -> str:
    found = execution_workflow_id(account=account, stack_id=stack_id, operation=operation)
    return found + workflow.info().workflow_id[-4:] if workflow.in_workflow() else found


execution_workflow_id = ids.execution_workflow_id


async def never(*_: Any) -> bool:
    return False


async def always(*_: Any) -> bool:
    return True


async def still_leads(leader: lease.LeaderLease, _: object) -> bool:
    leader._renewed_at = leader._clock()
    return True


async def do_nothing(*_: Any) -> None:
    pass


async def nothing(*_: Any) -> list[str]:
    return []


async def call_nothing(*_: Any) -> dict[models.RunKey, models.RunRecord]:
    return {}


sought_run = triggered_runs.SoughtRun.of


def of_all_times(argument: Any) -> triggered_runs.SoughtRun:
    return dataclasses.replace(sought_run(argument), newer_than="0")


async def only_cancel(_: publishing.Publishing, running: "asyncio.Task[None]") -> None:
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


class Anything:
    """Equals whatever the chain waits for."""

    def __init__(self, *_: Any) -> None:
        pass

    def __eq__(self, _: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


MISTAKES: dict[str, tuple[Plan, playing.Bug]] = {
    "triggered once": (
        Plan(
            seed=1,
            stacks=LINE.stacks,
            chains=LINE.chains,
            chances={transport.ANSWER_LOST: 0.5},
            events=(Event(at=60, actor=Actor.PERSON, action="confirm", target="a"),),
        ),
        patched(stack_triggers, "lost_since", lambda *_, **__: None),
    ),
    "upstreams first": (LINE, patched(policy, "awaited", lambda *_: ())),
    "others' runs are untouched": (
        PERSON_ABOVE_A_STACK_THAT_WAS_DISABLED,
        patched(native_run_finding.NativeRunFinder, "_begun_by_others", nothing),
    ),
    "others' runs are not used": (
        written.SCHEDULES["the same, of a stack that was enabled when it was read"],
        patched(native_run_finding.NativeRunFinder, "_begun_by_others", nothing),
    ),
    "doubtful runs are reported": (
        written.SCHEDULES["the same, of a stack that uses no native run"],
        patched(native_stops.NativeRun, "is_to_be_told", False),
    ),
    "bypassed is not run": (
        Plan(
            seed=1,
            stacks=(StackPlan(id="a", seconds=5.0), StackPlan(id="x", seconds=60.0)),
            chains=(ChainPlan(name="chain", spec={"roots": {"stackIds": ["a", "x"]}}),),
            chances={transport.TRIGGER_UNREACHABLE: 0.9},
            events=(
                Event(
                    at=4, actor=Actor.USER, action="ask for a bypass in", target="chain", value=2
                ),
            ),
        ),
        patched(live_requests, "_why_no_bypass", lambda _: ""),
    ),
    "the source of a run is true": (
        LINE,
        patched(run_sources, "told", always_adopted),
    ),
    "the status is true": (
        FAILING,
        patched(progress, "apply_report", always_well),
    ),
    "what needs a person is named": (
        Plan(
            seed=1,
            stacks=(
                StackPlan(id="a", outcomes=("fail:planning",)),
                StackPlan(id="x", seconds=60.0),
            ),
            chains=(ChainPlan(name="chain", spec={"roots": {"stackIds": ["a", "x"]}}),),
        ),
        patched(outcome, "_bad_ends", lambda _: []),
    ),
    "all ends": (FAILING, patched(policy, "skip_unwanted", lambda *_, **__: [])),
    "nothing is left": (LINE, patched(deletion.Deletion, "advance", never)),
    "native runs are used or reported": (
        Plan(
            seed=1,
            stacks=(StackPlan(id="a"), StackPlan(id="b", upstreams=("a",))),
            chains=(
                ChainPlan(
                    name="chain", spec={"roots": {"stackIds": ["a"]}, "nativeRuns": "Replace"}
                ),
            ),
        ),
        patched(unwanted_runs.QueuedByRuns, "unwanted_stacks", lambda *_: []),
    ),
    "no run outlives its chain": (
        written.SCHEDULES["a chain is canceled while the answer to its trigger is lost"],
        patched(stack_execution.StackExecutionWorkflow, "_find_sent", do_nothing),
    ),
    "what is canceled stops": (
        written.SCHEDULES["a waiting run is canceled"],
        patched(interruption.Interruption, "interrupt", lambda _: None),
    ),
    "an end is shown at once": (FAILING, patched(publishing.Publishing, "end", only_cancel)),
    "only what was asked for": (
        written.SCHEDULES["what is created to destroy is asked later"],
        patched(decide, "is_held", lambda *_: False),
    ),
    "stages in order": (STAGED, patched(gates, "waiting", lambda _: {})),
    "a run is used once": (
        written.SCHEDULES["answers to triggers are lost, and lists lag"],
        patched(triggered_runs.SoughtRun, "of", of_all_times),
    ),
    "used runs are in order": (
        written.SCHEDULES["native runs next to labels"],
        patched(adoption.NativeAncestors, "awaited_upstreams", Anything),
    ),
    "nothing in order runs twice": (
        written.SCHEDULES["a quick native run gets ahead while no worker is there"],
        patched(stack_stops, "find_in_order", do_nothing),
    ),
    "unwanted runs are stopped in time": (
        written.SCHEDULES["native runs next to labels"],
        patched(native_run_stops.NativeRunStops, "_call", call_nothing),
    ),
    "histories replay": (
        LINE,
        both(patched(next_stacks, "ready_stacks", some_order), patched(worlds, "_REPLAYS", 1.0)),
    ),
    "a success is true": (LINE, patched(progress, "apply_report", always_over)),
    "chains in order": (
        written.SCHEDULES["a chain waits for one that comes later, and is asked again"],
        patched(other_chains, "wait_for", lambda *_: None),
    ),
    "confirmed within limits": (
        written.SCHEDULES["a plan that is beyond the limits is made again"],
        patched(confirmation_limits, "excess", lambda *_: ""),
    ),
    "within its window": (
        written.SCHEDULES["a window closes while a chain runs, and workers die when it does"],
        patched(window_reading, "closed_window", lambda *_, **__: None),
    ),
    "one chain at a stack": (
        dataclasses.replace(
            LINE, chains=(*LINE.chains, ChainPlan(name="other", spec=LINE.chains[0].spec))
        ),
        patched(ids, "execution_workflow_id", id_of_its_own),
    ),
    "gone means over": (
        dataclasses.replace(
            LINE, events=(Event(at=9, actor=Actor.USER, action="delete", target="chain"),)
        ),
        patched(deletion.Deletion, "advance", always),
    ),
    "only the leader writes": (
        dataclasses.replace(
            LINE, events=(Event(at=5, actor=Actor.FAULT, action="add", target="operator"),)
        ),
        both(
            patched(lease, "next_step", lambda *_: lease.LeaseStep.TAKE),
            patched(lease.LeaderLease, "_renew", still_leads),
        ),
    ),
    "bounded work": (
        LINE,
        patched(
            worlds,
            "RELEASE",
            role_processes.Release(environment={"SPACELIFT_POLL_SECONDS": "0.02"}),
        ),
    ),
}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "PATIENCE_SECONDS", 300.0)


@pytest.mark.parametrize("invariant", MISTAKES)
def test_a_mistake_of_the_product_is_seen(invariant: str) -> None:
    plan, bug = MISTAKES[invariant]

    assert finding.violations_of(plan) == ()

    assert any(invariant in seen(plan, bug, seed=seed) for seed in range(plan.seed, plan.seed + 10))


def waits_but_for(kind: v1alpha1.StageWait) -> playing.Bug:
    def waiting(run: progress.ChainProgress) -> dict[str, progress.StageProgress]:
        return {stage.name: stage for stage in run.stages if stage.waits_for not in ("", kind)}

    return patched(gates, "waiting", waiting)


def without_stages(*args: Any, stage_of: object, **options: Any) -> dict[str, str]:
    return origins(*args, **options)


origins = adoption.origins

MISTAKES_OF_STAGES = {
    "before stacks of earlier stages": waits_but_for(v1alpha1.StageWait.EARLIER_STAGES),
    "its soak time ended": waits_but_for(v1alpha1.StageWait.SOAK),
    "nobody had approved it": waits_but_for(v1alpha1.StageWait.APPROVAL),
    "of c in qa began": patched(adoption, "origins", without_stages),
}


@pytest.mark.parametrize("text", MISTAKES_OF_STAGES)
def test_each_thing_that_a_stage_waits_for_is_seen(text: str) -> None:
    """The last one: the chain uses what Spacelift has queued across a stage."""
    found = finding.violations_of(STAGED, bug=MISTAKES_OF_STAGES[text])

    assert any(item.invariant == "stages in order" and text in item.text for item in found)


def always_open(
    run: progress.ChainProgress, states: dict[str, windows.WindowState], *, now: str
) -> None:
    opened = {name: dataclasses.replace(state, is_open=True) for name, state in states.items()}
    take_windows(run, opened, now=now)


take_windows = gates.take_windows


def test_a_stage_that_starts_outside_of_its_own_window_is_seen() -> None:
    plan = written.SCHEDULES[
        "windows of stages close while these roll, and workers die when they do"
    ]
    bug = both(
        patched(gates, "take_windows", always_open),
        patched(window_reading, "closed_window", lambda *_, **__: None),
    )

    found = finding.violations_of(plan, bug=bug)

    assert {item.invariant for item in found} == {"within its window"}
    assert all(" of e " in item.text or " of f " in item.text for item in found)


def test_a_mistake_is_known_for_each_invariant() -> None:
    """There is no mistake for what happens too often: a separate test counts that."""
    known = {*invariants.AT_THE_END, *moves.AT_EACH_MOVE}

    assert known - MISTAKES.keys() == {"no storms"}


def seen(plan: Plan, bug: playing.Bug, *, seed: int) -> set[str]:
    """Return the invariants that a mistake violates; by chance it may do no harm."""
    found = finding.violations_of(dataclasses.replace(plan, seed=seed), bug=bug)
    return {violation.invariant for violation in found}


def test_a_run_that_nobody_asked_for_is_seen() -> None:
    record = playing.play(LINE).record
    (chain,) = record.chains.values()
    before = list(triggers.only_what_was_asked_for(record))
    chain.runs |= dict.fromkeys(range(2, 2 + chain.generations), chain.runs[1])

    assert before == []
    assert len(list(triggers.only_what_was_asked_for(record))) == 1


RUN_2: dict[str, Any] = {
    "observedGeneration": 3,
    "latestRun": {"number": 2},
    "stacks": [{"id": "a", "phase": "Failed"}],
}
ESTIMATED = {
    "operation": "Apply",
    "phase": "Running",
    "estimatedCompletionTime": "2026-03-01T10:09:00Z",
}
WRITES = {
    "an earlier run": (
        writes.the_status_never_goes_back,
        {**RUN_2, "latestRun": {"number": 1}},
        ["the number of the run went from 2 to 1"],
    ),
    "an earlier generation": (
        writes.the_status_never_goes_back,
        {**RUN_2, "observedGeneration": 2},
        ["the observed generation went from 3 to 2"],
    ),
    "a stack that was over": (
        writes.the_status_never_goes_back,
        {**RUN_2, "stacks": [{"id": "a", "phase": "Running"}]},
        ["a went from Failed to Running"],
    ),
    "a further attempt": (
        writes.the_status_never_goes_back,
        {**RUN_2, "latestRun": {"number": 2, "attempt": 2}, "stacks": []},
        [],
    ),
    "ready, and not over": (
        writes.ready_means_over,
        {
            "conditions": [
                {"type": "Ready", "status": "True"},
                {"type": "Stalled", "status": "True"},
            ],
            "pendingRun": {},
            "stacks": [{"id": "a", "phase": "Running"}],
        },
        ["is Ready, while a is Running, a run waits, Stalled"],
    ),
    "a stack without a reason": (
        writes.nothing_waits_without_a_reason,
        {"stacks": [{"id": "a", "phase": "Waiting"}]},
        ["a is Waiting for no reason"],
    ),
    "a chain without a reason": (
        writes.nothing_waits_without_a_reason,
        {"conditions": [{"type": "Ready", "status": "False", "reason": "Gone"}]},
        ["is not Ready for no reason: {'type': 'Ready', 'status': 'False', 'reason': 'Gone'}"],
    ),
    "a failure behind a wait": (
        writes.what_needs_a_person_is_named,
        {
            "latestRun": {"phase": "AwaitingConfirmation", "summary": {"total": 3}},
            "conditions": [
                {
                    "type": "Ready",
                    "status": "Unknown",
                    "reason": "AwaitingConfirmation",
                    "message": "The run of 'b' waits.",
                }
            ],
            "stacks": [
                {"id": "a", "phase": "Failed", "reason": "RunFailed"},
                {"id": "b", "phase": "AwaitingConfirmation"},
                {"id": "c", "phase": "Canceled", "reason": "ChainCanceled"},
            ],
        },
        ["is AwaitingConfirmation, \"The run of 'b' waits.\", while a did not succeed"],
    ),
    "progress where someone has to act": (
        writes.what_needs_a_person_is_named,
        {
            "latestRun": {"phase": "Running", "summary": {"total": 2}},
            "conditions": [
                {"type": "Ready", "status": "Unknown", "reason": "Progressing", "message": "'a'"}
            ],
            "stacks": [
                {"id": "a", "phase": "Waiting", "heldBy": {"needsPerson": True}},
                {"id": "b", "phase": "Waiting", "heldBy": {}},
            ],
        },
        ["is Progressing, \"'a'\", while a is held up"],
    ),
    "an estimate without a past": (
        writes.an_estimate_has_a_past_and_nothing_in_between,
        {
            "latestRun": ESTIMATED,
            "durations": [{"stackId": "a", "applySeconds": 1}, {"stackId": "b", "planSeconds": 1}],
            "stacks": [{"id": "a", "phase": "Running"}, {"id": "b", "phase": "Pending"}],
        },
        ["a run is estimated, and nothing is known of b"],
    ),
    "an estimate while others have to act first": (
        writes.an_estimate_has_a_past_and_nothing_in_between,
        {
            "latestRun": ESTIMATED,
            "durations": [{"stackId": name, "applySeconds": 1} for name in "abc"],
            "stacks": [
                {"id": "a", "phase": "AwaitingConfirmation", "reason": "NeedsConfirmation"},
                {"id": "b", "phase": "Waiting", "reason": "StackLocked", "heldBy": {}},
                {"id": "c", "phase": "Pending", "reason": "Suspended"},
            ],
        },
        [
            "a run is estimated, and a is AwaitingConfirmation NeedsConfirmation",
            "a run is estimated, and b is Waiting StackLocked",
            "a run is estimated, and c is Suspended",
        ],
    ),
    "an estimate of what has ended": (
        writes.an_estimate_has_a_past_and_nothing_in_between,
        {"latestRun": {**ESTIMATED, "phase": "Succeeded"}, "stacks": []},
        ["a run is estimated that is over"],
    ),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_write_that_says_what_is_wrong_is_seen(name: str) -> None:
    invariant, status, violated = WRITES[name]
    record = playing.play(LINE).record
    (chain,) = record.chains.values()
    chain.body = {**chain.body, "status": status}
    write = records.Write(record=record, chain=chain, before=RUN_2, user="", is_gone=False)

    assert list(invariant(write)) == violated


def test_a_storm_is_seen() -> None:
    record = playing.play(LINE).record
    (chain,) = record.chains.values()
    before = list(work.no_storms(record))
    chain.written_at = [100 + number / 2 for number in range(15)]
    for role in record.roles:
        if role.kube is not None:
            role.kube.sent_at = [3 * number for number in range(120)]
            role.kube.sent_at += [400 + number / 10 for number in range(70)]

    assert before == []
    assert list(work.no_storms(record)) == [
        "more than 12 writes of the status of team/chain in 10 s, at 106.0 s",
        "more than 60 requests of here/operator-1 to the API server in 10 s, at 406.0 s",
    ]


def test_a_storm_of_a_minute_is_seen() -> None:
    record = playing.play(LINE).record
    for role in record.roles:
        if role.kube is not None:
            # Slow enough for each ten seconds.
            role.kube.sent_at = [100 + number / 3 for number in range(180)]

    assert list(work.no_storms(record)) == [
        "more than 140 requests of here/operator-1 to the API server in 60 s, at 146.7 s"
    ]


def test_no_run_of_a_chain_that_was_deleted_may_be_too_early_either() -> None:
    record = playing.play(LINE).record
    (chain,) = record.chains.values()
    chain.deleted_at = 9.0
    before = list(triggers.upstreams_first(record))
    (first,) = (run for run in record.account_runs if run.stack_id == "a")
    first.updated_at += 1000

    assert before == []
    assert [text.split(" had")[0][-10:] for text in triggers.upstreams_first(record)] == [
        "upstream a"
    ]


def test_what_violates_something_is_made_as_small_as_it_gets() -> None:
    """Of three stacks, two chains and three events the mistake needs one stack and one chain."""
    plan, bug = MISTAKES["nothing is left"]
    large = dataclasses.replace(
        plan,
        chains=(
            *plan.chains,
            ChainPlan(name="other", at=3, spec={"roots": {"stackIds": ["b"]}, "parallelism": 2}),
        ),
        events=tuple(
            Event(at=at, actor=Actor.PERSON, action="trigger", target="c") for at in (2, 4, 8)
        ),
    )

    found = finding.reduce(large, finding.violations_of(large, bug=bug), bug=bug)

    assert len(found.smallest.stacks) == 1
    assert len(found.smallest.chains) == 1
    assert found.smallest.events == ()
    assert "nothing is left: StackChain" in found.describe()
    assert f"--seed {plan.seed}" in found.describe()

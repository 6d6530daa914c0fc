"""How each policy of the spec reacts to the ends of runs: one row, one chain.

Rows with pauses of hours are for the server that skips time. That server mishandles cancels, so
rows in which a run is stopped are for the other one, with deadlines of a second.
"""

import dataclasses
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from controller.api import v1alpha1
from controller.api.v1alpha1 import Operation
from controller.chain.run import progress
from tests.workflows import harness as harnesses
from tests.workflows.conftest import Serve
from tests.workflows.world import World

SERVER = Path(sys.executable).parent / "temporal-test-server"

HOUR = 3600


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """Given: a graph as `World` draws it, how runs end, and fields of the spec.

    `first_ends` are the ends of a stack's first runs; `stays` are the states in which runs stay
    until someone acts. Expected: each stack as "Phase/Reason", the chain likewise, which stacks the
    chain triggers, in order, how their runs end, and at least how many seconds it takes.
    """

    graph: Sequence[str]
    stacks: Mapping[str, str]
    chain: str
    fields: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    roots: Sequence[str] = ("a",)
    ends: Mapping[str, str] = dataclasses.field(default_factory=dict)
    first_ends: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    stays: Mapping[str, str] = dataclasses.field(default_factory=dict)
    triggers: str | None = None
    states: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    takes: int = 0

    def world(self) -> World:
        world = World(*self.graph, roots=self.roots)
        # Only a tracked run makes Spacelift queue others.
        world.has_natives = self.fields.get("operation", Operation.APPLY) == Operation.APPLY
        world.ends = dict(self.ends)
        world.first_ends = {stack_id: list(ends) for stack_id, ends in self.first_ends.items()}
        world.held, world.holds_in = set(self.stays), dict(self.stays)
        return world

    def check(self, world: World, known: progress.ChainProgress) -> None:
        found = {stack.id: f"{stack.phase}/{stack.reason}" for stack in known.stacks}
        assert found == self.stacks
        assert f"{known.phase}/{known.reason}" == self.chain
        if self.triggers is not None:
            # Stacks that become ready together are triggered in any order.
            assert sorted(world.calls("trigger_stack_run")) == sorted(self.triggers)
        for stack_id, states in self.states.items():
            assert world.states(stack_id) == list(states)
        assert self.takes <= _seconds(known) < self.takes + 60


def _seconds(known: progress.ChainProgress) -> float:
    assert known.completion_time
    began, ended = (datetime.fromisoformat(at) for at in (known.start_time, known.completion_time))
    return (ended - began).total_seconds()


def retry(limit: int, *, backoff: int = HOUR, most: int = 24 * HOUR) -> v1alpha1.Retry:
    return v1alpha1.Retry(limit=limit, backoff_seconds=backoff, max_backoff_seconds=most)


WELL, FAILED = "Succeeded/RunFinished", "Failed/RunFailed"
BEHIND, FAST = "Skipped/UpstreamNotSucceeded", "Skipped/FailFast"
PLAN, DESTROY = {"operation": "Plan"}, {"operation": "Destroy"}

SUCCESS, FAILURE = "Succeeded/RunSucceeded", "Failed/StackFailed"
CANCELED, LATE = "Canceled/StackCanceled", "TimedOut/StackTimedOut"

FAILURE_POLICY = {
    "SkipDependents skips what is behind and nothing else": Row(
        graph=["a~b", "b~c", "a~d"],
        ends={"b": "FAILED"},
        stacks={"a": WELL, "b": FAILED, "c": BEHIND, "d": WELL},
        chain=FAILURE,
        triggers="abd",
    ),
    "SkipDependents after a person discarded": Row(
        graph=["a~b"],
        ends={"a": "DISCARDED"},
        stacks={"a": "Canceled/RunDiscarded", "b": BEHIND},
        chain=CANCELED,
        triggers="a",
    ),
    "SkipDependents after a person canceled": Row(
        graph=["a~b"],
        ends={"a": "CANCELED"},
        stacks={"a": "Canceled/RunCanceled", "b": BEHIND},
        chain=CANCELED,
    ),
    "SkipDependents after a person stopped": Row(
        graph=["a~b"],
        ends={"a": "STOPPED"},
        stacks={"a": "Canceled/RunStopped", "b": BEHIND},
        chain=CANCELED,
    ),
    "a failure weighs more than what a person ended": Row(
        graph=[],
        roots=("a", "b"),
        ends={"a": "DISCARDED", "b": "FAILED"},
        stacks={"a": "Canceled/RunDiscarded", "b": FAILED},
        chain=FAILURE,
    ),
    "a native run that is skipped releases what is behind": Row(
        graph=["a>b", "b>c"],
        ends={"b": "SKIPPED"},
        stacks={"a": WELL, "b": "Skipped/OutputUnchanged", "c": WELL},
        chain=SUCCESS,
        triggers="a",
    ),
    "a triggered run that is skipped does not": Row(
        graph=["a~b"],
        ends={"a": "SKIPPED"},
        stacks={"a": "Failed/RunSkipped", "b": BEHIND},
        chain=FAILURE,
    ),
    "FailFast keeps all others from starting": Row(
        graph=["a~b"],
        roots=("a", "c"),
        fields={"failure_policy": "FailFast", "parallelism": 1},
        ends={"a": "FAILED"},
        stacks={"a": FAILED, "b": BEHIND, "c": FAST},
        chain=FAILURE,
        triggers="a",
    ),
    "FailFast for what a person ended too": Row(
        graph=["a~b"],
        roots=("a", "c"),
        fields={"failure_policy": "FailFast", "parallelism": 1},
        ends={"a": "DISCARDED"},
        stacks={"a": "Canceled/RunDiscarded", "b": BEHIND, "c": FAST},
        chain=CANCELED,
        triggers="a",
    ),
    "FailFast not for what is unchanged": Row(
        graph=["a>b", "b>c", "b~d"],
        fields={"failure_policy": "FailFast", "parallelism": 1},
        ends={"b": "SKIPPED"},
        stacks={"a": WELL, "b": "Skipped/OutputUnchanged", "c": WELL, "d": WELL},
        chain=SUCCESS,
    ),
    "SkipDependents skips nothing of a plan": Row(
        graph=["a~b", "b~c"],
        fields=PLAN | {"parallelism": 1},
        ends={"a": "FAILED"},
        stacks={"a": FAILED, "b": WELL, "c": WELL},
        chain=FAILURE,
        triggers="abc",
    ),
    "FailFast ends a plan too": Row(
        graph=["a~b", "b~c"],
        fields=PLAN | {"failure_policy": "FailFast", "parallelism": 1},
        ends={"b": "FAILED"},
        stacks={"a": WELL, "b": FAILED, "c": FAST},
        chain=FAILURE,
        triggers="ab",
    ),
    "what could not be destroyed keeps what it needs": Row(
        graph=["a~b", "b~c"],
        fields=DESTROY,
        ends={"b": "FAILED"},
        stacks={"a": BEHIND, "b": FAILED, "c": WELL},
        chain=FAILURE,
        triggers="cb",
    ),
}

RETRY = {
    "without retry there is one run": Row(
        graph=[],
        ends={"a": "FAILED"},
        stacks={"a": FAILED},
        chain=FAILURE,
        states={"a": ["FAILED"]},
    ),
    "each pause is twice as long": Row(
        graph=["a~b"],
        fields={"retry": retry(2)},
        first_ends={"a": ["FAILED", "FAILED"]},
        stacks={"a": WELL, "b": WELL},
        chain=SUCCESS,
        triggers="aaab",
        states={"a": ["FAILED", "FAILED", "FINISHED"]},
        takes=3 * HOUR,
    ),
    "up to the longest": Row(
        graph=[],
        fields={"retry": retry(4, most=3 * HOUR)},
        first_ends={"a": ["FAILED"] * 4},
        stacks={"a": WELL},
        chain=SUCCESS,
        takes=(1 + 2 + 3 + 3) * HOUR,
    ),
    "the limit counts further runs": Row(
        graph=["a~b"],
        fields={"retry": retry(2)},
        ends={"a": "FAILED"},
        stacks={"a": FAILED, "b": BEHIND},
        chain=FAILURE,
        triggers="aaa",
        states={"a": ["FAILED"] * 3},
        takes=3 * HOUR,
    ),
    "what a person ended is not run again": Row(
        graph=["a~b"],
        fields={"retry": retry(3)},
        ends={"a": "STOPPED"},
        stacks={"a": "Canceled/RunStopped", "b": BEHIND},
        chain=CANCELED,
        triggers="a",
    ),
    "each stack has a limit of its own": Row(
        graph=["a~b"],
        fields={"retry": retry(1)},
        first_ends={"a": ["FAILED"], "b": ["FAILED"]},
        stacks={"a": WELL, "b": WELL},
        chain=SUCCESS,
        triggers="aabb",
        takes=2 * HOUR,
    ),
    "a native run that failed is followed by one of the chain": Row(
        graph=["a>b", "b>c"],
        fields={"retry": retry(1)},
        first_ends={"b": ["FAILED"]},
        stacks={"a": WELL, "b": WELL, "c": WELL},
        chain=SUCCESS,
        triggers="abc",
        takes=HOUR,
    ),
    "FailFast waits for the last attempt": Row(
        graph=[],
        roots=("a", "b"),
        fields={"retry": retry(1), "failure_policy": "FailFast", "parallelism": 1},
        first_ends={"a": ["FAILED"]},
        stacks={"a": WELL, "b": WELL},
        chain=SUCCESS,
        # While it pauses, the other stack has the slot.
        triggers="aba",
        takes=HOUR,
    ),
    "plans are run again too": Row(
        graph=["a~b"],
        fields=PLAN | {"retry": retry(1), "parallelism": 1},
        first_ends={"a": ["FAILED"]},
        stacks={"a": WELL, "b": WELL},
        chain=SUCCESS,
        triggers="aab",
        takes=HOUR,
    ),
    "the time of a stack passes in a pause too": Row(
        graph=["a~b"],
        fields={"retry": retry(5, backoff=24 * HOUR), "stack_deadline_seconds": 5 * HOUR},
        ends={"a": "FAILED"},
        stacks={"a": FAILED, "b": BEHIND},
        chain=FAILURE,
        triggers="a",
        takes=5 * HOUR,
    ),
    "deadlines of days end nothing that is over before": Row(
        graph=["a~b"],
        fields={
            "retry": retry(1),
            "confirmation_deadline_seconds": 24 * HOUR,
            "stack_deadline_seconds": 48 * HOUR,
            "active_deadline_seconds": 72 * HOUR,
        },
        first_ends={"a": ["FAILED"]},
        stacks={"a": WELL, "b": WELL},
        chain=SUCCESS,
        takes=HOUR,
    ),
}

CONFIRMATION_POLICY = {
    "Auto confirms what waits": Row(
        graph=["a~b"],
        fields={"confirmation_policy": "Auto"},
        stays={"a": "UNCONFIRMED", "b": "UNCONFIRMED"},
        stacks={"a": WELL, "b": WELL},
        chain=SUCCESS,
        triggers="ab",
    ),
    "Auto confirms native runs": Row(
        graph=["a>b"],
        fields={"confirmation_policy": "Auto"},
        stays={"b": "UNCONFIRMED"},
        stacks={"a": WELL, "b": WELL},
        chain=SUCCESS,
        triggers="a",
    ),
    "Auto confirms what is destroyed": Row(
        graph=["a~b"],
        fields=DESTROY | {"confirmation_policy": "Auto"},
        stays={"a": "UNCONFIRMED"},
        stacks={"a": WELL, "b": WELL},
        chain=SUCCESS,
        triggers="ba",
    ),
}

NATIVE_RUNS = {
    "Adopt triggers the roots only": Row(
        graph=["a>b", "b>c"],
        stacks=dict.fromkeys("abc", WELL),
        chain=SUCCESS,
        triggers="a",
    ),
    "Replace triggers every stack": Row(
        graph=["a>b", "b>c"],
        fields={"native_runs": "Replace"},
        stacks=dict.fromkeys("abc", WELL),
        chain=SUCCESS,
        triggers="abc",
    ),
    "so do variables": Row(
        graph=["a>b"],
        fields={"environment": {"REGION": "eu"}},
        stacks=dict.fromkeys("ab", WELL),
        chain=SUCCESS,
        triggers="ab",
    ),
    "and edges by label": Row(
        graph=["a~b", "b~c"],
        stacks=dict.fromkeys("abc", WELL),
        chain=SUCCESS,
        triggers="abc",
    ),
    "below two roots the chain triggers": Row(
        graph=["a>c", "b>c", "c>d"],
        roots=("a", "b"),
        stacks=dict.fromkeys("abcd", WELL),
        chain=SUCCESS,
        triggers="abc",
    ),
}

ORDER = {
    "Plan triggers every stack": Row(
        graph=["a>b", "b>d", "c~d"],
        roots=("a", "c"),
        fields=PLAN | {"parallelism": 1},
        stacks=dict.fromkeys("abcd", WELL),
        chain=SUCCESS,
        triggers="abcd",
    ),
    "Destroy goes from downstream to upstream": Row(
        graph=["a>b", "b>c"],
        fields=DESTROY,
        stacks=dict.fromkeys("abc", WELL),
        chain=SUCCESS,
        triggers="cba",
    ),
    "Destroy waits for all that depends": Row(
        graph=["a>b", "b>d", "a>d"],
        fields=DESTROY,
        stacks=dict.fromkeys("abd", WELL),
        chain=SUCCESS,
        triggers="dba",
    ),
}

STOPPED = {
    "a run that nobody confirms": Row(
        graph=["a~b"],
        fields={"confirmation_deadline_seconds": 1},
        stays={"a": "UNCONFIRMED"},
        stacks={"a": "TimedOut/ConfirmationDeadlineExceeded", "b": BEHIND},
        chain=LATE,
        states={"a": ["DISCARDED"]},
        takes=1,
    ),
    "a run that plans for too long": Row(
        graph=["a~b"],
        fields={"stack_deadline_seconds": 1},
        stays={"a": "PLANNING"},
        stacks={"a": "TimedOut/StackDeadlineExceeded", "b": BEHIND},
        chain=LATE,
        states={"a": ["STOPPED"]},
        takes=1,
    ),
    "a run that nobody confirms, for its stack": Row(
        graph=["a~b"],
        fields={"stack_deadline_seconds": 1, "confirmation_deadline_seconds": 1},
        stays={"b": "QUEUED"},
        stacks={"a": WELL, "b": "TimedOut/StackDeadlineExceeded"},
        chain=LATE,
        states={"b": ["CANCELED"]},
        takes=1,
    ),
    "what the chain confirms waits for nobody": Row(
        graph=[],
        fields={
            "confirmation_policy": "Auto",
            "confirmation_deadline_seconds": 1,
            "stack_deadline_seconds": 2,
        },
        stays={"a": "PLANNING"},
        stacks={"a": "TimedOut/StackDeadlineExceeded"},
        chain=LATE,
        states={"a": ["STOPPED"]},
        takes=2,
    ),
    "a stack in time beside one that is not": Row(
        graph=[],
        roots=("a", "b"),
        fields={"stack_deadline_seconds": 1},
        stays={"a": "UNCONFIRMED"},
        stacks={"a": "TimedOut/StackDeadlineExceeded", "b": WELL},
        chain=LATE,
        takes=1,
    ),
    "FailFast after a deadline": Row(
        graph=["a~b"],
        roots=("a", "c"),
        fields={
            "stack_deadline_seconds": 1,
            "failure_policy": "FailFast",
            "parallelism": 1,
        },
        stays={"a": "PLANNING"},
        stacks={"a": "TimedOut/StackDeadlineExceeded", "b": BEHIND, "c": FAST},
        chain=LATE,
        takes=1,
    ),
    "a plan after a deadline": Row(
        graph=["a~b"],
        fields=PLAN | {"stack_deadline_seconds": 1},
        stays={"a": "PLANNING"},
        stacks={"a": "TimedOut/StackDeadlineExceeded", "b": WELL},
        chain=LATE,
        takes=1,
    ),
    "a failure weighs more than a deadline": Row(
        graph=[],
        roots=("a", "b"),
        fields={"stack_deadline_seconds": 1},
        ends={"b": "FAILED"},
        stays={"a": "PLANNING"},
        stacks={"a": "TimedOut/StackDeadlineExceeded", "b": FAILED},
        chain=FAILURE,
        takes=1,
    ),
    "a chain that takes too long": Row(
        graph=["a>b", "a~c"],
        fields={"active_deadline_seconds": 6},
        stays={"a": "UNCONFIRMED", "b": "QUEUED"},
        stacks={
            "a": "TimedOut/ChainDeadlineExceeded",
            "b": "Canceled/ChainDeadlineExceeded",
            "c": "Canceled/ChainDeadlineExceeded",
        },
        chain="TimedOut/DeadlineExceeded",
        states={"a": ["DISCARDED"], "b": ["CANCELED"]},
        takes=6,
    ),
    "a chain whose retries take too long": Row(
        graph=["a~b"],
        fields={"active_deadline_seconds": 6, "retry": retry(5)},
        ends={"a": "FAILED"},
        stacks={"a": FAILED, "b": "Canceled/ChainDeadlineExceeded"},
        chain=FAILURE,
        triggers="a",
        takes=6,
    ),
}


@pytest.fixture(scope="module")
async def quick_client() -> AsyncIterator[Client]:
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(SERVER)
    ) as environment:
        yield environment.client


def rows(*tables: Mapping[str, Row]) -> list[Any]:
    return [pytest.param(row, id=name) for table in tables for name, row in table.items()]


@pytest.mark.parametrize(
    "row", rows(FAILURE_POLICY, RETRY, CONFIRMATION_POLICY, NATIVE_RUNS, ORDER)
)
async def test_a_policy_decides_what_follows_from_how_runs_end(
    quick_client: Client, row: Row
) -> None:
    world = row.world()
    world.publishes_seldom = True
    chain = harnesses.new_harness(quick_client, world)

    async with harnesses.workers(chain):
        known = await chain.run(**row.fields)
        await harnesses.finish(chain)

    row.check(world, known)


@pytest.mark.parametrize("row", rows(STOPPED))
async def test_what_takes_too_long_is_stopped_and_the_policy_decides_the_rest(
    serve: Serve, row: Row
) -> None:
    world = row.world()
    chain = await serve(world)

    known = await chain.run(**row.fields)

    row.check(world, known)

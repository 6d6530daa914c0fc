"""Which run executions before a reset had wanted last, from histories alone."""

import dataclasses
import re
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
import temporalio.converter
import temporalio.exceptions
from temporalio.api.common.v1 import ActivityType, Payload, Payloads, WorkflowExecution
from temporalio.api.enums.v1 import EventType, WorkflowExecutionStatus
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice import v1 as workflowservice
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import ActivityEnvironment

from controller.api import v1alpha1
from controller.chain.run import failures, progress, run_snapshots
from controller.temporal import ids, messages
from controller.temporal.activities import earlier_executions
from tests.unit.temporal.activities import fakes

STACK, CHAIN = "spacelift/acme/a", "stackchain/team/demo/1"
OWN = "own"
"""The run id of the execution that asks."""
CONVERTER = temporalio.converter.default()

_Status = WorkflowExecutionStatus
Events = Sequence[HistoryEvent]


def payloads(*values: object) -> Payloads:
    return Payloads(payloads=CONVERTER.payload_converter.to_payloads(values))


def scheduled(event_id: int, name: str, argument: Payloads) -> HistoryEvent:
    event = HistoryEvent(event_id=event_id, event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
    attributes = event.activity_task_scheduled_event_attributes
    attributes.activity_type.CopyFrom(ActivityType(name=name))
    attributes.input.CopyFrom(argument)
    return event


def completed(event_id: int, result: Payloads) -> HistoryEvent:
    event = HistoryEvent(event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED)
    attributes = event.activity_task_completed_event_attributes
    attributes.scheduled_event_id = event_id
    attributes.result.CopyFrom(result)
    return event


def trigger(newest_run_id: str, run_id: str | None = None, *, event_id: int = 10) -> Events:
    """Return what a trigger leaves, whose answer came or did not."""
    wish = messages.TriggerStackRunInput(
        target=fakes.stack_ref("a"), newest_run_id=newest_run_id, marker="", key_id="key"
    )
    events = [scheduled(event_id, ids.TRIGGER_ACTIVITY, payloads(wish))]
    if run_id is not None:
        run = run_snapshots.RunSnapshot(run_id=run_id, state="QUEUED")
        events.append(completed(event_id, payloads(run)))
    return events


def found(newest_run_id: str, adopted: str | None = None) -> Events:
    """Return what a search leaves."""
    result = messages.FindStackRunResult(newest_run_id=newest_run_id, adopted_run_id=adopted)
    return [scheduled(5, ids.FIND_ACTIVITY, payloads("")), completed(5, payloads(result))]


def child(workflow_id: str, run_id: str) -> HistoryEvent:
    event = HistoryEvent(event_type=EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED)
    started = event.child_workflow_execution_started_event_attributes
    started.workflow_execution.CopyFrom(WorkflowExecution(workflow_id=workflow_id, run_id=run_id))
    return event


@dataclasses.dataclass(frozen=True, kw_only=True)
class Known:
    """An execution that Temporal knows; `reset_to` is the last one that a reset made of it."""

    run_id: str
    first: str = ""
    reset_to: str = ""
    events: Events = ()
    workflow_id: str = STACK
    is_listed: bool = True
    parent: str = ""
    children: Sequence[tuple[str, str]] = ()
    status: WorkflowExecutionStatus.ValueType = _Status.WORKFLOW_EXECUTION_STATUS_COMPLETED


class FakeTemporal:
    """Answers as a client does, with its service's calls."""

    namespace = "default"
    data_converter = CONVERTER

    def __init__(self, *executions: Known) -> None:
        self.executions = {(each.workflow_id, each.run_id): each for each in executions}
        self.read: list[str] = []
        """The executions whose histories were read."""
        self.error: RPCError | None = None

    @property
    def workflow_service(self) -> "FakeTemporal":
        return self

    async def describe_workflow_execution(
        self, request: workflowservice.DescribeWorkflowExecutionRequest, *, retry: bool
    ) -> workflowservice.DescribeWorkflowExecutionResponse:
        each = self._get(request.execution.workflow_id, request.execution.run_id)
        answer = workflowservice.DescribeWorkflowExecutionResponse(
            workflow_execution_info=self._info(each)
        )
        answer.workflow_extended_info.reset_run_id = each.reset_to
        for workflow_id, run_id in each.children:
            answer.pending_children.add(workflow_id=workflow_id, run_id=run_id)
        return answer

    async def list_workflow_executions(
        self, request: workflowservice.ListWorkflowExecutionsRequest, *, retry: bool
    ) -> workflowservice.ListWorkflowExecutionsResponse:
        match = re.fullmatch(r"WorkflowId = '(.+)' AND StartTime >= '.+'", request.query)
        assert match is not None, request.query
        return workflowservice.ListWorkflowExecutionsResponse(
            executions=[
                self._info(each)
                for each in self.executions.values()
                if each.is_listed and each.workflow_id == match[1]
            ]
        )

    def get_workflow_handle(self, workflow_id: str, *, run_id: str) -> Any:
        each, read = self._get(workflow_id, run_id), self.read

        class Handle:
            async def fetch_history_events(self, **_: Any) -> AsyncIterator[HistoryEvent]:
                read.append(run_id)
                for event in each.events:
                    yield event

        return Handle()

    def _get(self, workflow_id: str, run_id: str) -> Known:
        if self.error is not None:
            raise self.error
        if not run_id:
            of_id = [each for known, each in self.executions.items() if known[0] == workflow_id]
            run_id = of_id[-1].run_id if of_id else ""
        if (workflow_id, run_id) not in self.executions:
            raise RPCError("not found", RPCStatusCode.NOT_FOUND, b"")
        return self.executions[workflow_id, run_id]

    def _info(self, each: Known) -> WorkflowExecutionInfo:
        info = WorkflowExecutionInfo(
            execution=WorkflowExecution(workflow_id=each.workflow_id, run_id=each.run_id),
            first_run_id=each.first,
            status=each.status,
        )
        info.start_time.FromDatetime(datetime(2026, 1, 1, tzinfo=UTC))
        if each.parent:
            info.parent_execution.workflow_id = each.parent
            info.parent_execution.run_id = "chain"
        return info


async def find(
    temporal: FakeTemporal,
    *,
    first: str = OWN,
    chain: tuple[str, str] = ("chain", "chain"),
    finder: earlier_executions.EarlierExecutions | None = None,
) -> messages.EarlierRun | None:
    """Ask as the execution `own`, whose first run id and whose chain's are given."""
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, workflow_id=STACK, workflow_run_id=OWN)
    finder = finder or earlier_executions.EarlierExecutions(temporal)  # type: ignore[arg-type]
    now, before = chain
    argument = messages.FindStackRunInput(
        target=fakes.stack_ref("a"),
        adopt_origin=None,
        queuers=[],
        chain=messages.ChainExecutionRef(
            workflow_id=CHAIN, workflow_run_id=now, first_run_id=before
        ),
        first_run_id=first,
    )
    return await environment.run(finder.find, argument)


def wanted(newest_run_id: str, run_id: str | None = None, **facts: Any) -> messages.EarlierRun:
    key_id = "" if facts.get("is_adopted") else "key"
    return messages.EarlierRun(newest_run_id=newest_run_id, key_id=key_id, run_id=run_id, **facts)


def reset(*events: HistoryEvent, into: Sequence[Known] = ()) -> list[Known]:
    """Return the stack's first execution, which was reset, those between, and the present one."""
    own = Known(run_id=OWN, first="first", events=trigger("90", "91"))
    return [Known(run_id="first", reset_to=OWN, events=events), *into, own]


BETWEEN = Known(run_id="between", first="first", reset_to=OWN)


def between(*events: HistoryEvent, **facts: Any) -> Known:
    return dataclasses.replace(BETWEEN, events=events, **facts)


OF_ONE_STACK: dict[str, tuple[list[Known], messages.EarlierRun | None]] = {
    "nothing was asked for before": (reset(), None),
    "only searches": (reset(*found("04")), None),
    "a trigger with its answer": (reset(*trigger("04", "05")), wanted("04", "05")),
    "a trigger without an answer": (reset(*trigger("04")), wanted("04")),
    "an adopted run": (
        reset(*found("04", adopted="05")),
        wanted("04", "05", is_adopted=True),
    ),
    "a second run after one that failed": (
        reset(*trigger("04", "05"), *trigger("05", "06", event_id=20)),
        wanted("05", "06", attempts=2),
    ),
    "the answer to a second trigger is not known": (
        reset(*trigger("04", "05"), *trigger("05", event_id=20)),
        wanted("05", attempts=2),
    ),
    "a trigger that was tried once and then again": (
        reset(*trigger("04"), *trigger("04", "05", event_id=20)),
        wanted("04", "05"),
    ),
    "a second run after one that was adopted": (
        reset(*found("04", adopted="05"), *trigger("05", "06")),
        wanted("05", "06", attempts=2),
    ),
    "an execution in between learned the answer": (
        reset(*trigger("04"), into=[between(*trigger("04", "05"))]),
        wanted("04", "05"),
    ),
    "the first one had the answer, the one in between not": (
        reset(*trigger("04", "05"), into=[between(*trigger("04"))]),
        wanted("04", "05"),
    ),
    "the one in between ran once more": (
        reset(*trigger("04", "05"), into=[between(*trigger("05", "06"))]),
        wanted("05", "06", attempts=2),
    ),
    "an execution of another run of the chain does not count": (
        reset(
            *trigger("04", "05"),
            into=[Known(run_id="other", first="other", events=trigger("07", "08"))],
        ),
        wanted("04", "05"),
    ),
    "the other activities do not count": (
        reset(scheduled(3, "follow_stack_run", payloads("")), completed(3, payloads("x"))),
        None,
    ),
}


@pytest.mark.parametrize(("executions", "expected"), OF_ONE_STACK.values(), ids=OF_ONE_STACK)
async def test_the_last_run_that_was_wanted_before_a_reset_of_the_stacks_execution(
    executions: list[Known], expected: messages.EarlierRun | None
) -> None:
    temporal = FakeTemporal(*executions)

    assert await find(temporal, first="first") == expected
    assert OWN not in temporal.read


async def test_where_nothing_was_reset_temporal_is_not_asked() -> None:
    temporal = FakeTemporal(Known(run_id=OWN, events=trigger("04", "05")))
    temporal.error = RPCError("away", RPCStatusCode.UNAVAILABLE, b"")

    assert await find(temporal) is None


async def test_an_execution_that_the_listing_does_not_show_yet_is_found_by_its_reset() -> None:
    first = Known(run_id="first", reset_to="between", events=trigger("04"))
    temporal = FakeTemporal(
        first,
        between(*trigger("04", "05"), is_listed=False),
        Known(run_id=OWN, first="first", is_listed=False),
    )

    assert await find(temporal, first="first") == wanted("04", "05")


def chain_execution(run_id: str, *children: tuple[str, str], **facts: Any) -> Known:
    events = [child(*each) for each in children]
    return Known(run_id=run_id, workflow_id=CHAIN, events=events, **facts)


async def test_of_a_chain_that_was_reset_the_children_before_count() -> None:
    temporal = FakeTemporal(
        chain_execution("chain-1", (STACK, "a-1"), ("spacelift/acme/b", "b-1"), reset_to="chain-2"),
        chain_execution("chain-2", (STACK, OWN), first="chain-1"),
        Known(run_id="a-1", events=trigger("04", "05")),
        Known(run_id="b-1", workflow_id="spacelift/acme/b", events=trigger("07", "08")),
        Known(run_id=OWN),
    )

    assert await find(temporal, chain=("chain-2", "chain-1")) == wanted("04", "05")
    assert temporal.read == ["chain-1", "a-1"]


async def test_of_a_chain_that_was_reset_twice_all_children_count_with_their_own_resets() -> None:
    temporal = FakeTemporal(
        chain_execution("chain-1", (STACK, "a-1"), reset_to="chain-2"),
        chain_execution("chain-2", (STACK, "a-2"), first="chain-1", reset_to="chain-3"),
        chain_execution("chain-3", (STACK, OWN), first="chain-1"),
        Known(run_id="a-1", reset_to="a-1b", events=trigger("04", "05")),
        Known(run_id="a-1b", first="a-1", events=trigger("05", "06")),
        Known(run_id="a-2", events=trigger("06", "07")),
        Known(run_id=OWN),
    )

    assert await find(temporal, chain=("chain-3", "chain-1")) == wanted("06", "07", attempts=3)


async def test_a_stack_that_had_not_started_before_the_reset_of_its_chain_has_no_run() -> None:
    temporal = FakeTemporal(
        chain_execution("chain-1", ("spacelift/acme/b", "b-1"), reset_to="chain-2"),
        chain_execution("chain-2", first="chain-1"),
        Known(run_id=OWN),
    )

    assert await find(temporal, chain=("chain-2", "chain-1")) is None


async def test_the_children_of_a_chain_are_read_once_for_all_its_stacks() -> None:
    temporal = FakeTemporal(
        chain_execution("chain-1", (STACK, "a-1"), reset_to="chain-2"),
        chain_execution("chain-2", first="chain-1"),
        Known(run_id="a-1", events=trigger("04", "05")),
        Known(run_id=OWN),
    )
    finder = earlier_executions.EarlierExecutions(temporal)  # type: ignore[arg-type]

    for _ in range(3):
        assert await find(temporal, chain=("chain-2", "chain-1"), finder=finder)

    assert temporal.read == ["chain-1", *["a-1"] * 3]


async def test_the_children_of_few_chains_are_remembered() -> None:
    chains = [f"chain-{number}" for number in range(100)]
    known = [chain_execution(chain, reset_to=f"{chain}-now") for chain in chains]
    known += [chain_execution(f"{chain}-now", first=chain) for chain in chains]
    temporal = FakeTemporal(*known)
    finder = earlier_executions.EarlierExecutions(temporal)  # type: ignore[arg-type]

    for chain in chains:
        await find(temporal, chain=(f"{chain}-now", chain), finder=finder)

    assert len(finder._children) < len(chains) / 2


JUNK = Payloads(payloads=[Payload(metadata={"encoding": b"of/tomorrow"}, data=b"x")])

LOST: dict[str, tuple[list[Known], dict[str, Any]]] = {
    "the first execution is gone": ([Known(run_id=OWN, first="first")], {"first": "first"}),
    "one in between is gone": (
        [
            Known(run_id="first", reset_to="gone", events=trigger("04", "05")),
            Known(run_id=OWN, first="first"),
        ],
        {"first": "first"},
    ),
    "the chain's execution is gone": (
        [Known(run_id=OWN)],
        {"chain": ("chain-2", "chain-1")},
    ),
    "a child of the chain is gone": (
        [
            chain_execution("chain-1", (STACK, "gone"), reset_to="chain-2"),
            chain_execution("chain-2", first="chain-1"),
        ],
        {"chain": ("chain-2", "chain-1")},
    ),
    "what was asked for cannot be read": (
        reset(scheduled(10, ids.TRIGGER_ACTIVITY, JUNK)),
        {"first": "first"},
    ),
    "what was asked for is nothing": (
        reset(scheduled(10, ids.TRIGGER_ACTIVITY, Payloads())),
        {"first": "first"},
    ),
    "an answer cannot be read": (
        reset(*trigger("04"), completed(10, JUNK)),
        {"first": "first"},
    ),
}


@pytest.mark.parametrize(("executions", "asked"), LOST.values(), ids=LOST)
async def test_a_history_that_is_gone_or_unreadable_is_no_guess(
    executions: list[Known], asked: dict[str, Any]
) -> None:
    with pytest.raises(temporalio.exceptions.ApplicationError) as caught:
        await find(FakeTemporal(*executions), **asked)

    assert (caught.value.type, caught.value.non_retryable) == (failures.HISTORY_LOST, True)


async def test_while_temporal_does_not_answer_it_is_asked_again() -> None:
    temporal = FakeTemporal(*reset(*trigger("04", "05")))
    temporal.error = RPCError("away", RPCStatusCode.UNAVAILABLE, b"")

    with pytest.raises(RPCError):
        await find(temporal, first="first")


RUNNING, TERMINATED = (
    _Status.WORKFLOW_EXECUTION_STATUS_RUNNING,
    _Status.WORKFLOW_EXECUTION_STATUS_TERMINATED,
)


def end(phase: v1alpha1.Phase | None) -> Events:
    """Return how an execution completes, with a report or without one."""
    event = HistoryEvent(event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED)
    report = progress.StackReport(stack_id="a", phase=phase, reason="") if phase else None
    event.workflow_execution_completed_event_attributes.result.CopyFrom(payloads(report))
    return [event]


async def find_stacks(temporal: FakeTemporal) -> list[messages.EarlierStack]:
    """Ask as an execution that was made of `chain-1`."""
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(
        environment.info, workflow_id=CHAIN, workflow_run_id="chain-2"
    )
    finder = earlier_executions.EarlierExecutions(temporal)  # type: ignore[arg-type]
    chain = messages.ChainExecutionRef(
        workflow_id=CHAIN, workflow_run_id="chain-2", first_run_id="chain-1"
    )
    return await environment.run(finder.find_stacks, chain)


def earlier(**facts: Any) -> messages.EarlierStack:
    return messages.EarlierStack(workflow_id=STACK, **facts)


UNREADABLE_END = HistoryEvent(workflow_execution_completed_event_attributes={"result": JUNK})
SUCCEEDED = progress.StackReport(stack_id="a", phase=v1alpha1.Phase.SUCCEEDED, reason="")

OF_A_CHAIN: dict[str, tuple[list[Known], list[messages.EarlierStack]]] = {
    "it runs": ([Known(run_id="a-1", status=RUNNING)], [earlier(is_running=True)]),
    "it was terminated": ([Known(run_id="a-1", status=TERMINATED)], [earlier()]),
    "it has ended": (
        [Known(run_id="a-1", events=end(v1alpha1.Phase.SUCCEEDED))],
        [earlier(report=SUCCEEDED)],
    ),
    "it had no run to adopt": ([Known(run_id="a-1", events=end(None))], []),
    "it gave a locked stack back": (
        [Known(run_id="a-1", events=end(v1alpha1.Phase.WAITING))],
        [],
    ),
    "it is gone": ([], [earlier()]),
    "its end cannot be read": ([Known(run_id="a-1", events=[UNREADABLE_END])], [earlier()]),
    "it was reset, too": (
        [
            Known(run_id="a-1", status=TERMINATED),
            Known(run_id="a-1b", first="a-1", status=RUNNING),
        ],
        [earlier(is_running=True)],
    ),
    "another chain has the stack": (
        [
            Known(run_id="a-1", events=end(v1alpha1.Phase.SUCCEEDED)),
            Known(run_id="b-1", status=RUNNING),
        ],
        [earlier(report=SUCCEEDED)],
    ),
}


@pytest.mark.parametrize(("executions", "expected"), OF_A_CHAIN.values(), ids=OF_A_CHAIN)
async def test_what_a_chain_had_started_before_its_reset(
    executions: list[Known], expected: list[messages.EarlierStack]
) -> None:
    temporal = FakeTemporal(
        chain_execution("chain-1", (STACK, "a-1"), reset_to="chain-2"),
        chain_execution("chain-2", (STACK, "own-child"), first="chain-1"),
        *executions,
    )

    assert await find_stacks(temporal) == expected


async def test_what_a_chain_had_started_is_not_known_without_its_history() -> None:
    with pytest.raises(temporalio.exceptions.ApplicationError) as error:
        await find_stacks(FakeTemporal())

    assert error.value.type == failures.HISTORY_LOST


async def check_awaited(temporal: FakeTemporal, *, first: str = "old") -> None:
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, workflow_id=STACK, workflow_run_id=OWN)
    finder = earlier_executions.EarlierExecutions(temporal)  # type: ignore[arg-type]
    await environment.run(finder.check_awaited, first)


def own(**facts: Any) -> Known:
    return Known(run_id=OWN, first="old", status=RUNNING, **{"parent": CHAIN} | facts)


def newest_chain(*children: tuple[str, str], **facts: Any) -> Known:
    return Known(
        run_id="chain", workflow_id=CHAIN, children=children, **{"status": RUNNING} | facts
    )


@pytest.mark.parametrize("first", [OWN, ""], ids=["not reset", "not known"])
async def test_an_execution_that_no_reset_has_made_need_not_be_awaited(first: str) -> None:
    await check_awaited(FakeTemporal(), first=first)


async def test_a_chain_waits_for_what_a_reset_made_of_its_live_stack() -> None:
    await check_awaited(FakeTemporal(own(), newest_chain((STACK, "old"), (f"{STACK}b", "b"))))


@pytest.mark.parametrize(
    "known",
    [
        [],
        [own(parent="")],
        [own()],
        [own(), newest_chain()],
        [own(), newest_chain((STACK, "another"), (f"{STACK}b", "old"))],
        [own(), newest_chain((STACK, "old"), status=_Status.WORKFLOW_EXECUTION_STATUS_COMPLETED)],
    ],
    ids=[
        "Temporal knows nothing of it",
        "it has no chain",
        "its chain is gone",
        "it has ended for its chain",
        "its chain waits for a later one",
        "its chain has ended",
    ],
)
async def test_what_a_reset_makes_of_an_execution_that_is_over_is_not_awaited(
    known: list[Known],
) -> None:
    with pytest.raises(temporalio.exceptions.ApplicationError, match="triggers nothing") as caught:
        await check_awaited(FakeTemporal(*known))

    assert (caught.value.type, caught.value.non_retryable) == (failures.NOT_AWAITED, True)


async def test_while_temporal_does_not_answer_no_one_knows_who_is_awaited() -> None:
    temporal = FakeTemporal(own())
    temporal.error = RPCError("no", RPCStatusCode.UNAVAILABLE, b"")

    with pytest.raises(RPCError):
        await check_awaited(temporal)


async def find_ends(temporal: FakeTemporal, first: str) -> list[messages.StackEnd]:
    finder = earlier_executions.EarlierExecutions(temporal)  # type: ignore[arg-type]
    awaited = messages.AwaitedExecution(workflow_id=STACK, first_run_id=first)
    return await ActivityEnvironment().run(finder.find_ends, [awaited])


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ([Known(run_id="one", status=RUNNING)], None),
        ([Known(run_id="one", events=end(v1alpha1.Phase.FAILED))], "Failed"),
        ([Known(run_id="one", events=end(None))], "nothing"),
        ([Known(run_id="one", reset_to="two"), Known(run_id="two", status=RUNNING)], None),
        (
            [
                Known(run_id="one", reset_to="two"),
                Known(run_id="two", events=end(v1alpha1.Phase.SUCCEEDED)),
            ],
            "Succeeded",
        ),
        (
            [
                Known(run_id="one", events=end(v1alpha1.Phase.FAILED)),
                Known(run_id="again", status=RUNNING),
            ],
            "Failed",
        ),
        (
            [Known(run_id="one", status=_Status.WORKFLOW_EXECUTION_STATUS_TERMINATED)],
            "from outside",
        ),
        ([], "from outside"),
    ],
    ids=[
        "it runs",
        "it has ended",
        "it has ended without a run",
        "what a reset has made of it runs",
        "what a reset has made of it has ended",
        "it has ended, and the stack was started again",
        "it was terminated",
        "its history is gone",
    ],
)
async def test_how_an_execution_that_a_chain_waits_for_has_ended(
    known: list[Known], expected: str | None
) -> None:
    ends = await find_ends(FakeTemporal(*known), "one")

    said = [
        "from outside"
        if one.is_from_outside
        else (str(one.report.phase) if one.report is not None else "nothing")
        for one in ends
    ]
    assert said == ([] if expected is None else [expected])


async def test_while_temporal_does_not_answer_no_end_is_made_up() -> None:
    temporal = FakeTemporal(Known(run_id="one"))
    temporal.error = RPCError("no", RPCStatusCode.UNAVAILABLE, b"")

    with pytest.raises(RPCError):
        await find_ends(temporal, "one")

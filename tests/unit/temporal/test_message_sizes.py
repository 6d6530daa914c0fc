"""Messages at the sizes of docs/limits.md: Temporal takes 2 MiB of one, and 50 MB of a history.

What was read of an account and what a run knows of itself are in `test_packed_reading` and
`test_progress`.
"""

from collections.abc import Sequence
from typing import Any

import pytest
from temporalio.converter import DataConverter

from controller.api import v1alpha1
from controller.chain.graph import adoption
from controller.chain.run import native_stops, newer_runs, progress, run_states, stack_lines
from controller.temporal import messages, start_messages
from controller.temporal.workflows import stack_runner
from tests.support.builders import make_scope, make_use

MIB = 1024 * 1024
TEMPORAL_TAKES = 2 * MIB
TASK_TAKES = 4 * MIB
HISTORY_TAKES = 50_000_000
STACKS = [f"{number:04}-".ljust(128, "x") for number in range(v1alpha1.MAX_STACKS)]
RUN_ID = "0" * 26
URL = f"https://{'e' * 60}.app.spacelift.io/stack/{STACKS[0]}/run/{RUN_ID}"
# 64 variables with 8,192 bytes of names and values, each of which JSON writes as six.
ENVIRONMENT = {f"V{number:02}": "\x01" * 125 for number in range(64)}
USE = make_use(variables=tuple(ENVIRONMENT))
CONNECTION = messages.AccountRef(
    name="c" * 63,
    endpoint="https://" + "e" * 60 + ".app.spacelift.io",
    account="a" * 64,
    grant=messages.Grant(
        use=USE,
        commit_sha="f" * 64,
        input_digest="d" * 22,
        scope_digest="d" * 22,
        environment_digest="d" * 22,
        signature="s" * 60,
    ),
)
REF = v1alpha1.Ref(namespace="n" * 63, name="m" * 63, uid="u" * 36, generation=10**6)
CHAIN_ID = f"stackchain/{'i' * 36}/{REF.namespace}/{REF.name}/{REF.uid}"


def size(message: object) -> int:
    (payload,) = DataConverter.default.payload_converter.to_payloads([message])
    return payload.ByteSize()


def root_runs() -> list[start_messages.RootRuns]:
    finished = start_messages.FinishedRun(run_id=RUN_ID, is_own=True, triggered_by=STACKS[0])
    return [
        start_messages.RootRuns(stack_id=item, newest_run_id=RUN_ID, finished=[finished] * 5)
        for item in STACKS
    ]


def chain_input(**fields: Any) -> messages.ChainInput:
    return messages.ChainInput(
        ref=REF,
        number=1,
        attempt=1,
        cause="Retry",
        operator_queue="q" * 100,
        connection=CONNECTION,
        scope=make_scope(*STACKS[:64], exclude=STACKS[64:128], exclude_labels=["l" * 128] * 16),
        environment=ENVIRONMENT,
        **fields,
    )


CHAIN = messages.ChainExecutionRef(
    workflow_id=CHAIN_ID, workflow_run_id="r" * 36, first_run_id="r" * 36
)


def execution_input(*, queuers: Sequence[str] = ()) -> messages.StackExecutionInput:
    waiting = stack_lines.WaitingChain(workflow_id=CHAIN_ID, since=1e9 / 7)
    return messages.StackExecutionInput(
        target=messages.StackRef(connection=CONNECTION, stack_id=STACKS[0], permit="p" * 64),
        chain=CHAIN,
        marker="m" * 160,
        queuers=list(queuers),
        environment=ENVIRONMENT,
        line=[waiting] * stack_lines.MOST,
    )


MESSAGES = {
    "a retry of 500 stacks": chain_input(
        kept=[
            progress.Kept(stack_id=item, run_number=10**6, run_id=RUN_ID, run_url=URL)
            for item in STACKS
        ],
        retried=[
            progress.Retried(stack_id=item, run_number=10**6, run_id=RUN_ID, blocked_by=item)
            for item in STACKS
        ],
        durations=dict.fromkeys(STACKS, 10**6),
    ),
    "a retry that leaves 500 stacks": chain_input(
        left=[
            progress.Left(
                stack_id=item,
                run_number=10**6,
                phase=v1alpha1.Phase.FAILED,
                reason="UpstreamNotSucceeded",
                # As long as a row of a status has it.
                message="\u00fc" * 512,
                blocked_by=item,
                run_id=RUN_ID,
                run_url=URL,
                completion_time="2026-01-31T09:05:00Z",
            )
            for item in STACKS
        ],
        durations=dict.fromkeys(STACKS, 10**6),
    ),
    "what a chain had started before a reset": messages.FindEarlierStacksResult(
        stacks=[
            messages.EarlierStack(
                workflow_id=f"stackchain/{'a' * 64}/{item}",
                report=progress.StackReport(
                    stack_id=item,
                    phase=v1alpha1.Phase.FAILED,
                    reason="UpstreamNotSucceeded",
                    message="m" * 1024,
                    run_id=RUN_ID,
                    run_state="PENDING_REVIEW",
                    run_url=URL,
                    delta=v1alpha1.Delta(added=10**6, changed=10**6, deleted=10**6),
                ),
            )
            for item in STACKS
        ]
    ),
    "a chain below 500 roots": chain_input(
        finished_roots=[
            progress.FinishedRoot(stack_id=item, run_id=RUN_ID, run_url=URL) for item in STACKS
        ]
    ),
    "the memo of a chain below 500 roots": messages.ChainMemo(
        installation="i" * 36,
        ref=REF,
        number=1,
        attempt=1,
        cause="RootRunFinished",
        handled=v1alpha1.Handled(
            run="t" * 256,
            retry="t" * 256,
            run_token="t" * 256,
            root_runs=tuple(v1alpha1.RootRun(stack_id=item, run_id=RUN_ID) for item in STACKS),
        ),
        root_runs=tuple(v1alpha1.RootRun(stack_id=item, run_id=RUN_ID) for item in STACKS),
    ),
    "a stack below all others": execution_input(queuers=STACKS),
    "a question for runs": messages.FindNewestRunsInput(connection=CONNECTION, stack_ids=STACKS),
    "the newest runs": messages.FindNewestRunsResult(
        runs=[
            newer_runs.NewestRun(
                stack_id=item, run_id=RUN_ID, run_url=URL, triggered_by=item, is_success=True
            )
            for item in STACKS
        ],
    ),
    "runs of roots": start_messages.FindRootRunsResult(roots=root_runs(), hidden=STACKS),
    "what a sweep found": start_messages.RequestRunCall(
        ref=REF, account="a" * 64, root_runs=root_runs(), hidden=STACKS
    ),
    "what became of native runs": messages.StopNativeRunsResult(
        runs=[
            native_stops.NativeRun(
                stack_id=STACKS[0],
                origin_run_id=RUN_ID,
                run_id=RUN_ID,
                state="PENDING_REVIEW",
                run_url=URL,
                call=run_states.StopCall.DISCARD,
                problem="p" * 512,
                is_open=True,
            )
        ]
        * native_stops.MOST_RUNS
    ),
}


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_a_message_fits_into_one_value_of_temporal(message: object) -> None:
    assert size(message) < TEMPORAL_TAKES


def test_the_starts_of_one_workflow_task_fit_into_its_answer() -> None:
    """Temporal terminates a chain whose answer is larger."""
    one = size(execution_input(queuers=STACKS)) + size(execution_input().line)

    assert one * stack_runner.MOST_STARTS_AT_ONCE < TASK_TAKES


def test_the_environment_of_500_stacks_fits_into_the_history_of_a_chain() -> None:
    assert sum(map(len, [*ENVIRONMENT, *ENVIRONMENT.values()])) == 8192

    assert size(execution_input()) * v1alpha1.MAX_STACKS < HISTORY_TAKES


def test_what_is_told_of_native_runs_fits_where_each_stack_hangs_on_many() -> None:
    """480 runs of eight origins on stacks that are below all those before them."""
    stops = native_stops.OpenStops()
    origins = [f"{number:026}" for number in range(8)]
    places = {item: place for place, item in enumerate(STACKS)}
    for item in STACKS:
        stops.ask(item, origins, note="n" * 60, now=0)
    open_before = stops.open_stacks

    def describe(stack_id: str, some: Sequence[str]) -> native_stops.UnwantedRuns:
        return native_stops.UnwantedRuns(
            stack_id=stack_id,
            origin_run_ids=list(some),
            queuers=STACKS[: places[stack_id]],
            note="",
            keep_run_id=RUN_ID,
            used_origin_run_id=RUN_ID,
            depth=places[stack_id],
        )

    looked_for: set[str] = set()
    while stops.has_unseen:
        targets = stops.targets(describe, now=1)
        looked_for |= {item.stack_id for item in targets}
        asked = messages.StopNativeRunsInput(connection=CONNECTION, targets=targets)

        assert size(asked) < TEMPORAL_TAKES
        stops.take(
            [
                native_stops.NativeRun(
                    stack_id=item.stack_id, origin_run_id=origin, run_id=RUN_ID, state="CANCELED"
                )
                for item in targets
                for origin in item.origin_run_ids
            ],
            now=2,
        )

    assert looked_for == open_before
    assert not stops.open_stacks


def test_a_stack_with_many_upstream_runs_is_told_of_all() -> None:
    upstreams = [
        adoption.UpstreamRun(stack_id=item, run_id=RUN_ID, origin_run_id=RUN_ID) for item in STACKS
    ]
    asked = messages.FindStackRunInput(
        target=execution_input().target,
        adopt_origin=RUN_ID,
        queuers=STACKS,
        chain=CHAIN,
        first_run_id="r" * 36,
        upstream_runs=upstreams,
    )

    assert size(asked) < TEMPORAL_TAKES

"""Where the run of a stack comes from, as its execution reports it."""

import dataclasses
from collections.abc import Callable

import pytest

from controller.api.reasons import StackReason
from controller.api.v1alpha1 import Phase, RunSource
from controller.chain.run import progress, run_sources, stack_reports
from tests.support.builders import (
    T1,
    T2,
    make_discovery,
    make_progress,
    make_snapshot,
    make_stack,
    resolve_graph,
)

ADOPTED, TRIGGERED = RunSource.ADOPTED, RunSource.TRIGGERED


@pytest.mark.parametrize(
    ("is_earlier", "was_adopted", "source"),
    [
        pytest.param(False, False, ADOPTED, id="Spacelift had queued it"),
        pytest.param(True, True, ADOPTED, id="adopted before a reset"),
        pytest.param(True, False, TRIGGERED, id="triggered before a reset"),
    ],
)
def test_a_run_that_is_found_is_adopted_unless_it_was_triggered_before(
    is_earlier: bool, was_adopted: bool, source: str
) -> None:
    assert run_sources.of_found(is_earlier=is_earlier, was_adopted=was_adopted) == source


@pytest.mark.parametrize(
    ("report", "source", "told"),
    [
        pytest.param(
            stack_reports.classify("a", make_snapshot("PLANNING")),
            ADOPTED,
            ADOPTED,
            id="in progress",
        ),
        pytest.param(
            stack_reports.classify("a", make_snapshot("FAILED")), TRIGGERED, TRIGGERED, id="failed"
        ),
        pytest.param(
            stack_reports.classify("a", make_snapshot("FINISHED"), is_adopted=True),
            ADOPTED,
            ADOPTED,
            id="finished",
        ),
        pytest.param(
            stack_reports.classify(
                "a", make_snapshot("SKIPPED", note="unchanged"), is_adopted=True
            ),
            ADOPTED,
            None,
            id="skipped, since nothing changed",
        ),
        pytest.param(
            stack_reports.classify("a", make_snapshot("SKIPPED")),
            TRIGGERED,
            TRIGGERED,
            id="skipped for another reason",
        ),
        pytest.param(
            progress.StackReport(stack_id="a", phase=Phase.WAITING, reason="StackLocked"),
            TRIGGERED,
            None,
            id="no run of its own, such as between two",
        ),
        pytest.param(
            stack_reports.classify("a", make_snapshot("QUEUED")), None, None, id="nobody knows"
        ),
    ],
)
def test_a_report_tells_the_source_of_the_run_that_it_is_about(
    report: progress.StackReport, source: RunSource | None, told: str | None
) -> None:
    assert run_sources.told(report, source) == dataclasses.replace(report, run_source=told)


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        pytest.param([("01", ADOPTED)], ("01", ADOPTED), id="the first run"),
        pytest.param([("01", ADOPTED), (None, None)], ("01", ADOPTED), id="nothing of a run"),
        pytest.param([("01", ADOPTED), ("02", TRIGGERED)], ("02", TRIGGERED), id="the next run"),
        pytest.param([("01", ADOPTED), ("01", None)], ("01", None), id="it was skipped"),
        pytest.param([("01", "Inherited")], ("01", "Inherited"), id="a newer worker's word"),
        pytest.param([(None, None)], (None, None), id="no run"),
    ],
)
def test_a_stack_has_the_source_of_its_last_run(
    reports: list[tuple[str | None, str | None]], expected: tuple[str | None, str | None]
) -> None:
    stack = make_stack("a", Phase.WAITING, has_run=False)

    for run_id, source in reports:
        news = progress.StackReport(
            stack_id="a", phase=Phase.RUNNING, reason="", run_id=run_id, run_source=source
        )
        progress.apply_report(stack, news, now=T1)

    assert (stack.run_id, stack.run_source) == expected


@pytest.mark.parametrize(
    "forget",
    [
        pytest.param(progress.reopen, id="it is retried"),
        pytest.param(progress.start_over, id="it starts over"),
        pytest.param(lambda stack: progress.set_bypassed(stack, "", now=T2), id="it is bypassed"),
    ],
)
def test_without_its_run_a_stack_has_no_source(
    forget: Callable[[progress.StackProgress], None],
) -> None:
    stack = make_stack("a", Phase.FAILED, run_source=ADOPTED)

    forget(stack)

    assert (stack.run_id, stack.run_source) == (None, None)


def test_stacks_that_a_run_of_the_chain_does_not_run_say_where_their_runs_come_from() -> None:
    run = make_progress()
    graph = resolve_graph(make_discovery("a -> b", "b -> c", "c -> d"), "a")

    progress.adopt_graph(
        run,
        graph,
        finished=[progress.FinishedRoot(stack_id="a", run_id="01A", run_url="https://x")],
        kept=[
            progress.Kept(stack_id="b", run_number=1, run_id="01B", run_source=TRIGGERED),
            progress.Kept(stack_id="d", run_number=1, is_bypassed=True),
        ],
        left=[
            progress.Left(
                stack_id="c",
                run_number=1,
                phase=Phase.FAILED,
                reason=StackReason.RUN_FAILED,
                message="It failed.",
                run_id="01C",
                run_source=ADOPTED,
            )
        ],
        now=T1,
    )

    assert {stack.id: stack.run_source for stack in run.stacks} == {
        "a": ADOPTED,
        "b": TRIGGERED,
        "c": ADOPTED,
        "d": None,
    }

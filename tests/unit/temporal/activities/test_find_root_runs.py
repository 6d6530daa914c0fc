"""What a sweep reads of the roots: their newest runs, fifty roots in one request."""

import pytest
import temporalio.exceptions
from temporalio.testing import ActivityEnvironment

from controller.api import v1alpha1
from controller.spacelift import errors, models
from controller.temporal import start_messages
from controller.temporal.activities import root_runs
from tests.unit.temporal.activities import fakes


async def find_all(
    bench: fakes.Bench, *roots: str, labels: tuple[str, ...] = ()
) -> start_messages.FindRootRunsResult:
    argument = start_messages.FindRootRunsInput(
        connection=fakes.CONNECTION, roots=v1alpha1.Roots(stack_ids=roots, labels=labels)
    )
    result: start_messages.FindRootRunsResult = await ActivityEnvironment().run(
        root_runs.RootRunFinder(bench.clients).find_root_runs, argument
    )
    return result


async def find(
    bench: fakes.Bench, *roots: str, labels: tuple[str, ...] = ()
) -> list[start_messages.RootRuns]:
    return (await find_all(bench, *roots, labels=labels)).roots


async def test_finished_tracked_runs_are_told_newest_first_with_who_triggered_them() -> None:
    bench = fakes.make_bench()
    by_person = bench.spacelift.add_run("a", "FINISHED", triggered_by="jane")
    own = bench.spacelift.add_run("a", "FINISHED")
    bench.spacelift.add_run("a", "FAILED", triggered_by="jane")
    bench.spacelift.add_run("a", "FINISHED", triggered_by="jane", type="DESTROY")
    by_commit = bench.spacelift.add_run("a", "FINISHED", triggered_by=None)
    newest = bench.spacelift.add_run("a", "APPLYING", triggered_by="jane")

    found = await find(bench, "a")

    assert found == [
        start_messages.RootRuns(
            stack_id="a",
            newest_run_id=newest.run_id,
            finished=[
                start_messages.FinishedRun(run_id=by_commit.run_id, is_own=False, triggered_by=""),
                start_messages.FinishedRun(run_id=own.run_id, is_own=True, triggered_by=fakes.OWN),
                start_messages.FinishedRun(
                    run_id=by_person.run_id, is_own=False, triggered_by="jane"
                ),
            ],
        )
    ]
    assert [called for called, _ in bench.spacelift.calls] == ["get_newest_runs"]


async def test_no_more_than_five_finished_runs_are_told_of_a_root() -> None:
    bench = fakes.make_bench()
    runs = [bench.spacelift.add_run("a", "FINISHED", triggered_by="jane") for _ in range(9)]

    (found,) = await find(bench, "a")

    assert [item.run_id for item in found.finished] == [run.run_id for run in reversed(runs[4:])]


async def test_a_root_that_never_ran_is_told_as_such() -> None:
    bench = fakes.make_bench()

    assert await find(bench, "a") == [
        start_messages.RootRuns(stack_id="a", newest_run_id="0", finished=[])
    ]


async def test_roots_by_label_are_those_that_have_all_of_them_now() -> None:
    bench = fakes.make_bench()
    for name, labels in (("a", ("x", "y")), ("b", ("x",)), ("c", ("y", "x"))):
        bench.spacelift.stacks[name] = models.StackRecord(id=name, name=name, labels=labels)

    found = await find(bench, labels=("x", "y"))

    assert [item.stack_id for item in found] == ["a", "c"]


async def test_a_root_that_cannot_be_seen_does_not_hide_the_others() -> None:
    bench = fakes.make_bench()
    bench.spacelift.hidden = {"gone"}

    found = await find_all(bench, "gone", "a")

    assert [item.stack_id for item in found.roots] == ["a"]
    assert found.hidden == ["gone"]


async def test_fifty_roots_are_read_in_one_request() -> None:
    bench = fakes.make_bench()
    roots = [f"r{number:03d}" for number in range(120)]

    found = await find(bench, *roots)

    assert [item.stack_id for item in found] == roots
    assert [(called, len(asked)) for called, asked in bench.spacelift.calls] == [
        ("get_newest_runs", 50),
        ("get_newest_runs", 50),
        ("get_newest_runs", 20),
    ]


@pytest.mark.parametrize(
    ("error", "kind", "is_final"),
    [
        (errors.CredentialsRejected("no"), "CredentialsRejected", True),
        (errors.Unreachable("away"), "Unreachable", False),
    ],
)
async def test_what_spacelift_refuses_is_the_sweeps_failure(
    error: errors.SpaceliftError, kind: str, is_final: bool
) -> None:
    bench = fakes.make_bench()
    bench.spacelift.fail("get_newest_runs", error)

    with pytest.raises(temporalio.exceptions.ApplicationError) as caught:
        await find(bench, "a", "b")

    assert (caught.value.type, caught.value.non_retryable) == (kind, is_final)

"""What has become, outside of the chain, of stacks that a retry may keep."""

import pytest
import temporalio.exceptions
from temporalio.testing import ActivityEnvironment

from controller.spacelift import errors
from controller.temporal import messages
from controller.temporal.activities import newest_runs
from tests.unit.temporal.activities import fakes


async def find(bench: fakes.Bench, *stack_ids: str) -> messages.FindNewestRunsResult:
    argument = messages.FindNewestRunsInput(connection=fakes.CONNECTION, stack_ids=list(stack_ids))
    result: messages.FindNewestRunsResult = await ActivityEnvironment().run(
        newest_runs.NewestRunFinder(bench.clients).find_newest_runs, argument
    )
    return result


@pytest.mark.parametrize(
    ("state", "run_type", "is_success"),
    [
        ("FINISHED", "TRACKED", True),
        ("FAILED", "TRACKED", False),
        ("APPLYING", "TRACKED", False),
        ("FINISHED", "DESTROY", False),
        ("FINISHED", "TASK", False),
    ],
)
async def test_only_a_tracked_run_that_finished_is_a_success(
    state: str, run_type: str, is_success: bool
) -> None:
    bench = fakes.make_bench()
    bench.spacelift.add_run("a", "FINISHED")
    newest = bench.spacelift.add_run("a", state, triggered_by="jane", type=run_type)

    (found,) = (await find(bench, "a")).runs

    assert (found.stack_id, found.run_id, found.triggered_by) == ("a", newest.run_id, "jane")
    assert found.is_success is is_success
    assert found.run_url.endswith(f"/stack/a/run/{newest.run_id}")


async def test_a_stack_without_a_run_is_told_from_one_that_is_not_seen() -> None:
    bench = fakes.make_bench()
    bench.spacelift.add_run("a", "FINISHED")
    bench.spacelift.hidden = {"c"}

    found = await find(bench, "a", "b", "c")

    assert [item.stack_id for item in found.runs] == ["a"]
    assert found.hidden == ["c"]


async def test_a_failure_of_spacelift_keeps_its_type() -> None:
    bench = fakes.make_bench()
    bench.spacelift.fail("get_newest_runs", errors.CredentialsRejected("no"))

    with pytest.raises(temporalio.exceptions.ApplicationError) as raised:
        await find(bench, "a")

    assert raised.value.type == "CredentialsRejected"

"""Executions by the worker as it is shipped, against the simulated account over HTTP."""

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase
from devenv import role_process
from devenv import temporal_server as temporal_servers
from tests.conftest import StartRole, StartSimulator
from tests.support import chains
from tests.workflows import harness as harnesses
from tests.workflows.executions import execution
from tests.workflows.world import World

ASKS = {"autodeploy": False}
STACKS = {
    "plain": {},
    "asks": ASKS,
    "reviewed": {},
    "doomed": {},
    "slow": {"durations": 300},
    "locked": {"lockedBy": "jane"},
    "off": {"disabled": True},
    "fails": {},
}
RETRY = v1alpha1.Retry(limit=2, backoff_seconds=1)


@dataclasses.dataclass
class Rig:
    """A worker process, its account and the queues between them."""

    account: chains.Account
    chain: harnesses.Harness

    def start(self, stack_id: str, **facts: Any) -> "contextlib.AbstractAsyncContextManager[Any]":
        return execution(self.chain, stack_id, **facts)


@pytest.fixture
async def rig(
    start_role: StartRole,
    start_simulator: StartSimulator,
    temporal_server: temporal_servers.TemporalServer,
    temporal_client: Client,
    tmp_path: Path,
    has_failed: Callable[[], bool],
) -> AsyncIterator[Rig]:
    server = await start_simulator(chains.account_document(stacks=STACKS))
    account = chains.Account("simulated", server)
    chain = harnesses.new_harness(temporal_client, World(), endpoint=server.url)
    endpoints = role_process.Endpoints(
        kubeconfig=tmp_path / "none",
        temporal_address=temporal_server.address,
        spacelift_url=server.url,
        poll_seconds=0.2,
    )
    # There is no operator that would sign the executions.
    own = {"TEMPORAL_TASK_QUEUE": chain.task_queue, "STACKCHAIN_SIGNING_KEYS": ""}
    await start_role("worker", endpoints, environment={**chains.FAST, **own})
    async with harnesses.operator(chain):
        yield Rig(account, chain)
    if not has_failed():
        await harnesses.finish(chain)
    await account.close()


async def test_each_operation_has_its_kind_of_run_and_ends_well(rig: Rig) -> None:
    for stack_id, operation, run_type in (
        ("plain", "Apply", "TRACKED"),
        ("plain", "Plan", "PROPOSED"),
        ("doomed", "Destroy", "DESTROY"),
    ):
        async with rig.start(stack_id, operation=operation, environment={"WAVE": "7"}) as stack:
            end = await stack.ends(Phase.SUCCEEDED, "RunFinished")

        (run,) = [run for run in await rig.account.runs(stack_id) if run["id"] == end.run_id]
        assert (run["type"], run["environment"]) == (run_type, {"WAVE": "7"})


async def test_a_run_is_confirmed_and_one_that_needs_an_approval_after_it(rig: Rig) -> None:
    await rig.account.script("asks", {"approval": True})
    async with rig.start("asks", confirmation_policy="Auto") as stack:
        await stack.shows("NeedsApproval")
        await rig.account.act((await rig.account.only_run("asks"))["id"], "approve")
        await stack.ends(Phase.SUCCEEDED, "RunFinished")


async def test_nobody_confirms_in_time(rig: Rig) -> None:
    async with rig.start("asks", confirmation_deadline_seconds=1) as stack:
        await stack.ends(Phase.TIMED_OUT, "ConfirmationDeadlineExceeded")

    assert (await rig.account.only_run("asks"))["state"] == "DISCARDED"


async def test_a_plan_in_review_that_nobody_answers_is_left(rig: Rig) -> None:
    await rig.account.script("reviewed", {"approval": True})
    async with rig.start("reviewed", operation="Plan", confirmation_deadline_seconds=1) as stack:
        await stack.ends(Phase.TIMED_OUT, "ConfirmationDeadlineExceeded")

    assert (await rig.account.only_run("reviewed"))["state"] == "PENDING_REVIEW"


async def test_a_stack_that_takes_too_long_is_stopped(rig: Rig) -> None:
    async with rig.start("slow", stack_deadline_seconds=2) as stack:
        await stack.ends(Phase.TIMED_OUT, "StackDeadlineExceeded")

    assert (await rig.account.only_run("slow"))["finished"]


async def test_a_failed_run_is_followed_by_another(rig: Rig) -> None:
    failing = {"result": "fail", "phase": "PLANNING"}
    await rig.account.script("fails", failing, failing, {"result": "changes"})
    async with rig.start("fails", retry=RETRY) as stack:
        end = await stack.ends(Phase.SUCCEEDED, "RunFinished")

    states = [run["state"] for run in await rig.account.runs("fails")]
    assert (states, end.attempts) == (["FAILED", "FAILED", "FINISHED"], 3)


async def test_stacks_that_are_held_are_given_back(rig: Rig) -> None:
    async with rig.start("locked") as locked, rig.start("off") as off:
        end = await locked.ends(Phase.WAITING, "StackLocked")
        await off.ends(Phase.WAITING, "StackDisabled")

    assert await rig.account.runs() == []
    assert "locked by jane" in end.message


async def test_a_stack_that_is_locked_between_two_runs_waits_and_goes_on(rig: Rig) -> None:
    failing = {"result": "fail", "phase": "PLANNING"}
    await rig.account.script("fails", failing, {"result": "changes"})
    retry = v1alpha1.Retry(limit=1, backoff_seconds=3)
    async with rig.start("fails", retry=retry) as stack:
        await stack.shows("RetryPending")
        await rig.account.admin("POST", "/stacks/fails/lock", {"user": "jane"})
        await stack.shows("StackLocked")
        await rig.account.admin("POST", "/stacks/fails/unlock", {"user": "jane"})
        end = await stack.ends(Phase.SUCCEEDED, "RunFinished")

    assert end.attempts == 2


async def test_a_queued_run_names_the_one_that_blocks_it_with_its_link(rig: Rig) -> None:
    theirs = (await rig.account.trigger("asks"))["id"]
    await rig.account.run_in("asks", "UNCONFIRMED")
    async with rig.start("asks", confirmation_policy="Auto") as stack:
        shown = await stack.shows("RunBlocked")
        await rig.account.act(theirs, "discard")
        await stack.ends(Phase.SUCCEEDED, "RunFinished")

    assert theirs in shown.message
    assert "has to end first; it is UNCONFIRMED and waits for a person" in shown.message
    assert shown.message.endswith(f"/stack/asks/run/{theirs}")

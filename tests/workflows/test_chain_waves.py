"""Native runs of a simulated account around one chain: each case of `docs/limits.md` alone."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from temporalio.client import Client

from controller.api.v1alpha1 import Phase
from controller.chain.run import progress, unwanted_runs
from controller.temporal.activities import stack_operations
from devenv.simulator.model import run_actions
from devenv.simulator.model.run_entities import Run
from tests.support.waiting import eventually
from tests.workflows import harness as harnesses
from tests.workflows.harness import phases, stack_of
from tests.workflows.native_schedules import was_applied
from tests.workflows.simulated_world import SimulatedWorld

Open = Callable[..., Awaitable[harnesses.Harness]]

# Longer than any of these chains: a wait for it would be noticed.
LONG_SETTLE = stack_operations.WaitLimits(adopt_settle=20, trigger_grace=2, stop_effect=2)


@pytest.fixture
async def open_account(
    temporal_client: Client, has_failed: Callable[[], bool]
) -> AsyncIterator[Open]:
    """Serve an account: `await open_account({"a": {}, "b": {"dependsOn": ["a"]}}, "a")`."""
    async with asyncio.TaskGroup() as group:
        ended = asyncio.Event()

        async def serve(harness: harnesses.Harness, is_ready: asyncio.Event) -> None:
            async with harnesses.workers(harness, has_sandbox=False):
                is_ready.set()
                await ended.wait()
            await account_of(harness).aclose()
            if not has_failed():
                await harnesses.finish(harness)

        async def start(stacks: dict[str, Any], *roots: str, **options: Any) -> harnesses.Harness:
            defaults = {"stack": {"autodeploy": True}, "durations": 1.0}
            document = {"stacks": stacks, "defaults": defaults}
            world = SimulatedWorld(document, roots=list(roots), **options)
            harness = harnesses.new_harness(temporal_client, world)
            is_ready = asyncio.Event()
            group.create_task(serve(harness, is_ready))
            await is_ready.wait()
            return harness

        yield start
        ended.set()


def account_of(harness: harnesses.Harness) -> SimulatedWorld:
    assert isinstance(harness.world, SimulatedWorld)
    return harness.world


def runs_of(harness: harnesses.Harness, stack_id: str) -> list[Run]:
    simulator = account_of(harness).simulator
    simulator.advance()
    return sorted(simulator.account.runs_of(stack_id), key=lambda run: run.id)


def states(harness: harnesses.Harness, stack_id: str) -> list[str]:
    return [str(run.state) for run in runs_of(harness, stack_id)]


async def is_in(harness: harnesses.Harness, stack_id: str, *expected: str) -> None:
    await eventually(
        lambda: states(harness, stack_id) == list(expected), what=f"{stack_id}: {expected}"
    )


def unused(known: progress.ChainProgress, stack_id: str) -> list[str]:
    return [run.run_id for run in unwanted_runs.unused_runs(stack_of(known, stack_id))]


def line(*names: str, **specs: Any) -> dict[str, Any]:
    """Return stacks that each depend natively on the one before."""
    stacks: dict[str, Any] = {names[0]: {}}
    for upstream, name in itertools.pairwise(names):
        stacks[name] = {"dependsOn": [upstream]}
    for name, spec in specs.items():
        stacks[name] |= spec
    return stacks


@pytest.mark.parametrize("is_lost", [False, True], ids=["late", "lost"])
async def test_what_a_trigger_queued_whose_answer_was_on_its_way_at_a_cancel_is_stopped(
    open_account: Open, is_lost: bool
) -> None:
    """Spacelift skips `b` when `a` is canceled, and would start `c` then."""
    chain = await open_account(line("a", "b", "c", a={"durations": 20.0}), "a")
    transport = account_of(chain).transport
    transport.answer_delays["TriggerRun"] = lambda _: 2.0
    transport.lost = {"TriggerRun"} if is_lost else set()
    handle = await chain.start()
    await eventually(lambda: runs_of(chain, "a"), what="the run of a is there")

    await handle.cancel()
    known = await handle.result()

    assert known.phase is Phase.CANCELED
    assert (states(chain, "b"), states(chain, "c")) == (["CANCELED"], ["CANCELED"])
    assert states(chain, "a")[0] in ("CANCELED", "STOPPED")


async def test_a_disabled_stack_keeps_no_other_run_from_being_stopped(open_account: Open) -> None:
    """`d` waits for a label too, so its native run is unwanted; nothing is queued on `off`."""
    stacks = line("a", "d") | {
        "off": {"dependsOn": ["a"], "disabled": True},
        "behind": {"dependsOn": ["off"]},
        "x": {"labels": ["dependsOn:a"]},
    }
    stacks["a"]["durations"] = 3.0
    stacks["d"]["labels"] = ["dependsOn:x"]
    chain = await open_account(stacks, "a", limits=LONG_SETTLE)
    handle = await chain.start()

    await is_in(chain, "d", "CANCELED")
    is_running = not runs_of(chain, "a")[0].finished
    shown = stack_of(await chain.known(handle), "off")
    account_of(chain).simulator.account.stacks["off"].is_disabled = False
    known = await handle.result()

    assert is_running
    assert (shown.phase, shown.is_disabled) == (Phase.PENDING, True)
    assert set(phases(known).values()) == {Phase.SUCCEEDED}
    assert states(chain, "d") == ["CANCELED", "FINISHED"]


async def test_behind_a_failure_a_disabled_stack_keeps_no_run_from_being_stopped(
    open_account: Open,
) -> None:
    """Spacelift skips `b` and starts `c`, which applies if it is left for as long as `off` may."""
    stacks = line("a", "b", "c", a={"outcomes": ["fail:applying"]}, c={"durations": 60.0}) | {
        "off": {"dependsOn": ["a"], "disabled": True},
        "behind": {"dependsOn": ["off"]},
    }
    limits = stack_operations.WaitLimits(adopt_settle=300, trigger_grace=2, stop_effect=2)
    chain = await open_account(stacks, "a", limits=limits)

    known = await chain.run()

    assert phases(known) == {"a": "Failed"} | dict.fromkeys(("b", "c", "off", "behind"), "Skipped")
    (run,) = runs_of(chain, "c")
    assert run.finished
    assert not was_applied(run)
    assert runs_of(chain, "off") == runs_of(chain, "behind") == []


async def test_a_run_that_was_carried_out_in_order_is_the_stacks(open_account: Open) -> None:
    """No worker is there from the triggers on; each run starts after what the chain waits for."""
    stacks = line("a", "c", "d") | {"b": {"durations": 0.4}}
    stacks["c"]["dependsOn"] = ["a", "b"]
    chain = await open_account(stacks, "a", "b")
    transport = account_of(chain).transport
    # The second wave is that of `a`, which takes longer.
    transport.answer_delays["TriggerRun"] = lambda given: 0.0 if given["stack"] == "b" else 0.2
    transport.stops_serving_after = {"TriggerRun": 2}
    handle = await chain.start()

    await eventually(lambda: len(runs_of(chain, "c")) == 2, what="two runs are queued on c")
    await eventually(
        lambda: all(run.finished for name in "cd" for run in runs_of(chain, name)),
        what="Spacelift has carried them out",
    )
    transport.serve()
    known = await handle.result()

    assert set(phases(known).values()) == {Phase.SUCCEEDED}
    for name in "cd":
        applied = [run.id for run in runs_of(chain, name) if was_applied(run)]
        used = stack_of(known, name).run_id
        assert len(runs_of(chain, name)) == 2, "the chain triggers nothing there"
        assert used in applied
        assert sorted([used, *unused(known, name)]) == sorted(applied)


async def test_a_run_that_was_ahead_is_reported_and_its_stack_runs_in_its_turn(
    open_account: Open,
) -> None:
    """No worker is there until the native run of `c` is over, which waits for `a` only."""
    stacks = line("a", "c") | {"b": {}}
    stacks["c"]["dependsOn"] = ["a", "b"]
    chain = await open_account(stacks, "a", "b")
    transport = account_of(chain).transport
    transport.answer_delays["ListRuns"] = lambda given: 0.5 if given["stack"] == "b" else 0.0
    transport.stops_serving_after = {"TriggerRun": 1}
    handle = await chain.start()

    await eventually(lambda: any(map(was_applied, runs_of(chain, "c"))), what="c applies")
    transport.serve()
    known = await handle.result()

    ahead = next(run for run in runs_of(chain, "c") if was_applied(run))
    used = stack_of(known, "c").run_id
    assert set(phases(known).values()) == {Phase.SUCCEEDED}
    assert unused(known, "c") == [ahead.id]
    assert used not in (None, ahead.id)


async def test_a_kept_stack_is_not_run_again_by_the_wave_of_a_retry(open_account: Open) -> None:
    chain = await open_account(line("a", "kept", a={"autodeploy": False}), "a")
    kept = progress.Kept(stack_id="kept", run_number=1, run_id="01KEPT", run_url="https://x")

    handle = await chain.start(kept=[kept])
    # However busy the machine is: the native run cannot start before.
    await eventually(lambda: states(chain, "kept") == ["CANCELED"], what="kept is left alone")
    await is_in(chain, "a", "UNCONFIRMED")
    simulator = account_of(chain).simulator
    run_actions.confirm(simulator.engine, runs_of(chain, "a")[0], username="jane@example.com")
    known = await handle.result()

    assert states(chain, "kept") == ["CANCELED"]
    assert stack_of(known, "kept").reason == "Kept"
    assert unused(known, "kept") == []


async def test_a_run_outside_of_the_chain_that_was_faster_is_told_by_who_caused_it(
    open_account: Open,
) -> None:
    chain = await open_account(line("a", "out"), "a")
    transport = account_of(chain).transport
    transport.stops_serving_after = {"TriggerRun": 1}
    handle = await chain.start(exclude=["out"])

    await eventually(lambda: any(map(was_applied, runs_of(chain, "out"))), what="out applies")
    transport.serve()
    known = await handle.result()

    (run,) = unwanted_runs.unused_runs(stack_of(known, "a"))
    assert (run.stack_id, run.run_id) == ("out", runs_of(chain, "out")[0].id)


@pytest.mark.parametrize("native_runs", ["Adopt", "Strict"])
async def test_strict_lets_nothing_start_behind_a_failure(
    open_account: Open, native_runs: str
) -> None:
    """`c` plans at once: with Adopt it may be faster than the chain, and is then reported."""
    slow = {"durations": 60.0}
    # Longer than a busy machine takes to cancel what Spacelift queues behind it.
    failing = {"outcomes": ["fail:applying"], "durations": 3.0}
    stacks = line("a", "b", "c", "d", a=failing, c={"durations": 0.0}, d=slow)
    chain = await open_account(stacks, "a")

    known = await chain.run(native_runs=native_runs)

    applied = [name for name in "bcd" if any(map(was_applied, runs_of(chain, name)))]
    assert phases(known) == {"a": "Failed", "b": "Skipped", "c": "Skipped", "d": "Skipped"}
    assert applied == (["c"] if native_runs == "Adopt" else [])
    assert [name for name in "bcd" if unused(known, name)] == applied


async def test_a_person_who_cancels_a_queued_run_stops_what_is_behind_it(
    open_account: Open,
) -> None:
    stacks = line("a", "b", "c", a={"durations": 2.0}, c={"durations": 60.0})
    chain = await open_account(stacks, "a")
    handle = await chain.start()
    await is_in(chain, "b", "QUEUED")
    simulator = account_of(chain).simulator

    run_actions.cancel(simulator.engine, runs_of(chain, "b")[0], username="jane@example.com")
    known = await handle.result()

    assert phases(known) == {"a": "Succeeded", "b": "Canceled", "c": "Skipped"}
    assert not any(map(was_applied, runs_of(chain, "c")))

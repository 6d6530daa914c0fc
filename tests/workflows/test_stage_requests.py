"""What people ask of a run with stages: retry and bypass in an earlier stage, and a retried run."""

from controller.api.reasons import ChainReason, StackReason
from controller.api.v1alpha1 import FailurePolicy, Phase
from controller.chain.run import progress
from controller.chain.run.progress import LiveRequestKind
from controller.temporal import ids
from tests.workflows.conftest import Serve
from tests.workflows.harness import phases, stack_of
from tests.workflows.test_chain_requests import ask
from tests.workflows.test_chain_stages import DEV, GATED, approval, prod, stage_waits
from tests.workflows.world import World

RETRY, BYPASS = LiveRequestKind.RETRY, LiveRequestKind.BYPASS


def staged(*edges: str, roots: tuple[str, ...] = ("a", "p", "x")) -> World:
    """Return an account with `a` and `b` in dev, `p` in prod, and `x`, which is held, in none."""
    world = World(*edges, roots=roots)
    world.stage_of = {"a": "dev", "b": "dev", "p": "prod"}
    world.held = {"x"}
    return world


async def test_a_retry_in_the_live_run_opens_the_stages_behind_it_again(serve: Serve) -> None:
    world = staged("a~b")
    world.first_ends = {"a": ["FAILED"]}
    chain = await serve(world)
    handle = await chain.start(stages=[DEV, prod()])
    skipped = await chain.stack_shows(handle, "p", Phase.SKIPPED)

    retried = await ask(chain, handle, RETRY, "a")
    await chain.stack_shows(handle, "p", Phase.SUCCEEDED)
    await world.move("x", "FINISHED")
    known = await handle.result()

    assert (skipped.reason, skipped.blocked_by) == (StackReason.STAGE_NOT_SUCCEEDED, "a")
    assert not retried.is_refused
    assert known.phase is Phase.SUCCEEDED
    triggered = [item for item in world.calls("trigger_stack_run") if item != "x"]
    assert triggered == ["a", "a", "b", "p"]
    assert [(stage.phase, stage.succeeded) for stage in known.stages] == [
        ("Succeeded", 2),
        ("Succeeded", 1),
    ]


async def test_a_retry_that_fails_again_skips_the_later_stages_again(serve: Serve) -> None:
    world = staged()
    world.ends = {"a": "FAILED"}
    chain = await serve(world)
    handle = await chain.start(stages=[DEV, prod()])
    await chain.stack_shows(handle, "p", Phase.SKIPPED)

    await ask(chain, handle, RETRY)
    await chain.called("trigger_stack_run", "a", times=2)
    await chain.stack_shows(handle, "a", Phase.FAILED)
    await chain.stack_shows(handle, "p", Phase.SKIPPED)
    await world.move("x", "FINISHED")
    known = await handle.result()

    assert phases(known) == {"a": "Failed", "p": "Skipped", "x": "Succeeded"}
    assert "p" not in world.calls("trigger_stack_run")


async def test_a_bypassed_stack_no_longer_holds_the_later_stages(serve: Serve) -> None:
    world = staged("a~b")
    world.ends = {"a": "FAILED"}
    chain = await serve(world)
    handle = await chain.start(stages=[DEV, prod()])
    await chain.stack_shows(handle, "p", Phase.SKIPPED)

    bypassed = await ask(chain, handle, BYPASS, "a")
    await chain.stack_shows(handle, "p", Phase.SUCCEEDED)
    await world.move("x", "FINISHED")
    known = await handle.result()

    assert not bypassed.is_refused
    assert phases(known) == {"a": "Skipped", "b": "Succeeded", "p": "Succeeded", "x": "Succeeded"}
    assert stack_of(known, "a").reason == StackReason.BYPASSED
    assert (known.phase, known.reason) == (Phase.SUCCEEDED, ChainReason.RUN_SUCCEEDED)


async def test_with_fail_fast_a_failure_in_a_stage_starts_nothing_more_in_any(serve: Serve) -> None:
    world = staged(roots=("a", "b", "p", "x", "y"))
    world.held = {"a", "b", "x"}
    chain = await serve(world)
    handle = await chain.start(
        stages=[DEV, prod()], failure_policy=FailurePolicy.FAIL_FAST, parallelism=3
    )
    for stack_id in ("a", "b", "x"):
        await chain.stack_shows(handle, stack_id, Phase.RUNNING)

    await world.move("a", "FAILED")
    await chain.stack_shows(handle, "p", Phase.SKIPPED)
    await chain.stack_shows(handle, "y", Phase.SKIPPED)
    for stack_id in ("b", "x"):
        await world.move(stack_id, "FINISHED")
    known = await handle.result()

    assert phases(known) == {
        "a": "Failed",
        "b": "Succeeded",
        "p": "Skipped",
        "x": "Succeeded",
        "y": "Skipped",
    }
    assert sorted(world.calls("trigger_stack_run")) == ["a", "b", "x"]


async def test_a_retry_of_a_run_whose_stage_was_approved_waits_for_an_approval_of_its_own(
    serve: Serve,
) -> None:
    """The approval named the run before this one, in which `p` failed."""
    world = World("a~p")
    world.stage_of = {"a": "dev", "p": "prod"}
    chain = await serve(world)
    handle = await chain.start(
        number=2,
        cause="Retry",
        stages=[DEV, GATED],
        kept=[progress.Kept(stack_id="a", run_number=1, run_id="01A")],
        retried=[progress.Retried(stack_id="p", run_number=1, may_have_newer=False)],
    )
    await stage_waits(chain, handle, "prod", "Approval")
    await handle.signal(ids.REQUEST_SIGNAL, approval("prod", number=1, token="of run 1"))
    await stage_waits(chain, handle, "prod", "Approval")
    triggered = world.calls("trigger_stack_run")

    await handle.signal(ids.REQUEST_SIGNAL, approval("prod", number=2, token="of run 2"))
    known = await handle.result()

    assert triggered == []
    assert known.phase is Phase.SUCCEEDED
    assert world.calls("trigger_stack_run") == ["p"]
    assert stack_of(known, "a").reason == StackReason.KEPT
    assert [(item.token, item.is_refused) for item in known.requests] == [("of run 2", False)]

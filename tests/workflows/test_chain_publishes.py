"""What a chain reports to the operator, when, and what it does with the answer."""

import pytest

from controller.api import reasons
from controller.api.v1alpha1 import Phase
from controller.temporal import messages
from tests.support.waiting import eventually
from tests.workflows.conftest import Serve
from tests.workflows.harness import phases
from tests.workflows.world import World, failure


async def test_nothing_is_triggered_before_the_first_publish_is_acknowledged(
    serve: Serve,
) -> None:
    world = World()
    gate = world.gate("publish_chain_status", "")
    chain = await serve(world)
    handle = await chain.start()
    await chain.called("fetch_dependent_stacks")
    await eventually(lambda: world.calls("publish_chain_status"))
    await chain.stack_shows(handle, "a", Phase.PENDING)

    before = list(world.calls("find_stack_run"))
    gate.set()
    known = await handle.result()

    assert before == []
    assert known.phase is Phase.SUCCEEDED


async def test_publishes_are_coalesced_with_one_outstanding_at_a_time(serve: Serve) -> None:
    roots = tuple("abcdefghij")
    world = World(roots=roots)
    chain = await serve(world)
    gate = world.gate("publish_chain_status", "")
    handle = await chain.start()
    gate.set()
    await chain.called("find_stack_run", "a")
    gate.clear()

    await eventually(lambda: len(world.runs) == len(roots))
    gate.set()
    await handle.result()

    assert world.publishes_most == 1
    assert len(world.calls("publish_chain_status")) < len(roots)
    last = world.arguments_of(messages.PublishChainStatusInput)[-1]
    assert last.is_final


@pytest.mark.parametrize("kind", ["ResourceGone", "Superseded"])
async def test_a_run_that_nobody_wants_triggers_nothing(serve: Serve, kind: str) -> None:
    world = World("a>b")
    world.publish_error = failure(kind, final=True)
    chain = await serve(world)

    known = await chain.run()

    # Reported before or after it has read the stacks.
    assert phases(known) in ({}, {"a": "Canceled", "b": "Canceled"})
    assert known.phase is Phase.CANCELED
    assert world.calls("find_stack_run") == world.calls("trigger_stack_run") == []
    assert not any(
        argument.is_final for argument in world.arguments_of(messages.PublishChainStatusInput)
    )


@pytest.mark.parametrize("kind", ["ResourceGone", "Superseded"])
async def test_a_run_that_is_no_longer_wanted_stops_what_it_started(
    serve: Serve, kind: str
) -> None:
    world = World("a>b")
    world.held, world.holds_in["b"] = {"a", "b"}, "QUEUED"
    chain = await serve(world)
    handle = await chain.start()
    await chain.stack_shows(handle, "a", Phase.RUNNING)

    world.publish_error = failure(kind, final=True)
    await world.move("a", "UNCONFIRMED")
    known = await handle.result()

    assert phases(known) == {"a": "Canceled", "b": "Canceled"}
    assert (world.states("a"), world.states("b")) == (["DISCARDED"], ["CANCELED"])


async def test_a_resource_that_goes_while_spacelift_is_away_does_not_wait_for_it(
    serve: Serve,
) -> None:
    world = World()
    world.gate("fetch_dependent_stacks", "")
    world.publish_error = failure("ResourceGone", final=True)
    chain = await serve(world)

    known = await chain.run()

    assert known.phase is Phase.CANCELED


async def test_an_operator_that_is_away_delays_only_the_status(serve: Serve) -> None:
    world = World("a~b")
    chain = await serve(world)
    handle = await chain.start()
    gate = world.gate("publish_chain_status", "")
    gate.set()
    await chain.called("find_stack_run", "a")
    gate.clear()

    await chain.stack_shows(handle, "b", Phase.SUCCEEDED)

    gate.set()
    assert (await handle.result()).phase is Phase.SUCCEEDED


@pytest.mark.parametrize(
    ("drawing", "reason", "words"),
    [
        pytest.param(("a~b", "b~a"), reasons.ChainReason.GRAPH_CYCLE, "a -> b -> a", id="cycle"),
        pytest.param(
            tuple(f"a~{name}" for name in "bcdefghij"),
            reasons.ChainReason.TOO_MANY_STACKS,
            "10 stacks",
            id="too many",
        ),
    ],
)
async def test_a_bad_graph_fails_the_chain_with_nothing_triggered(
    serve: Serve, drawing: tuple[str, ...], reason: reasons.ChainReason, words: str
) -> None:
    world = World(*drawing)
    chain = await serve(world)

    known = await chain.run(max_stacks=9)

    assert (known.phase, known.reason) == (Phase.FAILED, reason)
    assert words in known.message.lower()
    assert world.calls("trigger_stack_run") == []
    assert world.arguments_of(messages.PublishChainStatusInput)[-1].is_final


async def test_an_unknown_root_fails_the_chain(serve: Serve) -> None:
    world = World()
    world.unknown_roots = ("a",)
    chain = await serve(world)

    known = await chain.run()

    assert (known.phase, known.reason) == (Phase.FAILED, reasons.ChainReason.UNKNOWN_STACK)
    assert world.calls("find_stack_run") == []


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("CredentialsRejected", reasons.ChainReason.CREDENTIALS_REJECTED),
        ("SpaceliftRefused", reasons.ChainReason.SPACELIFT_REFUSED),
    ],
)
async def test_a_discovery_that_cannot_succeed_fails_the_chain(
    serve: Serve, kind: str, reason: reasons.ChainReason
) -> None:
    world = World()
    world.failures["fetch_dependent_stacks", ""] = [failure(kind, final=True)]
    chain = await serve(world)

    known = await chain.run()

    assert (known.phase, known.reason, known.message) == (Phase.FAILED, reason, f"made up: {kind}")


async def test_an_answer_that_temporal_does_not_take_is_read_once_and_stops_the_chain(
    serve: Serve,
) -> None:
    world = World()
    world.unknown_roots = ("x" * 3_000_000,)
    chain = await serve(world)

    known = await chain.run()

    assert (known.phase, known.reason) == (Phase.FAILED, reasons.ChainReason.PAYLOAD_TOO_LARGE)
    assert len(world.calls("fetch_dependent_stacks")) == 1


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("Unreachable", reasons.ChainReason.SPACELIFT_UNREACHABLE),
        ("KeyError", reasons.ChainReason.WORKER_FAILING),
    ],
)
async def test_a_discovery_that_fails_for_a_while_says_so_and_goes_on(
    serve: Serve, kind: str, reason: reasons.ChainReason
) -> None:
    world = World()
    world.broken["fetch_dependent_stacks", ""] = failure(kind)
    chain = await serve(world)
    handle = await chain.start()

    async def says_so() -> bool:
        known = await chain.known(handle)
        return known.problem_reason == reason

    await eventually(says_so)
    world.broken.clear()
    known = await handle.result()

    assert (known.phase, known.problem_reason, known.problem_message) == (Phase.SUCCEEDED, "", "")

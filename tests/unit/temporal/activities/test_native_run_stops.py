"""Finding and stopping what Spacelift queued on many stacks, in few requests."""

import pytest
import temporalio.exceptions

from controller.chain.run import native_stops
from controller.chain.run.run_states import StopCall
from controller.spacelift import errors, models
from controller.temporal import messages
from tests.unit.temporal.activities import fakes


async def look(
    bench: fakes.Bench, *targets: native_stops.UnwantedRuns
) -> list[native_stops.NativeRun]:
    result = await bench.environment.run(
        bench.operations.stop_native_runs,
        messages.StopNativeRunsInput(connection=fakes.CONNECTION, targets=list(targets)),
    )
    return sorted(result.runs, key=lambda run: (run.stack_id, run.origin_run_id))


def target(*origins: str, stack_id: str = "a", **facts: object) -> native_stops.UnwantedRuns:
    return native_stops.UnwantedRuns(
        stack_id=stack_id,
        origin_run_ids=list(origins),
        queuers=["up", "root"],
        note=f"not wanted on {stack_id}",
        **facts,  # type: ignore[arg-type]
    )


def requests(bench: fakes.Bench) -> list[tuple[str, object]]:
    """Return the requests with what they are about: several runs are ended by one of them."""
    return [(name, about) for name, about in bench.spacelift.calls if name not in set(StopCall)]


def calls(bench: fakes.Bench) -> list[str]:
    return [name for name, _ in requests(bench)]


async def test_waves_that_interleave_are_all_stopped() -> None:
    """Two roots triggered together: both native runs are above both origins."""
    bench = fakes.make_bench()
    first, second = bench.spacelift.add_run("root"), bench.spacelift.add_run("up")
    natives = [bench.spacelift.add_run(triggered_by=name) for name in ("root", "up")]
    later = bench.spacelift.add_run(triggered_by="up")

    found = await look(bench, target(first.run_id, second.run_id))

    assert [run.run_id for run in found] == [run.run_id for run in natives]
    assert [run.state for run in found] == ["CANCELED", "CANCELED"]
    assert not any(run.is_open or run.was_carried_out for run in found)
    assert bench.spacelift.state(later) == "QUEUED"


async def test_a_wave_alone_does_not_take_what_is_known_to_be_of_another() -> None:
    bench = fakes.make_bench()
    bench.spacelift.add_run("root")
    second = bench.spacelift.add_run("up")
    natives = [bench.spacelift.add_run(triggered_by="root") for _ in range(2)]

    (found,) = await look(bench, target(second.run_id, claimed_run_ids=[natives[0].run_id]))

    assert found.run_id == natives[1].run_id


async def test_the_run_that_the_stack_is_still_to_use_is_told_apart() -> None:
    bench = fakes.make_bench()
    used, other = bench.spacelift.add_run("root"), bench.spacelift.add_run("up")
    natives = [bench.spacelift.add_run(triggered_by="root") for _ in range(2)]

    (found,) = await look(bench, target(other.run_id, used_origin_run_id=used.run_id))

    assert found.run_id == natives[1].run_id
    assert bench.spacelift.state(natives[0]) == "QUEUED"


@pytest.mark.parametrize(
    ("state", "call", "end", "was_carried_out"),
    [
        ("QUEUED", "cancel_runs", "CANCELED", False),
        ("UNCONFIRMED", "discard_runs", "DISCARDED", False),
        ("PLANNING", "stop_runs", "STOPPED", False),
        ("APPLYING", None, "APPLYING", True),
        ("FINISHED", None, "FINISHED", True),
        ("FAILED", None, "FAILED", True),
        ("SKIPPED", None, "SKIPPED", False),
    ],
)
async def test_the_state_chooses_the_call(
    state: str, call: str | None, end: str, was_carried_out: bool
) -> None:
    bench = fakes.make_bench()
    origin = bench.spacelift.add_run("root")
    run = bench.spacelift.add_run(state=state, triggered_by="up")

    (found,) = await look(bench, target(origin.run_id))

    assert (found.run_id, found.state, found.is_open) == (run.run_id, end, False)
    assert found.was_carried_out is was_carried_out
    assert calls(bench)[1:] == ([call] if call else [])
    assert bench.spacelift.notes == ({run.run_id: "not wanted on a"} if call else {})


async def test_the_stacks_own_run_is_left_alone() -> None:
    bench = fakes.make_bench()
    origin = bench.spacelift.add_run("root")
    kept = bench.spacelift.add_run(triggered_by="root")

    await look(bench, target(origin.run_id, keep_run_id=kept.run_id))

    assert bench.spacelift.state(kept) == "QUEUED"


async def test_what_has_not_started_goes_first_and_of_that_the_deepest() -> None:
    bench = fakes.make_bench()
    origin = bench.spacelift.add_run("root")
    stacks = {"a": "QUEUED", "b": "PLANNING", "c": "QUEUED", "d": "PLANNING"}
    runs = {
        stack_id: bench.spacelift.add_run(stack_id, state=state, triggered_by="root").run_id
        for stack_id, state in stacks.items()
    }

    await look(
        bench,
        *(
            target(origin.run_id, stack_id=stack_id, depth=depth)
            for depth, stack_id in enumerate(stacks)
        ),
    )

    assert requests(bench)[1:] == [
        ("cancel_runs", [runs["c"], runs["a"]]),
        ("stop_runs", [runs["d"], runs["b"]]),
    ]


async def test_all_stacks_are_read_together() -> None:
    bench = fakes.make_bench()
    origin = bench.spacelift.add_run("root")
    names = [f"n{number:02}" for number in range(60)]
    for name in names:
        bench.spacelift.add_run(name, triggered_by="root")

    found = await look(bench, *(target(origin.run_id, stack_id=name) for name in names))

    assert {run.state for run in found} == {"CANCELED"}
    assert calls(bench) == ["get_newest_runs", "get_newest_runs", "cancel_runs"]


async def test_what_is_late_keeps_nothing_from_being_stopped_and_is_looked_for_again() -> None:
    bench = fakes.make_bench()
    origin = bench.spacelift.add_run("root")
    run = bench.spacelift.add_run(triggered_by="root")

    there, late = await look(
        bench, target(origin.run_id), target(origin.run_id, stack_id="b", seconds=0.01)
    )

    assert (there.state, there.is_open) == ("CANCELED", False)
    assert (late.run_id, late.is_open) == ("", True)
    assert bench.spacelift.state(run) == "CANCELED"


@pytest.mark.parametrize(
    ("facts", "is_disabled"),
    [
        pytest.param({"is_expected": False}, False, id="where Spacelift queues none"),
        pytest.param({}, True, id="on a stack that is disabled now"),
        pytest.param({"seconds": 1.0}, False, id="for longer than is waited for"),
    ],
)
async def test_what_cannot_have_a_run_is_not_waited_for(
    facts: dict[str, object], is_disabled: bool
) -> None:
    bench = fakes.make_bench()
    origin = bench.spacelift.add_run("root")
    bench.spacelift.holds["a"] = models.StackHold(is_disabled=is_disabled)

    (found,) = await look(bench, target(origin.run_id, **facts))

    assert (found.run_id, found.is_open, found.problem) == ("", False, "")


async def test_a_stack_that_cannot_be_seen_is_a_problem_of_its_own() -> None:
    bench = fakes.make_bench()
    origin = bench.spacelift.add_run("root")
    bench.spacelift.add_run(triggered_by="root")
    bench.spacelift.hidden = {"b"}

    there, hidden = await look(bench, target(origin.run_id), target(origin.run_id, stack_id="b"))

    assert (there.state, hidden.is_open) == ("CANCELED", False)
    assert "the API key cannot see it" in hidden.problem


async def test_a_page_that_ends_too_soon_is_read_on() -> None:
    bench = fakes.make_bench()
    origin = bench.spacelift.add_run("root")
    native = bench.spacelift.add_run(triggered_by="root")
    bench.spacelift.add_run(triggered_by="jane")
    bench.spacelift.page_size = 1

    (found,) = await look(bench, target(origin.run_id))

    assert found.run_id == native.run_id
    again = ["list_runs_after", "get_newest_runs"]
    assert calls(bench) == ["get_newest_runs", *again, "cancel_runs"]


async def test_a_short_page_of_a_young_stack_is_taken_as_whole() -> None:
    bench = fakes.make_bench()
    origin = bench.spacelift.add_run("root")
    bench.spacelift.add_run(triggered_by="root")

    await look(bench, target(origin.run_id))

    assert calls(bench) == ["get_newest_runs", "cancel_runs"]


async def test_runs_that_move_on_before_they_are_called_are_read_again() -> None:
    """One refusal hides what became of the others, and keeps some from being carried out."""
    bench = fakes.make_bench()
    origin = bench.spacelift.add_run("root")
    names = ("a", "b", "c")
    runs = {name: bench.spacelift.add_run(name, triggered_by="root") for name in names}

    def moves_on(method: str) -> None:
        if method == "cancel_runs" and bench.spacelift.count("cancel_runs") == 0:
            bench.spacelift.move(runs["b"], "PLANNING")

    bench.spacelift.before = moves_on
    found = await look(bench, *(target(origin.run_id, stack_id=name) for name in names))

    assert [run.state for run in found] == ["CANCELED", "STOPPED", "CANCELED"]
    assert not any(run.is_open for run in found)


async def test_a_stop_is_called_once_and_its_effect_is_looked_for() -> None:
    bench = fakes.make_bench()
    bench.spacelift.ignores_stops = True
    origin = bench.spacelift.add_run("root")
    run = bench.spacelift.add_run(state="PLANNING", triggered_by="root")
    called = native_stops.CalledStop(run_id=run.run_id, call=StopCall.STOP, seconds_ago=0.1)
    long_ago = native_stops.CalledStop(run_id=run.run_id, call=StopCall.STOP, seconds_ago=1)

    (first,) = await look(bench, target(origin.run_id))
    (second,) = await look(bench, target(origin.run_id, called=[called]))
    (third,) = await look(bench, target(origin.run_id, called=[long_ago]))

    assert (first.call, first.is_open) == (StopCall.STOP, True)
    assert (second.call, second.is_open) == (None, True)
    assert (third.state, third.is_open, third.was_carried_out) == ("PLANNING", False, True)
    assert bench.spacelift.count("stop_runs") == 1


async def test_one_stack_that_refuses_does_not_keep_others_from_being_stopped() -> None:
    bench = fakes.make_bench()
    origin = bench.spacelift.add_run("root")
    names = ("a", "b", "c")
    runs = [bench.spacelift.add_run(name, triggered_by="root") for name in names]
    bench.spacelift.fail("cancel", errors.PermissionDenied("not yours"))

    found = await look(bench, *(target(origin.run_id, stack_id=name) for name in names))

    assert [bench.spacelift.state(run) for run in runs] == ["QUEUED", "CANCELED", "CANCELED"]
    assert [run.problem for run in found] == ["not yours", "", ""]


@pytest.mark.parametrize(("seconds", "is_open"), [(0.0, True), (9.0, False)])
async def test_what_is_refused_over_and_over_is_given_up_after_a_while(
    seconds: float, is_open: bool
) -> None:
    bench = fakes.make_bench()
    origin = bench.spacelift.add_run("root")
    bench.spacelift.add_run(triggered_by="root")
    bench.spacelift.fail("cancel", *[errors.SpaceliftRefused("never")] * 9)

    (found,) = await look(bench, target(origin.run_id, seconds=seconds))

    assert (found.is_open, found.problem) == (is_open, "" if is_open else "never")


async def test_an_outage_lets_all_be_tried_again() -> None:
    bench = fakes.make_bench()
    origin = bench.spacelift.add_run("root")
    bench.spacelift.add_run(triggered_by="root")
    bench.spacelift.fail("cancel_runs", errors.Unreachable("away"))

    with pytest.raises(temporalio.exceptions.ApplicationError) as caught:
        await look(bench, target(origin.run_id))

    assert (caught.value.type, caught.value.non_retryable) == ("Unreachable", False)


async def test_a_limit_of_requests_lets_the_first_ones_through_at_the_next_try() -> None:
    """All at once would be refused each time, and nothing would ever be stopped."""
    bench = fakes.make_bench()
    origin = bench.spacelift.add_run("root")
    names = [f"n{number:02}" for number in range(60)]
    for name in names:
        bench.spacelift.add_run(name, triggered_by="root")
    targets = [target(origin.run_id, stack_id=name) for name in names]
    bench.spacelift.fail("cancel_runs", errors.RateLimited("slow"))

    with pytest.raises(temporalio.exceptions.ApplicationError) as caught:
        await look(bench, *targets)
    before = len(calls(bench))
    bench.attempt(2)
    found = await look(bench, *targets)

    assert caught.value.type == "RateLimited"
    assert calls(bench)[before:] == ["get_newest_runs", "cancel_runs"]
    # The stacks that may have queued the runs are read with them.
    assert [run.is_open for run in found] == [False] * 48 + [True] * 12


def late_bench() -> tuple[fakes.Bench, models.RunRecord]:
    """`root > up > a`, and a run of the chain that queued nothing on `a`."""
    bench = fakes.make_bench()
    for stack_id, upstreams in (("root", ()), ("up", ("root",)), ("a", ("up",))):
        bench.spacelift.add_stack(stack_id, *upstreams)
    origin = bench.spacelift.add_run_at(100, "root")
    bench.spacelift.add_run_at(100, "up", triggered_by="root", state="FINISHED")
    return bench, origin


@pytest.mark.parametrize("stack_id", ["root", "up"])
@pytest.mark.parametrize("who", ["jane@example.com", None, fakes.OWN])
async def test_what_others_made_spacelift_queue_is_left_alone(
    stack_id: str, who: str | None
) -> None:
    """The stack was disabled when the chain's own run could have queued one on it."""
    bench, origin = late_bench()
    theirs = bench.spacelift.add_run_at(160, stack_id, triggered_by=who)
    if stack_id == "root":
        bench.spacelift.add_run_at(160, "up", triggered_by="root")
    native = bench.spacelift.add_run_at(160, triggered_by="up")

    (found,) = await look(bench, target(origin.run_id, seconds=60))

    assert (found.run_id, found.is_open) == ("", False)
    assert bench.spacelift.state(native) == "QUEUED"
    assert bench.spacelift.state(theirs) == "QUEUED"


async def test_what_others_queued_through_a_stack_that_cannot_be_seen_is_left_alone() -> None:
    bench, origin = late_bench()
    bench.spacelift.add_run_at(160, "up", triggered_by="hidden")
    native = bench.spacelift.add_run_at(160, triggered_by="up")

    await look(bench, target(origin.run_id, seconds=60))

    assert bench.spacelift.state(native) == "QUEUED"


@pytest.mark.parametrize("at", [103, 160])
async def test_what_spacelift_queued_late_is_stopped_where_nobody_else_can_have_caused_it(
    at: float,
) -> None:
    bench, origin = late_bench()
    native = bench.spacelift.add_run_at(at, triggered_by="up")
    bench.spacelift.add_run_at(200, "root", triggered_by="jane@example.com")

    (found,) = await look(bench, target(origin.run_id, seconds=60))

    assert found.run_id == native.run_id
    assert bench.spacelift.state(native) == "CANCELED"


async def test_the_chains_own_run_is_stopped_and_what_others_queued_after_it_is_not() -> None:
    """Nothing above the stack is read for that."""
    bench, origin = late_bench()
    native = bench.spacelift.add_run_at(101, triggered_by="up")
    bench.spacelift.add_run_at(160, "root", triggered_by="jane@example.com")
    theirs = bench.spacelift.add_run_at(160, triggered_by="up")

    (found,) = await look(bench, target(origin.run_id))

    assert (found.run_id, bench.spacelift.state(theirs)) == (native.run_id, "QUEUED")
    assert calls(bench) == ["get_newest_runs", "cancel_runs"]


async def test_what_is_above_many_stacks_is_read_once() -> None:
    bench, origin = late_bench()
    bench.spacelift.add_run_at(160, "root", triggered_by="jane@example.com")
    names = [f"b{number}" for number in range(3)]
    for name in names:
        bench.spacelift.add_stack(name, "up")
        bench.spacelift.add_run_at(160, name, triggered_by="up")

    await look(bench, *(target(origin.run_id, stack_id=name, seconds=60) for name in names))

    # Once in each look: their pages may be cut off, so there is a second one.
    assert bench.spacelift.count("get_newest_runs") == 2
    assert bench.spacelift.count("cancel_runs") == 0


async def test_the_runs_above_many_stacks_are_listed_once_in_each_of_two_looks() -> None:
    """All are younger than the chain's run, so each page may be cut off before it."""
    bench = fakes.make_bench()
    bench.spacelift.add_stack("root")
    origin = bench.spacelift.add_run_at(100, "root")
    upper = ["up", *(f"a{number}" for number in range(5))]
    lower = [f"b{number}" for number in range(5)]
    for name in upper:
        bench.spacelift.add_stack(name, "root")
        bench.spacelift.add_run_at(160, name, triggered_by="jane@example.com")
    for name in lower:
        bench.spacelift.add_stack(name, *upper)
        bench.spacelift.add_run_at(161, name, triggered_by="up")

    await look(bench, *(target(origin.run_id, stack_id=name, seconds=60) for name in lower))

    above = ["root", *upper]
    assert bench.spacelift.count("list_runs_after") <= 2 * len(above) + len(lower)


# What may be the chain's or others'


@pytest.mark.parametrize("stack_id", ["root", "up"])
async def test_what_others_may_have_queued_in_the_chains_moment_is_left_alone_and_told(
    stack_id: str,
) -> None:
    """`a` was disabled for a moment, so one of the two waves has no run on it."""
    bench, origin = late_bench()
    theirs = bench.spacelift.add_run_at(100.5, stack_id, triggered_by="jane@example.com")
    if stack_id == "root":
        bench.spacelift.add_run_at(100.5, "up", triggered_by="root")
    native = bench.spacelift.add_run_at(100.6, triggered_by="up")

    (first,) = await look(bench, target(origin.run_id))
    (found,) = await look(bench, target(origin.run_id, seconds=60))

    assert (first.is_open, found.is_open) == (True, False)
    assert (found.run_id, found.state, found.is_to_be_told) == (native.run_id, "QUEUED", True)
    assert found.other_run_url.endswith(f"/stack/{stack_id}/run/{theirs.run_id}")
    assert bench.spacelift.state(native) == "QUEUED"


async def test_waves_that_have_their_runs_leave_no_doubt() -> None:
    bench, origin = late_bench()
    bench.spacelift.add_run_at(100.5, "root", triggered_by="jane@example.com")
    bench.spacelift.add_run_at(100.5, "up", triggered_by="root")
    natives = [bench.spacelift.add_run_at(at, triggered_by="up") for at in (100.1, 100.6)]

    (found,) = await look(bench, target(origin.run_id))

    assert (found.run_id, found.other_run_url) == (natives[0].run_id, "")
    assert [bench.spacelift.state(run) for run in natives] == ["CANCELED", "QUEUED"]


async def test_other_runs_of_the_chain_are_no_others() -> None:
    """Its run on `up` is known to be settled, so that it is not asked for."""
    bench, origin = late_bench()
    own = bench.spacelift.add_run_at(100.5, "up")
    native = bench.spacelift.add_run_at(100.6, triggered_by="up")

    (found,) = await look(bench, target(origin.run_id, own_run_ids=[origin.run_id, own.run_id]))

    assert (found.run_id, found.state) == (native.run_id, "CANCELED")
    assert calls(bench) == ["get_newest_runs", "cancel_runs"]


@pytest.mark.parametrize(("has_others", "state"), [(True, "QUEUED"), (False, "CANCELED")])
async def test_where_spacelift_queues_none_what_is_there_may_be_of_others(
    has_others: bool, state: str
) -> None:
    """`up` and `a` were disabled when they were read, so neither has a run of the wave."""
    bench = late_bench()[0]
    bench.spacelift.runs.clear()
    origin = bench.spacelift.add_run_at(100, "root")
    if has_others:
        bench.spacelift.add_run_at(100.5, "root", triggered_by="jane@example.com")
    bench.spacelift.add_run_at(100.6, "up", triggered_by="root")
    native = bench.spacelift.add_run_at(100.6, triggered_by="up")

    (found,) = await look(bench, target(origin.run_id, is_expected=False, seconds=60))

    assert (found.run_id, bool(found.other_run_url)) == (native.run_id, has_others)
    assert bench.spacelift.state(native) == state


async def test_a_late_run_that_may_be_of_others_is_left_alone_and_told() -> None:
    bench, origin = late_bench()
    theirs = bench.spacelift.add_run_at(150, "up", triggered_by="jane@example.com")
    native = bench.spacelift.add_run_at(160, triggered_by="up")

    (found,) = await look(bench, target(origin.run_id, seconds=60))

    assert (found.run_id, found.is_to_be_told) == (native.run_id, True)
    assert found.other_run_url.endswith(theirs.run_id)
    assert bench.spacelift.state(native) == "QUEUED"


async def test_what_is_late_is_the_chains_once_the_others_have_theirs() -> None:
    bench, origin = late_bench()
    bench.spacelift.add_run_at(150, "up", triggered_by="jane@example.com")
    theirs = bench.spacelift.add_run_at(150, triggered_by="up")
    native = bench.spacelift.add_run_at(160, triggered_by="up")

    (found,) = await look(bench, target(origin.run_id, seconds=60))

    assert found.run_id == native.run_id
    assert [bench.spacelift.state(run) for run in (theirs, native)] == ["QUEUED", "CANCELED"]


async def test_a_long_page_of_what_may_have_queued_a_run_is_read_on() -> None:
    bench, origin = late_bench()
    bench.spacelift.add_run_at(100.5, "up", triggered_by="jane@example.com")
    native = bench.spacelift.add_run_at(100.6, triggered_by="up")
    for number in range(20):
        bench.spacelift.add_run_at(200 + number, "up", triggered_by="jane@example.com")
    bench.spacelift.page_size = 20

    (found,) = await look(bench, target(origin.run_id, seconds=60))

    assert (found.run_id, found.is_to_be_told) == (native.run_id, True)

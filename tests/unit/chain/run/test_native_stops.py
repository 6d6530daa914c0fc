"""native_stops: the chain asks for each run that must not continue until its end is known."""

import dataclasses
from collections.abc import Sequence

from controller.chain.run import native_stops
from controller.chain.run.run_states import StopCall


def describe(stack_id: str, origins: Sequence[str]) -> native_stops.UnwantedRuns:
    return native_stops.UnwantedRuns(
        stack_id=stack_id, origin_run_ids=list(origins), queuers=[], note=""
    )


def run(stack_id: str, origin: str, run_id: str = "", **facts: object) -> native_stops.NativeRun:
    return native_stops.NativeRun(
        stack_id=stack_id,
        origin_run_id=origin,
        run_id=run_id,
        **facts,  # type: ignore[arg-type]
    )


def test_what_is_asked_for_twice_is_looked_for_once() -> None:
    stops = native_stops.OpenStops()

    assert stops.ask("b", ["01A"], note="first", now=0)
    assert stops.ask("b", ["01A", "02A"], note="second", now=3)
    (target,) = stops.targets(describe, now=5)

    assert (target.origin_run_ids, target.note, target.seconds) == (["01A", "02A"], "second", 5)


def test_what_has_ended_is_not_asked_for_again() -> None:
    stops = native_stops.OpenStops()
    stops.ask("b", ["01A"], note="", now=0)

    settled = stops.take([run("b", "01A", "05", state="CANCELED")], now=1)

    assert [item.run_id for item in settled] == ["05"]
    assert not stops.open_stacks
    assert not stops.ask("b", ["01A"], note="", now=2)


def test_what_was_not_there_may_be_asked_for_again() -> None:
    stops = native_stops.OpenStops()
    stops.ask("b", ["01A"], note="", now=0)
    stops.take([run("b", "01A")], now=1)

    assert stops.ask("b", ["01A"], note="", now=2)


def test_what_is_known_of_one_origin_is_not_taken_for_that_of_another() -> None:
    stops = native_stops.OpenStops()
    stops.ask("b", ["01A", "02A"], note="", now=0)
    stops.take([run("b", "01A", "05", state="CANCELED"), run("b", "02A", is_open=True)], now=1)

    (target,) = stops.targets(describe, now=2)

    assert (target.origin_run_ids, target.claimed_run_ids) == (["02A"], ["05"])


def test_what_is_older_than_an_origin_need_not_be_told_apart_from_its_run() -> None:
    stops = native_stops.OpenStops()
    stops.ask("b", ["01A", "06A"], note="", now=0)
    stops.take([run("b", "01A", "05", state="CANCELED")], now=1)

    (target,) = stops.targets(describe, now=2)

    assert (target.origin_run_ids, target.claimed_run_ids) == (["06A"], [])


def test_one_look_is_for_so_many_runs_as_one_message_holds_and_the_deepest_go_first() -> None:
    stops = native_stops.OpenStops()
    depths = {f"s{number}": number for number in range(5)}
    origins = [f"{number:03}" for number in range(native_stops.MOST_RUNS // 2)]
    for stack_id in depths:
        stops.ask(stack_id, origins, note="", now=0)

    def described(stack_id: str, found: Sequence[str]) -> native_stops.UnwantedRuns:
        return dataclasses.replace(describe(stack_id, found), depth=depths[stack_id])

    looks = [[item.stack_id for item in stops.targets(described, now=1)] for _ in range(3)]

    assert looks == [["s4", "s3"], ["s2", "s1"], ["s0", "s4"]]
    assert not stops.has_unseen


def test_a_call_is_remembered_until_it_takes_effect() -> None:
    stops = native_stops.OpenStops()
    stops.ask("b", ["01A"], note="", now=0)
    called = run("b", "01A", "05", state="PLANNING", call=StopCall.STOP, is_open=True)
    stops.take([called], now=1)
    stops.take([run("b", "01A", "05", state="PLANNING", is_open=True)], now=3)

    (target,) = stops.targets(describe, now=4)

    assert target.called == [
        native_stops.CalledStop(run_id="05", call=StopCall.STOP, seconds_ago=3)
    ]


def test_what_did_not_come_in_time_is_looked_for_once_more() -> None:
    stops = native_stops.OpenStops()
    for origin in ("01A", "02A", "03A"):
        stops.ask("b", [origin], note="", now=5)
    stops.take(
        [
            run("b", "01A", "05", state="CANCELED"),
            run("b", "02A"),
            run("b", "03A", problem="cannot be seen"),
        ],
        now=6,
    )

    assert not stops.ask_for_missing("c")
    assert stops.ask_for_missing("b")
    (target,) = stops.targets(describe, now=7)

    assert (target.origin_run_ids, target.seconds) == (["02A"], 7)
    assert not stops.ask_for_missing()

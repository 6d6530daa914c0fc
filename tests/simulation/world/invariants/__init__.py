"""What must hold in every world, each with its reason: at each moment, and when all is over."""

import dataclasses
from collections.abc import Callable, Iterator

from devenv.simulator.model.run_entities import Run
from tests.simulation.world.invariants import (
    endings,
    ends,
    moves,
    native_order,
    natives,
    stages,
    statuses,
    touching,
    triggers,
    work,
    writes,
)
from tests.simulation.world.records import Record, Write

Invariant = Callable[[Record], Iterator[str]]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """What is wrong, and which invariant says so."""

    invariant: str
    text: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.text}"


AT_THE_END: dict[str, Invariant] = {
    "all ends": ends.all_ends,
    "nothing is left": ends.nothing_is_left,
    "histories replay": ends.histories_replay,
    "no run outlives its chain": endings.no_run_outlives_its_chain,
    "what is canceled stops": endings.what_is_canceled_stops,
    "an end is shown at once": endings.an_end_is_shown_at_once,
    "triggered once": triggers.triggered_once,
    "bypassed is not run": triggers.bypassed_is_not_run,
    "upstreams first": triggers.upstreams_first,
    "stages in order": stages.stages_in_order,
    "a run is used once": triggers.a_run_is_used_once,
    "only what was asked for": triggers.only_what_was_asked_for,
    "others' runs are untouched": touching.others_runs_are_untouched,
    "others' runs are not used": touching.runs_of_others_are_not_used,
    "doubtful runs are reported": touching.doubtful_runs_are_reported,
    "the status is true": statuses.the_status_is_true,
    "native runs are used or reported": natives.native_runs_are_used_or_reported,
    "used runs are in order": native_order.used_runs_are_in_order,
    "nothing in order runs twice": native_order.nothing_in_order_runs_twice,
    "unwanted runs are stopped in time": native_order.unwanted_runs_are_stopped_in_time,
    "bounded work": work.bounded_work,
    "no storms": work.no_storms,
}


ALL = tuple(dict.fromkeys([*writes.AT_EACH_WRITE, *moves.AT_EACH_MOVE, *AT_THE_END]))
"""The names of all of them."""


def watch(record: Record) -> None:
    """Judge all that happens from now on."""

    def judge_write(write: Write) -> None:
        for name, invariant in writes.AT_EACH_WRITE.items():
            for text in invariant(write):
                record.note_mistake(name, f"{write.chain.title} {text}")

    def judge_move(run: Run) -> None:
        for name, invariant in moves.AT_EACH_MOVE.items():
            for text in invariant(record, run):
                record.note_mistake(name, text)

    record.on_write.append(judge_write)
    record.on_move.append(judge_move)


def judge(record: Record) -> Iterator[Violation]:
    """Give what was violated on the way, and what is violated now that all is over."""
    for name, text in record.mistakes:
        yield Violation(invariant=name, text=text)
    for name, invariant in AT_THE_END.items():
        for text in invariant(record):
            yield Violation(invariant=name, text=text)

"""What must hold in every world, each with its reason: at each moment, and when all is over."""

import dataclasses
from collections.abc import Callable, Iterator

from devenv.simulator.model.run_entities import Run
from tests.simulation.world.invariants import (
    ends,
    moves,
    natives,
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
    "triggered once": triggers.triggered_once,
    "upstreams first": triggers.upstreams_first,
    "only what was asked for": triggers.only_what_was_asked_for,
    "others' runs are untouched": touching.others_runs_are_untouched,
    "the status is true": statuses.the_status_is_true,
    "native runs are used or reported": natives.native_runs_are_used_or_reported,
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
    """Give what was violated meanwhile, and what is violated now that all is over."""
    for name, text in record.mistakes:
        yield Violation(invariant=name, text=text)
    for name, invariant in AT_THE_END.items():
        for text in invariant(record):
            yield Violation(invariant=name, text=text)

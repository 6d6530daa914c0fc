"""What must hold in every world; each invariant is a function from a record to what violates it."""

import dataclasses
from collections.abc import Callable, Iterator

from tests.simulation.world.invariants import ends, natives, statuses, touching, triggers, work
from tests.simulation.world.records import Record

Invariant = Callable[[Record], Iterator[str]]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """What is wrong, and which invariant says so."""

    invariant: str
    text: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.text}"


ALL: dict[str, Invariant] = {
    "all ends": ends.all_ends,
    "nothing is left": ends.nothing_is_left,
    "histories replay": ends.histories_replay,
    "triggered once": triggers.triggered_once,
    "upstreams first": triggers.upstreams_first,
    "only what was asked for": triggers.only_what_was_asked_for,
    "others' runs are untouched": touching.others_runs_are_untouched,
    "the status is true": statuses.the_status_is_true,
    "nothing waits without a reason": statuses.nothing_waits_without_a_reason,
    "native runs are used or reported": natives.native_runs_are_used_or_reported,
    "bounded work": work.bounded_work,
}

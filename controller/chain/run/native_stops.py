"""Which native runs are still to be stopped, and what has become of those that were. Pure.

Each is known by its stack and its origin, the run whose creation made Spacelift queue it. A stop is
requested until the run is known to have ended or to continue anyway, and then not again (ADR 0031).
"""

import dataclasses
from collections.abc import Callable, Iterable, Sequence

from controller.chain.run import run_states


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class CalledStop:
    """A call that was made to end a run and has not taken effect yet.

    `call` is one of `StopCall`, or one that a newer worker made.
    """

    run_id: str
    call: str
    seconds_ago: float


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class UnwantedRuns:
    """The native runs of a stack that must not continue, one for each of `origin_run_ids`.

    `queuers` are the stacks that one may name as `triggeredBy`. `claimed_run_ids` belong to other
    origins, `used_origin_run_id` queued the one that the stack is to use, and `keep_run_id` is the
    stack's own run. `own_run_ids` are all runs of the chain that reach the stack. `depth` is how
    far downstream the stack is natively. `is_expected`: Spacelift queues one there, so one that
    does not show up is only late; `seconds` is for how long. `permit` lets workers stop runs of the
    stack.
    """

    stack_id: str
    origin_run_ids: list[str]
    queuers: list[str]
    note: str
    keep_run_id: str | None = None
    used_origin_run_id: str | None = None
    own_run_ids: list[str] = dataclasses.field(default_factory=list)
    claimed_run_ids: list[str] = dataclasses.field(default_factory=list)
    called: list[CalledStop] = dataclasses.field(default_factory=list)
    depth: int = 0
    is_expected: bool = True
    seconds: float = 0.0
    permit: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class NativeRun:
    """What was found of one native run; without `run_id` there is none, or none yet.

    `is_open`: look again. `call` was made and has had no effect yet. `problem` kept it from being
    stopped. `other_run_url`: the run may also belong to this run of others, so it is left alone.
    """

    stack_id: str
    origin_run_id: str
    run_id: str = ""
    state: str = ""
    run_url: str = ""
    call: str | None = None
    problem: str = ""
    is_open: bool = False
    other_run_url: str = ""

    @property
    def is_to_be_told(self) -> bool:
        """Whether people have to know of it if no stack uses it."""
        has_problem = bool(self.problem and self.run_id)
        return self.was_carried_out or has_problem or bool(self.other_run_url)

    @property
    def was_carried_out(self) -> bool:
        """Whether it did something in the account or may still do so."""
        if not self.run_id or self.is_open:
            return False
        return self.state not in run_states.TERMINAL or self.state in run_states.CARRIED_OUT


_Pair = tuple[str, str]

MOST_RUNS = 1000
"""How many runs one look is for: Temporal takes 2 MiB, and each finding has some 1,000 bytes."""
MOST_CHARACTERS = 1024 * 1024
"""How many characters of ids one look may be given: in a dense graph each stack has many."""


class OpenStops:
    """What is open and what is settled; asking twice for the same run changes nothing."""

    def __init__(self) -> None:
        # By stack and origin, since when; a dict for its order.
        self._open: dict[_Pair, float] = {}
        self._settled: dict[_Pair, NativeRun] = {}
        self._seen: set[_Pair] = set()
        self._notes: dict[str, str] = {}
        # By stack and run: the call, and when.
        self._calls: dict[_Pair, tuple[str, float]] = {}

    def ask(self, stack_id: str, origin_run_ids: Iterable[str], *, note: str, now: float) -> bool:
        """Ask for the runs on a stack to be stopped; returns whether any may still continue."""
        is_any = False
        for origin in origin_run_ids:
            pair = (stack_id, origin)
            settled = self._settled.get(pair)
            if settled is not None and settled.run_id:
                continue
            self._settled.pop(pair, None)
            self._open.setdefault(pair, now)
            self._notes[stack_id] = note
            is_any = True
        return is_any

    def ask_for_missing(self, stack_id: str | None = None) -> bool:
        """Look once more for runs that did not come in time, on one stack or on all.

        Returns whether there is any.
        """
        missing = [
            pair
            for pair, run in self._settled.items()
            if not (run.run_id or run.problem) and stack_id in (None, run.stack_id)
        ]
        for pair in missing:
            del self._settled[pair]
            # It has been waited for.
            self._open[pair] = 0.0
        return bool(missing)

    @property
    def open_stacks(self) -> frozenset[str]:
        """The stacks on which one may still continue."""
        return frozenset(stack_id for stack_id, _ in self._open)

    @property
    def has_unseen(self) -> bool:
        """Whether there are any that have not been looked for yet."""
        return any(pair not in self._seen for pair in self._open)

    def targets(
        self, describe: Callable[[str, Sequence[str]], UnwantedRuns], *, now: float
    ) -> list[UnwantedRuns]:
        """Return what to look at now: what was not looked at yet, then what is furthest downstream.

        Args:
            describe: says what is known of the runs on a stack that some origins queued.
            now: the time, in seconds.
        """
        by_stack: dict[str, list[str]] = {}
        for stack_id, origin in self._open:
            by_stack.setdefault(stack_id, []).append(origin)
        found = [
            dataclasses.replace(
                describe(stack_id, sorted(origins)),
                note=self._notes[stack_id],
                claimed_run_ids=self._claimed(stack_id, after=min(origins)),
                called=self._called(stack_id, now),
                seconds=now - min(self._open[stack_id, origin] for origin in origins),
            )
            for stack_id, origins in sorted(by_stack.items())
        ]
        found.sort(key=lambda item: (self._is_seen(item), -item.depth, item.stack_id))
        chosen, count, characters = list[UnwantedRuns](), 0, 0
        for item in found:
            count += len(item.origin_run_ids)
            characters += _characters(item)
            if chosen and (count > MOST_RUNS or characters > MOST_CHARACTERS):
                break
            chosen.append(item)
            self._seen.update((item.stack_id, origin) for origin in item.origin_run_ids)
        return chosen

    def _is_seen(self, item: UnwantedRuns) -> bool:
        return all((item.stack_id, origin) in self._seen for origin in item.origin_run_ids)

    def take(self, found: Iterable[NativeRun], *, now: float) -> list[NativeRun]:
        """Take in what was found; returns what is settled by it."""
        settled: list[NativeRun] = []
        for run in found:
            pair = (run.stack_id, run.origin_run_id)
            if pair not in self._open:
                continue
            if run.is_open:
                if run.call is not None:
                    self._calls[run.stack_id, run.run_id] = (run.call, now)
                continue
            del self._open[pair]
            self._calls.pop((run.stack_id, run.run_id), None)
            self._settled[pair] = run
            settled.append(run)
        return settled

    def _claimed(self, stack_id: str, *, after: str) -> list[str]:
        """Return runs that belong to other origins for sure, and could be mistaken for others."""
        return sorted(
            run.run_id
            for run in self._settled.values()
            if run.stack_id == stack_id and run.run_id > after
        )

    def _called(self, stack_id: str, now: float) -> list[CalledStop]:
        return [
            CalledStop(run_id=run_id, call=call, seconds_ago=now - at)
            for (other, run_id), (call, at) in sorted(self._calls.items())
            if other == stack_id
        ]


def _characters(item: UnwantedRuns) -> int:
    ids = (*item.origin_run_ids, *item.own_run_ids, *item.queuers, *item.claimed_run_ids)
    return sum(map(len, ids)) + sum(len(call.run_id) for call in item.called) + len(item.permit)

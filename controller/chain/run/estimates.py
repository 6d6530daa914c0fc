"""When a run is likely to end, and which of its stacks others wait for longest. Pure.

Both follow from what the stacks took before. The end is found by simulating the rest of the run:
stacks start as in `next_stacks`, all goes well, and no one has to be waited for (ADR 0057).
"""

import collections
import datetime
import heapq
import math
from collections.abc import Mapping

from controller import times
from controller.api import reasons
from controller.api.v1alpha1 import Phase, StageWait
from controller.chain.run import durations, next_stacks, policy, stack_ends
from controller.chain.run.progress import (
    ChainProgress,
    StackProgress,
    StageProgress,
    WindowProgress,
)

# An end further ahead is not an estimate, and may be in a year that no calendar has.
_MOST_SECONDS_AHEAD = 10 * durations.MOST_SECONDS
# If no duration is known, a path takes as many seconds as it has stacks.
_UNKNOWN_SECONDS = 1.0


def remaining_seconds(run: ChainProgress, seconds_of: Mapping[str, int]) -> dict[str, float]:
    """Return the longest path from each stack to an end, in seconds.

    Args:
        run: the facts; its stacks are sorted by level.
        seconds_of: what stacks took before. A stack without a known duration counts as their mean.
    """
    seconds_of = _believable(seconds_of)
    known = [seconds_of[stack.id] for stack in run.stacks if stack.id in seconds_of]
    mean = sum(known) / len(known) if known else _UNKNOWN_SECONDS
    behind = dict.fromkeys((stack.id for stack in run.stacks), 0.0)
    remaining: dict[str, float] = {}
    for stack in reversed(run.stacks):
        remaining[stack.id] = behind[stack.id] + seconds_of.get(stack.id, mean)
        for upstream in policy.awaited(run, stack):
            behind[upstream] = max(behind[upstream], remaining[stack.id])
    return remaining


def completion_time(
    run: ChainProgress, seconds_of: Mapping[str, int], *, now: datetime.datetime
) -> str | None:
    """Return when the run is likely to end; None if that cannot be said.

    There is no estimate without earlier durations, nor while someone or something else has to act
    first.

    Args:
        run: the facts.
        seconds_of: what stacks took before.
        now: the instant of the facts.
    """
    seconds_of = _believable(seconds_of)
    if not _is_foreseeable(run, seconds_of):
        return None
    seconds = _Rest(run, seconds_of, now=now).play()
    if seconds is None or seconds > _MOST_SECONDS_AHEAD:
        return None
    return times.rfc3339(now + datetime.timedelta(seconds=seconds))


def _is_foreseeable(run: ChainProgress, seconds_of: Mapping[str, int]) -> bool:
    if run.resolved_time is None or run.completion_time is not None or run.problem_reason:
        return False
    if run.is_suspended or run.is_canceling or any(map(_waits_for_someone, run.stages)):
        return False
    left = [stack for stack in run.stacks if not stack.phase.is_over]
    return bool(left) and all(stack.id in seconds_of and _goes_on(stack) for stack in left)


def _believable(seconds_of: Mapping[str, int]) -> dict[str, int]:
    """Return what stacks can have taken: the numbers come from a status, which may be edited."""
    return {
        stack_id: seconds
        for stack_id, seconds in seconds_of.items()
        if durations.is_believable(seconds)
    }


def _waits_for_someone(stage: StageProgress) -> bool:
    return stage.waits_for not in ("", StageWait.EARLIER_STAGES) and stage.until is None


def _goes_on(stack: StackProgress) -> bool:
    """Whether nothing has to come first but what the run itself does."""
    if not stack.is_started:
        return stack.phase is Phase.PENDING
    return durations.is_known_to_work(stack) or stack.reason == reasons.StackReason.RETRY_PENDING


def _seconds_open(window: WindowProgress, *, now: datetime.datetime) -> float:
    if not window.is_open:
        return 0.0
    return (datetime.datetime.fromisoformat(window.until) - now).total_seconds()


class _Rest:
    """The rest of a run: what is at work ends, and what may start then starts.

    All times are seconds from now on.
    """

    def __init__(
        self, run: ChainProgress, seconds_of: Mapping[str, int], *, now: datetime.datetime
    ) -> None:
        self._seconds_of, self._remaining = seconds_of, remaining_seconds(run, seconds_of)
        self._left = {stack.id: stack for stack in run.stacks if not stack.phase.is_over}
        self._left_in = collections.Counter(stack.stage for stack in self._left.values())
        self._stages = [stage.name for stage in run.stages]
        # Stages that have started no longer wait for a soak time, only for stacks of earlier ones.
        self._begun = {stack.stage for stack in run.stacks if stack.is_started}
        # Stages whose stacks may not start yet, and those of them with a known time to start.
        self._closed = {stage.name: stage for stage in run.stages if stage.waits_for}
        self._opens = {
            stage.name: (datetime.datetime.fromisoformat(stage.until) - now).total_seconds()
            for stage in run.stages
            if stage.until is not None
        }
        # Until when it is known that a window is open, by stage; for none after that.
        windows = {"": run.window} | {stage.name: stage.window for stage in run.stages}
        self._closes = {
            name: _seconds_open(window, now=now) for name, window in windows.items() if window
        }
        self._is_known = True
        self._free = next_stacks.free_slots(run)
        # What is at work by its end, and what waits for a slot by its order.
        self._ends: list[tuple[float, str]] = []
        self._ready: list[tuple[bool, float, str]] = []
        self._dependents: dict[str, list[str]] = collections.defaultdict(list)
        self._awaited: dict[str, int] = {}
        by_id = {stack.id: stack for stack in run.stacks}
        for stack in self._left.values():
            if durations.is_known_to_work(stack):
                seconds = seconds_of[stack.id] - durations.seconds_at_work(stack, now=now)
                heapq.heappush(self._ends, (max(0.0, seconds), stack.id))
                continue
            awaited = () if stack.is_started else policy.awaited(run, stack)
            open_ups = [item for item in awaited if not stack_ends.ended_well(by_id[item])]
            self._awaited[stack.id] = len(open_ups)
            for upstream in open_ups:
                self._dependents[upstream].append(stack.id)
        for stack_id in self._awaited:
            self._let(stack_id, 0.0)

    def play(self) -> float | None:
        """Return after how many seconds all has ended.

        None if something never starts, or not before its window closes: when it opens again is
        read only then.
        """
        clock = 0.0
        while self._left:
            self._open_stages(clock)
            while self._ready and self._free > 0:
                self._free -= 1
                self._begin(heapq.heappop(self._ready)[-1], clock)
            nexts = [*self._opens.values(), *(end for end, _ in self._ends[:1])]
            if not nexts:
                return None
            clock = max(clock, min(nexts))
            while self._ends and self._ends[0][0] <= clock:
                self._end(heapq.heappop(self._ends)[1], clock)
        return clock if self._is_known else None

    def _open_stages(self, clock: float) -> None:
        for name, stage in list(self._closed.items()):
            earlier = self._stages[: self._stages.index(name)]
            if name not in self._opens and not any(self._left_in[item] for item in earlier):
                self._opens[name] = clock + (0 if name in self._begun else stage.soak_seconds)
            if name in self._opens and self._opens[name] <= clock:
                del self._closed[name], self._opens[name]
                for stack_id in self._awaited:
                    stack = self._left[stack_id]
                    if stack.stage == name and not stack.is_started:
                        self._let(stack_id, clock)

    def _let(self, stack_id: str, clock: float) -> None:
        """Have a stack start, or wait for a slot, if it waits for nothing else."""
        stack = self._left[stack_id]
        if self._awaited[stack_id] or (stack.stage in self._closed and not stack.is_started):
            return
        if stack.adopts_from is not None:
            self._begin(stack_id, clock)
        else:
            # What was started before asks for its next run, and comes first.
            order = (not stack.is_started, -self._remaining[stack_id], stack_id)
            heapq.heappush(self._ready, order)

    def _begin(self, stack_id: str, clock: float) -> None:
        self._is_known &= clock < self._closes.get(self._left[stack_id].stage, math.inf)
        heapq.heappush(self._ends, (clock + self._seconds_of[stack_id], stack_id))

    def _end(self, stack_id: str, clock: float) -> None:
        stack = self._left.pop(stack_id)
        self._left_in[stack.stage] -= 1
        self._awaited.pop(stack_id, None)
        if stack.adopts_from is None:
            self._free += 1
        for dependent in self._dependents[stack_id]:
            self._awaited[dependent] -= 1
            self._let(dependent, clock)

"""Which runs that Spacelift queued must not go on, and whose creation queued them. Pure.

The creation of a tracked run, the origin, makes Spacelift queue runs on everything natively
downstream of it: a wave. Of a wave the chain uses the runs on stacks that adopt from the origin's
stack; no other may go on, not even on stacks outside of the chain (ADR 0002, 0014 and 0017).
"""

import dataclasses
from collections.abc import Iterable, Mapping

from controller.api import reasons
from controller.chain.graph import resolve
from controller.chain.run.progress import StackProgress


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class UnwantedRuns:
    """The native runs of a stack that must not go on.

    `origin_run_ids` are the runs whose creation may have queued one, `queuers` the stacks that it
    may name as `triggeredBy`; `keep_run_id` is the stack's own run. `depth` is how far downstream
    it is natively: the deepest are stopped first, since a run that ends lets Spacelift start those
    that wait for it.
    """

    stack_id: str
    origin_run_ids: list[str]
    queuers: list[str]
    keep_run_id: str | None = None
    depth: int = 0


class QueuedByRuns:
    """The origins of one chain run: which run of which stack made Spacelift queue others."""

    def __init__(self, resolved: resolve.ChainGraph) -> None:
        self._graph = resolved
        # By run id; ids are ULIDs, so this is the order of creation too.
        self._origins: dict[str, str] = {}
        self._reach: dict[str, list[str]] = {}
        # The same to look up in: many origins are asked about many stacks.
        self._reached: dict[str, frozenset[str]] = {}
        self._queuers: dict[str, list[str]] = {}
        self._depths: dict[str, int] = {}

    def add(self, stack: StackProgress) -> bool:
        """Take in a run that the chain triggered; returns whether it is a new origin."""
        is_own = stack.adopts_from is None and stack.reason != reasons.StackReason.KEPT
        if stack.run_id is None or not is_own or stack.run_id in self._origins:
            return False
        self._origins[stack.run_id] = stack.id
        self.reach(stack.id)
        return True

    def reach(self, stack_id: str) -> list[str]:
        """Return the stacks on which a run of this one makes Spacelift queue runs."""
        if stack_id not in self._reach:
            self._reach[stack_id] = resolve.reach(self._graph, stack_id)
            self._reached[stack_id] = frozenset(self._reach[stack_id])
        return self._reach[stack_id]

    def queuers(self, stack_id: str) -> list[str]:
        """Return the stacks that a native run on this one may name as the one that queued it."""
        if stack_id not in self._queuers:
            self._queuers[stack_id] = resolve.stacks_queuing(self._graph, stack_id)
        return self._queuers[stack_id]

    def origin_run_ids(self, stack_id: str, *, but_of: str | None = None) -> list[str]:
        """Return the origins that reach a stack, oldest first, but those of one stack."""
        return sorted(
            run_id
            for run_id, origin in self._origins.items()
            if origin != but_of and stack_id in self._reached[origin]
        )

    def unwanted_stacks(self, origin: str, stacks: Mapping[str, StackProgress]) -> list[str]:
        """Return the stacks on which runs of the wave of an origin's stack are not wanted."""
        return [
            stack_id
            for stack_id in self.reach(origin)
            if (stack := stacks.get(stack_id)) is None
            or stack.adopts_from != origin
            or stack.phase.is_over
        ]

    def unwanted(
        self, stack_ids: Iterable[str], stacks: Mapping[str, StackProgress]
    ) -> list[UnwantedRuns]:
        """Return what is to be stopped on stacks: waves that interleave are told apart by all."""
        found: list[UnwantedRuns] = []
        for stack_id in stack_ids:
            stack = stacks.get(stack_id)
            used = None if stack is None or stack.phase.is_over else stack.adopts_from
            if origin_run_ids := self.origin_run_ids(stack_id, but_of=used):
                found.append(
                    UnwantedRuns(
                        stack_id=stack_id,
                        origin_run_ids=origin_run_ids,
                        queuers=self.queuers(stack_id),
                        keep_run_id=stack.run_id if stack else None,
                        depth=self._depth(stack_id),
                    )
                )
        return found

    def _depth(self, stack_id: str) -> int:
        """Return the longest native way to a stack; native dependencies have no cycle."""
        front = [stack_id]
        while front:
            current = front[-1]
            upstreams = self._graph.native_upstreams.get(current, ())
            unknown = [upstream for upstream in upstreams if upstream not in self._depths]
            if unknown:
                front.extend(unknown)
                continue
            front.pop()
            ways = (self._depths[upstream] + 1 for upstream in upstreams)
            self._depths[current] = max(ways, default=0)
        return self._depths[stack_id]


def adopting_beyond(
    reached: Iterable[str], stacks: Mapping[str, StackProgress]
) -> list[StackProgress]:
    """Return the reached stacks that still count on a native run and have none taken up.

    Once a stack has left its wave, by a run of its own or because its native run ended without
    effect, Spacelift starts what lies behind it too early: its wave no longer waits for it.
    """
    return [
        stack
        for stack_id in reached
        if (stack := stacks.get(stack_id)) is not None
        and stack.adopts_from is not None
        and not stack.is_started
        and not stack.phase.is_over
    ]

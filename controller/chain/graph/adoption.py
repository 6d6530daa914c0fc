"""Decides whose run each stack uses, by Spacelift's rules of native dependencies. Pure (ADR 0002).

The creation of a tracked run, the origin's, queues a run on every stack that is natively downstream
of it: its wave. Each of these starts when the runs of the same wave on its native upstreams have
ended, however they ended.
"""

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence

from controller.chain.graph import ordering


class NativeAncestors:
    """Who is natively downstream of whom.

    A set of stacks is an int with a bit for each stack: a thousand stacks with thousands of edges
    cost milliseconds, and this runs inside of a workflow task.
    """

    def __init__(self, upstreams: ordering.Neighbors) -> None:
        self.upstreams = upstreams
        ids = sorted(upstreams)
        self._bits = {stack_id: 1 << place for place, stack_id in enumerate(ids)}
        self._above = dict.fromkeys(ids, 0)
        ordered = ordering.topological(upstreams, ordering.reverse(upstreams))
        # One pass settles all, unless the edges were changed into a circle while they were read.
        passes = [*ordered, *sorted(set(ids) - set(ordered))]
        while self._settle(passes):
            pass

    def _settle(self, stack_ids: Iterable[str]) -> bool:
        is_changed = False
        for stack_id in stack_ids:
            above = 0
            for upstream in self.upstreams[stack_id]:
                above |= self._bits[upstream] | self._above[upstream]
            is_changed = is_changed or above != self._above[stack_id]
            self._above[stack_id] = above
        return is_changed

    def awaited_upstreams(self, origin: str, stack_id: str) -> set[str]:
        """Return the native upstreams that the stack's run waits for in the wave of an origin."""
        begin = self._bits[origin]
        return {up for up in self.upstreams[stack_id] if up == origin or self._above[up] & begin}

    def above(self, stack_id: str, among: Collection[str]) -> list[str]:
        """Return those among some stacks whose runs make Spacelift queue one on the stack."""
        mask = self._above[stack_id]
        return [other for other in among if mask & self._bits[other]]


def origins(
    running: Sequence[str],
    upstreams: Mapping[str, Collection[str]],
    native_upstreams: ordering.Neighbors,
) -> dict[str, str]:
    """Return for each stack the one whose run makes Spacelift queue the run to use, or itself.

    A stack uses the run of a wave only if this run waits for exactly those stacks for which the
    chain waits here: those of its native upstreams that are in the wave are its upstreams in the
    chain, and use runs of the same wave themselves. With one less its run would start too early;
    with one more it would hang on a run that the chain stops or does not follow.

    Args:
        running: The stacks that have runs, each after its upstreams.
        upstreams: The upstreams in the chain; those that are not `running` need not be waited for.
        native_upstreams: The native edges along which Spacelift queues runs.
    """
    ancestry = NativeAncestors(native_upstreams)
    found: dict[str, str] = {}
    for stack_id in running:
        awaited = {up for up in upstreams[stack_id] if up in found}
        begun = {found[up] for up in awaited}
        found[stack_id] = stack_id
        if len(begun) == 1:
            origin = begun.pop()
            if awaited == ancestry.awaited_upstreams(origin, stack_id):
                found[stack_id] = origin
    return found


def queuing_stacks(
    stack_ids: Iterable[str], triggering: Collection[str], native_upstreams: ordering.Neighbors
) -> dict[str, tuple[str, ...]]:
    """Return the stacks that a run which Spacelift queued on a stack may name as its cause.

    Spacelift names the upstream through which it came here, or the one where the wave began.
    """
    ancestry, origin_ids = NativeAncestors(native_upstreams), sorted(triggering)
    return {
        stack_id: tuple(
            sorted({*native_upstreams[stack_id], *ancestry.above(stack_id, origin_ids)})
        )
        for stack_id in stack_ids
    }


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A run of a stack, as adoption looks at it. `has_finished`: it is over and was carried out."""

    run_id: str
    triggered_by: str | None
    is_over: bool
    has_finished: bool = False


def native_runs(
    candidates: list[Candidate], *, origin_run_ids: list[str], queuers: list[str]
) -> list[Candidate]:
    """Return the runs that Spacelift queued because of the origins, terminal ones included.

    Run ids are ULIDs, so a run caused by an origin has an id above it, and the oldest one is of
    the origin's own wave: later ones come from later runs. Waves that begin together interleave,
    so each origin takes a run of its own.
    """
    free = sorted(
        (item for item in candidates if item.triggered_by in queuers), key=lambda item: item.run_id
    )
    found: list[Candidate] = []
    for origin in sorted(origin_run_ids):
        native = next((item for item in free if item.run_id > origin), None)
        if native is not None:
            free.remove(native)
            found.append(native)
    return found

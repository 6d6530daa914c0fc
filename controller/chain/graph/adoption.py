"""Decides whose run each stack uses, by Spacelift's rules of native dependencies. Pure (ADR 0002).

The creation of a tracked run, the origin's, queues a run on every stack that is natively downstream
of it: its wave. Each of these starts when the runs of the same wave on its native upstreams have
ended, however they ended.
"""

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence

from controller import times
from controller.chain.graph import ordering

# Spacelift queues what is downstream when it creates the run.
_AT_ONCE_SECONDS = 2.0


class NativeAncestors:
    """Which stacks are natively downstream of which.

    A set of stacks is an int with a bit for each stack: a thousand stacks with thousands of edges
    cost milliseconds, and this runs inside a workflow task.
    """

    def __init__(self, upstreams: ordering.Neighbors) -> None:
        self.upstreams = upstreams
        ids = sorted(upstreams)
        self._bits = {stack_id: 1 << place for place, stack_id in enumerate(ids)}
        self._above = dict.fromkeys(ids, 0)
        ordered = ordering.topological(upstreams, ordering.reverse(upstreams))
        # One pass is enough, unless the edges were changed into a cycle while they were read.
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


def origins(
    running: Sequence[str],
    upstreams: Mapping[str, Collection[str]],
    native_upstreams: ordering.Neighbors,
    *,
    is_strict: bool = False,
    stage_of: Mapping[str, str] | None = None,
    alone: Collection[str] = frozenset(),
    early: Collection[str] = frozenset(),
) -> dict[str, str]:
    """Return for each stack the one whose run makes Spacelift queue the run to use, or itself.

    A stack uses the run of a wave only if this run waits for exactly those stacks for which the
    chain waits here. So those of its native upstreams that are in the wave must be its upstreams in
    the chain, and use runs of the same wave themselves. With one less, its run would start too
    early. With one more, it would wait for a run that the chain stops or does not follow.

    Args:
        running: The stacks that have runs, each after its upstreams.
        upstreams: The upstreams in the chain; those that are not `running` need not be waited for.
        native_upstreams: The native edges along which Spacelift queues runs.
        is_strict: Use no run that waits for one that Spacelift may skip: Spacelift starts the
            dependents of a skipped run. The origin itself is triggered, and so never skipped.
        stage_of: The stage of each stack that has one. Its run may not belong to a wave that
            started before the stage did, so its origin must be of the same stage.
        alone: The stacks with a window. They use no run of a wave, since Spacelift would start it
            whenever it can.
        early: The stacks whose runs were there before the chain, and before their stage may start.
    """
    stage_of = stage_of or {}
    ancestry = NativeAncestors(native_upstreams)
    found: dict[str, str] = {}
    for stack_id in running:
        awaited = {up for up in upstreams[stack_id] if up in found}
        begun = {found[up] for up in awaited}
        found[stack_id] = stack_id
        if len(begun) == 1 and stack_id not in alone:
            origin = begun.pop()
            is_safe = not is_strict or awaited == {origin}
            begun_in = stage_of.get(origin) if origin not in early else ""
            is_safe = is_safe and stage_of.get(stack_id) in (None, begun_in)
            if is_safe and awaited == ancestry.awaited_upstreams(origin, stack_id):
                found[stack_id] = origin
    return found


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A run of a stack, as adoption looks at it."""

    run_id: str
    triggered_by: str | None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """A run that may be of an origin, or of `other_run_id`, which is not the chain's."""

    run: Candidate
    other_run_id: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FoundNativeRuns:
    """What Spacelift queued because of each origin, by origin, and what it may have queued."""

    found: Mapping[str, Candidate]
    doubts: Mapping[str, Doubt]


def native_runs(
    candidates: Iterable[Candidate],
    *,
    origin_run_ids: Iterable[str],
    queuers: Collection[str],
    begun_by_others: Collection[str] = (),
    queuers_of_others: Collection[str] = (),
) -> FoundNativeRuns:
    """Return what Spacelift queued because of each origin, including runs that are over.

    Run ids are ULIDs, so a run caused by an origin has a higher id. Spacelift queues a wave at
    once, and waves that start together interleave, so each wave first takes the oldest run of its
    moment. A later run belongs to a wave that has none yet. Where a run may also belong to a wave
    of others, no one knows whose it is.

    Args:
        candidates: the runs of one stack.
        origin_run_ids: the runs of the chain above the stack.
        queuers: the stacks that a native run may name as the one that queued it.
        begun_by_others: the runs above the stack that may have queued one and are not the chain's.
        queuers_of_others: the other stacks that one of these may name.
    """
    ordered = sorted(candidates, key=lambda item: item.run_id)
    own = [item for item in ordered if item.triggered_by in queuers]
    theirs = [item for item in ordered if item.triggered_by in {*queuers, *queuers_of_others}]
    origins, others = sorted(origin_run_ids), sorted(begun_by_others)
    at_once = dict[str, Candidate]()
    for begun in sorted([*origins, *others]):
        if item := _first_after(theirs if begun in others else own, begun, is_late=False):
            own = [other for other in own if other is not item]
            theirs = [other for other in theirs if other is not item]
            at_once[begun] = item
    found, doubts = dict[str, Candidate](), dict[str, Doubt]()
    for origin in origins:
        if origin in at_once:
            item = at_once[origin]
        elif taken := _taken_after(others, at_once, origin):
            doubts[origin] = taken
            continue
        elif late := _first_after(own, origin, is_late=True):
            own.remove(item := late)
        else:
            continue
        other = _other_cause(others, at_once, origin, item)
        if other is None:
            found[origin] = item
        else:
            doubts[origin] = Doubt(run=item, other_run_id=other)
    return FoundNativeRuns(found=found, doubts=doubts)


def _first_after(free: Iterable[Candidate], begun: str, *, is_late: bool) -> Candidate | None:
    """Return the oldest run that may be of a wave."""
    return next(
        (
            item
            for item in free
            if item.run_id > begun and (is_late or was_queued_at_once(item.run_id, begun))
        ),
        None,
    )


def _taken_after(
    others: Iterable[str], at_once: Mapping[str, Candidate], origin: str
) -> Doubt | None:
    """Return the run of an earlier wave of others that may as well be of an origin's."""
    for other in others:
        run = at_once.get(other)
        is_after = run is not None and other < origin < run.run_id
        if run is not None and is_after and was_queued_at_once(run.run_id, origin):
            return Doubt(run=run, other_run_id=other)
    return None


def _other_cause(
    others: Iterable[str], at_once: Mapping[str, Candidate], origin: str, run: Candidate
) -> str | None:
    """Return the wave of others that a run may be of as well as of an origin's.

    What is made of two waves at the same time may be of either.
    """
    for other in others:
        own = at_once.get(other)
        if other > run.run_id:
            continue
        if origin not in at_once:
            is_possible = other > origin and own is None
        else:
            is_over = other < origin and own is not None and own.run_id < origin
            is_possible = was_queued_at_once(run.run_id, other) and not is_over
        if is_possible:
            return other
    return None


def moment_before(run_id: str) -> str:
    """Return what is below the ids of all runs that may have queued others together with a run."""
    made_at = times.ulid_seconds(run_id)
    if made_at is None:
        return run_id
    return times.ulid_digits(max(0.0, made_at - _AT_ONCE_SECONDS))


def was_queued_at_once(run_id: str, origin_run_id: str) -> bool:
    """Whether a run was created in the moment of an origin; ids that are not ULIDs say nothing."""
    made_at, begun_at = times.ulid_seconds(run_id), times.ulid_seconds(origin_run_id)
    return made_at is None or begun_at is None or made_at - begun_at <= _AT_ONCE_SECONDS


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class RunTimes:
    """When a run left the queue and when it ended, in whole seconds; None: it has not.

    `is_usable`: it is a success, or may still become one.
    """

    started_at: int | None = None
    ended_at: int | None = None
    is_usable: bool = True


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class AheadRun:
    """A native run that no stack was to use and that was carried out before it could be stopped.

    `state` is the last known one: a run that cannot be stopped continues. `problem` is what
    Spacelift answered to the stop. `other_run_url`: the run may also belong to this run of others,
    so it is left alone.
    """

    stack_id: str
    run_id: str
    origin_run_id: str
    state: str = ""
    run_url: str = ""
    problem: str = ""
    other_run_url: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class UpstreamRun:
    """The run that an upstream stack used.

    `origin_run_id` names the wave it is of, if this upstream is a native one: in that wave
    Spacelift lets the stack's run wait for it.
    """

    stack_id: str
    run_id: str
    origin_run_id: str = ""


def in_order(
    run: AheadRun, upstreams: Iterable[UpstreamRun], run_times: Mapping[str, RunTimes]
) -> bool:
    """Whether a run may be the stack's: it left the queue after all upstream runs had ended.

    Times are whole seconds. Within the same second, the order is known only if Spacelift itself let
    the run wait for the other.

    Args:
        run: the run.
        upstreams: what the upstream stacks used.
        run_times: of all these runs, by run id; what is missing is not known.
    """
    own = run_times.get(run.run_id, RunTimes())
    started_at = own.started_at
    if started_at is None or not own.is_usable:
        return False
    for upstream in upstreams:
        ended_at = run_times.get(upstream.run_id, RunTimes()).ended_at
        has_waited = upstream.origin_run_id == run.origin_run_id
        if ended_at is None or started_at < ended_at:
            return False
        if started_at == ended_at and not has_waited:
            return False
    return True

"""Which runs that Spacelift queued must not continue, and whose creation queued them. Pure.

The creation of a tracked run, the origin, makes Spacelift queue runs on everything natively
downstream of it: a wave. The chain uses the wave's runs on stacks that adopt from the origin's
stack. No other run of the wave may continue, not even on stacks outside of the chain (ADR 0002,
0014 and 0017).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from controller.api import reasons, wording
from controller.chain.graph import adoption, resolve
from controller.chain.run import native_stops, run_states
from controller.chain.run.progress import StackProgress

# The progress of a chain travels as a whole, and Temporal takes 2 MiB.
_MOST_AHEAD_RUNS, _MOST_OF_A_CHAIN = 20, 750
_LONGEST_PROBLEM = 200


class QueuedByRuns:
    """The origins of one chain run: which run of which stack made Spacelift queue others.

    `stacks` are those of the chain before it has started any.
    """

    def __init__(self, resolved: resolve.ChainGraph, stacks: Iterable[StackProgress] = ()) -> None:
        self._graph = resolved
        # Runs of earlier runs of the chain, which have dealt with what these queued.
        self._earlier = {
            stack.run_id
            for stack in stacks
            if stack.phase.is_over and stack.reason != reasons.StackReason.ROOT_RUN_FINISHED
        }
        # By run id; ids are ULIDs, so this is the order of creation too.
        self._origins: dict[str, str] = {}
        # Runs that Spacelift queued and that stacks used: these queued nothing themselves.
        self._adopted: set[str] = set()
        self._reach: dict[str, list[str]] = {}
        # The same to look up in: many origins are asked about many stacks.
        self._reached: dict[str, frozenset[str]] = {}
        # Where Spacelift queues a run for sure.
        self._expected: dict[str, frozenset[str]] = {}
        self._depths: dict[str, int] = {}

    def add(self, stack: StackProgress) -> bool:
        """Take in a run that the chain triggered; returns whether it is a new origin.

        A stack that is to get another run no longer adopts, but shows the failed native run until
        the new one is there. If that were taken for an origin, runs of others would become
        unwanted.
        """
        if stack.run_id is not None and stack.adopts_from is not None and _is_first_run(stack):
            self._adopted.add(stack.run_id)
        is_own = (
            stack.adopts_from is None
            and stack.run_id not in self._adopted
            and stack.run_id not in self._earlier
            and not stack.uses_ahead_run
        )
        if stack.run_id is None or not is_own or stack.run_id in self._origins:
            return False
        self._origins[stack.run_id] = stack.id
        self.reach(stack.id)
        return True

    def was_adopted(self, run_id: str) -> bool:
        """Return whether a stack of the chain has used a run that Spacelift queued."""
        return run_id in self._adopted

    def reach(self, stack_id: str) -> list[str]:
        """Return the stacks on which a run of this one may make Spacelift queue runs."""
        if stack_id not in self._reach:
            self._reach[stack_id] = resolve.reach(self._graph, stack_id)
            self._reached[stack_id] = frozenset(self._reach[stack_id])
            self._expected[stack_id] = frozenset(resolve.queued_behind(self._graph, stack_id))
        return self._reach[stack_id]

    def queuers(self, stack_id: str, origin_run_ids: Iterable[str]) -> list[str]:
        """Return the stacks that a native run on this one may name as the one that queued it.

        Spacelift names the upstream through which the wave came here, or the stack where it
        started. An upstream that the waves do not reach queues runs for others.
        """
        begun = {self._origins[run_id] for run_id in origin_run_ids}
        reached = begun.union(*(self._reached[origin] for origin in begun))
        return sorted(begun | reached.intersection(self._graph.native_upstreams.get(stack_id, ())))

    def origin_run_ids(self, stack_id: str, *, but_of: str | None = None) -> list[str]:
        """Return the origins that reach a stack, oldest first, but those of one stack."""
        return sorted(
            run_id
            for run_id, origin in self._origins.items()
            if origin != but_of and stack_id in self._reached[origin]
        )

    def unwanted_origins(self, stack_id: str, stacks: Mapping[str, StackProgress]) -> list[str]:
        """Return the origins whose runs on a stack are not wanted: all but the one it uses."""
        return self.origin_run_ids(stack_id, but_of=_used_origin(stacks.get(stack_id)))

    def unwanted_stacks(self, origin: str, stacks: Mapping[str, StackProgress]) -> list[str]:
        """Return the stacks on which runs of the wave of an origin's stack are not wanted."""
        return [
            stack_id
            for stack_id in self.reach(origin)
            if _used_origin(stacks.get(stack_id)) != origin
        ]

    def describe(
        self, stack_id: str, origin_run_ids: Sequence[str], stack: StackProgress | None
    ) -> native_stops.UnwantedRuns:
        """Return what is known of the runs that origins made Spacelift queue on a stack."""
        used = _used_origin(stack)
        own_run_ids = self.origin_run_ids(stack_id)
        used_run_id = next((run for run in own_run_ids if self._origins[run] == used), None)
        known = [*origin_run_ids, *([used_run_id] if used_run_id else [])]
        return native_stops.UnwantedRuns(
            stack_id=stack_id,
            origin_run_ids=list(origin_run_ids),
            queuers=self.queuers(stack_id, known),
            note="",
            keep_run_id=stack.run_id if stack else None,
            used_origin_run_id=used_run_id,
            own_run_ids=own_run_ids,
            depth=self._depth(stack_id),
            is_expected=all(
                stack_id in self._expected[self._origins[run_id]] for run_id in origin_run_ids
            ),
        )

    def origin_stack(self, origin_run_id: str) -> str:
        """Return the stack whose run an origin is."""
        return self._origins[origin_run_id]

    def usable_runs(
        self, stack: StackProgress, stacks: Mapping[str, StackProgress]
    ) -> list[adoption.AheadRun]:
        """Return what was carried out on a stack because of the chain and may be its run.

        A run of a wave that another stage started has not waited for the stack's own stage. Nor has
        one that others started before the chain.
        """
        return [
            run
            for run in stack.ahead_runs
            if run.stack_id == stack.id
            and not run.other_run_url
            and stack.stage in ("", self._stage_of(run.origin_run_id, stacks))
        ]

    def _stage_of(self, origin_run_id: str, stacks: Mapping[str, StackProgress]) -> str | None:
        origin = stacks.get(self._origins.get(origin_run_id, ""))
        if origin is None or origin.reason == reasons.StackReason.ROOT_RUN_FINISHED:
            return None
        return origin.stage

    def upstream_runs(
        self, stack: StackProgress, stacks: Mapping[str, StackProgress]
    ) -> list[adoption.UpstreamRun]:
        """Return the runs of the upstream stacks, after which a run of the stack is in order."""
        native = self._graph.native_upstreams.get(stack.id, ())
        upstreams = [stacks[upstream] for upstream in stack.depends_on]
        return [
            adoption.UpstreamRun(
                stack_id=upstream.id,
                run_id=upstream.run_id or "",
                origin_run_id=self.origin_of(upstream) if upstream.id in native else "",
            )
            for upstream in upstreams
        ]

    def origin_of(self, stack: StackProgress) -> str:
        """Return the origin in whose wave the run that a stack used is; itself, if it is one."""
        ahead = next((run for run in stack.ahead_runs if run.run_id == stack.run_id), None)
        if ahead is not None:
            return ahead.origin_run_id
        if stack.adopts_from is None:
            return stack.run_id or ""
        newest = [run for run, origin in self._origins.items() if origin == stack.adopts_from]
        return max(newest, default="")

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


def _is_first_run(stack: StackProgress) -> bool:
    return stack.attempts == 1 or stack.reason == reasons.StackReason.RETRY_PENDING


def _used_origin(stack: StackProgress | None) -> str | None:
    """Return the stack whose run makes Spacelift queue the run that a stack is still to use."""
    return None if stack is None or stack.phase.is_over else stack.adopts_from


def adopting_beyond(
    reached: Iterable[str], stacks: Mapping[str, StackProgress]
) -> list[StackProgress]:
    """Return the reached stacks that still count on a native run and have none taken up.

    A stack leaves its wave when it gets its own run, or when its native run ends without effect.
    Spacelift then starts what is behind it too early: the wave no longer waits for it.
    """
    return [
        stack
        for stack_id in reached
        if (stack := stacks.get(stack_id)) is not None
        and stack.adopts_from is not None
        and not stack.is_started
        and not stack.phase.is_over
    ]


def keep_ahead(
    run: native_stops.NativeRun, stack: StackProgress, stacks: Collection[StackProgress]
) -> None:
    """Keep on a stack what was carried out though the chain did not want it.

    Each stack keeps the newest ones. When the chain is full, the stack that has most of them gives
    up its oldest. What is not kept is counted.
    """
    kept = adoption.AheadRun(
        stack_id=run.stack_id,
        run_id=run.run_id,
        origin_run_id=run.origin_run_id,
        state=run.state,
        run_url=run.run_url,
        problem=run.problem[:_LONGEST_PROBLEM],
        other_run_url=run.other_run_url,
    )
    stack.ahead_runs = [*stack.ahead_runs, kept]
    if len(stack.ahead_runs) > _MOST_AHEAD_RUNS:
        _drop_oldest(stack)
    elif sum(len(item.ahead_runs) for item in stacks) > _MOST_OF_A_CHAIN:
        _drop_oldest(max(stacks, key=lambda item: len(_droppable(item))))


def _droppable(stack: StackProgress) -> list[adoption.AheadRun]:
    """Return all but the one that is the stack's run."""
    return [run for run in stack.ahead_runs if run.run_id != stack.run_id]


def _drop_oldest(stack: StackProgress) -> None:
    oldest = _droppable(stack)[0]
    stack.ahead_runs = [run for run in stack.ahead_runs if run is not oldest]
    stack.dropped_ahead_runs += 1


def unused_runs(stack: StackProgress) -> list[adoption.AheadRun]:
    """Return what Spacelift carried out because of the chain and no stack of it uses.

    Before the stack has its turn nothing is known: it may still use one.
    """
    is_decided = stack.phase.is_over or stack.run_id is not None
    return [
        run
        for run in stack.ahead_runs
        if run.run_id != stack.run_id and (is_decided or run.stack_id != stack.id)
    ]


def unused_note(stack_id: str, runs: Sequence[adoption.AheadRun], *, dropped: int) -> str:
    """Return what the status of a stack says of such runs: of the first, and how many there are."""
    doubtful = [run for run in runs if run.other_run_url]
    carried_out = [run for run in runs if not run.other_run_url]
    notes = [_carried_out_note(stack_id, carried_out)] if carried_out else []
    notes += [_doubt_note(stack_id, doubtful)] if doubtful else []
    if dropped:
        is_listed = "is" if dropped == 1 else "are"
        notes.append(
            f"{_others(dropped)} that Spacelift had queued on its own {is_listed} no longer listed."
        )
    return " ".join(notes)


def _doubt_note(stack_id: str, runs: Sequence[adoption.AheadRun]) -> str:
    run = runs[0]
    where = "" if run.stack_id == stack_id else f" of '{run.stack_id}'"
    text = (
        f"Spacelift queued run {run.run_id}{where} because of the chain or because of another run, "
        f"{run.other_run_url}; it is not known which, so the chain leaves it alone: {run.run_url}"
    )
    others = len(runs) - 1
    return text + (f" The same applies to {_others(others)}." if others else "")


def _others(count: int) -> str:
    return wording.counted(count, "other run", "other runs")


def _carried_out_note(stack_id: str, runs: Sequence[adoption.AheadRun]) -> str:
    run = runs[0]
    where = "" if run.stack_id == stack_id else f" of '{run.stack_id}'"
    end = f"it ended {run.state}" if run.state in run_states.TERMINAL else f"it was {run.state}"
    problem = f", and Spacelift would not stop it ({run.problem})" if run.problem else ""
    text = (
        f"Spacelift executed run {run.run_id}{where}, which it had queued on its own, before the "
        f"chain could stop it; {end}{problem}: {run.run_url}"
    )
    others = len(runs) - 1
    return text + (f" The same happened to {_others(others)}." if others else "")

"""Gather: what a sweep of the roots has found, with which of their runs belong to chains.

Temporal is only read. A sweep says that roots have finished runs; which of them ask for a run of
the chain follows from those that were considered before and from those that chains use.
"""

import dataclasses
from collections.abc import Sequence

from controller import outside_text
from controller.api import v1alpha1, wording
from controller.chain.requests import automatic_asks
from controller.temporal import start_messages
from controller.temporal.operator import run_use

# How many roots a message names before it counts the others.
_NAMED = 5


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class SweepFindings:
    """The result of a sweep.

    `seen` are the newest runs of the roots that were considered, `root_runs` the runs that ask.
    `undecided` are roots whose run a chain may still be about to adopt. `problem` is what kept
    roots from being seen; None: nothing did.
    """

    seen: tuple[v1alpha1.RootRun, ...]
    root_runs: tuple[v1alpha1.RootRun, ...] = ()
    undecided: tuple[str, ...] = ()
    problem: str | None = None


class SweepReader:
    """Reads which of the runs that a sweep has found chains use."""

    def __init__(self, reader: run_use.RunUseReader) -> None:
        self._run_use = reader

    async def read(
        self,
        chain: v1alpha1.StackChain,
        handled: v1alpha1.Handled,
        call: start_messages.RequestRunCall,
    ) -> SweepFindings:
        """Judge what a sweep found; findings that do not fit the resource as it is now are ignored.

        Args:
            chain: the resource; it has triggers, is not suspended, and may use its connection.
            handled: what became a run, with the newest runs that were considered.
            call: what the sweep says.

        Raises:
            TemporalUnreachable: call again later.
        """
        nothing = SweepFindings(seen=handled.root_runs)
        if call.problem:
            return dataclasses.replace(nothing, problem=outside_text.clean(call.problem, most=1024))
        pending = chain.status.pending_run
        waiting = pending.root_runs if pending else ()
        looked_up_to = automatic_asks.by_stack(automatic_asks.newest(handled.root_runs, waiting))
        readings: list[automatic_asks.RootReading] = []
        undecided: list[str] = []
        for root in call.root_runs:
            if chain.spec.roots.stack_ids and root.stack_id not in chain.spec.roots.stack_ids:
                # It was read for an earlier spec.
                return nothing
            reading = await self._read(root, looked_up_to.get(root.stack_id), call.account)
            if reading is None:
                undecided.append(root.stack_id)
                reading = automatic_asks.RootReading(
                    stack_id=root.stack_id, newest_run_id="", looked_up_to=""
                )
            readings.append(reading)
        seen, root_runs = automatic_asks.find_asking_runs(readings, handled.root_runs, waiting)
        # A root that cannot be seen for a while is not a new one afterwards.
        hidden = [item for item in handled.root_runs if item.stack_id in call.hidden]
        return SweepFindings(
            seen=automatic_asks.newest(seen, hidden),
            root_runs=root_runs,
            undecided=tuple(undecided),
            problem=_hidden_problem(call.hidden),
        )

    async def _read(
        self, root: start_messages.RootRuns, mark: str | None, account: str
    ) -> automatic_asks.RootReading | None:
        """Return a root as a sweep read it; None: its run may be a chain's, which will show."""
        free: tuple[str, ...] = ()
        for run in root.finished if mark is not None else ():
            if run.is_own or run.run_id <= (mark or ""):
                continue
            use = await self._run_use.use_of(account, root.stack_id, run)
            if use is run_use.RunUse.UNDECIDED:
                return None
            if use is run_use.RunUse.UNUSED:
                free = (run.run_id,)
                break
        return automatic_asks.RootReading(
            stack_id=root.stack_id,
            newest_run_id=root.newest_run_id,
            looked_up_to=root.finished[0].run_id if root.finished else "",
            finished=free,
        )


def _hidden_problem(hidden: Sequence[str]) -> str | None:
    if not hidden:
        return None
    names = wording.listed(wording.quoted(hidden), most=_NAMED)
    return f"These roots do not exist, or the API key cannot see them: {names}."

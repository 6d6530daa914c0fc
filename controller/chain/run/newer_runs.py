"""Which stacks a retry keeps because they succeeded since, by a run outside of the chain. Pure.

ADR 0032 says when such a run counts.
"""

import dataclasses
from collections.abc import Sequence

from controller.api import v1alpha1
from controller.chain.graph import resolve
from controller.chain.run import progress


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class NewestRun:
    """The newest run of a stack; `is_success`: a tracked run that finished."""

    stack_id: str
    run_id: str
    run_url: str
    triggered_by: str
    is_success: bool


def newly_kept(
    graph: resolve.ChainGraph,
    *,
    kept: Sequence[progress.Kept],
    retried: Sequence[progress.Retried],
    newest: Sequence[NewestRun],
) -> list[progress.Kept]:
    """Return the stacks that a retry keeps besides those that had succeeded already.

    Args:
        graph: the chain's stacks, each after its upstreams.
        kept: what had succeeded when the retried run ended.
        retried: what had not.
        newest: the newest runs of these, as far as they can be seen.
    """
    had_succeeded = {item.stack_id for item in kept}
    known = {item.stack_id: item for item in kept}
    left = {item.stack_id: item for item in retried if item.may_have_newer}
    runs = {item.stack_id: item for item in newest}
    found: list[progress.Kept] = []
    for stack in graph.stacks:
        item, run = left.get(stack.id), runs.get(stack.id)
        if stack.id in known or item is None or run is None or not run.is_success:
            continue
        upstreams = [known[up] for up in stack.depends_on if up in known]
        if len(upstreams) < len(stack.depends_on):
            # It has to run after what still has to run.
            continue
        has_own = had_succeeded.issuperset(stack.depends_on) and bool(item.run_id)
        if not (_follows_own(run, item) if has_own else _follows(run, upstreams, graph)):
            continue
        known[stack.id] = progress.Kept(
            stack_id=stack.id,
            run_number=item.run_number,
            run_id=run.run_id,
            run_source=_source(run, item),
            run_url=run.run_url,
            is_newer=True,
        )
        found.append(known[stack.id])
    return found


def _source(run: NewestRun, item: progress.Retried) -> str | None:
    """Return where a run comes from; it may be the chain's own, which did succeed later."""
    return item.run_source if run.run_id == item.run_id else v1alpha1.RunSource.ADOPTED


def _follows_own(run: NewestRun, item: progress.Retried) -> bool:
    """Whether a run came after the chain's own, or is that one, which continued or was retried.

    The chain's own started after all upstreams had succeeded.
    """
    return run.run_id >= (item.run_id or "")


def _follows(run: NewestRun, upstreams: Sequence[progress.Kept], graph: resolve.ChainGraph) -> bool:
    """Whether a run started after the runs of all upstreams, since Spacelift queued it behind them.

    Of other runs only the time of creation is known, and one may have started too early.
    """
    ids = {stack.id for stack in graph.stacks}
    return (
        bool(upstreams)
        and run.triggered_by in ids
        and all(up.run_id is not None and up.run_id < run.run_id for up in upstreams)
    )

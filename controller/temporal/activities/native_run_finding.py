"""Which runs of a stack Spacelift queued because of the chain's, and which because of others'.

A wave is queued in the moment in which it begins. A run that is there later, and that no run of the
chain has queued by then, may be of others: the runs of the stacks above say whether these began a
wave meanwhile. That is read only where there is such a run.
"""

from collections.abc import Collection, Mapping, Sequence

from controller.chain.graph import adoption
from controller.spacelift import client, models


class NativeRunFinder:
    """One look at native runs; what is above several stacks is read once."""

    def __init__(self, spacelift: client.SpaceliftClient) -> None:
        self._client = spacelift
        self._stacks: dict[str, models.StackRecord | None] = {}
        self._runs: dict[str, Sequence[models.RunRecord]] = {}

    async def find(
        self,
        stack_id: str,
        runs: Sequence[models.RunRecord],
        *,
        origin_run_ids: Collection[str],
        queuers: Collection[str],
    ) -> Mapping[str, str]:
        """Return the run that each origin made Spacelift queue, as far as it is among some.

        Args:
            stack_id: the stack.
            runs: of the stack.
            origin_run_ids: the runs of the chain above the stack.
            queuers: the stacks that a native run may name as the one that queued it.

        Raises:
            SpaceliftError: Spacelift does not answer; look again.
        """
        candidates = [
            adoption.Candidate(run_id=run.run_id, triggered_by=run.triggered_by) for run in runs
        ]
        found = adoption.native_runs(candidates, origin_run_ids=origin_run_ids, queuers=queuers)
        if any(
            not adoption.was_queued_at_once(run.run_id, origin) for origin, run in found.items()
        ):
            found = adoption.native_runs(
                candidates,
                origin_run_ids=origin_run_ids,
                queuers=queuers,
                begun_by_others=await self._begun_by_others(stack_id, origin_run_ids),
            )
        return {origin: run.run_id for origin, run in found.items()}

    async def _begun_by_others(self, stack_id: str, origin_run_ids: Collection[str]) -> list[str]:
        """Return the runs above a stack that are neither the chain's nor queued by Spacelift."""
        above, since = await self._above(stack_id), min(origin_run_ids)
        await self._read_runs(above, since)
        return [
            run.run_id
            for upstream in sorted(above)
            for run in self._runs[upstream]
            if run.run_id > since
            and run.run_id not in origin_run_ids
            and run.triggered_by not in above
        ]

    async def _above(self, stack_id: str) -> set[str]:
        """Return the stacks that are natively upstream of one, as far as the API key sees them."""
        seen = front = {stack_id}
        while front:
            for chunk in client.chunks(sorted(front - self._stacks.keys())):
                self._stacks |= await self._client.get_stacks(chunk)
            known = [record for item in front if (record := self._stacks[item]) is not None]
            front = {edge.upstream_id for record in known for edge in record.depends_on} - seen
            seen = seen | front
        return {item for item in seen - {stack_id} if self._stacks[item] is not None}

    async def _read_runs(self, stack_ids: Collection[str], since: str) -> None:
        for chunk in client.chunks(sorted(set(stack_ids) - self._runs.keys())):
            pages = await self._client.get_newest_runs(chunk)
            for stack_id, page in pages.items():
                self._runs[stack_id] = page.runs if page is not None else ()
        for stack_id in sorted(stack_ids):
            oldest = min((run.run_id for run in self._runs[stack_id]), default=since)
            # How long a page is is not documented, so this one may end before the time in question.
            if oldest > since:
                self._runs[stack_id] = await self._client.list_runs_after(stack_id, since)

"""Which runs of a stack Spacelift queued because of the chain's, and which because of others'.

Spacelift queues a wave in the moment in which it starts. A later run may belong to others, and so
may one from a moment in which runs of others may have started waves. The runs of all stacks above
say whether these started any. They are read only if there is a sign of it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from controller.chain.graph import adoption
from controller.spacelift import client, models

_SHORT_PAGE = 20


def may_be_cut_off(runs: Sequence[models.RunRecord], since: str, *, is_all_found: bool) -> bool:
    """Whether a page of the newest runs may end before one of them was created.

    The length of a page is not documented; a short one on which all is found is complete.
    """
    if not runs or min(run.run_id for run in runs) <= since:
        return False
    return len(runs) >= _SHORT_PAGE or not is_all_found


class NativeRunFinder:
    """One look at native runs; what is above several stacks is read once.

    `newest` are the newest runs of the stacks that may have queued them, as far as they were read.
    What is above has to be read after the runs that are asked about, so who reads these again
    looks with a new finder.
    """

    def __init__(
        self,
        spacelift: client.SpaceliftClient,
        newest: Mapping[str, Sequence[models.RunRecord]],
    ) -> None:
        self._client = spacelift
        self._newest = newest
        self._stacks: dict[str, models.StackRecord | None] = {}
        self._runs: dict[str, Sequence[models.RunRecord]] = dict(newest)
        # The runs of a stack that were read whole, and those after which run they are.
        self._whole: dict[str, tuple[str, Sequence[models.RunRecord]]] = {}
        # Runs that are not the chain's, and their stacks.
        self._others: dict[str, str] = {}

    async def find(
        self,
        stack_id: str,
        runs: Sequence[models.RunRecord],
        *,
        origin_run_ids: Collection[str],
        own_run_ids: Collection[str],
        queuers: Collection[str],
        is_expected: bool = True,
    ) -> adoption.FoundNativeRuns:
        """Return the run that each origin made Spacelift queue, if it is among the given ones.

        Args:
            stack_id: the stack.
            runs: of the stack.
            origin_run_ids: the runs of the chain above the stack that are asked for.
            own_run_ids: all runs of the chain above the stack.
            queuers: the stacks that a native run may name as the one that queued it.
            is_expected: each origin is known to have queued one.

        Raises:
            SpaceliftError: Spacelift does not answer; look again.
        """
        candidates = [
            adoption.Candidate(run_id=run.run_id, triggered_by=run.triggered_by) for run in runs
        ]
        matched = adoption.native_runs(candidates, origin_run_ids=origin_run_ids, queuers=queuers)
        if not matched.found:
            return matched
        if is_expected and not await self._are_doubtful(matched.found, own_run_ids):
            return matched
        since = adoption.moment_before(min(origin_run_ids))
        begun = await self._begun_by_others(stack_id, since, own_run_ids)
        return adoption.native_runs(
            candidates,
            origin_run_ids=origin_run_ids,
            queuers=queuers,
            begun_by_others=begun,
            queuers_of_others=[item for item, record in self._stacks.items() if record is not None],
        )

    def stack_of(self, other_run_id: str) -> str:
        """Return the stack of a run of others that a doubt is about."""
        return self._others[other_run_id]

    async def _are_doubtful(
        self, found: Mapping[str, adoption.Candidate], own_run_ids: Collection[str]
    ) -> bool:
        for origin, run in found.items():
            is_late = not adoption.was_queued_at_once(run.run_id, origin)
            if is_late or await self._may_be_of_others(origin, run, own_run_ids):
                return True
        return False

    async def _may_be_of_others(
        self, origin: str, run: adoption.Candidate, own_run_ids: Collection[str]
    ) -> bool:
        """Whether more waves have come through the stack that queued a run than are the chain's.

        Each of these has one run on it at most.
        """
        queuer, since = run.triggered_by or "", adoption.moment_before(origin)
        page = self._newest.get(queuer, ())
        # What it queued is younger than its own run of the same wave.
        is_found = any(item.run_id < run.run_id for item in page)
        if may_be_cut_off(page, since, is_all_found=is_found):
            page = await self._whole_after(queuer, since)
        there = {item.run_id for item in page}
        from_above = set(own_run_ids) - there
        beside = [item for item in there.difference(own_run_ids) if since < item < run.run_id]
        return len(beside) > sum(since < item < run.run_id for item in from_above)

    async def _begun_by_others(
        self, stack_id: str, since: str, own_run_ids: Collection[str]
    ) -> list[str]:
        """Return the runs above a stack that are neither the chain's nor queued by Spacelift."""
        above = await self._above(stack_id)
        await self._read_runs(above, since)
        others = {
            run.run_id: upstream
            for upstream in sorted(above)
            for run in self._runs[upstream]
            if run.run_id > since
            and run.run_id not in own_run_ids
            and run.triggered_by not in above
        }
        self._others |= others
        return sorted(others)

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
        self._runs |= await newest_runs(self._client, set(stack_ids) - self._runs.keys())
        for stack_id in sorted(stack_ids):
            if may_be_cut_off(self._runs[stack_id], since, is_all_found=False):
                self._runs[stack_id] = await self._whole_after(stack_id, since)

    async def _whole_after(self, stack_id: str, since: str) -> Sequence[models.RunRecord]:
        known_since, runs = self._whole.get(stack_id, (None, ()))
        if known_since is None or known_since > since:
            runs = await self._client.list_runs_after(stack_id, since)
            self._whole[stack_id] = (since, runs)
        return runs


async def newest_runs(
    spacelift: client.SpaceliftClient, stack_ids: Iterable[str]
) -> dict[str, Sequence[models.RunRecord]]:
    """Return the newest runs of stacks; stacks that cannot be seen have none."""
    found: dict[str, Sequence[models.RunRecord]] = {}
    for chunk in client.chunks(sorted(set(stack_ids))):
        pages = await spacelift.get_newest_runs(chunk)
        found |= {stack_id: page.runs if page else () for stack_id, page in pages.items()}
    return found

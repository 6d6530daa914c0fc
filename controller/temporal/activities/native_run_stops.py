"""How native runs of many stacks are found and stopped: 50 stacks, or 50 runs, in one request.

One look finds what is there and calls what ends it. The caller looks again for what is late, and
for what a call has not ended yet (`chain.run.native_stops`, ADR 0031).
"""

import asyncio
import dataclasses
import logging
from collections.abc import Iterable, Mapping, Sequence

from controller.chain.graph import adoption
from controller.chain.run import run_states
from controller.chain.run.native_stops import NativeRun, UnwantedRuns
from controller.chain.run.run_states import StopCall
from controller.spacelift import client, documents, endpoints, models
from controller.spacelift import errors as spacelift_errors
from controller.temporal.activities import native_run_finding, spacelift_clients

logger = logging.getLogger(__name__)

# A run that has moved on since it was read is read again, and so is what its refusal hid.
_ROUNDS = 4
# What has not started is canceled before anything else, since it may still be started.
_CALLS = (StopCall.CANCEL, StopCall.DISCARD, StopCall.STOP)
# A refusal is not among these: the run may only have moved on since it was read.
_FINAL = (spacelift_errors.PermissionDenied, spacelift_errors.SpaceliftObjectNotFound)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    """One native run, and the call that is to end it, if one is to be made now."""

    target: UnwantedRuns
    found: NativeRun
    due: StopCall | None = None

    @property
    def key(self) -> models.RunKey:
        return models.RunKey(stack_id=self.found.stack_id, run_id=self.found.run_id)


class NativeRunStops:
    """Stops what Spacelift queued on stacks that must not run it.

    When a run ends, Spacelift starts those that wait for it. So what is furthest downstream is
    canceled first. A late run does not delay stopping the others.
    """

    def __init__(
        self, account: spacelift_clients.SpaceliftAccount, *, settle: float, effect: float
    ) -> None:
        self._account = account
        self._settle = settle
        self._effect = effect

    async def look(
        self, targets: Sequence[UnwantedRuns], *, is_first_try: bool = True
    ) -> list[NativeRun]:
        """Find all, call what ends them, and return one finding for each origin of each target.

        Args:
            targets: what to look for, the most urgent first.
            is_first_try: otherwise only the first ones are looked for, so that they get through a
                rate limit that all of them together exceed; the others stay open.

        Raises:
            SpaceliftError: Spacelift does not answer; look again.
        """
        left = list(targets) if is_first_try else _in_one_document(targets)
        done = [
            _nothing(target, origin, is_open=True).found
            for target in targets[len(left) :]
            for origin in target.origin_run_ids
        ]
        refusals = dict[models.RunKey, spacelift_errors.SpaceliftError]()
        for _ in range(_ROUNDS):
            seen = await self._find(left)
            ends = await self._call([item for item in seen if item.due is not None])
            refusals = {
                key: end for key, end in ends.items() if not isinstance(end, models.RunRecord)
            }
            known = [self._known(item, ends.get(item.key)) for item in seen]
            done += [found for found in known if found is not None]
            left = _remaining(seen, known)
            if not left:
                return done
        return [*done, *(self._given_up(item, refusals) for item in await self._find(left))]

    def _known(
        self, item: _Seen, end: models.RunRecord | spacelift_errors.SpaceliftError | None
    ) -> NativeRun | None:
        """Return what is known of a run after the calls; None: it has to be read again."""
        if item.due is None:
            return item.found
        if isinstance(end, models.RunRecord):
            is_over = end.is_terminal
            call = None if is_over else item.due
            return dataclasses.replace(item.found, state=end.state, call=call, is_open=not is_over)
        if isinstance(end, _FINAL):
            return dataclasses.replace(item.found, problem=str(end))
        return None

    # Finding

    async def _find(self, targets: Sequence[UnwantedRuns]) -> list[_Seen]:
        # Where these come from shows whether they may be of others.
        stack_ids = sorted({item for target in targets for item in _read_with(target)})
        read = await asyncio.gather(
            *(self._account.client.get_newest_runs(chunk) for chunk in client.chunks(stack_ids))
        )
        pages = {stack_id: page for found in read for stack_id, page in found.items()}
        newest = {stack_id: page.runs for stack_id, page in pages.items() if page is not None}
        spacelift = self._account.client
        finder = native_run_finding.NativeRunFinder(spacelift, newest)
        seen: list[_Seen] = []
        cut_off: list[tuple[UnwantedRuns, models.RunsPage]] = []
        for target in targets:
            page = pages[target.stack_id]
            if page is None:
                seen += _gone(target)
                continue
            natives = await _natives(target, page.runs, finder)
            if _may_be_cut_off(target, page.runs, natives):
                cut_off.append((target, page))
            else:
                seen += self._seen_on(target, page, page.runs, natives, finder)
        if not cut_off:
            return seen
        whole = [
            await spacelift.list_runs_after(target.stack_id, min(target.origin_run_ids))
            for target, _ in cut_off
        ]
        # What is above is read anew, after the runs that it tells the origin of.
        queuers = {item for target, _ in cut_off for item in target.queuers}
        finder = native_run_finding.NativeRunFinder(
            spacelift, await native_run_finding.newest_runs(spacelift, queuers)
        )
        for (target, page), runs in zip(cut_off, whole, strict=True):
            natives = await _natives(target, runs, finder)
            seen += self._seen_on(target, page, runs, natives, finder)
        return seen

    def _seen_on(
        self,
        target: UnwantedRuns,
        page: models.RunsPage,
        runs: Sequence[models.RunRecord],
        natives: adoption.FoundNativeRuns,
        finder: native_run_finding.NativeRunFinder,
    ) -> list[_Seen]:
        by_id = {run.run_id: run for run in runs}
        is_late = target.is_expected and not page.is_disabled and target.seconds < self._settle
        seen: list[_Seen] = []
        for origin in target.origin_run_ids:
            if origin in natives.found:
                run = by_id[natives.found[origin].run_id]
                seen.append(self._seen(target, origin, run))
            elif (doubt := natives.doubts.get(origin)) is not None:
                run = by_id[doubt.run.run_id]
                other = models.RunKey(
                    stack_id=finder.stack_of(doubt.other_run_id), run_id=doubt.other_run_id
                )
                seen.append(self._doubtful(target, origin, run, other))
            else:
                seen.append(_nothing(target, origin, is_open=is_late))
        return seen

    def _doubtful(
        self, target: UnwantedRuns, origin: str, run: models.RunRecord, other: models.RunKey
    ) -> _Seen:
        """Leave a run alone that may be of others; the one of these may still come, too."""
        found = dataclasses.replace(
            self._found(origin, run),
            other_run_url=self._url(other),
            is_open=target.seconds < self._settle,
        )
        return _Seen(target=target, found=found)

    def _url(self, key: models.RunKey) -> str:
        return endpoints.run_url(self._account.endpoint, key.stack_id, key.run_id)

    def _found(self, origin: str, run: models.RunRecord) -> NativeRun:
        return NativeRun(
            stack_id=run.stack_id,
            origin_run_id=origin,
            run_id=run.run_id,
            state=run.state,
            run_url=self._url(run.key),
        )

    def _seen(self, target: UnwantedRuns, origin: str, run: models.RunRecord) -> _Seen:
        found = self._found(origin, run)
        calls = () if run.is_terminal else run_states.stop_calls(run.state)
        if not calls or run.run_id == target.keep_run_id:
            return _Seen(target=target, found=found)
        made = next((call for call in target.called if call.run_id == run.run_id), None)
        if made is None or made.call != calls[0]:
            return _Seen(target=target, found=found, due=calls[0])
        # A worker may ignore a stop; after a while the run is allowed to finish.
        is_open = made.seconds_ago < self._effect
        return _Seen(target=target, found=dataclasses.replace(found, is_open=is_open))

    # Ending

    async def _call(
        self, due: Sequence[_Seen]
    ) -> Mapping[models.RunKey, models.RunRecord | spacelift_errors.SpaceliftError]:
        ends: dict[models.RunKey, models.RunRecord | spacelift_errors.SpaceliftError] = {}
        for call in _CALLS:
            wanted = [item for item in due if item.due is call]
            wanted.sort(key=lambda item: (-item.target.depth, item.key))
            ends |= await self._account.client.end_runs(
                call, [(item.key, item.target.note) for item in wanted]
            )
        return ends

    def _given_up(
        self, item: _Seen, refusals: Mapping[models.RunKey, spacelift_errors.SpaceliftError]
    ) -> NativeRun:
        """Return the message about a run that no round has ended."""
        refusal = refusals.get(item.key)
        if item.due is None:
            return item.found
        if refusal is None or item.target.seconds < self._settle + self._effect:
            return dataclasses.replace(item.found, is_open=True)
        logger.warning("A native run cannot be stopped", extra={"run_id": item.found.run_id})
        return dataclasses.replace(item.found, problem=str(refusal))


def _read_with(target: UnwantedRuns) -> set[str]:
    """Return the stacks whose runs are read; the runs of those that queue show whose these are."""
    return {target.stack_id, *target.queuers}


def _in_one_document(targets: Sequence[UnwantedRuns]) -> list[UnwantedRuns]:
    """Return the first targets whose runs are read, and ended, in one document each."""
    stack_ids, chosen = set[str](), list[UnwantedRuns]()
    for target in targets:
        stack_ids |= _read_with(target)
        if chosen and len(stack_ids) > documents.LARGEST_SIZE:
            break
        chosen.append(target)
    return chosen


async def _natives(
    target: UnwantedRuns,
    runs: Iterable[models.RunRecord],
    finder: native_run_finding.NativeRunFinder,
) -> adoption.FoundNativeRuns:
    """Return the run that each origin made Spacelift queue, if it is among the given ones."""
    origins = [*target.origin_run_ids]
    if target.used_origin_run_id is not None:
        # Where waves interleave, it takes all origins to tell the run that is used from the others.
        origins.append(target.used_origin_run_id)
    return await finder.find(
        target.stack_id,
        [run for run in runs if run.run_id not in target.claimed_run_ids],
        origin_run_ids=origins,
        own_run_ids={*origins, *target.own_run_ids},
        queuers=target.queuers,
        is_expected=target.is_expected,
    )


def _may_be_cut_off(
    target: UnwantedRuns, runs: Sequence[models.RunRecord], natives: adoption.FoundNativeRuns
) -> bool:
    is_all_found = natives.found.keys() >= set(target.origin_run_ids)
    since = min(target.origin_run_ids)
    return native_run_finding.may_be_cut_off(runs, since, is_all_found=is_all_found)


def _gone(target: UnwantedRuns) -> list[_Seen]:
    problem = f"stack '{target.stack_id}' is gone, or the API key cannot see it"
    return [_nothing(target, origin, problem=problem) for origin in target.origin_run_ids]


def _nothing(
    target: UnwantedRuns, origin: str, *, is_open: bool = False, problem: str = ""
) -> _Seen:
    found = NativeRun(
        stack_id=target.stack_id, origin_run_id=origin, is_open=is_open, problem=problem
    )
    return _Seen(target=target, found=found)


def _remaining(seen: Sequence[_Seen], known: Sequence[NativeRun | None]) -> list[UnwantedRuns]:
    """Return the targets with what has to be read again, and those that need no reading."""
    again: dict[str, list[str]] = {}
    claimed: dict[str, list[str]] = {}
    for item, found in zip(seen, known, strict=True):
        if found is None:
            again.setdefault(item.target.stack_id, []).append(item.found.origin_run_id)
        else:
            claimed.setdefault(item.target.stack_id, []).append(found.run_id)
    targets = {item.target.stack_id: item.target for item in seen}
    return [
        dataclasses.replace(
            targets[stack_id],
            origin_run_ids=origins,
            claimed_run_ids=[*targets[stack_id].claimed_run_ids, *claimed.get(stack_id, ())],
        )
        for stack_id, origins in again.items()
    ]

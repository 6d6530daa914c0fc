"""Next to the flow: metrics about all StackChains together. How many, in which state, since when.

They are made from what the watch has shown, and only when the metrics are read: that costs no
request, and no resource has a timer or a series of its own.
"""

import collections
import dataclasses
from collections.abc import Iterable
from datetime import datetime

from controller.api import reasons, v1alpha1
from controller.observability import metrics

UNOBSERVED = "Unobserved"
"""In place of a reason, for resources that have no condition yet."""

# These have a condition of their own, which says since when.
_CONDITIONS_OF_WAITING = ("AwaitingConfirmation", "Suspended")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ChainFigures:
    """What the metrics count of one resource.

    `since` is a Unix time, None where nothing is expected to change. `stacks` has the phase and the
    reason of each stack of a live run.
    """

    reason: str
    since: float | None
    stacks: tuple[tuple[str, str], ...]


UNREAD = ChainFigures(reason=UNOBSERVED, since=None, stacks=())
"""Of a resource that nobody here can read."""


def figures_of(status: v1alpha1.Status, *, is_settled: bool) -> ChainFigures:
    """Return what counts of a status."""
    ready = status.condition("Ready")
    latest = status.latest_run
    is_live = latest is not None and not latest.phase.is_over
    return ChainFigures(
        reason=ready.reason if ready is not None else UNOBSERVED,
        since=None if is_settled else _since(status),
        stacks=tuple((item.phase.value, item.reason or "") for item in status.stacks)
        if is_live
        else (),
    )


def _since(status: v1alpha1.Status) -> float | None:
    """Return since when a person or a run has been waited for, whoever was the operator then."""
    ready = status.condition("Ready")
    if ready is None:
        return None
    is_waiting = ready.reason in _CONDITIONS_OF_WAITING
    waiting = status.condition(ready.reason) if is_waiting else None
    latest = status.latest_run
    if waiting is not None:
        return _unix(waiting.last_transition_time)
    if latest is not None and not latest.phase.is_over and latest.start_time:
        return _unix(latest.start_time)
    return _unix(ready.last_transition_time)


def ended_run(live_run_id: str | None, status: v1alpha1.Status) -> tuple[str, float] | None:
    """Return the phase and the seconds of a run that was live when last seen and is over now."""
    latest = status.latest_run
    if latest is None or live_run_id is None or latest.workflow_run_id != live_run_id:
        return None
    if latest.start_time is None or latest.completion_time is None:
        return None
    return latest.phase.value, _unix(latest.completion_time) - _unix(latest.start_time)


def set_gauges(all_figures: Iterable[ChainFigures], counters: metrics.Metrics) -> None:
    """Set the gauges to what holds now; a reason that no resource has is 0, and has no oldest."""
    by_reason = collections.Counter({reason.value: 0 for reason in reasons.ChainReason})
    oldest: dict[str, float] = {}
    stacks: collections.Counter[tuple[str, str]] = collections.Counter()
    for figures in all_figures:
        by_reason[figures.reason] += 1
        stacks.update(figures.stacks)
        if figures.since is not None:
            oldest[figures.reason] = min(figures.since, oldest.get(figures.reason, figures.since))
    for gauge in (counters.chains, counters.chains_oldest, counters.live_stacks):
        gauge.clear()
    for reason, count in by_reason.items():
        counters.chains.labels(reason).set(count)
    for reason, since in oldest.items():
        counters.chains_oldest.labels(reason).set(since)
    for (phase, why), count in stacks.items():
        counters.live_stacks.labels(phase, why).set(count)


def _unix(instant: str) -> float:
    return datetime.fromisoformat(instant).timestamp()

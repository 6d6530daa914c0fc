"""Next to the flow: metrics about StackChains. How many, in which state, since when, and which.

They are made from what the watch has shown, and only when the metrics are read: that costs no
request, and no resource needs a timer.
"""

import collections
import dataclasses
from collections.abc import Iterable, Mapping

from controller import times
from controller.api import reasons, v1alpha1
from controller.observability import metrics
from controller.operator import chain_troubles

UNOBSERVED = "Unobserved"
"""Instead of a reason, for resources that have no condition yet."""

_FAILED = (v1alpha1.Phase.FAILED, v1alpha1.Phase.TIMED_OUT)
# What holds up a stack until someone outside of the chain acts, or a worker is free.
HELD_UP = frozenset(
    {
        reasons.StackReason.STACK_BUSY,
        reasons.StackReason.STACK_LOCKED,
        reasons.StackReason.STACK_DISABLED,
        reasons.StackReason.RUN_BLOCKED,
        reasons.StackReason.WORKER_PENDING,
        reasons.StackReason.NEEDS_APPROVAL,
    }
)
_IN_PROGRESS = frozenset(
    {
        reasons.ChainReason.PROGRESSING,
        reasons.ChainReason.WAITING_FOR_CHAIN,
        reasons.ChainReason.DELETING,
    }
)
# People who look for trouble need not see these.
_FINE = _IN_PROGRESS | {
    reasons.ChainReason.RUN_SUCCEEDED,
    reasons.ChainReason.NOT_REQUESTED,
    reasons.ChainReason.SUSPENDED,
}

# These have their own condition, which says since when.
_CONDITIONS_OF_WAITING: Mapping[str, str] = {
    **dict.fromkeys(reasons.WAITING_FOR_PERSON, "AwaitingConfirmation"),
    reasons.ChainReason.SUSPENDED: "Suspended",
}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ChainFigures:
    """What the metrics count of one resource.

    `since` is a Unix time, None where nothing is expected to change. `stacks` has the phase and the
    reason of each stack of a live run. `drifted_since` is a Unix time, None where no drift is
    known.
    """

    reason: str
    since: float | None
    stacks: tuple[tuple[str, str], ...]
    drifted_since: float | None = None


UNREAD = ChainFigures(reason=UNOBSERVED, since=None, stacks=())
"""For a resource that this operator cannot read."""


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
        drifted_since=_drifted_since(status),
    )


def _drifted_since(status: v1alpha1.Status) -> float | None:
    drifted = status.condition("DriftDetected")
    if drifted is None or drifted.status != "True":
        return None
    return _unix(drifted.last_transition_time) or 0.0


def _since(status: v1alpha1.Status) -> float | None:
    """Return since when a person or a run has been waited for, even under an earlier operator."""
    ready = status.condition("Ready")
    if ready is None:
        return None
    condition = _CONDITIONS_OF_WAITING.get(ready.reason)
    waiting = status.condition(condition) if condition is not None else None
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
    ended_at, started_at = _unix(latest.completion_time), _unix(latest.start_time)
    if ended_at is None or started_at is None:
        return None
    return latest.phase.value, ended_at - started_at


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


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class NamedFigures:
    """The figures of one StackChain, which one that is, and when it was noted to be in trouble."""

    namespace: str
    name: str
    figures: ChainFigures
    noted: Mapping[str, float] = dataclasses.field(default_factory=dict)

    @property
    def troubles(self) -> Mapping[str, float]:
        """The Unix times of its troubles, by kind."""
        drifted_since = self.figures.drifted_since
        if drifted_since is None:
            return self.noted
        return {**self.noted, chain_troubles.Trouble.DRIFT_DETECTED: drifted_since}

    @property
    def failed_stacks(self) -> int:
        """How many stacks of its live run failed or timed out."""
        return sum(phase in _FAILED for phase, _ in self.figures.stacks)

    @property
    def held_stacks(self) -> Mapping[str, int]:
        """How many stacks of its live run are held up, by reason."""
        return collections.Counter(why for _, why in self.figures.stacks if why in HELD_UP)


def set_chain_gauges(
    chains: Iterable[NamedFigures], counters: metrics.Metrics, *, most: int
) -> None:
    """Set the series of single StackChains: up to a limit, in a fixed order, troubled ones first.

    The limit keeps a cluster of many thousands from flooding Prometheus; what is left out is
    counted.
    """
    for gauge in (
        counters.chain_info,
        counters.chain_since,
        counters.chain_failed_stacks,
        counters.chain_held_stacks,
        counters.chain_trouble,
    ):
        gauge.clear()
    ranked = sorted(chains, key=lambda one: (_rank(one), one.namespace, one.name))
    counters.chains_unlisted.set(max(0, len(ranked) - most))
    for one in ranked[:most]:
        _set_series(one, counters)


def _set_series(one: NamedFigures, counters: metrics.Metrics) -> None:
    chain, reason, since = (one.namespace, one.name), one.figures.reason, one.figures.since
    counters.chain_info.labels(*chain, reason).set(1)
    if since is not None:
        counters.chain_since.labels(*chain, reason).set(since)
    if one.failed_stacks:
        counters.chain_failed_stacks.labels(*chain).set(one.failed_stacks)
    for why, count in one.held_stacks.items():
        counters.chain_held_stacks.labels(*chain, why).set(count)
    for trouble, at in one.troubles.items():
        counters.chain_trouble.labels(*chain, trouble).set(at)


def _rank(chain: NamedFigures) -> int:
    if chain.failed_stacks or chain.figures.reason not in _FINE:
        return 0
    # After an outage of Temporal these may be many, which are well again.
    if chain.troubles:
        return 1
    return 2 if chain.figures.reason in _IN_PROGRESS else 3


def _unix(instant: str) -> float | None:
    """Return a time of a status, which may be edited, as Unix time; None for what is none."""
    moment = times.instant(instant)
    return None if moment is None else moment.timestamp()

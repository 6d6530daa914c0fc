"""The numbers that all roles count, in one place; served at /metrics by `health`.

Labels are bounded: no names of chains, stacks or runs. A role that does not do something leaves the
metric at zero.
"""

import functools
import importlib.metadata
from collections.abc import Callable, Iterable
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

# From a fast answer to the request time-out.
REQUEST_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# From a chain of plans to one that waits for a person over a weekend.
RUN_BUCKETS = (30.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 14400.0, 86400.0, 259200.0)

# As the failures of activities name them.
WORK_REFUSALS = (
    "SignatureInvalid",
    "SigningKeyUnknown",
    "SignedByNewerVersion",
    "NamespaceNotAllowed",
    "OperationNotAllowed",
    "FieldNotAllowed",
    "StackNotAllowed",
)


@functools.cache
def version() -> str:
    """Return which version this process is of."""
    return importlib.metadata.version("stackchain")


class MetricRow(NamedTuple):
    """One metric as the documentation shows it."""

    name: str
    type: str
    labels: tuple[str, ...]
    meaning: str


class Metrics:
    """One registry per process or test; the help texts are the documentation."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.before_reading: list[Callable[[], None]] = []
        """Called when the metrics are read: for numbers that nothing else keeps up to date."""
        # First of all, since collectors are asked in the order in which they came.
        self.registry.register(_Refresh(self.before_reading))
        ProcessCollector(registry=self.registry)
        self._process_metrics()
        self._operator_metrics()
        self._chain_metrics()
        self._queue_metrics()
        self._worker_metrics()
        self._webhook_metrics()
        self._connection_metrics()
        self._notification_metrics()

    def _process_metrics(self) -> None:
        self.build_info = self._gauge("stackchain_build_info", "Always 1, by version.", "version")
        self.build_info.labels(version()).set(1)

    def _operator_metrics(self) -> None:
        self.reconciles = self._counter(
            "stackchain_reconciles", "Passes of reconcile, by result.", "result"
        )
        self.chain_starts = self._counter(
            "stackchain_chain_starts", "Chain runs that the operator started."
        )
        self.status_writes = self._counter(
            "stackchain_status_writes",
            "Status writes, by result (written, unchanged, conflict, gone, error).",
            "result",
        )
        self.chains_failing = self._gauge(
            "stackchain_chains_failing",
            "StackChains that the operator fails on for an unknown reason; each is retried with "
            "growing pauses.",
        )
        self.unforeseen_errors = self._counter(
            "stackchain_unforeseen_errors",
            "Unexpected errors, by the part that continues after them (reconcile, resync, watch, "
            "notifier, queues).",
            "part",
        )
        # A series that starts with its first error shows no increase.
        for part in ("reconcile", "resync", "watch", "notifier", "queues"):
            self.unforeseen_errors.labels(part)
        self.unreadable = self._gauge(
            "stackchain_temporal_unreadable",
            "Workflows and schedules in Temporal that look like StackChain's and cannot be read, "
            "by kind (workflow, schedule), when the resync last listed them; they are skipped.",
            "kind",
        )
        self.resync_contradictions = self._counter(
            "stackchain_resync_contradictions",
            "Resources whose status contradicted Temporal and was corrected by resync.",
        )
        self.watch_up = self._gauge(
            "stackchain_watch_up",
            "1 while the StackChains of a served namespace (`*`: all of them) are listed and "
            "watched; only the leading operator has it.",
            "served",
        )
        self.resync_last = self._gauge(
            "stackchain_resync_last_success_timestamp_seconds",
            "When the leading operator last compared all resources with Temporal.",
        )
        self.starts_missed = self._counter(
            "stackchain_starts_missed",
            "Times of schedules that started nothing, since they were handled too late.",
        )
        self.drift_runs = self._counter(
            "stackchain_drift_runs", "Plans started by a schedule that found changes."
        )
        self.drift_stacks = self._counter(
            "stackchain_drift_stacks", "Stacks in which plans started by a schedule found changes."
        )
        self.lease_held = self._gauge(
            "stackchain_lease_held", "1 while this operator holds the Lease."
        )

    def _chain_metrics(self) -> None:
        """Only the leading operator has these."""
        self.chains = self._gauge(
            "stackchain_chains", "StackChains, by the reason of their condition Ready.", "reason"
        )
        self.chains_oldest = self._gauge(
            "stackchain_chains_oldest_timestamp_seconds",
            "When the oldest unsettled StackChain of a reason started to wait or run.",
            "reason",
        )
        self.live_stacks = self._gauge(
            "stackchain_live_stacks",
            "Stacks of the chain runs in progress, by phase and reason.",
            "phase",
            "reason",
        )
        self.chain_info = self._gauge(
            "stackchain_chain_info",
            "Always 1: a StackChain, by its namespace, its name and the reason of its condition "
            "Ready. `STACKCHAIN_METRICS_CHAINS` limits how many; those in trouble come first.",
            "chain_namespace",
            "chain",
            "reason",
        )
        self.chain_failed_stacks = self._gauge(
            "stackchain_chain_failed_stacks",
            "Failed and timed out stacks of a chain run in progress, for each StackChain that "
            "has any and is in `stackchain_chain_info`.",
            "chain_namespace",
            "chain",
        )
        self.chain_since = self._gauge(
            "stackchain_chain_since_timestamp_seconds",
            "When an unsettled StackChain started to wait or run, for each one that is in "
            "`stackchain_chain_info`.",
            "chain_namespace",
            "chain",
            "reason",
        )
        self.chain_held_stacks = self._gauge(
            "stackchain_chain_held_stacks",
            "Stacks of a chain run in progress that are held up, by reason, for each StackChain "
            "that has any and is in `stackchain_chain_info`.",
            "chain_namespace",
            "chain",
            "reason",
        )
        self.chain_trouble = self._gauge(
            "stackchain_chain_trouble_timestamp_seconds",
            "When a StackChain was last in trouble, by kind, for each one in "
            "`stackchain_chain_info`: within the last hour (StartMissed, StatusContradicted, "
            "StatusNotWritten), the last failure while the operator fails on it (Failing), and "
            "when drift was found (DriftDetected).",
            "chain_namespace",
            "chain",
            "trouble",
        )
        self.chains_unlisted = self._gauge(
            "stackchain_chains_unlisted",
            "StackChains that `stackchain_chain_info` leaves out because there are too many.",
        )
        self.chain_run_duration = Histogram(
            "stackchain_chain_run_duration_seconds",
            "Time from the start of a chain run to its end, by its final phase.",
            ["phase"],
            registry=self.registry,
            buckets=RUN_BUCKETS,
        )

    def _queue_metrics(self) -> None:
        """Only the leading operator has these, so that they are there without any worker."""
        labels = ("queue", "kind")
        self.queue_pollers = self._gauge(
            "stackchain_task_queue_pollers",
            "Processes that poll a task queue (worker, follow, notify, operator), by kind of task.",
            *labels,
        )
        self.queue_backlog = self._gauge(
            "stackchain_task_queue_backlog",
            "Tasks that wait in a task queue, as estimated by Temporal.",
            *labels,
        )
        self.queue_backlog_age = self._gauge(
            "stackchain_task_queue_backlog_age_seconds",
            "How long the oldest task of a task queue has waited.",
            *labels,
        )

    def _worker_metrics(self) -> None:
        self.spacelift_requests = self._counter(
            "stackchain_spacelift_requests",
            "Requests to Spacelift, by operation and outcome.",
            "operation",
            "outcome",
        )
        self.spacelift_request_duration = Histogram(
            "stackchain_spacelift_request_duration_seconds",
            "Time from a request to Spacelift to its answer, by operation.",
            ["operation"],
            registry=self.registry,
            buckets=REQUEST_BUCKETS,
        )
        self.runs_triggered = self._counter(
            "stackchain_runs_triggered", "Spacelift runs that chains triggered."
        )
        self.runs_adopted = self._counter(
            "stackchain_runs_adopted",
            "Spacelift runs that Spacelift queued on its own and chains adopted.",
        )
        self.runs_followed = self._gauge(
            "stackchain_runs_followed", "Spacelift runs that this worker follows now."
        )
        self.follow_slots = self._gauge(
            "stackchain_follow_slots", "How many runs this worker can follow at a time."
        )
        self.follow_slots_taken = self._gauge(
            "stackchain_follow_slots_taken",
            "Of these, how many are taken: by followed runs, and by stacks that wait to be "
            "unlocked or enabled, or for another chain.",
        )
        self.slots_refused = self._counter(
            "stackchain_slots_refused",
            "Calls (queue `worker`) and waits (`follow`) that got no slot because their "
            "connection, or all waits for other chains, had their share. Each is tried again.",
            "queue",
        )
        for queue in ("worker", "follow"):
            self.slots_refused.labels(queue)
        self.trigger_ambiguous = self._counter(
            "stackchain_trigger_ambiguous",
            "Triggers whose answer was lost, so that their run had to be searched for.",
        )
        self.work_refused = self._counter(
            "stackchain_work_refused",
            "Calls that a worker refused, by reason: no operator of the release signed them "
            "(SignatureInvalid), they were signed with a key that the worker does not have "
            "(SigningKeyUnknown) or by a newer version with fields that the worker does not know "
            "(SignedByNewerVersion), or the worker's own connection does not allow them "
            "(NamespaceNotAllowed, OperationNotAllowed, FieldNotAllowed, StackNotAllowed).",
            "reason",
        )
        # A series that starts with its first refusal shows no increase.
        for reason in WORK_REFUSALS:
            self.work_refused.labels(reason)

    def _webhook_metrics(self) -> None:
        self.webhook_deliveries = self._counter(
            "stackchain_webhook_deliveries",
            "Webhook deliveries, by connection and result; docs/webhooks.md has the results.",
            "connection",
            "result",
        )
        self.webhook_last_delivery = self._gauge(
            "stackchain_webhook_last_delivery_timestamp_seconds",
            "When the last signed delivery arrived, or the receiver started, by connection.",
            "connection",
        )
        self.webhook_queue_depth = self._gauge(
            "stackchain_webhook_queue_depth", "Stacks that wait to be woken."
        )
        self.webhook_wakes = self._counter(
            "stackchain_webhook_wakes",
            "Wakes of a stack, by kind (`execution`, `root_sweep`) and result (`woken`, `nobody`, "
            "`refused`, `given_up`, `failed`).",
            "kind",
            "result",
        )

    def _connection_metrics(self) -> None:
        self.temporal_connected = self._gauge(
            "stackchain_temporal_connected",
            "1 while Temporal can run workflows: Temporal and its database are reachable.",
        )

    def _notification_metrics(self) -> None:
        self.notifications_started = self._counter(
            "stackchain_notifications_started",
            "Notifications that the operator handed to Temporal; each goes to all sinks that "
            "want it.",
        )
        self.notifications_waiting = self._gauge(
            "stackchain_notifications_waiting",
            "Notifications that wait in the operator because Temporal did not accept them.",
        )
        self.notifications_dropped = self._counter(
            "stackchain_notifications_dropped",
            "Notifications that the operator dropped, because too many waited or the "
            "operator stopped.",
        )
        self.notification_deliveries = self._counter(
            "stackchain_notification_deliveries",
            "Attempts to deliver a notification to a sink, by outcome (delivered, "
            "unavailable, refused, given_up).",
            "sink",
            "outcome",
        )
        self.notification_duration = Histogram(
            "stackchain_notification_delivery_duration_seconds",
            "Time that one attempt to deliver a notification to a sink took.",
            ["sink"],
            registry=self.registry,
            buckets=REQUEST_BUCKETS,
        )

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(name, meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(name, meaning, labels, registry=self.registry)


class _Refresh(Collector):
    """Has no metrics; updates others before they are read."""

    def __init__(self, refreshers: list[Callable[[], None]]) -> None:
        self._refreshers = refreshers

    def collect(self) -> Iterable[Metric]:
        for refresh in self._refreshers:
            refresh()
        return ()

    def describe(self) -> Iterable[Metric]:
        return ()


def describe_metrics() -> list[MetricRow]:
    """List each of our metrics, by name; a test keeps the documentation equal to it."""
    metrics = vars(Metrics()).values()
    return sorted(
        MetricRow(
            f"{metric._name}_total" if isinstance(metric, Counter) else metric._name,
            metric._type,
            metric._labelnames,
            metric._documentation,
        )
        for metric in metrics
        if isinstance(metric, Counter | Gauge | Histogram)
    )

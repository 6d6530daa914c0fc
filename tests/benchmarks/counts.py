"""What the servers themselves have counted: Temporal's actions and requests, Kubernetes' requests.

Counts do not depend on how fast the machine is. Temporal counts actions as its Cloud bills them:
https://docs.temporal.io/cloud/migrate/estimate-actions (its metric `action`).
"""

import dataclasses
import re
from collections import Counter
from collections.abc import Mapping

from prometheus_client import parser

# Requests that wait for work: how many there are depends on the time and not on what is done.
POLLS = frozenset({"PollWorkflowTaskQueue", "PollActivityTaskQueue"})
# What the worker says of itself once a minute.
_OF_WORKERS = frozenset({"RecordWorkerHeartbeat"})


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """By kind; the difference of two readings is what happened between them."""

    actions: Counter[str]
    temporal: Counter[str]
    """Requests to Temporal's frontend by operation."""
    kubernetes: Counter[str]
    """Requests to the API server by verb and resource, watches left out."""

    def __sub__(self, before: "Counts") -> "Counts":
        return Counts(
            actions=self.actions - before.actions,
            temporal=self.temporal - before.temporal,
            kubernetes=self.kubernetes - before.kubernetes,
        )

    @property
    def requests(self) -> int:
        """Requests to Temporal but for those that wait for work."""
        idle = POLLS | _OF_WORKERS
        return sum(count for name, count in self.temporal.items() if name not in idle)


def read(*, temporal: str, namespace: str, kubernetes: str = "") -> Counts:
    """Read the metrics of both servers, in Prometheus' text format."""
    # As the server writes it in its metrics.
    namespace = re.sub(r"\W", "_", namespace)
    actions, requests, kube = Counter[str](), Counter[str](), Counter[str]()
    for labels, value in _samples(temporal, "action"):
        if labels["namespace"] == namespace:
            actions[labels["action_type"]] += value
    for labels, value in _samples(temporal, "service_requests"):
        if labels["namespace"] == namespace and labels["service_name"] == "frontend":
            requests[labels["operation"]] += value
    for labels, value in _samples(kubernetes, "apiserver_request_total"):
        if labels["verb"] not in ("WATCH", "CONNECT") and _is_of_product(labels):
            kube[f"{labels['verb']} {_resource(labels)}"] += value
    return Counts(actions=actions, temporal=requests, kubernetes=kube)


def _samples(text: str, name: str) -> list[tuple[Mapping[str, str], int]]:
    # One metric of thousands: the rest need not be parsed.
    lines = [line for line in text.splitlines() if line.startswith((f"{name}{{", f"{name} "))]
    families = parser.text_string_to_metric_families("\n".join(lines) + "\n")
    return [(sample.labels, int(sample.value)) for family in families for sample in family.samples]


def _is_of_product(labels: Mapping[str, str]) -> bool:
    return labels["group"] == "stackchain.dev" or labels["resource"] == "events"


def _resource(labels: Mapping[str, str]) -> str:
    subresource = labels["subresource"]
    return f"{labels['resource']}/{subresource}" if subresource else labels["resource"]

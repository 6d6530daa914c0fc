"""Values that cannot be meant are refused before anything is installed: where, and what to do."""

from typing import Any

import pytest

from tests.support import charts
from tests.support import helm as helms


def refusal(helm: helms.Helm, changes: dict[str, Any]) -> str:
    with pytest.raises(helms.HelmRefused) as refused:
        helm.template(values=charts.values(changes))
    return str(refused.value)


# By the schema: one value alone is wrong.


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("replicas", 2, "additional properties 'replicas' not allowed"),
        ("worker.replica", 2, "at '/worker': additional properties 'replica' not allowed"),
        ("worker.replicas", "two", "at '/worker/replicas'"),
        ("worker.strategy.type", "Slow", "at '/worker/strategy/type'"),
        ("worker.strategy.rollingUpdates", {}, "at '/worker/strategy'"),
        ("worker.gracefulShutdownSeconds", 0, "at '/worker/gracefulShutdownSeconds'"),
        ("operator.serviceAccount.nam", "x", "at '/operator/serviceAccount'"),
        ("operator.leaseDurationSeconds", 2, "at '/operator/leaseDurationSeconds'"),
        ("operator.resources.request", {"cpu": 1}, "at '/operator/resources'"),
        ("operator.livenessProbe.path", "/x", "at '/operator/livenessProbe'"),
        ("logging.level", "chatty", "at '/logging/level'"),
        ("temporal.address", "https://temporal:7233", "at '/temporal/address'"),
        ("temporal.uiUrl", "temporal.example.com", "at '/temporal/uiUrl'"),
        ("temporal.tls.ca.file", "/ca", "at '/temporal/tls/ca'"),
        ("watchNamespaces", "team-a", "at '/watchNamespaces'"),
        ("watchNamespaces", ["Team"], "at '/watchNamespaces/0'"),
        ("installation.id", "Team A", "at '/installation/id'"),
        ("image.digest", "abc", "at '/image/digest'"),
        ("spacelift.connections.default.endpoint", None, "connections/default"),
        ("spacelift.connections.default.allowedNamespaces", None, "connections/default"),
        ("spacelift.connections.default.allowedNamespaces", ["a", "B"], "allowedNamespaces/1'"),
        ("spacelift.connections.default.allowCommitSHA", "no", "allowCommitSHA'"),
        ("spacelift.connections.default.requestsPerMinute", 99, "requestsPerMinute'"),
        ("spacelift.connections.default.requestsPerMinute", "many", "requestsPerMinute'"),
        ("rbac.aggregatedRoles", ["owner"], "rbac/aggregatedRoles/0'"),
        ("spacelift.connections.default.endpoint", "a.b", "connections/default/endpoint'"),
        ("spacelift.connections.default.key", "x", "at '/spacelift/connections/default'"),
        (
            "spacelift.connections.default.allowedOperations",
            ["Delete"],
            "connections/default/allowedOperations/0'",
        ),
        (
            "spacelift.connections.default.dependencyLabelPrefixes",
            ["after"],
            "connections/default/dependencyLabelPrefixes/0'",
        ),
        ("notifications.sinks", [{"name": "a", "type": "Slack"}], "at '/notifications/sinks/0'"),
        (
            "notifications.sinks",
            [{"name": "a", "type": "Slack", "url": "https://a.b", "transitions": ["RunFaild"]}],
            "at '/notifications/sinks/0/transitions/0'",
        ),
        (
            "notifications.sinks",
            [{"name": "a", "type": "Slack", "url": "a.b", "transitions": ["Problem"]}],
            "at '/notifications/sinks/0/url'",
        ),
        ("spacelift.pollSeconds", 0, "at '/spacelift/pollSeconds'"),
        ("webhook.ingress.hosts", ["a"], "at '/webhook/ingress'"),
        ("webhook.service.port", 0, "at '/webhook/service/port'"),
        ("crds.install", True, "at '/crds'"),
        ("networkPolicy.apiServerPorts", ["https"], "at '/networkPolicy/apiServerPorts/0'"),
    ],
)
def test_a_wrong_value_is_refused_with_its_path(
    helm: helms.Helm, path: str, value: object, says: str
) -> None:
    text = refusal(helm, {path: value})

    assert "values don't meet the specifications of the schema" in text
    assert says in text


# By the template: two values contradict each other.

_DEV = {"temporal.address": "", "temporal.devServer.enabled": True}
_CONNECTION = "spacelift.connections.default"
_ENTRY = {"endpoint": "https://a", "existingSecret": "a", "allowedNamespaces": []}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"temporal.address": ""}, "temporal.address: set it to host:port"),
        ({"temporal.devServer.enabled": True}, "temporal.devServer.enabled and temporal.address:"),
        (
            {**_DEV, "temporal.tls.enabled": True},
            "temporal.devServer.enabled: the development server does not use TLS",
        ),
        (
            {"temporal.apiKey": {"existingSecret": "a", "value": "b"}},
            "temporal.apiKey: existingSecret and value are both set",
        ),
        (
            {"temporal.tls.client": {"existingSecret": "a", "certificate": "b"}},
            "temporal.tls.client: existingSecret is set together",
        ),
        (
            {"temporal.tls.client.certificate": "b"},
            "temporal.tls.client: certificate and privateKey belong together",
        ),
        (
            {"temporal.tls": {"enabled": False, "serverName": "a"}},
            "temporal.tls.enabled: false contradicts",
        ),
        (
            {"temporal.tls.ca": {"existingSecret": "a", "existingConfigMap": "b"}},
            "temporal.tls.ca: of existingSecret, existingConfigMap and value",
        ),
        (
            {"spacelift.ca": {"existingSecret": "a", "value": "b"}},
            "spacelift.ca: of existingSecret, existingConfigMap and value",
        ),
        ({"spacelift.connections": {}}, "spacelift.connections: there are none"),
        (
            {f"{_CONNECTION}.endpoint": "http://a"},
            "spacelift.connections.default.endpoint: http://a would send the API key",
        ),
        (
            {"spacelift.connections.Prod": _ENTRY},
            "spacelift.connections.Prod: the name of a connection has at most 50 lower case",
        ),
        (
            {f"spacelift.connections.{'a' * 51}": _ENTRY},
            f"spacelift.connections.{'a' * 51}: the name of a connection has at most 50 lower case",
        ),
        (
            {f"{_CONNECTION}.apiKeyId": "x"},
            "spacelift.connections.default: existingSecret is set together with apiKeyId",
        ),
        (
            {_CONNECTION: {"endpoint": "https://a", "allowedNamespaces": []}},
            "spacelift.connections.default: has no API key",
        ),
        (
            {_CONNECTION: {"endpoint": "https://a", "allowedNamespaces": [], "apiKeyId": "x"}},
            "spacelift.connections.default: apiKeyId and apiKeySecret belong together",
        ),
        (
            charts.SIGNED,
            "spacelift.connections.default.webhookSecret: there is no receiver for the deliveries",
        ),
        (
            {**charts.WEBHOOK, f"{_CONNECTION}.webhookSecret": {"keys": ["a"]}},
            "spacelift.connections.default.webhookSecret: has no secret",
        ),
        (
            {
                **charts.WEBHOOK,
                f"{_CONNECTION}.webhookSecret": {"existingSecret": "a", "values": ["b"]},
            },
            "spacelift.connections.default.webhookSecret: existingSecret and values",
        ),
        ({"webhook.enabled": True}, "webhook.enabled: no connection has a webhookSecret"),
        (
            {"webhook.ingress": {"enabled": True, "host": "a"}},
            "webhook.ingress.enabled: it would lead nowhere",
        ),
        (
            {"webhook.httpRoute": {"enabled": True, "parentRefs": [{"name": "a"}]}},
            "webhook.httpRoute.enabled: it would lead nowhere",
        ),
        (
            {**charts.WEBHOOK, "webhook.ingress.enabled": True},
            "webhook.ingress.host: an Ingress needs the host name",
        ),
        (
            {**charts.WEBHOOK, "webhook.httpRoute.enabled": True},
            "webhook.httpRoute.parentRefs: an HTTPRoute belongs to a Gateway",
        ),
        (
            {"worker.replicas": 2, "worker.autoscaling.type": "hpa"},
            "worker.replicas: hpa sets the number of pods",
        ),
        (
            {"worker.replicas": 0, "worker.autoscaling.type": "keda"},
            "worker.replicas: keda sets the number of pods",
        ),
        (
            {"worker.autoscaling": {"type": "hpa", "minReplicas": 5, "maxReplicas": 4}},
            "worker.autoscaling: minReplicas (5) is above maxReplicas (4)",
        ),
        (
            {"worker.autoscaling.type": "hpa", "worker.resources.requests.cpu": None},
            "worker.resources.requests.cpu: worker.autoscaling.type hpa compares CPU usage with it",
        ),
        (
            {"worker.autoscaling.type": "keda", "temporal.tls.enabled": True},
            "worker.autoscaling.type: keda can use TLS for Temporal only with an API key or a",
        ),
        (
            {
                "worker.autoscaling.type": "keda",
                "temporal.apiKey.existingSecret": "a",
                "temporal.tls.ca.existingSecret": "b",
            },
            "worker.autoscaling.type: keda uses temporal.tls.ca only with a client certificate",
        ),
        (
            {"notifications.sinks": [{"name": "a", "type": "Slack", "transitions": ["Problem"]}]},
            "notifications.sinks: a needs either url or urlSecret",
        ),
        (
            {
                "notifications.sinks": [
                    {
                        "name": "a",
                        "type": "CloudEvents",
                        "url": "https://a.b",
                        "transitions": ["Problem"],
                        "headers": {"Authorization": "x"},
                        "headerSecrets": {"authorization": {"name": "s", "key": "k"}},
                    }
                ]
            },
            "notifications.sinks: a has the header authorization in headers and in headerSecrets",
        ),
        (
            {"watchNamespaces": ["a"], "installation.id": "x"},
            "crds.enabled: a release for some namespaces (watchNamespaces: a)",
        ),
        (
            {"watchNamespaces": ["a"], "crds.enabled": False},
            "installation.id: with watchNamespaces",
        ),
        (
            {"watchNamespaces": ["a"], "rbac.aggregatedRoles": ["edit"]},
            "rbac.aggregatedRoles: a release for some namespaces",
        ),
        (
            {"watchNamespaces": ["a"], f"{_CONNECTION}.allowedNamespaces": ["a", "b"]},
            "spacelift.connections.default.allowedNamespaces: b is not in watchNamespaces",
        ),
        (
            {"rbac": {"create": False, "aggregatedRoles": ["edit"]}},
            "rbac.aggregatedRoles: rbac.create is false",
        ),
        (
            {"worker.podDisruptionBudget": {"minAvailable": 1}},
            "worker.podDisruptionBudget: Kubernetes accepts only one of minAvailable and "
            "maxUnavailable",
        ),
        (
            {
                "operator.replicas": 2,
                "operator.podDisruptionBudget": {"minAvailable": 2, "maxUnavailable": None},
            },
            "operator.podDisruptionBudget.minAvailable: with 2 pods, no node can be drained "
            "if 2 must stay",
        ),
        (
            {"worker.podDisruptionBudget": {"minAvailable": None, "maxUnavailable": None}},
            "worker.podDisruptionBudget: neither minAvailable nor maxUnavailable is set",
        ),
        (
            {"worker.podDisruptionBudget.maxUnavailable": 0},
            "worker.podDisruptionBudget.maxUnavailable: with 0, no node can be drained",
        ),
        (
            {"worker.podDisruptionBudget.maxUnavailable": "0%"},
            "worker.podDisruptionBudget.maxUnavailable: with 0%, no node can be drained",
        ),
        (
            {"worker.podDisruptionBudget": {"minAvailable": "100%", "maxUnavailable": None}},
            "worker.podDisruptionBudget.minAvailable: with 2 pods, no node can be drained if "
            "100% must stay",
        ),
        (
            {"commonLabels": {"app.kubernetes.io/name": "ours"}},
            "commonLabels: the chart uses app.kubernetes.io/name itself",
        ),
        (
            {"worker.podLabels": {"app.kubernetes.io/component": "ours"}},
            "worker.podLabels: the chart uses app.kubernetes.io/component itself",
        ),
        (
            {"operator.extraEnv": [{"name": "STACKCHAIN_RESYNC_SECONDS", "value": "1"}]},
            "operator.extraEnv: the chart sets STACKCHAIN_RESYNC_SECONDS itself",
        ),
        (
            {"worker.extraEnv": [{"name": "LOG_LEVEL", "value": "debug"}]},
            "worker.extraEnv: the chart sets LOG_LEVEL itself",
        ),
        (
            {
                **charts.WEBHOOK,
                "webhook.extraEnv": [{"name": "WEBHOOK_QUEUE_SIZE", "value": "1"}],
            },
            "webhook.extraEnv: the chart sets WEBHOOK_QUEUE_SIZE itself",
        ),
        (
            {"worker.extraEnv": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]},
            "worker.extraEnv: A appears twice",
        ),
        (
            {"networkPolicy.metricsFrom": [{"podSelector": {}}]},
            "networkPolicy.metricsFrom: it has no effect while there are no policies",
        ),
        (
            {"networkPolicy": {"enabled": True, "webhookFrom": [{"podSelector": {}}]}},
            "networkPolicy.webhookFrom: there is no receiver",
        ),
        (
            {"operator.serviceAccount": {"create": False, "annotations": {"a": "b"}}},
            "operator.serviceAccount.annotations: the chart does not create the service account",
        ),
    ],
    ids=lambda value: value.partition(":")[0] if isinstance(value, str) else None,
)
def test_contradictory_values_are_refused_with_a_sentence(
    helm: helms.Helm, changes: dict[str, Any], says: str
) -> None:
    text = refusal(helm, changes)

    assert "These values are missing or contradict one another:" in text
    assert f"  - {says}" in text


def test_all_contradictions_are_told_at_once(helm: helms.Helm) -> None:
    text = refusal(helm, {"temporal.address": "", "spacelift.connections": {}})

    assert "  - temporal.address:" in text
    assert "  - spacelift.connections:" in text

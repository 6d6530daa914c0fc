"""No value is accepted and then ignored: each changes what is installed, where it can matter."""

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.support import charts
from tests.support import helm as helms

_CONNECTION = "spacelift.connections.default"

_ROLES = (*charts.ROLES, "ui")

_EXISTING = {
    **charts.WEBHOOK,
    **charts.UI,
    "ui.replicas": 2,
    "image.digest": "",
    "operator.replicas": 2,
    "temporal.apiKey.existingSecret": "cloud",
    "temporal.tls.client.existingSecret": "mtls",
    "temporal.tls.ca.existingSecret": "ca",
    "temporal.payloadKeys.existingSecret": "payloads",
    "webhook.temporal.apiKey.existingSecret": "receivers-cloud",
    "webhook.temporal.client.existingSecret": "receivers-mtls",
    "spacelift.ca.existingSecret": "ca",
    "webhook.ingress": {"enabled": True, "host": "a.example.com"},
    "webhook.httpRoute": {"enabled": True, "parentRefs": [{"name": "public"}]},
    "networkPolicy.enabled": True,
    "metrics.serviceMonitor.enabled": True,
    "notifications.sinks": [
        {
            "name": "a",
            "type": "Slack",
            "urlSecret": {"name": "slack", "key": "url"},
            "transitions": ["Problem"],
        }
    ],
}
_GIVEN = {
    "temporal.apiKey.value": "key",
    "temporal.tls.client": {"certificate": "PEM", "privateKey": "PEM"},
    "temporal.tls.ca.value": "PEM",
    "spacelift.ca.value": "PEM",
    _CONNECTION: {
        "endpoint": "https://example.app.spacelift.io",
        "apiKeyId": "id",
        "allowedNamespaces": ["*"],
        "apiKeySecret": "secret",
        "webhookSecret": {"values": ["hook"]},
    },
    "webhook.enabled": True,
    "metrics.podMonitor.enabled": True,
    "worker.autoscaling.type": "hpa",
}

# Where a value is looked at: what one of them has no use for matters in another.
SITUATIONS: dict[str, dict[str, Any]] = {
    "a little of all": _EXISTING,
    "as small as can be": {},
    "secrets in the values": _GIVEN,
    # Refused as they are: the switch makes a release of each.
    "no Temporal yet": {"temporal.address": ""},
    "no receiver yet": charts.SIGNED,
    "no page yet": {"ui.url": "https://stackchain.example.com"},
    "a Temporal of its own": {"temporal.address": "", "temporal.devServer.enabled": True},
    "an image by its digest": {"image.digest": f"sha256:{'0' * 64}"},
    "alerts and dashboards": {
        "metrics.prometheusRule.enabled": True,
        "metrics.dashboards.enabled": True,
    },
    "KEDA": {"worker.autoscaling.type": "keda", "temporal.tls.client.existingSecret": "mtls"},
    "others have the definition": {"crds.enabled": False},
    "some namespaces": {
        "crds.enabled": False,
        "installation.id": "teams",
        "watchNamespaces": ["team-a"],
    },
    "routes in waiting": {
        **charts.WEBHOOK,
        "webhook.ingress.host": "a.example.com",
        "webhook.httpRoute.parentRefs": [{"name": "public"}],
    },
    "budgets the other way": {
        "operator.replicas": 2,
        **charts.WEBHOOK,
        **charts.UI,
        "ui.replicas": 2,
        **{f"{role}.podDisruptionBudget.maxUnavailable": None for role in _ROLES},
        **{f"{role}.podDisruptionBudget.minAvailable": "10%" for role in _ROLES},
    },
    "an account of its own": {
        **charts.WEBHOOK,
        **charts.UI,
        **{f"{role}.serviceAccount.create": False for role in _ROLES},
    },
}

# What else a list may have, if its items are not strings.
_ITEMS: dict[str, Any] = {
    "extraEnv": {"name": "OTHER", "value": "x"},
    "extraEnvFrom": {"configMapRef": {"name": "other"}},
    "extraVolumes": {"name": "other", "emptyDir": {}},
    "extraVolumeMounts": {"name": "other", "mountPath": "/other"},
    "extraContainers": {"name": "other", "image": "other"},
    "extraInitContainers": {"name": "other", "image": "other"},
    "tolerations": {"key": "other"},
    "topologySpreadConstraints": {"maxSkew": 2},
    "relabelings": {"targetLabel": "other", "replacement": "x"},
    "metricRelabelings": {"targetLabel": "other", "replacement": "x"},
    "parentRefs": {"name": "other"},
    "metricsFrom": {"podSelector": {}},
    "webhookFrom": {"podSelector": {}},
    "uiFrom": {"podSelector": {}},
    "extraEgress": {"ports": [{"port": 3128}]},
    "apiServerTo": {"podSelector": {}},
    "temporalTo": {"podSelector": {}},
    "spaceliftTo": {"podSelector": {}},
    "sinksTo": {"podSelector": {}},
    "dnsTo": {"podSelector": {}},
    "apiServerPorts": 16443,
    "sinks": {"name": "b", "type": "Slack", "url": "https://a.b", "transitions": ["Problem"]},
}
# Other values, where the type alone does not suggest one.
_OTHERS: dict[str, Any] = {
    "address": "other.example.com:7233",
    "affinity": {"nodeAffinity": {}},
    "aggregatedRoles": ["edit"],
    "connections": {
        "other": {
            "endpoint": "https://b.example.com",
            "existingSecret": "b",
            "allowedNamespaces": [],
        }
    },
    "digest": f"sha256:{'1' * 64}",
    "disabledAlerts": ["StackChainFailed"],
    "interval": "15s",
    "level": "debug",
    "logging.format": "console",
    "maxUnavailable": 2,
    "minAvailable": 1,
    "pullPolicy": "Never",
    "replicas": 3,
    "runbookUrl": "https://other.example.com",
    "scrapeTimeout": "15s",
    "service.type": "NodePort",
    "autoscaling.type": "keda",
    "strategy.type": "Recreate",
    "tls.enabled": True,
    "uiUrl": "https://other.example.com",
    "ui.url": "https://other.example.com",
}
_CONNECTION_FIELDS: dict[str, Any] = {
    "endpoint": "https://other.example.com",
    "existingSecret": "other",
    "apiKeyName": "other",
    "apiKeyIdKey": "other",
    "apiKeySecretKey": "other",
    "apiKeyId": "other",
    "apiKeySecret": "other",
    "allowedNamespaces": ["other"],
    "allowedOperations": ["Destroy"],
    "dependencyLabelPrefixes": ["after:"],
    "allowedConfirmationPolicies": ["Auto"],
    "allowedVariables": ["OTHER"],
    "allowCommitSHA": False,
    "allowedStackIds": ["other"],
    "allowedStackLabels": ["other"],
    "requestsPerMinute": 100,
    "webhookSecret": {"existingSecret": "other", "keys": ["other"]},
    "webhookSecret.existingSecret": "other",
    "webhookSecret.keys": ["other"],
    "webhookSecret.values": ["other"],
}
_SINK_FIELDS: dict[str, Any] = {
    "name": "other",
    "type": "CloudEvents",
    "transitions": ["RunFailed"],
    "url": "https://other.example.com",
    "urlSecret": {"name": "other", "key": "url"},
    "headers": {"X-Other": "x"},
    "headerSecrets": {"X-Other": {"name": "other", "key": "x"}},
    "namespaces": ["other"],
    "matchLabels": {"other": "x"},
    "template": {"text": "other"},
    "timeoutSeconds": 7,
}


def leaves(values: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value that has no values below it, with its path."""
    if isinstance(values, dict) and values:
        for key, value in values.items():
            yield from leaves(value, f"{path}.{key}" if path else key)
    else:
        yield path, values


LEAVES = dict(leaves(yaml.safe_load((helms.CHART / "values.yaml").read_text())))


def other_than(path: str, value: Any) -> Any:
    """Return what a value might be instead of its default."""
    for known, other in _OTHERS.items():
        if f".{path}".endswith(f".{known}") and not isinstance(value, bool):
            return other
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case list():
            return [*value, _ITEMS.get(path.rpartition(".")[2], "other")]
        case dict():
            return {"other": "x"}
        case _:
            return "other"


def shown(helm: helms.Helm, changes: dict[str, Any]) -> str | None:
    """Return what would be installed and printed, without hashes of values; None if refused."""
    values = charts.values(changes)
    try:
        text = helm.render(values=values)
    except helms.HelmRefused:
        return None
    # Nor for the key that is made at random.
    text = re.sub(r"^(  [a-z-]+): [A-Za-z0-9+/=]{64}$", r"\1: RANDOM", text, flags=re.MULTILINE)
    return "\n".join(line for line in text.splitlines() if " checksum/" not in line)


@pytest.fixture(scope="module")
def before(helm: helms.Helm) -> dict[str, str | None]:
    """What each situation is without a further change."""
    found = {name: shown(helm, changes) for name, changes in SITUATIONS.items()}
    refused = [name for name, text in found.items() if text is None]
    assert refused == ["no Temporal yet", "no receiver yet"]
    return found


def likely_first(path: str) -> list[str]:
    """Return the situations, those first that are about values near by: each one takes Helm."""

    def nearness(name: str) -> int:
        return max((shared(path, changed) for changed in SITUATIONS[name]), default=0)

    return sorted(SITUATIONS, key=nearness, reverse=True)


def shared(path: str, other: str) -> int:
    """Return how many of their first names two paths have in common."""
    names = zip(path.split("."), other.split("."), strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], names))


@pytest.mark.parametrize("path", LEAVES)
def test_a_value_changes_what_is_installed(
    helm: helms.Helm, before: dict[str, str | None], path: str
) -> None:
    other = other_than(path, LEAVES[path])

    # In one situation in which the chart takes it and it matters.
    assert any(
        shown(helm, {**SITUATIONS[name], path: other}) not in (None, before[name])
        for name in likely_first(path)
    )


def schema_of(definition: str) -> dict[str, Any]:
    schema = json.loads((helms.CHART / "values.schema.json").read_text())
    found: dict[str, Any] = schema["$defs"][definition]["properties"]
    return found


@pytest.mark.parametrize("field", _CONNECTION_FIELDS)
def test_a_field_of_a_connection_changes_what_is_installed(
    helm: helms.Helm, before: dict[str, str | None], field: str
) -> None:
    path = f"{_CONNECTION}.{field}"

    assert any(
        shown(helm, {**changes, path: _CONNECTION_FIELDS[field]}) not in (None, before[name])
        for name, changes in SITUATIONS.items()
    )


@pytest.mark.parametrize("field", _SINK_FIELDS)
def test_a_field_of_a_sink_changes_what_is_installed(helm: helms.Helm, field: str) -> None:
    sink = {"name": "a", "type": "Slack", "transitions": ["Problem"], "url": "https://a.b"}
    changed = {**sink, field: _SINK_FIELDS[field]}
    if field == "urlSecret":
        del changed["url"]

    before, after = (shown(helm, {"notifications.sinks": [one]}) for one in (sink, changed))

    assert None not in (before, after)
    assert before != after


def test_these_tests_know_all_fields_of_connections_and_sinks() -> None:
    connection = schema_of("connection")
    below = connection["webhookSecret"]["properties"]

    assert set(_CONNECTION_FIELDS) == {*connection, *(f"webhookSecret.{name}" for name in below)}
    assert set(_SINK_FIELDS) == set(schema_of("sink"))

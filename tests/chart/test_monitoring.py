"""What the chart gives an existing Prometheus and Grafana; by default nothing."""

import json
import re
from typing import Any

import pytest
import yaml

from tests.chart.conftest import Release
from tests.support import charts, promql
from tests.support import helm as helms

KINDS = ("ServiceMonitor", "PodMonitor", "PrometheusRule")


def dashboards(objects: charts.Objects) -> list[dict[str, Any]]:
    return [item for item in objects.of("ConfigMap") if "grafana_dashboard" in labels(item)]


def labels(body: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = body["metadata"]["labels"]
    return found


def rules(objects: charts.Objects) -> list[dict[str, Any]]:
    (rule,) = objects.of("PrometheusRule")
    return [item for group in rule["spec"]["groups"] for item in group["rules"]]


def test_a_cluster_without_the_prometheus_operator_is_asked_for_nothing(release: Release) -> None:
    objects = release()

    assert [objects.of(kind) for kind in KINDS] == [[], [], []]
    assert dashboards(objects) == []


@pytest.mark.parametrize(
    ("kind", "endpoints"),
    [("ServiceMonitor", "endpoints"), ("PodMonitor", "podMetricsEndpoints")],
)
def test_a_monitor_reads_the_metrics_of_all_roles(
    release: Release, kind: str, endpoints: str
) -> None:
    path = f"metrics.{kind[0].lower()}{kind[1:]}"
    objects = release(
        {
            f"{path}.enabled": True,
            f"{path}.interval": "15s",
            f"{path}.labels": {"release": "prometheus"},
            **charts.WEBHOOK,
        }
    )

    (monitor,) = objects.of(kind)
    (endpoint,) = monitor["spec"][endpoints]
    assert labels(monitor)["release"] == "prometheus"
    assert (endpoint["port"], endpoint["path"], endpoint["interval"]) == ("http", "/metrics", "15s")
    # Which pods it reads: those of a Service, or those that it selects itself.
    if kind == "ServiceMonitor":
        services = [item for item in objects.of("Service") if is_selected(monitor, labels(item))]
        (service,) = services
        assert service["spec"]["ports"][0]["targetPort"] == "http"
        wanted = service["spec"]["selector"]
    else:
        wanted = monitor["spec"]["selector"]["matchLabels"]
    for component, pod in objects.pods().items():
        if component in charts.ROLES:
            assert wanted.items() <= pod["metadata"]["labels"].items()


def is_selected(monitor: dict[str, Any], own: dict[str, str]) -> bool:
    wanted: dict[str, str] = monitor["spec"]["selector"]["matchLabels"]
    return wanted.items() <= own.items()


@pytest.mark.parametrize("kind", ["serviceMonitor", "podMonitor"])
def test_series_have_the_labels_that_alerts_and_dashboard_go_by(
    release: Release, kind: str
) -> None:
    """Both kinds of monitor add `namespace` and `pod` automatically."""
    objects = release({f"metrics.{kind}.enabled": True})

    (monitor,) = objects.of(kind[0].upper() + kind[1:])
    (endpoint,) = next(value for key, value in monitor["spec"].items() if "ndpoints" in key)
    added = {item["targetLabel"] for item in endpoint["relabelings"]}
    assert added | {"namespace", "pod", "instance"} == promql.TARGET_LABELS


def test_each_alert_is_about_this_release_and_leads_to_its_section(
    release: Release, helm: helms.Helm
) -> None:
    objects = release(
        {
            "metrics.prometheusRule.enabled": True,
            "metrics.prometheusRule.labels": {"release": "prometheus"},
            "metrics.prometheusRule.alertLabels": {"team": "platform"},
            "metrics.prometheusRule.runbookUrl": "https://wiki.example.com/operations",
        }
    )

    (rule,) = objects.of("PrometheusRule")
    namespace = rule["metadata"]["namespace"]
    assert labels(rule)["release"] == "prometheus"
    written = {item["alert"]: item for item in promql.alerts()}
    found = rules(objects)
    assert {item["alert"] for item in found} == written.keys()
    for item in found:
        assert f'namespace="{namespace}"' in item["expr"]
        assert "RELEASE_NAMESPACE" not in item["expr"]
        assert item["labels"] == written[item["alert"]]["labels"] | {"team": "platform"}
        assert item["annotations"]["runbook_url"] == (
            f"https://wiki.example.com/operations#{item['alert'].lower()}"
        )


def test_an_alert_without_a_wiki_names_the_page_of_the_documentation(release: Release) -> None:
    for item in rules(release({"metrics.prometheusRule.enabled": True})):
        assert item["annotations"]["runbook"] == f"docs/operations.md#{item['alert'].lower()}"


def test_an_alert_can_be_left_out(release: Release) -> None:
    objects = release(
        {
            "metrics.prometheusRule.enabled": True,
            "metrics.prometheusRule.disabledAlerts": ["StackChainFailed"],
        }
    )

    left = {item["alert"] for item in rules(objects)}
    assert {item["alert"] for item in promql.alerts()} - left == {"StackChainFailed"}


def test_the_dashboard_is_found_by_the_sidecar_of_grafana(release: Release) -> None:
    objects = release(
        {"metrics.dashboards.enabled": True, "metrics.dashboards.annotations": {"folder": "Ops"}}
    )

    (found,) = dashboards(objects)
    assert found["metadata"]["annotations"]["folder"] == "Ops"
    assert json.loads(found["data"]["stackchain.json"]) == promql.dashboard()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param(
            {"metrics.serviceMonitor.enabled": True, "metrics.podMonitor.enabled": True},
            "each pod would be scraped twice",
            id="two monitors",
        ),
        pytest.param(
            {"metrics.prometheusRule.disabledAlerts": ["StackChainFaild"]},
            "there is no alert StackChainFaild; there are ",
            id="an alert that there is not",
        ),
        pytest.param(
            {"metrics.podMonitor.interval": "often"}, "at '/metrics/podMonitor/interval'", id="time"
        ),
        pytest.param({"metrics.grafana": {}}, "at '/metrics'", id="unknown key"),
    ],
)
def test_values_that_cannot_be_meant_are_refused(
    helm: helms.Helm, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(helms.HelmRefused) as refused:
        helm.template(values=charts.values(changes))

    assert says in str(refused.value)


def test_what_an_alert_says_to_raise_is_a_value_of_the_chart() -> None:
    """The chart sets the variables behind them itself, and refuses them in `extraEnv`."""
    values = yaml.safe_load((helms.CHART / "values.yaml").read_text())
    advice = " ".join(item["annotations"]["description"] for item in promql.alerts())

    named = re.findall(r"`((?:operator|worker|webhook|spacelift|temporal)\.[a-zA-Z.]+)`", advice)

    assert named
    for path in named:
        place = values
        for key in path.split("."):
            assert key in place, path
            place = place[key]
    assert not re.findall(r"\b(?:WORKER|SPACELIFT|WEBHOOK|NOTIFICATIONS)_[A-Z_]+", advice)


def test_a_panel_with_a_runbook_links_to_its_section_where_there_is_a_wiki(
    release: Release,
) -> None:
    objects = release(
        {
            "metrics.dashboards.enabled": True,
            "metrics.prometheusRule.runbookUrl": "https://wiki.example.com/operations",
        }
    )

    (found,) = dashboards(objects)
    (text,) = found["data"].values()
    panels = [panel for panel in json.loads(text)["panels"] if panel["type"] != "row"]
    named = {
        panel["title"]: match[1].lower()
        for panel in panels
        if (match := re.search(r"Runbook: (StackChain\w+)", panel["description"]))
    }
    linked = {panel["title"]: panel["links"][0]["url"] for panel in panels if panel.get("links")}
    assert len(named) > 10
    assert linked == {
        title: f"https://wiki.example.com/operations#{section}" for title, section in named.items()
    }

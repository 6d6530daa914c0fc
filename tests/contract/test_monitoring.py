"""Alerts and dashboard of the chart against what the code says it exposes, and against the docs."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from controller.api import reasons, v1alpha1
from controller.observability import metrics
from controller.operator import chain_troubles
from controller.spacelift import errors
from controller.webhook import payload, receiver, refusals, wake_queue
from tests.support import promql

DOCS = Path(__file__).parents[2] / "docs"
OPERATIONS, WEBHOOKS = DOCS / "operations.md", DOCS / "webhooks.md"
# A setting of the tests, not of the product.
PROMTOOL = os.environ.get("PROMTOOL") or shutil.which("promtool")  # noqa: TID251

QUERIES = promql.queries()
ALERTS = promql.alerts()


def exposed() -> dict[str, set[str]]:
    """Return the labels of each sample that a process may expose, by name."""
    samples = {
        f"process_{name}": set[str]() for name in ("resident_memory_bytes", "cpu_seconds_total")
    }
    for row in metrics.describe_metrics():
        labels = set(row.labels)
        if row.type == "histogram":
            samples |= {f"{row.name}_{end}": labels for end in ("sum", "count")}
            samples[f"{row.name}_bucket"] = labels | {"le"}
        else:
            samples[row.name] = labels
    return samples


def deliveries() -> set[str]:
    """Return the results of deliveries, as the page on webhooks has them."""
    table = WEBHOOKS.read_text().partition("## While something is down")[0]
    rows = [line.split("|") for line in table.splitlines() if re.match(r"\| [1-5]\d\d \|", line)]
    return {name for row in rows for name in re.findall("`(.+?)`", row[3])}


def test_the_page_has_every_result_of_a_delivery() -> None:
    """If it fails: the table of answers in docs/webhooks.md."""
    results = (*wake_queue.QueueResult, *payload.OtherNotification, *refusals.RefusalReason)

    assert deliveries() == {*results, receiver.FAILED}


def ids(items: list[promql.Query]) -> list[str]:
    return [f"{number} {item.where}" for number, item in enumerate(items)]


@pytest.mark.parametrize("query", QUERIES, ids=ids(QUERIES))
def test_a_query_names_only_what_processes_expose(query: promql.Query) -> None:
    assert promql.unmet(query, exposed()) == []


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("stackchain_chain > 0", ["metric stackchain_chain"]),
        ('stackchain_chains{phase="x"}', ["label phase of stackchain_chains"]),
        ("sum by (stack) (stackchain_chains)", ["label stack"]),
        ("stackchain_chains and on (uid) stackchain_lease_held", ["label uid"]),
    ],
)
def test_a_query_that_names_anything_else_is_found(text: str, missing: list[str]) -> None:
    assert promql.unmet(promql.Query(where="here", text=text), exposed()) == missing


def test_values_that_queries_match_are_values_that_there_are() -> None:
    """An alert on a reason that was renamed would never fire again."""
    outcomes = {kind.outcome for kind in errors.SpaceliftError.__subclasses__()} | {
        errors.SpaceliftError.outcome,
        "ok",
        # Of notifications.
        *("delivered", "unavailable", "given_up"),
    }
    known = {
        "reason": {
            *(item.value for item in (*reasons.ChainReason, *reasons.StackReason)),
            *metrics.WORK_REFUSALS,
        },
        "trouble": {item.value for item in chain_troubles.Trouble},
        "phase": {item.value for item in v1alpha1.Phase},
        "outcome": outcomes,
        "queue": {"worker", "follow", "notify", "operator"},
        "result": {"written", "unchanged", "conflict", "gone", "error", "ok", *deliveries()},
    }
    for query in QUERIES:
        for matchers in query.selectors().values():
            for label in matchers.keys() & known.keys():
                assert promql.alternatives([matchers[label]]) <= known[label], query.where


def test_every_reason_that_something_is_wrong_has_its_alert() -> None:
    fine = {
        reasons.ChainReason.PROGRESSING,
        reasons.ChainReason.RUN_SUCCEEDED,
        # Someone wants it so.
        reasons.ChainReason.SUSPENDED,
        reasons.ChainReason.NOT_REQUESTED,
        reasons.ChainReason.WINDOW_CLOSED,
        reasons.ChainReason.STACK_CANCELED,
        reasons.ChainReason.RUN_CANCELED,
        reasons.ChainReason.DELETING,
    }
    told = {
        reason
        for rule in ALERTS
        for matchers in promql.Query(where=rule["alert"], text=rule["expr"]).selectors().values()
        for reason in promql.alternatives([matchers.get("reason", "")])
    }

    assert set(reasons.ChainReason) - fine - told == set()


def test_every_metric_of_ours_is_on_the_dashboard_or_in_an_alert() -> None:
    asked = {name for query in QUERIES for name in query.selectors()}
    asked |= {re.sub("_(bucket|sum|count)$", "", name) for name in asked}

    assert {row.name for row in metrics.describe_metrics()} - asked == set()


def test_every_alert_has_its_section_in_the_documentation_and_the_other_way_round() -> None:
    sections = re.findall(r"^### (StackChain\w+)$", OPERATIONS.read_text(), re.MULTILINE)

    assert sorted(sections) == sorted(rule["alert"] for rule in ALERTS)


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_wrong_and_what_to_do(rule: promql.Body) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["annotations"].keys() == {"summary", "description"}
    assert len(rule["annotations"]["description"]) > 80
    assert 'namespace="RELEASE_NAMESPACE"' in rule["expr"]
    named = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
    query = promql.Query(where=rule["alert"], text=rule["expr"])
    assert named <= query.grouped_by()


def test_names_of_alerts_are_given_once() -> None:
    names = [rule["alert"] for rule in ALERTS]

    assert len(set(names)) == len(names)


def test_panels_have_their_places() -> None:
    panels = promql.dashboard()["panels"]
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)


NEUTRAL_PANELS = {
    "StackChains",
    "Running",
    "Chains without their own series",
    "Runs started",
    "Memory",
}
"""Whatever these show, there is nothing to do that a section says."""


def test_a_panel_whose_value_can_be_bad_names_a_section_that_there_is() -> None:
    sections = {rule["alert"] for rule in ALERTS}
    named = {
        panel["title"]: re.findall(
            r" Runbook: (StackChain\w+) in docs/operations\.md\.$", panel["description"]
        )
        for panel in promql.panels()
    }

    assert {title for title, found in named.items() if not found} == NEUTRAL_PANELS
    assert {section for found in named.values() for section in found} <= sections


# Prometheus' own tool, which no registry that tests use has; Debian's package `prometheus` does.
if PROMTOOL:

    def run_promtool(*arguments: str) -> str:
        done = subprocess.run(
            (str(PROMTOOL), *arguments), capture_output=True, text=True, check=False, timeout=600
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def test_prometheus_accepts_the_rules() -> None:
        run_promtool("check", "rules", *map(str, sorted(promql.CHART.glob("alerts/*.yaml"))))

    def test_alerts_fire_when_they_should_and_not_before() -> None:
        run_promtool("test", "rules", str(Path(__file__).parent / "alerts" / "tests.yaml"))

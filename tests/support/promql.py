"""The queries of alerts and dashboard, and what they name, by a parser of Prometheus' language."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import promql_parser
import yaml
from promql_parser import AggregateExpr, BinaryExpr, Expr, VectorSelector

CHART = Path(__file__).parents[2] / "charts" / "stackchain"
DASHBOARD = CHART / "dashboards" / "stackchain.json"

# What Prometheus adds to a series of ours: where it was read.
TARGET_LABELS = frozenset({"namespace", "pod", "component", "job", "instance"})
# What Grafana puts in before it sends a query.
_GRAFANA = {"$__rate_interval": "5m", "$namespace": ".*"}

Body = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """One query; `where` names the alert or the panel."""

    where: str
    text: str

    @property
    def sent(self) -> str:
        """The query as Prometheus gets it."""
        text = self.text
        for variable, value in _GRAFANA.items():
            text = text.replace(variable, value)
        return text

    @property
    def parsed(self) -> Expr:
        return promql_parser.parse(self.sent)

    def selectors(self) -> dict[str, dict[str, str]]:
        """Return what is matched of each metric: label to value or alternatives, by metric."""
        found: dict[str, dict[str, str]] = {}

        def visit(node: Expr) -> bool:
            if isinstance(node, VectorSelector):
                matchers = {item.name: item.value for item in node.matchers.matchers}
                found.setdefault(node.name, {}).update(matchers)
            return True

        promql_parser.walk(self.parsed, visit)
        return found

    def grouped_by(self) -> set[str]:
        """Return the labels by which series are put together or matched."""
        found: set[str] = set()

        def visit(node: Expr) -> bool:
            if isinstance(node, AggregateExpr) and node.modifier is not None:
                found.update(node.modifier.labels)
            if isinstance(node, BinaryExpr) and node.modifier is not None:
                found.update(node.modifier.matching.labels if node.modifier.matching else ())
            return True

        promql_parser.walk(self.parsed, visit)
        return found


def alerts() -> list[Body]:
    """Return all alerting rules, as they are in the chart."""
    return [
        rule
        for path in sorted(CHART.glob("alerts/*.yaml"))
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
    ]


def dashboard() -> Body:
    document: Body = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return document


def panels() -> list[Body]:
    """Return the panels that show something."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def queries() -> list[Query]:
    """Return every query that the chart brings."""
    of_alerts = [Query(where=rule["alert"], text=rule["expr"]) for rule in alerts()]
    of_panels = [
        Query(where=f"panel {panel['title']}", text=target["expr"])
        for panel in panels()
        for target in panel["targets"]
    ]
    return [*of_alerts, *of_panels]


def unmet(query: Query, exposed: dict[str, set[str]]) -> list[str]:
    """Name what a query asks for and no process exposes.

    Args:
        query: the query.
        exposed: the labels of each sample that processes expose, by its name.
    """
    missing: list[str] = []
    known: set[str] = set(TARGET_LABELS)
    for metric, matchers in query.selectors().items():
        if metric not in exposed:
            missing.append(f"metric {metric}")
            continue
        known |= exposed[metric]
        strange = matchers.keys() - exposed[metric] - TARGET_LABELS
        missing += [f"label {label} of {metric}" for label in sorted(strange)]
    missing += [f"label {label}" for label in sorted(query.grouped_by() - known)]
    return missing


def alternatives(values: Iterable[str]) -> set[str]:
    """Return the values that matchers name: `a|b` is two."""
    return {part for value in values for part in re.split(r"\|", value)}

"""What a real Prometheus answers to the panels of the chart's dashboard."""

import re
from dataclasses import dataclass
from typing import Any

from tests.support import promql
from tests.support.prometheus import Prometheus

# Grafana puts in four times the pause between two readings, or more; here a second is read.
_RATE_INTERVAL = "15s"

Panel = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Series:
    """A line of a panel: its name in the legend, and its values by time."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A panel, and what was found for it."""

    panel: Panel
    series: tuple[Series, ...]
    rows: tuple[dict[str, str], ...] = ()


async def ask(prometheus: Prometheus, title: str, *, since: float, until: float) -> Answer:
    """Ask all queries of a panel."""
    panel = next(panel for panel in promql.panels() if panel["title"] == title)
    if panel["type"] == "table":
        return Answer(panel, (), await _rows(prometheus, panel))
    found = list[Series]()
    for target in panel["targets"]:
        answers = await prometheus.query_range(_text(target), since=since, until=until)
        found += [
            Series(
                _named(target["legendFormat"], answer["metric"]),
                tuple((float(at), float(value)) for at, value in answer["values"]),
            )
            for answer in answers
        ]
    return Answer(panel, tuple(found))


async def _rows(prometheus: Prometheus, panel: Panel) -> tuple[dict[str, str], ...]:
    """Merge the answers by their labels, and name and leave out columns as the panel says."""
    merged = dict[tuple[str, str], dict[str, str]]()
    organize = panel["transformations"][-1]["options"]
    for target in panel["targets"]:
        for answer in await prometheus.query(_text(target)):
            labels = answer["metric"]
            row = merged.setdefault((labels["chain_namespace"], labels["chain"]), {})
            row.update(labels)
            row[f"Value #{target['refId']}"] = answer["value"][1]
    return tuple(
        {
            organize["renameByName"].get(name, name): value
            for name, value in row.items()
            if not organize["excludeByName"].get(name)
        }
        for _, row in sorted(merged.items())
        # Only the first query says which chains need someone.
        if "reason" in row
    )


def _text(target: dict[str, str]) -> str:
    text = target["expr"].replace("$namespace", ".+").replace("$__rate_interval", _RATE_INTERVAL)
    assert "$" not in text, text
    return text


def _named(legend: str, labels: dict[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), legend)

"""docs/spec.md has every field of the spec, with its default and what a change of it does."""

import re
from pathlib import Path
from typing import Any

import pytest

from controller.api import v1alpha1
from controller.chain.requests import handling
from tests.support import definition
from tests.support.builders import make_body

PAGE = Path(__file__).parents[2] / "docs" / "spec.md"
FIELDS = {path.removeprefix("spec."): field for path, field in definition.spec_fields().items()}

# One other value for each field that is no part of another one.
CHANGED: dict[str, Any] = {
    "roots.stackIds": ["a", "b"],
    "roots.labels": ["layer:other"],
    "graph.direction": "Upstream",
    "graph.sources": ["Labels"],
    "graph.includeRoots": False,
    "graph.maxDepth": 3,
    "graph.maxStacks": 60,
    "graph.exclude.stackIds": ["x"],
    "graph.exclude.labels": ["x"],
    "operation": "Plan",
    "destroyConfirmation": "chain",
    "commitSHA": "abcdef1",
    "runtimeEnvironment": [{"name": "a", "value": "1"}],
    "startPolicy": "OnRequest",
    "schedule.cron": "0 7 * * *",
    "schedule.timeZone": "Europe/Berlin",
    "schedule.startingDeadlineSeconds": 60,
    "triggers": [{"type": "RootRunFinished"}],
    "suspend": True,
    "parallelism": 3,
    "nativeRuns": "Replace",
    "concurrencyPolicy": "Replace",
    "failurePolicy": "FailFast",
    "retry.limit": 3,
    "retry.backoffSeconds": 5,
    "retry.maxBackoffSeconds": 60,
    "confirmationPolicy": "Auto",
    "confirmationDeadlineSeconds": 60,
    "stackDeadlineSeconds": 60,
    "activeDeadlineSeconds": 60,
    "deletionPolicy": "Orphan",
    "historyLimit": 3,
}


def rows() -> list[list[str]]:
    """Return field, default, meaning and what a change does, of both tables."""
    lines = re.findall(r"^\| `.*\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [[row[0].strip("`"), *row[1:]] for row in cells if len(row) == 4]


ROWS = rows()


def test_the_page_has_every_field_of_the_spec_once_and_no_other() -> None:
    assert sorted(row[0] for row in ROWS) == sorted(FIELDS)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_the_page_has_the_default_of_each_field(row: list[str]) -> None:
    name, default, meaning, _ = row
    field = FIELDS[name]

    assert meaning.endswith(".")
    if "default" not in field or field["type"] == "object":
        assert default in ("", "none", "no limit", "required")
        return
    value = field["default"]
    shown = ", ".join(value) if isinstance(value, list) else str(value)
    assert default.strip("`") == (shown.lower() if isinstance(value, bool) else shown)


def test_a_field_is_called_required_if_it_is() -> None:
    schema = definition.schema()["properties"]["spec"]
    parts = {
        name: part.get("items", part).get("required", [])
        for name, part in schema["properties"].items()
    }
    required = {f"{name}.{inner}" for name, inners in parts.items() for inner in inners}

    assert {row[0] for row in ROWS if row[1] == "required"} == {*schema["required"], *required}


def digest_with(name: str, value: Any) -> str:
    roots = {"labels": ["x"]} if name == "roots.labels" else {"stackIds": ["a"]}
    spec: dict[str, Any] = {"roots": roots}
    *parts, last = name.split(".")
    place = spec
    for part in parts:
        place = place.setdefault(part, {"cron": "@daily"} if part == "schedule" else {})
    place[last] = value
    return handling.spec_digest(v1alpha1.parse(make_body(spec)).spec)


def unchanged_digest(name: str) -> str:
    of_labels = name == "roots.labels"
    return digest_with(*(("roots.labels", ["x"]) if of_labels else ("roots.stackIds", ["a"])))


@pytest.mark.parametrize("name", CHANGED)
def test_a_change_starts_a_run_if_and_only_if_the_page_says_so(name: str) -> None:
    (change,) = (row[3] for row in ROWS if row[0] == name)

    is_other = digest_with(name, CHANGED[name]) != unchanged_digest(name)

    assert is_other is (change == "starts a run")
    assert change in ("starts a run", "live", "next run")


def test_every_field_is_changed_here() -> None:
    """Beside what cannot be changed, and parts of which a field is changed.

    Lists are changed as a whole.
    """
    inner = {name for name in FIELDS if any(other.startswith(f"{name}.") for other in FIELDS)}
    lists = {"runtimeEnvironment", "triggers"}
    items = {name for name in FIELDS if name.partition(".")[0] in lists} - lists

    assert set(CHANGED) == set(FIELDS) - (inner - lists) - items - {"connectionName"}
    assert next(row[3] for row in ROWS if row[0] == "connectionName") == "none"


def test_what_reaches_the_live_run_is_what_the_design_says() -> None:
    assert {row[0] for row in ROWS if row[3] == "live"} == {"parallelism", "suspend"}


@pytest.mark.parametrize(
    "field",
    sorted({rule["fieldPath"] for rule in definition.rules() if "fieldPath" in rule}),
)
def test_the_page_tells_of_each_rule_between_fields(field: str) -> None:
    """A rule points at a field; the page has it where it says what does not go together."""
    _, part = PAGE.read_text(encoding="utf-8").split("Deadlines are seconds")

    assert field.rpartition(".")[2] in part

"""docs/spec.md has every field of the spec, with its default and what a change of it does."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.api import v1alpha1
from controller.chain.requests import handled_asks
from tests.support import definition
from tests.support.builders import make_body
from tests.support.spec_values import OTHER_VALUES, spec_of

PAGE = Path(__file__).parents[2] / "docs" / "spec.md"
FIELDS = {path.removeprefix("spec."): field for path, field in definition.spec_fields().items()}

# What cannot be changed is not tried.
CHANGED = {name: value for name, value in OTHER_VALUES.items() if name != "connectionName"}


def rows() -> list[list[str]]:
    """Return field, default, meaning and the effect of a change, from both tables."""
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
    def required(schema: dict[str, Any], path: str) -> Iterator[str]:
        yield from (f"{path}{name}" for name in schema.get("required", []))
        for name, part in schema.get("properties", {}).items():
            yield from required(part.get("items", part), f"{path}{name}.")

    found = set(required(definition.schema()["properties"]["spec"], ""))
    assert {row[0] for row in ROWS if row[1] == "required"} == found


# What a part of the spec has to have, whatever else it has.
WITH: dict[str, dict[str, Any]] = {
    "schedule": {"schedule.cron": "@daily"},
    "window": {"window.cron": "@daily", "window.durationSeconds": 60},
}


def digest_with(name: str, value: Any) -> str:
    least = {"roots.labels": ["x"]} if name == "roots.labels" else {"roots.stackIds": ["a"]}
    spec = spec_of({**least, **WITH.get(name.partition(".")[0], {}), name: value})
    return handled_asks.spec_digest(v1alpha1.parse(make_body(spec)).spec)


def unchanged_digest(name: str) -> str:
    of_labels = name == "roots.labels"
    return digest_with(*(("roots.labels", ["x"]) if of_labels else ("roots.stackIds", ["a"])))


@pytest.mark.parametrize("name", CHANGED)
def test_a_change_starts_a_run_if_and_only_if_the_page_says_so(name: str) -> None:
    (change,) = (row[3] for row in ROWS if row[0] == name)

    is_other = digest_with(name, CHANGED[name]) != unchanged_digest(name)

    # A token alone asks for a run, without being a part of what is run.
    assert (is_other or name == "runToken") is (change == "starts a run")
    assert change in ("starts a run", "live", "next run")


def test_there_is_another_value_for_every_field() -> None:
    """A field with parts has one for each part; a list has one as a whole.

    If it fails: `tests/support/spec_values.py`.
    """
    inner = {name for name in FIELDS if any(other.startswith(f"{name}.") for other in FIELDS)}
    lists = {"dependsOn", "runtimeEnvironment", "stages", "triggers"}
    items = {name for name in FIELDS if name.partition(".")[0] in lists} - lists

    assert set(OTHER_VALUES) == set(FIELDS) - (inner - lists) - items
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

"""Writes the tables that the code knows into the pages under docs/, between their markers.

`python hack/generate_docs.py` writes, `python hack/generate_docs.py --check` only compares. A table
is between `<!-- generated: NAME -->` and `<!-- end -->`; everything else on a page is prose.
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from controller.api import reasons, transition_kinds
from controller.config import settings
from controller.notify import templates
from controller.observability import metrics
from devenv import scale

DOCS = Path(__file__).parents[1] / "docs"
DEFINITION = DOCS.parent / "crds" / "stackchains.stackchain.dev.yaml"

_CHAIN_RUNS = (100, 1_000, 10_000)

# A markdown table needs a blank line before it, even right after a comment.
_BLOCK = re.compile(r"<!-- generated: (?P<name>[\w-]+) -->\n(?P<table>.*?)<!-- end -->", re.DOTALL)


def chain_reasons() -> str:
    """Return the table of `ChainReason`."""
    return _reasons(reasons.CHAIN_MEANINGS)


def stack_reasons() -> str:
    """Return the table of `StackReason`."""
    return _reasons(reasons.STACK_MEANINGS)


def events_table() -> str:
    """Return the table of Events, one for each kind of transition."""
    rows = (
        (
            meaning.event_reason or f"`{kind}`",
            "Warning" if meaning.is_warning else "Normal",
            meaning.when,
        )
        for kind, meaning in transition_kinds.MEANINGS.items()
    )
    return _table(("reason", "type", "when"), rows)


def transitions_table() -> str:
    """Return the table of the transitions that a sink may ask for."""
    rows = (
        (f"`{kind}`", "each stack" if meaning.is_of_stack else "the chain", meaning.when)
        for kind, meaning in transition_kinds.MEANINGS.items()
    )
    return _table(("transition", "of", "when"), rows)


def placeholders_table() -> str:
    """Return the table of what a template may name."""
    rows = ((f"`${{{name}}}`", fact.meaning) for name, fact in templates.PLACEHOLDERS.items())
    return _table(("placeholder", "stands for"), rows)


def settings_table() -> str:
    """Return the table of environment variables."""
    rows = ((f"`{row.variable}`", row.default, row.meaning) for row in settings.describe_settings())
    return _table(("variable", "default", "meaning"), rows)


def metrics_table() -> str:
    """Return the table of metrics."""
    rows = (
        (f"`{row.name}`", row.type, ", ".join(f"`{label}`" for label in row.labels), row.meaning)
        for row in metrics.describe_metrics()
    )
    return _table(("metric", "type", "labels", "meaning"), rows)


def sizes_table() -> str:
    """Return what the sizing model says of three loads."""
    loads = [
        scale.Load(chain_runs=runs, stacks=12, run_hours=1 / 6, waiting_hours=1)
        for runs in _CHAIN_RUNS
    ]
    columns = [scale.rows_of(scale.size_of(load)) for load in loads]
    rows = ((cells[0][0], *(text for _, text in cells)) for cells in zip(*columns, strict=True))
    return _table(("chain runs a day", *(f"{runs:,}" for runs in _CHAIN_RUNS)), rows)


def sizing_formula() -> str:
    """Return how the sizing model counts Temporal's actions."""
    counts = scale.MEASURED
    return (
        f"`C * ({counts.actions_a_chain:g} + {counts.actions_a_stack:g} * S + "
        f"{counts.actions_a_run_hour:g} * S * R + {counts.actions_a_waiting_hour:g} * W) + "
        f"{counts.actions_a_busy_hour:g} * H`\n"
    )


def spec_fields() -> str:
    """Return a table for each object of the spec, with all of its fields."""
    return "\n".join(_object_tables("spec", _schema()["properties"]["spec"], has_defaults=True))


def status_fields() -> str:
    """Return a table for each object of the status, with all of its fields."""
    status = _schema()["properties"]["status"]
    return "\n".join(_object_tables("status", status, has_defaults=False))


def object_rules() -> str:
    """Return the rules that hold between fields of different objects."""
    return "".join(f"- {text}\n" for text in _messages(_schema()))


# Which page has which tables.
PAGES: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "api.md": {
        "object-rules": object_rules,
        "spec-fields": spec_fields,
        "status-fields": status_fields,
    },
    "metrics.md": {"metrics": metrics_table},
    "status.md": {
        "chain-reasons": chain_reasons,
        "stack-reasons": stack_reasons,
        "events": events_table,
    },
    "notifications.md": {"transitions": transitions_table, "placeholders": placeholders_table},
    "configuration.md": {"settings": settings_table},
    "sizing.md": {"sizes": sizes_table, "actions-formula": sizing_formula},
}


class MarkersMissing(Exception):
    """A page lacks the markers of a table, or has markers of a table that is not generated."""


def render(page: str, text: str) -> str:
    """Return the page with its tables as the code has them now.

    Raises:
        MarkersMissing: its markers are not those of its tables.
    """
    tables = PAGES[page]
    found = [match["name"] for match in _BLOCK.finditer(text)]
    if sorted(found) != sorted(tables):
        raise MarkersMissing(f"docs/{page} has markers for {found}, it needs {sorted(tables)}")

    def block(match: re.Match[str]) -> str:
        return f"<!-- generated: {match['name']} -->\n\n{tables[match['name']]()}\n<!-- end -->"

    return _BLOCK.sub(block, text)


def stale_pages(folder: Path = DOCS) -> list[str]:
    """Return the pages whose tables differ from what the code says."""
    pages = {page: (folder / page).read_text(encoding="utf-8") for page in PAGES}
    return [page for page, text in pages.items() if render(page, text) != text]


def write_pages(folder: Path = DOCS) -> None:
    """Bring every page up to date; one that does not exist yet starts with its markers alone."""
    for page, tables in PAGES.items():
        path = folder / page
        blank = "\n".join(f"<!-- generated: {name} -->\n<!-- end -->\n" for name in tables)
        text = path.read_text(encoding="utf-8") if path.exists() else blank
        path.write_text(render(page, text), encoding="utf-8")


@cache
def _schema() -> dict[str, Any]:
    document = yaml.safe_load(DEFINITION.read_text(encoding="utf-8"))
    (version,) = document["spec"]["versions"]
    schema: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return schema


def _object_tables(path: str, part: Mapping[str, Any], *, has_defaults: bool) -> Iterator[str]:
    """Yield a heading, a table and the rules for an object, and then for each object in it."""
    fields = part["properties"]
    required = part.get("required", ())
    heading = ("field", "type", *(("default",) if has_defaults else ()), "may be", "meaning")
    rows = (
        (
            f"`{name}`",
            _type(field),
            *((_default(field, is_required=name in required),) if has_defaults else ()),
            ", ".join(_allowed(field)),
            _meaning(f"{path}.{name}", field),
        )
        for name, field in fields.items()
    )
    is_inner = "." in path
    text = f"### `{path}`\n\n" + (f"{_prose(part['description'])}\n\n" if is_inner else "")
    text += _table(heading, rows)
    if rules := [*(_messages(part) if is_inner else ()), *_field_messages(fields)]:
        text += "\nThe API server refuses what breaks one of these rules:\n\n"
        text += "".join(f"- {rule}\n" for rule in rules)
    yield text
    for name, field in fields.items():
        if "properties" in (inner := field.get("items", field)):
            described = {"description": field.get("description", ""), **inner}
            mark = "[]" if "items" in field else ""
            yield from _object_tables(f"{path}.{name}{mark}", described, has_defaults=has_defaults)


def _type(field: Mapping[str, Any]) -> str:
    if "items" in field:
        return f"list of {_type(field['items'])}s"
    return "time" if field.get("format") == "date-time" else str(field["type"])


def _default(field: Mapping[str, Any], *, is_required: bool) -> str:
    if is_required:
        return "required"
    value = field.get("default", {})
    if isinstance(value, list):
        return ", ".join(f"`{item}`" for item in value)
    return "" if value == {} else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _meaning(path: str, field: Mapping[str, Any]) -> str:
    """Return what the description of a field says, and where its own fields are."""
    inner = field.get("items", field)
    meaning = _prose(field.get("description") or inner.get("description", ""))
    if "properties" not in inner:
        return meaning
    name = f"{path}[]" if "items" in field else path
    anchor = re.sub(r"[^\w-]", "", path.lower())
    return f"{meaning} Fields: [`{name}`](#{anchor})."


def _allowed(field: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a field may be, beyond its type."""
    yield from (f"`{value}`" for value in field.get("items", field).get("enum", ()))
    for low, high, what in (
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " items"),
    ):
        least, most = field.get(low), field.get(high)
        if least is not None and most is not None:
            yield f"{least:,}{what}" if least == most else f"{least:,} to {most:,}{what}"
        elif most is not None:
            yield f"at most {most:,}{what}"
        elif least is not None:
            yield f"at least {least:,}{what}"


def _field_messages(fields: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield the rules of fields that do not have their own table."""
    for name, field in fields.items():
        inner = field.get("items", field)
        if "properties" not in inner:
            for message in (*_messages(field), *(_messages(inner) if inner is not field else ())):
                yield message if message.startswith(name) else f"{name}: {message}"


def _messages(part: Mapping[str, Any]) -> list[str]:
    """Return the message of the API server for a broken rule."""
    return [f"{_prose(rule['message'])}." for rule in part.get("x-kubernetes-validations", ())]


def _prose(text: str) -> str:
    """Return a description as markdown: its angle brackets are placeholders, not elements."""
    return re.sub(r"([<>*_])", r"\\\1", " ".join(text.split()))


def _reasons(meanings: Mapping[str, reasons.ReasonMeaning]) -> str:
    rows = ((f"`{reason}`", meaning.means, meaning.do) for reason, meaning in meanings.items())
    return _table(("reason", "means", "what to do"), rows)


def _table(heading: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heading = tuple(heading)
    lines = [heading, tuple("---" for _ in heading), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def main(arguments: list[str] | None = None) -> int:
    """Write or check; returns the exit code."""
    parser = argparse.ArgumentParser(description="Write the generated tables of docs/.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail if one is stale")
    if not parser.parse_args(arguments).check:
        write_pages()
        return 0
    stale = stale_pages()
    for page in stale:
        sys.stderr.write(f"docs/{page} is stale: run `python hack/generate_docs.py`\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())

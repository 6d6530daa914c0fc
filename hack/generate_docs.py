"""Writes the tables that the code knows into the pages under docs/, between their markers.

`python hack/generate_docs.py` writes, `python hack/generate_docs.py --check` only compares. A table
stands between `<!-- generated: NAME -->` and `<!-- end -->`; everything else on a page is prose.
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from controller.api import reasons, transition_kinds
from controller.config import settings
from controller.notify import templates
from controller.observability import metrics

DOCS = Path(__file__).parents[1] / "docs"

# A markdown table needs a blank line before it, also right after a comment.
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


# Which page has which tables.
PAGES: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "status.md": {
        "chain-reasons": chain_reasons,
        "stack-reasons": stack_reasons,
        "events": events_table,
    },
    "notifications.md": {"transitions": transitions_table, "placeholders": placeholders_table},
    "configuration.md": {"settings": settings_table},
    "operations.md": {"metrics": metrics_table},
}


class MarkersMissing(Exception):
    """A page lacks the markers of a table, or has some of a table that nobody generates."""


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
    """Bring every page up to date; one that does not exist yet begins with its markers alone."""
    for page, tables in PAGES.items():
        path = folder / page
        blank = "\n".join(f"<!-- generated: {name} -->\n<!-- end -->\n" for name in tables)
        text = path.read_text(encoding="utf-8") if path.exists() else blank
        path.write_text(render(page, text), encoding="utf-8")


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

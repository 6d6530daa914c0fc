"""Writes the table of values into the chart's README, from the comments in its values.yaml.

`python hack/generate_chart_docs.py` writes; with `--check` it only compares. A comment that starts
with `# -- ` belongs to the value below it. A value without one is an error; a group needs none.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

CHART = Path(__file__).parents[1] / "charts" / "stackchain"

_MARKED = re.compile(r"<!-- generated: values -->\n.*?<!-- end -->", re.DOTALL)
_COMMENT = re.compile(r"\s*# -- (?P<text>.*)")
_KEY = re.compile(r"(?P<indent> *)(?P<key>\w+):")


class Value(NamedTuple):
    """One value that a person may set."""

    path: str
    default: str
    meaning: str


class Undocumented(Exception):
    """A value has no comment, or the README has no place for the table."""


def describe(text: str) -> Iterator[Value]:
    """Yield the values of a values.yaml in their order.

    Raises:
        Undocumented: one of them has no comment.
    """
    defaults = yaml.safe_load(text)
    meaning = ""
    path: list[str] = []
    for line in text.splitlines():
        if comment := _COMMENT.fullmatch(line):
            meaning = comment["text"]
            continue
        key = _KEY.match(line)
        if key is None or len(key["indent"]) // 2 > len(path):
            continue
        path = [*path[: len(key["indent"]) // 2], key["key"]]
        default = _at(defaults, path)
        if meaning:
            yield Value(".".join(path), json.dumps(default), meaning)
            meaning = ""
            # What is inside of a documented value is part of its default.
            path.pop()
        elif not isinstance(default, dict) or not default:
            raise Undocumented(f"values.yaml: {'.'.join(path)} has no comment `# -- ...`")


def _at(defaults: Any, path: list[str]) -> Any:
    for key in path:
        defaults = defaults[key]
    return defaults


def render(readme: str, values: str) -> str:
    """Return the README with the table as the values are now.

    Raises:
        Undocumented: a value without comment, or a README without markers.
    """
    if len(_MARKED.findall(readme)) != 1:
        raise Undocumented("README.md needs `<!-- generated: values -->` and `<!-- end -->` once")
    rows = [f"| `{v.path}` | `{_cell(v.default)}` | {_cell(v.meaning)} |" for v in describe(values)]
    table = "\n".join(["| value | default | meaning |", "| --- | --- | --- |", *rows])
    block = f"<!-- generated: values -->\n\n{table}\n\n<!-- end -->"
    return _MARKED.sub(lambda _: block, readme)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main(arguments: list[str] | None = None) -> int:
    """Write or check; returns the exit code."""
    parser = argparse.ArgumentParser(description="Write the table of values of the chart's README.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail if it is stale")
    readme = CHART / "README.md"
    old = readme.read_text(encoding="utf-8")
    new = render(old, (CHART / "values.yaml").read_text(encoding="utf-8"))
    if parser.parse_args(arguments).check:
        if old != new:
            sys.stderr.write(f"{readme} is stale: run `make chart-docs`\n")
        return int(old != new)
    readme.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

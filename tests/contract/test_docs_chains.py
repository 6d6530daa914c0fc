"""StackChains that the pages show have only known fields, and the operator can read them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.api import definition_fields, v1alpha1

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *ROOT.glob("docs/tasks/*.md")]
# Blocks of YAML, and what commands read from their input: `kubectl apply -f - <<EOF`.
_BLOCK = re.compile(r"^( *)```yaml\n(.*?)^\1```|<<'?(EOF|YAML)'?\n(.*?)^\3$", re.M | re.S)
# What a page has the shell fill in.
_VARIABLE = re.compile(r"\$[A-Z_]+")


def documents(text: str) -> Iterator[Any]:
    for indent, block, _, heredoc in _BLOCK.findall(text):
        plain = re.sub(rf"^{indent}", "", block, flags=re.M) or _VARIABLE.sub("vpc-prod", heredoc)
        yield from yaml.safe_load_all(plain)


def chains(text: str) -> list[dict[str, Any]]:
    """Return the StackChains of a page, whole ones and those that are shown by their spec alone."""
    found = (document for document in documents(text) if isinstance(document, dict))
    return [
        document
        for document in found
        if document.get("kind") == "StackChain" or set(document) == {"spec"}
    ]


def fields(value: Any, path: str) -> Iterator[str]:
    """Give the paths of all fields of a value; those of list items are below the list."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield f"{path}.{name}"
            yield from fields(below, f"{path}.{name}")
    if isinstance(value, list):
        for item in value:
            yield from fields(item, path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_chain_of_the_page_is_one(page: Path) -> None:
    shown = chains(page.read_text(encoding="utf-8"))
    unknown = {
        field
        for chain in shown
        for field in fields(chain["spec"], "spec")
        if field not in definition_fields.FIELDS
    }

    assert unknown == set()
    for chain in shown:
        if chain.get("kind") == "StackChain":
            metadata = {"namespace": "team", "uid": "1", "generation": 1, **chain["metadata"]}
            assert v1alpha1.parse({**chain, "metadata": metadata}).spec.roots is not None


def test_pages_show_chains() -> None:
    shown = [chain for page in PAGES for chain in chains(page.read_text(encoding="utf-8"))]

    assert len([chain for chain in shown if chain.get("kind") == "StackChain"]) > 8
    assert len([chain for chain in shown if "kind" not in chain]) > 5


def test_a_field_that_does_not_exist_is_seen() -> None:
    text = "```yaml\nspec:\n  stages:\n  - {name: dev, label: [a]}\n```\n"
    (chain,) = chains(text)

    assert "spec.stages.label" in set(fields(chain["spec"], "spec"))
    assert "spec.stages.label" not in definition_fields.FIELDS

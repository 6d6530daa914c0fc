"""Names: no metaphor that a newcomer cannot guess, and none that two classes share."""

import ast
import collections
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("controller", "devenv")
# Words that say nothing of what is inside to someone who has only read the glossary.
METAPHORS = {"turns", "telling", "census", "serving", "surplus", "acts", "begins", "teller"}


def modules() -> list[Path]:
    found = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    assert found
    return found


def classes(file: Path) -> list[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [node.name for node in tree.body if isinstance(node, ast.ClassDef)]


def words(name: str) -> set[str]:
    """Return the words of a name, in lower case, whether in CamelCase or snake_case."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def test_no_module_or_class_is_called_after_a_metaphor() -> None:
    named = [str(file.relative_to(ROOT)) for file in modules() if words(file.stem) & METAPHORS]
    named += [name for file in modules() for name in classes(file) if words(name) & METAPHORS]

    assert named == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_two_classes_have_one_name(package: str) -> None:
    found = collections.defaultdict(list)
    for file in sorted((ROOT / package).rglob("*.py")):
        for name in classes(file):
            found[name].append(str(file.relative_to(ROOT)))

    assert {name: files for name, files in found.items() if len(files) > 1} == {}


def test_every_init_is_empty() -> None:
    """The workflow sandbox, and whoever imports one module, loads them all."""
    inits = [file for file in modules() if file.name == "__init__.py"]

    assert [str(file.relative_to(ROOT)) for file in inits if file.read_text(encoding="utf-8")] == []

"""What the product says uses the words of a colleague, and none that are odd for a reader.

What to say instead is in `tests/support/plain_words.py`, which the pages are checked with as well.
"""

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.config import settings
from tests.support.plain_words import refused_words

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts/stackchain"
# What people read as it is, with its comments.
PLAIN_FILES = (
    "charts/stackchain/README.md",
    "charts/stackchain/Chart.yaml",
    "charts/stackchain/values.yaml",
    "charts/stackchain/ci/*.yaml",
    "charts/stackchain/templates/**/*.*",
    "examples/*.yaml",
)
# Whose docstrings and comments the people who change the program read.
SOURCE_FOLDERS = ("controller", "devenv", "hack", "plugin", "tests")
# A name of the program, such as the value of a label.
_CODE = re.compile(r"`[^`]*`")


def texts_of(source: str) -> Iterator[str]:
    """Yield the string literals of a module that may be shown: no docstrings."""
    tree = ast.parse(source)
    unseen = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in unseen:
            yield from [node.value] if isinstance(node.value, str) else []


def docstrings_of(source: str) -> Iterator[str]:
    """Yield the docstrings of a module, also those of fields and constants."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield text


def comments_of(source: str) -> Iterator[str]:
    """Yield the comments of a module; lines that follow each other are one, as they are read."""
    lines: list[str] = []
    last = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        row = token.start[0]
        if lines and row != last + 1:
            yield " ".join(lines)
            lines = []
        lines.append(token.string.lstrip("# "))
        last = row
    if lines:
        yield " ".join(lines)


def shown_in(path: Path) -> list[str]:
    """Return the texts of a module; a label's value is none."""
    return [text for text in texts_of(path.read_text(encoding="utf-8")) if text != "nobody"]


def values_of(document: Any, keys: Iterable[str]) -> Iterator[str]:
    """Yield the texts that have one of these keys, at any depth of a document."""
    match document:
        case dict():
            for key, value in document.items():
                if key in keys and isinstance(value, str):
                    yield value
                yield from values_of(value, keys)
        case list():
            for item in document:
                yield from values_of(item, keys)


def refused_in(texts: Iterable[str]) -> list[str]:
    return [text for text in texts if refused_words(_CODE.sub("-", text))]


@pytest.mark.parametrize(
    ("text", "is_refused"),
    [
        ("Mend that stack.", True),
        ("It goes on by itself.", True),
        ("Nobody confirmed it.", True),
        ("Fix that stack. It then continues automatically.", False),
        ("Recommended once.", False),
        ("Any number of\n    its own.", True),
        ("It is no valid name, or a text.", True),
        ("The result is `nobody`.", False),
        ("-----BEGIN CERTIFICATE-----", False),
        ("Besides, a stand-in for it.", False),
    ],
)
def test_refused(text: str, *, is_refused: bool) -> None:
    assert bool(refused_in([text])) is is_refused


def test_texts_are_found_at_any_depth() -> None:
    document = {"a": [{"title": "one", "b": {"title": {"title": "two"}}}], "title": 3}

    assert list(values_of(document, ("title",))) == ["one", "two"]


def test_docstrings_do_not_count() -> None:
    source = '"""Nobody."""\ndef f():\n    """Somebody."""\n    return "everybody"\n'

    assert list(texts_of(source)) == ["everybody"]


def test_the_code_says_none_of_them() -> None:
    found = {
        str(path.relative_to(ROOT)): refused
        for path in sorted((ROOT / "controller").rglob("*.py"))
        if (refused := refused_in(shown_in(path)))
    }

    assert found == {}


def test_docstrings_and_comments_are_found() -> None:
    source = (
        '"""Module."""\n'
        "# It goes\n"
        "# on.\n"
        "x = '# No comment.'  # After code.\n"
        '"""Constant."""\n'
        "\n"
        "# Apart.\n"
        "class C:\n"
        '    """Class."""\n'
        "    a: int\n"
        '    """Field."""\n'
    )

    assert sorted(docstrings_of(source)) == ["Class.", "Constant.", "Field.", "Module."]
    assert list(comments_of(source)) == ["It goes on. After code.", "Apart."]
    assert refused_in(comments_of(source)) == ["It goes on. After code."]


@pytest.mark.parametrize("folder", SOURCE_FOLDERS)
def test_docstrings_and_comments_say_none_of_them(folder: str) -> None:
    paths = sorted((ROOT / folder).rglob("*.py"))
    sources = {path: path.read_text(encoding="utf-8") for path in paths}
    found = {
        str(path.relative_to(ROOT)): refused
        for path, source in sources.items()
        if (refused := refused_in([*docstrings_of(source), *comments_of(source)]))
    }

    assert paths != []
    assert found == {}


def test_the_settings_say_none_of_them() -> None:
    assert refused_in(row.meaning for row in settings.describe_settings()) == []


def test_the_definition_says_none_of_them() -> None:
    (path,) = (ROOT / "crds").glob("*.yaml")
    texts = list(values_of(yaml.safe_load(path.read_text("utf-8")), ("description", "message")))

    assert len(texts) > 200
    assert refused_in(texts) == []


def test_alerts_and_dashboards_say_none_of_them() -> None:
    documents = [
        yaml.safe_load(path.read_text("utf-8"))
        for kind in ("alerts/*.yaml", "dashboards/*.json")
        for path in CHART.glob(kind)
    ]
    keys = ("summary", "description", "title", "legendFormat", "label")
    texts = list(values_of(documents, keys))

    assert len(texts) > 100
    assert refused_in(texts) == []


@pytest.mark.parametrize("pattern", PLAIN_FILES)
def test_the_chart_and_the_examples_say_none_of_them(pattern: str) -> None:
    paths = sorted(ROOT.glob(pattern))
    found = {
        str(path.relative_to(ROOT)): refused
        for path in paths
        if (refused := refused_words(_CODE.sub("-", path.read_text(encoding="utf-8"))))
    }

    assert paths != []
    assert found == {}


def test_the_schema_of_the_values_says_none_of_them() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))

    assert refused_in(values_of(schema, ("description", "title"))) == []


def test_the_page_says_none_of_them() -> None:
    comments = re.compile(
        r"/\*.*?\*/|^\s*//[^\n]*|radial-gradient\(circle", re.DOTALL | re.MULTILINE
    )
    found = {
        str(path.relative_to(ROOT)): refused
        for path in sorted((ROOT / "ui" / "src").rglob("*.ts"))
        if (refused := refused_words(comments.sub("", path.read_text(encoding="utf-8"))))
    }

    assert found == {}

"""What the product says uses the words of a colleague, and none that are odd for a reader."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.plain_words import refused_words

ROOT = Path(__file__).parents[2]
# The label of a metric, which alerts match.
LABELS = {
    "Wakes of a stack, by kind (execution, root_sweep) and result (woken, nobody, refused, "
    "given_up, failed).",
    "nobody",
}


def texts_of(source: str) -> Iterator[str]:
    """Yield the string literals of a module that may be shown: no docstrings."""
    tree = ast.parse(source)
    unseen = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in unseen:
            yield from [node.value] if isinstance(node.value, str) else []


def refused_in(texts: Iterator[str]) -> list[str]:
    return [text for text in texts if text not in LABELS and refused_words(text)]


@pytest.mark.parametrize(
    ("text", "is_refused"),
    [
        ("Mend that stack.", True),
        ("It goes on by itself.", True),
        ("Nobody confirmed it.", True),
        ("Fix that stack. It then continues automatically.", False),
        ("Recommended once.", False),
    ],
)
def test_refused(text: str, *, is_refused: bool) -> None:
    assert bool(refused_in(iter([text]))) is is_refused


def test_docstrings_do_not_count() -> None:
    source = '"""Nobody."""\ndef f():\n    """Somebody."""\n    return "everybody"\n'

    assert list(texts_of(source)) == ["everybody"]


def test_the_code_says_none_of_them() -> None:
    found = {
        str(path.relative_to(ROOT)): refused
        for path in sorted((ROOT / "controller").rglob("*.py"))
        if (refused := refused_in(texts_of(path.read_text(encoding="utf-8"))))
    }

    assert found == {}


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

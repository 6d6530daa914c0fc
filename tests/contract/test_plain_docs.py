"""The pages use the words of a colleague: no refused word in their prose.

Code, the targets of links and HTML comments are not prose. Decisions (`docs/adr`) are records of
their time, so neither they nor the links with their titles are checked.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.plain_words import refused_words

ROOT = Path(__file__).parents[2]
_PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "docs/*.md")
_DECISIONS = "docs/adr/"
_NOT_PROSE = re.compile(
    r"^ *(?P<fence>```+|~~~+).*?^ *(?P=fence) *$"
    r"|<!--.*?-->"
    r"|(?P<ticks>`+)(?!`)(?:(?!\n\s*\n).)+?(?<!`)(?P=ticks)(?!`)"
    r"|\[[^\]]*\]\((?:[^)]*/)?adr/[^)]*\)"
    r"|(?<=\])\([^)\s]*\)",
    re.DOTALL | re.MULTILINE,
)


def pages() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", *_PAGES], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return sorted(
        name
        for name in listed.stdout.split("\0")
        if name and not name.startswith(_DECISIONS) and (ROOT / name).is_file()
    )


def prose(text: str) -> str:
    """Return a page with a dash where it has no prose, and with the lines that it had."""
    return _NOT_PROSE.sub(lambda other: "-" + "\n" * other[0].count("\n"), text)


def refused_in(text: str) -> Iterator[str]:
    """Yield each refused word after its line; a phrase may span several lines."""
    line = 1
    for paragraph in re.split(r"(\n\s*\n)", prose(text)):
        yield from (f"{line}: {word}" for word in refused_words(paragraph))
        line += paragraph.count("\n")


@pytest.mark.parametrize("name", pages())
def test_a_page_has_no_refused_word(name: str) -> None:
    """If it fails: `tests/support/plain_words.py` has what to say instead.

    The number is the line on which the paragraph starts.
    """
    found = list(refused_in((ROOT / name).read_text(encoding="utf-8")))

    assert found == [], "\n".join(found)


def test_all_pages_but_decisions_are_looked_at() -> None:
    found = pages()

    assert {"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"} < set(found)
    assert {"docs/README.md", "docs/tasks/retry.md"} < set(found)
    assert [name for name in found if "/adr/" in name] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("# It is mended\n\nIt runs by\nitself.\n", ["1: mended", "3: by itself"]),
        ("One.\n\n\n| a | nobody |\n", ["4: nobody"]),
        ("The `nobody` label, ``a `nobody` `` too.\n", []),
        ("A ` alone.\n\nSomebody `code`.\n", ["3: Somebody"]),
        ("```\nnobody\n```\n\n<!-- nobody\n-->\nSomebody.\n", ["7: Somebody"]),
        ("- One:\n\n  ```yaml\n  nobody: 1\n  ```\n\n  Somebody.\n", ["7: Somebody"]),
        ("[Somebody](nobody.md) came.\n", ["1: Somebody"]),
        ("- [0009 A queue of their own](adr/0009-a-queue.md)\n", []),
        ("In place\n\nof the file.\n", []),
    ],
)
def test_what_is_prose(text: str, found: list[str]) -> None:
    assert list(refused_in(text)) == found

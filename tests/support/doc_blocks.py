"""Command blocks of a page of the docs, and what happens between them.

A fenced block without a language, or of a shell, is one of commands. Its lines that start with `$ `
are commands, each followed by what it prints; without such a line the block is a script. HTML
comments say the rest:

    <!-- not run: WHY -->           the next block is only shown
    <!-- none is run: WHY -->       no block of the page is run
    <!-- file: NAME -->             the next block is what a file holds
    <!-- run: COMMANDS -->          commands that the reader need not see
    <!-- meanwhile: COMMANDS -->    the same, side by side with the next block
    <!-- account: FILE -->          a new account, of that scenario
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

ROOT = Path(__file__).parents[2]
_SHELLS = frozenset({"", "sh", "bash", "console", "shell"})
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\s*$")
_PROMPT = "$ "
_HEREDOC = re.compile(r"<<-?\s*'?(\w+)'?")


class Mark(StrEnum):
    """What a comment says."""

    NOT_RUN = "not run"
    NONE_IS_RUN = "none is run"
    FILE = "file"
    RUN = "run"
    MEANWHILE = "meanwhile"
    ACCOUNT = "account"


# Of other tools, as are those without a colon.
_OTHERS = re.compile(r"generated: .*")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment that is meant for the test."""

    line: int
    mark: Mark
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block with the comments right above it."""

    line: int
    language: str
    lines: tuple[str, ...]
    marks: dict[Mark, str] = field(default_factory=dict)

    @property
    def is_of_commands(self) -> bool:
        return self.language in _SHELLS

    @property
    def is_run(self) -> bool:
        return self.is_of_commands and not self.marks.keys() & {Mark.NOT_RUN, Mark.FILE}

    @property
    def commands(self) -> list["Command"]:
        """The commands of the block, each with what it prints: None where the page says nothing."""
        if not any(line.startswith(_PROMPT) for line in self.lines):
            return [Command(self.line + 1, "\n".join(self.lines), None)]
        return list(_session(self.line + 1, list(self.lines)))


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a page, or a script of several."""

    line: int
    text: str
    expected: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Page:
    """The blocks and comments of a page, in order."""

    path: Path
    parts: tuple[Block | Comment, ...]
    problems: tuple[str, ...]
    why_none_is_run: str = ""

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def blocks(self) -> list[Block]:
        return [part for part in self.parts if isinstance(part, Block)]

    @property
    def is_run(self) -> bool:
        return not self.why_none_is_run and any(block.is_run for block in self.blocks)


def pages() -> list[Page]:
    """Return README and all pages of docs/ but the decisions."""
    docs = ROOT / "docs"
    found = sorted(path for path in docs.rglob("*.md") if docs / "adr" not in path.parents)
    return [parse(path, path.read_text(encoding="utf-8")) for path in (ROOT / "README.md", *found)]


def parse(path: Path, text: str) -> Page:
    """Read the blocks and comments of a page."""
    reader = _Reader()
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        at = reader.read(lines, at)
    reader.expect_no_marks(len(lines))
    return Page(path, tuple(reader.parts), tuple(reader.problems), reader.why_none_is_run)


class _Reader:
    def __init__(self) -> None:
        self.parts: list[Block | Comment] = []
        self.problems: list[str] = []
        self.why_none_is_run = ""
        self._marks: dict[Mark, str] = {}

    def read(self, lines: list[str], at: int) -> int:
        """Read the part that starts at a line, and return where the next one starts."""
        if fence := _FENCE.match(lines[at]):
            end = _end_of_fence(lines, at, fence["indent"])
            inside = (line.removeprefix(fence["indent"]) for line in lines[at + 1 : end])
            self.parts.append(Block(at + 1, fence["language"], tuple(inside), self._marks))
            self._marks = {}
            return end + 1
        if lines[at].lstrip().startswith("<!--"):
            end = next(i for i in range(at, len(lines)) if "-->" in lines[i])
            whole = "\n".join(lines[at : end + 1]).strip()
            self._comment(at + 1, whole.removeprefix("<!--").removesuffix("-->").strip())
            return end + 1
        if lines[at].strip():
            self.expect_no_marks(at + 1)
        return at + 1

    def expect_no_marks(self, line: int) -> None:
        if self._marks:
            self.problems.append(f"{line}: no block follows the comment {', '.join(self._marks)!r}")
        self._marks = {}

    def _comment(self, line: int, text: str) -> None:
        word, colon, rest = text.partition(":")
        if not colon or _OTHERS.fullmatch(text):
            return
        if word not in set(Mark) or not rest.strip():
            self.problems.append(f"{line}: no comment of the test: {text!r}")
            return
        mark, rest = Mark(word), rest.strip()
        if mark is Mark.NONE_IS_RUN:
            self.why_none_is_run = rest
        elif mark in (Mark.RUN, Mark.ACCOUNT):
            self.parts.append(Comment(line, mark, rest))
        else:
            self._marks[mark] = rest


def _end_of_fence(lines: list[str], at: int, indent: str) -> int:
    return next(i for i in range(at + 1, len(lines)) if lines[i].rstrip() == f"{indent}```")


def _session(line: int, lines: list[str]) -> list[Command]:
    found: list[Command] = []
    at = 0
    while at < len(lines):
        assert lines[at].startswith(_PROMPT), f"line {line + at} is no command: {lines[at]!r}"
        end = _end_of_command(lines, at)
        after = next((i for i in range(end, len(lines)) if lines[i].startswith(_PROMPT)), None)
        printed = lines[end:after]
        while printed and not printed[-1].strip():
            printed.pop()
        text = "\n".join(lines[at:end]).removeprefix(_PROMPT)
        found.append(Command(line + at, text, tuple(printed) if printed else None))
        at = len(lines) if after is None else after
    return found


def _end_of_command(lines: list[str], at: int) -> int:
    """Return where the output of a command starts: after its continuation and its heredoc."""
    while lines[at].endswith("\\"):
        at += 1
    if heredoc := _HEREDOC.search(lines[at]):
        return next(i for i in range(at, len(lines)) if lines[i].strip() == heredoc[1]) + 1
    return at + 1

"""Each command block of the docs is run by a test, or says why it is not."""

import asyncio
import re
import signal
from pathlib import Path

import pytest

from tests.support import doc_blocks, doc_output, doc_readers

PAGES = doc_blocks.pages()
# Pages of the repository that lead a reader through; others have commands for the reader's cluster.
LED_THROUGH = ("README.md", "docs/kubectl-plugin.md", "docs/tasks/")
_COMMAND = re.compile(r"(\$ |(kubectl|stackchain|make|helm) )")


def parsed(text: str) -> doc_blocks.Page:
    return doc_blocks.parse(doc_blocks.ROOT / "docs" / "page.md", text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_comments_of_a_page_are_understood_and_belong_to_blocks(page: doc_blocks.Page) -> None:
    assert page.problems == ()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_block_that_is_not_of_commands_says_so(page: doc_blocks.Page) -> None:
    """What is run starts with a program; a diagram or an output has the language `text`."""
    others = [
        (block.line, block.language)
        for block in page.blocks
        if not block.is_of_commands and any(map(_COMMAND.match, block.lines[:1]))
    ]

    assert others == []
    assert [block.line for block in page.blocks if block.is_run and not block.commands] == []


def test_pages_that_lead_through_something_are_run() -> None:
    names = [page.name for page in PAGES if page.name.startswith(LED_THROUGH)]

    assert len(names) > 20
    assert [name for name in names if name not in {p.name for p in PAGES if p.is_run}] == []


def test_files_that_pages_name_are_there() -> None:
    named = [
        part.text
        for page in PAGES
        for part in page.parts
        if isinstance(part, doc_blocks.Comment) and part.mark is doc_blocks.Mark.ACCOUNT
    ]

    assert named
    assert [name for name in named if not (doc_blocks.ROOT / name).is_file()] == []


# How pages are read


PAGE = """
<!-- run:
apply-chain prod vpc-prod
-->

```
$ kubectl get schain \\
    prod
NAME   READY
prod   True

$ kubectl delete schain prod
```

<!-- not run: it is yours -->

```sh
make mine
```

<!-- file: a.yaml -->
```yaml
a: 1
```

```
token=1
echo $token
```
"""


def test_a_page_is_read_as_blocks_and_comments() -> None:
    comment, session, mine, file, script = parsed(PAGE).parts

    assert isinstance(comment, doc_blocks.Comment)
    assert comment.text == "apply-chain prod vpc-prod"
    assert isinstance(session, doc_blocks.Block)
    assert [(c.line, c.text, c.expected) for c in session.commands] == [
        (7, "kubectl get schain \\\n    prod", ("NAME   READY", "prod   True")),
        (12, "kubectl delete schain prod", None),
    ]
    assert isinstance(mine, doc_blocks.Block)
    assert not mine.is_run
    assert isinstance(file, doc_blocks.Block)
    assert (file.is_run, file.marks) == (False, {doc_blocks.Mark.FILE: "a.yaml"})
    assert isinstance(script, doc_blocks.Block)
    assert [c.text for c in script.commands] == ["token=1\necho $token"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("<!-- not run: why -->\nText.", "no block follows", id="a mark without block"),
        pytest.param("<!-- not run: -->\n```\nx\n```", "no comment", id="no reason"),
        pytest.param("<!-- notrun: why -->\n```\nx\n```", "no comment", id="a misspelled mark"),
    ],
)
def test_a_comment_that_would_do_nothing_is_a_problem(text: str, problem: str) -> None:
    assert problem in parsed(text).problems[0]


# How outputs are compared


RUN = "01M85EJPXN4HXZQTKMR1HFMPZP"
OTHER = "01M8P5DGVX6MD86K9CJTW7NJDK"


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        pytest.param(["prod   True   41s"], ["prod  True  2m7s"], id="an age and a width"),
        pytest.param(
            [f"https://example.app.spacelift.io/stack/a/run/{RUN}"],
            [f"http://127.0.0.1:8500/stack/a/run/{OTHER}"],
            id="a link",
        ),
        pytest.param(["until 2026-11-27T11:40:12Z."], ["until 2027-01-01T00:00:00Z."], id="a time"),
        pytest.param(["a", "...", "d"], ["a", "b", "c", "d"], id="lines that are left out"),
        pytest.param(["a", "...", "b"], ["a", "b"], id="no line that is left out"),
        pytest.param(["the chain ..."], ["the chain ends"], id="a text that is left out"),
    ],
)
def test_what_differs_each_time_does_not_count(expected: list[str], got: list[str]) -> None:
    assert doc_output.is_as_shown(expected, got)


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        pytest.param(["prod True 3/6"], ["prod True 4/6"], id="a number"),
        pytest.param(["a"], ["a", "b"], id="a line too many"),
        pytest.param(["a", "b"], ["a"], id="a line too few"),
        pytest.param(["b", "a"], ["a", "b"], id="another order"),
        pytest.param(["Waits for 'eks'."], ["Waits for 'rds'."], id="another stack"),
        pytest.param(["4 stacks in 3 levels"], ["5 stacks in 3 levels"], id="a count"),
    ],
)
def test_anything_else_does(expected: list[str], got: list[str]) -> None:
    assert not doc_output.is_as_shown(expected, got)


def test_a_watch_prints_what_the_page_shows_among_other_lines_in_this_order() -> None:
    got = ["NAME  READY", "prod  Unknown", "prod  Unknown", "prod  True"]

    assert doc_output.comes_in_order(["NAME READY", "prod Unknown", "prod True"], got)
    assert not doc_output.comes_in_order(["NAME READY", "prod True", "prod Unknown"], got)


@pytest.mark.parametrize(
    ("line", "is_failure"),
    [
        ("kubectl stackchain: prod has not run yet.", True),
        ("stackchain: LOG_LEVEL: 'chatty' is not usable", True),
        ('Error from server (NotFound): stackchains "prod" not found', True),
        ("error: timed out waiting for the condition", True),
        ('The StackChain "prod" is invalid: spec.roots: Required value', True),
        ("stackchain.stackchain.dev/prod patched", False),
        ("The run of 'eks-prod' waits for a person.", False),
        ("1 of 6 stacks failed: 'rds-prod': Error: quota", False),
    ],
)
def test_only_a_command_that_is_shown_to_fail_may_fail(line: str, *, is_failure: bool) -> None:
    assert doc_output.is_a_failure([line, "..."]) is is_failure


# What runs them


class Shell(doc_readers.Shell):
    """Remembers the process of its last command."""

    async def start(self, command: str, *, is_script: bool) -> asyncio.subprocess.Process:
        self.process = await super().start(command, is_script=is_script)
        return self.process


async def test_a_command_that_takes_too_long_is_over_when_the_shell_says_so(tmp_path: Path) -> None:
    (tmp_path / "clone").mkdir()
    shell = Shell(tmp_path, {"PATH": "/usr/bin:/bin"}, patience=0.1)

    code, output = await shell.run("sleep 1000 & sleep 1000")

    assert (code, output) == (-1, ["did not end within 0.1 s"])
    assert shell.process.returncode == -signal.SIGKILL


def test_what_is_not_installed_is_named_with_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "jq").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert doc_readers.why_not() == (
        "needs column, curl, openssl: install Debian's bsdextrautils, curl, openssl"
    )


def test_programs_of_the_pages_are_found_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in doc_readers.PROGRAMS:
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert doc_readers.why_not() == ""
    assert doc_readers.folders_of_programs() == [str(tmp_path)]


@pytest.mark.parametrize(("name", "package"), doc_readers.PROGRAMS.items())
def test_programs_that_pages_need_are_installed_by_ci_and_named_for_contributors(
    name: str, package: str
) -> None:
    ci = (doc_blocks.ROOT / ".ci/run").read_text(encoding="utf-8")
    page = (doc_blocks.ROOT / "docs/development.md").read_text(encoding="utf-8")

    assert f"have {name} || missing+=({package})\n" in ci
    (sentence,) = (line for line in page.splitlines() if line.startswith("`make test` also needs"))
    assert f"`{name}`" in sentence
    assert package in sentence

"""What a screen makes of a chain that changes, on a terminal and without one."""

import io
import os

import pytest

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase
from controller.config import shell_settings
from controller.display import chain_printer, styled_text, terminal, tree
from controller.display.styled_text import Style
from tests.support import big_chains
from tests.support.builders import make_shown_status, make_stack_status

COLOR = "\x1b[32m"


class Pty(io.StringIO):
    """A string buffer that claims to be a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "10")


def printed(screen: chain_printer.ChainPrinter) -> str:
    assert isinstance(screen.terminal.out, io.StringIO)
    return screen.terminal.out.getvalue()


def make_live() -> chain_printer.ChainPrinter:
    found = terminal.detect(Pty(), shell_settings.TerminalSettings(no_color=True, term="xterm"))
    return chain_printer.make_printer(found)


def chain(phase: Phase, **fields: object) -> v1alpha1.Status:
    return make_shown_status(make_stack_status("a", phase=phase), **fields)


def as_seen(text: str, *, width: int = 80) -> list[str]:
    """Return the rows of a terminal after it has received the text."""
    rows, row, column, place = [""], 0, 0, 0
    while place < len(text):
        one = text[place]
        if text.startswith("\x1b[", place):
            end = next(at for at in range(place + 2, len(text)) if text[at].isalpha())
            argument, action = text[place + 2 : end], text[end]
            if action == "A":
                row = max(0, row - int(argument))
            elif action == "J":
                rows[row:] = [rows[row][:column]]
            place = end + 1
            continue
        if one == "\n" or column >= width:
            row, column = row + 1, 0
            rows += [""] * (row + 1 - len(rows))
        if one == "\r":
            column = 0
        elif one != "\n":
            rows[row] = rows[row][:column] + one + rows[row][column + 1 :]
            column += 1
        place += 1
    return rows


def test_without_a_terminal_each_change_is_one_line() -> None:
    screen = chain_printer.make_printer(terminal.Terminal(out=io.StringIO()))

    screen.begin()
    for phase in (Phase.PENDING, Phase.RUNNING, Phase.RUNNING, Phase.SUCCEEDED):
        screen.show("chain", chain(phase))

    seen = [line.split()[1:] for line in printed(screen).splitlines() if line]
    assert seen == [
        ["chain", "1", "stacks", "in", "1", "levels"],
        ["chain", "Ready=Unknown", "Progressing"],
        ["a", "Running"],
        ["a", "Succeeded"],
    ]


def lines_of(selection: tree.Selection, *statuses: v1alpha1.Status) -> list[list[str]]:
    """Return the words of the lines of stacks and stages, without a terminal."""
    screen = chain_printer.make_printer(terminal.Terminal(out=io.StringIO()), selection=selection)
    screen.begin()
    for status in statuses:
        screen.show("chain", status)
    lines = [line.split()[1:] for line in printed(screen).splitlines() if line]
    return [words for words in lines if words[0] != "chain"]


BEFORE = make_shown_status(
    make_stack_status("a", phase=Phase.SUCCEEDED),
    make_stack_status("b", 1, "a", phase=Phase.RUNNING),
    make_stack_status("c", 1, "a", phase=Phase.RUNNING),
    make_stack_status("d", 2, "b", phase=Phase.PENDING),
)
AFTER = make_shown_status(
    make_stack_status("a", phase=Phase.SUCCEEDED),
    make_stack_status("b", 1, "a", phase=Phase.FAILED),
    make_stack_status("c", 1, "a", phase=Phase.SUCCEEDED),
    make_stack_status("d", 2, "b", phase=Phase.SKIPPED),
)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        pytest.param(tree.Selection(is_failed=True), ["b Failed"], id="failed"),
        pytest.param(
            tree.Selection(phases=frozenset({"Pending", "Succeeded"})),
            ["a Succeeded", "d Pending", "c Succeeded"],
            id="phases",
        ),
        pytest.param(
            tree.Selection(stack="c"),
            ["a Succeeded", "c Running", "c Succeeded"],
            id="a stack with what is before and behind it",
        ),
        pytest.param(tree.Selection(depth=1), ["a Succeeded"], id="one level"),
    ],
)
def test_without_a_terminal_only_the_stacks_that_are_wanted_have_lines(
    selection: tree.Selection, expected: list[str]
) -> None:
    found = lines_of(selection, BEFORE, AFTER)

    assert [" ".join(words[:2]) for words in found] == expected


def test_a_stack_that_is_wanted_again_has_a_line_again() -> None:
    running = tree.Selection(phases=frozenset({"Running"}))

    found = lines_of(running, BEFORE, AFTER, BEFORE)

    assert [words[0] for words in found] == ["b", "c", "b", "c"]


@pytest.mark.parametrize("selection", [tree.ALL, tree.Selection(is_failed=True)])
def test_a_chain_may_have_the_name_of_one_of_its_stacks(selection: tree.Selection) -> None:
    screen = chain_printer.make_printer(terminal.Terminal(out=io.StringIO()), selection=selection)

    for _ in range(3):
        screen.show("b", BEFORE)

    assert printed(screen).count("Ready=") == 1


def test_stages_are_of_the_whole_run() -> None:
    status = big_chains.with_stages(big_chains.make_status(12))

    assert any(words[0] == "stage" for words in lines_of(tree.ALL, status))
    assert not any(
        words[0] == "stage" for words in lines_of(tree.Selection(depth=1, stack="x"), status)
    )


def test_without_a_terminal_a_person_who_is_waited_for_is_told_where_to_go() -> None:
    screen = chain_printer.make_printer(terminal.Terminal(out=io.StringIO()))
    link = f"http://127.0.0.1/{'x' * 90}"

    ready = ("Unknown", "AwaitingConfirmation", f"Confirm: {link}")
    screen.show("chain", make_shown_status(ready=ready))

    assert f"Confirm: {link}\n" in printed(screen)


def test_a_terminal_shows_one_tree_that_changes_in_place() -> None:
    screen = make_live()
    link = f"http://127.0.0.1/{'x' * 120}"

    screen.begin()
    screen.hint("What to do")
    screen.show("chain", chain(Phase.RUNNING, ready=("Unknown", "AwaitingConfirmation", link)))
    screen.show("chain", chain(Phase.RUNNING, ready=("Unknown", "Progressing", "Goes on.")))
    during = as_seen(printed(screen))
    screen.end("chain", chain(Phase.SUCCEEDED))

    assert [row[:30].strip() for row in during if row] == [
        "chain  Ready=Unknown Progressi",
        "Goes on.",
        "● a  Running",
        "What to do",
    ]
    seen = as_seen(printed(screen))
    assert [row for row in seen if "● a" in row or "What to do" in row] == []
    assert sum("✓ a  Succeeded" in row for row in seen) == 1
    shows_cursor = "\x1b[?25h"
    assert printed(screen).endswith(shows_cursor)


def test_a_tree_that_is_higher_than_the_terminal_is_cut_until_the_end() -> None:
    screen = make_live()
    phases = [Phase.RUNNING if place % 2 else Phase.FAILED for place in range(30)]
    status = make_shown_status(
        *(make_stack_status(f"s{n:02}", phase=phase) for n, phase in enumerate(phases))
    )

    screen.begin()
    screen.show("chain", status)
    during = [row for row in as_seen(printed(screen)) if row]
    screen.end("chain", status)

    assert len(during) < 10
    assert during[-1] == "24 more stacks: 12 Running, 12 Failed"
    after = [row for row in as_seen(printed(screen)) if row.startswith(("●", "✗"))]
    assert {row.split()[1] for row in after} == {f"s{n:02}" for n in range(30)}


@pytest.mark.parametrize(
    ("out", "environment", "expected"),
    [
        pytest.param(Pty(), {"TERM": "xterm"}, (True, True), id="terminal"),
        pytest.param(Pty(), {}, (True, True), id="terminal without a name"),
        pytest.param(Pty(), {"TERM": "xterm", "NO_COLOR": "1"}, (True, False), id="NO_COLOR"),
        pytest.param(Pty(), {"TERM": "xterm", "NO_COLOR": ""}, (True, True), id="NO_COLOR empty"),
        pytest.param(Pty(), {"TERM": "dumb"}, (False, False), id="dumb terminal"),
        pytest.param(io.StringIO(), {"TERM": "xterm"}, (False, False), id="file"),
    ],
)
def test_colors_and_redrawing_are_for_terminals(
    out: io.StringIO, environment: dict[str, str], expected: tuple[bool, bool]
) -> None:
    found = terminal.detect(out, shell_settings.load_terminal_settings(environment))

    assert (found.is_live, found.has_color) == expected
    assert (COLOR in found.paint(styled_text.line("x", Style.GOOD))) == found.has_color


def test_what_other_systems_say_cannot_control_the_terminal() -> None:
    found = terminal.Terminal(out=io.StringIO())

    painted = found.paint(styled_text.line("a\x1b]0;title\x07b\rc"))

    assert painted == "a ]0;title b c"


def test_a_terminal_of_another_encoding_gets_other_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    screen = chain_printer.make_printer(terminal.detect(out, shell_settings.TerminalSettings()))

    screen.draw("chain", chain(Phase.SUCCEEDED))

    out.seek(0)
    text = out.read()
    assert "+ a  Succeeded" in text
    assert os.linesep in text


def test_what_a_command_said_is_broken_between_words_and_keeps_its_indent() -> None:
    screen = make_live()
    words = "words-that-stay-whole " * 8

    screen.output(f"    {words.strip()}\nshort")

    rows = printed(screen).splitlines()
    assert len(rows) > 2
    assert rows[-1] == "short"
    assert all(len(row) < 80 and row.startswith("    words-") for row in rows[:-1])
    assert all(row.endswith("-whole") for row in rows[:-1])


def test_a_hint_below_the_tree_is_broken_between_words() -> None:
    screen = make_live()
    screen.begin()
    screen.hint("open-the-link " * 9)

    screen.show("demo", chain(Phase.AWAITING_CONFIRMATION))

    rows = [row for row in as_seen(printed(screen)) if "open-the-link" in row]
    assert len(rows) > 1
    assert all(len(row) < 80 for row in rows)

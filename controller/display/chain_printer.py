"""A chain as it changes: a live tree on a terminal, elsewhere one line for each change."""

import dataclasses
from collections.abc import Sequence

from controller import clock
from controller.api import v1alpha1
from controller.api.reasons import ChainReason
from controller.api.v1alpha1 import Phase
from controller.display import styled_text, tables, tree, tree_characters
from controller.display.styled_text import Line, Style
from controller.display.terminal import Terminal

_LEAST_ID_WIDTH = 14
_MOST_ID_WIDTH = 40
_PHASE_WIDTH = 22
_INDENT = " " * 9
_HIDE_CURSOR = "\x1b[?25l"
_SHOW_CURSOR = "\x1b[?25h"
_ERASE_BELOW = "\x1b[J"


class ChainPrinter:
    """Prints lines, and follows a chain with one line for each change."""

    def __init__(
        self,
        terminal: Terminal,
        *,
        has_links: bool = False,
        selection: tree.Selection = tree.ALL,
    ) -> None:
        """Print to an output; `has_links` adds the links of the stacks that need a person."""
        self.terminal = terminal
        self._has_links = has_links
        self._selection = selection
        self._started = clock.monotonic()
        self._last: dict[str, str] = {}

    def say(self, line: str = "", style: Style = Style.PLAIN) -> None:
        """Print a sentence; a terminal breaks it between words."""
        wrapped = (
            styled_text.wrap(line, self.terminal.width, style) if self.terminal.is_live else []
        )
        for one in wrapped or [styled_text.line(line, style)]:
            self.terminal.print(one)

    def quote(self, text: str, style: Style = Style.PLAIN) -> None:
        """Print what is not ours, or is to be copied, without adding line breaks."""
        for line in text.split("\n"):
            self.terminal.print(styled_text.line(line, style))

    def output(self, text: str) -> None:
        """Print what a command said; a terminal breaks its lines between words."""
        for line in text.split("\n"):
            self._broken(line)

    def _broken(self, text: str, style: Style = Style.PLAIN) -> None:
        """Print a line; what has no room on a terminal is indented like it on the next."""
        indent = text[: len(text) - len(text.lstrip())]
        if not self.terminal.is_live or len(text) <= self.terminal.width:
            self.quote(text, style)
            return
        for part in styled_text.wrap(text.strip(), self.terminal.width - len(indent), style):
            self.terminal.print((styled_text.Span(text=indent), *part))

    def heading(self, title: str) -> None:
        """Start a section."""
        self.say()
        self.say(title, Style.STRONG)

    def command(self, line: str) -> None:
        """Show a command as a user types it."""
        self.quote(f"$ {line}", Style.ACTIVE)

    def begin(self) -> None:
        """Start to follow a run of a chain."""
        self._started = clock.monotonic()
        self._last = {}
        self.say()

    def show(self, name: str, status: v1alpha1.Status) -> None:
        """Show what is new in a chain's status, of the stacks that are wanted."""
        stacks = tree.current_stacks(status)
        if stacks and status.graph is not None:
            self._change("", name, f"{status.graph.stacks} stacks in {status.graph.levels} levels")
        chosen = tree.stacks_in_rows(stacks, self._selection)
        longest = max((len(stack.id) for stack in chosen), default=0)
        width = min(_MOST_ID_WIDTH, max(_LEAST_ID_WIDTH, longest))
        for stage in tree.current_stages(status) if self._selection.is_whole else ():
            if stage.phase != Phase.PENDING:
                why = stage.message or ""
                line = f"{stage.phase:<{_PHASE_WIDTH}}{why}"
                label = f"{f'stage {stage.name}':<{width}}"
                self._change(f"stage {stage.name}", label, line, tree.style_of(stage.phase))
        self._forget({stack.id for stack in stacks} - {stack.id for stack in chosen})
        for stack in chosen:
            if stack.phase != Phase.PENDING or Phase.PENDING in self._selection.phases:
                why = tree.describe_stack(stack)
                line = f"{stack.phase:<{_PHASE_WIDTH}}{why}"
                self._change(stack.id, f"{stack.id:<{width}}", line, tree.style_of(stack.phase))
        self._show_ready(name, status)

    def _forget(self, stack_ids: set[str]) -> None:
        """Forget what was shown of stacks that are not wanted now: it is news once they are."""
        for stack_id in stack_ids:
            self._last.pop(stack_id, None)

    def _show_ready(self, name: str, status: v1alpha1.Status) -> None:
        ready = status.condition("Ready")
        if ready is None:
            return
        # A stack may have the name of the chain, but none has a blank in its id.
        is_new = self._change("the chain", name, f"Ready={ready.status} {ready.reason}")
        # A progress message only counts stacks, and the final message is printed below the tree.
        if is_new and ready.status == "Unknown" and ready.reason != ChainReason.PROGRESSING:
            self._broken(f"{_INDENT}{ready.message}")

    def hint(self, line: str) -> None:
        """Print what happens now, or what the user can do."""
        self._broken(f"{_INDENT}{line}", Style.ATTENTION)

    def end(self, name: str, status: v1alpha1.Status) -> None:
        """End following; the last thing shown is the whole tree."""
        self.say()
        self.draw(name, status)

    def draw(self, name: str, status: v1alpha1.Status) -> None:
        """Print the whole tree once."""
        for line in self._render(name, status):
            self.terminal.print(line)

    def close(self) -> None:
        """Give the terminal back, whatever was being shown."""

    def _change(self, key: str, name: str, line: str, style: Style = Style.STRONG) -> bool:
        if self._last.get(key) == line:
            return False
        self._last[key] = line
        seconds = clock.monotonic() - self._started
        label = f"{name:<{_LEAST_ID_WIDTH}}"
        self._broken(f"{seconds:6.1f}s  {label}  {line}".rstrip(), style)
        return True

    def _render(
        self, name: str, status: v1alpha1.Status, *, height: int | None = None
    ) -> list[Line]:
        drawing = dataclasses.replace(
            make_drawing(self.terminal, has_links=self._has_links),
            height=height,
            selection=self._selection,
        )
        return tree.render(name, status, drawing)


class LiveChainPrinter(ChainPrinter):
    """Follows a chain with a tree that changes in place."""

    _is_live = False
    _drawn: Sequence[Line] = ()
    _hint = ""

    def begin(self) -> None:
        """Start to follow a run of a chain."""
        super().begin()
        self._hint = ""
        self._drawn = ()
        self._is_live = True
        self.terminal.send(_HIDE_CURSOR)

    def show(self, name: str, status: v1alpha1.Status) -> None:
        """Draw the chain as it is now."""
        if not self._is_live:
            return
        wrapped = styled_text.wrap(self._hint, self.terminal.width, Style.ATTENTION)
        hint = [(), *wrapped] if self._hint else []
        # The row of the cursor is below.
        height = self.terminal.height - 1 - sum(self._rows_of(line) for line in hint)
        drawn = self._render(name, status, height=height)
        self._redraw(self._cropped([*drawn, *hint]))

    def hint(self, line: str) -> None:
        """Show below the tree what happens now."""
        self._hint = line

    def end(self, name: str, status: v1alpha1.Status) -> None:
        """Leave the final tree on the screen, in full."""
        self._hint = ""
        if self._is_live:
            self._redraw(self._render(name, status))
        self.close()

    def close(self) -> None:
        """Give the terminal back, cursor included."""
        if self._is_live:
            self._is_live = False
            self.terminal.send(_SHOW_CURSOR)

    def _redraw(self, drawn: list[Line]) -> None:
        # Counted again: the terminal may have another width by now, and has broken lines at it.
        up = sum(self._rows_of(line) for line in self._drawn)
        back = f"\x1b[{up}A\r" if up else "\r"
        text = "".join(f"{self.terminal.paint(line)}\n" for line in drawn)
        # One write, so that the erased state never shows.
        self.terminal.send(f"{back}{_ERASE_BELOW}{text}")
        self._drawn = drawn

    def _cropped(self, drawn: list[Line]) -> list[Line]:
        """Return what fits: lines that have scrolled off the screen cannot be drawn over."""
        room = self.terminal.height - 1
        shown: list[Line] = []
        for place, line in enumerate(drawn):
            is_last = place == len(drawn) - 1
            room -= self._rows_of(line)
            if room < (0 if is_last else 1):
                left = len(drawn) - place
                return [
                    *shown,
                    styled_text.line(f"{left} more lines in a taller window", Style.FAINT),
                ]
            shown.append(line)
        return shown

    def _rows_of(self, line: Line) -> int:
        return tree.rows_of(line, self.terminal.width)


def make_printer(
    terminal: Terminal,
    *,
    is_plain: bool = False,
    has_links: bool = False,
    selection: tree.Selection = tree.ALL,
) -> ChainPrinter:
    """Return the printer that suits an output."""
    if is_plain or not terminal.is_live:
        return ChainPrinter(terminal, has_links=has_links, selection=selection)
    return LiveChainPrinter(terminal, has_links=has_links, selection=selection)


def make_drawing(terminal: Terminal, *, has_links: bool = False) -> tree.Drawing:
    """Return how to draw on an output now."""
    return tree.Drawing(
        now=clock.now(),
        width=terminal.width,
        characters=_characters(terminal),
        has_links=has_links,
    )


def make_paper(terminal: Terminal) -> tables.Paper:
    """Return how to draw a table on an output now; in a file nothing of it is cut."""
    return tables.Paper(
        width=terminal.width if terminal.is_live else None, cut=_characters(terminal).cut
    )


def _characters(terminal: Terminal) -> tree_characters.TreeCharacters:
    return tree_characters.UNICODE if terminal.is_unicode else tree_characters.ASCII

"""What the demo prints: a live tree on a terminal, elsewhere one line for each change."""

import datetime
import os
import sys
import time

from rich import console, live, text

from controller.api import v1alpha1
from controller.api.reasons import ChainReason
from controller.api.v1alpha1 import Phase
from controller.dev.demo import tree
from controller.dev.demo.tree import Style

_COLORS = {
    Style.PLAIN: "",
    Style.FAINT: "dim",
    Style.STRONG: "bold",
    Style.GOOD: "green",
    Style.BAD: "red",
    Style.ACTIVE: "cyan",
    Style.ATTENTION: "bold yellow",
}
_ID_WIDTH = 14
_PHASE_WIDTH = 22
_INDENT = " " * 9
# Where lines go into a file or a log, nothing has to be cut for a terminal of 80 columns.
_WIDTH_OF_A_FILE = 120


class NobodyReads(Exception):
    """What was printed to has been closed, as `| head` does; nothing more is printed."""


class _Console(console.Console):
    """Tells of a closed pipe by an exception of ours; rich would leave the program at once."""

    def on_broken_pipe(self) -> None:
        """Print nothing more, also not at the end of the interpreter, and say so once."""
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        raise NobodyReads


class Screen:
    """Prints lines as they are, and follows a chain by one line for each change."""

    def __init__(self, out: console.Console) -> None:
        self._console = out
        self._marks = tree.UNICODE if _is_unicode(out) else tree.ASCII
        self._started = time.monotonic()
        self._last: dict[str, str] = {}

    def say(self, line: str = "", style: Style = Style.PLAIN) -> None:
        """Print a sentence; a terminal breaks it between words."""
        self._console.print(
            line, style=_COLORS[style], markup=False, soft_wrap=not self._console.is_terminal
        )

    def quote(self, lines: str, style: Style = Style.PLAIN) -> None:
        """Print what is not ours, or is to be copied, without a line break of our own."""
        self._console.print(lines, style=_COLORS[style], markup=False, soft_wrap=True)

    def heading(self, title: str) -> None:
        """Begin a part of the demo."""
        self.say()
        self.say(title, Style.STRONG)

    def command(self, line: str) -> None:
        """Show a command as a user types it."""
        self.quote(f"$ {line}", Style.ACTIVE)

    def begin(self) -> None:
        """Begin to follow a run of a chain."""
        self._started = time.monotonic()
        self._last = {}
        self.say()

    def show(self, name: str, status: v1alpha1.Status) -> None:
        """Show what is new in a chain's status."""
        stacks = tree.current_stacks(status)
        if stacks and status.graph is not None:
            self._change("", name, f"{status.graph.stacks} stacks in {status.graph.levels} levels")
        for stack in stacks:
            if stack.phase != Phase.PENDING:
                why = tree.describe_stack(stack)
                line = f"{stack.phase:<{_PHASE_WIDTH}}{why}"
                self._change(stack.id, stack.id, line, tree.style_of(stack.phase))
        self._show_ready(name, status)

    def _show_ready(self, name: str, status: v1alpha1.Status) -> None:
        ready = status.condition("Ready")
        if ready is None:
            return
        is_new = self._change(name, name, f"Ready={ready.status} {ready.reason}")
        # The message of progress counts stacks, and that of the end stands below the tree.
        if is_new and ready.status == "Unknown" and ready.reason != ChainReason.PROGRESSING:
            self.quote(f"{_INDENT}{ready.message}")

    def hint(self, line: str) -> None:
        """Tell what happens now, or what the user may do."""
        self.quote(f"{_INDENT}{line}", Style.ATTENTION)

    def end(self, name: str, status: v1alpha1.Status) -> None:
        """End following; the last thing shown is the whole tree."""
        self.say()
        for line in self._render(name, status):
            self._console.print(_colored(line), soft_wrap=True)

    def close(self) -> None:
        """Give the terminal back, whatever was being shown."""

    def _change(self, key: str, name: str, line: str, style: Style = Style.STRONG) -> bool:
        if self._last.get(key) == line:
            return False
        self._last[key] = line
        seconds = time.monotonic() - self._started
        self.quote(f"{seconds:6.1f}s  {name:<{_ID_WIDTH}}  {line}".rstrip(), style)
        return True

    def _render(self, name: str, status: v1alpha1.Status) -> list[tree.Line]:
        now = datetime.datetime.now(datetime.UTC)
        width = self._console.width if self._console.is_terminal else _WIDTH_OF_A_FILE
        drawing = tree.Drawing(now=now, width=width, marks=self._marks)
        return tree.render(name, status, drawing)


class LiveScreen(Screen):
    """Follows a chain by a tree that changes in place."""

    def __init__(self, out: console.Console) -> None:
        super().__init__(out)
        self._live: live.Live | None = None
        self._hint = ""

    def begin(self) -> None:
        """Begin to follow a run of a chain."""
        super().begin()
        self._hint = ""
        self._live = live.Live(console=self._console, auto_refresh=False)
        self._live.start()

    def show(self, name: str, status: v1alpha1.Status) -> None:
        """Draw the chain as it is now."""
        if self._live is None:
            return
        lines = [_colored(line) for line in self._render(name, status)]
        if self._hint:
            lines += [text.Text(), text.Text(self._hint, _COLORS[Style.ATTENTION])]
        self._live.update(text.Text("\n").join(lines), refresh=True)

    def hint(self, line: str) -> None:
        """Tell below the tree what happens now."""
        self._hint = line

    def end(self, name: str, status: v1alpha1.Status) -> None:
        """Leave the tree as it is at the end."""
        self._hint = ""
        self.show(name, status)
        self.close()

    def close(self) -> None:
        """Give the terminal back, cursor included."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def make_screen(*, is_plain: bool) -> Screen:
    """Return the screen that suits the standard output."""
    out = _Console(highlight=False)
    if is_plain or not sys.stdout.isatty() or out.is_dumb_terminal:
        return Screen(out)
    return LiveScreen(out)


def _is_unicode(out: console.Console) -> bool:
    return out.encoding.lower().replace("-", "").startswith("utf")


def _colored(line: tree.Line) -> text.Text:
    return text.Text.assemble(*((span.text, _COLORS[span.style]) for span in line))

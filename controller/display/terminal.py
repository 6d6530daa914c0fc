"""Where output goes, as facts: a terminal that can redraw, with colors or without, or a file."""

import dataclasses
import shutil
from typing import TextIO

from controller import outside_text
from controller.config import shell_settings
from controller.display import streams, styled_text
from controller.display.styled_text import Line, Style

# When lines go into a file or a log, nothing has to be cut for a terminal of 80 columns.
WIDTH_OF_A_FILE = 120
_DUMB = frozenset({"dumb", "unknown"})
_RESET = "\x1b[0m"
_CODES = {
    Style.PLAIN: "",
    Style.FAINT: "\x1b[2m",
    Style.STRONG: "\x1b[1m",
    Style.GOOD: "\x1b[32m",
    Style.BAD: "\x1b[31m",
    Style.ACTIVE: "\x1b[36m",
    Style.ATTENTION: "\x1b[1;33m",
}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Terminal:
    """An output and what it can do."""

    out: TextIO
    is_live: bool = False
    has_color: bool = False
    is_unicode: bool = True

    @property
    def width(self) -> int:
        """Columns to draw in; a terminal's last one stays free, since it may break the line."""
        return max(20, shutil.get_terminal_size().columns - 1) if self.is_live else WIDTH_OF_A_FILE

    @property
    def height(self) -> int:
        """Rows of the terminal."""
        return shutil.get_terminal_size().lines

    def paint(self, spans: Line) -> str:
        """Return a line as it is sent to this output."""
        return "".join(self._paint(span) for span in spans).rstrip(" ")

    def print(self, spans: Line = ()) -> None:
        """Print one line."""
        self.send(f"{self.paint(spans)}\n")

    def send(self, text: str) -> None:
        """Write a string unchanged.

        Raises:
            OutputClosed: once; what is sent afterwards goes nowhere.
            OutputFailed: likewise, for any other reason.
        """
        streams.send(self.out, text)

    def _paint(self, span: styled_text.Span) -> str:
        # Messages come from other systems: a control character in one must not reach a terminal.
        text = outside_text.visible(span.text)
        code = _CODES[span.style] if self.has_color else ""
        return f"{code}{text}{_RESET}" if code and text else text


def detect(out: TextIO, environment: shell_settings.TerminalSettings) -> Terminal:
    """Find out what an output can do."""
    is_live = out.isatty() and environment.term not in _DUMB
    encoding = (getattr(out, "encoding", None) or "").lower().replace("-", "")
    return Terminal(
        out=out,
        is_live=is_live,
        has_color=is_live and not environment.no_color,
        is_unicode=encoding.startswith("utf"),
    )

"""What a terminal shows of the output that it was sent, for the few sequences that we send."""

import re
from dataclasses import dataclass, field

# Sequences of a terminal, and everything else up to the next one.
_PIECES = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)|(.)", re.DOTALL)
_UNFINISHED = re.compile(r"\x1b(\[[?\d;]*)?$")

Style = tuple[int, ...]
"""The codes that are in force: 1 bold, 2 faint, 31 red, 32 green, 33 yellow, 36 cyan."""

_KNOWN_STYLES = frozenset({1, 2, 31, 32, 33, 36})


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a row: where it starts, what it says, and how."""

    column: int
    text: str
    style: Style = ()


Row = tuple[Span, ...]


@dataclass
class Screen:
    """The rows that were written, and where the cursor is; nothing scrolls away."""

    width: int
    rows: list[list[tuple[str, Style]]] = field(default_factory=lambda: [[]])
    _row: int = 0
    _column: int = 0
    _style: Style = ()
    _rest: str = ""

    def feed(self, text: str) -> None:
        """Take output as it comes, in pieces of any length.

        Raises:
            ValueError: It has a sequence that this screen does not know.
        """
        text = self._rest + text
        unfinished = _UNFINISHED.search(text)
        self._rest = unfinished.group() if unfinished else ""
        for found in _PIECES.finditer(text.removesuffix(self._rest) if self._rest else text):
            arguments, command, move, plain, unknown = found.groups()
            if plain is not None:
                self._write(plain)
            elif move == "\n":
                self._down()
            elif move == "\r":
                self._column = 0
            elif unknown is not None:
                raise ValueError(f"unknown character {unknown!r}")
            else:
                self._obey(arguments, command)

    def shown(self) -> tuple[Row, ...]:
        """Return the rows as spans, without blanks at their ends, and without empty last rows."""
        rows = [_spans(row) for row in self.rows]
        while rows and not rows[-1]:
            rows.pop()
        return tuple(rows)

    def _obey(self, arguments: str, command: str) -> None:
        if command == "m":
            for code in map(int, arguments.split(";") if arguments else ["0"]):
                if code and code not in _KNOWN_STYLES:
                    raise ValueError(f"unknown style {code}")
                self._style = (*self._style, code) if code else ()
        elif command == "A":
            self._row = max(0, self._row - int(arguments or 1))
        elif command == "J" and not arguments:
            del self.rows[self._row + 1 :]
            del self.rows[self._row][self._column :]
        elif arguments != "?25" or command not in "hl":
            raise ValueError(f"unknown sequence ESC[{arguments}{command}")

    def _write(self, text: str) -> None:
        for character in text:
            if self._column == self.width:
                self._column = 0
                self._down()
            row = self.rows[self._row]
            row += [(" ", ())] * (self._column + 1 - len(row))
            row[self._column] = (character, self._style)
            self._column += 1

    def _down(self) -> None:
        self._row += 1
        if self._row == len(self.rows):
            self.rows.append([])


def _spans(row: list[tuple[str, Style]]) -> Row:
    """Cut a row at changes of style and at wide gaps, so that each piece has its place."""
    spans = list[Span]()
    begun, text = 0, ""
    style: Style = ()
    for column, (character, its_style) in enumerate([*row, ("", (-1,))]):
        if its_style != style or text.endswith("  "):
            if text.strip():
                left = len(text) - len(text.lstrip())
                spans.append(Span(begun + left, text.strip(), style))
            begun, text, style = column, "", its_style
        text += character
    return tuple(spans)

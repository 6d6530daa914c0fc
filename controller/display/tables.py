"""Tables for people: whole if there is room, otherwise shortened, so that no row is broken.

On a narrow screen names are shortened first, then columns are left out from the right; if even that
is too wide, each row becomes a few short lines.
"""

import dataclasses
from collections.abc import Sequence

from controller.display import styled_text
from controller.display.styled_text import Line, Span

_GAP = 3
_NARROW_GAP = 2
_LEAST_NAME_WIDTH = 12
_INDENT = "  "


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column; one that is needed is never left out, and a name may be shortened."""

    title: str
    is_name: bool = False
    is_needed: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Paper:
    """Where a table is drawn: its width, None for a file, and what marks a cut."""

    width: int | None
    cut: str


def render(columns: Sequence[Column], rows: Sequence[Sequence[str]], paper: Paper) -> list[Line]:
    """Return the heading and the rows, as far as there is room for their columns."""
    lengths = [
        max(len(cell) for cell in (column.title, *cells))
        for column, *cells in zip(columns, *rows, strict=True)
    ]
    if paper.width is None or _total(lengths, _GAP) <= paper.width:
        return _table(columns, rows, dict(enumerate(lengths)), paper.cut, _GAP)
    for places in _fewer_and_fewer(columns):
        widths = _fitted(columns, {place: lengths[place] for place in places}, paper.width)
        if widths:
            return _table(columns, rows, widths, paper.cut, _NARROW_GAP)
    return _records(columns, rows, paper.width, paper.cut)


def _fewer_and_fewer(columns: Sequence[Column]) -> list[list[int]]:
    """Return which columns to try: all, then without the last one that is not needed, and so on."""
    tried = [list(range(len(columns)))]
    for place in reversed(range(len(columns))):
        if not columns[place].is_needed:
            tried.append([other for other in tried[-1] if other != place])
    return tried


def _fitted(columns: Sequence[Column], lengths: dict[int, int], width: int) -> dict[int, int]:
    """Return the widths at which these columns fit; nothing if names would be too short."""
    widths = dict(lengths)
    names = [place for place in widths if columns[place].is_name]
    while _total(list(widths.values()), _NARROW_GAP) > width:
        longest = max(names, key=lambda place: widths[place], default=None)
        if longest is None or widths[longest] <= _LEAST_NAME_WIDTH:
            return {}
        widths[longest] -= 1
    return widths


def _total(widths: Sequence[int], gap: int) -> int:
    return sum(widths) + gap * (len(widths) - 1)


def _table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    widths: dict[int, int],
    cut: str,
    gap: int,
) -> list[Line]:
    """Return rows with their columns below each other; the first one is the heading."""
    heading = [column.title for column in columns]
    return [
        styled_text.line(
            (" " * gap).join(
                styled_text.middle(row[place], width, cut).ljust(width)
                for place, width in widths.items()
            )
        )
        for row in (heading, *rows)
    ]


def _records(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int, cut: str
) -> list[Line]:
    """Return each row as lines: what it is of, and below that what is needed of it."""
    lines = list[Line]()
    for row in rows:
        cells = list(zip(columns, row, strict=True))
        names = [cell for column, cell in cells if column.is_name]
        needed = [one for one in cells if one[0].is_needed and not one[0].is_name]
        head = ["/".join(names)] if names else [_titled(*needed.pop(0))]
        if len(head[0]) > width:
            # What differs in a name would be lost in one line with another name.
            head = [styled_text.middle(name, width, cut) for name in names]
        room = width - len(_INDENT)
        facts = [Span(text=_in_room(*one, room, cut)) for one in needed]
        lines += [()] if lines else []
        lines += [styled_text.line(one) for one in head]
        lines += [(Span(text=_INDENT), *line) for line in styled_text.flow(facts, room)]
    return lines


def _titled(column: Column, cell: str) -> str:
    return f"{column.title} {cell}"


def _in_room(column: Column, cell: str, room: int, cut: str) -> str:
    """Return a cell with its title; a long one explains itself."""
    titled = _titled(column, cell)
    return titled if len(titled) <= room else styled_text.middle(cell, room, cut)

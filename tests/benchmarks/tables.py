"""Tables as they are shown in a terminal and, at the end, in Markdown."""

import dataclasses
import math
from collections.abc import Iterable, Sequence

Cell = str | int | float | None


@dataclasses.dataclass(kw_only=True, slots=True)
class Table:
    """One table; `notes` say how its numbers came about."""

    title: str
    columns: Sequence[str]
    rows: list[Sequence[Cell]] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)

    def add(self, *cells: Cell) -> None:
        if len(cells) != len(self.columns):
            raise ValueError(f"{len(cells)} cells for {len(self.columns)} columns of {self.title}")
        self.rows.append(cells)

    def text(self) -> str:
        cells = self._cells()
        widths = [max(len(row[i]) for row in cells) for i in range(len(self.columns))]
        lines = [self.title, "-" * len(self.title)]
        for row in cells:
            first = row[0].ljust(widths[0])
            rest = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
            lines.append("  ".join([first, *rest]).rstrip())
        return "\n".join([*lines, *(f"  * {note}" for note in self.notes)])

    def markdown(self) -> str:
        head, *body = self._cells()
        rule = ["---", *("--:" for _ in head[1:])]
        rows = ["| " + " | ".join(row) + " |" for row in (head, rule, *body)]
        notes = [f"- {note}" for note in self.notes]
        return "\n".join([f"### {self.title}", "", *rows, *([""] if notes else []), *notes])

    def _cells(self) -> list[list[str]]:
        return [list(self.columns), *([_shown(cell) for cell in row] for row in self.rows)]


def percentile(values: Iterable[float], percent: float) -> float | None:
    """Return the nearest-rank percentile; None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def median(values: Iterable[float]) -> float:
    """Return the median, as `percentile` takes it; 0 of nothing."""
    return percentile(values, 50) or 0.0


def spread(values: Sequence[float]) -> list[float | None]:
    """Return p50, p90, p99 and the maximum, for four columns."""
    return [*(percentile(values, percent) for percent in (50, 90, 99)), max(values, default=None)]


def _shown(cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:.0f}" if abs(cell) >= 100 else f"{cell:.2f}"
    return str(cell)

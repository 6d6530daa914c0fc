"""The page that shows which tests catch which fault: read, so that a few faults can be tried anew.

docs/mutants.md is written by `make mutants`, since no quick test can know what is on it.
"""

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence

from tests.mutants.mutant import ROOT, Mutant

PAGE = ROOT / "docs/mutants.md"
SUITES = ("unit", "simulation")
NOT_CAUGHT, NOT_TRIED = "-", "not tried"
_BEGIN, _END = "<!-- make mutants -->", "<!-- end -->"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What caught a fault, by suite; None: the suite passed with it."""

    name: str
    runs_twice: bool
    caught_by: Mapping[str, str | None]
    note: str = ""

    @property
    def is_caught(self) -> bool:
        """Whether any suite has caught it."""
        return any(self.caught_by.values())

    @property
    def is_missed(self) -> bool:
        """Whether all suites were tried, and none has caught it."""
        return set(self.caught_by) == set(SUITES) and not self.is_caught

    def line(self) -> str:
        """Return the row of the table."""
        found = [self.caught_by.get(suite, NOT_TRIED) or NOT_CAUGHT for suite in SUITES]
        cells = [self.name, "yes" if self.runs_twice else "", *found, self.note]
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def read(text: str) -> list[Row]:
    """Return the rows of the page."""
    block = text.split(_BEGIN)[1].split(_END)[0]
    lines = [line for line in block.splitlines() if line.startswith("|")][2:]
    return [_row(line) for line in lines]


def write(text: str, rows: Sequence[Row]) -> str:
    """Return the page with these rows and what they come to."""
    before, rest = text.split(_BEGIN)
    _, after = rest.split(_END)
    return f"{before}{_BEGIN}\n{_summary(rows)}\n\n{_table(rows)}\n{_END}{after}"


def merged(known: Iterable[Row], tried: Iterable[Row], mutants: Iterable[Mutant]) -> list[Row]:
    """Return a row of each fault, in their order: what was tried now, else what was known."""
    old, new = ({row.name: row for row in rows} for rows in (known, tried))
    found = list[Row]()
    for mutant in mutants:
        of_both = [rows[mutant.name].caught_by for rows in (old, new) if mutant.name in rows]
        caught_by = {suite: by for one in of_both for suite, by in one.items()}
        found.append(row_of(mutant, caught_by))
    return found


def row_of(mutant: Mutant, caught_by: Mapping[str, str | None]) -> Row:
    """Return the row of a fault."""
    return Row(
        name=mutant.name, runs_twice=mutant.runs_twice, caught_by=caught_by, note=mutant.note
    )


def _row(line: str) -> Row:
    cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    name, twice, unit, simulation, note = (cell.replace("\\|", "|") for cell in cells)
    found = zip(SUITES, (unit, simulation), strict=True)
    return Row(
        name=name,
        runs_twice=bool(twice),
        caught_by={
            suite: None if by == NOT_CAUGHT else by for suite, by in found if by != NOT_TRIED
        },
        note=note,
    )


def _summary(rows: Sequence[Row]) -> str:
    counts = [sum(bool(row.caught_by.get(suite)) for row in rows) for suite in SUITES]
    both = sum(all(row.caught_by.get(suite) for suite in SUITES) for row in rows)
    missed = sum(row.is_missed for row in rows)
    return (
        f"Of {len(rows)} faults the unit tests catch {counts[0]} and the simulation {counts[1]}, "
        f"both of them {both}, and neither of them {missed}."
    )


def _table(rows: Iterable[Row]) -> str:
    head = ("fault", "runs something twice", "caught by unit test", "by simulation", "note")
    return "\n".join(
        [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}", *(row.line() for row in rows)]
    )

"""What a benchmark reports: figures next to their targets, and tables that explain them."""

import dataclasses
from collections.abc import Iterable, Sequence

from tests.benchmarks import tables


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One number, and its target, if it has one."""

    what: str
    measured: float
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None

    @property
    def target(self) -> str:
        if self.at_most is not None:
            return f"at most {self._with_unit(self.at_most)}"
        if self.at_least is not None:
            return f"at least {self._with_unit(self.at_least)}"
        return ""

    @property
    def ratio(self) -> float | None:
        """Measured / target: what is met is at most 1 of a most, and at least 1 of a least."""
        bound = self.at_most if self.at_most is not None else self.at_least
        return self.measured / bound if bound else None

    @property
    def is_met(self) -> bool:
        most = float("inf") if self.at_most is None else self.at_most
        least = float("-inf") if self.at_least is None else self.at_least
        return least <= self.measured <= most

    def shown(self) -> str:
        return self._with_unit(self.measured)

    def _with_unit(self, value: float) -> str:
        return f"{_digits(value)} {self.unit}".rstrip()


@dataclasses.dataclass(kw_only=True, slots=True)
class Report:
    """What one benchmark found; `notes` say how its numbers came about."""

    title: str
    figures: Sequence[Figure]
    notes: Sequence[str] = ()
    details: Sequence[tables.Table] = ()

    def table(self) -> tables.Table:
        table = tables.Table(
            title=self.title,
            columns=["what", "measured", "target", "ratio"],
            notes=list(self.notes),
        )
        for figure in self.figures:
            ratio = None if figure.ratio is None else f"{figure.ratio:.2f}"
            table.add(figure.what, figure.shown(), figure.target or None, ratio)
        return table


def summary(reports: Iterable[Report], *, note: str) -> tables.Table:
    """Show every figure that has a target, and whether it is met."""
    table = tables.Table(
        title="Summary", columns=["figure", "measured", "target", "met"], notes=[note]
    )
    for report in reports:
        for figure in report.figures:
            if figure.target:
                met = "yes" if figure.is_met else "NO"
                name = f"{report.title}: {figure.what}"
                table.add(name, figure.shown(), figure.target, met)
    return table


def _digits(value: float) -> str:
    if float(value).is_integer() or abs(value) >= 1000:
        return f"{value:,.0f}"
    digits = 3 if abs(value) < 1 else 2 if abs(value) < 100 else 0
    return f"{value:.{digits}f}"

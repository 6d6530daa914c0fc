"""The stages of a run for the eyes: what each waits for, since when, and until when. Pure."""

import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from datetime import datetime

from controller.api import v1alpha1, wording
from controller.api.v1alpha1 import Phase, StageStatus
from controller.display import styled_text, tree_characters
from controller.display.styled_text import Line, Span, Style
from controller.display.tree_characters import TreeCharacters

# With at least this many stages, those that need no attention share rows.
FOLDED_FROM = 7
_LEAST_FOLDED = 3
_NAMED = 2
_LEAST_NAME = 5
_QUIET = frozenset({Phase.PENDING, Phase.SUCCEEDED, Phase.SKIPPED})

_WAITS: dict[str, str] = {
    v1alpha1.StageWait.EARLIER_STAGES: "waits for earlier stages",
    v1alpha1.StageWait.SOAK: "soaks",
    v1alpha1.StageWait.APPROVAL: "waits for approval",
    v1alpha1.StageWait.WINDOW: "waits for its window",
}


def lines(
    stages: Iterable[StageStatus],
    *,
    now: datetime,
    width: int,
    characters: TreeCharacters,
    folded_from: int = FOLDED_FROM,
) -> list[Line]:
    """Return a row for each stage; what does not fit continues on the next lines.

    Args:
        stages: the stages, in their order.
        now: the instant that waits are timed at.
        width: columns.
        characters: what phases are marked with.
        folded_from: with at least this many stages, those that need no attention share rows.
    """
    rows = _rows(tuple(stages), now, folded_from)
    widths = [max(map(len, column)) for column in zip(*(row.cells for row in rows), strict=True)]
    # Names give way: what a stage does is always shown.
    others = sum(widths[1:]) + 2 * len(styled_text.GAP) + len(characters.unknown) + 1
    widths[0] = min(widths[0], max(_LEAST_NAME, width - others))
    drawn = list[Line]()
    for row in rows:
        name = styled_text.middle(row.cells[0], widths[0], characters.cut)
        cells = [f"{cell:<{w}}" for cell, w in zip((name, *row.cells[1:]), widths, strict=True)]
        mark = characters.phases.get(row.mark, characters.unknown)
        style = tree_characters.PHASE_STYLES.get(row.mark, Style.PLAIN)
        label = f"{mark} {styled_text.GAP.join(cells)}"
        drawn += _fitted(label, row.text, style, width)
    return drawn


def wait_of(stage: StageStatus) -> str:
    """Say what a stage waits for; empty if it waits for nothing."""
    return _WAITS.get(stage.waits_for, f"waits for {stage.waits_for}") if stage.waits_for else ""


def text_of(stage: StageStatus, now: datetime) -> str:
    """Say what a stage waits for, since when, and until when."""
    if stage.waits_for == v1alpha1.StageWait.EARLIER_STAGES:
        return wait_of(stage)
    if stage.waits_for:
        text = wait_of(stage)
        if stage.since:
            waited = styled_text.duration(stage.since, None, now)
            text += f" since {stage.since}" + ("" if stage.until else f" ({waited})")
        if stage.until:
            left = styled_text.duration(now.isoformat(), stage.until, now)
            text += f"{',' if stage.since else ''} until {stage.until} ({left} left)"
        return text
    if stage.approved_time:
        return f"approved at {stage.approved_time}"
    return stage.message or ""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    """One stage, or several alike; `mark`: the phase by whose mark and style it shows."""

    mark: str
    cells: tuple[str, str, str]
    text: str


def _rows(stages: Sequence[StageStatus], now: datetime, folded_from: int) -> list[_Row]:
    rows = list[_Row]()
    for phase, group in itertools.groupby(stages, lambda stage: str(stage.phase)):
        alike = list(group)
        is_many = len(stages) >= folded_from and len(alike) >= _LEAST_FOLDED
        if is_many and phase in _QUIET:
            names = ", ".join(stage.name for stage in alike[:_NAMED])
            cells = wording.counted(len(alike), "stage"), phase, ""
            rows.append(_Row(mark=phase, cells=cells, text=f"{names} +{len(alike) - _NAMED}"))
            continue
        rows += [_row(stage, now) for stage in alike]
    return rows


def _row(stage: StageStatus, now: datetime) -> _Row:
    # It waits for a person, as a run does that is to be confirmed.
    waits = stage.waits_for == v1alpha1.StageWait.APPROVAL
    mark = str(Phase.AWAITING_CONFIRMATION if waits else stage.phase)
    cells = stage.name, str(stage.phase), stage.progress
    return _Row(mark=mark, cells=cells, text=text_of(stage, now))


def _fitted(label: str, text: str, style: Style, width: int) -> list[Line]:
    label_span = Span(text=label, style=style)
    if not text or len(label) + len(styled_text.GAP) + len(text) <= width:
        return [(label_span, Span(text=f"{styled_text.GAP}{text}", style=Style.FAINT))]
    below = styled_text.wrap(text, width - 2, Style.FAINT)
    return [(label_span,), *((Span(text="  "), *line) for line in below)]

"""Draws panels of the dashboard, with what Prometheus answered, as one SVG.

It keeps the panels' titles, places, kinds and thresholds. It is not Grafana, and says so.
"""

import math
from collections.abc import Iterator, Sequence
from html import escape

from tests.pictures.dashboard_answers import Answer, Series
from tests.pictures.drawing import width_of

_COLUMN, _ROW, _GAP = 46, 27, 8
_TABLE_ROW = 22
# Answers are for each second.
_LONGEST_STEP_SECONDS = 1.5
_CAPTION = (
    "Panels of the dashboard with what Prometheus answered for the chains of the demo. "
    "Not drawn by Grafana."
)
_COLORS = (
    ("2f6f2f", "73bf69"),
    ("9a6700", "f2cc0c"),
    ("1f60c4", "8ab8ff"),
    ("b3131f", "ff7383"),
    ("7a3fa0", "ca95e5"),
    ("0a6a75", "5ad8e6"),
    ("a34700", "ffa657"),
    ("4b5560", "b1bac4"),
)
_THRESHOLDS = {"green": "good", "yellow": "warn", "red": "bad", "blue": "plain"}

_STYLE = (
    """
svg { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
text { fill: #1f2328; }
.page { fill: #f6f8fa; }
.panel { fill: #ffffff; stroke: #d0d7de; }
.title { font-weight: 600; }
.note { fill: #4b5560; }
.grid { stroke: #d8dee4; fill: none; }
.value { font-size: 30px; font-weight: 600; }
.good { fill: #116329; }
.warn { fill: #7d4e00; }
.bad { fill: #b3131f; }
.plain { fill: #1f60c4; }
.line { fill: none; stroke-width: 1.8; }
.area { fill-opacity: 0.3; stroke-width: 1.4; }
"""
    + "".join(
        f".l{place} {{ stroke: #{light}; }}\n.a{place} {{ fill: #{light}; stroke: #{light}; }}\n"
        for place, (light, _) in enumerate(_COLORS)
    )
    + """@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .page { fill: #0d1117; }
  .panel { fill: #161b22; stroke: #30363d; }
  .note { fill: #b1bac4; }
  .grid { stroke: #30363d; }
  .good { fill: #56d364; }
  .warn { fill: #e3b341; }
  .bad { fill: #ff7b72; }
  .plain { fill: #8ab8ff; }
"""
    + "".join(
        f"  .l{place} {{ stroke: #{dark}; }}\n  .a{place} {{ fill: #{dark}; stroke: #{dark}; }}\n"
        for place, (_, dark) in enumerate(_COLORS)
    )
    + "}\n"
)


def draw(rows: Sequence[Sequence[Answer]], *, title: str, period: tuple[float, float]) -> str:
    """Return the SVG of rows of panels, with a period from left to right in graphs."""
    width, top = 24 * _COLUMN, 34
    parts = list[str]()
    for row in rows:
        for answer in row:
            place = answer.panel["gridPos"]
            left, wide = place["x"] * _COLUMN + _GAP / 2, place["w"] * _COLUMN - _GAP
            tall = _height(answer) - _GAP
            heading = answer.panel["title"]
            parts += [
                f'<g transform="translate({left:g} {top})">',
                f'<rect class="panel" width="{wide:g}" height="{tall}" rx="4"/>',
                *_heading(heading, wide),
                *_inside(answer, wide, tall, period),
                "</g>",
            ]
        top += max(map(_height, row))
    description = "; ".join(_said(answer) for row in rows for answer in row)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top}" role="img"'
            ' aria-labelledby="title description">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="description">{escape(_CAPTION)} {escape(description)}</desc>',
            f"<style>{_STYLE}</style>",
            f'<rect class="page" width="{width}" height="{top}"/>',
            f'<text class="note" x="8" y="21">{_CAPTION}</text>',
            *parts,
            "</svg>\n",
        ]
    )


def _height(answer: Answer) -> int:
    """Return the height of a panel; a table is no higher than it is full."""
    if answer.panel["type"] == "table":
        return 42 + (len(answer.rows) + 1) * _TABLE_ROW
    return int(answer.panel["gridPos"]["h"] * _ROW)


def _inside(answer: Answer, wide: float, tall: float, period: tuple[float, float]) -> Iterator[str]:
    match answer.panel["type"]:
        case "stat":
            return _stat(answer, wide, tall)
        case "table":
            return _table(answer, wide)
        case "timeseries":
            return _graph(answer, wide, tall, period)
        case kind:
            raise ValueError(f"a panel of the kind {kind}")


def _said(answer: Answer) -> str:
    name = answer.panel["title"]
    if answer.panel["type"] == "stat":
        return f"{name}: {_last(answer)[1]}"
    if answer.panel["type"] == "table":
        return f"{name}: " + ", ".join(" ".join(row.values()) for row in answer.rows)
    return f"{name}, over time: " + ", ".join(one.name for one in answer.series)


def _heading(text: str, wide: float) -> Iterator[str]:
    """Break a title where the panel is narrow."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and width_of(longer, "title") > wide - 16:
            lines.append(word)
        else:
            lines[-1] = longer
    for number, line in enumerate(lines):
        yield f'<text class="title" x="8" y="{18 + number * 15}">{escape(line)}</text>'


def _last(answer: Answer) -> tuple[float, str]:
    """Return the value that a stat shows, and its words: 'No data' without any."""
    points = answer.series[-1].points if answer.series else ()
    if not points:
        return math.nan, "No data"
    value = points[-1][1]
    return value, f"{value:g}"


def _stat(answer: Answer, wide: float, tall: float) -> Iterator[str]:
    value, words = _last(answer)
    color = "green"
    for step in answer.panel["fieldConfig"]["defaults"]["thresholds"]["steps"]:
        if step["value"] is None or value >= step["value"]:
            color = step["color"]
    yield (
        f'<text class="value {_THRESHOLDS[color]}" x="{wide / 2:g}" y="{tall - 18:g}"'
        f' text-anchor="middle">{words}</text>'
    )
    if answer.panel["options"].get("textMode") == "value_and_name" and answer.series:
        name = answer.series[-1].name
        yield _note(wide / 2, tall - 5, name, "middle")


def _table(answer: Answer, wide: float) -> Iterator[str]:
    columns = list(dict.fromkeys(name for row in answer.rows for name in row))
    each = (wide - 16) / max(1, len(columns))
    for number, row in enumerate([dict(zip(columns, columns, strict=True)), *answer.rows]):
        baseline = 42 + number * _TABLE_ROW
        for place, name in enumerate(columns):
            kind = ' class="note"' if number == 0 else ""
            yield (
                f'<text{kind} x="{8 + place * each:g}" y="{baseline}">'
                f"{escape(row.get(name, ''))}</text>"
            )
        yield f'<path class="grid" d="M8 {baseline + 7}H{wide - 8:g}"/>'


def _graph(answer: Answer, wide: float, tall: float, period: tuple[float, float]) -> Iterator[str]:
    shown = [one for one in answer.series if any(value for _, value in one.points)]
    custom = answer.panel["fieldConfig"]["defaults"]["custom"]
    is_stacked = custom["stacking"]["mode"] == "normal"
    legend = list(_legend(shown, wide))
    left, top, right = 40.0, 34.0, wide - 12
    bottom = tall - 24 - 17 * (legend[-1][2] + 1 if legend else 0)
    times = sorted({at for one in shown for at, _ in one.points})
    if not times:
        yield _note(wide / 2, tall / 2, "No data", "middle")
        return
    curves = _stacked(shown, times) if is_stacked else [_curve(one) for one in shown]
    most = _round_up(max(high for curve in curves for _, _, high in curve))
    begun, length = period[0], period[1] - period[0]

    def x(at: float) -> str:
        return f"{left + (at - begun) / length * (right - left):.1f}"

    def y(value: float) -> str:
        return f"{bottom - value / most * (bottom - top):.1f}"

    for part in range(3):
        value = most * part / 2
        yield f'<path class="grid" d="M{left:g} {y(value)}H{right:g}"/>'
        yield _note(left - 6, float(y(value)) + 4, f"{value:g}", "end")
        anchor = ("start", "middle", "end")[part]
        at = begun + length * part / 2
        yield _note(float(x(at)), bottom + 16, f"{at - begun:.0f} s", anchor)
    pieces = [(place, piece) for place, curve in enumerate(curves) for piece in _pieces(curve)]
    for place, curve in pieces:
        high = "L".join(f"{x(at)} {y(value)}" for at, _, value in curve)
        if is_stacked:
            low = "L".join(f"{x(at)} {y(value)}" for at, value, _ in reversed(curve))
            yield f'<path class="area a{place % len(_COLORS)}" d="M{high}L{low}z"/>'
        else:
            yield f'<path class="line l{place % len(_COLORS)}" d="M{high}"/>'
    for place, (name, across, row) in enumerate(legend):
        baseline = tall - 10 - 17 * (legend[-1][2] - row)
        color = place % len(_COLORS)
        yield f'<rect class="a{color}" x="{across:g}" y="{baseline - 9:g}" width="10" height="10"/>'
        yield _note(across + 15, baseline, name)


def _note(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text class="note" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'


Curve = list[tuple[float, float, float]]
"""Times, with the lower and the upper value."""


def _curve(series: Series) -> Curve:
    return [(at, 0.0, value) for at, value in series.points if math.isfinite(value)]


def _stacked(shown: Sequence[Series], times: Sequence[float]) -> list[Curve]:
    below = dict.fromkeys(times, 0.0)
    curves = list[Curve]()
    for one in shown:
        values = dict(one.points)
        curve = [(at, below[at], below[at] + values.get(at, 0.0)) for at in times]
        below = {at: high for at, _, high in curve}
        curves.append(curve)
    return curves


def _pieces(curve: Curve) -> Iterator[Curve]:
    """Cut a curve where nothing was found for a while: no line may cross that gap."""
    piece = Curve()
    for point in curve:
        if piece and point[0] - piece[-1][0] > _LONGEST_STEP_SECONDS:
            yield piece
            piece = []
        piece.append(point)
    if piece:
        yield piece


def _legend(shown: Sequence[Series], wide: float) -> Iterator[tuple[str, float, int]]:
    """Return for each series its name, and where it is: across, and in which row."""
    across, row = 8.0, 0
    for one in shown:
        room = width_of(one.name, "note") + 30
        if across > 8 and across + room > wide:
            across, row = 8.0, row + 1
        yield one.name, across, row
        across += room


def _round_up(value: float) -> float:
    """Return the next number of the scale 1, 2, 5, 10, so that half of it is plain as well."""
    if value <= 0:
        return 1
    power = 10 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= value)

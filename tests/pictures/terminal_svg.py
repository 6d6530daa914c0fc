"""Turns a recording of a terminal into an animated SVG.

Each text is there once, with the times at which it is shown. Without animation, or for readers who
want less motion, the last frame is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from tests.pictures.terminal_recording import Frame
from tests.pictures.terminal_screen import Row, Span

_CELL = 8
_LINE = 18
_BASELINE = 13
_EDGE = 16
_BAR = 30
_END_SECONDS = 8.0
# Afterwards the last frame stays: a page that moves forever cannot be read in peace.
_TIMES = 3
# No code of a terminal.
_CAPTION = (0,)

_STYLE = """
svg { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
text { fill: #1f2328; white-space: pre; }
.window { fill: #ffffff; stroke: #8c959f; }
.bar { fill: #eaeef2; }
.s0 { fill: #0a3069; font-weight: 600; }
.s1 { font-weight: 700; }
.s2 { fill: #59636e; }
.s31 { fill: #b3131f; }
.s32 { fill: #116329; }
.s33 { fill: #7d4e00; }
.s36 { fill: #0a6a75; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .window { fill: #0d1117; stroke: #6e7681; }
  .bar { fill: #21262d; }
  .s0 { fill: #a5d6ff; }
  .s2 { fill: #9198a1; }
  .s31 { fill: #ff7b72; }
  .s32 { fill: #56d364; }
  .s33 { fill: #e3b341; }
  .s36 { fill: #56d4dd; }
}
.f { visibility: hidden; }
.end { visibility: visible; }
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """A row's content, and from when until when it is there."""

    row: int
    content: Row
    since: float
    until: float


def animate(frames: Sequence[Frame], *, command: str, columns: int, title: str) -> str:
    """Return the SVG of a recording."""
    rows = max(len(frame.rows) for frame in frames)
    width = columns * _CELL + 2 * _EDGE
    height = _BAR + (rows + 2) * _LINE + _EDGE
    total = frames[-1].seconds - frames[0].seconds + _END_SECONDS
    shown = rows_over_time(frames, total)
    moments = dict.fromkeys((one.since, one.until) for one in shown)
    names = {moment: f"f{number}" for number, moment in enumerate(moments)}
    description = (
        f"A recording of a terminal, {total - _END_SECONDS:.0f} seconds long. At its end it says: "
        + " / ".join(_words(row) for row in frames[-1].rows if row)
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
            ' aria-labelledby="title description">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="description">{escape(description)}</desc>',
            f"<style>{_STYLE}{_motion(names, total)}</style>",
            f'<rect class="window" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}"'
            ' rx="8"/>',
            f'<path class="bar" d="M1 {_BAR}V8.5A7.5 7.5 0 0 1 8.5 1H{width - 8.5}'
            f'A7.5 7.5 0 0 1 {width - 1} 8.5V{_BAR}z"/>',
            _text(_BAR - 10, (Span(0, f"$ {command}", (1,)),), ""),
            *(
                _text(
                    _BAR + one.row * _LINE + _BASELINE,
                    one.content,
                    f"f {names[one.since, one.until]}{' end' if one.until >= total else ''}",
                )
                for one in shown
            ),
            "</svg>\n",
        ]
    )


def rows_over_time(frames: Sequence[Frame], total: float) -> list[Shown]:
    """Return what is shown in each row, from the first frame at 0 until `total`."""
    height = max(len(frame.rows) for frame in frames)
    found = list[Shown]()
    for row in range(height + 2):
        content: Row = ()
        since = 0.0
        for frame in frames:
            at = frame.seconds - frames[0].seconds
            now = _content(frame, row, height)
            if now != content:
                found.append(Shown(row, content, since, at))
                content, since = now, at
        found.append(Shown(row, content, since, total))
    return [one for one in found if one.content and one.until > one.since]


def _content(frame: Frame, row: int, height: int) -> Row:
    if row == height + 1:
        return (Span(0, frame.caption, _CAPTION),) if frame.caption else ()
    return frame.rows[row] if row < len(frame.rows) else ()


def _motion(names: dict[tuple[float, float], str], total: float) -> str:
    """Return the rules that show each row when it is its time."""
    rules = list[str]()
    for (since, until), name in names.items():
        steps = [f"0%{{visibility:{'hidden' if since else 'visible'}}}"]
        if since:
            steps.append(f"{100 * since / total:.2f}%{{visibility:visible}}")
        if until < total:
            steps.append(f"{100 * until / total:.2f}%{{visibility:hidden}}")
        rules += [f"@keyframes {name}{{{''.join(steps)}}}", f".{name}{{animation-name:{name}}}"]
    return (
        "@media (prefers-reduced-motion: no-preference) {\n"
        f".f {{ animation: {total:.2f}s step-end {_TIMES}; }}\n" + "\n".join(rules) + "\n}\n"
    )


def _text(baseline: float, content: Row, classes: str) -> str:
    pieces = [
        f'<tspan x="{_EDGE + span.column * _CELL}"{_class(span.style)}>{escape(span.text)}</tspan>'
        for span in content
    ]
    named = f' class="{classes}"' if classes else ""
    return f'<text{named} y="{baseline}">{"".join(pieces)}</text>'


def _class(style: tuple[int, ...]) -> str:
    return f' class="{" ".join(f"s{code}" for code in style)}"' if style else ""


def _words(row: Row) -> str:
    return " ".join(span.text for span in row)

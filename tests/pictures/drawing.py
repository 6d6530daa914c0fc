"""Drawings of boxes, texts and arrows as SVG, for light and dark pages.

A drawing knows how wide its texts are in a wide font, so that it can report those that do not fit.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape

_PADDING = 10
_HEAD_ROOM = 22

_STYLE = """
svg { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
text { fill: #1f2328; }
.title { font-weight: 600; }
.note { font-size: 12px; fill: #4b5560; }
.code {
  font: 12px ui-monospace, SFMono-Regular, Menlo, "DejaVu Sans Mono", monospace;
  fill: #4b5560;
}
.outside { fill: #f6f8fa; stroke: #57606a; }
.ours { fill: #e8f1fd; stroke: #2563ab; }
.part { fill: #ffffff; stroke: #8aa9cf; }
.wait { fill: #fff6dd; stroke: #8a6100; }
.bad { fill: #fdecec; stroke: #b3131f; }
.good { fill: #e6f6ea; stroke: #116329; }
.person { fill: #ffffff; stroke: #57606a; stroke-dasharray: 5 3; }
rect { stroke-width: 1.4; }
.page { fill: #ffffff; }
.arrow { fill: none; stroke: #57606a; stroke-width: 1.7; marker-end: url(#head); }
.both { marker-start: url(#head); }
.head { fill: #57606a; }
.step { fill: #2563ab; }
.number { fill: #ffffff; font-size: 12px; font-weight: 600; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .note, .code { fill: #b1bac4; }
  .outside { fill: #161b22; stroke: #8b949e; }
  .ours { fill: #10233d; stroke: #6ea8fe; }
  .part { fill: #0d1117; stroke: #3d5a80; }
  .wait { fill: #2e2611; stroke: #e3b341; }
  .bad { fill: #33161a; stroke: #ff7b72; }
  .good { fill: #11291a; stroke: #56d364; }
  .person { fill: #0d1117; stroke: #8b949e; }
  .arrow { stroke: #8b949e; }
  .head { fill: #8b949e; }
  .step { fill: #6ea8fe; }
  .number { fill: #0d1117; }
  .page { fill: #0d1117; }
}
"""
_MARKER = (
    '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7"'
    ' orient="auto-start-reverse"><path class="head" d="M0 0 10 5 0 10z"/></marker></defs>'
)

# Hundredths of an em that the characters of wide fonts take, DejaVu Sans and its bold: readers have
# this font or one that is narrower. What is not listed counts as a whole em.
_REGULAR = {
    32: "'ijlIJ ,.",
    42: "/:;\\|f-()[]tr!",
    55: '"*_`sz?c',
    64: "LFkvxyPTYaeo$0123456789ESbdghnpqu{}",
    70: "KABVXZCR",
    79: "UNH&DGOQ",
    87: "w#+<=>^~M",
}
_BOLD = {
    38: "' ijl/\\|,.IJ",
    48: ":;-f!()[]t",
    60: '_`r"*?zcs',
    72: "LxvykaeEFTo$0123456789bdghnpqu{}",
    79: "SYZCPBAKRVX",
    88: "UG#+<=>DHN^~OQ&",
}
_MONOSPACE = 62
_SIZES = {"title": 13, "note": 12, "code": 12, "": 13, "number": 12}


def width_of(text: str, kind: str) -> float:
    """Return how many pixels a string takes at most in the fonts that readers have."""
    if kind == "code":
        return len(text) * _MONOSPACE * _SIZES[kind] / 100
    table = _BOLD if kind in ("title", "number") else _REGULAR
    of_character = {character: width for width, all_ in table.items() for character in all_}
    # Bold has characters that are wider than an em.
    widest = 111 if table is _BOLD else 100
    return sum(of_character.get(one, widest) for one in text) * _SIZES[kind] / 100


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    def holds(self, other: "Area") -> bool:
        return (
            self.x <= other.x
            and self.y <= other.y
            and other.right <= self.right
            and other.bottom <= self.bottom
        )

    def meets(self, other: "Area") -> bool:
        return (
            self.x < other.right
            and other.x < self.right
            and self.y < other.bottom
            and other.y < self.bottom
        )


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text, and the area that it may need."""

    text: str
    kind: str
    x: float
    baseline: float
    anchor: str

    @property
    def area(self) -> Area:
        width, size = width_of(self.text, self.kind), _SIZES[self.kind]
        left = {"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        return Area(self.x - left, self.baseline - size * 0.8, width, size * 1.05)


@dataclass(frozen=True, slots=True)
class Box:
    """A box with lines of text; each line is a kind and a string."""

    name: str
    kind: str
    area: Area
    lines: tuple[tuple[str, str], ...]

    def texts(self) -> Iterator[Text]:
        baseline = self.area.y + _HEAD_ROOM - 4 * (self.kind == "part")
        for kind, text in self.lines:
            yield Text(text, kind, self.area.x + _PADDING + 2, baseline, "start")
            baseline += 17


@dataclass
class Drawing:
    """Boxes, arrows between them, and the labels of the arrows."""

    width: int
    height: int
    title: str
    description: str
    boxes: list[Box] = field(default_factory=list)
    arrows: list[tuple[str, str]] = field(default_factory=list)
    labels: list[Text] = field(default_factory=list)
    steps: list[tuple[float, float]] = field(default_factory=list)

    def box(
        self, kind: str, at: tuple[float, float, float, float], *lines: tuple[str, str]
    ) -> None:
        """Add a box with lines of text; `at` is left, top, width and height."""
        self.boxes.append(Box(lines[0][1], kind, Area(*at), lines))

    def arrow(self, path: str, *, both: bool = False) -> None:
        """Add an arrow along a path of SVG, with a head at its start too if it goes both ways."""
        self.arrows.append((path, "arrow both" if both else "arrow"))

    def label(self, x: float, baseline: float, text: str, anchor: str = "start") -> None:
        """Add a label next to an arrow."""
        self.labels.append(Text(text, "note", x, baseline, anchor))

    def step(self, x: float, y: float) -> None:
        """Add the next number of the order."""
        self.steps.append((x, y))

    def texts(self) -> list[Text]:
        """Return all texts, in the order in which they are drawn."""
        numbers = [
            Text(str(number), "number", x, y + 4.5, "middle")
            for number, (x, y) in enumerate(self.steps, 1)
        ]
        return [*(text for box in self.boxes for text in box.texts()), *self.labels, *numbers]

    def misfits(self) -> list[str]:
        """Say which texts leave their box or the drawing, and which overlap another text or box."""
        page = Area(0, 0, self.width, self.height)
        found = [
            f"'{text.text}' has no room in '{box.name}'"
            for box in self.boxes
            for text in box.texts()
            if not Area(box.area.x, box.area.y, box.area.width - 4, box.area.height).holds(
                text.area
            )
        ]
        texts = self.texts()
        found += [f"'{one.text}' leaves the drawing" for one in texts if not page.holds(one.area)]
        found += [
            f"'{one.text}' meets '{other.text}'"
            for place, one in enumerate(texts)
            for other in texts[:place]
            if one.area.meets(other.area)
        ]
        found += [
            f"'{text.text}' meets the box '{box.name}'"
            for text in self.labels
            for box in self.boxes
            if text.area.meets(box.area)
        ]
        lines = [line for path, _ in self.arrows for line in _lines(path)]
        found += [
            f"an arrow crosses '{text.text}'"
            for text in texts
            if text.kind != "number" and any(text.area.meets(line) for line in lines)
        ]
        return found

    def svg(self) -> str:
        """Return the drawing as a file."""
        circles = [f'<circle class="step" cx="{x:g}" cy="{y:g}" r="10"/>' for x, y in self.steps]
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}"'
                ' role="img" aria-labelledby="title description">',
                f'<title id="title">{escape(self.title)}</title>',
                f'<desc id="description">{escape(self.description)}</desc>',
                f"<style>{_STYLE}</style>",
                _MARKER,
                f'<rect class="page" width="{self.width}" height="{self.height}"/>',
                *(
                    f'<rect class="{box.kind}" x="{box.area.x:g}" y="{box.area.y:g}"'
                    f' width="{box.area.width:g}" height="{box.area.height:g}" rx="7"/>'
                    for box in self.boxes
                ),
                *(f'<path class="{kind}" d="{path}"/>' for path, kind in self.arrows),
                *circles,
                *map(_element, self.texts()),
                "</svg>\n",
            ]
        )


def _lines(path: str) -> Iterator[Area]:
    """Return the lines of a path of `M`, `H` and `V`, as narrow areas."""
    x = y = 0.0
    for command, numbers in re.findall(r"([MHV])([-\d. ]+)", path):
        places = [float(number) for number in numbers.split()]
        begun = (x, y)
        if command == "M":
            x, y = places
            continue
        x, y = (places[0], y) if command == "H" else (x, places[0])
        left, top = min(begun[0], x), min(begun[1], y)
        yield Area(left - 1, top - 1, abs(x - begun[0]) + 2, abs(y - begun[1]) + 2)


def _element(text: Text) -> str:
    kind = f' class="{text.kind}"' if text.kind else ""
    anchor = "" if text.anchor == "start" else f' text-anchor="{text.anchor}"'
    return (
        f'<text{kind} x="{text.x:g}" y="{text.baseline:g}"{anchor}>'
        f"{escape(text.text, quote=False)}</text>"
    )

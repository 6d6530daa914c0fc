"""Lines of styled text, as everything that people read is built before a terminal is known."""

import dataclasses
import enum
import textwrap
from collections.abc import Sequence
from datetime import datetime

from controller import times

GAP = "  "


class Style(enum.StrEnum):
    """What a piece of text is to the reader; whoever prints it chooses the colors."""

    PLAIN = "plain"
    FAINT = "faint"
    STRONG = "strong"
    GOOD = "good"
    BAD = "bad"
    ACTIVE = "active"
    ATTENTION = "attention"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A piece of a line."""

    text: str
    style: Style = Style.PLAIN


Line = tuple[Span, ...]


def line(text: str, style: Style = Style.PLAIN) -> Line:
    """Return a line of one style."""
    return (Span(text=text, style=style),)


def plain_text(spans: Line) -> str:
    """Return a line without styles."""
    return "".join(span.text for span in spans).rstrip()


def fit(text: str, width: int, cut: str) -> str:
    """Return the text, cut if there is no more room."""
    if len(text) <= width:
        return text
    return text[: max(0, width - len(cut))] + cut if width else ""


def middle(text: str, width: int, cut: str) -> str:
    """Return the text, cut in the middle if there is no more room: ids differ at their ends."""
    if len(text) <= width:
        return text
    room = max(0, width - len(cut))
    tail = room - room // 2
    return f"{text[: room // 2]}{cut}{text[len(text) - tail :]}" if room else text[:width]


def flow(spans: Sequence[Span], width: int) -> list[Line]:
    """Put spans next to each other, and on the next line when there is no more room."""
    lines, column = list[list[Span]](), 0
    for span in spans:
        if lines and column + len(GAP) + len(span.text) <= width:
            lines[-1].append(dataclasses.replace(span, text=f"{GAP}{span.text}"))
            column += len(GAP) + len(span.text)
        else:
            parts = textwrap.wrap(span.text, max(1, width)) or [span.text]
            lines += [[dataclasses.replace(span, text=part)] for part in parts]
            column = len(parts[-1])
    return [tuple(line) for line in lines]


def wrap(text: str, width: int, style: Style = Style.PLAIN) -> list[Line]:
    """Break a string between words, but never a link: a broken one cannot be followed."""
    width = max(10, width)
    found = list[Line]()
    for part in textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False):
        is_whole = len(part) <= width or "://" in part
        found += [line(one, style) for one in ([part] if is_whole else textwrap.wrap(part, width))]
    return found


def cut_to(lines: list[Line], most: int, width: int, cut: str) -> list[Line]:
    """Return at most this many lines, the last one cut after a word."""
    if len(lines) <= most:
        return lines
    last = plain_text(lines[most - 1])
    room = max(0, width - len(cut) - 1)
    if len(last) > room:
        begun = last[:room].rpartition(" ")[0]
        # A word as long as a whole line is cut wherever it has to be.
        last = begun if begun.strip() else last[:room]
    return [*lines[: most - 1], line(f"{last} {cut}")]


def duration(start: str | None, end: str | None, now: datetime) -> str:
    """Return how long something took, or has taken until now; nothing before its start."""
    if start is None:
        return ""
    since, until = times.instant(start), times.instant(end) if end else now
    if since is None or until is None:
        return ""
    return duration_of((until - since).total_seconds())


def duration_of(exact_seconds: float) -> str:
    """Return a number of seconds in the two largest units that it has; none is below zero."""
    seconds = max(0, int(exact_seconds))
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m{seconds % 60:02}s"
    if seconds < 86400:
        return f"{seconds // 3600}h{seconds % 3600 // 60:02}m"
    return f"{seconds // 86400}d{seconds % 86400 // 3600:02}h"

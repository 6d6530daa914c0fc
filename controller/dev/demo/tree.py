"""A chain's status as a tree for the eyes: plain values in, lines out, no terminal needed.

A dependency graph is no tree, so each stack stands once, below its deepest upstream stack, and
names the others: that is where a reader looks for what it waits for, and 500 stacks stay 500 lines.
"""

import dataclasses
import enum
import textwrap
from collections.abc import Iterable, Iterator
from datetime import datetime

from controller.api import reasons, v1alpha1
from controller.api.v1alpha1 import Phase, StackStatus

# Deeper rows are indented no further, and say how deep they are instead.
MAX_INDENTS = 12
_OTHERS_NAMED = 2
_PHASE_WIDTH = max(len(phase) for phase in Phase)
_TIME_WIDTH = 6
_GAP = "  "


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


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Marks:
    """The characters that a tree is drawn with."""

    branch: str
    last: str
    through: str
    others: str
    cut: str
    unknown: str
    phases: dict[str, str]


UNICODE = Marks(
    branch="├─ ",
    last="└─ ",
    through="│  ",
    others="←",
    cut="…",
    unknown="·",
    phases={
        Phase.PENDING: "·",
        Phase.WAITING: "○",
        Phase.RUNNING: "●",
        Phase.AWAITING_CONFIRMATION: "?",
        Phase.SUCCEEDED: "✓",
        Phase.FAILED: "✗",
        Phase.SKIPPED: "-",
        Phase.CANCELED: "✗",
    },
)
ASCII = Marks(
    branch="|- ",
    last="`- ",
    through="|  ",
    others="<-",
    cut="~",
    unknown=".",
    phases={
        Phase.PENDING: ".",
        Phase.WAITING: "o",
        Phase.RUNNING: "*",
        Phase.AWAITING_CONFIRMATION: "?",
        Phase.SUCCEEDED: "+",
        Phase.FAILED: "x",
        Phase.SKIPPED: "-",
        Phase.CANCELED: "x",
    },
)

# By text: a status may come from an operator that knows more phases.
_OVER = frozenset(str(phase) for phase in Phase if phase.is_over)
_STYLES: dict[str, Style] = {
    Phase.PENDING: Style.FAINT,
    Phase.WAITING: Style.ACTIVE,
    Phase.RUNNING: Style.ACTIVE,
    Phase.AWAITING_CONFIRMATION: Style.ATTENTION,
    Phase.SUCCEEDED: Style.GOOD,
    Phase.FAILED: Style.BAD,
    Phase.SKIPPED: Style.FAINT,
    Phase.CANCELED: Style.BAD,
}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Drawing:
    """How to draw: the instant that running stacks are timed at, and the room there is."""

    now: datetime
    width: int = 100
    marks: Marks = UNICODE


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Node:
    stack: StackStatus
    indent: str
    others: tuple[str, ...]


def render(name: str, status: v1alpha1.Status, drawing: Drawing) -> list[Line]:
    """Return the chain's own line, its stacks, and what the status says in words."""
    lines = [_headline(name, status, drawing)]
    stacks = current_stacks(status)
    if stacks:
        lines += [(), *_rows(stacks, drawing)]
    message = _message(status)
    if message:
        lines += [(), *_wrapped(message, drawing.width)]
    return lines


def current_stacks(status: v1alpha1.Status) -> tuple[StackStatus, ...]:
    """Return the stacks of the latest run; until it has read them, the status has older ones."""
    graph, run = status.graph, status.latest_run
    if graph is None or run is None or run.start_time is None:
        return ()
    return status.stacks if graph.resolved_time >= run.start_time else ()


def plain_text(line: Line) -> str:
    """Return a line without styles."""
    return "".join(span.text for span in line).rstrip()


def style_of(phase: str) -> Style:
    """Return what a phase is to the reader."""
    return _STYLES.get(phase, Style.PLAIN)


def describe_stack(stack: StackStatus, stacks: Iterable[StackStatus] = ()) -> str:
    """Say in a few words why a stack is where it is.

    Args:
        stack: the stack.
        stacks: all stacks of the chain, to name those that it waits for.
    """
    if stack.blocked_by:
        return f"because of {stack.blocked_by}"
    if stack.reason == reasons.StackReason.OUTPUT_UNCHANGED:
        return "inputs unchanged"
    if stack.reason == reasons.StackReason.UPSTREAM_PENDING:
        waiting = {item.id for item in stacks if item.phase not in _OVER}
        names = [name for name in stack.depends_on if name in waiting]
        return f"waits for {_some(names)}" if names else ""
    if stack.reason == reasons.StackReason.STARTING:
        return "looks for its run"
    if stack.reason == reasons.StackReason.NEEDS_CONFIRMATION:
        return f"plan: {_changes(stack)}"
    if stack.phase == Phase.SUCCEEDED:
        return _changes(stack)
    return stack.message or ""


def duration(start: str | None, end: str | None, now: datetime) -> str:
    """Return how long something took, or has taken until now; nothing before its start."""
    if start is None:
        return ""
    until = datetime.fromisoformat(end) if end else now
    seconds = max(0, int((until - datetime.fromisoformat(start)).total_seconds()))
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m{seconds % 60:02}s"
    return f"{seconds // 3600}h{seconds % 3600 // 60:02}m"


def _headline(name: str, status: v1alpha1.Status, drawing: Drawing) -> Line:
    ready, run = status.condition("Ready"), status.latest_run
    spans = [Span(text=name, style=Style.STRONG)]
    if ready is None:
        return (*spans, Span(text=f"{_GAP}not seen by the operator yet", style=Style.FAINT))
    style = {"True": Style.GOOD, "False": Style.BAD}.get(ready.status, Style.ACTIVE)
    if ready.reason == reasons.ChainReason.AWAITING_CONFIRMATION:
        style = Style.ATTENTION
    spans.append(Span(text=f"{_GAP}Ready={ready.status} {ready.reason}", style=style))
    if run is not None:
        took = duration(run.start_time, run.completion_time, drawing.now)
        facts = [run.progress, f"run {run.number}", took]
        spans.append(Span(text="".join(f"{_GAP}{fact}" for fact in facts if fact)))
    return tuple(spans)


def _message(status: v1alpha1.Status) -> str:
    ready = status.condition("Ready")
    return ready.message if ready is not None else ""


def _wrapped(text: str, width: int) -> list[Line]:
    # A link that is broken in two cannot be followed.
    lines = textwrap.wrap(text, max(20, width), break_long_words=False, break_on_hyphens=False)
    return [(Span(text=line),) for line in lines]


def _rows(stacks: tuple[StackStatus, ...], drawing: Drawing) -> Iterator[Line]:
    nodes = list(_nodes(stacks, drawing.marks))
    # Long names must not push the phases out of sight.
    limit = max(16, drawing.width - _PHASE_WIDTH - _TIME_WIDTH - 2 * len(_GAP))
    width = min(limit, max(len(_label(node, drawing.marks)) for node in nodes))
    for node in nodes:
        yield _row(node, stacks, width, drawing)


def _row(node: _Node, stacks: tuple[StackStatus, ...], width: int, drawing: Drawing) -> Line:
    stack, marks = node.stack, drawing.marks
    style = style_of(stack.phase)
    label = _fit(_label(node, marks), width, marks)
    name_at = len(node.indent)
    is_skipped = stack.phase == Phase.SKIPPED
    start = None if is_skipped else stack.start_time
    took = duration(start, stack.completion_time, drawing.now)
    # Room for the longest phase at all times, so that nothing moves when a phase changes.
    columns = f"{_GAP}{stack.phase:<{_PHASE_WIDTH}}{took:>{_TIME_WIDTH}}{_GAP}"
    room = max(0, drawing.width - width - len(columns))
    return (
        Span(text=label[:name_at], style=Style.FAINT),
        Span(text=label[name_at:].ljust(width - name_at), style=style),
        Span(text=columns, style=style),
        Span(text=_fit(describe_stack(stack, stacks), room, marks), style=Style.FAINT),
    )


def _label(node: _Node, marks: Marks) -> str:
    others = f" {marks.others} {_some(node.others)}" if node.others else ""
    return (
        f"{node.indent}{marks.phases.get(node.stack.phase, marks.unknown)} {node.stack.id}{others}"
    )


def _nodes(stacks: tuple[StackStatus, ...], marks: Marks) -> Iterator[_Node]:
    """Yield the stacks from the top down; a stack each, whatever a status holds."""
    by_id = {stack.id: stack for stack in stacks}
    parents = {stack.id: _parent(stack, by_id) for stack in stacks}
    children: dict[str | None, list[str]] = {}
    for stack_id in sorted(by_id):
        children.setdefault(parents[stack_id], []).append(stack_id)
    # A list in place of recursion, which would end at a few hundred levels.
    todo: list[tuple[str, tuple[str, ...]]] = [(one, ()) for one in reversed(children[None])]
    while todo:
        stack_id, above = todo.pop()
        stack = by_id[stack_id]
        others = tuple(one for one in stack.depends_on if one != parents[stack_id])
        yield _Node(stack=stack, indent=_indent(above, marks), others=others)
        below = tuple(_below(mark, marks) for mark in above)
        dependents = children.get(stack_id, [])
        for place, dependent in reversed(list(enumerate(dependents))):
            is_last = place == len(dependents) - 1
            todo.append((dependent, (*below, marks.last if is_last else marks.branch)))


def _below(mark: str, marks: Marks) -> str:
    """Return what stands below a mark in the lines of the dependents."""
    return marks.through if mark in (marks.branch, marks.through) else " " * len(mark)


def _parent(stack: StackStatus, by_id: dict[str, StackStatus]) -> str | None:
    """Return the deepest upstream stack; one that is not above the stack cannot carry it."""
    upstreams = [by_id[one] for one in stack.depends_on if one in by_id]
    above = [one for one in upstreams if one.level < stack.level]
    return min(above, key=lambda one: (-one.level, one.id)).id if above else None


def _indent(above: tuple[str, ...], marks: Marks) -> str:
    if len(above) <= MAX_INDENTS:
        return "".join(above)
    return f"{marks.cut}{len(above)} " + "".join(above[-MAX_INDENTS // 2 :])


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - _OTHERS_NAMED
    return ", ".join(listed[:_OTHERS_NAMED]) + (f" +{more}" if more > 0 else "")


def _changes(stack: StackStatus) -> str:
    if stack.delta is None:
        return ""
    counts = (("+", stack.delta.added), ("~", stack.delta.changed), ("-", stack.delta.deleted))
    return " ".join(f"{sign}{count}" for sign, count in counts if count) or "no changes"


def _fit(text: str, width: int, marks: Marks) -> str:
    if len(text) <= width:
        return text
    return text[: max(0, width - len(marks.cut))] + marks.cut if width else ""

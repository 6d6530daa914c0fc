"""A chain's status as a tree for the eyes: plain values in, lines out, no terminal needed.

A dependency graph is not a tree, so each stack appears once, below its deepest upstream stack, and
names the others: that is where a reader looks for what it waits for, and 500 stacks stay 500 lines.
"""

import dataclasses
from collections.abc import Iterable, Iterator
from datetime import datetime

from controller.api import reasons, v1alpha1
from controller.api.v1alpha1 import Phase, StackStatus
from controller.display import styled_text, tree_characters
from controller.display.styled_text import Line, Span, Style
from controller.display.tree_characters import TreeCharacters

# Deeper rows are indented no further, and say how deep they are instead.
MAX_INDENTS = 12
_OTHERS_NAMED = 2
_PHASE_WIDTH = max(len(phase) for phase in Phase)
_TIME_WIDTH = 6


# By text: a status may come from an operator that knows more phases.
_OVER = frozenset(str(phase) for phase in Phase if phase.is_over)
_SHORT: dict[str, str] = {
    reasons.StackReason.OUTPUT_UNCHANGED: "inputs unchanged",
    reasons.StackReason.STARTING: "looks for its run",
    reasons.StackReason.KEPT: "kept from an earlier run",
}
# What the phase says already.
_PLAIN_REASONS = frozenset(
    {reasons.StackReason.RUN_FINISHED, reasons.StackReason.RUN_IN_PROGRESS, None}
)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Drawing:
    """How to draw: the instant that running stacks are timed at, and the room there is.

    `has_links`: list the links of the stacks that wait or did not succeed.
    """

    now: datetime
    width: int = 100
    characters: TreeCharacters = tree_characters.UNICODE
    has_links: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Node:
    stack: StackStatus
    indent: str
    others: tuple[str, ...]


def render(name: str, status: v1alpha1.Status, drawing: Drawing) -> list[Line]:
    """Return the chain's own line, its stacks, and what the status says in words."""
    drawn = [_headline(name, status, drawing)]
    stacks = current_stacks(status)
    if stacks:
        drawn += [(), *_rows(stacks, drawing)]
    message = _ready_message(status)
    if message:
        drawn += [(), *styled_text.wrap(message, drawing.width)]
    links = list(_links(stacks)) if drawing.has_links else []
    if links:
        drawn += [(), *links]
    return drawn


def render_order(stacks: tuple[StackStatus, ...], drawing: Drawing) -> list[Line]:
    """Return the stacks in their order alone, for a graph of which nothing has run."""
    return [
        (
            Span(text=node.indent, style=Style.FAINT),
            Span(text=_bare_label(node, drawing.characters)),
        )
        for node in _nodes(stacks, drawing.characters)
    ]


def current_stacks(status: v1alpha1.Status) -> tuple[StackStatus, ...]:
    """Return the stacks of the latest run; until it has read them, the status has older ones."""
    graph, run = status.graph, status.latest_run
    if graph is None or run is None or run.start_time is None:
        return ()
    return status.stacks if graph.resolved_time >= run.start_time else ()


def style_of(phase: str) -> Style:
    """Return what a phase is to the reader."""
    return tree_characters.PHASE_STYLES.get(phase, Style.PLAIN)


def describe_stack(stack: StackStatus, stacks: Iterable[StackStatus] = ()) -> str:
    """Say in a few words why a stack is where it is.

    Args:
        stack: the stack.
        stacks: all stacks of the chain, to name those that it waits for.
    """
    if stack.blocked_by:
        return f"because of {stack.blocked_by}"
    if stack.reason == reasons.StackReason.UPSTREAM_PENDING:
        names = upstreams_left(stack, stacks)
        return f"waits for {_first_names(names)}" if names else ""
    if stack.reason == reasons.StackReason.NEEDS_CONFIRMATION:
        return f"plan: {changes(stack)}" if stack.delta else _message_or_reason(stack)
    if stack.reason in _SHORT:
        return _SHORT[stack.reason]
    if stack.phase == Phase.SUCCEEDED:
        return changes(stack)
    return _message_or_reason(stack)


def upstreams_left(stack: StackStatus, stacks: Iterable[StackStatus]) -> list[str]:
    """Return the upstream stacks that have not ended yet."""
    unfinished = {item.id for item in stacks if item.phase not in _OVER}
    return [name for name in stack.depends_on if name in unfinished]


def changes(stack: StackStatus) -> str:
    """Return how many resources a run adds, changes and deletes."""
    delta = stack.delta
    if delta is None:
        return ""
    if not (delta.added or delta.changed or delta.deleted):
        return "no changes"
    return f"+{delta.added} ~{delta.changed} -{delta.deleted}"


def _needs_attention(stack: StackStatus) -> bool:
    return stack.phase in (Phase.FAILED, Phase.CANCELED, Phase.TIMED_OUT)


def _message_or_reason(stack: StackStatus) -> str:
    """Return the message on one line; a reason that explains itself needs no more words."""
    return " ".join((stack.message or "").split()) or (
        stack.reason or "" if stack.reason not in _PLAIN_REASONS else ""
    )


def _links(stacks: tuple[StackStatus, ...]) -> Iterator[Line]:
    listed = [
        stack
        for stack in stacks
        if stack.run_url and (_is_waiting(stack) or _needs_attention(stack))
    ]
    width = max((len(stack.id) for stack in listed), default=0)
    for stack in listed:
        yield (
            Span(text=f"{stack.id:<{width}}{styled_text.GAP}", style=style_of(stack.phase)),
            Span(text=stack.run_url or ""),
        )


def _is_waiting(stack: StackStatus) -> bool:
    return stack.phase in (Phase.WAITING, Phase.AWAITING_CONFIRMATION)


def _headline(name: str, status: v1alpha1.Status, drawing: Drawing) -> Line:
    ready, run = status.condition("Ready"), status.latest_run
    spans = [Span(text=name, style=Style.STRONG)]
    if ready is None:
        return (
            *spans,
            Span(text=f"{styled_text.GAP}not seen by the operator yet", style=Style.FAINT),
        )
    style = {"True": Style.GOOD, "False": Style.BAD}.get(ready.status, Style.ACTIVE)
    if ready.reason == reasons.ChainReason.AWAITING_CONFIRMATION:
        style = Style.ATTENTION
    spans.append(Span(text=f"{styled_text.GAP}Ready={ready.status} {ready.reason}", style=style))
    if run is not None:
        took = styled_text.duration(run.start_time, run.completion_time, drawing.now)
        # Applying is the normal operation.
        operation = run.operation if run.operation != v1alpha1.Operation.APPLY else ""
        facts = [run.progress, f"run {run.number}", operation, took]
        spans.append(Span(text="".join(f"{styled_text.GAP}{fact}" for fact in facts if fact)))
    return tuple(spans)


def _ready_message(status: v1alpha1.Status) -> str:
    ready = status.condition("Ready")
    return ready.message if ready is not None else ""


def _rows(stacks: tuple[StackStatus, ...], drawing: Drawing) -> Iterator[Line]:
    nodes = list(_nodes(stacks, drawing.characters))
    # Long names must not push the phases out of sight.
    limit = max(16, drawing.width - _PHASE_WIDTH - _TIME_WIDTH - 2 * len(styled_text.GAP))
    width = min(limit, max(len(_label(node, drawing.characters)) for node in nodes))
    for node in nodes:
        yield _row(node, stacks, width, drawing)


def _row(node: _Node, stacks: tuple[StackStatus, ...], width: int, drawing: Drawing) -> Line:
    stack, characters = node.stack, drawing.characters
    style = style_of(stack.phase)
    label = styled_text.fit(_label(node, characters), width, characters.cut)
    name_at = len(node.indent)
    is_skipped = stack.phase == Phase.SKIPPED
    start = None if is_skipped else stack.start_time
    took = styled_text.duration(start, stack.completion_time, drawing.now)
    # Room for the longest phase at all times, so that nothing moves when a phase changes.
    columns = (
        f"{styled_text.GAP}{stack.phase:<{_PHASE_WIDTH}}{took:>{_TIME_WIDTH}}{styled_text.GAP}"
    )
    room = max(0, drawing.width - width - len(columns))
    return (
        Span(text=label[:name_at], style=Style.FAINT),
        Span(text=label[name_at:].ljust(width - name_at), style=style),
        Span(text=columns, style=style),
        Span(
            text=styled_text.fit(describe_stack(stack, stacks), room, characters.cut),
            style=Style.FAINT,
        ),
    )


def _label(node: _Node, characters: TreeCharacters) -> str:
    mark = characters.phases.get(node.stack.phase, characters.unknown)
    return f"{node.indent}{mark} {_bare_label(node, characters)}"


def _bare_label(node: _Node, characters: TreeCharacters) -> str:
    others = f" {characters.others} {_first_names(node.others)}" if node.others else ""
    return f"{node.stack.id}{others}"


def _nodes(stacks: tuple[StackStatus, ...], characters: TreeCharacters) -> Iterator[_Node]:
    """Yield the stacks from the top down; a stack each, whatever a status holds."""
    by_id = {stack.id: stack for stack in stacks}
    parents = {stack.id: _parent(stack, by_id) for stack in stacks}
    children: dict[str | None, list[str]] = {}
    for stack_id in sorted(by_id):
        children.setdefault(parents[stack_id], []).append(stack_id)
    # A list instead of recursion, which would end at a few hundred levels.
    roots = children.get(None, [])
    todo: list[tuple[str, tuple[str, ...]]] = [(one, ()) for one in reversed(roots)]
    while todo:
        stack_id, above = todo.pop()
        stack = by_id[stack_id]
        others = tuple(one for one in stack.depends_on if one != parents[stack_id])
        yield _Node(stack=stack, indent=_indent(above, characters), others=others)
        below = tuple(_below(mark, characters) for mark in above)
        dependents = children.get(stack_id, [])
        for place, dependent in reversed(list(enumerate(dependents))):
            is_last = place == len(dependents) - 1
            todo.append((dependent, (*below, characters.last if is_last else characters.branch)))


def _below(mark: str, characters: TreeCharacters) -> str:
    """Return what is below a branch character in the lines of the dependents."""
    return (
        characters.through if mark in (characters.branch, characters.through) else " " * len(mark)
    )


def _parent(stack: StackStatus, by_id: dict[str, StackStatus]) -> str | None:
    """Return the deepest upstream stack; one that is not above the stack cannot carry it."""
    upstreams = [by_id[one] for one in stack.depends_on if one in by_id]
    above = [one for one in upstreams if one.level < stack.level]
    return min(above, key=lambda one: (-one.level, one.id)).id if above else None


def _indent(above: tuple[str, ...], characters: TreeCharacters) -> str:
    if len(above) <= MAX_INDENTS:
        return "".join(above)
    return f"{characters.cut}{len(above)} " + "".join(above[-MAX_INDENTS // 2 :])


def _first_names(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - _OTHERS_NAMED
    return ", ".join(listed[:_OTHERS_NAMED]) + (f" +{more}" if more > 0 else "")

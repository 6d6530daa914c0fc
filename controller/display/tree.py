"""A chain's status for the eyes: plain values in, lines out, no terminal needed.

What needs a person comes first, with links, whatever the size of the chain and of the screen; then
the stacks as a tree, in which those that need no look share rows (`tree_rows`).
"""

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import datetime

from controller import times
from controller.api import reasons, v1alpha1, wording
from controller.api.v1alpha1 import Phase, StackStatus
from controller.chain.run import attention
from controller.display import stage_lines, styled_text, tree_characters, tree_rows
from controller.display.styled_text import Line, Span, Style
from controller.display.tree_characters import TreeCharacters

# Deeper rows are indented no further, and say how deep they are instead.
MAX_INDENTS = 12
_OTHERS_NAMED = 2
_PHASE_WIDTH = max(len(phase) for phase in Phase)
_SHORT_PHASE_WIDTH = 9
_TIME_WIDTH = 7
# Narrower screens show phases by their marks alone, or by short words.
_LEAST_WITH_COLUMNS = 60
_LEAST_WITH_LONG_PHASES = 90
_REASON_WIDTH = 30
# If nothing else limits them.
_MOST_NEEDS_LISTED = 25
_MOST_WAITING_LINKED = 10
_LEAST_MESSAGE_ROWS = 3
_SCREENS_SHARE_OF_MESSAGE = 5
# With at least this many stacks, those that need no attention share rows.
FOLDED_FROM = 40


# By text: a status may come from an operator that knows more phases.
_OVER = frozenset(str(phase) for phase in Phase if phase.is_over)
_SHORT: dict[str, str] = {
    reasons.StackReason.OUTPUT_UNCHANGED: "inputs unchanged",
    reasons.StackReason.STARTING: "looks for its run",
    reasons.StackReason.KEPT: "kept from an earlier run",
    reasons.StackReason.BYPASSED: "a person vouches for it",
}
_SHORT_PHASES: dict[str, str] = {Phase.AWAITING_CONFIRMATION: "Awaiting"}
# What the phase says already.
_PLAIN_REASONS = frozenset(
    {reasons.StackReason.RUN_FINISHED, reasons.StackReason.RUN_IN_PROGRESS, None}
)
_FOLD_PHASES: dict[tree_rows.Quiet | None, Phase] = {
    tree_rows.Quiet.DONE: Phase.SUCCEEDED,
    tree_rows.Quiet.SKIPPED: Phase.SKIPPED,
    tree_rows.Quiet.PENDING: Phase.PENDING,
}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """Which stacks to show, and how deep; `stack` is one with all before and behind it."""

    is_failed: bool = False
    phases: frozenset[str] = frozenset()
    stack: str | None = None
    depth: int | None = None
    is_unfolded: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether all stacks are wanted, and so the message of the whole run."""
        return not self.is_list and self.stack is None

    @property
    def is_list(self) -> bool:
        """Whether only some stacks are wanted, wherever they are in the tree."""
        return self.is_failed or bool(self.phases)

    def of(self, stacks: Sequence[StackStatus]) -> list[StackStatus]:
        """Return the stacks that are wanted."""
        found = tree_rows.around(stacks, self.stack) if self.stack is not None else list(stacks)
        if self.is_failed:
            found = attention.with_need(found, attention.Need.FIX)
        if self.phases:
            found = [stack for stack in found if str(stack.phase) in self.phases]
        return found


ALL = Selection()
"""All stacks."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Drawing:
    """How to draw: the instant that running stacks are timed at, and the room there is.

    `height`: no more rows than this; None: all. `has_links`: with the links of what needs a person.
    """

    now: datetime
    width: int = 100
    height: int | None = None
    characters: TreeCharacters = tree_characters.UNICODE
    has_links: bool = False
    selection: Selection = ALL


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Layout:
    """How wide the parts of a row are; without `phase` the mark says it."""

    label: int
    phase: int
    reason: int


def render(name: str, status: v1alpha1.Status, drawing: Drawing) -> list[Line]:
    """Return the chain's own line, what needs a person, and its stacks."""
    drawn = _headline(name, status, drawing)
    stacks = current_stacks(status)
    needs = attention.by_need(stacks) if not drawing.selection.is_list else []
    has_links = bool(needs) and drawing.has_links
    message = styled_text.wrap(
        ready_message(status) if has_links else _ready_message(status), drawing.width
    )
    if drawing.height is not None and needs:
        most = _LEAST_MESSAGE_ROWS
        if drawing.width >= _LEAST_WITH_COLUMNS:
            most = max(most, drawing.height // _SCREENS_SHARE_OF_MESSAGE)
        message = styled_text.cut_to(message, most, drawing.width, drawing.characters.cut)
    drawn += message
    if stages := current_stages(status) if drawing.selection.is_whole else ():
        drawn += [(), *stage_rows(stages, drawing)]
    if has_links:
        drawn += [(), *_needs([stack for _, stack in needs], drawing, above=len(drawn) + 1)]
    drawn += _stack_lines(stacks, drawing, above=drawn)
    if drawing.has_links and drawing.height is None:
        drawn += _links_of_waiting(drawing.selection.of(stacks))
    return drawn


def _stack_lines(
    stacks: tuple[StackStatus, ...], drawing: Drawing, *, above: Sequence[Line]
) -> list[Line]:
    """Return as many stacks as fit; the last line counts the others."""
    chosen = drawing.selection.of(stacks)
    if not chosen:
        return [(), styled_text.line("No stack matches.", Style.FAINT)] if stacks else []
    room = None
    if drawing.height is not None:
        room = drawing.height - sum(rows_of(line, drawing.width) for line in above) - 1
    shown = rows_for(chosen, drawing.selection, room=room)
    lines = _rows(shown, stacks, drawing)
    if drawing.selection.is_list and drawing.has_links and room is None:
        linked = zip(lines, chosen, strict=True)
        return [(), *(one for row, stack in linked for one in (row, *_link_lines(stack, drawing)))]
    if room is None or len(lines) <= room:
        return [(), *lines]
    kept = max(0, room - 1)
    left = [stack for row in shown[kept:] for stack in _stacks_of(row)]
    more = f"{wording.counted(len(left), 'more stack')}: {tree_rows.phase_counts(left)}"
    more_line = styled_text.line(
        styled_text.fit(more, drawing.width, drawing.characters.cut), Style.FAINT
    )
    return [(), *lines[:kept], more_line] if room > 0 else []


def rows_for(
    chosen: Sequence[StackStatus], selection: Selection, *, room: int | None = None
) -> list[tree_rows.Row]:
    """Return the rows of these stacks, folded where they are many or do not fit into the room."""
    if selection.is_list:
        return [tree_rows.StackRow(stack=stack, is_last=(), others=()) for stack in chosen]
    unfolded = tree_rows.rows(chosen, is_folded=False, depth=selection.depth)
    is_too_high = room is not None and len(unfolded) > room
    if selection.is_unfolded or not (len(chosen) >= FOLDED_FROM or is_too_high):
        return unfolded
    return tree_rows.rows(chosen, is_folded=True, depth=selection.depth)


def stacks_in_rows(stacks: Sequence[StackStatus], selection: Selection) -> Sequence[StackStatus]:
    """Return the stacks that have their own row when only the depth folds stacks."""
    chosen = selection.of(stacks)
    if selection.depth is None:
        return chosen
    rows = tree_rows.rows(chosen, is_folded=False, depth=selection.depth)
    shown = {row.stack.id for row in rows if isinstance(row, tree_rows.StackRow)}
    return [stack for stack in chosen if stack.id in shown]


def _stacks_of(row: tree_rows.Row) -> tuple[StackStatus, ...]:
    return (row.stack,) if isinstance(row, tree_rows.StackRow) else row.stacks


def render_order(stacks: tuple[StackStatus, ...], drawing: Drawing) -> list[Line]:
    """Return the stacks in their order only, for a graph of which nothing has run."""
    return [_row_of_order(row, drawing) for row in _rows_of_order(stacks, drawing.selection)]


def is_order_folded(stacks: Sequence[StackStatus], drawing: Drawing) -> bool:
    """Return whether stacks share rows in their order."""
    rows = _rows_of_order(stacks, drawing.selection)
    return any(isinstance(row, tree_rows.FoldRow) for row in rows)


def _rows_of_order(stacks: Sequence[StackStatus], selection: Selection) -> list[tree_rows.Row]:
    """Return the rows; for many stacks, as many levels as a reader can take in.

    All stacks are pending, so folding the pending ones would leave only their number.
    """
    whole = tree_rows.rows(stacks, is_folded=False)
    if selection.is_unfolded or len(stacks) < FOLDED_FROM:
        return whole
    # If there are too many roots.
    shown = tree_rows.rows(stacks, is_folded=True)
    for depth in range(1, FOLDED_FROM):
        deeper = tree_rows.rows(stacks, is_folded=False, depth=depth)
        if len(deeper) >= FOLDED_FROM:
            break
        shown = deeper
    return shown


def _row_of_order(row: tree_rows.Row, drawing: Drawing) -> Line:
    characters = drawing.characters
    indent = _indent(row.is_last, MAX_INDENTS, characters)
    label = _own_label(row, characters)
    if isinstance(row, tree_rows.StackRow):
        return (Span(text=indent, style=Style.FAINT), Span(text=label))
    label = f"{characters.cut} {label}{styled_text.GAP}"
    names = _first_names(stack.id for stack in row.stacks)
    room = drawing.width - len(indent) - len(label)
    return (
        Span(text=indent, style=Style.FAINT),
        Span(text=label),
        Span(text=styled_text.fit(names, max(0, room), characters.cut), style=Style.FAINT),
    )


def current_stacks(status: v1alpha1.Status) -> tuple[StackStatus, ...]:
    """Return the stacks of the latest run; until it has read them, the status has older ones."""
    graph, run = status.graph, status.latest_run
    if graph is None or run is None or run.start_time is None:
        return ()
    return status.stacks if graph.resolved_time >= run.start_time else ()


def current_stages(status: v1alpha1.Status) -> tuple[v1alpha1.StageStatus, ...]:
    """Return the stages of the latest run, once it has read its stacks."""
    return status.latest_run.stages if status.latest_run and current_stacks(status) else ()


def needs(status: v1alpha1.Status) -> int:
    """Return how many stacks and stages need someone."""
    stages = attention.to_approve(current_stages(status))
    return len(attention.by_need(current_stacks(status))) + len(stages)


def stage_rows(stages: Sequence[v1alpha1.StageStatus], drawing: Drawing) -> list[Line]:
    """Return a row for each stage; on a screen the tree needs the room, so that few fold."""
    return stage_lines.lines(
        stages,
        now=drawing.now,
        width=drawing.width,
        characters=drawing.characters,
        folded_from=stage_lines.FOLDED_FROM if drawing.height is None else 0,
    )


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


def rows_of(line: Line, width: int) -> int:
    """Return how many rows of a terminal a line takes; the last column stays free in `width`."""
    return max(1, -(-len(styled_text.plain_text(line)) // (width + 1)))


def _message_or_reason(stack: StackStatus) -> str:
    """Return the message on one line; a reason that explains itself needs no more words."""
    return " ".join((stack.message or "").split()) or (
        stack.reason or "" if stack.reason not in _PLAIN_REASONS else ""
    )


# What needs a person


def _needs(stacks: Sequence[StackStatus], drawing: Drawing, *, above: int) -> list[Line]:
    """Return the stacks that need a person, each with its link, as far as there is room.

    At least half of what is left of the screen shows the tree, unless more stacks need a person:
    their rows come before links, and links before the tree.
    """
    room = _MOST_NEEDS_LISTED * 3
    if drawing.height is not None:
        room = max(1, drawing.height - above - 2)
    rows, links = _need_rows(stacks, drawing), [_link_lines(stack, drawing) for stack in stacks]
    linked = [rows_of(line, drawing.width) for line in rows]
    shown = min(len(stacks), _MOST_NEEDS_LISTED)
    while shown > 1 and sum(linked[:shown]) + (shown < len(stacks)) > room:
        shown -= 1
    room -= sum(linked[:shown]) + (shown < len(stacks))
    drawn = list[Line]()
    for row, link in zip(rows[:shown], links[:shown], strict=True):
        drawn.append(row)
        taken = sum(rows_of(line, drawing.width) for line in link)
        if taken <= room:
            drawn += link
            room -= taken
        else:
            # None of the later ones is as urgent.
            room = 0
    if shown < len(stacks):
        text = f"and {wording.counted(len(stacks) - shown, 'more stack')} that need someone"
        drawn.append(styled_text.line(styled_text.fit(text, drawing.width, "")))
    return drawn


def _need_rows(stacks: Sequence[StackStatus], drawing: Drawing) -> list[Line]:
    rows = [tree_rows.StackRow(stack=stack, is_last=(), others=()) for stack in stacks]
    return _rows(rows, stacks, drawing)


def _link_lines(stack: StackStatus, drawing: Drawing) -> list[Line]:
    """Return the link; on a narrow screen, why the stack is in its phase comes before it."""
    lines = list[Line]()
    if drawing.width < _LEAST_WITH_COLUMNS:
        lines += styled_text.wrap(describe_stack(stack), drawing.width - 2, Style.FAINT)
    link = attention.link_of(stack)
    if link:
        lines.append(styled_text.line(link))
    return [(Span(text="  "), *line) for line in lines]


def _links_of_waiting(stacks: Sequence[StackStatus]) -> list[Line]:
    """Return the links of stacks that wait for what ends on its own, as a run that is queued."""
    listed = [
        stack
        for stack in stacks
        if stack.phase is Phase.WAITING
        and attention.need_of(stack) is None
        and attention.link_of(stack)
    ][:_MOST_WAITING_LINKED]
    width = max((len(stack.id) for stack in listed), default=0)
    lines = [
        (
            Span(text=f"{stack.id:<{width}}{styled_text.GAP}", style=style_of(stack.phase)),
            Span(text=attention.link_of(stack) or ""),
        )
        for stack in listed
    ]
    return [(), *lines] if lines else []


# The chain


def _headline(name: str, status: v1alpha1.Status, drawing: Drawing) -> list[Line]:
    ready, run = status.condition("Ready"), status.latest_run
    spans = [Span(text=name, style=Style.STRONG)]
    if ready is None:
        spans.append(Span(text="not seen by the operator yet", style=Style.FAINT))
        return styled_text.flow(spans, drawing.width)
    style = {"True": Style.GOOD, "False": Style.BAD}.get(ready.status, Style.ACTIVE)
    if ready.reason in reasons.WAITING_FOR_PERSON:
        style = Style.ATTENTION
    if ready.status == "Unknown" and ready.reason in (
        reasons.ChainReason.BLOCKED,
        *reasons.BAD_ENDS_OF_STACKS,
    ):
        style = Style.BAD
    spans.append(Span(text=f"Ready={ready.status} {ready.reason}", style=style))
    if run is not None:
        took = styled_text.duration(run.start_time, run.completion_time, drawing.now)
        # Applying is the normal operation.
        operation = run.operation if run.operation != v1alpha1.Operation.APPLY else ""
        facts = [run.progress, f"run {run.number}", operation, took, _time_left(run, drawing.now)]
        spans += [Span(text=fact) for fact in facts if fact]
    return styled_text.flow(spans, drawing.width)


def _time_left(run: v1alpha1.RunStatus, now: datetime) -> str:
    """Return in how long the run is likely to end, or by how much it takes longer."""
    estimated = times.instant(run.estimated_completion_time or "")
    if estimated is None:
        return ""
    left = (estimated - now).total_seconds()
    if left < 0:
        return f"{styled_text.duration_of(-left)} longer than estimated"
    return f"about {styled_text.duration_of(left)} left"


def ready_message(status: v1alpha1.Status) -> str:
    """Return the message of `Ready` without the links that the stacks below it show."""
    message = _ready_message(status)
    for _, stack in attention.by_need(current_stacks(status)):
        if link := attention.link_of(stack):
            # What was cut ends in dots.
            message = message.replace(f"... ({link}).", "...").replace(f" ({link})", "")
    return message


def _ready_message(status: v1alpha1.Status) -> str:
    ready = status.condition("Ready")
    return ready.message if ready is not None else ""


# The stacks


def _rows(
    rows: Sequence[tree_rows.Row], stacks: Sequence[StackStatus], drawing: Drawing
) -> list[Line]:
    layout = _layout(rows, drawing)
    return [_row(row, stacks, layout, drawing) for row in rows]


def _layout(rows: Sequence[tree_rows.Row], drawing: Drawing) -> _Layout:
    """Share the width: reasons keep their columns, then come labels, which are cut in the middle.

    Room for the longest phase at all times, so that nothing moves when a phase changes.
    """
    longest = max(
        (_label_length(row, drawing.characters) for row in rows),
        default=0,
    )
    if drawing.width < _LEAST_WITH_COLUMNS:
        room = drawing.width - longest - len(styled_text.GAP)
        reason = room if room >= _REASON_WIDTH else 0
        return _Layout(label=min(longest, drawing.width), phase=0, reason=reason)
    phase = _PHASE_WIDTH if drawing.width >= _LEAST_WITH_LONG_PHASES else _SHORT_PHASE_WIDTH
    columns = phase + _TIME_WIDTH + 2 * len(styled_text.GAP)
    label = min(longest, drawing.width - columns - _REASON_WIDTH)
    return _Layout(label=label, phase=phase, reason=drawing.width - columns - label)


def _row(
    row: tree_rows.Row, stacks: Sequence[StackStatus], layout: _Layout, drawing: Drawing
) -> Line:
    characters = drawing.characters
    indent = _indent(row.is_last, MAX_INDENTS, characters)
    if _label_length(row, characters) > layout.label:
        # At least half of the label belongs to the id.
        indents = max(1, layout.label // 2 // len(characters.branch) - 1)
        indent = _indent(row.is_last, min(MAX_INDENTS, indents), characters)
    style, reason = _style_and_reason(row, stacks)
    mark = _mark(row, characters)
    own = styled_text.middle(
        f"{mark} {_own_label(row, characters)}", layout.label - len(indent), characters.cut
    )
    columns = _columns(row, layout, drawing)
    return (
        Span(text=indent, style=Style.FAINT),
        Span(text=own.ljust(layout.label - len(indent)), style=style),
        Span(text=columns, style=style),
        Span(text=styled_text.fit(reason, layout.reason, characters.cut), style=Style.FAINT),
    )


def _columns(row: tree_rows.Row, layout: _Layout, drawing: Drawing) -> str:
    if not layout.phase:
        return styled_text.GAP if layout.reason else ""
    phase, took = _phase_of(row), ""
    if isinstance(row, tree_rows.StackRow):
        stack = row.stack
        start = None if stack.phase == Phase.SKIPPED else stack.start_time
        took = styled_text.duration(start, stack.completion_time, drawing.now)
    if len(took) >= _TIME_WIDTH:
        # Of a hundred days and more, whose hours would touch the phase.
        took = f"{took.partition('d')[0]}d"
    if len(phase) > layout.phase:
        phase = _SHORT_PHASES.get(phase, phase)[: layout.phase]
    return f"{styled_text.GAP}{phase:<{layout.phase}}{took:>{_TIME_WIDTH}}{styled_text.GAP}"


def _style_and_reason(row: tree_rows.Row, stacks: Sequence[StackStatus]) -> tuple[Style, str]:
    if isinstance(row, tree_rows.StackRow):
        return style_of(row.stack.phase), describe_stack(row.stack, stacks)
    if row.kind not in _FOLD_PHASES:
        return Style.FAINT, tree_rows.phase_counts(row.stacks)
    causes = {stack.blocked_by for stack in row.stacks if stack.blocked_by}
    names = [stack.id for stack in row.stacks]
    reason = _first_names(names)
    if row.kind is tree_rows.Quiet.SKIPPED and causes:
        reason = f"because of {_first_names(sorted(causes))}"
    if not _phase_of(row):
        # Readers who count the stacks find as many of each phase here as in the summary.
        reason = tree_rows.phase_counts(row.stacks)
    return style_of(_FOLD_PHASES[row.kind]), reason


def _phase_of(row: tree_rows.Row) -> str:
    """Return the phase of a stack, or the one that all stacks of a row share."""
    if isinstance(row, tree_rows.StackRow):
        return row.stack.phase
    phases = {stack.phase for stack in row.stacks}
    return phases.pop() if len(phases) == 1 and row.kind in _FOLD_PHASES else ""


def _mark(row: tree_rows.Row, characters: TreeCharacters) -> str:
    if isinstance(row, tree_rows.FoldRow) and row.kind not in _FOLD_PHASES:
        return characters.cut
    phase = row.stack.phase if isinstance(row, tree_rows.StackRow) else _FOLD_PHASES[row.kind]
    return characters.phases.get(phase, characters.unknown)


def _own_label(row: tree_rows.Row, characters: TreeCharacters) -> str:
    if isinstance(row, tree_rows.FoldRow):
        return wording.counted(len(row.stacks), "stack")
    return f"{row.stack.id}{_others(row, characters)}"


def _others(row: tree_rows.StackRow, characters: TreeCharacters) -> str:
    return f" {characters.others} {_first_names(row.others)}" if row.others else ""


def _label_length(row: tree_rows.Row, characters: TreeCharacters) -> int:
    indent = len(_indent(row.is_last, MAX_INDENTS, characters))
    return indent + len(_mark(row, characters)) + 1 + len(_own_label(row, characters))


def _indent(is_last: tuple[bool, ...], most: int, characters: TreeCharacters) -> str:
    """Return what is before a row: nothing for a root, whose siblings need no line."""
    if len(is_last) < 2:
        return ""
    own = characters.last if is_last[-1] else characters.branch
    above = [
        " " * len(characters.through) if last else characters.through for last in is_last[1:-1]
    ]
    parts = [*above, own]
    if len(parts) <= most:
        return "".join(parts)
    return f"{characters.cut}{len(parts)} " + "".join(parts[-max(1, most // 2) :])


def _first_names(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - _OTHERS_NAMED
    return ", ".join(listed[:_OTHERS_NAMED]) + (f" +{more}" if more > 0 else "")

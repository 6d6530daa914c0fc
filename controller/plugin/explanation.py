"""`explain`: what a chain waits for and what to do, from its status and the documented reasons.

Pure.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from controller.api import reasons, wording
from controller.api.reasons import ChainReason, ReasonMeaning, StackReason
from controller.api.v1alpha1 import Condition, Phase, StackChain, StackStatus
from controller.chain.run import attention, stack_ends
from controller.display import styled_text, tree, tree_rows
from controller.display.styled_text import Line, Span, Style
from controller.plugin import outcomes, output, user_requests
from controller.plugin.exit_codes import PROGRAM

# Rows of a terminal, about as many as a window has, whatever the size of the chain.
_MOST_ROWS = 40
# So many of the stacks that wait for the same reason are explained, or fewer if there is no room.
_MOST_EXPLAINED = 5
_CUT = "..."
_MESSAGE_LINES = 3

# These follow from another stack: fixing that one fixes them, so they are not listed.
_CAUSED_BY_OTHERS = frozenset(
    {
        StackReason.UPSTREAM_PENDING,
        StackReason.UPSTREAM_NOT_SUCCEEDED,
        StackReason.STAGE_NOT_SUCCEEDED,
        StackReason.FAIL_FAST,
    }
)
_NOT_SEEN = ReasonMeaning(
    means="No operator has seen it yet.",
    do="Wait a moment. If this does not change, check that `stackchain operator` runs and "
    "watches this namespace.",
)
# `Blocked` with no stack that needs anyone.
_BLOCKED_BY_CHAIN = ReasonMeaning(
    means="A run waits for a chain that `spec.dependsOn` names.",
    do="Let that chain continue, create it, or remove its name from `spec.dependsOn`, as the "
    "message says. The run then starts automatically.",
)
# Of a reason that a newer operator gives.
_UNKNOWN = ReasonMeaning(means="", do="")
# With these, `Ready` of a live run says what its stacks need, and each stack says what to do.
_OF_STACKS = reasons.BAD_ENDS_OF_STACKS | {ChainReason.AWAITING_CONFIRMATION, ChainReason.BLOCKED}
# The next command, if there is one; what to do outside of the cluster comes before it.
_RETRY, _RUN, _FOLLOW = "retry {name}", "run {name}", "tree {name} -w"
_APPROVE = "approve {name}"
_COMMANDS: dict[ChainReason, str] = {
    ChainReason.STACK_FAILED: _RETRY,
    ChainReason.STACK_CANCELED: _RETRY,
    ChainReason.STACKS_NO_LONGER_IN_CHAIN: _RUN,
    ChainReason.RUN_CANCELED: _RETRY,
    ChainReason.STACK_TIMED_OUT: _RETRY,
    ChainReason.DEADLINE_EXCEEDED: _RETRY,
    ChainReason.WORKFLOW_TERMINATED: _RETRY,
    ChainReason.WORKFLOW_FAILED: _RETRY,
    ChainReason.SUSPENDED: "resume {name}",
    ChainReason.AWAITING_APPROVAL: _APPROVE,
    ChainReason.NOT_REQUESTED: _RUN,
    ChainReason.PROGRESSING: _FOLLOW,
    ChainReason.WAITING_FOR_CHAIN: _FOLLOW,
    ChainReason.BLOCKED: _FOLLOW,
    ChainReason.WINDOW_CLOSED: _FOLLOW,
}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class BlockingStack:
    """A stack that keeps the chain from continuing or from succeeding."""

    stack: StackStatus
    meaning: ReasonMeaning
    need: attention.Need | None
    holds: tuple[str, ...]
    """All stacks that wait until it has succeeded, or were skipped because of it."""
    may_retry: bool = False
    """Whether the run, which is live, takes a retry of it alone."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ChainExplanation:
    """What a person should know about a chain that does not continue."""

    chain: StackChain
    meaning: ReasonMeaning
    command: str | None
    notes: tuple[str, ...]
    blocking: tuple[BlockingStack, ...]


def explain(chain: StackChain) -> ChainExplanation:
    """Find out what a chain waits for."""
    ready = chain.status.condition("Ready")
    reason = _known(ready.reason) if ready is not None else None
    command = _command(chain, reason)
    meaning = _NOT_SEEN if ready is None else _UNKNOWN
    blocking = _blocking_stacks(chain)
    if reason is not None:
        meaning = reasons.CHAIN_MEANINGS[reason]
    if reason is ChainReason.BLOCKED and not any(one.need for one in blocking):
        meaning = _BLOCKED_BY_CHAIN
    return ChainExplanation(
        chain=chain,
        meaning=meaning,
        command=f"{PROGRAM} {command}" if command else None,
        notes=_notes(chain),
        blocking=blocking,
    )


def _command(chain: StackChain, reason: ChainReason | None) -> str | None:
    """Return the next command, never one that would be refused."""
    command = _COMMANDS.get(reason) if reason is not None else None
    if command is None and reason in _OF_STACKS and user_requests.stages_to_approve(chain):
        command = _APPROVE
    if command == _RETRY and not user_requests.would_take_retry(chain):
        command = _FOLLOW if user_requests.has_request(chain) else _RUN
    if command is None:
        return None
    words = [command.format(name=chain.ref.name)]
    if command == _APPROVE:
        stages = user_requests.stages_to_approve(chain)
        if not stages:
            return None
        words += stages[:1]
    return " ".join(words)


def chain_advice(found: ChainExplanation) -> str:
    """Return what to do about the chain; empty if the stacks that need someone say it."""
    ready = found.chain.status.condition("Ready")
    needing = [one for one in found.blocking if one.need is not None and one.meaning.do]
    if ready is None or not needing:
        return found.meaning.do
    run = found.chain.status.latest_run
    is_live = run is not None and not run.phase.is_over
    is_said = ready.reason in {*_OF_STACKS, *(one.stack.reason for one in needing)}
    is_nothing = found.meaning.do.startswith("Nothing")
    return "" if is_nothing or (is_live and is_said) else found.meaning.do


def document(found: ChainExplanation) -> output.Document:
    """Return the explanation for programs."""
    return {
        "chain": output.chain_of(found.chain),
        "ready": output.ready_of(found.chain.status),
        "means": found.meaning.means,
        "do": found.meaning.do,
        "command": found.command,
        "notes": list(found.notes),
        "stacks": [_stack_document(one) for one in found.blocking],
    }


def render(found: ChainExplanation, drawing: tree.Drawing) -> list[Line]:
    """Return the explanation for people, in no more lines than a window has."""
    width, groups = drawing.width, _groups(found.blocking)
    end = _end_lines(found, width)
    start, drawn = _start_lines(found, groups, width), list[Line]()
    start += _stage_lines(found, drawing)
    full = (_Detail(most=most) for most in range(_MOST_EXPLAINED, 0, -1))
    for detail in (*full, _SHORT, _BRIEF):
        drawn = [*start, *_group_lines(groups, found.chain.ref.name, width, detail), *end]
        if _rows(drawn, width) <= _MOST_ROWS:
            return drawn
    more = styled_text.line(f"and more: {PROGRAM} tree {found.chain.ref.name}", Style.FAINT)
    kept = [*start, *_group_lines(groups, found.chain.ref.name, width, _BRIEF)]
    while kept and _rows([*kept, more, *end], width) > _MOST_ROWS:
        kept.pop()
    return [*kept, more, *end]


def _rows(lines: Sequence[Line], width: int) -> int:
    """Return how many rows of a terminal lines take: links are never cut, and may take several."""
    lengths = [len(styled_text.plain_text(line)) for line in lines]
    return sum(max(1, math.ceil(length / width)) for length in lengths)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Detail:
    """How much to say about the stacks: how many for each reason, and in how many lines each."""

    most: int = 1
    message_lines: int = _MESSAGE_LINES
    has_names: bool = True


_SHORT = _Detail(message_lines=2, has_names=False)
_BRIEF = _Detail(message_lines=1, has_names=False)


def _start_lines(found: ChainExplanation, groups: "list[_StackGroup]", width: int) -> list[Line]:
    name, ready = found.chain.ref.name, found.chain.status.condition("Ready")
    state = f"Ready={ready.status} {ready.reason}" if ready else "not seen by the operator yet"
    drawn = styled_text.flow([Span(text=name, style=Style.STRONG), Span(text=state)], width)
    means = found.meaning.means
    message = styled_text.wrap(tree.ready_message(found.chain.status), width)
    if any(group.need is not None for group in groups):
        # Its parts follow, stack by stack.
        message = styled_text.cut_to(message, _MESSAGE_LINES, width, _CUT)
    elif means and (ready is None or not _says_enough(ready)):
        drawn += styled_text.wrap(means, width)
    drawn += message
    for note in found.notes:
        drawn += styled_text.wrap(note, width)
    return drawn


def _says_enough(ready: Condition) -> bool:
    """Whether the message of `Ready` says more exactly what the reason means in general."""
    meaning = _known(ready.reason)
    return meaning is ChainReason.NOT_REQUESTED or (
        meaning is not None and ready.message == reasons.CHAIN_MEANINGS[meaning].means
    )


def _stage_lines(found: ChainExplanation, drawing: tree.Drawing) -> list[Line]:
    """Return the stages of a live run: what each waits for, since when and until when."""
    run, stages = found.chain.status.latest_run, tree.current_stages(found.chain.status)
    if run is None or run.phase.is_over or not stages:
        return []
    return [(), *tree.stage_rows(stages, drawing)]


def _end_lines(found: ChainExplanation, width: int) -> list[Line]:
    do, drawn = chain_advice(found), list[Line]()
    if do:
        drawn += styled_text.wrap(f"What to do: {do}", width, Style.ATTENTION)
    if found.command:
        drawn.append(styled_text.line(f"  {found.command}", Style.ACTIVE))
    return [(), *drawn] if drawn else []


def _blocking_stacks(chain: StackChain) -> tuple[BlockingStack, ...]:
    """Return the stacks that the chain waits for, those that need a person first."""
    stacks = tree.current_stacks(chain.status)
    held, again = tree_rows.holds(stacks), user_requests.stacks_to_retry(chain)
    found = [
        dataclasses.replace(_blocking_stack(one, held.get(one.id, ())), may_retry=one.id in again)
        for one in stacks
        if _is_blocking(one)
    ]
    return tuple(sorted(found, key=lambda one: one.need or len(attention.Need) + 1))


def _is_blocking(stack: StackStatus) -> bool:
    if stack.reason in _CAUSED_BY_OTHERS:
        return False
    if stack.phase is Phase.SKIPPED:
        return not stack_ends.ended_well(stack)
    return stack.phase is not Phase.SUCCEEDED


def _blocking_stack(stack: StackStatus, holds: Sequence[str]) -> BlockingStack:
    known = next((one for one in StackReason if one == stack.reason), None)
    meaning = reasons.STACK_MEANINGS[known] if known is not None else _UNKNOWN
    need = attention.need_of(stack)
    if known is StackReason.STACK_BUSY and need is not None:
        do = "Open the link, and do what the other chain waits for."
        meaning = dataclasses.replace(meaning, do=do)
    if known is StackReason.RUN_BLOCKED and need is None:
        meaning = dataclasses.replace(meaning, do="Nothing; that run ends on its own.")
    return BlockingStack(stack=stack, meaning=meaning, need=need, holds=tuple(holds))


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _StackGroup:
    """Stacks that are where they are for the same reason."""

    stacks: tuple[BlockingStack, ...]

    @property
    def need(self) -> attention.Need | None:
        return self.stacks[0].need

    @property
    def message(self) -> str:
        """The message that all of them share; empty if they differ."""
        messages = {" ".join((one.stack.message or "").split()) for one in self.stacks}
        return messages.pop() if len(messages) == 1 else ""

    @property
    def to_retry(self) -> tuple[str, ...]:
        """Those that can run once more while the run is live."""
        return tuple(one.stack.id for one in self.stacks if one.may_retry)

    @property
    def do(self) -> str:
        """What to do, if there is something."""
        do = self.stacks[0].meaning.do
        return "" if self.need is None and do.startswith("Nothing") else do.rstrip()


def _groups(blocking: Sequence[BlockingStack]) -> list[_StackGroup]:
    found: dict[tuple[object, ...], list[BlockingStack]] = {}
    for one in blocking:
        stack = one.stack
        # Stages wait for different things, which the message says.
        is_gated = stack.reason in (StackReason.STAGE_PENDING, StackReason.WINDOW_CLOSED)
        stage = stack.message if is_gated else None
        found.setdefault((one.need, stack.phase, stack.reason, stage), []).append(one)
    return [_StackGroup(stacks=tuple(stacks)) for stacks in found.values()]


def _group_lines(
    groups: Sequence[_StackGroup], name: str, width: int, detail: _Detail
) -> list[Line]:
    drawn = list[Line]()
    for group in groups:
        is_detailed = group.need is not None or (len(group.stacks) == 1 and detail.has_names)
        shown = min(len(group.stacks), detail.most) if is_detailed else 0
        if detail != _BRIEF:
            drawn.append(())
        drawn += _heading(group, width)
        if not is_detailed and (group.do or detail.has_names):
            means = group.message or group.stacks[0].meaning.means
            drawn += _message_lines(means, width, detail)
        for one in group.stacks[:shown]:
            drawn += _stack_lines(one, width, detail, is_named=len(group.stacks) > 1)
        if 0 < shown < len(group.stacks):
            names = [one.stack.id for one in group.stacks[shown:]]
            drawn += _indented(f"and {len(names)} more: {wording.listed(names, most=3)}", width)
        if group.do:
            drawn += _indented(f"What to do: {group.do}", width)
        if group.to_retry and detail != _BRIEF:
            named = f" --stack {group.to_retry[0]}" if len(group.to_retry) == 1 else ""
            command = f"  Then: {PROGRAM} retry {name}{named}"
            drawn.append(styled_text.line(command, Style.ACTIVE))
    return drawn


def _heading(group: _StackGroup, width: int) -> list[Line]:
    stack = group.stacks[0].stack
    state = f"{stack.phase}{f' {stack.reason}' if stack.reason else ''}"
    style = tree.style_of(stack.phase)
    if len(group.stacks) == 1:
        return styled_text.flow([Span(text=stack.id, style=style), Span(text=state)], width)
    count = Span(text=wording.counted(len(group.stacks), "stack"), style=style)
    drawn = styled_text.flow([count, Span(text=state)], width)
    if group.need is None:
        names = wording.listed([one.stack.id for one in group.stacks], most=3)
        drawn += _indented(names, width)[:_MESSAGE_LINES]
    return drawn


def _stack_lines(
    blocking: BlockingStack, width: int, detail: _Detail, *, is_named: bool
) -> list[Line]:
    stack, link = blocking.stack, attention.link_of(blocking.stack)
    message = " ".join((attention.message_of(stack) or blocking.meaning.means).split())
    if is_named:
        message = f"{stack.id}: {message}"
    drawn = _message_lines(message, width, detail)
    if blocking.holds:
        held = wording.counted(len(blocking.holds), "stack")
        if detail.has_names:
            held += f", {user_requests.first_names(list(blocking.holds))}"
        drawn += _indented(f"Held up by it: {held}.", width)
    if link:
        drawn.append(styled_text.line(f"  {link}"))
    return drawn


def _message_lines(message: str, width: int, detail: _Detail) -> list[Line]:
    return styled_text.cut_to(_indented(message, width), detail.message_lines, width, _CUT)


def _indented(text: str, width: int) -> list[Line]:
    lines = styled_text.wrap(text, width - 2) if text else []
    return [(Span(text="  "), *line) for line in lines]


def _stack_document(blocking: BlockingStack) -> dict[str, Any]:
    stack = blocking.stack
    return {
        "id": stack.id,
        "phase": str(stack.phase),
        "reason": stack.reason,
        "message": stack.message,
        "means": blocking.meaning.means,
        "do": blocking.meaning.do,
        "need": blocking.need.name.title() if blocking.need is not None else None,
        "runSource": stack.run_source,
        "runUrl": stack.run_url,
        "link": attention.link_of(stack),
        "mayRetry": blocking.may_retry,
        "holds": list(blocking.holds),
    }


def _notes(chain: StackChain) -> tuple[str, ...]:
    status, notes = chain.status, []
    if chain.is_deleting:
        notes.append("It is being deleted.")
    if status.condition("Ready") is not None and outcomes.is_behind(chain):
        notes.append("The operator has not seen the latest change of the spec yet.")
    for name, token in user_requests.open_requests(chain):
        notes.append(f"`{name}: {token[:64]}` has not been handled yet.")
    notes += user_requests.request_notes(chain)
    if status.pending_run is not None:
        is_live = status.latest_run is not None and not status.latest_run.phase.is_over
        what = "Another request" if is_live else "A request"
        ready = status.condition("Ready")
        is_said = ready is not None and status.pending_run.message in ready.message
        why = "it waits." if is_said else status.pending_run.message
        notes.append(f"{what} ({status.pending_run.cause}): {why}")
    notes += estimate_notes(chain)
    if remarks := outcomes.graph_remarks(status):
        notes.append(remarks)
    return (*notes, *_automatic_starts(chain))


def estimate_notes(chain: StackChain) -> list[str]:
    """Say when the live run is likely to end; nothing if that is not known."""
    run = chain.status.latest_run
    if run is None or run.estimated_completion_time is None:
        return []
    return [
        f"It is likely to end at {run.estimated_completion_time}, judging by how long its stacks "
        "took before. Waits for people are not included."
    ]


def schedule_notes(chain: StackChain) -> list[str]:
    """Say when the schedule starts the next run, unless `Ready` says it."""
    schedule, ready = chain.status.schedule, chain.status.condition("Ready")
    if schedule is None or not schedule.next_time:
        return []
    if ready is not None and schedule.next_time in ready.message:
        return []
    return [f"The schedule starts the next run at {schedule.next_time}."]


def _automatic_starts(chain: StackChain) -> list[str]:
    """Say what starts a run automatically, and when."""
    schedule, notes = chain.status.schedule, list[str]()
    notes += schedule_notes(chain)
    if schedule is not None and schedule.missed:
        notes.append(
            f"The schedule has missed {schedule.missed} of its times, most recently "
            f"{schedule.last_missed_time}."
        )
    if chain.status.triggers is not None and not chain.spec.suspend:
        notes.append(
            "The chain also starts when a run of a root finishes, unless a chain started that run."
        )
    if chain.status.triggers is not None and chain.status.triggers.problem:
        notes.append(f"Not all roots could be read: {chain.status.triggers.problem}")
    return notes


def _known(reason: str) -> ChainReason | None:
    """Return the reason, unless it is one of a newer operator."""
    return next((one for one in ChainReason if one == reason), None)

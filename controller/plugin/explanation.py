"""`explain`: what a chain waits for and what to do, from its status and the documented reasons.

Pure.
"""

import collections
import dataclasses
from typing import Any

from controller.api import reasons
from controller.api.reasons import ChainReason, ReasonMeaning, StackReason
from controller.api.v1alpha1 import Phase, StackChain, StackStatus
from controller.display import styled_text, tree
from controller.display.styled_text import Line, Span, Style
from controller.plugin import outcomes, output, user_requests
from controller.plugin.exit_codes import PROGRAM

# These follow from another stack: fixing that one fixes them, so they are not listed.
_CAUSED_BY_OTHERS = frozenset(
    {StackReason.UPSTREAM_PENDING, StackReason.UPSTREAM_NOT_SUCCEEDED, StackReason.FAIL_FAST}
)
_NOT_SEEN = ReasonMeaning(
    means="No operator has seen it yet.",
    do="Wait a moment; if it stays so, see whether `stackchain operator` runs and watches this "
    "namespace.",
)
# Of a reason that a newer operator gives.
_UNKNOWN = ReasonMeaning(means="", do="")
# The next command, where there is one; what to do outside of the cluster comes before it.
_RETRY, _RUN, _FOLLOW = "retry {name}", "run {name}", "tree {name} -w"
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
    ChainReason.NOT_REQUESTED: _RUN,
    ChainReason.PROGRESSING: _FOLLOW,
}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class BlockingStack:
    """A stack that keeps the chain from continuing or from succeeding."""

    stack: StackStatus
    meaning: ReasonMeaning
    holds: tuple[str, ...]
    """The stacks that wait for it, or were skipped because of it."""


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
    if reason is not None:
        meaning = reasons.CHAIN_MEANINGS[reason]
    return ChainExplanation(
        chain=chain,
        meaning=meaning,
        command=f"{PROGRAM} {command}" if command else None,
        notes=_notes(chain),
        blocking=_blocking_stacks(tree.current_stacks(chain.status)),
    )


def _command(chain: StackChain, reason: ChainReason | None) -> str | None:
    """Return the next command, never one that would be refused."""
    command = _COMMANDS.get(reason) if reason is not None else None
    if command == _RETRY and not user_requests.would_take_retry(chain):
        command = _FOLLOW if user_requests.has_request(chain) else _RUN
    return command.format(name=chain.ref.name) if command else None


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


def render(found: ChainExplanation, *, width: int) -> list[Line]:
    """Return the explanation for people."""
    name, ready = found.chain.ref.name, found.chain.status.condition("Ready")
    means, do = found.meaning.means, found.meaning.do
    state = f"Ready={ready.status} {ready.reason}" if ready else "not seen by the operator yet"
    drawn: list[Line] = [
        (Span(text=name, style=Style.STRONG), Span(text=f"{styled_text.GAP}{state}"))
    ]
    if means:
        drawn += styled_text.wrap(means, width)
    if ready is not None and ready.message and ready.message != means:
        drawn += styled_text.wrap(ready.message, width)
    for note in found.notes:
        drawn += styled_text.wrap(note, width)
    for one in found.blocking:
        drawn += [(), *_stack_lines(one, width)]
    if do or found.command:
        drawn.append(())
    if do:
        drawn += styled_text.wrap(f"What to do: {do}", width, Style.ATTENTION)
    if found.command:
        drawn.append(styled_text.line(f"  {found.command}", Style.ACTIVE))
    return drawn


def _blocking_stacks(stacks: tuple[StackStatus, ...]) -> tuple[BlockingStack, ...]:
    held: dict[str, list[str]] = collections.defaultdict(list)
    for stack in stacks:
        if stack.blocked_by:
            held[stack.blocked_by].append(stack.id)
        elif stack.reason == StackReason.UPSTREAM_PENDING:
            for upstream in tree.upstreams_left(stack, stacks):
                held[upstream].append(stack.id)
    return tuple(_blocking_stack(stack, held[stack.id]) for stack in stacks if _is_blocking(stack))


def _is_blocking(stack: StackStatus) -> bool:
    if stack.reason in _CAUSED_BY_OTHERS:
        return False
    if stack.phase is Phase.SKIPPED:
        return stack.reason != StackReason.OUTPUT_UNCHANGED
    return stack.phase is not Phase.SUCCEEDED


def _blocking_stack(stack: StackStatus, holds: list[str]) -> BlockingStack:
    known = next((one for one in StackReason if one == stack.reason), None)
    return BlockingStack(
        stack=stack,
        meaning=reasons.STACK_MEANINGS[known] if known is not None else _UNKNOWN,
        holds=tuple(sorted(holds)),
    )


def _stack_lines(blocking: BlockingStack, width: int) -> list[Line]:
    stack = blocking.stack
    state = f"{styled_text.GAP}{stack.phase}{f' {stack.reason}' if stack.reason else ''}"
    style = tree.style_of(stack.phase)
    drawn: list[Line] = [(Span(text=stack.id, style=style), Span(text=state, style=style))]
    texts = [" ".join((stack.message or blocking.meaning.means).split())]
    if blocking.meaning.do and blocking.meaning.do != "Nothing.":
        texts.append(f"What to do: {blocking.meaning.do}")
    if blocking.holds:
        texts.append(f"Held up by it: {user_requests.first_names(list(blocking.holds))}.")
    if stack.run_url:
        texts.append(stack.run_url)
    for text in texts:
        indented = styled_text.wrap(text, width - 2) if text else []
        drawn += [(Span(text="  "), *line) for line in indented]
    return drawn


def _stack_document(blocking: BlockingStack) -> dict[str, Any]:
    stack = blocking.stack
    return {
        "id": stack.id,
        "phase": str(stack.phase),
        "reason": stack.reason,
        "message": stack.message,
        "means": blocking.meaning.means,
        "do": blocking.meaning.do,
        "runUrl": stack.run_url,
        "holds": list(blocking.holds),
    }


def _notes(chain: StackChain) -> tuple[str, ...]:
    status, notes = chain.status, []
    if chain.is_deleting:
        notes.append("It is being deleted.")
    if status.condition("Ready") is not None and outcomes.is_behind(chain):
        notes.append("The operator has not seen the latest change of the spec yet.")
    for name, token in user_requests.open_requests(chain):
        notes.append(f"`{name}: {token[:64]}` has not been taken up yet.")
    if status.pending_run is not None:
        notes.append(f"Another request ({status.pending_run.cause}): {status.pending_run.message}")
    return (*notes, *_automatic_starts(chain))


def _automatic_starts(chain: StackChain) -> list[str]:
    """Say what starts a run automatically, and when."""
    schedule, notes = chain.status.schedule, list[str]()
    if schedule is not None and schedule.next_time:
        notes.append(f"The schedule asks for the next run at {schedule.next_time}.")
    if schedule is not None and schedule.missed:
        notes.append(
            f"The schedule has missed {schedule.missed}, the newest at {schedule.last_missed_time}."
        )
    if chain.status.triggers is not None and not chain.spec.suspend:
        notes.append("A finished run of a root also starts it, unless a chain started that run.")
    if chain.status.triggers is not None and chain.status.triggers.problem:
        notes.append(f"Not all roots could be read: {chain.status.triggers.problem}")
    return notes


def _known(reason: str) -> ChainReason | None:
    """Return the reason, unless it is one of a newer operator."""
    return next((one for one in ChainReason if one == reason), None)

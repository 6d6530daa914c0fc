"""What to do about a chain, a stage or a stack if the page has a button for it. Pure.

The words of `explain` name the annotation; on the page it is the button right below. The page puts
the sentence together, since only it knows whether the viewer has the button.
"""

import dataclasses
import shlex
from collections.abc import Collection, Mapping

from controller.api.reasons import ChainReason, StackReason
from controller.chain.run import attention
from controller.plugin import explanation, page_actions
from controller.plugin.exit_codes import PROGRAM
from controller.plugin.user_requests import RequestKind
from controller.ui.page_documents import Document

# Each is followed by ": press Retry, or run `kubectl stackchain ...`."
_OF_CHAINS: Mapping[ChainReason, tuple[RequestKind, str]] = {
    ChainReason.STACK_FAILED: (
        RequestKind.RETRY,
        "Open the failed run and fix the cause. Then retry what did not succeed",
    ),
    ChainReason.STACK_CANCELED: (
        RequestKind.RETRY,
        "If that was not meant, retry what did not succeed",
    ),
    ChainReason.STACKS_NO_LONGER_IN_CHAIN: (
        RequestKind.RUN,
        "The table names them and says why. Bring back the stacks that should run, and retry; or "
        "run the stacks that the chain has now",
    ),
    ChainReason.RUN_CANCELED: (RequestKind.RETRY, "To continue, retry what did not succeed"),
    ChainReason.STACK_TIMED_OUT: (
        RequestKind.RETRY,
        "See the message. Then retry what did not succeed",
    ),
    ChainReason.DEADLINE_EXCEEDED: (
        RequestKind.RETRY,
        "Raise the deadline if it was too short. Then retry what did not succeed",
    ),
    ChainReason.WORKFLOW_TERMINATED: (
        RequestKind.RETRY,
        "Check the stacks in Spacelift. Then retry, which keeps what has succeeded by then",
    ),
    ChainReason.WORKFLOW_FAILED: (
        RequestKind.RETRY,
        "Report it with the workflow's history. To continue, retry what did not succeed",
    ),
    ChainReason.SUSPENDED: (RequestKind.RESUME, "To continue, resume the chain"),
    ChainReason.NOT_REQUESTED: (RequestKind.RUN, "To run it, request a run"),
}
_RETRIED: Mapping[str, str] = {
    **dict.fromkeys(
        (StackReason.RUN_DISCARDED, StackReason.RUN_CANCELED, StackReason.RUN_STOPPED),
        "If that was not meant, retry it",
    ),
    StackReason.CONFIRMATION_DEADLINE_EXCEEDED: "Retry it when someone can look at it",
    StackReason.PAYLOAD_TOO_LARGE: (
        "See the message; if a shorter `runtimeEnvironment` does not help, report it. To try "
        "again, retry it"
    ),
    StackReason.EXECUTION_ENDED: (
        "Look at the stack in Spacelift. If its run has succeeded by then, a retry keeps it; to "
        "continue, retry it"
    ),
    StackReason.SIGNATURE_INVALID: (
        "Give the operator and the workers the same signing keys. If they already have them, "
        "find out in Temporal who started the workflow. To continue, retry it"
    ),
}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Todo:
    """What to do; with `ask`, which names the button, it lacks the end of its sentence."""

    do: str = ""
    ask: str = ""
    command: str = ""

    @property
    def document(self) -> Document:
        """What the page is sent."""
        return {"do": self.do, "ask": self.ask, "command": self.command}


NOTHING = Todo()


def of_chain(found: explanation.ChainExplanation, possible: Collection[str], chosen: str) -> Todo:
    """Return what to do about a chain.

    Args:
        found: what is known of it.
        possible: what can be asked for now.
        chosen: the options that a command needs to be about this chain.
    """
    do = explanation.chain_advice(found)
    ready, command = found.chain.status.condition("Ready"), found.command or ""
    given = ready.reason if ready is not None else ""
    kind, words = next((said for one, said in _OF_CHAINS.items() if one == given), (None, ""))
    chosen_command = f"{command} {chosen}" if command else ""
    is_offered = kind in possible and command.startswith(f"{PROGRAM} {str(kind).lower()} ")
    if do and kind is not None and is_offered:
        return Todo(do=words, ask=str(kind), command=chosen_command)
    return Todo(do=page_actions.with_options(do, chosen), command=chosen_command)


def of_stage(chain_name: str, stage: str, chosen: str) -> Todo:
    """Return what to do about a stage that waits for its approval."""
    return Todo(
        do="If it may start, approve it",
        ask=str(RequestKind.APPROVE),
        command=f"{PROGRAM} {shlex.join(['approve', chain_name, stage])} {chosen}",
    )


def of_stack(
    blocking: explanation.BlockingStack,
    chain_name: str,
    actions: Collection[str],
    chosen: str,
    *,
    may_resume: bool,
) -> Todo:
    """Return what to do about a stack; `actions`: what can be asked for it alone."""
    stack, do = blocking.stack, blocking.meaning.do
    if stack.reason == StackReason.SUSPENDED and may_resume:
        return Todo(
            do="Resume the chain",
            ask=str(RequestKind.RESUME),
            command=f"{PROGRAM} resume {chain_name} {chosen}",
        )
    if blocking.need is attention.Need.FIX and do and RequestKind.RETRY in actions:
        words = ["retry", chain_name, "--stack", stack.id]
        return Todo(
            do=_RETRIED.get(stack.reason or "", f"{do} Then retry it"),
            ask=str(RequestKind.RETRY),
            command=f"{PROGRAM} {shlex.join(words)} {chosen}",
        )
    return Todo(do=do)

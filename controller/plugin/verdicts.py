"""When waiting is over, and how it ended: told from the status alone. Pure."""

import dataclasses

from controller.api import reasons, v1alpha1
from controller.api.v1alpha1 import Phase, StackChain
from controller.plugin import asks
from controller.plugin.asks import Action, Ask
from controller.plugin.failures import PROGRAM, Exit

Reason = reasons.ChainReason

# Why no run can start at all: the request stays unhandled until a person mends it.
_CANNOT_START = frozenset(
    {
        Reason.INVALID_SPEC,
        Reason.CONNECTION_UNKNOWN,
        Reason.NAMESPACE_NOT_ALLOWED,
        Reason.OPERATION_NOT_ALLOWED,
    }
)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """How it ended."""

    code: Exit
    text: str


def of_ask(chain: StackChain, ask: Ask, *, generation: int) -> Verdict | None:
    """Return how a request ended, or None while it is waited for.

    Args:
        chain: the chain as it is now.
        ask: the request.
        generation: the generation that the request was written with.
    """
    match ask.action:
        case Action.RUN | Action.RETRY:
            return _of_run(chain, ask)
        case Action.CANCEL:
            return _of_cancel(chain, ask)
    if chain.status.observed_generation >= generation:
        return Verdict(code=Exit.DONE, text="The operator has taken it up.")
    return None


def of_watching(chain: StackChain) -> Verdict | None:
    """Return how a chain stands once nothing more happens by itself, None until then."""
    status = chain.status
    ready, reconciling = status.condition("Ready"), status.condition("Reconciling")
    if ready is None or reconciling is None or is_behind(chain):
        return None
    if cannot_start(status):
        return Verdict(code=Exit.NOT_SUCCEEDED, text=ready.message)
    if reconciling.status == "True" or ready.reason == Reason.SUSPENDED or _is_asked(chain):
        return None
    if status.latest_run is not None and not status.latest_run.phase.is_over:
        return None
    code = Exit.DONE if ready.status == "True" else Exit.NOT_SUCCEEDED
    return Verdict(code=code, text=_end(chain))


def cannot_start(status: v1alpha1.Status) -> bool:
    """Whether a person has to mend something before any run starts."""
    ready, stalled = status.condition("Ready"), status.condition("Stalled")
    is_stalled = stalled is not None and stalled.status == "True"
    return is_stalled and ready is not None and ready.reason in _CANNOT_START


def _of_run(chain: StackChain, ask: Ask) -> Verdict | None:
    status, run = chain.status, chain.status.latest_run
    if not _is_taken_up(chain, ask):
        if cannot_start(status) and not is_behind(chain):
            ready = status.condition("Ready")
            return Verdict(code=Exit.NOT_SUCCEEDED, text=ready.message if ready else "")
        return None
    if run is None or run.number <= ask.latest:
        return _without_run(chain) if ask.action is Action.RETRY else None
    if not run.phase.is_over:
        return None
    code = Exit.DONE if run.phase is Phase.SUCCEEDED else Exit.NOT_SUCCEEDED
    return Verdict(code=code, text=_end(chain))


def _without_run(chain: StackChain) -> Verdict:
    name = chain.ref.name
    return Verdict(
        code=Exit.NOT_SUCCEEDED,
        text="The operator has taken the request up and started nothing, since the number was "
        f"stale by then; see `kubectl events --for schain/{name}`.",
    )


def _of_cancel(chain: StackChain, ask: Ask) -> Verdict | None:
    run = chain.status.latest_run
    if not _is_taken_up(chain, ask):
        return None
    if run is not None and run.number == ask.latest and not run.phase.is_over:
        return None
    is_next = run is not None and run.number > ask.latest
    text = f"Run {ask.latest} is over; run {run.number} has started." if is_next and run else ""
    return Verdict(code=Exit.DONE, text=text or _end(chain, has_hint=False))


def _is_taken_up(chain: StackChain, ask: Ask) -> bool:
    handled = chain.status.last_handled
    match ask.action:
        case Action.RUN:
            # Somebody may have asked after us: requests fold, and the newest stands for all.
            return chain.run_token is not None and handled.run == chain.run_token
        case Action.RETRY:
            return handled.retry == ask.token
        case Action.CANCEL:
            return handled.cancel == ask.token
    return False


def is_behind(chain: StackChain) -> bool:
    """Whether the status is about an older spec."""
    return chain.status.observed_generation < chain.ref.generation


def _is_asked(chain: StackChain) -> bool:
    handled = chain.status.last_handled
    pairs = (
        (chain.run_token, handled.run),
        (chain.retry_token, handled.retry),
        (chain.cancel_token, handled.cancel),
    )
    is_unhandled = any(token is not None and token != done for token, done in pairs)
    return is_unhandled or chain.status.pending_run is not None


def _end(chain: StackChain, *, has_hint: bool = True) -> str:
    run, name = chain.status.latest_run, chain.ref.name
    if run is None:
        ready = chain.status.condition("Ready")
        return ready.message if ready else ""
    progress = f", {run.progress}" if run.progress else ""
    text = f"Run {run.number} of {name}: {run.phase}{progress}."
    if run.phase is Phase.SUCCEEDED or not has_hint:
        return text
    _, again = asks.split_for_retry(chain.status)
    hint = f" Run what did not succeed again: `{PROGRAM} retry {name}`." if again else ""
    return f"{text}{hint}"

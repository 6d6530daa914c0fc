"""When a command that waits is done, and with which exit code: from the status alone. Pure."""

import dataclasses

from controller.api import reasons, v1alpha1, wording
from controller.api.v1alpha1 import Phase, StackChain
from controller.plugin import user_requests
from controller.plugin.exit_codes import PROGRAM, ExitCode
from controller.plugin.user_requests import RequestKind, UserRequest

Reason = reasons.ChainReason

# Why no run can start at all: the request stays unhandled until a person fixes it.
_CANNOT_START = frozenset(
    {
        Reason.INVALID_SPEC,
        Reason.CONNECTION_UNKNOWN,
        Reason.NAMESPACE_NOT_ALLOWED,
        Reason.OPERATION_NOT_ALLOWED,
        Reason.FIELD_NOT_ALLOWED,
    }
)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class CommandOutcome:
    """How a command that waited ended: its exit code, and the line for the user."""

    code: ExitCode
    text: str


def of_request(
    chain: StackChain, request: UserRequest, *, generation: int
) -> CommandOutcome | None:
    """Return how a request ended, or None while it is waited for.

    Args:
        chain: the chain as it is now.
        request: the request.
        generation: the generation that the request was written with.
    """
    match request.kind:
        case RequestKind.RUN | RequestKind.RETRY | RequestKind.BYPASS:
            return _of_run(chain, request)
        case RequestKind.CANCEL:
            return _of_cancel(chain, request)
        case RequestKind.APPROVE:
            return _of_approve(chain, request)
    if generation <= _observed(chain):
        return CommandOutcome(code=ExitCode.DONE, text="The operator has handled it.")
    return None


def of_watching(chain: StackChain) -> CommandOutcome | None:
    """Return the outcome of a chain once nothing more happens automatically, None until then."""
    status = chain.status
    ready, reconciling = status.condition("Ready"), status.condition("Reconciling")
    if ready is None or reconciling is None or is_behind(chain):
        return None
    if cannot_start(status):
        return CommandOutcome(code=ExitCode.NOT_SUCCEEDED, text=ready.message)
    if (
        reconciling.status == "True"
        or ready.reason == Reason.SUSPENDED
        or user_requests.has_request(chain)
    ):
        return None
    if status.latest_run is not None and not status.latest_run.phase.is_over:
        return None
    code = ExitCode.DONE if ready.status == "True" else ExitCode.NOT_SUCCEEDED
    return CommandOutcome(code=code, text=_end(chain))


def cannot_start(status: v1alpha1.Status) -> bool:
    """Whether a person has to fix something before any run starts."""
    ready, stalled = status.condition("Ready"), status.condition("Stalled")
    is_stalled = stalled is not None and stalled.status == "True"
    return is_stalled and ready is not None and ready.reason in _CANNOT_START


def _of_run(chain: StackChain, request: UserRequest) -> CommandOutcome | None:
    status, run = chain.status, chain.status.latest_run
    if not _is_taken_up(chain, request):
        if cannot_start(status) and not is_behind(chain):
            ready = status.condition("Ready")
            return CommandOutcome(code=ExitCode.NOT_SUCCEEDED, text=ready.message if ready else "")
        return None
    is_in_it = request.is_live and run is not None and run.number == request.latest
    if run is None or (run.number <= request.latest and not is_in_it):
        return None if request.kind is RequestKind.RUN else _without_run(chain)
    if not run.phase.is_over:
        return None
    code = ExitCode.DONE if run.phase is Phase.SUCCEEDED else ExitCode.NOT_SUCCEEDED
    return CommandOutcome(code=code, text=_end(chain))


def _without_run(chain: StackChain) -> CommandOutcome:
    name = chain.ref.name
    return CommandOutcome(
        code=ExitCode.NOT_SUCCEEDED,
        text="The operator has handled the request and started nothing, since the request was "
        f"stale by then; see `kubectl events --for schain/{name}`.",
    )


def _of_cancel(chain: StackChain, request: UserRequest) -> CommandOutcome | None:
    run = chain.status.latest_run
    if not _is_taken_up(chain, request):
        return None
    if run is not None and run.number == request.latest and not run.phase.is_over:
        return None
    is_next = run is not None and run.number > request.latest
    text = f"Run {request.latest} is over; run {run.number} has started." if is_next and run else ""
    return CommandOutcome(code=ExitCode.DONE, text=text or _end(chain, has_hint=False))


def _of_approve(chain: StackChain, request: UserRequest) -> CommandOutcome | None:
    if not _is_taken_up(chain, request):
        return None
    run, name = chain.status.latest_run, request.details["stage"]
    stages = run.stages if run is not None and run.number == request.latest else ()
    stage = next((one for one in stages if one.name == name), None)
    if stage is not None and stage.approved_time is not None:
        text = f"Stage '{name}' of run {request.latest} is approved."
        return CommandOutcome(code=ExitCode.DONE, text=text)
    return CommandOutcome(
        code=ExitCode.NOT_SUCCEEDED,
        text=f"Stage '{name}' of run {request.latest} was not approved: by then the run was over, "
        f"or the stage did not wait for it; see `kubectl events --for schain/{chain.ref.name}`.",
    )


def _is_taken_up(chain: StackChain, request: UserRequest) -> bool:
    handled = chain.status.last_handled
    match request.kind:
        case RequestKind.RUN:
            # Someone may have asked after us: requests are merged, and the newest counts for all.
            return chain.run_token is not None and handled.run == chain.run_token
        case RequestKind.RETRY:
            return handled.retry == request.token
        case RequestKind.BYPASS:
            return handled.bypass == request.token
        case RequestKind.APPROVE:
            return handled.approve == request.token
        case RequestKind.CANCEL:
            return handled.cancel == request.token
    return False


def _observed(chain: StackChain) -> int:
    return chain.status.observed_generation


def is_behind(chain: StackChain) -> bool:
    """Whether the status is about an older spec."""
    return chain.status.observed_generation < chain.ref.generation


def _end(chain: StackChain, *, has_hint: bool = True) -> str:
    run, name = chain.status.latest_run, chain.ref.name
    if run is None:
        ready = chain.status.condition("Ready")
        return ready.message if ready else ""
    progress = f", {run.progress}" if run.progress else ""
    text = f"Run {run.number} of {name}: {run.phase}{progress}."
    if run.phase is Phase.SUCCEEDED or not has_hint:
        return text
    _, again = user_requests.split_for_retry(chain.status)
    hint = (
        f" Run what did not succeed again: `{PROGRAM} retry {name}`."
        if again and user_requests.would_take_retry(chain)
        else ""
    )
    return f"{text}{hint}"


def graph_remarks(status: v1alpha1.Status) -> str:
    """Return what may be wrong with the graph although it can run; "" if nothing is."""
    graph = status.condition("GraphResolved")
    if graph is None or graph.status != "True":
        return ""
    return wording.after_first_sentence(" ".join(graph.message.split()))

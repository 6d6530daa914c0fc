"""What the page shows of a chain, in the words of `tree` and `explain`. Pure.

The one place where the page's documents are made, so that terminal and page never disagree.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from controller.api import reasons, v1alpha1
from controller.api.json_fields import to_json
from controller.api.reasons import ChainReason, StackReason
from controller.api.v1alpha1 import Phase, RunStatus, StackChain, StackStatus, StageStatus
from controller.chain.run import attention, holds
from controller.chain.run.attention import Need
from controller.display import stage_lines, tree
from controller.plugin import explanation, newer_phases, page_actions, page_words, user_requests
from controller.plugin.user_requests import RequestKind
from controller.ui.page_documents import ChainDocuments, Document, shown_resource

_STATES = {Need.FIX: "failed", Need.DECISION: "person", Need.RELEASE: "blocked"}
_OF_REASONS: Mapping[str, str] = {
    **dict.fromkeys(reasons.WAITING_FOR_PERSON, "person"),
    reasons.ChainReason.BLOCKED: "blocked",
    reasons.ChainReason.SUSPENDED: "suspended",
    reasons.ChainReason.NOT_REQUESTED: "idle",
    reasons.ChainReason.DELETING: "running",
}
_MOST_HELD = 20


def describe(body: Mapping[str, Any], *, options: Sequence[str] = ()) -> ChainDocuments:
    """Return what the page shows of a StackChain, also of one that cannot be read.

    Args:
        body: the resource.
        options: those that choose the same cluster for a command.
    """
    try:
        chain = newer_phases.parse(body)
    except v1alpha1.InvalidResource as error:
        return _unreadable(
            body,
            f"This version of the plugin cannot read the StackChain: {error}. Install the one that "
            "came with the operator.",
        )
    found = explanation.explain(chain)
    # The page shows chains of several namespaces.
    chosen = page_actions.chosen_options(options, chain.ref.namespace)
    state = _state(chain, [one.need for one in found.blocking if one.need is not None])
    stages = _stage_needs(chain, chosen)
    # The page has a field for each, in the viewer's own time zone.
    noted_elsewhere = {*explanation.estimate_notes(chain), *explanation.schedule_notes(chain)}
    possible = page_actions.possible(chain)
    advice = _advice_of_stacks(found, possible, chosen)
    todo = page_words.of_chain(found, possible["actions"], chosen)
    ready = chain.status.condition("Ready")
    is_said = bool(stages) and ready is not None and ready.reason == ChainReason.AWAITING_APPROVAL
    return ChainDocuments(
        row=_row(found, body, state),
        detail={
            "resource": shown_resource(body),
            "state": state,
            "headline": tree.ready_message(chain.status) or found.meaning.means,
            "means": found.meaning.means,
            # The rows of stages say it.
            **(page_words.NOTHING if is_said else todo).document,
            "notes": [
                page_actions.with_options(note, chosen)
                for note in found.notes
                if note not in noted_elsewhere
            ],
            "needs": _needs(found, stages, advice),
            "advice": advice,
            "meanings": _meanings(chain),
            "possible": possible,
            "stages": [_stage(one) for one in tree.current_stages(chain.status)],
            "changes": _changes(chain),
            "runsAfter": [one.name for one in chain.spec.depends_on],
            "problem": "",
        },
    )


def _needs(
    found: explanation.ChainExplanation,
    stages: Sequence[Document],
    advice: Mapping[str, Document],
) -> list[Document]:
    """Return what needs someone, worst first: stacks, and stages that wait for an approval."""
    decisions = [(Need.DECISION, stage) for stage in stages]
    stacks = [
        (one.need, _need(one, advice[one.stack.id]))
        for one in found.blocking
        if one.need is not None
    ]
    return [need for _, need in sorted([*decisions, *stacks], key=lambda pair: pair[0])]


def _stage_needs(chain: StackChain, chosen: str) -> list[Document]:
    stages, waiting = tree.current_stages(chain.status), user_requests.stages_to_approve(chain)
    return [
        {
            "id": "",
            "stage": stage.name,
            "phase": str(stage.phase),
            "reason": "",
            "message": "",
            "runUrl": "",
            "means": reasons.CHAIN_MEANINGS[ChainReason.AWAITING_APPROVAL].means,
            **page_words.of_stage(chain.ref.name, stage.name, chosen).document,
            "chain": "",
            "holds": [],
            # Later stages wait for it, too.
            "held": sum(map(_left, stages[place:])),
            "actions": [],
        }
        for place, stage in enumerate(stages)
        if stage.name in waiting
    ]


def _left(stage: StageStatus) -> int:
    """Return how many stacks of a stage have not succeeded."""
    done, _, total = stage.progress.partition("/")
    return int(total) - int(done) if done.isdecimal() and total.isdecimal() else 0


def _need(blocking: explanation.BlockingStack, advice: Document) -> Document:
    stack = blocking.stack
    return {
        "id": stack.id,
        "stage": "",
        "phase": str(stack.phase),
        "reason": stack.reason or "",
        "message": stack.message or "",
        "runUrl": attention.link_of(stack) or "",
        **advice,
    }


def _advice_of_stacks(
    found: explanation.ChainExplanation, possible: Document, chosen: str
) -> dict[str, Document]:
    """Return the message about each stack that keeps the chain from continuing."""
    may = page_actions.possible_of_stacks(found.chain)
    may_resume = RequestKind.RESUME in possible["actions"]
    advice = dict[str, Document]()
    for one in found.blocking:
        name, actions = found.chain.ref.name, may(one.stack.id)
        todo = page_words.of_stack(one, name, actions, chosen, may_resume=may_resume)
        advice[one.stack.id] = {
            "means": one.meaning.means,
            **todo.document,
            "chain": _other_chain(one.stack),
            # In a large chain each stack may hold up hundreds.
            "holds": list(one.holds[:_MOST_HELD]),
            "held": len(one.holds),
            "actions": actions,
        }
    return advice


def _other_chain(stack: StackStatus) -> str:
    """Return the chain that has the stack, as `namespace/name`, if that holds the stack up."""
    is_busy = stack.reason == StackReason.STACK_BUSY
    return holds.chain_in(stack.message or "") if is_busy else ""


def _meanings(chain: StackChain) -> dict[str, Document]:
    """Return what the reasons of the stacks mean: each once, however many stacks have it."""
    given = {stack.reason for stack in chain.status.stacks}
    return {
        str(reason): {"means": meaning.means, "do": meaning.do}
        for reason, meaning in reasons.STACK_MEANINGS.items()
        if reason in given
    }


def _stage(stage: StageStatus) -> dict[str, Any]:
    """Return a stage as `tree` shows it; how long it has waited, the page counts itself."""
    return {
        "name": stage.name,
        "phase": str(stage.phase),
        "progress": stage.progress,
        "waits": stage_lines.wait_of(stage),
        "since": stage.since or "",
        "until": stage.until or "",
        "approvedTime": stage.approved_time or "",
        "message": stage.message or "",
    }


def _changes(chain: StackChain) -> str:
    run = chain.status.latest_run
    return run.changes.text if run is not None and run.changes is not None else ""


def _state(chain: StackChain, needs: Sequence[Need]) -> str:
    """Return the worst that can be said of a chain."""
    ready, stalled = chain.status.condition("Ready"), chain.status.condition("Stalled")
    if ready is None:
        return "idle"
    if stalled is not None and stalled.status == "True":
        return "failed"
    if needs and ready.status != "True":
        return _STATES[min(needs)]
    if ready.reason in _OF_REASONS:
        state = _OF_REASONS[ready.reason]
        is_scheduled = chain.status.schedule is not None and chain.status.schedule.next_time
        return "scheduled" if state == "idle" and is_scheduled else state
    return {"True": "fine", "False": "blocked"}.get(ready.status, "running")


def _row(
    found: explanation.ChainExplanation, body: Mapping[str, Any], state: str
) -> dict[str, Any]:
    chain, status, run = found.chain, found.chain.status, found.chain.status.latest_run
    ready = status.condition("Ready")
    return {
        **_identity(body),
        "state": state,
        "headline": tree.ready_message(status) or found.meaning.means,
        "reason": ready.reason if ready is not None else "",
        "operation": run.operation if run is not None else str(chain.spec.operation),
        "progress": run.progress if run is not None else "",
        "changes": _changes(chain),
        "summary": to_json(run.summary) if run is not None else {},
        "run": run.number if run is not None else 0,
        "startTime": (run.start_time or "") if run is not None else "",
        "completionTime": (run.completion_time or "") if run is not None else "",
        "estimatedCompletionTime": (run.estimated_completion_time or "") if run is not None else "",
        "nextTime": (status.schedule.next_time or "") if status.schedule is not None else "",
        "succeededTime": _succeeded_at(status),
    }


def _succeeded_at(status: v1alpha1.Status) -> str:
    runs: tuple[RunStatus, ...] = (
        *((status.latest_run,) if status.latest_run is not None else ()),
        *status.history,
    )
    ended = (run.completion_time for run in runs if run.phase is Phase.SUCCEEDED)
    return next((time for time in ended if time), "")


def _identity(body: Mapping[str, Any]) -> dict[str, Any]:
    metadata = body["metadata"]
    return {
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "createdTime": metadata.get("creationTimestamp") or "",
    }


def _unreadable(body: Mapping[str, Any], problem: str) -> ChainDocuments:
    row = {
        **_identity(body),
        "state": "unreadable",
        "headline": problem,
        **dict.fromkeys(
            (
                "reason",
                "operation",
                "progress",
                "changes",
                "startTime",
                "completionTime",
                "estimatedCompletionTime",
                "nextTime",
                "succeededTime",
            ),
            "",
        ),
        "summary": {},
        "run": 0,
    }
    detail = {
        "resource": shown_resource(body),
        "state": "unreadable",
        **dict.fromkeys(("headline", "means"), ""),
        **page_words.NOTHING.document,
        "notes": [],
        "needs": [],
        "advice": {},
        "meanings": {},
        "possible": page_actions.NOTHING,
        "stages": [],
        "changes": "",
        "runsAfter": [],
        "problem": problem,
    }
    return ChainDocuments(row=row, detail=detail)

"""What must hold at each write of a StackChain."""

from collections.abc import Callable, Iterator
from typing import Any

from controller.api import reasons, v1alpha1
from controller.api.v1alpha1 import Phase, RunSource
from devenv.simulator.model.states import RunState
from tests.simulation.kube import link
from tests.simulation.world.records import OUR_LOGIN, Write, execution_of, marker_of

Json = dict[str, Any]


def the_status_never_goes_back(write: Write) -> Iterator[str]:
    """A later status is of a later run, or knows more of the same one.

    Whoever waits for a run, or for a spec to be observed, has already seen it come. A stack that
    did not succeed becomes pending again if someone asked for that. An execution that a reset has
    made knows no more than at the point of the reset: its first rows may take back what those of
    the execution before say, and from then on nothing does.
    """
    old, new = write.before, write.status
    for what, before, after in (
        ("the number of the run", _number(old), _number(new)),
        ("the observed generation", *(item.get("observedGeneration", -1) for item in (old, new))),
    ):
        if after < before:
            yield f"{what} went from {before} to {after}"
    is_taken_back = write.chain.rows_of in write.record.resets.get(execution_of(new), ())
    if _number(old) == _number(new) and _attempt(old) == _attempt(new) and not is_taken_back:
        rows = {row["id"]: row for row in new.get("stacks") or ()}
        is_asked = any(
            write.chain.tokens_of(name, _number(new))
            for name in (v1alpha1.RETRY_ANNOTATION, v1alpha1.BYPASS_ANNOTATION)
        )
        for row in old.get("stacks") or ():
            now = rows.get(row["id"])
            if is_asked and row["phase"] != Phase.SUCCEEDED and not _is_bypassed(row):
                continue
            if now and Phase(row["phase"]).is_over and not Phase(now["phase"]).is_over:
                yield f"{row['id']} went from {row['phase']} to {now['phase']}"


def _is_bypassed(row: Json) -> bool:
    return bool(row.get("reason") == reasons.StackReason.BYPASSED)


def ready_means_over(write: Write) -> Iterator[str]:
    """Ready is only what has succeeded, with nothing under way or asked for; conditions agree.

    GitOps tools and pipelines continue as soon as a chain is Ready.
    """
    found = {item["type"]: item["status"] for item in write.status.get("conditions") or ()}
    if found.get("Ready") == "True":
        left = [
            f"{row['id']} is {row['phase']}"
            for row in write.status.get("stacks") or ()
            if row["phase"] != Phase.SUCCEEDED and not _is_bypassed(row)
        ]
        if "pendingRun" in write.status:
            left.append("a run waits")
        left += [name for name in ("Reconciling", "Stalled") if found.get(name) == "True"]
        if left:
            yield f"is Ready, while {', '.join(left)}"
    if found.get("Reconciling") == found.get("Stalled") == "True":
        yield "is Reconciling and Stalled"


def a_success_is_true(write: Write) -> Iterator[str]:
    """The run of a stack that has succeeded is over in the account, and has succeeded there.

    What depends on it starts then.
    """
    runs = write.record.parties.account.simulator.account.runs
    before = {row["id"]: row for row in write.before.get("stacks") or ()}
    for row in write.status.get("stacks") or ():
        if row["phase"] != Phase.SUCCEEDED or row == before.get(row["id"]):
            continue
        run = runs.get(row.get("runId") or "")
        if run is not None and run.state not in (RunState.FINISHED, RunState.SKIPPED):
            yield f"{row['id']} has succeeded, while its run {run.id} is {run.state}"


def the_source_of_a_run_is_true(write: Write) -> Iterator[str]:
    """A run that the chain has triggered is shown as such, any other one as adopted.

    People who look for what started a run believe it.
    """
    runs = write.record.parties.account.simulator.account.runs
    before = {row["id"]: row for row in write.before.get("stacks") or ()}
    for row in write.status.get("stacks") or ():
        found, run = row.get("runSource"), runs.get(row.get("runId") or "")
        if row == before.get(row["id"]) or (run is None and "runId" in row):
            continue
        expected = None
        if run is not None and row.get("reason") != reasons.StackReason.OUTPUT_UNCHANGED:
            marked = marker_of(run)
            is_own = marked is not None and marked[0] == write.chain.title
            expected = RunSource.TRIGGERED if is_own else RunSource.ADOPTED
        is_kept = row.get("reason") == reasons.StackReason.KEPT
        if found != expected and not (is_kept and found is None):
            yield f"{row['id']} is {found} with run {row.get('runId')}, which is {expected}"


def nothing_waits_without_a_reason(write: Write) -> Iterator[str]:
    """A stack that waits, and a chain that is not Ready, say why.

    A person who sees it must know whether to do something.
    """
    for row in write.status.get("stacks") or ():
        if row["phase"] in (Phase.WAITING, Phase.AWAITING_CONFIRMATION) and not row.get("reason"):
            yield f"{row['id']} is {row['phase']} for no reason"
    for item in write.status.get("conditions") or ():
        is_bad = item["type"] == "Ready" and item["status"] != "True"
        if is_bad and not (item.get("reason") and item.get("message")):
            yield f"is not Ready for no reason: {item}"


# Whatever else happens, these reasons of Ready are of a live run whose stacks are known.
_OF_LIVE_RUNS = frozenset(
    {
        reasons.ChainReason.PROGRESSING,
        reasons.ChainReason.AWAITING_CONFIRMATION,
        reasons.ChainReason.AWAITING_APPROVAL,
        reasons.ChainReason.BLOCKED,
        reasons.ChainReason.SUSPENDED,
        reasons.ChainReason.WINDOW_CLOSED,
        reasons.ChainReason.STACK_FAILED,
        reasons.ChainReason.STACK_TIMED_OUT,
        reasons.ChainReason.STACK_CANCELED,
    }
)
_ENDING = ("The chain is being canceled", "The chain's deadline has passed")


def what_needs_a_person_is_named(write: Write) -> Iterator[str]:
    """While a run is live, Ready names a stack of each kind that needs someone.

    What failed must not hide behind what waits, nor the other way round, and Progressing means that
    no one has to act. A run that was reset and is without progress has not read its stacks since:
    its rows are those of before.
    """
    status, run = write.status, write.status.get("latestRun") or {}
    ready = next((one for one in status.get("conditions") or () if one["type"] == "Ready"), None)
    is_known = bool((run.get("summary") or {}).get("total"))
    is_unread = execution_of(status) in write.record.resets and not run.get("progress")
    if ready is None or not is_known or is_unread or Phase(run["phase"]).is_over:
        return
    if ready["reason"] not in _OF_LIVE_RUNS or any(text in ready["message"] for text in _ENDING):
        return
    for kind, needing in _needing(status["stacks"]).items():
        named = [row["id"] for row in needing if f"'{row['id']}'" in ready["message"]]
        if not named or ready["reason"] == reasons.ChainReason.PROGRESSING:
            ids = ", ".join(row["id"] for row in needing)
            yield f"is {ready['reason']}, {ready['message']!r}, while {ids} {kind}"


def _needing(rows: list[Json]) -> dict[str, list[Json]]:
    of_chain = (
        reasons.StackReason.CHAIN_CANCELED,
        reasons.StackReason.CHAIN_DEADLINE_EXCEEDED,
    )
    bad = (Phase.FAILED, Phase.TIMED_OUT, Phase.CANCELED)
    found = {
        "did not succeed": [
            row for row in rows if row["phase"] in bad and row.get("reason") not in of_chain
        ],
        "waits for a person": [r for r in rows if r["phase"] == Phase.AWAITING_CONFIRMATION],
        "is held up": [
            row
            for row in rows
            if row["phase"] == Phase.WAITING and (row.get("heldBy") or {}).get("needsPerson")
        ],
    }
    return {kind: needing for kind, needing in found.items() if needing}


def an_estimate_has_a_past_and_nothing_in_between(write: Write) -> Iterator[str]:
    """A run is estimated only from what its stacks took, and while no one has to act first.

    Otherwise people would plan by it and wait in vain.
    """
    run = write.status.get("latestRun") or {}
    if "estimatedCompletionTime" not in run:
        return
    field = f"{run['operation'].lower()}Seconds"
    known = {item["stackId"] for item in write.status.get("durations") or () if field in item}
    rows = [row for row in write.status["stacks"] if not Phase(row["phase"]).is_over]
    if Phase(run["phase"]).is_over or not rows:
        yield "a run is estimated that is over"
    for row in rows:
        if row["id"] not in known:
            yield f"a run is estimated, and nothing is known of {row['id']}"
        if row["phase"] == Phase.AWAITING_CONFIRMATION or "heldBy" in row:
            yield f"a run is estimated, and {row['id']} is {row['phase']} {row.get('reason')}"
        if row.get("reason") in (
            reasons.StackReason.SUSPENDED,
            reasons.StackReason.CHAIN_CANCELED,
            reasons.StackReason.CHAIN_DEADLINE_EXCEEDED,
        ):
            yield f"a run is estimated, and {row['id']} is {row['reason']}"


def only_the_leader_writes(write: Write) -> Iterator[str]:
    """No operator writes a status once another one leads, except for writes on their way already.

    Two operators that write say different things about one chain.
    """
    namespace, _, pod = write.user.partition("/")
    holder, since = write.record.leaders.get(namespace, ("", 0.0))
    if not pod or holder == pod or write.status == write.before:
        return
    plan, now = write.record.plan, write.record.parties.loop.time()
    if now - since > plan.slowest * plan.slow.get(link.REQUEST, 1.0):
        yield f"{pod} writes {now - since:.1f} s after {holder or 'no one'} began to lead"


def gone_means_over(write: Write) -> Iterator[str]:
    """A StackChain goes when none of its runs is left, unless they are to be left alone.

    Its runs are those that it has triggered, and those that Spacelift has queued because of them.
    No one sees what runs for a resource that is gone. A run that Spacelift has queued and that
    applies before the chain has taken it up cannot be stopped, and the StackChain does not wait for
    it.
    """
    chain = write.chain
    if not write.is_gone or chain.body["spec"].get("deletionPolicy") == "Orphan":
        return
    used = {row.get("runId") for row in (chain.body.get("status") or {}).get("stacks") or ()}
    for run in write.record.parties.account.simulator.account.runs.values():
        was_stopped = run.stop_requested and run.stop_username == OUR_LOGIN
        was_faster = run.state is RunState.APPLYING and run.origin_id and run.id not in used
        if run.finished or was_stopped or was_faster:
            continue
        cause = write.record.cause_of(run)
        if cause is not None and cause[0] == chain.title:
            yield f"is gone, while {run.id} of {run.stack_id} is {run.state}"


AT_EACH_WRITE: dict[str, Callable[[Write], Iterator[str]]] = {
    "the status never goes back": the_status_never_goes_back,
    "ready means over": ready_means_over,
    "a success is true": a_success_is_true,
    "the source of a run is true": the_source_of_a_run_is_true,
    "nothing waits without a reason": nothing_waits_without_a_reason,
    "what needs a person is named": what_needs_a_person_is_named,
    "an estimate has a past and nothing in between": an_estimate_has_a_past_and_nothing_in_between,
    "only the leader writes": only_the_leader_writes,
    "gone means over": gone_means_over,
}


def _number(status: Json) -> int:
    return int((status.get("latestRun") or {}).get("number", 0))


def _attempt(status: Json) -> int:
    return int((status.get("latestRun") or {}).get("attempt", 1))

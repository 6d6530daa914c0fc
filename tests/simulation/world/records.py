"""What a world records while a plan is carried out, for invariants to judge at the end."""

import collections
import dataclasses
import json
from collections.abc import Callable, Iterator
from typing import Any

from controller.api import v1alpha1
from controller.chain.requests import token_grammar
from controller.temporal import ids
from devenv.simulator.model.run_entities import Run, Transition
from tests.simulation import role_processes
from tests.simulation.account import account_server
from tests.simulation.kube.store import Change
from tests.simulation.temporal.records import Execution
from tests.simulation.world.plans import Actor, Plan

Json = dict[str, Any]

_SLOWEST_SECONDS = 0.5

OUR_LOGIN = f"api::{account_server.API_KEY_ID}"


@dataclasses.dataclass(kw_only=True, slots=True)
class ChainRecord:
    """One StackChain object, from its creation to its end."""

    namespace: str
    name: str
    uid: str
    created_at: float
    deleted_at: float | None = None
    """When someone asked for its deletion."""
    gone_at: float | None = None
    written_at: list[float] = dataclasses.field(default_factory=list)
    """When its status was written."""
    generations: int = 1
    retry_limit: int = 0
    """The largest that it ever had: an edit counts for the next run."""
    body: Json = dataclasses.field(default_factory=dict)
    rows_of: str = ""
    """The execution that is known to have given the rows of its status; by its run id."""
    runs: dict[int, Json] = dataclasses.field(default_factory=dict)
    """The last whole status in which each run was the latest one."""
    named_runs: set[str] = dataclasses.field(default_factory=set)
    """All runs that any of its statuses ever named."""
    doubtful_runs: set[str] = dataclasses.field(default_factory=set)
    """Native runs of which a status has said that they may be its own or someone else's."""
    annotations: set[tuple[str, str]] = dataclasses.field(default_factory=set)
    """All request tokens that it ever had."""
    scheduled_until: float | None = None
    """Until when it had a schedule."""
    approved_at: dict[tuple[int, str], float] = dataclasses.field(default_factory=dict)
    """When someone first approved a stage of which run, by the wall clock."""
    root_runs: set[str] = dataclasses.field(default_factory=set)
    """All runs of others of roots that any of its runs was started by."""
    triggering_roots: set[str] = dataclasses.field(default_factory=set)
    """The roots that it ever had while their runs started it."""
    first_spec: Json = dataclasses.field(default_factory=dict)
    """What it was created with."""
    canceled_at: dict[int, float] = dataclasses.field(default_factory=dict)
    """When someone asked for the end of which run, by the wall clock."""
    told_at: dict[int, float] = dataclasses.field(default_factory=dict)
    """When the status began to say that a run had ended, by the wall clock."""
    ready_at: float | None = None
    """When it was last Ready with no open request."""
    idle_at: float | None = None
    """When nothing was last asked of it, and nothing ran."""

    @property
    def was_orphaned(self) -> bool:
        """Whether it was deleted, and its runs were to continue."""
        is_orphan = self.body["spec"].get("deletionPolicy") == "Orphan"
        return is_orphan and self.deleted_at is not None

    def tokens_of(self, annotation: str, number: int) -> int:
        """Return how many of its tokens asked for stacks of a run."""
        return sum(
            name == annotation and _number_of(text) == number for name, text in self.annotations
        )

    @property
    def status_writes(self) -> int:
        """How often its status was written."""
        return len(self.written_at)

    @property
    def title(self) -> str:
        """Namespace and name."""
        return f"{self.namespace}/{self.name}"

    @property
    def status(self) -> Json:
        """Its status as it was at last."""
        return self.body.get("status") or {}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Write:
    """A StackChain has changed, by the hand of `user`; or is gone."""

    record: "Record"
    chain: ChainRecord
    before: Json
    """Its status before."""
    user: str
    is_gone: bool

    @property
    def status(self) -> Json:
        """Its status now."""
        return self.chain.status


class Record:
    """All that has happened; `now` is the time of the world."""

    def __init__(self, plan: Plan, parties: role_processes.Parties) -> None:
        self.plan = plan
        self.parties = parties
        self.chains: dict[str, ChainRecord] = {}
        """By uid."""
        self.roles: list[role_processes.RoleProcess] = []
        self.log: list[tuple[float, str, str]] = []
        """What has happened, by time: actor and event."""
        self.mistakes: list[tuple[str, str]] = []
        """What was found while the world went on: which invariant was violated, and how."""
        self.on_write: list[Callable[[Write], None]] = []
        """Called after each write of a StackChain."""
        self.on_move: list[Callable[[Run], None]] = []
        """Called after each change of the state of a run; the first one is its creation."""
        self.leaders: dict[str, tuple[str, float]] = {}
        """Who leads each installation, and since when; by its namespace."""
        self.reset_runs: set[tuple[str, int]] = set()
        """The chains, by namespace and name, of which a run was reset, and the run's number."""
        self.resets: dict[str, tuple[str, ...]] = {}
        """What resets have made of chains' executions, and those of the run before; by run id."""
        self.cut_off: set[tuple[str, int]] = set()
        """The runs of chains of which a reset of an earlier execution has ended a live one."""
        self.is_quiet = False
        """Whether all came to its end in time."""
        self.unsettled: list[str] = []
        """What had not, if it did not."""
        self.leftovers: list[str] = []
        """What was left once all chains were deleted."""
        self.quiet_at: float | None = None
        parties.api.store.listeners.append(self._note_change)
        parties.account.simulator.transition_listeners.append(self._note_move)

    def note(self, actor: str, event: str) -> None:
        """Note that something has happened."""
        self.log.append((self.parties.loop.time(), actor, event))

    def note_reset(self, made: Execution) -> None:
        """Note which execution a reset has made, if it is one of a chain."""
        uid = made.workflow_id.rpartition("/")[2]
        if (chain := self.chains.get(uid)) is not None:
            # One that has just started is not in the status yet.
            self.reset_runs.add((chain.title, _run_number(made)))
            self.resets[made.run_id] = tuple(
                one.run_id
                for one in self.parties.temporal.executions()
                if one.start.first_run_id == made.start.first_run_id and one is not made
            )

    def note_cut_off(self, execution: Execution) -> None:
        """Note that a live execution of a chain or a stack ends at once, without hearing of it."""
        parent, of_chain = execution.start.parent, execution
        if parent is not None:
            found = self.parties.temporal.find_run(parent.workflow_id, parent.run_id)
            if found is None:
                return
            of_chain = found
        if (chain := self.chains.get(of_chain.workflow_id.rpartition("/")[2])) is not None:
            self.cut_off.add((chain.title, _run_number(of_chain)))

    def cause_of(self, run: Run) -> tuple[str, int] | None:
        """Return the chain and its run that triggered a run, or that from which it comes."""
        origin = self.parties.account.simulator.account.runs.get(run.origin_id or "", run)
        return marker_of(origin)

    def note_mistake(self, invariant: str, text: str) -> None:
        """Note that an invariant is violated now."""
        self.mistakes.append((invariant, f"{self.parties.loop.time():.1f} s: {text}"))

    @property
    def is_undisturbed(self) -> bool:
        """Whether nothing broke, and nothing took long."""
        plan = self.plan
        is_faulty = plan.chances or any(event.actor is Actor.FAULT for event in plan.events)
        is_slow = plan.slow or plan.slowest > _SLOWEST_SECONDS
        return not (is_faulty or is_slow or any(plan.skews))

    @property
    def account_runs(self) -> list[Run]:
        """All runs of the account, by time."""
        return sorted(self.parties.account.simulator.account.runs.values(), key=lambda run: run.id)

    def run(self, run_id: str | None) -> Run | None:
        """Return a run of the account."""
        return self.parties.account.simulator.account.runs.get(run_id or "")

    def executions(self) -> list[Execution]:
        """All executions that Temporal has not forgotten."""
        return list(self.parties.temporal.executions())

    def was_deleted(self, chain: ChainRecord) -> bool:
        """Whether someone deleted a chain before the end, when all chains are deleted."""
        if chain.deleted_at is None:
            return False
        return self.quiet_at is None or chain.deleted_at < self.quiet_at

    def requests(self) -> int:
        """Return how many requests workers have sent to the account."""
        return sum(len(way.sent_at) for role in self.roles for way in role.spacelift)

    def same_name(self, title: str) -> list[ChainRecord]:
        """Return the objects that have had a name, the oldest first."""
        return [chain for chain in self.chains.values() if chain.title == title]

    def runs_by_marker(self) -> dict[tuple[str, int, str], list[Run]]:
        """Return the runs that we have triggered, by chain, number and stack."""
        found: dict[tuple[str, int, str], list[Run]] = collections.defaultdict(list)
        for run in self.account_runs:
            if (marked := marker_of(run)) is not None:
                found[(*marked, run.stack_id)].append(run)
        return found

    def _note_change(self, change: Change) -> None:
        if change.key.plural == "leases":
            self._note_leader(change)
        if change.key.plural != v1alpha1.PLURAL:
            return
        body, now = change.stored.body, self.parties.loop.time()
        metadata = body["metadata"]
        chain = self.chains.get(metadata["uid"])
        if chain is None:
            chain = self.chains[metadata["uid"]] = ChainRecord(
                namespace=metadata["namespace"],
                name=metadata["name"],
                uid=metadata["uid"],
                created_at=now,
                first_spec=body["spec"],
            )
        if body.get("status") != chain.body.get("status"):
            chain.written_at.append(now)
            chain.named_runs.update(_named(body.get("status") or {}))
            chain.doubtful_runs.update(_doubtful(body.get("status") or {}))
        # As it was until now.
        if chain.body and is_idle(chain.body):
            chain.idle_at = now
            if is_ready(chain.body):
                chain.ready_at = now
        before, chain.body = chain.body, body
        limit = (body["spec"].get("retry") or {}).get("limit", 0)
        chain.retry_limit = max(chain.retry_limit, limit)
        if "deletionTimestamp" not in metadata:
            # A deletion counts as a change of the spec.
            chain.generations = metadata.get("generation", 1)
        annotations = metadata.get("annotations") or {}
        chain.annotations |= {
            (name, annotations[name]) for name in v1alpha1.TOKENS if name in annotations
        }
        if "schedule" in body["spec"] or "schedule" in before.get("spec", {}):
            chain.scheduled_until = now
        if "triggers" in body["spec"]:
            chain.triggering_roots.update(body["spec"]["roots"].get("stackIds") or ())
        if "deletionTimestamp" in metadata and chain.deleted_at is None:
            chain.deleted_at = now
        if change.type == "DELETED":
            chain.deleted_at, chain.gone_at = chain.deleted_at or now, now
        asked = annotations.get(v1alpha1.CANCEL_ANNOTATION, "")
        if asked.isdecimal():
            chain.canceled_at.setdefault(int(asked), self.parties.loop.unix())
        for approved in _approved(annotations.get(v1alpha1.APPROVE_ANNOTATION)):
            chain.approved_at.setdefault(approved, self.parties.loop.unix())
        latest = (body.get("status") or {}).get("latestRun")
        if latest:
            self._note_run(chain, body["status"], latest)
        write = Write(
            record=self,
            chain=chain,
            before=before.get("status") or {},
            user=change.user,
            is_gone=change.type == "DELETED",
        )
        for judge in self.on_write:
            judge(write)
        _note_rows(chain, before=write.before)

    def _note_leader(self, change: Change) -> None:
        holder = change.stored.body["spec"].get("holderIdentity") or ""
        if self.leaders.get(change.key.namespace, ("", 0.0))[0] != holder:
            self.leaders[change.key.namespace] = (holder, self.parties.loop.time())

    def _note_move(self, run: Run, _: Transition) -> None:
        for judge in self.on_move:
            judge(run)

    def _note_run(self, chain: ChainRecord, status: Json, latest: Json) -> None:
        number = latest["number"]
        chain.runs[number] = status
        chain.root_runs.update(run["runId"] for run in latest.get("rootRuns") or ())
        if v1alpha1.Phase(latest["phase"]).is_over:
            chain.told_at.setdefault(number, self.parties.loop.unix())
        else:
            # It is tried again.
            chain.told_at.pop(number, None)


def _run_number(execution: Execution) -> int:
    number: int = json.loads(execution.memo[ids.MEMO].data)["number"]
    return number


def _note_rows(chain: ChainRecord, *, before: Json) -> None:
    """Note whose the rows are, if a write shows it.

    A status keeps the rows of the execution before while the next one does not answer, and while
    that has not read its stacks and so has no progress.
    """
    progress, earlier = _progress(chain.status), _progress(before)
    if chain.status.get("stacks") != before.get("stacks") or progress not in ("", earlier):
        chain.rows_of = execution_of(chain.status)


def _progress(status: Json) -> str:
    return str((status.get("latestRun") or {}).get("progress", ""))


def execution_of(status: Json) -> str:
    """Return the run id of the execution that a status is about, if it has had a run."""
    return str((status.get("latestRun") or {}).get("workflowRunId", ""))


def is_idle(body: Json) -> bool:
    """Whether nothing runs for a StackChain, and nothing is asked of it."""
    metadata, status = body["metadata"], body.get("status") or {}
    if "deletionTimestamp" in metadata or "pendingRun" in status:
        return False
    handled, latest = status.get("lastHandled") or {}, status.get("latestRun")
    annotations = metadata.get("annotations") or {}
    asked = (
        (name, annotations.get(f"stackchain.dev/{name}")) for name in ("run", "retry", "bypass")
    )
    return (
        status.get("observedGeneration") == metadata.get("generation", 1)
        and all(text is None or handled.get(name) == text for name, text in asked)
        and (latest is None or v1alpha1.Phase(latest["phase"]).is_over)
    )


def is_ready(body: Json) -> bool:
    """Whether the status of a StackChain says so."""
    conditions = (body.get("status") or {}).get("conditions") or ()
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def _number_of(token: str) -> int | None:
    try:
        return token_grammar.read(token, names=token_grammar.Names.ANY).number
    except token_grammar.InvalidToken:
        return None


def _approved(token: str | None) -> Iterator[tuple[int, str]]:
    """Give the run and the stage that a token approves."""
    try:
        found = token_grammar.read(token or "", names=token_grammar.Names.ANY)
    except token_grammar.InvalidToken:
        return
    for name in found.names:
        yield found.number, name


def _named(status: Json) -> Iterator[str]:
    for row in status.get("stacks") or ():
        if "runId" in row:
            yield row["runId"]
        for unused in row.get("unusedRuns") or ():
            yield unused["runId"]


def _doubtful(status: Json) -> Iterator[str]:
    for row in status.get("stacks") or ():
        for unused in row.get("unusedRuns") or ():
            if unused.get("otherRunUrl"):
                yield unused["runId"]


def marker_of(run: Run) -> tuple[str, int] | None:
    """Return the chain and the number of its run for which we have triggered a run."""
    if run.triggered_by != OUR_LOGIN or not run.metadata:
        return None
    title, _, number = run.metadata[0].removeprefix("stackchain ").rpartition(" run ")
    return title, int(number)

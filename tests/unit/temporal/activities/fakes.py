"""FakeSpacelift: an account in memory with the client's interface, and the activities around it."""

import contextlib
import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import temporalio.exceptions
from temporalio.testing import ActivityEnvironment

from controller import times
from controller.chain.graph import adoption
from controller.chain.run import run_states
from controller.config import connections, environment, permissions
from controller.spacelift import client, errors, models, own_keys
from controller.temporal import messages, signing
from controller.temporal.activities import run_poller, spacelift_clients, stack_operations
from tests.support.builders import make_use

KEY_ID = "01JKEY00000000000000000001"
OWN = f"api::{KEY_ID}"
OPERATIONS = permissions.OPERATIONS
ENDPOINT = "https://acme.app.spacelift.io"
CONNECTION = messages.AccountRef(
    name="default", endpoint=ENDPOINT, account="acme", grant=messages.Grant(use=make_use())
)

QUICK = stack_operations.WaitLimits(adopt_settle=0.05, trigger_grace=0.05, stop_effect=0.2)


def stack_ref(stack_id: str) -> messages.StackRef:
    return messages.StackRef(connection=CONNECTION, stack_id=stack_id)


_AFTER = {
    "cancel": "CANCELED",
    "confirm": "CONFIRMED",
    "discard": "DISCARDED",
    "stop": "STOPPED",
}
_ALLOWED = {
    "cancel": {"QUEUED", "READY"},
    "confirm": {"UNCONFIRMED"},
    "discard": {"UNCONFIRMED"},
    "stop": {"PREPARING", "INITIALIZING", "PLANNING"},
}


def blocked_by(run: models.RunRecord, **facts: Any) -> models.StackHold:
    """What holds a stack that a run blocks."""
    return models.StackHold(blocker_id=run.run_id, blocker_state=run.state, **facts)


class FakeSpacelift:
    """Answers as an account would; `fails` makes the next calls of a method raise."""

    def __init__(self) -> None:
        self.runs: dict[str, models.RunRecord] = {}
        self.stacks: dict[str, models.StackRecord] = {}
        self.holds: dict[str, models.StackHold] = {}
        # Stacks that the API key does not see, where their answer alone shows that.
        self.hidden: set[str] = set()
        self.calls: list[tuple[str, Any]] = []
        self.failures: dict[str, list[errors.SpaceliftError]] = {}
        # Called before each call is answered: what others do meanwhile.
        self.before: Callable[[str], None] = lambda _: None
        # Whether a trigger that fails was carried out all the same.
        self.commits_failed_triggers = False
        self.ignores_stops = False
        # How many runs a page has.
        self.page_size = 50
        self.times: dict[str, adoption.RunTimes] = {}
        # What was said of each run that was to end.
        self.notes: dict[str, str] = {}
        # The kinds of changes that are listed for each run.
        self.kinds: dict[str, tuple[str, ...]] = {}
        # What each trigger handed to its run.
        self.environments: list[Mapping[str, str] | None] = []
        self._time = 0

    def add_run(self, stack_id: str = "a", state: str = "QUEUED", **facts: Any) -> models.RunRecord:
        self._time += 1
        run = models.RunRecord(
            stack_id=stack_id,
            state=state,
            **{"run_id": f"01RUN{self._time:03d}", "type": "TRACKED", "triggered_by": OWN} | facts,
        )
        self.runs[run.run_id] = run
        return run

    def add_run_at(self, at: float, stack_id: str = "a", **facts: Any) -> models.RunRecord:
        """Add a run whose id says when it was created, as Spacelift's do."""
        digits = times.ulid_time_digits(datetime.fromtimestamp(at, UTC))
        return self.add_run(stack_id, run_id=f"{digits}{self._time:016d}", **facts)

    def add_stack(self, stack_id: str, *upstreams: str) -> None:
        """Add a stack below others."""
        edges = (models.StackEdge(upstream_id=item, dependent_id=stack_id) for item in upstreams)
        self.stacks[stack_id] = models.StackRecord(
            id=stack_id, name=stack_id, depends_on=tuple(edges)
        )

    def move(self, run: models.RunRecord, state: str, **facts: Any) -> None:
        self.runs[run.run_id] = dataclasses.replace(self.runs[run.run_id], state=state, **facts)

    def fail(self, method: str, *failures: errors.SpaceliftError) -> None:
        self.failures.setdefault(method, []).extend(failures)

    def count(self, method: str) -> int:
        return sum(called == method for called, _ in self.calls)

    def state(self, run: models.RunRecord) -> str:
        return self.runs[run.run_id].state

    # The client's interface

    def remembering(self, _: client.Answers) -> "FakeSpacelift":
        return self

    async def get_stacks(self, stack_ids: Sequence[str]) -> dict[str, models.StackRecord | None]:
        self._called("get_stacks", list(stack_ids))
        return {stack_id: self.stacks.get(stack_id) for stack_id in stack_ids}

    async def list_stacks_by_labels(self, labels: Collection[str]) -> list[models.StackRecord]:
        self._called("list_stacks_by_labels", list(labels))
        return [stack for stack in self.stacks.values() if set(labels) & set(stack.labels)]

    async def list_stacks_with_labels(
        self, labels: Collection[str], *, limit: int
    ) -> list[models.StackRecord]:
        self._called("list_stacks_with_labels", list(labels))
        found = [stack for stack in self.stacks.values() if set(labels) <= set(stack.labels)]
        return found[: limit + 1]

    async def list_stacks_like(self, text: str) -> list[models.StackRecord]:
        self._called("list_stacks_like", text)
        found = [stack for _, stack in sorted(self.stacks.items()) if text in stack.id]
        return found[:50]

    async def list_runs_after(
        self, stack_id: str, run_id: str | None, *, run_type: str = "TRACKED"
    ) -> list[models.RunRecord]:
        self._called("list_runs_after", (stack_id, run_id))
        return self._listed(stack_id, run_id or "", run_type)

    async def get_newest_runs(self, stack_ids: Sequence[str]) -> dict[str, models.RunsPage | None]:
        self._called("get_newest_runs", list(stack_ids))
        return {
            stack_id: None
            if stack_id in self.hidden
            else models.RunsPage(
                runs=tuple(self._listed(stack_id, "", "TRACKED")[: self.page_size]),
                is_disabled=self._hold(stack_id).is_disabled,
            )
            for stack_id in stack_ids
        }

    async def get_newest_run(
        self, stack_id: str, *, run_type: str = "TRACKED"
    ) -> tuple[models.RunRecord | None, models.StackHold]:
        self._called("get_newest_run", stack_id)
        listed = self._listed(stack_id, "", run_type)
        return (listed[0] if listed else None), self._hold(stack_id)

    def _listed(self, stack_id: str, after: str, run_type: str) -> list[models.RunRecord]:
        """Proposed runs have a separate list, as in Spacelift."""
        found = [
            run
            for run in self.runs.values()
            if run.stack_id == stack_id
            and run.run_id > after
            and (run.type == "PROPOSED") is (run_type == "PROPOSED")
        ]
        return sorted(found, key=lambda run: run.run_id, reverse=True)

    def _hold(self, stack_id: str) -> models.StackHold:
        return self.holds.get(stack_id, models.StackHold())

    async def get_stack_holds(
        self, stack_ids: Sequence[str]
    ) -> Mapping[str, models.StackHold | None]:
        self._called("get_stack_holds", list(stack_ids))
        return {stack_id: self._hold(stack_id) for stack_id in stack_ids}

    async def get_runs(
        self, keys: Sequence[models.RunKey]
    ) -> Mapping[models.RunKey, models.RunRecord | None]:
        self._called("get_runs", list(keys))
        found = {key: self.runs.get(key.run_id) for key in keys}
        return {
            key: dataclasses.replace(run, hold=self._hold(key.stack_id)) if run else None
            for key, run in found.items()
        }

    async def get_run_times(
        self, keys: Sequence[models.RunKey]
    ) -> dict[models.RunKey, adoption.RunTimes | None]:
        self._called("get_run_times", list(keys))
        return {key: self.times.get(key.run_id) for key in keys}

    async def end_runs(
        self, call: run_states.StopCall, wanted: Sequence[tuple[models.RunKey, str]]
    ) -> dict[models.RunKey, models.RunRecord | errors.SpaceliftError]:
        """Each field that fails keeps those behind it from being carried out."""
        if not wanted:
            return {}
        self._called(f"{call}_runs", [key.run_id for key, _ in wanted])
        ended: dict[models.RunKey, models.RunRecord | errors.SpaceliftError] = {}
        for key, note in wanted:
            self.notes[key.run_id] = note
            try:
                self._act(call, key)
            except (errors.SpaceliftRefused, errors.PermissionDenied) as error:
                return {key: error}
            ended[key] = self.runs[key.run_id]
        return ended

    async def get_run(self, key: models.RunKey) -> models.RunRecord | None:
        self._called("get_run", key)
        return self.runs.get(key.run_id)

    async def get_planned_run(self, key: models.RunKey) -> models.PlannedRun | None:
        self._called("get_planned_run", key)
        run = self.runs.get(key.run_id)
        if run is None:
            return None
        return models.PlannedRun(run=run, kinds=self.kinds.get(key.run_id, ()))

    async def trigger_run(
        self,
        stack_id: str,
        *,
        marker: str,
        run_type: str = "TRACKED",
        commit_sha: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> models.RunRecord:
        facts = {"type": run_type, "commit_sha": commit_sha}
        if self.commits_failed_triggers and self.failures.get("trigger_run"):
            self.add_run(stack_id, **facts)
        self.environments.append(environment)
        self._called("trigger_run", (stack_id, marker))
        return self.add_run(stack_id, **facts)

    async def confirm_run(self, key: models.RunKey, *, note: str) -> models.RunRecord:
        return self._act("confirm", key)

    async def cancel_run(self, key: models.RunKey, *, note: str) -> models.RunRecord:
        return self._act("cancel", key)

    async def discard_run(self, key: models.RunKey, *, note: str) -> models.RunRecord:
        return self._act("discard", key)

    async def stop_run(self, key: models.RunKey, *, note: str) -> models.RunRecord:
        return self._act("stop", key)

    async def aclose(self) -> None:
        """Nothing is open."""

    def _act(self, call: str, key: models.RunKey) -> models.RunRecord:
        self._called(call, key)
        run = self.runs[key.run_id]
        if run.state not in _ALLOWED[call]:
            raise errors.SpaceliftRefused(f"cannot {call} a run in state {run.state}")
        if not self.ignores_stops:
            self.move(run, _AFTER[call])
        return self.runs[key.run_id]

    def _called(self, method: str, argument: Any) -> None:
        self.before(method)
        self.calls.append((method, argument))
        if failures := self.failures.get(method):
            raise failures.pop(0)


class Counts:
    """The facts that metrics would record."""

    def __init__(self) -> None:
        self.triggered = self.adopted = self.ambiguous = 0

    def run_triggered(self) -> None:
        self.triggered += 1

    def run_adopted(self) -> None:
        self.adopted += 1

    def trigger_ambiguous(self) -> None:
        self.ambiguous += 1


@dataclasses.dataclass
class Bench:
    """The activities under test, with all that they touch."""

    spacelift: FakeSpacelift
    operations: stack_operations.StackOperations
    clients: Any
    counts: Counts
    poller: run_poller.RunPoller
    environment: ActivityEnvironment
    heartbeats: list[tuple[Any, ...]]

    @property
    def details(self) -> list[Any]:
        """What the next attempt gets: the last heartbeat."""
        return list(self.heartbeats[-1]) if self.heartbeats else []

    def allow_silence(self, *, seconds: float) -> None:
        """Let the next calls have this heartbeat time-out."""
        self.environment.info = dataclasses.replace(
            self.environment.info, heartbeat_timeout=timedelta(seconds=seconds)
        )

    def attempt(self, number: int, details: Sequence[Any] = ()) -> None:
        """Let the next call be the attempt of that number after one that left details."""
        self.environment.info = dataclasses.replace(
            self.environment.info,
            attempt=number,
            heartbeat_details=list(details),
            current_attempt_scheduled_time=datetime.now(UTC),
            started_time=datetime.now(UTC),
        )


class Clients:
    """Hands out one connection, as `SpaceliftClients` does."""

    def __init__(self, account: spacelift_clients.SpaceliftAccount) -> None:
        self._account = account
        self.signing_keys = signing.SigningKeys()
        # What a connection that has its share of the slots refuses with.
        self.refusal: temporalio.exceptions.ApplicationError | None = None
        # What says that the chain does not wait for the execution, or that no one knows.
        self.not_awaited: Exception | None = None

    @contextlib.contextmanager
    def for_call(self, wanted: messages.AccountRef) -> Iterator[spacelift_clients.SpaceliftAccount]:
        if self.refusal is not None:
            raise self.refusal
        yield self.get(wanted)

    for_wait = for_call

    def get(self, wanted: messages.AccountRef) -> spacelift_clients.SpaceliftAccount:
        with spacelift_clients.signature_failures():
            self.signing_keys.check(wanted)
        return self._account

    def change_connection(self, **fields: Any) -> None:
        connection = dataclasses.replace(self._account.connection, **fields)
        self._account = dataclasses.replace(self._account, connection=connection)


CHAIN = messages.ChainExecutionRef(workflow_id="chain", workflow_run_id="one", first_run_id="one")


async def _turn_at_once(_: messages.AwaitTurnInput) -> messages.AwaitTurnResult:
    return messages.AwaitTurnResult(is_turn=True)


def make_bench(
    *,
    limits: stack_operations.WaitLimits = QUICK,
    tick_seconds: float = 0.02,
    allowed: permissions.Permissions | None = None,
    earlier: messages.EarlierRun | None = None,
) -> Bench:
    spacelift = FakeSpacelift()
    poller = run_poller.RunPoller(spacelift.get_runs, tick_seconds=tick_seconds)
    hold_poller = run_poller.HoldPoller(spacelift.get_stack_holds, tick_seconds=tick_seconds)
    api_key = connections.ApiKeySource(
        key_id=environment.Secret(value=KEY_ID), key_secret=environment.Secret(value="secret")
    )
    account = spacelift_clients.SpaceliftAccount(
        endpoint=ENDPOINT,
        client=spacelift,  # type: ignore[arg-type]  # it has the same methods
        poller=poller,
        hold_poller=hold_poller,
        connection=connections.Connection(
            name="default",
            endpoint=ENDPOINT,
            allowed=allowed or permissions.Permissions(namespaces=("*",), operations=OPERATIONS),
            api_key=api_key,
        ),
        own_keys=own_keys.OwnKeys(api_key.read),
    )
    clients, counts = Clients(account), Counts()

    async def find_earlier(_: messages.FindStackRunInput) -> messages.EarlierRun | None:
        return earlier

    async def check_awaited(_: str) -> None:
        if clients.not_awaited is not None:
            raise clients.not_awaited

    operations = stack_operations.StackOperations(
        clients,  # type: ignore[arg-type]  # it has the same method
        limits=limits,
        counters=counts,
        await_turn=_turn_at_once,
        find_earlier=find_earlier,
        check_awaited=check_awaited,
    )
    heartbeats: list[tuple[Any, ...]] = []
    activities = ActivityEnvironment()
    now = datetime.now(UTC)
    activities.info = dataclasses.replace(activities.info, scheduled_time=now, started_time=now)
    activities.on_heartbeat = lambda *details: heartbeats.append(details)
    return Bench(spacelift, operations, clients, counts, poller, activities, heartbeats)

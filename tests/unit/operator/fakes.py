"""What the operator works with, in memory: the API server, Temporal, connections, a clock.

    given    resources (`Bench.apply`, `edit`, `delete`), how executions go (`workflows.*`),
             what is away or refuses (`api.failures`, `workflows.is_away`, `has_worker`)
    done     `Bench.reconciler` and what is made from it; `Bench.restart` forgets what was in memory
    shown    `Bench.status`, `workflows.started`, `workflows.sent`, `Bench.log` for their order

The API server has versions, refuses a write onto another one, and says which object is not there.
Temporal allows one running execution of a resource, and knows the latest one.
"""

import asyncio
import collections
import copy
import dataclasses
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from controller import clock, times
from controller.api import v1alpha1
from controller.chain.requests import next_request
from controller.chain.requests.executions import Execution, ExecutionState
from controller.chain.run import live_requests, progress
from controller.config import connections, permissions
from controller.kube import errors as kube_errors
from controller.kube import stackchains
from controller.observability import metrics
from controller.operator import (
    announcer,
    chain_dependencies,
    chain_troubles,
    connection_access,
    operator_identity,
    ownership,
    reconciler,
    resource_schedules,
    resync,
    schedule_sync,
    sweep_findings,
    watches,
)
from controller.temporal import client as temporal_client
from controller.temporal import ids, messages, notification_messages, schedule_list, start_messages
from controller.temporal.operator import desired_schedules, run_use, schedules, starter
from tests.support.builders import make_progress, make_stack

NOW = "2026-03-05T06:30:00Z"
NAMESPACE, NAME = "team", "chain"
ACCOUNT_URL = "https://acme.app.spacelift.io"
INSTALLATION = "here"


class Crash(BaseException):
    """The process ends here; nothing of the operator may catch it."""


class FakeClock(clock.Clock):
    """Stands still until it is moved."""

    def __init__(self, stamp: str = NOW) -> None:
        self._now = datetime.fromisoformat(stamp)
        self._start = self._now

    def now(self) -> datetime:
        return self._now.astimezone(UTC)

    def monotonic(self) -> float:
        return (self._now - self._start).total_seconds()

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)

    def set(self, stamp: str) -> None:
        self._now = datetime.fromisoformat(stamp)


class FakeApiServer:
    """Answers the requests that `StackChains` sends."""

    def __init__(self, log: list[str]) -> None:
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.requests: collections.Counter[str] = collections.Counter()
        self.failures: collections.defaultdict[str, list[BaseException]]
        self.failures = collections.defaultdict(list)
        """What the next requests of a method fail with, before they do anything."""
        self.before: dict[str, Callable[[], None]] = {}
        """What happens just before the next request of a method, such as another's write."""
        self._log = log
        self._version = 0

    def put(self, body: dict[str, Any]) -> None:
        self._version += 1
        body["metadata"]["resourceVersion"] = str(self._version)
        # kopf adds it before it calls any handler.
        body["metadata"].setdefault("finalizers", [v1alpha1.FINALIZER])
        self.objects[body["metadata"]["namespace"], body["metadata"]["name"]] = body

    async def request(
        self, method: str, path: str, *, body: dict[str, Any] | None = None, **_: Any
    ) -> dict[str, Any]:
        await asyncio.sleep(0)
        self.requests[method] += 1
        if method in self.before:
            self.before.pop(method)()
        if self.failures[method]:
            raise self.failures[method].pop(0)
        if path.endswith("/events"):
            assert body is not None
            self._log.append(f"event {body['reason']}")
            self.events.append(body)
            return body
        if path.endswith(f"/{v1alpha1.PLURAL}"):
            return {"metadata": {}, "items": copy.deepcopy(list(self.objects.values()))}
        parts = path.removesuffix("/status").split("/")
        namespace, name = parts[-3], parts[-1]
        found = self.objects.get((namespace, name))
        if found is None:
            raise kube_errors.ObjectNotFound(path)
        if method == "PATCH":
            assert body is not None
            if body["metadata"]["resourceVersion"] != found["metadata"]["resourceVersion"]:
                raise kube_errors.Conflict(path)
            if not path.endswith("/status"):
                written = {"finalizers", "resourceVersion"}
                assert {*body, *body["metadata"]} == {"metadata", *written}, "and the status"
                self._log.append("finalizer")
                self.put({**found, "metadata": {**found["metadata"], **body["metadata"]}})
                return copy.deepcopy(self.objects[namespace, name])
            self._log.append("status")
            self.put({**found, "status": merged(found.get("status") or {}, body["status"])})
            found = self.objects[namespace, name]
        return copy.deepcopy(found)


def merged(old: Any, patch: Any) -> Any:
    """Apply a JSON merge patch."""
    if not isinstance(patch, dict):
        return patch
    whole = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            whole.pop(key, None)
        else:
            whole[key] = merged(whole.get(key), value)
    return whole


def make_ref(uid: str) -> v1alpha1.Ref:
    return v1alpha1.Ref(namespace=NAMESPACE, name=NAME, uid=uid, generation=0)


@dataclasses.dataclass
class FakeExecution:
    """One workflow execution, and what a worker answers for it."""

    ref: v1alpha1.Ref
    execution: Execution
    request: next_request.Request
    argument: messages.ChainInput
    known: progress.ChainProgress | None
    is_orphan: bool = False


class FakeWorkflows:
    """Stands in for `starter.ChainWorkflows`."""

    def __init__(self, log: list[str], time: FakeClock) -> None:
        self.all: list[FakeExecution] = []
        self.sent: list[str] = []
        self.is_away = False
        self.has_worker = True
        self.closes: asyncio.Event | None = None
        self.crash_after_start = False
        self.is_beaten = False
        """Another operator starts the next request a moment earlier."""
        self.described = 0
        self.task_failure_text: str | None = None
        self.termination_reason = ""
        """Why workers fail at the task of each live run."""
        self.unreadable: tuple[str, ...] = ()
        """Ids of workflows that only look like chains."""
        self.fails: dict[str, Exception] = {}
        """What the calls of a name raise, whoever calls them."""
        self._log, self._clock = log, time
        self._forgotten: set[str] = set()

    @property
    def started(self) -> list[str]:
        """The keys of the requests that a run was started for."""
        return [item.request.key.split(":")[0] for item in self.all]

    @property
    def last(self) -> FakeExecution:
        return self.all[-1]

    # What happens in Temporal meanwhile

    def run(self, *stacks: progress.StackProgress, **fields: Any) -> None:
        """Let the last execution come to these stacks."""
        item = self.last
        known = make_progress(
            *stacks, number=item.execution.number, attempt=item.execution.attempt, **fields
        )
        known.sequence = (item.known.sequence if item.known else 0) + 1
        known.is_suspended = item.argument.is_suspended
        item.known = known

    def end(
        self,
        *stacks: progress.StackProgress,
        state: ExecutionState = ExecutionState.CLOSED,
        **fields: Any,
    ) -> None:
        """Close the last execution, with these stacks as its result."""
        if state is ExecutionState.CLOSED:
            self.run(*(stacks or (make_stack("a", v1alpha1.Phase.SUCCEEDED),)), **fields)
        else:
            self.last.known = None
        self.last.execution = dataclasses.replace(
            self.last.execution, state=state, close_time=self._clock.stamp()
        )

    def fail_to_begin(self, reason: str, *, behind: float = 0) -> None:
        """Close the last execution before it triggered anything, by a clock so far behind."""
        stamp = times.rfc3339(self._clock.now() - timedelta(seconds=behind))
        self.run(phase=v1alpha1.Phase.FAILED, reason=reason, message="It is so.")
        assert self.last.known is not None
        self.last.known.completion_time = stamp
        execution = self.last.execution
        self.last.execution = dataclasses.replace(
            execution,
            state=ExecutionState.CLOSED,
            start_time=min(execution.start_time, stamp),
            close_time=stamp,
        )

    def forget(self) -> None:
        """Let the history of the last execution be past its retention."""
        self._forgotten.add(self.last.execution.workflow_run_id)

    # What the operator asks and does

    async def _reach(self, call: str = "") -> None:
        await asyncio.sleep(0)
        if self.is_away:
            raise temporal_client.TemporalUnreachable("Temporal is away.")
        if call in self.fails:
            raise self.fails[call]

    def _of(self, uid: str) -> list[FakeExecution]:
        return [
            item
            for item in self.all
            if item.ref.uid == uid and item.execution.workflow_run_id not in self._forgotten
        ]

    def _by_run(self, workflow_run_id: str) -> FakeExecution:
        return next(i for i in self.all if i.execution.workflow_run_id == workflow_run_id)

    async def latest(self, ref: v1alpha1.Ref) -> Execution | None:
        self.described += 1
        await self._reach("latest")
        found = self._of(ref.uid)
        return found[-1].execution if found else None

    async def get_progress(self, execution: Execution) -> progress.ChainProgress | None:
        await self._reach("get_progress")
        if execution.state is ExecutionState.RUNNING and not self.has_worker:
            raise starter.NoWorker("nobody answers")
        return copy.deepcopy(self._by_run(execution.workflow_run_id).known)

    async def start(
        self, ref: v1alpha1.Ref, request: next_request.Request, argument: messages.ChainInput
    ) -> Execution:
        await self._reach()
        if any(item.execution.state is ExecutionState.RUNNING for item in self._of(ref.uid)):
            raise starter.AlreadyStarted(ref.name)
        execution = Execution(
            workflow_id=f"stackchain/{ref.namespace}/{ref.name}/{ref.uid}",
            workflow_run_id=f"execution-{len(self.all) + 1}",
            state=ExecutionState.RUNNING,
            number=request.number,
            attempt=request.attempt,
            cause=request.cause,
            generation=ref.generation,
            handled=request.handled,
            start_time=self._clock.stamp(),
            operation=argument.scope.operation,
            root_runs=request.root_runs,
            named=request.named,
            bypassed=request.bypassed,
        )
        self.all.append(
            FakeExecution(
                ref=ref, execution=execution, request=request, argument=argument, known=None
            )
        )
        self._log.append(f"start {request.number}")
        self.run(parallelism=argument.policies.parallelism)
        if self.crash_after_start:
            self.crash_after_start = False
            raise Crash
        if self.is_beaten:
            self.is_beaten = False
            raise starter.AlreadyStarted(ref.name)
        return execution

    async def cancel(self, workflow_id: str, workflow_run_id: str) -> None:
        await self._reach()
        self.sent.append(f"cancel {workflow_run_id}")

    async def terminate(self, execution: Execution, *, reason: str) -> None:
        await self._reach()
        self.sent.append(f"terminate {execution.workflow_run_id}: {reason}")
        ended = self._by_run(execution.workflow_run_id)
        ended.known = None
        ended.execution = dataclasses.replace(
            execution, state=ExecutionState.TERMINATED, close_time=self._clock.stamp()
        )

    def reset(self) -> None:
        """Let someone reset the last execution in Temporal, which makes another one of it."""
        last = self.last
        made = dataclasses.replace(
            last.execution,
            workflow_run_id=f"{last.execution.workflow_run_id}-reset",
            state=ExecutionState.RUNNING,
            close_time=None,
            is_reset=True,
        )
        self.all.append(dataclasses.replace(last, execution=made))

    async def set_parallelism(self, execution: Execution, parallelism: int) -> None:
        await self._reach()
        self.sent.append(f"parallelism {parallelism}")
        known = self._by_run(execution.workflow_run_id).known
        if self.has_worker and known is not None:
            known.policies = dataclasses.replace(known.policies, parallelism=parallelism)

    async def set_suspended(self, execution: Execution, is_suspended: bool) -> None:
        await self._reach()
        self.sent.append("suspend" if is_suspended else "resume")
        known = self._by_run(execution.workflow_run_id).known
        if self.has_worker and known is not None:
            known.is_suspended = is_suspended

    async def request_stacks(self, execution: Execution, request: progress.LiveRequest) -> None:
        await self._reach()
        self.sent.append(f"{request.kind} {request.token}".lower())
        known = self._by_run(execution.workflow_run_id).known
        if self.has_worker and known is not None and known.resolved_time is not None:
            live_requests.take(known, request, now=self._clock.stamp())

    async def orphan(self, execution: Execution) -> None:
        await self._reach()
        self.sent.append("orphan")
        self._by_run(execution.workflow_run_id).is_orphan = True

    async def await_close(self, workflow_id: str, workflow_run_id: str) -> None:
        await self._reach()
        if self.closes is not None:
            await self.closes.wait()

    async def list_running(self) -> starter.RunningChains:
        await self._reach()
        running = [i for i in self.all if i.execution.state is ExecutionState.RUNNING]
        return starter.RunningChains(
            executions=tuple(_listed(item) for item in running), unreadable=self.unreadable
        )

    async def task_failure(self, execution: Execution) -> str | None:
        await self._reach()
        return self.task_failure_text

    async def termination(self, execution: Execution) -> str:
        await self._reach("termination")
        return self.termination_reason

    async def is_failing(self, execution: starter.ChainExecution) -> bool:
        await self._reach()
        return self.task_failure_text is not None

    async def is_answering(self, execution: starter.ChainExecution) -> bool:
        await self._reach()
        return self.has_worker

    async def is_orphan(self, execution: starter.ChainExecution) -> bool:
        await self._reach("is_orphan")
        if not self.has_worker:
            raise starter.NoWorker("nobody answers")
        return self._by_run(execution.workflow_run_id).is_orphan


def _listed(item: FakeExecution) -> starter.ChainExecution:
    execution = item.execution
    return starter.ChainExecution(
        memo=messages.ChainMemo(
            installation=INSTALLATION,
            ref=item.ref,
            number=execution.number,
            attempt=execution.attempt,
            cause=execution.cause,
            handled=v1alpha1.Handled(),
        ),
        workflow_id=execution.workflow_id,
        workflow_run_id=execution.workflow_run_id,
    )


class FakeSchedules:
    """Stands in for `schedules.ChainSchedules`; of crons it knows "<minute> <hour> * * *"."""

    def __init__(self, workflows: FakeWorkflows, time: FakeClock) -> None:
        self.all: dict[tuple[str, str], desired_schedules.DesiredSchedule] = {}
        self.calls: list[str] = []
        self.refuses: set[str] = set()
        self._workflows, self._clock = workflows, time

    async def _note(self, call: str) -> None:
        self.calls.append(call)
        await self._workflows._reach()

    async def set_up(self, wanted: desired_schedules.DesiredSchedule) -> None:
        await self._note(f"set up {wanted.memo.kind}")
        crons = wanted.schedule.spec.cron_expressions
        if crons and crons[0] in self.refuses:
            self.all.pop((wanted.memo.ref.uid, wanted.memo.kind), None)
            raise schedules.ScheduleRefused("no such cron")
        self.all[wanted.memo.ref.uid, wanted.memo.kind] = wanted

    async def remove(self, ref: v1alpha1.Ref, kind: str) -> None:
        await self._note(f"remove {kind}")
        self.all.pop((ref.uid, kind), None)

    async def remove_listed(self, listed: schedule_list.ListedSchedule) -> None:
        await self._note(f"remove listed {listed.memo.kind}")
        self.all.pop((listed.memo.ref.uid, listed.memo.kind), None)

    async def next_time(self, ref: v1alpha1.Ref) -> str | None:
        await self._note("next time")
        found = self.all.get((ref.uid, ids.SCHEDULE_KIND))
        if found is None or found.schedule.state.paused:
            return None
        now = self._clock.now()
        return next(iter(_daily(found, now, now + timedelta(days=1))), None)

    async def times_between(self, ref: v1alpha1.Ref, after: str, until: str) -> list[str]:
        await self._note("times")
        found = self.all.get((ref.uid, ids.SCHEDULE_KIND))
        if found is None:
            return []
        return _daily(found, datetime.fromisoformat(after), datetime.fromisoformat(until))

    async def list_all(self) -> schedule_list.ScheduleListing:
        await self._note("list")
        return schedule_list.ScheduleListing(
            schedules=tuple(
                schedule_list.ListedSchedule(
                    schedule_id=f"{uid}/{kind}", memo=item.memo, is_paused=False
                )
                for (uid, kind), item in self.all.items()
            )
        )


def _daily(
    wanted: desired_schedules.DesiredSchedule, after: datetime, until: datetime
) -> list[str]:
    minute, hour = (int(part) for part in wanted.schedule.spec.cron_expressions[0].split()[:2])
    day = after.replace(hour=hour, minute=minute, second=0)
    found = []
    while day <= until:
        if day > after:
            found.append(day.strftime("%Y-%m-%dT%H:%M:%SZ"))
        day += timedelta(days=1)
    return found


class FakeRunUse:
    """Stands in for `run_use.RunUseReader`: which runs chains use, by id."""

    def __init__(self) -> None:
        self.uses: dict[str, run_use.RunUse] = {}

    async def use_of(self, account: str, stack_id: str, run: start_messages.FinishedRun) -> Any:
        return self.uses.get(run.run_id, run_use.RunUse.UNUSED)


class FakeCatalog:
    """Stands in for `connections.ConnectionCatalog`; may be edited at any time."""

    def __init__(self) -> None:
        self.all: dict[str, connections.Connection] = {}
        self.put("default")

    def put(self, name: str, *, namespaces: Iterable[str] = ("*",), **allowed: Any) -> None:
        self.all[name] = connections.Connection(
            name=name,
            endpoint=ACCOUNT_URL,
            allowed=permissions.Permissions(namespaces=tuple(namespaces), **allowed),
        )

    def get(self, name: str) -> connections.Connection | None:
        return self.all.get(name)

    def names(self) -> list[str]:
        return sorted(self.all)


class FakeSinks:
    """Stands in for `sinks.SinkCatalog`: one sink that wants everything."""

    def all(self) -> list[str]:
        return ["sink"]

    def wanting(self, *_: Any) -> list[str]:
        return ["sink"]


class FakeNotifier:
    """Stands in for `notifier.Notifier`; what is handed over twice has one id."""

    def __init__(self, log: list[str]) -> None:
        self.handed_over: list[notification_messages.NotificationInput] = []
        self._log = log

    async def start(self, wanted: Iterable[notification_messages.NotificationInput]) -> None:
        for item in wanted:
            self._log.append(f"notify {item.notification.transition}")
            self.handed_over.append(item)


class Bench:
    """One operator and its world."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.clock = FakeClock()
        self.counters = metrics.Metrics()
        self.api = FakeApiServer(self.log)
        self.workflows = FakeWorkflows(self.log, self.clock)
        self.schedules = FakeSchedules(self.workflows, self.clock)
        self.run_use = FakeRunUse()
        self.catalog = FakeCatalog()
        self.notifier = FakeNotifier(self.log)
        self.stack_chains = stackchains.StackChains(self.api)
        self._uids = 0
        self.restart()

    def restart(self) -> None:
        """Start the operator again: it remembers only what others keep."""
        identity = operator_identity.OperatorIdentity(
            installation=INSTALLATION,
            operator_queue="operator-queue",
            temporal_namespace="default",
            ui_url="https://temporal.example.com",
            recheck_seconds=60,
        )
        access = connection_access.ConnectionAccess(self.catalog)
        self.of_resources = resource_schedules.ResourceSchedules(
            chain_schedules=self.schedules,
            designs=desired_schedules.ScheduleDesigns(
                installation=INSTALLATION,
                task_queue="queue",
                operator_queue="operator-queue",
                sweep_seconds=300,
            ),
            time=self.clock,
        )
        owning = ownership.Ownership(INSTALLATION, self.stack_chains)
        self.dependencies = chain_dependencies.ChainDependencies(self.stack_chains)
        self.troubles = chain_troubles.ChainTroubles(self.clock)
        self.reconciler = reconciler.Reconciler(
            stack_chains=self.stack_chains,
            workflows=self.workflows,
            schedules=self.of_resources,
            sweeps=sweep_findings.SweepReader(self.run_use),
            dependencies=self.dependencies,
            access=access,
            ownership=owning,
            announcer=announcer.Announcer(
                stack_chains=self.stack_chains,
                catalog=FakeSinks(),
                notifier=self.notifier,
                installation=INSTALLATION,
            ),
            identity=identity,
            troubles=self.troubles,
            counters=self.counters,
            time=self.clock,
        )
        self.known = resync.KnownResources(
            self.counters, is_ours=owning.is_ours, troubles=self.troubles
        )
        self.watches = watches.Watches([], self.counters)
        self.schedule_sync = schedule_sync.ScheduleSync(
            chain_schedules=self.schedules,
            of_resources=self.of_resources,
            access=access,
            stack_chains=self.stack_chains,
            installation=INSTALLATION,
            counters=self.counters,
            time=self.clock,
        )
        self.resync = resync.Resync(
            reconciler=self.reconciler,
            known=self.known,
            dependencies=self.dependencies,
            watches=self.watches,
            workflows=self.workflows,
            schedule_sync=self.schedule_sync,
            stack_chains=self.stack_chains,
            troubles=self.troubles,
            counters=self.counters,
            time=self.clock,
            interval_seconds=30,
        )

    # What people do

    def apply(self, *, annotations: dict[str, str] | None = None, **spec: Any) -> str:
        """Create a resource; returns its uid."""
        self._uids += 1
        metadata = {
            "namespace": NAMESPACE,
            "name": NAME,
            "uid": f"uid-{self._uids}",
            "generation": 1,
            "annotations": {
                f"{v1alpha1.GROUP}/{key}": value for key, value in (annotations or {}).items()
            },
        }
        self.api.put({"metadata": metadata, "spec": {"roots": {"stackIds": ["a"]}, **spec}})
        return str(metadata["uid"])

    def edit(self, **spec: Any) -> None:
        """Change fields of the spec; None removes one."""
        body = copy.deepcopy(self.body)
        changed = {**body["spec"], **spec}
        body["spec"] = {key: value for key, value in changed.items() if value is not None}
        body["metadata"]["generation"] += 1
        self.api.put(body)

    def annotate(self, **tokens: str) -> None:
        body = copy.deepcopy(self.body)
        for key, value in tokens.items():
            body["metadata"]["annotations"][f"{v1alpha1.GROUP}/{key}"] = value
        self.api.put(body)

    def delete(self) -> None:
        """Mark the resource as being deleted; its finalizer holds it."""
        body = copy.deepcopy(self.body)
        body["metadata"]["deletionTimestamp"] = self.clock.stamp()
        self.api.put(body)

    def remove(self) -> None:
        """Let the resource be gone."""
        self.api.objects.clear()

    def touch(self) -> None:
        """Write the resource without a change, as another writer does."""
        self.api.put(copy.deepcopy(self.body))

    # What the operator does

    async def reconcile(self) -> bool:
        return await self.reconciler.reconcile(NAMESPACE, NAME)

    async def publish(self, *, is_final: bool = False) -> int:
        """Write the news of the last execution, as its workflow asks for."""
        item = self.workflows.last
        return await self.reconciler.publish(
            messages.PublishChainStatusInput(
                ref=item.ref,
                workflow_id=item.execution.workflow_id,
                workflow_run_id=item.execution.workflow_run_id,
                interval_milliseconds=1000,
                is_final=is_final,
            )
        )

    async def ask(self, *, uid: str = "", **fields: Any) -> start_messages.RequestRunResult:
        """Say what a schedule or a sweep says."""
        return await self.reconciler.request_run(
            start_messages.RequestRunCall(
                ref=make_ref(uid or self.body["metadata"]["uid"]), **fields
            )
        )

    async def resync_once(self) -> None:
        """Let the watch show everything, and compare it with Temporal."""
        for body in self.api.objects.values():
            self.known.take_in("MODIFIED", body)
        await self.resync.once()

    async def settle(self) -> None:
        """Let everything run that waits for nothing."""
        for _ in range(100):
            await asyncio.sleep(0)

    # What is to be seen

    @property
    def body(self) -> dict[str, Any]:
        return self.api.objects[NAMESPACE, NAME]

    @property
    def status(self) -> v1alpha1.Status:
        return v1alpha1.read_status(self.body.get("status") or {})

    @property
    def ready(self) -> str:
        """The reason of the condition Ready."""
        found = self.status.condition("Ready")
        return found.reason if found is not None else ""

    @property
    def chain(self) -> v1alpha1.StackChain:
        return v1alpha1.parse(copy.deepcopy(self.body))

    def troubles_shown(self) -> set[str]:
        """Return the troubles by which metrics name the resource, once the watch has shown it."""
        for body in self.api.objects.values():
            self.known.take_in("MODIFIED", body)
        self.known.update_metrics()
        (family,) = self.counters.chain_trouble.collect()
        assert {(one.labels["chain_namespace"], one.labels["chain"]) for one in family.samples} <= {
            (NAMESPACE, NAME)
        }
        return {one.labels["trouble"] for one in family.samples}

    def count(self, name: str, **labels: str) -> float:
        return self.counters.registry.get_sample_value(f"stackchain_{name}", labels) or 0.0

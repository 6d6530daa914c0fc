"""reconcile(ref): gather -> decide -> act -> project, for one StackChain at a time.

The one level-triggered function of the operator. kopf, a chain that publishes, and the resync call
it. Calls for one resource never overlap. A pass is `Reconciler._attempt`: `gatherer` reads,
`resource_schedules` keeps the schedules in line, `pass_decision` decides, `execution_commands`
starts, cancels and signals, `status_writer` projects and writes, `announcer` says what has changed.
"""

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any

from controller import clock, outside_text
from controller.api import reasons, v1alpha1
from controller.chain.requests import chain_waits, decide, executions
from controller.chain.run import windows
from controller.chain.status import projection
from controller.kube import errors as kube_errors
from controller.kube import stackchains
from controller.observability import metrics
from controller.operator import (
    announcer,
    chain_dependencies,
    chain_troubles,
    connection_access,
    deletion,
    execution_commands,
    gatherer,
    live_executions,
    operator_identity,
    ownership,
    pass_decision,
    resource_failures,
    resource_locks,
    resource_schedules,
    status_writer,
    sweep_findings,
)
from controller.temporal import client as temporal_client
from controller.temporal import messages, start_messages
from controller.temporal.activities import chain_status
from controller.temporal.operator import starter

logger = logging.getLogger(__name__)

# How long a workflow may take from its last publish to its close.
_CLOSE_SECONDS = 60.0
# A write that lost against another writer is computed again at once, this often.
_CONFLICTS = 5


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _PassResult:
    """What one pass came to: what it knew at its end, and whether the status had to be changed."""

    gathered: gatherer.Gathered
    is_written: bool


class Reconciler:
    """Brings runs and statuses in line with resources."""

    def __init__(
        self,
        *,
        stack_chains: stackchains.StackChains,
        workflows: starter.ChainWorkflows,
        schedules: resource_schedules.ResourceSchedules,
        sweeps: sweep_findings.SweepReader,
        dependencies: chain_dependencies.ChainDependencies,
        access: connection_access.ConnectionAccess,
        announcer: announcer.Announcer,
        ownership: ownership.Ownership,
        identity: operator_identity.OperatorIdentity,
        troubles: chain_troubles.ChainTroubles,
        counters: metrics.Metrics,
        time: clock.Clock,
    ) -> None:
        self._stack_chains = stack_chains
        self._workflows = workflows
        self._schedules = schedules
        self._access = access
        self._ownership = ownership
        self._locks = resource_locks.ResourceLocks(counters)
        live = live_executions.LiveExecutions(time)
        self._gatherer = gatherer.Gatherer(
            workflows=workflows,
            sweeps=sweeps,
            dependencies=dependencies,
            live=live,
            identity=identity,
            time=time,
        )
        self._decider = pass_decision.PassDecider(
            recheck_seconds=identity.recheck_seconds, time=time
        )
        self._commands = execution_commands.ExecutionCommands(
            workflows=workflows,
            live=live,
            identity=identity,
            counters=counters,
        )
        self._writer = status_writer.StatusWriter(
            stack_chains=stack_chains,
            announcer=announcer,
            identity=identity,
            troubles=troubles,
            counters=counters,
            time=time,
        )
        self._deletion = deletion.Deletion(
            workflows=workflows,
            schedules=schedules,
            live=live,
            writer=self._writer,
            stack_chains=stack_chains,
            access=access,
            commands=self._commands,
        )
        self._failures = resource_failures.ResourceFailures(counters, troubles, time)
        self._counters = counters
        self._closing: set[asyncio.Task[None]] = set()

    async def reconcile(self, namespace: str, name: str, *, is_renewing: bool = False) -> bool:
        """Bring one resource in line; nothing to do if it is gone.

        Args:
            namespace: the resource's.
            name: the resource's.
            is_renewing: schedules of it are missing at Temporal, whatever its status says.

        Returns:
            Whether its status had to be changed.

        Raises:
            TemporalUnreachable: after the status says so; call again later.
            KubeError: the API server did not serve; call again later.
            ReconcileFailed: after the status says so; call again when it says.
        """
        async with self._pass(namespace, name):
            body = await self._stack_chains.get(namespace, name)
            if body is None:
                return False
            if await self._ownership.find_other_owner(body):
                return False
            given = gatherer.ReconcileInput(is_renewing=is_renewing)
            try:
                outcome = await self._reconcile(body, given)
            except chain_status.Superseded:
                # Another installation has written its status meanwhile.
                return False
        return outcome.is_written

    async def request_run(
        self, argument: start_messages.RequestRunCall
    ) -> start_messages.RequestRunResult:
        """Take in what a schedule or a sweep says. See `operator_asks.RunDecider`."""
        async with self._pass(argument.ref.namespace, argument.ref.name):
            body = await self._stack_chains.get(argument.ref.namespace, argument.ref.name)
            if body is None or _uid(body) != argument.ref.uid or deletion.is_deleting(body):
                raise _gone(argument)
            try:
                outcome = await self._reconcile(body, gatherer.ReconcileInput(call=argument))
            except InvalidSpec as error:
                return start_messages.RequestRunResult(outcome=f"the spec cannot be read: {error}")
        sweep = outcome.gathered.sweep
        undecided = list(sweep.undecided) if sweep is not None else []
        return start_messages.RequestRunResult(outcome="reconciled", undecided=undecided)

    async def release(self, namespace: str, name: str, uid: str) -> bool:
        """Bring a resource that is being deleted to its end; returns whether it may go.

        Raises:
            TemporalUnreachable, KubeError, ReconcileFailed: call again later.
        """
        async with self._pass(namespace, name):
            body = await self._stack_chains.get(namespace, name)
            if body is None or _uid(body) != uid:
                return True
            if await self._ownership.find_other_owner(body):
                # Who has it takes the finalizer off.
                return False
            return await self._deletion.advance(body)

    async def publish(self, argument: messages.PublishChainStatusInput) -> int:
        """Write the status for an execution that has news. See `chain_status.Publisher`."""
        async with self._pass(argument.ref.namespace, argument.ref.name):
            body = await self._stack_chains.get(argument.ref.namespace, argument.ref.name)
            if body is None or _uid(body) != argument.ref.uid:
                if self._deletion.is_unsignaled_orphan(argument.ref.uid):
                    await self.signal_orphans()
                    return 0
                raise _gone(argument)
            if deletion.is_going(body):
                # It may go before its run was first shown in it: then nothing is triggered for it.
                raise chain_status.ResourceGone(
                    f"StackChain {argument.ref.namespace}/{argument.ref.name} is being deleted"
                )
            outcome = await self._reconcile(
                body, gatherer.ReconcileInput(publishing=argument.workflow_run_id)
            )
            if outcome.gathered.is_unreadable:
                # Called again by Temporal it leaves nothing in the history, as an answer would.
                raise self._failed(argument.ref.namespace, argument.ref.name, _UNREAD)
        if argument.is_final:
            self._reconcile_after_close(argument)
        known = outcome.gathered.known
        return known.sequence if known is not None else 0

    @contextlib.asynccontextmanager
    async def _pass(self, namespace: str, name: str) -> AsyncIterator[None]:
        """Hold a resource for one pass; an unexpected error affects this resource alone."""
        async with self._locks.hold(namespace, name):
            try:
                yield
            except kube_errors.Invalid as error:
                # The API server will refuse the same status each time.
                await self._show_failure(namespace, name, error)
                raise self._failed(namespace, name, str(error)) from error
            except _FORESEEN:
                raise
            except starter.UnreadableExecution as error:
                logger.warning(
                    "A workflow cannot be read",
                    extra={"namespace": namespace, "chain": name, "why": str(error)},
                )
                await self._show_failure(namespace, name, error)
                raise self._failed(namespace, name, str(error)) from error
            except Exception as error:
                self._counters.unforeseen_errors.labels("reconcile").inc()
                logger.exception("Reconcile failed", extra={"namespace": namespace, "chain": name})
                await self._show_failure(namespace, name, error)
                raise self._failed(namespace, name, _text_of(error)) from error
            self._failures.note_success(namespace, name)

    def _failed(self, namespace: str, name: str, why: str) -> chain_status.ReconcileFailed:
        pause = self._failures.note_failure(namespace, name)
        return chain_status.ReconcileFailed(why, retry_seconds=pause)

    async def _show_failure(self, namespace: str, name: str, error: Exception) -> None:
        """Write it to the status, as far as that is possible: it is not the only place."""
        problem = (
            gatherer.unreadable(error)
            if isinstance(error, starter.UnreadableExecution)
            else projection.Problem(
                reason=reasons.ChainReason.RECONCILE_FAILED,
                message=f"The operator fails on this resource: {_text_of(error)}. It tries again "
                "with growing pauses; runs in Spacelift continue. The operator's log has "
                "more.",
                is_retrying=True,
            )
        )
        try:
            body = await self._stack_chains.get(namespace, name)
            if body is not None:
                await self._writer.write_failed(body, problem)
        except Exception as second:
            logger.warning(
                "A failure cannot be shown in the status",
                extra={"namespace": namespace, "chain": name, "why": _text_of(second)},
            )

    def is_due(self, namespace: str, name: str) -> bool:
        """Whether a resource has not failed at its last pass, or its pause is over."""
        return self._failures.is_due(namespace, name)

    def is_passing(self, namespace: str, name: str) -> bool:
        """Whether a pass for a resource is under way, or waits for its turn."""
        return self._locks.is_held(namespace, name)

    async def signal_orphans(self) -> None:
        """Signal `orphan` to the runs of resources that went while Temporal was away.

        Raises:
            TemporalUnreachable: call again later.
        """
        await self._deletion.signal_orphans()

    def is_refused(self, connection_name: str, namespace: str, operation: str) -> bool:
        """Whether a connection is known and does not serve a namespace or an operation."""
        return self._access.is_refused(connection_name, namespace, operation)

    async def _reconcile(
        self, body: Mapping[str, Any], reconcile_input: gatherer.ReconcileInput
    ) -> _PassResult:
        """Do what has to be done; after a conflict, with the resource as it is then."""
        for _ in range(_CONFLICTS):
            try:
                return await self._attempt(body, reconcile_input)
            except (kube_errors.Conflict, starter.AlreadyStarted):
                metadata = body["metadata"]
                again = await self._stack_chains.get(metadata["namespace"], metadata["name"])
                if again is None or _uid(again) != _uid(body):
                    raise chain_status.ResourceGone(f"{metadata['name']} is gone") from None
                body = again
        raise kube_errors.Conflict(f"{body['metadata']['name']} changes faster than it is written")

    async def _attempt(
        self, body: Mapping[str, Any], reconcile_input: gatherer.ReconcileInput
    ) -> _PassResult:
        owner = await self._ownership.find_other_owner(body)
        if owner is not None:
            raise chain_status.Superseded(f"The installation {owner} owns the resource.")
        try:
            chain = v1alpha1.parse(body)
            windows.check(chain.spec)
        except v1alpha1.InvalidResource as error:
            # What was started before continues, whatever the spec says now.
            await self._writer.write_invalid(body, error, await self._read_run(body))
            raise InvalidSpec(str(error)) from error
        access = self._access.verdict_of(chain)
        try:
            gathered = await self._gatherer.gather(
                body, chain, access=access, given=reconcile_input
            )
            gathered = await self._schedules.update(gathered, reconcile_input)
            execution = gathered.execution
            if execution and executions.is_reset_in_vain(execution, chain.status.latest_run):
                await self._commands.end_reset(execution)
                gathered = gathered.with_terminated(execution)
        except temporal_client.TemporalUnreachable as error:
            await self._write_unreachable(body, chain, access, error)
            raise
        live = self._commands.settings_of(gathered.execution, gathered.known)
        decision = self._decider.decide(gathered, live=live)
        if decision.start is not None and access.usable is not None:
            if not _is_held(body):
                # A pass of the resync may run before kopf has added it, or after that was refused.
                return await self._attempt(await self._stack_chains.hold(body), reconcile_input)
            await self._check_unchanged(body)
            gathered = gathered.with_started(
                await self._commands.start(gathered.chain, decision.start, access.usable)
            )
        elif gathered.execution is not None:
            await self._commands.apply(gathered.execution, decision)
        problem = _problem_of(gathered, decision)
        is_written = await self._writer.write(gathered, decision, problem=problem)
        return _PassResult(gathered=gathered, is_written=is_written)

    async def _read_run(self, body: Mapping[str, Any]) -> gatherer.RunReading:
        """Read the run of a resource whose spec cannot be read; nothing if no one can say."""
        latest = v1alpha1.read_status(body.get("status") or {}).latest_run
        try:
            return await self._gatherer.read_run(v1alpha1.read_ref(body), latest)
        except (temporal_client.TemporalUnreachable, starter.UnreadableExecution):
            return gatherer.RunReading()

    async def _write_unreachable(
        self,
        body: Mapping[str, Any],
        chain: v1alpha1.StackChain,
        access: connection_access.AccessVerdict,
        error: temporal_client.TemporalUnreachable,
    ) -> None:
        latest = chain.status.latest_run
        is_idle = latest is not None and latest.phase.is_over
        is_asking = decide.is_asking(chain, chain.status.last_handled)
        if is_idle and not is_asking and not self._schedules.is_behind(chain, access.usable):
            # Nothing is asked and nothing runs: what the status says stays true without Temporal.
            return
        problem = access.problem or projection.Problem(
            reason=reasons.ChainReason.TEMPORAL_UNREACHABLE, message=str(error), is_retrying=True
        )
        await self._writer.write_problem(body, chain, problem)

    async def _check_unchanged(self, body: Mapping[str, Any]) -> None:
        """Look once more before a start: Temporal may have been waited for since.

        Raises:
            Conflict: the resource is another by now.
            ResourceGone: it is gone.
        """
        metadata = body["metadata"]
        now = await self._stack_chains.get(metadata["namespace"], metadata["name"])
        if now is None or _uid(now) != _uid(body):
            raise chain_status.ResourceGone(f"{metadata['name']} is gone")
        if now["metadata"]["resourceVersion"] != metadata["resourceVersion"]:
            raise kube_errors.Conflict(f"{metadata['name']} has changed meanwhile")

    def _reconcile_after_close(self, argument: messages.PublishChainStatusInput) -> None:
        """The last publish comes from an open run; reconcile again once it has closed."""

        async def look_again() -> None:
            try:
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await self._workflows.await_close(
                        argument.workflow_id, argument.workflow_run_id
                    )
                await self.reconcile(argument.ref.namespace, argument.ref.name)
            except (
                TimeoutError,
                kube_errors.KubeError,
                temporal_client.TemporalUnreachable,
                chain_status.ResourceGone,
                chain_status.ReconcileFailed,
                InvalidSpec,
            ) as error:
                # The resync sees to it.
                why = kube_errors.text_of(error)
                logger.info("Not reconciled after the end", extra={"why": why})

        task = asyncio.create_task(look_again())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


class InvalidSpec(Exception):
    """The resource cannot be read; its status says why, and only an edit can fix it."""


# How passes end in the normal course of events; each is handled where it is caught.
_FORESEEN = (
    temporal_client.TemporalUnreachable,
    kube_errors.KubeError,
    chain_status.ResourceGone,
    chain_status.Superseded,
    chain_status.ReconcileFailed,
    InvalidSpec,
)

_UNREAD = "The progress of the workflow cannot be read."


def _text_of(error: Exception) -> str:
    return outside_text.clean(f"{type(error).__name__}: {error}")


def _problem_of(
    gathered: gatherer.Gathered, decision: decide.Decision
) -> projection.Problem | None:
    if gathered.chain.is_deleting:
        if not _is_held(gathered.body):
            return deletion.problem_of_released(gathered.body, gathered.execution)
        return deletion.problem_of(gathered.known)
    problem = gathered.access.problem or gathered.problem
    if problem is None and decision.waiting.cycle:
        return projection.Problem(
            reason=reasons.ChainReason.CHAIN_CYCLE,
            message=chain_waits.cycle_text(decision.waiting.cycle),
            is_retrying=False,
        )
    return problem


def _is_held(body: Mapping[str, Any]) -> bool:
    """Whether a deletion would wait for what runs."""
    return v1alpha1.FINALIZER in body["metadata"].get("finalizers", ())


def _uid(body: Mapping[str, Any]) -> str:
    uid: str = body["metadata"]["uid"]
    return uid


def _gone(
    argument: start_messages.RequestRunCall | messages.PublishChainStatusInput,
) -> chain_status.ResourceGone:
    return chain_status.ResourceGone(
        f"StackChain {argument.ref.namespace}/{argument.ref.name} of uid {argument.ref.uid} is gone"
    )

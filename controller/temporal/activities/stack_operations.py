"""find_, trigger_, follow_, confirm_ and stop_stack_run, and what belongs to them.

The activities of one stack, as Temporal sees them. The modules next to it say how a run is found,
created, waited for, confirmed and stopped.
"""

import dataclasses
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

import temporalio.activity as activity
import temporalio.exceptions
import temporalio.service

from controller.api import v1alpha1
from controller.chain.run import holds, run_snapshots, windows
from controller.spacelift import errors as spacelift_errors
from controller.spacelift import models
from controller.temporal import ids, messages
from controller.temporal.activities import (
    errors,
    heartbeats,
    native_run_stops,
    permission_checks,
    spacelift_clients,
    stack_confirms,
    stack_stops,
    stack_triggers,
    stack_waits,
    triggered_runs,
    window_reading,
)

logger = logging.getLogger(__name__)

# Ids of a stack's runs are compared as text; any ULID is above this.
_BEFORE_ALL = "0"
_AUTO = v1alpha1.ConfirmationPolicy.AUTO


class Counters(Protocol):
    """The facts that the worker's metrics record."""

    def run_triggered(self) -> None:
        """A chain has a run that it triggered."""

    def run_adopted(self) -> None:
        """A chain uses a run that Spacelift queued."""

    def trigger_ambiguous(self) -> None:
        """The answer to a trigger was lost."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class WaitLimits:
    """How long, in seconds, what may come late is waited for.

    `stop_effect`: a worker may ignore a stop, so after this the run is followed on. `lost_after`: a
    run that is not to be seen may be new to the server that was asked, and is then lost. `follow`:
    a follow hands over before its activity times out.
    """

    adopt_settle: float
    trigger_grace: float
    stop_effect: float = 20.0
    lost_after: float = 30.0
    follow: float = 3300.0


class StackOperations:
    """The activities on one stack; `clients` guards which connection they act on."""

    def __init__(
        self,
        clients: spacelift_clients.SpaceliftClients,
        *,
        limits: WaitLimits,
        counters: Counters,
        await_turn: Callable[[messages.AwaitTurnInput], Awaitable[messages.AwaitTurnResult]],
        find_earlier: Callable[[messages.FindStackRunInput], Awaitable[messages.EarlierRun | None]],
        check_awaited: Callable[[str], Awaitable[None]],
    ) -> None:
        self._clients = clients
        self._limits = limits
        self._counters = counters
        self._await_turn = await_turn
        self._find_earlier = find_earlier
        self._check_awaited = check_awaited

    @activity.defn(name=ids.FIND_ACTIVITY)
    async def find_stack_run(
        self, argument: messages.FindStackRunInput
    ) -> messages.FindStackRunResult:
        """Return the newest run, and the one to adopt, which is waited for a settable while.

        What the same run of the chain had before a reset goes before both.
        """
        with self._clients.for_call(argument.target.connection) as account:
            try:
                async with heartbeats.kept_alive():
                    earlier = await self._find_earlier(argument)
                    if earlier is not None and _is_news(earlier, argument.known_run_id):
                        return messages.FindStackRunResult(
                            newest_run_id=earlier.run_id or earlier.newest_run_id,
                            key_id=earlier.key_id,
                            earlier=earlier,
                        )
                    if argument.adopt_origin is not None:
                        return await self._find_adopted(account, argument, argument.adopt_origin)
                    return await self._find_newest(account, argument)
            except spacelift_errors.SpaceliftError as error:
                raise errors.to_application_error(error) from error

    async def _find_newest(
        self, account: spacelift_clients.SpaceliftAccount, argument: messages.FindStackRunInput
    ) -> messages.FindStackRunResult:
        adopted = await stack_stops.find_in_order(
            account, argument.ahead_runs, argument.upstream_runs
        )
        if adopted is not None:
            self._counters.run_adopted()
            return messages.FindStackRunResult(newest_run_id=adopted, adopted_run_id=adopted)
        newest, found = await account.client.get_newest_run(
            argument.target.stack_id, run_type=triggered_runs.type_of(argument.operation)
        )
        held = holds.of_creation(account.hold(argument.target.stack_id, found))
        opens_at = None
        if held is None and (closed := _closed_window(argument)) is not None:
            held, opens_at = holds.of_window(closed), closed.until
        return messages.FindStackRunResult(
            newest_run_id=newest.run_id if newest else _BEFORE_ALL,
            key_id=account.own_keys.current_id(),
            held=held,
            opens_at=opens_at,
            found_in=activity.info().workflow_run_id or "",
        )

    async def _find_adopted(
        self,
        account: spacelift_clients.SpaceliftAccount,
        argument: messages.FindStackRunInput,
        origin: str,
    ) -> messages.FindStackRunResult:
        adopted = await stack_stops.find_native(
            account,
            argument.target.stack_id,
            origin,
            argument.queuers,
            seconds=_left_of(self._limits.adopt_settle),
        )
        if adopted is None:
            return messages.FindStackRunResult(newest_run_id=origin)
        self._counters.run_adopted()
        return messages.FindStackRunResult(newest_run_id=adopted, adopted_run_id=adopted)

    @activity.defn(name="await_stack_release")
    async def await_stack_release(self, argument: messages.AwaitStackReleaseInput) -> None:
        """Return once what holds the stack has changed, is gone, or is unknown.

        The caller then looks for the stack's runs again, which reports whatever is wrong. A patient
        wait continues until that can help.
        """
        with self._clients.for_wait(argument.target.connection) as account:
            async with heartbeats.kept_alive(seconds=heartbeats.pause_of_wait()):
                await stack_waits.await_release(account, argument, limit=self._limits.follow)

    @activity.defn(name=ids.TRIGGER_ACTIVITY)
    async def trigger_stack_run(
        self, argument: messages.TriggerStackRunInput
    ) -> run_snapshots.RunSnapshot:
        """Create a run once, whatever happens to the answer or to this process."""
        time = stack_triggers.AttemptTime.of_this()
        lost_at = stack_triggers.lost_since(argument, now=time.now())
        try:
            with self._clients.for_call(argument.target.connection) as account:
                async with heartbeats.kept_alive():
                    run = None
                    if lost_at is not None:
                        left = lost_at + self._limits.trigger_grace - time.now()
                        run = await stack_triggers.find_lost(account, argument, left=left)
                    if run is None:
                        lost_at = None
                        await self._check_awaited(argument.first_run_id)
                        permission_checks.check_trigger(self._clients, argument)
                        await _check_trigger(account, argument)
                        stack_triggers.raise_if_closed(argument, now=time.now())
                        run = await stack_triggers.send(account, argument)
        except spacelift_errors.AmbiguousOutcome as error:
            self._counters.trigger_ambiguous()
            stack_triggers.note_failure(time.now())
            raise errors.to_application_error(error) from error
        except spacelift_errors.SpaceliftError as error:
            stack_triggers.note_failure(None)
            raise errors.to_application_error(error) from error
        except temporalio.service.RPCError as error:
            # Nothing was sent, or what was sent before has been looked for long enough.
            stack_triggers.note_failure(None)
            raise temporalio.exceptions.ApplicationError(
                f"Temporal does not say whether the chain waits for this: {error}",
                type=errors.TEMPORAL_UNREACHABLE,
            ) from error
        except temporalio.exceptions.ApplicationError as error:
            # Not found yet, held, not allowed, no one waits for it, or this worker does not serve
            # the connection or has no slot for it: all is as it was.
            stack_triggers.note_failure(lost_at)
            stack_triggers.raise_if_lost(lost_at, error)
            raise
        self._counters.run_triggered()
        account.own_keys.learn(run.triggered_by)
        logger.info(
            "Run triggered", extra={"stack_id": argument.target.stack_id, "run_id": run.run_id}
        )
        return account.snapshot(run)

    @activity.defn(name="follow_stack_run")
    async def follow_stack_run(
        self, argument: messages.FollowStackRunInput
    ) -> run_snapshots.RunSnapshot | None:
        """Return at the next change that matters to the chain; None if none came for long.

        A run that cannot be read is news too; of such a snapshot only the problem counts. So is one
        that gets no slot to be followed, after the first few tries.
        """
        try:
            with self._clients.for_wait(argument.target.connection) as account:
                async with heartbeats.kept_alive(seconds=heartbeats.pause_of_wait()):
                    return await stack_waits.follow(
                        account,
                        argument,
                        limit=self._limits.follow,
                        lost_after=self._limits.lost_after,
                    )
        except temporalio.exceptions.ApplicationError as error:
            if stack_waits.is_slot_news(argument, error):
                return stack_waits.without_slot(argument.run_id, error)
            raise

    @activity.defn(name="read_stack_run")
    async def read_stack_run(
        self, argument: messages.FollowStackRunInput
    ) -> messages.ReadStackRunResult:
        """Return the run's state now, if that is news to the chain."""
        with self._clients.for_call(argument.target.connection) as account:
            try:
                return messages.ReadStackRunResult(news=await stack_waits.read(account, argument))
            except spacelift_errors.SpaceliftError as error:
                raise errors.to_application_error(error) from error

    @activity.defn(name="confirm_stack_run")
    async def confirm_stack_run(
        self, argument: messages.ConfirmStackRunInput
    ) -> messages.ConfirmStackRunResult:
        """Confirm the run, whoever else does so meanwhile, and return its state then.

        The limits are those that the operator has signed, whatever else the message says.
        """
        grant = argument.target.connection.grant
        key = models.RunKey(stack_id=argument.target.stack_id, run_id=argument.run_id)
        time = stack_triggers.AttemptTime.of_this()
        with self._clients.for_call(argument.target.connection) as account:
            # Only runs that the chain is to confirm itself come here, whatever the message says.
            permission_checks.check_confirmation(self._clients, argument)
            permission_checks.check_use(
                account, dataclasses.replace(grant.use, confirmation_policy=_AUTO)
            )
            try:
                async with heartbeats.kept_alive():
                    await permission_checks.check_stack(account, argument.target.stack_id)
                    return await stack_confirms.confirm_run(
                        account,
                        key,
                        limits=grant.confirmation_limits,
                        closed_window=lambda: window_reading.closed_window(
                            argument.target, now=time.now()
                        ),
                        note=argument.note,
                        seconds=self._limits.stop_effect,
                    )
            except spacelift_errors.SpaceliftError as error:
                raise errors.to_application_error(error, goes_on=True) from error

    @activity.defn(name="stop_stack_run")
    async def stop_stack_run(
        self, argument: messages.StopStackRunInput
    ) -> run_snapshots.RunSnapshot:
        """Stop the run by the call that fits its state, and return its state then."""
        with self._clients.for_call(argument.target.connection) as account:
            permission_checks.check_stops(self._clients, [argument.target])
            key = models.RunKey(stack_id=argument.target.stack_id, run_id=argument.run_id)
            try:
                async with heartbeats.kept_alive():
                    return await stack_stops.stop_run(
                        account, key, note=argument.note, seconds=self._limits.stop_effect
                    )
            except spacelift_errors.SpaceliftError as error:
                raise errors.to_application_error(error, goes_on=True) from error

    @activity.defn(name="find_triggered_run")
    async def find_triggered_run(
        self, argument: messages.FindTriggeredRunInput
    ) -> run_snapshots.RunSnapshot | None:
        """Return the run created by a trigger whose answer is not known; None: there is none.

        It is looked for as long as it may be late.
        """
        with self._clients.for_call(argument.target.connection) as account:
            try:
                async with heartbeats.kept_alive():
                    run = await stack_stops.find_possible(
                        account, argument, seconds=_left_of(self._limits.trigger_grace)
                    )
                    return account.snapshot(run) if run is not None else None
            except spacelift_errors.SpaceliftError as error:
                raise errors.to_application_error(error, goes_on=True) from error

    @activity.defn(name="stop_native_runs")
    async def stop_native_runs(
        self, argument: messages.StopNativeRunsInput
    ) -> messages.StopNativeRunsResult:
        """Stop what Spacelift queued on stacks that must not run it, if it is there yet."""
        with self._clients.for_call(argument.connection) as account:
            permission_checks.check_stops(self._clients, argument.stacks)
            stops = native_run_stops.NativeRunStops(
                account, settle=self._limits.adopt_settle, effect=self._limits.stop_effect
            )
            try:
                async with heartbeats.kept_alive():
                    runs = await stops.look(
                        argument.targets, is_first_try=activity.info().attempt == 1
                    )
                    return messages.StopNativeRunsResult(runs=runs)
            except spacelift_errors.SpaceliftError as error:
                raise errors.to_application_error(error, goes_on=True) from error

    @activity.defn(name="await_turn")
    async def await_turn(self, argument: messages.AwaitTurnInput) -> messages.AwaitTurnResult:
        """Return once it is a chain's turn at a stack, or who has the stack is news."""
        # A reset carries the wait over to the execution that it makes.
        run_id = activity.info().workflow_run_id or ""
        asking = dataclasses.replace(argument.asking, workflow_run_id=run_id)
        async with heartbeats.kept_alive(seconds=heartbeats.pause_of_wait()):
            return await self._await_turn(dataclasses.replace(argument, asking=asking))


def _left_of(seconds: float) -> float:
    """Return how many seconds are left of those that an activity has for all its tries together.

    So a search continues when a request of it fails, and does not start over.
    """
    scheduled_at = activity.info().scheduled_time.timestamp()
    return scheduled_at + seconds - stack_triggers.AttemptTime.of_this().now()


def _is_news(earlier: messages.EarlierRun, known_run_id: str) -> bool:
    """Whether an execution does not know a run yet that was there before a reset."""
    if earlier.run_id is None:
        return earlier.newest_run_id >= known_run_id
    return earlier.run_id > known_run_id


def _closed_window(argument: messages.FindStackRunInput) -> windows.WindowState | None:
    now = stack_triggers.AttemptTime.of_this().now()
    return window_reading.closed_window(argument.target, now=now)


async def _check_trigger(
    account: spacelift_clients.SpaceliftAccount, argument: messages.TriggerStackRunInput
) -> None:
    """By what is really sent, not by what the message claims."""
    use = dataclasses.replace(
        argument.target.connection.grant.use,
        operation=argument.operation,
        variables=tuple(argument.environment),
        has_commit=argument.commit_sha is not None,
    )
    permission_checks.check_use(account, use)
    await permission_checks.check_stack(account, argument.target.stack_id)

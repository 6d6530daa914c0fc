"""StackExecutionWorkflow: one stack's run, found or triggered, followed to its end.

Its workflow id belongs to the stack, not to the chain, so Temporal allows one at a time over all
chains and clusters. Whatever run is newer than the one found at the start and was triggered with
our key is therefore ours.
"""

import asyncio
import dataclasses

import temporalio.exceptions
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from controller.api import reasons, v1alpha1
    from controller.chain import progress, runs
    from controller.temporal import ids, messages
    from controller.temporal.activities import errors, stack_operations
    from controller.temporal.workflows import calls

_NOTE = "stackchain: the chain was canceled"

_PROBLEMS = {
    "CredentialsRejected": reasons.StackReason.CREDENTIALS_REJECTED,
}
_REFUSALS = {
    "CredentialsRejected": reasons.StackReason.CREDENTIALS_REJECTED,
    "PermissionDenied": reasons.StackReason.PERMISSION_DENIED,
    "NotFound": reasons.StackReason.STACK_NOT_FOUND,
    "RunLost": reasons.StackReason.RUN_LOST,
}


@workflow.defn(name=ids.EXECUTION_WORKFLOW)
class StackExecutionWorkflow:
    """find -> adopt or trigger -> follow -> classify; never triggers a second run."""

    @workflow.init
    def __init__(self, argument: messages.StackExecutionInput) -> None:
        self._input = argument
        self._run: runs.RunSnapshot | None = None
        self._newest_run_id = ""
        self._may_have_triggered = False
        self._is_adopted = False
        self._is_canceling = False
        self._wakes = 0
        self._reported: progress.StackReport | None = None

    @workflow.signal(name=ids.WAKE_SIGNAL)
    def wake(self) -> None:
        """Something happened to the stack: read it now instead of at the next tick."""
        self._wakes += 1

    @workflow.run
    async def run(self, argument: messages.StackExecutionInput) -> progress.StackReport | None:
        """Return the stack's end; None: there was no run to adopt, nothing was done."""
        try:
            try:
                if not await self._find():
                    return None
                await self._trigger()
                return await self._follow()
            except (temporalio.exceptions.ActivityError, asyncio.CancelledError) as error:
                if not temporalio.exceptions.is_cancelled_exception(error):
                    raise
                return await self._clean_up()
        except temporalio.exceptions.ActivityError as error:
            return self._refused(error)

    async def _find(self) -> bool:
        found: messages.FindStackRunResult = await calls.persist(
            stack_operations.StackOperations.find_stack_run,
            messages.FindStackRunInput(
                connection=self._input.connection,
                stack_id=self._input.stack_id,
                adopt_origin=self._input.adopt_origin,
                queuers=self._input.queuers,
            ),
            summary=f"runs of {self._input.stack_id}",
            on_problem=self._on_problem,
        )
        self._newest_run_id = found.newest_run_id
        if self._input.adopt_origin is None:
            return True
        if found.adopted_run_id is None:
            return False
        self._is_adopted = True
        self._run = runs.RunSnapshot(run_id=found.adopted_run_id, state="QUEUED")
        return True

    async def _trigger(self) -> None:
        if self._run is not None:
            return
        self._may_have_triggered = True
        argument = messages.TriggerStackRunInput(
            connection=self._input.connection,
            stack_id=self._input.stack_id,
            newest_run_id=self._newest_run_id,
            marker=self._input.marker,
        )
        self._run = run = await calls.persist(
            stack_operations.StackOperations.trigger_stack_run,
            argument,
            # Only what is known to have changed nothing may be sent again unseen.
            then=lambda kind: dataclasses.replace(
                argument, was_attempted=kind not in errors.NOTHING_SENT
            ),
            summary=f"trigger {self._input.stack_id}",
            on_problem=self._on_problem,
        )
        await self._report()
        if self._input.surplus_origins:
            await self._stop_natives(
                origins=self._input.surplus_origins,
                keep_run_id=run.run_id,
                note="stackchain: the chain triggers this stack itself",
            )

    async def _follow(self) -> progress.StackReport:
        run = self._known_run()
        read_now = True
        while not run.is_over:
            news = await self._next_reading(run, read_now=read_now)
            read_now = news is None
            if news is not None:
                self._run = run = news
                await self._report()
        return self._classify(run)

    async def _next_reading(
        self, run: runs.RunSnapshot, *, read_now: bool
    ) -> runs.RunSnapshot | None:
        """Return the next news of the run; None when a wake came first."""
        seen = self._wakes
        following = workflow.start_activity_method(
            stack_operations.StackOperations.follow_stack_run,
            messages.FollowStackRunInput(
                connection=self._input.connection,
                stack_id=self._input.stack_id,
                run_id=run.run_id,
                known_view=runs.view(run) if self._reported is not None else "",
                known_problem=run.problem_reason,
                read_now=read_now,
            ),
            task_queue=ids.follow_queue(workflow.info().task_queue),
            start_to_close_timeout=calls.WAIT_TIMEOUT,
            heartbeat_timeout=calls.HEARTBEAT_TIMEOUT,
            retry_policy=calls.PATIENT,
            cancellation_type=workflow.ActivityCancellationType.TRY_CANCEL,
            summary=f"follow {run.run_id}",
        )
        woken = asyncio.create_task(workflow.wait_condition(lambda: self._wakes > seen))
        try:
            await workflow.wait([following, woken], return_when=asyncio.FIRST_COMPLETED)
            return following.result() if following.done() else None
        finally:
            woken.cancel()
            following.cancel()

    async def _clean_up(self) -> progress.StackReport:
        """Stop what this execution may have running; a run that applies is left to end."""
        self._is_canceling = True
        if self._run is None and not self._may_have_triggered:
            await self._stop_unadopted()
            return self._not_run()
        run = await self._stop()
        called = ""
        while run is not None and not run.is_over:
            self._run = run
            await self._report()
            call = runs.stop_call(run) or ""
            if call and call != called:
                called, run = call, await self._stop()
            else:
                run = await self._next_reading(run, read_now=False) or run
        return self._not_run() if run is None else self._classify(run)

    async def _stop(self) -> runs.RunSnapshot | None:
        result: runs.RunSnapshot | None = await calls.persist(
            stack_operations.StackOperations.stop_stack_run,
            messages.StopStackRunInput(
                connection=self._input.connection,
                stack_id=self._input.stack_id,
                run_id=self._run.run_id if self._run else None,
                newest_run_id=self._newest_run_id,
                note=_NOTE,
            ),
            summary=f"stop the run of {self._input.stack_id}",
            on_problem=self._on_problem,
        )
        return result

    async def _stop_unadopted(self) -> None:
        """The run that Spacelift queued here was not found yet; it must not go on either."""
        if self._input.adopt_origin is not None:
            await self._stop_natives(
                origins=[self._input.adopt_origin], keep_run_id=None, note=_NOTE
            )

    async def _stop_natives(
        self, *, origins: list[str], keep_run_id: str | None, note: str
    ) -> None:
        target = messages.NativeRunTarget(
            stack_id=self._input.stack_id,
            origin_run_ids=origins,
            queuers=self._input.queuers,
            keep_run_id=keep_run_id,
        )
        await calls.persist(
            stack_operations.StackOperations.stop_native_runs,
            messages.StopNativeRunsInput(
                connection=self._input.connection, targets=[target], note=note
            ),
            summary=f"stop unwanted runs of {self._input.stack_id}",
            on_problem=self._on_problem,
        )

    def _known_run(self) -> runs.RunSnapshot:
        if self._run is None:
            raise AssertionError("a run is followed only after it was found or triggered")
        return self._run

    def _classify(self, run: runs.RunSnapshot) -> progress.StackReport:
        return runs.classify(
            self._input.stack_id,
            run,
            is_adopted=self._is_adopted,
            is_canceling=self._is_canceling,
        )

    def _not_run(self) -> progress.StackReport:
        return progress.StackReport(
            stack_id=self._input.stack_id,
            phase=v1alpha1.Phase.CANCELED,
            reason=reasons.StackReason.CHAIN_CANCELED,
            message="Not run, because the chain was canceled.",
        )

    def _refused(self, error: temporalio.exceptions.ActivityError) -> progress.StackReport:
        kind, message = calls.cause_of(error)
        return progress.StackReport(
            stack_id=self._input.stack_id,
            phase=v1alpha1.Phase.FAILED,
            reason=_REFUSALS.get(kind, reasons.StackReason.TRIGGER_REFUSED),
            message=message,
            run_id=self._run.run_id if self._run else None,
            run_url=self._run.url or None if self._run else None,
        )

    async def _on_problem(self, problem: tuple[str, str] | None) -> None:
        if problem is None:
            await self._send(self._waiting(reasons.StackReason.STARTING, ""))
            return
        kind, message = problem
        reason = _PROBLEMS.get(kind, reasons.StackReason.SPACELIFT_UNREACHABLE)
        await self._send(self._waiting(reason, message))

    def _waiting(self, reason: reasons.StackReason, message: str) -> progress.StackReport:
        return progress.StackReport(
            stack_id=self._input.stack_id,
            phase=v1alpha1.Phase.WAITING,
            reason=reason,
            message=message,
            run_id=self._run.run_id if self._run else None,
        )

    async def _report(self) -> None:
        run = self._known_run()
        if not run.is_over:  # the end travels as the result
            await self._send(self._classify(run))

    async def _send(self, report: progress.StackReport) -> None:
        if report == self._reported:
            return
        self._reported = report
        chain = workflow.get_external_workflow_handle(
            self._input.chain_workflow_id, run_id=self._input.chain_workflow_run_id
        )
        try:
            await chain.signal(ids.REPORT_SIGNAL, report)
        except temporalio.exceptions.ApplicationError:
            # The chain is over: it was terminated, and has asked this execution to stop.
            workflow.logger.info("The chain is gone, its report was dropped")

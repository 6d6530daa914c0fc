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
        self._is_closing = False
        # The run is to be read at once: it is new here, or a wake came since it was read last.
        self._is_read_due = True
        self._running: asyncio.Task[progress.StackReport | None] | None = None
        self._report: progress.StackReport | None = None
        self._sent: progress.StackReport | None = None

    @workflow.signal(name=ids.WAKE_SIGNAL)
    def wake(self) -> None:
        """Something happened to the stack: read it now instead of at the next tick."""
        self._is_read_due = True

    @workflow.run
    async def run(self, argument: messages.StackExecutionInput) -> progress.StackReport | None:
        """Return the stack's end; None: there was no run to adopt, nothing was done."""
        work = asyncio.create_task(self._work())
        while not work.done():
            try:
                await workflow.wait_condition(work.done)
            except asyncio.CancelledError:
                # Only noted here: it must interrupt the roll and never the clean-up.
                self._cancel()
        return work.result()

    def _cancel(self) -> None:
        if not self._is_canceling:
            self._is_canceling = True
            if self._running is not None:
                self._running.cancel()

    async def _work(self) -> progress.StackReport | None:
        reporting = asyncio.create_task(self._send_reports())
        self._running = asyncio.create_task(self._roll())
        if self._is_canceling:
            self._running.cancel()
        try:
            try:
                report = await self._running
            except (temporalio.exceptions.ActivityError, asyncio.CancelledError) as error:
                if not temporalio.exceptions.is_cancelled_exception(error):
                    raise
                report = await self._clean_up()
        except temporalio.exceptions.ActivityError as error:
            report = self._refused(error)
        # The end travels as the result; no report may come after it.
        self._is_closing = True
        await reporting
        return report

    async def _roll(self) -> progress.StackReport | None:
        if not await self._find():
            return None
        await self._trigger()
        return await self._follow()

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
        self._report_run(run)
        if self._input.surplus_origins:
            await self._stop_natives(
                origins=self._input.surplus_origins,
                keep_run_id=run.run_id,
                note="stackchain: the chain triggers this stack itself",
            )

    async def _follow(self) -> progress.StackReport:
        run = self._known_run()
        while not run.is_over:
            run = await self._next_reading(run)
        return self._classify(run)

    async def _next_reading(self, run: runs.RunSnapshot) -> runs.RunSnapshot:
        """Return the run after its next news, or as it was if a wake came first."""
        read_now, self._is_read_due = self._is_read_due, False
        following = workflow.start_activity_method(
            stack_operations.StackOperations.follow_stack_run,
            messages.FollowStackRunInput(
                connection=self._input.connection,
                stack_id=self._input.stack_id,
                run_id=run.run_id,
                known_view=self._known_view(),
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
        woken = asyncio.create_task(workflow.wait_condition(lambda: self._is_read_due))
        try:
            await workflow.wait([following, woken], return_when=asyncio.FIRST_COMPLETED)
            return self._take(run, following.result()) if following.done() else run
        finally:
            woken.cancel()
            following.cancel()
            # Nobody asks what became of a follow that was given up.
            following.add_done_callback(_ignore_outcome)

    def _take(self, run: runs.RunSnapshot, news: runs.RunSnapshot | None) -> runs.RunSnapshot:
        if news is None:
            return run
        if news.problem_reason:
            # It was not read: all but the problem is as it was.
            news = dataclasses.replace(
                run, problem_reason=news.problem_reason, problem_message=news.problem_message
            )
        self._run = news
        self._report_run(news)
        return news

    async def _clean_up(self) -> progress.StackReport:
        """Stop what this execution may have running; a run that applies is left to end."""
        if self._run is None and not self._may_have_triggered:
            await self._stop_unwanted()
            return self._not_run()
        run = await self._stop()
        called = runs.stop_call(run) if run is not None else None
        while run is not None and not run.is_over:
            self._run = run
            self._report_run(run)
            call = runs.stop_call(run)
            if call is not None and call != called:
                called, run = call, await self._stop()
            else:
                run = await self._next_reading(run)
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

    async def _stop_unwanted(self) -> None:
        """What Spacelift queued here, for this chain to use or not, must not go on either."""
        origins = self._input.surplus_origins
        if self._input.adopt_origin is not None:
            origins = [self._input.adopt_origin]
        if origins:
            await self._stop_natives(origins=origins, keep_run_id=None, note=_NOTE)

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

    # Reports

    def _on_problem(self, problem: tuple[str, str] | None) -> None:
        if problem is not None:
            kind, message = problem
            reason = _PROBLEMS.get(kind, reasons.StackReason.SPACELIFT_UNREACHABLE)
            self._report = self._waiting(reason, message)
        elif self._run is not None:
            self._report_run(self._run)
        else:
            self._report = self._waiting(reasons.StackReason.STARTING, "")

    def _waiting(self, reason: reasons.StackReason, message: str) -> progress.StackReport:
        return progress.StackReport(
            stack_id=self._input.stack_id,
            phase=v1alpha1.Phase.WAITING,
            reason=reason,
            message=message,
            run_id=self._run.run_id if self._run else None,
        )

    def _report_run(self, run: runs.RunSnapshot) -> None:
        if not run.is_over:  # the end travels as the result
            self._report = self._classify(run)

    def _known_view(self) -> str:
        """What the chain was told: whatever differs from it is news."""
        return f"{self._report.phase}/{self._report.reason}" if self._report is not None else ""

    async def _send_reports(self) -> None:
        """Send the newest report, one at a time, apart from the work.

        A cancel that meets a signal on its way is lost; here it cannot meet one.
        """
        chain = workflow.get_external_workflow_handle(
            self._input.chain_workflow_id, run_id=self._input.chain_workflow_run_id
        )
        while True:
            await workflow.wait_condition(lambda: self._is_closing or self._report != self._sent)
            if self._is_closing:
                return
            self._sent = self._report
            try:
                await chain.signal(ids.REPORT_SIGNAL, self._sent)
            except temporalio.exceptions.ApplicationError:
                # The chain is over: it was terminated, and has asked this execution to stop.
                workflow.logger.info("The chain is gone, its report was dropped")


def _ignore_outcome(task: "asyncio.Task[runs.RunSnapshot | None]") -> None:
    if not task.cancelled():
        task.exception()

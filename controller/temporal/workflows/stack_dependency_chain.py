"""StackDependencyChainWorkflow: discovers the stacks, starts each when its upstreams succeeded.

Deciding is `controller.chain`'s; this module starts, stops, listens and reports. It always
completes (ADR 0006), and a stack that others have takes no slot (ADR 0018).
"""

import asyncio
import contextlib
import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import temporalio.exceptions
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from controller import times
    from controller.api import reasons
    from controller.api.v1alpha1 import Phase
    from controller.chain.graph import resolve
    from controller.chain.run import next_stacks, outcome, policy, progress
    from controller.temporal import ids, messages
    from controller.temporal.activities import stack_operations
    from controller.temporal.workflows import (
        activity_calls,
        chain_messages,
        deadlines,
        discovery,
        publishing,
        stack_execution,
        unwanted_runs,
    )

# A chain closes only after the runs of its stacks were stopped.
_WAIT_FOR_CLEAN_UP = workflow.ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED

_NOTE_OF_CANCEL = "the chain was canceled"

_Argument = TypeVar("_Argument")
_Result = TypeVar("_Result")


@workflow.defn(name=ids.CHAIN_WORKFLOW)
class StackDependencyChainWorkflow:
    """One run of a chain. The state is one object, `self._progress`."""

    @workflow.init
    def __init__(self, argument: messages.ChainInput) -> None:
        self._input = argument
        self._progress = progress.ChainProgress(
            number=argument.number,
            attempt=argument.attempt,
            cause=argument.cause,
            generation=argument.ref.generation,
            start_time=_now(),
            operation=argument.scope.operation,
            policies=argument.policies,
            is_suspended=argument.is_suspended,
        )
        self._stacks: dict[str, progress.StackProgress] = {}
        self._remaining: dict[str, int] = {}
        # Lists, not sets: the order of cancel commands must be the same on replay.
        self._executions: list[asyncio.Task[None]] = []
        self._handles: dict[str, workflow.ChildWorkflowHandle[Any, Any]] = {}
        # Executions that are about to be told that they may stop their run, by stack.
        self._leaves: dict[str, asyncio.Task[None]] = {}
        # What a cancel interrupts: the discovery, waits for a turn, and children.
        self._interruptible: list[asyncio.Task[Any]] = []
        # Waits for whatever keeps a stack from having its turn, by stack.
        self._release_waits: dict[str, asyncio.Task[Any]] = {}
        self._unwanted = unwanted_runs.UnwantedRunStopper(argument.connection, self._changed)
        self._publishing = publishing.Publishing(argument, self._progress)
        self._seen = -1
        self._stopping: asyncio.Task[None] | None = None
        self._is_interrupting = False
        self._is_closing = False

    @workflow.query(name=ids.PROGRESS_QUERY)
    def get_progress(self) -> progress.ChainProgress:
        """The facts, as fresh as they are."""
        return self._progress

    @workflow.signal(name=ids.PARALLELISM_SIGNAL)
    def set_parallelism(self, argument: messages.SetParallelism) -> None:
        """Change how many stacks may run at once; running ones go on."""
        self._progress.policies = dataclasses.replace(
            self._progress.policies, parallelism=argument.parallelism
        )
        self._changed()

    @workflow.signal(name=ids.SUSPEND_SIGNAL)
    def suspend(self) -> None:
        """Start no further stack; running ones end."""
        if not self._progress.is_suspended:
            self._progress.is_suspended = True
            self._unwanted.stop_on_suspend()
            self._changed()

    @workflow.signal(name=ids.RESUME_SIGNAL)
    def resume(self) -> None:
        """Start stacks again."""
        if self._progress.is_suspended:
            self._progress.is_suspended = False
            self._changed()

    @workflow.signal(name=ids.ORPHAN_SIGNAL)
    def orphan(self) -> None:
        """Go on without the resource, which is about to go."""
        self._progress.is_orphan = True
        self._publishing.orphan()
        memo = workflow.memo_value(ids.MEMO, default=None, type_hint=messages.ChainMemo)
        if memo is not None and not memo.is_orphan:
            # Who lists the live runs must see that this one belongs to nobody on purpose.
            workflow.upsert_memo({ids.MEMO: messages.as_orphan(memo)})

    @workflow.signal(name=ids.REPORT_SIGNAL)
    def report_stack_progress(self, report: progress.StackReport) -> None:
        """Take over what a stack's execution reports; the same report twice changes nothing."""
        stack = self._stacks.get(report.stack_id)
        # Ends travel as the execution's result: nothing starts before an execution has closed.
        if stack is None or report.phase.is_over:
            return
        if report.is_stopping and stack.id not in self._leaves:
            self._leaves[stack.id] = asyncio.create_task(self._let_stop(stack))
        if progress.apply_report(stack, report, now=_now()):
            self._changed()

    @workflow.run
    async def run(self, argument: messages.ChainInput) -> progress.ChainProgress:
        """Return the final progress, however the run ended."""
        work = asyncio.create_task(self._work())
        while not work.done():
            try:
                await workflow.wait_condition(work.done)
            except asyncio.CancelledError:
                # Only noted here: the work ends in order, whatever it waits for.
                self._cancel()
        work.result()
        return self._progress

    async def _work(self) -> None:
        publishing_task = asyncio.create_task(self._publishing.run(self._cancel))
        deadline = deadlines.ActiveDeadline(
            self._input.policies.active_deadline_seconds,
            is_suspended=lambda: self._progress.is_suspended,
            on_passed=self._active_deadline_passed,
        )
        self._changed()
        if await self._resolve():
            await self._roll()
        deadline.close()
        self._finish()
        self._is_closing = True
        await self._publishing.end(publishing_task)

    def _cancel(self) -> None:
        """Stop what runs and start nothing more; what is stopped still ends in its own time."""
        if self._progress.is_canceling or self._is_closing:
            return
        self._progress.is_canceling = True
        self._stopping = asyncio.create_task(self._stop())
        self._changed()

    async def _stop(self) -> None:
        """Stop what waits behind the running stacks first, then these.

        Spacelift skips the direct dependents of a run that was stopped, and a skipped run does not
        stop its own dependents: they would apply.
        """
        waiting = [s for s in self._stacks.values() if not (s.is_started or s.phase.is_over)]
        for stack in waiting:
            stack.adopts_from = None
        if self._unwanted.stop([stack.id for stack in waiting], note=_NOTE_OF_CANCEL):
            await self._unwanted.await_ends()
        self._is_interrupting = True
        for task in self._interruptible:
            task.cancel()

    async def _interruptibly(self, task: "asyncio.Task[_Result]") -> _Result:
        """Wait for a task that a cancel interrupts, at whatever moment it comes."""
        self._interruptible.append(task)
        if self._is_interrupting:
            task.cancel()
        try:
            return await task
        finally:
            self._interruptible.remove(task)

    # Deadlines

    def _active_deadline_passed(self) -> None:
        if not (self._progress.is_canceling or self._is_closing):
            self._progress.is_timed_out = True
            self._cancel()

    async def _let_stop(self, stack: progress.StackProgress) -> None:
        """A deadline of a stack has passed: its run is stopped after what waits behind it."""
        why = "the deadline of an upstream stack passed"
        if self._unwanted.stop_behind(stack.id, note=why):
            await self._unwanted.await_ends()
        # It may have ended meanwhile.
        with contextlib.suppress(temporalio.exceptions.FailureError):
            await self._handles[stack.id].signal(stack_execution.StackExecutionWorkflow.may_stop)

    # Discovery

    async def _resolve(self) -> bool:
        reading = discovery.discover(self._input, on_problem=self._on_problem)
        try:
            resolved = await self._interruptibly(asyncio.create_task(reading))
        except resolve.GraphProblem as problem:
            self._progress.phase = Phase.FAILED
            self._progress.reason, self._progress.message = problem.reason, problem.message
            return False
        except (temporalio.exceptions.ActivityError, asyncio.CancelledError) as error:
            if not temporalio.exceptions.is_cancelled_exception(error):
                raise
            return False
        progress.adopt_graph(
            self._progress,
            resolved,
            kept=self._input.kept,
            finished=self._input.finished_roots,
            now=_now(),
        )
        self._stacks = {stack.id: stack for stack in self._progress.stacks}
        self._remaining = {stack.id: stack.remaining for stack in resolved.stacks}
        self._unwanted.set_graph(resolved, self._stacks)
        self._changed()
        return True

    def _on_problem(self, problem: tuple[str, str] | None) -> None:
        kind, message = problem or ("", "")
        self._progress.problem_reason = reasons.ChainReason.SPACELIFT_UNREACHABLE if problem else ""
        if kind == "WorkerTimeout":
            self._progress.problem_reason = reasons.ChainReason.WORKER_UNAVAILABLE
        self._progress.problem_message = message
        self._changed()

    # Scheduling

    async def _roll(self) -> None:
        """Start stacks as their upstreams end well, until all ended or the chain is canceled."""
        # Nothing is triggered before the resource is known to want this execution.
        await workflow.wait_condition(
            lambda: self._publishing.is_wanted or self._progress.is_canceling
        )
        if self._input.finished_roots and not self._progress.is_canceling:
            # What their runs made Spacelift queue is under way already.
            self._unwanted.add_new_runs(is_suspended=self._progress.is_suspended)
        while not (self._progress.is_canceling or progress.is_over(self._progress)):
            self._start_ready()
            self._seen = self._progress.sequence
            await workflow.wait_condition(lambda: self._progress.sequence > self._seen)
            self._skip_unwanted()
            self._unwanted.add_new_runs(is_suspended=self._progress.is_suspended)
            self._unwanted.leave_failed()
        await asyncio.gather(*self._executions, *self._leaves.values())
        if self._progress.is_canceling:
            unreached = policy.cancel_unreached(self._progress, now=_now())
            self._unwanted.stop(unreached, note=_NOTE_OF_CANCEL)
        await self._unwanted.wait()

    def _start_ready(self) -> None:
        ready = next_stacks.ready_stacks(self._progress, remaining=self._remaining)
        for stack in ready:
            stack.is_started = True
            stack.phase, stack.reason = Phase.WAITING, reasons.StackReason.STARTING
            self._executions.append(asyncio.create_task(self._execute(stack)))
        if ready:
            self._changed()

    def _skip_unwanted(self) -> None:
        skipped = policy.skip_unwanted(self._progress, now=_now())
        for stack_id in skipped:
            if (waiting := self._release_waits.get(stack_id)) is not None:
                waiting.cancel()
        self._unwanted.stop(skipped, note="an upstream stack did not succeed")

    async def _execute(self, stack: progress.StackProgress) -> None:
        """Bring one stack to its end, or to where others have to be done with it first."""
        # A start is never interrupted: whether there is a child to wait for must be known.
        handle = await self._start_execution(stack)
        if handle is None:
            await self._await_turn(stack)
            return
        self._handles[stack.id] = handle
        try:
            report: progress.StackReport | None = await self._interruptibly(handle)
        except temporalio.exceptions.FailureError as error:
            report = _ended(stack, error)
        if report is None:
            self._start_over(stack)
        elif not report.phase.is_over:
            await self._await_release(stack, report)
        else:
            report = policy.with_cause(self._progress, report)
            progress.apply_report(stack, report, now=_now())
        self._changed()

    async def _start_execution(
        self, stack: progress.StackProgress
    ) -> workflow.ChildWorkflowHandle[Any, progress.StackReport | None] | None:
        """Start the stack's execution; None: another chain has the stack."""
        try:
            return await workflow.start_child_workflow(
                stack_execution.StackExecutionWorkflow.run,
                self._execution_input(stack),
                id=chain_messages.execution_id(self._input, stack.id),
                parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL,
                cancellation_type=_WAIT_FOR_CLEAN_UP,
                static_summary=f"{stack.id} for {chain_messages.title(self._input)}",
            )
        except temporalio.exceptions.WorkflowAlreadyStartedError:
            return None

    def _execution_input(self, stack: progress.StackProgress) -> messages.StackExecutionInput:
        return chain_messages.stack_execution(
            self._input,
            stack,
            self._unwanted.queued,
            origin=self._stacks[stack.adopts_from].run_id if stack.adopts_from else None,
        )

    async def _await_turn(self, stack: progress.StackProgress) -> None:
        """Another chain has the stack: wait for its end in one activity, not by trying again."""
        workflow_id = chain_messages.execution_id(self._input, stack.id)
        message = f"Another chain runs '{stack.id}'; its turn comes when that has ended."
        if await self._stand_aside(
            stack,
            (reasons.StackReason.STACK_BUSY, message),
            stack_operations.StackOperations.await_execution_end,
            messages.AwaitExecutionInput(workflow_id=workflow_id),
        ):
            self._await_slot(stack)

    async def _await_release(
        self, stack: progress.StackProgress, report: progress.StackReport
    ) -> None:
        """The stack is locked or disabled, so its execution has ended without a run."""
        if await self._stand_aside(
            stack,
            (report.reason, report.message),
            stack_operations.StackOperations.await_stack_release,
            messages.AwaitStackReleaseInput(
                target=chain_messages.target(self._input, stack.id),
                hold_message=report.message,
                is_patient=True,
            ),
        ):
            self._await_slot(stack)

    async def _stand_aside(
        self,
        stack: progress.StackProgress,
        shown: tuple[str, str],
        activity: Callable[[stack_operations.StackOperations, _Argument], Awaitable[None]],
        argument: _Argument,
    ) -> bool:
        """Wait in an activity until a stack may have its turn; whether it is still to run then.

        Meanwhile the stack takes no slot and counts as not started; afterwards it is as ready as
        any other.
        """
        if self._progress.is_canceling:
            self._start_over(stack)
            return False
        stack.is_started = False
        stack.phase, (stack.reason, stack.message) = Phase.WAITING, shown
        self._changed()
        waiting = workflow.start_activity_method(
            activity,
            argument,
            task_queue=ids.follow_queue(workflow.info().task_queue),
            start_to_close_timeout=activity_calls.WAIT_TIMEOUT,
            heartbeat_timeout=activity_calls.HEARTBEAT_TIMEOUT,
            retry_policy=activity_calls.PATIENT,
            cancellation_type=workflow.ActivityCancellationType.TRY_CANCEL,
            summary=f"wait for {stack.id}",
        )
        self._release_waits[stack.id] = waiting
        try:
            await self._interruptibly(waiting)
        except (temporalio.exceptions.ActivityError, asyncio.CancelledError) as error:
            if not temporalio.exceptions.is_cancelled_exception(error):
                raise
        del self._release_waits[stack.id]
        return not stack.phase.is_over

    def _await_slot(self, stack: progress.StackProgress) -> None:
        stack.phase, stack.reason, stack.message = Phase.PENDING, "", ""
        self._changed()

    def _start_over(self, stack: progress.StackProgress) -> None:
        """There is no run here: the chain triggers one when a slot is free, if it still goes on."""
        stack.adopts_from = None
        stack.is_started = False
        stack.phase, stack.reason, stack.message = Phase.PENDING, "", ""
        self._unwanted.stop_behind(stack.id)

    # The end

    def _finish(self) -> None:
        if self._progress.stacks:
            outcome.set_outcome(self._progress)
        elif self._progress.is_canceling and not self._progress.phase.is_over:
            self._set_never_resolved()
        self._progress.problem_reason = self._progress.problem_message = ""
        self._progress.completion_time = _now()
        self._progress.sequence += 1

    def _set_never_resolved(self) -> None:
        self._progress.phase = Phase.CANCELED
        self._progress.reason = reasons.ChainReason.RUN_CANCELED
        self._progress.message = "The chain was canceled before it triggered anything."
        if self._progress.is_timed_out:
            self._progress.phase = Phase.TIMED_OUT
            self._progress.reason = reasons.ChainReason.DEADLINE_EXCEEDED
            self._progress.message = (
                "`spec.activeDeadlineSeconds` passed before anything was triggered."
            )

    def _changed(self) -> None:
        self._progress.sequence += 1
        if self._progress.stacks and not self._is_closing:
            outcome.set_outcome(self._progress)
        workflow.set_current_details(_details(self._progress))


def _now() -> str:
    return times.rfc3339(workflow.now())


def _ended(
    stack: progress.StackProgress, error: temporalio.exceptions.FailureError
) -> progress.StackReport:
    return progress.StackReport(
        stack_id=stack.id,
        phase=Phase.FAILED,
        reason=reasons.StackReason.EXECUTION_ENDED,
        message="The stack's workflow was ended from outside; its Spacelift run may still go on "
        f"({activity_calls.cause_of(error)[1]}).",
    )


def _details(facts: progress.ChainProgress) -> str:
    """A table for the Temporal web UI, which costs no history."""
    rows = [
        f"| {stack.id} | {stack.phase} | {stack.reason} | {stack.run_url or ''} |"
        for stack in facts.stacks[:100]
    ]
    head = f"**{facts.phase}** {facts.problem_message or facts.message}\n\n"
    return head + "\n".join(
        ["| stack | phase | reason | run |", "| --- | --- | --- | --- |", *rows]
    )

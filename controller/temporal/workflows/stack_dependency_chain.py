"""StackDependencyChainWorkflow: discovers the stacks, starts each when its upstreams ended well.

Deciding is `controller.chain`'s; this module starts, stops, listens and tells.
"""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, TypeVar

import temporalio.exceptions
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from controller.api import reasons
    from controller.api.v1alpha1 import Phase
    from controller.chain import graph, policy, progress, schedule
    from controller.temporal import ids, messages
    from controller.temporal.activities import (
        chain_status,
        stack_dependencies,
        stack_operations,
    )
    from controller.temporal.workflows import calls, stack_execution

# Long enough for an operator that is being replaced; after that reconcile harvests the result.
_FINAL_PUBLISH_LIMIT = timedelta(minutes=10)
# A publish may wait for its turn and then for a slow API server.
_PUBLISH_TIMEOUT = timedelta(seconds=60)
# A killed operator should delay the status by seconds only.
_PUBLISH_HEARTBEAT = timedelta(seconds=4)

# A chain closes only after the runs of its stacks were stopped.
_WAIT_FOR_CLEAN_UP = workflow.ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED

_Result = TypeVar("_Result")

_DISCOVERY_REASONS = {
    "CredentialsRejected": reasons.ChainReason.CREDENTIALS_REJECTED,
    "PermissionDenied": reasons.ChainReason.SPACELIFT_REFUSED,
    "NotFound": reasons.ChainReason.SPACELIFT_REFUSED,
    "Refused": reasons.ChainReason.SPACELIFT_REFUSED,
}


@workflow.defn(name=ids.CHAIN_WORKFLOW)
class StackDependencyChainWorkflow:
    """One run of a chain. The state is one object, `self._progress`."""

    @workflow.init
    def __init__(self, argument: messages.ChainInput) -> None:
        self._input = argument
        self._progress = progress.ChainProgress(
            number=argument.number,
            attempt=argument.attempt,
            trigger=argument.trigger,
            generation=argument.generation,
            parallelism=argument.parallelism,
            started_at=_now(),
        )
        self._planned: dict[str, graph.PlannedStack] = {}
        self._stacks: dict[str, progress.StackProgress] = {}
        self._remaining: dict[str, int] = {}
        # Lists, not sets: the order of cancel commands must be the same on replay.
        self._executions: list[asyncio.Task[None]] = []
        self._stops: list[asyncio.Task[None]] = []
        # What a cancel interrupts: the discovery, waits for a turn, and children.
        self._interruptible: list[asyncio.Task[Any]] = []
        # By origin: the stacks on which its run makes Spacelift queue one.
        self._reached: dict[str, list[str]] = {}
        self._fanned_out: set[str] = set()
        self._published = -1
        self._seen = -1
        self._is_closing = False
        # Why nobody wants this run any more: its resource is gone, or has another execution.
        self._unwanted: str | None = None

    @workflow.query(name=ids.PROGRESS_QUERY)
    def get_progress(self) -> progress.ChainProgress:
        """The facts, as fresh as they are."""
        return self._progress

    @workflow.signal(name=ids.PARALLELISM_SIGNAL)
    def set_parallelism(self, argument: messages.SetParallelism) -> None:
        """Change how many stacks may run at once; running ones go on."""
        self._progress.parallelism = argument.parallelism
        self._changed()

    @workflow.signal(name=ids.REPORT_SIGNAL)
    def report_stack_progress(self, report: progress.StackReport) -> None:
        """Take over what a stack's execution reports; the same report twice changes nothing."""
        stack = self._stacks.get(report.stack_id)
        # Ends travel as the execution's result: nothing starts before an execution has closed.
        if stack is None or report.phase.is_over:
            return
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
        publishing = asyncio.create_task(self._publish_changes())
        self._changed()
        if await self._resolve():
            await self._roll()
        self._finish()
        await self._publish_end(publishing)

    def _cancel(self) -> None:
        """Stop what runs and start nothing more; what is stopped still ends in its own time."""
        if self._progress.is_canceling or self._is_closing:
            return
        self._progress.is_canceling = True
        for task in self._interruptible:
            task.cancel()
        self._changed()

    async def _interruptibly(self, task: "asyncio.Task[_Result]") -> _Result:
        """Wait for a task that a cancel interrupts, at whatever moment it comes."""
        self._interruptible.append(task)
        if self._progress.is_canceling:
            task.cancel()
        try:
            return await task
        finally:
            self._interruptible.remove(task)

    # Discovery

    async def _resolve(self) -> bool:
        try:
            discovery = await self._interruptibly(asyncio.create_task(self._discover()))
            resolved = graph.resolve(
                discovery, sources=self._input.sources, max_stacks=self._input.max_stacks
            )
        except graph.GraphProblem as problem:
            self._fail(problem.reason, problem.message)
            return False
        except asyncio.CancelledError:
            return False
        except temporalio.exceptions.ActivityError as error:
            if temporalio.exceptions.is_cancelled_exception(error):
                return False
            kind, message = calls.cause_of(error)
            self._fail(_DISCOVERY_REASONS.get(kind, reasons.ChainReason.SPACELIFT_REFUSED), message)
            return False
        progress.adopt_graph(self._progress, resolved, now=_now())
        self._planned = {stack.id: stack for stack in resolved.stacks}
        self._stacks = {stack.id: stack for stack in self._progress.stacks}
        self._remaining = {stack.id: stack.remaining for stack in resolved.stacks}
        for stack in resolved.stacks:
            for origin in stack.queued_by:
                self._reached.setdefault(origin, []).append(stack.id)
        self._changed()
        return True

    async def _discover(self) -> graph.Discovery:
        discovery: graph.Discovery = await calls.persist(
            stack_dependencies.StackDependencies.fetch_dependent_stacks,
            messages.FetchDependentStacksInput(
                connection=self._input.connection,
                roots=self._input.roots,
                sources=self._input.sources,
                max_stacks=self._input.max_stacks,
            ),
            summary="discover the dependents of " + ", ".join(self._input.roots[:5]),
            on_problem=self._on_problem,
            start_to_close=calls.BULK_TIMEOUT,
        )
        return discovery

    def _fail(self, reason: reasons.ChainReason, message: str) -> None:
        self._progress.phase = Phase.FAILED
        self._progress.reason, self._progress.message = reason, message

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
        await workflow.wait_condition(lambda: self._published >= 0 or self._progress.is_canceling)
        while not (self._progress.is_canceling or progress.is_over(self._progress)):
            self._start_ready()
            self._seen = self._progress.sequence
            await workflow.wait_condition(lambda: self._progress.sequence > self._seen)
            self._stop_natives(policy.skip_dependents(self._progress, now=_now()))
            self._stop_surplus_fan_out()
        await asyncio.gather(*self._executions)
        if self._progress.is_canceling:
            unreached = policy.cancel_unreached(self._progress, now=_now())
            self._stop_natives(unreached, note="the chain was canceled")
        while self._stops:
            stops, self._stops = self._stops, []
            await asyncio.gather(*stops)

    def _start_ready(self) -> None:
        ready = schedule.ready_stacks(self._progress, remaining=self._remaining)
        for stack in ready:
            stack.is_started = True
            stack.phase, stack.reason = Phase.WAITING, reasons.StackReason.STARTING
            self._executions.append(asyncio.create_task(self._execute(stack)))
        if ready:
            self._changed()

    async def _execute(self, stack: progress.StackProgress) -> None:
        try:
            report = await self._run_execution(stack)
        except temporalio.exceptions.FailureError as error:
            report = _ended(stack, error)
        if report is None:
            self._start_over(stack)
        else:
            progress.apply_report(stack, report, now=_now())
        self._changed()

    async def _run_execution(self, stack: progress.StackProgress) -> progress.StackReport | None:
        """Return the stack's end; None: there was nothing to adopt, or the chain was canceled."""
        while not self._progress.is_canceling:
            # A start is never interrupted: whether there is a child to wait for must be known.
            handle = await self._start_execution(stack)
            if handle is not None:
                report: progress.StackReport | None = await self._interruptibly(handle)
                return report
            await self._await_turn(stack)
        return None

    async def _start_execution(
        self, stack: progress.StackProgress
    ) -> workflow.ChildWorkflowHandle[Any, progress.StackReport | None] | None:
        """Start the stack's execution; None: another chain has the stack."""
        planned = self._planned[stack.id]
        origin = self._stacks[stack.adopts_from].run_id if stack.adopts_from else None
        argument = messages.StackExecutionInput(
            connection=self._input.connection,
            stack_id=stack.id,
            chain_workflow_id=workflow.info().workflow_id,
            chain_workflow_run_id=workflow.info().run_id,
            marker=f"stackchain {self._title()}",
            adopt_origin=origin,
            surplus_origins=[] if origin else self._origin_run_ids(planned.queued_by),
            queuers=list(planned.queuers),
        )
        try:
            return await workflow.start_child_workflow(
                stack_execution.StackExecutionWorkflow.run,
                argument,
                id=self._execution_id(stack),
                parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL,
                cancellation_type=_WAIT_FOR_CLEAN_UP,
                static_summary=f"{stack.id} for {self._title()}",
            )
        except temporalio.exceptions.WorkflowAlreadyStartedError:
            return None

    def _title(self) -> str:
        return f"{self._input.namespace}/{self._input.name} run {self._input.number}"

    def _execution_id(self, stack: progress.StackProgress) -> str:
        return ids.execution_workflow_id(account=self._input.connection.account, stack_id=stack.id)

    async def _await_turn(self, stack: progress.StackProgress) -> None:
        """Another chain has the stack: wait for its end in one activity, not by trying again."""
        stack.reason = reasons.StackReason.STACK_BUSY
        stack.message = f"Another chain runs '{stack.id}'; its turn comes when that has ended."
        self._changed()
        waiting = workflow.start_activity_method(
            stack_operations.StackOperations.await_execution_end,
            messages.AwaitExecutionInput(workflow_id=self._execution_id(stack)),
            task_queue=ids.follow_queue(workflow.info().task_queue),
            start_to_close_timeout=calls.WAIT_TIMEOUT,
            heartbeat_timeout=calls.HEARTBEAT_TIMEOUT,
            retry_policy=calls.PATIENT,
            cancellation_type=workflow.ActivityCancellationType.TRY_CANCEL,
            summary=f"wait for {stack.id}",
        )
        try:
            await self._interruptibly(waiting)
        except (temporalio.exceptions.ActivityError, asyncio.CancelledError) as error:
            if not temporalio.exceptions.is_cancelled_exception(error):
                raise
        stack.reason, stack.message = reasons.StackReason.STARTING, ""
        self._changed()

    def _start_over(self, stack: progress.StackProgress) -> None:
        """There is no run here: the chain triggers one when a slot is free, if it still goes on."""
        stack.adopts_from = None
        stack.is_started = False
        stack.phase, stack.reason, stack.message = Phase.PENDING, "", ""

    # Runs that Spacelift queues by itself

    def _origin_run_ids(self, origins: Iterable[str]) -> list[str]:
        runs = {stack_id: self._stacks[stack_id].run_id for stack_id in origins}
        return policy.native_reach(list(runs), runs)

    def _stop_surplus_fan_out(self) -> None:
        """A run was created: what it queued on stacks that another wave or the chain runs, ends."""
        for origin in self._progress.stacks:
            if origin.run_id is None or origin.id in self._fanned_out:
                continue
            self._fanned_out.add(origin.id)
            targets = [
                stack_id
                for stack_id in self._reached.get(origin.id, ())
                if self._stacks[stack_id].adopts_from != origin.id
                and not self._stacks[stack_id].phase.is_over
            ]
            self._stop_natives(targets, note="another run is used here")

    def _stop_natives(
        self, stack_ids: Iterable[str], *, note: str = "an upstream stack did not succeed"
    ) -> None:
        """Stop what all known origins queued on stacks: waves that interleave are told apart."""
        targets = []
        for stack_id in stack_ids:
            planned, stack = self._planned[stack_id], self._stacks[stack_id]
            used = None if stack.phase.is_over else stack.adopts_from
            queued_by = [origin for origin in planned.queued_by if origin != used]
            if origins := self._origin_run_ids(queued_by):
                targets.append(
                    messages.NativeRunTarget(
                        stack_id=stack_id,
                        origin_run_ids=origins,
                        queuers=list(planned.queuers),
                        keep_run_id=stack.run_id,
                    )
                )
        if targets:
            stop = self._stop_targets(targets, note=f"stackchain: {note}")
            self._stops.append(asyncio.create_task(stop))

    async def _stop_targets(self, targets: list[messages.NativeRunTarget], *, note: str) -> None:
        def ignore(_: tuple[str, str] | None) -> None:
            """The stacks' own executions report what is wrong with Spacelift."""

        try:
            result: messages.StopNativeRunsResult = await calls.persist(
                stack_operations.StackOperations.stop_native_runs,
                messages.StopNativeRunsInput(
                    connection=self._input.connection, targets=targets, note=note
                ),
                summary=f"stop unwanted runs of {len(targets)} stacks",
                on_problem=ignore,
                start_to_close=calls.BULK_TIMEOUT,
            )
        except temporalio.exceptions.ActivityError as error:
            why = calls.cause_of(error)[1]
            ends = [(target.stack_id, _not_stopped(why)) for target in targets]
        else:
            ends = [(end.stack_id, text) for end in result.runs if (text := _left(end))]
        for stack_id, text in ends:
            stack = self._stacks[stack_id]
            if stack.phase.is_over:
                stack.message += text
        self._changed()

    # The end

    def _finish(self) -> None:
        if self._progress.stacks:
            progress.settle(self._progress)
        elif self._progress.is_canceling and not self._progress.phase.is_over:
            self._progress.phase = Phase.CANCELED
            self._progress.reason = reasons.ChainReason.RUN_CANCELED
            self._progress.message = "The chain was canceled before it triggered anything."
        self._progress.problem_reason = self._progress.problem_message = ""
        self._progress.completed_at = _now()
        self._progress.sequence += 1

    def _changed(self) -> None:
        self._progress.sequence += 1
        if self._progress.stacks and not self._is_closing:
            progress.settle(self._progress)
        workflow.set_current_details(_details(self._progress))

    # Telling

    async def _publish_changes(self) -> None:
        """The only publisher: one publish at a time, of whatever is newest when it is written."""
        while True:
            await workflow.wait_condition(lambda: self._progress.sequence > self._published)
            try:
                self._published = await self._publish(is_final=False)
            except temporalio.exceptions.ActivityError as error:
                if not temporalio.exceptions.is_cancelled_exception(error):
                    self._unwanted = calls.cause_of(error)[1]
                    self._cancel()
                return

    async def _publish_end(self, publishing: asyncio.Task[None]) -> None:
        self._is_closing = True
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)
        if self._unwanted is not None:
            workflow.logger.info("Nobody wants this run", extra={"why": self._unwanted})
            return
        try:
            await self._publish(is_final=True)
        except temporalio.exceptions.ActivityError as error:
            # The result holds the same facts, and reconcile reads it.
            workflow.logger.warning("Last publish failed", extra={"why": calls.cause_of(error)[1]})

    async def _publish(self, *, is_final: bool) -> int:
        info = workflow.info()
        size = len(self._progress.stacks)
        result: messages.PublishChainStatusResult = await workflow.execute_activity_method(
            chain_status.ChainStatus.publish_chain_status,
            messages.PublishChainStatusInput(
                namespace=self._input.namespace,
                name=self._input.name,
                uid=self._input.uid,
                workflow_id=info.workflow_id,
                workflow_run_id=info.run_id,
                interval_milliseconds=max(1000, size * 20),
                is_final=is_final,
            ),
            task_queue=self._input.operator_queue,
            start_to_close_timeout=_PUBLISH_TIMEOUT,
            schedule_to_close_timeout=_FINAL_PUBLISH_LIMIT if is_final else None,
            heartbeat_timeout=_PUBLISH_HEARTBEAT,
            retry_policy=calls.PUBLISH,
            cancellation_type=workflow.ActivityCancellationType.TRY_CANCEL,
            summary="publish the status",
        )
        return result.sequence


def _now() -> str:
    return workflow.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def _ended(
    stack: progress.StackProgress, error: temporalio.exceptions.FailureError
) -> progress.StackReport:
    return progress.StackReport(
        stack_id=stack.id,
        phase=Phase.FAILED,
        reason=reasons.StackReason.EXECUTION_ENDED,
        message="The stack's workflow was ended from outside; its Spacelift run may still go on "
        f"({calls.cause_of(error)[1]}).",
    )


def _not_stopped(why: str) -> str:
    return f" A run that Spacelift queued here could not be stopped: {why}"


def _left(end: messages.NativeRunEnd) -> str:
    """What is to be said of a run that goes on although it is not wanted; "" if it does not."""
    if end.problem:
        return _not_stopped(end.problem)
    if end.state == "FINISHED":
        return (
            f" Its run {end.run_id}, which Spacelift had queued, was faster than the chain and "
            f"has finished: {end.url}"
        )
    if end.is_left:
        return (
            f" Its run {end.run_id}, which Spacelift had queued, was {end.state} already and is "
            f"left to end: {end.url}"
        )
    return ""


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

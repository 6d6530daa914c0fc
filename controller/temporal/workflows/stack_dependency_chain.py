"""StackDependencyChainWorkflow: discovers the stacks, starts each when its upstreams succeeded.

Deciding is `controller.chain`'s; this module starts, stops, listens and reports. It always
completes (ADR 0006), and a stack that waits takes no slot (ADR 0018 and 0040).
"""

import asyncio
import dataclasses

import temporalio.exceptions
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from controller import times
    from controller.api import v1alpha1
    from controller.api.v1alpha1 import Phase
    from controller.chain.graph import resolve
    from controller.chain.run import (
        durations,
        estimates,
        failures,
        gates,
        live_requests,
        next_stacks,
        outcome,
        policy,
        progress,
        web_details,
    )
    from controller.temporal import ids, messages, search_attributes
    from controller.temporal.activities import earlier_stacks
    from controller.temporal.workflows import (
        activity_calls,
        chain_messages,
        deadlines,
        discovery,
        gate_timer,
        interruption,
        publishing,
        resets,
        signal_handlers,
        stack_runner,
        unwanted_runs,
        window_reads,
    )

# Between two looks at what was started before a reset and is to end.
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 30.0

_NOTE_OF_CANCEL = "the chain was canceled"


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
            stages=gates.stages_of(argument.scope.stages, argument.scope.operation),
        )
        self._gate_timer = gate_timer.GateTimer(self._changed)
        self._windows = window_reads.WindowReads(
            argument.scope, self._progress, on_change=self._changed, on_problem=self._on_problem
        )
        self._stacks: dict[str, progress.StackProgress] = {}
        self._remaining: dict[str, float] = {}
        # Of the discovery, and of what the stacks wait for.
        self._interruption = interruption.Interruption()
        self._unwanted = unwanted_runs.UnwantedRunStopper(argument.connection, self._changed)
        self._runner = stack_runner.StackRunner(
            argument,
            self._progress,
            self._unwanted,
            self._interruption,
            may_start=lambda: self._publishing.is_wanted,
            on_change=self._changed,
        )
        self._reset = resets.ResetNotice()
        self._publishing = publishing.Publishing(argument, self._progress, self._reset)
        self._changed_at = workflow.now()
        self._stopping: asyncio.Task[None] | None = None
        # Whether the discovery has ended, well or not.
        self._is_read = False
        self._is_closing = False
        # What came before the stacks were read.
        self._requests: list[progress.LiveRequest] = []

    @workflow.query(name=ids.PROGRESS_QUERY)
    def get_progress(self) -> progress.ChainProgress:
        """The facts as they are now, and by them when the run is likely to end.

        The same facts give the same time, whenever someone asks: nothing is written again for it.
        """
        estimated = estimates.completion_time(
            self._progress, self._input.durations, now=self._changed_at
        )
        return dataclasses.replace(
            progress.packed(self._progress), estimated_completion_time=estimated
        )

    @signal_handlers.signal(ids.PARALLELISM_SIGNAL)
    def set_parallelism(self, argument: messages.SetParallelism) -> None:
        """Change how many stacks may run at once; running ones continue."""
        if not 1 <= argument.parallelism <= v1alpha1.MAX_STACKS:
            return
        self._progress.policies = dataclasses.replace(
            self._progress.policies, parallelism=argument.parallelism
        )
        self._changed()

    @signal_handlers.signal(ids.SUSPEND_SIGNAL)
    def suspend(self) -> None:
        """Start no further stack; running ones end."""
        if not self._progress.is_suspended:
            self._progress.is_suspended = True
            self._unwanted.stop_on_suspend()
            self._changed()
            self._end_if_abandoned()

    @signal_handlers.signal(ids.RESUME_SIGNAL)
    def resume(self) -> None:
        """Start stacks again."""
        if self._progress.is_suspended:
            self._progress.is_suspended = False
            self._changed()

    @signal_handlers.signal(ids.ORPHAN_SIGNAL)
    def orphan(self) -> None:
        """Continue without the resource, which is being deleted."""
        self._progress.is_orphan = True
        self._publishing.orphan()
        memo = _memo()
        if memo is not None and not memo.is_orphan:
            # A listing of the live runs must show that this one is meant to have no owner.
            workflow.upsert_memo({ids.MEMO: messages.as_orphan(memo)})
        self._changed()
        self._end_if_abandoned()

    @signal_handlers.signal(ids.REQUEST_SIGNAL)
    def request_stacks(self, request: progress.LiveRequest) -> None:
        """Have stacks run once more or count as done, or a stage start.

        The same request twice changes nothing. A request that comes too late for this run is left
        to the next one: it is not noted as handled.
        """
        if (
            request.number == self._progress.number
            and len(request.token) <= v1alpha1.LONGEST_NAMING_TOKEN
        ):
            self._requests.append(request)
            self._take_requests()

    @signal_handlers.signal(ids.REPORT_SIGNAL)
    def report_stack_progress(self, report: progress.StackReport, first_run_id: str) -> None:
        """Take over what a stack's execution reports; the same report twice changes nothing.

        A report for another run of the chain is not about this one. Nor is a report from before a
        reset about a stack that is to be started again.
        """
        if first_run_id != workflow.info().first_execution_run_id:
            return
        stack = self._stacks.get(report.stack_id)
        # Ends travel as the execution's result: nothing starts before an execution has closed.
        if stack is None or not stack.is_started or report.phase.is_over:
            return
        if progress.apply_report(stack, report, now=_now()):
            self._changed()
        if self._progress.is_canceling or report.is_stopping:
            # The run may be news: what it made Spacelift queue is stopped before it.
            self._add_new_runs()
        if report.is_stopping:
            self._runner.let_stop(stack)

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
        return progress.packed(self._progress)

    async def _work(self) -> None:
        publishing_task = asyncio.create_task(self._publishing.run(self._cancel))
        deadline = deadlines.ActiveDeadline(
            self._input.policies.active_deadline_seconds,
            is_suspended=lambda: self._progress.is_suspended and not self._progress.is_orphan,
            on_passed=self._active_deadline_passed,
        )
        hearing = asyncio.create_task(self._hear_of_ends())
        self._changed()
        if await self._resolve():
            await self._roll()
        hearing.cancel()
        deadline.close()
        self._gate_timer.set(None)
        await self._windows.close()
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

    def _end_if_abandoned(self) -> None:
        """End a run that no one can resume or approve, once what it had started has ended."""
        if self._progress.is_canceling:
            return
        stage = gates.unapprovable_stage(self._progress)
        if stage or (self._progress.is_abandoned and progress.is_idle(self._progress)):
            self._progress.unapproved_stage = stage
            self._cancel()

    async def _stop(self) -> None:
        """Stop what waits behind the running stacks first, then these.

        Spacelift skips the direct dependents of a run that was stopped, and a skipped run does not
        stop its own dependents: they would apply.
        """
        if self._reset.has_come:
            await self._take_over_earlier()
        self._add_new_runs()
        waiting = [s for s in self._stacks.values() if not (s.is_started or s.phase.is_over)]
        for stack in waiting:
            stack.adopts_from = None
        self._unwanted.stop([stack.id for stack in waiting], note=_NOTE_OF_CANCEL)
        running = (s.id for s in self._stacks.values() if s.is_started and not s.phase.is_over)
        await self._unwanted.await_ends_behind(*running)
        self._interruption.interrupt()

    # What executions before a reset have started (ADR 0043)

    async def _hear_of_ends(self) -> None:
        """Take the ends of stacks that Temporal has told another execution of this run.

        That is one that a reset made before, of which this one does not continue the history.
        """
        heard = 0
        while True:
            heard = await self._reset.another(heard)
            if awaited := self._runner.awaited_ends:
                found = await self._find_ends([one.execution for one in awaited])
                for one in awaited:
                    if (end := found.get(one.execution)) is not None:
                        self._runner.take_end_from_elsewhere(one, end)

    async def _find_ends(
        self, awaited: list[messages.AwaitedExecution]
    ) -> dict[messages.AwaitedExecution, messages.StackEnd]:
        result = await activity_calls.persist(
            earlier_stacks.EarlierStackFinder.find_stack_ends,
            messages.FindStackEndsInput(awaited=awaited),
            summary="find what has ended around the reset",
            on_problem=self._on_problem,
            start_to_close=activity_calls.BULK_TIMEOUT,
        )
        return {end.execution: end for end in result.ends}

    async def _take_over_earlier(self) -> None:
        """Have this execution's own children stop what children of earlier ones have running.

        The graph is read to its end for that, since it says what to stop first.
        """
        await workflow.wait_condition(lambda: self._is_read)
        await self._runner.settle()
        found = await self._find_earlier() if self._stacks else []
        open_stacks = {
            chain_messages.execution_id(self._input, stack.id): stack
            for stack in self._stacks.values()
            if not (stack.is_started or stack.phase.is_over)
        }
        if found is None:
            # Each stack says that its run is not known.
            found = [messages.EarlierStack(workflow_id=item) for item in open_stacks]
        earlier = [item for item in found if item.workflow_id in open_stacks]
        for item in earlier:
            if item.report is not None:
                self._runner.take_end(open_stacks[item.workflow_id], item.report)
        for item in earlier:
            if item.report is None:
                self._runner.take_over(open_stacks[item.workflow_id])
        self._changed()

    async def _end_left(self) -> None:
        """End what was started before a reset and that no stack of this execution takes over."""
        pause = _FIRST_PAUSE_SECONDS
        known = [
            chain_messages.execution_id(self._input, stack.id)
            for stack in self._stacks.values()
            if not stack.phase.is_over
        ]
        while self._reset.has_come:
            found = await self._find_earlier() or []
            left = [i.workflow_id for i in found if i.is_running and i.workflow_id not in known]
            if not left:
                return
            for workflow_id in left:
                await self._runner.signal(workflow_id, ids.CANCEL_SIGNAL)
                await self._runner.signal(workflow_id, ids.MAY_STOP_SIGNAL)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _find_earlier(self) -> list[messages.EarlierStack] | None:
        """Return what was started before a reset; None: no one knows, as its history is gone."""
        try:
            result = await activity_calls.persist(
                earlier_stacks.EarlierStackFinder.find_earlier_stacks,
                messages.FindEarlierStacksInput(chain=chain_messages.chain_execution()),
                summary="find what was started before the reset",
                on_problem=self._on_problem,
                start_to_close=activity_calls.BULK_TIMEOUT,
            )
        except temporalio.exceptions.ActivityError as error:
            workflow.logger.warning(
                "What was started before the reset is not known",
                extra={"why": activity_calls.cause_of(error)[1]},
            )
            return None
        return result.stacks

    # Requests of people

    def _take_requests(self) -> None:
        if self._progress.resolved_time is None or self._progress.is_canceling or self._is_closing:
            return
        requests, self._requests = self._requests, []
        if requests:
            # A stage may have waited long enough at this very moment, which then ends its timer:
            # that is news even if nothing else is.
            self._changed()
        for request in requests:
            effect = live_requests.take(self._progress, request, now=_now())
            if effect is None:
                continue
            for stack_id in effect.reopened:
                self._runner.reopen(stack_id)
            for stack_id in effect.bypassed:
                self._runner.give_up(stack_id)
                self._unwanted.release(stack_id)
            self._changed()

    # Deadlines

    def _active_deadline_passed(self) -> None:
        if not (self._progress.is_canceling or self._is_closing):
            self._progress.is_timed_out = True
            self._cancel()

    # Discovery

    async def _resolve(self) -> bool:
        try:
            return await self._read()
        except resolve.GraphProblem as problem:
            self._is_read = True
            await self._end_left()
            self._progress.phase = Phase.FAILED
            self._progress.reason, self._progress.message = problem.reason, problem.message
            return False
        finally:
            self._is_read = True

    async def _read(self) -> bool:
        reading = discovery.discover(self._input, on_problem=self._on_problem)
        try:
            found = await self._interruption.wait_for(asyncio.create_task(reading))
        except (temporalio.exceptions.ActivityError, asyncio.CancelledError) as error:
            if not temporalio.exceptions.is_cancelled_exception(error):
                raise
            return False
        resolved, self._runner.permits = found.graph, found.permits
        progress.adopt_graph(
            self._progress,
            resolved,
            kept=found.kept,
            finished=self._input.finished_roots,
            lost=found.lost,
            left=self._input.left,
            named=[item.stack_id for item in self._input.retried if item.is_named],
            now=_now(),
        )
        self._stacks = {stack.id: stack for stack in self._progress.stacks if not stack.is_lost}
        self._remaining = estimates.remaining_seconds(self._progress, self._input.durations)
        self._unwanted.set_graph(resolved, self._stacks, found.permits)
        self._take_requests()
        self._changed()
        return True

    def _on_problem(self, problem: tuple[str, str] | None) -> None:
        kind, message = problem or ("", "")
        self._progress.problem_reason = failures.chain_problem(kind) if problem else ""
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
            self._add_new_runs()
        while True:
            await self._start_all()
            if await self._await_ends():
                return

    @property
    def _is_rolling(self) -> bool:
        return not (self._progress.is_canceling or progress.is_over(self._progress))

    async def _start_all(self) -> None:
        """Start stacks until all have ended, or the chain is canceled."""
        self._skip_unwanted()
        while self._is_rolling:
            # After a reset the resource is asked anew; what has started is followed meanwhile.
            if self._publishing.is_wanted:
                self._start_ready()
            await self._await_news()
            self._skip_unwanted()
            self._add_new_runs()
            self._unwanted.leave_failed()
            self._end_if_abandoned()

    async def _await_news(self) -> None:
        seen, is_wanted = self._progress.sequence, self._publishing.is_wanted
        await workflow.wait_condition(
            lambda: self._progress.sequence > seen or self._publishing.is_wanted is not is_wanted
        )

    async def _await_ends(self) -> bool:
        """Return once nothing of the run is under way; False if a person asked for more by then."""
        await self._runner.wait()
        if self._reset.has_come:
            if self._stopping is not None:
                await self._stopping
                await self._runner.wait()
            await self._end_left()
        self._add_new_runs()
        is_canceling = self._progress.is_canceling
        if is_canceling:
            policy.cancel_unreached(self._progress, now=_now())
            not_run = [stack.id for stack in self._stacks.values() if stack.run_id is None]
            self._unwanted.stop(not_run, note=_NOTE_OF_CANCEL)
        stopping = asyncio.create_task(self._unwanted.wait())
        await workflow.wait_condition(lambda: stopping.done() or self._is_rolling)
        if not stopping.done():
            stopping.cancel()
            await asyncio.gather(stopping, return_exceptions=True)
            return False
        stopping.result()
        return is_canceling or progress.is_over(self._progress)

    def _add_new_runs(self) -> None:
        self._unwanted.add_new_runs(is_suspended=self._progress.is_suspended)

    def _start_ready(self) -> None:
        self._update_gates()
        self._windows.read_if_due()
        again = next_stacks.stacks_with_next_run(self._progress)
        for stack in again:
            self._runner.let_trigger(stack)
        ready = next_stacks.ready_stacks(
            self._progress,
            remaining=self._remaining,
            held_back={*self._unwanted.open_stacks, *self._runner.open_stacks},
        )
        for stack in ready:
            self._runner.start(stack)
        if again or ready:
            self._changed()

    def _skip_unwanted(self) -> None:
        skipped = policy.skip_unwanted(self._progress, now=_now())
        for stack_id in skipped:
            self._runner.give_up(stack_id)
        self._unwanted.stop(skipped, note="an upstream stack did not succeed")
        if skipped:
            self._changed()

    # The end

    def _finish(self) -> None:
        if self._progress.stacks:
            gates.update(self._progress, now=workflow.now())
            outcome.set_outcome(self._progress)
        elif self._progress.is_canceling and not self._progress.phase.is_over:
            outcome.set_unresolved_outcome(self._progress)
        self._progress.problem_reason = self._progress.problem_message = ""
        self._progress.completion_time = _now()
        self._progress.sequence += 1
        self._show()

    def _update_gates(self) -> None:
        gates.update(self._progress, now=workflow.now())
        is_ending = self._is_closing or self._progress.is_canceling
        self._gate_timer.set(None if is_ending else gates.next_time(self._progress))

    def _changed(self) -> None:
        self._progress.sequence += 1
        self._changed_at = workflow.now()
        durations.update(self._progress, now=self._changed_at)
        if self._progress.stacks and not self._is_closing:
            self._update_gates()
            outcome.set_outcome(self._progress)
        self._show()

    def _show(self) -> None:
        """Have Temporal's web UI and its lists show the present state of the run."""
        workflow.set_current_details(web_details.table_of(self._progress))
        reason = self._progress.problem_reason or self._progress.reason
        update = search_attributes.new_reason(workflow.info().typed_search_attributes, reason)
        if update is not None:
            workflow.upsert_search_attributes([update])


def _now() -> str:
    return times.rfc3339(workflow.now())


def _memo() -> messages.ChainMemo | None:
    """Return the memo; None for an execution that someone started by hand, with any other."""
    try:
        memo = workflow.memo_value(ids.MEMO, default=None, type_hint=messages.ChainMemo)
    except (TypeError, ValueError, KeyError, RuntimeError):
        return None
    return memo if isinstance(memo, messages.ChainMemo) else None

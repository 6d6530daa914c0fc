"""StackExecutionWorkflow: one stack's run, found or triggered, followed to its end.

Its workflow id belongs to the stack, not to the chain, so Temporal allows one at a time over all
chains and clusters. So a run is ours if it is newer than the one found at the start, and was
triggered with our key (ADR 0003). The chain learns phases, not states (ADR 0007).
"""

import asyncio
import contextlib
import dataclasses
import datetime

import temporalio.exceptions
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from controller import times
    from controller.api import reasons, v1alpha1
    from controller.chain.run import (
        failures,
        holds,
        progress,
        reports_without_reading,
        retries,
        run_snapshots,
        run_sources,
        run_states,
        stack_lines,
        stack_reports,
        stops,
    )
    from controller.temporal import ids, messages
    from controller.temporal.workflows import (
        activity_calls,
        confirmation,
        deadlines,
        resets,
        run_creation,
        signal_handlers,
        stack_activities,
        stack_reporter,
        wakes,
        window_reads,
    )

# The chain gives up earlier; beyond this it is gone.
_LEAVE_LIMIT = datetime.timedelta(seconds=90)

_CANCELED = stops.Stop(kind=stops.StopKind.CHAIN_CANCELED)


@workflow.defn(name=ids.EXECUTION_WORKFLOW)
class StackExecutionWorkflow:
    """find -> adopt or trigger -> follow -> classify, and again after a failure if that is wished.

    Never triggers a second run while there is one that it may have triggered.
    """

    @workflow.init
    def __init__(self, argument: messages.StackExecutionInput) -> None:
        self._input = argument
        self._run: run_snapshots.RunSnapshot | None = None
        # The last run, once it failed and another one is to follow.
        self._failed: run_snapshots.RunSnapshot | None = None
        self._failed_source: v1alpha1.RunSource | None = None
        # A native run that Spacelift skipped for a reason that is not the chain's.
        self._passed_over = ""
        # How many runs there were.
        self._attempts = 0
        self._newest_run_id = ""
        # Of the API key that triggers a run above it.
        self._key_id = ""
        # What holds the stack, so that the execution ends without having done anything.
        self._held: progress.StackReport | None = None
        self._trigger: run_creation.RunCreation | None = None
        # Of the last run.
        self._run_source: v1alpha1.RunSource | None = None
        # Why what runs is to be stopped.
        self._stop: stops.Stop | None = _CANCELED if argument.is_canceled else None
        # A run that was there before a reset is looked for even if it is only to be stopped.
        self._reset = resets.ResetNotice(has_come=argument.chain.is_reset)
        self._has_searched = False
        # The chain is asked before the run is stopped, and has answered.
        self._is_asking = False
        self._may_stop = False
        # The chain has a slot for the next run.
        self._has_slot = True
        self._line = list(argument.line)
        self._wakes = wakes.Wakes()
        self._running: asyncio.Task[progress.StackReport | None] | None = None
        self._reported_summary = ""
        self._reports = stack_reporter.StackReporter(argument, on_chain_gone=self._let_stop)
        self._calls = stack_activities.StackActivities(argument, on_problem=self._on_problem)
        self._confirmation = confirmation.Confirmation(
            self._calls,
            is_ours=argument.policies.confirmation_policy is v1alpha1.ConfirmationPolicy.AUTO,
            is_limited=argument.policies.confirmation_limits is not None,
            on_open=self._wakes.read,
        )
        self._deadlines = deadlines.StackDeadlines(
            stack_seconds=argument.policies.stack_deadline_seconds,
            confirmation_seconds=argument.policies.confirmation_deadline_seconds,
            on_passed=self._end_early,
        )

    @signal_handlers.signal(ids.WAKE_SIGNAL)
    def wake(self) -> None:
        """Something happened to the stack: read it now instead of at the next tick."""
        if self._wakes.note():
            self._confirmation.try_again()

    @signal_handlers.signal(ids.MAY_STOP_SIGNAL)
    def may_stop(self, chain_first_run_id: str) -> None:
        """What Spacelift would start once the run is stopped has ended."""
        if self._is_of(chain_first_run_id):
            self._let_stop()

    @signal_handlers.signal(ids.MAY_TRIGGER_SIGNAL)
    def may_trigger(self, chain_first_run_id: str) -> None:
        """The chain has a slot for the next run."""
        self._has_slot = self._has_slot or self._is_of(chain_first_run_id)

    @signal_handlers.signal(ids.CANCEL_SIGNAL)
    def cancel(self, chain_first_run_id: str) -> None:
        """The chain is canceled."""
        if self._is_of(chain_first_run_id):
            self._end_early(_CANCELED)

    @signal_handlers.signal(ids.JOIN_LINE_SIGNAL)
    def join_line(self, chain: stack_lines.WaitingChain) -> None:
        """Another chain waits for the stack; the memo says in which order they came."""
        line = stack_lines.joined(self._line, chain)
        if line != self._line:
            self._line = line
            workflow.upsert_memo({ids.LINE_MEMO: line})

    @workflow.query(name=ids.HOLDER_QUERY)
    def get_holder(self) -> holds.HoldingChain:
        """Which chain has the stack, and what its run waits for."""
        chain = self._input.marker.removeprefix("stackchain ")
        return holds.as_holder(chain, self._reports.newest)

    @workflow.query(name=ids.RUN_ID_QUERY)
    def get_run_id(self) -> str | None:
        """The run that the execution triggered or adopted, the newest if there were several."""
        run = self._run or self._failed
        return run.run_id if run is not None else None

    @workflow.run
    async def run(self, argument: messages.StackExecutionInput) -> progress.StackReport | None:
        """Return the stack's end; without an end, nothing was done.

        None: there was no run to adopt. A report that the stack waits: for what holds it.
        """
        work = asyncio.create_task(self._work())
        while not work.done():
            try:
                await workflow.wait_condition(work.done)
            except asyncio.CancelledError:
                # Only noted here: it must interrupt the roll and never the clean-up.
                self._end_early(_CANCELED)
        return work.result()

    def _is_of(self, chain_first_run_id: str) -> bool:
        return chain_first_run_id == self._input.chain.first_run_id

    def _let_stop(self) -> None:
        self._may_stop = True

    def _end_early(self, stop: stops.Stop) -> None:
        if self._stop is None:
            self._stop = stop
            self._confirmation.give_up()
            if self._running is not None and not self._must_search:
                self._running.cancel()

    @property
    def _must_search(self) -> bool:
        return self._reset.has_come and not self._has_searched

    async def _work(self) -> progress.StackReport | None:
        reporting = asyncio.create_task(self._reports.send())
        self._running = asyncio.create_task(self._roll())
        if self._stop is not None and not self._must_search:
            self._running.cancel()
        try:
            try:
                report = await self._running
            except (temporalio.exceptions.ActivityError, asyncio.CancelledError) as error:
                if not temporalio.exceptions.is_cancelled_exception(error):
                    raise
                report = await self._clean_up(self._stop or _CANCELED)
        except temporalio.exceptions.ActivityError as error:
            report = self._refused(error)
        self._deadlines.close()
        self._confirmation.give_up()
        # The end travels as the result; no report may come after it.
        self._reports.close()
        await reporting
        return run_sources.told(report, self._run_source) if report is not None else None

    async def _roll(self) -> progress.StackReport | None:
        while (obtained := await self._obtain_run()) is not None:
            run = await self._follow(obtained)
            if self._is_adopted and stack_reports.is_skipped_for_another(run):
                if self._input.adopt_origin is not None:
                    # The stacks behind this one leave the wave with it (ADR 0017).
                    return None
                self._pass_over(run)
                continue
            if not run.is_failed or self._attempts > self._input.policies.retry.limit:
                return self._classify(run)
            await self._pause(run)
        return self._held

    # A run to follow

    async def _obtain_run(self) -> run_snapshots.RunSnapshot | None:
        """Adopt or trigger; None if there is no run to adopt, or none can be created now."""
        while True:
            await self._await_slot()
            is_first = self._attempts == 0
            origin = self._input.adopt_origin if is_first else None
            known_run_id = self._passed_over or self._input.earlier_run_id
            if self._failed is not None:
                known_run_id = self._failed.run_id
            # What is found may be what a wake was about that comes from now on.
            self._wakes.take()
            found = await self._calls.find(origin, is_first=is_first, known_run_id=known_run_id)
            self._newest_run_id, self._key_id = found.newest_run_id, found.key_id
            there = self._take_found(found)
            self._has_searched = True
            if self._stop is not None:
                # The cancel waited for this.
                self._trigger = self._new_trigger(found) if found.earlier is not None else None
                raise asyncio.CancelledError
            if there is not None:
                return there
            if origin is not None and found.earlier is None:
                return None
            if found.held is not None:
                if self._attempts == 0:
                    # The stack is given back, and takes no slot of the chain meanwhile.
                    held = self._waiting(found.held)
                    self._held = dataclasses.replace(held, opens_at=found.opens_at)
                    return None
                await self._await_release(found.held, opens_at=found.opens_at)
            elif (created := await self._create_run(found)) is not None:
                return created

    def _take_found(self, found: messages.FindStackRunResult) -> run_snapshots.RunSnapshot | None:
        """Follow a run that is there: one to adopt, or that was there before a reset."""
        earlier = found.earlier
        if earlier is not None:
            self._attempts = max(self._attempts, earlier.attempts - 1)
        run_id = earlier.run_id if earlier is not None else found.adopted_run_id
        if run_id is None:
            return None
        self._run_source = run_sources.of_found(
            is_earlier=earlier is not None,
            was_adopted=earlier is not None and earlier.is_adopted,
        )
        self._run = run_snapshots.RunSnapshot(run_id=run_id, state=run_states.RunState.QUEUED)
        self._run_is_known()
        return self._run

    def _pass_over(self, run: run_snapshots.RunSnapshot) -> None:
        """Continue as if a native run from before a reset were not there."""
        self._passed_over, self._run = run.run_id, None
        # What is reported is about the run that failed before, if there was one.
        self._run_source = self._failed_source
        self._attempts -= 1

    async def _await_release(
        self, held: progress.StackMeaning, *, opens_at: str | None = None
    ) -> None:
        """Between two runs, wait for a wake, or until what holds the stack has changed or is gone.

        `opens_at`: its window holds it.
        """
        self._has_slot = False
        self._show_waiting(held)
        waiting: asyncio.Task[None] = (
            asyncio.create_task(window_reads.sleep_until_open(opens_at))
            if opens_at is not None
            else self._calls.await_release(held.message)
        )
        try:
            await self._wakes.until_done_or_woken(waiting)
        finally:
            wakes.give_up(waiting)

    async def _create_run(
        self, found: messages.FindStackRunResult
    ) -> run_snapshots.RunSnapshot | None:
        """Create a run; None if the stack was locked or disabled in between."""
        self._trigger = self._new_trigger(found)
        self._run = created = await self._trigger.create()
        if created is not None:
            self._run_source = v1alpha1.RunSource.TRIGGERED
            self._run_is_known()
        if self._stop is not None:
            # The cancel waited for this.
            raise asyncio.CancelledError
        if created is not None:
            self._report_run(created)
        return created

    def _new_trigger(self, found: messages.FindStackRunResult) -> run_creation.RunCreation:
        return run_creation.RunCreation(
            self._calls, found, is_stopped=lambda: self._stop is not None
        )

    def _run_is_known(self) -> None:
        self._attempts += 1
        self._wakes.is_read_due = True
        self._deadlines.run_is_known()

    async def _pause(self, run: run_snapshots.RunSnapshot) -> None:
        """Wait before the next run; the failed one is the stack's end if there will be none."""
        self._failed, self._run = run, None
        self._failed_source = self._run_source
        self._trigger, self._has_slot = None, False
        retry = self._input.policies.retry
        seconds = retries.pause_seconds(
            attempts=self._attempts,
            backoff_seconds=retry.backoff_seconds,
            max_backoff_seconds=retry.max_backoff_seconds,
        )
        next_at = workflow.now() + datetime.timedelta(seconds=seconds)
        self._tell(
            retries.pending(
                self._input.target.stack_id,
                run,
                attempts=self._attempts,
                limit=retry.limit,
                next_at=times.rfc3339(next_at),
            )
        )
        await asyncio.sleep(seconds)

    async def _await_slot(self) -> None:
        """Between two runs the slot is the chain's, which others may have meanwhile (ADR 0040)."""
        if self._has_slot or self._failed is None:
            return
        report = retries.wanting_slot(
            self._input.target.stack_id,
            self._failed,
            attempts=self._attempts,
            limit=self._input.policies.retry.limit,
        )
        self._tell(report)
        await workflow.wait_condition(lambda: self._has_slot)

    # Following it

    async def _follow(self, run: run_snapshots.RunSnapshot) -> run_snapshots.RunSnapshot:
        while not run.is_over:
            if self._confirmation.is_due(run):
                run = self._take(run, await self._confirmation.confirm(run))
            else:
                run = await self._next_reading(run)
        return run

    async def _next_reading(self, run: run_snapshots.RunSnapshot) -> run_snapshots.RunSnapshot:
        """Return the run after its next news, or as it was if it cannot be read at a wake."""
        read_now, known_summary = self._wakes.take(), self._reported_summary
        following = self._calls.follow(run, known_summary=known_summary, read_now=read_now)
        try:
            while not await self._wakes.until_done_or_woken(following):
                # A wake that comes while the run is read asks for another read.
                self._wakes.take()
                reading = await self._calls.read(run, known_summary=known_summary)
                if reading is None:
                    # The next wait starts with a read, and has time for it.
                    self._wakes.read()
                    return run
                if reading.news is not None:
                    return self._take(run, reading.news)
                if self._confirmation.is_due(run):
                    return run
            return self._take(run, following.result())
        finally:
            wakes.give_up(following)

    def _take(
        self, run: run_snapshots.RunSnapshot, news: run_snapshots.RunSnapshot | None
    ) -> run_snapshots.RunSnapshot:
        if news is None:
            return run
        if news.problem_reason:
            # It was not read: all but the problem is as it was.
            news = dataclasses.replace(
                run, problem_reason=news.problem_reason, problem_message=news.problem_message
            )
        self._confirmation.note(news)
        self._run = news
        self._report_run(news)
        return news

    # Stopping it

    async def _clean_up(self, stop: stops.Stop) -> progress.StackReport:
        """Stop what this execution may have running; a run that applies is allowed to finish."""
        await self._find_sent()
        if self._run is None:
            return self._not_run(stop)
        await self._await_leave(self._run)
        run = await self._stop_run(self._run, stop)
        called = run.stop_calls
        while not run.is_over:
            self._run = run
            self._report_run(run)
            possible = run.stop_calls
            if possible and possible != called:
                called, run = possible, await self._stop_run(run, stop)
            elif run.may_be_left:
                return stack_reports.left_unstopped(
                    self._input.target.stack_id, run, stop, attempts=self._attempts
                )
            else:
                run = await self._next_reading(run)
        return self._classify(run)

    async def _find_sent(self) -> None:
        """Find the run of a trigger whose answer had not come: it is this execution's to stop."""
        if self._run is None and self._trigger is not None and self._trigger.may_be_sent:
            self._run = await self._calls.find_triggered(self._newest_run_id, self._key_id)
            if self._run is not None:
                self._run_source = v1alpha1.RunSource.TRIGGERED
                self._attempts += 1

    async def _await_leave(self, run: run_snapshots.RunSnapshot) -> None:
        """Tell the chain that the run is to be stopped, and wait until it has stopped what waits.

        The chain may not know the run yet. The run has then made Spacelift queue others that
        nothing else stops.
        """
        self._is_asking = bool(run.stop_calls)
        self._report_run(run)
        if self._is_asking:
            with contextlib.suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: self._may_stop,
                    timeout=_LEAVE_LIMIT,
                    timeout_summary="native runs first",
                )
        self._is_asking = False

    async def _stop_run(
        self, run: run_snapshots.RunSnapshot, stop: stops.Stop
    ) -> run_snapshots.RunSnapshot:
        return await self._calls.stop(run.run_id, note=_note(stop))

    # Telling of it

    @property
    def _is_adopted(self) -> bool:
        return self._run_source is v1alpha1.RunSource.ADOPTED

    def _classify(self, run: run_snapshots.RunSnapshot) -> progress.StackReport:
        return stack_reports.classify(
            self._input.target.stack_id,
            run,
            is_adopted=self._is_adopted,
            stop=self._stop,
            attempts=self._attempts,
        )

    def _not_run(self, stop: stops.Stop) -> progress.StackReport:
        if self._failed is not None:
            return retries.stopped_before_retry(
                self._input.target.stack_id, self._failed, stop, attempts=self._attempts
            )
        return reports_without_reading.never_run(self._input.target.stack_id)

    def _refused(self, error: temporalio.exceptions.ActivityError) -> progress.StackReport:
        kind, message = activity_calls.cause_of(error)
        return reports_without_reading.refused(
            self._input.target.stack_id,
            kind,
            message,
            last=self._run or self._failed,
            attempts=self._attempts,
        )

    def _on_problem(self, problem: tuple[str, str] | None) -> None:
        if problem is not None:
            kind, message = problem
            self._show_waiting(_waits(failures.stack_problem(kind), message))
        elif self._run is not None:
            self._report_run(self._run)
        else:
            self._show_waiting(_waits(reasons.StackReason.STARTING))

    def _show_waiting(self, meaning: progress.StackMeaning) -> None:
        # Whatever is read of the run next is news to the chain.
        self._reported_summary = ""
        self._tell(self._waiting(meaning))

    def _waiting(self, meaning: progress.StackMeaning) -> progress.StackReport:
        return reports_without_reading.waiting(
            self._input.target.stack_id,
            meaning,
            run_id=self._run.run_id if self._run else None,
            attempts=self._attempts,
        )

    def _report_run(self, run: run_snapshots.RunSnapshot) -> None:
        if self._stop is None:
            self._deadlines.person_is_needed(is_needed=self._confirmation.needs_person(run))
        if not run.is_over:  # the end travels as the result
            self._reported_summary = stack_reports.summary(run)
            report = self._confirmation.report(
                self._input.target.stack_id, run, attempts=self._attempts
            ) or self._classify(run)
            self._tell(dataclasses.replace(report, is_stopping=self._is_asking))

    def _tell(self, report: progress.StackReport) -> None:
        self._reports.show(run_sources.told(report, self._run_source))


def _waits(reason: reasons.StackReason, message: str = "") -> progress.StackMeaning:
    return progress.StackMeaning(phase=v1alpha1.Phase.WAITING, reason=reason, message=message)


def _note(stop: stops.Stop) -> str:
    return f"stackchain: {stop.why}"

"""The activities of one stack's execution, with what they need of its input."""

import dataclasses

from temporalio import workflow

from controller.chain.run import run_snapshots, stack_reports
from controller.temporal import messages
from controller.temporal.activities import errors, stack_operations
from controller.temporal.workflows import activity_calls

_Operations = stack_operations.StackOperations
RunWait = workflow.ActivityHandle[run_snapshots.RunSnapshot | None]


class StackActivities:
    """Calls until there is an answer; waits are handles, since a wake or an end interrupts them."""

    def __init__(
        self, argument: messages.StackExecutionInput, *, on_problem: activity_calls.OnProblem
    ) -> None:
        self._input = argument
        self.on_problem = on_problem

    async def find(
        self, origin: str | None, *, is_first: bool, known_run_id: str
    ) -> messages.FindStackRunResult:
        """Return the newest run, and the one that the origin made Spacelift queue."""
        argument = messages.FindStackRunInput(
            target=self._input.target,
            adopt_origin=origin,
            queuers=self._input.queuers,
            chain=self._input.chain,
            first_run_id=workflow.info().first_execution_run_id,
            known_run_id=known_run_id,
            ahead_runs=self._input.ahead_runs if is_first else [],
            upstream_runs=self._input.upstream_runs if is_first else [],
            operation=self._input.operation,
        )
        return await activity_calls.persist(
            _Operations.find_stack_run,
            argument,
            summary=f"runs of {self._input.target.stack_id}",
            on_problem=self.on_problem,
        )

    def trigger_input(self, found: messages.FindStackRunResult) -> messages.TriggerStackRunInput:
        """Return what creates a run, newer than the newest one found."""
        return messages.TriggerStackRunInput(
            target=self._input.target,
            newest_run_id=found.newest_run_id,
            marker=self._input.marker,
            found_in=found.found_in,
            first_run_id=workflow.info().first_execution_run_id,
            key_id=found.key_id,
            was_attempted=found.earlier is not None,
            operation=self._input.operation,
            commit_sha=self._input.commit_sha,
            environment=self._input.environment,
        )

    async def trigger_once(
        self, argument: messages.TriggerStackRunInput
    ) -> run_snapshots.RunSnapshot:
        """Create a run in one try; a cancel does not interrupt it before its end is known."""
        attempt = workflow.start_activity_method(
            _Operations.trigger_stack_run,
            argument,
            start_to_close_timeout=activity_calls.CALL_TIMEOUT,
            heartbeat_timeout=activity_calls.HEARTBEAT_TIMEOUT,
            retry_policy=activity_calls.ONCE,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            summary=f"trigger {self._input.target.stack_id}",
        )
        return await activity_calls.end_of(attempt)

    async def trigger(self, argument: messages.TriggerStackRunInput) -> run_snapshots.RunSnapshot:
        """Create a run, however often it has to be tried."""
        return await activity_calls.persist(
            _Operations.trigger_stack_run,
            argument,
            # Only what is known to have changed nothing may be sent again unseen.
            then=lambda kind: dataclasses.replace(
                argument, was_attempted=kind not in errors.NOTHING_SENT
            ),
            summary=f"trigger {self._input.target.stack_id}",
            on_problem=self.on_problem,
        )

    async def confirm(self, run_id: str) -> messages.ConfirmStackRunResult:
        """Confirm a run, unless its plan exceeds the limits."""
        return await activity_calls.persist(
            _Operations.confirm_stack_run,
            messages.ConfirmStackRunInput(
                target=self._input.target,
                run_id=run_id,
                note="stackchain: confirmed by the chain",
            ),
            summary=f"confirm {run_id}",
            on_problem=self.on_problem,
        )

    async def find_triggered(
        self, newest_run_id: str, key_id: str
    ) -> run_snapshots.RunSnapshot | None:
        """Return the run that a trigger with an unknown outcome has created."""
        return await activity_calls.persist(
            _Operations.find_triggered_run,
            messages.FindTriggeredRunInput(
                target=self._input.target,
                newest_run_id=newest_run_id,
                key_id=key_id,
                operation=self._input.operation,
                commit_sha=self._input.commit_sha,
            ),
            summary=f"look for a run of {self._input.target.stack_id}",
            on_problem=self.on_problem,
        )

    async def stop(self, run_id: str, *, note: str) -> run_snapshots.RunSnapshot:
        """Stop a run, and return its state then."""
        return await activity_calls.persist(
            _Operations.stop_stack_run,
            messages.StopStackRunInput(target=self._input.target, run_id=run_id, note=note),
            summary=f"stop the run of {self._input.target.stack_id}",
            on_problem=self.on_problem,
        )

    def follow(
        self, run: run_snapshots.RunSnapshot, *, known_summary: str, read_now: bool
    ) -> RunWait:
        """Wait for news of a run."""
        return workflow.start_activity_method(
            _Operations.follow_stack_run,
            self._follow_input(run, known_summary, read_now=read_now),
            **activity_calls.wait_options(
                f"follow {run.run_id}", is_for_others=stack_reports.waits_for_others(run)
            ),
        )

    async def read(
        self, run: run_snapshots.RunSnapshot, *, known_summary: str
    ) -> messages.ReadStackRunResult | None:
        """Read a run that is followed; None if that does not work at once."""
        return await activity_calls.try_once(
            _Operations.read_stack_run,
            self._follow_input(run, known_summary, read_now=True),
            summary=f"read {run.run_id}",
        )

    def _follow_input(
        self, run: run_snapshots.RunSnapshot, known_summary: str, *, read_now: bool
    ) -> messages.FollowStackRunInput:
        return messages.FollowStackRunInput(
            target=self._input.target,
            run_id=run.run_id,
            known_summary=known_summary,
            known_problem=run.problem_reason,
            read_now=read_now,
        )

    def await_release(self, hold_message: str) -> workflow.ActivityHandle[None]:
        """Wait until something else holds the stack, or nothing does."""
        return workflow.start_activity_method(
            _Operations.await_stack_release,
            messages.AwaitStackReleaseInput(
                target=self._input.target,
                hold_message=hold_message,
            ),
            **activity_calls.wait_options(
                f"what holds {self._input.target.stack_id}", is_for_others=True
            ),
        )

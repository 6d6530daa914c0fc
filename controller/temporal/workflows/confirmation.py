"""How a chain confirms the run of a stack itself, and what is said of that meanwhile."""

import temporalio.exceptions

from controller.chain.run import progress, run_snapshots, stack_reports
from controller.temporal.workflows import activity_calls, stack_activities


class Confirmation:
    """Tried once for each state of the run, and again after a wake.

    What Spacelift answers to it is reported, and is never the end of the stack.
    """

    def __init__(self, activities: stack_activities.StackActivities, *, is_ours: bool) -> None:
        self._activities = activities
        self._is_ours = is_ours
        self._is_tried = False
        # Why it did not work, in Spacelift's words.
        self._refusal = ""

    def give_up(self) -> None:
        """The run is to be stopped: confirm nothing any more."""
        self._is_ours = False

    def try_again(self) -> None:
        """Something happened to the stack: what was refused may be accepted now."""
        self._is_tried = False

    def is_due(self, run: run_snapshots.RunSnapshot) -> bool:
        """Whether to confirm the run now."""
        return self._concerns(run) and not run.problem_reason and not self._is_tried

    def needs_person(self, run: run_snapshots.RunSnapshot) -> bool:
        """Whether the run waits for a person, since it is not for the chain, or was refused."""
        return run.waits_for_person and not (self._concerns(run) and not self._refusal)

    async def confirm(self, run: run_snapshots.RunSnapshot) -> run_snapshots.RunSnapshot:
        """Confirm the run, and return how it stands then."""
        self._is_tried = True
        try:
            news = await self._activities.confirm(run.run_id)
        except temporalio.exceptions.ActivityError as error:
            if temporalio.exceptions.is_cancelled_exception(error):
                raise
            self._refusal = activity_calls.cause_of(error)[1]
            return run
        self._refusal = "the confirmation had no effect." if news.needs_confirmation else ""
        return news

    def note(self, news: run_snapshots.RunSnapshot) -> None:
        """Take in how the run stands: a confirmation that is needed again is another one."""
        if not news.needs_confirmation:
            self._is_tried, self._refusal = False, ""

    def report(
        self, stack_id: str, run: run_snapshots.RunSnapshot, *, attempts: int
    ) -> progress.StackReport | None:
        """Return what is said of a run that the chain is to confirm; None for another one."""
        if run.problem_reason or not self._concerns(run):
            return None
        if self._refusal:
            return stack_reports.confirmation_refused(
                stack_id, run, words=self._refusal, attempts=attempts
            )
        return stack_reports.confirming(stack_id, run, attempts=attempts)

    def _concerns(self, run: run_snapshots.RunSnapshot) -> bool:
        return self._is_ours and run.needs_confirmation

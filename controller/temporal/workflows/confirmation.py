"""How a chain confirms the run of a stack itself, and what it reports meanwhile."""

import asyncio
from collections.abc import Callable

import temporalio.exceptions

from controller.api import v1alpha1
from controller.chain.run import progress, run_snapshots, stack_reports, windows
from controller.temporal.workflows import activity_calls, stack_activities, window_reads


class Confirmation:
    """Tried once for each plan of the run, and again after a wake, and when its window opens.

    What Spacelift answers is reported, and never ends the stack. The activity that confirms a plan
    also checks whether it is within the limits (ADR 0051) and whether the window is open
    (ADR 0055). `on_open` has the run read again.
    """

    def __init__(
        self,
        activities: stack_activities.StackActivities,
        *,
        is_ours: bool,
        is_limited: bool = False,
        on_open: Callable[[], None],
    ) -> None:
        self._activities = activities
        self._is_ours = is_ours
        self._is_limited = is_limited
        self._is_tried = False
        # What the plan counted that was tried.
        self._tried_delta: v1alpha1.Delta | None = None
        # Why it did not work, in Spacelift's words.
        self._refusal = ""
        # Why it is left to a person.
        self._excess = ""
        # The window that it waits for.
        self._closed: windows.WindowState | None = None
        self._opening: asyncio.Task[None] | None = None
        self._on_open = on_open

    def give_up(self) -> None:
        """The run is to be stopped, or is over: confirm nothing any more."""
        self._is_ours = False
        self._set_closed(None)

    def try_again(self) -> None:
        """Something happened to the stack: what was refused may be accepted now."""
        self._is_tried = False

    def is_due(self, run: run_snapshots.RunSnapshot) -> bool:
        """Whether to confirm the run now."""
        return self._concerns(run) and not run.problem_reason and not self._is_tried

    def needs_person(self, run: run_snapshots.RunSnapshot) -> bool:
        """Whether the run waits for a person: it is not for the chain, too large, or refused."""
        is_for_chain = self._concerns(run) and not (self._refusal or self._excess)
        return run.waits_for_person and not is_for_chain

    async def confirm(self, run: run_snapshots.RunSnapshot) -> run_snapshots.RunSnapshot:
        """Confirm the run if its plan is within the limits, and return its state then."""
        self._is_tried = True
        try:
            answer = await self._activities.confirm(run.run_id)
        except temporalio.exceptions.ActivityError as error:
            if temporalio.exceptions.is_cancelled_exception(error):
                raise
            self._tried_delta, self._excess = run.delta, ""
            self._set_closed(None)
            self._refusal = activity_calls.cause_of(error)[1]
            return run
        news = answer.run
        self._tried_delta, self._excess, self._refusal = news.delta, answer.excess, ""
        self._set_closed(answer.closed_window if news.needs_confirmation else None)
        if news.needs_confirmation and not answer.excess and self._closed is None:
            self._refusal = "the confirmation had no effect."
        return news

    def note(self, news: run_snapshots.RunSnapshot) -> None:
        """Take in the state of the run: another plan is judged and confirmed anew."""
        if not news.needs_confirmation:
            self._is_tried, self._refusal, self._excess = False, "", ""
            self._set_closed(None)
        elif news.delta != self._tried_delta:
            self._is_tried = False

    def report(
        self, stack_id: str, run: run_snapshots.RunSnapshot, *, attempts: int
    ) -> progress.StackReport | None:
        """Return the message about a run that the chain is to confirm; None for another one."""
        if run.problem_reason or not self._concerns(run):
            return None
        if self._excess:
            return stack_reports.limits_exceeded(
                stack_id, run, excess=self._excess, attempts=attempts
            )
        if self._closed is not None:
            return stack_reports.plan_waits_for_window(
                stack_id, run, self._closed, attempts=attempts
            )
        if self._refusal:
            return stack_reports.confirmation_refused(
                stack_id, run, words=self._refusal, attempts=attempts
            )
        return stack_reports.confirming(
            stack_id, run, is_limited=self._is_limited, attempts=attempts
        )

    def _set_closed(self, closed: windows.WindowState | None) -> None:
        self._closed = closed
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        if closed is not None:
            self._opening = asyncio.create_task(self._await_opening(closed.until))

    async def _await_opening(self, opens_at: str) -> None:
        await window_reads.sleep_until_open(opens_at)
        # What follows may set another time, which must not end this task.
        self._opening = None
        self._is_tried = False
        self._on_open()

    def _concerns(self, run: run_snapshots.RunSnapshot) -> bool:
        return self._is_ours and run.needs_confirmation

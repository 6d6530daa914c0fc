"""Decide: has `chain.requests` decide, with what only this operator knows.

That is whether the connection may be used, how often it rechecks what went wrong, and the time.
"""

from datetime import datetime

from controller import clock
from controller.api import v1alpha1
from controller.chain.requests import automatic_asks, decide, executions, future_marks, handled_asks
from controller.operator import gatherer

# What has been wrong for long is rechecked at least this often.
_LONGEST_PAUSE_SECONDS = 600.0


class PassDecider:
    """Does nothing but read its arguments and the clock, and remember what it let be rechecked."""

    def __init__(self, *, recheck_seconds: float, time: clock.Clock) -> None:
        self._recheck_seconds = recheck_seconds
        self._clock = time
        # By uid: the attempt that was let be followed by another last, and when.
        self._rechecked: dict[str, tuple[tuple[int, int], float]] = {}

    def decide(
        self, gathered: gatherer.Gathered, *, live: executions.LiveSettings | None
    ) -> decide.Decision:
        """Decide about a resource; `live` are the settings of its live run, if it has one."""
        chain, execution = gathered.chain, gathered.execution
        if chain.is_deleting:
            return decide.Decision(
                handled=handled_asks.handled_asks(chain.status, execution),
                pending=automatic_asks.only_asks(chain.status.pending_run),
            )
        # The latest execution may do what its connection does not serve, or serves no longer.
        is_withheld = execution is not None and gathered.access.refuses(execution.operation)
        if gathered.access.usable is None:
            return decide.decide_without_connection(
                chain, execution, live=live, is_withheld=is_withheld
            )
        return decide.decide(
            chain,
            execution,
            live=live,
            is_recheck_due=self._is_recheck_due(chain),
            is_withheld=is_withheld,
            waiting=gathered.waiting,
            known=gathered.known,
        )

    def _is_recheck_due(self, chain: v1alpha1.StackChain) -> bool:
        latest = chain.status.latest_run
        if latest is None or not executions.may_be_rechecked(latest):
            return False
        if latest.start_time is None or latest.completion_time is None:
            return True
        # The longer it has been wrong, the less often it is rechecked.
        wrong_for, ended_for = self._age(latest.start_time), self._age(latest.completion_time)
        if wrong_for is None or ended_for is None:
            return True
        pause = min(max(self._recheck_seconds, wrong_for / 10), _LONGEST_PAUSE_SECONDS)
        return ended_for >= pause and self._has_paused(chain.ref.uid, latest)

    def _has_paused(self, uid: str, latest: v1alpha1.RunStatus) -> bool:
        """Whether there was a pause by this operator's own measure, too.

        The times above come from other clocks. If those are behind, each attempt looks as if it had
        ended long ago.
        """
        now, attempt = self._clock.monotonic(), (latest.number, latest.attempt)
        self._rechecked = {
            other: known
            for other, known in self._rechecked.items()
            if now - known[1] < self._recheck_seconds
        }
        return self._rechecked.setdefault(uid, (attempt, now))[0] == attempt

    def _age(self, instant: str) -> float | None:
        """Return how long ago a time was; None for a time in the future."""
        now = self._clock.now()
        past = future_marks.past_time(instant, now=now)
        return (now - datetime.fromisoformat(past)).total_seconds() if past else None

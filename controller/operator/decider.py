"""Decide: has `chain.requests` decide, with what only this operator knows.

That is which connections it has, how often it rechecks what went wrong, and the time.
"""

from datetime import UTC, datetime

from controller.api import v1alpha1
from controller.chain.requests import automatic
from controller.chain.requests import decide as requests
from controller.operator import connection_access, gatherer

# What has been wrong for long is looked at no less often than this.
_LONGEST_PAUSE_SECONDS = 600.0


class Decider:
    """Does nothing but read its arguments, the catalog and the clock."""

    def __init__(
        self, *, access: connection_access.ConnectionAccess, recheck_seconds: float
    ) -> None:
        self._access = access
        self._recheck_seconds = recheck_seconds

    def decide(
        self, gathered: gatherer.Gathered, *, live: requests.Live | None
    ) -> requests.Decision:
        """Decide about a resource; `live` is what its live run goes by, if it has one."""
        chain = gathered.chain
        if chain.is_deleting:
            return requests.Decision(
                handled=requests.handled_asks(chain.status, gathered.execution),
                pending=automatic.only_asks(chain.status.pending_run),
            )
        is_withheld = self._is_withheld(gathered)
        if self._access.problem_of(chain) is not None:
            return requests.decide_unserved(
                chain, gathered.execution, live=live, is_withheld=is_withheld
            )
        return requests.decide(
            chain,
            gathered.execution,
            live=live,
            is_recheck_due=self._is_recheck_due(chain),
            is_withheld=is_withheld,
        )

    def _is_withheld(self, gathered: gatherer.Gathered) -> bool:
        """Whether the latest execution does what its connection does not serve (any more)."""
        execution, chain = gathered.execution, gathered.chain
        return execution is not None and self._access.is_refused(
            chain.spec.connection_name, chain.ref.namespace, execution.operation
        )

    def _is_recheck_due(self, chain: v1alpha1.StackChain) -> bool:
        latest = chain.status.latest_run
        if latest is None or not requests.may_be_rechecked(latest):
            return False
        if latest.start_time is None or latest.completion_time is None:
            return True
        # The longer it has been wrong, the less often it is looked at.
        wrong_for = _age(latest.start_time)
        pause = min(max(self._recheck_seconds, wrong_for / 10), _LONGEST_PAUSE_SECONDS)
        return _age(latest.completion_time) >= pause


def _age(instant: str) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(instant)).total_seconds()

"""Around the whole flow: which resources fail for a reason that no one foresaw."""

from controller import clock
from controller.observability import metrics
from controller.operator import chain_troubles, growing_pauses


class ResourceFailures:
    """Remembers them by namespace and name, and shows how many there are."""

    def __init__(
        self,
        counters: metrics.Metrics,
        troubles: chain_troubles.ChainTroubles,
        time: clock.Clock,
    ) -> None:
        self._counters = counters
        self._troubles = troubles
        self._pauses = growing_pauses.GrowingPauses(time)

    def note_failure(self, namespace: str, name: str) -> float:
        """Note that a pass has failed; returns after how many seconds the next one is due."""
        pause = self._pauses.note_failure((namespace, name))
        self._troubles.note(namespace, name, chain_troubles.Trouble.FAILING)
        self._show()
        return pause

    def note_success(self, namespace: str, name: str) -> None:
        """Note that a pass went well, or that the resource is gone."""
        if self._pauses.note_success((namespace, name)):
            self._troubles.note_well(namespace, name)
            self._show()

    def is_due(self, namespace: str, name: str) -> bool:
        """Whether a resource has not failed, or its pause is over."""
        return self._pauses.is_due((namespace, name))

    def _show(self) -> None:
        self._counters.chains_failing.set(len(self._pauses))

"""Around work on many things: one that fails must not stop work on the others."""

import contextlib
import logging
from collections.abc import Collection, Iterator

from controller import clock
from controller.kube import errors as kube_errors
from controller.observability import metrics
from controller.operator import growing_pauses
from controller.temporal import client as temporal_client

logger = logging.getLogger(__name__)


class Guard:
    """Lets a loop continue after an item that failed, and counts unexpected errors.

    Such an item is left out until its own pause is over, which grows.
    """

    def __init__(self, counters: metrics.Metrics, part: str, time: clock.Clock) -> None:
        self._counters = counters
        self._part = part
        self._pauses = growing_pauses.GrowingPauses(time)

    def forget_others(self, keys: Collection[str]) -> None:
        """Forget all items but these: the others are gone."""
        self._pauses.forget_others(keys)

    def is_due(self, key: str) -> bool:
        """Whether an item has not failed, or its pause is over."""
        return self._pauses.is_due(key)

    @contextlib.contextmanager
    def item(self, key: str, **fields: str) -> Iterator[None]:
        """Work on one item; `fields` name it in the log.

        Raises:
            TemporalUnreachable: the others would fail in the same way.
        """
        try:
            yield
        except temporal_client.TemporalUnreachable:
            raise
        except kube_errors.KubeError as error:
            # Such as a namespace that is no longer this release's; the next pass tries again.
            logger.info("Skipped for now", extra={**fields, "why": str(error)})
        except Exception:
            self._counters.unforeseen_errors.labels(self._part).inc()
            self._pauses.note_failure(key)
            logger.exception("Skipped for now", extra=fields)
        else:
            self._pauses.note_success(key)

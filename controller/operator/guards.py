"""Around work on many things: one that fails must not keep the others from being looked at."""

import contextlib
import logging
from collections.abc import Iterator

from controller.kube import errors as kube_errors
from controller.observability import metrics
from controller.temporal import client as temporal_client

logger = logging.getLogger(__name__)


class Guard:
    """Lets a loop go on after an item that failed, and counts what nobody foresaw."""

    def __init__(self, counters: metrics.Metrics, part: str) -> None:
        self._counters = counters
        self._part = part

    @contextlib.contextmanager
    def item(self, **fields: str) -> Iterator[None]:
        """Work on one item; `fields` name it in the log.

        Raises:
            TemporalUnreachable: the others would fare no better.
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
            logger.exception("Skipped for now", extra=fields)

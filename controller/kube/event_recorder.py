"""Writes Events: at once where the API server takes them, otherwise a little later.

An Event must neither stop nor hold up the work that it reports. One that gets no answer may have
been recorded all the same, so its name is chosen here: when it is sent again, the API server
refuses it as known.
"""

import asyncio
import itertools
import logging
import zlib
from collections.abc import Mapping
from typing import Any, Literal
from urllib import parse as urlparse

from controller import clock, times
from controller.api import v1alpha1, wording
from controller.kube import api_requests, errors

logger = logging.getLogger(__name__)

REPORTING_COMPONENT = "stackchain-operator"

PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""Between two tries; after the last one an Event is given up."""

_MOST_LATE = 1000
_NAME_LIMIT = 253

Json = dict[str, Any]


class EventRecorder:
    """Keeps Events that could not be recorded for two minutes, and no more than a thousand."""

    def __init__(self, kube_client: api_requests.KubeRequests, reporting_instance: str) -> None:
        self._client = kube_client
        self._instance = reporting_instance
        self._numbers = itertools.count()
        self._late: set[asyncio.Task[None]] = set()

    async def record(
        self,
        resource: Mapping[str, Any],
        *,
        type: Literal["Normal", "Warning"],  # noqa: A002 (Kubernetes' name of the field)
        reason: str,
        message: str,
    ) -> None:
        """Record one Event; in the background if the API server does not serve."""
        event = self._event(resource, type, reason, message)
        error = await self._send(event)
        if error is None:
            return
        if _may_pass(error) and len(self._late) < _MOST_LATE:
            task = asyncio.create_task(self._send_later(event, error))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
        else:
            _give_up(event, error)

    async def _send_later(self, event: Json, error: errors.KubeError) -> None:
        for pause in PAUSES_SECONDS:
            asked = error.retry_after_seconds if isinstance(error, errors.Throttled) else 0.0
            await asyncio.sleep(max(pause, asked))
            failure = await self._send(event)
            if failure is None:
                return
            error = failure
            if not _may_pass(error):
                break
        _give_up(event, error)

    async def _send(self, event: Json) -> errors.KubeError | None:
        """Send an Event once; returns why it was not recorded."""
        namespace = urlparse.quote(event["metadata"]["namespace"], safe="")
        try:
            await self._client.request("POST", f"/api/v1/namespaces/{namespace}/events", body=event)
        except errors.Conflict:
            # An earlier try, whose answer was lost, has recorded it.
            return None
        except errors.KubeError as error:
            return error
        return None

    def _event(
        self, resource: Mapping[str, Any], event_type: str, reason: str, message: str
    ) -> Json:
        metadata = resource["metadata"]
        now = clock.now()
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": self._name(metadata["name"], int(now.timestamp() * 1_000_000)),
                "namespace": metadata["namespace"],
            },
            "involvedObject": {
                "apiVersion": v1alpha1.API_VERSION,
                "kind": v1alpha1.KIND,
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata.get("uid"),
                "resourceVersion": metadata.get("resourceVersion"),
            },
            "type": event_type,
            "reason": reason,
            "message": wording.event_message(message),
            # Without `lastTimestamp`, which has seconds only and would count instead.
            "eventTime": times.rfc3339(now, timespec="microseconds"),
            "action": reason,
            "reportingComponent": REPORTING_COMPONENT,
            "reportingInstance": self._instance,
            "source": {"component": REPORTING_COMPONENT, "host": self._instance},
        }

    def _name(self, of: str, microseconds: int) -> str:
        """Return a name that no other Event has.

        Who sorts by seconds and then by name keeps the order in which they happened.
        """
        reporter = zlib.crc32(self._instance.encode())
        suffix = f".{microseconds:014x}.{next(self._numbers):06x}.{reporter:08x}"
        return of[: _NAME_LIMIT - len(suffix)].rstrip("-.") + suffix


def _may_pass(error: errors.KubeError) -> bool:
    """Whether the same request may succeed soon."""
    if isinstance(error, errors.NotServed):
        return False
    return isinstance(error, (errors.ApiUnreachable, errors.Throttled))


def _give_up(event: Json, error: errors.KubeError) -> None:
    logger.warning(
        "Event was not recorded",
        extra={
            "namespace": event["metadata"]["namespace"],
            "chain": event["involvedObject"]["name"],
            "reason": event["reason"],
            "error": str(error),
        },
    )

"""deliver_notification: notifies one sink; Temporal's retries make that at least once.

Failures name the sink and the kind of failure, never where the sink is: Temporal keeps them.
"""

import datetime
from collections.abc import Callable

import temporalio.activity as activity
import temporalio.exceptions

from controller import clock
from controller.notify import payloads, sink_sender, sinks
from controller.observability import metrics
from controller.temporal import notification_messages, signing
from controller.temporal.activities import errors, spacelift_clients

GIVE_UP_AFTER = datetime.timedelta(hours=24)
REFUSALS = 10
"""Tries of a sink that refuses, by the policy of the workflow over about nine minutes: long enough
for a receiver that is being installed or a secret that is being rotated."""

OUTCOMES = ("delivered", "unavailable", "refused", "given_up")

GIVEN_UP = "GivenUp"
UNAVAILABLE = "SinkUnavailable"


class NotificationDelivery:
    """Reads a sink's URL and secrets again for each delivery."""

    def __init__(
        self,
        catalog: sinks.SinkCatalog,
        counters: metrics.Metrics,
        *,
        signing_keys: signing.SigningKeys | None = None,
        clock: Callable[[], float] = clock.unix,
    ) -> None:
        self._signing_keys = signing_keys or signing.SigningKeys()
        self._catalog = catalog
        self._counters = counters
        self._deliverer = sink_sender.SinkSender(clock=clock)
        for sink in catalog.all():
            self._show(sink)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._deliverer.aclose()

    @activity.defn(name="deliver_notification")
    async def deliver_notification(
        self, argument: notification_messages.DeliverNotificationInput
    ) -> None:
        """Notify a sink of a transition, if an operator has signed that for it."""
        with spacelift_clients.signature_failures():
            self._signing_keys.check_notification(argument)
        self._show(argument.sink)
        began = clock.monotonic()
        try:
            await self._deliver(argument)
        except sink_sender.SinkError as error:
            raise self._failure(argument, error) from None
        finally:
            self._counters.notification_duration.labels(argument.sink).observe(
                clock.monotonic() - began
            )
        self._counters.notification_deliveries.labels(argument.sink, "delivered").inc()
        activity.logger.debug("Notification delivered", extra=_fields(argument))

    def _show(self, sink: str) -> None:
        """Show all outcomes of a sink, at 0: otherwise Prometheus would miss the first one."""
        for outcome in OUTCOMES:
            self._counters.notification_deliveries.labels(sink, outcome)

    async def _deliver(self, argument: notification_messages.DeliverNotificationInput) -> None:
        sink = self._catalog.all().get(argument.sink)
        if sink is None:
            # The operator's file may be newer than this worker's.
            raise sink_sender.SinkRefused("is not in this worker's notifications file")
        await self._deliverer.deliver(sink, payloads.payload(sink, argument.notification))

    def _failure(
        self, argument: notification_messages.DeliverNotificationInput, error: sink_sender.SinkError
    ) -> temporalio.exceptions.ApplicationError:
        """Count and log a failed try, and decide whether it was the last one."""
        is_refused = isinstance(error, sink_sender.SinkRefused)
        is_over = _is_late() or (is_refused and activity.info().attempt >= REFUSALS)
        outcome = "given_up" if is_over else "refused" if is_refused else "unavailable"
        self._counters.notification_deliveries.labels(argument.sink, outcome).inc()
        fields = {**_fields(argument), "why": str(error)}
        if is_over:
            activity.logger.error("Notification given up", extra=fields)
        else:
            activity.logger.warning("Notification not delivered, still trying", extra=fields)
        pause = (
            error.retry_after_seconds if isinstance(error, sink_sender.SinkUnavailable) else None
        )
        return temporalio.exceptions.ApplicationError(
            f"sink {argument.sink}: {error}",
            type=GIVEN_UP if is_over else UNAVAILABLE,
            non_retryable=is_over,
            next_retry_delay=errors.asked_pause(pause),
            # Known and counted: no warning of the SDK's with a traceback for each try.
            category=temporalio.exceptions.ApplicationErrorCategory.BENIGN,
        )


def _is_late() -> bool:
    """Whether it has been tried for so long that this try was the last; by Temporal's clock."""
    info = activity.info()
    return info.started_time - info.scheduled_time >= GIVE_UP_AFTER


def _fields(argument: notification_messages.DeliverNotificationInput) -> dict[str, object]:
    told = argument.notification
    return {
        "sink": argument.sink,
        "notification": told.id,
        "transition": told.transition,
        "namespace": told.namespace,
        "chain": told.chain,
    }

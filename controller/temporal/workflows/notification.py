"""NotificationWorkflow: notifies some sinks of one transition, each separately, at least once.

It always completes: a sink that cannot be notified shows in the worker's metrics and log.
"""

import asyncio
from datetime import timedelta

import temporalio.common
import temporalio.exceptions
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from controller.temporal import ids, notification_messages
    from controller.temporal.activities import notifications
    from controller.temporal.workflows import activity_calls

# Above the longest time-out of a sink; a worker that was killed is noticed by it alone.
_TRY_TIMEOUT = timedelta(seconds=45)
# The activity gives up on its own; this is for a queue that no one polls.
_LIMIT = notifications.GIVE_UP_AFTER + timedelta(hours=1)
# The activity relies on these pauses when it says how long a refusal is retried.
_RETRIES = temporalio.common.RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2,
    maximum_interval=timedelta(minutes=5),
)


@workflow.defn(name=ids.NOTIFICATION_WORKFLOW)
class NotificationWorkflow:
    """Each sink has its own activity, so that none waits for another."""

    @workflow.run
    async def run(
        self, argument: notification_messages.NotificationInput
    ) -> notification_messages.NotificationResult:
        """Notify all sinks; returns once each was notified or given up."""
        outcomes = await asyncio.gather(*(self._deliver(argument, sink) for sink in argument.sinks))
        told = dict(zip(argument.sinks, outcomes, strict=True))
        return notification_messages.NotificationResult(
            delivered=sorted(sink for sink, is_told in told.items() if is_told),
            given_up=sorted(sink for sink, is_told in told.items() if not is_told),
        )

    async def _deliver(self, argument: notification_messages.NotificationInput, sink: str) -> bool:
        try:
            await workflow.execute_activity_method(
                notifications.NotificationDelivery.deliver_notification,
                notification_messages.DeliverNotificationInput(
                    sink=sink,
                    notification=argument.notification,
                    signature=argument.signatures.get(sink, ""),
                ),
                activity_id=sink,
                start_to_close_timeout=_TRY_TIMEOUT,
                schedule_to_close_timeout=_LIMIT,
                retry_policy=_RETRIES,
                summary=f"tell {sink}",
            )
        except temporalio.exceptions.ActivityError as error:
            if temporalio.exceptions.is_cancelled_exception(error):
                raise
            kind, why = activity_calls.cause_of(error)
            # The activity itself reports what it gives up.
            if kind != notifications.GIVEN_UP:
                workflow.logger.error(
                    "Notification given up",
                    extra={"sink": sink, "notification": argument.notification.id, "why": why},
                )
            return False
        return True

"""Hands notifications to Temporal, which then delivers them whatever happens to the operator.

Never raises and never keeps a status waiting for long. What Temporal does not take now waits here
and is handed over once it does. Only what waits here is lost if the operator is killed (ADR 0024).
"""

import asyncio
import collections
import itertools
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

import temporalio.client
import temporalio.common
import temporalio.exceptions
import temporalio.service

from controller import outside_text
from controller.config import environment
from controller.observability import metrics
from controller.temporal import client as temporal_client
from controller.temporal import ids, notification_messages, signing

logger = logging.getLogger(__name__)

# A status waits for this at most; Temporal takes milliseconds when it is well.
_START_SECONDS = 3.0
_AGAIN_SECONDS = 5.0
_STARTS_AT_ONCE = 20
# Far more than an outage of hours produces: only transitions count, and chains stop meanwhile.
_MOST_WAITING = 10_000

# Asked again Temporal says the same.
_NEVER = frozenset({temporalio.service.RPCStatusCode.INVALID_ARGUMENT})


class Notifier:
    """Notifications of one release; a repeated request does not send one again."""

    def __init__(
        self,
        get_client: Callable[[], temporalio.client.Client],
        *,
        task_queue: str,
        counters: metrics.Metrics,
        signing_keys: signing.SigningKeys | None = None,
        again_seconds: float = _AGAIN_SECONDS,
        most_waiting: int = _MOST_WAITING,
    ) -> None:
        self._get_client = get_client
        self._queue = ids.notify_queue(task_queue)
        self._counters = counters
        self._signing_keys = signing_keys or signing.SigningKeys()
        self._again_seconds = again_seconds
        self._most_waiting = most_waiting
        self._waiting: collections.deque[notification_messages.NotificationInput] = (
            collections.deque()
        )
        self._slots = asyncio.Semaphore(_STARTS_AT_ONCE)

    async def start(self, wanted: Sequence[notification_messages.NotificationInput]) -> None:
        """Take over notifications, for sure unless the operator is killed before Temporal has them.

        Returns after seconds at most.
        """
        if self._waiting:
            # Temporal is known not to take any; a status should not wait for it again.
            self._keep(wanted)
            return
        left = await self._start_all(wanted)
        if not left:
            return
        logger.warning(
            "Notifications not handed to Temporal, still trying",
            extra={"count": len(left), "why": next(iter(left.values()))},
        )
        self._keep([item for item in wanted if item.notification.id in left])

    async def run(self) -> None:
        """Hand over what waits, forever."""
        while True:
            await asyncio.sleep(self._again_seconds)
            await self._hand_over()

    async def aclose(self) -> None:
        """Hand over what waits for the last time."""
        await self._hand_over()
        if self._waiting:
            self._drop(len(self._waiting), "the operator stops before Temporal accepted them")
            self._waiting.clear()
            self._show()

    async def _hand_over(self) -> None:
        """Hand over in batches, until one is refused."""
        while self._waiting:
            # Each stays in line until Temporal has it: this may be canceled at any moment.
            batch = list(itertools.islice(self._waiting, _STARTS_AT_ONCE))
            left = await self._start_all(batch)
            taken = {item.notification.id for item in batch} - left.keys()
            self._waiting = collections.deque(
                item for item in self._waiting if item.notification.id not in taken
            )
            self._show()
            if left:
                return

    async def _start_all(
        self, wanted: Sequence[notification_messages.NotificationInput]
    ) -> dict[str, str]:
        """Start workflows; return the ids that Temporal did not take, each with why."""
        problems = await asyncio.gather(*(self._start(item) for item in wanted))
        return {
            item.notification.id: problem
            for item, problem in zip(wanted, problems, strict=True)
            if problem is not None
        }

    async def _start(self, wanted: notification_messages.NotificationInput) -> str | None:
        """Start one workflow; return why that did not work."""
        told = wanted.notification
        try:
            # Waiting for a slot counts: of hundreds at once the last ones are kept for later.
            async with asyncio.timeout(_START_SECONDS), self._slots:
                await self._get_client().start_workflow(
                    ids.NOTIFICATION_WORKFLOW,
                    self._signing_keys.signed_notification(wanted),
                    id=ids.notification_workflow_id(told.id),
                    task_queue=self._queue,
                    id_reuse_policy=temporalio.common.WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    rpc_timeout=timedelta(seconds=_START_SECONDS),
                    static_summary=f"{told.transition} of {told.namespace}/{told.chain}",
                )
        except temporalio.exceptions.WorkflowAlreadyStartedError:
            # It was decided before and the status not written: a crash, or a conflict.
            return None
        except TimeoutError:
            return f"no answer within {_START_SECONDS:g} s"
        except temporalio.service.RPCError as error:
            if error.status not in _NEVER:
                return outside_text.clean(str(error))
            self._give_up(wanted, error)
            return None
        except (
            RuntimeError,
            OSError,
            temporal_client.TemporalUnreachable,
            # The key that signs it may be on its way.
            environment.SettingsError,
        ) as error:
            return outside_text.clean(str(error))
        except Exception as error:
            # Such as a string that cannot be encoded: it is never taken, and must keep neither
            # others from being taken nor a status from being written.
            self._counters.unforeseen_errors.labels("notifier").inc()
            self._give_up(wanted, error)
            return None
        self._counters.notifications_started.inc()
        return None

    def _give_up(self, wanted: notification_messages.NotificationInput, error: Exception) -> None:
        told = wanted.notification
        self._drop(
            1, outside_text.clean(f"{told.transition} of {told.namespace}/{told.chain}: {error}")
        )

    def _keep(self, left: Sequence[notification_messages.NotificationInput]) -> None:
        known = {item.notification.id for item in self._waiting}
        self._waiting.extend(item for item in left if item.notification.id not in known)
        if (excess := len(self._waiting) - self._most_waiting) > 0:
            for _ in range(excess):
                self._waiting.popleft()
            self._drop(excess, "too many wait for Temporal")
        self._show()

    def _drop(self, count: int, why: str) -> None:
        self._counters.notifications_dropped.inc(count)
        logger.error("Notifications dropped", extra={"count": count, "why": why})

    def _show(self) -> None:
        self._counters.notifications_waiting.set(len(self._waiting))

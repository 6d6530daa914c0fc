"""The deliveries of an account: which are due, which may be sent now, and what came of them.

Decides only; `web.delivery_sender` sends. A delivery that is being sent stays pending in the
records until its answer is known. So an interrupted one is sent again after a restart: at least
once.
"""

import heapq
import itertools
from collections import defaultdict, deque

from devenv.simulator.model.account import Account
from devenv.simulator.model.webhooks import Attempt, Delivery, DeliveryState, Webhook

KEPT = 10_000
"""How many deliveries the log keeps."""

WAITING_LIMIT = 10_000
"""How many may wait at a time; what comes beyond is dropped, and says so."""

RETRIES = 3
_SPARE = 1000


class Outbox:
    """The timetable of deliveries, and a line for each webhook."""

    def __init__(self, account: Account) -> None:
        """Take up whatever an account has still to send."""
        self._account = account
        self._timetable: list[tuple[float, int, str]] = []
        self._ready: dict[str, deque[str]] = defaultdict(deque)
        self._sending: dict[str, int] = defaultdict(int)
        self._waiting = 0
        self._last = max((one.number for one in account.deliveries.values()), default=0)
        for delivery in account.deliveries.values():
            if delivery.state is not DeliveryState.PENDING:
                continue
            if delivery.due is not None:
                self._enter(delivery, delivery.due)
            else:
                # A probe: the caller that asked for it has lost the connection with the last
                # process.
                self._end(delivery, DeliveryState.FAILED, note="interrupted")

    @property
    def waiting(self) -> int:
        """How many deliveries have still to be sent or are being sent."""
        return self._waiting

    @property
    def last_number(self) -> int:
        """The number of the newest delivery; 0 before the first."""
        return self._last

    def next_number(self) -> int:
        """Take and return the number of the next delivery."""
        self._last += 1
        return self._last

    def add(self, delivery: Delivery) -> None:
        """Keep a delivery, and send it when it is due if it is pending."""
        deliveries = self._account.deliveries
        deliveries[delivery.id] = delivery
        if delivery.state is DeliveryState.PENDING and delivery.due is not None:
            if self._waiting < WAITING_LIMIT:
                self._enter(delivery, delivery.due)
            else:
                self._end(delivery, DeliveryState.DROPPED, note="too many deliveries wait")
        self._account.touch("delivery", delivery.id)
        if len(deliveries) >= KEPT + _SPARE:
            self._forget_oldest()

    def advance(self, now: float) -> None:
        """Put into line what is due."""
        while self._timetable and self._timetable[0][0] <= now:
            _, _, delivery_id = heapq.heappop(self._timetable)
            delivery = self._account.deliveries[delivery_id]
            self._ready[delivery.webhook_id].append(delivery_id)

    def next_due(self) -> float | None:
        """Return when the next delivery gets into line."""
        return self._timetable[0][0] if self._timetable else None

    def take(self, limit: int) -> list[Delivery]:
        """Return what may be sent now, at most `limit`; each must be given back to `finish`."""
        behavior = self._account.delivery_behavior
        at_a_time = WAITING_LIMIT if behavior.burst_every else behavior.concurrency
        taken: list[Delivery] = []
        for webhook_id in [key for key, line in self._ready.items() if line]:
            line = self._ready[webhook_id]
            while line and len(taken) < limit and self._sending[webhook_id] < at_a_time:
                delivery = self._account.deliveries[line.popleft()]
                if self._is_wanted(delivery):
                    self._sending[webhook_id] += 1
                    taken.append(delivery)
                else:
                    self._waiting -= 1
                    self._end(
                        delivery, DeliveryState.DISCARDED, note="the webhook is disabled or gone"
                    )
            if not line:
                del self._ready[webhook_id]
        return taken

    def finish(self, delivery: Delivery, attempt: Attempt, *, now: float) -> None:
        """Note the answer to a request, or that there was none, and what follows from it."""
        self._sending[delivery.webhook_id] -= 1
        self._waiting -= 1
        delivery.attempts.append(attempt)
        webhook = self._account.webhooks.get(delivery.webhook_id)
        if self._is_retried(delivery, attempt, webhook):
            wait = self._account.delivery_behavior.retry_delay * 2 ** (len(delivery.attempts) - 1)
            delivery.due = now + wait
            self._enter(delivery, delivery.due)
            self._account.touch("delivery", delivery.id)
            return
        self.conclude(delivery, is_good=attempt.is_good)
        if webhook is not None and not delivery.is_farewell:
            self._count(webhook, is_good=attempt.is_good, now=now)

    def conclude(self, delivery: Delivery, *, is_good: bool) -> None:
        """End a delivery."""
        self._end(delivery, DeliveryState.DELIVERED if is_good else DeliveryState.FAILED)

    def clear(self) -> None:
        """Forget all deliveries that are over."""
        for delivery in list(self._account.deliveries.values()):
            if delivery.state is not DeliveryState.PENDING:
                self._forget(delivery.id)

    # -- inner -------------------------------------------------------------------------------

    def _enter(self, delivery: Delivery, due: float) -> None:
        heapq.heappush(self._timetable, (due, delivery.number, delivery.id))
        self._waiting += 1

    def _is_wanted(self, delivery: Delivery) -> bool:
        webhook = self._account.webhooks.get(delivery.webhook_id)
        return delivery.is_farewell or (webhook is not None and webhook.enabled)

    def _is_retried(self, delivery: Delivery, attempt: Attempt, webhook: Webhook | None) -> bool:
        """Only an answer 5xx is tried again, if that is wanted, and three times at most."""
        is_server_error = attempt.status is not None and attempt.status >= 500
        is_wanted = webhook is not None and webhook.retry_on_failure
        return is_server_error and is_wanted and len(delivery.attempts) <= RETRIES

    def _count(self, webhook: Webhook, *, is_good: bool, now: float) -> None:
        webhook.failures = 0 if is_good else webhook.failures + 1
        if webhook.enabled and webhook.failures >= self._account.delivery_behavior.disable_after:
            webhook.enabled, webhook.disabled_at = False, now
        self._account.touch("webhook", webhook.id)

    def _end(self, delivery: Delivery, state: DeliveryState, *, note: str | None = None) -> None:
        delivery.state, delivery.due = state, None
        delivery.note = note or delivery.note
        self._account.touch("delivery", delivery.id)

    def _forget_oldest(self) -> None:
        """Forget many at a time: skipping those that wait has a cost."""
        deliveries = self._account.deliveries.values()
        over = (one.id for one in deliveries if one.state is not DeliveryState.PENDING)
        for delivery_id in list(itertools.islice(over, _SPARE)):
            self._forget(delivery_id)

    def _forget(self, delivery_id: str) -> None:
        del self._account.deliveries[delivery_id]
        self._account.touch("delivery", delivery_id)

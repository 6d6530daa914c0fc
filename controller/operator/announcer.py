"""Project, around the write: announces transitions, by notifications before it and Events after it.

Before, since a transition that the status shows already is not found a second time: an operator
that dies in between finds it again, and its id keeps it from being notified twice. Events come
after, so that none reports a status that was never written; one may be lost in a crash.
See ADR 0024.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from controller.api import v1alpha1
from controller.chain.news import events, notifications, transitions
from controller.kube import stackchains
from controller.notify import sinks
from controller.temporal import notification_messages
from controller.temporal.operator import notifier


class Announcer:
    """Neither fails nor holds up the write of a status."""

    def __init__(
        self,
        *,
        stack_chains: stackchains.StackChains,
        catalog: sinks.SinkCatalog,
        notifier: notifier.Notifier,
        installation: str,
        page: str = "",
    ) -> None:
        self._stack_chains = stack_chains
        self._catalog = catalog
        self._notifier = notifier
        self._installation = installation
        self._page = page

    async def notify(
        self,
        body: Mapping[str, Any],
        happened: Sequence[transitions.Transition],
        *,
        sequence: int,
        now: str,
    ) -> None:
        """Hand the notifications over that sinks want; without sinks it costs nothing.

        Args:
            body: the resource.
            happened: what is about to be written.
            sequence: of the progress that it is known from.
            now: RFC 3339 in UTC.
        """
        if not happened or not self._catalog.all():
            return
        source = notifications.NotificationSource(
            ref=v1alpha1.read_ref(body),
            installation=self._installation,
            sequence=sequence,
            time=now,
            page=self._page,
        )
        labels = body["metadata"].get("labels") or {}
        wanted = [
            notification_messages.NotificationInput(
                notification=notifications.notification(item, source, place=place), sinks=names
            )
            for place, item in enumerate(happened)
            if (names := self._catalog.wanting(item.kind, source.ref.namespace, labels))
        ]
        if wanted:
            await self._notifier.start(wanted)

    async def emit(
        self, body: Mapping[str, Any], happened: Sequence[transitions.Transition]
    ) -> None:
        """Emit the Events for what was written."""
        for event in events.texts(happened):
            await self._stack_chains.emit_event(
                body, type=event.type, reason=event.reason, message=event.message
            )

"""What a notification says, and how it is identified: equal transitions give equal ids. Pure.

It is also a message between operator, workflow and worker, so fields are added with defaults and
never renamed. Whatever it holds can be read in Temporal's histories: no URL of a sink, no secret.
"""

import dataclasses
import hashlib
from collections.abc import Iterable
from urllib import parse as urlparse

from controller.api import transition_kinds as kinds
from controller.api import v1alpha1
from controller.chain.news import transitions

# Of a digest that only has to distinguish what happens in one attempt of one run.
_DIGEST_LENGTH = 16


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Notification:
    """One notification. `id` is unique within `source` and stays the same when it is sent again.

    `time` is when the operator saw the change. `sequence` says how far the run's progress was known
    then (0: not at all). `place` is the order among what was seen at once. `page_url` shows the
    chain, and the stack, on the page of the cluster, if there is one.
    """

    id: str
    source: str
    transition: str
    is_warning: bool
    reason: str
    message: str
    installation: str
    namespace: str
    chain: str
    uid: str
    generation: int
    time: str
    sequence: int = 0
    place: int = 0
    run: v1alpha1.RunStatus | None = None
    stack: v1alpha1.StackStatus | None = None
    page_url: str | None = None

    @property
    def severity(self) -> str:
        """`Warning` or `Normal`, as the type of the Event."""
        return "Warning" if self.is_warning else "Normal"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class NotificationSource:
    """Whose transitions are reported, by which release, as of when.

    `page` is the address of the cluster's page, empty if there is none.
    """

    ref: v1alpha1.Ref
    installation: str
    sequence: int
    time: str
    page: str = ""


def notification(
    transition: transitions.Transition, source: NotificationSource, *, place: int = 0
) -> Notification:
    """Return the notification of a transition."""
    ref = source.ref
    return Notification(
        id=notification_id(transition, ref.uid),
        source=f"/stackchain/{source.installation}/{ref.namespace}/{ref.name}",
        transition=str(transition.kind),
        is_warning=transition.is_warning,
        reason=transition.reason,
        message=transition.message or _unsaid(transition),
        installation=source.installation,
        namespace=ref.namespace,
        chain=ref.name,
        uid=ref.uid,
        generation=ref.generation,
        time=source.time,
        sequence=source.sequence,
        place=place,
        run=_short_run(transition.run),
        stack=transition.stack,
        page_url=page_url(source.page, ref, transition.stack) if source.page else None,
    )


def page_url(page: str, ref: v1alpha1.Ref, stack: v1alpha1.StackStatus | None = None) -> str:
    """Return the address at which the page shows a chain, with a stack of it if one is given."""
    shown = {"namespace": ref.namespace, "chain": ref.name}
    if stack is not None:
        shown["stack"] = stack.id
    return f"{page.rstrip('/')}/?{urlparse.urlencode(shown)}"


def notification_id(transition: transitions.Transition, uid: str) -> str:
    """Return the id: made of resource, run, attempt, transition and its occasion."""
    run = transition.run
    number, attempt = (run.number, run.attempt) if run is not None else (0, 0)
    parts = [uid, str(number), str(attempt), str(transition.kind)]
    if transition.occasion:
        parts.append(_digest(transition.occasion))
    return "-".join(parts)


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:_DIGEST_LENGTH]


def _unsaid(transition: transitions.Transition) -> str:
    """Say what happened to a stack whose row has no message."""
    return kinds.MEANINGS[transition.kind].when


def _short_run(run: v1alpha1.RunStatus | None) -> v1alpha1.RunStatus | None:
    # There may be hundreds of roots; of what matters in the stages there are transitions.
    return dataclasses.replace(run, root_runs=(), stages=()) if run is not None else None

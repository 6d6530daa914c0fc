"""What a notification tells, and who it is: equal transitions give equal ids. Pure.

A message between operator, workflow and worker as well, so fields are added with defaults and never
renamed. Whatever comes here can be read in Temporal's histories: no URL of a sink, no secret.
"""

import dataclasses
import hashlib
from collections.abc import Iterable

from controller.api import transitions as kinds
from controller.api import v1alpha1
from controller.chain.news import transitions

# Of a digest that only has to tell apart what happens in one attempt of one run.
_DIGEST_LENGTH = 16


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """The chain run that a notification is about; times are RFC 3339, UTC."""

    number: int
    attempt: int
    cause: str
    operation: str
    phase: str
    reason: str
    message: str
    progress: str
    start_time: str | None = None
    completion_time: str | None = None
    url: str | None = None
    summary: v1alpha1.Summary = dataclasses.field(default_factory=v1alpha1.Summary)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Stack:
    """The stack that a notification is about."""

    id: str
    phase: str
    name: str | None = None
    reason: str | None = None
    message: str | None = None
    blocked_by: str | None = None
    run_id: str | None = None
    url: str | None = None
    attempts: int = 1
    delta: v1alpha1.Delta | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Notification:
    """One thing to tell. `id` is unique within `source` and the same however often it is told.

    `time` is when the operator saw it, `sequence` how far the run's progress was known then (0:
    not at all), and `place` the order among what was seen at once.
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
    run: Run | None = None
    stack: Stack | None = None

    @property
    def severity(self) -> str:
        """`Warning` or `Normal`, as the type of the Event."""
        return "Warning" if self.is_warning else "Normal"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Whose transitions are told, by which release, as of when."""

    ref: v1alpha1.Ref
    installation: str
    sequence: int
    time: str


def notification(
    transition: transitions.Transition, origin: Origin, *, place: int = 0
) -> Notification:
    """Return what tells of a transition."""
    ref = origin.ref
    return Notification(
        id=notification_id(transition, ref.uid),
        source=f"/stackchain/{origin.installation}/{ref.namespace}/{ref.name}",
        transition=str(transition.kind),
        is_warning=transition.is_warning,
        reason=transition.reason,
        message=transition.message or _unsaid(transition),
        installation=origin.installation,
        namespace=ref.namespace,
        chain=ref.name,
        uid=ref.uid,
        generation=ref.generation,
        time=origin.time,
        sequence=origin.sequence,
        place=place,
        run=_run(transition.run),
        stack=_stack(transition.stack),
    )


def notification_id(transition: transitions.Transition, uid: str) -> str:
    """Return the id: made of resource, run, attempt, transition and what tells it from others."""
    run = transition.run
    number, attempt = (run.number, run.attempt) if run is not None else (0, 0)
    parts = [uid, str(number), str(attempt), str(transition.kind)]
    if transition.occasion:
        parts.append(_digest(transition.occasion))
    return "-".join(parts)


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:_DIGEST_LENGTH]


def _unsaid(transition: transitions.Transition) -> str:
    """Say what happened to a stack whose row has no message of its own."""
    return kinds.MEANINGS[transition.kind].when


def _run(run: v1alpha1.RunStatus | None) -> Run | None:
    if run is None:
        return None
    return Run(
        number=run.number,
        attempt=run.attempt,
        cause=run.cause,
        operation=run.operation,
        phase=run.phase,
        reason=run.reason,
        message=run.message,
        progress=run.progress,
        start_time=run.start_time,
        completion_time=run.completion_time,
        url=run.url,
        summary=run.summary,
    )


def _stack(stack: v1alpha1.StackStatus | None) -> Stack | None:
    if stack is None:
        return None
    return Stack(
        id=stack.id,
        phase=stack.phase,
        name=stack.name,
        reason=stack.reason,
        message=stack.message,
        blocked_by=stack.blocked_by,
        run_id=stack.run_id,
        url=stack.url,
        attempts=stack.attempts or 1,
        delta=stack.delta,
    )

"""How kopf is set up here: what it stores, how it watches, and who it is to the API server."""

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any

import aiohttp
import kopf
from kopf._cogs.clients import errors as kopf_errors

from controller import clock, times
from controller.api import v1alpha1
from controller.kube import client as kube_client
from controller.kube import errors as kube_errors
from controller.kube import stackchains
from controller.operator import asks_digest

Login = Callable[..., Awaitable[kopf.ConnectionInfo]]
"""A login handler of kopf's."""
ReadAccess = Callable[[], Awaitable[kube_client.Access]]

IsOurs = Callable[[Mapping[str, Any]], bool]
"""Whether no other installation has a resource."""

RECONCILE = kopf.HandlerId("reconcile")
"""The handler of restarts and of changes."""

_LOGIN_PAUSE_SECONDS = 2.0
_IDLE_SECONDS = 0.5
_PREFIX = f"kopf.{v1alpha1.GROUP}"
_TOUCH_LABEL = f"{_PREFIX}/touch"

# What the API server takes, and more than kopf ever adds here.
_LARGEST_ANNOTATIONS_BYTES = 256 * 1024
_RESERVED_BYTES = 4 * 1024


def _has_room(body: kopf.Body) -> bool:
    """Whether kopf's annotations fit besides those of others.

    If they do not, the API server refuses the whole change, including the finalizer in it.
    """
    used = sum(
        len(key.encode()) + len(value.encode()) for key, value in body.metadata.annotations.items()
    )
    return used + _RESERVED_BYTES <= _LARGEST_ANNOTATIONS_BYTES


class ProgressStorage(kopf.AnnotationsProgressStorage):
    """Keeps the progress of handlers in annotations, as far as there is room for them.

    Without annotations each handler is called again, which does no harm: handlers are
    level-triggered. A label then wakes kopf up for that. A record that kopf did not write does not
    count: otherwise the resource would never be handled.
    """

    def fetch(self, *, key: kopf.HandlerId, body: kopf.Body) -> kopf.ProgressRecord | None:
        """Return the progress of a handler."""
        try:
            record = super().fetch(key=key, body=body)
        except ValueError:
            return None
        return record if isinstance(record, Mapping) else None

    def store(
        self,
        *,
        key: kopf.HandlerId,
        record: kopf.ProgressRecord,
        body: kopf.Body,
        patch: kopf.Patch,
    ) -> None:
        """Keep the record of a handler."""
        if _has_room(body):
            super().store(key=key, record=record, body=body, patch=patch)

    def touch(self, *, body: kopf.Body, patch: kopf.Patch, value: str | None) -> None:
        """Change the object, so that kopf handles it again; None takes that back."""
        if value is None or _has_room(body):
            super().touch(body=body, patch=patch, value=value)
        label = None if value is None or _has_room(body) else _label_value(value)
        if label is None and body.metadata.deletion_timestamp is not None:
            # It is deleted with the object.
            return
        if label != body.metadata.labels.get(_TOUCH_LABEL):
            patch.setdefault("metadata", {}).setdefault("labels", {})[_TOUCH_LABEL] = label


def _label_value(text: str) -> str:
    return "".join(character for character in text if character.isalnum())[:63]


class StatusDigestStorage(kopf.DiffBaseStorage):
    """Compares the digest of what is asked with the one that a pass has written into the status.

    So kopf itself notes nothing, which would be a second write of the resource for each change
    (ADR 0067). Its own storages leave annotations out of the comparison.
    """

    def __init__(self, progress: kopf.ProgressStorage, is_ours: IsOurs) -> None:
        super().__init__()
        self._progress = progress
        self._is_ours = is_ours

    def build(
        self, *, body: kopf.Body, extra_fields: Iterable[Any] | None = None
    ) -> kopf.BodyEssence:
        """Return what is compared: nothing but the digest."""
        return _essence(asks_digest.digest_of(body))

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:
        """Return what was handled last; nothing, if it never was.

        Nothing has changed for us in a resource of another installation: otherwise each of two
        would take away what the other's kopf has noted about its handler.

        While a handler that failed is to be called again, something has changed: the resync may
        have done its work, but kopf has to call it once more to remove what it has noted about it.
        """
        if not self._is_ours(body):
            return self.build(body=body)
        digest = (body.get("status") or {}).get("observedDigest")
        if not digest:
            return None
        is_under_way = self._progress.fetch(key=RECONCILE, body=body) is not None
        return _essence("" if is_under_way else digest)

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Note nothing, since the pass has done it, but take off a mark that has woken kopf up.

        kopf alone would take it off with something else that it writes, and there is nothing.
        """
        self._progress.touch(body=body, patch=patch, value=None)


def _essence(digest: str) -> kopf.BodyEssence:
    return kopf.BodyEssence({"spec": {"digest": digest}})


def is_done(body: Mapping[str, Any]) -> bool:
    """Whether kopf would do nothing about a listed resource, but for calling handlers of restarts.

    It holds the resource, these very asks are noted as handled, and nothing is noted by kopf.
    """
    metadata = body["metadata"]
    if any(name.startswith(f"{_PREFIX}/") for name in metadata.get("annotations") or ()):
        return False
    if _TOUCH_LABEL in (metadata.get("labels") or ()):
        return False
    if v1alpha1.FINALIZER not in metadata.get("finalizers", ()) or "deletionTimestamp" in metadata:
        return False
    digest = (body.get("status") or {}).get("observedDigest")
    return bool(digest == asks_digest.digest_of(body))


def configure(settings: kopf.OperatorSettings, *, is_ours: IsOurs) -> None:
    """Set what differs from kopf's defaults, each with its reason."""
    settings.persistence.finalizer = v1alpha1.FINALIZER
    progress = ProgressStorage(prefix=_PREFIX, v1=False)
    settings.persistence.progress_storage = progress
    settings.persistence.diffbase_storage = StatusDigestStorage(progress, is_ours)
    # No watch of CRDs and namespaces: fewer rights are needed.
    settings.scanning.disabled = True
    # Events come from transitions of the status only.
    settings.posting.enabled = False
    settings.peering.standalone = True
    # A hanging API server must not hold a change for minutes.
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 10
    settings.watching.connect_timeout = 10
    # Bounds the memory of a listing.
    settings.watching.chunk_size = stackchains.PAGE_SIZE
    settings.execution.default_backoff = 15
    # Until then kopf keeps a task for each resource that had an event, and the resource itself.
    settings.queueing.idle_timeout = _IDLE_SECONDS


@contextlib.contextmanager
def bounded_pauses() -> Iterator[None]:
    """Have kopf wait as long as the API server asks for, and no longer than our own requests do.

    kopf alone would let a watch wait for a day, and understands no date.
    """
    check = kopf_errors.check_response

    async def check_bounded(response: aiohttp.ClientResponse) -> None:
        try:
            await check(response)
        except kopf_errors.APITooManyRequestsError as error:
            header = response.headers.get("Retry-After")
            asked = times.retry_after_seconds(header, now=clock.unix())
            # kopf takes its own pause where that is longer.
            error.headers["Retry-After"] = str(times.pause_seconds(asked, own=0.0))
            raise

    kopf_errors.check_response = check_bounded
    try:
        yield
    finally:
        kopf_errors.check_response = check


def login(read_access: ReadAccess, *, pause_seconds: float = _LOGIN_PAUSE_SECONDS) -> Login:
    """Return kopf's login handler: kopf reaches the API server as our own client does."""
    count = itertools.count()

    async def authenticate(**_: Any) -> kopf.ConnectionInfo:
        number = next(count)
        if number:
            # Credentials were refused. It may be the API server's fault, and be over in a while.
            await asyncio.sleep(pause_seconds)
        try:
            access = await read_access()
        except kube_errors.Denied as error:
            raise kopf.TemporaryError(str(error), delay=pause_seconds) from error
        scheme, _space, token = (access.authorization or "").rpartition(" ")
        return kopf.ConnectionInfo(
            server=access.server,
            ca_path=access.ca_file,
            insecure=not access.is_verified,
            username=access.username,
            password=access.password,
            scheme=scheme or None,
            token=token or None,
            certificate_path=access.certificate_file,
            private_key_path=access.key_file,
            proxy_url=access.proxy,
            # kopf never uses again what was refused once, unless it differs in something.
            priority=number,
        )

    return authenticate

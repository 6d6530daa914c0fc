"""How kopf is set up here: what it stores, how it watches, and who it is to the API server."""

import asyncio
import contextlib
import hashlib
import itertools
import json
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

Login = Callable[..., Awaitable[kopf.ConnectionInfo]]
"""A login handler of kopf's."""
ReadAccess = Callable[[], Awaitable[kube_client.Access]]

_LOGIN_PAUSE_SECONDS = 2.0
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


class AsksDigestStorage(kopf.AnnotationsDiffBaseStorage):
    """Keeps a digest of the spec and of the request tokens as the state last handled.

    kopf's own storage leaves annotations out of the comparison, writes the whole spec into one, and
    calls handlers over and over once that passes 256 kB. The uid is part of it: a backup that is
    restored brings the annotation along, but it is another resource.
    """

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Keep the digest; without room for it, each event of the object is a change."""
        if _has_room(body):
            super().store(body=body, patch=patch, essence=essence)

    def build(
        self, *, body: kopf.Body, extra_fields: Iterable[Any] | None = None
    ) -> kopf.BodyEssence:
        """Return what is compared: nothing but the digest."""
        asks = {
            "uid": body.metadata.uid,
            "spec": body.get("spec") or {},
            "tokens": [body.metadata.annotations.get(name) for name in v1alpha1.TOKENS],
        }
        text = json.dumps(asks, sort_keys=True, separators=(",", ":"), default=dict)
        digest = hashlib.sha256(text.encode()).hexdigest()
        return kopf.BodyEssence({"spec": {"digest": digest}})

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:
        """Return what was handled last; nothing, if the annotation is not what kopf wrote."""
        try:
            essence = super().fetch(body=body)
        except ValueError:
            return None
        return essence if isinstance(essence, Mapping) else None


def is_done(body: Mapping[str, Any]) -> bool:
    """Whether kopf would do nothing about a listed resource, but for calling handlers of restarts.

    It holds the resource, has noted these very asks as handled, and no handler is under way.
    """
    metadata = body["metadata"]
    noted = [name for name in metadata.get("annotations") or () if name.startswith(f"{_PREFIX}/")]
    if len(noted) != 1 or _TOUCH_LABEL in (metadata.get("labels") or ()):
        return False
    if v1alpha1.FINALIZER not in metadata.get("finalizers", ()) or "deletionTimestamp" in metadata:
        return False
    storage, wrapped = _digest_storage(), kopf.Body(body)  # type: ignore[arg-type]
    return storage.fetch(body=wrapped) == storage.build(body=wrapped)


def _digest_storage() -> AsksDigestStorage:
    return AsksDigestStorage(prefix=_PREFIX, v1=False)


def configure(settings: kopf.OperatorSettings) -> None:
    """Set what differs from kopf's defaults, each with its reason."""
    settings.persistence.finalizer = v1alpha1.FINALIZER
    settings.persistence.progress_storage = ProgressStorage(prefix=_PREFIX, v1=False)
    settings.persistence.diffbase_storage = _digest_storage()
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

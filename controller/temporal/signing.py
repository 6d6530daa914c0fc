"""What the operator signs and workers check, so that writing to Temporal alone starts nothing.

Both have keys that are not in Temporal (ADR 0033). The operator signs the grant in a chain's input,
and all messages to activities carry it. The worker that reads the stacks adds a permit for each one
that belongs to the chain. For stacks on which the chain's runs make Spacelift queue others, it adds
a permit that allows stops alone. The operator signs notifications, too, for each of their sinks.
"""

import base64
import dataclasses
import functools
import hashlib
import hmac
import json
from collections.abc import Hashable, Sequence
from typing import Any

from controller.api import v1alpha1
from controller.chain.news import notifications
from controller.config import mounted_keys, settings
from controller.temporal import messages, notification_messages

REVISION = 1
"""Of what is signed: a release that adds a field to it raises this (ADR 0033)."""

# Of a digest or code, enough that none is ever guessed or met again.
_SHORT_BYTES = 16
# Between the signature of a permit and the digest of the windows within which it is valid.
_WITHIN = "/"
_NOT_IN_INPUT_DIGEST = ("connection", "is_suspended")


class SignatureInvalid(Exception):
    """No one who has a key of ours signed it."""


class SigningKeyUnknown(Exception):
    """It was signed with a key that this process does not have, or does not have yet."""


class SignedByNewerVersion(Exception):
    """It does not fit its signature, which a newer version has made over more than is known here.

    What this version does not know may be what holds the work back, so it is left to newer workers.
    """


FAILURES = (SignatureInvalid, SigningKeyUnknown, SignedByNewerVersion)
"""What checks raise. After all but the first one, the request may be right, and is retried."""


def digest(value: Any) -> str:
    """Return what is equal for equal values, before and after they traveled in a message.

    A field that has its default counts as absent, so that versions that know it and versions that
    do not agree on it.
    """
    return _text(hashlib.sha256(_bytes(value)).digest()[:_SHORT_BYTES])


def input_digest(argument: messages.ChainInput) -> str:
    """Return the digest of what a chain is started with, without the grant and what may change."""
    fields = _plain(argument)
    return digest({name: fields[name] for name in fields if name not in _NOT_IN_INPUT_DIGEST})


class SigningKeys:
    """The keys of a process: the first one signs, all of them are accepted.

    A mounted file is read at each use, so that keys can be replaced without a restart. Without any,
    nothing is signed and everything is accepted.
    """

    def __init__(self, secret: settings.Secret | None = None) -> None:
        self._keys = mounted_keys.MountedKeys(secret, noun="Signing keys") if secret else None

    def signed_input(self, argument: messages.ChainInput) -> messages.ChainInput:
        """Return what a chain is to be started with, with its grant signed."""
        connection = argument.connection
        grant = dataclasses.replace(connection.grant, input_digest=input_digest(argument))
        signed = self.signed(dataclasses.replace(connection, grant=grant))
        return dataclasses.replace(argument, connection=signed)

    def signed(self, connection: messages.AccountRef) -> messages.AccountRef:
        """Return the connection with its grant signed by the first key."""
        if self._keys is None:
            return connection
        signature = _signature(self._keys, _content(connection))
        return dataclasses.replace(
            connection, grant=dataclasses.replace(connection.grant, signature=signature)
        )

    def permit(
        self,
        connection: messages.AccountRef,
        stack_id: str,
        *,
        windows: Sequence[v1alpha1.Window] = (),
    ) -> str:
        """Return this worker's signed statement that a stack belongs to what the grant is for.

        It includes the windows of the stack, so that no one can leave these out.
        """
        if self._keys is None:
            return ""
        within = _within(windows)
        signature = _signature(self._keys, _permitted(connection, stack_id, within))
        return f"{signature}{_WITHIN}{within}" if within else signature

    def stop_permit(self, connection: messages.AccountRef, stack_id: str) -> str:
        """Return the word of this worker that what the grant is for may queue runs on a stack."""
        return _signature(self._keys, _stoppable(connection, stack_id)) if self._keys else ""

    def signed_notification(
        self, wanted: notification_messages.NotificationInput
    ) -> notification_messages.NotificationInput:
        """Return a notification that is signed for each of its sinks."""
        if self._keys is None:
            return wanted
        signatures = {
            sink: _signature(self._keys, _notified(wanted.notification, sink))
            for sink in wanted.sinks
        }
        return dataclasses.replace(wanted, signatures=signatures)

    def check(self, connection: messages.AccountRef) -> None:
        """Check whether an operator with one of our keys has granted it.

        Raises:
            SignatureInvalid: it was not signed, or for something else.
            SigningKeyUnknown: it was signed by a key that is not here.
            SignedByNewerVersion: the signature covers more than is known here.
        """
        if self._keys is not None:
            self._check(
                self._keys, connection.grant.signature, _content(connection), "The input of the run"
            )

    def check_permit(self, stack: messages.StackRef) -> None:
        """Check whether a worker with one of our keys has read that the stack belongs to it.

        Raises:
            SignatureInvalid: none has.
            SigningKeyUnknown: by a key that is not here.
            SignedByNewerVersion: over more than is known here.
        """
        if self._keys is not None:
            within = self._check_permit(self._keys, stack)
            if not _is_same(within, _within(stack.windows)):
                what = f"The windows of the stack '{stack.stack_id}' are not those that were read."
                raise _mismatch(stack.permit, what)

    def _check_permit(self, keys: mounted_keys.MountedKeys, stack: messages.StackRef) -> str:
        """Check a permit; returns the digest of the windows within which it is valid."""
        signature, _, within = stack.permit.partition(_WITHIN)
        content = _permitted(stack.connection, stack.stack_id, within)
        self._check(keys, signature, content, f"The permit for the stack '{stack.stack_id}'")
        return within

    def check_stop_permit(self, stack: messages.StackRef) -> None:
        """Check whether a worker with one of our keys has read that runs may be stopped there.

        Raises:
            SignatureInvalid: none has.
            SigningKeyUnknown: by a key that is not here.
            SignedByNewerVersion: over more than is known here.
        """
        if self._keys is None:
            return
        try:
            # What runs may be stopped at any time.
            self._check_permit(self._keys, stack)
        except (SignatureInvalid, SignedByNewerVersion):
            # It is of the other kind, or fits neither.
            what = f"The permit to stop runs of the stack '{stack.stack_id}'"
            content = _stoppable(stack.connection, stack.stack_id)
            self._check(self._keys, stack.permit, content, what)

    def check_notification(self, delivery: notification_messages.DeliverNotificationInput) -> None:
        """Check whether an operator with one of our keys has signed it for its sink.

        Raises:
            SignatureInvalid: none has.
            SigningKeyUnknown: by a key that is not here.
            SignedByNewerVersion: over more than is known here.
        """
        if self._keys is not None:
            content = _notified(delivery.notification, delivery.sink)
            self._check(self._keys, delivery.signature, content, "The notification")

    def check_covers(self, grant: messages.Grant, signed: str, *, actual: Any) -> None:
        """Check whether a value matches its digest in a checked grant.

        Raises:
            SignatureInvalid: it does not.
            SignedByNewerVersion: this version cannot say.
        """
        if self._keys is not None and not _is_same(signed, digest(actual)):
            raise _mismatch(
                grant.signature, "The work of the run differs from what the operator signed."
            )

    def _check(
        self, keys: mounted_keys.MountedKeys, signature: str, content: bytes, what: str
    ) -> None:
        _, _, by_key = signature.partition(".")
        key_id, _, code = by_key.partition(".")
        if not code:
            raise SignatureInvalid(f"{what} is not signed.")
        key = keys.get(key_id)
        if key is None:
            raise SigningKeyUnknown(
                f"{what} is signed with the key {key_id[:16]}, which this worker does not have. "
                "Give the operator and the workers the same STACKCHAIN_SIGNING_KEYS."
            )
        if not _is_same(code, _code(key, content)):
            raise _mismatch(signature, f"{what} was changed after it was signed.")


def _signature(keys: mounted_keys.MountedKeys, content: bytes) -> str:
    key_id, key = keys.first()
    return f"{REVISION}.{key_id}.{_code(key, content)}"


def _mismatch(signature: str, message: str) -> SignatureInvalid | SignedByNewerVersion:
    revision, _, _ = signature.partition(".")
    if revision.isascii() and revision.isdigit() and int(revision[:9]) > REVISION:
        return SignedByNewerVersion(
            "A newer version of StackChain signed it, including fields that this worker does not "
            "know. It waits for a worker of that version: upgrade all workers."
        )
    return SignatureInvalid(message)


def _is_same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())


def _code(key: bytes, content: bytes) -> str:
    return _text(hmac.digest(key, content, "sha256"))


def _content(connection: messages.AccountRef) -> bytes:
    """Return what is signed: the whole message except the signature."""
    grant = dataclasses.replace(connection.grant, signature="")
    return b"grant " + _bytes(dataclasses.replace(connection, grant=grant))


def _permitted(connection: messages.AccountRef, stack_id: str, within: str = "") -> bytes:
    # By what was granted and not by its signature, which another key may have made since.
    kind = f"permit within {within} " if within else "permit "
    return kind.encode() + _content(connection) + b" " + stack_id.encode()


def _within(windows: Sequence[v1alpha1.Window]) -> str:
    return digest(list(windows)) if windows else ""


def _stoppable(connection: messages.AccountRef, stack_id: str) -> bytes:
    return b"stop " + _permitted(connection, stack_id)


def _notified(notification: notifications.Notification, sink: str) -> bytes:
    return b"notify " + _bytes([sink, notification])


def _bytes(value: Any) -> bytes:
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    """Return what JSON knows of a value, without the fields that have their defaults."""
    defaults = _defaults_of(value.__class__)
    if defaults is not None:
        plain = {}
        for name, default in defaults:
            item = _plain(getattr(value, name))
            if item != default:
                plain[name] = item
        return plain
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value


@functools.cache
def _defaults_of(kind: Hashable) -> tuple[tuple[str, Any], ...] | None:
    """Return the fields of a dataclass with their defaults in JSON; None for any other type."""
    if not isinstance(kind, type) or not dataclasses.is_dataclass(kind):
        return None
    return tuple((field.name, _default_of(field)) for field in dataclasses.fields(kind))


def _default_of(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return _plain(field.default_factory())
    # MISSING, for a field without a default, is like nothing else.
    return _plain(field.default)


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

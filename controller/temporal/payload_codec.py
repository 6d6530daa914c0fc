"""Encrypts what Temporal keeps: inputs, results, memos, heartbeats, failures, query answers.

AES-GCM, by Temporal's own interface for codecs (ADR 0037). What was written without a key, or with
an earlier one, is still read.
"""

import dataclasses
import hashlib
import os
from collections.abc import Sequence

import temporalio.converter
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import aead
from temporalio.api.common.v1 import Payload

from controller.config import mounted_keys, settings

_ENCODING = b"binary/encrypted"
_KEY_ID = "encryption-key-id"
_NONCE_BYTES = 12


class PayloadNotDecrypted(ValueError):
    """A payload that no key of this process fits; the message says which one is missing."""


class EncryptionCodec(temporalio.converter.PayloadCodec):
    """Encrypts each payload whole, with its own nonce."""

    def __init__(self, keys: mounted_keys.MountedKeys) -> None:
        self._keys = keys

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt with the first key."""
        key_id, key = self._keys.first()
        return [_encrypted(payload, key_id, key) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt with the key that each payload names.

        Raises:
            PayloadNotDecrypted: it is not here, or the payload was changed.
        """
        return [self._decrypted(payload) for payload in payloads]

    def _decrypted(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != _ENCODING:
            return payload
        key_id = payload.metadata.get(_KEY_ID, b"").decode(errors="replace")
        key = self._keys.get(key_id)
        if key is None:
            raise PayloadNotDecrypted(
                f"a payload is encrypted with the key {key_id[:32]!r}, which this process does "
                "not have; keep old keys in TEMPORAL_PAYLOAD_KEYS as long as there are "
                "histories that need them"
            )
        nonce, data = payload.data[:_NONCE_BYTES], payload.data[_NONCE_BYTES:]
        try:
            plain = aead.AESGCM(_aes_key(key)).decrypt(nonce, data, key_id.encode())
        except (InvalidTag, ValueError) as error:
            raise PayloadNotDecrypted(
                f"a payload that names the key {key_id[:32]!r} does not decrypt with it: it was "
                "changed, or another key has the same id"
            ) from error
        return Payload.FromString(plain)


def data_converter(keys: settings.Secret | None) -> temporalio.converter.DataConverter:
    """Return how a process reads and writes what is in Temporal; without keys in plain text."""
    default = temporalio.converter.DataConverter.default
    if keys is None:
        return default
    return dataclasses.replace(
        default,
        payload_codec=EncryptionCodec(mounted_keys.MountedKeys(keys, noun="Payload keys")),
        # Otherwise messages and traces of failures would be in plain text.
        failure_converter_class=(temporalio.converter.DefaultFailureConverterWithEncodedAttributes),
    )


def _encrypted(payload: Payload, key_id: str, key: bytes) -> Payload:
    nonce = os.urandom(_NONCE_BYTES)
    data = aead.AESGCM(_aes_key(key)).encrypt(nonce, payload.SerializeToString(), key_id.encode())
    return Payload(metadata={"encoding": _ENCODING, _KEY_ID: key_id.encode()}, data=nonce + data)


def _aes_key(key: bytes) -> bytes:
    return hashlib.sha256(b"payloads " + key).digest()

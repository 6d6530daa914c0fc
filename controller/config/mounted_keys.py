"""Symmetric keys out of a setting: several at a time, by id, read again as their file changes."""

import hashlib
import logging

from controller.config import environment

logger = logging.getLogger(__name__)

SHORTEST_KEY = 32
"""Characters that a key has at least."""

_ID_CHARACTERS = 8


class MountedKeys:
    """The first key is for new data; all of them are for existing data.

    Always has the last good ones.
    """

    def __init__(self, secret: environment.Secret, *, noun: str) -> None:
        """`noun` says in the log what they are, in the plural."""
        self._secret = secret
        self._noun = noun
        self._last_good = ""

    def first(self) -> tuple[str, bytes]:
        """Return id and text of the first key.

        Raises:
            SettingsError: there was never one.
        """
        return next(iter(self._all().items()))

    def get(self, key_id: str) -> bytes | None:
        """Return the key of an id.

        Raises:
            SettingsError: there was never one of any id.
        """
        return self._all().get(key_id)

    def _all(self) -> dict[str, bytes]:
        try:
            self._last_good = self._secret.reveal()
        except environment.SettingsError as error:
            if not self._last_good:
                raise
            logger.warning("%s not read, keeping the last", self._noun, extra={"why": str(error)})
        return {_id_of(word): word.encode() for word in self._last_good.split()}


def _id_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:_ID_CHARACTERS]

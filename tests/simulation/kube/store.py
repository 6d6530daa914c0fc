"""What the API server keeps: the objects, and what has changed since, each with its version.

Bodies are never changed in place: a write puts a new one, and readers get bytes.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pydantic_core

Json = dict[str, Any]


@dataclass(frozen=True, order=True, slots=True)
class Key:
    """Where an object is: its kind's plural, its namespace (or none), its name."""

    plural: str
    namespace: str
    name: str


class Stored:
    """One version of one object."""

    __slots__ = ("_data", "body")

    def __init__(self, body: Json) -> None:
        self.body = body
        self._data: bytes | None = None

    @property
    def data(self) -> bytes:
        """The object as it goes over the wire."""
        if self._data is None:
            self._data = pydantic_core.to_json(self.body)
        return self._data

    @property
    def version(self) -> str:
        """Its resourceVersion."""
        return str(self.body["metadata"]["resourceVersion"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One write, as watches show it."""

    version: int
    type: str
    key: Key
    stored: Stored
    user: str = ""
    """Who has written; no one, if the server itself has."""


class Store:
    """Gives each write the next version, and remembers the writes until it is compacted."""

    def __init__(self, *, first_version: int = 1000) -> None:
        self.version = first_version
        self.compacted = first_version
        """Changes up to this version are forgotten: who watches from before has to list."""
        self.user = ""
        """Whose request is carried out now."""
        self.listeners: list[Callable[[Change], None]] = []
        self._objects: dict[Key, Stored] = {}
        self._changes: list[Change] = []

    def get(self, key: Key) -> Stored | None:
        """Return an object as it is now."""
        return self._objects.get(key)

    def select(self, plural: str, namespace: str | None) -> list[Stored]:
        """Return all objects of a kind, in the order of the API server's lists."""
        found = [
            key
            for key in self._objects
            if key.plural == plural and namespace in (None, key.namespace)
        ]
        return [self._objects[key] for key in sorted(found)]

    def keys_in(self, namespace: str) -> Iterator[Key]:
        """Give the keys of all that a namespace has."""
        yield from sorted(key for key in self._objects if key.namespace == namespace)

    def put(self, key: Key, body: Json) -> Stored:
        """Write an object; its version is set here."""
        kind = "MODIFIED" if key in self._objects else "ADDED"
        stored = self._next(body)
        self._objects[key] = stored
        self._announce(kind, key, stored)
        return stored

    def remove(self, key: Key, body: Json) -> Stored:
        """Remove an object; watches show it once more as it was at last."""
        del self._objects[key]
        stored = self._next(body)
        self._announce("DELETED", key, stored)
        return stored

    def compact(self) -> None:
        """Forget all changes so far."""
        self.compacted = self.version
        self._changes.clear()

    def since(self, version: int) -> Iterable[Change]:
        """Return the changes after a version that is not compacted."""
        return [change for change in self._changes if change.version > version]

    def _next(self, body: Json) -> Stored:
        self.version += 1
        metadata = {**body["metadata"], "resourceVersion": str(self.version)}
        return Stored({**body, "metadata": metadata})

    def _announce(self, kind: str, key: Key, stored: Stored) -> None:
        change = Change(version=self.version, type=kind, key=key, stored=stored, user=self.user)
        self._changes.append(change)
        for listener in list(self.listeners):
            listener(change)

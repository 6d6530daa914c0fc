"""Requests to the API server, and which of the few resources that are needed each one is about."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib import parse as urlparse

from controller.api import v1alpha1

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One request as it comes over the wire."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str = "application/json"
    accept: str = "application/json"
    user: str = ""
    """Who asks; rights are given and taken by this name."""

    def __str__(self) -> str:
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        return f"{self.method} {self.path}{'?' if query else ''}{query}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """A resource that the API server has."""

    group: str
    version: str
    plural: str
    kind: str
    is_namespaced: bool = True
    has_status: bool = False
    is_defaulted: bool = False
    counts_generations: bool = False

    @property
    def api_version(self) -> str:
        """Group and version as objects have them."""
        return f"{self.group}/{self.version}" if self.group else self.version


STACKCHAINS = Kind(
    group=v1alpha1.GROUP,
    version=v1alpha1.VERSION,
    plural=v1alpha1.PLURAL,
    kind=v1alpha1.KIND,
    has_status=True,
    is_defaulted=True,
    counts_generations=True,
)
LEASES = Kind(group="coordination.k8s.io", version="v1", plural="leases", kind="Lease")
EVENTS = Kind(group="", version="v1", plural="events", kind="Event")
NAMESPACES = Kind(
    group="", version="v1", plural="namespaces", kind="Namespace", is_namespaced=False
)
KINDS = (STACKCHAINS, LEASES, EVENTS, NAMESPACES)
_BY_PATH = {(kind.group, kind.version, kind.plural): kind for kind in KINDS}


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What a path names: a kind, in a namespace or in all, one object of it or all."""

    kind: Kind
    namespace: str | None
    name: str | None
    is_status: bool


@functools.lru_cache(maxsize=1024)
def target_of(path: str) -> Target:
    """Return what a path of a resource names.

    Raises:
        NotImplementedError: only a real API server might have it.
    """
    parts = [urlparse.unquote(part) for part in path.strip("/").split("/")]
    group, rest = ("", parts[1:]) if parts[0] == "api" else (parts[1], parts[2:])
    version, rest = rest[0], rest[1:]
    namespace = None
    if len(rest) > 2 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    plural, rest = rest[0], rest[1:]
    kind = _BY_PATH.get((group, version, plural))
    if kind is None:
        raise NotImplementedError(f"The stand-in for the API server does not have {path}")
    if rest[1:] not in ([], ["status"]) or (rest[1:] and not kind.has_status):
        raise NotImplementedError(f"The stand-in for the API server does not have {path}")
    return Target(
        kind=kind,
        namespace=namespace,
        name=rest[0] if rest else None,
        is_status=bool(rest[1:]),
    )

"""An API server's audit log: what a service account asked for, and what it was refused."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Body = dict[str, Any]

_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "Metadata", "userGroups": ["system:serviceaccounts"]},
        {"level": "None"},
    ],
}


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Right:
    """One verb on one resource; a rule may limit it to one name."""

    group: str
    resource: str
    verb: str
    name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A request for a resource, as it was logged."""

    right: Right
    namespace: str
    was_allowed: bool


class AuditLog:
    """Written by an API server that was started with its flags."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._file = directory / "audit.log"
        self._policy = directory / "policy.yaml"
        self._policy.write_text(yaml.safe_dump(_POLICY))

    def flags(self) -> tuple[str, ...]:
        return (f"--audit-policy-file={self._policy}", f"--audit-log-path={self._file}")

    def requests(self, namespace: str, account: str) -> Iterator[Request]:
        """Yield what a service account asked for; what every user may ask for has no resource."""
        user = f"system:serviceaccount:{namespace}:{account}"
        # Others make requests meanwhile, so the last line may not be complete.
        whole = self._file.read_text(encoding="utf-8").rpartition("\n")[0]
        for line in whole.splitlines():
            entry = json.loads(line)
            if entry["user"]["username"] == user and "objectRef" in entry:
                yield _request(entry)


def _request(entry: Body) -> Request:
    target = entry["objectRef"]
    resource = "/".join(filter(None, [target["resource"], target.get("subresource", "")]))
    decision = (entry.get("annotations") or {}).get("authorization.k8s.io/decision")
    return Request(
        right=Right(
            group=target.get("apiGroup", ""),
            resource=resource,
            verb=entry["verb"],
            name=target.get("name", ""),
        ),
        namespace=target.get("namespace", ""),
        was_allowed=decision == "allow",
    )


def granted(rules: Iterable[Body]) -> set[Right]:
    """Return each right that the rules of a role give, one by one."""
    return {
        Right(group=group, resource=resource, verb=verb, name=name)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames") or [""]
    }


def used(rights: Iterable[Right], asked: Iterable[Right]) -> set[Right]:
    """Return those of the rights that some request needed."""
    exact = set(asked)
    unnamed = {Right(group=r.group, resource=r.resource, verb=r.verb) for r in exact}
    return {right for right in rights if right in (exact if right.name else unnamed)}

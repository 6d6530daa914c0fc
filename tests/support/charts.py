"""Values of the chart, and the objects that result from them, in the terms of the tests."""

import copy
from collections.abc import Iterable, Mapping
from typing import Any

Body = dict[str, Any]

ROLES = ("operator", "worker", "webhook")

# The smallest values that make a release: a test is about what it adds to them.
MINIMAL: Mapping[str, Any] = {
    "temporal": {"address": "temporal.example.com:7233"},
    "spacelift": {
        "connections": {
            "default": {
                "endpoint": "https://example.app.spacelift.io",
                "existingSecret": "keys",
                "allowedNamespaces": ["*"],
            }
        }
    },
}
SIGNED = {"spacelift.connections.default.webhookSecret": {"existingSecret": "signing"}}
WEBHOOK: Mapping[str, Any] = {"webhook.enabled": True, **SIGNED}
UI: Mapping[str, Any] = {"ui.enabled": True, "ui.url": "https://stackchain.example.com"}


def values(changes: Mapping[str, Any] | None = None) -> Body:
    """Return the smallest values with changes: `values({"worker.replicas": 3})`.

    A change to None removes one of these values; for a value of the chart it is a null.
    """
    result = copy.deepcopy(dict(MINIMAL))
    for path, value in (changes or {}).items():
        *parents, last = path.split(".")
        place = result
        for key in parents:
            place = place.setdefault(key, {})
        # Copied, since a longer path may lead into it.
        place[last] = copy.deepcopy(value)
    return result


class Objects:
    """What a release consists of."""

    def __init__(self, bodies: Iterable[Body]) -> None:
        self.bodies = list(bodies)

    def of(self, kind: str) -> list[Body]:
        """Return all objects of a kind."""
        return [body for body in self.bodies if body["kind"] == kind]

    def names(self, kind: str) -> list[str]:
        """Return the names of all objects of a kind, sorted."""
        return sorted(body["metadata"]["name"] for body in self.of(kind))

    def one(self, kind: str, component: str) -> Body:
        """Return the one object of a kind and component; more or less than one fails the test."""
        found = [body for body in self.of(kind) if component_of(body) == component]
        assert len(found) == 1, [(kind, component), [body["metadata"]["name"] for body in found]]
        return found[0]

    def pods(self) -> dict[str, Body]:
        """Return every pod template, with its metadata, and every pod, by component."""
        templates = {component_of(b): b["spec"]["template"] for b in self.of("Deployment")}
        return {**templates, **{component_of(body): body for body in self.of("Pod")}}

    def container(self, component: str) -> Body:
        """Return our own container of a component's pods."""
        containers = self.pods()[component]["spec"]["containers"]
        return next(item for item in containers if item["name"] == component)

    def environment(self, component: str) -> dict[str, str]:
        """Return the plain variables of a component; those from fields show the field."""
        return {
            item["name"]: item.get("value") or item["valueFrom"]["fieldRef"]["fieldPath"]
            for item in self.container(component)["env"]
        }


def component_of(body: Body) -> str:
    """Return which part of the release an object belongs to."""
    return str(body["metadata"]["labels"]["app.kubernetes.io/component"])

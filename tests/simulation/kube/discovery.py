"""What the API server says about what it serves."""

from collections.abc import Iterable
from typing import Any

from tests.simulation.kube import routes

Json = dict[str, Any]

CORE_VERSIONS: Json = {"kind": "APIVersions", "versions": ["v1"]}


def groups(kinds: Iterable[routes.Kind]) -> Json:
    """Return the groups that have the kinds."""
    versions = {kind.group: (kind.version, kind.api_version) for kind in kinds if kind.group}
    listed = []
    for group, (version, api_version) in versions.items():
        named = {"groupVersion": api_version, "version": version}
        listed.append({"name": group, "versions": [named], "preferredVersion": named})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}


def resources(kinds: Iterable[routes.Kind]) -> Json:
    """Return what one version of a group has."""
    served = list(kinds)
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": served[0].api_version,
        "resources": [resource for kind in served for resource in _of_kind(kind)],
    }


def _of_kind(kind: routes.Kind) -> list[Json]:
    verbs = ["delete", "get", "list", "patch", "create", "update", "watch"]
    plural = {
        "name": kind.plural,
        "singularName": kind.kind.lower(),
        "namespaced": kind.is_namespaced,
        "kind": kind.kind,
        "verbs": verbs,
    }
    if not kind.has_status:
        return [plural]
    status = {
        **plural,
        "name": f"{kind.plural}/status",
        "singularName": "",
        "verbs": ["get", "patch", "update"],
    }
    return [plural, status]

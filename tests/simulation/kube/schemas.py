"""What the API server takes from the definition: defaults, and what it publishes of the schema."""

import copy
import functools
from typing import Any

from tests.simulation.kube import routes
from tests.support import definition

Json = dict[str, Any]


@functools.cache
def published(kind: routes.Kind) -> Json:
    """Return the OpenAPI document of the version that the definition has."""
    named = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    schema = {**definition.schema(), "x-kubernetes-group-version-kind": [named]}
    return {"openapi": "3.0.0", "components": {"schemas": {kind.kind: schema}}}


def defaulted(body: Json) -> Json:
    """Return an object with the defaults of the definition where it says nothing."""
    result: Json = _with_defaults(body, _schema())
    return result


@functools.cache
def _schema() -> Json:
    return _pruned(definition.schema())


def _pruned(schema: Json) -> Json:
    """Return of a schema what leads to a default."""
    below = {name: _pruned(each) for name, each in (schema.get("properties") or {}).items()}
    kept: Json = {"properties": {name: each for name, each in below.items() if each}}
    if isinstance(schema.get("items"), dict) and (items := _pruned(schema["items"])):
        kept["items"] = items
    if "default" in schema:
        kept["default"] = schema["default"]
    return kept if len(kept) > 1 or kept["properties"] else {}


def _with_defaults(value: Any, schema: Json) -> Any:
    if isinstance(value, dict):
        result = dict(value)
        for name, below in (schema.get("properties") or {}).items():
            if name not in result and "default" in below:
                result[name] = copy.deepcopy(below["default"])
            if name in result:
                result[name] = _with_defaults(result[name], below)
        return result
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        return [_with_defaults(item, schema["items"]) for item in value]
    return value

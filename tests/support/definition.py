"""The CustomResourceDefinition as its file has it, and its fields by path."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from controller import times
from devenv.control_plane import definitions

Body = dict[str, Any]


def crd() -> Body:
    (file,) = definitions.CRD_FOLDER.glob("*.yaml")
    # Ten times as fast as the one in Python, and the modules of many tests start with it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document: Body = yaml.load(file.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506
    return document


def schema() -> Body:
    (version,) = crd()["spec"]["versions"]
    found: Body = version["schema"]["openAPIV3Schema"]
    return found


def spec_fields() -> dict[str, Body]:
    """Return the fields of the spec by path: "spec.roots", "spec.roots.stackIds", ..."""
    return dict(_fields(schema()["properties"]["spec"], "spec"))


def status_fields() -> dict[str, Body]:
    return dict(_fields(schema()["properties"]["status"], "status"))


def _fields(part: Body, path: str) -> Iterator[tuple[str, Body]]:
    for name, field in part.get("properties", {}).items():
        yield f"{path}.{name}", field
        yield from _fields(field.get("items", field), f"{path}.{name}")


def rules() -> list[Body]:
    """Return every CEL rule of the definition."""
    return list(_rules(schema()))


def _rules(part: Any) -> Iterator[Body]:
    if isinstance(part, dict):
        yield from part.get("x-kubernetes-validations", [])
        for value in part.values():
            yield from _rules(value)
    elif isinstance(part, list):
        for value in part:
            yield from _rules(value)


_TYPES: dict[str, type] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
}
_BITS = {"int32": 31, "int64": 63}


def misfits(value: Any, part: Body, path: str) -> Iterator[str]:
    """Say which parts of a value an API server would refuse or drop, as far as the schema tells."""
    if type(value) is not _TYPES[part["type"]]:
        yield f"{path} is no {part['type']}"
    elif isinstance(value, dict):
        known = part.get("properties", {})
        yield from (f"{path}.{name} is unknown" for name in value.keys() - known.keys())
        yield from (
            f"{path}.{name} is missing" for name in part.get("required", ()) if name not in value
        )
        for name in value.keys() & known.keys():
            yield from misfits(value[name], known[name], f"{path}.{name}")
    elif isinstance(value, list):
        if len(value) > part.get("maxItems", len(value)):
            yield f"{path} has too many items"
        for place, item in enumerate(value):
            yield from misfits(item, part["items"], f"{path}.{place}")
    elif isinstance(value, str):
        yield from _string_misfits(value, part, path)
    elif isinstance(value, int) and not isinstance(value, bool):
        bound = 2 ** _BITS[part["format"]]
        if not max(-bound, part.get("minimum", -bound)) <= value < bound:
            yield f"{path} is out of range: {value}"


def _string_misfits(value: str, part: Body, path: str) -> Iterator[str]:
    if "enum" in part and value not in part["enum"]:
        yield f"{path} is none of the enum: {value}"
    if not part.get("minLength", 0) <= len(value) <= part.get("maxLength", len(value)):
        yield f"{path} is too long, or too short: {len(value)}"
    if "pattern" in part and not re.search(part["pattern"], value):
        yield f"{path} does not match its pattern: {value}"
    if part.get("format") == "date-time" and times.instant(value) is None:
        yield f"{path} is no date-time: {value}"

"""The CustomResourceDefinition as its file has it, and its fields by path."""

from collections.abc import Iterator
from typing import Any

import yaml

from devenv.control_plane import definitions

Body = dict[str, Any]


def crd() -> Body:
    (file,) = definitions.CRD_FOLDER.glob("*.yaml")
    # Ten times as fast as the one in Python, and the modules of many tests begin with it.
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

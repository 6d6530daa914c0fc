"""JSON merge patches (RFC 7386) and JSON patches (RFC 6902), as far as anyone sends them here."""

import copy
from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]


class Inapplicable(Exception):
    """A JSON patch does not fit the object: a test fails, or a path is missing."""


def merged(target: Any, patch: Any) -> Any:
    """Return the target with a merge patch applied; nothing is changed in place."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def patched(target: Json, operations: Sequence[Json]) -> Json:
    """Return the target with a JSON patch applied: `test`, `add`, `replace`, `remove`.

    Raises:
        Inapplicable: it does not fit.
        NotImplementedError: an operation that nothing here sends.
    """
    result = copy.deepcopy(target)
    for operation in operations:
        steps = [_unescaped(step) for step in operation["path"].split("/")[1:]]
        parent = _parent(result, steps)
        match operation["op"]:
            case "test":
                if _value(parent, steps[-1]) != operation["value"]:
                    raise Inapplicable(f"testing path {operation['path']} failed")
            case "add":
                _add(parent, steps[-1], operation["value"])
            case "replace":
                _value(parent, steps[-1])
                _replace(parent, steps[-1], operation["value"])
            case "remove":
                _value(parent, steps[-1])
                _remove(parent, steps[-1])
            case other:
                raise NotImplementedError(f"JSON patch operation {other}")
    return result


def _unescaped(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")


def _parent(document: Any, steps: Sequence[str]) -> Any:
    for step in steps[:-1]:
        document = _value(document, step)
    return document


def _value(parent: Any, step: str) -> Any:
    try:
        return parent[int(step)] if isinstance(parent, list) else parent[step]
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise Inapplicable(f"there is no {step}") from error


def _add(parent: Any, step: str, value: Any) -> None:
    if isinstance(parent, list):
        parent.insert(len(parent) if step == "-" else int(step), value)
    else:
        parent[step] = value


def _replace(parent: Any, step: str, value: Any) -> None:
    parent[int(step) if isinstance(parent, list) else step] = value


def _remove(parent: Any, step: str) -> None:
    del parent[int(step) if isinstance(parent, list) else step]

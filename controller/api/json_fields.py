"""Names of fields as our JSON has them, camelCase, and as our code has them."""

import functools
from collections.abc import Mapping
from typing import Any

from pydantic.alias_generators import to_camel

from controller import outside_text


def to_json(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields as our JSON has them: camelCase, without empty ones."""
    result: dict[str, Any] = {}
    for key, value in fields.items():
        if value is None or value == () or value == []:
            continue
        result[_to_camel(key)] = _camel_value(value)
    return result


# A status of 500 stacks has thousands of keys, of which a few dozen differ.
@functools.lru_cache(maxsize=1024)
def _to_camel(key: str) -> str:
    return to_camel(key)


def _camel_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return to_json(value)
    if isinstance(value, list | tuple):
        return [_camel_value(item) for item in value]
    return outside_text.visible(str(value)) if isinstance(value, str) else value


def from_json(value: Any) -> Any:
    """Return a JSON value with the names of fields as our code has them."""
    if isinstance(value, Mapping):
        return {_to_snake(key): from_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [from_json(item) for item in value]
    return value


@functools.lru_cache(maxsize=1024)
def _to_snake(key: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in key)

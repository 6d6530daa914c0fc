"""Names of fields as our JSON has them, camelCase, and as our code has them."""

import dataclasses
import functools
from collections.abc import Hashable, Mapping
from typing import Any

from pydantic.alias_generators import to_camel

from controller import outside_text


def to_json(fields: Any) -> dict[str, Any]:
    """Return a dataclass, or a mapping, as our JSON has it: camelCase, without empty fields."""
    names = _field_names(fields.__class__)
    items = fields.items() if names is None else [(name, getattr(fields, name)) for name in names]
    return {
        _to_camel(name): _camel_value(value)
        for name, value in items
        if value is not None and value != () and value != []
    }


@functools.cache
def _field_names(kind: Hashable) -> tuple[str, ...] | None:
    """Return the names of a dataclass's fields; None for what is none."""
    if not isinstance(kind, type) or not dataclasses.is_dataclass(kind):
        return None
    return tuple(field.name for field in dataclasses.fields(kind))


# A status of 500 stacks has thousands of keys, of which a few dozen differ.
@functools.lru_cache(maxsize=1024)
def _to_camel(key: str) -> str:
    return to_camel(key)


def _camel_value(value: Any) -> Any:
    if isinstance(value, str):
        return outside_text.visible(str(value))
    if isinstance(value, list | tuple):
        return [_camel_value(item) for item in value]
    if _field_names(value.__class__) is not None or isinstance(value, Mapping):
        return to_json(value)
    return value


_LEAVES = frozenset({str, int, float, bool, type(None)})


def from_json(value: Any) -> Any:
    """Return a JSON value with the names of fields as our code has them."""
    # Most are leaves, and these and dicts are much sooner recognized than any other mapping.
    if value.__class__ in _LEAVES:
        return value
    if isinstance(value, dict) or (not isinstance(value, str) and isinstance(value, Mapping)):
        return {_to_snake(key): from_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [from_json(item) for item in value]
    return value


@functools.lru_cache(maxsize=1024)
def _to_snake(key: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in key)

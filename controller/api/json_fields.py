"""Converts dataclasses from and to our JSON, where names are camelCase.

Without a library: the kubectl plugin reads chains too, and has to be small and quick.
"""

import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar

from controller import outside_text
from controller.api import wording

Kind = TypeVar("Kind")
Read = Callable[[Any], Any]

_NAME = "json name"
_INLINE = "inline"
_WORDS: Mapping[type, str] = {
    str: "a string",
    int: "a whole number",
    bool: "true or false",
}

INLINE: Mapping[str, Any] = {_INLINE: True}
"""Metadata of a field whose own fields are in the JSON of what holds it."""


def named(name: str) -> Mapping[str, Any]:
    """Return the metadata of a field whose name in JSON is not its own in camelCase."""
    return {_NAME: name}


class Misfit(Exception):
    """A value does not fit its field: `path` leads to it, `what` says what it must be."""

    def __init__(self, what: str, *path: str) -> None:
        """Hold what is wrong, and where."""
        super().__init__(f"{'.'.join(path)} {what}")
        self.what = what
        self.path = path


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
    """Return the names of a dataclass's fields; None for any other type."""
    if not isinstance(kind, type) or not dataclasses.is_dataclass(kind):
        return None
    return tuple(field.name for field in dataclasses.fields(kind))


# A status of 500 stacks has thousands of keys, of which a few dozen differ.
@functools.lru_cache(maxsize=1024)
def _to_camel(key: str) -> str:
    first, *others = key.split("_")
    return first + "".join(word.capitalize() for word in others)


def _camel_value(value: Any) -> Any:
    if isinstance(value, str):
        return outside_text.visible(str(value))
    if isinstance(value, int | float):
        return value
    if isinstance(value, list | tuple):
        return [_camel_value(item) for item in value]
    if _field_names(value.__class__) is not None or isinstance(value, Mapping):
        return to_json(value)
    return value


def from_json(kind: type[Kind], value: Any) -> Kind:
    """Read a dataclass from our JSON; fields that it does not have are passed over.

    A null counts as missing, as for the API server.

    Raises:
        Misfit: a value does not fit the type of its field.
    """
    read: Kind = _reader_of(typing.cast(Hashable, kind))(value)
    return read


@functools.cache
def _reader_of(hint: Hashable) -> Read:
    """Return what reads a value of a type, made once for each type."""
    if isinstance(hint, type):
        if dataclasses.is_dataclass(hint):
            return _dataclass_reader(hint)
        if issubclass(hint, enum.Enum):
            return _enum_reader(hint)
        if hint in _WORDS:
            return _plain_reader(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple and len(arguments) == 2 and arguments[1] is ...:
        return _list_reader(_reader_of(arguments[0]))
    if origin in (typing.Union, types.UnionType):
        kinds = [argument for argument in arguments if argument is not types.NoneType]
        if len(kinds) == 1:
            # A null never gets here.
            return _reader_of(kinds[0])
    raise TypeError(f"{hint} is not a type of our JSON")


def _dataclass_reader(kind: type) -> Read:
    # The fields are read with the first value: a dataclass may contain itself.
    @functools.cache
    def fields() -> list[tuple[str, str | None, Read, bool]]:
        hints = typing.get_type_hints(kind)
        return [
            (
                field.name,
                None if field.metadata.get(_INLINE) else name_of(field),
                _reader_of(hints[field.name]),
                field.default is dataclasses.MISSING,
            )
            for field in dataclasses.fields(kind)
        ]

    def read(value: Any) -> Any:
        if value.__class__ is not dict and not isinstance(value, Mapping):
            raise Misfit("must be an object")
        values = {}
        for name, key, read_field, is_required in fields():
            if key is None:
                values[name] = read_field(value)
                continue
            found = value.get(key)
            if found is None:
                if is_required:
                    raise Misfit("is required", key)
                continue
            try:
                values[name] = read_field(found)
            except Misfit as misfit:
                raise Misfit(misfit.what, key, *misfit.path) from misfit
        try:
            return kind(**values)
        except ValueError as error:
            raise Misfit(str(error)) from error

    return read


def name_of(field: "dataclasses.Field[Any]") -> str:
    """Return the name of a field in our JSON."""
    name: str = field.metadata.get(_NAME) or _to_camel(field.name)
    return name


def _list_reader(read_item: Read) -> Read:
    def read(value: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise Misfit("must be a list")
        items = []
        for position, item in enumerate(value):
            try:
                items.append(read_item(item))
            except Misfit as misfit:
                raise Misfit(misfit.what, str(position), *misfit.path) from misfit
        return tuple(items)

    return read


def _enum_reader(kind: type[enum.Enum]) -> Read:
    *names, last = wording.quoted([str(member.value) for member in kind])
    words = f"{', '.join(names)} or {last}" if names else last

    def read(value: Any) -> Any:
        try:
            return kind(value)
        except ValueError as error:
            raise Misfit(f"must be {words}") from error

    return read


def _plain_reader(kind: type) -> Read:
    words = f"must be {_WORDS[kind]}"

    def read(value: Any) -> Any:
        # Neither takes what is another type: for Python a boolean is a number.
        if value.__class__ is not kind:
            raise Misfit(words)
        return value

    return read

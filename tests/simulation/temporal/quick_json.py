"""The SDK's JSON payloads, converted by functions that are made once per type.

The SDK looks at type hints again for each value, which takes a third of a simulation. The results
are the same; a type that is not known here goes to the SDK.
"""

import collections.abc
import contextlib
import dataclasses
import enum
import functools
import json
import types
import typing
from collections.abc import Callable
from typing import Any

import pydantic
import temporalio.converter
from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    AdvancedJSONEncoder,
    CompositePayloadConverter,
    DefaultFailureConverter,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
    value_to_type,
)

Convert = Callable[[Any], Any]


class _Encoder(AdvancedJSONEncoder):
    """Turns dataclasses into objects level by level, without a copy of all below."""

    def default(self, o: Any) -> Any:
        names = _field_names(type(o))
        if names is not None:
            return {name: getattr(o, name) for name in names}
        return super().default(o)


_ENCODER = _Encoder(separators=(",", ":"), sort_keys=True)
_NONE = type(None)
_METADATA = {"encoding": b"json/plain"}


class QuickJSONConverter(JSONPlainPayloadConverter):
    """JSON of dataclasses and plain values."""

    def to_payload(self, value: Any) -> Payload | None:
        """Return the JSON of a value."""
        return Payload(metadata=_METADATA, data=_ENCODER.encode(value).encode())

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """Return the value of a type that JSON stands for."""
        adapter = _adapter(type_hint)
        if adapter is not None:
            # A value that does not fit at once goes to the code that does exactly what the SDK
            # does.
            with contextlib.suppress(pydantic.ValidationError):
                return adapter.validate_json(payload.data, strict=True)
        try:
            value = json.loads(payload.data)
        except json.JSONDecodeError as error:
            raise RuntimeError("Failed parsing") from error
        return conversion(type_hint)(value) if type_hint else value


class QuickPayloadConverter(CompositePayloadConverter):
    """The SDK's payloads, with quick JSON."""

    def __init__(self) -> None:
        super().__init__(
            *(
                QuickJSONConverter() if isinstance(one, JSONPlainPayloadConverter) else one
                for one in DefaultPayloadConverter.default_encoding_payload_converters
            )
        )


class QuickFailureConverter(DefaultFailureConverter):
    """The SDK's failures, without the stack traces that no one reads in a simulation."""

    def to_failure(self, exception: BaseException, *arguments: Any) -> None:
        """Describe an exception that has come to its end."""
        error: BaseException | None = exception
        while error is not None:
            error.__traceback__ = None
            error = error.__cause__
        super().to_failure(exception, *arguments)


DATA_CONVERTER = dataclasses.replace(
    temporalio.converter.DataConverter.default,
    payload_converter_class=QuickPayloadConverter,
    failure_converter_class=QuickFailureConverter,
)


@functools.cache
def _adapter(hint: Any) -> pydantic.TypeAdapter[Any] | None:
    """Return what reads dataclasses without a line of Python; None for all else."""
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    kinds = [kind for kind in (typing.get_args(hint) if is_union else [hint]) if kind is not _NONE]
    is_known = len(kinds) == 1 and _is_plain_dataclass(kinds[0])
    return pydantic.TypeAdapter(hint) if is_known else None


@functools.cache
def _field_names(kind: type) -> tuple[str, ...] | None:
    if not dataclasses.is_dataclass(kind):
        return None
    return tuple(field.name for field in dataclasses.fields(kind))


@functools.cache
def conversion(hint: Any) -> Convert:
    """Return what converts the values of a type, as the SDK would."""
    if hint is Any:
        return lambda value: value
    if hint in (int, float):
        return lambda value: hint(_checked(value, (int, float)))
    if hint in (bool, str):
        return lambda value: _checked(value, hint)
    if hint is _NONE:
        return _none
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _union(hint, [conversion(argument) for argument in arguments])
    if origin in (list, tuple, collections.abc.Sequence):
        return _sequence(hint, origin, arguments)
    if _is_plain_dataclass(hint):
        return _dataclass(hint)
    if isinstance(hint, type) and issubclass(hint, enum.StrEnum):
        return lambda value: hint(_checked(value, str))
    return lambda value: value_to_type(hint, value)


def _is_plain_dataclass(hint: Any) -> bool:
    return (
        isinstance(hint, type)
        and dataclasses.is_dataclass(hint)
        and all(field.init for field in dataclasses.fields(hint))
    )


def _checked(value: Any, kinds: Any) -> Any:
    if not isinstance(value, kinds):
        raise TypeError(f"Expected value to be {kinds}, was {type(value)}")
    return value


def _none(value: Any) -> None:
    if value is not None:
        raise TypeError(f"Expected None, got value of type {type(value)}")


def _union(hint: Any, conversions: list[Convert]) -> Convert:
    def convert(value: Any) -> Any:
        for one in conversions:
            try:
                return one(value)
            except Exception:  # noqa: S112 - as the SDK does
                continue
        raise TypeError(f"Failed converting to {hint} from {value}")

    return convert


def _sequence(hint: Any, origin: Any, arguments: tuple[Any, ...]) -> Convert:
    is_tuple = origin is tuple
    if len(arguments) != (2 if is_tuple else 1) or (is_tuple and arguments[1] is not ...):
        return lambda value: value_to_type(hint, value)
    item = conversion(arguments[0])

    def convert(value: Any) -> Any:
        items = [item(one) for one in _checked(value, collections.abc.Iterable)]
        return tuple(items) if is_tuple else items

    return convert


def _dataclass(kind: type) -> Convert:
    # Made at the first use: a dataclass may contain itself.
    fields: list[tuple[str, Convert]] = []

    def convert(value: Any) -> Any:
        if not isinstance(value, dict):
            raise TypeError(f"Cannot convert to dataclass {kind}, value is {type(value)} not dict")
        if not fields:
            hints = typing.get_type_hints(kind)
            fields.extend(
                (field.name, conversion(hints[field.name])) for field in dataclasses.fields(kind)
            )
        try:
            return kind(**{name: one(value[name]) for name, one in fields if name in value})
        except Exception as error:
            raise TypeError(f"Failed converting to dataclass {kind}") from error

    return convert

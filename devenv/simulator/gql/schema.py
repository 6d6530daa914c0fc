"""The executable schema: the SDL of `schema.graphql` with a resolver on every field.

A field that no table names is an attribute (or a key) of the record, in snake case. Which one it is
is decided here once, and not again for every value of every answer.
"""

import functools
import importlib.resources
from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    build_schema,
    get_named_type,
)
from graphql.pyutils import camel_to_snake

from devenv.simulator.gql import (
    account_fields,
    policy_fields,
    queries,
    run_fields,
    run_mutations,
    stack_fields,
    stack_mutations,
    webhook_fields,
)
from devenv.simulator.gql.documents import Operation

_METADATA_FIELD = "extend type Run { userProvidedMetadata: [String!]! }"
_BLANKS = {"String": "", "Boolean": False, "Int": 0}

_FIELDS: Mapping[str, Callable[..., Any]] = {
    **account_fields.FIELDS,
    **policy_fields.FIELDS,
    **queries.FIELDS,
    **run_fields.FIELDS,
    **run_mutations.FIELDS,
    **stack_fields.FIELDS,
    **stack_mutations.FIELDS,
    **webhook_fields.FIELDS,
}


@functools.cache
def load(*, has_metadata: bool = False) -> GraphQLSchema:
    """Return the schema, with or without a readable run metadata field."""
    sdl = importlib.resources.files("devenv.simulator").joinpath("schema.graphql")
    text = sdl.read_text(encoding="utf-8")
    schema = build_schema(text + (_METADATA_FIELD if has_metadata else ""))
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
            _resolve(type_)
    return schema


def _resolve(type_: GraphQLObjectType) -> None:
    for name, field in type_.fields.items():
        path = f"{type_.name}.{name}"
        if path in _FIELDS:
            field.resolve = _FIELDS[path]
        elif type_.name.startswith("StackConfigVendor"):
            field.resolve = _vendor_value(name, field)
        else:
            field.resolve = _attribute(name, field)


def _attribute(name: str, field: GraphQLField) -> Callable[..., Any]:
    snake = camel_to_snake(name)
    if get_named_type(field.type).name == "Int":
        return lambda source, _info: _whole(_read(source, snake))
    return lambda source, _info: _read(source, snake)


def _read(source: Any, name: str) -> Any:
    return source.get(name) if isinstance(source, dict) else getattr(source, name)


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _vendor_value(name: str, field: GraphQLField) -> Callable[..., Any]:
    """Members of the vendor union have many required fields that mean nothing here."""
    is_required = isinstance(field.type, GraphQLNonNull)
    blank = _BLANKS.get(get_named_type(field.type).name) if is_required else None

    def resolve(source: dict[str, Any], _info: GraphQLResolveInfo) -> Any:
        return source.get(name, blank)

    return resolve


def has_required(operation: Operation, aliases: tuple[str, ...]) -> bool:
    """Return whether a null in one of these root fields would make the whole answer null."""
    schema = load()
    root = schema.mutation_type if operation.is_mutation else schema.query_type
    names = {field.name for field in operation.fields if field.alias in aliases}
    fields = root.fields if root else {}
    return any(name in fields and isinstance(fields[name].type, GraphQLNonNull) for name in names)

"""Documents as clients send them: parsed and validated once, however often they come.

Production accepts an empty variable list (`query GetStacks () {...}`), which is not valid GraphQL,
so it is removed before parsing (seen from Spacelift's Backstage plugin).
"""

import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    validate,
    value_from_ast_untyped,
)

KEPT = 512

_EMPTY_VARIABLES = re.compile(r"^(\s*(?:query|mutation|subscription)\s+\w+\s*)\(\s*\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class RootField:
    """A root field of an operation, as asked for."""

    name: str
    alias: str
    node: FieldNode

    def arguments(self, variables: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments as plain values."""
        return {
            argument.name.value: value_from_ast_untyped(argument.value, variables)
            for argument in self.node.arguments
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of a document."""

    name: str | None
    is_mutation: bool
    fields: tuple[RootField, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A document ready for execution, or the errors that make it unfit."""

    text: str
    document: DocumentNode | None
    errors: tuple[GraphQLError, ...] = ()
    operations: tuple[Operation, ...] = ()

    def operation(self, name: str | None) -> Operation | None:
        """Return the operation that a request means, if that is clear."""
        if name:
            return next((one for one in self.operations if one.name == name), None)
        return self.operations[0] if len(self.operations) == 1 else None


class Documents:
    """A bounded cache of prepared documents, by schema and text."""

    def __init__(self) -> None:
        self._prepared: OrderedDict[tuple[int, str], Prepared] = OrderedDict()

    def prepare(self, schema: GraphQLSchema, text: str) -> Prepared:
        """Return a document, parsed and validated."""
        key = (id(schema), text)
        prepared = self._prepared.get(key)
        if prepared is None:
            prepared = self._prepared[key] = _prepare(schema, text)
            if len(self._prepared) > KEPT:
                self._prepared.popitem(last=False)
        else:
            self._prepared.move_to_end(key)
        return prepared


def _prepare(schema: GraphQLSchema, text: str) -> Prepared:
    try:
        document = parse(_EMPTY_VARIABLES.sub(r"\1", text, count=1))
    except GraphQLSyntaxError as error:
        return Prepared(text=text, document=None, errors=(error,))
    errors = validate(schema, document)
    if errors:
        return Prepared(text=text, document=None, errors=tuple(errors))
    nodes = document.definitions
    fragments = {n.name.value: n for n in nodes if isinstance(n, FragmentDefinitionNode)}
    return Prepared(
        text=text,
        document=document,
        operations=tuple(
            Operation(
                name=node.name.value if node.name else None,
                is_mutation=node.operation.value == "mutation",
                fields=tuple(_root_fields(node.selection_set, fragments)),
            )
            for node in nodes
            if isinstance(node, OperationDefinitionNode)
        ),
    )


def _root_fields(
    selections: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode]
) -> Iterator[RootField]:
    for node in selections.selections:
        if isinstance(node, FieldNode):
            alias = node.alias.value if node.alias else node.name.value
            yield RootField(name=node.name.value, alias=alias, node=node)
        elif isinstance(node, InlineFragmentNode):
            yield from _root_fields(node.selection_set, fragments)
        else:
            name = getattr(node, "name").value  # noqa: B009 - a spread, the only kind left
            yield from _root_fields(fragments[name].selection_set, fragments)

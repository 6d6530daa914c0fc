"""Execution of a prepared document: plain values in, the JSON of a GraphQL response out.

Failures are part of the response and never a status of HTTP (API facts, 1.6).
"""

import logging
from dataclasses import dataclass
from typing import Any

from graphql import (
    ExecutionContext,
    FieldNode,
    GraphQLError,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    execute_sync,
)
from graphql.pyutils import Path

from devenv.simulator.gql.context import Context
from devenv.simulator.gql.documents import Operation, Prepared
from devenv.simulator.model.entities import AuditEntry
from devenv.simulator.model.errors import Refusal

logger = logging.getLogger(__name__)

_LOGINS = ("apiKeyUser", "oauthUser")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """The answer, and which root fields took effect."""

    body: dict[str, Any]
    committed: tuple[str, ...] = ()


def execute(
    schema: GraphQLSchema,
    prepared: Prepared,
    *,
    variables: dict[str, Any],
    operation_name: str | None,
    context: Context,
) -> Response:
    """Carry out one operation."""
    if prepared.document is None:
        return Response(body={"errors": [_formatted(error) for error in prepared.errors]})
    result = execute_sync(
        schema,
        prepared.document,
        context_value=context,
        variable_values=variables,
        operation_name=operation_name,
        execution_context_class=_QuickExecution,
    )
    errors = result.errors or []
    body: dict[str, Any] = {}
    if errors:
        body["errors"] = [_formatted(error) for error in errors]
    if result.data is not None or not errors or any(error.path for error in errors):
        body["data"] = result.data
    operation = prepared.operation(operation_name)
    if operation is None or not operation.is_mutation:
        return Response(body=body)
    committed = _committed(operation, errors)
    _audit(context, operation, committed, variables)
    return Response(body=body, committed=committed)


class _QuickExecution(ExecutionContext):
    """Answers plain fields with plain values at once; these are most of each answer."""

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: Any,
        field_nodes: list[FieldNode],
        path: Path,
    ) -> Any:
        """Return the value of a field, or let GraphQL find it in the usual way."""
        field = parent_type.fields.get(field_nodes[0].name.value)
        if field is not None and not field.args and field.resolve is not None:
            inner = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
            if isinstance(inner, GraphQLScalarType):
                info = self.build_resolve_info(field, field_nodes, parent_type, path)
                try:
                    result = field.resolve(source, info)
                    if result is None and inner is field.type:
                        return None
                    if result is not None and not isinstance(result, Exception):
                        return inner.serialize(result)
                except Exception:
                    # The way below fails in the same way, and says where.
                    logger.debug("a field could not be given", extra={"path": path})
        return super().execute_field(parent_type, source, field_nodes, path)


def _committed(operation: Operation, errors: list[GraphQLError]) -> tuple[str, ...]:
    """Root fields of a mutation run one after the other; those without an error took effect."""
    failed = {error.path[0] for error in errors if error.path}
    if any(not error.path for error in errors):
        return ()
    return tuple(field.alias for field in operation.fields if field.alias not in failed)


def _audit(
    context: Context, operation: Operation, committed: tuple[str, ...], variables: dict[str, Any]
) -> None:
    for field in operation.fields:
        if field.alias not in committed or field.name in _LOGINS or context.key is None:
            continue
        arguments = field.arguments(variables)
        entry = AuditEntry(
            id=context.engine.ids.next(context.engine.now),
            action=field.name,
            username=context.key.login,
            resource_id=arguments.get("stack") or arguments.get("id"),
            resource_type="stack",
            at=context.engine.now,
        )
        context.account.audit.append(entry)
        context.audited(entry, arguments)


def _formatted(error: GraphQLError) -> dict[str, Any]:
    original = error.original_error
    if original is None or isinstance(original, Refusal | GraphQLError):
        return dict(error.formatted)
    logger.error("a resolver failed", exc_info=original, extra={"path": error.path})
    return {"message": "internal error", "path": error.path}

"""chain_inputs: everything that a spec says about a run reaches the workflow."""

import dataclasses
from typing import Any

import pytest

from controller.api import v1alpha1
from controller.chain.requests import next_request
from controller.chain.run import progress
from controller.config import connections, permissions
from controller.operator import chain_inputs
from controller.temporal import messages
from tests.support.builders import (
    make_body,
    make_connection,
    make_request,
    make_spec,
    make_stack_chain,
    make_status,
)
from tests.support.spec_values import full_spec

# What the operator alone reads.
OPERATORS = {
    "start_policy",
    "run_token",
    "schedule",
    "triggers",
    "concurrency_policy",
    "deletion_policy",
    "depends_on",
    "destroy_confirmation",
    "history_limit",
}
# Fields of a spec that have another name in the message, or are a part of its scope.
ELSEWHERE = {
    "connection_name",
    "roots",
    "graph",
    "stages",
    "window",
    "operation",
    "runtime_environment",
    "suspend",
}

SPEC_FIELDS = {field.name for field in dataclasses.fields(v1alpha1.StackChainSpec)}
COPIED = SPEC_FIELDS & {field.name for field in dataclasses.fields(messages.ChainInput)}


def test_every_field_of_a_spec_is_the_operators_or_goes_into_the_message() -> None:
    """If it fails: `controller/temporal/messages.py: ChainInput`, or `OPERATORS` here."""
    assert SPEC_FIELDS == COPIED | OPERATORS | ELSEWHERE


def test_a_message_has_what_the_spec_says() -> None:
    """If it fails: `controller/operator/chain_inputs.py` leaves a field at its default."""
    chain = v1alpha1.parse(make_body(full_spec(without=("roots.labels",))))
    request = next_request.Request(
        key="k", number=1, attempt=1, cause=v1alpha1.Cause.SPEC, handled=v1alpha1.Handled()
    )
    connection = connections.Connection(
        name="prod",
        endpoint="https://acme.app.spacelift.io",
        allowed=permissions.Permissions(namespaces=("*",)),
    )

    found = chain_inputs.chain_input(chain, request, connection, operator_queue="q")

    copied = {name: getattr(found, name) for name in COPIED}
    assert copied == {name: getattr(chain.spec, name) for name in COPIED}
    assert (found.connection.name, found.is_suspended) == ("prod", True)
    assert (found.scope.roots, found.scope.graph) == (chain.spec.roots, chain.spec.graph)
    assert (found.scope.operation, found.environment) == ("Plan", {"a": "1"})


@pytest.mark.parametrize(
    ("spec", "retried"),
    [
        ({}, ["a", "b"]),
        ({"commitSHA": "0123456789"}, ["b"]),
        ({"runtimeEnvironment": [{"name": "A", "value": "1"}]}, []),
        ({"operation": "Plan"}, []),
        ({"operation": "Destroy", "destroyConfirmation": "chain"}, []),
    ],
)
def test_runs_outside_of_the_chain_count_only_where_they_are_what_it_runs(
    spec: dict[str, Any], retried: list[str]
) -> None:
    chain = v1alpha1.parse(make_body({"roots": {"stackIds": ["a"]}, **spec}))
    request = next_request.Request(
        key="k",
        number=2,
        attempt=1,
        cause=v1alpha1.Cause.RETRY,
        handled=v1alpha1.Handled(),
        retried=tuple(progress.Retried(stack_id=item, run_number=1) for item in ("a", "b")),
    )
    connection = connections.Connection(
        name="prod",
        endpoint="https://acme.app.spacelift.io",
        allowed=permissions.Permissions(namespaces=("*",)),
    )

    found = chain_inputs.chain_input(chain, request, connection, operator_queue="q")

    assert [item.stack_id for item in found.retried] == ["a", "b"]
    assert [item.stack_id for item in found.retried if item.may_have_newer] == retried


@pytest.mark.parametrize(
    ("operation", "expected"), [("Apply", {"a": 30, "b": 40}), ("Plan", {"a": 5}), ("Destroy", {})]
)
def test_a_message_has_what_stacks_took_in_the_operation(
    operation: str, expected: dict[str, int]
) -> None:
    durations = (
        v1alpha1.StackDurations(stack_id="a", apply_seconds=30, plan_seconds=5),
        v1alpha1.StackDurations(stack_id="b", apply_seconds=40),
    )
    chain = make_stack_chain(
        spec=make_spec(operation=operation), status=make_status(durations=durations)
    )

    found = chain_inputs.chain_input(chain, make_request(), make_connection(), operator_queue="q")

    assert found.durations == expected

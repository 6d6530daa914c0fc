"""What keeps a resource from using its connection, and what the status advises people to do."""

from pathlib import Path
from typing import Any

import pytest

from controller.api import v1alpha1
from controller.api.reasons import ChainReason
from controller.config import connections, settings
from controller.operator import connection_access
from tests.support.builders import make_spec, make_stack_chain
from tests.support.golden import Golden

CONNECTIONS = """
connections:
  default:
    endpoint: https://acme.app.spacelift.io
    allowedNamespaces: ["*"]
  elsewhere:
    endpoint: https://acme.app.spacelift.io
    allowedNamespaces: [others]
  careful:
    endpoint: https://acme.app.spacelift.io
    allowedNamespaces: [team, others]
    allowedOperations: [Plan]
  strict:
    endpoint: https://acme.app.spacelift.io
    allowedNamespaces: [team]
    allowedConfirmationPolicies: [StackDefault]
    allowedVariables: [TF_LOG]
    allowCommitSHA: false
"""


@pytest.fixture
def access(tmp_path: Path) -> connection_access.ConnectionAccess:
    file = tmp_path / "connections.yaml"
    file.write_text(CONNECTIONS)
    return connection_access.ConnectionAccess(
        connections.ConnectionCatalog(settings.SpaceliftSettings(connections_file=file))
    )


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("unheard", ChainReason.CONNECTION_UNKNOWN),
        ("elsewhere", ChainReason.NAMESPACE_NOT_ALLOWED),
        ("careful", ChainReason.OPERATION_NOT_ALLOWED),
    ],
)
def test_what_is_not_served_says_why_and_what_to_do(
    access: connection_access.ConnectionAccess, name: str, reason: ChainReason, golden: Golden
) -> None:
    verdict = access.verdict_of(make_stack_chain(spec=make_spec(connection_name=name)))
    problem = verdict.problem

    assert verdict.usable is None
    assert problem is not None
    assert problem.reason == reason
    golden("operator_problems").check(f"connection: {reason}", problem.message)
    assert not problem.is_retrying


@pytest.mark.parametrize(
    "fields",
    [
        {"confirmation_policy": v1alpha1.ConfirmationPolicy.AUTO},
        {"runtime_environment": (v1alpha1.EnvironmentVariable(name="PATH", value="/"),)},
        {"commit_sha": "0123abcd"},
    ],
    ids=str,
)
def test_each_field_that_a_connection_can_forbid_is_looked_at(
    access: connection_access.ConnectionAccess, fields: dict[str, Any]
) -> None:
    wanted = make_stack_chain(spec=make_spec(connection_name="strict", **fields))
    plain = make_stack_chain(spec=make_spec(connection_name="strict"))

    problem = access.verdict_of(wanted).problem

    assert problem is not None
    assert problem.reason is ChainReason.FIELD_NOT_ALLOWED
    assert access.verdict_of(plain).problem is None


def test_connections_of_others_are_not_named(access: connection_access.ConnectionAccess) -> None:
    chain = make_stack_chain(spec=make_spec(connection_name="unheard"))
    problem = access.verdict_of(chain).problem

    assert problem is not None
    assert "'careful', 'default', 'strict'" in problem.message
    assert "elsewhere" not in problem.message


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("defualt", "default"), ("Default", "default"), ("elsewhre", None), ("x", None)],
)
def test_a_misspelled_connection_is_guessed_among_those_that_may_be_used(
    access: connection_access.ConnectionAccess, wrong: str, meant: str | None
) -> None:
    chain = make_stack_chain(spec=make_spec(connection_name=wrong))
    problem = access.verdict_of(chain).problem

    assert problem is not None
    guess = f" (did you mean '{meant}'?)" if meant else ""
    assert problem.message.startswith(f"There is no Spacelift connection '{wrong}'{guess}; this")


def test_nothing_is_wrong_where_the_connection_serves(
    access: connection_access.ConnectionAccess,
) -> None:
    chain = make_stack_chain(spec=make_spec(connection_name="default"))

    verdict = access.verdict_of(chain)

    assert verdict.problem is None
    assert verdict.usable is not None
    assert verdict.usable.name == "default"


def test_a_verdict_holds_though_the_connections_are_edited_meanwhile(
    access: connection_access.ConnectionAccess, tmp_path: Path
) -> None:
    """A pass waits for Temporal between the judgement and the start."""
    chain = make_stack_chain(spec=make_spec(connection_name="default"))
    verdict = access.verdict_of(chain)
    (tmp_path / "connections.yaml").write_text("connections: {}")

    assert verdict.usable is not None
    assert access.verdict_of(chain).usable is None


@pytest.mark.parametrize(
    ("name", "is_refused"),
    [("unheard", False), ("default", False), ("elsewhere", True), ("careful", True)],
)
def test_a_connection_that_is_not_known_does_not_refuse(
    access: connection_access.ConnectionAccess, name: str, is_refused: bool
) -> None:
    """Its file may be wrong for a moment: what runs is not canceled for that."""
    assert access.is_refused(name, "team", "Apply") is is_refused


@pytest.mark.parametrize(
    ("name", "operation", "is_refused"),
    [
        ("default", "Apply", False),
        ("default", "Destroy", True),
        ("careful", "Plan", False),
        ("careful", "Apply", True),
        ("unheard", "Apply", False),
    ],
)
def test_a_verdict_says_which_operations_a_live_run_may_go_on_with(
    access: connection_access.ConnectionAccess, name: str, operation: str, is_refused: bool
) -> None:
    chain = make_stack_chain(spec=make_spec(connection_name=name))

    assert access.verdict_of(chain).refuses(operation) is is_refused

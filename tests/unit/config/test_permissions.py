"""What a connection allows: the one judgment that operator and workers share."""

from typing import Any

import pytest

from controller.api import reasons, v1alpha1
from controller.config import permissions
from tests.support.builders import make_use
from tests.support.golden import Golden

FREE = permissions.Permissions(namespaces=("*",))
STRICT = permissions.Permissions(
    namespaces=("team",),
    operations=("Plan", "Apply"),
    confirmation_policies=("StackDefault",),
    variables=("TF_LOG",),
    allows_commit=False,
)


def refused(allowed: permissions.Permissions, use: permissions.ConnectionUse) -> Any:
    refusal = permissions.refusal_of("prod", allowed, use)
    return refusal and refusal.reason


@pytest.mark.parametrize(
    ("case", "fields", "reason"),
    [
        ("nothing special", {}, None),
        ("a listed variable", {"variables": ("TF_LOG",)}, None),
        ("another namespace", {"namespace": "else"}, "NamespaceNotAllowed"),
        ("another operation", {"operation": "Destroy"}, "OperationNotAllowed"),
        ("confirms itself", {"confirmation_policy": "Auto"}, "FieldNotAllowed"),
        ("other variables", {"variables": ("TF_LOG", "PATH", "A")}, "FieldNotAllowed"),
        ("a commit", {"has_commit": True}, "FieldNotAllowed"),
    ],
)
def test_a_strict_connection_refuses_what_it_does_not_list(
    case: str, fields: dict[str, Any], reason: str | None, golden: Golden
) -> None:
    use = permissions.ConnectionUse(**{"namespace": "team", "operation": "Apply"} | fields)

    refusal = permissions.refusal_of("prod", STRICT, use)

    assert (refusal and refusal.reason) == reason
    if refusal is not None:
        golden("permissions").check(case, refusal.message)


def test_a_connection_that_says_only_whom_it_serves_refuses_to_destroy_alone() -> None:
    all_of_it = make_use(confirmation_policy="Auto", variables=("A",), has_commit=True)

    assert refused(FREE, all_of_it) is None
    assert refused(FREE, make_use("Destroy")) == "OperationNotAllowed"


def test_an_empty_list_allows_nothing() -> None:
    closed = permissions.Permissions(namespaces=(), operations=())

    assert refused(closed, make_use()) == "NamespaceNotAllowed"
    assert refused(permissions.Permissions(namespaces=("*",), operations=()), make_use()) == (
        "OperationNotAllowed"
    )


@pytest.mark.parametrize(
    ("ids", "labels", "allowed"),
    [
        (None, None, ["a", "b", "c"]),
        (("a",), None, ["a"]),
        (None, ("team:x",), ["b"]),
        (("a",), ("team:x",), ["a", "b"]),
        ((), (), []),
    ],
)
def test_stacks_are_allowed_by_id_or_label(
    ids: tuple[str, ...] | None, labels: tuple[str, ...] | None, allowed: list[str]
) -> None:
    account = {"a": (), "b": ("team:x", "other"), "c": ("team:y",)}
    found = permissions.Permissions(namespaces=("*",), stack_ids=ids, stack_labels=labels)

    assert [stack for stack in account if found.may_run(stack, account[stack])] == allowed


def test_stacks_that_may_not_run_are_named_but_not_all_of_many(golden: Golden) -> None:
    refusal = permissions.stack_refusal("prod", {f"s{number}" for number in range(8)})

    golden("permissions").check("stacks", refusal.message)


def test_the_words_are_those_of_the_resource() -> None:
    assert set(permissions.OPERATIONS) == set(v1alpha1.Operation)
    assert set(permissions.CONFIRMATION_POLICIES) == set(v1alpha1.ConfirmationPolicy)
    assert set(permissions.DisallowedUse) <= set(reasons.ChainReason)

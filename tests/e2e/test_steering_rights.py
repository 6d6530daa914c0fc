"""Who may do what: a connection serves the namespaces and operations that it lists.

A StackChain outside of them says so in its status, and nothing is read or triggered for it. It
continues automatically once it is allowed.
"""

from typing import Any

import pytest

from tests.support import chains
from tests.support.chains import account_document
from tests.support.waiting import stays

# Several passes of the resync, which is what would start a run.
PASSES = 2.0

SHA = "4f0c2d9" + "0" * 33


async def is_refused(chain: chains.Chain, account: chains.Account, reason: str) -> str:
    """Wait until the chain is refused, see that Spacelift was not asked, return the message."""
    status = await chain.shows(reason)
    assert chains.ready(status)["status"] == "False"
    assert chains.condition(status, "Stalled")["status"] == "True"
    assert chains.condition(status, "Reconciling")["status"] == "False"
    assert "latestRun" not in status

    async def is_untouched() -> bool:
        asked = (await account.admin("GET", "/requests"))["requests"]
        return asked == [] and await account.runs() == []

    assert await stays(is_untouched, PASSES)
    return str(chains.ready(status)["message"])


async def test_a_namespace_that_the_connection_does_not_serve_gets_nothing_until_it_is_listed(
    release: chains.Installation,
) -> None:
    account = await release.add_account(
        "spaces", account_document("a -> b"), allowedNamespaces=["elsewhere"]
    )

    chain = await release.create("spaces", "a", account=account)
    message = await is_refused(chain, account, "NamespaceNotAllowed")
    assert f"'{release.namespace}'" in message
    assert "`allowedNamespaces`" in message
    release.connect("spaces", allowedNamespaces=["elsewhere", release.namespace])
    status = await chain.ends("RunSucceeded")

    assert status["latestRun"]["number"] == 1
    for stack_id in "ab":
        await account.only_run(stack_id)


@pytest.mark.parametrize(
    ("name", "allowed", "spec"),
    [
        ("no-apply", {"allowedOperations": ["Plan"]}, {}),
        ("no-plan", {"allowedOperations": ["Apply"]}, {"operation": "Plan"}),
        (
            "no-destroy",
            {},
            {"operation": "Destroy", "destroyConfirmation": "no-destroy"},
        ),
        ("nothing", {"allowedOperations": []}, {}),
    ],
)
async def test_an_operation_that_the_connection_does_not_serve_waits_until_it_is_allowed(
    release: chains.Installation, name: str, allowed: dict[str, Any], spec: dict[str, Any]
) -> None:
    account = await release.add_account(name, account_document(stacks=["a"]), **allowed)

    chain = await release.create(name, "a", account=account, **spec)
    message = await is_refused(chain, account, "OperationNotAllowed")
    operation = spec.get("operation", "Apply")
    assert f"does not allow the operation {operation}" in message
    assert "`allowedOperations`" in message
    release.connect(name, allowedOperations=[operation])
    if operation == "Destroy":
        # It was created so, and may come out of a backup.
        await chain.shows("NotRequested")
        await release.stackchains.annotate(name, run="now")
    status = await chain.ends("RunSucceeded")

    types = {"Apply": "TRACKED", "Plan": "PROPOSED", "Destroy": "DESTROY"}
    assert (await account.only_run("a"))["type"] == types[operation]
    assert status["latestRun"]["operation"] == operation


@pytest.mark.parametrize(
    ("name", "allowed", "spec"),
    [
        ("confirms", {"allowedConfirmationPolicies": []}, {"confirmationPolicy": "Auto"}),
        (
            "variables",
            {"allowedVariables": ["TF_LOG"]},
            {"runtimeEnvironment": [{"name": "PATH", "value": "/"}]},
        ),
        ("commits", {"allowCommitSHA": False}, {"commitSHA": SHA}),
    ],
)
async def test_a_field_that_the_connection_does_not_allow_waits_until_it_does(
    release: chains.Installation, name: str, allowed: dict[str, Any], spec: dict[str, Any]
) -> None:
    document = account_document("a -> b", stacks={"a": {"commits": [SHA]}})
    account = await release.add_account(name, document, **allowed)

    chain = await release.create(name, "a", account=account, **spec)
    message = await is_refused(chain, account, "FieldNotAllowed")
    (field,) = allowed
    assert f"`{field}`" in message
    release.connect(name)
    await chain.ends("RunSucceeded")


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("by-id", {"allowedStackIds": ["a"]}),
        ("by-label", {"allowedStackLabels": ["team:x"]}),
    ],
)
async def test_a_chain_with_a_stack_that_the_connection_does_not_allow_triggers_nothing(
    release: chains.Installation, name: str, allowed: dict[str, Any]
) -> None:
    """Its stacks are read for that, over and over, and the first one is allowed."""
    document = account_document("a -> b", stacks={"a": {"labels": ["team:x"]}})
    account = await release.add_account(name, document, **allowed)

    chain = await release.create(name, "a", account=account)
    status = await chain.shows("StackNotAllowed")

    async def runs_nothing() -> bool:
        return await account.runs() == []

    assert await stays(runs_nothing, PASSES)
    assert "does not allow these stacks to run: b. " in chains.ready(status)["message"]
    release.connect(name)
    # It is tried again automatically.
    await chain.shows("RunSucceeded")
    for stack_id in "ab":
        await account.only_run(stack_id)


async def test_one_connection_plans_for_those_who_may_not_apply(
    release: chains.Installation,
) -> None:
    account = await release.add_account(
        "plans", account_document("a -> b"), allowedOperations=["Plan"]
    )
    chain = await release.create("plans", "a", account=account)
    await is_refused(chain, account, "OperationNotAllowed")

    await release.stackchains.set_spec("plans", operation="Plan")
    await chain.ends("RunSucceeded")

    assert {run["type"] for run in await account.runs()} == {"PROPOSED"}


async def test_a_live_run_whose_right_is_withdrawn_starts_nothing_more_and_can_be_canceled(
    release: chains.Installation,
) -> None:
    """Withdrawn while a run waits for a person; then given back, and withdrawn once more."""
    account = await release.add_account(
        "midway",
        account_document("a -> b -> c", stacks={name: {"autodeploy": False} for name in "ab"}),
    )
    chain = await release.create("midway", "a", account=account)
    await chain.shows("AwaitingConfirmation")

    async def withdraw() -> None:
        release.connect("midway", allowedOperations=["Plan"])
        await chain.shows("OperationNotAllowed")

    await withdraw()
    await account.act((await account.run_in("a", "UNCONFIRMED"))["id"], "confirm")
    status = await chain.until(
        lambda status: (
            (chains.phases(status)["a"], chains.reasons(status)["b"]) == ("Succeeded", "Suspended")
        )
    )
    assert chains.ready(status)["reason"] == "OperationNotAllowed"
    assert "spec.suspend" not in chains.stack(status, "b")["message"]
    release.connect("midway")
    # The native run of its wave was canceled, so this one is the chain's own.
    await chain.shows("AwaitingConfirmation")
    await withdraw()
    await release.stackchains.annotate("midway", cancel="1")
    status = await chain.until(lambda status: status["latestRun"]["phase"] == "Canceled")

    assert status["lastHandled"]["cancel"] == "1"
    expected = {"a": "Succeeded", "b": "Canceled", "c": "Canceled"}
    assert chains.phases(status) == expected


async def test_a_destroy_that_is_refused_can_be_deleted_and_destroys_nothing(
    release: chains.Installation,
) -> None:
    account = await release.add_account("refused", account_document("a -> b"))
    chain = await release.create(
        *("refused", "a"), account=account, operation="Destroy", destroyConfirmation="refused"
    )
    await is_refused(chain, account, "OperationNotAllowed")

    await release.stackchains.delete("refused")
    await chain.is_gone()

    assert (await account.admin("GET", "/requests"))["requests"] == []

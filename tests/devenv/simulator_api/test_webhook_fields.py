"""Webhooks and policies in GraphQL: the documents are shaped like those of Spacelift's clients."""

from typing import Any

import pytest

from tests.support.simulator_client import KEY, READER, connect

ENDPOINT = "http://127.0.0.1:9/webhooks"
SPACES = {"net": {}, "apps": {}}
NET_ADMIN = {"id": "01JKEYNET00000000000000000", "secret": "n", "spaces": ["net"]}

STACK_CREATE = """mutation ($stack: ID!, $input: WebhooksIntegrationInput!) {
  webhooksIntegrationCreate(stack: $stack, input: $input) {
    id endpoint enabled retryOnFailure } }"""
STACK_UPDATE = """mutation ($stack: ID!, $id: ID!, $input: WebhooksIntegrationInput!) {
  webhooksIntegrationUpdate(stack: $stack, id: $id, input: $input) { id endpoint enabled } }"""
STACK_DELETE = """mutation ($stack: ID!, $id: ID!) {
  webhooksIntegrationDelete(stack: $stack, id: $id) { id endpoint deleted } }"""
STACK_READ = """query ($id: ID!) { stack(id: $id) { integrations { webhooks {
  id enabled endpoint secret retryOnFailure } } } }"""
NAMED_CREATE = """mutation ($input: NamedWebhooksIntegrationInput!) {
  namedWebhooksIntegrationCreate(input: $input) {
    id name endpoint enabled labels space { id name } retryOnFailure } }"""
NAMED_UPDATE = """mutation ($id: ID!, $input: NamedWebhooksIntegrationInput!) {
  namedWebhooksIntegrationUpdate(id: $id, input: $input) {
    id enabled endpoint space { id } name secret secretHeaders labels } }"""
NAMED_DELETE = "mutation ($id: ID!) { namedWebhooksIntegrationDelete(id: $id) { id name } }"
NAMED_READ = """query ($id: ID!) { namedWebhooksIntegration(id: $id) {
  id enabled endpoint space { id } name secret secretHeaders labels retryOnFailure createdAt } }"""
NAMED_SEARCH = """query ($input: SearchInput!) { searchNamedWebhooksIntegrations(input: $input) {
  edges { node { id labels createdAt } } pageInfo { hasNextPage endCursor } } }"""
SET_HEADERS = """mutation ($id: ID!, $input: NamedWebhookHeaderInput!) {
  namedWebhooksIntegrationSetHeaders(id: $id, input: $input) { id secretHeaders } }"""
DELETE_HEADERS = """mutation ($id: ID!, $headerKeys: [String!]!) {
  namedWebhooksIntegrationDeleteHeaders(id: $id, headerKeys: $headerKeys) { secretHeaders } }"""
AUDIT_SET = """mutation ($input: AuditTrailWebhookInput!) {
  auditTrailSetWebhook(input: $input) { enabled endpoint includeRuns retryOnFailure } }"""
AUDIT_READ = "{ auditTrailWebhook { enabled endpoint includeRuns retryOnFailure } }"
AUDIT_DELETE = "mutation { auditTrailDeleteWebhook { enabled endpoint } }"
POLICY_CREATE = """mutation ($input: PolicyCreateInput!) {
  policyCreatev2(input: $input) { id name body type description labels space } }"""
POLICY_UPDATE = """mutation ($id: ID!, $input: PolicyUpdateInput!) {
  policyUpdatev2(id: $id, input: $input) { id name body type description labels space } }"""
POLICY_DELETE = "mutation ($id: ID!) { policyDelete(id: $id) { id name } }"
POLICY_READ = """query ($id: ID!) { policy(id: $id) {
  id name body type description labels space engineType createdAt updatedAt } }"""
POLICY_LIST = "{ policies { id labels name type space description engineType } }"
POLICY_SEARCH = """query ($input: SearchInput!) { searchPolicies(input: $input) {
  edges { node { id name type description labels space } } pageInfo { hasNextPage } } }"""


def a_webhook(**values: Any) -> dict[str, Any]:
    return {"endpoint": ENDPOINT, "enabled": True, "secret": "hush", **values}


def a_named_webhook(**values: Any) -> dict[str, Any]:
    return {**a_webhook(), "name": "Chain events", "space": "root", "labels": ["chain"], **values}


def a_policy(**values: Any) -> dict[str, Any]:
    return {"name": "Chain events", "body": "package spacelift", "type": "NOTIFICATION", **values}


async def test_a_stack_has_its_webhooks_and_whoever_reads_it_reads_their_secrets() -> None:
    async with connect({"stacks": ["a", "b"]}) as wire:
        await wire.login()
        made = (await wire.data(STACK_CREATE, stack="a", input=a_webhook()))[
            "webhooksIntegrationCreate"
        ]
        await wire.login(READER)
        seen = (await wire.data(STACK_READ, id="a"))["stack"]["integrations"]["webhooks"]
        other = (await wire.data(STACK_READ, id="b"))["stack"]["integrations"]["webhooks"]

    assert made["enabled"] is True
    assert seen == [
        {
            "id": made["id"],
            "enabled": True,
            "endpoint": ENDPOINT,
            "secret": "hush",
            "retryOnFailure": False,
        }
    ]
    assert other == []


async def test_an_endpoint_is_unique_on_its_stack_only() -> None:
    async with connect({"stacks": ["a", "b"]}) as wire:
        await wire.login()
        await wire.data(STACK_CREATE, stack="a", input=a_webhook())
        await wire.data(STACK_CREATE, stack="b", input=a_webhook())
        error = await wire.error(STACK_CREATE, stack="a", input=a_webhook())

    assert "already been taken" in error


async def test_a_stack_webhook_is_changed_and_deleted_through_its_own_stack() -> None:
    async with connect({"stacks": ["a", "b"]}) as wire:
        await wire.login()
        made = await wire.data(STACK_CREATE, stack="a", input=a_webhook())
        id_ = made["webhooksIntegrationCreate"]["id"]
        off = a_webhook(enabled=False, secret=None, retryOnFailure=True)
        foreign = await wire.error(STACK_UPDATE, stack="b", id=id_, input=off)
        await wire.data(STACK_UPDATE, stack="a", id=id_, input=off)
        changed = (await wire.data(STACK_READ, id="a"))["stack"]["integrations"]["webhooks"]
        gone = (await wire.data(STACK_DELETE, stack="a", id=id_))["webhooksIntegrationDelete"]
        left = (await wire.data(STACK_READ, id="a"))["stack"]["integrations"]["webhooks"]

    assert "not found" in foreign
    assert (changed[0]["enabled"], changed[0]["retryOnFailure"]) == (False, True)
    assert changed[0]["secret"] == "hush"
    assert gone["deleted"] is True
    assert left == []


async def test_a_named_webhook_has_a_slug_for_an_id_and_keeps_it() -> None:
    async with connect({"spaces": SPACES}) as wire:
        await wire.login()
        made = await wire.data(NAMED_CREATE, input=a_named_webhook())
        again = await wire.error(NAMED_CREATE, input=a_named_webhook())
        renamed = a_named_webhook(name="Others", space="net", secret="", retryOnFailure=True)
        await wire.data(NAMED_UPDATE, id="chain-events", input=renamed)
        seen = (await wire.data(NAMED_READ, id="chain-events"))["namedWebhooksIntegration"]

    assert made["namedWebhooksIntegrationCreate"]["id"] == "chain-events"
    assert "already been taken" in again
    assert (seen["name"], seen["space"]["id"], seen["retryOnFailure"]) == ("Others", "net", True)
    assert wire.simulator.account.webhooks["chain-events"].secret == "hush"


@pytest.mark.parametrize(("answer", "secret"), [("hidden", ""), ("shown", "hush")])
async def test_the_secret_of_a_named_webhook_reads_as_the_switch_says(
    answer: str, secret: str
) -> None:
    async with connect({"behavior": {"namedWebhookSecret": answer}}) as wire:
        await wire.login()
        await wire.data(NAMED_CREATE, input=a_named_webhook())
        seen = (await wire.data(NAMED_READ, id="chain-events"))["namedWebhooksIntegration"]

    assert seen["secret"] == secret


async def test_of_secret_headers_only_the_names_can_be_read_and_nothing_is_logged() -> None:
    async with connect({}) as wire:
        await wire.login()
        await wire.data(NAMED_CREATE, input=a_named_webhook())
        entries = [{"key": "X-B", "value": "v2"}, {"key": "X-A", "value": "v1"}]
        both = await wire.data(SET_HEADERS, id="chain-events", input={"entries": entries})
        left = await wire.data(DELETE_HEADERS, id="chain-events", headerKeys=["X-A"])
        log = str(await wire.admin("GET", "/requests"))

    assert both["namedWebhooksIntegrationSetHeaders"]["secretHeaders"] == ["X-A", "X-B"]
    assert left["namedWebhooksIntegrationDeleteHeaders"]["secretHeaders"] == ["X-B"]
    assert wire.simulator.account.webhooks["chain-events"].headers == {"X-B": "v2"}
    assert "hush" not in log
    assert "v1" not in log


async def test_named_webhooks_are_found_page_by_page() -> None:
    async with connect({}) as wire:
        await wire.login()
        for name in ("c", "a", "b"):
            await wire.data(NAMED_CREATE, input=a_named_webhook(name=name, labels=[name, "all"]))
        first = await wire.data(NAMED_SEARCH, input={"first": 2})
        page = first["searchNamedWebhooksIntegrations"]
        after = {"first": 2, "after": page["pageInfo"]["endCursor"]}
        rest = (await wire.data(NAMED_SEARCH, input=after))["searchNamedWebhooksIntegrations"]
        await wire.data(NAMED_DELETE, id="c")
        gone = (await wire.data(NAMED_READ, id="c"))["namedWebhooksIntegration"]

    assert [edge["node"]["id"] for edge in page["edges"]] == ["a", "b"]
    assert [edge["node"]["id"] for edge in rest["edges"]] == ["c"]
    assert (page["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
    assert gone is None


async def test_the_audit_trail_has_one_webhook_and_only_admins_of_the_account_see_it() -> None:
    async with connect({"spaces": SPACES, "keys": [KEY, READER, NET_ADMIN]}) as wire:
        await wire.login()
        off = a_webhook(enabled=False, includeRuns=True)
        await wire.data(AUDIT_SET, input=off)
        await wire.data(AUDIT_SET, input={**off, "retryOnFailure": True})
        seen = (await wire.data(AUDIT_READ))["auditTrailWebhook"]
        refusals = []
        for key in (READER, NET_ADMIN):
            await wire.login(key)
            refusals += [await wire.error(AUDIT_READ), await wire.error(AUDIT_SET, input=off)]
        await wire.login()
        await wire.data(AUDIT_DELETE)
        gone = (await wire.data(AUDIT_READ))["auditTrailWebhook"]

    assert seen == {
        "enabled": False,
        "endpoint": ENDPOINT,
        "includeRuns": True,
        "retryOnFailure": True,
    }
    assert refusals == ["unauthorized"] * 4
    assert gone is None


async def test_a_policy_is_created_changed_and_deleted() -> None:
    async with connect({"spaces": SPACES}) as wire:
        await wire.login()
        made = (await wire.data(POLICY_CREATE, input=a_policy()))["policyCreatev2"]
        change = {"name": "Renamed", "body": "package spacelift\n", "labels": ["x"]}
        await wire.data(POLICY_UPDATE, id=made["id"], input={**change, "engineType": "REGO_V0"})
        seen = (await wire.data(POLICY_READ, id=made["id"]))["policy"]
        listed = (await wire.data(POLICY_LIST))["policies"]
        predicate = {"field": "type", "constraint": {"enumEquals": ["PLAN"]}}
        plans = await wire.data(POLICY_SEARCH, input={"predicates": [predicate]})
        await wire.data(POLICY_DELETE, id=made["id"])
        gone = (await wire.data(POLICY_READ, id=made["id"]))["policy"]

    assert (made["id"], made["space"]) == ("chain-events", "root")
    assert (seen["name"], seen["type"], seen["labels"]) == ("Renamed", "NOTIFICATION", ["x"])
    assert (seen["engineType"], seen["space"]) == ("REGO_V0", "root")
    assert [policy["id"] for policy in listed] == ["chain-events"]
    assert plans["searchPolicies"]["edges"] == []
    assert gone is None


CHANGES = [
    (STACK_CREATE, {"stack": "a", "input": a_webhook()}),
    (STACK_DELETE, {"stack": "a", "id": "x"}),
    (NAMED_CREATE, {"input": a_named_webhook()}),
    (NAMED_UPDATE, {"id": "w", "input": a_named_webhook()}),
    (NAMED_DELETE, {"id": "w"}),
    (SET_HEADERS, {"id": "w", "input": {"entries": []}}),
    (POLICY_CREATE, {"input": a_policy()}),
    (POLICY_UPDATE, {"id": "p", "input": {"name": "p", "body": "package x"}}),
    (POLICY_DELETE, {"id": "p"}),
]


@pytest.mark.parametrize(("document", "variables"), CHANGES)
async def test_a_reader_changes_nothing(document: str, variables: dict[str, Any]) -> None:
    async with connect({"stacks": ["a"]}) as wire:
        await wire.login(READER)
        error = await wire.error(document, **variables)

    assert error == "unauthorized"


async def test_what_is_in_a_space_that_a_key_does_not_see_is_not_there_for_it() -> None:
    async with connect({"spaces": SPACES, "keys": [KEY, NET_ADMIN]}) as wire:
        await wire.login()
        await wire.data(NAMED_CREATE, input=a_named_webhook(name="w", space="apps"))
        await wire.data(POLICY_CREATE, input=a_policy(name="p", space="apps"))
        await wire.login(NET_ADMIN)
        nothing = {**await wire.data(NAMED_READ, id="w"), **await wire.data(POLICY_READ, id="p")}
        foreign = a_named_webhook(space="apps")
        refusals = [
            await wire.error(NAMED_DELETE, id="w"),
            await wire.error(POLICY_DELETE, id="p"),
            await wire.error(NAMED_CREATE, input=foreign),
        ]
        own = await wire.data(NAMED_CREATE, input=a_named_webhook(space="net"))

    assert nothing == {"namedWebhooksIntegration": None, "policy": None}
    assert refusals == ["unauthorized"] * 3
    assert own["namedWebhooksIntegrationCreate"]["space"]["id"] == "net"


async def test_without_a_token_lists_are_empty_and_single_ones_refused() -> None:
    async with connect({}) as wire:
        lists = await wire.data(POLICY_LIST)
        found = await wire.data(NAMED_SEARCH, input={})
        errors = [await wire.error(NAMED_READ, id="w"), await wire.error(POLICY_READ, id="p")]

    assert lists == {"policies": []}
    assert found["searchNamedWebhooksIntegrations"]["edges"] == []
    assert errors == ["unauthorized"] * 2


REFUSED = [
    (STACK_CREATE, {"stack": "a", "input": a_webhook(endpoint="example.org/x")}, "valid URL"),
    (NAMED_CREATE, {"input": a_named_webhook(space="nowhere")}, "space nowhere not found"),
    (NAMED_CREATE, {"input": a_named_webhook(name="--")}, "cannot be empty"),
    (NAMED_UPDATE, {"id": "w", "input": a_named_webhook()}, "webhook w not found"),
    (POLICY_CREATE, {"input": a_policy(body=" ")}, "cannot be empty"),
    (POLICY_UPDATE, {"id": "p", "input": {"name": "p", "body": "x"}}, "policy p not found"),
    (AUDIT_DELETE, {}, "not found"),
]


@pytest.mark.parametrize(("document", "variables", "text"), REFUSED)
async def test_what_makes_no_sense_is_refused(
    document: str, variables: dict[str, Any], text: str
) -> None:
    async with connect({"stacks": ["a"]}) as wire:
        await wire.login()
        error = await wire.error(document, **variables)

    assert text in error


async def test_webhooks_and_policies_survive_snapshot_rename_and_deletion_of_the_stack() -> None:
    async with connect({"stacks": ["a", "b"]}) as wire:
        await wire.login()
        await wire.data(STACK_CREATE, stack="a", input=a_webhook())
        await wire.data(STACK_CREATE, stack="b", input=a_webhook())
        await wire.data(NAMED_CREATE, input=a_named_webhook())
        await wire.data(POLICY_CREATE, input=a_policy())
        snapshot = await wire.admin("GET", "/snapshot")
        await wire.admin("POST", "/reset", {})
        await wire.admin("POST", "/restore", snapshot)
        await wire.admin("POST", "/stacks/a/reslug", {"id": "renamed"})
        await wire.admin("DELETE", "/stacks/b")

    account = wire.simulator.account
    kinds: list[Any] = [(one.kind, one.stack_id) for one in account.webhooks.values()]
    assert sorted(kinds, key=str) == [("named", None), ("stack", "renamed")]
    assert list(account.policies) == ["chain-events"]

"""What a webhook of each kind receives, against a server that really listens."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from devenv.simulator.model import payloads, signing
from devenv.simulator.simulator import Simulator
from devenv.simulator.web.server import serve
from tests.support import waiting
from tests.support.simulator_client import KEY, READER, Wire, connect, connect_to
from tests.support.webhook_receiver import Received, receiving

SECRET = "topsecret"
NO_OP = ["QUEUED", "READY", "PREPARING", "INITIALIZING", "PLANNING", "FINISHED"]
QUICK = {
    "durations": dict.fromkeys(("ready", "preparing", "initializing", "planning"), 0.0),
    "outcome": "no-op",
}
AUDIT_SET = """mutation ($input: AuditTrailWebhookInput!) {
  auditTrailSetWebhook(input: $input) { enabled includeRuns } }"""


def scenario(**more: Any) -> dict[str, Any]:
    """Runs that do nothing and take no time."""
    return {"stacks": ["vpc"], "defaults": QUICK, **more}


def webhook(url: str, **more: Any) -> dict[str, Any]:
    return {"endpoint": url, "secret": SECRET, **more}


def hexdigest(name: str, secret: str, body: bytes) -> str:
    return f"{name}=" + hmac.new(secret.encode(), body, name).hexdigest()


def is_signed(request: Received, secret: str = SECRET) -> bool:
    wanted = hexdigest("sha256", secret, request.body)
    return hmac.compare_digest(request.headers["X-Signature-256"], wanted)


async def ended(wire: Wire) -> list[dict[str, Any]]:
    """Wait until nothing is on its way, and return the log of deliveries."""

    async def log() -> list[dict[str, Any]]:
        answer = await wire.admin("GET", "/deliveries")
        assert answer["waiting"] == 0
        deliveries: list[dict[str, Any]] = answer["deliveries"]
        return deliveries

    return await waiting.eventually(log, what="all deliveries are over")


def test_signatures_are_those_of_the_known_vector() -> None:
    body = b'{"account":"acme","state":"FINISHED","stateVersion":7}'

    assert signing.signatures("topsecret", body) == {
        "X-Signature": "sha1=cb96675d6e81e7ff007063b6f2f88f9afcc8333c",
        "X-Signature-256": (
            "sha256=d5605a68b44a0e68c842e566466a171916750aa649a82cd7e0e0eca2e21cf8c5"
        ),
    }


# -- payload and headers -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["stack", "named", "audit"])
async def test_each_kind_hears_of_every_state_in_order_and_signed(kind: str) -> None:
    async with receiving() as receiver, connect(scenario()) as wire:
        stack = "vpc" if kind == "stack" else None
        await wire.admin("POST", "/webhooks", webhook(receiver.url, kind=kind, stack=stack))
        await wire.login()
        run_id = await wire.trigger("vpc")
        log = [one for one in await self_logged(wire, 6) if one["event"] == "run"]

    runs = [request for request in receiver.requests if "state" in request.document]
    assert [request.state for request in runs] == NO_OP
    assert [request.document["stateVersion"] for request in runs] == list(range(6))
    assert {request.document["run"]["id"] for request in runs} == {run_id}
    assert all(is_signed(request) for request in runs)
    assert [one["body"].encode() for one in log] == [request.body for request in runs]
    assert {one["attempts"][0]["status"] for one in log} == {202}


async def self_logged(wire: Wire, count: int) -> list[dict[str, Any]]:
    """Wait until that many events of runs were delivered, and return the log."""

    async def log() -> list[dict[str, Any]]:
        deliveries = await ended(wire)
        assert len([one for one in deliveries if one["event"] == "run"]) >= count
        return deliveries

    return await waiting.eventually(log, what=f"{count} events of runs are delivered")


async def test_the_default_payload_has_all_documented_keys() -> None:
    pools = {"private-eu": {"workers": 1}}
    stack = {"labels": ["env:prod", "größe"], "workerPool": "private-eu"}
    document = scenario(stacks={"vpc": stack}, workerPools=pools)
    async with receiving() as receiver, connect(document) as wire:
        await wire.admin("POST", "/webhooks", webhook(receiver.url))
        await wire.login()
        run_id = await wire.trigger("vpc")
        request = (await receiver.until(6))[-1]

    assert is_signed(request)
    last = request.document
    run, page = last.pop("run"), "https://acme.app.spacelift.io/stack/vpc"
    commit = run.pop("commit")
    assert last.pop("timestamp_millis") // 1000 == last.pop("timestamp")
    assert last == {
        "account": "acme",
        "state": "FINISHED",
        "stateVersion": 5,
        "note": "",
        "event_source": "spacelift.io",
        "event_type": "run_state_changed_event",
        "stack": {
            "id": "vpc",
            "name": "vpc",
            "description": "",
            "labels": ["env:prod", "größe"],
            "repository": "infra",
            "url": page,
            "vcs": "github",
        },
        "workerPool": {"id": "private-eu", "name": "private-eu"},
    }
    assert run.pop("createdAt") > 0
    assert run == {
        "id": run_id,
        "branch": "main",
        "command": None,
        "delta": {"added": 0, "changed": 0, "deleted": 0, "resources": 0},
        "driftDetection": False,
        "triggeredBy": f"api::{KEY['id']}",
        "type": "TRACKED",
        "url": f"{page}/run/{run_id}",
    }
    assert commit.keys() == {
        "authorLogin",
        "authorName",
        "hash",
        "message",
        "timestamp",
        "url",
    }


async def test_headers_are_those_of_spacelift_and_no_others() -> None:
    async with receiving() as receiver, connect(scenario()) as wire:
        extra = {"X-Team": "platform"}
        await wire.admin("POST", "/webhooks", webhook(receiver.url, headers=extra))
        await wire.login()
        await wire.trigger("vpc")
        first, second = (await receiver.until(2))[:2]

    names = {name.lower() for name in first.headers} - {"host", "content-length"}
    assert names == {
        "content-type",
        "user-agent",
        "accept-encoding",
        "x-signature",
        "x-signature-256",
        "x-datadog-trace-id",
        "x-datadog-parent-id",
        "x-datadog-sampling-priority",
        "x-team",
    }
    assert first.method == "POST"
    assert first.headers["Content-Type"] == "application/json"
    assert first.headers["User-Agent"] == "Go-http-client/2.0"
    assert first.headers["Accept-Encoding"] == "gzip"
    assert first.headers["X-Signature"] == hexdigest("sha1", SECRET, first.body)
    assert first.headers["X-Team"] == "platform"
    assert first.headers["X-Datadog-Trace-Id"] != second.headers["X-Datadog-Trace-Id"]


SIGNATURES = [
    ("sha256-only", SECRET, {"X-Signature-256"}, True),
    ("wrong-secret", SECRET, {"X-Signature", "X-Signature-256"}, False),
    ("none", SECRET, set(), False),
    ("both", "", set(), False),
]


@pytest.mark.parametrize(("mode", "secret", "names", "is_right"), SIGNATURES)
async def test_signatures_can_be_short_wrong_or_missing(
    mode: str, secret: str, names: set[str], is_right: bool
) -> None:
    document = scenario(deliveries={"signature": mode})
    async with receiving() as receiver, connect(document) as wire:
        await wire.admin("POST", "/webhooks", webhook(receiver.url) | {"secret": secret})
        await wire.login()
        await wire.trigger("vpc")
        first = (await receiver.until(1))[0]

    assert {name for name in first.headers if name.startswith("X-Signature")} == names
    assert ("X-Signature-256" in first.headers and is_signed(first)) is is_right


async def test_without_a_secret_the_key_may_be_empty_instead() -> None:
    document = scenario(deliveries={"emptySecret": "empty-key"})
    async with receiving() as receiver, connect(document) as wire:
        await wire.admin("POST", "/webhooks", {"endpoint": receiver.url})
        await wire.login()
        await wire.trigger("vpc")
        first = (await receiver.until(1))[0]

    assert is_signed(first, "")


async def test_notes_metadata_and_delta_follow_the_run() -> None:
    stacks = {"vpc": {"outcomes": [{"result": "changes", "delta": {"add": 1, "change": 2}}]}}
    async with receiving() as receiver, connect(scenario(stacks=stacks)) as wire:
        await wire.admin("POST", "/webhooks", webhook(receiver.url))
        await wire.login()
        run_id = await wire.trigger("vpc")
        await waiting.eventually(lambda: "UNCONFIRMED" in receiver.states)
        await wire.admin("POST", f"/runs/{run_id}/discard", {"note": "not today"})
        await waiting.eventually(lambda: "DISCARDED" in receiver.states)

    waits = next(one.document for one in receiver.requests if one.state == "UNCONFIRMED")
    assert waits["run"]["delta"] == {"added": 1, "changed": 2, "deleted": 0, "resources": 3}
    assert receiver.requests[-1].document["note"] == "not today"
    assert receiver.requests[0].document["run"]["delta"] is None


# -- notification policies -----------------------------------------------------------------------


async def test_a_named_webhook_gets_nothing_without_a_policy_that_names_it() -> None:
    async with receiving() as receiver, connect(scenario()) as wire:
        silent, loud = receiver.url + "/silent", receiver.url + "/loud"
        await wire.admin("POST", "/webhooks", webhook(silent, name="silent", policy="none"))
        await wire.admin("POST", "/webhooks", webhook(loud, name="loud"))
        await wire.login()
        await wire.trigger("vpc")
        await self_logged(wire, 6)

    assert {request.path for request in receiver.requests} == {"/hook/loud"}


async def test_the_documented_policy_sends_its_own_payload_with_the_metadata() -> None:
    async with receiving() as receiver, connect(scenario()) as wire:
        await wire.admin("POST", "/webhooks", webhook(receiver.url, policy="documented"))
        await wire.login()
        marker = {"Spacelift-User-Provided-Run-Metadata": "chain=demo"}
        document = 'mutation { runTrigger(stack: "vpc") { id } }'
        answer = await wire.ask(document, marker)
        last = (await receiver.until(6))[-1]

    run_id = answer["data"]["runTrigger"]["id"]
    run = wire.simulator.account.runs[run_id]
    assert last.document == {
        "account": "acme",
        "stack_id": "vpc",
        "stack_labels": [],
        "run_id": run_id,
        "type": "TRACKED",
        "state": "FINISHED",
        "ordinal": 6,
        "updated_at_ns": pytest.approx(run.updated_at * 1e9, abs=1e4),
        "metadata": ["chain=demo"],
        "triggered_by": f"api::{KEY['id']}",
    }
    assert is_signed(last)


POLICY_BODIES = [
    ('webhook contains {"endpoint_id": "hook"} if input.run_updated', 6),
    ('endpoint := "hook"\nwebhook contains {"endpoint_id": endpoint} if input.run_updated', 6),
    ('# webhook contains {"endpoint_id": "hook"} if input.run_updated', 0),
    ('webhook contains {"endpoint_id": "hook"} if input.internal_error', 0),
    ('slack contains {"channel_id": "C0"} if input.run_updated', 0),
]


@pytest.mark.parametrize(("body", "count"), POLICY_BODIES)
async def test_a_policy_sends_the_events_that_its_text_names(body: str, count: int) -> None:
    async with receiving() as receiver, connect(scenario()) as wire:
        spec = webhook(receiver.url, name="hook", policy="none")
        await wire.admin("POST", "/webhooks", spec)
        await wire.admin("POST", "/webhooks", webhook(receiver.url, kind="stack", stack="vpc"))
        await wire.admin("POST", "/policies", {"name": "p", "body": "package spacelift\n" + body})
        await wire.login()
        await wire.trigger("vpc")
        log = await self_logged(wire, 6)

    assert len([one for one in log if one["webhook"] == "hook"]) == count


async def test_a_policy_that_names_a_missing_webhook_sends_nothing_and_the_log_says_so() -> None:
    body = 'webhook contains {"endpoint_id": "nowhere"} if input.run_updated'
    async with receiving() as receiver, connect(scenario()) as wire:
        await wire.admin("POST", "/webhooks", webhook(receiver.url, name="hook", policy="none"))
        await wire.admin("POST", "/policies", {"name": "p", "body": body})
        await wire.login()
        await wire.trigger("vpc")
        log = await self_logged(wire, 6)

    assert receiver.requests == []
    assert {one["state"] for one in log} == {"discarded"}
    assert {one["note"] for one in log} == {"policy p names a webhook that it cannot see"}


SCOPES = [
    ("root", "root", True),
    ("net", "net", True),
    ("net", "root", True),
    ("apps", "root", False),
]


@pytest.mark.parametrize(("policy", "hook", "hears"), SCOPES)
async def test_a_policy_acts_on_its_space_and_those_below(
    policy: str, hook: str, hears: bool
) -> None:
    spaces = {"net": {}, "apps": {}}
    document = scenario(stacks={"vpc": {"space": "net"}}, spaces=spaces)
    body = 'webhook contains {"endpoint_id": "hook"} if input.run_updated'
    async with receiving() as receiver, connect(document) as wire:
        spec = webhook(receiver.url, name="hook", space=hook, policy="none")
        await wire.admin("POST", "/webhooks", spec)
        await wire.admin("POST", "/webhooks", webhook(receiver.url, kind="stack", stack="vpc"))
        await wire.admin("POST", "/policies", {"name": "p", "body": body, "space": policy})
        await wire.login()
        await wire.trigger("vpc")
        log = await self_logged(wire, 6)

    assert bool([one for one in log if one["webhook"] == "hook"]) is hears


async def test_a_policy_engine_takes_the_place_of_reading_the_text() -> None:
    seen: list[tuple[str, dict[str, Any]]] = []

    def engine(body: str, given: dict[str, Any]) -> list[dict[str, Any]]:
        seen.append((body, given))
        if given["run_updated"]["state"] != "FINISHED":
            return []
        endpoint = given["webhook_endpoints"][0]["id"]
        payload = {"only": given["run_updated"]["run"]["id"]}
        headers, method = {"X-Policy": "yes"}, "PUT"
        return [{"endpoint_id": endpoint, "payload": payload, "headers": headers, "method": method}]

    simulator = Simulator({"keys": [KEY], **scenario()}, policy_engine=engine)
    async with receiving() as receiver, serve(simulator) as server:
        spec = webhook(receiver.url, name="hook", labels=["chain"])
        async with connect_to(server) as wire:
            await wire.admin("POST", "/webhooks", spec)
            await wire.login()
            run_id = await wire.trigger("vpc")
            request = (await receiver.until(1))[0]
            shown = await wire.admin("GET", f"/runs/{run_id}/policy-input")

    assert (request.method, request.headers["X-Policy"]) == ("PUT", "yes")
    assert request.document == {"only": run_id}
    assert is_signed(request)
    assert [given["run_updated"]["state"] for _, given in seen] == NO_OP
    assert seen[-1][1]["webhook_endpoints"] == [{"id": "hook", "labels": ["chain"]}]
    assert shown == json.loads(json.dumps(seen[-1][1]))


# -- noise ---------------------------------------------------------------------------------------


async def test_an_internal_error_reaches_those_whose_policy_asks_for_it() -> None:
    body = 'webhook contains {"endpoint_id": "errors"} if input.internal_error'
    async with receiving() as receiver, connect(scenario()) as wire:
        errors = webhook(receiver.url + "/errors", name="errors", policy="none")
        await wire.admin("POST", "/webhooks", errors)
        await wire.admin("POST", "/webhooks", webhook(receiver.url + "/runs", name="runs"))
        await wire.admin("POST", "/policies", {"name": "p", "body": body})
        await wire.admin("POST", "/internal-error", {"stack": "vpc"})
        await receiver.until(1)
        log = await ended(wire)

    assert len(log) == 1
    assert receiver.requests[0].path == "/hook/errors"
    assert receiver.requests[0].document.keys() == {
        "title",
        "body",
        "error",
        "severity",
        "account",
    }


async def test_noise_comes_on_demand_or_beside_the_events_of_runs() -> None:
    async with receiving() as receiver, connect(scenario()) as wire:
        made = await wire.admin("POST", "/webhooks", webhook(receiver.url))
        for kind in ("internal-error", "module"):
            await wire.admin("POST", "/deliveries/noise", {"webhook": made["id"], "kind": kind})
        on_demand = [one["event"] for one in await ended(wire)]
        await wire.admin("PATCH", "/deliveries/behavior", {"noise": 1})
        await wire.login()
        await wire.trigger("vpc")
        log = await self_logged(wire, 6)

    assert on_demand == ["internal-error", "module"]
    module = receiver.requests[1].document
    assert module["run"]["type"] == "TESTING"
    assert "stack" not in module
    assert len([one for one in log if one["event"] != "run"]) == 2 + 6
    assert [state for state in receiver.states if state in NO_OP[:5]] == NO_OP[:5]


# -- the audit trail -----------------------------------------------------------------------------


async def test_the_audit_trail_tells_of_mutations_and_says_good_bye() -> None:
    async with receiving() as receiver, connect(scenario()) as wire:
        await wire.login()
        values = {"enabled": True, "endpoint": receiver.url, "includeRuns": False}
        await wire.data(AUDIT_SET, input={**values, "secret": SECRET})
        await wire.trigger("vpc")
        await wire.data('mutation { stackLock(id: "vpc", note: "mine") { id } }')
        await wire.data(AUDIT_SET, input={**values, "enabled": False})
        await wire.data('mutation { stackUnlock(id: "vpc") { id } }')
        await receiver.until(4)
        log = await ended(wire)

    documents = [request.document for request in receiver.requests]
    assert [document["action"] for document in documents] == [
        "audit_trail_webhook.set",
        "run.trigger",
        "stack.lock",
        "audit_trail_webhook.set",
    ]
    assert documents[0]["data"]["args"]["Input"]["SecretSHA"] == (
        hashlib.sha256(SECRET.encode()).hexdigest()
    )
    assert documents[2]["data"] == {"ID": "vpc", "args": {"Id": "vpc", "Note": "mine"}}
    assert documents[2]["actor"] == f"api::{KEY['id']}"
    assert documents[2]["context"] == {"mutation": "stackLock"}
    assert all(SECRET not in one["body"] for one in log)
    assert all(is_signed(request) for request in receiver.requests)


PROBES = [(404, "status 404"), (500, "status 500"), (302, "status 302")]


@pytest.mark.parametrize(("status", "text"), PROBES)
async def test_an_audit_webhook_is_not_saved_when_its_probe_fails(status: int, text: str) -> None:
    async with receiving() as receiver, connect(scenario()) as wire:
        receiver.answer = lambda _number: status
        await wire.login()
        values = {"enabled": True, "endpoint": receiver.url, "includeRuns": True}
        error = await wire.error(AUDIT_SET, input=values)
        is_off = await wire.data(AUDIT_SET, input={**values, "enabled": False})

    assert text in error
    assert len(receiver.requests) == 1
    assert is_off["auditTrailSetWebhook"]["enabled"] is False


async def test_nobody_else_can_make_the_account_send_a_probe() -> None:
    async with receiving() as receiver, connect(scenario()) as wire:
        await wire.login(READER)
        values = {"enabled": True, "endpoint": receiver.url, "includeRuns": True}
        error = await wire.error(AUDIT_SET, input=values)

    assert error == "unauthorized"
    assert receiver.requests == []


ACTIONS = [
    ("stackCreate", "stack.create"),
    ("auditTrailSetWebhook", "audit_trail_webhook.set"),
    ("auditTrailDeleteWebhook", "audit_trail_webhook.delete"),
    ("policyCreatev2", "policy.create"),
    ("namedWebhooksIntegrationUpdate", "named_webhooks_integration.update"),
    ("runTrigger", "run.trigger"),
]


@pytest.mark.parametrize(("mutation", "action"), ACTIONS)
def test_actions_are_named_as_in_the_audit_trail(mutation: str, action: str) -> None:
    assert payloads.action_of(mutation) == action

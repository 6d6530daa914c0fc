"""`stackchain webhook setup` against the simulated account: real HTTP, a real GraphQL engine."""

import argparse
import asyncio
import io
import json
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from controller.config import settings
from controller.spacelift.webhooks import policy as notification_policy
from controller.spacelift.webhooks import setup_command, setup_options
from devenv.simulator.model.webhooks import Webhook, WebhookKind
from tests.support.golden import Golden
from tests.support.simulator_client import KEY, READER, Wire, connect

SECRET = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
URL = "https://hooks.example.com"
ENDPOINT = f"{URL}/webhooks/spacelift/default"
NET_ADMIN = {"id": "01JKEYNET00000000000000000", "secret": "n", "spaces": ["net"]}
SCENARIO = {"keys": [KEY, READER, NET_ADMIN], "spaces": {"net": {}, "apps": {}}, "stacks": ["vpc"]}
PAGE = "webhook_setup"


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    async with connect(SCENARIO) as connected:
        yield connected


def environ(wire: Wire, **variables: str) -> dict[str, str]:
    return {
        "SPACELIFT_API_KEY_ENDPOINT": wire.server.url,
        "SPACELIFT_API_KEY_ID": KEY["id"],
        "SPACELIFT_API_KEY_SECRET": KEY["secret"],
        "SPACELIFT_WEBHOOK_SECRET": SECRET,
        **variables,
    }


async def set_up(wire: Wire, *arguments: str, url: str = URL, **variables: str) -> tuple[int, str]:
    """Run the command in this process; returns its exit code and what it printed."""
    parser = argparse.ArgumentParser()
    setup_options.add_arguments(parser)
    parsed = parser.parse_args([*(("--url", url) if url else ()), *arguments])
    out = io.StringIO()
    code = await setup_command.run(settings.load_settings(environ(wire, **variables)), parsed, out)
    assert SECRET not in out.getvalue()
    return code, out.getvalue()


async def mutations(wire: Wire) -> list[str]:
    """Return what was sent to change something since the last call; a token changes nothing."""
    log = (await wire.admin("GET", "/requests"))["requests"]
    await wire.admin("DELETE", "/requests")
    sent = [entry for entry in log if entry["operation"] == "mutation"]
    names = [field["name"] for entry in sent for field in entry["fields"]]
    return [name for name in names if name != "apiKeyUser"]


def registered(wire: Wire, name: str = "stackchain") -> Webhook:
    return wire.simulator.account.webhooks[name]


def without_cause(said: str) -> str:
    """How a connection breaks depends on the machine."""
    return re.sub(r"\(\w+Error[^)]*\)", "(CAUSE)", said)


# What it does


async def test_the_first_set_up_creates_both_and_the_second_changes_nothing(
    wire: Wire, golden: Golden
) -> None:
    code, said = await set_up(wire)

    assert code == 0
    golden(PAGE).check("created", said)
    webhook = registered(wire)
    assert (webhook.endpoint, webhook.secret, webhook.space) == (ENDPOINT, SECRET, "root")
    assert (webhook.enabled, webhook.retry_on_failure) == (True, True)
    policy = wire.simulator.account.policies["stackchain"]
    assert (policy.type, policy.space) == ("NOTIFICATION", "root")
    assert policy.body == notification_policy.body("stackchain")
    assert await mutations(wire) == ["namedWebhooksIntegrationCreate", "policyCreatev2"]

    code, said = await set_up(wire)
    assert code == 0
    golden(PAGE).check("unchanged", said)
    assert await mutations(wire) == []


async def test_a_dry_run_says_what_would_be_done_and_does_nothing(
    wire: Wire, golden: Golden
) -> None:
    code, said = await set_up(wire, "--dry-run")

    assert code == 0
    golden(PAGE).check("dry run: create", said)
    assert await mutations(wire) == []
    assert not wire.simulator.account.webhooks

    await set_up(wire)
    registered(wire).enabled = False
    await mutations(wire)

    _, said = await set_up(wire, "--dry-run")
    golden(PAGE).check("dry run: update", said)
    _, said = await set_up(wire, "--dry-run", "--remove", url="")
    golden(PAGE).check("dry run: remove", said)
    assert await mutations(wire) == []


async def test_only_what_differs_is_written(wire: Wire, golden: Golden) -> None:
    await set_up(wire)
    registered(wire).labels.append("team:net")
    wire.simulator.account.policies["stackchain"].body = "package spacelift\n"
    await mutations(wire)

    code, said = await set_up(wire)
    assert code == 0
    golden(PAGE).check("updated: the policy's body", said)
    assert await mutations(wire) == ["policyUpdatev2"]

    _, said = await set_up(wire, url="https://new.example.com/hooks")
    golden(PAGE).check("updated: the endpoint", said)
    assert await mutations(wire) == ["namedWebhooksIntegrationUpdate"]
    assert "team:net" in registered(wire).labels


async def test_a_webhook_that_spacelift_disabled_is_enabled_again(
    wire: Wire, golden: Golden
) -> None:
    await set_up(wire)
    webhook = registered(wire)
    webhook.enabled, webhook.failures = False, 10

    _, said = await set_up(wire)

    golden(PAGE).check("updated: enabled again", said)
    assert (webhook.enabled, webhook.failures, webhook.secret) == (True, 0, SECRET)


async def test_a_new_secret_is_sent_although_the_old_one_cannot_be_read(
    wire: Wire, golden: Golden
) -> None:
    await set_up(wire)
    new = "a-secret-that-replaces-the-first-one"

    code, said = await set_up(wire, SPACELIFT_WEBHOOK_SECRET=new)

    assert code == 0
    golden(PAGE).check("updated: the secret", said)
    assert new not in said
    assert registered(wire).secret == new
    assert len(registered(wire).labels) == 1
    code, said = await set_up(wire, SPACELIFT_WEBHOOK_SECRET=new)
    assert code == 0
    golden(PAGE).check("unchanged", said)


async def test_of_several_secrets_the_last_one_is_registered(wire: Wire, tmp_path: Path) -> None:
    """It is the one that was added to replace the others, which are still accepted meanwhile."""
    files = {name: tmp_path / name for name in ("id", "key", "old", "new", "connections")}
    files["id"].write_text(KEY["id"])
    files["key"].write_text(KEY["secret"])
    files["old"].write_text("the-old-secret-of-the-webhook")
    files["new"].write_text(SECRET)
    connection = {
        "endpoint": wire.server.url,
        "allowedNamespaces": [],
        "apiKeyIdFile": str(files["id"]),
        "apiKeySecretFile": str(files["key"]),
        "webhookSecretFiles": [str(files["old"]), str(files["new"])],
    }
    files["connections"].write_text(json.dumps({"connections": {"prod": connection}}))
    unset = dict.fromkeys(environ(wire), "")

    code, _ = await set_up(
        wire,
        *("--connection", "prod"),
        **{**unset, "SPACELIFT_CONNECTIONS_FILE": str(files["connections"])},
    )

    assert code == 0
    assert registered(wire).secret == SECRET
    assert registered(wire).endpoint == f"{URL}/webhooks/spacelift/prod"


async def test_two_installations_register_side_by_side(wire: Wire) -> None:
    """Each policy routes to its own webhook, so that removing one leaves the other."""
    await set_up(wire)

    await set_up(wire, "--name", "StackChain staging", "--space", "net")
    await set_up(wire, "--name", "stackchain", "--remove", url="")

    assert list(wire.simulator.account.webhooks) == ["stackchain-staging"]
    policy = wire.simulator.account.policies["stackchain-staging"]
    assert 'endpoint_id := "stackchain-staging"' in policy.body
    assert policy.space == registered(wire, "stackchain-staging").space == "net"


async def test_both_are_removed_the_policy_first_and_then_absent(
    wire: Wire, golden: Golden
) -> None:
    await set_up(wire)
    await mutations(wire)

    code, said = await set_up(wire, "--remove", url="")
    assert code == 0
    golden(PAGE).check("removed", said)
    assert not wire.simulator.account.webhooks
    assert not wire.simulator.account.policies
    code, said = await set_up(wire, "--remove", url="")
    assert code == 0
    golden(PAGE).check("absent", said)


async def test_it_is_found_behind_a_page_of_others(wire: Wire, golden: Golden) -> None:
    account = wire.simulator.account
    for number in range(60):
        other = f"another-{number:02}"
        account.webhooks[other] = Webhook(
            id=other, kind=WebhookKind.NAMED, name=other, endpoint=URL, created_at=0, space="root"
        )
    await set_up(wire)

    code, said = await set_up(wire)
    assert code == 0
    golden(PAGE).check("unchanged", said)
    assert len(account.webhooks) == 61


async def test_spaces_whose_runs_are_not_sent_are_named(wire: Wire, golden: Golden) -> None:
    wire.simulator.account.spaces["apps"].inherit_entities = False

    code, said = await set_up(wire)

    assert code == 0
    golden(PAGE).check("created, with a space that does not inherit", said)


async def test_json_tells_the_same_to_programs(wire: Wire) -> None:
    _, said = await set_up(wire, "--json")

    told = json.loads(said)
    assert (told["ok"], told["dryRun"], told["problem"]) == (True, False, None)
    assert told["objects"] == [
        {
            "kind": kind,
            "name": "stackchain",
            "id": "stackchain",
            "space": "root",
            "action": "created",
            "differences": [],
        }
        for kind in ("webhook", "policy")
    ]


# What goes wrong


async def test_a_key_that_may_only_read_is_told_what_it_lacks(wire: Wire, golden: Golden) -> None:
    code, said = await set_up(
        wire, SPACELIFT_API_KEY_ID=READER["id"], SPACELIFT_API_KEY_SECRET=READER["secret"]
    )

    assert code == 1
    golden(PAGE).check("problem: a key that may only read", said)
    assert not wire.simulator.account.webhooks


async def test_a_key_of_one_space_registers_there_and_not_in_the_root(
    wire: Wire, golden: Golden
) -> None:
    key = {"SPACELIFT_API_KEY_ID": NET_ADMIN["id"], "SPACELIFT_API_KEY_SECRET": "n"}

    code, said = await set_up(wire, **key)
    assert code == 1
    golden(PAGE).check("problem: a key of another space", said)

    code, said = await set_up(wire, "--space", "net", **key)
    assert (code, said.count("created")) == (0, 2)


async def test_an_unknown_space_changes_nothing(wire: Wire, golden: Golden) -> None:
    code, said = await set_up(wire, "--space", "nowhere")

    assert code == 1
    golden(PAGE).check("problem: an unknown space", said)
    assert await mutations(wire) == []


async def test_a_policy_of_another_type_is_not_overwritten(wire: Wire, golden: Golden) -> None:
    await set_up(wire)
    wire.simulator.account.policies["stackchain"].type = "PLAN"
    await mutations(wire)

    code, said = await set_up(wire, url="https://new.example.com")

    assert code == 1
    golden(PAGE).check("problem: a policy of another type", said)
    assert await mutations(wire) == []


async def test_a_wrong_key_is_named(wire: Wire, golden: Golden) -> None:
    code, said = await set_up(wire, SPACELIFT_API_KEY_SECRET="wrong")

    assert code == 1
    golden(PAGE).check("problem: a wrong key", said)


@pytest.mark.parametrize("mode", ["refuse", "error"])
async def test_an_account_that_cannot_be_reached_is_named(
    wire: Wire, mode: str, golden: Golden
) -> None:
    await wire.admin("PUT", "/outage", {"mode": mode})

    code, said = await set_up(wire)

    assert code == 1
    golden(PAGE).check(f"problem: {mode}", without_cause(said))


async def test_what_was_done_before_a_refusal_is_told_and_the_next_set_up_goes_on(
    wire: Wire, golden: Golden
) -> None:
    fault = {"field": "policyCreatev2", "action": "error", "message": "policy has 1 error: body"}
    await wire.admin("POST", "/faults", fault, status=201)

    code, said = await set_up(wire)

    assert code == 1
    golden(PAGE).check("problem: the policy is refused", said)
    code, said = await set_up(wire)
    assert code == 0
    golden(PAGE).check("only the policy is created", said)


@pytest.mark.parametrize("text", [f"secret {SECRET} is too weak", f"{'x' * 230} {SECRET}"])
async def test_an_answer_that_repeats_the_secret_does_not_show_it(wire: Wire, text: str) -> None:
    """The second one would be cut in the middle of the secret."""
    fault = {"field": "namedWebhooksIntegrationCreate", "action": "error", "message": text}
    await wire.admin("POST", "/faults", fault, status=201)

    code, said = await set_up(wire)

    assert code == 1
    assert SECRET[:8] not in said


@pytest.mark.parametrize("field", ["namedWebhooksIntegrationCreate", "policyCreatev2"])
async def test_a_lost_answer_makes_no_second_object(wire: Wire, field: str, golden: Golden) -> None:
    fault = {"field": field, "action": "reset", "when": "after"}
    await wire.admin("POST", "/faults", fault, status=201)

    code, said = await set_up(wire, "--json")

    told = json.loads(said)
    assert (code, told["ok"]) == (1, False)
    golden(PAGE).check(f"problem: a lost answer, {field}", without_cause(told["problem"]))
    code, _ = await set_up(wire)
    assert code == 0
    assert len(wire.simulator.account.webhooks) == len(wire.simulator.account.policies) == 1
    code, said = await set_up(wire)
    assert code == 0
    golden(PAGE).check("unchanged", said)


# As a program


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--url", URL), 0),
        (("--url", URL, "--space", "nowhere"), 1),
        (("--url", "http://hooks.example.com"), 2),
    ],
    ids=["done", "problem", "usage"],
)
async def test_the_program_ends_with_the_documented_exit_code(
    wire: Wire,
    arguments: tuple[str, ...],
    code: int,
    case: str,
    golden: Golden,
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "controller", "webhook", "setup", *arguments),
        env=environ(wire),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = (text.decode() for text in await process.communicate())

    assert process.returncode == code
    golden(PAGE).check(f"as a program: {case}", said + complained)
    assert bool(complained) is (code == 2)
    assert complained.count("\n") <= 1
    assert SECRET not in said + complained

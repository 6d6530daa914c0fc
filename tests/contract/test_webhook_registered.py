"""What `stackchain webhook setup` registers makes Spacelift send what the receiver takes.

The account is simulated, but its policies are run by a real Rego engine here, and signature and
payload are judged by the receiver's own code.
"""

import argparse
import io
from typing import Any

from controller.config import settings
from controller.spacelift.webhooks import setup_command, setup_options
from controller.webhook import payload, signature
from devenv.simulator.model import policies
from devenv.simulator.model.delivery_behavior import DeliveryBehavior
from devenv.simulator.simulator import Simulator
from devenv.simulator.web.server import serve
from tests.support import rego
from tests.support.simulator_client import KEY, connect_to, until_state
from tests.support.webhook_receiver import receiving

SECRET = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
SCENARIO: dict[str, Any] = {
    "keys": [KEY],
    "spaces": {"net": {}},
    "stacks": {"vpc": {"space": "net", "labels": ["team:net"], "autodeploy": True}},
    "defaults": {"durations": 0.0},
}
SENT = ["QUEUED", "READY", "PREPARING", "FINISHED"]


def run_policy(body: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = rego.evaluate(body, "webhook", given)
    return sent


async def register(url: str, *arguments: str) -> str:
    parser = argparse.ArgumentParser()
    setup_options.add_arguments(parser)
    environ = {
        "SPACELIFT_API_KEY_ENDPOINT": url,
        "SPACELIFT_API_KEY_ID": KEY["id"],
        "SPACELIFT_API_KEY_SECRET": KEY["secret"],
        "SPACELIFT_WEBHOOK_SECRET": SECRET,
    }
    out = io.StringIO()
    parsed = parser.parse_args(arguments)
    assert await setup_command.run(settings.load_settings(environ), parsed, out) == 0
    return out.getvalue()


async def test_a_run_is_delivered_at_each_change_that_matters_and_signed() -> None:
    simulator = Simulator(SCENARIO, policy_engine=run_policy)
    async with receiving() as receiver, serve(simulator) as server, connect_to(server) as wire:
        await register(
            server.url, "--url", receiver.url.removesuffix("/hook"), "--name", "Chains of prod"
        )
        await wire.login()
        run_id = await wire.trigger("vpc")
        requests = await receiver.until(len(SENT))

    assert {request.path for request in requests} == {"/webhooks/spacelift/default"}
    for request in requests:
        assert signature.is_signed(request.body, request.headers[signature.HEADER], [SECRET])
    parsed = [payload.parse(request.body) for request in requests]
    events = [event for event in parsed if isinstance(event, payload.RunNotification)]
    # Order is not guaranteed.
    assert sorted(events, key=lambda event: SENT.index(event.state)) == [
        payload.RunNotification(
            stack_id="vpc", run_id=run_id, run_type="TRACKED", state=state, labels=("team:net",)
        )
        for state in SENT
    ]


async def test_after_its_removal_nothing_is_sent() -> None:
    simulator = Simulator(SCENARIO, policy_engine=run_policy)
    async with receiving() as receiver, serve(simulator) as server, connect_to(server) as wire:
        await register(server.url, "--url", receiver.url)
        await register(server.url, "--remove")
        await wire.login()
        await until_state(wire, await wire.trigger("vpc"), "FINISHED")
        log = await wire.admin("GET", "/deliveries")

    assert (log["waiting"], log["deliveries"]) == (0, [])


async def test_without_an_engine_the_simulator_sends_what_one_would() -> None:
    """It only reads the policy's text, and all other tests of webhooks rely on that."""
    asked: list[dict[str, Any]] = []

    def engine(_body: str, given: dict[str, Any]) -> list[dict[str, Any]]:
        asked.append(given)
        return []

    simulator = Simulator(SCENARIO, policy_engine=engine)
    async with serve(simulator) as server, connect_to(server) as wire:
        await register(server.url, "--url", "http://127.0.0.1:9")
        await wire.login()
        await until_state(wire, await wire.trigger("vpc"), "FINISHED")
        policy = simulator.account.policies["stackchain"]

    unseen = rego.evaluate(policy.body, "unseen_states", {})
    behavior = DeliveryBehavior(policy_skips=unseen)
    read = [policies.read(policy, given, behavior) for given in asked]
    assert len(asked) > len(SENT)
    assert [[(one.endpoint_id, one.payload) for one in messages] for messages in read] == [
        [(one["endpoint_id"], one["payload"]) for one in run_policy(policy.body, given)]
        for given in asked
    ]

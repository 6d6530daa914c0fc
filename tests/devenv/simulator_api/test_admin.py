"""The admin API, the pages for people, and what the outside world does to an account."""

from typing import Any

import httpx
import pytest

from tests.conftest import StartSimulator
from tests.support import simulator_client
from tests.support.simulator_client import TRIGGER

CLOCK = {"clock": "virtual"}


async def test_stacks_edges_and_keys_are_seeded_and_patched() -> None:
    async with simulator_client.connect({**CLOCK, "stacks": ["a"]}) as wire:
        seed = {
            "keys": [{"id": "K2", "secret": "s2"}],
            "stacks": {"b": {"dependsOn": ["a"]}, "c": {}},
        }
        await wire.admin("POST", "/seed", seed)
        await wire.admin("PATCH", "/stacks/a", {"autodeploy": True, "name": "A"})
        await wire.admin("PATCH", "/stacks/a", {"labels": ["x"]})
        await wire.admin("POST", "/edges", {"stack": "c", "dependsOn": "b"})
        await wire.admin("DELETE", "/edges", {"stack": "b", "dependsOn": "a"})
        await wire.admin("PUT", "/keys/K3", {"secret": "s3", "role": "reader"})
        await wire.login({"id": "K3", "secret": "s3"})

        stacks = (await wire.admin("GET", "/stacks"))["stacks"]

    assert {s["id"]: [e["dependsOn"] for e in s["dependsOn"]] for s in stacks} == {
        "a": [],
        "b": [],
        "c": ["b"],
    }
    assert (stacks[0]["autodeploy"], stacks[0]["labels"], stacks[0]["name"]) == (True, ["x"], "A")


async def test_outcomes_are_scripted() -> None:
    async with simulator_client.connect({**CLOCK, "stacks": ["a"]}) as wire:
        await wire.login()
        await wire.admin("POST", "/stacks/a/outcomes", {"outcomes": ["fail:initializing"]})
        run = await wire.trigger("a")
        await wire.admin("POST", "/clock", {"advance": 60})

        shown = await wire.admin("GET", f"/runs/{run}")

    assert [entry["state"] for entry in shown["history"]][-2:] == ["INITIALIZING", "FAILED"]
    assert shown["history"][-1]["note"] == "initializing failed"


async def test_a_person_does_in_the_web_interface_what_we_did_not_expect() -> None:
    async with simulator_client.connect({**CLOCK, "stacks": ["a"]}) as wire:
        runs = (await wire.admin("POST", "/stacks/a/trigger", {"user": "ann@x"}))["runs"]
        await wire.admin("POST", "/clock", {"advance": 60})
        confirmed = await wire.admin("POST", f"/runs/{runs[0]['id']}/confirm", {"user": "bob@x"})
        refused = await wire.admin("POST", f"/runs/{runs[0]['id']}/confirm", status=409)
        await wire.admin("POST", "/stacks/a/lock", {"user": "ann@x"})
        locked = await wire.admin("POST", "/stacks/a/trigger", {"user": "bob@x"}, status=409)

    assert runs[0]["triggeredBy"] == "ann@x"
    assert (confirmed["state"], confirmed["history"][-1]["username"]) == ("CONFIRMED", "bob@x")
    assert "CONFIRMED" in refused["error"]
    assert "locked by ann@x" in locked["error"]


async def test_pushes_drift_and_renames_arrive_from_outside() -> None:
    scenario = {
        **CLOCK,
        "workerPools": {"p": {}},
        "stacks": {
            "a": {"repository": "r", "workerPool": "p", "state": "FINISHED"},
            "b": {"repository": "r"},
            "c": {},
        },
        "edges": ["a -> c"],
    }
    async with simulator_client.connect(scenario) as wire:
        await wire.login()
        await wire.admin("POST", "/stacks/a/drift")
        push = {"repository": "r", "sha": "f" * 40}
        pushed = await wire.admin("POST", "/push", push)
        again = await wire.admin("POST", "/push", push)
        await wire.admin("POST", "/stacks/a/reslug", {"id": "a2"})
        await wire.admin("POST", "/clock", {"advance": 60})
        read = '{ stack(id: "a2") { proposedRuns { driftDetection } trackedCommit { hash } } }'
        stack = (await wire.data(read))["stack"]
        await wire.admin("DELETE", "/stacks/c")
        summary = await wire.admin("GET", "/summary")

    made = {run["stackId"]: run["triggeredBy"] for run in pushed["runs"]}
    assert made == {"a": None, "b": None, "c": "a"}
    assert again["runs"] == []
    assert stack["trackedCommit"] == {"hash": "f" * 40}
    assert stack["proposedRuns"] == [{"driftDetection": True}]
    assert summary["stacks"]["a2"]["byTriggeredBy"] == {"": 1, "drift detection": 1}
    assert summary["stacks"]["c"]["byState"] == {"CANCELED": 1}


async def test_a_virtual_clock_moves_by_seconds_or_to_what_is_next() -> None:
    async with simulator_client.connect({**CLOCK, "stacks": ["a"]}) as wire:
        await wire.login()
        await wire.trigger("a")
        before = await wire.admin("GET", "/clock")
        after = await wire.admin("POST", "/clock", {"toNext": True})

    assert before["virtual"] is True
    assert after["now"] == before["nextDue"]


async def test_a_real_clock_may_be_put_forward_and_runs_may_be_faster() -> None:
    async with simulator_client.connect({"stacks": ["a"], "speed": 2}) as wire:
        before = await wire.admin("GET", "/clock")
        after = await wire.admin("POST", "/clock", {"speed": 50, "advance": 600})

    assert after["now"] >= before["now"] + 600
    assert (after["virtual"], after["speed"]) == (False, 50)


async def test_a_snapshot_is_restored() -> None:
    async with simulator_client.connect({**CLOCK, "stacks": ["a"]}) as wire:
        await wire.login()
        await wire.trigger("a")
        snapshot = await wire.admin("GET", "/snapshot")
        await wire.trigger("a")
        restored = await wire.admin("POST", "/restore", snapshot)
        again = await wire.trigger("a")
        runs = (await wire.admin("GET", "/runs"))["runs"]

    assert restored["runs"] == 1
    assert runs[-1]["id"] == again


async def test_reset_starts_over_from_the_same_or_another_scenario() -> None:
    async with simulator_client.connect({**CLOCK, "stacks": ["a"]}) as wire:
        await wire.login()
        await wire.trigger("a")
        await wire.admin("POST", "/faults", {"action": "reset"}, status=201)
        same = await wire.admin("POST", "/reset")
        other = await wire.admin("POST", "/reset", {"scenario": {"stacks": ["x", "y"]}})
        faults = await wire.admin("GET", "/faults")

    assert (same["stacks"], same["runs"]) == (1, 0)
    assert other["stacks"] == 2
    assert faults == {"outage": "off", "faults": []}


# request -> status and part of the error
WRONG: dict[str, tuple[str, str, Any, int, str]] = {
    "no-object": ("POST", "/seed", [], 400, "document: input should be"),
    "unknown-key": ("PATCH", "/behavior", {"fanout": False}, 400, "fanout: no such key"),
    "unknown-stack": ("POST", "/stacks/x/trigger", {}, 404, "no stack x"),
    "unknown-run": ("POST", "/runs/x/confirm", {}, 404, "no run x"),
    "unknown-edge": ("DELETE", "/edges", {"stack": "a", "dependsOn": "x"}, 404, "no edge"),
    "unknown-act": ("POST", "/runs/RUN/explode", {}, 404, "no act explode"),
    "unknown-fault": ("DELETE", "/faults/7", None, 404, "no fault 7"),
    "patch-nothing": ("PATCH", "/stacks/x", {}, 404, "no stack x"),
    "bad-state": ("POST", "/runs/RUN/confirm", {}, 409, "not UNCONFIRMED"),
}


@pytest.mark.parametrize(("method", "path", "body", "status", "text"), WRONG.values(), ids=WRONG)
async def test_a_wrong_admin_request_says_what_is_wrong(
    method: str, path: str, body: Any, status: int, text: str
) -> None:
    async with simulator_client.connect({**CLOCK, "stacks": ["a"]}) as wire:
        await wire.login()
        path = path.replace("RUN", await wire.trigger("a"))

        answer = await wire.admin(method, path, body, status=status)

    assert text in answer["error"]


async def test_a_person_confirms_on_the_page_that_a_link_leads_to() -> None:
    async with simulator_client.connect({**CLOCK, "stacks": {"a": {"name": "<A>"}}}) as wire:
        await wire.login()
        run = await wire.trigger("a")
        await wire.admin("POST", "/clock", {"advance": 60})
        url = f"{wire.server.url}/stack/a/run/{run}"
        async with wire.session.get(url) as page:
            before = await page.text()
        async with wire.session.post(f"{url}/confirm") as page:
            after, last = await page.text(), page.url
        async with wire.session.get(f"{wire.server.url}/stack/a") as page:
            stack = await page.text()
        async with wire.session.get(f"{wire.server.url}/stack/b/run/{run}") as page:
            missing = page.status

        shown = await wire.admin("GET", f"/runs/{run}")

    assert "Confirm" in before
    assert "UNCONFIRMED" in before
    assert str(last) == url
    assert "<button>" not in after
    assert "&lt;A&gt;" in stack
    assert missing == 404
    assert ("CONFIRMED", "jdoe@example.com") in [
        (entry["state"], entry["username"]) for entry in shown["history"]
    ]


async def test_hooks_hear_of_every_transition() -> None:
    heard = []
    async with simulator_client.connect({"stacks": ["a"], "speed": 100}) as wire:
        wire.simulator.transition_listeners.append(
            lambda run, entry: heard.append((run.id, str(entry.state)))
        )
        await wire.login()
        run = (await wire.data(TRIGGER, s="a"))["runTrigger"]["id"]
        await simulator_client.until_state(wire, run, "UNCONFIRMED")

    assert heard[0] == (run, "QUEUED")
    assert heard[-1] == (run, "UNCONFIRMED")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 200, id="a program"),
        pytest.param({"Host": "localhost"}, 200, id="by its name"),
        pytest.param({"Host": "[::1]:80"}, 200, id="by its other address"),
        pytest.param({"Host": "evil.example.com"}, 403, id="a name that leads here"),
        pytest.param({"Origin": "https://evil.example.com"}, 403, id="a page of another origin"),
        pytest.param({"Origin": "null"}, 403, id="a page without an origin"),
        pytest.param({"Origin": "http://127.0.0.1:1"}, 403, id="a page on another port"),
    ],
)
async def test_a_browser_is_not_made_to_call_it(
    start_simulator: StartSimulator, headers: dict[str, str], status: int
) -> None:
    running = await start_simulator({"stacks": {"a": {}}})

    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"{running.admin_url}/requests", headers=headers)
        own = {"Origin": running.admin_url.removesuffix("/admin")}
        from_own_page = await http.get(f"{running.admin_url}/requests", headers=own)

    assert (answer.status_code, from_own_page.status_code) == (status, 200)

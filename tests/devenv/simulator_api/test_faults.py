"""Faults over the wire: what a client sees, and whether its request took effect all the same."""

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.support import simulator_client, waiting
from tests.support.simulator_client import TRIGGER, Wire

SLOW = {"stacks": {"a": {"durations": {"planning": 600}}, "b": {}}}


async def outcome_of(wire: Wire, document: str = TRIGGER, **variables: Any) -> Any:
    """Return status and type of an answer, or what the connection came to."""
    try:
        async with wire.post(document, **(variables or {"s": "a"})) as response:
            await response.read()
            return response.status
    except aiohttp.ServerTimeoutError:
        return "timeout"
    except aiohttp.ClientConnectionError:
        return "broken"


# fault -> what the client sees
ANSWERS = {
    "reset": ({"action": "reset"}, "broken"),
    "status": ({"action": "status", "status": 502}, 502),
    "timeout": ({"action": "timeout", "seconds": 0.1}, "broken"),
    "malformed": ({"action": "malformed"}, 200),
    "error": ({"action": "error"}, 200),
}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("fault", "seen"), ANSWERS.values(), ids=ANSWERS)
async def test_a_fault_hits_before_or_after_the_run_is_created(
    fault: dict[str, Any], seen: Any, when: str
) -> None:
    async with simulator_client.connect(SLOW) as wire:
        await wire.login()
        await wire.admin(
            "POST", "/faults", {"field": "runTrigger", "when": when, **fault}, status=201
        )

        first = await outcome_of(wire)
        runs = len(wire.simulator.account.runs)
        second = await outcome_of(wire)

    assert first == seen
    assert runs == (1 if when == "after" else 0)
    assert second == 200


async def test_proxies_answer_in_html_and_may_name_a_time() -> None:
    async with simulator_client.connect(SLOW) as wire:
        await wire.login()
        fault = {"action": "status", "status": 429, "retryAfter": 7}
        await wire.admin("POST", "/faults", fault, status=201)
        async with wire.post("{ viewer { id } }") as limited:
            first = (limited.status, limited.headers.get("Retry-After"), limited.content_type)
        await wire.admin("POST", "/faults", {"action": "status", "status": 503}, status=201)
        async with wire.post("{ viewer { id } }") as down:
            second = (down.status, down.headers.get("Retry-After"), await down.text())

    assert first == (429, "7", "text/html")
    assert second[:2] == (503, None)
    assert "Service Unavailable" in second[2]


async def test_malformed_json_is_half_an_answer() -> None:
    async with simulator_client.connect(SLOW) as wire:
        await wire.login()
        await wire.admin("POST", "/faults", {"action": "malformed", "when": "after"}, status=201)

        async with wire.post("{ viewer { id } }") as response:
            text = await response.text()

    assert text.startswith('{"data"')
    assert not text.endswith("}}")


async def test_a_partial_answer_has_data_and_errors() -> None:
    document = '{ a: stack(id: "a") { id } b: stack(id: "b") { id } }'
    fault = {"action": "partial", "when": "after", "field": "stack", "stack": "b"}
    async with simulator_client.connect(SLOW) as wire:
        await wire.login()
        await wire.admin("POST", "/faults", {**fault, "message": "boom"}, status=201)

        answer = await wire.ask(document)

    assert answer == {
        "data": {"a": {"id": "a"}, "b": None},
        "errors": [{"message": "boom", "path": ["b"]}],
    }


async def test_a_partial_answer_is_empty_where_null_is_not_allowed() -> None:
    async with simulator_client.connect(SLOW) as wire:
        await wire.login()
        await wire.admin("POST", "/faults", {"action": "partial", "when": "after"}, status=201)

        answer = await wire.ask(TRIGGER, s="a")

    assert answer["data"] is None
    assert answer["errors"][0]["path"] == ["runTrigger"]


async def test_latency_delays_an_answer_and_nothing_else() -> None:
    async with simulator_client.connect(SLOW) as wire:
        await wire.login()
        fault = {"action": "latency", "seconds": 0.3, "field": "viewer"}
        await wire.admin("POST", "/faults", fault, status=201)
        loop = asyncio.get_running_loop()
        started = loop.time()

        await wire.data("{ viewer { id } }")

    assert loop.time() - started >= 0.3


async def test_a_bucket_answers_429_until_it_refills() -> None:
    # It refills later than a busy machine sends three requests.
    limit = {"rateLimit": {"perSecond": 0.2, "burst": 2}}
    async with simulator_client.connect({**SLOW, "behavior": limit}) as wire:
        await wire.login()

        async def is_served() -> bool:
            async with wire.post("{ viewer { id } }") as response:
                return response.status == 200

        first = [await is_served() for _ in range(3)]
        await waiting.eventually(is_served, what="the bucket refills")

    assert first == [True, True, False]


# outage -> what a client sees
OUTAGES = {"error": 503, "reset": "broken", "refuse": "broken"}


@pytest.mark.parametrize(("mode", "seen"), OUTAGES.items())
async def test_an_outage_hits_all_and_ends(mode: str, seen: Any) -> None:
    async with simulator_client.connect(SLOW) as wire:
        await wire.login()
        await wire.admin("PUT", "/outage", {"mode": mode})
        during = [await outcome_of(wire) for _ in range(3)]
        await wire.admin("PUT", "/outage", {"mode": "off"})
        after = await outcome_of(wire)

        assert during == [seen] * 3
        assert after == 200
        assert len(wire.simulator.account.runs) == 1


async def test_a_hanging_request_does_not_keep_the_server_from_stopping() -> None:
    async with simulator_client.connect(SLOW) as wire:
        await wire.login()
        await wire.admin("POST", "/faults", {"action": "timeout", "seconds": 600}, status=201)
        hanging = asyncio.create_task(outcome_of(wire))
        log = wire.simulator.journal
        await waiting.eventually(lambda: log.by_field["runTrigger"] == 1, what="it arrives")

        # It would hang for ten minutes.
        async with asyncio.timeout(30):
            await wire.server.stop()

        assert await hanging == "broken"


async def test_the_request_log_keeps_what_was_sent_but_no_secret() -> None:
    header = {"Spacelift-Client-Type": "test"}
    async with simulator_client.connect(SLOW) as wire:
        await wire.login()
        await wire.ask(TRIGGER, header, s="a")
        await wire.ask(TRIGGER, header, s="x")
        fault = {"action": "reset", "when": "after"}
        await wire.admin("POST", "/faults", fault, status=201)
        await outcome_of(wire)
        requests = (await wire.admin("GET", "/requests"))["requests"]
        triggers = (await wire.admin("GET", "/requests?field=runTrigger"))["requests"]
        counters = await wire.admin("GET", "/requests/counters")

    assert simulator_client.KEY["secret"] not in str(requests)
    assert [r["outcome"] for r in triggers] == ["200", "200", "reset"]
    assert [r["committed"] for r in triggers] == [["runTrigger"], [], ["runTrigger"]]
    assert [r["fault"] for r in triggers] == [None, None, 1]
    assert triggers[0]["fields"][0]["stacks"] == ["a"]
    assert triggers[0]["headers"] == {"spacelift-client-type": "test"}
    assert counters["byField"] == {"apiKeyUser": 1, "runTrigger": 3}
    assert counters["byClient"] == {"": 2, "test": 2}

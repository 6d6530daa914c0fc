"""How deliveries reach a receiver, or do not: retries, disabling, and every behavior on the way."""

import asyncio
import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from devenv.simulator.model.outbox import KEPT
from tests.devenv.simulator_api.test_process import ask as ask_process
from tests.devenv.simulator_api.test_process import login, simulator
from tests.support import waiting
from tests.support.simulator_client import TRIGGER, Wire, connect
from tests.support.webhook_receiver import Receiver, receiving

NO_OP = ["QUEUED", "READY", "PREPARING", "INITIALIZING", "PLANNING", "FINISHED"]
QUICK = {
    "durations": dict.fromkeys(("ready", "preparing", "initializing", "planning"), 0.0),
    "outcome": "no-op",
}
UPDATE = """mutation ($id: ID!, $input: NamedWebhooksIntegrationInput!) {
  namedWebhooksIntegrationUpdate(id: $id, input: $input) { id enabled } }"""


def scenario(receiver: Receiver, *, behavior: dict[str, Any] | None = None, **more: Any) -> Any:
    """An account whose runs are over at once, and a webhook for all of them."""
    webhook = {"endpoint": receiver.url, "secret": "s", "name": "hook"}
    return {
        "stacks": ["a", "b"],
        "defaults": QUICK,
        "webhooks": [webhook | more.pop("webhook", {})],
        "deliveries": behavior or {},
        **more,
    }


async def run(wire: Wire, stack: str = "a") -> str:
    """Trigger a run and wait for its end."""
    if wire.token is None:
        await wire.login()
    run_id = await wire.trigger(stack)
    record = wire.simulator.account.runs[run_id]
    await waiting.eventually(lambda: record.finished, what="the run is over")
    return run_id


async def over(wire: Wire) -> list[dict[str, Any]]:
    """Wait until nothing is on its way, and return the log."""

    async def log() -> list[dict[str, Any]]:
        answer = await wire.admin("GET", "/deliveries")
        assert answer["waiting"] == 0
        deliveries: list[dict[str, Any]] = answer["deliveries"]
        return deliveries

    return await waiting.eventually(log, what="all deliveries are over")


async def hook(wire: Wire) -> dict[str, Any]:
    shown: dict[str, Any] = await wire.admin("GET", "/webhooks/hook")
    return shown


def statuses(delivery: dict[str, Any]) -> list[int | None]:
    return [attempt["status"] for attempt in delivery["attempts"]]


# -- failures ------------------------------------------------------------------------------------

RETRIES = [
    (True, 503, 4, "failed"),
    (True, 404, 1, "failed"),
    (True, 302, 1, "failed"),
    (False, 503, 1, "failed"),
    (True, 202, 1, "delivered"),
]


@pytest.mark.parametrize(("wanted", "status", "attempts", "state"), RETRIES)
async def test_only_5xx_is_tried_again_where_wanted_and_three_times_at_most(
    wanted: bool, status: int, attempts: int, state: str
) -> None:
    async with receiving() as receiver:
        receiver.answer = lambda _number: status
        document = scenario(
            receiver, behavior={"retryDelay": 0}, webhook={"retryOnFailure": wanted}
        )
        async with connect(document) as wire:
            await run(wire)
            log = await over(wire)

    assert [statuses(one) for one in log] == [[status] * attempts] * 6
    assert {one["state"] for one in log} == {state}


async def test_a_retry_that_is_taken_is_a_success_of_the_same_bytes() -> None:
    async with receiving() as receiver:
        receiver.answer = lambda number: 500 if number < 3 else 202
        document = scenario(receiver, behavior={"retryDelay": 0}, webhook={"retryOnFailure": True})
        async with connect(document) as wire:
            await run(wire)
            log = await over(wire)
            failures = (await hook(wire))["failures"]

    assert {one["state"] for one in log} == {"delivered"}
    assert sum(len(one["attempts"]) for one in log) == 6 + 2
    assert len({request.body for request in receiver.requests}) == 6
    assert failures == 0


async def test_retries_wait_longer_and_longer_by_the_virtual_clock() -> None:
    async with receiving() as receiver:
        receiver.answer = lambda _number: 500
        document = scenario(
            receiver, clock="virtual", behavior={"retryDelay": 10}, webhook={"retryOnFailure": True}
        )
        async with connect(document) as wire:
            await wire.login()
            await wire.trigger("a")
            await receiver.until(6)
            for rounds, seconds in ((2, 10), (3, 20), (4, 40)):
                await waiting.eventually(lambda: is_idle(wire), what="all were answered")
                await wire.admin("POST", "/clock", {"advance": seconds - 1})
                await waiting.stays(lambda n=rounds: len(receiver.requests) == 6 * n - 6, 0.1)
                await wire.admin("POST", "/clock", {"advance": 1})
                await receiver.until(6 * rounds)
            first = (await over(wire))[0]["attempts"]

    waits = [round(later["at"] - earlier["at"]) for earlier, later in itertools.pairwise(first)]
    assert waits == [10, 20, 40]


def is_idle(wire: Wire) -> bool:
    """Whether each delivery is over or waits for its time."""
    deliveries = wire.simulator.account.deliveries.values()
    return all(one.due is None or one.due > wire.simulator.clock.now() for one in deliveries)


async def test_ten_failures_in_a_row_disable_a_webhook_and_an_update_enables_it() -> None:
    async with receiving() as receiver:
        receiver.answer = lambda _number: 404
        async with connect(scenario(receiver)) as wire:
            await run(wire)
            await over(wire)
            still_on = await hook(wire)
            await run(wire)
            log = await over(wire)
            off = await hook(wire)
            await run(wire)
            silent = await over(wire)
            receiver.answer = lambda _number: 202
            values = {
                "enabled": True,
                "endpoint": receiver.url,
                "name": "hook",
                "space": "root",
                "labels": [],
            }
            await wire.data(UPDATE, id="hook", input=values)
            await run(wire)
            last = await over(wire)
            on = await hook(wire)

    assert (still_on["enabled"], still_on["failures"]) == (True, 6)
    assert (off["enabled"], off["failures"]) == (False, 10)
    assert off["disabledAt"] is not None
    assert Counter(one["state"] for one in log) == {"failed": 10, "discarded": 2}
    assert len(silent) == len(log)
    assert [one["state"] for one in last[len(log) :]] == ["delivered"] * 6
    assert (on["enabled"], on["failures"], on["disabledAt"]) == (True, 0, None)


async def test_one_success_begins_the_count_anew() -> None:
    async with receiving() as receiver:
        receiver.answer = lambda number: 202 if number == 9 else 404
        async with connect(scenario(receiver)) as wire:
            await run(wire)
            await run(wire)
            await run(wire)
            await over(wire)
            shown = await hook(wire)

    assert (shown["enabled"], shown["failures"]) == (True, 9)


async def test_an_endpoint_that_is_not_there_or_hangs_counts_as_failed() -> None:
    async with receiving() as receiver:
        gone = "http://127.0.0.1:9/nothing"
        hanging = {"endpoint": receiver.url, "kind": "stack", "stack": "b"}
        document = scenario(receiver, behavior={"timeout": 0.2}, webhook={"endpoint": gone})
        document["webhooks"].append(hanging)
        receiver.may_answer.clear()
        async with connect(document) as wire:
            await run(wire, "b")
            log = await over(wire)

    errors = {one["webhook"] == "hook": one["attempts"][0]["error"] for one in log}
    assert {one["state"] for one in log} == {"failed"}
    assert "ClientConnectorError" in errors[True]
    assert errors[False] == "timeout"


async def test_a_receiver_that_hangs_slows_neither_answers_nor_the_end() -> None:
    async with receiving() as receiver:
        receiver.may_answer.clear()
        loop = asyncio.get_running_loop()
        behavior = {"concurrency": 8, "timeout": 120}
        async with connect(scenario(receiver, behavior=behavior)) as wire:
            for _ in range(5):
                await run(wire)
            await waiting.eventually(lambda: receiver.open_requests == 8, what="eight hang")
            began = loop.time()
            pending = wire.simulator.outbox.waiting
        ended_after = loop.time() - began

    assert pending == 30
    assert ended_after < 30  # the requests would hang for two minutes


# -- behavior -------------------------------------------------------------------------------------


async def fates(behavior: dict[str, Any], *, runs: int = 10) -> tuple[list[str], Receiver]:
    """Let runs go by; gives the states of all deliveries by number, and the receiver."""
    async with receiving() as receiver, connect(scenario(receiver, behavior=behavior)) as wire:
        for _ in range(runs):
            await run(wire)
        log = await over(wire)
    return [one["state"] for one in log], receiver


async def test_dropped_deliveries_are_in_the_log_only_and_the_seed_chooses_them() -> None:
    first, receiver = await fates({"drop": 0.3, "seed": 7})
    again, _ = await fates({"drop": 0.3, "seed": 7})
    other, _ = await fates({"drop": 0.3, "seed": 8})

    dropped = first.count("dropped")
    assert 8 <= dropped <= 28
    assert len(receiver.requests) == 60 - dropped
    assert first == again
    assert first != other


async def test_doubled_deliveries_come_twice_with_the_same_bytes() -> None:
    _, receiver = await fates({"duplicate": 0.3, "seed": 7})

    times = Counter(request.body for request in receiver.requests)
    assert set(times.values()) == {1, 2}
    assert len(times) == 60


async def test_reordered_deliveries_all_come_but_not_in_their_order() -> None:
    async with receiving() as receiver:
        behavior = {"reorder": 0.3, "reorderSeconds": 60, "seed": 7}
        async with connect(scenario(receiver, behavior=behavior, clock="virtual")) as wire:
            await wire.login()
            for _ in range(5):
                await wire.trigger("a")
            await wire.admin("POST", "/clock", {"advance": 120})
            log = await over(wire)

    sent = [one["body"].encode() for one in log]
    came = [request.body for request in receiver.requests]
    assert came != sent
    assert sorted(came) == sorted(sent)


async def test_a_delay_passes_by_the_virtual_clock() -> None:
    async with receiving() as receiver:
        document = scenario(receiver, behavior={"delay": 3600}, clock="virtual")
        async with connect(document) as wire:
            await wire.login()
            run_id = await wire.trigger("a")
            await wire.admin("POST", "/clock", {"advance": 3599})
            await waiting.stays(lambda: not receiver.requests, 0.1)
            due = (await wire.admin("GET", "/clock"))["nextDue"]
            await wire.admin("POST", "/clock", {"toNext": True})
            await receiver.until(6)

    created = wire.simulator.account.runs[run_id].created_at
    assert due == created + 3600
    assert receiver.states == NO_OP


@pytest.mark.parametrize("spread", ["normal", "heavy-tail"])
async def test_delays_can_scatter(spread: str) -> None:
    async with receiving() as receiver:
        behavior = {"delay": 100, "spread": spread}
        async with connect(scenario(receiver, behavior=behavior, clock="virtual")) as wire:
            await wire.login()
            for _ in range(5):
                await wire.trigger("a")
            log = (await wire.admin("GET", "/deliveries"))["deliveries"]

    delays = {round(one["due"] - one["createdAt"], 3) for one in log}
    assert len(delays) > 3
    assert all(delay > 0 for delay in delays)


async def test_a_burst_comes_all_at_once() -> None:
    async with receiving() as receiver:
        document = scenario(
            receiver, behavior={"burstEvery": 60}, clock="virtual", start=1_800_000_001
        )
        receiver.may_answer.clear()
        async with connect(document) as wire:
            await wire.login()
            for _ in range(5):
                await wire.trigger("a")
            await wire.admin("POST", "/clock", {"advance": 58})
            await waiting.stays(lambda: not receiver.requests, 0.1)
            await wire.admin("POST", "/clock", {"advance": 1})
            await waiting.eventually(lambda: receiver.open_requests == 30, what="all are open")
            receiver.may_answer.set()
            log = await over(wire)

    assert {one["state"] for one in log} == {"delivered"}


async def test_some_deliveries_come_once_more_hours_later() -> None:
    async with receiving() as receiver:
        behavior = {"replay": 0.3, "replaySeconds": 7200, "seed": 7}
        async with connect(scenario(receiver, behavior=behavior, clock="virtual")) as wire:
            await wire.login()
            for _ in range(5):
                await wire.trigger("a")
            await wire.admin("POST", "/clock", {"advance": 1})
            await receiver.until(30)
            await waiting.stays(lambda: len(receiver.requests) == 30, 0.1)
            await wire.admin("POST", "/clock", {"advance": 7200})
            log = await over(wire)

    again = [one["body"].encode() for one in log if one["replayOf"]]
    assert 3 <= len(again) <= 15
    assert [request.body for request in receiver.requests[30:]] == again


async def test_a_replay_sends_what_was_sent_and_only_that() -> None:
    async with receiving() as receiver:
        document = scenario(receiver, behavior={"drop": 0.3, "duplicate": 0.3, "seed": 7})
        async with connect(document) as wire:
            first = await run(wire, "a")
            second = await run(wire, "b")
            before = await over(wire)
            sent = [one for one in before if one["attempts"] and not one["duplicateOf"]]
            count = len(receiver.requests)
            answer = await wire.admin("POST", "/deliveries/replay", {"run": second})
            one_run = await over(wire)
            await wire.admin("POST", "/deliveries/replay", {"webhook": "hook"})
            log = await over(wire)

    replayed = [one for one in log if one["replayOf"]]
    runs = Counter(one["run"] for one in one_run[len(before) :])
    assert runs == {second: sum(one["run"] == second for one in sent)}
    assert len(answer["deliveries"]) == runs[second]
    assert [one["body"] for one in replayed[runs[second] :]] == [one["body"] for one in sent]
    assert len(receiver.requests) == count + len(replayed)
    assert {one["run"] for one in sent} == {first, second}


async def test_a_run_can_end_with_a_stale_version() -> None:
    behavior = {"staleVersions": 1}
    async with receiving() as receiver, connect(scenario(receiver, behavior=behavior)) as wire:
        await run(wire)
        log = await over(wire)

    versions = [request.document["stateVersion"] for request in receiver.requests]
    assert versions == [0, 1, 2, 3, 4, 4] == [one["stateVersion"] for one in log]
    assert receiver.states == NO_OP


async def test_delivery_behavior_changes_one_by_one_and_refuses_nonsense() -> None:
    async with receiving() as receiver, connect(scenario(receiver)) as wire:
        await wire.admin("PATCH", "/deliveries/behavior", {"drop": 0.5})
        behavior = await wire.admin("PATCH", "/deliveries/behavior", {"delay": 2})
        wrong = await wire.admin("PATCH", "/deliveries/behavior", {"drop": 2}, status=400)
        unknown = await wire.admin("PATCH", "/deliveries/behavior", {"lose": 1}, status=400)

    assert (behavior["drop"], behavior["delay"]) == (0.5, 2)
    assert wrong["error"].startswith("drop:")
    assert unknown["error"].startswith("lose: no such key")


async def test_a_policy_payload_can_be_another_one_and_leave_states_out() -> None:
    behavior = {
        "policyPayload": {"id": "run_updated.run.id", "steps": "count(run_updated.timing)"},
        "policySkips": NO_OP[:5],
    }
    async with receiving() as receiver:
        document = scenario(receiver, behavior=behavior, webhook={"policy": "documented"})
        async with connect(document) as wire:
            run_id = await run(wire)
            await over(wire)

    assert [request.document for request in receiver.requests] == [{"id": run_id, "steps": 5}]


# -- the log, and state --------------------------------------------------------------------------


async def test_the_log_is_filtered_paged_and_emptied() -> None:
    async with receiving() as receiver, connect(scenario(receiver)) as wire:
        first = await run(wire, "a")
        await run(wire, "b")
        await over(wire)
        by_run = await wire.admin("GET", f"/deliveries?run={first}")
        by_stack = await wire.admin("GET", "/deliveries?stack=b&state=delivered")
        page = await wire.admin("GET", "/deliveries?after=2&limit=3")
        none = await wire.admin("GET", "/deliveries?webhook=other")
        await wire.admin("DELETE", "/deliveries")
        left = await wire.admin("GET", "/deliveries")

    assert {one["run"] for one in by_run["deliveries"]} == {first}
    assert len(by_stack["deliveries"]) == 6
    assert [one["number"] for one in page["deliveries"]] == [3, 4, 5]
    assert none["deliveries"] == left["deliveries"] == []


async def test_the_log_is_bounded() -> None:
    async with receiving() as receiver, connect(scenario(receiver, behavior={"drop": 1})) as wire:
        await wire.login()
        account, dispatch = wire.simulator.account, wire.simulator.dispatch
        run_id = await run(wire)
        record = account.runs[run_id]
        for _ in range(KEPT + 2000):
            dispatch.run_changed(record, record.history[-1])
        numbers = [delivery.number for delivery in account.deliveries.values()]

    assert KEPT <= len(numbers) <= KEPT + 1000
    assert numbers == list(range(numbers[0], KEPT + 2000 + 7))


async def test_what_is_on_its_way_survives_a_snapshot() -> None:
    async with receiving() as receiver:
        document = scenario(receiver, behavior={"delay": 60}, clock="virtual")
        async with connect(document) as wire:
            await wire.login()
            await wire.trigger("a")
            snapshot = await wire.admin("GET", "/snapshot")
            await wire.admin("POST", "/reset", {})
            await wire.admin("POST", "/clock", {"advance": 61})
            await waiting.stays(lambda: not receiver.requests, 0.1)
            await wire.admin("POST", "/restore", snapshot)
            await wire.admin("POST", "/clock", {"advance": 60})
            await receiver.until(6)
            numbers = [one["number"] for one in await over(wire)]
            behavior = await wire.admin("GET", "/deliveries/behavior")

    assert receiver.states == NO_OP
    assert numbers == [1, 2, 3, 4, 5, 6]
    assert behavior["delay"] == 60


async def test_a_killed_simulator_sends_after_its_restart_what_was_not_taken(
    tmp_path: Path,
) -> None:
    state = ("--state-file", str(tmp_path / "state"))
    async with receiving() as receiver:
        receiver.may_answer.clear()
        async with simulator(tmp_path, *state) as (process, ready):
            await post(ready, "/webhooks", {"endpoint": receiver.url, "secret": "s"})
            token = await login(ready["url"])
            await ask_process(ready["url"], TRIGGER, token, s="a")
            await receiver.until(1)
            process.kill()
            await process.wait()
        before = receiver.requests[0].body
        receiver.may_answer.set()

        async with simulator(tmp_path, *state):
            await receiver.until(2)

    assert receiver.requests[1].body == before
    assert json.loads(before)["state"] == "QUEUED"


async def post(ready: Any, path: str, body: Any) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(ready["admin_url"] + path, json=body) as answer,
    ):
        assert answer.status == 200, await answer.text()

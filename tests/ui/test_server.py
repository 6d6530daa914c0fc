"""The page's server over real HTTP on loopback: who gets in, and what viewers are sent."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from controller.kube import chain_watch, errors
from controller.ui import page_server
from tests.support.waiting import eventually
from tests.ui import page, samples
from tests.ui.viewers import origin, streaming, viewer

PLATFORM = "api/stream?namespace=platform&name=platform"


# -- Who gets in ---------------------------------------------------------------------------------


async def test_the_address_lets_one_browser_in_and_no_other() -> None:
    async with page.serving(page.FakeWatch()) as server:
        address = server.address("namespace=a&chain=b%22%3E")
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as first:
            async with first.get(address) as answer:
                body, cookie = await answer.text(), answer.headers["Set-Cookie"]
            async with first.get(address) as again:
                second_tab = again.status
            async with first.get(origin(server.address())) as answer:
                shown = await answer.text()
        async with aiohttp.ClientSession() as other, other.get(address) as answer:
            refused = answer.status

    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "/?namespace=a&amp;chain=b%22%3E" in body
    assert "token" not in body
    assert "<stackchain-app>" in shown
    assert (second_tab, refused) == (200, 401)


@pytest.mark.parametrize("path", ["", "api/session", "api/stream", "api/events", "assets/x.js"])
async def test_nothing_is_served_without_the_cookie(path: str) -> None:
    async with page.serving(page.FakeWatch([samples.platform()])) as server:
        for headers in ({}, {"Cookie": f"stackchain-{server.address().split(':')[2][:5]}=guess"}):
            async with (
                aiohttp.ClientSession(headers=headers) as session,
                session.get(f"{origin(server.address())}/{path}") as answer,
            ):
                assert answer.status == 401
                assert "platform" not in await answer.text()


async def test_a_wrong_token_is_refused_and_does_not_use_the_right_one_up() -> None:
    async with page.serving(page.FakeWatch()) as server, aiohttp.ClientSession() as session:
        for token in ("", "x", "\u00fc", "x" * 5000):
            async with session.get(
                f"{origin(server.address())}/", params={"token": token}
            ) as answer:
                assert answer.status == 401
        async with session.head(server.address()) as answer:
            assert answer.status == 401
        async with session.get(server.address()) as answer:
            assert answer.status == 200


FOREIGN = [
    {"Host": "evil.example.com"},
    {"Host": "127.0.0.1"},
    {"Host": "127.0.0.1.nip.io:1"},
    {"Origin": "https://evil.example.com"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=lambda headers: " ".join(headers.values()))
async def test_another_host_name_or_site_is_refused_whatever_cookie_it_brings(
    headers: dict[str, str],
) -> None:
    async with (
        page.serving(page.FakeWatch([samples.platform()])) as server,
        viewer(server.address()) as session,
    ):
        async with session.get(
            f"{origin(server.address())}/api/session", headers=headers
        ) as answer:
            refused = answer.status
        async with session.post(f"{origin(server.address())}/", headers=headers) as answer:
            posted = answer.status
        async with session.get(f"{origin(server.address())}/api/session") as answer:
            own = answer.status

    assert (refused, posted, own) == (403, 403, 200)


async def test_each_answer_forbids_what_is_not_the_pages_own() -> None:
    async with page.serving(page.FakeWatch()) as server, viewer(server.address()) as session:
        for path in ("", "icon.svg", "nothing", "api/session", "api/stream"):
            async with session.get(f"{origin(server.address())}/{path}") as answer:
                assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
                assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["../page_server.py", "%2e%2e/page_server.py", "assets", "a%00b"])
async def test_only_files_of_the_bundle_are_served(path: str) -> None:
    async with (
        page.serving(page.FakeWatch()) as server,
        viewer(server.address()) as session,
        session.get(f"{origin(server.address())}/{path}") as answer,
    ):
        assert answer.status in (400, 404)


async def test_it_listens_on_loopback_alone() -> None:
    async with page.serving(page.FakeWatch()) as server:
        assert server.address().startswith("http://127.0.0.1:")
        assert server._http is not None
        assert [one.getsockname()[0] for one in server._http._sockets] == ["127.0.0.1"]


# -- What viewers are sent -----------------------------------------------------------------------


async def test_a_viewer_is_sent_all_chains_then_what_changes() -> None:
    watch = page.FakeWatch(samples.all_kinds())
    async with (
        page.serving(watch) as server,
        viewer(server.address()) as session,
        streaming(session, server.address()) as stream,
    ):
        first = await stream.next()
        rows = await stream.until("chains")
        watch.put(samples.platform({"network": "Running"}, version=2, phase="Running"))
        changed = await stream.until("chain")
        watch.remove(samples.platform())
        gone = await stream.until("gone")

    assert first[0] == "hello"
    assert len(rows) == len(watch.bodies) + 1
    assert (changed["summary"]["running"], changed["summary"]["pending"]) == (1, 11)
    assert gone == {"namespace": "platform", "name": "platform"}


async def test_of_a_chain_that_is_looked_at_only_stacks_that_changed_are_sent() -> None:
    watch = page.FakeWatch([samples.large(500)])
    path = "api/stream?namespace=platform&name=fleet-500"
    async with (
        page.serving(watch) as server,
        viewer(server.address()) as session,
        streaming(session, server.address(), path) as stream,
    ):
        detail = await stream.until("detail")
        body = samples.large(500, version=2)
        body["status"]["stacks"][300]["phase"] = "Running"
        watch.put(body)
        change = await stream.until("change")

    assert len(detail["resource"]["status"]["stacks"]) == 500
    assert [stack["phase"] for stack in change["stacks"]] == ["Running"]
    assert len(json.dumps(change)) < 24_000


async def test_a_chain_that_is_not_there_is_missing_until_it_comes() -> None:
    watch = page.FakeWatch()
    async with (
        page.serving(watch) as server,
        viewer(server.address()) as session,
        streaming(session, server.address(), PLATFORM) as stream,
    ):
        await stream.until("missing")
        watch.put(samples.platform())
        await stream.until("detail")
        watch.remove(samples.platform())
        await stream.until("missing")
        other = samples.platform(version=9)
        other["metadata"]["uid"] = "another"
        watch.put(other)
        detail = await stream.until("detail")

    assert detail["resource"]["metadata"]["uid"] == "another"


async def test_an_api_server_that_goes_away_is_told_and_comes_back() -> None:
    watch = page.FakeWatch([samples.platform()])
    async with (
        page.serving(watch) as server,
        viewer(server.address()) as session,
        streaming(session, server.address(), PLATFORM) as stream,
    ):
        await stream.until("detail")
        watch.fail(errors.ApiUnreachable("refused"))
        problem = await stream.until("problem")
        watch.put(samples.platform({"network": "Running"}, version=2))
        watch.failure = None
        solved = await stream.until("problem")
        change = await stream.until("change")

    assert "does not answer" in problem["text"]
    assert solved == {"text": ""}
    assert "network" in [stack["id"] for stack in change["stacks"]]


async def test_a_viewer_for_whom_nothing_is_new_is_sent_beats_however_much_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(page_server, "_HEARTBEAT_SECONDS", 1.0)
    watch = page.FakeWatch([samples.platform()])

    async def keep_changing() -> None:
        for version in range(2, 1000):
            # The list shows none of it.
            watch.put(samples.platform(version=version))
            await asyncio.sleep(0.1)

    async with (
        page.serving(watch) as server,
        viewer(server.address()) as session,
        streaming(session, server.address()) as stream,
    ):
        await stream.until("chains")
        changing = asyncio.create_task(keep_changing())
        async with asyncio.timeout(20):
            found, _ = await stream.next()
        changing.cancel()

    assert found == "beat"


async def test_viewers_share_one_watch_and_one_that_leaves_makes_room() -> None:
    watch = page.FakeWatch([samples.platform()])
    async with page.serving(watch) as server, viewer(server.address()) as session:
        async with contextlib.AsyncExitStack() as viewers:
            for _ in range(page_server.MOST_STREAMS_OF_VIEWER):
                stream = await viewers.enter_async_context(streaming(session, server.address()))
                await stream.until("chains")
            async with session.get(f"{origin(server.address())}/api/stream") as answer:
                refused = answer.status
        await eventually(lambda: server.source.streams < page_server.MOST_STREAMS_OF_VIEWER)

    assert refused == 429
    assert watch.lists == 1


async def test_hostile_text_is_sent_as_it_is_and_ends_no_event() -> None:
    watch = page.FakeWatch([samples.hostile()])
    async with page.serving(watch) as server, viewer(server.address()) as session:
        path = "api/stream?namespace=platform&name=hostile"
        async with streaming(session, server.address(), path) as stream:
            detail = await stream.until("detail")

    assert detail["resource"]["status"]["stacks"][0]["id"] == samples.HOSTILE


async def test_5000_chains_are_listed() -> None:
    stack = [samples.stack("a", "Succeeded")]
    bodies = [
        samples.chain(f"chain-{place}", stack, ready=("True", "RunSucceeded", "Done."))
        for place in range(5000)
    ]
    watch = page.FakeWatch(bodies)
    async with page.serving(watch) as server, viewer(server.address()) as session:
        timeout = aiohttp.ClientTimeout(total=None)
        url = f"{origin(server.address())}/api/stream"
        headers = {"Accept-Encoding": "identity"}
        async with session.get(url, timeout=timeout, headers=headers) as answer:
            received = b""
            while b"event: chains\n" not in received or not received.endswith(b"\n\n"):
                received += await answer.content.readany()

    line = next(one for one in received.split(b"\n") if one.startswith(b"data: ["))
    assert len(json.loads(line.removeprefix(b"data: "))) == 5000


async def test_events_come_newest_first_or_say_why_not() -> None:
    async def list_events(namespace: str, uid: str) -> list[Any]:
        if uid == "uid-team-a-billing":
            raise page_server.EventsUnavailable("You may not.")
        return [{"reason": f"{namespace} {uid}"}]

    watch = page.FakeWatch(samples.all_kinds())
    async with page.serving(watch, list_events) as server, viewer(server.address()) as session:

        async def events(namespace: str, name: str) -> tuple[int, Any]:
            url = f"{origin(server.address())}/api/events"
            params = {"namespace": namespace, "name": name}
            async with session.get(url, params=params) as answer:
                return answer.status, await answer.json()

        found = await events("platform", "platform")
        refused = await events("team-a", "billing")
        missing = await events("team-a", "nobody")

    assert found == (200, {"events": [{"reason": "platform uid-platform-platform"}]})
    assert refused == (502, {"error": "You may not."})
    assert missing[0] == 404


class _SlowWatch(page.FakeWatch):
    """Lists nothing before it is released."""

    def __init__(self, bodies: list[page.Json]) -> None:
        super().__init__(bodies)
        self.released = asyncio.Event()

    async def changes(self) -> AsyncIterator[chain_watch.Listed | chain_watch.Seen]:
        await self.released.wait()
        async for change in super().changes():
            yield change


async def test_events_wait_until_the_chains_are_known_as_after_a_new_token() -> None:
    watch = _SlowWatch([samples.platform()])
    asked: list[str] = []

    async def list_events(_namespace: str, uid: str) -> list[Any]:
        asked.append(uid)
        return []

    async with page.serving(watch, list_events) as server, viewer(server.address()) as session:
        url = f"{origin(server.address())}/api/events?namespace=platform&name=platform"
        waiting = asyncio.create_task(session.get(url))
        await eventually(lambda: server.source.asked == 1 or waiting.done())
        watch.released.set()
        async with await waiting as answer:
            status = answer.status

    assert (status, asked) == (200, ["uid-platform-platform"])


@pytest.mark.parametrize("is_away", [True, False], ids=["away", "slow"])
async def test_events_of_chains_that_cannot_be_read_say_why_not(
    *, is_away: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_server, "_LIST_SECONDS", 60.0 if is_away else 0.01)
    watch = page.FakeWatch() if is_away else _SlowWatch([])
    watch.failure = errors.ApiUnreachable("refused")
    async with page.serving(watch) as server, viewer(server.address()) as session:
        url = f"{origin(server.address())}/api/events?namespace=platform&name=platform"
        async with session.get(url) as answer:
            status, text = answer.status, (await answer.json())["error"]

    assert status == 502
    assert ("does not answer" if is_away else "try again in a moment") in text

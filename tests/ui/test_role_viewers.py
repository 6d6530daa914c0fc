"""What the role keeps for its viewers, on an API server that answers as each test wants."""

import asyncio
import gc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import test_utils, web

from controller.config import settings
from controller.plugin import page_role
from controller.ui import page_server
from devenv import tools
from tests.support.waiting import eventually
from tests.ui import samples


class _ApiServer:
    """Lets everyone with a token look, but some only once they are released."""

    def __init__(self) -> None:
        self.reviewed: list[str] = []
        self.slow: set[str] = set()
        self.released = asyncio.Event()
        self.item: Any = samples.platform()

    async def review(self, request: web.Request) -> web.Response:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        self.reviewed.append(token)
        # Otherwise the connection would be closed, as the API server closes none.
        await request.read()
        if token.startswith("made-up"):
            return web.json_response({"kind": "Status", "message": "Unauthorized"}, status=401)
        if token in self.slow:
            await self.released.wait()
        return web.json_response({"kind": "X", "status": {"allowed": True}})

    async def chains(self, request: web.Request) -> web.StreamResponse:
        if "watch" not in request.query:
            listed = {"metadata": {"resourceVersion": "1"}, "items": [self.item]}
            return web.json_response(listed)
        response = web.StreamResponse()
        await response.prepare(request)
        await self.released.wait()
        return response


@pytest.fixture
async def api() -> _ApiServer:
    return _ApiServer()


@pytest.fixture
async def sources(api: _ApiServer, tmp_path: Path) -> AsyncIterator[page_role.ViewerSources]:
    app = web.Application()
    app.router.add_post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", api.review)
    app.router.add_get("/apis/stackchain.dev/v1alpha1/stackchains", api.chains)
    async with test_utils.TestServer(app) as server:
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": str(server.make_url("/"))}}],
            "users": [{"name": "u", "user": {}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
        (tmp_path / "config").write_text(yaml.safe_dump(document))
        kept = page_role.ViewerSources(
            settings.UiSettings(address="127.0.0.1:0"),
            settings.KubernetesSettings(kubeconfig=tmp_path / "config"),
        )
        # This process answers, too, and may get little of a busy machine.
        kept._server.request_timeout = 60.0
        yield kept
        await kept.close()
        api.released.set()


def asked(token: str) -> web.Request:
    return test_utils.make_mocked_request("GET", "/", headers={"Authorization": f"Bearer {token}"})


async def listed(sources: page_role.ViewerSources, token: str) -> page_server.PageSource:
    source = await sources.find(asked(token))
    await eventually(lambda: source.feed.is_listed)
    return source


async def test_nobody_waits_for_what_somebody_else_may_see(
    api: _ApiServer, sources: page_role.ViewerSources
) -> None:
    api.slow = {"slow"}
    waiting = [asyncio.create_task(sources.find(asked("slow"))) for _ in range(2)]
    await eventually(lambda: "slow" in api.reviewed)

    await sources.find(asked("quick"))

    assert not any(task.done() for task in waiting)
    api.released.set()
    one, other = await asyncio.gather(*waiting)
    # The tabs of one viewer share what is kept.
    assert one is other


async def test_a_viewer_who_goes_before_the_answer_leaves_nothing(
    api: _ApiServer, sources: page_role.ViewerSources
) -> None:
    """A connection that is left open would be reported, which fails a test."""
    api.slow = {"slow"}
    waiting = asyncio.create_task(sources.find(asked("slow")))
    await eventually(lambda: "slow" in api.reviewed)

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    api.released.set()
    assert (await sources.find(asked("slow"))).streams == 0


async def test_of_a_chain_that_two_viewers_see_one_description_is_held(
    sources: page_role.ViewerSources,
) -> None:
    """Otherwise each of 200 viewers would hold all chains of the cluster once more."""
    one, other = await listed(sources, "one"), await listed(sources, "other")

    key = ("platform", "platform")
    assert one is not other
    assert one.feed.detail(key) is not None
    assert one.feed.detail(key) is other.feed.detail(key)


async def test_what_is_no_longer_followed_is_followed_anew(
    api: _ApiServer, sources: page_role.ViewerSources
) -> None:
    good, api.item = api.item, {"kind": "X"}
    first = await sources.find(asked("one"))
    await eventually(lambda: sources._kept[next(iter(sources._kept))].following.done())
    api.item = good

    second = await listed(sources, "one")

    assert second is not first


async def test_the_answer_to_many_viewers_is_to_come_later(
    sources: page_role.ViewerSources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_role, "MOST_SOURCES", 1)
    first = await sources.find(asked("one"))

    with pytest.raises(page_server.PageRefused, match="Too many people"):
        await sources.find(asked("other"))
    assert await sources.find(asked("one")) is first


async def test_viewers_who_come_at_the_same_moment_are_no_more_than_there_is_room_for(
    sources: page_role.ViewerSources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_role, "MOST_SOURCES", 1)

    came = [sources.find(asked(name)) for name in ("one", "other")]
    found = await asyncio.gather(*came, return_exceptions=True)

    assert [isinstance(one, page_server.PageRefused) for one in found] == [False, True]
    assert len(sources._kept) == 1


async def test_those_who_come_at_once_get_the_place_of_one_whom_nobody_looks_at(
    sources: page_role.ViewerSources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_role, "MOST_SOURCES", 3)
    monkeypatch.setattr(page_role, "_LEAST_KEPT_SECONDS", -1.0)
    for name in ("one", "two", "three"):
        await sources.find(asked(name))

    came = [sources.find(asked(f"new-{place}")) for place in range(8)]
    found = await asyncio.gather(*came, return_exceptions=True)

    assert len(sources._kept) == 3
    assert [type(one) for one in found if isinstance(one, BaseException)] == [
        page_server.PageRefused
    ] * 5


async def test_what_is_given_up_meanwhile_does_not_end_the_giving_up(
    sources: page_role.ViewerSources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_role, "_IDLE_SECONDS", -1.0)
    monkeypatch.setattr(page_role, "_REAP_SECONDS", 0.01)
    first, second = await sources.find(asked("one")), await sources.find(asked("two"))
    kept = list(sources._kept.values())

    async def slow() -> None:
        # Another one makes room in the meantime.
        sources._kept.clear()
        await sources.find(asked("three"))

    monkeypatch.setattr(kept[0].kube, "close", slow)
    reaping = asyncio.create_task(sources.reap())
    await eventually(lambda: not sources._kept)

    assert first is not second
    assert not reaping.done()
    reaping.cancel()
    await kept[1].close()


async def test_one_whom_nobody_looks_at_makes_room(
    sources: page_role.ViewerSources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_role, "MOST_SOURCES", 1)
    monkeypatch.setattr(page_role, "_LEAST_KEPT_SECONDS", -1.0)
    first = await sources.find(asked("one"))

    second = await sources.find(asked("other"))
    second.streams += 1

    assert first is not second
    with pytest.raises(page_server.PageRefused, match="Too many people"):
        await sources.find(asked("one"))
    second.streams -= 1


async def test_a_refused_token_that_comes_again_costs_the_api_server_nothing(
    api: _ApiServer, sources: page_role.ViewerSources, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(20):
        with pytest.raises(page_server.PageRefused, match="login has ended"):
            await sources.find(asked("made-up"))
    cost = len(api.reviewed)
    monkeypatch.setattr(page_role, "_REFUSED_SECONDS", -1.0)
    with pytest.raises(page_server.PageRefused):
        await sources.find(asked("made-up-2"))
    with pytest.raises(page_server.PageRefused):
        await sources.find(asked("made-up-2"))

    assert (cost, len(api.reviewed)) == (1, 3)


async def test_a_thousand_made_up_tokens_leave_little_and_keep_nobody_out(
    api: _ApiServer, sources: page_role.ViewerSources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_role, "_MOST_REFUSED", 100)

    async def status_of(token: str) -> int:
        try:
            await sources.find(asked(token))
        except page_server.PageRefused as refused:
            return refused.status
        return 200

    found = await asyncio.gather(*(status_of(f"made-up-{place}") for place in range(1000)))
    gc.collect()

    assert set(found) == {401, 503}
    # Of viewers that come at once only that many wait; the others have to come again.
    assert len(api.reviewed) <= page_role.MOST_OPENING
    assert (len(sources._kept), len(sources._locks), len(sources._refused)) == (0, 0, 100)
    await listed(sources, "anna")


async def test_viewers_of_many_namespaces_have_so_many_watches_and_no_more(
    sources: page_role.ViewerSources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_role, "MOST_WATCHES", 1)
    await sources.find(asked("one"))

    with pytest.raises(page_server.PageRefused, match="Too many people"):
        await sources.find(asked("other"))


async def test_the_role_is_ready_once_its_page_is_served(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("{}")
    probes, page = (f"127.0.0.1:{tools.free_port()}" for _ in range(2))
    role = settings.load_ui_settings(
        {
            "HEALTH_ADDRESS": probes,
            "KUBECONFIG": str(tmp_path / "config"),
            "UI_ADDRESS": page,
            "UI_URL": "https://chains.example.com",
        }
    )
    serving = asyncio.create_task(page_role._serve(role))

    async def is_ready() -> bool:
        return await tools.http_status(f"http://{probes}/readyz") == 200

    await eventually(is_ready, 20, what="it is ready")
    assert await tools.http_status(f"http://{page}/") != 0
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)

"""What the page in a cluster sends to the API server: each viewer's own token, and nothing else."""

import asyncio
import gc
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import test_utils, web

from controller.config import settings
from controller.kube import chain_watch, errors, viewer_client

PATH = "/apis/stackchain.dev/v1alpha1/stackchains"


class _Server:
    """Answers as a test wants, and remembers what it was sent."""

    def __init__(self) -> None:
        self.headers: list[Any] = []
        self.answer: Any = web.json_response
        self.lines: list[bytes] = []
        self.released = asyncio.Event()

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.headers.append(request.headers.copy())
        if "watch" not in request.query:
            answer: web.StreamResponse = self.answer({"kind": "X", "metadata": {}, "items": []})
            answer.set_cookie("sticky", "one")
            return answer
        response = web.StreamResponse()
        await response.prepare(request)
        for line in self.lines:
            await response.write(line)
        await self.released.wait()
        return response


@pytest.fixture
async def server() -> _Server:
    return _Server()


@pytest.fixture
async def api(server: _Server, tmp_path: Path) -> AsyncIterator[viewer_client.ApiServer]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.take)
    async with test_utils.TestServer(app) as listening:
        api = at(str(listening.make_url("/")), tmp_path)
        yield api
        server.released.set()
        await api.close()


def at(url: str, folder: Path) -> viewer_client.ApiServer:
    """The server of a kubeconfig whose user may do everything."""
    user = {"token": "admin", "as": "root", "username": "u", "password": "p"}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    (folder / "config").write_text(yaml.safe_dump(document))
    kubernetes = settings.KubernetesSettings(kubeconfig=folder / "config")
    return viewer_client.ApiServer(kubernetes)


async def test_each_request_has_the_token_of_its_viewer_and_nothing_of_anybody_else(
    server: _Server, api: viewer_client.ApiServer
) -> None:
    for token in ("anna", "ben"):
        await viewer_client.ViewerClient(api, token).request("GET", PATH, query={"limit": "1"})

    assert [one["Authorization"] for one in server.headers] == ["Bearer anna", "Bearer ben"]
    others = {"Cookie", "Impersonate-User"}
    assert [others & set(one) for one in server.headers] == [set(), set()]


async def test_no_token_is_sent_to_where_an_answer_leads(
    server: _Server, api: viewer_client.ApiServer
) -> None:
    server.answer = lambda _: web.Response(status=307, headers={"Location": "/elsewhere"})

    with pytest.raises(errors.ApiUnreachable):
        await viewer_client.ViewerClient(api, "anna").request("GET", PATH)

    assert len(server.headers) == 1


async def test_no_token_is_sent_for_others_to_read(tmp_path: Path) -> None:
    api = at("http://api.example.com", tmp_path)

    with pytest.raises(errors.Denied, match="https://"):
        await viewer_client.ViewerClient(api, "anna").request("GET", PATH)

    await api.close()


async def test_where_the_api_server_is_is_read_again_when_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewer_client, "_KNOWN_SECONDS", -1.0)
    api = at("http://127.0.0.1:1", tmp_path)
    first = api.identity()
    second = api.identity()
    at("http://127.0.0.1:2", tmp_path)

    assert first is second
    assert api.identity().server.port == 2


@pytest.mark.parametrize("line", [b'{"type": "ADDED", "obj', b"[]\n", b"\xff\n"])
async def test_a_watch_that_breaks_is_an_api_server_that_is_away(
    server: _Server, api: viewer_client.ApiServer, line: bytes
) -> None:
    server.lines = [line]
    server.released.set()
    watch = viewer_client.ViewerClient(api, "anna").watch(
        PATH, query={"watch": "true"}, silence_seconds=60
    )

    with pytest.raises(errors.ApiUnreachable):
        await anext(watch)


async def test_between_events_nothing_is_held_of_them(
    server: _Server, api: viewer_client.ApiServer
) -> None:
    """Each of 200 viewers would hold a chain as it came, of which the page needs a tenth."""
    metadata = {"namespace": "a", "name": "b", "uid": "u", "resourceVersion": "2"}
    body = {"metadata": metadata, "status": {"of-this-test": {}}}
    server.lines = [json.dumps({"type": "ADDED", "object": body}).encode() + b"\n"]
    watch = chain_watch.ChainWatch(viewer_client.ViewerClient(api, "anna"), namespace=None)
    server.answer = lambda _: web.json_response({"metadata": {"resourceVersion": "1"}, "items": []})

    changes = watch.changes()
    await anext(changes)
    seen = await anext(changes)
    assert isinstance(seen, chain_watch.Seen)
    del seen, body
    waiting = asyncio.ensure_future(anext(changes))
    await asyncio.sleep(0)

    found = [one for one in gc.get_objects() if isinstance(one, dict) and "of-this-test" in one]
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert found == []


def test_the_role_loads_no_library_that_it_does_not_need() -> None:
    """They would take half of the memory that 20 viewers may."""
    program = "import sys; from controller import cli; from controller.plugin import page_role; "
    program += "print(*{name.partition('.')[0] for name in sys.modules})"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    large = {"httpx", "kopf", "kubernetes", "pydantic", "temporalio", "cryptography"}
    assert set(done.stdout.decode().split()) & large == set()

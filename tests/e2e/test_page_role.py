"""`stackchain ui` in a cluster: each viewer with their own token, on the real API server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import test_utils

from controller.config import settings
from controller.plugin import page_role
from devenv.control_plane import server
from tests.support import faulty_api
from tests.support import kube as kube_support
from tests.support import temporal as temporal_support
from tests.support.plugin import SPEC
from tests.support.waiting import eventually
from tests.ui import viewers

HOST = "chains.example.com"
LOOK = ("get", "list", "watch")
_RBAC = "/apis/rbac.authorization.k8s.io/v1"


class Cluster:
    """Two namespaces with a chain each, and people who may do something in them."""

    def __init__(self, kube: kube_support.KubeApi, names: tuple[str, str]) -> None:
        self._kube = kube
        self.names = names

    async def person(self, name: str, rights: Mapping[str, tuple[str, ...]]) -> str:
        """Return the token of someone who has verbs, by namespace."""
        home = self.names[0]
        path = f"/api/v1/namespaces/{home}/serviceaccounts"
        await self._kube.create(path, {"metadata": {"name": name}})
        for namespace, verbs in rights.items():
            await self.allow(name, namespace, verbs)
        body = {"spec": {"expirationSeconds": 3600}}
        answer = await self._kube.create(f"{path}/{name}/token", body)
        token: str = answer["status"]["token"]
        return token

    async def allow(self, name: str, namespace: str, verbs: tuple[str, ...]) -> None:
        path = f"{_RBAC}/namespaces/{namespace}"
        rule = {"apiGroups": ["stackchain.dev"], "resources": ["stackchains"], "verbs": verbs}
        await self._kube.create(f"{path}/roles", {"metadata": {"name": name}, "rules": [rule]})
        subject = {"kind": "ServiceAccount", "name": name, "namespace": self.names[0]}
        binding = {
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [subject],
        }
        await self._kube.create(f"{path}/rolebindings", binding)
        user = f"system:serviceaccount:{self.names[0]}:{name}"

        async def is_taken_in() -> bool:
            return all([await self._may(user, namespace, verb) for verb in verbs])

        await eventually(is_taken_in, what=f"the API server has taken in the Role of {name}")

    async def _may(self, user: str, namespace: str, verb: str) -> bool:
        asked = {
            "namespace": namespace,
            "verb": verb,
            "group": "stackchain.dev",
            "resource": "stackchains",
        }
        answer = await self._kube.create(
            "/apis/authorization.k8s.io/v1/subjectaccessreviews",
            {"spec": {"user": user, "resourceAttributes": asked}},
        )
        return bool(answer["status"]["allowed"])

    async def withdraw(self, name: str, namespace: str) -> None:
        await self._kube.delete(f"{_RBAC}/namespaces/{namespace}/rolebindings/{name}")


@pytest.fixture
async def cluster(kube: kube_support.KubeApi) -> AsyncIterator[Cluster]:
    names = (temporal_support.unique("one"), temporal_support.unique("two"))
    for name in names:
        await kube.create_namespace(name)
        await kube_support.StackChains(kube, name).create(f"chain-{name}", SPEC)
    yield Cluster(kube, names)
    for name in names:
        await kube.delete(f"/api/v1/namespaces/{name}")


@contextlib.asynccontextmanager
async def page(
    control_plane: server.ControlPlane, namespaces: tuple[str, ...] = (), *, anonymous: bool = False
) -> AsyncIterator[str]:
    """The page, behind a proxy that is not there; yields where it listens."""
    ui = settings.UiSettings(
        address="127.0.0.1:0",
        namespaces=namespaces,
        anonymous=anonymous,
    )
    # The role's own credentials may do everything, so anything it did with them would show.
    kubernetes = settings.KubernetesSettings(kubeconfig=control_plane.kubeconfig)
    async with page_role.serving(f"https://{HOST}", ui, kubernetes) as port:
        yield f"http://127.0.0.1:{port}"


@contextlib.asynccontextmanager
async def person(token: str | None, **headers: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A browser behind the proxy, which sends the token."""
    sent = {"Host": HOST, **({"Authorization": f"Bearer {token}"} if token else {}), **headers}
    async with aiohttp.ClientSession(headers=sent) as session:
        yield session


async def names_of(session: aiohttp.ClientSession, address: str) -> list[str]:
    async with viewers.streaming(session, address) as stream:
        return [row["name"] for row in await stream.until("chains")]


async def test_two_people_of_different_rights_see_different_namespaces(
    control_plane: server.ControlPlane, cluster: Cluster
) -> None:
    one, two = cluster.names
    tokens = [
        await cluster.person("anna", {one: LOOK}),
        await cluster.person("ben", {two: LOOK}),
        await cluster.person("both", {one: LOOK, two: LOOK}),
    ]
    async with page(control_plane, cluster.names) as address:
        seen = []
        for token in tokens:
            async with person(token) as session:
                seen.append(sorted(await names_of(session, address)))

    assert seen == [[f"chain-{one}"], [f"chain-{two}"], sorted([f"chain-{one}", f"chain-{two}"])]


async def test_an_administrator_sees_all_namespaces_and_others_by_the_names_they_may_read(
    control_plane: server.ControlPlane, cluster: Cluster
) -> None:
    one, two = cluster.names
    anna = await cluster.person("anna", {one: LOOK})
    async with page(control_plane) as address:
        async with person(control_plane.token) as session:
            everything = await names_of(session, address)
        async with person(anna) as session, session.get(f"{address}/api/session") as answer:
            refused = answer.status, (await answer.json())["error"]

    assert {f"chain-{one}", f"chain-{two}"} <= set(everything)
    assert refused[0] == 403
    assert "may not list and watch StackChains" in refused[1]


@pytest.mark.parametrize("token", [None, "guess", "a.b.c"])
@pytest.mark.parametrize("path", ["session", "stream", "events", "rights"])
async def test_without_a_token_that_the_api_server_takes_nothing_is_shown(
    control_plane: server.ControlPlane, cluster: Cluster, token: str | None, path: str
) -> None:
    async with page(control_plane, cluster.names) as address, person(token) as session:
        url = f"{address}/api/{path}?namespace={cluster.names[0]}&name=chain-{cluster.names[0]}"
        async with session.get(url) as answer:
            status, text = answer.status, await answer.text()

    assert status == 401
    assert "chain-" not in text


async def test_who_may_patch_asks_and_who_may_not_is_refused_by_the_api_server(
    control_plane: server.ControlPlane, kube: kube_support.KubeApi, cluster: Cluster
) -> None:
    one, _ = cluster.names
    chains = kube_support.StackChains(kube, one)
    looks = await cluster.person("looks", {one: LOOK})
    changes = await cluster.person("changes", {one: (*LOOK, "patch")})
    asked = {"namespace": one, "name": f"chain-{one}", "action": "Suspend", "run": 0}

    async def try_it(token: str, origin: str = f"https://{HOST}") -> tuple[Any, int]:
        async with person(token) as session:
            query = {"namespace": one, "name": asked["name"]}
            async with session.get(f"{address}/api/rights", params=query) as answer:
                rights = (await answer.json())["change"]
            headers = {"Origin": origin}
            async with session.post(f"{address}/api/ask", json=asked, headers=headers) as answer:
                return rights, answer.status

    async def is_suspended() -> bool:
        body = await chains.get(f"chain-{one}")
        return bool(body["spec"].get("suspend"))

    async with page(control_plane, cluster.names) as address:
        refused = await try_it(looks)
        foreign = await try_it(changes, origin="https://evil.example.com")
        before = await is_suspended()
        done = await try_it(changes)

    assert (refused, foreign, before) == ((False, 403), (True, 403), False)
    assert done == (True, 200)
    assert await is_suspended()


async def test_a_right_that_is_withdrawn_ends_what_is_shown(
    control_plane: server.ControlPlane, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = cluster.names
    anna = await cluster.person("anna", {one: LOOK})
    # The API server looks at rights when a watch starts, thus every few minutes.
    monkeypatch.setattr("controller.kube.chain_watch._WATCH_SECONDS", 2)
    async with (
        page(control_plane, (one,)) as address,
        person(anna) as session,
        viewers.streaming(session, address) as stream,
    ):
        rows = await stream.until("chains")
        await cluster.withdraw("anna", one)
        problem = await stream.until("problem")
        gone = await stream.until("gone")

    assert [row["name"] for row in rows] == [f"chain-{one}"]
    assert "may not list and watch" in problem["text"]
    assert gone["name"] == f"chain-{one}"


async def test_a_wall_screen_shows_what_the_service_account_sees_and_asks_for_nothing(
    control_plane: server.ControlPlane, kube: kube_support.KubeApi, cluster: Cluster
) -> None:
    one, _ = cluster.names
    asked = {"namespace": one, "name": f"chain-{one}", "action": "Suspend", "run": 0}
    async with page(control_plane, (one,), anonymous=True) as address:
        async with person(None) as session:
            shown = await names_of(session, address)
            headers = {"Origin": f"https://{HOST}"}
            async with session.post(f"{address}/api/ask", json=asked, headers=headers) as answer:
                refused = answer.status
            query = {"namespace": one, "name": asked["name"]}
            async with session.get(f"{address}/api/rights", params=query) as answer:
                rights = await answer.json()
        async with person("guess") as session, session.get(f"{address}/api/session") as answer:
            wrong = answer.status

    body = await kube_support.StackChains(kube, one).get(f"chain-{one}")
    assert shown == [f"chain-{one}"]
    assert (refused, rights, wrong) == (403, {"change": False}, 401)
    assert not body["spec"].get("suspend")


@pytest.mark.parametrize("host", ["127.0.0.1", "evil.example.com", f"{HOST}.evil.example.com"])
async def test_another_host_name_is_refused(
    control_plane: server.ControlPlane, cluster: Cluster, host: str
) -> None:
    async with (
        page(control_plane, cluster.names) as address,
        person(control_plane.token, Host=host) as session,
        session.get(f"{address}/") as answer,
    ):
        assert answer.status == 403


async def test_tabs_of_a_viewer_share_what_is_kept_and_it_is_given_up(
    control_plane: server.ControlPlane, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_role, "_IDLE_SECONDS", 0.0)
    monkeypatch.setattr(page_role, "_REAP_SECONDS", 0.2)
    one, two = cluster.names
    ui = settings.UiSettings(address="127.0.0.1:0", namespaces=(one, two))
    kubernetes = settings.KubernetesSettings(kubeconfig=control_plane.kubeconfig)
    sources = page_role.ViewerSources(ui, kubernetes)
    request = test_utils.make_mocked_request(
        "GET", "/", headers={"Authorization": f"bearer {control_plane.token}"}
    )
    first, second = await asyncio.gather(sources.find(request), sources.find(request))
    reaping = asyncio.create_task(sources.reap())
    await eventually(lambda: not sources._kept, timeout=60)
    reaping.cancel()
    await sources.close()

    assert first is second


def test_the_role_needs_its_address() -> None:
    with pytest.raises(settings.SettingsError) as raised:
        settings.load_ui_settings({})

    assert any("UI_URL" in problem for problem in raised.value.problems)


# -- What may fail -------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def page_behind(api: faulty_api.FaultyApi, namespace: str) -> AsyncIterator[str]:
    """The page, of which each request to the API server may be hit by a fault."""
    ui = settings.UiSettings(address="127.0.0.1:0", namespaces=(namespace,))
    kubernetes = settings.KubernetesSettings(kubeconfig=api.kubeconfig)
    async with page_role.serving(f"https://{HOST}", ui, kubernetes) as port:
        yield f"http://127.0.0.1:{port}"


async def test_viewers_see_that_the_api_server_is_away_and_then_what_they_missed(
    control_plane: server.ControlPlane,
    kube: kube_support.KubeApi,
    cluster: Cluster,
    tmp_path: Path,
) -> None:
    one, _ = cluster.names
    tokens = [await cluster.person(name, {one: LOOK}) for name in ("anna", "ben")]
    chains = kube_support.StackChains(kube, one)
    async with (
        faulty_api.FaultyApi(control_plane, tmp_path) as api,
        page_behind(api, one) as address,
        person(tokens[0]) as anna,
        person(tokens[1]) as ben,
        viewers.streaming(anna, address) as of_anna,
        viewers.streaming(ben, address) as of_ben,
    ):
        for stream in (of_anna, of_ben):
            await stream.until("chains")
        await api.refuse()
        problems = [await stream.until("problem") for stream in (of_anna, of_ben)]
        async with person("newcomer") as session, session.get(f"{address}/api/session") as answer:
            newcomer = answer.status, (await answer.json())["error"]
        await chains.create("new", SPEC)
        await api.listen()
        for stream in (of_anna, of_ben):
            await stream.until_solved()
        rows = [await stream.until("chain") for stream in (of_anna, of_ben)]

    assert ["does not answer" in problem["text"] for problem in problems] == [True, True]
    assert newcomer[0] == 502
    assert "does not answer" in newcomer[1]
    assert [row["name"] for row in rows] == ["new", "new"]


async def test_a_watch_that_has_expired_is_started_anew_and_nothing_is_missed(
    control_plane: server.ControlPlane,
    kube: kube_support.KubeApi,
    cluster: Cluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, _ = cluster.names
    anna = await cluster.person("anna", {one: LOOK})
    monkeypatch.setattr("controller.kube.chain_watch._WATCH_SECONDS", 1)
    async with (
        faulty_api.FaultyApi(control_plane, tmp_path) as api,
        page_behind(api, one) as address,
        person(anna) as session,
        viewers.streaming(session, address) as stream,
    ):
        await stream.until("chains")
        gone = faulty_api.Fault(method="GET", path="/stackchains$", status=410, count=1)
        api.faults.append(gone)
        await eventually(lambda: gone.hits)
        await kube_support.StackChains(kube, one).create("new", SPEC)
        row = await stream.until("chain")

    assert row["name"] == "new"


async def test_a_login_that_ends_is_said_and_a_new_one_goes_on(
    control_plane: server.ControlPlane,
    cluster: Cluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The proxy in front sends another token from the next request on."""
    one, _ = cluster.names
    tokens = [await cluster.person(name, {one: LOOK}) for name in ("old", "renewed")]
    monkeypatch.setattr("controller.kube.chain_watch._WATCH_SECONDS", 1)
    async with faulty_api.FaultyApi(control_plane, tmp_path) as api, page_behind(api, one) as page:
        async with person(tokens[0]) as session, viewers.streaming(session, page) as stream:
            await stream.until("chains")
            api.faults.append(faulty_api.Fault(status=401))
            # Which never comes: the stream ends, and the page asks why.
            with pytest.raises(EOFError):
                await stream.until("end")
            async with session.get(f"{page}/api/session") as answer:
                ended = answer.status, (await answer.json())["error"]
            api.faults.clear()
        async with person(tokens[1]) as session:
            shown = await names_of(session, page)

    assert ended[0] == 401
    assert "Load the page again to log in" in ended[1]
    assert shown == [f"chain-{one}"]


async def test_a_chain_that_is_deleted_while_it_is_looked_at_is_missing(
    control_plane: server.ControlPlane, kube: kube_support.KubeApi, cluster: Cluster
) -> None:
    one, _ = cluster.names
    anna = await cluster.person("anna", {one: LOOK})
    path = f"api/stream?namespace={one}&name=chain-{one}"
    async with (
        page(control_plane, (one,)) as address,
        person(anna) as session,
        viewers.streaming(session, address, path) as stream,
    ):
        await stream.until("detail")
        await kube_support.StackChains(kube, one).delete(f"chain-{one}")
        await stream.until("missing")
        async with session.get(f"{address}/api/events?namespace={one}&name=chain-{one}") as answer:
            events = answer.status

    assert events == 404


async def test_one_page_too_many_is_refused_and_the_others_go_on(
    control_plane: server.ControlPlane,
    kube: kube_support.KubeApi,
    cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("controller.ui.page_server.MOST_STREAMS", 1)
    one, _ = cluster.names
    tokens = [await cluster.person(name, {one: LOOK}) for name in ("anna", "ben")]
    async with (
        page(control_plane, (one,)) as address,
        person(tokens[0]) as anna,
        viewers.streaming(anna, address) as stream,
    ):
        await stream.until("chains")
        async with person(tokens[1]) as ben, ben.get(f"{address}/api/stream") as answer:
            refused = answer.status, (await answer.json())["error"]
        await kube_support.StackChains(kube, one).create("new", SPEC)
        row = await stream.until("chain")

    assert refused[0] == 503
    assert "Too many people are viewing this page right now" in refused[1]
    assert row["name"] == "new"

"""What viewers ask for on the page, over real HTTP: who may, what is said, what is written."""

from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest

from controller.kube import errors
from tests.ui import page, samples
from tests.ui.viewers import origin, streaming, viewer

Answer = tuple[int, Any]


class Asking:
    """A browser that asks."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self._session = session
        self.base = origin(address)

    async def post(self, path: str, headers: Mapping[str, str] = {}, **document: Any) -> Answer:
        whole = {"namespace": "platform", "name": "platform", **document}
        url = f"{self.base}/api/{path}"
        sent = {"Origin": self.base, **headers}
        async with self._session.post(url, json=whole, headers=sent) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, await (answer.json() if is_json else answer.text())


FAILED = {"network": "Succeeded", "cluster": "Failed"}


async def test_the_dialog_says_what_a_retry_does_and_the_button_asks_for_it() -> None:
    watch = page.FakeWatch([samples.platform(FAILED, phase="Failed")])
    kube = page.FakeApiServer(watch)
    async with page.serving(watch, kube=kube) as server, viewer(server.address()) as session:
        asking = Asking(session, server.address())
        status, shown = await asking.post("preview", action="Retry")
        before = list(kube.patches)
        asked = await asking.post("ask", action="Retry", run=shown["run"])

    again = next(one["stacks"] for one in shown["lists"] if one["title"] == "Run again")
    assert status == 200
    assert "cluster" in again
    assert "network" not in again
    assert shown["command"] == "kubectl stackchain retry platform 7 --context kind -n platform"
    assert (shown["dangerous"], shown["changes"], before) == (False, True, [])
    assert asked[0] == 200
    assert asked[1]["messages"][0] == "Requested a retry of run 7 of platform."
    assert [one["metadata"]["annotations"] for one in kube.patches] == [
        {"stackchain.dev/retry": "7"}
    ]


@pytest.mark.parametrize(
    ("phase", "document", "messages"),
    [
        ("Failed", {"action": "Retry"}, []),
        ("Running", {"action": "Retry", "stacks": ["cluster"]}, []),
        ("Failed", {"action": "Bypass", "stacks": ["cluster"]}, []),
        ("Running", {"action": "Run"}, ["The new run starts when run 7 has ended."]),
        ("Failed", {"action": "Run"}, []),
    ],
)
async def test_the_dialog_repeats_no_list_in_words(
    phase: str, document: dict[str, Any], messages: list[str]
) -> None:
    watch = page.FakeWatch([samples.platform(FAILED, phase=phase)])
    async with page.serving(watch) as server, viewer(server.address()) as session:
        status, shown = await Asking(session, server.address()).post("preview", **document)

    assert status == 200
    assert shown["messages"] == messages
    assert all(one["stacks"] for one in shown["lists"])


WRITTEN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "retry of one stack": (
        {"action": "Retry", "stacks": ["cluster"]},
        {"metadata": {"annotations": {"stackchain.dev/retry": "7: cluster"}}},
    ),
    "bypass": (
        {"action": "Bypass", "stacks": ["cluster"]},
        {"metadata": {"annotations": {"stackchain.dev/bypass": "7: cluster"}}},
    ),
    "suspend": ({"action": "Suspend"}, {"spec": {"suspend": True}}),
    "parallelism": ({"action": "Parallelism", "parallelism": 3}, {"spec": {"parallelism": 3}}),
}


@pytest.mark.parametrize("case", WRITTEN)
async def test_what_is_asked_for_is_written_as_the_command_writes_it(case: str) -> None:
    document, changes = WRITTEN[case]
    watch = page.FakeWatch([samples.platform(FAILED, phase="Failed")])
    kube = page.FakeApiServer(watch)
    async with page.serving(watch, kube=kube) as server, viewer(server.address()) as session:
        status, _ = await Asking(session, server.address()).post("ask", run=7, **document)

    assert (status, kube.patches) == (200, [changes])


REFUSED: dict[str, tuple[int, dict[str, Any]]] = {
    "makes no sense now": (409, {"action": "Cancel", "run": 7}),
    "another run has started": (409, {"action": "Retry", "run": 6}),
    "another run has started, for a run": (409, {"action": "Run", "run": 6}),
    "the viewer saw no run": (400, {"action": "Retry"}),
    "no such chain": (403, {"action": "Retry", "run": 7, "name": "other"}),
    "no such action": (400, {"action": "Delete", "run": 7}),
    "no stack named": (400, {"action": "Bypass", "run": 7}),
    "unknown stack": (409, {"action": "Bypass", "run": 7, "stacks": ["nothing"]}),
    "not a stack": (400, {"action": "Bypass", "run": 7, "stacks": ["a b"]}),
    "not a list": (400, {"action": "Bypass", "run": 7, "stacks": "cluster"}),
    "too parallel": (400, {"action": "Parallelism", "run": 7, "parallelism": 501}),
    "not parallel": (400, {"action": "Parallelism", "run": 7, "parallelism": 0}),
    "not a number": (400, {"action": "Parallelism", "run": 7, "parallelism": "3"}),
    "a truth for a number": (400, {"action": "Retry", "run": True}),
    "not a name": (400, {"action": "Retry", "run": 7, "name": "../platform"}),
    "not a namespace": (400, {"action": "Retry", "run": 7, "namespace": "a/../b"}),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_cannot_be_asked_for_is_refused_with_the_reason(case: str) -> None:
    wanted, document = REFUSED[case]
    watch = page.FakeWatch([samples.platform(FAILED, phase="Failed")])
    kube = page.FakeApiServer(watch)
    async with page.serving(watch, kube=kube) as server, viewer(server.address()) as session:
        status, answer = await Asking(session, server.address()).post("ask", **document)

    assert (status, kube.patches) == (wanted, [])
    assert answer["error"]


async def test_destroy_needs_the_name_of_the_chain() -> None:
    watch = page.FakeWatch([samples.destroying(name="platform")])
    kube = page.FakeApiServer(watch)
    async with page.serving(watch, kube=kube) as server, viewer(server.address()) as session:
        asking = Asking(session, server.address())
        _, shown = await asking.post("preview", action="Retry")
        refused = [
            await asking.post("ask", action=action, run=7, confirmation=typed, **more)
            for typed in ("", "platfor", "Platform")
            for action, more in (("Run", {}), ("Retry", {}), ("Bypass", {"stacks": ["cluster"]}))
        ]
        before = list(kube.patches)
        done, _ = await asking.post("ask", action="Retry", run=7, confirmation="platform")
        _, harmless = await asking.post("preview", action="Suspend")

    assert (shown["destroys"], shown["dangerous"], harmless["destroys"]) == (True, True, False)
    assert {status for status, _ in refused} == {400}
    assert (before, done, len(kube.patches)) == ([], 200, 1)


async def test_who_may_not_change_a_chain_is_told_so_and_writes_nothing() -> None:
    watch = page.FakeWatch([samples.platform(FAILED, phase="Failed")])
    kube = page.FakeApiServer(watch)
    async with page.serving(watch, kube=kube) as server, viewer(server.address()) as session:
        asking = Asking(session, server.address())

        async def rights() -> Any:
            params = {"namespace": "platform", "name": "platform"}
            async with session.get(f"{asking.base}/api/rights", params=params) as answer:
                return await answer.json()

        allowed = await rights()
        kube.may_change = False
        denied = await rights()
        status, answer = await asking.post("ask", action="Retry", run=7)

    assert (allowed, denied) == ({"change": True}, {"change": False})
    assert status == 403
    assert "may not patch" in answer["error"]
    assert kube.patches == []


async def test_an_api_server_that_is_away_is_named() -> None:
    watch = page.FakeWatch([samples.platform(FAILED, phase="Failed")])
    async with page.serving(watch) as server, viewer(server.address()) as session:
        watch.fail(errors.ApiUnreachable("refused"))
        status, answer = await Asking(session, server.address()).post("ask", action="Run", run=7)

    assert status == 502
    assert "does not answer" in answer["error"]


FOREIGN: dict[str, dict[str, str]] = {
    "another site": {"Origin": "https://evil.example.com"},
    "no site": {"Origin": "null"},
    "another port": {"Origin": "http://127.0.0.1:1"},
    "another host": {"Host": "evil.example.com"},
    "a site next to it": {"Sec-Fetch-Site": "same-site"},
    "no key": {"X-StackChain-Key": ""},
    "a wrong key": {"X-StackChain-Key": "guess"},
    "a form": {"Content-Type": "text/plain"},
}


@pytest.mark.parametrize("case", FOREIGN)
async def test_requests_of_others_change_nothing_though_the_browser_sends_its_cookie(
    case: str,
) -> None:
    watch = page.FakeWatch([samples.platform(FAILED, phase="Failed")])
    kube = page.FakeApiServer(watch)
    async with page.serving(watch, kube=kube) as server, viewer(server.address()) as session:
        asking = Asking(session, server.address())
        status, _ = await asking.post("ask", headers=FOREIGN[case], action="Retry", run=7)
        url = f"{asking.base}/api/ask"
        async with session.post(url, json={"action": "Retry"}) as answer:
            without_origin = answer.status

    assert status in (401, 403, 415)
    assert (without_origin, kube.patches) == (403, [])


async def test_the_key_is_given_once_and_not_to_whoever_has_the_cookie() -> None:
    watch = page.FakeWatch([samples.platform()])
    async with page.serving(watch) as server, viewer(server.address()) as session:
        async with session.get(server.address()) as answer:
            again = await answer.text()
        stolen = {"X-StackChain-Key": ""}
        statuses = []
        for path in ("session", "stream", "events", "rights"):
            url = f"{origin(server.address())}/api/{path}"
            async with session.get(url, headers=stolen) as answer:
                statuses.append(answer.status)

    assert "key=" not in again
    assert statuses == [401] * 4


async def test_what_is_asked_for_is_seen_by_whoever_looks() -> None:
    watch = page.FakeWatch([samples.platform(FAILED, phase="Failed")])
    path = "api/stream?namespace=platform&name=platform"
    async with (
        page.serving(watch) as server,
        viewer(server.address()) as session,
        streaming(session, server.address(), path) as stream,
    ):
        detail = await stream.until("detail")
        await Asking(session, server.address()).post("ask", action="Suspend", run=7)
        change = await stream.until("change")

    assert "Suspend" in detail["possible"]["actions"]
    assert detail["advice"]["cluster"]["actions"] == ["Retry", "Bypass"]
    assert "Resume" in change["detail"]["possible"]["actions"]
    assert "Suspend" not in change["detail"]["possible"]["actions"]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"["),
        ("application/json", b"[" * 100_000),
        ("application/json; charset=none-such", b"[]"),
        ("application/json", b"\xff"),
    ],
)
async def test_what_is_not_json_is_refused(content_type: str, body: bytes) -> None:
    watch = page.FakeWatch([samples.platform()])
    async with page.serving(watch) as server, viewer(server.address()) as session:
        base = origin(server.address())
        headers = {"Origin": base, "Content-Type": content_type}
        async with session.post(f"{base}/api/ask", data=body, headers=headers) as answer:
            status = answer.status

    assert status == 400

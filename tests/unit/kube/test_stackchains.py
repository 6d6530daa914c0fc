"""StackChains over a scripted API: what is asked, and what a caller gets.

Given: answers or errors by request. Asserted: requests and results.
"""

import weakref
from typing import Any

import pytest

from controller.kube import api_requests, errors, stackchains

Json = dict[str, Any]


class ScriptedApi:
    """Answers in order; a KubeError in the script is raised."""

    def __init__(self, *answers: Json | errors.KubeError) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[str, str, Json]] = []

    async def request(self, method: str, path: str, **arguments: Any) -> Json:
        self.requests.append((method, path, arguments))
        answer = self.answers.pop(0)
        if isinstance(answer, errors.KubeError):
            raise answer
        return answer


def page(*names: str, token: str = "") -> Json:
    return {"metadata": {"continue": token}, "items": [{"name": name} for name in names]}


async def patch(api: ScriptedApi) -> Json | None:
    return await stackchains.StackChains(api).patch_status(
        "team",
        "chain",
        uid="u1",
        resource_version="5",
        old_status={"a": 1},
        new_status={"a": 2},
    )


async def test_a_list_follows_its_pages_in_each_served_namespace() -> None:
    api = ScriptedApi(page("a", token="more"), page("b"), page("c"))
    ours = stackchains.StackChains(api, namespaces=["one", "two"])

    found = await ours.list()

    assert [item["name"] for item in found] == ["a", "b", "c"]
    assert [path for _, path, _ in api.requests] == [
        "/apis/stackchain.dev/v1alpha1/namespaces/one/stackchains",
        "/apis/stackchain.dev/v1alpha1/namespaces/one/stackchains",
        "/apis/stackchain.dev/v1alpha1/namespaces/two/stackchains",
    ]
    assert api.requests[1][2]["query"] == {"limit": "100", "continue": "more"}


async def test_a_list_whose_snapshot_expired_starts_again_without_doubles() -> None:
    api = ScriptedApi(page("a", token="old"), errors.Expired("410"), page("a"))

    found = await stackchains.StackChains(api).list()

    assert [item["name"] for item in found] == ["a"]


def uids(*found: str) -> Json:
    return {"metadata": {}, "items": [{"metadata": {"uid": uid}} for uid in found]}


async def test_one_namespace_that_cannot_be_listed_costs_the_others_nothing() -> None:
    api = ScriptedApi(errors.Denied("403"), uids("u1", "u2"), errors.NotServed("404"))
    ours = stackchains.StackChains(api, namespaces=["gone", "well", "odd"])

    assert await ours.list_uids() == ({"u1", "u2"}, {"gone", "odd"})
    assert all("PartialObjectMetadataList" in asked["accept"] for _, _, asked in api.requests)


class _Item(dict[str, Any]):
    """An item of a list that can be seen to go."""

    __hash__ = object.__hash__  # type: ignore[assignment]


class _PagesApi:
    """Serves pages, and counts the items of earlier pages that are still there at each request."""

    def __init__(self, pages: int, items: int) -> None:
        self._left, self._items = pages, items
        self._given: weakref.WeakSet[_Item] = weakref.WeakSet()
        self.kept: list[int] = []

    async def request(self, method: str, path: str, **_: Any) -> Json:
        self.kept.append(len(self._given))
        self._left -= 1
        items = [_Item(metadata={"uid": f"{self._left}-{i}"}) for i in range(self._items)]
        for item in items:
            self._given.add(item)
        return {"metadata": {"continue": "more" if self._left else ""}, "items": items}


async def test_of_many_resources_only_the_uids_are_kept_while_they_are_listed() -> None:
    api = _PagesApi(pages=20, items=10)

    found, _ = await stackchains.StackChains(api).list_uids()

    assert len(found) == 200
    # The page before is still there while the next one is requested.
    assert max(api.kept) <= 10


async def test_names_are_listed_without_what_the_resources_hold() -> None:
    page = {"metadata": {}, "items": [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]}
    api = ScriptedApi(page)

    assert await stackchains.StackChains(api, namespaces=["team"]).list_names() == ["a", "b"]
    assert all("PartialObjectMetadataList" in asked["accept"] for _, _, asked in api.requests)


async def test_all_namespaces_that_cannot_be_listed_are_no_empty_list() -> None:
    with pytest.raises(errors.ApiUnreachable):
        await stackchains.StackChains(ScriptedApi(errors.ApiUnreachable("away"))).list_uids()


async def test_a_status_is_one_merge_patch_onto_the_version_it_was_computed_from() -> None:
    api = ScriptedApi({"kind": "StackChain"})

    await patch(api)

    ((method, path, arguments),) = api.requests
    assert (method, path) == (
        "PATCH",
        "/apis/stackchain.dev/v1alpha1/namespaces/team/stackchains/chain/status",
    )
    assert arguments["content_type"] == api_requests.MERGE_PATCH
    assert arguments["body"] == {"metadata": {"resourceVersion": "5"}, "status": {"a": 2}}


@pytest.mark.parametrize(
    ("current", "expected"),
    [
        pytest.param({"metadata": {"uid": "u1"}}, errors.Conflict, id="changed in between"),
        pytest.param({"metadata": {"uid": "u2"}}, errors.ObjectNotFound, id="created again"),
        pytest.param(errors.ObjectNotFound("gone"), errors.ObjectNotFound, id="gone"),
        pytest.param(errors.ApiUnreachable("away"), errors.ApiUnreachable, id="cannot tell"),
    ],
)
async def test_a_refused_version_is_told_apart(
    current: Json | errors.KubeError, expected: type[errors.KubeError]
) -> None:
    with pytest.raises(expected):
        await patch(ScriptedApi(errors.Conflict("409"), current))


@pytest.mark.parametrize(
    ("current", "is_written"),
    [
        pytest.param({"metadata": {"uid": "u1"}, "status": {"a": 2}}, True, id="written"),
        pytest.param({"metadata": {"uid": "u1"}, "status": {"a": 1}}, False, id="not written"),
        pytest.param({"metadata": {"uid": "u1"}}, False, id="without a status"),
        pytest.param({"metadata": {"uid": "u2"}, "status": {"a": 2}}, False, id="another one"),
        pytest.param(errors.ObjectNotFound("gone"), False, id="gone"),
        pytest.param(errors.ApiUnreachable("still away"), False, id="cannot tell"),
    ],
)
async def test_a_write_whose_answer_was_lost_is_looked_for(
    current: Json | errors.KubeError, is_written: bool
) -> None:
    """A second try would find nothing to write, and so no news to report."""
    api = ScriptedApi(errors.ApiUnreachable("PATCH: TimeoutError"), current)

    if is_written:
        assert await patch(api) == current
    else:
        with pytest.raises(errors.ApiUnreachable, match="PATCH"):
            await patch(api)


async def test_names_cannot_leave_their_place_in_the_path() -> None:
    api = ScriptedApi({})

    await stackchains.StackChains(api).get("team", "../../secrets/key")

    assert api.requests[0][1].endswith("/stackchains/..%2F..%2Fsecrets%2Fkey")


async def test_a_name_that_is_no_text_is_asked_for_as_one_that_nothing_can_have() -> None:
    """A file in YAML may hold it."""
    api = ScriptedApi({})

    await stackchains.StackChains(api).get("team\udcff", "prod")

    assert "/namespaces/team%3F/" in api.requests[0][1]

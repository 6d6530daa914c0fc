"""The stand-in for the API server behaves as a real one: each scenario shows the same on both.

A difference is a fault of the stand-in. What a scenario returns is compared; ids, versions and
times are left out of it.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from controller.kube import client, errors
from devenv.control_plane import server
from tests.simulation.kube import clusters
from tests.simulation.kube.clusters import Cluster
from tests.simulation.kube.refusals import Answer
from tests.support import kube as kube_support

Json = dict[str, Any]
Shown = Any
Scenario = Callable[["Scene"], Awaitable[Shown]]

GROUP = "/apis/stackchain.dev/v1alpha1"
FINALIZER = "stackchain.dev/stop-runs"
SPEC = {"roots": {"stackIds": ["vpc"]}}
JSON_PATCH = "application/json-patch+json"
PARTIAL = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

SCENARIOS: dict[str, Scenario] = {}


def behavior(scenario: Scenario) -> Scenario:
    """Add a row to the table."""
    SCENARIOS[scenario.__name__] = scenario
    return scenario


class Scene:
    """What most scenarios need of a cluster, shown without what differs from run to run."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.namespace = cluster.namespace
        self.path = f"{GROUP}/namespaces/{cluster.namespace}/stackchains"
        self.leases = f"/apis/coordination.k8s.io/v1/namespaces/{cluster.namespace}/leases"

    async def send(self, method: str, path: str, **how: Any) -> Shown:
        """Send a request and show its answer as the operator would take it."""
        answer = await self.cluster.send(method, path, **how)
        return shown(answer, f"{method} {path}", self.namespace)

    async def read(self, method: str, path: str, **how: Any) -> Json:
        """Send a request that is served, and return the object."""
        answer = await self.cluster.send(method, path, **how)
        return client.read_answer(f"{method} {path}", answer.status, answer.headers, answer.data)

    async def create(self, name: str = "chain", **metadata: Any) -> Json:
        return await self.read("POST", self.path, body={**named(name, **metadata), "spec": SPEC})

    async def get(self, name: str = "chain") -> Json:
        return await self.read("GET", f"{self.path}/{name}")

    async def patch(self, body: Json, *, below: str = "", name: str = "chain") -> Shown:
        return await self.send(
            "PATCH", f"{self.path}/{name}{below}", body=body, content_type=client.MERGE_PATCH
        )

    async def json_patch(self, *operations: Json) -> Shown:
        return await self.send(
            "PATCH", f"{self.path}/chain", body=list(operations), content_type=JSON_PATCH
        )

    async def version(self) -> str:
        """Return the version of the list, to watch from."""
        listed = await self.read("GET", self.path)
        return str(listed["metadata"]["resourceVersion"])

    async def events(self, since: str, count: int) -> list[Shown]:
        """Return the next events of a watch of the namespace."""
        async with self.cluster.watch(self.path, since) as watch:
            return [shown_event(await watch.next()) for _ in range(count)]


def named(name: str, **metadata: Any) -> Json:
    return {
        "apiVersion": "stackchain.dev/v1alpha1",
        "kind": "StackChain",
        "metadata": {"name": name, **metadata},
    }


def shown(answer: Answer, what: str, namespace: str) -> Shown:
    try:
        body = client.read_answer(what, answer.status, answer.headers, answer.data)
    except errors.KubeError as error:
        said = [] if isinstance(error, errors.NotServed) else shown_refusal(answer)
        return [answer.status, type(error).__name__, *said]
    return [answer.status, shown_object(body, namespace)]


def shown_refusal(answer: Answer) -> list[Shown]:
    status = json.loads(answer.data)
    details = status.get("details") or {}
    return [status.get("reason"), details.get("kind"), details.get("group")]


def shown_object(body: Json, namespace: str = "") -> Json:
    """Return an object without ids, versions and times, and who manages its fields."""
    metadata = {
        name: "set" if name in ("uid", "resourceVersion", "creationTimestamp") else value
        for name, value in body.get("metadata", {}).items()
        if name not in ("managedFields", "namespace")
    }
    if "deletionTimestamp" in metadata:
        metadata["deletionTimestamp"] = "set"
    if "details" in body:
        details = {name: value for name, value in body["details"].items() if name != "uid"}
        body = {**body, "details": details}
    return {**body, "metadata": metadata}


def shown_event(event: Json) -> Shown:
    body = shown_object(event["object"])
    if event["type"] == "ERROR":
        return ["ERROR", body["code"], body["reason"]]
    return [event["type"], body["metadata"]["name"], body["metadata"], body.get("status")]


@behavior
async def creating_sets_defaults_and_drops_the_status(scene: Scene) -> Shown:
    body = {**named("chain"), "spec": SPEC, "status": {"observedGeneration": 7}}
    return await scene.send("POST", scene.path, body=body)


@behavior
async def defaults_reach_into_the_objects_of_the_spec(scene: Scene) -> Shown:
    spec = {**SPEC, "schedule": {"cron": "0 3 * * *"}, "graph": {"direction": "RootsOnly"}}
    return await scene.send("POST", scene.path, body={**named("chain"), "spec": spec})


@behavior
async def creating_what_exists_is_refused(scene: Scene) -> Shown:
    await scene.create()
    return await scene.send("POST", scene.path, body={**named("chain"), "spec": SPEC})


@behavior
async def creating_with_a_version_is_refused(scene: Scene) -> Shown:
    body = {**named("chain", resourceVersion="5"), "spec": SPEC}
    return await scene.send("POST", scene.path, body=body)


@behavior
async def creating_in_a_namespace_that_is_not_there_is_refused(scene: Scene) -> Shown:
    path = f"{GROUP}/namespaces/missing-namespace/stackchains"
    return await scene.send("POST", path, body={**named("chain"), "spec": SPEC})


@behavior
async def creating_for_another_namespace_than_that_of_the_path_is_refused(scene: Scene) -> Shown:
    body = {**named("chain", namespace="default"), "spec": SPEC}
    return await scene.send("POST", scene.path, body=body)


@behavior
async def empty_maps_and_lists_of_the_metadata_are_dropped(scene: Scene) -> Shown:
    await scene.create(labels={"a": "b"}, annotations={}, finalizers=[])
    return await scene.patch({"metadata": {"labels": {"a": None}}})


@behavior
async def a_missing_object_is_named(scene: Scene) -> Shown:
    return [
        await scene.send("GET", f"{scene.path}/missing"),
        await scene.send("DELETE", f"{scene.path}/missing"),
        await scene.patch({"spec": {"parallelism": 1}}, name="missing"),
        await scene.patch({"status": {}}, name="missing", below="/status"),
        await scene.send("GET", f"{scene.leases}/missing"),
        await scene.send("GET", "/api/v1/namespaces/missing-namespace"),
    ]


@behavior
async def a_path_that_nobody_serves_names_nothing(scene: Scene) -> Shown:
    return [
        await scene.send("GET", "/apis/nobody.example/v1"),
        await scene.send("GET", "/openapi/v3/apis/nobody.example/v1"),
    ]


@behavior
async def a_change_of_the_spec_is_a_new_generation(scene: Scene) -> Shown:
    await scene.create()
    return [
        await scene.patch({"spec": {"parallelism": 3}}),
        await scene.patch({"spec": {"parallelism": None}}),
    ]


@behavior
async def a_change_of_the_metadata_is_none(scene: Scene) -> Shown:
    await scene.create()
    return await scene.patch({"metadata": {"annotations": {"stackchain.dev/run": "1"}}})


@behavior
async def a_list_is_replaced_whole(scene: Scene) -> Shown:
    await scene.create()
    return await scene.patch({"spec": {"graph": {"sources": ["Labels"]}}})


@behavior
async def a_patch_that_changes_nothing_writes_nothing(scene: Scene) -> Shown:
    await scene.create()
    # A real one notes who has written a field, the default of which is kept already.
    await scene.patch({"spec": {"parallelism": 10}})
    same = []
    for wish, below in (
        ({"spec": {"parallelism": 10}}, ""),
        ({"metadata": {"finalizers": None}}, ""),
        ({"status": {"observedGeneration": 1}}, "/status"),
        ({"status": {"observedGeneration": 1}}, "/status"),
        ({"status": {"history": None}}, "/status"),
    ):
        before = await scene.get()
        await scene.patch(wish, below=below)
        same.append((await scene.get())["metadata"] == before["metadata"])
    return same


@behavior
async def a_write_to_the_object_leaves_the_status_and_fixed_metadata_alone(scene: Scene) -> Shown:
    created = await scene.create()
    await scene.patch({"status": {"observedGeneration": 1}}, below="/status")
    wish = {
        "metadata": {"generation": 9, "creationTimestamp": "2020-01-01T00:00:00Z"},
        "spec": {"parallelism": 2},
        "status": {"observedGeneration": 5},
    }
    changed = await scene.patch(wish)
    found = await scene.get()
    same = [
        found["metadata"][name] == created["metadata"][name]
        for name in ("creationTimestamp", "uid")
    ]
    return [changed, same]


@behavior
async def a_write_to_the_status_leaves_all_else_alone(scene: Scene) -> Shown:
    await scene.create()
    wish = {
        "metadata": {"labels": {"a": "b"}, "uid": "another", "finalizers": ["a.b/c"]},
        "spec": {"parallelism": 2},
        "status": {"observedGeneration": 5, "history": []},
    }
    return [
        await scene.patch(wish, below="/status"),
        await scene.patch({"status": {"history": None}}, below="/status"),
        await scene.patch({"status": None}, below="/status"),
    ]


@behavior
async def a_write_onto_another_version_is_refused(scene: Scene) -> Shown:
    created = await scene.create()
    await scene.patch({"spec": {"parallelism": 2}})
    stale = {"metadata": {"resourceVersion": created["metadata"]["resourceVersion"]}}
    return [
        await scene.patch({**stale, "spec": {"parallelism": 3}}),
        await scene.patch({**stale, "status": {"observedGeneration": 1}}, below="/status"),
        (await scene.get())["spec"]["parallelism"],
    ]


@behavior
async def a_write_onto_the_present_version_is_served(scene: Scene) -> Shown:
    created = await scene.create()
    fresh = {"metadata": {"resourceVersion": created["metadata"]["resourceVersion"]}}
    return await scene.patch({**fresh, "status": {"observedGeneration": 1}}, below="/status")


@behavior
async def a_write_onto_another_object_of_the_name_is_refused(scene: Scene) -> Shown:
    created = await scene.create()
    await scene.send("DELETE", f"{scene.path}/chain")
    again = await scene.create()
    wish = {"metadata": {"uid": created["metadata"]["uid"]}, "spec": {"parallelism": 2}}
    return [await scene.patch(wish), again["metadata"]["uid"] != created["metadata"]["uid"]]


@behavior
async def a_json_patch_is_guarded_by_its_test(scene: Scene) -> Shown:
    created = await scene.create()
    version = created["metadata"]["resourceVersion"]
    await scene.patch({"metadata": {"labels": {"a": "b"}}})
    guard = {"op": "test", "path": "/metadata/resourceVersion"}
    add = {"op": "add", "path": "/metadata/finalizers", "value": [FINALIZER]}
    fresh = (await scene.get())["metadata"]["resourceVersion"]
    return [
        await scene.json_patch({**guard, "value": version}, add),
        await scene.json_patch({**guard, "value": fresh}, add),
        await scene.json_patch({"op": "remove", "path": "/metadata/finalizers/0"}),
    ]


@behavior
async def a_json_patch_of_what_is_not_there_is_refused(scene: Scene) -> Shown:
    await scene.create()
    return [
        await scene.json_patch({"op": "remove", "path": "/metadata/annotations/none"}),
        await scene.json_patch({"op": "remove", "path": "/metadata/finalizers/0"}),
        await scene.json_patch({"op": "test", "path": "/metadata/labels/a", "value": "b"}),
    ]


@behavior
async def what_nothing_holds_is_gone_at_once(scene: Scene) -> Shown:
    created = await scene.create()
    deleted = await scene.send("DELETE", f"{scene.path}/chain")
    events = await scene.events(created["metadata"]["resourceVersion"], 1)
    return [deleted, events, await scene.send("GET", f"{scene.path}/chain")]


@behavior
async def what_a_finalizer_holds_is_marked_once(scene: Scene) -> Shown:
    await scene.create(finalizers=[FINALIZER])
    first = await scene.send("DELETE", f"{scene.path}/chain")
    before = (await scene.get())["metadata"]
    second = await scene.send("DELETE", f"{scene.path}/chain")
    after = (await scene.get())["metadata"]
    return [first, second, before == after]


@behavior
async def what_loses_its_last_finalizer_goes(scene: Scene) -> Shown:
    created = await scene.create(finalizers=["a.b/c", FINALIZER])
    await scene.send("DELETE", f"{scene.path}/chain")
    earlier = [
        await scene.patch({"spec": {"parallelism": 2}}),
        await scene.patch({"metadata": {"finalizers": [FINALIZER]}}),
    ]
    before = await scene.get()
    last = await scene.read(
        "PATCH",
        f"{scene.path}/chain",
        body={"metadata": {"finalizers": None}},
        content_type=client.MERGE_PATCH,
    )
    return [
        earlier,
        shown_object(last),
        last["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"],
        await scene.send("GET", f"{scene.path}/chain"),
        await scene.events(created["metadata"]["resourceVersion"], 4),
    ]


@behavior
async def what_is_being_deleted_takes_no_new_finalizer(scene: Scene) -> Shown:
    await scene.create(finalizers=[FINALIZER])
    await scene.send("DELETE", f"{scene.path}/chain")
    return [
        await scene.patch({"metadata": {"finalizers": [FINALIZER, "a.b/c"]}}),
        await scene.patch({"status": {"observedGeneration": 1}}, below="/status"),
    ]


@behavior
async def a_list_comes_in_pages(scene: Scene) -> Shown:
    for name in ("b", "c", "a", "e", "d"):
        await scene.create(name)
    seen, token = [], ""
    while True:
        query = {"limit": "2"} | ({"continue": token} if token else {})
        page = await scene.read("GET", scene.path, query=query)
        left = page["metadata"].get("remainingItemCount")
        seen.append([[item["metadata"]["name"] for item in page["items"]], page["kind"], left])
        token = page["metadata"].get("continue") or ""
        if not token:
            return seen


@behavior
async def pages_show_one_moment(scene: Scene) -> Shown:
    for name in ("a", "b", "c"):
        await scene.create(name)
    first = await scene.read("GET", scene.path, query={"limit": "1"})
    await scene.send("DELETE", f"{scene.path}/b")
    await scene.patch({"metadata": {"labels": {"late": "yes"}}}, name="c")
    await scene.create("d")
    query = {"limit": "5", "continue": first["metadata"]["continue"]}
    second = await scene.read("GET", scene.path, query=query)
    same = second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    return [[shown_object(item)["metadata"] for item in second["items"]], same]


@behavior
async def a_list_of_metadata_has_nothing_else(scene: Scene) -> Shown:
    empty = await scene.read("GET", scene.path, accept=PARTIAL)
    await scene.create()
    one = await scene.read("GET", scene.path, accept=PARTIAL)
    return [
        empty["items"],
        one["kind"],
        one["apiVersion"],
        [[item["kind"], shown_object(item)["metadata"], "spec" in item] for item in one["items"]],
    ]


@behavior
async def a_list_of_a_namespace_that_is_not_there_is_empty(scene: Scene) -> Shown:
    path = f"{GROUP}/namespaces/missing-namespace/stackchains"
    return (await scene.read("GET", path))["items"]


@behavior
async def a_watch_shows_each_change_in_its_order(scene: Scene) -> Shown:
    since = await scene.version()
    async with scene.cluster.watch(scene.path, since) as watch:
        await scene.create("a")
        await scene.create("b", finalizers=[FINALIZER])
        await scene.patch({"status": {"observedGeneration": 1}}, name="a", below="/status")
        await scene.send("DELETE", f"{scene.path}/b")
        await scene.send("DELETE", f"{scene.path}/a")
        return [shown_event(await watch.next()) for _ in range(5)]


@behavior
async def a_watch_from_a_version_shows_what_came_after_it(scene: Scene) -> Shown:
    await scene.create("a")
    since = (await scene.create("b"))["metadata"]["resourceVersion"]
    await scene.create("c")
    await scene.patch({"spec": {"parallelism": 2}}, name="a")
    return await scene.events(since, 2)


@behavior
async def a_watch_of_a_namespace_shows_no_other_one(scene: Scene) -> Shown:
    since = await scene.version()
    other = f"{GROUP}/namespaces/default/stackchains"
    name = f"other-{scene.namespace}"
    await scene.read("POST", other, body={**named(name), "spec": SPEC})
    await scene.send("DELETE", f"{other}/{name}")
    await scene.create()
    return await scene.events(since, 1)


@behavior
async def the_version_of_a_deletion_is_newer_than_that_of_the_object(scene: Scene) -> Shown:
    created = await scene.create()
    await scene.send("DELETE", f"{scene.path}/chain")
    since = created["metadata"]["resourceVersion"]
    async with scene.cluster.watch(scene.path, since) as watch:
        event = await watch.next()
    return [event["type"], int(event["object"]["metadata"]["resourceVersion"]) > int(since)]


@behavior
async def a_watch_from_a_version_that_is_forgotten_ends_with_an_error(scene: Scene) -> Shown:
    return await scene.events("1", 1)


@behavior
async def a_lease_is_replaced_only_in_the_version_that_was_read(scene: Scene) -> Shown:
    lease = {"metadata": {"name": "leader"}, "spec": {"holderIdentity": "a"}}
    path = f"{scene.leases}/leader"
    created = await scene.read("POST", scene.leases, body=lease)
    again = await scene.send("POST", scene.leases, body=lease)
    wish = {**created, "spec": {"holderIdentity": "b"}}
    return [
        again,
        await scene.send("PUT", path, body=wish),
        await scene.send("PUT", path, body={**created, "spec": {"holderIdentity": "c"}}),
        (await scene.read("GET", path))["spec"],
    ]


@behavior
async def a_lease_that_is_gone_is_not_replaced(scene: Scene) -> Shown:
    lease = {"metadata": {"name": "leader"}, "spec": {"holderIdentity": "a"}}
    created = await scene.read("POST", scene.leases, body=lease)
    path = f"{scene.leases}/leader"
    await scene.send("DELETE", path)
    gone = await scene.send("PUT", path, body=created)
    await scene.read("POST", scene.leases, body=lease)
    return [gone, await scene.send("PUT", path, body=created)]


@behavior
async def an_event_gets_a_name(scene: Scene) -> Shown:
    created = await scene.create()
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": "chain.", "namespace": scene.namespace},
        "involvedObject": {"name": "chain", "namespace": scene.namespace, "kind": "StackChain"},
        "reason": "Started",
        "message": "It is started",
        "type": "Normal",
    }
    path = f"/api/v1/namespaces/{scene.namespace}/events"
    written = await scene.read("POST", path, body=event)
    metadata = written["metadata"]
    return [
        metadata["name"].startswith("chain."),
        len(metadata["name"]),
        "generation" in metadata,
        [written[name] for name in ("reason", "message", "type")],
        created["metadata"]["name"],
    ]


@behavior
async def a_namespace_that_is_being_deleted_takes_nothing_new(scene: Scene) -> Shown:
    await scene.create(finalizers=[FINALIZER])
    await scene.cluster.send("DELETE", f"/api/v1/namespaces/{scene.namespace}")
    space = await scene.read("GET", f"/api/v1/namespaces/{scene.namespace}")
    refused = await scene.cluster.send("POST", scene.path, body={**named("another"), "spec": SPEC})
    event = {"involvedObject": {"namespace": scene.namespace}, "metadata": {"name": "late"}}
    return [
        space["status"]["phase"],
        shown(refused, f"POST {scene.path}", scene.namespace),
        refused.data.decode().count("NamespaceTerminating"),
        await scene.send("POST", f"/api/v1/namespaces/{scene.namespace}/events", body=event),
        (await scene.patch({"metadata": {"labels": {"a": "b"}}}))[0],
    ]


@behavior
async def who_has_no_right_is_refused(scene: Scene) -> Shown:
    await scene.create()
    return [
        await scene.send("GET", f"{scene.path}/chain", user="operator"),
        await scene.send("GET", scene.path, user="operator"),
        await scene.send("GET", f"{GROUP}/stackchains", user="operator"),
        await scene.send("POST", scene.path, body=named("other"), user="operator"),
    ]


@behavior
async def who_is_not_known_is_refused(scene: Scene) -> Shown:
    answer = await scene.cluster.send("GET", scene.path, user="stranger")
    return shown(answer, f"GET {scene.path}", scene.namespace)[:2]


@behavior
async def the_api_says_that_it_serves_stackchains(scene: Scene) -> Shown:
    groups = await scene.read("GET", "/apis")
    found = await scene.read("GET", GROUP)
    published = await scene.read("GET", f"/openapi/v3{GROUP}")
    ours = [group for group in groups["groups"] if group["name"] == "stackchain.dev"]
    verbs = {item["name"]: {"patch", "watch"} & set(item["verbs"]) for item in found["resources"]}
    kinds = [
        kind["kind"]
        for schema in published["components"]["schemas"].values()
        for kind in schema.get("x-kubernetes-group-version-kind", [])
        if kind["group"] == "stackchain.dev"
    ]
    return [ours, verbs, "StackChain" in kinds]


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS.keys())
async def test_the_stand_in_behaves_as_the_real_api_server(
    scenario: Scenario,
    control_plane: server.ControlPlane,
    kube: kube_support.KubeApi,
    kube_as_operator: kube_support.KubeApi,
    namespace: str,
) -> None:
    users = {"admin": kube, "operator": kube_as_operator}
    real = clusters.RealCluster(users, namespace, stranger="stranger")

    def on_stand_in() -> Shown:
        return clusters.run_on_stand_in(lambda cluster: scenario(Scene(cluster)))

    expected = await scenario(Scene(real))
    found = await asyncio.to_thread(on_stand_in)

    assert found == expected

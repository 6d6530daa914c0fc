"""How an API server lists, watches, refuses and keeps other kinds: more rows of the table."""

from tests.simulation.kube.scenes import (
    FINALIZER,
    GROUP,
    PARTIAL,
    SPEC,
    Scene,
    Shown,
    Table,
    named,
    shown,
    shown_event,
    shown_object,
)

ROWS = Table()


@ROWS.row
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


@ROWS.row
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


@ROWS.row
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


@ROWS.row
async def a_list_of_a_namespace_that_is_not_there_is_empty(scene: Scene) -> Shown:
    path = f"{GROUP}/namespaces/missing-namespace/stackchains"
    return (await scene.read("GET", path))["items"]


@ROWS.row
async def a_watch_shows_each_change_in_its_order(scene: Scene) -> Shown:
    since = await scene.version()
    async with scene.cluster.watch(scene.path, since) as watch:
        await scene.create("a")
        await scene.create("b", finalizers=[FINALIZER])
        await scene.patch({"status": {"observedGeneration": 1}}, name="a", below="/status")
        await scene.send("DELETE", f"{scene.path}/b")
        await scene.send("DELETE", f"{scene.path}/a")
        return [shown_event(await watch.next()) for _ in range(5)]


@ROWS.row
async def a_watch_from_a_version_shows_what_came_after_it(scene: Scene) -> Shown:
    await scene.create("a")
    since = (await scene.create("b"))["metadata"]["resourceVersion"]
    await scene.create("c")
    await scene.patch({"spec": {"parallelism": 2}}, name="a")
    return await scene.events(since, 2)


@ROWS.row
async def a_watch_of_a_namespace_shows_no_other_one(scene: Scene) -> Shown:
    since = await scene.version()
    other = f"{GROUP}/namespaces/default/stackchains"
    name = f"other-{scene.namespace}"
    await scene.read("POST", other, body={**named(name), "spec": SPEC})
    await scene.send("DELETE", f"{other}/{name}")
    await scene.create()
    return await scene.events(since, 1)


@ROWS.row
async def the_version_of_a_deletion_is_newer_than_that_of_the_object(scene: Scene) -> Shown:
    created = await scene.create()
    await scene.send("DELETE", f"{scene.path}/chain")
    since = created["metadata"]["resourceVersion"]
    async with scene.cluster.watch(scene.path, since) as watch:
        event = await watch.next()
    return [event["type"], int(event["object"]["metadata"]["resourceVersion"]) > int(since)]


@ROWS.row
async def a_watch_from_a_version_that_is_forgotten_ends_with_an_error(scene: Scene) -> Shown:
    return await scene.events("1", 1)


@ROWS.row
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


@ROWS.row
async def a_lease_that_is_gone_is_not_replaced(scene: Scene) -> Shown:
    lease = {"metadata": {"name": "leader"}, "spec": {"holderIdentity": "a"}}
    created = await scene.read("POST", scene.leases, body=lease)
    path = f"{scene.leases}/leader"
    await scene.send("DELETE", path)
    gone = await scene.send("PUT", path, body=created)
    await scene.read("POST", scene.leases, body=lease)
    return [gone, await scene.send("PUT", path, body=created)]


@ROWS.row
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


@ROWS.row
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


@ROWS.row
async def who_has_no_right_is_refused(scene: Scene) -> Shown:
    await scene.create()
    return [
        await scene.send("GET", f"{scene.path}/chain", user="operator"),
        await scene.send("GET", scene.path, user="operator"),
        await scene.send("GET", f"{GROUP}/stackchains", user="operator"),
        await scene.send("POST", scene.path, body=named("other"), user="operator"),
    ]


@ROWS.row
async def who_is_not_known_is_refused(scene: Scene) -> Shown:
    answer = await scene.cluster.send("GET", scene.path, user="stranger")
    return shown(answer, f"GET {scene.path}", scene.namespace)[:2]


@ROWS.row
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

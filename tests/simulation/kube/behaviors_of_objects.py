"""How an API server treats objects: rows of the table that `test_kube_fidelity` checks."""

from controller.kube import api_requests
from tests.simulation.kube.scenes import (
    FINALIZER,
    GROUP,
    SPEC,
    Scene,
    Shown,
    Table,
    named,
    shown_object,
)

ROWS = Table()


@ROWS.row
async def creating_sets_defaults_and_drops_the_status(scene: Scene) -> Shown:
    body = {**named("chain"), "spec": SPEC, "status": {"observedGeneration": 7}}
    return await scene.send("POST", scene.path, body=body)


@ROWS.row
async def defaults_reach_into_the_objects_of_the_spec(scene: Scene) -> Shown:
    spec = {**SPEC, "schedule": {"cron": "0 3 * * *"}, "graph": {"direction": "RootsOnly"}}
    return await scene.send("POST", scene.path, body={**named("chain"), "spec": spec})


@ROWS.row
async def creating_what_exists_is_refused(scene: Scene) -> Shown:
    await scene.create()
    return await scene.send("POST", scene.path, body={**named("chain"), "spec": SPEC})


@ROWS.row
async def creating_with_a_version_is_refused(scene: Scene) -> Shown:
    body = {**named("chain", resourceVersion="5"), "spec": SPEC}
    return await scene.send("POST", scene.path, body=body)


@ROWS.row
async def creating_in_a_namespace_that_is_not_there_is_refused(scene: Scene) -> Shown:
    path = f"{GROUP}/namespaces/missing-namespace/stackchains"
    return await scene.send("POST", path, body={**named("chain"), "spec": SPEC})


@ROWS.row
async def creating_for_another_namespace_than_that_of_the_path_is_refused(scene: Scene) -> Shown:
    body = {**named("chain", namespace="default"), "spec": SPEC}
    return await scene.send("POST", scene.path, body=body)


@ROWS.row
async def empty_maps_and_lists_of_the_metadata_are_dropped(scene: Scene) -> Shown:
    await scene.create(labels={"a": "b"}, annotations={}, finalizers=[])
    return await scene.patch({"metadata": {"labels": {"a": None}}})


@ROWS.row
async def a_missing_object_is_named(scene: Scene) -> Shown:
    return [
        await scene.send("GET", f"{scene.path}/missing"),
        await scene.send("DELETE", f"{scene.path}/missing"),
        await scene.patch({"spec": {"parallelism": 1}}, name="missing"),
        await scene.patch({"status": {}}, name="missing", below="/status"),
        await scene.send("GET", f"{scene.leases}/missing"),
        await scene.send("GET", "/api/v1/namespaces/missing-namespace"),
    ]


@ROWS.row
async def a_path_that_nobody_serves_names_nothing(scene: Scene) -> Shown:
    return [
        await scene.send("GET", "/apis/nobody.example/v1"),
        await scene.send("GET", "/openapi/v3/apis/nobody.example/v1"),
    ]


@ROWS.row
async def a_change_of_the_spec_is_a_new_generation(scene: Scene) -> Shown:
    await scene.create()
    return [
        await scene.patch({"spec": {"parallelism": 3}}),
        await scene.patch({"spec": {"parallelism": None}}),
    ]


@ROWS.row
async def a_change_of_the_metadata_is_none(scene: Scene) -> Shown:
    await scene.create()
    return await scene.patch({"metadata": {"annotations": {"stackchain.dev/run": "1"}}})


@ROWS.row
async def a_list_is_replaced_whole(scene: Scene) -> Shown:
    await scene.create()
    return await scene.patch({"spec": {"graph": {"sources": ["Labels"]}}})


@ROWS.row
async def a_patch_that_changes_nothing_writes_nothing(scene: Scene) -> Shown:
    await scene.create()
    # A real server notes who writes a field, even if that only repeats the stored default.
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


@ROWS.row
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


@ROWS.row
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


@ROWS.row
async def a_write_onto_another_version_is_refused(scene: Scene) -> Shown:
    created = await scene.create()
    await scene.patch({"spec": {"parallelism": 2}})
    stale = {"metadata": {"resourceVersion": created["metadata"]["resourceVersion"]}}
    return [
        await scene.patch({**stale, "spec": {"parallelism": 3}}),
        await scene.patch({**stale, "status": {"observedGeneration": 1}}, below="/status"),
        (await scene.get())["spec"]["parallelism"],
    ]


@ROWS.row
async def a_write_onto_the_present_version_is_served(scene: Scene) -> Shown:
    created = await scene.create()
    fresh = {"metadata": {"resourceVersion": created["metadata"]["resourceVersion"]}}
    return await scene.patch({**fresh, "status": {"observedGeneration": 1}}, below="/status")


@ROWS.row
async def a_write_onto_another_object_of_the_name_is_refused(scene: Scene) -> Shown:
    created = await scene.create()
    await scene.send("DELETE", f"{scene.path}/chain")
    again = await scene.create()
    wish = {"metadata": {"uid": created["metadata"]["uid"]}, "spec": {"parallelism": 2}}
    return [await scene.patch(wish), again["metadata"]["uid"] != created["metadata"]["uid"]]


@ROWS.row
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


@ROWS.row
async def a_json_patch_of_what_is_not_there_is_refused(scene: Scene) -> Shown:
    await scene.create()
    return [
        await scene.json_patch({"op": "remove", "path": "/metadata/annotations/none"}),
        await scene.json_patch({"op": "remove", "path": "/metadata/finalizers/0"}),
        await scene.json_patch({"op": "test", "path": "/metadata/labels/a", "value": "b"}),
    ]


@ROWS.row
async def what_nothing_holds_is_gone_at_once(scene: Scene) -> Shown:
    created = await scene.create()
    deleted = await scene.send("DELETE", f"{scene.path}/chain")
    events = await scene.events(created["metadata"]["resourceVersion"], 1)
    return [deleted, events, await scene.send("GET", f"{scene.path}/chain")]


@ROWS.row
async def what_a_finalizer_holds_is_marked_once(scene: Scene) -> Shown:
    await scene.create(finalizers=[FINALIZER])
    first = await scene.send("DELETE", f"{scene.path}/chain")
    before = (await scene.get())["metadata"]
    second = await scene.send("DELETE", f"{scene.path}/chain")
    after = (await scene.get())["metadata"]
    return [first, second, before == after]


@ROWS.row
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
        content_type=api_requests.MERGE_PATCH,
    )
    return [
        earlier,
        shown_object(last),
        last["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"],
        await scene.send("GET", f"{scene.path}/chain"),
        await scene.events(created["metadata"]["resourceVersion"], 4),
    ]


@ROWS.row
async def what_is_being_deleted_takes_no_new_finalizer(scene: Scene) -> Shown:
    await scene.create(finalizers=[FINALIZER])
    await scene.send("DELETE", f"{scene.path}/chain")
    return [
        await scene.patch({"metadata": {"finalizers": [FINALIZER, "a.b/c"]}}),
        await scene.patch({"status": {"observedGeneration": 1}}, below="/status"),
    ]

"""Our Kubernetes access on the real API server.

Given: a control plane with the StackChain definition. Asserted: what callers get to decide on.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.aio.config import incluster_config

from controller.config import settings
from controller.kube import client, errors
from controller.kube import stackchains as chains_module
from devenv.control_plane import credentials, server
from tests.support import kube as kube_support
from tests.support import product_client, waiting

SPEC = {"roots": {"stackIds": ["vpc"]}}
CONDITION = {
    "type": "Ready",
    "status": "Unknown",
    "reason": "Progressing",
    "message": "",
    "lastTransitionTime": "2026-01-01T00:00:00Z",
    "observedGeneration": 1,
}


@pytest.fixture
async def kube_client(control_plane: server.ControlPlane) -> AsyncIterator[client.KubeClient]:
    async with product_client.connected(control_plane.kubeconfig) as connected:
        yield connected


@pytest.fixture
def ours(kube_client: client.KubeClient, namespace: str) -> chains_module.StackChains:
    return chains_module.StackChains(kube_client, namespaces=[namespace])


async def write(
    ours: chains_module.StackChains, resource: dict[str, Any], new_status: dict[str, Any]
) -> dict[str, Any] | None:
    metadata = resource["metadata"]
    return await ours.patch_status(
        metadata["namespace"],
        metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        old_status=resource.get("status") or {},
        new_status=new_status,
    )


async def test_a_resource_that_does_not_exist_is_none(
    ours: chains_module.StackChains, namespace: str
) -> None:
    assert await ours.get(namespace, "missing") is None


async def test_a_missing_definition_is_not_taken_for_a_missing_resource(
    kube_client: client.KubeClient, namespace: str
) -> None:
    path = f"/apis/nobody.example/v1/namespaces/{namespace}/things/missing"

    with pytest.raises(errors.ApiUnreachable, match="is the CRD installed"):
        await kube_client.request("GET", path)
    with pytest.raises(errors.ApiUnreachable):
        await kube_client.request("GET", path.replace("nobody.example/v1", "apps/v1"))


async def test_status_grows_shrinks_and_keeps_what_has_not_changed(
    ours: chains_module.StackChains, stackchains: kube_support.StackChains
) -> None:
    resource = await stackchains.create("chain", SPEC)

    first = await write(
        ours, resource, {"observedGeneration": 1, "conditions": [CONDITION], "lastHandled": {}}
    )
    assert first is not None
    second = await write(ours, first, {"conditions": [CONDITION]})

    assert second is not None
    assert second["status"] == {"conditions": [CONDITION]}


async def test_an_equal_status_sends_nothing(
    ours: chains_module.StackChains, stackchains: kube_support.StackChains
) -> None:
    resource = await stackchains.create("chain", SPEC)
    written = await write(ours, resource, {"observedGeneration": 1})
    assert written is not None

    assert await write(ours, written, {"observedGeneration": 1}) is None
    assert (await stackchains.get("chain"))["metadata"] == written["metadata"]


async def test_a_write_from_an_older_version_is_a_conflict(
    ours: chains_module.StackChains, stackchains: kube_support.StackChains
) -> None:
    resource = await stackchains.create("chain", SPEC)
    await stackchains.annotate("chain", run="1")

    with pytest.raises(errors.Conflict):
        await write(ours, resource, {"observedGeneration": 1})


async def test_a_status_never_lands_on_another_resource_of_the_same_name(
    ours: chains_module.StackChains, stackchains: kube_support.StackChains
) -> None:
    old = await stackchains.create("chain", SPEC)
    await stackchains.delete("chain")
    new = await stackchains.create("chain", SPEC)

    with pytest.raises(errors.ObjectNotFound):
        await write(ours, old, {"observedGeneration": 1})
    assert await stackchains.get("chain") == new


async def test_a_status_of_a_deleted_resource_is_not_found(
    ours: chains_module.StackChains, stackchains: kube_support.StackChains
) -> None:
    resource = await stackchains.create("chain", SPEC)
    await stackchains.delete("chain")

    with pytest.raises(errors.ObjectNotFound):
        await write(ours, resource, {"observedGeneration": 1})


async def test_a_status_against_the_schema_is_invalid(
    ours: chains_module.StackChains, stackchains: kube_support.StackChains
) -> None:
    resource = await stackchains.create("chain", SPEC)

    with pytest.raises(errors.Invalid, match="observedGeneration"):
        await write(ours, resource, {"observedGeneration": "one"})


async def test_a_list_spans_pages_and_keeps_to_the_served_namespaces(
    kube_client: client.KubeClient, stackchains: kube_support.StackChains, namespace: str
) -> None:
    ours = chains_module.StackChains(kube_client, namespaces=[namespace], page_size=2)
    for number in range(5):
        await stackchains.create(f"chain-{number}", SPEC)

    names = [found["metadata"]["name"] for found in await ours.list()]
    everywhere = await chains_module.StackChains(kube_client, page_size=2).list()

    assert sorted(names) == [f"chain-{number}" for number in range(5)]
    assert {found["metadata"]["namespace"] for found in everywhere} >= {stackchains.namespace}


async def test_an_event_stands_with_its_resource(
    ours: chains_module.StackChains,
    stackchains: kube_support.StackChains,
    kube: kube_support.KubeApi,
    namespace: str,
) -> None:
    resource = await stackchains.create("chain", SPEC)

    await ours.emit_event(resource, type="Warning", reason="StackFailed", message="x" * 2000)

    (event,) = await kube.events(namespace, "chain")
    assert (event["type"], event["reason"]) == ("Warning", "StackFailed")
    assert len(event["message"].encode()) == 1024
    assert event["involvedObject"]["uid"] == resource["metadata"]["uid"]


async def test_events_of_one_second_keep_their_order(
    ours: chains_module.StackChains,
    stackchains: kube_support.StackChains,
    kube: kube_support.KubeApi,
    namespace: str,
) -> None:
    resource = await stackchains.create("chain", SPEC)
    messages = [f"number {number}" for number in range(20)]

    for message in messages:
        await ours.emit_event(resource, type="Normal", reason="StackStarted", message=message)

    found = await kube.events(namespace, "chain")
    by_time = sorted(found, key=lambda event: str(event["eventTime"]))
    by_name = sorted(found, key=lambda event: str(event["metadata"]["name"]))
    assert [event["message"] for event in by_time] == messages
    assert [event["message"] for event in by_name] == messages
    # Clients such as kubectl order by it, and it has whole seconds.
    assert not any(event.get("lastTimestamp") for event in found)


async def test_an_event_that_cannot_be_recorded_stops_nobody(
    ours: chains_module.StackChains, caplog: pytest.LogCaptureFixture
) -> None:
    resource = {"metadata": {"name": "chain", "namespace": "nowhere-at-all"}}

    await ours.emit_event(resource, type="Normal", reason="Started", message="started")

    assert "Event was not recorded" in caplog.text


async def test_the_cluster_is_known_by_its_oldest_namespace(
    ours: chains_module.StackChains, kube: kube_support.KubeApi
) -> None:
    namespace = await kube.get("/api/v1/namespaces/kube-system")

    assert await ours.get_namespace_uid("kube-system") == namespace["metadata"]["uid"]


async def test_missing_rights_are_told_apart_from_missing_resources(
    control_plane: server.ControlPlane, namespace: str, tmp_path: Path
) -> None:
    kubeconfig = yaml.safe_load(control_plane.kubeconfig.read_text())
    kubeconfig["users"][0]["user"]["token"] = control_plane.token_of(credentials.OPERATOR)
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(kubeconfig))

    async with product_client.connected(path) as powerless:
        with pytest.raises(errors.Denied, match="403"):
            await chains_module.StackChains(powerless).get(namespace, "chain")


async def test_renewed_credentials_are_taken_up_after_a_refusal(
    control_plane: server.ControlPlane, namespace: str, tmp_path: Path
) -> None:
    text = control_plane.kubeconfig.read_text()
    path = tmp_path / "kubeconfig"
    path.write_text(text.replace(control_plane.token, "of-yesterday"))
    async with product_client.connected(path) as connected:
        ours = chains_module.StackChains(connected)
        with pytest.raises(errors.Denied, match="401"):
            await ours.get(namespace, "chain")

        path.write_text(text)

        assert await ours.get(namespace, "chain") is None


async def test_a_pod_uses_its_service_account_and_takes_up_a_rotated_token(
    control_plane: server.ControlPlane,
    namespace: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token = tmp_path / "token"
    token.write_text("of-yesterday")
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(token))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(control_plane.ca_file))
    host, _, port = control_plane.url.removeprefix("https://").rpartition(":")
    monkeypatch.setenv(incluster_config.SERVICE_HOST_ENV_NAME, host)
    monkeypatch.setenv(incluster_config.SERVICE_PORT_ENV_NAME, port)
    async with product_client.connected(None) as connected:
        ours = chains_module.StackChains(connected)
        with pytest.raises(errors.Denied, match="401"):
            await ours.get(namespace, "chain")

        token.write_text(control_plane.token)

        assert await ours.get(namespace, "chain") is None


async def test_requests_under_way_survive_the_renewal_of_credentials(
    kube_client: client.KubeClient, namespace: str, control_plane: server.ControlPlane
) -> None:
    ours = chains_module.StackChains(kube_client)
    assert await ours.get(namespace, "chain") is None
    assert kube_client._api is not None
    kube_client._api.configuration.api_key["BearerToken"] = "Bearer of-yesterday"

    found = await asyncio.gather(*(ours.get(namespace, f"chain-{n}") for n in range(20)))

    assert found == [None] * 20


async def test_without_any_access_the_caller_is_told_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    connected = client.KubeClient(settings.KubernetesSettings())

    with pytest.raises(errors.Denied, match="Set KUBECONFIG"):
        await connected.request("GET", "/version")


async def test_an_api_server_that_is_away_is_unreachable_and_then_back(
    own_control_plane: server.ControlPlane,
) -> None:
    async with product_client.connected(own_control_plane.kubeconfig) as connected:
        ours = chains_module.StackChains(connected)
        assert await ours.list() == []

        await own_control_plane.kill_api_server()
        with pytest.raises(errors.ApiUnreachable):
            await ours.list()
        await own_control_plane.start_api_server()

        async def answers() -> bool:
            return await ours.list() == []

        assert await waiting.eventually(answers)


async def test_an_api_server_that_hangs_is_unreachable_in_bounded_time(
    own_control_plane: server.ControlPlane,
) -> None:
    kubeconfig = own_control_plane.kubeconfig
    async with product_client.connected(kubeconfig, request_timeout=5.0) as connected:
        ours = chains_module.StackChains(connected)
        await ours.list()

        await own_control_plane.pause_api_server()
        with pytest.raises(errors.ApiUnreachable):
            await ours.list()
        own_control_plane.resume_api_server()

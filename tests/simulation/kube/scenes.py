"""What scenarios on an API server are made of, and how they show what they saw.

Tests compare what a scenario returns; ids, versions and times are left out of it.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from controller.kube import api_requests, errors
from tests.simulation.kube.clusters import Cluster
from tests.simulation.kube.refusals import Answer

Json = dict[str, Any]
Shown = Any
Scenario = Callable[["Scene"], Awaitable[Shown]]

GROUP = "/apis/stackchain.dev/v1alpha1"
FINALIZER = "stackchain.dev/stop-runs"
SPEC = {"roots": {"stackIds": ["vpc"]}}
JSON_PATCH = "application/json-patch+json"
PARTIAL = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class Table(dict[str, Scenario]):
    """Scenarios by their names, which say what an API server does."""

    def row(self, scenario: Scenario) -> Scenario:
        """Add one."""
        self[scenario.__name__] = scenario
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
        return api_requests.read_answer(
            f"{method} {path}", answer.status, answer.headers, answer.data
        )

    async def create(self, name: str = "chain", **metadata: Any) -> Json:
        return await self.read("POST", self.path, body={**named(name, **metadata), "spec": SPEC})

    async def get(self, name: str = "chain") -> Json:
        return await self.read("GET", f"{self.path}/{name}")

    async def patch(self, body: Json, *, below: str = "", name: str = "chain") -> Shown:
        return await self.send(
            "PATCH", f"{self.path}/{name}{below}", body=body, content_type=api_requests.MERGE_PATCH
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
        body = api_requests.read_answer(what, answer.status, answer.headers, answer.data)
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

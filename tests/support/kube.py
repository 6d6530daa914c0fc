"""A plain client of the API server for tests, independent of the client under test."""

import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

import httpx

Body = dict[str, Any]

STACKCHAINS = "/apis/stackchain.dev/v1alpha1"
MERGE_PATCH = "application/merge-patch+json"
SERVER_SIDE_APPLY = "application/apply-patch+yaml"


class KubeApi:
    """Speaks JSON with the API server as one user; a refusal is an `httpx.HTTPStatusError`."""

    def __init__(self, url: str, token: str, ca_file: Path) -> None:
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            verify=ssl.create_default_context(cafile=str(ca_file)),
            # More than a busy machine takes.
            timeout=60,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Send any request and return the answer, refused or not."""
        return await self._http.request(method, path, **arguments)

    @contextlib.asynccontextmanager
    async def stream(self, path: str, params: dict[str, str]) -> AsyncIterator[AsyncIterator[str]]:
        """Give the lines of an answer that does not end."""
        async with self._http.stream("GET", path, params=params, timeout=None) as response:
            yield response.aiter_lines()

    async def get(self, path: str, **params: str) -> Body:
        return _checked(await self._http.get(path, params=params))

    async def create(self, path: str, body: Body, **params: str) -> Body:
        return _checked(await self._http.post(path, json=body, params=params))

    async def replace(self, path: str, body: Body) -> Body:
        return _checked(await self._http.put(path, json=body))

    async def patch(self, path: str, body: Body, content_type: str = MERGE_PATCH) -> Body:
        headers = {"Content-Type": content_type}
        return _checked(await self._http.patch(path, json=body, headers=headers))

    async def apply(self, path: str, body: Body, *, manager: str = "test") -> Body:
        """Apply an object server-side, as `kubectl apply --server-side` and GitOps tools do."""
        params = {"fieldManager": manager, "force": "true"}
        headers = {"Content-Type": SERVER_SIDE_APPLY}
        return _checked(await self._http.patch(path, json=body, headers=headers, params=params))

    async def delete(self, path: str, **params: str) -> Body:
        return _checked(await self._http.delete(path, params=params))

    async def find(self, path: str) -> Body | None:
        """Return an object, or none if there is no such object."""
        response = await self._http.get(path)
        return None if response.status_code == httpx.codes.NOT_FOUND else _checked(response)

    async def create_namespace(self, name: str) -> Body:
        return await self.create("/api/v1/namespaces", {"metadata": {"name": name}})

    async def events(self, namespace: str, name: str) -> list[Body]:
        """Return the Events of one object, oldest first."""
        listed = await self.get(
            f"/api/v1/namespaces/{namespace}/events", fieldSelector=f"involvedObject.name={name}"
        )
        return sorted(listed["items"], key=lambda event: event["metadata"]["creationTimestamp"])


class StackChains:
    """The StackChains of one namespace."""

    def __init__(self, kube: KubeApi, namespace: str) -> None:
        self.kube = kube
        self.namespace = namespace
        self._path = f"{STACKCHAINS}/namespaces/{namespace}/stackchains"

    def path(self, name: str) -> str:
        return f"{self._path}/{name}"

    async def create(self, name: str, spec: Body, **annotations: str) -> Body:
        """Create a StackChain; `run="1"` is the annotation `stackchain.dev/run: "1"`."""
        return await self.kube.create(self._path, stack_chain(name, spec, **annotations))

    async def get(self, name: str) -> Body:
        return await self.kube.get(self.path(name))

    async def find(self, name: str) -> Body | None:
        return await self.kube.find(self.path(name))

    async def status(self, name: str) -> Body:
        """Return the status, empty while there is none."""
        status: Body = (await self.get(name)).get("status") or {}
        return status

    async def set_spec(self, name: str, **fields: Any) -> Body:
        """Change fields of the spec and keep the others."""
        return await self.kube.patch(self.path(name), {"spec": fields})

    async def annotate(self, name: str, **annotations: str | None) -> Body:
        """Set annotations by short name, or with None remove them."""
        return await self.kube.patch(
            self.path(name), {"metadata": {"annotations": _long_names(annotations)}}
        )

    async def delete(self, name: str) -> Body:
        return await self.kube.delete(self.path(name))


def stack_chain(name: str, spec: Body, **annotations: str) -> Body:
    """Return a StackChain as a person would write it."""
    return {
        "apiVersion": "stackchain.dev/v1alpha1",
        "kind": "StackChain",
        "metadata": {"name": name, "annotations": _long_names(annotations)},
        "spec": spec,
    }


def condition(status: Body, name: str) -> Body:
    """Return one condition of a status; empty if it is not there."""
    return next((c for c in status.get("conditions") or [] if c["type"] == name), {})


def _long_names(annotations: dict[str, Any]) -> Body:
    return {f"stackchain.dev/{name}": value for name, value in annotations.items()}


def _checked(response: httpx.Response) -> Body:
    if response.is_error:
        text = f"{response.status_code} for {response.request.url}: {response.text[:500]}"
        raise httpx.HTTPStatusError(text, request=response.request, response=response)
    body: Body = response.json()
    return body

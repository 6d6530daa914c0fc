"""The stand-in for the Kubernetes API server: answers requests, at once, from what it keeps.

It has what the operator uses, and refuses the rest loudly; `tests/simulation/test_kube_fidelity`
holds it to the real one. It validates nothing by the schema: a world creates valid objects.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pydantic_core

from controller import times
from tests.simulation.kube import discovery, patching, refusals, routes, schemas, writes
from tests.simulation.kube.lists import Lists
from tests.simulation.kube.refusals import Answer
from tests.simulation.kube.routes import LEASES, NAMESPACES, STACKCHAINS, Request, Target
from tests.simulation.kube.store import Key, Store, Stored

Json = dict[str, Any]

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"


class ApiServer:
    """One cluster's API server. Whoever changes its switches plays the cluster's administrator."""

    def __init__(self, now: Callable[[], float], *, cluster: int = 1) -> None:
        """Take the wall time, and a number that distinguishes the uids of this cluster."""
        self.store = Store()
        self.is_definition_served = True
        self.unknown_users: set[str] = set()
        """Whose credentials are refused."""
        self.withdrawn: set[tuple[str, str]] = set()
        """Users and namespaces whose rights are gone; `*` is what is in none, or a list of all."""
        self._now = now
        self._cluster = cluster
        self._uids = 0
        self._lists = Lists(self.store)
        for name in ("default", "kube-system"):
            self.create_namespace(name)

    def serve(self, request: Request) -> Answer:
        """Carry out a request and return its answer.

        Raises:
            NotImplementedError: a real API server might do it.
        """
        self.store.user = request.user
        try:
            self.authenticate(request)
            return self._answer(request)
        except (refusals.Refusal, refusals.UnservedPath) as refusal:
            return refusal.answer
        finally:
            self.store.user = ""

    def authenticate(self, request: Request) -> None:
        """Refuse users that are not known.

        Raises:
            Refusal: the user is not known.
        """
        if request.user in self.unknown_users:
            raise refusals.unauthorized()

    def authorize(self, request: Request, target: Target) -> None:
        """Refuse a user without rights, and a kind that is not defined.

        Raises:
            Refusal: the user may not do it.
            UnservedPath: the kind is not there.
        """
        where = target.namespace or "*"
        if (request.user, where) in self.withdrawn:
            kind = target.kind
            verb = request.method.lower()
            raise refusals.forbidden(
                kind.plural,
                kind.group,
                target.name or "",
                f'User "{request.user}" cannot {verb} resource "{kind.plural}" in API group '
                f'"{kind.group}" in the namespace "{where}"',
            )
        if target.kind is STACKCHAINS and not self.is_definition_served:
            raise refusals.UnservedPath

    def create_namespace(self, name: str) -> Json:
        """Create a namespace, as an administrator does."""
        body = writes.created(
            NAMESPACES,
            {"metadata": {"name": name}, "status": {"phase": "Active"}},
            namespace=None,
            uid=self._uid(),
            now=self._stamp(),
        )
        return self.store.put(Key("namespaces", "", name), body).body

    def delete_namespace(self, name: str) -> None:
        """Delete a namespace: all that it has is deleted, and it goes once that is gone."""
        key = Key("namespaces", "", name)
        found = self.store.get(key)
        assert found is not None, f"There is no namespace {name}"
        metadata = {**found.body["metadata"], "deletionTimestamp": self._stamp()}
        self.store.put(
            key, {**found.body, "metadata": metadata, "status": {"phase": "Terminating"}}
        )
        for below in list(self.store.keys_in(name)):
            self._delete(below)
        self._end_namespace(name)

    # Requests

    def _answer(self, request: Request) -> Answer:
        if request.method == "GET" and (published := self._published(request.path)) is not None:
            return _object(published)
        target = routes.target_of(request.path)
        self.authorize(request, target)
        match request.method, target.name:
            case "GET", None:
                return self._lists.answer(request, target)
            case "GET", _:
                return Answer(status=200, data=self._existing(target).data)
            case "POST", None:
                return self._create(request, target)
            case "PUT", str():
                return self._replace(request, target)
            case "PATCH", str():
                return self._patch(request, target)
            case "DELETE", str():
                return self._answer_deletion(request, target)
        raise NotImplementedError(str(request))

    def _published(self, path: str) -> Json | None:
        """Return what describes the API itself, if the path is about that."""
        kinds = [k for k in routes.KINDS if k is not STACKCHAINS or self.is_definition_served]
        match path.strip("/").split("/"):
            case ["api"]:
                return discovery.CORE_VERSIONS
            case ["apis"]:
                return discovery.groups(kinds)
            case ["api", "v1"]:
                return discovery.resources(kind for kind in kinds if not kind.group)
            case ["apis", group, version]:
                found = [kind for kind in kinds if (kind.group, kind.version) == (group, version)]
                if not found:
                    raise refusals.UnservedPath
                return discovery.resources(found)
            case ["openapi", "v3", "apis", group, version]:
                if (group, version) != (STACKCHAINS.group, STACKCHAINS.version):
                    raise refusals.UnservedPath
                if STACKCHAINS not in kinds:
                    raise refusals.UnservedPath
                return schemas.published(STACKCHAINS)
        return None

    def _create(self, request: Request, target: Target) -> Answer:
        _expect(request, JSON)
        kind, namespace = target.kind, target.namespace
        if not kind.is_namespaced or namespace is None:
            raise NotImplementedError(str(request))
        body = writes.created(
            kind, _json(request), namespace=namespace, uid=self._uid(), now=self._stamp()
        )
        name = body["metadata"]["name"]
        parent = self.store.get(Key("namespaces", "", namespace))
        if parent is None:
            raise refusals.not_found("namespaces", "", namespace)
        if "deletionTimestamp" in parent.body["metadata"]:
            raise refusals.terminating(kind.plural, kind.group, name, namespace)
        key = Key(kind.plural, namespace, name)
        if self.store.get(key) is not None:
            raise refusals.already_exists(kind.plural, kind.group, name)
        return Answer(status=201, data=self.store.put(key, body).data)

    def _replace(self, request: Request, target: Target) -> Answer:
        _expect(request, JSON)
        if target.kind is not LEASES:
            # Others are not created by a replacement, and have another refusal if they are gone.
            raise NotImplementedError(str(request))
        wish = _json(request)
        found = self.store.get(_key(target))
        writes.check_replaced(target.kind, found.body if found else None, wish)
        return self._write(target, wish)

    def _patch(self, request: Request, target: Target) -> Answer:
        old = self._existing(target).body
        wish: Json
        if request.content_type == MERGE_PATCH:
            wish = patching.merged(old, _json(request))
        elif request.content_type == JSON_PATCH:
            try:
                wish = patching.patched(old, json.loads(request.body or b"[]"))
            except patching.Inapplicable as error:
                raise refusals.Refusal(
                    422,
                    "Invalid",
                    f"the server rejected our request due to an error in our request: {error}",
                ) from error
        else:
            raise NotImplementedError(f"{request}: {request.content_type}")
        _expect(request, request.content_type)
        return self._write(target, wish)

    def _write(self, target: Target, wish: Json) -> Answer:
        stored = self._existing(target)
        update = writes.updated_status if target.is_status else writes.updated
        new = update(target.kind, stored.body, wish)
        if new == stored.body:
            return Answer(status=200, data=stored.data)
        key = _key(target)
        if writes.is_finished(new):
            # Watches show it as it was before, with the finalizer that held it.
            self.store.remove(key, stored.body)
            self._end_namespace(key.namespace)
            return _object(new)
        return Answer(status=200, data=self.store.put(key, new).data)

    def _answer_deletion(self, request: Request, target: Target) -> Answer:
        if request.body is not None or request.query:
            raise NotImplementedError(f"{request} with options")
        found = self._existing(target)
        left = self._delete(_key(target))
        if left is not None:
            return Answer(status=200, data=left.data)
        details = {
            "name": target.name,
            "group": target.kind.group,
            "kind": target.kind.plural,
            "uid": found.body["metadata"]["uid"],
        }
        status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        return _object({**status, "details": details})

    def _delete(self, key: Key) -> Stored | None:
        """Delete an object; returns what is left of it until its finalizers are gone."""
        found = self.store.get(key)
        assert found is not None
        kind = next(kind for kind in routes.KINDS if kind.plural == key.plural)
        left = writes.deleted(kind, found.body, now=self._stamp())
        if left is None:
            self.store.remove(key, found.body)
            self._end_namespace(key.namespace)
            return None
        return found if left is found.body else self.store.put(key, left)

    def _end_namespace(self, name: str) -> None:
        key = Key("namespaces", "", name)
        found = self.store.get(key)
        if found is None or "deletionTimestamp" not in found.body["metadata"]:
            return
        if not any(self.store.keys_in(name)):
            self.store.remove(key, found.body)

    def _existing(self, target: Target) -> Stored:
        found = self.store.get(_key(target))
        if found is None:
            raise refusals.not_found(target.kind.plural, target.kind.group, target.name or "")
        return found

    def _uid(self) -> str:
        self._uids += 1
        return f"{self._cluster:02x}{self._uids:06x}-0000-4000-8000-{self._uids:012x}"

    def _stamp(self) -> str:
        return times.rfc3339(datetime.fromtimestamp(int(self._now()), UTC))


def _key(target: Target) -> Key:
    return Key(target.kind.plural, target.namespace or "", target.name or "")


def _json(request: Request) -> Json:
    body: Json = json.loads(request.body or b"{}")
    return body


def _expect(request: Request, content_type: str) -> None:
    if request.content_type != content_type or request.query:
        raise NotImplementedError(f"{request}: {request.content_type}")


def _object(body: Json) -> Answer:
    return Answer(status=200, data=pydantic_core.to_json(body))

"""What a write makes of an object: the API server's rules, from object and wish to the new object.

As `registry/rest` and the strategy of custom resources have them. Pure.
"""

from typing import Any

from tests.simulation.kube import refusals, routes, schemas

Json = dict[str, Any]

# What no write changes.
_FIXED = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "namespace",
    "name",
)
_OMITTED_WHEN_EMPTY = ("labels", "annotations", "finalizers", "ownerReferences")


def created(kind: routes.Kind, body: Json, *, namespace: str | None, uid: str, now: str) -> Json:
    """Return a new object as it is kept.

    Raises:
        Refusal: it is not what can be created there.
    """
    metadata = dict(body.get("metadata") or {})
    if metadata.get("resourceVersion"):
        raise refusals.Refusal(
            500, "", "resourceVersion should not be set on objects to be created"
        )
    if namespace is not None and metadata.get("namespace", namespace) != namespace:
        raise refusals.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if "name" not in metadata and "generateName" in metadata:
        metadata["name"] = metadata["generateName"] + uid[-5:]
    if "name" not in metadata:
        raise refusals.invalid(
            kind.kind, kind.group, "", "metadata.name: Required value: name is required"
        )
    metadata |= {"uid": uid, "creationTimestamp": now}
    if namespace is not None:
        metadata["namespace"] = namespace
    if kind.counts_generations:
        metadata["generation"] = 1
    result = {
        **body,
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": _without_empty(metadata),
    }
    if kind.has_status:
        result.pop("status", None)
    return _defaulted(kind, result)


def updated(kind: routes.Kind, old: Json, wish: Json) -> Json:
    """Return the object that a write to its main resource makes; equal to `old` if nothing changes.

    Raises:
        Refusal: it is a write onto another version or another object, or not allowed.
    """
    _check_version(kind, old, wish)
    _check_identity(kind, old, wish)
    before, metadata = old["metadata"], dict(wish["metadata"])
    for name in _FIXED:
        if name in before:
            metadata[name] = before[name]
        else:
            metadata.pop(name, None)
    metadata["resourceVersion"] = before["resourceVersion"]
    _check_finalizers(kind, before, metadata)
    result = {**wish, "metadata": _without_empty(metadata)}
    if kind.has_status:
        result.pop("status", None)
        if "status" in old:
            result["status"] = old["status"]
    result = _defaulted(kind, result)
    if kind.counts_generations and _content(result) != _content(old):
        result["metadata"]["generation"] = before["generation"] + 1
    return result


def updated_status(kind: routes.Kind, old: Json, wish: Json) -> Json:
    """Return the object that a write to its status makes: nothing but the status changes.

    Raises:
        Refusal: it is a write onto another version.
    """
    _check_version(kind, old, wish)
    result = {**old}
    result.pop("status", None)
    if "status" in wish:
        result["status"] = wish["status"]
    return _defaulted(kind, result)


def deleted(kind: routes.Kind, old: Json, *, now: str) -> Json | None:
    """Return the object as a deletion leaves it; None if it is gone at once."""
    metadata = dict(old["metadata"])
    if not metadata.get("finalizers"):
        return None
    if "deletionTimestamp" in metadata:
        return old
    metadata |= {"deletionTimestamp": now, "deletionGracePeriodSeconds": 0}
    if kind.counts_generations:
        metadata["generation"] += 1
    return {**old, "metadata": metadata}


def is_finished(body: Json) -> bool:
    """Whether an object that is being deleted has nothing left that holds it."""
    metadata = body["metadata"]
    return "deletionTimestamp" in metadata and not metadata.get("finalizers")


def check_replaced(kind: routes.Kind, old: Json | None, wish: Json) -> None:
    """Refuse to replace an object other than the one that was read.

    Raises:
        Refusal: that one is gone.
    """
    name, uid = wish["metadata"]["name"], wish["metadata"].get("uid", "")
    found = old["metadata"]["uid"] if old else ""
    if uid and uid != found:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {found}"
        raise refusals.conflict(kind.plural, kind.group, name, why)


def _check_version(kind: routes.Kind, old: Json, wish: Json) -> None:
    before, metadata = old["metadata"], wish["metadata"]
    if metadata.get("resourceVersion", before["resourceVersion"]) != before["resourceVersion"]:
        raise refusals.conflict(kind.plural, kind.group, before["name"])


def _check_identity(kind: routes.Kind, old: Json, wish: Json) -> None:
    before, metadata = old["metadata"], wish["metadata"]
    name = before["name"]
    if metadata.get("name", name) != name:
        raise refusals.bad_request("the name of the object does not match the name on the URL")
    uid = metadata.get("uid", before["uid"])
    if uid != before["uid"]:
        why = f'metadata.uid: Invalid value: "{uid}": field is immutable'
        raise refusals.invalid(kind.kind, kind.group, name, why)


def _check_finalizers(kind: routes.Kind, before: Json, after: Json) -> None:
    if "deletionTimestamp" not in before:
        return
    added = sorted(set(after.get("finalizers") or ()) - set(before.get("finalizers") or ()))
    if added:
        raise refusals.invalid(
            kind.kind,
            kind.group,
            before["name"],
            "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being "
            f"deleted, found new finalizers {added}",
        )


def _content(body: Json) -> Json:
    return {name: value for name, value in body.items() if name not in ("metadata", "status")}


def _without_empty(metadata: Json) -> Json:
    return {
        name: value for name, value in metadata.items() if value or name not in _OMITTED_WHEN_EMPTY
    }


def _defaulted(kind: routes.Kind, body: Json) -> Json:
    return schemas.defaulted(body) if kind.is_defaulted else body

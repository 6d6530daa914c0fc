"""The kopf handlers of StackChains. They only call reconcile, and start no other work."""

from collections.abc import Callable, Mapping
from typing import Any

import kopf

from controller.api import v1alpha1
from controller.operator import (
    chain_dependencies,
    errors,
    kopf_settings,
    reconciler,
    resync,
    watches,
)

_RESOURCE = (v1alpha1.GROUP, v1alpha1.VERSION, v1alpha1.PLURAL)
# Until the workflow has closed; short at first, since a person waits for `kubectl delete`. It may
# take hours, if a run applies, and each look costs two requests to the API server.
_RELEASE_SECONDS = 1.0
_RELEASE_MOST_SECONDS = 5.0
_LOOKS_ALIKE = 5


def build_registry(
    reconciler: reconciler.Reconciler,
    known: resync.KnownResources,
    dependencies: chain_dependencies.ChainDependencies,
    watches: watches.Watches,
    *,
    login: kopf_settings.Login,
) -> kopf.OperatorRegistry:
    """Return the handlers for one operator; nothing is registered globally."""
    registry = kopf.OperatorRegistry()

    async def on_change(
        body: kopf.Body, namespace: str | None, name: str | None, reason: str, **_: Any
    ) -> None:
        # At a restart all resources come by; most have nothing to do and cost no request.
        if reason == kopf.Reason.RESUME and resync.is_settled(body):
            return
        with errors.as_kopf(), watches.passing():
            await reconciler.reconcile(namespace or "", name or "")

    async def on_delete(
        namespace: str | None, name: str | None, uid: str | None, retry: int, **_: Any
    ) -> None:
        with errors.as_kopf(), watches.passing():
            if not await reconciler.release(namespace or "", name or "", uid or ""):
                raise kopf.TemporaryError("Waits for the runs to stop", delay=release_pause(retry))

    async def on_event(event: Mapping[str, Any], body: kopf.Body, **_: Any) -> None:
        try:
            known.take_in(event.get("type"), body)
            dependencies.take_in(event.get("type"), body)
        finally:
            watches.note_handled(body["metadata"]["uid"])

    kopf.on.login(registry=registry)(login)
    kopf.on.event(*_RESOURCE, registry=registry)(on_event)
    # One handler with one id: otherwise kopf would call, after a restart, one after the other for a
    # resource that was edited meanwhile, and note in between that the first one is done.
    kopf.on.resume(*_RESOURCE, registry=registry, id=kopf_settings.RECONCILE)(on_change)
    kopf.on.create(*_RESOURCE, registry=registry, id=kopf_settings.RECONCILE)(on_change)
    kopf.on.update(*_RESOURCE, registry=registry, id=kopf_settings.RECONCILE)(on_change)
    kopf.on.delete(*_RESOURCE, registry=registry, id="release")(on_delete)
    return registry


def taking_at_rest(
    known: resync.KnownResources, dependencies: chain_dependencies.ChainDependencies
) -> Callable[[Mapping[str, Any]], bool]:
    """Return what takes in a listed resource if no handler would have anything to do for it.

    See ADR 0065.
    """

    def take_at_rest(body: Mapping[str, Any]) -> bool:
        if not kopf_settings.is_done(body):
            return False
        known.take_in(None, body)
        if not known.is_settled(body["metadata"]["uid"]):
            return False
        dependencies.take_in(None, body)
        return True

    return take_at_rest


def release_pause(looks: int) -> float:
    """Return in how many seconds to look again at a deletion, after this many looks."""
    return min(_RELEASE_SECONDS * (1 + looks // _LOOKS_ALIKE), _RELEASE_MOST_SECONDS)

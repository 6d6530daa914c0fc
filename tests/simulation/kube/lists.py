"""Lists of objects, in pages that all show the moment of the first one."""

import itertools
import json
from typing import Any

from tests.simulation.kube import refusals
from tests.simulation.kube.refusals import Answer
from tests.simulation.kube.routes import Request, Target
from tests.simulation.kube.store import Store, Stored

Json = dict[str, Any]

_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_KNOWN_QUERY = {"limit", "continue"}


class Lists:
    """Remembers what pages are left of each list."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tokens = itertools.count()
        self._pages: dict[str, tuple[int, list[Stored]]] = {}

    def answer(self, request: Request, target: Target) -> Answer:
        """Return a list, or one page of it.

        Raises:
            Refusal: the page is no longer known.
        """
        if unknown := set(request.query) - _KNOWN_QUERY:
            raise NotImplementedError(f"{request}: {unknown}")
        token = request.query.get("continue")
        if token:
            version, left = self._pages.pop(token, (0, []))
            if version <= self._store.compacted and version != self._store.version:
                raise refusals.expired(
                    "The provided continue parameter is too old to display a consistent list result"
                )
        else:
            version = self._store.version
            left = self._store.select(target.kind.plural, target.namespace)
        limit = int(request.query.get("limit", "0")) or len(left)
        page, left = left[:limit], left[limit:]
        metadata: Json = {"resourceVersion": str(version)}
        if left:
            metadata |= {"continue": f"{version}-{len(left)}-{next(self._tokens)}"}
            metadata["remainingItemCount"] = len(left)
            self._pages[metadata["continue"]] = (version, left)
        return _page(target, page, metadata, is_partial=request.accept == _METADATA_ONLY)


def _page(target: Target, page: list[Stored], metadata: Json, *, is_partial: bool) -> Answer:
    kind = target.kind
    head = {"apiVersion": kind.api_version, "kind": f"{kind.kind}List", "metadata": metadata}
    if is_partial:
        partial = [
            {
                "kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": stored.body["metadata"],
            }
            for stored in page
        ]
        head |= {"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList"}
        data = json.dumps({**head, "items": partial or None}).encode()
        return Answer(status=200, data=data)
    # Put together from what is serialized already.
    items = b", ".join(stored.data for stored in page)
    data = json.dumps(head).encode()[:-1] + b', "items": [' + items + b"]}"
    return Answer(status=200, data=data)

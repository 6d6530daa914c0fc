"""For gather: the chains that others name in `spec.dependsOn`, and whose changes wake those others.

The watch shows which chain names which. So a change of a chain wakes those that wait for it, and a
cycle is found without a request. The state of a chain is read again before a run starts. A lost
wake only costs time: the resync looks at whatever waits.
"""

import asyncio
import dataclasses
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from controller.api import v1alpha1
from controller.chain.requests import chain_waits, other_chains
from controller.kube import stackchains

logger = logging.getLogger(__name__)

_Key = tuple[str, str]
# A namespace with many chains that wait for one must not take all passes at once.
_AT_ONCE = 8


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Standing:
    """What matters of a chain to those that name it."""

    uid: str
    depends_on: tuple[str, ...]
    wait: chain_waits.ChainWait | None


class ChainDependencies:
    """Knows the served namespaces as the watch last showed them."""

    def __init__(self, stack_chains: stackchains.StackChains) -> None:
        self._stack_chains = stack_chains
        self._names: dict[str, set[str]] = {}
        self._depends_on: dict[str, dict[str, tuple[str, ...]]] = {}
        self._standings: dict[_Key, _Standing] = {}
        # A dict, since it keeps the order in which they came.
        self._woken: dict[_Key, None] = {}
        self._news = asyncio.Event()

    async def read(self, chain: v1alpha1.StackChain) -> other_chains.OtherChains:
        """Return the chains that a chain names, as they are now.

        Raises:
            KubeError: the API server did not serve; call again later.
        """
        namespace, found = chain.ref.namespace, dict[str, v1alpha1.StackChain | None]()
        unreadable = set()
        for item in chain.spec.depends_on:
            body = await self._stack_chains.get(namespace, item.name)
            try:
                found[item.name] = v1alpha1.parse(body) if body is not None else None
            except v1alpha1.InvalidResource:
                unreadable.add(item.name)
        return other_chains.OtherChains(
            found=found,
            unreadable=frozenset(unreadable),
            dependencies=dict(self._depends_on.get(namespace, {})),
            names=frozenset(self._names.get(namespace, ())),
        )

    def take_in(self, event_type: str | None, body: Mapping[str, Any]) -> None:
        """Take in one event of the watch, and wake those that it matters to."""
        metadata = body["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        self._note_name(namespace, name, is_there=event_type != "DELETED")
        named = self._depends_on.setdefault(namespace, {})
        if event_type == "DELETED":
            named.pop(name, None)
        elif depends_on := _names(body):
            named[name] = depends_on
        else:
            named.pop(name, None)
        waiters = [other for other, names in named.items() if name in names]
        if not named:
            del self._depends_on[namespace]
        if not waiters:
            # No one needs to know, and a chain that names it later reads it then.
            self._standings.pop((namespace, name), None)
            return
        standing = None if event_type == "DELETED" else _standing(body)
        if standing == self._standings.get((namespace, name)):
            return
        if standing is None:
            self._standings.pop((namespace, name), None)
        else:
            self._standings[namespace, name] = standing
        for waiter in waiters:
            self._woken[namespace, waiter] = None
        self._news.set()

    def _note_name(self, namespace: str, name: str, *, is_there: bool) -> None:
        names = self._names.setdefault(namespace, set())
        if is_there:
            names.add(name)
            return
        names.discard(name)
        if not names:
            del self._names[namespace]

    def forget(self, namespace: str, name: str) -> None:
        """Take in that a chain is gone, which no watch has shown."""
        self.take_in("DELETED", {"metadata": {"namespace": namespace, "name": name}})

    async def run(self, reconcile: Callable[[str, str], Awaitable[object]]) -> None:
        """Have those that are woken reconciled, for as long as the operator leads."""
        slots = asyncio.Semaphore(_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            while True:
                await self._news.wait()
                self._news.clear()
                woken, self._woken = self._woken, {}
                for namespace, name in woken:
                    await slots.acquire()
                    passing = group.create_task(_pass(reconcile, namespace, name))
                    passing.add_done_callback(lambda _: slots.release())


async def _pass(
    reconcile: Callable[[str, str], Awaitable[object]], namespace: str, name: str
) -> None:
    try:
        await reconcile(namespace, name)
    except Exception as error:
        # It was counted and shown where it happened; the resync retries it.
        logger.info(
            "A chain that waits for another could not be reconciled",
            extra={"namespace": namespace, "chain": name, "why": str(error)},
        )


def _standing(body: Mapping[str, Any]) -> _Standing:
    uid, name = body["metadata"]["uid"], body["metadata"]["name"]
    wait: chain_waits.ChainWait | None
    try:
        wait = other_chains.wait_for(name, v1alpha1.parse(body))
    except v1alpha1.InvalidResource:
        wait = chain_waits.ChainWait(name=name, which="", needs_person=True)
    return _Standing(uid=uid, depends_on=_names(body), wait=wait)


def _names(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what a resource names; it may hold whatever an older definition has let in."""
    named = (body.get("spec") or {}).get("dependsOn")
    items = named if isinstance(named, list) else []
    return tuple(
        str(item["name"]) for item in items if isinstance(item, Mapping) and item.get("name")
    )

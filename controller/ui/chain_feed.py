"""All that viewers of the page see, kept up to date by watches that they share."""

import asyncio
import dataclasses
import logging
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from controller import clock
from controller.kube import chain_watch, errors
from controller.ui.page_documents import ChainDocuments, Document, change_between

logger = logging.getLogger(__name__)

_LEAST_PAUSE_SECONDS = 0.5
_MOST_PAUSE_SECONDS = 15.0

ChainKey = tuple[str, str]
Describe = Callable[[Mapping[str, Any]], ChainDocuments]


class SharedDescriptions:
    """Describes each version of a chain once, for as long as a feed holds it.

    Viewers with different rights have different feeds, and each feed holds what the API server has
    sent to it. For a chain that two of them may see, both hold the same documents.
    """

    def __init__(self, describe: Describe) -> None:
        """Know nothing yet."""
        self._describe = describe
        self._known: weakref.WeakValueDictionary[tuple[Any, Any], ChainDocuments] = (
            weakref.WeakValueDictionary()
        )

    def describe(self, body: Mapping[str, Any]) -> ChainDocuments:
        """Return what the page shows of a chain."""
        version = _version(body)
        if None in version:
            return self._describe(body)
        known = self._known.get(version)
        if known is None:
            known = self._known[version] = self._describe(body)
        return known


@dataclasses.dataclass(kw_only=True, slots=True)
class _KnownChain:
    """A chain, as it was described when it last changed."""

    body: Mapping[str, Any]
    documents: ChainDocuments


@dataclasses.dataclass(kw_only=True, slots=True)
class _Scope:
    """One namespace, or all of them, and what is known of its chains."""

    watch: chain_watch.ChainWatch
    chains: dict[ChainKey, _KnownChain] = dataclasses.field(default_factory=dict)
    is_listed: bool = False
    error: errors.KubeError | None = None
    problem: str = ""


class ChainFeed:
    """Holds what is known of the chains; `changed` is set and replaced whenever that changes."""

    def __init__(
        self,
        watches: Sequence[chain_watch.ChainWatch],
        *,
        describe: Describe,
        problem_of: Callable[[errors.KubeError], str],
    ) -> None:
        """Know nothing yet.

        Args:
            watches: where the chains come from: all namespaces, or each of some.
            describe: says what the page shows of one.
            problem_of: says why the chains cannot be read.
        """
        self._scopes = [_Scope(watch=watch) for watch in watches]
        self._describe = describe
        self._problem_of = problem_of
        self.changed = asyncio.Event()

    @property
    def is_listed(self) -> bool:
        """Whether all chains are known that can be known now."""
        return any(scope.is_listed for scope in self._scopes) and self._is_answered

    @property
    def _is_answered(self) -> bool:
        """Whether the API server has answered for each scope, even with an error."""
        return all(scope.is_listed or scope.error is not None for scope in self._scopes)

    async def answered(self) -> None:
        """Wait until the API server has answered for each scope, even with an error."""
        while not self._is_answered:
            await self.changed.wait()

    @property
    def error(self) -> errors.KubeError | None:
        """Why chains cannot be read now."""
        return next((scope.error for scope in self._scopes if scope.error is not None), None)

    @property
    def problem(self) -> str:
        """The same for people; empty if there is nothing."""
        return next((scope.problem for scope in self._scopes if scope.problem), "")

    async def run(self) -> None:
        """Follow the chains until this is canceled, whatever happens to the API server."""
        async with asyncio.TaskGroup() as tasks:
            for scope in self._scopes:
                tasks.create_task(self._follow(scope))

    async def _follow(self, scope: _Scope) -> None:
        pause = _LEAST_PAUSE_SECONDS
        while True:
            started, is_listed = clock.monotonic(), False
            try:
                async for change in scope.watch.changes():
                    is_listed = True
                    self._take(scope, change)
                    # Nothing of it is kept but what is shown.
                    del change
            except errors.KubeError as error:
                if isinstance(error, errors.Denied) and not is_listed:
                    # Viewers who may no longer see the chains are no longer shown them.
                    scope.chains = {}
                self._set_problem(scope, error)
                logger.debug("The chains cannot be read", extra={"error": str(error)})
            # Who may list and not watch, or whose watch has always expired, gets a list at once,
            # each time.
            if clock.monotonic() - started > _MOST_PAUSE_SECONDS:
                pause = _LEAST_PAUSE_SECONDS
            await asyncio.sleep(pause)
            pause = min(_MOST_PAUSE_SECONDS, 2 * pause)

    def rows(self) -> Mapping[ChainKey, Document]:
        """Return the chains as the list shows them."""
        return {
            key: known.documents.row
            for scope in self._scopes
            for key, known in scope.chains.items()
        }

    def detail(self, key: ChainKey) -> Document | None:
        """Return all that is shown of one chain."""
        known = self._known(key)
        return known.documents.detail if known is not None else None

    def uid(self, key: ChainKey) -> str | None:
        """Return the uid of a chain."""
        known = self._known(key)
        return str(known.body["metadata"]["uid"]) if known is not None else None

    def _known(self, key: ChainKey) -> _KnownChain | None:
        return next((scope.chains[key] for scope in self._scopes if key in scope.chains), None)

    def _take(self, scope: _Scope, change: chain_watch.Listed | chain_watch.Seen) -> None:
        match change:
            case chain_watch.Listed(bodies=bodies):
                before = scope.chains
                scope.chains = {}
                for body in bodies:
                    self._keep(scope, body, before.get(_key(body)))
                scope.is_listed = True
            case chain_watch.Seen(body=body, is_gone=True):
                scope.chains.pop(_key(body), None)
            case chain_watch.Seen(body=body):
                self._keep(scope, body, None)
        scope.error, scope.problem = None, ""
        self._wake()

    def _keep(self, scope: _Scope, body: Mapping[str, Any], known: _KnownChain | None) -> None:
        if known is None or _version(known.body) != _version(body):
            known = _KnownChain(body=_identity(body), documents=self._describe(body))
        scope.chains[_key(body)] = known

    def _set_problem(self, scope: _Scope, error: errors.KubeError) -> None:
        scope.error, problem = error, self._problem_of(error)
        is_denied = isinstance(error, errors.Denied)
        if problem != scope.problem or is_denied:
            scope.problem = problem
            self._wake()

    def _wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


class PageViewer:
    """What one viewer has been sent, so that only what is new is sent."""

    def __init__(self, feed: ChainFeed, looks_at: ChainKey | None) -> None:
        """Look at all chains, and at one of them in detail."""
        self._feed = feed
        self._looks_at = looks_at
        self._rows: Mapping[ChainKey, Document] | None = None
        self._detail: Document | None = None
        self._is_missing = False
        self._problem = ""

    def news(self) -> list[tuple[str, Any]]:
        """Return what has come since the last call: names of events, and their data."""
        feed = self._feed
        found: list[tuple[str, Any]] = []
        if feed.problem != self._problem:
            self._problem = feed.problem
            found.append(("problem", {"text": feed.problem}))
        if feed.is_listed:
            found += self._new_rows()
            found += self._new_detail()
        return found

    def _new_rows(self) -> list[tuple[str, Any]]:
        rows, before = self._feed.rows(), self._rows
        self._rows = rows
        if before is None:
            return [("chains", list(rows.values()))]
        gone = [
            ("gone", {"namespace": namespace, "name": name})
            for namespace, name in before
            if (namespace, name) not in rows
        ]
        changed = [
            ("chain", row)
            for key, row in rows.items()
            if before.get(key) is not row and before.get(key) != row
        ]
        return [*gone, *changed]

    def _new_detail(self) -> list[tuple[str, Any]]:
        if self._looks_at is None:
            return []
        detail, before = self._feed.detail(self._looks_at), self._detail
        self._detail = detail
        if detail is None:
            was_missing, self._is_missing = self._is_missing, True
            return [] if was_missing else [("missing", {})]
        was_missing, self._is_missing = self._is_missing, False
        if before is None or was_missing or _uid(before) != _uid(detail):
            return [("detail", detail)]
        return [] if before is detail else [("change", change_between(before, detail))]


def _key(body: Mapping[str, Any]) -> ChainKey:
    return body["metadata"]["namespace"], body["metadata"]["name"]


def _identity(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what has to be known of a resource besides what is shown: the rest is large."""
    metadata = body["metadata"]
    return {"metadata": {key: metadata.get(key) for key in ("uid", "resourceVersion")}}


def _version(body: Mapping[str, Any]) -> tuple[Any, Any]:
    return body["metadata"].get("uid"), body["metadata"].get("resourceVersion")


def _uid(detail: Document) -> Any:
    return detail["resource"]["metadata"].get("uid")

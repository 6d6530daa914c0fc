"""The Spacelift API client: one method per operation, one HTTP request per page, no retries.

Activities own all retries, since only they know whether repeating is safe. The one exception is a
refused token (see `tokens`), after which nothing was carried out.
"""

import dataclasses
import itertools
import json
from collections.abc import (
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
    Sequence,
)
from typing import Any, TypeVar

from controller import outside_text
from controller.chain.graph import adoption
from controller.chain.run import run_states
from controller.spacelift import account_session, answers, documents, errors, models
from controller.spacelift.models import (
    PlannedRun,
    RunKey,
    RunRecord,
    RunsPage,
    RunType,
    StackHold,
    StackRecord,
    Viewer,
)

_T = TypeVar("_T")
_Record = TypeVar("_Record")

Answers = MutableMapping[str, answers.Answer]
"""Answers by what was asked."""

_STOP_DOCUMENTS = {
    run_states.StopCall.CANCEL: documents.CANCEL_RUN,
    run_states.StopCall.DISCARD: documents.DISCARD_RUN,
    run_states.StopCall.STOP: documents.STOP_RUN,
}


class SpaceliftClient:
    """One connection to one account; every failure leaves it as one of `errors`."""

    def __init__(
        self, account: account_session.AccountSession, *, known: Answers | None = None
    ) -> None:
        """Take the session of the account; it is closed with the client.

        Args:
            account: the session.
            known: answers that are not asked for again; further ones are added.
        """
        self._session = account
        self._known = known

    def remembering(self, known: Answers) -> "SpaceliftClient":
        """Return a client of the same session that asks for nothing that is known already."""
        return SpaceliftClient(self._session, known=known)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._session.aclose()

    async def get_viewer(self) -> Viewer:
        """Return whom Spacelift takes the API key for; a null viewer is rejected credentials."""
        what = "reading the viewer"
        answer = await self._query(documents.GET_VIEWER, {}, what=what)
        with answers.readable(what):
            viewer = answer.data["viewer"]
            return Viewer(
                id=outside_text.clean(str(viewer["id"])),
                name=outside_text.clean(viewer.get("name")),
            )

    async def get_stacks(self, stack_ids: Sequence[str]) -> dict[str, StackRecord | None]:
        """Return stacks by id; None if one is missing or invisible to the API key."""
        return await self._read_many(
            stack_ids,
            what=lambda chunk: f"reading {_named(chunk)}",
            ask=documents.get_stacks,
            read=lambda body, _: models.read_stack(body),
        )

    async def get_stack_holds(self, stack_ids: Sequence[str]) -> dict[str, StackHold | None]:
        """Return what may hold stacks, by id; None if one is missing or invisible."""
        return await self._read_many(
            stack_ids,
            what=lambda chunk: f"reading what holds {_named(chunk)}",
            ask=documents.get_stack_holds,
            read=lambda body, _: models.read_hold(body),
        )

    async def list_stacks_by_labels(self, labels: Sequence[str]) -> list[StackRecord]:
        """Return the stacks that carry at least one of the labels verbatim, sorted by id."""
        wanted = frozenset(labels)
        found: dict[str, StackRecord] = {}
        for chunk in chunks(sorted(wanted)):
            async for page in self._search_pages([chunk]):
                # Whether Spacelift compares labels exactly or as patterns is not documented.
                found |= {stack.id: stack for stack in page if wanted.intersection(stack.labels)}
        return [found[stack_id] for stack_id in sorted(found)]

    async def list_stacks_with_labels(
        self, labels: Sequence[str], *, limit: int
    ) -> list[StackRecord]:
        """Return the stacks that carry all of the labels verbatim, sorted by id.

        Reading ends once more than `limit` are found.
        """
        found: dict[str, StackRecord] = {}
        async for page in self._search_pages([[label] for label in labels]):
            found |= {stack.id: stack for stack in page if set(labels) <= set(stack.labels)}
            if len(found) > limit:
                break
        return [found[stack_id] for stack_id in sorted(found)]

    async def list_stacks_like(self, text: str) -> list[StackRecord]:
        """Return some of the stacks that a full text search finds.

        What Spacelift searches through, and how, is not documented: a hint, and no more.
        """
        what = f"searching for stacks like {text}"
        answer = await self._query(documents.SEARCH_STACKS, documents.search_text(text), what=what)
        with answers.readable(what):
            return [
                models.read_stack(edge["node"]) for edge in answer.data["searchStacks"]["edges"]
            ]

    async def list_runs_after(
        self,
        stack_id: str,
        run_id: str | None,
        *,
        limit: int = 200,
        run_type: str = RunType.TRACKED,
    ) -> list[RunRecord]:
        """Return the stack's runs that were created after a run, newest first.

        Args:
            stack_id: The stack.
            run_id: The run to stop at, which need not exist; None for the newest page only.
            limit: At most this many runs, the newest ones.
            run_type: PROPOSED for proposed runs, which Spacelift lists apart from all others.

        Raises:
            SpaceliftObjectNotFound: If the stack is missing or invisible to the API key.
        """
        found: dict[str, RunRecord] = {}
        before: str | None = None
        while True:
            page, _ = await self._runs_page(stack_id, run_type, before=before)
            # A page without news ends the list too, so that a list that ignores `before` has an
            # end.
            is_last = run_id is None or all(run.run_id in found for run in page)
            for run in page:
                if run_id is not None and run.run_id <= run_id:
                    is_last = True
                else:
                    found[run.run_id] = run
            if is_last or len(found) >= limit:
                return [found[found_id] for found_id in sorted(found, reverse=True)[:limit]]
            before = page[-1].run_id

    async def get_newest_runs(self, stack_ids: Sequence[str]) -> dict[str, RunsPage | None]:
        """Return the newest page of runs of up to 50 stacks in one request, newest first.

        They have their ids, states, types and who triggered them, and nothing else; None means a
        stack that is missing or invisible to the API key.
        """
        return await self._read_many(
            stack_ids,
            what=lambda chunk: f"listing runs of {_named(chunk)}",
            ask=documents.get_newest_runs,
            read=_newest_runs,
        )

    async def get_newest_run(
        self, stack_id: str, *, run_type: str = RunType.TRACKED
    ) -> tuple[RunRecord | None, StackHold]:
        """Return the stack's newest run, and what would keep another from being created.

        Raises:
            SpaceliftObjectNotFound: If the stack is missing or invisible to the API key.
        """
        page, hold = await self._runs_page(stack_id, run_type, before=None)
        return max(page, key=lambda run: run.run_id, default=None), hold

    async def get_runs(self, keys: Sequence[RunKey]) -> dict[RunKey, RunRecord | None]:
        """Return runs by key with their stack's hold, without notes; None where one is missing.

        An error that belongs to one run only still fails the call: it says nothing about the run.
        """
        return await self._read_many(
            keys,
            what=lambda chunk: f"reading {_named_runs(chunk)}",
            ask=documents.get_runs,
            read=_held_run_of,
        )

    async def get_run_times(self, keys: Sequence[RunKey]) -> dict[RunKey, adoption.RunTimes | None]:
        """Return when runs started and ended, by key; None if one is missing."""
        return await self._read_many(
            keys,
            what=lambda chunk: f"reading the times of {_named_runs(chunk)}",
            ask=documents.get_run_times,
            read=_run_times,
        )

    async def get_run(self, key: RunKey) -> RunRecord | None:
        """Return a run with the note of its newest transition; None if missing or invisible."""
        what = f"reading {_named_run(key)}"
        variables = {"stack": key.stack_id, "run": key.run_id}
        try:
            answer = await self._query(documents.GET_RUN, variables, what=what)
        except errors.SpaceliftObjectNotFound:
            return None
        with answers.readable(what):
            return _run_of(answer.data["stack"], key)

    async def get_planned_run(self, key: RunKey) -> PlannedRun | None:
        """Return a run with the kinds of its planned changes; None if missing or invisible.

        Raises:
            SpaceliftRefused: this account does not list the changes.
        """
        what = f"reading the plan of {_named_run(key)}"
        variables = {"stack": key.stack_id, "run": key.run_id}
        try:
            answer = await self._query(documents.GET_PLANNED_CHANGES, variables, what=what)
        except errors.SpaceliftObjectNotFound:
            return None
        with answers.readable(what):
            body = (answer.data["stack"] or {}).get("run")
            return models.read_planned_run(body, stack_id=key.stack_id) if body else None

    async def trigger_run(
        self,
        stack_id: str,
        *,
        marker: str,
        run_type: str = RunType.TRACKED,
        commit_sha: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> RunRecord:
        """Create a run. Spacelift does not deduplicate: two calls create two runs.

        Args:
            stack_id: The stack.
            marker: Goes to the run's metadata, where notification policies can see it.
            run_type: TRACKED, PROPOSED or DESTROY.
            commit_sha: The commit; default: the stack's tracked one.
            environment: Variables for this run only; not secret.
        """
        variables: dict[str, object] = {"stack": stack_id, "type": run_type, "sha": commit_sha}
        document = documents.TRIGGER_RUN
        if environment:
            document = documents.TRIGGER_RUN_WITH_ENVIRONMENT
            pairs = [{"key": name, "value": value} for name, value in environment.items()]
            variables["config"] = {"environment": pairs}
        return await self._session.mutate(
            document,
            variables,
            what=f"triggering a {run_type} run of stack {stack_id}",
            run_metadata=marker,
        )

    async def confirm_run(self, key: RunKey, *, note: str) -> RunRecord:
        """Let an UNCONFIRMED run apply its plan."""
        return await self._act(documents.CONFIRM_RUN, "confirming", key, note=note)

    async def discard_run(self, key: RunKey, *, note: str) -> RunRecord:
        """Drop the plan of an UNCONFIRMED run."""
        return await self._act(documents.DISCARD_RUN, "discarding", key, note=note)

    async def cancel_run(self, key: RunKey, *, note: str) -> RunRecord:
        """Cancel a run that no worker has begun."""
        return await self._act(documents.CANCEL_RUN, "canceling", key, note=note)

    async def stop_run(self, key: RunKey, *, note: str) -> RunRecord:
        """Ask the worker to stop a run that is being prepared or planned."""
        return await self._act(documents.STOP_RUN, "stopping", key, note=note)

    async def end_runs(
        self, call: run_states.StopCall, wanted: Sequence[tuple[RunKey, str]]
    ) -> dict[RunKey, RunRecord | errors.SpaceliftError]:
        """Call what ends runs, in this order, each with its note; up to 50 go into one document.

        A run that is missing in the answer may or may not have been ended. With some servers, a
        call that fails keeps those behind it in the document from being carried out, and hides the
        answers to those before it. Read such runs again.

        Raises:
            SpaceliftError: a whole document failed; those before it were carried out.
        """
        ended: dict[RunKey, RunRecord | errors.SpaceliftError] = {}
        left = list(wanted)
        for size in documents.sizes_for(len(left)):
            chunk, left = left[:size], left[size:]
            keys = [key for key, _ in chunk]
            what = f"ending {len(keys)} runs ({call}), the first {_named_run(keys[0])}"
            document, variables = documents.end_runs(
                _STOP_DOCUMENTS[call], keys, [note for _, note in chunk]
            )
            found = await self._session.mutate_many(document, variables, what=what)
            with answers.readable(what):
                for position, key in enumerate(keys):
                    match found.get(f"a{position}"):
                        case errors.SpaceliftError() as refusal:
                            ended[key] = refusal
                        case None:
                            pass
                        case body:
                            ended[key] = models.read_run(body, stack_id=key.stack_id)
        return ended

    async def _read_many(
        self,
        items: Iterable[_T],
        *,
        what: Callable[[Sequence[_T]], str],
        ask: Callable[[Sequence[_T]], tuple[documents.Document, documents.Variables]],
        read: Callable[[Mapping[str, Any], _T], _Record | None],
    ) -> dict[_T, _Record | None]:
        """Read many things of one kind, up to 50 in one request; a stack that is null is None."""
        found: dict[_T, _Record | None] = {}
        for chunk in chunks(items):
            doing = what(chunk)
            document, variables = ask(chunk)
            answer = await self._query(
                document, variables, what=doing, check=answers.check_many_fields
            )
            with answers.readable(doing):
                for position, item in enumerate(chunk):
                    body = answer.data[f"a{position}"]
                    found[item] = None if body is None else read(body, item)
        return found

    async def _query(
        self,
        document: documents.Document,
        variables: documents.Variables,
        *,
        what: str,
        check: Callable[..., None] = answers.check_fields,
    ) -> answers.Answer:
        asked = json.dumps([document.text, variables], sort_keys=True)
        if self._known is not None and asked in self._known:
            return self._known[asked]
        answer = await self._session.query(document, variables, what=what, check=check)
        if self._known is not None:
            self._known[asked] = answer
        return answer

    async def _act(
        self, document: documents.Document, doing: str, key: RunKey, *, note: str
    ) -> RunRecord:
        variables = {"stack": key.stack_id, "run": key.run_id, "note": note}
        return await self._session.mutate(document, variables, what=f"{doing} {_named_run(key)}")

    async def _search_pages(
        self, alternatives: Sequence[Sequence[str]]
    ) -> AsyncIterator[list[StackRecord]]:
        what = f"searching stacks by {sum(map(len, alternatives))} labels"
        after: str | None = None
        while True:
            variables = documents.search_stacks(alternatives, after=after)
            answer = await self._query(documents.SEARCH_STACKS, variables, what=what)
            with answers.readable(what):
                found = answer.data["searchStacks"]
                page = [models.read_stack(edge["node"]) for edge in found["edges"]]
                cursor = found["pageInfo"]["endCursor"]
                is_last = not found["pageInfo"]["hasNextPage"] or not cursor
            yield page
            if is_last:
                return
            if cursor == after:
                message = f"{what}: the same page was returned twice; the list would be incomplete"
                raise errors.AmbiguousOutcome(message)
            after = cursor

    async def _runs_page(
        self, stack_id: str, run_type: str, *, before: str | None
    ) -> tuple[list[RunRecord], StackHold]:
        is_proposed = run_type == RunType.PROPOSED
        document = documents.LIST_PROPOSED_RUNS if is_proposed else documents.LIST_RUNS
        what = f"listing runs of stack {stack_id}"
        variables = {"stack": stack_id, "before": before}
        answer = await self._query(document, variables, what=what)
        with answers.readable(what):
            stack = answer.data["stack"]
            if stack is not None:
                page = [models.read_run(body, stack_id=stack_id) for body in stack["runs"]]
                return page, models.read_hold(stack)
        message = f"{what}: no such stack, or the API key's spaces do not include it"
        raise errors.SpaceliftObjectNotFound(message)


def _run_of(stack: Mapping[str, Any] | None, key: RunKey) -> RunRecord | None:
    run = None if stack is None else stack["run"]
    return None if run is None else models.read_run(run, stack_id=key.stack_id)


def _held_run_of(stack: Mapping[str, Any], key: RunKey) -> RunRecord | None:
    run = _run_of(stack, key)
    return None if run is None else dataclasses.replace(run, hold=models.read_hold(stack))


def _run_times(stack: Mapping[str, Any], _: RunKey) -> adoption.RunTimes | None:
    run = stack["run"]
    return None if run is None else models.read_times(run["history"])


def _newest_runs(stack: Mapping[str, Any], stack_id: str) -> RunsPage:
    runs = [models.read_run(body, stack_id=stack_id) for body in stack["runs"]]
    runs.sort(key=lambda run: run.run_id, reverse=True)
    return RunsPage(runs=tuple(runs), is_disabled=bool(stack.get("isDisabled")))


def chunks(items: Iterable[_T]) -> Iterator[list[_T]]:
    """Yield the distinct items in lists that one document reads."""
    distinct = iter(dict.fromkeys(items))
    while chunk := list(itertools.islice(distinct, documents.LARGEST_SIZE)):
        yield chunk


def _named(stack_ids: Sequence[str]) -> str:
    others = len(stack_ids) - 1
    return f"stack {stack_ids[0]}" + (f" and {others} others" if others else "")


def _named_runs(keys: Sequence[RunKey]) -> str:
    return f"{len(keys)} runs, the first {_named_run(keys[0])}"


def _named_run(key: RunKey) -> str:
    return f"run {key.run_id} of stack {key.stack_id}"

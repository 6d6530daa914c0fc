"""The GraphQL documents that the client sends: fixed texts, with every value in a variable.

Servers parse and validate each new text, and an unknown field makes them reject the whole document.
So there are few texts, and they select only fields that Spacelift's own clients select. A document
that reads many objects exists in four sizes and is padded, instead of being written again for each
count.
"""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Literal

from controller.spacelift.models import RunKey

SIZES = (1, 5, 20, 50)
"""How many objects one document reads. 50 is the page size that Spacelift's own clients use."""

LARGEST_SIZE = SIZES[-1]

_RUN = "id state type finished needsApproval triggeredBy commit { hash }"
# For many runs at a time, only what identifies each.
_LISTED = "id state type finished triggeredBy"
_DELTA = "delta { addCount changeCount deleteCount }"
# What a queued run may wait for, and what keeps one from being created.
_HOLD = "isDisabled lockedBy lockedAt lockNote blocker { id state triggeredBy }"
_EDGE = "stackId dependsOnStackId"
_STACK = (
    f"id name labels isDisabled autodeploy dependsOn {{ {_EDGE} }} isDependedOnBy {{ {_EDGE} }}"
)

Variables = Mapping[str, object]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """One operation; `name` labels it in headers, metrics and messages."""

    name: str
    kind: Literal["Query", "Mutation"]
    text: str


EXCHANGE_TOKEN = Document(
    name="ExchangeToken",
    kind="Mutation",
    text="mutation ExchangeToken($id: ID!, $secret: String!) {"
    " apiKeyUser(id: $id, secret: $secret) { jwt validUntil } }",
)

# Each query also asks who is asking. A bad token makes lists come back empty instead of failing,
# and only a null viewer distinguishes that from an account without stacks.
GET_VIEWER = Document(name="GetViewer", kind="Query", text="query GetViewer { viewer { id name } }")
GET_RUN = Document(
    name="GetRun",
    kind="Query",
    text="query GetRun($stack: ID!, $run: ID!) { viewer { id }"
    f" stack(id: $stack) {{ id run(id: $run) {{ {_RUN} {_DELTA} history {{ state note }} }} }} }}",
)
GET_PLANNED_CHANGES = Document(
    name="GetPlannedChanges",
    kind="Query",
    text="query GetPlannedChanges($stack: ID!, $run: ID!) { viewer { id }"
    f" stack(id: $stack) {{ id run(id: $run) {{ {_RUN} {_DELTA}"
    " changesV3(input: {}) { resources { metadata { type } } } } } }",
)
LIST_RUNS = Document(
    name="ListRuns",
    kind="Query",
    text="query ListRuns($stack: ID!, $before: ID) { viewer { id }"
    f" stack(id: $stack) {{ id {_HOLD} runs(before: $before) {{ {_RUN} {_DELTA} }} }} }}",
)
LIST_PROPOSED_RUNS = Document(
    name="ListProposedRuns",
    kind="Query",
    text="query ListProposedRuns($stack: ID!, $before: ID) { viewer { id }"
    f" stack(id: $stack) {{ id {_HOLD}"
    f" runs: proposedRuns(before: $before) {{ {_RUN} {_DELTA} }} }} }}",
)
SEARCH_STACKS = Document(
    name="SearchStacks",
    kind="Query",
    text="query SearchStacks($input: SearchInput!) { viewer { id }"
    f" searchStacks(input: $input) {{ edges {{ node {{ {_STACK} }} }}"
    " pageInfo { endCursor hasNextPage } } }",
)

# Mutations select little: a selected field that fails hides the outcome of a mutation that was
# committed.
TRIGGER_RUN = Document(
    name="TriggerRun",
    kind="Mutation",
    text="mutation TriggerRun($stack: ID!, $type: RunType, $sha: String) {"
    f" run: runTrigger(stack: $stack, runType: $type, commitSha: $sha) {{ {_RUN} }} }}",
)
# A separate document, since accounts that do not know the argument would reject the plain trigger
# with it.
TRIGGER_RUN_WITH_ENVIRONMENT = Document(
    name="TriggerRun",
    kind="Mutation",
    text="mutation TriggerRun("
    "$stack: ID!, $type: RunType, $sha: String, $config: RuntimeConfigInput) {"
    " run: runTrigger(stack: $stack, runType: $type, commitSha: $sha, runtimeConfig: $config)"
    f" {{ {_RUN} }} }}",
)


_FIELDS = {
    "ConfirmRun": "runConfirm",
    "DiscardRun": "runDiscard",
    "CancelRun": "runCancel",
    "StopRun": "runStop",
}


def _run_mutation(name: str) -> Document:
    return Document(
        name=name,
        kind="Mutation",
        text=f"mutation {name}($stack: ID!, $run: ID!, $note: String) {{"
        f" run: {_FIELDS[name]}(stack: $stack, run: $run, note: $note) {{ {_RUN} }} }}",
    )


CONFIRM_RUN = _run_mutation("ConfirmRun")
DISCARD_RUN = _run_mutation("DiscardRun")
CANCEL_RUN = _run_mutation("CancelRun")
STOP_RUN = _run_mutation("StopRun")


def get_runs(keys: Sequence[RunKey]) -> tuple[Document, Variables]:
    """Return the document and variables that read up to 50 runs; run N answers as field `aN`."""
    size = _size_for(len(keys))
    variables: dict[str, object] = {}
    for position in range(size):
        key = keys[min(position, len(keys) - 1)]
        variables[f"s{position}"] = key.stack_id
        variables[f"r{position}"] = key.run_id
    return _get_runs_document(size), variables


def get_stacks(stack_ids: Sequence[str]) -> tuple[Document, Variables]:
    """Return the document and variables that read up to 50 stacks; stack N answers as `aN`."""
    size = _size_for(len(stack_ids))
    last = len(stack_ids) - 1
    variables = {f"s{position}": stack_ids[min(position, last)] for position in range(size)}
    return _get_stacks_document(size), variables


def get_stack_holds(stack_ids: Sequence[str]) -> tuple[Document, Variables]:
    """Return the document and variables that read what holds up to 50 stacks."""
    _, variables = get_stacks(stack_ids)
    return _get_stack_holds_document(_size_for(len(stack_ids))), variables


def get_newest_runs(stack_ids: Sequence[str]) -> tuple[Document, Variables]:
    """Return the document and variables that read the newest runs of up to 50 stacks."""
    _, variables = get_stacks(stack_ids)
    return _get_newest_runs_document(_size_for(len(stack_ids))), variables


def get_run_times(keys: Sequence[RunKey]) -> tuple[Document, Variables]:
    """Return the document and variables that read when up to 50 runs changed their states."""
    _, variables = get_runs(keys)
    return _get_run_times_document(_size_for(len(keys))), variables


def end_runs(
    call: Document, keys: Sequence[RunKey], notes: Sequence[str]
) -> tuple[Document, Variables]:
    """Return the document and variables that end exactly these runs, one after the other.

    Nothing is padded, since each field acts, so the number of runs must be one of the sizes.

    Args:
        call: the mutation that ends one run.
        keys: the runs; the fields of a mutation are carried out in their order.
        notes: the note of each.
    """
    variables: dict[str, object] = {}
    for position, (key, note) in enumerate(zip(keys, notes, strict=True)):
        variables[f"s{position}"] = key.stack_id
        variables[f"r{position}"] = key.run_id
        variables[f"n{position}"] = note
    return _end_runs_document(call.name, _FIELDS[call.name], len(keys)), variables


def sizes_for(count: int) -> list[int]:
    """Return the sizes of documents that together cover this many objects, none of them twice."""
    sizes: list[int] = []
    while count:
        sizes.append(next(size for size in reversed(SIZES) if size <= count))
        count -= sizes[-1]
    return sizes


def search_stacks(alternatives: Sequence[Sequence[str]], *, after: str | None) -> Variables:
    """Return the variables of one page of the stacks that carry a label of each of the lists."""
    predicates = [
        {"field": "label", "constraint": {"stringMatches": list(labels)}} for labels in alternatives
    ]
    return {"input": {"first": LARGEST_SIZE, "after": after, "predicates": predicates}}


def search_text(text: str) -> Variables:
    """Return the variables of the first stacks that a full text search finds."""
    return {"input": {"first": LARGEST_SIZE, "fullTextSearch": text}}


def _size_for(count: int) -> int:
    if not 1 <= count <= LARGEST_SIZE:
        message = f"one document reads 1 to {LARGEST_SIZE} objects, not {count}"
        raise ValueError(message)
    return next(size for size in SIZES if size >= count)


@functools.cache
def _get_runs_document(size: int) -> Document:
    variables = ", ".join(f"$s{n}: ID!, $r{n}: ID!" for n in range(size))
    fields = " ".join(
        f"a{n}: stack(id: $s{n}) {{ {_HOLD} run(id: $r{n}) {{ {_RUN} {_DELTA} }} }}"
        for n in range(size)
    )
    text = f"query GetRuns({variables}) {{ viewer {{ id }} {fields} }}"
    return Document(name="GetRuns", kind="Query", text=text)


@functools.cache
def _get_run_times_document(size: int) -> Document:
    variables = ", ".join(f"$s{n}: ID!, $r{n}: ID!" for n in range(size))
    fields = " ".join(
        f"a{n}: stack(id: $s{n}) {{ run(id: $r{n}) {{ id history {{ state timestamp }} }} }}"
        for n in range(size)
    )
    text = f"query GetRunTimes({variables}) {{ viewer {{ id }} {fields} }}"
    return Document(name="GetRunTimes", kind="Query", text=text)


@functools.cache
def _end_runs_document(name: str, field: str, size: int) -> Document:
    variables = ", ".join(f"$s{n}: ID!, $r{n}: ID!, $n{n}: String" for n in range(size))
    fields = " ".join(
        f"a{n}: {field}(stack: $s{n}, run: $r{n}, note: $n{n}) {{ {_LISTED} }}" for n in range(size)
    )
    return Document(
        name=f"{name}s", kind="Mutation", text=f"mutation {name}s({variables}) {{ {fields} }}"
    )


@functools.cache
def _get_stacks_document(size: int) -> Document:
    return _of_stacks("GetStacks", _STACK, size)


@functools.cache
def _get_stack_holds_document(size: int) -> Document:
    return _of_stacks("GetStackHolds", f"id {_HOLD}", size)


@functools.cache
def _get_newest_runs_document(size: int) -> Document:
    return _of_stacks("GetNewestRuns", f"id isDisabled runs {{ {_LISTED} }}", size)


def _of_stacks(name: str, selection: str, size: int) -> Document:
    variables = ", ".join(f"$s{n}: ID!" for n in range(size))
    fields = " ".join(f"a{n}: stack(id: $s{n}) {{ {selection} }}" for n in range(size))
    text = f"query {name}({variables}) {{ viewer {{ id }} {fields} }}"
    return Document(name=name, kind="Query", text=text)

"""fetch_dependent_stacks: reads the subgraph downstream of the roots, level by level."""

import asyncio
import dataclasses
import functools
from collections.abc import Awaitable, Callable
from typing import TypeVar

import temporalio.activity as activity

from controller.chain import graph
from controller.spacelift import errors as spacelift_errors
from controller.spacelift import models
from controller.temporal import messages
from controller.temporal.activities import errors, heartbeats, spacelift_clients

# The convention for edges that Spacelift is not to know of, on the dependent stack.
LABEL_PREFIX = "dependsOn:"

# One request of a walk is refused this often before the walk is given up, and the status tells.
_LIMITED_TRIES = 5
# A longer pause is Temporal's to keep, where a worker that stops does not lose it.
_LONGEST_PAUSE_SECONDS = 60.0

_Answer = TypeVar("_Answer")


@dataclasses.dataclass(kw_only=True, slots=True)
class _Found:
    stacks: dict[str, models.StackRecord]
    unknown_roots: list[str]
    invisible: list[tuple[str, str]]
    is_cut_off: bool = False


class StackDependencies:
    """The activity that reads the graph; deciding about it is `chain.graph`'s."""

    def __init__(self, clients: spacelift_clients.SpaceliftClients) -> None:
        self._clients = clients

    @activity.defn(name="fetch_dependent_stacks")
    async def fetch_dependent_stacks(
        self, argument: messages.FetchDependentStacksInput
    ) -> graph.Discovery:
        """Return all stacks reached from the roots and every edge between them.

        Raises:
            ApplicationError: with the type of the Spacelift error.
        """
        served = self._clients.get(argument.connection)
        try:
            async with heartbeats.kept_alive():
                found = await _walk(served, argument)
        except spacelift_errors.SpaceliftError as error:
            raise errors.to_application_error(error) from error
        return graph.Discovery(
            stacks=tuple(
                graph.StackFacts(id=stack.id, name=stack.name)
                for stack in sorted(found.stacks.values(), key=lambda stack: stack.id)
            ),
            edges=_edges(found.stacks),
            unknown_roots=tuple(sorted(found.unknown_roots)),
            invisible=tuple(sorted(found.invisible)),
            is_cut_off=found.is_cut_off,
        )


async def _walk(
    served: spacelift_clients.Served, argument: messages.FetchDependentStacksInput
) -> _Found:
    found = _Found(stacks={}, unknown_roots=[], invisible=[])
    # Who led to a stack: None for a root.
    front: dict[str, str | None] = dict.fromkeys(argument.roots)
    while front:
        if len(found.stacks) + len(front) > argument.max_stacks:
            # What is over the limit need not be read, however much it is.
            found.is_cut_off = True
            return found
        level = sorted(front)
        records = await _within_rate(functools.partial(served.client.get_stacks, level))
        for stack_id, record in records.items():
            upstream = front[stack_id]
            if record is not None:
                found.stacks[stack_id] = record
            elif upstream is None:
                found.unknown_roots.append(stack_id)
            else:
                found.invisible.append((upstream, stack_id))
        front = await _next_front(served, argument, found, level=level)
    return found


async def _next_front(
    served: spacelift_clients.Served,
    argument: messages.FetchDependentStacksInput,
    found: _Found,
    *,
    level: list[str],
) -> dict[str, str | None]:
    known = found.stacks.keys() | {dependent for _, dependent in found.invisible}
    front: dict[str, str | None] = {}
    if "Dependencies" in argument.sources:
        for stack_id in level:
            record = found.stacks.get(stack_id)
            for edge in record.is_depended_on_by if record else ():
                if edge.dependent_id not in known:
                    front.setdefault(edge.dependent_id, stack_id)
    if "Labels" in argument.sources:
        wanted = {LABEL_PREFIX + stack_id: stack_id for stack_id in level}
        search = functools.partial(served.client.list_stacks_by_labels, sorted(wanted))
        for record in await _within_rate(search):
            if record.id not in known:
                upstream = next(wanted[label] for label in record.labels if label in wanted)
                front.setdefault(record.id, upstream)
    return front


async def _within_rate(call: Callable[[], Awaitable[_Answer]]) -> _Answer:
    """Wait as Spacelift asks, within the walk: one that starts over each time may never end."""
    for _ in range(_LIMITED_TRIES):
        try:
            return await call()
        except spacelift_errors.RateLimited as error:
            pause = 1.0 if error.retry_after_seconds is None else error.retry_after_seconds
            if pause > _LONGEST_PAUSE_SECONDS:
                raise
            await asyncio.sleep(pause)
    return await call()


def _edges(stacks: dict[str, models.StackRecord]) -> tuple[graph.Edge, ...]:
    """Return all edges between the stacks, whatever the sources.

    Native edges matter even where they do not order the chain: Spacelift queues runs along them.
    """
    native: set[tuple[str, str]] = set()
    labeled: set[tuple[str, str]] = set()
    for stack in stacks.values():
        for edge in (*stack.depends_on, *stack.is_depended_on_by):
            native.add((edge.upstream_id, edge.dependent_id))
        labeled.update(
            (label.removeprefix(LABEL_PREFIX), stack.id)
            for label in stack.labels
            if label.startswith(LABEL_PREFIX)
        )
    pairs = sorted((up, down) for up, down in native | labeled if up in stacks and down in stacks)
    return tuple(
        graph.Edge(
            upstream=up,
            dependent=down,
            is_native=(up, down) in native,
            is_label=(up, down) in labeled,
        )
        for up, down in pairs
    )

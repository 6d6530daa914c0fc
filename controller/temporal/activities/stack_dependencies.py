"""fetch_dependent_stacks: reads the stacks around the roots, level by level."""

import dataclasses
import itertools
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

import temporalio.activity as activity

from controller.api import v1alpha1
from controller.chain.graph import (
    dependency_labels,
    ordering,
    packed_reading,
    problems,
    resolve,
    selection,
    stages,
)
from controller.spacelift import client as spacelift_client
from controller.spacelift import documents, models
from controller.temporal import messages
from controller.temporal.activities import (
    heartbeats,
    meant_stacks,
    permission_checks,
    spacelift_clients,
)

# A message names a few of them; once these are fixed, it names the others.
_MOST_LOOK_ALIKES = 20

# From stacks to the ids of those that come next.
_Step = Callable[[Sequence[models.StackRecord]], Awaitable[set[str]]]


class StackDependencies:
    """The activity that reads the graph; deciding about it is `chain.graph`'s."""

    def __init__(self, clients: spacelift_clients.SpaceliftClients) -> None:
        self._clients = clients

    @activity.defn(name="fetch_dependent_stacks")
    async def fetch_dependent_stacks(
        self, argument: messages.FetchDependentStacksInput
    ) -> packed_reading.PackedReading:
        """Return all stacks reached from the roots and every edge between them.

        Raises:
            ApplicationError: with the type of the Spacelift error.
        """
        scope = argument.scope
        with self._clients.for_call(argument.connection) as account:
            may_run = account.connection.allowed.may_run
            permission_checks.check_scope(self._clients, argument)
            use = dataclasses.replace(argument.connection.grant.use, operation=scope.operation)
            permission_checks.check_use(account, use)
            with account.kept.reader(account.client) as reader:
                async with heartbeats.kept_alive():
                    prefixes = account.connection.dependency_label_prefixes
                    reading = _ReadStacks(reader, prefixes)
                    found = await _Discovering(reading, argument).discover()
                    similar = tuple[str, ...]()
                    for root in found.unknown_roots[:1]:
                        # Others are not this namespace's business.
                        similar = await meant_stacks.find(
                            reader, root, may_tell=lambda stack: may_run(stack.id, stack.labels)
                        )
            forbidden = (stack.id for stack in found.stacks if not may_run(stack.id, stack.labels))
            permits = self._permits(argument.connection, selection.ReadGraph(found, scope))
            found = dataclasses.replace(
                found, forbidden=tuple(forbidden), permits=permits, similar=similar
            )
            return packed_reading.pack(found, excluded_labels=scope.graph.exclude.labels)

    def _permits(
        self, connection: messages.AccountRef, read: selection.ReadGraph
    ) -> Mapping[str, str]:
        """Return a permit for each stack of the chain, and for those that its runs reach."""
        keys, permits = self._clients.signing_keys, dict[str, str]()
        stage_of = {stack.id: stack.stage for stack in read.discovery.stacks}
        for stack_id in ordering.distances(sorted(read.members), read.native_dependents):
            if stack_id in read.members:
                windows = read.scope.windows_of(stage_of[stack_id])
                permits[stack_id] = keys.permit(connection, stack_id, windows=windows)
            else:
                permits[stack_id] = keys.stop_permit(connection, stack_id)
        return permits


class _ReadStacks:
    """The stacks that were read so far, never more than may be."""

    def __init__(self, client: spacelift_client.SpaceliftClient, prefixes: Sequence[str]) -> None:
        self._client = client
        self.prefixes = prefixes
        self.stacks: dict[str, models.StackRecord] = {}
        self.missing: set[str] = set()
        # Records that a search brought along, so that they need not be asked for again.
        self.at_hand: dict[str, models.StackRecord] = {}

    async def with_labels(self, labels: Sequence[str]) -> list[str]:
        """Return the ids of the stacks that have all of the labels; a few too many tell so."""
        return self._keep(
            await self._client.list_stacks_with_labels(labels, limit=problems.MOST_READ)
        )

    async def labeled_dependents(self, stack_ids: Iterable[str]) -> list[str]:
        """Return the ids of the stacks that depend on one of the stacks by a label."""
        wanted = set(stack_ids)
        labels = dependency_labels.searched(wanted, self.prefixes)
        # Reporting misspelled labels costs no extra request.
        if room := max(0, documents.LARGEST_SIZE - len(labels)):
            labels += dependency_labels.misspelled(wanted, self.prefixes)[:room]
        self._keep(found := await self._client.list_stacks_by_labels(labels))
        return [stack.id for stack in found if wanted & self.labeled_upstreams(stack)]

    def labeled_upstreams(self, stack: models.StackRecord) -> set[str]:
        """Return the stacks that a stack depends on by a label."""
        return dependency_labels.upstreams(stack.labels, self.prefixes)

    def look_alikes(self) -> tuple[selection.LookAlike, ...]:
        """Return the labels that look like dependencies but are not, of all that was read."""
        found = (
            selection.LookAlike(stack_id=stack.id, label=label)
            for _, stack in sorted((self.at_hand | self.stacks).items())
            for label in dependency_labels.look_alikes(stack.labels, self.prefixes)
        )
        return tuple(itertools.islice(found, _MOST_LOOK_ALIKES))

    def _keep(self, records: Iterable[models.StackRecord]) -> list[str]:
        found = {record.id: record for record in records}
        self.at_hand |= found
        return list(found)

    async def read(self, stack_ids: Collection[str]) -> bool:
        """Read what is not known yet; returns whether it was few enough to be read."""
        new = sorted(set(stack_ids) - self.stacks.keys() - self.missing)
        if len(self.stacks) + len(new) > problems.MOST_READ:
            return False
        self.stacks |= {item: self.at_hand[item] for item in new if item in self.at_hand}
        if unread := [item for item in new if item not in self.at_hand]:
            found = await self._client.get_stacks(unread)
            for stack_id, record in found.items():
                if record is None:
                    self.missing.add(stack_id)
                else:
                    self.stacks[stack_id] = record
        return True

    async def walk(self, starts: Iterable[str], step: _Step) -> bool:
        """Read level by level what a step leads to; returns whether it came to an end."""
        seen: set[str] = set()
        front = set(starts)
        while front:
            if not await self.read(front):
                return False
            seen |= front
            known = sorted(front & self.stacks.keys())
            nexts = await step([self.stacks[stack_id] for stack_id in known]) if known else set()
            front = nexts - seen
        return True


class _Discovering:
    """One discovery: first what may belong to the chain, then what else its members touch."""

    def __init__(self, reading: _ReadStacks, argument: messages.FetchDependentStacksInput) -> None:
        self._scope = argument.scope
        self._reading = reading
        self._roots: Sequence[str] = argument.scope.roots.stack_ids

    async def discover(self) -> resolve.Discovery:
        if labels := self._scope.roots.labels:
            self._roots = await self._reading.with_labels(labels)
        if not await self._reading.walk(self._roots, self._direction_step()):
            return resolve.Discovery(
                stacks=(), edges=(), unknown_roots=self._unknown_roots(), is_cut_off=True
            )
        is_reach_cut_off = False
        members = resolve.members(self._discovery(), self._scope)
        if self._scope.operation is v1alpha1.Operation.APPLY:
            is_reach_cut_off = not await self._reading.walk(members, _native_dependents)
        elif self._is_destroying():
            # Spacelift lists the native ones with each stack.
            await self._reading.labeled_dependents(members)
        return self._discovery(is_reach_cut_off=is_reach_cut_off)

    # The ways to go

    def _direction_step(self) -> _Step:
        direction = self._scope.graph.direction
        if direction is v1alpha1.Direction.UPSTREAM:
            return self._upstreams
        if direction is v1alpha1.Direction.ROOTS_ONLY and len(self._roots) == 1:
            return _nothing
        # Stacks between several roots put these in order, even if they do not run.
        return self._dependents

    async def _dependents(self, stacks: Sequence[models.StackRecord]) -> set[str]:
        found: set[str] = set()
        if v1alpha1.Source.DEPENDENCIES in self._scope.graph.sources:
            found |= await _native_dependents(stacks)
        if v1alpha1.Source.LABELS in self._scope.graph.sources:
            found.update(await self._reading.labeled_dependents(stack.id for stack in stacks))
        return found

    async def _upstreams(self, stacks: Sequence[models.StackRecord]) -> set[str]:
        found: set[str] = set()
        for stack in stacks:
            if v1alpha1.Source.DEPENDENCIES in self._scope.graph.sources:
                found.update(edge.upstream_id for edge in stack.depends_on)
            if v1alpha1.Source.LABELS in self._scope.graph.sources:
                found.update(self._reading.labeled_upstreams(stack))
        return found

    # What was found

    def _unknown_roots(self) -> tuple[str, ...]:
        return tuple(sorted(self._reading.missing.intersection(self._roots)))

    def _discovery(self, *, is_reach_cut_off: bool = False) -> resolve.Discovery:
        stacks, hidden = self._reading.stacks, self._reading.missing.difference(self._roots)
        native = {
            (edge.upstream_id, edge.dependent_id)
            for stack in stacks.values()
            for edge in (*stack.depends_on, *stack.is_depended_on_by)
        }
        labeled = {
            (up, stack.id)
            for stack in (self._reading.at_hand | stacks).values()
            for up in self._reading.labeled_upstreams(stack)
        }
        pairs = sorted(native | labeled)
        return resolve.Discovery(
            stacks=tuple(
                resolve.StackFacts(
                    id=stack.id,
                    name=stack.name,
                    labels=stack.labels,
                    is_disabled=stack.is_disabled,
                    is_autodeploy=stack.is_autodeploy,
                    stage=stages.stage_of(stack.labels, self._scope.stages),
                )
                for _, stack in sorted(stacks.items())
            ),
            # All of them, whatever the sources: Spacelift queues runs along native edges even
            # where they do not order the chain.
            edges=tuple(
                resolve.Edge(
                    upstream=up,
                    dependent=down,
                    is_native=(up, down) in native,
                    is_label=(up, down) in labeled,
                )
                for up, down in pairs
                if up in stacks and (down in stacks or self._is_destroying())
            ),
            unknown_roots=self._unknown_roots(),
            invisible=tuple(
                (up, down)
                for up, down in pairs
                if (up in stacks and down in hidden) or (up in hidden and down in stacks)
            ),
            roots=tuple(sorted(stacks.keys() & set(self._roots))),
            is_reach_cut_off=is_reach_cut_off,
            look_alikes=self._reading.look_alikes(),
        )

    def _is_destroying(self) -> bool:
        return self._scope.operation is v1alpha1.Operation.DESTROY


async def _nothing(_: Sequence[models.StackRecord]) -> set[str]:
    return set()


async def _native_dependents(stacks: Sequence[models.StackRecord]) -> set[str]:
    return {edge.dependent_id for stack in stacks for edge in stack.is_depended_on_by}

"""The state of the chains that a chain names in `spec.dependsOn`, and whether it waits. Pure."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence

from controller.api import reasons, v1alpha1, wording
from controller.chain.requests import chain_waits, decide
from controller.chain.requests.chain_waits import ChainWait

# With these a chain does not become Ready until someone acts.
_NEEDS_PERSON: Mapping[str, str] = {
    **dict.fromkeys(reasons.WAITING_FOR_PERSON, "waits for a person"),
    reasons.ChainReason.BLOCKED: "can continue only once someone outside of it acts",
    reasons.ChainReason.SUSPENDED: "is suspended",
    reasons.ChainReason.NOT_REQUESTED: "runs only on request, and no one has requested a run",
}
_CONTINUES: Mapping[str, str] = {
    reasons.ChainReason.PROGRESSING: "is running or about to run",
    reasons.ChainReason.WAITING_FOR_CHAIN: "itself waits for another chain",
    reasons.ChainReason.RUN_SUCCEEDED: "is about to run again",
}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class OtherChains:
    """The chains that a chain names. `found` has None for one that does not exist.

    `unreadable` are there, and cannot be read. `dependencies` has the chains that each chain of the
    namespace names. `names` are those of the namespace as the watch has shown them.
    """

    found: Mapping[str, v1alpha1.StackChain | None]
    unreadable: frozenset[str] = frozenset()
    dependencies: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    names: frozenset[str] = frozenset()


def waiting_of(chain: v1alpha1.StackChain, others: OtherChains) -> chain_waits.Waiting:
    """Return what keeps a run of a chain from starting."""
    named = tuple(item.name for item in chain.spec.depends_on)
    # What the watch has shown of the chain itself may be old.
    dependencies = {**others.dependencies, chain.ref.name: named}
    # It cannot wait for itself, and what it names already is not meant by another name.
    meant = others.names.difference(named, [chain.ref.name])
    found = (_wait_for(name, others, meant) for name in named)
    return chain_waits.Waiting(
        waits=tuple(wait for wait in found if wait is not None),
        cycle=chain_waits.cycle_through(chain.ref.name, dependencies),
    )


def wait_for(
    name: str, other: v1alpha1.StackChain | None, names: Collection[str] = ()
) -> ChainWait | None:
    """Return why another chain has to be waited for; None: it is Ready and has no open request.

    If it does not exist, one of the `names` may be meant.
    """
    if other is None:
        absent = f"does not exist in this namespace{wording.did_you_mean(name, names)}"
        return ChainWait(name=name, which=absent, needs_person=True)
    if other.is_deleting:
        return ChainWait(name=name, which="is being deleted", needs_person=True)
    ready = other.status.condition("Ready")
    if ready is None or other.status.observed_generation != other.ref.generation:
        return ChainWait(name=name, which="the operator has not checked since it changed")
    if ready.status == "True" and not _is_asked(other):
        return None
    if (which := _NEEDS_PERSON.get(ready.reason)) is not None:
        return ChainWait(name=name, which=which, needs_person=True)
    if (which := _CONTINUES.get(ready.reason)) is not None:
        return ChainWait(name=name, which=which)
    stalled = other.status.condition("Stalled")
    is_stalled = stalled is not None and stalled.status == "True" and not _is_asked(other)
    return ChainWait(name=name, which=f"is not Ready ({ready.reason})", needs_person=is_stalled)


def _wait_for(name: str, others: OtherChains, names: Collection[str]) -> ChainWait | None:
    if name in others.unreadable:
        return ChainWait(name=name, which="the operator cannot read", needs_person=True)
    return wait_for(name, others.found.get(name), names)


def _is_asked(other: v1alpha1.StackChain) -> bool:
    pending = other.status.pending_run is not None
    return pending or decide.is_asking(other, other.status.last_handled)

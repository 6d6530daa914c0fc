"""Whether a plan is within the limits up to which the chain confirms on its own. Pure.

No source says how Spacelift's delta counts a resource that is replaced, nor which words its list of
changes uses. So both are read, and the larger count wins: what is replaced counts as added and as
deleted, and what may be replaced counts as replaced (ADR 0051).
"""

import dataclasses
from collections.abc import Iterable, Sequence

from controller.api import v1alpha1

# Words for kinds of changes, as policies and clients of Spacelift have them. A kind with "replace"
# in it is tried first: "create-before-destroy-replaced" has words of others.
_REPLACED = ("replace",)
_ADDED = ("add", "added", "create", "created")
_CHANGED = ("change", "changed", "update", "updated")
_DELETED = ("delete", "deleted", "destroy", "destroyed")
_UNCHANGED = ("no-op", "noop", "read", "unchanged")

UNKNOWN = "would make changes that Spacelift has not counted"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Count:
    """The resources of a list by kind; `unclear` are those of a kind that is not known."""

    added: int = 0
    changed: int = 0
    deleted: int = 0
    replaced: int = 0
    unclear: int = 0


def excess(
    limits: v1alpha1.ConfirmationLimits, delta: v1alpha1.Delta | None, kinds: Sequence[str]
) -> str:
    """Return why a plan is not within the limits, as a description of the plan; empty: it is.

    Args:
        limits: those that are given.
        delta: what Spacelift counted; None: it did not say.
        kinds: for each resource that it lists, the kind of change.
    """
    if delta is None:
        return UNKNOWN
    listed = _count(kinds)
    # What the list leaves out may be replaced as well.
    is_listed = listed.added + listed.changed + listed.replaced + listed.unclear
    unclear = listed.unclear + max(0, delta.added + delta.changed - is_listed)
    renewed = listed.replaced + unclear
    found = (
        ("add", max(delta.added, listed.added + renewed), limits.max_added, True),
        ("change", max(delta.changed, listed.changed + listed.unclear), limits.max_changed, False),
        ("delete", max(delta.deleted, listed.deleted + renewed), limits.max_deleted, True),
    )
    return "; ".join(
        f"would {verb} {count}, limit {limit}"
        + (_explained(listed.replaced, unclear) if is_of_renewed else "")
        for verb, count, limit, is_of_renewed in found
        if limit is not None and count > limit
    )


def _explained(replaced: int, unclear: int) -> str:
    parts = []
    if replaced:
        parts.append(f"{replaced} of them replaced")
    if unclear:
        parts.append(f"{unclear} of them possibly replaced: Spacelift does not say")
    return f" ({', '.join(parts)})" if parts else ""


def _count(kinds: Iterable[str]) -> _Count:
    counts = dict.fromkeys(("added", "changed", "deleted", "replaced", "unclear"), 0)
    for kind in kinds:
        if (name := _name_of(kind.lower())) is not None:
            counts[name] += 1
    return _Count(**counts)


def _name_of(kind: str) -> str | None:
    """Return what a kind counts as; None: as nothing."""
    if any(word in kind for word in _REPLACED):
        return "replaced"
    if kind in _UNCHANGED:
        return None
    for name, words in (("added", _ADDED), ("changed", _CHANGED), ("deleted", _DELETED)):
        if kind in words:
            return name
    return "unclear"

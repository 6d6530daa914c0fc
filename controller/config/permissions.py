"""What a connection allows, and the one check of it that operator and workers share. Pure."""

import dataclasses
import enum
from collections.abc import Collection

ALL = "*"
"""In a list: whatever there is."""

OPERATIONS = ("Apply", "Plan", "Destroy")
DEFAULT_OPERATIONS = ("Apply", "Plan")
"""What a connection serves by default: destroying has to be allowed explicitly."""
CONFIRMATION_POLICIES = ("Auto", "StackDefault")


class DisallowedUse(enum.StrEnum):
    """What of a use is not allowed; the values are reasons of the resource's condition, too."""

    NAMESPACE = "NamespaceNotAllowed"
    OPERATION = "OperationNotAllowed"
    FIELD = "FieldNotAllowed"
    STACK = "StackNotAllowed"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """Why a use is not allowed, in words for the author of the resource."""

    reason: DisallowedUse
    message: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionUse:
    """What a chain wants of its connection: from where, and what its runs would do.

    `variables` are the names in the environment of its runs; `has_commit`: its roots run a commit
    that the chain chose.
    """

    namespace: str
    operation: str
    confirmation_policy: str = "StackDefault"
    variables: tuple[str, ...] = ()
    has_commit: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Permissions:
    """What StackChains may do through a connection; lists may hold `ALL`.

    Without `stack_ids` and `stack_labels` all stacks may be run; with either, a stack that is
    listed or has one of the labels.
    """

    namespaces: tuple[str, ...]
    operations: tuple[str, ...] = DEFAULT_OPERATIONS
    confirmation_policies: tuple[str, ...] = CONFIRMATION_POLICIES
    variables: tuple[str, ...] = (ALL,)
    allows_commit: bool = True
    stack_ids: tuple[str, ...] | None = None
    stack_labels: tuple[str, ...] | None = None

    def serves(self, namespace: str) -> bool:
        """Return whether StackChains of a namespace may use the connection at all."""
        return _has(self.namespaces, namespace)

    @property
    def names_stacks(self) -> bool:
        """Whether only some stacks may be run."""
        return self.stack_ids is not None or self.stack_labels is not None

    def may_run(self, stack_id: str, labels: Collection[str]) -> bool:
        """Return whether a stack may be run."""
        if not self.names_stacks or stack_id in (self.stack_ids or ()):
            return True
        return any(label in labels for label in self.stack_labels or ())


def refusal_of(connection: str, allowed: Permissions, use: ConnectionUse) -> Refusal | None:
    """Return why a connection does not allow a use of it; None if it does."""
    if not allowed.serves(use.namespace):
        return Refusal(
            reason=DisallowedUse.NAMESPACE,
            message=f"The connection '{connection}' does not allow the namespace "
            f"'{use.namespace}'. Add it to the connection's `allowedNamespaces`.",
        )
    if use.operation not in allowed.operations:
        return Refusal(
            reason=DisallowedUse.OPERATION,
            message=f"The connection '{connection}' does not allow the operation "
            f"{use.operation}; it allows: {_listed(allowed.operations)}. Add it to the "
            "connection's `allowedOperations`, or change `spec.operation`.",
        )
    if use.confirmation_policy not in allowed.confirmation_policies:
        return Refusal(
            reason=DisallowedUse.FIELD,
            message=f"The connection '{connection}' does not allow the confirmation policy "
            f"{use.confirmation_policy}; it allows: {_listed(allowed.confirmation_policies)}. Add "
            "it to the connection's `allowedConfirmationPolicies`, or change "
            "`spec.confirmationPolicy`.",
        )
    if refused := [name for name in use.variables if not _has(allowed.variables, name)]:
        return Refusal(
            reason=DisallowedUse.FIELD,
            message=f"The connection '{connection}' does not allow these variables to be set: "
            f"{_listed(sorted(refused))}. Add them to the connection's `allowedVariables`, "
            "or remove them from `spec.runtimeEnvironment`.",
        )
    if use.has_commit and not allowed.allows_commit:
        return Refusal(
            reason=DisallowedUse.FIELD,
            message=f"The connection '{connection}' does not allow a commit to be chosen. Remove "
            "`spec.commitSHA`, or set the connection's `allowCommitSHA` to true.",
        )
    return None


def stack_refusal(connection: str, stack_ids: Collection[str]) -> Refusal:
    """Return why stacks that a connection does not allow are not run."""
    return Refusal(
        reason=DisallowedUse.STACK,
        message=f"The connection '{connection}' does not allow these stacks to run: "
        f"{_listed(sorted(stack_ids))}. Leave them out with `spec.graph`, or add them to the "
        "connection's `allowedStackIds` or one of their labels to its `allowedStackLabels`.",
    )


_MOST_NAMED = 5


def _has(listed: Collection[str], name: str) -> bool:
    return ALL in listed or name in listed


def _listed(names: Collection[str]) -> str:
    shown = list(names)[:_MOST_NAMED]
    more = len(names) - len(shown)
    return (", ".join(shown) or "none") + (f" and {more} more" if more else "")
